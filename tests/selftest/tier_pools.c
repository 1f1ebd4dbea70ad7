// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Tier pools over pools of each kind, and what processes that share one leave when
 * they are killed; aligned buffers of a pool and files opened O_DIRECT, which the
 * file system of the current directory can do.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zcbuf/zcbuf.h>

#include "common.h"
#include "ktap.h"
#include "pair.h"
#include "thread.h"

#define NAME		"tier_pools"
#define CAPACITY	16

static struct zcbuf_pool *pool_of(const void *kind)
{
	const struct zcbuf_pool_opts opts = {
		.sz = sizeof(opts), .name = NAME, .kind = *(const __u32 *)kind,
		.arena_size = *(const __u32 *)kind == ZCBUF_POOL_FIXED ?
			      0 : ZT_ARENA,
	};
	struct zcbuf_pool *pool;

	ASSERT_OK(zcbuf_pool_create(&pool, &opts));
	return pool;
}

static struct zcbuf_pool *join(void)
{
	struct zcbuf_pool *pool;

	ASSERT_OK(zcbuf_pool_attach(&pool, NAME, NULL));
	return pool;
}

static __u64 used(const struct zcbuf_pool *pool)
{
	struct zcbuf_pool_info info = { .size = sizeof(info) };

	ASSERT_OK(zcbuf_pool_info(pool, &info));
	return info.out_used;
}

static struct zcbuf_tpool *tpool_of(struct zcbuf_pool *pool, __u32 tier,
				    __u32 flags)
{
	const struct zcbuf_tpool_opts opts = {
		.sz = sizeof(opts), .tier = tier, .capacity = CAPACITY,
		.flags = flags,
	};
	struct zcbuf_tpool *tpool;

	ASSERT_OK(zcbuf_tpool_create(pool, &opts, &tpool));
	return tpool;
}

static unsigned int get_all(struct zcbuf_tpool *tpool)
{
	unsigned int seen = 0;
	int index;

	while ((index = zcbuf_tpool_get(tpool, 0)) >= 0) {
		EXPECT_EQ(seen & 1U << index, 0);
		seen |= 1U << index;
	}
	EXPECT_ERR(index, EAGAIN);
	return seen;
}

/* ------------------------------------------------------------------- private */

static void write_and_put(struct zcbuf_pool *pool, struct zcbuf_tpool *tpool,
			  int i, int lap)
{
	size_t size = zcbuf_tpool_size(tpool);
	unsigned char *value;

	ASSERT_EQ(zcbuf_tpool_get(tpool, 0), i);
	value = zcbuf_tpool_value(tpool, i);
	EXPECT_EQ((uintptr_t)value % (size < 4096 ? size : 4096), 0);
	EXPECT_GE(zcbuf_pool_offset(pool, value), 0);
	if (lap)
		EXPECT_FILLED(value, i + lap, size);
	memset(value, i + lap + 1, size);
	EXPECT_OK(zcbuf_tpool_put(tpool, i));
}

EACH_KIND(scenario_51_values)
{
	struct zcbuf_pool *pool = pool_of(arg);
	struct zcbuf_tpool *tpool;
	__u32 tier;
	int i;

	for (tier = 0; tier <= ZCBUF_TIER_HUGE; tier++) {
		tpool = tpool_of(pool, tier, 0);
		for (i = 0; i < 2 * CAPACITY; i++)
			write_and_put(pool, tpool, i % CAPACITY, i / CAPACITY);
		EXPECT_OK(zcbuf_tpool_close(tpool));
		EXPECT_EQ(used(pool), 0);
	}
	EXPECT_OK(zcbuf_pool_close(pool));
}

TEST(scenario_53_iovecs_of_indices)
{
	int file = memfd_create("scenario-53", MFD_CLOEXEC), i, index[8];
	struct zcbuf_pool *pool = pool_of(&kind_pages);
	struct zcbuf_tpool *tpool = tpool_of(pool, ZCBUF_TIER_SMALL, 0);
	char back[8 * 1024];
	struct iovec iov[8];

	for (i = 0; i < 8; i++) {
		index[i] = zcbuf_tpool_get(tpool, 0);
		ASSERT_GE(index[i], 0);
		memset(zcbuf_tpool_value(tpool, index[i]), i + 1, 1024);
	}
	ASSERT_EQ(zcbuf_tpool_iovec(tpool, index, 8, iov), 8);
	EXPECT_EQ(writev(file, iov, 8), sizeof(back));
	ASSERT_EQ(pread(file, back, sizeof(back), 0), sizeof(back));
	for (i = 0; i < 8; i++)
		EXPECT_FILLED(back + i * 1024, i + 1, 1024);
	EXPECT_OK(zcbuf_tpool_close(tpool));
	EXPECT_OK(zcbuf_pool_close(pool));
	close(file);
}

static void *gets(void *arg)
{
	return (void *)(intptr_t)zcbuf_tpool_get(arg, ZCBUF_NO_DEADLINE);
}

static void on_signal(int signal)
{
	(void)signal;
}

TEST(scenario_49_a_get_that_sleeps)
{
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct zcbuf_pool *pool = pool_of(&kind_tiers);
	struct zcbuf_tpool *tpool = tpool_of(pool, ZCBUF_TIER_NANO, 0);
	struct thread t = { .run = gets, .arg = tpool };
	void *index;

	if (ktap_pelted())
		return;		/* every get would be interrupted */
	EXPECT_EQ(get_all(tpool), 0xffff);
	thread_start(&t, SYS_futex);
	EXPECT_OK(zcbuf_tpool_put(tpool, 5));
	ASSERT_EQ(pthread_join(t.pthread, &index), 0);
	EXPECT_EQ((intptr_t)index, 5);

	sigaction(SIGUSR1, &act, NULL);
	t.tid = 0;
	thread_start(&t, SYS_futex);
	pthread_kill(t.pthread, SIGUSR1);
	ASSERT_EQ(pthread_join(t.pthread, &index), 0);
	EXPECT_ERR((intptr_t)index, EINTR);
	EXPECT_OK(zcbuf_tpool_close(tpool));
	EXPECT_OK(zcbuf_pool_close(pool));
}

/* -------------------------------------------------------------------- shared */

static struct zcbuf_tpool *take_part(struct zcbuf_pool *pool, int from, int to)
{
	struct zcbuf_tpool *tpool;
	__u64 handle;

	send_number(to, zcbuf_pool_session(pool));
	handle = read_number(from);
	ASSERT_OK(zcbuf_tpool_attach(pool, handle, &tpool));
	return tpool;
}

/*
 * Another process that takes part and goes on with @then. It is forked before this
 * one has a pool, as it would have nothing of it.
 */
static pid_t start_member(struct zt_turns *t, void (*then)(struct zcbuf_tpool *,
							   struct zt_turns *))
{
	struct zcbuf_tpool *tpool;
	pid_t child;

	ASSERT_OK(zt_turns_init(t));
	child = fork();
	if (!child) {
		zt_turns_child(t);
		ASSERT_OK(zt_await_parent(t));
		tpool = take_part(join(), t->to_child[0], t->to_parent[1]);
		then(tpool, t);
		_exit(0);
	}
	ASSERT_GT(child, 0);
	zt_turns_parent(t);
	return child;
}

static void let_in(struct zcbuf_tpool *tpool, struct zt_turns *t)
{
	ASSERT_OK(zt_tell_child(t));
	ASSERT_OK(zcbuf_tpool_share(tpool, read_number(t->to_parent[0])));
	send_number(t->to_child[1], zcbuf_tpool_handle(tpool));
}

static void gets_three(struct zcbuf_tpool *tpool, struct zt_turns *t)
{
	int i;

	for (i = 0; i < 3; i++)
		ASSERT_GE(zcbuf_tpool_get(tpool, 0), 0);
	ASSERT_OK(zt_tell_parent(t));
	ktap_stay();
}

static void bury(pid_t child)
{
	kill(child, SIGKILL);
	ASSERT_EQ(waitpid(child, NULL, 0), child);
}

/* What a process had that was killed comes back; those who live keep theirs. */
EACH_KIND(the_dead_and_the_living)
{
	struct zt_turns dead, living;
	struct zcbuf_tpool *tpool;
	struct zcbuf_pool *pool;
	pid_t dies, lives;
	int n = 0;

	dies = start_member(&dead, gets_three);
	lives = start_member(&living, gets_three);
	pool = pool_of(arg);
	tpool = tpool_of(pool, ZCBUF_TIER_MEDIUM, ZCBUF_TPOOL_SHARED);
	let_in(tpool, &dead);
	ASSERT_OK(zt_await_child(&dead));	/* has 0 to 2 */
	let_in(tpool, &living);
	ASSERT_OK(zt_await_child(&living));	/* has 3 to 5 */
	EXPECT_EQ(zcbuf_tpool_recover(tpool), 0);
	EXPECT_EQ(zcbuf_tpool_count(tpool), CAPACITY - 6);
	bury(dies);
	while (n < 3)
		n += zcbuf_tpool_recover(tpool);
	EXPECT_EQ(n, 3);
	EXPECT_EQ(zcbuf_tpool_recover(tpool), 0);
	EXPECT_EQ(get_all(tpool), 0xffc7);
	EXPECT_ERR(zcbuf_tpool_put(tpool, 4), EPERM);
	bury(lives);
	EXPECT_GE(ZCBUF_RETRY(zcbuf_tpool_get(tpool, ZCBUF_NO_DEADLINE)), 3);
	EXPECT_OK(zcbuf_tpool_close(tpool));
	EXPECT_EQ(used(pool), 0);
	EXPECT_OK(zcbuf_pool_close(pool));
}

static void gets_and_puts(struct zcbuf_tpool *tpool, struct zt_turns *t)
{
	unsigned int i;
	int index;

	ASSERT_OK(zt_tell_parent(t));
	for (i = 0;; i++) {
		index = zcbuf_tpool_get(tpool, 0);
		if (index >= 0)
			zcbuf_tpool_set(tpool, index, &i, sizeof(i));
		if (index >= 0)
			zcbuf_tpool_put(tpool, index);
	}
}

#define DEATHS	6

/* Killed wherever they are, while this process does the same. */
TEST(killed_anywhere)
{
	struct zcbuf_tpool *tpool;
	struct zcbuf_pool *pool;
	struct zt_turns t[DEATHS];
	pid_t child[DEATHS];
	int i, n, index;

	for (i = 0; i < DEATHS; i++)
		child[i] = start_member(&t[i], gets_and_puts);
	pool = pool_of(&kind_pages);
	tpool = tpool_of(pool, ZCBUF_TIER_NANO, ZCBUF_TPOOL_SHARED);
	for (i = 0; i < DEATHS; i++) {
		let_in(tpool, &t[i]);
		ASSERT_OK(zt_await_child(&t[i]));
		for (n = 0; n < 5000; n++) {
			index = zcbuf_tpool_get(tpool, ZCBUF_NO_DEADLINE);
			if (index >= 0)
				EXPECT_OK(zcbuf_tpool_put(tpool, index));
		}
		bury(child[i]);
	}
	zcbuf_tpool_recover(tpool);
	EXPECT_EQ(get_all(tpool), 0xffff);
	EXPECT_OK(zcbuf_tpool_close(tpool));
	EXPECT_EQ(used(pool), 0);
	EXPECT_OK(zcbuf_pool_close(pool));
}

static void keeps_what_it_is_given(struct zcbuf_tpool *tpool,
				   struct zt_turns *t)
{
	int index = read_number(t->to_child[0]);

	EXPECT_FILLED(zcbuf_tpool_value(tpool, index), 0x3c, 256);
	EXPECT_OK(zcbuf_tpool_put(tpool, index));
	EXPECT_OK(zcbuf_tpool_close(tpool));
}

TEST(an_index_is_given)
{
	struct zcbuf_tpool *tpool;
	struct zcbuf_pool *pool;
	struct zt_turns t;
	__u64 session;
	pid_t child;

	child = start_member(&t, keeps_what_it_is_given);
	pool = pool_of(&kind_pages);
	tpool = tpool_of(pool, ZCBUF_TIER_MICRO, ZCBUF_TPOOL_SHARED);
	ASSERT_OK(zt_tell_child(&t));
	session = read_number(t.to_parent[0]);
	ASSERT_OK(zcbuf_tpool_share(tpool, session));
	send_number(t.to_child[1], zcbuf_tpool_handle(tpool));
	ASSERT_EQ(zcbuf_tpool_get(tpool, 0), 0);
	memset(zcbuf_tpool_value(tpool, 0), 0x3c, 256);
	while (zcbuf_tpool_give(tpool, 0, session) == -ENOENT)
		usleep(1000);	/* until it takes part */
	EXPECT_ERR(zcbuf_tpool_put(tpool, 0), EPERM);
	send_number(t.to_child[1], 0);
	EXPECT_STATUS(child, 0);
	EXPECT_EQ(get_all(tpool), 0xffff);
	EXPECT_OK(zcbuf_pool_close(pool));
	EXPECT_OK(zcbuf_tpool_close(tpool));
}

/* ---------------------------------------------------------------- direct I/O */

EACH_KIND(direct_io)
{
	struct zcbuf_pool *pool = pool_of(arg);
	struct zcbuf_direct file;
	struct zcbuf_moved moved;
	struct zcbuf_raw part;
	struct zcbuf_abuf a;

	ASSERT_OK(zcbuf_direct_open("tier_pools.tmp", O_RDWR | O_CREAT | O_TRUNC,
				    0600, &file));
	EXPECT_EQ(unlink("tier_pools.tmp"), 0);
	EXPECT_GT(file.offset_align, 0);
	ASSERT_OK(zcbuf_abuf_zeroed(&a, pool, 16384));
	memset(a.ptr, 0x5a, 10000);
	EXPECT_OK(zcbuf_direct_write(&file, zcbuf_abuf_raw(&a), 4096, &moved));
	EXPECT_EQ(moved.actual, 16384);
	EXPECT_ERR(zcbuf_direct_write(&file, zcbuf_abuf_raw(&a), 4097, NULL),
		   EINVAL);
	memset(a.ptr, 0, 16384);
	ASSERT_OK(zcbuf_raw_slice_read(zcbuf_abuf_raw(&a), 4096, 8192, &part));
	EXPECT_OK(zcbuf_direct_read(&file, &part, 4096, &moved));
	EXPECT_FILLED(a.ptr, 0, 4096);
	EXPECT_FILLED(a.ptr + 4096, 0x5a, 8192);
	EXPECT_FILLED(a.ptr + 12288, 0, 4096);
	EXPECT_ERR(zcbuf_direct_read(&file, &part, 16384, &moved), ENODATA);
	EXPECT_EQ(moved.expected, 8192);
	EXPECT_EQ(moved.actual, 4096);
	EXPECT_OK(zcbuf_abuf_free(&a));
	EXPECT_EQ(used(pool), 0);
	EXPECT_OK(zcbuf_pool_close(pool));
	close(file.fd);
}

KTAP_MAIN()

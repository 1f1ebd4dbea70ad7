// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Pools that grow: what is kept free, what is mapped when, fork(), threads. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake.h"
#include "test.h"

#define MAX	(4 * FAKE_ARENA)
#define YIELDS	1000	/* enough for another thread to go wrong, if it can */

static struct zcbuf_pool *pool;
static unsigned char *base;

static void make(void)
{
	fake.max_size = MAX;
	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	base = zcbuf_pool_base(pool);
}

static void unmake(void)
{
	zcbuf_pool_close(pool);
	EXPECT_EQ(fake.mapped, 0);
}

/* Something is there, if only addresses that are kept. */
static bool is_taken(const unsigned char *from, size_t length)
{
	unsigned char vec;
	size_t at;

	for (at = 0; at < length; at += FAKE_ARENA / 2)
		if (mincore((void *)(from + at), 4096, &vec))
			return false;
	return true;
}

static bool is_free(const unsigned char *from, size_t length)
{
	size_t at;

	for (at = 0; at < length; at += FAKE_ARENA / 2)
		if (is_taken(from + at, 4096))
			return false;
	return true;
}

static bool is_readable(const unsigned char *at)
{
	int fd = memfd_create("probe", MFD_CLOEXEC);
	bool yes = write(fd, at, 1) == 1;

	close(fd);
	return yes;
}

/* ------------------------------------------------------------- first mapping */

static void options(void)
{
	struct zcbuf_pool_opts opts = {
		.sz = sizeof(opts),
		.arena_size = FAKE_ARENA,
		.max_size = MAX,
		.flags = ZCBUF_POOL_F_AUTO_GROW,
	};

	fake.max_size = MAX;
	ASSERT_EQ(zcbuf_pool_create(&pool, &opts), 0);
	EXPECT_EQ(fake.create.max_size, MAX);
	EXPECT_EQ(fake.create.arena_size, FAKE_ARENA);
	EXPECT_EQ(fake.create.flags, ZCBUF_POOL_F_AUTO_GROW);
	unmake();
}

static void reserved(void)
{
	make();
	EXPECT_EQ((uintptr_t)base % (2 << 20), 0);
	EXPECT_EQ(zcbuf_pool_size(pool), FAKE_ARENA);
	EXPECT_EQ(fake.mapped, MAX);
	EXPECT_EQ(fake.maps, 1);
	EXPECT(is_readable(base + FAKE_ARENA - 1));
	EXPECT(!is_readable(base + FAKE_ARENA));
	EXPECT(is_taken(base, MAX));
	unmake();
	EXPECT(is_free(base, MAX));
}

/* It grows by whole arenas; a part of one would never be used. */
static void whole_arenas(void)
{
	fake.max_size = MAX - 4096;
	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	EXPECT_EQ(fake.mapped, MAX - FAKE_ARENA);
	unmake();
}

/* Arenas that go leave their places behind: addresses for all there may be. */
static void room_behind_holes(void)
{
	fake.max_end = 2 * MAX;
	make();
	EXPECT_EQ(fake.mapped, 2 * MAX);
	EXPECT(is_taken(base, 2 * MAX));
	fake.max_size = 2 * MAX;	/* what is gone does not count */
	while (fake.pool_size < 2 * MAX)
		fake_grow();
	EXPECT_EQ(zcbuf_pool_addr(pool, 2 * MAX - 1), base + 2 * MAX - 1);
	EXPECT(is_readable(base + 2 * MAX - 1));
	unmake();
}

/* If there are not so many addresses, what it may have at a time will do. */
static void few_addresses(void)
{
	fake.max_end = 2 * MAX;
	fake.map_error = ENOMEM;
	make();
	EXPECT_EQ(fake.mapped, MAX);
	EXPECT_EQ(zcbuf_pool_addr(pool, FAKE_ARENA - 1), base + FAKE_ARENA - 1);
	EXPECT_EQ(zcbuf_pool_range(pool, MAX, 1), NULL);
	unmake();
}

static void retired(void)
{
	make();
	fake.arena_state = ZCBUF_ARENA_PINNED;
	EXPECT_EQ(zcbuf_pool_retire(pool, 3, ZCBUF_RETIRE_F_NOW, 77),
		  ZCBUF_ARENA_PINNED);
	EXPECT_EQ(fake.retire.size, sizeof(fake.retire));
	EXPECT_EQ(fake.retire.arena, 3);
	EXPECT_EQ(fake.retire.flags, ZCBUF_RETIRE_F_NOW);
	EXPECT_EQ(fake.retire.deadline_ns, 77);
	fake.fail[ZCBUF_NR_POOL_RETIRE] = EBUSY;
	EXPECT_EQ(zcbuf_pool_retire(pool, 3, 0, 0), -EBUSY);
	unmake();
}

static void several_at_attach(void)
{
	struct zcbuf_pool *other;

	make();
	fake_grow();
	fake_grow();
	ASSERT_EQ(zcbuf_pool_attach(&other, "x", NULL), 0);
	EXPECT_EQ(fake.maps, 2);
	EXPECT_EQ(zcbuf_pool_size(other), 3 * FAKE_ARENA);
	EXPECT_EQ(zcbuf_pool_size(pool), FAKE_ARENA);
	base[5] = 1;
	EXPECT_EQ(*(unsigned char *)zcbuf_pool_addr(other, 5), 1);
	zcbuf_pool_close(other);
	unmake();
}

static void does_not_grow(void)
{
	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	EXPECT_EQ(fake.mapped, FAKE_ARENA);
	EXPECT_EQ(fake.maps, 1);
	EXPECT(!zcbuf_pool_addr(pool, FAKE_ARENA));
	EXPECT(!zcbuf_pool_range(pool, 0, FAKE_ARENA + 1));
	EXPECT_EQ(fake.calls[ZCBUF_NR_POOL_INFO], 1);
	unmake();
}

static void attach_fails(int err)
{
	struct zcbuf_pool *other = NULL;

	EXPECT_EQ(zcbuf_pool_attach(&other, "x", NULL), err);
	EXPECT_EQ(fake.mapped, MAX);
	EXPECT(!other);
}

/* Whatever fails on the way: the error comes out and nothing stays. */
static void undo(void)
{
	unsigned int fds;
	unsigned int i;

	make();
	fds = fake_open_fds();
	for (i = 0; i < 2; i++) {
		fake.map_pass = i;
		fake.map_error = EAGAIN;
		attach_fails(-EAGAIN);
		fake.madvise_pass = i;
		fake.madvise_error = ENOMEM;
		attach_fails(-ENOMEM);
		fake.mremap_hole = i;
		fake.mremap_error = EFAULT;
		attach_fails(-EFAULT);
	}
	EXPECT_EQ(fake_open_fds(), fds);
	unmake();
}

/* More than this machine has addresses for. */
static void too_large(void)
{
	fake.max_size = 1ULL << 62;
	EXPECT_EQ(zcbuf_pool_create(&pool, NULL), -ENOMEM);
	fake.max_size = ~0ULL;
	EXPECT_EQ(zcbuf_pool_create(&pool, NULL), -ENOMEM);
	EXPECT_EQ(fake.mapped, 0);
}

/* ---------------------------------------------------------------- first use */

static void first_use(void)
{
	struct zcbuf_pool *other;

	make();
	base[0] = 11;
	fake_grow();
	EXPECT_EQ(zcbuf_pool_offset(pool, base + FAKE_ARENA), -ERANGE);
	EXPECT(zcbuf_pool_addr(pool, FAKE_ARENA + 7) == base + FAKE_ARENA + 7);
	EXPECT_EQ(fake.maps, 2);
	EXPECT_EQ(fake.calls[ZCBUF_NR_POOL_INFO], 2);
	EXPECT_EQ(fake.map_prot, PROT_READ | PROT_WRITE);
	EXPECT_EQ(zcbuf_pool_size(pool), 2 * FAKE_ARENA);
	EXPECT_EQ(zcbuf_pool_offset(pool, base + FAKE_ARENA), FAKE_ARENA);

	/* Once; and what was there is untouched. */
	EXPECT(zcbuf_pool_range(pool, FAKE_ARENA - 1, FAKE_ARENA + 1) ==
	       base + FAKE_ARENA - 1);
	EXPECT_EQ(fake.maps, 2);
	EXPECT_EQ(fake.calls[ZCBUF_NR_POOL_INFO], 2);
	EXPECT(zcbuf_pool_base(pool) == base);
	EXPECT_EQ(base[0], 11);
	EXPECT_EQ(fake.mapped, MAX);

	/* It is that part of the pool, not another. */
	base[FAKE_ARENA + 7] = 22;
	ASSERT_EQ(zcbuf_pool_attach(&other, "x", NULL), 0);
	EXPECT_EQ(*(unsigned char *)zcbuf_pool_addr(other, FAKE_ARENA + 7), 22);
	EXPECT_EQ(*(unsigned char *)zcbuf_pool_addr(other, 7), 0);
	zcbuf_pool_close(other);

	/* Two that came meanwhile, the first of them skipped. */
	fake_grow();
	fake_grow();
	EXPECT(zcbuf_pool_addr(pool, MAX - 1) == base + MAX - 1);
	base[MAX - 1] = 33;
	base[2 * FAKE_ARENA] = 44;
	EXPECT_EQ(fake.maps, 4);
	EXPECT_EQ(zcbuf_pool_size(pool), MAX);
	EXPECT_EQ(fake.mapped, MAX);
	unmake();
	EXPECT(is_free(base, MAX));
}

/* The kernel is only asked where it may know more. */
static void outside(void)
{
	make();
	fake_grow();
	EXPECT(zcbuf_pool_range(pool, FAKE_ARENA, 0) == base + FAKE_ARENA);
	EXPECT(!zcbuf_pool_addr(pool, MAX));
	EXPECT(!zcbuf_pool_range(pool, 0, MAX + 1));
	EXPECT(!zcbuf_pool_range(pool, 8, ~0ULL - 4));
	EXPECT(!zcbuf_pool_addr(pool, ~0ULL));
	EXPECT_EQ(fake.calls[ZCBUF_NR_POOL_INFO], 1);
	EXPECT(!zcbuf_pool_addr(pool, 2 * FAKE_ARENA));
	EXPECT(!zcbuf_pool_range(pool, 0, 2 * FAKE_ARENA + 1));
	EXPECT_EQ(fake.calls[ZCBUF_NR_POOL_INFO], 3);
	EXPECT_EQ(zcbuf_pool_size(pool), 2 * FAKE_ARENA);
	unmake();
}

static void read_only(void)
{
	struct zcbuf_pool *reader;

	make();
	fake.rights = ZCBUF_RIGHT_MAP_READ | ZCBUF_RIGHT_CONSUME;
	ASSERT_EQ(zcbuf_pool_attach(&reader, "x", NULL), 0);
	fake_grow();
	EXPECT(zcbuf_pool_addr(reader, FAKE_ARENA));
	EXPECT_EQ(fake.map_prot, PROT_READ);
	zcbuf_pool_close(reader);
	unmake();
}

static void no_rights(void)
{
	fake.max_size = MAX;
	fake.rights = ZCBUF_RIGHT_ADMIN;
	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	EXPECT_EQ(zcbuf_pool_grow(pool), 1);
	EXPECT(!zcbuf_pool_addr(pool, FAKE_ARENA));
	EXPECT_EQ(zcbuf_pool_size(pool), 0);
	EXPECT_EQ(fake.maps, 0);
	unmake();
}

static void refused_once(void)
{
	EXPECT(!zcbuf_pool_addr(pool, FAKE_ARENA));
	EXPECT_EQ(zcbuf_pool_size(pool), FAKE_ARENA);
	EXPECT_EQ(fake.mapped, MAX);
	EXPECT(is_taken(base, MAX));
	EXPECT(!is_readable(base + FAKE_ARENA));
	EXPECT(is_readable(base));
}

/* Nothing is lost, nobody else gets in, and the next call tries again. */
static void failing(void)
{
	make();
	fake_grow();
	fake.fail[ZCBUF_NR_POOL_INFO] = EINTR;
	refused_once();
	fake.map_error = ENFILE;
	refused_once();
	fake.madvise_error = EAGAIN;
	refused_once();
	fake.mremap_error = ENOMEM;
	refused_once();
	fake.mremap_error = ENOMEM;
	fake.mremap_hole = true;
	refused_once();
	EXPECT(zcbuf_pool_addr(pool, FAKE_ARENA) == base + FAKE_ARENA);
	EXPECT(is_readable(base + FAKE_ARENA));
	EXPECT_EQ(fake.mapped, MAX);
	unmake();
}

/* What has an address of the pool has one in its new arenas. */
static void buffers(void)
{
	struct zcbuf_buf buf = { .length = 7 };
	struct zcbuf_buf first;

	make();
	fake_grow();
	ASSERT_EQ(zcbuf_buf_alloc(pool, FAKE_ARENA, &first), 0);
	fake.map_error = ENFILE;
	EXPECT_EQ(zcbuf_buf_alloc(pool, 4096, &buf), -ENOMEM);
	EXPECT_EQ(buf.length, 7);
	EXPECT(!fake.live[1]);
	ASSERT_EQ(zcbuf_buf_alloc(pool, 4096, &buf), 0);
	EXPECT(fake.live[2]);
	EXPECT(buf.data == base + buf.offset);
	EXPECT(buf.offset > FAKE_ARENA);
	memset(buf.data, 1, buf.capacity);
	unmake();
}

static void writers(void)
{
	struct zcbuf_channel *channel;
	struct zcbuf_writer writer;

	fake.max_size = MAX;
	channel = fake_channel(100);
	fake_grow();
	fake.reserve_shift = FAKE_ARENA;
	fake.map_error = ENFILE;
	EXPECT_EQ(zcbuf_writer_reserve(channel, 10, 0, 0, &writer), -ENOMEM);
	EXPECT(!writer.is_open);
	EXPECT_EQ(fake.resv[0].state, FAKE_FAILED);
	ASSERT_EQ(zcbuf_writer_reserve(channel, 10, 0, 0, &writer), 0);
	EXPECT_EQ(zcbuf_writer_submit(&writer, "0123456789", 10), 0);
	fake_channel_close(channel);
	EXPECT_EQ(fake.mapped, 0);
}

static void readers(void)
{
	struct zcbuf_delivery d = {
		.nextents = 1,
		.extents = { { FAKE_ARENA, 100 } },
	};
	struct zcbuf_piece piece = { 0, 100, 2 * FAKE_ARENA };
	struct iovec iov[ZCBUF_MAX_EXTENTS];

	make();
	fake_grow();
	fake.map_error = ENFILE;
	EXPECT_EQ(zcbuf_delivery_iovec(pool, &d, iov), -ENOMEM);
	fake.map_error = ENFILE;
	EXPECT_EQ(zcbuf_delivery_pad(pool, &d, 4096), -ENOMEM);
	EXPECT_EQ(zcbuf_delivery_pad(pool, &d, 4096), 4096);
	EXPECT_EQ(zcbuf_delivery_iovec(pool, &d, iov), 1);
	EXPECT(iov[0].iov_base == base + FAKE_ARENA);
	EXPECT_EQ(zcbuf_pieces_iovec(pool, &piece, 1, iov), -ERANGE);
	fake_grow();
	EXPECT_EQ(zcbuf_pieces_iovec(pool, &piece, 1, iov), 1);
	EXPECT(iov[0].iov_base == base + 2 * FAKE_ARENA);
	unmake();
}

/* ------------------------------------------------------------------ growing */

static void grow(void)
{
	make();
	EXPECT_EQ(zcbuf_pool_grow(pool), 1);
	EXPECT_EQ(zcbuf_pool_size(pool), 2 * FAKE_ARENA);
	EXPECT_EQ(fake.maps, 2);
	EXPECT_EQ(fake.calls[ZCBUF_NR_POOL_INFO], 1);
	base[2 * FAKE_ARENA - 1] = 1;

	/* Somebody else was faster: his arena is mapped with ours. */
	fake_grow();
	EXPECT_EQ(zcbuf_pool_grow(pool), 3);
	base[2 * FAKE_ARENA] = 1;
	base[MAX - 1] = 1;
	EXPECT_EQ(zcbuf_pool_grow(pool), -E2BIG);
	EXPECT_EQ(zcbuf_pool_size(pool), MAX);
	EXPECT_EQ(fake.mapped, MAX);
	unmake();
}

static void grow_refused(void)
{
	make();
	fake.fail[ZCBUF_NR_POOL_GROW] = EPERM;
	EXPECT_EQ(zcbuf_pool_grow(pool), -EPERM);
	fake.fail[ZCBUF_NR_POOL_GROW] = ENOMEM;
	EXPECT_EQ(zcbuf_pool_grow(pool), -ENOMEM);
	EXPECT_EQ(zcbuf_pool_size(pool), FAKE_ARENA);
	EXPECT_EQ(fake.maps, 1);

	/* The arena stands, and is mapped later. */
	fake.map_error = ENFILE;
	EXPECT_EQ(zcbuf_pool_grow(pool), 1);
	EXPECT_EQ(zcbuf_pool_size(pool), FAKE_ARENA);
	EXPECT(zcbuf_pool_addr(pool, FAKE_ARENA));
	EXPECT_EQ(zcbuf_pool_size(pool), 2 * FAKE_ARENA);
	unmake();
}

/* --------------------------------------------------------- fork and threads */

static int child(void)
{
	int bad = 0;

	bad += !is_free(base, MAX);
	bad += zcbuf_pool_size(pool) != 0;
	bad += !!zcbuf_pool_addr(pool, 0);
	bad += !!zcbuf_pool_addr(pool, FAKE_ARENA);
	bad += !!zcbuf_pool_addr(pool, 2 * FAKE_ARENA);
	bad += zcbuf_pool_grow(pool) != -EBADF;
	/* What is there now is not the pool's to unmap. */
	bad += mmap(base + FAKE_ARENA, 4096, PROT_READ,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) !=
	       base + FAKE_ARENA;
	bad += zcbuf_pool_close(pool) != 0;
	bad += !is_taken(base + FAKE_ARENA, 4096);
	return bad;
}

static void expect_child(void)
{
	int status;

	fflush(stdout);
	if (!fork())
		_exit(child());
	wait(&status);
	EXPECT_EQ(status, 0);
}

static void fork_child(void)
{
	make();
	expect_child();
	fake_grow();
	EXPECT(zcbuf_pool_addr(pool, FAKE_ARENA));
	expect_child();

	/* The hole of a failure was closed with what no child has either. */
	fake_grow();
	fake.mremap_error = ENOMEM;
	fake.mremap_hole = true;
	EXPECT(!zcbuf_pool_addr(pool, 2 * FAKE_ARENA));
	expect_child();
	EXPECT(is_taken(base, MAX));
	EXPECT_EQ(zcbuf_pool_grow(pool), 3);
	unmake();
}

static pthread_t forker;

static void *fork_now(void *arg)
{
	int status;

	(void)arg;
	if (!fork())
		_exit(!is_free(base, MAX) || is_taken(fake.map_at, 4096));
	wait(&status);
	EXPECT_EQ(status, 0);
	return NULL;
}

/* The memory has just come: a child made now would have it. */
static void fork_here(void)
{
	int i;

	fake.on_map = NULL;
	pthread_create(&forker, NULL, fork_now, NULL);
	for (i = 0; i < YIELDS; i++)
		sched_yield();
}

static void fork_half_way(void)
{
	make();
	fake_grow();
	fflush(stdout);
	fake.on_map = fork_here;
	EXPECT(zcbuf_pool_addr(pool, FAKE_ARENA));
	pthread_join(forker, NULL);
	unmake();
}

static void size_is_old(void)
{
	EXPECT_EQ(zcbuf_pool_size(pool), FAKE_ARENA);
}

/* Who sees the size may use the memory: it is there before. */
static void published_last(void)
{
	make();
	fake_grow();
	fake.on_map = size_is_old;
	EXPECT(zcbuf_pool_addr(pool, FAKE_ARENA));
	fake.on_map = NULL;
	EXPECT_EQ(zcbuf_pool_size(pool), 2 * FAKE_ARENA);
	unmake();
}

static atomic_uint asked;

/* Both have asked before either maps. */
static void both_ask(void)
{
	atomic_fetch_add(&asked, 1);
	while (atomic_load(&asked) < 2)
		sched_yield();
}

static void yield_a_lot(void)
{
	int i;

	for (i = 0; i < YIELDS; i++)
		sched_yield();
}

static void *use(void *arg)
{
	unsigned char *at = zcbuf_pool_addr(pool, FAKE_ARENA + *(int *)arg);

	EXPECT(at == base + FAKE_ARENA + *(int *)arg);
	if (at)
		*at = 1;
	return NULL;
}

static void two_threads(void)
{
	int n[2] = { 1, 2 };
	pthread_t thread[2];
	int i;

	make();
	fake_grow();
	fake.on_info = both_ask;
	fake.on_map = yield_a_lot;
	for (i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, use, &n[i]);
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	fake.on_info = NULL;
	EXPECT_EQ(fake.maps, 2);
	EXPECT_EQ(fake.mapped, MAX);
	EXPECT_EQ(base[FAKE_ARENA + 1] + base[FAKE_ARENA + 2], 2);
	EXPECT_EQ(zcbuf_pool_size(pool), 2 * FAKE_ARENA);
	unmake();
}

static const struct test_case cases[] = {
	CASE(options),
	CASE(reserved),
	CASE(whole_arenas),
	CASE(room_behind_holes),
	CASE(few_addresses),
	CASE(retired),
	CASE(several_at_attach),
	CASE(does_not_grow),
	CASE(undo),
	CASE(too_large),
	CASE(first_use),
	CASE(outside),
	CASE(read_only),
	CASE(no_rights),
	CASE(failing),
	CASE(buffers),
	CASE(writers),
	CASE(readers),
	CASE(grow),
	CASE(grow_refused),
	CASE(fork_child),
	CASE(fork_half_way),
	CASE(published_last),
	CASE(two_threads),
};

TEST_MAIN(cases)

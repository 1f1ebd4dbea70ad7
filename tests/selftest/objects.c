// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Objects of the library over pools of each kind: the kernel has all of them when a
 * process is killed, be it in the middle of getting or giving back many.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zcbuf/zcbuf.h>

#include "common.h"
#include "ktap.h"
#include "pair.h"
#include "thread.h"

#define NAME	"objects"
#define MANY	200

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

static __u64 used(const struct zcbuf_pool *pool)
{
	struct zcbuf_pool_info info = { .size = sizeof(info) };

	ASSERT_OK(zcbuf_pool_info(pool, &info));
	return info.out_used;
}

/* Room for all: 64 bytes, or the smallest a FIXED pool has. */
static size_t length_of(const void *kind)
{
	return *(const __u32 *)kind == ZCBUF_POOL_TIERS ? 64 : 4096;
}

static void get_and_put(struct zcbuf_pool *pool, size_t length, unsigned int n)
{
	struct zcbuf_obj *objs[MANY];
	unsigned int i;

	for (i = 0; i < n; i++)
		ASSERT_OK(zcbuf_obj_alloc(pool, length, &objs[i]));
	while (i--)
		EXPECT_OK(zcbuf_obj_free(objs[i]));
}

/* What the library takes for the class of a length is the kernel's. */
static void right_class(struct zcbuf_pool *pool, size_t length)
{
	struct zcbuf_stats before = { .sz = sizeof(before) };
	struct zcbuf_stats after = { .sz = sizeof(after) };
	struct zcbuf_obj *obj;
	struct zcbuf_buf buf;

	ASSERT_OK(zcbuf_buf_alloc(pool, length, &buf));
	ASSERT_OK(zcbuf_obj_alloc(pool, length, &obj));
	EXPECT_EQ(obj->buf.capacity, buf.capacity);
	EXPECT_OK(zcbuf_obj_free(obj));
	EXPECT_OK(zcbuf_buf_free(&buf));
	zcbuf_stats(&before);
	ASSERT_OK(zcbuf_obj_alloc(pool, length, &obj));
	EXPECT_OK(zcbuf_obj_free(obj));
	zcbuf_stats(&after);
	EXPECT_EQ(after.ioctls, before.ioctls);
}

EACH_KIND(classes)
{
	struct zcbuf_pool *pool = pool_of(arg);
	size_t length;

	for (length = 4096; length <= 65536; length *= 2) {
		right_class(pool, length);
		right_class(pool, length - 1);
		if (length < 65536)
			right_class(pool, length + 1);
	}
	if (*(const __u32 *)arg == ZCBUF_POOL_TIERS)
		for (length = 1; length <= 4096; length *= 2)
			right_class(pool, length);
	EXPECT_GE(used(pool), zcbuf_cache_bytes(pool));
	EXPECT_GT(zcbuf_cache_flush(pool), 0);
	EXPECT_EQ(used(pool), 0);
	EXPECT_OK(zcbuf_pool_close(pool));
}

static int hold[2];	/* a pipe */

static void *keeps(void *arg)
{
	char c;

	get_and_put(arg, 4096, 40);
	EXPECT_EQ(read(hold[0], &c, 1), 1);
	return NULL;
}

/* What another thread keeps, which sleeps, is not missing. */
TEST(all_of_it_is_to_be_had)
{
	struct zcbuf_pool *pool = pool_of(&kind_pages);
	struct thread t = { .run = keeps, .arg = pool };
	__u64 handle;

	ASSERT_EQ(pipe(hold), 0);
	thread_start(&t, SYS_read);
	get_and_put(pool, 4096, MANY);
	EXPECT_GE(used(pool), 41 * 4096);
	EXPECT_EQ(zcbuf_alloc(pool, ZT_ARENA, NULL, &handle, 1), 1);
	EXPECT_EQ(zcbuf_free(pool, &handle, 1), 1);
	EXPECT_EQ(used(pool), 0);
	ASSERT_EQ(write(hold[1], "", 1), 1);
	thread_join(&t);
	EXPECT_OK(zcbuf_pool_close(pool));
}

/* ------------------------------------------------------------------- deaths */

/* Rounds a child has done, for who is to kill it. */
static volatile unsigned int *rounds;

static void churn(const void *kind)
{
	struct zcbuf_pool *pool;
	unsigned int n = 0;

	ASSERT_OK(zcbuf_pool_attach(&pool, NAME, NULL));
	for (;;) {
		get_and_put(pool, length_of(kind), 1 + n * 7 % MANY);
		*rounds = ++n;
		if (n % 5 == 0)
			zcbuf_cache_flush(pool);
	}
}

static void bury(pid_t child)
{
	kill(child, SIGKILL);
	ASSERT_EQ(waitpid(child, NULL, 0), child);
}

static void map_rounds(void)
{
	rounds = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_EQ(rounds != MAP_FAILED, true);
}

#define DEATHS	8

EACH_KIND(killed_anywhere)
{
	struct zcbuf_pool *pool = pool_of(arg);
	unsigned int i;
	pid_t child;

	map_rounds();
	for (i = 0; i < DEATHS; i++) {
		*rounds = 0;
		child = fork();
		if (!child)
			churn(arg);
		while (*rounds < 1 + 3 * i)
			get_and_put(pool, length_of(arg), 20);
		bury(child);
	}
	zcbuf_cache_flush(pool);
	EXPECT_EQ(used(pool), 0);
	EXPECT_OK(zcbuf_pool_close(pool));
}

static __u64 free_calls(void)
{
	struct zcbuf_stats stats = { .sz = sizeof(stats) };

	ASSERT_OK(zcbuf_stats(&stats));
	return stats.calls[ZCBUF_NR_FREE];
}

/* The next free finds the magazine full, and the stock as well. */
static struct zcbuf_obj *last_straw(struct zcbuf_pool *pool)
{
	static struct zcbuf_obj *objs[MANY];
	const __u64 before = free_calls();
	__u64 full = 0;
	unsigned int i;

	for (i = 0; i < MANY; i++)
		ASSERT_OK(zcbuf_obj_alloc(pool, 4096, &objs[i]));
	for (; free_calls() == before; i--) {
		full = zcbuf_cache_bytes(pool);
		ASSERT_OK(zcbuf_obj_free(objs[i - 1]));
	}
	for (; zcbuf_cache_bytes(pool) < full; i--)
		ASSERT_OK(zcbuf_obj_free(objs[i - 1]));
	return objs[i - 1];
}

/* A refill; and a free that gives back many. */
static void refill_and_flush(void)
{
	struct zcbuf_pool *pool;
	struct zcbuf_obj *obj;

	ASSERT_OK(zcbuf_pool_attach(&pool, NAME, NULL));
	ASSERT_OK(zcbuf_obj_alloc(pool, 4096, &obj));
	ASSERT_EQ(ptrace(PTRACE_TRACEME, 0, NULL, NULL), 0);
	raise(SIGSTOP);
	zcbuf_obj_alloc(pool, 4096, &obj);
	raise(SIGUSR1);
	obj = last_straw(pool);
	raise(SIGSTOP);
	zcbuf_obj_free(obj);
	raise(SIGUSR1);
	_exit(0);
}

static int stop_of(pid_t child)
{
	int status;

	ASSERT_EQ(waitpid(child, &status, 0), child);
	return WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
}

/* @part: of what the child does; false: that takes no more than @n instructions. */
static bool dies_after(unsigned int part, unsigned int n)
{
	pid_t child = fork();
	int stop;

	if (!child)
		refill_and_flush();
	ASSERT_EQ(stop_of(child), SIGSTOP);
	while (part--) {
		ASSERT_EQ(ptrace(PTRACE_CONT, child, NULL, NULL), 0);
		ASSERT_EQ(stop_of(child), SIGUSR1);
		ASSERT_EQ(ptrace(PTRACE_CONT, child, NULL, NULL), 0);
		ASSERT_EQ(stop_of(child), SIGSTOP);
	}
	do {
		ASSERT_EQ(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL), 0);
		stop = stop_of(child);
	} while (stop == SIGTRAP && n--);
	bury(child);
	return stop == SIGTRAP;
}

static void dies_in(unsigned int part)
{
	struct zcbuf_pool *pool = pool_of(&kind_pages);
	unsigned int deaths = 0;
	unsigned int n = 1;

	while (dies_after(part, n)) {
		EXPECT_EQ(used(pool), 0);
		n += n / 3 + 1;
		deaths++;
	}
	EXPECT_EQ(used(pool), 0);
	EXPECT_GT(deaths, 10);
	TEST_LOG("%u deaths in %u instructions", deaths, n);
	EXPECT_OK(zcbuf_pool_close(pool));
}

TEST(dies_in_a_refill)
{
	dies_in(0);
}

TEST(dies_in_a_flush)
{
	dies_in(1);
}

/* ---------------------------------------------------------------- the rest */

static void has_nothing(struct zcbuf_pool *pool, struct zcbuf_obj *obj)
{
	EXPECT_ERR(zcbuf_obj_free(obj), EBADF);
	EXPECT_ERR(zcbuf_obj_alloc(pool, 4096, &obj), EBADF);
	EXPECT_OK(zcbuf_pool_close(pool));
}

TEST(forked)
{
	struct zcbuf_pool *pool = pool_of(&kind_pages);
	struct zcbuf_obj *obj;
	__u64 before;
	pid_t child;

	get_and_put(pool, 4096, 20);
	ASSERT_OK(zcbuf_obj_alloc(pool, 4096, &obj));
	before = used(pool);
	child = fork();
	if (!child) {
		has_nothing(pool, obj);
		_exit(0);
	}
	EXPECT_STATUS(child, 0);
	EXPECT_EQ(used(pool), before);
	EXPECT_OK(zcbuf_obj_free(obj));
	EXPECT_OK(zcbuf_pool_close(pool));
}

/* As a buffer it can be given away. */
TEST(becomes_a_buffer)
{
	struct zcbuf_pool *pool = pool_of(&kind_pages);
	struct zcbuf_pool *other;
	struct zcbuf_obj *obj;
	struct zcbuf_buf buf;
	__u64 handle;

	ASSERT_OK(zcbuf_pool_attach(&other, NAME, NULL));
	ASSERT_OK(zcbuf_obj_alloc(pool, 4096, &obj));
	EXPECT_ERR(zcbuf_buf_share(&obj->buf, zcbuf_pool_session(other)),
		   EINVAL);
	ASSERT_OK(zcbuf_obj_leave(obj, &buf));
	handle = buf.handle;
	ASSERT_OK(zcbuf_buf_give(&buf, zcbuf_pool_session(other)));
	EXPECT_OK(zcbuf_pool_close(pool));
	ASSERT_OK(zcbuf_buf_adopt(other, handle, 4096, &buf));
	EXPECT_OK(zcbuf_buf_free(&buf));
	EXPECT_EQ(used(other), 0);
	EXPECT_OK(zcbuf_pool_close(other));
}

/* An arena goes, although objects of it were kept. */
TEST(an_arena_is_retired)
{
	const struct zcbuf_pool_opts opts = {
		.sz = sizeof(opts), .arena_size = ZT_ARENA,
		.max_size = 2 * ZT_ARENA,
	};
	struct zcbuf_obj *obj;
	struct zcbuf_pool *pool;
	__u64 handle;

	ASSERT_OK(zcbuf_pool_create(&pool, &opts));
	ASSERT_EQ(zcbuf_alloc(pool, ZT_ARENA, NULL, &handle, 1), 1);
	ASSERT_EQ(zcbuf_pool_grow(pool), 1);
	ASSERT_OK(zcbuf_obj_alloc(pool, 4096, &obj));
	EXPECT_GE(obj->buf.offset, ZT_ARENA);
	get_and_put(pool, 4096, 20);
	EXPECT_EQ(zcbuf_pool_retire(pool, 1, 0, 0), ZCBUF_ARENA_RETIRING);
	EXPECT_OK(zcbuf_obj_free(obj));
	EXPECT_EQ(zcbuf_pool_retire(pool, 1, 0, ZCBUF_NO_DEADLINE),
		  ZCBUF_ARENA_GONE);
	EXPECT_EQ(zcbuf_free(pool, &handle, 1), 1);
	get_and_put(pool, 4096, 20);
	EXPECT_GT(zcbuf_cache_bytes(pool), 0);
	EXPECT_OK(zcbuf_pool_close(pool));
}

KTAP_MAIN()

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The control page of a pool: who may map it and how, what the kernel says there, and
 * that a process which keeps objects gives them back when another finds no memory.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zcbuf/zcbuf.h>

#include "common.h"
#include "ktap.h"
#include "pair.h"
#include "thread.h"

#define NAME	"control"
#define KEPT	20

static void *map(int fd, int prot, int flags, size_t size, off_t offset)
{
	return mmap(NULL, size, prot, flags, fd, offset);
}

static const volatile struct zcbuf_control *control(int fd)
{
	void *p = map(fd, PROT_READ, MAP_SHARED, ZT_PAGE, ZCBUF_MMAP_CONTROL);

	ASSERT_NE(p, MAP_FAILED);
	return p;
}

/* -errno; a success is undone. */
static int try_map(int fd, int prot, int flags, size_t size, off_t offset)
{
	void *p = map(fd, prot, flags, size, offset);

	if (p == MAP_FAILED)
		return -errno;
	return munmap(p, size) ? -errno : 0;
}

static int new_pool(void)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);

	ASSERT_GE(fd, 0);
	return fd;
}

/* ------------------------------------------------------------------ mapping */

static int reader(int pool, __u32 rights)
{
	int fd = zt_open(O_RDONLY);

	ASSERT_OK(zt_pool_attach_fd(fd, pool, rights));
	return fd;
}

/* Whoever is attached, and only for reading. */
TEST(rights)
{
	int fd = new_pool();
	int ro = reader(fd, 0);
	int consumer = reader(fd, ZCBUF_RIGHT_CONSUME);
	int fresh = zt_open(O_RDWR);

	EXPECT_OK(try_map(fd, PROT_READ, MAP_SHARED, ZT_PAGE,
			  ZCBUF_MMAP_CONTROL));
	EXPECT_OK(try_map(ro, PROT_READ, MAP_SHARED, ZT_PAGE,
			  ZCBUF_MMAP_CONTROL));
	EXPECT_OK(try_map(consumer, PROT_READ, MAP_SHARED, ZT_PAGE,
			  ZCBUF_MMAP_CONTROL));
	EXPECT_ERR(try_map(fresh, PROT_READ, MAP_SHARED, ZT_PAGE,
			   ZCBUF_MMAP_CONTROL), EINVAL);
	EXPECT_ERR(try_map(fd, PROT_READ | PROT_WRITE, MAP_SHARED, ZT_PAGE,
			   ZCBUF_MMAP_CONTROL), EPERM);
	EXPECT_ERR(try_map(ro, PROT_READ | PROT_WRITE, MAP_SHARED, ZT_PAGE,
			   ZCBUF_MMAP_CONTROL), EACCES);
	EXPECT_ERR(try_map(fd, PROT_READ | PROT_EXEC, MAP_SHARED, ZT_PAGE,
			   ZCBUF_MMAP_CONTROL), EPERM);
	EXPECT_ERR(try_map(fd, PROT_READ, MAP_PRIVATE, ZT_PAGE,
			   ZCBUF_MMAP_CONTROL), EINVAL);
	EXPECT_ERR(try_map(ro, PROT_READ, MAP_PRIVATE, ZT_PAGE,
			   ZCBUF_MMAP_CONTROL), EINVAL);
}

TEST(just_a_page)
{
	int fd = new_pool();

	EXPECT_ERR(try_map(fd, PROT_READ, MAP_SHARED, 2 * ZT_PAGE,
			   ZCBUF_MMAP_CONTROL), EINVAL);
	EXPECT_ERR(try_map(fd, PROT_READ, MAP_SHARED, ZT_PAGE,
			   ZCBUF_MMAP_CONTROL + ZT_PAGE), EINVAL);
	EXPECT_ERR(try_map(fd, PROT_READ, MAP_SHARED, ZT_PAGE,
			   ZCBUF_MMAP_CONTROL - ZT_PAGE), EINVAL);
	EXPECT_ERR(try_map(fd, PROT_READ, MAP_SHARED, 2 * ZT_PAGE,
			   ZCBUF_MMAP_CONTROL - ZT_PAGE), EINVAL);
}

/* It stays what it was mapped as. */
TEST(for_reading_it_stays)
{
	void *page = (void *)control(new_pool());

	EXPECT_EQ(mprotect(page, ZT_PAGE, PROT_READ | PROT_WRITE), -1);
	EXPECT_EQ(errno, EACCES);
	EXPECT_EQ(mprotect(page, ZT_PAGE, PROT_READ | PROT_EXEC), -1);
	EXPECT_EQ(errno, EACCES);
	EXPECT_EQ(mremap(page, ZT_PAGE, 2 * ZT_PAGE, MREMAP_MAYMOVE) ==
		  MAP_FAILED, true);
	EXPECT_EQ(errno, EFAULT);
}

static int peek(const volatile void *p)
{
	int pipes[2], err;

	ASSERT_OK(pipe(pipes));
	err = write(pipes[1], (const void *)p, 1) == 1 ? 0 : -errno;
	close(pipes[0]);
	close(pipes[1]);
	return err;
}

TEST(no_child_has_it)
{
	const volatile struct zcbuf_control *page = control(new_pool());
	pid_t child;

	EXPECT_OK(peek(page));
	child = fork();
	if (!child)
		_exit(peek(page) != -EFAULT);
	EXPECT_STATUS(child, 0);
}

/* ------------------------------------------------------------------ pressure */

/* One word for all of a pool, and another one for another pool. */
TEST(all_are_told)
{
	int fd = new_pool(), other = zt_join(fd, 0), third = new_pool();
	const volatile struct zcbuf_control *page = control(fd);
	const volatile struct zcbuf_control *seen = control(other);
	const volatile struct zcbuf_control *not_ours = control(third);
	struct zcbuf_reservation r = { 0 };
	__u64 channel, handle, before;

	ASSERT_OK(zt_stream(fd, 4096, 0, &channel));
	ASSERT_OK(zt_alloc1(fd, ZT_ARENA, &handle));
	EXPECT_EQ(page->pressure, 0);
	EXPECT_ERR(zt_alloc1(other, ZT_PAGE, &handle), ENOMEM);
	EXPECT_NE(page->pressure, 0);
	before = page->pressure;
	EXPECT_ERR(zt_reserve1(fd, channel, 100, &r), EAGAIN);
	EXPECT_NE(page->pressure, before);
	EXPECT_EQ(seen->pressure, page->pressure);
	EXPECT_EQ(not_ours->pressure, 0);
}

/* The mapping keeps the page, and no session and no pool. */
TEST(it_outlives_the_pool)
{
	const volatile struct zcbuf_control *page;
	__u64 before = zt_await_charged(0);
	int fd = new_pool();
	__u64 handle;

	page = control(fd);
	ASSERT_OK(zt_alloc1(fd, ZT_ARENA, &handle));
	EXPECT_ERR(zt_alloc1(fd, ZT_ARENA, &handle), ENOMEM);
	close(fd);
	EXPECT_EQ(zt_await_charged(before + ZT_PAGE), before + ZT_PAGE);
	EXPECT_EQ(page->pressure, 1);
	munmap((void *)page, ZT_PAGE);
	EXPECT_EQ(zt_await_charged(before), before);
}

/* --------------------------------------------------------------- the library */

static void get_and_put(struct zcbuf_pool *pool, unsigned int n)
{
	struct zcbuf_obj *objs[KEPT];
	unsigned int i;

	for (i = 0; i < n; i++)
		ASSERT_OK(zcbuf_obj_alloc(pool, ZT_PAGE, &objs[i]));
	while (i--)
		EXPECT_OK(zcbuf_obj_free(objs[i]));
}

/* It finds none of that size: the long way. */
static void a_slow_call(struct zcbuf_pool *pool)
{
	struct zcbuf_obj *obj;

	EXPECT_OK(zcbuf_obj_alloc(pool, 2 * ZT_PAGE, &obj));
}

static void looks(struct zcbuf_pool *pool)
{
	EXPECT_GE(zcbuf_cache_look(pool), KEPT);
	EXPECT_EQ(zcbuf_cache_look(pool), 0);
}

/* Keeps objects, uses them until it is told to, and then makes another call. */
static void keeper(struct zt_turns *t, void (*notices)(struct zcbuf_pool *pool))
{
	struct zcbuf_pool *pool;

	zt_turns_child(t);
	ASSERT_OK(zcbuf_pool_attach(&pool, NAME, NULL));
	get_and_put(pool, KEPT);
	zt_tell_parent(t);
	ASSERT_OK(zt_await_parent(t));
	get_and_put(pool, KEPT);
	EXPECT_GE(zcbuf_cache_bytes(pool), KEPT * ZT_PAGE);
	zt_tell_parent(t);
	ASSERT_OK(zt_await_parent(t));
	notices(pool);
	/* Its end would do as well. */
	ASSERT_OK(zt_await_parent(t));
	_exit(0);
}

static void *waits(void *arg)
{
	__u64 handle;
	struct zcbuf_alloc a = zt_arg(struct zcbuf_alloc,
		.length = ZT_PAGE, .count = 1, .handles = zt_ptr(&handle),
		.deadline_ns = ZCBUF_NO_DEADLINE);

	EXPECT_OK(zt_call(*(int *)arg, ZCBUF_IOC_ALLOC, &a));
	return NULL;
}

static void others_get_it(void (*notices)(struct zcbuf_pool *pool))
{
	const struct zcbuf_pool_opts opts = {
		.sz = sizeof(opts), .name = NAME, .arena_size = ZT_ARENA,
	};
	struct zcbuf_pool *pool;
	struct zt_turns t;
	__u64 handle;
	pid_t child;
	int fd;
	struct thread waiter = { .run = waits, .arg = &fd };

	ASSERT_OK(zcbuf_pool_create(&pool, &opts));
	fd = zcbuf_pool_fd(pool);
	ASSERT_OK(zt_turns_init(&t));
	child = fork();
	if (!child)
		keeper(&t, notices);
	zt_turns_parent(&t);
	ASSERT_OK(zt_await_child(&t));
	while (!zt_alloc1(fd, ZT_PAGE, &handle))
		;
	thread_start(&waiter, SYS_ioctl);
	zt_tell_child(&t);
	ASSERT_OK(zt_await_child(&t));
	/* What finds all in the magazine does not look. */
	EXPECT_EQ(zt_sleeps(waiter.tid, SYS_ioctl), true);
	zt_tell_child(&t);
	thread_join(&waiter);
	zt_tell_child(&t);
	EXPECT_STATUS(child, 0);
	EXPECT_OK(zcbuf_pool_close(pool));
}

TEST(who_comes_the_long_way_gives_back)
{
	others_get_it(a_slow_call);
}

TEST(who_looks_gives_back)
{
	others_get_it(looks);
}

KTAP_MAIN()

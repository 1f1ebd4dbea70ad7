// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What pools give back when the kernel asks for memory, as it does for whoever
 * writes to drop_caches, and what they keep.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <zcbuf/zcbuf.h>

#include "common.h"
#include "info.h"
#include "ktap.h"
#include "ring.h"

#define AUTO	ZCBUF_POOL_F_AUTO_GROW
#define ROUNDS	40	/* of arenas that come and go */

static int growing(__u32 kind, unsigned int arenas)
{
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.kind = kind, .flags = AUTO, .arena_size = ZT_ARENA,
		.max_size = arenas * ZT_ARENA);
	int fd = zt_pool_as(&a);

	ASSERT_GE(fd, 0);
	return fd;
}

/* Is it in use, or ready to be? */
static bool is_live(int fd, unsigned int arena)
{
	struct zcbuf_pool_info info = zt_info(fd);

	return info.out_present & ~info.out_retiring & 1ULL << arena;
}

static void shrink(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(write(fd, "2", 1), 1);
	close(fd);
}

/* It was retired, or this would do that; it is gone when nobody holds a page. */
static void await_gone(int fd, __u32 arena)
{
	struct zcbuf_pool_retire a = zt_arg(struct zcbuf_pool_retire,
		.arena = arena, .deadline_ns = zcbuf_deadline_ms(20000));

	ASSERT_FALSE(is_live(fd, arena));
	ASSERT_OK(zt_call(fd, ZCBUF_IOC_POOL_RETIRE, &a));
	ASSERT_EQ(a.out_state, ZCBUF_ARENA_GONE);
}

static void fill(int fd, __u64 *handle, unsigned int arenas)
{
	unsigned int i;

	for (i = 0; i < arenas; i++) {
		ASSERT_OK(zt_alloc1(fd, ZT_ARENA, &handle[i]));
		ASSERT_EQ(zcbuf_buf_offset(handle[i]), i * ZT_ARENA);
	}
}

TEST(empty_arenas_go)
{
	int fd = growing(ZCBUF_POOL_PAGES, 3);
	__u64 before, handle[3];
	char *map;

	fill(fd, handle, 3);
	before = zt_charged();
	map = zt_map(fd, PROT_READ | PROT_WRITE, 3 * ZT_ARENA);
	ASSERT_NE(map, NULL);
	memset(map, 0x5a, 3 * ZT_ARENA);
	ASSERT_OK(zt_free1(fd, handle[0]));
	ASSERT_OK(zt_free1(fd, handle[1]));
	shrink();
	await_gone(fd, 1);
	EXPECT_TRUE(is_live(fd, 0));
	EXPECT_TRUE(is_live(fd, 2));
	EXPECT_EQ(zt_info(fd).out_size, 2 * ZT_ARENA);
	EXPECT_EQ(zt_charged(), before - ZT_ARENA);
	EXPECT_FILLED(map + 2 * ZT_ARENA, 0x5a, ZT_ARENA);
	EXPECT_ERR(zt_free1(fd, handle[1]), ENOENT);
	ASSERT_OK(zt_free1(fd, handle[2]));
	EXPECT_EQ(zt_used(fd), 0);
}

/* There is room for another one, and it is asked for. */
TEST(and_come_again)
{
	int fd = growing(ZCBUF_POOL_TIERS, 2);
	__u64 first, object, block;

	ASSERT_OK(zt_alloc1(fd, ZT_ARENA, &first));
	ASSERT_OK(zt_alloc1(fd, 1024, &object));
	EXPECT_EQ(zcbuf_buf_offset(object), ZT_ARENA);
	shrink();
	EXPECT_TRUE(is_live(fd, 1));
	ASSERT_OK(zt_free1(fd, object));
	shrink();
	await_gone(fd, 1);
	ASSERT_OK(zt_alloc1(fd, ZT_ARENA, &block));
	EXPECT_EQ(zcbuf_buf_offset(block), 2 * ZT_ARENA);
	EXPECT_ERR(zt_alloc1(fd, 1024, &object), ENOMEM);
	EXPECT_EQ(zt_info(fd).out_size, 2 * ZT_ARENA);
	EXPECT_EQ(zt_info(fd).out_bad_frees, 0);
}

TEST(what_was_asked_for_stays)
{
	int fd = growing(ZCBUF_POOL_PAGES, 3);
	__u64 handle[2];

	ASSERT_OK(zt_pool_grow(fd, NULL));
	fill(fd, handle, 2);
	ASSERT_OK(zt_free1(fd, handle[1]));
	ASSERT_OK(zt_free1(fd, handle[0]));
	shrink();
	EXPECT_TRUE(is_live(fd, 1));
	EXPECT_EQ(zt_info(fd).out_size, 2 * ZT_ARENA);
}

/* A ring has it registered: pages of it are held. */
TEST(what_is_registered_stays)
{
	int fd = growing(ZCBUF_POOL_PAGES, 2);
	struct io_uring ring;
	struct iovec iov;
	__u64 handle[2];
	char *map;

	ASSERT_OK(io_uring_queue_init(4, &ring, 0));
	fill(fd, handle, 2);
	map = zt_map(fd, PROT_READ | PROT_WRITE, 2 * ZT_ARENA);
	ASSERT_NE(map, NULL);
	iov = (struct iovec){ map + ZT_ARENA, ZT_ARENA };
	ASSERT_OK(io_uring_register_buffers(&ring, &iov, 1));
	ASSERT_OK(zt_free1(fd, handle[1]));
	shrink();
	EXPECT_TRUE(is_live(fd, 1));
	ASSERT_OK(io_uring_unregister_buffers(&ring));
	io_uring_queue_exit(&ring);
	shrink();
	await_gone(fd, 1);
}

struct shrinker {
	bool stop;
	unsigned int looks;
};

static void *keep_shrinking(void *arg)
{
	struct shrinker *s = arg;

	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
		shrink();
		__atomic_add_fetch(&s->looks, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* One that has begun before this, or after it. */
static void await_look(const struct shrinker *s)
{
	unsigned int looks = __atomic_load_n(&s->looks, __ATOMIC_RELAXED);

	while (__atomic_load_n(&s->looks, __ATOMIC_RELAXED) == looks)
		sched_yield();
}

/* Who asks for what is just being given back gets other memory, not ENOMEM. */
TEST(nobody_misses_them)
{
	int fd = growing(ZCBUF_POOL_PAGES, 2);
	struct shrinker s = { 0 };
	__u64 first, block;
	pthread_t thread;
	unsigned int i;

	ASSERT_OK(zt_alloc1(fd, ZT_ARENA, &first));
	ASSERT_EQ(pthread_create(&thread, NULL, keep_shrinking, &s), 0);
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_OK(zt_alloc1(fd, ZT_ARENA, &block));
		ASSERT_OK(zt_free1(fd, block));
		await_look(&s);
	}
	__atomic_store_n(&s.stop, true, __ATOMIC_RELAXED);
	ASSERT_EQ(pthread_join(thread, NULL), 0);
	EXPECT_GT(zt_info(fd).out_end, 2 * ZT_ARENA);
	ASSERT_OK(zt_free1(fd, first));
	EXPECT_EQ(zt_used(fd), 0);
}

KTAP_MAIN()

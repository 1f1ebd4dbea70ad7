// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Where buffers are: BUF_INFO on pools of each kind.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <zcbuf/zcbuf.h>

#include "common.h"
#include "ktap.h"
#include "nodes.h"

#define HUGE_ORDER	9
#define MAX_TURNS	1024

/* A buffer of @length lies where its handle says and has @capacity. */
static struct zcbuf_buf_place place_of(int fd, __u64 length, __u64 capacity)
{
	struct zcbuf_buf_place p;
	__u64 h;

	memset(&p, 0xff, sizeof(p));
	ASSERT_OK(zt_alloc1(fd, length, &h));
	ASSERT_EQ(zt_buf_info(fd, &h, &p, 1), 1);
	EXPECT_EQ(p.offset, zcbuf_buf_offset(h));
	EXPECT_EQ(p.capacity, capacity);
	EXPECT_EQ(p.arena, 0);
	EXPECT_EQ(p.holders, 1);
	return p;
}

TEST(each_kind_of_buffer)
{
	int pages = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	int tiers = zt_pool(ZCBUF_POOL_TIERS, 0, ZT_ARENA);
	int fixed = zt_pool(ZCBUF_POOL_FIXED, 0, 0);

	place_of(pages, 5000, 8192);
	place_of(tiers, 65, 256);
	place_of(tiers, 300000, 524288);
	place_of(fixed, 8193, 16384);
}

TEST(order_of_the_pages)
{
	int small = zt_pool(ZCBUF_POOL_PAGES, ZCBUF_POOL_F_SMALL_PAGES,
			    ZT_ARENA);
	int huge = zt_pool(ZCBUF_POOL_PAGES, ZCBUF_POOL_F_HUGE_STRICT,
			   ZT_ARENA);

	ASSERT_GE(huge, 0);
	EXPECT_EQ(place_of(small, 1, 4096).page_order, 0);
	EXPECT_EQ(place_of(huge, 1, 4096).page_order, HUGE_ORDER);
}

/* Of the second node, where there is one: numa=fake=2. */
TEST(node_of_the_pages)
{
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.arena_size = ZT_ARENA, .flags = ZCBUF_POOL_F_NODE, .node = 1);
	int fd = zt_pool_as(&a);

	if (fd < 0) {
		ASSERT_EQ(fd, -EINVAL);
		a.node = 0;
		fd = zt_pool_as(&a);
	}
	ASSERT_GE(fd, 0);
	EXPECT_EQ(place_of(fd, 1, 4096).node, a.node);
}

/*
 * Every buffer of @length there is, which are the pages of a pool, from number @from
 * on is of the node whose turn it is: BUF_INFO says so, and the core of its mapping.
 */
static void expect_turns(int fd, __u64 length, int from, int count)
{
	const char *map = zt_map(fd, PROT_READ, (from + count) * length);
	static struct zcbuf_buf_place p[MAX_TURNS];
	static void *addr[MAX_TURNS];
	static int node[MAX_TURNS];
	static __u64 h[MAX_TURNS];
	__u32 nodes[NODES_MAX];
	int i, turn, n = nodes_allowed(nodes);

	ASSERT_EQ(zt_alloc(fd, length, 0, 0, h, count), count);
	ASSERT_EQ(zt_buf_info(fd, h, p, count), count);
	for (i = 0; i < count; i++) {
		addr[i] = (void *)(map + p[i].offset);
		(void)*(volatile char *)addr[i];
	}
	ASSERT_OK(syscall(SYS_move_pages, 0, (long)count, addr, NULL, node, 0));
	for (i = 0; i < count; i++) {
		turn = p[i].offset / length;
		ASSERT_TRUE(turn >= from && turn < from + count);
		ASSERT_EQ(p[i].node, nodes[turn % n]);
		ASSERT_EQ(node[i], nodes[turn % n]);
	}
}

static int interleaved_pool(__u32 flags, __u64 arena_size)
{
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.flags = flags | ZCBUF_POOL_F_INTERLEAVE,
		.arena_size = arena_size, .max_size = 2 * arena_size);

	return zt_pool_as(&a);
}

/* One page is as another on a machine of one node; of two: numa=fake=2. */
TEST(pages_by_turns)
{
	struct zcbuf_pool_grow g = zt_arg(struct zcbuf_pool_grow);
	int fd = interleaved_pool(ZCBUF_POOL_F_SMALL_PAGES, ZT_ARENA);

	ASSERT_GE(fd, 0);
	expect_turns(fd, ZT_PAGE, 0, ZT_ARENA / ZT_PAGE);
	ASSERT_OK(zt_call(fd, ZCBUF_IOC_POOL_GROW, &g));
	expect_turns(fd, ZT_PAGE, ZT_ARENA / ZT_PAGE, ZT_ARENA / ZT_PAGE);
}

/* An odd number in each arena: it is the other node's turn then. */
TEST(huge_pages_by_turns)
{
	struct zcbuf_pool_grow g = zt_arg(struct zcbuf_pool_grow);
	int fd = interleaved_pool(ZCBUF_POOL_F_HUGE_STRICT, 3 * ZT_ARENA);

	ASSERT_GE(fd, 0);
	expect_turns(fd, ZT_ARENA, 0, 3);
	ASSERT_OK(zt_call(fd, ZCBUF_IOC_POOL_GROW, &g));
	expect_turns(fd, ZT_ARENA, 3, 3);
}

static void refusals(__u32 kind, __u64 arena_size, __u64 length)
{
	int fd = zt_pool(kind, 0, arena_size), other = zt_join(fd, 0);
	struct zcbuf_buf_place p;
	__u64 h, gone, bad;

	ASSERT_GE(other, 0);
	ASSERT_OK(zt_alloc1(fd, length, &h));
	ASSERT_OK(zt_alloc1(fd, length, &gone));
	ASSERT_OK(zt_free1(fd, gone));
	bad = zt_bad_frees(fd);
	EXPECT_ERR(zt_buf_info(other, &h, &p, 1), EPERM);
	EXPECT_ERR(zt_buf_info(fd, &gone, &p, 1), EBADSLT);
	gone = h ^ 1ULL << 57;
	EXPECT_ERR(zt_buf_info(fd, &gone, &p, 1), ENOENT);
	EXPECT_EQ(zt_bad_frees(fd), bad);
	EXPECT_OK(zt_free1(fd, h));
}

TEST(what_is_refused)
{
	refusals(ZCBUF_POOL_PAGES, ZT_ARENA, 4096);
	refusals(ZCBUF_POOL_TIERS, ZT_ARENA, 64);
	refusals(ZCBUF_POOL_FIXED, 0, 4096);
}

/* It stops at the first that is none, and says why. */
TEST(a_batch)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	struct zcbuf_buf_place p[4];
	struct zcbuf_buf_info a = zt_arg(struct zcbuf_buf_info,
		.entries = zt_ptr(p), .count = 4, .entry_size = sizeof(*p));
	__u64 h[4];

	ASSERT_EQ(zt_alloc(fd, 4096, 0, 0, h, 4), 4);
	ASSERT_OK(zt_free1(fd, h[2]));
	memset(p, 0x5a, sizeof(p));
	a.handles = zt_ptr(h);
	EXPECT_OK(zt_call(fd, ZCBUF_IOC_BUF_INFO, &a));
	EXPECT_EQ(a.out_done, 2);
	EXPECT_EQ(a.out_error, EBADSLT);
	EXPECT_EQ(p[1].offset, zcbuf_buf_offset(h[1]));
	EXPECT_FILLED(&p[2], 0x5a, 2 * sizeof(*p));
}

TEST(entry_sizes)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	unsigned char room[2 * 64 + 1];
	struct zcbuf_buf_info a = zt_arg(struct zcbuf_buf_info,
		.entries = zt_ptr(room), .count = 2);
	const size_t known = sizeof(struct zcbuf_buf_place);
	__u64 h[2];

	ASSERT_EQ(zt_alloc(fd, 4096, 0, 0, h, 2), 2);
	memset(room, 0x5a, sizeof(room));
	a.handles = zt_ptr(h);
	a.entry_size = known - 1;
	EXPECT_ERR(zt_call(fd, ZCBUF_IOC_BUF_INFO, &a), EINVAL);
	a.entry_size = 4097;
	EXPECT_ERR(zt_call(fd, ZCBUF_IOC_BUF_INFO, &a), EINVAL);
	EXPECT_FILLED(room, 0x5a, sizeof(room));
	a.entry_size = 64;
	EXPECT_OK(zt_call(fd, ZCBUF_IOC_BUF_INFO, &a));
	EXPECT_FILLED(room + known, 0, 64 - known);
	EXPECT_FILLED(room + 64 + known, 0, 64 - known);
	EXPECT_EQ(room[2 * 64], 0x5a);
}

TEST(library)
{
	struct zcbuf_pool_opts o = { .sz = sizeof(o), .arena_size = ZT_ARENA };
	struct zcbuf_buf_place p;
	struct zcbuf_pool *pool;
	struct zcbuf_buf buf;

	ASSERT_OK(zcbuf_pool_create(&pool, &o));
	ASSERT_OK(zcbuf_buf_alloc(pool, 5000, &buf));
	EXPECT_EQ(zcbuf_buf_info(pool, &buf.handle, &p, 1), 1);
	EXPECT_EQ(p.offset, buf.offset);
	EXPECT_EQ(p.capacity, buf.capacity);
	EXPECT_OK(zcbuf_buf_free(&buf));
	EXPECT_OK(zcbuf_pool_close(pool));
}

KTAP_MAIN()

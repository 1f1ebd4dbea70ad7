// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Pools that grow, and their arenas, as the netlink family tells of them.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "dump.h"

#define ARENAS	64	/* of one pool, at most */

/* struct arena - what a message says */
struct arena {
	__u64 pool;
	__u32 index;
	__u64 offset;
	__u64 size;
	__u64 used;
	__u64 largest_free;
	__u32 page_order;
	__u32 node;
};

static struct arena arena_of(const struct nlmsghdr *n)
{
	return (struct arena){
		.pool = nl_number(n, ZCBUF_A_ARENA_POOL),
		.index = nl_number(n, ZCBUF_A_ARENA_INDEX),
		.offset = nl_number(n, ZCBUF_A_ARENA_OFFSET),
		.size = nl_number(n, ZCBUF_A_ARENA_SIZE),
		.used = nl_number(n, ZCBUF_A_ARENA_USED),
		.largest_free = nl_number(n, ZCBUF_A_ARENA_LARGEST_FREE),
		.page_order = nl_number(n, ZCBUF_A_ARENA_PAGE_ORDER),
		.node = nl_number(n, ZCBUF_A_ARENA_NODE),
	};
}

/*
 * Those of a pool, read in pieces of @piece; how many. They are where they
 * should be, in order.
 */
static unsigned int arenas_of(__u64 pool, size_t piece, struct arena *a)
{
	const struct nlmsghdr *n;
	unsigned int seen = 0;
	struct dump d;

	dump_begin(&d, ZCBUF_CMD_ARENA_GET);
	while ((n = dump_next(&d, piece))) {
		if (nl_number(n, ZCBUF_A_ARENA_POOL) != pool)
			continue;
		ASSERT_LT(seen, ARENAS);
		a[seen] = arena_of(n);
		EXPECT_EQ(a[seen].index, seen);
		EXPECT_EQ(a[seen].offset, seen * a[0].size);
		EXPECT_EQ(a[seen].size, a[0].size);
		seen++;
	}
	close(d.sk);
	return seen;
}

/* A pool of one arena that may have @narenas. */
static int growing_pool(unsigned int narenas)
{
	int fd = zt_pool_growing(0, narenas);

	ASSERT_GE(fd, 0);
	return fd;
}

static void grow(int fd, unsigned int times)
{
	while (times--)
		ASSERT_OK(zt_pool_grow(fd, NULL));
}

/* --------------------------------------------------------- what messages say */

/* The pool's message, of a dump that is then over. */
static const struct nlmsghdr *find_pool(struct dump *d, int fd)
{
	const struct nlmsghdr *n;

	dump_begin(d, ZCBUF_CMD_POOL_GET);
	while ((n = dump_next(d, sizeof(d->buf))))
		if (nl_number(n, ZCBUF_A_POOL_HANDLE) == pool_of(fd))
			break;
	ASSERT_TRUE(n);
	return n;
}

TEST(pool_that_has_grown)
{
	int fd = growing_pool(4);
	const struct nlmsghdr *n;
	struct dump d;
	__u64 h[2];

	grow(fd, 2);
	ASSERT_EQ(zt_alloc(fd, ZT_ARENA, 0, 0, h, 2), 2);
	ASSERT_OK(zt_free1(fd, h[1]));
	n = find_pool(&d, fd);
	EXPECT_EQ(nl_number(n, ZCBUF_A_POOL_SIZE), 3 * ZT_ARENA);
	EXPECT_EQ(nl_number(n, ZCBUF_A_POOL_MAX_SIZE), 4 * ZT_ARENA);
	EXPECT_EQ(nl_number(n, ZCBUF_A_POOL_ARENAS), 3);
	EXPECT_EQ(nl_number(n, ZCBUF_A_POOL_USED), ZT_ARENA);
	EXPECT_EQ(nl_number(n, ZCBUF_A_POOL_MAX_USED), 2 * ZT_ARENA);
	dump_end(&d);
}

TEST(arena_has_all_attributes)
{
	static const int wide[] = {
		ZCBUF_A_ARENA_POOL, ZCBUF_A_ARENA_OFFSET, ZCBUF_A_ARENA_SIZE,
		ZCBUF_A_ARENA_USED, ZCBUF_A_ARENA_LARGEST_FREE,
	};
	static const int narrow[] = {
		ZCBUF_A_ARENA_INDEX, ZCBUF_A_ARENA_PAGE_ORDER,
		ZCBUF_A_ARENA_NODE,
	};
	int fd = growing_pool(2);
	const struct nlmsghdr *n;
	struct dump d;
	size_t i;

	dump_begin(&d, ZCBUF_CMD_ARENA_GET);
	while ((n = dump_next(&d, sizeof(d.buf))))
		if (nl_number(n, ZCBUF_A_ARENA_POOL) == pool_of(fd))
			break;
	ASSERT_TRUE(n);
	for (i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
		is_number(n, wide[i], 8);
	for (i = 0; i < sizeof(narrow) / sizeof(narrow[0]); i++)
		is_number(n, narrow[i], 4);
	dump_end(&d);
}

/* The arenas add up to the pool. */
static void adds_up(int fd, const struct arena *a, unsigned int n)
{
	__u64 size = 0, used = 0, largest = 0;
	struct zcbuf_pool_info info;
	unsigned int i;

	ASSERT_OK(zt_pool_info(fd, &info));
	for (i = 0; i < n; i++) {
		size += a[i].size;
		used += a[i].used;
		if (a[i].largest_free > largest)
			largest = a[i].largest_free;
	}
	EXPECT_EQ(n, info.out_arenas);
	EXPECT_EQ(size, info.out_size);
	EXPECT_EQ(used, info.out_used);
	EXPECT_EQ(largest, info.out_largest_free);
	EXPECT_EQ(a[0].page_order, info.out_page_order);
}

/* Of a buffer: where it is, says who knows its handle. */
static void place_of(int fd, __u64 handle, struct zcbuf_buf_place *p)
{
	ASSERT_EQ(zt_buf_info(fd, &handle, p, 1), 1);
}

TEST(arenas_of_a_pool)
{
	struct zcbuf_buf_place p;
	int fd = growing_pool(3);
	struct arena a[ARENAS];
	__u64 h[4];

	EXPECT_EQ(arenas_of(pool_of(fd), PIECE, a), 1);
	adds_up(fd, a, 1);
	EXPECT_EQ(a[0].largest_free, ZT_ARENA);
	grow(fd, 2);
	ASSERT_OK(zt_alloc1(fd, ZT_ARENA, &h[0]));
	ASSERT_EQ(zt_alloc(fd, ZT_ARENA / 4, 0, 0, h + 1, 3), 3);
	ASSERT_EQ(arenas_of(pool_of(fd), PIECE, a), 3);
	adds_up(fd, a, 3);
	EXPECT_EQ(a[0].used, ZT_ARENA);
	EXPECT_EQ(a[0].largest_free, 0);
	EXPECT_EQ(a[1].used, ZT_ARENA / 4 * 3);
	EXPECT_EQ(a[1].largest_free, ZT_ARENA / 4);
	EXPECT_EQ(a[2].used, 0);
	EXPECT_EQ(a[2].largest_free, ZT_ARENA);
	place_of(fd, h[1], &p);
	EXPECT_EQ(p.arena, 1);
	EXPECT_EQ(p.page_order, a[1].page_order);
	EXPECT_EQ(p.node, a[1].node);
	ASSERT_EQ(zt_free(fd, h, 4), 4);
	ASSERT_EQ(arenas_of(pool_of(fd), PIECE, a), 3);
	adds_up(fd, a, 3);
}

/* What is to be had is objects, and pages behind the last are not. */
TEST(arena_of_a_fixed_pool)
{
	static const struct zcbuf_class table[] = { { 4096, 10 }, { 8192, 2 } };
	struct zcbuf_pool_create c = zt_arg(struct zcbuf_pool_create,
		.kind = ZCBUF_POOL_FIXED, .nclasses = 2,
		.classes = zt_ptr(table));
	int fd = zt_pool_as(&c);
	struct arena a[ARENAS];
	__u64 h[3];

	ASSERT_GE(fd, 0);
	ASSERT_EQ(arenas_of(c.out_pool, PIECE, a), 1);
	adds_up(fd, a, 1);
	EXPECT_EQ(a[0].used, 0);
	EXPECT_EQ(a[0].largest_free, 8192);
	ASSERT_OK(zt_alloc1(fd, 4096, &h[0]));
	ASSERT_EQ(zt_alloc(fd, 8192, 0, 0, h + 1, 2), 2);
	ASSERT_EQ(arenas_of(c.out_pool, PIECE, a), 1);
	adds_up(fd, a, 1);
	EXPECT_EQ(a[0].used, 4096 + 2 * 8192);
	EXPECT_EQ(a[0].largest_free, 4096);
}

static int nodes(void)
{
	int n = 0;
	char path[64];

	do
		snprintf(path, sizeof(path), "/sys/devices/system/node/node%d",
			 n);
	while (!access(path, F_OK) && ++n);
	return n;
}

/* On a machine of one node that is all that there is to see. */
TEST(arenas_of_each_node)
{
	struct zcbuf_buf_place p;
	struct arena a[ARENAS];
	int fd, node;
	__u64 h;

	for (node = 0; node < nodes(); node++) {
		struct zcbuf_pool_create c = zt_arg(struct zcbuf_pool_create,
			.flags = ZCBUF_POOL_F_NODE, .node = node,
			.arena_size = ZT_ARENA, .max_size = 2 * ZT_ARENA);

		fd = zt_pool_as(&c);
		ASSERT_GE(fd, 0);
		grow(fd, 1);
		ASSERT_EQ(arenas_of(c.out_pool, PIECE, a), 2);
		EXPECT_EQ(a[0].node, node);
		EXPECT_EQ(a[1].node, node);
		ASSERT_OK(zt_alloc1(fd, 4096, &h));
		place_of(fd, h, &p);
		EXPECT_EQ(p.node, node);
	}
}

static int is_zombie(__u64 pool)
{
	int found = 0, len = 0;
	const struct nlmsghdr *n;
	struct dump d;

	dump_begin(&d, ZCBUF_CMD_POOL_GET);
	while ((n = dump_next(&d, sizeof(d.buf))))
		found |= nl_number(n, ZCBUF_A_POOL_HANDLE) == pool &&
			 nl_find(n, ZCBUF_A_POOL_ZOMBIE, &len);
	close(d.sk);
	return found;
}

TEST(arenas_of_a_zombie)
{
	int fd = growing_pool(2), pipes[2];
	__u64 pool = pool_of(fd);
	struct arena a[ARENAS];
	struct iovec iov;
	char *p;

	grow(fd, 1);
	p = mmap(NULL, 2 * ZT_ARENA, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(p, MAP_FAILED);
	ASSERT_OK(pipe(pipes));
	iov = (struct iovec){ p + ZT_ARENA, 1 };
	p[ZT_ARENA] = 'z';
	ASSERT_EQ(vmsplice(pipes[1], &iov, 1, 0), 1);
	munmap(p, 2 * ZT_ARENA);
	close(fd);
	while (!is_zombie(pool))
		usleep(10000);
	ASSERT_EQ(arenas_of(pool, PIECE, a), 2);
	EXPECT_EQ(a[1].used, 0);
	close(pipes[0]);
	close(pipes[1]);
	while (arenas_of(pool, PIECE, a))
		usleep(10000);
}

/* --------------------------------------------------------------- who sees it */

TEST(arenas_are_seen_with_their_pool)
{
	int fd = zt_open(O_RDWR), open = zt_open(O_RDWR);
	__u64 pools[2];

	ASSERT_OK(zt_pool_create_named(fd, "arenas-hidden", 0600));
	ASSERT_OK(zt_pool_create_named(open, "arenas-shown", 0644));
	pools[0] = pool_of(fd);
	pools[1] = pool_of(open);
	EXPECT_EQ(times_seen(ZCBUF_CMD_ARENA_GET, ZCBUF_A_ARENA_POOL, pools[0]), 1);
	ASSERT_OK(zt_become(ZT_USER, ZT_USER));
	EXPECT_EQ(times_seen(ZCBUF_CMD_ARENA_GET, ZCBUF_A_ARENA_POOL, pools[0]), 0);
	EXPECT_EQ(times_seen(ZCBUF_CMD_ARENA_GET, ZCBUF_A_ARENA_POOL, pools[1]), 1);
}

/* --------------------------------------------------------------- in pieces */

/* Pools of some arenas, and pools of one; more than a piece of them all. */
#define GROWN		4
#define EACH		20

TEST(arenas_in_pieces)
{
	int fd[GROWN], between[GROWN], i;
	struct arena a[ARENAS];

	for (i = 0; i < GROWN; i++) {
		fd[i] = growing_pool(EACH);
		grow(fd[i], EACH - 1);
		between[i] = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	}
	for (i = 0; i < GROWN; i++) {
		EXPECT_EQ(arenas_of(pool_of(fd[i]), PIECE, a), EACH);
		EXPECT_EQ(arenas_of(pool_of(between[i]), PIECE, a), 1);
	}
}

/* One pool of as many as there can be, which is more than a piece. */
TEST(arenas_come_meanwhile)
{
	int fd = growing_pool(ARENAS), i;
	__u32 next = 0, half = ARENAS - 14;
	const struct nlmsghdr *n;
	struct dump d;

	grow(fd, half - 1);
	dump_begin(&d, ZCBUF_CMD_ARENA_GET);
	for (i = 0; (n = dump_next(&d, PIECE)); i++) {
		if (nl_number(n, ZCBUF_A_ARENA_POOL) != pool_of(fd))
			continue;
		EXPECT_EQ(nl_number(n, ZCBUF_A_ARENA_INDEX), next);
		if (!next++)
			grow(fd, ARENAS - half);
	}
	EXPECT_GE(next, half);
	EXPECT_LE(next, ARENAS);
}

KTAP_MAIN()

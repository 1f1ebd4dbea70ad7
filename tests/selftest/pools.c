// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Scenarios 22 to 24 and 28 and what belongs to them: how large buffers are and
 * where they lie, slab classes, alignment, zeroes, huge pages, batches and
 * counters.
 */
#include <fcntl.h>

#include <zcbuf/zcbuf.h>

#include "common.h"
#include "info.h"
#include "ktap.h"

#define ARENA_22	(32 * ZT_MIB)
#define PAGES_22	8192

static int pages_pool(__u64 arena_size)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, arena_size);

	ASSERT_GE(fd, 0);
	return fd;
}

static unsigned char *map_all(int fd, __u64 size)
{
	unsigned char *p = zt_map(fd, PROT_READ | PROT_WRITE, size);

	ASSERT_TRUE(p);
	return p;
}

/* ------------------------------------------------------- 22: sizes and places */

static const struct {
	__u64 length, capacity;
} sizes_22[] = {
	{ 0, 4096 }, { 1, 4096 }, { 4096, 4096 }, { 4097, 8192 },
	{ 8193, 16384 }, { 131072, 131072 }, { 131073, 262144 },
	{ 33554432, 33554432 },
};

#define NR_SIZES_22	(sizeof(sizes_22) / sizeof(sizes_22[0]))

TEST(scenario_22_capacities)
{
	int fd = pages_pool(ARENA_22);
	__u64 h, capacity, offset;
	size_t i;

	for (i = 0; i < NR_SIZES_22; i++) {
		ASSERT_OK(zt_alloc1(fd, sizes_22[i].length, &h));
		capacity = zcbuf_buf_capacity(h, NULL);
		offset = zcbuf_buf_offset(h);
		EXPECT_NE(h, 0);
		EXPECT_EQ(capacity, sizes_22[i].capacity);
		EXPECT_EQ(offset % capacity, 0);
		EXPECT_LE(offset + capacity, ARENA_22);
		EXPECT_EQ(zt_used(fd), capacity);
		EXPECT_OK(zt_free1(fd, h));
	}
	EXPECT_ERR(zt_alloc1(fd, 33554433, &h), E2BIG);
	EXPECT_ERR(zt_alloc1(fd, ~0ULL, &h), E2BIG);
	EXPECT_EQ(zt_used(fd), 0);
}

/* Note the pages of @h in @map, where each may be once, and fill them. */
static void claim(unsigned char *map, unsigned char *base, __u64 h,
		  unsigned char byte)
{
	__u64 offset = zcbuf_buf_offset(h);
	__u64 capacity = zcbuf_buf_capacity(h, NULL);
	__u64 page;

	EXPECT_EQ(offset % capacity, 0);
	ASSERT_LE(offset + capacity, ARENA_22);
	for (page = offset / ZT_PAGE; page < (offset + capacity) / ZT_PAGE;
	     page++) {
		ASSERT_EQ(map[page], 0);
		map[page] = 1;
		memset(base + page * ZT_PAGE, byte, 16);
	}
}

TEST(scenario_22_blocks_are_disjoint)
{
	static const __u64 length[] = {
		0, 1, 4097, 131073, 8193, 4096, 131072, 70000, 1 << 20,
	};
	static unsigned char map[PAGES_22];
	int fd = pages_pool(ARENA_22);
	unsigned char *base = map_all(fd, ARENA_22);
	__u64 h[200], used = 0;
	int i, n;

	for (n = 0; n < 200; n++) {
		if (zt_alloc1(fd, length[n % 9], &h[n]))
			break;
		claim(map, base, h[n], n + 1);
		used += zcbuf_buf_capacity(h[n], NULL);
	}
	EXPECT_GT(n, 100);
	EXPECT_EQ(zt_used(fd), used);
	for (i = 0; i < n; i++) {
		EXPECT_EQ(base[zcbuf_buf_offset(h[i])], i + 1);
		EXPECT_OK(zt_free1(fd, h[i]));
	}
	EXPECT_EQ(zt_info(fd).out_largest_free, ARENA_22);
}

/* ------------------------------------------------------------ 23: all of it */

static int page_order(const void *a, const void *b)
{
	__u64 x = zcbuf_buf_offset(*(const __u64 *)a);
	__u64 y = zcbuf_buf_offset(*(const __u64 *)b);

	return (x > y) - (x < y);
}

TEST(scenario_23_every_page)
{
	static __u64 h[PAGES_22], again;
	int fd = pages_pool(ARENA_22);
	int i;

	for (i = 0; i < PAGES_22; i += 1024)
		ASSERT_EQ(zt_alloc(fd, 4096, 0, 0, h + i, 1024), 1024);
	EXPECT_ERR(zt_alloc1(fd, 4096, &again), ENOMEM);
	EXPECT_EQ(zt_used(fd), ARENA_22);
	EXPECT_EQ(zt_info(fd).out_largest_free, 0);
	EXPECT_EQ(zt_info(fd).out_min_free, 0);

	qsort(h, PAGES_22, sizeof(h[0]), page_order);
	for (i = 0; i < PAGES_22; i++)
		ASSERT_EQ(zcbuf_buf_offset(h[i]), i * ZT_PAGE);

	EXPECT_OK(zt_free1(fd, h[4711]));
	ASSERT_OK(zt_alloc1(fd, 1, &again));
	EXPECT_EQ(zcbuf_buf_offset(again), 4711 * ZT_PAGE);
	EXPECT_ERR(zt_alloc1(fd, 4096, &h[4711]), ENOMEM);
	h[4711] = again;
	for (i = 0; i < PAGES_22; i += 1024)
		ASSERT_EQ(zt_free(fd, h + i, 1024), 1024);
	ASSERT_OK(zt_alloc1(fd, ARENA_22, &again));
	EXPECT_EQ(zcbuf_buf_offset(again), 0);
	EXPECT_EQ(zt_info(fd).out_bad_frees, 0);
}

/* An arena need not be a power of two, and all of it can be had. */
TEST(scenario_23_six_mebibytes)
{
	int fd = pages_pool(6 * ZT_MIB);
	__u64 h[3], page;

	EXPECT_EQ(zt_info(fd).out_size, 6 * ZT_MIB);
	EXPECT_EQ(zt_info(fd).out_largest_free, 4 * ZT_MIB);
	EXPECT_ERR(zt_alloc1(fd, 6 * ZT_MIB, &page), E2BIG);
	ASSERT_OK(zt_alloc1(fd, 4 * ZT_MIB, &h[0]));
	ASSERT_OK(zt_alloc1(fd, 2 * ZT_MIB, &h[1]));
	EXPECT_EQ(zt_used(fd), 6 * ZT_MIB);
	EXPECT_ERR(zt_alloc1(fd, 0, &page), ENOMEM);
	EXPECT_EQ(zt_free(fd, h, 2), 2);
	EXPECT_EQ(zt_alloc(fd, 2 * ZT_MIB, 0, 0, h, 3), 3);
}

/* --------------------------------------------------------- 31: larger arenas */

TEST(scenario_31_a_larger_arena)
{
	int fd = pages_pool(64 * ZT_MIB);
	__u64 h, page;

	EXPECT_EQ(zt_info(fd).out_largest_free, 64 * ZT_MIB);
	EXPECT_ERR(zt_alloc1(fd, 64 * ZT_MIB + 1, &h), E2BIG);
	ASSERT_OK(zt_alloc1(fd, 64 * ZT_MIB, &h));
	EXPECT_EQ(zcbuf_buf_offset(h), 0);
	EXPECT_EQ(zcbuf_buf_capacity(h, NULL), 64 * ZT_MIB);
	EXPECT_ERR(zt_alloc1(fd, 0, &page), ENOMEM);
	EXPECT_OK(zt_free1(fd, h));
}

/* On one CPU, the block that came back last is handed out first. */
TEST(scenario_24_last_in_first_out)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	__u64 a, b, c, all;

	zt_stay();
	ASSERT_OK(zt_alloc1(fd, ZT_PAGE, &a));
	ASSERT_OK(zt_alloc1(fd, ZT_PAGE, &b));
	EXPECT_OK(zt_free1(fd, a));
	EXPECT_OK(zt_free1(fd, b));
	ASSERT_OK(zt_alloc1(fd, ZT_PAGE, &c));
	EXPECT_EQ(zcbuf_buf_offset(c), zcbuf_buf_offset(b));
	EXPECT_OK(zt_free1(fd, c));
	/* What the CPU keeps is missed by nobody. */
	EXPECT_OK(zt_alloc1(fd, ZT_ARENA, &all));
	EXPECT_OK(zt_free1(fd, all));
	EXPECT_EQ(zt_used(fd), 0);
}

/* ---------------------------------------------------------------- 28: length */

TEST(scenario_28_length_and_capacity)
{
	struct zcbuf_pool *pool;
	struct zcbuf_buf buf;

	ASSERT_OK(zcbuf_pool_create(&pool, NULL));
	EXPECT_EQ(zcbuf_pool_size(pool), ARENA_22);
	ASSERT_OK(zcbuf_buf_alloc(pool, 5000, &buf));
	EXPECT_EQ(buf.length, 5000);
	EXPECT_EQ(buf.capacity, 8192);
	EXPECT_EQ(buf.data, zcbuf_pool_addr(pool, buf.offset));
	EXPECT_OK(zcbuf_buf_set_length(&buf, 8192));
	EXPECT_EQ(buf.length, 8192);
	EXPECT_ERR(zcbuf_buf_set_length(&buf, 8193), ERANGE);
	EXPECT_EQ(buf.length, 8192);
	EXPECT_OK(zcbuf_buf_free(&buf));
	EXPECT_EQ(buf.handle, 0);
	EXPECT_OK(zcbuf_buf_free(&buf));

	ASSERT_OK(zcbuf_buf_alloc(pool, 0, &buf));
	EXPECT_EQ(buf.length, 0);
	EXPECT_EQ(buf.capacity, 4096);
	EXPECT_OK(zcbuf_buf_free(&buf));
	EXPECT_OK(zcbuf_pool_close(pool));
}

/* --------------------------------------------------------------- slab classes */

static int tiers_pool(const struct zcbuf_class *classes, __u32 n)
{
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.kind = ZCBUF_POOL_TIERS, .nclasses = n,
		.arena_size = 2 * ZT_ARENA, .classes = zt_ptr(classes));

	return zt_pool_as(&a);
}

static __u32 read_classes(int fd, __u32 *length)
{
	struct zcbuf_class_info c[ZCBUF_MAX_CLASSES] = {};
	struct zcbuf_pool_info info = zt_arg(struct zcbuf_pool_info,
		.classes = zt_ptr(c), .nclasses = ZCBUF_MAX_CLASSES,
		.entry_size = sizeof(*c));
	__u32 i;

	ASSERT_OK(zt_call(fd, ZCBUF_IOC_POOL_INFO, &info));
	for (i = 0; i < info.nclasses; i++)
		length[i] = c[i].length;
	return info.nclasses;
}

/* A buffer of @length has @capacity, and lies where that allows. */
static void check_slab(int fd, const __u32 *table, __u64 length, __u64 capacity)
{
	__u64 h;

	ASSERT_OK(zt_alloc1(fd, length, &h));
	EXPECT_EQ(zcbuf_buf_capacity(h, table), capacity);
	EXPECT_EQ(zcbuf_buf_offset(h) % (capacity & -capacity), 0);
	EXPECT_LE(zcbuf_buf_offset(h) + capacity, 2 * ZT_ARENA);
	EXPECT_OK(zt_free1(fd, h));
}

TEST(tiers_default_table)
{
	static const __u32 want[] = {
		16, 64, 256, 1024, 4096, 16384, 65536, 262144,
	};
	int fd = tiers_pool(NULL, 0);
	__u32 length[ZCBUF_MAX_CLASSES];
	__u64 h;
	int i;

	ASSERT_GE(fd, 0);
	ASSERT_EQ(read_classes(fd, length), 8);
	for (i = 0; i < 8; i++) {
		EXPECT_EQ(length[i], want[i]);
		check_slab(fd, length, want[i], want[i]);
		check_slab(fd, length, want[i] + 1,
			   i < 7 ? want[i + 1] : 524288);
	}
	check_slab(fd, length, 1, 16);
	EXPECT_ERR(zt_alloc1(fd, 0, &h), EINVAL);
	EXPECT_EQ(zt_used(fd), 0);
}

TEST(tiers_custom_table)
{
	static const struct zcbuf_class table[] = {
		{ .length = 128 }, { .length = 1024 }, { .length = 1500 },
		{ .length = 4096 }, { .length = 9000 },
	};
	int fd = tiers_pool(table, 5);
	__u32 length[ZCBUF_MAX_CLASSES];

	ASSERT_GE(fd, 0);
	ASSERT_EQ(read_classes(fd, length), 5);
	EXPECT_EQ(length[2], 1504);
	EXPECT_EQ(length[4], 9008);
	check_slab(fd, length, 100, 128);
	check_slab(fd, length, 128, 128);
	check_slab(fd, length, 129, 1024);
	check_slab(fd, length, 1500, 1504);
	check_slab(fd, length, 4096, 4096);
	check_slab(fd, length, 9000, 9008);
	check_slab(fd, length, 9009, 16384);
	EXPECT_EQ(zt_used(fd), 0);
}

TEST(tiers_bad_tables)
{
	static const struct zcbuf_class small[] = { { .length = 15 } };
	static const struct zcbuf_class large[] = { { .length = 1048592 } };
	static const struct zcbuf_class twice[] = {
		{ .length = 100 }, { .length = 112 },
	};
	static const struct zcbuf_class falls[] = {
		{ .length = 256 }, { .length = 128 },
	};
	static const struct zcbuf_class counted[] = { { 64, 10 } };
	static struct zcbuf_class many[ZCBUF_MAX_CLASSES + 1];
	int fd;

	for (fd = 0; fd <= ZCBUF_MAX_CLASSES; fd++)
		many[fd].length = 16 * (fd + 1);
	EXPECT_ERR(tiers_pool(small, 1), EINVAL);
	EXPECT_ERR(tiers_pool(large, 1), EINVAL);
	EXPECT_ERR(tiers_pool(twice, 2), EINVAL);
	EXPECT_ERR(tiers_pool(falls, 2), EINVAL);
	EXPECT_ERR(tiers_pool(counted, 1), EINVAL);
	EXPECT_ERR(tiers_pool(many, ZCBUF_MAX_CLASSES + 1), EINVAL);
	fd = tiers_pool(many, ZCBUF_MAX_CLASSES);
	EXPECT_GE(fd, 0);
}

/* Objects share pages, and none shares a byte. */
TEST(tiers_objects_are_disjoint)
{
	static const __u32 table[] = { 16, 64 };
	static __u64 h[1024];
	int fd = tiers_pool(NULL, 0);
	unsigned char *base;
	int i;

	ASSERT_GE(fd, 0);
	base = map_all(fd, 2 * ZT_ARENA);
	for (i = 0; i < 1024; i++) {
		ASSERT_OK(zt_alloc1(fd, i & 1 ? 16 : 64, &h[i]));
		memset(base + zcbuf_buf_offset(h[i]), i * 7,
		       zcbuf_buf_capacity(h[i], table));
	}
	EXPECT_LE(zt_used(fd), 64 * 1024);
	for (i = 0; i < 1024; i++)
		EXPECT_FILLED(base + zcbuf_buf_offset(h[i]),
			      (unsigned char)(i * 7),
			      zcbuf_buf_capacity(h[i], table));
	EXPECT_EQ(zt_free(fd, h, 1024), 1024);
	EXPECT_EQ(zt_used(fd), 0);
}

/* Eight buffers of the library, written by one call as they lie. */
TEST(scenario_53_iovecs_of_buffers)
{
	struct zcbuf_pool_opts o = {
		.sz = sizeof(o), .kind = ZCBUF_POOL_TIERS, .arena_size = ZT_ARENA,
	};
	int file = memfd_create("scenario-53", MFD_CLOEXEC), i;
	struct zcbuf_buf buf[8];
	struct zcbuf_pool *pool;
	struct iovec iov[8];
	char back[8 * 1024];

	ASSERT_OK(zcbuf_pool_create(&pool, &o));
	for (i = 0; i < 8; i++) {
		ASSERT_OK(zcbuf_buf_alloc(pool, 1024, &buf[i]));
		memset(buf[i].data, i + 1, 1024);
	}
	ASSERT_EQ(zcbuf_bufs_iovec(buf, 8, iov), 8);
	EXPECT_EQ(writev(file, iov, 8), sizeof(back));
	ASSERT_EQ(pread(file, back, sizeof(back), 0), sizeof(back));
	for (i = 0; i < 8; i++) {
		EXPECT_EQ(iov[i].iov_base, buf[i].data);
		EXPECT_EQ(iov[i].iov_len, 1024);
		EXPECT_FILLED(back + i * 1024, i + 1, 1024);
		EXPECT_OK(zcbuf_buf_free(&buf[i]));
	}
	EXPECT_EQ(zcbuf_bufs_iovec(buf, 0, iov), 0);
	EXPECT_OK(zcbuf_pool_close(pool));
	close(file);
}

/* ------------------------------------------------------------------ alignment */

static void check_aligned(int fd, __u64 length, __u32 align)
{
	__u64 h[2];
	int i;

	ASSERT_EQ(zt_alloc(fd, length, align, 0, h, 2), 2);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(zcbuf_buf_offset(h[i]) % align, 0);
	EXPECT_EQ(zt_free(fd, h, 2), 2);
}

TEST(alignment)
{
	int fd = pages_pool(2 * ZT_ARENA), tiers = tiers_pool(NULL, 0);
	__u32 align;
	__u64 h;

	ASSERT_GE(tiers, 0);
	ASSERT_OK(zt_alloc1(fd, 1, &h));	/* so that it is not luck */
	ASSERT_OK(zt_alloc1(tiers, 1, &h));
	for (align = 1; align <= 1 << 20; align *= 2) {
		check_aligned(fd, 100, align);
		check_aligned(tiers, 16, align);
	}
	ASSERT_EQ(zt_alloc(fd, 100, 2 << 20, 0, &h, 1), 1);
	EXPECT_EQ(zcbuf_buf_offset(h), 2 << 20);
	EXPECT_ERR(zt_alloc(fd, 100, 4 << 20, 0, &h, 1), EINVAL);
	EXPECT_ERR(zt_alloc(fd, 100, 3, 0, &h, 1), EINVAL);
	EXPECT_ERR(zt_alloc(fd, 100, 24, 0, &h, 1), EINVAL);
	EXPECT_ERR(zt_alloc(tiers, 100, 3, 0, &h, 1), EINVAL);
}

/* --------------------------------------------------------------------- zeroes */

/* Write all of a block as one session, free it, get it as another. */
static unsigned char reused(__u32 kind, __u32 flags, __u64 length)
{
	int a = zt_pool(kind, flags, ZT_ARENA), b;
	unsigned char *base = map_all(a, ZT_ARENA);
	unsigned char seen;
	__u64 h, old;

	b = zt_join(a, 0);
	ASSERT_GE(b, 0);
	zt_stay();
	ASSERT_OK(zt_alloc1(a, length, &old));
	memset(base + zcbuf_buf_offset(old), 0x5a, length);
	EXPECT_OK(zt_free1(a, old));
	/* A CPU keeps a slab for who had it, until somebody asks what is free. */
	if (kind == ZCBUF_POOL_TIERS)
		EXPECT_EQ(zt_used(a), 0);
	ASSERT_OK(zt_alloc1(b, length, &h));
	ASSERT_EQ(zcbuf_buf_offset(h), zcbuf_buf_offset(old));
	seen = base[zcbuf_buf_offset(h)];
	EXPECT_FILLED(base + zcbuf_buf_offset(h), seen, length);
	close(a);
	close(b);
	return seen;
}

TEST(zero_on_reuse_by_another_session)
{
	EXPECT_EQ(reused(ZCBUF_POOL_PAGES, 0, 4096), 0);
	EXPECT_EQ(reused(ZCBUF_POOL_PAGES, 0, ZT_ARENA), 0);
	EXPECT_EQ(reused(ZCBUF_POOL_TIERS, 0, 64), 0);
}

TEST(no_zero_on_reuse)
{
	__u32 flag = ZCBUF_POOL_F_NO_ZERO_ON_REUSE;

	EXPECT_EQ(reused(ZCBUF_POOL_PAGES, flag, 4096), 0x5a);
	EXPECT_EQ(reused(ZCBUF_POOL_TIERS, flag, 64), 0x5a);
}

/* A dead session's bytes are not the next one's either. */
TEST(zero_on_reuse_after_a_session_died)
{
	int a = pages_pool(ZT_ARENA), b = zt_join(a, 0);
	unsigned char *base = map_all(a, ZT_ARENA);
	__u64 h, block;

	ASSERT_GE(b, 0);
	ASSERT_OK(zt_alloc1(a, ZT_ARENA, &h));
	memset(base, 0x77, ZT_ARENA);
	close(a);
	ASSERT_OK(zt_alloc1(b, 65536, &block));
	EXPECT_FILLED(base + zcbuf_buf_offset(block), 0, 65536);
}

/* Between buffers and groups, and between two channels. */
TEST(zero_on_reuse_by_a_channel)
{
	int fd = pages_pool(ZT_ARENA);
	unsigned char *base = map_all(fd, ZT_ARENA);
	struct zcbuf_reservation r;
	__u64 h, ch, ch2;

	ASSERT_OK(zt_alloc1(fd, ZT_ARENA, &h));
	memset(base, 0x33, ZT_ARENA);
	EXPECT_OK(zt_free1(fd, h));
	ASSERT_OK(zt_stream(fd, 4096, 0, &ch));
	ASSERT_OK(zt_reserve1(fd, ch, 4096, &r));
	EXPECT_FILLED(base + r.out_pool_offset, 0, 4096);
	memset(base + r.out_pool_offset, 0x44, 4096);
	EXPECT_OK(zt_channel_close(fd, ch, 0));
	EXPECT_EQ(zt_used(fd), 0);

	ASSERT_OK(zt_stream(fd, 4096, 0, &ch2));
	h = r.out_pool_offset;
	ASSERT_OK(zt_reserve1(fd, ch2, 4096, &r));
	EXPECT_EQ(r.out_pool_offset, h);
	EXPECT_FILLED(base + r.out_pool_offset, 0, 4096);
}

static void check_alloc_zero(__u32 kind, __u64 length)
{
	int fd = zt_pool(kind, ZCBUF_POOL_F_NO_ZERO_ON_REUSE, ZT_ARENA);
	unsigned char *base = map_all(fd, ZT_ARENA);
	__u64 h, old;

	zt_stay();
	ASSERT_OK(zt_alloc1(fd, length, &old));
	memset(base + zcbuf_buf_offset(old), 0x5a, length);
	EXPECT_OK(zt_free1(fd, old));
	ASSERT_EQ(zt_alloc(fd, length, 0, ZCBUF_ALLOC_F_ZERO, &h, 1), 1);
	ASSERT_EQ(zcbuf_buf_offset(h), zcbuf_buf_offset(old));
	EXPECT_FILLED(base + zcbuf_buf_offset(h), 0, length);
	close(fd);
}

TEST(alloc_zeroed)
{
	check_alloc_zero(ZCBUF_POOL_PAGES, 4096);
	check_alloc_zero(ZCBUF_POOL_PAGES, 1 << 20);
	check_alloc_zero(ZCBUF_POOL_TIERS, 64);
	check_alloc_zero(ZCBUF_POOL_TIERS, 16384);
}

/* ------------------------------------------------------------------ creation */

static int create(__u32 flags, __u64 arena_size, struct zcbuf_pool_create *a)
{
	int fd = zt_open(O_RDWR);
	int err;

	ASSERT_GE(fd, 0);
	*a = zt_arg(struct zcbuf_pool_create, .flags = flags,
		    .arena_size = arena_size);
	err = zt_call(fd, ZCBUF_IOC_POOL_CREATE, a);
	close(fd);
	return err;
}

TEST(huge_and_small_pages)
{
	__u32 both = ZCBUF_POOL_F_HUGE_STRICT | ZCBUF_POOL_F_SMALL_PAGES;
	struct zcbuf_pool_create a;

	ASSERT_OK(create(ZCBUF_POOL_F_SMALL_PAGES, ZT_ARENA, &a));
	EXPECT_EQ(a.out_page_order, 0);
	ASSERT_OK(create(ZCBUF_POOL_F_HUGE_STRICT, ZT_ARENA, &a));
	EXPECT_EQ(a.out_page_order, 9);
	EXPECT_ERR(create(both, ZT_ARENA, &a), EINVAL);
}

TEST(arena_sizes)
{
	struct zcbuf_pool_create a;
	struct zcbuf_query q;
	int fd = zt_open(O_RDWR);

	ASSERT_OK(zt_query(fd, &q));
	EXPECT_EQ(q.out_arena_unit, ZT_ARENA);
	EXPECT_EQ(q.out_default_arena_size, ARENA_22);
	ASSERT_OK(create(0, 0, &a));
	EXPECT_EQ(a.out_size, ARENA_22);
	EXPECT_NE(a.out_pool, 0);
	EXPECT_EQ(a.out_rights, ZCBUF_RIGHTS_ALL);
	EXPECT_ERR(create(0, 4096, &a), EINVAL);
	EXPECT_ERR(create(0, ZT_ARENA + 4096, &a), EINVAL);
	EXPECT_ERR(create(0, 1ULL << 62, &a), E2BIG);
	close(fd);
}

/* -------------------------------------------------------- batches and counters */

TEST(batch_of_allocs_stops)
{
	static __u64 h[1025];
	int fd = pages_pool(ZT_ARENA);
	struct zcbuf_alloc a = zt_arg(struct zcbuf_alloc, .length = 4096,
				      .handles = zt_ptr(h), .count = 1024);

	EXPECT_OK(zt_call(fd, ZCBUF_IOC_ALLOC, &a));
	EXPECT_EQ(a.out_done, 512);
	EXPECT_EQ(a.out_error, ENOMEM);
	EXPECT_NE(h[511], 0);
	EXPECT_EQ(h[512], 0);
	EXPECT_ERR(zt_alloc(fd, 4096, 0, 0, h + 512, 1), ENOMEM);
	EXPECT_EQ(zt_free(fd, h, 512), 512);
	EXPECT_ERR(zt_alloc(fd, 4096, 0, 0, h, 0), EINVAL);
	EXPECT_ERR(zt_alloc(fd, 4096, 0, 0, h, 1025), EINVAL);
	EXPECT_ERR(zt_free(fd, h, 0), EINVAL);
	EXPECT_ERR(zt_free(fd, h, 1025), EINVAL);
	EXPECT_EQ(zt_used(fd), 0);
}

TEST(batch_of_frees_stops)
{
	int fd = pages_pool(ZT_ARENA);
	struct zcbuf_batch a;
	__u64 h[4];

	ASSERT_EQ(zt_alloc(fd, 4096, 0, 0, h, 4), 4);
	EXPECT_OK(zt_free1(fd, h[2]));
	a = zt_arg(struct zcbuf_batch, .entries = zt_ptr(h), .count = 4);
	EXPECT_OK(zt_call(fd, ZCBUF_IOC_FREE, &a));
	EXPECT_EQ(a.out_done, 2);
	EXPECT_EQ(a.out_error, EBADSLT);
	EXPECT_EQ(zt_used(fd), ZT_PAGE);
	EXPECT_ERR(zt_free(fd, h + 2, 2), EBADSLT);
	EXPECT_EQ(zt_used(fd), ZT_PAGE);
	EXPECT_EQ(zt_free(fd, h + 3, 1), 1);
	EXPECT_EQ(zt_used(fd), 0);
}

TEST(counters_of_a_pool)
{
	int fd = pages_pool(ZT_ARENA), other;
	struct zcbuf_pool_info info = zt_info(fd);
	__u64 h[2], ch;

	EXPECT_EQ(info.out_kind, ZCBUF_POOL_PAGES);
	EXPECT_EQ(info.out_size, ZT_ARENA);
	EXPECT_EQ(info.out_arena_size, ZT_ARENA);
	EXPECT_EQ(info.out_arenas, 1);
	EXPECT_EQ(info.out_used, 0);
	EXPECT_EQ(info.out_min_free, ZT_ARENA);
	EXPECT_EQ(info.out_largest_free, ZT_ARENA);
	EXPECT_EQ(info.out_sessions, 1);
	EXPECT_EQ(info.out_channels, 0);
	EXPECT_EQ(info.out_rights, ZCBUF_RIGHTS_ALL);
	ASSERT_OK(zt_alloc1(fd, 1 << 20, &h[0]));
	ASSERT_OK(zt_alloc1(fd, 4096, &h[1]));
	other = zt_join(fd, ZT_READ_ONLY);
	ASSERT_GE(other, 0);
	ASSERT_OK(zt_stream(fd, 100, 0, &ch));
	info = zt_info(other);
	EXPECT_EQ(info.out_used, (1 << 20) + 4096);
	EXPECT_EQ(info.out_largest_free, 1 << 19);
	EXPECT_EQ(info.out_sessions, 2);
	EXPECT_EQ(info.out_channels, 1);
	EXPECT_EQ(info.out_rights, ZT_READ_ONLY);
	EXPECT_EQ(zt_free(fd, h, 2), 2);
	EXPECT_OK(zt_channel_close(fd, ch, 0));
	close(other);
	info = zt_info(fd);
	EXPECT_EQ(info.out_used, 0);
	EXPECT_EQ(info.out_min_free, ZT_ARENA - (1 << 20) - 4096);
	EXPECT_EQ(info.out_sessions, 1);
	EXPECT_EQ(info.out_channels, 0);
}

KTAP_MAIN()

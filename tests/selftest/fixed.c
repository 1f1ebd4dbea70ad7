// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * FIXED pools: so many objects of each class in one region, scenarios 26 and
 * 27. What frees are refused is in pool_frees.c.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <zcbuf/zcbuf.h>

#include "common.h"
#include "ktap.h"

#define REGION	14680064ULL	/* of the default table */

/* Errors are answers. */
static int fixed_pool(const struct zcbuf_class *table, __u32 n, __u32 flags,
		      __u64 *size)
{
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.kind = ZCBUF_POOL_FIXED, .flags = flags, .nclasses = n,
		.classes = zt_ptr(table));
	int fd = zt_pool_as(&a);

	*size = a.out_size;
	return fd;
}

static int default_pool(void)
{
	__u64 size;
	int fd = fixed_pool(NULL, 0, 0, &size);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(size, REGION);
	return fd;
}

static __u32 classes_of(int fd, struct zcbuf_class_info *c)
{
	struct zcbuf_pool_info info = zt_arg(struct zcbuf_pool_info,
		.classes = zt_ptr(c), .nclasses = ZCBUF_MAX_CLASSES,
		.entry_size = sizeof(*c));

	ASSERT_OK(zt_call(fd, ZCBUF_IOC_POOL_INFO, &info));
	return info.nclasses;
}

/* @length gets the object at @offset of @capacity bytes. */
static __u64 gets(int fd, __u64 length, __u64 offset, __u64 capacity)
{
	struct zcbuf_class_info c[ZCBUF_MAX_CLASSES];
	__u32 i, n = classes_of(fd, c), table[ZCBUF_MAX_CLASSES];
	__u64 h;

	for (i = 0; i < n; i++)
		table[i] = c[i].length;
	ASSERT_OK(zt_alloc1(fd, length, &h));
	EXPECT_EQ(zcbuf_buf_offset(h), offset);
	EXPECT_EQ(zcbuf_buf_capacity(h, table), capacity);
	return h;
}

TEST(scenario_26_unified_arena)
{
	static const struct zcbuf_class_info want[] = {
		{ 4096, 0, 1024, 4096, 0, 1024, 0 },
		{ 8192, 0, 512, 8192, 4 << 20, 512, 0 },
		{ 16384, 0, 128, 16384, 8 << 20, 128, 0 },
		{ 32768, 0, 64, 32768, 10 << 20, 64, 0 },
		{ 65536, 0, 32, 65536, 12 << 20, 32, 0 },
	};
	struct zcbuf_class_info c[ZCBUF_MAX_CLASSES];
	int fd = default_pool();

	ASSERT_EQ(classes_of(fd, c), 5);
	EXPECT_EQ(memcmp(c, want, sizeof(want)), 0);
	gets(fd, 1, 0, 4096);
	gets(fd, 4097, 4194304, 8192);
	gets(fd, 8193, 8388608, 16384);
	gets(fd, 16385, 10485760, 32768);
	gets(fd, 32769, 12582912, 65536);
	gets(fd, 65536, 12648448, 65536);
	classes_of(fd, c);
	EXPECT_EQ(c[0].used, 1);
	EXPECT_EQ(c[4].used, 2);
	EXPECT_EQ(zt_used(fd), 4096 + 8192 + 16384 + 32768 + 2 * 65536);
}

TEST(scenario_27_no_spill)
{
	int fd = default_pool();
	__u64 h[64];

	ASSERT_EQ(zt_alloc(fd, 65536, 0, 0, h, 32), 32);
	EXPECT_ERR(zt_alloc1(fd, 65536, h), ENOMEM);
	ASSERT_EQ(zt_alloc(fd, 32768, 0, 0, h, 64), 64);
	EXPECT_ERR(zt_alloc1(fd, 20000, h), ENOMEM);
	EXPECT_EQ(zt_free(fd, h, 1), 1);
	EXPECT_OK(zt_alloc1(fd, 20000, h));
}

TEST(scenario_41_shared_pages)
{
	static const struct zcbuf_class table[] = {
		{ 128, 10 }, { 1024, 10 }, { 4096, 10 },
	};
	__u64 h[10], size;
	int fd = fixed_pool(table, 3, ZCBUF_POOL_F_SHARED_PAGES, &size);

	ASSERT_GE(fd, 0);
	gets(fd, 129, 4096, 1024);
	gets(fd, 100, 0, 128);
	gets(fd, 128, 128, 128);
	EXPECT_ERR(zt_alloc1(fd, 4097, h), E2BIG);
	ASSERT_EQ(zt_alloc(fd, 128, 0, 0, h, 10), 8);
	EXPECT_ERR(zt_alloc1(fd, 100, h), ENOMEM);
	EXPECT_OK(zt_alloc1(fd, 1024, h));
}

TEST(larger_than_any_class)
{
	int fd = default_pool();
	__u64 h;

	EXPECT_ERR(zt_alloc1(fd, 65537, &h), E2BIG);
	EXPECT_ERR(zt_alloc1(fd, ~0ULL, &h), E2BIG);
	ASSERT_OK(zt_alloc1(fd, 0, &h));
	EXPECT_EQ(zcbuf_buf_class(h), ZCBUF_BUF_SLAB);
	/* The smallest class of which every object is aligned so. */
	ASSERT_EQ(zt_alloc(fd, 1, 32768, 0, &h, 1), 1);
	EXPECT_EQ(zcbuf_buf_offset(h), 10 << 20);
	EXPECT_ERR(zt_alloc(fd, 1, 131072, 0, &h, 1), E2BIG);
}

/* Exactly as many as were asked for, where POOL_INFO says, no two alike. */
TEST(every_object_of_a_table)
{
	static const struct zcbuf_class table[] = {
		{ 100, 50 }, { 1500, 33 }, { 9000, 17 }, { 65536, 3 },
	};
	struct zcbuf_class_info c[ZCBUF_MAX_CLASSES];
	unsigned char *base;
	__u64 h[50], size;
	__u32 i, k;
	int fd = fixed_pool(table, 4, ZCBUF_POOL_F_SHARED_PAGES, &size);

	ASSERT_GE(fd, 0);
	EXPECT_EQ(size, ZT_ARENA);
	base = zt_map(fd, PROT_READ | PROT_WRITE, size);
	ASSERT_TRUE(base);
	ASSERT_EQ(classes_of(fd, c), 4);
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(c[i].total, table[i].count);
		EXPECT_EQ(c[i].length, (table[i].length + 15) / 16 * 16);
		EXPECT_EQ(c[i].offset % ZT_PAGE, 0);
		ASSERT_EQ(zt_alloc(fd, table[i].length, 0, 0, h, 50),
			  (int)table[i].count);
		for (k = 0; k < table[i].count; k++) {
			EXPECT_EQ(zcbuf_buf_offset(h[k]),
				  c[i].offset + k * c[i].length);
			EXPECT_FILLED(base + zcbuf_buf_offset(h[k]), 0,
				      c[i].length);
			memset(base + zcbuf_buf_offset(h[k]), 1, c[i].length);
		}
	}
}

TEST(tables_that_cannot_be)
{
	static const struct zcbuf_class small[] = { { 2048, 2 } };
	static const struct zcbuf_class odd[] = { { 4096, 2 }, { 9000, 2 } };
	static const struct zcbuf_class none[] = { { 4096, 0 } };
	static const struct zcbuf_class empty[] = { { 0, 1 } };
	static const struct zcbuf_class falls[] = { { 8192, 1 }, { 4096, 1 } };
	static const struct zcbuf_class many[] = { { 4096, ZCBUF_MAX_FIXED },
						   { 8192, 1 } };
	static const struct zcbuf_class large[] = { { 1U << 20, 1U << 16 } };
	__u32 shared = ZCBUF_POOL_F_SHARED_PAGES;
	__u64 size;

	EXPECT_ERR(fixed_pool(small, 1, 0, &size), EINVAL);
	EXPECT_ERR(fixed_pool(odd, 2, 0, &size), EINVAL);
	EXPECT_ERR(fixed_pool(none, 1, shared, &size), EINVAL);
	EXPECT_ERR(fixed_pool(empty, 1, shared, &size), EINVAL);
	EXPECT_ERR(fixed_pool(falls, 2, shared, &size), EINVAL);
	EXPECT_ERR(fixed_pool(many, 2, shared, &size), EINVAL);
	EXPECT_ERR(fixed_pool(large, 1, shared, &size), E2BIG);
	EXPECT_OK(close(fixed_pool(odd, 2, shared, &size)));
}

/*
 * What the kernel knows of an object can be more than the object.  A pool of the
 * test before may be on its way out yet: the count begins when it is gone.
 */
TEST(records_are_charged)
{
	static const struct zcbuf_class table[] = { { 16, ZCBUF_MAX_FIXED } };
	__u64 before = zt_await_charged(0), size, h;
	int fd;

	fd = fixed_pool(table, 1, ZCBUF_POOL_F_SHARED_PAGES, &size);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(size, 16ULL * ZCBUF_MAX_FIXED);
	EXPECT_EQ(zt_charged() - before, (16 + 24ULL) * ZCBUF_MAX_FIXED);
	EXPECT_OK(zt_alloc1(fd, 16, &h));
	close(fd);
	EXPECT_EQ(zt_await_charged(before), before);
}

/* What another session wrote into an object, its neighbours untouched. */
static unsigned char seen_by_another(__u32 flags)
{
	static const struct zcbuf_class table[] = { { 64, 64 } };
	unsigned char *base, seen;
	__u64 mine, old, h, size;
	int a, b;

	a = fixed_pool(table, 1, flags | ZCBUF_POOL_F_SHARED_PAGES, &size);
	ASSERT_GE(a, 0);
	b = zt_join(a, 0);
	ASSERT_GE(b, 0);
	base = zt_map(a, PROT_READ | PROT_WRITE, size);
	ASSERT_TRUE(base);
	ASSERT_OK(zt_alloc1(a, 64, &mine));
	ASSERT_OK(zt_alloc1(a, 64, &old));
	memset(base, 0x5a, 128);
	EXPECT_OK(zt_free1(a, old));
	ASSERT_OK(zt_alloc1(b, 64, &h));
	ASSERT_EQ(zcbuf_buf_offset(h), zcbuf_buf_offset(old));
	EXPECT_FILLED(base + zcbuf_buf_offset(mine), 0x5a, 64);
	seen = base[zcbuf_buf_offset(h)];
	EXPECT_FILLED(base + zcbuf_buf_offset(h), seen, 64);
	close(a);
	close(b);
	return seen;
}

TEST(zero_on_reuse)
{
	EXPECT_EQ(seen_by_another(0), 0);
	EXPECT_EQ(seen_by_another(ZCBUF_POOL_F_NO_ZERO_ON_REUSE), 0x5a);
}

TEST(zeroed_when_asked_for)
{
	int fd = default_pool();
	unsigned char *base = zt_map(fd, PROT_READ | PROT_WRITE, REGION);
	__u64 h;

	ASSERT_TRUE(base);
	ASSERT_OK(zt_alloc1(fd, 8192, &h));
	memset(base + zcbuf_buf_offset(h), 0x5a, 8192);
	EXPECT_OK(zt_free1(fd, h));
	ASSERT_OK(zt_alloc1(fd, 8192, &h));
	EXPECT_FILLED(base + zcbuf_buf_offset(h), 0x5a, 8192);
	EXPECT_OK(zt_free1(fd, h));
	ASSERT_EQ(zt_alloc(fd, 8192, 0, ZCBUF_ALLOC_F_ZERO, &h, 1), 1);
	EXPECT_FILLED(base + zcbuf_buf_offset(h), 0, 8192);
}

TEST(counters_of_a_pool)
{
	struct zcbuf_pool_info info;
	int fd = default_pool();
	__u64 h[32], one;

	ASSERT_OK(zt_pool_info(fd, &info));
	EXPECT_EQ(info.out_kind, ZCBUF_POOL_FIXED);
	EXPECT_EQ(info.out_used, 0);
	EXPECT_EQ(info.out_min_free, REGION);
	EXPECT_EQ(info.out_largest_free, 65536);
	ASSERT_EQ(zt_alloc(fd, 65536, 0, 0, h, 32), 32);
	ASSERT_OK(zt_alloc1(fd, 1, &one));
	EXPECT_EQ(zt_free(fd, h, 1), 1);
	ASSERT_OK(zt_pool_info(fd, &info));
	EXPECT_EQ(info.out_used, 31 * 65536 + 4096);
	EXPECT_EQ(info.out_min_free, REGION - 32 * 65536 - 4096);
	EXPECT_OK(zt_alloc1(fd, 65536, h));
	ASSERT_OK(zt_pool_info(fd, &info));
	EXPECT_EQ(info.out_largest_free, 32768);
}

/* What is left of the arena behind the table is nobody's. */
TEST(a_table_with_a_tail)
{
	static const struct zcbuf_class table[] = { { 4096, 2 } };
	struct zcbuf_pool_info info;
	__u64 h[2], size;
	int fd = fixed_pool(table, 1, 0, &size);

	ASSERT_GE(fd, 0);
	EXPECT_EQ(size, ZT_ARENA);
	ASSERT_EQ(zt_alloc(fd, 1, 0, 0, h, 2), 2);
	ASSERT_OK(zt_pool_info(fd, &info));
	EXPECT_EQ(info.out_min_free, 0);
	EXPECT_EQ(info.out_largest_free, 0);
	EXPECT_ERR(zt_alloc1(fd, 1, h), ENOMEM);
}

TEST(what_a_dead_session_held)
{
	int a = default_pool(), b = zt_join(a, 0);
	__u64 h[1024];

	ASSERT_GE(b, 0);
	ASSERT_EQ(zt_alloc(b, 4096, 0, 0, h, 1024), 1024);
	ASSERT_EQ(zt_alloc(b, 65536, 0, 0, h, 32), 32);
	EXPECT_ERR(zt_alloc1(a, 1, h), ENOMEM);
	EXPECT_EQ(close(b), 0);
	EXPECT_EQ(zt_used(a), 0);
	EXPECT_EQ(zt_alloc(a, 1, 0, 0, h, 1024), 1024);
}

TEST(deadline_of_a_full_class)
{
	struct zcbuf_alloc a = zt_arg(struct zcbuf_alloc, .length = 65536,
		.count = 32, .deadline_ns = 1);
	int fd = default_pool();
	__u64 h[32];

	a.handles = zt_ptr(h);
	EXPECT_OK(zt_call(fd, ZCBUF_IOC_ALLOC, &a));
	EXPECT_ERR(zt_call(fd, ZCBUF_IOC_ALLOC, &a), ETIMEDOUT);
}

TEST(no_memory_for_groups)
{
	struct zcbuf_channel_open a = { .ports = ZT_ALL_PORTS };
	struct zcbuf_pool_info info;
	int fd = default_pool();

	EXPECT_ERR(zt_channel_open(fd, &a), EINVAL);
	ASSERT_OK(zt_pool_info(fd, &info));
	EXPECT_EQ(info.out_channels, 0);
}

TEST(library)
{
	static const struct zcbuf_class table[] = { { 4096, 4 }, { 8192, 2 } };
	struct zcbuf_pool_opts o = {
		.sz = sizeof(o), .kind = ZCBUF_POOL_FIXED, .classes = table,
		.nclasses = 2,
	};
	struct zcbuf_pool *pool;
	struct zcbuf_buf buf;

	ASSERT_OK(zcbuf_pool_create(&pool, &o));
	EXPECT_EQ(zcbuf_pool_size(pool), ZT_ARENA);
	ASSERT_OK(zcbuf_buf_alloc(pool, 5000, &buf));
	EXPECT_EQ(buf.length, 5000);
	EXPECT_EQ(buf.capacity, 8192);
	EXPECT_EQ(buf.offset, 4 * 4096);
	EXPECT_TRUE(buf.data == zcbuf_pool_addr(pool, 4 * 4096));
	EXPECT_OK(zcbuf_buf_free(&buf));
	EXPECT_OK(zcbuf_pool_close(pool));
}

KTAP_MAIN()

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Scenario 25: frees that are refused, each with its own answer, and that
 * change nothing but the count of them.
 */
#include <zcbuf/zcbuf.h>

#include "common.h"
#include "ktap.h"

static const __u32 kind_pages = ZCBUF_POOL_PAGES;
static const __u32 kind_tiers = ZCBUF_POOL_TIERS;
static const __u32 kind_fixed = ZCBUF_POOL_FIXED;

/* A test for blocks of pages, and for objects of slab classes ... */
#define FREES_OF_PAGES(id)						\
	static void frees_##id(const void *arg);			\
	TEST_WITH(frees_##id, id##_pages, &kind_pages)			\
	TEST_WITH(frees_##id, id##_slab, &kind_tiers)			\
	static void frees_##id(const void *arg)

/* ... and of fixed classes. */
#define FREES(id)							\
	static void frees_##id(const void *arg);			\
	TEST_WITH(frees_##id, id##_fixed, &kind_fixed)			\
	FREES_OF_PAGES(id)

static int frees_pool(const void *kind)
{
	__u32 k = *(const __u32 *)kind;
	int fd = zt_pool(k, 0, k == ZCBUF_POOL_FIXED ? 0 : ZT_ARENA);

	ASSERT_GE(fd, 0);
	zt_stay();
	return fd;
}

/* Bytes that are a class of their own in each kind of pool. */
static __u64 frees_length(const void *kind)
{
	return *(const __u32 *)kind == ZCBUF_POOL_TIERS ? 64 : 4096;
}

/* Freeing @h answers @err, counts as refused and changes nothing else. */
static void refused(int fd, __u64 h, int err)
{
	struct zcbuf_pool_info before, after;

	ASSERT_OK(zt_pool_info(fd, &before));
	EXPECT_ERR(zt_free1(fd, h), err);
	ASSERT_OK(zt_pool_info(fd, &after));
	EXPECT_EQ(after.out_bad_frees, before.out_bad_frees + 1);
	EXPECT_EQ(after.out_used, before.out_used);
	EXPECT_EQ(after.out_min_free, before.out_min_free);
	EXPECT_EQ(after.out_largest_free, before.out_largest_free);
}

FREES(scenario_25_double_free)
{
	int fd = frees_pool(arg);
	__u64 h, next[3];

	ASSERT_OK(zt_alloc1(fd, frees_length(arg), &h));
	EXPECT_OK(zt_free1(fd, h));
	refused(fd, h, EBADSLT);
	refused(fd, h, EBADSLT);
	ASSERT_EQ(zt_alloc(fd, frees_length(arg), 0, 0, next, 3), 3);
	EXPECT_NE(zcbuf_buf_offset(next[0]), zcbuf_buf_offset(next[1]));
	EXPECT_NE(zcbuf_buf_offset(next[0]), zcbuf_buf_offset(next[2]));
	EXPECT_NE(zcbuf_buf_offset(next[1]), zcbuf_buf_offset(next[2]));
}

/* One of several objects of a page: the page stays, the object is free. */
TEST(scenario_25_double_free_in_a_used_slab)
{
	int fd = frees_pool(&kind_tiers);
	__u64 h[2];

	ASSERT_EQ(zt_alloc(fd, 64, 0, 0, h, 2), 2);
	EXPECT_OK(zt_free1(fd, h[0]));
	refused(fd, h[0], EBADSLT);
	EXPECT_OK(zt_free1(fd, h[1]));
	EXPECT_EQ(zt_used(fd), 0);
}

/* The first of a pair is freed twice: its neighbour is not touched. */
TEST(scenario_25_double_free_of_merged_blocks)
{
	int fd = frees_pool(&kind_pages);
	__u64 h[2], all;

	ASSERT_EQ(zt_alloc(fd, 4096, 0, 0, h, 2), 2);
	EXPECT_EQ(zt_free(fd, h, 2), 2);
	refused(fd, h[1], EBADSLT);
	refused(fd, h[0], EBADSLT);
	ASSERT_OK(zt_alloc1(fd, ZT_ARENA, &all));
	refused(fd, h[1], ESTALE);	/* inside of another's block now */
	EXPECT_OK(zt_free1(fd, all));
}

FREES(freed_and_reissued)
{
	int fd = frees_pool(arg);
	__u64 old, h;

	ASSERT_OK(zt_alloc1(fd, frees_length(arg), &old));
	EXPECT_OK(zt_free1(fd, old));
	ASSERT_OK(zt_alloc1(fd, frees_length(arg), &h));
	ASSERT_EQ(zcbuf_buf_offset(h), zcbuf_buf_offset(old));
	EXPECT_NE(h, old);
	refused(fd, old, ESTALE);
	EXPECT_OK(zt_free1(fd, h));
	refused(fd, old, EBADSLT);
}

FREES_OF_PAGES(freed_and_reissued_in_another_size)
{
	int fd = frees_pool(arg);
	__u64 old, h;

	ASSERT_OK(zt_alloc1(fd, frees_length(arg), &old));
	EXPECT_OK(zt_free1(fd, old));
	ASSERT_OK(zt_alloc1(fd, ZT_ARENA, &h));
	refused(fd, old, ESTALE);
	EXPECT_OK(zt_free1(fd, h));
}

FREES(somebody_elses)
{
	int fd = frees_pool(arg), other = zt_join(fd, 0);
	__u64 h;

	ASSERT_GE(other, 0);
	ASSERT_OK(zt_alloc1(fd, frees_length(arg), &h));
	refused(other, h, EPERM);
	EXPECT_OK(zt_free1(fd, h));
	refused(other, h, EBADSLT);
	ASSERT_OK(zt_alloc1(other, frees_length(arg), &h));
	refused(fd, h, EPERM);
	EXPECT_EQ(close(other), 0);
	refused(fd, h, EBADSLT);	/* it went with its owner */
	EXPECT_EQ(zt_used(fd), 0);
}

FREES(never_issued)
{
	int fd = frees_pool(arg);
	__u64 gen, h;

	ASSERT_OK(zt_alloc1(fd, frees_length(arg), &h));
	gen = 1ULL << (*(const __u32 *)arg == ZCBUF_POOL_PAGES ?
		       ZCBUF_BUF_PAGE_BITS : ZCBUF_BUF_SLAB_BITS);
	refused(fd, h + gen, ENOENT);
	refused(fd, h + 4 * gen, ENOENT);
	refused(fd, h - gen, ENOENT);
	if (*(const __u32 *)arg != ZCBUF_POOL_FIXED)
		refused(fd, 0, ENOENT);
	EXPECT_OK(zt_free1(fd, h));
	refused(fd, h + gen, ENOENT);
}

/* A handle that no pool could have issued: outside of the pool, no class. */
TEST(no_such_place)
{
	int pages = frees_pool(&kind_pages), tiers = frees_pool(&kind_tiers);
	int fixed = frees_pool(&kind_fixed);
	__u64 class9 = 9ULL << ZCBUF_BUF_CLASS_SHIFT;
	__u64 slab = (__u64)ZCBUF_BUF_SLAB << ZCBUF_BUF_CLASS_SHIFT;
	__u64 gen = 1ULL << ZCBUF_BUF_PAGE_BITS;

	refused(pages, gen | 512, EINVAL);
	refused(pages, gen | class9 | 1, EINVAL);	/* ends beyond the end */
	refused(pages, slab | 1ULL << ZCBUF_BUF_SLAB_BITS, EINVAL);
	refused(tiers, ~0ULL, EINVAL);
	refused(tiers, slab | 1ULL << ZCBUF_BUF_SLAB_BITS | ZT_ARENA >> 4,
		EINVAL);
	refused(fixed, 0, EINVAL);		/* blocks of pages */
	refused(fixed, ~0ULL, EINVAL);
	/* Where the second class begins. */
	refused(fixed, slab | 1ULL << ZCBUF_BUF_SLAB_BITS | 4 << 20 >> 4,
		EINVAL);
}

/* A slab object's handle names its first byte, not some byte of it. */
TEST(inside_an_object)
{
	int fd = frees_pool(&kind_tiers);
	__u64 h;

	ASSERT_OK(zt_alloc1(fd, 64, &h));
	EXPECT_LT(zt_free1(fd, h + 1), 0);
	EXPECT_OK(zt_free1(fd, h));
	EXPECT_EQ(zt_used(fd), 0);
}

TEST(a_pool_that_is_read_only)
{
	int fd = frees_pool(&kind_pages), ro = zt_join(fd, ZT_READ_ONLY);
	__u64 h;

	ASSERT_GE(ro, 0);
	EXPECT_ERR(zt_alloc1(ro, 4096, &h), EPERM);
	ASSERT_OK(zt_alloc1(fd, 4096, &h));
	EXPECT_ERR(zt_free1(ro, h), EPERM);
	EXPECT_OK(zt_free1(fd, h));
}

/* What a user scribbles over free memory is no allocator's state. */
TEST(scribbling_changes_nothing)
{
	static __u64 h[512];
	int fd = frees_pool(&kind_pages);
	unsigned char *base = zt_map(fd, PROT_READ | PROT_WRITE, ZT_ARENA);
	__u64 all;
	int i;

	ASSERT_TRUE(base);
	ASSERT_EQ(zt_alloc(fd, 4096, 0, 0, h, 512), 512);
	for (i = 0; i < 512; i += 2)
		EXPECT_OK(zt_free1(fd, h[i]));
	memset(base, 0xff, ZT_ARENA);
	for (i = 0; i < 512; i += 2)
		ASSERT_OK(zt_alloc1(fd, 4096, &h[i]));
	memset(base, 0, ZT_ARENA);
	EXPECT_EQ(zt_free(fd, h, 512), 512);
	memset(base, 0xff, ZT_ARENA);
	EXPECT_OK(zt_alloc1(fd, ZT_ARENA, &all));
}

/* The library's buffer, and a copy of it. */
TEST(buffer_objects)
{
	struct zcbuf_pool_opts o = { .sz = sizeof(o), .arena_size = ZT_ARENA };
	struct zcbuf_buf buf, copy, next;
	struct zcbuf_pool *pool;

	ASSERT_OK(zcbuf_pool_create(&pool, &o));
	ASSERT_OK(zcbuf_buf_alloc(pool, 4096, &buf));
	copy = buf;
	EXPECT_OK(zcbuf_buf_free(&buf));
	EXPECT_OK(zcbuf_buf_free(&buf));
	EXPECT_ERR(zcbuf_buf_free(&copy), EBADSLT);
	ASSERT_OK(zcbuf_buf_alloc(pool, 4096, &next));
	EXPECT_ERR(zcbuf_buf_free(&copy), ESTALE);
	EXPECT_OK(zcbuf_buf_free(&next));
	EXPECT_OK(zcbuf_pool_close(pool));
}

KTAP_MAIN()

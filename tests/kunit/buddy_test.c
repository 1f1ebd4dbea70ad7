// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of kmod/core/buddy.c, most of it against the model of
 * buddy_model.h.
 */
#include <kunit/test.h>

#include "buddy_model.h"
#include "rand.h"

#define ARENA_PAGES	8192	/* 32 MiB of 4 KiB pages */
#define SMALL_PAGES	150

static u32 must_alloc(struct kunit *test, struct arena *a, u32 order)
{
	u32 page = ~0U;

	KUNIT_ASSERT_EQ(test, zcb_buddy_alloc(&a->b, order, &page), 0);
	mark_out(test, a, page, order);
	return page;
}

static void must_free(struct kunit *test, struct arena *a, u32 page, u32 npages)
{
	KUNIT_ASSERT_EQ(test, zcb_buddy_free(&a->b, page, npages), 0);
	memset(a->out + page, 0, npages);
}

static int try_alloc(struct arena *a, u32 order)
{
	u32 page;

	return zcb_buddy_alloc(&a->b, order, &page);
}

static void limit(struct kunit *test)
{
	struct arena *a = make_arena(test, ARENA_PAGES);

	KUNIT_EXPECT_EQ(test, zcb_buddy_largest(&a->b), 13);
	KUNIT_EXPECT_EQ(test, try_alloc(a, 14), -E2BIG);
	KUNIT_EXPECT_EQ(test, try_alloc(a, ZCB_BUDDY_ORDERS), -E2BIG);
	KUNIT_EXPECT_EQ(test, try_alloc(a, ~0U), -E2BIG);
	KUNIT_EXPECT_EQ(test, must_alloc(test, a, 13), 0);
	KUNIT_EXPECT_EQ(test, zcb_buddy_largest(&a->b), -1);
	KUNIT_EXPECT_EQ(test, try_alloc(a, 13), -ENOMEM);
	KUNIT_EXPECT_EQ(test, try_alloc(a, 0), -ENOMEM);
	KUNIT_EXPECT_EQ(test, try_alloc(a, 14), -E2BIG);
	must_free(test, a, 0, ARENA_PAGES);
	KUNIT_EXPECT_EQ(test, must_alloc(test, a, 13), 0);
}

static void has_says_what_alloc_would(struct kunit *test)
{
	struct arena *a = make_arena(test, 64);

	KUNIT_EXPECT_TRUE(test, zcb_buddy_has(&a->b, 6));
	KUNIT_EXPECT_FALSE(test, zcb_buddy_has(&a->b, 7));
	KUNIT_EXPECT_FALSE(test, zcb_buddy_has(&a->b, ZCB_BUDDY_ORDERS));
	KUNIT_EXPECT_FALSE(test, zcb_buddy_has(&a->b, 32));
	must_alloc(test, a, 0);
	KUNIT_EXPECT_TRUE(test, zcb_buddy_has(&a->b, 5));
	KUNIT_EXPECT_FALSE(test, zcb_buddy_has(&a->b, 6));
	KUNIT_EXPECT_EQ(test, zcb_buddy_largest(&a->b), 5);
}

static void order_of_pages(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, zcb_buddy_order(0), 0);
	KUNIT_EXPECT_EQ(test, zcb_buddy_order(1), 0);
	KUNIT_EXPECT_EQ(test, zcb_buddy_order(2), 1);
	KUNIT_EXPECT_EQ(test, zcb_buddy_order(3), 2);
	KUNIT_EXPECT_EQ(test, zcb_buddy_order(4), 2);
	KUNIT_EXPECT_EQ(test, zcb_buddy_order(5), 3);
	KUNIT_EXPECT_EQ(test, zcb_buddy_order(8193), 14);
	KUNIT_EXPECT_EQ(test, zcb_buddy_order(1ULL << 40), 40);
	KUNIT_EXPECT_EQ(test, zcb_buddy_order((1ULL << 40) + 1), 41);
}

static const struct size_case {
	u64 bytes;
	u64 capacity;
} size_cases[] = {
	{ 0, 4096 }, { 1, 4096 }, { 4096, 4096 }, { 4097, 8192 },
	{ 8193, 16384 }, { 131072, 131072 }, { 131073, 262144 },
};

static u32 order_of_bytes(u64 bytes)
{
	return zcb_buddy_order((bytes + 4095) >> 12);
}

/* BEHAVIOUR.md 22 */
static void sizes_of_a_32_mib_arena(struct kunit *test)
{
	struct arena *a = make_arena(test, ARENA_PAGES);
	u32 i, page, order;

	for (i = 0; i < ARRAY_SIZE(size_cases); i++) {
		order = order_of_bytes(size_cases[i].bytes);
		KUNIT_EXPECT_EQ(test, 4096ULL << order, size_cases[i].capacity);
		page = must_alloc(test, a, order);
		KUNIT_EXPECT_EQ(test, page % (size_cases[i].capacity >> 12), 0);
	}
	check_arena(test, a);
	for (i = 0; i < ARENA_PAGES; i++)
		if (a->out[i])
			must_free(test, a, i, 1);
	KUNIT_EXPECT_EQ(test, must_alloc(test, a, order_of_bytes(33554432)), 0);
	must_free(test, a, 0, ARENA_PAGES);
	KUNIT_EXPECT_EQ(test, try_alloc(a, order_of_bytes(33554433)), -E2BIG);
}

/* BEHAVIOUR.md 23 */
static void single_pages_cover_the_arena(struct kunit *test)
{
	struct arena *a = make_arena(test, ARENA_PAGES);
	u32 i;

	for (i = 0; i < ARENA_PAGES; i++)
		KUNIT_ASSERT_EQ(test, must_alloc(test, a, 0), i);
	KUNIT_EXPECT_EQ(test, a->b.free_pages, 0);
	KUNIT_EXPECT_EQ(test, try_alloc(a, 0), -ENOMEM);
	must_free(test, a, 4711, 1);
	KUNIT_EXPECT_EQ(test, must_alloc(test, a, 0), 4711);
	for (i = 0; i < ARENA_PAGES; i++)
		must_free(test, a, i, 1);
	check_arena(test, a);
	KUNIT_EXPECT_EQ(test, must_alloc(test, a, 13), 0);
}

/* BEHAVIOUR.md 25 */
static void double_free(struct kunit *test)
{
	struct arena *a = make_arena(test, ARENA_PAGES);
	u32 page, first, second;

	must_alloc(test, a, 3);
	page = must_alloc(test, a, 3);
	must_free(test, a, page, 8);
	KUNIT_EXPECT_EQ(test, zcb_buddy_free(&a->b, page, 8), -EBADSLT);
	KUNIT_EXPECT_EQ(test, a->b.free_pages, ARENA_PAGES - 8);
	check_arena(test, a);
	first = must_alloc(test, a, 3);
	second = must_alloc(test, a, 3);
	KUNIT_EXPECT_NE(test, first, second);
}

/* One page that is free, wherever it is, and nothing changes. */
static void free_of_a_partly_free_range(struct kunit *test)
{
	struct arena *a = make_arena(test, 64);
	u32 i;

	must_alloc(test, a, 6);
	for (i = 0; i < 64; i++) {
		must_free(test, a, i, 1);
		KUNIT_EXPECT_EQ(test, zcb_buddy_free(&a->b, 0, 64), -EBADSLT);
		KUNIT_EXPECT_EQ(test, zcb_buddy_free(&a->b, i, 1), -EBADSLT);
		check_arena(test, a);
		KUNIT_ASSERT_EQ(test, must_alloc(test, a, 0), i);
	}
	must_free(test, a, 8, 16);
	KUNIT_EXPECT_EQ(test, zcb_buddy_free(&a->b, 23, 2), -EBADSLT);
	KUNIT_EXPECT_EQ(test, zcb_buddy_free(&a->b, 7, 2), -EBADSLT);
	must_free(test, a, 24, 40);
	must_free(test, a, 0, 8);
	check_arena(test, a);
}

static void bad_ranges(struct kunit *test)
{
	struct arena *a = make_arena(test, 100);
	u32 i;

	for (i = 0; i < 100; i++)
		must_alloc(test, a, 0);
	KUNIT_EXPECT_EQ(test, zcb_buddy_free(&a->b, 0, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, zcb_buddy_free(&a->b, 100, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, zcb_buddy_free(&a->b, 100, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, zcb_buddy_free(&a->b, ~0U, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, zcb_buddy_free(&a->b, 0, 101), -EINVAL);
	KUNIT_EXPECT_EQ(test, zcb_buddy_free(&a->b, 99, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, zcb_buddy_free(&a->b, 1, ~0U), -EINVAL);
	check_arena(test, a);
	must_free(test, a, 99, 1);
	check_arena(test, a);
}

static void split_low_half_first(struct kunit *test)
{
	struct arena *a = make_arena(test, 16);

	KUNIT_EXPECT_EQ(test, must_alloc(test, a, 0), 0);
	check_arena(test, a);
	KUNIT_EXPECT_EQ(test, must_alloc(test, a, 1), 2);
	KUNIT_EXPECT_EQ(test, must_alloc(test, a, 0), 1);
	KUNIT_EXPECT_EQ(test, must_alloc(test, a, 0), 4);
	KUNIT_EXPECT_EQ(test, must_alloc(test, a, 2), 8);
	KUNIT_EXPECT_EQ(test, must_alloc(test, a, 1), 6);
	KUNIT_EXPECT_EQ(test, must_alloc(test, a, 0), 5);
	KUNIT_EXPECT_EQ(test, must_alloc(test, a, 2), 12);
	KUNIT_EXPECT_EQ(test, try_alloc(a, 0), -ENOMEM);
}

/* Across words and summary words of the bitmaps. */
static void lowest_address_first(struct kunit *test)
{
	static const u32 pages[] = { 8190, 4097, 6000, 65, 4096, 63, 128 };
	static const u32 sorted[] = { 63, 65, 128, 4097, 6000, 8190 };
	struct arena *a = make_arena(test, ARENA_PAGES);
	u32 i;

	must_alloc(test, a, 13);
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		must_free(test, a, pages[i], 1);
	must_free(test, a, 8000, 2);
	/* 4096 and 4097 are one block of order 1 now. */
	KUNIT_EXPECT_EQ(test, must_alloc(test, a, 1), 4096);
	KUNIT_EXPECT_EQ(test, must_alloc(test, a, 1), 8000);
	must_free(test, a, 4097, 1);
	for (i = 0; i < ARRAY_SIZE(sorted); i++)
		KUNIT_EXPECT_EQ(test, must_alloc(test, a, 0), sorted[i]);
	KUNIT_EXPECT_EQ(test, try_alloc(a, 0), -ENOMEM);
}

/* A larger block is not split while a smaller one will do. */
static void smallest_block_first(struct kunit *test)
{
	struct arena *a = make_arena(test, 16);

	must_alloc(test, a, 4);
	must_free(test, a, 0, 8);
	must_free(test, a, 12, 2);
	KUNIT_EXPECT_EQ(test, must_alloc(test, a, 0), 12);
	KUNIT_EXPECT_EQ(test, must_alloc(test, a, 0), 13);
	KUNIT_EXPECT_EQ(test, must_alloc(test, a, 0), 0);
}

static void shuffle(struct zcb_rand *r, u32 *index, u32 n)
{
	u32 i, k;

	for (i = 0; i < n; i++)
		index[i] = i;
	for (i = n - 1; i; i--) {
		k = zcb_rand_below(r, i + 1);
		swap(index[i], index[k]);
	}
}

static void coalesce_in_any_order(struct kunit *test)
{
	struct arena *a = make_arena(test, 32);
	u32 round, i, index[32];
	struct zcb_rand r;

	zcb_rand_init(test, &r);
	for (round = 0; round < 200; round++) {
		for (i = 0; i < 32; i++)
			must_alloc(test, a, 0);
		shuffle(&r, index, 32);
		for (i = 0; i < 32; i++) {
			must_free(test, a, index[i], 1);
			check_arena(test, a);
		}
		KUNIT_ASSERT_EQ(test, must_alloc(test, a, 5), 0);
		must_free(test, a, 0, 32);
	}
}

/* Pages 1 and 2 are neighbours, but no block. */
static void coalesce_buddies_only(struct kunit *test)
{
	struct arena *a = make_arena(test, 4);

	must_alloc(test, a, 2);
	must_free(test, a, 1, 2);
	KUNIT_EXPECT_EQ(test, zcb_buddy_largest(&a->b), 0);
	KUNIT_EXPECT_EQ(test, try_alloc(a, 1), -ENOMEM);
	KUNIT_EXPECT_EQ(test, a->b.nfree[0], 2);
}

/* What is given back need not be what was taken. */
static void free_any_range(struct kunit *test)
{
	struct arena *a = make_arena(test, 64);

	must_alloc(test, a, 4);
	must_alloc(test, a, 4);
	must_free(test, a, 5, 11);
	check_arena(test, a);
	KUNIT_EXPECT_EQ(test, zcb_buddy_free(&a->b, 0, 6), -EBADSLT);
	must_free(test, a, 0, 1);
	must_alloc(test, a, 3);
	check_arena(test, a);
	must_free(test, a, 1, 4);
	must_free(test, a, 8, 24);
	check_arena(test, a);
	KUNIT_EXPECT_EQ(test, must_alloc(test, a, 6), 0);
}

/* Half of the memory is free, and nothing larger than a page. */
static void pathological(struct kunit *test)
{
	struct arena *a = make_arena(test, ARENA_PAGES);
	u32 i;

	must_alloc(test, a, 13);
	for (i = 0; i < ARENA_PAGES; i += 2)
		must_free(test, a, i, 1);
	KUNIT_EXPECT_EQ(test, a->b.free_pages, ARENA_PAGES / 2);
	KUNIT_EXPECT_EQ(test, zcb_buddy_largest(&a->b), 0);
	KUNIT_EXPECT_EQ(test, try_alloc(a, 1), -ENOMEM);
	check_arena(test, a);
	for (i = 1; i < ARENA_PAGES; i += 2)
		must_free(test, a, i, 1);
	check_arena(test, a);
	KUNIT_EXPECT_EQ(test, zcb_buddy_largest(&a->b), 13);
}

static void fill_and_empty(struct kunit *test, u32 npages)
{
	struct arena *a = make_arena(test, npages);
	u32 i;

	check_arena(test, a);
	KUNIT_EXPECT_EQ(test, zcb_buddy_largest(&a->b), ilog2(npages));
	KUNIT_EXPECT_EQ(test, try_alloc(a, ilog2(npages) + 1), -E2BIG);
	for (i = 0; i < npages; i++)
		must_alloc(test, a, 0);
	KUNIT_EXPECT_EQ(test, try_alloc(a, 0), -ENOMEM);
	for (i = 0; i < npages; i++)
		must_free(test, a, npages - 1 - i, 1);
	check_arena(test, a);
}

static void arenas_of_any_size(struct kunit *test)
{
	static const u32 npages[] = {
		1, 2, 3, 31, 32, 33, 63, 64, 65, 100, 511, 512, 1536, 4095,
		4096, 4097, 5000,
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(npages); i++)
		fill_and_empty(test, npages[i]);
}

/* Blocks of the highest order have no larger one to become. */
static void arena_beyond_the_highest_order(struct kunit *test)
{
	u32 page, top = ZCB_BUDDY_ORDERS - 1;
	struct zcb_buddy b;
	void *metadata;

	metadata = kunit_kmalloc(test, zcb_buddy_metadata_size(2U << top),
				 GFP_KERNEL | __GFP_NOWARN);
	if (!metadata)
		kunit_skip(test, "no contiguous memory for the metadata");
	zcb_buddy_init(&b, metadata, 2U << top);
	KUNIT_EXPECT_EQ(test, b.nfree[top], 2);
	KUNIT_EXPECT_EQ(test, zcb_buddy_alloc(&b, top, &page), 0);
	KUNIT_EXPECT_EQ(test, page, 0);
	KUNIT_EXPECT_EQ(test, zcb_buddy_alloc(&b, 0, &page), 0);
	KUNIT_EXPECT_EQ(test, page, 1U << top);
	KUNIT_EXPECT_EQ(test, zcb_buddy_alloc(&b, top, &page), -ENOMEM);
	KUNIT_EXPECT_EQ(test, zcb_buddy_free(&b, 0, (1U << top) + 1), 0);
	KUNIT_EXPECT_EQ(test, b.nfree[top], 2);
	KUNIT_EXPECT_EQ(test, b.free_pages, 2U << top);
}

/* Every answer is known beforehand; ranges are good, bad and in between. */
static void random_stream(struct kunit *test)
{
	struct arena *a = make_arena(test, SMALL_PAGES);
	u32 i, page, n;
	struct zcb_rand r;

	zcb_rand_init(test, &r);
	for (i = 0; i < ZCB_RAND_OPS(200000); i++) {
		if (zcb_rand_chance(&r, 50)) {
			checked_alloc(test, a, zcb_rand_below(&r, 4) *
					       zcb_rand_below(&r, 4));
		} else {
			page = zcb_rand_below(&r, SMALL_PAGES + 1);
			n = zcb_rand_below(&r, 1U << zcb_rand_below(&r, 5));
			checked_free(test, a, page, n);
		}
		check_arena(test, a);
	}
}

/* ------------------------------------------------------------------- areas */

static int try_alloc_in(struct arena *a, u32 order)
{
	u32 page;

	return zcb_buddy_alloc_in(&a->b, &a->area, order, &page);
}

static u32 must_alloc_in(struct kunit *test, struct arena *a, u32 order)
{
	u32 page = ~0U;

	KUNIT_ASSERT_EQ(test, 0, zcb_buddy_alloc_in(&a->b, &a->area, order,
						    &page));
	mark_out(test, a, page, order);
	return page;
}

static void nothing_in_no_area(struct kunit *test)
{
	struct arena *a = make_arena(test, 64);

	make_area(test, a, 1);
	KUNIT_EXPECT_EQ(test, try_alloc_in(a, 0), -ENOMEM);
	KUNIT_EXPECT_EQ(test, try_alloc_in(a, 6), -ENOMEM);
	KUNIT_EXPECT_EQ(test, try_alloc_in(a, 7), -E2BIG);
	KUNIT_EXPECT_EQ(test, try_alloc_in(a, ~0U), -E2BIG);
	KUNIT_EXPECT_FALSE(test, zcb_buddy_area_has(&a->area, 0, 1));
	check_arena(test, a);
}

/* Every other piece: larger blocks there are none, and no page between them. */
static void pieces_by_turns(struct kunit *test)
{
	struct arena *a = make_arena(test, 64);
	u32 i;

	make_area(test, a, 3);
	for (i = 8; i < 64; i += 16)
		add_to_area(a, i);
	KUNIT_EXPECT_EQ(test, try_alloc_in(a, 4), -ENOMEM);
	KUNIT_EXPECT_EQ(test, must_alloc_in(test, a, 0), 8);
	KUNIT_EXPECT_EQ(test, must_alloc_in(test, a, 3), 24);
	KUNIT_EXPECT_EQ(test, must_alloc_in(test, a, 2), 12);
	KUNIT_EXPECT_EQ(test, must_alloc_in(test, a, 3), 40);
	KUNIT_EXPECT_EQ(test, must_alloc_in(test, a, 3), 56);
	KUNIT_EXPECT_EQ(test, try_alloc_in(a, 2), -ENOMEM);
	KUNIT_EXPECT_EQ(test, must_alloc_in(test, a, 1), 10);
	KUNIT_EXPECT_EQ(test, must_alloc_in(test, a, 0), 9);
	KUNIT_EXPECT_EQ(test, try_alloc_in(a, 0), -ENOMEM);
	check_arena(test, a);
	KUNIT_EXPECT_EQ(test, a->b.free_pages, 32);
	must_free(test, a, 9, 1);
	KUNIT_EXPECT_EQ(test, must_alloc_in(test, a, 0), 9);
}

/* Blocks that cross the edge of the area are none of it. */
static void an_area_from_the_middle_on(struct kunit *test)
{
	struct arena *a = make_arena(test, 64);
	u32 i;

	make_area(test, a, 0);
	for (i = 20; i < 64; i++)
		add_to_area(a, i);
	KUNIT_EXPECT_EQ(test, try_alloc_in(a, 6), -ENOMEM);
	KUNIT_EXPECT_EQ(test, must_alloc_in(test, a, 5), 32);
	KUNIT_EXPECT_EQ(test, try_alloc_in(a, 4), -ENOMEM);
	KUNIT_EXPECT_EQ(test, must_alloc_in(test, a, 3), 24);
	KUNIT_EXPECT_EQ(test, must_alloc_in(test, a, 0), 20);
	KUNIT_EXPECT_EQ(test, try_alloc_in(a, 2), -ENOMEM);
	check_arena(test, a);
}

/* As without an area: what is split already comes first. */
static void smallest_block_of_the_area(struct kunit *test)
{
	struct arena *a = make_arena(test, 64);
	u32 i;

	make_area(test, a, 0);
	for (i = 0; i < 64; i++)
		add_to_area(a, i);
	must_alloc(test, a, 6);
	must_free(test, a, 0, 16);
	must_free(test, a, 50, 1);
	KUNIT_EXPECT_EQ(test, must_alloc_in(test, a, 0), 50);
	KUNIT_EXPECT_EQ(test, must_alloc_in(test, a, 0), 0);
	KUNIT_EXPECT_EQ(test, must_alloc_in(test, a, 3), 8);
	check_arena(test, a);
}

static void what_an_area_has(struct kunit *test)
{
	struct arena *a = make_arena(test, 640);
	u32 first, last;

	make_area(test, a, 2);
	for (first = 60; first < 132; first += 4)
		add_to_area(a, first + 3);
	add_to_area(a, 639);
	for (first = 0; first < 640; first++)
		for (last = first; last < min(first + 80, 640U); last++)
			KUNIT_ASSERT_EQ(test, all_in(a, first,
						     last - first + 1),
					zcb_buddy_area_has(&a->area, first,
							   last - first + 1));
}

static bool any_in(const struct arena *a, u32 page, u32 npages)
{
	while (npages--)
		if (all_in(a, page++, 1))
			return true;
	return false;
}

static void what_meets_an_area(struct kunit *test)
{
	struct arena *a = make_arena(test, 640);
	u32 first, last;

	make_area(test, a, 2);
	for (first = 60; first < 640; first += 44)
		add_to_area(a, first);
	for (first = 0; first < 640; first++)
		for (last = first; last < min(first + 80, 640U); last++)
			KUNIT_ASSERT_EQ(test, any_in(a, first,
						     last - first + 1),
					zcb_buddy_area_meets(&a->area, first,
							     last - first + 1));
}

static void area_beyond_the_highest_order(struct kunit *test)
{
	const u32 top = ZCB_BUDDY_ORDERS - 1;
	struct zcb_buddy_area area;
	void *metadata;
	u32 i;

	metadata = kunit_kmalloc(test, zcb_buddy_area_size(2U << top, top - 1),
				 GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, metadata);
	zcb_buddy_area_init(&area, metadata, 2U << top, top - 1);
	for (i = 0; i < 4; i++)
		zcb_buddy_area_add(&area, i << (top - 1));
	KUNIT_EXPECT_EQ(test, area.nblocks[top], 2);
	KUNIT_EXPECT_TRUE(test, zcb_buddy_area_has(&area, 0, 2U << top));
}

/*
 * With and without an area, which grows meanwhile. Its pieces are a page, or so many
 * that a word of a map is of one.
 */
static void random_area(struct kunit *test, struct zcb_rand *r, u32 unit)
{
	struct arena *a = make_arena(test, (SMALL_PAGES >> unit) << unit);
	u32 i, page, n;

	make_area(test, a, unit);
	for (i = 0; i < ZCB_RAND_OPS(10000); i++) {
		page = zcb_rand_below(r, a->b.npages);
		n = zcb_rand_below(r, 4) * zcb_rand_below(r, 3);
		if (zcb_rand_chance(r, 1))
			add_to_area(a, page);
		else if (zcb_rand_chance(r, 40))
			checked_alloc_in(test, a, n);
		else if (zcb_rand_chance(r, 20))
			checked_alloc(test, a, n);
		else
			checked_free(test, a, page, 1 + n);
		check_arena(test, a);
	}
}

static void random_areas(struct kunit *test)
{
	struct zcb_rand r;
	u32 unit;

	zcb_rand_init(test, &r);
	for (unit = 0; unit < 8; unit++)
		random_area(test, &r, unit);
}

struct live_block {
	u32 page;
	u32 order;
};

/* At full size, with whole blocks: no overlap, and nothing is lost. */
static void random_stream_of_blocks(struct kunit *test)
{
	struct arena *a = make_arena(test, ARENA_PAGES);
	struct live_block *live, b;
	u32 i, k, n = 0;
	struct zcb_rand r;

	live = kunit_kcalloc(test, ARENA_PAGES, sizeof(*live), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, live);
	zcb_rand_init(test, &r);
	for (i = 0; i < ZCB_RAND_OPS(400000); i++) {
		b.order = min(zcb_rand_below(&r, 10), zcb_rand_below(&r, 10));
		if (zcb_rand_chance(&r, 55) && zcb_buddy_has(&a->b, b.order)) {
			b.page = must_alloc(test, a, b.order);
			live[n++] = b;
		} else if (n) {
			k = zcb_rand_below(&r, n);
			must_free(test, a, live[k].page, 1U << live[k].order);
			live[k] = live[--n];
		}
		if (!(i % 16384))
			check_arena(test, a);
	}
	while (n--)
		must_free(test, a, live[n].page, 1U << live[n].order);
	check_arena(test, a);
	KUNIT_EXPECT_EQ(test, zcb_buddy_largest(&a->b), 13);
}

static struct kunit_case buddy_cases[] = {
	KUNIT_CASE(limit),
	KUNIT_CASE(has_says_what_alloc_would),
	KUNIT_CASE(order_of_pages),
	KUNIT_CASE(sizes_of_a_32_mib_arena),
	KUNIT_CASE(single_pages_cover_the_arena),
	KUNIT_CASE(double_free),
	KUNIT_CASE(free_of_a_partly_free_range),
	KUNIT_CASE(bad_ranges),
	KUNIT_CASE(split_low_half_first),
	KUNIT_CASE(lowest_address_first),
	KUNIT_CASE(smallest_block_first),
	KUNIT_CASE(coalesce_in_any_order),
	KUNIT_CASE(coalesce_buddies_only),
	KUNIT_CASE(free_any_range),
	KUNIT_CASE(pathological),
	KUNIT_CASE(arenas_of_any_size),
	KUNIT_CASE(arena_beyond_the_highest_order),
	KUNIT_CASE(random_stream),
	KUNIT_CASE(random_stream_of_blocks),
	KUNIT_CASE(nothing_in_no_area),
	KUNIT_CASE(pieces_by_turns),
	KUNIT_CASE(an_area_from_the_middle_on),
	KUNIT_CASE(smallest_block_of_the_area),
	KUNIT_CASE(what_an_area_has),
	KUNIT_CASE(what_meets_an_area),
	KUNIT_CASE(area_beyond_the_highest_order),
	KUNIT_CASE(random_areas),
	{}
};

static struct kunit_suite buddy_suite = {
	.name = "zcb_buddy",
	.test_cases = buddy_cases,
};

kunit_test_suite(buddy_suite);

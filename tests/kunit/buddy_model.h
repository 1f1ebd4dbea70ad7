/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model of a buddy: one byte for each page, out or not. From it follows which
 * free blocks there must be, as full coalescing leaves no choice.
 */
#ifndef ZCB_KUNIT_BUDDY_MODEL_H
#define ZCB_KUNIT_BUDDY_MODEL_H

#include <kunit/test.h>
#include "../../kmod/core/buddy.h"

/**
 * struct arena - a buddy and its model
 * @b: the buddy
 * @out: by page: it is handed out
 * @whole: by order and block: all of it is free; from @out, by learn()
 * @area: some of its pages, if make_area() was there
 * @in: by page: it is in @area
 */
struct arena {
	struct zcb_buddy b;
	u8 *out;
	u8 *whole[ZCB_BUDDY_ORDERS];
	struct zcb_buddy_area area;
	u8 *in;
};

static inline struct arena *make_arena(struct kunit *test, u32 npages)
{
	struct arena *a = kunit_kzalloc(test, sizeof(*a), GFP_KERNEL);
	void *metadata;
	u8 *whole;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, a);
	a->out = kunit_kzalloc(test, npages, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, a->out);
	whole = kunit_kzalloc(test, 2 * npages, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, whole);
	for (i = 0; i < ZCB_BUDDY_ORDERS; i++) {
		a->whole[i] = whole;
		whole += npages >> i;
	}
	metadata = kunit_kmalloc(test, zcb_buddy_metadata_size(npages),
				 GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, metadata);
	memset(&a->b, 0xa5, sizeof(a->b));
	zcb_buddy_init(&a->b, metadata, npages);
	return a;
}

/* Of pieces of 1 << @unit pages, none yet. */
static inline void make_area(struct kunit *test, struct arena *a, u32 unit)
{
	u32 npages = a->b.npages;
	void *metadata;

	metadata = kunit_kmalloc(test, zcb_buddy_area_size(npages, unit),
				 GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, metadata);
	a->in = kunit_kzalloc(test, npages, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, a->in);
	memset(&a->area, 0xa5, sizeof(a->area));
	zcb_buddy_area_init(&a->area, metadata, npages, unit);
}

/* The piece that has @page, if it is not there yet. */
static inline void add_to_area(struct arena *a, u32 page)
{
	u32 n = 1U << a->area.unit;

	if (a->in[page])
		return;
	zcb_buddy_area_add(&a->area, page);
	memset(a->in + round_down(page, n), 1, n);
}

static inline bool all_in(const struct arena *a, u32 page, u32 npages)
{
	u32 i;

	for (i = page; i < page + npages; i++)
		if (!a->in[i])
			return false;
	return true;
}

static inline bool none_out(const struct arena *a, u32 page, u32 npages)
{
	u32 i;

	for (i = page; i < page + npages; i++)
		if (a->out[i])
			return false;
	return true;
}

static inline bool all_out(const struct arena *a, u32 page, u32 npages)
{
	u32 i;

	for (i = page; i < page + npages; i++)
		if (!a->out[i])
			return false;
	return true;
}

/* A block is free if both of its halves are. */
static inline void learn(struct arena *a)
{
	u32 order, i;

	for (i = 0; i < a->b.npages; i++)
		a->whole[0][i] = !a->out[i];
	for (order = 1; order < ZCB_BUDDY_ORDERS; order++)
		for (i = 0; i < a->b.npages >> order; i++)
			a->whole[order][i] = a->whole[order - 1][2 * i] &&
					     a->whole[order - 1][2 * i + 1];
}

/* Must this be a free block? It is free, and not half of a larger one. */
static inline bool is_block(const struct arena *a, u32 order, u32 block)
{
	u32 parent = block >> 1;

	if (!a->whole[order][block])
		return false;
	return order + 1 == ZCB_BUDDY_ORDERS ||
	       parent >= a->b.npages >> (order + 1) ||
	       !a->whole[order + 1][parent];
}

static inline void check_order(struct kunit *test, const struct arena *a,
			       u32 order)
{
	u32 nblocks = a->b.npages >> order;
	u32 i, words = BITS_TO_LONGS(nblocks), n = 0;

	for (i = 0; i < words * BITS_PER_LONG; i++) {
		bool want = i < nblocks && is_block(a, order, i);

		KUNIT_ASSERT_EQ_MSG(test, !!test_bit(i, a->b.map[order]), want,
				    "order %u block %u", order, i);
		n += want;
	}
	for (i = 0; i < words; i++)
		KUNIT_ASSERT_EQ(test, !!test_bit(i, a->b.summary[order]),
				!!a->b.map[order][i]);
	KUNIT_ASSERT_EQ(test, a->b.nfree[order], n);
	KUNIT_ASSERT_EQ(test, !!(a->b.orders & BIT(order)), !!n);
}

/* All that the buddy knows against the model. */
static inline void check_arena(struct kunit *test, struct arena *a)
{
	u32 i, nfree = 0;

	learn(a);
	for (i = 0; i < ZCB_BUDDY_ORDERS; i++)
		check_order(test, a, i);
	for (i = 0; i < a->b.npages; i++)
		nfree += !a->out[i];
	KUNIT_ASSERT_EQ(test, a->b.free_pages, nfree);
}

static inline void mark_out(struct kunit *test, struct arena *a, u32 page,
			    u32 order)
{
	KUNIT_ASSERT_EQ(test, page & ((1U << order) - 1), 0);
	KUNIT_ASSERT_LE(test, page + (1U << order), a->b.npages);
	KUNIT_ASSERT_TRUE(test, none_out(a, page, 1U << order));
	memset(a->out + page, 1, 1U << order);
}

/*
 * Where the block is that zcb_buddy_alloc() has to choose, or its error, as
 * things were at the last learn().
 */
static inline int expected_block(const struct arena *a, u32 order, u32 *page)
{
	u32 i;

	if (order >= ZCB_BUDDY_ORDERS || !(a->b.npages >> order))
		return -E2BIG;
	for (; order < ZCB_BUDDY_ORDERS; order++) {
		for (i = 0; i < a->b.npages >> order; i++) {
			if (is_block(a, order, i)) {
				*page = i << order;
				return 0;
			}
		}
	}
	return -ENOMEM;
}

/* The answer is known beforehand. */
static inline void checked_alloc(struct kunit *test, struct arena *a, u32 order)
{
	u32 want = 0, page = 0;
	int error;

	learn(a);
	error = expected_block(a, order, &want);
	KUNIT_ASSERT_EQ(test, zcb_buddy_alloc(&a->b, order, &page), error);
	if (error)
		return;
	KUNIT_ASSERT_EQ(test, page, want);
	mark_out(test, a, page, order);
}

/* Where zcb_buddy_alloc_in() has to find a block in this one, which is free. */
static inline bool expected_in_block(const struct arena *a, u32 from, u32 block,
				     u32 order, u32 *page)
{
	u32 end = (block + 1) << from;

	for (*page = block << from; *page < end; *page += 1U << order)
		if (all_in(a, *page, 1U << order))
			return true;
	return false;
}

static inline int expected_in(const struct arena *a, u32 order, u32 *page)
{
	u32 from, i;

	if (order >= ZCB_BUDDY_ORDERS || !(a->b.npages >> order))
		return -E2BIG;
	for (from = order; from < ZCB_BUDDY_ORDERS; from++)
		for (i = 0; i < a->b.npages >> from; i++)
			if (is_block(a, from, i) &&
			    expected_in_block(a, from, i, order, page))
				return 0;
	return -ENOMEM;
}

static inline void checked_alloc_in(struct kunit *test, struct arena *a,
				    u32 order)
{
	u32 want = 0, page = 0;
	int error;

	learn(a);
	error = expected_in(a, order, &want);
	KUNIT_ASSERT_EQ(test, zcb_buddy_alloc_in(&a->b, &a->area, order, &page),
			error);
	if (error)
		return;
	KUNIT_ASSERT_EQ(test, page, want);
	mark_out(test, a, page, order);
}

/* Any range, good or bad. */
static inline void checked_free(struct kunit *test, struct arena *a, u32 page,
				u32 npages)
{
	u32 size = a->b.npages;
	int want = 0;

	if (!npages || page >= size || npages > size - page)
		want = -EINVAL;
	else if (!all_out(a, page, npages))
		want = -EBADSLT;
	KUNIT_ASSERT_EQ(test, zcb_buddy_free(&a->b, page, npages), want);
	if (!want)
		memset(a->out + page, 0, npages);
}

#endif /* ZCB_KUNIT_BUDDY_MODEL_H */

// SPDX-License-Identifier: GPL-2.0-only
/* KUnit suite of kmod/core/buf.c, the random stream with buddy.c below it. */
#include <kunit/test.h>
#include <linux/zcbuf.h>

#include "../../kmod/core/buddy.h"
#include "../../kmod/core/buf.h"
#include "../../kmod/core/slab.h"
#include "rand.h"

#define PAGES	64

struct owner {
	struct zcb_buf_list list;
};

struct pool {
	struct zcb_buf_table t;
	struct owner owner[4];
};

static struct pool *make_pool(struct kunit *test, u32 npages, u32 page_shift)
{
	struct pool *p = kunit_kzalloc(test, sizeof(*p), GFP_KERNEL);
	struct zcb_buf_page *pages;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, p);
	pages = kunit_kmalloc(test, npages * sizeof(*pages), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pages);
	zcb_buf_pages_init(pages, npages);
	zcb_buf_table_init(&p->t, pages, npages, page_shift);
	for (i = 0; i < ARRAY_SIZE(p->owner); i++)
		zcb_buf_list_init(&p->owner[i].list);
	return p;
}

static u64 hand_out(struct pool *p, u32 owner, u32 page, u32 order)
{
	struct owner *o = &p->owner[owner];

	return zcb_buf_hand_out(&p->t, &o->list, o, page, order);
}

static void take_back(struct pool *p, u32 owner, u32 page)
{
	zcb_buf_take_back(&p->t, &p->owner[owner].list, page);
}

static void lease(struct pool *p, u32 owner, u32 page, u32 order,
		  struct zcb_slab *slab)
{
	struct owner *o = &p->owner[owner];

	zcb_buf_lease(&p->t, &o->list, o, page, order, slab);
}

static void unlease(struct pool *p, u32 owner, u32 page)
{
	zcb_buf_unlease(&p->t, &p->owner[owner].list, page);
}

/* The page found, or an error. */
static int find(const struct pool *p, u32 owner, u64 handle)
{
	u32 page;
	int error;

	error = zcb_buf_find(&p->t, handle, &p->owner[owner], &page);
	return error ?: page;
}

/* The offset found in @slab, or an error. */
static int find_slab(struct kunit *test, const struct pool *p, u32 owner,
		     u64 handle, u32 order, const struct zcb_slab *slab)
{
	struct zcb_slab *found;
	u64 offset;
	int error;

	error = zcb_buf_find_slab(&p->t, handle, order, &p->owner[owner],
				  &found, &offset);
	if (error)
		return error;
	KUNIT_EXPECT_PTR_EQ(test, found, slab);
	return (int)offset;
}

/* Only its class is looked at. */
static struct zcb_slab *make_slab(struct kunit *test, u32 class)
{
	struct zcb_slab *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	s->class = class;
	return s;
}

static u64 block_handle(u64 class, u64 gen, u64 index)
{
	return class << 58 | gen << 28 | index;
}

static u64 slab_handle(u64 class, u64 gen, u64 index)
{
	return (class + 32) << 58 | gen << 36 | index;
}

static void handle_layout(struct kunit *test)
{
	struct pool *p = make_pool(test, PAGES, 12);
	u64 handle = hand_out(p, 0, 4, 2);

	KUNIT_EXPECT_EQ(test, handle, block_handle(2, 1, 4));
	KUNIT_EXPECT_EQ(test, zcbuf_buf_class(handle), 2);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(handle), 16384);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_capacity(handle, NULL), 16384);
	KUNIT_EXPECT_EQ(test, find(p, 0, handle), 4);
	take_back(p, 0, 4);
	KUNIT_EXPECT_EQ(test, hand_out(p, 0, 4, 0), block_handle(0, 2, 4));
	KUNIT_EXPECT_NE(test, hand_out(p, 0, 0, 0), 0);
}

static void handle_layout_of_large_pages(struct kunit *test)
{
	struct pool *p = make_pool(test, PAGES, 16);
	u64 handle = hand_out(p, 0, 6, 1);

	KUNIT_EXPECT_EQ(test, zcbuf_buf_class(handle), 5);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(handle), 6 * 65536);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_capacity(handle, NULL), 131072);
	KUNIT_EXPECT_EQ(test, find(p, 0, handle), 6);
	/* Not on a page; less than a page. */
	KUNIT_EXPECT_EQ(test, find(p, 0, handle + 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, find(p, 0, block_handle(3, 1, 0)), -EINVAL);
}

/* Pages of 1 GiB stand for a pool of 64 GiB. */
static void offsets_beyond_32_bits(struct kunit *test)
{
	struct zcb_slab *slab = make_slab(test, 2);
	struct pool *p = make_pool(test, PAGES, 30);
	u64 handle = hand_out(p, 0, 62, 1);

	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(handle), 62ULL << 30);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_capacity(handle, NULL), 2ULL << 30);
	KUNIT_EXPECT_EQ(test, find(p, 0, handle), 62);
	lease(p, 0, 61, 0, slab);
	handle = zcb_buf_slab_handle(&p->t, 61, 2, 4096);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(handle), (61ULL << 30) + 4096);
	KUNIT_EXPECT_EQ(test, find_slab(test, p, 0, handle, 0, slab), 4096);
}

static void foreign(struct kunit *test)
{
	struct pool *p = make_pool(test, PAGES, 12);
	u64 handle = hand_out(p, 1, 8, 3);

	KUNIT_EXPECT_EQ(test, find(p, 0, handle), -EPERM);
	KUNIT_EXPECT_EQ(test, find(p, 1, handle), 8);
}

static void never_issued(struct kunit *test)
{
	struct pool *p = make_pool(test, PAGES, 12);

	hand_out(p, 0, 8, 3);
	KUNIT_EXPECT_EQ(test, find(p, 0, block_handle(3, 2, 8)), -ENOENT);
	KUNIT_EXPECT_EQ(test, find(p, 0, block_handle(3, 0, 8)), -ENOENT);
	KUNIT_EXPECT_EQ(test, find(p, 0, block_handle(2, 1, 8)), -ENOENT);
	KUNIT_EXPECT_EQ(test, find(p, 0, block_handle(0, 1, 9)), -ENOENT);
	KUNIT_EXPECT_EQ(test, find(p, 0, block_handle(0, 1, 16)), -ENOENT);
	KUNIT_EXPECT_EQ(test, find(p, 0, 0), -ENOENT);
	take_back(p, 0, 8);
	KUNIT_EXPECT_EQ(test, find(p, 0, block_handle(3, 2, 8)), -ENOENT);
	KUNIT_EXPECT_EQ(test, find(p, 0, block_handle(3, 0, 8)), -ENOENT);
}

static void out_of_range(struct kunit *test)
{
	struct pool *p = make_pool(test, 60, 12);

	KUNIT_EXPECT_EQ(test, find(p, 0, block_handle(0, 1, 59)), -ENOENT);
	KUNIT_EXPECT_EQ(test, find(p, 0, block_handle(0, 1, 60)), -EINVAL);
	KUNIT_EXPECT_EQ(test, find(p, 0, block_handle(0, 1, (1U << 28) - 1)),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, find(p, 0, block_handle(3, 1, 56)), -EINVAL);
	KUNIT_EXPECT_EQ(test, find(p, 0, block_handle(31, 1, 0)), -EINVAL);
	KUNIT_EXPECT_EQ(test, find(p, 0, slab_handle(0, 1, 0)), -EINVAL);
	KUNIT_EXPECT_EQ(test, find(p, 0, ~0ULL), -EINVAL);
}

/* BEHAVIOUR.md 25 */
static void double_free(struct kunit *test)
{
	struct pool *p = make_pool(test, PAGES, 12);
	u64 handle = hand_out(p, 0, 8, 3);

	take_back(p, 0, 8);
	KUNIT_EXPECT_EQ(test, find(p, 0, handle), -EBADSLT);
	KUNIT_EXPECT_EQ(test, find(p, 1, handle), -EBADSLT);
	KUNIT_EXPECT_EQ(test, p->owner[0].list.count, 0);
	KUNIT_EXPECT_EQ(test, p->owner[0].list.pages, 0);
}

static void stale(struct kunit *test)
{
	struct pool *p = make_pool(test, PAGES, 12);
	u64 old = hand_out(p, 0, 8, 3), new;

	take_back(p, 0, 8);
	new = hand_out(p, 0, 8, 3);
	KUNIT_EXPECT_NE(test, old, new);
	KUNIT_EXPECT_EQ(test, find(p, 0, old), -ESTALE);
	KUNIT_EXPECT_EQ(test, find(p, 0, new), 8);
	take_back(p, 0, 8);
	hand_out(p, 1, 8, 0);
	KUNIT_EXPECT_EQ(test, find(p, 0, old), -ESTALE);
	KUNIT_EXPECT_EQ(test, find(p, 0, new), -ESTALE);
}

/* Its page has no record of its own then. */
static void stale_inside_a_larger_block(struct kunit *test)
{
	struct zcb_slab *slab = make_slab(test, 0);
	struct pool *p = make_pool(test, PAGES, 12);
	u64 handle = hand_out(p, 0, 29, 0);

	take_back(p, 0, 29);
	hand_out(p, 1, 16, 3);
	KUNIT_EXPECT_EQ(test, find(p, 0, handle), -EBADSLT);
	hand_out(p, 1, 24, 3);
	KUNIT_EXPECT_EQ(test, find(p, 0, handle), -ESTALE);
	take_back(p, 1, 24);
	take_back(p, 1, 16);
	KUNIT_EXPECT_EQ(test, find(p, 0, handle), -EBADSLT);
	hand_out(p, 1, 0, 5);
	KUNIT_EXPECT_EQ(test, find(p, 0, handle), -ESTALE);
	take_back(p, 1, 0);
	lease(p, 1, 28, 2, slab);
	KUNIT_EXPECT_EQ(test, find(p, 0, handle), -ESTALE);
}

/* A block handle does not name the slab that starts at the same page. */
static void block_or_slab(struct kunit *test)
{
	struct zcb_slab *slab = make_slab(test, 3);
	struct pool *p = make_pool(test, PAGES, 12);
	u64 block = hand_out(p, 0, 8, 1), object;

	KUNIT_EXPECT_EQ(test, find_slab(test, p, 0, slab_handle(3, 1, 8 << 8),
					1, slab), -ENOENT);
	take_back(p, 0, 8);
	lease(p, 0, 8, 1, slab);
	object = zcb_buf_slab_handle(&p->t, 8, 3, 0);
	KUNIT_EXPECT_EQ(test, find(p, 0, block), -ESTALE);
	KUNIT_EXPECT_EQ(test, find(p, 0, block_handle(1, 2, 8)), -ENOENT);
	unlease(p, 0, 8);
	hand_out(p, 0, 8, 1);
	KUNIT_EXPECT_EQ(test, find_slab(test, p, 0, object, 1, slab), -ESTALE);
	KUNIT_EXPECT_EQ(test, find(p, 0, block_handle(1, 2, 8)), 8);
}

/* The last generation is issued, and after it the first again. */
static void generations_start_again(struct kunit *test)
{
	struct pool *p = make_pool(test, PAGES, 12);
	u64 handle;

	zcb_buf_at(&p->t, 8)->gen = ZCB_BUF_GEN_MAX - 1;
	hand_out(p, 0, 8, 3);
	take_back(p, 0, 8);
	handle = hand_out(p, 0, 8, 3);
	KUNIT_EXPECT_EQ(test, handle, block_handle(3, ZCB_BUF_GEN_MAX, 8));
	KUNIT_EXPECT_EQ(test, find(p, 0, handle), 8);
	take_back(p, 0, 8);
	KUNIT_EXPECT_LT(test, find(p, 0, handle), 0);
	KUNIT_EXPECT_EQ(test, hand_out(p, 0, 8, 3), block_handle(3, 1, 8));
	KUNIT_EXPECT_LT(test, find(p, 0, handle), 0);
	KUNIT_EXPECT_EQ(test, find(p, 0, block_handle(3, 0, 8)), -ENOENT);
}

static void generations_of_a_slab_start_again(struct kunit *test)
{
	struct zcb_slab *slab = make_slab(test, 1);
	struct pool *p = make_pool(test, PAGES, 12);
	u64 handle;

	zcb_buf_at(&p->t, 8)->slab_gen = ZCB_BUF_SLAB_GEN_MAX;
	lease(p, 0, 8, 0, slab);
	handle = zcb_buf_slab_handle(&p->t, 8, 1, 64);
	KUNIT_EXPECT_EQ(test, handle,
			slab_handle(1, ZCB_BUF_SLAB_GEN_MAX, (8 << 8) + 4));
	KUNIT_EXPECT_EQ(test, find_slab(test, p, 0, handle, 0, slab), 64);
	unlease(p, 0, 8);
	KUNIT_EXPECT_LT(test, find_slab(test, p, 0, handle, 0, slab), 0);
	lease(p, 0, 8, 0, slab);
	KUNIT_EXPECT_EQ(test, zcb_buf_slab_handle(&p->t, 8, 1, 64),
			slab_handle(1, 1, (8 << 8) + 4));
	KUNIT_EXPECT_LT(test, find_slab(test, p, 0, handle, 0, slab), 0);
}

/* Generations of blocks do not use up those of slabs, which are fewer. */
static void slab_after_many_blocks(struct kunit *test)
{
	struct zcb_slab *slab = make_slab(test, 1);
	struct pool *p = make_pool(test, PAGES, 12);
	u64 handle;

	zcb_buf_at(&p->t, 8)->gen = ZCB_BUF_SLAB_GEN_MAX + 1;
	lease(p, 0, 8, 0, slab);
	handle = zcb_buf_slab_handle(&p->t, 8, 1, 0);
	KUNIT_EXPECT_EQ(test, handle, slab_handle(1, 1, 8 << 8));
	unlease(p, 0, 8);
}

static void slab_objects(struct kunit *test)
{
	struct zcb_slab *slab = make_slab(test, 5);
	struct pool *p = make_pool(test, PAGES, 12);
	u32 length[6] = { 0, 0, 0, 0, 0, 1504 };
	u64 handle;

	lease(p, 0, 12, 2, slab);
	handle = zcb_buf_slab_handle(&p->t, 12, 5, 1504 * 7);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_class(handle), 32 + 5);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(handle), 12 * 4096 + 1504 * 7);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_capacity(handle, length), 1504);
	KUNIT_EXPECT_EQ(test, find_slab(test, p, 0, handle, 2, slab), 1504 * 7);
	KUNIT_EXPECT_EQ(test, find_slab(test, p, 1, handle, 2, slab), -EPERM);
}

static void slab_objects_never_issued(struct kunit *test)
{
	struct zcb_slab *slab = make_slab(test, 1);
	struct pool *p = make_pool(test, 60, 12);

	lease(p, 0, 8, 1, slab);
	KUNIT_EXPECT_EQ(test, find_slab(test, p, 0, slab_handle(1, 1, 8 << 8),
					1, slab), 0);
	KUNIT_EXPECT_EQ(test, find_slab(test, p, 0, slab_handle(1, 2, 8 << 8),
					1, slab), -ENOENT);
	KUNIT_EXPECT_EQ(test, find_slab(test, p, 0, slab_handle(1, 0, 8 << 8),
					1, slab), -ENOENT);
	KUNIT_EXPECT_EQ(test, find_slab(test, p, 0, slab_handle(0, 1, 8 << 8),
					1, slab), -ENOENT);
	KUNIT_EXPECT_EQ(test, find_slab(test, p, 0, slab_handle(1, 1, 10 << 8),
					1, slab), -ENOENT);
	KUNIT_EXPECT_EQ(test, find_slab(test, p, 0, slab_handle(1, 1, 60 << 8),
					1, slab), -EINVAL);
	KUNIT_EXPECT_EQ(test, find_slab(test, p, 0,
					slab_handle(1, 1, (1ULL << 36) - 1), 1,
					slab), -EINVAL);
	KUNIT_EXPECT_EQ(test, find_slab(test, p, 0, block_handle(1, 1, 8), 1,
					slab), -EINVAL);
}

static void slab_objects_stale(struct kunit *test)
{
	struct zcb_slab *slab = make_slab(test, 1);
	struct pool *p = make_pool(test, PAGES, 12);
	u64 handle;

	lease(p, 0, 8, 1, slab);
	handle = zcb_buf_slab_handle(&p->t, 8, 1, 4096);
	unlease(p, 0, 8);
	KUNIT_EXPECT_EQ(test, find_slab(test, p, 0, handle, 1, slab), -EBADSLT);
	/* The page the object was in counts, not the first of its slab. */
	hand_out(p, 1, 8, 0);
	KUNIT_EXPECT_EQ(test, find_slab(test, p, 0, handle, 1, slab), -EBADSLT);
	hand_out(p, 1, 9, 0);
	KUNIT_EXPECT_EQ(test, find_slab(test, p, 0, handle, 1, slab), -ESTALE);
	take_back(p, 1, 8);
	take_back(p, 1, 9);
	lease(p, 0, 8, 1, slab);
	KUNIT_EXPECT_EQ(test, find_slab(test, p, 0, handle, 1, slab), -ESTALE);
	handle = zcb_buf_slab_handle(&p->t, 8, 1, 4096);
	KUNIT_EXPECT_EQ(test, find_slab(test, p, 0, handle, 1, slab), 4096);
}

/* Count and pages of the list, and that it goes both ways. */
static void check_list(struct kunit *test, const struct pool *p, u32 owner)
{
	const struct zcb_buf_list *l = &p->owner[owner].list;
	u32 page, last = ZCB_BUF_NONE, count = 0;
	u64 pages = 0;

	for (page = l->first; page != ZCB_BUF_NONE;
	     page = zcb_buf_at(&p->t, page)->next) {
		const struct zcb_buf_page *b = zcb_buf_at(&p->t, page);

		KUNIT_ASSERT_LT(test, count, p->t.npages);
		KUNIT_ASSERT_EQ(test, b->prev, last);
		KUNIT_ASSERT_PTR_EQ(test, b->owner,
				    (const void *)&p->owner[owner]);
		last = page;
		count++;
		pages += 1U << b->order;
	}
	KUNIT_ASSERT_EQ(test, l->count, count);
	KUNIT_ASSERT_EQ(test, l->pages, pages);
}

static void lists_of_owners(struct kunit *test)
{
	struct zcb_slab *slab = make_slab(test, 0);
	struct pool *p = make_pool(test, PAGES, 12);
	u32 i;

	for (i = 0; i < 8; i++)
		hand_out(p, i & 1, 4 * i, i % 3);
	lease(p, 0, 40, 3, slab);
	check_list(test, p, 0);
	check_list(test, p, 1);
	KUNIT_EXPECT_EQ(test, p->owner[0].list.count, 5);
	KUNIT_EXPECT_EQ(test, p->owner[0].list.pages, 1 + 4 + 2 + 1 + 8);
	/* In the middle, the newest, the oldest. */
	take_back(p, 0, 8);
	check_list(test, p, 0);
	unlease(p, 0, 40);
	check_list(test, p, 0);
	take_back(p, 0, 0);
	check_list(test, p, 0);
	KUNIT_EXPECT_EQ(test, p->owner[0].list.first, 24);
	KUNIT_EXPECT_EQ(test, p->owner[1].list.count, 4);
	check_list(test, p, 1);
}

static void tag(struct kunit *test)
{
	struct pool *p = make_pool(test, PAGES, 12);

	KUNIT_EXPECT_FALSE(test, zcb_buf_was_used(&p->t, 0, PAGES));
	KUNIT_EXPECT_FALSE(test, zcb_buf_tag(&p->t, 8, 8, 1));
	KUNIT_EXPECT_FALSE(test, zcb_buf_tag(&p->t, 8, 8, 1));
	KUNIT_EXPECT_TRUE(test, zcb_buf_was_used(&p->t, 15, 2));
	KUNIT_EXPECT_FALSE(test, zcb_buf_was_used(&p->t, 0, 8));
	KUNIT_EXPECT_FALSE(test, zcb_buf_was_used(&p->t, 16, 48));
	KUNIT_EXPECT_FALSE(test, zcb_buf_is_foreign(&p->t, 0, PAGES, 1));
	KUNIT_EXPECT_TRUE(test, zcb_buf_is_foreign(&p->t, 15, 2, 2));
	KUNIT_EXPECT_FALSE(test, zcb_buf_is_foreign(&p->t, 16, 2, 2));
	KUNIT_EXPECT_TRUE(test, zcb_buf_tag(&p->t, 15, 2, 2));
	KUNIT_EXPECT_FALSE(test, zcb_buf_tag(&p->t, 15, 2, 2));
	KUNIT_EXPECT_TRUE(test, zcb_buf_tag(&p->t, 8, 8, 1));
	KUNIT_EXPECT_FALSE(test, zcb_buf_tag(&p->t, 8, 8, 1));
	KUNIT_EXPECT_FALSE(test, zcb_buf_tag(&p->t, 16, 1, 2));
}

static void moved_to_another(struct kunit *test)
{
	struct zcb_slab *slab = make_slab(test, 1);
	struct pool *p = make_pool(test, PAGES, 12);
	u64 block = hand_out(p, 0, 8, 2), object;

	hand_out(p, 0, 16, 0);
	hand_out(p, 1, 20, 1);
	lease(p, 0, 32, 1, slab);
	object = zcb_buf_slab_handle(&p->t, 32, 1, 4096);
	zcb_buf_detach(&p->t, &p->owner[0].list, 8);
	check_list(test, p, 0);
	KUNIT_EXPECT_EQ(test, find(p, 0, block), -EPERM);
	KUNIT_EXPECT_EQ(test, find(p, 1, block), -EPERM);
	zcb_buf_attach(&p->t, &p->owner[1].list, &p->owner[1], 8);
	check_list(test, p, 1);
	KUNIT_EXPECT_EQ(test, p->owner[0].list.pages, 3);
	KUNIT_EXPECT_EQ(test, p->owner[1].list.pages, 6);
	KUNIT_EXPECT_EQ(test, find(p, 0, block), -EPERM);
	KUNIT_EXPECT_EQ(test, find(p, 1, block), 8);
	zcb_buf_detach(&p->t, &p->owner[0].list, 32);
	zcb_buf_attach(&p->t, &p->owner[2].list, &p->owner[2], 32);
	KUNIT_EXPECT_EQ(test, find_slab(test, p, 2, object, 1, slab), 4096);
	KUNIT_EXPECT_EQ(test, find_slab(test, p, 0, object, 1, slab), -EPERM);
	take_back(p, 1, 8);
	KUNIT_EXPECT_EQ(test, find(p, 1, block), -EBADSLT);
	check_list(test, p, 1);
}

/* An object that is not the caller's may have been lent to him. */
static void another_ones_slab_is_told(struct kunit *test)
{
	struct zcb_slab *slab = make_slab(test, 1), *found = NULL;
	struct pool *p = make_pool(test, PAGES, 12);
	u64 offset = 0;

	lease(p, 0, 8, 1, slab);
	KUNIT_EXPECT_EQ(test, -EPERM,
			zcb_buf_find_slab(&p->t,
					  zcb_buf_slab_handle(&p->t, 8, 1,
							      4096), 1,
					  &p->owner[1], &found, &offset));
	KUNIT_EXPECT_PTR_EQ(test, found, slab);
	KUNIT_EXPECT_EQ(test, offset, 4096);
}

/* Arenas whose size is no power of two: @arenas of 6 pages. */
static struct pool *make_grown(struct kunit *test, u32 arenas)
{
	struct pool *p = make_pool(test, 6, 12);
	struct zcb_buf_page *pages;

	while (--arenas) {
		pages = kunit_kmalloc(test, 6 * sizeof(*pages), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, pages);
		zcb_buf_pages_init(pages, 6);
		zcb_buf_table_grow(&p->t, pages);
	}
	return p;
}

static void more_arenas(struct kunit *test)
{
	struct pool *p = make_grown(test, 3);
	struct zcb_buf_page *before = zcb_buf_at(&p->t, 5);
	u64 old = hand_out(p, 0, 5, 0), handle;

	KUNIT_EXPECT_EQ(test, p->t.npages, 18);
	/* Aligned in its arena, which begins at page 12. */
	handle = hand_out(p, 0, 12, 2);
	KUNIT_EXPECT_EQ(test, handle, block_handle(2, 1, 12));
	KUNIT_EXPECT_EQ(test, find(p, 0, handle), 12);
	KUNIT_EXPECT_EQ(test, find(p, 1, handle), -EPERM);
	KUNIT_EXPECT_EQ(test, find(p, 0, block_handle(0, 1, 17)), -ENOENT);
	KUNIT_EXPECT_EQ(test, find(p, 0, block_handle(0, 1, 18)), -EINVAL);
	check_list(test, p, 0);

	zcb_buf_table_grow(&p->t, make_pool(test, 6, 12)->t.pages[0]);
	KUNIT_EXPECT_PTR_EQ(test, zcb_buf_at(&p->t, 5), before);
	KUNIT_EXPECT_EQ(test, find(p, 0, old), 5);
	KUNIT_EXPECT_EQ(test, find(p, 0, block_handle(0, 1, 18)), -ENOENT);
	hand_out(p, 0, 23, 0);
	take_back(p, 0, 12);
	check_list(test, p, 0);
	KUNIT_EXPECT_EQ(test, p->owner[0].list.count, 2);
}

/* Where a block starts is counted from the start of its arena. */
static void stale_in_another_arena(struct kunit *test)
{
	struct pool *p = make_grown(test, 2);
	u64 handle = hand_out(p, 0, 9, 0);

	take_back(p, 0, 9);
	KUNIT_EXPECT_EQ(test, find(p, 0, handle), -EBADSLT);
	hand_out(p, 1, 6, 2);
	KUNIT_EXPECT_EQ(test, find(p, 0, handle), -ESTALE);
	take_back(p, 1, 6);
	hand_out(p, 1, 8, 1);
	KUNIT_EXPECT_EQ(test, find(p, 0, handle), -ESTALE);
}

static void slab_of_another_arena(struct kunit *test)
{
	struct zcb_slab *slab = make_slab(test, 1);
	struct pool *p = make_grown(test, 2);
	u64 handle;

	lease(p, 0, 6, 2, slab);
	handle = zcb_buf_slab_handle(&p->t, 6, 1, 3 * 4096);
	KUNIT_EXPECT_EQ(test, find_slab(test, p, 0, handle, 2, slab), 3 * 4096);
	KUNIT_EXPECT_EQ(test, find_slab(test, p, 1, handle, 2, slab), -EPERM);
	unlease(p, 0, 6);
	KUNIT_EXPECT_EQ(test, find_slab(test, p, 0, handle, 2, slab), -EBADSLT);
}

static void tag_of_another_arena(struct kunit *test)
{
	struct pool *p = make_grown(test, 2);

	KUNIT_EXPECT_FALSE(test, zcb_buf_tag(&p->t, 6, 6, 1));
	KUNIT_EXPECT_FALSE(test, zcb_buf_was_used(&p->t, 0, 6));
	KUNIT_EXPECT_TRUE(test, zcb_buf_was_used(&p->t, 11, 1));
	KUNIT_EXPECT_TRUE(test, zcb_buf_tag(&p->t, 11, 1, 2));
}

/* Its handles name nothing, and the pages of others are what they were. */
static void an_arena_goes(struct kunit *test)
{
	struct zcb_slab *slab = make_slab(test, 1);
	struct pool *p = make_grown(test, 3);
	u64 first = hand_out(p, 0, 5, 0), last = hand_out(p, 0, 12, 1);
	u64 block = hand_out(p, 0, 6, 1), object, offset;

	lease(p, 1, 8, 2, slab);
	object = zcb_buf_slab_handle(&p->t, 8, 1, 4096);
	take_back(p, 0, 6);
	unlease(p, 1, 8);
	KUNIT_EXPECT_EQ(test, find(p, 0, block), -EBADSLT);
	KUNIT_EXPECT_NOT_NULL(test, zcb_buf_table_drop(&p->t, 1));
	KUNIT_EXPECT_EQ(test, find(p, 0, block), -ENOENT);
	KUNIT_EXPECT_EQ(test, find(p, 0, block_handle(0, 1, 11)), -ENOENT);
	KUNIT_EXPECT_EQ(test, zcb_buf_find_slab(&p->t, object, 2, &p->owner[1],
						&slab, &offset), -ENOENT);
	KUNIT_EXPECT_EQ(test, find(p, 0, first), 5);
	KUNIT_EXPECT_EQ(test, find(p, 0, last), 12);
	KUNIT_EXPECT_EQ(test, p->t.npages, 18);
	KUNIT_EXPECT_NULL(test, zcb_buf_table_drop(&p->t, 1));

	zcb_buf_table_grow(&p->t, make_pool(test, 6, 12)->t.pages[0]);
	KUNIT_EXPECT_EQ(test, find(p, 0, block_handle(0, 1, 18)), -ENOENT);
	hand_out(p, 0, 18, 0);
	KUNIT_EXPECT_EQ(test, find(p, 0, block), -ENOENT);
	check_list(test, p, 0);
}

/* The model: every handle of the last ones, and who has which page. */
#define HISTORY		64
#define NOBODY		0xff

struct issued {
	u64 handle;
	u32 page;
	u32 order;
	u32 owner;
	bool live;
};

struct model {
	struct pool *p;
	struct zcb_buddy buddy;
	struct issued issued[HISTORY];
	u8 holder[PAGES];
	bool wraps;
};

static struct model *make_model(struct kunit *test)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	void *metadata = kunit_kmalloc(test, zcb_buddy_metadata_size(PAGES),
				       GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_ASSERT_NOT_NULL(test, metadata);
	m->p = make_pool(test, PAGES, 12);
	zcb_buddy_init(&m->buddy, metadata, PAGES);
	memset(m->holder, NOBODY, sizeof(m->holder));
	return m;
}

static void free_issued(struct kunit *test, struct model *m, struct issued *h)
{
	u32 npages = 1U << h->order;

	h->live = false;
	memset(m->holder + h->page, NOBODY, npages);
	take_back(m->p, h->owner, h->page);
	KUNIT_ASSERT_EQ(test, zcb_buddy_free(&m->buddy, h->page, npages), 0);
}

/* Into a place of the history that is not live. */
static void random_get(struct kunit *test, struct model *m, struct issued *h,
		       u32 owner, u32 order)
{
	u32 i, page;

	if (h->live || zcb_buddy_alloc(&m->buddy, order, &page))
		return;
	for (i = page; i < page + (1U << order); i++)
		KUNIT_ASSERT_EQ(test, m->holder[i], NOBODY);
	memset(m->holder + page, owner, 1U << order);
	*h = (struct issued){
		.handle = hand_out(m->p, owner, page, order),
		.page = page,
		.order = order,
		.owner = owner,
		.live = true,
	};
	KUNIT_ASSERT_EQ(test, zcbuf_buf_offset(h->handle), page * 4096);
	for (i = 0; i < HISTORY; i++)
		if (&m->issued[i] != h)
			KUNIT_ASSERT_NE(test, m->issued[i].handle, h->handle);
}

static int expected(const struct model *m, const struct issued *h, u32 owner)
{
	if (!h->handle)
		return -ENOENT;
	if (h->live)
		return h->owner == owner ? (int)h->page : -EPERM;
	return m->holder[h->page] == NOBODY ? -EBADSLT : -ESTALE;
}

static void random_put(struct kunit *test, struct model *m, struct issued *h,
		       u32 owner)
{
	int want = expected(m, h, owner);
	int got = find(m->p, owner, h->handle);

	/* Which error an older handle gets, generations that wrap cannot say. */
	if (m->wraps && want < 0)
		KUNIT_ASSERT_LT(test, got, 0);
	else
		KUNIT_ASSERT_EQ(test, got, want);
	if (want >= 0)
		free_issued(test, m, h);
}

static void owner_dies(struct kunit *test, struct model *m, u32 owner)
{
	u32 i;

	for (i = 0; i < HISTORY; i++)
		if (m->issued[i].live && m->issued[i].owner == owner)
			free_issued(test, m, &m->issued[i]);
	KUNIT_ASSERT_EQ(test, m->p->owner[owner].list.first, ZCB_BUF_NONE);
	KUNIT_ASSERT_EQ(test, m->p->owner[owner].list.count, 0);
	KUNIT_ASSERT_EQ(test, m->p->owner[owner].list.pages, 0);
}

static void random_step(struct kunit *test, struct model *m,
			struct zcb_rand *r)
{
	struct issued *h = &m->issued[zcb_rand_below(r, HISTORY)];
	u32 owner = zcb_rand_below(r, 4);

	if (!zcb_rand_below(r, 500))
		owner_dies(test, m, owner);
	else if (zcb_rand_chance(r, 50))
		random_get(test, m, h, owner, min(zcb_rand_below(r, 5),
						  zcb_rand_below(r, 5)));
	else
		random_put(test, m, h, owner);
	check_list(test, m->p, owner);
}

static void check_all_free(struct kunit *test, struct model *m)
{
	u32 i;

	for (i = 0; i < 4; i++)
		owner_dies(test, m, i);
	KUNIT_EXPECT_EQ(test, m->buddy.free_pages, PAGES);
	KUNIT_EXPECT_EQ(test, zcb_buddy_largest(&m->buddy), 6);
}

static void random_stream(struct kunit *test)
{
	struct model *m = make_model(test);
	struct zcb_rand r;
	u32 i;

	zcb_rand_init(test, &r);
	for (i = 0; i < ZCB_RAND_OPS(300000); i++)
		random_step(test, m, &r);
	check_all_free(test, m);
}

/* Few generations are left of every page: nothing is lost when they end. */
static void random_stream_as_generations_start_again(struct kunit *test)
{
	struct model *m = make_model(test);
	struct zcb_rand r;
	u32 i;

	zcb_rand_init(test, &r);
	for (i = 0; i < PAGES; i++)
		zcb_buf_at(&m->p->t, i)->gen = ZCB_BUF_GEN_MAX -
					       zcb_rand_below(&r, 20);
	m->wraps = true;
	for (i = 0; i < ZCB_RAND_OPS(100000); i++)
		random_step(test, m, &r);
	check_all_free(test, m);
}

static struct kunit_case buf_cases[] = {
	KUNIT_CASE(handle_layout),
	KUNIT_CASE(handle_layout_of_large_pages),
	KUNIT_CASE(offsets_beyond_32_bits),
	KUNIT_CASE(foreign),
	KUNIT_CASE(never_issued),
	KUNIT_CASE(out_of_range),
	KUNIT_CASE(double_free),
	KUNIT_CASE(stale),
	KUNIT_CASE(stale_inside_a_larger_block),
	KUNIT_CASE(block_or_slab),
	KUNIT_CASE(generations_start_again),
	KUNIT_CASE(generations_of_a_slab_start_again),
	KUNIT_CASE(slab_after_many_blocks),
	KUNIT_CASE(slab_objects),
	KUNIT_CASE(slab_objects_never_issued),
	KUNIT_CASE(slab_objects_stale),
	KUNIT_CASE(lists_of_owners),
	KUNIT_CASE(tag),
	KUNIT_CASE(moved_to_another),
	KUNIT_CASE(another_ones_slab_is_told),
	KUNIT_CASE(more_arenas),
	KUNIT_CASE(stale_in_another_arena),
	KUNIT_CASE(slab_of_another_arena),
	KUNIT_CASE(tag_of_another_arena),
	KUNIT_CASE(an_arena_goes),
	KUNIT_CASE(random_stream),
	KUNIT_CASE(random_stream_as_generations_start_again),
	{}
};

static struct kunit_suite buf_suite = {
	.name = "zcb_buf",
	.test_cases = buf_cases,
};

kunit_test_suite(buf_suite);

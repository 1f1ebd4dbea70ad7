// SPDX-License-Identifier: GPL-2.0-only
/* KUnit suite of kmod/core/slab.c. */
#include <kunit/test.h>

#include "../../kmod/core/slab.h"
#include "rand.h"

#define PAGE_SHIFT_4K	12
#define LARGEST_SLAB	(2U << 20)	/* the smallest arena has these bytes */

struct pool {
	struct zcb_slab_table t;
	struct list_head list;
	u32 next_page;
};

static struct pool *make_pool(struct kunit *test, const u32 *length, u32 n)
{
	struct pool *p = kunit_kzalloc(test, sizeof(*p), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_EQ(test, zcb_slab_table_init(&p->t, length, n,
						  PAGE_SHIFT_4K), 0);
	INIT_LIST_HEAD(&p->list);
	return p;
}

static struct pool *make_pool_of(struct kunit *test, u32 length)
{
	return make_pool(test, &length, 1);
}

static struct zcb_slab *add_slab(struct kunit *test, struct pool *p, u32 class,
				 struct list_head *list)
{
	const struct zcb_slab_class *c = &p->t.class[class];
	struct zcb_slab *s;

	s = kunit_kmalloc(test, zcb_slab_size(c), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, s);
	zcb_slab_init(s, &p->t, class, p->next_page, list);
	p->next_page += 1U << c->order;
	return s;
}

static u64 must_get(struct kunit *test, struct pool *p, struct zcb_slab **slab)
{
	u64 offset = ~0ULL;

	KUNIT_ASSERT_EQ(test, zcb_slab_get(&p->t, 0, &p->list, slab, &offset),
			0);
	return offset;
}

static int try_get(struct pool *p)
{
	struct zcb_slab *s;
	u64 offset;

	return zcb_slab_get(&p->t, 0, &p->list, &s, &offset);
}

/* Those with a free object come first. */
static void check_list(struct kunit *test, const struct pool *p)
{
	const struct zcb_slab *s;
	bool full = false;

	list_for_each_entry(s, &p->list, node) {
		if (full)
			KUNIT_ASSERT_EQ(test, s->nfree, 0);
		full = !s->nfree;
	}
}

static int table_of(const u32 *length, u32 n)
{
	struct zcb_slab_table t;

	return zcb_slab_table_init(&t, length, n, PAGE_SHIFT_4K);
}

static void default_tiers(struct kunit *test)
{
	struct pool *p = make_pool(test, zcb_slab_tiers, ZCB_SLAB_TIERS);
	u32 i, length = 16;

	KUNIT_EXPECT_EQ(test, p->t.n, 8);
	for (i = 0; i < 8; i++, length *= 4) {
		const struct zcb_slab_class *c = &p->t.class[i];

		KUNIT_EXPECT_EQ(test, c->length, length);
		KUNIT_EXPECT_EQ(test, c->align, length);
		KUNIT_EXPECT_EQ(test, c->nobjs * length, 4096U << c->order);
		KUNIT_EXPECT_EQ(test, c->used, 0);
		KUNIT_EXPECT_EQ(test, c->total, 0);
	}
	KUNIT_EXPECT_EQ(test, length / 4, 262144);
}

static void odd_lengths(struct kunit *test)
{
	static const u32 lengths[] = { 1500, 9000 };
	struct pool *p = make_pool(test, lengths, 2);

	KUNIT_EXPECT_EQ(test, p->t.class[0].length, 1504);
	KUNIT_EXPECT_EQ(test, p->t.class[0].align, 32);
	KUNIT_EXPECT_EQ(test, p->t.class[1].length, 9008);
	KUNIT_EXPECT_EQ(test, p->t.class[1].align, 16);
}

/* Its objects fit in, one more would not, and little is wasted. */
static void check_class(struct kunit *test, const struct zcb_slab_class *c,
			u32 page_shift)
{
	u32 bytes = 1U << (page_shift + c->order);
	u32 waste = bytes - c->nobjs * c->length;

	KUNIT_ASSERT_GE(test, c->nobjs, 1);
	KUNIT_ASSERT_LE(test, (u64)c->nobjs * c->length, bytes);
	KUNIT_ASSERT_LT(test, waste, c->length);
	KUNIT_ASSERT_LE(test, bytes, LARGEST_SLAB);
	if (bytes < LARGEST_SLAB)
		KUNIT_ASSERT_LE(test, waste, bytes / 8);
	KUNIT_ASSERT_EQ(test, c->length % c->align, 0);
	KUNIT_ASSERT_NE(test, c->length % (c->align * 2), 0);
}

static void every_length(struct kunit *test)
{
	u32 length, page_shift;

	for (page_shift = 12; page_shift <= 16; page_shift += 2) {
		for (length = ZCB_SLAB_MIN; length <= ZCB_SLAB_MAX;
		     length += 16) {
			struct zcb_slab_table t;
			int error;

			error = zcb_slab_table_init(&t, &length, 1, page_shift);
			KUNIT_ASSERT_EQ(test, error, 0);
			KUNIT_ASSERT_EQ(test, t.class[0].length, length);
			check_class(test, &t.class[0], page_shift);
		}
	}
}

static void bad_tables(struct kunit *test)
{
	static const u32 falling[] = { 64, 32 }, same[] = { 64, 64 };
	static const u32 same_rounded[] = { 17, 32 }, small[] = { 15 };
	static const u32 large[] = { 16, ZCB_SLAB_MAX + 1 }, zero[] = { 0 };
	u32 many[ZCB_SLAB_CLASSES + 1], i;

	for (i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = 16 * (i + 1);
	KUNIT_EXPECT_EQ(test, table_of(falling, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, table_of(same, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, table_of(same_rounded, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, table_of(small, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, table_of(large, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, table_of(zero, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, table_of(many, ZCB_SLAB_CLASSES + 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, table_of(many, ~0U), -EINVAL);
	KUNIT_EXPECT_EQ(test, table_of(many, ZCB_SLAB_CLASSES), 0);
	KUNIT_EXPECT_EQ(test, table_of(NULL, 0), 0);
}

static void smallest_class_that_fits(struct kunit *test)
{
	struct pool *p = make_pool(test, zcb_slab_tiers, ZCB_SLAB_TIERS);
	const struct zcb_slab_table *t = &p->t;

	KUNIT_EXPECT_EQ(test, zcb_slab_class_for(t, 1, 0), 0);
	KUNIT_EXPECT_EQ(test, zcb_slab_class_for(t, 16, 0), 0);
	KUNIT_EXPECT_EQ(test, zcb_slab_class_for(t, 17, 0), 1);
	KUNIT_EXPECT_EQ(test, zcb_slab_class_for(t, 64, 0), 1);
	KUNIT_EXPECT_EQ(test, zcb_slab_class_for(t, 262144, 0), 7);
	KUNIT_EXPECT_EQ(test, zcb_slab_class_for(t, 262145, 0), -E2BIG);
	KUNIT_EXPECT_EQ(test, zcb_slab_class_for(t, ~0ULL, 0), -E2BIG);
	KUNIT_EXPECT_EQ(test, zcb_slab_class_for(t, 1ULL << 32, 0), -E2BIG);
}

static void alignment(struct kunit *test)
{
	static const u32 lengths[] = { 16, 48, 64, 4096, 6144 };
	struct pool *p = make_pool(test, lengths, ARRAY_SIZE(lengths));
	const struct zcb_slab_table *t = &p->t;

	KUNIT_EXPECT_EQ(test, zcb_slab_class_for(t, 20, 16), 1);
	KUNIT_EXPECT_EQ(test, zcb_slab_class_for(t, 20, 32), 2);
	KUNIT_EXPECT_EQ(test, zcb_slab_class_for(t, 16, 4096), 3);
	KUNIT_EXPECT_EQ(test, zcb_slab_class_for(t, 5000, 2048), 4);
	KUNIT_EXPECT_EQ(test, zcb_slab_class_for(t, 5000, 4096), -E2BIG);
	KUNIT_EXPECT_EQ(test, zcb_slab_class_for(t, 16, 1U << 21), -E2BIG);
}

static void no_classes(struct kunit *test)
{
	struct pool *p = make_pool(test, NULL, 0);

	KUNIT_EXPECT_EQ(test, p->t.n, 0);
	KUNIT_EXPECT_EQ(test, zcb_slab_class_for(&p->t, 1, 0), -E2BIG);
}

static void objects_back_to_back(struct kunit *test)
{
	struct pool *p = make_pool_of(test, 1504);
	struct zcb_slab *s = add_slab(test, p, 0, &p->list), *got;
	u32 i, nobjs = p->t.class[0].nobjs;

	KUNIT_EXPECT_EQ(test, p->t.class[0].total, nobjs);
	for (i = 0; i < nobjs; i++) {
		KUNIT_EXPECT_EQ(test, must_get(test, p, &got), i * 1504);
		KUNIT_EXPECT_PTR_EQ(test, got, s);
	}
	KUNIT_EXPECT_EQ(test, p->t.class[0].used, nobjs);
}

static void limit(struct kunit *test)
{
	struct pool *p = make_pool_of(test, 256);
	struct zcb_slab *s;
	u32 i, nobjs = p->t.class[0].nobjs;

	KUNIT_EXPECT_EQ(test, try_get(p), -EAGAIN);
	s = add_slab(test, p, 0, &p->list);
	for (i = 0; i < nobjs; i++)
		KUNIT_ASSERT_EQ(test, try_get(p), 0);
	KUNIT_EXPECT_EQ(test, try_get(p), -EAGAIN);
	KUNIT_EXPECT_EQ(test, p->t.class[0].used, nobjs);
	KUNIT_EXPECT_EQ(test, zcb_slab_put(&p->t, s, &p->list, 512), 0);
	KUNIT_EXPECT_EQ(test, must_get(test, p, &s), 512);
	KUNIT_EXPECT_EQ(test, try_get(p), -EAGAIN);
}

static void growth(struct kunit *test)
{
	struct pool *p = make_pool_of(test, 4096);
	u32 i, k, nobjs = p->t.class[0].nobjs;

	for (i = 0; i < 5; i++) {
		add_slab(test, p, 0, &p->list);
		for (k = 0; k < nobjs; k++)
			KUNIT_ASSERT_EQ(test, try_get(p), 0);
		KUNIT_ASSERT_EQ(test, try_get(p), -EAGAIN);
		check_list(test, p);
	}
	KUNIT_EXPECT_EQ(test, p->t.class[0].total, 5 * nobjs);
	KUNIT_EXPECT_EQ(test, p->t.class[0].used, 5 * nobjs);
}

static void double_put(struct kunit *test)
{
	struct pool *p = make_pool_of(test, 64);
	struct zcb_slab *s = add_slab(test, p, 0, &p->list);
	u64 first, second;

	must_get(test, p, &s);
	first = must_get(test, p, &s);
	KUNIT_EXPECT_EQ(test, zcb_slab_check(&p->t, s, first), 0);
	KUNIT_EXPECT_EQ(test, zcb_slab_check(&p->t, s, first + 16), -EINVAL);
	KUNIT_EXPECT_EQ(test, zcb_slab_put(&p->t, s, &p->list, first), 0);
	KUNIT_EXPECT_EQ(test, zcb_slab_check(&p->t, s, first), -EBADSLT);
	KUNIT_EXPECT_EQ(test, zcb_slab_put(&p->t, s, &p->list, first),
			-EBADSLT);
	KUNIT_EXPECT_EQ(test, p->t.class[0].used, 1);
	KUNIT_EXPECT_EQ(test, s->nfree, p->t.class[0].nobjs - 1);
	first = must_get(test, p, &s);
	second = must_get(test, p, &s);
	KUNIT_EXPECT_NE(test, first, second);
}

static void bad_offsets(struct kunit *test)
{
	struct pool *p = make_pool_of(test, 1504);
	struct zcb_slab *s = add_slab(test, p, 0, &p->list);
	u64 end = 1504 * p->t.class[0].nobjs;

	while (!try_get(p))
		;
	KUNIT_EXPECT_EQ(test, zcb_slab_put(&p->t, s, &p->list, 16), -EINVAL);
	KUNIT_EXPECT_EQ(test, zcb_slab_put(&p->t, s, &p->list, 1503), -EINVAL);
	KUNIT_EXPECT_EQ(test, zcb_slab_put(&p->t, s, &p->list, end), -EINVAL);
	KUNIT_EXPECT_EQ(test, zcb_slab_put(&p->t, s, &p->list, 1ULL << 32),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, zcb_slab_put(&p->t, s, &p->list,
					   (1ULL << 32) + 1504), -EINVAL);
	KUNIT_EXPECT_EQ(test, zcb_slab_put(&p->t, s, &p->list, ~0ULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, s->nfree, 0);
	KUNIT_EXPECT_EQ(test, zcb_slab_put(&p->t, s, &p->list, end - 1504), 0);
}

static void free_before_full(struct kunit *test)
{
	struct pool *p = make_pool_of(test, 65536);
	struct zcb_slab *s[4], *got;
	u32 i;

	for (i = 0; i < 4; i++)
		s[i] = add_slab(test, p, 0, &p->list);
	for (i = 0; i < 4 * p->t.class[0].nobjs; i++) {
		must_get(test, p, &got);
		check_list(test, p);
	}
	KUNIT_EXPECT_EQ(test, zcb_slab_put(&p->t, s[2], &p->list, 0), 0);
	check_list(test, p);
	must_get(test, p, &got);
	KUNIT_EXPECT_PTR_EQ(test, got, s[2]);
	KUNIT_EXPECT_EQ(test, try_get(p), -EAGAIN);
}

static void two_owners(struct kunit *test)
{
	struct pool *p = make_pool_of(test, 64);
	struct zcb_slab *mine, *theirs, *got;
	LIST_HEAD(other);

	mine = add_slab(test, p, 0, &p->list);
	KUNIT_EXPECT_EQ(test, must_get(test, p, &got), 0);
	KUNIT_EXPECT_PTR_EQ(test, got, mine);
	theirs = add_slab(test, p, 0, &other);
	KUNIT_EXPECT_EQ(test, theirs->page, mine->page +
					    (1U << p->t.class[0].order));
	KUNIT_EXPECT_EQ(test, must_get(test, p, &got), 64);
	KUNIT_EXPECT_PTR_EQ(test, got, mine);
	KUNIT_EXPECT_EQ(test, p->t.class[0].used, 2);
	KUNIT_EXPECT_TRUE(test, zcb_slab_empty(theirs, &p->t));
	KUNIT_EXPECT_FALSE(test, zcb_slab_empty(mine, &p->t));
}

static void empty_again(struct kunit *test)
{
	struct pool *p = make_pool_of(test, 1024);
	struct zcb_slab *s = add_slab(test, p, 0, &p->list);
	u64 offset;

	KUNIT_EXPECT_TRUE(test, zcb_slab_empty(s, &p->t));
	offset = must_get(test, p, &s);
	KUNIT_EXPECT_FALSE(test, zcb_slab_empty(s, &p->t));
	KUNIT_EXPECT_EQ(test, zcb_slab_put(&p->t, s, &p->list, offset), 0);
	KUNIT_EXPECT_TRUE(test, zcb_slab_empty(s, &p->t));
	zcb_slab_fini(s, &p->t);
	KUNIT_EXPECT_TRUE(test, list_empty(&p->list));
	KUNIT_EXPECT_EQ(test, p->t.class[0].total, 0);
}

static void owner_dies_with_objects(struct kunit *test)
{
	struct pool *p = make_pool_of(test, 64);
	struct zcb_slab *kept, *dying, *got;
	LIST_HEAD(other);
	u64 offset;

	kept = add_slab(test, p, 0, &p->list);
	must_get(test, p, &got);
	dying = add_slab(test, p, 0, &other);
	KUNIT_EXPECT_EQ(test, zcb_slab_get(&p->t, 0, &other, &got, &offset), 0);
	KUNIT_EXPECT_EQ(test, zcb_slab_get(&p->t, 0, &other, &got, &offset), 0);
	KUNIT_EXPECT_EQ(test, p->t.class[0].used, 3);
	zcb_slab_fini(dying, &p->t);
	KUNIT_EXPECT_EQ(test, p->t.class[0].used, 1);
	KUNIT_EXPECT_EQ(test, p->t.class[0].total, kept->nfree + 1);
	KUNIT_EXPECT_TRUE(test, list_empty(&other));
}

/* The model: one byte for each object of each slab. */
#define MODEL_SLABS	6
#define MODEL_OBJECTS	64

struct model {
	struct zcb_slab *slab[MODEL_SLABS];
	u8 out[MODEL_SLABS][MODEL_OBJECTS];
	u32 used;
	u32 nslabs;
};

static u32 slab_index(struct kunit *test, const struct model *m,
		      const struct zcb_slab *s)
{
	u32 i;

	for (i = 0; i < MODEL_SLABS; i++)
		if (m->slab[i] == s)
			return i;
	KUNIT_FAIL(test, "a slab nobody knows");
	return 0;
}

static void random_get(struct kunit *test, struct pool *p, struct model *m)
{
	struct zcb_slab_class *c = &p->t.class[0];
	bool full = m->used == m->nslabs * c->nobjs;
	struct zcb_slab *s;
	u64 offset;
	u32 i, k;

	KUNIT_ASSERT_EQ(test, zcb_slab_get(&p->t, 0, &p->list, &s, &offset),
			full ? -EAGAIN : 0);
	if (full)
		return;
	i = slab_index(test, m, s);
	k = (u32)offset / c->length;
	KUNIT_ASSERT_LT(test, k, c->nobjs);
	KUNIT_ASSERT_EQ(test, k * c->length, offset);
	KUNIT_ASSERT_EQ(test, m->out[i][k], 0);
	m->out[i][k] = 1;
	m->used++;
}

static void random_put(struct kunit *test, struct pool *p, struct model *m,
		       struct zcb_rand *r)
{
	struct zcb_slab_class *c = &p->t.class[0];
	u32 i = zcb_rand_below(r, MODEL_SLABS);
	u32 k = zcb_rand_below(r, c->nobjs + 1);
	u32 off = zcb_rand_chance(r, 10) ? zcb_rand_below(r, c->length) : 0;
	int want = 0;

	if (!m->slab[i])
		return;
	if (off || k == c->nobjs)
		want = -EINVAL;
	else if (!m->out[i][k])
		want = -EBADSLT;
	KUNIT_ASSERT_EQ(test, zcb_slab_put(&p->t, m->slab[i], &p->list,
					   k * c->length + off), want);
	if (want)
		return;
	m->out[i][k] = 0;
	m->used--;
}

/* Lease a slab, or end one with whatever is out of it. */
static void random_lease(struct kunit *test, struct pool *p, struct model *m,
			 u32 i)
{
	struct zcb_slab *s = m->slab[i];

	if (!s) {
		m->slab[i] = add_slab(test, p, 0, &p->list);
		m->nslabs++;
		return;
	}
	m->used -= p->t.class[0].nobjs - s->nfree;
	memset(m->out[i], 0, MODEL_OBJECTS);
	zcb_slab_fini(s, &p->t);
	kunit_kfree(test, s);
	m->slab[i] = NULL;
	m->nslabs--;
}

static void check_model(struct kunit *test, const struct pool *p,
			const struct model *m)
{
	const struct zcb_slab_class *c = &p->t.class[0];
	u32 i, k, out;

	for (i = 0; i < MODEL_SLABS; i++) {
		if (!m->slab[i])
			continue;
		for (k = 0, out = 0; k < c->nobjs; k++)
			out += m->out[i][k];
		KUNIT_ASSERT_EQ(test, m->slab[i]->nfree, c->nobjs - out);
	}
	KUNIT_ASSERT_EQ(test, c->used, m->used);
	KUNIT_ASSERT_EQ(test, c->total, m->nslabs * c->nobjs);
	check_list(test, p);
}

static void random_stream_of(struct kunit *test, u32 length, u32 n)
{
	struct pool *p = make_pool_of(test, length);
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	struct zcb_rand r;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_ASSERT_LE(test, p->t.class[0].nobjs, MODEL_OBJECTS);
	zcb_rand_init(test, &r);
	for (i = 0; i < n; i++) {
		if (zcb_rand_chance(&r, 2))
			random_lease(test, p, m,
				     zcb_rand_below(&r, MODEL_SLABS));
		else if (zcb_rand_chance(&r, 50))
			random_get(test, p, m);
		else
			random_put(test, p, m, &r);
		check_model(test, p, m);
	}
}

static void random_stream(struct kunit *test)
{
	random_stream_of(test, 64, ZCB_RAND_OPS(100000));
	random_stream_of(test, 1504, ZCB_RAND_OPS(200000));
	random_stream_of(test, 65536, ZCB_RAND_OPS(50000));
}

/* Lent, it is out like any other; who has it is another question. */
static void loans(struct kunit *test)
{
	struct pool *p = make_pool_of(test, 1024);
	struct zcb_loan one, two;
	struct zcb_slab *s;
	LIST_HEAD(hands);
	u64 offset;
	u32 i;

	add_slab(test, p, 0, &p->list);
	for (i = 0; i < 3; i++)
		offset = must_get(test, p, &s);
	KUNIT_EXPECT_NULL(test, zcb_slab_loan(s, offset));
	zcb_slab_lend(s, offset, &one, &one, &hands);
	zcb_slab_lend(s, 0, &two, &two, &hands);
	KUNIT_EXPECT_PTR_EQ(test, zcb_slab_loan(s, offset), &one);
	KUNIT_EXPECT_PTR_EQ(test, zcb_slab_loan(s, 0), &two);
	KUNIT_EXPECT_NULL(test, zcb_slab_loan(s, 1024));
	KUNIT_EXPECT_PTR_EQ(test, one.slab, s);
	KUNIT_EXPECT_PTR_EQ(test, one.owner, &one);
	KUNIT_EXPECT_EQ(test, p->t.class[0].used, 3);
	zcb_slab_loan_end(&one);
	KUNIT_EXPECT_NULL(test, zcb_slab_loan(s, offset));
	KUNIT_EXPECT_EQ(test, zcb_slab_check(&p->t, s, offset), 0);
	KUNIT_EXPECT_PTR_EQ(test, list_first_entry(&hands, struct zcb_loan,
						   in_hands), &two);
	zcb_slab_loan_end(&two);
	KUNIT_EXPECT_TRUE(test, list_empty(&hands));
	KUNIT_EXPECT_TRUE(test, list_empty(&s->loans));
}

static void recalled(struct kunit *test)
{
	struct pool *p = make_pool_of(test, 1024);
	struct zcb_loan loan;
	struct zcb_slab *s;
	LIST_HEAD(hands);
	u32 i;

	add_slab(test, p, 0, &p->list);
	for (i = 0; i < 3; i++)
		must_get(test, p, &s);
	zcb_slab_lend(s, 1024, &loan, &loan, &hands);
	zcb_slab_recall(s, &p->t);
	KUNIT_EXPECT_EQ(test, p->t.class[0].used, 1);
	KUNIT_EXPECT_EQ(test, s->nfree, p->t.class[0].nobjs - 1);
	KUNIT_EXPECT_EQ(test, zcb_slab_check(&p->t, s, 0), -EBADSLT);
	KUNIT_EXPECT_EQ(test, zcb_slab_check(&p->t, s, 1024), 0);
	KUNIT_EXPECT_EQ(test, zcb_slab_check(&p->t, s, 2048), -EBADSLT);
	zcb_slab_loan_end(&loan);
	KUNIT_EXPECT_EQ(test, zcb_slab_put(&p->t, s, &p->list, 1024), 0);
	KUNIT_EXPECT_TRUE(test, zcb_slab_empty(s, &p->t));
	zcb_slab_fini(s, &p->t);
	KUNIT_EXPECT_EQ(test, p->t.class[0].used + p->t.class[0].total, 0);
}

/* Whatever comes back to it, it is not handed out again. */
static void closed(struct kunit *test)
{
	struct pool *p = make_pool_of(test, 65536);
	struct zcb_slab *s[3], *got;
	u32 i, n = p->t.class[0].nobjs;

	for (i = 0; i < 3; i++)
		s[i] = add_slab(test, p, 0, &p->list);
	must_get(test, p, &got);
	KUNIT_ASSERT_PTR_EQ(test, got, s[2]);
	zcb_slab_close(s[2], &p->list);
	zcb_slab_close(s[0], &p->list);
	for (i = 0; i < n; i++) {
		must_get(test, p, &got);
		KUNIT_EXPECT_PTR_EQ(test, got, s[1]);
	}
	KUNIT_EXPECT_EQ(test, try_get(p), -EAGAIN);
	KUNIT_EXPECT_EQ(test, zcb_slab_check(&p->t, s[2], 0), 0);
	KUNIT_EXPECT_EQ(test, zcb_slab_put(&p->t, s[2], &p->list, 0), 0);
	KUNIT_EXPECT_TRUE(test, zcb_slab_empty(s[2], &p->t));
	KUNIT_EXPECT_EQ(test, try_get(p), -EAGAIN);
	KUNIT_EXPECT_EQ(test, zcb_slab_put(&p->t, s[1], &p->list, 0), 0);
	must_get(test, p, &got);
	KUNIT_EXPECT_PTR_EQ(test, got, s[1]);
	KUNIT_EXPECT_EQ(test, p->t.class[0].used, n);
	KUNIT_EXPECT_EQ(test, p->t.class[0].total, 3 * n);
}

/* One that is full when it is closed stays behind when it is not full any more. */
static void closed_while_full(struct kunit *test)
{
	struct pool *p = make_pool_of(test, 65536);
	struct zcb_slab *full, *got;
	u32 i;

	full = add_slab(test, p, 0, &p->list);
	for (i = 0; i < p->t.class[0].nobjs; i++)
		must_get(test, p, &got);
	zcb_slab_close(full, &p->list);
	KUNIT_EXPECT_EQ(test, zcb_slab_put(&p->t, full, &p->list, 0), 0);
	KUNIT_EXPECT_EQ(test, try_get(p), -EAGAIN);
	add_slab(test, p, 0, &p->list);
	must_get(test, p, &got);
	KUNIT_EXPECT_PTR_NE(test, got, full);
}

static struct kunit_case slab_cases[] = {
	KUNIT_CASE(default_tiers),
	KUNIT_CASE(odd_lengths),
	KUNIT_CASE(every_length),
	KUNIT_CASE(bad_tables),
	KUNIT_CASE(smallest_class_that_fits),
	KUNIT_CASE(alignment),
	KUNIT_CASE(no_classes),
	KUNIT_CASE(objects_back_to_back),
	KUNIT_CASE(limit),
	KUNIT_CASE(growth),
	KUNIT_CASE(double_put),
	KUNIT_CASE(bad_offsets),
	KUNIT_CASE(free_before_full),
	KUNIT_CASE(two_owners),
	KUNIT_CASE(empty_again),
	KUNIT_CASE(owner_dies_with_objects),
	KUNIT_CASE(loans),
	KUNIT_CASE(recalled),
	KUNIT_CASE(closed),
	KUNIT_CASE(closed_while_full),
	KUNIT_CASE(random_stream),
	{}
};

static struct kunit_suite slab_suite = {
	.name = "zcb_slab",
	.test_cases = slab_cases,
};

kunit_test_suite(slab_suite);

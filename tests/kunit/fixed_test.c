// SPDX-License-Identifier: GPL-2.0-only
/* KUnit suite of kmod/core/fixed.c. */
#include <kunit/test.h>
#include <linux/zcbuf.h>

#include "../../kmod/core/buf.h"
#include "../../kmod/core/fixed.h"
#include "rand.h"

#define PAGE_SHIFT_4K	12
#define GEN_MAX		ZCB_BUF_SLAB_GEN_MAX

struct owner {
	struct zcb_fixed_list list;
};

struct pool {
	struct zcb_fixed f;
	struct owner owner[3];
};

/* Objects at 0, 64, 128; 4096 to 16384; 20480, 24592: 9 records. */
static const struct zcb_fixed_spec small[] = {
	{ 64, 3 }, { 4096, 4 }, { 4100, 2 },
};

static void init_pool(struct pool *p, struct zcb_fixed_object *objects)
{
	u32 i;

	memset(objects, 0xa5, p->f.nobjects * sizeof(*objects));
	zcb_fixed_init(&p->f, objects);
	for (i = 0; i < ARRAY_SIZE(p->owner); i++)
		zcb_fixed_list_init(&p->owner[i].list);
}

static struct pool *make_pool(struct kunit *test,
			      const struct zcb_fixed_spec *spec, u32 n,
			      u32 page_shift)
{
	struct pool *p = kunit_kzalloc(test, sizeof(*p), GFP_KERNEL);
	struct zcb_fixed_object *objects;

	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(&p->f, 0xa5, sizeof(p->f));
	KUNIT_ASSERT_EQ(test, zcb_fixed_layout(&p->f, spec, n, page_shift), 0);
	objects = kunit_kmalloc(test, p->f.nobjects * sizeof(*objects),
				GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, objects);
	init_pool(p, objects);
	return p;
}

static struct pool *make_default(struct kunit *test)
{
	return make_pool(test, zcb_fixed_defaults, ZCB_FIXED_DEFAULTS,
			 PAGE_SHIFT_4K);
}

static struct pool *make_small(struct kunit *test)
{
	return make_pool(test, small, ARRAY_SIZE(small), PAGE_SHIFT_4K);
}

static u32 must_take(struct kunit *test, struct pool *p, u32 class)
{
	u32 object = ZCB_FIXED_NONE;

	KUNIT_ASSERT_EQ(test, zcb_fixed_take(&p->f, class, &object), 0);
	KUNIT_ASSERT_LT(test, object, p->f.nobjects);
	return object;
}

static int try_take(struct pool *p, u32 class)
{
	u32 object;

	return zcb_fixed_take(&p->f, class, &object);
}

static u64 hand_out(struct pool *p, u32 owner, u32 object)
{
	struct owner *o = &p->owner[owner];

	return zcb_fixed_hand_out(&p->f, &o->list, o,
				  zcb_fixed_class_of(&p->f, object), object);
}

static u64 must_get(struct kunit *test, struct pool *p, u32 owner, u32 class)
{
	return hand_out(p, owner, must_take(test, p, class));
}

/* The record found, or an error. */
static int find(struct kunit *test, const struct pool *p, u32 owner, u64 handle)
{
	u32 class = ~0U, object = ~0U;
	int err;

	err = zcb_fixed_find(&p->f, handle, &p->owner[owner], &class, &object);
	if (err)
		return err;
	KUNIT_EXPECT_EQ(test, class, zcb_fixed_class_of(&p->f, object));
	return object;
}

static void put(struct pool *p, u32 owner, u32 object)
{
	zcb_fixed_put(&p->f, &p->owner[owner].list,
		      zcb_fixed_class_of(&p->f, object), object);
}

static void must_free(struct kunit *test, struct pool *p, u32 owner, u64 handle)
{
	int object = find(test, p, owner, handle);

	KUNIT_ASSERT_GE(test, object, 0);
	put(p, owner, object);
}

static u64 compose(u64 class, u64 gen, u64 offset)
{
	return (class + 32) << 58 | gen << 36 | offset >> 4;
}

/* ---------------------------------------------------------------- layout */

static void default_table(struct kunit *test)
{
	static const u64 bases[] = { 0, 4 << 20, 8 << 20, 10 << 20, 12 << 20 };
	static const u32 counts[] = { 1024, 512, 128, 64, 32 };
	struct pool *p = make_default(test);
	u32 i, length = 4096, first = 0;

	KUNIT_EXPECT_EQ(test, p->f.n, 5);
	for (i = 0; i < 5; i++, length *= 2) {
		const struct zcb_fixed_class *c = &p->f.class[i];

		KUNIT_EXPECT_EQ(test, c->base, bases[i]);
		KUNIT_EXPECT_EQ(test, c->length, length);
		KUNIT_EXPECT_EQ(test, c->count, counts[i]);
		KUNIT_EXPECT_EQ(test, c->align, length);
		KUNIT_EXPECT_EQ(test, c->first, first);
		KUNIT_EXPECT_EQ(test, c->used, 0);
		first += counts[i];
	}
	KUNIT_EXPECT_EQ(test, p->f.size, 14680064);
	KUNIT_EXPECT_EQ(test, p->f.nobjects, 1760);
}

static int layout_of(struct kunit *test, const struct zcb_fixed_spec *spec,
		     u32 n)
{
	struct zcb_fixed *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	int err;

	KUNIT_ASSERT_NOT_NULL(test, f);
	err = zcb_fixed_layout(f, spec, n, PAGE_SHIFT_4K);
	kunit_kfree(test, f);
	return err;
}

static void number_of_classes(struct kunit *test)
{
	struct zcb_fixed_spec many[ZCB_FIXED_CLASSES + 1];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct zcb_fixed_spec){ 16 * (i + 1), 1 };
	KUNIT_EXPECT_EQ(test, layout_of(test, many, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, layout_of(test, NULL, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, layout_of(test, many, 1), 0);
	KUNIT_EXPECT_EQ(test, layout_of(test, many, ZCB_FIXED_CLASSES), 0);
	KUNIT_EXPECT_EQ(test, layout_of(test, many, ZCB_FIXED_CLASSES + 1),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, layout_of(test, many, ~0U), -EINVAL);
}

static void bad_lengths(struct kunit *test)
{
	static const struct zcb_fixed_spec zero[] = { { 0, 1 } };
	static const struct zcb_fixed_spec later_zero[] = { { 16, 1 }, { 0, 1 } };
	static const struct zcb_fixed_spec falling[] = { { 64, 1 }, { 32, 1 } };
	static const struct zcb_fixed_spec same[] = { { 64, 1 }, { 64, 1 } };
	static const struct zcb_fixed_spec rounded[] = { { 17, 1 }, { 32, 1 } };
	static const struct zcb_fixed_spec apart[] = { { 16, 1 }, { 17, 1 } };

	KUNIT_EXPECT_EQ(test, layout_of(test, zero, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, layout_of(test, later_zero, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, layout_of(test, falling, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, layout_of(test, same, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, layout_of(test, rounded, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, layout_of(test, apart, 2), 0);
}

/* Rounded up, some would be 4 GiB, and so 0 in 32 bits. */
static void longest_objects(struct kunit *test)
{
	static const struct zcb_fixed_spec longest[] = { { U32_MAX - 15, 2 } };
	static const struct zcb_fixed_spec longer[] = { { U32_MAX - 14, 1 } };
	static const struct zcb_fixed_spec last[] = { { U32_MAX, 1 } };
	struct pool *p = make_pool(test, longest, 1, PAGE_SHIFT_4K);

	KUNIT_EXPECT_EQ(test, p->f.class[0].length, U32_MAX - 15);
	KUNIT_EXPECT_EQ(test, p->f.class[0].align, 16);
	KUNIT_EXPECT_EQ(test, p->f.size, 1ULL << 33);
	must_get(test, p, 0, 0);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, must_get(test, p, 0, 0)), 1);
	KUNIT_EXPECT_EQ(test, zcb_fixed_offset(&p->f, 0, 1), U32_MAX - 15);
	KUNIT_EXPECT_EQ(test, zcb_fixed_class_for(&p->f, 1ULL << 32, 0),
			-E2BIG);
	KUNIT_EXPECT_EQ(test, layout_of(test, longer, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, layout_of(test, last, 1), -EINVAL);
}

static void number_of_objects(struct kunit *test)
{
	static const struct zcb_fixed_spec none[] = { { 16, 1 }, { 32, 0 } };
	static const struct zcb_fixed_spec all[] = {
		{ 16, ZCB_FIXED_OBJECTS - 1 }, { 32, 1 }, { 48, 1 },
	};
	static const struct zcb_fixed_spec most[] = { { 16, ZCB_FIXED_OBJECTS } };
	static const struct zcb_fixed_spec more[] = {
		{ 16, ZCB_FIXED_OBJECTS + 1 },
	};
	static const struct zcb_fixed_spec wraps[] = {
		{ 16, 2 }, { 32, U32_MAX },
	};

	KUNIT_EXPECT_EQ(test, layout_of(test, none, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, layout_of(test, all, 2), 0);
	KUNIT_EXPECT_EQ(test, layout_of(test, all, 3), -EINVAL);
	KUNIT_EXPECT_EQ(test, layout_of(test, most, 1), 0);
	KUNIT_EXPECT_EQ(test, layout_of(test, more, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, layout_of(test, wraps, 2), -EINVAL);
}

static void expect_class(struct kunit *test, const struct pool *p, u32 class,
			 u64 base, u32 length, u32 align)
{
	const struct zcb_fixed_class *c = &p->f.class[class];

	KUNIT_EXPECT_EQ(test, c->base, base);
	KUNIT_EXPECT_EQ(test, c->length, length);
	KUNIT_EXPECT_EQ(test, c->align, align);
}

static void odd_lengths(struct kunit *test)
{
	static const struct zcb_fixed_spec odd[] = {
		{ 1500, 3 }, { 9000, 2 }, { 40000, 1 },
	};
	struct pool *p = make_pool(test, odd, 3, PAGE_SHIFT_4K);

	expect_class(test, p, 0, 0, 1504, 32);
	expect_class(test, p, 1, 8192, 9008, 16);
	expect_class(test, p, 2, 28672, 40000, 64);
	KUNIT_EXPECT_EQ(test, p->f.size, 69632);
	KUNIT_EXPECT_EQ(test, zcb_fixed_offset(&p->f, 0, 2), 3008);
	KUNIT_EXPECT_EQ(test, zcb_fixed_offset(&p->f, 1, 4), 17200);
	p = make_pool(test, odd, 3, 16);
	expect_class(test, p, 0, 0, 1504, 32);
	expect_class(test, p, 1, 65536, 9008, 16);
	expect_class(test, p, 2, 131072, 40000, 64);
	KUNIT_EXPECT_EQ(test, p->f.size, 196608);
}

static void shares_pages(struct kunit *test)
{
	static const struct zcb_fixed_spec last_odd[] = {
		{ 4096, 1 }, { 8192, 1 }, { 12304, 1 },
	};
	struct pool *p = make_default(test);

	KUNIT_EXPECT_FALSE(test, zcb_fixed_shares_pages(&p->f, 12));
	KUNIT_EXPECT_TRUE(test, zcb_fixed_shares_pages(&p->f, 14));
	p = make_pool(test, last_odd, 3, PAGE_SHIFT_4K);
	KUNIT_EXPECT_TRUE(test, zcb_fixed_shares_pages(&p->f, 12));
	p = make_pool(test, last_odd, 2, PAGE_SHIFT_4K);
	KUNIT_EXPECT_FALSE(test, zcb_fixed_shares_pages(&p->f, 12));
	p = make_small(test);
	KUNIT_EXPECT_TRUE(test, zcb_fixed_shares_pages(&p->f, 12));
}

/* Where a class begins may be less aligned than its length is. */
static void alignment(struct kunit *test)
{
	static const struct zcb_fixed_spec spec[] = {
		{ 64, 1 }, { 4096, 1 }, { 8192, 2 }, { 32768, 1 },
	};
	struct pool *p = make_pool(test, spec, 4, PAGE_SHIFT_4K);
	const struct zcb_fixed *f = &p->f;

	expect_class(test, p, 0, 0, 64, 64);
	expect_class(test, p, 1, 4096, 4096, 4096);
	expect_class(test, p, 2, 8192, 8192, 8192);
	expect_class(test, p, 3, 24576, 32768, 8192);
	KUNIT_EXPECT_EQ(test, zcb_fixed_class_for(f, 1, 64), 0);
	KUNIT_EXPECT_EQ(test, zcb_fixed_class_for(f, 1, 128), 1);
	KUNIT_EXPECT_EQ(test, zcb_fixed_class_for(f, 1, 4096), 1);
	KUNIT_EXPECT_EQ(test, zcb_fixed_class_for(f, 1, 8192), 2);
	KUNIT_EXPECT_EQ(test, zcb_fixed_class_for(f, 8193, 8192), 3);
	KUNIT_EXPECT_EQ(test, zcb_fixed_class_for(f, 1, 16384), -E2BIG);
	KUNIT_EXPECT_EQ(test, zcb_fixed_class_for(f, 1, 1U << 31), -E2BIG);
}

static void class_of_every_record(struct kunit *test)
{
	struct pool *p = make_default(test);
	const struct zcb_fixed_class *c;
	u32 class, object = 0;

	for (class = 0; class < p->f.n; class++) {
		c = &p->f.class[class];
		for (; object < c->first + c->count; object++)
			KUNIT_ASSERT_EQ(test, zcb_fixed_class_of(&p->f, object),
					class);
	}
	KUNIT_EXPECT_EQ(test, object, p->f.nobjects);
}

/* ------------------------------------------------------------ take and put */

/* Hand out a buffer for @length bytes. */
static void expect_buffer(struct kunit *test, struct pool *p, u64 length,
			  u64 offset, u64 capacity)
{
	u32 lengths[ZCB_FIXED_CLASSES], i;
	u64 handle;
	int class;

	for (i = 0; i < p->f.n; i++)
		lengths[i] = p->f.class[i].length;
	class = zcb_fixed_class_for(&p->f, length, 0);
	KUNIT_ASSERT_GE(test, class, 0);
	handle = must_get(test, p, 0, class);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_class(handle), class + 32);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(handle), offset);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_capacity(handle, lengths), capacity);
}

static void smallest_class_that_fits(struct kunit *test)
{
	struct pool *p = make_default(test);

	expect_buffer(test, p, 1, 0, 4096);
	expect_buffer(test, p, 4097, 4194304, 8192);
	expect_buffer(test, p, 8193, 8388608, 16384);
	expect_buffer(test, p, 16385, 10485760, 32768);
	expect_buffer(test, p, 32769, 12582912, 65536);
	expect_buffer(test, p, 65536, 12648448, 65536);
	expect_buffer(test, p, 4096, 4096, 4096);
	expect_buffer(test, p, 8192, 4202496, 8192);
}

static void too_long(struct kunit *test)
{
	struct pool *p = make_default(test);

	KUNIT_EXPECT_EQ(test, zcb_fixed_class_for(&p->f, 65536, 0), 4);
	KUNIT_EXPECT_EQ(test, zcb_fixed_class_for(&p->f, 65537, 0), -E2BIG);
	KUNIT_EXPECT_EQ(test, zcb_fixed_class_for(&p->f, 1ULL << 32, 0),
			-E2BIG);
	KUNIT_EXPECT_EQ(test, zcb_fixed_class_for(&p->f, ~0ULL, 0), -E2BIG);
}

static void take_all(struct kunit *test, struct pool *p, u32 class)
{
	u32 i;

	for (i = 0; i < p->f.class[class].count; i++)
		KUNIT_ASSERT_EQ(test, try_take(p, class), 0);
	KUNIT_ASSERT_EQ(test, p->f.class[class].used, i);
}

static void no_larger_class_helps_out(struct kunit *test)
{
	struct pool *p = make_default(test);

	take_all(test, p, 4);
	KUNIT_EXPECT_EQ(test, try_take(p, 4), -EAGAIN);
	expect_buffer(test, p, 32768, 10485760, 32768);
	take_all(test, p, 0);
	KUNIT_EXPECT_EQ(test, try_take(p, 0), -EAGAIN);
	KUNIT_EXPECT_EQ(test, p->f.class[0].used, 1024);
	KUNIT_EXPECT_EQ(test, p->f.class[1].used, 0);
	KUNIT_EXPECT_EQ(test, p->f.class[3].used, 1);
	KUNIT_EXPECT_EQ(test, p->f.class[4].used, 32);
}

static void ascending_at_first(struct kunit *test)
{
	struct pool *p = make_small(test);
	u32 class, i, object = 0;

	for (class = 0; class < 3; class++) {
		for (i = 0; i < small[class].count; i++)
			KUNIT_EXPECT_EQ(test, must_take(test, p, class),
					object++);
		KUNIT_EXPECT_EQ(test, try_take(p, class), -EAGAIN);
	}
}

static void last_freed_is_first_out(struct kunit *test)
{
	struct pool *p = make_small(test);
	u64 handle[4];
	u32 i;

	for (i = 0; i < 3; i++)
		handle[i] = must_get(test, p, 0, 1);
	must_free(test, p, 0, handle[0]);
	must_free(test, p, 0, handle[2]);
	must_free(test, p, 0, handle[1]);
	KUNIT_EXPECT_EQ(test, p->f.class[1].used, 0);
	KUNIT_EXPECT_EQ(test, must_take(test, p, 1), 4);
	KUNIT_EXPECT_EQ(test, must_take(test, p, 1), 5);
	KUNIT_EXPECT_EQ(test, must_take(test, p, 1), 3);
	KUNIT_EXPECT_EQ(test, must_take(test, p, 1), 6);
	KUNIT_EXPECT_EQ(test, try_take(p, 1), -EAGAIN);
}

static bool is_at(const void *of, u64 offset, u32 length)
{
	return offset == *(const u64 *)of && length == 4096;
}

static int bring(struct pool *p, u64 offset)
{
	struct zcb_fixed_walk walk = { 0 };

	return zcb_fixed_bring(&p->f, 1, is_at, &offset, &walk);
}

/* From the middle, the end, the start; the others stay as they are. */
static void brought_to_be_next(struct kunit *test)
{
	struct pool *p = make_small(test);

	KUNIT_EXPECT_EQ(test, bring(p, 8192), 0);
	KUNIT_EXPECT_EQ(test, bring(p, 16384), 0);
	KUNIT_EXPECT_EQ(test, bring(p, 16384), 0);
	KUNIT_EXPECT_EQ(test, bring(p, 16384 + 4096), -EAGAIN);
	KUNIT_EXPECT_EQ(test, must_take(test, p, 1), 6);
	KUNIT_EXPECT_EQ(test, bring(p, 16384), -EAGAIN);
	KUNIT_EXPECT_EQ(test, must_take(test, p, 1), 4);
	KUNIT_EXPECT_EQ(test, must_take(test, p, 1), 3);
	KUNIT_EXPECT_EQ(test, must_take(test, p, 1), 5);
	KUNIT_EXPECT_EQ(test, bring(p, 4096), -EAGAIN);
	KUNIT_EXPECT_EQ(test, try_take(p, 1), -EAGAIN);
}

/* Calls until it is known whether there is one at @offset, far below the others. */
static int bring_far(struct pool *p, u64 offset, struct zcb_fixed_walk *walk,
		     u32 *calls)
{
	int err;

	for (*calls = 1;; ++*calls) {
		err = zcb_fixed_bring(&p->f, 0, is_at, &offset, walk);
		if (err != -EINPROGRESS)
			return err;
	}
}

/* Whoever else searches, and however many there are in front of it. */
static void brought_from_afar(struct kunit *test)
{
	static const struct zcb_fixed_spec spec = { 4096, 2000 };
	struct pool *p = make_pool(test, &spec, 1, PAGE_SHIFT_4K);
	struct zcb_fixed_walk first = { 0 }, other = { 0 }, third = { 0 };
	const u64 last = 1999 * 4096, nowhere = 2000 * 4096;
	u32 calls;

	KUNIT_EXPECT_EQ(test, zcb_fixed_bring(&p->f, 0, is_at, &last, &first),
			-EINPROGRESS);
	KUNIT_EXPECT_EQ(test, bring_far(p, 1000 * 4096, &other, &calls), 0);
	KUNIT_EXPECT_EQ(test, calls, 1 + 1000 / ZCB_FIXED_LOOK);
	KUNIT_EXPECT_EQ(test, must_take(test, p, 0), 1000);
	KUNIT_EXPECT_EQ(test, bring_far(p, last, &first, &calls), 0);
	KUNIT_EXPECT_EQ(test, calls, 1999 / ZCB_FIXED_LOOK);
	KUNIT_EXPECT_EQ(test, must_take(test, p, 0), 1999);
	KUNIT_EXPECT_EQ(test, bring_far(p, nowhere, &third, &calls), -EAGAIN);
	KUNIT_EXPECT_EQ(test, calls, 1 + 2000 / ZCB_FIXED_LOOK);
	other = (struct zcb_fixed_walk){ 0 };
	KUNIT_EXPECT_EQ(test, bring_far(p, 1000 * 4096, &other, &calls),
			-EAGAIN);
	must_take(test, p, 0);
	KUNIT_EXPECT_EQ(test, p->f.class[0].used, 3);
}

static void largest(struct kunit *test)
{
	struct pool *p = make_small(test);
	u64 handle = must_get(test, p, 0, 2);

	KUNIT_EXPECT_EQ(test, zcb_fixed_largest(&p->f), 2);
	must_get(test, p, 0, 2);
	KUNIT_EXPECT_EQ(test, zcb_fixed_largest(&p->f), 1);
	take_all(test, p, 0);
	KUNIT_EXPECT_EQ(test, zcb_fixed_largest(&p->f), 1);
	take_all(test, p, 1);
	KUNIT_EXPECT_EQ(test, zcb_fixed_largest(&p->f), -EAGAIN);
	must_free(test, p, 0, handle);
	KUNIT_EXPECT_EQ(test, zcb_fixed_largest(&p->f), 2);
}

static void most_ever_used(struct kunit *test)
{
	struct pool *p = make_small(test);
	u64 handle = must_get(test, p, 0, 1);

	KUNIT_EXPECT_EQ(test, p->f.class[1].max_used, 1);
	must_free(test, p, 0, must_get(test, p, 0, 1));
	must_free(test, p, 0, handle);
	KUNIT_EXPECT_EQ(test, p->f.class[1].used, 0);
	KUNIT_EXPECT_EQ(test, p->f.class[1].max_used, 2);
	must_take(test, p, 1);
	KUNIT_EXPECT_EQ(test, p->f.class[1].used, 1);
	KUNIT_EXPECT_EQ(test, p->f.class[1].max_used, 2);
	take_all(test, p, 0);
	KUNIT_EXPECT_EQ(test, try_take(p, 0), -EAGAIN);
	KUNIT_EXPECT_EQ(test, p->f.class[0].max_used, 3);
	KUNIT_EXPECT_EQ(test, p->f.class[2].max_used, 0);
}

static void tags(struct kunit *test)
{
	struct pool *p = make_small(test);
	u32 object = must_take(test, p, 1), i;

	for (i = 0; i < p->f.nobjects; i++)
		KUNIT_EXPECT_FALSE(test, zcb_fixed_was_used(&p->f, i));
	KUNIT_EXPECT_FALSE(test, zcb_fixed_tag(&p->f, object, 7));
	KUNIT_EXPECT_TRUE(test, zcb_fixed_was_used(&p->f, object));
	KUNIT_EXPECT_FALSE(test, zcb_fixed_was_used(&p->f, object + 1));
	KUNIT_EXPECT_FALSE(test, zcb_fixed_tag(&p->f, object, 7));
	KUNIT_EXPECT_TRUE(test, zcb_fixed_tag(&p->f, object, 8));
	KUNIT_EXPECT_EQ(test, zcb_fixed_next_domain(&p->f, 1), 0);
	must_free(test, p, 0, hand_out(p, 0, object));
	KUNIT_EXPECT_EQ(test, zcb_fixed_next_domain(&p->f, 1), 8);
	KUNIT_EXPECT_EQ(test, must_take(test, p, 1), object);
	KUNIT_EXPECT_TRUE(test, zcb_fixed_was_used(&p->f, object));
	KUNIT_EXPECT_FALSE(test, zcb_fixed_tag(&p->f, object, 8));
	KUNIT_EXPECT_TRUE(test, zcb_fixed_tag(&p->f, object, 7));
}

static void init_again(struct kunit *test)
{
	struct pool *p = make_small(test);
	u64 handle = must_get(test, p, 0, 1);
	u32 i;

	zcb_fixed_tag(&p->f, 3, 1);
	must_free(test, p, 0, handle);
	must_get(test, p, 0, 1);
	take_all(test, p, 2);
	init_pool(p, p->f.objects);
	for (i = 0; i < p->f.n; i++) {
		KUNIT_EXPECT_EQ(test, p->f.class[i].used, 0);
		KUNIT_EXPECT_EQ(test, p->f.class[i].max_used, 0);
	}
	KUNIT_EXPECT_EQ(test, find(test, p, 0, handle), -ENOENT);
	KUNIT_EXPECT_FALSE(test, zcb_fixed_was_used(&p->f, 3));
	KUNIT_EXPECT_EQ(test, must_get(test, p, 0, 1), handle);
	take_all(test, p, 2);
}

/* ------------------------------------------------------------------- find */

static void handle_layout(struct kunit *test)
{
	struct pool *p = make_small(test);
	u64 handle = must_get(test, p, 0, 0);

	KUNIT_EXPECT_EQ(test, handle, compose(0, 1, 0));
	KUNIT_EXPECT_EQ(test, find(test, p, 0, handle), 0);
	KUNIT_EXPECT_EQ(test, must_get(test, p, 0, 0), compose(0, 1, 64));
	must_get(test, p, 0, 2);
	handle = must_get(test, p, 0, 2);
	KUNIT_EXPECT_EQ(test, handle, compose(2, 1, 24592));
	KUNIT_EXPECT_EQ(test, find(test, p, 0, handle), 8);
	must_free(test, p, 0, handle);
	handle = must_get(test, p, 0, 2);
	KUNIT_EXPECT_EQ(test, handle, compose(2, 2, 24592));
	KUNIT_EXPECT_EQ(test, find(test, p, 0, handle), 8);
}

static void other_class(struct kunit *test)
{
	struct pool *p = make_small(test);
	u64 handle = must_get(test, p, 0, 1);

	KUNIT_EXPECT_EQ(test, find(test, p, 0, handle), 3);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, compose(0, 1, 4096)), -EINVAL);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, compose(2, 1, 4096)), -EINVAL);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, compose(3, 1, 4096)), -EINVAL);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, compose(31, 1, 4096)), -EINVAL);
	/* A block of pages. */
	KUNIT_EXPECT_EQ(test, find(test, p, 0, handle & ~BIT_ULL(63)), -EINVAL);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, ~0ULL), -EINVAL);
}

static void no_object_starts_there(struct kunit *test)
{
	struct pool *p = make_small(test);

	must_get(test, p, 0, 1);
	must_get(test, p, 0, 2);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, compose(1, 1, 4112)), -EINVAL);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, compose(1, 1, 8176)), -EINVAL);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, compose(1, 1, 0)), -EINVAL);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, compose(1, 1, 20480)), -EINVAL);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, compose(2, 1, 28704)), -EINVAL);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, compose(2, 1, 24576)), -EINVAL);
	/* In the last page of the class, behind its objects. */
	KUNIT_EXPECT_EQ(test, find(test, p, 0, compose(0, 1, 192)), -EINVAL);
	/* What is the offset of an object in the lower 32 bits. */
	KUNIT_EXPECT_EQ(test, find(test, p, 0, compose(1, 1, 4096 | 1ULL << 32)),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, compose(0, 1, (1ULL << 40) - 16)),
			-EINVAL);
}

static void never_issued(struct kunit *test)
{
	struct pool *p = make_small(test);
	u64 handle = must_get(test, p, 0, 1);

	KUNIT_EXPECT_EQ(test, find(test, p, 0, compose(1, 1, 8192)), -ENOENT);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, compose(1, 0, 4096)), -ENOENT);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, compose(1, 2, 4096)), -ENOENT);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, compose(1, GEN_MAX, 4096)),
			-ENOENT);
	must_free(test, p, 0, handle);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, compose(1, 0, 4096)), -ENOENT);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, compose(1, 2, 4096)), -ENOENT);
}

static void not_found_until_handed_out(struct kunit *test)
{
	struct pool *p = make_small(test);
	u32 object = must_take(test, p, 1);
	u64 first = compose(1, 1, 4096), second = compose(1, 2, 4096);

	KUNIT_EXPECT_EQ(test, p->f.class[1].used, 1);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, first), -ENOENT);
	KUNIT_EXPECT_EQ(test, zcb_fixed_find(&p->f, first, NULL, &object,
					     &object), -ENOENT);
	KUNIT_EXPECT_EQ(test, hand_out(p, 0, object), first);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, first), 3);
	must_free(test, p, 0, first);
	KUNIT_EXPECT_EQ(test, must_take(test, p, 1), object);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, first), -EBADSLT);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, second), -ENOENT);
}

static void freed(struct kunit *test)
{
	struct pool *p = make_small(test);
	u64 old = must_get(test, p, 0, 1), new;

	must_free(test, p, 0, old);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, old), -EBADSLT);
	KUNIT_EXPECT_EQ(test, find(test, p, 1, old), -EBADSLT);
	new = must_get(test, p, 0, 1);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(new), zcbuf_buf_offset(old));
	KUNIT_EXPECT_EQ(test, find(test, p, 0, old), -ESTALE);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, new), 3);
	must_free(test, p, 0, new);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, old), -EBADSLT);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, new), -EBADSLT);
}

static void other_owner(struct kunit *test)
{
	struct pool *p = make_small(test);
	u64 old = must_get(test, p, 0, 1), new;

	KUNIT_EXPECT_EQ(test, find(test, p, 1, old), -EPERM);
	must_free(test, p, 0, old);
	new = must_get(test, p, 1, 1);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, new), -EPERM);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, old), -ESTALE);
	KUNIT_EXPECT_EQ(test, find(test, p, 1, old), -ESTALE);
	KUNIT_EXPECT_EQ(test, find(test, p, 1, new), 3);
}

static void generations_start_again(struct kunit *test)
{
	struct pool *p = make_small(test);
	u64 last;

	p->f.objects[3].gen = GEN_MAX - 1;
	must_free(test, p, 0, must_get(test, p, 0, 1));
	last = must_get(test, p, 0, 1);
	KUNIT_EXPECT_EQ(test, last, compose(1, GEN_MAX, 4096));
	KUNIT_EXPECT_EQ(test, find(test, p, 0, last), 3);
	must_free(test, p, 0, last);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, last), -ENOENT);
	KUNIT_EXPECT_EQ(test, must_get(test, p, 0, 1), compose(1, 1, 4096));
	KUNIT_EXPECT_EQ(test, find(test, p, 0, compose(1, 1, 4096)), 3);
	KUNIT_EXPECT_EQ(test, find(test, p, 0, last), -ENOENT);
}

/* ------------------------------------------------------------------ lists */

/* The objects of @owner, the newest first, ended by ZCB_FIXED_NONE. */
static void expect_list(struct kunit *test, const struct pool *p, u32 owner,
			const u32 *want)
{
	const struct zcb_fixed_list *l = &p->owner[owner].list;
	u32 i, at = l->first, prev = ZCB_FIXED_NONE;
	u64 bytes = 0;

	for (i = 0; want[i] != ZCB_FIXED_NONE; i++) {
		KUNIT_ASSERT_EQ(test, at, want[i]);
		KUNIT_EXPECT_EQ(test, p->f.objects[at].prev, prev);
		bytes += p->f.class[zcb_fixed_class_of(&p->f, at)].length;
		prev = at;
		at = p->f.objects[at].next;
	}
	KUNIT_EXPECT_EQ(test, at, ZCB_FIXED_NONE);
	KUNIT_EXPECT_EQ(test, l->count, i);
	KUNIT_EXPECT_EQ(test, l->bytes, bytes);
}

#define EXPECT_LIST(test, p, owner, ...) \
	expect_list(test, p, owner, (const u32[]){ __VA_ARGS__ })

static void first_middle_last_removed(struct kunit *test)
{
	struct pool *p = make_small(test);
	u32 i;

	EXPECT_LIST(test, p, 0, ZCB_FIXED_NONE);
	for (i = 0; i < 4; i++)
		must_get(test, p, 0, 1);
	must_get(test, p, 0, 2);
	EXPECT_LIST(test, p, 0, 7, 6, 5, 4, 3, ZCB_FIXED_NONE);
	put(p, 0, 7);
	EXPECT_LIST(test, p, 0, 6, 5, 4, 3, ZCB_FIXED_NONE);
	put(p, 0, 5);
	EXPECT_LIST(test, p, 0, 6, 4, 3, ZCB_FIXED_NONE);
	put(p, 0, 3);
	EXPECT_LIST(test, p, 0, 6, 4, ZCB_FIXED_NONE);
	must_get(test, p, 0, 1);
	EXPECT_LIST(test, p, 0, 3, 6, 4, ZCB_FIXED_NONE);
}

static void two_owners(struct kunit *test)
{
	struct pool *p = make_small(test);

	must_get(test, p, 0, 0);
	must_get(test, p, 1, 0);
	must_get(test, p, 0, 2);
	must_get(test, p, 1, 1);
	EXPECT_LIST(test, p, 0, 7, 0, ZCB_FIXED_NONE);
	EXPECT_LIST(test, p, 1, 3, 1, ZCB_FIXED_NONE);
	KUNIT_EXPECT_EQ(test, p->owner[0].list.bytes, 4112 + 64);
	KUNIT_EXPECT_EQ(test, p->owner[1].list.bytes, 4096 + 64);
	put(p, 0, 0);
	KUNIT_EXPECT_EQ(test, must_get(test, p, 1, 0), compose(0, 2, 0));
	EXPECT_LIST(test, p, 0, 7, ZCB_FIXED_NONE);
	EXPECT_LIST(test, p, 1, 0, 3, 1, ZCB_FIXED_NONE);
	EXPECT_LIST(test, p, 2, ZCB_FIXED_NONE);
}

static void moved_to_another(struct kunit *test)
{
	struct pool *p = make_small(test);
	u32 class, object;
	u64 handle;

	must_get(test, p, 0, 1);
	handle = must_get(test, p, 0, 1);
	must_get(test, p, 0, 1);
	must_get(test, p, 1, 1);
	zcb_fixed_move(&p->f, &p->owner[0].list, &p->owner[1].list,
		       &p->owner[1], 1, 4);
	EXPECT_LIST(test, p, 0, 5, 3, ZCB_FIXED_NONE);
	EXPECT_LIST(test, p, 1, 4, 6, ZCB_FIXED_NONE);
	KUNIT_EXPECT_EQ(test, zcb_fixed_find(&p->f, handle, &p->owner[0],
					     &class, &object), -EPERM);
	KUNIT_EXPECT_EQ(test, zcb_fixed_find(&p->f, handle, &p->owner[1],
					     &class, &object), 0);
	KUNIT_EXPECT_EQ(test, object, 4);
	KUNIT_EXPECT_EQ(test, p->f.class[1].used, 4);
	put(p, 1, 4);
	EXPECT_LIST(test, p, 1, 6, ZCB_FIXED_NONE);
}

static struct kunit_case fixed_cases[] = {
	KUNIT_CASE(default_table),
	KUNIT_CASE(number_of_classes),
	KUNIT_CASE(bad_lengths),
	KUNIT_CASE(longest_objects),
	KUNIT_CASE(number_of_objects),
	KUNIT_CASE(odd_lengths),
	KUNIT_CASE(shares_pages),
	KUNIT_CASE(alignment),
	KUNIT_CASE(class_of_every_record),
	KUNIT_CASE(smallest_class_that_fits),
	KUNIT_CASE(too_long),
	KUNIT_CASE(no_larger_class_helps_out),
	KUNIT_CASE(ascending_at_first),
	KUNIT_CASE(last_freed_is_first_out),
	KUNIT_CASE(brought_to_be_next),
	KUNIT_CASE(brought_from_afar),
	KUNIT_CASE(largest),
	KUNIT_CASE(most_ever_used),
	KUNIT_CASE(tags),
	KUNIT_CASE(init_again),
	KUNIT_CASE(handle_layout),
	KUNIT_CASE(other_class),
	KUNIT_CASE(no_object_starts_there),
	KUNIT_CASE(never_issued),
	KUNIT_CASE(not_found_until_handed_out),
	KUNIT_CASE(freed),
	KUNIT_CASE(other_owner),
	KUNIT_CASE(generations_start_again),
	KUNIT_CASE(first_middle_last_removed),
	KUNIT_CASE(two_owners),
	KUNIT_CASE(moved_to_another),
	{}
};

static struct kunit_suite fixed_suite = {
	.name = "zcb_fixed",
	.test_cases = fixed_cases,
};

kunit_test_suite(fixed_suite);

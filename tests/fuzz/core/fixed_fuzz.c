// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * kmod/core/fixed.c: any table of classes, and if it is good and small, the
 * operations of tests/kunit/fixed_model.h, which draw from the input here.
 */
#include "fuzz.h"
#include "../../kunit/fixed_model.h"

#define SPECS	(ZCB_FIXED_CLASSES + 2)		/* more than there may be */

/* ---------------------------------------------------------------- classes */

static u32 choose_length(struct model *m, u32 last)
{
	u32 kind = below(m, 16);

	if (kind < 8)
		return last + 1 + below(m, 64 << 3 * (kind / 2));
	if (kind < 12)
		return round_up(last + 1, 4096) + (below(m, 4) << 12);
	if (kind == 12)
		return (1 + below(m, 16)) << below(m, 28);
	if (kind == 13)
		return U32_MAX - below(m, 40);
	return kind == 14 ? last * 2 : last;
}

static u32 choose_count(struct model *m)
{
	u32 kind = below(m, 32);

	if (kind == 0)
		return 0;
	if (kind == 1)
		return ZCB_FIXED_OBJECTS - below(m, 4);
	if (kind == 2)
		return zcb_rand_u32(&m->rand) >> below(m, 32);
	return 1 + below(m, 8);
}

/* As many classes as there can be, or about that. */
static u32 choose_many(struct model *m, struct zcb_fixed_spec *spec)
{
	u32 i, n = ZCB_FIXED_CLASSES - 1 + below(m, 4);

	for (i = 0; i < n; i++)
		spec[i] = (struct zcb_fixed_spec){ 48 * (i + 1),
						   1 + below(m, 8) };
	return n;
}

static u32 choose_specs(struct model *m, struct zcb_fixed_spec *spec)
{
	u32 i, n = below(m, 8), kind = below(m, 8);

	if (kind == 0) {
		memcpy(spec, zcb_fixed_defaults, sizeof(zcb_fixed_defaults));
		return ZCB_FIXED_DEFAULTS;
	}
	if (kind == 1)
		return choose_many(m, spec);
	for (i = 0; i < n; i++) {
		spec[i].length = choose_length(m, i ? spec[i - 1].length : 0);
		spec[i].count = choose_count(m);
	}
	return n;
}

static bool specs_are_good(const struct zcb_fixed_spec *spec, u32 n)
{
	u64 last = 0, units, objects = 0;
	u32 i;

	for (i = 0; i < n; i++) {
		units = ((u64)spec[i].length + 15) / 16;
		objects += spec[i].count;
		if (units <= last || units * 16 > U32_MAX)
			return false;
		if (!spec[i].count || objects > 1 << 20)
			return false;
		last = units;
	}
	return n && n <= 24;
}

static void check_layout(struct kunit *test, const struct zcb_fixed *f,
			 const struct zcb_fixed_spec *spec, u32 n, u64 page)
{
	u64 length, align, at = 0;
	u32 i, first = 0;
	bool shares = false;

	for (i = 0; i < n; i++) {
		const struct zcb_fixed_class *c = &f->class[i];

		length = ((u64)spec[i].length + 15) / 16 * 16;
		for (align = 16; !(at % (align * 2) || length % (align * 2));)
			align *= 2;
		KUNIT_ASSERT_EQ(test, c->base, at);
		KUNIT_ASSERT_EQ(test, c->length, length);
		KUNIT_ASSERT_EQ(test, c->count, spec[i].count);
		KUNIT_ASSERT_EQ(test, c->align, align);
		KUNIT_ASSERT_EQ(test, c->first, first);
		first += spec[i].count;
		at += DIV_ROUND_UP(length * spec[i].count, page) * page;
		shares = shares || length % page;
	}
	KUNIT_ASSERT_EQ(test, f->n, n);
	KUNIT_ASSERT_EQ(test, f->nobjects, first);
	KUNIT_ASSERT_EQ(test, f->size, at);
	KUNIT_ASSERT_EQ(test, zcb_fixed_shares_pages(f, ilog2(page)), shares);
}

static bool lay_out(struct model *m, struct zcb_fixed *f,
		    const struct zcb_fixed_spec *spec, u32 n, u32 page_shift)
{
	bool good = specs_are_good(spec, n);

	memset(f, 0xa5, sizeof(*f));
	KUNIT_ASSERT_EQ(m->test, zcb_fixed_layout(f, spec, n, page_shift),
			good ? 0 : -EINVAL);
	if (good)
		check_layout(m->test, f, spec, n, 1ULL << page_shift);
	return good;
}

/* Is there something to operate on? */
static bool start(struct model *m)
{
	struct zcb_fixed_spec spec[SPECS] = {};
	u32 page_shift = 12 + 2 * below(m, 3);
	u32 n = choose_specs(m, spec);

	if (!lay_out(m, &m->f, spec, n, page_shift) ||
	    m->f.nobjects > MODEL_OBJECTS)
		return false;
	model_start(m, spec, n, 1ULL << page_shift);
	return true;
}

/* ------------------------------------------------------------- operations */

/* A table that is laid out only. */
static void layout(void *state)
{
	struct zcb_fixed_spec spec[SPECS] = {};
	struct model *m = state;
	struct zcb_fixed f;
	u32 n = choose_specs(m, spec);

	lay_out(m, &f, spec, n, 12 + 2 * below(m, 3));
}

/* Anything, or nearly the length of a class. */
static u64 choose_wanted(struct model *m)
{
	u32 i = below(m, 2 * m->f.n);

	if (i >= m->f.n)
		return input_any(&m->rand);
	return (u64)m->f.class[i].length - 1 + below(m, 3);
}

/* Any, or about as much as a class has. */
static u32 choose_align(struct model *m)
{
	u32 i = below(m, 2 * m->f.n);

	if (i < m->f.n)
		return m->f.class[i].align << below(m, 2);
	i = below(m, 33);
	return i ? 1U << (i - 1) : 0;
}

/* If one object of a class is aligned, and its length is, all of them are. */
static void class_for(void *state)
{
	struct model *m = state;
	u64 length = choose_wanted(m);
	u32 align = choose_align(m), i;
	int want = -E2BIG;

	for (i = m->n; i--;) {
		const struct m_object *x = &m->object[i];

		if (x->length < length)
			break;
		if (!align || !(x->offset % align || x->length % align))
			want = x->class;
	}
	KUNIT_ASSERT_EQ(m->test, zcb_fixed_class_for(&m->f, length, align),
			want);
}

static void take(void *m)
{
	op_take(m);
}

static void hand_out_one(void *m)
{
	op_hand_out(m);
}

static void get(void *m)
{
	op_get(m);
}

static void bring(void *m)
{
	op_bring(m);
}

static void put_one(void *m)
{
	op_put(m);
}

static void move(void *m)
{
	op_move(m);
}

/* Few, as there is little to see after it. */
static void put_all(void *state)
{
	struct model *m = state;

	if (zcb_rand_chance(&m->rand, 25))
		op_put_all(m);
}

static void find(void *m)
{
	op_find(m);
}

static void tag(void *m)
{
	op_tag(m);
}

static void age(void *m)
{
	op_age(m);
}

static void check(void *m)
{
	model_check(m);
}

static const struct fuzz_op ops[] = {
	{ "layout", layout },
	{ "take", take },
	{ "take", take },
	{ "hand_out", hand_out_one },
	{ "hand_out", hand_out_one },
	{ "get", get },
	{ "get", get },
	{ "put", put_one },
	{ "put", put_one },
	{ "put", put_one },
	{ "put_all", put_all },
	{ "find", find },
	{ "find", find },
	{ "find", find },
	{ "class_for", class_for },
	{ "tag", tag },
	{ "age", age },
	{ "move", move },
	{ "bring", bring },
};

static const struct fuzz_target target = { ops, ARRAY_SIZE(ops), check };

void fuzz_one(struct kunit *test, struct zcb_rand *in)
{
	static struct model m;

	memset(&m, 0, sizeof(m));
	m.test = test;
	m.rand = *in;
	if (start(&m))
		fuzz_ops(&target, &m.rand, &m);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model of fixed classes, and operations that are done to both and compared.
 * Of an object it knows where it is, how many handles it has had, whose it is,
 * and when it changed hands. There are no lists in it: of those that are free
 * in a class the last one freed, or brought, is the next to be taken, and an
 * owner's are listed from the last one handed out.
 */
#ifndef ZCB_KUNIT_FIXED_MODEL_H
#define ZCB_KUNIT_FIXED_MODEL_H

#include <kunit/test.h>
#include <linux/zcbuf.h>

#include "../../kmod/core/buf.h"
#include "../../kmod/core/fixed.h"
#include "rand.h"

#define MODEL_OBJECTS	192
#define OWNERS		3
#define NOBODY		OWNERS
#define HISTORY		64
#define NONE		ZCB_FIXED_NONE

enum m_place {
	FREE,
	TAKEN,
	OUT,
};

struct m_object {
	u64 offset;
	u64 length;
	u32 class;
	u32 issued;		/* generation of the newest handle; 0: none */
	u32 domain;
	u32 when;		/* it was freed, brought or handed out */
	u32 owner;
	enum m_place place;
};

struct model {
	struct kunit *test;
	struct zcb_rand rand;
	struct zcb_fixed f;
	struct zcb_fixed_list list[OWNERS];	/* addresses are the owners */
	struct m_object object[MODEL_OBJECTS];
	u32 n;
	u32 max_used[ZCB_FIXED_CLASSES];
	u32 now;
	u64 history[HISTORY];	/* handles that were issued */
	u32 nhistory;
};

static u32 below(struct model *m, u32 n)
{
	return zcb_rand_below(&m->rand, n);
}

static struct zcb_fixed_list *owner_of(struct model *m, u32 owner)
{
	return owner == NOBODY ? NULL : &m->list[owner];
}

static u64 compose(u64 class, u64 gen, u64 offset)
{
	return (class + 32) << 58 | gen << 36 | offset / 16;
}

/* ------------------------------------------------------------------ start */

static void model_layout(struct model *m, const struct zcb_fixed_spec *spec,
			 u32 nspecs, u64 page)
{
	u64 length, at = 0;
	u32 i, k;

	for (i = 0; i < nspecs; i++) {
		length = ((u64)spec[i].length + 15) / 16 * 16;
		for (k = 0; k < spec[i].count; k++, at += length)
			m->object[m->n++] = (struct m_object){
				.offset = at,
				.length = length,
				.class = i,
				.owner = NOBODY,
			};
		at = (at + page - 1) / page * page;
	}
}

/* @m->f is laid out by @spec, which are good and few enough; the rest is 0. */
static void model_start(struct model *m, const struct zcb_fixed_spec *spec,
			u32 nspecs, u64 page)
{
	struct zcb_fixed_object *objects;
	u32 i;

	model_layout(m, spec, nspecs, page);
	for (i = 0; i < m->n; i++)
		m->object[i].when = m->n - i;
	m->now = m->n;
	objects = kunit_kmalloc_array(m->test, m->n, sizeof(*objects),
				      GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(m->test, objects);
	memset(objects, 0xa5, m->n * sizeof(*objects));
	zcb_fixed_init(&m->f, objects);
	for (i = 0; i < OWNERS; i++)
		zcb_fixed_list_init(&m->list[i]);
}

/* --------------------------------------------------- take, hand out, put */

/* The free object of @class that was freed last, or NONE. */
static u32 next_free(const struct model *m, u32 class)
{
	u32 i, best = NONE;

	for (i = 0; i < m->n; i++) {
		if (m->object[i].class != class || m->object[i].place != FREE)
			continue;
		if (best == NONE || m->object[i].when > m->object[best].when)
			best = i;
	}
	return best;
}

static void count_used(struct model *m, u32 class)
{
	u32 i, used = 0;

	for (i = 0; i < m->n; i++)
		used += m->object[i].class == class &&
			m->object[i].place != FREE;
	if (used > m->max_used[class])
		m->max_used[class] = used;
}

static u32 take_of(struct model *m, u32 class)
{
	u32 want = next_free(m, class), object = NONE;

	KUNIT_ASSERT_EQ(m->test, zcb_fixed_take(&m->f, class, &object),
			want == NONE ? -EAGAIN : 0);
	KUNIT_ASSERT_EQ(m->test, object, want);
	if (want != NONE) {
		m->object[want].place = TAKEN;
		count_used(m, class);
	}
	return want;
}

static void hand_out(struct model *m, u32 i, u32 owner)
{
	struct m_object *x = &m->object[i];
	u64 handle;

	x->place = OUT;
	x->owner = owner;
	x->issued++;
	x->when = ++m->now;
	handle = zcb_fixed_hand_out(&m->f, &m->list[owner], &m->list[owner],
				    x->class, i);
	KUNIT_ASSERT_EQ(m->test, handle, compose(x->class, x->issued,
						 x->offset));
	m->history[m->nhistory++ % HISTORY] = handle;
}

/* After the last generation no handle of the object is known any more. */
static void put(struct model *m, u32 i)
{
	struct m_object *x = &m->object[i];

	zcb_fixed_put(&m->f, &m->list[x->owner], x->class, i);
	if (x->issued == ZCB_BUF_SLAB_GEN_MAX)
		x->issued = 0;
	x->place = FREE;
	x->owner = NOBODY;
	x->when = ++m->now;
}

/* Any object there, or NONE. */
static u32 choose(struct model *m, enum m_place place)
{
	u32 start = below(m, m->n), i;

	for (i = start; i < m->n; i++)
		if (m->object[i].place == place)
			return i;
	for (i = 0; i < start; i++)
		if (m->object[i].place == place)
			return i;
	return NONE;
}

static void op_take(struct model *m)
{
	take_of(m, below(m, m->f.n));
}

static void op_hand_out(struct model *m)
{
	u32 i = choose(m, TAKEN);

	if (i != NONE)
		hand_out(m, i, below(m, OWNERS));
}

struct m_places {
	u32 every;
	u32 from;
};

static bool is_there(const void *of, u64 offset, u32 length)
{
	const struct m_places *p = of;

	return (u32)(offset / length) % p->every == p->from;
}

/* From one place in so many, whichever was freed last. */
static void op_bring(struct model *m)
{
	u32 class = below(m, m->f.n), i, want = NONE;
	struct m_places p = { .every = 1 + below(m, 4) };
	struct zcb_fixed_walk walk = { 0 };

	p.from = below(m, p.every);
	for (i = 0; i < m->n; i++) {
		const struct m_object *x = &m->object[i];

		if (x->class == class && x->place == FREE &&
		    is_there(&p, x->offset, x->length) &&
		    (want == NONE || x->when > m->object[want].when))
			want = i;
	}
	KUNIT_ASSERT_EQ(m->test, zcb_fixed_bring(&m->f, class, is_there, &p,
						&walk),
			want == NONE ? -EAGAIN : 0);
	if (want != NONE)
		m->object[want].when = ++m->now;
}

/* Several, often so many that the class is used up. */
static void op_get(struct model *m)
{
	u32 class = below(m, m->f.n), owner = below(m, OWNERS);
	u32 n = 1 + below(m, 8), object;

	while (n--) {
		object = take_of(m, class);
		if (object != NONE)
			hand_out(m, object, owner);
	}
}

static void op_put(struct model *m)
{
	u32 i = choose(m, OUT);

	if (i != NONE)
		put(m, i);
}

/* An owner dies. */
static void op_put_all(struct model *m)
{
	const struct zcb_fixed_list *l = &m->list[below(m, OWNERS)];

	while (l->first != NONE) {
		KUNIT_ASSERT_LT(m->test, l->first, m->n);
		KUNIT_ASSERT_EQ(m->test, m->object[l->first].place, OUT);
		put(m, l->first);
	}
}

/* To another owner, or again to the same one. */
static void op_move(struct model *m)
{
	u32 i = choose(m, OUT), to = below(m, OWNERS);
	struct m_object *x;

	if (i == NONE)
		return;
	x = &m->object[i];
	zcb_fixed_move(&m->f, &m->list[x->owner], &m->list[to], &m->list[to],
		       x->class, i);
	x->owner = to;
	x->when = ++m->now;
}

/* ------------------------------------------------------------------- find */

/* One that was issued, or nearly, or anything. */
static u64 choose_handle(struct model *m)
{
	u64 handle = m->history[below(m, HISTORY)];
	u32 kind = below(m, 8);
	const struct m_object *x;

	if (kind < 4)
		return handle;
	if (kind == 4)
		return handle ^ BIT_ULL(below(m, 64));
	if (kind == 5)
		return (u64)zcb_rand_u32(&m->rand) << 32 |
		       zcb_rand_u32(&m->rand);
	x = &m->object[below(m, m->n)];
	if (kind == 6)
		return compose(x->class + below(m, 8) / 7, x->issued,
			       x->offset + below(m, 3) *
			       (below(m, 2) ? 16 : x->length));
	return compose(x->class, (x->issued + below(m, 4) - 2) &
				 ZCB_BUF_SLAB_GEN_MAX, x->offset);
}

/* What @gen of an object is to @owner. */
static int expected_of(const struct m_object *x, u32 gen, u32 owner)
{
	if (!gen || gen > x->issued)
		return -ENOENT;
	if (x->place != OUT)
		return -EBADSLT;
	if (gen != x->issued)
		return -ESTALE;
	return x->owner == owner ? 0 : -EPERM;
}

static int expected(const struct model *m, u64 handle, u32 owner, u32 *object)
{
	u64 offset = handle % (1ULL << 36) * 16;
	u32 class = handle >> 58, i;

	for (i = 0; i < m->n; i++) {
		if (m->object[i].class + 32 != class ||
		    m->object[i].offset != offset)
			continue;
		*object = i;
		return expected_of(&m->object[i], handle >> 36 & 0x3fffff,
				   owner);
	}
	return -EINVAL;
}

static void check_find(struct model *m, u64 handle, u32 owner, int err, u32 i)
{
	u32 class = NONE, object = NONE;

	KUNIT_ASSERT_EQ(m->test, zcb_fixed_find(&m->f, handle,
						owner_of(m, owner), &class,
						&object), err);
	if (err)
		return;
	KUNIT_ASSERT_EQ(m->test, object, i);
	KUNIT_ASSERT_EQ(m->test, class, m->object[i].class);
}

static void op_find(struct model *m)
{
	u64 handle = choose_handle(m);
	u32 owner = below(m, OWNERS + 1), i = NONE;
	int err = expected(m, handle, owner, &i);

	check_find(m, handle, owner, err, i);
}

/* -------------------------------------------------------------- tag, age */

static void op_tag(struct model *m)
{
	u32 i = below(m, m->n), domain = 1 + below(m, OWNERS);
	u32 *last = &m->object[i].domain;

	KUNIT_ASSERT_EQ(m->test, zcb_fixed_tag(&m->f, i, domain),
			*last != 0 && *last != domain);
	*last = domain;
}

/* As if an object had been handed out and freed until few handles are left. */
static void op_age(struct model *m)
{
	u32 i = choose(m, FREE), left = 1 + below(m, 3);

	if (i == NONE)
		return;
	m->object[i].issued = ZCB_BUF_SLAB_GEN_MAX - left;
	m->f.objects[i].gen = m->object[i].issued + 1;
}

/* ----------------------------------------------------------------- checks */

static void check_object(struct model *m, u32 i)
{
	const struct m_object *x = &m->object[i];

	KUNIT_ASSERT_EQ(m->test, zcb_fixed_class_of(&m->f, i), x->class);
	KUNIT_ASSERT_EQ(m->test, zcb_fixed_offset(&m->f, x->class, i),
			x->offset);
	KUNIT_ASSERT_EQ(m->test, zcb_fixed_was_used(&m->f, i), x->domain != 0);
	check_find(m, compose(x->class, x->issued, x->offset), x->owner,
		   expected_of(x, x->issued, x->owner), i);
}

static u32 check_free(struct model *m, u32 class)
{
	u32 at = m->f.class[class].free, when = ~0U, n = 0;
	const struct m_object *x;

	for (; at != NONE; at = m->f.objects[at].next, n++) {
		KUNIT_ASSERT_LT(m->test, at, m->n);
		x = &m->object[at];
		KUNIT_ASSERT_EQ(m->test, x->class, class);
		KUNIT_ASSERT_EQ(m->test, x->place, FREE);
		KUNIT_ASSERT_LT(m->test, x->when, when);
		when = x->when;
	}
	return n;
}

static void check_class(struct model *m, u32 class)
{
	const struct zcb_fixed_class *c = &m->f.class[class];
	const struct m_object *last = &m->object[c->first + c->count - 1];
	u32 i, nfree = 0;

	check_find(m, compose(class, 1, last->offset + last->length), 0,
		   -EINVAL, NONE);
	for (i = c->first; i < c->first + c->count; i++)
		nfree += m->object[i].place == FREE;
	KUNIT_ASSERT_EQ(m->test, check_free(m, class), nfree);
	KUNIT_ASSERT_EQ(m->test, c->used, c->count - nfree);
	KUNIT_ASSERT_EQ(m->test, c->max_used, m->max_used[class]);
}

static void check_list(struct model *m, u32 owner)
{
	const struct zcb_fixed_list *l = &m->list[owner];
	u32 at, prev = NONE, when = ~0U, n = 0;
	const struct m_object *x;
	u64 bytes = 0;

	for (at = l->first; at != NONE; at = m->f.objects[at].next, n++) {
		KUNIT_ASSERT_LT(m->test, at, m->n);
		x = &m->object[at];
		KUNIT_ASSERT_EQ(m->test, x->owner, owner);
		KUNIT_ASSERT_LT(m->test, x->when, when);
		KUNIT_ASSERT_EQ(m->test, m->f.objects[at].prev, prev);
		when = x->when;
		bytes += x->length;
		prev = at;
	}
	KUNIT_ASSERT_EQ(m->test, l->count, n);
	KUNIT_ASSERT_EQ(m->test, l->bytes, bytes);
}

static void model_check(struct model *m)
{
	u32 i, nout = 0, listed = 0;
	int largest = -EAGAIN;

	for (i = 0; i < m->n; i++) {
		check_object(m, i);
		nout += m->object[i].place == OUT;
		if (m->object[i].place == FREE)
			largest = m->object[i].class;
	}
	for (i = 0; i < m->f.n; i++)
		check_class(m, i);
	for (i = 0; i < OWNERS; i++) {
		check_list(m, i);
		listed += m->list[i].count;
	}
	KUNIT_ASSERT_EQ(m->test, listed, nout);
	KUNIT_ASSERT_EQ(m->test, zcb_fixed_largest(&m->f), largest);
}

#endif /* ZCB_KUNIT_FIXED_MODEL_H */

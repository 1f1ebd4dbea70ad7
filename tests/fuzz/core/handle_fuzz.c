// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * kmod/core/handle.c. The model is what each index was last issued as, and what
 * that names; a handle is taken apart here by what handle.h says of its bits.
 */
#include "fuzz.h"
#include "../../../kmod/core/handle.h"

#define CAP_MAX		24
#define HISTORY		64

struct m_index {
	u32 gen;		/* of the newest handle */
	bool busy;
	void *object;		/* once published */
};

struct state {
	struct kunit *test;
	struct zcb_rand *in;
	struct zcb_handles t;
	struct zcb_handle_slot *slots;
	u32 cap;
	struct m_index index[CAP_MAX];
	u32 nindices;		/* issued at least once */
	u64 history[HISTORY];	/* handles that were issued */
	u32 nhistory;
	u32 cursor;
	char objects[HISTORY];	/* of which only the addresses matter */
	u32 nobjects;
};

static u64 compose(const struct state *s, u64 gen, u64 index)
{
	return gen << 40 | (u64)s->t.class << 32 | index;
}

static bool is_retired(const struct m_index *x)
{
	return !x->busy && x->gen == ZCB_HANDLE_GEN_MAX;
}

static struct zcb_handle_slot *make_slots(struct state *s, u32 cap)
{
	return kunit_kmalloc_array(s->test, cap, sizeof(*s->slots), GFP_KERNEL);
}

/* ------------------------------------------------------- reserve, publish */

static u32 count_room(const struct state *s)
{
	u32 i, n = s->cap - s->nindices;

	for (i = 0; i < s->nindices; i++)
		n += !s->index[i].busy && !is_retired(&s->index[i]);
	return n;
}

static void issued(struct state *s, u64 handle)
{
	struct kunit *test = s->test;
	u32 i = (u32)handle;
	struct m_index *x;

	KUNIT_ASSERT_LT(test, i, s->cap);
	KUNIT_ASSERT_LE(test, i, s->nindices);
	x = &s->index[i];
	if (i == s->nindices) {
		*x = (struct m_index){};
		s->nindices++;
	}
	KUNIT_ASSERT_FALSE(test, x->busy);
	KUNIT_ASSERT_LT(test, x->gen, ZCB_HANDLE_GEN_MAX);
	x->gen++;
	x->busy = true;
	KUNIT_ASSERT_EQ(test, handle, compose(s, x->gen, i));
	s->history[s->nhistory++ % HISTORY] = handle;
}

static void reserve(void *state)
{
	struct state *s = state;
	bool room = count_room(s);
	u64 handle = 0;

	KUNIT_ASSERT_EQ(s->test, zcb_handle_reserve(&s->t, &handle),
			room ? 0 : -EMFILE);
	if (room)
		issued(s, handle);
}

static struct m_index *choose_index(struct state *s, u32 *i)
{
	*i = zcb_rand_below(s->in, s->nindices);
	return &s->index[*i];
}

static void publish(void *state)
{
	struct state *s = state;
	struct m_index *x;
	u32 i;

	x = choose_index(s, &i);
	if (i >= s->nindices || !x->busy || x->object)
		return;
	x->object = &s->objects[s->nobjects++ % HISTORY];
	zcb_handle_publish(&s->t, compose(s, x->gen, i), x->object);
}

static void reserve_publish(void *state)
{
	struct state *s = state;
	u32 n = s->nhistory;
	struct m_index *x;
	u64 handle;

	reserve(s);
	if (s->nhistory == n)
		return;
	handle = s->history[n % HISTORY];
	x = &s->index[(u32)handle];
	x->object = &s->objects[s->nobjects++ % HISTORY];
	zcb_handle_publish(&s->t, handle, x->object);
}

static void remove_handle(void *state)
{
	struct state *s = state;
	struct m_index *x;
	u32 i;

	x = choose_index(s, &i);
	if (i >= s->nindices || !x->busy)
		return;
	zcb_handle_remove(&s->t, compose(s, x->gen, i));
	x->busy = false;
	x->object = NULL;
}

/* --------------------------------------------------------------- lookup */

/* One that was issued, or nearly, or anything. */
static u64 choose_handle(struct state *s)
{
	u32 kind = zcb_rand_below(s->in, 8);
	u64 handle = s->history[zcb_rand_below(s->in, HISTORY)];

	if (kind < 5)
		return handle;
	if (kind == 5)
		return handle ^ BIT_ULL(zcb_rand_below(s->in, 64));
	if (kind == 6)
		return compose(s, zcb_rand_below(s->in, 8),
			       zcb_rand_below(s->in, CAP_MAX + 2));
	return input_any(s->in);
}

static int expected(const struct state *s, u64 handle, void **object)
{
	u64 gen = handle >> 40;
	const struct m_index *x;

	if ((u8)(handle >> 32) != s->t.class)
		return -EINVAL;
	if ((u32)handle >= s->nindices)
		return -ENOENT;
	x = &s->index[(u32)handle];
	if (!gen || gen > x->gen)
		return -ENOENT;
	*object = x->object;
	if (gen == x->gen && x->busy)
		return x->object ? 0 : -ENOENT;
	if (x->busy)
		return -ESTALE;
	return s->t.class == ZCB_HANDLE_DELIVERY ? -EBADSLT : -ENOENT;
}

static void check_lookup(struct state *s, u64 handle)
{
	void *object = NULL, *want = NULL;
	int err = expected(s, handle, &want);

	KUNIT_ASSERT_EQ(s->test, zcb_handle_lookup(&s->t, handle, &object), err);
	if (!err)
		KUNIT_ASSERT_PTR_EQ(s->test, object, want);
}

static void lookup(void *state)
{
	struct state *s = state;

	check_lookup(s, choose_handle(s));
}

/* A bug of the caller: the core warns and does nothing. */
static void misuse(void *state)
{
	struct state *s = state;
	bool publish = zcb_rand_below(s->in, 2);
	u64 handle = choose_handle(s);
	u32 i = (u32)handle;

	if (i < s->nindices && s->index[i].busy &&
	    handle == compose(s, s->index[i].gen, i))
		return;
	fuzz_expect_warning();
	if (publish)
		zcb_handle_publish(&s->t, handle, s);
	else
		zcb_handle_remove(&s->t, handle);
	KUNIT_ASSERT_TRUE(s->test, fuzz_warned());
}

/* ------------------------------------------------------ walk, grow, age */

static void *next_object(const struct state *s, u32 *index)
{
	while (*index < s->nindices)
		if (s->index[(*index)++].object)
			return s->index[*index - 1].object;
	return NULL;
}

static void walk(void *state)
{
	struct state *s = state;
	u32 at = 0, want = 0;
	void *object;

	do {
		object = zcb_handle_next(&s->t, &at);
		KUNIT_ASSERT_PTR_EQ(s->test, object, next_object(s, &want));
		KUNIT_ASSERT_EQ(s->test, at, want);
	} while (object);
}

/* A walk between whose steps anything may happen. */
static void walk_on(void *state)
{
	struct state *s = state;
	u32 want = s->cursor;
	void *object = zcb_handle_next(&s->t, &s->cursor);

	KUNIT_ASSERT_PTR_EQ(s->test, object, next_object(s, &want));
	KUNIT_ASSERT_EQ(s->test, s->cursor, want);
	if (!object)
		s->cursor = 0;
}

static void grow(void *state)
{
	struct state *s = state;
	u32 cap = zcb_rand_below(s->in, CAP_MAX + 1);
	struct zcb_handle_slot *slots = make_slots(s, cap);
	bool grows = cap > s->cap;
	struct zcb_handle_slot *spare;

	spare = zcb_handles_grow(&s->t, slots, cap);
	KUNIT_ASSERT_PTR_EQ(s->test, spare, grows ? s->slots : slots);
	if (grows) {
		s->slots = slots;
		s->cap = cap;
	}
	kunit_kfree(s->test, spare);
}

/* As if a free index had been issued and removed until few are left. */
static void age(void *state)
{
	struct state *s = state;
	struct m_index *x;
	u32 i, left;

	x = choose_index(s, &i);
	left = 1 + zcb_rand_below(s->in, 3);
	if (i >= s->nindices || x->busy || x->gen >= ZCB_HANDLE_GEN_MAX - left)
		return;
	x->gen = ZCB_HANDLE_GEN_MAX - left;
	s->t.slots[i].gen = x->gen + 1;
}

/* --------------------------------------------------------------- checks */

static void check(void *state)
{
	struct state *s = state;
	u32 i, live = 0, retired = 0;

	for (i = 0; i < s->nindices; i++) {
		live += s->index[i].busy;
		retired += is_retired(&s->index[i]);
		check_lookup(s, compose(s, s->index[i].gen, i));
	}
	KUNIT_ASSERT_EQ(s->test, s->t.cap, s->cap);
	KUNIT_ASSERT_EQ(s->test, s->t.live, live);
	KUNIT_ASSERT_EQ(s->test, s->t.retired, retired);
	KUNIT_ASSERT_EQ(s->test, s->t.fresh, s->nindices);
}

static const struct fuzz_op ops[] = {
	{ "reserve", reserve },
	{ "publish", publish },
	{ "reserve_publish", reserve_publish },
	{ "reserve_publish", reserve_publish },
	{ "remove", remove_handle },
	{ "remove", remove_handle },
	{ "lookup", lookup },
	{ "lookup", lookup },
	{ "misuse", misuse },
	{ "walk", walk },
	{ "walk_on", walk_on },
	{ "grow", grow },
	{ "age", age },
};

static const struct fuzz_target target = { ops, ARRAY_SIZE(ops), check };

void fuzz_one(struct kunit *test, struct zcb_rand *in)
{
	struct state s = { .test = test, .in = in };
	u8 class = ZCB_HANDLE_POOL + zcb_rand_below(in, ZCB_HANDLE_DELIVERY);

	s.cap = zcb_rand_below(in, CAP_MAX + 1);
	s.slots = make_slots(&s, s.cap);
	memset(&s.t, 0xa5, sizeof(s.t));
	zcb_handles_init(&s.t, class, s.slots, s.cap);
	KUNIT_ASSERT_EQ(test, s.t.class, class);
	fuzz_ops(&target, in, &s);
}

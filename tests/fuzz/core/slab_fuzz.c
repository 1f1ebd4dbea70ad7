// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * kmod/core/slab.c. The model is one byte for each object of each slab, and
 * whose the slab is; several owners use several classes.
 */
#include "fuzz.h"
#include "../../../kmod/core/slab.h"

#define OWNERS		3
#define SLABS		16	/* leased at a time */
#define LENGTHS		(ZCB_SLAB_CLASSES + 2)	/* more than there may be */

struct m_slab {
	struct zcb_slab *real;	/* NULL: none */
	u8 *out;
	u32 nout;
	bool closed;
	u32 class;
	u32 owner;
	u32 page;
};

struct state {
	struct kunit *test;
	struct zcb_rand *in;
	struct zcb_slab_table t;
	struct list_head lists[OWNERS][ZCB_SLAB_CLASSES];
	struct m_slab slabs[SLABS];
	u32 page_shift;
};

/* ---------------------------------------------------------------- classes */

static u32 choose_length(struct zcb_rand *in, u32 last)
{
	u32 kind = zcb_rand_below(in, 8);

	if (kind < 4)
		return last + 1 + zcb_rand_below(in, 64 << 3 * kind);
	if (kind == 4)
		return (1 + zcb_rand_below(in, 16)) << zcb_rand_below(in, 18);
	if (kind == 5)
		return ZCB_SLAB_MAX - 1 + zcb_rand_below(in, 3);
	return max(last, 8U) * 2 + (kind - 6);
}

static bool lengths_are_good(const u32 *length, u32 n)
{
	u32 i, last = 0;

	for (i = 0; i < n; i++) {
		if (length[i] < 16 || length[i] > 1 << 20)
			return false;
		if ((length[i] + 15) / 16 <= last)
			return false;
		last = (length[i] + 15) / 16;
	}
	return n <= ZCB_SLAB_CLASSES;
}

/* Is a slab of @bytes as the layout of a class wants it to be? */
static bool good_slab(u64 bytes, u32 length)
{
	u64 n = bytes / length;

	if (!n)
		return false;
	if (bytes >= 2 << 20)
		return true;
	if (n < 8 && bytes < 64 << 10)
		return false;
	return (bytes % length) * 8 <= bytes;
}

static void check_class(struct state *s, const struct zcb_slab_class *c,
			u32 length)
{
	struct kunit *test = s->test;
	u32 order = 0, align = 16;

	length = (length + 15) / 16 * 16;
	while (!good_slab(1ULL << (s->page_shift + order), length))
		order++;
	while (length % (align * 2) == 0)
		align *= 2;
	KUNIT_ASSERT_EQ(test, c->length, length);
	KUNIT_ASSERT_EQ(test, c->order, order);
	KUNIT_ASSERT_EQ(test, c->nobjs, (1U << (s->page_shift + order)) / length);
	KUNIT_ASSERT_EQ(test, c->align, align);
	KUNIT_ASSERT_EQ(test, c->used, 0);
	KUNIT_ASSERT_EQ(test, c->total, 0);
}

static bool init_table(struct state *s, const u32 *length, u32 n)
{
	bool good = lengths_are_good(length, n);
	u32 i;

	KUNIT_ASSERT_EQ(s->test, zcb_slab_table_init(&s->t, length, n,
						     s->page_shift),
			good ? 0 : -EINVAL);
	if (!good)
		return false;
	KUNIT_ASSERT_EQ(s->test, s->t.n, n);
	for (i = 0; i < n; i++)
		check_class(s, &s->t.class[i], length[i]);
	return true;
}

/* As many classes as there can be, or about that. */
static u32 choose_many(struct state *s, u32 *length)
{
	u32 i, n = ZCB_SLAB_CLASSES - 1 + zcb_rand_below(s->in, 4);

	for (i = 0; i < n; i++)
		length[i] = 16 * (i + 1);
	return n;
}

static u32 choose_some(struct state *s, u32 *length)
{
	u32 i, last = 0, n = zcb_rand_below(s->in, ZCB_SLAB_CLASSES);

	for (i = 0; i < n; i++) {
		length[i] = choose_length(s->in, last);
		last = length[i];
	}
	return n;
}

static bool choose_classes(struct state *s)
{
	u32 length[LENGTHS] = {};
	u32 kind = zcb_rand_below(s->in, 8);

	s->page_shift = 12 + 2 * zcb_rand_below(s->in, 3);
	if (kind == 0)
		return init_table(s, zcb_slab_tiers, ZCB_SLAB_TIERS);
	if (kind == 1)
		return init_table(s, length, choose_many(s, length));
	return init_table(s, length, choose_some(s, length));
}

/* Anything, or nearly the length of a class. */
static u64 choose_wanted(struct state *s)
{
	u32 i = zcb_rand_below(s->in, 2 * s->t.n);

	if (i >= s->t.n)
		return input_any(s->in);
	return s->t.class[i].length - 1 + zcb_rand_below(s->in, 3);
}

static void class_for(void *state)
{
	struct state *s = state;
	u64 length = choose_wanted(s);
	u32 align = zcb_rand_below(s->in, 24);
	int i, want = -E2BIG;

	align = align ? 1U << (align - 1) : 0;
	for (i = s->t.n - 1; i >= 0; i--)
		if (s->t.class[i].length >= length &&
		    (!align || s->t.class[i].length % align == 0))
			want = i;
	KUNIT_ASSERT_EQ(s->test, zcb_slab_class_for(&s->t, length, align), want);
}

/* --------------------------------------------------------- lease, end one */

static void lease(void *state)
{
	struct state *s = state;
	struct m_slab *m = &s->slabs[zcb_rand_below(s->in, SLABS)];
	u32 class = zcb_rand_below(s->in, s->t.n);
	u32 owner = zcb_rand_below(s->in, OWNERS);
	const struct zcb_slab_class *c = &s->t.class[class];

	if (m->real || !s->t.n)
		return;
	*m = (struct m_slab){
		.real = kunit_kmalloc(s->test, zcb_slab_size(c), GFP_KERNEL),
		.out = kunit_kzalloc(s->test, c->nobjs, GFP_KERNEL),
		.class = class,
		.owner = owner,
		.page = zcb_rand_u32(s->in),
	};
	zcb_slab_init(m->real, &s->t, class, m->page, &s->lists[owner][class]);
}

static void forget(struct state *s, struct m_slab *m)
{
	zcb_slab_fini(m->real, &s->t);
	kunit_kfree(s->test, m->out);
	kunit_kfree(s->test, m->real);
	m->real = NULL;
}

static void end_slab(void *state)
{
	struct state *s = state;
	struct m_slab *m = &s->slabs[zcb_rand_below(s->in, SLABS)];

	if (m->real)
		forget(s, m);
}

/* Again, too. */
static void close_slab(void *state)
{
	struct state *s = state;
	struct m_slab *m = &s->slabs[zcb_rand_below(s->in, SLABS)];

	if (!m->real)
		return;
	m->closed = true;
	zcb_slab_close(m->real, &s->lists[m->owner][m->class]);
}

/* ---------------------------------------------------------------- objects */

static struct m_slab *find_slab(struct state *s, const struct zcb_slab *real)
{
	u32 i;

	for (i = 0; i < SLABS; i++)
		if (s->slabs[i].real == real)
			return &s->slabs[i];
	return NULL;
}

static bool any_free(const struct state *s, u32 class, u32 owner)
{
	const struct m_slab *m;

	for (m = s->slabs; m < s->slabs + SLABS; m++)
		if (m->real && m->class == class && m->owner == owner &&
		    !m->closed && m->nout < s->t.class[class].nobjs)
			return true;
	return false;
}

static void get_one(struct state *s, u32 class, u32 owner)
{
	const struct zcb_slab_class *c = &s->t.class[class];
	bool room = any_free(s, class, owner);
	struct kunit *test = s->test;
	struct zcb_slab *slab = NULL;
	struct m_slab *m;
	u64 offset = 0;

	KUNIT_ASSERT_EQ(test, zcb_slab_get(&s->t, class,
					   &s->lists[owner][class], &slab,
					   &offset),
			room ? 0 : -EAGAIN);
	if (!room)
		return;
	m = find_slab(s, slab);
	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_ASSERT_EQ(test, m->class, class);
	KUNIT_ASSERT_EQ(test, m->owner, owner);
	KUNIT_ASSERT_EQ(test, offset % c->length, 0ULL);
	KUNIT_ASSERT_LT(test, offset / c->length, (u64)c->nobjs);
	KUNIT_ASSERT_EQ(test, m->out[offset / c->length], 0);
	m->out[offset / c->length] = 1;
	m->nout++;
}

/* Often so many that a slab is full. */
static void get(void *state)
{
	struct state *s = state;
	u32 class = zcb_rand_below(s->in, s->t.n);
	u32 owner = zcb_rand_below(s->in, OWNERS);
	u32 i, n = 1 + zcb_rand_below(s->in, 64);

	if (!s->t.n)
		return;
	if (zcb_rand_chance(s->in, 20))
		n = s->t.class[class].nobjs;
	for (i = 0; i < n; i++)
		get_one(s, class, owner);
}

static int expected_put(const struct state *s, const struct m_slab *m,
			u64 offset)
{
	const struct zcb_slab_class *c = &s->t.class[m->class];

	if (offset % c->length || offset / c->length >= c->nobjs)
		return -EINVAL;
	return m->out[offset / c->length] ? 0 : -EBADSLT;
}

static void put_at(struct state *s, struct m_slab *m, u64 offset)
{
	int want = expected_put(s, m, offset);

	KUNIT_ASSERT_EQ(s->test,
			zcb_slab_put(&s->t, m->real,
				     &s->lists[m->owner][m->class], offset),
			want);
	if (want)
		return;
	m->out[offset / s->t.class[m->class].length] = 0;
	m->nout--;
}

static void put(void *state)
{
	struct state *s = state;
	struct m_slab *m = &s->slabs[zcb_rand_below(s->in, SLABS)];
	u64 at, n = 1 + zcb_rand_below(s->in, 64);

	if (!m->real)
		return;
	at = zcb_rand_below(s->in, s->t.class[m->class].nobjs + 1);
	while (n--)
		put_at(s, m, at++ * s->t.class[m->class].length);
}

static void put_anywhere(void *state)
{
	struct state *s = state;
	struct m_slab *m = &s->slabs[zcb_rand_below(s->in, SLABS)];

	if (m->real)
		put_at(s, m, input_any(s->in));
}

/* ----------------------------------------------------------------- checks */

static void check_slab(struct state *s, const struct m_slab *m)
{
	const struct zcb_slab_class *c = &s->t.class[m->class];
	u32 i;

	KUNIT_ASSERT_EQ(s->test, m->real->page, m->page);
	KUNIT_ASSERT_EQ(s->test, m->real->class, m->class);
	KUNIT_ASSERT_EQ(s->test, m->real->nfree, c->nobjs - m->nout);
	KUNIT_ASSERT_EQ(s->test, zcb_slab_empty(m->real, &s->t), !m->nout);
	/* So that a check costs the same for all classes. */
	for (i = 0; i < min(c->nobjs, 64U); i++)
		KUNIT_ASSERT_EQ(s->test, test_bit(i, m->real->map),
				!!m->out[i]);
}

/*
 * All slabs of one owner and class are on its list, the full and the closed ones
 * behind.
 */
static void check_list(struct state *s, u32 owner, u32 class)
{
	const struct zcb_slab *slab;
	const struct m_slab *m;
	bool full = false, room;
	u32 n = 0;

	list_for_each_entry(slab, &s->lists[owner][class], node) {
		m = find_slab(s, slab);
		KUNIT_ASSERT_NOT_NULL(s->test, m);
		KUNIT_ASSERT_EQ(s->test, m->owner, owner);
		KUNIT_ASSERT_EQ(s->test, m->class, class);
		room = slab->nfree && !m->closed;
		KUNIT_ASSERT_FALSE(s->test, full && room);
		full = !room;
		n++;
	}
	for (m = s->slabs; m < s->slabs + SLABS; m++)
		if (m->real && m->owner == owner && m->class == class)
			n--;
	KUNIT_ASSERT_EQ(s->test, n, 0);
}

static void check(void *state)
{
	struct state *s = state;
	u32 used[ZCB_SLAB_CLASSES] = {}, total[ZCB_SLAB_CLASSES] = {};
	const struct m_slab *m;
	u32 i, owner;

	for (m = s->slabs; m < s->slabs + SLABS; m++) {
		if (!m->real)
			continue;
		check_slab(s, m);
		used[m->class] += m->nout;
		total[m->class] += s->t.class[m->class].nobjs;
	}
	for (i = 0; i < s->t.n; i++) {
		KUNIT_ASSERT_EQ(s->test, s->t.class[i].used, used[i]);
		KUNIT_ASSERT_EQ(s->test, s->t.class[i].total, total[i]);
		for (owner = 0; owner < OWNERS; owner++)
			check_list(s, owner, i);
	}
}

static const struct fuzz_op ops[] = {
	{ "class_for", class_for },
	{ "lease", lease },
	{ "lease", lease },
	{ "end_slab", end_slab },
	{ "get", get },
	{ "get", get },
	{ "get", get },
	{ "put", put },
	{ "put", put },
	{ "put", put },
	{ "put_anywhere", put_anywhere },
	{ "close_slab", close_slab },
};

static const struct fuzz_target target = { ops, ARRAY_SIZE(ops), check };

static void end_all(struct state *s)
{
	u32 i;

	for (i = 0; i < SLABS; i++)
		if (s->slabs[i].real)
			forget(s, &s->slabs[i]);
	check(s);
}

void fuzz_one(struct kunit *test, struct zcb_rand *in)
{
	struct state s = { .test = test, .in = in };
	u32 owner, i;

	memset(&s.t, 0xa5, sizeof(s.t));
	for (owner = 0; owner < OWNERS; owner++)
		for (i = 0; i < ZCB_SLAB_CLASSES; i++)
			INIT_LIST_HEAD(&s.lists[owner][i]);
	if (!choose_classes(&s))
		return;
	fuzz_ops(&target, in, &s);
	end_all(&s);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers that several sessions have: each alike, until the last of them has
 * freed it or is gone, in whatever order that is.
 */
#include "../../kmod/obj/quarantine.h"
#include "obj_kinds.h"
#include "rand.h"

#define HOLDERS	3U

static struct zcb_session *holder(const struct three *t, u32 i)
{
	return i ? i == 1 ? t->b : t->c : t->a;
}

/* A buffer of the first one that all have, of whom the last asks the second. */
static u64 of_all(struct kunit *test, struct three *t, const struct kind *kind)
{
	u64 handle = obj_alloc(test, t->a, kind->length);

	obj_fill(t->pool, zcbuf_buf_offset(handle), kind->capacity, 0xa5);
	KUNIT_ASSERT_EQ(test, share(t->a, t->b, handle), 0);
	KUNIT_ASSERT_EQ(test, share(t->b, t->c, handle), 0);
	return handle;
}

static void expect_content(struct kunit *test, struct three *t,
			   const struct kind *kind, u64 handle)
{
	KUNIT_EXPECT_TRUE(test, obj_is(t->pool, zcbuf_buf_offset(handle),
				       kind->capacity, 0xa5));
}

/* It is not @s's any more, or not at all; nothing comes of trying. */
static void expect_refused(struct kunit *test, struct zcb_session *s,
			   struct zcb_session *other, u64 handle, bool out)
{
	u64 bad = obj_pool_stat(test, s->pool)->bad_frees;
	int err = try_free(s, handle);

	KUNIT_EXPECT_LT(test, err, 0);
	if (out)
		KUNIT_EXPECT_EQ(test, err, -EPERM);
	KUNIT_EXPECT_EQ(test, give(s, other, handle), err);
	KUNIT_EXPECT_EQ(test, share(s, other, handle), err);
	KUNIT_EXPECT_EQ(test, holders(s, handle), 0);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, s->pool)->bad_frees, bad + 1);
}

static void all_have_it(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct three t = kind->pool(test);
	u64 handle = obj_alloc(test, t.a, kind->length);
	u64 used = obj_used(test, t.pool);
	u32 i;

	KUNIT_EXPECT_EQ(test, holders(t.a, handle), 1);
	KUNIT_ASSERT_EQ(test, share(t.a, t.b, handle), 0);
	KUNIT_EXPECT_EQ(test, holders(t.a, handle), 2);
	KUNIT_EXPECT_EQ(test, holders(t.c, handle), 0);
	KUNIT_ASSERT_EQ(test, share(t.b, t.c, handle), 0);
	for (i = 0; i < HOLDERS; i++) {
		KUNIT_EXPECT_EQ(test, holders(holder(&t, i), handle), HOLDERS);
		expect_holds(test, holder(&t, i), 1, kind->capacity);
	}
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), used);
}

/* In all orders: @order is one of six. */
static u32 nth_of(u32 order, u32 n)
{
	static const u8 orders[6][HOLDERS] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
		{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
	};

	return orders[order][n];
}

static void freed_in_order(struct kunit *test, struct three *t,
			   const struct kind *kind, u32 order)
{
	u64 handle = of_all(test, t, kind), used = obj_used(test, t->pool);
	struct zcb_session *s;
	u32 n;

	for (n = 0; n < HOLDERS; n++) {
		s = holder(t, nth_of(order, n));
		KUNIT_EXPECT_EQ(test, obj_used(test, t->pool), used);
		expect_content(test, t, kind, handle);
		KUNIT_EXPECT_EQ(test, holders(s, handle), HOLDERS - n);
		KUNIT_EXPECT_EQ(test, try_free(s, handle), 0);
		expect_holds(test, s, 0, 0);
		expect_refused(test, s, holder(t, nth_of(order, (n + 1) % 3)),
			       handle, n < HOLDERS - 1);
	}
	KUNIT_EXPECT_EQ(test, obj_used(test, t->pool), 0);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&t->pool->shares));
}

static void freed_by_the_last(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct three t = kind->pool(test);
	u32 order;

	for (order = 0; order < 6; order++)
		freed_in_order(test, &t, kind, order);
}

/* @deaths: a bit for each of them who does not free it, but dies. */
static void ends_in_order(struct kunit *test, const struct kind *kind,
			  u32 order, u32 deaths)
{
	struct three t = kind->pool(test);
	u64 handle = of_all(test, &t, kind), used = obj_used(test, t.pool);
	struct zcb_session *s;
	u32 n;

	for (n = 0; n < HOLDERS; n++) {
		s = holder(&t, nth_of(order, n));
		KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), used);
		expect_content(test, &t, kind, handle);
		KUNIT_EXPECT_EQ(test, holders(s, handle), HOLDERS - n);
		if (deaths & BIT(n))
			obj_close(test, s);
		else
			KUNIT_EXPECT_EQ(test, try_free(s, handle), 0);
	}
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), 0);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&t.pool->shares));
	for (n = 0; n < HOLDERS; n++)
		if (!(deaths & BIT(n)))
			obj_close(test, holder(&t, nth_of(order, n)));
	obj_drop_pool(test, t.pool);
}

static void whoever_dies_first(struct kunit *test)
{
	u32 order, deaths;

	for (order = 0; order < 6; order++)
		for (deaths = 1; deaths < BIT(HOLDERS); deaths++)
			ends_in_order(test, test->param_value, order, deaths);
}

static void nobody_has_it_twice(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct three t = kind->pool(test);
	u64 handle = obj_alloc(test, t.a, kind->length);

	KUNIT_ASSERT_EQ(test, share(t.a, t.b, handle), 0);
	KUNIT_EXPECT_EQ(test, share(t.a, t.a, handle), -EINVAL);
	KUNIT_EXPECT_EQ(test, share(t.a, t.b, handle), -EALREADY);
	KUNIT_EXPECT_EQ(test, share(t.b, t.a, handle), -EALREADY);
	KUNIT_EXPECT_EQ(test, give(t.a, t.b, handle), -EALREADY);
	KUNIT_EXPECT_EQ(test, give(t.b, t.a, handle), -EALREADY);
	KUNIT_EXPECT_EQ(test, holders(t.a, handle), 2);
	KUNIT_EXPECT_EQ(test, holders(t.b, handle), 2);
	expect_holds(test, t.a, 1, kind->capacity);
	expect_holds(test, t.b, 1, kind->capacity);
}

/* Whoever has it, owner or not, may have another one in his place. */
static void given_away(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct three t = kind->pool(test);
	u64 handle = obj_alloc(test, t.a, kind->length);

	KUNIT_ASSERT_EQ(test, share(t.a, t.b, handle), 0);
	KUNIT_EXPECT_EQ(test, give(t.b, t.c, handle), 0);
	expect_refused(test, t.b, t.c, handle, true);
	KUNIT_EXPECT_EQ(test, give(t.a, t.b, handle), 0);
	expect_refused(test, t.a, t.c, handle, true);
	expect_holds(test, t.a, 0, 0);
	expect_holds(test, t.b, 1, kind->capacity);
	expect_holds(test, t.c, 1, kind->capacity);
	KUNIT_EXPECT_EQ(test, try_free(t.b, handle), 0);
	KUNIT_EXPECT_EQ(test, give(t.c, t.a, handle), 0);
	KUNIT_EXPECT_EQ(test, share(t.a, t.b, handle), 0);
	KUNIT_EXPECT_EQ(test, try_free(t.a, handle), 0);
	KUNIT_EXPECT_EQ(test, holders(t.b, handle), 1);
	KUNIT_EXPECT_EQ(test, try_free(t.b, handle), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), 0);
}

static void not_to_be_shared(struct kunit *test)
{
	pass_refused(test, true);
}

static void as_many_as_there_are(struct kunit *test)
{
	pass_in_order(test, true);
}

/*
 * Who frees it first does not see what the others have written since, nor does
 * whom it was given to meanwhile.
 */
static void zeroed_for_all(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct three t = kind->pool(test);
	u64 old, fresh;
	u32 i;

	for (i = 0; i < HOLDERS; i++) {
		migrate_disable();
		old = obj_alloc(test, t.a, kind->length);
		KUNIT_EXPECT_EQ(test, share(t.a, t.b, old), 0);
		KUNIT_EXPECT_EQ(test, give(t.a, t.c, old), 0);
		KUNIT_EXPECT_EQ(test, try_free(t.c, old), 0);
		obj_fill(t.pool, zcbuf_buf_offset(old), kind->capacity, 0x5e);
		KUNIT_EXPECT_EQ(test, try_free(t.b, old), 0);
		fresh = obj_alloc(test, holder(&t, i), kind->length);
		migrate_enable();
		KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(fresh),
				zcbuf_buf_offset(old));
		KUNIT_EXPECT_TRUE(test, obj_is(t.pool, zcbuf_buf_offset(fresh),
					       kind->capacity, 0));
		KUNIT_EXPECT_EQ(test, try_free(holder(&t, i), fresh), 0);
	}
}

/* What was shared once is so for good: the last giver is not the last writer. */
static void zeroed_though_given_since(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct three t = kind->pool(test);
	u64 handle, kept;

	migrate_disable();
	kept = kind->length < PAGE_SIZE && t.pool->cfg.slabs.n ?
	       obj_alloc(test, t.a, kind->length) : 0;
	handle = obj_alloc(test, t.a, kind->length);
	KUNIT_EXPECT_EQ(test, share(t.a, t.b, handle), 0);
	KUNIT_EXPECT_EQ(test, give(t.b, t.c, handle), 0);
	KUNIT_EXPECT_EQ(test, try_free(t.c, handle), 0);
	KUNIT_EXPECT_EQ(test, give(t.a, t.b, handle), 0);
	KUNIT_EXPECT_EQ(test, give(t.b, t.a, handle), 0);
	obj_fill(t.pool, zcbuf_buf_offset(handle), kind->capacity, 0x5e);
	KUNIT_EXPECT_EQ(test, try_free(t.a, handle), 0);
	handle = obj_alloc(test, t.a, kind->length);
	migrate_enable();
	KUNIT_EXPECT_TRUE(test, obj_is(t.pool, zcbuf_buf_offset(handle),
				       kind->capacity, 0));
	KUNIT_EXPECT_EQ(test, try_free(t.a, handle), 0);
	if (kept)
		KUNIT_EXPECT_EQ(test, try_free(t.a, kept), 0);
}

/* They can be more than the memory they are about, so somebody pays. */
static void shares_are_charged(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct three t = kind->pool(test);
	u64 handle = obj_alloc(test, t.a, kind->length), first, second;
	u64 before = obj_total_charged();

	KUNIT_ASSERT_EQ(test, share(t.a, t.b, handle), 0);
	first = obj_total_charged() - before;
	KUNIT_EXPECT_GE(test, first, sizeof(struct rb_node));
	KUNIT_ASSERT_EQ(test, share(t.a, t.c, handle), 0);
	second = obj_total_charged() - before - first;
	/* The first one of a slab object brings a loan. */
	KUNIT_EXPECT_EQ(test, first - second,
			kind->capacity == OBJECT ?
			sizeof(struct zcb_loan) + sizeof(void *) : 0);
	obj_close(test, t.b);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), before + first);
	KUNIT_EXPECT_EQ(test, try_free(t.a, handle), 0);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), before + first - second);
	KUNIT_EXPECT_EQ(test, try_free(t.c, handle), 0);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), before);
}

static void at_a_limit(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct three t = kind->pool(test);
	u64 handle = obj_alloc(test, t.a, kind->length);
	u64 before = obj_total_charged();

	obj_limits(test, 1, 1);
	KUNIT_EXPECT_EQ(test, share(t.a, t.b, handle), -ENOMEM);
	KUNIT_EXPECT_EQ(test, holders(t.a, handle), 1);
	expect_holds(test, t.b, 0, 0);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), before);
	KUNIT_EXPECT_EQ(test, try_free(t.a, handle), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), 0);
}

/* A slab's own session needs no loan when it is alone with its object again. */
static void objects_come_home(struct kunit *test)
{
	struct three t = of_tiers(test);
	u64 kept = obj_alloc(test, t.a, OBJECT);
	u64 handle = obj_alloc(test, t.a, OBJECT);

	KUNIT_ASSERT_EQ(test, give(t.a, t.b, handle), 0);
	KUNIT_ASSERT_EQ(test, share(t.b, t.a, handle), 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&t.a->hold.loans));
	KUNIT_ASSERT_EQ(test, try_free(t.b, handle), 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&t.a->hold.loans));
	expect_holds(test, t.a, 2, 2 * OBJECT);
	KUNIT_EXPECT_EQ(test, try_free(t.a, handle), 0);
	KUNIT_EXPECT_EQ(test, try_free(t.a, kept), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), 0);
}

/* What its session had of a slab goes with it; what others share does not. */
static void a_slab_is_orphaned(struct kunit *test)
{
	struct three t = of_tiers(test);
	u64 handle[3];
	u32 i;

	for (i = 0; i < 3; i++)
		handle[i] = obj_alloc(test, t.a, OBJECT);
	KUNIT_ASSERT_EQ(test, share(t.a, t.b, handle[1]), 0);
	KUNIT_ASSERT_EQ(test, share(t.a, t.c, handle[2]), 0);
	KUNIT_ASSERT_EQ(test, try_free(t.c, handle[2]), 0);
	obj_close(test, t.a);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, t.pool)->classes[0].used, 1);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), PAGE_SIZE);
	KUNIT_EXPECT_LT(test, try_free(t.b, handle[0]), 0);
	KUNIT_EXPECT_LT(test, try_free(t.c, handle[2]), 0);
	KUNIT_EXPECT_EQ(test, share(t.b, t.c, handle[1]), 0);
	KUNIT_EXPECT_EQ(test, try_free(t.b, handle[1]), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, try_free(t.c, handle[1]), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), 0);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, t.pool)->classes[0].total, 0);
}

/* As if a while had passed. */
static void look(struct zcb_pool *pool)
{
	zcb_quarantine_look(pool);
	flush_delayed_work(&pool->quarantine_work);
}

/*
 * I/O of the dead keeps their part, be they the owner or not; when the other one
 * has freed his, it is all there is.
 */
static void io_outlives(struct kunit *test, const struct kind *kind,
			bool owner_dies)
{
	struct three t = kind->pool(test);
	struct zcb_session *dead = owner_dies ? t.a : t.b;
	struct zcb_session *other = owner_dies ? t.b : t.a;
	u64 handle = obj_alloc(test, t.a, kind->length), used;
	struct folio *folio;

	KUNIT_ASSERT_EQ(test, share(t.a, t.b, handle), 0);
	used = obj_used(test, t.pool);
	folio = page_folio(zcb_pool_page(t.pool, zcbuf_buf_offset(handle) >>
					 PAGE_SHIFT));
	folio_get(folio);
	obj_close(test, dead);
	KUNIT_EXPECT_EQ(test, holders(other, handle), 2);
	/* The slab of the dead, and the loan he has of his own object. */
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, t.pool)->quarantine.bytes,
			kind->capacity +
			(kind->capacity == OBJECT && owner_dies ? PAGE_SIZE : 0));
	KUNIT_EXPECT_EQ(test, try_free(other, handle), 0);
	KUNIT_EXPECT_EQ(test, try_free(other, handle), -EPERM);
	look(t.pool);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), used);
	folio_put(folio);
	look(t.pool);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), 0);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, t.pool)->quarantine.sessions,
			0);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&t.pool->shares));
}

/* Of three that the dead had a share of, whatever their order is, one is pinned. */
static void quarantined_in_part(struct kunit *test)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);
	struct folio *folio;
	struct three t;
	u64 handle[3];
	u32 i;

	cfg->flags = ZCBUF_POOL_F_SMALL_PAGES;
	t = attach(test, obj_make_pool(test, cfg));
	for (i = 0; i < 3; i++) {
		handle[i] = obj_alloc(test, t.a, PAGE_SIZE);
		KUNIT_ASSERT_EQ(test, share(t.a, t.b, handle[i]), 0);
	}
	folio = page_folio(zcb_pool_page(t.pool, zcbuf_buf_offset(handle[1]) >>
					 PAGE_SHIFT));
	folio_get(folio);
	obj_close(test, t.b);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, holders(t.a, handle[i]), 1 + (i == 1));
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, t.pool)->quarantine.bytes,
			PAGE_SIZE);
	folio_put(folio);
	look(t.pool);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, holders(t.a, handle[i]), 1);
		KUNIT_EXPECT_EQ(test, try_free(t.a, handle[i]), 0);
	}
}

static void quarantined(struct kunit *test)
{
	io_outlives(test, test->param_value, true);
	io_outlives(test, test->param_value, false);
}

/* ------------------------------------------------------------------- random */

#define OPS	64000
#define SLOTS	4U

/**
 * struct model - who has what
 * @kind: of buffers
 * @t: the sessions
 * @handle: of each buffer; when it is free, it may be another one's
 * @has: whose it is, a bit each; 0: free
 */
struct model {
	const struct kind *kind;
	struct three t;
	u64 handle[SLOTS];
	u32 has[SLOTS];
};

static void model_pass(struct kunit *test, struct model *m, u32 slot, u32 from,
		       u32 to, bool keep)
{
	u64 handle = m->handle[slot];
	int want = 0, err;

	if (from == to)
		want = -EINVAL;
	else if (!(m->has[slot] & BIT(from)))
		want = -EPERM;
	else if (m->has[slot] & BIT(to))
		want = -EALREADY;
	err = keep ? share(holder(&m->t, from), holder(&m->t, to), handle) :
		     give(holder(&m->t, from), holder(&m->t, to), handle);
	KUNIT_ASSERT_EQ(test, err, want);
	if (err)
		return;
	m->has[slot] |= BIT(to);
	if (!keep)
		m->has[slot] &= ~BIT(from);
}

static void model_free(struct kunit *test, struct model *m, u32 slot, u32 who)
{
	int want = m->has[slot] & BIT(who) ? 0 : -EPERM;

	KUNIT_ASSERT_EQ(test, try_free(holder(&m->t, who), m->handle[slot]),
			want);
	m->has[slot] &= ~BIT(who);
}

static void model_die(struct kunit *test, struct model *m, u32 who)
{
	struct zcb_session *fresh = obj_session(test, m->t.pool);
	u32 i;

	obj_close(test, holder(&m->t, who));
	*(who ? who == 1 ? &m->t.b : &m->t.c : &m->t.a) = fresh;
	for (i = 0; i < SLOTS; i++)
		m->has[i] &= ~BIT(who);
}

static void model_check(struct kunit *test, struct model *m)
{
	u32 i, who, n;

	for (who = 0; who < HOLDERS; who++) {
		for (i = 0, n = 0; i < SLOTS; i++) {
			if (!m->has[i])
				continue;
			KUNIT_ASSERT_EQ(test, holders(holder(&m->t, who),
						      m->handle[i]),
					m->has[i] & BIT(who) ?
					hweight32(m->has[i]) : 0);
			n += !!(m->has[i] & BIT(who));
		}
		expect_holds(test, holder(&m->t, who), n,
			     n * m->kind->capacity);
	}
}

static void random_op(struct kunit *test, struct model *m, struct zcb_rand *r)
{
	u32 slot = zcb_rand_below(r, SLOTS), who = zcb_rand_below(r, HOLDERS);
	u32 what = zcb_rand_below(r, 100);

	if (!m->has[slot]) {
		m->handle[slot] = obj_alloc(test, holder(&m->t, who),
					    m->kind->length);
		m->has[slot] = BIT(who);
	} else if (what < 60) {
		model_pass(test, m, slot, who, zcb_rand_below(r, HOLDERS),
			   what < 40);
	} else if (what < 96) {
		model_free(test, m, slot, who);
	} else {
		model_die(test, m, who);
	}
}

static void random_stream_of(struct kunit *test, const struct kind *kind)
{
	struct model m = { .kind = kind, .t = kind->pool(test) };
	u32 i, nops = ZCB_RAND_OPS(OPS);
	struct zcb_rand r;

	zcb_rand_init(test, &r);
	for (i = 0; i < SLOTS; i++) {
		m.handle[i] = obj_alloc(test, m.t.a, kind->length);
		m.has[i] = BIT(0);
	}
	for (i = 0; i < nops; i++) {
		random_op(test, &m, &r);
		model_check(test, &m);
	}
	for (i = 0; i < HOLDERS; i++)
		obj_close(test, holder(&m.t, i));
	KUNIT_EXPECT_EQ(test, obj_used(test, m.t.pool), 0);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&m.t.pool->shares));
}

/* Four buffers do not fit where one is as large as the arena. */
static void random_stream(struct kunit *test)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].capacity != OBJ_ARENA)
			random_stream_of(test, &kinds[i]);
}

static struct kunit_case share_cases[] = {
	KUNIT_CASE_PARAM(all_have_it, kinds_gen_params),
	KUNIT_CASE_PARAM(freed_by_the_last, kinds_gen_params),
	KUNIT_CASE_PARAM(whoever_dies_first, kinds_gen_params),
	KUNIT_CASE_PARAM(nobody_has_it_twice, kinds_gen_params),
	KUNIT_CASE_PARAM(given_away, kinds_gen_params),
	KUNIT_CASE(not_to_be_shared),
	KUNIT_CASE(as_many_as_there_are),
	KUNIT_CASE_PARAM(zeroed_for_all, kinds_gen_params),
	KUNIT_CASE_PARAM(zeroed_though_given_since, kinds_gen_params),
	KUNIT_CASE_PARAM(shares_are_charged, kinds_gen_params),
	KUNIT_CASE_PARAM(at_a_limit, kinds_gen_params),
	KUNIT_CASE(objects_come_home),
	KUNIT_CASE(a_slab_is_orphaned),
	KUNIT_CASE_PARAM(quarantined, kinds_gen_params),
	KUNIT_CASE(quarantined_in_part),
	KUNIT_CASE(random_stream),
	{}
};

static struct kunit_suite share_suite = {
	.name = "zcb_share",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = share_cases,
};

kunit_test_suite(share_suite);

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions that die while something still holds their pages: what it holds stays
 * out of the pool, everything else comes back at once, and the rest when it lets
 * go. Pages are pinned here by a reference, or as FOLL_PIN would.
 */
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/jiffies.h>
#include <linux/mm.h>

#include "../../kmod/obj/pin.h"
#include "../../kmod/obj/quarantine.h"
#include "obj_rig.h"

#define OBJECT	64U

static struct zcb_pool_config *small(struct kunit *test)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);

	cfg->flags = ZCBUF_POOL_F_SMALL_PAGES;
	return cfg;
}

static struct zcb_pool *of_tiers(struct kunit *test)
{
	struct zcb_pool_config *cfg = small(test);
	const u32 lengths[] = { OBJECT };

	cfg->kind = ZCBUF_POOL_TIERS;
	KUNIT_ASSERT_EQ(test, zcb_slab_table_init(&cfg->slabs, lengths, 1,
						  PAGE_SHIFT), 0);
	return obj_make_pool(test, cfg);
}

static struct zcb_pool *of_fixed(struct kunit *test)
{
	static const struct zcb_fixed_spec spec[] = { { PAGE_SIZE, 4 } };
	struct zcb_pool_config *cfg = small(test);

	cfg->kind = ZCBUF_POOL_FIXED;
	KUNIT_ASSERT_EQ(test, zcb_fixed_layout(&cfg->fixed, spec, 1,
					       PAGE_SHIFT), 0);
	return obj_make_pool(test, cfg);
}

static struct folio *folio_at(struct zcb_pool *pool, u64 offset)
{
	return page_folio(zcb_pool_page(pool, offset >> PAGE_SHIFT));
}

static struct folio *hold(struct zcb_pool *pool, u64 offset)
{
	struct folio *folio = folio_at(pool, offset);

	folio_get(folio);
	return folio;
}

/* As if a while had passed. */
static void look(struct zcb_pool *pool)
{
	zcb_quarantine_look(pool);
	flush_delayed_work(&pool->quarantine_work);
}

static void expect_quarantine(struct kunit *test, struct zcb_pool *pool,
			      u32 sessions, u64 bytes)
{
	const struct zcb_quarantine_stat *q;

	look(pool);
	q = &obj_pool_stat(test, pool)->quarantine;
	KUNIT_EXPECT_EQ(test, q->sessions, sessions);
	KUNIT_EXPECT_EQ(test, q->bytes, bytes);
	KUNIT_EXPECT_EQ(test, !q->age_ns, !sessions);
}

/* It lets go: there is nothing left. */
static void let_go(struct kunit *test, struct zcb_pool *pool,
		   struct folio *folio)
{
	folio_put(folio);
	expect_quarantine(test, pool, 0, 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, pool), 0);
}

static void what_is_not_held_comes_back(struct kunit *test)
{
	struct zcb_pool *pool = obj_make_pool(test, small(test));
	struct zcb_session *s = obj_session(test, pool);
	u64 handle = obj_alloc(test, s, 4 * PAGE_SIZE);
	struct folio *folio;

	obj_alloc(test, s, PAGE_SIZE);
	/* Its last page is as good as its first. */
	folio = hold(pool, zcbuf_buf_offset(handle) + 3 * PAGE_SIZE);
	obj_alloc(test, s, 2 * PAGE_SIZE);
	obj_close(test, s);
	KUNIT_EXPECT_EQ(test, obj_used(test, pool), 4 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, pool)->sessions, 0);
	expect_quarantine(test, pool, 1, 4 * PAGE_SIZE);
	let_go(test, pool, folio);
}

/* One folio, and the reference of a neighbour: it cannot be told whose it is. */
static void of_a_huge_page(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct zcb_session *s = obj_session(test, pool);
	struct folio *folio = folio_at(pool, 0);

	if (!folio_test_large(folio))
		kunit_skip(test, "no huge page");
	obj_alloc(test, s, PAGE_SIZE);
	folio_get(folio);
	obj_close(test, s);
	expect_quarantine(test, pool, 1, PAGE_SIZE);
	let_go(test, pool, folio);
}

static void two_of_them(struct kunit *test)
{
	struct zcb_pool *pool = obj_make_pool(test, small(test));
	struct zcb_session *s[2];
	struct folio *folio[2];
	u32 i;

	for (i = 0; i < 2; i++) {
		s[i] = obj_session(test, pool);
		folio[i] = hold(pool, zcbuf_buf_offset(obj_alloc(test, s[i],
								 PAGE_SIZE)));
		obj_close(test, s[i]);
	}
	expect_quarantine(test, pool, 2, 2 * PAGE_SIZE);
	folio_put(folio[0]);
	expect_quarantine(test, pool, 1, PAGE_SIZE);
	let_go(test, pool, folio[1]);
}

static void slab_with_held_object(struct kunit *test)
{
	struct zcb_pool *pool = of_tiers(test);
	struct zcb_session *s = obj_session(test, pool);
	u64 handle = obj_alloc(test, s, OBJECT);
	struct folio *folio = hold(pool, zcbuf_buf_offset(handle));

	obj_close(test, s);
	KUNIT_EXPECT_GT(test, obj_used(test, pool), 0);
	expect_quarantine(test, pool, 1, PAGE_SIZE);
	let_go(test, pool, folio);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, pool)->classes[0].used, 0);
}

/* The other one's slab goes when he does, this one's loan when it may. */
static void lent_object_is_held(struct kunit *test)
{
	struct zcb_pool *pool = of_tiers(test);
	struct zcb_session *lender = obj_session(test, pool);
	struct zcb_session *s = obj_session(test, pool);
	u64 handle = obj_alloc(test, lender, OBJECT);
	struct folio *folio = hold(pool, zcbuf_buf_offset(handle));
	u32 done;

	KUNIT_ASSERT_EQ(test, zcb_session_give(lender, s->id, &handle, 1, false,
					       &done), 0);
	obj_close(test, s);
	expect_quarantine(test, pool, 1, OBJECT);
	obj_close(test, lender);
	expect_quarantine(test, pool, 2, OBJECT + PAGE_SIZE);
	let_go(test, pool, folio);
}

/* Whoever has an object of the dead one's slab may free it meanwhile. */
static void slab_of_the_dead_shrinks(struct kunit *test)
{
	struct zcb_pool *pool = of_tiers(test);
	struct zcb_session *s = obj_session(test, pool);
	struct zcb_session *other = obj_session(test, pool);
	u64 handle = obj_alloc(test, s, OBJECT);
	struct folio *folio = hold(pool, zcbuf_buf_offset(handle));
	u32 done;

	KUNIT_ASSERT_EQ(test, zcb_session_give(s, other->id, &handle, 1, false,
					       &done), 0);
	obj_close(test, s);
	expect_quarantine(test, pool, 1, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, zcb_memory_free(pool, &other->hold, handle), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, pool), 0);
	let_go(test, pool, folio);
}

static void fixed_object_is_held(struct kunit *test)
{
	struct zcb_pool *pool = of_fixed(test);
	struct zcb_session *s = obj_session(test, pool);
	u64 handle = obj_alloc(test, s, PAGE_SIZE);
	struct folio *folio = hold(pool, zcbuf_buf_offset(handle));

	obj_alloc(test, s, PAGE_SIZE);
	obj_close(test, s);
	KUNIT_EXPECT_EQ(test, obj_used(test, pool), PAGE_SIZE);
	expect_quarantine(test, pool, 1, PAGE_SIZE);
	let_go(test, pool, folio);
}

/* It fails at once; its memory waits, also when its group was released. */
static void reservation_is_held(struct kunit *test)
{
	struct zcb_pool *pool = obj_make_pool(test, small(test));
	struct zcb_channel_config cfg = obj_config(pool);
	struct zcb_session *s = obj_session(test, pool);
	struct zcb_session *other = obj_session(test, pool);
	struct zcb_port *port = obj_channel(test, s, &cfg, ZCBUF_PORT_PRODUCE);
	struct zcb_port *failed = obj_attach(test, other, port->handle,
					     ZCBUF_PORT_RECV_FAILED);
	struct zcbuf_reservation r = obj_reserve(test, port, 100);
	struct folio *folio = hold(pool, r.out_pool_offset);
	struct zcb_failed_group f;

	obj_drop_port(test, port);
	obj_close(test, s);
	KUNIT_ASSERT_EQ(test, zcb_channel_receive_failed(failed, &f, 4, 4, 0),
			0);
	KUNIT_EXPECT_EQ(test, f.nlost, 1);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(failed, f.delivery.handle),
			0);
	zcb_failed_group_free(&f);
	KUNIT_EXPECT_EQ(test, obj_used(test, pool), PAGE_SIZE);
	expect_quarantine(test, pool, 1, PAGE_SIZE);
	let_go(test, pool, folio);
}

/* And the channel with it, when it was the last one's. */
static void delivery_is_held(struct kunit *test)
{
	struct zcb_pool *pool = obj_make_pool(test, small(test));
	struct zcb_channel_config cfg = obj_config(pool);
	struct zcb_session *s = obj_session(test, pool);
	struct zcb_port *port = obj_channel(test, s, &cfg, OBJ_PORTS);
	struct zcbuf_reservation r = obj_send(test, port, 100);
	struct folio *folio = hold(pool, r.out_pool_offset);

	obj_send(test, port, 100);
	obj_receive(test, port);
	obj_fail(test, port, 100);
	obj_drop_port(test, port);
	obj_close(test, s);
	expect_quarantine(test, pool, 1, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, pool)->channels, 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, pool), PAGE_SIZE);
	let_go(test, pool, folio);
}

static void token_is_waited_for(struct kunit *test)
{
	struct zcb_pool *pool = obj_make_pool(test, small(test));
	struct zcb_session *s = obj_session(test, pool);
	struct file *token = zcb_pin_token(s, 0), *second = zcb_pin_token(s, 0);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, token);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, second);
	obj_alloc(test, s, PAGE_SIZE);
	obj_close(test, s);
	expect_quarantine(test, pool, 1, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, pool)->tokens, 2);
	__fput_sync(token);
	expect_quarantine(test, pool, 1, PAGE_SIZE);
	__fput_sync(second);
	/* Looked at by itself. */
	flush_delayed_work(&pool->quarantine_work);
	KUNIT_EXPECT_EQ(test, obj_used(test, pool), 0);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, pool)->tokens, 0);
}

/* As many pins of a folio as others have tokens; a reference is none of them. */
static void tokens_account_for_pins(struct kunit *test)
{
	struct zcb_pool *pool = obj_make_pool(test, small(test));
	struct zcb_session *living = obj_session(test, pool);
	struct file *token = zcb_pin_token(living, 1);
	struct folio *folio = folio_at(pool, 0);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, token);
	KUNIT_EXPECT_TRUE(test, zcb_pin_settled(pool, 0, PAGE_SIZE));
	folio_ref_add(folio, GUP_PIN_COUNTING_BIAS);
	KUNIT_EXPECT_TRUE(test, zcb_pin_settled(pool, 0, PAGE_SIZE));
	folio_ref_inc(folio);
	KUNIT_EXPECT_FALSE(test, zcb_pin_settled(pool, 0, PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, zcb_pin_settled(pool, 0, 2 * PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, zcb_pin_settled(pool, PAGE_SIZE, PAGE_SIZE));
	folio_ref_dec(folio);
	folio_ref_add(folio, GUP_PIN_COUNTING_BIAS);
	KUNIT_EXPECT_FALSE(test, zcb_pin_settled(pool, 0, PAGE_SIZE));
	folio_ref_sub(folio, GUP_PIN_COUNTING_BIAS);
	__fput_sync(token);
	KUNIT_EXPECT_FALSE(test, zcb_pin_settled(pool, 0, PAGE_SIZE));
	folio_ref_sub(folio, GUP_PIN_COUNTING_BIAS);
	KUNIT_EXPECT_TRUE(test, zcb_pin_settled(pool, 0, PAGE_SIZE));
}

static void large_pins_are_counted(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct zcb_session *living = obj_session(test, pool);
	struct folio *folio = folio_at(pool, 0);
	struct file *token;

	if (!folio_test_large(folio))
		kunit_skip(test, "no huge page");
	token = zcb_pin_token(living, 1);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, token);
	folio_ref_inc(folio);
	KUNIT_EXPECT_FALSE(test, zcb_pin_settled(pool, 0, PAGE_SIZE));
	atomic_inc(&folio->_pincount);
	KUNIT_EXPECT_TRUE(test, zcb_pin_settled(pool, 0, PAGE_SIZE));
	__fput_sync(token);
	KUNIT_EXPECT_FALSE(test, zcb_pin_settled(pool, 0, PAGE_SIZE));
	atomic_dec(&folio->_pincount);
	folio_ref_dec(folio);
	KUNIT_EXPECT_TRUE(test, zcb_pin_settled(pool, 0, PAGE_SIZE));
}

/* A ring of his that lets go of its pages must not excuse another's. */
static void tokens_of_the_dead_account_for_nothing(struct kunit *test)
{
	struct zcb_pool *pool = obj_make_pool(test, small(test));
	struct zcb_session *s = obj_session(test, pool);
	struct file *token = zcb_pin_token(s, 1);
	struct folio *folio = folio_at(pool, 0);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, token);
	KUNIT_EXPECT_PTR_EQ(test, zcb_pin_token(s, 2), ERR_PTR(-EINVAL));
	folio_ref_add(folio, GUP_PIN_COUNTING_BIAS);
	KUNIT_EXPECT_TRUE(test, zcb_pin_settled(pool, 0, PAGE_SIZE));
	obj_close(test, s);
	KUNIT_EXPECT_FALSE(test, zcb_pin_settled(pool, 0, PAGE_SIZE));
	__fput_sync(token);
	KUNIT_EXPECT_FALSE(test, zcb_pin_settled(pool, 0, PAGE_SIZE));
	folio_ref_sub(folio, GUP_PIN_COUNTING_BIAS);
	KUNIT_EXPECT_TRUE(test, zcb_pin_settled(pool, 0, PAGE_SIZE));
	expect_quarantine(test, pool, 0, 0);
}

/* The pool goes with what is in quarantine, by the hand that looks. */
static void pool_goes_with_the_last(struct kunit *test)
{
	struct zcb_pool *pool = obj_make_pool(test, small(test));
	struct zcb_session *s = obj_session(test, pool);
	struct file *token = zcb_pin_token(s, 0);
	unsigned long end = jiffies + OBJ_PATIENCE;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, token);
	obj_alloc(test, s, PAGE_SIZE);
	obj_close(test, s);
	obj_drop_pool(test, pool);
	obj_settle(test);
	KUNIT_EXPECT_EQ(test, obj_used(test, pool), PAGE_SIZE);
	__fput_sync(token);
	/* By itself, and then there is nothing any more to ask. */
	while (obj_total_charged() && time_before(jiffies, end))
		usleep_range(1000, 2000);
}

static struct kunit_case quarantine_cases[] = {
	KUNIT_CASE(what_is_not_held_comes_back),
	KUNIT_CASE(of_a_huge_page),
	KUNIT_CASE(two_of_them),
	KUNIT_CASE(slab_with_held_object),
	KUNIT_CASE(lent_object_is_held),
	KUNIT_CASE(slab_of_the_dead_shrinks),
	KUNIT_CASE(fixed_object_is_held),
	KUNIT_CASE(reservation_is_held),
	KUNIT_CASE(delivery_is_held),
	KUNIT_CASE(token_is_waited_for),
	KUNIT_CASE(tokens_account_for_pins),
	KUNIT_CASE(large_pins_are_counted),
	KUNIT_CASE(tokens_of_the_dead_account_for_nothing),
	KUNIT_CASE(pool_goes_with_the_last),
	{}
};

static struct kunit_suite quarantine_suite = {
	.name = "zcb_quarantine",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = quarantine_cases,
};

kunit_test_suite(quarantine_suite);

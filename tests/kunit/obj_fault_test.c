// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every call fails cleanly, whichever of its allocations do. What promises to allocate
 * nothing succeeds all along.
 */
#include <linux/file.h>

#include "../../kmod/obj/control.h"
#include "../../kmod/obj/heart.h"
#include "obj_fault.h"

/* Of this case. Elsewhere they are those of slabs and of KASAN's own. */
static void fail_pages_too(void)
{
	u32 *order = shown_by("fail_page_alloc", "min-order");

	*order = 0;
}

/* ------------------------------------------------- accounts, arenas, pools */

static int call_charge(struct fault *f)
{
	static const struct zcb_payer payer = { .uid = KUIDT_INIT(4001) };

	return zcb_account_charge(4096, &payer,
				  (struct zcb_user **)&f->object);
}

static void undo_charge(struct fault *f)
{
	zcb_account_uncharge(f->object, 4096);
}

static void charging(struct kunit *test)
{
	struct fault f = { .call = call_charge, .undo = undo_charge };

	fail_each(test, &f);
	KUNIT_EXPECT_GE(test, f.failures, 1);
}

static const struct zcb_payer root = { .uid = GLOBAL_ROOT_UID };
static const nodemask_t anywhere;

static int call_arena(struct fault *f)
{
	const enum zcb_arena_huge *huge = f->cfg;
	u64 size = *huge == ZCB_ARENA_HUGE_NEVER ? 8 * PAGE_SIZE : OBJ_ARENA;

	f->object = zcb_arena_create(size, 0, &anywhere, *huge, &root);
	/* No memory for the user's record looks like a limit. */
	if (f->object == ERR_PTR(-EDQUOT))
		return -ENOMEM;
	return PTR_ERR_OR_ZERO(f->object);
}

static void undo_arena(struct fault *f)
{
	zcb_arena_destroy(f->object);
}

static void making_an_arena_of_small_pages(struct kunit *test)
{
	const enum zcb_arena_huge huge = ZCB_ARENA_HUGE_NEVER;
	struct fault f = {
		.call = call_arena, .undo = undo_arena, .cfg = &huge,
	};

	fail_pages_too();
	fail_each(test, &f);
	KUNIT_EXPECT_GE(test, f.failures, 8 + 3);
}

static void destroy_and_note_order(struct fault *f)
{
	struct zcb_arena *a = f->object;

	f->handle |= 1ULL << a->order;
	zcb_arena_destroy(a);
}

static void making_an_arena_of_huge_pages(struct kunit *test)
{
	const enum zcb_arena_huge huge = ZCB_ARENA_HUGE_MUST;
	struct fault f = {
		.call = call_arena, .undo = destroy_and_note_order,
		.cfg = &huge,
	};

	fail_pages_too();
	fail_each(test, &f);
	KUNIT_EXPECT_GE(test, f.failures, 1 + 3);
	KUNIT_EXPECT_EQ(test, f.handle, 1ULL << get_order(OBJ_ARENA));
}

static void an_arena_falls_back_to_small_pages(struct kunit *test)
{
	const enum zcb_arena_huge huge = ZCB_ARENA_HUGE_TRY;
	struct fault f = {
		.call = call_arena, .undo = destroy_and_note_order,
		.cfg = &huge,
	};

	fail_pages_too();
	fail_each(test, &f);
	KUNIT_EXPECT_GE(test, f.fallbacks, 1);
	KUNIT_EXPECT_EQ(test, f.handle, 1ULL | 1ULL << get_order(OBJ_ARENA));
}

/* Nearly all of its pages were there already. */
static void an_arena_that_fails_late(struct kunit *test)
{
	struct sysinfo before, after;
	struct zcb_arena *a;
	u32 i;

	fail_pages_too();
	si_meminfo(&before);
	for (i = 0; i < 10; i++) {
		obj_watch_fail(OBJ_PAGES - 5);
		a = zcb_arena_create(OBJ_ARENA, 0, &anywhere,
				     ZCB_ARENA_HUGE_NEVER, &root);
		obj_watch_fail(0);
		KUNIT_EXPECT_PTR_EQ(test, a, ERR_PTR(-ENOMEM));
	}
	si_meminfo(&after);
	KUNIT_EXPECT_GT(test, after.freeram + 6 * OBJ_PAGES, before.freeram);
}

static int nid_by_turns(const struct zcb_arena *a, u32 index)
{
	return index & 1;
}

static int call_nodes(struct fault *f)
{
	return zcb_arena_nodes_init(f->object);
}

static void undo_nodes(struct fault *f)
{
	zcb_arena_nodes_end(f->object);
}

static void an_arena_of_two_nodes(struct kunit *test)
{
	struct zcb_arena_ops ops = zcb_arena_folio_ops;
	struct fault f = { .call = call_nodes, .undo = undo_nodes };
	struct zcb_arena *a;

	a = zcb_arena_create(8 * PAGE_SIZE, 0, &anywhere, ZCB_ARENA_HUGE_NEVER,
			     &root);
	KUNIT_ASSERT_FALSE(test, IS_ERR(a));
	ops.nid = nid_by_turns;
	a->ops = &ops;
	f.object = a;
	fail_each(test, &f);
	KUNIT_EXPECT_EQ(test, f.failures, 1);
	zcb_arena_destroy(a);
}

static int call_pool(struct fault *f)
{
	f->object = zcb_pool_create(f->cfg, GLOBAL_ROOT_UID);
	return PTR_ERR_OR_ZERO(f->object);
}

/* One that was made lacks nothing. */
static void undo_pool(struct fault *f)
{
	struct zcb_pool *pool = f->object;

	f->handle += !pool->inode || !pool->bufs.pages[0] ||
		     !pool->channels.slots;
	zcb_pool_put(pool);
}

static void making_a_pool(struct kunit *test)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);
	struct fault f = {
		.call = call_pool, .undo = undo_pool, .cfg = cfg,
	};
	struct zcb_pool *found;

	strscpy(cfg->name, "one", sizeof(cfg->name));
	cfg->flags = ZCBUF_POOL_F_HUGE_STRICT;
	fail_pages_too();
	fail_each(test, &f);
	KUNIT_EXPECT_GE(test, f.failures, 6);
	KUNIT_EXPECT_EQ(test, f.handle, 0);
	found = zcb_pool_find("one", GLOBAL_ROOT_UID);
	KUNIT_EXPECT_NULL(test, found);
	zcb_pool_put(found);
}

/* ---------------------------------------------------- files and sessions */

static int call_file(struct fault *f)
{
	f->object = zcb_mapfs_file(f->pool, NULL, O_RDWR);
	return PTR_ERR_OR_ZERO(f->object);
}

static void undo_file(struct fault *f)
{
	__fput_sync(f->object);
}

static void making_a_file(struct kunit *test)
{
	struct fault f = { .call = call_file, .undo = undo_file };

	f.pool = obj_pool(test);
	fail_each(test, &f);
	KUNIT_EXPECT_EQ(test, kref_read(&f.pool->ref), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&f.pool->inode->i_count), 1);
}

static int call_session(struct fault *f)
{
	f->object = zcb_session_open(ZCBUF_RIGHTS_ALL);
	return f->object ? 0 : -ENOMEM;
}

static void undo_session(struct fault *f)
{
	zcb_session_close(f->object);
}

static void opening_a_session(struct kunit *test)
{
	struct fault f = { .call = call_session, .undo = undo_session };

	fail_each(test, &f);
}

/* The first session mounts the file system; it is closed by the background. */
static void opening_the_first_session(struct kunit *test)
{
	struct fault f = { .call = call_session, .undo = undo_session };
	int refs = module_refcount(THIS_MODULE);

	zcb_mapfs_unpin();	/* the suite's */
	obj_wait_refs(test, refs - 1);
	fail_each(test, &f);
	obj_wait_refs(test, refs - 1);
	KUNIT_EXPECT_EQ(test, zcb_mapfs_pin(), 0);
	KUNIT_EXPECT_GE(test, f.failures, 3);
}

static int call_heart(struct fault *f)
{
	f->s = zcb_session_open(ZCBUF_RIGHTS_ALL);
	if (!f->s)
		return -ENOMEM;
	f->object = zcb_heart_file(f->s);
	if (IS_ERR(f->object))
		zcb_session_close(f->s);
	return PTR_ERR_OR_ZERO(f->object);
}

static void undo_heart(struct fault *f)
{
	__fput_sync(f->object);
	zcb_session_close(f->s);
}

static void making_a_heartbeat(struct kunit *test)
{
	struct fault f = { .call = call_heart, .undo = undo_heart };

	fail_pages_too();
	fail_each(test, &f);
	KUNIT_EXPECT_GE(test, f.failures, 4);
}

static int call_control(struct fault *f)
{
	f->object = zcb_control_file(f->pool);
	return PTR_ERR_OR_ZERO(f->object);
}

static void undo_control(struct fault *f)
{
	__fput_sync(f->object);
	zcb_control_end(f->pool);
}

static void making_a_control_page(struct kunit *test)
{
	struct fault f = { .call = call_control, .undo = undo_control };

	f.pool = obj_pool(test);
	fail_pages_too();
	fail_each(test, &f);
	KUNIT_EXPECT_GE(test, f.failures, 4);
}

static int call_alloc(struct fault *f)
{
	const struct zcb_memory_request r = { .length = 64 };

	return zcb_memory_alloc(f->pool, &f->s->hold, f->s->domain, &r,
				&f->handle);
}

static void undo_alloc(struct fault *f)
{
	zcb_memory_free(f->pool, &f->s->hold, f->handle);
}

static void leasing_a_slab(struct kunit *test)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);
	struct fault f = { .call = call_alloc, .undo = undo_alloc };

	cfg->kind = ZCBUF_POOL_TIERS;
	KUNIT_ASSERT_EQ(test, zcb_slab_table_init(&cfg->slabs, zcb_slab_tiers,
						  ZCB_SLAB_TIERS, PAGE_SHIFT),
			0);
	f.pool = obj_make_pool(test, cfg);
	f.s = obj_session(test, f.pool);
	fail_each(test, &f);
	KUNIT_EXPECT_GE(test, f.failures, 1);
	KUNIT_EXPECT_EQ(test, obj_used(test, f.pool), 0);
}

/* ----------------------------------------------------------------- channels */

static int call_open(struct fault *f)
{
	struct zcb_port *port;
	u32 added;
	int err;

	err = obj_open(f->s, f->handle, f->handle ? NULL : f->cfg, OBJ_PORTS, 0,
		       &port, &added);
	if (!err)
		f->object = port;
	return err;
}

static void undo_open(struct fault *f)
{
	struct zcb_port *port = f->object;

	zcb_channel_close(f->s, port->handle, 0);
	zcb_port_put(port);
}

static void opening_a_channel(struct kunit *test)
{
	struct zcb_channel_config cfg;
	struct fault f = {
		.call = call_open, .undo = undo_open, .cfg = &cfg,
	};

	f.pool = obj_pool(test);
	f.s = obj_session(test, f.pool);
	cfg = obj_config(f.pool);
	/* The first port of a session needs no room in its table. */
	obj_channel(test, f.s, &cfg, OBJ_PORTS);
	fail_each(test, &f);
	KUNIT_EXPECT_GE(test, f.failures, 5);
	KUNIT_EXPECT_EQ(test, f.pool->channels.live, 1);
}

static void opening_another_port(struct kunit *test)
{
	struct fault f = { .call = call_open, .undo = undo_open };
	struct zcb_channel_config cfg;
	struct zcb_port *port;

	f.pool = obj_pool(test);
	cfg = obj_config(f.pool);
	port = obj_channel(test, obj_session(test, f.pool), &cfg, OBJ_PORTS);
	f.handle = port->handle;
	f.s = obj_session(test, f.pool);
	fail_each(test, &f);
	KUNIT_EXPECT_EQ(test, port->channel->producers, 1);
	KUNIT_EXPECT_EQ(test, kref_read(&port->channel->ref), 2);
}

/* A channel of one session, with records already paid for. */
static void make_channel(struct kunit *test, struct fault *f, u64 threshold)
{
	struct zcb_channel_config cfg;

	f->pool = obj_pool(test);
	f->s = obj_session(test, f->pool);
	cfg = obj_config(f->pool);
	cfg.stream.threshold = threshold;
	f->port = obj_channel(test, f->s, &cfg, OBJ_PORTS);
	obj_send(test, f->port, 10);
}

static int call_reserve(struct fault *f)
{
	struct zcbuf_reservation r;

	return obj_try_reserve(f->port, 10, &r);
}

static void reserving_a_group(struct kunit *test)
{
	struct fault f = { .call = call_reserve, .undo = undo_nothing };

	make_channel(test, &f, 0);
	fail_each(test, &f);
	KUNIT_EXPECT_GE(test, f.failures, 2);
}

static void reserving_in_the_open_group(struct kunit *test)
{
	struct fault f = { .call = call_reserve, .undo = undo_nothing };

	make_channel(test, &f, PAGE_SIZE);
	fail_each(test, &f);
	KUNIT_EXPECT_GE(test, f.failures, 1);
}

static int call_receive_failed(struct fault *f)
{
	struct zcb_failed_group g;
	int err = zcb_channel_receive_failed(f->port, &g, 9, 9, 0);

	if (!err) {
		zcb_failed_group_free(&g);
		f->handle = g.delivery.handle;
	}
	return err;
}

/* A group of which half is lost. */
static void make_failed_group(struct fault *f)
{
	struct zcbuf_reservation r;

	obj_try_reserve(f->port, 10, &r);
	obj_commit(f->port, &r);
	obj_try_reserve(f->port, 10, &r);
	zcb_channel_abort(f->port, r.out_group, r.out_id);
}

static void undo_receive_failed(struct fault *f)
{
	zcb_channel_release(f->port, f->handle);
	make_failed_group(f);
}

/* It is still there. */
static void receiving_a_failed_group(struct kunit *test)
{
	struct fault f = {
		.call = call_receive_failed, .undo = undo_receive_failed,
	};

	make_channel(test, &f, 20);
	obj_send(test, f.port, 10);
	make_failed_group(&f);
	fail_each(test, &f);
	KUNIT_EXPECT_GE(test, f.failures, 2);
}

/* ------------------------------------------ what needs no memory to succeed */

static void fail_all(void)
{
	obj_watch_insist(~0U);
	obj_watch_fail(1);
}

static void fail_no_more(void)
{
	obj_watch_fail(0);
	obj_watch_relent();
}

static void nothing_after_reserve_needs_memory(struct kunit *test)
{
	struct zcbuf_reservation good, bad;
	struct zcb_stream_counts n;
	struct zcbuf_delivery d;
	struct fault f;
	bool sealed;
	int err[6];
	u32 i;

	make_channel(test, &f, PAGE_SIZE);
	good = obj_reserve(test, f.port, PAGE_SIZE);
	bad = obj_reserve(test, f.port, 10);
	fail_all();
	err[0] = obj_commit(f.port, &good);
	err[1] = zcb_channel_flush(f.port, &sealed);
	err[2] = zcb_channel_abort(f.port, bad.out_group, bad.out_id);
	err[3] = obj_try_receive(f.port, &d);
	err[4] = zcb_channel_release(f.port, d.handle);
	err[5] = zcb_channel_finalize(f.port, &n);
	fail_no_more();
	for (i = 0; i < ARRAY_SIZE(err); i++)
		KUNIT_EXPECT_EQ_MSG(test, err[i], 0, "call %u", i);
}

/* Dying must not fail either. */
static void closing_needs_no_memory(struct kunit *test)
{
	struct fault f;

	make_channel(test, &f, PAGE_SIZE);
	obj_reserve(test, f.port, 10);
	obj_alloc(test, f.s, 10);
	obj_drop_port(test, f.port);
	fail_all();
	obj_close(test, f.s);
	fail_no_more();
	KUNIT_EXPECT_EQ(test, obj_used(test, f.pool), 0);
	fail_all();
	obj_drop_pool(test, f.pool);
	fail_no_more();
}

/* That there is none of one node stops nobody who needs it of another, or of any. */
static void growing_on_a_node(struct kunit *test)
{
	struct zcb_memory_request r = {
		.length = OBJ_ARENA, .on_node = true, .node = 0,
	};
	struct zcb_pool_config *cfg = obj_pool_config(test);
	struct zcb_session *s;
	u64 handle;
	int err;

	cfg->flags |= ZCBUF_POOL_F_AUTO_GROW;
	cfg->max_size = 2 * OBJ_ARENA;
	s = obj_session(test, obj_make_pool(test, cfg));
	obj_alloc(test, s, OBJ_ARENA);
	fail_all();
	err = zcb_memory_alloc(s->pool, &s->hold, s->domain, &r, &handle);
	fail_no_more();
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	KUNIT_EXPECT_FALSE(test, zcb_pool_may_grow(s->pool, 0));
	KUNIT_EXPECT_TRUE(test, zcb_pool_may_grow(s->pool, 1));
	KUNIT_EXPECT_TRUE(test, zcb_pool_may_grow(s->pool, NUMA_NO_NODE));
	mod_delayed_work(system_wq, &s->pool->node_pause.work, 0);
	flush_delayed_work(&s->pool->node_pause.work);
	KUNIT_EXPECT_EQ(test, zcb_memory_alloc(s->pool, &s->hold, s->domain, &r,
					       &handle), 0);
}

static struct kunit_case fault_cases[] = {
	KUNIT_CASE(charging),
	KUNIT_CASE(making_an_arena_of_small_pages),
	KUNIT_CASE(making_an_arena_of_huge_pages),
	KUNIT_CASE(an_arena_falls_back_to_small_pages),
	KUNIT_CASE(an_arena_that_fails_late),
	KUNIT_CASE(an_arena_of_two_nodes),
	KUNIT_CASE(making_a_pool),
	KUNIT_CASE(making_a_file),
	KUNIT_CASE(opening_a_session),
	KUNIT_CASE(opening_the_first_session),
	KUNIT_CASE(making_a_heartbeat),
	KUNIT_CASE(making_a_control_page),
	KUNIT_CASE(leasing_a_slab),
	KUNIT_CASE(opening_a_channel),
	KUNIT_CASE(opening_another_port),
	KUNIT_CASE(reserving_a_group),
	KUNIT_CASE(reserving_in_the_open_group),
	KUNIT_CASE(receiving_a_failed_group),
	KUNIT_CASE(nothing_after_reserve_needs_memory),
	KUNIT_CASE(closing_needs_no_memory),
	KUNIT_CASE(growing_on_a_node),
	{}
};

static struct kunit_suite fault_suite = {
	.name = "zcb_fault",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = fault_init,
	.test_cases = fault_cases,
};

kunit_test_suite(fault_suite);

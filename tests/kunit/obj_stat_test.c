// SPDX-License-Identifier: GPL-2.0-only
/* What inspection sees: that it is what is there, and to whom it is shown. */
#include <linux/pid.h>

#include "obj_rig.h"

#define READER	(ZCBUF_RIGHT_MAP_READ | ZCBUF_RIGHT_CONSUME)
#define WRITER	(ZCBUF_RIGHT_MAP_WRITE | ZCBUF_RIGHT_PRODUCE)
#define OWNER	ZCBUF_RIGHT_ADMIN

/* ------------------------------------------------------------------ permits */

static u32 permits(struct zcb_pool *pool, u32 mode, const struct cred *cred)
{
	pool->cfg.mode = mode;
	return zcb_pool_permits(pool, cred, false);
}

/* The pool is of user and group 4001. */
static struct zcb_pool *pool_of_4001(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);

	pool->uid = KUIDT_INIT(4001);
	pool->gid = KGIDT_INIT(4001);
	return pool;
}

/* Somebody, with one supplementary group. */
static struct cred *somebody(struct kunit *test, u32 uid, u32 gid, u32 other)
{
	struct cred *cred = kunit_kzalloc(test, sizeof(*cred), GFP_KERNEL);
	struct group_info *gi;

	KUNIT_ASSERT_NOT_NULL(test, cred);
	gi = kunit_kzalloc(test, struct_size(gi, gid, 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, gi);
	gi->ngroups = 1;
	gi->gid[0] = KGIDT_INIT(other);
	cred->euid = KUIDT_INIT(uid);
	cred->egid = KGIDT_INIT(gid);
	cred->group_info = gi;
	return cred;
}

static void the_owner_has_the_owners_bits(struct kunit *test)
{
	struct zcb_pool *pool = pool_of_4001(test);
	struct cred *owner = somebody(test, 4001, 4001, 4001);

	KUNIT_EXPECT_EQ(test, permits(pool, 0600, owner),
			OWNER | READER | WRITER);
	KUNIT_EXPECT_EQ(test, permits(pool, 0400, owner), OWNER | READER);
	KUNIT_EXPECT_EQ(test, permits(pool, 0200, owner), OWNER | WRITER);
	KUNIT_EXPECT_EQ(test, permits(pool, 0066, owner), OWNER);
}

static void the_group_has_the_groups_bits(struct kunit *test)
{
	struct zcb_pool *pool = pool_of_4001(test);
	struct cred *first = somebody(test, 4002, 4001, 7);
	struct cred *second = somebody(test, 4002, 7, 4001);

	KUNIT_EXPECT_EQ(test, permits(pool, 0060, first), READER | WRITER);
	KUNIT_EXPECT_EQ(test, permits(pool, 0040, first), READER);
	KUNIT_EXPECT_EQ(test, permits(pool, 0606, first), 0);
	KUNIT_EXPECT_EQ(test, permits(pool, 0060, second), READER | WRITER);
	KUNIT_EXPECT_EQ(test, permits(pool, 0020, second), WRITER);
	KUNIT_EXPECT_EQ(test, permits(pool, 0606, second), 0);
}

static void others_have_what_is_left(struct kunit *test)
{
	struct zcb_pool *pool = pool_of_4001(test);
	struct cred *other = somebody(test, 4002, 4002, 7);

	KUNIT_EXPECT_EQ(test, permits(pool, 0006, other), READER | WRITER);
	KUNIT_EXPECT_EQ(test, permits(pool, 0004, other), READER);
	KUNIT_EXPECT_EQ(test, permits(pool, 0002, other), WRITER);
	KUNIT_EXPECT_EQ(test, permits(pool, 0660, other), 0);
}

static void the_privileged_have_all(struct kunit *test)
{
	struct zcb_pool *pool = pool_of_4001(test);
	struct cred *other = somebody(test, 4002, 4002, 7);

	pool->cfg.mode = 0;
	KUNIT_EXPECT_EQ(test, zcb_pool_permits(pool, other, true),
			ZCBUF_RIGHTS_ALL);
	KUNIT_EXPECT_EQ(test, zcb_pool_permits(pool, other, false), 0);
}

/* -------------------------------------------------------------------- pools */

static void an_empty_pool(struct kunit *test)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);
	const struct zcb_pool_stat *st;
	struct zcb_pool *pool;
	u32 i, shift = PAGE_SHIFT - 12;

	strscpy(cfg->name, "one", sizeof(cfg->name));
	cfg->arena_size = 3 * OBJ_ARENA;
	cfg->flags = ZCBUF_POOL_F_SMALL_PAGES;
	cfg->mode = 0640;
	pool = obj_make_pool(test, cfg);
	st = obj_pool_stat(test, pool);
	KUNIT_EXPECT_EQ(test, st->handle, pool->handle);
	KUNIT_EXPECT_STREQ(test, st->name, "one");
	KUNIT_EXPECT_EQ(test, st->kind, ZCBUF_POOL_PAGES);
	KUNIT_EXPECT_EQ(test, st->flags, ZCBUF_POOL_F_SMALL_PAGES);
	KUNIT_EXPECT_TRUE(test, uid_eq(st->uid, current_euid()));
	KUNIT_EXPECT_TRUE(test, gid_eq(st->gid, current_egid()));
	KUNIT_EXPECT_EQ(test, st->mode, 0640);
	KUNIT_EXPECT_EQ(test, st->size, 3 * OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, st->arena_size, 3 * OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, st->arenas, 1);
	KUNIT_EXPECT_EQ(test, st->page_order, 0);
	KUNIT_EXPECT_EQ(test, st->min_free, 3 * OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, st->largest_free, 2 * OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, st->used + st->bad_frees, 0);
	KUNIT_EXPECT_EQ(test, st->sessions + st->channels + st->mappings, 0);
	KUNIT_EXPECT_EQ(test, st->nclasses, 0);
	KUNIT_EXPECT_FALSE(test, st->zombie);
	KUNIT_EXPECT_EQ(test, st->norders, get_order(OBJ_ARENA) + 1 + shift + 1);
	for (i = 0; i < ARRAY_SIZE(st->order_free); i++)
		KUNIT_EXPECT_EQ(test, st->order_free[i],
				i == st->norders - 1 || i == st->norders - 2);
}

static void a_pool_in_use(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct zcb_session *s = obj_session(test, pool);
	struct zcb_channel_config cfg = obj_config(pool);
	const struct zcb_pool_stat *st;

	obj_session(test, pool);
	obj_channel(test, s, &cfg, OBJ_PORTS);
	zcb_memory_free(pool, &s->hold, obj_alloc(test, s, OBJ_ARENA / 2));
	obj_alloc(test, s, PAGE_SIZE);
	atomic_inc(&pool->mappings);
	zcb_memory_free(pool, &s->hold, 0);
	st = obj_pool_stat(test, pool);
	atomic_dec(&pool->mappings);
	KUNIT_EXPECT_EQ(test, st->sessions, 2);
	KUNIT_EXPECT_EQ(test, st->channels, 1);
	KUNIT_EXPECT_EQ(test, st->mappings, 1);
	KUNIT_EXPECT_EQ(test, st->used, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, st->min_free, OBJ_ARENA / 2);
	KUNIT_EXPECT_EQ(test, st->largest_free, OBJ_ARENA / 2);
	KUNIT_EXPECT_EQ(test, st->bad_frees, 1);
	KUNIT_EXPECT_EQ(test, st->order_free[PAGE_SHIFT - 12], 1);
	KUNIT_EXPECT_EQ(test, st->order_free[st->norders - 2], 1);
	KUNIT_EXPECT_EQ(test, st->order_free[st->norders - 1], 0);
}

static void a_full_pool(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct zcb_session *s = obj_session(test, pool);
	const struct zcb_pool_stat *st;

	obj_alloc(test, s, OBJ_ARENA);
	st = obj_pool_stat(test, pool);
	KUNIT_EXPECT_EQ(test, st->used, OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, st->min_free, 0);
	KUNIT_EXPECT_EQ(test, st->largest_free, 0);
}

static void classes(struct kunit *test)
{
	static const u32 length[] = { 100, 5000 };
	struct zcb_pool_config *cfg = obj_pool_config(test);
	const struct zcb_pool_stat *st;
	struct zcb_session *s;
	struct zcb_pool *pool;

	cfg->kind = ZCBUF_POOL_TIERS;
	KUNIT_ASSERT_EQ(test, zcb_slab_table_init(&cfg->slabs, length, 2,
						  PAGE_SHIFT), 0);
	pool = obj_make_pool(test, cfg);
	s = obj_session(test, pool);
	obj_alloc(test, s, 101);
	obj_alloc(test, s, 200);
	obj_alloc(test, s, 100);
	st = obj_pool_stat(test, pool);
	KUNIT_EXPECT_EQ(test, st->kind, ZCBUF_POOL_TIERS);
	KUNIT_EXPECT_EQ(test, st->nclasses, 2);
	KUNIT_EXPECT_EQ(test, st->classes[0].length, 112);
	KUNIT_EXPECT_EQ(test, st->classes[0].used, 2);
	KUNIT_EXPECT_EQ(test, st->classes[0].total,
			pool->cfg.slabs.class[0].nobjs);
	KUNIT_EXPECT_EQ(test, st->classes[1].length, 5008);
	KUNIT_EXPECT_EQ(test, st->classes[1].used, 1);
	KUNIT_EXPECT_EQ(test, st->classes[1].total,
			pool->cfg.slabs.class[1].nobjs);
	/* What is free, and what is left over at the end. */
	KUNIT_EXPECT_EQ(test, st->classes[0].waste, PAGE_SIZE - 2 * 112);
	KUNIT_EXPECT_EQ(test, st->classes[1].waste,
			(PAGE_SIZE << pool->cfg.slabs.class[1].order) - 5008);
}

/* ----------------------------------------------------------------- sessions */

static bool session_stat(struct zcb_pool *pool, u32 *cursor,
			 struct zcb_session_stat *st)
{
	memset(st, 0xff, sizeof(*st));
	return zcb_pool_session_stat(pool, cursor, st);
}

static void an_idle_session(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct zcb_session_stat st;
	struct zcb_session *s;
	struct obj_user u;
	u32 cursor = 0;

	obj_become(test, &u, 4001);
	s = obj_session(test, pool);
	obj_return(&u);
	KUNIT_ASSERT_TRUE(test, session_stat(pool, &cursor, &st));
	KUNIT_EXPECT_EQ(test, st.id, s->id);
	KUNIT_EXPECT_EQ(test, st.pool, pool->handle);
	KUNIT_EXPECT_EQ(test, st.pid, task_tgid_nr(current));
	KUNIT_EXPECT_STREQ(test, st.comm, current->comm);
	KUNIT_EXPECT_EQ(test, __kuid_val(st.uid), 4001);
	KUNIT_EXPECT_EQ(test, st.rights, ZCBUF_RIGHTS_ALL);
	KUNIT_EXPECT_EQ(test, st.buffers + st.bytes, 0);
	KUNIT_EXPECT_EQ(test, st.pending + st.pending_bytes, 0);
	KUNIT_EXPECT_EQ(test, st.held + st.held_bytes, 0);
	KUNIT_EXPECT_EQ(test, st.ports, 0);
	KUNIT_EXPECT_FALSE(test, session_stat(pool, &cursor, &st));
}

static void what_a_session_has(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct zcb_channel_config cfg = obj_config(pool);
	struct zcb_session *s = obj_session(test, pool);
	struct zcb_port *x = obj_channel(test, s, &cfg, OBJ_PORTS);
	struct zcb_port *y = obj_channel(test, s, &cfg, OBJ_PORTS);
	struct zcb_session_stat st;
	u32 cursor = 0;

	obj_alloc(test, s, 3 * PAGE_SIZE);
	obj_alloc(test, s, PAGE_SIZE);
	obj_send(test, x, 10);
	obj_send(test, y, PAGE_SIZE + 1);
	obj_receive(test, x);
	obj_receive(test, y);
	obj_fail(test, y, 5 * PAGE_SIZE);
	obj_receive_failed(test, y);
	obj_reserve(test, x, 100);
	obj_reserve(test, y, 23);
	KUNIT_ASSERT_TRUE(test, session_stat(pool, &cursor, &st));
	KUNIT_EXPECT_EQ(test, st.buffers, 2);
	KUNIT_EXPECT_EQ(test, st.bytes, 5 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, st.ports, 6);
	KUNIT_EXPECT_EQ(test, st.pending, 2);
	KUNIT_EXPECT_EQ(test, st.pending_bytes, 123);
	KUNIT_EXPECT_EQ(test, st.held, 3);
	KUNIT_EXPECT_EQ(test, st.held_bytes, (1 + 2 + 5) * PAGE_SIZE);
}

static void objects_are_buffers(struct kunit *test)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);
	struct zcb_session_stat st;
	struct zcb_session *s;
	struct zcb_pool *pool;
	u32 cursor = 0;

	cfg->kind = ZCBUF_POOL_TIERS;
	KUNIT_ASSERT_EQ(test, zcb_slab_table_init(&cfg->slabs, zcb_slab_tiers,
						  ZCB_SLAB_TIERS, PAGE_SHIFT),
			0);
	pool = obj_make_pool(test, cfg);
	s = obj_session(test, pool);
	obj_alloc(test, s, 60);
	obj_alloc(test, s, 61);
	obj_alloc(test, s, 256 * 1024 + 1);
	KUNIT_ASSERT_TRUE(test, session_stat(pool, &cursor, &st));
	KUNIT_EXPECT_EQ(test, st.buffers, 3);
	KUNIT_EXPECT_EQ(test, st.bytes, 512 * 1024 + 2 * 64);
}

/* Neither twice nor not at all, whoever goes meanwhile. */
static void sessions_are_walked_while_they_go(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct zcb_session *s[5];
	struct zcb_session_stat st;
	u32 i, cursor = 0;

	for (i = 0; i < 5; i++)
		s[i] = obj_session(test, pool);
	KUNIT_ASSERT_TRUE(test, session_stat(pool, &cursor, &st));
	KUNIT_EXPECT_EQ(test, st.id, s[0]->id);
	KUNIT_ASSERT_TRUE(test, session_stat(pool, &cursor, &st));
	KUNIT_EXPECT_EQ(test, st.id, s[1]->id);
	obj_close(test, s[0]);
	obj_close(test, s[1]);
	obj_close(test, s[2]);
	s[0] = obj_session(test, pool);
	KUNIT_ASSERT_TRUE(test, session_stat(pool, &cursor, &st));
	KUNIT_EXPECT_EQ(test, st.id, s[3]->id);
	KUNIT_ASSERT_TRUE(test, session_stat(pool, &cursor, &st));
	KUNIT_EXPECT_EQ(test, st.id, s[4]->id);
	KUNIT_ASSERT_TRUE(test, session_stat(pool, &cursor, &st));
	KUNIT_EXPECT_EQ(test, st.id, s[0]->id);
	KUNIT_EXPECT_FALSE(test, session_stat(pool, &cursor, &st));
}

/* ----------------------------------------------------------------- channels */

static void a_new_channel(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct zcb_channel_config cfg = obj_config(pool);
	struct zcb_session *s = obj_session(test, pool);
	struct zcb_channel_stat st;
	struct zcb_port *port;
	u32 i;

	cfg.flags = ZCBUF_CHANNEL_F_HOLD_FAILED;
	cfg.stream.threshold = 5000;
	cfg.stream.max_outstanding = 77;
	port = obj_channel(test, s, &cfg, OBJ_PORTS);
	for (i = 0; i < 3; i++)
		obj_attach(test, obj_session(test, pool), port->handle,
			   ZCBUF_PORT_PRODUCE |
			   (i ? ZCBUF_PORT_RECV_FAILED : 0));
	st = obj_channel_stat(test, pool);
	KUNIT_EXPECT_EQ(test, st.handle, port->handle);
	KUNIT_EXPECT_EQ(test, st.pool, pool->handle);
	KUNIT_EXPECT_EQ(test, st.flags, ZCBUF_CHANNEL_F_HOLD_FAILED);
	KUNIT_EXPECT_EQ(test, st.threshold, 5000);
	KUNIT_EXPECT_EQ(test, st.block, zcb_stream_block(&cfg.stream));
	KUNIT_EXPECT_EQ(test, st.producers, 4);
	KUNIT_EXPECT_EQ(test, st.consumers, 1);
	KUNIT_EXPECT_EQ(test, st.failed_ports, 3);
	KUNIT_EXPECT_EQ(test, st.max_outstanding, 77);
	KUNIT_EXPECT_EQ(test, st.reservations + st.groups + st.offset, 0);
	KUNIT_EXPECT_EQ(test, st.outstanding + st.pending + st.queued, 0);
	KUNIT_EXPECT_EQ(test, st.parked + st.failed + st.delivered, 0);
	KUNIT_EXPECT_EQ(test, st.stragglers + st.bytes, 0);
	KUNIT_EXPECT_FALSE(test, st.finalized);
}

static void a_channel_in_use(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct zcb_channel_config cfg = obj_config(pool);
	struct zcb_session *s = obj_session(test, pool);
	struct zcb_stream_counts n;
	struct zcb_channel_stat st;
	struct zcb_port *port;
	u32 i, added;

	KUNIT_ASSERT_EQ(test, obj_open(s, 0, &cfg, OBJ_PORTS, 2, &port, &added),
			0);
	obj_keep_port(test, port);
	for (i = 0; i < 6; i++)
		obj_send(test, port, 10);
	obj_receive(test, port);
	obj_fail(test, port, 10);
	obj_reserve(test, port, 3 * PAGE_SIZE);
	st = obj_channel_stat(test, pool);
	KUNIT_EXPECT_EQ(test, st.reservations, 8);
	KUNIT_EXPECT_EQ(test, st.groups, 8);
	KUNIT_EXPECT_EQ(test, st.offset, 70 + 3 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, st.outstanding, 8);
	KUNIT_EXPECT_EQ(test, st.pending, 1);
	KUNIT_EXPECT_EQ(test, st.queued, 2);
	KUNIT_EXPECT_EQ(test, st.parked, 3);
	KUNIT_EXPECT_EQ(test, st.failed, 1);
	KUNIT_EXPECT_EQ(test, st.delivered, 1);
	KUNIT_EXPECT_EQ(test, st.stragglers, 0);
	KUNIT_EXPECT_EQ(test, st.bytes, 10 * PAGE_SIZE);
	zcb_channel_finalize(port, &n);
	st = obj_channel_stat(test, pool);
	KUNIT_EXPECT_EQ(test, st.pending, 0);
	KUNIT_EXPECT_EQ(test, st.failed, 2);
	KUNIT_EXPECT_EQ(test, st.stragglers, 1);
	KUNIT_EXPECT_TRUE(test, st.finalized);
}

static void channels_are_walked_while_they_go(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct zcb_channel_config cfg = obj_config(pool);
	struct zcb_session *s = obj_session(test, pool);
	struct zcb_port *port[4];
	struct zcb_channel_stat st;
	u32 i, cursor = 0;

	KUNIT_EXPECT_FALSE(test, zcb_pool_channel_stat(pool, &cursor, &st));
	cursor = 0;
	for (i = 0; i < 4; i++)
		port[i] = obj_channel(test, s, &cfg, ZCBUF_PORT_PRODUCE);
	KUNIT_ASSERT_TRUE(test, zcb_pool_channel_stat(pool, &cursor, &st));
	KUNIT_EXPECT_EQ(test, st.handle, port[0]->handle);
	zcb_channel_close(s, port[0]->handle, 0);
	zcb_channel_close(s, port[1]->handle, 0);
	KUNIT_ASSERT_TRUE(test, zcb_pool_channel_stat(pool, &cursor, &st));
	KUNIT_EXPECT_EQ(test, st.handle, port[2]->handle);
	KUNIT_ASSERT_TRUE(test, zcb_pool_channel_stat(pool, &cursor, &st));
	KUNIT_EXPECT_EQ(test, st.handle, port[3]->handle);
	KUNIT_EXPECT_FALSE(test, zcb_pool_channel_stat(pool, &cursor, &st));
}

static struct kunit_case stat_cases[] = {
	KUNIT_CASE(the_owner_has_the_owners_bits),
	KUNIT_CASE(the_group_has_the_groups_bits),
	KUNIT_CASE(others_have_what_is_left),
	KUNIT_CASE(the_privileged_have_all),
	KUNIT_CASE(an_empty_pool),
	KUNIT_CASE(a_pool_in_use),
	KUNIT_CASE(a_full_pool),
	KUNIT_CASE(classes),
	KUNIT_CASE(an_idle_session),
	KUNIT_CASE(what_a_session_has),
	KUNIT_CASE(objects_are_buffers),
	KUNIT_CASE(sessions_are_walked_while_they_go),
	KUNIT_CASE(a_new_channel),
	KUNIT_CASE(a_channel_in_use),
	KUNIT_CASE(channels_are_walked_while_they_go),
	{}
};

static struct kunit_suite stat_suite = {
	.name = "zcb_stat",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = stat_cases,
};

kunit_test_suite(stat_suite);

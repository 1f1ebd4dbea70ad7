// SPDX-License-Identifier: GPL-2.0-only
/*
 * What those who listen are told: each thing that happens, once, in order, with
 * who and what. What did not come to pass is not told.
 */
#include <linux/mm.h>

#include "../../kmod/obj/event.h"
#include "../../kmod/obj/quarantine.h"
#include "obj_topic.h"

#define HEARD	32

/* One event, as the listener has copied it. */
struct heard {
	u32 kind;
	u64 pool;
	u64 session;
	u64 channel;
	bool named;
	u32 role;
	u32 arena;
	u64 bytes;
	u64 age_ns;
	struct zcb_session_stat had;
};

static struct heard heard[HEARD];
static atomic_t nheard;
static u32 looked;		/* of these, a case has looked at so many */

static void listen(const struct zcb_event *e)
{
	u32 i = atomic_fetch_inc(&nheard);
	struct heard *h = &heard[min_t(u32, i, HEARD - 1)];

	*h = (struct heard){
		.kind = e->kind,
		.pool = e->pool->handle,
		.session = e->session ? e->session->id : 0,
		.channel = e->channel ? e->channel->handle : 0,
		.named = e->channel && e->channel->name,
		.role = e->role,
		.arena = e->arena,
		.bytes = e->bytes,
		.age_ns = e->age_ns,
	};
	if (e->had)
		h->had = *e->had;
}

static void stop_listening(void *unused)
{
	zcb_events_to(NULL);
}

/* From here on; the ends of pools of earlier cases are over. */
static void start_listening(struct kunit *test)
{
	obj_settle(test);
	atomic_set(&nheard, 0);
	looked = 0;
	zcb_events_to(listen);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, stop_listening,
							   NULL));
}

/* The next one, which is @kind. */
static const struct heard *hear(struct kunit *test, u32 kind)
{
	KUNIT_ASSERT_LT(test, looked, min(HEARD, atomic_read(&nheard)));
	KUNIT_ASSERT_EQ(test, heard[looked].kind, kind);
	return &heard[looked++];
}

static void hear_nothing(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, atomic_read(&nheard), looked);
}

static void hear_port(struct kunit *test, u32 kind, struct zcb_session *s,
		      u64 channel, u32 role)
{
	const struct heard *h = hear(test, kind);

	KUNIT_EXPECT_EQ(test, h->session, s->id);
	KUNIT_EXPECT_EQ(test, h->channel, channel);
	KUNIT_EXPECT_EQ(test, h->role, role);
}

static void hear_channel(struct kunit *test, u32 kind, u64 channel, bool named)
{
	const struct heard *h = hear(test, kind);

	KUNIT_EXPECT_EQ(test, h->channel, channel);
	KUNIT_EXPECT_EQ(test, h->named, named);
}

static void hear_pool(struct kunit *test, u32 kind, u64 pool, u64 bytes)
{
	const struct heard *h = hear(test, kind);

	KUNIT_EXPECT_EQ(test, h->pool, pool);
	KUNIT_EXPECT_EQ(test, h->bytes, bytes);
}

static void hear_arena(struct kunit *test, u32 kind, u32 arena)
{
	const struct heard *h = hear(test, kind);

	KUNIT_EXPECT_EQ(test, h->arena, arena);
	KUNIT_EXPECT_EQ(test, h->bytes, OBJ_ARENA);
}

/* -------------------------------------------------------------------- pools */

static void pools_come_and_go(struct kunit *test)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);
	struct zcb_pool *pool;
	u64 handle;

	strscpy(cfg->name, "told", sizeof(cfg->name));
	start_listening(test);
	pool = obj_make_pool(test, cfg);
	handle = pool->handle;
	hear_pool(test, ZCBUF_EVENT_POOL_CREATED, handle, OBJ_ARENA);
	zcb_pool_persist(pool);
	hear_nothing(test);
	KUNIT_EXPECT_EQ(test, zcb_pool_remove(pool), 0);
	hear_pool(test, ZCBUF_EVENT_POOL_REMOVED, handle, OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, zcb_pool_remove(pool), -ENOENT);
	hear_nothing(test);
	obj_drop_pool(test, pool);
	obj_settle(test);
	hear_pool(test, ZCBUF_EVENT_POOL_GONE, handle, OBJ_ARENA);
	hear_nothing(test);
}

static void a_pool_that_is_not_made_is_not_told(struct kunit *test)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);

	strscpy(cfg->name, "taken", sizeof(cfg->name));
	obj_make_pool(test, cfg);
	start_listening(test);
	KUNIT_EXPECT_PTR_EQ(test, zcb_pool_create(cfg, GLOBAL_ROOT_UID),
			    ERR_PTR(-EEXIST));
	hear_nothing(test);
}

static void arenas_come_and_go(struct kunit *test)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);
	struct zcb_pool *pool;
	u32 state;

	cfg->max_size = 2 * OBJ_ARENA;
	pool = obj_make_pool(test, cfg);
	start_listening(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, zcb_pool_grow(pool));
	hear_arena(test, ZCBUF_EVENT_ARENA_ADDED, 1);
	KUNIT_EXPECT_EQ(test, PTR_ERR(zcb_pool_grow(pool)), -E2BIG);
	hear_nothing(test);
	KUNIT_ASSERT_EQ(test, zcb_pool_retire(pool, NULL, 1, false,
					      ZCBUF_NO_DEADLINE, &state), 0);
	hear_arena(test, ZCBUF_EVENT_ARENA_GONE, 1);
	hear_nothing(test);
}

/* ----------------------------------------------------------------- channels */

static void ports_come_and_go(struct kunit *test)
{
	struct three t = of_pages(test);
	const struct zcb_channel_config cfg = topic_config(t.pool);
	u64 handle;

	start_listening(test);
	handle = obj_channel(test, t.a, &cfg, ZCBUF_PORT_PRODUCE)->handle;
	hear_channel(test, ZCBUF_EVENT_CHANNEL_APPEARED, handle, false);
	hear_port(test, ZCBUF_EVENT_PORT_OPENED, t.a, handle,
		  ZCBUF_PORT_PRODUCE);
	/* What it has already is nothing new. */
	obj_attach(test, t.a, handle, ZCBUF_PORT_PRODUCE);
	hear_nothing(test);
	obj_attach(test, t.a, handle, ZCBUF_PORT_PRODUCE | ZCBUF_PORT_CONSUME);
	hear_port(test, ZCBUF_EVENT_PORT_OPENED, t.a, handle,
		  ZCBUF_PORT_CONSUME);
	obj_attach(test, t.b, handle, ZCBUF_PORT_CONSUME);
	hear_port(test, ZCBUF_EVENT_PORT_OPENED, t.b, handle,
		  ZCBUF_PORT_CONSUME);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(t.a, handle,
						ZCBUF_PORT_PRODUCE), 0);
	hear_port(test, ZCBUF_EVENT_PORT_CLOSED, t.a, handle,
		  ZCBUF_PORT_PRODUCE);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(t.a, handle, 0), 0);
	hear_port(test, ZCBUF_EVENT_PORT_CLOSED, t.a, handle,
		  ZCBUF_PORT_CONSUME);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(t.b, handle, 0), 0);
	hear_port(test, ZCBUF_EVENT_PORT_CLOSED, t.b, handle,
		  ZCBUF_PORT_CONSUME);
	hear_channel(test, ZCBUF_EVENT_CHANNEL_GONE, handle, false);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(t.b, handle, 0), -ENOENT);
	hear_nothing(test);
}

static void names_are_told(struct kunit *test)
{
	static const struct zcbuf_channel_name name = {
		.service_len = 1, .instance_len = 1, .event_len = 1,
		.service = "s", .instance = "i", .event = "e",
	};
	struct three t = of_pages(test);
	const struct zcb_channel_config cfg = topic_config(t.pool);
	struct zcb_channel_wish w = {
		.name = &name, .cfg = &cfg, .any = true,
		.port.kinds = ZCBUF_PORT_PRODUCE,
	};
	struct zcb_port *port;
	u64 handle;
	u32 added;

	start_listening(test);
	KUNIT_ASSERT_EQ(test, zcb_channel_open(t.a, &w, &port, &added), 0);
	handle = port->handle;
	zcb_port_put(port);
	hear_channel(test, ZCBUF_EVENT_CHANNEL_APPEARED, handle, true);
	hear_port(test, ZCBUF_EVENT_PORT_OPENED, t.a, handle,
		  ZCBUF_PORT_PRODUCE);
	w.fresh = true;
	KUNIT_EXPECT_EQ(test, zcb_channel_open(t.b, &w, &port, &added),
			-EEXIST);
	hear_nothing(test);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(t.a, handle, 0), 0);
	hear(test, ZCBUF_EVENT_PORT_CLOSED);
	hear_channel(test, ZCBUF_EVENT_CHANNEL_GONE, handle, true);
	hear_nothing(test);
}

/* ----------------------------------------------------------------- sessions */

static void the_dead_are_told_with_what_they_had(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct zcb_session *a = obj_session(test, pool);
	struct zcb_session *b = obj_session(test, pool);
	struct zcb_channel_config cfg = obj_config(pool);
	struct zcb_port *port = obj_channel(test, a, &cfg, OBJ_PORTS);
	const struct heard *h;
	u64 id = a->id, handle = port->handle;

	obj_attach(test, b, handle, ZCBUF_PORT_CONSUME);
	obj_alloc(test, a, PAGE_SIZE);
	obj_alloc(test, a, 4 * PAGE_SIZE);
	obj_send(test, port, 100);
	obj_receive(test, port);
	obj_reserve(test, port, 10);
	obj_reserve(test, port, 20);
	obj_drop_port(test, port);
	start_listening(test);
	obj_close(test, a);
	h = hear(test, ZCBUF_EVENT_PORT_CLOSED);
	KUNIT_EXPECT_EQ(test, h->session, id);
	KUNIT_EXPECT_EQ(test, h->channel, handle);
	KUNIT_EXPECT_EQ(test, h->role, OBJ_PORTS);
	h = hear(test, ZCBUF_EVENT_SESSION_GONE);
	KUNIT_EXPECT_EQ(test, h->session, id);
	KUNIT_EXPECT_EQ(test, h->had.buffers, 2);
	KUNIT_EXPECT_EQ(test, h->had.bytes, 5 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, h->had.pending, 2);
	KUNIT_EXPECT_EQ(test, h->had.held, 1);
	hear_nothing(test);
	obj_close(test, b);
	hear(test, ZCBUF_EVENT_PORT_CLOSED);
	hear_channel(test, ZCBUF_EVENT_CHANNEL_GONE, handle, false);
	h = hear(test, ZCBUF_EVENT_SESSION_GONE);
	KUNIT_EXPECT_EQ(test, h->had.buffers, 0);
	hear_nothing(test);
}

static void who_was_attached_to_nothing_is_not_told(struct kunit *test)
{
	struct zcb_session *s = obj_open_session(test);

	start_listening(test);
	obj_close(test, s);
	hear_nothing(test);
}

static void quarantine_begins_and_ends(struct kunit *test)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);
	const struct heard *h;
	struct zcb_session *s;
	struct zcb_pool *pool;
	struct folio *folio;
	u64 id, handle;

	cfg->flags = ZCBUF_POOL_F_SMALL_PAGES;
	pool = obj_make_pool(test, cfg);
	s = obj_session(test, pool);
	id = s->id;
	handle = obj_alloc(test, s, 2 * PAGE_SIZE);
	folio = page_folio(zcb_pool_page(pool, zcbuf_buf_offset(handle) >>
					 PAGE_SHIFT));
	folio_get(folio);
	start_listening(test);
	obj_close(test, s);
	h = hear(test, ZCBUF_EVENT_SESSION_GONE);
	KUNIT_EXPECT_EQ(test, h->had.buffers, 1);
	h = hear(test, ZCBUF_EVENT_QUARANTINED);
	KUNIT_EXPECT_EQ(test, h->session, id);
	KUNIT_EXPECT_EQ(test, h->bytes, 2 * PAGE_SIZE);
	hear_nothing(test);
	folio_put(folio);
	zcb_quarantine_look(pool);
	flush_delayed_work(&pool->quarantine_work);
	h = hear(test, ZCBUF_EVENT_QUARANTINE_OVER);
	KUNIT_EXPECT_EQ(test, h->session, id);
	KUNIT_EXPECT_EQ(test, h->bytes, 0);
	KUNIT_EXPECT_GT(test, h->age_ns, 0);
	hear_nothing(test);
}

static struct kunit_case event_cases[] = {
	KUNIT_CASE(pools_come_and_go),
	KUNIT_CASE(a_pool_that_is_not_made_is_not_told),
	KUNIT_CASE(arenas_come_and_go),
	KUNIT_CASE(ports_come_and_go),
	KUNIT_CASE(names_are_told),
	KUNIT_CASE(the_dead_are_told_with_what_they_had),
	KUNIT_CASE(who_was_attached_to_nothing_is_not_told),
	KUNIT_CASE(quarantine_begins_and_ends),
	{}
};

static struct kunit_suite event_suite = {
	.name = "zcb_event",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = event_cases,
};

kunit_test_suite(event_suite);

// SPDX-License-Identifier: GPL-2.0-only
/* Channels that are found by name: who finds which, waits for it, or may not make it. */
#include "../../kmod/obj/quarantine.h"
#include "obj_topic.h"

static struct zcbuf_channel_name name_of(const char *domain, const char *service,
					 const char *instance, const char *event)
{
	struct zcbuf_channel_name n = {
		.domain_len = strlen(domain),
		.service_len = strlen(service),
		.instance_len = strlen(instance),
		.event_len = strlen(event),
	};

	memcpy(n.domain, domain, n.domain_len);
	memcpy(n.service, service, n.service_len);
	memcpy(n.instance, instance, n.instance_len);
	memcpy(n.event, event, n.event_len);
	return n;
}

/* What everybody means here, unless a case says otherwise. */
static struct zcb_channel_wish wish(const struct zcbuf_channel_name *name,
				    const struct zcb_channel_config *cfg,
				    u32 kinds)
{
	return (struct zcb_channel_wish){
		.name = name, .cfg = cfg, .any = true, .port.kinds = kinds,
	};
}

static int try_open(struct kunit *test, struct zcb_session *s,
		    const struct zcb_channel_wish *w, u64 *handle)
{
	struct zcb_port *port;
	u32 added;
	int err = zcb_channel_open(s, w, &port, &added);

	if (err)
		return err;
	*handle = port->handle;
	zcb_port_put(port);
	return 0;
}

static u64 open_name(struct kunit *test, struct zcb_session *s,
		     const struct zcb_channel_wish *w)
{
	u64 handle = 0;

	KUNIT_ASSERT_EQ(test, try_open(test, s, w, &handle), 0);
	return handle;
}

static void expect_error(struct kunit *test, struct zcb_session *s,
			 const struct zcb_channel_wish *w, int err)
{
	u32 channels = obj_pool_stat(test, s->pool)->channels;
	u64 charged = obj_total_charged(), handle = 0;

	KUNIT_EXPECT_EQ(test, try_open(test, s, w, &handle), err);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, s->pool)->channels, channels);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), charged);
}

static void made_once_and_found(struct kunit *test)
{
	struct three t = of_pages(test);
	const struct zcb_channel_config topic = topic_config(t.pool);
	const struct zcb_channel_config stream = obj_config(t.pool);
	const struct zcbuf_channel_name n = name_of("", "Radar", "Front", "Points");
	struct zcb_channel_wish w = wish(&n, &topic, ZCBUF_PORT_PRODUCE);
	u64 handle;

	w.existing = true;
	expect_error(test, t.a, &w, -ENOENT);
	w.existing = false;
	w.fresh = true;
	handle = open_name(test, t.a, &w);
	KUNIT_EXPECT_TRUE(test, obj_channel_stat(test, t.pool).named);
	expect_error(test, t.b, &w, -EEXIST);
	expect_error(test, t.a, &w, -EEXIST);
	w.fresh = false;
	KUNIT_EXPECT_EQ(test, open_name(test, t.b, &w), handle);
	w.existing = true;
	w.cfg = &stream;
	KUNIT_EXPECT_EQ(test, open_name(test, t.c, &w), handle);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, t.pool)->channels, 1);
}

static void as_it_was_made(struct kunit *test)
{
	struct three t = of_pages(test);
	const struct zcb_channel_config topic = topic_config(t.pool);
	const struct zcb_channel_config stream = obj_config(t.pool);
	struct zcb_channel_config other = topic;
	const struct zcbuf_channel_name a = name_of("", "s", "i", "topic");
	const struct zcbuf_channel_name b = name_of("", "s", "i", "stream");
	struct zcb_channel_wish w = wish(&a, &topic, ZCBUF_PORT_CONSUME);
	u64 handle = open_name(test, t.a, &w);

	w.any = false;
	KUNIT_EXPECT_EQ(test, open_name(test, t.b, &w), handle);
	other.stream.history = 3;
	w.cfg = &other;
	expect_error(test, t.c, &w, -EEXIST);
	/* A topic is wanted, and there is a stream. */
	w = wish(&b, &stream, ZCBUF_PORT_CONSUME);
	open_name(test, t.a, &w);
	w.cfg = &topic;
	expect_error(test, t.b, &w, -EEXIST);
	w.port.kinds = ZCBUF_PORT_PRODUCE;
	w.cfg = &stream;
	open_name(test, t.b, &w);
	/* What it is not, it has not. */
	w.port = (struct zcb_port_config){
		.kinds = ZCBUF_PORT_CONSUME, .lanes = 2,
	};
	expect_error(test, t.c, &w, -EINVAL);
	w.port.lanes = 0;
	w.port.policy = ZCBUF_POLICY_DROP_OLDEST;
	expect_error(test, t.c, &w, -EINVAL);
	w.port.policy = ZCBUF_POLICY_PARK;
	open_name(test, t.c, &w);
	w.name = &a;
	w.cfg = &topic;
	expect_error(test, t.c, &w, -EINVAL);
}

/* Byte by byte, up to the last one of the last label. */
static void each_byte_counts(struct kunit *test)
{
	struct three t = of_pages(test);
	const struct zcb_channel_config cfg = topic_config(t.pool);
	struct zcbuf_channel_name n, full;
	struct zcb_channel_wish w = wish(&n, &cfg, ZCBUF_PORT_PRODUCE);
	char *const labels[] = { n.domain, n.service, n.instance, n.event };
	u64 handle;
	u32 i;

	memset(&full, 'x', sizeof(full));
	full.__reserved = 0;
	full.domain_len = full.service_len = ZCBUF_MAX_LABEL;
	full.instance_len = full.event_len = ZCBUF_MAX_LABEL;
	n = full;
	handle = open_name(test, t.a, &w);
	for (i = 0; i < ARRAY_SIZE(labels); i++) {
		n = full;
		labels[i][ZCBUF_MAX_LABEL - 1] = 'y';
		KUNIT_EXPECT_NE(test, open_name(test, t.a, &w), handle);
		n = full;
		labels[i][0] = 'y';
		KUNIT_EXPECT_NE(test, open_name(test, t.a, &w), handle);
	}
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, t.pool)->channels, 9);
	n = full;
	KUNIT_EXPECT_EQ(test, open_name(test, t.b, &w), handle);
	/* Nor is one name another one cut elsewhere. */
	n = name_of("", "ab", "c", "d");
	handle = open_name(test, t.a, &w);
	n = name_of("", "a", "bc", "d");
	KUNIT_EXPECT_NE(test, open_name(test, t.a, &w), handle);
	n = name_of("ab", "ab", "c", "d");
	KUNIT_EXPECT_NE(test, open_name(test, t.a, &w), handle);
}

static void the_name_goes_with_the_channel(struct kunit *test)
{
	struct three t = of_pages(test);
	const struct zcb_channel_config cfg = topic_config(t.pool);
	const struct zcbuf_channel_name n = name_of("d", "s", "i", "e");
	struct zcb_channel_wish w = wish(&n, &cfg, ZCBUF_PORT_PRODUCE);
	u64 handle = open_name(test, t.a, &w), again;

	open_name(test, t.b, &w);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(t.a, handle, 0), 0);
	KUNIT_EXPECT_EQ(test, open_name(test, t.a, &w), handle);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(t.a, handle, 0), 0);
	obj_close(test, t.b);
	w.existing = true;
	expect_error(test, t.a, &w, -ENOENT);
	w.existing = false;
	again = open_name(test, t.a, &w);
	KUNIT_EXPECT_NE(test, again, handle);
}

/* A reader of the dead keeps the channel, but not its name. */
static void a_name_of_the_dead(struct kunit *test)
{
	struct zcb_pool_config *pool_cfg = obj_pool_config(test);
	const struct zcbuf_channel_name n = name_of("d", "s", "i", "e");
	struct zcb_channel_config cfg;
	struct zcb_channel_wish w;
	struct zcb_port *port;
	struct folio *folio;
	struct three t;
	u64 first, handle;
	u32 added;

	pool_cfg->flags = ZCBUF_POOL_F_SMALL_PAGES;
	t = attach(test, obj_make_pool(test, pool_cfg));
	cfg = topic_config(t.pool);
	w = wish(&n, &cfg, ZCBUF_PORT_PRODUCE | ZCBUF_PORT_CONSUME);
	KUNIT_ASSERT_EQ(test, zcb_channel_open(t.a, &w, &port, &added), 0);
	first = port->handle;
	handle = obj_alloc(test, t.a, PAGE_SIZE);
	folio = page_folio(zcb_pool_page(t.pool, zcbuf_buf_offset(handle) >>
					 PAGE_SHIFT));
	folio_get(folio);
	obj_publish(test, port, handle);
	obj_receive(test, port);
	zcb_port_put(port);
	obj_close(test, t.a);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, t.pool)->channels, 0);
	w.fresh = true;
	KUNIT_EXPECT_NE(test, open_name(test, t.b, &w), first);
	w.fresh = false;
	open_name(test, t.c, &w);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, t.pool)->channels, 1);
	folio_put(folio);
	zcb_quarantine_look(t.pool);
	flush_delayed_work(&t.pool->quarantine_work);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), 0);
}

/* Who waits for a name, and what came of it. */
struct waiting {
	struct obj_task task;
	struct kunit *test;
	struct zcb_session *s;
	struct zcb_channel_wish w;
	u64 handle;
};

static int call_open(struct obj_task *t)
{
	struct waiting *x = container_of(t, struct waiting, task);

	return try_open(x->test, x->s, &x->w, &x->handle);
}

static void waited_for(struct kunit *test)
{
	struct three t = of_pages(test);
	const struct zcb_channel_config cfg = topic_config(t.pool);
	const struct zcbuf_channel_name n = name_of("", "s", "i", "late");
	const struct zcbuf_channel_name other = name_of("", "s", "i", "other");
	struct zcb_channel_wish w = wish(&other, &cfg, ZCBUF_PORT_PRODUCE);
	struct waiting x = {
		.task.call = call_open, .test = test, .s = t.b,
		.w = wish(&n, &cfg, ZCBUF_PORT_CONSUME),
	};
	u64 handle;

	x.w.existing = true;
	x.w.deadline_ns = ZCBUF_NO_DEADLINE;
	obj_start(test, &x.task, &t.pool->space_wq);
	open_name(test, t.a, &w);
	KUNIT_EXPECT_FALSE(test, completion_done(&x.task.done));
	w.name = &n;
	handle = open_name(test, t.a, &w);
	KUNIT_EXPECT_EQ(test, obj_join(&x.task), 0);
	KUNIT_EXPECT_EQ(test, x.handle, handle);
	x.w.name = &other;
	x.w.deadline_ns = 1;
	KUNIT_EXPECT_EQ(test, call_open(&x.task), 0);
	zcb_channel_close(t.a, x.handle, 0);
	zcb_channel_close(t.b, x.handle, 0);
	KUNIT_EXPECT_EQ(test, call_open(&x.task), -ETIMEDOUT);
}

static struct kunit_case name_cases[] = {
	KUNIT_CASE(made_once_and_found),
	KUNIT_CASE(as_it_was_made),
	KUNIT_CASE(each_byte_counts),
	KUNIT_CASE(the_name_goes_with_the_channel),
	KUNIT_CASE(a_name_of_the_dead),
	KUNIT_CASE(waited_for),
	{}
};

static struct kunit_suite name_suite = {
	.name = "zcb_name",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = name_cases,
};

kunit_test_suite(name_suite);

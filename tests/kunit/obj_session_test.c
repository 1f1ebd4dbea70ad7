// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions: who gets to attach, what goes back when one is closed, and waiting
 * for what happens to it.
 */
#include <linux/ktime.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>

#include "obj_rig.h"

static void is_attached_to_nothing(struct kunit *test)
{
	struct zcb_session *s = zcb_session_open(ZCBUF_RIGHT_MAP_READ);

	KUNIT_ASSERT_NOT_NULL(test, s);
	KUNIT_EXPECT_NULL(test, zcb_session_pool(s));
	KUNIT_EXPECT_EQ(test, s->file_rights, ZCBUF_RIGHT_MAP_READ);
	KUNIT_EXPECT_EQ(test, s->rights, 0);
	KUNIT_EXPECT_EQ(test, s->hold.blocks.count + s->hold.leases.count, 0);
	KUNIT_EXPECT_TRUE(test, xa_empty(&s->ports));
	zcb_session_close(s);
}

static void knows_who_opened_it(struct kunit *test)
{
	struct zcb_session *s;
	struct obj_user u;
	u64 now;

	obj_become(test, &u, 4001);
	s = obj_open_session(test);
	obj_return(&u);
	now = ktime_get_ns();
	KUNIT_EXPECT_EQ(test, __kuid_val(s->uid), 4001);
	KUNIT_EXPECT_PTR_EQ(test, s->pid, task_tgid(current));
	KUNIT_EXPECT_STREQ(test, s->comm, current->comm);
	KUNIT_EXPECT_GT(test, s->opened_ns, 0);
	KUNIT_EXPECT_LE(test, s->opened_ns, now);
}

static void keeps_its_openers_number_while_it_is_open(struct kunit *test)
{
	struct pid *pid = task_tgid(current);
	u32 before = refcount_read(&pid->count);
	struct zcb_session *s = obj_open_session(test);

	KUNIT_EXPECT_EQ(test, refcount_read(&pid->count), before + 1);
	obj_close(test, s);
	KUNIT_EXPECT_EQ(test, refcount_read(&pid->count), before);
}

static void ids_are_given_once(struct kunit *test)
{
	u64 a = obj_open_session(test)->id, b;
	struct zcb_session *s = obj_open_session(test);

	KUNIT_EXPECT_EQ(test, s->id, a + 1);
	b = s->id;
	obj_close(test, s);
	KUNIT_EXPECT_EQ(test, obj_open_session(test)->id, b + 1);
}

static void is_claimed_once(struct kunit *test)
{
	struct zcb_session *s = obj_open_session(test);

	KUNIT_EXPECT_EQ(test, zcb_session_claim(s), 0);
	KUNIT_EXPECT_EQ(test, zcb_session_claim(s), -EBUSY);
	KUNIT_EXPECT_NULL(test, zcb_session_pool(s));
	zcb_session_unclaim(s);
	KUNIT_EXPECT_EQ(test, zcb_session_claim(s), 0);
	KUNIT_EXPECT_EQ(test, zcb_session_claim(s), -EBUSY);
}

static void is_attached_for_life(struct kunit *test)
{
	struct zcb_session *s = obj_session(test, obj_pool(test));

	KUNIT_EXPECT_EQ(test, zcb_session_claim(s), -EBUSY);
	KUNIT_EXPECT_NOT_NULL(test, zcb_session_pool(s));
}

/**
 * struct race - tasks that claim one session
 * @s: the session
 * @wq: where they wait
 * @go: it begins when everybody is there
 * @won: how many got it
 */
struct race {
	struct zcb_session *s;
	struct wait_queue_head wq;
	atomic_t go;
	atomic_t won;
};

static int run_race(struct obj_task *t)
{
	struct race *r = t->arg;
	int err;

	wait_event(r->wq, atomic_read(&r->go));
	err = zcb_session_claim(r->s);
	if (!err)
		atomic_inc(&r->won);
	return err;
}

static void one_of_many_claims_wins(struct kunit *test)
{
	struct race race = { .s = obj_open_session(test) };
	struct obj_task *t = kunit_kcalloc(test, 8, sizeof(*t), GFP_KERNEL);
	u32 i, losers = 0;

	KUNIT_ASSERT_NOT_NULL(test, t);
	init_waitqueue_head(&race.wq);
	for (i = 0; i < 8; i++) {
		t[i].call = run_race;
		t[i].arg = &race;
		obj_start(test, &t[i], &race.wq);
	}
	atomic_set(&race.go, 1);
	wake_up_all(&race.wq);
	for (i = 0; i < 8; i++)
		losers += obj_join(&t[i]) == -EBUSY;
	KUNIT_EXPECT_EQ(test, atomic_read(&race.won), 1);
	KUNIT_EXPECT_EQ(test, losers, 7);
}

static void joining_takes_the_callers_reference(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct zcb_session *s = obj_open_session(test);

	KUNIT_EXPECT_EQ(test, zcb_session_claim(s), 0);
	KUNIT_EXPECT_EQ(test, zcb_session_join(s, zcb_pool_get(pool),
					       ZCBUF_RIGHT_MAP_READ), 0);
	KUNIT_EXPECT_EQ(test, kref_read(&pool->ref), 2);
	KUNIT_EXPECT_PTR_EQ(test, zcb_session_pool(s), pool);
	KUNIT_EXPECT_EQ(test, s->rights, ZCBUF_RIGHT_MAP_READ);
	KUNIT_EXPECT_EQ(test, pool->nsessions, 1);
	KUNIT_EXPECT_PTR_EQ(test, pool->sessions.next, &s->in_pool);
	obj_close(test, s);
	KUNIT_EXPECT_EQ(test, kref_read(&pool->ref), 1);
	KUNIT_EXPECT_EQ(test, pool->nsessions, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&pool->sessions));
}

static void sessions_have_domains_of_their_own(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct zcb_session *a = obj_session(test, pool);
	struct zcb_session *b = obj_session(test, pool);

	KUNIT_EXPECT_NE(test, a->domain, 0);
	KUNIT_EXPECT_LT(test, a->domain, b->domain);
}

static void a_pool_has_so_many_sessions(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct zcb_session *s = obj_open_session(test);

	pool->nsessions = ZCB_POOL_MAX_SESSIONS;
	KUNIT_EXPECT_EQ(test, zcb_session_claim(s), 0);
	KUNIT_EXPECT_EQ(test, zcb_session_join(s, pool, ZCBUF_RIGHTS_ALL),
			-EMFILE);
	KUNIT_EXPECT_EQ(test, pool->nsessions, ZCB_POOL_MAX_SESSIONS);
	KUNIT_EXPECT_NULL(test, zcb_session_pool(s));
	KUNIT_EXPECT_TRUE(test, list_empty(&pool->sessions));
	KUNIT_EXPECT_EQ(test, kref_read(&pool->ref), 1);
	pool->nsessions = ZCB_POOL_MAX_SESSIONS - 1;
	KUNIT_EXPECT_EQ(test, zcb_session_join(s, zcb_pool_get(pool),
					       ZCBUF_RIGHTS_ALL), 0);
	pool->nsessions = 1;
}

static void closing_gives_buffers_back(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct zcb_session *s = obj_session(test, pool);
	struct zcb_session *other = obj_session(test, pool);
	u32 i;

	for (i = 0; i < 5; i++)
		obj_alloc(test, s, PAGE_SIZE << i);
	obj_alloc(test, other, 3 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, obj_used(test, pool), 35 * PAGE_SIZE);
	obj_close(test, s);
	KUNIT_EXPECT_EQ(test, obj_used(test, pool), 4 * PAGE_SIZE);
	obj_close(test, other);
	KUNIT_EXPECT_EQ(test, obj_used(test, pool), 0);
}

static void closing_gives_ports_back(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct zcb_session *s = obj_session(test, pool);
	struct zcb_channel_config cfg = obj_config(pool);
	u64 handle[3];
	void *object;
	u32 i;

	for (i = 0; i < 3; i++) {
		struct zcb_port *port = obj_channel(test, s, &cfg, OBJ_PORTS);

		obj_send(test, port, 100);
		obj_reserve(test, port, 100);
		handle[i] = port->handle;
		obj_drop_port(test, port);
	}
	KUNIT_EXPECT_EQ(test, pool->channels.live, 3);
	obj_close(test, s);
	KUNIT_EXPECT_EQ(test, pool->channels.live, 0);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_NE(test, zcb_handle_lookup(&pool->channels,
							handle[i], &object), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, pool), 0);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), OBJ_ARENA);
}

/* Whoever waits for memory may have it now. */
static void closing_announces_space(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct zcb_session *s = obj_session(test, pool);
	int seen;

	obj_alloc(test, s, OBJ_ARENA);
	seen = atomic_read(&pool->space_seq);
	obj_close(test, s);
	KUNIT_EXPECT_NE(test, atomic_read(&pool->space_seq), seen);
}

static void the_last_session_takes_the_pool_with_it(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct zcb_session *a = obj_session(test, pool);
	struct zcb_session *b = obj_session(test, pool);

	obj_drop_pool(test, pool);
	obj_close(test, a);
	obj_settle(test);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), OBJ_ARENA);
	obj_close(test, b);
	obj_settle(test);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), 0);
}

/* ------------------------------------------------------------------ waiting */

static int wait(struct zcb_session *s, int seen, u64 deadline_ns)
{
	return zcb_wait(s, &s->wq, &s->event_seq, seen, deadline_ns);
}

static void events_are_counted(struct kunit *test)
{
	struct zcb_session *s = obj_open_session(test);

	zcb_session_event(s, EPOLLIN);
	zcb_session_event(s, EPOLLIN);
	KUNIT_EXPECT_EQ(test, atomic_read(&s->event_seq), 2);
}

static void a_deadline_of_0_never_waits(struct kunit *test)
{
	struct zcb_session *s = obj_open_session(test);

	KUNIT_EXPECT_EQ(test, wait(s, 0, 0), -EAGAIN);
	zcb_session_event(s, EPOLLIN);
	KUNIT_EXPECT_EQ(test, wait(s, 0, 0), -EAGAIN);
}

static void a_deadline_that_has_passed(struct kunit *test)
{
	struct zcb_session *s = obj_open_session(test);

	KUNIT_EXPECT_EQ(test, wait(s, 0, 1), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, wait(s, 0, ktime_get_ns()), -ETIMEDOUT);
}

static void a_deadline_that_passes(struct kunit *test)
{
	struct zcb_session *s = obj_open_session(test);
	u64 deadline = ktime_get_ns() + 1000000;

	KUNIT_EXPECT_EQ(test, wait(s, 0, deadline), -ETIMEDOUT);
	KUNIT_EXPECT_GE(test, ktime_get_ns(), deadline);
}

/* Between looking and waiting. */
static void what_happened_meanwhile_is_not_missed(struct kunit *test)
{
	struct zcb_session *s = obj_open_session(test);

	zcb_session_event(s, EPOLLIN);
	KUNIT_EXPECT_EQ(test, wait(s, 0, ZCBUF_NO_DEADLINE), 0);
	KUNIT_EXPECT_EQ(test, wait(s, 0, KTIME_MAX), 0);
	KUNIT_EXPECT_EQ(test, wait(s, 0, KTIME_MAX - 1), 0);
}

static int wait_for_event(struct obj_task *t)
{
	return wait(t->arg, 0, ZCBUF_NO_DEADLINE);
}

static void an_event_wakes(struct kunit *test)
{
	struct zcb_session *s = obj_open_session(test);
	struct obj_task t = { .call = wait_for_event, .arg = s };

	obj_start(test, &t, &s->wq);
	zcb_session_event(s, EPOLLIN);
	KUNIT_EXPECT_EQ(test, obj_join(&t), 0);
}

static void a_signal_interrupts(struct kunit *test)
{
	struct zcb_session *s = obj_open_session(test);
	int err;

	sigaddset(&current->pending.signal, SIGUSR1);
	set_thread_flag(TIF_SIGPENDING);
	err = wait(s, 0, ZCBUF_NO_DEADLINE);
	flush_signals(current);
	KUNIT_EXPECT_EQ(test, err, -ERESTARTSYS);
}

static struct kunit_case session_cases[] = {
	KUNIT_CASE(is_attached_to_nothing),
	KUNIT_CASE(knows_who_opened_it),
	KUNIT_CASE(keeps_its_openers_number_while_it_is_open),
	KUNIT_CASE(ids_are_given_once),
	KUNIT_CASE(is_claimed_once),
	KUNIT_CASE(is_attached_for_life),
	KUNIT_CASE(one_of_many_claims_wins),
	KUNIT_CASE(joining_takes_the_callers_reference),
	KUNIT_CASE(sessions_have_domains_of_their_own),
	KUNIT_CASE(a_pool_has_so_many_sessions),
	KUNIT_CASE(closing_gives_buffers_back),
	KUNIT_CASE(closing_gives_ports_back),
	KUNIT_CASE(closing_announces_space),
	KUNIT_CASE(the_last_session_takes_the_pool_with_it),
	KUNIT_CASE(events_are_counted),
	KUNIT_CASE(a_deadline_of_0_never_waits),
	KUNIT_CASE(a_deadline_that_has_passed),
	KUNIT_CASE(a_deadline_that_passes),
	KUNIT_CASE(what_happened_meanwhile_is_not_missed),
	KUNIT_CASE(an_event_wakes),
	KUNIT_CASE(a_signal_interrupts),
	{}
};

static struct kunit_suite session_suite = {
	.name = "zcb_session",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = session_cases,
};

kunit_test_suite(session_suite);

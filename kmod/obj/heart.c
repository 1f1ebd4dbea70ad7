// SPDX-License-Identifier: GPL-2.0-only
/*
 * Heartbeats. A session that asks for it has a page with a word in it, which it
 * changes by plain stores; nobody is told. One work item looks at the words of all of
 * them, as long as there are any. It compares each with what it saw the last time, and
 * believes nothing else of it.
 *
 * Looks are counted, not time: when the machine stood still, or this work was late,
 * nobody could store anything either, and that is one miss at most.
 *
 * hearts_lock guards all of it. It is taken by calls and when a session ends, with no
 * other lock held, and nobody allocates with it: all the machine's heartbeats would
 * wait for that.
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "../face/trace.h"
#include "account.h"
#include "event.h"
#include "evict.h"
#include "heart.h"
#include "stat.h"

#define ZCB_HEARTS_SLACK	4	/* part of the shortest period */
#define ZCB_HEARTS_BATCH	64

static void hearts_work(struct work_struct *work);

static_assert(!offsetof(struct zcb_heart, shown));

static DEFINE_MUTEX(hearts_lock);
static struct timerqueue_head hearts = { RB_ROOT_CACHED };
static struct timerqueue_head hearts_paces = { RB_ROOT_CACHED };
static DECLARE_DELAYED_WORK(hearts_look, hearts_work);

/* The session's, or NULL; once it is there it stays. */
static struct zcb_heart *heart_of(const struct zcb_session *s)
{
	/* Pairs with the release in heart_begin(). */
	return smp_load_acquire(&s->heart);
}

/* zcb_heart_put() - drop a reference; @h may be NULL; may sleep */
void zcb_heart_put(struct zcb_heart *h)
{
	zcb_shown_put(h ? &h->shown : NULL);
}

/* -ENOMEM also of a limit. */
static struct zcb_heart *heart_make(struct zcb_session *s)
{
	struct zcb_payer payer = zcb_account_payer(s->uid);
	struct zcb_heart *h = kzalloc(sizeof(*h), GFP_KERNEL_ACCOUNT);

	if (!h)
		return NULL;
	if (zcb_shown_make(&h->shown, &payer, 0, PAGE_SIZE)) {
		kfree(h);
		return NULL;
	}
	h->session = s;
	h->page = h->shown.mem;
	timerqueue_init(&h->due);
	timerqueue_init(&h->pace);
	init_completion(&h->evicted);
	return h;
}

/* ------------------------------------------------------------------- looks */

static void heart_add_locked(struct zcb_heart *h, u64 now)
{
	lockdep_assert_held(&hearts_lock);
	h->due.expires = now + h->period_ns;
	h->pace.expires = h->period_ns;
	timerqueue_add(&hearts, &h->due);
	timerqueue_add(&hearts_paces, &h->pace);
}

static void heart_del_locked(struct zcb_heart *h)
{
	lockdep_assert_held(&hearts_lock);
	if (!timerqueue_node_queued(&h->due))
		return;
	timerqueue_del(&hearts, &h->due);
	timerqueue_del(&hearts_paces, &h->pace);
}

/* Those that are due at about the same time are looked at together. 0: none is. */
static u64 hearts_next_locked(u64 now)
{
	struct timerqueue_node *due = timerqueue_getnext(&hearts);
	struct timerqueue_node *pace = timerqueue_getnext(&hearts_paces);

	lockdep_assert_held(&hearts_lock);
	if (!due)
		return 0;
	return max_t(u64, due->expires,
		     now + (u64)pace->expires / ZCB_HEARTS_SLACK);
}

static void hearts_arm_locked(u64 now)
{
	u64 next = hearts_next_locked(now);

	lockdep_assert_held(&hearts_lock);
	if (next)
		mod_delayed_work(system_unbound_wq, &hearts_look,
				 nsecs_to_jiffies(next - now) + 1);
}

/* The last one takes the work with it, unless it is at it right now. */
static void heart_forget_locked(struct zcb_heart *h)
{
	lockdep_assert_held(&hearts_lock);
	heart_del_locked(h);
	if (!timerqueue_getnext(&hearts))
		cancel_delayed_work(&hearts_look);
}

static void heart_hung_locked(struct zcb_heart *h, u64 now)
{
	struct zcb_session *s = h->session;

	lockdep_assert_held(&hearts_lock);
	WRITE_ONCE(h->stops, h->stops + 1);
	trace_zcbuf_heartbeat(s->pool->handle, s->id, now - h->seen_ns,
			      h->policy);
	zcb_event_tell(&(struct zcb_event){
		.kind = ZCBUF_EVENT_SESSION_HUNG, .pool = s->pool,
		.session = s, .age_ns = now - h->seen_ns,
	});
	if (h->policy != ZCBUF_HEARTBEAT_EVICT)
		return;
	heart_forget_locked(h);
	zcb_evict_begin(s);
}

static void heart_look_locked(struct zcb_heart *h, u64 now)
{
	u64 beats = READ_ONCE(h->page->beats);

	lockdep_assert_held(&hearts_lock);
	heart_del_locked(h);
	heart_add_locked(h, now);
	if (beats != h->last) {
		h->last = beats;
		WRITE_ONCE(h->seen_ns, now);
		WRITE_ONCE(h->missed, 0);
	} else if (h->missed < h->misses) {
		WRITE_ONCE(h->missed, h->missed + 1);
		if (h->missed == h->misses)
			heart_hung_locked(h, now);
	}
}

static struct zcb_heart *hearts_due_locked(u64 now)
{
	struct timerqueue_node *due = timerqueue_getnext(&hearts);

	lockdep_assert_held(&hearts_lock);
	if (!due || now < (u64)due->expires)
		return NULL;
	return container_of(due, struct zcb_heart, due);
}

/* So many, that others who want the lock need not wait for all. Are there more? */
static bool hearts_look_locked(u64 now)
{
	struct zcb_heart *h;
	u32 i;

	lockdep_assert_held(&hearts_lock);
	for (i = 0; i < ZCB_HEARTS_BATCH; i++) {
		h = hearts_due_locked(now);
		if (!h)
			return false;
		heart_look_locked(h, now);
	}
	return true;
}

/**
 * zcb_hearts_scan - look at all that are due
 * @now: what time it is
 *
 * What this costs goes by how many are due, not by how many there are.
 *
 * Context: may sleep.
 * Return: when to look again, 0: there are none.
 */
u64 zcb_hearts_scan(u64 now)
{
	for (;;) {
		scoped_guard(mutex, &hearts_lock)
			if (!hearts_look_locked(now))
				return hearts_next_locked(now);
		cond_resched();
	}
}

/* Who has come since then has seen to himself. */
static void hearts_work(struct work_struct *work)
{
	zcb_hearts_scan(ktime_get_ns());
	guard(mutex)(&hearts_lock);
	hearts_arm_locked(ktime_get_ns());
}

/* zcb_hearts_exit() - after the last session */
void zcb_hearts_exit(void)
{
	cancel_delayed_work_sync(&hearts_look);
}

/* ------------------------------------------------------------- the session's */

/**
 * zcb_heart_set - from now on, and as if it had just been seen
 * @s: the session, attached, for whose heartbeat there was a file; a call of it is
 *	running
 * @period_ns: from one look to the next, in bounds
 * @misses: how many it may miss until it is hung, in bounds
 * @policy: what happens then, ZCBUF_HEARTBEAT_*, not NONE
 *
 * Context: may sleep.
 * Return: 0, -ESTALE.
 */
int zcb_heart_set(struct zcb_session *s, u64 period_ns, u32 misses, u32 policy)
{
	struct zcb_heart *h = heart_of(s);
	u64 now = ktime_get_ns();

	guard(mutex)(&hearts_lock);
	if (zcb_session_evicted(s))
		return -ESTALE;
	h->last = READ_ONCE(h->page->beats);
	WRITE_ONCE(h->seen_ns, now);
	WRITE_ONCE(h->missed, 0);
	WRITE_ONCE(h->misses, misses);
	WRITE_ONCE(h->policy, policy);
	heart_del_locked(h);
	h->period_ns = period_ns;
	heart_add_locked(h, now);
	hearts_arm_locked(now);
	return 0;
}

/**
 * zcb_heart_stop - it is looked at no more
 * @s: the session, attached; a call of it is running
 *
 * Context: may sleep.
 * Return: 0, also if it never was; -ESTALE.
 */
int zcb_heart_stop(struct zcb_session *s)
{
	struct zcb_heart *h = heart_of(s);

	guard(mutex)(&hearts_lock);
	if (zcb_session_evicted(s))
		return -ESTALE;
	if (h) {
		heart_forget_locked(h);
		WRITE_ONCE(h->policy, ZCBUF_HEARTBEAT_NONE);
	}
	return 0;
}

/**
 * zcb_heart_end - the session's file is gone
 * @s: the session; it has a heartbeat, or had one
 *
 * Context: may sleep; waits for an eviction that goes on.
 * Return: whether it has been evicted.
 */
bool zcb_heart_end(struct zcb_session *s)
{
	struct zcb_heart *h = s->heart;

	scoped_guard(mutex, &hearts_lock)
		heart_forget_locked(h);
	if (!zcb_session_evicted(s))
		return false;
	wait_for_completion(&h->evicted);
	return true;
}

/**
 * zcb_heart_stat - does it live
 * @s: a session
 * @st: filled
 *
 * Context: any.
 */
void zcb_heart_stat(const struct zcb_session *s, struct zcb_heart_stat *st)
{
	const struct zcb_heart *h = heart_of(s);

	memset(st, 0, sizeof(*st));
	if (!h)
		return;
	st->stops = READ_ONCE(h->stops);
	st->beats = READ_ONCE(h->policy) != ZCBUF_HEARTBEAT_NONE;
	if (!st->beats)
		return;
	st->hung = READ_ONCE(h->missed) >= READ_ONCE(h->misses);
	st->age_ns = ktime_get_ns() - READ_ONCE(h->seen_ns);
}

/* ----------------------------------------------------------------- its page */

static struct file *heart_file(struct zcb_heart *h)
{
	return zcb_shown_file(&h->shown, "[zcbuf-heartbeat]");
}

/* Whoever is first: what others have made meanwhile is dropped. */
static struct file *heart_begin(struct zcb_session *s)
{
	struct zcb_heart *h = heart_make(s);
	struct file *file;

	if (!h)
		return ERR_PTR(-ENOMEM);
	file = heart_file(h);
	/* Pairs with heart_of(). */
	if (!IS_ERR(file) && !cmpxchg_release(&s->heart, NULL, h))
		return file;
	zcb_heart_put(h);
	if (IS_ERR(file))
		return file;
	fput(file);
	return heart_file(heart_of(s));
}

/**
 * zcb_heart_file - what the word of a session is mapped by
 * @s: the session, attached; a call of it is running
 *
 * It has a heartbeat then, which is not looked at yet if it had none.
 *
 * Context: may sleep.
 * Return: the file, with a reference to the heartbeat, or an error pointer.
 */
struct file *zcb_heart_file(struct zcb_session *s)
{
	struct zcb_heart *h = heart_of(s);

	return h ? heart_file(h) : heart_begin(s);
}

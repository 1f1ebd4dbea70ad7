// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quarantine. A session that is gone gives everything back at once, unless rings
 * of it still exist or something pins the pages: then it stays here, without a
 * file, and with what may still be written or read, until that is over. Its
 * memory keeps its records and counts as used. An export that has ended does so
 * with the one buffer it held.
 *
 * Looking costs little and is done when a token goes and, for what has no token,
 * again and again. One work item of the pool does it, so nobody else takes
 * anything off the list.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/workqueue.h>

#include "../face/trace.h"
#include "channel.h"
#include "event.h"
#include "export.h"
#include "quarantine.h"
#include "session.h"

#define ZCB_QUARANTINE_MIN	msecs_to_jiffies(2)
#define ZCB_QUARANTINE_MAX	msecs_to_jiffies(250)
#define ZCB_QUARANTINE_REST	20	/* times what looking took */

static u64 quarantine_bytes_locked(struct zcb_pool *pool,
				   const struct zcb_remains *r)
{
	u64 bytes = r->session ? zcb_channels_kept_locked(r->session) : 0;

	lockdep_assert_held(&pool->lock);
	spin_lock(&pool->mem_lock);
	bytes += zcb_holdings_kept(r->session ? &r->session->hold :
						&r->export->hold);
	spin_unlock(&pool->mem_lock);
	return bytes;
}

/* @bytes of what is there; 0: nothing any more */
static void quarantine_tell(struct zcb_pool *pool, struct zcb_session *s,
			    u32 kind, u64 bytes, u64 age_ns)
{
	trace_zcbuf_quarantine(pool->handle, s->id, bytes, age_ns);
	zcb_event_tell(&(struct zcb_event){
		.kind = kind, .pool = pool, .session = s, .bytes = bytes,
		.age_ns = age_ns,
	});
}

/**
 * zcb_quarantine_drain - give back what nothing pins
 * @s: a session that is gone
 *
 * Context: may sleep; no lock is held, nobody else does it.
 * Return: whether that was all.
 */
bool zcb_quarantine_drain(struct zcb_session *s)
{
	bool all;

	/* Pairs with the ordered decrement of the last token. */
	if (atomic_read_acquire(&s->tokens))
		return false;
	all = zcb_channels_drain(s);
	return zcb_memory_reclaim(s->pool, &s->hold) && all;
}

/* Not at once if looking has cost much: it rests in proportion. */
static void quarantine_look(struct zcb_pool *pool, unsigned long delay)
{
	WRITE_ONCE(pool->quarantine_delay, 0);
	mod_delayed_work(system_unbound_wq, &pool->quarantine_work,
			 max(delay, READ_ONCE(pool->quarantine_rest)));
}

/**
 * zcb_quarantine_add_locked - what was not all
 * @pool: the pool; its lock is held
 * @r: of the session or export, on no list
 *
 * Context: may sleep. It may be freed once the lock is let go.
 */
void zcb_quarantine_add_locked(struct zcb_pool *pool, struct zcb_remains *r)
{
	lockdep_assert_held(&pool->lock);
	r->died_ns = ktime_get_ns();
	list_add_tail(&r->in_pool, &pool->quarantine);
	pool->nquarantine += !!r->session;
	if (r->session)
		quarantine_tell(pool, r->session, ZCBUF_EVENT_QUARANTINED,
				quarantine_bytes_locked(pool, r), 0);
	/* It was looked at just now. A token may have gone since then. */
	quarantine_look(pool, ZCB_QUARANTINE_MIN);
}

/**
 * zcb_quarantine_look - something has changed, look soon
 * @pool: the pool
 *
 * Context: any.
 */
void zcb_quarantine_look(struct zcb_pool *pool)
{
	quarantine_look(pool, 0);
}

static struct zcb_remains *quarantine_next(struct zcb_pool *pool,
					   struct zcb_remains *r, bool drained)
{
	struct zcb_remains *next;

	guard(mutex)(&pool->lock);
	if (!r)
		return list_first_entry_or_null(&pool->quarantine,
						struct zcb_remains, in_pool);
	next = list_is_last(&r->in_pool, &pool->quarantine) ?
	       NULL : list_next_entry(r, in_pool);
	if (drained) {
		list_del(&r->in_pool);
		pool->nquarantine -= !!r->session;
	}
	return next;
}

static bool quarantine_drain(struct zcb_remains *r)
{
	if (r->session)
		return zcb_quarantine_drain(r->session);
	return zcb_memory_reclaim(r->export->pool, &r->export->hold);
}

static void quarantine_free(struct zcb_pool *pool, struct zcb_remains *r)
{
	if (!r->session) {
		zcb_export_free(r->export);
		return;
	}
	quarantine_tell(pool, r->session, ZCBUF_EVENT_QUARANTINE_OVER, 0,
			ktime_get_ns() - r->died_ns);
	zcb_session_put(r->session);
}

/* The last of its tokens will say when to look again, if it has any. */
static bool quarantine_silent(const struct zcb_remains *r)
{
	return !r->session || !atomic_read(&r->session->tokens);
}

/*
 * The session or export that drains may hold the last reference to the pool, whose
 * end then waits for this to return.
 */
static void quarantine_work(struct work_struct *work)
{
	struct zcb_pool *pool = container_of(to_delayed_work(work),
					     struct zcb_pool, quarantine_work);
	unsigned long delay = READ_ONCE(pool->quarantine_delay);
	struct zcb_remains *next, *r = quarantine_next(pool, NULL, false);
	ktime_t began = ktime_get();
	bool drained, left = false;
	unsigned long rest;

	for (; r; r = next) {
		drained = quarantine_drain(r);
		left |= !drained && quarantine_silent(r);
		next = quarantine_next(pool, r, drained);
		if (drained)
			quarantine_free(pool, r);
	}
	rest = ZCB_QUARANTINE_REST *
	       nsecs_to_jiffies(ktime_to_ns(ktime_sub(ktime_get(), began)));
	WRITE_ONCE(pool->quarantine_rest, rest);
	if (!left)
		return;
	delay = clamp(delay * 2, ZCB_QUARANTINE_MIN, ZCB_QUARANTINE_MAX);
	WRITE_ONCE(pool->quarantine_delay, delay);
	queue_delayed_work(system_unbound_wq, &pool->quarantine_work,
			   max(delay, rest));
}

/**
 * zcb_quarantine_stat_locked - what is there
 * @pool: the pool; its lock is held
 * @st: filled
 *
 * Context: may sleep.
 */
void zcb_quarantine_stat_locked(struct zcb_pool *pool,
				struct zcb_quarantine_stat *st)
{
	struct zcb_remains *r;

	lockdep_assert_held(&pool->lock);
	memset(st, 0, sizeof(*st));
	st->sessions = pool->nquarantine;
	r = list_first_entry_or_null(&pool->quarantine, struct zcb_remains,
				     in_pool);
	if (r)
		st->age_ns = ktime_get_ns() - r->died_ns;
	list_for_each_entry(r, &pool->quarantine, in_pool)
		st->bytes += quarantine_bytes_locked(pool, r);
}

/* zcb_quarantine_init() - of a pool that is being made */
void zcb_quarantine_init(struct zcb_pool *pool)
{
	INIT_LIST_HEAD(&pool->quarantine);
	INIT_DELAYED_WORK(&pool->quarantine_work, quarantine_work);
}

/* zcb_quarantine_end() - of a pool that nobody has any more; may sleep */
void zcb_quarantine_end(struct zcb_pool *pool)
{
	cancel_delayed_work_sync(&pool->quarantine_work);
}

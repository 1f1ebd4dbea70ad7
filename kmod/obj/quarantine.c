// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quarantine. A session that is gone gives everything back at once, unless rings
 * of it still exist or something pins the pages: then it stays here, without a
 * file, and with what may still be written or read, until that is over. Its
 * memory keeps its records and counts as used.
 *
 * Looking costs little and is done when a token goes and, for what has no token,
 * again and again. One work item of the pool does it, so nobody else takes a
 * session off the list.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/workqueue.h>

#include "../face/trace.h"
#include "channel.h"
#include "export.h"
#include "quarantine.h"
#include "session.h"

#define ZCB_QUARANTINE_MIN	msecs_to_jiffies(2)
#define ZCB_QUARANTINE_MAX	msecs_to_jiffies(250)
#define ZCB_QUARANTINE_REST	20	/* times what looking took */

static u64 quarantine_bytes_locked(struct zcb_session *s)
{
	struct zcb_pool *pool = s->pool;
	u64 bytes = zcb_channels_kept_locked(s);

	lockdep_assert_held(&pool->lock);
	spin_lock(&pool->mem_lock);
	bytes += zcb_holdings_kept(&s->hold);
	spin_unlock(&pool->mem_lock);
	return bytes;
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
 * @s: the session, on no list; its pool's lock is held
 *
 * Context: may sleep. It may be freed once the lock is let go.
 */
void zcb_quarantine_add_locked(struct zcb_session *s)
{
	struct zcb_pool *pool = s->pool;

	lockdep_assert_held(&pool->lock);
	s->died_ns = ktime_get_ns();
	list_add_tail(&s->in_pool, &pool->quarantine);
	pool->nquarantine++;
	if (trace_zcbuf_quarantine_enabled())
		trace_zcbuf_quarantine(pool->handle, s->id,
				       quarantine_bytes_locked(s), 0);
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

static struct zcb_session *quarantine_next(struct zcb_pool *pool,
					   struct zcb_session *s, bool drained)
{
	struct zcb_session *next;

	guard(mutex)(&pool->lock);
	if (!s)
		return list_first_entry_or_null(&pool->quarantine,
						struct zcb_session, in_pool);
	next = list_is_last(&s->in_pool, &pool->quarantine) ?
	       NULL : list_next_entry(s, in_pool);
	if (drained) {
		list_del(&s->in_pool);
		pool->nquarantine--;
	}
	return next;
}

static void quarantine_free(struct zcb_session *s)
{
	trace_zcbuf_quarantine(s->pool->handle, s->id, 0,
			       ktime_get_ns() - s->died_ns);
	zcb_session_free(s);
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
	struct zcb_session *next, *s = quarantine_next(pool, NULL, false);
	ktime_t began = ktime_get();
	unsigned long rest;
	bool left = !zcb_exports_drain(pool);
	bool drained;

	for (; s; s = next) {
		drained = zcb_quarantine_drain(s);
		/* The last of its tokens will say when to look again. */
		left |= !drained && !atomic_read(&s->tokens);
		next = quarantine_next(pool, s, drained);
		if (drained)
			quarantine_free(s);
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
	struct zcb_session *s;

	lockdep_assert_held(&pool->lock);
	memset(st, 0, sizeof(*st));
	list_for_each_entry(s, &pool->quarantine, in_pool) {
		if (!st->sessions++)
			st->age_ns = ktime_get_ns() - s->died_ns;
		st->bytes += quarantine_bytes_locked(s);
	}
	zcb_exports_stat_locked(pool, st);
}

/* zcb_quarantine_init() - of a pool that is being made */
void zcb_quarantine_init(struct zcb_pool *pool)
{
	INIT_LIST_HEAD(&pool->quarantine);
	INIT_LIST_HEAD(&pool->exports);
	INIT_DELAYED_WORK(&pool->quarantine_work, quarantine_work);
}

/* zcb_quarantine_end() - of a pool that nobody has any more; may sleep */
void zcb_quarantine_end(struct zcb_pool *pool)
{
	cancel_delayed_work_sync(&pool->quarantine_work);
}

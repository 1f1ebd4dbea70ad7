// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions. Attaching is claim -> get or make the pool -> join: the claim is a
 * cmpxchg, so one of two racing attaches loses with -EBUSY and no lock is held
 * while a pool is made or user memory is written.
 */
#include <linux/cred.h>
#include <linux/hrtimer.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "../face/trace.h"
#include "channel.h"
#include "event.h"
#include "evict.h"
#include "heart.h"
#include "pin.h"
#include "ready.h"
#include "ring.h"
#include "session.h"
#include "stat.h"

static atomic64_t session_ids;

/**
 * zcb_session_open - a session, attached to nothing
 * @file_rights: ZCBUF_RIGHT_* the open mode gives
 *
 * Context: may sleep.
 * Return: the session or NULL.
 */
struct zcb_session *zcb_session_open(u32 file_rights)
{
	struct zcb_session *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);

	if (!s)
		return NULL;
	if (percpu_ref_init(&s->calls, zcb_evict_quiet, 0,
			    GFP_KERNEL_ACCOUNT)) {
		kfree(s);
		return NULL;
	}
	if (zcb_mapfs_pin()) {
		percpu_ref_exit(&s->calls);
		kfree(s);
		return NULL;
	}
	refcount_set(&s->refs, 1);
	s->id = atomic64_inc_return(&session_ids);
	s->file_rights = file_rights;
	INIT_LIST_HEAD(&s->in_pool);
	zcb_holdings_init(&s->hold);
	s->remains.session = s;
	INIT_LIST_HEAD(&s->pins);
	xa_init(&s->ports);
	zcb_ready_init(&s->ready);
	init_waitqueue_head(&s->wq);
	s->pid = get_pid(task_tgid(current));
	get_task_comm(s->comm, current->group_leader);
	s->uid = current_euid();
	s->opened_ns = ktime_get_ns();
	return s;
}

static void session_trace_locked(const struct zcb_session *s,
				 struct zcb_pool *pool)
{
	u64 blocks, objects, shares;

	lockdep_assert_held(&pool->lock);
	spin_lock(&pool->mem_lock);
	blocks = s->hold.blocks.count;
	objects = s->hold.objects + s->hold.fixed.count;
	shares = s->hold.nshares;
	spin_unlock(&pool->mem_lock);
	trace_zcbuf_reclaim(pool->handle, s->id, blocks, objects, shares);
}

struct zcb_session *zcb_session_get(struct zcb_session *s)
{
	refcount_inc(&s->refs);
	return s;
}

/**
 * zcb_session_put - drop a reference
 * @s: the session; with the last one it has nothing any more
 *
 * Context: may sleep.
 */
void zcb_session_put(struct zcb_session *s)
{
	if (!refcount_dec_and_test(&s->refs))
		return;
	zcb_heart_put(s->heart);
	zcb_pool_put(s->pool);
	xa_destroy(&s->ports);
	put_pid(s->pid);
	percpu_ref_exit(&s->calls);
	zcb_mapfs_unpin();
	kfree(s);
}

/**
 * zcb_session_leave - take back all a session holds
 * @s: the session, attached; no call on it is running, nor begins
 *
 * In this order: what is in a stream first, so that others learn of it. And a
 * session that is not seen any more has given back everything, or is seen in
 * quarantine. One that is evicted is seen until its file is closed.
 *
 * Context: may sleep.
 * Return: whether that was all; if not, the quarantine has the caller's reference.
 */
bool zcb_session_leave(struct zcb_session *s)
{
	struct zcb_session_stat had = {};
	struct zcb_pool *pool = s->pool;
	bool all;

	zcb_pool_get(pool);	/* until its lock is let go */
	mutex_lock(&pool->lock);
	s->leaving = true;	/* nobody gives it anything from here on */
	session_trace_locked(s, pool);
	zcb_session_holds_locked(s, &had);
	zcb_channels_leave_locked(s);
	mutex_unlock(&pool->lock);
	zcb_ring_end(&s->ready);
	zcb_pins_leave(s);
	all = zcb_quarantine_drain(s);
	mutex_lock(&pool->lock);
	if (zcb_session_evicted(s))
		pool->nevicted++;
	else
		list_del(&s->in_pool);
	WRITE_ONCE(pool->nsessions, pool->nsessions - 1);
	zcb_event_tell(&(struct zcb_event){
		.kind = ZCBUF_EVENT_SESSION_GONE, .pool = pool, .session = s,
		.had = &had,
	});
	if (!all)
		zcb_quarantine_add_locked(pool, &s->remains);
	mutex_unlock(&pool->lock);
	zcb_pool_put(pool);
	return all;
}

/**
 * zcb_session_close - the last reference to the file is gone
 * @s: its session
 *
 * Everything it held goes back, whatever was the reason: at once, or when nothing
 * pins it any more.
 *
 * Context: may sleep; no call on @s is running.
 */
void zcb_session_close(struct zcb_session *s)
{
	if (s->heart && zcb_heart_end(s)) {
		scoped_guard(mutex, &s->pool->lock) {
			list_del(&s->in_pool);
			s->pool->nevicted--;
		}
		zcb_session_put(s);
		return;
	}
	if (!s->pool || zcb_session_leave(s))
		zcb_session_put(s);
}

/**
 * zcb_session_claim - begin to attach
 * @s: the session
 *
 * Return: 0, or -EBUSY if it is attached or being attached.
 */
int zcb_session_claim(struct zcb_session *s)
{
	return atomic_cmpxchg(&s->claimed, 0, 1) ? -EBUSY : 0;
}

/**
 * zcb_session_unclaim - attaching failed
 * @s: the session
 */
void zcb_session_unclaim(struct zcb_session *s)
{
	atomic_set_release(&s->claimed, 0);
}

/* One that was evicted and is in quarantine is there twice until it is closed. */
static u32 session_count_locked(const struct zcb_pool *pool)
{
	lockdep_assert_held(&pool->lock);
	return pool->nsessions + pool->nevicted + pool->nquarantine;
}

/**
 * zcb_session_join - attach
 * @s: a session this caller has claimed
 * @pool: the pool; on success the caller's reference is the session's
 * @rights: ZCBUF_RIGHT_* it has
 *
 * Context: may sleep.
 * Return: 0; -EMFILE: as many sessions as the pool may have; -ENOENT: it has ended.
 */
int zcb_session_join(struct zcb_session *s, struct zcb_pool *pool, u32 rights)
{
	guard(mutex)(&pool->lock);
	/* Found just before the last session left: its name may be another's. */
	if (*pool->cfg.name && !zcb_pool_inhabited(pool))
		return -ENOENT;
	if (session_count_locked(pool) >= ZCB_POOL_MAX_SESSIONS)
		return -EMFILE;
	WRITE_ONCE(pool->nsessions, pool->nsessions + 1);
	/* Pairs with zcb_pool_inhabited(). */
	smp_store_release(&pool->joined, true);
	list_add_tail(&s->in_pool, &pool->sessions);
	s->rights = rights;
	s->domain = zcb_pool_domain(pool);
	/* Pairs with zcb_session_pool(). */
	smp_store_release(&s->pool, pool);
	return 0;
}

static struct zcb_session *session_find_locked(struct zcb_pool *pool, u64 id)
{
	struct zcb_session *s;

	lockdep_assert_held(&pool->lock);
	list_for_each_entry(s, &pool->sessions, in_pool)
		if (s->id == id && !s->leaving)
			return s;
	return NULL;
}

/* Who may be given what @s has. */
static struct zcb_session *session_taker_locked(struct zcb_session *s, u64 id)
{
	struct zcb_session *to = session_find_locked(s->pool, id);

	if (!to)
		return ERR_PTR(-ENOENT);
	if (to == s)
		return ERR_PTR(-EINVAL);
	return to->rights & ZCBUF_RIGHT_MAP_WRITE ? to : ERR_PTR(-EPERM);
}

static int session_give(struct zcb_session *s, u64 id, const u64 *handles,
			u32 count, bool share, struct zcb_spares *spares,
			u32 *done)
{
	struct zcb_session *to;
	int err = 0;

	guard(mutex)(&s->pool->lock);
	to = session_taker_locked(s, id);
	if (IS_ERR(to))
		return PTR_ERR(to);
	for (; *done < count && !err; *done += !err) {
		err = share ? zcb_memory_share(s->pool, &s->hold, &to->hold,
					       handles[*done], spares) :
			      zcb_memory_transfer(s->pool, &s->hold, &to->hold,
						  to->domain, handles[*done],
						  spares);
		cond_resched();
	}
	return err;
}

/**
 * zcb_session_give - buffers for another session of the pool
 * @s: who gives, attached
 * @id: who gets
 * @handles: which, in this order
 * @count: how many
 * @share: to hold as well, not instead
 * @done: set: how many were given
 *
 * Context: may sleep. The pool's lock keeps the other session from leaving; what
 * is needed for it is allocated before.
 * Return: 0, -ENOENT, -EINVAL, -EPERM about the session, or what
 * zcb_memory_transfer() or zcb_memory_share() says of the first that was not given.
 */
int zcb_session_give(struct zcb_session *s, u64 id, const u64 *handles,
		     u32 count, bool share, u32 *done)
{
	struct zcb_spares spares;
	int err;

	*done = 0;
	zcb_give_prepare(s->pool, handles, count, share, &spares);
	err = session_give(s, id, handles, count, share, &spares, done);
	zcb_give_finish(&spares);
	return err;
}

/**
 * zcb_session_event - something happened this session may wait for
 * @s: the session
 * @events: EPOLL*
 *
 * The increment is ordered before the check for sleepers by the barrier in
 * wq_has_sleeper(); it pairs with the one in prepare_to_wait_event().
 *
 * Context: any but interrupt.
 */
void zcb_session_event(struct zcb_session *s, __poll_t events)
{
	atomic_inc(&s->event_seq);
	if (wq_has_sleeper(&s->wq))
		wake_up_interruptible_poll(&s->wq, events);
}

/**
 * zcb_wait - wait for the next event
 * @s: who waits, or NULL
 * @wq: where it is announced
 * @seq: what counts such events
 * @seen: its value before the caller found nothing
 * @deadline_ns: absolute CLOCK_MONOTONIC, ZCBUF_NO_DEADLINE, or 0
 *
 * Not for KCSAN to look at: the core's macro asks whether its timer has run out
 * by a plain read of what the timer writes. All else here is local or atomic.
 *
 * Context: may sleep; no lock is held.
 * Return: 0 try again; -EAGAIN (deadline 0), -ETIMEDOUT, -ERESTARTSYS, -ESTALE: @s
 * has been evicted.
 */
int __no_kcsan zcb_wait(const struct zcb_session *s, wait_queue_head_t *wq,
			const atomic_t *seq, int seen, u64 deadline_ns)
{
	ktime_t timeout = KTIME_MAX;
	int err;

	if (!deadline_ns)
		return -EAGAIN;
	if (deadline_ns < KTIME_MAX) {
		timeout = ktime_sub(ns_to_ktime(deadline_ns), ktime_get());
		if (timeout <= 0)
			return -ETIMEDOUT;
	}
	err = wait_event_interruptible_hrtimeout(*wq,
						 atomic_read(seq) != seen ||
						 zcb_session_evicted(s),
						 timeout);
	if (!err && zcb_session_evicted(s))
		return -ESTALE;
	return err == -ETIME ? -ETIMEDOUT : err;
}

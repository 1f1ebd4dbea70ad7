// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pools that shrink, by one arena at a time. Other arenas stay what and where they
 * are; where this one was a hole stays, and whoever touches it gets SIGBUS.
 *
 *	LIVE		its pages are handed out
 *	RETIRING	no more are; those that are out are used and freed as before
 *	PINNED		none is out, none can be mapped any more; it waits until those
 *			who hold pages (I/O, io_uring's fixed buffers) let go
 *	GONE		its pages are the machine's again, with the charge for them
 *
 * From PINNED on it is this file's alone. ->fault looks at the state and takes its
 * reference in one RCU section. So after a grace period every page that somebody was
 * faster to get has one reference more than ours, or is mapped, which is the same.
 * Mappings are taken back, again and again: a fault may have its page before the
 * state changes and map it after the mappings were taken back. And a page that has
 * our reference only gets no other any more.
 *
 * All of that is done by a work item of the pool, so that it is done by one at a time,
 * and by nobody who frees. The call that retires an idle arena waits for it.
 */
#include <linux/fs.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/rcupdate.h>

#include "../face/trace.h"
#include "control.h"
#include "event.h"
#include "magazine.h"
#include "pool.h"
#include "session.h"

/* How often to look whether pages are still held: less and less. */
#define RETIRE_WAIT_MIN	msecs_to_jiffies(10)
#define RETIRE_WAIT_MAX	msecs_to_jiffies(1000)

static void retire_state_locked(struct zcb_pool *pool, struct zcb_arena *a,
				enum zcb_arena_state state)
{
	lockdep_assert_held(&pool->mem_lock);
	/* Pairs with the RCU section of zcb_pool_page_get(), by a grace period. */
	WRITE_ONCE(a->state, state);
	trace_zcbuf_pool_retire(pool->handle, a->index / a->npages, state);
}

/* What is free in it, nobody gets. CPUs keep nothing of it from here on. */
static void retire_close_locked(struct zcb_pool *pool, struct zcb_arena *a)
{
	lockdep_assert_held(&pool->mem_lock);
	retire_state_locked(pool, a, ZCB_ARENA_RETIRING);
	pool->idle += (u64)a->buddy.free_pages << PAGE_SHIFT;
	zcb_pool_count_free(pool);
}

/* -EBUSY: it shall go @now, or stay as it is. */
static int retire_begin_locked(struct zcb_pool *pool, struct zcb_arena *a,
			       bool now)
{
	lockdep_assert_held(&pool->mem_lock);
	zcb_magazine_drain_locked(pool);
	if (now && (a->state == ZCB_ARENA_PINNED ||
		    (zcb_arena_mapped(a) && !zcb_arena_idle(a))))
		return -EBUSY;
	if (zcb_arena_open(a))
		retire_close_locked(pool, a);
	if (a->state == ZCB_ARENA_RETIRING && zcb_arena_idle(a))
		zcb_pool_retire_idle_locked(pool);
	return 0;
}

/* The first arena stays: a pool without memory would be none. */
static int retire_find(struct zcb_pool *pool, u32 index, struct zcb_arena **a)
{
	u32 n = zcb_pool_arenas(pool);

	if (pool->cfg.kind == ZCBUF_POOL_FIXED)
		return -EOPNOTSUPP;
	if (!index || index >= n)
		return -EINVAL;
	*a = pool->arenas[array_index_nospec(index, n)];
	return 0;
}

/* Whatever becomes of it is announced as memory that comes back. */
static int retire_wait(struct zcb_pool *pool, const struct zcb_session *s,
		       const struct zcb_arena *a, u64 deadline_ns, u32 *state)
{
	int seen, err;

	do {
		seen = atomic_read(&pool->space_seq);
		*state = READ_ONCE(a->state);
		if (*state == ZCB_ARENA_GONE || *state == ZCB_ARENA_LIVE)
			return 0;
		err = zcb_wait(s, &pool->space_wq, &pool->space_seq, seen,
			       deadline_ns);
	} while (!err);
	return err == -EAGAIN ? 0 : err;
}

/**
 * zcb_pool_retire - hand out nothing more of an arena, and give it back
 * @pool: the pool
 * @s: who waits, or NULL
 * @index: number of the arena
 * @now: only if nothing of it is handed out, and nobody holds a page
 * @deadline_ns: how long to wait until it is gone: 0, absolute, or NO_DEADLINE
 * @state: what has become of it, enum zcb_arena_state; also if waiting ended
 *
 * Again for one that is retired it is the same, and waits for the same.
 *
 * Context: may sleep; no lock is held.
 * Return: 0, -EOPNOTSUPP, -EINVAL, -EBUSY (@now), and of waiting -ETIMEDOUT,
 * -ERESTARTSYS, -ESTALE.
 */
int zcb_pool_retire(struct zcb_pool *pool, const struct zcb_session *s,
		    u32 index, bool now, u64 deadline_ns, u32 *state)
{
	struct zcb_arena *a;
	int err;

	err = retire_find(pool, index, &a);
	if (err)
		return err;
	if (now && zcb_arena_held(a))
		return -EBUSY;
	spin_lock(&pool->mem_lock);
	err = retire_begin_locked(pool, a, now);
	spin_unlock(&pool->mem_lock);
	if (err)
		return err;
	/* Others may keep memory of it that nobody uses. */
	zcb_control_pressure(pool);
	flush_delayed_work(&pool->retire_work);
	return retire_wait(pool, s, a, deadline_ns, state);
}

static int retire_cancel_locked(struct zcb_pool *pool, struct zcb_arena *a)
{
	lockdep_assert_held(&pool->mem_lock);
	if (!zcb_arena_mapped(a))
		return -EALREADY;
	if (zcb_arena_open(a))
		return 0;
	retire_state_locked(pool, a, ZCB_ARENA_LIVE);
	pool->idle -= (u64)a->buddy.free_pages << PAGE_SHIFT;
	return 0;
}

/**
 * zcb_pool_retire_cancel - hand out an arena again
 * @pool: the pool
 * @index: number of the arena
 * @state: what has become of it
 *
 * Slabs that were closed meanwhile stay so, until they are empty.
 *
 * Context: may sleep.
 * Return: 0, also if it was not retired; -EOPNOTSUPP, -EINVAL, or -EALREADY: it is
 * too late.
 */
int zcb_pool_retire_cancel(struct zcb_pool *pool, u32 index, u32 *state)
{
	struct zcb_arena *a;
	int err;

	err = retire_find(pool, index, &a);
	if (err)
		return err;
	spin_lock(&pool->mem_lock);
	err = retire_cancel_locked(pool, a);
	*state = a->state;
	spin_unlock(&pool->mem_lock);
	if (!err)
		zcb_pool_space(pool);
	return err;
}

/**
 * zcb_pool_retire_idle_locked - the last page of an arena has come back
 * @pool: the pool; its mem_lock is held
 *
 * Context: any that may hold the lock.
 */
void zcb_pool_retire_idle_locked(struct zcb_pool *pool)
{
	lockdep_assert_held(&pool->mem_lock);
	zcb_pools_queue(&pool->retire_work, 0);
}

/*
 * Numbers of arenas are used once: without this one, are there enough left for the
 * pool to grow to what it may?
 */
static bool retire_leaves_room_locked(const struct zcb_pool *pool)
{
	u64 size = pool->cfg.arena_size;
	u32 i, open = 0;

	lockdep_assert_held(&pool->mem_lock);
	for (i = 0; i < pool->narenas; i++)
		open += zcb_arena_open(pool->arenas[i]);
	return div64_u64(pool->cfg.max_size, size) - (open - 1) <=
	       div64_u64(zcb_pool_max_end(pool), size) - pool->narenas;
}

/* One that was made for somebody who has not come yet is not. */
static bool retire_is_spare_locked(const struct zcb_pool *pool,
				   const struct zcb_arena *a)
{
	lockdep_assert_held(&pool->mem_lock);
	return a->by_itself && a->touched && zcb_arena_open(a) &&
	       zcb_arena_idle(a) && retire_leaves_room_locked(pool);
}

static bool retire_is_spare(struct zcb_pool *pool, const struct zcb_arena *a)
{
	bool spare;

	spin_lock(&pool->mem_lock);
	spare = retire_is_spare_locked(pool, a);
	spin_unlock(&pool->mem_lock);
	return spare;
}

/**
 * zcb_pool_spare - what the pool has added by itself, and nobody uses
 * @pool: the pool; may be a zombie
 *
 * Context: any but interrupt.
 * Return: bytes; somebody may hold pages of it.
 */
u64 zcb_pool_spare(struct zcb_pool *pool)
{
	u32 i, n = zcb_pool_arenas(pool);
	u64 bytes = 0;

	if (READ_ONCE(pool->state) != ZCB_POOL_LIVE)
		return 0;
	for (i = 1; i < n; i++)
		if (retire_is_spare(pool, pool->arenas[i]))
			bytes += pool->arenas[i]->size;
	return bytes;
}

static bool retire_spare(struct zcb_pool *pool, struct zcb_arena *a)
{
	bool spare;

	if (!retire_is_spare(pool, a) || zcb_arena_held(a))
		return false;
	spin_lock(&pool->mem_lock);
	spare = retire_is_spare_locked(pool, a);
	if (spare) {
		WRITE_ONCE(pool->shrinking, true);
		retire_close_locked(pool, a);
		zcb_pool_retire_idle_locked(pool);
	}
	spin_unlock(&pool->mem_lock);
	return spare;
}

/**
 * zcb_pool_retire_spare - give back what the pool can do without
 * @pool: the pool; may be a zombie
 * @bytes: so much, or up to an arena more
 *
 * As zcb_pool_retire() now, but nobody waits for it.
 *
 * Context: may sleep, but not for memory; no lock of a pool is held.
 * Return: bytes of arenas that are retired now; the last first, as the first have
 * room for who comes next.
 */
u64 zcb_pool_retire_spare(struct zcb_pool *pool, u64 bytes)
{
	u32 i = zcb_pool_arenas(pool);
	u64 done = 0;

	if (READ_ONCE(pool->state) != ZCB_POOL_LIVE)
		return 0;
	while (done < bytes && --i)
		if (retire_spare(pool, pool->arenas[i]))
			done += pool->arenas[i]->size;
	return done;
}

/* Handles of it are unknown from here on, and it cannot be mapped. */
static bool retire_revoke(struct zcb_pool *pool, struct zcb_arena *a)
{
	struct zcb_buf_page *pages = NULL;
	bool pinned;

	spin_lock(&pool->mem_lock);
	if (a->state == ZCB_ARENA_RETIRING && zcb_arena_idle(a)) {
		pages = zcb_buf_table_drop(&pool->bufs, a->index / a->npages);
		retire_state_locked(pool, a, ZCB_ARENA_PINNED);
	}
	pinned = a->state == ZCB_ARENA_PINNED;
	spin_unlock(&pool->mem_lock);
	if (pages)
		synchronize_rcu();
	kvfree(pages);
	return pinned;
}

static void retire_finish(struct zcb_pool *pool, struct zcb_arena *a)
{
	zcb_arena_release(a);
	spin_lock(&pool->mem_lock);
	retire_state_locked(pool, a, ZCB_ARENA_GONE);
	pool->idle -= a->size;
	WRITE_ONCE(pool->size, pool->size - a->size);
	spin_unlock(&pool->mem_lock);
	zcb_event_tell(&(struct zcb_event){
		.kind = ZCBUF_EVENT_ARENA_GONE, .pool = pool,
		.arena = a->index / a->npages, .bytes = a->size,
	});
	zcb_pool_space(pool);
}

/* Returns whether somebody still holds pages of it. */
static bool retire_try(struct zcb_pool *pool, struct zcb_arena *a)
{
	if (!retire_revoke(pool, a))
		return false;
	unmap_mapping_range(pool->inode->i_mapping,
			    (loff_t)a->index << PAGE_SHIFT, a->size, 1);
	if (zcb_arena_busy(a))
		return true;
	retire_finish(pool, a);
	return false;
}

/* Unless there are more since: this work is queued again for them. */
static void retire_shrunk(struct zcb_pool *pool)
{
	bool more = false;
	u32 i;

	spin_lock(&pool->mem_lock);
	for (i = 1; i < pool->narenas; i++)
		more |= pool->arenas[i]->state == ZCB_ARENA_RETIRING &&
			zcb_arena_idle(pool->arenas[i]);
	if (!more)
		WRITE_ONCE(pool->shrinking, false);
	spin_unlock(&pool->mem_lock);
}

static void retire_work(struct work_struct *work)
{
	struct zcb_pool *pool = container_of(to_delayed_work(work),
					     struct zcb_pool, retire_work);
	u32 i, n = zcb_pool_arenas(pool);
	bool held = false;

	for (i = 1; i < n; i++)
		held |= retire_try(pool, pool->arenas[i]);
	retire_shrunk(pool);
	if (!held) {
		pool->retire_wait = 0;
		return;
	}
	pool->retire_wait = clamp(pool->retire_wait * 2, RETIRE_WAIT_MIN,
				  RETIRE_WAIT_MAX);
	zcb_pools_queue(&pool->retire_work, pool->retire_wait);
}

/* zcb_pool_retire_init() - of a pool that is being made */
void zcb_pool_retire_init(struct zcb_pool *pool)
{
	INIT_DELAYED_WORK(&pool->retire_work, retire_work);
}

/* zcb_pool_retire_end() - of a pool that nobody has any more; may sleep */
void zcb_pool_retire_end(struct zcb_pool *pool)
{
	cancel_delayed_work_sync(&pool->retire_work);
}

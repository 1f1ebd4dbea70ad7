// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pools that grow, by one arena at a time. What is there stays where it is, so
 * nobody who uses it needs a lock against this. The new one comes behind the others,
 * not where one was that has been retired.
 *
 * Who pays was decided when the pool was made: its payer, and the memory cgroup
 * its maker was in. So whether there can be one more arena does not depend on who
 * needs it, and when there cannot, nobody needs to try for a while. Where one node
 * has no memory another may: who needs that of a node fails for who needs it of the
 * same one.
 */
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/memcontrol.h>
#include <linux/numa.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "../face/trace.h"
#include "account.h"
#include "event.h"
#include "pool.h"

/*
 * To find out that a limit still stands can cost as much as an arena: a pool that
 * could not grow of itself is left alone for ten times as long as that took, and
 * each time it fails again for twice as long as before.
 */
#define GROW_PAUSE_MIN	100U		/* ms */
#define GROW_PAUSE_MAX	10000U
#define GROW_PAUSE_COST	10

static bool grow_at_limit(const struct zcb_pool *pool)
{
	u64 size = pool->cfg.arena_size;

	return zcb_pool_size(pool) + size > pool->cfg.max_size ||
	       zcb_pool_end(pool) + size > zcb_pool_max_end(pool);
}

/* From here on anybody may be given its pages, and may map them. */
static void grow_publish(struct zcb_pool *pool, struct zcb_arena *a,
			 struct zcb_buf_page *pages)
{
	lockdep_assert_held(&pool->grow_lock);
	spin_lock(&pool->mem_lock);
	zcb_buf_table_grow(&pool->bufs, pages);
	pool->arenas[pool->narenas] = a;
	WRITE_ONCE(pool->size, pool->size + a->size);
	/* Pairs with the acquire in zcb_pool_arenas(). */
	smp_store_release(&pool->narenas, pool->narenas + 1);
	spin_unlock(&pool->mem_lock);
}

static void grow_pause_end(struct zcb_pause *p)
{
	p->length = 0;
	WRITE_ONCE(p->on, false);
}

static struct zcb_arena *grow_locked(struct zcb_pool *pool, int nid,
				     const struct zcb_payer *payer,
				     bool by_itself)
{
	struct zcb_buf_page *pages;
	struct mem_cgroup *old;
	struct zcb_arena *a;

	lockdep_assert_held(&pool->grow_lock);
	if (grow_at_limit(pool))
		return ERR_PTR(-E2BIG);
	old = set_active_memcg(pool->memcg);
	a = zcb_pool_arena(pool, nid, payer, &pages);
	set_active_memcg(old);
	if (IS_ERR(a))
		return a;
	a->by_itself = by_itself;
	grow_publish(pool, a, pages);
	grow_pause_end(&pool->pause);
	if (nid != NUMA_NO_NODE)
		pool->node_pause.length = 0;
	trace_zcbuf_pool_grow(pool->handle, zcb_pool_size(pool), a->order);
	zcb_event_tell(&(struct zcb_event){
		.kind = ZCBUF_EVENT_ARENA_ADDED, .pool = pool,
		.arena = a->index / a->npages, .bytes = a->size,
	});
	return a;
}

/**
 * zcb_pool_grow - add an arena
 * @pool: the pool
 *
 * As when the pool was made, CAP_IPC_LOCK of the caller lifts the payer's limit.
 *
 * Context: may sleep long; no lock of this module is held.
 * Return: the arena, which stays; as error pointers -E2BIG, the pool would be
 * larger than it may be, -ENOMEM, or -EINTR, a fatal signal came.
 */
struct zcb_arena *zcb_pool_grow(struct zcb_pool *pool)
{
	struct zcb_payer payer = zcb_account_payer(pool->payer.uid);
	struct zcb_arena *a = ERR_PTR(-EDQUOT);
	u32 tries;

	payer.over |= pool->payer.over;
	for (tries = 0; tries < 2 && a == ERR_PTR(-EDQUOT); tries++) {
		if (tries)
			zcb_pools_settle();
		if (mutex_lock_killable(&pool->grow_lock))
			return ERR_PTR(-EINTR);
		a = grow_locked(pool, NUMA_NO_NODE, &payer, false);
		mutex_unlock(&pool->grow_lock);
	}
	if (!IS_ERR(a))
		zcb_pool_space(pool);
	return a == ERR_PTR(-EDQUOT) ? ERR_PTR(-ENOMEM) : a;
}

/* Whoever waits for room looks again: one of them tries. */
static void grow_resume(struct work_struct *work)
{
	struct zcb_pause *p = container_of(to_delayed_work(work),
					   struct zcb_pause, work);

	WRITE_ONCE(p->on, false);
	nodes_clear(p->nodes);
	zcb_pool_space(p->pool);
}

static void grow_pause_locked(struct zcb_pause *p, s64 cost_ms)
{
	lockdep_assert_held(&p->pool->grow_lock);
	p->length = clamp(max_t(s64, 2 * p->length, GROW_PAUSE_COST * cost_ms),
			  GROW_PAUSE_MIN, GROW_PAUSE_MAX);
	WRITE_ONCE(p->on, true);
	mod_delayed_work(system_wq, &p->work, msecs_to_jiffies(p->length));
}

/**
 * zcb_pool_may_grow - would it be tried to add an arena for who needs room
 * @pool: the pool
 * @nid: he needs it of that NUMA node; or NUMA_NO_NODE
 *
 * When that becomes so after a pause, zcb_pool_space() tells.
 *
 * Context: any.
 * Return: true if so.
 */
bool zcb_pool_may_grow(const struct zcb_pool *pool, int nid)
{
	return pool->cfg.flags & ZCBUF_POOL_F_AUTO_GROW &&
	       !READ_ONCE(pool->pause.on) &&
	       (nid == NUMA_NO_NODE ||
		!node_isset(nid, pool->node_pause.nodes)) &&
	       (READ_ONCE(pool->shrinking) || !grow_at_limit(pool));
}

/* What is about to go shall not be missed: it is replaced when it is gone. */
static bool grow_for_locked(struct zcb_pool *pool, int nid)
{
	ktime_t began = ktime_get();
	struct zcb_arena *a;
	s64 cost_ms;

	if (READ_ONCE(pool->shrinking))
		flush_delayed_work(&pool->retire_work);
	if (!zcb_pool_may_grow(pool, nid) || grow_at_limit(pool))
		return false;
	a = grow_locked(pool, nid, &pool->payer, true);
	if (!IS_ERR(a))
		return true;
	/* That one is about to die says nothing about the pool. */
	if (fatal_signal_pending(current))
		return false;
	cost_ms = ktime_ms_delta(ktime_get(), began);
	if (nid == NUMA_NO_NODE || a == ERR_PTR(-EDQUOT)) {
		grow_pause_locked(&pool->pause, cost_ms);
		return false;
	}
	/* First: the end of the pause takes it out. */
	node_set(nid, pool->node_pause.nodes);
	grow_pause_locked(&pool->node_pause, cost_ms);
	return false;
}

/**
 * zcb_pool_grow_for - add an arena for who has found no room
 * @pool: the pool
 * @nid: he has looked for it on that NUMA node; or NUMA_NO_NODE
 * @narenas: how many there were then
 *
 * Context: as zcb_pool_grow(). Waits for nobody but who is adding one.
 * Return: whether to look again: there is one more, whoever added it.
 */
bool zcb_pool_grow_for(struct zcb_pool *pool, int nid, u32 narenas)
{
	bool more;

	if (!zcb_pool_may_grow(pool, nid))
		return zcb_pool_arenas(pool) != narenas;
	if (mutex_lock_killable(&pool->grow_lock))
		return false;
	more = pool->narenas != narenas || grow_for_locked(pool, nid);
	mutex_unlock(&pool->grow_lock);
	if (more)
		zcb_pool_space(pool);
	return more;
}

static void grow_pause_init(struct zcb_pause *p, struct zcb_pool *pool)
{
	p->pool = pool;
	INIT_DELAYED_WORK(&p->work, grow_resume);
}

/* zcb_pool_growth_init() - of a pool that is being made */
void zcb_pool_growth_init(struct zcb_pool *pool)
{
	mutex_init(&pool->grow_lock);
	grow_pause_init(&pool->pause, pool);
	grow_pause_init(&pool->node_pause, pool);
}

/* zcb_pool_growth_end() - of a pool that nobody has any more; may sleep */
void zcb_pool_growth_end(struct zcb_pool *pool)
{
	cancel_delayed_work_sync(&pool->pause.work);
	cancel_delayed_work_sync(&pool->node_pause.work);
}

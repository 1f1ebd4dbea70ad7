// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of a session that is gone goes back, but for what something pins:
 * I/O of the dead may still come in there.
 *
 * Its lists are this caller's: no call of the session runs any more, and it is given
 * nothing. Others only end loans of its slabs, and a slab with the last of them;
 * and what it shares with them becomes its own when they give it back, so that a
 * share ends, and something is put before what there is. So mem_lock is let go
 * while pages are looked at, which may take long.
 */
#include <linux/sched.h>

#include "memory.h"
#include "pin.h"
#include "pool.h"
#include "share.h"
#include "slabs.h"

#define ZCB_RECLAIM_BATCH	128	/* between two places to rest */

/* Looks without mem_lock, which the caller holds. */
static bool reclaim_settled_locked(struct zcb_pool *pool, u64 offset,
				   u64 length, u32 *n)
	__must_hold(&pool->mem_lock)
{
	bool settled;

	spin_unlock(&pool->mem_lock);
	if (!(++*n % ZCB_RECLAIM_BATCH))
		cond_resched();
	settled = zcb_pin_settled(pool, offset, length);
	spin_lock(&pool->mem_lock);
	return settled;
}

static void reclaim_fixed_locked(struct zcb_pool *pool, struct zcb_holdings *h,
				 u32 *n)
{
	const struct zcb_fixed *f = &pool->cfg.fixed;
	u32 object = h->fixed.first;
	u32 class, next;
	bool settled;

	lockdep_assert_held(&pool->mem_lock);
	for (; object != ZCB_FIXED_NONE; object = next) {
		class = zcb_fixed_class_of(f, object);
		settled = reclaim_settled_locked(pool,
						 zcb_fixed_offset(f, class,
								  object),
						 f->class[class].length, n);
		next = f->objects[object].next;
		if (settled)
			zcb_memory_put_fixed_locked(pool, h, class, object);
	}
}

static bool reclaim_block_settled_locked(struct zcb_pool *pool,
					 const struct zcb_buf_page *p, u32 page,
					 u32 *n)
{
	return reclaim_settled_locked(pool, (u64)page << PAGE_SHIFT,
				      PAGE_SIZE << p->order, n);
}

static void reclaim_blocks_locked(struct zcb_pool *pool, struct zcb_holdings *h,
				  u32 *n)
{
	u32 page = h->blocks.first;
	u32 next;

	lockdep_assert_held(&pool->mem_lock);
	for (; page != ZCB_BUF_NONE; page = next) {
		const struct zcb_buf_page *p = zcb_buf_at(&pool->bufs, page);
		bool settled = reclaim_block_settled_locked(pool, p, page, n);

		next = p->next;
		if (settled)
			zcb_memory_put_block_locked(pool, h, page);
	}
}

static void reclaim_loans_locked(struct zcb_pool *pool, struct zcb_holdings *h,
				 u32 *n)
{
	struct zcb_loan *loan, *next;
	u64 offset, length;

	lockdep_assert_held(&pool->mem_lock);
	list_for_each_entry_safe(loan, next, &h->loans, in_hands) {
		offset = ((u64)loan->slab->page << PAGE_SHIFT) + loan->offset;
		length = pool->cfg.slabs.class[loan->slab->class].length;
		if (reclaim_settled_locked(pool, offset, length, n))
			zcb_slabs_return_locked(pool, h, loan);
	}
}

static void reclaim_slabs_locked(struct zcb_pool *pool, struct zcb_holdings *h,
				 u32 *n)
{
	u32 page = h->leases.first;
	u32 next;

	lockdep_assert_held(&pool->mem_lock);
	for (; page != ZCB_BUF_NONE; page = next) {
		const struct zcb_buf_page *p = zcb_buf_at(&pool->bufs, page);
		bool settled = reclaim_block_settled_locked(pool, p, page, n);

		/* It went with the last loan: nobody knows where it was. */
		next = p->owner == h ? p->next : h->leases.first;
		if (settled && p->owner == h)
			zcb_slabs_abandon_locked(pool, h, p->slab);
	}
}

/* By turns, as any of them may have ended meanwhile. */
static void reclaim_shares_locked(struct zcb_pool *pool, struct zcb_holdings *h,
				  u32 *n)
{
	u64 left = h->nshares;
	u64 handle, bytes;

	lockdep_assert_held(&pool->mem_lock);
	for (; left && zcb_share_next_locked(pool, h, &handle, &bytes); left--)
		if (reclaim_settled_locked(pool, zcbuf_buf_offset(handle),
					   bytes, n))
			zcb_share_end_locked(pool, h, handle);
}

static bool reclaim_over(const struct zcb_holdings *h)
{
	return h->fixed.first == ZCB_FIXED_NONE &&
	       h->blocks.first == ZCB_BUF_NONE &&
	       h->leases.first == ZCB_BUF_NONE && list_empty(&h->loans) &&
	       list_empty(&h->shares);
}

/**
 * zcb_memory_reclaim - give back what a session held
 * @pool: the pool
 * @h: the holdings of a session that is gone and has no token
 *
 * Context: may sleep. mem_lock is held for a bounded time only.
 * Return: whether that was all of it.
 */
bool zcb_memory_reclaim(struct zcb_pool *pool, struct zcb_holdings *h)
{
	bool all, some;
	u64 kept;
	u32 n = 0;

	spin_lock(&pool->mem_lock);
	kept = zcb_holdings_kept(h);
	reclaim_shares_locked(pool, h, &n);
	reclaim_fixed_locked(pool, h, &n);
	reclaim_blocks_locked(pool, h, &n);
	reclaim_loans_locked(pool, h, &n);
	reclaim_slabs_locked(pool, h, &n);
	all = reclaim_over(h);
	some = zcb_holdings_kept(h) != kept;
	spin_unlock(&pool->mem_lock);
	if (some)
		zcb_pool_space(pool);
	return all;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Free blocks of pages. A small one that comes back stays with the CPU, whole, for
 * its next request of that size: it is neither joined with its neighbours nor
 * split again, and is the memory that CPU has used last. It counts as free:
 * whoever does not find a block, or asks what there is in one piece, has all CPUs'
 * blocks given to the buddies first.
 *
 * The pool's mem_lock, which every hand-out takes anyway for the records, guards
 * the CPUs' stacks as well. So anybody can drain them, and being moved to another
 * CPU half way does no harm.
 */
#include <linux/cpumask.h>
#include <linux/log2.h>
#include <linux/moduleparam.h>

#include "magazine.h"
#include "pool.h"

#define MAGAZINE_BLOCKS	512U	/* kept by all CPUs together: one drains them */

static uint l0_depth = ZCB_L0_DEPTH;
module_param(l0_depth, uint, 0644);
MODULE_PARM_DESC(l0_depth,
		 "freed pages of a pool that a CPU keeps, half as many blocks of 2, 4, ... 32 pages; 0: none (64, the most)");

static struct zcb_l0 *magazine_of_cpu(struct zcb_pool *pool)
{
	return &pool->l0[raw_smp_processor_id()];
}

/* Pages are numbered through all arenas. */
static int magazine_buddy_get(struct zcb_pool *pool, u32 order, u32 *page)
{
	u32 i;

	lockdep_assert_held(&pool->mem_lock);
	for (i = 0; i < pool->narenas; i++) {
		if (!zcb_arena_open(pool->arenas[i]) ||
		    zcb_buddy_alloc(&pool->arenas[i]->buddy, order, page))
			continue;
		*page += pool->arenas[i]->index;
		return 0;
	}
	return -EAGAIN;
}

static int magazine_buddy_put(struct zcb_pool *pool, u32 page, u32 npages)
{
	struct zcb_arena *a = zcb_pool_arena_at(pool, page);
	int err;

	lockdep_assert_held(&pool->mem_lock);
	err = zcb_buddy_free(&a->buddy, page - a->index, npages);
	if (WARN_ON_ONCE(err))
		return err;
	if (!zcb_arena_open(a)) {
		pool->idle += (u64)npages << PAGE_SHIFT;
		if (zcb_arena_idle(a))
			zcb_pool_retire_idle_locked(pool);
	}
	return 0;
}

static bool magazine_buddy_has(const struct zcb_pool *pool, u32 order)
{
	u32 i;

	lockdep_assert_held(&pool->mem_lock);
	for (i = 0; i < pool->narenas; i++)
		if (zcb_arena_open(pool->arenas[i]) &&
		    zcb_buddy_has(&pool->arenas[i]->buddy, order))
			return true;
	return false;
}

/**
 * zcb_magazine_drain_locked - give what CPUs keep to the buddies
 * @pool: the pool; its mem_lock is held
 *
 * Context: any that may hold the lock, for as long as MAGAZINE_BLOCKS take.
 * Return: whether there was anything.
 */
bool zcb_magazine_drain_locked(struct zcb_pool *pool)
{
	bool any = pool->l0_blocks;
	u32 cpu, order, page;

	lockdep_assert_held(&pool->mem_lock);
	for (cpu = 0; pool->l0_blocks && cpu < nr_cpu_ids; cpu++)
		while (zcb_l0_drain(&pool->l0[cpu], &order, &page)) {
			pool->l0_blocks--;
			magazine_buddy_put(pool, page, 1U << order);
		}
	return any;
}

/**
 * zcb_magazine_get_locked - a free block
 * @pool: the pool; its mem_lock is held
 * @order: of the block
 * @page: its first page
 *
 * Context: as zcb_magazine_drain_locked().
 * Return: 0, or -EAGAIN: none is free.
 */
int zcb_magazine_get_locked(struct zcb_pool *pool, u32 order, u32 *page)
{
	int err;

	lockdep_assert_held(&pool->mem_lock);
	if (!zcb_l0_take(magazine_of_cpu(pool), order, page)) {
		pool->l0_blocks--;
		return 0;
	}
	err = magazine_buddy_get(pool, order, page);
	if (err && zcb_magazine_drain_locked(pool))
		err = magazine_buddy_get(pool, order, page);
	return err;
}

/*
 * Only what is a block: the tail of a group's may be any pages. And nothing that
 * nobody is to be given.
 */
static bool magazine_keep(struct zcb_pool *pool, u32 page, u32 npages)
{
	u32 depth = min_t(u32, READ_ONCE(l0_depth), ZCB_L0_DEPTH);
	u32 in_arena = page % pool->arenas[0]->npages;

	lockdep_assert_held(&pool->mem_lock);
	if (!is_power_of_2(npages) || in_arena & (npages - 1))
		return false;
	if (!zcb_arena_open(zcb_pool_arena_at(pool, page)))
		return false;
	if (pool->l0_blocks >= MAGAZINE_BLOCKS ||
	    !zcb_l0_keep(magazine_of_cpu(pool), depth, ilog2(npages), page))
		return false;
	pool->l0_blocks++;
	return true;
}

/**
 * zcb_magazine_put_locked - give pages back
 * @pool: the pool; its mem_lock is held
 * @page: the first
 * @npages: how many, of one arena
 *
 * Context: any that may hold the lock.
 * Return: 0, or a bug of the caller that the buddy has noticed: they were free,
 * and nothing has changed.
 */
int zcb_magazine_put_locked(struct zcb_pool *pool, u32 page, u32 npages)
{
	if (magazine_keep(pool, page, npages))
		return 0;
	return magazine_buddy_put(pool, page, npages);
}

/**
 * zcb_magazine_has_locked - would zcb_magazine_get_locked() find a block
 * @pool: the pool; its mem_lock is held
 * @order: of the block
 *
 * Context: as zcb_magazine_drain_locked().
 * Return: true if so.
 */
bool zcb_magazine_has_locked(struct zcb_pool *pool, u32 order)
{
	return magazine_buddy_has(pool, order) ||
	       (zcb_magazine_drain_locked(pool) &&
		magazine_buddy_has(pool, order));
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Free blocks of pages. A small one that comes back stays with the CPU, whole, for
 * its next request of that size: it is neither joined with its neighbours nor
 * split again, and is the memory that CPU has used last. It counts as free:
 * whoever does not find a block, or asks what there is in one piece, has all CPUs'
 * blocks given to the buddies first. Who wants one of a node leaves them alone if no
 * page of them is of that.
 *
 * A slab that becomes empty stays with the CPU as well, with its bookkeeping, for
 * the session that had it: to that one it need not be zeroed, so it is leased in
 * the hold in which it is asked for. It is nobody's meanwhile, and free. Objects
 * are not kept: a slab is its session's already, and taking a bit of it is the
 * cheapest there is. In instructions, of a call that frees one object and one that
 * allocates one, some 7500 together: 970 were for the lease of a slab of its own
 * and its end, and up to 2800 if the slab is large; with a kept one they are 530
 * and 690. 64 objects in one call cost 415 each per call, whatever is kept.
 *
 * The pool's mem_lock, which every hand-out takes anyway for the records, guards
 * the CPUs' stacks as well. So anybody can drain them, and being moved to another
 * CPU half way does no harm.
 */
#include <linux/cpumask.h>
#include <linux/log2.h>
#include <linux/moduleparam.h>
#include <linux/numa.h>
#include <linux/slab.h>

#include "magazine.h"
#include "pool.h"

#define MAGAZINE_BLOCKS	512U	/* kept by all CPUs together: one drains them */
#define MAGAZINE_SLABS	4U	/* of a class, by one CPU: who asks looks at all */

static uint l0_depth = ZCB_L0_DEPTH;
module_param(l0_depth, uint, 0644);
MODULE_PARM_DESC(l0_depth,
		 "freed pages of a pool that a CPU keeps, half as many blocks of 2, 4, ... 32 pages; 0: none, and no slabs (64, the most)");

static u32 magazine_depth(void)
{
	return min_t(u32, READ_ONCE(l0_depth), ZCB_L0_DEPTH);
}

static struct zcb_magazine *magazine_of_cpu(struct zcb_pool *pool)
{
	return &pool->magazines[raw_smp_processor_id()];
}

/* zcb_magazine_init() - of a CPU that keeps nothing */
void zcb_magazine_init(struct zcb_magazine *m)
{
	u32 i;

	zcb_l0_init(&m->blocks);
	for (i = 0; i < ZCB_SLAB_CLASSES; i++)
		INIT_LIST_HEAD(&m->slabs[i]);
	memset(m->nslabs, 0, sizeof(m->nslabs));
}

static int magazine_arena_get(struct zcb_arena *a, u32 order, int nid,
			      u32 *page)
{
	if (nid == NUMA_NO_NODE)
		return zcb_buddy_alloc(&a->buddy, order, page);
	return zcb_arena_alloc_on(a, nid, order, page);
}

/* Pages are numbered through all arenas. */
static int magazine_buddy_get(struct zcb_pool *pool, u32 order, int nid,
			      u32 *page)
{
	u32 i;

	lockdep_assert_held(&pool->mem_lock);
	for (i = 0; i < pool->narenas; i++) {
		if (!zcb_arena_open(pool->arenas[i]) ||
		    magazine_arena_get(pool->arenas[i], order, nid, page))
			continue;
		*page += pool->arenas[i]->index;
		pool->arenas[i]->touched = true;
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

/* A slab that the CPU keeps no longer; its pages are the caller's. */
static void magazine_take_slab(struct zcb_pool *pool, struct zcb_magazine *m,
			       struct zcb_slab *slab)
{
	lockdep_assert_held(&pool->mem_lock);
	list_del(&slab->node);
	m->nslabs[slab->class]--;
	pool->kept--;
}

static u32 magazine_slab_pages(const struct zcb_pool *pool,
			       const struct zcb_slab *slab)
{
	return 1U << pool->cfg.slabs.class[slab->class].order;
}

static void magazine_drain_slabs(struct zcb_pool *pool, struct zcb_magazine *m)
{
	struct zcb_slab *slab, *next;
	u32 i;

	for (i = 0; i < pool->cfg.slabs.n; i++)
		list_for_each_entry_safe(slab, next, &m->slabs[i], node) {
			magazine_take_slab(pool, m, slab);
			magazine_buddy_put(pool, slab->page,
					   magazine_slab_pages(pool, slab));
			kfree(slab);
		}
}

static void magazine_drain_blocks(struct zcb_pool *pool, struct zcb_l0 *blocks)
{
	u32 order, page;

	while (zcb_l0_drain(blocks, &order, &page)) {
		pool->kept--;
		magazine_buddy_put(pool, page, 1U << order);
	}
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
	bool any = pool->kept;
	u32 cpu;

	lockdep_assert_held(&pool->mem_lock);
	for (cpu = 0; pool->kept && cpu < nr_cpu_ids; cpu++) {
		magazine_drain_slabs(pool, &pool->magazines[cpu]);
		magazine_drain_blocks(pool, &pool->magazines[cpu].blocks);
	}
	return any;
}

static bool magazine_is_on(const struct zcb_pool *pool, u32 page, u32 npages,
			   int nid)
{
	return nid == NUMA_NO_NODE ||
	       zcb_arena_is_on(zcb_pool_arena_at(pool, page), nid, page, npages);
}

/* What the CPU has used last, or nothing: it is not searched for another node. */
static bool magazine_take(struct zcb_pool *pool, u32 order, int nid, u32 *page)
{
	struct zcb_l0 *blocks = &magazine_of_cpu(pool)->blocks;

	lockdep_assert_held(&pool->mem_lock);
	if (zcb_l0_take(blocks, order, page))
		return false;
	if (!magazine_is_on(pool, *page, 1U << order, nid)) {
		zcb_l0_keep(blocks, ZCB_L0_DEPTH, order, *page);
		return false;
	}
	pool->kept--;
	return true;
}

static bool magazine_meets(const struct zcb_pool *pool, u32 page, u32 npages,
			   int nid)
{
	return zcb_arena_meets(zcb_pool_arena_at(pool, page), nid, page,
			       npages);
}

static bool magazine_cpu_meets(const struct zcb_pool *pool,
			       const struct zcb_magazine *m, int nid)
{
	const struct zcb_slab *slab;
	u32 order, i;

	for (i = 0; i < pool->cfg.slabs.n; i++)
		list_for_each_entry(slab, &m->slabs[i], node)
			if (magazine_meets(pool, slab->page,
					   magazine_slab_pages(pool, slab),
					   nid))
				return true;
	for (order = 0; order < ZCB_L0_ORDERS; order++)
		for (i = 0; i < m->blocks.n[order]; i++)
			if (magazine_meets(pool,
					   zcb_l0_at(&m->blocks, order, i),
					   1U << order, nid))
				return true;
	return false;
}

/* May it help to drain? To find out costs no more than to do it. */
static bool magazine_keeps_on(const struct zcb_pool *pool, int nid)
{
	u32 cpu;

	lockdep_assert_held(&pool->mem_lock);
	if (nid == NUMA_NO_NODE)
		return true;
	for (cpu = 0; pool->kept && cpu < nr_cpu_ids; cpu++)
		if (magazine_cpu_meets(pool, &pool->magazines[cpu], nid))
			return true;
	return false;
}

/**
 * zcb_magazine_get_locked - a free block
 * @pool: the pool; its mem_lock is held
 * @order: of the block
 * @nid: of this NUMA node only, or NUMA_NO_NODE
 * @page: its first page
 *
 * Context: as zcb_magazine_drain_locked().
 * Return: 0, or -EAGAIN: none is free.
 */
int zcb_magazine_get_locked(struct zcb_pool *pool, u32 order, int nid,
			    u32 *page)
{
	int err;

	if (magazine_take(pool, order, nid, page))
		return 0;
	err = magazine_buddy_get(pool, order, nid, page);
	if (err && magazine_keeps_on(pool, nid) &&
	    zcb_magazine_drain_locked(pool))
		err = magazine_buddy_get(pool, order, nid, page);
	return err;
}

/*
 * Only what is a block: the tail of a group's may be any pages. And nothing that
 * nobody is to be given.
 */
static bool magazine_keep(struct zcb_pool *pool, u32 page, u32 npages)
{
	u32 in_arena = page % pool->arenas[0]->npages;

	lockdep_assert_held(&pool->mem_lock);
	if (!is_power_of_2(npages) || in_arena & (npages - 1))
		return false;
	if (!zcb_arena_open(zcb_pool_arena_at(pool, page)))
		return false;
	if (pool->kept >= MAGAZINE_BLOCKS ||
	    !zcb_l0_keep(&magazine_of_cpu(pool)->blocks, magazine_depth(),
			 ilog2(npages), page))
		return false;
	pool->kept++;
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

/**
 * zcb_magazine_get_slab_locked - an empty slab that may be leased at once
 * @pool: the pool, of TIERS; its mem_lock is held
 * @class: number of its class
 * @domain: who used it last and will use it again: nothing is to be zeroed
 * @nid: as of zcb_magazine_get_locked()
 *
 * Context: any that may hold the lock.
 * Return: the slab, which is the caller's with its pages, or NULL.
 */
struct zcb_slab *zcb_magazine_get_slab_locked(struct zcb_pool *pool, u32 class,
					      u32 domain, int nid)
{
	struct zcb_magazine *m = magazine_of_cpu(pool);
	struct zcb_slab *slab;

	lockdep_assert_held(&pool->mem_lock);
	list_for_each_entry(slab, &m->slabs[class], node) {
		if (zcb_buf_at(&pool->bufs, slab->page)->domain != domain ||
		    !magazine_is_on(pool, slab->page,
				    magazine_slab_pages(pool, slab), nid))
			continue;
		magazine_take_slab(pool, m, slab);
		return slab;
	}
	return NULL;
}

/* As many as blocks of their size, within reason. */
static u32 magazine_slabs(u32 order)
{
	u32 depth = magazine_depth();

	return depth ? clamp(depth >> order, 1U, MAGAZINE_SLABS) : 0;
}

/* Those that nobody has asked for are the oldest: who used them may be gone. */
static void magazine_trim_slabs(struct zcb_pool *pool, struct zcb_magazine *m,
				u32 class)
{
	u32 depth = magazine_slabs(pool->cfg.slabs.class[class].order);
	struct zcb_slab *slab;

	while (m->nslabs[class] > depth) {
		slab = list_last_entry(&m->slabs[class], struct zcb_slab, node);
		magazine_take_slab(pool, m, slab);
		zcb_magazine_put_locked(pool, slab->page,
					magazine_slab_pages(pool, slab));
		kfree(slab);
	}
}

/**
 * zcb_magazine_put_slab_locked - keep an empty slab for who had it
 * @pool: the pool; its mem_lock is held
 * @slab: it; zcb_slab_fini() and zcb_buf_unlease() have been called
 *
 * Context: any that may hold the lock.
 * Return: false if it stays the caller's, with its pages.
 */
bool zcb_magazine_put_slab_locked(struct zcb_pool *pool, struct zcb_slab *slab)
{
	struct zcb_magazine *m = magazine_of_cpu(pool);

	lockdep_assert_held(&pool->mem_lock);
	if (!magazine_depth() || pool->kept >= MAGAZINE_BLOCKS ||
	    !zcb_arena_open(zcb_pool_arena_at(pool, slab->page)))
		return false;
	list_add(&slab->node, &m->slabs[slab->class]);
	m->nslabs[slab->class]++;
	pool->kept++;
	magazine_trim_slabs(pool, m, slab->class);
	return true;
}

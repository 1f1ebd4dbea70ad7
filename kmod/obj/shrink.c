// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that pools can do without. When the machine is short of it, what CPUs keep
 * goes to the buddies, where it joins its neighbours; then arenas that pools have
 * added by themselves, and that are empty, go back to the machine.
 *
 * Called from wherever memory is allocated, so under every lock that somebody may
 * allocate under: of the table of pools (trylock) and all but mem_lock. The latter is
 * a spin lock under which nothing is allocated. Nothing is waited for: arenas are
 * given back by the work item of their pool.
 */
#include <linux/err.h>

#include "../compat.h"
#include "magazine.h"
#include "pool.h"
#include "shrink.h"
#include "stat.h"

static struct shrinker *shrinker;

/* A block or slab that is kept counts as a page. */
static unsigned long shrink_count_pool(struct zcb_pool *pool)
{
	unsigned long n;

	spin_lock(&pool->mem_lock);
	n = pool->kept;
	spin_unlock(&pool->mem_lock);
	return n + (zcb_pool_spare(pool) >> PAGE_SHIFT);
}

static unsigned long shrink_pool(struct zcb_pool *pool, unsigned long pages)
{
	unsigned long n;

	spin_lock(&pool->mem_lock);
	n = pool->kept;
	zcb_magazine_drain_locked(pool);
	spin_unlock(&pool->mem_lock);
	if (n < pages)
		n += zcb_pool_retire_spare(pool, (u64)(pages - n) <<
					   PAGE_SHIFT) >> PAGE_SHIFT;
	return n;
}

/* NULL: no more, or somebody is busy with the table. */
static struct zcb_pool *shrink_next(u32 *cursor)
{
	struct zcb_pool *pool = zcb_pool_try_next(cursor);

	return IS_ERR(pool) ? NULL : pool;
}

/**
 * zcb_shrink_count - how much is there
 *
 * Context: any that may sleep for memory; does not.
 * Return: pages, which somebody may hold after all.
 */
unsigned long zcb_shrink_count(void)
{
	struct zcb_pool *pool;
	unsigned long n = 0;
	u32 cursor = 0;

	while ((pool = shrink_next(&cursor))) {
		n += shrink_count_pool(pool);
		zcb_pool_put(pool);
	}
	return n;
}

/**
 * zcb_shrink_scan - give some of it back
 * @pages: so much, or a little more, as it goes by arenas
 *
 * Context: as zcb_shrink_count().
 * Return: pages that are on their way; 0: nothing can be done now.
 */
unsigned long zcb_shrink_scan(unsigned long pages)
{
	struct zcb_pool *pool;
	unsigned long n = 0;
	u32 cursor = 0;

	while (n < pages && (pool = shrink_next(&cursor))) {
		n += shrink_pool(pool, pages - n);
		zcb_pool_put(pool);
	}
	return n;
}

static unsigned long shrinker_count(struct shrinker *s,
				    struct shrink_control *sc)
{
	return zcb_shrink_count();
}

static unsigned long shrinker_scan(struct shrinker *s,
				   struct shrink_control *sc)
{
	return zcb_shrink_scan(sc->nr_to_scan) ?: SHRINK_STOP;
}

/**
 * zcb_shrink_init - after the table of pools is there
 *
 * Return: 0 or -ENOMEM.
 */
int zcb_shrink_init(void)
{
	shrinker = zcb_shrinker("zcbuf", shrinker_count, shrinker_scan);
	return shrinker ? 0 : -ENOMEM;
}

/* zcb_shrink_exit() - before it goes; nobody is in there any more then */
void zcb_shrink_exit(void)
{
	shrinker_free(shrinker);
}

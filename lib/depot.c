// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What is behind the magazines: the stock that threads have in common, and where
 * the magazines themselves come from.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "cache.h"

/*
 * What is found where there is no magazine: always empty and always full. Takes
 * store its count, and store it back; it says nothing.
 */
static struct zcbuf_magazine no_magazine = {
	.head = __LONG_MAX__,
	.limit = -__LONG_MAX__,
};

static struct zcbuf_cache no_cache = {
	.way = { [0 ... ZCBUF_CACHE_WAYS - 1] = &no_magazine },
};

bool zcb_mag_is(const struct zcbuf_magazine *mag)
{
	return mag != &no_magazine;
}

void zcb_cache_none(struct zcbuf_pool *pool)
{
	__u32 i;

	for (i = 0; i < ZCBUF_CACHE_THREADS; i++)
		pool->caches.of[i] = &no_cache;
}

void zcb_depot_forget(struct zcb_depot *depot)
{
	zcb_cache_none(depot->pool);
}

_Static_assert(!offsetof(struct zcbuf_pool, caches), "a pool begins with them");

static struct zcb_local *local_new(void)
{
	struct zcb_local *local = calloc(1, sizeof(*local));

	if (local)
		local->cache = no_cache;
	return local;
}

struct zcb_local *zcb_depot_local(struct zcb_depot *depot, __u32 number)
{
	struct zcbuf_cache **of = &depot->pool->caches.of[number];
	struct zcb_local *local;

	if (!number)
		return NULL;
	if (*of != &no_cache)
		return (struct zcb_local *)*of;
	local = local_new();
	if (!local)
		return NULL;
	if (!depot->locals)
		zcb_pressure_open(depot);
	local->next = depot->locals;
	/* Before it is looked who waits: see zcb_cache_call(). */
	__atomic_store_n(&depot->locals, local, __ATOMIC_SEQ_CST);
	*of = &local->cache;
	return local;
}

/* All lengths between two powers of two are of one class, or go the long way. */
static void ways_of(const struct zcbuf_pool *pool, struct zcb_local *local,
		    struct zcbuf_magazine *mag)
{
	const int cls = mag->cls;
	__u32 bits;

	for (bits = 3; bits < 20; bits++)
		if (zcb_cache_class(pool, (1U << bits) + 1) == cls &&
		    zcb_cache_class(pool, 2U << bits) == cls)
			local->cache.way[bits] = mag;
	if (zcb_cache_class(pool, 1) != zcb_cache_class(pool, 16))
		local->cache.way[3] = &no_magazine;
}

struct zcbuf_magazine *zcb_depot_magazine(struct zcb_depot *depot,
					  struct zcb_local *local, __u32 cls)
{
	struct zcbuf_magazine **way = &local->cache.way[ZCB_WAY_CLASS + cls];
	void *memory;

	if (zcb_mag_is(*way))
		return *way;
	if (!depot->limit[cls] || atomic_load(&depot->blind) ||
	    posix_memalign(&memory, 64, sizeof(**way)))
		return NULL;
	*way = memory;
	zcb_mag_init(*way, cls, depot->limit[cls]);
	ways_of(depot->pool, local, *way);
	return *way;
}

unsigned int zcb_stock_take(struct zcb_depot *depot, __u32 cls,
			    struct zcbuf_obj **objs, unsigned int n)
{
	struct zcb_stock *stock = &depot->stock[cls];
	unsigned int i;

	for (i = 0; i < n && stock->n; i++)
		objs[i] = stock->shelf->obj[--stock->n];
	return i;
}

unsigned int zcb_stock_put(struct zcb_depot *depot, __u32 cls,
			   struct zcbuf_obj **objs, unsigned int n)
{
	struct zcb_stock *stock = &depot->stock[cls];
	const __u32 most = ZCB_STOCK * depot->limit[cls];
	unsigned int i;

	if (!stock->shelf)
		stock->shelf = calloc(1, sizeof(*stock->shelf));
	if (!stock->shelf)
		return 0;
	for (i = 0; i < n && stock->n < most; i++)
		stock->shelf->obj[stock->n++] = objs[i];
	return i;
}

int zcb_cache_open(struct zcbuf_pool *pool, const struct zcbuf_pool_info *info,
		   const struct zcbuf_class_info *classes)
{
	struct zcb_depot *depot;

	depot = calloc(1, sizeof(*depot));
	if (!depot)
		return -ENOMEM;
	pthread_mutex_init(&depot->lock, NULL);
	depot->pool = pool;
	pool->depot = depot;
	zcb_limits_of(depot, info, classes);
	zcb_thread_list(depot);
	return 0;
}

__u64 zcb_depot_bytes(const struct zcb_depot *depot)
{
	const struct zcbuf_magazine *mag;
	const struct zcb_local *local;
	__u64 sum = 0;
	__u64 bytes;
	__u32 i;

	for (i = 0; i < ZCB_CLASSES; i++) {
		bytes = zcb_cache_class_bytes(depot->pool, i);
		sum += bytes * depot->stock[i].n;
		for (local = depot->locals; local; local = local->next) {
			mag = local->cache.way[ZCB_WAY_CLASS + i];
			if (zcb_mag_is(mag))
				sum += bytes * zcb_mag_count(mag);
		}
	}
	return sum;
}

bool zcb_depot_keeps(const struct zcbuf_pool *pool)
{
	if (pool->session.fd < 0)
		return false;
	return __atomic_load_n(&pool->depot->locals, __ATOMIC_SEQ_CST);
}

void zcb_cache_close(struct zcbuf_pool *pool)
{
	if (!pool->depot)
		return;
	zcb_thread_unlist(pool->depot);
	zcb_cache_none(pool);
	zcb_pressure_close(pool->depot);
}

static void local_free(struct zcb_local *local)
{
	__u32 i;

	for (i = ZCB_WAY_CLASS; i < ZCBUF_CACHE_WAYS; i++)
		if (zcb_mag_is(local->cache.way[i]))
			free(local->cache.way[i]);
	free(local);
}

void zcb_cache_free(struct zcbuf_pool *pool)
{
	struct zcb_depot *depot = pool->depot;
	struct zcb_local *local;
	__u32 i;

	if (!depot)
		return;
	while ((local = depot->locals)) {
		depot->locals = local->next;
		local_free(local);
	}
	for (i = 0; i < ZCB_CLASSES; i++)
		free(depot->stock[i].shelf);
	zcb_records_free(depot);
	free(depot);
}

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Giving back what is kept: to the kernel, from the stock and from the magazines of
 * all threads, which need not do anything for it.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/membarrier.h>

#include "cache.h"

#define TRIES	8	/* while others keep on freeing */

/*
 * FREE stops at what it refuses. None of it can be: it is the session's. Unless
 * that is no more, and all is free.
 */
void zcb_give(struct zcb_depot *depot, struct zcbuf_obj **objs, unsigned int n)
{
	__u64 handles[ZCBUF_MAGAZINE_MAX];
	unsigned int i;

	for (i = 0; i < n; i++)
		handles[i] = objs[i]->handle;
	if (n)
		zcb_batch(depot->pool, ZCBUF_NR_FREE, 0, handles, n, 0);
	zcb_records_put(depot, objs, n);
}

static unsigned int give_stock(struct zcb_depot *depot)
{
	struct zcbuf_obj *objs[ZCBUF_MAGAZINE_MAX];
	unsigned int sum = 0;
	unsigned int n;
	__u32 i;

	for (i = 0; i < ZCB_CLASSES; i++)
		while ((n = zcb_stock_take(depot, i, objs, ARRAY_SIZE(objs)))) {
			zcb_give(depot, objs, n);
			sum += n;
		}
	return sum;
}

static bool barrier_of(int cmd)
{
	return !syscall(SYS_membarrier, cmd, 0, 0);
}

/* All other threads, too, execute a full barrier. */
static bool all_fence(void)
{
	if (barrier_of(MEMBARRIER_CMD_PRIVATE_EXPEDITED))
		return true;
	return barrier_of(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) &&
	       barrier_of(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
}

static bool local_claim(struct zcb_local *local)
{
	bool any = false;
	__u32 i;

	for (i = ZCB_WAY_CLASS; i < ZCBUF_CACHE_WAYS; i++)
		if (zcb_mag_is(local->cache.way[i]))
			any |= zcb_mag_claim(local->cache.way[i]);
	return any;
}

static unsigned int local_settle(struct zcb_depot *depot,
				 struct zcb_local *local, bool fenced)
{
	struct zcbuf_obj *objs[ZCBUF_MAGAZINE_MAX];
	struct zcbuf_magazine *mag;
	unsigned int sum = 0;
	unsigned int n;
	__u32 i;

	for (i = ZCB_WAY_CLASS; i < ZCBUF_CACHE_WAYS; i++) {
		mag = local->cache.way[i];
		if (!zcb_mag_is(mag))
			continue;
		n = zcb_mag_settle(mag, fenced, objs);
		mag->batch = 1;
		zcb_give(depot, objs, n);
		sum += n;
	}
	return sum;
}

/* What other threads keep is theirs while there is no barrier to be had. */
unsigned int zcb_give_all(struct zcb_depot *depot)
{
	struct zcbuf_cache *mine = depot->pool->caches.of[zcbuf_thread];
	struct zcb_local *local;
	unsigned int sum;
	bool others = false;
	bool fenced = true;
	bool any;

	zcb_pressure_seen(depot);
	sum = give_stock(depot);
	for (local = depot->locals; local; local = local->next) {
		any = local_claim(local);
		others |= any && &local->cache != mine;
	}
	if (others)
		fenced = all_fence();
	for (local = depot->locals; local; local = local->next)
		sum += local_settle(depot, local,
				    fenced || &local->cache == mine);
	return sum;
}

int zcb_give_for(struct zcb_depot *depot, struct zcbuf_alloc *arg)
{
	int tries = TRIES;
	int err;

	do
		err = zcb_call(depot->pool->session.fd, ZCBUF_NR_ALLOC, arg);
	while (err == -ENOMEM && tries-- && zcb_give_all(depot));
	return err;
}

/* Nobody has that number but who has locked the threads. */
void zcb_give_of(struct zcb_depot *depot, __u32 number)
{
	struct zcb_local *local;

	if (depot->pool->session.fd < 0)
		return;
	pthread_mutex_lock(&depot->lock);
	for (local = depot->locals; local; local = local->next)
		if (&local->cache == depot->pool->caches.of[number]) {
			local_claim(local);
			local_settle(depot, local, true);
		}
	pthread_mutex_unlock(&depot->lock);
}

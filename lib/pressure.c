// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Pressure: other processes find no memory in the pool. A word that the kernel writes
 * says so, and is looked at where a call of the kernel is near in any case: to get and
 * put objects of a magazine is as short as ever. Whichever thread sees it gives back
 * what all of them keep, see magazine.h.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cache.h"

/* A kernel that has no such page never tells. */
void zcb_pressure_open(struct zcb_depot *depot)
{
	const long bytes = sysconf(_SC_PAGESIZE);
	const struct zcbuf_control *page;

	page = zcb_map_part(depot->pool->session.fd, bytes, PROT_READ,
			    ZCBUF_MMAP_CONTROL);
	if (!page)
		return;
	depot->pressure = __atomic_load_n(&page->pressure, __ATOMIC_RELAXED);
	/* Pairs with the acquire in pressure_is(). */
	__atomic_store_n(&depot->control, page, __ATOMIC_RELEASE);
}

void zcb_pressure_close(struct zcb_depot *depot)
{
	const long bytes = sysconf(_SC_PAGESIZE);

	/* A fork child has no mapping; something else may be there now. */
	if (depot->control && depot->pool->session.fd >= 0)
		munmap((void *)depot->control, bytes);
	depot->control = NULL;
}

/* May be behind: then it is seen the next time. */
static bool pressure_is(const struct zcb_depot *depot, __u64 *now)
{
	const struct zcbuf_control *page;

	page = __atomic_load_n(&depot->control, __ATOMIC_ACQUIRE);
	if (!page)
		return false;
	*now = __atomic_load_n(&page->pressure, __ATOMIC_RELAXED);
	return *now != __atomic_load_n(&depot->pressure, __ATOMIC_RELAXED);
}

void zcb_pressure_seen(struct zcb_depot *depot)
{
	__u64 now;

	if (pressure_is(depot, &now))
		__atomic_store_n(&depot->pressure, now, __ATOMIC_RELAXED);
}

bool zcb_pressure_look(struct zcb_depot *depot)
{
	__u64 now;

	if (!pressure_is(depot, &now))
		return false;
	zcb_give_all(depot);
	return true;
}

int zcbuf_cache_look(struct zcbuf_pool *pool)
{
	__u64 now;

	if (pool->session.fd < 0)
		return -EBADF;
	return pressure_is(pool->depot, &now) ? zcbuf_cache_flush(pool) : 0;
}

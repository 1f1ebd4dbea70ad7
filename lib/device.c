// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The device: opening it, asking it, and the one place that calls it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

#include "internal.h"

#define MAX_STRUCT	4096	/* a size beyond this is no size */

/* Relaxed: each is a plain count, nothing is published through them. */
static atomic_ullong calls[ZCBUF_NR_CALLS];

int zcb_call(int fd, unsigned int nr, void *arg)
{
	if (fd < 0)
		return -EBADF;
	atomic_fetch_add_explicit(&calls[nr], 1, memory_order_relaxed);
	if (ioctl(fd, _IO(ZCBUF_IOC_TYPE, nr), arg) < 0)
		return -errno;
	return 0;
}

void zcb_call_reset(void)
{
	unsigned int i;

	for (i = 0; i < ZCBUF_NR_CALLS; i++)
		atomic_store_explicit(&calls[i], 0, memory_order_relaxed);
}

int zcbuf_stats(struct zcbuf_stats *stats)
{
	struct zcbuf_stats now = { .sz = stats->sz };
	unsigned int i;

	if (stats->sz < sizeof(now) || stats->sz > MAX_STRUCT)
		return -EINVAL;

	for (i = 0; i < ZCBUF_NR_CALLS; i++) {
		now.calls[i] = atomic_load_explicit(&calls[i],
						    memory_order_relaxed);
		now.ioctls += now.calls[i];
	}
	memset(stats, 0, stats->sz);
	memcpy(stats, &now, sizeof(now));
	return 0;
}

int zcbuf_open(int oflags)
{
	int fd;

	if (oflags & ~(O_ACCMODE | O_NONBLOCK | O_CLOEXEC))
		return -EOPNOTSUPP;

	fd = open(ZCBUF_DEVICE, oflags | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	/* No node, or a node whose module is gone: to the user the same. */
	if (errno == ENOENT || errno == ENXIO)
		return -ENODEV;
	return -errno;
}

int zcbuf_query(int fd, struct zcbuf_query *query)
{
	__u32 size = query->size;

	if (size < sizeof(query->size) + sizeof(query->flags) ||
	    size > MAX_STRUCT)
		return -EINVAL;

	/* A tail this kernel does not know must be 0 on the way in. */
	memset(query, 0, size);
	query->size = size;
	return zcb_call(fd, ZCBUF_NR_QUERY, query);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * NUMA nodes of this machine, without libnuma.
 */
#ifndef ZCBUF_SELFTEST_NODES_H
#define ZCBUF_SELFTEST_NODES_H

#include <sys/syscall.h>
#include <unistd.h>

#include <linux/mempolicy.h>

#include "ktap.h"

#define NODES_MAX	1024

/* The nodes this process may have memory of, in order. */
static __inline__ int nodes_allowed(__u32 *nodes)
{
	unsigned long mask[NODES_MAX / (8 * sizeof(unsigned long))] = {};
	const int bits = 8 * sizeof(*mask);
	int i, n = 0;

	ASSERT_OK(syscall(SYS_get_mempolicy, NULL, mask, NODES_MAX, NULL,
			  MPOL_F_MEMS_ALLOWED));
	for (i = 0; i < NODES_MAX; i++)
		if (mask[i / bits] >> i % bits & 1)
			nodes[n++] = i;
	return n;
}

/* Of the page at an address, as the core sees it. */
static __inline__ int nodes_of(const void *addr)
{
	int node = -1;

	(void)*(const volatile char *)addr;
	ASSERT_OK(syscall(SYS_move_pages, 0, 1L, &addr, NULL, &node, 0));
	return node;
}

#endif /* ZCBUF_SELFTEST_NODES_H */

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * pair_dpdk: the same with a mempool of DPDK, in front of whose ring each thread
 * has a cache of 512.
 */
#include <stdio.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mempool.h>

#include "../pair.h"

#define CAPACITY	1023
#define CACHE		512

PAIR_INLINE uintptr_t get(void *ctx)
{
	void *buffer = NULL;

	rte_mempool_get(ctx, &buffer);
	return (uintptr_t)buffer;
}

PAIR_INLINE void put(void *ctx, uintptr_t buffer)
{
	rte_mempool_put(ctx, (void *)buffer);
}

PAIR_RUNS(get, put)

static void measure(size_t size, const char *name)
{
	struct rte_mempool *pool;

	pool = rte_mempool_create(name, CAPACITY, size, CACHE, 0, NULL, NULL,
				  NULL, NULL, SOCKET_ID_ANY, 0);
	if (!pool)
		bench_ok(-rte_errno, "rte_mempool_create");
	pair_measure("rte_mempool", size, pool);
	rte_mempool_free(pool);
}

int main(int argc, char **argv)
{
	static char *options[] = {
		"bench", "--no-huge", "--no-pci", "--no-shconf", "-m", "256",
		"-l", "0", "--log-level=error", "--no-telemetry", NULL,
	};
	char name[16];
	size_t i;

	(void)argc;
	options[0] = argv[0];
	if (rte_eal_init(10, options) < 0)
		bench_ok(-rte_errno, "rte_eal_init");
	for (i = 0; i < PAIR_SIZES; i++) {
		snprintf(name, sizeof(name), "pool%zu", i);
		measure(pair_sizes[i], name);
	}
	rte_eal_cleanup();
	return 0;
}

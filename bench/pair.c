// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * pair: buffers of a tier pool, which are got and put without a system call.
 *
 * Built a second time with the device that the library's tests have, as
 * pair.native: there is no call to the kernel in what is measured.
 */
#include <stdlib.h>

#include <zcbuf/zcbuf.h>

#include "pair.h"

#define CAPACITY	1024	/* as the peers' */

PAIR_INLINE uintptr_t get(void *ctx)
{
	struct zcbuf_tpool *tpool = ctx;
	int index = zcbuf_tpool_get(tpool, 0);

	BENCH_USE(zcbuf_tpool_value(tpool, index));
	return index;
}

PAIR_INLINE void put(void *ctx, uintptr_t buffer)
{
	zcbuf_tpool_put(ctx, buffer);
}

PAIR_RUNS(get, put)

static __u32 tier_of(size_t size)
{
	__u32 tier = 0;

	while (zcbuf_tier_size(tier) < size)
		tier++;
	return tier;
}

static void measure(struct zcbuf_pool *pool, size_t size)
{
	const struct zcbuf_tpool_opts opts = {
		.sz = sizeof(opts),
		.tier = tier_of(size),
		.capacity = CAPACITY,
	};
	struct bench_op aligned = {
		.area = "pair", .op = "hot, page-aligned", .who = "zcbuf, tier pool",
		.variant = bench_size(size), .run = run_hot,
	};
	struct zcbuf_tpool *tpool;

	bench_ok(zcbuf_tpool_create(pool, &opts, &tpool), "tier pool");
	pair_measure("zcbuf, tier pool", size, tpool);
	/* Which these are, as they are. */
	aligned.ctx = tpool;
	if (size >= 4096)
		bench(&aligned);
	zcbuf_tpool_close(tpool);
}

int main(void)
{
	const struct zcbuf_pool_opts opts = {
		.sz = sizeof(opts),
		.arena_size = CAPACITY * 65536 * 2,
	};
	struct zcbuf_pool *pool;
	size_t i;

	bench_ok(zcbuf_pool_create(&pool, &opts), "pool");
	for (i = 0; i < PAIR_SIZES; i++)
		measure(pool, pair_sizes[i]);
	return zcbuf_pool_close(pool);
}

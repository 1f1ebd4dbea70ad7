// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * objects: of the magazine of a thread, which are got and put without a system call
 * and without a word that other threads write.
 */
#include <stdlib.h>

#include <zcbuf/cache.h>

#include "pair.h"

static size_t length;

PAIR_INLINE uintptr_t get(void *ctx)
{
	struct zcbuf_obj *obj;

	zcbuf_obj_alloc(ctx, length, &obj);
	BENCH_USE(obj->buf.data);
	return (uintptr_t)obj;
}

PAIR_INLINE void put(void *ctx, uintptr_t buffer)
{
	(void)ctx;
	zcbuf_obj_free((struct zcbuf_obj *)buffer);
}

PAIR_RUNS(get, put)

/* Where nobody frees twice. */
PAIR_INLINE void put_unchecked(void *ctx, uintptr_t buffer)
{
	(void)ctx;
	zcbuf_obj_free_unchecked((struct zcbuf_obj *)buffer);
}

static void run_unchecked(void *ctx, unsigned long n)
{
	pair_hot(ctx, n, get, put_unchecked);
}

static void measure(struct zcbuf_pool *pool, size_t size)
{
	struct bench_op op = {
		.area = "pair", .op = "hot", .variant = bench_size(size),
		.who = "zcbuf, unchecked", .run = run_unchecked, .ctx = pool,
	};

	length = size;
	pair_measure("zcbuf", size, pool);
	bench(&op);
	op.op = "hot, page-aligned";
	op.who = "zcbuf";
	op.run = run_hot;
	if (size >= 4096)
		bench(&op);
}

int main(void)
{
	const struct zcbuf_pool_opts opts = {
		.sz = sizeof(opts), .kind = ZCBUF_POOL_TIERS,
		.arena_size = 128 << 20,
	};
	struct zcbuf_pool *pool;
	size_t i;

	bench_ok(zcbuf_pool_create(&pool, &opts), "pool");
	for (i = 0; i < PAIR_SIZES; i++)
		measure(pool, pair_sizes[i]);
	return zcbuf_pool_close(pool);
}

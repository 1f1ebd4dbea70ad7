// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * pair_malloc WHO: the same with malloc() and free(), of the C library or of what
 * LD_PRELOAD puts in its place; and with memory that begins with a page, which
 * zcbuf's does of itself.
 */
#include <stdlib.h>

#include "pair.h"

PAIR_INLINE uintptr_t get(void *ctx)
{
	return (uintptr_t)malloc((size_t)ctx);
}

PAIR_INLINE void put(void *ctx, uintptr_t buffer)
{
	(void)ctx;
	free((void *)buffer);
}

PAIR_RUNS(get, put)

PAIR_INLINE uintptr_t get_aligned(void *ctx)
{
	return (uintptr_t)aligned_alloc(4096, (size_t)ctx);
}

static void run_aligned(void *ctx, unsigned long n)
{
	pair_hot(ctx, n, get_aligned, put);
}

int main(int argc, char **argv)
{
	const char *who = argc > 1 ? argv[1] : "glibc";
	struct bench_op op = {
		.area = "pair", .op = "hot, page-aligned", .who = who,
		.run = run_aligned,
	};
	size_t i;

	for (i = 0; i < PAIR_SIZES; i++)
		pair_measure(who, pair_sizes[i], (void *)pair_sizes[i]);
	for (i = 0; i < PAIR_SIZES; i++) {
		if (pair_sizes[i] < 4096)
			continue;
		op.variant = bench_size(pair_sizes[i]);
		op.ctx = (void *)pair_sizes[i];
		bench(&op);
	}
	return 0;
}

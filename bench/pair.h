/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Buffers got and put: what is measured, the same for every allocator. Each of them
 * brings get and put, which become part of the loops here: nothing is called
 * through a pointer but what the allocator itself calls so.
 */
#ifndef ZCBUF_BENCH_PAIR_H
#define ZCBUF_BENCH_PAIR_H

#include <stdint.h>
#include <stdio.h>

#include "harness/bench.h"

#define PAIR_BATCH	64
#define PAIR_INLINE	static inline __attribute__((__always_inline__))

/* A buffer, as the allocator calls it: an address, an index. */
typedef uintptr_t (*pair_get)(void *ctx);
typedef void (*pair_put)(void *ctx, uintptr_t buffer);

/* One, which comes back at once. */
PAIR_INLINE void pair_hot(void *ctx, unsigned long n, pair_get get,
			  pair_put put)
{
	uintptr_t buffer;

	while (n--) {
		buffer = get(ctx);
		BENCH_USE(buffer);
		put(ctx, buffer);
	}
}

/* Many, the last one comes back first. */
PAIR_INLINE void pair_lifo(void *ctx, unsigned long n, pair_get get,
			   pair_put put)
{
	uintptr_t buffer[PAIR_BATCH];
	int i;

	while (n--) {
		for (i = 0; i < PAIR_BATCH; i++)
			buffer[i] = get(ctx);
		while (i--)
			put(ctx, buffer[i]);
	}
}

/* Many, which come back in an order that has none. */
PAIR_INLINE void pair_random(void *ctx, unsigned long n, pair_get get,
			     pair_put put)
{
	uintptr_t buffer[PAIR_BATCH];
	int i;

	while (n--) {
		for (i = 0; i < PAIR_BATCH; i++)
			buffer[i] = get(ctx);
		/* Odd, so each comes once. */
		for (i = 0; i < PAIR_BATCH; i++)
			put(ctx, buffer[(i * 37 + 11) % PAIR_BATCH]);
	}
}

/* The three of them, as functions of one allocator. */
#define PAIR_RUNS(get, put)						\
static void run_hot(void *ctx, unsigned long n)				\
{									\
	pair_hot(ctx, n, get, put);					\
}									\
static void run_lifo(void *ctx, unsigned long n)			\
{									\
	pair_lifo(ctx, n, get, put);					\
}									\
static void run_random(void *ctx, unsigned long n)			\
{									\
	pair_random(ctx, n, get, put);					\
}									\
static void pair_measure(const char *who, size_t size, void *ctx)	\
{									\
	struct bench_op op = {						\
		.area = "pair", .op = "hot",				\
		.variant = bench_size(size), .who = who,		\
		.run = run_hot, .prepare = NULL, .ctx = ctx,		\
	};								\
									\
	bench(&op);							\
	op.parts = PAIR_BATCH;						\
	op.op = "64 at a time, LIFO";					\
	op.run = run_lifo;						\
	bench(&op);							\
	op.op = "64 at a time, random";					\
	op.run = run_random;						\
	bench(&op);							\
}

static const size_t pair_sizes[] = { 64, 1024, 4096, 65536 };
#define PAIR_SIZES	(sizeof(pair_sizes) / sizeof(pair_sizes[0]))

#endif /* ZCBUF_BENCH_PAIR_H */

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * library: what the library does in user space, with the device of its own tests,
 * by instructions. Where a call of the kernel is a part of it, what the device does
 * instead is not counted: nothing here makes any.
 */
#include <stdlib.h>

#include <zcbuf/records.h>

#include "../pair.h"

#define CAPACITY	256
#define WINDOW		(64U << 10)
#define RECORD		64

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

static void run_pair(void *ctx, unsigned long n)
{
	pair_hot(ctx, n, get, put);
}

static void measure_tpool(struct zcbuf_pool *pool, __u32 flags,
			  const char *variant)
{
	const struct zcbuf_tpool_opts opts = {
		.sz = sizeof(opts), .tier = ZCBUF_TIER_SMALL,
		.capacity = CAPACITY, .flags = flags,
	};
	struct bench_op op = {
		.area = "library", .op = "tier pool pair", .who = "zcbuf",
		.variant = variant, .run = run_pair,
	};
	struct zcbuf_tpool *tpool;

	bench_ok(zcbuf_tpool_create(pool, &opts, &tpool), "tier pool");
	op.ctx = tpool;
	bench(&op);
	zcbuf_tpool_close(tpool);
}

static void run_append(void *ctx, unsigned long n)
{
	void *to;

	while (n--) {
		zcbuf_appender_reserve(ctx, RECORD, 0, &to);
		BENCH_USE(to);
		zcbuf_appender_commit(ctx, RECORD);
	}
}

static void measure_appender(struct zcbuf_pool *pool, __u32 flags,
			     const char *variant)
{
	const struct zcbuf_channel_opts opts = {
		.sz = sizeof(opts), .ports = ZCBUF_PORT_PRODUCE,
	};
	const struct zcbuf_appender_opts how = {
		.sz = sizeof(how), .window = WINDOW, .flags = flags,
	};
	struct bench_op op = {
		.area = "library", .op = "record appended", .who = "zcbuf",
		.variant = variant, .run = run_append,
	};
	struct zcbuf_appender *appender;
	struct zcbuf_channel *channel;

	bench_ok(zcbuf_channel_create(pool, &opts, &channel), "channel");
	bench_ok(zcbuf_appender_open(channel, &how, &appender), "appender");
	op.ctx = appender;
	bench(&op);
	zcbuf_appender_drop(appender);
	zcbuf_appender_close(appender);
	zcbuf_channel_close(channel);
}

static void run_addr(void *ctx, unsigned long n)
{
	while (n--)
		BENCH_USE(zcbuf_pool_addr(ctx, n * 64));
}

int main(void)
{
	struct bench_op op = {
		.area = "library", .op = "address of an offset",
		.variant = "-", .who = "zcbuf", .run = run_addr,
	};
	struct zcbuf_pool *pool;

	bench_ok(zcbuf_pool_create(&pool, NULL), "pool");
	measure_tpool(pool, 0, "own");
	measure_tpool(pool, ZCBUF_TPOOL_SHARED, "shared");
	measure_appender(pool, 0, "64");
	measure_appender(pool, ZCBUF_APPENDER_F_FRAMED, "64, framed");
	op.ctx = pool;
	bench(&op);
	return zcbuf_pool_close(pool);
}

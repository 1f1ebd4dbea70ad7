// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * curves: what the same operation costs when there is more and more of what it
 * should not depend on. The variant is how much there is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <zcbuf/zcbuf.h>

#include "harness/bench.h"

#define ARENA		(2UL << 20)
#define PAGE		4096U
#define MAX_SESSIONS	512U
#define MAX_CONSUMERS	64U
#define MAX_ARENAS	64U

static const char *count_text(unsigned long n)
{
	static char text[24];

	snprintf(text, sizeof(text), "%lu", n);
	return text;
}

static struct zcbuf_pool *create(__u64 arena_size, __u64 max_size)
{
	const struct zcbuf_pool_opts opts = {
		.sz = sizeof(opts),
		.arena_size = arena_size,
		.max_size = max_size,
	};
	struct zcbuf_pool *pool;

	bench_ok(zcbuf_pool_create(&pool, &opts), "pool");
	return pool;
}

/* ----------------------------------------------------------- ALLOC and FREE */

static void run_pair(void *ctx, unsigned long n)
{
	__u64 handle;

	while (n--) {
		bench_ok(zcbuf_alloc(ctx, PAGE, NULL, &handle, 1), "ALLOC");
		bench_ok(zcbuf_free(ctx, &handle, 1), "FREE");
	}
}

static void measure_pair(struct zcbuf_pool *pool, const char *op, unsigned long n)
{
	const struct bench_op what = {
		.area = "curves", .op = op, .variant = count_text(n),
		.who = "zcbuf", .run = run_pair, .ctx = pool,
	};

	bench(&what);
}

static void measure_sessions(void)
{
	static struct zcbuf_pool *session[MAX_SESSIONS];
	struct zcbuf_pool *pool = create(ARENA, 0);
	unsigned int n = 0, want;

	for (want = 1; want <= MAX_SESSIONS; want *= 8) {
		for (; n + 1 < want; n++)
			bench_ok(zcbuf_pool_attach_fd(&session[n],
						      zcbuf_pool_fd(pool),
						      NULL), "attach");
		measure_pair(pool, "ALLOC and FREE, sessions", want);
	}
	while (n--)
		zcbuf_pool_close(session[n]);
	zcbuf_pool_close(pool);
}

static void hold(struct zcbuf_pool *pool, unsigned int count)
{
	__u64 handles[ZCBUF_MAX_BATCH];
	unsigned int want;
	int got;

	for (; count; count -= got) {
		want = count < ZCBUF_MAX_BATCH ? count : ZCBUF_MAX_BATCH;
		got = zcbuf_alloc(pool, PAGE, NULL, handles, want);
		bench_ok(got, "ALLOC");
	}
}

static void measure_held(void)
{
	struct zcbuf_pool *pool = create(512UL << 20, 0);
	unsigned int held = 0, want;

	for (want = 100; want <= 100000; want *= 10) {
		hold(pool, want - held);
		held = want;
		measure_pair(pool, "ALLOC and FREE, buffers held", want);
	}
	zcbuf_pool_close(pool);
}

/* All arenas but the last are full. */
static void measure_arenas(void)
{
	struct zcbuf_pool *pool = create(ARENA, MAX_ARENAS * ARENA);
	unsigned int n = 1, want;

	for (want = 1; want <= MAX_ARENAS; want *= 4) {
		for (; n < want; n++) {
			hold(pool, ARENA / PAGE);
			bench_ok(zcbuf_pool_grow(pool), "grow");
		}
		measure_pair(pool, "ALLOC and FREE, arenas", want);
	}
	zcbuf_pool_close(pool);
}

/* ------------------------------------------------------------------ topics */

struct topic {
	struct zcbuf_pool *pool[1 + MAX_CONSUMERS];
	struct zcbuf_publisher *publisher;
	struct zcbuf_subscriber *subscriber[MAX_CONSUMERS];
	unsigned int consumers;
};

static const struct zcbuf_name name = {
	.service = "bench", .instance = "curves", .event = "message",
};

static void run_topic(void *ctx, unsigned long n)
{
	struct topic *t = ctx;
	struct zcbuf_sample sample;
	struct zcbuf_buf loan;
	unsigned int i;

	while (n--) {
		bench_ok(zcbuf_publisher_loan(t->publisher, 1024, 0, &loan),
			 "loan");
		bench_ok(zcbuf_publisher_publish(t->publisher, &loan, 1024,
						 NULL, 0, 0), "publish");
		for (i = 0; i < t->consumers; i++) {
			bench_ok(zcbuf_subscriber_take(t->subscriber[i],
						       &sample, 1, 0), "take");
			zcbuf_subscriber_release(t->subscriber[i], &sample, 1);
		}
	}
}

static void add_consumer(struct topic *t)
{
	const struct zcbuf_attach_opts opts = {
		.sz = sizeof(opts),
		.rights = ZCBUF_RIGHT_MAP_READ | ZCBUF_RIGHT_CONSUME,
	};
	unsigned int i = t->consumers++;

	bench_ok(zcbuf_pool_attach_fd(&t->pool[1 + i], zcbuf_pool_fd(t->pool[0]),
				      &opts), "attach");
	bench_ok(zcbuf_subscriber_open(t->pool[1 + i], &name, NULL,
				       &t->subscriber[i]), "subscriber");
}

static void measure_consumers(void)
{
	static struct topic t;
	struct bench_op op = {
		.area = "curves", .op = "message, consumers, each",
		.who = "zcbuf", .run = run_topic, .ctx = &t,
	};
	unsigned int i, want;

	t.pool[0] = create(32UL << 20, 0);
	bench_ok(zcbuf_publisher_open(t.pool[0], &name, NULL, &t.publisher),
		 "publisher");
	for (want = 1; want <= MAX_CONSUMERS; want *= 4) {
		while (t.consumers < want)
			add_consumer(&t);
		op.variant = count_text(want);
		op.parts = want;
		bench(&op);
	}
	for (i = 0; i < t.consumers; i++) {
		zcbuf_subscriber_close(t.subscriber[i]);
		zcbuf_pool_close(t.pool[1 + i]);
	}
	zcbuf_publisher_close(t.publisher);
	zcbuf_pool_close(t.pool[0]);
}

int main(void)
{
	measure_sessions();
	measure_held();
	measure_arenas();
	measure_consumers();
	return 0;
}

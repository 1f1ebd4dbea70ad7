// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * kmod/core/stream.c and all below it, by the operations and against the model
 * of tests/kunit/stream_ops.h, which draw from the input here.
 */
#include "rig.h"
#include "../../kunit/stream_ops.h"

/* About as much as makes the sum @limit, whatever overflows, or anything. */
static u64 choose_bytes(struct model *m, u64 limit)
{
	if (below(m, 2))
		return limit - 1 + below(m, 3);
	return input_any(&m->rand);
}

/* The block of any configuration, not only of the one the stream has. */
static void op_block(struct model *m)
{
	struct zcb_stream_config cfg = { .page_shift = 12 + 2 * below(m, 3) };
	__uint128_t block = 1ULL << cfg.page_shift;
	__uint128_t need;
	u64 got;

	cfg.align = 1U << below(m, 13);
	cfg.max_extent = block << below(m, 24);
	cfg.threshold = choose_bytes(m, below(m, 2) ? cfg.max_extent : 0);
	cfg.max_reservation = choose_bytes(m, cfg.max_extent - cfg.threshold);
	need = cfg.threshold;
	need += cfg.max_reservation;
	while ((need - cfg.threshold) % cfg.align)
		need++;
	while (block < need)
		block *= 2;
	got = zcb_stream_block(&cfg);
	if (block > cfg.max_extent)
		KUNIT_ASSERT_GT(test_of(m), got, cfg.max_extent);
	else
		KUNIT_ASSERT_EQ(test_of(m), got, (u64)block);
}

static void reserve(void *m)
{
	model_step(m, op_reserve);
}

static void commit(void *m)
{
	model_step(m, op_commit);
}

static void abort_resv(void *m)
{
	model_step(m, op_abort);
}

static void flush(void *m)
{
	model_step(m, op_flush);
}

static void receive(void *m)
{
	model_step(m, op_receive);
}

static void release(void *m)
{
	model_step(m, op_release);
}

static void consumer(void *m)
{
	model_step(m, op_consumer);
}

static void drop_any_producer(void *m)
{
	model_step(m, op_drop_producer);
}

/* Few, as little happens after it. */
static void finalize(void *state)
{
	struct model *m = state;

	if (chance(m, 25))
		model_step(m, op_finalize);
}

static void block(void *m)
{
	op_block(m);
}

/* Another stream. */
static void again(void *state)
{
	struct model *m = state;

	if (!m->finalized && !chance(m, 25))
		return;
	close_episode(m);
	open_episode(m);
}

/* The operations compare by themselves. */
static void check(void *m)
{
}

static const struct fuzz_op ops[] = {
	{ "reserve", reserve },
	{ "reserve", reserve },
	{ "reserve", reserve },
	{ "reserve", reserve },
	{ "commit", commit },
	{ "commit", commit },
	{ "commit", commit },
	{ "commit", commit },
	{ "abort", abort_resv },
	{ "flush", flush },
	{ "receive", receive },
	{ "receive", receive },
	{ "release", release },
	{ "release", release },
	{ "release", release },
	{ "consumer", consumer },
	{ "drop_producer", drop_any_producer },
	{ "finalize", finalize },
	{ "block", block },
	{ "again", again },
};

static const struct fuzz_target target = { ops, ARRAY_SIZE(ops), check };

void fuzz_one(struct kunit *test, struct zcb_rand *in)
{
	static struct model m;

	m.rig = fuzz_rig_init(test);
	m.rand = *in;
	m.now = 0;
	m.turns = 0;
	open_episode(&m);
	fuzz_ops(&target, &m.rand, &m);
	close_episode(&m);
}

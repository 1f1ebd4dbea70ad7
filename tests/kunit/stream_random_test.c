// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random streams of operations, compared with a model after each of them: what
 * it answered, all there is to count, and each delivery with its bytes when it
 * is received. Producers and consumers come and go, and every episode ends with
 * everything given back.
 */
#include <kunit/test.h>
#include "stream_ops.h"

#define EPISODE		1000		/* operations */
#define EPISODES	400

static void random_op(struct model *m)
{
	u32 kind = below(m, 1000);

	if (kind < 300)
		op_reserve(m);
	else if (kind < 550)
		op_commit(m);
	else if (kind < 580)
		op_abort(m);
	else if (kind < 600)
		op_flush(m);
	else if (kind < 750)
		op_receive(m);
	else if (kind < 960)
		op_release(m);
	else if (kind < 970)
		op_drop_producer(m);
	else if (kind < 998)
		op_consumer(m);
	else
		op_finalize(m);
}

static void random_operations(struct kunit *test)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	u32 episodes = ZCB_RAND_OPS(EPISODES);
	u32 i, op;

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->rig = test->priv;
	zcb_rand_init(test, &m->rand);
	for (i = 0; i < episodes; i++) {
		open_episode(m);
		for (op = 0; op < EPISODE; op++)
			model_step(m, random_op);
		close_episode(m);
	}
}

static struct kunit_case random_cases[] = {
	KUNIT_CASE_SLOW(random_operations),
	{}
};

static struct kunit_suite random_suite = {
	.name = "zcb_stream_random",
	.init = rig_init,
	.test_cases = random_cases,
};

kunit_test_suite(random_suite);

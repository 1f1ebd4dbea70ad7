// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * kmod/core/leave.c: producers that die while they store, retired first or not, and
 * streams that end, of a topic, against the model of topic_model.h. Groups fail far
 * more often than in topic_fuzz.c.
 */
#include "topic_ops.h"

static const struct fuzz_op ops[] = {
	{ "reserve", op_reserve },
	{ "reserve", op_reserve },
	{ "reserve", op_reserve },
	{ "window", op_window },
	{ "window", op_window },
	{ "publish", op_publish },
	{ "commit", op_commit },
	{ "acknowledge", op_acknowledge },
	{ "acknowledge", op_acknowledge },
	{ "retire_producer", op_retire_producer },
	{ "retire_producer", op_retire_producer },
	{ "drop_producer", op_drop_producer },
	{ "drop_producer", op_drop_producer },
	{ "receive", op_receive },
	{ "release", op_release },
	{ "port", op_port },
	{ "retire_port", op_retire_port },
	{ "receive_failed", op_receive_failed },
	{ "receive_failed", op_receive_failed },
	{ "release_failed", op_release_failed },
	{ "failure_port", op_failure_port },
	{ "finalize", op_finalize },
	{ "again", op_again },
	{ "again", op_again },
};

void fuzz_one(struct kunit *test, struct zcb_rand *in)
{
	fuzz_topics(ops, ARRAY_SIZE(ops), test, in);
}

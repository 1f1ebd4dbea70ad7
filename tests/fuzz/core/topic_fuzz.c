// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * kmod/core/topic.c: groups and buffers to consumers of all policies that come and
 * go, against the model of topic_model.h.
 */
#include "topic_ops.h"

static const struct fuzz_op ops[] = {
	{ "reserve", op_reserve },
	{ "reserve", op_reserve },
	{ "window", op_window },
	{ "publish", op_publish },
	{ "publish", op_publish },
	{ "publish", op_publish },
	{ "commit", op_commit },
	{ "commit", op_commit },
	{ "commit", op_commit },
	{ "abort", op_abort },
	{ "flush", op_flush },
	{ "acknowledge", op_acknowledge },
	{ "retire_producer", op_retire_producer },
	{ "drop_producer", op_drop_producer },
	{ "receive", op_receive },
	{ "receive", op_receive },
	{ "receive", op_receive },
	{ "release", op_release },
	{ "release", op_release },
	{ "release", op_release },
	{ "show", op_show },
	{ "take", op_take },
	{ "take", op_take },
	{ "sync", op_sync },
	{ "release_any", op_release_any },
	{ "port", op_port },
	{ "port", op_port },
	{ "retire_port", op_retire_port },
	{ "let_go", op_let_go },
	{ "receive_failed", op_receive_failed },
	{ "release_failed", op_release_failed },
	{ "failure_port", op_failure_port },
	{ "finalize", op_finalize },
	{ "again", op_again },
};

void fuzz_one(struct kunit *test, struct zcb_rand *in)
{
	fuzz_topics(ops, ARRAY_SIZE(ops), test, in);
}

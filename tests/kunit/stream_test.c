// SPDX-License-Identifier: GPL-2.0-only
/*
 * The numbered scenarios of the stream contract, as far as they are the core's:
 * align 1, one success port, one failure port, each with failed groups held
 * until finalize and without. A writer that is dropped undecided, or that
 * commits another length than it must, aborts; so do the ones here.
 */
#include <kunit/test.h>
#include "stream_rig.h"

struct mode {
	char name[16];
	bool hold_failed;
};

static const struct mode modes[] = {
	{ "hold_failed", true },
	{ "fail_at_once", false },
};

static void mode_desc(const struct mode *mode, char *desc)
{
	memcpy(desc, mode->name, sizeof(mode->name));
}

KUNIT_ARRAY_PARAM(mode, modes, mode_desc);

static struct rig *open_stream(struct kunit *test, u64 threshold)
{
	const struct mode *mode = test->param_value;
	struct rig *rig = test->priv;

	rig->cfg.threshold = threshold;
	rig->cfg.hold_failed = mode->hold_failed;
	rig_open(rig);
	return rig;
}

/* What a single writer does with @length bytes. */
static void single(struct rig *rig, struct zcb_resv *r, u64 length)
{
	int err;

	rig_write(rig, r, min(length, r->length));
	err = rig_commit_bytes(rig, r, length, false);
	KUNIT_EXPECT_EQ(rig->test, err,
			length == r->length ? 0 : -EMSGSIZE);
	if (err)
		rig_abort(rig, r);
}

/* A chunked writer that was given @length bytes in all. */
static void chunked(struct rig *rig, struct zcb_resv *r, u64 length)
{
	int err;

	rig_write(rig, r, length);
	err = rig_commit_bytes(rig, r, length, true);
	KUNIT_EXPECT_EQ(rig->test, err,
			length == r->length ? 0 : -EMSGSIZE);
	if (err)
		rig_abort(rig, r);
}

static void drop(struct rig *rig, struct zcb_resv *r)
{
	rig_abort(rig, r);
}

static void expect_resv(struct rig *rig, const struct zcb_resv *r, u64 id,
			u64 group, u64 offset)
{
	KUNIT_EXPECT_EQ(rig->test, r->id, id);
	KUNIT_EXPECT_EQ(rig->test, r->group->id, group);
	KUNIT_EXPECT_EQ(rig->test, r->offset, offset);
}

static void expect_success(struct rig *rig, u64 offset, u64 length)
{
	struct kunit *test = rig->test;
	struct zcb_group *g = rig_receive(rig, &rig->c);

	KUNIT_EXPECT_EQ(test, g->offset, offset);
	KUNIT_EXPECT_EQ(test, g->length, length);
	rig_check_group(rig, g);
	rig_release(rig, &rig->c, g);
}

/* Nothing is there, or nothing is left. */
static void expect_none(struct rig *rig, struct rig_port *port)
{
	struct zcb_group *g;

	KUNIT_EXPECT_EQ(rig->test, zcb_stream_peek(&rig->s, &port->c, &g),
			rig->s.finalized ? -ESHUTDOWN : -EAGAIN);
}

/* What a group on the failure queue has of one reservation. */
struct want {
	u8 state;
	u64 id;
	u64 offset;
	u64 length;
};

#define PIECE(id, offset, length) { ZCB_RESV_COMMITTED, id, offset, length }
#define LOST(id, offset, length) { ZCB_RESV_FAILED, id, offset, length }

static void expect_failed_group(struct rig *rig, u64 group,
				const struct want *want, u32 n)
{
	struct kunit *test = rig->test;
	struct zcb_group *g = rig_receive(rig, &rig->f);
	struct zcb_resv *r;
	u32 i = 0;

	KUNIT_EXPECT_EQ(test, g->id, group);
	KUNIT_ASSERT_EQ(test, g->nresv, n);
	rig_check_group(rig, g);
	list_for_each_entry(r, &g->resvs, in_group) {
		KUNIT_EXPECT_EQ(test, r->state, want[i].state);
		KUNIT_EXPECT_EQ(test, r->id, want[i].id);
		KUNIT_EXPECT_EQ(test, r->offset, want[i].offset);
		KUNIT_EXPECT_EQ(test, r->length, want[i].length);
		i++;
	}
	rig_release(rig, &rig->f, g);
}

#define expect_failed(rig, group, ...) do {				\
	static const struct want __want[] = { __VA_ARGS__ };		\
									\
	expect_failed_group(rig, group, __want, ARRAY_SIZE(__want));	\
} while (0)

/* A failed group is complete: there now, or delivered by finalize. */
static void expect_failed_when_due(struct rig *rig)
{
	struct zcb_group *g;

	KUNIT_EXPECT_EQ(rig->test, zcb_stream_peek(&rig->s, &rig->f.c, &g),
			rig->cfg.hold_failed ? -EAGAIN : 0);
	KUNIT_EXPECT_EQ(rig->test, rig->s.nfailed, 1U);
}

static void finish(struct rig *rig)
{
	expect_none(rig, &rig->c);
	expect_none(rig, &rig->f);
	rig_close(rig);
}

static void scenario_01_single(struct kunit *test)
{
	struct rig *rig = open_stream(test, 100);
	struct zcb_resv *r = rig_reserve(rig, 100);

	expect_resv(rig, r, 0, 0, 0);
	single(rig, r, 100);
	expect_success(rig, 0, 100);
	rig_finalize(rig, 0, 0, 0);
	finish(rig);
}

static void scenario_02_chunked(struct kunit *test)
{
	struct rig *rig = open_stream(test, 150);

	chunked(rig, rig_reserve(rig, 150), 50 + 100);
	expect_success(rig, 0, 150);
	finish(rig);
}

static void scenario_03_undecided(struct kunit *test)
{
	struct rig *rig = open_stream(test, 100);

	drop(rig, rig_reserve(rig, 50));
	expect_none(rig, &rig->f);
	rig_finalize(rig, 0, 1, 0);
	expect_failed(rig, 0, LOST(0, 0, 50));
	finish(rig);

	rig = open_stream(test, 100);
	drop(rig, rig_reserve(rig, 60));
	rig_finalize(rig, 0, 1, 0);
	expect_failed(rig, 0, LOST(0, 0, 60));
	finish(rig);
}

static void scenario_03_undecided_chunks(struct kunit *test)
{
	struct rig *rig = open_stream(test, 100);
	struct zcb_resv *r = rig_reserve(rig, 70);

	rig_write(rig, r, 30);
	drop(rig, r);
	rig_finalize(rig, 0, 1, 0);
	expect_failed(rig, 0, LOST(0, 0, 70));
	finish(rig);
}

static void scenario_04_wrong_size(struct kunit *test)
{
	struct rig *rig = open_stream(test, 100);

	single(rig, rig_reserve(rig, 50), 40);
	single(rig, rig_reserve(rig, 50), 60);
	expect_failed_when_due(rig);
	rig_finalize(rig, 0, rig->cfg.hold_failed, 0);
	expect_failed(rig, 0, LOST(0, 0, 50), LOST(1, 50, 50));
	finish(rig);
}

static void scenario_05_too_few_chunks(struct kunit *test)
{
	struct rig *rig = open_stream(test, 100);

	chunked(rig, rig_reserve(rig, 50), 20);
	chunked(rig, rig_reserve(rig, 5), 0);
	rig_finalize(rig, 0, 1, 0);
	expect_failed(rig, 0, LOST(0, 0, 50), LOST(1, 50, 5));
	finish(rig);
}

static void scenario_06_chunks_to_the_end(struct kunit *test)
{
	struct rig *rig = open_stream(test, 50);
	struct zcb_resv *r = rig_reserve(rig, 50);

	KUNIT_EXPECT_EQ(test, -ERANGE, rig_commit_bytes(rig, r, 30 + 25, true));
	chunked(rig, r, 30 + 20);
	expect_success(rig, 0, 50);
	finish(rig);
}

static void scenario_07_zero(struct kunit *test)
{
	struct rig *rig = open_stream(test, 100);
	struct zcb_group_plan plan;

	KUNIT_EXPECT_EQ(test, -EINVAL,
			zcb_stream_plan(&rig->s, 0, false, &plan));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			zcb_stream_plan(&rig->s, 0, true, &plan));
	expect_resv(rig, rig_reserve(rig, 10), 0, 0, 0);
	rig_close(rig);
}

static void scenario_08_ids_and_offsets(struct kunit *test)
{
	struct rig *rig = open_stream(test, 1000);

	expect_resv(rig, rig_reserve(rig, 50), 0, 0, 0);
	expect_resv(rig, rig_reserve(rig, 40), 1, 0, 50);
	expect_resv(rig, rig_reserve(rig, 30), 2, 0, 90);
	rig_close(rig);
}

static void scenario_09_seal_at_reserve(struct kunit *test)
{
	struct rig *rig = open_stream(test, 80);

	expect_resv(rig, rig_reserve(rig, 50), 0, 0, 0);
	expect_resv(rig, rig_reserve(rig, 40), 1, 0, 50);
	expect_resv(rig, rig_reserve(rig, 1), 2, 1, 90);
	rig_close(rig);

	rig = open_stream(test, 50);
	expect_resv(rig, rig_reserve(rig, 60), 0, 0, 0);
	KUNIT_EXPECT_NULL(test, rig->s.open);
	expect_resv(rig, rig_reserve(rig, 30), 1, 1, 60);
	rig_close(rig);
}

static void scenario_10_larger_than_the_block(struct kunit *test)
{
	struct rig *rig = open_stream(test, 600);
	struct zcb_resv *r0 = rig_reserve(rig, 599);
	struct zcb_resv *r1 = rig_reserve(rig, 10000);
	struct zcb_resv *r2 = rig_reserve(rig, 1);

	expect_resv(rig, r0, 0, 0, 0);
	expect_resv(rig, r1, 1, 0, 599);
	expect_resv(rig, r2, 2, 1, 10599);
	single(rig, r0, 599);
	expect_none(rig, &rig->c);
	single(rig, r1, 10000);
	expect_success(rig, 0, 10599);
	rig_close(rig);
}

static void scenario_11_threshold_zero(struct kunit *test)
{
	struct rig *rig = open_stream(test, 0);
	struct zcb_resv *r;
	u64 i;

	for (i = 0; i < 3; i++) {
		r = rig_reserve(rig, 5);
		expect_resv(rig, r, i, i, 5 * i);
		single(rig, r, 5);
	}
	for (i = 0; i < 3; i++)
		expect_success(rig, 5 * i, 5);
	finish(rig);
}

static void scenario_12_all_together(struct kunit *test)
{
	struct rig *rig = open_stream(test, 600);

	single(rig, rig_reserve(rig, 200), 200);
	single(rig, rig_reserve(rig, 300), 300);
	expect_none(rig, &rig->c);
	single(rig, rig_reserve(rig, 500), 500);
	expect_success(rig, 0, 1000);
	single(rig, rig_reserve(rig, 400), 400);
	chunked(rig, rig_reserve(rig, 250), 100 + 150);
	expect_success(rig, 1000, 650);
	drop(rig, rig_reserve(rig, 100));
	single(rig, rig_reserve(rig, 50), 60);
	single(rig, rig_reserve(rig, 30), 30);
	expect_none(rig, &rig->f);
	rig_finalize(rig, 0, 1, 0);
	expect_failed(rig, 2, LOST(5, 1650, 100), LOST(6, 1750, 50),
		      PIECE(7, 1800, 30));
	finish(rig);
}

static void scenario_13_order_of_completion(struct kunit *test)
{
	struct rig *rig = open_stream(test, 100);
	struct zcb_resv *r0 = rig_reserve(rig, 100);
	struct zcb_resv *r1 = rig_reserve(rig, 100);

	single(rig, rig_reserve(rig, 100), 100);
	single(rig, r1, 100);
	single(rig, r0, 100);
	expect_success(rig, 200, 100);
	expect_success(rig, 100, 100);
	expect_success(rig, 0, 100);
	finish(rig);
}

static void scenario_14_one_of_three_failed(struct kunit *test)
{
	struct rig *rig = open_stream(test, 200);

	chunked(rig, rig_reserve(rig, 50), 20 + 30);
	drop(rig, rig_reserve(rig, 30));
	single(rig, rig_reserve(rig, 160), 160);
	expect_none(rig, &rig->c);
	expect_failed_when_due(rig);
	rig_finalize(rig, 0, rig->cfg.hold_failed, 0);
	expect_failed(rig, 0, PIECE(0, 0, 50), LOST(1, 50, 30),
		      PIECE(2, 80, 160));
	finish(rig);
}

static void scenario_15_finalize_delivers_the_tail(struct kunit *test)
{
	struct rig *rig = open_stream(test, 1000);

	single(rig, rig_reserve(rig, 30), 30);
	expect_none(rig, &rig->c);
	rig_finalize(rig, 1, 0, 0);
	KUNIT_EXPECT_EQ(test, rig->c.ends, 0U);
	expect_success(rig, 0, 30);
	KUNIT_EXPECT_EQ(test, rig->c.ends, 1U);
	KUNIT_EXPECT_EQ(test, rig->f.ends, 1U);
	finish(rig);

	rig = open_stream(test, 1000);
	rig_finalize(rig, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, rig->c.ends, 1U);
	KUNIT_EXPECT_EQ(test, rig->f.ends, 1U);
	finish(rig);
}

static void scenario_16_finalize_fails_what_is_pending(struct kunit *test)
{
	struct rig *rig = open_stream(test, 200);
	struct zcb_group_plan plan;
	struct zcb_resv *r1;

	single(rig, rig_reserve(rig, 30), 30);
	r1 = rig_reserve(rig, 20);
	rig_finalize(rig, 0, 1, 1);
	expect_failed(rig, 0, PIECE(0, 0, 30), LOST(1, 30, 20));
	KUNIT_EXPECT_EQ(test, rig_pages_held(rig), 1U);
	KUNIT_EXPECT_EQ(test, rig->s.nstragglers, 1U);
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, rig_commit_bytes(rig, r1, 20, false));
	KUNIT_EXPECT_EQ(test, rig_pages_held(rig), 0U);
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN,
			zcb_stream_plan(&rig->s, 10, false, &plan));
	rig_finalize(rig, 0, 0, 0);
	finish(rig);
}

/* The channel finalizes when it has dropped the last producer. */
static void scenario_17_last_producer_gone(struct kunit *test)
{
	struct rig *rig = open_stream(test, 1000);

	single(rig, rig_reserve(rig, 30), 30);
	zcb_stream_drop_producer(&rig->s, &rig->p, rig_now(rig));
	expect_none(rig, &rig->c);
	rig_finalize(rig, 1, 0, 0);
	expect_success(rig, 0, 30);
	finish(rig);
}

static void scenario_18_producer_killed(struct kunit *test)
{
	struct rig *rig = open_stream(test, 60);

	rig_reserve(rig, 10);
	rig_reserve(rig, 20);
	rig_reserve(rig, 30);
	zcb_stream_drop_producer(&rig->s, &rig->p, rig_now(rig));
	KUNIT_EXPECT_EQ(test, rig->s.npending, 0U);
	KUNIT_EXPECT_EQ(test, rig->s.nstragglers, 0U);
	expect_failed_when_due(rig);
	KUNIT_EXPECT_EQ(test, rig->f.ready, rig->cfg.hold_failed ? 0U : 1U);
	rig_finalize(rig, 0, rig->cfg.hold_failed, 0);
	KUNIT_EXPECT_EQ(test, rig->f.ready, 1U);
	expect_failed(rig, 0, LOST(0, 0, 10), LOST(1, 10, 20),
		      LOST(2, 30, 30));
	KUNIT_EXPECT_EQ(test, rig_pages_held(rig), 0U);
	finish(rig);
}

static int commit_raw(struct rig *rig, u64 group, u64 id, u64 offset,
		      u64 length)
{
	const struct zcb_stream_commit c = {
		.group = group,
		.id = id,
		.offset = offset,
		.length = length,
	};

	return zcb_stream_commit(&rig->s, &rig->p, &c, rig_now(rig));
}

static void scenario_19_raw_commits(struct kunit *test)
{
	struct rig *rig = open_stream(test, 1000);
	struct zcb_resv *r = rig_reserve(rig, 10);

	KUNIT_EXPECT_EQ(test, -EMSGSIZE, rig_commit_bytes(rig, r, 9, false));
	KUNIT_EXPECT_EQ(test, -EMSGSIZE, rig_commit_bytes(rig, r, 11, false));
	KUNIT_EXPECT_EQ(test, -ERANGE, rig_commit_bytes(rig, r, 5 + 6, true));
	KUNIT_EXPECT_EQ(test, -EMSGSIZE, rig_commit_bytes(rig, r, 5 + 4, true));
	KUNIT_EXPECT_EQ(test, -EINVAL, commit_raw(rig, 0, 0, 1, 10));
	KUNIT_EXPECT_EQ(test, -ENOENT, commit_raw(rig, 0, 99, 0, 10));
	KUNIT_EXPECT_EQ(test, -ENOENT, commit_raw(rig, 77, 0, 0, 10));
	KUNIT_EXPECT_EQ(test, r->state, ZCB_RESV_PENDING);
	KUNIT_EXPECT_EQ(test, rig->s.npending, 1U);
	rig_write(rig, r, 10);
	KUNIT_EXPECT_EQ(test, 0, rig_commit_bytes(rig, r, 5 + 0 + 5, true));
	KUNIT_EXPECT_EQ(test, -EALREADY, rig_commit_bytes(rig, r, 10, false));
	rig_finalize(rig, 1, 0, 0);
	expect_success(rig, 0, 10);
	finish(rig);
}

static void scenario_20_full_queue(struct kunit *test)
{
	struct rig *rig = open_stream(test, 10);

	zcb_stream_drop_consumer(&rig->s, &rig->c.c);
	zcb_consumer_init(&rig->c.c, 1, false);
	zcb_stream_add_consumer(&rig->s, &rig->c.c);
	single(rig, rig_reserve(rig, 10), 10);
	single(rig, rig_reserve(rig, 10), 10);
	expect_resv(rig, rig_reserve(rig, 5), 2, 2, 20);
	KUNIT_EXPECT_EQ(test, rig->s.nqueued, 1U);
	KUNIT_EXPECT_EQ(test, rig->s.nparked, 1U);
	expect_success(rig, 0, 10);
	KUNIT_EXPECT_EQ(test, rig->s.nparked, 0U);
	expect_success(rig, 10, 10);
	expect_none(rig, &rig->c);
	rig_close(rig);
}

static void scenario_21_events(struct kunit *test)
{
	struct rig *rig = open_stream(test, 100);
	struct zcb_group_plan plan;

	rig->s.credit.max = 2;
	single(rig, rig_reserve(rig, 100), 100);
	KUNIT_EXPECT_EQ(test, 0,
			zcb_stream_plan(&rig->s, rig->cfg.max_reservation,
					false, &plan));
	single(rig, rig_reserve(rig, 100), 100);
	KUNIT_EXPECT_EQ(test, rig->c.ready, 2U);
	KUNIT_EXPECT_EQ(test, rig->f.ready, 0U);
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			zcb_stream_plan(&rig->s, rig->cfg.max_reservation,
					false, &plan));
	expect_success(rig, 0, 100);
	expect_success(rig, 100, 100);
	expect_none(rig, &rig->c);
	KUNIT_EXPECT_FALSE(test, zcb_stream_ended(&rig->s, &rig->c.c));
	rig_finalize(rig, 0, 0, 0);
	KUNIT_EXPECT_TRUE(test, zcb_stream_ended(&rig->s, &rig->c.c));
	KUNIT_EXPECT_EQ(test, rig->c.ready, 2U);
	finish(rig);
}

static void scenario_21b_windows(struct kunit *test)
{
	struct rig *rig = open_stream(test, 1000);
	struct zcb_resv *r0 = rig_window(rig, 65536);
	struct zcb_resv *r1 = rig_window(rig, 65536);

	expect_resv(rig, r0, 0, 0, 0);
	expect_resv(rig, r1, 1, 1, 65536);
	KUNIT_EXPECT_EQ(test, rig_pages_held(rig), 32U);
	rig_write(rig, r0, 10240);
	KUNIT_EXPECT_EQ(test, 0, rig_commit_bytes(rig, r0, 10240, false));
	KUNIT_EXPECT_EQ(test, rig_pages_held(rig), 3U + 16U);
	single(rig, r1, 65536);
	KUNIT_EXPECT_EQ(test, rig_pages_held(rig), 3U + 16U);
	expect_success(rig, 0, 10240);
	expect_success(rig, 65536, 65536);
	finish(rig);
}

#define SCENARIO(fn)	KUNIT_CASE_PARAM(fn, mode_gen_params)

static struct kunit_case stream_cases[] = {
	SCENARIO(scenario_01_single),
	SCENARIO(scenario_02_chunked),
	SCENARIO(scenario_03_undecided),
	SCENARIO(scenario_03_undecided_chunks),
	SCENARIO(scenario_04_wrong_size),
	SCENARIO(scenario_05_too_few_chunks),
	SCENARIO(scenario_06_chunks_to_the_end),
	SCENARIO(scenario_07_zero),
	SCENARIO(scenario_08_ids_and_offsets),
	SCENARIO(scenario_09_seal_at_reserve),
	SCENARIO(scenario_10_larger_than_the_block),
	SCENARIO(scenario_11_threshold_zero),
	SCENARIO(scenario_12_all_together),
	SCENARIO(scenario_13_order_of_completion),
	SCENARIO(scenario_14_one_of_three_failed),
	SCENARIO(scenario_15_finalize_delivers_the_tail),
	SCENARIO(scenario_16_finalize_fails_what_is_pending),
	SCENARIO(scenario_17_last_producer_gone),
	SCENARIO(scenario_18_producer_killed),
	SCENARIO(scenario_19_raw_commits),
	SCENARIO(scenario_20_full_queue),
	SCENARIO(scenario_21_events),
	SCENARIO(scenario_21b_windows),
	{}
};

static struct kunit_suite stream_suite = {
	.name = "zcb_stream",
	.init = rig_init,
	.test_cases = stream_cases,
};

kunit_test_suite(stream_suite);

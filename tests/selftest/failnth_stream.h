/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Calls on channels to fail.
 */
#ifndef ZCBUF_SELFTEST_FAILNTH_STREAM_H
#define ZCBUF_SELFTEST_FAILNTH_STREAM_H

#include "failnth_pool.h"

#define FN_BLOCK	(2 * RIG_GROUP)	/* of a group of the rig's channel */

/* A group of its own with one reservation, by another session. */
static void fn_window(struct fn_run *f, struct zcbuf_reservation *v)
{
	*v = (struct zcbuf_reservation){ .length = 100 };
	ASSERT_EQ(zt_reserve(f->rig.other, f->rig.channel, v, 1,
			     ZCBUF_RESERVE_F_WINDOW, 0), 1);
}

static void fn_group_ready(struct fn_run *f)
{
	struct zcbuf_reservation v;

	fn_window(f, &v);
	ASSERT_OK(zt_commit1(f->rig.other, f->rig.channel, &v));
}

static void fn_group_fails(struct fn_run *f)
{
	struct zcbuf_reservation v;

	fn_window(f, &v);
	ASSERT_OK(zt_abort1(f->rig.other, f->rig.channel, &v));
}

/* ------------------------------------------------------------ CHANNEL_OPEN */

static void fn_open(struct fn_run *f, __u32 ports)
{
	struct zcbuf_channel_open *a = fn_arg(f);

	a->ports = ports;
}

static void fn_arrange_producer(struct fn_run *f)
{
	fn_open(f, ZCBUF_PORT_PRODUCE);
}

static void fn_arrange_consumer(struct fn_run *f)
{
	fn_open(f, ZCBUF_PORT_CONSUME);
}

static void fn_arrange_recv_failed(struct fn_run *f)
{
	fn_open(f, ZCBUF_PORT_RECV_FAILED);
}

static void fn_arrange_small_table(struct fn_run *f)
{
	struct zcbuf_channel_open *a = fn_arg(f);

	a->max_outstanding = 8;
	a->max_age_us = 1000000;
	a->flags |= ZCBUF_CHANNEL_F_ORDERED | ZCBUF_CHANNEL_F_HOLD_FAILED;
}

/*
 * A session that has no port yet wants one. Of the second channel of the pool:
 * the first one needs no memory in a session's table.
 */
static void fn_join(struct fn_run *f, __u32 ports)
{
	struct zcbuf_channel_open *a = fn_arg(f);

	ASSERT_OK(zt_stream(f->rig.fd, RIG_GROUP, 0, &f->other));
	*a = zt_arg(struct zcbuf_channel_open, .channel = f->other,
		.ports = ports);
	f->fd = fn_keep(f, zt_join(f->rig.fd, 0));
}

static void fn_arrange_join_all(struct fn_run *f)
{
	fn_join(f, ZT_ALL_PORTS);
}

static void fn_arrange_join_producer(struct fn_run *f)
{
	fn_join(f, ZCBUF_PORT_PRODUCE);
}

static void fn_arrange_join_consumer(struct fn_run *f)
{
	fn_join(f, ZCBUF_PORT_CONSUME);
}

static void fn_arrange_join_recv_failed(struct fn_run *f)
{
	fn_join(f, ZCBUF_PORT_RECV_FAILED);
}

/* A session that has ports wants all; those it had it keeps. */
static void fn_arrange_more_ports(struct fn_run *f)
{
	struct zcbuf_channel_open *a = fn_arg(f);

	*a = zt_arg(struct zcbuf_channel_open, .channel = f->rig.channel,
		.ports = ZT_ALL_PORTS);
	f->fd = f->rig.other;
}

static void fn_undo_open(struct fn_run *f)
{
	const struct zcbuf_channel_open *a = fn_arg(f);

	ASSERT_OK(zt_channel_close(f->fd, a->out_channel, 0));
}

static void fn_undo_more_ports(struct fn_run *f)
{
	ASSERT_OK(zt_channel_close(f->fd, f->rig.channel,
				   ZCBUF_PORT_RECV_FAILED));
}

static void fn_use_open(struct fn_run *f)
{
	const struct zcbuf_channel_open *a = fn_arg(f);

	EXPECT_EQ(a->out_block, FN_BLOCK);
	if (a->ports & ZCBUF_PORT_PRODUCE)
		hz_put(f->fd, a->out_channel, 10);
	EXPECT_OK(zt_channel_close(f->fd, a->out_channel, 0));
}

/* ----------------------------------------------------------- CHANNEL_CLOSE */

static void fn_arrange_close_one(struct fn_run *f)
{
	struct zcbuf_channel_close *a = fn_arg(f);

	a->ports = ZCBUF_PORT_CONSUME;
}

/* The last port: the channel goes, with all that is in it. */
static void fn_arrange_close_last(struct fn_run *f)
{
	ASSERT_OK(zt_channel_close(f->rig.other, f->rig.channel, 0));
}

/* ----------------------------------------------------------------- RESERVE */

static struct zcbuf_reservation *fn_entries(struct fn_run *f)
{
	return (struct zcbuf_reservation *)f->t.array[0];
}

/* The first of them opens a group. */
static void fn_arrange_new_group(struct fn_run *f)
{
	ASSERT_EQ(zt_flush(f->rig.fd, f->rig.channel), 1);
}

static void fn_arrange_windows(struct fn_run *f)
{
	struct zcbuf_reserve *a = fn_arg(f);

	a->flags = ZCBUF_RESERVE_F_WINDOW | ZCBUF_RESERVE_F_NEED_CONSUMER;
}

/* Each one is a group. */
static void fn_arrange_large(struct fn_run *f)
{
	fn_entries(f)[0].length = 3 * FN_BLOCK;
	fn_entries(f)[1].length = RIG_GROUP;
}

/* Of a channel that has paid for no reservation yet. */
static void fn_arrange_first(struct fn_run *f)
{
	struct zcbuf_reserve *a = fn_arg(f);

	ASSERT_OK(zt_stream(f->rig.fd, RIG_GROUP, 0, &f->other));
	a->channel = f->other;
}

static void fn_undo_reserve(struct fn_run *f)
{
	const struct zcbuf_reserve *a = fn_arg(f);
	unsigned int i;

	for (i = f->units; i--;)
		ASSERT_OK(zt_abort1(f->fd, a->channel, &fn_entries(f)[i]));
}

static void fn_use_reserve(struct fn_run *f)
{
	const struct zcbuf_reserve *a = fn_arg(f);
	unsigned int i;

	for (i = 0; i < f->units; i++) {
		f->rig.map[fn_entries(f)[i].out_pool_offset] = 1;
		ASSERT_OK(zt_commit1(f->fd, a->channel, &fn_entries(f)[i]));
	}
}

/* All memory is in use. What will be free is one block of @bytes. */
static void fn_fill(struct fn_run *f, __u64 bytes)
{
	__u64 handles[ZCBUF_MAX_BATCH];

	ASSERT_OK(zt_alloc1(f->rig.fd, bytes, &f->key));
	ASSERT_GT(zt_alloc(f->rig.fd, ZT_PAGE, 0, 0, handles, ZCBUF_MAX_BATCH),
		  0);
}

static void fn_meanwhile_free(struct fn_run *f)
{
	ASSERT_OK(zt_free1(f->rig.fd, f->key));
}

/* What was taken back is in failed groups, which have to go first. */
static void fn_replenish(struct fn_run *f)
{
	struct zcbuf_piece pieces[4];
	struct zcbuf_lost lost[4];
	struct zcbuf_receive_failed a;

	ASSERT_GE(zt_flush(f->rig.fd, f->rig.channel), 0);
	for (;;) {
		a = (struct zcbuf_receive_failed){
			.pieces = zt_ptr(pieces), .npieces = 4,
			.lost = zt_ptr(lost), .nlost = 4,
		};
		if (zt_receive_failed(f->rig.fd, f->rig.channel, &a))
			return;
		ASSERT_OK(zt_release1(f->rig.fd, f->rig.channel,
				      a.out_delivery.handle));
	}
}

/* One reservation that waits for memory, with @length and @flags. */
static void fn_reserve_waits(struct fn_run *f, __u64 length, __u32 flags)
{
	struct zcbuf_reserve *a = fn_arg(f);

	a->deadline_ns = ZCBUF_NO_DEADLINE;
	a->flags = flags;
	a->count = 1;
	f->t.bytes[0] = sizeof(struct zcbuf_reservation);
	fn_entries(f)[0].length = length;
}

static void fn_arrange_window_waits(struct fn_run *f)
{
	fn_reserve_waits(f, 100, ZCBUF_RESERVE_F_WINDOW);
	fn_arrange_new_group(f);
	fn_fill(f, ZT_PAGE);
}

static void fn_arrange_group_waits(struct fn_run *f)
{
	fn_reserve_waits(f, 100, 0);
	fn_arrange_new_group(f);
	fn_fill(f, FN_BLOCK);
}

/* It seals the open group before it waits. */
static void fn_arrange_seals_and_waits(struct fn_run *f)
{
	fn_reserve_waits(f, 2 * FN_BLOCK, 0);
	fn_fill(f, 2 * FN_BLOCK);
}

static void fn_waited_seals(struct fn_run *f)
{
	ASSERT_EQ(zt_flush(f->rig.fd, f->rig.channel), 1);
}

/* ------------------------------------------------- COMMIT, COMMIT_RESERVE */

static struct zcbuf_commit_entry *fn_commits(struct fn_run *f)
{
	return (struct zcbuf_commit_entry *)f->t.array[0];
}

/* In two chunks each. */
static void fn_arrange_chunks(struct fn_run *f)
{
	__u64 *chunk = (__u64 *)f->t.array[1];
	int i;

	for (i = 0; i < CALLS_ENTRIES; i++, chunk += 2) {
		chunk[0] = 12;
		chunk[1] = fn_commits(f)[i].length - 12;
		fn_commits(f)[i].length = 0;
		fn_commits(f)[i].chunks = zt_ptr(chunk);
		fn_commits(f)[i].nchunks = 2;
	}
}

/* They complete groups, which are delivered. */
static void fn_arrange_complete(struct fn_run *f)
{
	int i;

	for (i = 0; i < CALLS_ENTRIES; i++) {
		f->v[i] = (struct zcbuf_reservation){ .length = 3 * ZT_PAGE };
		ASSERT_EQ(zt_reserve(f->rig.fd, f->rig.channel, &f->v[i], 1,
				     ZCBUF_RESERVE_F_WINDOW, 0), 1);
		fn_commits(f)[i] = (struct zcbuf_commit_entry){
			.group = f->v[i].out_group, .id = f->v[i].out_id,
			.offset = f->v[i].out_offset, .length = ZT_PAGE,
		};
	}
}

static int fn_act_turnover(struct fn_run *f)
{
	const struct zcbuf_commit_reserve *a = fn_arg(f);
	int err = zt_call(f->fd, ZCBUF_IOC_COMMIT_RESERVE, f->t.arg);

	f->done = err ? 0 : a->out_committed + a->out_reserved;
	f->error = a->out_commit_error ? a->out_commit_error :
					 a->out_reserve_error;
	return err;
}

static struct zcbuf_reservation *fn_turnover_entries(struct fn_run *f)
{
	return (struct zcbuf_reservation *)f->t.array[1];
}

/* First the commits, then the reservations. */
static void fn_part_turnover(struct fn_run *f, unsigned int n)
{
	unsigned int ncommits = n < CALLS_ENTRIES ? n : CALLS_ENTRIES;
	const struct zcbuf_commit_reserve *a = fn_arg(f);

	if (ncommits)
		ASSERT_EQ(zt_commit(f->fd, a->channel, fn_commits(f), ncommits),
			  ncommits);
	if (n > ncommits)
		ASSERT_EQ(zt_reserve(f->fd, a->channel, fn_turnover_entries(f),
				     n - ncommits, a->flags, 0), n - ncommits);
	f->done = n;
}

static void fn_rest_turnover(struct fn_run *f)
{
	struct zcbuf_commit_reserve *a = fn_arg(f);
	unsigned int left;

	if (f->done < CALLS_ENTRIES) {
		a->commits += f->done * sizeof(struct zcbuf_commit_entry);
		a->ncommits -= f->done;
		ASSERT_OK(fn_act_turnover(f));
	} else {
		left = f->units - f->done;
		ASSERT_EQ(zt_reserve(f->fd, a->channel,
				     fn_turnover_entries(f) + CALLS_ENTRIES -
				     left, left, a->flags, 0), left);
	}
	f->done = f->units;
}

static void fn_arrange_turnover_windows(struct fn_run *f)
{
	struct zcbuf_commit_reserve *a = fn_arg(f);

	a->flags = ZCBUF_RESERVE_F_WINDOW;
}

/* What was committed stays committed; the reservations fail. */
static void fn_undo_turnover(struct fn_run *f)
{
	const struct zcbuf_commit_reserve *a = fn_arg(f);
	unsigned int i;

	for (i = CALLS_ENTRIES; i--;)
		ASSERT_OK(zt_abort1(f->fd, a->channel,
				    &fn_turnover_entries(f)[i]));
}

/* So the same call again is one that commits others. */
static void fn_other_commits(struct fn_run *f)
{
	struct zcbuf_commit_entry *e = (void *)f->first_t.array[0];
	int i;

	for (i = 0; i < CALLS_ENTRIES; i++) {
		e[i].id = f->rig.pending[CALLS_ENTRIES + i].out_id;
		e[i].offset = f->rig.pending[CALLS_ENTRIES + i].out_offset;
	}
}

static void fn_use_turnover(struct fn_run *f)
{
	const struct zcbuf_commit_reserve *a = fn_arg(f);
	unsigned int i;

	for (i = CALLS_ENTRIES; i < f->units; i++)
		ASSERT_OK(zt_commit1(f->fd, a->channel,
				     &fn_turnover_entries(f)[i - CALLS_ENTRIES]));
}

/* ----------------------------------------------------------------- RECEIVE */

/* Enough for a second call after one whose groups are lost. */
static void fn_arrange_groups(struct fn_run *f)
{
	fn_group_ready(f);
	fn_group_ready(f);
}

static void fn_arrange_large_entries(struct fn_run *f)
{
	struct zcbuf_receive *a = fn_arg(f);

	fn_arrange_groups(f);
	a->entry_size += 24;
	f->t.bytes[0] = CALLS_ENTRIES * a->entry_size;
}

static const struct zcbuf_delivery *fn_delivery(struct fn_run *f,
						unsigned int i)
{
	const struct zcbuf_receive *a = fn_arg(f);

	return (void *)(f->t.array[0] + (size_t)i * a->entry_size);
}

static void fn_undo_receive(struct fn_run *f)
{
	const struct zcbuf_receive *a = fn_arg(f);
	unsigned int i;

	for (i = f->units; i--;)
		ASSERT_OK(zt_release1(f->fd, a->channel,
				      fn_delivery(f, i)->handle));
}

/* Nothing is there. */
static void fn_arrange_receive_waits(struct fn_run *f)
{
	struct zcbuf_receive *a = fn_arg(f);
	struct zcbuf_delivery d;

	while (zt_receive(f->fd, a->channel, &d, 1, 0) == 1)
		ASSERT_OK(zt_release1(f->fd, a->channel, d.handle));
	a->deadline_ns = ZCBUF_NO_DEADLINE;
	a->count = 1;
	f->t.bytes[0] = sizeof(d);
}

/* ---------------------------------------------------------- RECEIVE_FAILED */

static void fn_arrange_failed(struct fn_run *f)
{
	fn_group_fails(f);
}

static void fn_arrange_no_room(struct fn_run *f)
{
	struct zcbuf_receive_failed *a = fn_arg(f);

	a->nlost = 1;
}

static void fn_undo_failed(struct fn_run *f)
{
	const struct zcbuf_receive_failed *a = fn_arg(f);

	ASSERT_OK(zt_release1(f->fd, a->channel, a->out_delivery.handle));
}

static void fn_arrange_failed_waits(struct fn_run *f)
{
	struct zcbuf_receive_failed *a = fn_arg(f);

	ASSERT_OK(zt_call(f->fd, ZCBUF_IOC_RECEIVE_FAILED, a));
	fn_undo_failed(f);
	call_make(f->call, &f->rig, &f->t);
	a->deadline_ns = ZCBUF_NO_DEADLINE;
}

static void fn_use_failed(struct fn_run *f)
{
	const struct zcbuf_receive_failed *a = fn_arg(f);
	const struct zcbuf_lost *lost = (void *)f->t.array[1];

	ASSERT_GT(a->nlost, 0);
	EXPECT_GT(lost[a->nlost - 1].length, 0);
	fn_undo_failed(f);
}

/* ----------------------------------------------------------------- EVENTFD */

static void fn_arrange_eventfd_failed(struct fn_run *f)
{
	struct zcbuf_eventfd *a = fn_arg(f);

	a->flags = ZCBUF_EVENTFD_F_FAILED;
}

static void fn_arrange_disarm(struct fn_run *f)
{
	struct zcbuf_eventfd *a = fn_arg(f);

	ASSERT_OK(zt_eventfd(f->fd, f->rig.channel, f->rig.efd,
			     ZCBUF_EVENTFD_EACH, 0));
	ASSERT_GT(zt_count(f->rig.efd), 0);
	a->fd = 0;
	a->mode = ZCBUF_EVENTFD_NONE;
}

/* It has counted what was there, and counts what comes. */
static void fn_use_eventfd(struct fn_run *f)
{
	EXPECT_EQ(zt_count(f->rig.efd), 2);
	fn_group_ready(f);
	EXPECT_EQ(zt_count(f->rig.efd), 1);
}

static void fn_use_eventfd_failed(struct fn_run *f)
{
	EXPECT_EQ(zt_count(f->rig.efd), 1);
	fn_group_fails(f);
	EXPECT_EQ(zt_count(f->rig.efd), 1);
}

static void fn_use_disarmed(struct fn_run *f)
{
	fn_group_ready(f);
	EXPECT_EQ(zt_count(f->rig.efd), 0);
}

/* ------------------------------------------------------------------- table */

static const struct fn_row fn_stream_rows[] = {
	FN_CALL(channel_open, CHANNEL_OPEN, .least = 6,
		.undo = fn_undo_open, .use = fn_use_open),
	FN_CALL(channel_open_produce, CHANNEL_OPEN, .least = 6,
		.arrange = fn_arrange_producer, .undo = fn_undo_open,
		.use = fn_use_open),
	FN_CALL(channel_open_consume, CHANNEL_OPEN, .least = 6,
		.arrange = fn_arrange_consumer, .undo = fn_undo_open,
		.use = fn_use_open),
	FN_CALL(channel_open_recv_failed, CHANNEL_OPEN, .least = 6,
		.arrange = fn_arrange_recv_failed, .undo = fn_undo_open,
		.use = fn_use_open),
	FN_CALL(channel_open_small_table, CHANNEL_OPEN, .least = 6,
		.arrange = fn_arrange_small_table, .undo = fn_undo_open,
		.use = fn_use_open),
	FN_CALL(channel_open_join, CHANNEL_OPEN, .least = 3,
		.arrange = fn_arrange_join_all, .undo = fn_undo_open,
		.use = fn_use_open),
	FN_CALL(channel_open_join_produce, CHANNEL_OPEN, .least = 3,
		.arrange = fn_arrange_join_producer, .undo = fn_undo_open,
		.use = fn_use_open),
	FN_CALL(channel_open_join_consume, CHANNEL_OPEN, .least = 3,
		.arrange = fn_arrange_join_consumer, .undo = fn_undo_open,
		.use = fn_use_open),
	FN_CALL(channel_open_join_recv_failed, CHANNEL_OPEN, .least = 3,
		.arrange = fn_arrange_join_recv_failed, .undo = fn_undo_open,
		.use = fn_use_open),
	FN_CALL(channel_open_more_ports, CHANNEL_OPEN, .least = 2,
		.arrange = fn_arrange_more_ports, .undo = fn_undo_more_ports),

	FN_CALL(channel_close, CHANNEL_CLOSE),
	FN_CALL(channel_close_one, CHANNEL_CLOSE,
		.arrange = fn_arrange_close_one),
	FN_CALL(channel_close_last, CHANNEL_CLOSE,
		.arrange = fn_arrange_close_last),

	FN_CALL(reserve, RESERVE, .least = 6, .undo = fn_undo_reserve,
		.use = fn_use_reserve),
	FN_CALL(reserve_new_group, RESERVE, .least = 7,
		.arrange = fn_arrange_new_group, .undo = fn_undo_reserve,
		.use = fn_use_reserve),
	FN_CALL(reserve_windows, RESERVE, .least = 8,
		.arrange = fn_arrange_windows, .undo = fn_undo_reserve,
		.use = fn_use_reserve),
	FN_CALL(reserve_large, RESERVE, .least = 6,
		.arrange = fn_arrange_large, .undo = fn_undo_reserve,
		.use = fn_use_reserve),
	FN_CALL(reserve_first, RESERVE, .least = 8,
		.arrange = fn_arrange_first, .undo = fn_undo_reserve,
		.use = fn_use_reserve),
	FN_CALL(reserve_window_waits, RESERVE, .units = 1, .least = 6,
		.arrange = fn_arrange_window_waits, .meanwhile = fn_meanwhile_free,
		.replenish = fn_replenish, .undo = fn_undo_reserve,
		.use = fn_use_reserve),
	FN_CALL(reserve_group_waits, RESERVE, .units = 1, .least = 6,
		.arrange = fn_arrange_group_waits, .meanwhile = fn_meanwhile_free,
		.replenish = fn_replenish, .undo = fn_undo_reserve,
		.use = fn_use_reserve),
	FN_CALL(reserve_seals_and_waits, RESERVE, .units = 1, .least = 6,
		.arrange = fn_arrange_seals_and_waits,
		.meanwhile = fn_meanwhile_free, .waited = fn_waited_seals,
		.replenish = fn_replenish, .undo = fn_undo_reserve,
		.use = fn_use_reserve),

	FN_CALL(commit, COMMIT, .stands = true),
	FN_CALL(commit_chunks, COMMIT, .least = 5, .stands = true,
		.arrange = fn_arrange_chunks),
	FN_CALL(commit_complete, COMMIT, .stands = true,
		.arrange = fn_arrange_complete),

	FN_CALL(commit_reserve, COMMIT_RESERVE, .act = fn_act_turnover,
		.least = 8, .units = 2 * CALLS_ENTRIES, .part = fn_part_turnover,
		.rest = fn_rest_turnover, .undo = fn_undo_turnover,
		.replenish = fn_other_commits, .use = fn_use_turnover),
	FN_CALL(commit_reserve_windows, COMMIT_RESERVE,
		.act = fn_act_turnover, .least = 10, .units = 2 * CALLS_ENTRIES,
		.arrange = fn_arrange_turnover_windows, .part = fn_part_turnover,
		.rest = fn_rest_turnover, .undo = fn_undo_turnover,
		.replenish = fn_other_commits, .use = fn_use_turnover),

	FN_CALL(abort, ABORT, .stands = true),
	FN_CALL(flush, FLUSH, .stands = true),
	FN_CALL(finalize, FINALIZE, .stands = true),

	FN_CALL(receive, RECEIVE, .arrange = fn_arrange_groups,
		.undo = fn_undo_receive, .use = fn_undo_receive),
	FN_CALL(receive_large_entries, RECEIVE,
		.arrange = fn_arrange_large_entries, .undo = fn_undo_receive,
		.use = fn_undo_receive),
	FN_CALL(receive_waits, RECEIVE, .units = 1,
		.arrange = fn_arrange_receive_waits, .meanwhile = fn_group_ready,
		.replenish = fn_group_ready, .undo = fn_undo_receive,
		.use = fn_undo_receive),

	FN_CALL(receive_failed, RECEIVE_FAILED, .least = 6,
		.arrange = fn_arrange_failed, .undo = fn_undo_failed,
		.use = fn_use_failed),
	FN_CALL(receive_failed_no_room, RECEIVE_FAILED, .least = 2,
		.answer = -EMSGSIZE, .arrange = fn_arrange_no_room),
	FN_CALL(receive_failed_waits, RECEIVE_FAILED, .least = 4,
		.arrange = fn_arrange_failed_waits, .meanwhile = fn_group_fails,
		.replenish = fn_group_fails, .undo = fn_undo_failed, .use = fn_use_failed),

	FN_CALL(release, RELEASE, .stands = true),

	FN_CALL(eventfd, EVENTFD, .use = fn_use_eventfd),
	FN_CALL(eventfd_failed, EVENTFD, .use = fn_use_eventfd_failed,
		.arrange = fn_arrange_eventfd_failed),
	FN_CALL(eventfd_none, EVENTFD, .use = fn_use_disarmed,
		.arrange = fn_arrange_disarm),
};

#endif /* ZCBUF_SELFTEST_FAILNTH_STREAM_H */

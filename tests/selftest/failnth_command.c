// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Commands of io_uring with every allocation and user copy failing in turn, those
 * of io_uring itself as well. The rows are those of the ioctls; what a worker does
 * is left out, it is another task than the one that fails.
 */
#include "command.h"
#include "failnth.h"
#include "failnth_pool.h"
#include "failnth_stream.h"

static struct io_uring ring;
static bool queued;	/* the command is in the ring, and was not submitted */

/* When io_uring finds no memory to submit it, the answer is no answer to it. */
static int submit(struct fn_run *f)
{
	int n;

	if (!queued)
		cmd_prep(&ring, f->fd, call_request(f->call), f->t.arg, 0);
	n = io_uring_submit(&ring);
	queued = n != 1;
	return queued ? -ENOMEM : 0;
}

static int act(struct fn_run *f)
{
	struct io_uring_cqe *cqe;
	int res = submit(f);

	f->done = 0;
	if (res)
		return res;
	ASSERT_EQ(io_uring_cq_ready(&ring), 1);
	ASSERT_OK(io_uring_peek_cqe(&ring, &cqe));
	res = cqe->res;
	io_uring_cqe_seen(&ring, cqe);
	f->error = call_get32(&f->t, f->call->done + sizeof(__u32));
	if (res < 0)
		return res;
	f->done = res;
	return 0;
}

static void sweep(struct fn_row row)
{
	cmd_ring_init(&ring, 0);
	row.act = act;
	fn_sweep(&row);
	io_uring_queue_exit(&ring);
}

#define ROWS(table)	(sizeof(table) / sizeof(table[0]))

static const struct fn_row *named(const char *name)
{
	size_t i;

	for (i = 0; i < ROWS(fn_pool_rows); i++)
		if (!strcmp(fn_pool_rows[i].name, name))
			return &fn_pool_rows[i];
	for (i = 0; i < ROWS(fn_stream_rows); i++)
		if (!strcmp(fn_stream_rows[i].name, name))
			return &fn_stream_rows[i];
	return NULL;
}

#define TEST_ROW(row)							\
	TEST_LIMIT(row, 2 * KTAP_TIME_LIMIT)				\
	{								\
		ASSERT_TRUE(named(#row));				\
		sweep(*named(#row));					\
	}

TEST_ROW(alloc)
TEST_ROW(alloc_objects)
TEST_ROW(buf_info)
TEST_ROW(free)
TEST_ROW(commit)
TEST_ROW(abort)
TEST_ROW(receive)
TEST_ROW(release)

/* More than one is for a worker. The first of a channel opens a group. */
static void one_reservation(struct fn_run *f)
{
	struct zcbuf_reserve *a = fn_arg(f);

	fn_arrange_first(f);
	a->count = 1;
	f->t.bytes[0] = sizeof(struct zcbuf_reservation);
}

TEST_LIMIT(reserve_one, 2 * KTAP_TIME_LIMIT)
{
	struct fn_row row = *named("reserve_first");

	row.units = 1;
	row.least = 7;
	row.arrange = one_reservation;
	sweep(row);
}

KTAP_MAIN()

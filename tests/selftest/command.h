/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Calls as commands of io_uring, without the library in between.
 */
#ifndef ZCBUF_SELFTEST_COMMAND_H
#define ZCBUF_SELFTEST_COMMAND_H

#include "calls.h"
#include "ring.h"

#define CMD_ENTRIES	64	/* of the rings */

static __inline__ void cmd_ring_init(struct io_uring *ring, unsigned int flags)
{
	ASSERT_OK(io_uring_queue_init(CMD_ENTRIES, ring, flags));
}

/* Call @request on @fd, not submitted yet. */
static __inline__ struct io_uring_sqe *
cmd_prep(struct io_uring *ring, int fd, unsigned int request, void *arg,
	 __u32 flags)
{
	const struct zcbuf_uring_cmd c = { .arg = zt_ptr(arg), .flags = flags };
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	ASSERT_TRUE(sqe);
	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, fd, NULL, 0, 0);
	sqe->cmd_op = request;
	memcpy(sqe->cmd, &c, sizeof(c));
	return sqe;
}

/* The next result. */
static __inline__ int cmd_result(struct io_uring *ring)
{
	struct io_uring_cqe *cqe;
	int res;

	ASSERT_OK(ring_wait(ring, &cqe));
	res = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	return res;
}

/* Submit the @n that are new; a thread of the kernel may not have seen older ones. */
static __inline__ void cmd_submit(struct io_uring *ring, int n)
{
	ASSERT_GE(io_uring_submit(ring), n);
}

/* One call: its result. @sqe_flags: IOSQE_* */
static __inline__ int cmd_run(struct io_uring *ring, int fd,
			      unsigned int request, void *arg, __u32 flags,
			      unsigned int sqe_flags)
{
	cmd_prep(ring, fd, request, arg, flags)->flags |= sqe_flags;
	cmd_submit(ring, 1);
	return cmd_result(ring);
}

#endif /* ZCBUF_SELFTEST_COMMAND_H */

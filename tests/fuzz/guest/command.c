// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Calls as commands of io_uring, one at a time, by a ring of the lane's own.
 */
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "exec.h"

/**
 * struct kf_ring - of a lane
 * @none: this kernel has no rings
 */
struct kf_ring {
	struct io_uring uring;
	bool none;
};

/* kf_ring_init() - what a lane has for good; its children make their own */
void kf_ring_init(struct kf_lane *l)
{
	l->ring = calloc(1, sizeof(*l->ring));
	if (!l->ring)
		abort();
	l->ring->none = io_uring_queue_init(4, &l->ring->uring, 0);
}

static void prepare(struct io_uring_sqe *sqe, const struct kf_op *op, int fd,
		    unsigned int nr, unsigned long addr)
{
	struct zcbuf_uring_cmd cmd = { .arg = addr };

	if (op->patch & KF_COMMAND_ALL)
		cmd.flags |= ZCBUF_URING_F_ALL_OR_ERROR;
	if (op->patch & KF_COMMAND_BAD)
		cmd.flags |= 1U << 31;
	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, fd, NULL, 0, 0);
	sqe->cmd_op = _IO(ZCBUF_IOC_TYPE, nr);
	memcpy(sqe->cmd, &cmd, sizeof(cmd));
	if (op->patch & KF_COMMAND_ASYNC)
		sqe->flags |= IOSQE_ASYNC;
}

/* The result of the one that is prepared; who waits may be interrupted. */
static int await(struct io_uring *uring)
{
	struct io_uring_cqe *cqe;
	int res;

	do {
		res = io_uring_submit(uring);
	} while (res == -EINTR || res == -EAGAIN);
	if (res != 1)
		abort();
	do {
		res = io_uring_wait_cqe(uring, &cqe);
	} while (res == -EINTR);
	if (res)
		abort();
	res = cqe->res;
	io_uring_cqe_seen(uring, cqe);
	return res;
}

/*
 * kf_command() - the call @nr with its argument at @addr
 * Returns what ioctl() would, which does it where there are no rings.
 */
int kf_command(struct kf_lane *l, int fd, unsigned int nr, unsigned long addr)
{
	struct io_uring *uring;
	int res;

	if (!l->ring)
		kf_ring_init(l);
	if (l->ring->none)
		return ioctl(fd, _IO(ZCBUF_IOC_TYPE, nr), addr);
	uring = &l->ring->uring;
	prepare(io_uring_get_sqe(uring), l->op, fd, nr, addr);
	res = await(uring);
	if (res >= 0)
		return 0;
	errno = -res;
	return -1;
}

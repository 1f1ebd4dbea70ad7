// SPDX-License-Identifier: GPL-2.0-only
/*
 * The io_uring face: calls as IORING_OP_URING_CMD. What a call does and whether it
 * may be a command is known elsewhere; here is when it may sleep.
 *
 * A command is done here and now, in the submitter's task or one of io_uring's
 * threads that share its memory. Nothing of it outlives this function: there is
 * nothing to cancel, and io_uring holds the file until it has the result.
 */
#include <linux/zcbuf.h>

#include "../compat.h"
#include "../obj/pool.h"
#include "face.h"

/* Others may change it meanwhile: what is checked is what is used. */
static void uring_read(const struct io_uring_cmd *cmd,
		       struct zcbuf_uring_cmd *c)
{
	const struct zcbuf_uring_cmd *p = zcb_uring_payload(cmd);

	static_assert(sizeof(*p) <= 16);	/* all there is in a plain SQE */
	c->arg = READ_ONCE(p->arg);
	c->flags = READ_ONCE(p->flags);
	c->__reserved = READ_ONCE(p->__reserved);
}

static int uring_run(struct io_uring_cmd *cmd, bool nowait)
{
	struct zcbuf_uring_cmd c;

	uring_read(cmd, &c);
	if (zcb_uring_reused(cmd))
		return -ECANCELED;
	if (c.__reserved || c.flags & ~ZCBUF_URING_F_ALL_OR_ERROR ||
	    zcb_uring_flags(cmd))
		return -EOPNOTSUPP;
	return zcb_command(cmd->file, cmd->cmd_op, u64_to_user_ptr(c.arg),
			   c.flags & ZCBUF_URING_F_ALL_OR_ERROR, nowait);
}

/**
 * zcb_uring_cmd - a call
 * @cmd: the command
 * @issue_flags: IO_URING_F_*
 *
 * -EAGAIN from here means: again, from a worker that may sleep. As a result of the
 * call it is final, there is nobody to wait.
 *
 * Context: may sleep, but for user memory and the kernel's own, only without
 * IO_URING_F_NONBLOCK.
 * Return: the result, -EAGAIN, or -EIOCBQUEUED: it has been completed.
 */
int zcb_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	int res = uring_run(cmd, issue_flags & IO_URING_F_NONBLOCK);

	switch (res) {
	case -ZCB_ESLEEP:
		zcb_uring_keep(cmd, issue_flags);
		return -EAGAIN;
	case -EAGAIN:
		zcb_uring_done(cmd, res, issue_flags);
		return -EIOCBQUEUED;
	case -ERESTARTSYS:
		return -EINTR;
	default:
		return res;
	}
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kernels do differently from version to version; nothing else in the module
 * asks for a version. This is 6.12.
 */
#ifndef ZCB_COMPAT_H
#define ZCB_COMPAT_H

#include <linux/compiler.h>
#include <linux/io_uring/cmd.h>
#include <linux/shrinker.h>
#include <linux/string.h>

/*
 * zcb_uring_payload() - the command's own part of the SQE, at least 16 bytes. It
 * may be memory the submitter can still write to: read it once.
 */
static inline const void *zcb_uring_payload(const struct io_uring_cmd *cmd)
{
	return io_uring_sqe_cmd(cmd->sqe);
}

/*
 * zcb_uring_reused() - has the submitter used the SQE again? Until 6.14 io_uring
 * copies that of a command only when a worker is to have it, so one that was
 * linked or drained is read when its turn comes, and may be another's by then.
 */
static inline bool zcb_uring_reused(struct io_uring_cmd *cmd)
{
	const struct io_uring_sqe *sqe = cmd->sqe;

	return READ_ONCE(sqe->opcode) != IORING_OP_URING_CMD ||
	       READ_ONCE(sqe->cmd_op) != cmd->cmd_op ||
	       READ_ONCE(sqe->user_data) != cmd_to_io_kiocb(cmd)->cqe.user_data;
}

/*
 * zcb_uring_keep() - before -EAGAIN is returned. io_uring then copies the SQE to
 * where it has room for it, and until 6.14 forgets to let the command know.
 */
static inline void zcb_uring_keep(struct io_uring_cmd *cmd,
				  unsigned int issue_flags)
{
	void *copy = cmd_to_io_kiocb(cmd)->async_data;
	size_t size = sizeof(*cmd->sqe);

	if (cmd->sqe == copy)
		return;
	if (issue_flags & IO_URING_F_SQE128)
		size *= 2;
	memcpy(copy, cmd->sqe, size);
	cmd->sqe = copy;
}

/* zcb_uring_flags() - what the submitter has put into uring_cmd_flags */
static inline u32 zcb_uring_flags(const struct io_uring_cmd *cmd)
{
	return cmd->flags & IORING_URING_CMD_MASK;
}

/* zcb_uring_done() - complete a command for which -EIOCBQUEUED is returned */
static inline void zcb_uring_done(struct io_uring_cmd *cmd, int res,
				  unsigned int issue_flags)
{
	io_uring_cmd_done(cmd, res, 0, issue_flags);
}

/*
 * zcb_shrinker() - from now on the kernel asks for memory when it is short of it;
 * NULL: there is none to remember that by. Ended by shrinker_free(). Until 6.6 it
 * was no object of the kernel's.
 */
static inline struct shrinker *
zcb_shrinker(const char *name,
	     unsigned long (*count)(struct shrinker *, struct shrink_control *),
	     unsigned long (*scan)(struct shrinker *, struct shrink_control *))
{
	struct shrinker *shrinker = shrinker_alloc(0, "%s", name);

	if (!shrinker)
		return NULL;
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker_register(shrinker);
	return shrinker;
}

#endif /* ZCB_COMPAT_H */

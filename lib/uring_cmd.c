// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * io_uring: calls as commands. They are prepared here and made by the ring; what
 * is wrong with one is its result.
 */
#include <liburing.h>
#include <string.h>

#include "internal.h"

/* Without session the descriptor is -1, and the result -EBADF. */
static void prep_command(struct io_uring_sqe *sqe,
			 const struct zcbuf_pool *pool, unsigned int request,
			 const void *arg, __u32 flags)
{
	const struct zcbuf_uring_cmd cmd = {
		.arg = zcb_ptr(arg),
		.flags = flags,
	};

	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, pool->session.fd, NULL, 0, 0);
	sqe->cmd_op = request;
	memcpy(sqe->cmd, &cmd, sizeof(cmd));
}

static void prep_batch(struct io_uring_sqe *sqe, const struct zcbuf_pool *pool,
		       unsigned int request, struct zcbuf_batch *arg,
		       __u64 channel, const void *entries, unsigned int count,
		       __u32 flags)
{
	*arg = (struct zcbuf_batch){
		.size = sizeof(*arg),
		.channel = channel,
		.entries = zcb_ptr(entries),
		.count = count,
	};
	prep_command(sqe, pool, request, arg, flags);
}

void zcbuf_uring_prep_alloc(struct zcbuf_pool *pool, struct io_uring_sqe *sqe,
			    struct zcbuf_alloc *arg, __u64 length,
			    __u64 *handles, unsigned int count, __u32 flags)
{
	*arg = (struct zcbuf_alloc){
		.size = sizeof(*arg),
		.length = length,
		.handles = zcb_ptr(handles),
		.count = count,
	};
	prep_command(sqe, pool, ZCBUF_IOC_ALLOC, arg, flags);
}

void zcbuf_uring_prep_free(struct zcbuf_pool *pool, struct io_uring_sqe *sqe,
			   struct zcbuf_batch *arg, const __u64 *handles,
			   unsigned int count, __u32 flags)
{
	prep_batch(sqe, pool, ZCBUF_IOC_FREE, arg, 0, handles, count, flags);
}

void zcbuf_uring_prep_reserve(struct zcbuf_channel *channel,
			      struct io_uring_sqe *sqe,
			      struct zcbuf_reserve *arg,
			      struct zcbuf_reservation *entries,
			      unsigned int count, __u32 flags)
{
	*arg = (struct zcbuf_reserve){
		.size = sizeof(*arg),
		.channel = channel->handle,
		.entries = zcb_ptr(entries),
		.count = count,
	};
	prep_command(sqe, channel->pool, ZCBUF_IOC_RESERVE, arg, flags);
}

void zcbuf_uring_prep_commit(struct zcbuf_channel *channel,
			     struct io_uring_sqe *sqe,
			     struct zcbuf_batch *arg,
			     const struct zcbuf_commit_entry *entries,
			     unsigned int count, __u32 flags)
{
	prep_batch(sqe, channel->pool, ZCBUF_IOC_COMMIT, arg, channel->handle,
		   entries, count, flags);
}

void zcbuf_uring_prep_receive(struct zcbuf_channel *channel,
			      struct io_uring_sqe *sqe,
			      struct zcbuf_receive *arg,
			      struct zcbuf_delivery *entries,
			      unsigned int count, __u32 flags)
{
	*arg = (struct zcbuf_receive){
		.size = sizeof(*arg),
		.channel = channel->handle,
		.entries = zcb_ptr(entries),
		.count = count,
		.entry_size = sizeof(*entries),
	};
	prep_command(sqe, channel->pool, ZCBUF_IOC_RECEIVE, arg, flags);
}

void zcbuf_uring_prep_release(struct zcbuf_channel *channel,
			      struct io_uring_sqe *sqe,
			      struct zcbuf_batch *arg, const __u64 *handles,
			      unsigned int count, __u32 flags)
{
	prep_batch(sqe, channel->pool, ZCBUF_IOC_RELEASE, arg, channel->handle,
		   handles, count, flags);
}

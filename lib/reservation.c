// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Reservations, raw: the batched calls of a producer.
 */
#include <errno.h>

#include "internal.h"

int zcbuf_reserve_why(struct zcbuf_channel *channel,
		      struct zcbuf_reservation *entries, unsigned int count,
		      __u32 flags, __u64 deadline_ns, __u32 *why)
{
	struct zcbuf_reserve arg = {
		.size = sizeof(arg),
		.flags = flags,
		.channel = channel->handle,
		.entries = zcb_ptr(entries),
		.deadline_ns = deadline_ns,
		.count = count,
	};
	int err;

	err = zcb_cache_reserve(channel->pool, &arg);
	*why = arg.out_why;
	return err ? err : (int)arg.out_done;
}

int zcbuf_reserve(struct zcbuf_channel *channel,
		  struct zcbuf_reservation *entries, unsigned int count,
		  __u32 flags, __u64 deadline_ns)
{
	__u32 why;

	return zcbuf_reserve_why(channel, entries, count, flags, deadline_ns,
				 &why);
}

int zcbuf_commit(struct zcbuf_channel *channel,
		 const struct zcbuf_commit_entry *entries, unsigned int count)
{
	return zcb_batch(channel->pool, ZCBUF_NR_COMMIT, channel->handle,
			 entries, count, 0);
}

int zcbuf_commit_tagged(struct zcbuf_channel *channel,
			const struct zcbuf_commit_tagged *entries,
			unsigned int count)
{
	return zcb_batch(channel->pool, ZCBUF_NR_COMMIT, channel->handle,
			 entries, count, ZCBUF_COMMIT_F_TAGGED);
}

int zcbuf_abort(struct zcbuf_channel *channel,
		const struct zcbuf_abort_entry *entries, unsigned int count)
{
	return zcb_batch(channel->pool, ZCBUF_NR_ABORT, channel->handle,
			 entries, count, 0);
}

/* The commits are done. What the process keeps is not to hold up the rest. */
static int reserve_rest(struct zcbuf_channel *channel,
			const struct zcbuf_commit_reserve *turn,
			__u64 deadline_ns, struct zcbuf_turnover *result)
{
	struct zcbuf_reserve arg = {
		.size = sizeof(arg),
		.flags = turn->flags & ~ZCBUF_COMMIT_F_TAGGED,
		.channel = turn->channel,
		.entries = turn->reserves,
		.deadline_ns = deadline_ns,
		.count = turn->nreserves,
	};
	int err = zcb_cache_reserve(channel->pool, &arg);

	result->reserved = err ? 0 : arg.out_done;
	result->reserve_error = err ? err : -(int)arg.out_error;
	result->why = arg.out_why;
	return result->committed || !err ? 0 : err;
}

int zcbuf_commit_reserve(struct zcbuf_channel *channel,
			 const struct zcbuf_commit_entry *commits,
			 unsigned int ncommits,
			 struct zcbuf_reservation *reserves,
			 unsigned int nreserves, __u32 flags,
			 __u64 deadline_ns, struct zcbuf_turnover *result)
{
	struct zcbuf_commit_reserve arg = {
		.size = sizeof(arg),
		.flags = flags,
		.channel = channel->handle,
		.commits = zcb_ptr(commits),
		.reserves = zcb_ptr(reserves),
		.deadline_ns = deadline_ns,
		.ncommits = ncommits,
		.nreserves = nreserves,
	};
	bool keeps = false;
	int err;

	if (!zcb_cache_call(channel->pool, ZCBUF_NR_COMMIT_RESERVE, &arg,
			    deadline_ns, &err)) {
		keeps = true;
		zcbuf_cache_look(channel->pool);
		arg.deadline_ns = 0;
		err = zcb_call(channel->pool->session.fd,
			       ZCBUF_NR_COMMIT_RESERVE, &arg);
	}
	result->committed = arg.out_committed;
	result->commit_error = -(int)arg.out_commit_error;
	result->reserved = arg.out_reserved;
	result->reserve_error = -(int)arg.out_reserve_error;
	result->why = arg.out_why;
	/* The first alone waits: if it was made, the others are as they are. */
	if (keeps && !arg.out_reserved && arg.out_reserve_error == EAGAIN &&
	    (deadline_ns || arg.out_why & ZCBUF_WHY_MEMORY))
		return reserve_rest(channel, &arg, deadline_ns, result);
	return err;
}

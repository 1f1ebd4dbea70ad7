// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Readers: taking groups, whole and failed, and giving them back.
 */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

/* A guess that most failed groups fit; the kernel corrects it. */
#define FIRST_PIECES	32
#define FIRST_LOST	8

/* @channel: its handle, 0: any */
static int receive(const struct zcbuf_pool *pool, __u64 channel, void *entries,
		   size_t entry_size, unsigned int count, __u64 deadline_ns)
{
	struct zcbuf_receive arg = {
		.size = sizeof(arg),
		.channel = channel,
		.entries = zcb_ptr(entries),
		.deadline_ns = deadline_ns,
		.count = count,
		.entry_size = entry_size,
	};
	int err;

	err = zcb_call(pool->session.fd, ZCBUF_NR_RECEIVE, &arg);
	return err ? err : (int)arg.out_done;
}

int zcb_receive(struct zcbuf_channel *channel, void *entries, size_t entry_size,
		unsigned int count, __u64 deadline_ns)
{
	return receive(channel->pool, channel->handle, entries, entry_size,
		       count, deadline_ns);
}

int zcbuf_receive(struct zcbuf_channel *channel, struct zcbuf_delivery *entries,
		  unsigned int count, __u64 deadline_ns)
{
	return zcb_receive(channel, entries, sizeof(*entries), count,
			   deadline_ns);
}

int zcbuf_release(struct zcbuf_channel *channel, const __u64 *handles,
		  unsigned int count)
{
	return zcb_batch(channel->pool, ZCBUF_NR_RELEASE, channel->handle,
			 handles, count, 0);
}

int zcbuf_receive_any(struct zcbuf_pool *pool, struct zcbuf_delivery *entries,
		      unsigned int count, __u64 deadline_ns)
{
	return receive(pool, 0, entries, sizeof(*entries), count, deadline_ns);
}

int zcbuf_release_any(struct zcbuf_pool *pool,
		      const struct zcbuf_delivery *entries, unsigned int count)
{
	struct zcbuf_release_entry which[ZCBUF_MAX_BATCH];
	unsigned int n;

	if (count > ARRAY_SIZE(which))
		return -EINVAL;
	for (n = 0; n < count; n++) {
		which[n].channel = entries[n].channel;
		which[n].handle = entries[n].handle;
	}
	return zcb_batch(pool, ZCBUF_NR_RELEASE, 0, which, count, 0);
}

/* One allocation: the struct, then the pieces, then the lost. */
static struct zcbuf_failed *failed_alloc(__u32 npieces, __u32 nlost)
{
	__u64 size = sizeof(struct zcbuf_failed) +
		     npieces * (__u64)sizeof(struct zcbuf_piece) +
		     nlost * (__u64)sizeof(struct zcbuf_lost);
	struct zcbuf_failed *failed;

	if (size > SIZE_MAX)
		return NULL;
	failed = malloc(size);
	if (!failed)
		return NULL;
	failed->pieces = (struct zcbuf_piece *)(failed + 1);
	failed->lost = (struct zcbuf_lost *)(failed->pieces + npieces);
	failed->npieces = npieces;
	failed->nlost = nlost;
	return failed;
}

/* With -EMSGSIZE, the numbers in @failed are what is needed. */
static int failed_take(struct zcbuf_channel *channel,
		       struct zcbuf_failed *failed, __u64 deadline_ns)
{
	struct zcbuf_receive_failed arg = {
		.size = sizeof(arg),
		.channel = channel->handle,
		.pieces = zcb_ptr(failed->pieces),
		.lost = zcb_ptr(failed->lost),
		.deadline_ns = deadline_ns,
		.npieces = failed->npieces,
		.nlost = failed->nlost,
	};
	int err;

	err = zcb_call(channel->pool->session.fd, ZCBUF_NR_RECEIVE_FAILED,
		       &arg);
	failed->npieces = arg.npieces;
	failed->nlost = arg.nlost;
	failed->delivery = arg.out_delivery;
	return err;
}

int zcbuf_receive_failed(struct zcbuf_channel *channel,
			 struct zcbuf_failed **out, __u64 deadline_ns)
{
	__u32 npieces = FIRST_PIECES;
	__u32 nlost = FIRST_LOST;
	struct zcbuf_failed *failed;
	bool more;
	int err;

	/* More than twice if another session takes the one we measured. */
	for (;;) {
		failed = failed_alloc(npieces, nlost);
		if (!failed)
			return -ENOMEM;
		err = failed_take(channel, failed, deadline_ns);
		if (!err) {
			*out = failed;
			return 0;
		}
		more = failed->npieces > npieces || failed->nlost > nlost;
		npieces = failed->npieces;
		nlost = failed->nlost;
		free(failed);
		if (err != -EMSGSIZE || !more)
			return err;
	}
}

void zcbuf_failed_free(struct zcbuf_failed *failed)
{
	free(failed);
}

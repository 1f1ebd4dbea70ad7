// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Channels: the ports of this session, and what is done to the whole stream.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "internal.h"

int zcb_batch(const struct zcbuf_pool *pool, unsigned int nr, __u64 channel,
	      const void *entries, unsigned int count, __u32 flags)
{
	struct zcbuf_batch arg = {
		.size = sizeof(arg),
		.flags = flags,
		.channel = channel,
		.entries = zcb_ptr(entries),
		.count = count,
	};
	int err;

	err = zcb_call(pool->session.fd, nr, &arg);
	return err ? err : (int)arg.out_done;
}

static int channel_open(struct zcbuf_pool *pool,
			struct zcbuf_channel_open *arg,
			struct zcbuf_channel **out)
{
	struct zcbuf_channel *channel;
	int err;

	channel = malloc(sizeof(*channel));
	if (!channel)
		return -ENOMEM;
	err = zcb_call(pool->session.fd, ZCBUF_NR_CHANNEL_OPEN, arg);
	if (err) {
		free(channel);
		return err;
	}
	zcb_pool_get(pool);
	channel->pool = pool;
	channel->handle = arg->out_channel;
	channel->block = arg->out_block;
	channel->ports = arg->ports;
	*out = channel;
	return 0;
}

/* In the library 0 is the default; the kernel needs to be told what is not. */
static void threshold_to_kernel(struct zcbuf_channel_open *arg)
{
	if ((arg->flags & ZCBUF_CHANNEL_F_THRESHOLD) || !arg->threshold)
		return;
	arg->flags |= ZCBUF_CHANNEL_F_THRESHOLD;
	if (arg->threshold == ZCBUF_THRESHOLD_EACH)
		arg->threshold = 0;
}

/* What is not in it, and what is too long, only the kernel knows to be wrong. */
static bool label_to_kernel(const char *label, char *out, __u8 *out_len)
{
	size_t length = label ? strnlen(label, ZCBUF_MAX_LABEL + 1) : 0;

	if (length > ZCBUF_MAX_LABEL)
		return false;
	if (length)
		memcpy(out, label, length);
	*out_len = length;
	return true;
}

static bool name_to_kernel(const struct zcbuf_name *name,
			   struct zcbuf_channel_name *out)
{
	memset(out, 0, sizeof(*out));
	return label_to_kernel(name->domain, out->domain, &out->domain_len) &&
	       label_to_kernel(name->service, out->service,
			       &out->service_len) &&
	       label_to_kernel(name->instance, out->instance,
			       &out->instance_len) &&
	       label_to_kernel(name->event, out->event, &out->event_len);
}

int zcb_channel_open(struct zcbuf_pool *pool, __u64 handle,
		     const struct zcbuf_channel_opts *opts,
		     struct zcbuf_channel **channel)
{
	struct zcbuf_channel_open arg = {
		.size = sizeof(arg),
		.flags = opts->flags,
		.channel = handle,
		.ports = opts->ports,
		.align = opts->align,
		.threshold = opts->threshold,
		.max_reservation = opts->max_reservation,
		.max_age_us = opts->max_age_us,
		.max_outstanding = opts->max_outstanding,
		.depth = opts->depth,
		.deadline_ns = opts->deadline_ns,
		.history = opts->history,
		.policy = opts->policy,
		.max_held = opts->max_held,
		.lanes = opts->lanes,
		.replay = opts->replay,
	};
	struct zcbuf_channel_name name;

	if (!opts->ports)
		return -EINVAL;
	if (opts->reserved)
		return -EOPNOTSUPP;
	if (opts->name) {
		if (handle || !name_to_kernel(opts->name, &name))
			return -EINVAL;
		arg.name = zcb_ptr(&name);
	}
	threshold_to_kernel(&arg);
	return channel_open(pool, &arg, channel);
}

int zcbuf_channel_create(struct zcbuf_pool *pool,
			 const struct zcbuf_channel_opts *user_opts,
			 struct zcbuf_channel **channel)
{
	struct zcbuf_channel_opts opts;
	int err;

	err = zcb_opts_read(&opts, sizeof(opts), user_opts,
			    offsetof(struct zcbuf_channel_opts, name));
	return err ? err : zcb_channel_open(pool, 0, &opts, channel);
}

int zcbuf_channel_attach(struct zcbuf_pool *pool, __u64 handle, __u32 ports,
			 __u32 depth, struct zcbuf_channel **channel)
{
	const struct zcbuf_channel_opts opts = {
		.ports = ports,
		.depth = depth,
	};

	if (!handle)
		return -ENOENT;	/* to the kernel it would mean a new one */
	return zcb_channel_open(pool, handle, &opts, channel);
}

__u64 zcbuf_channel_handle(const struct zcbuf_channel *channel)
{
	return channel->handle;
}

__u64 zcbuf_channel_block(const struct zcbuf_channel *channel)
{
	return channel->block;
}

struct zcbuf_pool *zcbuf_channel_pool(const struct zcbuf_channel *channel)
{
	return channel->pool;
}

int zcbuf_channel_leave(struct zcbuf_channel *channel, __u32 ports)
{
	struct zcbuf_channel_close arg = {
		.size = sizeof(arg),
		.channel = channel->handle,
		.ports = ports,
	};
	int err;

	if (!ports)
		return -EINVAL;	/* to the kernel it would mean all */
	err = zcb_call(channel->pool->session.fd, ZCBUF_NR_CHANNEL_CLOSE,
		       &arg);
	if (!err)
		channel->ports &= ~ports;
	return err;
}

int zcbuf_channel_close(struct zcbuf_channel *channel)
{
	int err = 0;

	if (!channel)
		return 0;
	if (channel->ports)
		err = zcbuf_channel_leave(channel, channel->ports);
	zcb_pool_put(channel->pool);
	free(channel);
	return err;
}

int zcbuf_channel_flush(struct zcbuf_channel *channel)
{
	struct zcbuf_flush arg = {
		.size = sizeof(arg),
		.channel = channel->handle,
	};
	int err;

	err = zcb_call(channel->pool->session.fd, ZCBUF_NR_FLUSH, &arg);
	return err ? err : (int)arg.out_sealed;
}

int zcbuf_channel_finalize(struct zcbuf_channel *channel,
			   struct zcbuf_counts *counts)
{
	struct zcbuf_finalize arg = {
		.size = sizeof(arg),
		.channel = channel->handle,
	};
	int err;

	err = zcb_call(channel->pool->session.fd, ZCBUF_NR_FINALIZE, &arg);
	if (err || !counts)
		return err;
	counts->success = arg.out_success;
	counts->failure = arg.out_failure;
	counts->reservations = arg.out_reservations;
	return 0;
}

int zcbuf_channel_set_eventfd(struct zcbuf_channel *channel, int fd,
			      __u32 flags)
{
	struct zcbuf_eventfd arg = {
		.size = sizeof(arg),
		.flags = flags,
		.channel = channel->handle,
		.fd = fd,
		.mode = ZCBUF_EVENTFD_EACH,
	};

	if (fd == -1) {
		arg.fd = 0;
		arg.mode = ZCBUF_EVENTFD_NONE;
	}
	return zcb_call(channel->pool->session.fd, ZCBUF_NR_EVENTFD, &arg);
}

int zcbuf_channel_eventfd(struct zcbuf_channel *channel, __u32 flags)
{
	int fd;
	int err;

	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	err = zcbuf_channel_set_eventfd(channel, fd, flags);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Subscribers: messages that are taken, read where they are, and released.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "queue.h"

#define MAX_TRANSFORMS	256	/* each message looks for its own in order */

/*
 * struct zcbuf_subscriber
 * @channel: ours
 * @queue: what it takes from
 * @lost: the most that any delivery told
 * @ntransforms: entries of @transforms
 */
struct zcbuf_subscriber {
	struct zcbuf_channel *channel;
	struct zcb_queue queue;
	atomic_ullong lost;
	unsigned int ntransforms;
	struct zcbuf_transform transforms[];
};

static const struct zcbuf_transform *
find_transform(const struct zcbuf_subscriber *subscriber, __u32 encoding)
{
	unsigned int i;

	for (i = 0; i < subscriber->ntransforms; i++)
		if (subscriber->transforms[i].encoding == encoding)
			return &subscriber->transforms[i];
	return NULL;
}

static int add_transform(struct zcbuf_subscriber *subscriber,
			 const struct zcbuf_transform *from)
{
	struct zcbuf_transform transform;
	int err;

	err = zcb_transform_read(&transform, from);
	if (err)
		return err;
	if (!transform.decode || find_transform(subscriber, transform.encoding))
		return -EINVAL;
	subscriber->transforms[subscriber->ntransforms++] = transform;
	return 0;
}

static int subscriber_new(const struct zcbuf_subscriber_opts *opts,
			  struct zcbuf_subscriber **out)
{
	struct zcbuf_subscriber *subscriber;
	unsigned int i;
	size_t size;
	int err;

	if (opts->ntransforms > MAX_TRANSFORMS ||
	    (opts->ntransforms && !opts->transforms))
		return -EINVAL;
	size = sizeof(*subscriber) +
	       opts->ntransforms * sizeof(subscriber->transforms[0]);
	subscriber = calloc(1, size);
	if (!subscriber)
		return -ENOMEM;
	atomic_init(&subscriber->lost, 0);
	for (i = 0; i < opts->ntransforms; i++) {
		err = add_transform(subscriber, opts->transforms[i]);
		if (err) {
			free(subscriber);
			return err;
		}
	}
	*out = subscriber;
	return 0;
}

static int subscriber_channel(struct zcbuf_subscriber *subscriber,
			      struct zcbuf_pool *pool,
			      const struct zcbuf_name *name,
			      const struct zcbuf_subscriber_opts *opts)
{
	const struct zcbuf_channel_opts channel = {
		.ports = ZCBUF_PORT_CONSUME,
		.depth = opts->depth,
		.flags = opts->flags |
			 (opts->channel ? 0 : ZCBUF_CHANNEL_F_TOPIC),
		.name = name,
		.deadline_ns = opts->deadline_ns,
		.history = opts->history,
		.policy = opts->policy,
		.max_held = opts->max_held,
		.lanes = opts->lanes,
		.replay = opts->replay,
	};

	return zcb_channel_open(pool, opts->channel, &channel,
				&subscriber->channel);
}

int zcbuf_subscriber_open(struct zcbuf_pool *pool,
			  const struct zcbuf_name *name,
			  const struct zcbuf_subscriber_opts *user_opts,
			  struct zcbuf_subscriber **out)
{
	struct zcbuf_subscriber *subscriber;
	struct zcbuf_subscriber_opts opts;
	int err;

	err = zcb_opts_read(&opts, sizeof(opts), user_opts, sizeof(opts));
	if (!err)
		err = subscriber_new(&opts, &subscriber);
	if (err)
		return err;
	err = subscriber_channel(subscriber, pool, name, &opts);
	if (err) {
		free(subscriber);
		return err;
	}
	zcb_queue_open(&subscriber->queue, subscriber->channel);
	*out = subscriber;
	return 0;
}

int zcbuf_subscriber_close(struct zcbuf_subscriber *subscriber)
{
	struct zcbuf_waitset *set;
	int err;

	if (!subscriber)
		return 0;
	/* In a fork child it may be closed, and has no mapping to write to. */
	set = atomic_load(&subscriber->queue.set);
	if (set && subscriber->queue.pid == getpid())
		zcbuf_waitset_remove(set, subscriber);
	zcb_queue_close(&subscriber->queue);
	err = zcbuf_channel_close(subscriber->channel);
	free(subscriber);
	return err;
}

struct zcbuf_channel *
zcbuf_subscriber_channel(const struct zcbuf_subscriber *subscriber)
{
	return subscriber->channel;
}

struct zcb_queue *zcb_subscriber_queue(struct zcbuf_subscriber *subscriber)
{
	return &subscriber->queue;
}

/* Several threads may take: what one was told later may be the older news. */
static void note_lost(struct zcbuf_subscriber *subscriber, __u64 lost)
{
	unsigned long long known = atomic_load(&subscriber->lost);

	while (known < lost && !atomic_compare_exchange_weak(&subscriber->lost,
							     &known, lost))
		;
}

/* It was taken, whatever comes: without data it can still be released. */
static void sample_place(const struct zcbuf_pool *pool,
			 struct zcbuf_sample *sample)
{
	const struct zcbuf_delivery *delivery = &sample->delivery;
	void *data = NULL;

	if (delivery->nextents == 1)
		zcb_map_range(pool, delivery->extents[0].pool_offset,
			      delivery->length, &data);
	sample->data = data;
	sample->length = delivery->length;
}

int zcbuf_subscriber_take(struct zcbuf_subscriber *subscriber,
			  struct zcbuf_sample *samples, unsigned int count,
			  __u64 deadline_ns)
{
	struct zcbuf_channel *channel = subscriber->channel;
	int done;
	int i;

	done = zcb_queue_take(&subscriber->queue, channel, samples, count,
			      deadline_ns);
	for (i = 0; i < done; i++) {
		sample_place(channel->pool, &samples[i]);
		note_lost(subscriber, samples[i].delivery.lost);
	}
	return done;
}

unsigned int zcb_subscriber_entries(struct zcbuf_subscriber *subscriber,
				    const struct zcbuf_delivery **entries,
				    unsigned int count)
{
	unsigned int done;
	__u64 lost = 0;

	done = zcb_queue_entries(&subscriber->queue, entries, count, &lost);
	note_lost(subscriber, lost);
	return done;
}

int zcb_subscriber_release(struct zcbuf_subscriber *subscriber,
			   const __u64 *handles, unsigned int count)
{
	int done = zcbuf_release(subscriber->channel, handles, count);

	if (done > 0)
		zcb_queue_released(&subscriber->queue, done);
	return done;
}

static void sample_forget(struct zcbuf_sample *sample)
{
	sample->data = NULL;
	sample->length = 0;
}

int zcbuf_subscriber_release(struct zcbuf_subscriber *subscriber,
			     struct zcbuf_sample *samples, unsigned int count)
{
	__u64 handles[ZCBUF_MAX_BATCH];
	unsigned int n;
	int done;
	int i;

	if (count > ARRAY_SIZE(handles))
		return -EINVAL;
	for (n = 0; n < count; n++)
		handles[n] = samples[n].delivery.handle;
	done = zcb_subscriber_release(subscriber, handles, count);
	for (i = 0; i < done; i++)
		sample_forget(&samples[i]);
	return done;
}

/* In as many pieces as it is. */
static __s64 sample_copy(const struct zcbuf_sample *sample,
			 const struct iovec *iov, unsigned int n, void *dst,
			 size_t capacity)
{
	unsigned char *to = dst;
	unsigned int i;

	if (sample->length > capacity)
		return -EMSGSIZE;
	for (i = 0; i < n; i++) {
		memcpy(to, iov[i].iov_base, iov[i].iov_len);
		to += iov[i].iov_len;
	}
	return sample->length;
}

__s64 zcbuf_subscriber_decode(const struct zcbuf_subscriber *subscriber,
			      const struct zcbuf_sample *sample, void *dst,
			      size_t capacity)
{
	const struct zcbuf_delivery *delivery = &sample->delivery;
	const struct zcbuf_transform *transform;
	struct iovec iov[ZCBUF_MAX_EXTENTS];
	int n;

	if (!sample->length)
		return -EINVAL;
	n = zcbuf_delivery_iovec(subscriber->channel->pool, delivery, iov);
	if (n < 0)
		return n;
	if (!delivery->encoding)
		return sample_copy(sample, iov, n, dst, capacity);
	transform = find_transform(subscriber, delivery->encoding);
	if (!transform)
		return -EPROTONOSUPPORT;
	if (n != 1)
		return -EINVAL;	/* only a single buffer is published */
	return zcb_transform_run(transform, transform->decode, dst, capacity,
				 iov[0].iov_base, iov[0].iov_len);
}

__u64 zcbuf_subscriber_lost(const struct zcbuf_subscriber *subscriber)
{
	return atomic_load(&subscriber->lost);
}

int zcbuf_subscriber_eventfd(struct zcbuf_subscriber *subscriber)
{
	return zcbuf_channel_eventfd(subscriber->channel, 0);
}

int zcbuf_subscriber_fd(const struct zcbuf_subscriber *subscriber)
{
	return zcbuf_pool_fd(subscriber->channel->pool);
}

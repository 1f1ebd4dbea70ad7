// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Publishers: buffers that become messages. A loan is a buffer as any other, and
 * the channel is one as any other, so all there is to do is to put them together.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/*
 * struct zcbuf_publisher
 * @channel: ours
 * @transform: its encoding is 0 if there is none
 */
struct zcbuf_publisher {
	struct zcbuf_channel *channel;
	struct zcbuf_transform transform;
};

int zcbuf_publish_why(struct zcbuf_channel *channel,
		      struct zcbuf_publication *entries, unsigned int count,
		      __u32 flags, __u64 deadline_ns, __u32 *why)
{
	struct zcbuf_publish arg = {
		.size = sizeof(arg),
		.flags = flags,
		.channel = channel->handle,
		.entries = zcb_ptr(entries),
		.deadline_ns = deadline_ns,
		.count = count,
	};
	int err;

	err = zcb_call(channel->pool->session.fd, ZCBUF_NR_PUBLISH, &arg);
	*why = arg.out_why;
	return err ? err : (int)arg.out_done;
}

int zcbuf_publish(struct zcbuf_channel *channel,
		  struct zcbuf_publication *entries, unsigned int count,
		  __u32 flags, __u64 deadline_ns)
{
	__u32 why;

	return zcbuf_publish_why(channel, entries, count, flags, deadline_ns,
				 &why);
}

static int publisher_transform(struct zcbuf_publisher *publisher,
			       const struct zcbuf_transform *transform)
{
	int err;

	if (!transform)
		return 0;
	err = zcb_transform_read(&publisher->transform, transform);
	if (err)
		return err;
	return publisher->transform.encode ? 0 : -EINVAL;
}

/* What is found by its handle may be a stream: then its kind is not told. */
static int publisher_channel(struct zcbuf_publisher *publisher,
			     struct zcbuf_pool *pool,
			     const struct zcbuf_name *name,
			     const struct zcbuf_publisher_opts *opts)
{
	const struct zcbuf_channel_opts channel = {
		.ports = ZCBUF_PORT_PRODUCE,
		.flags = opts->flags |
			 (opts->channel ? 0 : ZCBUF_CHANNEL_F_TOPIC),
		.name = name,
		.deadline_ns = opts->deadline_ns,
		.history = opts->history,
	};

	return zcb_channel_open(pool, opts->channel, &channel,
				&publisher->channel);
}

int zcbuf_publisher_open(struct zcbuf_pool *pool, const struct zcbuf_name *name,
			 const struct zcbuf_publisher_opts *user_opts,
			 struct zcbuf_publisher **out)
{
	struct zcbuf_publisher_opts opts;
	struct zcbuf_publisher *publisher;
	int err;

	err = zcb_opts_read(&opts, sizeof(opts), user_opts, sizeof(opts));
	if (err)
		return err;
	publisher = calloc(1, sizeof(*publisher));
	if (!publisher)
		return -ENOMEM;
	err = publisher_transform(publisher, opts.transform);
	if (!err)
		err = publisher_channel(publisher, pool, name, &opts);
	if (err) {
		free(publisher);
		return err;
	}
	*out = publisher;
	return 0;
}

int zcbuf_publisher_close(struct zcbuf_publisher *publisher)
{
	int err;

	if (!publisher)
		return 0;
	err = zcbuf_channel_close(publisher->channel);
	free(publisher);
	return err;
}

struct zcbuf_channel *
zcbuf_publisher_channel(const struct zcbuf_publisher *publisher)
{
	return publisher->channel;
}

int zcbuf_publisher_loan(struct zcbuf_publisher *publisher, size_t length,
			 __u64 deadline_ns, struct zcbuf_buf *loan)
{
	const struct zcbuf_buf_opts opts = {
		.sz = sizeof(opts),
		.deadline_ns = deadline_ns,
	};

	return zcbuf_buf_alloc_opts(publisher->channel->pool, length, &opts,
				    loan);
}

int zcbuf_publisher_loan_batch(struct zcbuf_publisher *publisher, size_t length,
			       __u64 deadline_ns, struct zcbuf_buf *loans,
			       unsigned int count)
{
	const struct zcbuf_buf_opts opts = {
		.sz = sizeof(opts),
		.deadline_ns = deadline_ns,
	};

	return zcb_bufs_alloc(publisher->channel->pool, length, &opts, loans,
			      count);
}

int zcbuf_publisher_return(struct zcbuf_publisher *publisher,
			   struct zcbuf_buf *loan)
{
	if (loan->handle && loan->pool != publisher->channel->pool)
		return -EPERM;
	return zcbuf_buf_free(loan);
}

/* What the kernel would find as well, or could take for another buffer. */
static int loan_check(const struct zcbuf_publisher *publisher,
		      const struct zcbuf_buf *loan, size_t length)
{
	if (!loan->handle)
		return -EALREADY;
	if (loan->pool != publisher->channel->pool)
		return -EPERM;
	if (zcb_fallback_has(loan->handle))
		return -EOPNOTSUPP;
	if (!length)
		return -EINVAL;	/* to the kernel it would mean all */
	return length > loan->capacity ? -ERANGE : 0;
}

static int loan_entry(const struct zcbuf_publisher *publisher,
		      const struct zcbuf_buf *loan, size_t length,
		      struct zcbuf_publication *entry)
{
	int err = loan_check(publisher, loan, length);

	if (err)
		return err;
	entry->handle = loan->handle;
	entry->length = length;
	return 0;
}

int zcbuf_publisher_publish(struct zcbuf_publisher *publisher,
			    struct zcbuf_buf *loan, size_t length,
			    struct zcbuf_publication *entry, __u32 flags,
			    __u64 deadline_ns)
{
	struct zcbuf_publication plain = { 0 };
	int done;
	int err;

	if (!entry)
		entry = &plain;
	err = loan_entry(publisher, loan, length, entry);
	if (err)
		return err;
	done = zcbuf_publish(publisher->channel, entry, 1, flags, deadline_ns);
	if (done < 0)
		return done;
	memset(loan, 0, sizeof(*loan));
	return 0;
}

int zcbuf_publisher_publish_batch(struct zcbuf_publisher *publisher,
				  struct zcbuf_buf *loans,
				  struct zcbuf_publication *entries,
				  unsigned int count, __u32 flags,
				  __u64 deadline_ns)
{
	unsigned int n = 0;
	int err = -EINVAL;
	int done;

	if (count > ZCBUF_MAX_BATCH)
		return -EINVAL;
	for (; n < count; n++) {
		err = loan_entry(publisher, &loans[n], loans[n].length,
				 &entries[n]);
		if (err)
			break;
	}
	if (!n)
		return err;
	done = zcbuf_publish(publisher->channel, entries, n, flags,
			     deadline_ns);
	if (done > 0)
		memset(loans, 0, done * sizeof(*loans));
	return done;
}

/* Of the message that goes to @loan: how long it is there, or why it is not. */
static __s64 publisher_fill(const struct zcbuf_publisher *publisher,
			    const struct zcbuf_buf *loan, const void *data,
			    size_t length)
{
	const struct zcbuf_transform *transform = &publisher->transform;

	if (transform->encoding)
		return zcb_transform_run(transform, transform->encode,
					 loan->data, loan->capacity, data,
					 length);
	memcpy(loan->data, data, length);
	return length;
}

static size_t publisher_bound(const struct zcbuf_publisher *publisher,
			      size_t length)
{
	const struct zcbuf_transform *transform = &publisher->transform;

	if (!transform->bound)
		return length;
	return transform->bound(transform->ctx, length);
}

int zcbuf_publisher_send(struct zcbuf_publisher *publisher, const void *data,
			 size_t length, struct zcbuf_publication *entry,
			 __u32 flags, __u64 deadline_ns)
{
	struct zcbuf_publication plain = { 0 };
	struct zcbuf_buf loan;
	__s64 filled;
	int err;

	if (!length)
		return -EINVAL;
	if (!entry)
		entry = &plain;
	if (publisher->transform.encoding)
		entry->encoding = publisher->transform.encoding;
	err = zcbuf_publisher_loan(publisher,
				   publisher_bound(publisher, length),
				   deadline_ns, &loan);
	if (err)
		return err;
	filled = publisher_fill(publisher, &loan, data, length);
	err = filled;
	if (filled >= 0)
		err = zcbuf_publisher_publish(publisher, &loan, filled, entry,
					      flags, deadline_ns);
	if (err)
		zcbuf_buf_free(&loan);
	return err;
}

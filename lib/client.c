// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Clients: a publisher of requests, and a topic without a name for the replies.
 */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

/* Replies that nobody waits for any more, before the oldest is dropped. */
#define REPLIES	16

/*
 * struct zcbuf_client
 * @requests: to the server
 * @replies: its handle is the user_tag of requests
 */
struct zcbuf_client {
	struct zcbuf_publisher *requests;
	struct zcbuf_subscriber *replies;
};

static int open_replies(struct zcbuf_client *client, struct zcbuf_pool *pool)
{
	const struct zcbuf_subscriber_opts opts = {
		.sz = sizeof(opts),
		.depth = REPLIES,
		.policy = ZCBUF_POLICY_DROP_OLDEST,
	};

	return zcbuf_subscriber_open(pool, NULL, &opts, &client->replies);
}

int zcbuf_client_open(struct zcbuf_pool *pool, const struct zcbuf_name *name,
		      const struct zcbuf_publisher_opts *opts,
		      struct zcbuf_client **out)
{
	struct zcbuf_client *client;
	int err;

	if (!name)
		return -EINVAL;
	client = calloc(1, sizeof(*client));
	if (!client)
		return -ENOMEM;
	err = zcbuf_publisher_open(pool, name, opts, &client->requests);
	if (!err)
		err = open_replies(client, pool);
	if (err) {
		zcbuf_publisher_close(client->requests);
		free(client);
		return err;
	}
	*out = client;
	return 0;
}

int zcbuf_client_close(struct zcbuf_client *client)
{
	int err;
	int e;

	if (!client)
		return 0;
	err = zcbuf_publisher_close(client->requests);
	e = zcbuf_subscriber_close(client->replies);
	free(client);
	return err ? err : e;
}

int zcbuf_client_send(struct zcbuf_client *client, struct zcbuf_buf *request,
		      size_t length, __u64 *number, __u64 deadline_ns)
{
	const struct zcbuf_channel *replies =
		zcbuf_subscriber_channel(client->replies);
	struct zcbuf_publication entry = { .user_tag = replies->handle };
	int err;

	err = zcbuf_publisher_publish(client->requests, request, length, &entry,
				      ZCBUF_PUBLISH_F_NEED_CONSUMER,
				      deadline_ns);
	if (!err)
		*number = entry.out_seq;
	return err;
}

int zcbuf_client_wait(struct zcbuf_client *client, __u64 number,
		      struct zcbuf_sample *reply, __u64 deadline_ns)
{
	struct zcbuf_sample sample;
	int done;

	for (;;) {
		done = zcbuf_subscriber_take(client->replies, &sample, 1,
					     deadline_ns);
		if (done < 0)
			return done;
		if (sample.delivery.user_tag == number)
			break;
		zcbuf_client_release(client, &sample);
	}
	*reply = sample;
	return 0;
}

int zcbuf_client_call(struct zcbuf_client *client, struct zcbuf_buf *request,
		      size_t length, struct zcbuf_sample *reply,
		      __u64 deadline_ns)
{
	__u64 number;
	int err;

	err = zcbuf_client_send(client, request, length, &number, deadline_ns);
	if (err)
		return err;
	return zcbuf_client_wait(client, number, reply, deadline_ns);
}

int zcbuf_client_release(struct zcbuf_client *client,
			 struct zcbuf_sample *reply)
{
	int done = zcbuf_subscriber_release(client->replies, reply, 1);

	return done < 0 ? done : 0;
}

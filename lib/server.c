// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Servers: a subscriber of requests, and a publisher for each client that has asked
 * of late. Who has a port of a dead client's topic keeps it from going, so they are
 * few, and go when a reply finds nobody.
 */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

#define CLIENTS	16

/*
 * struct zcbuf_server
 * @requests: from all clients
 * @channel: by number, the handle of a client's topic, or 0
 * @replies: to that
 * @oldest: the one that is given up for a new one
 */
struct zcbuf_server {
	struct zcbuf_subscriber *requests;
	__u64 channel[CLIENTS];
	struct zcbuf_publisher *replies[CLIENTS];
	unsigned int oldest;
};

int zcbuf_server_open(struct zcbuf_pool *pool, const struct zcbuf_name *name,
		      const struct zcbuf_subscriber_opts *opts,
		      struct zcbuf_server **out)
{
	struct zcbuf_server *server;
	int err;

	if (!name)
		return -EINVAL;
	server = calloc(1, sizeof(*server));
	if (!server)
		return -ENOMEM;
	err = zcbuf_subscriber_open(pool, name, opts, &server->requests);
	if (err) {
		free(server);
		return err;
	}
	*out = server;
	return 0;
}

static void forget_client(struct zcbuf_server *server, unsigned int i)
{
	zcbuf_publisher_close(server->replies[i]);
	server->replies[i] = NULL;
	server->channel[i] = 0;
}

int zcbuf_server_close(struct zcbuf_server *server)
{
	unsigned int i;
	int err;

	if (!server)
		return 0;
	for (i = 0; i < CLIENTS; i++)
		forget_client(server, i);
	err = zcbuf_subscriber_close(server->requests);
	free(server);
	return err;
}

struct zcbuf_subscriber *
zcbuf_server_subscriber(const struct zcbuf_server *server)
{
	return server->requests;
}

int zcbuf_server_take(struct zcbuf_server *server, struct zcbuf_sample *request,
		      __u64 deadline_ns)
{
	int done = zcbuf_subscriber_take(server->requests, request, 1,
					 deadline_ns);

	return done < 0 ? done : 0;
}

int zcbuf_server_release(struct zcbuf_server *server,
			 struct zcbuf_sample *request)
{
	int done = zcbuf_subscriber_release(server->requests, request, 1);

	return done < 0 ? done : 0;
}

/* Its number, or why there is none: a number that is no topic is nobody's. */
static int find_client(struct zcbuf_server *server, __u64 channel)
{
	const struct zcbuf_publisher_opts opts = {
		.sz = sizeof(opts), .channel = channel,
	};
	unsigned int i;
	int err;

	if (!channel)
		return -EPIPE;	/* to the kernel it would mean a new one */
	for (i = 0; i < CLIENTS; i++)
		if (server->channel[i] == channel)
			return i;
	i = server->oldest;
	forget_client(server, i);
	err = zcbuf_publisher_open(
		zcbuf_subscriber_channel(server->requests)->pool, NULL, &opts,
		&server->replies[i]);
	if (err == -ENOENT || err == -ESTALE || err == -EINVAL)
		return -EPIPE;
	if (err)
		return err;
	server->channel[i] = channel;
	server->oldest = (i + 1) % CLIENTS;
	return i;
}

int zcbuf_server_reply(struct zcbuf_server *server,
		       struct zcbuf_sample *request, struct zcbuf_buf *reply,
		       size_t length)
{
	struct zcbuf_publication entry = { .user_tag = request->delivery.seq };
	int client;
	int err;

	if (!request->length)
		return -EINVAL;
	client = find_client(server, request->delivery.user_tag);
	if (client < 0)
		return client;
	err = zcbuf_publisher_publish(server->replies[client], reply, length,
				      &entry, ZCBUF_PUBLISH_F_NEED_CONSUMER, 0);
	if (err == -EPIPE || err == -ESHUTDOWN)
		forget_client(server, client);
	if (err)
		return err == -ESHUTDOWN ? -EPIPE : err;
	return zcbuf_server_release(server, request);
}

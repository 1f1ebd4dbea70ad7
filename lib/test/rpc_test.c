// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Requests and replies: who gets which, and what is left when one is gone. */
#include <errno.h>
#include <string.h>

#include "fake.h"
#include "test.h"
#include "wrap.h"

static const struct zcbuf_name name = { NULL, "Clock", "main", "now" };

static struct zcbuf_pool *pools[2];
static struct zcbuf_client *client;
static struct zcbuf_server *server;

/* Allocations that go well before one that does not; -1: all do. */
static int calloc_fails = -1;

void *__wrap_calloc(size_t n, size_t size)
{
	if (calloc_fails >= 0 && !calloc_fails--)
		return NULL;
	return __real_calloc(n, size);
}

static void make_pools(void)
{
	ASSERT_EQ(zcbuf_pool_create(&pools[0], NULL), 0);
	ASSERT_EQ(zcbuf_pool_attach(&pools[1], "x", NULL), 0);
}

static void make(void)
{
	make_pools();
	ASSERT_EQ(zcbuf_server_open(pools[0], &name, NULL, &server), 0);
	ASSERT_EQ(zcbuf_client_open(pools[1], &name, NULL, &client), 0);
}

static void unmake(void)
{
	EXPECT_EQ(zcbuf_client_close(client), 0);
	EXPECT_EQ(zcbuf_server_close(server), 0);
	EXPECT_EQ(fake_bufs(), 0);
	EXPECT_EQ(fake_topics(), 0);
	zcbuf_pool_close(pools[1]);
	zcbuf_pool_close(pools[0]);
}

static struct zcbuf_buf text(struct zcbuf_pool *pool, const char *what)
{
	struct zcbuf_buf buf;

	ASSERT_EQ(zcbuf_buf_alloc(pool, 10, &buf), 0);
	strcpy(buf.data, what);
	return buf;
}

/* The next request is @want, and is answered by @what. */
static void serve(const char *want, const char *what)
{
	struct zcbuf_buf reply = text(pools[0], what);
	struct zcbuf_sample request;

	ASSERT_EQ(zcbuf_server_take(server, &request, 0), 0);
	EXPECT(!strcmp(request.data, want));
	EXPECT_EQ(zcbuf_server_reply(server, &request, &reply, 10), 0);
	EXPECT(!reply.handle && !request.data);
}

static void serve_one(void)
{
	serve("ping", "pong");
}

static void reply_is(const struct zcbuf_sample *reply, const char *want)
{
	struct zcbuf_sample sample = *reply;

	EXPECT(!strcmp(sample.data, want));
	EXPECT_EQ(zcbuf_client_release(client, &sample), 0);
	EXPECT_EQ(zcbuf_client_release(client, &sample), -EBADSLT);
}

static void call(void)
{
	struct zcbuf_sample reply;
	struct zcbuf_buf request;
	unsigned int i;

	make();
	for (i = 0; i < 3; i++) {
		request = text(pools[1], "ping");
		fake.on_receive = serve_one;
		ASSERT_EQ(zcbuf_client_call(client, &request, 5, &reply, 77),
			  0);
		EXPECT_EQ(fake.receive.deadline_ns, 77);
		EXPECT(!request.handle);
		reply_is(&reply, "pong");
	}
	/* The way back is opened once. */
	EXPECT_EQ(fake.calls[ZCBUF_NR_CHANNEL_OPEN], 4);
	EXPECT_EQ(fake_bufs(), 0);
	unmake();
}

/* What comes too late is not taken for the answer to something else. */
static void late(void)
{
	struct zcbuf_sample reply;
	struct zcbuf_buf request;
	__u64 number;

	make();
	request = text(pools[1], "first");
	EXPECT_EQ(zcbuf_client_call(client, &request, 6, &reply, 1),
		  -ETIMEDOUT);
	EXPECT(!request.handle);
	request = text(pools[1], "second");
	EXPECT_EQ(zcbuf_client_send(client, &request, 7, &number, 66), 0);
	EXPECT_EQ(fake.publish.deadline_ns, 66);
	EXPECT_EQ(number, 1);
	EXPECT_EQ(zcbuf_client_wait(client, number, &reply, 0), -EAGAIN);
	serve("first", "one");
	serve("second", "two");
	ASSERT_EQ(zcbuf_client_wait(client, number, &reply, 0), 0);
	reply_is(&reply, "two");
	EXPECT_EQ(fake_bufs(), 0);
	unmake();
}

static void no_server(void)
{
	struct zcbuf_sample reply;
	struct zcbuf_buf request;

	make();
	request = text(pools[1], "hello?");
	EXPECT_EQ(zcbuf_server_close(server), 0);
	server = NULL;
	EXPECT_EQ(zcbuf_client_call(client, &request, 7, &reply, 1), -EPIPE);
	EXPECT(request.handle);
	EXPECT_EQ(zcbuf_buf_free(&request), 0);
	unmake();
}

/* Nobody waits: both are the server's still, and the topic is let go. */
static void no_client(void)
{
	struct zcbuf_buf reply;
	struct zcbuf_sample request;
	struct zcbuf_buf buf;
	__u64 number;
	int again;

	make();
	for (again = 0; again < 2; again++) {
		if (!again) {
			/* Known to the server already. */
			buf = text(pools[1], "0");
			EXPECT_EQ(zcbuf_client_send(client, &buf, 2, &number,
						    0), 0);
			serve("0", "0");
		} else {
			ASSERT_EQ(zcbuf_client_open(pools[1], &name, NULL,
						    &client), 0);
		}
		buf = text(pools[1], "1");
		EXPECT_EQ(zcbuf_client_send(client, &buf, 2, &number, 0), 0);
		EXPECT_EQ(zcbuf_client_close(client), 0);
		client = NULL;
		reply = text(pools[0], "x");
		ASSERT_EQ(zcbuf_server_take(server, &request, 0), 0);
		EXPECT_EQ(zcbuf_server_reply(server, &request, &reply, 2),
			  -EPIPE);
		EXPECT_EQ(fake_topics(), 1);
		EXPECT(reply.handle && request.data);
		EXPECT_EQ(zcbuf_server_release(server, &request), 0);
		EXPECT_EQ(zcbuf_server_reply(server, &request, &reply, 2),
			  -EINVAL);
		EXPECT_EQ(zcbuf_buf_free(&reply), 0);
	}
	unmake();
}

/* What is no request, but a message like any other, has no reply. */
static void no_request(void)
{
	struct zcbuf_publication entry = { 0 };
	struct zcbuf_publisher *pub;
	struct zcbuf_sample request;
	struct zcbuf_buf reply;
	struct zcbuf_buf buf;

	make();
	ASSERT_EQ(zcbuf_publisher_open(pools[0], &name, NULL, &pub), 0);
	buf = text(pools[0], "x");
	EXPECT_EQ(zcbuf_publisher_publish(pub, &buf, 2, &entry, 0, 0), 0);
	reply = text(pools[0], "y");
	ASSERT_EQ(zcbuf_server_take(server, &request, 0), 0);
	EXPECT_EQ(zcbuf_server_reply(server, &request, &reply, 2), -EPIPE);
	EXPECT_EQ(fake_topics(), 2);
	EXPECT_EQ(zcbuf_server_release(server, &request), 0);
	EXPECT_EQ(zcbuf_buf_free(&reply), 0);
	EXPECT_EQ(zcbuf_publisher_close(pub), 0);
	unmake();
}

/* More clients than the server knows at a time are served all the same. */
static void many(void)
{
	struct zcbuf_client *clients[8];
	struct zcbuf_buf buf;
	__u64 number;
	int round;
	int i;

	make();
	/* Of what it knows, all but one are gone by and by. */
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 8; i++) {
			ASSERT_EQ(zcbuf_client_open(pools[1], NULL, NULL,
						    &clients[i]), -EINVAL);
			ASSERT_EQ(zcbuf_client_open(pools[1], &name, NULL,
						    &clients[i]), 0);
			buf = text(pools[1], "ping");
			EXPECT_EQ(zcbuf_client_send(clients[i], &buf, 5,
						    &number, 0), 0);
			serve_one();
		}
		/* They have one producer port, which went with the first. */
		for (i = 0; i < 8; i++)
			EXPECT_EQ(zcbuf_client_close(clients[i]),
				  i ? -ENOENT : 0);
		EXPECT(fake_topics() <= 2 + 16);
	}
	EXPECT_EQ(zcbuf_client_close(client), -ENOENT);
	client = NULL;
	unmake();
}

static void refused(void)
{
	struct zcbuf_sample request;

	make_pools();
	EXPECT_EQ(zcbuf_server_open(pools[0], NULL, NULL, &server), -EINVAL);
	calloc_fails = 0;
	EXPECT_EQ(zcbuf_server_open(pools[0], &name, NULL, &server), -ENOMEM);
	calloc_fails = 1;
	EXPECT_EQ(zcbuf_server_open(pools[0], &name, NULL, &server), -ENOMEM);
	for (calloc_fails = 0; calloc_fails < 3;) {
		int before = calloc_fails;

		EXPECT_EQ(zcbuf_client_open(pools[1], &name, NULL, &client),
			  -ENOMEM);
		EXPECT_EQ(fake_topics(), 0);
		calloc_fails = before + 1;
	}
	calloc_fails = -1;
	EXPECT(!client && !server);
	fake.fail_pass[ZCBUF_NR_CHANNEL_OPEN] = 1;
	fake.fail[ZCBUF_NR_CHANNEL_OPEN] = EMFILE;
	EXPECT_EQ(zcbuf_client_open(pools[1], &name, NULL, &client), -EMFILE);
	EXPECT_EQ(fake_topics(), 0);
	ASSERT_EQ(zcbuf_server_open(pools[0], &name, NULL, &server), 0);
	EXPECT_EQ(zcbuf_server_take(server, &request, 5), -ETIMEDOUT);
	EXPECT_EQ(zcbuf_subscriber_fd(zcbuf_server_subscriber(server)),
		  zcbuf_pool_fd(pools[0]));
	unmake();
}

static const struct test_case cases[] = {
	CASE(call),
	CASE(late),
	CASE(no_server),
	CASE(no_client),
	CASE(no_request),
	CASE(many),
	CASE(refused),
};

TEST_MAIN(cases)

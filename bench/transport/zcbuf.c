// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * A topic. The pool has a name, by which the other process finds it; each receiver
 * is a session, as in a process of its own, that cannot write to messages. (What
 * others could have written to would be zeroed before it is lent again.)
 */
#include <errno.h>

#include "../messages.h"

#define POOL	"bench"

static struct zcbuf_pool *made;
static unsigned int users;

static struct zcbuf_name name_of(const struct link *l)
{
	return (struct zcbuf_name){
		.service = "bench",
		.instance = l->topic ? l->topic : "messages",
		.event = "message",
	};
}

static void link_open(struct link *l)
{
	const struct zcbuf_pool_opts opts = {
		.sz = sizeof(opts), .name = POOL,
	};

	(void)l;
	if (!users++)
		bench_ok(zcbuf_pool_create(&made, &opts), "pool");
}

static void link_sender(struct link *l)
{
	const struct zcbuf_name name = name_of(l);

	bench_ok(zcbuf_pool_attach(&l->pool[0], POOL, NULL), "attach");
	bench_ok(zcbuf_publisher_open(l->pool[0], &name, NULL, &l->publisher),
		 "publisher");
}

static void link_receiver(struct link *l, unsigned int i)
{
	const struct zcbuf_name name = name_of(l);
	const struct zcbuf_attach_opts opts = {
		.sz = sizeof(opts),
		.rights = ZCBUF_RIGHT_MAP_READ | ZCBUF_RIGHT_CONSUME,
	};

	bench_ok(zcbuf_pool_attach(&l->pool[1 + i], POOL, &opts), "attach");
	bench_ok(zcbuf_subscriber_open(l->pool[1 + i], &name, NULL,
				       &l->subscriber[i]), "subscriber");
}

static void link_send(struct link *l)
{
	struct zcbuf_buf loan;

	bench_ok(zcbuf_publisher_loan(l->publisher, l->size, 0, &loan), "loan");
	*(__u64 *)loan.data = l->size;
	bench_ok(zcbuf_publisher_publish(l->publisher, &loan, l->size, NULL, 0,
					 0), "publish");
}

static void link_receive(struct link *l, unsigned int i)
{
	struct zcbuf_sample sample;

	bench_ok(zcbuf_subscriber_take(l->subscriber[i], &sample, 1,
				       l->sleeps ? ZCBUF_NO_DEADLINE : 0),
		 "take");
	if (*(const __u64 *)sample.data != l->size)
		bench_ok(-EBADMSG, "take");
	zcbuf_subscriber_release(l->subscriber[i], &sample, 1);
}

static void link_close(struct link *l)
{
	unsigned int i;

	zcbuf_publisher_close(l->publisher);
	zcbuf_pool_close(l->pool[0]);
	for (i = 0; i < l->receivers; i++) {
		zcbuf_subscriber_close(l->subscriber[i]);
		zcbuf_pool_close(l->pool[1 + i]);
	}
	if (!--users)
		zcbuf_pool_close(made);
}

const struct transport zcbuf_transport = {
	.who = "zcbuf",
	.open = link_open,
	.sender = link_sender,
	.receiver = link_receiver,
	.send = link_send,
	.receive = link_receive,
	.close = link_close,
};

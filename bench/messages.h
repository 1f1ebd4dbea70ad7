/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What messages go by. A link goes one way, from one sender to as many receivers;
 * it is opened before there are two processes, and each side then says what it is.
 */
#ifndef ZCBUF_BENCH_MESSAGES_H
#define ZCBUF_BENCH_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mqueue.h>

#include <zcbuf/zcbuf.h>

#include "harness/bench.h"

#define MAX_RECEIVERS	8

struct shared;
struct transport;

/*
 * struct link - one of them
 * @transport: what it goes by
 * @topic: tells links of one pool apart; NULL: there is one
 * @size: of each message
 * @receivers: how many
 * @sleeps: who receives waits, and has to be woken
 * @buffer: the sender's, and then the receiver's own memory, of what copies
 * @fd: by receiver, to read from and to write to
 * @queue: likewise
 * @shared: memory that all have
 * @pool: of the sender, and then by receiver: sessions
 * @publisher: the sender's
 * @subscriber: by receiver
 */
struct link {
	const struct transport *transport;
	const char *topic;
	size_t size;
	unsigned int receivers;
	bool sleeps;
	char *buffer[2];
	int fd[MAX_RECEIVERS][2];
	mqd_t queue[MAX_RECEIVERS];
	struct shared *shared;
	uint32_t seen[MAX_RECEIVERS];
	struct zcbuf_pool *pool[1 + MAX_RECEIVERS];
	struct zcbuf_publisher *publisher;
	struct zcbuf_subscriber *subscriber[MAX_RECEIVERS];
};

/*
 * struct transport - a way
 * @who: its name
 * @open: before anything else
 * @sender: this process sends
 * @receiver: this process is this receiver
 * @send: to all of them
 * @receive: the next one, or wait for it
 * @close: in the process that has opened it
 */
struct transport {
	const char *who;
	void (*open)(struct link *l);
	void (*sender)(struct link *l);
	void (*receiver)(struct link *l, unsigned int i);
	void (*send)(struct link *l);
	void (*receive)(struct link *l, unsigned int i);
	void (*close)(struct link *l);
};

extern const struct transport zcbuf_transport;
extern const struct transport pipe_transport;
extern const struct transport unix_transport;
extern const struct transport mqueue_transport;
extern const struct transport futex_transport;
extern const struct transport eventfd_transport;

#endif /* ZCBUF_BENCH_MESSAGES_H */

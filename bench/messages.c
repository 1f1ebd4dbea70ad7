// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * messages: from one who sends to one or many who receive, by a topic of zcbuf and
 * by what there is without it. The sender writes the first word of each message,
 * who receives reads it; whatever else there is to be copied is the transport's.
 *
 * In one thread, so that nobody ever waits: what it costs to hand a message over.
 * Between two processes, one way of a message that goes there and back, each of them
 * asleep until it comes.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "messages.h"

const struct transport *const transports[] = {
	&zcbuf_transport, &pipe_transport, &unix_transport, &mqueue_transport,
	&futex_transport, &eventfd_transport,
};

/* --------------------------------------------------------------- one thread */

static void run_all(void *ctx, unsigned long n)
{
	struct link *l = ctx;
	unsigned int i;

	while (n--) {
		l->transport->send(l);
		for (i = 0; i < l->receivers; i++)
			l->transport->receive(l, i);
	}
}

static void open_all(struct link *l, const struct transport *t, size_t size,
		     unsigned int receivers)
{
	unsigned int i;

	memset(l, 0, sizeof(*l));
	l->transport = t;
	l->size = size;
	l->receivers = receivers;
	t->open(l);
	for (i = 0; i < receivers; i++)
		t->receiver(l, i);
	t->sender(l);
}

static void measure_thread(const struct transport *t, size_t size,
			   unsigned int receivers, const char *op)
{
	struct bench_op what = {
		.area = "messages", .op = op, .variant = bench_size(size),
		.who = t->who, .run = run_all,
	};
	struct link l;

	open_all(&l, t, size, receivers);
	what.ctx = &l;
	bench(&what);
	t->close(&l);
}

/* ------------------------------------------------------------- two processes */

struct both {
	struct link there;
	struct link back;
};

static void run_pingpong(void *ctx, unsigned long n)
{
	struct both *b = ctx;

	while (n--) {
		b->there.transport->send(&b->there);
		b->back.transport->receive(&b->back, 0);
	}
}

/* The other side; ready is told by one byte. */
static void answer(struct both *b, int ready)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	b->there.transport->receiver(&b->there, 0);
	b->back.transport->sender(&b->back);
	bench_sys(write(ready, "", 1), "ready");
	for (;;) {
		b->there.transport->receive(&b->there, 0);
		b->back.transport->send(&b->back);
	}
}

static void link_init(struct link *l, const struct transport *t, size_t size,
		      const char *topic)
{
	memset(l, 0, sizeof(*l));
	l->transport = t;
	l->size = size;
	l->receivers = 1;
	l->topic = topic;
	l->sleeps = true;
	t->open(l);
}

static pid_t start_answering(struct both *b)
{
	int ready[2];
	char byte;
	pid_t pid;

	bench_sys(pipe(ready), "pipe");
	pid = bench_sys(fork(), "fork");
	if (!pid)
		answer(b, ready[1]);
	b->back.transport->receiver(&b->back, 0);
	bench_sys(read(ready[0], &byte, 1), "the other process");
	close(ready[0]);
	close(ready[1]);
	b->there.transport->sender(&b->there);
	return pid;
}

static void measure_pingpong(const struct transport *t, size_t size)
{
	struct bench_op what = {
		.area = "messages", .op = "one way, asleep",
		.variant = bench_size(size), .who = t->who,
		.run = run_pingpong, .parts = 2,
	};
	struct both b;
	pid_t pid;

	link_init(&b.there, t, size, "there");
	link_init(&b.back, t, size, "back");
	pid = start_answering(&b);
	what.ctx = &b;
	bench(&what);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	t->close(&b.there);
	t->close(&b.back);
}

int main(void)
{
	static const size_t sizes[] = { 1024, 65536 };
	size_t t, i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (t = 0; t < sizeof(transports) / sizeof(transports[0]); t++) {
			measure_thread(transports[t], sizes[i], 1,
				       "one thread, 1 to 1");
			measure_thread(transports[t], sizes[i], 8,
				       "one thread, 1 to 8");
			measure_pingpong(transports[t], sizes[i]);
		}
	}
	return 0;
}

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What copies: pipes, sockets of the Unix domain, POSIX message queues. One of them
 * for each receiver, with room for a few messages.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../messages.h"

#define ROOM	(1 << 20)	/* bytes */

static void buffers(struct link *l)
{
	int i;

	for (i = 0; i < 2; i++) {
		l->buffer[i] = aligned_alloc(4096, (l->size + 4095) & -4096UL);
		if (!l->buffer[i])
			bench_ok(-ENOMEM, "memory");
		memset(l->buffer[i], 0, l->size);
	}
}

static void buffers_free(struct link *l)
{
	free(l->buffer[0]);
	free(l->buffer[1]);
}

static void nothing(struct link *l)
{
	(void)l;
}

static void nothing_of(struct link *l, unsigned int i)
{
	(void)l;
	(void)i;
}

static void compose(struct link *l)
{
	*(__u64 *)l->buffer[0] = l->size;
}

static void look(const struct link *l, long length)
{
	bench_sys(length, "receive");
	if ((size_t)length != l->size || *(__u64 *)l->buffer[1] != l->size)
		bench_ok(-EBADMSG, "receive");
}

/* ------------------------------------------------------------ pipes, sockets */

static void pipe_open(struct link *l)
{
	unsigned int i;

	buffers(l);
	for (i = 0; i < l->receivers; i++) {
		bench_sys(pipe(l->fd[i]), "pipe");
		bench_sys(fcntl(l->fd[i][1], F_SETPIPE_SZ, ROOM), "pipe");
	}
}

static void unix_open(struct link *l)
{
	const int room = ROOM;
	unsigned int i;

	buffers(l);
	for (i = 0; i < l->receivers; i++) {
		bench_sys(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, l->fd[i]),
			  "socketpair");
		bench_sys(setsockopt(l->fd[i][1], SOL_SOCKET, SO_SNDBUFFORCE,
				     &room, sizeof(room)), "socket");
	}
}

static void fd_send(struct link *l)
{
	unsigned int i;

	compose(l);
	for (i = 0; i < l->receivers; i++)
		bench_sys(write(l->fd[i][1], l->buffer[0], l->size), "send");
}

/* Of a pipe a message may come in parts. */
static void fd_receive(struct link *l, unsigned int i)
{
	size_t have = 0;
	ssize_t n;

	while (have < l->size) {
		n = read(l->fd[i][0], l->buffer[1] + have, l->size - have);
		bench_sys(n, "receive");
		have += n;
	}
	look(l, have);
}

static void fd_close(struct link *l)
{
	unsigned int i;

	for (i = 0; i < l->receivers; i++) {
		close(l->fd[i][0]);
		close(l->fd[i][1]);
	}
	buffers_free(l);
}

const struct transport pipe_transport = {
	.who = "pipe",
	.open = pipe_open,
	.sender = nothing,
	.receiver = nothing_of,
	.send = fd_send,
	.receive = fd_receive,
	.close = fd_close,
};

const struct transport unix_transport = {
	.who = "Unix socket",
	.open = unix_open,
	.sender = nothing,
	.receiver = nothing_of,
	.send = fd_send,
	.receive = fd_receive,
	.close = fd_close,
};

/* ------------------------------------------------------------ message queues */

static void mqueue_open(struct link *l)
{
	struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = l->size };
	char name[64];
	unsigned int i;

	buffers(l);
	for (i = 0; i < l->receivers; i++) {
		snprintf(name, sizeof(name), "/bench-%d-%s-%u", getpid(),
			 l->topic ? l->topic : "messages", i);
		l->queue[i] = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600,
				      &attr);
		bench_sys(l->queue[i], "mq_open");
		mq_unlink(name);
	}
}

static void mqueue_send(struct link *l)
{
	unsigned int i;

	compose(l);
	for (i = 0; i < l->receivers; i++)
		bench_sys(mq_send(l->queue[i], l->buffer[0], l->size, 0),
			  "mq_send");
}

static void mqueue_receive(struct link *l, unsigned int i)
{
	look(l, mq_receive(l->queue[i], l->buffer[1], l->size, NULL));
}

static void mqueue_close(struct link *l)
{
	unsigned int i;

	for (i = 0; i < l->receivers; i++)
		mq_close(l->queue[i]);
	buffers_free(l);
}

const struct transport mqueue_transport = {
	.who = "POSIX mqueue",
	.open = mqueue_open,
	.sender = nothing,
	.receiver = nothing_of,
	.send = mqueue_send,
	.receive = mqueue_receive,
	.close = mqueue_close,
};

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * zcbuf-echo serve PORT [CONNECTIONS]: send back what comes to a TCP port of this
 * machine, over so many connections, or for ever.
 * zcbuf-echo ask PORT [CONNECTIONS [ROUNDS]]: send something over so many connections
 * (8) at once, so many times (64), and see whether it comes back.
 *
 * What the server receives is in a buffer of the pool, which it takes only when there
 * is something: a thousand quiet connections need none. It is sent from there, by
 * SEND_ZC of a fixed buffer, and the server never touches a byte. The buffer is the
 * network's until a second completion says that it is not, and is then received into
 * again.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <liburing.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <zcbuf/zcbuf.h>

#define BUFFERS	64
#define LENGTH	4096
#define CONNECTIONS	1024	/* at once */
#define GROUP	1
#define SECOND	1000	/* milliseconds */

/* user_data: one of these, and the connection's descriptor or number of a message */
enum { ACCEPT, RECEIVE, SEND };

/* struct message - what is sent, until the network has done with it */
struct message {
	struct zcbuf_buf buf;
	int to;
};

/*
 * struct server - each connection has one operation at a time
 * @hungry: connections that have something to receive, and found no buffer
 */
struct server {
	struct io_uring ring;
	struct zcbuf_uring uring;
	struct zcbuf_pool *pool;
	struct zcbuf_bufring *buffers;
	struct message messages[BUFFERS + 1];
	int hungry[CONNECTIONS];
	unsigned int nhungry;
	int listener;
	unsigned long left;
	unsigned long open;
	unsigned long sending;
	unsigned long sent;
	unsigned long fixed;
};

/* For what cannot go wrong on a healthy system; returns what is not an error. */
static int must(int result, const char *what)
{
	if (result >= 0)
		return result;
	fprintf(stderr, "zcbuf-echo: %s: %s\n", what, zcbuf_strerror(result));
	exit(EXIT_FAILURE);
}

/* The same of what has an errno. */
static int must_be(int result, const char *what)
{
	if (result >= 0)
		return result;
	perror(what);
	exit(EXIT_FAILURE);
}

static struct sockaddr_in address_of(const char *port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(atoi(port)),
	};
}

/* Nothing is held back until what was sent before is acknowledged. */
static int at_once(int fd)
{
	const int yes = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	return fd;
}

/* -------------------------------------------------------------- the server */

static struct io_uring_sqe *next_sqe(struct server *server)
{
	struct io_uring_sqe *sqe;

	while (!(sqe = io_uring_get_sqe(&server->ring)))
		must(io_uring_submit(&server->ring), "submit");
	return sqe;
}

static void mark(struct io_uring_sqe *sqe, int which, int kind)
{
	sqe->user_data = (__u64)which << 2 | kind;
}

static void begin_to_accept(struct server *server)
{
	struct io_uring_sqe *sqe = next_sqe(server);

	io_uring_prep_accept(sqe, server->listener, NULL, NULL, SOCK_CLOEXEC);
	mark(sqe, 0, ACCEPT);
}

/*
 * Without a buffer: it takes one when something comes. Unless it is told to wait for
 * that first, it wants to see one at once.
 */
static void begin_to_receive(struct server *server, int fd)
{
	struct io_uring_sqe *sqe = next_sqe(server);

	io_uring_prep_recv(sqe, fd, NULL, LENGTH, 0);
	sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
	zcbuf_bufring_select(server->buffers, sqe);
	mark(sqe, fd, RECEIVE);
}

static void hang_up(struct server *server, int fd)
{
	close(fd);
	server->open--;
}

static void on_accept(struct server *server, int fd)
{
	if (must(fd, "accept") >= CONNECTIONS) {
		close(fd);
	} else {
		server->open++;
		server->left--;
		begin_to_receive(server, at_once(fd));
	}
	if (server->left)
		begin_to_accept(server);
}

/* There is one more than there are buffers. */
static struct message *free_message(struct server *server)
{
	struct message *m = server->messages;

	while (m->buf.handle)
		m++;
	return m;
}

/*
 * Somebody has a buffer no more, or did not need one: one of those that have something
 * to receive and found none tries again.
 */
static void feed(struct server *server)
{
	if (server->nhungry)
		begin_to_receive(server, server->hungry[--server->nhungry]);
}

static void put_back(struct server *server, struct zcbuf_buf *buf)
{
	must(zcbuf_bufring_add(server->buffers, buf), "add");
	feed(server);
}

/* One may have been put back since it was told so. */
static void without_buffer(struct server *server, int fd)
{
	if (zcbuf_bufring_room(server->buffers) < BUFFERS)
		begin_to_receive(server, fd);
	else
		server->hungry[server->nhungry++] = fd;
}

static void send_back(struct server *server, struct message *m)
{
	struct io_uring_sqe *sqe = next_sqe(server);

	server->fixed += zcbuf_uring_prep_send_zc(&server->uring, sqe,
						  m->to, m->buf.data,
						  m->buf.length,
						  MSG_WAITALL | MSG_NOSIGNAL, 0);
	mark(sqe, m - server->messages, SEND);
	server->sending++;
	server->sent++;
}

/* Some kernels take a buffer for the end as well. */
static void on_receive(struct server *server, int fd,
		       const struct io_uring_cqe *cqe)
{
	struct message *m = free_message(server);
	int err;

	if (cqe->res == -ENOBUFS) {
		without_buffer(server, fd);
		return;
	}
	err = zcbuf_bufring_take(server->buffers, cqe, &m->buf);
	if (cqe->res > 0) {
		must(err, "take");
		m->to = fd;
		send_back(server, m);
		return;
	}
	hang_up(server, fd);
	if (!err)
		put_back(server, &m->buf);
	else
		feed(server);
}

/* First how it went, then, if there is more to come, that it is over. */
static void on_send(struct server *server, struct message *m,
		    const struct io_uring_cqe *cqe)
{
	if (!(cqe->flags & IORING_CQE_F_NOTIF)) {
		if (cqe->res == (int)m->buf.length)
			begin_to_receive(server, m->to);
		else
			hang_up(server, m->to);
	}
	if (!(cqe->flags & IORING_CQE_F_MORE)) {
		server->sending--;
		put_back(server, &m->buf);
	}
}

static void on_completion(struct server *server, const struct io_uring_cqe *cqe)
{
	int which = cqe->user_data >> 2;

	switch (cqe->user_data & 3) {
	case ACCEPT:
		on_accept(server, cqe->res);
		break;
	case RECEIVE:
		on_receive(server, which, cqe);
		break;
	case SEND:
		on_send(server, &server->messages[which], cqe);
		break;
	}
}

static void start_server(struct server *server, const char *port)
{
	const struct zcbuf_bufring_opts opts = {
		.sz = sizeof(opts), .length = LENGTH, .entries = BUFFERS,
		.group = GROUP, .flags = ZCBUF_BUFRING_F_PRIVATE,
	};
	const struct zcbuf_pool_opts pool_opts = {
		.sz = sizeof(pool_opts), .arena_size = 2 << 20,
	};
	struct sockaddr_in address = address_of(port);
	const int yes = 1;

	server->listener = must_be(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC,
					  0), "socket");
	setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &yes,
		   sizeof(yes));
	must_be(bind(server->listener, (struct sockaddr *)&address,
		     sizeof(address)), port);
	must_be(listen(server->listener, SOMAXCONN), "listen");
	must(zcbuf_pool_create(&server->pool, &pool_opts), "pool");
	must(io_uring_queue_init(2 * BUFFERS, &server->ring, 0), "ring");
	must(zcbuf_uring_register(&server->uring, &server->ring, server->pool),
	     "register");
	must(zcbuf_bufring_create(&server->buffers, &server->ring, server->pool,
				  &opts), "buffers");
}

static void stop_server(struct server *server)
{
	must(zcbuf_bufring_close(server->buffers), "buffers");
	zcbuf_uring_unregister(&server->uring);
	io_uring_queue_exit(&server->ring);
	zcbuf_pool_close(server->pool);
	close(server->listener);
}

static int serve(const char *port, unsigned long connections)
{
	static struct server server;
	struct io_uring_cqe *cqe;

	server.left = connections;
	start_server(&server, port);
	begin_to_accept(&server);
	while (server.left || server.open || server.sending) {
		must(io_uring_submit(&server.ring), "submit");
		must(ZCBUF_RETRY(io_uring_wait_cqe(&server.ring, &cqe)),
		     "wait");
		on_completion(&server, cqe);
		io_uring_cqe_seen(&server.ring, cqe);
	}
	stop_server(&server);
	printf("zcbuf-echo: sent %lu times, %lu of them from a fixed buffer\n",
	       server.sent, server.fixed);
	return EXIT_SUCCESS;
}

/* -------------------------------------------------------------- the client */

/* The server may have been started a moment ago. */
static int connect_to(const char *port)
{
	struct sockaddr_in address = address_of(port);
	__u64 deadline = zcbuf_deadline_ms(10 * SECOND);
	struct zcbuf_backoff backoff;
	int fd;

	zcbuf_backoff_init(&backoff, 0, 0);
	for (;;) {
		fd = must_be(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
			     "socket");
		if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
			return at_once(fd);
		must_be(errno == ECONNREFUSED ? 0 : -1, "connect");
		close(fd);
		must(zcbuf_backoff_block(&backoff, deadline), "connect");
	}
}

/* Different for each connection and round; so is its length. */
static size_t fill(unsigned char *bytes, unsigned long which)
{
	size_t n = 1 + which * 1597 % LENGTH;
	size_t i;

	for (i = 0; i < n; i++)
		bytes[i] = (which + i) * 31 >> 3;
	return n;
}

static bool comes_back(int fd, unsigned long which)
{
	static unsigned char want[LENGTH], got[LENGTH];
	size_t n = fill(want, which);
	size_t have = 0;
	ssize_t more;

	while (have < n) {
		more = recv(fd, got + have, n - have, MSG_WAITALL);
		if (!more || (more < 0 && errno != EINTR))
			return false;
		have += more > 0 ? more : 0;
	}
	return !memcmp(want, got, n);
}

static unsigned long ask_all(const int *fds, unsigned long n,
			     unsigned long round)
{
	static unsigned char bytes[LENGTH];
	unsigned long wrong = 0;
	unsigned long i;

	for (i = 0; i < n; i++)
		must_be(send(fds[i], bytes, fill(bytes, round * n + i), 0),
			"send");
	for (i = 0; i < n; i++)
		wrong += !comes_back(fds[i], round * n + i);
	return wrong;
}

static int ask(const char *port, unsigned long connections,
	       unsigned long rounds)
{
	int *fds = calloc(connections, sizeof(*fds));
	unsigned long wrong = 0;
	unsigned long i;

	if (!fds)
		return EXIT_FAILURE;
	for (i = 0; i < connections; i++)
		fds[i] = connect_to(port);
	for (i = 0; i < rounds; i++)
		wrong += ask_all(fds, connections, i);
	for (i = 0; i < connections; i++)
		close(fds[i]);
	free(fds);
	printf("zcbuf-echo: %lu messages, %lu wrong\n", rounds * connections,
	       wrong);
	return wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}

static unsigned long number(int argc, char **argv, int i, unsigned long other)
{
	return argc > i ? strtoul(argv[i], NULL, 0) : other;
}

int main(int argc, char **argv)
{
	const char *role = argc > 2 ? argv[1] : "";

	if (!strcmp(role, "serve"))
		return serve(argv[2], number(argc, argv, 3, -1UL));
	if (!strcmp(role, "ask"))
		return ask(argv[2], number(argc, argv, 3, 8),
			   number(argc, argv, 4, 64));
	fputs("usage: zcbuf-echo serve PORT [CONNECTIONS]\n"
	      "       zcbuf-echo ask PORT [CONNECTIONS [ROUNDS]]\n", stderr);
	return 2;
}

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Pool memory and sockets, through io_uring: what is sent without a copy, and
 * fixed reads and writes, over TCP on the loopback device.
 */
#include <arpa/inet.h>
#include <sys/socket.h>

#include <zcbuf/zcbuf.h>

#include "common.h"
#include "ktap.h"
#include "ring.h"

#define N	65536U

struct net {
	struct io_uring ring;
	struct zcbuf_uring u;
	struct zcbuf_pool *pool;
	struct zcbuf_buf buf;
	int here;		/* the ends of a connection */
	int there;
};

static void net_connect(struct net *net)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(to);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	ASSERT_EQ(listen(fd, 1), 0);
	ASSERT_EQ(getsockname(fd, (struct sockaddr *)&to, &len), 0);
	net->here = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ASSERT_EQ(connect(net->here, (struct sockaddr *)&to, sizeof(to)), 0);
	net->there = accept(fd, NULL, NULL);
	ASSERT_GE(net->there, 0);
	close(fd);
}

static void net_open(struct net *net)
{
	struct zcbuf_pool_opts o = { .sz = sizeof(o), .arena_size = ZT_ARENA };

	memset(net, 0, sizeof(*net));
	ASSERT_OK(zcbuf_pool_create(&net->pool, &o));
	ASSERT_OK(io_uring_queue_init(8, &net->ring, 0));
	ASSERT_OK(zcbuf_uring_register(&net->u, &net->ring, net->pool));
	ASSERT_OK(zcbuf_buf_alloc(net->pool, N, &net->buf));
	net_connect(net);
}

static void net_close(struct net *net)
{
	close(net->here);
	close(net->there);
	EXPECT_OK(zcbuf_uring_unregister(&net->u));
	io_uring_queue_exit(&net->ring);
	EXPECT_OK(zcbuf_pool_close(net->pool));
}

/* The next completion, by value. */
static struct io_uring_cqe net_next(struct net *net)
{
	struct io_uring_cqe *cqe, got = { 0 };

	ASSERT_OK(ring_wait(&net->ring, &cqe));
	got.user_data = cqe->user_data;
	got.res = cqe->res;
	got.flags = cqe->flags;
	io_uring_cqe_seen(&net->ring, cqe);
	return got;
}

/* The completions there are for one submission: the result of the first. */
static int net_send_zc(struct net *net, const void *p, unsigned int n,
		       int want_fixed)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&net->ring);
	struct io_uring_cqe first, second;

	EXPECT_EQ(zcbuf_uring_prep_send_zc(&net->u, sqe, net->here, p, n,
					   MSG_WAITALL, 0), want_fixed);
	sqe->user_data = 77;
	ASSERT_EQ(io_uring_submit(&net->ring), 1);
	first = net_next(net);
	EXPECT_EQ(first.user_data, 77);
	EXPECT_FALSE(first.flags & IORING_CQE_F_NOTIF);
	if (!(first.flags & IORING_CQE_F_MORE))
		return first.res;
	second = net_next(net);
	EXPECT_EQ(second.user_data, 77);
	EXPECT_TRUE(second.flags & IORING_CQE_F_NOTIF);
	EXPECT_FALSE(second.flags & IORING_CQE_F_MORE);
	return first.res;
}

static void fill(unsigned char *p, size_t n, unsigned int seed)
{
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = (seed = seed * 1103515245 + 12345) >> 16;
}

/* What the other end gets. */
static void arrives(struct net *net, const void *want, size_t n)
{
	unsigned char *got = malloc(n);
	size_t have = 0;
	ssize_t more;

	while (have < n) {
		more = recv(net->there, got + have, n - have, 0);
		ASSERT_TRUE(more > 0 || errno == EINTR);
		have += more > 0 ? more : 0;
	}
	EXPECT_EQ(memcmp(got, want, n), 0);
	free(got);
}

TEST(send_zc_fixed)
{
	unsigned char *want = malloc(N);
	struct net net;

	net_open(&net);
	fill(net.buf.data, N, 1);
	memcpy(want, net.buf.data, N);
	EXPECT_EQ(net_send_zc(&net, net.buf.data, N, 1), N);
	/* The notification is here: the memory is the caller's again. */
	memset(net.buf.data, 0xff, N);
	EXPECT_OK(zcbuf_buf_free(&net.buf));
	arrives(&net, want, N);
	net_close(&net);
}

TEST(send_zc_by_pointer)
{
	unsigned char *p = malloc(N);
	struct net net;

	net_open(&net);
	fill(p, N, 2);
	EXPECT_EQ(net_send_zc(&net, p, N, 0), N);
	arrives(&net, p, N);
	EXPECT_OK(zcbuf_uring_unregister(&net.u));
	fill(net.buf.data, N, 3);
	EXPECT_EQ(net_send_zc(&net, net.buf.data, N, 0), N);
	arrives(&net, net.buf.data, N);
	net_close(&net);
}

/* Whoever fails says so once, and when the memory is free again. */
TEST(send_zc_that_fails)
{
	struct net net;
	int fd;

	net_open(&net);
	ASSERT_EQ(shutdown(net.here, SHUT_WR), 0);
	EXPECT_ERR(net_send_zc(&net, net.buf.data, N, 1), EPIPE);
	fd = net.here;
	net.here = net.ring.ring_fd;
	EXPECT_ERR(net_send_zc(&net, net.buf.data, N, 1), ENOTSOCK);
	net.here = fd;
	EXPECT_EQ(io_uring_cq_ready(&net.ring), 0);
	net_close(&net);
}

static int net_run(struct net *net)
{
	ASSERT_EQ(io_uring_submit(&net->ring), 1);
	return net_next(net).res;
}

TEST(fixed_writes_and_reads)
{
	unsigned char *in;
	struct net net;

	net_open(&net);
	in = (unsigned char *)net.buf.data + N / 2;
	fill(net.buf.data, 4096, 4);
	EXPECT_EQ(zcbuf_uring_prep_write(&net.u, io_uring_get_sqe(&net.ring),
					 net.here, net.buf.data, 4096, 0), 1);
	EXPECT_EQ(net_run(&net), 4096);
	EXPECT_EQ(zcbuf_uring_prep_read(&net.u, io_uring_get_sqe(&net.ring),
					net.there, in, 4096, 0), 1);
	EXPECT_EQ(net_run(&net), 4096);
	EXPECT_EQ(memcmp(in, net.buf.data, 4096), 0);
	close(net.here);
	net.here = -1;
	zcbuf_uring_prep_read(&net.u, io_uring_get_sqe(&net.ring), net.there,
			      in, 4096, 0);
	EXPECT_EQ(net_run(&net), 0);
	net_close(&net);
}

KTAP_MAIN()

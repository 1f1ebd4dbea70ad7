// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Pool memory and sockets, through io_uring: what is sent without a copy, fixed
 * reads and writes, and buffers of a pool to receive into, over TCP on the
 * loopback device.
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

static void net_open_kind(struct net *net, __u32 kind)
{
	struct zcbuf_pool_opts o = { .sz = sizeof(o), .kind = kind };

	if (kind != ZCBUF_POOL_FIXED)
		o.arena_size = ZT_ARENA;
	memset(net, 0, sizeof(*net));
	ASSERT_OK(zcbuf_pool_create(&net->pool, &o));
	ASSERT_OK(io_uring_queue_init(8, &net->ring, 0));
	ASSERT_OK(zcbuf_uring_register(&net->u, &net->ring, net->pool));
	ASSERT_OK(zcbuf_buf_alloc(net->pool, N, &net->buf));
	net_connect(net);
}

static void net_open(struct net *net)
{
	net_open_kind(net, ZCBUF_POOL_PAGES);
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

/* ------------------------------------------------------ receiving into a pool */

#define ENTRIES	4
#define LENGTH	8192U
#define GROUP	5

static struct zcbuf_bufring *bufring(struct net *net, __u32 flags)
{
	const struct zcbuf_bufring_opts o = {
		.sz = sizeof(o),
		.length = LENGTH,
		.entries = ENTRIES,
		.group = GROUP,
		.flags = flags,
	};
	struct zcbuf_bufring *b;

	ASSERT_OK(zcbuf_bufring_create(&b, &net->ring, net->pool, &o));
	return b;
}

static void net_recv(struct net *net, const struct zcbuf_bufring *b,
		     bool multishot)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&net->ring);

	if (multishot)
		io_uring_prep_recv_multishot(sqe, net->there, NULL, 0, 0);
	else
		io_uring_prep_recv(sqe, net->there, NULL, 0, 0);
	zcbuf_bufring_select(b, sqe);
	ASSERT_EQ(io_uring_submit(&net->ring), 1);
}

/* Send @n bytes that are @byte. */
static void net_say(struct net *net, int byte, size_t n)
{
	char bytes[LENGTH];

	memset(bytes, byte, n);
	ASSERT_EQ(send(net->here, bytes, n, 0), (ssize_t)n);
}

/* The buffer of the next completion, which has @n bytes that are @byte. */
static struct zcbuf_buf net_hear(struct net *net, struct zcbuf_bufring *b,
				 int byte, size_t n)
{
	struct io_uring_cqe cqe = net_next(net);
	struct zcbuf_buf buf;

	ASSERT_EQ(cqe.res, n);
	ASSERT_OK(zcbuf_bufring_take(b, &cqe, &buf));
	ASSERT_EQ(buf.length, n);
	EXPECT_FILLED(buf.data, byte, n);
	return buf;
}

static void receive_into(__u32 kind, __u32 flags)
{
	struct zcbuf_bufring *b;
	struct zcbuf_buf buf;
	struct net net;
	int i;

	net_open_kind(&net, kind);
	b = bufring(&net, flags);
	/* More than there are buffers: each comes back. */
	for (i = 1; i <= 2 * ENTRIES; i++) {
		net_recv(&net, b, false);
		net_say(&net, i, 100 * i);
		buf = net_hear(&net, b, i, 100 * i);
		EXPECT_GE(buf.capacity, LENGTH);
		EXPECT_EQ(zcbuf_pool_offset(net.pool, buf.data), buf.offset);
		EXPECT_EQ(zcbuf_uring_slot(&net.u, buf.data, buf.capacity,
					   NULL), 1);
		EXPECT_OK(zcbuf_bufring_add(b, &buf));
	}
	EXPECT_OK(zcbuf_bufring_close(b));
	net_close(&net);
}

TEST(receive_into_a_pool)
{
	receive_into(ZCBUF_POOL_PAGES, 0);
}

TEST(receive_into_a_pool_of_tiers)
{
	receive_into(ZCBUF_POOL_TIERS, 0);
}

TEST(receive_into_a_fixed_pool)
{
	receive_into(ZCBUF_POOL_FIXED, 0);
}

TEST(receive_by_a_private_ring)
{
	receive_into(ZCBUF_POOL_PAGES, ZCBUF_BUFRING_F_PRIVATE);
}

/* All that was used comes back when it is closed. */
TEST(receive_gives_back)
{
	struct zcbuf_bufring *b;
	struct zcbuf_buf buf;
	struct net net;
	__u64 used;

	net_open(&net);
	used = zt_used(zcbuf_pool_fd(net.pool));
	b = bufring(&net, 0);
	EXPECT_EQ(zt_used(zcbuf_pool_fd(net.pool)),
		  used + ENTRIES * LENGTH + ZT_PAGE);
	net_recv(&net, b, false);
	net_say(&net, 1, 1);
	buf = net_hear(&net, b, 1, 1);
	EXPECT_OK(zcbuf_bufring_close(b));
	EXPECT_EQ(zt_used(zcbuf_pool_fd(net.pool)), used + LENGTH);
	EXPECT_FILLED(buf.data, 1, 1);
	EXPECT_OK(zcbuf_buf_free(&buf));
	/* The number is free again, and the ring without it. */
	b = bufring(&net, 0);
	EXPECT_OK(zcbuf_bufring_close(b));
	net_close(&net);
}

/* One submission, many completions, until there is no buffer left. */
TEST(receive_multishot)
{
	struct zcbuf_buf buf[ENTRIES];
	struct zcbuf_bufring *b;
	struct io_uring_cqe cqe;
	struct net net;
	int i;

	net_open(&net);
	b = bufring(&net, 0);
	net_recv(&net, b, true);
	for (i = 0; i < ENTRIES; i++) {
		net_say(&net, i, 1000);
		buf[i] = net_hear(&net, b, i, 1000);
	}
	EXPECT_EQ(zcbuf_bufring_room(b), ENTRIES);
	net_say(&net, 9, 1000);
	cqe = net_next(&net);
	EXPECT_ERR(cqe.res, ENOBUFS);
	EXPECT_FALSE(cqe.flags & IORING_CQE_F_MORE);
	EXPECT_ERR(zcbuf_bufring_take(b, &cqe, &buf[0]), ENOENT);
	EXPECT_OK(zcbuf_bufring_add(b, &buf[2]));
	net_recv(&net, b, false);
	buf[2] = net_hear(&net, b, 9, 1000);
	for (i = 0; i < ENTRIES; i++)
		EXPECT_FILLED(buf[i].data, i == 2 ? 9 : i, 1000);
	EXPECT_OK(zcbuf_bufring_close(b));
	net_close(&net);
}

/* The end of the stream may use a buffer, or not: none is lost. */
TEST(receive_the_end)
{
	struct zcbuf_bufring *b;
	struct io_uring_cqe cqe;
	struct zcbuf_buf buf;
	struct net net;

	net_open(&net);
	b = bufring(&net, 0);
	close(net.here);
	net.here = -1;
	net_recv(&net, b, false);
	cqe = net_next(&net);
	EXPECT_EQ(cqe.res, 0);
	if (!zcbuf_bufring_take(b, &cqe, &buf)) {
		EXPECT_EQ(buf.length, 0);
		EXPECT_OK(zcbuf_bufring_add(b, &buf));
	}
	EXPECT_EQ(zcbuf_bufring_room(b), 0);
	EXPECT_OK(zcbuf_bufring_close(b));
	net_close(&net);
}

/* What one process receives another one has, and nobody has copied it. */
TEST(receive_for_another_session)
{
	struct zcbuf_bufring *b;
	struct zcbuf_pool *other;
	struct zcbuf_buf buf, theirs;
	struct net net;
	__u64 handle;

	net_open(&net);
	ASSERT_OK(zcbuf_pool_attach_fd(&other, zcbuf_pool_fd(net.pool), NULL));
	b = bufring(&net, 0);
	net_recv(&net, b, false);
	net_say(&net, 0x5a, 3000);
	buf = net_hear(&net, b, 0x5a, 3000);
	handle = buf.handle;
	ASSERT_OK(zcbuf_buf_give(&buf, zcbuf_pool_session(other)));
	ASSERT_OK(zcbuf_buf_adopt(other, handle, 3000, &theirs));
	EXPECT_FILLED(theirs.data, 0x5a, 3000);
	ASSERT_OK(zcbuf_buf_alloc(net.pool, LENGTH, &buf));
	EXPECT_OK(zcbuf_bufring_add(b, &buf));
	EXPECT_OK(zcbuf_bufring_close(b));
	EXPECT_FILLED(theirs.data, 0x5a, 3000);
	EXPECT_OK(zcbuf_pool_close(other));
	net_close(&net);
}

TEST(groups_that_cannot_be)
{
	struct zcbuf_bufring_opts o = {
		.sz = sizeof(o), .length = LENGTH, .entries = ENTRIES,
		.group = GROUP,
	};
	struct zcbuf_bufring *b, *second;
	struct net net;
	__u64 used;

	net_open(&net);
	b = bufring(&net, 0);
	used = zt_used(zcbuf_pool_fd(net.pool));
	EXPECT_ERR(zcbuf_bufring_create(&second, &net.ring, net.pool, &o),
		   EEXIST);
	o.group++;
	o.length = ZT_ARENA / 2;
	EXPECT_ERR(zcbuf_bufring_create(&second, &net.ring, net.pool, &o),
		   ENOMEM);
	EXPECT_EQ(zt_used(zcbuf_pool_fd(net.pool)), used);
	EXPECT_OK(zcbuf_bufring_close(b));
	net_close(&net);
}

KTAP_MAIN()

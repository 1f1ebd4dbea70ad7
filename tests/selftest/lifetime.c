// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * A session ends when the last reference to its file does, whatever the
 * reason, and at once everything it held is back: buffers, reservations that
 * were pending, deliveries, its place in queues, its ports.
 */
#include <liburing.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "hostile.h"

#define GROUP		60	/* threshold: 10 + 20 + 30 */
#define KILLS		KTAP_TRIES(50)

/*
 * struct life - a session that lives, and one that is to end
 * @fd: lives: a producer, and serves the failure queue
 * @victim: ends: a consumer and a producer
 * @efd: tells @fd of failed groups
 */
struct life {
	int fd;
	int victim;
	int efd;
	__u64 channel;
};

/* ---------------------------------------------------------------- the setup */

static void life_open(struct life *l)
{
	struct zcbuf_channel_open a = {
		.flags = ZCBUF_CHANNEL_F_THRESHOLD, .threshold = GROUP,
		.align = 1, .ports = ZCBUF_PORT_PRODUCE | ZCBUF_PORT_RECV_FAILED,
	};

	l->fd = zt_pool(ZCBUF_POOL_TIERS, 0, ZT_ARENA);
	ASSERT_GE(l->fd, 0);
	ASSERT_OK(zt_channel_open(l->fd, &a));
	l->channel = a.out_channel;
	l->efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_OK(zt_eventfd(l->fd, l->channel, l->efd, ZCBUF_EVENTFD_EACH,
			     ZCBUF_EVENTFD_F_FAILED));
}

/*
 * The victim: buffers of both kinds, a channel of its own, one delivery it
 * holds, two on its queue, three reservations pending.
 */
static void life_fill(struct life *l)
{
	struct zcbuf_reservation r[3] = {
		{ .length = 10 }, { .length = 20 }, { .length = 30 },
	};
	struct zcbuf_delivery d;
	__u64 h[20], channel;
	int i;

	ASSERT_EQ(zt_alloc(l->victim, 4096, 0, 0, h, 20), 20);
	ASSERT_EQ(zt_alloc(l->victim, 64, 0, 0, h, 20), 20);
	ASSERT_OK(zt_stream(l->victim, 4096, 0, &channel));
	hz_put(l->victim, channel, 100);
	ASSERT_OK(zt_ports(l->victim, l->channel,
			   ZCBUF_PORT_PRODUCE | ZCBUF_PORT_CONSUME));
	for (i = 0; i < 3; i++)
		hz_put(l->fd, l->channel, GROUP);
	ASSERT_EQ(zt_receive(l->victim, l->channel, &d, 1, 0), 1);
	ASSERT_EQ(zt_reserve(l->victim, l->channel, r, 3, 0, 0), 3);
	ASSERT_OK(zt_ports(l->fd, l->channel, ZCBUF_PORT_CONSUME));
	EXPECT_EQ(zt_count(l->efd), 0);
}

/* A life, and the victim in this process. */
static void life_begin(struct life *l)
{
	life_open(l);
	l->victim = zt_join(l->fd, 0);
	ASSERT_GE(l->victim, 0);
	life_fill(l);
}

static __u32 sessions(int fd)
{
	struct zcbuf_pool_info info;

	ASSERT_OK(zt_pool_info(fd, &info));
	return info.out_sessions;
}

static void expect_failed(struct life *l)
{
	struct zcbuf_receive_failed f = { .nlost = 3 };
	struct zcbuf_lost lost[3];
	int i;

	f.lost = zt_ptr(lost);
	EXPECT_EQ(zt_count(l->efd), 1);
	ASSERT_OK(zt_receive_failed(l->fd, l->channel, &f));
	EXPECT_EQ(f.npieces, 0);
	EXPECT_EQ(f.nlost, 3);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(lost[i].id, 3 + i);
		EXPECT_EQ(lost[i].length, 10 * (i + 1));
	}
	EXPECT_OK(zt_release1(l->fd, l->channel, f.out_delivery.handle));
}

/* The victim is gone; nobody waits for anything. */
static void expect_gone(struct life *l)
{
	struct zcbuf_pool_info info;
	struct zcbuf_delivery d[3];

	ASSERT_OK(zt_pool_info(l->fd, &info));
	EXPECT_EQ(info.out_sessions, 1);
	EXPECT_EQ(info.out_channels, 1);
	ASSERT_EQ(zt_receive(l->fd, l->channel, d, 3, 0), 2);
	EXPECT_EQ(d[0].offset, GROUP);
	EXPECT_EQ(d[1].offset, 2 * GROUP);
	EXPECT_OK(zt_release1(l->fd, l->channel, d[0].handle));
	EXPECT_OK(zt_release1(l->fd, l->channel, d[1].handle));
	expect_failed(l);
	EXPECT_EQ(zt_used(l->fd), 0);
	hz_put(l->fd, l->channel, GROUP);
	EXPECT_EQ(zt_receive(l->fd, l->channel, d, 1, 0), 1);
}

static void expect_alive(struct life *l)
{
	struct zcbuf_delivery d;

	EXPECT_EQ(sessions(l->fd), 2);
	EXPECT_ERR(zt_receive(l->fd, l->channel, &d, 1, 0), EAGAIN);
	EXPECT_EQ(zt_count(l->efd), 0);
}

/* ------------------------------------------------------------ ways of dying */

/* In a process of its own: holds what there is, tells, and does @last. */
static pid_t life_fork(struct life *l, struct zt_turns *t, void (*last)(void))
{
	pid_t child;

	life_open(l);
	ASSERT_OK(zt_turns_init(t));
	child = fork();
	if (!child) {
		zt_turns_child(t);
		l->victim = zt_join(l->fd, 0);
		ASSERT_GE(l->victim, 0);
		life_fill(l);
		ASSERT_OK(zt_tell_parent(t));
		ASSERT_OK(zt_await_parent(t));
		last();
		ktap_stay();
	}
	ASSERT_GT(child, 0);
	zt_turns_parent(t);
	ASSERT_OK(zt_await_child(t));
	/* The child took our port for us: it is the same session. */
	expect_alive(l);
	return child;
}

static void dies_by(void (*last)(void), int signo)
{
	struct zt_turns t;
	struct life l;
	pid_t child = life_fork(&l, &t, last);

	if (signo)
		ASSERT_OK(kill(child, signo));
	else
		ASSERT_OK(zt_tell_child(&t));
	ASSERT_EQ(waitpid(child, NULL, 0), child);
	expect_gone(&l);
}

static void do_nothing(void)
{
}

static void do_exit(void)
{
	_exit(0);
}

static void do_segfault(void)
{
	volatile char *volatile nowhere = (volatile char *)8;
	struct rlimit no_core = { 0, 0 };

	setrlimit(RLIMIT_CORE, &no_core);
	*nowhere = 0;
}

static void *thread_exits(void *p)
{
	(void)p;
	syscall(SYS_exit_group, 0);
	return NULL;
}

static void do_exit_in_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, thread_exits, NULL);
	ktap_stay();
}

TEST(process_exits)
{
	dies_by(do_exit, 0);
}

TEST(process_exits_in_a_thread)
{
	dies_by(do_exit_in_thread, 0);
}

TEST(process_segfaults)
{
	dies_by(do_segfault, 0);
}

TEST(process_is_killed)
{
	dies_by(do_nothing, SIGKILL);
}

TEST(process_is_terminated)
{
	dies_by(do_nothing, SIGTERM);
}

static void do_exec(void)
{
	execl("/bin/sh", "sh", "-c", "while :; do sleep 1; done", NULL);
	_exit(127);
}

/* The descriptor is O_CLOEXEC: the process lives, the session does not. */
TEST(process_executes)
{
	struct zt_turns t;
	struct life l;
	pid_t child = life_fork(&l, &t, do_exec);

	ASSERT_OK(zt_tell_child(&t));
	EXPECT_TRUE(HZ_UNTIL(sessions(l.fd) == 1));
	EXPECT_EQ(waitpid(child, NULL, WNOHANG), 0);
	expect_gone(&l);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

TEST(descriptor_is_closed)
{
	struct life l;

	life_begin(&l);
	expect_alive(&l);
	close(l.victim);
	expect_gone(&l);
}

TEST(last_duplicate_is_closed)
{
	struct life l;
	int other;

	life_begin(&l);
	other = dup(l.victim);
	close(l.victim);
	expect_alive(&l);
	close(other);
	expect_gone(&l);
}

TEST(descriptor_is_replaced)
{
	struct life l;

	life_begin(&l);
	ASSERT_EQ(dup2(l.efd, l.victim), l.victim);
	expect_gone(&l);
}

/* A mapping is no reference to the session. */
TEST(mapping_is_not_enough)
{
	struct life l;
	char *p;

	life_begin(&l);
	p = zt_map(l.victim, PROT_READ | PROT_WRITE, ZT_ARENA);
	ASSERT_NE(p, NULL);
	p[0] = 1;
	close(l.victim);
	p[1] = 1;
	expect_gone(&l);
}

TEST(epoll_is_not_enough)
{
	struct epoll_event e = { .events = EPOLLIN };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	struct life l;

	life_begin(&l);
	ASSERT_OK(epoll_ctl(ep, EPOLL_CTL_ADD, l.victim, &e));
	EXPECT_EQ(epoll_wait(ep, &e, 1, 0), 1);
	close(l.victim);
	expect_gone(&l);
	EXPECT_EQ(epoll_wait(ep, &e, 1, 0), 0);
}

/* A request of io_uring is one, until its ring is gone. */
TEST(ring_holds_it)
{
	struct io_uring ring;
	struct life l;

	if (io_uring_queue_init(4, &ring, 0))
		SKIP("no io_uring");
	life_begin(&l);
	io_uring_prep_poll_add(io_uring_get_sqe(&ring), l.victim, POLLPRI);
	ASSERT_EQ(io_uring_submit(&ring), 1);
	close(l.victim);
	expect_alive(&l);
	io_uring_queue_exit(&ring);
	EXPECT_TRUE(HZ_UNTIL(sessions(l.fd) == 1));
	expect_gone(&l);
}

/* A child has a copy of the descriptor: until it ends, or closes it. */
TEST(child_holds_it)
{
	struct life l;
	pid_t child;

	life_begin(&l);
	child = fork();
	if (!child) {
		close(l.fd);
		ktap_stay();
	}
	close(l.victim);
	expect_alive(&l);
	kill(child, SIGKILL);
	ASSERT_EQ(waitpid(child, NULL, 0), child);
	expect_gone(&l);
}

static void send_descriptor(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {}, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	ASSERT_EQ(sendmsg(sock, &m, 0), 1);
}

/* In flight it lives; dropped there, it ends. */
TEST(descriptor_in_flight)
{
	struct life l;
	int s[2];

	life_begin(&l);
	ASSERT_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	send_descriptor(s[0], l.victim);
	close(l.victim);
	expect_alive(&l);
	close(s[0]);
	expect_alive(&l);
	close(s[1]);
	EXPECT_TRUE(HZ_UNTIL(sessions(l.fd) == 1));
	expect_gone(&l);
}

/* ------------------------------------------------------- dying while waiting */

/* A child that sleeps in @request is killed; @fd is what it shared. */
static void killed_in(int fd, __u64 channel, unsigned long request, void *arg)
{
	pid_t child = fork();

	if (!child) {
		int own = zt_join(fd, 0);

		ASSERT_GE(own, 0);
		ASSERT_OK(zt_ports(own, channel, ZT_ALL_PORTS));
		zt_call(own, request, arg);
		_exit(1);
	}
	ASSERT_OK(zt_await_sleep(child, SYS_ioctl));
	EXPECT_EQ(sessions(fd), 2);
	ASSERT_OK(kill(child, SIGKILL));
	ASSERT_EQ(waitpid(child, NULL, 0), child);
	EXPECT_EQ(sessions(fd), 1);
}

TEST(killed_in_reserve)
{
	struct zcbuf_reservation v = { .length = 5000 };
	struct zcbuf_reserve a = zt_arg(struct zcbuf_reserve, .count = 1,
		.entries = zt_ptr(&v), .deadline_ns = ZCBUF_NO_DEADLINE);
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	__u64 h;

	ASSERT_OK(zt_stream(fd, 0, 0, &a.channel));
	ASSERT_OK(zt_alloc1(fd, ZT_ARENA, &h));
	killed_in(fd, a.channel, ZCBUF_IOC_RESERVE, &a);
	ASSERT_OK(zt_free1(fd, h));
	EXPECT_EQ(zt_used(fd), 0);
	EXPECT_OK(zt_reserve1(fd, a.channel, 100, &v));
	EXPECT_EQ(v.out_id, 0);
}

TEST(killed_in_receive)
{
	struct zcbuf_delivery d;
	struct zcbuf_receive a = zt_arg(struct zcbuf_receive, .count = 1,
		.entries = zt_ptr(&d), .entry_size = sizeof(d),
		.deadline_ns = ZCBUF_NO_DEADLINE);
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);

	ASSERT_OK(zt_stream(fd, 0, 0, &a.channel));
	killed_in(fd, a.channel, ZCBUF_IOC_RECEIVE, &a);
	hz_put(fd, a.channel, 100);
	EXPECT_EQ(zt_receive(fd, a.channel, &d, 1, 0), 1);
}

TEST(killed_in_receive_failed)
{
	struct zcbuf_receive_failed a = zt_arg(struct zcbuf_receive_failed,
		.deadline_ns = ZCBUF_NO_DEADLINE);
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);

	ASSERT_OK(zt_stream(fd, 0, 0, &a.channel));
	killed_in(fd, a.channel, ZCBUF_IOC_RECEIVE_FAILED, &a);
}

/* ------------------------------------------------------- at any other moment */

/* Everything a session does, over and over. */
static void busy(int pool, __u64 channel)
{
	int fd = zt_join(pool, 0);
	struct zcbuf_reservation r[4];
	struct zcbuf_delivery d[4];
	__u64 h[16];
	int i, n, got;

	zt_ports(fd, channel, ZT_ALL_PORTS);
	for (;;) {
		got = zt_alloc(fd, hz_random(2) ? 64 : 5000, 0, 0, h, 16);
		for (i = 0; i < 4; i++)
			r[i].length = 1 + hz_random(3000);
		n = zt_reserve(fd, channel, r, 4, hz_random(2), 0);
		for (i = 0; i < n; i++)
			if (hz_random(5))
				zt_commit1(fd, channel, &r[i]);
		n = zt_receive(fd, channel, d, 4, 0);
		for (i = 0; i < n; i++)
			if (hz_random(5))
				zt_release1(fd, channel, d[i].handle);
		if (got > 0)
			zt_free(fd, h, got);
	}
}

static void drain(int fd, __u64 channel)
{
	static struct zcbuf_piece pieces[1024];
	static struct zcbuf_lost lost[1024];
	struct zcbuf_receive_failed f;
	struct zcbuf_delivery d;

	zt_flush(fd, channel);
	while (zt_receive(fd, channel, &d, 1, 0) == 1)
		EXPECT_OK(zt_release1(fd, channel, d.handle));
	for (;;) {
		f = (struct zcbuf_receive_failed){
			.pieces = zt_ptr(pieces), .npieces = 1024,
			.lost = zt_ptr(lost), .nlost = 1024,
		};
		if (zt_receive_failed(fd, channel, &f))
			break;
		EXPECT_OK(zt_release1(fd, channel, f.out_delivery.handle));
	}
}

TEST(killed_at_any_moment)
{
	int fd = zt_pool(ZCBUF_POOL_TIERS, 0, ZT_ARENA);
	__u64 channel;
	pid_t child[2];
	int i, k;

	ASSERT_OK(zt_stream(fd, 4096, 0, &channel));
	for (i = 0; i < KILLS; i++) {
		for (k = 0; k < 2; k++) {
			child[k] = fork();
			if (!child[k])
				busy(fd, channel);
		}
		usleep(1000 + hz_random(30000));
		for (k = 0; k < 2; k++) {
			kill(child[k], SIGKILL);
			ASSERT_EQ(waitpid(child[k], NULL, 0), child[k]);
		}
		EXPECT_EQ(sessions(fd), 1);
		drain(fd, channel);
		EXPECT_EQ(zt_used(fd), 0);
	}
	EXPECT_EQ(zt_bad_frees(fd), 0);
}

/* -------------------------------------------------------------------- pools */

TEST(pool_goes_with_its_last_session)
{
	int fd = zt_open(O_RDWR), other = zt_open(O_RDWR);
	int next = zt_open(O_RDWR);

	ASSERT_OK(zt_pool_create_named(fd, "last", 0));
	ASSERT_OK(zt_pool_attach(other, "last", 0));
	close(fd);
	EXPECT_ERR(zt_pool_create_named(next, "last", 0), EEXIST);
	close(other);
	EXPECT_OK(zt_pool_create_named(next, "last", 0));
	close(next);
	EXPECT_EQ(zt_await_charged(0), 0);
}

TEST(pool_goes_with_its_last_mapping)
{
	int fd = zt_open(O_RDWR), next = zt_open(O_RDWR);
	char *p, *q;

	ASSERT_EQ(zt_await_charged(0), 0);
	ASSERT_OK(zt_pool_create_named(fd, "mapped", 0));
	p = zt_map(fd, PROT_READ | PROT_WRITE, ZT_ARENA);
	q = zt_map(fd, PROT_READ, ZT_ARENA);
	ASSERT_NE(p, NULL);
	ASSERT_NE(q, NULL);
	memset(p, 0x5a, ZT_ARENA);
	close(fd);
	EXPECT_FILLED(q, 0x5a, ZT_ARENA);
	p[12345] = 1;
	EXPECT_EQ(q[12345], 1);
	EXPECT_EQ(zt_charged(), ZT_ARENA);
	munmap(p, ZT_ARENA);
	EXPECT_EQ(q[12345], 1);
	EXPECT_EQ(zt_charged(), ZT_ARENA);
	munmap(q, ZT_ARENA);
	EXPECT_EQ(zt_await_charged(0), 0);
	EXPECT_OK(zt_pool_create_named(next, "mapped", 0));
}

/* Pages in a pipe outlive everything; the name does not. */
TEST(pool_goes_with_its_last_page)
{
	int fd = zt_open(O_RDWR), next = zt_open(O_RDWR), pipes[2];
	struct iovec iov = { .iov_len = 3 * ZT_PAGE };
	char back[3 * ZT_PAGE];
	char *p;

	ASSERT_EQ(zt_await_charged(0), 0);
	ASSERT_OK(pipe(pipes));
	ASSERT_OK(zt_pool_create_named(fd, "pinned", 0));
	p = zt_map(fd, PROT_READ | PROT_WRITE, ZT_ARENA);
	ASSERT_NE(p, NULL);
	memset(p, 0x77, ZT_ARENA);
	iov.iov_base = p + ZT_PAGE;
	ASSERT_EQ(vmsplice(pipes[1], &iov, 1, 0), 3 * ZT_PAGE);
	munmap(p, ZT_ARENA);
	close(fd);
	EXPECT_TRUE(HZ_UNTIL(!zt_pool_create_named(next, "pinned", 0)));
	usleep(50000);
	EXPECT_EQ(zt_charged(), 2 * ZT_ARENA);
	ASSERT_EQ(read(pipes[0], back, sizeof(back)), (ssize_t)sizeof(back));
	EXPECT_FILLED(back, 0x77, sizeof(back));
	EXPECT_EQ(zt_await_charged(ZT_ARENA), ZT_ARENA);
}

/* Ids of sessions and handles of pools are not given twice. */
TEST(pool_handles_are_new)
{
	struct zcbuf_query a, b;
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);

	ASSERT_OK(zt_query(fd, &a));
	close(fd);
	ASSERT_EQ(zt_await_charged(0), 0);
	fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	ASSERT_OK(zt_query(fd, &b));
	EXPECT_NE(a.out_pool, b.out_pool);
	EXPECT_NE(a.out_session, b.out_session);
}

KTAP_MAIN()

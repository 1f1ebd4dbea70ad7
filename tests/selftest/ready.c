// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * One session, many ports: RECEIVE of any channel takes what there is, by turns, and
 * loses nothing, whatever becomes of the ports; it waits, and poll() says when it need
 * not.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"
#include "ktap.h"
#include "thread.h"

#define MANY	1025	/* ports, one more than a batch has entries */
#define SOME	16

/*
 * struct ports - a session that consumes of many channels
 * @fd: the session
 * @from: another one, which produces
 * @n: channels
 * @ch: them
 */
struct ports {
	int fd;
	int from;
	unsigned int n;
	__u64 ch[MANY];
};

static struct ports p;
static struct zcbuf_delivery d[MANY];

/* Small ones: only their number is to be large. */
static void open_channel(unsigned int i, __u32 flags)
{
	struct zcbuf_channel_open a = {
		.flags = ZCBUF_CHANNEL_F_THRESHOLD | flags, .align = 1,
		.max_outstanding = 8, .ports = ZCBUF_PORT_PRODUCE,
	};

	ASSERT_OK(zt_channel_open(p.from, &a));
	p.ch[i] = a.out_channel;
	a = (struct zcbuf_channel_open){
		.channel = a.out_channel, .ports = ZCBUF_PORT_CONSUME,
		.depth = 4, .max_held = flags & ZCBUF_CHANNEL_F_TOPIC ? 2 : 0,
	};
	ASSERT_OK(zt_channel_open(p.fd, &a));
}

static void open_ports(unsigned int n, __u32 flags)
{
	unsigned int i;

	p.fd = zt_pool(ZCBUF_POOL_PAGES, 0, 4 * ZT_ARENA);
	ASSERT_GE(p.fd, 0);
	p.from = zt_join(p.fd, 0);
	ASSERT_GE(p.from, 0);
	p.n = n;
	for (i = 0; i < n; i++)
		open_channel(i, flags);
}

static void close_ports(void)
{
	close(p.from);
	close(p.fd);
}

/* A group of @length bytes. */
static void send_of(int fd, unsigned int i, __u64 length)
{
	struct zcbuf_reservation r;

	ASSERT_OK(zt_reserve1(fd, p.ch[i], length, &r));
	ASSERT_OK(zt_commit1(fd, p.ch[i], &r));
}

static void send(unsigned int i, __u64 length)
{
	send_of(p.from, i, length);
}

static void finalize(unsigned int i)
{
	struct zcbuf_finalize f;

	ASSERT_OK(zt_finalize(p.from, p.ch[i], &f));
}

static int take(unsigned int n, __u64 deadline_ns)
{
	return zt_receive(p.fd, 0, d, n, deadline_ns);
}

static unsigned int channel_of(const struct zcbuf_delivery *one)
{
	unsigned int i;

	for (i = 0; i < p.n; i++)
		if (p.ch[i] == one->channel)
			return i;
	ASSERT_TRUE(false);
	return 0;
}

static int release_all(const struct zcbuf_delivery *all, unsigned int n)
{
	struct zcbuf_release_entry e[ZCBUF_MAX_BATCH];
	struct zcbuf_batch a = zt_arg(struct zcbuf_batch,
		.entries = zt_ptr(e), .count = n);
	unsigned int i;
	int err;

	for (i = 0; i < n; i++) {
		e[i].channel = all[i].channel;
		e[i].handle = all[i].handle;
	}
	err = zt_call(p.fd, ZCBUF_IOC_RELEASE, &a);
	return err ? err : (int)a.out_done;
}

/* One of each, in the order they came; the last batch is what is left. */
static void take_one_of_each(void)
{
	unsigned int i;

	ASSERT_EQ(take(ZCBUF_MAX_BATCH, 0), ZCBUF_MAX_BATCH);
	ASSERT_EQ(zt_receive(p.fd, 0, d + ZCBUF_MAX_BATCH, 4, 0),
		  MANY - ZCBUF_MAX_BATCH);
	for (i = 0; i < MANY; i++)
		EXPECT_EQ(d[i].channel, p.ch[i]);
	EXPECT_EQ(release_all(d, ZCBUF_MAX_BATCH), ZCBUF_MAX_BATCH);
	EXPECT_EQ(release_all(d + ZCBUF_MAX_BATCH, MANY - ZCBUF_MAX_BATCH),
		  MANY - ZCBUF_MAX_BATCH);
}

static void many(const void *flags)
{
	unsigned int i;

	open_ports(MANY, *(const __u32 *)flags);
	EXPECT_EQ(take(1, 0), -EAGAIN);
	for (i = 0; i < MANY; i++)
		send(i, 1);
	take_one_of_each();
	EXPECT_EQ(take(1, 0), -EAGAIN);
	EXPECT_EQ(zt_used(p.fd), 0);
	close_ports();
}

static const __u32 as_stream, as_topic = ZCBUF_CHANNEL_F_TOPIC;

TEST_WITH(many, many_streams, &as_stream)
TEST_WITH(many, many_topics, &as_topic)

/* One has much, and the others get their turn nevertheless. */
TEST(a_busy_port_holds_up_nobody)
{
	unsigned int i;

	open_ports(SOME, 0);
	for (i = 0; i < 4; i++)
		send(0, 1 + i);
	for (i = 1; i < SOME; i++)
		send(i, 1);
	ASSERT_EQ(take(SOME + 3, 0), SOME + 3);
	for (i = 0; i < SOME; i++)
		EXPECT_EQ(d[i].channel, p.ch[i]);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(d[SOME + i].channel, p.ch[0]);
		EXPECT_EQ(d[SOME + i].length, 2 + i);
	}
	close_ports();
}

/* What a program of before the field was there sees. */
TEST(an_entry_of_old)
{
	const size_t old = offsetof(struct zcbuf_delivery, channel);
	struct zcbuf_receive a = zt_arg(struct zcbuf_receive,
		.entries = zt_ptr(d), .count = 1, .entry_size = old);

	open_ports(1, 0);
	send(0, 3);
	d[0].channel = 77;
	a.channel = p.ch[0];
	ASSERT_OK(zt_call(p.fd, ZCBUF_IOC_RECEIVE, &a));
	EXPECT_EQ(d[0].length, 3);
	EXPECT_EQ(d[0].channel, 77);
	close_ports();
}

TEST(release_says_which_was_wrong)
{
	struct zcbuf_delivery wrong[3];

	open_ports(2, 0);
	send(0, 1);
	send(1, 1);
	ASSERT_EQ(take(2, 0), 2);
	wrong[0] = d[0];
	wrong[1] = d[0];
	wrong[2] = d[1];
	EXPECT_EQ(release_all(wrong, 3), 1);
	EXPECT_EQ(release_all(wrong, 1), -EBADSLT);
	wrong[0].channel = 0;
	EXPECT_EQ(release_all(wrong, 1), -EINVAL);
	wrong[0].channel = p.ch[0] + 4000;
	EXPECT_EQ(release_all(wrong, 1), -ENOENT);
	EXPECT_EQ(release_all(wrong + 2, 1), 1);
	EXPECT_EQ(zt_used(p.fd), 0);
	close_ports();
}

TEST(without_a_consumer_port)
{
	open_ports(1, 0);
	EXPECT_EQ(zt_receive(p.from, 0, d, 1, 0), -EPERM);
	EXPECT_EQ(zt_receive(p.from, 0, d, 1, ZCBUF_NO_DEADLINE), -EPERM);
	ASSERT_OK(zt_channel_close(p.fd, p.ch[0], 0));
	EXPECT_EQ(take(1, 0), -EPERM);
	close_ports();
}

/* ------------------------------------------------------------------------ ends */

/* A producer of every channel but the last sends on every other one, and is killed. */
static void be_killed(void)
{
	int fd = zt_join(p.fd, 0);
	unsigned int i;
	pid_t pid;

	ASSERT_GE(fd, 0);
	for (i = 0; i + 1 < p.n; i++) {
		ASSERT_OK(zt_ports(fd, p.ch[i], ZCBUF_PORT_PRODUCE));
		ASSERT_OK(zt_channel_close(p.from, p.ch[i], 0));
	}
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		close(p.fd);
		close(p.from);
		for (i = 0; i + 1 < p.n; i += 2)
			send_of(fd, i, 1 + i);
		raise(SIGKILL);
	}
	close(fd);
	ASSERT_EQ(waitpid(pid, NULL, 0), pid);
}

/* Each port's messages, and its end behind them, once. */
TEST(producers_are_killed)
{
	bool ended[MANY] = {}, came[MANY] = {};
	unsigned int i, n = 0;

	open_ports(65, 0);
	be_killed();
	while (n < 64 + 32) {
		ASSERT_EQ(take(1, ZCBUF_NO_DEADLINE), 1);
		i = channel_of(d);
		EXPECT_FALSE(ended[i]);
		if (d->handle) {
			EXPECT_EQ(d->length, 1 + i);
			EXPECT_FALSE(came[i]);
			came[i] = true;
			EXPECT_EQ(release_all(d, 1), 1);
		} else {
			EXPECT_EQ(came[i], i % 2 == 0);
			EXPECT_EQ(d->length + d->group + d->time_ns, 0);
			ended[i] = true;
		}
		n++;
	}
	EXPECT_EQ(take(1, 0), -EAGAIN);
	finalize(64);
	ASSERT_EQ(take(2, 0), 1);
	EXPECT_EQ(d->handle, 0);
	EXPECT_EQ(d->channel, p.ch[64]);
	EXPECT_EQ(take(1, ZCBUF_NO_DEADLINE), -ESHUTDOWN);
	close_ports();
}

TEST(ports_that_are_closed_meanwhile)
{
	unsigned int i;

	open_ports(SOME, 0);
	for (i = 0; i < SOME; i++)
		send(i, 1);
	for (i = 0; i < SOME; i += 2)
		ASSERT_OK(zt_channel_close(p.fd, p.ch[i], 0));
	ASSERT_EQ(take(SOME, 0), SOME / 2);
	for (i = 0; i < SOME / 2; i++)
		EXPECT_EQ(d[i].channel, p.ch[2 * i + 1]);
	close_ports();
}

/* --------------------------------------------------------------------- waiting */

/* Of what came a count, by all threads together. */
static unsigned int taken[MANY];

static void *taker(void *arg)
{
	struct zcbuf_delivery one;
	int n;

	(void)arg;
	for (;;) {
		n = zt_receive(p.fd, 0, &one, 1, ZCBUF_NO_DEADLINE);
		if (n < 0)
			break;
		if (!one.handle)
			continue;
		__atomic_fetch_add(&taken[channel_of(&one)], 1,
				   __ATOMIC_RELAXED);
		EXPECT_EQ(release_all(&one, 1), 1);
	}
	EXPECT_EQ(n, -ESHUTDOWN);
	return NULL;
}

/* Who sleeps is woken, and each group comes to one of them. */
TEST(several_who_wait)
{
	struct zcbuf_reservation r = { .length = 1 };
	struct thread t[3] = {};
	unsigned int i, n;

	memset(taken, 0, sizeof(taken));
	open_ports(SOME, 0);
	for (i = 0; i < 3; i++) {
		t[i].run = taker;
		thread_start(&t[i], SYS_ioctl);
	}
	for (n = 0; n < 100; n++)
		for (i = 0; i < SOME; i++) {
			ASSERT_EQ(zt_reserve(p.from, p.ch[i], &r, 1, 0,
					     ZCBUF_NO_DEADLINE), 1);
			ASSERT_OK(zt_commit1(p.from, p.ch[i], &r));
		}
	for (i = 0; i < SOME; i++)
		finalize(i);
	for (i = 0; i < 3; i++)
		thread_join(&t[i]);
	for (i = 0; i < SOME; i++)
		EXPECT_EQ(taken[i], 100);
	close_ports();
}

static void *in_receive(void *arg)
{
	EXPECT_EQ(zt_receive(p.fd, 0, d, 1, ZCBUF_NO_DEADLINE),
		  *(const int *)arg);
	return NULL;
}

TEST(the_last_port_ends_the_wait)
{
	int want = -EPERM;
	struct thread t = { .run = in_receive, .arg = &want };

	open_ports(2, 0);
	thread_start(&t, SYS_ioctl);
	ASSERT_OK(zt_channel_close(p.fd, p.ch[0], 0));
	ASSERT_OK(zt_channel_close(p.fd, p.ch[1], 0));
	thread_join(&t);
	close_ports();
}

static void on_signal(int nr)
{
	(void)nr;
}

TEST(a_signal_ends_the_wait)
{
	int want = -EINTR;
	struct thread t = { .run = in_receive, .arg = &want };
	struct sigaction act = { .sa_handler = on_signal };

	ASSERT_EQ(sigaction(SIGUSR1, &act, NULL), 0);
	open_ports(2, 0);
	thread_start(&t, SYS_ioctl);
	ASSERT_EQ(pthread_kill(t.pthread, SIGUSR1), 0);
	thread_join(&t);
	close_ports();
}

TEST(who_does_not_wait)
{
	open_ports(1, 0);
	EXPECT_EQ(take(1, 1), -ETIMEDOUT);
	ASSERT_EQ(fcntl(p.fd, F_SETFL, O_NONBLOCK), 0);
	EXPECT_EQ(take(1, ZCBUF_NO_DEADLINE), -EAGAIN);
	close_ports();
}

/* A port that holds as many as it may is no reason to wake up. */
TEST(who_holds_too_much)
{
	unsigned int i;

	open_ports(2, ZCBUF_CHANNEL_F_TOPIC);
	for (i = 0; i < 3; i++)
		send(0, 1);
	send(1, 1);
	ASSERT_EQ(take(8, 0), 3);
	EXPECT_EQ(zt_poll(p.fd, 0) & POLLIN, 0);
	EXPECT_EQ(take(1, 1), -ETIMEDOUT);
	EXPECT_EQ(release_all(d, 1), 1);
	EXPECT_EQ(zt_poll(p.fd, 0) & POLLIN, POLLIN);
	EXPECT_EQ(take(1, 0), 1);
	close_ports();
}

/* ------------------------------------------------------------------------- poll */

static short events(short wanted)
{
	struct pollfd f = { .fd = p.fd, .events = wanted };

	ASSERT_GE(poll(&f, 1, 0), 0);
	return f.revents;
}

/* Whether it looks at all ports or at those that have something, it says the same. */
static void expect_events(short want)
{
	EXPECT_EQ(events(POLLIN), want);
	EXPECT_EQ(events(POLLIN | POLLOUT), want);
}

TEST(poll_says_when)
{
	unsigned int i;

	open_ports(4, 0);
	EXPECT_EQ(take(1, 0), -EAGAIN);
	expect_events(0);
	send(2, 1);
	expect_events(POLLIN);
	ASSERT_EQ(take(1, 0), 1);
	expect_events(0);
	send(3, 1);
	ASSERT_EQ(zt_receive(p.fd, p.ch[3], d, 1, 0), 1);
	expect_events(0);
	for (i = 0; i < 4; i++) {
		finalize(i);
		expect_events(POLLIN);
		ASSERT_EQ(take(1, 0), 1);
		expect_events(i == 3 ? POLLHUP : 0);
	}
	close_ports();
}

/* Before it has asked for any, an end is nothing to receive. */
TEST(poll_of_who_asks_by_channel)
{
	open_ports(2, 0);
	finalize(0);
	expect_events(0);
	finalize(1);
	expect_events(POLLHUP);
	EXPECT_EQ(zt_receive(p.fd, p.ch[0], d, 1, 0), -ESHUTDOWN);
	expect_events(POLLHUP);
	EXPECT_EQ(take(4, 0), 2);
	EXPECT_EQ(take(4, 0), -ESHUTDOWN);
	expect_events(POLLHUP);
	close_ports();
}

static void *in_poll(void *arg)
{
	struct pollfd f = { .fd = p.fd, .events = POLLIN };

	(void)arg;
	EXPECT_EQ(TEMP_FAILURE_RETRY(poll(&f, 1, -1)), 1);
	EXPECT_EQ(f.revents, POLLIN);
	return NULL;
}

TEST(poll_is_woken)
{
	struct thread one = { .run = in_poll }, two = one;

	open_ports(2, 0);
	EXPECT_EQ(take(1, 0), -EAGAIN);
	thread_start(&one, SYS_poll);
	send(1, 1);
	thread_join(&one);
	ASSERT_EQ(take(1, 0), 1);
	thread_start(&two, SYS_poll);
	finalize(0);
	thread_join(&two);
	close_ports();
}

KTAP_MAIN()

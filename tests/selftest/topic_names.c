// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Channels that are found by name: made, taken or waited for, by options that are
 * the same, cannot be, or do not matter, and how long a name is a channel's. And
 * options of topics that are refused.
 */
#include "topic.h"

#define NAME	"service/instance/event"

#define TOPIC_ALONE { .flags = ZCBUF_CHANNEL_F_TOPIC, .ports = ZT_ALL_PORTS }

static int pool(void)
{
	return tp_pool(&tp_pages);
}

/* ------------------------------------------------------------------ names */

static int open_as(int fd, const struct zcbuf_channel_name *n)
{
	struct zcbuf_channel_open a = TOPIC_ALONE;

	a.name = zt_ptr(n);
	return zt_channel_open(fd, &a);
}

/* Every byte in every label, first, last and alone. */
TEST(bytes_of_labels)
{
	struct zcbuf_channel_name n;
	int fd = pool(), byte, label, want;
	char *at[] = { n.domain, n.service, n.instance, n.event };

	for (byte = 0; byte < 256; byte++) {
		want = byte > ' ' && byte < 127 && byte != '/' ? 0 : -EINVAL;
		for (label = 0; label < 4; label++) {
			n = tp_name("abc", "abc/abc/abc");
			at[label][byte % 3] = byte;
			EXPECT_EQ(open_as(fd, &n), want);
			if (!want)
				continue;
			/* Behind the end it is not looked at. */
			n = tp_name("abc", "abc/abc/abc");
			at[label][3] = byte;
			EXPECT_OK(open_as(fd, &n));
		}
	}
}

/* What follows a label is no part of the name, what it begins with is. */
TEST(names_as_they_are)
{
	struct zcbuf_channel_open a = TOPIC_ALONE, b = TOPIC_ALONE;
	struct zcbuf_channel_name n = tp_name("", NAME), m = n;
	int fd = pool();

	memset(n.event + n.event_len, 'x', ZCBUF_MAX_LABEL - n.event_len);
	memset(n.domain, 0xff, ZCBUF_MAX_LABEL);
	a.name = zt_ptr(&n);
	b.name = zt_ptr(&m);
	ASSERT_OK(zt_channel_open(fd, &a));
	ASSERT_OK(zt_channel_open(fd, &b));
	EXPECT_EQ(a.out_channel, b.out_channel);
	m.event_len--;
	ASSERT_OK(zt_channel_open(fd, &b));
	EXPECT_NE(a.out_channel, b.out_channel);
	m.__reserved = 1;
	EXPECT_ERR(zt_channel_open(fd, &b), EOPNOTSUPP);
	EXPECT_EQ(tp_channels(fd), 2);
}

/* A stream has a name if it is given one; pools know nothing of each other. */
TEST(streams_and_pools)
{
	struct zcbuf_channel_open a = { .ports = ZT_ALL_PORTS };
	struct zcbuf_channel_open b = TOPIC_ALONE;
	int fd = pool(), other = pool(), third = tp_join(fd);
	struct zcbuf_reservation r;

	ASSERT_OK(tp_open(fd, NAME, &a));
	EXPECT_ERR(tp_open(third, NAME, &b), EEXIST);
	ASSERT_OK(tp_open(other, NAME, &b));
	EXPECT_EQ(tp_channels(fd), 1);
	EXPECT_EQ(tp_channels(other), 1);
	b = (struct zcbuf_channel_open){ .ports = ZCBUF_PORT_CONSUME,
					 .flags = ZCBUF_CHANNEL_F_EXISTING };
	ASSERT_OK(tp_open(third, NAME, &b));
	EXPECT_EQ(b.out_channel, a.out_channel);
	ASSERT_OK(zt_reserve1(fd, a.out_channel, 1, &r));
	ASSERT_OK(zt_commit1(fd, a.out_channel, &r));
	EXPECT_EQ(zt_flush(fd, a.out_channel), 1);
	EXPECT_GE(tp_take(fd, a.out_channel), 0);
	EXPECT_ERR(tp_take(third, a.out_channel), EAGAIN);
}

/* As long as the channel is there: then it is somebody else's. */
TEST(a_name_is_free_again)
{
	struct zcbuf_channel_open a = TOPIC_ALONE;
	struct zcbuf_channel_open fresh = {
		.flags = ZCBUF_CHANNEL_F_TOPIC | ZCBUF_CHANNEL_F_NEW,
		.ports = ZCBUF_PORT_CONSUME,
	};
	int fd = pool(), one = tp_join(fd), two = tp_join(fd);
	__u64 first;

	ASSERT_OK(tp_open(one, NAME, &a));
	first = a.out_channel;
	a.ports = ZCBUF_PORT_PRODUCE;
	ASSERT_OK(tp_open(two, NAME, &a));
	EXPECT_ERR(tp_open(fd, NAME, &fresh), EEXIST);
	close(one);
	EXPECT_ERR(tp_open(fd, NAME, &fresh), EEXIST);
	EXPECT_OK(zt_channel_close(two, first, 0));
	ASSERT_OK(tp_open(fd, NAME, &fresh));
	EXPECT_NE(fresh.out_channel, first);
	EXPECT_ERR(zt_ports(two, first, ZCBUF_PORT_PRODUCE), ESTALE);
	ASSERT_OK(tp_open(two, NAME, &a));
	EXPECT_EQ(a.out_channel, fresh.out_channel);
	tp_put(two, a.out_channel, ZT_PAGE, 3, 0, 1, 0);
	EXPECT_EQ(tp_take(fd, a.out_channel), 3);
	tp_expect_free(fd);
}

/* ---------------------------------------------------------------- options */

/* TOPIC alone takes it as it is; any other option has to be the same. */
TEST(the_same_options)
{
	struct zcbuf_channel_open a = {
		.flags = ZCBUF_CHANNEL_F_TOPIC | ZCBUF_CHANNEL_F_THRESHOLD,
		.ports = ZCBUF_PORT_PRODUCE, .threshold = 4096, .align = 8,
		.max_reservation = 8192, .max_age_us = 1000000, .history = 3,
		.max_outstanding = 100,
	};
	struct zcbuf_channel_open b = TOPIC_ALONE;
	int fd = pool(), other = tp_join(fd);

	ASSERT_OK(tp_open(fd, NAME, &a));
	ASSERT_OK(tp_open(other, NAME, &b));
	EXPECT_EQ(b.out_channel, a.out_channel);
	ASSERT_OK(tp_open(other, NAME, &a));
	EXPECT_EQ(a.out_block, 16384);
#define OTHERWISE(field, value) do {					\
	b = a;								\
	b.field = value;						\
	EXPECT_ERR(tp_open(other, NAME, &b), EEXIST);			\
} while (0)
	OTHERWISE(history, 2);
	OTHERWISE(threshold, 4097);
	OTHERWISE(align, 16);
	OTHERWISE(max_reservation, 8193);
	OTHERWISE(max_age_us, 0);
	OTHERWISE(max_outstanding, 101);
	OTHERWISE(flags, a.flags | ZCBUF_CHANNEL_F_HOLD_FAILED);
	OTHERWISE(flags, a.flags | ZCBUF_CHANNEL_F_IMMUTABLE);
	b = a;
	b.flags |= ZCBUF_CHANNEL_F_NO_AUTO_FINALIZE;	/* a topic is that */
	EXPECT_OK(tp_open(other, NAME, &b));
	b = (struct zcbuf_channel_open){
		.flags = ZCBUF_CHANNEL_F_EXISTING, .history = 77, .align = 32,
		.ports = ZCBUF_PORT_CONSUME,
	};
	b.flags |= ZCBUF_CHANNEL_F_TOPIC;
	EXPECT_OK(tp_open(other, NAME, &b));	/* whatever it says */
	EXPECT_EQ(b.out_block, 16384);
}

TEST(options_that_cannot_be)
{
	static const __u32 topic = ZCBUF_CHANNEL_F_TOPIC;
	static const __u32 ports = ZCBUF_PORT_CONSUME;
	static const struct zcbuf_channel_open bad[] = {
		{ .flags = ZCBUF_CHANNEL_F_TOPIC | ZCBUF_CHANNEL_F_ORDERED,
		  .ports = ZCBUF_PORT_CONSUME },
		{ .ports = ZCBUF_PORT_CONSUME, .history = 1 },
		{ .ports = ZCBUF_PORT_CONSUME, .lanes = 1 },
		{ .ports = ZCBUF_PORT_CONSUME, .replay = 1 },
		{ .ports = ZCBUF_PORT_CONSUME, .policy = ZCBUF_POLICY_BLOCK },
		{ .ports = ZCBUF_PORT_CONSUME,
		  .policy = ZCBUF_POLICY_DROP_OLDEST },
		{ .ports = ZCBUF_PORT_CONSUME,
		  .flags = ZCBUF_CHANNEL_F_EXISTING },
		{ .ports = ZCBUF_PORT_CONSUME, .flags = ZCBUF_CHANNEL_F_NEW },
		{ .ports = ZCBUF_PORT_CONSUME, .deadline_ns = 1 },
	};
	struct zcbuf_channel_open a;
	int fd = pool();
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		a = bad[i];
		EXPECT_ERR(zt_channel_open(fd, &a), EINVAL);
	}
#define REFUSED(error, ...) do {					\
	a = (struct zcbuf_channel_open){ .flags = topic, .ports = ports,\
					 __VA_ARGS__ };			\
	EXPECT_ERR(tp_open(fd, NAME, &a), error);			\
} while (0)
	REFUSED(EINVAL, .policy = ZCBUF_POLICY_PARK);
	REFUSED(EINVAL, .policy = ZCBUF_POLICY_DROP_OLDEST + 1);
	REFUSED(EINVAL, .policy = ~0U);
	REFUSED(EINVAL, .lanes = ZCBUF_MAX_LANES + 1);
	REFUSED(EINVAL, .max_held = 65537);
	REFUSED(EINVAL, .depth = 65537);
	REFUSED(EINVAL, .history = 65536);
	REFUSED(EINVAL, .history = ~0U);
	REFUSED(EINVAL, .history = 8, .max_outstanding = 8);
	REFUSED(EINVAL, .deadline_ns = ZCBUF_NO_DEADLINE);
	REFUSED(EINVAL, .channel = 1);
	REFUSED(EOPNOTSUPP, .__reserved2 = 1);
	a = (struct zcbuf_channel_open){ .ports = ports,
		.flags = topic | ZCBUF_CHANNEL_F_EXISTING | ZCBUF_CHANNEL_F_NEW };
	EXPECT_ERR(tp_open(fd, NAME, &a), EINVAL);
	EXPECT_EQ(tp_channels(fd), 0);
}

/* A stream's consumer may say that it is parked for; of FIXED pools there is none. */
TEST(streams_as_before)
{
	struct zcbuf_channel_open a = { .ports = ZT_ALL_PORTS,
					.policy = ZCBUF_POLICY_PARK };
	struct zcbuf_reservation r;
	int fd = pool(), fixed = tp_pool(&tp_fixed);

	EXPECT_OK(zt_channel_open(fd, &a));
	EXPECT_ERR(zt_channel_open(fixed, &a), EINVAL);
	a = (struct zcbuf_channel_open)TOPIC_ALONE;
	ASSERT_OK(zt_channel_open(fixed, &a));
	EXPECT_EQ(a.out_block, 0);
	EXPECT_LT(zt_reserve1(fixed, a.out_channel, 1, &r), 0);
	tp_put(fixed, a.out_channel, 1, 9, 0, 1, 0);
	EXPECT_EQ(tp_take(fixed, a.out_channel), 9);
	tp_expect_free(fixed);
}

/* ------------------------------------------------------------ waiting for it */

/* One that waits for a channel of that name. */
struct waiter {
	int fd;
	struct zcbuf_channel_name name;
	struct zcbuf_channel_open arg;
	struct hz_caller caller;
};

static void waiter_init(struct waiter *w, int fd, const char *path)
{
	memset(w, 0, sizeof(*w));
	w->fd = tp_join(fd);
	w->name = tp_name("", path);
	w->arg = zt_arg(struct zcbuf_channel_open, .name = zt_ptr(&w->name),
		.flags = ZCBUF_CHANNEL_F_EXISTING, .ports = ZCBUF_PORT_CONSUME,
		.deadline_ns = ZCBUF_NO_DEADLINE);
	w->caller = (struct hz_caller){ .fd = w->fd, .arg = &w->arg,
		.request = ZCBUF_IOC_CHANNEL_OPEN };
}

TEST(waited_for)
{
	int fd = pool(), i;
	struct waiter w[2];
	__u64 ch;

	for (i = 0; i < 2; i++) {
		waiter_init(&w[i], fd, NAME);
		hz_caller_block(&w[i].caller);
	}
	TOPIC(fd, "service/instance/other");
	TOPIC(fd, NULL);
	for (i = 0; i < 2; i++)
		ASSERT_OK(zt_await_sleep(w[i].caller.thread.tid, SYS_ioctl));
	ch = TOPIC(fd, NAME, .flags = ZCBUF_CHANNEL_F_NEW, .history = 4);
	for (i = 0; i < 2; i++) {
		EXPECT_OK(hz_caller_join(&w[i].caller));
		EXPECT_EQ(w[i].arg.out_channel, ch);
	}
	tp_put(fd, ch, ZT_PAGE, 1, 0, 2, 0);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(tp_take(w[i].fd, ch), 1);
}

/* Not there, it is said so at once, or later. */
TEST(waited_for_in_vain)
{
	int fd = pool();
	struct waiter w;

	waiter_init(&w, fd, NAME);
	w.arg.deadline_ns = 0;
	EXPECT_ERR(zt_call(w.fd, ZCBUF_IOC_CHANNEL_OPEN, &w.arg), ENOENT);
	w.arg.deadline_ns = 1;
	EXPECT_ERR(zt_call(w.fd, ZCBUF_IOC_CHANNEL_OPEN, &w.arg), ETIMEDOUT);
	w.arg.deadline_ns = hz_now() + 20000000;
	EXPECT_ERR(zt_call(w.fd, ZCBUF_IOC_CHANNEL_OPEN, &w.arg), ETIMEDOUT);
	w.arg.deadline_ns = ZCBUF_NO_DEADLINE;
	ASSERT_OK(fcntl(w.fd, F_SETFL, O_NONBLOCK));
	EXPECT_ERR(zt_call(w.fd, ZCBUF_IOC_CHANNEL_OPEN, &w.arg), ENOENT);
	EXPECT_EQ(tp_channels(fd), 0);
	TOPIC(fd, NAME);
	EXPECT_OK(zt_call(w.fd, ZCBUF_IOC_CHANNEL_OPEN, &w.arg));
}

static void on_signal(int signo)
{
	(void)signo;
}

TEST(waiting_is_interrupted)
{
	struct sigaction sa = { .sa_handler = on_signal };
	int fd = pool();
	struct waiter w;

	ASSERT_OK(sigaction(SIGUSR1, &sa, NULL));
	waiter_init(&w, fd, NAME);
	hz_caller_block(&w.caller);
	ASSERT_EQ(pthread_kill(w.caller.thread.pthread, SIGUSR1), 0);
	EXPECT_ERR(hz_caller_join(&w.caller), EINTR);
	EXPECT_EQ(tp_channels(fd), 0);
}

/* Killed while it waits, it leaves nothing. */
TEST(killed_while_it_waits)
{
	int fd = pool();
	struct zcbuf_pool_info info;
	struct waiter w;
	pid_t child;

	waiter_init(&w, fd, NAME);
	child = fork();
	if (!child) {
		zt_call(w.fd, ZCBUF_IOC_CHANNEL_OPEN, &w.arg);
		_exit(1);
	}
	close(w.fd);
	ASSERT_OK(zt_await_sleep(child, SYS_ioctl));
	kill(child, SIGKILL);
	ASSERT_EQ(waitpid(child, NULL, 0), child);
	ASSERT_OK(zt_pool_info(fd, &info));
	EXPECT_EQ(info.out_sessions, 1);
	TOPIC(fd, NAME);
	EXPECT_EQ(tp_channels(fd), 1);
}

/* A channel that exists, but not as one's rights allow, is not waited for. */
TEST(rights_of_who_waits)
{
	int fd = pool(), reader = zt_join(fd, ZT_READ_ONLY);
	struct waiter w;

	waiter_init(&w, fd, NAME);
	w.arg.ports = ZCBUF_PORT_PRODUCE;
	EXPECT_ERR(zt_call(reader, ZCBUF_IOC_CHANNEL_OPEN, &w.arg), EPERM);
}

/* ---------------------------------------------------------------- at once */

struct maker {
	int fd;
	int err;
	struct zcbuf_channel_open arg;
};

static void *make_it(void *arg)
{
	struct maker *m = arg;

	m->err = tp_open(m->fd, NAME, &m->arg);
	return NULL;
}

/* Two that make it: there is one channel, and one who is told that it is new. */
TEST(made_at_once)
{
	int fd = pool(), i, tries = KTAP_TRIES(50), fresh;

	for (i = 0; i < tries; i++) {
		struct maker m[2] = { { .fd = tp_join(fd) },
				      { .fd = tp_join(fd) } };

		m[0].arg = m[1].arg = (struct zcbuf_channel_open)TOPIC_ALONE;
		fresh = i % 2;
		if (fresh)
			m[0].arg.flags = m[1].arg.flags |= ZCBUF_CHANNEL_F_NEW;
		hz_race(make_it, &m[0], make_it, &m[1]);
		EXPECT_EQ(tp_channels(fd), 1);
		EXPECT_EQ(!m[0].err + !m[1].err, fresh ? 1 : 2);
		if (!fresh)
			EXPECT_EQ(m[0].arg.out_channel, m[1].arg.out_channel);
		else
			EXPECT_ERR(m[0].err + m[1].err, EEXIST);
		close(m[0].fd);
		close(m[1].fd);
		EXPECT_EQ(tp_channels(fd), 0);
	}
}

KTAP_MAIN()

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * WATCH: which channels with a name there are, told to who waits for it: what is
 * listed, what is a change, who may, how it is waited for, and that nothing is missed
 * while others come, go and are killed.
 */
#include <fcntl.h>
#include <signal.h>

#include "topic.h"

#define ROOM	64

/* What a session knows. */
struct view {
	struct zcbuf_watch a;
	struct zcbuf_watch_entry e[ROOM];
};

static int pool(void)
{
	return tp_pool(&tp_pages);
}

/* From what it knows on; 0 or -errno. */
static int look(int fd, struct view *v, __u64 deadline_ns)
{
	v->a = zt_arg(struct zcbuf_watch, .since = v->a.out_generation,
		.deadline_ns = deadline_ns, .entries = zt_ptr(v->e),
		.count = ROOM, .entry_size = sizeof(v->e[0]));
	return zt_call(fd, ZCBUF_IOC_WATCH, &v->a);
}

/* It has changed: so many there are. */
static __u32 see(int fd, struct view *v)
{
	__u64 before = v->a.out_generation;

	ASSERT_OK(look(fd, v, 0));
	EXPECT_GT(v->a.out_generation, before);
	return v->a.out_count;
}

static void see_nothing(int fd, struct view *v)
{
	__u64 before = v->a.out_generation;

	EXPECT_ERR(look(fd, v, 0), EAGAIN);
	v->a.out_generation = before;
}

/* Until it knows all: one thing that is done may be more than one change. */
static void catch_up(int fd, struct view *v)
{
	__u64 known;

	do
		known = v->a.out_generation;
	while (!look(fd, v, 0));
	v->a.out_generation = known;
}

static const struct zcbuf_watch_entry *find(const struct view *v,
					    __u64 channel)
{
	__u32 i;

	for (i = 0; i < v->a.out_count; i++)
		if (v->e[i].channel == channel)
			return &v->e[i];
	return NULL;
}

/* -------------------------------------------------------------- what it says */

TEST(what_there_is)
{
	int fd = pool(), other = tp_join(fd);
	const struct zcbuf_watch_entry *e;
	struct zcbuf_channel_name name = tp_name("d", "s/i/one");
	struct zcbuf_channel_open a = {
		.flags = ZCBUF_CHANNEL_F_TOPIC, .ports = ZCBUF_PORT_PRODUCE,
	};
	struct zcbuf_channel_open b = { .ports = ZCBUF_PORT_PRODUCE };
	struct view v = {};

	EXPECT_EQ(see(fd, &v), 0);
	ASSERT_OK(tp_open_in(fd, "d", "s/i/one", &a));
	ASSERT_OK(CONSUME(other, a.out_channel));
	ASSERT_OK(tp_open(fd, "s/i/two", &b));
	ASSERT_OK(zt_ports(other, b.out_channel, ZCBUF_PORT_RECV_FAILED));
	TOPIC(fd, NULL);
	EXPECT_EQ(see(other, &v), 2);
	e = find(&v, a.out_channel);
	ASSERT_TRUE(e);
	EXPECT_TRUE(e->flags & ZCBUF_CHANNEL_F_TOPIC);
	EXPECT_EQ(e->state, 0);
	EXPECT_EQ(e->producers, 1);
	EXPECT_EQ(e->consumers, 1);
	EXPECT_EQ(memcmp(&e->name, &name, sizeof(name)), 0);
	e = find(&v, b.out_channel);
	ASSERT_TRUE(e);
	EXPECT_FALSE(e->flags & ZCBUF_CHANNEL_F_TOPIC);
	EXPECT_EQ(e->producers, 1);
	EXPECT_EQ(e->consumers, 0);
}

TEST(the_end_of_a_stream)
{
	struct zcbuf_channel_open a = { .ports = ZT_ALL_PORTS };
	struct zcbuf_channel_open b = { .ports = ZT_ALL_PORTS };
	struct zcbuf_finalize f;
	int fd = pool();
	struct view v = {};

	ASSERT_OK(tp_open(fd, "s/i/told", &a));
	ASSERT_OK(tp_open(fd, "s/i/left", &b));
	see(fd, &v);
	ASSERT_OK(zt_finalize(fd, a.out_channel, &f));
	EXPECT_EQ(see(fd, &v), 2);
	EXPECT_EQ(find(&v, a.out_channel)->state, ZCBUF_WATCH_FINALIZED);
	EXPECT_EQ(find(&v, b.out_channel)->state, 0);
	ASSERT_OK(zt_channel_close(fd, b.out_channel, ZCBUF_PORT_PRODUCE));
	EXPECT_EQ(see(fd, &v), 2);
	EXPECT_EQ(find(&v, b.out_channel)->state, ZCBUF_WATCH_FINALIZED);
	EXPECT_EQ(find(&v, b.out_channel)->producers, 0);
}

/* Messages, channels without a name, other pools, and what it has already. */
TEST(what_is_no_change)
{
	int fd = pool(), other = pool(), sub = tp_join(fd), i;
	struct view v = {};
	__u64 ch;

	ch = TOPIC(fd, "s/i/e");
	ASSERT_OK(CONSUME(sub, ch));
	EXPECT_EQ(see(fd, &v), 1);
	for (i = 0; i < 10; i++) {
		tp_put(fd, ch, ZT_PAGE, i, 0, 1, 0);
		EXPECT_EQ(tp_take(sub, ch), i);
	}
	TOPIC(fd, NULL);
	TOPIC(other, "s/i/e");
	TOPIC(fd, "s/i/e");
	close(tp_join(fd));
	see_nothing(fd, &v);
}

/* ----------------------------------------------------------------- entries */

TEST(too_little_room)
{
	struct zcbuf_watch_entry e[2];
	struct zcbuf_watch a = zt_arg(struct zcbuf_watch,
				      .entry_size = sizeof(e[0]));
	int fd = pool();

	EXPECT_OK(zt_call(fd, ZCBUF_IOC_WATCH, &a));
	EXPECT_EQ(a.out_count, 0);
	TOPIC(fd, "s/i/1");
	TOPIC(fd, "s/i/2");
	EXPECT_ERR(zt_call(fd, ZCBUF_IOC_WATCH, &a), EMSGSIZE);
	EXPECT_EQ(a.out_count, 2);
	a.entries = zt_ptr(e);
	a.count = 1;
	memset(e, 0x5a, sizeof(e));
	EXPECT_ERR(zt_call(fd, ZCBUF_IOC_WATCH, &a), EMSGSIZE);
	EXPECT_EQ(a.out_count, 2);
	EXPECT_FILLED(&e[1], 0x5a, sizeof(e[1]));
	a.count = 2;
	EXPECT_OK(zt_call(fd, ZCBUF_IOC_WATCH, &a));
	EXPECT_EQ(a.out_count, 2);
	EXPECT_EQ(e[1].producers, 1);
}

/* Of the future they are larger; what is not known is 0. */
TEST(entry_sizes)
{
	const __u32 size = sizeof(struct zcbuf_watch_entry);
	char e[2 * 4096];
	struct zcbuf_watch a = zt_arg(struct zcbuf_watch, .count = 2,
				      .entries = zt_ptr(e));
	int fd = pool();
	__u64 ch;

	TOPIC(fd, "s/i/1");
	ch = TOPIC(fd, "s/i/2");
	a.entry_size = size - 1;
	EXPECT_ERR(zt_call(fd, ZCBUF_IOC_WATCH, &a), EINVAL);
	a.entry_size = 4097;
	EXPECT_ERR(zt_call(fd, ZCBUF_IOC_WATCH, &a), EINVAL);
	a.entry_size = 4096;
	memset(e, 0x5a, sizeof(e));
	EXPECT_OK(zt_call(fd, ZCBUF_IOC_WATCH, &a));
	EXPECT_FILLED(e + size, 0, 4096 - size);
	EXPECT_FILLED(e + 4096 + size, 0, 4096 - size);
	EXPECT_EQ(((struct zcbuf_watch_entry *)(e + 4096))->channel, ch);
}

/* ----------------------------------------------------------------- waiting */

TEST(deadlines)
{
	int fd = pool();
	struct view v = {};
	__u64 known;

	see(fd, &v);
	known = v.a.out_generation;
	EXPECT_ERR(look(fd, &v, 1), ETIMEDOUT);
	v.a.out_generation = known;
	ASSERT_OK(fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK));
	EXPECT_ERR(look(fd, &v, ZCBUF_NO_DEADLINE), EAGAIN);
	v.a.out_generation = ~0ULL;
	EXPECT_OK(look(fd, &v, ZCBUF_NO_DEADLINE));
	EXPECT_EQ(v.a.out_generation, known);
}

/* Whoever waits is told: of the first, and of the last. */
TEST(woken)
{
	int fd = pool(), other = tp_join(fd);
	struct view v = {};
	struct hz_caller c = {
		.fd = fd, .request = ZCBUF_IOC_WATCH, .arg = &v.a,
	};
	__u64 ch;

	see(fd, &v);
	v.a.since = v.a.out_generation;
	v.a.deadline_ns = ZCBUF_NO_DEADLINE;
	hz_caller_block(&c);
	ch = TOPIC(other, "s/i/e");
	EXPECT_OK(hz_caller_join(&c));
	EXPECT_EQ(v.a.out_count, 1);
	EXPECT_EQ(v.e[0].channel, ch);
	catch_up(fd, &v);
	v.a.since = v.a.out_generation;
	v.a.deadline_ns = ZCBUF_NO_DEADLINE;
	hz_caller_block(&c);
	close(other);
	EXPECT_OK(hz_caller_join(&c));
	while (v.a.out_count)
		see(fd, &v);
}

static void on_signal(int sig)
{
	(void)sig;
}

/* What the signal cut short has told nothing. */
TEST(interrupted)
{
	struct sigaction sa = { .sa_handler = on_signal };
	int fd = pool();
	struct view v = {};
	struct hz_caller c = {
		.fd = fd, .request = ZCBUF_IOC_WATCH, .arg = &v.a,
	};

	ASSERT_OK(sigaction(SIGUSR1, &sa, NULL));
	see(fd, &v);
	v.a.since = v.a.out_generation;
	v.a.deadline_ns = ZCBUF_NO_DEADLINE;
	hz_caller_block(&c);
	ASSERT_EQ(pthread_kill(c.thread.pthread, SIGUSR1), 0);
	EXPECT_ERR(hz_caller_join(&c), EINTR);
	TOPIC(fd, "s/i/e");
	EXPECT_EQ(see(fd, &v), 1);
}

static short pri(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLPRI };

	ASSERT_GE(TEMP_FAILURE_RETRY(poll(&p, 1, 0)), 0);
	return p.revents;
}

TEST(polled)
{
	int fd = pool(), other = tp_join(fd);
	struct view v = {};

	TOPIC(fd, "s/i/1");
	EXPECT_EQ(pri(fd), 0);		/* it is not watching */
	see(fd, &v);
	EXPECT_EQ(pri(fd), 0);
	TOPIC(other, "s/i/2");
	EXPECT_EQ(pri(fd), POLLPRI);
	EXPECT_EQ(pri(other), 0);
	v.a.count = 0;
	EXPECT_ERR(zt_call(fd, ZCBUF_IOC_WATCH, &v.a), EMSGSIZE);
	EXPECT_EQ(pri(fd), POLLPRI);
	EXPECT_EQ(see(fd, &v), 2);
	EXPECT_EQ(pri(fd), 0);
	see_nothing(fd, &v);
}

static void *poll_pri(void *arg)
{
	struct pollfd p = { .fd = *(int *)arg, .events = POLLPRI };

	EXPECT_EQ(TEMP_FAILURE_RETRY(poll(&p, 1, -1)), 1);
	EXPECT_EQ(p.revents, POLLPRI);
	return NULL;
}

TEST(poll_is_woken)
{
	int fd = pool(), other = tp_join(fd);
	struct thread t = { .run = poll_pri, .arg = &fd };
	struct view v = {};

	see(fd, &v);
	thread_start(&t, SYS_poll);
	TOPIC(other, "s/i/e");
	thread_join(&t);
}

/* ----------------------------------------------------------------- who may */

TEST(users_and_readers)
{
	int fd = zt_open(O_RDWR), reader, user;
	struct zcbuf_watch a = zt_arg(struct zcbuf_watch);
	struct view v = {};

	ASSERT_OK(zt_pool_create_named(fd, "watched", 0644));
	TOPIC(fd, "s/i/e");
	EXPECT_ERR(zt_call(zt_open(O_RDWR), ZCBUF_IOC_WATCH, &a), EPERM);
	reader = zt_join(fd, ZT_READ_ONLY);
	EXPECT_EQ(see(reader, &v), 1);
	user = zt_open(O_RDONLY);
	ASSERT_OK(zt_become(ZT_USER, ZT_GROUP));
	ASSERT_OK(zt_pool_attach_uid(user, "watched", 0, 0));
	v.a.out_generation = 0;
	EXPECT_EQ(see(user, &v), 1);
}

/* ------------------------------------------------------------- the killed */

TEST(killed)
{
	int fd = pool(), sub;
	struct zt_turns turns;
	struct view v = {};
	__u64 ch = TOPIC(fd, "s/i/stays"), gone = 0;
	pid_t pid;

	ASSERT_OK(zt_turns_init(&turns));
	pid = fork();
	if (!pid) {
		zt_turns_child(&turns);
		sub = tp_join(fd);
		close(fd);
		ASSERT_OK(CONSUME(sub, ch));
		TOPIC(sub, "s/i/goes");
		zt_tell_parent(&turns);
		for (;;)
			pause();
	}
	zt_turns_parent(&turns);
	ASSERT_OK(zt_await_child(&turns));
	EXPECT_EQ(see(fd, &v), 2);
	EXPECT_EQ(find(&v, ch)->consumers, 1);
	gone = v.e[0].channel == ch ? v.e[1].channel : v.e[0].channel;
	ASSERT_OK(kill(pid, SIGKILL));
	do
		ASSERT_OK(look(fd, &v, ZCBUF_NO_DEADLINE));
	while (v.a.out_count > 1 || find(&v, ch)->consumers);
	EXPECT_FALSE(find(&v, gone));
	ASSERT_EQ(waitpid(pid, NULL, 0), pid);
	catch_up(fd, &v);
	see_nothing(fd, &v);
}

/* ------------------------------------------------------------------- races */

#define CHANNELS	40

/* They come, some go, and the last one is there when all is said and done. */
static void *come_and_go(void *arg)
{
	int fd = *(int *)arg, i;
	char name[32];
	__u64 ch;

	for (i = 0; i < CHANNELS; i++) {
		snprintf(name, sizeof(name), "race/channel/%d", i);
		ch = TOPIC(fd, name);
		if (i % 2)
			ASSERT_OK(zt_channel_close(fd, ch, 0));
	}
	TOPIC(fd, "race/channel/last");
	return NULL;
}

static bool has_last(const struct view *v)
{
	__u32 i;

	for (i = 0; i < v->a.out_count; i++)
		if (!strncmp(v->e[i].name.event, "last", 4))
			return true;
	return false;
}

/* Who asks again and again ends with what there is, and need not ask once more. */
TEST(nothing_is_missed)
{
	int fd = pool(), other = tp_join(fd);
	struct view v = {};
	pthread_t thread;
	__u64 before;
	__u32 count;

	ASSERT_EQ(pthread_create(&thread, NULL, come_and_go, &other), 0);
	do {
		before = v.a.out_generation;
		ASSERT_OK(look(fd, &v, ZCBUF_NO_DEADLINE));
		ASSERT_GT(v.a.out_generation, before);
	} while (!has_last(&v));
	ASSERT_EQ(pthread_join(thread, NULL), 0);
	count = v.a.out_count;
	if (!look(fd, &v, 0))
		count = v.a.out_count;
	EXPECT_EQ(count, CHANNELS / 2 + 1);
}

KTAP_MAIN()

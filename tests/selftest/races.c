// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Two threads and one object: close() against every call, ports that go while
 * they are used or waited on, two that take the same thing, two that attach.
 * Whoever wins, nothing is lost: in the end nothing is handed out.
 */
#include "calls.h"

#define MIB		ZT_MIB
#define ROUNDS		KTAP_TRIES(100)
#define CLOSES		KTAP_TRIES(20)

/* ----------------------------------------------------- close against a call */

struct closing {
	const struct call *c;
	struct rig r;
	struct attempt t;
	int fd;
};

static void *call_until_closed(void *p)
{
	struct closing *x = p;
	int i;

	for (i = 0; i < 50; i++) {
		if (zt_call(x->fd, call_request(x->c), x->t.arg) == -EBADF)
			break;
		call_make(x->c, &x->r, &x->t);
	}
	return NULL;
}

static void *close_it(void *p)
{
	struct closing *x = p;

	hz_dawdle(14);
	close(x->fd);
	return NULL;
}

/* What @other sees once its own things are gone, too. */
static void expect_nothing_left(struct rig *r)
{
	EXPECT_OK(zt_channel_close(r->other, r->channel, 0));
	EXPECT_OK(zt_free1(r->other, r->other_buffer));
	EXPECT_EQ(hz_used_in_the_end(r->other), 0);
}

static void close_once(struct closing *x)
{
	rig_open(&x->r);
	call_make(x->c, &x->r, &x->t);
	x->fd = call_fd(x->c, &x->r);
	hz_race(call_until_closed, x, close_it, x);
	if (x->c->fresh)
		EXPECT_OK(close(x->r.fd));
	expect_nothing_left(&x->r);
	munmap(x->r.map, x->r.size);
	close(x->r.other);
	if (!x->c->fresh)
		close(x->r.fresh);
	close(x->r.efd);
}

static void close_against(const void *arg)
{
	static struct closing x;
	int i;

	x.c = arg;
	for (i = 0; i < CLOSES; i++)
		close_once(&x);
	EXPECT_EQ(zt_await_charged(0), 0);
}

/* With another descriptor of the session: it goes on. */
static void close_one_of_two(const void *arg)
{
	static struct closing x;
	struct zcbuf_pool_info info;
	struct zcbuf_query q;
	int keep;

	x.c = arg;
	rig_open(&x.r);
	call_make(x.c, &x.r, &x.t);
	keep = call_fd(x.c, &x.r);
	x.fd = dup(keep);
	ASSERT_GE(x.fd, 0);
	hz_race(call_until_closed, &x, close_it, &x);
	ASSERT_OK(zt_query(keep, &q));
	ASSERT_OK(zt_pool_info(x.r.other, &info));
	EXPECT_EQ(info.out_sessions, 2 + (q.out_pool == info.out_pool &&
					  keep == x.r.fresh));
	rig_close(&x.r);
	EXPECT_EQ(zt_await_charged(0), 0);
}

#define EACH_CALL(F)							\
	F(0, QUERY) F(1, POOL_CREATE) F(2, POOL_ATTACH) F(3, POOL_INFO)	\
	F(4, ALLOC) F(5, FREE) F(6, CHANNEL_OPEN) F(7, CHANNEL_CLOSE)	\
	F(8, RESERVE) F(9, COMMIT) F(10, COMMIT_RESERVE) F(11, ABORT)	\
	F(12, FLUSH) F(13, FINALIZE) F(14, RECEIVE)			\
	F(15, RECEIVE_FAILED) F(16, RELEASE) F(17, EVENTFD)
#define TEST_CLOSE(row, call)						\
	TEST_WITH(close_against, close_##call, &calls[row])		\
	TEST_WITH(close_one_of_two, close_dup_##call, &calls[row])

EACH_CALL(TEST_CLOSE)

/* --------------------------------------------- ports that go while in use */

struct traffic {
	int fd;
	__u64 channel;
	bool stop;
	unsigned int done;
};

static bool traffic_stopped(struct traffic *t)
{
	return __atomic_load_n(&t->stop, __ATOMIC_RELAXED);
}

static void traffic_check(struct traffic *t, int err)
{
	EXPECT_TRUE(err >= 0 || err == -EPERM || err == -EAGAIN ||
		    err == -ESTALE || err == -EBADSLT || err == -ENOENT);
	if (err >= 0)
		__atomic_fetch_add(&t->done, 1, __ATOMIC_RELAXED);
}

static void *produce(void *p)
{
	struct traffic *t = p;
	struct zcbuf_reservation r;
	int err;

	while (!traffic_stopped(t)) {
		err = zt_reserve1(t->fd, t->channel, 700, &r);
		traffic_check(t, err);
		if (err)
			continue;
		err = hz_random(4) ? zt_commit1(t->fd, t->channel, &r) :
				     zt_abort1(t->fd, t->channel, &r);
		traffic_check(t, err);
	}
	return NULL;
}

static bool traffic_is_idle(struct traffic *t)
{
	return !__atomic_load_n(&t->done, __ATOMIC_RELAXED);
}

static void *consume(void *p)
{
	struct traffic *t = p;
	struct zcbuf_delivery d;
	int n;

	while (!traffic_stopped(t)) {
		n = zt_receive(t->fd, t->channel, &d, 1, 0);
		traffic_check(t, n);
		if (n == 1)
			traffic_check(t, zt_release1(t->fd, t->channel,
						     d.handle));
	}
	return NULL;
}

static void *consume_failed(void *p)
{
	struct traffic *t = p;
	struct zcbuf_piece pieces[8];
	struct zcbuf_lost lost[8];
	int err;

	while (!traffic_stopped(t)) {
		struct zcbuf_receive_failed f = {
			.pieces = zt_ptr(pieces), .npieces = 8,
			.lost = zt_ptr(lost), .nlost = 8,
		};

		err = zt_receive_failed(t->fd, t->channel, &f);
		traffic_check(t, err);
		if (!err)
			traffic_check(t, zt_release1(t->fd, t->channel,
						     f.out_delivery.handle));
	}
	return NULL;
}

/* All of a session's ports come and go under its own feet. */
TEST(ports_come_and_go)
{
	void *(*const run[])(void *) = { produce, consume, consume_failed };
	struct traffic t = {};
	pthread_t thread[3];
	int i, other;

	t.fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	ASSERT_GE(t.fd, 0);
	other = zt_join(t.fd, 0);
	ASSERT_OK(zt_stream(t.fd, 2048, 0, &t.channel));
	ASSERT_OK(zt_ports(other, t.channel, ZCBUF_PORT_PRODUCE));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(pthread_create(&thread[i], NULL, run[i], &t), 0);
	/* Signals may keep the threads from anything at all for that long. */
	for (i = 0; i < 5 * ROUNDS || (traffic_is_idle(&t) && i < 5000); i++) {
		__u32 ports = 1 + hz_random(7);
		int err = zt_channel_close(t.fd, t.channel, ports);

		EXPECT_TRUE(!err || err == -ENOENT);
		hz_dawdle(12);
		EXPECT_OK(zt_ports(t.fd, t.channel, ZT_ALL_PORTS));
		hz_dawdle(12);
	}
	__atomic_store_n(&t.stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(pthread_join(thread[i], NULL), 0);
	EXPECT_GT(t.done, 0);
	EXPECT_OK(zt_channel_close(t.fd, t.channel, 0));
	EXPECT_OK(zt_channel_close(other, t.channel, 0));
	EXPECT_EQ(zt_used(other), 0);
}

/* Groups that seal by age while their channel goes. */
TEST(age_against_close)
{
	struct zcbuf_channel_open a = {
		.ports = ZCBUF_PORT_PRODUCE | ZCBUF_PORT_CONSUME,
		.max_age_us = 1,
	};
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, 2 * ZT_ARENA), i;
	struct zcbuf_reservation r;
	struct zcbuf_delivery d;

	for (i = 0; i < 2 * ROUNDS; i++) {
		ASSERT_OK(zt_channel_open(fd, &a));
		ASSERT_OK(zt_reserve1(fd, a.out_channel, 100, &r));
		if (hz_random(2))
			ASSERT_OK(zt_commit1(fd, a.out_channel, &r));
		if (hz_random(2))
			usleep(hz_random(8000));
		zt_receive(fd, a.out_channel, &d, 1, 0);
		ASSERT_OK(zt_channel_close(fd, a.out_channel, 0));
		EXPECT_EQ(zt_used(fd), 0);
	}
}

/* ---------------------------------------------------------- what wakes whom */

/*
 * struct waiting - a pool that is full, and an empty channel without credit
 * @fd: waits
 * @other: the same pool, a producer
 * @all: what fills the pool
 */
struct waiting {
	int fd;
	int other;
	__u64 channel;
	__u64 all;
	struct zcbuf_reservation v;
	struct zcbuf_reserve reserve;
	struct zcbuf_delivery d;
	struct zcbuf_receive receive;
	struct zcbuf_receive_failed failed;
	struct hz_caller c;
};

static void waiting_open(struct waiting *w, __u32 flags)
{
	memset(w, 0, sizeof(*w));
	w->fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	ASSERT_GE(w->fd, 0);
	w->other = zt_join(w->fd, 0);
	ASSERT_OK(zt_stream(w->fd, 0, flags, &w->channel));
	ASSERT_OK(zt_ports(w->other, w->channel, ZT_ALL_PORTS));
	ASSERT_OK(zt_alloc1(w->other, ZT_ARENA, &w->all));
	w->v.length = 100;
	w->reserve = zt_arg(struct zcbuf_reserve, .channel = w->channel,
		.entries = zt_ptr(&w->v), .count = 1,
		.deadline_ns = ZCBUF_NO_DEADLINE);
	w->receive = zt_arg(struct zcbuf_receive, .channel = w->channel,
		.entries = zt_ptr(&w->d), .count = 1,
		.deadline_ns = ZCBUF_NO_DEADLINE, .entry_size = sizeof(w->d));
	w->failed = zt_arg(struct zcbuf_receive_failed, .channel = w->channel,
		.deadline_ns = ZCBUF_NO_DEADLINE);
	w->c.fd = w->fd;
}

static void waiting_start(struct waiting *w, unsigned long request, void *arg)
{
	w->c.request = request;
	w->c.arg = arg;
	hz_caller_block(&w->c);
}

static void closed_while(unsigned long request, size_t arg)
{
	struct waiting w;

	waiting_open(&w, 0);
	waiting_start(&w, request, (char *)&w + arg);
	EXPECT_OK(zt_channel_close(w.fd, w.channel, 0));
	EXPECT_ERR(hz_caller_join(&w.c), EPERM);
	EXPECT_OK(zt_free1(w.other, w.all));
	EXPECT_EQ(zt_used(w.other), 0);
}

TEST(close_wakes_reserve)
{
	closed_while(ZCBUF_IOC_RESERVE, offsetof(struct waiting, reserve));
}

TEST(close_wakes_receive)
{
	closed_while(ZCBUF_IOC_RECEIVE, offsetof(struct waiting, receive));
}

TEST(close_wakes_receive_failed)
{
	closed_while(ZCBUF_IOC_RECEIVE_FAILED,
		     offsetof(struct waiting, failed));
}

/* FINALIZE by somebody else ends every wait. */
static void finalized_while(unsigned long request, size_t arg)
{
	struct zcbuf_finalize f;
	struct waiting w;

	waiting_open(&w, 0);
	waiting_start(&w, request, (char *)&w + arg);
	EXPECT_OK(zt_finalize(w.other, w.channel, &f));
	EXPECT_ERR(hz_caller_join(&w.c), ESHUTDOWN);
}

TEST(finalize_wakes_reserve)
{
	finalized_while(ZCBUF_IOC_RESERVE, offsetof(struct waiting, reserve));
}

TEST(finalize_wakes_receive)
{
	finalized_while(ZCBUF_IOC_RECEIVE, offsetof(struct waiting, receive));
}

TEST(finalize_wakes_receive_failed)
{
	finalized_while(ZCBUF_IOC_RECEIVE_FAILED,
			offsetof(struct waiting, failed));
}

/* NEED_CONSUMER: the last one goes while RESERVE waits. */
TEST(consumer_gone_wakes_reserve)
{
	struct waiting w;

	waiting_open(&w, 0);
	ASSERT_OK(zt_channel_close(w.fd, w.channel, ZCBUF_PORT_CONSUME));
	w.reserve.flags = ZCBUF_RESERVE_F_NEED_CONSUMER;
	waiting_start(&w, ZCBUF_IOC_RESERVE, &w.reserve);
	EXPECT_OK(zt_channel_close(w.other, w.channel, ZCBUF_PORT_CONSUME));
	EXPECT_ERR(hz_caller_join(&w.c), EPIPE);
}

/* The last descriptor is closed while a call of it sleeps: it goes on, until
 * something wakes it, and the session goes when it is back.
 */
TEST(close_while_waiting)
{
	struct waiting w;

	waiting_open(&w, 0);
	waiting_start(&w, ZCBUF_IOC_RESERVE, &w.reserve);
	close(w.fd);
	EXPECT_OK(zt_free1(w.other, w.all));
	EXPECT_OK(hz_caller_join(&w.c));
	EXPECT_OK(zt_channel_close(w.other, w.channel, 0));
	EXPECT_EQ(hz_used_in_the_end(w.other), 0);
}

/* ------------------------------------------------------ two take one thing */

#define THINGS	256

/*
 * struct taking - each thing is there once, and two threads want it
 * @take: take the @i'th
 * @done: how many times somebody was told it was his
 */
struct taking {
	int fd;
	__u64 channel;
	int (*take)(struct taking *t, int i);
	__u64 handles[THINGS];
	struct zcbuf_reservation v[THINGS];
	unsigned int done;
	int refused;		/* what the loser may be told */
};

static void *take_all(void *p)
{
	struct taking *t = p;
	int i, err;

	for (i = 0; i < THINGS; i++) {
		err = t->take(t, i);
		if (!err)
			__atomic_fetch_add(&t->done, 1, __ATOMIC_RELAXED);
		else
			EXPECT_EQ(err, t->refused);
	}
	return NULL;
}

static void take_twice(struct taking *t)
{
	hz_race(take_all, t, take_all, t);
	EXPECT_EQ(t->done, THINGS);
}

static int take_free(struct taking *t, int i)
{
	return zt_free1(t->fd, t->handles[i]);
}

static void free_race(__u32 kind, __u64 length)
{
	static struct taking t;

	t.take = take_free;
	t.refused = -EBADSLT;
	t.fd = zt_pool(kind, 0, kind == ZCBUF_POOL_FIXED ? 0 : ZT_ARENA);
	ASSERT_EQ(zt_alloc(t.fd, length, 0, 0, t.handles, THINGS), THINGS);
	take_twice(&t);
	EXPECT_EQ(zt_used(t.fd), 0);
	EXPECT_EQ(zt_bad_frees(t.fd), THINGS);
}

TEST(free_of_a_block)
{
	free_race(ZCBUF_POOL_PAGES, 4096);
}

TEST(free_of_an_object)
{
	free_race(ZCBUF_POOL_TIERS, 64);
}

TEST(free_of_a_fixed_object)
{
	free_race(ZCBUF_POOL_FIXED, 4096);
}

static int take_release(struct taking *t, int i)
{
	return zt_release1(t->fd, t->channel, t->handles[i]);
}

static int take_commit(struct taking *t, int i)
{
	return zt_commit1(t->fd, t->channel, &t->v[i]);
}

static int take_abort(struct taking *t, int i)
{
	return zt_abort1(t->fd, t->channel, &t->v[i]);
}

static void stream_of(struct taking *t)
{
	int i;

	t->fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	ASSERT_OK(zt_stream(t->fd, 0, 0, &t->channel));
	for (i = 0; i < THINGS; i++)
		ASSERT_OK(zt_reserve1(t->fd, t->channel, 100, &t->v[i]));
}

TEST(commit_twice)
{
	static struct taking t;

	stream_of(&t);
	t.take = take_commit;
	t.refused = -EALREADY;
	take_twice(&t);
	EXPECT_OK(zt_channel_close(t.fd, t.channel, 0));
	EXPECT_EQ(zt_used(t.fd), 0);
}

TEST(abort_twice)
{
	static struct taking t;

	stream_of(&t);
	t.take = take_abort;
	t.refused = -ESTALE;
	take_twice(&t);
	EXPECT_OK(zt_channel_close(t.fd, t.channel, 0));
	EXPECT_EQ(zt_used(t.fd), 0);
}

TEST(release_twice)
{
	static struct taking t;
	struct zcbuf_delivery d;
	int i;

	stream_of(&t);
	for (i = 0; i < THINGS; i++) {
		ASSERT_OK(zt_commit1(t.fd, t.channel, &t.v[i]));
		ASSERT_EQ(zt_receive(t.fd, t.channel, &d, 1, 0), 1);
		t.handles[i] = d.handle;
	}
	t.take = take_release;
	t.refused = -EBADSLT;
	take_twice(&t);
	EXPECT_EQ(zt_used(t.fd), 0);
	EXPECT_EQ(zt_bad_frees(t.fd), THINGS);
}

static void *commit_all(void *p)
{
	struct taking *t = p;
	int i, err;

	for (i = 0; i < THINGS; i++) {
		err = zt_commit1(t->fd, t->channel, &t->v[i]);
		EXPECT_TRUE(!err || err == -ESHUTDOWN);
		t->done += !err;
	}
	return NULL;
}

static void *finalize_some_time(void *p)
{
	struct taking *t = p;
	struct zcbuf_finalize f;

	usleep(hz_random(10000));
	EXPECT_OK(zt_finalize(t->fd, t->channel, &f));
	EXPECT_LE(f.out_reservations, THINGS);
	return NULL;
}

/* What was committed is delivered, what was not has failed; each once. */
TEST(finalize_against_commit)
{
	struct zcbuf_lost lost;
	struct zcbuf_receive_failed f;
	struct zcbuf_delivery d;
	static struct taking t;
	unsigned int good = 0, bad = 0;

	stream_of(&t);
	hz_race(commit_all, &t, finalize_some_time, &t);
	while (zt_receive(t.fd, t.channel, &d, 1, 0) == 1) {
		good++;
		EXPECT_OK(zt_release1(t.fd, t.channel, d.handle));
	}
	for (;;) {
		f = (struct zcbuf_receive_failed){ .lost = zt_ptr(&lost),
						   .nlost = 1 };
		if (zt_receive_failed(t.fd, t.channel, &f))
			break;
		bad++;
		EXPECT_OK(zt_release1(t.fd, t.channel, f.out_delivery.handle));
	}
	EXPECT_EQ(good, t.done);
	EXPECT_EQ(good + bad, THINGS);
	EXPECT_EQ(zt_used(t.fd), 0);	/* every straggler was told */
}

static void *receive_all(void *p)
{
	struct taking *t = p;
	struct zcbuf_delivery d;

	while (zt_receive(t->fd, t->channel, &d, 1, 0) == 1) {
		EXPECT_EQ(__atomic_fetch_add(&t->handles[d.group], 1,
					     __ATOMIC_RELAXED), 0);
		EXPECT_OK(zt_release1(t->fd, t->channel, d.handle));
	}
	return NULL;
}

TEST(receive_twice)
{
	static struct taking t;
	int i;

	stream_of(&t);
	for (i = 0; i < THINGS; i++)
		ASSERT_OK(zt_commit1(t.fd, t.channel, &t.v[i]));
	hz_race(receive_all, &t, receive_all, &t);
	for (i = 0; i < THINGS; i++)
		EXPECT_EQ(t.handles[i], 1);
	EXPECT_EQ(zt_used(t.fd), 0);
}

KTAP_MAIN()

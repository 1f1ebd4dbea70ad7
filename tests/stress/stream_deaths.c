// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * A channel whose producers and consumers are killed at random and replaced,
 * while others of them turn over, abort, flush, close and open ports, wait with
 * and without deadline, are interrupted, and somebody allocates and looks on.
 * In the end every reservation was delivered once or reported lost once, and
 * all memory is back.
 */
#include <sys/eventfd.h>

#include "book.h"

#define ARENA		(2 * ZT_ARENA)
#define PRODUCERS	3
#define CONSUMERS	3
#define OTHERS		3		/* who allocates, who look on */
#define CREW		(PRODUCERS + CONSUMERS + OTHERS)
#define DEATHS		24		/* in a round */
#define HAND		6		/* reservations of a thread */
#define TAKE		3		/* groups in one RECEIVE */
#define MOST		4096		/* bytes of a reservation, mostly */
#define FAILED_PARTS	4096		/* of a failed group */

/*
 * struct scene - one round
 * @fd: a session that lives through it: a producer, and all that failed goes to
 *	it
 * @map: of all of the pool
 */
struct scene {
	int fd;
	__u64 channel;
	__u32 flags;
	char *map;
	struct stress_crew crew;
	pthread_t failures;
};

static struct scene scene;

/* A session of one's own, with a map of it. */
struct seat {
	int fd;
	char *map;
};

static void seat_open(struct seat *s, __u32 rights, int prot)
{
	s->fd = zt_join(scene.fd, rights);
	ASSERT_GE(s->fd, 0);
	s->map = zt_map(s->fd, prot, ARENA);
	ASSERT_NE(s->map, NULL);
}

/* Two threads with the same session. */
static void two_of(void *(*run)(void *), void *one, void *two)
{
	pthread_t thread;

	ASSERT_EQ(pthread_create(&thread, NULL, run, two), 0);
	run(one);
	ASSERT_EQ(pthread_join(thread, NULL), 0);
}

/* --------------------------------------------------------------- producers */

/*
 * struct producer - one thread
 * @seat: may be shared with another thread
 * @alone: it is not. Only then the port may be closed: nobody else is writing
 *	to what becomes free by that
 * @hand: what is pending; @n
 * @used: bytes of each that will be written
 */
struct producer {
	struct seat *seat;
	unsigned int nr;
	bool alone;
	unsigned int n;
	struct zcbuf_reservation hand[HAND];
	__u64 used[HAND];
	bool ended;
};

static void forget(struct producer *p, unsigned int i)
{
	p->n--;
	p->hand[i] = p->hand[p->n];
	p->used[i] = p->used[p->n];
}

/* COMMIT or ABORT has said @err of number @i in the hand. */
static void settled(struct producer *p, unsigned int i, int err, bool commit)
{
	__u64 id = p->hand[i].out_id;

	switch (err) {
	case 0:
		book_fate(id, commit ? BOOK_COMMITTED : BOOK_FAILED);
		break;
	case -ESHUTDOWN:
		p->ended = true;
		book_fate(id, BOOK_FAILED);
		break;
	case -ESTALE:
		book_fate(id, BOOK_FAILED);
		break;
	default:
		EXPECT_EQ(err, 0);
	}
	forget(p, i);
}

/* How long, and how much of it will be used. */
static void wish(struct producer *p, unsigned int i, __u32 flags)
{
	__u64 length = BOOK_MIN + stress_pick(stress_one_in(16) ? 8 * MOST :
					      MOST - BOOK_MIN);

	p->hand[i] = (struct zcbuf_reservation){ .length = length };
	p->used[i] = flags & ZCBUF_RESERVE_F_WINDOW ?
		     BOOK_MIN + stress_pick(length - BOOK_MIN + 1) : length;
}

static void got(struct producer *p, unsigned int n)
{
	for (; n; n--, p->n++) {
		book_write(p->seat->map, &p->hand[p->n], p->used[p->n]);
		p->ended |= p->hand[p->n].out_id >= BOOK_FULL;
	}
}

static __u32 reserve_flags(void)
{
	return stress_one_in(8) ? ZCBUF_RESERVE_F_WINDOW : 0;
}

static void not_now(struct producer *p, int err)
{
	if (err == -ESHUTDOWN)
		p->ended = true;
	else
		EXPECT_TRUE(err == -EAGAIN || err == -ETIMEDOUT ||
			    err == -EINTR);
}

static void reserve(struct producer *p)
{
	unsigned int i, n = 1 + stress_pick(HAND - p->n);
	__u32 flags = reserve_flags();
	int done;

	for (i = 0; i < n; i++)
		wish(p, p->n + i, flags);
	done = zt_reserve(p->seat->fd, scene.channel, &p->hand[p->n], n, flags,
			  stress_deadline());
	if (done < 0)
		not_now(p, done);
	else
		got(p, done);
}

static struct zcbuf_commit_entry entry_of(const struct producer *p,
					  unsigned int i)
{
	return (struct zcbuf_commit_entry){
		.group = p->hand[i].out_group, .id = p->hand[i].out_id,
		.offset = p->hand[i].out_offset, .length = p->used[i],
	};
}

static void commit_one(struct producer *p)
{
	unsigned int i = stress_pick(p->n);
	struct zcbuf_commit_entry e = entry_of(p, i);
	int n = zt_commit(p->seat->fd, scene.channel, &e, 1);

	settled(p, i, n < 0 ? n : 0, true);
}

static void abort_one(struct producer *p)
{
	unsigned int i = stress_pick(p->n);

	settled(p, i, zt_abort1(p->seat->fd, scene.channel, &p->hand[i]),
		false);
}

/* All in the hand by one call, from the last one on, and new ones instead. */
static void turn_over(struct producer *p)
{
	unsigned int i, had = p->n, n = 1 + stress_pick(HAND);
	struct zcbuf_commit_entry e[HAND];
	struct zcbuf_reservation v[HAND];
	struct producer next = { .seat = p->seat };
	struct zcbuf_commit_reserve a = {
		.flags = reserve_flags(), .channel = scene.channel,
		.commits = zt_ptr(e), .ncommits = had,
		.reserves = zt_ptr(v), .nreserves = n,
		.deadline_ns = stress_deadline(),
	};
	int err;

	for (i = 0; i < had; i++)
		e[i] = entry_of(p, had - 1 - i);
	for (i = 0; i < n; i++) {
		wish(&next, i, a.flags);
		v[i] = next.hand[i];
	}
	err = zt_commit_reserve(p->seat->fd, &a);
	if (err && !a.out_commit_error) {	/* not even begun */
		not_now(p, err);
		return;
	}
	for (i = 0; i < a.out_committed; i++)
		settled(p, p->n - 1, 0, true);
	if (p->n)
		settled(p, p->n - 1, -(int)a.out_commit_error, true);
	if (a.out_reserve_error)
		not_now(p, -(int)a.out_reserve_error);
	if (p->n)
		return;
	memcpy(p->hand, v, sizeof(v));
	memcpy(p->used, next.used, sizeof(next.used));
	got(p, a.out_reserved);
}

static void flush(struct producer *p)
{
	int err = zt_flush(p->seat->fd, scene.channel);

	if (err < 0)
		not_now(p, err);
}

/* What is pending fails. */
static void reopen(struct producer *p)
{
	EXPECT_OK(zt_channel_close(p->seat->fd, scene.channel,
				   ZCBUF_PORT_PRODUCE));
	EXPECT_OK(zt_ports(p->seat->fd, scene.channel, ZCBUF_PORT_PRODUCE));
	p->n = 0;
}

static void produce_some(struct producer *p)
{
	unsigned int what = stress_pick(128);

	if (what == 0)
		flush(p);
	else if (what == 1 && p->alone)
		reopen(p);
	else if (what == 2)
		p->n = 0;	/* never to be heard of again */
	else if (!p->n || (what < 48 && p->n < HAND))
		reserve(p);
	else if (what < 64)
		turn_over(p);
	else if (what < 70)
		abort_one(p);
	else
		commit_one(p);
}

static void *produce(void *arg)
{
	struct producer *p = arg;

	stress_choices(((uint64_t)getpid() << 16) + p->nr);
	while (!p->ended && !book_stopped())
		produce_some(p);
	return NULL;
}

static void producer(unsigned int nr)
{
	struct producer one = { .nr = 2 * nr }, two = { .nr = 2 * nr + 1 };
	struct seat s;

	seat_open(&s, 0, PROT_READ | PROT_WRITE);
	ASSERT_OK(zt_ports(s.fd, scene.channel, ZCBUF_PORT_PRODUCE));
	one.seat = &s;
	two.seat = &s;
	one.alone = stress_one_in(3);
	if (one.alone)
		produce(&one);
	else
		two_of(produce, &one, &two);
}

/* --------------------------------------------------------------- consumers */

/*
 * struct consumer - one thread
 * @reading: how many groups it may have and not have noted, for all to see
 * @held: not released yet; @n
 */
struct consumer {
	struct seat *seat;
	unsigned int nr;
	unsigned int *reading;
	unsigned int n;
	__u64 held[4 * TAKE];
};

static void give_back(struct consumer *c, unsigned int keep)
{
	while (c->n > keep)
		EXPECT_OK(zt_release1(c->seat->fd, scene.channel,
				      c->held[--c->n]));
}

/* Returns what RECEIVE did. */
static int consume_some(struct consumer *c, __u64 deadline_ns)
{
	unsigned int most = 1 + stress_pick(TAKE);
	struct zcbuf_delivery d[TAKE];
	int i, n;

	__atomic_store_n(c->reading, most, __ATOMIC_RELEASE);
	n = zt_receive(c->seat->fd, scene.channel, d, most, deadline_ns);
	for (i = 0; i < n; i++) {
		book_group(c->seat->map, &d[i]);
		c->held[c->n++] = d[i].handle;
	}
	__atomic_store_n(c->reading, 0, __ATOMIC_RELEASE);
	give_back(c, stress_one_in(8) ? 0 : stress_pick(2 * TAKE));
	return n;
}

static void *consume(void *arg)
{
	struct consumer *c = arg;
	int n;

	stress_choices(((uint64_t)getpid() << 16) + c->nr);
	do {
		n = consume_some(c, stress_deadline());
	} while (n > 0 || n == -EAGAIN || n == -ETIMEDOUT || n == -EINTR);
	EXPECT_ERR(n, ESHUTDOWN);
	give_back(c, 0);
	return NULL;
}

static struct consumer consumer_of(struct seat *s, unsigned int nr)
{
	return (struct consumer){
		.seat = s, .nr = nr, .reading = &book->reading[nr],
	};
}

static int take_port(int fd)
{
	struct zcbuf_channel_open a = {
		.channel = scene.channel, .ports = ZCBUF_PORT_CONSUME,
		.depth = 1 + stress_pick(20),
	};

	return zt_channel_open(fd, &a);
}

static void consumer(unsigned int nr)
{
	struct consumer one, two;
	struct seat s;

	seat_open(&s, ZT_READ_ONLY, PROT_READ);
	ASSERT_OK(take_port(s.fd));
	one = consumer_of(&s, 2 * nr);
	two = consumer_of(&s, 2 * nr + 1);
	two_of(consume, &one, &two);
}

/* Alone with its port, which it gives back and takes; told by an eventfd. */
static void fickle_consumer(unsigned int nr)
{
	int efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), n = 1;
	struct consumer c;
	struct seat s;

	seat_open(&s, ZT_READ_ONLY, PROT_READ);
	ASSERT_OK(take_port(s.fd));
	c = consumer_of(&s, 2 * nr);
	while (n != -ESHUTDOWN) {
		if (stress_one_in(16)) {
			c.n = 0;
			EXPECT_OK(zt_channel_close(s.fd, scene.channel, 0));
			EXPECT_OK(take_port(s.fd));
		}
		if (stress_one_in(8))
			EXPECT_OK(zt_eventfd(s.fd, scene.channel, efd,
					     ZCBUF_EVENTFD_EACH, 0));
		zt_poll(stress_one_in(2) ? s.fd : efd, stress_pick(4));
		zt_count(efd);
		n = consume_some(&c, 0);
	}
	give_back(&c, 0);
}

/* What has failed goes to somebody who is not killed. */
static void *failures(void *arg)
{
	static struct zcbuf_piece pieces[FAILED_PARTS];
	static struct zcbuf_lost lost[FAILED_PARTS];
	struct zcbuf_receive_failed f;
	int err;

	(void)arg;
	for (;;) {
		f = (struct zcbuf_receive_failed){
			.pieces = zt_ptr(pieces), .npieces = FAILED_PARTS,
			.lost = zt_ptr(lost), .nlost = FAILED_PARTS,
			.deadline_ns = ZCBUF_NO_DEADLINE,
		};
		err = zt_receive_failed(scene.fd, scene.channel, &f);
		if (err)
			break;
		book_failed_group(scene.map, &f);
		EXPECT_OK(zt_release1(scene.fd, scene.channel,
				      f.out_delivery.handle));
	}
	EXPECT_ERR(err, ESHUTDOWN);
	return NULL;
}

/* ------------------------------------------------------------------ others */

/* Takes memory away from the stream, and gives it back. */
static void allocator(unsigned int nr)
{
	struct seat s;
	__u64 h[8];
	int i, n;

	(void)nr;
	seat_open(&s, 0, PROT_READ | PROT_WRITE);
	while (!book_stopped()) {
		n = zt_alloc(s.fd, 1U << (12 + stress_pick(6)), 0, 0, h, 8);
		EXPECT_TRUE(n > 0 || n == -ENOMEM);
		for (i = 0; i < n; i++)
			memset(s.map + zcbuf_buf_offset(h[i]), 0xff, 4096);
		if (n > 0)
			EXPECT_EQ(zt_free(s.fd, h, n), n);
	}
}

/* What this one asks for takes hardly a lock of the channel. */
static void observer(unsigned int nr)
{
	struct stress_dumps d;

	(void)nr;
	stress_dumps_open(&d);
	while (!book_stopped())
		stress_dump(&d, stress_one_in(2) ? ZCBUF_CMD_SESSION_GET :
						   ZCBUF_CMD_POOL_GET);
}

/* And this one waits for it all the time. */
static void poller(unsigned int nr)
{
	struct stress_dumps d;
	struct seat s;

	(void)nr;
	stress_dumps_open(&d);
	seat_open(&s, ZT_READ_ONLY, PROT_READ);
	ASSERT_OK(zt_ports(s.fd, scene.channel, ZCBUF_PORT_RECV_FAILED));
	while (!book_stopped()) {
		stress_dump(&d, ZCBUF_CMD_CHANNEL_GET);
		zt_poll(s.fd, 0);
		zt_used(s.fd);
	}
}

/* ------------------------------------------------------------------- rounds */

static void channel_of_chance(void)
{
	struct zcbuf_channel_open a = {
		.flags = ZCBUF_CHANNEL_F_THRESHOLD,
		.ports = ZCBUF_PORT_PRODUCE | ZCBUF_PORT_RECV_FAILED,
		.align = 1U << stress_pick(8),
		.threshold = stress_one_in(4) ? 0 : stress_pick(16 * 4096),
		.max_reservation = MOST,
		.max_age_us = stress_one_in(2) ? 0 : 1 + stress_pick(5000),
		.max_outstanding = stress_one_in(2) ? 0 : 8 + stress_pick(100),
	};

	if (stress_one_in(3))
		a.flags |= ZCBUF_CHANNEL_F_ORDERED;
	if (stress_one_in(4))
		a.flags |= ZCBUF_CHANNEL_F_HOLD_FAILED;
	if (stress_one_in(2))
		a.flags |= ZCBUF_CHANNEL_F_NO_AUTO_FINALIZE;
	ASSERT_OK(zt_channel_open(scene.fd, &a));
	scene.channel = a.out_channel;
	scene.flags = a.flags;
	memset(book, 0, sizeof(*book));
	book->align = a.align;
}

static void (*const others[OTHERS])(unsigned int nr) = {
	allocator, observer, poller,
};

static void (*job_of(unsigned int nr))(unsigned int nr)
{
	if (nr < PRODUCERS)
		return producer;
	if (nr < PRODUCERS + CONSUMERS)
		return stress_one_in(3) ? fickle_consumer : consumer;
	return others[nr - PRODUCERS - CONSUMERS];
}

/* What it may have received and not noted is gone with it. */
static void dies(unsigned int nr)
{
	unsigned int i;

	stress_kill(&scene.crew, nr);
	for (i = 2 * nr; i < 2 * nr + 2; i++) {
		book->missing += book->reading[i];
		book->reading[i] = 0;
	}
}

static void work_and_die(void)
{
	unsigned int nr, deaths;

	for (nr = 0; nr < CREW; nr++)
		stress_hire(&scene.crew, nr, job_of(nr));
	for (deaths = 0; deaths < DEATHS; deaths++) {
		stress_signal(&scene.crew, CREW);
		nr = stress_victim(CREW);
		dies(nr);
		stress_hire(&scene.crew, nr, job_of(nr));
	}
}

/* One more consumer, who comes when all is over. */
static void take_the_rest(void)
{
	struct seat s = { .fd = scene.fd, .map = scene.map };
	struct consumer c = consumer_of(&s, BOOK_READERS - 1);

	ASSERT_OK(take_port(scene.fd));
	while (consume_some(&c, 0) > 0)
		;
	EXPECT_ERR(consume_some(&c, 0), ESHUTDOWN);
	give_back(&c, 0);
}

/* Producers first, by death or by being told; then the stream; then the rest. */
static void end(void)
{
	bool kill_all = stress_one_in(2);
	struct zcbuf_finalize f;
	unsigned int nr;

	__atomic_store_n(&book->stop, !kill_all, __ATOMIC_RELEASE);
	for (nr = 0; kill_all && nr < CREW; nr++)
		dies(nr);
	if (scene.flags & ZCBUF_CHANNEL_F_NO_AUTO_FINALIZE || !kill_all)
		ASSERT_OK(zt_finalize(scene.fd, scene.channel, &f));
	else
		ASSERT_OK(zt_channel_close(scene.fd, scene.channel,
					   ZCBUF_PORT_PRODUCE));
	for (nr = 0; nr < CREW; nr++)
		if (scene.crew.pid[nr])
			stress_await(&scene.crew, nr);
	take_the_rest();
	ASSERT_EQ(pthread_join(scene.failures, NULL), 0);
}

static void add_up(void)
{
	const struct nlmsghdr *n = stress_look(ZCBUF_CMD_CHANNEL_GET,
					       ZCBUF_A_CHANNEL_HANDLE,
					       scene.channel);

	ASSERT_NE(n, NULL);
	book_check(nl_number(n, ZCBUF_A_CHANNEL_RESERVATIONS),
		   nl_number(n, ZCBUF_A_CHANNEL_GROUPS));
	EXPECT_EQ(nl_number(n, ZCBUF_A_CHANNEL_OUTSTANDING), 0);
	EXPECT_EQ(nl_number(n, ZCBUF_A_CHANNEL_PENDING), 0);
	EXPECT_EQ(nl_number(n, ZCBUF_A_CHANNEL_QUEUED), 0);
	EXPECT_EQ(nl_number(n, ZCBUF_A_CHANNEL_PARKED), 0);
	EXPECT_EQ(nl_number(n, ZCBUF_A_CHANNEL_FAILED), 0);
	EXPECT_EQ(nl_number(n, ZCBUF_A_CHANNEL_DELIVERED), 0);
	EXPECT_EQ(nl_number(n, ZCBUF_A_CHANNEL_STRAGGLERS), 0);
	EXPECT_EQ(nl_number(n, ZCBUF_A_CHANNEL_BYTES), 0);
	TEST_LOG("%llu reservations, %llu groups, %u received, up to %u taken away",
		 (unsigned long long)nl_number(n, ZCBUF_A_CHANNEL_RESERVATIONS),
		 (unsigned long long)nl_number(n, ZCBUF_A_CHANNEL_GROUPS),
		 book->received, book->missing);
}

STRESS_TEST(every_record_once)
{
	unsigned int round;

	book = stress_shared(sizeof(*book));
	stress_choices(0);
	scene.fd = zt_pool(ZCBUF_POOL_PAGES, 0, ARENA);
	ASSERT_GE(scene.fd, 0);
	scene.map = zt_map(scene.fd, PROT_READ, ARENA);
	ASSERT_NE(scene.map, NULL);
	for (round = 0; round < stress_rounds; round++) {
		channel_of_chance();
		ASSERT_EQ(pthread_create(&scene.failures, NULL, failures, NULL),
			  0);
		work_and_die();
		end();
		add_up();
		EXPECT_OK(zt_channel_close(scene.fd, scene.channel, 0));
		stress_all_back(scene.fd, 0);
	}
}

STRESS_MAIN()

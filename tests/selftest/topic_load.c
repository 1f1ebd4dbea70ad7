// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * TOPIC channels under load, on pools of each kind: four publishers and four
 * consumers, each message once for each and in order; publishers and subscribers
 * that are killed at random and replaced, while somebody sees that nothing is
 * missing of what the living and the dead have published; and what happens at
 * once. In the end nothing is left.
 *
 * ZCB_OPERATIONS in the environment: how many messages in all, half of which are on
 * one topic; then there are also more deaths.
 */
#include <limits.h>
#include <time.h>

#include "topic.h"

#define KINDS		4
#define PUBLISHERS	4
#define CONSUMERS	4
#define MESSAGES	20000		/* of all tests, kinds and publishers */
#define DEATHS		100		/* of all kinds */
#define MANY_DEATHS	500
#define BATCH		16
#define THE_END		0xe0dU		/* encoding of the last message */

/* On the topic of a pool of this kind. */
static unsigned long messages_of(const struct tp_kind *kind)
{
	const char *s = getenv("ZCB_OPERATIONS");
	unsigned long n = s ? strtoul(s, NULL, 0) :
			      (unsigned long)KTAP_TRIES(MESSAGES);

	return kind == &tp_pages ? n / 2 : n / (2 * (KINDS - 1));
}

static int deaths(void)
{
	return getenv("ZCB_OPERATIONS") ? MANY_DEATHS : KTAP_TRIES(DEATHS);
}

static char *map_of(int fd, int prot)
{
	char *map = zt_map(fd, prot, ZT_ARENA);

	ASSERT_NE(map, NULL);
	return map;
}

/* ------------------------------------------------- once each, and in order */

/*
 * struct load - what all processes know
 * @each: messages of each publisher
 */
struct load {
	int pool;
	__u64 ch;
	__u32 length;
	__u64 each;
};

/* A batch, which says what it is in its bytes: how many were got. */
static unsigned int load_batch(const struct load *l, int fd, char *map,
			       __u64 tag, struct zcbuf_publication *p)
{
	__u64 left = l->each - tag, h[BATCH];
	struct zcbuf_alloc a = zt_arg(struct zcbuf_alloc, .length = l->length,
		.handles = zt_ptr(h), .count = left < BATCH ? left : BATCH,
		.deadline_ns = ZCBUF_NO_DEADLINE);
	unsigned int i;

	ASSERT_OK(zt_call(fd, ZCBUF_IOC_ALLOC, &a));
	for (i = 0; i < a.out_done; i++) {
		p[i] = (struct zcbuf_publication){ .handle = h[i],
						   .user_tag = tag + i };
		memcpy(map + zcbuf_buf_offset(h[i]), &p[i].user_tag,
		       sizeof(p[i].user_tag));
	}
	return a.out_done;
}

static void load_publisher(const struct load *l)
{
	int fd = tp_join(l->pool), done;
	char *map = map_of(fd, PROT_READ | PROT_WRITE);
	struct zcbuf_publication p[BATCH];
	unsigned int i, n;
	__u64 tag;

	ASSERT_OK(zt_ports(fd, l->ch, ZCBUF_PORT_PRODUCE));
	for (tag = 0; tag < l->each; tag += n) {
		n = load_batch(l, fd, map, tag, p);
		for (i = 0; i < n; i += done) {
			done = zt_publish(fd, l->ch, p + i, n - i, 0,
					  ZCBUF_NO_DEADLINE);
			ASSERT_GT(done, 0);
			EXPECT_EQ(p[i].out_seq, tag + i);
			EXPECT_EQ(p[i].out_delivered, CONSUMERS);
		}
	}
}

/*
 * struct tally - what was seen of each publisher
 * @id: of its session
 * @next: the sequence number that comes next
 */
struct tally {
	unsigned int n;
	struct {
		__u64 id;
		__u64 next;
	} of[MANY_DEATHS + 64];
};

/* Is it the next one of its publisher? From the first on. */
static void tally_one(struct tally *t, const struct zcbuf_delivery *d,
		      const char *map)
{
	unsigned int i;
	__u64 tag;

	for (i = 0; i < t->n && t->of[i].id != d->publisher; i++)
		;
	if (i == t->n) {
		ASSERT_LT(t->n, sizeof(t->of) / sizeof(t->of[0]));
		t->of[t->n].id = d->publisher;
		t->of[t->n++].next = 0;
	}
	memcpy(&tag, map + d->extents[0].pool_offset, sizeof(tag));
	ASSERT_EQ(d->seq, t->of[i].next);
	ASSERT_EQ(d->user_tag, t->of[i].next);
	ASSERT_EQ(tag, t->of[i].next);
	t->of[i].next++;
}

static void release_all(int fd, __u64 ch, const struct zcbuf_delivery *d, int n)
{
	__u64 h[2 * BATCH] = { 0 };
	int i;

	for (i = 0; i < n; i++)
		h[i] = d[i].handle;
	ASSERT_EQ(zt_release(fd, ch, h, n), n);
}

static void load_consumer(const struct load *l, int fd)
{
	char *map = map_of(fd, PROT_READ);
	struct zcbuf_delivery d[2 * BATCH];
	static struct tally t;
	__u64 seen = 0;
	int i, n;

	for (; seen < PUBLISHERS * l->each; seen += n) {
		n = zt_receive(fd, l->ch, d, 2 * BATCH, ZCBUF_NO_DEADLINE);
		ASSERT_GT(n, 0);
		for (i = 0; i < n; i++)
			tally_one(&t, &d[i], map);
		release_all(fd, l->ch, d, n);
	}
	EXPECT_EQ(t.n, PUBLISHERS);
	EXPECT_ERR(zt_receive(fd, l->ch, d, 1, 0), EAGAIN);
}

EACH_POOL(once_and_in_order)
{
	struct load l = { .pool = tp_pool(kind), .length = kind->length };
	pid_t child[PUBLISHERS + CONSUMERS];
	int sub, i;

	l.each = messages_of(kind) / PUBLISHERS;
	l.ch = TOPIC(l.pool, NULL);
	for (i = 0; i < CONSUMERS; i++) {
		sub = CONSUMER(l.pool, l.ch, .depth = 4 * BATCH);
		child[i] = fork();
		if (!child[i]) {
			load_consumer(&l, sub);
			_exit(0);
		}
		close(sub);
	}
	for (; i < CONSUMERS + PUBLISHERS; i++) {
		child[i] = fork();
		if (!child[i]) {
			load_publisher(&l);
			_exit(0);
		}
	}
	for (i = 0; i < CONSUMERS + PUBLISHERS; i++)
		EXPECT_STATUS(child[i], 0);
	tp_expect_free(l.pool);
}

/* ----------------------------------------------------------- random deaths */

#define CREW	6

static __u64 soon(void)
{
	return hz_now() + hz_random(3000000);
}

/* All but what is kept for no reason. */
static void publish_some(const struct load *l, int fd, char *map, __u64 *tag)
{
	unsigned int i, n = 1 + hz_random(4);
	struct zcbuf_publication p[4];
	__u64 h[4];
	int got;

	got = zt_alloc(fd, l->length, 0, 0, h, n);
	if (got < 0)
		return;
	n = got;
	for (i = 0; i < n; i++) {
		p[i] = (struct zcbuf_publication){ .handle = h[i],
			.user_tag = *tag + i, .priority = hz_random(3) };
		memcpy(map + zcbuf_buf_offset(h[i]), &p[i].user_tag,
		       sizeof(p[i].user_tag));
	}
	got = zt_publish(fd, l->ch, p, n, 0, soon());
	if (got < 0 && got != -EAGAIN)
		EXPECT_EQ(got, -ETIMEDOUT);
	got = got < 0 ? 0 : got;
	*tag += got;
	if (hz_random(8))
		EXPECT_EQ(n - got ? zt_free(fd, h + got, n - got) : 0, n - got);
}

static void mortal_publisher(const struct load *l)
{
	int fd = tp_join(l->pool);
	char *map = map_of(fd, PROT_READ | PROT_WRITE);
	__u64 tag = 0;

	ASSERT_OK(zt_ports(fd, l->ch, ZCBUF_PORT_PRODUCE));
	for (;;)
		publish_some(l, fd, map, &tag);
}

static int subscribe(const struct load *l, int fd)
{
	return CONSUME(fd, l->ch, .depth = 1 + hz_random(8),
		       .policy = ZCBUF_POLICY_BLOCK + hz_random(3),
		       .lanes = 1 + hz_random(4), .replay = hz_random(8),
		       .max_held = 1 + hz_random(8));
}

static void mortal_subscriber(const struct load *l)
{
	int fd = tp_join(l->pool), n;
	struct zcbuf_delivery d[8];

	ASSERT_OK(subscribe(l, fd));
	for (;;) {
		n = zt_receive(fd, l->ch, d, 1 + hz_random(8), soon());
		if (n > 0 && hz_random(16))
			release_all(fd, l->ch, d, n);
		if (n == -ENOSPC || !hz_random(64)) {
			ASSERT_OK(zt_channel_close(fd, l->ch,
						   ZCBUF_PORT_CONSUME));
			ASSERT_OK(subscribe(l, fd));
		}
	}
}

static pid_t mortal(const struct load *l, int nr)
{
	pid_t child = fork();

	if (child)
		return child;
	if (nr % 2)
		mortal_subscriber(l);
	mortal_publisher(l);
	_exit(1);
}

/* Gets all there is, of whomever, until the end. */
static void auditor(const struct load *l, int fd)
{
	char *map = map_of(fd, PROT_READ);
	struct zcbuf_delivery d[BATCH];
	static struct tally t;
	int i, n;

	for (;;) {
		n = zt_receive(fd, l->ch, d, BATCH, ZCBUF_NO_DEADLINE);
		ASSERT_GT(n, 0);
		for (i = 0; i < n && d[i].encoding != THE_END; i++)
			tally_one(&t, &d[i], map);
		release_all(fd, l->ch, d, n);
		if (i < n)
			break;
	}
	EXPECT_GT(t.n, 0);
	_exit(0);
}

static pid_t start_auditor(const struct load *l)
{
	int fd = CONSUMER(l->pool, l->ch, .depth = 64);
	pid_t child = fork();

	if (!child)
		auditor(l, fd);
	close(fd);
	return child;
}

static void end_audit(const struct load *l, pid_t pid)
{
	struct zcbuf_publication p = { .encoding = THE_END,
		.handle = tp_loan(l->pool, l->length) };

	EXPECT_OK(tp_publish_as(l->pool, l->ch, &p, 0, ZCBUF_NO_DEADLINE));
	EXPECT_STATUS(pid, 0);
}

/* At a moment that is never the same. */
static void end_one(pid_t pid)
{
	struct timespec t = { .tv_nsec = 1000 * (hz_random(2000)) };

	nanosleep(&t, NULL);
	hz_dawdle(14);
	kill(pid, SIGKILL);
	ASSERT_EQ(waitpid(pid, NULL, 0), pid);
}

EACH_POOL(killed_at_random)
{
	struct load l = { .length = kind->length };
	pid_t crew[CREW], audit;
	__u64 charged;
	int i, nr;

	ASSERT_EQ(zt_await_charged(0), 0);
	l.pool = tp_pool(kind);
	charged = zt_charged();
	l.ch = TOPIC(l.pool, NULL, .history = 4, .max_outstanding = 512);
	audit = start_auditor(&l);
	for (i = 0; i < CREW; i++)
		crew[i] = mortal(&l, i);
	for (i = 0; i < deaths() / KINDS; i++) {
		nr = hz_random(CREW);
		end_one(crew[nr]);
		crew[nr] = mortal(&l, nr);
	}
	for (i = 0; i < CREW; i++)
		end_one(crew[i]);
	end_audit(&l, audit);
	EXPECT_OK(zt_channel_close(l.pool, l.ch, 0));
	EXPECT_EQ(tp_channels(l.pool), 0);
	tp_expect_free(l.pool);
	if (kind != &tp_slab)
		EXPECT_EQ(zt_await_charged(charged), charged);
}

/* ----------------------------------------------------------------- at once */

/*
 * struct lossy - one publishes, the other takes what is not dropped before
 * @sent: by one
 * @taken: by the other
 * @lost: as its deliveries say
 * @over: atomic: no more is sent
 */
struct lossy {
	int fd;
	int sub;
	__u64 ch;
	unsigned int sent;
	unsigned int taken;
	__u64 lost;
	bool over;
};

static void *send_many(void *arg)
{
	struct lossy *x = arg;
	unsigned int n = KTAP_TRIES(500);

	for (; x->sent < n; x->sent++)
		ASSERT_OK(tp_send(x->fd, x->ch, ZT_PAGE, x->sent));
	__atomic_store_n(&x->over, true, __ATOMIC_RELEASE);
	return NULL;
}

static void *take_many(void *arg)
{
	struct lossy *x = arg;
	struct zcbuf_delivery d;
	__u64 next = 0;
	bool over;
	int n;

	do {
		over = __atomic_load_n(&x->over, __ATOMIC_ACQUIRE);
		n = zt_receive(x->sub, x->ch, &d, 1, 0);
		if (n < 0)
			continue;
		EXPECT_GE(d.user_tag, next);
		EXPECT_EQ(d.user_tag, d.seq);
		next = d.user_tag + 1;
		x->taken++;
		x->lost = d.lost;
		EXPECT_OK(zt_release1(x->sub, x->ch, d.handle));
	} while (n > 0 || !over);
	return NULL;
}

/* Whatever is not taken is lost, and what is lost is counted. */
static void taken_or_lost(__u32 policy)
{
	struct lossy x = { .fd = tp_pool(&tp_pages) };

	x.ch = TOPIC(x.fd, NULL);
	x.sub = CONSUMER(x.fd, x.ch, .depth = 3, .policy = policy);
	hz_race(send_many, &x, take_many, &x);
	tp_put(x.fd, x.ch, ZT_PAGE, x.sent, 0, 1, 0);
	x.over = true;
	take_many(&x);
	EXPECT_EQ(x.taken + x.lost, x.sent + 1);
	tp_expect_free(x.fd);
}

TEST(taken_or_lost_oldest)
{
	taken_or_lost(ZCBUF_POLICY_DROP_OLDEST);
}

TEST(taken_or_lost_newest)
{
	taken_or_lost(ZCBUF_POLICY_DROP_NEWEST);
}

/* A consumer comes, takes and goes all the time, while messages come. */
static void *come_and_go(void *arg)
{
	struct lossy *x = arg;

	while (!__atomic_load_n(&x->over, __ATOMIC_ACQUIRE)) {
		ASSERT_OK(CONSUME(x->sub, x->ch, .depth = 1 + hz_random(4),
				  .policy = ZCBUF_POLICY_DROP_OLDEST,
				  .replay = 2));
		hz_dawdle(10);
		tp_take(x->sub, x->ch);
		zt_channel_close(x->sub, x->ch, ZCBUF_PORT_CONSUME);
	}
	return NULL;
}

TEST(coming_and_going)
{
	struct lossy x = { .fd = tp_pool(&tp_pages) };

	x.ch = TOPIC(x.fd, NULL, .history = 2);
	x.sub = tp_join(x.fd);
	hz_race(send_many, &x, come_and_go, &x);
	EXPECT_EQ(zt_used(x.fd), 2 * ZT_PAGE);
	EXPECT_OK(zt_channel_close(x.fd, x.ch, 0));
	tp_expect_free(x.fd);
}

/* Of two that publish the same buffer one does. */
struct twice {
	int fd;
	__u64 ch;
	__u64 handle;
	int err;
};

static void *publish_it(void *arg)
{
	struct twice *x = arg;

	x->err = tp_publish1(x->fd, x->ch, x->handle);
	return NULL;
}

static void *free_it(void *arg)
{
	struct twice *x = arg;

	x->err = zt_free1(x->fd, x->handle);
	return NULL;
}

static void one_of_two(void *(*other)(void *))
{
	int fd = tp_pool(&tp_pages), i, sub;
	__u64 ch = TOPIC(fd, NULL);
	struct twice x[2];

	sub = CONSUMER(fd, ch);
	for (i = 0; i < KTAP_TRIES(50); i++) {
		x[0] = (struct twice){ .fd = fd, .ch = ch,
				       .handle = tp_loan(fd, ZT_PAGE) };
		x[1] = x[0];
		hz_race(publish_it, &x[0], other, &x[1]);
		EXPECT_EQ(!x[0].err + !x[1].err, 1);
		EXPECT_EQ(tp_take(sub, ch), x[0].err && other == free_it ?
			  -EAGAIN : 0);
		EXPECT_EQ(zt_used(fd), 0);
	}
}

TEST(published_twice_at_once)
{
	one_of_two(publish_it);
}

TEST(published_and_freed_at_once)
{
	one_of_two(free_it);
}

KTAP_MAIN()

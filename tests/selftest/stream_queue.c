// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * QUEUE of streams: groups that competing consumers take from mappings, without a call,
 * by credit, beside RECEIVE, while others are closed, killed or scribble; each group is
 * one's, and what he did not take is another's, in order.
 */
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "immutable.h"
#include "view.h"

#define MESSAGE		4096
#define MANY		1025

/* ------------------------------------------------------------ what they share */

/*
 * struct one - a consumer in a session of its own
 * @fd: the session
 * @ch: the stream
 * @v: what it sees of its queue
 */
struct one {
	int fd;
	__u64 ch;
	struct view v;
};

static __u64 stream(int pool, struct zcbuf_channel_open a)
{
	a.ports = ZCBUF_PORT_PRODUCE;
	ASSERT_OK(zt_channel_open(pool, &a));
	return a.out_channel;
}

#define STREAM(pool, ...) stream(pool, (struct zcbuf_channel_open){ __VA_ARGS__ })

static struct one one(int pool, __u64 ch, __u32 depth, __u32 max_held)
{
	struct one c = { .ch = ch };

	c.fd = CONSUMER(pool, ch, .depth = depth, .max_held = max_held);
	c.v = view_open(c.fd, ch);
	EXPECT_EQ(c.v.head->lanes, 1);
	EXPECT_EQ(c.v.head->max_held, max_held ? max_held : 64);
	return c;
}

static void one_dies(struct one *c)
{
	close(c->fd);
	EXPECT_EQ(c->v.head->ended, ZCBUF_QUEUE_CLOSED);
	view_close(&c->v);
}

static void put(int pool, __u64 ch, unsigned int first, unsigned int n)
{
	while (n--)
		ASSERT_OK(tp_send(pool, ch, MESSAGE, first++));
}

/* The tag of the next one, which is released, or -1. */
static __s64 tag(struct one *c)
{
	return view_tag(&c->v, c->fd, c->ch);
}

static const struct zcbuf_delivery *take(struct one *c, __u64 want)
{
	const struct zcbuf_delivery *d = view_take(&c->v);

	ASSERT_TRUE(d);
	EXPECT_EQ(d->user_tag, want);
	return d;
}

static void expect_tags(struct one *c, __s64 first, __s64 step, int n)
{
	for (; n--; first += step)
		EXPECT_EQ(tag(c), first);
	EXPECT_EQ(tag(c), -1);
}

static void done(int pool)
{
	zt_stay();
	tp_expect_free(pool);
	close(pool);
}

/* ------------------------------------------------------------------ by oneself */

TEST(taken_without_a_call)
{
	int i, pool = tp_pool(&tp_pages);
	__u64 ch = STREAM(pool);
	struct one c = one(pool, ch, 16, 0);
	const struct zcbuf_delivery *d;

	for (i = 0; i < 200; i++) {
		put(pool, ch, i, 1);
		d = take(&c, i);
		EXPECT_EQ(d->seq, i);
		EXPECT_EQ(d->group, i);
		EXPECT_EQ(d->length, MESSAGE);
		EXPECT_EQ(d->channel, ch);
		EXPECT_TRUE(!view_take(&c.v));
		EXPECT_OK(zt_release1(c.fd, ch, d->handle));
	}
	one_dies(&c);
	done(pool);
}

/* Groups of reservations are no different. */
TEST(groups_of_reservations)
{
	int pool = tp_pool(&tp_pages);
	__u64 ch = STREAM(pool, .flags = ZCBUF_CHANNEL_F_THRESHOLD,
			  .threshold = 2 * MESSAGE);
	struct one c = one(pool, ch, 0, 0);
	const struct zcbuf_delivery *d;

	hz_put(pool, ch, MESSAGE);
	EXPECT_TRUE(!view_take(&c.v));
	hz_put(pool, ch, MESSAGE);
	d = take(&c, 0);
	EXPECT_EQ(d->length, 2 * MESSAGE);
	EXPECT_EQ(d->nrecords, 2);
	EXPECT_OK(zt_release1(c.fd, ch, d->handle));
	one_dies(&c);
	done(pool);
}

/* What was received before keeps its name, and is held. */
TEST(seen_late)
{
	int pool = tp_pool(&tp_pages);
	__u64 ch = STREAM(pool);
	struct one c = { .ch = ch };
	struct zcbuf_delivery d;

	c.fd = CONSUMER(pool, ch, .max_held = 3);
	put(pool, ch, 0, 6);
	d = tp_receive(c.fd, ch);
	c.v = view_open(c.fd, ch);
	EXPECT_EQ(c.v.head->tail[0], 2);
	EXPECT_OK(zt_release1(c.fd, ch, d.handle));
	EXPECT_EQ(c.v.head->tail[0], 3);
	expect_tags(&c, 1, 1, 5);
	one_dies(&c);
	done(pool);
}

TEST(beside_receive)
{
	int i, pool = tp_pool(&tp_pages);
	__u64 ch = STREAM(pool);
	struct one c = one(pool, ch, 0, 8);

	put(pool, ch, 0, 8);
	for (i = 0; i < 8; i += 2) {
		EXPECT_EQ(tag(&c), i);
		EXPECT_EQ(tp_take(c.fd, ch), i + 1);
	}
	EXPECT_EQ(tp_take(c.fd, ch), -EAGAIN);
	EXPECT_EQ(tag(&c), -1);
	one_dies(&c);
	done(pool);
}

TEST(not_released_before_it_is_taken)
{
	int pool = tp_pool(&tp_pages);
	__u64 ch = STREAM(pool);
	struct one c = one(pool, ch, 0, 0);
	__u64 handle;

	put(pool, ch, 0, 1);
	handle = c.v.rings[0];
	EXPECT_ERR(zt_release1(c.fd, ch, handle), ENOENT);
	EXPECT_TRUE(view_claim(&c.v, handle));
	EXPECT_OK(zt_release1(c.fd, ch, handle));
	EXPECT_ERR(zt_release1(c.fd, ch, handle), EBADSLT);
	one_dies(&c);
	close(pool);
}

/* -------------------------------------------------------------------- by credit */

TEST(no_more_than_it_may_hold)
{
	int pool = tp_pool(&tp_pages);
	__u64 ch = STREAM(pool);
	struct one c = one(pool, ch, 0, 2);
	const struct zcbuf_delivery *first, *second;

	put(pool, ch, 0, 3);
	first = take(&c, 0);
	second = take(&c, 1);
	EXPECT_TRUE(!view_take(&c.v));
	EXPECT_EQ(c.v.head->waiting, ZCBUF_QUEUE_WAIT_TELL);
	EXPECT_OK(view_sync(c.fd, ch));
	EXPECT_TRUE(!view_take(&c.v));
	EXPECT_EQ(tp_take(c.fd, ch), -ENOSPC);
	EXPECT_OK(zt_release1(c.fd, ch, second->handle));
	EXPECT_EQ(first->user_tag, 0);
	EXPECT_EQ(tag(&c), 2);
	EXPECT_OK(zt_release1(c.fd, ch, first->handle));
	one_dies(&c);
	done(pool);
}

TEST(no_more_than_its_depth)
{
	int i, pool = tp_pool(&tp_pages);
	__u64 ch = STREAM(pool);
	struct one c = one(pool, ch, 1, 8);

	put(pool, ch, 0, 4);
	for (i = 0; i < 4; i++) {
		take(&c, i);
		EXPECT_TRUE(!view_take(&c.v));
		EXPECT_EQ(c.v.head->waiting,
			  i < 3 ? ZCBUF_QUEUE_WAIT_TELL : 0);
		EXPECT_OK(view_sync(c.fd, ch));
	}
	EXPECT_EQ(c.v.head->waiting, 0);
	one_dies(&c);
	done(pool);
}

/* What was taken is room: nothing is parked, and nobody has to say so. */
TEST(room_is_noticed)
{
	int i, pool = tp_pool(&tp_pages);
	__u64 ch = STREAM(pool);
	struct one c = one(pool, ch, 1, 64);

	for (i = 0; i < 64; i++) {
		put(pool, ch, i, 1);
		take(&c, i);
		EXPECT_EQ(c.v.head->waiting, 0);
	}
	one_dies(&c);
	done(pool);
}

TEST(the_slow_one_has_no_more_than_his_share)
{
	int pool = tp_pool(&tp_pages);
	__u64 ch = STREAM(pool);
	struct one slow = one(pool, ch, 0, 2), fast = one(pool, ch, 0, 0);

	put(pool, ch, 0, 20);
	EXPECT_EQ(tag(&fast), 1);
	EXPECT_EQ(tag(&fast), 3);
	expect_tags(&fast, 4, 1, 16);
	expect_tags(&slow, 0, 2, 2);
	one_dies(&slow);
	one_dies(&fast);
	done(pool);
}

TEST(options)
{
	int pool = tp_pool(&tp_pages), other;
	__u64 ch = STREAM(pool);
	struct zcbuf_queue q;

	EXPECT_ERR(view_fd(pool, ch, &q), EPERM);
	EXPECT_ERR(view_sync(pool, ch), EPERM);
	other = CONSUMER(pool, ch, .max_held = 3);
	EXPECT_OK(view_sync(other, ch));
	EXPECT_ERR(CONSUME(other, ch, .max_held = 4), EEXIST);
	EXPECT_OK(CONSUME(other, ch, .max_held = 3));
	EXPECT_ERR(CONSUME(pool, ch, .max_held = 65537), EINVAL);
	EXPECT_ERR(CONSUME(pool, ch, .lanes = 1), EINVAL);
	ASSERT_OK(view_fd(other, ch, &q));
	close(q.out_fd);
	EXPECT_ERR(CONSUME(other, ch, .max_held = 4), EEXIST);
	EXPECT_OK(CONSUME(other, ch, .max_held = 3,
			  .policy = ZCBUF_POLICY_PARK));
	/* Closed and opened, it is as it was before QUEUE. */
	EXPECT_OK(zt_channel_close(other, ch, ZCBUF_PORT_CONSUME));
	EXPECT_OK(CONSUME(other, ch, .max_held = 4));
	put(pool, ch, 0, 6);
	EXPECT_EQ(tp_take_all(other, ch, 0), 6);
	close(other);
	done(pool);
}

/* ------------------------------------------------------- what is left to others */

TEST(what_the_dead_did_not_take)
{
	int pool = tp_pool(&tp_pages);
	__u64 ch = STREAM(pool);
	struct one a = one(pool, ch, 0, 0), b = one(pool, ch, 0, 0);

	put(pool, ch, 0, 10);
	take(&a, 0);
	EXPECT_EQ(tag(&b), 1);
	one_dies(&a);
	/* 3 and those that b had already are behind 2 now. */
	expect_tags(&b, 2, 1, 8);
	one_dies(&b);
	done(pool);
}

TEST(what_a_closed_port_did_not_take)
{
	int pool = tp_pool(&tp_pages);
	__u64 ch = STREAM(pool);
	struct one a = one(pool, ch, 0, 0);
	int b;

	put(pool, ch, 0, 5);
	take(&a, 0);
	EXPECT_OK(zt_channel_close(a.fd, ch, ZCBUF_PORT_CONSUME));
	EXPECT_TRUE(!view_take(&a.v));
	b = CONSUMER(pool, ch);
	EXPECT_EQ(tp_take_all(b, ch, 1), 4);
	one_dies(&a);
	close(b);
	done(pool);
}

/* One that sees its queue, and one that does not, by turns. */
TEST(left_by_each_to_the_other)
{
	int i, seeing, pool = tp_pool(&tp_pages);
	__u64 ch = STREAM(pool);
	struct one a;
	int b;

	for (seeing = 0; seeing < 2; seeing++) {
		a = one(pool, ch, 0, 0);
		b = CONSUMER(pool, ch);
		put(pool, ch, 0, 8);
		if (seeing) {
			close(b);
			expect_tags(&a, 0, 1, 8);
			one_dies(&a);
			continue;
		}
		one_dies(&a);
		for (i = 0; i < 8; i++)
			EXPECT_EQ(tp_take(b, ch), i);
		close(b);
	}
	done(pool);
}

TEST(the_mapping_outlives_the_session)
{
	int pool = tp_pool(&tp_pages);
	__u64 ch = STREAM(pool);
	struct one a = one(pool, ch, 0, 0), b;
	const struct zcbuf_delivery *d;

	put(pool, ch, 7, 2);
	d = take(&a, 7);
	close(a.fd);
	EXPECT_EQ(d->user_tag, 7);
	EXPECT_TRUE(!view_take(&a.v));
	b = one(pool, ch, 0, 0);
	expect_tags(&b, 8, 1, 1);
	one_dies(&b);
	view_close(&a.v);
	done(pool);
}

/* ------------------------------------------------------------------ being told */

TEST(adaptive)
{
	int pool = tp_pool(&tp_pages), efd = eventfd(0, EFD_NONBLOCK);
	__u64 ch = STREAM(pool);
	struct one c = one(pool, ch, 0, 0);

	ASSERT_OK(zt_eventfd(c.fd, ch, efd, ZCBUF_EVENTFD_ADAPTIVE, 0));
	put(pool, ch, 0, 1);
	EXPECT_EQ(zt_count(efd), 0);
	__atomic_store_n(&c.v.state->sleeping, 1, __ATOMIC_SEQ_CST);
	put(pool, ch, 1, 2);
	EXPECT_EQ(c.v.state->sleeping, 0);
	EXPECT_EQ(zt_count(efd), 1);
	expect_tags(&c, 0, 1, 3);
	close(efd);
	one_dies(&c);
	done(pool);
}

TEST(each)
{
	int pool = tp_pool(&tp_pages), efd = eventfd(0, EFD_NONBLOCK);
	__u64 ch = STREAM(pool);
	struct one c = one(pool, ch, 0, 0);

	ASSERT_OK(zt_eventfd(c.fd, ch, efd, ZCBUF_EVENTFD_EACH, 0));
	put(pool, ch, 0, 3);
	EXPECT_EQ(zt_count(efd), 3);
	ASSERT_OK(zt_eventfd(c.fd, ch, 0, ZCBUF_EVENTFD_NONE, 0));
	put(pool, ch, 3, 3);
	EXPECT_EQ(zt_count(efd), 0);
	EXPECT_EQ(zt_poll(c.fd, 0) & POLLIN, POLLIN);
	expect_tags(&c, 0, 1, 6);
	EXPECT_EQ(zt_poll(c.fd, 0) & POLLIN, 0);
	close(efd);
	one_dies(&c);
	done(pool);
}

/* Who sleeps in RECEIVE is woken by what another one leaves behind. */
TEST(woken_by_a_death)
{
	int pool = tp_pool(&tp_pages);
	__u64 ch = STREAM(pool);
	struct one a = one(pool, ch, 0, 0), b;
	struct zcbuf_delivery d;
	struct zcbuf_receive r = zt_arg(struct zcbuf_receive, .channel = ch,
		.entries = zt_ptr(&d), .count = 1, .entry_size = sizeof(d),
		.deadline_ns = ZCBUF_NO_DEADLINE);
	struct hz_caller caller = { .request = ZCBUF_IOC_RECEIVE, .arg = &r };

	put(pool, ch, 5, 1);
	b = one(pool, ch, 0, 0);
	caller.fd = b.fd;
	hz_caller_block(&caller);
	one_dies(&a);
	EXPECT_OK(hz_caller_join(&caller));
	EXPECT_EQ(d.user_tag, 5);
	EXPECT_OK(zt_release1(b.fd, ch, d.handle));
	one_dies(&b);
	done(pool);
}

/* Of 1025 streams of one session READY tells those that have something. */
TEST(of_1025_streams)
{
	static struct one c[MANY];
	struct zcbuf_ready a = zt_arg(struct zcbuf_ready);
	const struct zcbuf_ready_head *head;
	const __u32 *words;
	int i, n, pool = tp_pool(&tp_pages), fd = tp_join(pool);

	ASSERT_OK(zt_call(fd, ZCBUF_IOC_READY, &a));
	head = mmap(NULL, a.out_bytes, PROT_READ, MAP_SHARED, a.out_fd, 0);
	ASSERT_TRUE(head != MAP_FAILED);
	words = (const void *)((const char *)head + head->ring_offset);
	for (i = 0; i < MANY; i++) {
		c[i].fd = fd;
		c[i].ch = STREAM(pool, .max_outstanding = 64);
		ASSERT_OK(CONSUME(fd, c[i].ch, .max_held = 2));
		c[i].v = view_open(fd, c[i].ch);
		c[i].v.state->armed = i + 1;
	}
	for (i = MANY - 1; i >= 0; i -= 64)
		put(pool, c[i].ch, i, 1);
	for (n = 0, i = MANY - 1; i >= 0; i -= 64, n++) {
		EXPECT_EQ(words[n], i + 1);
		EXPECT_EQ(tag(&c[i]), i);
	}
	EXPECT_EQ(head->tail, n);
	close(a.out_fd);
	close(fd);
	done(pool);
}

/* Each knows what he has himself; what others took has to be noticed. */
TEST(the_end)
{
	int pool = tp_pool(&tp_pages);
	__u64 ch = STREAM(pool);
	struct one a = one(pool, ch, 0, 0), b = one(pool, ch, 0, 0);
	int c = CONSUMER(pool, ch);
	struct zcbuf_finalize f;

	put(pool, ch, 0, 1);
	ASSERT_OK(zt_finalize(pool, ch, &f));
	EXPECT_EQ(a.v.head->ended, ZCBUF_QUEUE_FINALIZED);
	EXPECT_EQ(b.v.head->ended, 0);
	EXPECT_EQ(a.v.head->waiting, ZCBUF_QUEUE_WAIT_TELL);
	take(&a, 0);
	EXPECT_EQ(tp_take(c, ch), -EAGAIN);
	EXPECT_OK(view_sync(a.fd, ch));
	EXPECT_EQ(b.v.head->ended, ZCBUF_QUEUE_FINALIZED);
	EXPECT_EQ(tp_take(c, ch), -ESHUTDOWN);
	EXPECT_EQ(tp_take(a.fd, ch), -ESHUTDOWN);
	close(c);
	one_dies(&a);
	one_dies(&b);
	done(pool);
}

/* -------------------------------------------------------------------- immutable */

EACH_PAGE(immutable)
{
	struct im m = im_pool(arg);
	struct one a, b;

	im_channel(&m, ZCBUF_CHANNEL_F_IMMUTABLE);
	a = (struct one){ .fd = m.r, .ch = m.channel };
	a.v = view_open(a.fd, a.ch);
	hz_put(m.w, m.channel, ZT_PAGE);
	EXPECT_EQ(zt_poll(m.r, -1) & POLLIN, POLLIN);
	b = (struct one){ .fd = zt_join(m.w, ZT_READ_ONLY), .ch = m.channel };
	ASSERT_OK(zt_ports(b.fd, b.ch, ZCBUF_PORT_CONSUME));
	b.v = view_open(b.fd, b.ch);
	EXPECT_TRUE(!view_take(&b.v));
	one_dies(&a);
	EXPECT_EQ(tag(&b), 0);
	EXPECT_EQ(tag(&b), -1);
	one_dies(&b);
	zt_stay();
	EXPECT_EQ(zt_used(m.w), 0);
}

/* -------------------------------------------------------------------- scribbling */

/* He loses what is his; the others have the rest, each once and in order. */
TEST(scribbled)
{
	int i, n = 0, pool = tp_pool(&tp_pages);
	__u64 ch = STREAM(pool);
	struct one bad = one(pool, ch, 8, 4), good = one(pool, ch, 0, 0);
	__u32 k, seed = 1;
	__s64 t, last = -1;

	for (i = 0; i < 300; i++) {
		for (k = 0; k < bad.v.head->slots; k++) {
			seed = seed * 1664525 + 1013904223;
			if (seed >> 30)
				*zcbuf_slot_word(bad.v.state, k) = seed;
		}
		bad.v.state->armed = seed;
		put(pool, ch, i, 1);
		tp_take(bad.fd, ch);
		zt_release1(bad.fd, ch, bad.v.rings[seed >> 30]);
		while ((t = tag(&good)) >= 0) {
			EXPECT_GT(t, last);
			last = t;
			n++;
		}
	}
	/* By turns, as long as he had room for any. */
	EXPECT_GE(n, 150);
	one_dies(&bad);
	while ((t = tag(&good)) >= 0)
		n++;
	EXPECT_LE(n, 300);
	one_dies(&good);
	zt_stay();
	EXPECT_EQ(zt_used(pool), 0);
	close(pool);
}

/* --------------------------------------------------------------- killed anywhere */

#define CREW		4
#define GROUPS		4000
#define DEATHS		40

/*
 * struct crew - what all processes know
 * @taken: by message, how often
 */
struct crew {
	int pool;
	__u64 ch;
	unsigned char taken[GROUPS];
};

/* Until there is something; false: nothing comes any more. */
static bool sleep_for(struct one *c, int efd)
{
	struct pollfd p = { .fd = efd, .events = POLLIN };
	bool ended = __atomic_load_n(&c->v.head->ended, __ATOMIC_ACQUIRE);

	__atomic_store_n(&c->v.state->sleeping, 1, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&c->v.head->waiting, __ATOMIC_RELAXED))
		ASSERT_OK(view_sync(c->fd, c->ch));
	if (__atomic_load_n(&c->v.head->tail[0], __ATOMIC_ACQUIRE) !=
	    c->v.seen[0])
		return true;
	if (ended)
		return false;
	ASSERT_EQ(TEMP_FAILURE_RETRY(poll(&p, 1, -1)), 1);
	zt_count(efd);
	return true;
}

/* He says what he took before he gives it back: what he did not say died with him. */
static void crew_member(struct crew *w, unsigned int nr)
{
	struct one c = one(w->pool, w->ch, 1 + nr * 2, 2 + nr * 3);
	int efd = eventfd(0, EFD_NONBLOCK);
	const struct zcbuf_delivery *d;

	ASSERT_OK(zt_eventfd(c.fd, c.ch, efd, ZCBUF_EVENTFD_ADAPTIVE, 0));
	do {
		while ((d = view_take(&c.v))) {
			__atomic_fetch_add(&w->taken[d->user_tag], 1,
					   __ATOMIC_SEQ_CST);
			EXPECT_OK(zt_release1(c.fd, c.ch, d->handle));
		}
	} while (sleep_for(&c, efd));
}

static pid_t crew_start(struct crew *w, unsigned int nr)
{
	pid_t pid = fork();

	ASSERT_GE(pid, 0);
	if (pid)
		return pid;
	crew_member(w, nr);
	_exit(0);
}

static void crew_kill(pid_t pid)
{
	ASSERT_EQ(kill(pid, SIGKILL), 0);
	ASSERT_EQ(waitpid(pid, NULL, 0), pid);
}

static void crew_send(struct crew *w, unsigned int t)
{
	struct zcbuf_publication p = { .user_tag = t };
	struct zcbuf_alloc a = zt_arg(struct zcbuf_alloc, .length = MESSAGE,
		.handles = zt_ptr(&p.handle), .count = 1,
		.deadline_ns = ZCBUF_NO_DEADLINE);

	ASSERT_OK(zt_call(w->pool, ZCBUF_IOC_ALLOC, &a));
	ASSERT_OK(tp_publish_as(w->pool, w->ch, &p, 0, ZCBUF_NO_DEADLINE));
}

/* Nothing twice, and no more lost than the dead had in their hands. */
static void crew_audit(const struct crew *w, unsigned int n,
		       unsigned int deaths)
{
	unsigned int i, lost = 0;

	for (i = 0; i < n; i++) {
		EXPECT_LE(w->taken[i], 1);
		lost += !w->taken[i];
	}
	EXPECT_LE(lost, deaths);
}

TEST(killed_anywhere)
{
	unsigned int i, nr, n = KTAP_TRIES(GROUPS), deaths = 0;
	struct crew *w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct zcbuf_finalize f;
	pid_t crew[CREW];

	ASSERT_TRUE(w != MAP_FAILED);
	w->pool = tp_pool(&tp_pages);
	w->ch = STREAM(w->pool, .max_outstanding = 512);
	for (i = 0; i < CREW; i++)
		crew[i] = crew_start(w, i);
	for (i = 0; i < n; i++) {
		crew_send(w, i);
		if (i % (GROUPS / DEATHS) != GROUPS / DEATHS / 2)
			continue;
		nr = hz_random(CREW);
		crew_kill(crew[nr]);
		deaths++;
		crew[nr] = crew_start(w, nr);
	}
	ASSERT_OK(zt_finalize(w->pool, w->ch, &f));
	for (i = 0; i < CREW; i++)
		EXPECT_STATUS(crew[i], 0);
	crew_audit(w, n, deaths);
	EXPECT_OK(zt_channel_close(w->pool, w->ch, 0));
	zt_stay();
	EXPECT_EQ(zt_used(w->pool), 0);
}

KTAP_MAIN()

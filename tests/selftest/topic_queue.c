// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * QUEUE: deliveries of a TOPIC that are taken from a mapping, without a call, beside
 * RECEIVE, policies, waiting producers and death.
 */
#include <sys/eventfd.h>

#include "view.h"

#define MESSAGE		4096

struct scene {
	int pool;
	int fd;
	__u64 channel;
	struct view v;
};

static struct scene scene(struct zcbuf_channel_open a)
{
	struct scene s;

	s.pool = tp_pool(&tp_pages);
	s.channel = TOPIC(s.pool, NULL, 0);
	s.fd = tp_consumer(s.pool, s.channel, a);
	s.v = view_open(s.fd, s.channel);
	return s;
}

#define SCENE(...)	scene((struct zcbuf_channel_open){ __VA_ARGS__ })

static void scene_end(struct scene *s)
{
	view_close(&s->v);
	close(s->fd);
	zt_stay();
	tp_expect_free(s->pool);
	close(s->pool);
}

TEST(taken_without_a_call)
{
	struct scene s = SCENE(.depth = 16);
	const struct zcbuf_delivery *d;
	int i;

	for (i = 0; i < 100; i++) {
		ASSERT_OK(tp_send(s.pool, s.channel, MESSAGE, i));
		d = view_take(&s.v);
		ASSERT_TRUE(d);
		EXPECT_EQ(d->user_tag, i);
		EXPECT_EQ(d->seq, i);
		EXPECT_EQ(d->length, MESSAGE);
		EXPECT_EQ(d->nextents, 1);
		EXPECT_TRUE(!view_take(&s.v));
		EXPECT_OK(zt_release1(s.fd, s.channel, d->handle));
	}
	scene_end(&s);
}

TEST(what_was_queued_before_is_shown)
{
	int pool = tp_pool(&tp_pages);
	__u64 channel = TOPIC(pool, NULL, 0);
	int i, fd = CONSUMER(pool, channel, .depth = 8);
	struct view v;

	for (i = 0; i < 5; i++)
		ASSERT_OK(tp_send(pool, channel, MESSAGE, i));
	EXPECT_EQ(tp_take(fd, channel), 0);
	v = view_open(fd, channel);
	for (i = 1; i < 5; i++)
		EXPECT_EQ(view_tag(&v, fd, channel), i);
	EXPECT_EQ(view_tag(&v, fd, channel), -1);
	view_close(&v);
	close(fd);
	close(pool);
}

TEST(beside_receive)
{
	struct scene s = SCENE(.depth = 8);
	int i;

	for (i = 0; i < 8; i++)
		ASSERT_OK(tp_send(s.pool, s.channel, MESSAGE, i));
	for (i = 0; i < 8; i += 2) {
		EXPECT_EQ(view_tag(&s.v, s.fd, s.channel), i);
		EXPECT_EQ(tp_take(s.fd, s.channel), i + 1);
	}
	EXPECT_EQ(tp_take(s.fd, s.channel), -EAGAIN);
	EXPECT_EQ(view_tag(&s.v, s.fd, s.channel), -1);
	scene_end(&s);
}

TEST(not_released_before_it_is_taken)
{
	struct scene s = SCENE(.depth = 8);
	__u64 handle;

	ASSERT_OK(tp_send(s.pool, s.channel, MESSAGE, 1));
	handle = s.v.rings[0];
	EXPECT_ERR(zt_release1(s.fd, s.channel, handle), ENOENT);
	EXPECT_TRUE(view_claim(&s.v, handle));
	EXPECT_OK(zt_release1(s.fd, s.channel, handle));
	EXPECT_ERR(zt_release1(s.fd, s.channel, handle), EBADSLT);
	view_close(&s.v);
	close(s.fd);
	close(s.pool);
}

TEST(lanes)
{
	struct scene s = SCENE(.depth = 16, .lanes = 4);
	static const __u32 priority[] = { 0, 3, 1, 9, 0, 2 };
	static const __s64 order[] = { 1, 3, 5, 2, 0, 4 };
	size_t i;

	for (i = 0; i < 6; i++)
		tp_put(s.pool, s.channel, MESSAGE, i, priority[i], 1, 0);
	for (i = 0; i < 6; i++)
		EXPECT_EQ(view_tag(&s.v, s.fd, s.channel), order[i]);
	scene_end(&s);
}

/* Long enough for the ring, and the slots, to come round many times. */
TEST(drop_oldest)
{
	struct scene s = SCENE(.depth = 4, .max_held = 2,
			       .policy = ZCBUF_POLICY_DROP_OLDEST);
	const struct zcbuf_delivery *d;
	int i;

	for (i = 0; i < 50; i++)
		ASSERT_OK(tp_send(s.pool, s.channel, MESSAGE, i));
	EXPECT_EQ(s.v.head->lost, 46);
	d = view_take(&s.v);
	ASSERT_TRUE(d);
	EXPECT_EQ(d->user_tag, 46);
	EXPECT_EQ(d->seq, 46);
	/* That is not in the queue any more: there is room for one. */
	tp_put(s.pool, s.channel, MESSAGE, 50, 0, 1, 0);
	tp_put(s.pool, s.channel, MESSAGE, 51, 0, 1, 1);
	/* And it stays what it is. */
	EXPECT_EQ(d->user_tag, 46);
	EXPECT_OK(zt_release1(s.fd, s.channel, d->handle));
	for (i = 48; i < 52; i++)
		EXPECT_EQ(view_tag(&s.v, s.fd, s.channel), i);
	scene_end(&s);
}

/*
 * struct flood - one publishes without end, for one who looks at the order
 * @sent: messages
 * @taken: of these
 * @over: atomic: no more is sent
 */
struct flood {
	struct scene s;
	int sent;
	int taken;
	bool over;
};

static void *flood(void *arg)
{
	struct flood *f = arg;
	int i;

	for (i = 0; i < f->sent; i++)
		ASSERT_OK(tp_send(f->s.pool, f->s.channel, 64, i));
	__atomic_store_n(&f->over, true, __ATOMIC_RELEASE);
	return NULL;
}

static void *take_in_order(void *arg)
{
	struct flood *f = arg;
	__s64 tag, last = -1;
	bool over;

	do {
		over = __atomic_load_n(&f->over, __ATOMIC_ACQUIRE);
		tag = view_tag(&f->s.v, f->s.fd, f->s.channel);
		if (tag >= 0)
			EXPECT_GT(tag, last);
		last = tag < 0 ? last : tag;
		f->taken += tag >= 0;
	} while (tag >= 0 || !over);
	return NULL;
}

/* What was not taken was lost, and nothing was both. */
static void flood_end(struct flood *f)
{
	hz_race(flood, f, take_in_order, f);
	EXPECT_EQ(f->taken + f->s.v.head->lost, f->sent);
	scene_end(&f->s);
}

/* The ring comes round, over what its reader is about to look at. */
TEST(in_order_while_the_oldest_go)
{
	struct flood f = { .s = SCENE(.depth = 2,
				      .policy = ZCBUF_POLICY_DROP_OLDEST),
			   .sent = KTAP_TRIES(500) };

	f.s.v.is_slow_until = &f.over;
	flood_end(&f);
}

/* One takes what the other is about to drop. */
TEST(taken_or_dropped)
{
	struct flood f = { .s = SCENE(.depth = 1,
				      .policy = ZCBUF_POLICY_DROP_OLDEST),
			   .sent = KTAP_TRIES(5000) };

	flood_end(&f);
}

/*
 * Short of credits, what only queues that drop have goes from the middle of one: what is
 * before that is taken first all the same.
 */
TEST(dropped_in_the_middle)
{
	int i, n = 24, pool = tp_pool(&tp_pages);
	__u64 ch = TOPIC(pool, NULL, .max_outstanding = 4);
	int other = CONSUMER(pool, ch, .depth = 16);
	struct scene s = { .pool = pool, .channel = ch };

	s.fd = CONSUMER(pool, ch, .depth = 4,
			.policy = ZCBUF_POLICY_DROP_NEWEST);
	s.v = view_open(s.fd, ch);
	ASSERT_OK(tp_send(pool, ch, MESSAGE, 0));
	tp_receive(other, ch);
	for (i = 1; i < n; i++) {
		ASSERT_OK(tp_send(pool, ch, MESSAGE, i));
		EXPECT_EQ(tp_take(other, ch), i);
	}
	EXPECT_EQ(s.v.head->lost, n - 4);
	EXPECT_EQ(view_tag(&s.v, s.fd, ch), 0);
	for (i = n - 3; i < n; i++)
		EXPECT_EQ(view_tag(&s.v, s.fd, ch), i);
	EXPECT_EQ(view_tag(&s.v, s.fd, ch), -1);
	close(other);
	scene_end(&s);
}

TEST(drop_newest)
{
	struct scene s = SCENE(.depth = 4, .policy = ZCBUF_POLICY_DROP_NEWEST);
	int i;

	for (i = 0; i < 4; i++)
		tp_put(s.pool, s.channel, MESSAGE, i, 0, 1, 0);
	tp_put(s.pool, s.channel, MESSAGE, 4, 0, 0, 1);
	EXPECT_TRUE(view_take(&s.v));
	tp_put(s.pool, s.channel, MESSAGE, 5, 0, 1, 0);
	view_close(&s.v);
	close(s.fd);
	close(s.pool);
}

TEST(a_producer_waits_for_a_take)
{
	struct scene s = SCENE(.depth = 4);
	struct zcbuf_publication p = { .user_tag = 4 };
	struct zcbuf_publish a = zt_arg(struct zcbuf_publish,
		.channel = s.channel, .entries = zt_ptr(&p), .count = 1,
		.deadline_ns = ZCBUF_NO_DEADLINE);
	struct hz_caller c = { .fd = s.pool, .request = ZCBUF_IOC_PUBLISH,
			       .arg = &a };
	int i;

	for (i = 0; i < 4; i++)
		ASSERT_OK(tp_send(s.pool, s.channel, MESSAGE, i));
	EXPECT_EQ(tp_send(s.pool, s.channel, MESSAGE, 9), -EAGAIN);
	p.handle = tp_loan(s.pool, MESSAGE);
	hz_caller_block(&c);
	EXPECT_EQ(s.v.head->waiting, 1);
	ASSERT_TRUE(view_take(&s.v));
	EXPECT_OK(view_sync(s.fd, s.channel));
	EXPECT_OK(hz_caller_join(&c));
	EXPECT_EQ(s.v.head->waiting, 0);
	for (i = 1; i < 5; i++)
		EXPECT_EQ(view_tag(&s.v, s.fd, s.channel), i);
	view_close(&s.v);
	close(s.fd);
	close(s.pool);
}

TEST(adaptive)
{
	struct scene s = SCENE(.depth = 8);
	int fd = eventfd(0, EFD_NONBLOCK);
	struct zcbuf_eventfd a = zt_arg(struct zcbuf_eventfd,
		.channel = s.channel, .fd = fd, .mode = ZCBUF_EVENTFD_ADAPTIVE);
	__u64 n;

	ASSERT_OK(zt_call(s.fd, ZCBUF_IOC_EVENTFD, &a));
	ASSERT_OK(tp_send(s.pool, s.channel, MESSAGE, 0));
	EXPECT_EQ(read(fd, &n, 8), -1);
	__atomic_store_n(&s.v.state->sleeping, 1, __ATOMIC_SEQ_CST);
	ASSERT_OK(tp_send(s.pool, s.channel, MESSAGE, 1));
	ASSERT_OK(tp_send(s.pool, s.channel, MESSAGE, 2));
	EXPECT_EQ(s.v.state->sleeping, 0);
	ASSERT_EQ(read(fd, &n, 8), 8);
	EXPECT_EQ(n, 1);
	a.flags = ZCBUF_EVENTFD_F_FAILED;
	EXPECT_ERR(zt_call(s.fd, ZCBUF_IOC_EVENTFD, &a), EPERM);
	close(fd);
	view_close(&s.v);
	close(s.fd);
	close(s.pool);
}

/* What is there already he has seen; that nothing more comes he has to be told. */
TEST(adaptive_from_beginning_to_end)
{
	struct scene s = SCENE(.depth = 8, .ports = ZCBUF_PORT_CONSUME |
						    ZCBUF_PORT_RECV_FAILED);
	int fd = eventfd(0, EFD_NONBLOCK);
	struct zcbuf_eventfd a = zt_arg(struct zcbuf_eventfd,
		.channel = s.channel, .fd = fd, .mode = ZCBUF_EVENTFD_ADAPTIVE,
		.flags = ZCBUF_EVENTFD_F_FAILED);
	__u64 n;

	EXPECT_ERR(zt_call(s.fd, ZCBUF_IOC_EVENTFD, &a), EINVAL);
	ASSERT_OK(tp_send(s.pool, s.channel, MESSAGE, 0));
	a.flags = 0;
	ASSERT_OK(zt_call(s.fd, ZCBUF_IOC_EVENTFD, &a));
	EXPECT_EQ(read(fd, &n, 8), -1);
	__atomic_store_n(&s.v.state->sleeping, 1, __ATOMIC_SEQ_CST);
	EXPECT_OK(zt_channel_close(s.fd, s.channel, ZCBUF_PORT_CONSUME));
	ASSERT_EQ(read(fd, &n, 8), 8);
	EXPECT_EQ(n, 1);
	close(fd);
	scene_end(&s);
}

TEST(the_end)
{
	struct scene s = SCENE(.depth = 8);
	struct zcbuf_finalize f = zt_arg(struct zcbuf_finalize,
		.channel = s.channel);

	ASSERT_OK(tp_send(s.pool, s.channel, MESSAGE, 0));
	EXPECT_EQ(s.v.head->ended, 0);
	ASSERT_OK(zt_call(s.pool, ZCBUF_IOC_FINALIZE, &f));
	EXPECT_EQ(s.v.head->ended, ZCBUF_QUEUE_FINALIZED);
	EXPECT_EQ(view_tag(&s.v, s.fd, s.channel), 0);
	EXPECT_EQ(tp_take(s.fd, s.channel), -ESHUTDOWN);
	EXPECT_OK(zt_channel_close(s.fd, s.channel, 0));
	EXPECT_EQ(s.v.head->ended, ZCBUF_QUEUE_CLOSED);
	scene_end(&s);
}

/* It holds what it took by itself, and its death lets go of that. */
TEST(death_with_something_taken)
{
	struct scene s = SCENE(.depth = 8);
	int i;

	for (i = 0; i < 4; i++)
		ASSERT_OK(tp_send(s.pool, s.channel, MESSAGE, i));
	ASSERT_TRUE(view_take(&s.v));
	ASSERT_TRUE(view_take(&s.v));
	scene_end(&s);
}

TEST(the_mapping_outlives_the_session)
{
	struct scene s = SCENE(.depth = 8);
	const struct zcbuf_delivery *d;

	ASSERT_OK(tp_send(s.pool, s.channel, MESSAGE, 7));
	d = view_take(&s.v);
	close(s.fd);
	close(s.pool);
	EXPECT_EQ(d->user_tag, 7);
	EXPECT_EQ(s.v.head->ended, ZCBUF_QUEUE_CLOSED);
	view_close(&s.v);
}

/* Whoever scribbles there loses what is his, and nobody else anything. */
TEST(scribbled)
{
	struct scene s = SCENE(.depth = 8, .max_held = 4,
			       .policy = ZCBUF_POLICY_DROP_OLDEST);
	int i, other = CONSUMER(s.pool, s.channel, .depth = 256);
	__u32 k, seed = 1;

	for (i = 0; i < 200; i++) {
		for (k = 0; k < s.v.head->slots; k++) {
			seed = seed * 1664525 + 1013904223;
			if (seed >> 30)
				*zcbuf_slot_word(s.v.state, k) = seed;
		}
		ASSERT_OK(tp_send(s.pool, s.channel, MESSAGE, i));
		tp_take(s.fd, s.channel);
		zt_release1(s.fd, s.channel, s.v.rings[seed >> 29]);
	}
	EXPECT_EQ(tp_take_all(other, s.channel, 0), 200);
	close(other);
	view_close(&s.v);
	close(s.fd);
	zt_stay();
	EXPECT_EQ(zt_used(s.pool), 0);
	close(s.pool);
}

TEST(what_cannot_be_mapped)
{
	int pool = tp_pool(&tp_pages);
	__u64 channel = TOPIC(pool, NULL, 0);
	int fd = CONSUMER(pool, channel, .depth = 8);
	struct zcbuf_queue a;
	size_t all;

	EXPECT_ERR(view_fd(pool, channel, &a), EPERM);
	EXPECT_ERR(view_sync(pool, channel), EPERM);
	ASSERT_OK(view_fd(fd, channel, &a));
	all = a.out_bytes + a.out_state_bytes;
#define REFUSED(len, prot, flags, offset, err)				\
	EXPECT_ERR(mmap(NULL, len, prot, flags, a.out_fd, offset) ==	\
		   MAP_FAILED ? -errno : 0, err)
	REFUSED(a.out_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, 0, EPERM);
	REFUSED(a.out_bytes, PROT_READ, MAP_PRIVATE, 0, EINVAL);
	REFUSED(a.out_bytes, PROT_READ | PROT_EXEC, MAP_SHARED, 0, EPERM);
	REFUSED(all, PROT_READ, MAP_SHARED, 0, EINVAL);
	REFUSED(4096, PROT_READ, MAP_SHARED, all, EINVAL);
	REFUSED(a.out_state_bytes + 4096, PROT_READ, MAP_SHARED, a.out_bytes,
		EINVAL);
	close(a.out_fd);
	close(fd);
	close(pool);
}

TEST(read_only_for_good)
{
	struct scene s = SCENE(.depth = 8);

	EXPECT_EQ(mprotect(s.v.head, s.v.bytes, PROT_READ | PROT_WRITE), -1);
	EXPECT_EQ(errno, EACCES);
	EXPECT_EQ(mprotect(s.v.state, s.v.state_bytes, PROT_READ | PROT_EXEC),
		  -1);
	scene_end(&s);
}

/* It is as large as it is. */
TEST(not_to_be_expanded)
{
	struct scene s = SCENE(.depth = 8);

	EXPECT_TRUE(mremap(s.v.state, s.v.state_bytes, 2 * s.v.state_bytes,
			   MREMAP_MAYMOVE) == MAP_FAILED);
	EXPECT_EQ(errno, EFAULT);
	scene_end(&s);
}

TEST(not_for_a_child)
{
	struct scene s = SCENE(.depth = 8);
	pid_t child = fork();

	if (!child)
		_exit(!msync(s.v.head, s.v.bytes, MS_ASYNC) ||
		      !msync(s.v.state, s.v.state_bytes, MS_ASYNC) ||
		      errno != ENOMEM);
	EXPECT_STATUS(child, 0);
	scene_end(&s);
}

KTAP_MAIN()

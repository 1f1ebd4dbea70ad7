// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * TOPIC channels: whose memory a message is, on pools of each kind, in every
 * order of take, release, close and death; who may publish and who may read;
 * many consumers and many channels; buffers that go into a stream.
 */
#include <sys/resource.h>

#include "topic.h"

#define EVENTS	5

/* ------------------------------------------------------------ every order */

/*
 * struct life - one message of a publisher that goes, for two consumers
 * @watcher: a session without a port
 * @publisher: -1 once it is gone
 * @one: takes, releases and closes, in any order; -1 once it is gone
 * @two: only closes; likewise
 * @held: what @one has taken, 0: nothing
 * @has: @one has the message, in its queue or taken
 * @kept: by the history of the channel
 */
struct life {
	int watcher;
	int publisher;
	int one;
	int two;
	__u64 ch;
	__u64 held;
	bool has;
	bool kept;
};

/* The @n-th permutation of "TRXDY". */
static void order_of(unsigned int n, char *order)
{
	char left[] = "TRXDY";
	unsigned int i, at;

	for (i = EVENTS; i; i--, n /= i + 1) {
		at = n % i;
		*order++ = left[at];
		memmove(left + at, left + at + 1, EVENTS - at);
	}
	*order = 0;
}

static void end_session(int *fd)
{
	close(*fd);
	*fd = -1;
}

static void take_it(struct life *l)
{
	if (l->one >= 0)
		l->held = tp_receive(l->one, l->ch).handle;
}

static void release_it(struct life *l)
{
	if (l->one < 0)
		return;
	EXPECT_OK(zt_release1(l->one, l->ch, l->held));
	l->has = false;
}

static void happens(struct life *l, char what)
{
	switch (what) {
	case 'T':
		take_it(l);
		break;
	case 'R':
		release_it(l);
		break;
	case 'X':
		end_session(&l->one);
		l->has = false;
		break;
	case 'D':
		end_session(&l->publisher);
		break;
	case 'Y':
		end_session(&l->two);
		break;
	}
}

static bool has_ports(const struct life *l)
{
	return l->publisher >= 0 || l->one >= 0 || l->two >= 0;
}

static void live(struct life *l, const char *order, __u32 length)
{
	l->publisher = tp_join(l->watcher);
	l->ch = TOPIC(l->publisher, "a/b/c", .history = l->kept);
	l->one = CONSUMER(l->watcher, l->ch);
	l->two = CONSUMER(l->watcher, l->ch);
	l->has = true;
	tp_put(l->publisher, l->ch, length, 1, 0, 2, 0);
	for (; *order; order++) {
		EXPECT_GT(zt_used(l->watcher), 0);
		happens(l, *order);
		if (!l->has && l->two < 0 && (!l->kept || !has_ports(l)))
			break;
	}
	EXPECT_EQ(zt_used(l->watcher), 0);
	while (*order && *++order)
		happens(l, *order);
	EXPECT_EQ(tp_channels(l->watcher), 0);
	tp_expect_free(l->watcher);
}

static void live_in_all_orders(const struct tp_kind *kind, bool kept)
{
	struct life l = { .watcher = tp_pool(kind), .kept = kept };
	char order[EVENTS + 1];
	unsigned int n, before;

	for (n = 0; n < 120; n++) {
		order_of(n, order);
		if (strchr(order, 'R') < strchr(order, 'T'))
			continue;
		before = ktap_shared->failures;
		live(&l, order, kind->length);
		if (ktap_shared->failures != before)
			TEST_LOG("  (in the order %s)", order);
	}
}

EACH_POOL(in_every_order)
{
	live_in_all_orders(kind, false);
}

EACH_POOL(in_every_order_with_a_history)
{
	live_in_all_orders(kind, true);
}

/* ------------------------------------------------------- many, and batches */

#define MANY	32

/* Published by one call, taken by one each, and released from both ends. */
EACH_POOL(a_batch)
{
	int fd = tp_pool(kind), sub[2], i, k;
	__u64 ch = TOPIC(fd, NULL), h[MANY], back[MANY];
	struct zcbuf_publication p[MANY] = {};
	struct zcbuf_delivery d[MANY];

	sub[0] = CONSUMER(fd, ch);
	sub[1] = CONSUMER(fd, ch, .policy = ZCBUF_POLICY_DROP_OLDEST);
	ASSERT_EQ(zt_alloc(fd, kind->length, 0, 0, h, MANY), MANY);
	for (i = 0; i < MANY; i++)
		p[i] = (struct zcbuf_publication){ .handle = h[i],
						   .user_tag = i };
	ASSERT_EQ(zt_publish(fd, ch, p, MANY, 0, 0), MANY);
	for (k = 0; k < 2; k++) {
		ASSERT_EQ(zt_receive(sub[k], ch, d, MANY, 0), MANY);
		for (i = 0; i < MANY; i++) {
			EXPECT_EQ(p[i].out_seq, i);
			EXPECT_EQ(p[i].out_delivered, 2);
			EXPECT_EQ(d[i].user_tag, i);
			EXPECT_EQ(d[i].length, kind->length);
			EXPECT_EQ(d[i].extents[0].pool_offset,
				  zcbuf_buf_offset(h[i]));
			back[k ? i : MANY - 1 - i] = d[i].handle;
		}
		EXPECT_EQ(zt_release(sub[k], ch, back, MANY), MANY);
	}
	tp_expect_free(fd);
}

/* Up to the first that cannot be; what was not published is still in hand. */
EACH_POOL(a_batch_in_part)
{
	int fd = tp_pool(kind);
	__u64 ch = TOPIC(fd, NULL), h[4];
	int sub = CONSUMER(fd, ch, .depth = 3);
	struct zcbuf_publication p[4];
	struct zcbuf_publish a = zt_arg(struct zcbuf_publish, .channel = ch,
		.entries = zt_ptr(p), .count = 4,
		.deadline_ns = ZCBUF_NO_DEADLINE);
	int i;

	ASSERT_EQ(zt_alloc(fd, kind->length, 0, 0, h, 4), 4);
	for (i = 0; i < 4; i++)
		p[i] = (struct zcbuf_publication){ .handle = h[i],
						   .user_tag = i };
	p[1].length = 2 * kind->length + 1;
	EXPECT_OK(zt_call(fd, ZCBUF_IOC_PUBLISH, &a));
	EXPECT_EQ(a.out_done, 1);
	EXPECT_EQ(a.out_error, ERANGE);
	p[1].length = kind->length;
	a.entries = zt_ptr(&p[1]);
	a.count = 3;
	EXPECT_OK(zt_call(fd, ZCBUF_IOC_PUBLISH, &a));
	EXPECT_EQ(a.out_done, 2);
	EXPECT_EQ(a.out_error, EAGAIN);
	EXPECT_EQ(p[2].out_seq, 2);
	EXPECT_OK(zt_free1(fd, h[3]));
	EXPECT_EQ(tp_take_all(sub, ch, 0), 3);
	tp_expect_free(fd);
}

/* ------------------------------------------------------------------ deaths */

/* A process that does @then with a session of the pool, until it is killed. */
static pid_t start(int pool, __u64 ch, void (*then)(int fd, __u64 ch))
{
	struct zt_turns t;
	pid_t child;

	ASSERT_OK(zt_turns_init(&t));
	child = fork();
	if (!child) {
		int fd = tp_join(pool);

		close(pool);
		then(fd, ch);
		ASSERT_OK(zt_tell_parent(&t));
		ktap_stay();
	}
	ASSERT_GT(child, 0);
	zt_turns_parent(&t);
	ASSERT_OK(zt_await_child(&t));
	return child;
}

static void end_process(pid_t child)
{
	kill(child, SIGKILL);
	ASSERT_EQ(waitpid(child, NULL, 0), child);
}

static __u32 length_now;

/* Two are published, one is loaned. */
static void publish_and_loan(int fd, __u64 ch)
{
	ASSERT_OK(tp_ports(fd, ch, (struct zcbuf_channel_open){
			   .ports = ZCBUF_PORT_PRODUCE }));
	tp_put(fd, ch, length_now, 0, 0, 1, 0);
	tp_put(fd, ch, length_now, 1, 0, 1, 0);
	tp_loan(fd, length_now);
}

/* What is delivered stays, what is loaned goes back. */
EACH_POOL(a_publisher_is_killed)
{
	int fd = tp_pool(kind);
	__u64 ch = TOPIC(fd, NULL), loaned;
	int sub = CONSUMER(fd, ch);
	pid_t child;

	length_now = kind->length;
	child = start(fd, ch, publish_and_loan);
	loaned = zt_used(fd);
	end_process(child);
	if (kind != &tp_slab)
		EXPECT_EQ(zt_used(fd), loaned / 3 * 2);
	EXPECT_EQ(tp_take_all(sub, ch, 0), 2);
	tp_expect_free(fd);
}

static void hold_one_of_three(int fd, __u64 ch)
{
	ASSERT_OK(CONSUME(fd, ch));
	ASSERT_OK(zt_ports(fd, ch, ZCBUF_PORT_PRODUCE));
	tp_put(fd, ch, length_now, 0, 0, 2, 0);
	tp_put(fd, ch, length_now, 1, 0, 2, 0);
	tp_put(fd, ch, length_now, 2, 0, 2, 0);
	EXPECT_EQ(tp_receive(fd, ch).user_tag, 0);
}

/* What it held and what it had not taken: others have theirs. */
EACH_POOL(a_consumer_is_killed)
{
	int fd = tp_pool(kind);
	__u64 ch = TOPIC(fd, NULL), used;
	int sub = CONSUMER(fd, ch);
	pid_t child;

	length_now = kind->length;
	child = start(fd, ch, hold_one_of_three);
	used = zt_used(fd);
	EXPECT_EQ(tp_take(sub, ch), 0);
	EXPECT_EQ(zt_used(fd), used);
	end_process(child);
	EXPECT_EQ(tp_take_all(sub, ch, 1), 2);
	tp_expect_free(fd);
}

static void subscribe_only(int fd, __u64 ch)
{
	ASSERT_OK(CONSUME(fd, ch, .depth = 1));
}

/* Nobody else is held up by the queue of the dead. */
TEST(a_full_consumer_is_killed)
{
	int fd = tp_pool(&tp_pages);
	__u64 ch = TOPIC(fd, NULL);
	struct zcbuf_publication p = {};
	struct zcbuf_publish a = zt_arg(struct zcbuf_publish, .channel = ch,
		.entries = zt_ptr(&p), .count = 1,
		.deadline_ns = ZCBUF_NO_DEADLINE);
	struct hz_caller c = { .fd = fd, .request = ZCBUF_IOC_PUBLISH,
			       .arg = &a };
	pid_t child = start(fd, ch, subscribe_only);

	tp_put(fd, ch, ZT_PAGE, 0, 0, 1, 0);
	p.handle = tp_loan(fd, ZT_PAGE);
	hz_caller_block(&c);
	end_process(child);
	EXPECT_OK(hz_caller_join(&c));
	EXPECT_EQ(p.out_delivered, 0);
	EXPECT_EQ(p.out_seq, 1);
	tp_expect_free(fd);
}

/* -------------------------------------------------------- whose it is then */

/* Published, it is no more of the session's than any other's. */
EACH_POOL(no_more_its_own)
{
	int fd = tp_pool(kind), other = tp_join(fd);
	__u64 ch = TOPIC(fd, NULL), h = tp_loan(fd, kind->length);
	__u64 keep = tp_loan(fd, kind->length), bad = zt_bad_frees(fd);
	struct zcbuf_buf_place place;
	int sub = CONSUMER(fd, ch);

	ASSERT_OK(tp_publish1(fd, ch, h));
	EXPECT_ERR(tp_publish1(fd, ch, h), EALREADY);
	EXPECT_ERR(zt_buf_info(fd, &h, &place, 1), EPERM);
	EXPECT_ERR(zt_transfer(fd, zt_session(other), &h, 1), EPERM);
	EXPECT_ERR(zt_share(fd, zt_session(other), &h, 1), EPERM);
	EXPECT_ERR(zt_buf_info(sub, &h, &place, 1), EPERM);
	EXPECT_EQ(zt_bad_frees(fd), bad);
	EXPECT_ERR(zt_free1(fd, h), EPERM);
	EXPECT_ERR(zt_free1(sub, h), EPERM);
	EXPECT_EQ(zt_bad_frees(fd), bad + 2);
	EXPECT_EQ(tp_take(sub, ch), 0);
	EXPECT_ERR(tp_publish1(fd, ch, h), EBADSLT);
	EXPECT_EQ(zt_bad_frees(fd), bad + 2);
	EXPECT_OK(zt_free1(fd, keep));
	EXPECT_EQ(zt_used(fd), 0);
}

/* Each who has it keeps it, and publishes his part or frees it. */
EACH_POOL(shared_and_published)
{
	int fd = tp_pool(kind), other = tp_join(fd);
	__u64 ch = TOPIC(fd, NULL), h, used;
	int sub = CONSUMER(fd, ch), first;
	struct zcbuf_buf_place place;

	ASSERT_OK(zt_ports(other, ch, ZCBUF_PORT_PRODUCE));
	for (first = 0; first < 2; first++) {
		h = tp_loan(fd, kind->length);
		used = zt_used(fd);
		ASSERT_EQ(zt_share(fd, zt_session(other), &h, 1), 1);
		ASSERT_OK(tp_publish1(fd, ch, h));
		EXPECT_ERR(zt_free1(fd, h), EPERM);
		EXPECT_EQ(zt_buf_info(other, &h, &place, 1), 1);
		EXPECT_EQ(place.holders, 2);
		EXPECT_ERR(tp_publish1(other, ch, h), EALREADY);
		EXPECT_EQ(zt_used(fd), used);
		if (first)
			EXPECT_OK(zt_free1(other, h));
		EXPECT_EQ(tp_take(sub, ch), 0);
		if (first)
			continue;
		EXPECT_EQ(zt_used(fd), used);
		EXPECT_OK(tp_publish1(other, ch, h));
		EXPECT_EQ(zt_used(fd), used);
		EXPECT_EQ(tp_take(sub, ch), 0);
	}
	EXPECT_EQ(zt_used(fd), 0);
	EXPECT_EQ(zt_bad_frees(fd), 2);
}

/* What was given is the other's to publish. */
EACH_POOL(given_and_published)
{
	int fd = tp_pool(kind), other = tp_join(fd);
	__u64 ch = TOPIC(other, NULL), h = tp_loan(fd, kind->length);
	int sub = CONSUMER(fd, ch);

	ASSERT_OK(zt_ports(fd, ch, ZCBUF_PORT_PRODUCE));
	ASSERT_EQ(zt_transfer(fd, zt_session(other), &h, 1), 1);
	EXPECT_ERR(tp_publish1(fd, ch, h), EPERM);
	ASSERT_OK(tp_publish1(other, ch, h));
	EXPECT_EQ(tp_receive(sub, ch).publisher, zt_session(other));
	close(other);
	EXPECT_GT(zt_used(fd), 0);
	close(sub);
	tp_expect_free(fd);
}

/* Published, scribbled on by whoever may, and loaned again: 1 if it is as it was. */
static int as_it_was(const struct tp_kind *kind, bool other, __u32 rights)
{
	int fd = tp_pool(kind), next = other ? tp_join(fd) : fd;
	__u64 ch = TOPIC(fd, NULL), keep, old, h;
	int sub = zt_join(fd, rights), was;
	struct zcbuf_delivery d;
	char *map;

	ASSERT_OK(CONSUME(sub, ch));
	/* Who could write, and is gone, has no part in it. */
	close(CONSUMER(fd, ch));
	zt_stay();
	map = zt_map(fd, PROT_READ | PROT_WRITE, ZT_ARENA);
	ASSERT_NE(map, NULL);
	keep = tp_loan(fd, kind->length);
	old = tp_loan(fd, kind->length);
	memset(map + zcbuf_buf_offset(old), 0x5a, kind->length);
	ASSERT_OK(tp_publish1(fd, ch, old));
	d = tp_receive(sub, ch);
	EXPECT_OK(zt_release1(sub, ch, d.handle));
	h = tp_loan(next, kind->length);
	EXPECT_EQ(zcbuf_buf_offset(h), zcbuf_buf_offset(old));
	was = map[zcbuf_buf_offset(h)];
	EXPECT_FILLED(map + zcbuf_buf_offset(h), was, kind->length);
	EXPECT_OK(zt_free1(next, h));
	EXPECT_OK(zt_free1(fd, keep));
	tp_expect_free(fd);
	return was == 0x5a;
}

/* Consumers may have written to it, so it is zeroed for whoever is next. */
EACH_POOL(zeroed_for_whoever_is_next)
{
	EXPECT_EQ(as_it_was(kind, false, 0), 0);
	if (kind == &tp_slab)
		return;		/* the others have slabs of their own */
	EXPECT_EQ(as_it_was(kind, true, 0), 0);
	EXPECT_EQ(as_it_was(kind, true, ZT_READ_ONLY), 0);
}

/* Nobody can have: the publisher need not wait for zeros. */
TEST(as_the_publisher_left_it)
{
	EXPECT_EQ(as_it_was(&tp_pages, false, ZT_READ_ONLY), 1);
	EXPECT_EQ(as_it_was(&tp_fixed, false, ZT_READ_ONLY), 1);
}

/* The capacity, a part of it, all of it, and more. */
EACH_POOL(lengths)
{
	int fd = tp_pool(kind);
	__u64 ch = TOPIC(fd, NULL);
	const __u64 length[] = { 0, 1, kind->length - 1, kind->length };
	int sub = CONSUMER(fd, ch);
	struct zcbuf_publication p;
	struct zcbuf_delivery d;
	size_t i;

	for (i = 0; i < 4; i++) {
		p = (struct zcbuf_publication){ .length = length[i],
			.handle = tp_loan(fd, kind->length),
			.encoding = 0xabc + i };
		ASSERT_OK(tp_publish_as(fd, ch, &p, 0, 0));
		d = tp_receive(sub, ch);
		EXPECT_EQ(d.length, i ? length[i] : kind->length);
		EXPECT_EQ(d.encoding, 0xabc + i);
		EXPECT_EQ(d.nextents, 1);
		EXPECT_EQ(d.nrecords, 1);
		EXPECT_EQ(d.group, i);
		EXPECT_EQ(d.extents[0].length, d.length);
		EXPECT_EQ(d.extents[0].pool_offset, zcbuf_buf_offset(p.handle));
		EXPECT_OK(zt_release1(sub, ch, d.handle));
	}
	p = (struct zcbuf_publication){ .handle = tp_loan(fd, kind->length) };
	for (p.length = kind->length + 1; p.length; p.length *= 2)
		EXPECT_ERR(tp_publish_as(fd, ch, &p, 0, 0), ERANGE);
	EXPECT_OK(tp_publish_as(fd, ch, &p, 0, 0));
	EXPECT_EQ(p.out_seq, 4);
	EXPECT_EQ(tp_take(sub, ch), 0);
	tp_expect_free(fd);
}

/* ---------------------------------------------------------------- who may */

TEST(who_may_publish)
{
	int fd = tp_pool(&tp_pages), other = tp_join(fd);
	int reader = zt_join(fd, ZT_READ_ONLY);
	int unmapped = zt_join(fd, ZCBUF_RIGHT_PRODUCE);
	__u64 ch = TOPIC(fd, NULL), h = tp_loan(fd, 1), own = tp_loan(other, 1);

	EXPECT_ERR(tp_publish1(other, ch, own), EPERM);
	ASSERT_OK(CONSUME(other, ch));
	EXPECT_ERR(tp_publish1(other, ch, own), EPERM);
	ASSERT_OK(zt_ports(other, ch, ZCBUF_PORT_PRODUCE));
	EXPECT_ERR(tp_publish1(other, ch, h), EPERM);
	EXPECT_ERR(tp_publish1(fd, ch, own), EPERM);
	ASSERT_OK(CONSUME(reader, ch));
	EXPECT_ERR(zt_ports(reader, ch, ZCBUF_PORT_PRODUCE), EPERM);
	EXPECT_ERR(tp_publish1(reader, ch, h), EPERM);
	ASSERT_OK(zt_ports(unmapped, ch, ZCBUF_PORT_PRODUCE));
	EXPECT_ERR(tp_publish1(unmapped, ch, h), EPERM);
	EXPECT_OK(tp_publish1(other, ch, own));
	EXPECT_EQ(tp_take_all(reader, ch, 0), 1);
	EXPECT_EQ(tp_take_all(other, ch, 0), 1);
	EXPECT_OK(zt_free1(fd, h));
	tp_expect_free(fd);
}

/* A file that was opened for reading consumes, and maps no writable page. */
TEST(read_only_consumers)
{
	int fd = tp_pool(&tp_pages), sub = zt_open(O_RDONLY);
	struct zcbuf_channel_open a = {
		.flags = ZCBUF_CHANNEL_F_EXISTING, .ports = ZCBUF_PORT_CONSUME,
	};
	struct zcbuf_delivery d;
	__u64 ch, h;
	char *map, *own;

	ASSERT_OK(zt_pool_attach_fd(sub, fd, 0));
	ch = TOPIC(fd, "a/b/c");
	ASSERT_OK(tp_open(sub, "a/b/c", &a));
	EXPECT_EQ(a.out_channel, ch);
	EXPECT_EQ(zt_map(sub, PROT_READ | PROT_WRITE, ZT_ARENA), NULL);
	map = zt_map(sub, PROT_READ, ZT_ARENA);
	own = zt_map(fd, PROT_READ | PROT_WRITE, ZT_ARENA);
	ASSERT_TRUE(map && own);
	h = tp_loan(fd, ZT_PAGE);
	memset(own + zcbuf_buf_offset(h), 0x11, ZT_PAGE);
	ASSERT_OK(tp_publish1(fd, ch, h));
	d = tp_receive(sub, ch);
	EXPECT_FILLED(map + d.extents[0].pool_offset, 0x11, ZT_PAGE);
	EXPECT_EQ(mprotect(map, ZT_ARENA, PROT_READ | PROT_WRITE), -1);
	EXPECT_OK(zt_release1(sub, ch, d.handle));
	tp_expect_free(fd);
}

/* As another user: the group may read, others nothing. */
static void as_user(const char *pool, bool may, struct zt_turns *t)
{
	struct zcbuf_channel_open a = {
		.flags = ZCBUF_CHANNEL_F_EXISTING, .ports = ZCBUF_PORT_CONSUME,
	};
	int fd;

	ASSERT_OK(zt_become(ZT_USER, ZT_GROUP));
	fd = zt_open(O_RDWR);
	ASSERT_GE(fd, 0);
	EXPECT_ERR(zt_pool_attach(fd, pool, 0), ENOENT);
	EXPECT_ERR(zt_pool_attach_uid(fd, pool, 0, 0), may ? 0 : EPERM);
	EXPECT_ERR(tp_open(fd, "a/b/c", &a), may ? 0 : EPERM);
	ASSERT_OK(zt_tell_parent(t));
	if (!may)
		_exit(0);
	EXPECT_ERR(zt_ports(fd, a.out_channel, ZCBUF_PORT_PRODUCE), EPERM);
	ASSERT_OK(zt_await_parent(t));
	EXPECT_EQ(tp_take_all(fd, a.out_channel, 7), 1);
	_exit(0);
}

static void two_users(__u32 mode, bool may)
{
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.mode = mode, .arena_size = ZT_ARENA,
		.flags = ZCBUF_POOL_F_OWNER, .gid = ZT_GROUP);
	char pool[ZCBUF_MAX_NAME];
	struct zt_turns t;
	pid_t child;
	__u64 ch;
	int fd;

	a.name = zt_ptr(hz_name(pool, sizeof(pool), "users"));
	a.name_len = strlen(pool);
	fd = zt_pool_as(&a);
	ASSERT_GE(fd, 0);
	ch = TOPIC(fd, "a/b/c");
	ASSERT_OK(zt_turns_init(&t));
	child = fork();
	if (!child) {
		zt_turns_child(&t);
		as_user(pool, may, &t);
	}
	zt_turns_parent(&t);
	ASSERT_OK(zt_await_child(&t));
	tp_put(fd, ch, ZT_PAGE, 7, 0, may, 0);
	if (may)
		ASSERT_OK(zt_tell_child(&t));
	EXPECT_STATUS(child, 0);
	tp_expect_free(fd);
}

TEST(another_user_may)
{
	two_users(0640, true);
}

TEST(another_user_may_not)
{
	two_users(0600, false);
}

/* ------------------------------------------------------------------- many */

#define MORE_THAN_1024	1025

TEST(consumers_beyond_1024)
{
	const int many = KTAP_TRIES(MORE_THAN_1024);
	struct rlimit r = { many + 64, many + 64 };
	int fd = tp_pool(&tp_pages), *sub, i;
	__u64 ch = TOPIC(fd, NULL);

	ASSERT_OK(setrlimit(RLIMIT_NOFILE, &r));
	sub = calloc(many, sizeof(*sub));
	ASSERT_TRUE(sub);
	for (i = 0; i < many; i++)
		sub[i] = CONSUMER(fd, ch, .depth = 2);
	tp_put(fd, ch, ZT_PAGE, 0, 0, many, 0);
	tp_put(fd, ch, ZT_PAGE, 1, 0, many, 0);
	for (i = 0; i < many; i++)
		EXPECT_EQ(tp_take(sub[i], ch), 0);
	EXPECT_EQ(zt_used(fd), ZT_PAGE);
	for (i = 0; i < many; i++)
		close(sub[i]);
	tp_expect_free(fd);
}

TEST(channels_beyond_1024)
{
	const int many = KTAP_TRIES(MORE_THAN_1024);
	struct zcbuf_channel_open a = {
		.ports = ZCBUF_PORT_PRODUCE | ZCBUF_PORT_CONSUME, .depth = 4,
		.flags = ZCBUF_CHANNEL_F_TOPIC, .max_outstanding = 8,
	};
	int fd = tp_pool(&tp_pages), i;
	static __u64 ch[MORE_THAN_1024];
	char path[32];

	for (i = 0; i < many; i++) {
		snprintf(path, sizeof(path), "many/channels/%d", i);
		ASSERT_OK(tp_open(fd, path, &a));
		ch[i] = a.out_channel;
	}
	EXPECT_EQ(tp_channels(fd), many);
	for (i = 0; i < many; i += 64)
		tp_put(fd, ch[i], ZT_PAGE, i, 0, 1, 0);
	for (i = 0; i < many; i += 64)
		EXPECT_EQ(tp_take(fd, ch[i]), i);
	snprintf(path, sizeof(path), "many/channels/%d", many - 1);
	EXPECT_EQ(TOPIC(fd, path), ch[many - 1]);
	tp_expect_free(fd);
}

KTAP_MAIN()

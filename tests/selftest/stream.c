// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What the contract says of reservations and groups beyond its scenarios:
 * flush, age, order, credits, several consumers and what one leaves behind,
 * options, ports, failed groups too large for the arrays they are taken into.
 */
#include "common.h"
#include "ktap.h"

#define KIB	1024ULL

static int session(void)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);

	ASSERT_GE(fd, 0);
	return fd;
}

static int join(int fd)
{
	int other = zt_join(fd, 0);

	ASSERT_GE(other, 0);
	return other;
}

static __u64 stream_of(int fd, struct zcbuf_channel_open a)
{
	a.flags |= ZCBUF_CHANNEL_F_THRESHOLD;
	if (!a.ports)
		a.ports = ZT_ALL_PORTS;
	if (!a.align)
		a.align = 1;
	ASSERT_OK(zt_channel_open(fd, &a));
	return a.out_channel;
}

#define STREAM(fd, ...)	stream_of(fd, (struct zcbuf_channel_open){ __VA_ARGS__ })

static struct zcbuf_reservation reserve(int fd, __u64 ch, __u64 length)
{
	struct zcbuf_reservation r;

	ASSERT_OK(zt_reserve1(fd, ch, length, &r));
	return r;
}

static void publish(int fd, __u64 ch, __u64 length)
{
	struct zcbuf_reservation r = reserve(fd, ch, length);

	ASSERT_OK(zt_commit1(fd, ch, &r));
}

/* The offset of the next group, kept; or -errno. */
static __s64 receive(int fd, __u64 ch, __u64 *handle)
{
	struct zcbuf_delivery d;
	int n = zt_receive(fd, ch, &d, 1, 0);

	if (n < 0)
		return n;
	*handle = d.handle;
	return d.offset;
}

/* And released at once. */
static __s64 take(int fd, __u64 ch)
{
	__u64 handle = 0;
	__s64 offset = receive(fd, ch, &handle);

	if (offset >= 0)
		EXPECT_OK(zt_release1(fd, ch, handle));
	return offset;
}

/* ------------------------------------------------------------- flush and age */

TEST(flush_seals_the_open_group)
{
	struct zcbuf_reservation r;
	int fd = session();
	__u64 ch = STREAM(fd, .threshold = 1000);

	EXPECT_EQ(zt_flush(fd, ch), 0);
	publish(fd, ch, 30);
	EXPECT_ERR(take(fd, ch), EAGAIN);
	EXPECT_EQ(zt_flush(fd, ch), 1);
	EXPECT_EQ(take(fd, ch), 0);
	r = reserve(fd, ch, 40);
	EXPECT_EQ(r.out_group, 1);
	EXPECT_EQ(zt_flush(fd, ch), 1);
	EXPECT_EQ(zt_flush(fd, ch), 0);
	EXPECT_ERR(take(fd, ch), EAGAIN);	/* sealed, not complete */
	EXPECT_OK(zt_commit1(fd, ch, &r));
	EXPECT_EQ(take(fd, ch), 30);
	EXPECT_EQ(zt_used(fd), 0);
}

/* Sealed by nothing but its age. */
TEST(an_old_group_seals)
{
	int fd = session();
	__u64 ch = STREAM(fd, .threshold = 1000, .max_age_us = 20000);
	struct zcbuf_delivery d;

	publish(fd, ch, 30);
	ASSERT_EQ(zt_receive(fd, ch, &d, 1, ZCBUF_NO_DEADLINE), 1);
	EXPECT_EQ(d.length, 30);
	EXPECT_OK(zt_release1(fd, ch, d.handle));
	publish(fd, ch, 40);
	ASSERT_EQ(zt_receive(fd, ch, &d, 1, ZCBUF_NO_DEADLINE), 1);
	EXPECT_EQ(d.offset, 30);
}

/* ---------------------------------------------------------- order and offsets */

TEST(ordered_delivery)
{
	struct zcbuf_reservation r[4];
	struct zcbuf_receive_failed f = { .npieces = 0 };
	struct zcbuf_lost lost;
	int fd = session(), i;
	__u64 ch = STREAM(fd, .threshold = 10,
			  .flags = ZCBUF_CHANNEL_F_ORDERED);

	for (i = 0; i < 4; i++)
		r[i] = reserve(fd, ch, 10);
	EXPECT_OK(zt_commit1(fd, ch, &r[3]));
	EXPECT_OK(zt_commit1(fd, ch, &r[1]));
	EXPECT_ERR(take(fd, ch), EAGAIN);
	EXPECT_OK(zt_commit1(fd, ch, &r[0]));
	EXPECT_EQ(take(fd, ch), 0);
	EXPECT_EQ(take(fd, ch), 10);
	EXPECT_ERR(take(fd, ch), EAGAIN);
	EXPECT_OK(zt_abort1(fd, ch, &r[2]));	/* a failed one holds back nobody */
	EXPECT_EQ(take(fd, ch), 30);
	f.lost = zt_ptr(&lost);
	f.nlost = 1;
	EXPECT_OK(zt_receive_failed(fd, ch, &f));
	EXPECT_EQ(lost.offset, 20);
}

TEST(offsets_are_rounded_up)
{
	struct zcbuf_reservation r[2];
	struct zcbuf_delivery d;
	struct zcbuf_channel_open a = { .ports = ZT_ALL_PORTS };
	int fd = session();

	ASSERT_OK(zt_channel_open(fd, &a));	/* all defaults: align 64 */
	EXPECT_EQ(a.out_block, 2 * ZT_MIB);
	r[0] = reserve(fd, a.out_channel, 10);
	r[1] = reserve(fd, a.out_channel, 100);
	EXPECT_EQ(r[1].out_offset, 64);
	EXPECT_EQ(r[1].out_pool_offset, r[0].out_pool_offset + 64);
	EXPECT_OK(zt_commit1(fd, a.out_channel, &r[0]));
	EXPECT_OK(zt_commit1(fd, a.out_channel, &r[1]));
	EXPECT_EQ(zt_flush(fd, a.out_channel), 1);
	ASSERT_EQ(zt_receive(fd, a.out_channel, &d, 1, 0), 1);
	EXPECT_EQ(d.length, 164);
	EXPECT_EQ(d.nrecords, 2);
	EXPECT_GT(d.time_ns, 0);
	EXPECT_OK(zt_release1(fd, a.out_channel, d.handle));
	EXPECT_EQ(reserve(fd, a.out_channel, 1).out_offset, 192);
}

/* Open, a group has its whole block; sealed, only the pages it uses. */
TEST(the_tail_of_a_block_is_given_back)
{
	int fd = session();
	__u64 ch = STREAM(fd, .threshold = 64 * KIB,
			  .max_reservation = 64 * KIB);

	publish(fd, ch, 5000);
	EXPECT_EQ(zt_used(fd), 128 * KIB);
	EXPECT_EQ(zt_flush(fd, ch), 1);
	EXPECT_EQ(zt_used(fd), 8 * KIB);
	EXPECT_EQ(take(fd, ch), 0);
	EXPECT_EQ(zt_used(fd), 0);
}

TEST(blocks_and_extents_that_cannot_be)
{
	struct zcbuf_channel_open a = {
		.ports = ZT_ALL_PORTS, .threshold = ZT_ARENA,
		.flags = ZCBUF_CHANNEL_F_THRESHOLD,
	};
	struct zcbuf_reservation r;
	int fd = session();
	__u64 ch;

	EXPECT_ERR(zt_channel_open(fd, &a), E2BIG);
	a.threshold = 100;
	a.max_reservation = ZT_ARENA;
	EXPECT_ERR(zt_channel_open(fd, &a), E2BIG);
	ch = STREAM(fd, .threshold = 100);
	EXPECT_ERR(zt_reserve1(fd, ch, ZT_ARENA + 1, &r), E2BIG);
	EXPECT_OK(zt_reserve1(fd, ch, ZT_ARENA, &r));
	EXPECT_ERR(zt_reserve1(fd, ch, 1, &r), EAGAIN);
}

/* The largest power of two in the arena, which need not be one itself. */
TEST(the_largest_reservation)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, 3 * ZT_ARENA);
	struct zcbuf_channel_open a = {
		.ports = ZT_ALL_PORTS, .threshold = 2 * ZT_ARENA,
		.max_reservation = 4096, .flags = ZCBUF_CHANNEL_F_THRESHOLD,
	};
	struct zcbuf_reservation r;
	__u64 ch = STREAM(fd, .threshold = 100);

	EXPECT_ERR(zt_channel_open(fd, &a), E2BIG);
	EXPECT_ERR(zt_reserve1(fd, ch, 2 * ZT_ARENA + 1, &r), E2BIG);
	EXPECT_ERR(zt_reserve1(fd, ch, 3 * ZT_ARENA, &r), E2BIG);
	EXPECT_OK(zt_reserve1(fd, ch, 2 * ZT_ARENA, &r));
	EXPECT_EQ(r.out_id, 0);
}

/* -------------------------------------------------------------------- credits */

TEST(credits_bound_what_a_channel_holds)
{
	struct zcbuf_reservation r[4];
	int fd = session(), i;
	__u64 ch = STREAM(fd, .threshold = 10, .max_outstanding = 3);
	__u64 handle = 0;

	for (i = 0; i < 3; i++)
		r[i] = reserve(fd, ch, 10);
	EXPECT_ERR(zt_reserve1(fd, ch, 10, &r[3]), EAGAIN);
	EXPECT_OK(zt_commit1(fd, ch, &r[0]));
	EXPECT_ERR(zt_reserve1(fd, ch, 10, &r[3]), EAGAIN);
	EXPECT_EQ(receive(fd, ch, &handle), 0);
	EXPECT_ERR(zt_reserve1(fd, ch, 10, &r[3]), EAGAIN);
	EXPECT_OK(zt_release1(fd, ch, handle));
	EXPECT_OK(zt_reserve1(fd, ch, 10, &r[3]));
	EXPECT_EQ(r[3].out_id, 3);	/* what was refused took no id */
	EXPECT_EQ(r[3].out_offset, 30);
}

TEST(a_batch_stops_without_credit)
{
	struct zcbuf_reservation r[4] = {
		{ .length = 10 }, { .length = 10 }, { .length = 10 },
		{ .length = 10 },
	};
	int fd = session();
	__u64 ch = STREAM(fd, .threshold = 10, .max_outstanding = 3);
	struct zcbuf_reserve a = zt_arg(struct zcbuf_reserve, .channel = ch,
					.entries = zt_ptr(r), .count = 4,
					.deadline_ns = ZCBUF_NO_DEADLINE);

	EXPECT_OK(zt_call(fd, ZCBUF_IOC_RESERVE, &a));
	EXPECT_EQ(a.out_done, 3);
	EXPECT_EQ(a.out_error, EAGAIN);
}

/* COMMIT_RESERVE: the commits count even if there is no room for the next. */
TEST(turn_over_without_credit)
{
	struct zcbuf_reservation r[2];
	int fd = session();
	__u64 ch = STREAM(fd, .threshold = 10, .max_outstanding = 1);
	struct zcbuf_commit_entry e = { .length = 10 };
	struct zcbuf_commit_reserve a = {
		.channel = ch, .commits = zt_ptr(&e), .ncommits = 1,
		.reserves = zt_ptr(&r[1]), .nreserves = 1,
	};

	r[0] = reserve(fd, ch, 10);
	r[1] = (struct zcbuf_reservation){ .length = 10 };
	EXPECT_OK(zt_commit_reserve(fd, &a));
	EXPECT_EQ(a.out_committed, 1);
	EXPECT_EQ(a.out_reserved, 0);
	EXPECT_EQ(a.out_reserve_error, EAGAIN);
	EXPECT_ERR(zt_commit_reserve(fd, &a), EALREADY);
	EXPECT_EQ(a.out_committed, 0);
	EXPECT_EQ(a.out_commit_error, EALREADY);
	EXPECT_EQ(a.out_reserved, 0);
	EXPECT_EQ(take(fd, ch), 0);
}

/* ------------------------------------------------------------ tagged windows */

static struct zcbuf_commit_tagged tagged(const struct zcbuf_reservation *r,
					 __u64 user_tag, __u32 encoding)
{
	return (struct zcbuf_commit_tagged){
		.entry = { .group = r->out_group, .id = r->out_id,
			   .offset = r->out_offset, .length = r->length },
		.user_tag = user_tag,
		.encoding = encoding,
	};
}

static int commit_tagged(int fd, __u64 ch, const struct zcbuf_commit_tagged *e,
			 __u32 count)
{
	struct zcbuf_batch a = zt_arg(struct zcbuf_batch, .channel = ch,
		.flags = ZCBUF_COMMIT_F_TAGGED, .entries = zt_ptr(e),
		.count = count);
	int err = zt_call(fd, ZCBUF_IOC_COMMIT, &a);

	return err ? err : (int)a.out_done;
}

static void expect_tag(int fd, __u64 ch, __u64 user_tag, __u32 encoding)
{
	struct zcbuf_delivery d;

	ASSERT_EQ(zt_receive(fd, ch, &d, 1, 0), 1);
	EXPECT_EQ(d.user_tag, user_tag);
	EXPECT_EQ(d.encoding, encoding);
	EXPECT_EQ(d.priority, 0);
	EXPECT_OK(zt_release1(fd, ch, d.handle));
}

/* In both modes of a channel, by both calls; in between what has none. */
static void windows_are_tagged(__u32 flags)
{
	struct zcbuf_reservation w[3] = { { .length = 1 }, { .length = 2 },
					  { .length = 5000 } };
	struct zcbuf_commit_reserve a = {
		.flags = ZCBUF_RESERVE_F_WINDOW | ZCBUF_COMMIT_F_TAGGED,
		.ncommits = 1, .reserves = zt_ptr(&w[0]), .nreserves = 1,
	};
	struct zcbuf_commit_tagged e[2];
	int fd = session();
	__u64 ch = STREAM(fd, .threshold = 10, .flags = flags,
			  .ports = ZCBUF_PORT_PRODUCE | ZCBUF_PORT_CONSUME);

	ASSERT_EQ(zt_reserve(fd, ch, w, 3, ZCBUF_RESERVE_F_WINDOW, 0), 3);
	e[0] = tagged(&w[0], ~0ULL, 0);
	e[1] = tagged(&w[1], 0, ~0U);
	EXPECT_EQ(commit_tagged(fd, ch, e, 2), 2);
	publish(fd, ch, 10);
	e[0] = tagged(&w[2], 1ULL << 32, 7);
	a.channel = ch;
	a.commits = zt_ptr(e);
	ASSERT_OK(zt_commit_reserve(fd, &a));
	EXPECT_EQ(a.out_reserved, 1);
	EXPECT_OK(zt_commit1(fd, ch, &w[0]));
	expect_tag(fd, ch, ~0ULL, 0);
	expect_tag(fd, ch, 0, ~0U);
	expect_tag(fd, ch, 0, 0);
	expect_tag(fd, ch, 1ULL << 32, 7);
	expect_tag(fd, ch, 0, 0);
}

TEST(tags_of_windows_in_a_stream)
{
	windows_are_tagged(0);
}

TEST(tags_of_windows_in_a_topic)
{
	windows_are_tagged(ZCBUF_CHANNEL_F_TOPIC);
}

/* What is refused stays as it was: the others of a group have no say. */
TEST(tags_that_are_refused)
{
	struct zcbuf_reservation r[2], w = { .length = 10 };
	int fd = session();
	__u64 ch = STREAM(fd, .threshold = 20);
	struct zcbuf_commit_tagged e[2];

	r[0] = reserve(fd, ch, 10);
	r[1] = reserve(fd, ch, 10);
	e[0] = tagged(&r[0], 0, 0);
	e[1] = tagged(&r[1], 1, 0);
	EXPECT_EQ(commit_tagged(fd, ch, e, 2), 1);
	EXPECT_ERR(commit_tagged(fd, ch, &e[1], 1), EINVAL);
	e[1] = tagged(&r[1], 0, 1);
	EXPECT_ERR(commit_tagged(fd, ch, &e[1], 1), EINVAL);
	e[1] = tagged(&r[1], 0, 0);
	EXPECT_EQ(commit_tagged(fd, ch, &e[1], 1), 1);
	expect_tag(fd, ch, 0, 0);
	ASSERT_EQ(zt_reserve(fd, ch, &w, 1, ZCBUF_RESERVE_F_WINDOW, 0), 1);
	e[0] = tagged(&w, 1, 1);
	e[0].__reserved = 1;
	EXPECT_ERR(commit_tagged(fd, ch, e, 1), EOPNOTSUPP);
	e[0].__reserved = 0;
	e[0].entry.length = 11;
	EXPECT_ERR(commit_tagged(fd, ch, e, 1), EMSGSIZE);
	EXPECT_ERR(commit_tagged(fd, ch, NULL, 1), EFAULT);
	EXPECT_OK(zt_commit1(fd, ch, &w));
	expect_tag(fd, ch, 0, 0);
}

/* ---------------------------------------------------------- several consumers */

/* Each group goes to exactly one of them. */
TEST(a_group_goes_to_one_consumer)
{
	int fd = session(), a = join(fd), b = join(fd), i;
	__u64 ch = STREAM(fd, .threshold = 10, .ports = ZCBUF_PORT_PRODUCE);
	int seen[6] = { 0 };
	__s64 offset;

	ASSERT_OK(zt_ports(a, ch, ZCBUF_PORT_CONSUME));
	ASSERT_OK(zt_ports(b, ch, ZCBUF_PORT_CONSUME));
	for (i = 0; i < 6; i++)
		publish(fd, ch, 10);
	for (i = 0; i < 6; i++) {
		offset = take(i & 1 ? a : b, ch);
		ASSERT_GE(offset, 0);
		ASSERT_LT(offset, 60);
		seen[offset / 10]++;
	}
	for (i = 0; i < 6; i++)
		EXPECT_EQ(seen[i], 1);
	EXPECT_ERR(take(a, ch), EAGAIN);
	EXPECT_ERR(take(b, ch), EAGAIN);
}

/* Without a consumer groups are parked, and the first one gets them. */
TEST(parked_until_somebody_comes)
{
	struct zcbuf_reservation r;
	int fd = session(), a = join(fd);
	__u64 ch = STREAM(fd, .threshold = 10, .ports = ZCBUF_PORT_PRODUCE);

	r = (struct zcbuf_reservation){ .length = 10 };
	EXPECT_ERR(zt_reserve(fd, ch, &r, 1, ZCBUF_RESERVE_F_NEED_CONSUMER, 0),
		   EPIPE);
	publish(fd, ch, 10);
	publish(fd, ch, 10);
	EXPECT_ERR(take(a, ch), EPERM);
	ASSERT_OK(zt_ports(a, ch, ZCBUF_PORT_CONSUME));
	EXPECT_EQ(zt_poll(a, 0), POLLIN);
	EXPECT_EQ(zt_reserve(fd, ch, &r, 1, ZCBUF_RESERVE_F_NEED_CONSUMER, 0),
		  1);
	EXPECT_EQ(r.out_id, 2);
	EXPECT_EQ(take(a, ch), 0);
	EXPECT_EQ(take(a, ch), 10);
	EXPECT_ERR(take(a, ch), EAGAIN);
}

/* What it received is released, what it did not take goes to the others. */
TEST(what_a_consumer_leaves_behind)
{
	int fd = session(), a = join(fd), b, i;
	__u64 ch = STREAM(fd, .threshold = 10, .ports = ZCBUF_PORT_PRODUCE);
	__u64 handle = 0;

	ASSERT_OK(zt_ports(a, ch, ZCBUF_PORT_CONSUME));
	for (i = 0; i < 3; i++)
		publish(fd, ch, 10);
	EXPECT_EQ(receive(a, ch, &handle), 0);
	b = join(fd);
	ASSERT_OK(zt_ports(b, ch, ZCBUF_PORT_CONSUME));
	EXPECT_ERR(take(b, ch), EAGAIN);
	EXPECT_ERR(zt_release1(b, ch, handle), EPERM);
	EXPECT_EQ(zt_used(fd), 3 * ZT_PAGE);
	close(a);
	EXPECT_EQ(zt_used(fd), 2 * ZT_PAGE);
	EXPECT_EQ(take(b, ch), 10);
	EXPECT_EQ(take(b, ch), 20);
	EXPECT_EQ(zt_used(fd), 0);
}

/* Closing ports is as dying, for these ports alone. */
TEST(closing_some_ports)
{
	int fd = session();
	__u64 ch = STREAM(fd, .threshold = 10);
	struct zcbuf_reservation r;
	__u64 handle = 0;

	publish(fd, ch, 10);
	EXPECT_EQ(receive(fd, ch, &handle), 0);
	EXPECT_OK(zt_channel_close(fd, ch, ZCBUF_PORT_CONSUME));
	EXPECT_EQ(zt_used(fd), 0);
	EXPECT_ERR(take(fd, ch), EPERM);
	EXPECT_ERR(zt_channel_close(fd, ch, ZCBUF_PORT_CONSUME), ENOENT);
	publish(fd, ch, 10);
	EXPECT_OK(zt_channel_close(fd, ch, ZCBUF_PORT_RECV_FAILED));
	EXPECT_OK(zt_channel_close(fd, ch, 0));
	EXPECT_ERR(zt_reserve1(fd, ch, 10, &r), ENOENT);
	EXPECT_ERR(zt_channel_close(fd, ch, 0), ENOENT);
	EXPECT_EQ(zt_used(fd), 0);
}

/* --------------------------------------------------------------------- options */

TEST(opening_what_exists)
{
	int fd = session(), other = join(fd);
	__u64 ch = STREAM(fd, .threshold = 100, .depth = 5);
	struct zcbuf_channel_open a = {
		.channel = ch, .ports = ZCBUF_PORT_PRODUCE, .align = 1,
		.threshold = 100, .flags = ZCBUF_CHANNEL_F_THRESHOLD,
	};

	EXPECT_OK(zt_channel_open(other, &a));
	EXPECT_EQ(a.out_channel, ch);
	a.threshold = 200;
	EXPECT_ERR(zt_channel_open(other, &a), EEXIST);
	a.threshold = 100;
	a.flags |= ZCBUF_CHANNEL_F_HOLD_FAILED;
	EXPECT_ERR(zt_channel_open(other, &a), EEXIST);
	a = (struct zcbuf_channel_open){
		.channel = ch, .ports = ZCBUF_PORT_CONSUME, .depth = 6,
	};
	EXPECT_ERR(zt_channel_open(fd, &a), EEXIST);
	EXPECT_OK(zt_channel_open(other, &a));
	a.depth = 5;
	EXPECT_OK(zt_channel_open(fd, &a));
	a.channel = ch + 12345;
	EXPECT_LT(zt_channel_open(other, &a), 0);
}

/* What 0 stands for: to ask for just that is to ask for the same. */
TEST(defaults_of_a_channel)
{
	static const struct zcbuf_channel_open same = {
		.ports = ZT_ALL_PORTS, .align = 64, .threshold = 1024 * KIB,
		.max_reservation = 1024 * KIB, .max_outstanding = 65536,
		.depth = 1024, .flags = ZCBUF_CHANNEL_F_THRESHOLD,
	};
	struct zcbuf_channel_open a = { .ports = ZT_ALL_PORTS };
	int fd = session();
	__u64 ch;

	ASSERT_OK(zt_channel_open(fd, &a));
	ch = a.out_channel;
#define OPEN_AS(field, value, answer) do {				\
	a = same;							\
	a.channel = ch;							\
	a.field = value;						\
	EXPECT_ERR(zt_channel_open(fd, &a), answer);			\
} while (0)
	OPEN_AS(max_age_us, 0, 0);
	OPEN_AS(max_age_us, 1, EEXIST);
	OPEN_AS(align, 128, EEXIST);
	OPEN_AS(threshold, 1024 * KIB - 1, EEXIST);
	OPEN_AS(max_reservation, 1024 * KIB + 1, EEXIST);
	OPEN_AS(max_outstanding, 65535, EEXIST);
	OPEN_AS(depth, 1023, EEXIST);
}

TEST(options_that_cannot_be)
{
	static const struct zcbuf_channel_open bad[] = {
		{ .ports = 0 },
		{ .ports = 1, .align = 3 },
		{ .ports = 1, .align = 8192 },
		{ .ports = 1, .threshold = 100 },
		{ .ports = 1, .depth = 65537 },
		{ .ports = 1, .max_outstanding = 65537 },
	};
	struct zcbuf_channel_open a;
	int fd = session();
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		a = bad[i];
		EXPECT_ERR(zt_channel_open(fd, &a), EINVAL);
	}
	a = (struct zcbuf_channel_open){ .ports = 8 };
	EXPECT_ERR(zt_channel_open(fd, &a), EOPNOTSUPP);
	a = (struct zcbuf_channel_open){ .ports = 1, .flags = 1U << 30 };
	EXPECT_ERR(zt_channel_open(fd, &a), EOPNOTSUPP);
}

TEST(each_port_allows_its_own)
{
	int fd = session(), p = join(fd), c = join(fd), f = join(fd);
	struct zcbuf_receive_failed rf = { .npieces = 0 };
	struct zcbuf_finalize fin;
	struct zcbuf_reservation r;
	__u64 ch = STREAM(fd, .threshold = 10);

	ASSERT_OK(zt_ports(p, ch, ZCBUF_PORT_PRODUCE));
	ASSERT_OK(zt_ports(c, ch, ZCBUF_PORT_CONSUME));
	ASSERT_OK(zt_ports(f, ch, ZCBUF_PORT_RECV_FAILED));
	EXPECT_ERR(zt_reserve1(c, ch, 10, &r), EPERM);
	EXPECT_ERR(zt_flush(c, ch), EPERM);
	EXPECT_ERR(zt_finalize(c, ch, &fin), EPERM);
	EXPECT_ERR(take(p, ch), EPERM);
	EXPECT_ERR(take(f, ch), EPERM);
	EXPECT_ERR(zt_receive_failed(c, ch, &rf), EPERM);
	EXPECT_ERR(zt_receive_failed(f, ch, &rf), EAGAIN);
	EXPECT_ERR(zt_eventfd(p, ch, 0, ZCBUF_EVENTFD_NONE, 0), EPERM);
	EXPECT_ERR(zt_eventfd(c, ch, 0, ZCBUF_EVENTFD_NONE,
			      ZCBUF_EVENTFD_F_FAILED), EPERM);
	EXPECT_OK(zt_reserve1(p, ch, 10, &r));
	EXPECT_ERR(zt_commit1(fd, ch, &r), EPERM);
	EXPECT_OK(zt_commit1(p, ch, &r));
}

/* IN and OUT for any of them, HUP for all. */
TEST(poll_over_several_channels)
{
	struct zcbuf_finalize f;
	int fd = session();
	__u64 a = STREAM(fd, .threshold = 10, .max_outstanding = 1);
	__u64 b = STREAM(fd, .threshold = 10, .max_outstanding = 1);

	EXPECT_EQ(zt_poll(fd, 0), POLLOUT);
	publish(fd, a, 10);
	EXPECT_EQ(zt_poll(fd, 0), POLLIN | POLLOUT);
	publish(fd, b, 10);
	EXPECT_EQ(zt_poll(fd, 0), POLLIN);
	EXPECT_EQ(take(fd, a), 0);
	EXPECT_EQ(zt_poll(fd, 0), POLLIN | POLLOUT);
	EXPECT_OK(zt_finalize(fd, a, &f));
	EXPECT_EQ(zt_poll(fd, 0), POLLIN | POLLOUT);	/* of b; of both */
	EXPECT_EQ(take(fd, b), 0);
	EXPECT_EQ(zt_poll(fd, 0), POLLOUT);
	EXPECT_OK(zt_finalize(fd, b, &f));
	EXPECT_EQ(zt_poll(fd, 0) & ~POLLOUT, POLLHUP);
}

/* --------------------------------------------------------------- failed groups */

TEST(arrays_too_small_for_a_failed_group)
{
	struct zcbuf_reservation r[4];
	struct zcbuf_piece piece[2];
	struct zcbuf_lost lost[2];
	struct zcbuf_receive_failed f = { .npieces = 0 };
	int fd = session(), i;
	__u64 ch = STREAM(fd, .threshold = 40);

	for (i = 0; i < 4; i++)
		r[i] = reserve(fd, ch, 10);
	for (i = 0; i < 4; i += 2) {
		EXPECT_OK(zt_commit1(fd, ch, &r[i]));
		EXPECT_OK(zt_abort1(fd, ch, &r[i + 1]));
	}
	EXPECT_ERR(zt_receive_failed(fd, ch, &f), EMSGSIZE);
	EXPECT_EQ(f.npieces, 2);
	EXPECT_EQ(f.nlost, 2);
	f.pieces = zt_ptr(piece);
	f.lost = zt_ptr(lost);
	f.nlost = 1;
	EXPECT_ERR(zt_receive_failed(fd, ch, &f), EMSGSIZE);
	EXPECT_EQ(f.nlost, 2);
	EXPECT_OK(zt_receive_failed(fd, ch, &f));
	EXPECT_EQ(f.out_delivery.offset, 0);
	EXPECT_EQ(f.out_delivery.length, 40);
	EXPECT_EQ(piece[1].offset, 20);
	EXPECT_EQ(lost[1].offset, 30);
	EXPECT_ERR(zt_receive_failed(fd, ch, &f), EAGAIN);
	EXPECT_OK(zt_release1(fd, ch, f.out_delivery.handle));
	EXPECT_EQ(zt_used(fd), 0);
}

/* Never lost, however long the success queue is: it has no bound. */
TEST(failed_groups_need_no_room)
{
	struct zcbuf_receive_failed f;
	struct zcbuf_reservation r;
	struct zcbuf_lost lost;
	int fd = session(), i;
	__u64 ch = STREAM(fd, .threshold = 10, .depth = 1);

	for (i = 0; i < 20; i++) {
		r = reserve(fd, ch, 10);
		EXPECT_OK(zt_abort1(fd, ch, &r));
	}
	for (i = 0; i < 20; i++) {
		f = (struct zcbuf_receive_failed){
			.lost = zt_ptr(&lost), .nlost = 1,
		};
		ASSERT_OK(zt_receive_failed(fd, ch, &f));
		EXPECT_EQ(lost.id, i);
		EXPECT_OK(zt_release1(fd, ch, f.out_delivery.handle));
	}
	EXPECT_EQ(zt_used(fd), 0);
}

/* With nobody on the failure queue they wait, and count as outstanding. */
TEST(failed_groups_wait_for_a_port)
{
	struct zcbuf_reservation r;
	struct zcbuf_lost lost;
	struct zcbuf_receive_failed f = { .lost = zt_ptr(&lost), .nlost = 1 };
	int fd = session();
	__u64 ch = STREAM(fd, .threshold = 10, .max_outstanding = 1,
			  .ports = ZCBUF_PORT_PRODUCE);

	r = reserve(fd, ch, 10);
	EXPECT_OK(zt_abort1(fd, ch, &r));
	EXPECT_ERR(zt_reserve1(fd, ch, 10, &r), EAGAIN);
	ASSERT_OK(zt_ports(fd, ch, ZCBUF_PORT_RECV_FAILED));
	EXPECT_EQ(zt_poll(fd, 0) & POLLIN, POLLIN);
	ASSERT_OK(zt_receive_failed(fd, ch, &f));
	EXPECT_OK(zt_release1(fd, ch, f.out_delivery.handle));
	EXPECT_OK(zt_reserve1(fd, ch, 10, &r));
}

/* Two deliveries of one, released once each by whoever holds it. */
TEST(released_twice)
{
	int fd = session();
	__u64 ch = STREAM(fd, .threshold = 10);
	__u64 h[2] = { 0, 0 }, used;

	publish(fd, ch, 10);
	publish(fd, ch, 10);
	EXPECT_EQ(receive(fd, ch, &h[0]), 0);
	EXPECT_ERR(zt_release1(fd, ch, h[0] + 1), ENOENT);	/* queued */
	EXPECT_EQ(receive(fd, ch, &h[1]), 10);
	EXPECT_OK(zt_release1(fd, ch, h[0]));
	used = zt_used(fd);
	EXPECT_EQ(used, ZT_PAGE);
	EXPECT_ERR(zt_release1(fd, ch, h[0]), EBADSLT);
	EXPECT_EQ(zt_used(fd), used);
	EXPECT_EQ(zt_bad_frees(fd), 2);
	EXPECT_OK(zt_release1(fd, ch, h[1]));
	EXPECT_ERR(zt_release1(fd, ch, 0), ENOENT);
	EXPECT_ERR(zt_release1(fd, ch, h[1] + 100), ENOENT);
}

KTAP_MAIN()

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What only the calls on channels can get wrong: options, ids, lengths, chunk
 * lists, batches that stop half way, entry sizes, eventfds, deadlines.
 */
#include "rig.h"

#define MIB	ZT_MIB

static int pool_open(void)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);

	ASSERT_GE(fd, 0);
	return fd;
}

/* ------------------------------------------------------------------- open */

static const struct zcbuf_channel_open open_ok = {
	.flags = ZCBUF_CHANNEL_F_THRESHOLD, .threshold = 4096,
	.ports = ZT_ALL_PORTS,
};

#define OPEN_REFUSED(fd, field, value, error) do {			\
	struct zcbuf_channel_open open_arg = open_ok;			\
	open_arg.field = value;						\
	EXPECT_ERR(zt_channel_open(fd, &open_arg), error);		\
} while (0)

TEST(open_options)
{
	struct zcbuf_channel_open a = open_ok;
	int fd = pool_open();
	int i;

	OPEN_REFUSED(fd, ports, 0, EINVAL);
	for (i = 3; i < 32; i++)
		OPEN_REFUSED(fd, ports, 1U << i, EOPNOTSUPP);
	for (i = 13; i < 32; i++)
		OPEN_REFUSED(fd, align, 1U << i, EINVAL);
	OPEN_REFUSED(fd, align, 3, EINVAL);
	OPEN_REFUSED(fd, align, 4095, EINVAL);
	OPEN_REFUSED(fd, align, ~0U, EINVAL);
	OPEN_REFUSED(fd, flags, 0, EINVAL);	/* a threshold that is not set */
	OPEN_REFUSED(fd, depth, 65537, EINVAL);
	OPEN_REFUSED(fd, depth, ~0U, EINVAL);
	OPEN_REFUSED(fd, max_outstanding, 65537, EINVAL);
	OPEN_REFUSED(fd, max_outstanding, ~0U, EINVAL);
	for (i = 21; i < 64; i++) {
		OPEN_REFUSED(fd, threshold, 1ULL << i, E2BIG);
		OPEN_REFUSED(fd, max_reservation, 1ULL << i, E2BIG);
	}
	OPEN_REFUSED(fd, threshold, ~0ULL, E2BIG);
	OPEN_REFUSED(fd, max_reservation, ~0ULL, E2BIG);
	OPEN_REFUSED(fd, max_reservation, ZT_ARENA - 4096 + 1, E2BIG);
	EXPECT_OK(zt_channel_open(fd, &a));
	EXPECT_EQ(a.out_block, 8192);
}

TEST(open_as_it_is)
{
	struct zcbuf_channel_open a = open_ok;
	int fd = pool_open();
	__u64 channel;

	a.align = 8;
	a.max_reservation = 8192;
	a.max_age_us = 1000000;
	a.max_outstanding = 100;
	a.depth = 5;
	ASSERT_OK(zt_channel_open(fd, &a));
	channel = a.out_channel;

	a.channel = channel;
	EXPECT_OK(zt_channel_open(fd, &a));
	EXPECT_EQ(a.out_channel, channel);
#define SAME_BUT(field, value) do {					\
	struct zcbuf_channel_open same = a;				\
	same.field = value;						\
	EXPECT_ERR(zt_channel_open(fd, &same), EEXIST);			\
} while (0)
	SAME_BUT(threshold, 4097);
	SAME_BUT(align, 16);
	SAME_BUT(max_reservation, 8193);
	SAME_BUT(max_age_us, 0);
	SAME_BUT(max_outstanding, 101);
	SAME_BUT(depth, 6);
	SAME_BUT(flags, a.flags | ZCBUF_CHANNEL_F_HOLD_FAILED);
	SAME_BUT(flags, a.flags | ZCBUF_CHANNEL_F_ORDERED);
	SAME_BUT(flags, a.flags | ZCBUF_CHANNEL_F_IMMUTABLE);
	SAME_BUT(flags, a.flags | ZCBUF_CHANNEL_F_NO_AUTO_FINALIZE);
	EXPECT_OK(zt_ports(fd, channel, ZT_ALL_PORTS));
	EXPECT_EQ(a.out_block, 16384);
}

TEST(open_handles)
{
	__u64 gone, channel, h;
	int fd = pool_open();

	ASSERT_OK(zt_stream(fd, 0, 0, &gone));
	EXPECT_ERR(zt_ports(fd, gone + 1, ZCBUF_PORT_CONSUME), ENOENT);
	EXPECT_ERR(zt_ports(fd, gone + (1ULL << 40), ZCBUF_PORT_CONSUME),
		   ENOENT);
	ASSERT_OK(zt_channel_close(fd, gone, 0));
	EXPECT_ERR(zt_ports(fd, gone, ZCBUF_PORT_CONSUME), ENOENT);
	ASSERT_OK(zt_stream(fd, 0, 0, &channel));
	EXPECT_ERR(zt_ports(fd, gone, ZCBUF_PORT_CONSUME), ESTALE);
	ASSERT_OK(zt_alloc1(fd, 4096, &h));
	EXPECT_ERR(zt_ports(fd, h, ZCBUF_PORT_CONSUME), EINVAL);
	EXPECT_ERR(zt_ports(fd, ~0ULL, ZCBUF_PORT_CONSUME), EINVAL);
}

/* A port takes the right to use it. */
TEST(open_rights)
{
	static const struct {
		__u32 rights, ports;
	} bad[] = {
		{ ZCBUF_RIGHT_CONSUME, ZCBUF_PORT_PRODUCE },
		{ ZCBUF_RIGHT_CONSUME, ZT_ALL_PORTS },
		{ ZCBUF_RIGHT_PRODUCE, ZCBUF_PORT_CONSUME },
		{ ZCBUF_RIGHT_PRODUCE, ZCBUF_PORT_RECV_FAILED },
		{ ZCBUF_RIGHT_MAP_WRITE, ZCBUF_PORT_PRODUCE },
		{ ZCBUF_RIGHT_MAP_READ, ZCBUF_PORT_CONSUME },
	};
	int pool = pool_open();
	__u64 channel;
	size_t i;

	ASSERT_OK(zt_stream(pool, 0, 0, &channel));
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct zcbuf_channel_open a = open_ok;
		int fd = zt_join(pool, bad[i].rights);

		ASSERT_GE(fd, 0);
		a.ports = bad[i].ports;
		EXPECT_ERR(zt_channel_open(fd, &a), EPERM);
		EXPECT_ERR(zt_ports(fd, channel, bad[i].ports), EPERM);
		close(fd);
	}
}

TEST(close_ports)
{
	int fd = pool_open();
	__u64 channel;
	int i;

	ASSERT_OK(zt_stream(fd, 0, 0, &channel));
	for (i = 3; i < 32; i++)
		EXPECT_ERR(zt_channel_close(fd, channel, 1U << i), EOPNOTSUPP);
	EXPECT_OK(zt_channel_close(fd, channel, ZCBUF_PORT_CONSUME));
	EXPECT_ERR(zt_channel_close(fd, channel, ZCBUF_PORT_CONSUME), ENOENT);
	EXPECT_OK(zt_ports(fd, channel, ZCBUF_PORT_CONSUME));
	EXPECT_OK(zt_channel_close(fd, channel, 0));
	EXPECT_ERR(zt_channel_close(fd, channel, 0), ENOENT);
}

/* What one port may not do with another one's. */
TEST(ports_are_apart)
{
	struct zcbuf_receive_failed f = {};
	struct zcbuf_delivery d;
	struct zcbuf_reservation r;
	struct rig x;
	int only[3], i;

	rig_open(&x);
	for (i = 0; i < 3; i++) {
		only[i] = zt_join(x.fd, 0);
		ASSERT_GE(only[i], 0);
		ASSERT_OK(zt_ports(only[i], x.channel, 1U << i));
	}
	for (i = 0; i < 3; i++) {
		if (i != 0) {
			EXPECT_ERR(zt_reserve1(only[i], x.channel, 8, &r),
				   EPERM);
			EXPECT_ERR(zt_commit1(only[i], x.channel, &x.pending[0]),
				   EPERM);
			EXPECT_ERR(zt_abort1(only[i], x.channel, &x.pending[0]),
				   EPERM);
			EXPECT_ERR(zt_flush(only[i], x.channel), EPERM);
		}
		if (i != 1)
			EXPECT_ERR(zt_receive(only[i], x.channel, &d, 1, 0),
				   EPERM);
		if (i != 2)
			EXPECT_ERR(zt_receive_failed(only[i], x.channel, &f),
				   EPERM);
		EXPECT_ERR(zt_release1(only[i], x.channel, x.held[0]), EPERM);
		EXPECT_EQ(zt_eventfd(only[i], x.channel, x.efd,
				     ZCBUF_EVENTFD_EACH, 0),
			  i == 1 ? 0 : -EPERM);
		EXPECT_EQ(zt_eventfd(only[i], x.channel, x.efd,
				     ZCBUF_EVENTFD_EACH,
				     ZCBUF_EVENTFD_F_FAILED),
			  i == 2 ? 0 : -EPERM);
	}
	EXPECT_OK(zt_commit1(x.fd, x.channel, &x.pending[0]));
	rig_close(&x);
}

/* ---------------------------------------------------------------- reserve */

/* A refusal takes no id, no offset and no memory. */
TEST(reserve_lengths)
{
	struct zcbuf_reservation r, next;
	int fd = pool_open();
	__u64 channel, used;
	int i;

	ASSERT_OK(zt_stream(fd, 4096, 0, &channel));
	ASSERT_OK(zt_reserve1(fd, channel, 100, &r));
	used = zt_used(fd);
	EXPECT_ERR(zt_reserve1(fd, channel, 0, &next), EINVAL);
	EXPECT_ERR(zt_reserve1(fd, channel, ZT_ARENA + 1, &next), E2BIG);
	for (i = 22; i < 64; i++)
		EXPECT_ERR(zt_reserve1(fd, channel, 1ULL << i, &next), E2BIG);
	for (i = 0; i < 64; i++)
		EXPECT_ERR(zt_reserve1(fd, channel, ~0ULL - i, &next), E2BIG);
	EXPECT_ERR(zt_reserve1(fd, channel, ZT_ARENA, &next), EAGAIN);
	EXPECT_EQ(zt_used(fd), used);
	ASSERT_OK(zt_reserve1(fd, channel, 100, &next));
	EXPECT_EQ(next.out_id, r.out_id + 1);
	EXPECT_EQ(next.out_group, r.out_group);
	EXPECT_EQ(next.out_offset, r.out_offset + 100);
}

static int reserve_wait(int fd, __u64 channel, __u64 deadline_ns)
{
	struct zcbuf_reservation r = { .length = ZT_ARENA };

	return zt_reserve(fd, channel, &r, 1, 0, deadline_ns);
}

TEST(deadlines_in_the_past)
{
	struct zcbuf_receive_failed f = {};
	struct zcbuf_delivery d;
	int fd = pool_open();
	__u64 channel, h;
	__u64 past[] = { 1, hz_now(), hz_now() - 1000000000 };
	size_t i;

	ASSERT_OK(zt_stream(fd, 0, 0, &channel));
	ASSERT_OK(zt_alloc1(fd, 4096, &h));
	EXPECT_ERR(reserve_wait(fd, channel, 0), EAGAIN);
	EXPECT_ERR(zt_receive(fd, channel, &d, 1, 0), EAGAIN);
	EXPECT_ERR(zt_receive_failed(fd, channel, &f), EAGAIN);
	for (i = 0; i < sizeof(past) / sizeof(*past); i++) {
		EXPECT_ERR(reserve_wait(fd, channel, past[i]), ETIMEDOUT);
		EXPECT_ERR(zt_receive(fd, channel, &d, 1, past[i]), ETIMEDOUT);
		f.deadline_ns = past[i];
		EXPECT_ERR(zt_receive_failed(fd, channel, &f), ETIMEDOUT);
	}
}

TEST(reserve_partial)
{
	struct zcbuf_reservation v[3] = {
		{ .length = 100 }, { .length = 0 }, { .length = 100 },
	}, r;
	struct zcbuf_reserve a = zt_arg(struct zcbuf_reserve,
		.entries = zt_ptr(v), .count = 3, .out_done = 77);
	int fd = pool_open();

	ASSERT_OK(zt_stream(fd, 4096, 0, &a.channel));
	EXPECT_OK(zt_call(fd, ZCBUF_IOC_RESERVE, &a));
	EXPECT_EQ(a.out_done, 1);
	EXPECT_EQ(a.out_error, EINVAL);
	EXPECT_EQ(v[2].out_id, 0);
	v[0].length = 0;
	EXPECT_ERR(zt_call(fd, ZCBUF_IOC_RESERVE, &a), EINVAL);
	EXPECT_EQ(a.out_done, 0);
	EXPECT_EQ(a.out_error, EINVAL);
	ASSERT_OK(zt_reserve1(fd, a.channel, 10, &r));
	EXPECT_EQ(r.out_id, 1);
}

/* ----------------------------------------------------------------- commit */

static struct zcbuf_commit_entry entry_of(const struct zcbuf_reservation *r)
{
	return (struct zcbuf_commit_entry){
		.group = r->out_group, .id = r->out_id,
		.offset = r->out_offset, .length = r->length,
	};
}

static void commit_refused(const struct rig *x, struct zcbuf_commit_entry e,
			   int error)
{
	EXPECT_ERR(zt_commit(x->fd, x->channel, &e, 1), error);
}

#define COMMIT_REFUSED(x, field, value, error) do {			\
	struct zcbuf_commit_entry bad_entry = entry_of(&(x)->pending[0]); \
	bad_entry.field = value;					\
	commit_refused(x, bad_entry, error);				\
} while (0)

TEST(commit_fields)
{
	struct rig x;
	int i;

	rig_open(&x);
	for (i = 0; i < 64; i++) {
		struct zcbuf_reservation *r = &x.pending[0];
		__u64 bit = 1ULL << i;

		COMMIT_REFUSED(&x, group, r->out_group ^ bit, ENOENT);
		COMMIT_REFUSED(&x, offset, r->out_offset ^ bit, EINVAL);
		COMMIT_REFUSED(&x, length, r->length ^ bit, EMSGSIZE);
		if (i >= 5)	/* below are others of the same group */
			COMMIT_REFUSED(&x, id, r->out_id ^ bit, ENOENT);
	}
	COMMIT_REFUSED(&x, length, 0, EMSGSIZE);
	COMMIT_REFUSED(&x, length, ~0ULL, EMSGSIZE);
	commit_refused(&x, entry_of(&x.other_pending), EPERM);
	EXPECT_OK(zt_commit1(x.fd, x.channel, &x.pending[0]));
	commit_refused(&x, entry_of(&x.pending[0]), EALREADY);
	EXPECT_ERR(zt_abort1(x.fd, x.channel, &x.pending[0]), EALREADY);
	EXPECT_OK(zt_abort1(x.fd, x.channel, &x.pending[1]));
	commit_refused(&x, entry_of(&x.pending[1]), ESTALE);
	EXPECT_ERR(zt_abort1(x.fd, x.channel, &x.pending[1]), ESTALE);
	EXPECT_OK(zt_commit1(x.other, x.channel, &x.other_pending));
	rig_close(&x);
}

static void chunks_refused(const struct rig *x, const __u64 *chunks, __u32 n,
			   int error)
{
	struct zcbuf_commit_entry e = entry_of(&x->pending[0]);

	e.length = 0;
	e.chunks = zt_ptr(chunks);
	e.nchunks = n;
	commit_refused(x, e, error);
}

TEST(commit_chunks)
{
	static __u64 chunks[ZCBUF_MAX_CHUNKS + 1];
	static const __u64 bad[][2] = {
		{ 512, 1 }, { ~0ULL, ~0ULL }, { ~0ULL, 513 },
		{ 1ULL << 63, (1ULL << 63) + 512 }, { 513, 0 },
	};
	struct zcbuf_commit_entry e;
	struct hz_mem m;
	struct rig x;
	size_t i;

	rig_open(&x);
	hz_mem_init(&m);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		chunks_refused(&x, bad[i], 2, ERANGE);
	chunks[0] = 511;
	chunks_refused(&x, chunks, 1, EMSGSIZE);
	chunks_refused(&x, chunks, ZCBUF_MAX_CHUNKS + 1, EINVAL);
	chunks_refused(&x, chunks, ~0U, EINVAL);
	chunks_refused(&x, NULL, 1, EFAULT);
	chunks_refused(&x, (void *)m.gone, 1, EFAULT);
	chunks_refused(&x, hz_mem_straddle(&m, chunks, 8), 2, EFAULT);
	chunks_refused(&x, (void *)HZ_KERNEL, 1, EFAULT);
	chunks_refused(&x, (void *)-8UL, 2, EFAULT);
	COMMIT_REFUSED(&x, nchunks, 1, EINVAL);		/* and a length */

	chunks[ZCBUF_MAX_CHUNKS - 1] = 1;
	e = entry_of(&x.pending[0]);
	e.length = 0;
	e.chunks = zt_ptr(memcpy(x.map, chunks, ZCBUF_MAX_CHUNKS * 8));
	e.nchunks = ZCBUF_MAX_CHUNKS;
	EXPECT_EQ(zt_commit(x.fd, x.channel, &e, 1), 1);
	rig_close(&x);
}

/* The entry in the middle is wrong: one is done, the third is as it was. */
TEST(commit_partial)
{
	struct zcbuf_commit_entry e[3];
	struct zcbuf_batch a = zt_arg(struct zcbuf_batch, .count = 3,
		.entries = zt_ptr(e), .out_done = 77);
	struct hz_mem m;
	struct rig x;
	int i;

	rig_open(&x);
	hz_mem_init(&m);
	for (i = 0; i < 3; i++)
		e[i] = entry_of(&x.pending[i]);
	e[1].length = 0;
	e[1].nchunks = 1;
	e[1].chunks = zt_ptr(m.gone);
	a.channel = x.channel;
	EXPECT_OK(zt_call(x.fd, ZCBUF_IOC_COMMIT, &a));
	EXPECT_EQ(a.out_done, 1);
	EXPECT_EQ(a.out_error, EFAULT);
	EXPECT_ERR(zt_commit1(x.fd, x.channel, &x.pending[0]), EALREADY);
	EXPECT_OK(zt_commit1(x.fd, x.channel, &x.pending[1]));
	EXPECT_OK(zt_commit1(x.fd, x.channel, &x.pending[2]));
	rig_close(&x);
}

TEST(abort_partial)
{
	struct zcbuf_abort_entry e[3];
	struct zcbuf_batch a = zt_arg(struct zcbuf_batch, .count = 3,
		.entries = zt_ptr(e));
	struct rig x;
	int i;

	rig_open(&x);
	for (i = 0; i < 3; i++)
		e[i] = (struct zcbuf_abort_entry){
			.group = x.pending[i].out_group,
			.id = x.pending[i].out_id,
		};
	e[1].id = x.other_pending.out_id;
	a.channel = x.channel;
	EXPECT_OK(zt_call(x.fd, ZCBUF_IOC_ABORT, &a));
	EXPECT_EQ(a.out_done, 1);
	EXPECT_EQ(a.out_error, EPERM);
	EXPECT_OK(zt_commit1(x.fd, x.channel, &x.pending[2]));
	EXPECT_OK(zt_commit1(x.other, x.channel, &x.other_pending));
	rig_close(&x);
}

/* --------------------------------------------------------------- turnover */

struct turn {
	struct zcbuf_commit_entry e[2];
	struct zcbuf_reservation v[2];
	struct zcbuf_commit_reserve a;
};

static void turn_make(struct turn *t, const struct rig *x)
{
	int i;

	memset(t, 0, sizeof(*t));
	for (i = 0; i < 2; i++) {
		t->e[i] = entry_of(&x->pending[i]);
		t->v[i].length = 64;
	}
	t->a = zt_arg(struct zcbuf_commit_reserve, .channel = x->channel,
		.commits = zt_ptr(t->e), .reserves = zt_ptr(t->v),
		.ncommits = 2, .nreserves = 2, .out_committed = 77,
		.out_commit_error = 77, .out_reserved = 77,
		.out_reserve_error = 77);
}

/* A commit fails: nothing is reserved, and the answer says so. */
TEST(turnover_partial)
{
	struct turn t;
	struct rig x;

	rig_open(&x);
	turn_make(&t, &x);
	t.e[1].length++;
	EXPECT_OK(zt_call(x.fd, ZCBUF_IOC_COMMIT_RESERVE, &t.a));
	EXPECT_EQ(t.a.out_committed, 1);
	EXPECT_EQ(t.a.out_commit_error, EMSGSIZE);
	EXPECT_EQ(t.a.out_reserved, 0);
	EXPECT_EQ(t.a.out_reserve_error, 0);
	EXPECT_EQ(t.v[0].out_id, 0);
	EXPECT_ERR(zt_call(x.fd, ZCBUF_IOC_COMMIT_RESERVE, &t.a), EALREADY);
	EXPECT_EQ(t.a.out_committed, 0);
	EXPECT_EQ(t.a.out_commit_error, EALREADY);
	EXPECT_EQ(t.a.out_reserved, 0);
	rig_close(&x);
}

/* The commits stand if there is no room for what is to follow. */
TEST(turnover_without_room)
{
	struct turn t;
	struct rig x;

	rig_open(&x);
	turn_make(&t, &x);
	t.v[1].length = ZT_ARENA;
	EXPECT_OK(zt_call(x.fd, ZCBUF_IOC_COMMIT_RESERVE, &t.a));
	EXPECT_EQ(t.a.out_committed, 2);
	EXPECT_EQ(t.a.out_commit_error, 0);
	EXPECT_EQ(t.a.out_reserved, 1);
	EXPECT_EQ(t.a.out_reserve_error, EAGAIN);
	EXPECT_OK(zt_commit1(x.fd, x.channel, &t.v[0]));
	rig_close(&x);

	rig_open(&x);
	turn_make(&t, &x);
	t.v[0].length = 0;
	EXPECT_OK(zt_call(x.fd, ZCBUF_IOC_COMMIT_RESERVE, &t.a));
	EXPECT_EQ(t.a.out_committed, 2);
	EXPECT_EQ(t.a.out_reserved, 0);
	EXPECT_EQ(t.a.out_reserve_error, EINVAL);
	rig_close(&x);
}

/* ---------------------------------------------------------------- receive */

/* Of the struct as it was when there were streams only. */
#define FIRST_DELIVERY	offsetof(struct zcbuf_delivery, publisher)

/* Who knows less of a delivery gets no more. */
TEST(receive_entries_of_the_past)
{
	char d[4 * sizeof(struct zcbuf_delivery)];
	struct zcbuf_receive a = zt_arg(struct zcbuf_receive,
		.entries = zt_ptr(d), .count = 2, .entry_size = FIRST_DELIVERY);
	struct zcbuf_delivery first = {}, second = {};
	struct rig x;

	rig_open(&x);
	a.channel = x.channel;
	memset(d, 0x5a, sizeof(d));
	ASSERT_OK(zt_call(x.fd, ZCBUF_IOC_RECEIVE, &a));
	EXPECT_EQ(a.out_done, 2);
	memcpy(&first, d, FIRST_DELIVERY);
	memcpy(&second, d + FIRST_DELIVERY, FIRST_DELIVERY);
	EXPECT_EQ(first.length, RIG_GROUP);
	EXPECT_EQ(second.group, first.group + 1);
	EXPECT_EQ(second.nextents, 1);
	EXPECT_FILLED(d + 2 * FIRST_DELIVERY, 0x5a,
		      sizeof(d) - 2 * FIRST_DELIVERY);
	rig_close(&x);
}

TEST(receive_entry_sizes)
{
	char d[2 * 4096 + 1];
	struct zcbuf_delivery *first = (struct zcbuf_delivery *)d;
	struct zcbuf_receive a = zt_arg(struct zcbuf_receive,
		.entries = zt_ptr(d), .count = 2);
	struct zcbuf_delivery got;
	struct rig x;
	__u32 size;

	rig_open(&x);
	a.channel = x.channel;
	for (size = 0; size < FIRST_DELIVERY; size++) {
		a.entry_size = size;
		EXPECT_ERR(zt_call(x.fd, ZCBUF_IOC_RECEIVE, &a), EINVAL);
	}
	a.entry_size = 4097;
	EXPECT_ERR(zt_call(x.fd, ZCBUF_IOC_RECEIVE, &a), EINVAL);
	a.entry_size = ~0U;
	EXPECT_ERR(zt_call(x.fd, ZCBUF_IOC_RECEIVE, &a), EINVAL);

	/* A caller from the future: what this kernel does not know is 0. */
	memset(d, 0x5a, sizeof(d));
	a.entry_size = sizeof(*first) + 9;
	ASSERT_OK(zt_call(x.fd, ZCBUF_IOC_RECEIVE, &a));
	EXPECT_EQ(a.out_done, 2);
	EXPECT_EQ(first->length, RIG_GROUP);
	EXPECT_FILLED(d + sizeof(*first), 0, 9);
	memcpy(&got, d + a.entry_size, sizeof(got));
	EXPECT_EQ(got.group, first->group + 1);
	EXPECT_FILLED(d + a.entry_size + sizeof(*first), 0, 9);
	EXPECT_FILLED(d + 2 * a.entry_size, 0x5a,
		      sizeof(d) - 2 * a.entry_size);
	rig_close(&x);
}

TEST(receive_failed_room)
{
	struct zcbuf_piece p[3];
	struct zcbuf_lost l[3];
	struct zcbuf_receive_failed a = {};
	struct rig x;
	__u32 i;

	rig_open(&x);
	memset(p, 0x5a, sizeof(p));
	memset(l, 0x5a, sizeof(l));
	for (i = 0; i < 8; i++) {
		a = (struct zcbuf_receive_failed){
			.pieces = zt_ptr(p), .lost = zt_ptr(l),
			.npieces = i / 3, .nlost = i % 3,
		};
		EXPECT_ERR(zt_receive_failed(x.fd, x.channel, &a), EMSGSIZE);
		EXPECT_EQ(a.npieces, 2);
		EXPECT_EQ(a.nlost, 2);
	}
	EXPECT_FILLED(p, 0x5a, sizeof(p));
	EXPECT_FILLED(l, 0x5a, sizeof(l));
	a.npieces = 2;
	a.nlost = 2;
	ASSERT_OK(zt_receive_failed(x.fd, x.channel, &a));
	EXPECT_FILLED(&p[2], 0x5a, sizeof(p[2]));
	EXPECT_FILLED(&l[2], 0x5a, sizeof(l[2]));
	EXPECT_EQ(p[0].length + p[1].length, RIG_GROUP / 2);
	EXPECT_EQ(l[0].length + l[1].length, RIG_GROUP / 2);
	EXPECT_ERR(zt_receive_failed(x.fd, x.channel, &a), EAGAIN);
	EXPECT_OK(zt_release1(x.fd, x.channel, a.out_delivery.handle));
	rig_close(&x);
}

/* More room than there is memory for it is no room. */
TEST(receive_failed_too_much_room)
{
	struct hz_mem m;
	struct rig x;
	struct zcbuf_receive_failed a;

	rig_open(&x);
	hz_mem_init(&m);
	a = (struct zcbuf_receive_failed){
		.pieces = zt_ptr(m.rw), .npieces = ~0U,
		.lost = zt_ptr(m.rw), .nlost = 2,
	};
	EXPECT_ERR(zt_receive_failed(x.fd, x.channel, &a), EFAULT);
	a.npieces = 2;
	a.nlost = 1U << 31;
	EXPECT_ERR(zt_receive_failed(x.fd, x.channel, &a), EFAULT);
	a.nlost = 2;
	EXPECT_OK(zt_receive_failed(x.fd, x.channel, &a));
	rig_close(&x);
}

TEST(release_handles)
{
	struct zcbuf_delivery d;
	struct rig x;
	__u64 used, bad;
	int i;

	rig_open(&x);
	used = zt_used(x.fd);
	bad = zt_bad_frees(x.fd);
	for (i = 0; i < 64; i++) {
		int err = zt_release1(x.fd, x.channel, x.held[0] ^ 1ULL << i);

		if ((x.held[0] ^ 1ULL << i) == x.held[1])
			bad--;	/* that one is there, and was released */
		else
			EXPECT_TRUE(err == -ENOENT || err == -EPERM);
	}
	EXPECT_ERR(zt_release1(x.fd, x.channel, 0), ENOENT);
	EXPECT_ERR(zt_release1(x.fd, x.channel, ~0ULL), ENOENT);
	EXPECT_ERR(zt_release1(x.fd, x.channel, x.channel), ENOENT);
	EXPECT_ERR(zt_release1(x.fd, x.channel, x.other_held), EPERM);
	EXPECT_ERR(zt_release1(x.other, x.channel, x.held[0]), EPERM);
	EXPECT_EQ(zt_bad_frees(x.fd), bad + 64 + 5);
	ASSERT_EQ(zt_receive(x.fd, x.channel, &d, 1, 0), 1);
	EXPECT_ERR(zt_release1(x.fd, x.channel, d.handle + 1), ENOENT);
	EXPECT_LE(zt_used(x.fd), used);
	EXPECT_OK(zt_release1(x.fd, x.channel, d.handle));
	EXPECT_ERR(zt_release1(x.fd, x.channel, d.handle), EBADSLT);
	rig_close(&x);
}

TEST(release_partial)
{
	__u64 h[3];
	struct zcbuf_batch a = zt_arg(struct zcbuf_batch, .count = 3,
		.entries = zt_ptr(h));
	struct rig x;

	rig_open(&x);
	h[0] = x.held[0];
	h[1] = x.other_held;
	h[2] = x.held[1];
	a.channel = x.channel;
	EXPECT_OK(zt_call(x.fd, ZCBUF_IOC_RELEASE, &a));
	EXPECT_EQ(a.out_done, 1);
	EXPECT_EQ(a.out_error, EPERM);
	EXPECT_ERR(zt_call(x.fd, ZCBUF_IOC_RELEASE, &a), EBADSLT);
	EXPECT_EQ(a.out_done, 0);
	EXPECT_OK(zt_release1(x.fd, x.channel, x.held[1]));
	EXPECT_OK(zt_release1(x.other, x.channel, x.other_held));
	rig_close(&x);
}

/* ---------------------------------------------------------------- eventfd */

TEST(eventfd_arguments)
{
	int null = open("/dev/null", O_RDWR), p[2];
	struct rig x;

	rig_open(&x);
	ASSERT_OK(pipe(p));
	EXPECT_ERR(zt_eventfd(x.fd, x.channel, -1, ZCBUF_EVENTFD_EACH, 0),
		   EBADF);
	EXPECT_ERR(zt_eventfd(x.fd, x.channel, 999, ZCBUF_EVENTFD_EACH, 0),
		   EBADF);
	EXPECT_ERR(zt_eventfd(x.fd, x.channel, null, ZCBUF_EVENTFD_EACH, 0),
		   EINVAL);
	EXPECT_ERR(zt_eventfd(x.fd, x.channel, p[1], ZCBUF_EVENTFD_EACH, 0),
		   EINVAL);
	EXPECT_ERR(zt_eventfd(x.fd, x.channel, x.fd, ZCBUF_EVENTFD_EACH, 0),
		   EINVAL);
	EXPECT_ERR(zt_eventfd(x.fd, x.channel, x.efd, ZCBUF_EVENTFD_ADAPTIVE,
			      0), EINVAL);	/* a stream's */
	EXPECT_ERR(zt_eventfd(x.fd, x.channel, x.efd, 3, 0), EOPNOTSUPP);
	EXPECT_ERR(zt_eventfd(x.fd, x.channel, x.efd, ~0U, 0), EOPNOTSUPP);
	EXPECT_ERR(zt_eventfd(x.fd, x.channel, x.efd, ZCBUF_EVENTFD_NONE, 0),
		   EINVAL);
	EXPECT_EQ(zt_count(x.efd), 0);
	EXPECT_OK(zt_eventfd(x.fd, x.channel, 0, ZCBUF_EVENTFD_NONE, 0));
	EXPECT_OK(zt_eventfd(x.fd, x.channel, x.efd, ZCBUF_EVENTFD_EACH, 0));
	EXPECT_EQ(zt_count(x.efd), 2);
	rig_close(&x);
}

KTAP_MAIN()

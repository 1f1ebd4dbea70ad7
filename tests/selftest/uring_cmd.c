// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Calls as commands of io_uring: each does what its ioctl does, wherever io_uring
 * does it; what is no command is refused; and a chain of I/O and commands holds,
 * or breaks where it should. What every call refuses is asked of commands in
 * badinput.c. Files are made in the current directory.
 */
#include <fcntl.h>

#include "command.h"
#include "ktap.h"

#define BLOCK	4096U

/* Where a command is done. */
struct way {
	unsigned int setup;	/* IORING_SETUP_* */
	unsigned int sqe;	/* IOSQE_* */
};

static const struct way ways[] = {
	{ 0, 0 },			/* at once, if it need not sleep */
	{ 0, IOSQE_ASYNC },		/* by a worker */
	{ IORING_SETUP_SQPOLL, 0 },	/* by the kernel's thread */
	{ IORING_SETUP_SQE128, 0 },
	{ IORING_SETUP_CQE32, 0 },
};

#define WAYS	(sizeof(ways) / sizeof(ways[0]))

static const unsigned int commands[] = {
	ZCBUF_NR_ALLOC, ZCBUF_NR_FREE, ZCBUF_NR_BUF_INFO, ZCBUF_NR_TRANSFER,
	ZCBUF_NR_RESERVE, ZCBUF_NR_COMMIT, ZCBUF_NR_ABORT, ZCBUF_NR_RECEIVE,
	ZCBUF_NR_RELEASE, ZCBUF_NR_SHARE, ZCBUF_NR_PUBLISH,
};

#define COMMANDS	(sizeof(commands) / sizeof(commands[0]))

static bool is_command(unsigned int nr)
{
	size_t i;

	for (i = 0; i < COMMANDS; i++)
		if (commands[i] == nr)
			return true;
	return false;
}

/* Such a ring completes nothing but what is done before the submission returns. */
static void ring_that_waits(struct io_uring *ring)
{
	cmd_ring_init(ring, IORING_SETUP_SINGLE_ISSUER |
		      IORING_SETUP_DEFER_TASKRUN);
}

/* ------------------------------------------------ as the ioctl, all the ways */

/* When a group was complete differs from one pool to the next. */
static void forget_times(const struct call *c, struct attempt *t)
{
	struct zcbuf_delivery *d = (void *)t->array[0];
	int i;

	for (i = 0; c->nr == ZCBUF_NR_RECEIVE && i < CALLS_ENTRIES; i++)
		d[i].time_ns = 0;
}

static void same_answers(const struct call *c, struct attempt *a,
			 struct attempt *b)
{
	int i;

	EXPECT_EQ(call_get32(a, c->done), call_get32(b, c->done));
	EXPECT_EQ(call_get32(a, c->done + 4), call_get32(b, c->done + 4));
	forget_times(c, a);
	forget_times(c, b);
	for (i = 0; i < CALLS_ARRAYS; i++)
		if (memcmp(a->array[i], b->array[i], sizeof(a->array[i]))) {
			TEST_LOG("%s: array %d differs", c->name, i);
			ktap_note_failure();
		}
}

static void same_state(const struct rig *a, const struct rig *b)
{
	struct zcbuf_pool_info x, y;

	ASSERT_OK(zt_pool_info(a->fd, &x));
	ASSERT_OK(zt_pool_info(b->fd, &y));
	x.out_pool = y.out_pool;
	EXPECT_EQ(memcmp(&x, &y, sizeof(x)), 0);
	EXPECT_EQ(zt_poll(a->fd, 0), zt_poll(b->fd, 0));
}

/* The second entry is none there ever was. */
static void spoil(const struct call *c, struct attempt *t)
{
	size_t entry = t->bytes[0] / CALLS_ENTRIES;

	if (c->nr == ZCBUF_NR_RESERVE)
		memset(t->array[0] + entry, 0, sizeof(__u64));
	else
		memset(t->array[0] + entry, 0x77, sizeof(__u64));
}

/* One pool by ioctl, one by command: @spoiled, all as it is or only the first. */
static void compare(const struct call *c, const struct way *w, bool spoiled,
		    __u32 flags)
{
	static struct attempt a, b;
	struct io_uring ring;
	struct rig x, y;
	int res, want;

	rig_open(&x);
	rig_open(&y);
	call_make(c, &x, &a);
	call_make(c, &y, &b);
	if (spoiled) {
		spoil(c, &a);
		spoil(c, &b);
	}
	ASSERT_OK(zt_call(x.fd, call_request(c), a.arg));
	cmd_ring_init(&ring, w->setup);
	res = cmd_run(&ring, y.fd, call_request(c), b.arg, flags, w->sqe);
	want = spoiled ? 1 : CALLS_ENTRIES;
	if (flags && spoiled)
		want = -(int)call_get32(&a, c->done + 4);
	EXPECT_EQ(res, want);
	same_answers(c, &a, &b);
	same_state(&x, &y);
	io_uring_queue_exit(&ring);
	rig_close(&x);
	rig_close(&y);
}

/* Blocks that CPUs keep would tell where it was done. */
static void equals(const void *arg)
{
	long depth = zt_parameter("l0_depth", 0);
	const struct call *c = arg;
	size_t i;

	for (i = 0; i < WAYS; i++)
		compare(c, &ways[i], false, 0);
	compare(c, &ways[0], false, ZCBUF_URING_F_ALL_OR_ERROR);
	zt_parameter("l0_depth", depth);
}

/* ALLOC and RECEIVE read no entries, theirs are below. */
static void equals_in_part(const void *arg)
{
	long depth = zt_parameter("l0_depth", 0);
	const struct call *c = arg;

	compare(c, &ways[0], true, 0);
	compare(c, &ways[0], true, ZCBUF_URING_F_ALL_OR_ERROR);
	compare(c, &ways[1], true, ZCBUF_URING_F_ALL_OR_ERROR);
	zt_parameter("l0_depth", depth);
}

TEST_WITH(equals, as_ioctl_alloc, &calls[ZCBUF_NR_ALLOC])
TEST_WITH(equals, as_ioctl_free, &calls[ZCBUF_NR_FREE])
TEST_WITH(equals, as_ioctl_buf_info, &calls[ZCBUF_NR_BUF_INFO])
TEST_WITH(equals, as_ioctl_transfer, &calls[ZCBUF_NR_TRANSFER])
TEST_WITH(equals, as_ioctl_share, &calls[ZCBUF_NR_SHARE])
TEST_WITH(equals, as_ioctl_publish, &calls[ZCBUF_NR_PUBLISH])
TEST_WITH(equals, as_ioctl_reserve, &calls[ZCBUF_NR_RESERVE])
TEST_WITH(equals, as_ioctl_commit, &calls[ZCBUF_NR_COMMIT])
TEST_WITH(equals, as_ioctl_abort, &calls[ZCBUF_NR_ABORT])
TEST_WITH(equals, as_ioctl_receive, &calls[ZCBUF_NR_RECEIVE])
TEST_WITH(equals, as_ioctl_release, &calls[ZCBUF_NR_RELEASE])
TEST_WITH(equals_in_part, part_of_free, &calls[ZCBUF_NR_FREE])
TEST_WITH(equals_in_part, part_of_buf_info, &calls[ZCBUF_NR_BUF_INFO])
TEST_WITH(equals_in_part, part_of_transfer, &calls[ZCBUF_NR_TRANSFER])
TEST_WITH(equals_in_part, part_of_share, &calls[ZCBUF_NR_SHARE])
TEST_WITH(equals_in_part, part_of_publish, &calls[ZCBUF_NR_PUBLISH])
TEST_WITH(equals_in_part, part_of_reserve, &calls[ZCBUF_NR_RESERVE])
TEST_WITH(equals_in_part, part_of_commit, &calls[ZCBUF_NR_COMMIT])
TEST_WITH(equals_in_part, part_of_abort, &calls[ZCBUF_NR_ABORT])
TEST_WITH(equals_in_part, part_of_release, &calls[ZCBUF_NR_RELEASE])

/* ------------------------------------------------------- at once, or later on */

/* Was it done before the submission returned? Then @res is what came of it. */
static bool at_once(struct io_uring *ring, int fd, unsigned int request,
		    void *arg, int *res)
{
	bool ready;

	cmd_prep(ring, fd, request, arg, 0);
	cmd_submit(ring, 1);
	ready = io_uring_cq_ready(ring);
	*res = cmd_result(ring);
	return ready;
}

TEST(what_need_not_sleep_is_done_at_once)
{
	static struct attempt t;
	struct io_uring ring;
	const struct call *c;
	struct rig r;
	size_t i;
	int res;

	ring_that_waits(&ring);
	for (i = 0; i < COMMANDS; i++) {
		c = &calls[commands[i]];
		rig_open(&r);
		call_make(c, &r, &t);
		EXPECT_EQ(at_once(&ring, r.fd, call_request(c), t.arg, &res),
			  c->nr != ZCBUF_NR_RESERVE &&
			  c->nr != ZCBUF_NR_TRANSFER &&
			  c->nr != ZCBUF_NR_SHARE &&
			  c->nr != ZCBUF_NR_PUBLISH);
		EXPECT_EQ(res, CALLS_ENTRIES);
		rig_close(&r);
	}
	io_uring_queue_exit(&ring);
}

static int reserve_at_once(struct io_uring *ring, int fd, __u64 channel,
			   __u64 length, bool *now)
{
	struct zcbuf_reservation r = { .length = length };
	struct zcbuf_reserve a = zt_arg(struct zcbuf_reserve,
		.channel = channel, .entries = zt_ptr(&r), .count = 1);
	int res;

	*now = at_once(ring, fd, ZCBUF_IOC_RESERVE, &a, &res);
	return res;
}

/* The block of a group is 64 KiB, once it was somebody else's. */
TEST(one_reservation_is_made_at_once)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	struct io_uring ring;
	__u64 channel, h;
	bool now;

	ASSERT_GE(fd, 0);
	ring_that_waits(&ring);
	ASSERT_OK(zt_stream(fd, 32768, 0, &channel));
	EXPECT_EQ(reserve_at_once(&ring, fd, channel, 8, &now), 1);
	EXPECT_TRUE(now);
	ASSERT_OK(zt_channel_close(fd, channel, 0));
	ASSERT_OK(zt_alloc1(fd, ZT_ARENA, &h));
	ASSERT_OK(zt_free1(fd, h));
	ASSERT_OK(zt_stream(fd, 32768, 0, &channel));
	EXPECT_EQ(reserve_at_once(&ring, fd, channel, 8, &now), 1);
	EXPECT_FALSE(now);
	EXPECT_EQ(reserve_at_once(&ring, fd, channel, 8, &now), 1);
	EXPECT_TRUE(now);
	EXPECT_ERR(reserve_at_once(&ring, fd, channel, 0, &now), EINVAL);
	EXPECT_TRUE(now);
	ASSERT_OK(zt_alloc1(fd, ZT_MIB, &h));
	EXPECT_ERR(reserve_at_once(&ring, fd, channel, ZT_MIB, &now), EAGAIN);
	EXPECT_TRUE(now);
	io_uring_queue_exit(&ring);
	close(fd);
}

static int alloc_at_once(struct io_uring *ring, int fd, __u64 length,
			 __u32 flags, __u64 *handles, __u32 count, bool *now)
{
	struct zcbuf_alloc a = zt_arg(struct zcbuf_alloc, .flags = flags,
		.length = length, .handles = zt_ptr(handles), .count = count);
	int res;

	*now = at_once(ring, fd, ZCBUF_IOC_ALLOC, &a, &res);
	return res;
}

TEST(many_entries_are_done_later)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	static __u64 handles[65];
	struct io_uring ring;
	bool now;

	ASSERT_GE(fd, 0);
	ring_that_waits(&ring);
	EXPECT_EQ(alloc_at_once(&ring, fd, 0, 0, handles, 64, &now), 64);
	EXPECT_TRUE(now);
	EXPECT_EQ(zt_free(fd, handles, 64), 64);
	EXPECT_EQ(alloc_at_once(&ring, fd, 0, 0, handles, 65, &now), 65);
	EXPECT_FALSE(now);
	EXPECT_EQ(zt_used(fd), 65 * ZT_PAGE);
	io_uring_queue_exit(&ring);
	close(fd);
}

/* All of the pool has been somebody else's. */
static int used_pool(struct zcbuf_pool_create *a)
{
	int first = zt_pool_as(a), fd;
	char *p = zt_map(first, PROT_READ | PROT_WRITE, ZT_ARENA);
	__u64 length, handle;

	ASSERT_NE(p, NULL);
	fd = zt_join(first, 0);
	ASSERT_GE(fd, 0);
	for (length = ZT_ARENA; length >= ZT_PAGE; length /= 2)
		while (!zt_alloc1(first, length, &handle))
			;
	memset(p, 0x5a, ZT_ARENA);
	munmap(p, ZT_ARENA);
	close(first);
	return fd;
}

static void zeroed_later(struct zcbuf_pool_create *a, __u64 little, __u64 much)
{
	struct io_uring ring;
	__u64 handle;
	int fd, i;
	char *p;
	bool now;

	fd = used_pool(a);
	p = zt_map(fd, PROT_READ | PROT_WRITE, ZT_ARENA);
	ring_that_waits(&ring);
	EXPECT_EQ(alloc_at_once(&ring, fd, little, 0, &handle, 1, &now), 1);
	EXPECT_TRUE(now);
	EXPECT_FILLED(p + zcbuf_buf_offset(handle), 0, little);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(alloc_at_once(&ring, fd, much, 0, &handle, 1, &now),
			  1);
		EXPECT_EQ(now, i);	/* the second time it is ours */
		EXPECT_FILLED(p + zcbuf_buf_offset(handle), 0, much);
		EXPECT_OK(zt_free1(fd, handle));
	}
	EXPECT_EQ(alloc_at_once(&ring, fd, much, ZCBUF_ALLOC_F_ZERO, &handle, 1,
				&now), 1);
	EXPECT_FALSE(now);
	munmap(p, ZT_ARENA);
	io_uring_queue_exit(&ring);
	close(fd);
}

TEST(much_is_zeroed_later)
{
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.arena_size = ZT_ARENA);

	zt_stay();
	zeroed_later(&a, 16384, 32768);
}

TEST(much_is_zeroed_later_fixed)
{
	struct zcbuf_class table[] = { { 16384, 8 }, { 32768, 4 } };
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.kind = ZCBUF_POOL_FIXED, .classes = zt_ptr(table),
		.nclasses = 2);

	zeroed_later(&a, 16384, 32768);
}

TEST(what_needs_not_be_zeroed)
{
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.flags = ZCBUF_POOL_F_NO_ZERO_ON_REUSE, .arena_size = ZT_ARENA);
	int fd = used_pool(&a);
	struct io_uring ring;
	__u64 handle;
	bool now;

	ring_that_waits(&ring);
	EXPECT_EQ(alloc_at_once(&ring, fd, ZT_MIB, 0, &handle, 1, &now), 1);
	EXPECT_TRUE(now);
	io_uring_queue_exit(&ring);
	close(fd);
}

/* What it has got by then goes back, and it begins again where it may sleep. */
TEST(an_arena_more_is_made_later)
{
	int fd = zt_pool_growing(ZCBUF_POOL_F_AUTO_GROW, 2);
	struct zcbuf_pool_info info;
	struct io_uring ring;
	__u64 handles[3];
	bool now;

	ASSERT_GE(fd, 0);
	ring_that_waits(&ring);
	EXPECT_EQ(alloc_at_once(&ring, fd, ZT_MIB, 0, handles, 3, &now), 3);
	EXPECT_FALSE(now);
	ASSERT_OK(zt_pool_info(fd, &info));
	EXPECT_EQ(info.out_arenas, 2);
	EXPECT_EQ(info.out_used, 3 * ZT_MIB);
	EXPECT_EQ(zt_free(fd, handles, 3), 3);
	io_uring_queue_exit(&ring);
	close(fd);
}

/* --------------------------------------------------------------- nobody waits */

struct stream {
	struct io_uring ring;
	int fd;
	__u64 channel;
	struct zcbuf_delivery d;
};

static void stream_open(struct stream *s, __u64 threshold, unsigned int setup)
{
	memset(s, 0, sizeof(*s));
	cmd_ring_init(&s->ring, setup);
	s->fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	ASSERT_GE(s->fd, 0);
	ASSERT_OK(zt_stream(s->fd, threshold, 0, &s->channel));
}

static void stream_close(struct stream *s)
{
	io_uring_queue_exit(&s->ring);
	close(s->fd);
}

static struct zcbuf_receive receive_arg(struct stream *s)
{
	return zt_arg(struct zcbuf_receive, .channel = s->channel,
		      .entries = zt_ptr(&s->d), .count = 1,
		      .entry_size = sizeof(s->d));
}

TEST(nothing_ready_is_a_result)
{
	struct zcbuf_receive a;
	struct stream s;
	size_t i;

	for (i = 0; i < WAYS; i++) {
		stream_open(&s, 0, ways[i].setup);
		a = receive_arg(&s);
		EXPECT_ERR(cmd_run(&s.ring, s.fd, ZCBUF_IOC_RECEIVE, &a, 0,
				   ways[i].sqe), EAGAIN);
		EXPECT_EQ(a.out_done, 0);
		EXPECT_EQ(a.out_error, EAGAIN);
		stream_close(&s);
	}
}

TEST(nothing_ready_is_known_at_once)
{
	struct zcbuf_receive a;
	struct stream s;
	int res;

	stream_open(&s, 0, IORING_SETUP_SINGLE_ISSUER |
		    IORING_SETUP_DEFER_TASKRUN);
	a = receive_arg(&s);
	EXPECT_TRUE(at_once(&s.ring, s.fd, ZCBUF_IOC_RECEIVE, &a, &res));
	EXPECT_ERR(res, EAGAIN);
	stream_close(&s);
}

TEST(no_room_is_a_result)
{
	struct zcbuf_reservation r = { .length = ZT_MIB };
	struct zcbuf_reserve a = zt_arg(struct zcbuf_reserve,
		.entries = zt_ptr(&r), .count = 1);
	struct zcbuf_alloc alloc = zt_arg(struct zcbuf_alloc, .length = ZT_MIB,
		.count = 1);
	struct stream s;
	__u64 h;
	size_t i;

	for (i = 0; i < WAYS; i++) {
		stream_open(&s, 0, ways[i].setup);
		ASSERT_OK(zt_alloc1(s.fd, ZT_ARENA, &h));
		a.channel = s.channel;
		EXPECT_ERR(cmd_run(&s.ring, s.fd, ZCBUF_IOC_RESERVE, &a, 0,
				   ways[i].sqe), EAGAIN);
		alloc.handles = zt_ptr(&h);
		EXPECT_ERR(cmd_run(&s.ring, s.fd, ZCBUF_IOC_ALLOC, &alloc, 0,
				   ways[i].sqe), ENOMEM);
		stream_close(&s);
	}
}

/* What the manual says instead: poll, and then the command. All in one ring. */
TEST(poll_and_receive)
{
	struct zcbuf_reservation r;
	struct zcbuf_commit_entry e;
	struct zcbuf_batch commit = zt_arg(struct zcbuf_batch,
		.entries = zt_ptr(&e), .count = 1);
	struct zcbuf_receive a;
	struct io_uring_sqe *sqe;
	struct stream s;

	stream_open(&s, 0, 0);
	a = receive_arg(&s);
	commit.channel = s.channel;
	ASSERT_OK(zt_reserve1(s.fd, s.channel, 100, &r));
	e = (struct zcbuf_commit_entry){
		.group = r.out_group, .id = r.out_id, .length = 100,
	};
	sqe = io_uring_get_sqe(&s.ring);
	io_uring_prep_poll_add(sqe, s.fd, POLLIN);
	sqe->flags |= IOSQE_IO_LINK;
	cmd_prep(&s.ring, s.fd, ZCBUF_IOC_RECEIVE, &a, 0);
	cmd_submit(&s.ring, 2);
	EXPECT_EQ(io_uring_cq_ready(&s.ring), 0);
	EXPECT_EQ(cmd_run(&s.ring, s.fd, ZCBUF_IOC_COMMIT, &commit, 0, 0), 1);
	EXPECT_TRUE(cmd_result(&s.ring) & POLLIN);
	EXPECT_EQ(cmd_result(&s.ring), 1);
	EXPECT_EQ(s.d.length, 100);
	stream_close(&s);
}

/* Entries of the other size, also by who must not sleep. */
TEST(tags_of_windows)
{
	struct zcbuf_reservation w[2] = { { .length = 8 }, { .length = 9 } };
	struct zcbuf_commit_tagged e[2];
	struct zcbuf_batch commit = zt_arg(struct zcbuf_batch,
		.flags = ZCBUF_COMMIT_F_TAGGED, .entries = zt_ptr(e),
		.count = 2);
	struct zcbuf_receive a;
	struct stream s;
	int i;

	stream_open(&s, 0, 0);
	ASSERT_EQ(zt_reserve(s.fd, s.channel, w, 2, ZCBUF_RESERVE_F_WINDOW, 0),
		  2);
	for (i = 0; i < 2; i++)
		e[i] = (struct zcbuf_commit_tagged){
			.entry = { .group = w[i].out_group, .id = w[i].out_id,
				   .offset = w[i].out_offset,
				   .length = w[i].length },
			.user_tag = 5 + i, .encoding = 7 + i,
		};
	commit.channel = s.channel;
	EXPECT_EQ(cmd_run(&s.ring, s.fd, ZCBUF_IOC_COMMIT, &commit,
			  ZCBUF_URING_F_ALL_OR_ERROR, 0), 2);
	for (i = 0; i < 2; i++) {
		a = receive_arg(&s);
		EXPECT_EQ(cmd_run(&s.ring, s.fd, ZCBUF_IOC_RECEIVE, &a, 0, 0),
			  1);
		EXPECT_EQ(s.d.user_tag, 5 + i);
		EXPECT_EQ(s.d.encoding, 7 + i);
	}
	stream_close(&s);
}

/* What is released of several channels a worker releases. */
TEST(of_any_channel)
{
	struct zcbuf_release_entry e;
	struct zcbuf_batch release = zt_arg(struct zcbuf_batch,
		.entries = zt_ptr(&e), .count = 1);
	struct zcbuf_receive a;
	struct stream s;
	size_t i;

	for (i = 0; i < WAYS; i++) {
		stream_open(&s, 0, ways[i].setup);
		a = receive_arg(&s);
		a.channel = 0;
		EXPECT_ERR(cmd_run(&s.ring, s.fd, ZCBUF_IOC_RECEIVE, &a, 0,
				   ways[i].sqe), EAGAIN);
		hz_put(s.fd, s.channel, 100);
		EXPECT_EQ(cmd_run(&s.ring, s.fd, ZCBUF_IOC_RECEIVE, &a, 0,
				  ways[i].sqe), 1);
		EXPECT_EQ(s.d.channel, s.channel);
		e.channel = s.d.channel;
		e.handle = s.d.handle;
		EXPECT_EQ(cmd_run(&s.ring, s.fd, ZCBUF_IOC_RELEASE, &release, 0,
				  ways[i].sqe), 1);
		EXPECT_EQ(zt_used(s.fd), 0);
		stream_close(&s);
	}
}

TEST(a_session_that_never_waits)
{
	struct zcbuf_receive a;
	struct stream s;

	stream_open(&s, 0, 0);
	ASSERT_OK(fcntl(s.fd, F_SETFL, O_RDWR | O_NONBLOCK));
	a = receive_arg(&s);
	EXPECT_ERR(cmd_run(&s.ring, s.fd, ZCBUF_IOC_RECEIVE, &a, 0,
			   IOSQE_ASYNC), EAGAIN);
	hz_put(s.fd, s.channel, 100);
	EXPECT_EQ(cmd_run(&s.ring, s.fd, ZCBUF_IOC_RECEIVE, &a, 0, 0), 1);
	stream_close(&s);
}

/* -------------------------------------------------------------------- refused */

TEST(calls_that_are_no_commands)
{
	static struct attempt t;
	struct io_uring ring;
	struct rig r;
	size_t i;

	cmd_ring_init(&ring, 0);
	rig_open(&r);
	for (i = 0; i < NR_CALLS; i++) {
		if (is_command(calls[i].nr))
			continue;
		call_make(&calls[i], &r, &t);
		EXPECT_ERR(cmd_run(&ring, call_fd(&calls[i], &r),
				   call_request(&calls[i]), t.arg, 0,
				   i & 1 ? IOSQE_ASYNC : 0), EOPNOTSUPP);
	}
	EXPECT_ERR(cmd_run(&ring, r.fd, _IO(ZCBUF_IOC_TYPE, NR_CALLS), t.arg, 0,
			   0), ENOTTY);
	EXPECT_ERR(cmd_run(&ring, r.fd, _IO(ZCBUF_IOC_TYPE, 255), t.arg, 0, 0),
		   ENOTTY);
	EXPECT_ERR(cmd_run(&ring, r.fd, _IO(ZCBUF_IOC_TYPE + 1, ZCBUF_NR_FREE),
			   t.arg, 0, 0), ENOTTY);
	EXPECT_ERR(cmd_run(&ring, r.fd, ZCBUF_NR_FREE, t.arg, 0, 0), ENOTTY);
	EXPECT_ERR(cmd_run(&ring, r.fd, ~0U, t.arg, 0, 0), ENOTTY);
	io_uring_queue_exit(&ring);
	rig_close(&r);
}

TEST(deadlines)
{
	static const __u64 times[] = { 1, ZCBUF_NO_DEADLINE, 1ULL << 63 };
	static const struct {
		unsigned int nr;
		__u16 at;
	} waits[] = {
		{ ZCBUF_NR_ALLOC, CALL_AT(zcbuf_alloc, deadline_ns) },
		{ ZCBUF_NR_RESERVE, CALL_AT(zcbuf_reserve, deadline_ns) },
		{ ZCBUF_NR_RECEIVE, CALL_AT(zcbuf_receive, deadline_ns) },
	};
	static struct attempt t;
	struct io_uring ring;
	struct rig r;
	size_t i, k;

	cmd_ring_init(&ring, 0);
	rig_open(&r);
	for (i = 0; i < 3; i++)
		for (k = 0; k < 3; k++) {
			call_make(&calls[waits[i].nr], &r, &t);
			call_set64(&t, waits[i].at, times[k]);
			EXPECT_ERR(cmd_run(&ring, r.fd,
					   call_request(&calls[waits[i].nr]),
					   t.arg, 0, k ? IOSQE_ASYNC : 0),
				   EOPNOTSUPP);
		}
	io_uring_queue_exit(&ring);
	rig_close(&r);
}

TEST(payloads)
{
	struct iovec iov = { .iov_len = ZT_PAGE };
	static struct attempt t;
	struct io_uring_sqe *sqe;
	struct io_uring ring;
	struct rig r;
	int bit;

	cmd_ring_init(&ring, 0);
	rig_open(&r);
	call_make(&calls[ZCBUF_NR_FREE], &r, &t);
	for (bit = 1; bit < 32; bit++)
		EXPECT_ERR(cmd_run(&ring, r.fd, ZCBUF_IOC_FREE, t.arg,
				   1U << bit, bit & 1 ? IOSQE_ASYNC : 0),
			   EOPNOTSUPP);
	for (bit = 0; bit < 32; bit++) {
		sqe = cmd_prep(&ring, r.fd, ZCBUF_IOC_FREE, t.arg, 0);
		((struct zcbuf_uring_cmd *)sqe->cmd)->__reserved = 1U << bit;
		cmd_submit(&ring, 1);
		EXPECT_ERR(cmd_result(&ring), EOPNOTSUPP);
	}
	iov.iov_base = r.map;
	ASSERT_OK(io_uring_register_buffers(&ring, &iov, 1));
	sqe = cmd_prep(&ring, r.fd, ZCBUF_IOC_FREE, t.arg, 0);
	sqe->rw_flags = 1;	/* IORING_URING_CMD_FIXED */
	cmd_submit(&ring, 1);
	EXPECT_ERR(cmd_result(&ring), EOPNOTSUPP);
	EXPECT_EQ(cmd_run(&ring, r.fd, ZCBUF_IOC_FREE, t.arg, 0, 0),
		  CALLS_ENTRIES);
	io_uring_queue_exit(&ring);
	rig_close(&r);
}

TEST(rings_that_poll_for_io)
{
	static struct attempt t;
	struct io_uring ring;
	struct rig r;

	cmd_ring_init(&ring, IORING_SETUP_IOPOLL);
	rig_open(&r);
	call_make(&calls[ZCBUF_NR_FREE], &r, &t);
	EXPECT_ERR(cmd_run(&ring, r.fd, ZCBUF_IOC_FREE, t.arg, 0, 0),
		   EOPNOTSUPP);
	EXPECT_ERR(cmd_run(&ring, r.fd, ZCBUF_IOC_FREE, t.arg, 0, IOSQE_ASYNC),
		   EOPNOTSUPP);
	io_uring_queue_exit(&ring);
	rig_close(&r);
}

TEST(the_kernel_says_so)
{
	struct zcbuf_query q;

	ASSERT_OK(zt_query(zt_open(O_RDONLY), &q));
	EXPECT_TRUE(q.out_features & ZCBUF_FEATURE_URING_CMD);
}

KTAP_MAIN()

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Batches of each length: a few entries have room in the call itself, more need memory
 * of their own, and of two arrays either may. What is done has to be the same.
 */
#include "command.h"
#include "common.h"
#include "ktap.h"

#define MOST	20U	/* no few of anything */
#define GUARD	0x5a

static int session(void)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);

	ASSERT_GE(fd, 0);
	return fd;
}

/* Of different lengths, so that each entry is known again. */
static __u64 length_of(unsigned int i)
{
	return 100 + i;
}

/* -------------------------------------------------------------------- buffers */

static void expect_places(int fd, const __u64 *h, unsigned int n)
{
	struct zcbuf_buf_place p[MOST + 1];
	unsigned int i;

	memset(p, GUARD, sizeof(p));
	ASSERT_EQ(zt_buf_info(fd, h, p, n), (int)n);
	for (i = 0; i < n; i++) {
		EXPECT_EQ(p[i].offset, zcbuf_buf_offset(h[i]));
		EXPECT_EQ(p[i].capacity, ZT_PAGE);
		EXPECT_EQ(p[i].holders, 2);
	}
	EXPECT_FILLED(&p[n], GUARD, sizeof(*p));
}

TEST(buffers)
{
	int fd = session(), other = zt_join(fd, 0);
	__u64 h[MOST + 1];
	unsigned int n;

	ASSERT_GE(other, 0);
	for (n = 1; n <= MOST; n++) {
		memset(h, GUARD, sizeof(h));
		ASSERT_EQ(zt_alloc(fd, ZT_PAGE, 0, 0, h, n), (int)n);
		EXPECT_FILLED(&h[n], GUARD, sizeof(*h));
		ASSERT_EQ(zt_share(fd, zt_session(other), h, n), (int)n);
		expect_places(other, h, n);
		ASSERT_EQ(zt_free(fd, h, n), (int)n);
		ASSERT_EQ(zt_transfer(other, zt_session(fd), h, n), (int)n);
		EXPECT_EQ(zt_used(fd), n * ZT_PAGE);
		ASSERT_EQ(zt_free(fd, h, n), (int)n);
		EXPECT_EQ(zt_used(fd), 0);
	}
}

/* -------------------------------------------------------------------- records */

static __u64 stream(int fd)
{
	__u64 channel;

	ASSERT_OK(zt_stream(fd, 0, 0, &channel));
	return channel;
}

static void reserve(int fd, __u64 ch, struct zcbuf_reservation *r,
		    unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		r[i] = (struct zcbuf_reservation){ .length = length_of(i) };
	ASSERT_EQ(zt_reserve(fd, ch, r, n, 0, 0), (int)n);
}

static void fill_commits(struct zcbuf_commit_entry *e,
			 const struct zcbuf_reservation *r, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		e[i] = (struct zcbuf_commit_entry){
			.group = r[i].out_group, .id = r[i].out_id,
			.offset = r[i].out_offset, .length = r[i].length,
			.nrecords = i + 1,
		};
}

/* All of them come, by one call, and go by one. */
static void expect_records(int fd, __u64 ch, const struct zcbuf_reservation *r,
			   unsigned int n)
{
	struct zcbuf_delivery d[MOST + 1];
	__u64 h[MOST];
	unsigned int i;

	memset(d, GUARD, sizeof(d));
	ASSERT_EQ(zt_receive(fd, ch, d, n, 0), (int)n);
	EXPECT_FILLED(&d[n], GUARD, sizeof(*d));
	for (i = 0; i < n; i++) {
		EXPECT_EQ(d[i].group, r[i].out_group);
		EXPECT_EQ(d[i].length, length_of(i));
		EXPECT_EQ(d[i].nrecords, i + 1);
		EXPECT_EQ(d[i].extents[0].pool_offset, r[i].out_pool_offset);
		EXPECT_FILLED(&d[i].extents[1], 0, sizeof(d->extents[1]));
		h[i] = d[i].handle;
	}
	ASSERT_EQ(zt_release(fd, ch, h, n), (int)n);
	EXPECT_EQ(zt_used(fd), 0);
}

TEST(records)
{
	struct zcbuf_reservation r[MOST];
	struct zcbuf_commit_entry e[MOST];
	int fd = session();
	__u64 ch = stream(fd);
	unsigned int n;

	for (n = 1; n <= MOST; n++) {
		reserve(fd, ch, r, n);
		fill_commits(e, r, n);
		ASSERT_EQ(zt_commit(fd, ch, e, n), (int)n);
		expect_records(fd, ch, r, n);
	}
}

/* By who must not sleep: what is read first is kept beside what it is read of. */
TEST(records_by_commands)
{
	struct zcbuf_reservation r[MOST];
	struct zcbuf_commit_entry e[MOST];
	struct zcbuf_batch a = zt_arg(struct zcbuf_batch,
		.entries = zt_ptr(e));
	struct io_uring ring;
	int fd = session();
	unsigned int n;

	cmd_ring_init(&ring, 0);
	a.channel = stream(fd);
	for (n = 1; n <= MOST; n++) {
		reserve(fd, a.channel, r, n);
		fill_commits(e, r, n);
		a.count = n;
		ASSERT_EQ(cmd_run(&ring, fd, ZCBUF_IOC_COMMIT, &a, 0, 0),
			  (int)n);
		expect_records(fd, a.channel, r, n);
	}
	io_uring_queue_exit(&ring);
}

TEST(aborted)
{
	struct zcbuf_reservation r[MOST];
	struct zcbuf_abort_entry e[MOST];
	int fd = session();
	__u64 ch = stream(fd);
	unsigned int n, i;

	for (n = 1; n <= MOST; n++) {
		reserve(fd, ch, r, n);
		for (i = 0; i < n; i++)
			e[i] = (struct zcbuf_abort_entry){
				.group = r[i].out_group, .id = r[i].out_id,
			};
		ASSERT_EQ(zt_abort(fd, ch, e, n), (int)n);
		EXPECT_ERR(zt_abort(fd, ch, e + n - 1, 1), ESTALE);
	}
}

/* @n are committed, and then @m reserved. */
static void turn_over(int fd, __u64 ch, unsigned int n, unsigned int m)
{
	struct zcbuf_reservation r[MOST], next[MOST];
	struct zcbuf_commit_entry e[MOST];
	struct zcbuf_commit_reserve a = zt_arg(struct zcbuf_commit_reserve,
		.channel = ch, .commits = zt_ptr(e), .ncommits = n,
		.reserves = zt_ptr(next), .nreserves = m);
	unsigned int i;

	reserve(fd, ch, r, n);
	fill_commits(e, r, n);
	for (i = 0; i < m; i++)
		next[i] = (struct zcbuf_reservation){ .length = length_of(i) };
	ASSERT_OK(zt_commit_reserve(fd, &a));
	ASSERT_EQ(a.out_committed, n);
	ASSERT_EQ(a.out_reserved, m);
	fill_commits(e, next, m);
	ASSERT_EQ(zt_commit(fd, ch, e, m), (int)m);
	for (i = 0; i < m; i++)
		EXPECT_EQ(next[i].out_group, r[n - 1].out_group + 1 + i);
}

/* Either of its arrays has few entries, or many. */
TEST(turned_over)
{
	struct zcbuf_delivery d;
	int fd = session();
	__u64 ch = stream(fd);
	unsigned int n, m;

	for (n = 1; n <= 4; n++)
		for (m = 1; m <= 4; m++) {
			turn_over(fd, ch, n, m);
			while (zt_receive(fd, ch, &d, 1, 0) == 1)
				ASSERT_OK(zt_release1(fd, ch, d.handle));
		}
	EXPECT_EQ(zt_used(fd), 0);
}

/* ------------------------------------------------------------------- messages */

TEST(messages)
{
	struct zcbuf_publication p[MOST];
	struct zcbuf_delivery d[MOST];
	struct zcbuf_channel_open o = {
		.flags = ZCBUF_CHANNEL_F_TOPIC,
		.ports = ZCBUF_PORT_PRODUCE | ZCBUF_PORT_CONSUME,
	};
	int fd = session();
	unsigned int n, i;
	__u64 h[MOST];

	ASSERT_OK(zt_channel_open(fd, &o));
	for (n = 1; n <= MOST; n++) {
		ASSERT_EQ(zt_alloc(fd, ZT_PAGE, 0, 0, h, n), (int)n);
		for (i = 0; i < n; i++)
			p[i] = (struct zcbuf_publication){
				.handle = h[i], .length = length_of(i),
			};
		ASSERT_EQ(zt_publish(fd, o.out_channel, p, n, 0, 0), (int)n);
		ASSERT_EQ(zt_receive(fd, o.out_channel, d, n, 0), (int)n);
		for (i = 0; i < n; i++) {
			EXPECT_EQ(p[i].out_seq, d[i].seq);
			EXPECT_EQ(p[i].out_delivered, 1);
			EXPECT_EQ(d[i].length, length_of(i));
			h[i] = d[i].handle;
		}
		ASSERT_EQ(zt_release(fd, o.out_channel, h, n), (int)n);
		EXPECT_EQ(zt_used(fd), 0);
	}
}

KTAP_MAIN()

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The scenarios of reservations and groups that speak of the kernel itself,
 * as plain ioctls: what COMMIT checks and in which order, ids, batches, queues.
 */
#include <fcntl.h>
#include <sys/eventfd.h>

#include "common.h"
#include "ktap.h"

/* A session that does all, and its stream. */
struct raw {
	int fd;
	__u64 ch;
	unsigned char *base;
	int hold;
};

static const int hold = 1;
static const int prompt;

#define RAW(id)								\
	static void raw_##id(const void *arg);				\
	TEST_WITH(raw_##id, raw_scenario_##id##_hold, &hold)		\
	TEST_WITH(raw_##id, raw_scenario_##id##_prompt, &prompt)	\
	static void raw_##id(const void *arg)

static struct raw raw_open(const void *variant, __u64 threshold)
{
	struct raw r = { .hold = *(const int *)variant };

	r.fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	ASSERT_GE(r.fd, 0);
	r.base = zt_map(r.fd, PROT_READ | PROT_WRITE, ZT_ARENA);
	ASSERT_TRUE(r.base);
	ASSERT_OK(zt_stream(r.fd, threshold,
			    r.hold ? ZCBUF_CHANNEL_F_HOLD_FAILED : 0, &r.ch));
	return r;
}

static void raw_close(struct raw *r)
{
	EXPECT_EQ(zt_used(r->fd), 0);
	EXPECT_OK(zt_channel_close(r->fd, r->ch, 0));
	EXPECT_EQ(munmap(r->base, ZT_ARENA), 0);
	EXPECT_EQ(close(r->fd), 0);
}

static struct zcbuf_reservation raw_reserve(struct raw *r, __u64 length)
{
	struct zcbuf_reservation v;

	ASSERT_OK(zt_reserve1(r->fd, r->ch, length, &v));
	EXPECT_EQ(v.length, length);
	return v;
}

static void raw_fill(struct raw *r, const struct zcbuf_reservation *v,
		     unsigned char byte)
{
	memset(r->base + v->out_pool_offset, byte, v->length);
	EXPECT_OK(zt_commit1(r->fd, r->ch, v));
}

/* The next group is @offset, @length of @byte, in one extent; release it. */
static void raw_take(struct raw *r, __u64 offset, __u64 length,
		     unsigned char byte)
{
	struct zcbuf_delivery d;

	ASSERT_EQ(zt_receive(r->fd, r->ch, &d, 1, 0), 1);
	EXPECT_EQ(d.offset, offset);
	EXPECT_EQ(d.length, length);
	ASSERT_EQ(d.nextents, 1);
	EXPECT_EQ(d.extents[0].length, length);
	EXPECT_FILLED(r->base + d.extents[0].pool_offset, byte, length);
	EXPECT_OK(zt_release1(r->fd, r->ch, d.handle));
}

static int raw_success(struct raw *r)
{
	struct zcbuf_delivery d;

	return zt_receive(r->fd, r->ch, &d, 1, 0);
}

static int raw_failure(struct raw *r)
{
	struct zcbuf_receive_failed f = { .npieces = 0 };

	return zt_receive_failed(r->fd, r->ch, &f);
}

/* The next failed group has just these lost ones and no pieces; release it. */
static void raw_take_failed(struct raw *r, __u64 group,
			    const struct zcbuf_lost *want, __u32 n)
{
	struct zcbuf_lost lost[8] = { { 0, 0, 0 } };
	struct zcbuf_receive_failed f = {
		.lost = zt_ptr(lost), .nlost = 8,
	};
	__u32 i;

	ASSERT_OK(zt_receive_failed(r->fd, r->ch, &f));
	EXPECT_EQ(f.out_delivery.group, group);
	EXPECT_EQ(f.npieces, 0);
	EXPECT_EQ(f.nlost, n);
	for (i = 0; i < n; i++) {
		EXPECT_EQ(lost[i].id, want[i].id);
		EXPECT_EQ(lost[i].offset, want[i].offset);
		EXPECT_EQ(lost[i].length, want[i].length);
	}
	EXPECT_OK(zt_release1(r->fd, r->ch, f.out_delivery.handle));
}

static void raw_finalize(struct raw *r, __u64 success, __u64 failure,
			 __u64 reservations)
{
	struct zcbuf_finalize a;

	ASSERT_OK(zt_finalize(r->fd, r->ch, &a));
	EXPECT_EQ(a.out_success, success);
	EXPECT_EQ(a.out_failure, failure);
	EXPECT_EQ(a.out_reservations, reservations);
}

static void raw_ended(struct raw *r)
{
	EXPECT_ERR(raw_success(r), ESHUTDOWN);
	EXPECT_ERR(raw_failure(r), ESHUTDOWN);
}

/* ------------------------------------------------------- reservations, groups */

RAW(7_nothing_cannot_be_reserved)
{
	struct zcbuf_reservation v[2] = { { .length = 10 }, { .length = 0 } };
	struct raw r = raw_open(arg, 100);

	EXPECT_ERR(zt_reserve1(r.fd, r.ch, 0, &v[1]), EINVAL);
	v[1].length = 0;
	EXPECT_EQ(zt_reserve(r.fd, r.ch, v, 2, 0, 0), 1);
	EXPECT_EQ(v[0].out_id, 0);
	EXPECT_EQ(v[0].out_offset, 0);
	EXPECT_EQ(v[0].out_group, 0);
	raw_fill(&r, &v[0], 7);
	raw_finalize(&r, 1, 0, 0);
	raw_take(&r, 0, 10, 7);
	raw_ended(&r);
	raw_close(&r);
}

RAW(8_ids_and_offsets)
{
	struct zcbuf_reservation v[3] = {
		{ .length = 50 }, { .length = 40 }, { .length = 30 },
	};
	static const __u64 offset[] = { 0, 50, 90 };
	struct raw r = raw_open(arg, 1000);
	int i;

	ASSERT_EQ(zt_reserve(r.fd, r.ch, v, 3, 0, 0), 3);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(v[i].out_id, i);
		EXPECT_EQ(v[i].out_group, 0);
		EXPECT_EQ(v[i].out_offset, offset[i]);
		EXPECT_EQ(v[i].out_pool_offset - v[0].out_pool_offset,
			  offset[i]);
		raw_fill(&r, &v[i], 8);
	}
	raw_finalize(&r, 1, 0, 0);
	raw_take(&r, 0, 120, 8);
	raw_ended(&r);
	raw_close(&r);
}

RAW(9_a_group_seals_when_it_is_reserved_full)
{
	struct zcbuf_reservation v[3] = {
		{ .length = 50 }, { .length = 40 }, { .length = 1 },
	};
	struct raw r = raw_open(arg, 80);

	ASSERT_EQ(zt_reserve(r.fd, r.ch, v, 3, 0, 0), 3);
	EXPECT_EQ(v[1].out_group, 0);
	EXPECT_EQ(v[1].out_offset, 50);
	EXPECT_EQ(v[2].out_group, 1);
	EXPECT_EQ(v[2].out_offset, 90);
	EXPECT_ERR(raw_success(&r), EAGAIN);
	raw_fill(&r, &v[0], 9);
	raw_fill(&r, &v[1], 9);
	raw_take(&r, 0, 90, 9);
	EXPECT_OK(zt_abort1(r.fd, r.ch, &v[2]));
	raw_finalize(&r, 0, 1, 0);
	raw_take_failed(&r, 1, &(struct zcbuf_lost){ 2, 90, 1 }, 1);
	raw_ended(&r);
	raw_close(&r);
}

RAW(9_a_large_one_is_sealed_at_birth)
{
	struct raw r = raw_open(arg, 50);
	struct zcbuf_reservation v[2];

	v[0] = raw_reserve(&r, 60);
	v[1] = raw_reserve(&r, 30);
	EXPECT_EQ(v[0].out_group, 0);
	EXPECT_EQ(v[1].out_group, 1);
	raw_fill(&r, &v[0], 1);
	raw_take(&r, 0, 60, 1);
	raw_fill(&r, &v[1], 2);
	raw_finalize(&r, 1, 0, 0);
	raw_take(&r, 60, 30, 2);
	raw_ended(&r);
	raw_close(&r);
}

RAW(11_threshold_0_is_a_group_each)
{
	struct raw r = raw_open(arg, 0);
	struct zcbuf_reservation v;
	struct zcbuf_delivery d[4];
	__u64 handles[3];
	int i;

	for (i = 0; i < 3; i++) {
		v = raw_reserve(&r, 5);
		EXPECT_EQ(v.out_group, i);
		raw_fill(&r, &v, i + 1);
	}
	ASSERT_EQ(zt_receive(r.fd, r.ch, d, 4, 0), 3);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(d[i].offset, 5 * i);
		EXPECT_EQ(d[i].length, 5);
		EXPECT_EQ(d[i].seq, i);
		EXPECT_FILLED(r.base + d[i].extents[0].pool_offset, i + 1, 5);
		handles[i] = d[i].handle;
	}
	EXPECT_EQ(zt_release(r.fd, r.ch, handles, 3), 3);
	raw_finalize(&r, 0, 0, 0);
	raw_ended(&r);
	raw_close(&r);
}

RAW(13_order_of_completion)
{
	struct raw r = raw_open(arg, 100);
	struct zcbuf_reservation v[3];
	int i;

	for (i = 0; i < 3; i++)
		v[i] = raw_reserve(&r, 100);
	for (i = 2; i >= 0; i--)
		raw_fill(&r, &v[i], i + 1);
	for (i = 2; i >= 0; i--)
		raw_take(&r, 100 * i, 100, i + 1);
	raw_finalize(&r, 0, 0, 0);
	raw_ended(&r);
	raw_close(&r);
}

RAW(16_finalize_and_a_straggler)
{
	struct zcbuf_piece piece;
	struct zcbuf_lost lost;
	struct zcbuf_receive_failed f = {
		.pieces = zt_ptr(&piece), .lost = zt_ptr(&lost),
		.npieces = 1, .nlost = 1,
	};
	struct raw r = raw_open(arg, 200);
	struct zcbuf_reservation v[2], w;

	v[0] = raw_reserve(&r, 30);
	v[1] = raw_reserve(&r, 20);
	raw_fill(&r, &v[0], 1);
	raw_finalize(&r, 0, 1, 1);
	ASSERT_OK(zt_receive_failed(r.fd, r.ch, &f));
	EXPECT_EQ(piece.offset, 0);
	EXPECT_EQ(piece.length, 30);
	EXPECT_EQ(piece.pool_offset, v[0].out_pool_offset);
	EXPECT_EQ(lost.id, 1);
	EXPECT_EQ(lost.offset, 30);
	EXPECT_EQ(lost.length, 20);
	EXPECT_EQ(f.out_delivery.length, 50);
	EXPECT_OK(zt_release1(r.fd, r.ch, f.out_delivery.handle));
	EXPECT_EQ(zt_used(r.fd), ZT_PAGE);
	EXPECT_ERR(zt_commit1(r.fd, r.ch, &v[0]), ESHUTDOWN);
	EXPECT_EQ(zt_used(r.fd), ZT_PAGE);	/* not the one it waits for */
	EXPECT_ERR(zt_commit1(r.fd, r.ch, &v[1]), ESHUTDOWN);
	EXPECT_EQ(zt_used(r.fd), 0);
	EXPECT_ERR(zt_reserve1(r.fd, r.ch, 10, &w), ESHUTDOWN);
	EXPECT_ERR(zt_flush(r.fd, r.ch), ESHUTDOWN);
	raw_finalize(&r, 0, 0, 0);
	raw_ended(&r);
	raw_close(&r);
}

/* --------------------------------------------------------- 19: commit's checks */

static int commit_chunks(struct raw *r, const struct zcbuf_reservation *v,
			 const __u64 *chunks, __u32 n)
{
	struct zcbuf_commit_entry e = {
		.group = v->out_group, .id = v->out_id,
		.offset = v->out_offset, .chunks = zt_ptr(chunks), .nchunks = n,
	};
	int done = zt_commit(r->fd, r->ch, &e, 1);

	return done < 0 ? done : 0;
}

static int commit_length(struct raw *r, struct zcbuf_reservation v,
			 __u64 length)
{
	v.length = length;
	return zt_commit1(r->fd, r->ch, &v);
}

RAW(19_wrong_commits_leave_it_pending)
{
	static const __u64 over[] = { 5, 6 }, under[] = { 5, 4 };
	static const __u64 wraps[] = { 11, -1ULL }, right[] = { 5, 0, 5 };
	struct raw r = raw_open(arg, 1000);
	struct zcbuf_reservation v, w;

	v = raw_reserve(&r, 10);
	memset(r.base + v.out_pool_offset, 0x19, 10);
	EXPECT_ERR(commit_length(&r, v, 9), EMSGSIZE);
	EXPECT_ERR(commit_length(&r, v, 11), EMSGSIZE);
	EXPECT_ERR(commit_length(&r, v, 0), EMSGSIZE);
	EXPECT_ERR(commit_chunks(&r, &v, over, 2), ERANGE);
	EXPECT_ERR(commit_chunks(&r, &v, under, 2), EMSGSIZE);
	EXPECT_ERR(commit_chunks(&r, &v, wraps, 2), ERANGE);
	w = v;
	w.out_offset++;
	EXPECT_ERR(zt_commit1(r.fd, r.ch, &w), EINVAL);
	w = v;
	w.out_id = 99;
	EXPECT_ERR(zt_commit1(r.fd, r.ch, &w), ENOENT);
	w = v;
	w.out_group = 77;
	EXPECT_ERR(zt_commit1(r.fd, r.ch, &w), ENOENT);
	EXPECT_ERR(raw_success(&r), EAGAIN);
	EXPECT_OK(commit_chunks(&r, &v, right, 3));
	EXPECT_ERR(commit_length(&r, v, 10), EALREADY);
	EXPECT_ERR(zt_abort1(r.fd, r.ch, &v), EALREADY);
	raw_finalize(&r, 1, 0, 0);
	raw_take(&r, 0, 10, 0x19);
	raw_ended(&r);
	raw_close(&r);
}

/* Each wrong thing alone is known; two at once answer the one that is first. */
RAW(19_the_order_of_the_checks)
{
	struct raw r = raw_open(arg, 1000);
	struct zcbuf_reservation v, w, done, failed;
	int other;

	v = raw_reserve(&r, 10);
	done = raw_reserve(&r, 10);
	failed = raw_reserve(&r, 10);
	raw_fill(&r, &done, 1);
	EXPECT_OK(zt_abort1(r.fd, r.ch, &failed));
	other = zt_join(r.fd, 0);
	ASSERT_GE(other, 0);
	EXPECT_ERR(zt_commit1(other, r.ch, &v), EPERM);	/* no port at all */
	ASSERT_OK(zt_ports(other, r.ch, ZCBUF_PORT_PRODUCE));

	w = v;
	w.out_group = 77;
	w.out_offset++;
	EXPECT_ERR(zt_commit1(other, r.ch, &w), ENOENT);
	w = v;
	w.out_offset++;
	EXPECT_ERR(zt_commit1(other, r.ch, &w), EPERM);
	EXPECT_ERR(zt_abort1(other, r.ch, &v), EPERM);
	w = done;
	w.out_offset++;
	EXPECT_ERR(zt_commit1(r.fd, r.ch, &w), EINVAL);
	EXPECT_ERR(commit_length(&r, done, 9), EALREADY);
	EXPECT_ERR(commit_length(&r, failed, 9), ESTALE);
	EXPECT_ERR(zt_abort1(r.fd, r.ch, &failed), ESTALE);
	close(other);

	EXPECT_OK(zt_commit1(r.fd, r.ch, &v));
	raw_finalize(&r, 0, 1, 0);
	w.out_group = 77;
	EXPECT_ERR(zt_commit1(r.fd, r.ch, &w), ESHUTDOWN);
	EXPECT_ERR(zt_abort1(r.fd, r.ch, &w), ESHUTDOWN);
	EXPECT_OK(zt_channel_close(r.fd, r.ch, 0));
	EXPECT_ERR(zt_commit1(r.fd, r.ch, &v), ENOENT);	/* the channel is gone */
	ASSERT_OK(zt_stream(r.fd, 10, 0, &r.ch));
	raw_close(&r);
}

/* EALREADY until the group is released, ENOENT then. */
RAW(19_a_released_group_is_forgotten)
{
	struct raw r = raw_open(arg, 10);
	struct zcbuf_reservation v;
	struct zcbuf_delivery d;

	v = raw_reserve(&r, 10);
	raw_fill(&r, &v, 1);
	ASSERT_EQ(zt_receive(r.fd, r.ch, &d, 1, 0), 1);
	EXPECT_ERR(zt_commit1(r.fd, r.ch, &v), EALREADY);
	EXPECT_OK(zt_release1(r.fd, r.ch, d.handle));
	EXPECT_ERR(zt_commit1(r.fd, r.ch, &v), ENOENT);
	EXPECT_ERR(zt_abort1(r.fd, r.ch, &v), ENOENT);
	EXPECT_ERR(zt_release1(r.fd, r.ch, d.handle), EBADSLT);
	EXPECT_ERR(zt_release1(r.fd, r.ch, d.handle + 1), ENOENT);
	EXPECT_EQ(zt_bad_frees(r.fd), 2);
	raw_close(&r);
}

/* A batch stops at the first that fails and says how far it came. */
RAW(19_a_batch_of_commits_stops)
{
	struct raw r = raw_open(arg, 30);
	struct zcbuf_reservation v[3] = {
		{ .length = 10 }, { .length = 10 }, { .length = 10 },
	};
	struct zcbuf_commit_entry e[3] = { { .nrecords = 0 } };
	struct zcbuf_batch a = zt_arg(struct zcbuf_batch, .channel = r.ch,
				      .entries = zt_ptr(e), .count = 3);
	int i;

	ASSERT_EQ(zt_reserve(r.fd, r.ch, v, 3, 0, 0), 3);
	memset(r.base + v[0].out_pool_offset, 5, 30);
	for (i = 0; i < 3; i++)
		e[i] = (struct zcbuf_commit_entry){
			.group = v[i].out_group, .id = v[i].out_id,
			.offset = v[i].out_offset, .length = v[i].length,
		};
	e[1].length = 9;
	EXPECT_OK(zt_call(r.fd, ZCBUF_IOC_COMMIT, &a));
	EXPECT_EQ(a.out_done, 1);
	EXPECT_EQ(a.out_error, EMSGSIZE);
	EXPECT_ERR(zt_commit(r.fd, r.ch, e, 3), EALREADY);
	e[1].length = 10;
	a.entries = zt_ptr(&e[1]);
	a.count = 2;
	EXPECT_OK(zt_call(r.fd, ZCBUF_IOC_COMMIT, &a));
	EXPECT_EQ(a.out_done, 2);
	EXPECT_EQ(a.out_error, 0);
	raw_take(&r, 0, 30, 5);
	raw_close(&r);
}

/* ----------------------------------------------------------- 20, 21: delivery */

RAW(20_a_full_queue_stalls_nobody)
{
	struct raw r = raw_open(arg, 10);
	struct zcbuf_channel_open a = {
		.ports = ZT_ALL_PORTS, .align = 1, .threshold = 10, .depth = 1,
		.flags = ZCBUF_CHANNEL_F_THRESHOLD |
			 (r.hold ? ZCBUF_CHANNEL_F_HOLD_FAILED : 0),
	};
	struct zcbuf_reservation v;

	EXPECT_OK(zt_channel_close(r.fd, r.ch, 0));
	ASSERT_OK(zt_channel_open(r.fd, &a));
	r.ch = a.out_channel;
	v = raw_reserve(&r, 10);
	raw_fill(&r, &v, 1);
	v = raw_reserve(&r, 10);
	raw_fill(&r, &v, 2);
	v = raw_reserve(&r, 10);
	EXPECT_EQ(v.out_group, 2);
	raw_take(&r, 0, 10, 1);
	raw_take(&r, 10, 10, 2);
	EXPECT_OK(zt_abort1(r.fd, r.ch, &v));
	raw_finalize(&r, 0, r.hold, 0);
	raw_take_failed(&r, 2, &(struct zcbuf_lost){ 2, 20, 10 }, 1);
	raw_ended(&r);
	raw_close(&r);
}

RAW(21_eventfd_counts_each)
{
	struct raw r = raw_open(arg, 100);
	struct zcbuf_reservation v;
	int efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int i;

	ASSERT_GE(efd, 0);
	EXPECT_ERR(zt_eventfd(r.fd, r.ch, r.fd, ZCBUF_EVENTFD_EACH, 0), EINVAL);
	EXPECT_ERR(zt_eventfd(r.fd, r.ch, 999, ZCBUF_EVENTFD_EACH, 0), EBADF);
	ASSERT_OK(zt_eventfd(r.fd, r.ch, efd, ZCBUF_EVENTFD_EACH, 0));
	for (i = 0; i < 2; i++) {
		v = raw_reserve(&r, 100);
		raw_fill(&r, &v, i);
	}
	EXPECT_EQ(zt_count(efd), 2);
	raw_take(&r, 0, 100, 0);
	raw_take(&r, 100, 100, 1);
	EXPECT_ERR(raw_success(&r), EAGAIN);
	EXPECT_EQ(zt_count(efd), 0);
	ASSERT_OK(zt_eventfd(r.fd, r.ch, 0, ZCBUF_EVENTFD_NONE, 0));
	raw_finalize(&r, 0, 0, 0);
	EXPECT_EQ(zt_count(efd), 0);
	raw_ended(&r);
	close(efd);
	raw_close(&r);
}

RAW(21b_windows_by_commit_reserve)
{
	struct raw r = raw_open(arg, 100);
	struct zcbuf_reservation v[2] = { { .length = 65536 } };
	struct zcbuf_commit_entry e;
	struct zcbuf_commit_reserve a = {
		.flags = ZCBUF_RESERVE_F_WINDOW, .channel = r.ch,
		.commits = zt_ptr(&e), .reserves = zt_ptr(&v[1]),
		.ncommits = 1, .nreserves = 1,
	};

	ASSERT_EQ(zt_reserve(r.fd, r.ch, v, 1, ZCBUF_RESERVE_F_WINDOW, 0), 1);
	memset(r.base + v[0].out_pool_offset, 0x21, 10240);
	e = (struct zcbuf_commit_entry){ .length = 10240, .nrecords = 4 };
	v[1].length = 65536;
	ASSERT_OK(zt_commit_reserve(r.fd, &a));
	EXPECT_EQ(a.out_committed, 1);
	EXPECT_EQ(a.out_commit_error, 0);
	EXPECT_EQ(a.out_reserved, 1);
	EXPECT_EQ(a.out_reserve_error, 0);
	EXPECT_EQ(v[1].out_offset, 65536);
	EXPECT_EQ(v[1].out_group, 1);
	EXPECT_EQ(zt_used(r.fd), 65536 + 3 * ZT_PAGE);
	raw_take(&r, 0, 10240, 0x21);
	EXPECT_ERR(commit_length(&r, v[1], 65537), EMSGSIZE);
	EXPECT_ERR(commit_length(&r, v[1], 0), EMSGSIZE);
	raw_fill(&r, &v[1], 0x22);
	raw_take(&r, 65536, 65536, 0x22);
	raw_finalize(&r, 0, 0, 0);
	raw_ended(&r);
	raw_close(&r);
}

KTAP_MAIN()

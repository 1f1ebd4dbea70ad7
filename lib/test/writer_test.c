// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Writers: the cursor, and the one decision; the scenarios of library writers. */
#include <errno.h>
#include <string.h>

#include "fake.h"
#include "test.h"

static const unsigned char bytes[256] = { [0 ... 255] = 3 };

static struct zcbuf_writer reserve(struct zcbuf_channel *channel, size_t length)
{
	struct zcbuf_writer w;

	ASSERT_EQ(zcbuf_writer_reserve(channel, length, 0, 0, &w), 0);
	return w;
}

static bool all(const unsigned char *p, unsigned char byte, size_t n)
{
	while (n--)
		if (*p++ != byte)
			return false;
	return true;
}

static void success_is(unsigned int i, __u64 offset, __u64 length)
{
	ASSERT_EQ(fake.nsuccess > i, 1);
	EXPECT_EQ(fake.success[i].offset, offset);
	EXPECT_EQ(fake.success[i].length, length);
}

static void reserved(void)
{
	struct zcbuf_channel *channel = fake_channel(1000);
	struct zcbuf_writer w;

	reserve(channel, 50);
	memset(&w, 0xff, sizeof(w));
	ASSERT_EQ(zcbuf_writer_reserve(channel, 40,
				       ZCBUF_RESERVE_F_NEED_CONSUMER, 777, &w),
		  0);
	EXPECT_EQ(fake.reserve.flags, ZCBUF_RESERVE_F_NEED_CONSUMER);
	EXPECT_EQ(fake.reserve.deadline_ns, 777);
	EXPECT_EQ(fake.reserve.count, 1);
	EXPECT(w.channel == channel);
	EXPECT(w.data == zcbuf_pool_addr(zcbuf_channel_pool(channel), 50));
	EXPECT_EQ(w.length, 40);
	EXPECT_EQ(w.used, 0);
	EXPECT_EQ(w.id, 1);
	EXPECT_EQ(w.group, 0);
	EXPECT_EQ(w.offset, 50);
	EXPECT_EQ(w.pool_offset, 50);
	EXPECT_EQ(w.nrecords, 0);
	EXPECT_EQ(w.flags, 0);
	EXPECT_EQ(w.is_open, 1);
	EXPECT_EQ(w.error, 0);
	fake_channel_close(channel);
}

static void reserve_fails(void)
{
	struct zcbuf_channel *channel = fake_channel(1000);
	struct zcbuf_writer w;

	memset(&w, 0xff, sizeof(w));
	EXPECT_EQ(zcbuf_writer_reserve(channel, 0, 0, 0, &w), -EINVAL);
	EXPECT_EQ(w.is_open, 0);
	EXPECT_EQ(zcbuf_writer_drop(&w), 0);
	EXPECT_EQ(zcbuf_writer_put(&w, bytes, 1), -EALREADY);
	EXPECT_EQ(zcbuf_writer_room(&w), 0);
	fake_channel_close(channel);
}

/* Told with the reservation that was not made, forgotten with the next one. */
static void what_is_short(void)
{
	struct zcbuf_channel *channel = fake_channel(1000);
	struct zcbuf_reservation r[2] = {
		{ .length = 10 }, { .length = fake.pool_size },
	};
	struct zcbuf_writer w;
	__u32 why = 9;

	fake.why = ZCBUF_WHY_MEMORY | ZCBUF_WHY_QUEUE;
	EXPECT_EQ(zcbuf_writer_reserve(channel, fake.pool_size + 1, 0, 0, &w),
		  -EAGAIN);
	EXPECT_EQ(w.is_open, 0);
	EXPECT_EQ(w.why, ZCBUF_WHY_MEMORY | ZCBUF_WHY_QUEUE);
	EXPECT_EQ(zcbuf_writer_reserve(channel, 0, 0, 0, &w), -EINVAL);
	EXPECT_EQ(w.why, 0);
	w = reserve(channel, 40);
	EXPECT_EQ(w.why, 0);
	EXPECT_EQ(zcbuf_reserve_why(channel, r, 2, 0, 0, &why), 1);
	EXPECT_EQ(why, ZCBUF_WHY_MEMORY | ZCBUF_WHY_QUEUE);
	EXPECT_EQ(zcbuf_reserve_why(channel, r, 1, 0, 0, &why), 1);
	EXPECT_EQ(why, 0);
	fake_channel_close(channel);
}

static void read_only_pool(void)
{
	const struct zcbuf_reservation r = { .length = 1 };
	struct zcbuf_channel *channel;
	struct zcbuf_writer w;

	fake.rights = ZCBUF_RIGHT_MAP_READ | ZCBUF_RIGHT_PRODUCE;
	channel = fake_channel(1000);
	EXPECT_EQ(zcbuf_writer_reserve(channel, 10, 0, 0, &w), -EPERM);
	EXPECT_EQ(zcbuf_writer_init(channel, &r, 0, &w), -EPERM);
	EXPECT_EQ(fake.calls[ZCBUF_NR_RESERVE], 0);
	fake_channel_close(channel);
}

static void init(void)
{
	struct zcbuf_channel *channel = fake_channel(1000);
	struct zcbuf_reservation r[2] = { { .length = 10 }, { .length = 20 } };
	struct zcbuf_writer w;

	ASSERT_EQ(zcbuf_reserve(channel, r, 2, 0, 0), 2);
	ASSERT_EQ(zcbuf_writer_init(channel, &r[1], 0, &w), 0);
	EXPECT_EQ(w.id, 1);
	EXPECT_EQ(w.offset, 10);
	EXPECT_EQ(zcbuf_writer_submit(&w, bytes, 20), 0);
	r[0].out_pool_offset = FAKE_ARENA - 9;
	EXPECT_EQ(zcbuf_writer_init(channel, &r[0], 0, &w), -ERANGE);
	EXPECT_EQ(w.is_open, 0);
	EXPECT_EQ(fake.resv[0].state, FAKE_PENDING);
	fake_channel_close(channel);
}

/* A reservation this process cannot reach is not left pending for ever. */
static void unreachable(void)
{
	struct zcbuf_channel *channel = fake_channel(1000);
	struct zcbuf_writer w;

	fake.reserve_shift = FAKE_ARENA;
	EXPECT_EQ(zcbuf_writer_reserve(channel, 10, 0, 0, &w), -ERANGE);
	EXPECT_EQ(w.is_open, 0);
	EXPECT_EQ(fake.resv[0].state, FAKE_FAILED);
	fake.reserve_shift = 0;
	w = reserve(channel, 10);
	EXPECT_EQ(zcbuf_writer_put(&w, bytes, 10), 0);
	fake.reserve_shift = FAKE_ARENA;
	EXPECT_EQ(zcbuf_writer_turn(&w, 10, 0, 0), 0);
	EXPECT_EQ(w.error, -ERANGE);
	EXPECT_EQ(w.is_open, 0);
	EXPECT_EQ(fake.resv[1].state, FAKE_COMMITTED);
	EXPECT_EQ(fake.resv[2].state, FAKE_FAILED);
	fake_channel_close(channel);
}

/* Scenario 1, copying and in place */
static void scenario_1(void)
{
	struct zcbuf_channel *channel = fake_channel(100);
	struct zcbuf_writer w = reserve(channel, 100);

	EXPECT_EQ(zcbuf_writer_submit(&w, bytes, 100), 0);
	EXPECT_EQ(w.is_open, 0);
	success_is(0, 0, 100);
	EXPECT(all(w.data, 3, 100));
	w = reserve(channel, 100);
	memset(w.data, 1, 100);
	EXPECT_EQ(zcbuf_writer_submit_placed(&w, 100), 0);
	success_is(1, 100, 100);
	EXPECT(all(w.data, 1, 100));
	EXPECT_EQ(zcbuf_writer_submit(&w, bytes, 100), -EALREADY);
	fake_channel_close(channel);
}

static void scenario_2(void)
{
	struct zcbuf_channel *channel = fake_channel(150);
	struct zcbuf_writer w = reserve(channel, 150);
	unsigned char twos[50];

	memset(twos, 2, sizeof(twos));
	EXPECT_EQ(zcbuf_writer_put(&w, twos, 50), 0);
	EXPECT_EQ(zcbuf_writer_room(&w), 100);
	EXPECT(zcbuf_writer_cursor(&w) == w.data + 50);
	memcpy(zcbuf_writer_cursor(&w), bytes, 100);
	EXPECT_EQ(zcbuf_writer_placed(&w, 100), 0);
	EXPECT_EQ(zcbuf_writer_room(&w), 0);
	EXPECT_EQ(zcbuf_writer_commit(&w), 0);
	success_is(0, 0, 150);
	EXPECT(all(w.data, 2, 50));
	EXPECT(all(w.data + 50, 3, 100));
	fake_channel_close(channel);
}

static void scenario_3(void)
{
	struct zcbuf_channel *channel = fake_channel(50);
	struct zcbuf_writer w = reserve(channel, 50);

	EXPECT_EQ(zcbuf_writer_drop(&w), 0);
	EXPECT_EQ(fake.resv[0].state, FAKE_FAILED);
	EXPECT_EQ(w.is_open, 0);
	EXPECT_EQ(zcbuf_writer_drop(&w), 0);
	EXPECT_EQ(fake.calls[ZCBUF_NR_ABORT], 1);
	w = reserve(channel, 70);
	EXPECT_EQ(zcbuf_writer_put(&w, bytes, 30), 0);
	EXPECT_EQ(zcbuf_writer_drop(&w), 0);
	EXPECT_EQ(fake.nsuccess, 0);
	EXPECT_EQ(fake.nfailure, 2);
	fake_channel_close(channel);
}

static void wrong_submit(struct zcbuf_channel *channel, size_t n)
{
	struct zcbuf_writer w = reserve(channel, 50);

	memset(w.data, 9, 50);
	EXPECT_EQ(zcbuf_writer_submit(&w, bytes, n), -EMSGSIZE);
	EXPECT_EQ(fake.resv[w.id].state, FAKE_FAILED);
	EXPECT_EQ(w.is_open, 0);
	EXPECT(all(w.data, 9, 50));
	EXPECT_EQ(zcbuf_writer_submit(&w, bytes, 50), -EALREADY);
}

static void scenario_4(void)
{
	struct zcbuf_channel *channel = fake_channel(100);

	wrong_submit(channel, 40);
	wrong_submit(channel, 60);
	wrong_submit(channel, 0);
	EXPECT_EQ(fake.calls[ZCBUF_NR_COMMIT], 0);
	fake_channel_close(channel);
}

static void scenario_5(void)
{
	struct zcbuf_channel *channel = fake_channel(100);
	struct zcbuf_counts counts;
	struct zcbuf_writer w;

	w = reserve(channel, 50);
	EXPECT_EQ(zcbuf_writer_put(&w, bytes, 20), 0);
	EXPECT_EQ(zcbuf_writer_commit(&w), -EMSGSIZE);
	w = reserve(channel, 5);
	EXPECT_EQ(zcbuf_writer_commit(&w), -EMSGSIZE);
	EXPECT_EQ(zcbuf_channel_finalize(channel, &counts), 0);
	EXPECT_EQ(counts.failure, 1);
	EXPECT_EQ(counts.reservations, 0);
	EXPECT_EQ(fake.nfailure, 1);
	EXPECT_EQ(fake.nsuccess, 0);
	fake_channel_close(channel);
}

static void scenario_6(void)
{
	struct zcbuf_channel *channel = fake_channel(50);
	struct zcbuf_writer w = reserve(channel, 50);
	unsigned char *behind = w.data + 50;

	*behind = 0xee;
	EXPECT_EQ(zcbuf_writer_put(&w, bytes, 30), 0);
	EXPECT_EQ(zcbuf_writer_put(&w, bytes, 25), -EFBIG);
	EXPECT_EQ(zcbuf_writer_room(&w), 20);
	EXPECT_EQ(zcbuf_writer_put(&w, bytes, (size_t)-1), -EFBIG);
	EXPECT_EQ(zcbuf_writer_placed(&w, (size_t)-20), -EFBIG);
	EXPECT_EQ(zcbuf_writer_put(&w, NULL, 0), 0);
	EXPECT_EQ(zcbuf_writer_put(&w, bytes, 20), 0);
	EXPECT_EQ(zcbuf_writer_put(&w, bytes, 0), 0);
	EXPECT_EQ(zcbuf_writer_placed(&w, 0), 0);
	EXPECT_EQ(zcbuf_writer_put(&w, bytes, 1), -EFBIG);
	EXPECT_EQ(zcbuf_writer_placed(&w, 1), -EFBIG);
	EXPECT_EQ(zcbuf_writer_room(&w), 0);
	EXPECT_EQ(zcbuf_writer_commit(&w), 0);
	success_is(0, 0, 50);
	EXPECT(all(w.data, 3, 50));
	EXPECT_EQ(*behind, 0xee);
	fake_channel_close(channel);
}

static void commit_one(struct zcbuf_channel *channel, size_t length)
{
	struct zcbuf_writer w = reserve(channel, length);

	EXPECT_EQ(zcbuf_writer_submit_placed(&w, length), 0);
}

static void scenario_12(void)
{
	struct zcbuf_channel *channel = fake_channel(600);
	struct zcbuf_counts counts;
	struct zcbuf_writer w;

	commit_one(channel, 200);
	commit_one(channel, 300);
	commit_one(channel, 500);
	success_is(0, 0, 1000);
	commit_one(channel, 400);
	w = reserve(channel, 250);
	EXPECT_EQ(zcbuf_writer_put(&w, bytes, 100), 0);
	EXPECT_EQ(zcbuf_writer_put(&w, bytes, 150), 0);
	EXPECT_EQ(zcbuf_writer_commit(&w), 0);
	success_is(1, 1000, 650);
	w = reserve(channel, 100);
	EXPECT_EQ(zcbuf_writer_drop(&w), 0);
	w = reserve(channel, 50);
	EXPECT_EQ(zcbuf_writer_submit(&w, bytes, 60), -EMSGSIZE);
	commit_one(channel, 30);
	EXPECT_EQ(zcbuf_channel_finalize(channel, &counts), 0);
	EXPECT_EQ(counts.success, 0);
	EXPECT_EQ(counts.failure, 1);
	EXPECT_EQ(counts.reservations, 0);
	EXPECT_EQ(fake.failure[0], 2);
	fake_channel_close(channel);
}

/* Finalized under the writer: every way to decide learns of it, once. */
static void scenario_16(void)
{
	struct zcbuf_channel *channel = fake_channel(200);
	struct zcbuf_writer committed = reserve(channel, 20);
	struct zcbuf_writer wrong = reserve(channel, 20);
	struct zcbuf_writer dropped = reserve(channel, 20);
	struct zcbuf_writer turned = reserve(channel, 20);

	EXPECT_EQ(zcbuf_writer_placed(&turned, 20), 0);
	EXPECT_EQ(zcbuf_channel_finalize(channel, NULL), 0);
	EXPECT_EQ(zcbuf_writer_submit(&committed, bytes, 20), -ESHUTDOWN);
	EXPECT_EQ(zcbuf_writer_submit(&wrong, bytes, 19), -ESHUTDOWN);
	EXPECT_EQ(zcbuf_writer_drop(&dropped), -ESHUTDOWN);
	EXPECT_EQ(zcbuf_writer_turn(&turned, 20, 0, 0), -ESHUTDOWN);
	EXPECT_EQ(committed.is_open, 0);
	EXPECT_EQ(wrong.is_open, 0);
	EXPECT_EQ(dropped.is_open, 0);
	EXPECT_EQ(turned.is_open, 0);
	EXPECT_EQ(zcbuf_writer_drop(&committed), 0);
	EXPECT_EQ(zcbuf_writer_reserve(channel, 1, 0, 0, &committed),
		  -ESHUTDOWN);
	fake_channel_close(channel);
}

/* Which errors leave it open: those after which it is still pending. */
static void commit_errors(void)
{
	static const struct {
		int error;
		int is_open;
	} table[] = {
		{ ESHUTDOWN, 0 }, { ESTALE, 0 }, { EALREADY, 0 }, { ENOENT, 0 },
		{ EINTR, 1 }, { EPERM, 1 }, { EINVAL, 1 }, { EFAULT, 1 },
		{ EBADF, 1 }, { EMSGSIZE, 1 },
	};
	struct zcbuf_channel *channel = fake_channel(100000);
	struct zcbuf_writer w;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		w = reserve(channel, 10);
		fake.fail[ZCBUF_NR_COMMIT] = table[i].error;
		EXPECT_EQ(zcbuf_writer_submit(&w, bytes, 10), -table[i].error);
		EXPECT_EQ(w.is_open, table[i].is_open);
		if (w.is_open)
			EXPECT_EQ(zcbuf_writer_submit(&w, bytes, 10), 0);
		w = reserve(channel, 10);
		fake.fail[ZCBUF_NR_ABORT] = table[i].error;
		EXPECT_EQ(zcbuf_writer_drop(&w), -table[i].error);
		EXPECT_EQ(w.is_open, table[i].is_open);
		w = reserve(channel, 10);
		EXPECT_EQ(zcbuf_writer_placed(&w, 10), 0);
		fake.fail[ZCBUF_NR_COMMIT_RESERVE] = table[i].error;
		EXPECT_EQ(zcbuf_writer_turn(&w, 1, 0, 0), -table[i].error);
		EXPECT_EQ(w.is_open, table[i].is_open);
	}
	fake_channel_close(channel);
}

static void mixed_styles(void)
{
	struct zcbuf_channel *channel = fake_channel(100);
	struct zcbuf_writer w = reserve(channel, 50);

	EXPECT_EQ(zcbuf_writer_put(&w, bytes, 10), 0);
	EXPECT_EQ(zcbuf_writer_submit(&w, bytes, 50), -EINVAL);
	EXPECT_EQ(zcbuf_writer_submit_placed(&w, 50), -EINVAL);
	EXPECT_EQ(w.is_open, 1);
	EXPECT_EQ(w.used, 10);
	EXPECT_EQ(zcbuf_writer_placed(&w, 40), 0);
	EXPECT_EQ(zcbuf_writer_commit(&w), 0);
	fake_channel_close(channel);
}

/* Scenario 21b */
static void window(void)
{
	const __u32 flag = ZCBUF_RESERVE_F_WINDOW;
	struct zcbuf_channel *channel = fake_channel(1 << 20);
	struct zcbuf_writer w;
	void *record;
	int i;

	ASSERT_EQ(zcbuf_writer_reserve(channel, 65536, flag, 0, &w), 0);
	EXPECT_EQ(w.flags, flag);
	for (i = 0; i < 10; i++) {
		EXPECT_EQ(zcbuf_writer_carve(&w, 1024, &record), 0);
		EXPECT(record == w.data + i * 1024);
		memset(record, i, 1024);
	}
	record = NULL;
	EXPECT_EQ(zcbuf_writer_carve(&w, 65536, &record), -EFBIG);
	EXPECT(!record);
	EXPECT_EQ(zcbuf_writer_commit(&w), 0);
	EXPECT_EQ(fake.commit.entry.length, 10240);
	EXPECT_EQ(fake.commit.entry.nrecords, 10);
	success_is(0, 0, 10240);
	ASSERT_EQ(zcbuf_writer_reserve(channel, 65536, flag, 0, &w), 0);
	EXPECT_EQ(zcbuf_writer_submit_placed(&w, 65536), 0);
	success_is(1, 65536, 65536);
	fake_channel_close(channel);
}

static void window_sizes(void)
{
	const __u32 flag = ZCBUF_RESERVE_F_WINDOW;
	struct zcbuf_channel *channel = fake_channel(1 << 20);
	struct zcbuf_writer w;

	ASSERT_EQ(zcbuf_writer_reserve(channel, 100, flag, 0, &w), 0);
	EXPECT_EQ(zcbuf_writer_commit(&w), -EMSGSIZE);
	EXPECT_EQ(fake.resv[0].state, FAKE_FAILED);
	ASSERT_EQ(zcbuf_writer_reserve(channel, 100, flag, 0, &w), 0);
	EXPECT_EQ(zcbuf_writer_submit(&w, bytes, 101), -EMSGSIZE);
	EXPECT_EQ(fake.resv[1].state, FAKE_FAILED);
	ASSERT_EQ(zcbuf_writer_reserve(channel, 100, flag, 0, &w), 0);
	EXPECT_EQ(zcbuf_writer_submit(&w, bytes, 1), 0);
	success_is(0, 200, 1);
	fake_channel_close(channel);
}

/* A tag belongs to what it was set for, whatever way that is committed. */
static void window_tag(void)
{
	const __u32 flag = ZCBUF_RESERVE_F_WINDOW;
	struct zcbuf_channel *channel = fake_channel(1 << 20);
	struct zcbuf_writer w;

	ASSERT_EQ(zcbuf_writer_reserve(channel, 100, flag, 0, &w), 0);
	EXPECT_EQ(zcbuf_writer_tag(&w, 1ULL << 63, 0), 0);
	EXPECT_EQ(zcbuf_writer_placed(&w, 9), 0);
	EXPECT_EQ(zcbuf_writer_turn(&w, 60, flag, 0), 1);
	EXPECT_EQ(fake.commit.user_tag, 1ULL << 63);
	EXPECT_EQ(fake.commit.encoding, 0);
	EXPECT_EQ(w.user_tag, 0);
	EXPECT_EQ(zcbuf_writer_tag(&w, 4, 4), 0);
	EXPECT_EQ(zcbuf_writer_tag(&w, 0, ~0U), 0);
	EXPECT_EQ(zcbuf_writer_submit(&w, bytes, 60), 0);
	EXPECT_EQ(fake.commit.user_tag, 0);
	EXPECT_EQ(fake.commit.encoding, ~0U);
	EXPECT_EQ(zcbuf_writer_tag(&w, 1, 1), -EALREADY);
	ASSERT_EQ(zcbuf_writer_reserve(channel, 100, flag, 0, &w), 0);
	EXPECT_EQ(zcbuf_writer_submit(&w, bytes, 60), 0);
	EXPECT_EQ(fake.commit.encoding, 0);
	w = reserve(channel, 100);
	EXPECT_EQ(zcbuf_writer_tag(&w, 1, 1), -EINVAL);
	EXPECT_EQ(zcbuf_writer_submit(&w, bytes, 100), 0);
	EXPECT_EQ(fake.commit.user_tag, 0);
	fake_channel_close(channel);
}

static void turn(void)
{
	struct zcbuf_channel *channel = fake_channel(100);
	struct zcbuf_writer w = reserve(channel, 100);
	__u32 calls = fake.calls[ZCBUF_NR_RESERVE];

	w.nrecords = 7;
	EXPECT_EQ(zcbuf_writer_put(&w, bytes, 100), 0);
	EXPECT_EQ(zcbuf_writer_turn(&w, 60, ZCBUF_RESERVE_F_WINDOW, 0), 1);
	success_is(0, 0, 100);
	EXPECT_EQ(fake.commit.entry.nrecords, 7);
	EXPECT_EQ(w.is_open, 1);
	EXPECT(w.channel == channel);
	EXPECT_EQ(w.id, 1);
	EXPECT_EQ(w.length, 60);
	EXPECT_EQ(w.used, 0);
	EXPECT_EQ(w.offset, 100);
	EXPECT_EQ(w.nrecords, 0);
	EXPECT_EQ(w.flags, ZCBUF_RESERVE_F_WINDOW);
	EXPECT_EQ(zcbuf_writer_submit(&w, bytes, 5), 0);
	success_is(1, 100, 5);
	EXPECT_EQ(zcbuf_writer_turn(&w, 60, 0, 0), -EALREADY);
	EXPECT_EQ(fake.calls[ZCBUF_NR_RESERVE], calls);
	EXPECT_EQ(fake.calls[ZCBUF_NR_COMMIT_RESERVE], 1);
	fake_channel_close(channel);
}

/* Committed, but no room for the next: told apart from not committed. */
static void turn_half(void)
{
	struct zcbuf_channel *channel = fake_channel(100);
	struct zcbuf_writer w = reserve(channel, 100);

	EXPECT_EQ(zcbuf_writer_put(&w, bytes, 100), 0);
	fake.reserve_error = EAGAIN;
	fake.why = ZCBUF_WHY_LIMIT;
	EXPECT_EQ(zcbuf_writer_turn(&w, 60, 0, 0), 0);
	EXPECT_EQ(w.why, ZCBUF_WHY_LIMIT);
	EXPECT_EQ(w.is_open, 0);
	EXPECT_EQ(w.error, -EAGAIN);
	EXPECT_EQ(fake.resv[0].state, FAKE_COMMITTED);
	EXPECT_EQ(zcbuf_writer_drop(&w), 0);
	fake_channel_close(channel);
}

static void turn_wrong_size(void)
{
	struct zcbuf_channel *channel = fake_channel(100);
	struct zcbuf_writer w = reserve(channel, 100);

	EXPECT_EQ(zcbuf_writer_put(&w, bytes, 99), 0);
	EXPECT_EQ(zcbuf_writer_turn(&w, 60, 0, 0), -EMSGSIZE);
	EXPECT_EQ(w.is_open, 0);
	EXPECT_EQ(fake.resv[0].state, FAKE_FAILED);
	EXPECT_EQ(fake.nresv, 1);
	fake_channel_close(channel);
}

static void raw(void)
{
	struct zcbuf_channel *channel = fake_channel(1000);
	struct zcbuf_reservation r[2] = { { .length = 10 }, { .length = 0 } };
	struct zcbuf_commit_entry c = { .length = 9 };
	struct zcbuf_commit_tagged tagged = { .entry = { .length = 10 } };
	struct zcbuf_abort_entry a = { .id = 99 };
	struct zcbuf_turnover t;

	EXPECT_EQ(zcbuf_reserve(channel, r, 2, 0, 5), 1);
	EXPECT_EQ(zcbuf_reserve(channel, r + 1, 1, 0, 5), -EINVAL);
	EXPECT_EQ(zcbuf_commit(channel, &c, 1), -EMSGSIZE);
	EXPECT_EQ(fake.resv[0].state, FAKE_PENDING);
	EXPECT_EQ(zcbuf_abort(channel, &a, 1), -ENOENT);
	EXPECT_EQ(zcbuf_commit_tagged(channel, &tagged, 1), -EINVAL);
	c.length = 10;
	memset(&t, 0xff, sizeof(t));
	EXPECT_EQ(zcbuf_commit_reserve(channel, &c, 1, r, 2, 0, 0, &t), 0);
	EXPECT_EQ(t.committed, 1);
	EXPECT_EQ(t.commit_error, 0);
	EXPECT_EQ(t.reserved, 1);
	EXPECT_EQ(t.reserve_error, -EINVAL);
	EXPECT_EQ(r[0].out_id, 1);
	memset(&t, 0xff, sizeof(t));
	EXPECT_EQ(zcbuf_commit_reserve(channel, &c, 1, r, 1, 0, 0, &t),
		  -EALREADY);
	EXPECT_EQ(t.committed, 0);
	EXPECT_EQ(t.commit_error, -EALREADY);
	EXPECT_EQ(t.reserved, 0);
	fake_channel_close(channel);
}

static const struct test_case cases[] = {
	CASE(reserved),
	CASE(reserve_fails),
	CASE(what_is_short),
	CASE(read_only_pool),
	CASE(init),
	CASE(unreachable),
	CASE(scenario_1),
	CASE(scenario_2),
	CASE(scenario_3),
	CASE(scenario_4),
	CASE(scenario_5),
	CASE(scenario_6),
	CASE(scenario_12),
	CASE(scenario_16),
	CASE(commit_errors),
	CASE(mixed_styles),
	CASE(window),
	CASE(window_sizes),
	CASE(window_tag),
	CASE(turn),
	CASE(turn_half),
	CASE(turn_wrong_size),
	CASE(raw),
};

TEST_MAIN(cases)

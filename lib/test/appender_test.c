// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Appenders: where records are, and when windows are turned over. */
#include <stdint.h>

#include "appender.h"

/* -------------------------------------------------------------------- open */

static int open_with(size_t window, __u32 flags, __u32 align, __u32 reserved)
{
	const struct zcbuf_appender_opts opts = {
		.sz = sizeof(opts), .window = window, .flags = flags,
		.align = align, .reserved = reserved,
	};
	int err = zcbuf_appender_open(channel, &opts, &a);

	if (!err)
		EXPECT_EQ(zcbuf_appender_close(a), 0);
	return err;
}

static void options(void)
{
	struct zcbuf_appender_opts opts = { .sz = sizeof(opts) - 1 };

	channel = fake_channel(100);
	EXPECT_EQ(zcbuf_appender_open(channel, &opts, &a), -EINVAL);
	EXPECT_EQ(open_with(0, 0, 0, 0), 0);
	EXPECT_EQ(open_with(0, 4, 0, 0), -EOPNOTSUPP);
	EXPECT_EQ(open_with(0, 0, 0, 1), -EOPNOTSUPP);
	EXPECT_EQ(open_with(0, 0, 3, 0), -EINVAL);
	EXPECT_EQ(open_with(0, 0, 4096, 0), 0);
	EXPECT_EQ(open_with(0, 0, 8192, 0), -EINVAL);
	EXPECT_EQ(open_with(ZCBUF_APPENDER_MAX, 0, 0, 0), 0);
	EXPECT_EQ(open_with((size_t)ZCBUF_APPENDER_MAX + 1, 0, 0, 0), -E2BIG);
	EXPECT_EQ(open_with(SIZE_MAX, 0, 0, 0), -E2BIG);
	EXPECT_EQ(fake.nresv, 0);
	EXPECT_EQ(zcbuf_appender_close(NULL), 0);
	fake_channel_close(channel);
}

static void open_fails(void)
{
	channel = fake_channel(100);
	fake.madvise_error = EINVAL;
	EXPECT_EQ(open_with(0, 0, 0, 0), -ENOMEM);
	fake.map_error = ENOMEM;
	EXPECT_EQ(open_with(0, 0, 0, 0), -ENOMEM);
	EXPECT_EQ(open_with(0, 0, 0, 0), 0);
	fake_channel_close(channel);
	EXPECT_EQ(fake.mapped, 0);
}

static void read_only(void)
{
	fake.rights = ZCBUF_RIGHT_MAP_READ;
	channel = fake_channel(100);
	EXPECT_EQ(open_with(0, 0, 0, 0), -EPERM);
	fake_channel_close(channel);
}

/* ------------------------------------------------------------------ records */

/* One behind the other; nothing is asked of the kernel for the second. */
static void unframed(void)
{
	unsigned char *first;

	begin(NULL);
	EXPECT_EQ(fake.calls[ZCBUF_NR_RESERVE], 0);
	first = append(10, 1);
	EXPECT(first == at(0));
	EXPECT_EQ(fake.calls[ZCBUF_NR_RESERVE], 1);
	EXPECT_EQ(fake.reserve.flags, ZCBUF_RESERVE_F_WINDOW);
	EXPECT_EQ(fake.resv[0].length, WINDOW);
	EXPECT(append(7, 2) == first + 10);
	EXPECT(append(WINDOW - 18, 3) == first + 17);
	EXPECT(append(1, 4) == first + WINDOW - 1);
	EXPECT_EQ(fake.calls[ZCBUF_NR_RESERVE], 1);
	EXPECT_EQ(zcbuf_appender_flush(a), 1);
	delivered(1, WINDOW, 4);
	end();
}

static void frame_is(const unsigned char *record, __u32 length, __u32 pad)
{
	const struct zcbuf_frame *frame =
		(const void *)(record - pad - sizeof(*frame));

	EXPECT_EQ(frame->length, length);
	EXPECT_EQ(frame->pad, pad);
}

static void framed(void)
{
	unsigned char *record;

	begin_framed();
	record = append(10, 1);
	EXPECT(record == at(8));
	frame_is(record, 10, 0);
	record = append(0, 1);
	EXPECT(record == at(32));
	frame_is(record, 0, 0);
	record = append(WINDOW - 40, 1);
	EXPECT(record == at(40));
	frame_is(record, WINDOW - 40, 0);
	EXPECT_EQ(fake.nresv, 1);
	EXPECT_EQ(zcbuf_appender_flush(a), 1);
	delivered(1, WINDOW, 3);
	end();
}

/* Each record; the last does not end there. */
static void aligned(void)
{
	struct zcbuf_appender_opts opts = { .align = 64 };
	unsigned char *record;

	begin(&opts);
	EXPECT(append(1, 1) == at(0));
	EXPECT(append(64, 1) == at(64));
	EXPECT(append(65, 1) == at(128));
	EXPECT(append(3, 1) == at(256));
	EXPECT_EQ(zcbuf_appender_flush(a), 1);
	delivered(1, 259, 4);
	end();

	opts.flags = ZCBUF_APPENDER_F_FRAMED;
	begin(&opts);
	record = append(1, 1);
	EXPECT(((uintptr_t)record & 63) == 0);
	frame_is(record, 1, 56);
	record = append(60, 1);
	frame_is(record, 60, 64 - 16);
	record = append(56, 1);
	frame_is(record, 56, 56);
	end();
}

static void small_alignment_of_frames(void)
{
	const struct zcbuf_appender_opts opts = {
		.flags = ZCBUF_APPENDER_F_FRAMED, .align = 2,
	};

	begin(&opts);
	EXPECT(append(1, 1) == at(8));
	EXPECT(append(1, 1) == at(24));
	end();
}

static void shorter_than_reserved(void)
{
	void *record;

	begin(NULL);
	EXPECT_EQ(zcbuf_appender_commit(a, 0), -EALREADY);
	ASSERT_EQ(zcbuf_appender_reserve(a, 100, 0, &record), 0);
	EXPECT_EQ(zcbuf_appender_commit(a, 101), -EMSGSIZE);
	EXPECT_EQ(zcbuf_appender_commit(a, SIZE_MAX), -EMSGSIZE);
	EXPECT_EQ(zcbuf_appender_commit(a, 30), 0);
	EXPECT_EQ(zcbuf_appender_commit(a, 1), -EALREADY);
	EXPECT(append(1, 1) == (unsigned char *)record + 30);
	EXPECT_EQ(zcbuf_appender_flush(a), 1);
	delivered(1, 31, 2);
	end();
}

/* Reserved and not wanted, in each way; and records that are none. */
static void forgotten(void)
{
	void *record, *again;

	begin(NULL);
	ASSERT_EQ(zcbuf_appender_reserve(a, 100, 0, &record), 0);
	zcbuf_appender_cancel(a);
	EXPECT_EQ(zcbuf_appender_commit(a, 100), -EALREADY);
	ASSERT_EQ(zcbuf_appender_reserve(a, 50, 0, &again), 0);
	EXPECT(again == record);
	ASSERT_EQ(zcbuf_appender_reserve(a, 0, 0, &again), 0);
	EXPECT(again == record);
	EXPECT_EQ(zcbuf_appender_commit(a, 0), 0);
	EXPECT_EQ(zcbuf_appender_flush(a), 0);
	EXPECT_EQ(fake.nsuccess, 0);
	ASSERT_EQ(zcbuf_appender_reserve(a, 50, 0, &again), 0);
	EXPECT_EQ(zcbuf_appender_flush(a), -EBUSY);
	EXPECT_EQ(zcbuf_appender_commit(a, 50), 0);
	EXPECT_EQ(zcbuf_appender_flush(a), 1);
	delivered(1, 50, 1);
	end();
	EXPECT_EQ(fake.nfailure, 0);
}

static void put(void)
{
	begin_framed();
	EXPECT_EQ(zcbuf_appender_put(a, "hello", 5, 0), 0);
	EXPECT_EQ(zcbuf_appender_put(a, NULL, 0, 0), 0);
	EXPECT(!memcmp(at(8), "hello", 5));
	fake.reserve_error = EAGAIN;
	EXPECT_EQ(zcbuf_appender_put(a, at(0), WINDOW - 8, 0), -EAGAIN);
	delivered(1, 24, 2);
	end();
}

/* ---------------------------------------------------------------- turning over */

/* One call for each window, and none for a record. */
static void turns_over(void)
{
	const unsigned int each = WINDOW / 1032;
	unsigned int i;

	begin_framed();
	for (i = 0; i < 20 * each; i++)
		append(1024, i);
	EXPECT_EQ(fake.calls[ZCBUF_NR_RESERVE], 1);
	EXPECT_EQ(fake.calls[ZCBUF_NR_COMMIT_RESERVE], 19);
	EXPECT_EQ(fake.calls[ZCBUF_NR_COMMIT], 0);
	EXPECT_EQ(fake.nsuccess, 19);
	for (i = 0; i < 19; i++) {
		EXPECT_EQ(fake.success[i].offset, i * WINDOW);
		EXPECT_EQ(fake.success[i].length, each * 1032);
		EXPECT_EQ(fake.resv[i].nrecords, each);
	}
	EXPECT_EQ(at(WINDOW + 8)[0], each);
	end();
	EXPECT_EQ(fake.nsuccess, 20);
	EXPECT_EQ(fake.nfailure, 0);
	EXPECT_EQ(fake.calls[ZCBUF_NR_COMMIT], 1);
}

/* What is written is delivered, though there is no next window; later there is. */
static void back_pressure(void)
{
	static const int errors[] = { EAGAIN, ETIMEDOUT, EINTR, EPIPE };
	unsigned int i;
	void *record;

	begin(NULL);
	fake.why = ZCBUF_WHY_LIMIT;
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		append(WINDOW, i);
		fake.reserve_error = errors[i];
		EXPECT_EQ(zcbuf_appender_reserve(a, 1, 77 + i, &record),
			  -errors[i]);
		EXPECT_EQ(zcbuf_appender_why(a), i < 2 ? ZCBUF_WHY_LIMIT : 0);
		EXPECT_EQ(fake.commit_reserve.deadline_ns, 77 + i);
		EXPECT_EQ(fake.nsuccess, i + 1);
		EXPECT_EQ(zcbuf_appender_commit(a, 1), -EALREADY);
		fake.fail[ZCBUF_NR_RESERVE] = errors[i];
		EXPECT_EQ(zcbuf_appender_reserve(a, 1, 5, &record), -errors[i]);
		EXPECT_EQ(zcbuf_appender_reserve(a, 1, 99 + i, &record), 0);
		EXPECT_EQ(zcbuf_appender_why(a), 0);
		EXPECT_EQ(fake.reserve.deadline_ns, 99 + i);
	}
	EXPECT_EQ(zcbuf_appender_commit(a, 1), 0);
	end();
	EXPECT_EQ(fake.nsuccess, ARRAY_SIZE(errors) + 1);
	EXPECT_EQ(fake.nfailure, 0);
}

/* Nor is what was reserved before still there. */
static void forgotten_for_nothing(void)
{
	void *record;

	begin(NULL);
	append(10, 1);
	ASSERT_EQ(zcbuf_appender_reserve(a, 5, 0, &record), 0);
	fake.reserve_error = EAGAIN;
	EXPECT_EQ(zcbuf_appender_reserve(a, WINDOW, 0, &record), -EAGAIN);
	EXPECT_EQ(zcbuf_appender_commit(a, 5), -EALREADY);
	ASSERT_EQ(zcbuf_appender_reserve(a, 5, 0, &record), 0);
	EXPECT_EQ(zcbuf_appender_reserve(a, SIZE_MAX, 0, &record), -E2BIG);
	EXPECT_EQ(zcbuf_appender_commit(a, 5), -EALREADY);
	append(1, 1);
	end();
	delivered(2, 1, 1);
	EXPECT_EQ(fake.nfailure, 0);
}

static void need_consumer(void)
{
	const struct zcbuf_appender_opts opts = {
		.flags = ZCBUF_APPENDER_F_NEED_CONSUMER,
	};
	const __u32 flags = ZCBUF_RESERVE_F_WINDOW |
			    ZCBUF_RESERVE_F_NEED_CONSUMER;

	begin(&opts);
	append(WINDOW, 1);
	EXPECT_EQ(fake.reserve.flags, flags);
	append(1, 1);
	EXPECT_EQ(fake.commit_reserve.flags, flags);
	end();
}

/* The commit itself fails: nothing has changed, or it is lost. */
static void turn_fails(void)
{
	void *record;

	begin(NULL);
	append(WINDOW - 1, 1);
	fake.fail[ZCBUF_NR_COMMIT_RESERVE] = EFAULT;
	EXPECT_EQ(zcbuf_appender_reserve(a, 2, 0, &record), -EFAULT);
	EXPECT(append(1, 1) == at(WINDOW - 1));
	fake.fail[ZCBUF_NR_COMMIT] = EFAULT;
	EXPECT_EQ(zcbuf_appender_flush(a), -EFAULT);
	EXPECT_EQ(zcbuf_appender_flush(a), 1);
	delivered(1, WINDOW, 2);

	append(WINDOW, 1);
	fake.fail[ZCBUF_NR_COMMIT_RESERVE] = ESTALE;
	EXPECT_EQ(zcbuf_appender_reserve(a, 2, 0, &record), -ESTALE);
	EXPECT_EQ(zcbuf_appender_flush(a), 0);
	append(2, 1);
	EXPECT_EQ(zcbuf_channel_finalize(channel, NULL), 0);
	EXPECT_EQ(zcbuf_appender_reserve(a, WINDOW, 0, &record), -ESHUTDOWN);
	EXPECT_EQ(zcbuf_appender_reserve(a, 1, 0, &record), -ESHUTDOWN);
	EXPECT_EQ(zcbuf_appender_flush(a), 0);
	end();
}

/* What the kernel gives is not in the pool, or cannot be mapped. */
static void unreachable(void)
{
	void *record;

	begin(NULL);
	append(WINDOW, 1);
	fake.reserve_shift = 1ULL << 40;
	EXPECT_EQ(zcbuf_appender_reserve(a, 1, 0, &record), -ERANGE);
	EXPECT_EQ(fake.resv[1].state, FAKE_FAILED);
	fake.reserve_shift = 0;
	delivered(1, WINDOW, 1);
	EXPECT(append(1, 1) == at(2 * WINDOW));
	end();
}

/* ------------------------------------------------------ larger than a window */

static void larger_than_a_window(void)
{
	unsigned char *record;
	void *none;

	begin_framed();
	append(10, 1);
	record = append(WINDOW, 2);
	frame_is(record, WINDOW, 0);
	EXPECT_EQ(fake.calls[ZCBUF_NR_COMMIT_RESERVE], 1);
	EXPECT_EQ(fake.resv[1].length, WINDOW + 4096);
	delivered(1, 24, 1);
	/* The rest of it is as good as any. */
	EXPECT(append(4096 - 16, 3) == record + WINDOW + 8);
	append(1, 4);
	delivered(2, WINDOW + 4096, 2);
	EXPECT_EQ(fake.resv[2].length, WINDOW);
	EXPECT_EQ(zcbuf_appender_reserve(a, (size_t)ZCBUF_APPENDER_MAX + 1, 0,
					 &none), -E2BIG);
	EXPECT_EQ(zcbuf_appender_reserve(a, SIZE_MAX, 0, &none), -E2BIG);
	end();
	EXPECT_EQ(fake.nsuccess, 3);
	EXPECT_EQ(fake.nfailure, 0);
}

/* An empty window that is too small is not given up for it. */
static void kept_for_later(void)
{
	void *small, *large, *again;

	begin(NULL);
	ASSERT_EQ(zcbuf_appender_reserve(a, 10, 0, &small), 0);
	ASSERT_EQ(zcbuf_appender_reserve(a, WINDOW + 1, 0, &large), 0);
	EXPECT(large == at(WINDOW));
	EXPECT_EQ(zcbuf_appender_commit(a, WINDOW + 1), 0);
	ASSERT_EQ(zcbuf_appender_reserve(a, WINDOW, 0, &again), 0);
	EXPECT(again == small);
	delivered(1, WINDOW + 1, 1);
	EXPECT_EQ(zcbuf_appender_commit(a, WINDOW), 0);
	append(1, 1);
	EXPECT_EQ(fake.nsuccess, 2);
	EXPECT_EQ(fake.nresv, 3);
	end();
	EXPECT_EQ(fake.nfailure, 0);
}

/* Two that were given up: the larger one fails, the other is kept. */
static void one_is_kept(void)
{
	void *small, *record;

	begin(NULL);
	ASSERT_EQ(zcbuf_appender_reserve(a, 10, 0, &small), 0);
	ASSERT_EQ(zcbuf_appender_reserve(a, WINDOW + 1, 0, &record), 0);
	ASSERT_EQ(zcbuf_appender_reserve(a, WINDOW * 2, 0, &record), 0);
	EXPECT_EQ(fake.resv[0].state, FAKE_PENDING);
	EXPECT_EQ(fake.resv[1].state, FAKE_FAILED);
	EXPECT_EQ(zcbuf_appender_close(a), 0);
	EXPECT_EQ(fake.resv[0].state, FAKE_FAILED);
	EXPECT_EQ(fake.resv[2].state, FAKE_FAILED);
	EXPECT_EQ(fake.nsuccess, 0);
	fake_channel_close(channel);
}

static const struct test_case cases[] = {
	CASE(options),
	CASE(open_fails),
	CASE(read_only),
	CASE(unframed),
	CASE(framed),
	CASE(aligned),
	CASE(small_alignment_of_frames),
	CASE(shorter_than_reserved),
	CASE(forgotten),
	CASE(put),
	CASE(turns_over),
	CASE(back_pressure),
	CASE(forgotten_for_nothing),
	CASE(need_consumer),
	CASE(turn_fails),
	CASE(unreachable),
	CASE(larger_than_a_window),
	CASE(kept_for_later),
	CASE(one_is_kept),
};

TEST_MAIN(cases)

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Appenders: what is delivered though its window is not full, what is lost and what
 * not; and what a record costs.
 */
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "appender.h"
#include "insns.h"
#include "wrap.h"

#define SEC	1000000000ULL

static __u64 now = 5 * SEC;

int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
	if (clock != CLOCK_MONOTONIC)
		EXPECT_EQ(clock, CLOCK_MONOTONIC);
	t->tv_sec = now / SEC;
	t->tv_nsec = now % SEC;
	return 0;
}

/* ------------------------------------------------------------------- linger */

static void begin_lingering(__u64 ns)
{
	const struct zcbuf_appender_opts opts = { .linger_ns = ns };

	begin(&opts);
}

/* Counted from the first record of a window; an early one is not late. */
static void linger(void)
{
	begin_lingering(SEC);
	append(10, 1);
	now += SEC - 1;
	EXPECT(append(10, 2) == at(10));
	EXPECT_EQ(fake.nsuccess, 0);
	now++;
	EXPECT(append(10, 3) == at(WINDOW));
	EXPECT_EQ(fake.calls[ZCBUF_NR_COMMIT_RESERVE], 1);
	delivered(1, 20, 2);
	now += SEC - 1;
	append(10, 4);
	EXPECT_EQ(fake.nsuccess, 1);
	now += SEC;
	append(WINDOW, 5);
	delivered(2, 20, 2);
	append(1, 6);
	delivered(3, WINDOW, 1);
	end();
}

static void polled(void)
{
	__u64 due = 0;
	void *record;

	begin_lingering(SEC);
	EXPECT_EQ(zcbuf_appender_poll(a, &due), 0);
	EXPECT(due == ZCBUF_NO_DEADLINE);
	append(10, 1);
	EXPECT_EQ(zcbuf_appender_poll(a, &due), 0);
	EXPECT_EQ(due, now + SEC);
	now += SEC - 1;
	EXPECT_EQ(zcbuf_appender_poll(a, NULL), 0);
	now++;
	ASSERT_EQ(zcbuf_appender_reserve(a, 0, 0, &record), 0);
	delivered(1, 10, 1);
	zcbuf_appender_cancel(a);
	append(11, 1);
	now += SEC;
	EXPECT_EQ(zcbuf_appender_poll(a, &due), 1);
	EXPECT(due == ZCBUF_NO_DEADLINE);
	delivered(2, 11, 1);
	EXPECT_EQ(zcbuf_appender_poll(a, &due), 0);
	append(1, 1);
	fake.fail[ZCBUF_NR_COMMIT] = EFAULT;
	now += SEC;
	EXPECT_EQ(zcbuf_appender_poll(a, &due), -EFAULT);
	EXPECT_EQ(due, now);
	end();
}

/* A record that is being written is not delivered, however late it is. */
static void polled_too_early(void)
{
	void *record;

	begin_lingering(SEC);
	ASSERT_EQ(zcbuf_appender_reserve(a, 10, 0, &record), 0);
	now += SEC;
	EXPECT_EQ(zcbuf_appender_poll(a, NULL), 0);
	EXPECT_EQ(zcbuf_appender_commit(a, 10), 0);
	EXPECT_EQ(zcbuf_appender_poll(a, NULL), 1);
	append(10, 1);
	ASSERT_EQ(zcbuf_appender_reserve(a, 5, 0, &record), 0);
	now += SEC;
	EXPECT_EQ(zcbuf_appender_poll(a, NULL), -EBUSY);
	EXPECT_EQ(zcbuf_appender_commit(a, 5), 0);
	EXPECT_EQ(zcbuf_appender_poll(a, NULL), 1);
	delivered(2, 15, 2);
	end();
}

static void lingers_for_ever(void)
{
	__u64 due;

	begin_lingering(ZCBUF_NO_DEADLINE - SEC);
	append(10, 1);
	now += SEC;
	EXPECT_EQ(zcbuf_appender_poll(a, &due), 0);
	EXPECT(due == ZCBUF_NO_DEADLINE);
	end();
	begin(NULL);
	append(10, 1);
	EXPECT_EQ(zcbuf_appender_poll(a, &due), 0);
	EXPECT(due == ZCBUF_NO_DEADLINE);
	end();
}

/* ----------------------------------------------------------- tags and the end */

static void tags(void)
{
	const struct zcbuf_appender_opts opts = {
		.user_tag = 1ULL << 63, .encoding = 9,
	};

	begin(&opts);
	append(WINDOW, 1);
	append(WINDOW, 1);
	EXPECT_EQ(fake.commit.user_tag, 1ULL << 63);
	EXPECT_EQ(fake.commit.encoding, 9);
	EXPECT_EQ(zcbuf_appender_tag(a, 7, 0), 0);
	append(1, 1);
	EXPECT_EQ(fake.commit.user_tag, 7);
	EXPECT_EQ(fake.commit.encoding, 0);
	EXPECT_EQ(zcbuf_appender_flush(a), 1);
	EXPECT_EQ(fake.commit.user_tag, 7);
	EXPECT_EQ(zcbuf_appender_tag(a, 0, 0), 0);
	append(1, 1);
	end();
	EXPECT_EQ(fake.commit.user_tag, 0);
	EXPECT_EQ(fake.nsuccess, 4);
}

static void dropped(void)
{
	void *record;

	begin(NULL);
	EXPECT_EQ(zcbuf_appender_drop(a), 0);
	append(10, 1);
	ASSERT_EQ(zcbuf_appender_reserve(a, 5, 0, &record), 0);
	EXPECT_EQ(zcbuf_appender_drop(a), 0);
	EXPECT_EQ(fake.resv[0].state, FAKE_FAILED);
	EXPECT_EQ(zcbuf_appender_commit(a, 5), -EALREADY);
	EXPECT_EQ(zcbuf_appender_flush(a), 0);
	EXPECT(append(1, 1) == at(WINDOW));
	EXPECT_EQ(zcbuf_channel_finalize(channel, NULL), 0);
	EXPECT_EQ(zcbuf_appender_drop(a), -ESHUTDOWN);
	EXPECT_EQ(zcbuf_appender_drop(a), 0);
	end();
	EXPECT_EQ(fake.nsuccess, 0);
}

/* What is committed is delivered, what is only reserved is not. */
static void closed(void)
{
	void *record;

	begin(NULL);
	append(10, 1);
	ASSERT_EQ(zcbuf_appender_reserve(a, 5, 0, &record), 0);
	EXPECT_EQ(zcbuf_appender_close(a), 0);
	delivered(1, 10, 1);
	EXPECT_EQ(fake.calls[ZCBUF_NR_ABORT], 0);
	ASSERT_EQ(zcbuf_appender_open(channel, NULL, &a), 0);
	ASSERT_EQ(zcbuf_appender_reserve(a, 5, 0, &record), 0);
	EXPECT_EQ(fake.resv[1].length, ZCBUF_APPENDER_WINDOW);
	EXPECT_EQ(zcbuf_appender_close(a), 0);
	EXPECT_EQ(fake.nfailure, 1);
	ASSERT_EQ(zcbuf_appender_open(channel, NULL, &a), 0);
	append(1, 1);
	EXPECT_EQ(zcbuf_channel_finalize(channel, NULL), 0);
	EXPECT_EQ(zcbuf_appender_close(a), -ESHUTDOWN);
	fake_channel_close(channel);
	EXPECT_EQ(fake.mapped, 0);
}

static void nothing_works(void)
{
	void *record;

	ASSERT_EQ(zcbuf_appender_reserve(a, 0, 0, &record), -EBADF);
	ASSERT_EQ(zcbuf_appender_reserve(a, 1, 0, &record), -EBADF);
	ASSERT_EQ(zcbuf_appender_commit(a, 0), -EBADF);
	ASSERT_EQ(zcbuf_appender_commit(a, 5), -EBADF);
	ASSERT_EQ(zcbuf_appender_put(a, "", 1, 0), -EBADF);
	ASSERT_EQ(zcbuf_appender_flush(a), -EBADF);
	ASSERT_EQ(zcbuf_appender_poll(a, NULL), -EBADF);
	ASSERT_EQ(zcbuf_appender_drop(a), -EBADF);
	ASSERT_EQ(zcbuf_appender_tag(a, 1, 1), -EBADF);
	zcbuf_appender_cancel(a);
	ASSERT_EQ(zcbuf_appender_close(a), 0);
}

/* In a fork child: the parent goes on, in the middle of a record. */
static void forked(void)
{
	void *record;
	int status;

	begin_framed();
	append(10, 1);
	ASSERT_EQ(zcbuf_appender_reserve(a, 5, 0, &record), 0);
	if (!fork()) {
		nothing_works();
		_exit(0);
	}
	wait(&status);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(zcbuf_appender_commit(a, 5), 0);
	end();
	delivered(1, 40, 2);
}

static void pool_closed(void)
{
	struct zcbuf_pool *pool;
	void *record;

	begin(NULL);
	pool = zcbuf_channel_pool(channel);
	append(WINDOW, 1);
	EXPECT_EQ(zcbuf_pool_close(pool), 0);
	EXPECT_EQ(zcbuf_appender_reserve(a, 1, 0, &record), -EBADF);
	EXPECT_EQ(zcbuf_appender_flush(a), -EBADF);
	EXPECT_EQ(zcbuf_appender_drop(a), -EBADF);
	EXPECT_EQ(zcbuf_appender_close(a), -EBADF);
	EXPECT_EQ(zcbuf_channel_close(channel), -EBADF);
}

/* ------------------------------------------------------------- instructions */

static void *make_framed(void)
{
	const struct zcbuf_appender_opts opts = {
		.window = 1 << 20, .flags = ZCBUF_APPENDER_F_FRAMED,
	};

	begin(&opts);
	append(100, 1);
	return a;
}

static void *make_unframed(void)
{
	const struct zcbuf_appender_opts opts = { .window = 1 << 20 };

	begin(&opts);
	append(100, 1);
	return a;
}

static void *make_lingering(void)
{
	const struct zcbuf_appender_opts opts = {
		.window = 1 << 20, .linger_ns = SEC,
	};

	begin(&opts);
	append(100, 1);
	return a;
}

static void append_many(void *it, unsigned int n)
{
	struct zcbuf_appender *to = it;
	void *record;

	while (n--) {
		if (zcbuf_appender_reserve(to, 1000, 0, &record))
			_exit(1);
		*(volatile char *)record = 1;
		zcbuf_appender_commit(to, 1000);
	}
}

static void instructions(void)
{
	insns_within(make_framed, append_many, 200, 40, "a framed record");
	insns_within(make_unframed, append_many, 200, 40, "a record");
	insns_within(make_lingering, append_many, 200, 150,
		     "a record that lingers, with a clock of ours");
}

static const struct test_case cases[] = {
	CASE(linger),
	CASE(polled),
	CASE(polled_too_early),
	CASE(lingers_for_ever),
	CASE(tags),
	CASE(dropped),
	CASE(closed),
	CASE(forked),
	CASE(pool_closed),
	CASE(instructions),
};

TEST_MAIN(cases)

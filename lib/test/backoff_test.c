// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* How often it sleeps, and how long; the clock is the test's. */
#include <errno.h>
#include <stdint.h>
#include <time.h>

#include "fake.h"
#include "test.h"
#include "wrap.h"

#define US	1000LL
#define MS	1000000LL
#define SEC	1000000000LL
#define START	(77 * SEC)
#define MAX	4096

static __s64 now = START;
static __s64 slept[MAX];
static unsigned int sleeps;
static unsigned int sleep_pass;
static int sleep_error;

int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
	EXPECT_EQ(clock, CLOCK_MONOTONIC);
	t->tv_sec = now / SEC;
	t->tv_nsec = now % SEC;
	return 0;
}

int __wrap_clock_nanosleep(clockid_t clock, int flags,
			   const struct timespec *t, struct timespec *left)
{
	__s64 until = t->tv_sec * SEC + t->tv_nsec;
	int err = fake_take_after(&sleep_pass, &sleep_error);

	EXPECT(clock == CLOCK_MONOTONIC && flags == TIMER_ABSTIME && !left);
	if (err)
		return err;
	slept[sleeps++ % MAX] = until - now;
	now = until;
	return 0;
}

/* The next block is @n sleeps of @length each, within an eighth. */
static void block_is(struct zcbuf_backoff *b, unsigned int n, __s64 length)
{
	unsigned int i;

	sleeps = 0;
	EXPECT_EQ(zcbuf_backoff_block(b, ZCBUF_NO_DEADLINE), 0);
	EXPECT_EQ(sleeps, n);
	for (i = 0; i < n; i++)
		test_check(slept[i] >= length - length / 8 &&
			   slept[i] <= length + length / 8, __FILE__, __LINE__,
			   "%lld is not %lld", (long long)slept[i],
			   (long long)length);
}

static void blocks(void)
{
	struct zcbuf_backoff b;

	zcbuf_backoff_init(&b, 3 * MS, 10 * MS);
	block_is(&b, 1, 3 * MS);
	block_is(&b, 2, 6 * MS);
	block_is(&b, 3, 9 * MS);
	block_is(&b, 4, 10 * MS);
	block_is(&b, 5, 10 * MS);
	zcbuf_backoff_reset(&b);
	block_is(&b, 1, 3 * MS);
	block_is(&b, 2, 6 * MS);
}

static void defaults_are(__s64 base_ns, __s64 max_ns)
{
	struct zcbuf_backoff b;
	int n;

	zcbuf_backoff_init(&b, base_ns, max_ns);
	block_is(&b, 1, 500 * US);
	block_is(&b, 2, 1000 * US);
	for (n = 3; n < 200; n++)
		b.count = n;
	block_is(&b, 200, 100 * MS);
	block_is(&b, 201, 100 * MS);
}

static void defaults(void)
{
	defaults_are(0, 0);
	defaults_are(-1, -1);
	defaults_are(INT64_MIN, INT64_MIN);
	defaults_are(500 * US, 0);
	defaults_are(0, 100 * MS);
}

static void extremes(void)
{
	struct zcbuf_backoff b;

	zcbuf_backoff_init(&b, INT64_MAX, 5);	/* the longest is shorter */
	block_is(&b, 1, 5);
	block_is(&b, 2, 5);
	zcbuf_backoff_init(&b, 1, INT64_MAX);
	block_is(&b, 1, 1);
	zcbuf_backoff_init(&b, INT64_MAX, INT64_MAX);
	sleeps = 0;
	EXPECT_EQ(zcbuf_backoff_block(&b, START + SEC), -ETIMEDOUT);
	EXPECT_EQ(sleeps, 1);
	EXPECT_EQ(now, START + SEC);
}

/* Both ends are reached, nearly, and what lies between them. */
static void jitter(void)
{
	unsigned int eighth[8] = { 0 };
	struct zcbuf_backoff b;
	unsigned int i;

	zcbuf_backoff_init(&b, 8 * MS, 8 * MS);
	b.count = 999;
	block_is(&b, 1000, 8 * MS);
	for (i = 0; i < 1000; i++)
		eighth[(slept[i] - 7 * MS) * 8 / (2 * MS + 1)]++;
	for (i = 0; i < 8; i++)
		EXPECT(eighth[i] > 60 && eighth[i] < 190);
}

static void deadlines(void)
{
	struct zcbuf_backoff b;

	zcbuf_backoff_init(&b, 10 * MS, 0);
	EXPECT_EQ(zcbuf_backoff_block(&b, 0), -EAGAIN);
	EXPECT_EQ(zcbuf_backoff_block(&b, START), -ETIMEDOUT);
	EXPECT_EQ(zcbuf_backoff_block(&b, 1), -ETIMEDOUT);
	EXPECT_EQ(sleeps, 0);
	EXPECT_EQ(zcbuf_backoff_block(&b, START + MS), -ETIMEDOUT);
	EXPECT_EQ(now, START + MS);
	EXPECT_EQ(sleeps, 1);
	EXPECT_EQ(b.count, 0);
	block_is(&b, 1, 10 * MS);
	EXPECT_EQ(zcbuf_backoff_block(&b, now + 30 * MS), -ETIMEDOUT);
	EXPECT_EQ(b.count, 1);
	block_is(&b, 2, 20 * MS);
}

static void interrupted(void)
{
	struct zcbuf_backoff b;

	zcbuf_backoff_init(&b, 0, 0);
	block_is(&b, 1, 500 * US);
	sleep_error = EINTR;
	sleep_pass = 1;
	EXPECT_EQ(zcbuf_backoff_block(&b, ZCBUF_NO_DEADLINE), -EINTR);
	EXPECT_EQ(b.count, 1);
	block_is(&b, 2, 1000 * US);
}

static const struct test_case cases[] = {
	CASE(blocks),
	CASE(defaults),
	CASE(extremes),
	CASE(jitter),
	CASE(deadlines),
	CASE(interrupted),
};

TEST_MAIN(cases)

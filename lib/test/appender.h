/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * One appender on the stream of the fake device, and what becomes of its records.
 */
#ifndef ZCBUF_LIB_TEST_APPENDER_H
#define ZCBUF_LIB_TEST_APPENDER_H

#include <errno.h>
#include <string.h>

#include "fake.h"
#include "test.h"

#define WINDOW	8192

static struct zcbuf_channel *channel;
static struct zcbuf_appender *a;

static inline void begin(const struct zcbuf_appender_opts *opts)
{
	struct zcbuf_appender_opts mine = { 0 };

	if (opts)
		mine = *opts;
	mine.sz = sizeof(mine);
	mine.window = mine.window ? mine.window : WINDOW;
	channel = fake_channel(1 << 20);
	ASSERT_EQ(zcbuf_appender_open(channel, &mine, &a), 0);
	memset(fake.calls, 0, sizeof(fake.calls));
}

static inline void begin_framed(void)
{
	const struct zcbuf_appender_opts opts = {
		.flags = ZCBUF_APPENDER_F_FRAMED,
	};

	begin(&opts);
}

static inline void end(void)
{
	EXPECT_EQ(zcbuf_appender_close(a), 0);
	fake_channel_close(channel);
	EXPECT_EQ(fake.mapped, 0);
}

/* A record of @n bytes, all the same; where it is. */
static inline unsigned char *append(size_t n, int byte)
{
	void *record = NULL;

	ASSERT_EQ(zcbuf_appender_reserve(a, n, 0, &record), 0);
	memset(record, byte, n);
	EXPECT_EQ(zcbuf_appender_commit(a, n), 0);
	return record;
}

static inline unsigned char *at(__u64 pool_offset)
{
	return zcbuf_pool_addr(zcbuf_channel_pool(channel), pool_offset);
}

static inline void delivered(unsigned int n, __u64 length, __u32 nrecords)
{
	ASSERT_EQ(fake.nsuccess, n);
	EXPECT_EQ(fake.success[n - 1].length, length);
	EXPECT_EQ(fake.commit.entry.length, length);
	EXPECT_EQ(fake.commit.entry.nrecords, nrecords);
}

#endif /* ZCBUF_LIB_TEST_APPENDER_H */

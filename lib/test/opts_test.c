// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Structs that grow, and what the library refuses before it opens anything. */
#include <errno.h>
#include <string.h>

#include "../internal.h"
#include "fake.h"
#include "test.h"

struct old {
	size_t sz;
	__u32 a;
	__u32 b;
};

struct new {
	size_t sz;
	__u32 a;
	__u32 b;
	__u64 c;
};

static void null_is_all_zero(void)
{
	struct new ours;

	memset(&ours, 0xff, sizeof(ours));
	EXPECT_EQ(zcb_opts_read(&ours, sizeof(ours), NULL, 16), 0);
	EXPECT(!ours.sz && !ours.a && !ours.b && !ours.c);
}

static void old_caller(void)
{
	struct {
		struct old old;
		__u64 behind;
	} theirs = { { sizeof(theirs.old), 1, 2 }, ~0ULL };
	struct new ours;

	memset(&ours, 0xff, sizeof(ours));
	EXPECT_EQ(zcb_opts_read(&ours, sizeof(ours), &theirs.old,
				sizeof(theirs.old)), 0);
	EXPECT_EQ(ours.a, 1);
	EXPECT_EQ(ours.b, 2);
	EXPECT_EQ(ours.c, 0);
}

static void new_caller(void)
{
	struct new theirs = { .sz = sizeof(theirs), .a = 1, .b = 2 };
	struct old ours;

	EXPECT_EQ(zcb_opts_read(&ours, sizeof(ours), &theirs, sizeof(ours)), 0);
	EXPECT_EQ(ours.b, 2);
	theirs.c = 1ULL << 63;
	EXPECT_EQ(zcb_opts_read(&ours, sizeof(ours), &theirs, sizeof(ours)),
		  -E2BIG);
}

static void bad_sizes(void)
{
	struct old theirs = { .sz = sizeof(theirs) - 1 };
	struct old ours;

	EXPECT_EQ(zcb_opts_read(&ours, sizeof(ours), &theirs, sizeof(ours)),
		  -EINVAL);
	theirs.sz = 0;
	EXPECT_EQ(zcb_opts_read(&ours, sizeof(ours), &theirs, sizeof(ours)),
		  -EINVAL);
}

/* A size that was never set: the tail must not even be looked at. */
static void absurd_size(void)
{
	static struct {
		struct old old;
		unsigned char behind[16384];
	} theirs;
	struct old ours;

	theirs.old.sz = 5000;
	EXPECT_EQ(zcb_opts_read(&ours, sizeof(ours), &theirs, sizeof(ours)),
		  -E2BIG);
	theirs.old.sz = 4096;
	EXPECT_EQ(zcb_opts_read(&ours, sizeof(ours), &theirs, sizeof(ours)), 0);
}

static void pool_opts(void)
{
	struct zcbuf_attach_opts attach = { .sz = sizeof(attach) };
	struct zcbuf_pool_opts opts = { .sz = 8 };
	struct zcbuf_pool *pool = NULL;

	EXPECT_EQ(zcbuf_pool_create(&pool, &opts), -EINVAL);
	opts.sz = sizeof(opts);
	opts.open_flags = 1U << 31;
	EXPECT_EQ(zcbuf_pool_create(&pool, &opts), -EOPNOTSUPP);
	attach.flags = ZCBUF_ATTACH_F_FD;
	EXPECT_EQ(zcbuf_pool_attach(&pool, "x", &attach), -EOPNOTSUPP);
	EXPECT_EQ(zcbuf_pool_attach_fd(&pool, 0, &attach), -EOPNOTSUPP);
	EXPECT_EQ(zcbuf_pool_attach(&pool, NULL, NULL), -EINVAL);
	EXPECT(!pool);
	EXPECT_EQ(fake.open_flags, 0);
}

static void channel_opts(void)
{
	struct zcbuf_channel_opts opts = { .sz = sizeof(opts) };
	struct zcbuf_channel *channel = NULL;
	struct zcbuf_pool *pool;

	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	EXPECT_EQ(zcbuf_channel_create(pool, &opts, &channel), -EINVAL);
	EXPECT_EQ(zcbuf_channel_create(pool, NULL, &channel), -EINVAL);
	EXPECT_EQ(zcbuf_channel_attach(pool, 0, ZCBUF_PORT_PRODUCE, 0,
				       &channel), -ENOENT);
	EXPECT_EQ(zcbuf_channel_attach(pool, 1, 0, 0, &channel), -EINVAL);
	opts.ports = ZCBUF_PORT_PRODUCE;
	opts.reserved = 1;
	EXPECT_EQ(zcbuf_channel_create(pool, &opts, &channel), -EOPNOTSUPP);
	EXPECT(!channel);
	EXPECT_EQ(fake.calls[ZCBUF_NR_CHANNEL_OPEN], 0);
	zcbuf_pool_close(pool);
}

/* A program that knows of no names: what is behind its options is not looked at. */
static void channel_opts_of_old(void)
{
	struct zcbuf_channel_opts opts = {
		.sz = offsetof(struct zcbuf_channel_opts, name),
		.ports = ZCBUF_PORT_PRODUCE,
		.depth = 3,
		.history = 4,
		.reserved = 5,
	};
	struct zcbuf_channel *channel;
	struct zcbuf_pool *pool;

	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	ASSERT_EQ(zcbuf_channel_create(pool, &opts, &channel), 0);
	EXPECT_EQ(fake.channel_open.depth, 3);
	EXPECT_EQ(fake.channel_open.history, 0);
	EXPECT_EQ(zcbuf_channel_close(channel), 0);
	opts.sz--;
	EXPECT_EQ(zcbuf_channel_create(pool, &opts, &channel), -EINVAL);
	zcbuf_pool_close(pool);
}

static const struct test_case cases[] = {
	CASE(null_is_all_zero),
	CASE(old_caller),
	CASE(new_caller),
	CASE(bad_sizes),
	CASE(absurd_size),
	CASE(pool_opts),
	CASE(channel_opts),
	CASE(channel_opts_of_old),
};

TEST_MAIN(cases)

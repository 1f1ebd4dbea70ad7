// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Structs that grow, and what the library refuses before it opens anything. */
#include <errno.h>
#include <stdio.h>
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

/* ---------------------------------------------------- all there are of them */

/* Of a pool that is closed: what gets so far does no more than to say so. */
static struct zcbuf_subscriber *subscriber;
static struct zcbuf_channel *channel;
static struct zcbuf_pool *pool;

static int pool_create(const void *opts)
{
	struct zcbuf_pool *made = NULL;
	int err = zcbuf_pool_create(&made, opts);

	zcbuf_pool_close(made);
	return err;
}

static int pool_attach(const void *opts)
{
	struct zcbuf_pool *made = NULL;
	int err = zcbuf_pool_attach(&made, "x", opts);

	zcbuf_pool_close(made);
	return err;
}

static int buf_alloc(const void *opts)
{
	struct zcbuf_buf made;

	return zcbuf_buf_alloc_opts(pool, 1, opts, &made);
}

static int channel_create(const void *opts)
{
	struct zcbuf_channel *made;

	return zcbuf_channel_create(pool, opts, &made);
}

static int publisher_open(const void *opts)
{
	struct zcbuf_publisher *made;

	return zcbuf_publisher_open(pool, NULL, opts, &made);
}

static int subscriber_open(const void *opts)
{
	struct zcbuf_subscriber *made;

	return zcbuf_subscriber_open(pool, NULL, opts, &made);
}

static int tpool_create(const void *opts)
{
	struct zcbuf_tpool *made;

	return zcbuf_tpool_create(pool, opts, &made);
}

static int uring_register(const void *opts)
{
	struct zcbuf_uring made;

	return zcbuf_uring_register_opts(&made, NULL, pool, opts);
}

static int bufring_create(const void *opts)
{
	struct zcbuf_bufring *made;

	return zcbuf_bufring_create(&made, NULL, pool, opts);
}

static int appender_open(const void *opts)
{
	struct zcbuf_appender *made;

	return zcbuf_appender_open(channel, opts, &made);
}

static int reader_open(const void *opts)
{
	struct zcbuf_reader *made = NULL;
	int err = zcbuf_reader_open(subscriber, opts, &made);

	zcbuf_reader_close(made);
	return err;
}

static int malloc_create(const void *opts)
{
	struct zcbuf_malloc *made;

	return zcbuf_malloc_create(pool, opts, &made);
}

static int preflight(const void *opts)
{
	struct zcbuf_preflight made = { .sz = sizeof(made) };

	return zcbuf_preflight(opts, &made);
}

/*
 * @min: size of the first that was released
 * @wants: where a __u32 is that cannot be 0; 0: nowhere
 */
#define OPTS_OF(name, min, wants, call) \
	{ #name, sizeof(struct name), min, wants, call }
#define OPTS(name, call) OPTS_OF(name, sizeof(struct name), 0, call)
#define OPTS_WANT(name, field, call) \
	OPTS_OF(name, sizeof(struct name), offsetof(struct name, field), call)

static const struct {
	const char *name;
	size_t size;
	size_t min;
	size_t wants;
	int (*call)(const void *opts);
} all_opts[] = {
	OPTS(zcbuf_pool_opts, pool_create),
	OPTS(zcbuf_attach_opts, pool_attach),
	OPTS_OF(zcbuf_buf_opts, offsetof(struct zcbuf_buf_opts, node), 0,
		buf_alloc),
	OPTS_OF(zcbuf_channel_opts, offsetof(struct zcbuf_channel_opts, name),
		offsetof(struct zcbuf_channel_opts, ports), channel_create),
	OPTS(zcbuf_publisher_opts, publisher_open),
	OPTS(zcbuf_subscriber_opts, subscriber_open),
	OPTS_WANT(zcbuf_tpool_opts, capacity, tpool_create),
	OPTS(zcbuf_uring_opts, uring_register),
	OPTS_WANT(zcbuf_bufring_opts, entries, bufring_create),
	OPTS(zcbuf_appender_opts, appender_open),
	OPTS(zcbuf_reader_opts, reader_open),
	OPTS(zcbuf_malloc_opts, malloc_create),
	OPTS(zcbuf_preflight_opts, preflight),
};

/* One of them with @sz bytes, the last of which is @last. */
static int called_with(unsigned int i, size_t sz, unsigned char last)
{
	const __u32 one = 1;
	unsigned char theirs[512] = { 0 };

	memcpy(theirs, &sz, sizeof(sz));
	if (all_opts[i].wants)
		memcpy(theirs + all_opts[i].wants, &one, sizeof(one));
	theirs[sz - 1] |= last;
	return all_opts[i].call(theirs);
}

/* Of each: too small, just right, and with something behind it that nobody knows. */
static void sizes_of_all(void)
{
	unsigned int i;
	int got[3];

	channel = fake_channel(100);
	pool = zcbuf_channel_pool(channel);
	ASSERT_EQ(zcbuf_subscriber_open(pool, NULL, NULL, &subscriber), 0);
	zcbuf_pool_close(pool);
	for (i = 0; i < ARRAY_SIZE(all_opts); i++) {
		got[0] = called_with(i, all_opts[i].min - 1, 0);
		got[1] = called_with(i, all_opts[i].min, 0);
		got[2] = called_with(i, all_opts[i].size + 1, 1);
		test_check(got[0] == -EINVAL && got[1] != -EINVAL &&
			   got[2] == -E2BIG, __FILE__, __LINE__,
			   "%s: %d, %d, %d", all_opts[i].name, got[0], got[1],
			   got[2]);
	}
	EXPECT_EQ(fake_bufs(), 0);
	zcbuf_subscriber_close(subscriber);
	zcbuf_channel_close(channel);
}

static bool is_listed(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all_opts); i++)
		if (!strcmp(all_opts[i].name, name))
			return true;
	return false;
}

static unsigned int listed_of(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[256], name[64];
	unsigned int n = 0;
	size_t length;

	ASSERT_EQ(!!file, true);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "struct %63s {", name) != 1 ||
		    !strchr(line, '{'))
			continue;
		length = strlen(name);
		if (length < 5 || strcmp(name + length - 5, "_opts"))
			continue;
		test_check(is_listed(name), __FILE__, __LINE__,
			   "%s of %s is in no test", name, path);
		n++;
	}
	fclose(file);
	return n;
}

static void all_are_listed(void)
{
	static const char *const headers[] = {
		LIB_HEADER, ALIGNED_HEADER, DIAG_HEADER, MALLOC_HEADER,
		RECORDS_HEADER, TOPIC_HEADER, TPOOL_HEADER, URING_HEADER,
	};
	unsigned int i, n = 0;

	for (i = 0; i < ARRAY_SIZE(headers); i++)
		n += listed_of(headers[i]);
	EXPECT_EQ(n, ARRAY_SIZE(all_opts));
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
	CASE(sizes_of_all),
	CASE(all_are_listed),
};

TEST_MAIN(cases)

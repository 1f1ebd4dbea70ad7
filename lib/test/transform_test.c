// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Transforms: messages that are zlib's on the way, and hooks that misbehave. */
#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "fake.h"
#include "test.h"

#define ZLIB	0x7a6c6962	/* what both sides call it */
#define FLIP	0x666c6970	/* every bit the other way round */
#define LENGTH	20000

static const struct zcbuf_name name = { NULL, "Log", "main", "lines" };

static struct zcbuf_pool *pool;
static struct zcbuf_pool *other;
static struct zcbuf_publisher *pub;
static struct zcbuf_subscriber *sub;

static int zlib_calls;

static size_t zlib_bound(void *ctx, size_t length)
{
	EXPECT(ctx == &zlib_calls);
	return compressBound(length);
}

static __s64 zlib_encode(void *ctx, void *dst, size_t capacity,
			 const void *src, size_t length)
{
	uLongf n = capacity;

	++*(int *)ctx;
	return compress(dst, &n, src, length) == Z_OK ? (__s64)n : -EIO;
}

static __s64 zlib_decode(void *ctx, void *dst, size_t capacity,
			 const void *src, size_t length)
{
	uLongf n = capacity;
	int err = uncompress(dst, &n, src, length);

	++*(int *)ctx;
	if (err == Z_BUF_ERROR)
		return -EMSGSIZE;
	return err == Z_OK ? (__s64)n : -EIO;
}

static const struct zcbuf_transform zlib = {
	.sz = sizeof(zlib),
	.bound = zlib_bound,
	.encode = zlib_encode,
	.decode = zlib_decode,
	.ctx = &zlib_calls,
	.encoding = ZLIB,
};

static __s64 flip_all(void *ctx, void *dst, size_t capacity, const void *src,
		      size_t length)
{
	const unsigned char *from = src;
	unsigned char *to = dst;
	size_t i;

	(void)ctx;
	if (length > capacity)
		return -EMSGSIZE;
	for (i = 0; i < length; i++)
		to[i] = ~from[i];
	return length;
}

/* As long as it was: no bound. */
static const struct zcbuf_transform flip = {
	.sz = sizeof(flip),
	.encode = flip_all,
	.decode = flip_all,
	.encoding = FLIP,
};

static const struct zcbuf_transform *const both[] = { &flip, &zlib };

static void make(const struct zcbuf_transform *transform,
		 const struct zcbuf_transform *const *transforms,
		 unsigned int ntransforms)
{
	const struct zcbuf_publisher_opts p = {
		.sz = sizeof(p), .transform = transform,
	};
	const struct zcbuf_subscriber_opts s = {
		.sz = sizeof(s),
		.transforms = transforms,
		.ntransforms = ntransforms,
	};

	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	ASSERT_EQ(zcbuf_pool_attach(&other, "x", NULL), 0);
	ASSERT_EQ(zcbuf_publisher_open(pool, &name, &p, &pub), 0);
	ASSERT_EQ(zcbuf_subscriber_open(other, &name, &s, &sub), 0);
}

static void unmake(void)
{
	EXPECT_EQ(zcbuf_subscriber_close(sub), 0);
	EXPECT_EQ(zcbuf_publisher_close(pub), 0);
	EXPECT_EQ(fake_bufs(), 0);
	zcbuf_pool_close(other);
	zcbuf_pool_close(pool);
}

static struct zcbuf_sample take(void)
{
	struct zcbuf_sample sample;

	ASSERT_EQ(zcbuf_subscriber_take(sub, &sample, 1, 0), 1);
	return sample;
}

static void text(char *out)
{
	unsigned int i;

	for (i = 0; i < LENGTH; i++)
		out[i] = "all work and no play "[i % 21];
}

/* Smaller on the way, the same at the end. */
static void compressed(void)
{
	struct zcbuf_publication entry = { .user_tag = LENGTH };
	struct zcbuf_sample sample;
	char sent[LENGTH];
	char got[LENGTH];

	text(sent);
	make(&zlib, both, 2);
	EXPECT_EQ(zcbuf_publisher_send(pub, sent, LENGTH, &entry, 0, 88), 0);
	EXPECT_EQ(fake.alloc.deadline_ns, 88);
	EXPECT_EQ(fake.publish.deadline_ns, 88);
	EXPECT_EQ(entry.encoding, ZLIB);
	EXPECT_EQ(entry.out_delivered, 1);
	sample = take();
	EXPECT_EQ(sample.delivery.encoding, ZLIB);
	EXPECT_EQ(sample.delivery.user_tag, LENGTH);
	EXPECT(sample.length < LENGTH / 10);
	EXPECT_EQ(zcbuf_subscriber_decode(sub, &sample, got, LENGTH), LENGTH);
	EXPECT(!memcmp(got, sent, LENGTH));
	EXPECT_EQ(zcbuf_subscriber_decode(sub, &sample, got, LENGTH - 1),
		  -EMSGSIZE);
	EXPECT_EQ(zlib_calls, 3);
	EXPECT_EQ(zcbuf_subscriber_release(sub, &sample, 1), 1);
	EXPECT_EQ(zcbuf_subscriber_decode(sub, &sample, got, LENGTH), -EINVAL);
	unmake();
}

static void several(void)
{
	struct zcbuf_sample sample;
	char got[8];

	make(&flip, both, 2);
	EXPECT_EQ(zcbuf_publisher_send(pub, "secret", 7, NULL, 0, 0), 0);
	sample = take();
	EXPECT_EQ(sample.delivery.encoding, FLIP);
	EXPECT_EQ(sample.length, 7);
	EXPECT(strcmp(sample.data, "secret"));
	EXPECT_EQ(zcbuf_subscriber_decode(sub, &sample, got, 8), 7);
	EXPECT(!strcmp(got, "secret"));
	EXPECT_EQ(zlib_calls, 0);
	unmake();
}

/* Without a transform messages are copied, both ways. */
static void plain(void)
{
	struct zcbuf_publication entry = { .encoding = 0, .priority = 1 };
	struct zcbuf_sample sample;
	char got[8];

	make(NULL, NULL, 0);
	EXPECT_EQ(zcbuf_publisher_send(pub, "plain", 6, &entry, 0, 0), 0);
	EXPECT_EQ(zcbuf_publisher_send(pub, "plain", 0, &entry, 0, 0), -EINVAL);
	sample = take();
	EXPECT_EQ(sample.delivery.encoding, 0);
	EXPECT_EQ(sample.delivery.priority, 1);
	EXPECT(!strcmp(sample.data, "plain"));
	EXPECT_EQ(zcbuf_subscriber_decode(sub, &sample, got, 5), -EMSGSIZE);
	EXPECT_EQ(zcbuf_subscriber_decode(sub, &sample, got, 6), 6);
	EXPECT(!strcmp(got, "plain"));
	/* The program has encoded it itself, and says so. */
	entry.encoding = 5;
	EXPECT_EQ(zcbuf_publisher_send(pub, "odd", 4, &entry, 0, 0), 0);
	EXPECT_EQ(entry.encoding, 5);
	EXPECT_EQ(take().delivery.encoding, 5);
	unmake();
}

/* What cannot be decoded can be read as it is. */
static void unknown(void)
{
	static const struct zcbuf_transform *const one[] = { &zlib };
	struct zcbuf_sample sample;
	char got[8] = "";

	make(&flip, one, 1);
	EXPECT_EQ(zcbuf_publisher_send(pub, "secret", 7, NULL, 0, 0), 0);
	sample = take();
	EXPECT_EQ(zcbuf_subscriber_decode(sub, &sample, got, 8),
		  -EPROTONOSUPPORT);
	EXPECT(!got[0]);
	EXPECT_EQ(sample.length, 7);
	EXPECT_EQ(flip_all(NULL, got, 8, sample.data, sample.length), 7);
	EXPECT(!strcmp(got, "secret"));
	EXPECT_EQ(zcbuf_subscriber_release(sub, &sample, 1), 1);
	unmake();
}

/* What a loan is published by is not looked into. */
static void not_applied(void)
{
	struct zcbuf_sample sample;
	struct zcbuf_buf loan;

	make(&flip, both, 2);
	ASSERT_EQ(zcbuf_publisher_loan(pub, 10, 0, &loan), 0);
	strcpy(loan.data, "as it is");
	EXPECT_EQ(zcbuf_publisher_publish(pub, &loan, 9, NULL, 0, 0), 0);
	sample = take();
	EXPECT_EQ(sample.delivery.encoding, 0);
	EXPECT(!strcmp(sample.data, "as it is"));
	unmake();
}

static __s64 answer;	/* of the hooks below */
static size_t room;

static __s64 liar(void *ctx, void *dst, size_t capacity, const void *src,
		  size_t length)
{
	(void)ctx;
	(void)dst;
	(void)src;
	(void)length;
	room = capacity;
	return answer;
}

static size_t liar_bound(void *ctx, size_t length)
{
	(void)ctx;
	return 5000 * length;
}

static const struct zcbuf_transform lies = {
	.sz = sizeof(lies),
	.bound = liar_bound,
	.encode = liar,
	.decode = liar,
	.encoding = 9,
};

/* Whatever a hook says, no loan is left, and its word is not taken. */
static void hooks_fail(void)
{
	static const struct zcbuf_transform *const one[] = { &lies };
	struct zcbuf_sample sample;
	char got[4];

	make(&lies, one, 1);
	answer = -EIO;
	EXPECT_EQ(zcbuf_publisher_send(pub, "x", 1, NULL, 0, 0), -EIO);
	EXPECT_EQ(room, 8192);
	answer = 8193;
	EXPECT_EQ(zcbuf_publisher_send(pub, "x", 1, NULL, 0, 0), -ERANGE);
	answer = 1LL << 62;
	EXPECT_EQ(zcbuf_publisher_send(pub, "x", 1, NULL, 0, 0), -ERANGE);
	answer = 0;
	EXPECT_EQ(zcbuf_publisher_send(pub, "x", 1, NULL, 0, 0), -EINVAL);
	EXPECT_EQ(fake.calls[ZCBUF_NR_PUBLISH], 0);
	EXPECT_EQ(fake_bufs(), 0);
	answer = 8192;
	fake.fail[ZCBUF_NR_PUBLISH] = EPIPE;
	EXPECT_EQ(zcbuf_publisher_send(pub, "x", 1, NULL, 0, 0), -EPIPE);
	fake.fail[ZCBUF_NR_ALLOC] = ENOMEM;
	EXPECT_EQ(zcbuf_publisher_send(pub, "x", 1, NULL, 0, 0), -ENOMEM);
	EXPECT_EQ(fake_bufs(), 0);
	EXPECT_EQ(zcbuf_publisher_send(pub, "x", 1, NULL, 0, 0), 0);

	sample = take();
	EXPECT_EQ(sample.length, 8192);
	answer = 5;
	EXPECT_EQ(zcbuf_subscriber_decode(sub, &sample, got, 4), -ERANGE);
	answer = 4;
	EXPECT_EQ(zcbuf_subscriber_decode(sub, &sample, got, 4), 4);
	answer = -EBADMSG;
	EXPECT_EQ(zcbuf_subscriber_decode(sub, &sample, got, 4), -EBADMSG);
	unmake();
}

static int open_pub(const struct zcbuf_transform *transform)
{
	const struct zcbuf_publisher_opts opts = {
		.sz = sizeof(opts), .transform = transform,
	};

	return zcbuf_publisher_open(pool, &name, &opts, &pub);
}

static int open_sub(const struct zcbuf_transform *a,
		    const struct zcbuf_transform *b)
{
	const struct zcbuf_transform *const list[] = { a, b };
	const struct zcbuf_subscriber_opts opts = {
		.sz = sizeof(opts), .transforms = list, .ntransforms = 2,
	};

	return zcbuf_subscriber_open(pool, &name, &opts, &sub);
}

static void refused(void)
{
	struct zcbuf_subscriber_opts opts = { .sz = sizeof(opts) };
	struct zcbuf_transform t = flip;

	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	EXPECT_EQ(open_sub(&zlib, &zlib), -EINVAL);
	EXPECT_EQ(open_sub(&zlib, NULL), -EINVAL);
	t.encode = NULL;
	EXPECT_EQ(open_pub(&t), -EINVAL);
	t = flip;
	t.decode = NULL;
	EXPECT_EQ(open_sub(&zlib, &t), -EINVAL);
	t = flip;
	t.encoding = 0;
	EXPECT_EQ(open_pub(&t), -EINVAL);
	EXPECT_EQ(open_sub(&zlib, &t), -EINVAL);
	t = flip;
	t.reserved = 1;
	EXPECT_EQ(open_pub(&t), -EOPNOTSUPP);
	EXPECT_EQ(open_sub(&zlib, &t), -EOPNOTSUPP);
	t = flip;
	t.sz--;
	EXPECT_EQ(open_pub(&t), -EINVAL);
	EXPECT_EQ(open_sub(&zlib, &t), -EINVAL);
	opts.ntransforms = 1;
	EXPECT_EQ(zcbuf_subscriber_open(pool, &name, &opts, &sub), -EINVAL);
	opts.ntransforms = 257;
	opts.transforms = both;
	EXPECT_EQ(zcbuf_subscriber_open(pool, &name, &opts, &sub), -EINVAL);
	EXPECT_EQ(fake.calls[ZCBUF_NR_CHANNEL_OPEN], 0);
	EXPECT(!pub && !sub);
	zcbuf_pool_close(pool);
}

/* It is copied: what the caller does to his afterwards changes nothing. */
static void copied(void)
{
	struct zcbuf_transform t = flip;
	struct zcbuf_sample sample;

	make(&t, both, 2);
	memset(&t, 0xff, sizeof(t));
	EXPECT_EQ(zcbuf_publisher_send(pub, "x", 1, NULL, 0, 0), 0);
	sample = take();
	EXPECT_EQ(sample.delivery.encoding, FLIP);
	unmake();
}

static const struct test_case cases[] = {
	CASE(compressed),
	CASE(several),
	CASE(plain),
	CASE(unknown),
	CASE(not_applied),
	CASE(hooks_fail),
	CASE(refused),
	CASE(copied),
};

TEST_MAIN(cases)

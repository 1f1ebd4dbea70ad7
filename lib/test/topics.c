// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <string.h>

#include "fake.h"
#include "test.h"
#include "topics.h"

const struct zcbuf_name topic_name = {
	.service = "RadarService",
	.instance = "Front",
	.event = "PointCloud",
};

struct zcbuf_pool *pool;
struct zcbuf_pool *others[3];
struct zcbuf_publisher *pub;
struct zcbuf_subscriber *sub[3];

void topic_pools(void)
{
	unsigned int i;

	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	for (i = 0; i < ARRAY_SIZE(others); i++)
		ASSERT_EQ(zcbuf_pool_attach(&others[i], "x", NULL), 0);
}

void topic_make(const struct zcbuf_subscriber_opts *opts)
{
	topic_pools();
	ASSERT_EQ(zcbuf_publisher_open(pool, &topic_name, NULL, &pub), 0);
	ASSERT_EQ(zcbuf_subscriber_open(others[0], &topic_name, opts, &sub[0]), 0);
}

void topic_unmake(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sub); i++)
		EXPECT_EQ(zcbuf_subscriber_close(sub[i]), 0);
	EXPECT_EQ(zcbuf_publisher_close(pub), 0);
	EXPECT_EQ(fake_messages(), 0);
	EXPECT_EQ(fake_bufs(), 0);
	EXPECT_EQ(fake_topics(), 0);
	for (i = 0; i < ARRAY_SIZE(others); i++)
		zcbuf_pool_close(others[i]);
	zcbuf_pool_close(pool);
	EXPECT_EQ(fake.mapped, 0);
}

struct zcbuf_buf topic_loan(const char *text)
{
	struct zcbuf_buf buf;

	ASSERT_EQ(zcbuf_publisher_loan(pub, 144, 0, &buf), 0);
	strcpy(buf.data, text);
	return buf;
}

int topic_publish(const char *text, struct zcbuf_publication *entry)
{
	struct zcbuf_buf buf = topic_loan(text);
	int err;

	err = zcbuf_publisher_publish(pub, &buf, strlen(text) + 1, entry, 0, 0);
	if (err)
		EXPECT_EQ(zcbuf_publisher_return(pub, &buf), 0);
	return err;
}

struct zcbuf_sample topic_take(struct zcbuf_subscriber *s)
{
	struct zcbuf_sample sample;

	ASSERT_EQ(zcbuf_subscriber_take(s, &sample, 1, 0), 1);
	return sample;
}

void topic_took(struct zcbuf_subscriber *s, const char *text, __u64 seq)
{
	struct zcbuf_sample sample = topic_take(s);

	EXPECT_EQ(sample.length, strlen(text) + 1);
	ASSERT_EQ(!!sample.data, true);
	EXPECT(!strcmp(sample.data, text));
	EXPECT_EQ(sample.delivery.seq, seq);
	EXPECT_EQ(zcbuf_subscriber_release(s, &sample, 1), 1);
}

void topic_is_empty(struct zcbuf_subscriber *s)
{
	struct zcbuf_sample sample;

	EXPECT_EQ(zcbuf_subscriber_take(s, &sample, 1, 0), -EAGAIN);
}

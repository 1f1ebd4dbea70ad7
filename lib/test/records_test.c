// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Records, as they are read: what a window says, and what it only pretends to say. */
#include <errno.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake.h"
#include "test.h"
#include "topics.h"
#include "wrap.h"

static int calloc_error;

void *__wrap_calloc(size_t n, size_t size)
{
	return fake_take(&calloc_error) ? NULL : __real_calloc(n, size);
}

/* ----------------------------------------------------------------- windows */

/* Behind each other at @at, with the texts in @texts; how long that is. */
static size_t write_frames(unsigned char *at, const char *const *texts,
			   unsigned int n, __u32 pad)
{
	unsigned char *begin = at;
	struct zcbuf_frame frame;
	unsigned int i;

	for (i = 0; i < n; i++) {
		frame.length = strlen(texts[i]);
		frame.pad = pad;
		memcpy(at, &frame, sizeof(frame));
		at += sizeof(frame) + pad;
		memcpy(at, texts[i], frame.length);
		at += (pad + frame.length + 7) / 8 * 8 - pad;
	}
	return at - begin;
}

/* Memory that ends where the extent does, for the sanitizer to see; one at a time. */
static struct zcbuf_records records_of(const unsigned char *bytes, size_t n)
{
	static unsigned char *memory;

	free(memory);
	memory = malloc(n + !n);
	memcpy(memory, bytes, n);
	return (struct zcbuf_records){ .at = memory, .left = n };
}

static bool record_is(struct zcbuf_records *records, const char *text)
{
	struct iovec record;

	return zcbuf_records_next(records, &record) == 1 &&
	       record.iov_len == strlen(text) &&
	       !memcmp(record.iov_base, text, record.iov_len);
}

static const char *const three[] = { "one", "", "three, which is longer" };

static void in_order(void)
{
	static const __u32 pads[] = { 0, 8, 56 };
	struct zcbuf_records records;
	unsigned char bytes[512];
	struct iovec record;
	unsigned int i;
	size_t n;

	for (i = 0; i < ARRAY_SIZE(pads); i++) {
		n = write_frames(bytes, three, 3, pads[i]);
		records = records_of(bytes, n);
		EXPECT(record_is(&records, three[0]));
		EXPECT(record_is(&records, three[1]));
		EXPECT(record_is(&records, three[2]));
		EXPECT_EQ(zcbuf_records_next(&records, &record), 0);
		EXPECT_EQ(zcbuf_records_next(&records, &record), 0);
	}
}

/* The last one ends with the extent, not with a multiple of 8. */
static void ends_with_the_extent(void)
{
	struct zcbuf_records records;
	unsigned char bytes[64];
	struct iovec record;

	write_frames(bytes, three, 1, 0);
	records = records_of(bytes, 11);
	EXPECT(record_is(&records, "one"));
	EXPECT_EQ(zcbuf_records_next(&records, &record), 0);
}

/* A first record, and behind it one of @length and @pad. */
static int second(__u32 length, __u32 pad, size_t bytes_left)
{
	const struct zcbuf_frame frame = { .length = length, .pad = pad };
	struct zcbuf_records records;
	unsigned char bytes[128] = { 0 };
	struct iovec record;
	size_t n;
	int result;

	n = write_frames(bytes, three, 1, 0);
	memcpy(bytes + n, &frame, sizeof(frame));
	records = records_of(bytes, n + bytes_left);
	EXPECT(record_is(&records, "one"));
	result = zcbuf_records_next(&records, &record);
	if (result < 0)
		EXPECT_EQ(zcbuf_records_next(&records, &record), result);
	return result;
}

static void hostile(void)
{
	EXPECT_EQ(second(0, 0, 8), 1);
	EXPECT_EQ(second(8, 0, 16), 1);
	EXPECT_EQ(second(0, 8, 16), 1);
	EXPECT_EQ(second(4, 4, 16), 1);
	EXPECT_EQ(second(1, 0, 8), -ERANGE);
	EXPECT_EQ(second(0, 1, 8), -ERANGE);
	EXPECT_EQ(second(9, 0, 16), -ERANGE);
	EXPECT_EQ(second(4, 5, 16), -ERANGE);
	EXPECT_EQ(second(UINT32_MAX, 0, 16), -ERANGE);
	EXPECT_EQ(second(0, UINT32_MAX, 16), -ERANGE);
	EXPECT_EQ(second(9, UINT32_MAX, 16), -ERANGE);
	EXPECT_EQ(second(UINT32_MAX, UINT32_MAX, 16), -ERANGE);
	EXPECT_EQ(second(UINT32_MAX, 1, 16), -ERANGE);
	EXPECT_EQ(second(0, 0, 7), -ERANGE);
	EXPECT_EQ(second(0, 0, 1), -ERANGE);
	EXPECT_EQ(second(0, 0, 0), 0);
}

/* Whatever the bytes are: what is told lies within, and there is an end. */
static void anything(void)
{
	struct zcbuf_records records;
	const unsigned char *begin;
	__u32 words[32];
	const unsigned char *bytes = (unsigned char *)words;
	unsigned int i, run, n;
	struct iovec record;

	srand(1);
	for (run = 0; run < 20000; run++) {
		for (i = 0; i < ARRAY_SIZE(words); i++)
			words[i] = rand() >> (rand() % 31);
		n = rand() % (sizeof(words) + 1);
		records = records_of(bytes, n);
		begin = records.at;
		for (i = 0; zcbuf_records_next(&records, &record) == 1; i++) {
			const unsigned char *at = record.iov_base;

			EXPECT(at >= begin && at + record.iov_len <= begin + n);
			if (record.iov_len)
				EXPECT_EQ(at[0], bytes[at - begin]);
		}
		EXPECT(i <= n / sizeof(struct zcbuf_frame));
	}
}

/* Of a delivery: each extent by itself, in order; or it is not in the pool. */
static void of_a_delivery(void)
{
	struct zcbuf_channel *channel = fake_channel(100);
	const struct zcbuf_pool *p = zcbuf_channel_pool(channel);
	struct zcbuf_delivery delivery = { .nextents = 2 };
	struct zcbuf_records records;
	struct iovec record;

	delivery.extents[0].pool_offset = 4096;
	delivery.extents[0].length = write_frames(zcbuf_pool_addr(p, 4096),
						  three, 3, 0);
	delivery.extents[1].pool_offset = 8192;
	delivery.extents[1].length = write_frames(zcbuf_pool_addr(p, 8192),
						  three, 1, 0);
	ASSERT_EQ(zcbuf_records_begin(&records, p, &delivery), 0);
	EXPECT(record_is(&records, three[0]));
	EXPECT(record_is(&records, three[1]));
	EXPECT(record_is(&records, three[2]));
	EXPECT(record_is(&records, three[0]));
	EXPECT_EQ(zcbuf_records_next(&records, &record), 0);

	/* Nothing of the second is believed if the first one is wrong. */
	delivery.extents[0].length = 9;
	ASSERT_EQ(zcbuf_records_begin(&records, p, &delivery), 0);
	EXPECT_EQ(zcbuf_records_next(&records, &record), -ERANGE);
	EXPECT_EQ(zcbuf_records_next(&records, &record), -ERANGE);

	delivery.extents[0].pool_offset = 4092;
	delivery.extents[0].length = 16;
	ASSERT_EQ(zcbuf_records_begin(&records, p, &delivery), 0);
	EXPECT_EQ(zcbuf_records_next(&records, &record), 1);
	delivery.extents[0].pool_offset = 4094;
	ASSERT_EQ(zcbuf_records_begin(&records, p, &delivery), 0);
	EXPECT_EQ(zcbuf_records_next(&records, &record), -ERANGE);

	delivery.extents[1].pool_offset = fake.pool_size;
	EXPECT_EQ(zcbuf_records_begin(&records, p, &delivery), -ERANGE);
	delivery.nextents = 3;
	EXPECT_EQ(zcbuf_records_begin(&records, p, &delivery), -ERANGE);
	EXPECT_EQ(zcbuf_records_next(&records, &record), 0);
	fake_channel_close(channel);
}

/* What an appender writes, with any alignment, is what is read. */
static void as_they_were_appended(void)
{
	struct zcbuf_appender_opts opts = {
		.sz = sizeof(opts), .flags = ZCBUF_APPENDER_F_FRAMED,
		.window = 16384,
	};
	struct zcbuf_channel *channel = fake_channel(1 << 20);
	const struct zcbuf_pool *p = zcbuf_channel_pool(channel);
	struct zcbuf_delivery delivery = { .nextents = 1 };
	struct zcbuf_appender *appender;
	struct zcbuf_records records;
	unsigned char bytes[300];
	struct iovec record;
	unsigned int i;

	for (opts.align = 1; opts.align <= 4096; opts.align *= 4) {
		ASSERT_EQ(zcbuf_appender_open(channel, &opts, &appender), 0);
		for (i = 0; i < 3; i++) {
			memset(bytes, i, sizeof(bytes));
			ASSERT_EQ(zcbuf_appender_put(appender, bytes, 97 * i,
						     0), 0);
		}
		ASSERT_EQ(zcbuf_appender_close(appender), 0);
		i = fake.nsuccess - 1;
		delivery.extents[0].pool_offset = fake.success[i].offset;
		delivery.extents[0].length = fake.success[i].length;
		ASSERT_EQ(zcbuf_records_begin(&records, p, &delivery), 0);
		for (i = 0; i < 3; i++) {
			ASSERT_EQ(zcbuf_records_next(&records, &record), 1);
			EXPECT_EQ(record.iov_len, 97 * i);
			memset(bytes, i, sizeof(bytes));
			EXPECT(!memcmp(record.iov_base, bytes, 97 * i));
			EXPECT(!((uintptr_t)record.iov_base %
				 (opts.align < 8 ? 8 : opts.align)));
		}
		EXPECT_EQ(zcbuf_records_next(&records, &record), 0);
	}
	fake_channel_close(channel);
}

/* ----------------------------------------------------------------- readers */

static struct zcbuf_reader *reader;

static void open_reader(__u32 batch)
{
	const struct zcbuf_reader_opts opts = {
		.sz = sizeof(opts), .batch = batch,
	};

	topic_make(NULL);
	ASSERT_EQ(zcbuf_reader_open(sub[0], &opts, &reader), 0);
}

static void close_reader(void)
{
	EXPECT_EQ(zcbuf_reader_close(reader), 0);
	topic_unmake();
}

/* @n records of one message; the first of them is cut off after @length bytes. */
static void publish(const char *const *texts, unsigned int n, size_t length)
{
	struct zcbuf_publication how = { .user_tag = n };
	struct zcbuf_buf loan;
	size_t all;

	ASSERT_EQ(zcbuf_publisher_loan(pub, 144, 0, &loan), 0);
	all = write_frames(loan.data, texts, n, 0);
	ASSERT_EQ(zcbuf_publisher_publish(pub, &loan, length ? length : all,
					  &how, 0, 0), 0);
}

static void reads(const char *text)
{
	struct iovec record;

	ASSERT_EQ(zcbuf_reader_next(reader, &record, 0), 1);
	EXPECT_EQ(record.iov_len, strlen(text));
	EXPECT(!memcmp(record.iov_base, text, record.iov_len));
}

static void reader_options(void)
{
	struct zcbuf_reader_opts opts = { .sz = sizeof(opts) - 1 };

	topic_make(NULL);
	EXPECT_EQ(zcbuf_reader_open(sub[0], &opts, &reader), -EINVAL);
	opts.sz = sizeof(opts);
	opts.flags = 1;
	EXPECT_EQ(zcbuf_reader_open(sub[0], &opts, &reader), -EOPNOTSUPP);
	opts.flags = 0;
	opts.batch = ZCBUF_MAX_BATCH + 1;
	EXPECT_EQ(zcbuf_reader_open(sub[0], &opts, &reader), -EINVAL);
	opts.batch = ZCBUF_MAX_BATCH;
	calloc_error = 1;
	EXPECT_EQ(zcbuf_reader_open(sub[0], &opts, &reader), -ENOMEM);
	ASSERT_EQ(zcbuf_reader_open(sub[0], &opts, &reader), 0);
	EXPECT(!zcbuf_reader_delivery(reader));
	EXPECT_EQ(zcbuf_reader_close(reader), 0);
	EXPECT_EQ(zcbuf_reader_close(NULL), 0);
	topic_unmake();
}

/* All that is there in one call, and given back in one, when there is no more. */
static void batches(void)
{
	struct iovec record;
	unsigned int i;

	open_reader(0);
	for (i = 0; i < 3; i++)
		publish(three, 3, 0);
	memset(fake.calls, 0, sizeof(fake.calls));
	for (i = 0; i < 9; i++) {
		reads(three[i % 3]);
		EXPECT_EQ(zcbuf_reader_delivery(reader)->seq, i / 3);
		EXPECT_EQ(zcbuf_reader_delivery(reader)->user_tag, 3);
	}
	EXPECT_EQ(fake.calls[ZCBUF_NR_RECEIVE], 1);
	EXPECT_EQ(fake.calls[ZCBUF_NR_RELEASE], 0);
	EXPECT_EQ(fake_messages(), 3);
	EXPECT_EQ(zcbuf_reader_next(reader, &record, 0), -EAGAIN);
	EXPECT_EQ(fake.calls[ZCBUF_NR_RELEASE], 1);
	EXPECT_EQ(fake_messages(), 0);
	EXPECT(!zcbuf_reader_delivery(reader));
	publish(three, 1, 0);
	reads(three[0]);
	close_reader();
}

static void small_batches(void)
{
	unsigned int i;

	open_reader(2);
	for (i = 0; i < 5; i++)
		publish(&three[2], 1, 0);
	memset(fake.calls, 0, sizeof(fake.calls));
	for (i = 0; i < 5; i++)
		reads(three[2]);
	EXPECT_EQ(fake.calls[ZCBUF_NR_RECEIVE], 3);
	EXPECT_EQ(fake.calls[ZCBUF_NR_RELEASE], 2);
	close_reader();
}

/* What is no record ends its own delivery, not the others. */
static void bad_ones_between(void)
{
	struct iovec record;

	open_reader(0);
	publish(three, 3, 20);
	publish(three, 1, 9);
	publish(three, 1, 0);
	reads(three[0]);
	EXPECT_EQ(zcbuf_reader_next(reader, &record, 0), -ERANGE);
	EXPECT_EQ(zcbuf_reader_next(reader, &record, 0), -ERANGE);
	EXPECT_EQ(zcbuf_reader_delivery(reader)->seq, 1);
	reads(three[0]);
	EXPECT_EQ(zcbuf_reader_next(reader, &record, 0), -EAGAIN);
	close_reader();
}

/* One that cannot be released, for whatever reason, keeps none of the others. */
static void release_fails(void)
{
	struct iovec record;
	unsigned int i;

	open_reader(0);
	for (i = 0; i < 3; i++)
		publish(three, 1, 0);
	reads(three[0]);
	reads(three[0]);
	reads(three[0]);
	fake.fail[ZCBUF_NR_RELEASE] = EINTR;
	EXPECT_EQ(zcbuf_reader_next(reader, &record, 0), -EINTR);
	EXPECT_EQ(fake_messages(), 1);
	EXPECT_EQ(zcbuf_reader_next(reader, &record, 0), -EAGAIN);
	close_reader();
}

/* As they are, in a batch; what comes next releases them. */
static void whole_deliveries(void)
{
	const struct zcbuf_delivery *const *got;
	unsigned int i;

	open_reader(2);
	EXPECT_EQ(zcbuf_reader_take(reader, &got, 0), -EAGAIN);
	for (i = 0; i < 3; i++)
		publish(three, i + 1, 0);
	EXPECT_EQ(zcbuf_reader_take(reader, &got, 0), 2);
	EXPECT_EQ(got[0]->user_tag, 1);
	EXPECT_EQ(got[1]->user_tag, 2);
	EXPECT_EQ(fake_messages(), 3);
	EXPECT_EQ(zcbuf_reader_take(reader, &got, 0), 1);
	EXPECT_EQ(got[0]->user_tag, 3);
	EXPECT_EQ(fake_messages(), 1);
	EXPECT_EQ(zcbuf_reader_release(reader), 0);
	EXPECT_EQ(zcbuf_reader_release(reader), 0);
	EXPECT_EQ(fake_messages(), 0);
	close_reader();
}

/* In the middle of one, and then from the next one on. */
static void records_and_deliveries(void)
{
	const struct zcbuf_delivery *const *got;

	open_reader(1);
	publish(three, 3, 0);
	publish(three, 2, 0);
	publish(&three[2], 1, 0);
	reads(three[0]);
	EXPECT_EQ(zcbuf_reader_take(reader, &got, 0), 1);
	EXPECT_EQ(got[0]->user_tag, 2);
	EXPECT_EQ(zcbuf_reader_release(reader), 0);
	reads(three[2]);
	close_reader();
}

/* In the middle of a delivery: nothing of it is there any more. */
static void forked_and_closed(void)
{
	const struct zcbuf_delivery *const *got;
	struct iovec record;
	int status;

	open_reader(0);
	publish(three, 3, 0);
	reads(three[0]);
	if (!fork()) {
		ASSERT_EQ(zcbuf_reader_next(reader, &record, 0), -EBADF);
		ASSERT_EQ(zcbuf_reader_take(reader, &got, 0), -EBADF);
		ASSERT_EQ(zcbuf_reader_close(reader), 0);
		_exit(0);
	}
	wait(&status);
	EXPECT_EQ(status, 0);
	reads(three[1]);
	EXPECT_EQ(zcbuf_pool_close(others[0]), 0);
	EXPECT_EQ(zcbuf_reader_next(reader, &record, 0), -EBADF);
	EXPECT_EQ(zcbuf_reader_close(reader), -EBADF);
}

static void waits(void)
{
	struct iovec record;

	open_reader(0);
	fake.fail[ZCBUF_NR_RECEIVE] = ETIMEDOUT;
	EXPECT_EQ(zcbuf_reader_next(reader, &record, 77), -ETIMEDOUT);
	publish(three, 1, 0);
	EXPECT_EQ(zcbuf_reader_next(reader, &record, 78), 1);
	zcbuf_channel_finalize(zcbuf_publisher_channel(pub), NULL);
	EXPECT_EQ(zcbuf_reader_next(reader, &record, 0), -ESHUTDOWN);
	close_reader();
}

static const struct test_case cases[] = {
	CASE(in_order),
	CASE(ends_with_the_extent),
	CASE(hostile),
	CASE(anything),
	CASE(of_a_delivery),
	CASE(as_they_were_appended),
	CASE(reader_options),
	CASE(batches),
	CASE(small_batches),
	CASE(bad_ones_between),
	CASE(release_fails),
	CASE(whole_deliveries),
	CASE(records_and_deliveries),
	CASE(forked_and_closed),
	CASE(waits),
};

TEST_MAIN(cases)

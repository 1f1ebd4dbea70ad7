// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Subscribers: queues, policies, what is lost, and who has which message. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "fake.h"
#include "test.h"
#include "topics.h"

static void everybody(void)
{
	struct zcbuf_publication entry = { 0 };
	struct zcbuf_sample sample;
	unsigned int i;

	topic_make(NULL);
	for (i = 1; i < 3; i++)
		ASSERT_EQ(zcbuf_subscriber_open(others[i], &topic_name, NULL,
						&sub[i]), 0);
	EXPECT_EQ(topic_publish("one", &entry), 0);
	EXPECT_EQ(entry.out_delivered, 3);
	EXPECT_EQ(topic_publish("two", &entry), 0);
	EXPECT_EQ(entry.out_seq, 1);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(fake_bufs(), 2);
		topic_took(sub[i], "one", 0);
	}
	EXPECT_EQ(fake_bufs(), 1);
	/* What is taken, and what is not, is nobody's when it is closed. */
	sample = topic_take(sub[1]);
	EXPECT(!strcmp(sample.data, "two"));
	EXPECT_EQ(zcbuf_subscriber_close(sub[1]), 0);
	sub[1] = NULL;
	topic_took(sub[0], "two", 1);
	EXPECT_EQ(fake_bufs(), 1);
	topic_unmake();
}

static void fill(const struct zcbuf_subscriber_opts *opts, __u64 lost,
		 const char *const *left, unsigned int n)
{
	struct zcbuf_publication entry;
	char text[] = "0";
	__u64 dropped = 0;
	unsigned int i;

	topic_make(opts);
	for (i = 0; i < 10; i++, text[0]++) {
		entry = (struct zcbuf_publication){ 0 };
		EXPECT_EQ(topic_publish(text, &entry), 0);
		dropped += entry.out_dropped;
	}
	EXPECT_EQ(dropped, lost);
	EXPECT_EQ(fake_bufs(), 8);
	EXPECT_EQ(zcbuf_subscriber_lost(sub[0]), 0);
	for (i = 0; i < n; i++)
		topic_took(sub[0], left[i], left[i][0] - '0');
	topic_is_empty(sub[0]);
	EXPECT_EQ(zcbuf_subscriber_lost(sub[0]), lost);
	topic_unmake();
}

/* An older kernel has no such call. */
static void waitset(void)
{
	struct zcbuf_waitset *set;
	int i;

	topic_make(NULL);
	for (i = 0; i < 2; i++) {
		fake.fail[ZCBUF_NR_READY] = ENOTTY;
		EXPECT_EQ(zcbuf_waitset_create(others[0], &set), -EOPNOTSUPP);
	}
	zcbuf_waitset_close(NULL);
	topic_unmake();
}

static void drop_oldest(void)
{
	static const char *const left[] = { "2", "3", "4", "5",
					    "6", "7", "8", "9" };
	const struct zcbuf_subscriber_opts opts = {
		.sz = sizeof(opts),
		.depth = 8,
		.policy = ZCBUF_POLICY_DROP_OLDEST,
	};

	fill(&opts, 2, left, 8);
}

static void drop_newest(void)
{
	static const char *const left[] = { "0", "1", "2", "3",
					    "4", "5", "6", "7" };
	const struct zcbuf_subscriber_opts opts = {
		.sz = sizeof(opts),
		.depth = 8,
		.policy = ZCBUF_POLICY_DROP_NEWEST,
	};

	fill(&opts, 2, left, 8);
}

static void held(void)
{
	const struct zcbuf_subscriber_opts opts = {
		.sz = sizeof(opts), .max_held = 1,
	};
	struct zcbuf_sample more[2];
	struct zcbuf_sample sample;

	topic_make(&opts);
	EXPECT_EQ(topic_publish("0", NULL), 0);
	EXPECT_EQ(topic_publish("1", NULL), 0);
	EXPECT_EQ(zcbuf_subscriber_take(sub[0], more, 2, 77), 1);
	EXPECT_EQ(fake.receive.deadline_ns, 77);
	EXPECT_EQ(zcbuf_subscriber_take(sub[0], &sample, 1, 0), -ENOSPC);
	EXPECT_EQ(topic_publish("2", NULL), -EAGAIN);
	EXPECT_EQ(zcbuf_subscriber_release(sub[0], more, 1), 1);
	topic_took(sub[0], "1", 1);
	EXPECT_EQ(zcbuf_subscriber_take(sub[0], &sample, 1, 77), -ETIMEDOUT);
	topic_unmake();
}

static void lanes(void)
{
	const struct zcbuf_subscriber_opts opts = {
		.sz = sizeof(opts), .lanes = 2,
	};
	struct zcbuf_publication high = { .priority = 1 };
	struct zcbuf_seq seqs[1] = { { 0 } };
	struct zcbuf_sample sample;
	static const __s64 gaps[] = { 0, -1 };
	unsigned int i;

	topic_make(&opts);
	EXPECT_EQ(topic_publish("low", NULL), 0);
	EXPECT_EQ(topic_publish("high", &high), 0);
	for (i = 0; i < 2; i++) {
		sample = topic_take(sub[0]);
		EXPECT(!strcmp(sample.data, i ? "low" : "high"));
		EXPECT_EQ(zcbuf_seq_gap(zcbuf_seq_of(seqs, 1,
						     sample.delivery.publisher),
					&sample.delivery), gaps[i]);
		EXPECT_EQ(zcbuf_subscriber_release(sub[0], &sample, 1), 1);
	}
	topic_unmake();
}

static void history(void)
{
	const struct zcbuf_publisher_opts two = {
		.sz = sizeof(two), .history = 2,
	};
	const struct zcbuf_subscriber_opts replay = {
		.sz = sizeof(replay), .replay = 9,
	};

	topic_pools();
	ASSERT_EQ(zcbuf_publisher_open(pool, &topic_name, &two, &pub), 0);
	EXPECT_EQ(topic_publish("0", NULL), 0);
	EXPECT_EQ(topic_publish("1", NULL), 0);
	EXPECT_EQ(topic_publish("2", NULL), 0);
	EXPECT_EQ(fake_bufs(), 2);
	ASSERT_EQ(zcbuf_subscriber_open(others[0], &topic_name, &replay, sub), 0);
	topic_took(sub[0], "1", 1);
	topic_took(sub[0], "2", 2);
	topic_is_empty(sub[0]);
	topic_unmake();
}

/* Whoever publishes counts for himself; a gap is a loss of his. */
static void gaps(void)
{
	const struct zcbuf_delivery d[] = {
		{ .publisher = 7, .seq = 3 }, { .publisher = 0, .seq = 0 },
		{ .publisher = 7, .seq = 4 }, { .publisher = 7, .seq = 6 },
		{ .publisher = 0, .seq = 5 }, { .publisher = 7, .seq = 5 },
		{ .publisher = 7, .seq = 7 },
	};
	static const __s64 want[] = { 0, 0, 0, 1, 4, -1, 0 };
	struct zcbuf_seq seqs[2];
	unsigned int i;

	memset(seqs, 0, sizeof(seqs));
	for (i = 0; i < ARRAY_SIZE(d); i++) {
		struct zcbuf_seq *seq = zcbuf_seq_of(seqs, 2, d[i].publisher);

		ASSERT_EQ(!!seq, true);
		EXPECT_EQ(zcbuf_seq_gap(seq, &d[i]), want[i]);
	}
	EXPECT(zcbuf_seq_of(seqs, 2, 7) == &seqs[0]);
	EXPECT(zcbuf_seq_of(seqs, 2, 0) == &seqs[1]);
	EXPECT(!zcbuf_seq_of(seqs, 2, 8));
}

/* The most that was ever told: news may come in any order. */
static void lost(void)
{
	struct zcbuf_sample samples[2];

	topic_make(NULL);
	EXPECT_EQ(zcbuf_channel_leave(zcbuf_subscriber_channel(sub[0]),
				      ZCBUF_PORT_CONSUME), 0);
	EXPECT_EQ(zcbuf_subscriber_take(sub[0], samples, 1, 0), -EPERM);
	EXPECT_EQ(zcbuf_subscriber_close(sub[0]), 0);
	/* The stream gives whatever it is told to. */
	ASSERT_EQ(zcbuf_subscriber_open(others[0], NULL,
					&(struct zcbuf_subscriber_opts){
						.sz = sizeof(struct zcbuf_subscriber_opts),
						.channel = FAKE_CHANNEL,
					}, sub), 0);
	fake.ndeliveries = 1;
	fake.deliveries[0].lost = 5;
	EXPECT_EQ(zcbuf_subscriber_take(sub[0], samples, 2, 0), 1);
	fake.deliveries[0].lost = 4;
	EXPECT_EQ(zcbuf_subscriber_take(sub[0], samples, 2, 0), 1);
	EXPECT_EQ(zcbuf_subscriber_lost(sub[0]), 5);
	topic_unmake();
}

/* A message of two pieces has no one place; it is copied from both. */
static void two_pieces(void)
{
	struct zcbuf_delivery d = {
		.handle = 1,
		.length = 6,
		.nextents = 2,
		.extents = { { 4096, 4 }, { 8192, 2 } },
	};
	struct zcbuf_subscriber_opts opts = {
		.sz = sizeof(opts), .channel = FAKE_CHANNEL,
	};
	struct zcbuf_sample sample;
	char got[8] = "";

	topic_pools();
	ASSERT_EQ(zcbuf_subscriber_open(others[0], NULL, &opts, sub), 0);
	memcpy(zcbuf_pool_addr(pool, 4096), "four", 4);
	memcpy(zcbuf_pool_addr(pool, 8192), "2", 2);
	fake.deliveries[0] = d;
	fake.ndeliveries = 1;
	sample = topic_take(sub[0]);
	EXPECT(!sample.data);
	EXPECT_EQ(sample.length, 6);
	EXPECT_EQ(zcbuf_subscriber_decode(sub[0], &sample, got, 5), -EMSGSIZE);
	EXPECT(!got[0]);
	EXPECT_EQ(zcbuf_subscriber_decode(sub[0], &sample, got, 8), 6);
	EXPECT(!strcmp(got, "four2"));
	topic_unmake();
}

/* Taken, though it cannot be read yet: it is not lost by that. */
static void unreachable(void)
{
	struct zcbuf_sample sample;
	struct iovec iov[2];
	struct zcbuf_buf near;
	struct zcbuf_buf buf;
	char got[8];

	fake.max_size = 4 * FAKE_ARENA;
	topic_make(NULL);
	fake_grow();
	ASSERT_EQ(zcbuf_publisher_loan(pub, FAKE_ARENA, 0, &near), 0);
	ASSERT_EQ(zcbuf_publisher_loan(pub, FAKE_ARENA, 0, &buf), 0);
	EXPECT_EQ(zcbuf_publisher_return(pub, &near), 0);
	strcpy(buf.data, "far");
	EXPECT_EQ(zcbuf_publisher_publish(pub, &buf, 4, NULL, 0, 0), 0);
	fake.map_error = ENOMEM;
	sample = topic_take(sub[0]);
	EXPECT(!sample.data);
	EXPECT_EQ(sample.length, 4);
	fake.map_error = ENOMEM;
	EXPECT_EQ(zcbuf_subscriber_decode(sub[0], &sample, got, 8), -ENOMEM);
	EXPECT_EQ(zcbuf_delivery_iovec(others[0], &sample.delivery, iov), 1);
	EXPECT(!strcmp(iov[0].iov_base, "far"));
	EXPECT_EQ(zcbuf_subscriber_decode(sub[0], &sample, got, 8), 4);
	EXPECT_EQ(zcbuf_subscriber_release(sub[0], &sample, 1), 1);
	topic_unmake();
}

/* A kernel whose deliveries end before user_tag, or go on after ours. */
static void entry_size(void)
{
	topic_make(NULL);
	EXPECT_EQ(topic_publish("hello", NULL), 0);
	topic_took(sub[0], "hello", 0);
	EXPECT_EQ(fake.receive.entry_size, sizeof(struct zcbuf_sample));
	EXPECT_EQ(offsetof(struct zcbuf_sample, delivery), 0);
	EXPECT_EQ(sizeof(struct zcbuf_sample) % 8, 0);
	topic_unmake();
}

static void read_only(void)
{
	const struct zcbuf_attach_opts opts = {
		.sz = sizeof(opts),
		.rights = ZCBUF_RIGHT_MAP_READ | ZCBUF_RIGHT_CONSUME,
	};
	struct zcbuf_pool *reader;

	topic_pools();
	ASSERT_EQ(zcbuf_publisher_open(pool, &topic_name, NULL, &pub), 0);
	fake.rights = opts.rights;
	ASSERT_EQ(zcbuf_pool_attach(&reader, "x", &opts), 0);
	EXPECT_EQ(fake.open_flags & O_ACCMODE, O_RDONLY);
	ASSERT_EQ(zcbuf_subscriber_open(reader, &topic_name, NULL, sub), 0);
	EXPECT_EQ(topic_publish("look", NULL), 0);
	topic_took(sub[0], "look", 0);
	EXPECT_EQ(zcbuf_subscriber_close(sub[0]), 0);
	sub[0] = NULL;
	zcbuf_pool_close(reader);
	topic_unmake();
}

static void events(void)
{
	int fd;

	topic_make(NULL);
	EXPECT_EQ(zcbuf_subscriber_fd(sub[0]), zcbuf_pool_fd(others[0]));
	fd = zcbuf_subscriber_eventfd(sub[0]);
	ASSERT_EQ(fd >= 0, true);
	EXPECT_EQ(fake.eventfd.fd, fd);
	EXPECT_EQ(fake.eventfd.flags, 0);
	EXPECT_EQ(fake.eventfd.mode, ZCBUF_EVENTFD_EACH);
	EXPECT_EQ(fake.eventfd.channel,
		  zcbuf_channel_handle(zcbuf_subscriber_channel(sub[0])));
	close(fd);
	topic_unmake();
}

/* The same session that subscribes again gets the same queue. */
static void twice(void)
{
	const struct zcbuf_subscriber_opts other = {
		.sz = sizeof(other), .depth = 3,
	};

	topic_make(NULL);
	EXPECT_EQ(topic_publish("one", NULL), 0);
	EXPECT_EQ(zcbuf_subscriber_open(others[0], &topic_name, &other, &sub[1]),
		  -EEXIST);
	ASSERT_EQ(zcbuf_subscriber_open(others[0], &topic_name, NULL, &sub[1]), 0);
	topic_took(sub[1], "one", 0);
	topic_is_empty(sub[0]);
	EXPECT_EQ(zcbuf_subscriber_close(sub[1]), 0);
	EXPECT_EQ(zcbuf_subscriber_close(sub[0]), -ENOENT);
	sub[0] = NULL;
	sub[1] = NULL;
	topic_unmake();
}

static const struct test_case cases[] = {
	CASE(everybody),
	CASE(waitset),
	CASE(drop_oldest),
	CASE(drop_newest),
	CASE(held),
	CASE(lanes),
	CASE(history),
	CASE(gaps),
	CASE(lost),
	CASE(two_pieces),
	CASE(unreachable),
	CASE(entry_size),
	CASE(read_only),
	CASE(events),
	CASE(twice),
};

TEST_MAIN(cases)

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Publishers: names, loans, and what becomes of them. */
#include <errno.h>
#include <string.h>

#include "fake.h"
#include "test.h"
#include "topics.h"
#include "wrap.h"

/* Allocations that go well before one that does not; -1: all do. */
static int calloc_fails = -1;
static int malloc_fails = -1;

void *__wrap_calloc(size_t n, size_t size)
{
	if (calloc_fails >= 0 && !calloc_fails--)
		return NULL;
	return __real_calloc(n, size);
}

void *__wrap_malloc(size_t size)
{
	if (malloc_fails >= 0 && !malloc_fails--)
		return NULL;
	return __real_malloc(size);
}

/* The subscriber reads what the publisher wrote, where it wrote it. */
static void there(void)
{
	struct zcbuf_publication entry = {
		.user_tag = 7, .encoding = 8, .priority = 9,
	};
	struct zcbuf_sample sample;
	struct zcbuf_buf buf;
	__u64 offset;

	topic_make(NULL);
	buf = topic_loan("seq=0");
	EXPECT(buf.capacity >= 144);
	offset = buf.offset;
	EXPECT_EQ(zcbuf_publisher_publish(pub, &buf, 6, &entry, 0, 0), 0);
	EXPECT(!buf.handle && !buf.data);
	EXPECT_EQ(entry.out_seq, 0);
	EXPECT_EQ(entry.out_delivered, 1);
	EXPECT_EQ(entry.out_dropped, 0);
	EXPECT_EQ(entry.length, 6);

	sample = topic_take(sub[0]);
	EXPECT_EQ(sample.length, 6);
	EXPECT(sample.data == zcbuf_pool_addr(others[0], offset));
	EXPECT(!strcmp(sample.data, "seq=0"));
	EXPECT_EQ(sample.delivery.publisher, zcbuf_pool_session(pool));
	EXPECT_EQ(sample.delivery.time_ns, 1000);
	EXPECT_EQ(sample.delivery.user_tag, 7);
	EXPECT_EQ(sample.delivery.encoding, 8);
	EXPECT_EQ(sample.delivery.priority, 9);
	EXPECT_EQ(fake_bufs(), 1);
	EXPECT_EQ(zcbuf_subscriber_release(sub[0], &sample, 1), 1);
	EXPECT(!sample.data && !sample.length);
	EXPECT_EQ(fake_bufs(), 0);
	EXPECT_EQ(zcbuf_subscriber_release(sub[0], &sample, 1), -EBADSLT);
	topic_unmake();
}

static void label_is(const char *label, __u8 length, const char *want)
{
	EXPECT_EQ(length, strlen(want));
	EXPECT(!memcmp(label, want, strlen(want)));
}

static void opened(void)
{
	const struct zcbuf_name full = { "d", "s", "i", "e" };
	const struct zcbuf_publisher_opts p = {
		.sz = sizeof(p), .deadline_ns = 5, .history = 3,
	};
	const struct zcbuf_subscriber_opts s = {
		.sz = sizeof(s),
		.deadline_ns = 6,
		.flags = ZCBUF_CHANNEL_F_EXISTING,
		.history = 3,
		.depth = 1,
		.policy = ZCBUF_POLICY_DROP_OLDEST,
		.max_held = 2,
		.lanes = 4,
		.replay = 5,
	};

	topic_pools();
	ASSERT_EQ(zcbuf_publisher_open(pool, &full, &p, &pub), 0);
	EXPECT_EQ(fake.channel_open.flags, ZCBUF_CHANNEL_F_TOPIC);
	EXPECT_EQ(fake.channel_open.ports, ZCBUF_PORT_PRODUCE);
	EXPECT_EQ(fake.channel_open.deadline_ns, 5);
	EXPECT_EQ(fake.channel_open.history, 3);
	EXPECT_EQ(fake.channel_open.channel, 0);
	EXPECT_EQ(fake.channel_open.__reserved2, 0);
	label_is(fake.channel_name.domain, fake.channel_name.domain_len, "d");
	label_is(fake.channel_name.service, fake.channel_name.service_len, "s");
	label_is(fake.channel_name.instance, fake.channel_name.instance_len,
		 "i");
	label_is(fake.channel_name.event, fake.channel_name.event_len, "e");

	ASSERT_EQ(zcbuf_subscriber_open(others[0], &full, &s, &sub[0]), 0);
	EXPECT_EQ(fake.channel_open.flags,
		  ZCBUF_CHANNEL_F_TOPIC | ZCBUF_CHANNEL_F_EXISTING);
	EXPECT_EQ(fake.channel_open.ports, ZCBUF_PORT_CONSUME);
	EXPECT_EQ(fake.channel_open.deadline_ns, 6);
	EXPECT_EQ(fake.channel_open.depth, 1);
	EXPECT_EQ(fake.channel_open.policy, ZCBUF_POLICY_DROP_OLDEST);
	EXPECT_EQ(fake.channel_open.max_held, 2);
	EXPECT_EQ(fake.channel_open.lanes, 4);
	EXPECT_EQ(fake.channel_open.replay, 5);
	EXPECT_EQ(fake_topics(), 1);
	topic_unmake();
}

/* 64 bytes of each part are a name, 65 are none, nor is a part that is not there. */
static void names(void)
{
	char x64[65] = "";
	char x65[66] = "";
	const struct zcbuf_name good = { x64, x64, x64, x64 };
	const struct zcbuf_name bad[] = {
		{ x65, "s", "i", "e" }, { "d", x65, "i", "e" },
		{ "d", "s", x65, "e" }, { "d", "s", "i", x65 },
		{ "d", NULL, "i", "e" }, { "d", "s", NULL, "e" },
		{ "d", "s", "i", "" },
	};
	unsigned int i;

	memset(x64, 'x', 64);
	memset(x65, 'x', 65);
	topic_pools();
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(zcbuf_publisher_open(pool, &bad[i], NULL, &pub),
			  -EINVAL);
		EXPECT_EQ(zcbuf_subscriber_open(pool, &bad[i], NULL, sub),
			  -EINVAL);
	}
	EXPECT_EQ(fake_topics(), 0);
	EXPECT(!pub && !sub[0]);
	ASSERT_EQ(zcbuf_publisher_open(pool, &good, NULL, &pub), 0);
	EXPECT_EQ(fake.channel_name.event_len, 64);
	EXPECT(!memcmp(fake.channel_name.event, x64, 64));
	topic_unmake();
}

/* Whose name differs in any part gets nothing. */
static void other_names(void)
{
	const struct zcbuf_name rear = { "", "RadarService", "Rear",
					 "PointCloud" };
	const struct zcbuf_name objects = { "", "RadarService", "Front",
					    "Objects" };

	topic_make(NULL);
	ASSERT_EQ(zcbuf_subscriber_open(others[1], &rear, NULL, &sub[1]), 0);
	ASSERT_EQ(zcbuf_subscriber_open(others[2], &objects, NULL, &sub[2]), 0);
	EXPECT_EQ(fake_topics(), 3);
	EXPECT_EQ(topic_publish("hello", NULL), 0);
	topic_took(sub[0], "hello", 0);
	topic_is_empty(sub[1]);
	topic_is_empty(sub[2]);
	topic_unmake();
}

static void waiting_for_it(void)
{
	const struct zcbuf_subscriber_opts exists = {
		.sz = sizeof(exists), .flags = ZCBUF_CHANNEL_F_EXISTING,
	};
	const struct zcbuf_subscriber_opts soon = {
		.sz = sizeof(soon),
		.flags = ZCBUF_CHANNEL_F_EXISTING,
		.deadline_ns = 1,
	};
	const struct zcbuf_publisher_opts new = {
		.sz = sizeof(new), .flags = ZCBUF_CHANNEL_F_NEW,
	};

	topic_pools();
	EXPECT_EQ(zcbuf_subscriber_open(pool, &topic_name, &exists, sub), -ENOENT);
	EXPECT_EQ(zcbuf_subscriber_open(pool, &topic_name, &soon, sub), -ETIMEDOUT);
	ASSERT_EQ(zcbuf_publisher_open(pool, &topic_name, &new, &pub), 0);
	EXPECT_EQ(zcbuf_publisher_open(others[0], &topic_name, &new, &pub), -EEXIST);
	ASSERT_EQ(zcbuf_subscriber_open(others[0], &topic_name, &soon, sub), 0);
	topic_unmake();
}

/* Without a name: the handle is all there is. */
static void anonymous(void)
{
	struct zcbuf_publisher_opts more = { .sz = sizeof(more) };
	struct zcbuf_subscriber_opts opts = { .sz = sizeof(opts) };
	struct zcbuf_publisher *second;

	topic_pools();
	ASSERT_EQ(zcbuf_publisher_open(pool, NULL, NULL, &pub), 0);
	EXPECT_EQ(fake.channel_open.name, 0);
	EXPECT_EQ(fake.channel_open.flags, ZCBUF_CHANNEL_F_TOPIC);
	opts.channel = zcbuf_channel_handle(zcbuf_publisher_channel(pub));
	more.channel = opts.channel;
	ASSERT_EQ(zcbuf_publisher_open(others[1], NULL, &more, &second), 0);
	EXPECT_EQ(fake.channel_open.channel, opts.channel);
	EXPECT_EQ(fake.channel_open.flags, 0);
	EXPECT_EQ(zcbuf_publisher_close(second), 0);
	EXPECT_EQ(zcbuf_subscriber_open(others[0], &topic_name, &opts, sub), -EINVAL);
	ASSERT_EQ(zcbuf_subscriber_open(others[0], NULL, &opts, sub), 0);
	EXPECT_EQ(fake.channel_open.flags, 0);
	EXPECT_EQ(zcbuf_channel_handle(zcbuf_subscriber_channel(sub[0])),
		  opts.channel);
	EXPECT_EQ(topic_publish("hello", NULL), 0);
	topic_took(sub[0], "hello", 0);
	opts.channel++;
	EXPECT_EQ(zcbuf_subscriber_open(others[1], NULL, &opts, &sub[1]),
		  -ENOENT);
	topic_unmake();
}

static void refused_to_open(void)
{
	struct zcbuf_subscriber_opts s = { .sz = sizeof(s) - 1 };
	struct zcbuf_publisher_opts p = { .sz = sizeof(p) - 1 };

	topic_pools();
	EXPECT_EQ(zcbuf_publisher_open(pool, &topic_name, &p, &pub), -EINVAL);
	EXPECT_EQ(zcbuf_subscriber_open(pool, &topic_name, &s, sub), -EINVAL);
	fake.fail[ZCBUF_NR_CHANNEL_OPEN] = EMFILE;
	EXPECT_EQ(zcbuf_publisher_open(pool, &topic_name, NULL, &pub), -EMFILE);
	fake.fail[ZCBUF_NR_CHANNEL_OPEN] = EMFILE;
	EXPECT_EQ(zcbuf_subscriber_open(pool, &topic_name, NULL, sub), -EMFILE);
	calloc_fails = 0;
	EXPECT_EQ(zcbuf_publisher_open(pool, &topic_name, NULL, &pub), -ENOMEM);
	calloc_fails = 0;
	EXPECT_EQ(zcbuf_subscriber_open(pool, &topic_name, NULL, sub), -ENOMEM);
	malloc_fails = 0;
	EXPECT_EQ(zcbuf_publisher_open(pool, &topic_name, NULL, &pub), -ENOMEM);
	malloc_fails = 0;
	EXPECT_EQ(zcbuf_subscriber_open(pool, &topic_name, NULL, sub), -ENOMEM);
	EXPECT_EQ(fake_topics(), 0);
	fake.rights = ZCBUF_RIGHT_MAP_READ | ZCBUF_RIGHT_CONSUME;
	EXPECT_EQ(zcbuf_publisher_open(pool, &topic_name, NULL, &pub), -EPERM);
	EXPECT(!pub && !sub[0]);
	topic_unmake();
}

/* With nobody there it is done; who comes later sees nothing of it. */
static void nobody(void)
{
	struct zcbuf_publication entry = { .out_delivered = 5 };
	struct zcbuf_buf buf;

	topic_pools();
	ASSERT_EQ(zcbuf_publisher_open(pool, &topic_name, NULL, &pub), 0);
	EXPECT_EQ(topic_publish("into the void", &entry), 0);
	EXPECT_EQ(entry.out_delivered, 0);
	EXPECT_EQ(fake_bufs(), 0);
	buf = topic_loan("somebody?");
	EXPECT_EQ(zcbuf_publisher_publish(pub, &buf, 9, NULL,
					  ZCBUF_PUBLISH_F_NEED_CONSUMER, 44),
		  -EPIPE);
	EXPECT_EQ(fake.publish.flags, ZCBUF_PUBLISH_F_NEED_CONSUMER);
	EXPECT_EQ(fake.publish.deadline_ns, 44);
	EXPECT_EQ(fake.publish.count, 1);
	ASSERT_EQ(zcbuf_subscriber_open(others[0], &topic_name, NULL, sub), 0);
	topic_is_empty(sub[0]);
	EXPECT(buf.handle && !strcmp(buf.data, "somebody?"));
	EXPECT_EQ(zcbuf_publisher_publish(pub, &buf, 10, NULL,
					  ZCBUF_PUBLISH_F_NEED_CONSUMER, 0), 0);
	topic_took(sub[0], "somebody?", 1);
	topic_unmake();
}

/* A loan is published once, by whomever it is tried. */
static void only_once(void)
{
	struct zcbuf_buf copy;
	struct zcbuf_buf buf;

	topic_make(NULL);
	buf = topic_loan("once");
	copy = buf;
	EXPECT_EQ(zcbuf_publisher_publish(pub, &buf, 5, NULL, 0, 0), 0);
	EXPECT_EQ(zcbuf_publisher_publish(pub, &buf, 5, NULL, 0, 0), -EALREADY);
	EXPECT_EQ(fake.calls[ZCBUF_NR_PUBLISH], 1);
	EXPECT_EQ(zcbuf_publisher_return(pub, &buf), 0);
	EXPECT_EQ(zcbuf_publisher_publish(pub, &copy, 5, NULL, 0, 0),
		  -EALREADY);
	EXPECT(copy.handle);
	topic_took(sub[0], "once", 0);
	topic_is_empty(sub[0]);
	topic_unmake();
}

static void returned(void)
{
	struct zcbuf_buf buf;
	struct zcbuf_buf was;

	topic_make(NULL);
	buf = topic_loan("never mind");
	was = buf;
	fake.fail[ZCBUF_NR_FREE] = EPERM;
	EXPECT_EQ(zcbuf_publisher_return(pub, &buf), -EPERM);
	EXPECT(!memcmp(&buf, &was, sizeof(buf)));
	EXPECT_EQ(zcbuf_publisher_return(pub, &buf), 0);
	EXPECT(!buf.handle);
	EXPECT_EQ(zcbuf_publisher_return(pub, &buf), 0);
	EXPECT_EQ(zcbuf_publisher_publish(pub, &buf, 1, NULL, 0, 0), -EALREADY);
	EXPECT_EQ(zcbuf_publisher_publish(pub, &was, 1, NULL, 0, 0), -EBADSLT);
	topic_is_empty(sub[0]);
	topic_unmake();
}

/* Any buffer that is the session's and of the pool, no other. */
static void any_buffer(void)
{
	const struct zcbuf_buf_opts large = {
		.sz = sizeof(large), .flags = ZCBUF_BUF_F_FALLBACK,
	};
	struct zcbuf_buf buf;
	struct zcbuf_buf was;

	topic_make(NULL);
	ASSERT_EQ(zcbuf_buf_alloc(pool, 5000, &buf), 0);
	strcpy(buf.data, "mine");
	was = buf;
	EXPECT_EQ(zcbuf_publisher_publish(pub, &buf, 8193, NULL, 0, 0),
		  -ERANGE);
	EXPECT_EQ(zcbuf_publisher_publish(pub, &buf, 0, NULL, 0, 0), -EINVAL);
	EXPECT(!memcmp(&buf, &was, sizeof(buf)));
	EXPECT_EQ(fake.calls[ZCBUF_NR_PUBLISH], 0);
	EXPECT_EQ(zcbuf_publisher_publish(pub, &buf, 8192, NULL, 0, 0), 0);
	EXPECT_EQ(zcbuf_subscriber_close(sub[0]), 0);
	sub[0] = NULL;

	ASSERT_EQ(zcbuf_buf_alloc(others[1], 10, &buf), 0);
	EXPECT_EQ(zcbuf_publisher_publish(pub, &buf, 10, NULL, 0, 0), -EPERM);
	EXPECT_EQ(zcbuf_publisher_return(pub, &buf), -EPERM);
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	fake.fail[ZCBUF_NR_ALLOC] = E2BIG;
	ASSERT_EQ(zcbuf_buf_alloc_opts(pool, 9000, &large, &buf), 0);
	EXPECT_EQ(zcbuf_publisher_publish(pub, &buf, 10, NULL, 0, 0),
		  -EOPNOTSUPP);
	EXPECT_EQ(zcbuf_publisher_return(pub, &buf), 0);
	EXPECT_EQ(fake.calls[ZCBUF_NR_PUBLISH], 1);
	topic_unmake();
}

static void loans(void)
{
	struct zcbuf_buf bufs[4];
	struct zcbuf_buf buf;
	unsigned int i;

	topic_pools();
	ASSERT_EQ(zcbuf_publisher_open(pool, &topic_name, NULL, &pub), 0);
	ASSERT_EQ(zcbuf_publisher_loan(pub, 10, 99, &buf), 0);
	EXPECT_EQ(fake.alloc.deadline_ns, 99);
	EXPECT_EQ(zcbuf_publisher_return(pub, &buf), 0);
	fake.fail[ZCBUF_NR_ALLOC] = ETIMEDOUT;
	EXPECT_EQ(zcbuf_publisher_loan(pub, 10, 99, &buf), -ETIMEDOUT);

	fake.calls[ZCBUF_NR_ALLOC] = 0;
	ASSERT_EQ(zcbuf_publisher_loan_batch(pub, 5000, 98, bufs, 4), 4);
	EXPECT_EQ(fake.calls[ZCBUF_NR_ALLOC], 1);
	EXPECT_EQ(fake.alloc.deadline_ns, 98);
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(bufs[i].length, 5000);
		EXPECT_EQ(bufs[i].capacity, 8192);
		EXPECT(bufs[i].data == zcbuf_pool_addr(pool, bufs[i].offset));
		EXPECT_EQ(zcbuf_publisher_return(pub, &bufs[i]), 0);
	}
	EXPECT_EQ(zcbuf_publisher_loan_batch(pub, 1, 0, bufs, 1025), -EINVAL);
	fake.fail[ZCBUF_NR_ALLOC] = ENOMEM;
	EXPECT_EQ(zcbuf_publisher_loan_batch(pub, 1, 0, bufs, 4), -ENOMEM);
	topic_unmake();
}

/* What cannot be reached is not kept, nor what comes behind it. */
static void loans_in_part(void)
{
	struct zcbuf_buf bufs[4];
	struct zcbuf_buf buf;

	fake.max_size = 4 * FAKE_ARENA;
	topic_pools();
	ASSERT_EQ(zcbuf_publisher_open(pool, &topic_name, NULL, &pub), 0);
	ASSERT_EQ(zcbuf_publisher_loan(pub, FAKE_ARENA / 2, 0, &buf), 0);
	fake_grow();
	fake.map_error = ENOMEM;
	/* Two of them are where it is mapped. */
	EXPECT_EQ(zcbuf_publisher_loan_batch(pub, FAKE_ARENA / 4, 0, bufs, 4),
		  2);
	EXPECT_EQ(fake_bufs(), 3);
	EXPECT_EQ(zcbuf_publisher_return(pub, &bufs[0]), 0);
	EXPECT_EQ(zcbuf_publisher_return(pub, &bufs[1]), 0);
	fake.map_error = ENOMEM;
	EXPECT_EQ(zcbuf_publisher_loan_batch(pub, FAKE_ARENA / 4, 0, bufs, 2),
		  -ENOMEM);
	EXPECT_EQ(fake_bufs(), 1);
	EXPECT_EQ(zcbuf_publisher_return(pub, &buf), 0);
	topic_unmake();
}

static void batch(void)
{
	struct zcbuf_publication entries[3] = { { .user_tag = 10 },
						{ .user_tag = 11 },
						{ .user_tag = 12 } };
	struct zcbuf_sample samples[4];
	struct zcbuf_buf bufs[3];
	unsigned int i;

	topic_make(NULL);
	ASSERT_EQ(zcbuf_publisher_loan_batch(pub, 100, 0, bufs, 3), 3);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(zcbuf_buf_set_length(&bufs[i], i + 1), 0);
	EXPECT_EQ(zcbuf_publisher_publish_batch(pub, bufs, entries, 3, 0, 55),
		  3);
	EXPECT_EQ(fake.calls[ZCBUF_NR_PUBLISH], 1);
	EXPECT_EQ(fake.publish.deadline_ns, 55);
	EXPECT(!bufs[0].handle && !bufs[1].handle && !bufs[2].handle);
	EXPECT_EQ(zcbuf_subscriber_take(sub[0], samples, 4, 0), 3);
	EXPECT_EQ(fake.receive.count, 4);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(entries[i].out_seq, i);
		EXPECT_EQ(samples[i].length, i + 1);
		EXPECT_EQ(samples[i].delivery.user_tag, 10 + i);
	}
	EXPECT_EQ(zcbuf_subscriber_release(sub[0], samples, 3), 3);
	EXPECT_EQ(fake.calls[ZCBUF_NR_RELEASE], 1);
	EXPECT_EQ(zcbuf_subscriber_release(sub[0], samples, 1025), -EINVAL);
	EXPECT_EQ(zcbuf_subscriber_release(sub[0], samples, 0), -EINVAL);
	EXPECT_EQ(zcbuf_publisher_publish_batch(pub, bufs, entries, 0, 0, 0),
		  -EINVAL);
	EXPECT_EQ(zcbuf_publisher_publish_batch(pub, bufs, entries, 1025, 0, 0),
		  -EINVAL);
	topic_unmake();
}

/* Up to the first that fails, be it here or in the kernel. */
static void batch_in_part(void)
{
	struct zcbuf_subscriber_opts opts = { .sz = sizeof(opts), .depth = 1 };
	struct zcbuf_publication entries[3] = { { 0 } };
	struct zcbuf_sample samples[2];
	struct zcbuf_buf bufs[3];

	topic_make(&opts);
	ASSERT_EQ(zcbuf_publisher_loan_batch(pub, 100, 0, bufs, 3), 3);
	EXPECT_EQ(zcbuf_publisher_publish_batch(pub, bufs, entries, 3, 0, 1),
		  1);
	EXPECT(!bufs[0].handle && bufs[1].handle && bufs[2].handle);
	EXPECT_EQ(zcbuf_publisher_publish_batch(pub, bufs, entries, 3, 0, 0),
		  -EALREADY);
	EXPECT_EQ(zcbuf_publisher_publish_batch(pub, bufs + 1, entries, 2, 0,
						0), -EAGAIN);
	samples[0] = topic_take(sub[0]);
	samples[1] = samples[0];
	EXPECT_EQ(zcbuf_buf_set_length(&bufs[2], 0), 0);
	EXPECT_EQ(zcbuf_publisher_publish_batch(pub, bufs + 1, entries, 2, 0,
						0), 1);
	EXPECT_EQ(zcbuf_publisher_publish_batch(pub, bufs + 2, entries, 1, 0,
						0), -EINVAL);
	EXPECT_EQ(zcbuf_publisher_return(pub, &bufs[2]), 0);
	EXPECT_EQ(zcbuf_subscriber_release(sub[0], samples, 2), 1);
	EXPECT(!samples[0].data && samples[1].data);
	topic_unmake();
}

/* The loan is still there when it could be published at last. */
static void block(void)
{
	const struct zcbuf_subscriber_opts opts = {
		.sz = sizeof(opts), .depth = 1,
	};
	struct zcbuf_publication entry = { 0 };
	struct zcbuf_buf buf;
	__u32 why = 9;

	topic_make(&opts);
	EXPECT_EQ(topic_publish("first", NULL), 0);
	buf = topic_loan("second");
	entry.handle = buf.handle;
	fake.why = ZCBUF_WHY_QUEUE;
	EXPECT_EQ(zcbuf_publish_why(zcbuf_publisher_channel(pub), &entry, 1, 0,
				    0, &why), -EAGAIN);
	EXPECT_EQ(why, ZCBUF_WHY_QUEUE);
	EXPECT_EQ(zcbuf_publish_why(zcbuf_publisher_channel(pub), &entry, 0, 0,
				    0, &why), -EINVAL);
	EXPECT_EQ(why, 0);
	EXPECT_EQ(zcbuf_publisher_publish(pub, &buf, 7, NULL, 0, 0), -EAGAIN);
	EXPECT_EQ(zcbuf_publisher_publish(pub, &buf, 7, NULL, 0, 1),
		  -ETIMEDOUT);
	fake.fail[ZCBUF_NR_PUBLISH] = EINTR;
	EXPECT_EQ(zcbuf_publisher_publish(pub, &buf, 7, NULL, 0, 1), -EINTR);
	topic_took(sub[0], "first", 0);
	EXPECT_EQ(zcbuf_publisher_publish(pub, &buf, 7, NULL, 0, 0), 0);
	topic_took(sub[0], "second", 1);
	topic_unmake();
}

static void ended(void)
{
	struct zcbuf_sample sample;

	topic_make(NULL);
	EXPECT_EQ(topic_publish("last", NULL), 0);
	EXPECT_EQ(zcbuf_channel_finalize(zcbuf_publisher_channel(pub), NULL),
		  0);
	EXPECT_EQ(topic_publish("too late", NULL), -ESHUTDOWN);
	topic_took(sub[0], "last", 0);
	EXPECT_EQ(zcbuf_subscriber_take(sub[0], &sample, 1, 0), -ESHUTDOWN);
	topic_unmake();
}

static void closed_pool(void)
{
	struct zcbuf_sample sample;
	struct zcbuf_buf buf;

	topic_make(NULL);
	buf = topic_loan("x");
	zcbuf_pool_close(pool);
	zcbuf_pool_close(others[0]);
	EXPECT_EQ(zcbuf_publisher_publish(pub, &buf, 2, NULL, 0, 0), -EBADF);
	EXPECT_EQ(zcbuf_publisher_loan(pub, 1, 0, &buf), -EBADF);
	EXPECT_EQ(zcbuf_subscriber_take(sub[0], &sample, 1, 0), -EBADF);
	EXPECT_EQ(zcbuf_subscriber_fd(sub[0]), -EBADF);
	EXPECT_EQ(zcbuf_publisher_close(pub), -EBADF);
	EXPECT_EQ(zcbuf_subscriber_close(sub[0]), -EBADF);
	EXPECT_EQ(zcbuf_publisher_close(NULL), 0);
	EXPECT_EQ(zcbuf_subscriber_close(NULL), 0);
	zcbuf_pool_close(others[1]);
	zcbuf_pool_close(others[2]);
}

static const struct test_case cases[] = {
	CASE(there),
	CASE(opened),
	CASE(names),
	CASE(other_names),
	CASE(waiting_for_it),
	CASE(anonymous),
	CASE(refused_to_open),
	CASE(nobody),
	CASE(only_once),
	CASE(returned),
	CASE(any_buffer),
	CASE(loans),
	CASE(loans_in_part),
	CASE(batch),
	CASE(batch_in_part),
	CASE(block),
	CASE(ended),
	CASE(closed_pool),
};

TEST_MAIN(cases)

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Subscribers of streams, by the library: what several of them share is taken without a
 * system call, and none waits for what only has to be asked for.
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zcbuf/zcbuf.h>

#include "common.h"
#include "ktap.h"
#include "thread.h"

#define POOL	"stream_library"
#define MANY	4000	/* groups, in the race */

static struct zcbuf_pool *from, *to[2];
static struct zcbuf_channel *stream;
static struct zcbuf_subscriber *sub[2];

static void open_all(__u32 depth, __u32 max_held)
{
	const struct zcbuf_pool_opts opts = {
		.sz = sizeof(opts), .name = POOL, .arena_size = ZT_ARENA,
	};
	const struct zcbuf_channel_opts channel = {
		.sz = sizeof(channel), .ports = ZCBUF_PORT_PRODUCE,
		.max_outstanding = 256,
	};
	struct zcbuf_subscriber_opts how = {
		.sz = sizeof(how), .depth = depth, .max_held = max_held,
	};
	int i;

	ASSERT_OK(zcbuf_pool_create(&from, &opts));
	ASSERT_OK(zcbuf_channel_create(from, &channel, &stream));
	how.channel = zcbuf_channel_handle(stream);
	for (i = 0; i < 2; i++) {
		ASSERT_OK(zcbuf_pool_attach(&to[i], POOL, NULL));
		ASSERT_OK(zcbuf_subscriber_open(to[i], NULL, &how, &sub[i]));
	}
}

static void close_all(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		zcbuf_subscriber_close(sub[i]);
		ASSERT_OK(zcbuf_pool_close(to[i]));
	}
	zcbuf_channel_close(stream);
	ASSERT_OK(zcbuf_pool_close(from));
}

static void put(__u64 tag)
{
	const struct zcbuf_buf_opts wait = {
		.sz = sizeof(wait), .deadline_ns = ZCBUF_NO_DEADLINE,
	};
	struct zcbuf_publication p = { .user_tag = tag };

	ASSERT_EQ(zcbuf_alloc(from, 4096, &wait, &p.handle, 1), 1);
	ASSERT_EQ(zcbuf_publish(stream, &p, 1, 0, ZCBUF_NO_DEADLINE), 1);
}

static void finalize(void)
{
	struct zcbuf_counts n;

	ASSERT_OK(zcbuf_channel_finalize(stream, &n));
}

/* The next one, without waiting: its tag, or -errno. */
static __s64 take(int i, struct zcbuf_sample *sample)
{
	int n = zcbuf_subscriber_take(sub[i], sample, 1, 0);

	return n < 0 ? n : (__s64)sample->delivery.user_tag;
}

static __s64 tag(int i)
{
	struct zcbuf_sample sample;
	__s64 t = take(i, &sample);

	if (t >= 0)
		EXPECT_EQ(zcbuf_subscriber_release(sub[i], &sample, 1), 1);
	return t;
}

TEST(without_a_call)
{
	struct zcbuf_stats before, after;
	struct zcbuf_sample samples[8];
	int i;

	open_all(0, 0);
	for (i = 0; i < 8; i++)
		put(i);
	before.sz = after.sz = sizeof(before);
	ASSERT_OK(zcbuf_stats(&before));
	EXPECT_EQ(zcbuf_subscriber_take(sub[0], samples, 8, 0), 4);
	EXPECT_EQ(zcbuf_subscriber_take(sub[1], samples + 4, 8, 0), 4);
	ASSERT_OK(zcbuf_stats(&after));
	EXPECT_EQ(memcmp(&before, &after, sizeof(before)), 0);
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(samples[i].delivery.user_tag, 2 * i);
		EXPECT_EQ(samples[4 + i].delivery.user_tag, 2 * i + 1);
	}
	EXPECT_EQ(take(0, samples), -EAGAIN);
	close_all();
}

/* It takes more than its depth without giving any back. */
TEST(parked_until_it_is_asked_for)
{
	struct zcbuf_sample samples[8];
	int i;

	open_all(1, 4);
	ASSERT_OK(zcbuf_subscriber_close(sub[1]));
	sub[1] = NULL;
	for (i = 0; i < 6; i++)
		put(i);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(take(0, &samples[i]), i);
	EXPECT_EQ(take(0, &samples[4]), -ENOSPC);
	EXPECT_EQ(zcbuf_subscriber_release(sub[0], samples, 4), 4);
	EXPECT_EQ(tag(0), 4);
	EXPECT_EQ(tag(0), 5);
	EXPECT_EQ(tag(0), -EAGAIN);
	close_all();
}

TEST(left_by_one_that_is_closed)
{
	struct zcbuf_sample sample;
	int i;

	open_all(0, 0);
	for (i = 0; i < 6; i++)
		put(i);
	EXPECT_EQ(take(0, &sample), 0);
	ASSERT_OK(zcbuf_subscriber_close(sub[0]));
	sub[0] = NULL;
	for (i = 1; i < 6; i++)
		EXPECT_EQ(tag(1), i);
	EXPECT_EQ(tag(1), -EAGAIN);
	close_all();
}

/* A waitset tells of what was parked for want of what was taken. */
TEST(a_waitset)
{
	struct zcbuf_waitset_entry told;
	struct zcbuf_sample samples[4];
	struct zcbuf_waitset *set;
	int i;

	open_all(1, 8);
	ASSERT_OK(zcbuf_subscriber_close(sub[1]));
	sub[1] = NULL;
	ASSERT_OK(zcbuf_waitset_create(to[0], &set));
	ASSERT_OK(zcbuf_waitset_add(set, sub[0], NULL));
	EXPECT_EQ(zcbuf_waitset_wait(set, &told, 1, 0), -EAGAIN);
	for (i = 0; i < 4; i++)
		put(i);
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(zcbuf_waitset_wait(set, &told, 1, ZCBUF_NO_DEADLINE),
			  1);
		EXPECT_EQ(told.subscriber, sub[0]);
		EXPECT_EQ(take(0, &samples[i]), i);
	}
	EXPECT_EQ(zcbuf_waitset_wait(set, &told, 1, 0), -EAGAIN);
	finalize();
	ASSERT_EQ(zcbuf_waitset_wait(set, &told, 1, ZCBUF_NO_DEADLINE), 1);
	EXPECT_EQ(take(0, &samples[0]), -ESHUTDOWN);
	zcbuf_waitset_close(set);
	close_all();
}

/*
 * struct eater - takes until the end
 * @i: which
 * @n: taken
 * @seen: by group, how often it was taken
 */
struct eater {
	int i;
	unsigned int n;
	unsigned char *seen;
};

static void *eat(void *arg)
{
	struct eater *e = arg;
	struct zcbuf_sample samples[8];
	__u64 last = 0;
	int k, n;

	while ((n = zcbuf_subscriber_take(sub[e->i], samples, 8,
					  ZCBUF_NO_DEADLINE)) > 0) {
		for (k = 0; k < n; k++) {
			EXPECT_GE(samples[k].delivery.user_tag, last);
			last = samples[k].delivery.user_tag;
			__atomic_fetch_add(&e->seen[last], 1, __ATOMIC_RELAXED);
		}
		ASSERT_EQ(zcbuf_subscriber_release(sub[e->i], samples, n), n);
		e->n += n;
	}
	EXPECT_EQ(n, -ESHUTDOWN);
	return NULL;
}

/* Each group is one's, and both come to the end. */
TEST(shared_to_the_end)
{
	static unsigned char seen[MANY];
	const unsigned int many = KTAP_TRIES(MANY);
	struct eater eater[2];
	struct thread thread[2];
	unsigned int k;
	int i;

	open_all(4, 8);
	for (i = 0; i < 2; i++) {
		eater[i] = (struct eater){ .i = i, .seen = seen };
		thread[i] = (struct thread){ .run = eat, .arg = &eater[i] };
		thread_start(&thread[i], SYS_ioctl);
	}
	for (k = 0; k < many; k++)
		put(k);
	finalize();
	for (i = 0; i < 2; i++)
		thread_join(&thread[i]);
	EXPECT_EQ(eater[0].n + eater[1].n, many);
	for (k = 0; k < many; k++)
		EXPECT_EQ(seen[k], 1);
	close_all();
}

KTAP_MAIN()

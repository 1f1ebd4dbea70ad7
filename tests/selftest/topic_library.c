// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Publishers and subscribers of the library, in processes of their own: what its
 * tests on a fake device cannot show.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zcbuf/zcbuf.h>

#include "common.h"
#include "ktap.h"
#include "thread.h"

#define POOL	"topic_library"
#define LENGTH	144
#define COUNT	16
#define FLIP	0x666c6970

static const struct zcbuf_name radar = {
	.service = "RadarService",
	.instance = "Front",
	.event = "PointCloud",
};

static struct zcbuf_pool *new_pool(void)
{
	const struct zcbuf_pool_opts opts = {
		.sz = sizeof(opts), .name = POOL, .arena_size = ZT_ARENA,
	};
	struct zcbuf_pool *pool;

	ASSERT_OK(zcbuf_pool_create(&pool, &opts));
	return pool;
}

/* One more session of it; @rights: 0 for all. */
static struct zcbuf_pool *join(__u32 rights)
{
	const struct zcbuf_attach_opts opts = {
		.sz = sizeof(opts), .rights = rights,
	};
	struct zcbuf_pool *pool;

	ASSERT_OK(zcbuf_pool_attach(&pool, POOL, &opts));
	return pool;
}

static struct zcbuf_publisher *publisher(struct zcbuf_pool *pool)
{
	struct zcbuf_publisher *p;

	ASSERT_OK(zcbuf_publisher_open(pool, &radar, NULL, &p));
	return p;
}

static struct zcbuf_subscriber *
subscriber(struct zcbuf_pool *pool, const struct zcbuf_subscriber_opts *opts)
{
	struct zcbuf_subscriber *s;

	ASSERT_OK(zcbuf_subscriber_open(pool, &radar, opts, &s));
	return s;
}

static __u64 used(struct zcbuf_pool *pool)
{
	struct zcbuf_pool_info info = { .size = sizeof(info) };

	ASSERT_OK(zcbuf_pool_info(pool, &info));
	return info.out_used;
}

static void loan(struct zcbuf_publisher *p, unsigned int n,
		 struct zcbuf_buf *buf)
{
	ASSERT_OK(zcbuf_publisher_loan(p, LENGTH, 0, buf));
	snprintf(buf->data, LENGTH, "seq=%u", n);
}

static int publish(struct zcbuf_publisher *p, unsigned int n,
		   struct zcbuf_publication *entry)
{
	struct zcbuf_buf buf;

	loan(p, n, &buf);
	return zcbuf_publisher_publish(p, &buf, LENGTH, entry, 0,
				       ZCBUF_NO_DEADLINE);
}

static struct zcbuf_sample take(struct zcbuf_subscriber *s, unsigned int n)
{
	struct zcbuf_sample sample;
	char want[LENGTH];

	ASSERT_EQ(zcbuf_subscriber_take(s, &sample, 1, ZCBUF_NO_DEADLINE), 1);
	snprintf(want, sizeof(want), "seq=%u", n);
	EXPECT_STREQ((const char *)sample.data, want);
	EXPECT_EQ(sample.length, LENGTH);
	EXPECT_EQ(sample.delivery.seq, n);
	return sample;
}

static void take_and_release(struct zcbuf_subscriber *s, unsigned int n)
{
	struct zcbuf_sample sample = take(s, n);

	EXPECT_EQ(zcbuf_subscriber_release(s, &sample, 1), 1);
}

/* What it reads it cannot write, nor make so that it could. */
static void look_at(const struct zcbuf_sample *sample)
{
	void *page = (void *)((uintptr_t)sample->data & ~4095UL);

	EXPECT_EQ(mprotect(page, 4096, PROT_READ | PROT_WRITE), -1);
	EXPECT_EQ(sample->delivery.lost, 0);
}

/* A subscriber that may only read; it says when it is there. */
static void radar_display(int ready)
{
	struct zcbuf_pool *pool = join(ZCBUF_RIGHT_MAP_READ |
				       ZCBUF_RIGHT_CONSUME);
	struct zcbuf_subscriber *s = subscriber(pool, NULL);
	struct zcbuf_seq seqs[1] = { { 0 } };
	struct zcbuf_sample sample;
	unsigned int i;

	ASSERT_EQ(write(ready, "", 1), 1);
	for (i = 0; i < COUNT; i++) {
		sample = take(s, i);
		look_at(&sample);
		EXPECT_EQ(zcbuf_seq_gap(zcbuf_seq_of(seqs, 1,
						     sample.delivery.publisher),
					&sample.delivery), 0);
		EXPECT_EQ(zcbuf_subscriber_release(s, &sample, 1), 1);
	}
	EXPECT_ERR(zcbuf_subscriber_take(s, &sample, 1, 0), EAGAIN);
	EXPECT_EQ(zcbuf_subscriber_lost(s), 0);
	EXPECT_OK(zcbuf_subscriber_close(s));
}

/* Takes one and keeps it. */
static void greedy(int ready)
{
	struct zcbuf_subscriber *s = subscriber(join(0), NULL);

	ASSERT_EQ(write(ready, "", 1), 1);
	take(s, 0);
	ASSERT_EQ(write(ready, "", 1), 1);
	for (;;)
		pause();
}

static pid_t start(void (*run)(int ready), int *ready)
{
	int pipes[2];
	pid_t child;

	ASSERT_OK(pipe(pipes));
	child = fork();
	if (!child) {
		run(pipes[1]);
		_exit(0);
	}
	close(pipes[1]);
	*ready = pipes[0];
	return child;
}

static void await_ready(int ready)
{
	char byte;

	ASSERT_EQ(read(ready, &byte, 1), 1);
}

TEST(sixteen_samples_to_a_reader)
{
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_publisher *p = publisher(pool);
	struct zcbuf_publication entry = { .user_tag = 5 };
	unsigned int i;
	pid_t child;
	int ready;

	child = start(radar_display, &ready);
	await_ready(ready);
	for (i = 0; i < COUNT; i++) {
		ASSERT_OK(publish(p, i, &entry));
		EXPECT_EQ(entry.out_seq, i);
		EXPECT_EQ(entry.out_delivered, 1);
		EXPECT_EQ(entry.out_dropped, 0);
	}
	EXPECT_STATUS(child, 0);
	EXPECT_EQ(used(pool), 0);
}

TEST(a_dead_subscriber_holds_nothing)
{
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_publisher *p = publisher(pool);
	struct zcbuf_publication entry = { 0 };
	pid_t child;
	int ready;

	child = start(greedy, &ready);
	await_ready(ready);
	ASSERT_OK(publish(p, 0, NULL));
	ASSERT_OK(publish(p, 1, NULL));
	await_ready(ready);
	EXPECT_NE(used(pool), 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	EXPECT_EQ(used(pool), 0);
	EXPECT_OK(publish(p, 2, &entry));
	EXPECT_EQ(entry.out_delivered, 0);
	EXPECT_EQ(entry.out_seq, 2);
	EXPECT_EQ(used(pool), 0);
}

/* The loan that found no room is published when there is. */
TEST(a_loan_waits)
{
	const struct zcbuf_subscriber_opts opts = {
		.sz = sizeof(opts), .depth = 1,
	};
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_publisher *p = publisher(pool);
	struct zcbuf_subscriber *s = subscriber(join(0), &opts);
	struct zcbuf_buf copy;
	struct zcbuf_buf buf;

	ASSERT_OK(publish(p, 0, NULL));
	loan(p, 1, &buf);
	EXPECT_ERR(zcbuf_publisher_publish(p, &buf, LENGTH, NULL, 0, 0),
		   EAGAIN);
	EXPECT_ERR(zcbuf_publisher_publish(p, &buf, LENGTH, NULL, 0, 1),
		   ETIMEDOUT);
	take_and_release(s, 0);
	copy = buf;
	EXPECT_OK(zcbuf_publisher_publish(p, &buf, LENGTH, NULL, 0, 0));
	EXPECT_ERR(zcbuf_publisher_publish(p, &buf, LENGTH, NULL, 0, 0),
		   EALREADY);
	take_and_release(s, 1);
	loan(p, 2, &copy);
	buf = copy;
	EXPECT_OK(zcbuf_publisher_return(p, &copy));
	EXPECT_ERR(zcbuf_publisher_publish(p, &buf, LENGTH, NULL, 0, 0),
		   EBADSLT);
	EXPECT_EQ(used(pool), 0);
}

/* While the message is somebody's, a copy of the loan is known to be published. */
TEST(a_copy_of_a_loan)
{
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_publisher *p = publisher(pool);
	struct zcbuf_subscriber *s = subscriber(join(0), NULL);
	struct zcbuf_sample sample;
	struct zcbuf_buf copy;
	struct zcbuf_buf buf;

	loan(p, 0, &buf);
	copy = buf;
	ASSERT_OK(zcbuf_publisher_publish(p, &buf, LENGTH, NULL, 0, 0));
	EXPECT_ERR(zcbuf_publisher_publish(p, &copy, LENGTH, NULL, 0, 0),
		   EALREADY);
	sample = take(s, 0);
	EXPECT_ERR(zcbuf_publisher_publish(p, &copy, LENGTH, NULL, 0, 0),
		   EALREADY);
	EXPECT_EQ(zcbuf_subscriber_release(s, &sample, 1), 1);
	EXPECT_ERR(zcbuf_subscriber_release(s, &sample, 1), EBADSLT);
	EXPECT_ERR(zcbuf_subscriber_take(s, &sample, 1, 0), EAGAIN);
	EXPECT_EQ(used(pool), 0);
}

TEST(who_waits_for_a_topic)
{
	struct zcbuf_subscriber_opts opts = {
		.sz = sizeof(opts), .flags = ZCBUF_CHANNEL_F_EXISTING,
	};
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_publisher_opts first = {
		.sz = sizeof(first), .flags = ZCBUF_CHANNEL_F_NEW,
	};
	struct zcbuf_subscriber *s;
	struct zcbuf_publisher *p;

	EXPECT_ERR(zcbuf_subscriber_open(pool, &radar, &opts, &s), ENOENT);
	opts.deadline_ns = 1;
	EXPECT_ERR(zcbuf_subscriber_open(pool, &radar, &opts, &s), ETIMEDOUT);
	ASSERT_OK(zcbuf_publisher_open(pool, &radar, &first, &p));
	EXPECT_ERR(zcbuf_publisher_open(pool, &radar, &first, &p), EEXIST);
	ASSERT_OK(zcbuf_subscriber_open(pool, &radar, &opts, &s));
	EXPECT_OK(publish(p, 0, NULL));
	take_and_release(s, 0);
}

/* A publisher that does nothing. */
static void silent(int ready)
{
	publisher(join(0));
	ASSERT_EQ(write(ready, "", 1), 1);
	for (;;)
		pause();
}

/* The next change, which is of the radar. */
static struct zcbuf_watch_change await_change(struct zcbuf_watcher *watcher)
{
	struct zcbuf_watch_change change;
	const struct zcbuf_channel_name *name = &change.entry.name;

	ASSERT_OK(zcbuf_watch_next(watcher, &change, ZCBUF_NO_DEADLINE));
	ASSERT_EQ(name->event_len, strlen(radar.event));
	EXPECT_EQ(memcmp(name->event, radar.event, name->event_len), 0);
	return change;
}

/* To come and to go may be seen in more than one step. */
static __u64 comes_and_is_killed(struct zcbuf_watcher *watcher)
{
	struct zcbuf_watch_change change;
	__u64 handle;
	pid_t child;
	int ready;

	child = start(silent, &ready);
	change = await_change(watcher);
	EXPECT_EQ(change.what, ZCBUF_CHANNEL_APPEARED);
	handle = change.entry.channel;
	while (!change.entry.producers)
		change = await_change(watcher);
	EXPECT_EQ(change.entry.channel, handle);
	EXPECT_TRUE(change.entry.flags & ZCBUF_CHANNEL_F_TOPIC);
	await_ready(ready);
	EXPECT_ERR(zcbuf_watch_next(watcher, &change, 0), EAGAIN);
	kill(child, SIGKILL);
	do
		change = await_change(watcher);
	while (change.what == ZCBUF_CHANNEL_CHANGED);
	EXPECT_EQ(change.what, ZCBUF_CHANNEL_GONE);
	EXPECT_EQ(change.entry.channel, handle);
	ASSERT_EQ(waitpid(child, NULL, 0), child);
	EXPECT_ERR(zcbuf_watch_next(watcher, &change, 0), EAGAIN);
	return handle;
}

TEST(who_comes_and_is_killed)
{
	struct zcbuf_watch_change change;
	struct zcbuf_watcher *watcher;
	__u64 first;

	new_pool();
	ASSERT_OK(zcbuf_watch_create(join(ZCBUF_RIGHT_MAP_READ), &watcher));
	EXPECT_ERR(zcbuf_watch_next(watcher, &change, 1), ETIMEDOUT);
	first = comes_and_is_killed(watcher);
	EXPECT_NE(comes_and_is_killed(watcher), first);
	zcbuf_watch_close(watcher);
}

/* Two are lost, after the one that was taken: a gap of two. */
TEST(what_is_lost)
{
	const struct zcbuf_subscriber_opts opts = {
		.sz = sizeof(opts),
		.depth = 2,
		.policy = ZCBUF_POLICY_DROP_OLDEST,
	};
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_publisher *p = publisher(pool);
	struct zcbuf_subscriber *s = subscriber(join(0), &opts);
	struct zcbuf_publication entries[4] = { { 0 } };
	struct zcbuf_seq seq = { 0 };
	struct zcbuf_sample samples[4];
	struct zcbuf_buf bufs[4];

	ASSERT_OK(publish(p, 0, NULL));
	samples[0] = take(s, 0);
	EXPECT_EQ(zcbuf_seq_gap(&seq, &samples[0].delivery), 0);
	EXPECT_EQ(zcbuf_subscriber_release(s, samples, 1), 1);

	ASSERT_EQ(zcbuf_publisher_loan_batch(p, LENGTH, 0, bufs, 4), 4);
	ASSERT_EQ(zcbuf_publisher_publish_batch(p, bufs, entries, 4, 0, 0), 4);
	EXPECT_EQ(entries[1].out_dropped, 0);
	EXPECT_EQ(entries[3].out_dropped, 1);
	EXPECT_EQ(zcbuf_subscriber_lost(s), 0);
	ASSERT_EQ(zcbuf_subscriber_take(s, samples, 4, 0), 2);
	EXPECT_EQ(zcbuf_seq_gap(&seq, &samples[0].delivery), 2);
	EXPECT_EQ(zcbuf_seq_gap(&seq, &samples[1].delivery), 0);
	EXPECT_EQ(zcbuf_subscriber_lost(s), 2);
	EXPECT_EQ(zcbuf_subscriber_release(s, samples, 2), 2);
	EXPECT_EQ(used(pool), 0);
}

static __s64 flip(void *ctx, void *dst, size_t capacity, const void *src,
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

TEST(an_encoded_message)
{
	static const struct zcbuf_transform flips = {
		.sz = sizeof(flips),
		.encode = flip,
		.decode = flip,
		.encoding = FLIP,
	};
	static const struct zcbuf_transform *const known[] = { &flips };
	const struct zcbuf_publisher_opts opts = {
		.sz = sizeof(opts), .transform = &flips,
	};
	const struct zcbuf_subscriber_opts knows = {
		.sz = sizeof(knows), .transforms = known, .ntransforms = 1,
	};
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_subscriber *a = subscriber(join(0), &knows);
	struct zcbuf_subscriber *b = subscriber(join(0), NULL);
	struct zcbuf_sample sample;
	struct zcbuf_publisher *p;
	char got[8];

	ASSERT_OK(zcbuf_publisher_open(pool, &radar, &opts, &p));
	ASSERT_OK(zcbuf_publisher_send(p, "secret", 7, NULL, 0, 0));
	ASSERT_EQ(zcbuf_subscriber_take(a, &sample, 1, 0), 1);
	EXPECT_EQ(sample.delivery.encoding, FLIP);
	EXPECT_EQ(zcbuf_subscriber_decode(a, &sample, got, 8), 7);
	EXPECT_STREQ(got, "secret");
	EXPECT_EQ(zcbuf_subscriber_release(a, &sample, 1), 1);

	ASSERT_EQ(zcbuf_subscriber_take(b, &sample, 1, 0), 1);
	EXPECT_ERR(zcbuf_subscriber_decode(b, &sample, got, 8),
		   EPROTONOSUPPORT);
	EXPECT_EQ(*(const unsigned char *)sample.data, 's' ^ 0xff);
	EXPECT_EQ(zcbuf_subscriber_release(b, &sample, 1), 1);
	EXPECT_EQ(used(pool), 0);
}

/* Replies with the number that it was asked, and one more. */
static void adder(int ready)
{
	struct zcbuf_pool *pool = join(0);
	struct zcbuf_sample request;
	struct zcbuf_server *server;
	struct zcbuf_buf reply;

	ASSERT_OK(zcbuf_server_open(pool, &radar, NULL, &server));
	ASSERT_EQ(write(ready, "", 1), 1);
	for (;;) {
		ASSERT_OK(zcbuf_server_take(server, &request,
					    ZCBUF_NO_DEADLINE));
		ASSERT_OK(zcbuf_buf_alloc(pool, sizeof(__u64), &reply));
		*(__u64 *)reply.data = *(const __u64 *)request.data + 1;
		ASSERT_OK(zcbuf_server_reply(server, &request, &reply,
					     sizeof(__u64)));
	}
}

static int ask(struct zcbuf_client *client, struct zcbuf_pool *pool, __u64 n)
{
	struct zcbuf_sample reply;
	struct zcbuf_buf request;
	int err;

	ASSERT_OK(zcbuf_buf_alloc(pool, sizeof(n), &request));
	*(__u64 *)request.data = n;
	err = zcbuf_client_call(client, &request, sizeof(n), &reply,
				ZCBUF_NO_DEADLINE);
	EXPECT_OK(zcbuf_buf_free(&request));
	if (err)
		return err;
	EXPECT_EQ(reply.length, sizeof(n));
	EXPECT_EQ(*(const __u64 *)reply.data, n + 1);
	return zcbuf_client_release(client, &reply);
}

/* Answered one by one, and at once when there is nobody any more. */
TEST(requests_and_replies)
{
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_client *client;
	unsigned int i;
	pid_t child;
	int ready;

	ASSERT_OK(zcbuf_client_open(pool, &radar, NULL, &client));
	EXPECT_ERR(ask(client, pool, 0), EPIPE);
	child = start(adder, &ready);
	await_ready(ready);
	for (i = 0; i < 100; i++)
		EXPECT_OK(ask(client, pool, i));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	EXPECT_ERR(ask(client, pool, i), EPIPE);
	EXPECT_OK(zcbuf_client_close(client));
	EXPECT_EQ(used(pool), 0);
}

/* ----------------------------------------------- queues that are mapped here */

/* From now on every ioctl() of this process is ENOSYS. */
static void without_ioctl(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {
		.len = sizeof(code) / sizeof(*code), .filter = code,
	};

	ASSERT_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		SKIP("no system call can be forbidden here: %m");
}

TEST(taken_without_a_call)
{
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_publisher *p = publisher(pool);
	struct zcbuf_subscriber *s = subscriber(join(0), NULL);
	struct zcbuf_sample samples[COUNT];
	unsigned int i;

	for (i = 0; i < COUNT; i++)
		ASSERT_OK(publish(p, i, NULL));
	without_ioctl();
	for (i = 0; i < 4; i++)
		samples[i] = take(s, i);
	ASSERT_EQ(zcbuf_subscriber_take(s, samples, COUNT, 0), COUNT - 4);
	for (i = 4; i < COUNT; i++)
		EXPECT_EQ(samples[i - 4].delivery.seq, i);
	EXPECT_ERR(zcbuf_subscriber_take(s, samples, COUNT, 0), EAGAIN);
	/* That it is told of nothing was no accident. */
	EXPECT_ERR(zcbuf_subscriber_release(s, samples, 1), ENOSYS);
}

TEST(holds_no_more_than_it_may)
{
	const struct zcbuf_subscriber_opts opts = {
		.sz = sizeof(opts), .max_held = 2,
	};
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_publisher *p = publisher(pool);
	struct zcbuf_subscriber *s = subscriber(join(0), &opts);
	struct zcbuf_sample samples[COUNT];
	unsigned int i;

	for (i = 0; i < 4; i++)
		ASSERT_OK(publish(p, i, NULL));
	EXPECT_EQ(zcbuf_subscriber_take(s, samples, COUNT, 0), 2);
	EXPECT_ERR(zcbuf_subscriber_take(s, &samples[2], 1, 0), ENOSPC);
	EXPECT_EQ(zcbuf_subscriber_release(s, samples, 1), 1);
	EXPECT_EQ(zcbuf_subscriber_take(s, &samples[2], COUNT - 2, 0), 1);
	EXPECT_EQ(samples[2].delivery.seq, 2);
	EXPECT_EQ(zcbuf_subscriber_release(s, &samples[1], 2), 2);
	take_and_release(s, 3);
	EXPECT_ERR(zcbuf_subscriber_take(s, samples, 1, 0), EAGAIN);
	EXPECT_OK(zcbuf_subscriber_close(s));
	EXPECT_EQ(used(pool), 0);
}

static void *publish_second(void *arg)
{
	ASSERT_OK(publish(arg, 1, NULL));
	return NULL;
}

/* It waits for room; whoever takes says that there is some, at once. */
TEST(a_publisher_waits_for_who_takes)
{
	const struct zcbuf_subscriber_opts opts = {
		.sz = sizeof(opts), .depth = 1,
	};
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_publisher *p = publisher(pool);
	struct zcbuf_subscriber *s = subscriber(join(0), &opts);
	struct thread second = { .run = publish_second, .arg = p };
	struct zcbuf_sample sample;

	ASSERT_OK(publish(p, 0, NULL));
	thread_start(&second, SYS_ioctl);
	sample = take(s, 0);
	thread_join(&second);
	EXPECT_EQ(zcbuf_subscriber_release(s, &sample, 1), 1);
	take_and_release(s, 1);
	EXPECT_OK(zcbuf_subscriber_close(s));
	EXPECT_EQ(used(pool), 0);
}

struct taker {
	struct zcbuf_subscriber *s;
	__u64 sum;
	pthread_t thread;
};

static void *take_some(void *arg)
{
	struct taker *t = arg;
	struct zcbuf_sample sample;

	while (zcbuf_subscriber_take(t->s, &sample, 1, 0) == 1) {
		t->sum += 1ULL << sample.delivery.seq % 60;
		EXPECT_EQ(zcbuf_subscriber_release(t->s, &sample, 1), 1);
	}
	return NULL;
}

/* Of several threads, and of several subscribers of a session, one has each. */
TEST(each_is_taken_once)
{
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_publisher *p = publisher(pool);
	struct zcbuf_pool *other = join(0);
	struct zcbuf_subscriber *s = subscriber(other, NULL);
	struct taker t[3] = { { .s = s }, { .s = s } };
	unsigned int i;

	t[2].s = subscriber(other, NULL);
	for (i = 0; i < 60; i++)
		ASSERT_OK(publish(p, i, NULL));
	for (i = 0; i < 3; i++)
		ASSERT_OK(-pthread_create(&t[i].thread, NULL, take_some, &t[i]));
	for (i = 0; i < 3; i++)
		ASSERT_OK(-pthread_join(t[i].thread, NULL));
	EXPECT_EQ(t[0].sum + t[1].sum + t[2].sum, (1ULL << 60) - 1);
	EXPECT_EQ(used(pool), 0);
}

/* A child has no session, and nothing of the queue either. */
TEST(a_child_has_no_queue)
{
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_publisher *p = publisher(pool);
	struct zcbuf_subscriber *s = subscriber(join(0), NULL);
	struct zcbuf_sample sample;
	int status;
	pid_t child;

	ASSERT_OK(publish(p, 0, NULL));
	child = fork();
	if (!child) {
		EXPECT_ERR(zcbuf_subscriber_take(s, &sample, 1, 0), EBADF);
		EXPECT_ERR(zcbuf_subscriber_close(s), EBADF);
		_exit(0);
	}
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
	take_and_release(s, 0);
	EXPECT_OK(zcbuf_subscriber_close(s));
}

KTAP_MAIN()

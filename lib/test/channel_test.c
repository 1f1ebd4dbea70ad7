// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Channels and readers: what reaches the kernel, what comes back. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fake.h"
#include "test.h"

static struct zcbuf_pool *new_pool(void)
{
	struct zcbuf_pool *pool;

	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	return pool;
}

static void threshold_is(__u64 threshold, __u32 flags, __u64 want_threshold,
			 __u32 want_flags)
{
	struct zcbuf_channel_opts opts = {
		.sz = sizeof(opts),
		.threshold = threshold,
		.ports = ZCBUF_PORT_PRODUCE,
		.flags = flags,
	};
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_channel *channel;

	ASSERT_EQ(zcbuf_channel_create(pool, &opts, &channel), 0);
	EXPECT_EQ(fake.channel_open.threshold, want_threshold);
	EXPECT_EQ(fake.channel_open.flags, want_flags);
	fake_channel_close(channel);
}

static void threshold(void)
{
	const __u32 set = ZCBUF_CHANNEL_F_THRESHOLD;

	threshold_is(0, 0, 0, 0);
	threshold_is(100, 0, 100, set);
	threshold_is(ZCBUF_THRESHOLD_EACH, 0, 0, set);
	threshold_is(0, set, 0, set);
	threshold_is(100, set, 100, set);
	threshold_is(ZCBUF_THRESHOLD_EACH, set, ZCBUF_THRESHOLD_EACH, set);
	threshold_is(0, ZCBUF_CHANNEL_F_ORDERED, 0, ZCBUF_CHANNEL_F_ORDERED);
}

static void create(void)
{
	struct zcbuf_channel_opts opts = {
		.sz = sizeof(opts),
		.max_reservation = 1,
		.ports = ZCBUF_PORT_PRODUCE | ZCBUF_PORT_CONSUME,
		.align = 2,
		.max_age_us = 3,
		.max_outstanding = 4,
		.depth = 5,
		.flags = ZCBUF_CHANNEL_F_HOLD_FAILED,
	};
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_channel *channel;

	ASSERT_EQ(zcbuf_channel_create(pool, &opts, &channel), 0);
	EXPECT_EQ(fake.channel_open.channel, 0);
	EXPECT_EQ(fake.channel_open.max_reservation, 1);
	EXPECT_EQ(fake.channel_open.ports, opts.ports);
	EXPECT_EQ(fake.channel_open.align, 2);
	EXPECT_EQ(fake.channel_open.max_age_us, 3);
	EXPECT_EQ(fake.channel_open.max_outstanding, 4);
	EXPECT_EQ(fake.channel_open.depth, 5);
	EXPECT_EQ(fake.channel_open.flags, ZCBUF_CHANNEL_F_HOLD_FAILED);
	EXPECT(zcbuf_channel_handle(channel) == FAKE_CHANNEL);
	EXPECT_EQ(zcbuf_channel_block(channel), 8192);
	fake_channel_close(channel);
	EXPECT_EQ(fake.channel_close.ports, opts.ports);
	EXPECT(fake.channel_close.channel == FAKE_CHANNEL);
}

/* What a topic has, by whatever it is opened; of any channel, a name. */
static void named(void)
{
	const struct zcbuf_name name = { "d", "s", "i", "e" };
	struct zcbuf_channel_opts opts = {
		.sz = sizeof(opts),
		.ports = ZCBUF_PORT_CONSUME,
		.flags = ZCBUF_CHANNEL_F_TOPIC,
		.name = &name,
		.deadline_ns = 1,
		.history = 2,
		.policy = ZCBUF_POLICY_DROP_NEWEST,
		.max_held = 4,
		.lanes = 5,
		.replay = 6,
	};
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_channel *channel;

	ASSERT_EQ(zcbuf_channel_create(pool, &opts, &channel), 0);
	EXPECT_EQ(fake.channel_open.channel, 0);
	EXPECT(fake.channel_open.name);
	EXPECT_EQ(fake.channel_name.domain_len, 1);
	EXPECT_EQ(fake.channel_name.event[0], 'e');
	EXPECT_EQ(fake.channel_open.deadline_ns, 1);
	EXPECT_EQ(fake.channel_open.history, 2);
	EXPECT_EQ(fake.channel_open.policy, ZCBUF_POLICY_DROP_NEWEST);
	EXPECT_EQ(fake.channel_open.max_held, 4);
	EXPECT_EQ(fake.channel_open.lanes, 5);
	EXPECT_EQ(fake.channel_open.replay, 6);
	fake_channel_close(channel);
}

static void attach(void)
{
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_channel *channel;

	ASSERT_EQ(zcbuf_channel_attach(pool, FAKE_CHANNEL, ZCBUF_PORT_CONSUME,
				       9, &channel), 0);
	EXPECT(fake.channel_open.channel == FAKE_CHANNEL);
	EXPECT_EQ(fake.channel_open.flags, 0);
	EXPECT_EQ(fake.channel_open.ports, ZCBUF_PORT_CONSUME);
	EXPECT_EQ(fake.channel_open.depth, 9);
	fake_channel_close(channel);
	fake.fail[ZCBUF_NR_CHANNEL_OPEN] = EEXIST;
	pool = new_pool();
	EXPECT_EQ(zcbuf_channel_attach(pool, FAKE_CHANNEL, ZCBUF_PORT_CONSUME,
				       8, &channel), -EEXIST);
	zcbuf_pool_close(pool);
}

/* Ports that were left are not given back a second time. */
static void leave(void)
{
	struct zcbuf_channel *channel = fake_channel(100);

	EXPECT_EQ(zcbuf_channel_leave(channel, 0), -EINVAL);
	EXPECT_EQ(fake.calls[ZCBUF_NR_CHANNEL_CLOSE], 0);
	EXPECT_EQ(zcbuf_channel_leave(channel, ZCBUF_PORT_PRODUCE), 0);
	EXPECT_EQ(fake.channel_close.ports, ZCBUF_PORT_PRODUCE);
	fake_channel_close(channel);
	EXPECT_EQ(fake.channel_close.ports,
		  ZCBUF_PORT_CONSUME | ZCBUF_PORT_RECV_FAILED);
	EXPECT_EQ(fake.calls[ZCBUF_NR_CHANNEL_CLOSE], 2);
	EXPECT_EQ(zcbuf_channel_close(NULL), 0);
}

static void leave_all(void)
{
	struct zcbuf_channel *channel = fake_channel(100);

	EXPECT_EQ(zcbuf_channel_leave(channel, 7), 0);
	fake_channel_close(channel);
	EXPECT_EQ(fake.calls[ZCBUF_NR_CHANNEL_CLOSE], 1);
}

/* An error of the kernel is told, and the struct is gone all the same. */
static void close_error(void)
{
	struct zcbuf_channel *channel = fake_channel(100);
	struct zcbuf_pool *pool = zcbuf_channel_pool(channel);

	fake.fail[ZCBUF_NR_CHANNEL_CLOSE] = ENOENT;
	EXPECT_EQ(zcbuf_channel_close(channel), -ENOENT);
	zcbuf_pool_close(pool);
}

static void finalize(void)
{
	struct zcbuf_channel *channel = fake_channel(1000);
	struct zcbuf_counts counts;
	struct zcbuf_writer w;

	EXPECT_EQ(zcbuf_channel_flush(channel), 1);
	ASSERT_EQ(zcbuf_writer_reserve(channel, 30, 0, 0, &w), 0);
	memset(&counts, 0xff, sizeof(counts));
	EXPECT_EQ(zcbuf_channel_finalize(channel, &counts), 0);
	EXPECT_EQ(counts.success, 0);
	EXPECT_EQ(counts.failure, 1);
	EXPECT_EQ(counts.reservations, 1);
	EXPECT_EQ(zcbuf_channel_finalize(channel, NULL), 0);
	fake.fail[ZCBUF_NR_FINALIZE] = EPERM;
	EXPECT_EQ(zcbuf_channel_finalize(channel, &counts), -EPERM);
	fake_channel_close(channel);
}

static void events(void)
{
	struct zcbuf_channel *channel = fake_channel(100);
	unsigned int fds;
	int fd;

	fd = zcbuf_channel_eventfd(channel, ZCBUF_EVENTFD_F_FAILED);
	ASSERT_EQ(fd >= 0, 1);
	EXPECT_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(fake.eventfd.fd, fd);
	EXPECT_EQ(fake.eventfd.mode, ZCBUF_EVENTFD_EACH);
	EXPECT_EQ(fake.eventfd.flags, ZCBUF_EVENTFD_F_FAILED);
	EXPECT_EQ(zcbuf_channel_set_eventfd(channel, -1, 0), 0);
	EXPECT_EQ(fake.eventfd.fd, 0);
	EXPECT_EQ(fake.eventfd.mode, ZCBUF_EVENTFD_NONE);
	close(fd);

	fds = fake_open_fds();
	fake.fail[ZCBUF_NR_EVENTFD] = EPERM;
	EXPECT_EQ(zcbuf_channel_eventfd(channel, 0), -EPERM);
	EXPECT_EQ(fake_open_fds(), fds);
	fake_channel_close(channel);
}

static void receive(void)
{
	struct zcbuf_channel *channel = fake_channel(100);
	struct zcbuf_delivery got[4];
	__u64 handle = 99;

	EXPECT_EQ(zcbuf_receive(channel, got, 4, 0), -EAGAIN);
	fake.ndeliveries = 3;
	fake.deliveries[2].handle = 5;
	EXPECT_EQ(zcbuf_receive(channel, got, 4, 12345), 3);
	EXPECT_EQ(got[2].handle, 5);
	EXPECT_EQ(fake.receive.deadline_ns, 12345);
	EXPECT_EQ(fake.receive.count, 4);
	EXPECT(fake.receive.channel == FAKE_CHANNEL);
	EXPECT_EQ(zcbuf_release(channel, &handle, 1), 1);
	EXPECT_EQ(fake.released, 99);
	fake_channel_close(channel);
}

static void receive_any(void)
{
	struct zcbuf_channel *channel = fake_channel(100);
	struct zcbuf_pool *pool = zcbuf_channel_pool(channel);
	struct zcbuf_delivery got[4];

	EXPECT_EQ(zcbuf_receive_any(pool, got, 4, 0), -EAGAIN);
	fake.receive.channel = 1;
	fake.ndeliveries = 2;
	fake.deliveries[0].channel = FAKE_CHANNEL;
	fake.deliveries[0].handle = 5;
	fake.deliveries[1].channel = FAKE_CHANNEL;
	fake.deliveries[1].handle = 7;
	EXPECT_EQ(zcbuf_receive_any(pool, got, 4, 12345), 2);
	EXPECT_EQ(fake.receive.channel, 0);
	EXPECT_EQ(fake.receive.deadline_ns, 12345);
	EXPECT_EQ(got[1].handle, 7);
	EXPECT_EQ(zcbuf_release_any(pool, got, 2), 2);
	EXPECT_EQ(fake.released, 7);
	got[1].channel = 0;
	EXPECT_EQ(zcbuf_release_any(pool, got, 2), 1);
	EXPECT_EQ(zcbuf_release_any(pool, got + 1, 1), -EINVAL);
	EXPECT_EQ(zcbuf_release_any(pool, got, ZCBUF_MAX_BATCH + 1), -EINVAL);
	fake_channel_close(channel);
}

static void failed_is(struct zcbuf_channel *channel, __u32 npieces, __u32 nlost)
{
	struct zcbuf_failed *failed;

	ASSERT_EQ(zcbuf_receive_failed(channel, &failed, 0), 0);
	ASSERT_EQ(failed->npieces, npieces);
	ASSERT_EQ(failed->nlost, nlost);
	EXPECT_EQ(failed->delivery.handle, 42);
	if (npieces)
		EXPECT_EQ(failed->pieces[npieces - 1].offset,
			  (npieces - 1) * 64);
	if (nlost)
		EXPECT_EQ(failed->lost[nlost - 1].length, nlost);
	zcbuf_failed_free(failed);
}

static void receive_failed(void)
{
	struct zcbuf_channel *channel = fake_channel(100);
	struct zcbuf_failed *failed;

	EXPECT_EQ(zcbuf_receive_failed(channel, &failed, 0), -EAGAIN);
	fake.nlost = 3;
	failed_is(channel, 0, 3);
	EXPECT_EQ(fake.calls[ZCBUF_NR_RECEIVE_FAILED], 2);
	fake.npieces = 2;
	failed_is(channel, 2, 3);
	zcbuf_failed_free(NULL);
	fake_channel_close(channel);
}

static void receive_failed_large(void)
{
	struct zcbuf_channel *channel = fake_channel(100);

	fake.npieces = 1;
	fake.nlost = 5000;
	failed_is(channel, 1, 5000);
	EXPECT_EQ(fake.calls[ZCBUF_NR_RECEIVE_FAILED], 2);

	/* Measured, then taken by another; the next one is larger. */
	fake.npieces = 3000;
	fake.grow = 7;
	failed_is(channel, 3007, 5000);
	EXPECT_EQ(fake.calls[ZCBUF_NR_RECEIVE_FAILED], 5);
	fake_channel_close(channel);
}

/* A kernel that says the array is too small, but not how large: no loop. */
static void receive_failed_absurd(void)
{
	struct zcbuf_channel *channel = fake_channel(100);
	struct zcbuf_failed *failed;

	fake.fail[ZCBUF_NR_RECEIVE_FAILED] = EMSGSIZE;
	EXPECT_EQ(zcbuf_receive_failed(channel, &failed, 0), -EMSGSIZE);
	EXPECT_EQ(fake.calls[ZCBUF_NR_RECEIVE_FAILED], 1);
	fake_channel_close(channel);
}

static const struct test_case cases[] = {
	CASE(threshold),
	CASE(create),
	CASE(named),
	CASE(attach),
	CASE(leave),
	CASE(leave_all),
	CASE(close_error),
	CASE(finalize),
	CASE(events),
	CASE(receive),
	CASE(receive_any),
	CASE(receive_failed),
	CASE(receive_failed_large),
	CASE(receive_failed_absurd),
};

TEST_MAIN(cases)

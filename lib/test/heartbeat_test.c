// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Heartbeats: what the device is asked for, and what a beat is. */
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake.h"
#include "test.h"

#define PERIOD	50000000

static struct zcbuf_pool *pool;
static struct zcbuf_pulse pulse;

static void make(void)
{
	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
}

static void unmake(void)
{
	EXPECT_EQ(zcbuf_pool_close(pool), 0);
	EXPECT_EQ(fake.mapped, 0);
}

static int start(__u32 policy)
{
	return zcbuf_heartbeat_start(pool, PERIOD, 3, policy, &pulse);
}

static void beats(void)
{
	unsigned int fds, calls;
	__u64 before;

	make();
	fds = fake_open_fds();
	EXPECT_EQ(start(ZCBUF_HEARTBEAT_EVICT), 0);
	EXPECT_EQ(fake.heartbeat.size, sizeof(fake.heartbeat));
	EXPECT_EQ(fake.heartbeat.period_ns, PERIOD);
	EXPECT_EQ(fake.heartbeat.misses, 3);
	EXPECT_EQ(fake.heartbeat.policy, ZCBUF_HEARTBEAT_EVICT);
	EXPECT_EQ(fake_open_fds(), fds);
	calls = fake.calls[ZCBUF_NR_HEARTBEAT];
	before = pulse.page->beats;
	zcbuf_heartbeat_beat(&pulse);
	EXPECT(pulse.page->beats != before);
	EXPECT_EQ(fake.calls[ZCBUF_NR_HEARTBEAT], calls);
	EXPECT_EQ(zcbuf_heartbeat_stop(pool, &pulse), 0);
	EXPECT_EQ(fake.heartbeat.policy, ZCBUF_HEARTBEAT_NONE);
	EXPECT_EQ(fake.heartbeat.period_ns, 0);
	EXPECT_EQ(fake.heartbeat.misses, 0);
	EXPECT(!pulse.page);
	unmake();
}

static void refused(void)
{
	make();
	EXPECT_EQ(start(ZCBUF_HEARTBEAT_NONE), -EINVAL);
	EXPECT_EQ(fake.calls[ZCBUF_NR_HEARTBEAT], 0);
	fake.fail[ZCBUF_NR_HEARTBEAT] = ENOTTY;
	EXPECT_EQ(start(ZCBUF_HEARTBEAT_REPORT), -ENOTTY);
	EXPECT(!pulse.page);
	unmake();
}

/* Nobody is watched who could not beat. */
static void not_mapped(void)
{
	unsigned int fds;

	make();
	fds = fake_open_fds();
	fake.map_error = ENOMEM;
	EXPECT_EQ(start(ZCBUF_HEARTBEAT_EVICT), -ENOMEM);
	EXPECT(!pulse.page);
	EXPECT_EQ(fake.heartbeat.policy, ZCBUF_HEARTBEAT_NONE);
	EXPECT_EQ(fake_open_fds(), fds);
	unmake();
}

static void evicted(void)
{
	make();
	EXPECT_EQ(start(ZCBUF_HEARTBEAT_EVICT), 0);
	fake.fail[ZCBUF_NR_HEARTBEAT] = ESTALE;
	EXPECT_EQ(zcbuf_heartbeat_stop(pool, &pulse), -ESTALE);
	EXPECT(!pulse.page);
	unmake();
}

static void of_a_child(void)
{
	int status;
	pid_t child;

	make();
	EXPECT_EQ(start(ZCBUF_HEARTBEAT_REPORT), 0);
	child = fork();
	if (!child)
		_exit(start(ZCBUF_HEARTBEAT_REPORT) != -EBADF ||
		      zcbuf_heartbeat_stop(pool, &pulse) != -EBADF);
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(zcbuf_heartbeat_stop(pool, &pulse), 0);
	unmake();
}

static const struct test_case cases[] = {
	CASE(beats),
	CASE(refused),
	CASE(not_mapped),
	CASE(evicted),
	CASE(of_a_child),
};

TEST_MAIN(cases)

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Which limit an error comes from; what is logged; calls that are called again. */
#include <stdlib.h>

#include "machine.h"
#include "topics.h"

static struct zcbuf_why why_of(const struct zcbuf_pool *p, int err, __u64 want)
{
	struct zcbuf_why why;

	memset(&why, 0xff, sizeof(why));
	why.sz = sizeof(why);
	why.cause = 0;
	EXPECT_EQ(zcbuf_explain(p, err, want, &why), 0);
	EXPECT_EQ(why.reserved, 0);
	EXPECT_EQ(why.error, -abs(err));
	EXPECT_EQ(why.sz, sizeof(why));
	EXPECT(memchr(why.text, 0, sizeof(why.text)));
	EXPECT(strlen(why.text) > 10);
	return why;
}

/* With the numbers, and the words that name what can be done. */
static void comes_from(const struct zcbuf_pool *p, int err, __u64 want,
		       __u32 limit, __u64 in_use, __u64 most,
		       const char *words)
{
	struct zcbuf_why why = why_of(p, err, want);

	EXPECT_EQ(why.limit, limit);
	EXPECT_EQ(why.in_use, in_use);
	EXPECT_EQ(why.most, most);
	if (!strstr(why.text, words))
		test_check(false, __FILE__, __LINE__, "no \"%s\" in \"%s\"",
			   words, why.text);
}

static void comes_from_none(const struct zcbuf_pool *p, int err, __u64 want)
{
	comes_from(p, err, want, ZCBUF_LIMIT_NONE, 0, 0, zcbuf_strerror(err));
}

static void limits_of_the_module(void)
{
	machine_make();
	fake.query.out_user_charged = 240 * MIB;
	fake.query.out_total_charged = 240 * MIB;
	comes_from(NULL, -ENOMEM, 16 * MIB + 1, ZCBUF_LIMIT_USER, 240 * MIB,
		   256 * MIB, "240 MiB of 256 MiB; raise /sys/module/zcbuf/parameters/user_limit_mb");
	comes_from(NULL, ENOMEM, 0, ZCBUF_LIMIT_USER, 240 * MIB, 256 * MIB,
		   "user_limit_mb");
	comes_from_none(NULL, -ENOMEM, 16 * MIB);
	fake.query.out_total_charged = 512 * MIB - 4096;
	comes_from(NULL, -ENOMEM, 8192, ZCBUF_LIMIT_TOTAL, 512 * MIB - 4096,
		   512 * MIB, "total_limit_mb");
	comes_from_none(NULL, -ENOMEM, 4096);
}

static void capabilities(void)
{
	machine_make();
	fake.query.out_user_charged = 256 * MIB;
	machine_file("/proc/self/status",
		     "Name:\ta\nCapPrm:\tffff\nCapEff:\t0000000000004000\nSeccomp:\t0\n");
	comes_from_none(NULL, -ENOMEM, 4096);
	machine_file("/proc/self/status", "CapEff:\tffffffffffffbfff\n");
	comes_from(NULL, -ENOMEM, 4096, ZCBUF_LIMIT_USER, 256 * MIB, 256 * MIB,
		   "CAP_IPC_LOCK");
}

/* Of a cgroup, and of those above it, the one that leaves the least. */
static void limits_of_the_machine(void)
{
	machine_make();
	machine_file("/proc/meminfo",
		     "MemTotal:  8192 kB\nMemAvailable:  4096 kB\n");
	comes_from_none(NULL, -ENOMEM, 4 * MIB);
	comes_from(NULL, -ENOMEM, 4 * MIB + 1, ZCBUF_LIMIT_MACHINE, 4 * MIB + 1,
		   4 * MIB, "available");
	machine_file("/proc/self/cgroup", "1:cpu:/other\n0::/a/b\n");
	machine_file("/sys/fs/cgroup/a/b/memory.max", "max\n");
	machine_file("/sys/fs/cgroup/a/memory.max", "3145728\n");
	machine_file("/sys/fs/cgroup/a/memory.current", "1048576\n");
	comes_from_none(NULL, -ENOMEM, 2 * MIB);
	comes_from(NULL, -ENOMEM, 2 * MIB + 1, ZCBUF_LIMIT_CGROUP, MIB, 3 * MIB,
		   "memory.max");
	machine_file("/sys/fs/cgroup/a/b/memory.max", "1048576\n");
	comes_from(NULL, -ENOMEM, 2 * MIB, ZCBUF_LIMIT_CGROUP, 0, MIB, "cgroup");
	/* Of a container, whose own is all that is above. */
	machine_file("/sys/fs/cgroup/memory.max", "524288\n");
	comes_from(NULL, -ENOMEM, MIB, ZCBUF_LIMIT_CGROUP, 0, MIB / 2, "cgroup");
}

static struct zcbuf_pool *full_pool(__u64 max_size, __u32 flags)
{
	struct zcbuf_pool *p;

	machine_make();
	fake.max_size = max_size;
	fake.info.out_flags = flags;
	fake.info.out_used = FAKE_ARENA - 4096;
	fake.info.out_largest_free = 4096;
	ASSERT_EQ(zcbuf_pool_create(&p, NULL), 0);
	return p;
}

static void no_room(void)
{
	static const int errors[] = { -ENOMEM, -EAGAIN, -ETIMEDOUT };
	struct zcbuf_pool *p = full_pool(0, 0);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		comes_from(p, errors[i], 4097, ZCBUF_LIMIT_POOL,
			   FAKE_ARENA - 4096, FAKE_ARENA, "larger max_size");
		comes_from_none(p, errors[i], 4096);
		comes_from_none(p, errors[i], 0);
	}
	zcbuf_pool_close(p);
	p = full_pool(2 * FAKE_ARENA, 0);
	comes_from(p, -ENOMEM, 4097, ZCBUF_LIMIT_POOL, FAKE_ARENA - 4096,
		   FAKE_ARENA, "zcbuf_pool_grow()");
	zcbuf_pool_close(p);
}

/* What the kernel said was short is believed, whatever room there is by now. */
static void limits_of_a_channel(void)
{
	static const struct {
		__u32 cause;
		__u32 limit;
	} causes[] = {
		{ ZCBUF_WHY_LIMIT, ZCBUF_LIMIT_CREDITS },
		{ ZCBUF_WHY_QUEUE, ZCBUF_LIMIT_QUEUE },
		{ ZCBUF_WHY_QUEUE | ZCBUF_WHY_MEMORY, ZCBUF_LIMIT_QUEUE },
		{ ZCBUF_WHY_NO_CONSUMER | ZCBUF_WHY_LIMIT,
		  ZCBUF_LIMIT_CONSUMERS },
		{ ZCBUF_WHY_MEMORY, ZCBUF_LIMIT_POOL },
	};
	static const int errors[] = { -EAGAIN, -ETIMEDOUT };
	struct zcbuf_pool *p = full_pool(0, 0);
	struct zcbuf_why why;
	unsigned int i;

	for (i = 0; i < 2 * ARRAY_SIZE(causes); i++) {
		why = (struct zcbuf_why){
			.sz = sizeof(why), .cause = causes[i / 2].cause,
		};
		EXPECT_EQ(zcbuf_explain(p, errors[i % 2], 4097, &why), 0);
		EXPECT_EQ(why.limit, causes[i / 2].limit);
		EXPECT_EQ(why.cause, causes[i / 2].cause);
		if (why.limit != ZCBUF_LIMIT_POOL)
			EXPECT_EQ(strcmp(why.text, zcbuf_strwhy(why.cause)), 0);
	}
	why.cause = ZCBUF_WHY_QUEUE;
	EXPECT_EQ(zcbuf_explain(p, -ENOMEM, 4097, &why), 0);
	EXPECT_EQ(why.limit, ZCBUF_LIMIT_POOL);
	zcbuf_pool_close(p);
}

/* By itself, but for a limit; or it has found room meanwhile. */
static void cannot_grow(void)
{
	struct zcbuf_pool *p = full_pool(2 * FAKE_ARENA, ZCBUF_POOL_F_AUTO_GROW);

	fake.query.out_user_charged = 256 * MIB - 1;
	comes_from(p, -ENOMEM, 8192, ZCBUF_LIMIT_USER, 256 * MIB - 1, 256 * MIB,
		   "user_limit_mb");
	fake.query.out_user_charged = 0;
	comes_from(p, -ENOMEM, 8192, ZCBUF_LIMIT_POOL, FAKE_ARENA - 4096,
		   FAKE_ARENA, "free some");
	fake.info.out_largest_free = FAKE_ARENA;
	machine.memlock = FAKE_ARENA - 1;
	comes_from(p, -ENOMEM, 8192, ZCBUF_LIMIT_MEMLOCK, FAKE_ARENA,
		   FAKE_ARENA - 1, "ulimit -l");
	machine.memlock = FAKE_ARENA;
	comes_from_none(p, -ENOMEM, 8192);
	zcbuf_pool_close(p);
}

static void too_big(void)
{
	struct zcbuf_pool *p = full_pool(2 * FAKE_ARENA, 0);

	comes_from(p, -E2BIG, FAKE_ARENA + 1, ZCBUF_LIMIT_BUFFER,
		   FAKE_ARENA + 1, FAKE_ARENA, "arena_size");
	comes_from_none(p, -E2BIG, FAKE_ARENA);
	fake.max_size = FAKE_ARENA;
	comes_from(p, -E2BIG, 0, ZCBUF_LIMIT_POOL_MAX, FAKE_ARENA, FAKE_ARENA,
		   "max_size");
	zcbuf_pool_close(p);
	comes_from(NULL, -E2BIG, 1024 * MIB + 1, ZCBUF_LIMIT_POOL_MAX,
		   1024 * MIB + 1, 1024 * MIB, "several");
	comes_from_none(NULL, -E2BIG, 1024 * MIB);
}

static void too_many(void)
{
	struct zcbuf_pool *p = full_pool(0, 0);

	comes_from_none(p, -EMFILE, 0);
	fake.info.out_sessions = 4096;
	comes_from(p, -EMFILE, 0, ZCBUF_LIMIT_SESSIONS, 4096, 4096, "sessions");
	/* Of the fake, which has fewer channels. */
	fake.info.out_channels = FAKE_TOPICS;
	comes_from(p, -EMFILE, 0, ZCBUF_LIMIT_CHANNELS, FAKE_TOPICS,
		   FAKE_TOPICS, "channels");
	machine.dup_error = EMFILE;
	EXPECT_EQ(why_of(p, -EMFILE, 0).limit, ZCBUF_LIMIT_FILES);
	zcbuf_pool_close(p);
	/* Not even a session to ask with. */
	fake.open_error = EMFILE;
	EXPECT_EQ(why_of(NULL, -EMFILE, 0).limit, ZCBUF_LIMIT_FILES);
	comes_from_none(NULL, -ENFILE, 0);
	machine_file("/proc/sys/fs/file-nr", "9216\t0\t9217\n");
	comes_from(NULL, -ENFILE, 0, ZCBUF_LIMIT_ALL_FILES, 9216, 9217,
		   "fs.file-max");
}

/* No module, no answer, a closed pool, no limit at all: what is known is said. */
static void nothing_known(void)
{
	struct zcbuf_pool *p;

	machine_make();
	fake.query.out_user_charged = 256 * MIB;
	fake.open_error = ENODEV;
	comes_from_none(NULL, -ENODEV, 0);
	fake.open_error = ENODEV;
	comes_from_none(NULL, -ENOMEM, 4096);
	fake.fail[ZCBUF_NR_QUERY] = EINTR;
	comes_from_none(NULL, -ENOMEM, 4096);
	comes_from_none(NULL, -EPIPE, 0);
	p = full_pool(0, 0);
	fake.fail[ZCBUF_NR_POOL_INFO] = EINTR;
	comes_from_none(p, -ENOMEM, 8192);
	zcbuf_pool_close(p);
}

static void sizes_of_why(void)
{
	struct {
		struct zcbuf_why why;
		__u64 newer;
		__u64 guard;
	} w;
	unsigned int fds = fake_open_fds();

	memset(&w, 0xff, sizeof(w));
	w.why.sz = sizeof(w.why) - 1;
	EXPECT_EQ(zcbuf_explain(NULL, -ENOMEM, 0, &w.why), -EINVAL);
	w.why.sz = 5000;
	EXPECT_EQ(zcbuf_explain(NULL, -ENOMEM, 0, &w.why), -EINVAL);
	EXPECT_EQ(fake.open_flags, 0);
	w.why.sz = offsetof(typeof(w), guard);
	EXPECT_EQ(zcbuf_explain(NULL, -ENOMEM, 0, &w.why), 0);
	EXPECT_EQ(w.newer, 0);
	EXPECT_EQ(w.guard, -1);
	EXPECT_EQ(fake_open_fds(), fds);
}

/* -------------------------------------------------------------------- log */

static struct {
	unsigned int n;
	const struct zcbuf_pool *pool;
	int err;
	const char *text;
} told;

static void tell(void *ctx, const struct zcbuf_pool *p, int err,
		 const char *text)
{
	EXPECT(ctx == &told);
	told.n++;
	told.pool = p;
	told.err = err;
	told.text = text;
}

static const struct zcbuf_log to_us = { sizeof(to_us), tell, &told };

static void was_told(const struct zcbuf_pool *p, int err, const char *words)
{
	ASSERT_EQ(told.n, 1);
	EXPECT(told.pool == p);
	EXPECT_EQ(told.err, err);
	EXPECT(strstr(told.text, words));
	EXPECT(!strchr(told.text, '\n'));
	told.n = 0;
}

static void logged_mapping(void)
{
	struct zcbuf_pool *p;

	fake.max_size = 3 * FAKE_ARENA;
	ASSERT_EQ(zcbuf_pool_create(&p, NULL), 0);
	ASSERT_EQ(zcbuf_pool_log(p, &to_us), 0);
	fake.map_error = EPERM;
	EXPECT_EQ(zcbuf_pool_grow(p), 1);
	was_told(p, -EPERM, "not mapped here yet");
	fake.map_error = ENOMEM;
	EXPECT(!zcbuf_pool_addr(p, FAKE_ARENA));
	was_told(p, -ENOMEM, "could not be mapped");
	EXPECT(zcbuf_pool_addr(p, FAKE_ARENA));
	EXPECT(!zcbuf_pool_addr(p, 7 * FAKE_ARENA));
	EXPECT_EQ(told.n, 0);
	EXPECT_EQ(zcbuf_pool_log(p, NULL), 0);
	fake.map_error = EPERM;
	EXPECT_EQ(zcbuf_pool_grow(p), 2);
	EXPECT_EQ(told.n, 0);
	zcbuf_pool_close(p);
}

static void logged_fallback(void)
{
	struct zcbuf_buf_opts opts = {
		.sz = sizeof(opts), .flags = ZCBUF_BUF_F_FALLBACK,
	};
	struct zcbuf_buf buf;
	struct zcbuf_pool *p;

	ASSERT_EQ(zcbuf_pool_create(&p, NULL), 0);
	ASSERT_EQ(zcbuf_pool_log(p, &to_us), 0);
	ASSERT_EQ(zcbuf_buf_alloc_opts(p, FAKE_ARENA + 1, &opts, &buf), 0);
	was_told(p, 0, "of the process's own");
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	ASSERT_EQ(zcbuf_buf_alloc_opts(p, FAKE_ARENA, &opts, &buf), 0);
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	EXPECT_EQ(told.n, 0);
	zcbuf_pool_close(p);
}

static void logged_queue(void)
{
	topic_pools();
	ASSERT_EQ(zcbuf_pool_log(others[0], &to_us), 0);
	fake.fail[ZCBUF_NR_QUEUE] = ENOTTY;
	ASSERT_EQ(zcbuf_subscriber_open(others[0], &topic_name, NULL, &sub[0]), 0);
	was_told(others[0], -ENOTTY, "system call");
	topic_unmake();
	EXPECT_EQ(told.n, 0);
}

static void sizes_of_log(void)
{
	struct {
		struct zcbuf_log log;
		__u64 newer;
	} l = { { sizeof(l.log) - 1, tell, &told }, 1 };
	struct zcbuf_pool *p;

	ASSERT_EQ(zcbuf_pool_create(&p, NULL), 0);
	EXPECT_EQ(zcbuf_pool_log(p, &l.log), -EINVAL);
	l.log.sz = sizeof(l);
	EXPECT_EQ(zcbuf_pool_log(p, &l.log), -E2BIG);
	l.newer = 0;
	EXPECT_EQ(zcbuf_pool_log(p, &l.log), 0);
	zcbuf_pool_close(p);
}

/* ---------------------------------------------------------------- signals */

/* Each call says so itself, once for each signal; only RETRY goes on. */
static void signals(void)
{
	struct zcbuf_channel *channel = fake_channel(100);
	struct zcbuf_pool *p = zcbuf_channel_pool(channel);
	struct zcbuf_reservation r = { .length = 100 };
	struct zcbuf_delivery d;
	struct zcbuf_buf buf;
	unsigned int calls;

	fake.fail[ZCBUF_NR_ALLOC] = EINTR;
	EXPECT_EQ(zcbuf_buf_alloc(p, 100, &buf), -EINTR);
	fake.fail[ZCBUF_NR_RESERVE] = EINTR;
	EXPECT_EQ(zcbuf_reserve(channel, &r, 1, 0, 0), -EINTR);
	fake.fail[ZCBUF_NR_RECEIVE] = EINTR;
	EXPECT_EQ(zcbuf_receive(channel, &d, 1, 0), -EINTR);
	EXPECT_EQ(fake.calls[ZCBUF_NR_ALLOC], 1);
	EXPECT_EQ(fake.calls[ZCBUF_NR_RESERVE], 1);
	EXPECT_EQ(fake.calls[ZCBUF_NR_RECEIVE], 1);

	calls = fake.calls[ZCBUF_NR_ALLOC];
	fake.fail[ZCBUF_NR_ALLOC] = EINTR;
	EXPECT_EQ(ZCBUF_RETRY(zcbuf_buf_alloc(p, 100, &buf)), 0);
	EXPECT_EQ(fake.calls[ZCBUF_NR_ALLOC], calls + 2);
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	fake.fail[ZCBUF_NR_ALLOC] = ENOMEM;
	EXPECT_EQ(ZCBUF_RETRY(zcbuf_buf_alloc(p, 100, &buf)), -ENOMEM);
	EXPECT_EQ(fake.calls[ZCBUF_NR_ALLOC], calls + 3);
	fake_channel_close(channel);
}

static const struct test_case cases[] = {
	CASE(limits_of_the_module),
	CASE(capabilities),
	CASE(limits_of_the_machine),
	CASE(no_room),
	CASE(limits_of_a_channel),
	CASE(cannot_grow),
	CASE(too_big),
	CASE(too_many),
	CASE(nothing_known),
	CASE(sizes_of_why),
	CASE(logged_mapping),
	CASE(logged_fallback),
	CASE(logged_queue),
	CASE(sizes_of_log),
	CASE(signals),
};

TEST_MAIN(cases)

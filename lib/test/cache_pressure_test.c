// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Pressure: other processes find no memory. The control page is this program's.
 */
#include <sys/wait.h>

#include "cached.h"
#include "worker.h"

static void get_and_put(void *arg)
{
	const unsigned int *n = arg;

	get(*n, 4096);
	put(*n);
}

static void tell(void)
{
	__atomic_fetch_add(&fake.control->pressure, 1, __ATOMIC_RELAXED);
}

/* Until an object is asked for that nobody has: then all threads keep nothing. */
static void noticed_the_long_way(void)
{
	unsigned int n = 20;
	unsigned int before;
	struct worker w;

	make();
	worker_start(&w);
	worker_do(&w, get_and_put, &n);
	get_and_put(&n);
	EXPECT(fake_pages_out() >= 40);
	tell();
	before = calls();
	get_and_put(&n);
	worker_do(&w, get_and_put, &n);
	EXPECT_EQ(calls(), before);
	EXPECT(fake_pages_out() >= 40);
	ASSERT_EQ(zcbuf_obj_alloc(pool, 8192, objs), 0);
	EXPECT_EQ(fake_pages_out(), 1);
	put(1);
	/* That was all the news. */
	get_and_put(&n);
	before = fake_pages_out();
	ASSERT_EQ(zcbuf_obj_alloc(pool, 16384, objs), 0);
	EXPECT_EQ(fake_pages_out(), before + 1);
	put(1);
	worker_end(&w);
	done();
}

/* Nor is the object kept that was freed then. */
static void noticed_by_a_free(void)
{
	unsigned int n = 0;
	unsigned int before;

	make();
	get(MANY, 4096);
	tell();
	for (before = calls(); calls() == before; n++)
		ASSERT_EQ(zcbuf_obj_free(objs[n]), 0);
	EXPECT_EQ(fake_pages_out(), MANY - n);
	EXPECT_EQ(zcbuf_cache_bytes(pool), 0);
	for (; n < MANY; n++)
		ASSERT_EQ(zcbuf_obj_free(objs[n]), 0);
	EXPECT(zcbuf_cache_bytes(pool) > 0);
	done();
}

static void noticed_by_a_buffer(void)
{
	unsigned int n = 20;
	__u64 handle;

	make();
	get_and_put(&n);
	tell();
	EXPECT_EQ(zcbuf_alloc(pool, 4096, NULL, &handle, 1), 1);
	EXPECT_EQ(fake_pages_out(), 1);
	EXPECT_EQ(zcbuf_free(pool, &handle, 1), 1);
	done();
}

/* The device has no room for it while anything is kept. */
static int reserve_call(__u64 self, unsigned int nr, void *arg)
{
	struct zcbuf_commit_reserve *turn = arg;
	struct zcbuf_reserve *reserve = arg;
	const __u32 error = fake_pages_out() ? EAGAIN : 0;

	if (nr == ZCBUF_NR_RESERVE) {
		reserve->out_why = error ? ZCBUF_WHY_QUEUE : 0;
		reserve->out_done = !error;
		return -(int)error;
	}
	if (nr != ZCBUF_NR_COMMIT_RESERVE)
		return fake_pages_call(self, nr, arg);
	turn->out_committed = 1;
	turn->out_reserved = !error;
	turn->out_reserve_error = error;
	turn->out_why = error ? ZCBUF_WHY_QUEUE : 0;
	return 0;
}

static void noticed_by_a_reservation(void)
{
	struct zcbuf_channel_opts opts = {
		.sz = sizeof(opts), .ports = ZCBUF_PORT_PRODUCE,
	};
	struct zcbuf_reservation r = { .length = 100 };
	struct zcbuf_commit_entry commit = { 0 };
	struct zcbuf_channel *channel;
	struct zcbuf_turnover turn;
	unsigned int n = 20;

	make();
	fake.on_call = reserve_call;
	ASSERT_EQ(zcbuf_channel_create(pool, &opts, &channel), 0);
	get_and_put(&n);
	EXPECT_EQ(zcbuf_reserve(channel, &r, 1, 0, 0), -EAGAIN);
	tell();
	EXPECT_EQ(zcbuf_reserve(channel, &r, 1, 0, 0), 1);
	get_and_put(&n);
	tell();
	EXPECT_EQ(zcbuf_commit_reserve(channel, &commit, 1, &r, 1, 0, 0, &turn),
		  0);
	EXPECT_EQ(turn.reserved, 1);
	zcbuf_channel_close(channel);
	done();
}

/* What was before anything was kept is no news. */
static void looked_for(void)
{
	unsigned int n = 20;
	unsigned int out;

	fake.pressure = 7;
	make();
	EXPECT_EQ(zcbuf_cache_look(pool), 0);
	get(1, 4096);
	put(1);
	EXPECT_EQ(zcbuf_cache_look(pool), 0);
	EXPECT_EQ(fake_pages_out(), 1);
	get_and_put(&n);
	out = fake_pages_out();
	EXPECT_EQ(zcbuf_cache_look(pool), 0);
	tell();
	EXPECT_EQ(zcbuf_cache_look(pool), out);
	EXPECT_EQ(zcbuf_cache_look(pool), 0);
	get_and_put(&n);
	EXPECT_EQ(zcbuf_cache_look(pool), 0);
	EXPECT(fake_pages_out() > 0);
	done();
}

/* Whatever all was given back for: those who wanted it have it. */
static void a_flush_will_do(void)
{
	unsigned int n = 20;
	unsigned int out;

	make();
	get_and_put(&n);
	tell();
	EXPECT(zcbuf_cache_flush(pool) > 0);
	get_and_put(&n);
	out = fake_pages_out();
	EXPECT_EQ(zcbuf_cache_look(pool), 0);
	EXPECT_EQ(fake_pages_out(), out);
	done();
}

static void on_an_old_kernel(void)
{
	unsigned int n = 20;
	__u64 handle;

	fake.no_control = true;
	make();
	get_and_put(&n);
	EXPECT(!fake.control);
	EXPECT_EQ(zcbuf_cache_look(pool), 0);
	EXPECT_EQ(zcbuf_alloc(pool, 8192, NULL, &handle, 1), 1);
	EXPECT_EQ(zcbuf_free(pool, &handle, 1), 1);
	EXPECT(fake_pages_out() > 0);
	done();
}

/* Mapped once, where something is kept; and not for longer than the pool is open. */
static void mapped_if_need_be(void)
{
	unsigned int n = 20;
	struct worker w;
	__u64 handle;
	long long before;

	make();
	EXPECT_EQ(zcbuf_alloc(pool, 8192, NULL, &handle, 1), 1);
	EXPECT_EQ(zcbuf_free(pool, &handle, 1), 1);
	EXPECT(!fake.control);
	before = fake.mapped;
	get_and_put(&n);
	worker_start(&w);
	worker_do(&w, get_and_put, &n);
	worker_end(&w);
	EXPECT_EQ(fake.mapped, before + sysconf(_SC_PAGESIZE));
	done();
	EXPECT_EQ(fake.mapped, 0);
}

static void forked(void)
{
	unsigned int n = 20;
	int status;
	pid_t pid;

	make();
	get_and_put(&n);
	pid = fork();
	if (!pid) {
		const long long before = fake.mapped;
		const bool ok = zcbuf_cache_look(pool) == -EBADF;

		zcbuf_pool_close(pool);
		_exit(!ok || fake.mapped != before);
	}
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	tell();
	EXPECT(zcbuf_cache_look(pool) > 0);
	done();
}

static const struct test_case cases[] = {
	CASE(noticed_the_long_way),
	CASE(noticed_by_a_free),
	CASE(noticed_by_a_buffer),
	CASE(noticed_by_a_reservation),
	CASE(looked_for),
	CASE(a_flush_will_do),
	CASE(on_an_old_kernel),
	CASE(mapped_if_need_be),
	CASE(forked),
};

TEST_MAIN(cases)

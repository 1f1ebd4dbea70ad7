// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Tier pools of one session: indices, values, waiting. */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../tpool.h"

#include "fake.h"
#include "test.h"
#include "wrap.h"

static int calloc_error;
static int memalign_error;

void *__wrap_calloc(size_t n, size_t size)
{
	return fake_take(&calloc_error) ? NULL : __real_calloc(n, size);
}

int __wrap_posix_memalign(void **out, size_t align, size_t size)
{
	int err = fake_take(&memalign_error);

	return err ? err : __real_posix_memalign(out, align, size);
}

/* What happens when a getter has found nothing and is about to sleep, once. */
static void (*before_sleep)(void);

long __wrap_syscall(long nr, ...)
{
	void (*now)(void) = before_sleep;
	long arg[6];
	va_list args;
	int i;

	va_start(args, nr);
	for (i = 0; i < 6; i++)
		arg[i] = va_arg(args, long);
	va_end(args);
	if (nr == SYS_futex && arg[1] == FUTEX_WAIT_BITSET_PRIVATE && now) {
		before_sleep = NULL;
		now();
	}
	return __real_syscall(nr, arg[0], arg[1], arg[2], arg[3], arg[4],
			      arg[5]);
}

static struct zcbuf_pool *new_pool(void)
{
	struct zcbuf_pool *pool;

	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	return pool;
}

static struct zcbuf_tpool *new_tpool(__u32 tier, __u32 capacity)
{
	const struct zcbuf_tpool_opts opts = {
		.sz = sizeof(opts), .tier = tier, .capacity = capacity,
	};
	struct zcbuf_tpool *tpool;

	ASSERT_EQ(zcbuf_tpool_create(new_pool(), &opts, &tpool), 0);
	return tpool;
}

static void close_both(struct zcbuf_tpool *tpool)
{
	struct zcbuf_pool *pool = tpool->pool;

	EXPECT_EQ(zcbuf_tpool_close(tpool), 0);
	EXPECT_EQ(fake_bufs(), 0);
	zcbuf_pool_close(pool);
}

static void capacity_is(__u32 wanted, __u32 capacity)
{
	struct zcbuf_tpool *tpool = new_tpool(ZCBUF_TIER_PICO, wanted);

	EXPECT_EQ(zcbuf_tpool_capacity(tpool), capacity);
	EXPECT_EQ(zcbuf_tpool_count(tpool), capacity);
	EXPECT_EQ(zcbuf_tpool_size(tpool), 16);
	close_both(tpool);
}

static void scenario_47_tiers(void)
{
	static const size_t sizes[] = {
		16, 64, 256, 1024, 4096, 16384, 65536, 262144,
	};
	struct zcbuf_tpool_opts opts = { .sz = sizeof(opts) };
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_tpool *tpool = NULL;
	__u32 tier;

	EXPECT_EQ(ARRAY_SIZE(sizes), ZCBUF_TIERS);
	EXPECT_EQ(ZCBUF_TIER_PICO, 0);
	EXPECT_EQ(ZCBUF_TIER_GIANT, 7);
	opts.capacity = 1;
	for (tier = 0; tier < ZCBUF_TIERS; tier++) {
		EXPECT_EQ(zcbuf_tier_size(tier), sizes[tier]);
		opts.tier = tier;
		ASSERT_EQ(zcbuf_tpool_create(pool, &opts, &tpool), 0);
		EXPECT_EQ(zcbuf_tpool_size(tpool), sizes[tier]);
		zcbuf_tpool_close(tpool);
	}
	EXPECT_EQ(zcbuf_tier_size(ZCBUF_TIERS), 0);
	tpool = NULL;
	opts.tier = ZCBUF_TIERS;
	EXPECT_EQ(zcbuf_tpool_create(pool, &opts, &tpool), -EINVAL);
	opts.tier = 0;
	opts.capacity = 0;
	EXPECT_EQ(zcbuf_tpool_create(pool, &opts, &tpool), -EINVAL);
	opts.capacity = ZCBUF_TPOOL_MAX_CAPACITY + 1;
	EXPECT_EQ(zcbuf_tpool_create(pool, &opts, &tpool), -EINVAL);
	opts.capacity = 1;
	opts.flags = 2;
	EXPECT_EQ(zcbuf_tpool_create(pool, &opts, &tpool), -EOPNOTSUPP);
	opts.flags = 0;
	opts.__reserved = 1;
	EXPECT_EQ(zcbuf_tpool_create(pool, &opts, &tpool), -EOPNOTSUPP);
	EXPECT(!tpool);
	EXPECT_EQ(zcbuf_tpool_close(NULL), 0);
	zcbuf_pool_close(pool);

	capacity_is(1, 1);
	capacity_is(3, 4);
	capacity_is(4, 4);
	capacity_is(1000, 1024);
}

static void get_all(struct zcbuf_tpool *tpool, int n)
{
	unsigned int seen = 0;
	int index;
	int i;

	for (i = 0; i < n; i++) {
		index = zcbuf_tpool_get(tpool, 0);
		ASSERT_EQ(index >= 0 && index < n, true);
		EXPECT(!(seen & 1U << index));
		seen |= 1U << index;
	}
	EXPECT_EQ(zcbuf_tpool_get(tpool, 0), -EAGAIN);
	EXPECT_EQ(zcbuf_tpool_count(tpool), 0);
}

static void scenario_48_without_waiting(void)
{
	struct zcbuf_tpool *tpool = new_tpool(ZCBUF_TIER_MICRO, 16);
	int i;

	get_all(tpool, 16);
	for (i = 0; i < 16; i++)
		EXPECT_EQ(zcbuf_tpool_put(tpool, i), 0);
	get_all(tpool, 16);
	for (i = 15; i >= 0; i--)
		EXPECT_EQ(zcbuf_tpool_put(tpool, i), 0);
	for (i = 0; i < 16; i++)
		EXPECT_EQ(zcbuf_tpool_put(tpool, i), -EBADSLT);
	EXPECT_EQ(zcbuf_tpool_count(tpool), 16);
	close_both(tpool);
}

static void scenario_50_fifo(void)
{
	struct zcbuf_tpool *tpool = new_tpool(ZCBUF_TIER_NANO, 8);
	int index[8];
	int i, lap;

	for (lap = 0; lap < 5; lap++) {
		for (i = 0; i < 8; i++)
			index[i] = zcbuf_tpool_get(tpool, 0);
		for (i = 7; i >= 0; i--)
			EXPECT_EQ(zcbuf_tpool_put(tpool, index[i]), 0);
		for (i = 7; i >= 0; i--)
			EXPECT_EQ(zcbuf_tpool_get(tpool, 0), index[i]);
		for (i = 0; i < 8; i++)
			EXPECT_EQ(zcbuf_tpool_put(tpool, index[(i * 3) % 8]),
				  0);
	}
	close_both(tpool);
}

static void values_of(__u32 tier, int n)
{
	const size_t size = zcbuf_tier_size(tier);
	struct zcbuf_tpool *tpool = new_tpool(tier, n);
	unsigned char *value;
	int i, lap;

	for (lap = 0; lap < 3; lap++) {
		for (i = 0; i < n; i++) {
			ASSERT_EQ(zcbuf_tpool_get(tpool, 0), i);
			value = zcbuf_tpool_value(tpool, i);
			EXPECT_EQ((uintptr_t)value % (size < 4096 ? size : 4096),
				  0);
			if (lap)
				EXPECT(value[0] == i + lap &&
				       value[size - 1] == i + 2 * lap);
			memset(value, 0x77, size);
			value[0] = i + lap + 1;
			value[size - 1] = i + 2 * lap + 2;
		}
		for (i = 0; i < n; i++)
			EXPECT_EQ(zcbuf_tpool_put(tpool, i), 0);
	}
	EXPECT(!zcbuf_tpool_value(tpool, n));
	EXPECT(!zcbuf_tpool_value(tpool, -1));
	close_both(tpool);
}

static void scenario_51_values(void)
{
	values_of(ZCBUF_TIER_PICO, 8);
	values_of(ZCBUF_TIER_MICRO, 32);
	values_of(ZCBUF_TIER_MEDIUM, 8);
	values_of(ZCBUF_TIER_LARGE, 4);
	values_of(ZCBUF_TIER_GIANT, 2);
}

static void scenario_52_wrong_indices(void)
{
	struct zcbuf_tpool *tpool = new_tpool(ZCBUF_TIER_PICO, 4);
	int i;

	for (i = 0; i < 4; i++)
		EXPECT_EQ(zcbuf_tpool_put(tpool, i), -EBADSLT);
	ASSERT_EQ(zcbuf_tpool_get(tpool, 0), 0);
	EXPECT_EQ(zcbuf_tpool_put(tpool, 1), -EBADSLT);
	EXPECT_EQ(zcbuf_tpool_put(tpool, 4), -EINVAL);
	EXPECT_EQ(zcbuf_tpool_put(tpool, -1), -EINVAL);
	EXPECT_EQ(zcbuf_tpool_put(tpool, INT32_MIN), -EINVAL);
	EXPECT_EQ(zcbuf_tpool_put(tpool, 0), 0);
	EXPECT_EQ(zcbuf_tpool_put(tpool, 0), -EBADSLT);
	EXPECT_EQ(zcbuf_tpool_count(tpool), 4);
	get_all(tpool, 4);
	close_both(tpool);
}

static void scenario_53_iovecs(void)
{
	struct zcbuf_tpool *tpool = new_tpool(ZCBUF_TIER_SMALL, 8);
	int file = memfd_create("iovecs", MFD_CLOEXEC);
	int index[8] = { 3, 1, 7, 0, 2, 6, 5, 4 };
	unsigned char back[8192];
	struct iovec iov[8];
	int i;

	get_all(tpool, 8);
	for (i = 0; i < 8; i++)
		memset(zcbuf_tpool_value(tpool, index[i]), i + 1, 1024);
	ASSERT_EQ(zcbuf_tpool_iovec(tpool, index, 8, iov), 8);
	EXPECT_EQ(writev(file, iov, 8), 8192);
	ASSERT_EQ(pread(file, back, sizeof(back), 0), sizeof(back));
	for (i = 0; i < 8192; i++)
		if (back[i] != i / 1024 + 1)
			break;
	EXPECT_EQ(i, 8192);
	EXPECT_EQ(zcbuf_tpool_iovec(tpool, index, 0, NULL), 0);
	index[7] = 8;
	EXPECT_EQ(zcbuf_tpool_iovec(tpool, index, 8, iov), -EINVAL);
	index[7] = -1;
	EXPECT_EQ(zcbuf_tpool_iovec(tpool, index, 8, iov), -EINVAL);
	close(file);
	close_both(tpool);
}

static void setting(void)
{
	struct zcbuf_tpool *tpool = new_tpool(ZCBUF_TIER_PICO, 2);
	const char text[] = "0123456789abcdef!";

	EXPECT_EQ(zcbuf_tpool_set(tpool, 0, text, 16), -EBADSLT);
	ASSERT_EQ(zcbuf_tpool_get(tpool, 0), 0);
	EXPECT_EQ(zcbuf_tpool_set(tpool, 0, text, 16), 0);
	EXPECT(!memcmp(zcbuf_tpool_value(tpool, 0), text, 16));
	EXPECT_EQ(zcbuf_tpool_set(tpool, 0, "xy", 2), 0);
	EXPECT(!memcmp(zcbuf_tpool_value(tpool, 0), "xy23456789abcdef", 16));
	EXPECT_EQ(zcbuf_tpool_set(tpool, 0, NULL, 0), 0);
	EXPECT_EQ(zcbuf_tpool_set(tpool, 0, text, 17), -ERANGE);
	EXPECT_EQ(zcbuf_tpool_set(tpool, 1, text, 1), -EBADSLT);
	EXPECT_EQ(zcbuf_tpool_set(tpool, 2, text, 1), -EINVAL);
	EXPECT_EQ(zcbuf_tpool_set(tpool, -1, text, 1), -EINVAL);
	close_both(tpool);
}

/* ------------------------------------------------------------------ making */

static int filled;

static int fill(void *ctx, int index, void *value, size_t size)
{
	EXPECT_EQ(index, filled++);
	memset(value, index + 1, size);
	return index == *(int *)ctx ? -EDOM : 0;
}

static void initial_values(void)
{
	struct zcbuf_pool *pool = new_pool();
	int stop = -1;
	const struct zcbuf_tpool_opts opts = {
		.sz = sizeof(opts), .tier = ZCBUF_TIER_NANO, .capacity = 4,
		.init = fill, .ctx = &stop,
	};
	struct zcbuf_tpool *tpool = NULL;
	unsigned char *value;
	int i;

	stop = 2;
	EXPECT_EQ(zcbuf_tpool_create(pool, &opts, &tpool), -EDOM);
	EXPECT(!tpool);
	EXPECT_EQ(filled, 3);
	EXPECT_EQ(fake_bufs(), 0);
	stop = -1;
	filled = 0;
	ASSERT_EQ(zcbuf_tpool_create(pool, &opts, &tpool), 0);
	EXPECT_EQ(filled, 4);
	for (i = 0; i < 4; i++) {
		value = zcbuf_tpool_value(tpool, i);
		EXPECT(value[0] == i + 1 && value[63] == i + 1);
	}
	close_both(tpool);
}

/* The pool has no block for all of them: half of it, a quarter, ... */
static void in_pieces(void)
{
	struct zcbuf_pool *pool = new_pool();
	const struct zcbuf_tpool_opts opts = {
		.sz = sizeof(opts), .tier = ZCBUF_TIER_LARGE, .capacity = 16,
	};
	struct zcbuf_tpool *tpool;
	unsigned char *value;
	int i;

	fake.fail[ZCBUF_NR_ALLOC] = E2BIG;
	ASSERT_EQ(zcbuf_tpool_create(pool, &opts, &tpool), 0);
	EXPECT_EQ(tpool->nblocks, 2);
	EXPECT_EQ(fake.alloc.length, 8 * 16384);
	EXPECT_EQ(fake.alloc.align, 4096);
	for (i = 0; i < 16; i++) {
		value = zcbuf_tpool_value(tpool, i);
		EXPECT(value == (unsigned char *)tpool->blocks[i / 8].data +
		       (i % 8) * 16384);
	}
	close_both(tpool);

	pool = new_pool();
	fake.fail[ZCBUF_NR_ALLOC] = ENOMEM;
	ASSERT_EQ(zcbuf_tpool_create(pool, &opts, &tpool), 0);
	EXPECT_EQ(tpool->nblocks, 2);
	close_both(tpool);
}

/* Two do not fit at once, and the second half of it is not there. */
static void in_more_pieces(void)
{
	const struct zcbuf_tpool_opts opts = {
		.sz = sizeof(opts), .tier = ZCBUF_TIER_GIANT, .capacity = 16,
	};
	struct zcbuf_tpool *tpool;
	struct zcbuf_pool *pool;

	fake.pool_size = 8 * FAKE_ARENA;
	pool = new_pool();
	fake.fail[ZCBUF_NR_ALLOC] = ENOMEM;
	fake.fail_pass[ZCBUF_NR_ALLOC] = 2;
	ASSERT_EQ(zcbuf_tpool_create(pool, &opts, &tpool), 0);
	EXPECT_EQ(tpool->nblocks, 4);
	EXPECT_EQ(fake_bufs(), 4);
	EXPECT_EQ(tpool->blocks[0].length, 1 << 20);
	EXPECT_EQ(fake.alloc.length, 1 << 20);
	close_both(tpool);
}

static void too_large(void)
{
	struct zcbuf_tpool_opts opts = {
		.sz = sizeof(opts), .tier = ZCBUF_TIER_LARGE, .capacity = 1,
	};
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_tpool *tpool = NULL;

	fake.fail[ZCBUF_NR_ALLOC] = E2BIG;
	EXPECT_EQ(zcbuf_tpool_create(pool, &opts, &tpool), -E2BIG);
	fake.fail[ZCBUF_NR_ALLOC] = EPERM;
	opts.capacity = 16;
	EXPECT_EQ(zcbuf_tpool_create(pool, &opts, &tpool), -EPERM);
	EXPECT_EQ(fake.alloc.size, 0);
	calloc_error = ENOMEM;
	EXPECT_EQ(zcbuf_tpool_create(pool, &opts, &tpool), -ENOMEM);
	memalign_error = ENOMEM;
	EXPECT_EQ(zcbuf_tpool_create(pool, &opts, &tpool), -ENOMEM);
	EXPECT(!tpool);
	EXPECT_EQ(fake_bufs(), 0);
	zcbuf_pool_close(pool);
}

/* Without its pool, and in a child, there is nothing but to close it. */
static int gone(struct zcbuf_tpool *tpool)
{
	struct iovec iov;
	int index = 0;
	int bad = 0;

	bad += zcbuf_tpool_get(tpool, 0) != -EBADF;
	bad += zcbuf_tpool_get(tpool, ZCBUF_NO_DEADLINE) != -EBADF;
	bad += zcbuf_tpool_put(tpool, 0) != -EBADF;
	bad += zcbuf_tpool_set(tpool, 0, "", 1) != -EBADF;
	bad += zcbuf_tpool_iovec(tpool, &index, 1, &iov) != -EBADF;
	bad += zcbuf_tpool_value(tpool, 0) != NULL;
	bad += zcbuf_tpool_count(tpool) != 0;
	bad += zcbuf_tpool_capacity(tpool) != 4;
	bad += zcbuf_tpool_close(tpool) != 0;
	return bad;
}

static void without_its_pool(void)
{
	struct zcbuf_tpool *tpool = new_tpool(ZCBUF_TIER_SMALL, 4);
	int status;

	ASSERT_EQ(zcbuf_tpool_get(tpool, 0), 0);
	fflush(stdout);
	if (!fork())
		_exit(gone(tpool));
	wait(&status);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(zcbuf_tpool_put(tpool, 0), 0);
	zcbuf_pool_close(tpool->pool);
	EXPECT_EQ(gone(tpool), 0);
}

/* ----------------------------------------------------------------- waiting */

struct getter {
	struct zcbuf_tpool *tpool;
	pthread_t thread;
	pid_t tid;		/* atomic */
	__u64 deadline_ns;
	int index;
};

static void *getter_main(void *arg)
{
	struct getter *g = arg;

	__atomic_store_n(&g->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	g->index = zcbuf_tpool_get(g->tpool, g->deadline_ns);
	return NULL;
}

/* It is in futex(), and nothing else calls that here. */
static bool sleeps(const struct getter *g)
{
	long nr = -1;
	char path[64];
	FILE *file;

	if (!__atomic_load_n(&g->tpool->ring.mem->waiters, __ATOMIC_SEQ_CST))
		return false;
	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall",
		 __atomic_load_n(&g->tid, __ATOMIC_ACQUIRE));
	file = fopen(path, "r");
	if (!file)
		return false;
	if (fscanf(file, "%ld", &nr) != 1)
		nr = -1;
	fclose(file);
	return nr == SYS_futex;
}

static void start_getter(struct getter *g, struct zcbuf_tpool *tpool,
			 __u64 deadline_ns)
{
	*g = (struct getter){ .tpool = tpool, .deadline_ns = deadline_ns };
	ASSERT_EQ(pthread_create(&g->thread, NULL, getter_main, g), 0);
	while (!sleeps(g))
		sched_yield();
}

static void scenario_49_released_by_a_put(void)
{
	struct zcbuf_tpool *tpool = new_tpool(ZCBUF_TIER_SMALL, 2);
	struct getter g;
	int lap;

	get_all(tpool, 2);
	for (lap = 0; lap < 3; lap++) {
		start_getter(&g, tpool, lap ? ZCBUF_NO_DEADLINE :
					      zcbuf_deadline_ms(1000000));
		EXPECT_EQ(zcbuf_tpool_put(tpool, lap & 1), 0);
		pthread_join(g.thread, NULL);
		EXPECT_EQ(g.index, lap & 1);
	}
	EXPECT_EQ(tpool->ring.mem->waiters, 0);
	close_both(tpool);
}

static void on_signal(int signal)
{
	(void)signal;
}

/* Whether its handler wants system calls restarted or not. */
static void scenario_49_interrupted(void)
{
	struct sigaction act = { .sa_handler = on_signal };
	struct zcbuf_tpool *tpool = new_tpool(ZCBUF_TIER_SMALL, 1);
	struct getter g;
	int i;

	get_all(tpool, 1);
	for (i = 0; i < 4; i++) {
		act.sa_flags = i & 1 ? SA_RESTART : 0;
		sigaction(SIGUSR1, &act, NULL);
		start_getter(&g, tpool, i & 2 ? ZCBUF_NO_DEADLINE :
						zcbuf_deadline_ms(1000000));
		pthread_kill(g.thread, SIGUSR1);
		pthread_join(g.thread, NULL);
		EXPECT_EQ(g.index, -EINTR);
		EXPECT_EQ(zcbuf_tpool_get(tpool, 0), -EAGAIN);
	}
	EXPECT_EQ(tpool->ring.mem->waiters, 0);
	EXPECT_EQ(zcbuf_tpool_get(tpool, 1), -ETIMEDOUT);
	EXPECT_EQ(zcbuf_tpool_put(tpool, 0), 0);
	EXPECT_EQ(zcbuf_tpool_get(tpool, 1), 0);
	close_both(tpool);
}

static struct zcbuf_tpool *drained;

static void put_one(void)
{
	EXPECT_EQ(zcbuf_tpool_put(drained, 0), 0);
}

static void put_before_it_sleeps(void)
{
	drained = new_tpool(ZCBUF_TIER_SMALL, 1);
	get_all(drained, 1);
	before_sleep = put_one;
	EXPECT_EQ(zcbuf_tpool_get(drained, ZCBUF_NO_DEADLINE), 0);
	EXPECT(!before_sleep);
	close_both(drained);
}

/* As many as sleep are woken by as many puts. */
static void each_put_wakes_one(void)
{
	struct zcbuf_tpool *tpool = new_tpool(ZCBUF_TIER_SMALL, 4);
	struct getter g[4];
	unsigned int seen = 0;
	int i;

	get_all(tpool, 4);
	for (i = 0; i < 4; i++)
		start_getter(&g[i], tpool, ZCBUF_NO_DEADLINE);
	while (__atomic_load_n(&tpool->ring.mem->waiters, __ATOMIC_SEQ_CST) < 4)
		sched_yield();
	for (i = 0; i < 4; i++)
		EXPECT_EQ(zcbuf_tpool_put(tpool, i), 0);
	for (i = 0; i < 4; i++) {
		pthread_join(g[i].thread, NULL);
		seen |= 1U << g[i].index;
	}
	EXPECT_EQ(seen, 15);
	close_both(tpool);
}

static const struct test_case cases[] = {
	CASE(scenario_47_tiers),
	CASE(scenario_48_without_waiting),
	CASE(scenario_49_released_by_a_put),
	CASE(scenario_49_interrupted),
	CASE(scenario_50_fifo),
	CASE(scenario_51_values),
	CASE(scenario_52_wrong_indices),
	CASE(scenario_53_iovecs),
	CASE(setting),
	CASE(initial_values),
	CASE(in_pieces),
	CASE(in_more_pieces),
	CASE(too_large),
	CASE(without_its_pool),
	CASE(put_before_it_sleeps),
	CASE(each_put_wakes_one),
};

TEST_MAIN(cases)

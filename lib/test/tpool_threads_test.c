// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Threads that get and put at once; TSan watches. A value is written without
 * anything else that orders it.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "../tpool.h"

#include "fake.h"
#include "test.h"

#define THREADS		4
#define ROUNDS		4000

static struct zcbuf_tpool *common;
static _Atomic int mailbox;

static void open_common(__u32 capacity)
{
	const struct zcbuf_tpool_opts opts = {
		.sz = sizeof(opts),
		.tier = ZCBUF_TIER_NANO,
		.capacity = capacity,
	};
	struct zcbuf_pool *pool;

	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	ASSERT_EQ(zcbuf_tpool_create(pool, &opts, &common), 0);
}

static void close_common(void)
{
	struct zcbuf_pool *pool = common->pool;

	EXPECT_EQ(zcbuf_tpool_close(common), 0);
	zcbuf_pool_close(pool);
}
/* What is in a value is nobody's but its owner's. */
static void use(int index)
{
	unsigned int *value = zcbuf_tpool_value(common, index);

	EXPECT_EQ(value[0], value[1]);
	value[0]++;
	value[1] = value[0];
}

static void *pairs(void *arg)
{
	int index;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		index = zcbuf_tpool_get(common, ZCBUF_NO_DEADLINE);
		ASSERT_EQ(index >= 0, true);
		use(index);
		EXPECT_EQ(zcbuf_tpool_put(common, index), 0);
	}
	return arg;
}

static void *gets(void *arg)
{
	int index, none;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		index = zcbuf_tpool_get(common, ZCBUF_NO_DEADLINE);
		use(index);
		none = -1;
		while (!atomic_compare_exchange_weak(&mailbox, &none, index)) {
			sched_yield();
			none = -1;
		}
	}
	return arg;
}

static void *puts_them(void *arg)
{
	int index;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		while ((index = atomic_exchange(&mailbox, -1)) < 0)
			sched_yield();
		use(index);
		EXPECT_EQ(zcbuf_tpool_put(common, index), 0);
	}
	return arg;
}

static unsigned int uses(__u32 capacity)
{
	unsigned int sum = 0;
	__u32 i;

	for (i = 0; i < capacity; i++)
		sum += *(unsigned int *)zcbuf_tpool_value(common, i);
	return sum;
}

static void stress(__u32 capacity, void *(*const run[THREADS])(void *),
		   unsigned int want)
{
	pthread_t thread[THREADS];
	int i;

	open_common(capacity);
	mailbox = -1;
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(pthread_create(&thread[i], NULL, run[i], NULL), 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	EXPECT_EQ(uses(capacity), want);
	EXPECT_EQ(zcbuf_tpool_count(common), capacity);
	EXPECT_EQ(common->ring.mem->waiters, 0);
	for (i = 0; i < (int)capacity; i++)
		EXPECT(zcbuf_tpool_get(common, 0) >= 0);
	EXPECT_EQ(zcbuf_tpool_get(common, 0), -EAGAIN);
	close_common();
}

static void threads_in_pairs(void)
{
	static void *(*const run[])(void *) = { pairs, pairs, pairs, pairs };

	stress(1, run, 4 * ROUNDS);
	stress(2, run, 4 * ROUNDS);
	stress(8, run, 4 * ROUNDS);
}

static void threads_that_pass_on(void)
{
	static void *(*const run[])(void *) = { gets, puts_them, pairs, pairs };

	stress(1, run, 4 * ROUNDS);
	stress(4, run, 4 * ROUNDS);
}

static _Atomic unsigned int winners;
static pthread_barrier_t barrier;

static void *puts_the_same(void *arg)
{
	int err;
	int i;

	for (i = 0; i < 1000; i++) {
		pthread_barrier_wait(&barrier);
		err = zcbuf_tpool_put(common, i & 1);
		EXPECT(!err || err == -EBADSLT);
		winners += !err;
		pthread_barrier_wait(&barrier);
	}
	return arg;
}

static void scenario_52_put_by_two_at_once(void)
{
	pthread_t thread[2];
	int i;

	open_common(2);
	pthread_barrier_init(&barrier, NULL, 3);
	for (i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, puts_the_same, NULL);
	for (i = 0; i < 1000; i++) {
		ASSERT_EQ(zcbuf_tpool_get(common, 0), i & 1);
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
		EXPECT_EQ(winners, i + 1);
		EXPECT_EQ(zcbuf_tpool_count(common), 2);
	}
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	close_common();
}

static const struct test_case cases[] = {
	CASE(scenario_52_put_by_two_at_once),
	CASE(threads_in_pairs),
	CASE(threads_that_pass_on),
};

TEST_MAIN(cases)

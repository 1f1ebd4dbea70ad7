// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Objects of threads that get, put, pass on and take away all at once; TSan watches.
 * What is in an object is written without anything else that orders it.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>

#include "fake_pages.h"
#include "test.h"

#define THREADS		4
#define ROUNDS		3000
#define HELD		8

static struct zcbuf_pool *pool;
static struct zcbuf_obj *_Atomic mailbox;
static atomic_uint working;

/* What is in an object is nobody's but its owner's. */
static void use(struct zcbuf_obj *obj)
{
	unsigned int *value = obj->buf.data;

	EXPECT_EQ(value[0], value[1]);
	value[0]++;
	value[1] = value[0];
}

static struct zcbuf_obj *get(unsigned int round)
{
	const size_t length = 4096ULL << round % 5;
	struct zcbuf_obj *obj;
	int err;

	do {
		err = zcbuf_obj_alloc(pool, length, &obj);
		EXPECT(!err || err == -ENOMEM);
	} while (err);
	use(obj);
	return obj;
}

static void put(struct zcbuf_obj *obj)
{
	use(obj);
	EXPECT_EQ(zcbuf_obj_free(obj), 0);
}

static void *pairs(void *arg)
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++)
		put(get(i));
	working--;
	return arg;
}

static void *heaps(void *arg)
{
	struct zcbuf_obj *held[HELD] = { 0 };
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		if (held[i % HELD])
			put(held[i % HELD]);
		held[i % HELD] = get(i / HELD);
	}
	for (i = 0; i < HELD; i++)
		put(held[i]);
	working--;
	return arg;
}

/* Whoever finds one there takes it instead. */
static void *pass_on(void *arg)
{
	struct zcbuf_obj *obj;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		obj = atomic_exchange(&mailbox, get(i));
		if (obj)
			put(obj);
	}
	working--;
	return arg;
}

/* Begins and ends all the time. */
static void *brief(void *arg)
{
	put(get(0));
	put(get(1));
	return arg;
}

static void *briefs(void *arg)
{
	pthread_t thread;
	unsigned int i;

	for (i = 0; i < ROUNDS / 30; i++) {
		ASSERT_EQ(pthread_create(&thread, NULL, brief, NULL), 0);
		pthread_join(thread, NULL);
	}
	working--;
	return arg;
}

static void take_away(void)
{
	__u64 handle;
	int done;

	if (zcbuf_cache_flush(pool) < 0)
		test_fail_now();
	done = zcbuf_alloc(pool, FAKE_ARENA / 2, NULL, &handle, 1);
	EXPECT(done == 1 || done == -ENOMEM);
	if (done == 1)
		EXPECT_EQ(zcbuf_free(pool, &handle, 1), 1);
	sched_yield();
}

static void all_at_once(void *(*const run[THREADS])(void *))
{
	pthread_t thread[THREADS];
	struct zcbuf_obj *last;
	int i;

	fake.on_call = fake_pages_call;
	fake.info.out_sessions = 1;
	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	working = THREADS;
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(pthread_create(&thread[i], NULL, run[i], NULL), 0);
	while (working)
		take_away();
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	last = atomic_exchange(&mailbox, NULL);
	if (last)
		put(last);
	EXPECT_EQ(fake_pages_bytes(), zcbuf_cache_bytes(pool));
	zcbuf_cache_flush(pool);
	EXPECT_EQ(fake_pages_out(), 0);
	EXPECT_EQ(fake_pages_refused(), 0);
	zcbuf_pool_close(pool);
}

static void threads_in_pairs(void)
{
	static void *(*const run[])(void *) = { pairs, pairs, pairs, pairs };

	all_at_once(run);
}

static void threads_that_hold(void)
{
	static void *(*const run[])(void *) = { heaps, heaps, pairs, heaps };

	all_at_once(run);
}

static void threads_that_pass_on(void)
{
	static void *(*const run[])(void *) = {
		pass_on, pass_on, pass_on, pairs,
	};

	all_at_once(run);
}

static void threads_that_end(void)
{
	static void *(*const run[])(void *) = { briefs, briefs, pass_on, heaps };

	all_at_once(run);
}

static const struct test_case cases[] = {
	CASE(threads_in_pairs),
	CASE(threads_that_hold),
	CASE(threads_that_pass_on),
	CASE(threads_that_end),
};

TEST_MAIN(cases)

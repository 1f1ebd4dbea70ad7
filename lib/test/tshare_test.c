// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Tier pools that sessions share: two of them here, on one memory, which the
 * device can say are dead. What a death leaves behind is in tring_test.c.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../tpool.h"

#include "fake.h"
#include "test.h"

#define CAPACITY	4
#define MEMBERS_OFFSET	(sizeof(__u64) + 4 * sizeof(__u32) + \
			 ZCB_TPOOL_BLOCKS * sizeof(__u64))

/*
 * struct side - a session and its part
 */
struct side {
	struct zcbuf_pool *pool;
	struct zcbuf_tpool *tpool;
};

static struct side first(void)
{
	const struct zcbuf_tpool_opts opts = {
		.sz = sizeof(opts),
		.tier = ZCBUF_TIER_SMALL,
		.capacity = CAPACITY,
		.flags = ZCBUF_TPOOL_SHARED,
	};
	struct side s;

	ASSERT_EQ(zcbuf_pool_create(&s.pool, NULL), 0);
	ASSERT_EQ(zcbuf_tpool_create(s.pool, &opts, &s.tpool), 0);
	return s;
}

static __u64 id_of(const struct side *s)
{
	return zcbuf_pool_session(s->pool);
}

static struct side another(const struct side *one)
{
	__u64 handle = zcbuf_tpool_handle(one->tpool);
	struct side s;

	ASSERT_EQ(zcbuf_pool_attach(&s.pool, "x", NULL), 0);
	EXPECT_EQ(zcbuf_tpool_attach(s.pool, handle, &s.tpool), -EPERM);
	ASSERT_EQ(zcbuf_tpool_share(one->tpool, id_of(&s)), 0);
	EXPECT_EQ(zcbuf_tpool_share(one->tpool, id_of(&s)), -EALREADY);
	ASSERT_EQ(zcbuf_tpool_attach(s.pool, handle, &s.tpool), 0);
	return s;
}

static void leave(struct side *s)
{
	EXPECT_EQ(zcbuf_tpool_close(s->tpool), 0);
	zcbuf_pool_close(s->pool);
}

/* It is there no more, for the kernel; what this process has of it stays. */
static void kill_side(struct side *s)
{
	fake_kill(zcbuf_pool_fd(s->pool));
}

static void bury(struct side *s)
{
	zcbuf_pool_close(s->pool);
	EXPECT_EQ(zcbuf_tpool_close(s->tpool), 0);
}

static unsigned int get_all(struct side *s)
{
	unsigned int seen = 0;
	int index;

	while ((index = zcbuf_tpool_get(s->tpool, 0)) >= 0) {
		EXPECT(!(seen & 1U << index));
		seen |= 1U << index;
	}
	EXPECT_EQ(index, -EAGAIN);
	return seen;
}

static void one_pool_for_two(void)
{
	struct side a = first();
	struct side b = another(&a);

	EXPECT_EQ(zcbuf_tpool_capacity(b.tpool), CAPACITY);
	EXPECT_EQ(zcbuf_tpool_size(b.tpool), 1024);
	EXPECT_EQ(zcbuf_tpool_handle(b.tpool), zcbuf_tpool_handle(a.tpool));
	EXPECT_EQ(zcbuf_tpool_get(a.tpool, 0), 0);
	EXPECT_EQ(zcbuf_tpool_get(b.tpool, 0), 1);
	EXPECT_EQ(zcbuf_tpool_put(b.tpool, 0), -EPERM);
	EXPECT_EQ(zcbuf_tpool_set(b.tpool, 0, "x", 1), -EPERM);
	EXPECT_EQ(zcbuf_tpool_put(a.tpool, 2), -EBADSLT);
	EXPECT_EQ(zcbuf_tpool_set(a.tpool, 0, "hello", 5), 0);
	EXPECT(zcbuf_tpool_value(a.tpool, 0) != zcbuf_tpool_value(b.tpool, 0));
	EXPECT(!memcmp(zcbuf_tpool_value(b.tpool, 0), "hello", 5));
	EXPECT_EQ(zcbuf_tpool_put(a.tpool, 0), 0);
	EXPECT_EQ(zcbuf_tpool_put(b.tpool, 1), 0);
	EXPECT_EQ(zcbuf_tpool_get(b.tpool, 0), 2);
	EXPECT_EQ(zcbuf_tpool_get(b.tpool, 0), 3);
	EXPECT_EQ(zcbuf_tpool_get(b.tpool, 0), 0);
	EXPECT_EQ(zcbuf_tpool_put(a.tpool, 0), -EPERM);
	EXPECT_EQ(zcbuf_tpool_count(a.tpool), 1);
	leave(&b);
	EXPECT_EQ(zcbuf_tpool_count(a.tpool), 4);
	leave(&a);
	EXPECT_EQ(fake_bufs(), 0);
}

/* Whoever was the first may go first. */
static void the_maker_leaves(void)
{
	struct side a = first();
	struct side b = another(&a);
	struct side c;

	ASSERT_EQ(zcbuf_tpool_get(a.tpool, 0), 0);
	ASSERT_EQ(zcbuf_tpool_get(b.tpool, 0), 1);
	leave(&a);
	c = another(&b);
	EXPECT_EQ(get_all(&c), 13);
	leave(&b);
	EXPECT_EQ(zcbuf_tpool_get(c.tpool, 0), 1);
	leave(&c);
	EXPECT_EQ(fake_bufs(), 0);
}

static void attached_again(void)
{
	struct side a = first();
	struct side b = another(&a);
	__u64 handle = zcbuf_tpool_handle(a.tpool);
	struct zcbuf_tpool *twice;

	EXPECT_EQ(zcbuf_tpool_attach(b.pool, handle, &twice), -EALREADY);
	EXPECT_EQ(zcbuf_tpool_attach(a.pool, handle, &twice), -EALREADY);
	EXPECT_EQ(zcbuf_tpool_close(b.tpool), 0);
	EXPECT_EQ(zcbuf_tpool_attach(b.pool, handle, &twice), -EPERM);
	ASSERT_EQ(zcbuf_tpool_share(a.tpool, id_of(&b)), 0);
	ASSERT_EQ(zcbuf_tpool_attach(b.pool, handle, &b.tpool), 0);
	EXPECT_EQ(get_all(&b), 15);
	leave(&b);
	leave(&a);
}

static void given(void)
{
	struct side a = first();
	struct side b = another(&a);

	ASSERT_EQ(zcbuf_tpool_get(a.tpool, 0), 0);
	ASSERT_EQ(zcbuf_tpool_set(a.tpool, 0, "for b", 5), 0);
	EXPECT_EQ(zcbuf_tpool_give(a.tpool, 0, 0), -ENOENT);
	EXPECT_EQ(zcbuf_tpool_give(a.tpool, 0, FAKE_SESSION + 50), -ENOENT);
	EXPECT_EQ(zcbuf_tpool_give(a.tpool, 4, id_of(&b)), -EINVAL);
	EXPECT_EQ(zcbuf_tpool_give(a.tpool, -1, id_of(&b)), -EINVAL);
	EXPECT_EQ(zcbuf_tpool_give(a.tpool, 1, id_of(&b)), -EBADSLT);
	EXPECT_EQ(zcbuf_tpool_give(a.tpool, 0, id_of(&b)), 0);
	EXPECT_EQ(zcbuf_tpool_give(a.tpool, 0, id_of(&b)), -EPERM);
	EXPECT_EQ(zcbuf_tpool_put(a.tpool, 0), -EPERM);
	kill_side(&a);
	EXPECT_EQ(zcbuf_tpool_recover(b.tpool), 0);
	EXPECT(!memcmp(zcbuf_tpool_value(b.tpool, 0), "for b", 5));
	EXPECT_EQ(zcbuf_tpool_put(b.tpool, 0), 0);
	EXPECT_EQ(get_all(&b), 15);
	bury(&a);
	leave(&b);
}

static void what_the_dead_had(void)
{
	struct side a = first();
	struct side b = another(&a);
	struct side c = another(&a);

	ASSERT_EQ(zcbuf_tpool_get(b.tpool, 0), 0);
	ASSERT_EQ(zcbuf_tpool_get(b.tpool, 0), 1);
	ASSERT_EQ(zcbuf_tpool_get(a.tpool, 0), 2);
	EXPECT_EQ(zcbuf_tpool_recover(a.tpool), 0);	/* all live */
	kill_side(&b);
	EXPECT_EQ(zcbuf_tpool_get(c.tpool, 0), 3);
	EXPECT_EQ(zcbuf_tpool_get(c.tpool, 0), 0);	/* which was lost */
	EXPECT_EQ(zcbuf_tpool_recover(a.tpool), 0);
	EXPECT_EQ(zcbuf_tpool_get(c.tpool, 0), 1);
	EXPECT_EQ(zcbuf_tpool_get(c.tpool, 0), -EAGAIN);
	kill_side(&c);
	EXPECT_EQ(zcbuf_tpool_recover(a.tpool), 3);
	EXPECT_EQ(zcbuf_tpool_recover(a.tpool), 0);
	EXPECT_EQ(get_all(&a), 11);
	bury(&b);
	bury(&c);
	leave(&a);
	EXPECT_EQ(fake_bufs(), 0);
}

/* It had put one and not yet where it can be got: an owner word, and no cell. */
static void what_the_dead_was_putting(void)
{
	struct side a = first();
	struct side b = another(&a);
	struct zcb_ring_mem *mem = a.tpool->ring.mem;

	ASSERT_EQ(zcbuf_tpool_get(b.tpool, 0), 0);
	mem->slots[0].owner &= ~1ULL;
	EXPECT_EQ(zcbuf_tpool_put(b.tpool, 0), -EBADSLT);
	EXPECT_EQ(zcbuf_tpool_recover(a.tpool), 0);
	kill_side(&b);
	EXPECT_EQ(zcbuf_tpool_recover(a.tpool), 1);
	EXPECT_EQ(get_all(&a), 15);
	bury(&b);
	leave(&a);
}

/* Numbers are used again, and those who have them now are not taken for dead. */
static void many_members(void)
{
	struct side a = first();
	struct side b;
	int i;

	for (i = 0; i < 40; i++) {
		b = another(&a);
		EXPECT_EQ(b.tpool->ring.me, 2);
		EXPECT_EQ(zcbuf_tpool_get(b.tpool, 0), i % 4);
		EXPECT_EQ(zcbuf_tpool_recover(a.tpool), 0);
		if (i & 1) {
			EXPECT_EQ(zcbuf_tpool_put(b.tpool, i % 4), 0);
			leave(&b);
			continue;
		}
		kill_side(&b);
		EXPECT_EQ(zcbuf_tpool_recover(a.tpool), 1);
		bury(&b);
	}
	EXPECT_EQ(get_all(&a), 15);
	leave(&a);
}

/* A giver died when the other had left: a number that is nobody's. */
static void given_to_nobody(void)
{
	struct side a = first();

	ASSERT_EQ(zcbuf_tpool_get(a.tpool, 0), 0);
	ASSERT_EQ(zcb_ring_pass(&a.tpool->ring, 0, 1, 77), 0);
	EXPECT_EQ(zcbuf_tpool_recover(a.tpool), 1);
	EXPECT_EQ(get_all(&a), 15);
	leave(&a);
}

static void full_of_members(void)
{
	struct side a = first();
	__u64 *members = (__u64 *)((char *)a.tpool->control.data +
				   MEMBERS_OFFSET);
	struct side b;
	int i;

	EXPECT_EQ(members[1], id_of(&a));
	for (i = 2; i <= 255; i++)
		members[i] = FAKE_SESSION + 1;
	ASSERT_EQ(zcbuf_pool_attach(&b.pool, "x", NULL), 0);
	ASSERT_EQ(zcbuf_tpool_share(a.tpool, id_of(&b)), 0);
	EXPECT_EQ(zcbuf_tpool_attach(b.pool, zcbuf_tpool_handle(a.tpool),
				     &b.tpool), -EMFILE);
	members[255] = 0;
	ASSERT_EQ(zcbuf_tpool_attach(b.pool, zcbuf_tpool_handle(a.tpool),
				     &b.tpool), 0);
	EXPECT_EQ(b.tpool->ring.me, 255);
	EXPECT_EQ(zcbuf_tpool_get(b.tpool, 0), 0);
	EXPECT_EQ(zcbuf_tpool_put(b.tpool, 0), 0);
	leave(&b);
	leave(&a);
}

/* Words of the control buffer that say what cannot be. */
static void no_tier_pools(void)
{
	static const struct {
		unsigned int word;	/* of 32 bits */
		__u32 value;
	} wrong[] = {
		{ 0, 0 }, { 2, 2 }, { 3, 0 }, { 3, 3 }, { 3, 1U << 21 },
		{ 3, 64 }, { 4, 0 }, { 4, 1000 }, { 5, 0 }, { 5, 3 },
		{ 5, 8 }, { 5, 128 }, { 6, 77 },
	};
	struct side a = first();
	__u32 *words = a.tpool->control.data;
	struct zcbuf_tpool *tpool;
	struct side b;
	unsigned int i;
	__u32 was;

	ASSERT_EQ(zcbuf_pool_attach(&b.pool, "x", NULL), 0);
	ASSERT_EQ(zcbuf_tpool_share(a.tpool, id_of(&b)), 0);
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		was = words[wrong[i].word];
		words[wrong[i].word] = wrong[i].value;
		tpool = NULL;
		test_check(zcbuf_tpool_attach(b.pool, a.tpool->control.handle,
					      &tpool) < 0 && !tpool,
			   __FILE__, __LINE__, "%u", i);
		words[wrong[i].word] = was;
	}
	/* Values that fit their block, and a ring that does not fit its own. */
	words[3] = 64;
	words[4] = 64;
	EXPECT_EQ(zcbuf_tpool_attach(b.pool, a.tpool->control.handle, &tpool),
		  -EINVAL);
	words[3] = CAPACITY;
	words[4] = 1024;
	EXPECT_EQ(zcbuf_tpool_attach(b.pool, a.tpool->blocks[0].handle, &tpool),
		  -EINVAL);
	EXPECT_EQ(zcbuf_tpool_attach(b.pool, 0, &tpool), -ENOENT);
	ASSERT_EQ(zcbuf_tpool_attach(b.pool, a.tpool->control.handle, &b.tpool),
		  0);
	leave(&b);
	leave(&a);
}

/* What was shared by then is not shared again. */
static void shared_in_part(void)
{
	struct side a = first();
	struct side b;

	ASSERT_EQ(zcbuf_pool_attach(&b.pool, "x", NULL), 0);
	ASSERT_EQ(zcbuf_share(a.pool, id_of(&b), &a.tpool->blocks[0].handle, 1),
		  1);
	EXPECT_EQ(zcbuf_tpool_share(a.tpool, id_of(&b)), 0);
	ASSERT_EQ(zcbuf_tpool_attach(b.pool, zcbuf_tpool_handle(a.tpool),
				     &b.tpool), 0);
	leave(&b);
	EXPECT_EQ(zcbuf_tpool_share(a.tpool, FAKE_SESSION + 50), -ENOENT);
	leave(&a);
}

static void private_ones(void)
{
	const struct zcbuf_tpool_opts opts = {
		.sz = sizeof(opts), .tier = 0, .capacity = 1,
	};
	struct side a;

	ASSERT_EQ(zcbuf_pool_create(&a.pool, NULL), 0);
	ASSERT_EQ(zcbuf_tpool_create(a.pool, &opts, &a.tpool), 0);
	EXPECT_EQ(zcbuf_tpool_handle(a.tpool), 0);
	EXPECT_EQ(zcbuf_tpool_share(a.tpool, FAKE_SESSION + 1), -EINVAL);
	EXPECT_EQ(zcbuf_tpool_give(a.tpool, 0, FAKE_SESSION + 1), -EINVAL);
	EXPECT_EQ(zcbuf_tpool_recover(a.tpool), -EINVAL);
	leave(&a);
}

static int in_child(struct side *a)
{
	int bad = 0;

	bad += zcbuf_tpool_get(a->tpool, 0) != -EBADF;
	bad += zcbuf_tpool_give(a->tpool, 0, 1) != -EBADF;
	bad += zcbuf_tpool_recover(a->tpool) != -EBADF;
	bad += zcbuf_tpool_share(a->tpool, 1) != -EBADF;
	bad += zcbuf_tpool_close(a->tpool) != 0;
	return bad;
}

static void fork_child(void)
{
	struct side a = first();
	int status;

	ASSERT_EQ(zcbuf_tpool_get(a.tpool, 0), 0);
	fflush(stdout);
	if (!fork())
		_exit(in_child(&a));
	wait(&status);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(zcbuf_tpool_put(a.tpool, 0), 0);
	leave(&a);
}

static void undone(void)
{
	const struct zcbuf_tpool_opts opts = {
		.sz = sizeof(opts), .tier = 0, .capacity = 1,
		.flags = ZCBUF_TPOOL_SHARED,
	};
	const __u32 rights = ZCBUF_RIGHT_MAP_READ | ZCBUF_RIGHT_CONSUME;
	struct zcbuf_tpool *tpool = NULL;
	struct side a = first();
	struct side b;

	fake.fail[ZCBUF_NR_ALLOC] = ENOMEM;
	fake.fail_pass[ZCBUF_NR_ALLOC] = 1;
	EXPECT_EQ(zcbuf_tpool_create(a.pool, &opts, &tpool), -ENOMEM);
	fake.rights = rights;
	ASSERT_EQ(zcbuf_pool_attach(&b.pool, "x", NULL), 0);
	ASSERT_EQ(zcbuf_tpool_share(a.tpool, id_of(&b)), 0);
	EXPECT_EQ(zcbuf_tpool_attach(b.pool, zcbuf_tpool_handle(a.tpool),
				     &tpool), -EPERM);
	EXPECT_EQ(zcbuf_tpool_create(b.pool, &opts, &tpool), -EPERM);
	EXPECT(!tpool);
	kill_side(&b);
	zcbuf_pool_close(b.pool);
	leave(&a);
	EXPECT_EQ(fake_bufs(), 0);
}

/* ----------------------------------------------------------------- waiting */

static void *waits(void *arg)
{
	struct side *s = arg;

	return (void *)(intptr_t)zcbuf_tpool_get(s->tpool, ZCBUF_NO_DEADLINE);
}

/* No futex, so nobody is woken: it looks. */
static void waits_for_a_put(void)
{
	struct side a = first();
	struct side b = another(&a);
	pthread_t thread;
	void *index;

	EXPECT_EQ(get_all(&a), 15);
	EXPECT_EQ(zcbuf_tpool_get(b.tpool, 1), -ETIMEDOUT);
	ASSERT_EQ(pthread_create(&thread, NULL, waits, &b), 0);
	EXPECT_EQ(zcbuf_tpool_put(a.tpool, 2), 0);
	pthread_join(thread, &index);
	EXPECT_EQ((intptr_t)index, 2);
	leave(&b);
	leave(&a);
}

static void waits_for_a_death(void)
{
	struct side a = first();
	struct side b = another(&a);
	pthread_t thread;
	void *index;

	EXPECT_EQ(get_all(&a), 15);
	kill_side(&a);
	ASSERT_EQ(pthread_create(&thread, NULL, waits, &b), 0);
	pthread_join(thread, &index);
	EXPECT_EQ((intptr_t)index, 0);
	bury(&a);
	leave(&b);
}

static void on_signal(int signal)
{
	(void)signal;
}

static void interrupted(void)
{
	struct sigaction act = {
		.sa_handler = on_signal, .sa_flags = SA_RESTART,
	};
	struct side a = first();
	pthread_t thread;
	void *index;

	sigaction(SIGUSR1, &act, NULL);
	EXPECT_EQ(get_all(&a), 15);
	ASSERT_EQ(pthread_create(&thread, NULL, waits, &a), 0);
	while (pthread_tryjoin_np(thread, &index)) {
		pthread_kill(thread, SIGUSR1);
		sched_yield();
	}
	EXPECT_EQ((intptr_t)index, -EINTR);
	leave(&a);
}

/* ----------------------------------------------------------------- threads */

#define ROUNDS	4000

static void *pairs(void *arg)
{
	struct side *s = arg;
	unsigned int *value;
	int index;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		index = zcbuf_tpool_get(s->tpool, ZCBUF_NO_DEADLINE);
		ASSERT_EQ(index >= 0, true);
		value = zcbuf_tpool_value(s->tpool, index);
		EXPECT_EQ(value[0], value[100]);
		value[0]++;
		value[100] = value[0];
		EXPECT_EQ(zcbuf_tpool_put(s->tpool, index), 0);
	}
	return NULL;
}

/* Each by its own mapping of the memory, as from processes of their own. */
static void threads_of_two(void)
{
	struct side s[2] = { first() };
	unsigned int sum = 0;
	pthread_t thread[4];
	int i;

	s[1] = another(&s[0]);
	for (i = 0; i < CAPACITY; i++)
		memset(zcbuf_tpool_value(s[0].tpool, i), 0, 1024);
	for (i = 0; i < 4; i++)
		ASSERT_EQ(pthread_create(&thread[i], NULL, pairs, &s[i & 1]), 0);
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	for (i = 0; i < CAPACITY; i++)
		sum += *(unsigned int *)zcbuf_tpool_value(s[0].tpool, i);
	EXPECT_EQ(sum, 4 * ROUNDS);
	EXPECT_EQ(get_all(&s[0]), 15);
	leave(&s[1]);
	leave(&s[0]);
}

static const struct test_case cases[] = {
	CASE(one_pool_for_two),
	CASE(the_maker_leaves),
	CASE(attached_again),
	CASE(given),
	CASE(what_the_dead_had),
	CASE(what_the_dead_was_putting),
	CASE(many_members),
	CASE(given_to_nobody),
	CASE(full_of_members),
	CASE(no_tier_pools),
	CASE(shared_in_part),
	CASE(private_ones),
	CASE(fork_child),
	CASE(undone),
	CASE(waits_for_a_put),
	CASE(waits_for_a_death),
	CASE(interrupted),
	CASE(threads_of_two),
};

TEST_MAIN(cases)

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Objects of several threads, which take turns: what one keeps is in nobody's way,
 * and is what it should be when threads end, pools are closed, processes fork.
 */
#include <stdio.h>
#include <sys/wait.h>

#include "cached.h"
#include "worker.h"

/* ------------------------------------------------------- in nobody's way */

static void get_and_put(void *arg)
{
	const unsigned int *n = arg;

	get(*n, 4096);
	put(*n);
}

static void nothing_is_short_for_it(void)
{
	unsigned int n = MANY;
	struct worker w[2];
	__u64 handle;

	make();
	worker_start(&w[0]);
	worker_start(&w[1]);
	worker_do(&w[0], get_and_put, &n);
	n = 60;
	worker_do(&w[1], get_and_put, &n);
	get_and_put(&n);
	EXPECT(fake_pages_out() > 64);
	/* All of the arena, and then what was kept comes back. */
	EXPECT_EQ(zcbuf_alloc(pool, FAKE_ARENA, NULL, &handle, 1), 1);
	EXPECT_EQ(zcbuf_free(pool, &handle, 1), 1);
	EXPECT_EQ(fake_pages_out(), 0);
	worker_do(&w[0], get_and_put, &n);
	EXPECT(fake_pages_out() > 0);
	ASSERT_EQ(zcbuf_obj_alloc(pool, FAKE_ARENA, objs), 0);
	EXPECT_EQ(zcbuf_obj_alloc(pool, 4096, objs + 1), -ENOMEM);
	EXPECT_EQ(zcbuf_alloc(pool, 4096, NULL, &handle, 1), -ENOMEM);
	put(1);
	worker_end(&w[0]);
	worker_end(&w[1]);
	done();
}

/* The last object is in another's magazine. */
static void the_last_one(void)
{
	struct worker w;
	unsigned int n = 1;

	make();
	worker_start(&w);
	get(MANY, 4096);
	EXPECT_EQ(zcbuf_obj_free(objs[0]), 0);
	worker_do(&w, get_and_put, &n);
	EXPECT_EQ(fake_pages_out(), MANY);
	ASSERT_EQ(zcbuf_obj_alloc(pool, 4096, &objs[0]), 0);
	put(MANY);
	worker_end(&w);
	done();
}

static void without_barriers(void)
{
	unsigned int n = 8;
	struct worker w;
	__u64 handle;

	make();
	no_barrier = true;
	worker_start(&w);
	worker_do(&w, get_and_put, &n);
	n = fake_pages_out();
	EXPECT(n > 0);
	get_and_put(&n);
	EXPECT_EQ(zcbuf_alloc(pool, FAKE_ARENA, NULL, &handle, 1), -ENOMEM);
	/* Its own it did give back, the other's it left alone. */
	EXPECT_EQ(fake_pages_out(), n);
	worker_do(&w, get_and_put, &n);
	EXPECT_EQ(fake_pages_out(), n);
	no_barrier = false;
	EXPECT_EQ(zcbuf_alloc(pool, FAKE_ARENA, NULL, &handle, 1), 1);
	EXPECT_EQ(zcbuf_free(pool, &handle, 1), 1);
	worker_end(&w);
	done();
}

static struct worker waker;

static void put_one(void *arg)
{
	EXPECT_EQ(zcbuf_obj_free(*(struct zcbuf_obj **)arg), 0);
}

static void put_one_elsewhere(void)
{
	fake_pages_wait = NULL;
	worker_do(&waker, put_one, &objs[7]);
}

/* What others keep while one waits does not hold him up. */
static void who_waits(void)
{
	struct zcbuf_buf_opts opts = {
		.sz = sizeof(opts), .deadline_ns = ZCBUF_NO_DEADLINE,
	};
	unsigned int n = 1;
	__u64 handle;

	make();
	worker_start(&waker);
	worker_do(&waker, get_and_put, &n);
	get(MANY, 4096);
	fake_pages_wait = put_one_elsewhere;
	EXPECT_EQ(zcbuf_alloc(pool, 4096, &opts, &handle, 1), 1);
	EXPECT(fake.alloc.deadline_ns != ZCBUF_NO_DEADLINE);
	opts.deadline_ns = 1;
	EXPECT_EQ(zcbuf_alloc(pool, 4096, &opts, &objs[7]->handle, 1),
		  -ETIMEDOUT);
	EXPECT_EQ(zcbuf_free(pool, &handle, 1), 1);
	objs[7] = objs[MANY - 1];
	put(MANY - 1);
	worker_end(&waker);
	done();
}

static __u64 everything;

static void keep_one(void *arg)
{
	EXPECT_EQ(zcbuf_free(pool, &everything, 1), 1);
	get(2, 4096);
	put(2);
	*(__u64 *)arg = zcbuf_cache_bytes(pool);
}

static void keep_one_elsewhere(void)
{
	__u64 kept;

	fake_pages_wait = NULL;
	worker_do(&waker, keep_one, &kept);
	EXPECT_EQ(kept, 0);
}

/* Who began to wait when there was no magazine does not look: so there is none. */
static void who_waits_first(void)
{
	struct zcbuf_buf_opts opts = {
		.sz = sizeof(opts), .deadline_ns = ZCBUF_NO_DEADLINE,
	};
	unsigned int n = 1;
	__u64 handle;

	make();
	worker_start(&waker);
	ASSERT_EQ(zcbuf_alloc(pool, FAKE_ARENA, NULL, &everything, 1), 1);
	fake_pages_wait = keep_one_elsewhere;
	EXPECT_EQ(zcbuf_alloc(pool, FAKE_ARENA, &opts, &handle, 1), 1);
	EXPECT_EQ(zcbuf_free(pool, &handle, 1), 1);
	worker_do(&waker, get_and_put, &n);
	EXPECT(zcbuf_cache_bytes(pool) > 0);
	worker_end(&waker);
	done();
}

static __u32 short_of;	/* what a reservation lacks while anything is handed out */
static __u32 made;	/* of several, before that */

static int reserve_call(__u64 self, unsigned int nr, void *arg)
{
	struct zcbuf_commit_reserve *turn = arg;
	struct zcbuf_reserve *reserve = arg;

	if (!fake_pages_out() ||
	    (nr != ZCBUF_NR_RESERVE && nr != ZCBUF_NR_COMMIT_RESERVE))
		return fake_pages_call(self, nr, arg);
	if (nr == ZCBUF_NR_COMMIT_RESERVE) {
		/* It must not wait before it is known what for. */
		EXPECT_EQ(turn->deadline_ns, 0);
		turn->out_committed = turn->ncommits;
		turn->out_reserved = made;
		turn->out_reserve_error = EAGAIN;
		turn->out_why = short_of;
		return 0;
	}
	reserve->out_why = short_of;
	if (reserve->deadline_ns && fake_pages_wait)
		fake_pages_wait();
	return reserve->deadline_ns ? -ETIMEDOUT : -EAGAIN;
}

static struct zcbuf_channel *producer(void)
{
	struct zcbuf_channel_opts opts = {
		.sz = sizeof(opts), .ports = ZCBUF_PORT_PRODUCE,
	};
	struct zcbuf_channel *channel;

	make();
	fake.on_call = reserve_call;
	ASSERT_EQ(zcbuf_channel_create(pool, &opts, &channel), 0);
	return channel;
}

static void reservations(void)
{
	struct zcbuf_reservation r = { .length = 100 };
	struct zcbuf_channel *channel = producer();
	struct zcbuf_commit_entry commit = { 0 };
	struct zcbuf_turnover turn;
	unsigned int n = 5;

	get_and_put(&n);
	short_of = ZCBUF_WHY_QUEUE;
	EXPECT_EQ(zcbuf_reserve(channel, &r, 1, 0, 0), -EAGAIN);
	EXPECT_EQ(zcbuf_reserve(channel, &r, 1, 0, 1), -ETIMEDOUT);
	EXPECT_EQ(zcbuf_commit_reserve(channel, &commit, 1, &r, 1, 0, 0, &turn),
		  0);
	EXPECT_EQ(turn.reserve_error, -EAGAIN);
	EXPECT_EQ(turn.why, ZCBUF_WHY_QUEUE);
	EXPECT(fake_pages_out());
	short_of = ZCBUF_WHY_MEMORY;
	EXPECT_EQ(zcbuf_reserve(channel, &r, 1, 0, 0), 1);
	EXPECT(!fake_pages_out());
	get_and_put(&n);
	EXPECT_EQ(zcbuf_commit_reserve(channel, &commit, 1, &r, 1, 0, 0, &turn),
		  0);
	EXPECT_EQ(turn.committed, 1);
	EXPECT_EQ(turn.reserved, 1);
	EXPECT_EQ(turn.reserve_error, 0);
	get(1, 4096);
	EXPECT_EQ(zcbuf_commit_reserve(channel, &commit, 1, &r, 1, 0, 1, &turn),
		  0);
	EXPECT_EQ(turn.reserve_error, -ETIMEDOUT);
	EXPECT_EQ(turn.committed, 1);
	EXPECT_EQ(turn.reserved, 0);
	put(1);
	zcbuf_channel_close(channel);
	done();
}

/* What was made by then is told, and not made again. */
static void a_part_of_the_reservations(void)
{
	struct zcbuf_reservation r[] = { { .length = 100 }, { .length = 100 } };
	struct zcbuf_channel *channel = producer();
	struct zcbuf_commit_entry commit = { 0 };
	struct zcbuf_turnover turn;
	unsigned int n = 5;

	get_and_put(&n);
	made = 1;
	short_of = ZCBUF_WHY_MEMORY;
	EXPECT_EQ(zcbuf_commit_reserve(channel, &commit, 1, r, 2, 0,
				       ZCBUF_NO_DEADLINE, &turn), 0);
	EXPECT_EQ(turn.committed, 1);
	EXPECT_EQ(turn.reserved, 1);
	EXPECT_EQ(turn.reserve_error, -EAGAIN);
	EXPECT_EQ(fake.calls[ZCBUF_NR_RESERVE], 0);
	zcbuf_channel_close(channel);
	done();
}

static int waits;

static void third_time(void)
{
	if (++waits == 3)
		fake.on_call = fake_pages_call;
}

/* Others are to make room: what is kept would not help. */
static void a_reservation_that_waits_for_others(void)
{
	struct zcbuf_reservation r = { .length = 100 };
	struct zcbuf_channel *channel = producer();
	unsigned int n = 5;

	get_and_put(&n);
	short_of = ZCBUF_WHY_QUEUE;
	fake_pages_wait = third_time;
	EXPECT_EQ(zcbuf_reserve(channel, &r, 1, 0, ZCBUF_NO_DEADLINE), 1);
	EXPECT_EQ(waits, 3);
	EXPECT(fake_pages_out());
	zcbuf_channel_close(channel);
	done();
}

static void a_reservation_that_waits(void)
{
	struct zcbuf_reservation r = { .length = 100 };
	struct zcbuf_channel *channel = producer();
	struct zcbuf_commit_entry commit = { 0 };
	struct zcbuf_turnover turn;
	unsigned int n = 1;

	worker_start(&waker);
	short_of = ZCBUF_WHY_MEMORY;
	worker_do(&waker, get_and_put, &n);
	get(8, 4096);
	put(7);
	fake_pages_wait = put_one_elsewhere;
	EXPECT_EQ(zcbuf_reserve(channel, &r, 1, 0, ZCBUF_NO_DEADLINE), 1);
	worker_do(&waker, get_and_put, &n);
	get(8, 4096);
	put(7);
	fake_pages_wait = put_one_elsewhere;
	EXPECT_EQ(zcbuf_commit_reserve(channel, &commit, 1, &r, 1, 0,
				       ZCBUF_NO_DEADLINE, &turn), 0);
	EXPECT_EQ(turn.reserved, 1);
	worker_end(&waker);
	zcbuf_channel_close(channel);
	done();
}

/* ------------------------------------------------------------------ threads */

static void threads_end(void)
{
	unsigned int n = 40;
	struct worker w;
	int i;

	make();
	for (i = 0; i < 200; i++) {
		worker_start(&w);
		worker_do(&w, get_and_put, &n);
		EXPECT(fake_pages_out() >= n);
		worker_end(&w);
		EXPECT_EQ(fake_pages_out(), 0);
	}
	done();
}

/* Those that have no number make calls, and can have what others keep. */
static void more_threads_than_numbers(void)
{
	static struct worker w[ZCBUF_CACHE_THREADS + 2];
	unsigned int n = 1;
	unsigned int i;

	make();
	for (i = 0; i < ARRAY_SIZE(w); i++) {
		worker_start(&w[i]);
		worker_do(&w[i], get_and_put, &n);
	}
	EXPECT_EQ(fake_pages_out(), ZCBUF_CACHE_THREADS - 1);
	n = MANY;
	worker_do(&w[i - 1], get_and_put, &n);
	worker_end(&w[0]);
	n = 1;
	worker_do(&w[i - 1], get_and_put, &n);
	EXPECT_EQ(fake_pages_out(), 1);
	worker_do(&w[i - 2], get_and_put, &n);
	EXPECT_EQ(fake_pages_out(), 1);
	for (i = 1; i < ARRAY_SIZE(w); i++)
		worker_end(&w[i]);
	done();
}

static void put_all(void *arg)
{
	put(*(unsigned int *)arg);
}

/* One gets, the other puts: what comes back goes through the stock. */
static void passed_on(size_t length, unsigned int n)
{
	struct worker w;
	unsigned int before = 0;
	unsigned int i;

	make();
	worker_start(&w);
	for (i = 0; i < 4000 / n; i++) {
		if (i == 400 / n)
			before = calls();
		get(n, length);
		worker_do(&w, put_all, &n);
	}
	printf("# %u calls for %u objects of %zu\n", calls() - before,
	       3600 / n * n, length);
	EXPECT(calls() - before < 3600 / 20);
	worker_end(&w);
	done();
}

static void made_by_one_freed_by_another(void)
{
	passed_on(4096, 1);
	passed_on(4096, 32);
	passed_on(4096, 100);
	passed_on(65536, 1);
	passed_on(65536, 5);
}

static void closed_while_kept(void)
{
	unsigned int n = 10;
	struct worker w;
	int i;

	worker_start(&w);
	for (i = 0; i < 3; i++) {
		make();
		worker_do(&w, get_and_put, &n);
		get(5, 65536);
		zcbuf_pool_close(pool);
		/* The device of the test does not know that it is. */
		EXPECT(fake_pages_out() > 0);
	}
	make();
	worker_do(&w, get_and_put, &n);
	worker_end(&w);
	zcbuf_pool_close(pool);
}

/* A name that is left of it answers, and gives nothing. */
static void closed_with_a_channel(void)
{
	struct zcbuf_channel_opts opts = {
		.sz = sizeof(opts), .ports = ZCBUF_PORT_PRODUCE,
	};
	struct zcbuf_channel *channel;

	make();
	ASSERT_EQ(zcbuf_channel_create(pool, &opts, &channel), 0);
	get(2, 4096);
	EXPECT_EQ(zcbuf_obj_free(objs[1]), 0);
	zcbuf_pool_close(pool);
	EXPECT_EQ(zcbuf_obj_alloc(pool, 4096, &objs[1]), -EBADF);
	EXPECT_EQ(zcbuf_obj_free(objs[0]), -EBADF);
	EXPECT_EQ(zcbuf_cache_flush(pool), -EBADF);
	EXPECT_EQ(zcbuf_cache_bytes(pool), 0);
	zcbuf_channel_close(channel);
}

static bool child_ok = true;

static void in_child(void *arg)
{
	struct zcbuf_buf buf;

	(void)arg;
	child_ok &= zcbuf_obj_alloc(pool, 4096, &objs[1]) == -EBADF &&
		    zcbuf_obj_free(objs[0]) == -EBADF &&
		    zcbuf_obj_leave(objs[0], &buf) == -EBADF &&
		    zcbuf_cache_flush(pool) == -EBADF &&
		    !zcbuf_cache_bytes(pool);
}

static void number(void *arg)
{
	*(__u32 *)arg = zcbuf_thread;
}

/* This thread and another, before they have numbers, which the parent has, too. */
static bool child(void)
{
	struct zcbuf_pool *parents = pool;
	struct zcbuf_obj *held = objs[0];
	struct zcbuf_pool *mine;
	unsigned int n = 3;
	struct worker w;
	__u32 other;

	in_child(NULL);
	worker_start(&w);
	worker_do(&w, in_child, NULL);
	make();
	mine = pool;
	worker_do(&w, get_and_put, &n);
	get_and_put(&n);
	child_ok &= zcbuf_cache_bytes(pool) >= 6 * 4096;
	worker_do(&w, number, &other);
	child_ok &= zcbuf_thread && other && zcbuf_thread != other;
	pool = parents;
	objs[0] = held;
	in_child(NULL);
	worker_do(&w, in_child, NULL);
	pool = mine;
	worker_end(&w);
	zcbuf_pool_close(pool);
	zcbuf_pool_close(parents);
	return child_ok;
}

static void forked(void)
{
	unsigned int n = 10;
	unsigned int out;
	struct worker w;
	int status;
	pid_t pid;

	make();
	get(1, 4096);	/* the first number is this thread's */
	put(1);
	worker_start(&w);
	worker_do(&w, get_and_put, &n);
	get(2, 4096);
	EXPECT_EQ(zcbuf_obj_free(objs[1]), 0);
	out = fake_pages_out();
	pid = fork();
	if (!pid)
		_exit(!child());
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(fake_pages_out(), out);
	EXPECT_EQ(zcbuf_obj_free(objs[0]), 0);
	worker_do(&w, get_and_put, &n);
	get_and_put(&n);
	worker_end(&w);
	done();
}

/* ------------------------------------------------------------------- retire */

static void retiring(void)
{
	struct worker w;
	unsigned int n = 20;

	make();
	worker_start(&w);
	get(10, 4096);
	worker_do(&w, get_and_put, &n);
	get(10, 4096);
	fake.retiring = 1;
	fake.arena_state = ZCBUF_ARENA_RETIRING;
	EXPECT_EQ(zcbuf_pool_retire(pool, 1, 0, 0), ZCBUF_ARENA_RETIRING);
	EXPECT_EQ(zcbuf_cache_bytes(pool), 0);
	/* Nothing more is kept of it. */
	n = fake_pages_out();
	EXPECT_EQ(zcbuf_obj_free(objs[9]), 0);
	EXPECT_EQ(fake_pages_out(), n - 1);
	worker_do(&w, put_one, &objs[8]);
	EXPECT_EQ(fake_pages_out(), n - 2);
	fake.retiring = 0;
	EXPECT_EQ(zcbuf_pool_retire(pool, 1, 0, 0), ZCBUF_ARENA_RETIRING);
	n = fake_pages_out();
	EXPECT_EQ(zcbuf_obj_free(objs[7]), 0);
	EXPECT_EQ(fake_pages_out(), n);
	put(7);
	worker_end(&w);
	EXPECT(zcbuf_cache_flush(pool) > 0);
	zcbuf_pool_close(pool);
}

/* ---------------------------------------------------------------- at random */

#define WORKERS	3

/* What the model knows of the object in objs[i]; 0: there is none. */
static __u64 marks[MANY];
static __u64 mark;
static __u64 out_bytes;

/* xorshift64: the same on every machine. */
static __u64 any(__u64 below)
{
	static __u64 x = 88172645463325252ULL;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x % below;
}

static void random_get(unsigned int i)
{
	const size_t length = 1 + any(4096ULL << any(6));
	struct zcbuf_obj *obj;
	int err;

	err = zcbuf_obj_alloc(pool, length, &obj);
	if (err) {
		/* Not for what is kept, and the largest run is not counted. */
		EXPECT_EQ(err, -ENOMEM);
		EXPECT_EQ(zcbuf_cache_bytes(pool), 0);
		return;
	}
	EXPECT_EQ(obj->buf.length, length);
	EXPECT(obj->buf.capacity >= length && obj->buf.capacity < 2 * length +
	       4096);
	objs[i] = obj;
	marks[i] = ++mark;
	*(__u64 *)obj->buf.data = mark;
	out_bytes += obj->buf.capacity;
}

static void random_put(unsigned int i)
{
	struct zcbuf_buf buf;

	EXPECT_EQ(*(__u64 *)objs[i]->buf.data, marks[i]);
	marks[i] = 0;
	out_bytes -= objs[i]->buf.capacity;
	if (any(20)) {
		EXPECT_EQ(zcbuf_obj_free(objs[i]), 0);
		EXPECT_EQ(zcbuf_obj_free(objs[i]), -EBADSLT);
		return;
	}
	EXPECT_EQ(zcbuf_obj_leave(objs[i], &buf), 0);
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
}

static void random_some(void *arg)
{
	unsigned int n = 1 + any(100);
	unsigned int i;

	(void)arg;
	while (n--) {
		i = any(MANY);
		if (marks[i])
			random_put(i);
		else if (any(3))
			random_get(i);
	}
	if (!any(10))
		EXPECT(zcbuf_cache_flush(pool) >= 0);
}

static void at_random(void)
{
	struct worker w[WORKERS];
	unsigned int i, step;

	make();
	for (i = 0; i < WORKERS; i++)
		worker_start(&w[i]);
	for (step = 0; step < 3000; step++) {
		i = any(WORKERS + 1);
		if (i == WORKERS)
			random_some(NULL);
		else
			worker_do(&w[i], random_some, NULL);
		ASSERT_EQ(fake_pages_bytes(),
			  out_bytes + zcbuf_cache_bytes(pool));
		if (any(50) || i == WORKERS)
			continue;
		worker_end(&w[i]);
		worker_start(&w[i]);
	}
	for (i = 0; i < MANY; i++)
		if (marks[i])
			random_put(i);
	for (i = 0; i < WORKERS; i++)
		worker_end(&w[i]);
	done();
}

static const struct test_case cases[] = {
	CASE(nothing_is_short_for_it),
	CASE(the_last_one),
	CASE(without_barriers),
	CASE(who_waits),
	CASE(who_waits_first),
	CASE(reservations),
	CASE(a_part_of_the_reservations),
	CASE(a_reservation_that_waits),
	CASE(a_reservation_that_waits_for_others),
	CASE(threads_end),
	CASE(more_threads_than_numbers),
	CASE(made_by_one_freed_by_another),
	CASE(closed_while_kept),
	CASE(closed_with_a_channel),
	CASE(forked),
	CASE(retiring),
	CASE(at_random),
};

TEST_MAIN(cases)

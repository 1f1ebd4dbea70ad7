// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The ring of indices. Threads here are contexts that change only where the ring
 * touches shared memory, so every order of these accesses with a few changes can
 * be tried, and a thread can die at each of them. And a process is stopped at each
 * of its instructions.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "test.h"

static void step(void);

/* A ring of our own, that stops everywhere, beside the library's. */
#define ZCB_RING_STEP()		step()
#define zcb_ring_init		model_init
#define zcb_ring_get		model_get
#define zcb_ring_put		model_put
#define zcb_ring_holder		model_holder
#define zcb_ring_pass		model_pass
#define zcb_ring_count		model_count
#define zcb_ring_recover	model_recover
#include "../tring.c"
#undef zcb_ring_init
#undef zcb_ring_get
#undef zcb_ring_put
#undef zcb_ring_holder
#undef zcb_ring_pass
#undef zcb_ring_count
#undef zcb_ring_recover

void zcb_ring_init(const struct zcb_ring *ring);
int zcb_ring_get(const struct zcb_ring *ring);
int zcb_ring_put(const struct zcb_ring *ring, __u32 index);
__u32 zcb_ring_holder(const struct zcb_ring *ring, __u32 index);
int zcb_ring_pass(const struct zcb_ring *ring, __u32 index, __u32 from,
		  __u32 to);
__u32 zcb_ring_count(const struct zcb_ring *ring);
unsigned int zcb_ring_recover(const struct zcb_ring *ring,
			      bool (*is_gone)(void *ctx, __u32 member),
			      void *ctx);

#define MAX_CAPACITY	8
#define THREADS		3
#define STACK		(64 << 10)
#define MAX_STEPS	400	/* a run that takes more goes round and round */

#define MAX_BYTES	(sizeof(struct zcb_ring_mem) + \
			 MAX_CAPACITY * sizeof(struct zcb_slot))

static _Alignas(ZCB_LINE) unsigned char memory[MAX_BYTES];

static struct zcb_ring ring_of(void *mem, __u32 capacity, __u32 me)
{
	return (struct zcb_ring){ mem, capacity - 1, me };
}

/* --------------------------------------------------------- scheduled threads */

enum op { END, GET, PUT, PUT_AGAIN, PUT_SAME, GIVE, RECOVER };

/*
 * struct thread - what it does: its operations, one after the other
 * @ring: its member's view
 * @ops: up to END. PUT: what it got last, if it has it; PUT_AGAIN: if it has not;
 *	PUT_SAME: index 0, which was got before all began, by the first of them; GIVE:
 *	what it got last is the next thread's
 * @held: indices it has, a bit each
 * @last: the index it got last; -1: none
 * @done: it has come to the end
 * @dead: it never runs again
 * @busy: it is in an operation
 * @certain: while it is in one, how many indices there were for it, at the least
 */
struct thread {
	struct zcb_ring ring;
	const enum op *ops;
	ucontext_t context;
	unsigned int held;
	int last;
	bool done;
	bool dead;
	bool busy;
	unsigned int certain;
};

static struct thread threads[THREADS];
static unsigned char stacks[THREADS][STACK];
static unsigned int nthreads;
static struct thread *running;
static ucontext_t scheduler;
static __u32 capacity;
static bool broken;		/* of this run */
static unsigned int same_puts;	/* that were the one */

static void fail(const char *why)
{
	if (!broken)
		printf("# %s\n", why);
	broken = true;
}

/* Indices that a get of @self can count on: nobody has them, or is about to. */
static unsigned int certain_for(const struct thread *self)
{
	unsigned int others = 0;
	unsigned int i;

	for (i = 0; i < nthreads; i++) {
		others += __builtin_popcount(threads[i].held);
		others += &threads[i] != self && threads[i].busy;
	}
	return others < capacity ? capacity - others : 0;
}

static void count_certain(void)
{
	unsigned int i, n;

	for (i = 0; i < nthreads; i++) {
		n = certain_for(&threads[i]);
		if (n < threads[i].certain)
			threads[i].certain = n;
	}
}

/* Where nobody schedules, nothing stops. */
static void step(void)
{
	struct thread *t = running;

	if (!t)
		return;
	count_certain();
	swapcontext(&t->context, &scheduler);
}

/* Then what there is depends on who knew of it when. */
static bool anybody_died(void)
{
	unsigned int i;

	for (i = 0; i < nthreads; i++)
		if (threads[i].dead)
			return true;
	return false;
}

static void got(struct thread *t, int index)
{
	unsigned int i;

	if (index < 0) {
		if (index != -EAGAIN || (t->certain && !anybody_died()))
			fail("nothing to be had where there was something");
		return;
	}
	for (i = 0; i < nthreads; i++)
		if (threads[i].held & 1U << index)
			fail("an index that somebody has");
	t->held |= 1U << index;
	t->last = index;
}

static bool anybody_has(int index)
{
	unsigned int i;

	for (i = 0; i < nthreads; i++)
		if (threads[i].held & 1U << index || threads[i].busy)
			return true;
	return false;
}

/* What the dead had is nobody's from when somebody knows. */
static bool is_dead(void *ctx, __u32 number)
{
	struct thread *t = &threads[number - 1];

	(void)ctx;
	if (t->dead) {
		t->held = 0;
		t->busy = false;
	}
	return t->dead;
}

static void put_again(struct thread *t, int index)
{
	int err = model_put(&t->ring, index);

	if (err != -EBADSLT && err != -EPERM)
		fail("put by who had it no more");
	if (err == -EPERM && !anybody_has(index))
		fail("somebody else's, who is nobody");
}

static void put_same(struct thread *t)
{
	const struct zcb_ring first = ring_of(memory, capacity, 1);
	int err;

	threads[0].held &= ~1U;
	err = model_put(t == threads ? &t->ring : &first, 0);
	same_puts += !err;
	if (err && err != -EBADSLT && err != -EPERM)
		fail("what answer is this");
}

static void do_op(struct thread *t, enum op op)
{
	const int was = t->last;
	const unsigned int bit = was < 0 ? 0 : 1U << was;

	switch (op) {
	case GET:
		t->certain = capacity;
		got(t, model_get(&t->ring));
		break;
	case PUT:
		if (!(t->held & bit))
			break;
		t->held &= ~bit;
		if (model_put(&t->ring, was))
			fail("not to be put by who had it");
		break;
	case PUT_AGAIN:
		if (bit && !(t->held & bit))
			put_again(t, was);
		break;
	case PUT_SAME:
		put_same(t);
		break;
	case GIVE:
		if (!(t->held & bit))
			break;
		t->held &= ~bit;
		if (model_pass(&t->ring, was, t->ring.me, t[1].ring.me))
			fail("not to be given by who had it");
		t[1].held |= bit;
		break;
	case RECOVER:
		model_recover(&t->ring, is_dead, NULL);
		break;
	default:
		break;
	}
}

static void thread_main(unsigned int number)
{
	struct thread *t = &threads[number];
	const enum op *op;

	for (op = t->ops; *op; op++) {
		t->busy = true;
		do_op(t, *op);
		t->busy = false;
	}
	t->done = true;
}

static void start(unsigned int number, const enum op *ops)
{
	struct thread *t = &threads[number];

	memset(t, 0, sizeof(*t));
	t->ring = ring_of(memory, capacity, number + 1);
	t->ops = ops;
	t->last = -1;
	getcontext(&t->context);
	t->context.uc_stack.ss_sp = stacks[number];
	t->context.uc_stack.ss_size = STACK;
	t->context.uc_link = &scheduler;
	makecontext(&t->context, (void (*)(void))thread_main, 1, number);
}

/* Up to @n steps of it; how many they were. */
static unsigned int run(unsigned int number, unsigned int n)
{
	struct thread *t = &threads[number];
	unsigned int i;

	for (i = 0; i < n && !t->done && !t->dead; i++) {
		running = t;
		swapcontext(&scheduler, &t->context);
		running = NULL;
	}
	if (i == MAX_STEPS)
		fail("it does not come to an end");
	return i;
}

/* Each index is somebody's, or is to be had, and no other is. */
static void take_stock(void)
{
	struct zcb_ring ring = ring_of(memory, capacity, THREADS + 1);
	unsigned int seen = 0;
	unsigned int i;
	int index;

	for (i = 0; i < nthreads; i++) {
		if (seen & threads[i].held)
			fail("an index that two have");
		seen |= threads[i].held;
	}
	while ((index = model_get(&ring)) >= 0) {
		if (seen & 1U << index)
			fail("an index that was there twice");
		seen |= 1U << index;
	}
	if (seen != (1U << capacity) - 1)
		fail("an index that is lost");
}

/* ------------------------------------------------------------ all the orders */

/*
 * struct plan - who runs when: @turns turns, each of a thread and a number of
 * steps, then all of them to their end
 */
struct turn {
	unsigned int thread;
	unsigned int steps;
};

#define MAX_TURNS	4

struct plan {
	struct turn turn[MAX_TURNS];
	unsigned int turns;
	int victim;	/* dies at the end of its last turn; -1: nobody */
};

static const enum op *const *programs;
static unsigned long runs;

static void print_plan(const struct plan *plan)
{
	unsigned int i;

	printf("# capacity %u, turns:", capacity);
	for (i = 0; i < plan->turns; i++)
		printf(" %u*%u", plan->turn[i].thread, plan->turn[i].steps);
	printf(", victim %d\n", plan->victim);
}

/* The victim dies at the end of its last turn. */
static void maybe_die(const struct plan *plan, unsigned int turn)
{
	if ((int)plan->turn[turn].thread != plan->victim)
		return;
	while (++turn < plan->turns)
		if ((int)plan->turn[turn].thread == plan->victim)
			return;
	threads[plan->victim].dead = true;
}

static bool used_up(const struct plan *plan)
{
	bool all = true;
	unsigned int i;

	for (i = 0; i < plan->turns; i++) {
		all &= run(plan->turn[i].thread, plan->turn[i].steps) ==
		       plan->turn[i].steps;
		maybe_die(plan, i);
	}
	return all;
}

static void finish(const struct plan *plan)
{
	unsigned int i;

	if (plan->victim >= 0)
		threads[plan->victim].dead = true;
	for (i = 0; i < nthreads; i++)
		run(i, MAX_STEPS);
	for (i = 0; i < nthreads; i++)
		if (!threads[i].dead) {
			model_recover(&threads[i].ring, is_dead, NULL);
			break;
		}
	take_stock();
}

/* Return: were there so many steps? */
static bool try_plan(const struct plan *plan)
{
	struct zcb_ring ring = ring_of(memory, capacity, 1);
	unsigned int i;
	bool all;

	memset(memory, 0xff, sizeof(memory));
	model_init(&ring);
	broken = false;
	for (i = 0; i < nthreads; i++)
		start(i, programs[i]);
	same_puts = 0;
	if (programs[0][0] == PUT_SAME)
		threads[0].held = 1U << model_get(&ring);
	all = used_up(plan);
	finish(plan);
	if (programs[0][0] == PUT_SAME && same_puts != 1)
		fail("put by both, or by none");
	runs++;
	if (broken) {
		print_plan(plan);
		test_check(false, __FILE__, __LINE__, "see above");
		test_fail_now();
	}
	return all;
}

/* One more turn, of any length, of any but the one before. */
static void try_turns(struct plan *plan, unsigned int most)
{
	struct turn *turn = &plan->turn[plan->turns];
	unsigned int before = plan->turns ? turn[-1].thread : THREADS;

	if (plan->turns == most)
		return;
	plan->turns++;
	for (turn->thread = 0; turn->thread < nthreads; turn->thread++) {
		if (turn->thread == before)
			continue;
		for (turn->steps = 1; try_plan(plan); turn->steps++)
			try_turns(plan, most);
	}
	plan->turns--;
}

static void try_all(const enum op *const *ops, unsigned int n, __u32 size,
		    unsigned int turns, int victim)
{
	struct plan plan = { .victim = victim };

	programs = ops;
	nthreads = n;
	capacity = size;
	runs = 0;
	try_plan(&plan);
	try_turns(&plan, turns);
	printf("# capacity %u, %u threads: %lu orders\n", size, n, runs);
}

static const enum op pairs[] = { GET, PUT, GET, PUT, END };
static const enum op pair[] = { GET, PUT, END };
static const enum op hold[] = { GET, GET, PUT, END };
static const enum op twice[] = { GET, PUT, PUT_AGAIN, GET, END };
static const enum op gives[] = { GET, GIVE, GET, PUT, END };
static const enum op puts_same[] = { PUT_SAME, END };
static const enum op revives[] = { GET, RECOVER, PUT, RECOVER, END };
static const enum op takes_all[] = { RECOVER, GET, GET, END };

static void orders_of_two(void)
{
	static const enum op *const same[] = { pairs, pairs };
	static const enum op *const greedy[] = { hold, pairs };
	static const enum op *const again[] = { twice, pairs };
	__u32 size;

	for (size = 1; size <= 2; size++) {
		try_all(same, 2, size, 3, -1);
		try_all(greedy, 2, size, 3, -1);
		try_all(again, 2, size, 3, -1);
	}
	try_all(greedy, 2, 4, 3, -1);
}

static void orders_of_three(void)
{
	static const enum op *const same[] = { pair, pair, pair };
	static const enum op *const mixed[] = { twice, pair, hold };

	try_all(same, 3, 1, 3, -1);
	try_all(same, 3, 2, 3, -1);
	try_all(mixed, 3, 2, 2, -1);
	try_all(mixed, 3, 4, 2, -1);
}

static void orders_of_giving(void)
{
	static const enum op *const one_way[] = { gives, pairs };

	try_all(one_way, 2, 1, 3, -1);
	try_all(one_way, 2, 2, 3, -1);
}

/* Two threads put the same, a third gets it: as somebody else, so it is EPERM then. */
static void orders_of_double_puts(void)
{
	static const enum op *const both[] = { puts_same, puts_same, pair };

	try_all(both, 2, 1, 3, -1);
	try_all(both, 3, 1, 3, -1);
	try_all(both, 3, 2, 3, -1);
}

/*
 * The victim dies where its last turn ends; the others go on, look for the dead at
 * any time, both of them at once, and die at it as well.
 */
static void deaths(void)
{
	static const enum op *const one[] = { pairs, revives };
	static const enum op *const two[] = { pair, takes_all, takes_all };
	__u32 size;

	for (size = 1; size <= 4; size *= 2)
		try_all(one, 2, size, 3, 0);
	for (size = 1; size <= 2; size++) {
		try_all(two, 3, size, 3, 0);
		try_all(two, 3, size, 3, 1);
	}
}

/* ----------------------------------------------------- each of the instructions */

static bool all_gone(void *ctx, __u32 number)
{
	(void)ctx;
	return number == 1;
}

static void all_there(const void *mem, __u32 size, unsigned int at)
{
	static _Alignas(ZCB_LINE) unsigned char copy[sizeof(memory)];
	struct zcb_ring ring = ring_of(copy, size, 2);
	unsigned int seen = 0;
	int index;

	memcpy(copy, mem, zcb_ring_bytes(size));
	zcb_ring_recover(&ring, all_gone, NULL);
	while ((index = zcb_ring_get(&ring)) >= 0) {
		test_check(!(seen & 1U << index), __FILE__, __LINE__,
			   "%d is there twice after %u instructions", index,
			   at);
		seen |= 1U << index;
	}
	test_check(seen == (1U << size) - 1, __FILE__, __LINE__,
		   "%x are there after %u instructions", seen, at);
}

static void traced(void *mem, __u32 size)
{
	struct zcb_ring ring = ring_of(mem, size, 1);
	int index;

	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(77);
	raise(SIGSTOP);
	index = zcb_ring_get(&ring);
	zcb_ring_put(&ring, index);
	raise(SIGUSR1);
	_exit(0);
}

/* One instruction after the other, up to the signal at the end. */
static unsigned int follow(pid_t child, const void *mem, __u32 size)
{
	unsigned int n = 0;
	int status;

	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status) &&
	       WSTOPSIG(status) != SIGUSR1) {
		all_there(mem, size, n++);
		ptrace(PTRACE_SINGLESTEP, child, NULL, NULL);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		test_skip("nobody may trace here");
	EXPECT(WIFSTOPPED(status));
	ptrace(PTRACE_KILL, child, NULL, NULL);
	waitpid(child, &status, 0);
	return n;
}

/* @turns: how far it has gone before; with as many words behind as can be. */
static void dies_at_each(__u32 size, unsigned int turns)
{
	void *mem = mmap(NULL, sizeof(memory), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct zcb_ring ring = ring_of(mem, size, 1);
	unsigned int i;
	pid_t child;

	zcb_ring_init(&ring);
	for (i = 0; i < turns; i++)
		ASSERT_EQ(zcb_ring_put(&ring, zcb_ring_get(&ring)), 0);
	ring.mem->head -= turns > 0;
	ring.mem->tail -= turns > 0;
	fflush(stdout);
	child = fork();
	if (!child)
		traced(mem, size);
	printf("# capacity %u: %u instructions\n", size,
	       follow(child, mem, size));
	munmap(mem, sizeof(memory));
}

static void killed_at_each_instruction(void)
{
	dies_at_each(1, 0);
	dies_at_each(1, 3);
	dies_at_each(2, 1);
	dies_at_each(8, 0);
	dies_at_each(8, 13);
}

/* ---------------------------------------------------------------- one thread */

static void in_order(void)
{
	struct zcb_ring ring = ring_of(memory, 8, 1);
	int i, lap;

	zcb_ring_init(&ring);
	EXPECT_EQ(zcb_ring_count(&ring), 8);
	for (lap = 0; lap < 20; lap++) {
		for (i = 0; i < 8; i++)
			EXPECT_EQ(zcb_ring_get(&ring), lap & 1 ? 7 - i : i);
		EXPECT_EQ(zcb_ring_get(&ring), -EAGAIN);
		EXPECT_EQ(zcb_ring_count(&ring), 0);
		for (i = 0; i < 8; i++)
			EXPECT_EQ(zcb_ring_put(&ring, lap & 1 ? i : 7 - i), 0);
		EXPECT_EQ(zcb_ring_count(&ring), 8);
	}
}

static void whose(void)
{
	struct zcb_ring one = ring_of(memory, 2, 1);
	struct zcb_ring two = ring_of(memory, 2, 255);

	zcb_ring_init(&one);
	EXPECT_EQ(zcb_ring_put(&one, 0), -EBADSLT);
	EXPECT_EQ(zcb_ring_get(&one), 0);
	EXPECT_EQ(zcb_ring_get(&two), 1);
	EXPECT_EQ(zcb_ring_holder(&one, 0), 1);
	EXPECT_EQ(zcb_ring_holder(&one, 1), 255);
	EXPECT_EQ(zcb_ring_put(&one, 1), -EPERM);
	EXPECT_EQ(zcb_ring_pass(&one, 1, 1, 255), -EPERM);
	EXPECT_EQ(zcb_ring_pass(&one, 0, 1, 255), 0);
	EXPECT_EQ(zcb_ring_put(&one, 0), -EPERM);
	EXPECT_EQ(zcb_ring_put(&two, 0), 0);
	EXPECT_EQ(zcb_ring_holder(&one, 0), 0);
	EXPECT_EQ(zcb_ring_put(&two, 0), -EBADSLT);
	EXPECT_EQ(zcb_ring_pass(&two, 0, 255, 1), -EBADSLT);
}

/* Positions that have wrapped, and stamps, which do so before. */
static void after_long(void)
{
	static const __u64 bases[] = { 1ULL << 32, 1ULL << 54, 1ULL << 55, -8ULL };
	struct zcb_ring ring = ring_of(memory, 4, 1);
	unsigned int b, i;

	for (b = 0; b < ARRAY_SIZE(bases); b++) {
		zcb_ring_init(&ring);
		ring.mem->head = bases[b];
		ring.mem->tail = bases[b] + 4;
		for (i = 0; i < 4; i++) {
			ring.mem->slots[i].cell = bases[b] + i;
			ring.mem->slots[i].owner = (bases[b] - 4 + i) << 9 | 2;
		}
		for (i = 0; i < 20; i++) {
			EXPECT_EQ(zcb_ring_get(&ring), i % 4);
			EXPECT_EQ(zcb_ring_put(&ring, i % 4), 0);
		}
	}
}

static void lines_of_their_own(void)
{
	EXPECT_EQ(offsetof(struct zcb_ring_mem, head) % ZCB_LINE, 0);
	EXPECT_EQ(offsetof(struct zcb_ring_mem, tail), ZCB_LINE);
	EXPECT_EQ(offsetof(struct zcb_ring_mem, waiters), 2 * ZCB_LINE);
	EXPECT_EQ(offsetof(struct zcb_ring_mem, slots), 3 * ZCB_LINE);
	EXPECT_EQ(offsetof(struct zcb_slot, cell), 0);
	EXPECT_EQ(offsetof(struct zcb_slot, owner), ZCB_LINE);
	EXPECT_EQ(sizeof(struct zcb_slot), 2 * ZCB_LINE);
}

static const struct test_case cases[] = {
	CASE(in_order),
	CASE(whose),
	CASE(after_long),
	CASE(lines_of_their_own),
	CASE(orders_of_two),
	CASE(orders_of_three),
	CASE(orders_of_giving),
	CASE(orders_of_double_puts),
	CASE(deaths),
	CASE(killed_at_each_instruction),
};

TEST_MAIN(cases)

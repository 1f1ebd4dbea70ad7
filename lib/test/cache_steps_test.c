// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Objects, one instruction after the other: somebody takes them away between any
 * two, and there are no more than there should be.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

#include "../magazine.h"

#include "fake_pages.h"
#include "test.h"

int __wrap_zcbuf_obj_alloc_slow(struct zcbuf_pool *pool, size_t length,
				struct zcbuf_obj **obj);
int __wrap_zcbuf_obj_free_slow(struct zcbuf_obj *obj);
int __real_zcbuf_obj_alloc_slow(struct zcbuf_pool *pool, size_t length,
				struct zcbuf_obj **obj);
int __real_zcbuf_obj_free_slow(struct zcbuf_obj *obj);

/* ------------------------------------------------------------------ stepping */

#define TRAP_FLAG	0x100

static unsigned long steps;

static void stop_stepping(ucontext_t *context)
{
#if defined(__x86_64__)
	context->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
#else
	(void)context;
#endif
}

/* Is it to go on? */
static bool (*volatile each)(void);

static void on_step(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	steps++;
	if (each && !each())
		stop_stepping(context);
}

/* The red zone of who calls is left alone. */
static inline __attribute__((always_inline)) void step(bool on)
{
#if defined(__x86_64__)
	if (on)
		__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
				 "pushfq\n\t"
				 "orq %0, (%%rsp)\n\t"
				 "popfq\n\t"
				 "lea 128(%%rsp), %%rsp"
				 ::"i"(TRAP_FLAG) : "memory", "cc");
	else
		__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
				 "pushfq\n\t"
				 "andq %0, (%%rsp)\n\t"
				 "popfq\n\t"
				 "lea 128(%%rsp), %%rsp"
				 ::"i"(~TRAP_FLAG) : "memory", "cc");
#else
	(void)on;
#endif
}

/* Of what is compiled as it is for everybody. */
static void begin(bool (*fn)(void))
{
	struct sigaction action = {
		.sa_sigaction = on_step, .sa_flags = SA_SIGINFO,
	};

#if !defined(__x86_64__) || defined(__SANITIZE_ADDRESS__)
	test_skip("no single steps here");
#endif
	each = fn;
	ASSERT_EQ(sigaction(SIGTRAP, &action, NULL), 0);
}

/* ------------------------------------------------------------------ the count */

#define PAIRS	4

static struct zcbuf_pool *pool;

#define COUNT_OF(n, alloc, free) __extension__ ({			\
	struct zcbuf_obj *obj_;						\
	unsigned long i_;						\
	steps = 0;							\
	step(true);							\
	for (i_ = 0; i_ < (n); i_++)					\
		if ((alloc) || (free))					\
			break;						\
	step(false);							\
	EXPECT_EQ(i_, n);						\
	steps; })

/* Of one pair, what the loop takes included. */
#define COUNT(alloc, free) __extension__ ({				\
	unsigned long less_;						\
	COUNT_OF(1, alloc, free);					\
	less_ = COUNT_OF(PAIRS, alloc, free);				\
	(COUNT_OF(2 * PAIRS, alloc, free) - less_) / PAIRS; })

/* What other languages call. */
int alloc_call(struct zcbuf_pool *p, size_t length, struct zcbuf_obj **obj)
	__asm__("zcbuf_obj_alloc");
int free_call(struct zcbuf_obj *obj) __asm__("zcbuf_obj_free");

#define COUNT_PAIR(length) do {						\
	const unsigned long n_ =					\
		COUNT(zcbuf_obj_alloc(pool, length, &obj_),		\
		      zcbuf_obj_free(obj_));				\
	const unsigned long bare_ =					\
		COUNT(zcbuf_obj_alloc(pool, length, &obj_),		\
		      zcbuf_obj_free_unchecked(obj_));			\
	const unsigned long call_ =					\
		COUNT(alloc_call(pool, length, &obj_),			\
		      free_call(obj_));					\
	printf("# %u bytes: %lu instructions a pair, %lu unchecked, "	\
	       "%lu by calls\n", (unsigned int)(length), n_, bare_, call_); \
	EXPECT(n_ <= 30);						\
	EXPECT(bare_ <= 26);						\
	EXPECT(call_ <= 60);						\
} while (0)

static volatile size_t any_length;

static void instructions(void)
{
	static const __u32 tiers[] = {
		16, 64, 256, 1024, 4096, 16384, 65536, 262144,
	};
	unsigned long n;
	unsigned int i;

	fake.on_call = fake_pages_call;
	fake.info.out_sessions = 1;
	fake.kind = ZCBUF_POOL_TIERS;
	fake.nclasses = ARRAY_SIZE(tiers);
	for (i = 0; i < ARRAY_SIZE(tiers); i++)
		fake.classes[i].length = tiers[i];
	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	begin(NULL);
	for (any_length = 64; any_length <= 65536; any_length *= 4) {
		n = COUNT(zcbuf_obj_alloc(pool, any_length, &obj_),
			  zcbuf_obj_free(obj_));
		test_check(n <= 40, __FILE__, __LINE__,
			   "%lu instructions for %zu bytes", n, any_length);
	}
	COUNT_PAIR(64);
	COUNT_PAIR(1024);
	COUNT_PAIR(4096);
	COUNT_PAIR(65536);
	zcbuf_pool_close(pool);
}

/* ------------------------------------------------------------- taken away */

#define OBJS	4

/*
 * What there is: a magazine, and a thread that gets and puts, with what it has;
 * and who takes away, with what he got. He has the lock from claim to settle.
 */
static struct zcbuf_magazine mag;
static struct zcbuf_cache cache;
static struct zcbuf_caches caches;
static struct zcbuf_obj objs[OBJS];

static struct zcbuf_obj *held[OBJS];
static unsigned int nheld;
static struct zcbuf_obj *stolen[2 * ZCBUF_MAGAZINE_MAX];
static volatile unsigned int nstolen;
static volatile enum { WAITS, CLAIMED, DONE } thief;
static unsigned long claim_at;	/* this instruction */
static unsigned int settle_at;	/* when count has changed so often since */
static volatile bool keeps_store;	/* nobody sees the new count yet */
static unsigned int changes;
static long last_count;
static bool early;		/* nobody has waited for the thief */

static void settle(void)
{
	nstolen += zcb_mag_settle(&mag, true, stolen + nstolen);
	thief = DONE;
}

static bool take_away(void)
{
	changes += mag.count != last_count;
	last_count = mag.count;
	if (thief == WAITS && steps >= claim_at) {
		zcb_mag_claim(&mag);
		thief = CLAIMED;
		changes = 0;
	}
	if (thief == CLAIMED && changes >= settle_at && !keeps_store) {
		settle();
		early = true;
	}
	return thief != DONE;
}

/* The lock is had when he has done. */
static void lock(void)
{
	step(false);
	if (thief == CLAIMED)
		settle();
}

static void unlock(void)
{
	if (thief == WAITS)
		step(true);
}

int __wrap_zcbuf_obj_alloc_slow(struct zcbuf_pool *p, size_t length,
				struct zcbuf_obj **obj)
{
	if (p != (void *)&caches)
		return __real_zcbuf_obj_alloc_slow(p, length, obj);
	lock();
	*obj = zcb_mag_take(&mag);
	if (*obj)
		(*obj)->state = ZCBUF_OBJ_OUT;
	unlock();
	return *obj ? 0 : -ENOMEM;
}

int __wrap_zcbuf_obj_free_slow(struct zcbuf_obj *obj)
{
	if (obj->buf.pool != (void *)&caches)
		return __real_zcbuf_obj_free_slow(obj);
	if (obj->state != ZCBUF_OBJ_OUT)
		return -EBADSLT;
	lock();
	zcb_mag_take_oldest(&mag, NULL, 0);
	if (zcb_mag_count(&mag) >= mag.limit)
		nstolen += zcb_mag_take_oldest(&mag, stolen + nstolen, 1);
	obj->state = 0;
	zcb_mag_put(&mag, obj);
	unlock();
	return 0;
}

/* @at: where in the magazine the first of @n is. */
static void set_up(long at, unsigned int n, long limit)
{
	unsigned int i;

	zcb_mag_init(&mag, 0, limit);
	mag.head = at;
	mag.count = at;
	for (i = 0; i < ZCBUF_CACHE_WAYS; i++)
		cache.way[i] = &mag;
	for (i = 0; i < ZCBUF_CACHE_THREADS; i++)
		caches.of[i] = &cache;
	nheld = 0;
	for (i = 0; i < OBJS; i++) {
		objs[i] = (struct zcbuf_obj){
			.buf.pool = (void *)&caches, .way = 64,
		};
		if (i < n) {
			zcb_mag_put(&mag, &objs[i]);
		} else {
			objs[i].state = ZCBUF_OBJ_OUT;
			held[nheld++] = &objs[i];
		}
	}
	nstolen = 0;
	thief = WAITS;
	early = false;
	steps = 0;
	last_count = mag.count;
}

static inline __attribute__((always_inline)) void get(void)
{
	if (!zcbuf_obj_alloc((void *)&caches, 100, &held[nheld]))
		nheld++;
}

static inline __attribute__((always_inline)) void put(void)
{
	zcbuf_obj_free(held[--nheld]);
}

/*
 * As a processor may do it that keeps stores to itself for a while: it has looked at
 * head when others come to see the new count, which they do by their barrier.
 */
static void get_late(void)
{
	long n, head;

	keeps_store = true;
	n = mag.count - 1;
	head = mag.head;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	__atomic_store_n(&mag.count, n, __ATOMIC_RELAXED);
	keeps_store = false;
	if (n >= head) {
		mag.obj[n]->state = ZCBUF_OBJ_OUT;
		held[nheld++] = mag.obj[n];
		return;
	}
	__atomic_store_n(&mag.count, n + 1, __ATOMIC_RELAXED);
	if (!__wrap_zcbuf_obj_alloc_slow((void *)&caches, 100, &held[nheld]))
		nheld++;
}

static void get_late_put(void)
{
	get_late();
	put();
}

static void get_get(void)
{
	get();
	get();
}

static void get_put(void)
{
	get();
	put();
}

static void put_get(void)
{
	put();
	get();
}

static void put_put(void)
{
	put();
	put();
}

static void get_put_get(void)
{
	get();
	if (nheld)
		put();
	get();
}

static unsigned int times_there(const struct zcbuf_obj *obj)
{
	unsigned int n = 0;
	unsigned int i;
	long j;

	for (i = 0; i < nheld; i++)
		n += held[i] == obj;
	for (i = 0; i < nstolen; i++)
		n += stolen[i] == obj;
	for (j = mag.head; j < mag.count; j++)
		n += mag.obj[j] == obj;
	return n;
}

static void all_once(const char *name)
{
	unsigned int i;

	for (i = 0; i < OBJS; i++)
		test_check(times_there(&objs[i]) == 1, __FILE__, __LINE__,
			   "%s: %u is there %u times, claimed at %lu, settled "
			   "at %u", name, i, times_there(&objs[i]),
			   claim_at, settle_at);
}

static bool try_one(const char *name, void (*run)(void), long at,
		    unsigned int n, long limit)
{
	set_up(at, n, limit);
	step(true);
	run();
	step(false);
	if (thief == CLAIMED)
		settle();
	all_once(name);
	return early;
}

/* Until the thief comes too late; then what follows is the same. */
static void try_all(const char *name, void (*run)(void), long at,
		    unsigned int n, long limit)
{
	unsigned int runs = 0;

	for (claim_at = 1; thief != WAITS || claim_at == 1; claim_at++)
		for (settle_at = 0; try_one(name, run, at, n, limit);
		     settle_at++)
			runs++;
	printf("# %s: %lu instructions, %u runs\n", name, claim_at, runs);
}

#define TRY(run, at, n, limit)	try_all(#run, run, at, n, limit)

static void taken_at_each_instruction(void)
{
	begin(take_away);
	TRY(get_get, 0, 2, 4);
	TRY(get_get, 3, 1, 4);
	TRY(get_put, 2, 3, 5);
	TRY(put_get, 0, 0, 4);
	TRY(put_get, 1, 1, 2);
	TRY(put_put, 0, 1, 2);
	TRY(get_put_get, 0, 1, 4);
	TRY(get_late, 0, 2, 4);
	TRY(get_late, 3, 1, 4);
	TRY(get_late_put, 1, 3, 4);
}

static const struct test_case cases[] = {
	CASE(instructions),
	CASE(taken_at_each_instruction),
};

TEST_MAIN(cases)

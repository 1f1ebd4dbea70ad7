// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Repetitions: the number of operations in a run is doubled until one is long
 * enough, then all runs have as many. Of times the median of the runs is what
 * counts; of instructions the least, as whatever else happens adds to them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "steps.h"

#define MAX_RUNS	15
#define LOOP		100000

/*
 * struct clock - a way to count
 * @name: in ZCB_BENCH
 * @unit: in what
 * @now: what has been counted so far; NULL: steps
 * @enough: so much is a run at least
 * @least: so many operations, unless it is said otherwise
 * @runs: how many of them
 * @which: of them, in ascending order, is the result
 */
struct clock {
	const char *name;
	const char *unit;
	unsigned long long (*now)(void);
	unsigned long long enough;
	unsigned long least;
	unsigned int runs;
	unsigned int which;
};

static unsigned long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static unsigned long long now_tsc(void)
{
#ifdef __x86_64__
	return __builtin_ia32_rdtsc();
#else
	return 0;
#endif
}

/*
 * A run in a guest should fit between two ticks of its timer, of which there is one
 * in four million instructions. Steps are exact, and each takes some microseconds.
 */
static const struct clock clocks[] = {
	{ "time", "ns", now_ns, 2000000, 64, 15, 7 },
	{ "guest", "instructions", now_tsc, 150000, 64, 9, 0 },
	{ "steps", "instructions", NULL, 0, 8, 1, 0 },
};

static const struct clock *counting;

void bench_ok(int err, const char *what)
{
	if (err >= 0)
		return;
	fprintf(stderr, "bench: %s: %s\n", what, strerror(-err));
	exit(1);
}

int bench_sys(long result, const char *what)
{
	bench_ok(result < 0 ? -errno : 0, what);
	return result;
}

const char *bench_size(size_t size)
{
	static char texts[8][24];
	static unsigned int next;
	char *text = texts[next++ % 8];

	if (size % (1 << 20) == 0 && size)
		snprintf(text, sizeof(texts[0]), "%zu MiB", size >> 20);
	else if (size % 1024 == 0 && size)
		snprintf(text, sizeof(texts[0]), "%zu KiB", size >> 10);
	else
		snprintf(text, sizeof(texts[0]), "%zu", size);
	return text;
}

/* A loop of two instructions. */
static void loop(unsigned long n)
{
#ifdef __x86_64__
	__asm__ volatile("1: dec %0\n\t"
			 "jnz 1b"
			 : "+r"(n) : : "cc");
#else
	while (n--)
		BENCH_USE(n);
#endif
}

/* Is it instructions what this counter counts? */
static void check_counter(void)
{
	unsigned long long counted = now_tsc();

	loop(LOOP);
	counted = now_tsc() - counted;
	if (counted >= 2 * LOOP && counted < 2 * LOOP + LOOP / 100)
		return;
	counted = now_tsc();
	loop(LOOP);
	counted = now_tsc() - counted;
	if (counted >= 2 * LOOP && counted < 2 * LOOP + LOOP / 100)
		return;
	fprintf(stderr, "bench: %d instructions are %llu of this counter\n",
		2 * LOOP, counted);
	exit(1);
}

static const struct clock *find_clock(void)
{
	const char *name = getenv("ZCB_BENCH");
	size_t i;

	for (i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++)
		if (name && !strcmp(name, clocks[i].name))
			return &clocks[i];
	fprintf(stderr, "bench: ZCB_BENCH is to be time, guest or steps\n");
	exit(1);
}

static const struct clock *the_clock(void)
{
	if (!counting) {
		counting = find_clock();
		setvbuf(stdout, NULL, _IOLBF, 0);
		if (counting->now == now_tsc)
			check_counter();
	}
	return counting;
}

bool bench_is_steps(void)
{
	return !the_clock()->now;
}

bool bench_is_time(void)
{
	return the_clock()->now == now_ns;
}

static unsigned long long cost(const struct bench_op *op, unsigned long n)
{
	unsigned long long before;

	if (n && op->prepare)
		op->prepare(op->ctx);
	if (!counting->now)
		return bench_steps(op->run, op->ctx, n);
	before = counting->now();
	op->run(op->ctx, n);
	return counting->now() - before;
}

/* What has to be there first (pages, caches, bindings of symbols) is, after that. */
static unsigned long warm_up(const struct bench_op *op)
{
	unsigned long n = counting->least;

	if (op->times || op->least)
		n = op->times ? op->times : op->least;
	else if (op->parts)
		n = n > op->parts ? n / op->parts : 1;
	if (op->prepare)
		op->prepare(op->ctx);
	op->run(op->ctx, n);
	if (op->times || !counting->enough)
		return n;
	while (cost(op, n) < counting->enough && n < 1UL << 24)
		n *= 2;
	return n;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

void bench(const struct bench_op *op)
{
	const struct clock *clock = the_clock();
	double result[MAX_RUNS], none;
	unsigned long n = warm_up(op);
	unsigned int i;

	for (i = 0; i < clock->runs; i++) {
		none = cost(op, 0);
		result[i] = cost(op, n) - none;
		result[i] /= n * (op->parts ? op->parts : 1);
	}
	qsort(result, clock->runs, sizeof(result[0]), compare);
	printf("%s\t%s\t%s\t%s\t%s\t%.2f\t%.2f\t%.2f\n", op->area, op->op,
	       op->variant, op->who, clock->unit, result[clock->which],
	       result[0], result[clock->runs - 1]);
}

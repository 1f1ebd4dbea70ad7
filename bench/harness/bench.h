/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What all programs that measure have in common: what is counted, how often an
 * operation is done, and how the result is told. NOTES.md says what it is worth.
 *
 * The environment variable ZCB_BENCH says what is counted:
 *	time	nanoseconds of CLOCK_MONOTONIC
 *	guest	instructions of user and kernel, in a guest whose time stamp counter
 *		counts them (tests/vm/run --count)
 *	steps	instructions of the calling thread in user space, one by one by the
 *		processor's trap flag: exact, on any x86-64
 *
 * One line for each operation, TSV:
 *	area op variant who unit result min max
 * who is "zcbuf" or a peer; what has the same area, op and variant is compared.
 */
#ifndef ZCBUF_BENCH_BENCH_H
#define ZCBUF_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The compiler must believe that @value is used. */
#define BENCH_USE(value)	__asm__ volatile("" : : "r"(value) : "memory")

/*
 * struct bench_op - one operation
 * @area, @op, @variant, @who: as in the line that is printed
 * @run: does it @n times; called with 0 as well, whose cost is taken off
 * @prepare: called before each run, and not counted; NULL: there is nothing to do
 * @ctx: handed to both
 * @times: so many in each run; 0: as many as make a run long enough
 * @least: at least so many, times a power of two, so that what is done once in so
 *	many has its share; 0: 64 parts, or less
 * @parts: one of them is so many of what is told, as buffers of a batch; 0: 1
 */
struct bench_op {
	const char *area;
	const char *op;
	const char *variant;
	const char *who;
	void (*run)(void *ctx, unsigned long n);
	void (*prepare)(void *ctx);
	void *ctx;
	unsigned long times;
	unsigned long least;
	unsigned long parts;
};

void bench(const struct bench_op *op);

/* Instructions of user space only are counted: what is done by calls is not seen. */
bool bench_is_steps(void);

/* Times are measured: what waits for another CPU, or is slow to emulate, is not. */
bool bench_is_time(void);

/* Ends the program if @err is negative: there is nothing to be measured. */
void bench_ok(int err, const char *what);

/* The same with errno, if @result is negative. */
int bench_sys(long result, const char *what);

/* "64", "4 KiB"; good until it was called a few times more. */
const char *bench_size(size_t size);

#ifdef __cplusplus
}
#endif

#endif /* ZCBUF_BENCH_BENCH_H */

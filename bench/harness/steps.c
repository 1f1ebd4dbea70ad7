// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Instructions counted one by one: with the trap flag set, the processor ends each
 * of them with a trap, which is a SIGTRAP here. Nothing else is needed, and the
 * count is exact, but each takes a microsecond or two.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "steps.h"

#ifdef __x86_64__
#define TRAP_FLAG	"0x100"

static volatile sig_atomic_t stepped;

static void on_step(int signal)
{
	(void)signal;
	stepped++;
}

/* What is below the stack pointer may be in use by the code around. */
static inline void trap_on(void)
{
	__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
			 "pushfq\n\t"
			 "orq $" TRAP_FLAG ", (%%rsp)\n\t"
			 "popfq\n\t"
			 "lea 128(%%rsp), %%rsp"
			 : : : "memory", "cc");
}

static inline void trap_off(void)
{
	__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
			 "pushfq\n\t"
			 "andq $~" TRAP_FLAG ", (%%rsp)\n\t"
			 "popfq\n\t"
			 "lea 128(%%rsp), %%rsp"
			 : : : "memory", "cc");
}

unsigned long long bench_steps(void (*run)(void *ctx, unsigned long n),
			       void *ctx, unsigned long n)
{
	const struct sigaction action = { .sa_handler = on_step };
	struct sigaction before;

	bench_sys(sigaction(SIGTRAP, &action, &before), "SIGTRAP");
	stepped = 0;
	trap_on();
	run(ctx, n);
	trap_off();
	bench_sys(sigaction(SIGTRAP, &before, NULL), "SIGTRAP");
	return stepped;
}
#else
unsigned long long bench_steps(void (*run)(void *ctx, unsigned long n),
			       void *ctx, unsigned long n)
{
	bench_ok(-ENOSYS, "single steps");
	return 0;
}
#endif

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What the KUNIT_ macros, warnings and allocations of a target come to.
 *
 * FUZZ_TRACE=1 in the environment: print each operation with the bytes it took.
 */
#include "fuzz.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ALLOCATIONS	256

/* A program runs one input at a time, in one thread. */
static struct {
	void *mem[ALLOCATIONS];
	u32 nmem;
	bool warning_wanted;
	bool trace;
	u64 done;
} fuzz;

/* ------------------------------------------------------------- failures */

void kunit_host_abort(void)
{
	abort();
}

void kunit_host_note(struct kunit *test, const char *fmt, ...)
{
	va_list args;

	fputs("# ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

/* The values are noted after it, so the end comes with kunit_host_abort(). */
void kunit_host_fail(struct kunit *test, const char *file, int line,
		     const char *what)
{
	test->status = KUNIT_FAILURE;
	fprintf(stderr, "# FAILED at %s:%d\n# expected %s\n", file, line, what);
}

bool zcb_host_warn(const char *file, int line, const char *what)
{
	if (!fuzz.warning_wanted) {
		fprintf(stderr, "# %s:%d: warning: %s\n", file, line, what);
		abort();
	}
	fuzz.warning_wanted = false;
	return true;
}

void fuzz_expect_warning(void)
{
	fuzz.warning_wanted = true;
}

bool fuzz_warned(void)
{
	bool warned = !fuzz.warning_wanted;

	fuzz.warning_wanted = false;
	return warned;
}

/* --------------------------------------------------------------- memory */

static void *remember(void *ptr)
{
	if (!ptr || fuzz.nmem == ALLOCATIONS)
		abort();
	fuzz.mem[fuzz.nmem++] = ptr;
	return ptr;
}

void *kunit_kmalloc_array(struct kunit *test, size_t n, size_t size, gfp_t gfp)
{
	size_t bytes = size_mul(n, size);

	return memset(remember(malloc(bytes)), 0xa5, bytes);
}

void *kunit_kcalloc(struct kunit *test, size_t n, size_t size, gfp_t gfp)
{
	return remember(calloc(n, size));
}

void kunit_kfree(struct kunit *test, const void *ptr)
{
	u32 i = fuzz.nmem;

	if (!ptr)
		return;
	while (i && fuzz.mem[i - 1] != ptr)
		i--;
	if (!i)
		abort();
	free(fuzz.mem[i - 1]);
	fuzz.mem[i - 1] = fuzz.mem[--fuzz.nmem];
}

/* ----------------------------------------------------------- operations */

static void trace_bytes(const u8 *from, const u8 *to)
{
	fputs("#   ", stderr);
	while (from < to)
		fprintf(stderr, " %02x", *from++);
	fputc('\n', stderr);
}

void fuzz_ops(const struct fuzz_target *target, struct zcb_rand *in,
	      void *state)
{
	const struct fuzz_op *op;
	const u8 *from;

	target->check(state);
	while (input_more(in)) {
		op = &target->ops[zcb_rand_below(in, target->nops)];
		from = in->at;
		if (fuzz.trace)
			fprintf(stderr, "# %s\n", op->name);
		op->run(state);
		if (fuzz.trace)
			trace_bytes(from, in->at);
		target->check(state);
		fuzz.done++;
	}
}

u64 fuzz_done(void)
{
	return fuzz.done;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct kunit test = { .name = "input" };
	struct zcb_rand in = { .at = data, .left = size };

	fuzz.trace = getenv("FUZZ_TRACE");
	fuzz_one(&test, &in);
	/* An expectation has failed, which ends nothing by itself. */
	if (test.status != KUNIT_SUCCESS)
		abort();
	while (fuzz.nmem)
		free(fuzz.mem[--fuzz.nmem]);
	return 0;
}

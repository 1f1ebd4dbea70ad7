/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What every target stands on. A target is one file: it reads an input as a
 * stream of operations, does each to the core and to a model, and compares the
 * two. The KUNIT_ macros do the comparing; the first that fails ends the
 * program, and so does a warning nobody expects. An input decides everything
 * that happens, so that it fails again, and alone.
 */
#ifndef ZCBUF_FUZZ_H
#define ZCBUF_FUZZ_H

#include <kunit/test.h>
#include "input.h"

/* fuzz_one() - the target: what it allocates by kunit_kmalloc() is freed */
void fuzz_one(struct kunit *test, struct zcb_rand *in);

/**
 * struct fuzz_op - one kind of operation
 * @name: for people
 * @run: does it, to the target's state
 */
struct fuzz_op {
	const char *name;
	void (*run)(void *state);
};

/**
 * struct fuzz_target - how to read an input
 * @ops: the kinds there are; more than once if more likely
 * @nops: how many
 * @check: compares what there is after each operation
 */
struct fuzz_target {
	const struct fuzz_op *ops;
	u32 nops;
	void (*check)(void *state);
};

/* fuzz_ops() - operations to the end of the input */
void fuzz_ops(const struct fuzz_target *target, struct zcb_rand *in,
	      void *state);

/* fuzz_done() - how many, of all inputs so far */
u64 fuzz_done(void);

/* The core has to warn once from fuzz_expect_warning() to fuzz_warned(). */
void fuzz_expect_warning(void);
bool fuzz_warned(void);

/* What libFuzzer calls, and replay.c. */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#endif /* ZCBUF_FUZZ_H */

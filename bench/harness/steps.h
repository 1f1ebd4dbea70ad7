/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef ZCBUF_BENCH_STEPS_H
#define ZCBUF_BENCH_STEPS_H

/* Instructions that this thread executes in run(ctx, n), in user space. */
unsigned long long bench_steps(void (*run)(void *ctx, unsigned long n),
			       void *ctx, unsigned long n);

#endif /* ZCBUF_BENCH_STEPS_H */

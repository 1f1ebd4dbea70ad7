/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A pool that runs out: its pages are handed out, freed, and handed out again, to
 * any number of threads at once. An object of a slab class has pages of its own.
 */
#ifndef ZCBUF_LIB_TEST_FAKE_PAGES_H
#define ZCBUF_LIB_TEST_FAKE_PAGES_H

#include "fake.h"

/* For fake.on_call: ALLOC and FREE of the pool, each under a lock. */
int fake_pages_call(__u64 self, unsigned int nr, void *arg);

/* Called without the lock by an ALLOC that would wait; then it looks once more. */
extern void (*fake_pages_wait)(void);

/* Called by an ALLOC or FREE before it does anything. */
extern void (*fake_pages_busy)(unsigned int nr);

/* Buffers that are handed out, and bytes of them. */
unsigned int fake_pages_out(void);
__u64 fake_pages_bytes(void);

/* Frees that were refused. */
unsigned int fake_pages_refused(void);

#endif /* ZCBUF_LIB_TEST_FAKE_PAGES_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A pool whose objects are kept, over a device that runs out of pages. What of the C
 * library can fail in that is wrapped.
 */
#ifndef ZCBUF_LIB_TEST_CACHED_H
#define ZCBUF_LIB_TEST_CACHED_H

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../internal.h"
#include "fake.h"
#include "fake_pages.h"
#include "test.h"
#include "wrap.h"

#define MANY	512

static struct zcbuf_pool *pool;
static struct zcbuf_obj *objs[MANY];
static bool no_barrier;
static int memory_pass = -1;	/* allocations that go well before one fails */

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
int __real_posix_memalign(void **memptr, size_t align, size_t size);
int __wrap_posix_memalign(void **memptr, size_t align, size_t size);

static inline bool memory_fails(void)
{
	return memory_pass >= 0 && !memory_pass--;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return memory_fails() ? NULL : __real_calloc(n, size);
}

int __wrap_posix_memalign(void **memptr, size_t align, size_t size)
{
	return memory_fails() ? ENOMEM :
	       __real_posix_memalign(memptr, align, size);
}

long __wrap_syscall(long nr, ...)
{
	(void)nr;
	errno = EPERM;
	return no_barrier ? -1 : 0;
}

static inline void make_opts(__u32 kind, __u32 open_flags)
{
	const struct zcbuf_pool_opts opts = {
		.sz = sizeof(opts), .open_flags = open_flags,
	};

	fake.on_call = fake_pages_call;
	fake.info.out_sessions = 1;
	fake.kind = kind;
	ASSERT_EQ(zcbuf_pool_create(&pool, &opts), 0);
}

static inline void make(void)
{
	make_opts(ZCBUF_POOL_PAGES, 0);
}

/* All that is handed out is kept, and can be given back. */
static inline void done(void)
{
	const __u64 kept = zcbuf_cache_bytes(pool);

	EXPECT_EQ(fake_pages_bytes(), kept);
	EXPECT(zcbuf_cache_flush(pool) >= 0);
	EXPECT_EQ(fake_pages_out(), 0);
	EXPECT_EQ(zcbuf_cache_bytes(pool), 0);
	EXPECT_EQ(fake_pages_refused(), 0);
	zcbuf_pool_close(pool);
}

static inline unsigned int calls(void)
{
	return fake.calls[ZCBUF_NR_ALLOC] + fake.calls[ZCBUF_NR_FREE];
}

static inline void get(unsigned int n, size_t length)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		ASSERT_EQ(zcbuf_obj_alloc(pool, length, &objs[i]), 0);
}

static inline void put(unsigned int n)
{
	while (n--)
		ASSERT_EQ(zcbuf_obj_free(objs[n]), 0);
}

#endif /* ZCBUF_LIB_TEST_CACHED_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the tests of arenas that are retired share.
 */
#ifndef ZCBUF_SELFTEST_RETIRE_H
#define ZCBUF_SELFTEST_RETIRE_H

#include <stdbool.h>
#include <sys/mman.h>

#include <zcbuf/zcbuf.h>

#include "common.h"
#include "info.h"
#include "ktap.h"

#define NOW	ZCBUF_RETIRE_F_NOW
#define CANCEL	ZCBUF_RETIRE_F_CANCEL

/* What has become of it, or -errno. */
static __inline__ int retire_until(int fd, __u32 arena, __u32 flags,
				   __u64 deadline_ns)
{
	struct zcbuf_pool_retire a = zt_arg(struct zcbuf_pool_retire,
		.flags = flags, .deadline_ns = deadline_ns, .arena = arena,
		.out_state = 77);
	int err = zt_call(fd, ZCBUF_IOC_POOL_RETIRE, &a);

	return err ? err : (int)a.out_state;
}

static __inline__ int retire(int fd, __u32 arena, __u32 flags)
{
	return retire_until(fd, arena, flags, 0);
}

/* A pool of @kind that has @arenas, and may have no more. */
static __inline__ int arenas_of(__u32 kind, __u32 flags, unsigned int arenas)
{
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.kind = kind, .flags = flags, .arena_size = ZT_ARENA,
		.max_size = arenas * ZT_ARENA);
	int fd = zt_pool_as(&a);

	ASSERT_GE(fd, 0);
	while (--arenas)
		ASSERT_OK(zt_pool_grow(fd, NULL));
	return fd;
}

static __inline__ char *map_all(int fd, unsigned int arenas)
{
	char *p = zt_map(fd, PROT_READ | PROT_WRITE, arenas * ZT_ARENA);

	ASSERT_TRUE(p);
	return p;
}

/* Can all of an arena be touched? Asks without a signal. */
static __inline__ bool is_there(const char *map, unsigned int arena)
{
	return !madvise((void *)(map + arena * ZT_ARENA), ZT_ARENA,
			MADV_POPULATE_READ);
}

/* A block of half an arena in arena 1; @first has all of arena 0. */
static __inline__ __u64 half_of_arena_1(int fd, __u64 *first)
{
	__u64 handle;

	ASSERT_OK(zt_alloc1(fd, ZT_ARENA, first));
	ASSERT_OK(zt_alloc1(fd, ZT_ARENA / 2, &handle));
	ASSERT_EQ(zcbuf_buf_offset(handle), ZT_ARENA);
	return handle;
}

/* It goes when nobody holds a page any more, which is looked at now and then. */
static __inline__ void await_gone(int fd, __u32 arena)
{
	ASSERT_EQ(retire_until(fd, arena, 0, zcbuf_deadline_ms(20000)),
		  ZCBUF_ARENA_GONE);
}

#endif /* ZCBUF_SELFTEST_RETIRE_H */

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Buffers that are not in their pool: pages of the process for what is too large
 * for it. They are on a list of the pool, so that freeing one twice is refused
 * as for any other, and nothing of the pool outlives it.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/mempolicy.h>

#include "internal.h"

#define CLASS	63	/* of a handle: beyond those of any pool's table */
#define NODES	1024	/* that any kernel can have */

struct zcb_fallback {
	__u64 handle;
	void *data;
	size_t capacity;
	struct zcb_fallback *next;
};

static __u64 handles = (__u64)CLASS << ZCBUF_BUF_CLASS_SHIFT;

bool zcb_fallback_has(__u64 handle)
{
	return zcbuf_buf_class(handle) == CLASS;
}

/* Zeroed, at a multiple of @align, and no child gets it; NULL: there is none. */
static void *map_pages(size_t size, size_t align)
{
	unsigned char *start;
	size_t head;

	if (size > SIZE_MAX - align)
		return NULL;
	start = mmap(NULL, size + align, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (start == MAP_FAILED)
		return NULL;
	head = -(uintptr_t)start & (align - 1);
	if (madvise(start, size + align, MADV_DONTFORK)) {
		munmap(start, size + align);
		return NULL;
	}
	if (head)
		munmap(start, head);
	munmap(start + head + size, align - head);
	return start + head;
}

/* No page of it is there yet. */
static int bind_pages(void *start, size_t size, __u32 node)
{
	const unsigned int bits = 8 * sizeof(unsigned long);
	unsigned long mask[NODES / (8 * sizeof(unsigned long))] = { 0 };

	if (node >= NODES)
		return -EINVAL;
	mask[node / bits] = 1UL << node % bits;
	/* The kernel takes one bit less than it is told. */
	if (syscall(SYS_mbind, start, size, MPOL_BIND, mask, NODES + 1UL, 0))
		return -errno;
	return 0;
}

static int fallback_map(struct zcb_fallback *f, size_t length,
			const struct zcbuf_buf_opts *opts)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	int err;

	if (length > SIZE_MAX - page)
		return -ENOMEM;
	f->capacity = (length + page - 1) & -page;
	f->data = map_pages(f->capacity, opts->align > page ? opts->align :
							      page);
	if (!f->data)
		return -ENOMEM;
	if (!(opts->flags & ZCBUF_ALLOC_F_NODE))
		return 0;
	err = bind_pages(f->data, f->capacity, opts->node);
	if (err)
		munmap(f->data, f->capacity);
	return err;
}

/* The session lock is held: nobody forks between mmap() and madvise(). */
static int fallback_add(struct zcbuf_pool *pool, size_t length,
			const struct zcbuf_buf_opts *opts,
			struct zcb_fallback *f)
{
	int err;

	if (pool->session.fd < 0)
		return -EBADF;
	err = fallback_map(f, length, opts);
	if (err)
		return err;
	f->handle = ++handles;
	f->next = pool->fallbacks;
	pool->fallbacks = f;
	return 0;
}

int zcb_fallback_alloc(struct zcbuf_pool *pool, size_t length,
		       const struct zcbuf_buf_opts *opts, struct zcbuf_buf *buf)
{
	struct zcb_fallback *f = malloc(sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	zcb_session_lock();
	err = fallback_add(pool, length, opts, f);
	zcb_session_unlock();
	if (err) {
		free(f);
		return err;
	}
	zcb_log(pool, 0, "too large for the pool: a buffer of the process's own");
	*buf = (struct zcbuf_buf){
		.data = f->data,
		.length = length,
		.capacity = f->capacity,
		.offset = ZCBUF_NO_OFFSET,
		.handle = f->handle,
		.pool = pool,
	};
	return 0;
}

/* Off the list, under the session lock; NULL: it is not there. */
static struct zcb_fallback *fallback_remove(struct zcbuf_pool *pool,
					    __u64 handle)
{
	struct zcb_fallback **at = &pool->fallbacks;
	struct zcb_fallback *f;

	while (*at && (*at)->handle != handle)
		at = &(*at)->next;
	f = *at;
	if (f)
		*at = f->next;
	return f;
}

int zcb_fallback_free(struct zcbuf_pool *pool, __u64 handle)
{
	struct zcb_fallback *f;

	if (pool->session.fd < 0)
		return -EBADF;
	zcb_session_lock();
	f = fallback_remove(pool, handle);
	zcb_session_unlock();
	if (!f)
		return -EBADSLT;
	munmap(f->data, f->capacity);
	free(f);
	return 0;
}

void zcb_fallback_close(struct zcbuf_pool *pool)
{
	struct zcb_fallback *f;

	while ((f = pool->fallbacks)) {
		pool->fallbacks = f->next;
		/* Something else may be there in a fork child. */
		if (pool->session.fd >= 0)
			munmap(f->data, f->capacity);
		free(f);
	}
}

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * libzcbuf-user: memory of a pool for libraries that take functions to allocate with:
 * what they make is then in the pool, to be written from fixed buffers, published or
 * given away without a copy. A part of <zcbuf/zcbuf.h>, which includes it and says
 * what holds for all functions.
 *
 * zlib takes functions and what they are called with, which comes first:
 *
 *	zcbuf_malloc_create(pool, NULL, &heap);
 *	stream.zalloc = zcbuf_malloc_zalloc;
 *	stream.zfree = zcbuf_malloc_zfree;
 *	stream.opaque = heap;
 *	deflateInit(&stream, Z_BEST_SPEED);
 *	stream.next_out = zcbuf_malloc_alloc(heap, 1 << 20);
 *	...
 *	zcbuf_malloc_take(heap, out, &buf);	and publish it, say
 *
 * nghttp2, and others of its kind, get it as the last argument:
 *
 *	nghttp2_mem mem = { heap, zcbuf_malloc_hook, zcbuf_free_hook,
 *			    zcbuf_calloc_hook, zcbuf_realloc_hook };
 *
 * SQLite and libuv hand nothing to theirs: a static variable has the heap, and
 * functions of one line have their types, as of sqlite3_mem_methods:
 *
 *	static void *x_malloc(int n) { return zcbuf_malloc_alloc(heap, n); }
 *	static int x_size(void *p) { return zcbuf_malloc_size(heap, p); }
 *
 * Every piece is a buffer of the pool and costs what that costs: from a PAGES pool a
 * page or more, from one of TIERS no less than its smallest class, and a system call
 * to make it and one to free it. So small pieces are better left to malloc(3),
 * which @min does. A heap is used by any number of threads at once. What it knows of
 * its pieces is in memory of the process, not in them: who scribbles over the pool
 * changes their bytes and nothing else.
 */
#ifndef ZCBUF_MALLOC_H
#define ZCBUF_MALLOC_H

#include <zcbuf/zcbuf.h>

#ifdef __cplusplus
extern "C" {
#endif

struct zcbuf_malloc;	/* opaque: a heap: pieces of one pool */

/* zcbuf_malloc_opts.flags: what the pool has no room for comes from malloc(3) */
#define ZCBUF_MALLOC_F_FALLBACK	(1U << 0)

/*
 * struct zcbuf_malloc_opts - where pieces come from
 * @sz: sizeof(struct zcbuf_malloc_opts)
 * @min: pieces of fewer bytes come from malloc(3); 0: none
 * @flags: ZCBUF_MALLOC_F_FALLBACK or 0
 * @reserved: 0
 */
struct zcbuf_malloc_opts {
	size_t sz;
	size_t min;
	__u32 flags;
	__u32 reserved;
};

/*
 * zcbuf_malloc_create() - a heap in a pool
 * @pool: mapped for writing
 * @opts: NULL: everything comes from the pool
 * @heap: written; for zcbuf_malloc_close()
 *
 * -EPERM: the pool is not mapped for writing. -ENOMEM. -EBADF: it was closed.
 */
ZCBUF_API int zcbuf_malloc_create(struct zcbuf_pool *pool,
				  const struct zcbuf_malloc_opts *opts,
				  struct zcbuf_malloc **heap);

/*
 * zcbuf_malloc_close() - forget it
 * @heap: NULL does nothing; freed whatever the result
 *
 * To be called when the library is done with it, before or after zcbuf_pool_close().
 * Return: how many pieces of the pool were not freed: they are buffers of the session,
 * until that ends.
 */
ZCBUF_API int zcbuf_malloc_close(struct zcbuf_malloc *heap);

/*
 * zcbuf_malloc_alloc() - a piece of @size bytes, aligned for any object; of a page or
 * more from a pool of pages, to a page. NULL: there is none; zcbuf_pool_log() is told
 * why.
 */
ZCBUF_API void *zcbuf_malloc_alloc(struct zcbuf_malloc *heap, size_t size);

/* zcbuf_malloc_calloc() - of @n times @size bytes, all of them 0; else as above */
ZCBUF_API void *zcbuf_malloc_calloc(struct zcbuf_malloc *heap, size_t n,
				    size_t size);

/*
 * zcbuf_malloc_realloc() - a piece that begins with what @ptr has
 * @ptr: freed, unless the answer is NULL; NULL: as zcbuf_malloc_alloc()
 *
 * It stays where it is as long as @size is within its capacity.
 */
ZCBUF_API void *zcbuf_malloc_realloc(struct zcbuf_malloc *heap, void *ptr,
				     size_t size);

/*
 * zcbuf_malloc_free() - give a piece back; NULL does nothing
 *
 * A piece of the pool that this heap has not given, or not any more, is left alone,
 * and zcbuf_pool_log() is told.
 */
ZCBUF_API void zcbuf_malloc_free(struct zcbuf_malloc *heap, void *ptr);

/* zcbuf_malloc_size() - bytes there are at @ptr, at least those asked for; of NULL 0 */
ZCBUF_API size_t zcbuf_malloc_size(struct zcbuf_malloc *heap, const void *ptr);

/*
 * zcbuf_malloc_buf() - the buffer that a piece is, to do I/O with
 * @ptr: what was allocated, not a byte within
 * @buf: written: a copy, which must not be freed
 *
 * -ENOENT: it is not of the pool, or was freed.
 */
ZCBUF_API int zcbuf_malloc_buf(struct zcbuf_malloc *heap, const void *ptr,
			       struct zcbuf_buf *buf);

/*
 * zcbuf_malloc_take() - the same, but it is the caller's from now on, for
 * zcbuf_buf_free(), zcbuf_buf_give(), zcbuf_publisher_publish(), ...
 */
ZCBUF_API int zcbuf_malloc_take(struct zcbuf_malloc *heap, void *ptr,
				struct zcbuf_buf *buf);

/* ------------------------------------------------------------------ hooks */

/* With the heap in front, @items times @size bytes: alloc_func and free_func of zlib */
ZCBUF_API void *zcbuf_malloc_zalloc(void *heap, unsigned int items,
				    unsigned int size);
ZCBUF_API void zcbuf_malloc_zfree(void *heap, void *ptr);

/* With the heap behind: those of nghttp2_mem */
ZCBUF_API void *zcbuf_malloc_hook(size_t size, void *heap);
ZCBUF_API void zcbuf_free_hook(void *ptr, void *heap);
ZCBUF_API void *zcbuf_calloc_hook(size_t n, size_t size, void *heap);
ZCBUF_API void *zcbuf_realloc_hook(void *ptr, size_t size, void *heap);

#ifdef __cplusplus
}
#endif

#endif /* ZCBUF_MALLOC_H */

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Memory of a pool for who knows only malloc() and free(). The handle of a buffer is
 * found by its address, in a table that is no part of the pool.
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define FIRST_SIZE	64	/* entries of a table, a power of two */

/*
 * struct piece - a buffer that was handed out, or what malloc() has where the pool was
 * @data: its address; NULL: a free entry
 * @handle: of the buffer; 0: it is none
 * @length: bytes asked for
 */
struct piece {
	unsigned char *data;
	__u64 handle;
	size_t length;
	size_t capacity;
};

/*
 * struct zcbuf_malloc
 * @pool: holds a reference
 * @lock: of the table; no call is made under it
 * @table: by address, each where it belongs or behind that without a gap
 * @mask: entries of it, less one
 * @used: of them; at most half
 */
struct zcbuf_malloc {
	struct zcbuf_pool *pool;
	size_t min;
	__u32 flags;
	pthread_mutex_t lock;
	struct piece *table;
	size_t mask;
	size_t used;
};

/* ------------------------------------------------------------------ table */

static size_t place_of(const struct zcbuf_malloc *heap, const void *data)
{
	__u64 hash = (uintptr_t)data / 16 * 0x9e3779b97f4a7c15ULL;

	return (hash >> 32) & heap->mask;
}

/* Where it is, or the free entry it would be put in. */
static struct piece *piece_at(const struct zcbuf_malloc *heap, const void *data)
{
	size_t i = place_of(heap, data);

	while (heap->table[i].data && heap->table[i].data != data)
		i = (i + 1) & heap->mask;
	return &heap->table[i];
}

static int table_grow(struct zcbuf_malloc *heap)
{
	struct piece *old = heap->table;
	size_t i, size = heap->mask + 1;

	heap->table = calloc(2 * size, sizeof(*old));
	if (!heap->table) {
		heap->table = old;
		return -ENOMEM;
	}
	heap->mask = 2 * size - 1;
	for (i = 0; i < size; i++)
		if (old[i].data)
			*piece_at(heap, old[i].data) = old[i];
	free(old);
	return 0;
}

/* Those behind it that would not be found any more move up. */
static void table_remove(struct zcbuf_malloc *heap, struct piece *piece)
{
	size_t hole = piece - heap->table;
	size_t i, home;

	for (i = (hole + 1) & heap->mask; heap->table[i].data;
	     i = (i + 1) & heap->mask) {
		home = place_of(heap, heap->table[i].data);
		if (((i - home) & heap->mask) < ((i - hole) & heap->mask))
			continue;
		heap->table[hole] = heap->table[i];
		hole = i;
	}
	heap->table[hole].data = NULL;
	heap->used--;
}

static int piece_add(struct zcbuf_malloc *heap, const struct zcbuf_buf *buf)
{
	struct piece *piece;
	int err = 0;

	pthread_mutex_lock(&heap->lock);
	if (2 * heap->used > heap->mask)
		err = table_grow(heap);
	if (!err) {
		piece = piece_at(heap, buf->data);
		/* Unless its buffer was freed behind our back, it is new. */
		heap->used += !piece->data;
		*piece = (struct piece){
			buf->data, buf->handle, buf->length, buf->capacity,
		};
	}
	pthread_mutex_unlock(&heap->lock);
	return err;
}

/* The one at @data, if there is one; @remove: it is not in the table any more */
static bool piece_find(struct zcbuf_malloc *heap, const void *data, bool remove,
		       struct piece *out)
{
	struct piece *piece;
	bool found;

	pthread_mutex_lock(&heap->lock);
	piece = piece_at(heap, data);
	found = piece->data;
	*out = *piece;
	if (found && remove)
		table_remove(heap, piece);
	pthread_mutex_unlock(&heap->lock);
	return found;
}

static struct zcbuf_buf buf_of(const struct zcbuf_malloc *heap,
			       const struct piece *piece)
{
	return (struct zcbuf_buf){
		.data = piece->data,
		.length = piece->length,
		.capacity = piece->capacity,
		.offset = zcbuf_buf_offset(piece->handle),
		.handle = piece->handle,
		.pool = heap->pool,
	};
}

/* Also where it is mapped no more, by a pool that was closed. */
static bool is_of_pool(const struct zcbuf_malloc *heap, const void *ptr)
{
	const struct zcb_map *map = heap->pool->map;

	return (uintptr_t)ptr - (uintptr_t)map->base < map->reserved;
}

/* ------------------------------------------------------------------ heaps */

static int heap_new(struct zcbuf_pool *pool,
		    const struct zcbuf_malloc_opts *opts,
		    struct zcbuf_malloc **out)
{
	struct zcbuf_malloc *heap = calloc(1, sizeof(*heap));

	if (!heap)
		return -ENOMEM;
	heap->table = calloc(FIRST_SIZE, sizeof(*heap->table));
	if (!heap->table) {
		free(heap);
		return -ENOMEM;
	}
	heap->mask = FIRST_SIZE - 1;
	heap->min = opts->min;
	heap->flags = opts->flags;
	heap->pool = pool;
	zcb_pool_get(pool);
	pthread_mutex_init(&heap->lock, NULL);
	*out = heap;
	return 0;
}

int zcbuf_malloc_create(struct zcbuf_pool *pool,
			const struct zcbuf_malloc_opts *user_opts,
			struct zcbuf_malloc **out)
{
	struct zcbuf_malloc_opts opts;
	int err;

	err = zcb_opts_read(&opts, sizeof(opts), user_opts, sizeof(opts));
	if (err)
		return err;
	if ((opts.flags & ~ZCBUF_MALLOC_F_FALLBACK) || opts.reserved)
		return -EOPNOTSUPP;
	err = zcb_pool_writable(pool);
	return err ? err : heap_new(pool, &opts, out);
}

int zcbuf_malloc_close(struct zcbuf_malloc *heap)
{
	int left = 0;
	size_t i;

	if (!heap)
		return 0;
	for (i = 0; i <= heap->mask; i++)
		left += heap->table[i].data && heap->table[i].handle;
	pthread_mutex_destroy(&heap->lock);
	zcb_pool_put(heap->pool);
	free(heap->table);
	free(heap);
	return left;
}

/* ----------------------------------------------------------------- pieces */

static int pool_piece(struct zcbuf_malloc *heap, size_t size, __u32 flags,
		      void **out)
{
	struct zcbuf_buf_opts opts = { .sz = sizeof(opts), .flags = flags };
	struct zcbuf_buf buf;
	int err;

	err = zcbuf_buf_alloc_opts(heap->pool, size ? size : 1, &opts, &buf);
	if (err)
		return err;
	*out = buf.data;
	err = piece_add(heap, &buf);
	if (err)
		zcbuf_buf_free(&buf);
	return err;
}

static void *own_memory(size_t size, __u32 flags)
{
	if (flags & ZCBUF_ALLOC_F_ZERO)
		return calloc(1, size ? size : 1);
	return malloc(size ? size : 1);
}

/* Where a pool was that is closed, it would be taken for a piece of that. */
static void *own_piece(struct zcbuf_malloc *heap, size_t size, __u32 flags)
{
	struct zcbuf_buf buf = { .data = own_memory(size, flags) };

	if (!buf.data || !is_of_pool(heap, buf.data))
		return buf.data;
	buf.length = size;
	buf.capacity = malloc_usable_size(buf.data);
	if (!piece_add(heap, &buf))
		return buf.data;
	free(buf.data);
	return NULL;
}

/* @flags: of ALLOC */
static void *get(struct zcbuf_malloc *heap, size_t size, __u32 flags)
{
	void *piece;
	int err;

	if (size < heap->min)
		return own_piece(heap, size, flags);
	err = pool_piece(heap, size, flags, &piece);
	if (!err)
		return piece;
	if (heap->flags & ZCBUF_MALLOC_F_FALLBACK)
		return own_piece(heap, size, flags);
	zcb_log(heap->pool, err, "no memory for a library that asks by a hook");
	return NULL;
}

void *zcbuf_malloc_alloc(struct zcbuf_malloc *heap, size_t size)
{
	return get(heap, size, 0);
}

void *zcbuf_malloc_calloc(struct zcbuf_malloc *heap, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return get(heap, bytes, ZCBUF_ALLOC_F_ZERO);
}

void zcbuf_malloc_free(struct zcbuf_malloc *heap, void *ptr)
{
	struct zcbuf_buf buf;
	struct piece piece;
	int err = -EBADSLT;

	if (!ptr)
		return;
	if (piece_find(heap, ptr, true, &piece)) {
		buf = buf_of(heap, &piece);
		/* Which does nothing if it is none. */
		err = zcbuf_buf_free(&buf);
		if (!piece.handle)
			free(ptr);
	} else if (!is_of_pool(heap, ptr)) {
		free(ptr);
		return;
	}
	if (err)
		zcb_log(heap->pool, err, "what a library frees by a hook is not free");
}

size_t zcbuf_malloc_size(struct zcbuf_malloc *heap, const void *ptr)
{
	struct piece piece;

	if (!ptr)
		return 0;
	if (piece_find(heap, ptr, false, &piece))
		return piece.capacity;
	return is_of_pool(heap, ptr) ? 0 : malloc_usable_size((void *)ptr);
}

/* In its place, if there is room; what it is used for is told by its length. */
static bool stays(struct zcbuf_malloc *heap, const void *ptr, size_t size)
{
	struct piece *piece;
	bool fits;

	pthread_mutex_lock(&heap->lock);
	piece = piece_at(heap, ptr);
	fits = piece->data && size <= piece->capacity;
	if (fits)
		piece->length = size;
	pthread_mutex_unlock(&heap->lock);
	return fits;
}

void *zcbuf_malloc_realloc(struct zcbuf_malloc *heap, void *ptr, size_t size)
{
	size_t had = zcbuf_malloc_size(heap, ptr);
	void *piece;

	if (ptr && stays(heap, ptr, size))
		return ptr;
	if (ptr && !is_of_pool(heap, ptr) && size < heap->min && size <= had)
		return ptr;
	piece = get(heap, size, 0);
	if (!piece)
		return NULL;
	if (had)
		memcpy(piece, ptr, had < size ? had : size);
	zcbuf_malloc_free(heap, ptr);
	return piece;
}

int zcbuf_malloc_buf(struct zcbuf_malloc *heap, const void *ptr,
		     struct zcbuf_buf *buf)
{
	struct piece piece;

	if (!piece_find(heap, ptr, false, &piece) || !piece.handle)
		return -ENOENT;
	*buf = buf_of(heap, &piece);
	return 0;
}

int zcbuf_malloc_take(struct zcbuf_malloc *heap, void *ptr,
		      struct zcbuf_buf *buf)
{
	struct piece piece;
	int err = zcbuf_malloc_buf(heap, ptr, buf);

	if (!err)
		piece_find(heap, ptr, true, &piece);
	return err;
}

/* ------------------------------------------------------------------ hooks */

void *zcbuf_malloc_zalloc(void *heap, unsigned int items, unsigned int size)
{
	return zcbuf_malloc_alloc(heap, (size_t)items * size);
}

void zcbuf_malloc_zfree(void *heap, void *ptr)
{
	zcbuf_malloc_free(heap, ptr);
}

void *zcbuf_malloc_hook(size_t size, void *heap)
{
	return zcbuf_malloc_alloc(heap, size);
}

void zcbuf_free_hook(void *ptr, void *heap)
{
	zcbuf_malloc_free(heap, ptr);
}

void *zcbuf_calloc_hook(size_t n, size_t size, void *heap)
{
	return zcbuf_malloc_calloc(heap, n, size);
}

void *zcbuf_realloc_hook(void *ptr, size_t size, void *heap)
{
	return zcbuf_malloc_realloc(heap, ptr, size);
}

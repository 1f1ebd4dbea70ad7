// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Aligned buffers: whole pages that are owned, of the process or of a pool. Those
 * of the process are malloc()'s, which keeps freed ones at hand; the pages of a pool
 * cost a system call each way.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

static size_t page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

static bool is_paged(size_t n)
{
	return !(n & (page_size() - 1));
}

static int own_alloc(struct zcbuf_abuf *got, size_t align, bool zero)
{
	void *ptr = NULL;

	if (posix_memalign(&ptr, align, got->cap) || !ptr)
		return -ENOMEM;
	if (zero)
		memset(ptr, 0, got->cap);
	got->ptr = ptr;
	return 0;
}

static int pool_alloc(struct zcbuf_abuf *got, struct zcbuf_pool *pool,
		      size_t align, bool zero)
{
	const struct zcbuf_buf_opts opts = {
		.sz = sizeof(opts),
		.align = align,
		.flags = zero ? ZCBUF_ALLOC_F_ZERO : 0,
	};
	struct zcbuf_buf buf;
	int err;

	if (align > UINT32_MAX)
		return -EINVAL;
	err = zcbuf_buf_alloc_opts(pool, got->cap, &opts, &buf);
	if (err)
		return err;
	got->ptr = buf.data;
	got->handle = buf.handle;
	got->pool = pool;
	return 0;
}

static int abuf_alloc(struct zcbuf_abuf *abuf, struct zcbuf_pool *pool,
		      size_t cap, size_t align, bool zero)
{
	const size_t page = page_size();
	struct zcbuf_abuf got = { 0 };
	int err;

	if (align < page || (align & (align - 1)))
		return -EINVAL;
	if (cap > SIZE_MAX - page)
		return -E2BIG;
	got.cap = cap ? (cap + page - 1) & -page : page;
	err = pool ? pool_alloc(&got, pool, align, zero) :
		     own_alloc(&got, align, zero);
	if (!err)
		*abuf = got;
	return err;
}

int zcbuf_abuf_aligned(struct zcbuf_abuf *abuf, struct zcbuf_pool *pool,
		       size_t cap, size_t align)
{
	return abuf_alloc(abuf, pool, cap, align, false);
}

int zcbuf_abuf_with_cap(struct zcbuf_abuf *abuf, struct zcbuf_pool *pool,
			size_t cap)
{
	return abuf_alloc(abuf, pool, cap, page_size(), false);
}

int zcbuf_abuf_page(struct zcbuf_abuf *abuf, struct zcbuf_pool *pool)
{
	return zcbuf_abuf_with_cap(abuf, pool, 0);
}

int zcbuf_abuf_pages(struct zcbuf_abuf *abuf, struct zcbuf_pool *pool, size_t n)
{
	const size_t page = page_size();

	if (!n)
		return -EINVAL;
	if (n > SIZE_MAX / page)
		return -E2BIG;
	return zcbuf_abuf_with_cap(abuf, pool, n * page);
}

int zcbuf_abuf_zeroed(struct zcbuf_abuf *abuf, struct zcbuf_pool *pool,
		      size_t len)
{
	int err = abuf_alloc(abuf, pool, len, page_size(), true);

	if (!err)
		abuf->len = len;
	return err;
}

int zcbuf_abuf_append(struct zcbuf_abuf *abuf, const void *data, size_t n)
{
	if (n > abuf->cap - abuf->len)
		return -ENOSPC;
	if (n)
		memcpy(abuf->ptr + abuf->len, data, n);
	abuf->len += n;
	return 0;
}

int zcbuf_abuf_set_len(struct zcbuf_abuf *abuf, size_t len)
{
	if (len > abuf->cap)
		return -ERANGE;
	abuf->len = len;
	return 0;
}

int zcbuf_abuf_try_clone(const struct zcbuf_abuf *abuf, struct zcbuf_abuf *out)
{
	struct zcbuf_abuf got;
	int err;

	if (!abuf->ptr)
		return -EINVAL;
	err = zcbuf_abuf_with_cap(&got, abuf->pool, abuf->cap);
	if (err)
		return err;
	zcbuf_abuf_append(&got, abuf->ptr, abuf->len);
	*out = got;
	return 0;
}

int zcbuf_abuf_leak(struct zcbuf_abuf *abuf, struct zcbuf_raw *out)
{
	if (!abuf->ptr)
		return -EINVAL;
	if (abuf->handle)
		return -EOPNOTSUPP;
	*out = zcbuf_abuf_raw(abuf);
	memset(abuf, 0, sizeof(*abuf));
	return 0;
}

int zcbuf_abuf_adopt(struct zcbuf_raw raw, struct zcbuf_abuf *abuf)
{
	if (!raw.ptr || !raw.cap || !is_paged((uintptr_t)raw.ptr) ||
	    !is_paged(raw.cap))
		return -EINVAL;
	if (raw.len > raw.cap)
		return -ERANGE;
	*abuf = (struct zcbuf_abuf){ raw.ptr, raw.len, raw.cap, 0, NULL };
	return 0;
}

int zcbuf_abuf_into_buf(struct zcbuf_abuf *abuf, struct zcbuf_buf *out)
{
	const __u64 handle = abuf->handle;
	struct zcbuf_buf got = {
		.data = abuf->ptr,
		.length = abuf->len,
		.capacity = abuf->cap,
		.offset = ZCBUF_NO_OFFSET,
		.handle = handle,
		.pool = abuf->pool,
	};

	if (!handle)
		return -EINVAL;
	if (!zcb_fallback_has(handle)) {
		got.offset = zcbuf_buf_offset(handle);
		got.capacity = zcbuf_buf_capacity(handle,
						  got.pool->class_size);
	}
	memset(abuf, 0, sizeof(*abuf));
	*out = got;
	return 0;
}

int zcbuf_abuf_from_buf(struct zcbuf_buf *buf, struct zcbuf_abuf *abuf)
{
	const size_t page = page_size();

	if (!buf->handle || buf->capacity < page ||
	    !is_paged((uintptr_t)buf->data))
		return -EINVAL;
	*abuf = (struct zcbuf_abuf){
		.ptr = buf->data,
		.len = buf->length,
		.cap = buf->capacity & -page,
		.handle = buf->handle,
		.pool = buf->pool,
	};
	zcbuf_abuf_truncate(abuf, abuf->cap);
	memset(buf, 0, sizeof(*buf));
	return 0;
}

int zcbuf_abuf_free(struct zcbuf_abuf *abuf)
{
	struct zcbuf_buf buf = { .handle = abuf->handle, .pool = abuf->pool };
	int err = 0;

	if (abuf->handle)
		err = zcbuf_buf_free(&buf);
	else
		free(abuf->ptr);
	if (!err)
		memset(abuf, 0, sizeof(*abuf));
	return err;
}

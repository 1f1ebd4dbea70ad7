// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Views of memory: pointer and two lengths, checked whenever one is made of
 * another.
 */
#include <errno.h>
#include <limits.h>

#include "internal.h"

static bool is_aligned(size_t n)
{
	return !(n & (ZCBUF_DIRECT_ALIGN - 1));
}

int zcbuf_raw_from(void *ptr, size_t len, size_t cap, __u32 flags,
		   struct zcbuf_raw *out)
{
	if (flags & ~ZCBUF_RAW_STRICT)
		return -EOPNOTSUPP;
	if ((flags & ZCBUF_RAW_STRICT) &&
	    (!is_aligned((uintptr_t)ptr) || !is_aligned(cap)))
		return -EINVAL;
	if (len > cap || cap > UINTPTR_MAX - (uintptr_t)ptr)
		return -ERANGE;
	*out = (struct zcbuf_raw){ .ptr = ptr, .len = len, .cap = cap };
	return 0;
}

static int raw_check(struct zcbuf_raw raw, size_t offset, size_t n)
{
	return offset <= raw.cap && n <= raw.cap - offset ? 0 : -ERANGE;
}

static int raw_slice(struct zcbuf_raw raw, size_t offset, size_t n, size_t len,
		     struct zcbuf_raw *out)
{
	int err;

	if (!n || !is_aligned((uintptr_t)raw.ptr) || !is_aligned(offset) ||
	    !is_aligned(n))
		return -EINVAL;
	err = raw_check(raw, offset, n);
	if (!err)
		*out = (struct zcbuf_raw){ raw.ptr + offset, len, n };
	return err;
}

int zcbuf_raw_slice_read(struct zcbuf_raw raw, size_t offset, size_t n,
			 struct zcbuf_raw *out)
{
	return raw_slice(raw, offset, n, 0, out);
}

int zcbuf_raw_slice_write(struct zcbuf_raw raw, size_t offset, size_t n,
			  struct zcbuf_raw *out)
{
	return raw_slice(raw, offset, n, n, out);
}

int zcbuf_raw_slice_unchecked(struct zcbuf_raw raw, size_t offset, size_t n,
			      struct zcbuf_raw *out)
{
	size_t valid = offset < raw.len ? raw.len - offset : 0;
	int err = raw_check(raw, offset, n);

	if (err)
		return err;
	*out = (struct zcbuf_raw){
		.ptr = raw.ptr ? raw.ptr + offset : NULL,
		.len = valid < n ? valid : n,
		.cap = n,
	};
	return 0;
}

int zcbuf_raw_frames(struct zcbuf_raw raw, size_t n, struct zcbuf_raw *out,
		     unsigned int max)
{
	size_t count;
	size_t i;

	if (!n || !is_aligned(n) || !is_aligned((uintptr_t)raw.ptr))
		return -EINVAL;
	count = raw.cap / n;
	if (count > INT_MAX)
		return -E2BIG;
	if (out && count > max)
		return -EMSGSIZE;
	for (i = 0; out && i < count; i++)
		out[i] = (struct zcbuf_raw){ raw.ptr + i * n, 0, n };
	return count;
}

int zcbuf_raw_set_init(struct zcbuf_raw *raw, size_t n)
{
	if (n > raw->cap)
		return -ERANGE;
	raw->len = n;
	return 0;
}

int zcbuf_raws_iovec(const struct zcbuf_raw *raws, unsigned int n,
		     struct iovec *iov)
{
	unsigned int i;

	zcbuf_raws_iovec_room(raws, n, iov);
	for (i = 0; i < n; i++)
		iov[i].iov_len = raws[i].len;
	return n;
}

int zcbuf_raws_iovec_room(const struct zcbuf_raw *raws, unsigned int n,
			  struct iovec *iov)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		iov[i].iov_base = raws[i].ptr;
		iov[i].iov_len = raws[i].cap;
	}
	return n;
}

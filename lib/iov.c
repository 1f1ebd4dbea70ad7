// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Where bytes are: iovecs over buffers, groups and pieces, and whole blocks for
 * files opened O_DIRECT. Nothing is copied.
 */
#include <errno.h>
#include <string.h>

#include "internal.h"

#define MAX_PAD		4096	/* an extent owns its last page, no more */

int zcbuf_bufs_iovec(const struct zcbuf_buf *bufs, unsigned int n,
		     struct iovec *iov)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		iov[i].iov_base = bufs[i].data;
		iov[i].iov_len = bufs[i].length;
	}
	return n;
}

static int iov_set(const struct zcbuf_pool *pool, __u64 offset, __u64 length,
		   struct iovec *iov)
{
	iov->iov_len = length;
	return zcb_map_range(pool, offset, length, &iov->iov_base);
}

int zcbuf_delivery_iovec(const struct zcbuf_pool *pool,
			 const struct zcbuf_delivery *delivery,
			 struct iovec iov[ZCBUF_MAX_EXTENTS])
{
	unsigned int i;
	int err;

	if (delivery->nextents > ZCBUF_MAX_EXTENTS)
		return -ERANGE;
	for (i = 0; i < delivery->nextents; i++) {
		err = iov_set(pool, delivery->extents[i].pool_offset,
			      delivery->extents[i].length, &iov[i]);
		if (err)
			return err;
	}
	return delivery->nextents;
}

int zcbuf_pieces_iovec(const struct zcbuf_pool *pool,
		       const struct zcbuf_piece *pieces, unsigned int n,
		       struct iovec *iov)
{
	unsigned int i;
	int err;

	for (i = 0; i < n; i++) {
		err = iov_set(pool, pieces[i].pool_offset, pieces[i].length,
			      &iov[i]);
		if (err)
			return err;
	}
	return n;
}

__s64 zcbuf_extent_pad(const struct zcbuf_pool *pool,
		       const struct zcbuf_extent *extent, size_t align)
{
	void *data;
	size_t pad;
	int err;

	if (!align || align > MAX_PAD || (align & (align - 1)) ||
	    (extent->pool_offset & (align - 1)))
		return -EINVAL;
	err = zcb_pool_writable(pool);
	if (err)
		return err;

	pad = -(size_t)extent->length & (align - 1);
	if (extent->length + pad < pad)
		return -ERANGE;
	err = zcb_map_range(pool, extent->pool_offset, extent->length + pad,
			    &data);
	if (err)
		return err;
	memset((unsigned char *)data + extent->length, 0, pad);
	return extent->length + pad;
}

__s64 zcbuf_delivery_pad(const struct zcbuf_pool *pool,
			 const struct zcbuf_delivery *delivery, size_t align)
{
	__s64 total = 0;
	unsigned int i;
	__s64 length;

	if (delivery->nextents > ZCBUF_MAX_EXTENTS)
		return -ERANGE;
	for (i = 0; i < delivery->nextents; i++) {
		length = zcbuf_extent_pad(pool, &delivery->extents[i], align);
		if (length < 0)
			return length;
		total += length;
	}
	return total;
}

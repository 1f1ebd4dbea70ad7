// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Transforms: hooks of the program's that encode messages and decode them.
 */
#include <errno.h>

#include "internal.h"

int zcb_transform_read(struct zcbuf_transform *dst,
		       const struct zcbuf_transform *src)
{
	int err;

	if (!src)
		return -EINVAL;
	err = zcb_opts_read(dst, sizeof(*dst), src, sizeof(*dst));
	if (err)
		return err;
	if (dst->reserved)
		return -EOPNOTSUPP;
	return dst->encoding ? 0 : -EINVAL;
}

__s64 zcb_transform_run(const struct zcbuf_transform *transform,
			__s64 (*fn)(void *ctx, void *dst, size_t capacity,
				    const void *src, size_t length),
			void *dst, size_t capacity, const void *src,
			size_t length)
{
	__s64 n = fn(transform->ctx, dst, capacity, src, length);

	return n > 0 && (__u64)n > capacity ? -ERANGE : n;
}

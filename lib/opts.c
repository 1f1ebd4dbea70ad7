// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Structs that grow: user space's copy_struct_from_user().
 */
#include <errno.h>
#include <string.h>

#include "internal.h"

#define MAX_OPTS	4096	/* a size beyond this was never set */

static bool is_zero(const unsigned char *p, size_t n)
{
	while (n--)
		if (*p++)
			return false;
	return true;
}

int zcb_opts_read(void *dst, size_t size, const void *src, size_t min)
{
	size_t sz;

	memset(dst, 0, size);
	if (!src)
		return 0;

	memcpy(&sz, src, sizeof(sz));
	if (sz < min)
		return -EINVAL;
	if (sz > MAX_OPTS)
		return -E2BIG;
	if (sz > size && !is_zero((const unsigned char *)src + size, sz - size))
		return -E2BIG;
	memcpy(dst, src, sz < size ? sz : size);
	return 0;
}

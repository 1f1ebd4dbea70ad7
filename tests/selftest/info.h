/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the pool of a session is like now.
 */
#ifndef ZCBUF_SELFTEST_INFO_H
#define ZCBUF_SELFTEST_INFO_H

#include "common.h"
#include "ktap.h"

static __inline__ struct zcbuf_pool_info zt_info(int fd)
{
	struct zcbuf_pool_info info;

	ASSERT_OK(zt_pool_info(fd, &info));
	return info;
}

#endif /* ZCBUF_SELFTEST_INFO_H */

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What no result tells, to whom wants to know.
 */
#include "internal.h"

int zcbuf_pool_log(struct zcbuf_pool *pool, const struct zcbuf_log *log)
{
	struct zcbuf_log read;
	int err = zcb_opts_read(&read, sizeof(read), log, sizeof(read));

	if (!err)
		pool->log = read;
	return err;
}

void zcb_log(const struct zcbuf_pool *pool, int err, const char *text)
{
	if (pool->log.message)
		pool->log.message(pool->log.ctx, pool, err, text);
}

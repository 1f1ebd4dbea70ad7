// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Who keeps a table of fixed buffers if nobody else is named: io_uring.
 */
#include <errno.h>
#include <liburing.h>

#include "internal.h"

static int ring_register_table(void *ctx, unsigned int nslots)
{
	return io_uring_register_buffers_sparse(ctx, nslots);
}

/* An iovec without address empties a slot. */
static int ring_update_slot(void *ctx, unsigned int slot, void *base,
			    size_t length)
{
	struct iovec iov = { .iov_base = base, .iov_len = length };
	int done;

	done = io_uring_register_buffers_update_tag(ctx, slot, &iov, NULL, 1);
	if (done < 0)
		return done;
	return done == 1 ? 0 : -EINVAL;
}

static int ring_unregister_table(void *ctx)
{
	return io_uring_unregister_buffers(ctx);
}

static const struct zcbuf_registrar ring_registrar = {
	.sz = sizeof(ring_registrar),
	.register_table = ring_register_table,
	.update_slot = ring_update_slot,
	.unregister_table = ring_unregister_table,
};

const struct zcbuf_registrar *zcbuf_registrar_io_uring(void)
{
	return &ring_registrar;
}

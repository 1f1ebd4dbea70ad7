// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Who keeps tables of fixed buffers and files if nobody else is named: io_uring.
 */
#include <errno.h>
#include <liburing.h>

#include "internal.h"

/* What liburing has no function for, up to version 2.7. */
#define REGISTER_CLONE_BUFFERS	30

struct clone_buffers {
	__u32 src_fd;
	__u32 flags;
	__u32 pad[6];
};

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

/* A kernel that does not know the call says the same as one that refuses. */
static int ring_clone_table(void *ctx, void *from)
{
	const struct io_uring *ring = ctx;
	const struct io_uring *source = from;
	struct clone_buffers arg = { .src_fd = source->ring_fd };
	int err;

	err = io_uring_register(ring->ring_fd, REGISTER_CLONE_BUFFERS, &arg, 1);
	if (err == -EINVAL && zcb_kernel_before(6, 12))
		return -EOPNOTSUPP;
	return err;
}

static int ring_register_files(void *ctx, unsigned int nslots)
{
	return io_uring_register_files_sparse(ctx, nslots);
}

static int ring_update_file(void *ctx, unsigned int slot, int fd)
{
	int done = io_uring_register_files_update(ctx, slot, &fd, 1);

	if (done < 0)
		return done;
	return done == 1 ? 0 : -EINVAL;
}

static int ring_unregister_files(void *ctx)
{
	return io_uring_unregister_files(ctx);
}

static const struct zcbuf_registrar ring_registrar = {
	.sz = sizeof(ring_registrar),
	.register_table = ring_register_table,
	.update_slot = ring_update_slot,
	.unregister_table = ring_unregister_table,
	.clone_table = ring_clone_table,
	.register_files = ring_register_files,
	.update_file = ring_update_file,
	.unregister_files = ring_unregister_files,
};

const struct zcbuf_registrar *zcbuf_registrar_io_uring(void)
{
	return &ring_registrar;
}

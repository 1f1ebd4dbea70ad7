// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Operations of io_uring that are fixed where they can be.
 */
#include <liburing.h>

#include "internal.h"

/* The ring's slot to use, or -1: plain. */
static int fixed_slot(const struct zcbuf_uring *uring, const void *ptr,
		      unsigned int len)
{
	struct zcbuf_slot slot;

	if (len > uring->fixed_max)
		return -1;
	return zcbuf_uring_slot(uring, ptr, len, &slot) ? (int)slot.index : -1;
}

int zcbuf_uring_prep_read(const struct zcbuf_uring *uring,
			  struct io_uring_sqe *sqe, int fd, void *ptr,
			  unsigned int len, __u64 file_offset)
{
	int slot = fixed_slot(uring, ptr, len);

	if (slot < 0) {
		io_uring_prep_read(sqe, fd, ptr, len, file_offset);
		return 0;
	}
	io_uring_prep_read_fixed(sqe, fd, ptr, len, file_offset, slot);
	return 1;
}

int zcbuf_uring_prep_write(const struct zcbuf_uring *uring,
			   struct io_uring_sqe *sqe, int fd, const void *ptr,
			   unsigned int len, __u64 file_offset)
{
	int slot = fixed_slot(uring, ptr, len);

	if (slot < 0) {
		io_uring_prep_write(sqe, fd, ptr, len, file_offset);
		return 0;
	}
	io_uring_prep_write_fixed(sqe, fd, ptr, len, file_offset, slot);
	return 1;
}

int zcbuf_uring_prep_send_zc(const struct zcbuf_uring *uring,
			     struct io_uring_sqe *sqe, int sockfd,
			     const void *ptr, unsigned int len, int flags,
			     unsigned int zc_flags)
{
	int slot = fixed_slot(uring, ptr, len);

	if (slot < 0) {
		io_uring_prep_send_zc(sqe, sockfd, ptr, len, flags, zc_flags);
		return 0;
	}
	io_uring_prep_send_zc_fixed(sqe, sockfd, ptr, len, flags, zc_flags,
				    slot);
	return 1;
}

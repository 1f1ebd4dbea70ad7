/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the tests with io_uring share.
 */
#ifndef ZCBUF_SELFTEST_RING_H
#define ZCBUF_SELFTEST_RING_H

#include <errno.h>

#include <liburing.h>

/* The next completion, whatever signals there are: 0 or -errno. */
static __inline__ int ring_wait(struct io_uring *ring,
				struct io_uring_cqe **cqe)
{
	int err;

	do {
		err = io_uring_wait_cqe(ring, cqe);
	} while (err == -EINTR);
	return err;
}

#endif /* ZCBUF_SELFTEST_RING_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * libzcbuf-user: pool memory as fixed buffers of io_uring. A part of
 * <zcbuf/zcbuf.h>, which includes it and says what holds for all functions.
 */
#ifndef ZCBUF_URING_H
#define ZCBUF_URING_H

#include <zcbuf/zcbuf.h>

#ifdef __cplusplus
extern "C" {
#endif

struct io_uring;
struct io_uring_sqe;

/*
 * struct zcbuf_uring - a pool registered with a ring; zcbuf_uring_* only
 *
 * The helpers below work whatever became of the registration: without it they
 * prepare plain operations.
 */
struct zcbuf_uring {
	struct io_uring *ring;
	const struct zcbuf_pool *pool;
	unsigned char *base;
	size_t size;
	size_t arena_size;
	unsigned int first_slot;
	unsigned int nslots;
	int owns_table;
	int __reserved;
};

/*
 * zcbuf_uring_slots() - fixed-buffer slots a pool takes: one for each arena it
 * has or may grow by, which is split where it is larger than 1 GiB, the most a
 * slot can hold
 */
ZCBUF_API int zcbuf_uring_slots(const struct zcbuf_pool *pool);

/*
 * zcbuf_uring_register() - make a table of fixed buffers of a pool's memory
 * @uring: written, also on failure: usable with plain operations
 * @ring: a ring without a table. It and @pool outlive @uring's use.
 *
 * The table has zcbuf_uring_slots(); those of arenas to come stay empty, see
 * zcbuf_uring_update().
 *
 * -EBUSY: the ring has a table; see zcbuf_uring_register_at(). -ENOMEM: above
 * RLIMIT_MEMLOCK. -EFAULT: the pool is attached read-only, such memory cannot
 * be registered. -EOPNOTSUPP, -EINVAL: this kernel cannot. Nothing stays
 * registered then.
 */
ZCBUF_API int zcbuf_uring_register(struct zcbuf_uring *uring,
				   struct io_uring *ring,
				   const struct zcbuf_pool *pool);

/*
 * zcbuf_uring_register_at() - the same in a table the ring has already
 * @first_slot: the first of zcbuf_uring_slots() that are free; those of arenas
 *	to come must stay so
 *
 * So several pools, and the caller's own buffers, live on one ring. -EINVAL:
 * slots beyond the table. -ENXIO: the ring has no table. Else as above.
 */
ZCBUF_API int zcbuf_uring_register_at(struct zcbuf_uring *uring,
				      struct io_uring *ring,
				      const struct zcbuf_pool *pool,
				      unsigned int first_slot);

/*
 * zcbuf_uring_update() - register the arenas that came since
 *
 * What is registered keeps its slots; slots are in the order of the arenas.
 * Until then, operations on memory of a new arena are plain ones.
 *
 * Return: slots filled, 0 if there is nothing new, or nothing registered at all.
 * Errors: as zcbuf_uring_register_at(), and those of mapping; what was
 * registered before still is, and nothing more. -EBADF: in a fork child.
 */
ZCBUF_API int zcbuf_uring_update(struct zcbuf_uring *uring);

/*
 * zcbuf_uring_unregister() - take the pool off the ring again
 *
 * The table goes, if zcbuf_uring_register() made it, else the slots are empty
 * afterwards. Operations in flight keep their memory. Not registered: 0.
 */
ZCBUF_API int zcbuf_uring_unregister(struct zcbuf_uring *uring);

/*
 * zcbuf_uring_prep_read() - prepare a read of @len bytes at @file_offset
 * @sqe: from io_uring_get_sqe()
 * @ptr: anywhere
 *
 * Return: 1: READ_FIXED, all of it lies in one registered slot. 0: READ.
 */
ZCBUF_API int zcbuf_uring_prep_read(const struct zcbuf_uring *uring,
				    struct io_uring_sqe *sqe, int fd,
				    void *ptr, unsigned int len,
				    __u64 file_offset);

/* zcbuf_uring_prep_write() - the same for WRITE_FIXED and WRITE */
ZCBUF_API int zcbuf_uring_prep_write(const struct zcbuf_uring *uring,
				     struct io_uring_sqe *sqe, int fd,
				     const void *ptr, unsigned int len,
				     __u64 file_offset);

#ifdef __cplusplus
}
#endif

#endif /* ZCBUF_URING_H */

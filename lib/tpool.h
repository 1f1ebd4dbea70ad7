/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Tier pools: a ring of indices, and buffers for them.
 */
#ifndef ZCB_LIB_TPOOL_H
#define ZCB_LIB_TPOOL_H

#include <errno.h>

#include "internal.h"
#include "tring.h"

#define ZCB_TPOOL_BLOCKS	64U	/* of the pool, for the buffers of one */

struct zcb_tpool_shared;

/*
 * struct zcbuf_tpool
 * @ring: who has what
 * @pool: holds a reference
 * @shared: what the members have in common, in memory of the pool; NULL: it is
 *	private, and the ring is in the process's own
 * @control: the buffer that is in, or none
 * @size: bytes of a value
 * @block_shift: a block has 1 << this many values
 * @nblocks: of @blocks
 * @looked_ns: when the dead were looked for
 * @blocks: where the values are
 */
struct zcbuf_tpool {
	struct zcb_ring ring;
	struct zcbuf_pool *pool;
	struct zcb_tpool_shared *shared;
	struct zcbuf_buf control;
	size_t size;
	__u32 block_shift;
	__u32 nblocks;
	__u64 looked_ns;
	struct zcbuf_buf blocks[ZCB_TPOOL_BLOCKS];
};

static inline bool zcb_tpool_has(const struct zcbuf_tpool *tpool, int index)
{
	return (__u64)(unsigned int)index <= tpool->ring.mask;
}

/* 0, or -EBADF: its memory is not there. */
static inline int zcb_tpool_usable(const struct zcbuf_tpool *tpool)
{
	return tpool->pool->session.fd < 0 ? -EBADF : 0;
}

/* zcb_tpool_new - nothing but a reference of the pool; NULL: no memory */
struct zcbuf_tpool *zcb_tpool_new(struct zcbuf_pool *pool);

/* zcb_tpool_drop - buffers as far as there are any, the reference, all of it */
void zcb_tpool_drop(struct zcbuf_tpool *tpool);

/* ----------------------------------------------------------------- tshare.c */

/* zcb_tshare_create - the ring of a new one, in the pool; the values are there */
int zcb_tshare_create(struct zcbuf_tpool *tpool, __u32 capacity);

/* zcb_tshare_leave - what this member has is the others', and its number is free */
void zcb_tshare_leave(struct zcbuf_tpool *tpool);

/* zcb_tshare_wait - as zcbuf_tpool_get(), when there was none */
int zcb_tshare_wait(struct zcbuf_tpool *tpool, __u64 deadline_ns);

#endif /* ZCB_LIB_TPOOL_H */

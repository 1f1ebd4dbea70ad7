/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Handing out the memory of a pool: runs of pages for groups, buffers for
 * sessions. Takes the pool's mem_lock; zeroes outside it.
 */
#ifndef ZCB_OBJ_MEMORY_H
#define ZCB_OBJ_MEMORY_H

#include <linux/numa.h>

#include "pool.h"

struct zcb_session;

/**
 * struct zcb_memory_request - a buffer as it is wanted
 * @length: bytes; 0 is the smallest block of a PAGES pool, or object of a FIXED one
 * @align: power of two up to 2 MiB, or 0
 * @zero: it must read as zero
 * @on_node: all of it is of NUMA node @node
 * @nowait: do not sleep: no waiting, no growing, and no more than a few pages
 *	zeroed; @deadline_ns is 0
 * @node: with @on_node; there may be one of that number
 * @deadline_ns: how long to wait for room: 0, absolute, or NO_DEADLINE
 * @session: who waits, or NULL
 */
struct zcb_memory_request {
	u64 length;
	u32 align;
	bool zero;
	bool on_node;
	bool nowait;
	u32 node;
	u64 deadline_ns;
	const struct zcb_session *session;
};

/* zcb_memory_nid() - of which node it must be, or NUMA_NO_NODE; it is valid */
static inline int zcb_memory_nid(const struct zcb_memory_request *r)
{
	return r->on_node ? (int)r->node : NUMA_NO_NODE;
}

/**
 * struct zcb_memory_want - a block of pages as it is wanted
 * @order: of the block
 * @domain: who will use it
 * @nid: of this NUMA node only, or NUMA_NO_NODE
 * @zero: it must read as zero
 * @nowait: as of struct zcb_memory_request
 */
struct zcb_memory_want {
	u32 order;
	u32 domain;
	int nid;
	bool zero;
	bool nowait;
};

/**
 * struct zcb_memory_place - where a buffer is
 * @offset: pool offset
 * @capacity: bytes
 * @arena: number of its arena
 * @node: of its first page
 * @page_order: of the folios of that arena
 * @holders: how many have it
 */
struct zcb_memory_place {
	u64 offset;
	u64 capacity;
	u32 arena;
	u32 node;
	u32 page_order;
	u32 holders;
};

/**
 * struct zcb_spares - records that giving or sharing buffers may need
 * @shares: see share.h
 * @loans: see slabs.h
 */
struct zcb_spares {
	struct list_head shares;
	struct list_head loans;
};

void zcb_holdings_init(struct zcb_holdings *h);

/* zcb_holdings_bytes() - of the buffers; the caller holds the pool's mem_lock */
static inline u64 zcb_holdings_bytes(const struct zcb_holdings *h)
{
	return (h->blocks.pages << PAGE_SHIFT) + h->object_bytes +
	       h->fixed.bytes + h->share_bytes;
}

/* zcb_holdings_kept() - the same, but for slabs all their pages */
static inline u64 zcb_holdings_kept(const struct zcb_holdings *h)
{
	return ((h->blocks.pages + h->leases.pages) << PAGE_SHIFT) +
	       h->fixed.bytes + h->loan_bytes + h->share_bytes;
}

/* -ENOMEM: no block is free now. */
int zcb_memory_get(struct zcb_pool *pool, u64 bytes, u32 domain,
		   u64 *pool_offset, u32 *pages);
int zcb_memory_get_nowait(struct zcb_pool *pool, u64 bytes, u32 domain,
			  u64 *pool_offset, u32 *pages);
void zcb_memory_put(struct zcb_pool *pool, u64 pool_offset, u32 pages);
bool zcb_memory_room(struct zcb_pool *pool, u64 bytes);

int zcb_memory_alloc(struct zcb_pool *pool, struct zcb_holdings *h, u32 domain,
		     const struct zcb_memory_request *r, u64 *handle);
int zcb_memory_free(struct zcb_pool *pool, struct zcb_holdings *h, u64 handle);
int zcb_memory_find_locked(struct zcb_pool *pool, const struct zcb_holdings *h,
			   u64 handle, u64 *capacity);
int zcb_memory_find(struct zcb_pool *pool, const struct zcb_holdings *h,
		    u64 handle, struct zcb_memory_place *place);

/* give.c */
void zcb_give_prepare(struct zcb_pool *pool, const u64 *handles, u32 count,
		      bool share, struct zcb_spares *spares);
void zcb_give_finish(struct zcb_spares *spares);
int zcb_memory_transfer(struct zcb_pool *pool, struct zcb_holdings *from,
			struct zcb_holdings *to, u32 domain, u64 handle,
			struct zcb_spares *spares);
int zcb_memory_transfer_whole(struct zcb_pool *pool, struct zcb_holdings *from,
			      struct zcb_holdings *to, u32 domain, u64 handle,
			      struct zcb_spares *spares);
int zcb_memory_share(struct zcb_pool *pool, struct zcb_holdings *from,
		     struct zcb_holdings *to, u64 handle,
		     struct zcb_spares *spares);
/* What nothing pins; whether that was all: reclaim.c. */
bool zcb_memory_reclaim(struct zcb_pool *pool, struct zcb_holdings *h);

/* For slabs.c and reclaim.c. */
bool zcb_memory_much(u64 length);
int zcb_memory_block(struct zcb_pool *pool, const struct zcb_memory_want *w,
		     u32 *page);
void zcb_memory_count_locked(struct zcb_pool *pool, u64 bytes);
void zcb_memory_put_locked(struct zcb_pool *pool, u32 page, u32 npages);
void zcb_memory_put_block_locked(struct zcb_pool *pool, struct zcb_holdings *h,
				 u32 page);
void zcb_memory_put_fixed_locked(struct zcb_pool *pool, struct zcb_holdings *h,
				 u32 class, u32 object);
void zcb_memory_zero(struct zcb_pool *pool, u64 pool_offset, u64 length);

#endif /* ZCB_OBJ_MEMORY_H */

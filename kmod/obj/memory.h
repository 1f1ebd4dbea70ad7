/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Handing out the memory of a pool: runs of pages for groups, buffers for
 * sessions. Takes the pool's mem_lock; zeroes outside it.
 */
#ifndef ZCB_OBJ_MEMORY_H
#define ZCB_OBJ_MEMORY_H

#include "pool.h"

struct zcb_session;

/**
 * struct zcb_holdings - what a session holds of the pool's memory
 * @blocks: buffers that are blocks of pages
 * @leases: blocks leased to slab classes
 * @slabs: by class, its slabs; those with a free object first
 * @objects: slab objects out
 * @object_bytes: bytes of them
 * @fixed: objects of fixed classes
 *
 * The pool's mem_lock.
 */
struct zcb_holdings {
	struct zcb_buf_list blocks;
	struct zcb_buf_list leases;
	struct list_head slabs[ZCB_SLAB_CLASSES];
	u64 objects;
	u64 object_bytes;
	struct zcb_fixed_list fixed;
};

/**
 * struct zcb_memory_request - a buffer as it is wanted
 * @length: bytes; 0 is the smallest block of a PAGES pool
 * @align: power of two up to 2 MiB, or 0
 * @zero: it must read as zero
 * @deadline_ns: how long to wait for room: 0, absolute, or NO_DEADLINE
 */
struct zcb_memory_request {
	u64 length;
	u32 align;
	bool zero;
	u64 deadline_ns;
};

/**
 * struct zcb_memory_place - where a buffer is
 * @offset: pool offset
 * @capacity: bytes
 * @arena: number of its arena
 * @node: of its first page
 * @page_order: of the folios of that arena
 */
struct zcb_memory_place {
	u64 offset;
	u64 capacity;
	u32 arena;
	u32 node;
	u32 page_order;
};

void zcb_holdings_init(struct zcb_holdings *h);

/* -ENOMEM: no block is free now. */
int zcb_memory_get(struct zcb_pool *pool, u64 bytes, u32 domain,
		   u64 *pool_offset, u32 *pages);
void zcb_memory_put(struct zcb_pool *pool, u64 pool_offset, u32 pages);
bool zcb_memory_room(struct zcb_pool *pool, u64 bytes);

int zcb_memory_alloc(struct zcb_pool *pool, struct zcb_holdings *h, u32 domain,
		     const struct zcb_memory_request *r, u64 *handle);
int zcb_memory_free(struct zcb_pool *pool, struct zcb_holdings *h, u64 handle);
int zcb_memory_find(struct zcb_pool *pool, const struct zcb_holdings *h,
		    u64 handle, struct zcb_memory_place *place);
void zcb_memory_reclaim(struct zcb_pool *pool, struct zcb_holdings *h);

#endif /* ZCB_OBJ_MEMORY_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Slab objects of sessions: the part of memory.c that is about them.
 */
#ifndef ZCB_OBJ_SLABS_H
#define ZCB_OBJ_SLABS_H

#include <linux/types.h>

/*
 * So many with a free object are looked at, in one hold of the lock, for one that is
 * of a NUMA node: another is leased then, and comes first.
 */
#define ZCB_SLABS_LOOK		32U

struct list_head;
struct zcb_holdings;
struct zcb_loan;
struct zcb_memory_request;
struct zcb_pool;
struct zcb_slab;

int zcb_slabs_alloc(struct zcb_pool *pool, struct zcb_holdings *h, u32 domain,
		    u32 class, const struct zcb_memory_request *r, u64 *handle);
int zcb_slabs_free_locked(struct zcb_pool *pool, struct zcb_holdings *h,
			  u64 handle);
int zcb_slabs_find_locked(struct zcb_pool *pool, const struct zcb_holdings *h,
			  u64 handle, u64 *capacity);
u32 zcb_slabs_among(const struct zcb_pool *pool, const u64 *handles, u32 count);
void zcb_slabs_spare(struct zcb_pool *pool, struct list_head *spare, u32 n);
void zcb_slabs_spare_free(struct list_head *spare);
int zcb_slabs_transfer_locked(struct zcb_pool *pool, struct zcb_holdings *from,
			      struct zcb_holdings *to, u64 handle,
			      struct list_head *spare);
int zcb_slabs_mix_locked(struct zcb_pool *pool, struct zcb_holdings *h,
			 u64 handle, struct list_head *spare);
void zcb_slabs_abandon_locked(struct zcb_pool *pool, struct zcb_holdings *h,
			      struct zcb_slab *slab);
void zcb_slabs_return_locked(struct zcb_pool *pool, struct zcb_holdings *h,
			     struct zcb_loan *loan);

#endif /* ZCB_OBJ_SLABS_H */

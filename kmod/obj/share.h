/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * References to buffers that somebody holds besides their owner. What is called
 * _locked wants the pool's mem_lock.
 */
#ifndef ZCB_OBJ_SHARE_H
#define ZCB_OBJ_SHARE_H

#include <linux/types.h>

struct list_head;
struct zcb_holdings;
struct zcb_pool;

/* Shares that are paid for and about nothing yet. */
void zcb_shares_spare(struct zcb_pool *pool, struct list_head *spare, u32 n);
void zcb_shares_spare_free(struct list_head *spare);

bool zcb_share_has_locked(const struct zcb_pool *pool,
			  const struct zcb_holdings *h, u64 handle, u64 *bytes);
bool zcb_share_any_locked(const struct zcb_pool *pool, u64 handle);
u32 zcb_share_count_locked(const struct zcb_pool *pool, u64 handle);

/* -ENOMEM: @spare is empty. */
int zcb_share_add_locked(struct zcb_pool *pool, struct zcb_holdings *to,
			 u64 handle, u64 bytes, struct list_head *spare);
/* false: @from has none. */
bool zcb_share_move_locked(struct zcb_pool *pool, struct zcb_holdings *from,
			   struct zcb_holdings *to, u64 handle);
bool zcb_share_end_locked(struct zcb_pool *pool, struct zcb_holdings *h,
			  u64 handle);
/* Whose share it was that has ended: the buffer is to be his. NULL: nobody's. */
struct zcb_holdings *zcb_share_heir_locked(struct zcb_pool *pool, u64 handle);
/* false: there is none. */
bool zcb_share_next_locked(struct zcb_pool *pool, struct zcb_holdings *h,
			   u64 *handle, u64 *bytes);

#endif /* ZCB_OBJ_SHARE_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Free blocks of pages of a pool: the buddies of its arenas, and in front of them
 * what each CPU keeps of small ones. All under the pool's mem_lock.
 */
#ifndef ZCB_OBJ_MAGAZINE_H
#define ZCB_OBJ_MAGAZINE_H

#include <linux/types.h>

struct zcb_pool;

int zcb_magazine_get_locked(struct zcb_pool *pool, u32 order, u32 *page);
int zcb_magazine_put_locked(struct zcb_pool *pool, u32 page, u32 npages);
bool zcb_magazine_has_locked(struct zcb_pool *pool, u32 order);
bool zcb_magazine_drain_locked(struct zcb_pool *pool);

#endif /* ZCB_OBJ_MAGAZINE_H */

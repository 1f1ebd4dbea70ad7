/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Free blocks of pages of a pool: the buddies of its arenas, and in front of them
 * what each CPU keeps of small ones, and of empty slabs. All under the pool's
 * mem_lock.
 */
#ifndef ZCB_OBJ_MAGAZINE_H
#define ZCB_OBJ_MAGAZINE_H

#include <linux/list.h>
#include <linux/types.h>

#include "../core/l0.h"
#include "../core/slab.h"

struct zcb_pool;

/**
 * struct zcb_magazine - what a CPU keeps of a pool
 * @blocks: blocks of pages
 * @slabs: by class, slabs that are empty and nobody's, the newest first; none but
 *	in TIERS pools
 * @nslabs: by class, how many
 */
struct zcb_magazine {
	struct zcb_l0 blocks;
	struct list_head slabs[ZCB_SLAB_CLASSES];
	u8 nslabs[ZCB_SLAB_CLASSES];
};

void zcb_magazine_init(struct zcb_magazine *m);
int zcb_magazine_get_locked(struct zcb_pool *pool, u32 order, int nid,
			    u32 *page);
int zcb_magazine_put_locked(struct zcb_pool *pool, u32 page, u32 npages);
bool zcb_magazine_has_locked(struct zcb_pool *pool, u32 order);
bool zcb_magazine_drain_locked(struct zcb_pool *pool);
struct zcb_slab *zcb_magazine_get_slab_locked(struct zcb_pool *pool, u32 class,
					      u32 domain, int nid);
bool zcb_magazine_put_slab_locked(struct zcb_pool *pool, struct zcb_slab *slab);

#endif /* ZCB_OBJ_MAGAZINE_H */

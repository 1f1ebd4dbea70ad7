/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buddy allocator over the pages of one arena. All metadata is out of line, in
 * memory the caller brings; the pages themselves are never touched.
 *
 * The caller locks. Nothing sleeps.
 */
#ifndef ZCB_CORE_BUDDY_H
#define ZCB_CORE_BUDDY_H

#include "env.h"

#define ZCB_BUDDY_ORDERS	24	/* up to 2^23 pages in one block */

/**
 * struct zcb_buddy - free blocks of one arena
 * @npages: pages managed; any number, not only powers of two
 * @free_pages: pages not handed out
 * @orders: bit n set: a free block of order n exists
 * @nfree: free blocks by order
 * @map: by order, bitmap of free blocks, indexed by block number
 * @summary: by order, one bit for every word of @map that is not 0
 */
struct zcb_buddy {
	u32 npages;
	u32 free_pages;
	u32 orders;
	u32 nfree[ZCB_BUDDY_ORDERS];
	unsigned long *map[ZCB_BUDDY_ORDERS];
	unsigned long *summary[ZCB_BUDDY_ORDERS];
};

/**
 * struct zcb_buddy_area - some of the pages of an arena
 * @unit: order of the pieces it is made of
 * @npages: of the arena, whole pieces
 * @nblocks: by order, how many bits of @map are set
 * @map: by order from @unit on, bitmap of the blocks that are in the area whole
 */
struct zcb_buddy_area {
	u32 unit;
	u32 npages;
	u32 nblocks[ZCB_BUDDY_ORDERS];
	unsigned long *map[ZCB_BUDDY_ORDERS];
};

size_t zcb_buddy_metadata_size(u32 npages);
void zcb_buddy_init(struct zcb_buddy *b, void *metadata, u32 npages);
int zcb_buddy_alloc(struct zcb_buddy *b, unsigned int order, u32 *page);
int zcb_buddy_alloc_in(struct zcb_buddy *b, const struct zcb_buddy_area *area,
		       unsigned int order, u32 *page);
int zcb_buddy_free(struct zcb_buddy *b, u32 page, u32 npages);
bool zcb_buddy_has(const struct zcb_buddy *b, unsigned int order);
int zcb_buddy_largest(const struct zcb_buddy *b);

size_t zcb_buddy_area_size(u32 npages, unsigned int unit);
void zcb_buddy_area_init(struct zcb_buddy_area *area, void *metadata,
			 u32 npages, unsigned int unit);
void zcb_buddy_area_add(struct zcb_buddy_area *area, u32 page);
bool zcb_buddy_area_has(const struct zcb_buddy_area *area, u32 page,
			u32 npages);
bool zcb_buddy_area_meets(const struct zcb_buddy_area *area, u32 page,
			  u32 npages);

/* zcb_buddy_order() - the order of the smallest block of @npages pages */
static inline unsigned int zcb_buddy_order(u64 npages)
{
	return npages <= 1 ? 0 : ilog2(npages - 1) + 1;
}

#endif /* ZCB_CORE_BUDDY_H */

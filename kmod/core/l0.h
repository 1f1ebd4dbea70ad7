/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Small blocks that have just come back, for who asks next: a stack for each
 * order in front of a buddy. A block in here is handed out as far as the buddy
 * knows, so it neither splits nor joins; whoever finds the buddy without room
 * drains the stacks first.
 *
 * The caller locks and has one of these for each CPU.
 */
#ifndef ZCB_CORE_L0_H
#define ZCB_CORE_L0_H

#include "env.h"

#define ZCB_L0_ORDERS	6	/* blocks of 1 to 32 pages */
#define ZCB_L0_DEPTH	64	/* of order 0, half of it for each order up */
#define ZCB_L0_BLOCKS	(2 * ZCB_L0_DEPTH - 2)	/* 64 + 32 + ... + 2 */

/**
 * struct zcb_l0 - blocks kept
 * @n: by order, how many
 * @page: their first pages: those of order 0, then those of order 1 and so on,
 *	with room for ZCB_L0_DEPTH >> order of each, the newest last
 */
struct zcb_l0 {
	u8 n[ZCB_L0_ORDERS];
	u32 page[ZCB_L0_BLOCKS];
};

void zcb_l0_init(struct zcb_l0 *c);
/* The newest block of @order, or -EAGAIN. */
int zcb_l0_take(struct zcb_l0 *c, u32 order, u32 *page);
/* Keep a block, if there are fewer than @depth >> @order of its order. */
bool zcb_l0_keep(struct zcb_l0 *c, u32 depth, u32 order, u32 page);
/* Where the @i-th of the @n[order] blocks starts. */
u32 zcb_l0_at(const struct zcb_l0 *c, u32 order, u32 i);
/* Any block, to be given to the buddy: false if there is none. */
bool zcb_l0_drain(struct zcb_l0 *c, u32 *order, u32 *page);

#endif /* ZCB_CORE_L0_H */

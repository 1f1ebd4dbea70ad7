// SPDX-License-Identifier: GPL-2.0-only
/*
 * Small blocks that have just come back. Stacks: the block that was used last is
 * the one that is still in the CPU's cache.
 */
#include "l0.h"

/* Where the stack of @order begins: there is room for twice as many below it. */
static u32 bottom(u32 order)
{
	return 2 * ZCB_L0_DEPTH - (2 * ZCB_L0_DEPTH >> order);
}

static u32 *stack_of(struct zcb_l0 *c, u32 order)
{
	return &c->page[bottom(order)];
}

/**
 * zcb_l0_init() - no blocks
 * @c: the stacks
 *
 * Context: Any.
 */
void zcb_l0_init(struct zcb_l0 *c)
{
	memset(c->n, 0, sizeof(c->n));
}

/**
 * zcb_l0_take() - a block that was kept
 * @c: the stacks
 * @order: of the block; any
 * @page: where it starts
 *
 * Context: The caller locks. Does not sleep.
 * Return: 0: the one that was kept last; -EAGAIN if there is none.
 */
int zcb_l0_take(struct zcb_l0 *c, u32 order, u32 *page)
{
	if (order >= ZCB_L0_ORDERS || !c->n[order])
		return -EAGAIN;
	*page = stack_of(c, order)[--c->n[order]];
	return 0;
}

/**
 * zcb_l0_keep() - keep a block that came back
 * @c: the stacks
 * @depth: of the stack of order 0, at most ZCB_L0_DEPTH; half of it for each
 *	order up
 * @order: of the block; any
 * @page: where it starts
 *
 * Context: The caller locks. Does not sleep.
 * Return: false if it must go to the buddy, since it is too large or the stack is
 * full.
 */
bool zcb_l0_keep(struct zcb_l0 *c, u32 depth, u32 order, u32 page)
{
	if (order >= ZCB_L0_ORDERS || c->n[order] >= depth >> order)
		return false;
	stack_of(c, order)[c->n[order]++] = page;
	return true;
}

/**
 * zcb_l0_at() - a block that is kept
 * @c: the stacks
 * @order: of the block
 * @i: which one, of @c->n[@order]; 0: the oldest
 *
 * Context: The caller locks. Does not sleep.
 * Return: Where it starts.
 */
u32 zcb_l0_at(const struct zcb_l0 *c, u32 order, u32 i)
{
	return c->page[bottom(order) + i];
}

/**
 * zcb_l0_drain() - empty the stacks, block by block
 * @c: the stacks
 * @order: of the block
 * @page: where it starts
 *
 * Context: The caller locks. Does not sleep.
 * Return: false if there is none left.
 */
bool zcb_l0_drain(struct zcb_l0 *c, u32 *order, u32 *page)
{
	for (*order = 0; *order < ZCB_L0_ORDERS; ++*order)
		if (!zcb_l0_take(c, *order, page))
			return true;
	return false;
}

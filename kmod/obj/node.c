// SPDX-License-Identifier: GPL-2.0-only
/*
 * NUMA nodes of arenas. Most are of one node, and to know it is all there is to it.
 * Of one whose folios are of several there is an area for each node, made with the
 * arena, so that who wants memory of one finds a block without a look at the folios.
 * Who does not want that never comes here.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "arena.h"

#define NODE_MAX	1024U	/* of any kernel; on the stack */

static u32 node_folios(const struct zcb_arena *a)
{
	return a->npages >> a->order;
}

static struct zcb_arena_node *node_part(const struct zcb_arena *a, int nid)
{
	u32 i;

	for (i = 0; i < a->nparts; i++)
		if (a->parts[i].nid == nid)
			return &a->parts[i];
	return NULL;
}

static_assert(MAX_NUMNODES <= NODE_MAX);

/* How many nodes, of which @seen has a bit each. */
static u32 node_look(const struct zcb_arena *a, unsigned long *seen)
{
	u32 i;

	bitmap_zero(seen, NODE_MAX);
	for (i = 0; i < node_folios(a); i++) {
		__set_bit(a->ops->nid(a, i << a->order), seen);
		if (!(i & 4095))
			cond_resched();
	}
	return bitmap_weight(seen, NODE_MAX);
}

/* Parts without pages, and behind them the memory of their areas. */
static int node_parts(struct zcb_arena *a, const unsigned long *seen, u32 n)
{
	size_t size = zcb_buddy_area_size(a->npages, a->order);
	struct zcb_arena_node *part;
	void *metadata;
	int nid;

	a->parts = kvzalloc(size_mul(n, sizeof(*part) + size), ZCB_GFP_TABLE);
	if (!a->parts)
		return -ENOMEM;
	metadata = a->parts + n;
	for_each_set_bit(nid, seen, NODE_MAX) {
		part = &a->parts[a->nparts++];
		part->nid = nid;
		zcb_buddy_area_init(&part->area, metadata, a->npages, a->order);
		metadata += size;
	}
	return 0;
}

/**
 * zcb_arena_nodes_init - learn of which nodes an arena is
 * @a: it; its folios are there, and nobody has seen it yet
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int zcb_arena_nodes_init(struct zcb_arena *a)
{
	DECLARE_BITMAP(seen, NODE_MAX);
	u32 i, n = node_look(a, seen);
	int err;

	a->nid = a->ops->nid(a, 0);
	if (n == 1)
		return 0;
	err = node_parts(a, seen, n);
	if (err)
		return err;
	for (i = 0; i < a->npages; i += 1U << a->order) {
		zcb_buddy_area_add(&node_part(a, a->ops->nid(a, i))->area, i);
		if (!(i & 4095))
			cond_resched();
	}
	return 0;
}

/* zcb_arena_nodes_end() - before its memory goes; nobody looks into it any more */
void zcb_arena_nodes_end(struct zcb_arena *a)
{
	kvfree(a->parts);
	a->parts = NULL;
	a->nparts = 0;
}

/**
 * zcb_arena_alloc_on - take a block that is of one node
 * @a: the arena; the pool's mem_lock is held
 * @nid: the node; any number
 * @order: of the block
 * @page: where it starts in the arena
 *
 * Context: any that may hold the lock.
 * Return: 0, or that of the buddy.
 */
int zcb_arena_alloc_on(struct zcb_arena *a, int nid, u32 order, u32 *page)
{
	const struct zcb_arena_node *part = node_part(a, nid);

	if (part)
		return zcb_buddy_alloc_in(&a->buddy, &part->area, order, page);
	if (a->nparts || a->nid != nid)
		return -ENOMEM;
	return zcb_buddy_alloc(&a->buddy, order, page);
}

/**
 * zcb_arena_is_on - are pages of an arena of one node
 * @a: the arena
 * @nid: the node; any number
 * @page: the first, by its number in the pool
 * @npages: how many
 *
 * Context: any; the arena is not gone.
 * Return: true if all of them are of that one.
 */
bool zcb_arena_is_on(const struct zcb_arena *a, int nid, u32 page, u32 npages)
{
	const struct zcb_arena_node *part = node_part(a, nid);

	if (part)
		return zcb_buddy_area_has(&part->area, page - a->index, npages);
	return !a->nparts && a->nid == nid;
}

/**
 * zcb_arena_meets - is any of some pages of an arena of one node
 * @a: the arena
 * @nid: the node; any number
 * @page: the first, by its number in the pool
 * @npages: how many
 *
 * Context: any; the arena is not gone.
 * Return: true if so.
 */
bool zcb_arena_meets(const struct zcb_arena *a, int nid, u32 page, u32 npages)
{
	const struct zcb_arena_node *part = node_part(a, nid);

	if (part)
		return zcb_buddy_area_meets(&part->area, page - a->index,
					    npages);
	return !a->nparts && a->nid == nid;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arenas: the pinned page memory of pools. An arena is allocated whole, zeroed
 * and charged when it is created, and never moves. Where its pages come from
 * is a backend behind struct zcb_arena_ops.
 */
#ifndef ZCB_OBJ_ARENA_H
#define ZCB_OBJ_ARENA_H

#include <linux/bits.h>
#include <linux/mm_types.h>
#include <linux/nodemask.h>
#include <linux/types.h>

#include "../core/buddy.h"

#define ZCB_ARENA_UNIT		((u64)2 << 20)	/* sizes are multiples of it */
#define ZCB_ARENA_DEFAULT	((u64)32 << 20)
#define ZCB_ARENA_MAX		((u64)32 << 30)	/* one block: 2^23 pages */

/*
 * For tables whose size a caller chooses: a full memory cgroup is an error, no
 * reason to kill.
 */
#define ZCB_GFP_TABLE	(GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

/*
 * What becomes of an arena, in this order; only RETIRING goes back to LIVE. As in
 * the uapi header.
 */
enum zcb_arena_state {
	ZCB_ARENA_LIVE,		/* its pages are handed out */
	ZCB_ARENA_RETIRING,	/* no more are */
	ZCB_ARENA_PINNED,	/* unmapped; waits until nobody holds a page */
	ZCB_ARENA_GONE,		/* its pages are the machine's */
};

struct zcb_arena;
struct zcb_payer;
struct zcb_user;

enum zcb_arena_huge {
	ZCB_ARENA_HUGE_TRY,	/* huge pages, else small ones */
	ZCB_ARENA_HUGE_MUST,	/* huge pages, else -ENOMEM */
	ZCB_ARENA_HUGE_NEVER,	/* small pages */
};

#define ZCB_ARENA_CAP_FIXED	BIT(0)	/* io_uring can register it */
#define ZCB_ARENA_CAP_FREEZE	BIT(1)	/* pages can be closed to who may write */

/**
 * struct zcb_arena_ops - a source of pages
 * @name: for people
 * @caps: ZCB_ARENA_CAP_*
 * @alloc: fill the arena with zeroed pages; may sleep
 * @free: give them back; only called when @busy says no
 * @busy: somebody else (I/O, a mapping) still holds a page
 * @settled: but for mappings, and as many pins as are accounted for, nobody does
 *	of the pages from @first to @last; may sleep
 * @quiet: but for mappings nobody does of the pages from @first to the one before that
 *	it returns, at most the one after @last; may sleep
 * @held: somebody does other than by a mapping, as far as can be seen from here
 * @freeze: close whole folios, those of the pages from @first to @last: then every
 *	fault that found one open has mapped it, and can be unmapped; may sleep
 * @thaw: open them again
 * @frozen: is the folio of a page closed; what it says stays while that is locked, or
 *	if it is to be thawed by the caller
 * @page: the page at an index of the arena; no reference is taken
 * @nid: the NUMA node of that page
 */
struct zcb_arena_ops {
	const char *name;
	u32 caps;
	int (*alloc)(struct zcb_arena *a, enum zcb_arena_huge huge);
	void (*free)(struct zcb_arena *a);
	bool (*busy)(const struct zcb_arena *a);
	bool (*settled)(const struct zcb_arena *a, u32 first, u32 last);
	u32 (*quiet)(const struct zcb_arena *a, u32 first, u32 last);
	bool (*held)(const struct zcb_arena *a);
	void (*freeze)(const struct zcb_arena *a, u32 first, u32 last);
	void (*thaw)(const struct zcb_arena *a, u32 first, u32 last);
	bool (*frozen)(const struct zcb_arena *a, u32 index);
	struct page *(*page)(const struct zcb_arena *a, u32 index);
	int (*nid)(const struct zcb_arena *a, u32 index);
};

/**
 * struct zcb_arena_node - what an arena has of a NUMA node
 * @nid: the node
 * @area: its pages
 */
struct zcb_arena_node {
	int nid;
	struct zcb_buddy_area area;
};

/**
 * struct zcb_arena - address-stable page memory
 * @ops: its backend
 * @size: bytes
 * @npages: pages
 * @index: of its first page in the pool
 * @order: of the folios it is made of, uniform
 * @nodes: NUMA nodes of its folios, by turns; none: as the caller's policy says;
 *	while it is made
 * @nid: NUMA node of its first page
 * @parts: if its folios are of several nodes, what it has of each; else NULL
 * @nparts: how many those are, or 0
 * @state: enum zcb_arena_state; written under the pool's mem_lock
 * @by_itself: the pool has added it when there was no room
 * @touched: some of it has been handed out; the pool's mem_lock
 * @folios: backend: them
 * @nfolios: backend: how many
 * @user: whom it is charged to
 * @buddy: free blocks; the pool's mem_lock
 * @metadata: of @buddy
 * @accounted: pins of every folio that tokens account for; the pool's mem_lock
 *
 * All but @state, @touched, @buddy and @accounted is constant until it is released,
 * which takes all that costs memory. While it is LIVE or RETIRING it is not: whoever
 * has looked at that under mem_lock may use it for as long as he holds that lock, or
 * RCU, or has some of its pages handed out.
 */
struct zcb_arena {
	const struct zcb_arena_ops *ops;
	u64 size;
	u32 npages;
	u32 index;
	u32 order;
	const nodemask_t *nodes;
	int nid;
	struct zcb_arena_node *parts;
	u32 nparts;
	u8 state;
	bool by_itself;
	bool touched;
	struct folio **folios;
	u32 nfolios;
	struct zcb_user *user;
	struct zcb_buddy buddy;
	void *metadata;
	u32 accounted;
};

extern const struct zcb_arena_ops zcb_arena_folio_ops;

struct zcb_arena *zcb_arena_create(u64 size, u32 index,
				   const nodemask_t *nodes,
				   enum zcb_arena_huge huge,
				   const struct zcb_payer *payer);
bool zcb_arena_busy(const struct zcb_arena *a);
bool zcb_arena_held(const struct zcb_arena *a);
void zcb_arena_release(struct zcb_arena *a);
void zcb_arena_destroy(struct zcb_arena *a);
void zcb_arena_zero(const struct zcb_arena *a, u64 offset, u64 length);

/* Of which NUMA nodes it is: node.c. */
int zcb_arena_nodes_init(struct zcb_arena *a);
void zcb_arena_nodes_end(struct zcb_arena *a);
int zcb_arena_alloc_on(struct zcb_arena *a, int nid, u32 order, u32 *page);
bool zcb_arena_is_on(const struct zcb_arena *a, int nid, u32 page, u32 npages);
bool zcb_arena_meets(const struct zcb_arena *a, int nid, u32 page, u32 npages);

/* zcb_arena_open() - are pages of it handed out; for how long, mem_lock says */
static inline bool zcb_arena_open(const struct zcb_arena *a)
{
	return READ_ONCE(a->state) == ZCB_ARENA_LIVE;
}

/* zcb_arena_mapped() - can it be mapped; any context */
static inline bool zcb_arena_mapped(const struct zcb_arena *a)
{
	return READ_ONCE(a->state) < ZCB_ARENA_PINNED;
}

/* zcb_arena_idle() - is none of its pages handed out; the pool's mem_lock */
static inline bool zcb_arena_idle(const struct zcb_arena *a)
{
	return a->buddy.free_pages == a->npages;
}

/* zcb_arena_frozen() - is the folio of a page closed to who may write */
static inline bool zcb_arena_frozen(const struct zcb_arena *a, u32 index)
{
	return a->ops->frozen(a, index);
}

static inline struct page *zcb_arena_page(const struct zcb_arena *a, u32 index)
{
	return a->ops->page(a, index);
}

#endif /* ZCB_OBJ_ARENA_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buffers: what the pages of arenas are handed out as, out of line. One record
 * per page; the record of a block's first page stands for the block. Pages are
 * numbered through all arenas, which have the same size; no block spans two.
 * Owners keep their blocks on an index-linked list, so that giving everything
 * back costs a few instructions for each.
 *
 * Buffer handles are those of uapi/linux/zcbuf.h. The caller locks.
 */
#ifndef ZCB_CORE_BUF_H
#define ZCB_CORE_BUF_H

#include "env.h"

#define ZCB_BUF_NONE		(~0U)
#define ZCB_BUF_NOBODY		(~0U)	/* domain of what several had at a time */
#define ZCB_BUF_ARENAS		64	/* in one pool */
#define ZCB_BUF_GEN_MAX		((1U << 30) - 1)
#define ZCB_BUF_SLAB_GEN_MAX	((1U << 22) - 1)

struct zcb_slab;

enum zcb_buf_state {
	ZCB_BUF_IDLE,		/* free, or not the first page of a block */
	ZCB_BUF_BLOCK,		/* a buffer: block of pages */
	ZCB_BUF_SLAB,		/* leased to a slab class */
};

/**
 * struct zcb_buf_page - one page
 * @owner: who holds the block (BLOCK, SLAB), opaque
 * @slab: SLAB: its bookkeeping
 * @prev: previous block of the owner, or ZCB_BUF_NONE
 * @next: next block of the owner, or ZCB_BUF_NONE
 * @domain: who used this page last; 0: nobody ever, it is zero; NOBODY: whoever
 *	is next is somebody else
 * @gen: generation of the handle that is out or, when idle, of the next; from 1
 * @slab_gen: the same of slab handles, which have fewer bits for it
 * @order: of the block
 * @state: enum zcb_buf_state
 */
struct zcb_buf_page {
	void *owner;
	struct zcb_slab *slab;
	u32 prev;
	u32 next;
	u32 domain;
	u32 gen;
	u32 slab_gen;
	u8 order;
	u8 state;
};

/**
 * struct zcb_buf_list - the blocks of one owner
 * @first: first page of the first block, or ZCB_BUF_NONE
 * @count: blocks
 * @pages: pages in them
 */
struct zcb_buf_list {
	u32 first;
	u32 count;
	u64 pages;
};

/**
 * struct zcb_buf_table - the pages of a pool
 * @pages: by arena, @in_arena records; NULL if there is none any more
 * @in_arena: pages of an arena
 * @npages: pages of the pool, those of arenas that are gone included
 * @page_shift: of a page, at least 12
 */
struct zcb_buf_table {
	struct zcb_buf_page *pages[ZCB_BUF_ARENAS];
	u32 in_arena;
	u32 npages;
	u8 page_shift;
};

/*
 * zcb_buf_at() - the record of a page. It stays where it is while the pool
 * grows: whoever knows of a page needs no lock to find it.
 */
static inline struct zcb_buf_page *zcb_buf_at(const struct zcb_buf_table *t,
					      u32 page)
{
	if (page < t->in_arena)
		return &t->pages[0][page];
	return &t->pages[page / t->in_arena][page % t->in_arena];
}

/*
 * zcb_buf_next_gen() - the generation after @gen, of 1 to @max. It starts again:
 * memory that was never handed out any more when they are used up would be lost,
 * within seconds of ordinary use.
 */
static inline u32 zcb_buf_next_gen(u32 gen, u32 max)
{
	return gen < max ? gen + 1 : 1;
}

/* zcb_buf_object_handle() - of the object at @offset, of the table's @class */
static inline u64 zcb_buf_object_handle(u32 class, u32 gen, u64 offset)
{
	return (u64)(ZCBUF_BUF_SLAB + class) << ZCBUF_BUF_CLASS_SHIFT |
	       (u64)gen << ZCBUF_BUF_SLAB_BITS | offset >> 4;
}

void zcb_buf_list_init(struct zcb_buf_list *l);
void zcb_buf_table_init(struct zcb_buf_table *t, struct zcb_buf_page *pages,
			u32 in_arena, unsigned int page_shift);
/* The pages of one more arena. @pages: zcb_buf_pages_init() was there. */
void zcb_buf_table_grow(struct zcb_buf_table *t, struct zcb_buf_page *pages);
/* The records of an arena that is gone, all idle; handles of it name nothing. */
struct zcb_buf_page *zcb_buf_table_drop(struct zcb_buf_table *t, u32 arena);
void zcb_buf_pages_init(struct zcb_buf_page *pages, u32 npages);

/* Make the block at @page, fresh from the buddy, a buffer of @owner. */
u64 zcb_buf_hand_out(struct zcb_buf_table *t, struct zcb_buf_list *l,
		     void *owner, u32 page, unsigned int order);
/*
 * Find the block a handle of class < ZCBUF_BUF_SLAB names: -EINVAL out of
 * range, -ENOENT never issued, -EBADSLT free, -ESTALE reissued, -EPERM not
 * @owner's.
 */
int zcb_buf_find(const struct zcb_buf_table *t, u64 handle, const void *owner,
		 u32 *page);
/* Its handle, by its first page. */
u64 zcb_buf_handle(const struct zcb_buf_table *t, u32 page);
/* Take the block at @page back; the caller gives it to the buddy. */
void zcb_buf_take_back(struct zcb_buf_table *t, struct zcb_buf_list *l,
		       u32 page);

/* The same for pages leased to a slab class. */
void zcb_buf_lease(struct zcb_buf_table *t, struct zcb_buf_list *l, void *owner,
		   u32 page, unsigned int order, struct zcb_slab *slab);
void zcb_buf_unlease(struct zcb_buf_table *t, struct zcb_buf_list *l, u32 page);
u64 zcb_buf_slab_handle(const struct zcb_buf_table *t, u32 page,
			unsigned int class, u64 offset_in_slab);
/*
 * Give the block at @page, leased or not, to another owner; handles stay. Between
 * the two it is nobody's.
 */
void zcb_buf_detach(struct zcb_buf_table *t, struct zcb_buf_list *from,
		    u32 page);
void zcb_buf_attach(struct zcb_buf_table *t, struct zcb_buf_list *to,
		    void *owner, u32 page);
/*
 * As zcb_buf_find(), for a slab handle; @order is the class's slab order. With
 * -EPERM, @slab and @offset_in_slab are set: the object may have been lent.
 */
int zcb_buf_find_slab(const struct zcb_buf_table *t, u64 handle,
		      unsigned int order, const void *owner,
		      struct zcb_slab **slab, u64 *offset_in_slab);

/* Was any of [page, page + npages) ever tagged? If not, all are zero. */
bool zcb_buf_was_used(const struct zcb_buf_table *t, u32 page, u32 npages);
/* Did another domain than @domain use any of [page, page + npages) last? */
bool zcb_buf_is_foreign(const struct zcb_buf_table *t, u32 page, u32 npages,
			u32 domain);
/*
 * Tag [page, page + npages) with @domain. Returns whether any of them was last
 * used by another domain and must be zeroed before it is handed out.
 */
bool zcb_buf_tag(struct zcb_buf_table *t, u32 page, u32 npages, u32 domain);

#endif /* ZCB_CORE_BUF_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Slab classes: objects of one length packed into blocks of pages. A slab is
 * leased whole to one owner, who keeps it on a list per class. One bit per
 * object says whether it is out; nothing is written into the pages.
 *
 * The caller locks and brings the memory of struct zcb_slab.
 */
#ifndef ZCB_CORE_SLAB_H
#define ZCB_CORE_SLAB_H

#include "env.h"

#define ZCB_SLAB_MIN		16U
#define ZCB_SLAB_MAX		(1024U * 1024)
#define ZCB_SLAB_CLASSES	ZCBUF_MAX_CLASSES
#define ZCB_SLAB_TIERS		8	/* the default table */

/**
 * struct zcb_slab_class - one length
 * @length: bytes of an object, a multiple of 16
 * @nobjs: objects in a slab
 * @order: of a slab, in pages
 * @align: largest power of two that divides @length, bytes
 * @used: objects out, all owners
 * @total: objects in leased slabs, all owners
 */
struct zcb_slab_class {
	u32 length;
	u32 nobjs;
	u32 order;
	u32 align;
	u32 used;
	u32 total;
};

struct zcb_slab;

/**
 * struct zcb_loan - an object that is not for the owner of its slab
 * @in_slab: on the slab's list
 * @in_hands: on the list of who has it
 * @slab: the object's
 * @owner: who has it, opaque
 * @offset: where the object is in the slab, bytes
 */
struct zcb_loan {
	struct list_head in_slab;
	struct list_head in_hands;
	struct zcb_slab *slab;
	void *owner;
	u64 offset;
};

/**
 * struct zcb_slab - one leased block
 * @node: on the owner's list of its class: those with a free object to hand out
 *	first
 * @loans: of objects that others have
 * @page: its first page
 * @nfree: objects that are not out
 * @class: number of its class
 * @mixed: others have had objects of it, and may have left something there; the
 *	caller's
 * @closed: none of its objects is handed out any more
 * @map: bit set: the object is out
 */
struct zcb_slab {
	struct list_head node;
	struct list_head loans;
	u32 page;
	u32 nfree;
	u32 class;
	bool mixed;
	bool closed;
	unsigned long map[];
};

/**
 * struct zcb_slab_table - the classes of a pool, ascending
 * @n: how many
 * @class: them
 */
struct zcb_slab_table {
	u32 n;
	struct zcb_slab_class class[ZCB_SLAB_CLASSES];
};

extern const u32 zcb_slab_tiers[ZCB_SLAB_TIERS];	/* 16 .. 256 KiB */

/* -EINVAL: not ascending, out of [MIN, MAX], or more than CLASSES. */
int zcb_slab_table_init(struct zcb_slab_table *t, const u32 *length, u32 n,
			unsigned int page_shift);
/* The smallest class for @length bytes at @align (0: any), or -E2BIG. */
int zcb_slab_class_for(const struct zcb_slab_table *t, u64 length, u32 align);
size_t zcb_slab_size(const struct zcb_slab_class *c);	/* of struct zcb_slab */
void zcb_slab_init(struct zcb_slab *s, struct zcb_slab_table *t, u32 class,
		   u32 page, struct list_head *owner_list);
/* Take an object: its slab and byte offset in it; -EAGAIN: all slabs full. */
int zcb_slab_get(struct zcb_slab_table *t, u32 class,
		 struct list_head *owner_list, struct zcb_slab **slab,
		 u64 *offset);
/* No object of it is handed out any more; those that are out can be put back. */
void zcb_slab_close(struct zcb_slab *s, struct list_head *owner_list);
/* Is one that starts at @offset out? -EBADSLT it is not, -EINVAL none does. */
int zcb_slab_check(const struct zcb_slab_table *t, const struct zcb_slab *s,
		   u64 offset);
/* Put one back: -EBADSLT it is not out, -EINVAL no object starts there. */
int zcb_slab_put(struct zcb_slab_table *t, struct zcb_slab *s,
		 struct list_head *owner_list, u64 offset);
/*
 * Loans: @loan is the caller's memory, and again after zcb_slab_loan_end(). An
 * object that is out has one, or none.
 */
struct zcb_loan *zcb_slab_loan(const struct zcb_slab *s, u64 offset);
void zcb_slab_lend(struct zcb_slab *s, u64 offset, struct zcb_loan *loan,
		   void *owner, struct list_head *hands);
void zcb_slab_loan_end(struct zcb_loan *loan);
/* The owner is gone: all objects come back but those that others have. */
void zcb_slab_recall(struct zcb_slab *s, struct zcb_slab_table *t);
/* Forget a slab, whatever is out of it; the caller gives its pages back. */
void zcb_slab_fini(struct zcb_slab *s, struct zcb_slab_table *t);

static inline bool zcb_slab_empty(const struct zcb_slab *s,
				  const struct zcb_slab_table *t)
{
	return s->nfree == t->class[s->class].nobjs;
}

#endif /* ZCB_CORE_SLAB_H */

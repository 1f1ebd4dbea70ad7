// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slab classes. Objects of a class lie back to back from the start of a slab;
 * what is left at its end is waste. The owner's list of a class has the slabs
 * with a free object before the full and the closed ones, so that its first one
 * says all.
 */
#include "slab.h"

#define LENGTH_UNIT	16U		/* lengths are multiples of this */
#define SLAB_OBJECTS	8U		/* so many are worth a larger slab ... */
#define SLAB_USUAL	(64U << 10)	/* ... up to this many bytes */
#define SLAB_LIMIT	(2U << 20)	/* bytes; the smallest arena has these */

const u32 zcb_slab_tiers[ZCB_SLAB_TIERS] = {
	16, 64, 256, 1024, 4096, 16384, 65536, 262144,
};

/*
 * Is a slab of @bytes too small for objects of @length? It should have room for
 * one; for several, if that does not take much; and waste at most an eighth.
 */
static bool too_small(u32 bytes, u32 length)
{
	u32 nobjs = bytes / length;

	if (!nobjs)
		return true;
	if (bytes >= SLAB_LIMIT)
		return false;
	if (nobjs < SLAB_OBJECTS && bytes < SLAB_USUAL)
		return true;
	return bytes - nobjs * length > bytes / 8;
}

static void class_init(struct zcb_slab_class *c, u32 length,
		       unsigned int page_shift)
{
	u32 order = 0;

	while (too_small(1U << (page_shift + order), length))
		order++;
	*c = (struct zcb_slab_class){
		.length = length,
		.nobjs = (1U << (page_shift + order)) / length,
		.order = order,
		.align = length & -length,
	};
}

/**
 * zcb_slab_table_init() - lay out the classes of a pool
 * @t: the table
 * @length: of the objects of each class, bytes; rounded up to multiples of 16
 * @n: classes; 0 is fine
 * @page_shift: of a page
 *
 * Context: Any.
 * Return: 0; -EINVAL if the lengths do not ascend once rounded up, if one is
 * out of [ZCB_SLAB_MIN, ZCB_SLAB_MAX], or if there are too many.
 */
int zcb_slab_table_init(struct zcb_slab_table *t, const u32 *length, u32 n,
			unsigned int page_shift)
{
	u32 i, rounded, last = 0;

	if (n > ZCB_SLAB_CLASSES)
		return -EINVAL;
	for (i = 0; i < n; i++) {
		if (length[i] < ZCB_SLAB_MIN || length[i] > ZCB_SLAB_MAX)
			return -EINVAL;
		rounded = round_up(length[i], LENGTH_UNIT);
		if (rounded <= last)
			return -EINVAL;
		class_init(&t->class[i], rounded, page_shift);
		last = rounded;
	}
	t->n = n;
	return 0;
}

/**
 * zcb_slab_class_for() - the class to take an object of
 * @t: the table
 * @length: bytes wanted
 * @align: a power of two its offset should be a multiple of; 0: any
 *
 * Context: Any.
 * Return: The number of the smallest class that will do; -E2BIG if none does.
 */
int zcb_slab_class_for(const struct zcb_slab_table *t, u64 length, u32 align)
{
	u32 i;

	for (i = 0; i < t->n; i++)
		if (t->class[i].length >= length && t->class[i].align >= align)
			return i;
	return -E2BIG;
}

/**
 * zcb_slab_size() - memory one slab's bookkeeping needs
 * @c: its class
 *
 * Context: Any.
 * Return: Bytes, for zcb_slab_init().
 */
size_t zcb_slab_size(const struct zcb_slab_class *c)
{
	return sizeof(struct zcb_slab) +
	       BITS_TO_LONGS(c->nobjs) * sizeof(unsigned long);
}

/**
 * zcb_slab_init() - make a leased block a slab without objects out
 * @s: zcb_slab_size() bytes; contents do not matter
 * @t: the table
 * @class: number of its class
 * @page: first page of the block, which has the order of the class
 * @owner_list: the owner's slabs of this class
 *
 * Context: The caller locks. Does not sleep.
 */
void zcb_slab_init(struct zcb_slab *s, struct zcb_slab_table *t, u32 class,
		   u32 page, struct list_head *owner_list)
{
	struct zcb_slab_class *c = &t->class[class];

	s->page = page;
	s->nfree = c->nobjs;
	s->class = class;
	bitmap_zero(s->map, c->nobjs);
	INIT_LIST_HEAD(&s->loans);
	s->mixed = false;
	s->closed = false;
	list_add(&s->node, owner_list);
	c->total += c->nobjs;
}

/**
 * zcb_slab_get() - take an object
 * @t: the table
 * @class: number of the class
 * @owner_list: the owner's slabs of this class
 * @slab: the object's slab
 * @offset: where it is in the slab, bytes
 *
 * Context: The caller locks. Does not sleep.
 * Return: 0; -EAGAIN if all slabs of the owner are full or closed: lease one more.
 */
int zcb_slab_get(struct zcb_slab_table *t, u32 class,
		 struct list_head *owner_list, struct zcb_slab **slab,
		 u64 *offset)
{
	struct zcb_slab_class *c = &t->class[class];
	struct zcb_slab *s;
	u32 i;

	s = list_first_entry_or_null(owner_list, struct zcb_slab, node);
	if (!s || !s->nfree || s->closed)
		return -EAGAIN;
	i = find_first_zero_bit(s->map, c->nobjs);
	__set_bit(i, s->map);
	c->used++;
	if (!--s->nfree)
		list_move_tail(&s->node, owner_list);
	*slab = s;
	*offset = (u64)i * c->length;
	return 0;
}

/* The object that starts at @offset, or -EINVAL. */
static int object_at(const struct zcb_slab_class *c, u64 offset)
{
	u32 i;

	if (offset >= (u64)c->nobjs * c->length)
		return -EINVAL;
	i = (u32)offset / c->length;
	if (i * c->length != offset)
		return -EINVAL;
	return i;
}

/* The object that starts at @offset and is out, or -EINVAL, -EBADSLT. */
static int object_out(const struct zcb_slab_class *c, const struct zcb_slab *s,
		      u64 offset)
{
	int i = object_at(c, offset);

	if (i < 0)
		return i;
	return test_bit(i, s->map) ? i : -EBADSLT;
}

/**
 * zcb_slab_check() - is there an object that is out?
 * @t: the table
 * @s: its slab
 * @offset: where it is in the slab, bytes
 *
 * Context: The caller locks. Does not sleep.
 * Return: 0; -EINVAL if no object starts there; -EBADSLT if it is not out.
 */
int zcb_slab_check(const struct zcb_slab_table *t, const struct zcb_slab *s,
		   u64 offset)
{
	return min(object_out(&t->class[s->class], s, offset), 0);
}

/**
 * zcb_slab_put() - put an object back
 * @t: the table
 * @s: its slab
 * @owner_list: the owner's slabs of this class, with @s on it
 * @offset: where it is in the slab, bytes
 *
 * An empty slab stays on the list; zcb_slab_empty() tells.
 *
 * Context: The caller locks. Does not sleep.
 * Return: 0; -EINVAL if no object starts there; -EBADSLT if it is not out.
 */
int zcb_slab_put(struct zcb_slab_table *t, struct zcb_slab *s,
		 struct list_head *owner_list, u64 offset)
{
	struct zcb_slab_class *c = &t->class[s->class];
	int i = object_out(c, s, offset);

	if (i < 0)
		return i;
	__clear_bit(i, s->map);
	c->used--;
	if (!s->nfree++ && !s->closed)
		list_move(&s->node, owner_list);
	return 0;
}

/**
 * zcb_slab_close() - hand out no more of a slab
 * @s: the slab
 * @owner_list: the owner's slabs of this class, with @s on it
 *
 * Context: The caller locks. Does not sleep.
 */
void zcb_slab_close(struct zcb_slab *s, struct list_head *owner_list)
{
	s->closed = true;
	list_move_tail(&s->node, owner_list);
}

/**
 * zcb_slab_loan() - who has an object, if not the slab's owner
 * @s: the slab
 * @offset: where the object is in the slab, bytes
 *
 * Context: The caller locks. Does not sleep.
 * Return: The loan, or NULL.
 */
struct zcb_loan *zcb_slab_loan(const struct zcb_slab *s, u64 offset)
{
	struct zcb_loan *loan;

	list_for_each_entry(loan, &s->loans, in_slab)
		if (loan->offset == offset)
			return loan;
	return NULL;
}

/**
 * zcb_slab_lend() - an object is somebody else's
 * @s: the slab
 * @offset: where the object is in the slab, bytes; it is out, without a loan
 * @loan: says so
 * @owner: who has it
 * @hands: his list
 *
 * Context: The caller locks. Does not sleep.
 */
void zcb_slab_lend(struct zcb_slab *s, u64 offset, struct zcb_loan *loan,
		   void *owner, struct list_head *hands)
{
	loan->slab = s;
	loan->owner = owner;
	loan->offset = offset;
	list_add(&loan->in_slab, &s->loans);
	list_add(&loan->in_hands, hands);
}

/**
 * zcb_slab_loan_end() - the object is the slab's owner's again, or free
 * @loan: its memory is the caller's again
 *
 * Context: The caller locks. Does not sleep.
 */
void zcb_slab_loan_end(struct zcb_loan *loan)
{
	list_del(&loan->in_slab);
	list_del(&loan->in_hands);
}

/**
 * zcb_slab_recall() - put back what its owner has of a slab
 * @s: the slab
 * @t: the table
 *
 * What others have stays out.
 *
 * Context: The caller locks. Does not sleep.
 */
void zcb_slab_recall(struct zcb_slab *s, struct zcb_slab_table *t)
{
	struct zcb_slab_class *c = &t->class[s->class];
	struct zcb_loan *loan;

	c->used -= c->nobjs - s->nfree;
	s->nfree = c->nobjs;
	bitmap_zero(s->map, c->nobjs);
	list_for_each_entry(loan, &s->loans, in_slab) {
		__set_bit((u32)loan->offset / c->length, s->map);
		s->nfree--;
		c->used++;
	}
}

/**
 * zcb_slab_fini() - end a slab; objects that are out are put back
 * @s: the slab; its memory is the caller's again
 * @t: the table
 *
 * Context: The caller locks. Does not sleep.
 */
void zcb_slab_fini(struct zcb_slab *s, struct zcb_slab_table *t)
{
	struct zcb_slab_class *c = &t->class[s->class];

	list_del(&s->node);
	c->total -= c->nobjs;
	c->used -= c->nobjs - s->nfree;
}

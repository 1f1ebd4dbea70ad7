// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers: who holds which block of pages, and what a handle names.
 *
 * A page has two generations, one for handles of the block that starts at it
 * and one for those of objects in the slab that starts at it. Each advances
 * when its handles end: an older one is a handle that was issued, one that is
 * not older and does not match was not. When one is used up it starts again,
 * and a handle that many uses old may be taken for a new one.
 */
#include "buf.h"
#include "slab.h"

#define BLOCK_UNIT_SHIFT	12	/* a block handle counts in 4096 bytes */

static u64 handle_bits(u64 handle, unsigned int shift, unsigned int bits)
{
	return handle >> shift & (BIT_ULL(bits) - 1);
}

static u64 make_handle(unsigned int class, unsigned int index_bits, u32 gen,
		       u64 index)
{
	return (u64)class << ZCBUF_BUF_CLASS_SHIFT |
	       (u64)gen << index_bits | index;
}

static void list_insert(struct zcb_buf_table *t, struct zcb_buf_list *l,
			u32 page)
{
	struct zcb_buf_page *p = zcb_buf_at(t, page);

	p->prev = ZCB_BUF_NONE;
	p->next = l->first;
	if (l->first != ZCB_BUF_NONE)
		zcb_buf_at(t, l->first)->prev = page;
	l->first = page;
	l->count++;
	l->pages += 1U << p->order;
}

static void list_remove(struct zcb_buf_table *t, struct zcb_buf_list *l,
			u32 page)
{
	struct zcb_buf_page *p = zcb_buf_at(t, page);

	if (p->prev == ZCB_BUF_NONE)
		l->first = p->next;
	else
		zcb_buf_at(t, p->prev)->next = p->next;
	if (p->next != ZCB_BUF_NONE)
		zcb_buf_at(t, p->next)->prev = p->prev;
	l->count--;
	l->pages -= 1U << p->order;
}

static struct zcb_buf_page *give(struct zcb_buf_table *t,
				 struct zcb_buf_list *l, void *owner, u32 page,
				 unsigned int order)
{
	struct zcb_buf_page *p = zcb_buf_at(t, page);

	p->order = order;
	zcb_buf_attach(t, l, owner, page);
	return p;
}

static struct zcb_buf_page *take(struct zcb_buf_table *t,
				 struct zcb_buf_list *l, u32 page)
{
	struct zcb_buf_page *p = zcb_buf_at(t, page);

	zcb_buf_detach(t, l, page);
	p->slab = NULL;
	p->state = ZCB_BUF_IDLE;
	return p;
}

/* Blocks are aligned to their size within their arena. */
static u32 block_start(const struct zcb_buf_table *t, u32 page,
		       unsigned int order)
{
	u32 in_arena = page % t->in_arena;

	return page - (in_arena & ((1U << order) - 1));
}

/*
 * Is @page part of anything that is handed out? Its block starts at one of a few
 * pages.
 */
static bool page_in_use(const struct zcb_buf_table *t, u32 page)
{
	const struct zcb_buf_page *p;
	unsigned int order;
	u32 head;

	for (order = 0; t->in_arena >> order; order++) {
		head = block_start(t, page, order);
		p = zcb_buf_at(t, head);
		if (p->state != ZCB_BUF_IDLE && page - head < 1U << p->order)
			return true;
	}
	return false;
}

static bool page_gone(const struct zcb_buf_table *t, u32 page)
{
	return !t->pages[page / t->in_arena];
}

/* Why a handle of generation @gen, where @now is due, names nothing. */
static int refuse(const struct zcb_buf_table *t, u32 page, u32 gen, u32 now)
{
	if (!gen || gen >= now)
		return -ENOENT;
	return page_in_use(t, page) ? -ESTALE : -EBADSLT;
}

/**
 * zcb_buf_list_init() - the list of an owner who has nothing
 * @l: the list
 *
 * Context: Any.
 */
void zcb_buf_list_init(struct zcb_buf_list *l)
{
	l->first = ZCB_BUF_NONE;
	l->count = 0;
	l->pages = 0;
}

/**
 * zcb_buf_table_init() - the pages of a pool of one arena
 * @t: the table
 * @pages: @in_arena records that zcb_buf_pages_init() has seen
 * @in_arena: pages of an arena
 * @page_shift: of a page, at least 12
 *
 * Context: Any.
 */
void zcb_buf_table_init(struct zcb_buf_table *t, struct zcb_buf_page *pages,
			u32 in_arena, unsigned int page_shift)
{
	t->pages[0] = pages;
	t->in_arena = in_arena;
	t->npages = in_arena;
	t->page_shift = page_shift;
}

/**
 * zcb_buf_table_grow() - the pages of one more arena
 * @t: the table, of fewer than ZCB_BUF_ARENAS; at most 1 TiB of pages then
 * @pages: as many records as every arena has, as for zcb_buf_table_init()
 *
 * Context: The caller locks. Does not sleep.
 */
void zcb_buf_table_grow(struct zcb_buf_table *t, struct zcb_buf_page *pages)
{
	t->pages[t->npages / t->in_arena] = pages;
	t->npages += t->in_arena;
}

/**
 * zcb_buf_table_drop() - forget the pages of an arena
 * @t: the table
 * @arena: its number; all its pages are idle
 *
 * Other pages keep their numbers, and no others get these.
 *
 * Context: The caller locks. Does not sleep.
 * Return: Their records, which are the caller's again.
 */
struct zcb_buf_page *zcb_buf_table_drop(struct zcb_buf_table *t, u32 arena)
{
	struct zcb_buf_page *pages = t->pages[arena];

	t->pages[arena] = NULL;
	return pages;
}

/**
 * zcb_buf_pages_init() - records of pages that are idle and were never used
 * @pages: memory for @npages records; contents do not matter
 * @npages: how many
 *
 * Context: Any.
 */
void zcb_buf_pages_init(struct zcb_buf_page *pages, u32 npages)
{
	u32 i;

	for (i = 0; i < npages; i++)
		pages[i] = (struct zcb_buf_page){
			.prev = ZCB_BUF_NONE,
			.next = ZCB_BUF_NONE,
			.gen = 1,
			.slab_gen = 1,
			.state = ZCB_BUF_IDLE,
		};
}

/**
 * zcb_buf_hand_out() - make a block a buffer
 * @t: the table
 * @l: the owner's list
 * @owner: who gets it
 * @page: its first page; the block is fresh from the buddy
 * @order: of the block
 *
 * Context: The caller locks. Does not sleep.
 * Return: Its handle.
 */
u64 zcb_buf_hand_out(struct zcb_buf_table *t, struct zcb_buf_list *l,
		     void *owner, u32 page, unsigned int order)
{
	give(t, l, owner, page, order)->state = ZCB_BUF_BLOCK;
	return zcb_buf_handle(t, page);
}

/**
 * zcb_buf_handle() - what names a buffer
 * @t: the table
 * @page: its first page
 *
 * Context: The caller locks. Does not sleep.
 * Return: Its handle.
 */
u64 zcb_buf_handle(const struct zcb_buf_table *t, u32 page)
{
	unsigned int shift = t->page_shift - BLOCK_UNIT_SHIFT;
	const struct zcb_buf_page *p = zcb_buf_at(t, page);

	return make_handle(p->order + shift, ZCBUF_BUF_PAGE_BITS, p->gen,
			   (u64)page << shift);
}

/**
 * zcb_buf_find() - the block a handle names
 * @t: the table
 * @handle: whatever user space says, of a class below ZCBUF_BUF_SLAB
 * @owner: who must own it
 * @page: its first page
 *
 * Context: The caller locks. Does not sleep.
 * Return: 0; -EINVAL if no such block could be; -ENOENT if the handle was never
 * issued, or its arena is gone; -EBADSLT if the block is free; -ESTALE if it was
 * freed and is part of something else now; -EPERM if it is not @owner's.
 */
int zcb_buf_find(const struct zcb_buf_table *t, u64 handle, const void *owner,
		 u32 *page)
{
	unsigned int shift = t->page_shift - BLOCK_UNIT_SHIFT;
	u64 index = handle_bits(handle, 0, ZCBUF_BUF_PAGE_BITS);
	u32 class = zcbuf_buf_class(handle);
	const struct zcb_buf_page *p;
	u32 gen;

	if (class < shift || class >= ZCBUF_BUF_SLAB)
		return -EINVAL;
	if (index & (BIT(shift) - 1) ||
	    index + BIT_ULL(class) > (u64)t->npages << shift)
		return -EINVAL;
	index = array_index_nospec(index, (u64)t->npages << shift);
	gen = handle_bits(handle, ZCBUF_BUF_PAGE_BITS,
			  ZCBUF_BUF_CLASS_SHIFT - ZCBUF_BUF_PAGE_BITS);
	if (page_gone(t, index >> shift))
		return -ENOENT;
	p = zcb_buf_at(t, index >> shift);
	if (p->state != ZCB_BUF_BLOCK || p->gen != gen ||
	    p->order != class - shift)
		return refuse(t, index >> shift, gen, p->gen);
	if (p->owner != owner)
		return -EPERM;
	*page = index >> shift;
	return 0;
}

/**
 * zcb_buf_take_back() - a buffer is a buffer no more
 * @t: the table
 * @l: the owner's list
 * @page: its first page
 *
 * Context: The caller locks. Does not sleep.
 */
void zcb_buf_take_back(struct zcb_buf_table *t, struct zcb_buf_list *l,
		       u32 page)
{
	struct zcb_buf_page *p = take(t, l, page);

	p->gen = zcb_buf_next_gen(p->gen, ZCB_BUF_GEN_MAX);
}

/**
 * zcb_buf_lease() - make a block a slab
 * @t: the table
 * @l: the owner's list
 * @owner: who gets it
 * @page: its first page; the block is fresh from the buddy
 * @order: of the block
 * @slab: its bookkeeping
 *
 * Context: The caller locks. Does not sleep.
 */
void zcb_buf_lease(struct zcb_buf_table *t, struct zcb_buf_list *l, void *owner,
		   u32 page, unsigned int order, struct zcb_slab *slab)
{
	struct zcb_buf_page *p = give(t, l, owner, page, order);

	p->state = ZCB_BUF_SLAB;
	p->slab = slab;
}

/**
 * zcb_buf_unlease() - a slab is a slab no more
 * @t: the table
 * @l: the owner's list
 * @page: its first page
 *
 * Context: The caller locks. Does not sleep.
 */
void zcb_buf_unlease(struct zcb_buf_table *t, struct zcb_buf_list *l, u32 page)
{
	struct zcb_buf_page *p = take(t, l, page);

	p->slab_gen = zcb_buf_next_gen(p->slab_gen, ZCB_BUF_SLAB_GEN_MAX);
}

/**
 * zcb_buf_detach() - a block is its owner's no more
 * @t: the table
 * @from: his list
 * @page: its first page
 *
 * What names it, or objects in it, goes on to do so, and is refused to anybody.
 *
 * Context: The caller locks. Does not sleep.
 */
void zcb_buf_detach(struct zcb_buf_table *t, struct zcb_buf_list *from,
		    u32 page)
{
	list_remove(t, from, page);
	zcb_buf_at(t, page)->owner = NULL;
}

/**
 * zcb_buf_attach() - a block that was detached gets an owner
 * @t: the table
 * @to: his list
 * @owner: him
 * @page: its first page
 *
 * Context: The caller locks. Does not sleep.
 */
void zcb_buf_attach(struct zcb_buf_table *t, struct zcb_buf_list *to,
		    void *owner, u32 page)
{
	zcb_buf_at(t, page)->owner = owner;
	list_insert(t, to, page);
}

/**
 * zcb_buf_slab_handle() - the handle of a slab object
 * @t: the table
 * @page: first page of its slab
 * @class: number of its slab class
 * @offset_in_slab: where it is, bytes
 *
 * Context: The caller locks. Does not sleep.
 * Return: The handle.
 */
u64 zcb_buf_slab_handle(const struct zcb_buf_table *t, u32 page,
			unsigned int class, u64 offset_in_slab)
{
	u64 offset = ((u64)page << t->page_shift) + offset_in_slab;

	return zcb_buf_object_handle(class, zcb_buf_at(t, page)->slab_gen,
				     offset);
}

/**
 * zcb_buf_find_slab() - the slab of the object a handle names
 * @t: the table
 * @handle: whatever user space says, of a class from ZCBUF_BUF_SLAB on
 * @order: of the slabs of that class
 * @owner: who must own it
 * @slab: the slab's bookkeeping
 * @offset_in_slab: where the object is, bytes; zcb_slab_put() checks it
 *
 * Context: The caller locks. Does not sleep.
 * Return: As zcb_buf_find(). With -EPERM @slab and @offset_in_slab are set.
 */
int zcb_buf_find_slab(const struct zcb_buf_table *t, u64 handle,
		      unsigned int order, const void *owner,
		      struct zcb_slab **slab, u64 *offset_in_slab)
{
	u64 offset = zcbuf_buf_offset(handle);
	u32 class = zcbuf_buf_class(handle);
	const struct zcb_buf_page *p;
	u32 gen, page;

	if (class < ZCBUF_BUF_SLAB)
		return -EINVAL;
	if (offset >> t->page_shift >= t->npages)
		return -EINVAL;
	offset = array_index_nospec(offset, (u64)t->npages << t->page_shift);
	gen = handle_bits(handle, ZCBUF_BUF_SLAB_BITS,
			  ZCBUF_BUF_CLASS_SHIFT - ZCBUF_BUF_SLAB_BITS);
	page = block_start(t, offset >> t->page_shift, order);
	if (page_gone(t, page))
		return -ENOENT;
	p = zcb_buf_at(t, page);
	if (p->state != ZCB_BUF_SLAB || p->slab_gen != gen ||
	    p->slab->class != class - ZCBUF_BUF_SLAB)
		return refuse(t, offset >> t->page_shift, gen, p->slab_gen);
	*slab = p->slab;
	*offset_in_slab = offset - ((u64)page << t->page_shift);
	return p->owner == owner ? 0 : -EPERM;
}

/**
 * zcb_buf_was_used() - did anybody ever use any of these pages?
 * @t: the table
 * @page: the first
 * @npages: how many, of one arena
 *
 * Context: The caller locks. Does not sleep.
 * Return: Whether zcb_buf_tag() was called for any of them: if not, all are
 * zero.
 */
bool zcb_buf_was_used(const struct zcb_buf_table *t, u32 page, u32 npages)
{
	const struct zcb_buf_page *p = zcb_buf_at(t, page);
	u32 i;

	for (i = 0; i < npages; i++)
		if (p[i].domain)
			return true;
	return false;
}

/**
 * zcb_buf_is_foreign() - what would zcb_buf_tag() say?
 * @t: the table
 * @page: the first
 * @npages: how many, of one arena
 * @domain: who; not 0
 *
 * Context: The caller locks. Does not sleep.
 * Return: Whether another domain used any of them last.
 */
bool zcb_buf_is_foreign(const struct zcb_buf_table *t, u32 page, u32 npages,
			u32 domain)
{
	const struct zcb_buf_page *p = zcb_buf_at(t, page);
	u32 i;

	for (i = 0; i < npages; i++)
		if (p[i].domain && p[i].domain != domain)
			return true;
	return false;
}

/**
 * zcb_buf_tag() - somebody will use these pages
 * @t: the table
 * @page: the first
 * @npages: how many, of one arena
 * @domain: who; not 0
 *
 * Context: The caller locks. Does not sleep.
 * Return: Whether another domain used any of them last: they must be zeroed
 * before they are handed out.
 */
bool zcb_buf_tag(struct zcb_buf_table *t, u32 page, u32 npages, u32 domain)
{
	struct zcb_buf_page *p = zcb_buf_at(t, page);
	bool foreign = false;
	u32 i;

	for (i = 0; i < npages; i++) {
		foreign |= p[i].domain && p[i].domain != domain;
		p[i].domain = domain;
	}
	return foreign;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handing out memory. Whoever gets a block is its last domain from then on; a
 * block that was another domain's is zeroed before anybody sees its handle.
 *
 * The pool's mem_lock guards everything that is looked up here. It is a spin
 * lock: memory for bookkeeping is allocated before it is taken, and long walks
 * drop it now and then.
 */
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "../face/trace.h"
#include "magazine.h"
#include "memory.h"
#include "session.h"

#define ZCB_MEMORY_ALIGN_MAX	((u32)ZCB_ARENA_UNIT)
#define ZCB_MEMORY_BATCH	128	/* blocks per hold of mem_lock */

static u32 memory_arena_pages(const struct zcb_pool *pool)
{
	return pool->arenas[0]->npages;
}

static void memory_count_locked(struct zcb_pool *pool, u64 bytes)
{
	lockdep_assert_held(&pool->mem_lock);
	pool->used += bytes;
	pool->max_used = max(pool->max_used, pool->used);
	pool->min_free = min(pool->min_free,
			     zcb_pool_size(pool) - pool->used);
}

static int memory_get_locked(struct zcb_pool *pool, u32 order, u32 *page)
{
	int err = zcb_magazine_get_locked(pool, order, page);

	if (!err)
		memory_count_locked(pool, PAGE_SIZE << order);
	return err;
}

static void memory_put_locked(struct zcb_pool *pool, u32 page, u32 npages)
{
	if (!zcb_magazine_put_locked(pool, page, npages))
		pool->used -= (u64)npages << PAGE_SHIFT;
}

/* A block never spans arenas. */
static void memory_zero(struct zcb_pool *pool, u64 pool_offset, u64 length)
{
	u64 in_arena = pool->arenas[0]->size;
	u32 i = pool_offset >> PAGE_SHIFT;

	i /= memory_arena_pages(pool);
	zcb_arena_zero(pool->arenas[i], pool_offset - i * in_arena, length);
}

/*
 * Before memory is handed out. @dirty: it must read as zero and may not;
 * @foreign: another domain used it last.
 */
static void memory_clean(struct zcb_pool *pool, u64 pool_offset, u64 length,
			 bool dirty, bool foreign)
{
	bool reuse = pool->cfg.flags & ZCBUF_POOL_F_NO_ZERO_ON_REUSE;

	if (dirty || (foreign && !reuse))
		memory_zero(pool, pool_offset, length);
}

/*
 * Make a block that came from the buddy @domain's: zero it if need be. It has
 * no handle yet, so it is this caller's alone, and so are the domains of its
 * pages; no lock is needed, however large it is.
 */
static void memory_claim(struct zcb_pool *pool, u32 page, u32 order, u32 domain,
			 bool zero)
{
	bool dirty = zero && zcb_buf_was_used(&pool->bufs, page, 1U << order);
	bool foreign = zcb_buf_tag(&pool->bufs, page, 1U << order, domain);

	memory_clean(pool, (u64)page << PAGE_SHIFT, PAGE_SIZE << order, dirty,
		     foreign);
}

/**
 * zcb_holdings_init - a session that holds nothing
 * @h: its holdings
 */
void zcb_holdings_init(struct zcb_holdings *h)
{
	u32 i;

	zcb_buf_list_init(&h->blocks);
	zcb_buf_list_init(&h->leases);
	for (i = 0; i < ZCB_SLAB_CLASSES; i++)
		INIT_LIST_HEAD(&h->slabs[i]);
	h->objects = 0;
	h->object_bytes = 0;
	zcb_fixed_list_init(&h->fixed);
}

static int memory_get(struct zcb_pool *pool, u32 order, u32 domain, bool zero,
		      u32 *page)
{
	u32 narenas;
	int err;

	do {
		spin_lock(&pool->mem_lock);
		err = memory_get_locked(pool, order, page);
		narenas = pool->narenas;
		spin_unlock(&pool->mem_lock);
	} while (err && zcb_pool_grow_for(pool, narenas));
	if (!err)
		memory_claim(pool, *page, order, domain, zero);
	return err;
}

/**
 * zcb_memory_get - a block of pages that is no buffer
 * @pool: the pool
 * @bytes: at least this many; at most zcb_pool_largest()
 * @domain: who will use it
 * @pool_offset: where it is
 * @pages: how many pages it has
 *
 * Context: may sleep (zeroing; growing the pool); no lock is held.
 * Return: 0, or -ENOMEM: no block of that size is free.
 */
int zcb_memory_get(struct zcb_pool *pool, u64 bytes, u32 domain,
		   u64 *pool_offset, u32 *pages)
{
	u32 order = zcb_buddy_order(PAGE_ALIGN(bytes) >> PAGE_SHIFT);
	u32 page;

	if (memory_get(pool, order, domain, false, &page))
		return -ENOMEM;
	*pool_offset = (u64)page << PAGE_SHIFT;
	*pages = 1U << order;
	return 0;
}

/**
 * zcb_memory_put - give pages back that zcb_memory_get() got, or some of them
 * @pool: the pool
 * @pool_offset: of the first
 * @pages: how many
 *
 * Context: any but interrupt.
 */
void zcb_memory_put(struct zcb_pool *pool, u64 pool_offset, u32 pages)
{
	if (!pages)
		return;
	spin_lock(&pool->mem_lock);
	memory_put_locked(pool, pool_offset >> PAGE_SHIFT, pages);
	spin_unlock(&pool->mem_lock);
	zcb_pool_space(pool);
}

/**
 * zcb_memory_room - would zcb_memory_get() find a block now
 * @pool: the pool
 * @bytes: as for zcb_memory_get()
 *
 * Context: any but interrupt.
 * Return: true if so, unless the pool would have to grow and cannot.
 */
bool zcb_memory_room(struct zcb_pool *pool, u64 bytes)
{
	u32 order = zcb_buddy_order(PAGE_ALIGN(bytes) >> PAGE_SHIFT);
	bool room;

	spin_lock(&pool->mem_lock);
	room = zcb_magazine_has_locked(pool, order);
	spin_unlock(&pool->mem_lock);
	return room || zcb_pool_may_grow(pool);
}

static int memory_alloc_block(struct zcb_pool *pool, struct zcb_holdings *h,
			      u32 domain, u32 order, bool zero, u64 *handle)
{
	u32 page;
	int err;

	err = memory_get(pool, order, domain, zero, &page);
	if (err)
		return err;
	/* Last: from here on another thread may free it, handles can be guessed. */
	spin_lock(&pool->mem_lock);
	*handle = zcb_buf_hand_out(&pool->bufs, &h->blocks, h, page, order);
	spin_unlock(&pool->mem_lock);
	return 0;
}

/* Nobody can find the slab before it is zero and on the owner's list. */
static int memory_lease(struct zcb_pool *pool, struct zcb_holdings *h,
			u32 domain, u32 class)
{
	const struct zcb_slab_class *c = &pool->cfg.slabs.class[class];
	struct zcb_slab *slab;
	u32 page;
	int err;

	slab = kzalloc(zcb_slab_size(c), GFP_KERNEL_ACCOUNT);
	if (!slab)
		return -ENOMEM;
	err = memory_get(pool, c->order, domain, false, &page);
	if (err) {
		kfree(slab);
		return err;
	}
	spin_lock(&pool->mem_lock);
	zcb_slab_init(slab, &pool->cfg.slabs, class, page, &h->slabs[class]);
	zcb_buf_lease(&pool->bufs, &h->leases, h, page, c->order, slab);
	spin_unlock(&pool->mem_lock);
	return 0;
}

static void memory_unlease_locked(struct zcb_pool *pool, struct zcb_holdings *h,
				  struct zcb_slab *slab)
{
	const struct zcb_slab_class *c = &pool->cfg.slabs.class[slab->class];
	u32 page = slab->page;

	lockdep_assert_held(&pool->mem_lock);
	zcb_slab_fini(slab, &pool->cfg.slabs);
	zcb_buf_unlease(&pool->bufs, &h->leases, page);
	memory_put_locked(pool, page, 1U << c->order);
	kfree(slab);
}

static int memory_alloc_object(struct zcb_pool *pool, struct zcb_holdings *h,
			       u32 domain, u32 class, bool zero, u64 *handle)
{
	const struct zcb_slab_class *c = &pool->cfg.slabs.class[class];
	struct zcb_slab *slab;
	u64 offset;
	int err;

	for (;;) {
		spin_lock(&pool->mem_lock);
		err = zcb_slab_get(&pool->cfg.slabs, class, &h->slabs[class],
				   &slab, &offset);
		if (!err) {
			*handle = zcb_buf_slab_handle(&pool->bufs, slab->page,
						      class, offset);
			h->objects++;
			h->object_bytes += c->length;
		}
		spin_unlock(&pool->mem_lock);
		if (err != -EAGAIN)
			break;
		err = memory_lease(pool, h, domain, class);
		if (err)
			return err;
	}
	if (zero)
		memory_zero(pool, zcbuf_buf_offset(*handle), c->length);
	return err;
}

/*
 * As a block of pages: what was taken has no handle yet and is this caller's
 * alone, so it is zeroed without a lock. Then another thread may free it.
 */
static int memory_alloc_fixed(struct zcb_pool *pool, struct zcb_holdings *h,
			      u32 domain, const struct zcb_memory_request *r,
			      u64 *handle)
{
	struct zcb_fixed *f = &pool->cfg.fixed;
	int class = zcb_fixed_class_for(f, r->length, r->align);
	bool dirty, foreign;
	u32 object;
	int err;

	if (class < 0)
		return class;
	spin_lock(&pool->mem_lock);
	err = zcb_fixed_take(f, class, &object);
	if (!err)
		memory_count_locked(pool, f->class[class].length);
	spin_unlock(&pool->mem_lock);
	if (err)
		return err;

	dirty = r->zero && zcb_fixed_was_used(f, object);
	foreign = zcb_fixed_tag(f, object, domain);
	memory_clean(pool, zcb_fixed_offset(f, class, object),
		     f->class[class].length, dirty, foreign);
	spin_lock(&pool->mem_lock);
	*handle = zcb_fixed_hand_out(f, &h->fixed, h, class, object);
	spin_unlock(&pool->mem_lock);
	return 0;
}

static int memory_order_for(struct zcb_pool *pool, u64 length, u32 align,
			    u32 *order)
{
	u64 bytes = max_t(u64, length, align);

	if (bytes > zcb_pool_largest(pool))
		return -E2BIG;
	*order = zcb_buddy_order(PAGE_ALIGN(bytes) >> PAGE_SHIFT);
	return 0;
}

/* -EAGAIN: there is no room for it now. */
static int memory_try_alloc(struct zcb_pool *pool, struct zcb_holdings *h,
			    u32 domain, const struct zcb_memory_request *r,
			    u64 *handle)
{
	u32 order;
	int err;

	if (pool->cfg.kind == ZCBUF_POOL_FIXED)
		return memory_alloc_fixed(pool, h, domain, r, handle);
	if (pool->cfg.kind == ZCBUF_POOL_TIERS) {
		err = zcb_slab_class_for(&pool->cfg.slabs, r->length, r->align);
		if (err >= 0)
			return memory_alloc_object(pool, h, domain, err,
						   r->zero, handle);
	}
	err = memory_order_for(pool, r->length, r->align, &order);
	if (err)
		return err;
	return memory_alloc_block(pool, h, domain, order, r->zero, handle);
}

static bool memory_request_valid(const struct zcb_pool *pool,
				 const struct zcb_memory_request *r)
{
	if (r->align > ZCB_MEMORY_ALIGN_MAX || (r->align & (r->align - 1)))
		return false;
	return r->length || pool->cfg.kind == ZCBUF_POOL_PAGES;
}

/**
 * zcb_memory_alloc - a buffer
 * @pool: the pool
 * @h: who holds it then
 * @domain: of the same session
 * @r: what it shall be like
 * @handle: names it
 *
 * Context: may sleep, and wait until @r->deadline_ns; no lock is held.
 * Return: 0, -EINVAL, -E2BIG (never), -ENOMEM (not now, and not to wait for),
 * -ETIMEDOUT, -ERESTARTSYS.
 */
int zcb_memory_alloc(struct zcb_pool *pool, struct zcb_holdings *h, u32 domain,
		     const struct zcb_memory_request *r, u64 *handle)
{
	int seen, err;

	if (!memory_request_valid(pool, r))
		return -EINVAL;
	do {
		/* Before the attempt: what comes back after it is an event. */
		seen = atomic_read(&pool->space_seq);
		err = memory_try_alloc(pool, h, domain, r, handle);
		if (err != -EAGAIN)
			return err;
		err = zcb_wait(&pool->space_wq, &pool->space_seq, seen,
			       r->deadline_ns);
	} while (!err);
	return err == -EAGAIN ? -ENOMEM : err;
}

static int memory_free_block_locked(struct zcb_pool *pool,
				    struct zcb_holdings *h, u64 handle)
{
	u32 page, npages;
	int err;

	err = zcb_buf_find(&pool->bufs, handle, h, &page);
	if (err)
		return err;
	npages = 1U << zcb_buf_at(&pool->bufs, page)->order;
	zcb_buf_take_back(&pool->bufs, &h->blocks, page);
	memory_put_locked(pool, page, npages);
	return 0;
}

static int memory_find_slab_locked(struct zcb_pool *pool,
				   const struct zcb_holdings *h, u64 handle,
				   struct zcb_slab **slab, u64 *offset)
{
	const struct zcb_slab_table *t = &pool->cfg.slabs;
	u32 class = zcbuf_buf_class(handle) - ZCBUF_BUF_SLAB;

	lockdep_assert_held(&pool->mem_lock);
	if (class >= t->n)
		return -EINVAL;
	class = array_index_nospec(class, t->n);
	return zcb_buf_find_slab(&pool->bufs, handle, t->class[class].order, h,
				 slab, offset);
}

static int memory_free_object_locked(struct zcb_pool *pool,
				     struct zcb_holdings *h, u64 handle)
{
	struct zcb_slab_table *t = &pool->cfg.slabs;
	struct zcb_slab *slab;
	u64 offset;
	int err;

	err = memory_find_slab_locked(pool, h, handle, &slab, &offset);
	if (err)
		return err;
	err = zcb_slab_put(t, slab, &h->slabs[slab->class], offset);
	if (err)
		return err;
	h->objects--;
	h->object_bytes -= t->class[slab->class].length;
	if (zcb_slab_empty(slab, t))
		memory_unlease_locked(pool, h, slab);
	return 0;
}

static void memory_put_fixed_locked(struct zcb_pool *pool,
				    struct zcb_holdings *h, u32 class,
				    u32 object)
{
	struct zcb_fixed *f = &pool->cfg.fixed;

	lockdep_assert_held(&pool->mem_lock);
	zcb_fixed_put(f, &h->fixed, class, object);
	pool->used -= f->class[class].length;
}

static int memory_free_fixed_locked(struct zcb_pool *pool,
				    struct zcb_holdings *h, u64 handle)
{
	u32 class, object;
	int err;

	err = zcb_fixed_find(&pool->cfg.fixed, handle, h, &class, &object);
	if (!err)
		memory_put_fixed_locked(pool, h, class, object);
	return err;
}

/**
 * zcb_memory_free - give a buffer back
 * @pool: the pool
 * @h: who says so
 * @handle: names it
 *
 * Context: any but interrupt.
 * Return: 0, -EINVAL, -ENOENT, -EPERM, -EBADSLT, -ESTALE; refused frees are
 * counted.
 */
int zcb_memory_free(struct zcb_pool *pool, struct zcb_holdings *h, u64 handle)
{
	int err;

	spin_lock(&pool->mem_lock);
	if (pool->cfg.kind == ZCBUF_POOL_FIXED)
		err = memory_free_fixed_locked(pool, h, handle);
	else if (zcbuf_buf_class(handle) < ZCBUF_BUF_SLAB)
		err = memory_free_block_locked(pool, h, handle);
	else
		err = memory_free_object_locked(pool, h, handle);
	if (err)
		pool->bad_frees++;
	spin_unlock(&pool->mem_lock);

	if (err)
		trace_zcbuf_bad_free(pool->handle, handle, err);
	else
		zcb_pool_space(pool);
	return err;
}

static int memory_find_locked(struct zcb_pool *pool,
			      const struct zcb_holdings *h, u64 handle,
			      u64 *capacity)
{
	struct zcb_slab *slab;
	u32 class, index;
	u64 offset;
	int err;

	if (pool->cfg.kind == ZCBUF_POOL_FIXED) {
		err = zcb_fixed_find(&pool->cfg.fixed, handle, h, &class,
				     &index);
		if (!err)
			*capacity = pool->cfg.fixed.class[class].length;
		return err;
	}
	if (zcbuf_buf_class(handle) < ZCBUF_BUF_SLAB) {
		err = zcb_buf_find(&pool->bufs, handle, h, &index);
		*capacity = zcbuf_buf_capacity(handle, NULL);
		return err;
	}
	err = memory_find_slab_locked(pool, h, handle, &slab, &offset);
	if (err)
		return err;
	*capacity = pool->cfg.slabs.class[slab->class].length;
	return zcb_slab_check(&pool->cfg.slabs, slab, offset);
}

/**
 * zcb_memory_find - where a buffer is
 * @pool: the pool
 * @h: who asks, its owner
 * @handle: names it
 * @place: filled
 *
 * Context: any but interrupt.
 * Return: 0, -EINVAL, -ENOENT, -EPERM, -EBADSLT, -ESTALE.
 */
int zcb_memory_find(struct zcb_pool *pool, const struct zcb_holdings *h,
		    u64 handle, struct zcb_memory_place *place)
{
	u32 page = zcbuf_buf_offset(handle) >> PAGE_SHIFT;
	u32 arena = page / memory_arena_pages(pool);
	u64 capacity;
	int err;

	spin_lock(&pool->mem_lock);
	err = memory_find_locked(pool, h, handle, &capacity);
	spin_unlock(&pool->mem_lock);
	if (err)
		return err;
	/* The pages stay where they are, whoever has them by now. */
	arena = array_index_nospec(arena, ZCB_POOL_ARENAS);
	*place = (struct zcb_memory_place) {
		.offset = zcbuf_buf_offset(handle),
		.capacity = capacity,
		.arena = arena,
		.node = page_to_nid(zcb_pool_page(pool, page)),
		.page_order = pool->arenas[arena]->order,
	};
	return 0;
}

static bool memory_reclaim_one_locked(struct zcb_pool *pool,
				      struct zcb_holdings *h)
{
	u32 object = h->fixed.first;
	u32 page = h->blocks.first;
	u32 npages;

	if (object != ZCB_FIXED_NONE) {
		memory_put_fixed_locked(pool, h,
					zcb_fixed_class_of(&pool->cfg.fixed,
							   object), object);
		return true;
	}
	if (page != ZCB_BUF_NONE) {
		npages = 1U << zcb_buf_at(&pool->bufs, page)->order;
		zcb_buf_take_back(&pool->bufs, &h->blocks, page);
		memory_put_locked(pool, page, npages);
		return true;
	}
	page = h->leases.first;
	if (page == ZCB_BUF_NONE)
		return false;
	memory_unlease_locked(pool, h, zcb_buf_at(&pool->bufs, page)->slab);
	return true;
}

/**
 * zcb_memory_reclaim - give back all a session holds
 * @pool: the pool
 * @h: the holdings of a session that is gone
 *
 * Context: may sleep. mem_lock is held for a bounded time only.
 */
void zcb_memory_reclaim(struct zcb_pool *pool, struct zcb_holdings *h)
{
	bool more = true;
	u32 n;

	while (more) {
		spin_lock(&pool->mem_lock);
		for (n = 0; more && n < ZCB_MEMORY_BATCH; n++)
			more = memory_reclaim_one_locked(pool, h);
		/* Objects went with their slabs; zcctl may be looking. */
		if (!more)
			zcb_holdings_init(h);
		spin_unlock(&pool->mem_lock);
		cond_resched();
	}
	zcb_pool_space(pool);
}

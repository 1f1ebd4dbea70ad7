// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handing out memory. Whoever gets a block is its last domain from then on; a
 * block that was another domain's is zeroed before anybody sees its handle.
 *
 * The pool's mem_lock guards everything that is looked up here. It is a spin
 * lock: memory for bookkeeping is allocated before it is taken.
 */
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/sched.h>

#include "../face/trace.h"
#include "control.h"
#include "magazine.h"
#include "memory.h"
#include "session.h"
#include "share.h"
#include "slabs.h"

#define ZCB_MEMORY_ALIGN_MAX	((u32)ZCB_ARENA_UNIT)
#define ZCB_MEMORY_LITTLE	(16U << 10)	/* zeroed even where nobody may sleep */

static u32 memory_arena_pages(const struct zcb_pool *pool)
{
	return pool->arenas[0]->npages;
}

/* zcb_memory_count_locked() - so much more is handed out */
void zcb_memory_count_locked(struct zcb_pool *pool, u64 bytes)
{
	lockdep_assert_held(&pool->mem_lock);
	pool->used += bytes;
	pool->max_used = max(pool->max_used, pool->used);
	zcb_pool_count_free(pool);
}

static int memory_get_locked(struct zcb_pool *pool,
			     const struct zcb_memory_want *w, u32 *page)
{
	int err = zcb_magazine_get_locked(pool, w->order, w->nid, page);

	if (!err)
		zcb_memory_count_locked(pool, PAGE_SIZE << w->order);
	return err;
}

/* zcb_memory_put_locked() - give pages back that are nobody's any more */
void zcb_memory_put_locked(struct zcb_pool *pool, u32 page, u32 npages)
{
	lockdep_assert_held(&pool->mem_lock);
	if (!zcb_magazine_put_locked(pool, page, npages))
		pool->used -= (u64)npages << PAGE_SHIFT;
}

/* zcb_memory_zero() - zero a block, which never spans arenas, or a part of it */
void zcb_memory_zero(struct zcb_pool *pool, u64 pool_offset, u64 length)
{
	u64 in_arena = pool->arenas[0]->size;
	u32 i = pool_offset >> PAGE_SHIFT;

	i /= memory_arena_pages(pool);
	zcb_arena_zero(pool->arenas[i], pool_offset - i * in_arena, length);
}

/* zcb_memory_much() - does it take too long to zero it for who must not sleep */
bool zcb_memory_much(u64 length)
{
	return length > ZCB_MEMORY_LITTLE;
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
		zcb_memory_zero(pool, pool_offset, length);
}

/*
 * Make a block that came from the buddy @w->domain's: zero it if need be. It has
 * no handle yet, so it is this caller's alone, and so are the domains of its
 * pages; no lock is needed, however large it is.
 */
static void memory_claim(struct zcb_pool *pool, const struct zcb_memory_want *w,
			 u32 page)
{
	u32 npages = 1U << w->order;
	bool dirty = w->zero && zcb_buf_was_used(&pool->bufs, page, npages);
	bool foreign = zcb_buf_tag(&pool->bufs, page, npages, w->domain);

	memory_clean(pool, (u64)page << PAGE_SHIFT, PAGE_SIZE << w->order,
		     dirty, foreign);
}

/* Would memory_claim() zero it? */
static bool memory_is_dirty(const struct zcb_pool *pool,
			    const struct zcb_memory_want *w, u32 page)
{
	if (w->zero)
		return zcb_buf_was_used(&pool->bufs, page, 1U << w->order);
	return !(pool->cfg.flags & ZCBUF_POOL_F_NO_ZERO_ON_REUSE) &&
	       zcb_buf_is_foreign(&pool->bufs, page, 1U << w->order, w->domain);
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
	INIT_LIST_HEAD(&h->loans);
	h->loan_bytes = 0;
	h->objects = 0;
	h->object_bytes = 0;
	zcb_fixed_list_init(&h->fixed);
	INIT_LIST_HEAD(&h->shares);
	h->nshares = 0;
	h->share_bytes = 0;
}

/* Is there, or could there be, more than the @narenas that had no room? */
static bool memory_may_grow(const struct zcb_pool *pool, int nid, u32 narenas)
{
	return zcb_pool_arenas(pool) != narenas || zcb_pool_may_grow(pool, nid);
}

/*
 * A block for who must not sleep. One that is much to zero goes back as it is:
 * its pages are tagged only when they are somebody's.
 */
static int memory_block_nowait(struct zcb_pool *pool,
			       const struct zcb_memory_want *w, u32 *page)
{
	u32 narenas;
	int err;

	spin_lock(&pool->mem_lock);
	err = memory_get_locked(pool, w, page);
	narenas = pool->narenas;
	spin_unlock(&pool->mem_lock);
	if (err)
		return memory_may_grow(pool, w->nid, narenas) ? -ZCB_ESLEEP :
								err;
	if (!zcb_memory_much(PAGE_SIZE << w->order) ||
	    !memory_is_dirty(pool, w, *page))
		return 0;
	zcb_memory_put(pool, (u64)*page << PAGE_SHIFT, 1U << w->order);
	return -ZCB_ESLEEP;
}

static int memory_block_grown(struct zcb_pool *pool,
			      const struct zcb_memory_want *w, u32 *page)
{
	u32 narenas;
	int err;

	do {
		spin_lock(&pool->mem_lock);
		err = memory_get_locked(pool, w, page);
		narenas = pool->narenas;
		spin_unlock(&pool->mem_lock);
	} while (err && zcb_pool_grow_for(pool, w->nid, narenas));
	return err;
}

/**
 * zcb_memory_block - a block of pages that nobody can find yet
 * @pool: the pool
 * @w: what it shall be like
 * @page: its first page
 *
 * Context: may sleep (zeroing; growing the pool) if not @w->nowait; no lock is held.
 * Return: 0; -EAGAIN: there is none; -ZCB_ESLEEP: @w->nowait is in the way.
 */
int zcb_memory_block(struct zcb_pool *pool, const struct zcb_memory_want *w,
		     u32 *page)
{
	int err;

	err = w->nowait ? memory_block_nowait(pool, w, page) :
			  memory_block_grown(pool, w, page);
	if (!err)
		memory_claim(pool, w, *page);
	return err;
}

static int memory_get(struct zcb_pool *pool, u64 bytes, u32 domain, bool nowait,
		      u64 *pool_offset, u32 *pages)
{
	const struct zcb_memory_want w = {
		.order = zcb_buddy_order(PAGE_ALIGN(bytes) >> PAGE_SHIFT),
		.domain = domain,
		.nid = NUMA_NO_NODE,
		.nowait = nowait,
	};
	u32 page;
	int err;

	err = zcb_memory_block(pool, &w, &page);
	if (err == -EAGAIN) {
		zcb_control_pressure(pool);
		return -ENOMEM;
	}
	if (err)
		return err;
	*pool_offset = (u64)page << PAGE_SHIFT;
	*pages = 1U << w.order;
	return 0;
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
	return memory_get(pool, bytes, domain, false, pool_offset, pages);
}

/**
 * zcb_memory_get_nowait - the same for who must not sleep
 * @pool: the pool
 * @bytes: as for zcb_memory_get()
 * @domain: who will use it
 * @pool_offset: where it is
 * @pages: how many pages it has
 *
 * Context: a task's; no lock is held.
 * Return: 0, -ENOMEM, or -ZCB_ESLEEP: nothing was done.
 */
int zcb_memory_get_nowait(struct zcb_pool *pool, u64 bytes, u32 domain,
			  u64 *pool_offset, u32 *pages)
{
	return memory_get(pool, bytes, domain, true, pool_offset, pages);
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
	zcb_memory_put_locked(pool, pool_offset >> PAGE_SHIFT, pages);
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
	return room || zcb_pool_may_grow(pool, NUMA_NO_NODE);
}

static int memory_alloc_block(struct zcb_pool *pool, struct zcb_holdings *h,
			      u32 domain, u32 order,
			      const struct zcb_memory_request *r, u64 *handle)
{
	const struct zcb_memory_want w = {
		.order = order,
		.domain = domain,
		.nid = zcb_memory_nid(r),
		.zero = r->zero,
		.nowait = r->nowait,
	};
	u32 page;
	int err;

	err = zcb_memory_block(pool, &w, &page);
	if (err)
		return err;
	/* Last: from here on another thread may free it, handles can be guessed. */
	spin_lock(&pool->mem_lock);
	*handle = zcb_buf_hand_out(&pool->bufs, &h->blocks, h, page, order);
	spin_unlock(&pool->mem_lock);
	return 0;
}

/* As memory_is_dirty(), of the object that would be taken. */
static bool memory_fixed_is_dirty(const struct zcb_pool *pool, u32 class,
				  u32 domain, bool zero)
{
	const struct zcb_fixed *f = &pool->cfg.fixed;
	u32 last = zcb_fixed_next_domain(f, class);

	lockdep_assert_held(&pool->mem_lock);
	if (zero)
		return last;
	return last && last != domain &&
	       !(pool->cfg.flags & ZCBUF_POOL_F_NO_ZERO_ON_REUSE);
}

/* struct memory_spot - where an object shall be */
struct memory_spot {
	const struct zcb_arena *arena;
	int nid;
};

static bool memory_fixed_is_on(const void *of, u64 offset, u32 length)
{
	const struct memory_spot *s = of;
	u32 first = offset >> PAGE_SHIFT;
	u32 last = (offset + length - 1) >> PAGE_SHIFT;

	return zcb_arena_is_on(s->arena, s->nid, first, last - first + 1);
}

/* So that the next one to be taken is of that node. */
static int memory_bring_fixed_locked(struct zcb_pool *pool, u32 class, int nid,
				     struct zcb_fixed_walk *walk)
{
	const struct memory_spot s = { pool->arenas[0], nid };

	lockdep_assert_held(&pool->mem_lock);
	if (nid == NUMA_NO_NODE)
		return 0;
	if (!s.arena->nparts)
		return s.arena->nid == nid ? 0 : -EAGAIN;
	return zcb_fixed_bring(&pool->cfg.fixed, class, memory_fixed_is_on, &s,
			       walk);
}

static int memory_take_fixed_locked(struct zcb_pool *pool, u32 class,
				    u32 domain,
				    const struct zcb_memory_request *r,
				    struct zcb_fixed_walk *walk, u32 *object)
{
	struct zcb_fixed *f = &pool->cfg.fixed;
	int err;

	lockdep_assert_held(&pool->mem_lock);
	err = memory_bring_fixed_locked(pool, class, zcb_memory_nid(r), walk);
	if (err)
		return err;
	if (r->nowait && zcb_memory_much(f->class[class].length) &&
	    memory_fixed_is_dirty(pool, class, domain, r->zero))
		return -ZCB_ESLEEP;
	err = zcb_fixed_take(f, class, object);
	if (!err)
		zcb_memory_count_locked(pool, f->class[class].length);
	return err;
}

/* A long search lets others at the lock, and is not for who must not sleep. */
static int memory_take_fixed(struct zcb_pool *pool, u32 class, u32 domain,
			     const struct zcb_memory_request *r, u32 *object)
{
	struct zcb_fixed_walk walk = { 0 };
	int err;

	for (;;) {
		spin_lock(&pool->mem_lock);
		err = memory_take_fixed_locked(pool, class, domain, r, &walk,
					       object);
		spin_unlock(&pool->mem_lock);
		if (err != -EINPROGRESS)
			return err;
		if (r->nowait)
			return -ZCB_ESLEEP;
		cond_resched();
	}
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
	err = memory_take_fixed(pool, class, domain, r, &object);
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

/* -EAGAIN: there is no room for it now. -ZCB_ESLEEP: as zcb_memory_alloc(). */
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
			err = zcb_slabs_alloc(pool, h, domain, err, r, handle);
		/* A slab that is of one node may be more than there can be. */
		if (err != -E2BIG && (err != -EAGAIN || !r->on_node))
			return err;
	}
	err = memory_order_for(pool, r->length, r->align, &order);
	if (err)
		return err;
	return memory_alloc_block(pool, h, domain, order, r, handle);
}

static bool memory_request_valid(const struct zcb_pool *pool,
				 const struct zcb_memory_request *r)
{
	/* One that has a node of its own will never have memory of another. */
	if (r->on_node && pool->cfg.flags & ZCBUF_POOL_F_NODE &&
	    !node_isset(r->node, pool->cfg.nodes))
		return false;
	if (r->align > ZCB_MEMORY_ALIGN_MAX || (r->align & (r->align - 1)))
		return false;
	return r->length || pool->cfg.kind != ZCBUF_POOL_TIERS;
}

/**
 * zcb_memory_alloc - a buffer
 * @pool: the pool
 * @h: who holds it then
 * @domain: of the same session
 * @r: what it shall be like
 * @handle: names it
 *
 * Context: may sleep, and wait until @r->deadline_ns, if not @r->nowait; no lock
 * is held. Records are allocated in any case.
 * Return: 0, -EINVAL, -E2BIG (never), -ENOMEM (not now, and not to wait for),
 * -ETIMEDOUT, -ERESTARTSYS, -ESTALE (@r->session has been evicted), -ZCB_ESLEEP
 * (nothing was done: ask again where it may sleep).
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
		zcb_control_pressure(pool);
		err = zcb_wait(r->session, &pool->space_wq, &pool->space_seq,
			       seen, r->deadline_ns);
	} while (!err);
	return err == -EAGAIN ? -ENOMEM : err;
}

/*
 * zcb_memory_put_block_locked() - a block of @h comes back: who shares it owns it
 * now, else it is free
 */
void zcb_memory_put_block_locked(struct zcb_pool *pool, struct zcb_holdings *h,
				 u32 page)
{
	u32 npages = 1U << zcb_buf_at(&pool->bufs, page)->order;
	struct zcb_holdings *heir;

	lockdep_assert_held(&pool->mem_lock);
	heir = zcb_share_heir_locked(pool, zcb_buf_handle(&pool->bufs, page));
	if (heir) {
		zcb_buf_detach(&pool->bufs, &h->blocks, page);
		zcb_buf_attach(&pool->bufs, &heir->blocks, heir, page);
		return;
	}
	zcb_buf_take_back(&pool->bufs, &h->blocks, page);
	zcb_memory_put_locked(pool, page, npages);
}

static int memory_free_block_locked(struct zcb_pool *pool,
				    struct zcb_holdings *h, u64 handle)
{
	u32 page;
	int err;

	err = zcb_buf_find(&pool->bufs, handle, h, &page);
	if (!err)
		zcb_memory_put_block_locked(pool, h, page);
	return err;
}

/* zcb_memory_put_fixed_locked() - as zcb_memory_put_block_locked() */
void zcb_memory_put_fixed_locked(struct zcb_pool *pool, struct zcb_holdings *h,
				 u32 class, u32 object)
{
	struct zcb_fixed *f = &pool->cfg.fixed;
	struct zcb_holdings *heir;

	lockdep_assert_held(&pool->mem_lock);
	heir = zcb_share_heir_locked(pool, zcb_fixed_handle(f, class, object));
	if (heir) {
		zcb_fixed_move(f, &h->fixed, &heir->fixed, heir, class, object);
		return;
	}
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
		zcb_memory_put_fixed_locked(pool, h, class, object);
	return err;
}

static int memory_free_locked(struct zcb_pool *pool, struct zcb_holdings *h,
			      u64 handle)
{
	lockdep_assert_held(&pool->mem_lock);
	if (zcb_share_end_locked(pool, h, handle))
		return 0;
	if (pool->cfg.kind == ZCBUF_POOL_FIXED)
		return memory_free_fixed_locked(pool, h, handle);
	if (zcbuf_buf_class(handle) < ZCBUF_BUF_SLAB)
		return memory_free_block_locked(pool, h, handle);
	return zcb_slabs_free_locked(pool, h, handle);
}

/**
 * zcb_memory_free - give a buffer back
 * @pool: the pool
 * @h: who says so
 * @handle: names it
 *
 * It is free when nobody else holds it.
 *
 * Context: any but interrupt.
 * Return: 0, -EINVAL, -ENOENT, -EPERM, -EBADSLT, -ESTALE; refused frees are
 * counted.
 */
int zcb_memory_free(struct zcb_pool *pool, struct zcb_holdings *h, u64 handle)
{
	int err;

	spin_lock(&pool->mem_lock);
	err = memory_free_locked(pool, h, handle);
	if (err)
		pool->bad_frees++;
	spin_unlock(&pool->mem_lock);

	if (err)
		trace_zcbuf_bad_free(pool->handle, handle, err);
	else
		zcb_pool_space(pool);
	return err;
}

/**
 * zcb_memory_find_locked - how large is a buffer
 * @pool: the pool; its mem_lock is held
 * @h: who asks, and owns it or has a share of it
 * @handle: names it
 * @capacity: bytes
 *
 * Context: any that may hold the lock.
 * Return: as zcb_memory_find().
 */
int zcb_memory_find_locked(struct zcb_pool *pool, const struct zcb_holdings *h,
			   u64 handle, u64 *capacity)
{
	u32 class, index;
	int err;

	lockdep_assert_held(&pool->mem_lock);
	if (zcb_share_has_locked(pool, h, handle, capacity))
		return 0;
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
	return zcb_slabs_find_locked(pool, h, handle, capacity);
}

/* Of a buffer that is handed out: its arena is there. */
static void memory_place_locked(const struct zcb_pool *pool, u64 offset,
				u64 capacity, struct zcb_memory_place *place)
{
	u32 page = offset >> PAGE_SHIFT;
	u32 in_arena = memory_arena_pages(pool);
	u32 arena = array_index_nospec(page / in_arena, ZCB_POOL_ARENAS);
	const struct zcb_arena *a = pool->arenas[arena];

	lockdep_assert_held(&pool->mem_lock);
	*place = (struct zcb_memory_place) {
		.offset = offset,
		.capacity = capacity,
		.arena = arena,
		.node = a->ops->nid(a, page % in_arena),
		.page_order = a->order,
	};
}

/**
 * zcb_memory_find - where a buffer is
 * @pool: the pool
 * @h: who asks, and holds it
 * @handle: names it
 * @place: filled
 *
 * Context: any but interrupt.
 * Return: 0, -EINVAL, -ENOENT, -EPERM, -EBADSLT, -ESTALE.
 */
int zcb_memory_find(struct zcb_pool *pool, const struct zcb_holdings *h,
		    u64 handle, struct zcb_memory_place *place)
{
	u32 holders = 1;
	u64 capacity;
	int err;

	spin_lock(&pool->mem_lock);
	err = zcb_memory_find_locked(pool, h, handle, &capacity);
	if (!err) {
		holders += zcb_share_count_locked(pool, handle);
		memory_place_locked(pool, zcbuf_buf_offset(handle), capacity,
				    place);
		place->holders = holders;
	}
	spin_unlock(&pool->mem_lock);
	return err;
}

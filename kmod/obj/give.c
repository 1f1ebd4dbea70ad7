// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers for others: to have instead of who gives them, or as well as he.
 *
 * Who gives or shares holds give_lock, so of a buffer only one does at a time; it is
 * given back, and handed out, under mem_lock as ever. What is nobody else's, and has not
 * many pages to be tagged, is given in one hold of that, which needs no other lock: who
 * shares it meanwhile finds that it is gone.
 */
#include <linux/mm.h>
#include <linux/sched.h>

#include "memory.h"
#include "share.h"
#include "slabs.h"

#define GIVE_TAGS	256U	/* pages tagged per hold of mem_lock */

/**
 * zcb_give_prepare - what can be needed to give or share buffers
 * @pool: the pool
 * @handles: of the buffers, or whatever
 * @count: how many
 * @share: they will be shared
 * @spares: filled, as far as there is memory; for zcb_give_finish()
 *
 * Context: may sleep; no lock is held.
 */
void zcb_give_prepare(struct zcb_pool *pool, const u64 *handles, u32 count,
		      bool share, struct zcb_spares *spares)
{
	INIT_LIST_HEAD(&spares->shares);
	INIT_LIST_HEAD(&spares->loans);
	if (share)
		zcb_shares_spare(pool, &spares->shares, count);
	zcb_slabs_spare(pool, &spares->loans,
			zcb_slabs_among(pool, handles, count));
}

/* zcb_give_finish() - it was given; what was not needed goes back */
void zcb_give_finish(struct zcb_spares *spares)
{
	zcb_shares_spare_free(&spares->shares);
	zcb_slabs_spare_free(&spares->loans);
}

static int give_fixed_locked(struct zcb_pool *pool, struct zcb_holdings *from,
			     struct zcb_holdings *to, u32 domain, u64 handle)
{
	struct zcb_fixed *f = &pool->cfg.fixed;
	u32 class, object;
	int err;

	lockdep_assert_held(&pool->mem_lock);
	err = zcb_fixed_find(f, handle, from, &class, &object);
	if (err)
		return err;
	zcb_fixed_move(f, &from->fixed, &to->fixed, to, class, object);
	if (zcb_fixed_domain(f, object) != ZCB_BUF_NOBODY)
		zcb_fixed_tag(f, object, domain);
	return 0;
}

/* Pages that several had stay so. */
static bool give_tags(const struct zcb_buf_page *p, u32 domain)
{
	return p->domain != ZCB_BUF_NOBODY && p->domain != domain;
}

/* -EAGAIN: it has too many pages to be tagged. */
static int give_block_locked(struct zcb_pool *pool, struct zcb_holdings *from,
			     struct zcb_holdings *to, u32 domain, u64 handle)
{
	u32 page, npages;
	int err;

	lockdep_assert_held(&pool->mem_lock);
	err = zcb_buf_find(&pool->bufs, handle, from, &page);
	if (err)
		return err;
	if (give_tags(zcb_buf_at(&pool->bufs, page), domain)) {
		npages = 1U << zcb_buf_at(&pool->bufs, page)->order;
		if (npages > GIVE_TAGS)
			return -EAGAIN;
		zcb_buf_tag(&pool->bufs, page, npages, domain);
	}
	zcb_buf_detach(&pool->bufs, &from->blocks, page);
	zcb_buf_attach(&pool->bufs, &to->blocks, to, page);
	return 0;
}

/* Its pages are tagged, however many, while it is nobody's, without a lock. */
static int give_block(struct zcb_pool *pool, struct zcb_holdings *from,
		      struct zcb_holdings *to, u32 domain, u64 handle)
{
	const struct zcb_buf_page *p;
	u32 page;
	int err;

	spin_lock(&pool->mem_lock);
	err = zcb_buf_find(&pool->bufs, handle, from, &page);
	if (!err)
		zcb_buf_detach(&pool->bufs, &from->blocks, page);
	spin_unlock(&pool->mem_lock);
	if (err)
		return err;
	p = zcb_buf_at(&pool->bufs, page);
	if (give_tags(p, domain))
		zcb_buf_tag(&pool->bufs, page, 1U << p->order, domain);
	spin_lock(&pool->mem_lock);
	zcb_buf_attach(&pool->bufs, &to->blocks, to, page);
	spin_unlock(&pool->mem_lock);
	return 0;
}

static bool is_block(const struct zcb_pool *pool, u64 handle)
{
	return pool->cfg.kind != ZCBUF_POOL_FIXED &&
	       zcbuf_buf_class(handle) < ZCBUF_BUF_SLAB;
}

/* What @from owns, if he does. -EAGAIN: as give_block_locked(). */
static int give_own_locked(struct zcb_pool *pool, struct zcb_holdings *from,
			   struct zcb_holdings *to, u32 domain, u64 handle,
			   struct zcb_spares *spares)
{
	if (pool->cfg.kind == ZCBUF_POOL_FIXED)
		return give_fixed_locked(pool, from, to, domain, handle);
	if (is_block(pool, handle))
		return give_block_locked(pool, from, to, domain, handle);
	return zcb_slabs_transfer_locked(pool, from, to, handle,
					 &spares->loans);
}

/* Nobody holds a buffer twice. */
static int give_allowed_locked(struct zcb_pool *pool,
			       const struct zcb_holdings *from,
			       const struct zcb_holdings *to, u64 handle,
			       u64 *bytes)
{
	u64 same;
	int err;

	err = zcb_memory_find_locked(pool, from, handle, bytes);
	if (err)
		return err;
	return zcb_memory_find_locked(pool, to, handle, &same) ? 0 : -EALREADY;
}

static int give(struct zcb_pool *pool, struct zcb_holdings *from,
		struct zcb_holdings *to, u32 domain, u64 handle,
		struct zcb_spares *spares)
{
	bool moved;
	u64 bytes;
	int err;

	lockdep_assert_held(&pool->give_lock);
	spin_lock(&pool->mem_lock);
	err = give_allowed_locked(pool, from, to, handle, &bytes);
	moved = !err && zcb_share_move_locked(pool, from, to, handle);
	spin_unlock(&pool->mem_lock);
	if (err || moved)
		return err;
	/* It is @from's own, if it still is. */
	if (is_block(pool, handle))
		return give_block(pool, from, to, domain, handle);
	spin_lock(&pool->mem_lock);
	err = give_own_locked(pool, from, to, domain, handle, spares);
	spin_unlock(&pool->mem_lock);
	return err;
}

static int give_in_turn(struct zcb_pool *pool, struct zcb_holdings *from,
			struct zcb_holdings *to, u32 domain, u64 handle,
			struct zcb_spares *spares)
{
	guard(mutex)(&pool->give_lock);
	return give(pool, from, to, domain, handle, spares);
}

/* -EAGAIN: not so quickly. */
static int give_at_once(struct zcb_pool *pool, struct zcb_holdings *from,
			struct zcb_holdings *to, u32 domain, u64 handle,
			struct zcb_spares *spares)
{
	int err = -EAGAIN;

	spin_lock(&pool->mem_lock);
	if (from != to && !zcb_share_any_locked(pool, handle))
		err = give_own_locked(pool, from, to, domain, handle, spares);
	spin_unlock(&pool->mem_lock);
	return err;
}

/**
 * zcb_memory_transfer - give a buffer to another session
 * @pool: the pool
 * @from: who has it; it has a call running, so it stays
 * @to: who gets it; it stays a session of the pool meanwhile
 * @domain: of that session
 * @handle: names it, then as before
 * @spares: from zcb_give_prepare(); for an object of a slab, a loan may be taken
 *
 * What he writes there is his to the next who gets the memory. If others hold
 * the buffer, they go on to do so.
 *
 * Context: may sleep.
 * Return: 0, -EINVAL, -ENOENT, -EPERM, -EBADSLT, -ESTALE, -EALREADY: @to has it;
 * -ENOMEM: no loan.
 */
int zcb_memory_transfer(struct zcb_pool *pool, struct zcb_holdings *from,
			struct zcb_holdings *to, u32 domain, u64 handle,
			struct zcb_spares *spares)
{
	int err = give_at_once(pool, from, to, domain, handle, spares);

	return err == -EAGAIN ?
	       give_in_turn(pool, from, to, domain, handle, spares) : err;
}

/**
 * zcb_memory_transfer_whole - the same, of a buffer that nobody else holds
 * @pool: the pool
 * @from: who has it; it has a call running, so it stays
 * @to: who gets it
 * @domain: of that one
 * @handle: names it, then as before
 * @spares: as for zcb_memory_transfer()
 *
 * Context: may sleep.
 * Return: as zcb_memory_transfer(), or -EBUSY: others hold it, or an export does.
 */
int zcb_memory_transfer_whole(struct zcb_pool *pool, struct zcb_holdings *from,
			      struct zcb_holdings *to, u32 domain, u64 handle,
			      struct zcb_spares *spares)
{
	bool shared;

	guard(mutex)(&pool->give_lock);
	spin_lock(&pool->mem_lock);
	shared = zcb_share_any_locked(pool, handle);
	spin_unlock(&pool->mem_lock);
	return shared ? -EBUSY : give(pool, from, to, domain, handle, spares);
}

/*
 * From its end, some pages each time: when the first one is tagged, which
 * give_block() looks at, all are. -EAGAIN: not yet; *@left are left.
 */
static int give_mix_block_locked(struct zcb_pool *pool, struct zcb_holdings *h,
				 u64 handle, u32 *left)
{
	u32 page, n;
	int err;

	err = zcb_buf_find(&pool->bufs, handle, h, &page);
	if (err)
		return err;
	*left = min(*left, 1U << zcb_buf_at(&pool->bufs, page)->order);
	n = min(*left, GIVE_TAGS);
	*left -= n;
	zcb_buf_tag(&pool->bufs, page + *left, n, ZCB_BUF_NOBODY);
	return *left ? -EAGAIN : 0;
}

/* Several will write there: whoever is next gets zeroes, and be he one of them. */
static int give_mix_locked(struct zcb_pool *pool, struct zcb_holdings *h,
			   u64 handle, struct list_head *loans, u32 *left)
{
	struct zcb_fixed *f = &pool->cfg.fixed;
	u32 class, object;
	int err;

	if (zcb_share_any_locked(pool, handle))
		return 0;	/* done before */
	if (pool->cfg.kind == ZCBUF_POOL_FIXED) {
		err = zcb_fixed_find(f, handle, h, &class, &object);
		if (!err)
			zcb_fixed_tag(f, object, ZCB_BUF_NOBODY);
		return err;
	}
	if (zcbuf_buf_class(handle) < ZCBUF_BUF_SLAB)
		return give_mix_block_locked(pool, h, handle, left);
	return zcb_slabs_mix_locked(pool, h, handle, loans);
}

/* As give_mix_block_locked(). */
static int give_share_locked(struct zcb_pool *pool, struct zcb_holdings *from,
			     struct zcb_holdings *to, u64 handle,
			     struct zcb_spares *spares, u32 *left)
{
	u64 bytes;
	int err;

	err = give_allowed_locked(pool, from, to, handle, &bytes);
	if (!err && list_empty(&spares->shares))
		err = -ENOMEM;
	if (!err)
		err = give_mix_locked(pool, from, handle, &spares->loans, left);
	if (!err)
		err = zcb_share_add_locked(pool, to, handle, bytes,
					   &spares->shares);
	return err;
}

/**
 * zcb_memory_share - let somebody hold a buffer as well
 * @pool: the pool
 * @from: who holds it
 * @to: who will; he stays meanwhile
 * @handle: names it, for both
 * @spares: from zcb_give_prepare(); a share is taken and, for an object of a slab,
 *	maybe a loan
 *
 * Context: may sleep.
 * Return: 0, -EINVAL, -ENOENT, -EPERM, -EBADSLT, -ESTALE, -EALREADY: @to has it;
 * -ENOMEM: no share or loan.
 */
int zcb_memory_share(struct zcb_pool *pool, struct zcb_holdings *from,
		     struct zcb_holdings *to, u64 handle,
		     struct zcb_spares *spares)
{
	u32 left = U32_MAX;
	int err;

	guard(mutex)(&pool->give_lock);
	do {
		spin_lock(&pool->mem_lock);
		err = give_share_locked(pool, from, to, handle, spares, &left);
		spin_unlock(&pool->mem_lock);
		cond_resched();
	} while (err == -EAGAIN);
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slab objects. A slab is leased to one session, and so are its objects, unless
 * they were given to another one: then there is a loan, and he frees it. A slab
 * whose session has gone stays with the pool until the last loan has ended. An
 * object that is shared has a loan, whoever owns it, and be it to the lessee
 * himself: so what must outlive him is found when he goes.
 *
 * All under the pool's mem_lock; memory for bookkeeping is allocated before. Loans
 * can be more than the memory they are about, so the pool's payer pays for them.
 */
#include <linux/list.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include "account.h"
#include "magazine.h"
#include "memory.h"
#include "share.h"
#include "slabs.h"

/**
 * struct slabs_loan - a loan that is paid for
 * @loan: for core; spare ones are on a list by its @in_hands
 * @user: who pays
 */
struct slabs_loan {
	struct zcb_loan loan;
	struct zcb_user *user;
};

/**
 * struct slabs_want - an object that is wanted
 * @h: who will hold it
 * @domain: of the same session
 * @class: number of its class
 * @nid: of the NUMA node the slab must be of, or NUMA_NO_NODE
 * @zero: it must read as zero; once it is taken: it has to be zeroed
 * @nowait: as of struct zcb_memory_request
 * @handle: set once it is taken
 * @nobodys: the loan of one that has to be zeroed
 * @no_hands: in whose hands that is
 */
struct slabs_want {
	struct zcb_holdings *h;
	u32 domain;
	u32 class;
	int nid;
	bool zero;
	bool nowait;
	u64 handle;
	struct zcb_loan nobodys;
	struct list_head no_hands;
};

/* A slab that is not leased yet: its block is this caller's, and clean. */
static int slabs_new(struct zcb_pool *pool, const struct slabs_want *w,
		     struct zcb_slab **slab)
{
	const struct zcb_slab_class *c = &pool->cfg.slabs.class[w->class];
	const struct zcb_memory_want block = {
		.order = c->order,
		.domain = w->domain,
		.nid = w->nid,
		.nowait = w->nowait,
	};
	int err;

	*slab = kzalloc(zcb_slab_size(c), GFP_KERNEL_ACCOUNT);
	if (!*slab)
		return -ENOMEM;
	err = zcb_memory_block(pool, &block, &(*slab)->page);
	if (err)
		kfree(*slab);
	return err;
}

static void slabs_lease_locked(struct zcb_pool *pool,
			       const struct slabs_want *w,
			       struct zcb_slab *slab)
{
	struct zcb_slab_table *t = &pool->cfg.slabs;

	lockdep_assert_held(&pool->mem_lock);
	zcb_slab_init(slab, t, w->class, slab->page, &w->h->slabs[w->class]);
	zcb_buf_lease(&pool->bufs, &w->h->leases, w->h, slab->page,
		      t->class[w->class].order, slab);
}

/* One that is empty, of the same session, costs neither memory nor zeroing. */
static bool slabs_lease_kept_locked(struct zcb_pool *pool,
				    const struct slabs_want *w)
{
	u32 order = pool->cfg.slabs.class[w->class].order;
	struct zcb_slab *slab;

	slab = zcb_magazine_get_slab_locked(pool, w->class, w->domain, w->nid);
	if (!slab)
		return false;
	zcb_memory_count_locked(pool, PAGE_SIZE << order);
	slabs_lease_locked(pool, w, slab);
	return true;
}

static u32 slabs_pages(const struct zcb_pool *pool, const struct zcb_slab *slab)
{
	return 1U << pool->cfg.slabs.class[slab->class].order;
}

static void slabs_end_lease_locked(struct zcb_pool *pool,
				   struct zcb_holdings *h,
				   struct zcb_slab *slab)
{
	lockdep_assert_held(&pool->mem_lock);
	/* Nobody has it as his last: whoever is next gets zeroes. */
	if (slab->mixed)
		zcb_buf_tag(&pool->bufs, slab->page, slabs_pages(pool, slab),
			    ZCB_BUF_NOBODY);
	zcb_slab_fini(slab, &pool->cfg.slabs);
	zcb_buf_unlease(&pool->bufs, &h->leases, slab->page);
}

static void slabs_unlease_locked(struct zcb_pool *pool, struct zcb_holdings *h,
				 struct zcb_slab *slab)
{
	slabs_end_lease_locked(pool, h, slab);
	zcb_memory_put_locked(pool, slab->page, slabs_pages(pool, slab));
	kfree(slab);
}

/* The same, if who had it may want it again. */
static void slabs_keep_locked(struct zcb_pool *pool, struct zcb_holdings *h,
			      struct zcb_slab *slab)
{
	u64 bytes = (u64)slabs_pages(pool, slab) << PAGE_SHIFT;

	slabs_end_lease_locked(pool, h, slab);
	if (!slab->mixed && zcb_magazine_put_slab_locked(pool, slab)) {
		pool->used -= bytes;
		return;
	}
	zcb_memory_put_locked(pool, slab->page, slabs_pages(pool, slab));
	kfree(slab);
}

static u64 slabs_length(const struct zcb_pool *pool, const struct zcb_slab *slab)
{
	return pool->cfg.slabs.class[slab->class].length;
}

static void slabs_count(struct zcb_holdings *h, u64 length, bool more)
{
	h->objects += more ? 1 : -1;
	h->object_bytes += more ? length : -length;
}

static bool slabs_must_zero(const struct zcb_pool *pool,
			    const struct zcb_slab *slab, bool zero)
{
	bool reuse = pool->cfg.flags & ZCBUF_POOL_F_NO_ZERO_ON_REUSE;

	return zero || (slab->mixed && !reuse);
}

/* May the next object of @class be much to zero? */
static bool slabs_much_to_zero(const struct zcb_pool *pool,
			       struct zcb_holdings *h, u32 class, bool zero)
{
	const struct zcb_slab *slab;

	lockdep_assert_held(&pool->mem_lock);
	if (!zcb_memory_much(pool->cfg.slabs.class[class].length))
		return false;
	slab = list_first_entry_or_null(&h->slabs[class], struct zcb_slab,
					node);
	return zero || (slab && slabs_must_zero(pool, slab, zero));
}

/*
 * Nothing more is handed out of slabs whose arena is retired. One that is empty was
 * leased just now, and has missed that.
 */
static void slabs_close_locked(struct zcb_pool *pool, struct zcb_holdings *h,
			       u32 class)
{
	struct list_head *list = &h->slabs[class];
	struct zcb_slab *slab;

	lockdep_assert_held(&pool->mem_lock);
	for (;;) {
		slab = list_first_entry_or_null(list, struct zcb_slab, node);
		if (!slab || !slab->nfree || slab->closed ||
		    zcb_arena_open(zcb_pool_arena_at(pool, slab->page)))
			return;
		if (zcb_slab_empty(slab, &pool->cfg.slabs))
			slabs_unlease_locked(pool, h, slab);
		else
			zcb_slab_close(slab, list);
	}
}

/* The first one is of the node then, if one with a free object is, not far behind. */
static int slabs_bring_locked(struct zcb_pool *pool, const struct slabs_want *w)
{
	struct list_head *list = &w->h->slabs[w->class];
	u32 left = ZCB_SLABS_LOOK;
	const struct zcb_arena *a;
	struct zcb_slab *slab;

	lockdep_assert_held(&pool->mem_lock);
	if (w->nid == NUMA_NO_NODE)
		return 0;
	list_for_each_entry(slab, list, node) {
		if (!slab->nfree || slab->closed || !left--)
			break;
		a = zcb_pool_arena_at(pool, slab->page);
		if (zcb_arena_open(a) &&
		    zcb_arena_is_on(a, w->nid, slab->page,
				    slabs_pages(pool, slab))) {
			list_move(&slab->node, list);
			return 0;
		}
	}
	return -EAGAIN;
}

/*
 * Takes an object of a slab. One that must be zeroed first is lent to nobody
 * meanwhile: handles can be guessed, and nobody shall free it or give it away.
 */
static int slabs_take_locked(struct zcb_pool *pool, struct slabs_want *w)
{
	struct list_head *list = &w->h->slabs[w->class];
	struct zcb_slab *slab;
	u64 offset;
	int err;

	lockdep_assert_held(&pool->mem_lock);
	slabs_close_locked(pool, w->h, w->class);
	err = slabs_bring_locked(pool, w);
	if (w->nowait && slabs_much_to_zero(pool, w->h, w->class, w->zero))
		return -ZCB_ESLEEP;
	if (!err)
		err = zcb_slab_get(&pool->cfg.slabs, w->class, list, &slab,
				   &offset);
	if (err && slabs_lease_kept_locked(pool, w))
		err = zcb_slab_get(&pool->cfg.slabs, w->class, list, &slab,
				   &offset);
	if (err)
		return err;
	w->handle = zcb_buf_slab_handle(&pool->bufs, slab->page, w->class,
					offset);
	slabs_count(w->h, slabs_length(pool, slab), true);
	w->zero = slabs_must_zero(pool, slab, w->zero);
	if (w->zero)
		zcb_slab_lend(slab, offset, &w->nobodys, NULL, &w->no_hands);
	return 0;
}

/*
 * A slab is leased and its first object taken in one hold of the lock: no thread
 * that frees another object meanwhile can leave it without any, and nobody to
 * give it back. If its arena is just being retired it is gone at once, and there
 * is one more turn.
 */
static int slabs_take(struct zcb_pool *pool, struct slabs_want *w)
{
	struct zcb_slab *fresh = NULL;
	int err;

	for (;;) {
		spin_lock(&pool->mem_lock);
		if (fresh)
			slabs_lease_locked(pool, w, fresh);
		err = slabs_take_locked(pool, w);
		spin_unlock(&pool->mem_lock);
		if (err != -EAGAIN)
			return err;
		err = slabs_new(pool, w, &fresh);
		if (err)
			return err;
	}
}

static void slabs_zero(struct zcb_pool *pool, struct slabs_want *w)
{
	zcb_memory_zero(pool, zcbuf_buf_offset(w->handle),
			pool->cfg.slabs.class[w->class].length);
	spin_lock(&pool->mem_lock);
	zcb_slab_loan_end(&w->nobodys);
	spin_unlock(&pool->mem_lock);
}

/**
 * zcb_slabs_alloc - an object
 * @pool: the pool
 * @h: who holds it then
 * @domain: of the same session
 * @class: number of its class
 * @r: what it shall be like
 * @handle: names it
 *
 * Context: may sleep if not @r->nowait; no lock is held.
 * Return: 0, -EAGAIN (no room for one more slab), -ENOMEM, -ZCB_ESLEEP.
 */
int zcb_slabs_alloc(struct zcb_pool *pool, struct zcb_holdings *h, u32 domain,
		    u32 class, const struct zcb_memory_request *r, u64 *handle)
{
	struct slabs_want w = {
		.h = h,
		.domain = domain,
		.class = class,
		.nid = zcb_memory_nid(r),
		.zero = r->zero,
		.nowait = r->nowait,
		.no_hands = LIST_HEAD_INIT(w.no_hands),
	};
	int err;

	err = slabs_take(pool, &w);
	if (err)
		return err;
	if (w.zero)
		slabs_zero(pool, &w);
	*handle = w.handle;
	return 0;
}

/* To whom the slab is leased. */
static struct zcb_holdings *slabs_lessee(struct zcb_pool *pool,
					 const struct zcb_slab *slab)
{
	return zcb_buf_at(&pool->bufs, slab->page)->owner;
}

/*
 * The object a handle names, if it is @h's: of a slab of his and not lent, or lent
 * to him. Whether it is out is not asked yet.
 */
static int slabs_look_up_locked(struct zcb_pool *pool,
				const struct zcb_holdings *h, u64 handle,
				struct zcb_slab **slab, u64 *offset,
				struct zcb_loan **loan)
{
	const struct zcb_slab_table *t = &pool->cfg.slabs;
	u32 class = zcbuf_buf_class(handle) - ZCBUF_BUF_SLAB;
	int err;

	lockdep_assert_held(&pool->mem_lock);
	*loan = NULL;
	if (class >= t->n)
		return -EINVAL;
	class = array_index_nospec(class, t->n);
	err = zcb_buf_find_slab(&pool->bufs, handle, t->class[class].order, h,
				slab, offset);
	if (err && err != -EPERM)
		return err;
	*loan = zcb_slab_loan(*slab, *offset);
	if (*loan)
		return (*loan)->owner == h ? 0 : -EPERM;
	return err;
}

static void slabs_loan_free(struct slabs_loan *l)
{
	zcb_account_uncharge(l->user, sizeof(*l));
	kfree(l);
}

static void slabs_lend(struct zcb_pool *pool, struct zcb_slab *slab, u64 offset,
		       struct zcb_loan *loan, struct zcb_holdings *to)
{
	to->loan_bytes += slabs_length(pool, slab);
	zcb_slab_lend(slab, offset, loan, to, &to->loans);
}

/* It is the caller's then, as it was before. */
static void slabs_take_loan(struct zcb_pool *pool, struct zcb_loan *loan)
{
	struct zcb_holdings *h = loan->owner;

	h->loan_bytes -= slabs_length(pool, loan->slab);
	zcb_slab_loan_end(loan);
}

static void slabs_end_loan(struct zcb_pool *pool, struct zcb_loan *loan)
{
	slabs_take_loan(pool, loan);
	slabs_loan_free(container_of(loan, struct slabs_loan, loan));
}

/* The object comes back to its slab, and the slab to the pool if it was all. */
static int slabs_put_locked(struct zcb_pool *pool, struct zcb_slab *slab,
			    u64 offset)
{
	struct zcb_holdings *lessee = slabs_lessee(pool, slab);
	int err;

	err = zcb_slab_put(&pool->cfg.slabs, slab, &lessee->slabs[slab->class],
			   offset);
	if (!err && zcb_slab_empty(slab, &pool->cfg.slabs))
		slabs_keep_locked(pool, lessee, slab);
	return err;
}

static struct zcb_loan *slabs_spare_loan(struct list_head *spare)
{
	struct zcb_loan *loan;

	loan = list_first_entry_or_null(spare, struct zcb_loan, in_hands);
	if (loan)
		list_del(&loan->in_hands);
	return loan;
}

/* Which handle names it as long as it is out. */
static u64 slabs_handle(struct zcb_pool *pool, const struct zcb_slab *slab,
			u64 offset)
{
	return zcb_buf_slab_handle(&pool->bufs, slab->page, slab->class,
				   offset);
}

/*
 * To who leases the slab it comes home, and needs no loan any more, unless others
 * share it; to another one who passes it on, the loan goes with it.
 */
static int slabs_move_locked(struct zcb_pool *pool, struct zcb_slab *slab,
			     u64 offset, struct zcb_loan *loan,
			     struct zcb_holdings *to, struct list_head *spare)
{
	u64 handle = slabs_handle(pool, slab, offset);

	lockdep_assert_held(&pool->mem_lock);
	if (slabs_lessee(pool, slab) == to &&
	    !zcb_share_any_locked(pool, handle)) {
		if (loan)
			slabs_end_loan(pool, loan);
		return 0;
	}
	if (loan) {
		slabs_take_loan(pool, loan);
	} else {
		loan = slabs_spare_loan(spare);
		if (!loan)
			return -ENOMEM;
	}
	slab->mixed = true;
	slabs_lend(pool, slab, offset, loan, to);
	return 0;
}

/* Who else has the object owns it now; else it comes back. */
static int slabs_hand_back_locked(struct zcb_pool *pool, struct zcb_loan *loan)
{
	struct zcb_slab *slab = loan->slab;
	u64 offset = loan->offset;
	struct zcb_holdings *heir;

	heir = zcb_share_heir_locked(pool, slabs_handle(pool, slab, offset));
	if (!heir) {
		slabs_end_loan(pool, loan);
		return slabs_put_locked(pool, slab, offset);
	}
	slabs_count(heir, slabs_length(pool, slab), true);
	return slabs_move_locked(pool, slab, offset, loan, heir, NULL);
}

/**
 * zcb_slabs_free_locked - give an object back
 * @pool: the pool; its mem_lock is held
 * @h: who says so
 * @handle: names it
 *
 * Context: any that may hold the lock.
 * Return: as zcb_memory_free().
 */
int zcb_slabs_free_locked(struct zcb_pool *pool, struct zcb_holdings *h,
			  u64 handle)
{
	struct zcb_slab *slab;
	struct zcb_loan *loan;
	u64 offset, length;
	int err;

	err = slabs_look_up_locked(pool, h, handle, &slab, &offset, &loan);
	if (err)
		return err;
	length = slabs_length(pool, slab);
	err = loan ? slabs_hand_back_locked(pool, loan) :
		     slabs_put_locked(pool, slab, offset);
	if (!err)
		slabs_count(h, length, false);
	return err;
}

/**
 * zcb_slabs_find_locked - how large is an object
 * @pool: the pool; its mem_lock is held
 * @h: who asks
 * @handle: names it
 * @capacity: bytes
 *
 * Context: any that may hold the lock.
 * Return: as zcb_memory_find().
 */
int zcb_slabs_find_locked(struct zcb_pool *pool, const struct zcb_holdings *h,
			  u64 handle, u64 *capacity)
{
	struct zcb_slab *slab;
	struct zcb_loan *loan;
	u64 offset;
	int err;

	err = slabs_look_up_locked(pool, h, handle, &slab, &offset, &loan);
	if (err)
		return err;
	*capacity = slabs_length(pool, slab);
	return zcb_slab_check(&pool->cfg.slabs, slab, offset);
}

/**
 * zcb_slabs_among - how many loans may be needed
 * @pool: the pool
 * @handles: of buffers, or whatever
 * @count: how many
 *
 * Context: any.
 * Return: how many of them name objects of slabs.
 */
u32 zcb_slabs_among(const struct zcb_pool *pool, const u64 *handles, u32 count)
{
	u32 i, n = 0;

	if (pool->cfg.kind != ZCBUF_POOL_TIERS)
		return 0;
	for (i = 0; i < count; i++)
		n += zcbuf_buf_class(handles[i]) >= ZCBUF_BUF_SLAB;
	return n;
}

static struct slabs_loan *slabs_loan_new(struct zcb_pool *pool)
{
	struct slabs_loan *l = kmalloc(sizeof(*l), ZCB_GFP_TABLE);

	if (l && zcb_account_charge(sizeof(*l), &pool->payer, &l->user)) {
		kfree(l);
		l = NULL;
	}
	return l;
}

/**
 * zcb_slabs_spare - loans for objects that will be given away
 * @pool: the pool
 * @spare: where they are then
 * @n: how many; there may be fewer in the end
 *
 * Context: may sleep; no lock is held.
 */
void zcb_slabs_spare(struct zcb_pool *pool, struct list_head *spare, u32 n)
{
	struct slabs_loan *l;

	while (n--) {
		l = slabs_loan_new(pool);
		if (!l)
			return;
		list_add(&l->loan.in_hands, spare);
		cond_resched();
	}
}

/* zcb_slabs_spare_free() - those that were not needed */
void zcb_slabs_spare_free(struct list_head *spare)
{
	struct slabs_loan *l, *next;

	list_for_each_entry_safe(l, next, spare, loan.in_hands)
		slabs_loan_free(l);
}

/**
 * zcb_slabs_transfer_locked - give an object to another session
 * @pool: the pool; its mem_lock is held
 * @from: who has it
 * @to: who gets it
 * @handle: names it
 * @spare: from zcb_slabs_spare(); one is taken if it is needed
 *
 * Context: any that may hold the lock.
 * Return: as zcb_memory_transfer().
 */
int zcb_slabs_transfer_locked(struct zcb_pool *pool, struct zcb_holdings *from,
			      struct zcb_holdings *to, u64 handle,
			      struct list_head *spare)
{
	struct zcb_slab *slab;
	struct zcb_loan *loan;
	u64 offset;
	int err;

	err = slabs_look_up_locked(pool, from, handle, &slab, &offset, &loan);
	if (!err)
		err = zcb_slab_check(&pool->cfg.slabs, slab, offset);
	if (!err)
		err = slabs_move_locked(pool, slab, offset, loan, to, spare);
	if (err)
		return err;
	slabs_count(from, slabs_length(pool, slab), false);
	slabs_count(to, slabs_length(pool, slab), true);
	return 0;
}

/**
 * zcb_slabs_mix_locked - others will have an object as well
 * @pool: the pool; its mem_lock is held
 * @h: who owns it
 * @handle: names it; it is out
 * @spare: from zcb_slabs_spare(); one is taken if it is needed
 *
 * Context: any that may hold the lock.
 * Return: as zcb_memory_share().
 */
int zcb_slabs_mix_locked(struct zcb_pool *pool, struct zcb_holdings *h,
			 u64 handle, struct list_head *spare)
{
	struct zcb_slab *slab;
	struct zcb_loan *loan;
	u64 offset;
	int err;

	err = slabs_look_up_locked(pool, h, handle, &slab, &offset, &loan);
	if (err)
		return err;
	if (!loan) {
		loan = slabs_spare_loan(spare);
		if (!loan)
			return -ENOMEM;
		slabs_lend(pool, slab, offset, loan, h);
	}
	slab->mixed = true;
	return 0;
}

/* What others have of it stays; nobody is given any more of it. */
static void slabs_orphan_locked(struct zcb_pool *pool, struct zcb_holdings *h,
				struct zcb_slab *slab)
{
	struct zcb_holdings *o = &pool->orphans;

	lockdep_assert_held(&pool->mem_lock);
	zcb_slab_recall(slab, &pool->cfg.slabs);
	list_move(&slab->node, &o->slabs[slab->class]);
	zcb_buf_detach(&pool->bufs, &h->leases, slab->page);
	zcb_buf_attach(&pool->bufs, &o->leases, o, slab->page);
}

/* So many objects have come back that @h had. */
static void slabs_uncount(struct zcb_holdings *h, u32 n, u64 length)
{
	h->objects -= n;
	h->object_bytes -= n * length;
}

/**
 * zcb_slabs_abandon_locked - a slab of a session that is gone
 * @pool: the pool; its mem_lock is held
 * @h: what the session held
 * @slab: of it, with whatever is out
 *
 * It goes back to the pool, or stays as an orphan for what others have of it.
 *
 * Context: any that may hold the lock.
 */
void zcb_slabs_abandon_locked(struct zcb_pool *pool, struct zcb_holdings *h,
			      struct zcb_slab *slab)
{
	u64 length = slabs_length(pool, slab);
	u32 nfree = slab->nfree;

	lockdep_assert_held(&pool->mem_lock);
	if (list_empty(&slab->loans)) {
		slabs_uncount(h, pool->cfg.slabs.class[slab->class].nobjs -
			      nfree, length);
		slabs_unlease_locked(pool, h, slab);
		return;
	}
	slabs_orphan_locked(pool, h, slab);
	slabs_uncount(h, slab->nfree - nfree, length);
}

/**
 * zcb_slabs_return_locked - an object that a session had from another's slab
 * @pool: the pool; its mem_lock is held
 * @h: what the session, which is gone, held
 * @loan: of the object; it ends, or is whose who shares the object
 *
 * Context: any that may hold the lock.
 */
void zcb_slabs_return_locked(struct zcb_pool *pool, struct zcb_holdings *h,
			     struct zcb_loan *loan)
{
	lockdep_assert_held(&pool->mem_lock);
	slabs_uncount(h, 1, slabs_length(pool, loan->slab));
	slabs_hand_back_locked(pool, loan);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shares. A buffer has one owner, whom the records of core/ name; who else holds
 * it has a share. A share is found by the handle, which names the same buffer for
 * as long as anybody holds it. When the owner gives the buffer back, a share ends
 * and he who had it is the owner from then on: so a buffer that is out always has
 * one, and who has nothing to do with shares need not know of them.
 *
 * All under the pool's mem_lock; memory for bookkeeping is allocated before, and
 * the pool's payer pays for it.
 */
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/slab.h>

#include "account.h"
#include "pool.h"
#include "share.h"

/**
 * struct share - somebody holds a buffer that another one owns
 * @node: in the pool's tree, by @handle, then by @holder
 * @in_hands: on the list of @holder, or of spare ones
 * @handle: the buffer
 * @bytes: of it
 * @holder: who
 * @user: who pays
 */
struct share {
	struct rb_node node;
	struct list_head in_hands;
	u64 handle;
	u64 bytes;
	struct zcb_holdings *holder;
	struct zcb_user *user;
};

struct share_key {
	u64 handle;
	const struct zcb_holdings *holder;
};

static int share_compare_handle(const void *key, const struct rb_node *node)
{
	const struct share *s = rb_entry(node, struct share, node);
	const struct share_key *k = key;

	if (k->handle == s->handle)
		return 0;
	return k->handle < s->handle ? -1 : 1;
}

static int share_compare(const void *key, const struct rb_node *node)
{
	const struct share *s = rb_entry(node, struct share, node);
	const struct share_key *k = key;

	if (k->handle != s->handle || k->holder == s->holder)
		return share_compare_handle(key, node);
	return k->holder < s->holder ? -1 : 1;
}

static bool share_less(struct rb_node *node, const struct rb_node *other)
{
	const struct share *s = rb_entry(node, struct share, node);
	const struct share_key key = { s->handle, s->holder };

	return share_compare(&key, other) < 0;
}

static struct share *share_find_locked(const struct zcb_pool *pool,
				       const struct zcb_holdings *h, u64 handle)
{
	const struct share_key key = { handle, h };
	struct rb_node *node;

	lockdep_assert_held(&pool->mem_lock);
	node = rb_find(&key, &pool->shares, share_compare);
	return node ? rb_entry(node, struct share, node) : NULL;
}

static struct rb_node *share_first_locked(const struct zcb_pool *pool,
					  u64 handle)
{
	const struct share_key key = { handle, NULL };

	lockdep_assert_held(&pool->mem_lock);
	return rb_find_first(&key, &pool->shares, share_compare_handle);
}

static void share_insert_locked(struct zcb_pool *pool, struct share *s,
				struct zcb_holdings *h)
{
	lockdep_assert_held(&pool->mem_lock);
	s->holder = h;
	rb_add(&s->node, &pool->shares, share_less);
	list_add(&s->in_hands, &h->shares);
	h->nshares++;
	h->share_bytes += s->bytes;
}

static void share_remove_locked(struct zcb_pool *pool, struct share *s)
{
	lockdep_assert_held(&pool->mem_lock);
	rb_erase(&s->node, &pool->shares);
	list_del(&s->in_hands);
	s->holder->nshares--;
	s->holder->share_bytes -= s->bytes;
}

static struct share *share_new(struct zcb_pool *pool)
{
	struct share *s = kmalloc(sizeof(*s), ZCB_GFP_TABLE);

	if (s && zcb_account_charge(sizeof(*s), &pool->payer, &s->user)) {
		kfree(s);
		s = NULL;
	}
	return s;
}

static void share_free(struct share *s)
{
	zcb_account_uncharge(s->user, sizeof(*s));
	kfree(s);
}

static void share_end_locked(struct zcb_pool *pool, struct share *s)
{
	share_remove_locked(pool, s);
	share_free(s);
}

/**
 * zcb_shares_spare - shares of buffers that will be shared
 * @pool: the pool
 * @spare: where they are then
 * @n: how many; there may be fewer in the end
 *
 * Context: may sleep; no lock is held.
 */
void zcb_shares_spare(struct zcb_pool *pool, struct list_head *spare, u32 n)
{
	struct share *s;

	while (n--) {
		s = share_new(pool);
		if (!s)
			return;
		list_add(&s->in_hands, spare);
		cond_resched();
	}
}

/* zcb_shares_spare_free() - those that were not needed */
void zcb_shares_spare_free(struct list_head *spare)
{
	struct share *s, *next;

	list_for_each_entry_safe(s, next, spare, in_hands)
		share_free(s);
}

/**
 * zcb_share_has_locked - does somebody have a share of a buffer
 * @pool: the pool
 * @h: who
 * @handle: names the buffer, or whatever
 * @bytes: set if so: how large it is
 *
 * Context: any that may hold the lock.
 * Return: true if so.
 */
bool zcb_share_has_locked(const struct zcb_pool *pool,
			  const struct zcb_holdings *h, u64 handle, u64 *bytes)
{
	const struct share *s = share_find_locked(pool, h, handle);

	if (s)
		*bytes = s->bytes;
	return s;
}

/**
 * zcb_share_any_locked - do more hold a buffer than its owner
 * @pool: the pool
 * @handle: names it
 *
 * Context: any that may hold the lock.
 * Return: true if so.
 */
bool zcb_share_any_locked(const struct zcb_pool *pool, u64 handle)
{
	return share_first_locked(pool, handle);
}

/**
 * zcb_share_count_locked - how many hold a buffer besides its owner
 * @pool: the pool
 * @handle: names it
 *
 * Context: any that may hold the lock; every session of the pool may have one.
 * Return: the number of its shares.
 */
u32 zcb_share_count_locked(const struct zcb_pool *pool, u64 handle)
{
	const struct share_key key = { handle, NULL };
	struct rb_node *node = share_first_locked(pool, handle);
	u32 n;

	for (n = 0; node; n++)
		node = rb_next_match(&key, node, share_compare_handle);
	return n;
}

/**
 * zcb_share_add_locked - somebody holds a buffer from now on
 * @pool: the pool
 * @to: who; he neither owns it nor has a share of it
 * @handle: names it
 * @bytes: of it
 * @spare: from zcb_shares_spare(); one is taken
 *
 * Context: any that may hold the lock.
 * Return: 0, or -ENOMEM: there is no spare one.
 */
int zcb_share_add_locked(struct zcb_pool *pool, struct zcb_holdings *to,
			 u64 handle, u64 bytes, struct list_head *spare)
{
	struct share *s;

	s = list_first_entry_or_null(spare, struct share, in_hands);
	if (!s)
		return -ENOMEM;
	list_del(&s->in_hands);
	s->handle = handle;
	s->bytes = bytes;
	share_insert_locked(pool, s, to);
	return 0;
}

/**
 * zcb_share_move_locked - a share becomes somebody else's
 * @pool: the pool
 * @from: who may have it
 * @to: who gets it; he neither owns the buffer nor has a share of it
 * @handle: names the buffer
 *
 * Context: any that may hold the lock.
 * Return: false if @from has none.
 */
bool zcb_share_move_locked(struct zcb_pool *pool, struct zcb_holdings *from,
			   struct zcb_holdings *to, u64 handle)
{
	struct share *s = share_find_locked(pool, from, handle);

	if (!s)
		return false;
	share_remove_locked(pool, s);
	share_insert_locked(pool, s, to);
	return true;
}

/**
 * zcb_share_end_locked - somebody does not hold a buffer any more
 * @pool: the pool
 * @h: who may have a share of it
 * @handle: names it, or whatever
 *
 * Context: any that may hold the lock.
 * Return: false if he has none.
 */
bool zcb_share_end_locked(struct zcb_pool *pool, struct zcb_holdings *h,
			  u64 handle)
{
	struct share *s = share_find_locked(pool, h, handle);

	if (s)
		share_end_locked(pool, s);
	return s;
}

/**
 * zcb_share_heir_locked - who is to own a buffer its owner gives back
 * @pool: the pool
 * @handle: names it
 *
 * One of its shares ends by this, if it has any.
 *
 * Context: any that may hold the lock.
 * Return: whose that was, or NULL: nobody else holds the buffer.
 */
struct zcb_holdings *zcb_share_heir_locked(struct zcb_pool *pool, u64 handle)
{
	struct rb_node *node = share_first_locked(pool, handle);
	struct zcb_holdings *heir;
	struct share *s;

	if (!node)
		return NULL;
	s = rb_entry(node, struct share, node);
	heir = s->holder;
	share_end_locked(pool, s);
	return heir;
}

/**
 * zcb_share_next_locked - one share after the other
 * @pool: the pool
 * @h: whose; he has a list that does not change but for shares that end
 * @handle: set: of which buffer
 * @bytes: set: of it
 *
 * The one that is returned is the last one then.
 *
 * Context: any that may hold the lock.
 * Return: false if he has none.
 */
bool zcb_share_next_locked(struct zcb_pool *pool, struct zcb_holdings *h,
			   u64 *handle, u64 *bytes)
{
	struct share *s;

	lockdep_assert_held(&pool->mem_lock);
	s = list_first_entry_or_null(&h->shares, struct share, in_hands);
	if (!s)
		return false;
	list_move_tail(&s->in_hands, &h->shares);
	*handle = s->handle;
	*bytes = s->bytes;
	return true;
}

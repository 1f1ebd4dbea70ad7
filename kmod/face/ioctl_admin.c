// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls on pools as a whole, which are for who has RIGHT_ADMIN.
 */
#include <linux/capability.h>

#include "../obj/pool.h"
#include "ioctl.h"

/**
 * zcb_ioctl_pool_grow - POOL_GROW
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_pool_grow(struct zcb_call *c)
{
	struct zcbuf_pool_grow *a = c->arg;
	const struct zcb_arena *arena = zcb_pool_grow(c->pool);

	if (IS_ERR(arena))
		return PTR_ERR(arena);
	a->out_size = ((u64)arena->index << PAGE_SHIFT) + arena->size;
	a->out_arena = arena->index / arena->npages;
	a->out_page_order = arena->order;
	return 0;
}

/* One of another namespace is none of the caller's, unless he is privileged. */
static u32 pool_rights_to_remove(const struct zcb_pool *pool)
{
	if (!zcb_pool_here(pool) && !capable(CAP_SYS_ADMIN))
		return 0;
	return zcb_user_rights(pool, ZCBUF_RIGHT_ADMIN);
}

/* The pool, and which rights there are to it. */
static struct zcb_pool *pool_to_remove(const struct zcb_call *c, u32 *rights)
{
	const struct zcbuf_pool_remove *a = c->arg;
	struct zcb_pool *pool;

	if (!a->pool && !a->name && !a->name_len) {
		*rights = c->pool ? c->s->rights : 0;
		return c->pool ? zcb_pool_get(c->pool) : ERR_PTR(-EPERM);
	}
	pool = a->pool ? zcb_pool_look_up(a->pool) ?: ERR_PTR(-ENOENT) :
			 zcb_user_pool(a->name, a->name_len,
				       a->flags & ZCBUF_REMOVE_F_UID, a->uid);
	if (!IS_ERR(pool))
		*rights = pool_rights_to_remove(pool) & c->s->file_rights;
	return pool;
}

static int pool_check_remove(const struct zcbuf_pool_remove *a)
{
	bool by_name = a->name || a->name_len;

	if (a->pool && by_name)
		return -EINVAL;
	if (a->flags & ZCBUF_REMOVE_F_UID)
		return by_name ? 0 : -EINVAL;
	return a->uid ? -EINVAL : 0;
}

/**
 * zcb_ioctl_pool_remove - POOL_REMOVE
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_pool_remove(struct zcb_call *c)
{
	struct zcb_pool *pool __free(zcb_pool_put) = NULL;
	u32 rights;
	int err;

	err = pool_check_remove(c->arg);
	if (err)
		return err;
	pool = pool_to_remove(c, &rights);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	return rights & ZCBUF_RIGHT_ADMIN ? zcb_pool_remove(pool) : -EPERM;
}

/**
 * zcb_ioctl_pool_retire - POOL_RETIRE
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_pool_retire(struct zcb_call *c)
{
	struct zcbuf_pool_retire *a = c->arg;
	u64 deadline_ns = zcb_call_deadline(c, a->deadline_ns);

	/* What the manual calls them. */
	static_assert(ZCBUF_ARENA_LIVE == (int)ZCB_ARENA_LIVE);
	static_assert(ZCBUF_ARENA_RETIRING == (int)ZCB_ARENA_RETIRING);
	static_assert(ZCBUF_ARENA_PINNED == (int)ZCB_ARENA_PINNED);
	static_assert(ZCBUF_ARENA_GONE == (int)ZCB_ARENA_GONE);

	if (a->flags && (a->deadline_ns || a->flags & (a->flags - 1)))
		return -EINVAL;
	if (a->flags & ZCBUF_RETIRE_F_CANCEL)
		return zcb_pool_retire_cancel(c->pool, a->arena, &a->out_state);
	return zcb_pool_retire(c->pool, c->s, a->arena,
			       a->flags & ZCBUF_RETIRE_F_NOW, deadline_ns,
			       &a->out_state);
}

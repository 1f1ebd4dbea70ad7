// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exports. What is exported has one more holder, who is no session: its memory is
 * out until he lets go of it, whoever frees it or dies meanwhile. He keeps the pool
 * as well.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "export.h"
#include "memory.h"
#include "session.h"

/* Which part: 0 bytes are all there are from @offset on. */
static int export_range(const struct zcb_memory_place *place, u64 offset,
			u64 *length)
{
	if (!PAGE_ALIGNED(place->offset) || !PAGE_ALIGNED(place->capacity) ||
	    !PAGE_ALIGNED(offset) || !PAGE_ALIGNED(*length))
		return -EINVAL;
	if (offset >= place->capacity || *length > place->capacity - offset)
		return -ERANGE;
	if (!*length)
		*length = place->capacity - offset;
	return 0;
}

/* As a session shares one. */
static int export_share(struct zcb_session *s, struct zcb_export *e, u64 handle)
{
	struct zcb_spares spares;
	int err;

	zcb_give_prepare(s->pool, &handle, 1, true, &spares);
	scoped_guard(mutex, &s->pool->lock)
		err = zcb_memory_share(s->pool, &s->hold, &e->hold, handle,
				       &spares);
	zcb_give_finish(&spares);
	return err;
}

static void export_count(struct zcb_export *e, bool more)
{
	spin_lock(&e->pool->mem_lock);
	e->pool->exported += more ? e->length : -e->length;
	spin_unlock(&e->pool->mem_lock);
}

/**
 * zcb_export_create - a part of a buffer, to be held
 * @s: a session that has the buffer; it has a call running
 * @handle: names it
 * @offset: where the part begins in the buffer, bytes
 * @length: bytes of it, 0: all that follow
 *
 * An arena that is retired meanwhile waits for it as for one that was there before.
 *
 * Context: may sleep.
 * Return: the export, for zcb_export_end(), or as error pointer -EINVAL no whole
 * pages, -ERANGE, -EBUSY its arena is being retired, -ENOMEM, or what
 * zcb_memory_find() says.
 */
struct zcb_export *zcb_export_create(struct zcb_session *s, u64 handle,
				     u64 offset, u64 length)
{
	struct zcb_memory_place place;
	struct zcb_export *e;
	int err;

	err = zcb_memory_find(s->pool, &s->hold, handle, &place);
	if (!err)
		err = export_range(&place, offset, &length);
	if (!err && !zcb_arena_open(s->pool->arenas[place.arena]))
		err = -EBUSY;
	if (err)
		return ERR_PTR(err);
	e = kmalloc(sizeof(*e), GFP_KERNEL_ACCOUNT);
	if (!e)
		return ERR_PTR(-ENOMEM);
	zcb_holdings_init(&e->hold);
	e->remains = (struct zcb_remains){ .export = e };
	e->offset = place.offset + offset;
	e->length = length;
	/* It is looked up again: who has freed it meanwhile is told so. */
	err = export_share(s, e, handle);
	if (err) {
		kfree(e);
		return ERR_PTR(err);
	}
	e->pool = zcb_pool_get(s->pool);
	export_count(e, true);
	return e;
}

/* zcb_export_free() - of an export that holds nothing any more; may sleep */
void zcb_export_free(struct zcb_export *e)
{
	zcb_pool_put(e->pool);
	kfree(e);
}

/**
 * zcb_export_end - nobody holds it any more
 * @e: the export
 *
 * But for what pins its pages: then it is quarantined as what the dead had.
 *
 * Context: may sleep.
 */
void zcb_export_end(struct zcb_export *e)
{
	struct zcb_pool *pool = zcb_pool_get(e->pool);
	bool all = zcb_memory_reclaim(pool, &e->hold);

	/* What is not seen any more is back, or is seen in quarantine. */
	scoped_guard(mutex, &pool->lock) {
		export_count(e, false);
		if (!all)
			zcb_quarantine_add_locked(pool, &e->remains);
	}
	if (all)
		zcb_export_free(e);
	zcb_pool_put(pool);
}

/**
 * zcb_export_pages - the pages of an export
 * @e: the export
 *
 * Context: may sleep.
 * Return: them, in order and without references, for kvfree(); or NULL.
 */
struct page **zcb_export_pages(const struct zcb_export *e)
{
	u64 i, n = e->length >> PAGE_SHIFT;
	struct page **pages;

	pages = kvmalloc_array(n, sizeof(*pages), ZCB_GFP_TABLE);
	for (i = 0; pages && i < n; i++)
		pages[i] = zcb_pool_page(e->pool,
					 (e->offset >> PAGE_SHIFT) + i);
	return pages;
}

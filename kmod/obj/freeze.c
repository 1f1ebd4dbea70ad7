// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups of IMMUTABLE channels: before one is delivered its pages are closed to
 * everybody who may write, until it is dead.
 *
 * A page is mapped while its folio is locked, and after a look at whether that is
 * frozen. So when a folio was marked, and locked once, nobody finds it open any more,
 * and who did has mapped it: then it is unmapped. A fault of a mapping that may be
 * written by is SIGBUS from then on, whether it reads or writes: what it would map
 * could be written by without another one. Who is left is who has got the page by a
 * mapping before: I/O, a ring it is registered with, another process that looks into
 * this one. Each has a reference that is no mapping's. When there is none, there never
 * is one again that can be written by, and the group goes. As long as there is, it
 * waits, and those behind it.
 *
 * When it is dead, there may be references again, of who reads. Nobody waits for them but
 * its memory: that stays closed and is nobody's until there is none, since who gets it
 * next could not tell them from those of a writer. Then it is opened.
 *
 * All of that is done by one work item of the channel, which nobody waits for but the
 * end of the channel. A group that waits, alive or dead, is on a list of the stream
 * that only this takes it from, or the end of the channel after it; so the lock of the
 * channel is not held meanwhile, but for the first look at one that has just died.
 * Folios are locked one at a time, and by this work with no lock held.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/pagemap.h>
#include <linux/rcupdate.h>

#include "channel.h"
#include "freeze.h"

/* How often to look whether pages are still held: less and less. */
#define FREEZE_WAIT_MIN	1UL
#define FREEZE_WAIT_MAX	msecs_to_jiffies(100)

/* Folios between two looks at whether the channel has ended, and others get on. */
#define FREEZE_STEP	256U

static bool page_frozen(const struct zcb_pool *pool, u64 index)
{
	u32 in_arena = pool->arenas[0]->npages;
	u64 npages = (u64)in_arena * zcb_pool_arenas(pool);

	index = array_index_nospec(index, npages);
	return zcb_arena_frozen(zcb_pool_arena_at(pool, index),
				(u32)index % in_arena);
}

/**
 * zcb_pool_page_get - a page for the fault handler
 * @pool: the pool
 * @index: pages from its start
 * @writer: by this mapping it can be written, now or later
 *
 * The reference is taken within the same RCU section as the look at the arena: who
 * retires it waits for such sections, and then for the references. Who cannot have the
 * page takes none, since others would have to wait for that.
 *
 * Context: any; takes no lock.
 * Return: the page, with a reference, or NULL as zcb_pool_page(), or if it is frozen.
 */
struct page *zcb_pool_page_get(const struct zcb_pool *pool, u64 index,
			       bool writer)
{
	struct page *page;

	guard(rcu)();
	page = zcb_pool_page(pool, index);
	if (!page || (writer && page_frozen(pool, index)))
		return NULL;
	get_page(page);
	return page;
}

/**
 * zcb_pool_page_lock - the same, for as long as it is being mapped
 * @pool: the pool
 * @index: pages from its start
 * @writer: by this mapping it can be written, now or later
 *
 * Context: may sleep for the lock of the page.
 * Return: as zcb_pool_page_get(), and the page is locked.
 */
struct page *zcb_pool_page_lock(const struct zcb_pool *pool, u64 index,
				bool writer)
{
	struct page *page = zcb_pool_page_get(pool, index, writer);

	if (!page)
		return NULL;
	lock_page(page);
	if (!writer || !page_frozen(pool, index))
		return page;
	unlock_page(page);
	put_page(page);
	return NULL;
}

/**
 * zcb_pool_freezes - could this be frozen: is it whole folios
 * @pool: the pool
 * @offset: pool offset
 * @length: bytes, in one arena
 *
 * Context: any; something of it is handed out, or mem_lock is held.
 * Return: true if so.
 */
bool zcb_pool_freezes(const struct zcb_pool *pool, u64 offset, u64 length)
{
	const struct zcb_arena *a;

	a = zcb_pool_arena_at(pool, offset >> PAGE_SHIFT);
	return IS_ALIGNED(offset | length, PAGE_SIZE << a->order);
}

/* Returns how many pages, from the first, it was done with. */
typedef u32 freeze_one(struct zcb_channel *ch, const struct zcb_arena *a,
		       u32 first, u32 last);

/* From page @at of a group on: pages in one piece, 0 at its end, and where they are. */
static u32 freeze_piece(const struct zcb_group *g, u32 at, u64 *index)
{
	u32 i, pages;

	for (i = 0; i < g->nextents; i++) {
		pages = g->handle ? g->capacity >> PAGE_SHIFT :
				    g->extents[i].pages;
		if (at < pages) {
			*index = (g->extents[i].pool_offset >> PAGE_SHIFT) + at;
			return pages - at;
		}
		at -= pages;
	}
	return 0;
}

/* A group's memory from page @at on, up to where it is not done: which page is that. */
static u32 freeze_walk(struct zcb_channel *ch, const struct zcb_group *g,
		       u32 at, freeze_one *one)
{
	const struct zcb_arena *a;
	u32 pages, done;
	u64 index;

	while ((pages = freeze_piece(g, at, &index))) {
		a = zcb_pool_arena_at(ch->pool, index);
		index -= a->index;
		pages = min(pages, FREEZE_STEP << a->order);
		done = one(ch, a, index, index + pages - 1);
		at += done;
		if (done < pages)
			break;
		cond_resched();
	}
	return at;
}

static u32 freeze_close(struct zcb_channel *ch, const struct zcb_arena *a,
			u32 first, u32 last)
{
	if (READ_ONCE(ch->ended))
		return 0;
	a->ops->freeze(a, first, last);
	unmap_mapping_range(ch->pool->inode->i_mapping,
			    (loff_t)(a->index + first) << PAGE_SHIFT,
			    (loff_t)(last - first + 1) << PAGE_SHIFT, 1);
	return last - first + 1;
}

static u32 freeze_quiet(struct zcb_channel *ch, const struct zcb_arena *a,
			u32 first, u32 last)
{
	if (READ_ONCE(ch->ended))
		return 0;
	return a->ops->quiet(a, first, last) - first;
}

static u32 freeze_thaw(struct zcb_channel *ch, const struct zcb_arena *a,
		       u32 first, u32 last)
{
	a->ops->thaw(a, first, last);
	return last - first + 1;
}

static struct zcb_group *freeze_next(struct zcb_channel *ch)
{
	guard(mutex)(&ch->lock);
	return list_first_entry_or_null(&ch->stream.freezing, struct zcb_group,
					queue);
}

/*
 * Is all of it quiet? What was once, after it was unmapped, is so for good: others may
 * take references there, but nobody who may write.
 */
static bool freeze_is_quiet(struct zcb_channel *ch, struct zcb_group *g)
{
	u64 index;

	g->quiet = freeze_walk(ch, g, g->quiet, freeze_quiet);
	return !freeze_piece(g, g->quiet, &index);
}

static bool freeze_group(struct zcb_channel *ch, struct zcb_group *g)
{
	if (!g->frozen) {
		WRITE_ONCE(g->frozen, true);
		/* However long what lingers has been waited for. */
		ch->freeze_wait = 0;
		freeze_walk(ch, g, 0, freeze_close);
	}
	return freeze_is_quiet(ch, g);
}

/* Deliver what can be. Returns whether that was all. */
static bool freeze_living(struct zcb_channel *ch)
{
	struct zcb_group *g;

	while (!READ_ONCE(ch->ended) && (g = freeze_next(ch))) {
		if (!freeze_group(ch, g))
			return false;
		ch->freeze_wait = 0;
		scoped_guard(mutex, &ch->lock)
			zcb_delivery_frozen(&ch->stream, g);
		cond_resched();
	}
	return true;
}

/* The first of the dead, or the one after @g, which is freed if it @goes. */
static struct zcb_group *freeze_next_dead(struct zcb_channel *ch,
					  struct zcb_group *g, bool goes)
{
	struct list_head *lingering = &ch->stream.lingering;
	struct list_head *next;

	guard(mutex)(&ch->lock);
	next = g ? g->queue.next : lingering->next;
	if (goes)
		zcb_delivery_quiet(&ch->stream, g);
	return next == lingering ? NULL :
				   list_entry(next, struct zcb_group, queue);
}

/* Let go of what can be. Returns whether that was all. */
static bool freeze_dead(struct zcb_channel *ch)
{
	struct zcb_group *g = freeze_next_dead(ch, NULL, false);
	bool goes, all = true;

	while (g && !READ_ONCE(ch->ended)) {
		goes = freeze_is_quiet(ch, g);
		if (goes)
			ch->freeze_wait = 0;
		all &= goes;
		g = freeze_next_dead(ch, g, goes);
		cond_resched();
	}
	return all;
}

static void freeze_work(struct work_struct *work)
{
	struct zcb_channel *ch = container_of(to_delayed_work(work),
					      struct zcb_channel, freeze);
	bool all = freeze_living(ch);

	all &= freeze_dead(ch);
	if (all)
		return;
	ch->freeze_wait = clamp(ch->freeze_wait * 2, FREEZE_WAIT_MIN,
				FREEZE_WAIT_MAX);
	queue_delayed_work(system_unbound_wq, &ch->freeze, ch->freeze_wait);
}

/* zcb_freeze_init() - of a channel that is being made */
void zcb_freeze_init(struct zcb_channel *ch)
{
	INIT_DELAYED_WORK(&ch->freeze, freeze_work);
}

/**
 * zcb_freeze_end - the channel has ended: nobody looks at what waits any more
 * @ch: the channel; its pool's lock is held
 *
 * Said under its lock, so that nobody who holds that begins what is waited for here.
 *
 * Context: may sleep.
 */
void zcb_freeze_end(struct zcb_channel *ch)
{
	lockdep_assert_held(&ch->pool->lock);
	scoped_guard(mutex, &ch->lock)
		WRITE_ONCE(ch->ended, true);
	cancel_delayed_work_sync(&ch->freeze);
}

/* Is one to be delivered that nobody has looked at, and that waits for no other? */
static bool freeze_has_new(const struct zcb_channel *ch)
{
	const struct zcb_stream *s = &ch->stream;

	return s->nfreezing == 1 &&
	       !READ_ONCE(list_first_entry(&s->freezing, struct zcb_group,
					   queue)->frozen);
}

/**
 * zcb_freeze_begin - a group waits to be frozen, or lingers
 * @ch: the channel; its lock is held
 *
 * While one that is to be delivered has to be looked at again, the others wait for
 * that. It waits for none that lingers.
 *
 * Context: any that may hold the lock.
 */
void zcb_freeze_begin(struct zcb_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	if (ch->ended)
		return;
	if (freeze_has_new(ch))
		mod_delayed_work(system_unbound_wq, &ch->freeze, 0);
	else
		queue_delayed_work(system_unbound_wq, &ch->freeze,
				   FREEZE_WAIT_MIN);
}

/**
 * zcb_freeze_quiet - a group is dead: does nobody have a page of it
 * @ch: the channel; its lock is held
 * @g: the group
 *
 * Context: may sleep.
 * Return: true if so; if not, it lingers, and is looked at again.
 */
bool zcb_freeze_quiet(struct zcb_channel *ch, struct zcb_group *g)
{
	lockdep_assert_held(&ch->lock);
	g->quiet = 0;
	return freeze_is_quiet(ch, g);
}

/**
 * zcb_freeze_thaw - a group is dead: its memory may be written to again
 * @ch: the channel; its lock is held
 * @g: the group, on no list; its memory is not free yet
 *
 * Context: may sleep.
 */
void zcb_freeze_thaw(struct zcb_channel *ch, struct zcb_group *g)
{
	lockdep_assert_held(&ch->lock);
	if (g->frozen)
		freeze_walk(ch, g, 0, freeze_thaw);
}

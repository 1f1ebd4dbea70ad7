// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arenas, and the folio backend: folios the module owns, all of one order
 * (registration of mixed orders with io_uring is pathological), mapped by the
 * core through a plain fault handler.
 *
 * Nothing here takes a lock: an arena is built before it is seen and destroyed
 * after, and what it is made of is released when nobody looks at that any more.
 */
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "account.h"
#include "arena.h"

#define ZCB_ARENA_HUGE_ORDER	(ilog2(ZCB_ARENA_UNIT) - PAGE_SHIFT)

/*
 * A huge page is an attempt: no direct reclaim, no warning. A small page tries
 * hard but answers with NULL: without RETRY_MAYFAIL a full memory cgroup would
 * call its OOM killer instead.
 */
#define ZCB_GFP_COMMON	(__GFP_ZERO | __GFP_ACCOUNT | __GFP_NOWARN)
#define ZCB_GFP_HUGE	((GFP_USER & ~__GFP_DIRECT_RECLAIM) |		\
			 ZCB_GFP_COMMON | __GFP_COMP | __GFP_NORETRY)
#define ZCB_GFP_SMALL	(GFP_USER | ZCB_GFP_COMMON | __GFP_RETRY_MAYFAIL)

static void folio_arena_free(struct zcb_arena *a)
{
	u32 i;

	for (i = 0; i < a->nfolios; i++) {
		folio_put(a->folios[i]);
		if (!(i & 255))
			cond_resched();
	}
	kvfree(a->folios);
	a->folios = NULL;
	a->nfolios = 0;
}

/* Whose turn it is: the next arena of the pool goes on where this one ends. */
static int folio_arena_node(const struct zcb_arena *a, u32 order, u32 nnodes)
{
	u32 n = ((a->index >> order) + a->nfolios) % nnodes;
	int node = first_node(*a->nodes);

	while (n--)
		node = next_node(node, *a->nodes);
	return node;
}

/*
 * Without nodes of its own the arena follows the caller's memory policy. From a
 * single one it comes, or not at all; when one of several has nothing left, another
 * stands in for it.
 */
static struct page *folio_arena_get(const struct zcb_arena *a, u32 order)
{
	gfp_t gfp = order ? ZCB_GFP_HUGE : ZCB_GFP_SMALL;
	u32 nnodes = nodes_weight(*a->nodes);

	if (fatal_signal_pending(current))
		return NULL;
	if (!nnodes)
		return alloc_pages(gfp, order);
	if (nnodes == 1)
		gfp |= __GFP_THISNODE;
	return alloc_pages_node(folio_arena_node(a, order, nnodes), gfp, order);
}

/*
 * The core asks folio->index whether a folio lies within i_size before it maps
 * it with a PMD; the allocator leaves there what the last owner wrote.
 */
static int folio_arena_fill(struct zcb_arena *a, u32 order)
{
	u32 n = a->npages >> order;
	struct page *page;

	a->order = order;
	a->folios = kvcalloc(n, sizeof(*a->folios), ZCB_GFP_TABLE);
	if (!a->folios)
		return -ENOMEM;
	while (a->nfolios < n) {
		page = folio_arena_get(a, order);
		if (!page) {
			folio_arena_free(a);
			return -ENOMEM;
		}
		page->index = a->index + ((pgoff_t)a->nfolios << order);
		a->folios[a->nfolios++] = page_folio(page);
		cond_resched();
	}
	return 0;
}

static int folio_arena_alloc(struct zcb_arena *a, enum zcb_arena_huge huge)
{
	if (huge != ZCB_ARENA_HUGE_NEVER &&
	    !folio_arena_fill(a, ZCB_ARENA_HUGE_ORDER))
		return 0;
	if (huge == ZCB_ARENA_HUGE_MUST)
		return -ENOMEM;
	return folio_arena_fill(a, 0);
}

static bool folio_arena_busy(const struct zcb_arena *a)
{
	u32 i;

	for (i = 0; i < a->nfolios; i++) {
		if (folio_ref_count(a->folios[i]) != 1)
			return true;
		if (!(i & 4095))
			cond_resched();
	}
	return false;
}

#define ZCB_SETTLED_TRIES	3	/* others may just be coming or going */

/*
 * The counts are read one by one. Mappings only go while the folio is locked, which
 * they are counted out of before their reference is: read twice alike, that many
 * were there when the references were read. A small folio has no count of its own
 * of pins: each is so many references. What is accounted for is read last: who has
 * just let go of his pins may still have a token.
 */
static bool folio_looks_settled(const struct folio *folio, const u32 *accounted)
{
	int maps = folio_mapcount(folio);
	int pins = folio_test_large(folio) ?
		   atomic_read(&folio->_pincount) : 0;
	int refs;

	smp_rmb();	/* the order is all that matters: nothing pairs with it */
	refs = folio_ref_count(folio) - 1 - maps;
	smp_rmb();	/* as above */
	if (maps != folio_mapcount(folio))
		return false;
	if (folio_test_large(folio)) {
		if (pins != atomic_read(&folio->_pincount))
			return false;
	} else {
		pins = refs / GUP_PIN_COUNTING_BIAS;
		refs -= pins * (GUP_PIN_COUNTING_BIAS - 1);
	}
	return refs == pins && pins <= (accounted ? READ_ONCE(*accounted) : 0);
}

/* Twice: one pin may have gone and another come between two readings. */
static bool folio_settled(struct folio *folio, const u32 *accounted)
{
	bool settled;
	u32 i;

	for (i = 0; i < ZCB_SETTLED_TRIES; i++) {
		if (!folio_trylock(folio))
			continue;
		settled = folio_looks_settled(folio, accounted) &&
			  folio_looks_settled(folio, accounted);
		folio_unlock(folio);
		if (settled)
			return true;
	}
	return false;
}

/* The first page of a folio that is not, or the one after @last. */
static u32 folios_settled(const struct zcb_arena *a, u32 first, u32 last,
			  const u32 *accounted)
{
	u32 i;

	for (i = first >> a->order; i <= last >> a->order; i++) {
		if (!folio_settled(a->folios[i], accounted))
			return max(first, i << a->order);
		if (!(i & 1023))
			cond_resched();
	}
	return last + 1;
}

static bool folio_arena_settled(const struct zcb_arena *a, u32 first, u32 last)
{
	return folios_settled(a, first, last, &a->accounted) > last;
}

/* A token explains a pin, and does not make it any less one to write by. */
static u32 folio_arena_quiet(const struct zcb_arena *a, u32 first, u32 last)
{
	return folios_settled(a, first, last, NULL);
}

#define ZCB_FOLIO_FROZEN	((void *)1)	/* folio->private */

/* A fault that has looked before holds the lock until it has mapped the page. */
static void folio_arena_freeze(const struct zcb_arena *a, u32 first, u32 last)
{
	u32 i;

	for (i = first >> a->order; i <= last >> a->order; i++) {
		WRITE_ONCE(a->folios[i]->private, ZCB_FOLIO_FROZEN);
		folio_lock(a->folios[i]);
		folio_unlock(a->folios[i]);
	}
}

static void folio_arena_thaw(const struct zcb_arena *a, u32 first, u32 last)
{
	u32 i;

	for (i = first >> a->order; i <= last >> a->order; i++)
		WRITE_ONCE(a->folios[i]->private, NULL);
}

static bool folio_arena_frozen(const struct zcb_arena *a, u32 index)
{
	return READ_ONCE(a->folios[index >> a->order]->private);
}

/*
 * Each mapping of a page is a reference, too; one that comes or goes at this moment
 * is counted once or twice. Under RCU: the arena may be retired meanwhile, and is
 * released after that, then not held by anybody.
 */
static bool folio_arena_held(const struct zcb_arena *a)
{
	u32 i, end;

	for (i = 0; i < a->nfolios; i = end) {
		end = min(i + 256, a->nfolios);
		scoped_guard(rcu) {
			if (!zcb_arena_mapped(a))
				return false;
			for (; i < end; i++)
				if (folio_ref_count(a->folios[i]) >
				    1 + folio_mapcount(a->folios[i]))
					return true;
		}
		cond_resched();
	}
	return false;
}

static struct page *folio_arena_page(const struct zcb_arena *a, u32 index)
{
	struct folio *folio = a->folios[index >> a->order];

	return folio_page(folio, index & ((1U << a->order) - 1));
}

static int folio_arena_nid(const struct zcb_arena *a, u32 index)
{
	return folio_nid(a->folios[index >> a->order]);
}

const struct zcb_arena_ops zcb_arena_folio_ops = {
	.name	= "folio",
	.caps	= ZCB_ARENA_CAP_FIXED | ZCB_ARENA_CAP_FREEZE,
	.alloc	= folio_arena_alloc,
	.free	= folio_arena_free,
	.busy	= folio_arena_busy,
	.settled = folio_arena_settled,
	.quiet	= folio_arena_quiet,
	.held	= folio_arena_held,
	.freeze	= folio_arena_freeze,
	.thaw	= folio_arena_thaw,
	.frozen	= folio_arena_frozen,
	.page	= folio_arena_page,
	.nid	= folio_arena_nid,
};

/* A request beyond what the machine has would reclaim for many seconds. */
static bool arena_available(u64 size)
{
	long pages = si_mem_available();

	return pages > 0 && size >> PAGE_SHIFT < (u64)pages;
}

static int arena_build(struct zcb_arena *a, enum zcb_arena_huge huge,
		       const struct zcb_payer *payer)
{
	int err;

	if (zcb_account_charge(a->size, payer, &a->user))
		return -EDQUOT;
	if (!arena_available(a->size))
		return -ENOMEM;
	a->metadata = kvzalloc(zcb_buddy_metadata_size(a->npages),
			       ZCB_GFP_TABLE);
	if (!a->metadata)
		return -ENOMEM;
	err = a->ops->alloc(a, huge);
	a->nodes = NULL;
	if (err)
		return err;
	zcb_buddy_init(&a->buddy, a->metadata, a->npages);
	return zcb_arena_nodes_init(a);
}

/**
 * zcb_arena_create - allocate, zero and charge an arena
 * @size: bytes, a multiple of ZCB_ARENA_UNIT up to ZCB_ARENA_MAX
 * @index: of its first page in the pool
 * @nodes: NUMA nodes, by turns, or none
 * @huge: kind of pages
 * @payer: whom to charge
 *
 * Context: may sleep; a fatal signal ends it.
 * Return: the arena; as error pointers -EDQUOT, a limit says no, or -ENOMEM.
 */
struct zcb_arena *zcb_arena_create(u64 size, u32 index,
				   const nodemask_t *nodes,
				   enum zcb_arena_huge huge,
				   const struct zcb_payer *payer)
{
	struct zcb_arena *a = kzalloc(sizeof(*a), GFP_KERNEL_ACCOUNT);
	int err;

	if (!a)
		return ERR_PTR(-ENOMEM);
	a->ops = &zcb_arena_folio_ops;
	a->size = size;
	a->npages = size >> PAGE_SHIFT;
	a->index = index;
	a->nodes = nodes;
	err = arena_build(a, huge, payer);
	if (err) {
		zcb_arena_destroy(a);
		return ERR_PTR(err);
	}
	return a;
}

/**
 * zcb_arena_busy - does anybody else still hold a page of it
 * @a: an arena that no pool hands out any more
 *
 * I/O that outlived its process does: a page is only given back when the
 * arena's is the only reference.
 *
 * Context: may sleep.
 * Return: true if so.
 */
bool zcb_arena_busy(const struct zcb_arena *a)
{
	return a->ops->busy(a);
}

/**
 * zcb_arena_held - does anybody hold a page of it other than by mapping it
 * @a: an arena that may be in use
 *
 * Who does may have let go, and who does not may begin to, at any moment.
 *
 * Context: may sleep.
 * Return: true if so.
 */
bool zcb_arena_held(const struct zcb_arena *a)
{
	return a->ops->held(a);
}

/**
 * zcb_arena_release - give its pages and the charge for them back
 * @a: an arena that is not busy, and that nobody looks into any more
 *
 * What it was stays known.
 *
 * Context: may sleep.
 */
void zcb_arena_release(struct zcb_arena *a)
{
	a->ops->free(a);
	zcb_arena_nodes_end(a);
	if (a->user)
		zcb_account_uncharge(a->user, a->size);
	a->user = NULL;
	kvfree(a->metadata);
	a->metadata = NULL;
}

/**
 * zcb_arena_destroy - give an arena back
 * @a: an arena that is not busy
 *
 * Context: may sleep.
 */
void zcb_arena_destroy(struct zcb_arena *a)
{
	zcb_arena_release(a);
	kfree(a);
}

/**
 * zcb_arena_zero - zero a range
 * @a: the arena
 * @offset: bytes from its start
 * @length: bytes
 *
 * Context: may sleep.
 */
void zcb_arena_zero(const struct zcb_arena *a, u64 offset, u64 length)
{
	while (length) {
		size_t in_page = offset_in_page(offset);
		size_t n = min_t(u64, length, PAGE_SIZE - in_page);

		memzero_page(zcb_arena_page(a, offset >> PAGE_SHIFT), in_page,
			     n);
		offset += n;
		length -= n;
		cond_resched();
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buddy allocator over the pages of one arena.
 *
 * Block i of order n is the pages [i << n, (i + 1) << n). Every order has a
 * bitmap with one bit for each block that lies inside the arena, set while the
 * block is free as a whole; a summary bitmap over its words finds the lowest
 * set bit without walking the map. Pages that are handed out appear in no
 * bitmap, so that a range can be given back in other pieces than it was taken,
 * and giving back what is free already is noticed.
 *
 * No two free blocks are ever buddies of each other: they would be one block.
 *
 * An area has such a bitmap for every order, too, of the blocks that lie in it:
 * whether there is one of some order inside a larger block is a search of a few
 * words.
 */
#include "buddy.h"

static u32 nblocks(u32 npages, unsigned int order)
{
	return npages >> order;
}

static size_t map_words(u32 npages, unsigned int order)
{
	return BITS_TO_LONGS((size_t)nblocks(npages, order));
}

static size_t summary_words(u32 npages, unsigned int order)
{
	return BITS_TO_LONGS(map_words(npages, order));
}

/*
 * An even last block has no buddy inside the arena. The bit of that one is
 * beside its own, in the same word, and never set.
 */
static bool buddy_is_free(const struct zcb_buddy *b, unsigned int order,
			  u32 block)
{
	return test_bit(block ^ 1, b->map[order]);
}

static void insert_block(struct zcb_buddy *b, unsigned int order, u32 block)
{
	__set_bit(block, b->map[order]);
	__set_bit(block / BITS_PER_LONG, b->summary[order]);
	b->nfree[order]++;
	b->orders |= BIT(order);
}

static void remove_block(struct zcb_buddy *b, unsigned int order, u32 block)
{
	u32 word = block / BITS_PER_LONG;

	__clear_bit(block, b->map[order]);
	if (!b->map[order][word])
		__clear_bit(word, b->summary[order]);
	if (!--b->nfree[order])
		b->orders &= ~BIT(order);
}

/* The free block of @order with the lowest address; there is one. */
static u32 lowest_block(const struct zcb_buddy *b, unsigned int order)
{
	u32 word = find_first_bit(b->summary[order],
				  map_words(b->npages, order));

	return word * BITS_PER_LONG + __ffs(b->map[order][word]);
}

/*
 * Take the block of @order that has @page out of the free one of order @from around
 * it. What is left of that becomes free blocks again.
 */
static void take_block(struct zcb_buddy *b, unsigned int from,
		       unsigned int order, u32 page)
{
	remove_block(b, from, page >> from);
	while (from > order) {
		from--;
		insert_block(b, from, (page >> from) ^ 1);
	}
	b->free_pages -= 1U << order;
}

/* Insert a block, joined with its buddy for as long as that is free, too. */
static void merge_block(struct zcb_buddy *b, unsigned int order, u32 block)
{
	while (order + 1 < ZCB_BUDDY_ORDERS && buddy_is_free(b, order, block)) {
		remove_block(b, order, block ^ 1);
		block >>= 1;
		order++;
	}
	insert_block(b, order, block);
}

/* The largest block that starts at @page and has no more than @npages. */
static unsigned int order_at(u32 page, u32 npages)
{
	unsigned int order = ilog2(npages);

	if (page)
		order = min_t(unsigned int, order, __ffs(page));
	return min_t(unsigned int, order, ZCB_BUDDY_ORDERS - 1);
}

static void free_range(struct zcb_buddy *b, u32 page, u32 npages)
{
	unsigned int order;

	b->free_pages += npages;
	while (npages) {
		order = order_at(page, npages);
		merge_block(b, order, page >> order);
		page += 1U << order;
		npages -= 1U << order;
	}
}

/* Is any page of [@first, @last] free? */
static bool any_free(const struct zcb_buddy *b, u32 first, u32 last)
{
	unsigned int order;
	u32 end;

	for (order = 0; order < ZCB_BUDDY_ORDERS; order++) {
		if (!b->nfree[order])
			continue;
		end = min(nblocks(b->npages, order), (last >> order) + 1);
		if (find_next_bit(b->map[order], end, first >> order) < end)
			return true;
	}
	return false;
}

/**
 * zcb_buddy_metadata_size() - memory a buddy needs besides its struct
 * @npages: pages it is to manage
 *
 * Context: Any.
 * Return: Bytes, for zcb_buddy_init().
 */
size_t zcb_buddy_metadata_size(u32 npages)
{
	unsigned int order;
	size_t words = 0;

	for (order = 0; order < ZCB_BUDDY_ORDERS; order++)
		words += map_words(npages, order) +
			 summary_words(npages, order);
	return words * sizeof(unsigned long);
}

/**
 * zcb_buddy_init() - make an arena of free pages
 * @b: the buddy
 * @metadata: zcb_buddy_metadata_size(@npages) bytes, aligned to a long; their
 *	contents do not matter. The buddy's until it is given up, which takes no
 *	call.
 * @npages: pages, at least 1; any number
 *
 * Context: Any.
 */
void zcb_buddy_init(struct zcb_buddy *b, void *metadata, u32 npages)
{
	unsigned long *words = metadata;
	unsigned int order;

	memset(metadata, 0, zcb_buddy_metadata_size(npages));
	memset(b, 0, sizeof(*b));
	b->npages = npages;
	for (order = 0; order < ZCB_BUDDY_ORDERS; order++) {
		b->map[order] = words;
		words += map_words(npages, order);
		b->summary[order] = words;
		words += summary_words(npages, order);
	}
	free_range(b, 0, npages);
}

/**
 * zcb_buddy_alloc() - take a block
 * @b: the buddy
 * @order: the block has 1 << @order pages and is aligned to its size
 * @page: where it starts
 *
 * Takes the lowest block of the smallest order that will do. What is too much
 * is split off from its upper end.
 *
 * Context: The caller locks. Does not sleep.
 * Return: 0; -E2BIG if no arena of this size has such a block; -ENOMEM if none
 * is free.
 */
int zcb_buddy_alloc(struct zcb_buddy *b, unsigned int order, u32 *page)
{
	unsigned int from;

	if (order >= ZCB_BUDDY_ORDERS || !nblocks(b->npages, order))
		return -E2BIG;
	if (!zcb_buddy_has(b, order))
		return -ENOMEM;
	from = order + __ffs(b->orders >> order);
	*page = lowest_block(b, from) << from;
	take_block(b, from, order, *page);
	return 0;
}

/* Each of the lower half's bits twice, side by side. */
static unsigned long twice(unsigned long word)
{
	unsigned int shift = BITS_PER_LONG / 2;
	unsigned long mask = ~0UL >> shift;

	word &= mask;
	while (shift > 1) {
		shift /= 2;
		mask ^= mask << shift;
		word = (word | word << shift) & mask;
	}
	return word | word << 1;
}

/*
 * What a map of larger blocks is for word @i of one of smaller blocks, of which
 * 1 << @shift are one of them.
 */
static unsigned long stretched(const unsigned long *map, unsigned int shift,
			       u32 i)
{
	u32 bit = (u64)i * BITS_PER_LONG >> shift;
	unsigned long word = map[bit / BITS_PER_LONG] >> bit % BITS_PER_LONG;

	if (shift >= ilog2(BITS_PER_LONG))
		return word & 1 ? ~0UL : 0;
	while (shift--)
		word = twice(word);
	return word;
}

/*
 * The lowest block that is set in @small and whose larger one, of 1 << @shift of
 * them, is set in @large, which has @n. No word of @small is looked at below which
 * @large has nothing.
 */
static bool find_common(const unsigned long *small, const unsigned long *large,
			u32 n, unsigned int shift, u32 *block)
{
	unsigned long both;
	u32 at, i;

	for (i = 0;; i++) {
		at = find_next_bit(large, n, (u64)i * BITS_PER_LONG >> shift);
		if (at >= n)
			return false;
		i = max(i, (at << shift) / BITS_PER_LONG);
		both = small[i] & stretched(large, shift, i);
		if (both) {
			*block = i * BITS_PER_LONG + __ffs(both);
			return true;
		}
	}
}

/*
 * The lowest block of @order in the area that is part of a free one of @from. The
 * area has no blocks below the size of a piece, all of which is in or not.
 */
static bool find_in_order(const struct zcb_buddy *b,
			  const struct zcb_buddy_area *area, unsigned int from,
			  unsigned int order, u32 *page)
{
	unsigned int level = max(order, area->unit);
	unsigned int small = min(from, level), large = max(from, level);
	bool found;
	u32 block;

	if (!b->nfree[from])
		return false;
	found = find_common(from < level ? b->map[from] : area->map[level],
			    from < level ? area->map[level] : b->map[from],
			    nblocks(b->npages, large), large - small, &block);
	if (found)
		*page = block << small;
	return found;
}

/**
 * zcb_buddy_alloc_in() - take a block that lies in an area
 * @b: the buddy
 * @area: the area, of the same arena
 * @order: as of zcb_buddy_alloc()
 * @page: where it starts
 *
 * Takes the lowest that is part of the lowest block of the smallest order that has
 * one. May look at all words of the maps, but not at each free block.
 *
 * Context: The caller locks. Does not sleep.
 * Return: 0; -E2BIG if no arena of this size has such a block; -ENOMEM if none
 * is free, or none is in the area.
 */
int zcb_buddy_alloc_in(struct zcb_buddy *b, const struct zcb_buddy_area *area,
		       unsigned int order, u32 *page)
{
	unsigned int from;

	if (order >= ZCB_BUDDY_ORDERS || !nblocks(b->npages, order))
		return -E2BIG;
	if (!area->nblocks[max(order, area->unit)])
		return -ENOMEM;
	for (from = order; zcb_buddy_has(b, from); from++)
		if (find_in_order(b, area, from, order, page)) {
			take_block(b, from, order, *page);
			return 0;
		}
	return -ENOMEM;
}

/**
 * zcb_buddy_free() - give pages back
 * @b: the buddy
 * @page: the first
 * @npages: how many
 *
 * The range need not be a block, nor one that zcb_buddy_alloc() returned: any
 * pages that are handed out can be given back, and free neighbours become one.
 *
 * Context: The caller locks. Does not sleep.
 * Return: 0; -EINVAL if the range is empty or leaves the arena; -EBADSLT if
 * any page of it is free already. Nothing is changed then.
 */
int zcb_buddy_free(struct zcb_buddy *b, u32 page, u32 npages)
{
	if (!npages || page >= b->npages || npages > b->npages - page)
		return -EINVAL;
	if (any_free(b, page, page + npages - 1))
		return -EBADSLT;
	free_range(b, page, npages);
	return 0;
}

/**
 * zcb_buddy_has() - could a block be taken?
 * @b: the buddy
 * @order: of the block
 *
 * Context: The caller locks. Does not sleep.
 * Return: Whether zcb_buddy_alloc() of @order would succeed.
 */
bool zcb_buddy_has(const struct zcb_buddy *b, unsigned int order)
{
	return order < ZCB_BUDDY_ORDERS && b->orders >> order;
}

/**
 * zcb_buddy_largest() - the largest block that is free
 * @b: the buddy
 *
 * Context: The caller locks. Does not sleep.
 * Return: Its order, or -1 if no page is free.
 */
int zcb_buddy_largest(const struct zcb_buddy *b)
{
	return fls(b->orders) - 1;
}

/**
 * zcb_buddy_area_size() - memory an area needs besides its struct
 * @npages: pages of the arena
 * @unit: order of the pieces it is made of
 *
 * Context: Any.
 * Return: Bytes, for zcb_buddy_area_init().
 */
size_t zcb_buddy_area_size(u32 npages, unsigned int unit)
{
	size_t words = 0;

	for (; unit < ZCB_BUDDY_ORDERS; unit++)
		words += map_words(npages, unit);
	return words * sizeof(unsigned long);
}

/**
 * zcb_buddy_area_init() - an area without pages
 * @area: it
 * @metadata: zcb_buddy_area_size() bytes, aligned to a long; as of
 *	zcb_buddy_init()
 * @npages: pages of the arena, a multiple of 1 << @unit
 * @unit: order of the pieces it is made of
 *
 * Context: Any.
 */
void zcb_buddy_area_init(struct zcb_buddy_area *area, void *metadata,
			 u32 npages, unsigned int unit)
{
	unsigned long *words = metadata;
	unsigned int order;

	memset(metadata, 0, zcb_buddy_area_size(npages, unit));
	memset(area, 0, sizeof(*area));
	area->unit = unit;
	area->npages = npages;
	for (order = unit; order < ZCB_BUDDY_ORDERS; order++) {
		area->map[order] = words;
		words += map_words(npages, order);
	}
}

/**
 * zcb_buddy_area_add() - a piece is in the area
 * @area: the area
 * @page: any of it; it was not in
 *
 * Context: The caller locks, if anybody looks at it already. Does not sleep.
 */
void zcb_buddy_area_add(struct zcb_buddy_area *area, u32 page)
{
	unsigned int order = area->unit;
	u32 block = page >> order;

	for (;;) {
		__set_bit(block, area->map[order]);
		area->nblocks[order]++;
		if (!test_bit(block ^ 1, area->map[order]) ||
		    order + 1 == ZCB_BUDDY_ORDERS)
			return;
		order++;
		block >>= 1;
	}
}

/**
 * zcb_buddy_area_has() - do pages lie in an area
 * @area: the area
 * @page: the first
 * @npages: how many; at least 1, all of the arena
 *
 * Context: Any.
 * Return: Whether all of them do.
 */
bool zcb_buddy_area_has(const struct zcb_buddy_area *area, u32 page,
			u32 npages)
{
	u32 end = ((page + npages - 1) >> area->unit) + 1;

	return find_next_zero_bit(area->map[area->unit], end,
				  page >> area->unit) >= end;
}

/**
 * zcb_buddy_area_meets() - does any of some pages lie in an area
 * @area: the area
 * @page: the first
 * @npages: how many; at least 1, all of the arena
 *
 * Context: Any.
 * Return: Whether one does.
 */
bool zcb_buddy_area_meets(const struct zcb_buddy_area *area, u32 page,
			  u32 npages)
{
	u32 end = ((page + npages - 1) >> area->unit) + 1;

	return find_next_bit(area->map[area->unit], end,
			     page >> area->unit) < end;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * One group: where its reservations lie in the stream and in the pool, and how
 * many of them are in which state. It knows neither ids nor queues; stream.c
 * does.
 *
 * The stream offset of a reservation minus that of the group is where it lies
 * in the group, so a group is a gapless run of the stream but for the gaps
 * that alignment leaves. Nothing here sleeps; the caller holds the lock of the
 * group's stream.
 */
#include "group.h"

static struct zcb_group_extent *group_last(struct zcb_group *g)
{
	return &g->extents[g->nextents - 1];
}

/* Where the last extent begins, in bytes from the start of the group. */
static u64 group_base(const struct zcb_group *g)
{
	return g->nextents > 1 ? g->extents[0].bytes : 0;
}

/* A group ends at @length bytes, and so does its last extent. */
static void group_set_length(struct zcb_group *g, u64 length)
{
	g->length = length;
	group_last(g)->bytes = length - group_base(g);
}

/**
 * zcb_group_init() - make a group that has nothing in it
 * @g: its memory, whatever is in there
 * @id: of the group
 * @offset: stream offset of its first byte
 * @now_ns: the time
 *
 * The group is open and on no list.
 *
 * Context: The caller holds the stream's lock.
 */
void zcb_group_init(struct zcb_group *g, u64 id, u64 offset, u64 now_ns)
{
	memset(g, 0, sizeof(*g));
	INIT_LIST_HEAD(&g->in_stream);
	INIT_LIST_HEAD(&g->queue);
	INIT_LIST_HEAD(&g->resvs);
	g->id = id;
	g->offset = offset;
	g->opened_ns = now_ns;
	g->state = ZCB_GROUP_OPEN;
}

/**
 * zcb_group_fits() - would a reservation fit the last extent?
 * @g: a group with an extent
 * @length: bytes to reserve, not so many that @g->total overflows
 * @align: of the stream, a power of two
 * @page_shift: of a page
 *
 * Context: The caller holds the stream's lock.
 * Return: true if it would, to the end of its alignment.
 */
bool zcb_group_fits(const struct zcb_group *g, u64 length, u32 align,
		    unsigned int page_shift)
{
	u64 room = (u64)g->extents[g->nextents - 1].pages << page_shift;

	return g->total - group_base(g) + round_up(length, align) <= room;
}

/**
 * zcb_group_add_extent() - more memory, for the reservation that comes next
 * @g: a group with less than ZCB_GROUP_EXTENTS of them
 * @pool_offset: where it starts, page-aligned
 * @pages: pages in it
 *
 * The extent before it ends where the stream is now, a gap for alignment
 * included.
 *
 * Context: The caller holds the stream's lock.
 */
void zcb_group_add_extent(struct zcb_group *g, u64 pool_offset, u32 pages)
{
	struct zcb_group_extent *e = &g->extents[g->nextents];

	if (g->nextents)
		group_last(g)->bytes = g->total;
	e->pool_offset = pool_offset;
	e->bytes = 0;
	e->pages = pages;
	g->nextents++;
}

/**
 * zcb_group_add() - put a reservation at the end of a group
 * @g: an open group whose last extent has room for it
 * @r: its memory; id, owner and hash are the caller's to set
 * @length: bytes reserved
 * @align: of the stream, a power of two
 *
 * Context: The caller holds the stream's lock.
 */
void zcb_group_add(struct zcb_group *g, struct zcb_resv *r, u64 length,
		   u32 align)
{
	u64 at = g->total;

	r->group = g;
	r->offset = g->offset + at;
	r->length = length;
	r->used = 0;
	r->pool_offset = group_last(g)->pool_offset + at - group_base(g);
	r->nrecords = 0;
	r->state = ZCB_RESV_PENDING;
	r->straggler = false;
	INIT_LIST_HEAD(&r->in_owner);
	list_add_tail(&r->in_group, &g->resvs);
	g->total = at + round_up(length, align);
	group_set_length(g, at + length);
	g->nresv++;
	g->npending++;
}

/**
 * zcb_group_commit() - a pending reservation is written
 * @g: its group
 * @r: the reservation
 * @used: bytes written: what was reserved, or less of a window
 * @nrecords: records in them; the sum of a group saturates
 *
 * Context: The caller holds the stream's lock.
 */
void zcb_group_commit(struct zcb_group *g, struct zcb_resv *r, u64 used,
		      u32 nrecords)
{
	r->state = ZCB_RESV_COMMITTED;
	r->used = used;
	r->nrecords = nrecords;
	if (check_add_overflow(g->nrecords, nrecords, &g->nrecords))
		g->nrecords = U32_MAX;
	if (g->window)
		group_set_length(g, used);
	g->npending--;
}

/**
 * zcb_group_fail() - a pending reservation is lost
 * @g: its group
 * @r: the reservation
 * @straggler: its owner does not know yet and may still be storing
 *
 * Context: The caller holds the stream's lock.
 */
void zcb_group_fail(struct zcb_group *g, struct zcb_resv *r, bool straggler)
{
	r->state = ZCB_RESV_FAILED;
	r->straggler = straggler;
	g->npending--;
	g->nfailed++;
	g->nstragglers += straggler;
}

/**
 * zcb_group_ack() - the owner of a straggler has stopped storing
 * @g: its group
 * @r: the straggler
 *
 * Context: The caller holds the stream's lock.
 */
void zcb_group_ack(struct zcb_group *g, struct zcb_resv *r)
{
	r->straggler = false;
	g->nstragglers--;
}

/**
 * zcb_group_trim() - take the pages of the last extent nobody will use
 * @g: a group that gets no more reservations in this extent. A buffer stays whole.
 * @page_shift: of a page
 * @grain_shift: what is used is rounded up to a multiple of this, at least a page
 * @pool_offset: set to the first of these pages, if there are any
 *
 * Context: The caller holds the stream's lock.
 * Return: their number. They are the caller's now.
 */
u32 zcb_group_trim(struct zcb_group *g, unsigned int page_shift,
		   unsigned int grain_shift, u64 *pool_offset)
{
	struct zcb_group_extent *e = group_last(g);
	u64 kept = round_up(e->bytes, 1ULL << grain_shift);
	u32 unused = e->pages - (u32)(kept >> page_shift);

	if (g->handle || !unused)
		return 0;
	*pool_offset = e->pool_offset + kept;
	e->pages -= unused;
	return unused;
}

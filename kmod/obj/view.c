// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a consumer sees of its queue: pages that only the kernel writes, and some
 * where each delivery has a word that both change by compare-and-exchange. Nothing
 * that decides about memory is read back from either.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "view.h"

/* No delivery's handle: none has as many before it. */
#define VIEW_NOTHING	(~0ULL << ZCBUF_SLOT_BITS)

static void view_lay_out(struct zcb_view *v, u32 slots, u32 max_held, u32 lanes,
			 u64 rings, u64 entries)
{
	void *mem = v->shown.mem;

	v->head = mem;
	v->rings = mem + rings;
	v->entries = mem + entries;
	v->state = mem + v->shown.bytes;
	*v->head = (struct zcbuf_queue_head) {
		.magic = ZCBUF_QUEUE_MAGIC,
		.version = ZCBUF_QUEUE_VERSION,
		.entry_size = sizeof(*v->entries),
		.slots = slots,
		.lanes = lanes,
		.ring = v->ring,
		.ring_offset = rings,
		.entries_offset = entries,
		.max_held = max_held,
	};
}

/**
 * zcb_view_make - a view of an empty queue
 * @payer: who pays
 * @slots: of the queue
 * @depth: most deliveries in it
 * @max_held: most of them its consumer may hold
 * @lanes: of it
 *
 * Context: may sleep.
 * Return: the view, with a reference, or NULL.
 */
struct zcb_view *zcb_view_make(const struct zcb_payer *payer, u32 slots,
			       u32 depth, u32 max_held, u32 lanes)
{
	u64 rings = ALIGN(sizeof(struct zcbuf_queue_head), SMP_CACHE_BYTES);
	struct zcb_view *v = kzalloc(sizeof(*v), GFP_KERNEL_ACCOUNT);
	u64 entries, state;

	if (!v)
		return NULL;
	/* Twice what can be there, for view_shift(). */
	v->ring = 2 * roundup_pow_of_two(depth);
	entries = ALIGN(rings + (u64)lanes * v->ring * sizeof(*v->rings),
			SMP_CACHE_BYTES);
	state = sizeof(*v->state) + (u64)slots * sizeof(u32);
	if (zcb_shown_make(&v->shown, payer,
			   PAGE_ALIGN(entries + slots * sizeof(*v->entries)),
			   PAGE_ALIGN(state))) {
		kfree(v);
		return NULL;
	}
	view_lay_out(v, slots, max_held, lanes, rings, entries);
	return v;
}

static bool view_is_ready(const struct zcb_view *v, u64 handle)
{
	return READ_ONCE(*zcbuf_slot_word(v->state, handle)) ==
	       zcbuf_slot_ready(handle);
}

/*
 * What came later was dropped, and one that is still there is about to be written over.
 * Round the ring once more, with all that is there at its end, in order. That the round
 * before is written over is known first, so who has not seen its end goes on with this
 * one. What is there is half of the ring at most, so it is not written over before half
 * of it is new, whatever its consumer makes of the words.
 */
static void view_shift(struct zcb_view *v, u32 lane)
{
	u64 *ring = v->rings + (u64)lane * v->ring;
	u32 to = v->ring, i, at;
	u64 handle;

	WRITE_ONCE(v->head->begun[lane], v->tail[lane] + v->ring);
	/* Pairs with the load of a handle: that is this round's. */
	smp_wmb();
	for (i = v->ring; i--;) {
		at = (v->tail[lane] + i) & (v->ring - 1);
		handle = ring[at];
		if (!view_is_ready(v, handle))
			continue;
		WRITE_ONCE(ring[at], VIEW_NOTHING);
		at = (v->tail[lane] + --to) & (v->ring - 1);
		WRITE_ONCE(ring[at], handle);
	}
	v->tail[lane] += v->ring;
	v->shifted[lane] = v->tail[lane];
	/* Pairs with the load of the tail: all of them are there. */
	smp_store_release(&v->head->tail[lane], v->tail[lane]);
}

/**
 * zcb_view_show - a delivery has come
 * @v: the view
 * @lane: of the queue
 * @d: the delivery
 *
 * The word is there before the handle, and both before the tail, which the consumer
 * loads with acquire. That the place is written over is known before it is.
 *
 * Context: the channel's lock is held.
 */
void zcb_view_show(struct zcb_view *v, u32 lane, const struct zcbuf_delivery *d)
{
	u32 *word = zcbuf_slot_word(v->state, d->handle);
	u64 *place = v->rings + (u64)lane * v->ring;

	if (v->tail[lane] >= v->shifted[lane] + v->ring / 2 &&
	    v->tail[lane] >= v->ring &&
	    view_is_ready(v, place[v->tail[lane] & (v->ring - 1)]))
		view_shift(v, lane);
	place += v->tail[lane]++ & (v->ring - 1);
	WRITE_ONCE(v->head->begun[lane], v->tail[lane]);
	v->entries[zcbuf_slot(d->handle)] = *d;
	WRITE_ONCE(v->head->lost, d->lost);
	/* Pairs with the consumer's compare-and-exchange: the entry is whole. */
	smp_store_release(word, zcbuf_slot_ready(d->handle));
	/* Pairs with its load of the handle: the word is there, and it has begun. */
	smp_store_release(place, d->handle);
	/* Pairs with its load of the tail: the handle is there. */
	smp_store_release(&v->head->tail[lane], v->tail[lane]);
}

/**
 * zcb_view_claim - is a delivery still in the queue
 * @v: the view
 * @handle: of the delivery
 * @as: ZCBUF_SLOT_READY: only look; TAKEN or DROPPED: and make it that
 *
 * Context: the channel's lock is held.
 * Return: false: the consumer has taken it.
 */
bool zcb_view_claim(struct zcb_view *v, u64 handle, u32 as)
{
	u32 *word = zcbuf_slot_word(v->state, handle);
	u32 ready = zcbuf_slot_ready(handle);

	if (as == ZCBUF_SLOT_READY)
		return view_is_ready(v, handle);
	return cmpxchg(word, ready, ready - ZCBUF_SLOT_READY + as) == ready;
}

/**
 * zcb_view_await - somebody waits for what is taken
 * @v: the view
 * @how: ZCBUF_QUEUE_WAIT_*
 *
 * The barrier pairs with the consumer's compare-and-exchange, after which it looks
 * at the word: either it sees that, or what it took is seen here.
 *
 * Context: the channel's lock is held.
 */
void zcb_view_await(struct zcb_view *v, u32 how)
{
	WRITE_ONCE(v->head->waiting, how);
	/* See above. */
	smp_mb();
}

/**
 * zcb_view_end - nothing more comes
 * @v: the view
 * @how: ZCBUF_QUEUE_*
 *
 * Context: the channel's lock is held.
 */
void zcb_view_end(struct zcb_view *v, u32 how)
{
	/* Pairs with the consumer's load, after which the tails are final. */
	smp_store_release(&v->head->ended, how);
}

/**
 * zcb_view_wake - does the consumer sleep
 * @v: the view
 *
 * The barrier of xchg() pairs with the consumer's between the word and its last look
 * at the tails.
 *
 * Context: the channel's lock is held.
 * Return: true if so, once.
 */
bool zcb_view_wake(struct zcb_view *v)
{
	return xchg(&v->state->sleeping, 0);
}

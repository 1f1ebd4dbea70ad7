// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The ring of indices: tring.h says how it works, and why.
 */
#include <errno.h>

#include "tring.h"

/* A test puts something here: it comes before each access to shared memory. */
#ifndef ZCB_RING_STEP
#define ZCB_RING_STEP()	do { } while (0)
#endif

#define HELD		1ULL
#define MEMBER_SHIFT	1
#define STAMP_SHIFT	9
#define AT_ONCE		512U	/* owner words looked at together */

static inline __u64 load(const __u64 *word)
{
	ZCB_RING_STEP();
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/* See tring.h on who waits. */
static inline __u64 load_cell(const __u64 *word)
{
	ZCB_RING_STEP();
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static inline bool exchange(__u64 *word, __u64 from, __u64 to)
{
	ZCB_RING_STEP();
	return __atomic_compare_exchange_n(word, &from, to, false,
					   __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static inline bool exchange_cell(__u64 *word, __u64 from, __u64 to)
{
	ZCB_RING_STEP();
	return __atomic_compare_exchange_n(word, &from, to, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

static inline __u64 owner_word(__u64 stamp, __u32 member, __u64 held)
{
	return stamp << STAMP_SHIFT | (__u64)member << MEMBER_SHIFT | held;
}

static inline __u32 member_of(__u64 owner)
{
	return owner >> MEMBER_SHIFT & ZCB_RING_MEMBERS;
}

/* Was the index taken at @pos, or later? Of 55 bits, which wrap. */
static inline bool is_taken(__u64 owner, __u64 pos)
{
	return (__s64)(((owner >> STAMP_SHIFT) - pos) << STAMP_SHIFT) >= 0;
}

static inline __u64 *cell_at(const struct zcb_ring *ring, __u64 pos)
{
	return &ring->mem->slots[pos & ring->mask].cell;
}

static inline __u64 *owner_of(const struct zcb_ring *ring, __u64 index)
{
	return &ring->mem->slots[index].owner;
}

/* How many indices ahead of the lap of @pos the cell is: a multiple of capacity. */
static inline __s64 laps_ahead(const struct zcb_ring *ring, __u64 cell,
			       __u64 pos)
{
	return (cell & ~ring->mask) - (pos & ~ring->mask);
}

/* From the second lap on: stamp 0 is before all. */
void zcb_ring_init(const struct zcb_ring *ring)
{
	const __u64 capacity = ring->mask + 1;
	__u64 i;

	for (i = 0; i < capacity; i++) {
		ring->mem->slots[i].cell = capacity + i;
		ring->mem->slots[i].owner = 0;
	}
	ring->mem->head = capacity;
	ring->mem->tail = 2 * capacity;
	ring->mem->waiters = 0;
	ring->mem->wakes = 0;
}

static inline void move_on(__u64 *hint, __u64 pos)
{
	exchange(hint, pos, pos + 1);
}

int zcb_ring_get(const struct zcb_ring *ring)
{
	__u64 *head = &ring->mem->head;
	__u64 pos, cell, index, owner;
	__s64 ahead;

	for (;;) {
		pos = load(head);
		cell = load_cell(cell_at(ring, pos));
		ahead = laps_ahead(ring, cell, pos);
		/* Nothing was put there yet, so that is the head still. */
		if (ahead < 0)
			return -EAGAIN;
		index = cell & ring->mask;
		owner = load(owner_of(ring, index));
		if (ahead || is_taken(owner, pos)) {
			move_on(head, pos);
			continue;
		}
		if (exchange(owner_of(ring, index), owner,
			     owner_word(pos, ring->me, HELD))) {
			move_on(head, pos);
			return index;
		}
	}
}

/* Who does so has cleared held in the owner word, so he is the only one. */
static void insert(const struct zcb_ring *ring, __u64 index)
{
	__u64 *tail = &ring->mem->tail;
	__u64 pos, cell;

	for (;;) {
		pos = load(tail);
		cell = load_cell(cell_at(ring, pos));
		if (laps_ahead(ring, cell, pos) < 0 &&
		    exchange_cell(cell_at(ring, pos), cell,
				  (pos & ~ring->mask) | index)) {
			move_on(tail, pos);
			return;
		}
		/* Somebody else has. */
		move_on(tail, pos);
	}
}

int zcb_ring_put(const struct zcb_ring *ring, __u32 index)
{
	__u64 owner = load(owner_of(ring, index));

	if (!(owner & HELD))
		return -EBADSLT;
	if (member_of(owner) != ring->me)
		return -EPERM;
	/* If not: somebody else has put it just now. */
	if (!exchange(owner_of(ring, index), owner, owner & ~HELD))
		return -EBADSLT;
	insert(ring, index);
	return 0;
}

__u32 zcb_ring_holder(const struct zcb_ring *ring, __u32 index)
{
	__u64 owner = load(owner_of(ring, index));

	return owner & HELD ? member_of(owner) : 0;
}

int zcb_ring_pass(const struct zcb_ring *ring, __u32 index, __u32 from,
		  __u32 to)
{
	__u64 owner = load(owner_of(ring, index));

	if (!(owner & HELD))
		return -EBADSLT;
	if (member_of(owner) != from)
		return -EPERM;
	if (!exchange(owner_of(ring, index), owner,
		      owner_word(owner >> STAMP_SHIFT, to, HELD)))
		return -EBADSLT;
	return 0;
}

__u32 zcb_ring_count(const struct zcb_ring *ring)
{
	__s64 n = load(&ring->mem->tail) - load(&ring->mem->head);

	if (n < 0)
		return 0;
	return n <= (__s64)ring->mask ? n : (__s64)ring->mask + 1;
}

/* Owner words of @n indices from @first; 0: not one of somebody who is gone. */
static bool read_words(const struct zcb_ring *ring, __u64 first, __u64 *words,
		       __u64 n, bool (*is_gone)(void *ctx, __u32 member),
		       void *ctx)
{
	bool any = false;
	__u32 member;
	__u64 i;

	for (i = 0; i < n; i++) {
		words[i] = load(owner_of(ring, first + i));
		member = member_of(words[i]);
		if (!member || member == ring->me || !is_gone(ctx, member))
			words[i] = 0;
		any |= words[i];
	}
	return any;
}

/* Those that are in the ring are not lost. */
static void forget_present(const struct zcb_ring *ring, __u64 first,
			   __u64 *words, __u64 n)
{
	__u64 slot, cell, i;

	for (slot = 0; slot <= ring->mask; slot++) {
		cell = load_cell(cell_at(ring, slot));
		i = (cell & ring->mask) - first;
		if (i < n && !is_taken(words[i], (cell & ~ring->mask) + slot))
			words[i] = 0;
	}
}

/* One of those who try brings it back. */
static bool bring_back(const struct zcb_ring *ring, __u64 index, __u64 word)
{
	if (!exchange(owner_of(ring, index), word,
		      owner_word(word >> STAMP_SHIFT, ring->me, 0)))
		return false;
	insert(ring, index);
	return true;
}

unsigned int zcb_ring_recover(const struct zcb_ring *ring,
			      bool (*is_gone)(void *ctx, __u32 member),
			      void *ctx)
{
	const __u64 capacity = ring->mask + 1;
	const __u64 n = capacity < AT_ONCE ? capacity : AT_ONCE;
	unsigned int back = 0;
	__u64 words[AT_ONCE];
	__u64 first, i;

	for (first = 0; first < capacity; first += n) {
		if (!read_words(ring, first, words, n, is_gone, ctx))
			continue;
		forget_present(ring, first, words, n);
		for (i = 0; i < n; i++)
			back += words[i] && bring_back(ring, first + i,
						       words[i]);
	}
	return back;
}

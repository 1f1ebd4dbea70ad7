/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A ring of indices: who has which, and in which order the others are to be had.
 * It knows nothing of pools, sessions and waiting.
 *
 * @capacity indices, a power of two, are each either held by a member or in the
 * ring. get takes the one that has been in it for longest, put brings one back.
 * Both are lock-free, for any number of threads of any number of processes that
 * have the memory mapped; and a process that dies at whatever point, between two
 * instructions, is in nobody's way.
 *
 * The words. Positions count from 0 and never come again (64 bits); position P is
 * slot P % capacity, of lap P / capacity.
 *
 *   cell   of a slot: which index was last put there, and in which lap:
 *          (P - P % capacity) + index. It stays when the index is taken.
 *   owner  of an index: {stamp:55, member:8, held:1}. Held: that member has it,
 *          and took it at position stamp. Not held: that member put it, stamp is
 *          still where it was taken; 0 if it never was.
 *   head   position of the next get, tail of the next put: hints. Each may be one
 *          behind the truth, never ahead, and whoever finds it so moves it on.
 *
 * An index is in the ring at P if the cell of P says so and its stamp is before P.
 * So there is one instruction that changes whose an index is, and it says to whom:
 *
 *   get    the exchange in owner, from {before P, not held} to {P, me, held}
 *   put    the exchange in owner that clears held: from there on nobody else can
 *          put it, a second put finds it not held; then the exchange in the cell,
 *          from which on it can be got
 *
 * and all that comes after it (moving head or tail on) anybody may do, and does when
 * it is in the way. Why a stalled get cannot take what is not there: it compares
 * the whole owner word. If that is not held and its stamp is before P, then it has
 * not been taken at P or later; the cell of P, which was read before, says that it
 * was put at P; so it is in the ring at P, which is the head. An owner word never
 * comes again, since stamps only grow and each is held once and free once, until
 * 2^54 others were got while one get is stalled. Why a put cannot overwrite a cell
 * whose index is still to be had: where it puts nothing was put in this lap yet, so
 * all of the lap before it was. Were the first of these not taken, none would be,
 * and as many indices in the ring as there are, without the one it brings.
 *
 * What a death leaves behind is one of three things, told from the owner word:
 *
 *   held by the dead                       it died with it, or during get or put
 *   not held, put by the dead, in no cell  it died between the two exchanges
 *   not held, in a cell                    nothing is lost
 *
 * The first two zcb_ring_recover() brings back. Of several who do so at once one
 * wins an index by an exchange in its owner word, and if that one dies before it
 * is in the ring, it is again the second thing, of another dead. In the second
 * case the ring is searched after the owner word was read: nobody puts the index
 * in while that word stands, since only the dead one would, and if it is got
 * meanwhile the word changes and the exchange fails.
 *
 * Barriers: the exchange in the cell (release) pairs with get's load of it
 * (acquire): what the one who put has written, in the buffer and in the owner word,
 * is seen by the one who gets. Both are sequentially consistent besides, for those
 * who wait: see tpool.c. Loads of head, tail and owner are acquires so that they
 * stay in order.
 */
#ifndef ZCB_LIB_TRING_H
#define ZCB_LIB_TRING_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

#define ZCB_LINE		64	/* bytes that caches move as one */
#define ZCB_RING_MEMBERS	255U	/* from 1 */
#define ZCB_RING_MAX		(1U << 20)

/*
 * struct zcb_slot - two words that have nothing to do with each other but a number
 * @cell: of the slot of that number
 * @owner: of the index of that number
 */
struct zcb_slot {
	__u64 cell __attribute__((aligned(ZCB_LINE)));
	__u64 owner __attribute__((aligned(ZCB_LINE)));
};

/*
 * struct zcb_ring_mem - what all members have mapped
 * @head, @tail: see above
 * @waiters: threads that look again, or sleep
 * @wakes: counts who was to be woken
 */
struct zcb_ring_mem {
	__u64 head __attribute__((aligned(ZCB_LINE)));
	__u64 tail __attribute__((aligned(ZCB_LINE)));
	__u32 waiters __attribute__((aligned(ZCB_LINE)));
	__u32 wakes;
	struct zcb_slot slots[];
};

/*
 * struct zcb_ring - a member's view
 * @mem: shared
 * @mask: capacity - 1; never read from shared memory again
 * @me: 1 to ZCB_RING_MEMBERS
 */
struct zcb_ring {
	struct zcb_ring_mem *mem;
	__u64 mask;
	__u32 me;
};

static inline size_t zcb_ring_bytes(__u32 capacity)
{
	return offsetof(struct zcb_ring_mem, slots) +
	       (size_t)capacity * sizeof(struct zcb_slot);
}

/* zcb_ring_init - full: 0 is the first to be got, then 1, ... */
void zcb_ring_init(const struct zcb_ring *ring);

/* zcb_ring_get - an index, which is this member's then; -EAGAIN: none is there */
int zcb_ring_get(const struct zcb_ring *ring);

/*
 * zcb_ring_put - @index is for others
 *
 * Return: 0; -EBADSLT: nobody holds it; -EPERM: another member does.
 */
int zcb_ring_put(const struct zcb_ring *ring, __u32 index);

/* zcb_ring_holder - the member that holds it; 0: nobody */
__u32 zcb_ring_holder(const struct zcb_ring *ring, __u32 index);

/*
 * zcb_ring_pass - what @from holds is held by @to instead
 *
 * Return: 0; -EBADSLT, -EPERM: it is not @from's.
 */
int zcb_ring_pass(const struct zcb_ring *ring, __u32 index, __u32 from,
		  __u32 to);

/* zcb_ring_count - how many are in it, roughly while others are at it */
__u32 zcb_ring_count(const struct zcb_ring *ring);

/*
 * zcb_ring_recover - bring back what members have that are no more
 * @is_gone: can this member store nothing here any more? Asked after the words
 *	of its indices were read, as its number may be another's soon.
 *
 * Return: how many came back.
 */
unsigned int zcb_ring_recover(const struct zcb_ring *ring,
			      bool (*is_gone)(void *ctx, __u32 member),
			      void *ctx);

#endif /* ZCB_LIB_TRING_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Magazines: free objects that a thread takes and puts without a lock, and that
 * others can take away from it all the same.
 *
 * obj[head] to obj[count - 1] are in it. Its thread alone writes count; head moves
 * under the lock that all others hold, and so does its thread for all but these two:
 *
 *   take   count = n - 1; then, if head is not beyond it, obj[n - 1] is the thread's
 *   put    obj[n] = it; then count = n + 1, if that is not beyond limit
 *
 * (zcbuf_obj_alloc(), zcbuf_obj_free().) Who takes away says what he wants, and
 * looks again when everybody must have noticed:
 *
 *   claim  head = count, as it is seen to be
 *   (all threads of the process execute a full barrier: membarrier(2))
 *   settle what of it is below count still is his; head comes down to that
 *
 * Why nobody has an object twice. A take stores count before it loads head. If the
 * barrier of its thread was before the store, it comes to see the claim, and does
 * not take what is claimed: it puts count back and asks for the lock. If it was after
 * the store, settle sees count, and leaves alone what the take may have. If both
 * are so, neither has it, and it is there when the thread has got the lock. What is
 * put after a claim lies above it; what is put where a take was, which had not seen
 * the claim, settle finds there: it reads objects after the barrier.
 *
 * The thread that is in nobody's way need not know of any of this: to it, that is
 * one load and one comparison with head, which it would do with 0 otherwise.
 */
#ifndef ZCB_LIB_MAGAZINE_H
#define ZCB_LIB_MAGAZINE_H

#include <stdbool.h>

#include <zcbuf/zcbuf.h>

/* zcb_mag_init - empty */
void zcb_mag_init(struct zcbuf_magazine *mag, __u32 cls, long limit);

/* zcb_mag_count - objects in it; a hint, but to its thread under the lock */
long zcb_mag_count(const struct zcbuf_magazine *mag);

/* Of its thread, under the lock: */

/* zcb_mag_take - NULL: it is empty, and begins at 0 again */
struct zcbuf_obj *zcb_mag_take(struct zcbuf_magazine *mag);

/* zcb_mag_put - there is room */
void zcb_mag_put(struct zcbuf_magazine *mag, struct zcbuf_obj *obj);

/* zcb_mag_take_oldest - up to @n of those that were put first; begins at 0 again */
long zcb_mag_take_oldest(struct zcbuf_magazine *mag, struct zcbuf_obj **objs,
			 long n);

/* Of anybody under the lock: */

/* zcb_mag_limit - from now on; what is in it already stays */
void zcb_mag_limit(struct zcbuf_magazine *mag, long limit);

/* zcb_mag_claim - what is in it; settle follows, whatever this says: is it any? */
bool zcb_mag_claim(struct zcbuf_magazine *mag);

/*
 * zcb_mag_settle - have what was claimed
 * @fenced: all threads have executed a barrier since, or it is the caller's own; if
 *	not, there is nothing
 *
 * Return: how many objects, in @objs.
 */
long zcb_mag_settle(struct zcbuf_magazine *mag, bool fenced,
		    struct zcbuf_obj **objs);

#endif /* ZCB_LIB_MAGAZINE_H */

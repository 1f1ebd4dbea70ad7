// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handle tables. Slots below @fresh have been issued at least once; those above
 * are never read, so that memory for them needs no preparation. A slot's
 * generation advances when its handle is removed: an older one is a handle that
 * was issued, a newer one was not. One beyond ZCB_HANDLE_GEN_MAX is never
 * issued, the slot is retired.
 */
#include "handle.h"

#define INDEX_BITS	32
#define CLASS_BITS	8

static u64 make_handle(const struct zcb_handles *t, u32 index)
{
	u64 head = (u64)t->slots[index].gen << CLASS_BITS | t->class;

	return head << INDEX_BITS | index;
}

static u32 handle_index(u64 handle)
{
	return (u32)handle;
}

static u32 handle_gen(u64 handle)
{
	return handle >> (INDEX_BITS + CLASS_BITS);
}

static u8 handle_class(u64 handle)
{
	return handle >> INDEX_BITS;
}

/* The slot of a handle that is reserved or published, or NULL. */
static struct zcb_handle_slot *find_busy(const struct zcb_handles *t,
					 u64 handle)
{
	u32 index = handle_index(handle);
	struct zcb_handle_slot *s;

	if (handle_class(handle) != t->class || index >= t->fresh)
		return NULL;
	s = &t->slots[index];
	return s->busy && s->gen == handle_gen(handle) ? s : NULL;
}

/* The slot to issue next, or ZCB_HANDLE_NONE. */
static u32 take_index(struct zcb_handles *t)
{
	u32 index = t->free;

	if (index != ZCB_HANDLE_NONE) {
		t->free = t->slots[index].next;
		return index;
	}
	if (t->fresh == t->cap)
		return ZCB_HANDLE_NONE;
	index = t->fresh++;
	t->slots[index].gen = 1;
	return index;
}

/**
 * zcb_handles_init() - make an empty table
 * @t: the table
 * @class: enum zcb_handle_class of its objects, in every handle
 * @slots: memory for @cap slots; contents do not matter
 * @cap: slots, less than ZCB_HANDLE_NONE; 0 is fine, before zcb_handles_grow()
 *
 * Context: Any.
 */
void zcb_handles_init(struct zcb_handles *t, u8 class,
		      struct zcb_handle_slot *slots, u32 cap)
{
	*t = (struct zcb_handles){
		.slots = slots,
		.cap = cap,
		.free = ZCB_HANDLE_NONE,
		.class = class,
	};
}

/**
 * zcb_handles_grow() - move a table to larger memory
 * @t: the table
 * @slots: memory for @cap slots; contents do not matter
 * @cap: slots, more than there are
 *
 * Every handle stays as it is.
 *
 * Context: The caller locks. Does not sleep.
 * Return: The memory the table had, for the caller to free; @slots, unused, if
 * @cap is not more than there are.
 */
struct zcb_handle_slot *zcb_handles_grow(struct zcb_handles *t,
					 struct zcb_handle_slot *slots,
					 u32 cap)
{
	struct zcb_handle_slot *old = t->slots;

	if (cap <= t->cap)
		return slots;
	if (t->fresh)
		memcpy(slots, old, t->fresh * sizeof(*slots));
	t->slots = slots;
	t->cap = cap;
	return old;
}

/**
 * zcb_handle_reserve() - issue a handle that names nothing yet
 * @t: the table
 * @handle: it
 *
 * To be followed by zcb_handle_publish() or zcb_handle_remove().
 *
 * Context: The caller locks. Does not sleep.
 * Return: 0; -EMFILE if all slots are busy or retired.
 */
int zcb_handle_reserve(struct zcb_handles *t, u64 *handle)
{
	u32 index = take_index(t);
	struct zcb_handle_slot *s;

	if (index == ZCB_HANDLE_NONE)
		return -EMFILE;
	s = &t->slots[index];
	s->object = NULL;
	s->busy = true;
	t->live++;
	*handle = make_handle(t, index);
	return 0;
}

/**
 * zcb_handle_publish() - let lookups find the object
 * @t: the table
 * @handle: from zcb_handle_reserve()
 * @object: what it names from now on
 *
 * Context: The caller locks. Does not sleep.
 */
void zcb_handle_publish(struct zcb_handles *t, u64 handle, void *object)
{
	struct zcb_handle_slot *s = find_busy(t, handle);

	if (!WARN_ON_ONCE(!s))
		s->object = object;
}

/**
 * zcb_handle_remove() - end a handle, published or only reserved
 * @t: the table
 * @handle: it; never found again
 *
 * Context: The caller locks. Does not sleep.
 */
void zcb_handle_remove(struct zcb_handles *t, u64 handle)
{
	struct zcb_handle_slot *s = find_busy(t, handle);

	if (WARN_ON_ONCE(!s))
		return;
	s->object = NULL;
	s->busy = false;
	t->live--;
	if (++s->gen > ZCB_HANDLE_GEN_MAX) {
		t->retired++;
		return;
	}
	s->next = t->free;
	t->free = handle_index(handle);
}

/* Why @handle, whose index was issued before, names nothing. */
static int refuse(const struct zcb_handles *t, const struct zcb_handle_slot *s,
		  u32 gen)
{
	if (!gen || gen >= s->gen)
		return -ENOENT;
	if (s->busy)
		return -ESTALE;
	return t->class == ZCB_HANDLE_DELIVERY ? -EBADSLT : -ENOENT;
}

/**
 * zcb_handle_lookup() - what a handle names
 * @t: the table
 * @handle: whatever user space says
 * @object: the object
 *
 * Context: The caller locks. Does not sleep.
 * Return: 0; -EINVAL if it is no handle of this class; -ENOENT if it was never
 * issued, is not published, or its object is gone; -ESTALE if it is gone and
 * its index was issued anew; -EBADSLT instead of -ENOENT for a delivery that is
 * gone.
 */
int zcb_handle_lookup(const struct zcb_handles *t, u64 handle, void **object)
{
	u32 index = handle_index(handle);
	const struct zcb_handle_slot *s;

	if (handle_class(handle) != t->class)
		return -EINVAL;
	if (index >= t->fresh)
		return -ENOENT;
	s = &t->slots[array_index_nospec(index, t->fresh)];
	if (!s->object || s->gen != handle_gen(handle))
		return refuse(t, s, handle_gen(handle));
	*object = s->object;
	return 0;
}

/**
 * zcb_handle_next() - walk the published objects
 * @t: the table
 * @index: where to go on, 0 at first; moved behind the object returned, so that
 *	the walk goes on well after changes to the table
 *
 * Context: The caller locks. Does not sleep.
 * Return: The next object, or NULL after the last.
 */
void *zcb_handle_next(const struct zcb_handles *t, u32 *index)
{
	while (*index < t->fresh) {
		void *object = t->slots[(*index)++].object;

		if (object)
			return object;
	}
	return NULL;
}

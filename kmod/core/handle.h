/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Handles with generations: u64 { generation 24 | class 8 | index 32 }. A table
 * maps them to objects; a stale handle is refused, and an index whose
 * generation would wrap is never issued again. No handle is 0.
 *
 * Creation is in two steps, so that publishing cannot fail: reserve an index
 * (lookups do not find it), build the object, publish. The caller locks and
 * brings the memory of the slots.
 */
#ifndef ZCB_CORE_HANDLE_H
#define ZCB_CORE_HANDLE_H

#include "env.h"

#define ZCB_HANDLE_GEN_MAX	((1U << 24) - 1)
#define ZCB_HANDLE_NONE		(~0U)

enum zcb_handle_class {
	ZCB_HANDLE_POOL = 1,
	ZCB_HANDLE_CHANNEL,
	ZCB_HANDLE_DELIVERY,
};

/**
 * struct zcb_handle_slot - one index
 * @object: what it names; NULL while free or only reserved
 * @gen: generation of the handle that is out, or of the next one; from 1
 * @next: next free index, ZCB_HANDLE_NONE at the end
 * @busy: reserved or published
 */
struct zcb_handle_slot {
	void *object;
	u32 gen;
	u32 next;
	bool busy;
};

/**
 * struct zcb_handles - a table of objects of one class
 * @slots: @cap of them
 * @cap: slots there are
 * @fresh: first slot never used
 * @free: first free slot that was used before, or ZCB_HANDLE_NONE
 * @live: reserved or published
 * @retired: indices whose generations are used up
 * @class: enum zcb_handle_class
 */
struct zcb_handles {
	struct zcb_handle_slot *slots;
	u32 cap;
	u32 fresh;
	u32 free;
	u32 live;
	u32 retired;
	u8 class;
};

void zcb_handles_init(struct zcb_handles *t, u8 class,
		      struct zcb_handle_slot *slots, u32 cap);
struct zcb_handle_slot *zcb_handles_grow(struct zcb_handles *t,
					 struct zcb_handle_slot *slots,
					 u32 cap);
int zcb_handle_reserve(struct zcb_handles *t, u64 *handle);
void zcb_handle_publish(struct zcb_handles *t, u64 handle, void *object);
void zcb_handle_remove(struct zcb_handles *t, u64 handle);
int zcb_handle_lookup(const struct zcb_handles *t, u64 handle, void **object);
void *zcb_handle_next(const struct zcb_handles *t, u32 *index);

#endif /* ZCB_CORE_HANDLE_H */

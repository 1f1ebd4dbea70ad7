/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A buffer of each kind, for suites that do the same with all of them.
 */
#ifndef ZCB_KUNIT_OBJ_KINDS_H
#define ZCB_KUNIT_OBJ_KINDS_H

#include "obj_three.h"

/**
 * struct kind - buffers of one kind
 * @name: for people
 * @pool: makes a pool that has them
 * @length: to ask for
 * @capacity: what there is then
 */
static const struct kind {
	const char *name;
	struct three (*pool)(struct kunit *test);
	u64 length;
	u64 capacity;
} kinds[] = {
	{ "block", of_pages, 5 * PAGE_SIZE, 8 * PAGE_SIZE },
	{ "all of the pool", of_pages, OBJ_ARENA, OBJ_ARENA },
	{ "slab object", of_tiers, OBJECT - 1, OBJECT },
	{ "block beside slabs", of_tiers, PAGE_SIZE, PAGE_SIZE },
	{ "fixed object", of_fixed, 1, PAGE_SIZE },
};

static void kind_name(const struct kind *kind, char *desc)
{
	strscpy(desc, kind->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(kinds, kinds, kind_name);

#endif /* ZCB_KUNIT_OBJ_KINDS_H */

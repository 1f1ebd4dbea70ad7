// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Records of objects. They are never memory of anything else while there is the
 * pool, so that a second free finds a record, whatever has become of the object.
 */
#include <stdlib.h>

#include "cache.h"

#define CHUNK	63	/* a page, with what is before them */

struct zcb_chunk {
	_Alignas(64) struct zcb_chunk *next;
	_Alignas(64) struct zcbuf_obj obj[CHUNK];
};

/* A spare record's handle is the address of the next. */
static void spare_push(struct zcb_depot *depot, struct zcbuf_obj *obj)
{
	obj->state = 0;
	obj->handle = zcb_ptr(depot->spare);
	depot->spare = obj;
}

static bool chunk_add(struct zcb_depot *depot)
{
	struct zcb_chunk *chunk;
	unsigned int i;
	void *memory;

	if (posix_memalign(&memory, 64, sizeof(*chunk)))
		return false;
	chunk = memory;
	chunk->next = depot->chunks;
	depot->chunks = chunk;
	for (i = 0; i < CHUNK; i++) {
		chunk->obj[i] = (struct zcbuf_obj){ .buf.pool = depot->pool };
		spare_push(depot, &chunk->obj[i]);
	}
	return true;
}

unsigned int zcb_records_take(struct zcb_depot *depot, struct zcbuf_obj **objs,
			      unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (!depot->spare && !chunk_add(depot))
			break;
		objs[i] = depot->spare;
		depot->spare = (void *)(uintptr_t)objs[i]->handle;
	}
	return i;
}

void zcb_records_put(struct zcb_depot *depot, struct zcbuf_obj **objs,
		     unsigned int n)
{
	while (n--)
		spare_push(depot, objs[n]);
}

void zcb_records_free(struct zcb_depot *depot)
{
	struct zcb_chunk *chunk;

	while ((chunk = depot->chunks)) {
		depot->chunks = chunk->next;
		free(chunk);
	}
}

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * pair_ck: the same with a ring of Concurrency Kit that is full of pointers to
 * buffers, for any number of threads, as a tier pool is.
 */
#include <stdlib.h>

#include <ck_ring.h>

#include "../pair.h"

#define CAPACITY	1024	/* of which a ring can hold one less */

struct ring_pool {
	ck_ring_t ring;
	ck_ring_buffer_t slots[CAPACITY];
};

PAIR_INLINE uintptr_t get(void *ctx)
{
	struct ring_pool *pool = ctx;
	void *buffer = NULL;

	ck_ring_dequeue_mpmc(&pool->ring, pool->slots, &buffer);
	return (uintptr_t)buffer;
}

PAIR_INLINE void put(void *ctx, uintptr_t buffer)
{
	struct ring_pool *pool = ctx;

	ck_ring_enqueue_mpmc(&pool->ring, pool->slots, (void *)buffer);
}

PAIR_RUNS(get, put)

static void measure(size_t size)
{
	struct ring_pool *pool = aligned_alloc(64, sizeof(*pool));
	char *memory = aligned_alloc(4096, CAPACITY * size);
	int i;

	if (!pool || !memory)
		bench_ok(-12, "memory");
	ck_ring_init(&pool->ring, CAPACITY);
	for (i = 0; i < CAPACITY - 1; i++)
		put(pool, (uintptr_t)(memory + i * size));
	pair_measure("ck ring", size, pool);
	free(memory);
	free(pool);
}

int main(void)
{
	size_t i;

	for (i = 0; i < PAIR_SIZES; i++)
		measure(pair_sizes[i]);
	return 0;
}

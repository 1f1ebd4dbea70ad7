// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * records_ck: the same records, in slots of a ring of Concurrency Kit for one
 * producer and one consumer, who looks after as many as make a group.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ck_ring.h>

#include "../harness/bench.h"

#define GROUP	(64U << 10)
#define SLOTS	2048		/* a power of two; one is never used */

static unsigned char source[1024];

struct record_ring {
	ck_ring_t ring;
	ck_ring_buffer_t slots[SLOTS];
	unsigned char *memory;
	size_t record;
	unsigned long next;
};

static void consume(struct record_ring *r)
{
	void *from;

	while (ck_ring_dequeue_spsc(&r->ring, r->slots, &from))
		BENCH_USE(*(const unsigned long *)from);
}

static void run(void *ctx, unsigned long n)
{
	struct record_ring *r = ctx;
	unsigned long group = GROUP / r->record;
	unsigned char *to;

	while (n--) {
		to = r->memory + r->next % SLOTS * r->record;
		memcpy(to, source, r->record);
		ck_ring_enqueue_spsc(&r->ring, r->slots, to);
		if (!(++r->next % group))
			consume(r);
	}
}

static void measure(size_t record)
{
	struct record_ring *r = aligned_alloc(64, sizeof(*r));
	struct bench_op op = {
		.area = "records", .op = "in a window",
		.variant = bench_size(record), .who = "ck ring",
		.run = run, .ctx = r, .least = GROUP / record,
	};

	if (!r)
		bench_ok(-ENOMEM, "memory");
	memset(r, 0, sizeof(*r));
	r->memory = malloc(SLOTS * record);
	if (!r->memory)
		bench_ok(-ENOMEM, "memory");
	r->record = record;
	ck_ring_init(&r->ring, SLOTS);
	bench(&op);
	free(r->memory);
	free(r);
}

int main(void)
{
	measure(64);
	measure(1024);
	return 0;
}

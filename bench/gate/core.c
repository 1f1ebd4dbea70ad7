// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * core: what operations of kmod/core/ cost, without the kernel around them: by
 * instructions of a build for user space, which are the same wherever the compiler
 * is. So that what grows is seen.
 */
#include <errno.h>
#include <stdlib.h>

#include "../../kmod/core/buddy.h"
#include "../../kmod/core/l0.h"
#include "../../kmod/core/slab.h"
#include "../../kmod/core/topic.h"

#include "../harness/bench.h"

#define PAGES		16384U
#define STRUCTS		128
#define BUCKETS		64
#define MAX_CONSUMERS	8
#define DEPTH		16

bool zcb_host_warn(const char *file, int line, const char *what)
{
	(void)file;
	(void)line;
	bench_ok(-EIO, what);
	return true;
}

static void *zalloc(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		bench_ok(-ENOMEM, "memory");
	return p;
}

/* --------------------------------------------------------------- allocators */

struct memory {
	struct zcb_buddy buddy;
	struct zcb_l0 l0;
	struct zcb_slab_table table;
	struct list_head slabs;
	unsigned int order;
	u32 class;
};

static void run_buddy(void *ctx, unsigned long n)
{
	struct memory *m = ctx;
	u32 page;

	while (n--) {
		zcb_buddy_alloc(&m->buddy, m->order, &page);
		zcb_buddy_free(&m->buddy, page, 1U << m->order);
	}
}

static void run_l0(void *ctx, unsigned long n)
{
	struct memory *m = ctx;
	u32 page;

	while (n--) {
		zcb_l0_take(&m->l0, m->order, &page);
		zcb_l0_keep(&m->l0, ZCB_L0_DEPTH, m->order, page);
	}
}

static void run_slab(void *ctx, unsigned long n)
{
	struct memory *m = ctx;
	struct zcb_slab *slab;
	u64 offset;

	while (n--) {
		zcb_slab_get(&m->table, m->class, &m->slabs, &slab, &offset);
		zcb_slab_put(&m->table, slab, &m->slabs, offset);
	}
}

static void measure_blocks(struct memory *m, unsigned int order)
{
	struct bench_op op = {
		.area = "core", .op = "buddy pair", .who = "zcbuf",
		.variant = bench_size(4096U << order), .run = run_buddy,
		.ctx = m,
	};

	m->order = order;
	bench(&op);
	zcb_l0_init(&m->l0);
	zcb_l0_keep(&m->l0, ZCB_L0_DEPTH, order, 0);
	op.op = "pair of what a CPU keeps";
	op.run = run_l0;
	bench(&op);
}

static void measure_objects(struct memory *m, u32 length)
{
	struct bench_op op = {
		.area = "core", .op = "slab pair", .who = "zcbuf",
		.variant = bench_size(length), .run = run_slab, .ctx = m,
	};
	struct zcb_slab *slab;

	INIT_LIST_HEAD(&m->slabs);
	m->class = zcb_slab_class_for(&m->table, length, 0);
	slab = zalloc(zcb_slab_size(&m->table.class[m->class]));
	zcb_slab_init(slab, &m->table, m->class, 0, &m->slabs);
	bench(&op);
	zcb_slab_fini(slab, &m->table);
	free(slab);
}

static void measure_memory(void)
{
	struct memory *m = zalloc(sizeof(*m));
	void *metadata = zalloc(zcb_buddy_metadata_size(PAGES));

	zcb_buddy_init(&m->buddy, metadata, PAGES);
	zcb_slab_table_init(&m->table, zcb_slab_tiers, ZCB_SLAB_TIERS, 12);
	measure_blocks(m, 0);
	measure_blocks(m, 4);
	measure_objects(m, 64);
	measure_objects(m, 1024);
	free(metadata);
	free(m);
}

/* ------------------------------------------------------------------ streams */

/*
 * struct flow - a stream or topic, and its surroundings
 * @s, @hash, @p, @c: it, with a producer and its consumers
 * @resvs, @nresvs: what to hand out
 * @groups, @ngroups: likewise
 * @nconsumers: of @c
 * @length: of a record
 * @count: records in a group
 */
struct flow {
	struct zcb_stream s;
	struct zcb_resv *hash[2 * BUCKETS];
	struct zcb_producer p;
	struct zcb_consumer c[MAX_CONSUMERS];
	struct zcb_resv *resvs[STRUCTS];
	struct zcb_group *groups[STRUCTS];
	unsigned int nresvs;
	unsigned int ngroups;
	unsigned int nconsumers;
	u64 length;
	unsigned int count;
	u64 now;
};

static struct flow *flow_of(struct zcb_stream *s)
{
	return container_of(s, struct flow, s);
}

static void give_pages(struct zcb_stream *s, u64 pool_offset, u32 pages)
{
	(void)s;
	(void)pool_offset;
	(void)pages;
}

static void free_group(struct zcb_stream *s, struct zcb_group *g)
{
	struct flow *f = flow_of(s);
	struct zcb_resv *r, *tmp;

	list_for_each_entry_safe(r, tmp, &g->resvs, in_group)
		f->resvs[f->nresvs++] = r;
	f->groups[f->ngroups++] = g;
}

static void ready(struct zcb_stream *s, struct zcb_consumer *c, u32 n)
{
	(void)s;
	(void)c;
	(void)n;
}

static void room(struct zcb_stream *s)
{
	(void)s;
}

static const struct zcb_stream_ops flow_ops = {
	.give_pages = give_pages,
	.free_group = free_group,
	.ready = ready,
	.room = room,
};

static void reserve_and_commit(struct flow *f)
{
	struct zcb_stream_supply supply = {};
	struct zcb_stream_commit commit = {};
	struct zcb_group_plan plan;
	struct zcb_resv *r;

	bench_ok(zcb_stream_plan(&f->s, f->length, false, &plan), "plan");
	supply.resv = f->resvs[--f->nresvs];
	if (plan.group)
		supply.group = f->groups[--f->ngroups];
	supply.pages = (plan.extent_bytes + 4095) >> 12;
	r = zcb_stream_reserve(&f->s, &f->p, f->length, false, &supply,
			       ++f->now);
	commit.group = r->group->id;
	commit.id = r->id;
	commit.offset = r->offset;
	commit.length = r->length;
	bench_ok(zcb_stream_commit(&f->s, &f->p, &commit, ++f->now), "commit");
}

static void run_stream(void *ctx, unsigned long n)
{
	struct flow *f = ctx;
	struct zcb_group *g;
	unsigned int i;

	while (n--) {
		for (i = 0; i < f->count; i++)
			reserve_and_commit(f);
		if (f->count > 1)
			zcb_stream_flush(&f->s, ++f->now);
		bench_ok(zcb_stream_receive(&f->s, f->c, &g), "receive");
		bench_ok(zcb_stream_release(&f->s, f->c, g->id), "release");
	}
}

static void receive_and_release(struct flow *f, struct zcb_consumer *c)
{
	struct zcb_topic_slot *slot;

	bench_ok(zcb_topic_receive(&f->s, c, &slot), "receive");
	bench_ok(zcb_topic_release(&f->s, c, zcb_topic_id(c->topic, slot)),
		 "release");
}

static void run_topic(void *ctx, unsigned long n)
{
	struct flow *f = ctx;
	const struct zcb_topic_publication pub = { .length = f->length };
	struct zcb_stream_supply supply = { .handle = 1, .capacity = 4096 };
	unsigned int i;

	while (n--) {
		bench_ok(zcb_topic_plan(&f->s, f->length), "plan");
		supply.resv = f->resvs[--f->nresvs];
		supply.group = f->groups[--f->ngroups];
		zcb_topic_put(&f->s, zcb_topic_publish(&f->s, &f->p, &pub,
						       &supply, ++f->now));
		for (i = 0; i < f->nconsumers; i++)
			receive_and_release(f, &f->c[i]);
	}
}

static void flow_open(struct flow *f, const struct zcb_stream_config *cfg)
{
	unsigned int i;

	zcb_stream_init(&f->s, cfg, &flow_ops, f->hash, BUCKETS);
	zcb_producer_init(&f->p);
	f->p.id = 1;
	for (i = 0; i < STRUCTS; i++) {
		f->resvs[i] = zalloc(sizeof(*f->resvs[i]));
		f->groups[i] = zalloc(sizeof(*f->groups[i]));
	}
	f->nresvs = STRUCTS;
	f->ngroups = STRUCTS;
}

static void add_consumer(struct flow *f)
{
	struct zcb_consumer *c = &f->c[f->nconsumers++];
	struct zcb_topic_queue *q;

	zcb_consumer_init(c, DEPTH, false);
	if (f->s.cfg.topic) {
		q = zalloc(sizeof(*q) + 2 * DEPTH * sizeof(q->slots[0]));
		q->nslots = 2 * DEPTH;
		zcb_topic_init(c, q, ZCBUF_POLICY_BLOCK, DEPTH, 1);
	}
	zcb_stream_add_consumer(&f->s, c);
	if (f->s.cfg.topic)
		zcb_topic_join(&f->s, c, 0);
}

static void measure_stream(u64 threshold, unsigned int count,
			   const char *variant)
{
	const struct zcb_stream_config cfg = {
		.threshold = threshold, .max_reservation = 4096,
		.max_extent = 32 << 20, .align = 64, .max_outstanding = 1024,
		.page_shift = 12,
	};
	struct flow *f = zalloc(sizeof(*f));
	const struct bench_op op = {
		.area = "core", .op = "record to consumer, each",
		.variant = variant, .who = "zcbuf", .run = run_stream,
		.ctx = f, .parts = count, .times = count > 1 ? 2 : 0,
	};

	flow_open(f, &cfg);
	f->length = 64;
	f->count = count;
	add_consumer(f);
	bench(&op);
}

static void measure_topic(unsigned int consumers, const char *variant)
{
	const struct zcb_stream_config cfg = {
		.threshold = 0, .max_extent = 32 << 20, .align = 64,
		.max_outstanding = 1024, .page_shift = 12, .topic = true,
	};
	struct flow *f = zalloc(sizeof(*f));
	const struct bench_op op = {
		.area = "core", .op = "message to consumers",
		.variant = variant, .who = "zcbuf", .run = run_topic,
		.ctx = f,
	};

	flow_open(f, &cfg);
	f->length = 64;
	while (f->nconsumers < consumers)
		add_consumer(f);
	bench(&op);
}

int main(void)
{
	measure_memory();
	measure_stream(0, 1, "group of 1");
	measure_stream(1 << 20, 64, "group of 64");
	measure_topic(1, "1");
	measure_topic(MAX_CONSUMERS, "8");
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocators of the kernel, and those of zcbuf's core as they are, without the
 * locks of who uses them: a pair of get and put each, in instructions, when the
 * module is inserted. For a guest whose time stamp counter counts instructions.
 *
 * The kernel log gets a line for each, behind "zcbuf_bench: ", as bench.h has it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/genalloc.h>
#include <linux/gfp.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/timex.h>

#include "core/buddy.h"
#include "core/l0.h"
#include "core/slab.h"

#define PAIRS	512
#define RUNS	9
#define PAGES	16384U		/* of a buddy: 64 MiB */
#define CHUNK	4096UL
#define GEN	(8UL << 20)	/* of a gen_pool */

/**
 * struct subject - what is measured
 * @op: what it does
 * @variant: with what
 * @who: the allocator
 * @pair: one get and put
 * @ctx: handed to it
 */
struct subject {
	const char *op;
	const char *variant;
	const char *who;
	void (*pair)(void *ctx);
	void *ctx;
};

static int compare(const void *a, const void *b)
{
	const u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Hundredths of what one takes, the call through the pointer included. */
static u64 run(const struct subject *s)
{
	u64 before = get_cycles();
	int i;

	for (i = 0; i < PAIRS; i++)
		s->pair(s->ctx);
	return (get_cycles() - before) * 100 / PAIRS;
}

static void measure(const struct subject *s)
{
	u64 took[RUNS], least, most, median;
	int i;

	run(s);
	for (i = 0; i < RUNS; i++)
		took[i] = run(s);
	sort(took, RUNS, sizeof(took[0]), compare, NULL);
	least = took[0];
	median = took[RUNS / 2];
	most = took[RUNS - 1];
	pr_info("core\t%s\t%s\t%s\tinstructions\t%llu.%02llu\t%llu.%02llu\t%llu.%02llu\n",
		s->op, s->variant, s->who, median / 100, median % 100,
		least / 100, least % 100, most / 100, most % 100);
	cond_resched();
}

/* What peers do is to be seen beside each way that zcbuf has. */
static void measure_peer(struct subject *s)
{
	s->op = "pair, kept by the CPU";
	measure(s);
	s->op = "pair, split and merged";
	measure(s);
}

/* ------------------------------------------------------------- the kernel's */

static void pair_cache(void *ctx)
{
	void *p = kmem_cache_alloc(ctx, GFP_KERNEL);

	barrier_data(p);
	kmem_cache_free(ctx, p);
}

static int measure_cache(unsigned int size, const char *variant)
{
	struct subject s = {
		.variant = variant, .who = "kmem_cache", .pair = pair_cache,
	};

	s.ctx = kmem_cache_create("zcbuf_bench", size, size, 0, NULL);
	if (!s.ctx)
		return -ENOMEM;
	measure_peer(&s);
	kmem_cache_destroy(s.ctx);
	return 0;
}

static void pair_pages(void *ctx)
{
	unsigned int order = (unsigned long)ctx;
	struct page *page = alloc_pages(GFP_KERNEL, order);

	barrier_data(page);
	if (page)
		__free_pages(page, order);
}

static void pair_gen(void *ctx)
{
	unsigned long p = gen_pool_alloc(ctx, CHUNK);

	barrier_data((void *)p);
	gen_pool_free(ctx, p, CHUNK);
}

/* It only keeps account of addresses, so none have to be there. */
static int measure_gen(void)
{
	struct subject s = {
		.variant = "4 KiB", .who = "gen_pool", .pair = pair_gen,
	};
	struct gen_pool *pool = gen_pool_create(12, NUMA_NO_NODE);
	unsigned long used;
	int err;

	if (!pool)
		return -ENOMEM;
	s.ctx = pool;
	err = gen_pool_add(pool, GEN, GEN, NUMA_NO_NODE);
	if (!err) {
		measure_peer(&s);
		used = gen_pool_alloc(pool, GEN / 2);
		s.variant = "4 KiB, half in use";
		measure_peer(&s);
		gen_pool_free(pool, used, GEN / 2);
	}
	gen_pool_destroy(pool);
	return err;
}

static int measure_kernel(void)
{
	struct subject s = { .who = "alloc_pages", .pair = pair_pages };
	int err;

	err = measure_cache(64, "64") ?: measure_cache(1024, "1 KiB") ?:
	      measure_cache(4096, "4 KiB");
	if (err)
		return err;
	s.variant = "4 KiB";
	measure_peer(&s);
	s.variant = "64 KiB";
	s.ctx = (void *)4UL;
	measure_peer(&s);
	return measure_gen();
}

/* ---------------------------------------------------------------- the core's */

/**
 * struct core - what the core's allocators work on
 * @buddy: pages
 * @l0: what a CPU keeps of them
 * @table: classes of slabs
 * @slabs: of one class
 * @order: of a block
 * @class: of an object
 */
struct core {
	struct zcb_buddy buddy;
	struct zcb_l0 l0;
	struct zcb_slab_table table;
	struct list_head slabs;
	unsigned int order;
	u32 class;
};

static void pair_buddy(void *ctx)
{
	struct core *c = ctx;
	u32 page;

	if (!zcb_buddy_alloc(&c->buddy, c->order, &page))
		zcb_buddy_free(&c->buddy, page, 1U << c->order);
}

/* As obj/magazine.c does it when there is something: what is kept is never split. */
static void pair_l0(void *ctx)
{
	struct core *c = ctx;
	u32 page;

	if (!zcb_l0_take(&c->l0, c->order, &page))
		zcb_l0_keep(&c->l0, ZCB_L0_DEPTH, c->order, page);
}

static void pair_slab(void *ctx)
{
	struct core *c = ctx;
	struct zcb_slab *slab;
	u64 offset;

	if (!zcb_slab_get(&c->table, c->class, &c->slabs, &slab, &offset))
		zcb_slab_put(&c->table, slab, &c->slabs, offset);
}

static void measure_blocks(struct core *c, unsigned int order,
			   const char *variant)
{
	struct subject s = { .who = "zcbuf", .variant = variant, .ctx = c };

	c->order = order;
	zcb_l0_init(&c->l0);
	zcb_l0_keep(&c->l0, ZCB_L0_DEPTH, order, 0);
	s.op = "pair, kept by the CPU";
	s.pair = pair_l0;
	measure(&s);
	s.op = "pair, split and merged";
	s.pair = pair_buddy;
	measure(&s);
}

static int measure_objects(struct core *c, u32 length, const char *variant)
{
	struct subject s = {
		.op = "pair, kept by the CPU", .variant = variant,
		.who = "zcbuf", .pair = pair_slab, .ctx = c,
	};
	struct zcb_slab *slab;

	INIT_LIST_HEAD(&c->slabs);
	c->class = zcb_slab_class_for(&c->table, length, 0);
	slab = kzalloc(zcb_slab_size(&c->table.class[c->class]), GFP_KERNEL);
	if (!slab)
		return -ENOMEM;
	zcb_slab_init(slab, &c->table, c->class, 0, &c->slabs);
	measure(&s);
	zcb_slab_fini(slab, &c->table);
	kfree(slab);
	return 0;
}

/* Half of them are in use: what comes then splits the other half. */
static void fill_half(struct core *c)
{
	u32 page, i;

	for (i = 0; i < PAGES / 2; i++)
		zcb_buddy_alloc(&c->buddy, 0, &page);
}

static int measure_core(void)
{
	struct core *c __free(kfree) = kzalloc(sizeof(*c), GFP_KERNEL);
	void *metadata __free(kvfree) =
		kvzalloc(zcb_buddy_metadata_size(PAGES), GFP_KERNEL);

	if (!c || !metadata)
		return -ENOMEM;
	zcb_slab_table_init(&c->table, zcb_slab_tiers, ZCB_SLAB_TIERS,
			    PAGE_SHIFT);
	zcb_buddy_init(&c->buddy, metadata, PAGES);
	measure_blocks(c, 0, "4 KiB");
	measure_blocks(c, 4, "64 KiB");
	fill_half(c);
	measure_blocks(c, 0, "4 KiB, half in use");
	return measure_objects(c, 64, "64") ?:
	       measure_objects(c, 1024, "1 KiB");
}

static int __init zcbuf_bench_init(void)
{
	return measure_core() ?: measure_kernel();
}

static void __exit zcbuf_bench_exit(void)
{
}

module_init(zcbuf_bench_init);
module_exit(zcbuf_bench_exit);

MODULE_DESCRIPTION("zcbuf: allocators of kernel and core, measured");
MODULE_LICENSE("GPL");

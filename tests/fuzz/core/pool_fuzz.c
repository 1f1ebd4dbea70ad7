// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * All that hands out memory of a pool, together: memory.c, slabs.c, magazine.c,
 * grow.c, retire.c, give.c and share.c of kmod/obj/ on all of kmod/core/. Every
 * kind of pool and every option of a request, by several owners who give to each
 * other what they have and share it, free what they have not, and die.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "pool_alloc.h"
#include "pool_give.h"
#include "pool_retire.h"

#define LENGTHS		5	/* classes of a table, at most */
#define OBJECTS		40	/* of a fixed class, at most */
#define CHECKED_EACH	512U	/* pages; larger pools are looked at now and then */

/* ------------------------------------------------------------------- alloc */

/* Of a class, or nearly; 0 if there are none. */
static u64 choose_object(struct state *s)
{
	u32 n = nclasses(s), more;

	if (!n)
		return 0;
	more = below(s, 3);
	return class_length(s, below(s, n)) + more - 1;
}

static u64 choose_length(struct state *s)
{
	u64 largest = s->pool->cfg.arena_size;
	u32 kind = below(s, 32);

	if (kind < 12)
		return choose_object(s);
	if (kind < 16)
		return below(s, 300);
	if (kind < 20)
		return 1 + below(s, 4096);
	if (kind < 28)
		return below(s, 9) * 4096ULL + kind % 3 - 1;
	if (kind < 30)
		return below(s, largest + 2);
	if (kind == 30)
		return rounddown_pow_of_two(largest) >> below(s, 4);
	return input_any(s->in);
}

static u32 choose_align(struct state *s)
{
	u32 kind = below(s, 16);

	if (kind < 11)
		return 0;
	if (kind == 15)
		return below(s, 8) ? 1U << below(s, 24) : input_any(s->in);
	return 1U << below(s, 15);
}

/*
 * Now and then by who must not sleep: what cannot be done so leaves nothing behind
 * that would be noticed when it is done where it may.
 */
static int alloc_maybe_nowait(struct state *s, u32 owner,
			      struct zcb_memory_request *r, u64 *handle)
{
	int err = -ZCB_ESLEEP;

	r->nowait = s->nbufs % 4 == 0 && !r->deadline_ns;
	if (r->nowait)
		err = zcb_memory_alloc(s->pool, &s->hold[owner],
				       s->domain[owner], r, handle);
	r->nowait = false;
	if (err == -ZCB_ESLEEP)
		err = zcb_memory_alloc(s->pool, &s->hold[owner],
				       s->domain[owner], r, handle);
	return err;
}

static void alloc(void *state)
{
	struct state *s = state;
	u32 owner = below(s, OWNERS);
	struct zcb_memory_request r = { .length = choose_length(s) };
	u64 handle = 0;
	bool starve;
	int err;

	r.align = choose_align(s);
	r.zero = !below(s, 4);
	r.deadline_ns = !below(s, 8);
	r.on_node = below(s, 8) < 3;
	r.node = r.on_node ? below(s, RIG_NODES + 1) : 0;
	starve = !below(s, 32);
	if (s->nbufs == BUFS || (s->emptying && below(s, 4)))
		return;
	rig_forget();
	obj_allocations_fail = starve;
	err = alloc_maybe_nowait(s, owner, &r, &handle);
	starve &= !obj_allocations_fail;
	obj_allocations_fail = 0;
	check_alloc(s, owner, &r, err, handle, starve);
}

/* -------------------------------------------------------------- free, find */

static void free_one(void *state)
{
	struct state *s = state;
	struct m_buf *b;
	u32 owner;
	u64 handle = choose_handle(s, &owner);
	int want = expected(s, handle, owner, &b);
	int err;

	if (!want && !s->emptying && below(s, 2))
		return;
	err = zcb_memory_free(s->pool, &s->hold[owner], handle);
	check_answer(s, err, want);
	if (err)
		s->bad_frees++;
	else
		part_gone(s, b, owner);
}

/* Pools shall become empty as well as full. */
static void turn(void *state)
{
	struct state *s = state;

	if (!below(s, 8))
		s->emptying = !s->emptying;
}

static void find(void *state)
{
	struct state *s = state;
	struct zcb_memory_place place;
	struct m_buf *b;
	u32 owner;
	u64 handle = choose_handle(s, &owner);
	int want = expected(s, handle, owner, &b);
	int err;

	err = zcb_memory_find(s->pool, &s->hold[owner], handle, &place);
	check_answer(s, err, want);
	if (err)
		return;
	check_written(s, b);
	KUNIT_ASSERT_EQ(s->test, place.offset, b->offset);
	KUNIT_ASSERT_EQ(s->test, place.capacity, b->capacity);
	KUNIT_ASSERT_EQ(s->test, place.holders, hweight32(b->has));
	KUNIT_ASSERT_EQ(s->test, place.arena,
			b->offset / s->pool->cfg.arena_size);
	KUNIT_ASSERT_TRUE(s->test, is_on(s, b->offset >> PAGE_SHIFT, 1,
					 place.node));
}

/* ------------------------------------------------------------------ owners */

static void is_born(struct state *s, u32 owner)
{
	zcb_holdings_init(&s->hold[owner]);
	s->domain[owner] = zcb_pool_domain(s->pool);
	s->tag[owner] = 1 + s->born++ % 255;
}

static void kill(struct state *s, u32 owner)
{
	struct m_slab *m = s->slab;
	u32 i = s->nbufs;

	/* Some of it is pinned when it is looked at first, and then not. */
	rig.pinned = below(s, 256);
	while (!zcb_memory_reclaim(s->pool, &s->hold[owner]))
		;
	KUNIT_EXPECT_EQ(s->test, zcb_holdings_bytes(&s->hold[owner]), 0ULL);
	while (i--)
		if (s->buf[i].has & BIT(owner))
			part_gone(s, &s->buf[i], owner);
	for (; m < s->slab + s->narenas * s->in_arena; m++)
		if (m->nout && m->lessee == owner)
			m->lessee = NOBODY;
}

static void owner_dies(void *state)
{
	struct state *s = state;
	u32 owner = below(s, OWNERS);

	if (below(s, 16))
		return;
	kill(s, owner);
	is_born(s, owner);
}

/* ------------------------------------------------------------------ groups */

static void run_get(void *state)
{
	struct state *s = state;
	struct m_run *run = &s->run[below(s, RUNS)];
	u32 order = below(s, min(ilog2(s->in_arena) + 1, 6));
	u64 offset = 0;
	u32 owner = below(s, OWNERS), npages = 0;
	struct rig_range r;
	bool must;
	int err;

	if (run->npages || is_kind(s, ZCBUF_POOL_FIXED))
		return;
	rig_forget();
	err = zcb_memory_get(s->pool, PAGE_SIZE << order, s->domain[owner],
			     &offset, &npages);
	KUNIT_ASSERT_EQ(s->test, err, err ? -ENOMEM : 0);
	check_room(s, order, NUMA_NO_NODE, !err);
	if (err)
		return;
	KUNIT_ASSERT_EQ(s->test, npages, 1U << order);
	*run = (struct m_run){ offset >> PAGE_SHIFT, npages };
	pages_out(s, run->page, order, false);
	must = claim(s, run->page, npages, s->domain[owner], false);
	r = (struct rig_range){ offset, npages * PAGE_SIZE };
	check_zeroed(s, &r, &must, 1);
	memset(rig.memory + offset / RIG_UNIT, s->tag[owner],
	       r.length / RIG_UNIT);
}

/* All of it, or its tail. */
static void run_put(void *state)
{
	struct state *s = state;
	struct m_run *run = &s->run[below(s, RUNS)];
	u32 keep = below(s, 2) ? below(s, run->npages + 1) : 0;
	u32 page = run->page + keep, npages = run->npages - keep;

	zcb_memory_put(s->pool, (u64)page << PAGE_SHIFT, npages);
	if (npages)
		pages_back(s, page, npages);
	run->npages = keep;
}

static void room(void *state)
{
	struct state *s = state;
	u32 order = below(s, ilog2(s->in_arena) + 1);

	if (is_kind(s, ZCBUF_POOL_FIXED))
		return;
	KUNIT_ASSERT_EQ(s->test,
			zcb_memory_room(s->pool, PAGE_SIZE << order),
			may_grow(s, NUMA_NO_NODE) ||
			has_block(s, order, NUMA_NO_NODE));
}

/* ------------------------------------------------------------- the machine */

static void grow(void *state)
{
	struct state *s = state;
	bool full = present(s) == s->max_arenas;
	struct zcb_arena *a;

	if (below(s, 32))
		return;
	a = zcb_pool_grow(s->pool);
	if (full)
		KUNIT_ASSERT_EQ(s->test, PTR_ERR(a), -E2BIG);
	else if (rig.refused)
		KUNIT_ASSERT_EQ(s->test, PTR_ERR(a), -ENOMEM);
	else
		KUNIT_ASSERT_PTR_EQ(s->test, a, s->pool->arenas[s->narenas]);
	if (IS_ERR(a))
		return;
	add_arena(s, NUMA_NO_NODE);
	s->paused = false;
}

/* Memory of the machine comes and goes, and a pause ends. */
static void machine(void *state)
{
	struct state *s = state;

	rig.refuse_arenas = below(s, 2);
	rig.refuse_charges = !below(s, 8);
	if (below(s, 4))
		return;
	obj_work_run(&s->pool->pause.work);
	s->paused = false;
	if (below(s, 2))
		return;
	obj_work_run(&s->pool->node_pause.work);
	s->node_paused = 0;
}

static void cpu(void *state)
{
	struct state *s = state;

	obj_cpu = below(s, OBJ_CPUS);
	if (!below(s, 8))
		*obj_param_l0_depth = below(s, ZCB_L0_DEPTH + 2);
}

/* ------------------------------------------------------------------ checks */

static void check_blocks(struct state *s)
{
	struct arena *a;
	u32 i;

	spin_lock(&s->pool->mem_lock);
	zcb_magazine_drain_locked(s->pool);
	spin_unlock(&s->pool->mem_lock);
	for (i = 0; i < s->narenas; i++) {
		if (s->state[i] == ZCB_ARENA_GONE)
			continue;
		a = s->arena[i];
		a->b = s->pool->arenas[i]->buddy;
		check_arena(s->test, a);
	}
}

static void check_slab_class(struct state *s, u32 class)
{
	const struct zcb_slab_class *c = &s->pool->cfg.slabs.class[class];
	const struct m_slab *m = s->slab;
	u32 n = 0;

	for (; m < s->slab + s->narenas * s->in_arena; m++)
		n += m->nout && m->class == class;
	KUNIT_ASSERT_EQ(s->test, c->used, class_used(s, class));
	KUNIT_ASSERT_EQ(s->test, c->total, n * c->nobjs);
}

/* What zcctl would see: that no CPU keeps anything then, and all else. */
static void look(struct state *s)
{
	u32 i;

	if (!is_kind(s, ZCBUF_POOL_FIXED))
		check_blocks(s);
	for (i = 0; i < s->pool->cfg.slabs.n; i++)
		check_slab_class(s, i);
	for (i = 0; i < s->pool->cfg.fixed.n; i++)
		KUNIT_ASSERT_EQ(s->test, s->pool->cfg.fixed.class[i].used,
				class_used(s, i));
}

static void look_sometimes(void *state)
{
	struct state *s = state;

	if (s->narenas * s->in_arena <= CHECKED_EACH || !below(s, 16))
		look(s);
}

static void check_owner(struct state *s, u32 owner)
{
	const struct zcb_holdings *h = &s->hold[owner];
	u64 pages = 0, bytes = 0, lent = 0, shares = 0, share_bytes = 0;
	u32 blocks = 0, fixed = 0, objects = 0;
	const struct m_buf *b;

	for (b = s->buf; b < s->buf + s->nbufs; b++) {
		if (b->owner != owner) {
			shares += !!(b->has & BIT(owner));
			share_bytes += b->has & BIT(owner) ? b->capacity : 0;
			continue;
		}
		lent += b->lent ? b->capacity : 0;
		if (b->class == BLOCK) {
			blocks++;
			pages += b->capacity >> PAGE_SHIFT;
			continue;
		}
		bytes += b->capacity;
		objects += is_kind(s, ZCBUF_POOL_TIERS);
		fixed += is_kind(s, ZCBUF_POOL_FIXED);
	}
	KUNIT_ASSERT_EQ(s->test, h->blocks.count, blocks);
	KUNIT_ASSERT_EQ(s->test, h->blocks.pages, pages);
	KUNIT_ASSERT_EQ(s->test, h->fixed.count, fixed);
	KUNIT_ASSERT_EQ(s->test, h->objects, objects);
	KUNIT_ASSERT_EQ(s->test, h->object_bytes + h->fixed.bytes, bytes);
	KUNIT_ASSERT_EQ(s->test, h->loan_bytes, lent);
	KUNIT_ASSERT_EQ(s->test, h->nshares, shares);
	KUNIT_ASSERT_EQ(s->test, h->share_bytes, share_bytes);
}

static u32 kept_pages(const struct zcb_pool *pool, const struct zcb_magazine *m)
{
	u32 i, n = 0;

	for (i = 0; i < ZCB_L0_ORDERS; i++)
		n += m->blocks.n[i] << i;
	for (i = 0; i < pool->cfg.slabs.n; i++)
		n += m->nslabs[i] << pool->cfg.slabs.class[i].order;
	return n;
}

/* Whatever is not out is with the buddies, or a CPU. */
static void check_pages(struct state *s)
{
	u32 cpu, kept = 0, nfree = 0, i;

	for (cpu = 0; cpu < OBJ_CPUS; cpu++)
		kept += kept_pages(s->pool, &s->pool->magazines[cpu]);
	for (i = 0; i < s->narenas; i++)
		if (s->state[i] != ZCB_ARENA_GONE)
			nfree += s->pool->arenas[i]->buddy.free_pages;
	KUNIT_ASSERT_EQ(s->test, nfree + kept + s->nout,
			present(s) * s->in_arena);
}

static void check(void *state)
{
	struct state *s = state;
	u32 i;

	KUNIT_ASSERT_EQ(s->test, s->pool->used, s->used);
	KUNIT_ASSERT_EQ(s->test, s->pool->max_used, s->max_used);
	KUNIT_ASSERT_EQ(s->test, s->pool->min_free, s->min_free);
	KUNIT_ASSERT_EQ(s->test, s->pool->bad_frees, s->bad_frees);
	if (!is_kind(s, ZCBUF_POOL_FIXED))
		check_pages(s);
	check_arenas(s);
	for (i = 0; i < OWNERS; i++)
		check_owner(s, i);
}

static const struct fuzz_op ops[] = {
	{ "alloc", alloc },
	{ "alloc", alloc },
	{ "alloc", alloc },
	{ "alloc", alloc },
	{ "alloc", alloc },
	{ "alloc", alloc },
	{ "alloc", alloc },
	{ "free", free_one },
	{ "free", free_one },
	{ "free", free_one },
	{ "free", free_one },
	{ "turn", turn },
	{ "find", find },
	{ "transfer", transfer },
	{ "transfer", transfer },
	{ "owner_dies", owner_dies },
	{ "run_get", run_get },
	{ "run_put", run_put },
	{ "room", room },
	{ "grow", grow },
	{ "machine", machine },
	{ "cpu", cpu },
	{ "look", look_sometimes },
	{ "share", share },
	{ "share", share },
	{ "retire", retire },
	{ "retire_cancel", retire_cancel },
	{ "retire_look", retire_look },
};

static const struct fuzz_target target = { ops, ARRAY_SIZE(ops), check };

/* ------------------------------------------------------------------- pools */

/* Ascending, and small enough for a few slabs in an arena. */
static u32 choose_lengths(struct zcb_rand *in, u32 *length, u32 largest)
{
	u32 i, n = 1 + zcb_rand_below(in, LENGTHS), last = 0;

	for (i = 0; i < n && last < largest; i++) {
		last += 1 + zcb_rand_below(in, zcb_rand_below(in, 2) ?
					   largest / LENGTHS : 512);
		last = max(last, ZCB_SLAB_MIN);
		length[i] = last;
		last = round_up(last, 16);
	}
	return i;
}

/* The smallest arena there really is has room for any slab. */
static u32 slabs_that_fit(const struct zcb_slab_table *t, u64 arena_size)
{
	u32 i;

	for (i = 0; i < t->n; i++)
		if (PAGE_SIZE << t->class[i].order > arena_size)
			break;
	return i;
}

static void choose_tiers(struct zcb_rand *in, struct zcb_pool_config *cfg)
{
	u32 length[LENGTHS];
	u32 n = choose_lengths(in, length,
			       min_t(u64, cfg->arena_size / 8, ZCB_SLAB_MAX));

	if (zcb_slab_table_init(&cfg->slabs, length, n, PAGE_SHIFT))
		abort();
	cfg->slabs.n = slabs_that_fit(&cfg->slabs, cfg->arena_size);
}

static void choose_fixed(struct zcb_rand *in, struct zcb_pool_config *cfg)
{
	struct zcb_fixed_spec spec[LENGTHS];
	u32 length[LENGTHS], i;
	u32 n = choose_lengths(in, length, 20000);

	for (i = 0; i < n; i++)
		spec[i] = (struct zcb_fixed_spec){
			length[i], 1 + zcb_rand_below(in, OBJECTS),
		};
	if (zcb_fixed_layout(&cfg->fixed, spec, n, PAGE_SHIFT))
		abort();
	cfg->arena_size = PAGE_ALIGN(cfg->fixed.size);
}

static u32 choose_pages(struct zcb_rand *in)
{
	static const u32 large[] = { 512, 768, 1024 };
	u32 kind = zcb_rand_below(in, 16);

	return kind < ARRAY_SIZE(large) ? large[kind] :
					  16 + zcb_rand_below(in, 64);
}

static void choose_pool(struct zcb_rand *in, struct zcb_pool_config *cfg)
{
	u32 max_arenas = 1 + zcb_rand_below(in, RIG_ARENAS);

	cfg->kind = zcb_rand_below(in, 3);
	cfg->arena_size = PAGE_SIZE * choose_pages(in);
	if (!zcb_rand_below(in, 3))
		cfg->flags |= ZCBUF_POOL_F_NO_ZERO_ON_REUSE;
	if (cfg->kind == ZCBUF_POOL_TIERS)
		choose_tiers(in, cfg);
	if (cfg->kind == ZCBUF_POOL_FIXED) {
		choose_fixed(in, cfg);
		max_arenas = 1;
	} else if (zcb_rand_below(in, 2)) {
		cfg->flags |= ZCBUF_POOL_F_AUTO_GROW;
	}
	cfg->max_size = max_arenas * cfg->arena_size;
}

/* Of nodes by turns, or of one. */
static u32 choose_piece(struct zcb_rand *in)
{
	static const u32 pieces[] = { 0, 0, 1, 2, 4, 8, 11, 64 };

	return pieces[zcb_rand_below(in, ARRAY_SIZE(pieces))];
}

static void make_model(struct state *s, const struct zcb_pool_config *cfg)
{
	u32 n = RIG_ARENAS * (cfg->arena_size >> PAGE_SHIFT), i;

	s->pool = rig_pool(s->test, cfg, choose_piece(s->in));
	s->in_arena = cfg->arena_size >> PAGE_SHIFT;
	s->max_arenas = cfg->max_size / cfg->arena_size;
	s->min_free = cfg->arena_size;
	s->named = kunit_kzalloc(s->test, n, GFP_KERNEL);
	s->last = kunit_kcalloc(s->test, max(n, cfg->fixed.nobjects),
				sizeof(*s->last), GFP_KERNEL);
	s->slab = kunit_kcalloc(s->test, n, sizeof(*s->slab), GFP_KERNEL);
	add_arena(s, NUMA_NO_NODE);
	for (i = 0; i < OWNERS; i++)
		is_born(s, i);
}

/* Everything comes back, and all of it is in one piece again. */
static void end_all(struct state *s)
{
	u32 i;

	for (i = 0; i < OWNERS; i++)
		kill(s, i);
	for (i = 0; i < RUNS; i++) {
		struct m_run *run = &s->run[i];

		zcb_memory_put(s->pool, (u64)run->page << PAGE_SHIFT,
			       run->npages);
		if (run->npages)
			pages_back(s, run->page, run->npages);
	}
	rig.pages_held = false;
	arenas_settle(s);
	look(s);
	check(s);
	KUNIT_ASSERT_EQ(s->test, s->pool->used, 0ULL);
	KUNIT_ASSERT_EQ(s->test, s->pool->idle, 0ULL);
	for (i = 0; i < s->narenas && is_power_of_2(s->in_arena); i++)
		if (s->state[i] == ZCB_ARENA_LIVE)
			KUNIT_ASSERT_EQ(s->test, s->in_arena,
					1U << zcb_buddy_largest(&s->arena[i]->b));
	KUNIT_ASSERT_EQ(s->test, obj_allocations, 0);
	KUNIT_ASSERT_EQ(s->test, rig.charged, 0ULL);
}

void fuzz_one(struct kunit *test, struct zcb_rand *in)
{
	struct zcb_pool_config cfg = {};
	struct state s = { .test = test, .in = in };

	*obj_param_l0_depth = ZCB_L0_DEPTH;
	choose_pool(in, &cfg);
	make_model(&s, &cfg);
	fuzz_ops(&target, in, &s);
	end_all(&s);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A pool without a kernel below it: what the files of kmod/obj/ that hand out
 * memory ask of the rest, and memory to hand out that has one byte for every 16:
 * who wrote there last.
 */
#ifndef ZCBUF_POOL_RIG_H
#define ZCBUF_POOL_RIG_H

#include "fuzz.h"
#include "../../../kmod/obj/control.h"
#include "../../../kmod/obj/event.h"
#include "../../../kmod/obj/memory.h"
#include "../../../kmod/obj/pin.h"
#include "../../../kmod/obj/pool.h"
#include "../../../kmod/obj/slabs.h"
#include "../../../kmod/obj/magazine.h"
#include "../../../kmod/obj/session.h"

#define RIG_ARENAS	12	/* that there have ever been */
#define RIG_UNIT	16U	/* bytes of the pool for one of rig.memory */
#define RIG_ZEROED	4	/* ranges in one call */
#define RIG_NODES	3	/* of NUMA */

struct rig_range {
	u64 offset;
	u64 length;
};

/*
 * struct rig - what the pool stands on
 * @memory: of all arenas there can be, by unit
 * @zeroed: ranges that were zeroed since rig_forget()
 * @nzeroed: how many
 * @refuse_arenas: there is no memory for another arena
 * @refuse_charges: a limit is reached
 * @charged: bytes
 * @grown: arenas that were asked for since rig_forget(), refused or not
 * @refused: the last of them was
 * @piece: pages of one node in a row; 0: all are of node 0
 * @pages_held: I/O has pages of every arena
 * @unmapped: bit n: no mapping has arena n any more
 * @pinned: bit n: the page looked at n looks from now is pinned
 */
struct rig {
	struct kunit *test;
	struct zcb_pool *pool;
	u8 *memory;
	struct rig_range zeroed[RIG_ZEROED];
	u32 nzeroed;
	bool refuse_arenas;
	bool refuse_charges;
	u64 charged;
	u32 grown;
	bool refused;
	u32 piece;
	bool pages_held;
	u32 unmapped;
	u64 pinned;
};

static struct rig rig;

u32 obj_allocations;
u32 obj_allocations_fail;
u32 obj_cpu;

extern uint *const obj_param_l0_depth;

void *obj_alloc(size_t bytes, int fill)
{
	void *ptr;

	if (obj_allocations_fail) {
		obj_allocations_fail--;
		return NULL;
	}
	ptr = malloc(bytes);
	if (!ptr)
		abort();
	obj_allocations++;
	return memset(ptr, fill, bytes);
}

void obj_free(const void *ptr)
{
	obj_allocations -= !!ptr;
	free((void *)ptr);
}

/* ------------------------------------------------- the rest of kmod/obj/ */

void zcb_arena_zero(const struct zcb_arena *a, u64 offset, u64 length)
{
	u64 at = ((u64)a->index << PAGE_SHIFT) + offset;

	KUNIT_ASSERT_FALSE(rig.test, rig.pool->mem_lock.held);
	KUNIT_ASSERT_LE(rig.test, offset + length, a->size);
	KUNIT_ASSERT_EQ(rig.test, (offset | length) % RIG_UNIT, 0ULL);
	KUNIT_ASSERT_LT(rig.test, rig.nzeroed, RIG_ZEROED);
	rig.zeroed[rig.nzeroed++] = (struct rig_range){ at, length };
	memset(rig.memory + at / RIG_UNIT, 0, length / RIG_UNIT);
}

bool zcb_pin_settled(const struct zcb_pool *pool, u64 offset, u64 length)
{
	bool pinned = rig.pinned & 1;

	KUNIT_ASSERT_FALSE(rig.test, rig.pool->mem_lock.held);
	KUNIT_ASSERT_NE(rig.test, length, 0ULL);
	KUNIT_ASSERT_EQ(rig.test, offset / pool->cfg.arena_size,
			(offset + length - 1) / pool->cfg.arena_size);
	rig.pinned >>= 1;
	return !pinned;
}

static int rig_nid(const struct zcb_arena *a, u32 index)
{
	return rig.piece ? (a->index + index) / rig.piece % RIG_NODES : 0;
}

static int rig_nid_0(const struct zcb_arena *a, u32 index)
{
	return 0;
}

static int rig_nid_1(const struct zcb_arena *a, u32 index)
{
	return 1;
}

static int rig_nid_2(const struct zcb_arena *a, u32 index)
{
	return 2;
}

static const struct zcb_arena_ops rig_ops[1 + RIG_NODES] = {
	{ .nid = rig_nid },
	{ .nid = rig_nid_0 }, { .nid = rig_nid_1 }, { .nid = rig_nid_2 },
};

/* Folios as large as they can be, of one node each. */
static u32 rig_order(const struct zcb_arena *a)
{
	u32 piece = rig.piece;

	return is_power_of_2(piece) && a->npages % piece == 0 ? ilog2(piece) :
								0;
}

static struct zcb_arena *rig_arena(struct zcb_pool *pool, int nid)
{
	struct zcb_arena *a = kunit_kzalloc(rig.test, sizeof(*a), GFP_KERNEL);

	a->size = pool->cfg.arena_size;
	a->npages = a->size >> PAGE_SHIFT;
	a->index = pool->narenas * a->npages;
	a->order = rig_order(a);
	a->ops = &rig_ops[nid + 1];
	a->metadata = kunit_kmalloc(rig.test, zcb_buddy_metadata_size(a->npages),
				    GFP_KERNEL);
	zcb_buddy_init(&a->buddy, a->metadata, a->npages);
	if (zcb_arena_nodes_init(a))
		abort();
	return a;
}

struct zcb_arena *zcb_pool_arena(const struct zcb_pool *pool, int nid,
				 const struct zcb_payer *payer,
				 struct zcb_buf_page **pages)
{
	u32 npages = pool->cfg.arena_size >> PAGE_SHIFT;

	KUNIT_ASSERT_FALSE(rig.test, pool->mem_lock.held);
	rig.grown++;
	rig.refused = rig.refuse_arenas || pool->narenas == RIG_ARENAS ||
		      nid >= RIG_NODES;
	if (rig.refused)
		return ERR_PTR(-ENOMEM);
	*pages = NULL;
	if (pool->cfg.kind != ZCBUF_POOL_FIXED) {
		*pages = kunit_kmalloc_array(rig.test, npages, sizeof(**pages),
					     GFP_KERNEL);
		zcb_buf_pages_init(*pages, npages);
	}
	return rig_arena(rig.pool, nid);
}

u64 zcb_pool_largest(const struct zcb_pool *pool)
{
	return PAGE_SIZE << ilog2(pool->arenas[0]->npages);
}

u32 zcb_pool_domain(struct zcb_pool *pool)
{
	return atomic_inc_return(&pool->next_domain);
}

void zcb_pool_space(struct zcb_pool *pool)
{
	KUNIT_ASSERT_FALSE(rig.test, pool->mem_lock.held);
	atomic_inc(&pool->space_seq);
}

void zcb_pools_settle(void)
{
}

void zcb_pools_queue(struct delayed_work *work, unsigned long delay)
{
	mod_delayed_work(system_wq, work, delay);
}

void unmap_mapping_range(struct address_space *mapping, loff_t offset,
			 loff_t length, int even_cows)
{
	struct zcb_pool *pool = rig.pool;

	KUNIT_ASSERT_FALSE(rig.test, pool->mem_lock.held);
	KUNIT_ASSERT_PTR_EQ(rig.test, mapping, pool->inode->i_mapping);
	KUNIT_ASSERT_EQ(rig.test, length, (loff_t)pool->cfg.arena_size);
	KUNIT_ASSERT_EQ(rig.test, offset % length, (loff_t)0);
	rig.unmapped |= 1U << offset / length;
}

bool zcb_arena_busy(const struct zcb_arena *a)
{
	KUNIT_ASSERT_EQ(rig.test, a->state, ZCB_ARENA_PINNED);
	KUNIT_ASSERT_NE(rig.test, rig.unmapped & 1U << a->index / a->npages, 0U);
	return rig.pages_held;
}

bool zcb_arena_held(const struct zcb_arena *a)
{
	return rig.pages_held && zcb_arena_mapped(a);
}

/* Whoever looks into it after that, the sanitizer sees. */
void zcb_arena_release(struct zcb_arena *a)
{
	KUNIT_ASSERT_FALSE(rig.test, rig.pool->mem_lock.held);
	kvfree(a->metadata);
	a->metadata = NULL;
	zcb_arena_nodes_end(a);
}

void *kvzalloc(size_t bytes, u32 gfp)
{
	return kunit_kzalloc(rig.test, bytes, GFP_KERNEL);
}

void kvfree(const void *ptr)
{
	kunit_kfree(rig.test, ptr);
}

int zcb_wait(const struct zcb_session *s, wait_queue_head_t *wq,
	     const atomic_t *seq, int seen, u64 deadline_ns)
{
	if (atomic_read(seq) != seen)
		return 0;
	return deadline_ns ? -ETIMEDOUT : -EAGAIN;
}

/* Nobody listens. */
void zcb_event_tell(const struct zcb_event *e)
{
}

/* Nobody has the page. */
void zcb_control_pressure(struct zcb_pool *pool)
{
}

struct zcb_payer zcb_account_payer(kuid_t uid)
{
	return (struct zcb_payer){ .uid = uid };
}

int zcb_account_charge(u64 bytes, const struct zcb_payer *payer,
		       struct zcb_user **user)
{
	if (rig.refuse_charges)
		return -EDQUOT;
	rig.charged += bytes;
	*user = NULL;
	return 0;
}

void zcb_account_uncharge(struct zcb_user *user, u64 bytes)
{
	KUNIT_ASSERT_GE(rig.test, rig.charged, bytes);
	rig.charged -= bytes;
}

/* --------------------------------------------------------- making the pool */

static void rig_forget(void)
{
	rig.nzeroed = 0;
	rig.grown = 0;
}

static void rig_magazines(struct zcb_pool *pool)
{
	u32 cpu;

	pool->magazines = kunit_kmalloc_array(rig.test, nr_cpu_ids,
					      sizeof(*pool->magazines),
					      GFP_KERNEL);
	for (cpu = 0; cpu < nr_cpu_ids; cpu++)
		zcb_magazine_init(&pool->magazines[cpu]);
}

static void rig_objects(struct zcb_fixed *f)
{
	zcb_fixed_init(f, kunit_kmalloc_array(rig.test, f->nobjects,
					      sizeof(*f->objects), GFP_KERNEL));
}

/* As zcb_pool_create(); @cfg has sizes and classes laid out; @piece: see rig. */
static struct zcb_pool *rig_pool(struct kunit *test,
				 const struct zcb_pool_config *cfg, u32 piece)
{
	struct zcb_pool *pool = kunit_kzalloc(test, sizeof(*pool), GFP_KERNEL);
	static struct inode inode;
	struct zcb_buf_page *pages;
	struct zcb_arena *a;

	rig = (struct rig){ .test = test, .pool = pool, .piece = piece };
	rig.memory = kunit_kzalloc(test, RIG_ARENAS * cfg->arena_size / RIG_UNIT,
				   GFP_KERNEL);
	obj_cpu = 0;
	obj_allocations_fail = 0;
	pool->cfg = *cfg;
	pool->inode = &inode;
	zcb_pool_growth_init(pool);
	zcb_pool_retire_init(pool);
	mutex_init(&pool->give_lock);
	spin_lock_init(&pool->mem_lock);
	zcb_holdings_init(&pool->orphans);
	pool->shares = RB_ROOT;
	a = zcb_pool_arena(pool, NUMA_NO_NODE, &pool->payer, &pages);
	pool->arenas[pool->narenas++] = a;
	pool->size = a->size;
	pool->min_free = a->size;
	if (cfg->kind == ZCBUF_POOL_FIXED) {
		rig_objects(&pool->cfg.fixed);
	} else {
		zcb_buf_table_init(&pool->bufs, pages, a->npages, PAGE_SHIFT);
		rig_magazines(pool);
	}
	return pool;
}

#endif /* ZCBUF_POOL_RIG_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pools: the table of all of them, their names, their making and their end.
 *
 * pools_lock guards the table. A pool is in it from its creation until its last
 * reference is gone; its number is then reserved until its pages are free.
 * Lookups take a reference under pools_lock, only if there is one left.
 */
#include <linux/cpumask.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/ipc_namespace.h>
#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/nsproxy.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "../face/trace.h"
#include "account.h"
#include "channel.h"
#include "control.h"
#include "event.h"
#include "evict.h"
#include "magazine.h"
#include "memory.h"
#include "pool.h"
#include "quarantine.h"
#include "session.h"

/* How often to look whether pages are still pinned: less and less. */
#define ZCB_POOL_RETRY_MIN	msecs_to_jiffies(10)
#define ZCB_POOL_RETRY_MAX	msecs_to_jiffies(1000)
#define ZCB_POOLS_FIRST		64

static DEFINE_MUTEX(pools_lock);
static struct zcb_handles pools;	/* pools_lock */
static struct workqueue_struct *pools_wq;

/*
 * The number of a namespace can be used again once it has died. A pool that
 * somebody outside it has kept alive could then be found from a new one, by the
 * same user. A kernel without IPC of System V and POSIX has no such namespaces.
 */
static u32 pool_current_ipc_ns(void)
{
	const struct ipc_namespace *ns = current->nsproxy->ipc_ns;

	return ns ? ns->ns.inum : 0;
}

static void pool_tell(const struct zcb_pool *pool, u32 kind)
{
	zcb_event_tell(&(struct zcb_event){
		.kind = kind, .pool = pool, .bytes = zcb_pool_size(pool),
	});
}

static bool pool_named(const struct zcb_pool *pool, const char *name,
		       kuid_t uid, u32 ipc_ns)
{
	return *name && pool->state == ZCB_POOL_LIVE && !pool->removed &&
	       zcb_pool_inhabited(pool) &&
	       uid_eq(pool->uid, uid) && pool->ipc_ns == ipc_ns &&
	       !strcmp(pool->cfg.name, name);
}

static struct zcb_pool *pool_find_locked(const char *name, kuid_t uid)
{
	u32 ipc_ns = pool_current_ipc_ns();
	struct zcb_pool *pool;
	u32 i = 0;

	lockdep_assert_held(&pools_lock);
	while ((pool = zcb_handle_next(&pools, &i)))
		if (pool_named(pool, name, uid, ipc_ns) &&
		    kref_get_unless_zero(&pool->ref))
			return pool;
	return NULL;
}

/**
 * zcb_pool_find - a pool by name
 * @name: its name
 * @uid: whose
 *
 * Names live in the calling task's ipc namespace.
 *
 * Context: may sleep.
 * Return: the pool with a reference, or NULL.
 */
struct zcb_pool *zcb_pool_find(const char *name, kuid_t uid)
{
	guard(mutex)(&pools_lock);
	return pool_find_locked(name, uid);
}

/**
 * zcb_pool_look_up - a pool by handle
 * @handle: whatever user space says
 *
 * Context: may sleep.
 * Return: the pool with a reference, or NULL.
 */
struct zcb_pool *zcb_pool_look_up(u64 handle)
{
	void *pool;

	guard(mutex)(&pools_lock);
	if (zcb_handle_lookup(&pools, handle, &pool) ||
	    !kref_get_unless_zero(&((struct zcb_pool *)pool)->ref))
		return NULL;
	return pool;
}

/* zcb_pool_here() - does its name live in the calling task's ipc namespace */
bool zcb_pool_here(const struct zcb_pool *pool)
{
	return pool->ipc_ns == pool_current_ipc_ns();
}

/**
 * zcb_pool_persist - let a pool live without sessions
 * @pool: the pool, with a name; the caller has a reference
 *
 * Not if somebody has removed it meanwhile: who made it may be slow, and its name
 * is known already.
 *
 * Context: may sleep.
 */
void zcb_pool_persist(struct zcb_pool *pool)
{
	guard(mutex)(&pools_lock);
	if (pool->removed)
		return;
	WRITE_ONCE(pool->persistent, true);
	zcb_pool_get(pool);
}

/**
 * zcb_pool_remove - take away a pool's name, and what makes it persist
 * @pool: the pool; the caller has a reference
 *
 * Context: may sleep.
 * Return: 0, or -ENOENT: it has no name, or had one.
 */
int zcb_pool_remove(struct zcb_pool *pool)
{
	guard(mutex)(&pools_lock);
	if (!*pool->cfg.name || pool->removed || pool->state != ZCB_POOL_LIVE)
		return -ENOENT;
	WRITE_ONCE(pool->removed, true);
	if (pool->persistent)
		zcb_pool_put(pool);
	WRITE_ONCE(pool->persistent, false);
	pool_tell(pool, ZCBUF_EVENT_POOL_REMOVED);
	return 0;
}

static struct zcb_pool *pool_next_locked(u32 *cursor)
{
	struct zcb_pool *pool;

	lockdep_assert_held(&pools_lock);
	while ((pool = zcb_handle_next(&pools, cursor)))
		if (kref_get_unless_zero(&pool->ref))
			return pool;
	return NULL;
}

/**
 * zcb_pool_next - walk all pools
 * @cursor: 0 to begin with
 *
 * Context: may sleep.
 * Return: the next pool with a reference, or NULL.
 */
struct zcb_pool *zcb_pool_next(u32 *cursor)
{
	guard(mutex)(&pools_lock);
	return pool_next_locked(cursor);
}

/**
 * zcb_pool_try_next - the same for who must not wait
 * @cursor: 0 to begin with
 *
 * Context: any but interrupt.
 * Return: as zcb_pool_next(), or -EBUSY as error pointer.
 */
struct zcb_pool *zcb_pool_try_next(u32 *cursor)
{
	struct zcb_pool *pool;

	if (!mutex_trylock(&pools_lock))
		return ERR_PTR(-EBUSY);
	pool = pool_next_locked(cursor);
	mutex_unlock(&pools_lock);
	return pool;
}

static int pools_grow_locked(void)
{
	u32 cap = max(pools.cap * 2, ZCB_POOLS_FIRST);
	struct zcb_handle_slot *slots;

	lockdep_assert_held(&pools_lock);
	slots = kvcalloc(cap, sizeof(*slots), GFP_KERNEL);
	if (!slots)
		return -ENOMEM;
	kvfree(zcb_handles_grow(&pools, slots, cap));
	return 0;
}

static int pool_publish(struct zcb_pool *pool)
{
	struct zcb_pool *other;
	int err;

	guard(mutex)(&pools_lock);
	other = pool_find_locked(pool->cfg.name, pool->uid);
	if (other) {
		zcb_pool_put(other);
		return -EEXIST;
	}
	err = zcb_handle_reserve(&pools, &pool->handle);
	if (err) {
		err = pools_grow_locked();
		if (!err)
			err = zcb_handle_reserve(&pools, &pool->handle);
	}
	if (!err)
		zcb_handle_publish(&pools, pool->handle, pool);
	return err;
}

static void pool_unpublish(struct zcb_pool *pool)
{
	guard(mutex)(&pools_lock);
	if (pool->handle)
		zcb_handle_remove(&pools, pool->handle);
}

static enum zcb_arena_huge pool_huge(const struct zcb_pool_config *cfg)
{
	if (cfg->flags & ZCBUF_POOL_F_HUGE_STRICT)
		return ZCB_ARENA_HUGE_MUST;
	if (cfg->flags & ZCBUF_POOL_F_SMALL_PAGES)
		return ZCB_ARENA_HUGE_NEVER;
	return ZCB_ARENA_HUGE_TRY;
}

/**
 * zcb_pool_arena - the next arena of a pool, and the records of its pages
 * @pool: the pool
 * @nid: of that NUMA node alone; NUMA_NO_NODE: as the pool was made
 * @payer: whom to charge
 * @pages: set; NULL in a FIXED pool
 *
 * Context: may sleep long.
 * Return: an arena nobody has seen yet; as error pointers -EDQUOT, a limit says
 * no, or -ENOMEM.
 */
struct zcb_arena *zcb_pool_arena(const struct zcb_pool *pool, int nid,
				 const struct zcb_payer *payer,
				 struct zcb_buf_page **pages)
{
	u64 size = pool->cfg.arena_size;
	u32 npages = size >> PAGE_SHIFT;
	nodemask_t nodes = pool->cfg.nodes;
	struct zcb_arena *a;

	if (nid != NUMA_NO_NODE)
		nodes = nodemask_of_node(nid);
	a = zcb_arena_create(size, pool->narenas * npages, &nodes,
			     pool_huge(&pool->cfg), payer);
	*pages = NULL;
	if (IS_ERR(a) || pool->cfg.kind == ZCBUF_POOL_FIXED)
		return a;
	*pages = kvcalloc(npages, sizeof(**pages), ZCB_GFP_TABLE);
	if (!*pages) {
		zcb_arena_destroy(a);
		return ERR_PTR(-ENOMEM);
	}
	zcb_buf_pages_init(*pages, npages);
	return a;
}

/* zcb_pools_queue() - have @work done after @delay, or sooner; any context */
void zcb_pools_queue(struct delayed_work *work, unsigned long delay)
{
	if (delay)
		queue_delayed_work(pools_wq, work, delay);
	else
		mod_delayed_work(pools_wq, work, 0);
}

/*
 * Pools end in the background: what the user has just closed may still be
 * charged. Wait for that once before saying no.
 */
void zcb_pools_settle(void)
{
	flush_workqueue(pools_wq);
}

static int pool_first_arena(struct zcb_pool *pool)
{
	struct zcb_buf_page *pages;
	struct zcb_arena *a;

	a = zcb_pool_arena(pool, NUMA_NO_NODE, &pool->payer, &pages);
	if (a == ERR_PTR(-EDQUOT)) {
		zcb_pools_settle();
		a = zcb_pool_arena(pool, NUMA_NO_NODE, &pool->payer, &pages);
	}
	if (IS_ERR(a))
		return -ENOMEM;
	pool->arenas[pool->narenas++] = a;
	pool->size = a->size;
	pool->min_free = a->size;
	if (pages)
		zcb_buf_table_init(&pool->bufs, pages, a->npages, PAGE_SHIFT);
	return 0;
}

static u64 pool_objects_size(const struct zcb_pool *pool)
{
	return (u64)pool->cfg.fixed.nobjects * sizeof(struct zcb_fixed_object);
}

/* They can take more than the memory they are for, so they are charged, too. */
static int pool_pay_objects(struct zcb_pool *pool)
{
	u64 bytes = pool_objects_size(pool);
	int err;

	if (!bytes)
		return 0;
	err = zcb_account_charge(bytes, &pool->payer, &pool->user);
	if (err) {
		/* As in pool_first_arena(). */
		zcb_pools_settle();
		err = zcb_account_charge(bytes, &pool->payer, &pool->user);
	}
	return err;
}

static int pool_objects(struct zcb_pool *pool)
{
	struct zcb_fixed_object *objects;

	/* What the manual says. */
	static_assert(sizeof(*objects) == 24);
	objects = kvcalloc(pool->cfg.fixed.nobjects, sizeof(*objects),
			   ZCB_GFP_TABLE);
	if (!objects)
		return -ENOMEM;
	zcb_fixed_init(&pool->cfg.fixed, objects);
	return 0;
}

static int pool_magazines(struct zcb_pool *pool)
{
	u32 cpu;

	pool->magazines = kvcalloc(nr_cpu_ids, sizeof(*pool->magazines),
				   ZCB_GFP_TABLE);
	if (!pool->magazines)
		return -ENOMEM;
	for (cpu = 0; cpu < nr_cpu_ids; cpu++)
		zcb_magazine_init(&pool->magazines[cpu]);
	return 0;
}

static int pool_tables(struct zcb_pool *pool)
{
	struct zcb_handle_slot *slots;
	int err;

	err = pool->cfg.kind == ZCBUF_POOL_FIXED ? pool_objects(pool) :
						   pool_magazines(pool);
	if (err)
		return err;
	slots = kvcalloc(ZCB_POOL_MAX_CHANNELS, sizeof(*slots), ZCB_GFP_TABLE);
	if (!slots)
		return -ENOMEM;
	zcb_handles_init(&pool->channels, ZCB_HANDLE_CHANNEL, slots,
			 ZCB_POOL_MAX_CHANNELS);
	return 0;
}

/* What asks for the limits comes before anything is allocated. */
static int pool_build(struct zcb_pool *pool)
{
	struct inode *inode;
	int err;

	err = pool_pay_objects(pool);
	if (err)
		return err;
	err = pool_first_arena(pool);
	if (err)
		return err;
	err = pool_tables(pool);
	if (err)
		return err;
	inode = zcb_mapfs_inode(pool, zcb_pool_max_end(pool));
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	pool->inode = inode;
	return 0;
}

/* Everything but the arenas, which may have to wait for I/O. */
static void pool_strip(struct zcb_pool *pool)
{
	u32 i;

	zcb_pool_growth_end(pool);
	zcb_evict_end(pool);
	zcb_quarantine_end(pool);
	zcb_pool_retire_end(pool);
	if (pool->inode)
		zcb_mapfs_put(pool->inode);
	pool->inode = NULL;
	zcb_control_end(pool);
	kvfree(pool->channels.slots);
	zcb_handles_init(&pool->channels, ZCB_HANDLE_CHANNEL, NULL, 0);
	for (i = 0; i < pool->narenas; i++) {
		kvfree(pool->bufs.pages[i]);
		pool->bufs.pages[i] = NULL;
	}
	spin_lock(&pool->mem_lock);
	zcb_magazine_drain_locked(pool);
	spin_unlock(&pool->mem_lock);
	kvfree(pool->magazines);
	pool->magazines = NULL;
	kvfree(pool->cfg.fixed.objects);
	pool->cfg.fixed.objects = NULL;
	if (pool->user)
		zcb_account_uncharge(pool->user, pool_objects_size(pool));
	pool->user = NULL;
}

static bool pool_pinned(const struct zcb_pool *pool)
{
	u32 i;

	for (i = 0; i < pool->narenas; i++)
		if (zcb_arena_busy(pool->arenas[i]))
			return true;
	return false;
}

static void pool_free(struct zcb_pool *pool)
{
	while (pool->narenas)
		zcb_arena_destroy(pool->arenas[--pool->narenas]);
	mem_cgroup_put(pool->memcg);
	kfree(pool);
}

/* The zombie is one more reference, so that it can be looked at meanwhile. */
static void pool_make_zombie(struct zcb_pool *pool)
{
	guard(mutex)(&pools_lock);
	kref_init(&pool->ref);
	WRITE_ONCE(pool->state, ZCB_POOL_ZOMBIE);
}

/*
 * The end, from a workqueue: the last put may come from anywhere a file is
 * closed. While I/O that outlived its process holds pages, the pool is a
 * zombie: visible, its arenas charged, holding the module.
 */
static void pool_end(struct work_struct *work)
{
	struct zcb_pool *pool = container_of(to_delayed_work(work),
					     struct zcb_pool, work);
	bool zombie = pool->state == ZCB_POOL_ZOMBIE;

	if (pool->state == ZCB_POOL_LIVE)
		pool_strip(pool);
	if (pool->state != ZCB_POOL_DEAD && pool_pinned(pool)) {
		if (!zombie)
			pool_make_zombie(pool);
		pool->retry = clamp(pool->retry * 2, ZCB_POOL_RETRY_MIN,
				    ZCB_POOL_RETRY_MAX);
		queue_delayed_work(pools_wq, &pool->work, pool->retry);
		return;
	}
	if (zombie) {
		pool->state = ZCB_POOL_DEAD;
		zcb_pool_put(pool);
		return;
	}
	pool_unpublish(pool);
	trace_zcbuf_pool_free(pool->handle, zcb_pool_size(pool));
	pool_tell(pool, ZCBUF_EVENT_POOL_GONE);
	pool_free(pool);
	module_put(THIS_MODULE);
}

/**
 * zcb_pool_create - make a pool
 * @cfg: how; checked by the caller
 * @charge: who pays
 *
 * Context: may sleep long; may be called under mmap_lock.
 * Return: the pool with one reference, -ENOMEM or -EEXIST as error pointer.
 */
struct zcb_pool *zcb_pool_create(const struct zcb_pool_config *cfg,
				 kuid_t charge)
{
	struct zcb_pool *pool = kzalloc(sizeof(*pool), GFP_KERNEL_ACCOUNT);
	int err;

	if (!pool)
		return ERR_PTR(-ENOMEM);
	kref_init(&pool->ref);
	INIT_DELAYED_WORK(&pool->work, pool_end);
	pool->cfg = *cfg;
	pool->cfg.max_size = max(cfg->max_size, cfg->arena_size);
	pool->payer = zcb_account_payer(charge);
	pool->memcg = get_mem_cgroup_from_mm(current->mm);
	pool->uid = cfg->owned ? cfg->uid : current_euid();
	pool->gid = cfg->owned ? cfg->gid : current_egid();
	pool->ipc_ns = pool_current_ipc_ns();
	zcb_pool_growth_init(pool);
	zcb_quarantine_init(pool);
	zcb_evict_init(pool);
	zcb_pool_retire_init(pool);
	mutex_init(&pool->lock);
	INIT_LIST_HEAD(&pool->sessions);
	spin_lock_init(&pool->mem_lock);
	zcb_holdings_init(&pool->orphans);
	zcb_holdings_init(&pool->published);
	hash_init(pool->names);
	zcb_watch_init(&pool->watch);
	mutex_init(&pool->give_lock);
	pool->shares = RB_ROOT;
	init_waitqueue_head(&pool->space_wq);

	err = pool_build(pool);
	if (!err)
		err = pool_publish(pool);
	if (err) {
		pool_strip(pool);
		pool_unpublish(pool);
		pool_free(pool);
		return ERR_PTR(err);
	}
	__module_get(THIS_MODULE);
	trace_zcbuf_pool_create(pool->handle, zcb_pool_size(pool),
				pool->arenas[0]->order);
	pool_tell(pool, ZCBUF_EVENT_POOL_CREATED);
	return pool;
}

struct zcb_pool *zcb_pool_get(struct zcb_pool *pool)
{
	kref_get(&pool->ref);
	return pool;
}

static void pool_release(struct kref *ref)
{
	struct zcb_pool *pool = container_of(ref, struct zcb_pool, ref);

	queue_delayed_work(pools_wq, &pool->work, 0);
}

/**
 * zcb_pool_put - drop a reference
 * @pool: the pool; NULL and error pointers are ignored
 *
 * Context: any.
 */
void zcb_pool_put(struct zcb_pool *pool)
{
	if (!IS_ERR_OR_NULL(pool))
		kref_put(&pool->ref, pool_release);
}

/**
 * zcb_pool_largest - the largest block an empty arena has
 * @pool: the pool
 *
 * Context: any.
 * Return: bytes.
 */
u64 zcb_pool_largest(const struct zcb_pool *pool)
{
	return PAGE_SIZE << ilog2(pool->arenas[0]->npages);
}

/*
 * A number for a session or channel, to know whose memory was whose; neither 0
 * nor ZCB_BUF_NOBODY.
 */
u32 zcb_pool_domain(struct zcb_pool *pool)
{
	u32 domain;

	do
		domain = atomic_inc_return(&pool->next_domain);
	while (!domain || domain == ZCB_BUF_NOBODY);
	return domain;
}

/**
 * zcb_pool_page - a page by its number
 * @pool: the pool
 * @index: pages from its start
 *
 * Context: any; in an RCU read-side critical section, or with something of that
 * arena handed out: it may be retired.
 * Return: the page, without a reference, or NULL beyond the end and where an arena
 * was.
 */
struct page *zcb_pool_page(const struct zcb_pool *pool, u64 index)
{
	u32 in_arena = pool->arenas[0]->npages;
	u64 npages = (u64)in_arena * zcb_pool_arenas(pool);
	const struct zcb_arena *a;

	if (index >= npages)
		return NULL;
	index = array_index_nospec(index, npages);
	a = zcb_pool_arena_at(pool, index);
	return zcb_arena_mapped(a) ? zcb_arena_page(a, (u32)index % in_arena) :
				     NULL;
}

/* A free or release was refused. */
void zcb_pool_bad_free(struct zcb_pool *pool)
{
	spin_lock(&pool->mem_lock);
	pool->bad_frees++;
	spin_unlock(&pool->mem_lock);
}

/**
 * zcb_pool_space - memory or a credit came back
 * @pool: the pool
 *
 * The increment is ordered before the check for sleepers by the barrier in
 * wq_has_sleeper(); it pairs with the one in prepare_to_wait_event().
 *
 * Context: any but interrupt.
 */
void zcb_pool_space(struct zcb_pool *pool)
{
	atomic_inc(&pool->space_seq);
	if (wq_has_sleeper(&pool->space_wq))
		wake_up_interruptible_poll(&pool->space_wq,
					   EPOLLOUT | EPOLLWRNORM);
}

/**
 * zcb_pools_init - before the first pool
 *
 * Return: 0 or -ENOMEM.
 */
int zcb_pools_init(void)
{
	pools_wq = alloc_workqueue("zcbuf", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!pools_wq)
		return -ENOMEM;
	zcb_handles_init(&pools, ZCB_HANDLE_POOL, NULL, 0);
	return 0;
}

/**
 * zcb_pools_exit - after the last pool
 *
 * A pool holds the module, so at most the tail of pool_end() still runs.
 */
void zcb_pools_exit(void)
{
	destroy_workqueue(pools_wq);
	kvfree(pools.slots);
}

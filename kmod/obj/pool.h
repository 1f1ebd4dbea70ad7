/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pools: arenas, who is attached, what is handed out.
 *
 * LOCK ORDER of the whole module, outermost first:
 *
 *	mmap_lock		the core's; ->mmap and ->fault run under it
 *	pools_lock (mutex)	table and names of pools			pool.c
 *	pool->grow_lock (mutex)	one adds an arena at a time			grow.c
 *	pool->lock (mutex)	sessions and channels of a pool, ports
 *	channel->lock (mutex)	the stream of a channel			channel.c
 *	session->ready.lock (spin) which of its ports have something	ready.c
 *	pool->give_lock (mutex)	one gives buffers away at a time	give.c
 *	pool->mem_lock (spin)	buddies, buffer records, slab classes, counts
 *
 * hearts_lock (mutex, heart.c) says whose heartbeat is looked at; none of these is
 * taken under it but wait queues' own, nor it under one of them.
 *
 * Whoever allocates may be sent to shrink.c: it takes pools_lock if that is free, and
 * mem_lock.
 *
 * User memory is never accessed under any of them (it may be memory of a pool,
 * and a page fault takes mmap_lock). Nothing is allocated under mem_lock.
 * ->fault takes none of them: RCU keeps the pages it looks at, see retire.c. It locks
 * the page, as freeze.c does, who holds nothing else then.
 *
 * A session claims its attachment with a cmpxchg, so attaching needs no lock
 * that ->mmap, which is called under mmap_lock, could meet the wrong way round.
 */
#ifndef ZCB_OBJ_POOL_H
#define ZCB_OBJ_POOL_H

#include <linux/cleanup.h>
#include <linux/hashtable.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/rbtree_types.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/zcbuf.h>

#include "../core/buf.h"
#include "../core/fixed.h"
#include "../core/handle.h"
#include "../core/slab.h"
#include "account.h"
#include "arena.h"
#include "stat.h"
#include "watch.h"

struct inode;
struct mem_cgroup;
struct zcb_magazine;
struct zcb_session;
struct zcb_shown;

/*
 * An errno of this module's own: it would have to sleep for a lock or a long
 * while, and was told not to. Nothing was done; ask again where it may.
 */
#define ZCB_ESLEEP		1024

#define ZCB_POOL_ARENAS		ZCB_BUF_ARENAS
#define ZCB_POOL_MAX		((u64)1 << 40)	/* bytes a handle can tell */
#define ZCB_POOL_MAX_SESSIONS	4096
#define ZCB_POOL_MAX_CHANNELS	4096

/**
 * struct zcb_pool_config - how a pool is made
 * @name: 0-terminated, "" for none
 * @kind: ZCBUF_POOL_*
 * @flags: ZCBUF_POOL_F_*
 * @mode: permission bits
 * @nodes: as of struct zcb_arena
 * @arena_size: bytes; FIXED: room for @fixed
 * @max_size: how far it may grow, bytes; less than @arena_size: it does not
 * @inherited: fork() passes mappings on (pools made by a bare mmap())
 * @owned: with ZCBUF_POOL_F_OWNER: it is @uid's and @gid's, not the maker's
 * @uid: see @owned
 * @gid: see @owned
 * @slabs: classes, TIERS only
 * @fixed: classes, FIXED only
 */
struct zcb_pool_config {
	char name[ZCBUF_MAX_NAME + 1];
	u32 kind;
	u32 flags;
	u32 mode;
	nodemask_t nodes;
	u64 arena_size;
	u64 max_size;
	bool inherited;
	bool owned;
	kuid_t uid;
	kgid_t gid;
	struct zcb_slab_table slabs;
	struct zcb_fixed fixed;
};

/**
 * struct zcb_holdings - what a session holds of a pool's memory
 * @blocks: buffers that are blocks of pages
 * @leases: blocks leased to slab classes
 * @slabs: by class, its slabs; those with a free object first
 * @loans: objects of other sessions' slabs
 * @loan_bytes: bytes of those
 * @objects: slab objects out, those of @loans included
 * @object_bytes: bytes of them
 * @fixed: objects of fixed classes
 * @shares: buffers of any kind that others hold as well, and own
 * @nshares: how many
 * @share_bytes: bytes of them
 *
 * The pool's mem_lock.
 */
struct zcb_holdings {
	struct zcb_buf_list blocks;
	struct zcb_buf_list leases;
	struct list_head slabs[ZCB_SLAB_CLASSES];
	struct list_head loans;
	u64 loan_bytes;
	u64 objects;
	u64 object_bytes;
	struct zcb_fixed_list fixed;
	struct list_head shares;
	u64 nshares;
	u64 share_bytes;
};

enum zcb_pool_state {
	ZCB_POOL_LIVE,
	ZCB_POOL_ZOMBIE,	/* without sessions and maps, pages pinned */
	ZCB_POOL_DEAD,		/* nothing pinned any more */
};

/**
 * struct zcb_pause - a pool that could not grow of itself is left alone for a while
 * @pool: the pool
 * @on: written under its grow_lock and by @work, which ends that
 * @nodes: for whom, if not for all; as @on
 * @length: how long it was, ms; 0: it has grown since; grow_lock
 * @work: see above
 */
struct zcb_pause {
	struct zcb_pool *pool;
	bool on;
	nodemask_t nodes;
	u32 length;
	struct delayed_work work;
};

/**
 * struct zcb_pool - one trust domain of memory
 * @ref: sessions, map files, cursors, and that it persists; the last put frees
 *	from a workqueue
 * @work: that freeing, tried again while pages are pinned
 * @retry: when @work is tried again, jiffies
 * @handle: names the pool
 * @cfg: constant, but for the counts in @cfg.slabs and the objects of @cfg.fixed
 *	(@mem_lock; one that is taken is the taker's)
 * @payer: who pays
 * @memcg: memory cgroup of who made it, which pays as well, or NULL
 * @user: whom the objects of @cfg.fixed are charged to, or NULL
 * @uid: whose it is
 * @gid: of which group
 * @ipc_ns: number of the creator's ipc namespace, where the name lives
 * @inode: what all mappings of the pool hang from; i_size is zcb_pool_max_end()
 * @state: enum zcb_pool_state, pools_lock
 * @persistent: holds a reference to itself; written under pools_lock
 * @removed: its name is not its own any more; written under pools_lock
 * @mappings: map files
 * @tokens: pin tokens of all sessions
 * @grow_lock: one adds an arena at a time
 * @pause: it could not grow of itself
 * @node_pause: it could not, of memory of one node or another
 * @lock: guards @sessions, @nsessions, @channels, @quarantine
 * @sessions: attached
 * @nsessions: how many that live; read without the lock for its name
 * @nevicted: how many that do not; @lock
 * @joined: there was one
 * @channels: table of channels
 * @quarantine: sessions and exports that are gone, first the one that was first;
 *	@lock
 * @nquarantine: how many of them are sessions; @lock
 * @quarantine_work: takes them off
 * @quarantine_delay: when it looks again, jiffies
 * @quarantine_rest: how long it leaves the machine alone after a look, jiffies
 * @evicting: heartbeats of sessions that are evicted, and of which no call runs
 * @evict_work: has those leave, all at once
 * @evict_after: not before that, jiffies
 * @names: channels that have one, by it; @lock
 * @watch: changes of those
 * @next_domain: last domain given to a session or channel
 * @give_lock: who gives or shares a buffer holds it
 * @mem_lock: guards the fields below
 * @arenas: in order of pool offset, all of one size; they stay, but what they are
 *	made of does not
 * @narenas: how many; written under @grow_lock and @mem_lock. Whoever knows of a
 *	page by anything but one of them reads it with zcb_pool_arenas().
 * @retire_work: gives arenas back that are retired
 * @retire_wait: when that is tried again, jiffies; @retire_work's
 * @shrinking: some of them, which were empty, were retired by the kernel's wish, and
 *	@retire_work has not been there yet
 * @size: bytes of all arenas that are not gone
 * @idle: bytes of them that nobody has or gets, as their arena is retired
 * @bufs: records of all pages; none in FIXED pools
 * @magazines: blocks and slabs that came back, by CPU; none in FIXED pools
 * @kept: how many those are
 * @orphans: slabs of sessions that are gone, with objects that others have
 * @published: buffers that are groups of channels
 * @shares: of buffers that more than their owner hold, by handle and holder
 * @exported: bytes of buffers that dma-bufs hold, of each what it holds
 * @used: bytes handed out
 * @max_used: most there ever were
 * @min_free: least that was ever free to be had, bytes
 * @bad_frees: refused frees and releases
 * @control: its control page, or NULL; set once, with release
 * @space_wq: woken when memory or a credit comes back
 * @space_seq: counts those events, so that a waiter misses none
 */
struct zcb_pool {
	struct kref ref;
	struct delayed_work work;
	unsigned long retry;
	u64 handle;
	struct zcb_pool_config cfg;
	struct zcb_payer payer;
	struct mem_cgroup *memcg;
	struct zcb_user *user;
	kuid_t uid;
	kgid_t gid;
	u32 ipc_ns;
	struct inode *inode;
	u8 state;
	bool persistent;
	bool removed;
	atomic_t mappings;
	atomic_t tokens;

	struct mutex grow_lock;	/* arenas are added */
	struct zcb_pause pause;
	struct zcb_pause node_pause;
	struct delayed_work retire_work;
	unsigned long retire_wait;
	bool shrinking;

	struct mutex lock;	/* who is attached, channels, ports */
	struct list_head sessions;
	u32 nsessions;
	u32 nevicted;
	bool joined;
	struct zcb_handles channels;
	struct list_head quarantine;
	u32 nquarantine;
	struct delayed_work quarantine_work;
	unsigned long quarantine_delay;
	unsigned long quarantine_rest;
	struct llist_head evicting;
	struct delayed_work evict_work;
	unsigned long evict_after;
	DECLARE_HASHTABLE(names, 6);
	struct zcb_watch watch;
	atomic_t next_domain;

	struct mutex give_lock;	/* buffers change hands */

	spinlock_t mem_lock;	/* what is handed out */
	struct zcb_arena *arenas[ZCB_POOL_ARENAS];
	u32 narenas;
	u64 size;
	u64 idle;
	struct zcb_buf_table bufs;
	struct zcb_magazine *magazines;
	u32 kept;
	struct zcb_holdings orphans;
	struct zcb_holdings published;
	struct rb_root shares;
	u64 exported;
	u64 used;
	u64 max_used;
	u64 min_free;
	u64 bad_frees;

	struct zcb_shown *control;
	wait_queue_head_t space_wq;
	atomic_t space_seq;
};

int zcb_pools_init(void);
void zcb_pools_exit(void);

struct zcb_pool *zcb_pool_create(const struct zcb_pool_config *cfg,
				 kuid_t charge);
struct zcb_pool *zcb_pool_get(struct zcb_pool *pool);
void zcb_pool_put(struct zcb_pool *pool);
DEFINE_FREE(zcb_pool_put, struct zcb_pool *, zcb_pool_put(_T))
struct zcb_pool *zcb_pool_find(const char *name, kuid_t uid);
struct zcb_pool *zcb_pool_look_up(u64 handle);
bool zcb_pool_here(const struct zcb_pool *pool);
void zcb_pool_persist(struct zcb_pool *pool);
int zcb_pool_remove(struct zcb_pool *pool);

struct zcb_arena *zcb_pool_arena(const struct zcb_pool *pool, int nid,
				 const struct zcb_payer *payer,
				 struct zcb_buf_page **pages);
void zcb_pools_settle(void);
void zcb_pools_queue(struct delayed_work *work, unsigned long delay);
u64 zcb_pool_largest(const struct zcb_pool *pool);
u32 zcb_pool_domain(struct zcb_pool *pool);
struct page *zcb_pool_page(const struct zcb_pool *pool, u64 index);
void zcb_pool_bad_free(struct zcb_pool *pool);
void zcb_pool_space(struct zcb_pool *pool);

/* zcb_pool_arenas() - how many arenas there are, complete */
static inline u32 zcb_pool_arenas(const struct zcb_pool *pool)
{
	/* Pairs with the release in grow_publish(). */
	return smp_load_acquire(&pool->narenas);
}

/* zcb_pool_size() - bytes of all arenas that are not gone */
static inline u64 zcb_pool_size(const struct zcb_pool *pool)
{
	return READ_ONCE(pool->size);
}

/* zcb_pool_end() - the pool offset behind the last arena; only ever more */
static inline u64 zcb_pool_end(const struct zcb_pool *pool)
{
	return zcb_pool_arenas(pool) * pool->cfg.arena_size;
}

/*
 * zcb_pool_inhabited() - somebody is there to whom the name leads, or is about to
 * be, or it persists. Else only dead sessions, whose memory is in quarantine, may
 * be left.
 */
static inline bool zcb_pool_inhabited(const struct zcb_pool *pool)
{
	/* Pairs with zcb_session_join(): the first session is seen as well. */
	bool joined = smp_load_acquire(&pool->joined);

	return !joined || READ_ONCE(pool->persistent) ||
	       READ_ONCE(pool->nsessions) || atomic_read(&pool->mappings);
}

/*
 * zcb_pool_max_end() - what that may become: an arena that is gone leaves room for
 * another one, but not its place.
 */
static inline u64 zcb_pool_max_end(const struct zcb_pool *pool)
{
	u64 size = pool->cfg.arena_size;

	if (pool->cfg.max_size == size)
		return size;
	return min_t(u64, ZCB_POOL_ARENAS, ZCB_POOL_MAX / size) * size;
}

/* zcb_pool_arena_at() - the arena of page @page, which there is */
static inline struct zcb_arena *zcb_pool_arena_at(const struct zcb_pool *pool,
						  u32 page)
{
	return pool->arenas[page / pool->arenas[0]->npages];
}

/* zcb_pool_count_free() - after less has become free to be had */
static inline void zcb_pool_count_free(struct zcb_pool *pool)
{
	lockdep_assert_held(&pool->mem_lock);
	pool->min_free = min(pool->min_free,
			     pool->size - pool->used - pool->idle);
}

/* More arenas: grow.c. */
void zcb_pool_growth_init(struct zcb_pool *pool);
void zcb_pool_growth_end(struct zcb_pool *pool);
struct zcb_arena *zcb_pool_grow(struct zcb_pool *pool);
bool zcb_pool_may_grow(const struct zcb_pool *pool, int nid);
bool zcb_pool_grow_for(struct zcb_pool *pool, int nid, u32 narenas);

/* Fewer arenas: retire.c. */
void zcb_pool_retire_init(struct zcb_pool *pool);
void zcb_pool_retire_end(struct zcb_pool *pool);
int zcb_pool_retire(struct zcb_pool *pool, const struct zcb_session *s,
		    u32 index, bool now, u64 deadline_ns, u32 *state);
int zcb_pool_retire_cancel(struct zcb_pool *pool, u32 index, u32 *state);
void zcb_pool_retire_idle_locked(struct zcb_pool *pool);
u64 zcb_pool_spare(struct zcb_pool *pool);
u64 zcb_pool_retire_spare(struct zcb_pool *pool, u64 bytes);

/* Pages that nobody can write to: freeze.c. */
struct page *zcb_pool_page_get(const struct zcb_pool *pool, u64 index,
			       bool writer);
struct page *zcb_pool_page_lock(const struct zcb_pool *pool, u64 index,
				bool writer);
bool zcb_pool_freezes(const struct zcb_pool *pool, u64 offset, u64 length);

/* Inodes that mappings of a pool hang from: mapfs.c. */
int zcb_mapfs_pin(void);
void zcb_mapfs_unpin(void);
struct inode *zcb_mapfs_inode(struct zcb_pool *pool, u64 size);
void zcb_mapfs_put(struct inode *inode);
struct file *zcb_mapfs_file(struct zcb_pool *pool, struct zcb_session *s,
			    unsigned int flags);

#endif /* ZCB_OBJ_POOL_H */

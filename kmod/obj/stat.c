// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies of the state of pools, sessions, channels and arenas for the inspection
 * faces. Locks are taken in the order of pool.h and held only while copying.
 */
#include <linux/cred.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/string.h>

#include "channel.h"
#include "heart.h"
#include "magazine.h"
#include "pool.h"
#include "quarantine.h"
#include "session.h"
#include "stat.h"

static bool stat_in_group(const struct cred *cred, kgid_t gid)
{
	const struct group_info *gi = cred->group_info;
	int i;

	if (gid_eq(cred->egid, gid))
		return true;
	for (i = 0; i < gi->ngroups; i++)
		if (gid_eq(gi->gid[i], gid))
			return true;
	return false;
}

/**
 * zcb_pool_permits - what an attach by name would give
 * @pool: the pool
 * @cred: to whom
 * @privileged: may override the mode
 *
 * Context: any.
 * Return: ZCBUF_RIGHT_*, 0 if nothing.
 */
u32 zcb_pool_permits(const struct zcb_pool *pool, const struct cred *cred,
		     bool privileged)
{
	u32 mode = pool->cfg.mode;
	u32 rights = 0;

	if (privileged)
		return ZCBUF_RIGHTS_ALL;
	if (uid_eq(pool->uid, cred->euid)) {
		rights |= ZCBUF_RIGHT_ADMIN;
		mode >>= 6;
	} else if (stat_in_group(cred, pool->gid)) {
		mode >>= 3;
	}
	if (mode & 4)
		rights |= ZCBUF_RIGHT_MAP_READ | ZCBUF_RIGHT_CONSUME;
	if (mode & 2)
		rights |= ZCBUF_RIGHT_MAP_WRITE | ZCBUF_RIGHT_PRODUCE;
	return rights;
}

/* The largest that is free. */
static u64 stat_block_size(const struct zcb_buddy *b)
{
	int largest = zcb_buddy_largest(b);

	return largest < 0 ? 0 : (u64)PAGE_SIZE << largest;
}

static void stat_arenas_locked(const struct zcb_pool *pool,
			       struct zcb_pool_stat *st)
{
	u32 i;

	static_assert(BITS_PER_TYPE(st->present) >= ZCB_POOL_ARENAS);
	lockdep_assert_held(&pool->mem_lock);
	for (i = 0; i < pool->narenas; i++) {
		switch (pool->arenas[i]->state) {
		case ZCB_ARENA_RETIRING:
			st->retiring |= BIT_ULL(i);
			fallthrough;
		case ZCB_ARENA_LIVE:
			st->present |= BIT_ULL(i);
			break;
		case ZCB_ARENA_PINNED:
			st->retiring |= BIT_ULL(i);
			break;
		case ZCB_ARENA_GONE:
			break;
		}
	}
	st->arenas = hweight64(st->present | st->retiring);
}

static void stat_orders_locked(const struct zcb_pool *pool,
			       struct zcb_pool_stat *st)
{
	const u32 shift = PAGE_SHIFT - 12;	/* blocks count from 4096 */
	u32 i, order;

	lockdep_assert_held(&pool->mem_lock);
	for (i = 0; i < pool->narenas; i++) {
		const struct zcb_buddy *b = &pool->arenas[i]->buddy;

		if (!zcb_arena_open(pool->arenas[i]))
			continue;
		for (order = 0; order < ZCB_BUDDY_ORDERS; order++)
			st->order_free[order + shift] += b->nfree[order];
		st->largest_free = max(st->largest_free, stat_block_size(b));
	}
	st->norders = ilog2(pool->arenas[0]->npages) + shift + 1;
}

/* Objects that are free, and what is left over at the ends of slabs. */
static u64 stat_slab_waste(const struct zcb_slab_class *c)
{
	u64 slabs = c->total / c->nobjs;

	return (slabs << (c->order + PAGE_SHIFT)) - (u64)c->used * c->length;
}

static void stat_slabs_locked(const struct zcb_pool *pool,
			      struct zcb_pool_stat *st)
{
	const struct zcb_slab_table *t = &pool->cfg.slabs;
	u32 i;

	lockdep_assert_held(&pool->mem_lock);
	st->nclasses = t->n;
	for (i = 0; i < t->n; i++)
		st->classes[i] = (struct zcb_class_stat) {
			.length = t->class[i].length,
			.used = t->class[i].used,
			.total = t->class[i].total,
			.align = t->class[i].align,
			.waste = stat_slab_waste(&t->class[i]),
		};
}

/* The largest that is free. */
static u64 stat_object_size(const struct zcb_fixed *f)
{
	int largest = zcb_fixed_largest(f);

	return largest < 0 ? 0 : f->class[largest].length;
}

static void stat_fixed_locked(const struct zcb_pool *pool,
			      struct zcb_pool_stat *st)
{
	const struct zcb_fixed *f = &pool->cfg.fixed;
	u32 i;

	lockdep_assert_held(&pool->mem_lock);
	/* Not what lies behind and between the classes: nobody gets it. */
	st->min_free = f->capacity - pool->max_used;
	st->largest_free = stat_object_size(f);
	st->nclasses = f->n;
	for (i = 0; i < f->n; i++)
		st->classes[i] = (struct zcb_class_stat) {
			.length = f->class[i].length,
			.used = f->class[i].used,
			.total = f->class[i].count,
			.align = f->class[i].align,
			.offset = f->class[i].base,
			.min_free = f->class[i].count - f->class[i].max_used,
		};
}

/* What is free in one piece is so only when no CPU keeps a part of it. */
static void stat_memory_locked(struct zcb_pool *pool, struct zcb_pool_stat *st)
{
	lockdep_assert_held(&pool->mem_lock);
	zcb_magazine_drain_locked(pool);
	st->size = zcb_pool_size(pool);
	st->end = zcb_pool_end(pool);
	stat_arenas_locked(pool, st);
	st->used = pool->used;
	st->max_used = pool->max_used;
	st->min_free = pool->min_free;
	st->bad_frees = pool->bad_frees;
	st->exported = pool->exported;
	if (pool->cfg.kind == ZCBUF_POOL_FIXED) {
		stat_fixed_locked(pool, st);
		return;
	}
	stat_orders_locked(pool, st);
	stat_slabs_locked(pool, st);
}

/**
 * zcb_pool_stat - state of a pool
 * @pool: the pool; may be a zombie
 * @st: filled
 *
 * Context: may sleep.
 */
void zcb_pool_stat(struct zcb_pool *pool, struct zcb_pool_stat *st)
{
	memset(st, 0, sizeof(*st));
	st->handle = pool->handle;
	if (!READ_ONCE(pool->removed))
		strscpy(st->name, pool->cfg.name, sizeof(st->name));
	st->kind = pool->cfg.kind;
	st->flags = pool->cfg.flags;
	st->uid = pool->uid;
	st->gid = pool->gid;
	st->mode = pool->cfg.mode;
	st->max_size = pool->cfg.max_size;
	st->max_end = zcb_pool_max_end(pool);
	st->arena_size = pool->arenas[0]->size;
	st->page_order = pool->arenas[0]->order;
	st->mappings = atomic_read(&pool->mappings);
	st->tokens = atomic_read(&pool->tokens);
	st->zombie = READ_ONCE(pool->state) != ZCB_POOL_LIVE;

	scoped_guard(mutex, &pool->lock) {
		st->sessions = pool->nsessions;
		st->channels = pool->channels.live;
		zcb_quarantine_stat_locked(pool, &st->quarantine);
	}
	spin_lock(&pool->mem_lock);
	stat_memory_locked(pool, st);
	spin_unlock(&pool->mem_lock);
}

static void stat_port(struct zcb_port *port, struct zcb_session_stat *st)
{
	guard(mutex)(&port->channel->lock);
	st->ports += hweight32(port->kinds);
	if (port->kinds & ZCBUF_PORT_PRODUCE) {
		st->pending += port->producer.npending;
		st->pending_bytes += port->producer.pending_bytes;
	}
	if (port->kinds & ZCBUF_PORT_CONSUME) {
		st->held += port->consumer.nheld;
		st->held_bytes += port->consumer.held_bytes;
	}
	if (port->kinds & ZCBUF_PORT_RECV_FAILED) {
		st->held += port->failure.nheld;
		st->held_bytes += port->failure.held_bytes;
	}
}

/**
 * zcb_session_holds_locked - what a session has
 * @s: the session; its pool's lock is held
 * @st: the counts of what it has are filled
 *
 * Context: may sleep.
 */
void zcb_session_holds_locked(struct zcb_session *s,
			      struct zcb_session_stat *st)
{
	struct zcb_pool *pool = s->pool;
	struct zcb_port *port;
	unsigned long index;

	lockdep_assert_held(&pool->lock);
	xa_for_each(&s->ports, index, port)
		stat_port(port, st);

	spin_lock(&pool->mem_lock);
	st->buffers = s->hold.blocks.count + s->hold.objects +
		      s->hold.fixed.count + s->hold.nshares;
	st->bytes = zcb_holdings_bytes(&s->hold);
	spin_unlock(&pool->mem_lock);
}

static void stat_session_locked(struct zcb_pool *pool, struct zcb_session *s,
				struct zcb_session_stat *st)
{
	lockdep_assert_held(&pool->lock);
	memset(st, 0, sizeof(*st));
	st->id = s->id;
	st->pool = pool->handle;
	st->pid = pid_nr_ns(s->pid, task_active_pid_ns(current));
	strscpy(st->comm, s->comm, sizeof(st->comm));
	st->uid = s->uid;
	st->rights = s->rights;
	st->age_ns = ktime_get_ns() - s->opened_ns;
	zcb_heart_stat(s, &st->heart);
	st->evicted = zcb_session_evicted(s);
	zcb_session_holds_locked(s, st);
}

/**
 * zcb_pool_session_stat - walk the sessions of a pool
 * @pool: the pool
 * @cursor: 0 to begin with
 * @st: filled
 *
 * Context: may sleep.
 * Return: false if there are no more.
 */
bool zcb_pool_session_stat(struct zcb_pool *pool, u32 *cursor,
			   struct zcb_session_stat *st)
{
	struct zcb_session *s;

	guard(mutex)(&pool->lock);
	list_for_each_entry(s, &pool->sessions, in_pool) {
		/* Given out under the lock, so the list ascends by it. */
		if (s->domain <= *cursor)
			continue;
		*cursor = s->domain;
		stat_session_locked(pool, s, st);
		return true;
	}
	return false;
}

static void stat_channel(struct zcb_channel *ch, struct zcb_channel_stat *st)
{
	const struct zcb_stream *s = &ch->stream;

	guard(mutex)(&ch->lock);
	*st = (struct zcb_channel_stat) {
		.handle = ch->handle,
		.pool = ch->pool->handle,
		.flags = ch->cfg.flags,
		.threshold = ch->cfg.stream.threshold,
		.block = ch->cfg.stream.max_extent ?
			 zcb_stream_block(&ch->cfg.stream) : 0,
		.producers = ch->producers,
		.consumers = ch->consumers,
		.failed_ports = ch->failure_ports,
		.reservations = s->next_resv,
		.groups = s->next_group,
		.offset = s->offset,
		.outstanding = s->credit.taken,
		.max_outstanding = s->credit.max,
		.pending = s->npending,
		.queued = s->nqueued,
		.freezing = s->nfreezing,
		.parked = s->nparked,
		.failed = s->nfailed,
		.delivered = s->nheld,
		.stragglers = s->nstragglers,
		.bytes = s->bytes,
		.finalized = s->finalized,
		.named = ch->name,
		.history = ch->cfg.stream.history,
		.kept = s->nhistory,
		.lost = s->lost,
	};
	if (ch->name)
		st->name = *ch->name;
}

/**
 * zcb_pool_channel_stat - walk the channels of a pool
 * @pool: the pool
 * @cursor: 0 to begin with
 * @st: filled
 *
 * Context: may sleep.
 * Return: false if there are no more.
 */
bool zcb_pool_channel_stat(struct zcb_pool *pool, u32 *cursor,
			   struct zcb_channel_stat *st)
{
	struct zcb_channel *ch;

	guard(mutex)(&pool->lock);
	ch = zcb_handle_next(&pool->channels, cursor);
	if (!ch)
		return false;
	stat_channel(ch, st);
	return true;
}

/* The one arena of a FIXED pool is handed out by classes, not by its buddy. */
static void stat_arena_locked(const struct zcb_pool *pool,
			      const struct zcb_arena *a,
			      struct zcb_arena_stat *st)
{
	const struct zcb_buddy *b = &a->buddy;

	lockdep_assert_held(&pool->mem_lock);
	if (pool->cfg.kind == ZCBUF_POOL_FIXED) {
		st->used = pool->used;
		st->largest_free = stat_object_size(&pool->cfg.fixed);
		return;
	}
	if (!zcb_arena_mapped(a))
		return;
	st->used = (u64)(b->npages - b->free_pages) << PAGE_SHIFT;
	if (zcb_arena_open(a))
		st->largest_free = stat_block_size(b);
}

/**
 * zcb_pool_arena_stat - walk the arenas of a pool
 * @pool: the pool; may be a zombie
 * @cursor: 0 to begin with
 * @st: filled
 *
 * Arenas are only ever added, behind the others; one that is gone is passed over.
 *
 * Context: any but interrupt.
 * Return: false if there are no more.
 */
bool zcb_pool_arena_stat(struct zcb_pool *pool, u32 *cursor,
			 struct zcb_arena_stat *st)
{
	u32 n = zcb_pool_arenas(pool);
	const struct zcb_arena *a;

	while (*cursor < n &&
	       READ_ONCE(pool->arenas[*cursor]->state) == ZCB_ARENA_GONE)
		++*cursor;
	if (*cursor >= n)
		return false;
	a = pool->arenas[*cursor];
	*st = (struct zcb_arena_stat) {
		.pool = pool->handle,
		.index = *cursor,
		.offset = (u64)a->index << PAGE_SHIFT,
		.size = a->size,
		.page_order = a->order,
		.node = a->nid,
	};
	++*cursor;
	spin_lock(&pool->mem_lock);
	zcb_magazine_drain_locked(pool);
	st->state = a->state;
	stat_arena_locked(pool, a, st);
	spin_unlock(&pool->mem_lock);
	return true;
}

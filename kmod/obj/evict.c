// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eviction: a session that hangs is treated as dead, though its file is open. What
 * that needs, death brings along:
 *
 *	no call of it runs	a new one is refused, one that waits is told so, and
 *				those that run are waited for
 *	it stores nowhere	its mappings are taken back for good, before anything
 *				of what it has is given to others
 *
 * Then it leaves as one that is closed does, with the same regard for what I/O may
 * still write. Its file keeps what is left: an answer for who calls it, and a line
 * for inspection.
 */
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/llist.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>

#include "../face/trace.h"
#include "event.h"
#include "evict.h"
#include "heart.h"
#include "ready.h"
#include "watch.h"

#define ZCB_EVICT_REST	4	/* times what revoking took */

/**
 * zcb_evict_begin - a session is dead from now on
 * @s: the session, attached, with a heartbeat; not evicted yet
 *
 * Context: may sleep; zcb_heart_end() waits for what goes on from here.
 */
void zcb_evict_begin(struct zcb_session *s)
{
	zcb_session_get(s);
	WRITE_ONCE(s->evicted, true);
	/* Before that of its end, which may come as soon as no call runs. */
	zcb_event_tell(&(struct zcb_event){
		.kind = ZCBUF_EVENT_SESSION_EVICTED, .pool = s->pool,
		.session = s,
	});
	percpu_ref_kill(&s->calls);
	/* Each counts, or looks with a barrier, so nobody goes to sleep who has not seen this. */
	zcb_session_event(s, EPOLLERR | EPOLLHUP);
	zcb_pool_space(s->pool);
	zcb_watch_wake(&s->pool->watch);
	zcb_ready_wake_all(&s->ready);
}

/* Not at once if the last time has cost much. The first brings those that follow. */
static void evict_queue(struct zcb_pool *pool)
{
	unsigned long after = READ_ONCE(pool->evict_after);
	unsigned long now = jiffies;

	zcb_pools_queue(&pool->evict_work,
			time_before(now, after) ? after - now : 0);
}

/*
 * zcb_evict_quiet() - no call of a session that is being evicted is running any more;
 * any context
 */
void zcb_evict_quiet(struct percpu_ref *calls)
{
	struct zcb_session *s = container_of(calls, struct zcb_session, calls);
	struct zcb_pool *pool = zcb_pool_get(s->pool);

	/* What is on its way already may take the session, and it the pool. */
	llist_add(&s->heart->evicting, &pool->evicting);
	evict_queue(pool);
	zcb_pool_put(pool);
}

/* With a reference, or NULL if nobody has it locked, or it cannot be mapped. */
static struct folio *evict_locked_folio(const struct zcb_arena *a, u32 index)
{
	struct folio *folio;

	guard(rcu)();
	if (!zcb_arena_mapped(a))
		return NULL;
	folio = page_folio(zcb_arena_page(a, index));
	if (!folio_test_locked(folio))
		return NULL;
	folio_get(folio);
	return folio;
}

/*
 * Whoever faults looks whether it has been revoked with the page locked, and maps it
 * before that is unlocked. So who has not seen it has mapped the page after this. He
 * had the page from an arena that was there before.
 */
static void evict_await_faults(const struct zcb_pool *pool)
{
	u32 i, page, n = zcb_pool_arenas(pool);

	for (i = 0; i < n; i++) {
		const struct zcb_arena *a = pool->arenas[i];

		for (page = 0; page < a->npages; page += 1U << a->order) {
			struct folio *folio = evict_locked_folio(a, page);

			if (folio) {
				folio_wait_locked(folio);
				folio_put(folio);
			}
			cond_resched();
		}
	}
}

/*
 * The barrier pairs with that of zcb_evict_revoked(): a mapping that is not counted
 * here yet sees by its faults that it has been revoked.
 */
static bool evict_mark(struct llist_node *list)
{
	struct zcb_heart *h;
	bool maps = false;

	llist_for_each_entry(h, list, evicting)
		WRITE_ONCE(h->session->revoked, true);
	/* See above. */
	smp_mb();
	llist_for_each_entry(h, list, evicting)
		maps |= atomic_read(&h->session->maps);
	return maps;
}

/*
 * Of all of them at once: it costs as much as the pool is large, and others who have
 * mapped it find their pages again by faults. Therefore it rests in proportion too.
 */
static void evict_revoke(struct zcb_pool *pool, struct llist_node *list)
{
	ktime_t began = ktime_get();
	u64 took;

	if (!evict_mark(list))
		return;
	evict_await_faults(pool);
	unmap_mapping_range(pool->inode->i_mapping, 0, 0, 1);
	took = ktime_to_ns(ktime_sub(ktime_get(), began));
	WRITE_ONCE(pool->evict_after,
		   jiffies + nsecs_to_jiffies(ZCB_EVICT_REST * took));
}

/* Its file is there as long as that is not done, see zcb_heart_end(). */
static void evict_leave(struct zcb_heart *h)
{
	struct zcb_session *s = h->session;
	bool all = zcb_session_leave(s);

	trace_zcbuf_evict(s->pool->handle, s->id, all);
	if (all)
		zcb_session_put(s);
	complete_all(&h->evicted);
}

/*
 * Of sessions no call of which is running. The last of them may hold the last
 * reference to the pool, whose end then waits for this to return.
 */
static void evict_work(struct work_struct *work)
{
	struct zcb_pool *pool = container_of(to_delayed_work(work),
					     struct zcb_pool, evict_work);
	struct llist_node *list = llist_del_all(&pool->evicting);
	struct zcb_heart *h, *next;

	if (!list)
		return;
	list = llist_reverse_order(list);
	evict_revoke(pool, list);
	llist_for_each_entry_safe(h, next, list, evicting)
		evict_leave(h);
}

/* zcb_evict_init() - of a pool that is being made */
void zcb_evict_init(struct zcb_pool *pool)
{
	init_llist_head(&pool->evicting);
	INIT_DELAYED_WORK(&pool->evict_work, evict_work);
	pool->evict_after = jiffies;
}

/* zcb_evict_end() - of a pool that nobody has any more; may sleep */
void zcb_evict_end(struct zcb_pool *pool)
{
	cancel_delayed_work_sync(&pool->evict_work);
}

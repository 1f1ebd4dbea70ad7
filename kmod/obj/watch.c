// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which channels with a name there are, for sessions that look for others. What
 * changes that is counted and wakes who waits for it: a channel that comes, goes or
 * is finalized, a port that is opened or closed; never a message.
 *
 * Nobody is remembered: who asks says which count he has seen. It is read before
 * the list is, so what changes meanwhile is a reason to ask again.
 */
#include <linux/poll.h>

#include "channel.h"
#include "pool.h"
#include "session.h"
#include "watch.h"

/* zcb_watch_init() - of a pool that is being made */
void zcb_watch_init(struct zcb_watch *w)
{
	atomic64_set(&w->generation, 1);
	init_waitqueue_head(&w->wq);
}

/**
 * zcb_watch_wake - who waits looks again
 * @w: the pool's
 *
 * Context: any but interrupt.
 */
void zcb_watch_wake(struct zcb_watch *w)
{
	/* Pairs with zcb_watch_wait(). */
	smp_mb__before_atomic();
	atomic_inc(&w->seq);
	if (wq_has_sleeper(&w->wq))
		wake_up_interruptible(&w->wq);
}

/**
 * zcb_watch_changed - what is listed of a channel has changed
 * @ch: the channel
 *
 * The order is that of zcb_session_event(). The generation comes first: who has read
 * the new @seq sees it. Who polls is found where he waits for room: io_uring polls
 * two queues of a file, and no more.
 *
 * Context: any but interrupt.
 */
void zcb_watch_changed(const struct zcb_channel *ch)
{
	struct zcb_pool *pool = ch->pool;
	struct zcb_watch *w = &pool->watch;

	if (!ch->name)
		return;
	atomic64_inc(&w->generation);
	zcb_watch_wake(w);
	if (wq_has_sleeper(&pool->space_wq))
		wake_up_interruptible_poll(&pool->space_wq, EPOLLPRI);
}

/**
 * zcb_watch_wait - until something has changed
 * @s: who waits, or NULL
 * @pool: the pool
 * @since: the count the caller has seen, or 0
 * @deadline_ns: as of zcb_wait()
 * @generation: set: the count now, which is another one
 *
 * Context: may sleep; no lock is held.
 * Return: 0, -EAGAIN, -ETIMEDOUT, -ERESTARTSYS, -ESTALE.
 */
int zcb_watch_wait(const struct zcb_session *s, struct zcb_pool *pool,
		   u64 since, u64 deadline_ns, u64 *generation)
{
	struct zcb_watch *w = &pool->watch;
	int seen, err = 0;

	do {
		/* Pairs with the barrier in zcb_watch_wake(). */
		seen = atomic_read_acquire(&w->seq);
		*generation = atomic64_read(&w->generation);
		if (*generation != since)
			return 0;
		err = zcb_wait(s, &w->wq, &w->seq, seen, deadline_ns);
	} while (!err);
	return err;
}

static void watch_entry(struct zcb_channel *ch, struct zcbuf_watch_entry *e)
{
	guard(mutex)(&ch->lock);
	*e = (struct zcbuf_watch_entry){
		.channel = ch->handle,
		.flags = ch->cfg.flags,
		.state = ch->stream.finalized ? ZCBUF_WATCH_FINALIZED : 0,
		.producers = ch->producers,
		.consumers = ch->consumers,
		.name = *ch->name,
	};
}

/**
 * zcb_watch_next - walk the channels with a name
 * @pool: the pool
 * @cursor: 0 to begin with
 * @e: filled
 *
 * Context: may sleep.
 * Return: false if there are no more.
 */
bool zcb_watch_next(struct zcb_pool *pool, u32 *cursor,
		    struct zcbuf_watch_entry *e)
{
	struct zcb_channel *ch;

	guard(mutex)(&pool->lock);
	do
		ch = zcb_handle_next(&pool->channels, cursor);
	while (ch && !ch->name);
	if (ch)
		watch_entry(ch, e);
	return ch;
}

/* zcb_watch_seen() - the session has been told what there was then */
void zcb_watch_seen(struct zcb_session *s, u64 generation)
{
	WRITE_ONCE(s->watched, generation);
}

/* zcb_watch_unseen() - it watches, and there is something it has not been told */
bool zcb_watch_unseen(const struct zcb_session *s)
{
	u64 seen = READ_ONCE(s->watched);

	return seen && seen != atomic64_read(&s->pool->watch.generation);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The producer's side of channels: reserve, commit, abort, flush, finalize,
 * and what a stream asks of its channel. Buffers come in by publish.c. Ports are
 * port.c, the consumer's side is queue.c.
 *
 * channel->lock is a mutex; under it the stream calls back to give pages and
 * groups away. RESERVE brings memory: it asks the stream under the lock what
 * it needs, gets that without the lock (zeroed, so nobody sees old bytes), and
 * asks again, until the answer fits what it has.
 */
#include <linux/ktime.h>
#include <linux/slab.h>

#include "../face/trace.h"
#include "account.h"
#include "channel.h"
#include "freeze.h"

#define ZCB_CHANNEL_PAY		64U	/* credits charged at a time */

static struct kmem_cache *resv_cache;
static struct kmem_cache *group_cache;

static struct zcb_channel *channel_of(struct zcb_stream *s)
{
	return container_of(s, struct zcb_channel, stream);
}

static void channel_give_pages(struct zcb_stream *s, u64 pool_offset, u32 pages)
{
	zcb_memory_put(channel_of(s)->pool, pool_offset, pages);
}

static void channel_free_group(struct zcb_stream *s, struct zcb_group *g)
{
	struct zcb_channel *ch = channel_of(s);
	struct zcb_resv *r, *next;
	u32 i;

	trace_zcbuf_group_free(ch->handle, g->id);
	zcb_freeze_thaw(ch, g);
	for (i = 0; i < g->nextents && !g->handle; i++)
		zcb_memory_put(ch->pool, g->extents[i].pool_offset,
			       g->extents[i].pages);
	if (g->handle)
		zcb_memory_free(ch->pool, &ch->pool->published, g->handle);
	list_for_each_entry_safe(r, next, &g->resvs, in_group)
		kmem_cache_free(resv_cache, r);
	kmem_cache_free(group_cache, g);
	/* Its credits are back, even if it held no page. */
	zcb_pool_space(ch->pool);
	cond_resched();
}

static void channel_room(struct zcb_stream *s)
{
	zcb_pool_space(channel_of(s)->pool);
}

static void channel_freeze(struct zcb_stream *s)
{
	zcb_freeze_begin(channel_of(s));
}

static bool channel_quiet(struct zcb_stream *s, struct zcb_group *g)
{
	return zcb_freeze_quiet(channel_of(s), g);
}

const struct zcb_stream_ops zcb_channel_stream_ops = {
	.give_pages	= channel_give_pages,
	.free_group	= channel_free_group,
	.ready		= zcb_queue_ready,
	.show		= zcb_queue_show,
	.claim		= zcb_queue_claim,
	.await		= zcb_queue_await,
	.room		= channel_room,
	.freeze		= channel_freeze,
	.quiet		= channel_quiet,
};

/**
 * zcb_channel_check_locked - is it a port of this kind
 * @port: the port; its channel's lock is held
 * @kind: ZCBUF_PORT_*
 *
 * Return: 0 or -EPERM.
 */
int zcb_channel_check_locked(const struct zcb_port *port, u32 kind)
{
	lockdep_assert_held(&port->channel->lock);
	return port->kinds & kind ? 0 : -EPERM;
}

/**
 * zcb_channel_pay_locked - for the records of one more reservation
 * @ch: the channel; its lock is held
 *
 * Records are memory as well: they are charged before the stream has them, for
 * some credits at a time, until the channel ends.
 *
 * Return: 0 or -ENOMEM.
 */
int zcb_channel_pay_locked(struct zcb_channel *ch)
{
	u32 credits = min(ZCB_CHANNEL_PAY, ch->cfg.stream.max_outstanding);
	u64 bytes = credits * (sizeof(struct zcb_resv) +
			       sizeof(struct zcb_group));
	int err;

	lockdep_assert_held(&ch->lock);
	if (ch->stream.credit.taken < ch->paid)
		return 0;
	err = zcb_account_charge(bytes, &ch->payer, &ch->user);
	if (err)
		return err;
	ch->charged += bytes;
	ch->paid += credits;
	return 0;
}

/* What RESERVE has brought so far, and what it did not get. */
struct channel_supply {
	struct zcb_stream_supply s;
	u64 bytes;			/* of the extent; 0: none */
	u32 why;			/* ZCBUF_WHY_* of the last -EAGAIN */
};

static void supply_drop_extent(struct zcb_channel *ch, struct channel_supply *s)
{
	if (s->bytes)
		zcb_memory_put(ch->pool, s->s.pool_offset, s->s.pages);
	s->bytes = 0;
	s->s.pages = 0;
}

/**
 * zcb_channel_records - what a reservation needs to be known by
 * @s: has some of it, or none; has it then
 * @group: those of a group of its own as well
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int zcb_channel_records(struct zcb_stream_supply *s, bool group)
{
	if (!s->resv)
		s->resv = kmem_cache_alloc(resv_cache, GFP_KERNEL);
	if (!s->resv)
		return -ENOMEM;
	if (group && !s->group)
		s->group = kmem_cache_alloc(group_cache, GFP_KERNEL);
	if (group && !s->group)
		return -ENOMEM;
	if (!group && s->group) {
		kmem_cache_free(group_cache, s->group);
		s->group = NULL;
	}
	return 0;
}

/**
 * zcb_channel_records_free - they were not needed
 * @s: has some, or none
 */
void zcb_channel_records_free(struct zcb_stream_supply *s)
{
	if (s->group)
		kmem_cache_free(group_cache, s->group);
	if (s->resv)
		kmem_cache_free(resv_cache, s->resv);
}

static void supply_free(struct zcb_channel *ch, struct channel_supply *s)
{
	supply_drop_extent(ch, s);
	zcb_channel_records_free(&s->s);
}

static bool supply_fits(const struct channel_supply *s,
			const struct zcb_group_plan *plan)
{
	return s->s.resv && s->bytes == plan->extent_bytes &&
	       !s->s.group == !plan->group;
}

/* -EAGAIN: the pool has no such block now. */
static int supply_get_extent(struct zcb_channel *ch, struct channel_supply *s,
			     u64 bytes, bool nowait)
{
	int err;

	err = nowait ? zcb_memory_get_nowait(ch->pool, bytes, ch->domain,
					     &s->s.pool_offset, &s->s.pages) :
		       zcb_memory_get(ch->pool, bytes, ch->domain,
				      &s->s.pool_offset, &s->s.pages);
	if (err == -ENOMEM) {
		s->why |= ZCBUF_WHY_MEMORY;
		return -EAGAIN;
	}
	if (!err)
		s->bytes = bytes;
	return err;
}

static int supply_get(struct zcb_channel *ch, struct channel_supply *s,
		      const struct zcb_group_plan *plan, bool nowait)
{
	int err = zcb_channel_records(&s->s, plan->group);

	if (err)
		return err;
	if (s->bytes == plan->extent_bytes)
		return 0;
	supply_drop_extent(ch, s);
	if (!plan->extent_bytes)
		return 0;
	return supply_get_extent(ch, s, plan->extent_bytes, nowait);
}

static void channel_arm_age_locked(struct zcb_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	if (ch->cfg.max_age_us)
		schedule_delayed_work(&ch->age,
				      usecs_to_jiffies(ch->cfg.max_age_us));
}

/* Seals the group that is open if it is old enough, else comes again. */
void zcb_channel_age(struct work_struct *work)
{
	struct zcb_channel *ch = container_of(to_delayed_work(work),
					      struct zcb_channel, age);
	u64 max_ns = (u64)ch->cfg.max_age_us * NSEC_PER_USEC;
	u64 now, age;

	guard(mutex)(&ch->lock);
	if (!ch->stream.open)
		return;
	/* Under the lock: no group is younger than now. */
	now = ktime_get_ns();
	age = now - ch->stream.open->opened_ns;
	if (age >= max_ns)
		zcb_stream_flush(&ch->stream, now);
	else
		schedule_delayed_work(&ch->age,
				      nsecs_to_jiffies(max_ns - age) + 1);
}

static void channel_reserve_locked(struct zcb_port *port,
				   struct zcbuf_reservation *r, bool window,
				   struct channel_supply *supply)
{
	struct zcb_channel *ch = port->channel;
	bool opens = supply->s.group && !window;
	struct zcb_resv *resv;

	lockdep_assert_held(&ch->lock);
	resv = zcb_stream_reserve(&ch->stream, &port->producer, r->length,
				  window, &supply->s, ktime_get_ns());
	memset(supply, 0, sizeof(*supply));	/* it is the stream's now */
	r->out_id = resv->id;
	r->out_group = resv->group->id;
	r->out_offset = resv->offset;
	r->out_pool_offset = resv->pool_offset;
	if (!opens || !ch->stream.open)
		return;
	channel_arm_age_locked(ch);
	/* Who found no memory for a group of his own may have room in this. */
	zcb_pool_space(ch->pool);
}

/*
 * Is there a reason not to wait? Another producer may have opened a group that
 * has room meanwhile, or given memory back. If not, what is in the open group
 * has to get out first: its memory might be the room.
 */
static bool channel_look_again(struct zcb_channel *ch, u64 length, bool window)
{
	struct zcb_group_plan plan;
	int err;

	guard(mutex)(&ch->lock);
	err = zcb_stream_plan(&ch->stream, length, window, &plan);
	if (err)
		return err != -EAGAIN;
	if (!plan.extent_bytes || zcb_memory_room(ch->pool, plan.extent_bytes))
		return true;
	return zcb_stream_flush(&ch->stream, ktime_get_ns());
}

/* Returns 1 to try again. */
static int channel_wait_room(const struct zcb_port *port, u64 length,
			     bool window, int seen, u64 deadline_ns)
{
	struct zcb_channel *ch = port->channel;
	struct zcb_pool *pool = ch->pool;

	/* Who has been killed makes no pool grow: it would look again for ever. */
	if (fatal_signal_pending(current))
		return -ERESTARTSYS;
	if (deadline_ns && channel_look_again(ch, length, window))
		return 1;
	return zcb_wait(port->session, &pool->space_wq, &pool->space_seq, seen,
			deadline_ns) ?: 1;
}

static int channel_try_reserve_locked(struct zcb_port *port,
				      struct zcbuf_reservation *r, u32 flags,
				      struct channel_supply *supply,
				      struct zcb_group_plan *plan)
{
	struct zcb_channel *ch = port->channel;
	bool window = flags & ZCBUF_RESERVE_F_WINDOW;
	int err;

	lockdep_assert_held(&ch->lock);
	err = zcb_channel_check_locked(port, ZCBUF_PORT_PRODUCE);
	if (err)
		return err;
	if (flags & ZCBUF_RESERVE_F_NEED_CONSUMER && !ch->consumers)
		return -EPIPE;
	err = zcb_stream_plan(&ch->stream, r->length, window, plan);
	if (err == -EAGAIN && zcb_topic_spare(&ch->stream))
		err = zcb_stream_plan(&ch->stream, r->length, window, plan);
	/* If there is no memory for the plan, it is in what is parked, maybe. */
	supply->why = err == -EAGAIN ? zcb_stream_why(&ch->stream) :
				       zcb_stream_parked(&ch->stream);
	if (err)
		return err;
	if (!supply_fits(supply, plan))
		return 1;
	/* Last: whoever fails for another reason has been charged nothing. */
	err = zcb_channel_pay_locked(ch);
	if (err)
		return err;
	channel_reserve_locked(port, r, window, supply);
	return 0;
}

/* 0 done, 1 @plan says what to bring, else an error. */
static int channel_try_reserve(struct zcb_port *port,
			       struct zcbuf_reservation *r, u32 flags,
			       struct channel_supply *supply,
			       struct zcb_group_plan *plan, bool nowait)
{
	struct zcb_channel *ch = port->channel;
	int err;

	if (!nowait)
		mutex_lock(&ch->lock);
	else if (!mutex_trylock(&ch->lock))
		return -ZCB_ESLEEP;
	err = channel_try_reserve_locked(port, r, flags, supply, plan);
	mutex_unlock(&ch->lock);
	return err;
}

static void channel_trace_reserve(const struct zcb_channel *ch,
				  const struct zcbuf_reservation *r)
{
	trace_zcbuf_reserve(ch->handle, r->out_id, r->out_group, r->out_offset,
			    r->length);
}

/**
 * zcb_channel_reserve - space in the stream
 * @port: of the caller
 * @r: @length in, all else out
 * @flags: ZCBUF_RESERVE_F_*
 * @deadline_ns: how long to wait for room: 0, absolute, or NO_DEADLINE
 * @why: set: ZCBUF_WHY_* of -EAGAIN and -ETIMEDOUT, else 0
 *
 * Context: may sleep.
 * Return: 0, -EINVAL, -E2BIG, -EPERM, -EPIPE, -ESHUTDOWN, -ENOMEM (bookkeeping),
 * -EAGAIN, -ETIMEDOUT, -ERESTARTSYS.
 */
int zcb_channel_reserve(struct zcb_port *port, struct zcbuf_reservation *r,
			u32 flags, u64 deadline_ns, u32 *why)
{
	struct zcb_channel *ch = port->channel;
	struct channel_supply supply = {};
	struct zcb_group_plan plan;
	int seen, err;

	do {
		seen = atomic_read(&ch->pool->space_seq);
		err = channel_try_reserve(port, r, flags, &supply, &plan,
					  false);
		if (err == 1)
			err = supply_get(ch, &supply, &plan, false) ?: 1;
		if (err != -EAGAIN)
			continue;
		/* Nobody waits with memory in his hands. */
		supply_drop_extent(ch, &supply);
		err = channel_wait_room(port, r->length,
					flags & ZCBUF_RESERVE_F_WINDOW, seen,
					deadline_ns);
	} while (err == 1);

	*why = zcb_channel_why(err, supply.why);
	supply_free(ch, &supply);
	if (!err)
		channel_trace_reserve(ch, r);
	return err;
}

/**
 * zcb_channel_reserve_nowait - the same for who must not sleep
 * @port: of the caller
 * @r: @length in, all else out
 * @flags: ZCBUF_RESERVE_F_*
 * @why: as zcb_channel_reserve()
 *
 * Context: a task's; does not sleep but for memory of its records.
 * Return: as zcb_channel_reserve() with no time to wait, or -ZCB_ESLEEP: nothing
 * was done, ask again where it may sleep.
 */
int zcb_channel_reserve_nowait(struct zcb_port *port,
			       struct zcbuf_reservation *r, u32 flags,
			       u32 *why)
{
	struct zcb_channel *ch = port->channel;
	struct channel_supply supply = {};
	struct zcb_group_plan plan;
	int err;

	do {
		err = channel_try_reserve(port, r, flags, &supply, &plan, true);
		if (err == 1)
			err = supply_get(ch, &supply, &plan, true) ?: 1;
	} while (err == 1);
	*why = zcb_channel_why(err, supply.why);
	supply_free(ch, &supply);
	if (!err)
		channel_trace_reserve(ch, r);
	return err;
}

/* Others get the lock in between. */
static int channel_each_apart(struct zcb_port *port, zcb_channel_one *one,
			      const void *entries, size_t size, u32 n,
			      u32 *done)
{
	int err;

	for (; *done < n; ++*done) {
		mutex_lock(&port->channel->lock);
		err = one(port, entries + *done * size);
		mutex_unlock(&port->channel->lock);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

/* Nothing, or all of it: in the middle it would be too late to say no. */
static int channel_each_nowait(struct zcb_port *port, zcb_channel_one *one,
			       const void *entries, size_t size, u32 n,
			       u32 *done)
{
	int err = 0;

	if (!mutex_trylock(&port->channel->lock))
		return -ZCB_ESLEEP;
	for (; *done < n && !err; *done += !err)
		err = one(port, entries + *done * size);
	mutex_unlock(&port->channel->lock);
	return err;
}

/**
 * zcb_channel_each - one entry of a batch after the other
 * @port: of the caller
 * @one: does one, under the channel's lock
 * @entries: for it
 * @size: bytes of one
 * @n: how many; with @nowait not too many, as the lock is held for all of them
 * @nowait: do not sleep for the lock
 * @done: set: how many were done
 *
 * Context: may sleep for the lock if not @nowait.
 * Return: 0, what @one said of the first that was not done, or -ZCB_ESLEEP:
 * nothing was done, ask again where it may sleep.
 */
int zcb_channel_each(struct zcb_port *port, zcb_channel_one *one,
		     const void *entries, size_t size, u32 n, bool nowait,
		     u32 *done)
{
	*done = 0;
	return nowait ? channel_each_nowait(port, one, entries, size, n, done) :
			channel_each_apart(port, one, entries, size, n, done);
}

static int channel_commit_locked(struct zcb_port *port, const void *entry)
{
	const struct zcb_stream_commit *c = entry;
	struct zcb_channel *ch = port->channel;
	int err;

	err = zcb_channel_check_locked(port, ZCBUF_PORT_PRODUCE);
	if (!err)
		err = zcb_stream_commit(&ch->stream, &port->producer, c,
					ktime_get_ns());
	trace_zcbuf_commit(ch->handle, c->id, c->length, err);
	return err;
}

/**
 * zcb_channel_commit_all - reservations are written
 * @port: of the caller
 * @c: which, and how much
 * @n: how many
 * @nowait: as of zcb_channel_each()
 * @done: set: how many were committed
 *
 * Context: as zcb_channel_each(); allocates nothing.
 * Return: 0 or the errors of struct zcbuf_commit_entry; -ZCB_ESLEEP.
 */
int zcb_channel_commit_all(struct zcb_port *port,
			   const struct zcb_stream_commit *c, u32 n,
			   bool nowait, u32 *done)
{
	return zcb_channel_each(port, channel_commit_locked, c, sizeof(*c), n,
				nowait, done);
}

static int channel_abort_locked(struct zcb_port *port, const void *entry)
{
	const struct zcbuf_abort_entry *e = entry;
	struct zcb_channel *ch = port->channel;
	int err;

	err = zcb_channel_check_locked(port, ZCBUF_PORT_PRODUCE);
	if (!err)
		err = zcb_stream_abort(&ch->stream, &port->producer, e->group,
				       e->id, ktime_get_ns());
	trace_zcbuf_abort(ch->handle, e->id, err);
	return err;
}

/**
 * zcb_channel_abort_all - reservations fail
 * @port: of the caller
 * @e: which
 * @n: how many
 * @nowait: as of zcb_channel_each()
 * @done: set: how many were aborted
 *
 * Context: as zcb_channel_each(); allocates nothing.
 * Return: 0 or the errors of struct zcbuf_abort_entry; -ZCB_ESLEEP.
 */
int zcb_channel_abort_all(struct zcb_port *port,
			  const struct zcbuf_abort_entry *e, u32 n,
			  bool nowait, u32 *done)
{
	return zcb_channel_each(port, channel_abort_locked, e, sizeof(*e), n,
				nowait, done);
}

/**
 * zcb_channel_flush - seal the open group
 * @port: of the caller
 * @sealed: was there one
 *
 * Context: may sleep for the lock.
 * Return: 0, -EPERM, -ESHUTDOWN.
 */
int zcb_channel_flush(struct zcb_port *port, bool *sealed)
{
	struct zcb_channel *ch = port->channel;
	int err;

	guard(mutex)(&ch->lock);
	err = zcb_channel_check_locked(port, ZCBUF_PORT_PRODUCE);
	if (err)
		return err;
	if (ch->stream.finalized)
		return -ESHUTDOWN;
	*sealed = zcb_stream_flush(&ch->stream, ktime_get_ns());
	return 0;
}

/**
 * zcb_channel_finalize - end the stream
 * @port: of the caller
 * @n: what this call did
 *
 * Context: may sleep for the lock; allocates nothing.
 * Return: 0, -EPERM.
 */
int zcb_channel_finalize(struct zcb_port *port, struct zcb_stream_counts *n)
{
	struct zcb_channel *ch = port->channel;
	int err;

	scoped_guard(mutex, &ch->lock) {
		err = zcb_channel_check_locked(port, ZCBUF_PORT_PRODUCE);
		if (err)
			return err;
		zcb_stream_finalize(&ch->stream, ktime_get_ns(), n);
	}
	trace_zcbuf_finalize(ch->handle, n->success, n->failure,
			     n->reservations);
	zcb_pool_space(ch->pool);	/* whoever waits is told ESHUTDOWN */
	zcb_watch_changed(ch);
	return 0;
}

/**
 * zcb_channel_writable_locked - would a reserve of the usual size, or a publish to a
 * topic, not say -EAGAIN
 * @ch: the channel; its lock is held
 *
 * Context: any that may hold the lock.
 * Return: true if so.
 */
bool zcb_channel_writable_locked(struct zcb_channel *ch)
{
	struct zcb_group_plan plan;
	int err;

	lockdep_assert_held(&ch->lock);
	if (ch->cfg.stream.topic)
		return zcb_topic_plan(&ch->stream, 1) != -EAGAIN ||
		       (zcb_topic_could_spare(&ch->stream) &&
			zcb_topic_room(&ch->stream));
	err = zcb_stream_plan(&ch->stream, ch->cfg.stream.max_reservation,
			      false, &plan);
	if (err)
		return err != -EAGAIN;
	return !plan.extent_bytes ||
	       zcb_memory_room(ch->pool, plan.extent_bytes);
}

/**
 * zcb_channels_init - before the first channel
 *
 * Return: 0 or -ENOMEM.
 */
int zcb_channels_init(void)
{
	resv_cache = kmem_cache_create("zcbuf_reservation",
				       sizeof(struct zcb_resv), 0,
				       SLAB_ACCOUNT, NULL);
	if (!resv_cache)
		return -ENOMEM;
	group_cache = kmem_cache_create("zcbuf_group", sizeof(struct zcb_group),
					0, SLAB_ACCOUNT, NULL);
	if (!group_cache) {
		kmem_cache_destroy(resv_cache);
		return -ENOMEM;
	}
	return 0;
}

/**
 * zcb_channels_exit - after the last channel
 */
void zcb_channels_exit(void)
{
	kmem_cache_destroy(group_cache);
	kmem_cache_destroy(resv_cache);
}

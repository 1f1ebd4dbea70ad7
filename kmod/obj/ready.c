// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which consumer ports of a session have something. Each is in a list from when it
 * was told of a delivery, or of the end of its stream, until somebody has looked and
 * there was nothing more: to receive of any costs what those cost that have something,
 * however many ports there are. To look is to move it to the end, so they take turns.
 *
 * A port in the list may have nothing (another call has taken it); one that has
 * something, and may take it, is in the list. Both its place there and what it has
 * change under its channel's lock, the lock here is inside that one. A port is a
 * consumer as long as it may be in the list, and its session's table has it so long.
 *
 * Who waits for any is woken alone: whoever comes back from here wakes the next one if
 * something is left.
 */
#include <linux/hrtimer.h>
#include <linux/sched/signal.h>

#include "channel.h"
#include "ready.h"

/**
 * zcb_ready_init - of a session without ports
 * @r: the session's
 */
void zcb_ready_init(struct zcb_ready *r)
{
	spin_lock_init(&r->lock);
	INIT_LIST_HEAD(&r->ports);
	init_waitqueue_head(&r->wq);
}

/* Nothing comes any more, as things are. */
static bool ready_over_locked(const struct zcb_ready *r)
{
	lockdep_assert_held(&r->lock);
	return r->told == r->consumers;
}

/* Is there a reason not to wait? */
static bool ready_any(struct zcb_ready *r)
{
	bool any;

	spin_lock(&r->lock);
	any = !list_empty(&r->ports) || ready_over_locked(r);
	spin_unlock(&r->lock);
	return any;
}

/* The check for sleepers is ordered as in zcb_session_event(). */
static void ready_wake(struct zcb_ready *r, bool all)
{
	if (!wq_has_sleeper(&r->wq))
		return;
	if (all)
		wake_up_interruptible_all(&r->wq);
	else
		wake_up_interruptible(&r->wq);
}

/* zcb_ready_wake_all() - whoever waits looks again; any context but interrupt */
void zcb_ready_wake_all(struct zcb_ready *r)
{
	ready_wake(r, true);
}

static void ready_wake_over(struct zcb_ready *r)
{
	bool over;

	scoped_guard(spinlock, &r->lock)
		over = ready_over_locked(r);
	if (over)
		ready_wake(r, true);
}

/* It could not be received: who releases is told. */
static bool port_is_full(const struct zcb_port *port)
{
	const struct zcb_consumer *c = &port->consumer;

	return c->topic && c->queued && c->nheld >= c->topic->max_held;
}

/**
 * zcb_ready_add_locked - a port may have something, or its stream has ended
 * @port: the port; its channel's lock is held
 *
 * Context: any that may hold the lock.
 */
void zcb_ready_add_locked(struct zcb_port *port)
{
	struct zcb_ready *r = &port->session->ready;

	lockdep_assert_held(&port->channel->lock);
	/* One that leaves may end the stream by that. */
	if (!(port->kinds & ZCBUF_PORT_CONSUME) || port_is_full(port))
		return;
	scoped_guard(spinlock, &r->lock) {
		if (port->told || !list_empty(&port->in_ready))
			return;
		list_add_tail(&port->in_ready, &r->ports);
	}
	ready_wake(r, false);
}

/**
 * zcb_ready_join_locked - a port consumes from now on
 * @port: the port; its channel's lock is held
 *
 * Of a stream that has ended nobody will be told.
 *
 * Context: any that may hold the lock.
 */
void zcb_ready_join_locked(struct zcb_port *port)
{
	struct zcb_ready *r = &port->session->ready;

	lockdep_assert_held(&port->channel->lock);
	scoped_guard(spinlock, &r->lock)
		r->consumers++;
	if (!zcb_stream_ended(&port->channel->stream, &port->consumer))
		return;
	zcb_ready_add_locked(port);
	zcb_session_event(port->session, EPOLLIN | EPOLLRDNORM);
}

/**
 * zcb_ready_leave_locked - a port consumes no more
 * @port: the port; its channel's lock is held
 *
 * Context: any that may hold the lock.
 */
void zcb_ready_leave_locked(struct zcb_port *port)
{
	struct zcb_ready *r = &port->session->ready;

	lockdep_assert_held(&port->channel->lock);
	scoped_guard(spinlock, &r->lock) {
		list_del_init(&port->in_ready);
		r->consumers--;
		r->told -= port->told;
		port->told = false;
	}
	ready_wake_over(r);
}

/**
 * zcb_ready_count_other - a port of a failure queue comes, or goes
 * @s: its session
 * @n: 1 or -1
 */
void zcb_ready_count_other(struct zcb_session *s, int n)
{
	spin_lock(&s->ready.lock);
	s->ready.others += n;
	spin_unlock(&s->ready.lock);
}

/* It has nothing; @ended: and that is told. False: somebody else was faster. */
static bool ready_drop_locked(struct zcb_port *port, bool ended)
{
	struct zcb_ready *r = &port->session->ready;

	lockdep_assert_held(&port->channel->lock);
	scoped_guard(spinlock, &r->lock) {
		if (list_empty(&port->in_ready))
			return false;
		list_del_init(&port->in_ready);
		port->told = ended;
		r->told += ended;
	}
	if (ended)
		ready_wake_over(r);
	return true;
}

/* Whose turn it is, with a reference; then it is the others'. */
static struct zcb_port *ready_turn(struct zcb_ready *r)
{
	struct zcb_port *port;

	spin_lock(&r->lock);
	port = list_first_entry_or_null(&r->ports, struct zcb_port, in_ready);
	if (port) {
		list_move_tail(&port->in_ready, &r->ports);
		kref_get(&port->ref);
	}
	spin_unlock(&r->lock);
	return port;
}

/* Why is there nothing? */
static int ready_why(struct zcb_ready *r)
{
	int err = -EAGAIN;

	spin_lock(&r->lock);
	if (ready_over_locked(r))
		err = r->consumers ? -ESHUTDOWN : -EPERM;
	spin_unlock(&r->lock);
	return err;
}

static int port_peek_locked(struct zcb_port *port)
{
	struct zcb_group *g;

	return zcb_stream_peek(&port->channel->stream, &port->consumer, &g);
}

static int ready_take_locked(struct zcb_port *port, struct zcbuf_delivery *d)
{
	u32 done = 0;
	int err;

	err = zcb_queue_receive_locked(port, d, 1, &done);
	if (err == -ESHUTDOWN) {
		*d = (struct zcbuf_delivery) { .channel = port->handle };
		return ready_drop_locked(port, true) ? 0 : -EAGAIN;
	}
	if (!err)
		err = port_peek_locked(port);
	if (err && err != -ESHUTDOWN)
		ready_drop_locked(port, false);
	return done ? 0 : -EAGAIN;
}

/* One delivery, or end; -EAGAIN: somebody was faster. */
static int ready_take(struct zcb_port *port, struct zcbuf_delivery *d,
		      bool nowait)
{
	struct zcb_channel *ch = port->channel;
	int err;

	if (!nowait)
		mutex_lock(&ch->lock);
	else if (!mutex_trylock(&ch->lock))
		return -ZCB_ESLEEP;
	err = ready_take_locked(port, d);
	mutex_unlock(&ch->lock);
	return err;
}

static int ready_take_some(struct zcb_session *s, struct zcbuf_delivery *d,
			   u32 n, bool nowait, u32 *done)
{
	struct zcb_port *port;
	int err;

	while (*done < n) {
		port = ready_turn(&s->ready);
		if (!port)
			return ready_why(&s->ready);
		err = ready_take(port, &d[*done], nowait);
		zcb_port_put(port);
		if (err == -ZCB_ESLEEP)
			return *done ? -EAGAIN : err;
		*done += !err;
		cond_resched();
	}
	return 0;
}

/* What is left is for the next one. */
static void ready_pass_on(struct zcb_ready *r)
{
	bool left;

	scoped_guard(spinlock, &r->lock)
		left = !list_empty(&r->ports);
	if (left)
		ready_wake(r, false);
}

/*
 * Who was woken, and at the same time has run out of time or got a signal, still takes
 * what it was woken for: nobody else was.
 */
static int ready_wait(struct zcb_session *s, u64 deadline_ns)
{
	struct zcb_ready *r = &s->ready;
	ktime_t until = min_t(u64, deadline_ns, KTIME_MAX);
	struct wait_queue_entry entry;
	bool late = false;
	long signal;

	if (!deadline_ns)
		return -EAGAIN;
	init_wait_entry(&entry, WQ_FLAG_EXCLUSIVE);
	for (;;) {
		signal = prepare_to_wait_event(&r->wq, &entry,
					       TASK_INTERRUPTIBLE);
		if (ready_any(r) || zcb_session_evicted(s) || late || signal)
			break;
		late = !schedule_hrtimeout(until == KTIME_MAX ? NULL : &until,
					   HRTIMER_MODE_ABS);
	}
	finish_wait(&r->wq, &entry);
	if (zcb_session_evicted(s))
		return -ESTALE;
	if (ready_any(r))
		return 0;
	if (signal)
		return -ERESTARTSYS;
	/* Or there was something, and somebody else was faster. */
	return late ? -ETIMEDOUT : 0;
}

/**
 * zcb_ready_receive - take complete groups of any channel
 * @s: the session, attached
 * @d: room for @n
 * @n: how many
 * @deadline_ns: how long to wait for the first
 * @done: how many were taken, ends of streams included: those have no handle
 *
 * Context: may sleep.
 * Return: 0 all, else why not more: -EPERM no consumer port, -EAGAIN, -ESHUTDOWN,
 * -ETIMEDOUT, -ERESTARTSYS, -ESTALE evicted.
 */
int zcb_ready_receive(struct zcb_session *s, struct zcbuf_delivery *d, u32 n,
		      u64 deadline_ns, u32 *done)
{
	int err;

	WRITE_ONCE(s->ready.used, true);
	*done = 0;
	do {
		err = ready_take_some(s, d, n, false, done);
		if (*done || err != -EAGAIN)
			break;
		err = ready_wait(s, deadline_ns);
	} while (!err);
	ready_pass_on(&s->ready);
	return err;
}

/**
 * zcb_ready_receive_nowait - the same for who must not sleep
 * @s: the session, attached
 * @d: room for @n
 * @n: how many
 * @done: how many were taken
 *
 * Context: a task's; does not sleep.
 * Return: as zcb_ready_receive(); -ZCB_ESLEEP: nothing was done, ask again where it
 * may sleep.
 */
int zcb_ready_receive_nowait(struct zcb_session *s, struct zcbuf_delivery *d,
			     u32 n, u32 *done)
{
	int err;

	WRITE_ONCE(s->ready.used, true);
	*done = 0;
	err = ready_take_some(s, d, n, true, done);
	ready_pass_on(&s->ready);
	return err;
}

/**
 * zcb_ready_untell - the end of a stream was not told after all
 * @port: of the stream
 *
 * Context: may sleep for the lock.
 */
void zcb_ready_untell(struct zcb_port *port)
{
	struct zcb_ready *r = &port->session->ready;

	guard(mutex)(&port->channel->lock);
	if (!(port->kinds & ZCBUF_PORT_CONSUME))
		return;
	scoped_guard(spinlock, &r->lock) {
		r->told -= port->told;
		port->told = false;
	}
	zcb_ready_add_locked(port);
}

/* With a reference; it stays where it is. */
static struct zcb_port *ready_first(struct zcb_ready *r)
{
	struct zcb_port *port;

	spin_lock(&r->lock);
	port = list_first_entry_or_null(&r->ports, struct zcb_port, in_ready);
	if (port)
		kref_get(&port->ref);
	spin_unlock(&r->lock);
	return port;
}

/* One that was closed meanwhile has nothing, not even a queue. */
static bool ready_has(struct zcb_port *port)
{
	int err = -EPERM;

	guard(mutex)(&port->channel->lock);
	if (port->kinds & ZCBUF_PORT_CONSUME)
		err = port_peek_locked(port);
	if (!err || err == -ESHUTDOWN)
		return true;
	ready_drop_locked(port, false);
	return false;
}

/**
 * zcb_ready_poll - what a session that asks for any could receive
 * @s: the session, attached
 * @mask: set: EPOLLIN, or EPOLLHUP if all ends were told
 *
 * Context: may sleep for locks.
 * Return: true if that is all there is to receive; false: it asks by channel, or has
 * ports of failure queues.
 */
bool zcb_ready_poll(struct zcb_session *s, __poll_t *mask)
{
	struct zcb_ready *r = &s->ready;
	bool alone, has = false;
	struct zcb_port *port;

	*mask = 0;
	if (!READ_ONCE(r->used))
		return false;
	while (!has && (port = ready_first(r))) {
		has = ready_has(port);
		zcb_port_put(port);
	}
	spin_lock(&r->lock);
	if (has)
		*mask = EPOLLIN | EPOLLRDNORM;
	else if (r->consumers && ready_over_locked(r))
		*mask = EPOLLHUP;
	alone = !r->others;
	spin_unlock(&r->lock);
	return alone;
}

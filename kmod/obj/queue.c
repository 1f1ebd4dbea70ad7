// SPDX-License-Identifier: GPL-2.0-only
/*
 * The consumer's side of channels: receive, release, and who is told that
 * there is something. Everything is under the channel's lock; what is copied
 * to user space is a copy taken there.
 */
#include <linux/eventfd.h>
#include <linux/slab.h>

#include "../face/trace.h"
#include "channel.h"
#include "ready.h"
#include "ring.h"
#include "view.h"

#define ZCB_DELIVERY_CLASS_SHIFT	56

static u64 delivery_handle(u64 group)
{
	return (u64)ZCB_HANDLE_DELIVERY << ZCB_DELIVERY_CLASS_SHIFT | group;
}

/* The group's id, or what a topic's delivery has instead. */
static int delivery_id(u64 handle, u64 *id)
{
	if (handle >> ZCB_DELIVERY_CLASS_SHIFT != ZCB_HANDLE_DELIVERY)
		return -ENOENT;
	*id = handle & ((1ULL << ZCB_DELIVERY_CLASS_SHIFT) - 1);
	return 0;
}

static void delivery_fill(struct zcbuf_delivery *d, const struct zcb_port *port,
			  const struct zcb_group *g)
{
	u32 i;

	memset(d, 0, sizeof(*d));
	d->handle = delivery_handle(g->id);
	d->group = g->id;
	d->offset = g->offset;
	d->length = g->length;
	d->seq = g->seq;
	d->time_ns = g->time_ns;
	d->nrecords = g->nrecords;
	d->nextents = g->nextents;
	d->publisher = g->publisher;
	d->user_tag = g->user_tag;
	d->encoding = g->encoding;
	d->priority = g->priority;
	d->channel = port->handle;
	for (i = 0; i < g->nextents; i++) {
		d->extents[i].pool_offset = g->extents[i].pool_offset;
		d->extents[i].length = g->extents[i].bytes;
	}
}

static struct zcb_port *consumer_port(struct zcb_consumer *c)
{
	return c->failure ? container_of(c, struct zcb_port, failure) :
			    container_of(c, struct zcb_port, consumer);
}

static struct eventfd_ctx *queue_eventfd(const struct zcb_port *port,
					 const struct zcb_consumer *c)
{
	if (c->failure)
		return port->failure_eventfd;
	if (port->adaptive && port->eventfd && !zcb_view_wake(port->view))
		return NULL;
	return port->eventfd;
}

/**
 * zcb_queue_ready - a port has something to receive, or its stream has ended
 * @s: stream of a channel whose lock is held
 * @c: the port's consumer
 * @n: groups that are new; 0: the end
 *
 * Context: may sleep: a stream that ends or fails has much to tell.
 */
void zcb_queue_ready(struct zcb_stream *s, struct zcb_consumer *c, u32 n)
{
	struct zcb_port *port = consumer_port(c);
	struct eventfd_ctx *ctx;

	lockdep_assert_held(&port->channel->lock);
	trace_zcbuf_ready(port->channel->handle, port->session->id, c->failure,
			  n);
	/* One that leaves may end the stream by that, and is closed all the same. */
	if (!n && !c->failure && port->view &&
	    port->kinds & ZCBUF_PORT_CONSUME)
		zcb_view_end(port->view, ZCBUF_QUEUE_FINALIZED);
	ctx = queue_eventfd(port, c);
	if (ctx)
		eventfd_signal(ctx);
	if (!c->failure)
		zcb_ready_add_locked(port);
	if (!c->failure && port->view)
		zcb_ring_tell(&port->session->ready, port->view);
	zcb_session_event(port->session, EPOLLIN | EPOLLRDNORM |
			  (n ? 0 : EPOLLHUP));
	cond_resched();
}

static void slot_fill(struct zcbuf_delivery *d, const struct zcb_port *port,
		      const struct zcb_topic_slot *slot)
{
	delivery_fill(d, port, slot->group);
	d->handle = delivery_handle(zcb_topic_id(port->queue, slot));
	d->lost = port->queue->lost;
}

/**
 * zcb_queue_show - a delivery has come into a queue that is shown
 * @c: the consumer
 * @slot: the delivery
 * @lane: where
 *
 * Context: the channel's lock is held.
 */
void zcb_queue_show(struct zcb_consumer *c, const struct zcb_topic_slot *slot,
		    u32 lane)
{
	struct zcb_port *port = consumer_port(c);
	struct zcbuf_delivery d;

	slot_fill(&d, port, slot);
	zcb_view_show(port->view, lane, &d);
}

/**
 * zcb_queue_claim - is a delivery still in a queue that is shown
 * @c: the consumer
 * @slot: the delivery
 * @as: ZCBUF_SLOT_*: what it is to be
 *
 * Context: the channel's lock is held.
 * Return: false: its consumer has taken it.
 */
bool zcb_queue_claim(struct zcb_consumer *c, const struct zcb_topic_slot *slot,
		     u32 as)
{
	const struct zcb_port *port = consumer_port(c);

	return zcb_view_claim(port->view, zcb_topic_id(port->queue, slot), as);
}

/**
 * zcb_queue_await - somebody waits for what is taken from a queue that is shown
 * @c: the consumer
 *
 * Context: the channel's lock is held.
 */
void zcb_queue_await(struct zcb_consumer *c)
{
	const struct zcb_port *port = consumer_port(c);

	zcb_view_await(port->view, port->channel->cfg.stream.topic ?
		       ZCBUF_QUEUE_WAIT_ROOM : ZCBUF_QUEUE_WAIT_TELL);
}

/* What an eventfd that is armed now has missed: groups, and the end. */
static u32 queue_backlog_locked(const struct zcb_port *port, bool failure)
{
	const struct zcb_stream *s = &port->channel->stream;
	const struct zcb_consumer *c = failure ? &port->failure :
						 &port->consumer;
	u32 n;

	lockdep_assert_held(&port->channel->lock);
	n = failure ? list_count_nodes((struct list_head *)&s->failed) :
		      c->queued;
	return n + zcb_stream_ended(s, c);
}

/**
 * zcb_port_eventfd - arm or disarm an eventfd
 * @port: of the caller
 * @failure: the failure port's, else the consumer's
 * @adaptive: only of who sleeps
 * @ctx: counts deliveries from now on, or NULL; the port's on success
 *
 * Context: may sleep for the lock.
 * Return: 0, -EPERM, -EINVAL.
 */
int zcb_port_eventfd(struct zcb_port *port, bool failure, bool adaptive,
		     struct eventfd_ctx *ctx)
{
	u32 kind = failure ? ZCBUF_PORT_RECV_FAILED : ZCBUF_PORT_CONSUME;
	struct eventfd_ctx **slot = failure ? &port->failure_eventfd :
					      &port->eventfd;
	u32 n;

	guard(mutex)(&port->channel->lock);
	if (!(port->kinds & kind))
		return -EPERM;
	if (adaptive && (failure || !port->view))
		return -EINVAL;
	if (*slot)
		eventfd_ctx_put(*slot);
	*slot = ctx;
	if (!failure)
		port->adaptive = adaptive;
	/* Who is adaptive looks by himself before he sleeps. */
	if (!ctx || adaptive)
		return 0;
	for (n = queue_backlog_locked(port, failure); n; n--)
		eventfd_signal(ctx);
	return 0;
}

static int queue_take_group(struct zcb_port *port, struct zcbuf_delivery *d)
{
	struct zcb_group *g;
	int err;

	err = zcb_stream_receive(&port->channel->stream, &port->consumer, &g);
	if (!err)
		delivery_fill(d, port, g);
	return err;
}

static int queue_take_slot(struct zcb_port *port, struct zcbuf_delivery *d)
{
	struct zcb_topic_slot *slot;
	int err;

	err = zcb_topic_receive(&port->channel->stream, &port->consumer, &slot);
	if (err)
		return err;
	slot_fill(d, port, slot);
	return 0;
}

/**
 * zcb_queue_feed_locked - there may be room in queues
 * @ch: the channel; its lock is held
 *
 * Who was told that there is none looks again.
 */
void zcb_queue_feed_locked(struct zcb_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	if (!ch->stream.starved)
		return;
	ch->stream.starved = false;
	zcb_pool_space(ch->pool);
}

/**
 * zcb_queue_receive_locked - what a port can receive now
 * @port: the port; its channel's lock is held
 * @d: room for @n
 * @n: how many
 * @done: how many were taken; those that were before count
 *
 * Return: 0 all, else why not more: -EPERM, -EAGAIN, -ESHUTDOWN, -ENOSPC.
 */
int zcb_queue_receive_locked(struct zcb_port *port, struct zcbuf_delivery *d,
			     u32 n, u32 *done)
{
	struct zcb_channel *ch = port->channel;
	int err = 0;

	lockdep_assert_held(&ch->lock);
	if (!(port->kinds & ZCBUF_PORT_CONSUME))
		return -EPERM;
	for (; *done < n; ++*done, d++) {
		err = port->consumer.topic ? queue_take_slot(port, d) :
					     queue_take_group(port, d);
		if (err)
			break;
		trace_zcbuf_deliver(ch->handle, d->group, d->offset, d->length);
	}
	if (*done)
		zcb_queue_feed_locked(ch);
	return err;
}

static int queue_try_receive(struct zcb_port *port, struct zcbuf_delivery *d,
			     u32 n, u32 *done)
{
	guard(mutex)(&port->channel->lock);
	return zcb_queue_receive_locked(port, d, n, done);
}

/**
 * zcb_channel_receive - take complete groups
 * @port: of the caller
 * @d: room for @n
 * @n: how many
 * @deadline_ns: how long to wait for the first
 * @done: how many were taken
 *
 * Context: may sleep.
 * Return: 0 all, else why not more: -EPERM, -EAGAIN, -ESHUTDOWN, -ETIMEDOUT,
 * -ERESTARTSYS.
 */
int zcb_channel_receive(struct zcb_port *port, struct zcbuf_delivery *d, u32 n,
			u64 deadline_ns, u32 *done)
{
	struct zcb_session *s = port->session;
	int seen, err;

	*done = 0;
	for (;;) {
		seen = atomic_read(&s->event_seq);
		err = queue_try_receive(port, d, n, done);
		if (*done || err != -EAGAIN)
			return err;
		err = zcb_wait(s, &s->wq, &s->event_seq, seen, deadline_ns);
		if (err)
			return err;
	}
}

/**
 * zcb_channel_receive_nowait - the same for who must not sleep
 * @port: of the caller
 * @d: room for @n
 * @n: how many
 * @done: how many were taken
 *
 * Context: a task's; does not sleep.
 * Return: 0 all, else why not more: -EPERM, -EAGAIN, -ESHUTDOWN; -ZCB_ESLEEP:
 * nothing was done, ask again where it may sleep.
 */
int zcb_channel_receive_nowait(struct zcb_port *port, struct zcbuf_delivery *d,
			       u32 n, u32 *done)
{
	int err;

	*done = 0;
	if (!mutex_trylock(&port->channel->lock))
		return -ZCB_ESLEEP;
	err = zcb_queue_receive_locked(port, d, n, done);
	mutex_unlock(&port->channel->lock);
	return err;
}

static void failed_count(const struct zcb_group *g, struct zcb_failed_group *f)
{
	f->nlost = g->nfailed;
	f->npieces = g->nresv - g->nfailed;
}

static void failed_fill(const struct zcb_port *port, const struct zcb_group *g,
			struct zcb_failed_group *f)
{
	const struct zcb_resv *r;
	u32 pieces = 0, lost = 0;

	delivery_fill(&f->delivery, port, g);
	list_for_each_entry(r, &g->resvs, in_group) {
		if (r->state == ZCB_RESV_FAILED)
			f->lost[lost++] = (struct zcbuf_lost) {
				.id = r->id,
				.offset = r->offset,
				.length = r->length,
			};
		else
			f->pieces[pieces++] = (struct zcbuf_piece) {
				.offset = r->offset,
				.length = r->used,
				.pool_offset = r->pool_offset,
			};
	}
}

/* How large is the next failed group? */
static int queue_peek_failed(struct zcb_port *port, struct zcb_failed_group *f)
{
	struct zcb_group *g;
	int err;

	guard(mutex)(&port->channel->lock);
	if (!(port->kinds & ZCBUF_PORT_RECV_FAILED))
		return -EPERM;
	err = zcb_stream_peek(&port->channel->stream, &port->failure, &g);
	if (!err)
		failed_count(g, f);
	return err;
}

/* Take it, if it is still the one that was measured, or as large: else 1. */
static int queue_take_failed(struct zcb_port *port, struct zcb_failed_group *f)
{
	struct zcb_channel *ch = port->channel;
	struct zcb_failed_group now;
	struct zcb_group *g;
	int err;

	guard(mutex)(&ch->lock);
	if (!(port->kinds & ZCBUF_PORT_RECV_FAILED))
		return -EPERM;
	err = zcb_stream_peek(&ch->stream, &port->failure, &g);
	if (err)
		return err;
	failed_count(g, &now);
	if (now.npieces != f->npieces || now.nlost != f->nlost)
		return 1;
	err = zcb_stream_receive(&ch->stream, &port->failure, &g);
	if (err)
		return err;
	failed_fill(port, g, f);
	trace_zcbuf_deliver(ch->handle, g->id, g->offset, g->length);
	return 0;
}

/* 1: another port was faster, begin anew. */
static int queue_try_failed(struct zcb_port *port, struct zcb_failed_group *f,
			    u32 max_pieces, u32 max_lost)
{
	int err = queue_peek_failed(port, f);

	if (err)
		return err;
	if (f->npieces > max_pieces || f->nlost > max_lost)
		return -EMSGSIZE;
	f->pieces = kvmalloc_array(f->npieces, sizeof(*f->pieces),
				   GFP_KERNEL_ACCOUNT);
	f->lost = kvmalloc_array(f->nlost, sizeof(*f->lost),
				 GFP_KERNEL_ACCOUNT);
	if ((f->npieces && !f->pieces) || !f->lost)
		err = -ENOMEM;
	else
		err = queue_take_failed(port, f);
	if (err)
		zcb_failed_group_free(f);
	return err;
}

/**
 * zcb_channel_receive_failed - take one failed group
 * @port: of the caller
 * @f: filled; zcb_failed_group_free() frees its arrays
 * @max_pieces: more are -EMSGSIZE
 * @max_lost: more are -EMSGSIZE
 * @deadline_ns: how long to wait for one
 *
 * Context: may sleep.
 * Return: 0; -EMSGSIZE, the counts in @f are set and nothing was taken; -EPERM,
 * -EAGAIN, -ESHUTDOWN, -ENOMEM, -ETIMEDOUT, -ERESTARTSYS.
 */
int zcb_channel_receive_failed(struct zcb_port *port,
			       struct zcb_failed_group *f, u32 max_pieces,
			       u32 max_lost, u64 deadline_ns)
{
	struct zcb_session *s = port->session;
	int seen, err;

	memset(f, 0, sizeof(*f));
	do {
		seen = atomic_read(&s->event_seq);
		err = queue_try_failed(port, f, max_pieces, max_lost);
		if (err == -EAGAIN)
			err = zcb_wait(s, &s->wq, &s->event_seq, seen,
				       deadline_ns) ?: 1;
	} while (err == 1);
	return err;
}

/**
 * zcb_failed_group_free - free the arrays of a failed group
 * @f: may have none
 *
 * Context: may sleep.
 */
void zcb_failed_group_free(struct zcb_failed_group *f)
{
	kvfree(f->pieces);
	kvfree(f->lost);
	f->pieces = NULL;
	f->lost = NULL;
}

/* It may have held as many as it may, with more to come. */
static int queue_release_slot(struct zcb_port *port, u64 id)
{
	struct zcb_consumer *c = &port->consumer;
	int err;

	if (!(port->kinds & ZCBUF_PORT_CONSUME))
		return -EPERM;
	if (!c->topic)
		return -ENOENT;
	err = zcb_topic_release(&port->channel->stream, c, id);
	if (!err && c->queued && c->nheld == c->topic->max_held - 1) {
		zcb_ready_add_locked(port);
		zcb_session_event(port->session, EPOLLIN | EPOLLRDNORM);
	}
	/* It had more than that, by itself, and so less room. */
	if (!err && c->nheld >= c->topic->max_held)
		zcb_queue_feed_locked(port->channel);
	return err;
}

static int queue_release_locked(struct zcb_port *port, u64 group)
{
	struct zcb_stream *s = &port->channel->stream;
	int err = -EPERM;

	lockdep_assert_held(&port->channel->lock);
	if (group & ZCB_TOPIC_ID)
		return queue_release_slot(port, group);
	if (port->kinds & ZCBUF_PORT_CONSUME && !s->cfg.topic)
		err = zcb_stream_release(s, &port->consumer, group);
	if (err == -EPERM && port->kinds & ZCBUF_PORT_RECV_FAILED)
		err = zcb_stream_release(s, &port->failure, group);
	return err;
}

static int channel_release_locked(struct zcb_port *port, const void *entry)
{
	struct zcb_channel *ch = port->channel;
	const u64 *handle = entry;
	u64 id;
	int err;

	err = delivery_id(*handle, &id);
	if (!err)
		err = queue_release_locked(port, id);
	trace_zcbuf_release(ch->handle, *handle, err);
	if (err)
		zcb_pool_bad_free(ch->pool);
	return err;
}

/**
 * zcb_channel_release_all - deliveries are done with
 * @port: of the caller
 * @handles: of the deliveries
 * @n: how many
 * @nowait: as of zcb_channel_each()
 * @done: set: how many were released
 *
 * Context: as zcb_channel_each(); allocates nothing.
 * Return: 0, -ENOENT never received, -EBADSLT released before, -EPERM another's;
 * -ZCB_ESLEEP.
 */
int zcb_channel_release_all(struct zcb_port *port, const u64 *handles, u32 n,
			    bool nowait, u32 *done)
{
	return zcb_channel_each(port, channel_release_locked, handles,
				sizeof(*handles), n, nowait, done);
}

static __poll_t queue_poll_locked(struct zcb_stream *s, struct zcb_consumer *c,
				  struct zcb_port_poll *p)
{
	struct zcb_group *g;
	int err = zcb_stream_peek(s, c, &g);

	p->receiving++;
	p->ended += zcb_stream_ended(s, c);
	return err ? 0 : EPOLLIN | EPOLLRDNORM;
}

/**
 * zcb_port_poll - what a port adds to poll()
 * @port: the port
 * @p: counts how many queues are received from, and how many have ended
 *
 * Context: may sleep for the lock.
 * Return: EPOLLIN, EPOLLOUT.
 */
__poll_t zcb_port_poll(struct zcb_port *port, struct zcb_port_poll *p)
{
	struct zcb_channel *ch = port->channel;
	__poll_t mask = 0;

	guard(mutex)(&ch->lock);
	if (port->kinds & ZCBUF_PORT_CONSUME)
		mask |= queue_poll_locked(&ch->stream, &port->consumer, p);
	if (port->kinds & ZCBUF_PORT_RECV_FAILED)
		mask |= queue_poll_locked(&ch->stream, &port->failure, p);
	if (port->kinds & ZCBUF_PORT_PRODUCE && zcb_channel_writable_locked(ch))
		mask |= EPOLLOUT | EPOLLWRNORM;
	return mask;
}

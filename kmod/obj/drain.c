// SPDX-License-Identifier: GPL-2.0-only
/*
 * What ports of a session that is gone still have: reservations it was storing in,
 * and deliveries it was reading, until nothing pins their pages.
 */
#include <linux/ktime.h>
#include <linux/mm.h>

#include "channel.h"
#include "pin.h"

/*
 * What a retired port has is on lists that only this walks and shortens: a group
 * stays while one of its stragglers, or its holder, is not done. So the lock of the
 * channel is taken only to end one of them; looking at pages may take long.
 */
static bool port_drain_stragglers(struct zcb_port *port)
{
	struct zcb_channel *ch = port->channel;
	struct zcb_resv *r, *next;

	list_for_each_entry_safe(r, next, &port->producer.stragglers,
				 in_owner) {
		cond_resched();
		if (!zcb_pin_settled(ch->pool, r->pool_offset, r->length))
			continue;
		guard(mutex)(&ch->lock);
		zcb_stream_ack(&ch->stream, r);
	}
	return list_empty(&port->producer.stragglers);
}

/* The pages are all those of the group, or its buffer is all it has. */
static bool port_group_settled(const struct zcb_pool *pool,
			       const struct zcb_group *g)
{
	u32 i;

	if (g->handle)
		return zcb_pin_settled(pool, g->extents[0].pool_offset,
				       g->capacity);
	for (i = 0; i < g->nextents; i++)
		if (g->extents[i].pages &&
		    !zcb_pin_settled(pool, g->extents[i].pool_offset,
				     (u64)g->extents[i].pages << PAGE_SHIFT))
			return false;
	return true;
}

static bool port_drain_held(struct zcb_port *port, struct zcb_consumer *c)
{
	struct zcb_channel *ch = port->channel;
	struct zcb_group *g, *next;

	list_for_each_entry_safe(g, next, &c->held, queue) {
		cond_resched();
		if (!port_group_settled(ch->pool, g))
			continue;
		guard(mutex)(&ch->lock);
		zcb_stream_let_go(&ch->stream, c, g);
	}
	return list_empty(&c->held);
}

static bool port_drain_slots(struct zcb_port *port)
{
	struct zcb_channel *ch = port->channel;
	struct zcb_topic_slot *slot, *next;

	if (!port->queue)
		return true;
	list_for_each_entry_safe(slot, next, &port->queue->held, node) {
		cond_resched();
		if (!port_group_settled(ch->pool, slot->group))
			continue;
		guard(mutex)(&ch->lock);
		zcb_topic_let_go(&ch->stream, &port->consumer, slot);
	}
	return list_empty(&port->queue->held);
}

static bool port_drain(struct zcb_port *port)
{
	bool all = true;

	if (port->left & ZCBUF_PORT_PRODUCE)
		all &= port_drain_stragglers(port);
	if (port->left & ZCBUF_PORT_CONSUME) {
		all &= port_drain_slots(port);
		all &= port_drain_held(port, &port->consumer);
	}
	if (port->left & ZCBUF_PORT_RECV_FAILED)
		all &= port_drain_held(port, &port->failure);
	return all;
}

/* Nothing is left of it but what was decided. */
static void port_end(struct zcb_session *s, struct zcb_port *port)
{
	struct zcb_channel *ch = port->channel;

	guard(mutex)(&s->pool->lock);
	scoped_guard(mutex, &ch->lock) {
		if (port->left & ZCBUF_PORT_PRODUCE)
			zcb_stream_drop_producer(&ch->stream, &port->producer,
						 ktime_get_ns());
		list_del_init(&port->in_channel);
	}
	zcb_port_forget_locked(s, port);
}

/**
 * zcb_channels_drain - end what nothing pins of a session that is gone
 * @s: the session, without tokens
 *
 * Context: may sleep; no lock is held, nobody else does it.
 * Return: whether that was all its ports had.
 */
bool zcb_channels_drain(struct zcb_session *s)
{
	struct zcb_port *port;
	unsigned long index;

	xa_for_each(&s->ports, index, port)
		if (port_drain(port))
			port_end(s, port);
	return xa_empty(&s->ports);
}

static u64 port_kept(struct zcb_port *port)
{
	struct zcb_resv *r;
	u64 bytes = 0;

	guard(mutex)(&port->channel->lock);
	if (port->left & ZCBUF_PORT_PRODUCE)
		list_for_each_entry(r, &port->producer.stragglers, in_owner)
			bytes += PAGE_ALIGN(r->length);
	if (port->left & ZCBUF_PORT_CONSUME)
		bytes += port->consumer.held_bytes;
	if (port->left & ZCBUF_PORT_RECV_FAILED)
		bytes += port->failure.held_bytes;
	return bytes;
}

/**
 * zcb_channels_kept_locked - memory in streams of a session that is gone
 * @s: the session; its pool's lock is held
 *
 * Context: may sleep.
 * Return: bytes of what has not been ended, whole pages.
 */
u64 zcb_channels_kept_locked(struct zcb_session *s)
{
	struct zcb_port *port;
	unsigned long index;
	u64 bytes = 0;

	lockdep_assert_held(&s->pool->lock);
	xa_for_each(&s->ports, index, port)
		bytes += port_kept(port);
	return bytes;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers become groups. From then on they are held by the pool itself, in
 * pool->published, until the group is dead: whoever published them may die.
 */
#include <linux/ktime.h>
#include <linux/nospec.h>

#include "../face/trace.h"
#include "channel.h"

/*
 * What one buffer brings: records, and a loan if it is an object of a slab; and what
 * was short of the last -EAGAIN, ZCBUF_WHY_*.
 */
struct publish_supply {
	struct zcb_stream_supply s;
	struct zcb_spares spares;
	u32 why;
};

static int publish_supply(struct zcb_pool *pool, u64 handle,
			  struct publish_supply *s)
{
	zcb_give_prepare(pool, &handle, 1, false, &s->spares);
	return zcb_channel_records(&s->s, true);
}

static void publish_supply_free(struct publish_supply *s)
{
	zcb_channel_records_free(&s->s);
	zcb_give_finish(&s->spares);
}

/* How large is it? Not this session's any more may mean that it did so before. */
static int publish_find(struct zcb_port *port, u64 handle, u64 *capacity)
{
	struct zcb_pool *pool = port->channel->pool;
	int err;

	spin_lock(&pool->mem_lock);
	err = zcb_memory_find_locked(pool, &port->session->hold, handle,
				     capacity);
	if (err == -EPERM && !zcb_memory_find_locked(pool, &pool->published,
						     handle, capacity))
		err = -EALREADY;
	else if (!err && port->channel->cfg.stream.immutable &&
		 !zcb_pool_freezes(pool, zcbuf_buf_offset(handle), *capacity))
		err = -EINVAL;
	spin_unlock(&pool->mem_lock);
	return err;
}

static int publish_check_locked(struct zcb_port *port,
				const struct zcbuf_publication *p, u32 flags,
				struct publish_supply *s, u64 *length)
{
	struct zcb_channel *ch = port->channel;
	int err;

	err = zcb_channel_check_locked(port, ZCBUF_PORT_PRODUCE);
	if (err)
		return err;
	err = publish_find(port, p->handle, &s->s.capacity);
	if (err)
		return err;
	*length = p->length ?: s->s.capacity;
	if (*length > s->s.capacity)
		return -ERANGE;
	if (flags & ZCBUF_PUBLISH_F_NEED_CONSUMER && !ch->consumers)
		return -EPIPE;
	err = zcb_topic_plan(&ch->stream, *length);
	if (err == -EAGAIN && zcb_topic_spare(&ch->stream))
		err = zcb_topic_plan(&ch->stream, *length);
	if (err == -EAGAIN)
		s->why = zcb_stream_why(&ch->stream);
	return err;
}

/*
 * Whose memory is it then? The publisher's, who gets it back as it was, if nobody can
 * have written to it since: those who come later and have it from the history could.
 */
static u32 publish_domain(const struct zcb_port *port)
{
	const struct zcb_channel *ch = port->channel;

	if (!ch->cfg.stream.topic || ch->cfg.stream.history || ch->writing)
		return ZCB_BUF_NOBODY;
	return port->session->domain;
}

/* The buffer changes hands last: whoever fails has it still. */
static int publish_take_locked(struct zcb_port *port, u64 handle,
			       struct publish_supply *s)
{
	struct zcb_channel *ch = port->channel;
	struct zcb_holdings *from = &port->session->hold;
	struct zcb_holdings *to = &ch->pool->published;
	u32 domain = publish_domain(port);
	int err = zcb_channel_pay_locked(ch);

	if (err)
		return err;
	s->s.handle = handle;
	s->s.pool_offset = zcbuf_buf_offset(handle);
	return ch->cfg.stream.immutable ?
	       zcb_memory_transfer_whole(ch->pool, from, to, domain, handle,
					 &s->spares) :
	       zcb_memory_transfer(ch->pool, from, to, domain, handle,
				   &s->spares);
}

/* How large it is by its handle, if that names anything; 0: it cannot. */
static u64 publish_capacity(const struct zcb_pool *pool, u64 handle)
{
	const struct zcb_slab_table *t = &pool->cfg.slabs;
	const struct zcb_fixed *f = &pool->cfg.fixed;
	u32 class = zcbuf_buf_class(handle);
	bool fixed = pool->cfg.kind == ZCBUF_POOL_FIXED;

	if (class < ZCBUF_BUF_SLAB)
		return fixed ? 0 : zcbuf_buf_capacity(handle, NULL);
	class -= ZCBUF_BUF_SLAB;
	if (fixed)
		return class < f->n ?
		       f->class[array_index_nospec(class, f->n)].length : 0;
	return class < t->n ?
	       t->class[array_index_nospec(class, t->n)].length : 0;
}

/*
 * As a rule nothing is in the way: then the buffer is looked up once, by what takes
 * it. Else nothing has changed, and publish_check_locked() says what is, in its order.
 */
static bool publish_at_once_locked(struct zcb_port *port,
				   const struct zcbuf_publication *p, u32 flags,
				   struct publish_supply *s, u64 *length)
{
	struct zcb_channel *ch = port->channel;

	if (!(port->kinds & ZCBUF_PORT_PRODUCE) || ch->cfg.stream.immutable ||
	    ch->stream.credit.taken >= ch->paid ||
	    (flags & ZCBUF_PUBLISH_F_NEED_CONSUMER && !ch->consumers))
		return false;
	s->s.capacity = publish_capacity(ch->pool, p->handle);
	*length = p->length ?: s->s.capacity;
	return *length <= s->s.capacity &&
	       !zcb_topic_plan(&ch->stream, *length) &&
	       !publish_take_locked(port, p->handle, s);
}

static int publish_locked(struct zcb_port *port, struct zcbuf_publication *p,
			  u32 flags, struct publish_supply *s)
{
	struct zcb_topic_publication pub = {
		.user_tag = p->user_tag,
		.encoding = p->encoding,
		.priority = p->priority,
	};
	struct zcb_channel *ch = port->channel;
	struct zcb_group *g;
	int err = 0;

	lockdep_assert_held(&ch->lock);
	if (!publish_at_once_locked(port, p, flags, s, &pub.length))
		err = publish_check_locked(port, p, flags, s, &pub.length) ?:
		      publish_take_locked(port, p->handle, s);
	if (err)
		return err;
	g = zcb_topic_publish(&ch->stream, &port->producer, &pub, &s->s,
			      ktime_get_ns());
	memset(&s->s, 0, sizeof(s->s));		/* it is the stream's now */
	p->out_seq = port->producer.next_seq - 1;
	p->out_delivered = g->delivered;
	p->out_dropped = g->dropped;
	trace_zcbuf_publish(ch->handle, g->id, p->handle, pub.length,
			    g->delivered, g->dropped);
	zcb_topic_put(&ch->stream, g);
	return 0;
}

/**
 * zcb_channel_publish - a buffer goes to the consumers
 * @port: of the caller
 * @p: which, and what is said of it; out_* are set
 * @flags: ZCBUF_PUBLISH_F_*
 * @deadline_ns: how long to wait for room: 0, absolute, or NO_DEADLINE
 * @why: as zcb_channel_reserve()
 *
 * Context: may sleep.
 * Return: 0, or the errors of struct zcbuf_publish.
 */
int zcb_channel_publish(struct zcb_port *port, struct zcbuf_publication *p,
			u32 flags, u64 deadline_ns, u32 *why)
{
	struct zcb_channel *ch = port->channel;
	struct publish_supply supply = {};
	struct zcb_pool *pool = ch->pool;
	int seen, err;

	err = publish_supply(pool, p->handle, &supply);
	while (!err) {
		seen = atomic_read(&pool->space_seq);
		mutex_lock(&ch->lock);
		err = publish_locked(port, p, flags, &supply);
		mutex_unlock(&ch->lock);
		if (err != -EAGAIN)
			break;
		err = zcb_wait(port->session, &pool->space_wq, &pool->space_seq,
			       seen, deadline_ns);
	}
	*why = zcb_channel_why(err, supply.why);
	publish_supply_free(&supply);
	return err;
}

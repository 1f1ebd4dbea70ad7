// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ports: opening a channel, finding a port on the fast path, closing.
 *
 * Ports come and go under the pool's lock, and under the channel's lock inside
 * it. A call finds its port by RCU and holds a reference while it runs; that a
 * port was closed meanwhile shows in port->kinds, under the channel's lock.
 */
#include <linux/eventfd.h>
#include <linux/jhash.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "account.h"
#include "channel.h"
#include "event.h"
#include "freeze.h"
#include "ready.h"
#include "ring.h"
#include "view.h"

#define ZCB_CHANNEL_BUCKETS_MIN	16U
#define ZCB_CHANNEL_BUCKETS_MAX	8192U

static void channel_free(struct kref *ref)
{
	struct zcb_channel *ch = container_of(ref, struct zcb_channel, ref);

	if (ch->user)
		zcb_account_uncharge(ch->user, ch->charged);
	kvfree(ch->hash);
	kfree(ch->name);
	kfree(ch);
}

static void channel_put(struct zcb_channel *ch)
{
	kref_put(&ch->ref, channel_free);
}

static int channel_charge(struct zcb_channel *ch, u32 buckets)
{
	u64 bytes = sizeof(*ch) + buckets * sizeof(*ch->hash);
	int err;

	err = zcb_account_charge(bytes, &ch->payer, &ch->user);
	if (err)
		return err;
	ch->charged = bytes;
	ch->hash = kvcalloc(buckets, sizeof(*ch->hash), GFP_KERNEL_ACCOUNT);
	return ch->hash ? 0 : -ENOMEM;
}

static struct zcb_channel *channel_create(struct zcb_session *s,
					  const struct zcb_channel_wish *w)
{
	const struct zcb_channel_config *cfg = w->cfg;
	u32 buckets = clamp(cfg->stream.max_outstanding / 8,
			    ZCB_CHANNEL_BUCKETS_MIN, ZCB_CHANNEL_BUCKETS_MAX);
	struct zcb_channel *ch = kzalloc(sizeof(*ch), GFP_KERNEL_ACCOUNT);
	struct zcb_pool *pool = s->pool;

	if (!ch)
		return NULL;
	buckets = roundup_pow_of_two(buckets);
	kref_init(&ch->ref);
	ch->payer = zcb_account_payer(s->uid);
	if (w->name)
		ch->name = kmemdup(w->name, sizeof(*w->name),
				   GFP_KERNEL_ACCOUNT);
	if ((w->name && !ch->name) || channel_charge(ch, buckets)) {
		channel_put(ch);
		return NULL;
	}
	ch->pool = pool;
	ch->cfg = *cfg;
	ch->domain = zcb_pool_domain(pool);
	mutex_init(&ch->lock);
	INIT_LIST_HEAD(&ch->ports);
	INIT_DELAYED_WORK(&ch->age, zcb_channel_age);
	zcb_freeze_init(ch);
	zcb_stream_init(&ch->stream, &ch->cfg.stream, &zcb_channel_stream_ops,
			ch->hash, buckets);
	return ch;
}

static struct zcb_port *port_create(struct zcb_session *s,
				    struct zcb_channel *ch)
{
	struct zcb_port *port = kzalloc(sizeof(*port), GFP_KERNEL_ACCOUNT);

	if (!port)
		return NULL;
	kref_init(&port->ref);
	kref_get(&ch->ref);
	port->handle = ch->handle;
	port->channel = ch;
	port->session = s;
	INIT_LIST_HEAD(&port->in_channel);
	INIT_LIST_HEAD(&port->in_ready);
	return port;
}

static void port_free(struct kref *ref)
{
	struct zcb_port *port = container_of(ref, struct zcb_port, ref);

	zcb_queue_free(port);
	channel_put(port->channel);
	kfree_rcu(port, rcu);
}

/**
 * zcb_port_put - drop a reference
 * @port: the port; NULL and error pointers are ignored
 *
 * Context: may sleep.
 */
void zcb_port_put(struct zcb_port *port)
{
	if (!IS_ERR_OR_NULL(port))
		kref_put(&port->ref, port_free);
}

static struct zcb_port *port_load(struct zcb_session *s, u64 handle)
{
	struct zcb_port *port;

	guard(rcu)();
	port = xa_load(&s->ports, (u32)handle);
	if (port && port->handle == handle &&
	    kref_get_unless_zero(&port->ref))
		return port;
	return NULL;
}

/**
 * zcb_port_find - a session's port of a channel
 * @s: the session, attached
 * @handle: the channel
 *
 * Context: may sleep.
 * Return: the port with a reference; -EINVAL no channel's handle, -ENOENT or
 * -ESTALE no such channel, -EPERM it has no port of it, as error pointers.
 */
struct zcb_port *zcb_port_find(struct zcb_session *s, u64 handle)
{
	struct zcb_port *port = port_load(s, handle);
	struct zcb_pool *pool = s->pool;
	void *ch;

	if (port)
		return port;
	guard(mutex)(&pool->lock);
	return ERR_PTR(zcb_handle_lookup(&pool->channels, handle, &ch) ?:
		       -EPERM);
}

/**
 * zcb_port_find_nowait - the same for who must not sleep
 * @s: the session, attached
 * @handle: the channel
 *
 * Context: a task's; does not sleep.
 * Return: the port with a reference; -ZCB_ESLEEP: it has none, zcb_port_find()
 * knows why.
 */
struct zcb_port *zcb_port_find_nowait(struct zcb_session *s, u64 handle)
{
	return port_load(s, handle) ?: ERR_PTR(-ZCB_ESLEEP);
}

/**
 * zcb_port_next - walk a session's ports
 * @s: the session
 * @index: where to begin; moves on
 *
 * Context: any.
 * Return: the next port with a reference, or NULL.
 */
struct zcb_port *zcb_port_next(struct zcb_session *s, unsigned long *index)
{
	struct zcb_port *port;

	guard(rcu)();
	for (port = xa_find(&s->ports, index, ULONG_MAX, XA_PRESENT); port;
	     port = xa_find_after(&s->ports, index, ULONG_MAX, XA_PRESENT))
		if (kref_get_unless_zero(&port->ref)) {
			++*index;
			return port;
		}
	return NULL;
}

/* Is a consumer as the caller says it is, as far as he says? */
static bool port_same(const struct zcb_port *port,
		      const struct zcb_port_config *cfg)
{
	const struct zcb_consumer *c = &port->consumer;

	if ((cfg->depth && cfg->depth != c->depth) ||
	    (cfg->max_held && cfg->max_held != port->max_held))
		return false;
	if (!c->topic)
		return true;
	return (!cfg->policy || cfg->policy == c->topic->policy) &&
	       (!cfg->lanes || cfg->lanes == c->topic->nlanes);
}

static bool port_writes(const struct zcb_port *port)
{
	return port->session->rights & ZCBUF_RIGHT_MAP_WRITE;
}

static void port_add_consumer_locked(struct zcb_port *port,
				     const struct zcb_port_config *cfg)
{
	struct zcb_channel *ch = port->channel;
	struct zcb_consumer *c = &port->consumer;

	lockdep_assert_held(&ch->lock);
	zcb_consumer_init(c, zcb_port_depth(cfg), false);
	port->max_held = zcb_port_max_held(cfg);
	if (port->queue)
		zcb_topic_init(c, port->queue,
			       cfg->policy ?: ZCBUF_POLICY_BLOCK,
			       port->max_held, cfg->lanes ?: 1);
	ch->writing += port_writes(port);
	ch->consumers++;
	zcb_stream_add_consumer(&ch->stream, c);
	if (port->queue)
		zcb_topic_join(&ch->stream, c, cfg->replay);
	zcb_ready_join_locked(port);
}

/* Which of the kinds are new? The rights for them were checked. */
static int port_add_locked(struct zcb_port *port,
			   const struct zcb_port_config *cfg, u32 *added)
{
	struct zcb_channel *ch = port->channel;
	u32 fresh = cfg->kinds & ~port->kinds;

	lockdep_assert_held(&ch->lock);
	if (cfg->kinds & port->kinds & ZCBUF_PORT_CONSUME &&
	    !port_same(port, cfg))
		return -EEXIST;
	if (fresh & ZCBUF_PORT_RECV_FAILED &&
	    ch->failure_ports >= ZCB_CHANNEL_FAILURE_PORTS)
		return -EMFILE;
	if (!port->kinds)
		list_add_tail(&port->in_channel, &ch->ports);
	port->kinds |= fresh;
	if (fresh & ZCBUF_PORT_PRODUCE) {
		zcb_producer_init(&port->producer);
		port->producer.id = port->session->id;
		ch->producers++;
	}
	if (fresh & ZCBUF_PORT_CONSUME)
		port_add_consumer_locked(port, cfg);
	if (fresh & ZCBUF_PORT_RECV_FAILED) {
		zcb_consumer_init(&port->failure, ZCB_QUEUE_DEPTH, true);
		ch->failure_ports++;
		zcb_stream_add_consumer(&ch->stream, &port->failure);
		zcb_ready_count_other(port->session, 1);
	}
	*added = fresh;
	return 0;
}

/*
 * The last producer ends the stream of a channel that does not say otherwise;
 * then what it began is at least not held back until another one comes.
 */
static void port_count_producer_locked(struct zcb_channel *ch, u64 now)
{
	struct zcb_stream_counts n;

	lockdep_assert_held(&ch->lock);
	if (--ch->producers)
		return;
	if (ch->cfg.flags & ZCBUF_CHANNEL_F_NO_AUTO_FINALIZE)
		zcb_stream_flush(&ch->stream, now);
	else
		zcb_stream_finalize(&ch->stream, now, &n);
}

static void port_drop_eventfd_locked(struct eventfd_ctx **ctx)
{
	if (*ctx)
		eventfd_ctx_put(*ctx);
	*ctx = NULL;
}

static void port_count_consumers_locked(struct zcb_port *port, u32 kinds)
{
	struct zcb_channel *ch = port->channel;

	lockdep_assert_held(&ch->lock);
	if (kinds & ZCBUF_PORT_CONSUME) {
		if (port->view) {
			zcb_view_end(port->view, ZCBUF_QUEUE_CLOSED);
			zcb_ring_tell(&port->session->ready, port->view);
		}
		if (port->adaptive && port->eventfd &&
		    zcb_view_wake(port->view))
			eventfd_signal(port->eventfd);
		port->adaptive = false;
		port_drop_eventfd_locked(&port->eventfd);
		ch->writing -= port_writes(port);
		ch->consumers--;
		zcb_ready_leave_locked(port);
	}
	if (kinds & ZCBUF_PORT_RECV_FAILED) {
		port_drop_eventfd_locked(&port->failure_eventfd);
		ch->failure_ports--;
		zcb_ready_count_other(port->session, -1);
	}
}

/* What it has of the stream, all or of one kind, is over. */
static void port_drop_locked(struct zcb_port *port, u32 kinds)
{
	struct zcb_channel *ch = port->channel;
	u64 now = ktime_get_ns();

	lockdep_assert_held(&ch->lock);
	port->kinds &= ~kinds;
	port_count_consumers_locked(port, kinds);
	if (kinds & ZCBUF_PORT_PRODUCE) {
		zcb_stream_drop_producer(&ch->stream, &port->producer, now);
		port_count_producer_locked(ch, now);
	}
	if (kinds & ZCBUF_PORT_CONSUME)
		zcb_stream_drop_consumer(&ch->stream, &port->consumer);
	if (kinds & ZCBUF_PORT_RECV_FAILED)
		zcb_stream_drop_consumer(&ch->stream, &port->failure);
	if (!port->kinds)
		list_del_init(&port->in_channel);
}

/*
 * As port_drop_locked() of all, but for the memory: that stays until
 * port_end_locked().
 */
static void port_retire_locked(struct zcb_port *port)
{
	struct zcb_channel *ch = port->channel;
	u64 now = ktime_get_ns();

	lockdep_assert_held(&ch->lock);
	port->left = port->kinds;
	port->kinds = 0;
	port_count_consumers_locked(port, port->left);
	if (port->left & ZCBUF_PORT_PRODUCE) {
		zcb_stream_retire_producer(&ch->stream, &port->producer, now);
		port_count_producer_locked(ch, now);
	}
	if (port->left & ZCBUF_PORT_CONSUME)
		zcb_stream_retire_consumer(&ch->stream, &port->consumer);
	if (port->left & ZCBUF_PORT_RECV_FAILED)
		zcb_stream_retire_consumer(&ch->stream, &port->failure);
}

/*
 * Nobody is there any more: nobody finds the channel, and all that is in its stream
 * goes but for what retired ports keep. The lock of the channel is not held, since
 * the work that is waited for takes it.
 */
static void channel_end_locked(struct zcb_channel *ch)
{
	lockdep_assert_held(&ch->pool->lock);
	if (ch->ended)
		return;
	zcb_freeze_end(ch);
	hash_del(&ch->named);
	zcb_handle_remove(&ch->pool->channels, ch->handle);
	cancel_delayed_work_sync(&ch->age);
	mutex_lock(&ch->lock);
	zcb_stream_end(&ch->stream);
	mutex_unlock(&ch->lock);
	zcb_event_channel(ch, NULL, ZCBUF_EVENT_CHANNEL_GONE, 0);
}

/* No port is left, retired ones included. */
static void channel_drop_locked(struct zcb_channel *ch)
{
	channel_end_locked(ch);
	mutex_lock(&ch->lock);
	zcb_stream_fini(&ch->stream);
	mutex_unlock(&ch->lock);
	channel_put(ch);
}

static bool channel_deserted_locked(const struct zcb_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	return !ch->producers && !ch->consumers && !ch->failure_ports;
}

/**
 * zcb_port_forget_locked - nothing is left of a port
 * @s: whose it is; its pool's lock is held
 * @port: has been in its channel's list
 *
 * Context: may sleep.
 */
void zcb_port_forget_locked(struct zcb_session *s, struct zcb_port *port)
{
	struct zcb_channel *ch = port->channel;

	lockdep_assert_held(&ch->pool->lock);
	xa_erase(&s->ports, (u32)ch->handle);
	if (list_empty(&ch->ports))
		channel_drop_locked(ch);
	zcb_port_put(port);
}

static void port_close_locked(struct zcb_session *s, struct zcb_port *port,
			      u32 kinds)
{
	struct zcb_channel *ch = port->channel;
	bool closed, deserted;

	lockdep_assert_held(&ch->pool->lock);
	mutex_lock(&ch->lock);
	port_drop_locked(port, kinds);
	closed = !port->kinds;
	deserted = channel_deserted_locked(ch);
	mutex_unlock(&ch->lock);
	/* Who looks at it has seen, under that lock, that this is a consumer. */
	if (!(port->kinds & ZCBUF_PORT_CONSUME))
		zcb_queue_free(port);

	zcb_event_channel(ch, s, ZCBUF_EVENT_PORT_CLOSED, kinds);
	if (deserted)
		channel_end_locked(ch);
	if (closed)
		zcb_port_forget_locked(s, port);
}

static bool channel_same(const struct zcb_channel_config *a,
			 const struct zcb_channel_config *b)
{
	return a->flags == b->flags && a->max_age_us == b->max_age_us &&
	       a->stream.threshold == b->stream.threshold &&
	       a->stream.max_reservation == b->stream.max_reservation &&
	       a->stream.align == b->stream.align &&
	       a->stream.history == b->stream.history &&
	       a->stream.max_outstanding == b->stream.max_outstanding;
}

static bool channel_fits(const struct zcb_channel *ch,
			 const struct zcb_channel_wish *w)
{
	if (w->existing || !w->cfg)
		return true;
	return w->any ? ch->cfg.stream.topic || !w->cfg->stream.topic :
			channel_same(&ch->cfg, w->cfg);
}

static u32 name_hash(const struct zcbuf_channel_name *name)
{
	return jhash(name, sizeof(*name), 0);
}

static struct zcb_channel *channel_named_locked(struct zcb_pool *pool,
						const struct zcbuf_channel_name *name)
{
	struct zcb_channel *ch;

	lockdep_assert_held(&pool->lock);
	hash_for_each_possible(pool->names, ch, named, name_hash(name))
		if (!memcmp(ch->name, name, sizeof(*name)))
			return ch;
	return NULL;
}

/* The session's port of @ch, with the table's reference; made if need be. */
static struct zcb_port *port_get_locked(struct zcb_session *s,
					struct zcb_channel *ch)
{
	struct zcb_port *port = xa_load(&s->ports, (u32)ch->handle);
	int err;

	lockdep_assert_held(&ch->pool->lock);
	if (port)
		return port;
	port = port_create(s, ch);
	if (!port)
		return ERR_PTR(-ENOMEM);
	err = xa_err(xa_store(&s->ports, (u32)ch->handle, port,
			      GFP_KERNEL_ACCOUNT));
	if (!err)
		return port;
	zcb_port_put(port);
	return ERR_PTR(err);
}

static int port_prepare_locked(struct zcb_port *port,
			       const struct zcb_port_config *cfg)
{
	struct zcb_channel *ch = port->channel;

	lockdep_assert_held(&ch->pool->lock);
	if (!ch->cfg.stream.topic || !(cfg->kinds & ZCBUF_PORT_CONSUME) ||
	    port->kinds & ZCBUF_PORT_CONSUME)
		return 0;
	return zcb_queue_make(port, zcb_port_depth(cfg) +
				    zcb_port_max_held(cfg));
}

/* What only a topic has, or has not; who may write reads nothing immutable. */
static int port_check(const struct zcb_session *s, const struct zcb_channel *ch,
		      const struct zcb_port_config *cfg)
{
	bool park = cfg->policy == ZCBUF_POLICY_PARK;
	bool topic = ch->cfg.stream.topic;

	if (cfg->policy && topic == park)
		return -EINVAL;
	if (!topic && (cfg->lanes || cfg->replay))
		return -EINVAL;
	if (ch->cfg.stream.immutable && cfg->kinds & ZCBUF_PORT_CONSUME &&
	    s->rights & ZCBUF_RIGHT_MAP_WRITE)
		return -EPERM;
	return 0;
}

static struct zcb_port *port_open_locked(struct zcb_session *s,
					 struct zcb_channel *ch,
					 const struct zcb_port_config *cfg,
					 u32 *added)
{
	struct zcb_port *port;
	int err = port_check(s, ch, cfg);

	if (err)
		return ERR_PTR(err);
	port = port_get_locked(s, ch);
	if (IS_ERR(port))
		return port;
	err = port_prepare_locked(port, cfg);
	if (!err) {
		mutex_lock(&ch->lock);
		err = port_add_locked(port, cfg, added);
		mutex_unlock(&ch->lock);
	}
	if (!err) {
		kref_get(&port->ref);
		return port;
	}
	if (!(port->kinds & ZCBUF_PORT_CONSUME))
		zcb_queue_free(port);
	if (!port->kinds) {
		xa_erase(&s->ports, (u32)ch->handle);
		zcb_port_put(port);
	}
	return ERR_PTR(err);
}

static struct zcb_port *channel_make_locked(struct zcb_session *s,
					    const struct zcb_channel_wish *w,
					    u32 *added)
{
	struct zcb_pool *pool = s->pool;
	struct zcb_channel *ch;
	struct zcb_port *port;

	lockdep_assert_held(&pool->lock);
	ch = channel_create(s, w);
	if (!ch)
		return ERR_PTR(-ENOMEM);
	if (zcb_handle_reserve(&pool->channels, &ch->handle)) {
		channel_put(ch);
		return ERR_PTR(-EMFILE);
	}
	port = port_open_locked(s, ch, &w->port, added);
	if (IS_ERR(port)) {
		zcb_handle_remove(&pool->channels, ch->handle);
		channel_put(ch);
		return port;
	}
	zcb_handle_publish(&pool->channels, ch->handle, ch);
	if (ch->name) {
		hash_add(pool->names, &ch->named, name_hash(ch->name));
		zcb_pool_space(pool);	/* who waits for the name */
	}
	return port;
}

/* NULL: there is none, and one may be made. */
static struct zcb_channel *channel_find_locked(struct zcb_pool *pool,
					       const struct zcb_channel_wish *w)
{
	void *ch = NULL;
	int err = 0;

	lockdep_assert_held(&pool->lock);
	if (w->handle)
		err = zcb_handle_lookup(&pool->channels, w->handle, &ch);
	else if (w->name)
		ch = channel_named_locked(pool, w->name);
	if (err)
		return ERR_PTR(err);
	if (!ch)
		return w->existing ? ERR_PTR(-ENOENT) : NULL;
	return w->fresh || !channel_fits(ch, w) ? ERR_PTR(-EEXIST) : ch;
}

static int channel_try_open(struct zcb_session *s,
			    const struct zcb_channel_wish *w,
			    struct zcb_port **port, u32 *added)
{
	struct zcb_channel *ch;

	guard(mutex)(&s->pool->lock);
	ch = channel_find_locked(s->pool, w);
	if (IS_ERR(ch))
		return PTR_ERR(ch);
	*port = ch ? port_open_locked(s, ch, &w->port, added) :
		     channel_make_locked(s, w, added);
	if (IS_ERR(*port))
		return PTR_ERR(*port);
	if (!ch)
		zcb_event_channel((*port)->channel, s,
				  ZCBUF_EVENT_CHANNEL_APPEARED, 0);
	if (*added)
		zcb_event_channel((*port)->channel, s,
				  ZCBUF_EVENT_PORT_OPENED, *added);
	return 0;
}

/**
 * zcb_channel_open - make a channel, or take ports of one
 * @s: the session, attached
 * @w: which, and how
 * @port: set, with a reference
 * @added: those of the kinds the session did not have before
 *
 * Context: may sleep.
 * Return: 0, -EINVAL, -EPERM, -ENOENT, -ESTALE, -EEXIST, -EMFILE, -ENOMEM,
 * -ETIMEDOUT, -ERESTARTSYS.
 */
int zcb_channel_open(struct zcb_session *s, const struct zcb_channel_wish *w,
		     struct zcb_port **port, u32 *added)
{
	struct zcb_pool *pool = s->pool;
	int seen, err;

	do {
		seen = atomic_read(&pool->space_seq);
		err = channel_try_open(s, w, port, added);
		if (err == -ENOENT && w->deadline_ns)
			err = zcb_wait(s, &pool->space_wq, &pool->space_seq,
				       seen, w->deadline_ns) ?: 1;
	} while (err == 1);
	return err;
}

/**
 * zcb_channel_close - give ports back
 * @s: the session, attached
 * @handle: the channel
 * @kinds: ZCBUF_PORT_*; 0 means all
 *
 * Context: may sleep.
 * Return: 0; -EINVAL, -ENOENT, -ESTALE: no such channel, or no such port of it.
 */
int zcb_channel_close(struct zcb_session *s, u64 handle, u32 kinds)
{
	struct zcb_pool *pool = s->pool;
	struct zcb_port *port = zcb_port_find(s, handle);
	int err = 0;

	if (IS_ERR(port))
		return PTR_ERR(port) == -EPERM ? -ENOENT : PTR_ERR(port);
	scoped_guard(mutex, &pool->lock) {
		kinds = port->kinds & (kinds ?: ~0U);
		if (kinds)
			port_close_locked(s, port, kinds);
		else
			err = -ENOENT;
	}
	zcb_port_put(port);
	zcb_pool_space(pool);	/* a call that waits on it is told EPERM */
	zcb_session_event(s, EPOLLIN);
	return err;
}

/**
 * zcb_channels_leave_locked - no port of a session that is gone is one any more
 * @s: the session; its pool's lock is held
 *
 * What it had pending fails, what it was offered goes to others. What it may
 * still be storing in, or reading, stays until zcb_channels_drain().
 *
 * Context: may sleep.
 */
void zcb_channels_leave_locked(struct zcb_session *s)
{
	struct zcb_port *port;
	unsigned long index;
	bool deserted;

	lockdep_assert_held(&s->pool->lock);
	xa_for_each(&s->ports, index, port) {
		scoped_guard(mutex, &port->channel->lock) {
			port_retire_locked(port);
			deserted = channel_deserted_locked(port->channel);
		}
		zcb_event_channel(port->channel, s, ZCBUF_EVENT_PORT_CLOSED,
				  port->left);
		if (deserted)
			channel_end_locked(port->channel);
	}
	zcb_pool_space(s->pool);
}

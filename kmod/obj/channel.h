/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Channels: a stream, its lock, and the ports sessions have of it. The success
 * and failure queues live in the stream; here is who is told of them.
 */
#ifndef ZCB_OBJ_CHANNEL_H
#define ZCB_OBJ_CHANNEL_H

#include <linux/cleanup.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/workqueue.h>
#include <linux/zcbuf.h>

#include "../core/topic.h"
#include "session.h"
#include "stat.h"

struct eventfd_ctx;
struct zcb_view;

#define ZCB_QUEUE_DEPTH		1024
#define ZCB_QUEUE_DEPTH_MAX	65536
#define ZCB_QUEUE_HELD		64
#define ZCB_QUEUE_HELD_MAX	65536

/* All of them are told of every failed group, so their number is bounded. */
#define ZCB_CHANNEL_FAILURE_PORTS	64

/**
 * struct zcb_channel_config - how a channel is opened, defaults filled in
 * @flags: ZCBUF_CHANNEL_F_*
 * @stream: what the stream needs to know
 * @max_age_us: of an open group, 0: any
 */
struct zcb_channel_config {
	u32 flags;
	struct zcb_stream_config stream;
	u32 max_age_us;
};

/**
 * struct zcb_port_config - what a session wants of a port
 * @kinds: ZCBUF_PORT_*, at least one
 * @depth: of a consumer's queue; 0: the default, or as it is
 * @policy: ZCBUF_POLICY_*, the same
 * @max_held: of a consumer's queue, the same
 * @lanes: the same
 * @replay: groups of the history it wants
 */
struct zcb_port_config {
	u32 kinds;
	u32 depth;
	u32 policy;
	u32 max_held;
	u32 lanes;
	u32 replay;
};

static inline u32 zcb_port_depth(const struct zcb_port_config *cfg)
{
	return cfg->depth ?: ZCB_QUEUE_DEPTH;
}

static inline u32 zcb_port_max_held(const struct zcb_port_config *cfg)
{
	return cfg->max_held ?: ZCB_QUEUE_HELD;
}

/**
 * struct zcb_channel_wish - which channel, and what of it
 * @handle: 0: by @name, or a new one
 * @name: what follows the lengths is 0; or NULL
 * @existing: none is made
 * @fresh: one is made
 * @deadline_ns: with @existing: how long to wait for it
 * @cfg: how it is made; of one that exists: how it must have been made, or NULL
 * @any: one that exists will do, if only it is a topic if @cfg is one
 * @port: what the session wants of it; rights were checked
 */
struct zcb_channel_wish {
	u64 handle;
	const struct zcbuf_channel_name *name;
	bool existing;
	bool fresh;
	u64 deadline_ns;
	const struct zcb_channel_config *cfg;
	bool any;
	struct zcb_port_config port;
};

/**
 * struct zcb_channel - one stream of a pool
 * @ref: ports; once unpublished, calls that are still running
 * @pool: lives as long as any port
 * @handle: names it in the pool
 * @name: does so, too; constant; or NULL
 * @named: among the pool's names; its lock
 * @cfg: constant
 * @domain: whose memory it was
 * @payer: who pays for the records of its reservations and groups
 * @user: the same, once charged
 * @lock: guards all below, and the ports' fields
 * @charged: bytes of records charged
 * @paid: credits that are paid for with these
 * @stream: the state machine
 * @hash: its buckets
 * @ports: struct zcb_port; changed under the pool's lock as well
 * @producers: ports that produce
 * @consumers: ports that consume
 * @writing: of these, ports of sessions that may write to the pool
 * @failure_ports: ports that serve the failure queue
 * @age: seals an open group of age @cfg.max_age_us
 * @freeze: IMMUTABLE: freezes groups and has them delivered: freeze.c
 * @freeze_wait: jiffies until it looks again; its own
 * @ended: nobody finds it any more, only ports of the dead are left; written with
 *	the pool's lock as well
 */
struct zcb_channel {
	struct kref ref;
	struct zcb_pool *pool;
	u64 handle;
	struct zcbuf_channel_name *name;
	struct hlist_node named;
	struct zcb_channel_config cfg;
	u32 domain;
	struct zcb_payer payer;
	struct zcb_user *user;

	struct mutex lock;	/* the stream and all that follows */
	u64 charged;
	u32 paid;
	struct zcb_stream stream;
	struct zcb_resv **hash;
	struct list_head ports;
	u32 producers;
	u32 consumers;
	u32 writing;
	u32 failure_ports;
	struct delayed_work age;
	struct delayed_work freeze;
	unsigned long freeze_wait;
	bool ended;
};

/**
 * struct zcb_port - what one session has of one channel
 * @ref: the session's table; calls that are running
 * @rcu: lookups
 * @handle: the channel's; lookups may read it when @channel is gone
 * @channel: with a reference
 * @session: valid while @kinds is not 0
 * @left: kinds it had when the session was gone, whose memory may still be used by
 *	I/O; the port is then in the channel's list without any kind
 * @in_channel: in the channel's list
 * @in_ready: among those that have something; its session's ready.lock
 * @told: its session was told of the end; the same
 * @kinds: ZCBUF_PORT_*; 0 once it is closed
 * @producer: with ZCBUF_PORT_PRODUCE
 * @consumer: with ZCBUF_PORT_CONSUME
 * @failure: with ZCBUF_PORT_RECV_FAILED
 * @max_held: of @consumer, once it has @queue
 * @queue: what @consumer has, of a topic, or of a stream with @view; as long as it is
 *	one, or holds something. Changes under the pool's lock, and is used by the
 *	consumer's pointer to it
 * @queue_bytes: of it
 * @queue_user: who is charged for it
 * @view: what its consumer sees of it, or NULL
 * @adaptive: @eventfd is for one who sleeps
 * @eventfd: armed for the consumer, or NULL
 * @failure_eventfd: armed for the failure port, or NULL
 */
struct zcb_port {
	struct kref ref;
	struct rcu_head rcu;
	u64 handle;
	struct zcb_channel *channel;
	struct zcb_session *session;
	struct list_head in_channel;
	struct list_head in_ready;
	bool told;
	u32 kinds;
	u32 left;
	struct zcb_producer producer;
	struct zcb_consumer consumer;
	struct zcb_consumer failure;
	u32 max_held;
	struct zcb_topic_queue *queue;
	u64 queue_bytes;
	struct zcb_user *queue_user;
	struct zcb_view *view;
	bool adaptive;
	struct eventfd_ctx *eventfd;
	struct eventfd_ctx *failure_eventfd;
};

/* A failed group as RECEIVE_FAILED tells it; the arrays are kvmalloc'ed. */
struct zcb_failed_group {
	struct zcbuf_delivery delivery;
	struct zcbuf_piece *pieces;
	struct zcbuf_lost *lost;
	u32 npieces;
	u32 nlost;
};

/* How many queues a session receives from, and how many of them have ended. */
struct zcb_port_poll {
	u32 receiving;
	u32 ended;
};

int zcb_channels_init(void);
void zcb_channels_exit(void);

int zcb_channel_open(struct zcb_session *s, const struct zcb_channel_wish *w,
		     struct zcb_port **port, u32 *added);
int zcb_channel_close(struct zcb_session *s, u64 handle, u32 kinds);
void zcb_channels_leave_locked(struct zcb_session *s);
bool zcb_channels_drain(struct zcb_session *s);
u64 zcb_channels_kept_locked(struct zcb_session *s);

/* One entry of a batch, under the channel's lock. */
typedef int zcb_channel_one(struct zcb_port *port, const void *entry);

/* Between channel.c, drain.c, port.c, publish.c, queue.c and show.c. */
int zcb_channel_check_locked(const struct zcb_port *port, u32 kind);
int zcb_channel_pay_locked(struct zcb_channel *ch);
int zcb_channel_records(struct zcb_stream_supply *s, bool group);
void zcb_channel_records_free(struct zcb_stream_supply *s);
int zcb_channel_each(struct zcb_port *port, zcb_channel_one *one,
		     const void *entries, size_t size, u32 n, bool nowait,
		     u32 *done);
extern const struct zcb_stream_ops zcb_channel_stream_ops;
void zcb_channel_age(struct work_struct *work);
bool zcb_channel_writable_locked(struct zcb_channel *ch);
int zcb_queue_make(struct zcb_port *port, u32 nslots);
void zcb_queue_free(struct zcb_port *port);
void zcb_queue_ready(struct zcb_stream *s, struct zcb_consumer *c, u32 n);
void zcb_queue_show(struct zcb_consumer *c, const struct zcb_topic_slot *slot,
		    u32 lane);
bool zcb_queue_claim(struct zcb_consumer *c, const struct zcb_topic_slot *slot,
		     u32 as);
void zcb_queue_await(struct zcb_consumer *c);
void zcb_queue_feed_locked(struct zcb_channel *ch);
int zcb_queue_receive_locked(struct zcb_port *port, struct zcbuf_delivery *d,
			     u32 n, u32 *done);

void zcb_port_forget_locked(struct zcb_session *s, struct zcb_port *port);
struct zcb_port *zcb_port_find(struct zcb_session *s, u64 handle);
struct zcb_port *zcb_port_find_nowait(struct zcb_session *s, u64 handle);
struct zcb_port *zcb_port_next(struct zcb_session *s, unsigned long *index);
void zcb_port_put(struct zcb_port *port);
DEFINE_FREE(zcb_port_put, struct zcb_port *, zcb_port_put(_T))
__poll_t zcb_port_poll(struct zcb_port *port, struct zcb_port_poll *p);
int zcb_port_eventfd(struct zcb_port *port, bool failure, bool adaptive,
		     struct eventfd_ctx *ctx);
struct file *zcb_port_view(struct zcb_port *port, u64 *bytes, u64 *state_bytes);
int zcb_port_sync(struct zcb_port *port);

int zcb_channel_reserve(struct zcb_port *port, struct zcbuf_reservation *r,
			u32 flags, u64 deadline_ns, u32 *why);
int zcb_channel_reserve_nowait(struct zcb_port *port,
			       struct zcbuf_reservation *r, u32 flags,
			       u32 *why);
int zcb_channel_publish(struct zcb_port *port, struct zcbuf_publication *p,
			u32 flags, u64 deadline_ns, u32 *why);
int zcb_channel_commit_all(struct zcb_port *port,
			   const struct zcb_stream_commit *c, u32 n,
			   bool nowait, u32 *done);
int zcb_channel_abort_all(struct zcb_port *port,
			  const struct zcbuf_abort_entry *e, u32 n,
			  bool nowait, u32 *done);
int zcb_channel_flush(struct zcb_port *port, bool *sealed);
int zcb_channel_finalize(struct zcb_port *port, struct zcb_stream_counts *n);
int zcb_channel_receive(struct zcb_port *port, struct zcbuf_delivery *d, u32 n,
			u64 deadline_ns, u32 *done);
int zcb_channel_receive_nowait(struct zcb_port *port, struct zcbuf_delivery *d,
			       u32 n, u32 *done);
int zcb_channel_receive_failed(struct zcb_port *port,
			       struct zcb_failed_group *f, u32 max_pieces,
			       u32 max_lost, u64 deadline_ns);
void zcb_failed_group_free(struct zcb_failed_group *f);
int zcb_channel_release_all(struct zcb_port *port, const u64 *handles, u32 n,
			    bool nowait, u32 *done);

/* zcb_channel_why() - what to tell who would have to wait, and nobody else */
static inline u32 zcb_channel_why(int err, u32 why)
{
	return err == -EAGAIN || err == -ETIMEDOUT ? why : 0;
}

/* A batch of one. */
static inline int zcb_channel_commit(struct zcb_port *port,
				     const struct zcb_stream_commit *c)
{
	u32 done;

	return zcb_channel_commit_all(port, c, 1, false, &done);
}

static inline int zcb_channel_abort(struct zcb_port *port, u64 group, u64 id)
{
	struct zcbuf_abort_entry e = { .group = group, .id = id };
	u32 done;

	return zcb_channel_abort_all(port, &e, 1, false, &done);
}

static inline int zcb_channel_release(struct zcb_port *port, u64 handle)
{
	u32 done;

	return zcb_channel_release_all(port, &handle, 1, false, &done);
}

#endif /* ZCB_OBJ_CHANNEL_H */

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Topics of the fake device: names, queues, policies, lanes, history, who has which
 * message, and which topics there are. Who would wait is told at once that it took too
 * long.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "fake.h"
#include "test.h"

#define PORTS		64	/* one for each session */
#define QUEUE		64	/* the most any queue has room for here */
#define HISTORY		16
#define DELIVERY	0xd00000000ULL	/* handles are above */

/* @refs: of queues, of those who hold it, of the history; 0: it is no message */
struct message {
	struct zcbuf_delivery delivery;
	__u64 buf;
	unsigned int refs;
};

/* Message numbers, from 0, are places in messages[]. */
struct port {
	struct zcbuf_channel_open opts;
	unsigned int queue[ZCBUF_MAX_LANES][QUEUE];
	unsigned int queued[ZCBUF_MAX_LANES];
	unsigned int held;
	__u64 lost;
};

struct topic {
	__u64 handle;
	__u32 flags;
	struct zcbuf_channel_name name;
	bool has_name;
	bool finalized;
	__u32 history;
	__u32 ports[PORTS];	/* ZCBUF_PORT_*, by session */
	__u64 seq[PORTS];
	struct port port[PORTS];
	unsigned int kept[HISTORY];
	unsigned int nkept;
};

static struct topic topics[FAKE_TOPICS];
static struct message messages[FAKE_MAX];
static unsigned int nmessages;

static __u64 topics_made;
static __u64 generation = 1;	/* of what WATCH lists */

/* Deliveries: who holds which message; topic 0 is nobody. */
static struct {
	unsigned int topic;	/* number, from 1 */
	unsigned int port;
	unsigned int message;
	bool released;
} held[FAKE_MAX];
static unsigned int nheld;

static void *at(__u64 ptr)
{
	return (void *)(uintptr_t)ptr;
}

static unsigned int port_of(__u64 self)
{
	return (self - FAKE_SESSION) % PORTS;
}

/* Where a handle points to, whether it is that of the topic there or of an older one. */
static struct topic *topic_at(__u64 handle)
{
	return &topics[(handle - FAKE_TOPIC) % FAKE_TOPICS];
}

static bool topic_used(const struct topic *t)
{
	unsigned int i;

	for (i = 0; i < PORTS; i++)
		if (t->ports[i])
			return true;
	return false;
}

unsigned int fake_topics(void)
{
	unsigned int n = 0;
	unsigned int i;

	for (i = 0; i < FAKE_TOPICS; i++)
		n += topic_used(&topics[i]);
	return n;
}

unsigned int fake_messages(void)
{
	unsigned int n = 0;
	unsigned int i;

	for (i = 0; i < nmessages; i++)
		n += !!messages[i].refs;
	return n;
}

/* Somebody else's turn, while this one waits. */
static void others_go_on(void (**hook)(void))
{
	void (*turn)(void) = *hook;

	*hook = NULL;
	if (turn)
		turn();
}

static void message_put(unsigned int i)
{
	ASSERT_EQ(messages[i].refs > 0, true);
	if (!--messages[i].refs)
		fake_buf_forget(messages[i].buf);
}

/* ------------------------------------------------------------------ queues */

static __u32 port_lanes(const struct port *p)
{
	return p->opts.lanes ? p->opts.lanes : 1;
}

static unsigned int port_queued(const struct port *p)
{
	unsigned int n = 0;
	unsigned int i;

	for (i = 0; i < ZCBUF_MAX_LANES; i++)
		n += p->queued[i];
	return n;
}

static bool port_has_room(const struct port *p)
{
	__u32 depth = p->opts.depth ? p->opts.depth : QUEUE;
	__u32 most = p->opts.max_held ? p->opts.max_held : 64;

	return port_queued(p) < depth && p->held < most;
}

static unsigned int queue_pop(struct port *p, unsigned int lane)
{
	unsigned int first = p->queue[lane][0];

	memmove(p->queue[lane], p->queue[lane] + 1,
		--p->queued[lane] * sizeof(first));
	return first;
}

static unsigned int lane_of(const struct port *p, unsigned int message)
{
	__u32 lane = messages[message].delivery.priority;

	return lane < port_lanes(p) ? lane : port_lanes(p) - 1;
}

static void queue_push(struct port *p, unsigned int message)
{
	unsigned int lane = lane_of(p, message);

	ASSERT_EQ(p->queued[lane] < QUEUE, true);
	p->queue[lane][p->queued[lane]++] = message;
	messages[message].refs++;
}

/* Room by losing the oldest of the lowest lane, unless that is above @message. */
static bool queue_drop(struct port *p, unsigned int message)
{
	unsigned int lane = 0;

	while (lane < ZCBUF_MAX_LANES && !p->queued[lane])
		lane++;
	if (lane > lane_of(p, message) || lane == ZCBUF_MAX_LANES)
		return false;
	message_put(queue_pop(p, lane));
	return true;
}

static void port_offer(struct port *p, unsigned int message,
		       struct zcbuf_publication *e)
{
	bool fits = port_has_room(p);

	if (!fits) {
		p->lost++;
		e->out_dropped++;
		fits = p->opts.policy == ZCBUF_POLICY_DROP_OLDEST &&
		       queue_drop(p, message);
	}
	if (!fits)
		return;
	queue_push(p, message);
	e->out_delivered++;
}

/* ----------------------------------------------------------------- opening */

static void topic_changed(const struct topic *t)
{
	generation += t->has_name;
}

static struct topic *topic_named(const struct zcbuf_channel_name *name)
{
	unsigned int i;

	for (i = 0; i < FAKE_TOPICS; i++)
		if (topic_used(&topics[i]) && topics[i].has_name &&
		    !memcmp(&topics[i].name, name, sizeof(*name)))
			return &topics[i];
	return NULL;
}

static struct topic *topic_new(const struct zcbuf_channel_open *arg)
{
	struct topic *t = topics;

	while (t < topics + FAKE_TOPICS && topic_used(t))
		t++;
	ASSERT_EQ(t < topics + FAKE_TOPICS, true);
	memset(t, 0, sizeof(*t));
	t->handle = FAKE_TOPIC + ++topics_made * FAKE_TOPICS + (t - topics);
	t->flags = arg->flags & ~ZCBUF_CHANNEL_F_NEW;
	t->history = arg->history;
	t->has_name = arg->name;
	if (arg->name)
		t->name = fake.channel_name;
	return t;
}

static bool name_is_good(const struct zcbuf_channel_name *n)
{
	return n->service_len && n->instance_len && n->event_len;
}

static int topic_find(const struct zcbuf_channel_open *arg, struct topic **out)
{
	*out = NULL;
	if (arg->channel) {
		*out = topic_at(arg->channel);
		if (!topic_used(*out) || (*out)->handle != arg->channel)
			return -ENOENT;
		return 0;
	}
	if (arg->name && !name_is_good(&fake.channel_name))
		return -EINVAL;
	if (arg->name)
		*out = topic_named(&fake.channel_name);
	if (*out && arg->flags & ZCBUF_CHANNEL_F_NEW)
		return -EEXIST;
	if (!*out && arg->flags & ZCBUF_CHANNEL_F_EXISTING)
		return arg->deadline_ns ? -ETIMEDOUT : -ENOENT;
	if (!*out)
		*out = topic_new(arg);
	return arg->history && arg->history != (*out)->history ? -EEXIST : 0;
}

static void port_replay(const struct topic *t, struct port *p)
{
	unsigned int n = p->opts.replay < t->nkept ? p->opts.replay : t->nkept;
	unsigned int i;

	for (i = t->nkept - n; i < t->nkept; i++)
		queue_push(p, t->kept[i]);
}

static bool same_port(const struct port *p, const struct zcbuf_channel_open *arg)
{
	return p->opts.depth == arg->depth && p->opts.policy == arg->policy &&
	       p->opts.max_held == arg->max_held && p->opts.lanes == arg->lanes;
}

static int do_open(__u64 self, struct zcbuf_channel_open *arg)
{
	unsigned int i = port_of(self);
	struct topic *t;
	int err;

	fake.channel_open = *arg;
	if (((arg->ports & ZCBUF_PORT_PRODUCE) &&
	     !(fake.rights & ZCBUF_RIGHT_PRODUCE)) ||
	    ((arg->ports & ZCBUF_PORT_CONSUME) &&
	     !(fake.rights & ZCBUF_RIGHT_CONSUME)))
		return -EPERM;
	err = topic_find(arg, &t);
	if (err)
		return err;
	if (arg->ports & t->ports[i] & ZCBUF_PORT_CONSUME &&
	    !same_port(&t->port[i], arg))
		return -EEXIST;
	if (arg->ports & ~t->ports[i] & ZCBUF_PORT_CONSUME) {
		t->port[i] = (struct port){ .opts = *arg };
		port_replay(t, &t->port[i]);
	}
	t->ports[i] |= arg->ports;
	topic_changed(t);
	arg->out_channel = t->handle;
	return 0;
}

static void port_close(struct topic *t, unsigned int port)
{
	struct port *p = &t->port[port];
	unsigned int i;

	for (i = 0; i < ZCBUF_MAX_LANES; i++)
		while (p->queued[i])
			message_put(queue_pop(p, i));
	for (i = 0; i < nheld; i++) {
		if (held[i].topic != (unsigned int)(t - topics) + 1 ||
		    held[i].port != port || held[i].released)
			continue;
		held[i].released = true;
		message_put(held[i].message);
	}
	p->held = 0;
}

static int do_close(struct topic *t, __u64 self,
		    const struct zcbuf_channel_close *arg)
{
	unsigned int i = port_of(self);
	__u32 ports = arg->ports ? arg->ports : t->ports[i];

	fake.channel_close = *arg;
	if (!ports || ports & ~t->ports[i])
		return -ENOENT;
	t->ports[i] &= ~ports;
	topic_changed(t);
	if (ports & ZCBUF_PORT_CONSUME)
		port_close(t, i);
	if (!topic_used(t))
		while (t->nkept)
			message_put(t->kept[--t->nkept]);
	return 0;
}

/* -------------------------------------------------------------- publishing */

static bool topic_blocks(const struct topic *t)
{
	unsigned int i;

	for (i = 0; i < PORTS; i++)
		if (t->ports[i] & ZCBUF_PORT_CONSUME &&
		    t->port[i].opts.policy <= ZCBUF_POLICY_BLOCK &&
		    !port_has_room(&t->port[i]))
			return true;
	return false;
}

static bool topic_has_consumer(const struct topic *t)
{
	unsigned int i;

	for (i = 0; i < PORTS; i++)
		if (t->ports[i] & ZCBUF_PORT_CONSUME)
			return true;
	return false;
}

static void topic_keep(struct topic *t, unsigned int message)
{
	if (!t->history)
		return;
	if (t->nkept == t->history) {
		message_put(t->kept[0]);
		memmove(t->kept, t->kept + 1, --t->nkept * sizeof(t->kept[0]));
	}
	ASSERT_EQ(t->nkept < HISTORY, true);
	t->kept[t->nkept++] = message;
	messages[message].refs++;
}

/* Where it is, in one piece: the buffer's. */
static unsigned int message_new(struct topic *t, __u64 self,
				const struct zcbuf_publication *e, __u64 length)
{
	ASSERT_EQ(nmessages < FAKE_MAX, true);
	messages[nmessages] = (struct message){
		.delivery = {
			.group = nmessages,
			.length = length,
			.seq = t->seq[port_of(self)]++,
			.time_ns = 1000 + nmessages,
			.nrecords = 1,
			.nextents = 1,
			.extents = {
				{ zcbuf_buf_offset(e->handle), length },
			},
			.publisher = self,
			.user_tag = e->user_tag,
			.encoding = e->encoding,
			.priority = e->priority,
		},
		.buf = e->handle,
		.refs = 1,
	};
	return nmessages++;
}

static int publish_one(struct topic *t, __u64 self,
		       const struct zcbuf_publish *arg,
		       struct zcbuf_publication *e)
{
	__u64 length = e->length;
	unsigned int message;
	unsigned int i;
	int err;

	if (t->finalized)
		return -ESHUTDOWN;
	if (arg->flags & ZCBUF_PUBLISH_F_NEED_CONSUMER &&
	    !topic_has_consumer(t))
		return -EPIPE;
	if (topic_blocks(t))
		return arg->deadline_ns && !arg->out_done ? -ETIMEDOUT
							  : -EAGAIN;
	err = fake_buf_publish(self, e->handle, &length);
	if (err)
		return err;
	message = message_new(t, self, e, length);
	e->out_seq = messages[message].delivery.seq;
	e->out_delivered = 0;
	e->out_dropped = 0;
	for (i = 0; i < PORTS; i++)
		if (t->ports[i] & ZCBUF_PORT_CONSUME)
			port_offer(&t->port[i], message, e);
	topic_keep(t, message);
	message_put(message);
	return 0;
}

static int do_publish(struct topic *t, __u64 self, struct zcbuf_publish *arg)
{
	struct zcbuf_publication *entries = at(arg->entries);

	fake.publish = *arg;
	if (!(t->ports[port_of(self)] & ZCBUF_PORT_PRODUCE))
		return -EPERM;
	if (!arg->count || arg->count > ZCBUF_MAX_BATCH)
		return -EINVAL;
	while (arg->out_done < arg->count && !arg->out_error) {
		arg->out_error = -publish_one(t, self, arg,
					      &entries[arg->out_done]);
		arg->out_done += !arg->out_error;
	}
	arg->out_why = fake_why(arg->out_error);
	return arg->out_done ? 0 : -(int)arg->out_error;
}

/* ------------------------------------------------------------------ taking */

/* The highest lane that has one, or -1. */
static int port_next_lane(const struct port *p)
{
	int lane = ZCBUF_MAX_LANES - 1;

	while (lane >= 0 && !p->queued[lane])
		lane--;
	return lane;
}

static int receive_one(struct topic *t, unsigned int port,
		       struct zcbuf_delivery *d)
{
	struct port *p = &t->port[port];
	int lane = port_next_lane(p);

	if (lane < 0)
		return t->finalized ? -ESHUTDOWN : -EAGAIN;
	if (p->held == (p->opts.max_held ? p->opts.max_held : 64))
		return -ENOSPC;
	ASSERT_EQ(nheld < FAKE_MAX, true);
	held[nheld].topic = t - topics + 1;
	held[nheld].port = port;
	held[nheld].message = queue_pop(p, lane);
	*d = messages[held[nheld].message].delivery;
	d->handle = DELIVERY + ++nheld;
	d->lost = p->lost;
	p->held++;
	return 0;
}

static int do_receive(struct topic *t, __u64 self, struct zcbuf_receive *arg)
{
	unsigned char *entries = at(arg->entries);
	struct zcbuf_delivery d;

	others_go_on(&fake.on_receive);
	fake.receive = *arg;
	if (!arg->count || arg->count > ZCBUF_MAX_BATCH ||
	    arg->entry_size < sizeof(d))
		return -EINVAL;
	if (!(t->ports[port_of(self)] & ZCBUF_PORT_CONSUME))
		return -EPERM;
	while (arg->out_done < arg->count && !arg->out_error) {
		arg->out_error = -receive_one(t, port_of(self), &d);
		if (arg->out_error)
			break;
		memset(entries, 0, arg->entry_size);
		memcpy(entries, &d, sizeof(d));
		entries += arg->entry_size;
		arg->out_done++;
	}
	if (arg->out_error == EAGAIN && arg->deadline_ns && !arg->out_done)
		return -ETIMEDOUT;
	return arg->out_done ? 0 : -(int)arg->out_error;
}

static int release_one(struct topic *t, __u64 self, __u64 handle)
{
	unsigned int i = handle - DELIVERY - 1;

	if (handle <= DELIVERY || i >= nheld ||
	    held[i].topic != (unsigned int)(t - topics) + 1)
		return -ENOENT;
	if (held[i].port != port_of(self))
		return -EPERM;
	if (held[i].released)
		return -EBADSLT;
	held[i].released = true;
	message_put(held[i].message);
	t->port[held[i].port].held--;
	return 0;
}

static int do_release(struct topic *t, __u64 self, struct zcbuf_batch *arg)
{
	const __u64 *handles = at(arg->entries);

	if (!arg->count || arg->count > ZCBUF_MAX_BATCH)
		return -EINVAL;
	while (arg->out_done < arg->count && !arg->out_error) {
		arg->out_error = -release_one(t, self, handles[arg->out_done]);
		arg->out_done += !arg->out_error;
	}
	return arg->out_done ? 0 : -(int)arg->out_error;
}

/* ---------------------------------------------------------------- watching */

static unsigned int topic_ports(const struct topic *t, __u32 port)
{
	unsigned int n = 0;
	unsigned int i;

	for (i = 0; i < PORTS; i++)
		n += !!(t->ports[i] & port);
	return n;
}

static struct zcbuf_watch_entry watch_entry(const struct topic *t)
{
	return (struct zcbuf_watch_entry){
		.channel = t->handle,
		.flags = t->flags,
		.state = t->finalized ? ZCBUF_WATCH_FINALIZED : 0,
		.producers = topic_ports(t, ZCBUF_PORT_PRODUCE),
		.consumers = topic_ports(t, ZCBUF_PORT_CONSUME),
		.name = t->name,
	};
}

static void watch_list(struct zcbuf_watch *arg)
{
	struct zcbuf_watch_entry *entries = at(arg->entries);
	unsigned int i;

	for (i = 0; i < FAKE_TOPICS; i++) {
		if (!topic_used(&topics[i]) || !topics[i].has_name)
			continue;
		if (arg->out_count < arg->count)
			entries[arg->out_count] = watch_entry(&topics[i]);
		arg->out_count++;
	}
}

static int do_watch(struct zcbuf_watch *arg)
{
	others_go_on(&fake.on_watch);
	fake.watch = *arg;
	if (arg->count > FAKE_TOPICS ||
	    arg->entry_size != sizeof(struct zcbuf_watch_entry))
		return -EINVAL;
	if (arg->since == generation)
		return arg->deadline_ns ? -ETIMEDOUT : -EAGAIN;
	watch_list(arg);
	if (arg->out_count > arg->count)
		return -EMSGSIZE;
	arg->out_generation = generation;
	return 0;
}

/* ------------------------------------------------------------------- calls */

/* The channel of every call that has one stands at the same place. */
static struct topic *topic_of(const void *arg)
{
	__u64 handle = ((const struct zcbuf_batch *)arg)->channel;

	return handle > FAKE_TOPIC && handle < FAKE_SESSION ? topic_at(handle) :
							      NULL;
}

static bool opens_topic(const struct zcbuf_channel_open *arg)
{
	if (arg->name)
		fake.channel_name =
			*(struct zcbuf_channel_name *)at(arg->name);
	return arg->name || arg->flags & ZCBUF_CHANNEL_F_TOPIC ||
	       topic_of(arg);
}

static bool has_channel(unsigned int nr)
{
	return nr == ZCBUF_NR_CHANNEL_CLOSE || nr == ZCBUF_NR_PUBLISH ||
	       nr == ZCBUF_NR_RECEIVE || nr == ZCBUF_NR_RELEASE ||
	       nr == ZCBUF_NR_FINALIZE;
}

int fake_topic_call(__u64 self, unsigned int nr, void *arg)
{
	struct topic *t;

	if (nr == ZCBUF_NR_CHANNEL_OPEN)
		return opens_topic(arg) ? do_open(self, arg) : FAKE_NO_CALL;
	if (nr == ZCBUF_NR_WATCH)
		return do_watch(arg);
	t = has_channel(nr) ? topic_of(arg) : NULL;
	if (!t)
		return nr == ZCBUF_NR_PUBLISH ? -EPERM : FAKE_NO_CALL;
	switch (nr) {
	case ZCBUF_NR_CHANNEL_CLOSE:
		return do_close(t, self, arg);
	case ZCBUF_NR_PUBLISH:
		return do_publish(t, self, arg);
	case ZCBUF_NR_RECEIVE:
		return do_receive(t, self, arg);
	case ZCBUF_NR_RELEASE:
		return do_release(t, self, arg);
	default:
		t->finalized = true;
		topic_changed(t);
		return 0;
	}
}

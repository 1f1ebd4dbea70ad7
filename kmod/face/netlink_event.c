// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events for who listens to the multicast group "events" of the family "zcbuf".
 *
 * Who may. They tell of all pools, whoever may attach to them, so joining the group
 * takes CAP_SYS_ADMIN in the initial user namespace, to which the initial network
 * namespace belongs; process ids are those of the initial pid namespace.
 *
 * What is lost. Who tells of an event may hold mutexes that everybody needs, or be
 * about to die: a message is made without waiting for memory. If there is none it
 * is lost, for all, and every listener is told so: by ENOBUFS, as when his own
 * socket is full, and by a count in every later event.
 */
#include <linux/build_bug.h>
#include <linux/ktime.h>
#include <linux/pid.h>

#include "../obj/channel.h"
#include "../obj/event.h"
#include "../obj/stat.h"
#include "netlink.h"

#define EVENT_GFP	(GFP_NOWAIT | __GFP_NOWARN)
/* More than the attributes of any event take: five texts, some numbers. */
#define EVENT_ROOM	1024

static_assert((int)ZCBUF_A_POOL_PAD == ZCBUF_A_EVENT_PAD);

static atomic64_t events_lost;

static int event_put_session(struct sk_buff *skb, const struct zcb_session *s)
{
	if (zcb_put_u64(skb, ZCBUF_A_EVENT_SESSION, s->id) ||
	    nla_put_u32(skb, ZCBUF_A_EVENT_PID, pid_nr(s->pid)) ||
	    nla_put_string(skb, ZCBUF_A_EVENT_COMM, s->comm))
		return -EMSGSIZE;
	return 0;
}

static int event_put_channel(struct sk_buff *skb, const struct zcb_channel *ch)
{
	const struct zcbuf_channel_name *n = ch->name;

	if (zcb_put_u64(skb, ZCBUF_A_EVENT_CHANNEL, ch->handle) ||
	    nla_put_u32(skb, ZCBUF_A_EVENT_FLAGS, ch->cfg.flags))
		return -EMSGSIZE;
	if (!n)
		return 0;
	if (zcb_put_label(skb, ZCBUF_A_EVENT_DOMAIN, n->domain) ||
	    zcb_put_label(skb, ZCBUF_A_EVENT_SERVICE, n->service) ||
	    zcb_put_label(skb, ZCBUF_A_EVENT_INSTANCE, n->instance) ||
	    zcb_put_label(skb, ZCBUF_A_EVENT_EVENT, n->event))
		return -EMSGSIZE;
	return 0;
}

static int event_put_had(struct sk_buff *skb,
			 const struct zcb_session_stat *had)
{
	if (zcb_put_u64(skb, ZCBUF_A_EVENT_BUFFERS, had->buffers) ||
	    zcb_put_u64(skb, ZCBUF_A_EVENT_BYTES, had->bytes) ||
	    zcb_put_u64(skb, ZCBUF_A_EVENT_FAILED, had->pending) ||
	    zcb_put_u64(skb, ZCBUF_A_EVENT_RELEASED, had->held))
		return -EMSGSIZE;
	return 0;
}

static bool event_of_arena(const struct zcb_event *e)
{
	return e->kind == ZCBUF_EVENT_ARENA_ADDED ||
	       e->kind == ZCBUF_EVENT_ARENA_GONE;
}

/* What there is of the rest; numbers that are 0 say nothing. */
static int event_put_about(struct sk_buff *skb, const struct zcb_event *e)
{
	if ((e->session && event_put_session(skb, e->session)) ||
	    (e->channel && event_put_channel(skb, e->channel)) ||
	    (e->role && nla_put_u32(skb, ZCBUF_A_EVENT_ROLE, e->role)) ||
	    (event_of_arena(e) &&
	     nla_put_u32(skb, ZCBUF_A_EVENT_ARENA, e->arena)) ||
	    (e->had && event_put_had(skb, e->had)) ||
	    (e->bytes && zcb_put_u64(skb, ZCBUF_A_EVENT_BYTES, e->bytes)) ||
	    (e->age_ns && zcb_put_u64(skb, ZCBUF_A_EVENT_AGE_NS, e->age_ns)))
		return -EMSGSIZE;
	return 0;
}

static int event_put(struct sk_buff *skb, const struct zcb_event *e)
{
	const struct zcb_pool *pool = e->pool;
	void *msg = genlmsg_put(skb, 0, 0, &zcb_genl_family, 0,
				ZCBUF_CMD_EVENT);

	if (!msg ||
	    nla_put_u32(skb, ZCBUF_A_EVENT_KIND, e->kind) ||
	    zcb_put_u64(skb, ZCBUF_A_EVENT_TIME_NS, ktime_get_ns()) ||
	    zcb_put_u64(skb, ZCBUF_A_EVENT_LOST,
			atomic64_read(&events_lost)) ||
	    zcb_put_u64(skb, ZCBUF_A_EVENT_POOL, pool->handle) ||
	    (*pool->cfg.name &&
	     nla_put_string(skb, ZCBUF_A_EVENT_NAME, pool->cfg.name)) ||
	    event_put_about(skb, e))
		return -EMSGSIZE;
	genlmsg_end(skb, msg);
	return 0;
}

static void event_lose(struct sk_buff *skb)
{
	nlmsg_free(skb);
	atomic64_inc(&events_lost);
	genl_set_err(&zcb_genl_family, &init_net, 0, 0, -ENOBUFS);
}

/* As zcb_event_tell() is called. The core copies it to each socket. */
static void event_send(const struct zcb_event *e)
{
	struct sk_buff *skb;

	if (!genl_has_listeners(&zcb_genl_family, &init_net, 0))
		return;
	skb = genlmsg_new(EVENT_ROOM, EVENT_GFP);
	if (!skb || event_put(skb, e))
		event_lose(skb);
	else
		genlmsg_multicast(&zcb_genl_family, skb, 0, 0, EVENT_GFP);
}

/* zcb_netlink_event_begin() - when there is the family */
void zcb_netlink_event_begin(void)
{
	zcb_events_to(event_send);
}

/* zcb_netlink_event_end() - nothing happens any more */
void zcb_netlink_event_end(void)
{
	zcb_events_to(NULL);
}

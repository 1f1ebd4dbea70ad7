// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where events go. Who tells of one is in the middle of what it tells of, maybe the
 * death of a process, and holds mutexes: whoever listens does not sleep, and has
 * to do without what he finds no memory for.
 */
#include <linux/compiler.h>

#include "channel.h"
#include "event.h"
#include "pool.h"

static zcb_event_fn listener;

/**
 * zcb_events_to - who listens from now on
 * @fn: he, or NULL: nobody
 *
 * Context: any; when the old one goes away, nothing happens any more.
 */
void zcb_events_to(zcb_event_fn fn)
{
	WRITE_ONCE(listener, fn);
}

/**
 * zcb_event_tell - something has happened
 * @e: what
 *
 * Context: a task's or a workqueue's, under any mutex, but no spinlock; does not
 * sleep.
 */
void zcb_event_tell(const struct zcb_event *e)
{
	zcb_event_fn fn = READ_ONCE(listener);

	if (fn)
		fn(e);
}

/**
 * zcb_event_channel - a channel, or ports of it, have come or gone: who watches is
 * told as well
 * @ch: the channel
 * @s: whose ports, or NULL
 * @kind: ZCBUF_EVENT_*
 * @role: ZCBUF_PORT_*, of ports
 *
 * Context: as zcb_event_tell(); the pool's lock is held, so these come in order.
 */
void zcb_event_channel(const struct zcb_channel *ch,
		       const struct zcb_session *s, u32 kind, u32 role)
{
	lockdep_assert_held(&ch->pool->lock);
	zcb_watch_changed(ch);
	zcb_event_tell(&(struct zcb_event){
		.kind = kind, .pool = ch->pool, .session = s, .channel = ch,
		.role = role,
	});
}

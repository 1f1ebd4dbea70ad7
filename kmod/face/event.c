// SPDX-License-Identifier: GPL-2.0-only
/*
 * poll(), select() and epoll on a session.
 */
#include "../obj/channel.h"
#include "../obj/ready.h"
#include "../obj/session.h"
#include "face.h"

/* Or does the caller care for what it can receive only? */
static bool wants_out(struct poll_table_struct *wait)
{
	return poll_requested_events(wait) & (EPOLLOUT | EPOLLWRNORM);
}

/**
 * zcb_poll - what would not have to wait
 * @file: a session
 * @wait: where to be told
 *
 * The queues are registered before the state is looked at, so that nothing is
 * missed in between.
 *
 * Context: may sleep for locks.
 * Return: EPOLL* as the manual says.
 */
__poll_t zcb_poll(struct file *file, struct poll_table_struct *wait)
{
	struct zcb_session *s = file->private_data;
	struct zcb_pool *pool = zcb_session_pool(s);
	struct zcb_port_poll p = {};
	unsigned long index = 0;
	struct zcb_port *port;
	__poll_t mask = 0, ready;

	poll_wait(file, &s->wq, wait);
	if (!pool)
		return EPOLLERR;
	if (zcb_session_evicted(s))
		return EPOLLERR | EPOLLHUP;
	poll_wait(file, &pool->space_wq, wait);
	if (zcb_watch_unseen(s))
		mask = EPOLLPRI;
	if (zcb_ready_poll(s, &ready) && !wants_out(wait))
		return mask | ready;
	mask |= ready & ~EPOLLHUP;
	while ((port = zcb_port_next(s, &index))) {
		mask |= zcb_port_poll(port, &p);
		zcb_port_put(port);
	}
	/* Of an end that is still to be told, who asks for any is told by that. */
	if (p.receiving && p.ended == p.receiving && !(ready & EPOLLIN))
		mask |= EPOLLHUP;
	return mask;
}

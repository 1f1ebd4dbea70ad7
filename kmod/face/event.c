// SPDX-License-Identifier: GPL-2.0-only
/*
 * poll(), select() and epoll on a session.
 */
#include "../obj/channel.h"
#include "../obj/session.h"
#include "face.h"

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
	__poll_t mask = 0;

	poll_wait(file, &s->wq, wait);
	if (!pool)
		return EPOLLERR;
	poll_wait(file, &pool->space_wq, wait);
	while ((port = zcb_port_next(s, &index))) {
		mask |= zcb_port_poll(port, &p);
		zcb_port_put(port);
	}
	if (p.receiving && p.ended == p.receiving)
		mask |= EPOLLHUP;
	return mask;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The call about a session's heartbeat.
 */
#include <linux/fcntl.h>
#include <linux/file.h>

#include "../obj/heart.h"
#include "ioctl.h"

static int heartbeat_check(const struct zcbuf_heartbeat *a)
{
	if (a->__reserved || a->policy > ZCBUF_HEARTBEAT_EVICT)
		return -EOPNOTSUPP;
	if (a->policy == ZCBUF_HEARTBEAT_NONE)
		return a->period_ns || a->misses ? -EINVAL : 0;
	if (a->period_ns < ZCB_HEART_PERIOD_MIN ||
	    a->period_ns > ZCB_HEART_PERIOD_MAX)
		return -EINVAL;
	return a->misses && a->misses <= ZCB_HEART_MISSES_MAX ? 0 : -EINVAL;
}

/**
 * zcb_ioctl_heartbeat - HEARTBEAT
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_heartbeat(struct zcb_call *c)
{
	struct zcbuf_heartbeat *a = c->arg;
	int fd, err;

	err = heartbeat_check(a);
	if (err)
		return err;
	a->out_fd = -1;
	a->out_bytes = 0;
	if (a->policy == ZCBUF_HEARTBEAT_NONE)
		return zcb_heart_stop(c->s);
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	a->out_bytes = PAGE_SIZE;
	err = zcb_call_install(c, fd, &a->out_fd, zcb_heart_file(c->s));
	/* Last, as it cannot fail any more, but for who is not to be answered. */
	return err ?: zcb_heart_set(c->s, a->period_ns, a->misses, a->policy);
}

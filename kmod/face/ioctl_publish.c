// SPDX-License-Identifier: GPL-2.0-only
/*
 * PUBLISH: buffers go to the consumers of a channel.
 */
#include <linux/uaccess.h>

#include "ioctl.h"

/* Waits, if at all, for the first only: what was published is not held up. */
static int publish_some(struct zcb_port *port, struct zcbuf_publication *p,
			u32 count, u32 flags, u64 deadline_ns, u32 *done,
			u32 *why)
{
	int err = 0;

	for (*done = 0; *done < count && !err; *done += !err) {
		err = zcb_channel_publish(port, &p[*done], flags,
					  *done ? 0 : deadline_ns, why);
		cond_resched();
	}
	return err;
}

/**
 * zcb_ioctl_publish - PUBLISH
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_publish(struct zcb_call *c)
{
	struct zcb_port *port __free(zcb_port_put) = NULL;
	struct zcbuf_publish *a = c->arg;
	struct zcbuf_publication *p;
	u32 done;
	int err;

	if (a->__reserved || a->__reserved2)
		return -EOPNOTSUPP;
	p = zcb_call_answered(c, a->entries, a->count, sizeof(*p));
	if (IS_ERR(p))
		return PTR_ERR(p);
	port = zcb_call_port(c, a->channel);
	if (IS_ERR(port))
		return PTR_ERR(port);
	err = publish_some(port, p, a->count, a->flags,
			   zcb_call_deadline(c, a->deadline_ns), &done,
			   &a->out_why);
	err = zcb_batch_result(done, err, &a->out_done, &a->out_error);
	if (done && copy_to_user(u64_to_user_ptr(a->entries), p,
				 done * sizeof(*p)))
		return -EFAULT;
	return err;
}

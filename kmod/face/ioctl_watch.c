// SPDX-License-Identifier: GPL-2.0-only
/*
 * WATCH: which channels with a name there are, when that has changed.
 */
#include <linux/sched.h>

#include "../obj/watch.h"
#include "ioctl.h"

static int watch_check(const struct zcbuf_watch *a)
{
	if (a->__reserved)
		return -EOPNOTSUPP;
	if (a->count > ZCB_POOL_MAX_CHANNELS ||
	    a->entry_size < offsetofend(struct zcbuf_watch_entry, name) ||
	    a->entry_size > ZCB_ENTRY_MAX)
		return -EINVAL;
	return zcb_user_probe(a->entries, (u64)a->count * a->entry_size);
}

/* No lock is held between two of them, so the last may be of another time. */
static int watch_list(struct zcb_pool *pool, struct zcbuf_watch *a)
{
	struct zcbuf_watch_entry e;
	u32 cursor = 0, n;
	u64 at = a->entries;

	for (n = 0; zcb_watch_next(pool, &cursor, &e); n++) {
		if (n < a->count &&
		    zcb_user_entries(at, a->entry_size, &e, sizeof(e), 1))
			return -EFAULT;
		at += a->entry_size;
		cond_resched();
	}
	a->out_count = n;
	return n > a->count ? -EMSGSIZE : 0;
}

/**
 * zcb_ioctl_watch - WATCH
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_watch(struct zcb_call *c)
{
	struct zcbuf_watch *a = c->arg;
	u64 generation;
	int err;

	err = watch_check(a);
	if (!err)
		err = zcb_watch_wait(c->s, c->pool, a->since,
				     zcb_call_deadline(c, a->deadline_ns),
				     &generation);
	if (err)
		return err;
	err = watch_list(c->pool, a);
	if (err)
		return err;
	a->out_generation = generation;
	err = zcb_call_answer(c);
	if (!err)
		zcb_watch_seen(c->s, generation);
	return err;
}

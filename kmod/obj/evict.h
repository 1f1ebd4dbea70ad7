/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sessions that are treated as dead, though their file is open.
 */
#ifndef ZCB_OBJ_EVICT_H
#define ZCB_OBJ_EVICT_H

#include <linux/percpu-refcount.h>

#include "session.h"

void zcb_evict_begin(struct zcb_session *s);
void zcb_evict_quiet(struct percpu_ref *calls);
void zcb_evict_init(struct zcb_pool *pool);
void zcb_evict_end(struct zcb_pool *pool);

/*
 * zcb_evict_revoked() - are the mappings of a session; @s may be NULL. To be asked
 * with a page locked: the barrier pairs with that of who looks for the lock.
 */
static inline bool zcb_evict_revoked(const struct zcb_session *s)
{
	/* See above. */
	smp_mb();
	return s && READ_ONCE(s->revoked);
}

/* zcb_call_enter() - a call begins, until zcb_call_exit(); not of who is evicted */
static inline bool zcb_call_enter(struct zcb_session *s)
{
	return percpu_ref_tryget_live(&s->calls);
}

static inline void zcb_call_exit(struct zcb_session *s)
{
	percpu_ref_put(&s->calls);
}

#endif /* ZCB_OBJ_EVICT_H */

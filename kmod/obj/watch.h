/* SPDX-License-Identifier: GPL-2.0-only */
/* Who wants to know which channels a pool has, by their names. */
#ifndef ZCB_OBJ_WATCH_H
#define ZCB_OBJ_WATCH_H

#include <linux/types.h>
#include <linux/wait.h>
#include <linux/zcbuf.h>

struct zcb_channel;
struct zcb_pool;
struct zcb_session;

/**
 * struct zcb_watch - changes of a pool's named channels
 * @generation: counts them, from 1 on
 * @seq: does so, too, for zcb_wait()
 * @wq: woken for each
 */
struct zcb_watch {
	atomic64_t generation;
	atomic_t seq;
	wait_queue_head_t wq;
};

void zcb_watch_init(struct zcb_watch *w);
void zcb_watch_changed(const struct zcb_channel *ch);
void zcb_watch_wake(struct zcb_watch *w);
int zcb_watch_wait(const struct zcb_session *s, struct zcb_pool *pool,
		   u64 since, u64 deadline_ns, u64 *generation);
bool zcb_watch_next(struct zcb_pool *pool, u32 *cursor,
		    struct zcbuf_watch_entry *e);
void zcb_watch_seen(struct zcb_session *s, u64 generation);
bool zcb_watch_unseen(const struct zcb_session *s);

#endif /* ZCB_OBJ_WATCH_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Heartbeats: a word that a session changes while it lives, and what becomes of one
 * that does not any more.
 */
#ifndef ZCB_OBJ_HEART_H
#define ZCB_OBJ_HEART_H

#include <linux/completion.h>
#include <linux/llist.h>
#include <linux/timerqueue.h>
#include <linux/zcbuf.h>

#include "shown.h"

struct file;
struct zcb_heart_stat;
struct zcb_session;

#define ZCB_HEART_PERIOD_MIN	((u64)NSEC_PER_MSEC)
#define ZCB_HEART_PERIOD_MAX	((u64)NSEC_PER_SEC * 3600)
#define ZCB_HEART_MISSES_MAX	1000

/**
 * struct zcb_heart - the heartbeat of a session
 * @shown: @page, which is all there is; the session has it, and each file
 * @session: whose; not for files, which may outlive it
 * @page: what is mapped; only ever read
 * @due: among those that are looked at, by when that is next
 * @pace: among the same, by @period_ns
 * @last: what was there at the last look
 * @seen_ns: when it was seen to change, or began
 * @period_ns: from one look to the next
 * @misses: so many looks without a change, and it is hung
 * @missed: how many there were
 * @policy: ZCBUF_HEARTBEAT_*
 * @stops: how often it has stopped
 * @evicting: among those whose sessions leave next, see evict.c
 * @evicted: what it had has been taken back
 *
 * hearts_lock, from @due on; what inspection shows of it is read without.
 */
struct zcb_heart {
	struct zcb_shown shown;
	struct zcb_session *session;
	struct zcbuf_heartbeat_page *page;
	struct timerqueue_node due;
	struct timerqueue_node pace;
	u64 last;
	u64 seen_ns;
	u64 period_ns;
	u32 misses;
	u32 missed;
	u32 policy;
	u64 stops;
	struct llist_node evicting;
	struct completion evicted;
};

void zcb_hearts_exit(void);
int zcb_heart_set(struct zcb_session *s, u64 period_ns, u32 misses, u32 policy);
int zcb_heart_stop(struct zcb_session *s);
bool zcb_heart_end(struct zcb_session *s);
void zcb_heart_put(struct zcb_heart *h);
struct file *zcb_heart_file(struct zcb_session *s);
void zcb_heart_stat(const struct zcb_session *s, struct zcb_heart_stat *st);
u64 zcb_hearts_scan(u64 now);

#endif /* ZCB_OBJ_HEART_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Views: what a consumer sees of its queue, in memory that it maps.
 */
#ifndef ZCB_OBJ_VIEW_H
#define ZCB_OBJ_VIEW_H

#include <linux/cleanup.h>
#include <linux/kref.h>
#include <linux/zcbuf.h>

#include "account.h"

struct file;
struct zcb_user;

/**
 * struct zcb_view - one queue, as its consumer sees it
 * @ref: the port, and each file
 * @mem: of @head first, then rings and entries; @state behind them
 * @bytes: of what is for reading, whole pages
 * @state_bytes: of @state, whole pages
 * @ring: entries of the ring of a lane
 * @tail: by lane, what was put there: the consumer's is never read back
 * @head: for the consumer
 * @rings: for the consumer
 * @entries: for the consumer
 * @state: both write
 * @user: who is charged
 *
 * The channel's lock, for who writes.
 */
struct zcb_view {
	struct kref ref;
	void *mem;
	u64 bytes;
	u64 state_bytes;
	u32 ring;
	u64 tail[ZCBUF_MAX_LANES];
	struct zcbuf_queue_head *head;
	u64 *rings;
	struct zcbuf_delivery *entries;
	struct zcbuf_queue_state *state;
	struct zcb_user *user;
};

struct zcb_view *zcb_view_make(const struct zcb_payer *payer, u32 depth,
			       u32 max_held, u32 lanes);
void zcb_view_put(struct zcb_view *v);
DEFINE_FREE(zcb_view_put, struct zcb_view *, zcb_view_put(_T))
struct file *zcb_view_file(struct zcb_view *v);

void zcb_view_show(struct zcb_view *v, u32 lane, const struct zcbuf_delivery *d);
bool zcb_view_claim(struct zcb_view *v, u64 handle, u32 as);
void zcb_view_await(struct zcb_view *v);
void zcb_view_end(struct zcb_view *v, u32 how);
bool zcb_view_wake(struct zcb_view *v);

#endif /* ZCB_OBJ_VIEW_H */

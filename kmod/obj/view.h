/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Views: what a consumer sees of its queue, in memory that it maps.
 */
#ifndef ZCB_OBJ_VIEW_H
#define ZCB_OBJ_VIEW_H

#include <linux/build_bug.h>
#include <linux/cleanup.h>
#include <linux/zcbuf.h>

#include "account.h"
#include "shown.h"

/**
 * struct zcb_view - one queue, as its consumer sees it
 * @shown: of @head first, then rings and entries; @state behind them
 * @ring: entries of the ring of a lane
 * @tail: by lane, what was put there: the consumer's is never read back
 * @shifted: by lane, that, when what is there was last put at its end
 * @head: for the consumer
 * @rings: for the consumer
 * @entries: for the consumer
 * @state: both write
 *
 * The channel's lock, for who writes.
 */
struct zcb_view {
	struct zcb_shown shown;
	u32 ring;
	u64 tail[ZCBUF_MAX_LANES];
	u64 shifted[ZCBUF_MAX_LANES];
	struct zcbuf_queue_head *head;
	u64 *rings;
	struct zcbuf_delivery *entries;
	struct zcbuf_queue_state *state;
};

static_assert(!offsetof(struct zcb_view, shown));

struct zcb_view *zcb_view_make(const struct zcb_payer *payer, u32 slots,
			       u32 depth, u32 max_held, u32 lanes);

/* zcb_view_put() - drop a reference, if it is not NULL; may sleep */
static inline void zcb_view_put(struct zcb_view *v)
{
	if (v)
		zcb_shown_put(&v->shown);
}

DEFINE_FREE(zcb_view_put, struct zcb_view *, zcb_view_put(_T))

void zcb_view_show(struct zcb_view *v, u32 lane, const struct zcbuf_delivery *d);
bool zcb_view_claim(struct zcb_view *v, u64 handle, u32 as);
void zcb_view_await(struct zcb_view *v, u32 how);
void zcb_view_end(struct zcb_view *v, u32 how);
bool zcb_view_wake(struct zcb_view *v);

#endif /* ZCB_OBJ_VIEW_H */

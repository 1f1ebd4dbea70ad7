/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rings: which of the queues that a session has mapped have something.
 */
#ifndef ZCB_OBJ_RING_H
#define ZCB_OBJ_RING_H

#include <linux/types.h>

struct eventfd_ctx;
struct file;
struct zcb_ready;
struct zcb_session;
struct zcb_view;

struct file *zcb_ring_file(struct zcb_session *s, u64 *bytes, u64 *state_bytes);
int zcb_ring_eventfd(struct zcb_ready *r, struct eventfd_ctx *ctx);
void zcb_ring_tell(struct zcb_ready *r, struct zcb_view *v);
void zcb_ring_end(struct zcb_ready *r);

#endif /* ZCB_OBJ_RING_H */

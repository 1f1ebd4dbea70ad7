/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which consumer ports of a session have something: one call for all of them.
 */
#ifndef ZCB_OBJ_READY_H
#define ZCB_OBJ_READY_H

#include <linux/poll.h>
#include <linux/types.h>

struct zcb_port;
struct zcb_ready;
struct zcb_session;
struct zcbuf_delivery;

void zcb_ready_init(struct zcb_ready *r);
void zcb_ready_wake_all(struct zcb_ready *r);

/* A port's part in it; the channel's lock is held. */
void zcb_ready_join_locked(struct zcb_port *port);
void zcb_ready_leave_locked(struct zcb_port *port);
void zcb_ready_add_locked(struct zcb_port *port);
void zcb_ready_count_other(struct zcb_session *s, int n);

int zcb_ready_receive(struct zcb_session *s, struct zcbuf_delivery *d, u32 n,
		      u64 deadline_ns, u32 *done);
int zcb_ready_receive_nowait(struct zcb_session *s, struct zcbuf_delivery *d,
			     u32 n, u32 *done);
void zcb_ready_untell(struct zcb_port *port);
bool zcb_ready_poll(struct zcb_session *s, __poll_t *mask);

#endif /* ZCB_OBJ_READY_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside the netlink face: the family, and what both dumps and events say.
 */
#ifndef ZCB_FACE_NETLINK_H
#define ZCB_FACE_NETLINK_H

#include <linux/zcbuf.h>
#include <net/genetlink.h>

extern struct genl_family zcb_genl_family;

int zcb_put_label(struct sk_buff *skb, int type, const char *label);

/* The same attribute pads in every space. */
static inline int zcb_put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, ZCBUF_A_POOL_PAD);
}

/* netlink_event.c */
void zcb_netlink_event_begin(void);
void zcb_netlink_event_end(void);

#endif /* ZCB_FACE_NETLINK_H */

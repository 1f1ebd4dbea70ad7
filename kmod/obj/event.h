/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events: what becomes of pools, sessions and channels, for who watches the host.
 * Whoever makes it happen tells of it here, and a face may listen.
 */
#ifndef ZCB_OBJ_EVENT_H
#define ZCB_OBJ_EVENT_H

#include <linux/types.h>
#include <linux/zcbuf.h>

struct zcb_channel;
struct zcb_pool;
struct zcb_session;
struct zcb_session_stat;

/**
 * struct zcb_event - what has happened
 * @kind: ZCBUF_EVENT_*, which says what of the rest there is
 * @pool: where; always
 * @session: whose doing it is, or who it is about, or NULL
 * @channel: or NULL
 * @role: ZCBUF_PORT_*, of ports
 * @arena: its number in the pool
 * @bytes: of the pool, of the arena, or in quarantine
 * @age_ns: how long it has been so
 * @had: what a session had, all of which is taken back, or NULL
 *
 * What it points to is there until zcb_event_tell() returns.
 */
struct zcb_event {
	u32 kind;
	const struct zcb_pool *pool;
	const struct zcb_session *session;
	const struct zcb_channel *channel;
	u32 role;
	u32 arena;
	u64 bytes;
	u64 age_ns;
	const struct zcb_session_stat *had;
};

/* Called as zcb_event_tell() is. */
typedef void (*zcb_event_fn)(const struct zcb_event *e);

void zcb_events_to(zcb_event_fn fn);
void zcb_event_tell(const struct zcb_event *e);
void zcb_event_channel(const struct zcb_channel *ch,
		       const struct zcb_session *s, u32 kind, u32 role);

#endif /* ZCB_OBJ_EVENT_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sessions that are gone, and what of theirs may still be written or read by I/O
 * of theirs.
 */
#ifndef ZCB_OBJ_QUARANTINE_H
#define ZCB_OBJ_QUARANTINE_H

#include <linux/types.h>

struct zcb_pool;
struct zcb_session;

/**
 * struct zcb_quarantine_stat - what is in quarantine
 * @sessions: that are gone
 * @bytes: of their memory
 * @age_ns: since the first of them was gone
 */
struct zcb_quarantine_stat {
	u32 sessions;
	u64 bytes;
	u64 age_ns;
};

void zcb_quarantine_init(struct zcb_pool *pool);
void zcb_quarantine_end(struct zcb_pool *pool);
bool zcb_quarantine_drain(struct zcb_session *s);
void zcb_quarantine_add_locked(struct zcb_session *s);
void zcb_quarantine_look(struct zcb_pool *pool);
void zcb_quarantine_stat_locked(struct zcb_pool *pool,
				struct zcb_quarantine_stat *st);

#endif /* ZCB_OBJ_QUARANTINE_H */

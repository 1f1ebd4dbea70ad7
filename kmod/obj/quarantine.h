/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sessions and exports that are gone, and what of theirs may still be written or
 * read by I/O of theirs.
 */
#ifndef ZCB_OBJ_QUARANTINE_H
#define ZCB_OBJ_QUARANTINE_H

#include <linux/types.h>

struct zcb_export;
struct zcb_pool;
struct zcb_session;

/**
 * struct zcb_remains - of somebody who is gone, but not all that he had is
 * @in_pool: in the pool's list; the pool's lock
 * @died_ns: when he went; the pool's lock
 * @session: who it is, or NULL
 * @export: or this
 */
struct zcb_remains {
	struct list_head in_pool;
	u64 died_ns;
	struct zcb_session *session;
	struct zcb_export *export;
};

/**
 * struct zcb_quarantine_stat - what is in quarantine
 * @sessions: that are gone
 * @bytes: of their memory, and that of exports
 * @age_ns: since the first of all these was gone
 */
struct zcb_quarantine_stat {
	u32 sessions;
	u64 bytes;
	u64 age_ns;
};

void zcb_quarantine_init(struct zcb_pool *pool);
void zcb_quarantine_end(struct zcb_pool *pool);
bool zcb_quarantine_drain(struct zcb_session *s);
void zcb_quarantine_add_locked(struct zcb_pool *pool, struct zcb_remains *r);
void zcb_quarantine_look(struct zcb_pool *pool);
void zcb_quarantine_stat_locked(struct zcb_pool *pool,
				struct zcb_quarantine_stat *st);

#endif /* ZCB_OBJ_QUARANTINE_H */

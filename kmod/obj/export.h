/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exports: parts of a buffer that somebody holds who is no session, for as long
 * as he likes.
 */
#ifndef ZCB_OBJ_EXPORT_H
#define ZCB_OBJ_EXPORT_H

#include <linux/types.h>

#include "pool.h"
#include "quarantine.h"

struct zcb_session;

/**
 * struct zcb_export - a part of a buffer
 * @pool: the pool, with a reference
 * @hold: one buffer, whoever else has it
 * @offset: pool offset of the part, whole pages
 * @length: bytes of it, whole pages
 * @remains: when it has ended, and something pins the buffer
 */
struct zcb_export {
	struct zcb_pool *pool;
	struct zcb_holdings hold;
	u64 offset;
	u64 length;
	struct zcb_remains remains;
};

struct zcb_export *zcb_export_create(struct zcb_session *s, u64 handle,
				     u64 offset, u64 length);
void zcb_export_end(struct zcb_export *e);
void zcb_export_free(struct zcb_export *e);
struct page **zcb_export_pages(const struct zcb_export *e);

#endif /* ZCB_OBJ_EXPORT_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* Watches this module's allocations; see obj_watch.c. */
#ifndef ZCB_KUNIT_OBJ_WATCH_H
#define ZCB_KUNIT_OBJ_WATCH_H

#include <kunit/test.h>
#include <linux/slab.h>
#include <linux/types.h>

int obj_watch_init(void);
void obj_watch_exit(void);
u32 obj_watch_count(void);
u64 obj_watch_now(void);
void obj_watch_tell(struct kunit *test, u64 since);
void obj_watch_fail(u32 n);
u32 obj_watch_left(void);
void obj_watch_insist(u32 more);
u32 obj_watch_relent(void);
void *obj_kvmalloc_node(DECL_BUCKET_PARAMS(size, b), gfp_t flags, int node);
void obj_kvfree(const void *ptr);

#endif /* ZCB_KUNIT_OBJ_WATCH_H */

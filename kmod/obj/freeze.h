/* SPDX-License-Identifier: GPL-2.0-only */
/* Groups of IMMUTABLE channels that are closed to who may write: freeze.c. */
#ifndef ZCB_OBJ_FREEZE_H
#define ZCB_OBJ_FREEZE_H

struct zcb_channel;
struct zcb_group;

void zcb_freeze_init(struct zcb_channel *ch);
void zcb_freeze_end(struct zcb_channel *ch);
void zcb_freeze_begin(struct zcb_channel *ch);
bool zcb_freeze_quiet(struct zcb_channel *ch, struct zcb_group *g);
void zcb_freeze_thaw(struct zcb_channel *ch, struct zcb_group *g);

#endif /* ZCB_OBJ_FREEZE_H */

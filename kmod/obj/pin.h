/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What keeps pages in use that their owner has left: pin tokens, which say that a
 * ring still exists, and the references on the pages themselves.
 */
#ifndef ZCB_OBJ_PIN_H
#define ZCB_OBJ_PIN_H

#include <linux/types.h>

struct file;
struct zcb_pool;
struct zcb_session;

struct file *zcb_pin_token(struct zcb_session *s, u32 arenas);
void zcb_pins_leave(struct zcb_session *s);
bool zcb_pin_settled(const struct zcb_pool *pool, u64 offset, u64 length);

#endif /* ZCB_OBJ_PIN_H */

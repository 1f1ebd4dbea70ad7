/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Credits: a bounded count of promises. What is taken now pays for work that
 * must not fail later. The caller locks.
 */
#ifndef ZCB_CORE_CREDIT_H
#define ZCB_CORE_CREDIT_H

#include "env.h"

/**
 * struct zcb_credit - so many may be outstanding
 * @max: the bound
 * @taken: taken and not given back
 */
struct zcb_credit {
	u32 max;
	u32 taken;
};

void zcb_credit_init(struct zcb_credit *c, u32 max);
bool zcb_credit_take(struct zcb_credit *c, u32 n);
void zcb_credit_give(struct zcb_credit *c, u32 n);

static inline u32 zcb_credit_left(const struct zcb_credit *c)
{
	return c->max - c->taken;
}

#endif /* ZCB_CORE_CREDIT_H */

// SPDX-License-Identifier: GPL-2.0-only
#include "credit.h"

/**
 * zcb_credit_init() - nothing is taken
 * @c: the credit
 * @max: how much may be taken
 *
 * Context: Any.
 */
void zcb_credit_init(struct zcb_credit *c, u32 max)
{
	c->max = max;
	c->taken = 0;
}

/**
 * zcb_credit_take() - take @n, or none
 * @c: the credit
 * @n: how much
 *
 * Context: The caller locks. Does not sleep.
 * Return: Whether there was that much left.
 */
bool zcb_credit_take(struct zcb_credit *c, u32 n)
{
	if (n > zcb_credit_left(c))
		return false;
	c->taken += n;
	return true;
}

/**
 * zcb_credit_give() - give back what zcb_credit_take() took
 * @c: the credit
 * @n: how much; more than was taken is a bug of the caller, and warned about
 *
 * Context: The caller locks. Does not sleep.
 */
void zcb_credit_give(struct zcb_credit *c, u32 n)
{
	if (WARN_ON_ONCE(n > c->taken))
		n = c->taken;
	c->taken -= n;
}

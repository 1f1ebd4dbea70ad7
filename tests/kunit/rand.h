/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random numbers for operation streams: the same stream for the same seed
 * everywhere, and the seed is printed, so every failure can be had again.
 */
#ifndef ZCB_KUNIT_RAND_H
#define ZCB_KUNIT_RAND_H

#include <kunit/test.h>
#include <linux/types.h>

#ifndef ZCB_RAND_SEED
#define ZCB_RAND_SEED	20240611ULL
#endif

/* How much of a stream this build runs: slow ones (sanitizers) run less. */
#if !defined(ZCB_RAND_OPS) && defined(CONFIG_KASAN)
#define ZCB_RAND_OPS(n)	((n) / 64)
#elif !defined(ZCB_RAND_OPS)
#define ZCB_RAND_OPS(n)	(n)
#endif

struct zcb_rand {
	u64 state;
};

static inline void zcb_rand_init(struct kunit *test, struct zcb_rand *r)
{
	u64 seed = ZCB_RAND_SEED;

	kunit_info(test, "seed %llu", (unsigned long long)seed);
	/* The state must not be 0, and near seeds should differ at once. */
	r->state = (seed + 1) * 0x9e3779b97f4a7c15ULL | 1;
}

/* zcb_rand_u32() - xorshift64*, upper half */
static inline u32 zcb_rand_u32(struct zcb_rand *r)
{
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return (r->state * 0x2545f4914f6cdd1dULL) >> 32;
}

/* zcb_rand_below() - 0 to @n - 1 */
static inline u32 zcb_rand_below(struct zcb_rand *r, u32 n)
{
	return ((u64)zcb_rand_u32(r) * n) >> 32;
}

/* zcb_rand_chance() - true @percent times in a hundred */
static inline bool zcb_rand_chance(struct zcb_rand *r, u32 percent)
{
	return zcb_rand_below(r, 100) < percent;
}

#endif /* ZCB_KUNIT_RAND_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * The bytes of an input as a source of choices. It has the guard and the names
 * of tests/kunit/rand.h, so that the models there draw from an input what they
 * else draw from a generator. A choice takes no more bytes than it needs; at
 * the end of the input all choices are 0.
 */
#ifndef ZCB_KUNIT_RAND_H
#define ZCB_KUNIT_RAND_H

#include <kunit/test.h>

/**
 * struct zcb_rand - an input
 * @at: the next byte
 * @left: bytes left
 */
struct zcb_rand {
	const u8 *at;
	size_t left;
};

static inline bool input_more(const struct zcb_rand *in)
{
	return in->left;
}

static inline u8 input_u8(struct zcb_rand *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

/* input_bytes() - a number of @n bytes, the lowest first */
static inline u64 input_bytes(struct zcb_rand *in, u32 n)
{
	u64 value = 0;
	u32 i;

	for (i = 0; i < n; i++)
		value |= (u64)input_u8(in) << 8 * i;
	return value;
}

static inline u32 zcb_rand_u32(struct zcb_rand *in)
{
	return input_bytes(in, 4);
}

/* zcb_rand_below() - 0 to @n - 1 */
static inline u32 zcb_rand_below(struct zcb_rand *in, u32 n)
{
	if (n <= 1)
		return 0;
	return input_bytes(in, (fls(n - 1) + 7) / 8) % n;
}

/* zcb_rand_chance() - true @percent times in a hundred */
static inline bool zcb_rand_chance(struct zcb_rand *in, u32 percent)
{
	return zcb_rand_below(in, 100) < percent;
}

/* input_any() - a number of any size, small ones and powers of two often */
static inline u64 input_any(struct zcb_rand *in)
{
	u32 kind = zcb_rand_below(in, 8);

	if (kind < 4)
		return input_bytes(in, kind + 1);
	if (kind == 4)
		return input_bytes(in, 8);
	return BIT_ULL(zcb_rand_below(in, 64)) + kind - 6;
}

#endif /* ZCB_KUNIT_RAND_H */

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include "magazine.h"

static long load(const long *word)
{
	/* Pairs with the release of who puts: what lies below count is seen. */
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void store(long *word, long value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

void zcb_mag_init(struct zcbuf_magazine *mag, __u32 cls, long limit)
{
	*mag = (struct zcbuf_magazine){ .cls = cls, .limit = limit, .batch = 1 };
}

long zcb_mag_count(const struct zcbuf_magazine *mag)
{
	long n = load(&mag->count) - load(&mag->head);

	return n > 0 ? n : 0;
}

static void mag_begin_at_0(struct zcbuf_magazine *mag)
{
	const long head = load(&mag->head);
	const long n = zcb_mag_count(mag);
	long i;

	for (i = 0; i < n; i++)
		mag->obj[i] = mag->obj[head + i];
	store(&mag->head, 0);
	store(&mag->count, n);
}

struct zcbuf_obj *zcb_mag_take(struct zcbuf_magazine *mag)
{
	const long n = zcb_mag_count(mag);

	if (!n) {
		mag_begin_at_0(mag);
		return NULL;
	}
	store(&mag->count, load(&mag->count) - 1);
	return mag->obj[load(&mag->count)];
}

void zcb_mag_put(struct zcbuf_magazine *mag, struct zcbuf_obj *obj)
{
	const long n = load(&mag->count);

	mag->obj[n] = obj;
	store(&mag->count, n + 1);
}

long zcb_mag_take_oldest(struct zcbuf_magazine *mag, struct zcbuf_obj **objs,
			 long n)
{
	const long head = load(&mag->head);
	long i;

	if (n > zcb_mag_count(mag))
		n = zcb_mag_count(mag);
	for (i = 0; i < n; i++)
		objs[i] = mag->obj[head + i];
	store(&mag->head, head + n);
	mag_begin_at_0(mag);
	return n;
}

void zcb_mag_limit(struct zcbuf_magazine *mag, long limit)
{
	__atomic_store_n(&mag->limit, limit, __ATOMIC_RELAXED);
}

bool zcb_mag_claim(struct zcbuf_magazine *mag)
{
	const long n = load(&mag->count);

	mag->claimed = load(&mag->head);
	if (n <= mag->claimed)
		return false;
	store(&mag->head, n);
	return true;
}

long zcb_mag_settle(struct zcbuf_magazine *mag, bool fenced,
		    struct zcbuf_obj **objs)
{
	const long from = mag->claimed;
	long to = load(&mag->head);
	const long count = load(&mag->count);
	long i;

	if (!fenced)
		to = from;
	else if (to > count)
		to = count;
	if (to < from)
		to = from;
	store(&mag->head, to);
	for (i = from; i < to; i++)
		objs[i - from] = mag->obj[i];
	return to - from;
}

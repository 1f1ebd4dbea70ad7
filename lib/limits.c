// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * How much of a pool a thread keeps: a part of it that is small next to what
 * there is for each session, and small in itself.
 */
#include "cache.h"

#define MAX_BYTES	(256U << 10)	/* in a magazine */
#define LARGE		(64U << 10)	/* of these at most two */
#define FEW		64	/* a FIXED pool of less keeps none */
#define LOOK_EVERY	64	/* calls of the kernel */

static __u64 min(__u64 a, __u64 b)
{
	return a < b ? a : b;
}

static int page_class(size_t length)
{
	int order = 0;

	if (length > MAX_BYTES)
		return -1;
	while ((size_t)4096 << order < length)
		order++;
	return order;
}

int zcb_cache_class(const struct zcbuf_pool *pool, size_t length)
{
	int i;

	/* What a length of 0 is, the kernel knows. */
	if (!length)
		return -1;
	if (pool->depot->kind == ZCBUF_POOL_PAGES)
		return page_class(length);
	for (i = 0; i < ZCB_CLASSES - ZCBUF_BUF_SLAB; i++) {
		if (!pool->class_size[i])
			break;
		if (length <= pool->class_size[i])
			return ZCBUF_BUF_SLAB + i;
	}
	return pool->depot->kind == ZCBUF_POOL_TIERS ? page_class(length) : -1;
}

__u64 zcb_cache_class_bytes(const struct zcbuf_pool *pool, __u32 cls)
{
	return zcbuf_buf_capacity((__u64)cls << ZCBUF_BUF_CLASS_SHIFT,
				  pool->class_size);
}

static long limit_of(__u64 bytes, __u64 total, __u32 sessions)
{
	__u64 n;

	if (!bytes)
		return 0;
	n = min(MAX_BYTES / bytes, ZCBUF_MAGAZINE_MAX);
	if (bytes >= LARGE)
		n = min(n, 2);
	return min(n, total / (8ULL * (sessions ? sessions : 1)));
}

static void limits_of_magazines(struct zcb_depot *depot)
{
	struct zcb_local *local;
	struct zcbuf_magazine *mag;
	unsigned int i;

	for (local = depot->locals; local; local = local->next)
		for (i = 0; i < ZCB_CLASSES; i++) {
			mag = local->cache.way[ZCB_WAY_CLASS + i];
			if (zcb_mag_is(mag))
				zcb_mag_limit(mag, depot->limit[i]);
		}
}

/* Arenas that somebody wants to be rid of, and that are in use. */
static bool is_retiring(const struct zcbuf_pool_info *info)
{
	return info->out_retiring & info->out_present;
}

static __u64 class_total(const struct zcb_depot *depot, __u32 cls,
			 const struct zcbuf_pool_info *info,
			 const struct zcbuf_class_info *classes)
{
	const __u64 bytes = zcb_cache_class_bytes(depot->pool, cls);

	if (!bytes)
		return 0;
	if (depot->kind == ZCBUF_POOL_FIXED)
		return cls < ZCBUF_BUF_SLAB ? 0 :
		       classes[cls - ZCBUF_BUF_SLAB].total;
	return info->out_size / bytes;
}

void zcb_limits_of(struct zcb_depot *depot,
		   const struct zcbuf_pool_info *info,
		   const struct zcbuf_class_info *classes)
{
	__u64 objects = 0;
	bool none;
	__u32 i;

	depot->kind = info->out_kind;
	depot->calls = 0;
	for (i = 0; i < info->nclasses && i < ZCBUF_MAX_CLASSES; i++)
		objects += classes[i].total;
	none = is_retiring(info) ||
	       (depot->kind == ZCBUF_POOL_FIXED && objects < FEW);
	for (i = 0; i < ZCB_CLASSES; i++)
		depot->limit[i] = none ? 0 :
			limit_of(zcb_cache_class_bytes(depot->pool, i),
				 class_total(depot, i, info, classes),
				 info->out_sessions);
	limits_of_magazines(depot);
}

void zcb_limits_none(struct zcb_depot *depot)
{
	__u32 i;

	for (i = 0; i < ZCB_CLASSES; i++)
		depot->limit[i] = 0;
	limits_of_magazines(depot);
}

void zcb_limits_ask(struct zcb_depot *depot)
{
	struct zcbuf_class_info classes[ZCBUF_MAX_CLASSES] = { 0 };
	struct zcbuf_pool_info info = {
		.size = sizeof(info),
		.classes = zcb_ptr(classes),
		.nclasses = ARRAY_SIZE(classes),
		.entry_size = sizeof(classes[0]),
	};

	depot->calls = 0;
	if (!zcb_call(depot->pool->session.fd, ZCBUF_NR_POOL_INFO, &info))
		zcb_limits_of(depot, &info, classes);
}

void zcb_limits_look(struct zcb_depot *depot)
{
	if (depot->calls++ >= LOOK_EVERY)
		zcb_limits_ask(depot);
}

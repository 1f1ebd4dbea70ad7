/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * libzcbuf-user: tier pools, which hand out buffers of one size by their index
 * without a system call, and back-off. A part of <zcbuf/zcbuf.h>, which includes it
 * and says what holds for all functions.
 *
 *	const struct zcbuf_tpool_opts opts = {
 *		.sz = sizeof(opts), .tier = ZCBUF_TIER_SMALL, .capacity = 1024,
 *	};
 *
 *	zcbuf_tpool_create(pool, &opts, &tpool);
 *	i = zcbuf_tpool_get(tpool, ZCBUF_NO_DEADLINE);
 *	n = read(fd, zcbuf_tpool_value(tpool, i), zcbuf_tier_size(opts.tier));
 *	zcbuf_tpool_put(tpool, i);
 */
#ifndef ZCBUF_TPOOL_H
#define ZCBUF_TPOOL_H

#include <zcbuf/zcbuf.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --------------------------------------------------------------- back-off */

/*
 * struct zcbuf_backoff - how long to sleep before one looks again
 * @base_ns: nanoseconds
 * @max_ns: nanoseconds
 * @count: blocks done
 * @seed: of the jitter
 *
 * Used by one thread at a time; made by zcbuf_backoff_init().
 */
struct zcbuf_backoff {
	__u64 base_ns;
	__u64 max_ns;
	__u64 count;
	__u64 seed;
};

/*
 * zcbuf_backoff_init() - begin anew
 * @base_ns: by how much a sleep becomes longer from block to block; 0 or less:
 *	500 microseconds
 * @max_ns: the longest sleep; 0 or less: 100 milliseconds
 *
 * Never fails.
 */
ZCBUF_API void zcbuf_backoff_init(struct zcbuf_backoff *backoff, __s64 base_ns,
				  __s64 max_ns);

/* zcbuf_backoff_reset() - what was waited for came: begin anew; never fails */
static __inline__ void zcbuf_backoff_reset(struct zcbuf_backoff *backoff)
{
	backoff->count = 0;
}

/*
 * zcbuf_backoff_block() - sleep
 * @deadline_ns: when to stop doing so
 *
 * Block n, counted from 1, is n sleeps of n times the base, at most the longest;
 * each is shorter or longer by up to an eighth. -EAGAIN: the deadline is 0.
 * -ETIMEDOUT: it has come. -EINTR: a signal came. The block is counted when all of
 * it was slept.
 */
ZCBUF_API int zcbuf_backoff_block(struct zcbuf_backoff *backoff,
				  __u64 deadline_ns);

#ifdef __cplusplus
}
#endif

#endif /* ZCBUF_TPOOL_H */

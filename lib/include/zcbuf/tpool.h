/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * libzcbuf-user: tier pools, which hand out buffers of one size by their index
 * without a system call, and back-off. A part of <zcbuf/zcbuf.h>, which includes it
 * and says what holds for all functions.
 *
 * A tier pool is a bounded pool of indices from 0, each with a buffer of a size
 * that is one of eight, in memory of a pool, at an address that stays. It is made
 * full. Who gets an index has it until he puts it; the one that was put first is
 * the first to be got again. Any number of threads get and put at once, without a
 * lock: one that is held up anywhere, for however long, is in nobody's way.
 *
 *	const struct zcbuf_tpool_opts opts = {
 *		.sz = sizeof(opts), .tier = ZCBUF_TIER_SMALL, .capacity = 1024,
 *	};
 *
 *	zcbuf_tpool_create(pool, &opts, &tpool);
 *	i = zcbuf_tpool_get(tpool, ZCBUF_NO_DEADLINE);
 *	n = read(fd, zcbuf_tpool_value(tpool, i), zcbuf_tier_size(opts.tier));
 *	zcbuf_tpool_put(tpool, i);
 *
 * It is the session's own, for all its threads, unless it is made SHARED: then
 * sessions that were given it have it alike, in as many processes, see
 * zcbuf_tpool_share(). Each index has one session that has it, and when that
 * ends, however it does, the index is the others' again.
 */
#ifndef ZCBUF_TPOOL_H
#define ZCBUF_TPOOL_H

#include <zcbuf/zcbuf.h>

#ifdef __cplusplus
extern "C" {
#endif

struct zcbuf_tpool;	/* opaque: a session's part in a tier pool */

/* ------------------------------------------------------------------ tiers */

#define ZCBUF_TIER_PICO		0	/* 16 bytes */
#define ZCBUF_TIER_NANO		1	/* 64 */
#define ZCBUF_TIER_MICRO	2	/* 256 */
#define ZCBUF_TIER_SMALL	3	/* 1 Ki */
#define ZCBUF_TIER_MEDIUM	4	/* 4 Ki */
#define ZCBUF_TIER_LARGE	5	/* 16 Ki */
#define ZCBUF_TIER_HUGE		6	/* 64 Ki */
#define ZCBUF_TIER_GIANT	7	/* 256 Ki */
#define ZCBUF_TIERS		8

/* zcbuf_tier_size() - bytes of a buffer; 0: no such tier; never fails */
static __inline__ size_t zcbuf_tier_size(__u32 tier)
{
	return tier < ZCBUF_TIERS ? (size_t)16 << 2 * tier : 0;
}

/* ------------------------------------------------------------- tier pools */

#define ZCBUF_TPOOL_MAX_CAPACITY	(1U << 20)
#define ZCBUF_TPOOL_MAX_MEMBERS		255U	/* sessions of a SHARED one */

/* zcbuf_tpool_opts.flags: sessions share it */
#define ZCBUF_TPOOL_SHARED	(1U << 0)

/*
 * struct zcbuf_tpool_opts - what zcbuf_tpool_create() shall make
 * @sz: sizeof(struct zcbuf_tpool_opts)
 * @tier: ZCBUF_TIER_*
 * @capacity: indices, 1 to ZCBUF_TPOOL_MAX_CAPACITY, rounded up to a power of two
 * @flags: ZCBUF_TPOOL_SHARED or 0
 * @__reserved: 0
 * @init: called for each index before anybody can get it, with its buffer of @size
 *	bytes; a negative errno ends it. NULL: the buffers hold what the pool gives
 * @ctx: handed to it
 */
struct zcbuf_tpool_opts {
	size_t sz;
	__u32 tier;
	__u32 capacity;
	__u32 flags;
	__u32 __reserved;
	int (*init)(void *ctx, int index, void *value, size_t size);
	void *ctx;
};

/*
 * zcbuf_tpool_create() - make a tier pool, full
 * @pool: where the buffers are from: one block for all, or up to 64 if they do not
 *	fit one. It may be closed before the tier pool: then all that is left to do
 *	is to close that
 * @opts: not NULL
 * @tpool: written; for zcbuf_tpool_close()
 *
 * Costs a cache line for each index and one for its place, of the process, or, if
 * it is SHARED, of the pool.
 *
 * -EINVAL: tier, or capacity. -ENOMEM: the pool has no room, or the process. -E2BIG:
 * more than 64 of the pool's largest blocks. Otherwise as zcbuf_buf_alloc(), or what
 * @init said.
 */
ZCBUF_API int zcbuf_tpool_create(struct zcbuf_pool *pool,
				 const struct zcbuf_tpool_opts *opts,
				 struct zcbuf_tpool **tpool);

/*
 * zcbuf_tpool_close() - end this session's part
 * @tpool: NULL does nothing
 *
 * What the session has of a SHARED one is the others' again, and the memory goes
 * with the last of them. Pointers to values are dead. Returns 0.
 */
ZCBUF_API int zcbuf_tpool_close(struct zcbuf_tpool *tpool);

/* zcbuf_tpool_capacity() - indices there are; never fails */
ZCBUF_API __u32 zcbuf_tpool_capacity(const struct zcbuf_tpool *tpool);

/* zcbuf_tpool_size() - bytes of each buffer; never fails */
ZCBUF_API size_t zcbuf_tpool_size(const struct zcbuf_tpool *tpool);

/*
 * zcbuf_tpool_count() - indices nobody has: a hint while others get and put; 0 when
 * the pool is closed, and in a fork child; never fails
 */
ZCBUF_API __u32 zcbuf_tpool_count(const struct zcbuf_tpool *tpool);

/*
 * zcbuf_tpool_get() - have the index that nobody has had for longest
 * @deadline_ns: how long to wait for one
 *
 * Makes no system call unless there is none. Then it looks again for some
 * microseconds, and sleeps until a put wakes it; of a SHARED one it looks what the
 * dead have left, and sleeps for half a millisecond to ten, as no futex can live
 * in a pool.
 *
 * Return: the index, from 0. -EAGAIN: there is none, and @deadline_ns is 0.
 * -ETIMEDOUT: none until then. -EINTR: a signal came. -EBADF: the pool was closed,
 * or this is a fork child.
 */
ZCBUF_API int zcbuf_tpool_get(struct zcbuf_tpool *tpool, __u64 deadline_ns);

/*
 * zcbuf_tpool_put() - let others have it
 * @index: which the session has, whichever of its threads got it
 *
 * Makes no system call unless somebody sleeps in zcbuf_tpool_get(). -EINVAL: no
 * index of this pool. -EBADSLT: nobody has it: it was put before, or never got; of
 * two who put it at once, one gets this. -EPERM: another session has it. -EBADF: as
 * above.
 */
ZCBUF_API int zcbuf_tpool_put(struct zcbuf_tpool *tpool, int index);

/*
 * zcbuf_tpool_value() - the buffer of an index, for who has it
 *
 * Its address stays for as long as the tier pool is open, and is a multiple of its
 * size or of 4096, whichever is less. NULL: no index of this pool, or -EBADF.
 */
ZCBUF_API void *zcbuf_tpool_value(const struct zcbuf_tpool *tpool, int index);

/*
 * zcbuf_tpool_set() - copy @n bytes to the beginning of a buffer
 *
 * -EINVAL, -EBADSLT, -EPERM, -EBADF: as zcbuf_tpool_put(). -ERANGE: @n is larger
 * than the buffer.
 */
ZCBUF_API int zcbuf_tpool_set(struct zcbuf_tpool *tpool, int index,
			      const void *data, size_t n);

/*
 * zcbuf_tpool_iovec() - one iovec for the whole buffer of each of @n indices
 * @iov: room for @n; written
 *
 * Return: @n. -EINVAL: one is no index of this pool. -EBADF: as above.
 */
ZCBUF_API int zcbuf_tpool_iovec(const struct zcbuf_tpool *tpool,
				const int *indices, unsigned int n,
				struct iovec *iov);

/* ------------------------------------------------------ SHARED tier pools */

/*
 * zcbuf_tpool_handle() - what others attach to; 0: it is not SHARED; never fails
 */
ZCBUF_API __u64 zcbuf_tpool_handle(const struct zcbuf_tpool *tpool);

/*
 * zcbuf_tpool_share() - let another session of the pool attach
 * @session: its zcbuf_pool_session()
 *
 * It gets a part in the memory, see zcbuf_share(). Tell it the handle when this is
 * done. Whoever has a part can let more have one; the tier pool is there for as
 * long as anybody has.
 *
 * -EINVAL: it is not SHARED. -EALREADY: that session has a part. Otherwise as
 * zcbuf_share(); what it got until then it keeps until it ends.
 */
ZCBUF_API int zcbuf_tpool_share(struct zcbuf_tpool *tpool, __u64 session);

/*
 * zcbuf_tpool_attach() - take part
 * @pool: whose session was let
 * @handle: zcbuf_tpool_handle() of the other
 * @tpool: written; for zcbuf_tpool_close()
 *
 * A session attaches once, and can again when it was let again after it has closed
 * it. -EINVAL: no tier pool, or not one that this library knows. -EALREADY: this
 * session is attached. -EMFILE: as many as may be. -EPERM, -ENOENT, -ESTALE,
 * -EBADSLT: zcbuf_buf_adopt(). -ENOMEM.
 */
ZCBUF_API int zcbuf_tpool_attach(struct zcbuf_pool *pool, __u64 handle,
				 struct zcbuf_tpool **tpool);

/*
 * zcbuf_tpool_give() - let another session have an index
 * @index: which this session has
 * @session: which takes part
 *
 * From here on that one has it, with what is in its buffer, and it goes back to all
 * when that one ends, not this one. Tell it which it is when this is done.
 *
 * -EINVAL: no index of this pool, or it is not SHARED. -ENOENT: that session takes
 * no part (any more). -EBADSLT: nobody has the index, or that session has ended
 * meanwhile, and it is everybody's. -EPERM: another session has it.
 */
ZCBUF_API int zcbuf_tpool_give(struct zcbuf_tpool *tpool, int index,
			       __u64 session);

/*
 * zcbuf_tpool_recover() - bring back what sessions had that have ended
 *
 * zcbuf_tpool_get() does so when it finds none, at most every ten milliseconds in
 * a process. A session ends with the last reference to its file, be the process
 * killed or not, or when it is evicted, and not before it can store nothing in the
 * pool any more. What others cannot know is whether a device still writes to a
 * buffer for who has died: whoever does I/O that outlives its process takes buffers
 * of zcbuf_buf_alloc() for it.
 *
 * Return: indices that came back. -EINVAL: it is not SHARED. -EBADF: as above.
 */
ZCBUF_API int zcbuf_tpool_recover(struct zcbuf_tpool *tpool);

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

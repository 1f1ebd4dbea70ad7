/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the rooms of the library share. One way up to the kernel: zcb_call();
 * one way to open and close sessions: zcb_session_*(), so that fork() finds
 * them all.
 */
#ifndef ZCBUF_LIB_INTERNAL_H
#define ZCBUF_LIB_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <zcbuf/zcbuf.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static inline __u64 zcb_ptr(const void *ptr)
{
	return (uintptr_t)ptr;
}

/* --------------------------------------------------------------- library.c */

/* Is this kernel older? Not, if it cannot be told. */
bool zcb_kernel_before(unsigned int major, unsigned int minor);

/* ---------------------------------------------------------------- device.c */

/*
 * zcb_call - the system call on a session
 * @fd: the session; -1: there is none (any more)
 * @nr: ZCBUF_NR_*
 *
 * Counted for zcbuf_stats(). Return: 0 or a negative errno.
 */
int zcb_call(int fd, unsigned int nr, void *arg);

/* The child after fork() has made no calls yet. */
void zcb_call_reset(void);

/* ------------------------------------------------------------------ opts.c */

/*
 * zcb_opts_read - copy a struct the caller may know better than we do, or less
 * @dst: ours, @size bytes; what the caller does not know becomes 0
 * @src: the caller's, starting with its size_t sz; NULL: all 0
 * @min: size of the first released version
 *
 * Return: 0, -EINVAL below @min, -E2BIG for a tail that is not 0.
 */
int zcb_opts_read(void *dst, size_t size, const void *src, size_t min);

/* --------------------------------------------------------------- session.c */

/*
 * struct zcb_session - a session that fork() must not hand down
 * @fd: -1 once it is closed, or in a child
 * @next, @prev: of all sessions, under the lock of session.c
 */
struct zcb_session {
	int fd;
	struct zcb_session *next;
	struct zcb_session *prev;
};

int zcb_session_open(struct zcb_session *session, int oflags);
void zcb_session_close(struct zcb_session *session);

/* Nobody opens, closes, maps or forks meanwhile; not for long. */
void zcb_session_lock(void);
void zcb_session_unlock(void);

/* ---------------------------------------------------------------- thread.c */

/* No thread begins to keep objects or ends, no pool comes or goes; for fork(). */
void zcb_threads_lock(void);
void zcb_threads_unlock(void);

/* The child has no threads but one, and none of the pools; unlocks. */
void zcb_threads_in_child(void);

/* ----------------------------------------------------------------- cache.c */

struct zcb_depot;

/*
 * zcb_cache_open - the pool keeps what is freed
 * @info: what the kernel says of it
 * @classes: as many as that says
 *
 * Return: 0 or -ENOMEM. zcb_cache_close() undoes it in both cases.
 */
int zcb_cache_open(struct zcbuf_pool *pool, const struct zcbuf_pool_info *info,
		   const struct zcbuf_class_info *classes);

/* zcb_cache_close - objects are no more; zcb_cache_free - nor are their records */
void zcb_cache_close(struct zcbuf_pool *pool);
void zcb_cache_free(struct zcbuf_pool *pool);

/* zcb_cache_none - of a pool that keeps nothing (yet) */
void zcb_cache_none(struct zcbuf_pool *pool);

/* zcb_cache_stop - give all back, and keep nothing; zcb_cache_go - as ever again */
void zcb_cache_stop(const struct zcbuf_pool *pool);
void zcb_cache_go(const struct zcbuf_pool *pool);

/* zcb_cache_alloc - ALLOC: what is kept is in nobody's way; the other: RESERVE */
int zcb_cache_alloc(struct zcbuf_pool *pool, struct zcbuf_alloc *arg);
int zcb_cache_reserve(struct zcbuf_pool *pool, struct zcbuf_reserve *arg);

/* Is anything kept, or may soon be? */
bool zcb_depot_keeps(const struct zcbuf_pool *pool);

/*
 * zcb_cache_call - a call that waits for memory by itself: nothing is kept
 * @deadline_ns: how long
 * @err: written: what it answered
 *
 * Return: true; false: something is kept, and it was not made.
 */
bool zcb_cache_call(struct zcbuf_pool *pool, unsigned int nr, void *arg,
		    __u64 deadline_ns, int *err);

/* ------------------------------------------------------------------- map.c */

/*
 * struct zcb_map - where a pool is mapped; changes behind a const pool
 * @base: byte 0 of it; NULL: without right to read or write
 * @reserved: bytes of addresses from there that are the pool's: where it may come
 *	to be
 * @size: bytes mapped of these, holes included where arenas are gone; grows under
 *	zcb_session_lock()
 */
struct zcb_map {
	unsigned char *base;
	size_t reserved;
	atomic_size_t size;
};

/*
 * zcb_map_open - map a pool that is new here
 * @info: what the kernel says of it
 *
 * Return: 0 or a negative errno; what was mapped by then zcb_map_close() undoes.
 */
int zcb_map_open(struct zcbuf_pool *pool, const struct zcbuf_pool_info *info);
void zcb_map_close(struct zcbuf_pool *pool);

/*
 * zcb_map_extend - map what is not mapped yet of the first @size bytes
 *
 * Return: 0, also without right to any of it; or a negative errno, and all is
 * as it was.
 */
int zcb_map_extend(const struct zcbuf_pool *pool, __u64 size);

/* zcb_map_refresh - ask what the pool is by now, and map that */
int zcb_map_refresh(const struct zcbuf_pool *pool, struct zcbuf_pool_info *info);

/*
 * zcb_map_range - the @length bytes at @offset, mapped if need be
 *
 * Return: 0, -EBADF without session, -ERANGE outside the pool, -ENOMEM if it
 * could not be mapped now.
 */
int zcb_map_range(const struct zcbuf_pool *pool, __u64 offset, __u64 length,
		  void **out);

/*
 * zcb_map_try - the same, for who has a lock: with it, nobody is told
 * @why: set if it could not be mapped, for zcb_map_tell()
 */
int zcb_map_try(const struct zcbuf_pool *pool, __u64 offset, __u64 length,
		void **out, int *why);
void zcb_map_tell(const struct zcbuf_pool *pool, int why);

/* zcb_map_part - some of what a call has answered with; NULL, and errno says why */
void *zcb_map_part(int fd, __u64 bytes, int prot, __u64 offset);

/* ------------------------------------------------------------------- log.c */

/* zcb_log - tell who wants to know; without a lock. @text: constant */
void zcb_log(const struct zcbuf_pool *pool, int err, const char *text);

/* ------------------------------------------------------------------- buf.c */

/*
 * zcb_bufs_alloc - @count buffers of the pool, in one system call
 * @bufs: as many as are returned are written
 *
 * Return: how many, at least 1; or as zcbuf_buf_alloc().
 */
int zcb_bufs_alloc(struct zcbuf_pool *pool, size_t length,
		   const struct zcbuf_buf_opts *opts, struct zcbuf_buf *bufs,
		   unsigned int count);

/* -------------------------------------------------------------- fallback.c */

/*
 * struct zcb_fallback - a buffer that is not in its pool
 * @handle: of a class that no kernel gives, never used again
 * @data: @capacity bytes that are mapped for it alone
 * @next: of its pool, under zcb_session_lock()
 */
struct zcb_fallback;

/* Is that what @handle is of? */
bool zcb_fallback_has(__u64 handle);

/* zcb_fallback_alloc - as zcbuf_buf_alloc_opts() */
int zcb_fallback_alloc(struct zcbuf_pool *pool, size_t length,
		       const struct zcbuf_buf_opts *opts,
		       struct zcbuf_buf *buf);

/* zcb_fallback_free - 0, -EBADF without session, -EBADSLT freed before */
int zcb_fallback_free(struct zcbuf_pool *pool, __u64 handle);

/* All that are left; in a fork child, which has no mapping of them, as well. */
void zcb_fallback_close(struct zcbuf_pool *pool);

/* --------------------------------------------------------------- backoff.c */

/* CLOCK_MONOTONIC */
__u64 zcb_now_ns(void);

/*
 * zcb_sleep - for @ns nanoseconds, or until the deadline
 *
 * Return: 0; -EAGAIN: the deadline is 0; -ETIMEDOUT: it has come; -EINTR.
 */
int zcb_sleep(__u64 ns, __u64 deadline_ns);

/* ----------------------------------------------------------------- token.c */

/*
 * zcb_tokens_add - give the ring a pin token for each of @n registrations
 * @urings: of one ring: pool, registrar and ctx are set
 * @opts: where they go, if anywhere
 * @arenas: how many each is to account for; 0: those of another ring
 *
 * Before any memory is registered. Return: 0, also where there are none; or a
 * negative errno, and there are none.
 */
int zcb_tokens_add(struct zcbuf_uring *urings, unsigned int n,
		   const struct zcbuf_uring_opts *opts, unsigned int arenas);

/*
 * zcb_token_renew - another in its place, if more arenas are registered than it
 * accounts for. 0 or a negative errno: then it is the old one still.
 */
int zcb_token_renew(struct zcbuf_uring *uring);

/* zcb_tokens_undo - as if that had not been */
void zcb_tokens_undo(struct zcbuf_uring *urings, unsigned int n,
		     const struct zcbuf_uring_opts *opts);

/* zcb_token_drop - when its memory is not registered any more */
int zcb_token_drop(struct zcbuf_uring *uring);

/* ------------------------------------------------------------------ pool.c */

/*
 * struct zcbuf_pool
 * @caches: by thread; first, see <zcbuf/cache.h>
 * @depot: what is behind them
 * @session: ours alone
 * @id: the session's, by which others know it
 * @refs: one of the caller's, one of each channel: they outlive
 *	zcbuf_pool_close() as names that answer -EBADF
 * @map: where it is mapped
 * @waits: it has a waitset
 * @is_exact: it was opened to keep nothing
 * @fallbacks: buffers of the process's own memory
 * @arena_size: each arena's, bytes
 * @rights: ZCBUF_RIGHT_*
 * @class_size: by slab class, bytes; as many as a handle can name
 * @log: whom to tell what no result tells
 */
struct zcbuf_pool {
	struct zcbuf_caches caches;
	struct zcb_depot *depot;
	struct zcb_session session;
	__u64 id;
	atomic_uint refs;
	struct zcb_map *map;
	atomic_bool waits;
	bool is_exact;
	struct zcb_fallback *fallbacks;
	__u64 arena_size;
	__u32 rights;
	__u32 class_size[64 - ZCBUF_BUF_SLAB];
	struct zcbuf_log log;
};

void zcb_pool_get(struct zcbuf_pool *pool);
void zcb_pool_put(struct zcbuf_pool *pool);

/* May the caller store there? 0, -EBADF without session, -EPERM. */
int zcb_pool_writable(const struct zcbuf_pool *pool);

/* --------------------------------------------------------------- channel.c */

/*
 * struct zcbuf_channel
 * @pool: holds a reference
 * @handle: the kernel's
 * @block: bytes of a group's block
 * @ports: ZCBUF_PORT_* taken by this attachment and not given back
 */
struct zcbuf_channel {
	struct zcbuf_pool *pool;
	__u64 handle;
	__u64 block;
	__u32 ports;
};

/*
 * zcb_channel_open - as zcbuf_channel_create(), or attach to one
 * @handle: of that; 0: by name, or a new one
 * @opts: all of it, as read by zcb_opts_read()
 */
int zcb_channel_open(struct zcbuf_pool *pool, __u64 handle,
		     const struct zcbuf_channel_opts *opts,
		     struct zcbuf_channel **channel);

/*
 * zcb_batch - a call of struct zcbuf_batch, with @flags of it
 *
 * Return: entries done, at least 1, or the error of the first.
 */
int zcb_batch(const struct zcbuf_pool *pool, unsigned int nr, __u64 channel,
	      const void *entries, unsigned int count, __u32 flags);

/* ---------------------------------------------------------------- reader.c */

/*
 * zcb_receive - as zcbuf_receive(), into structs that begin with a struct
 * zcbuf_delivery
 * @entry_size: of each; behind the delivery they are overwritten
 */
int zcb_receive(struct zcbuf_channel *channel, void *entries, size_t entry_size,
		unsigned int count, __u64 deadline_ns);

/* ------------------------------------------------------------- transform.c */

/*
 * zcb_transform_read - the caller's, which may be larger or smaller than ours
 *
 * Return: 0, -EINVAL: no encoding, or as zcb_opts_read(). -EOPNOTSUPP.
 */
int zcb_transform_read(struct zcbuf_transform *dst,
		       const struct zcbuf_transform *src);

/*
 * zcb_transform_run - @fn of @transform, whose word for how much it has written is
 * not taken
 */
__s64 zcb_transform_run(const struct zcbuf_transform *transform,
			__s64 (*fn)(void *ctx, void *dst, size_t capacity,
				    const void *src, size_t length),
			void *dst, size_t capacity, const void *src,
			size_t length);

#endif /* ZCBUF_LIB_INTERNAL_H */

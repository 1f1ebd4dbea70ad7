/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * libzcbuf-user: one pool of I/O-ready memory for a whole host, as a library.
 *
 * <linux/zcbuf.h>, which this header includes, is the manual of the kernel's
 * side: what pools, sessions, channels, groups and reservations are. This is
 * the shape it has in a program; what it does with io_uring is in
 * <zcbuf/uring.h>, publishers and subscribers are in <zcbuf/topic.h>, memory for
 * files opened O_DIRECT in <zcbuf/aligned.h>, buffers by index in <zcbuf/tpool.h>,
 * buffers without a system call each in <zcbuf/cache.h>, small records in
 * <zcbuf/records.h>, where errors come from in <zcbuf/diag.h>, memory for libraries
 * that take functions to allocate with in <zcbuf/malloc.h>, which come along. See
 * also libzcbuf-user(7).
 *
 * Results. A function returning int answers 0 or a count when it did what it
 * says, else a negative errno of the vocabulary in <linux/zcbuf.h>, which
 * zcbuf_strerror() explains. errno is no part of the interface: a call may
 * change it and never sets it on purpose. A call that fails has changed
 * nothing, unless its text says otherwise. Nothing is printed, nothing aborts.
 * "Never fails" is said of functions with other types.
 *
 * Units. Lengths, offsets and alignments are bytes. An offset is a pool offset
 * unless it is called a stream offset. Deadlines are absolute CLOCK_MONOTONIC
 * nanoseconds: 0 never waits, ZCBUF_NO_DEADLINE waits without end,
 * zcbuf_deadline_ms() makes others. A signal ends a wait with -EINTR: that is
 * returned, not hidden, and nothing was done; who wants to wait on says so, with
 * ZCBUF_RETRY().
 *
 * Ownership. What a function stores through a struct pointer pointer is the
 * caller's until the matching close or free. Structs passed by value of their
 * address (buffers, writers, deliveries) are the caller's memory; the library
 * keeps no pointer to them. They are part of the ABI of this soname.
 *
 * Threads. Pools and channels may be used by any number of threads at once,
 * but nobody may be in a call on one, or start one, while it is being closed.
 * A writer, a buffer or an io_uring registration is used by one thread at a
 * time. No function is async-signal-safe, nor may a thread be cancelled in one: it
 * could leave a lock behind.
 *
 * fork(). A child made by fork() has no session: the library closes its
 * descriptors there, so that a parent's death is seen at once, and the
 * mappings are not inherited. A call of the child on an object of the parent
 * that needs the kernel or the memory answers -EBADF (zcbuf_pool_addr(): NULL),
 * closing it frees the child's own memory, and pointers into the pool point at
 * nothing: fork first, then attach. What
 * zcbuf_open() returned is the caller's own and is not touched. execve() closes
 * everything. Children made by raw clone() are not seen.
 *
 * Growing structs. Structs named *_opts start with sz = sizeof(the struct); the
 * rest is 0 unless it is wanted. -EINVAL: sz is smaller than the first released
 * struct. -E2BIG: a field this library does not know is not 0. -EOPNOTSUPP: a
 * reserved field is not 0. struct zcbuf_query and struct zcbuf_pool_info grow
 * likewise by their own first field, size.
 *
 * C++: the headers can be included as they are; <zcbuf/zcbuf.hpp> has classes.
 *
 * Everything is since 0.1.
 */
#ifndef ZCBUF_ZCBUF_H
#define ZCBUF_ZCBUF_H

#include <stddef.h>
#include <sys/uio.h>

#include <linux/zcbuf.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define ZCBUF_API __attribute__((visibility("default")))
#else
#define ZCBUF_API
#endif

struct zcbuf_channel;	/* opaque: this session's ports of one channel */
struct zcbuf_pool;	/* opaque: one session, attached and mapped */

/* ---------------------------------------------------------------- library */

/* zcbuf_version() - ZCBUF_VERSION of the library that is loaded; never fails */
ZCBUF_API __u32 zcbuf_version(void);

/*
 * zcbuf_strerror() - one line on what an error means here and what to do
 * @err: a result of this library, negative or positive
 *
 * Never fails, never NULL, thread-safe; the string is constant. Values outside
 * the vocabulary get a line that says so. Which limit it is that was hit, and how
 * much of it is in use, is told by zcbuf_explain().
 */
ZCBUF_API const char *zcbuf_strerror(int err);

/*
 * zcbuf_strwhy() - one line on what was short, of -EAGAIN and -ETIMEDOUT
 * @why: ZCBUF_WHY_*; if there are several, the one that says most: who is to take
 *	what there is, before what that has used up
 *
 * As zcbuf_strerror(); 0 and unknown bits have lines that say so.
 */
ZCBUF_API const char *zcbuf_strwhy(__u32 why);

/*
 * zcbuf_deadline_ms() - the deadline that is @ms milliseconds from now
 *
 * Negative means ZCBUF_NO_DEADLINE and 0 means 0, as for poll(2). Never fails.
 */
ZCBUF_API __u64 zcbuf_deadline_ms(int ms);

/*
 * struct zcbuf_stats - system calls on the device this process made through
 * the library
 * @sz: in: sizeof(struct zcbuf_stats)
 * @ioctls: all
 * @calls: by call number, ZCBUF_NR_*
 */
struct zcbuf_stats {
	size_t sz;
	__u64 ioctls;
	__u64 calls[ZCBUF_NR_CALLS];
};

/*
 * zcbuf_stats() - read the counters
 *
 * Counted from the start of the process, by fork() from 0, calls that failed
 * included. Each counter is exact, all together are no snapshot. -EINVAL: sz.
 */
ZCBUF_API int zcbuf_stats(struct zcbuf_stats *stats);

/* ----------------------------------------------------------------- device */

/*
 * zcbuf_open() - open the device: a session attached to nothing
 * @oflags: O_RDWR, O_RDONLY or O_WRONLY, and O_NONBLOCK; O_CLOEXEC is implied
 *
 * For asking QUERY, for mmap() of an anonymous pool and for raw ioctls; the
 * pool functions below open sessions of their own.
 *
 * Return: a descriptor, the caller's to close. -ENODEV: no device, the module
 * is not loaded. -EACCES: not permitted, the user is not in group zcbuf.
 */
ZCBUF_API int zcbuf_open(int oflags);

/*
 * zcbuf_query() - what kernel and session offer
 * @fd: any session
 * @query: size is set by the caller, the rest is written
 *
 * -EINVAL: size. -ENOTTY: @fd is no session.
 */
ZCBUF_API int zcbuf_query(int fd, struct zcbuf_query *query);

/* ------------------------------------------------------------------ pools */

#define ZCBUF_POOL_OPEN_NONBLOCK	(1U << 0) /* no call ever waits */
#define ZCBUF_POOL_OPEN_EXACT		(1U << 1) /* keep nothing: <zcbuf/cache.h> */

/*
 * struct zcbuf_pool_opts - what zcbuf_pool_create() shall make
 * @sz: sizeof(struct zcbuf_pool_opts)
 * @name: 1 to ZCBUF_MAX_NAME bytes, printable ASCII without '/' and blanks;
 *	NULL: an anonymous pool, reached through its descriptor
 * @classes: TIERS: slab classes, ascending; FIXED: the table, lengths ascending
 *	and counts; NULL: the default ones
 * @arena_size: bytes, a multiple of zcbuf_query.out_arena_unit; 0: the default.
 *	FIXED: 0, it is as large as the table, rounded up to that
 * @max_size: bytes the pool may grow to, by whole arenas; 0: it does not grow.
 *	Each process that maps it keeps addresses for all the arenas it can ever
 *	have had, or for so much, no memory. FIXED: 0
 * @nclasses: entries of @classes
 * @kind: ZCBUF_POOL_PAGES, ZCBUF_POOL_TIERS or ZCBUF_POOL_FIXED
 * @flags: ZCBUF_POOL_F_*
 * @mode: permission bits (0666) of attaching by name; 0: 0600
 * @node: NUMA node of the memory, with ZCBUF_POOL_F_NODE; with
 *	ZCBUF_POOL_F_INTERLEAVE it is of all nodes by turns, and this is 0
 * @open_flags: ZCBUF_POOL_OPEN_*
 * @uid: whose pool it is, with ZCBUF_POOL_F_OWNER; else 0, and it is the caller's
 * @gid: the group that @mode is about, with ZCBUF_POOL_F_OWNER; else 0
 */
struct zcbuf_pool_opts {
	size_t sz;
	const char *name;
	const struct zcbuf_class *classes;
	__u64 arena_size;
	__u64 max_size;
	__u32 nclasses;
	__u32 kind;
	__u32 flags;
	__u32 mode;
	__u32 node;
	__u32 open_flags;
	__u32 uid;
	__u32 gid;
};

/*
 * struct zcbuf_attach_opts - how to attach
 * @sz: sizeof(struct zcbuf_attach_opts)
 * @rights: ZCBUF_RIGHT_* wanted, all of which must be had; 0: all there are.
 *	Without MAP_WRITE and PRODUCE the device is opened read-only, and memory
 *	is always mapped with no more than the rights.
 * @flags: ZCBUF_ATTACH_F_UID or 0
 * @uid: with ZCBUF_ATTACH_F_UID, the user whose name it is
 * @open_flags: ZCBUF_POOL_OPEN_*
 */
struct zcbuf_attach_opts {
	size_t sz;
	__u32 rights;
	__u32 flags;
	__u32 uid;
	__u32 open_flags;
};

/*
 * zcbuf_pool_create() - make a pool, attach to it and map it
 * @pool: written
 * @opts: NULL: an anonymous PAGES pool of the default size
 *
 * -ENODEV, -EACCES: as zcbuf_open(). -EEXIST: the name is taken. -ENOMEM: out of
 * memory or at a limit, or no addresses for max_size. -EINVAL: name, mode, node,
 * class table, arena size, max_size below it, AUTO_GROW without max_size, or
 * PERSISTENT without a name. -EPERM: PERSISTENT or OWNER without CAP_SYS_ADMIN.
 * -E2BIG: a size is beyond zcbuf_query.out_max_*.
 */
ZCBUF_API int zcbuf_pool_create(struct zcbuf_pool **pool,
				const struct zcbuf_pool_opts *opts);

/*
 * zcbuf_pool_attach() - attach to a pool by name and map it
 * @pool: written
 * @name: its name
 * @opts: NULL: all rights there are, a name of the caller's own user
 *
 * -ENOENT: no such name. -EPERM: the mode gives this user nothing, or a right
 * that was asked for is not to be had. -EACCES: the device may not be opened
 * for writing; ask for MAP_READ and CONSUME only. -ENOMEM: no addresses for what
 * the pool may grow to.
 */
ZCBUF_API int zcbuf_pool_attach(struct zcbuf_pool **pool, const char *name,
				const struct zcbuf_attach_opts *opts);

/*
 * zcbuf_pool_attach_fd() - attach to the pool of another session and map it
 * @pool: written
 * @fd: a session that is attached, from zcbuf_pool_fd() of this process or
 *	received from another; it stays the caller's
 * @opts: NULL: all rights @fd has
 *
 * -ENOENT: @fd is not attached. -EPERM: @fd lacks a right that was asked for.
 */
ZCBUF_API int zcbuf_pool_attach_fd(struct zcbuf_pool **pool, int fd,
				   const struct zcbuf_attach_opts *opts);

/*
 * zcbuf_pool_close() - unmap the pool and end the session
 * @pool: NULL does nothing
 *
 * What the session owned is given back: buffers freed, pending reservations
 * failed, deliveries released. Channels still open on it answer -EBADF until
 * they are closed, too. Pointers into the pool are dead. If the descriptor was
 * duplicated or sent elsewhere the session lives on there. Returns 0.
 */
ZCBUF_API int zcbuf_pool_close(struct zcbuf_pool *pool);

/*
 * zcbuf_pool_fd() - the session, for poll(), for sending to another process,
 * for raw ioctls; the pool's to close. -EBADF in a fork child.
 */
ZCBUF_API int zcbuf_pool_fd(const struct zcbuf_pool *pool);

/*
 * zcbuf_pool_base() - where byte 0 of the pool is mapped; NULL if it is not.
 * It does not change when the pool grows.
 */
ZCBUF_API void *zcbuf_pool_base(const struct zcbuf_pool *pool);

/*
 * zcbuf_pool_size() - bytes that are mapped from there; never fails
 *
 * Of a pool that grows, what this process has mapped by now: zcbuf_pool_info()
 * tells what there is.
 */
ZCBUF_API size_t zcbuf_pool_size(const struct zcbuf_pool *pool);

/*
 * zcbuf_pool_grow() - add an arena to the pool, for all who are attached
 *
 * Buffers stay where they are. Nobody needs to be told: an arena that came since
 * a process has mapped the pool is mapped at the first call that gives an
 * address in it. With ZCBUF_POOL_F_AUTO_GROW the kernel adds arenas itself.
 * Return: the number of the new arena, from 0. -E2BIG: the pool would be larger
 * than its max_size. -ENOMEM: out of memory, or at a limit. -EPERM: no right
 * ADMIN. May wait for memory for long.
 */
ZCBUF_API int zcbuf_pool_grow(struct zcbuf_pool *pool);

/*
 * zcbuf_pool_retire() - give an arena but the first back, for all who are attached
 * @arena: its number
 * @flags: 0; ZCBUF_RETIRE_F_NOW: only if nothing of it is in use; or
 *	ZCBUF_RETIRE_F_CANCEL: hand it out again
 * @deadline_ns: how long to wait until it is gone, as for zcbuf_alloc(); 0 with a
 *	flag
 *
 * Nothing more of it is handed out. Buffers of it stay what they are until they are
 * freed; then its memory goes, and who touches where it was gets SIGBUS. It stays
 * pinned while a ring has it registered. zcbuf_pool_info() tells how far all of them
 * are.
 * Return: ZCBUF_ARENA_*, what has become of it. -EBUSY: it is in use, and that was
 * not wanted. -EALREADY: too late to cancel. -ETIMEDOUT: it goes on without the
 * caller. -EINVAL: no such arena, or the first. -EOPNOTSUPP: a FIXED pool. -EPERM: no
 * right ADMIN.
 */
ZCBUF_API int zcbuf_pool_retire(const struct zcbuf_pool *pool, __u32 arena,
				__u32 flags, __u64 deadline_ns);

/*
 * zcbuf_pool_remove() - take the pool's name away, and let go of it if it is
 * PERSISTENT
 *
 * Nobody finds it by name any more, and the name can be used again. Who is attached
 * notices nothing; with the last of them it goes. A pool that is PERSISTENT goes in
 * no other way. -ENOENT: it has no name, or none any more. -EPERM: no right ADMIN.
 */
ZCBUF_API int zcbuf_pool_remove(const struct zcbuf_pool *pool);

/* zcbuf_pool_rights() - ZCBUF_RIGHT_* of the session; never fails */
ZCBUF_API __u32 zcbuf_pool_rights(const struct zcbuf_pool *pool);

/*
 * zcbuf_pool_session() - the session's id, for others of the pool who are to
 * give it buffers: see zcbuf_transfer(). No session has 0, which is the answer
 * in a fork child and of a pool that was closed. Makes no system call; never
 * fails.
 */
ZCBUF_API __u64 zcbuf_pool_session(const struct zcbuf_pool *pool);

/*
 * struct zcbuf_pulse - where a session shows that it lives
 * @page: for zcbuf_heartbeat_beat(); NULL: it has not been started
 * @bytes: mapped there
 */
struct zcbuf_pulse {
	struct zcbuf_heartbeat_page *page;
	__u64 bytes;
};

/*
 * zcbuf_heartbeat_start() - have the kernel see whether this process hangs
 * @period_ns: between two looks, 1 ms to 1 hour
 * @misses: so many looks in a row without a beat and it hangs, 1 to 1000; with 1 a
 *	machine that is short of time is enough
 * @policy: ZCBUF_HEARTBEAT_REPORT: it is shown and told; ZCBUF_HEARTBEAT_EVICT: the
 *	session is treated as dead, see struct zcbuf_heartbeat
 * @pulse: set, for zcbuf_heartbeat_stop(); again without that the first stays mapped
 *
 * Who is stopped by a signal or a debugger hangs as well. After an eviction each call
 * on the pool answers -ESTALE, and touching its memory is SIGBUS; close it.
 * -EINVAL: out of bounds. -EOPNOTSUPP: no such policy. -ENOTTY: an older module.
 * -ENOMEM, -EMFILE, -ENFILE: nothing was started, and one that was there has ended.
 */
ZCBUF_API int zcbuf_heartbeat_start(struct zcbuf_pool *pool, __u64 period_ns,
				    unsigned int misses, __u32 policy,
				    struct zcbuf_pulse *pulse);

/*
 * zcbuf_heartbeat_beat() - still alive
 *
 * A store, and no system call; from any thread, as often as one likes, at least once
 * in a period. Not before start, after stop, or in a fork child, where it is not
 * mapped.
 */
static __inline__ void zcbuf_heartbeat_beat(const struct zcbuf_pulse *pulse)
{
	__u64 *beats = (__u64 *)&pulse->page->beats;

	__atomic_store_n(beats, __atomic_load_n(beats, __ATOMIC_RELAXED) + 1,
			 __ATOMIC_RELAXED);
}

/*
 * zcbuf_heartbeat_stop() - nobody looks any more
 *
 * Before the pool is closed. The mapping goes in any case. -ESTALE: it has been
 * evicted.
 */
ZCBUF_API int zcbuf_heartbeat_stop(struct zcbuf_pool *pool,
				   struct zcbuf_pulse *pulse);

/* zcbuf_pool_addr() - the byte at @offset; NULL as zcbuf_pool_range() */
ZCBUF_API void *zcbuf_pool_addr(const struct zcbuf_pool *pool, __u64 offset);

/*
 * zcbuf_pool_range() - the @length bytes at @offset; NULL if any of them is
 * outside the pool
 *
 * Makes no system call, but in a pool that may grow for what is not mapped yet.
 * NULL also if mapping that fails; the next call tries again.
 */
ZCBUF_API void *zcbuf_pool_range(const struct zcbuf_pool *pool, __u64 offset,
				 __u64 length);

/*
 * zcbuf_pool_offset() - the offset of @ptr. -ERANGE: it is not in the pool, or
 * in no part that is mapped by now.
 */
ZCBUF_API __s64 zcbuf_pool_offset(const struct zcbuf_pool *pool,
				  const void *ptr);

/*
 * zcbuf_pool_info() - the pool's state
 * @info: size is set by the caller, the rest is written; if classes are wanted,
 *	so are classes (an array of struct zcbuf_class_info), nclasses and
 *	entry_size
 *
 * -EINVAL: size, entry_size. -EMSGSIZE: nclasses was too small and is now what is needed.
 */
ZCBUF_API int zcbuf_pool_info(const struct zcbuf_pool *pool,
			      struct zcbuf_pool_info *info);

/* ---------------------------------------------------------------- buffers */

/*
 * zcbuf_buf_opts.flags, for zcbuf_buf_alloc_opts() only: what is too large for
 * any block or class of the pool (-E2BIG) is got from the process's own memory.
 */
#define ZCBUF_BUF_F_FALLBACK	(1U << 31)

/* zcbuf_buf.offset of a buffer that is not in the pool */
#define ZCBUF_NO_OFFSET		(~(__u64)0)

/*
 * struct zcbuf_buf_opts - what kind of buffers
 * @sz: sizeof(struct zcbuf_buf_opts)
 * @align: a power of two up to 2 MiB; 0: natural
 * @flags: ZCBUF_ALLOC_F_*, ZCBUF_BUF_F_FALLBACK
 * @deadline_ns: how long to wait while the pool has no room for any; 0: not
 * @node: NUMA node of all their pages, with ZCBUF_ALLOC_F_NODE, else 0
 * @reserved: 0
 */
struct zcbuf_buf_opts {
	size_t sz;
	__u32 align;
	__u32 flags;
	__u64 deadline_ns;
	__u32 node;
	__u32 reserved;
};

/*
 * zcbuf_alloc() - buffers of one length, as handles
 * @length: bytes of each; 0: the smallest block of a PAGES pool, or object of a FIXED
 *	one
 * @opts: may be NULL
 * @handles: written; see zcbuf_buf_offset() in <linux/zcbuf.h>
 * @count: 1 to ZCBUF_MAX_BATCH
 *
 * Return: how many were got, at least 1. -ENOMEM: no block is free, and there
 * was no deadline. -ETIMEDOUT: none until the deadline. -EINTR: a signal came.
 * -E2BIG: larger than an arena, or than the largest class of a FIXED pool.
 * -EINVAL: length, @opts, count; a node that has no memory, or is not the pool's own.
 * -EPERM: right MAP_WRITE.
 */
ZCBUF_API int zcbuf_alloc(struct zcbuf_pool *pool, __u64 length,
			  const struct zcbuf_buf_opts *opts, __u64 *handles,
			  unsigned int count);

/*
 * zcbuf_free() - give buffers back
 * @handles: from zcbuf_alloc(), of this session, or given to it or shared with it
 * @count: 1 to ZCBUF_MAX_BATCH
 *
 * What other sessions have as well is free when the last of them has freed it.
 *
 * Return: how many were freed, in order, at least 1; if fewer than @count, the
 * call for the rest says why. -ENOENT: never issued. -EPERM: another session's,
 * also if it was given to that, or this one has freed it and others still have
 * it. -EBADSLT: freed already. -ESTALE: freed and somebody's again.
 */
ZCBUF_API int zcbuf_free(struct zcbuf_pool *pool, const __u64 *handles,
			 unsigned int count);

/*
 * zcbuf_transfer() - give buffers to another session of the pool
 * @session: whom to give them, its zcbuf_pool_session()
 * @handles: of this session, as for zcbuf_free()
 * @count: 1 to ZCBUF_MAX_BATCH
 *
 * The other session owns them as if it had allocated them: it frees them, or
 * its end does, wherever the giver is by then. They stay where and what they
 * are, with the same handles, which the caller tells the other side, with the
 * lengths, in a way of his own; it is not asked. For the giver they are as
 * freed: he does not touch their memory any more, and has no I/O on it in
 * flight.
 *
 * Return: how many were given, in order, at least 1; if fewer than @count, the
 * call for the rest says why. -ENOENT: no such session is attached to this pool
 * (any more), or the buffer was never issued. -EPERM: that session lacks right
 * MAP_WRITE, so it could not free it, or the buffer is not this session's.
 * -EALREADY: that session has it already, see zcbuf_share(). -EINVAL: to oneself;
 * @count. -EBADSLT, -ESTALE: as zcbuf_free(). -ENOMEM: no memory for the record of
 * it. What was not given is this session's as before.
 */
ZCBUF_API int zcbuf_transfer(struct zcbuf_pool *pool, __u64 session,
			     const __u64 *handles, unsigned int count);

/*
 * zcbuf_share() - let another session of the pool have buffers as well
 * @session: with whom to share them, its zcbuf_pool_session()
 * @handles: of this session, as for zcbuf_free()
 * @count: 1 to ZCBUF_MAX_BATCH
 *
 * As zcbuf_transfer(), but this session keeps them. From then on both have them
 * alike, and may share them with more or give their part away. Each frees them
 * when it has done with them, or its end does; the last one to do so makes them
 * free. How they take turns at writing is up to them.
 *
 * Return: how many are shared, in order, at least 1; if fewer than @count, the
 * call for the rest says why: errors as zcbuf_transfer().
 */
ZCBUF_API int zcbuf_share(struct zcbuf_pool *pool, __u64 session,
			  const __u64 *handles, unsigned int count);

/*
 * zcbuf_buf_info() - where buffers are: arena, NUMA node, order of the pages
 * @handles: of this session, as for zcbuf_free()
 * @places: written
 * @count: 1 to ZCBUF_MAX_BATCH
 *
 * Return: how many were found, in order, at least 1. Otherwise the errors of
 * zcbuf_free(); nothing is counted as refused.
 */
ZCBUF_API int zcbuf_buf_info(struct zcbuf_pool *pool, const __u64 *handles,
			     struct zcbuf_buf_place *places,
			     unsigned int count);

/*
 * struct zcbuf_buf - a buffer
 * @data: its first byte
 * @length: bytes in use, as asked for or set
 * @capacity: bytes there are
 * @offset: pool offset of @data, or ZCBUF_NO_OFFSET
 * @handle: the kernel's name of it, or with ZCBUF_NO_OFFSET the library's; 0: no
 *	buffer
 * @pool: where it came from
 */
struct zcbuf_buf {
	void *data;
	size_t length;
	size_t capacity;
	__u64 offset;
	__u64 handle;
	struct zcbuf_pool *pool;
};

/*
 * zcbuf_buf_alloc() - a buffer of @length bytes
 *
 * Errors: zcbuf_alloc(). -ENOMEM also: its arena is new here and could not be
 * mapped; the buffer was freed again.
 */
ZCBUF_API int zcbuf_buf_alloc(struct zcbuf_pool *pool, size_t length,
			      struct zcbuf_buf *buf);

/*
 * zcbuf_buf_alloc_opts() - the same, with @opts, which may be NULL
 *
 * What ZCBUF_BUF_F_FALLBACK brings is a buffer of its own: pages of this process
 * (zeroed, at least page-aligned, the capacity whole pages), with an offset of
 * ZCBUF_NO_OFFSET. It costs the pool nothing, and a system call each; it is
 * registered with no ring, so operations on it are plain; nobody else can have
 * it: zcbuf_buf_give() answers -EOPNOTSUPP, and calls that take handles answer
 * -EINVAL to its. Its owner frees it as any other, or zcbuf_pool_close() does. A
 * pool that is full, -ENOMEM, is no reason to fall back. With ZCBUF_ALLOC_F_NODE it
 * is bound to that node by mbind(), whose errors are answered.
 */
ZCBUF_API int zcbuf_buf_alloc_opts(struct zcbuf_pool *pool, size_t length,
				   const struct zcbuf_buf_opts *opts,
				   struct zcbuf_buf *buf);

/*
 * zcbuf_buf_free() - give a buffer back
 * @buf: zeroed when it is done; if it is zero, nothing is done. A copy of a
 *	buffer that was freed answers -EBADSLT or -ESTALE.
 */
ZCBUF_API int zcbuf_buf_free(struct zcbuf_buf *buf);

/*
 * zcbuf_buf_give() - give a buffer to another session of the pool
 * @buf: zeroed when it is done, as by zcbuf_buf_free(): take down its handle and
 *	length for the other side before
 * @session: whom to give it, its zcbuf_pool_session()
 *
 * Tell the other side when it is done: until then zcbuf_buf_adopt() answers
 * -EPERM there. If that cannot be told, it is freed when the other session ends.
 * Errors: zcbuf_transfer(), and then @buf is as it was. -EINVAL also: no buffer.
 * -EOPNOTSUPP: it is not in the pool, see zcbuf_buf_alloc_opts().
 */
ZCBUF_API int zcbuf_buf_give(struct zcbuf_buf *buf, __u64 session);

/*
 * zcbuf_buf_share() - let another session of the pool have a buffer as well
 * @buf: stays as it is, and has to be freed here as ever
 * @session: with whom to share it, its zcbuf_pool_session()
 *
 * The other side adopts it by its handle, likewise when this is done. Errors:
 * zcbuf_share(). -EINVAL also: no buffer.
 */
ZCBUF_API int zcbuf_buf_share(const struct zcbuf_buf *buf, __u64 session);

/*
 * zcbuf_buf_export() - a dma-buf of a buffer, for devices and other processes
 * @buf: stays as it is, and has to be freed here as ever
 * @offset: where the dma-buf begins in it, bytes, whole pages
 * @length: bytes of it, whole pages; 0: all up to the capacity
 * @flags: ZCBUF_EXPORT_F_READ_ONLY or 0
 *
 * The memory is nobody else's while the dma-buf is open, mapped or used by a
 * device, also after the buffer is freed.
 *
 * Return: a descriptor, close-on-exec, the caller's. -EINVAL: no buffer, or it or
 * the part is not whole pages. -ERANGE: outside the capacity. -EBUSY: its arena is
 * being retired. -EOPNOTSUPP: this kernel has no dma-bufs, or a buffer of its own
 * (ZCBUF_BUF_F_FALLBACK). -EPERM, -EBADSLT, -ESTALE: as zcbuf_free(). -EMFILE,
 * -ENOMEM.
 */
ZCBUF_API int zcbuf_buf_export(const struct zcbuf_buf *buf, __u64 offset,
			       __u64 length, __u32 flags);

/*
 * zcbuf_buf_adopt() - make a buffer of a handle this session was given
 * @pool: whose session it was given to, or shared with
 * @handle: what zcbuf_buf.handle was with the giver
 * @length: bytes in use, likewise
 * @buf: written; the caller's as if allocated, for zcbuf_buf_free()
 *
 * @handle and @length are checked to be a buffer of this session: not that it was
 * given just now, nor that the caller does not have it already. Once for each
 * handle: two buffers of one are copies. Works as well for a handle from
 * zcbuf_alloc().
 *
 * -EPERM: another session's, or right MAP_WRITE. -ENOENT: never issued.
 * -EBADSLT: freed already. -ESTALE: freed and somebody's again. -EINVAL: a
 * handle of another kind. -ERANGE: @length is beyond the capacity. -ENOMEM: its
 * arena is new here and could not be mapped. After -ERANGE and -ENOMEM it is
 * still the session's: adopt it again, or zcbuf_free() the handle.
 */
ZCBUF_API int zcbuf_buf_adopt(struct zcbuf_pool *pool, __u64 handle,
			      size_t length, struct zcbuf_buf *buf);

/* zcbuf_buf_set_length() - use @length bytes. -ERANGE: beyond the capacity. */
ZCBUF_API int zcbuf_buf_set_length(struct zcbuf_buf *buf, size_t length);

/* zcbuf_bufs_iovec() - one iovec for each of @n buffers; returns @n */
ZCBUF_API int zcbuf_bufs_iovec(const struct zcbuf_buf *bufs, unsigned int n,
			       struct iovec *iov);

/* --------------------------------------------------------------- channels */

/* zcbuf_channel_opts.threshold: every reservation is a group of its own */
#define ZCBUF_THRESHOLD_EACH	(~(__u64)0)

/*
 * struct zcbuf_name - how a channel is found in its pool
 * @domain: who has another one never finds it; NULL: the empty one
 * @service: what is offered
 * @instance: by which of those who offer it
 * @event: what of it
 *
 * Each is 1 to ZCBUF_MAX_LABEL bytes (the domain may be empty) of printable ASCII
 * without '/' and blanks, compared byte by byte.
 */
struct zcbuf_name {
	const char *domain;
	const char *service;
	const char *instance;
	const char *event;
};

/*
 * struct zcbuf_channel_opts - what zcbuf_channel_create() shall make
 * @sz: sizeof(struct zcbuf_channel_opts)
 * @threshold: a group seals when the stream bytes in it reach this. 0: the
 *	default, 1 MiB. ZCBUF_THRESHOLD_EACH: every reservation is a group. With
 *	ZCBUF_CHANNEL_F_THRESHOLD in @flags it is taken as it is, 0 included.
 * @max_reservation: the usual upper bound of a reservation; 0: the threshold
 * @ports: ZCBUF_PORT_* this session wants, at least one
 * @align: a power of two up to 4096, stream offsets are multiples; 0: 64
 * @max_age_us: seal an open group after so many microseconds; 0: never
 * @max_outstanding: reservations the channel may hold; 0: 65536
 * @depth: queue of this session's consumer port, groups; 0: 1024
 * @flags: ZCBUF_CHANNEL_F_*; of IMMUTABLE see there, in <linux/zcbuf.h>
 * @name: how others find it; it is attached to if it is there. NULL: it has none
 * @deadline_ns: with ZCBUF_CHANNEL_F_EXISTING: how long to wait for that name
 * @history: of a topic: groups it keeps for those who come later
 * @policy: ZCBUF_POLICY_* of this session's consumer port
 * @max_held: of a topic, or of a subscriber of a stream: groups it may have received
 *	and not released; 0: 64
 * @lanes: of a topic: of its queue, by priority; 0: 1
 * @replay: of a topic: groups of the history it shall begin with
 * @reserved: 0
 */
struct zcbuf_channel_opts {
	size_t sz;
	__u64 threshold;
	__u64 max_reservation;
	__u32 ports;
	__u32 align;
	__u32 max_age_us;
	__u32 max_outstanding;
	__u32 depth;
	__u32 flags;
	const struct zcbuf_name *name;
	__u64 deadline_ns;
	__u32 history;
	__u32 policy;
	__u32 max_held;
	__u32 lanes;
	__u32 replay;
	__u32 reserved;
};

/*
 * zcbuf_channel_create() - make a channel, or find one by name, and take ports of it
 * @opts: not NULL
 * @channel: written
 *
 * Publishers and subscribers have functions of their own, see <zcbuf/topic.h>.
 * -E2BIG: threshold and max_reservation together exceed an arena. -EMFILE:
 * channels of this pool. -EPERM: a port needs RIGHT_PRODUCE or RIGHT_CONSUME.
 * -EEXIST: the name is there with other options, or at all with
 * ZCBUF_CHANNEL_F_NEW. -ENOENT, -ETIMEDOUT, -EINTR: it is not there, with
 * ZCBUF_CHANNEL_F_EXISTING. -EINVAL: the name; a policy or option that is not for
 * such a channel.
 */
ZCBUF_API int zcbuf_channel_create(struct zcbuf_pool *pool,
				   const struct zcbuf_channel_opts *opts,
				   struct zcbuf_channel **channel);

/*
 * zcbuf_channel_attach() - take ports of a channel that exists
 * @handle: from zcbuf_channel_handle(), of a channel of the same pool, made by
 *	any session
 * @ports: ZCBUF_PORT_*
 * @depth: queue of the consumer port, groups; 0: 1024
 * @channel: written
 *
 * Ports belong to the session: two attachments of one session share them.
 * -ENOENT: no such channel. -EEXIST: the session's consumer port has another
 * depth. -EPERM: as above.
 */
ZCBUF_API int zcbuf_channel_attach(struct zcbuf_pool *pool, __u64 handle,
				   __u32 ports, __u32 depth,
				   struct zcbuf_channel **channel);

/* zcbuf_channel_handle() - for others to attach with; never fails */
ZCBUF_API __u64 zcbuf_channel_handle(const struct zcbuf_channel *channel);

/* zcbuf_channel_block() - bytes of one group's block; never fails */
ZCBUF_API __u64 zcbuf_channel_block(const struct zcbuf_channel *channel);

/* zcbuf_channel_pool() - the pool it was opened on; never fails */
ZCBUF_API struct zcbuf_pool *
zcbuf_channel_pool(const struct zcbuf_channel *channel);

/*
 * zcbuf_channel_leave() - give some ports back, as if the session had died for
 * them alone
 * @ports: ZCBUF_PORT_*, not 0
 *
 * When the last producer port of the channel is gone it is finalized, unless
 * it has NO_AUTO_FINALIZE. -ENOENT: no such port.
 */
ZCBUF_API int zcbuf_channel_leave(struct zcbuf_channel *channel, __u32 ports);

/*
 * zcbuf_channel_close() - give the ports it took back and free it
 * @channel: NULL does nothing; freed whatever the result
 *
 * -EBADF: the pool was closed before, or in a fork child.
 */
ZCBUF_API int zcbuf_channel_close(struct zcbuf_channel *channel);

/*
 * zcbuf_channel_flush() - seal the open group now. Returns 1 if there was one,
 * else 0. -ESHUTDOWN: finalized. -EPERM: no producer port.
 */
ZCBUF_API int zcbuf_channel_flush(struct zcbuf_channel *channel);

/*
 * struct zcbuf_counts - what one finalize did
 * @success: groups put on the success queue
 * @failure: groups put on the failure queue, held ones included
 * @reservations: reservations failed
 */
struct zcbuf_counts {
	__u64 success;
	__u64 failure;
	__u64 reservations;
};

/*
 * zcbuf_channel_finalize() - end the stream, without waiting for anybody
 * @counts: written, or NULL
 *
 * Again: 0, with zero counts. -EPERM: no producer port.
 */
ZCBUF_API int zcbuf_channel_finalize(struct zcbuf_channel *channel,
				     struct zcbuf_counts *counts);

/*
 * zcbuf_channel_eventfd() - an eventfd that counts every delivery
 * @flags: ZCBUF_EVENTFD_F_FAILED: of the failure queue, else of the consumer
 *	port
 *
 * The count is a hint: read it, then receive until -EAGAIN. Return: a
 * descriptor (close-on-exec, non-blocking), the caller's to close. -EPERM: no
 * such port.
 */
ZCBUF_API int zcbuf_channel_eventfd(struct zcbuf_channel *channel,
				    __u32 flags);

/*
 * zcbuf_channel_set_eventfd() - the same with an eventfd of the caller's
 * @fd: an eventfd, replacing the one before; -1: none any more
 *
 * -EBADF, -EINVAL: @fd is no eventfd.
 */
ZCBUF_API int zcbuf_channel_set_eventfd(struct zcbuf_channel *channel, int fd,
					__u32 flags);

/* ----------------------------------------------------------- reservations */

/*
 * zcbuf_reserve() - space in the stream
 * @entries: length is read, the rest is written
 * @count: 1 to ZCBUF_MAX_BATCH
 * @flags: ZCBUF_RESERVE_F_*
 * @deadline_ns: how long to wait for memory and credit
 *
 * Return: how many were made, in order, at least 1; if fewer than @count, the
 * call for the rest says why. -EAGAIN: no memory or credit now, or no room at a
 * BLOCK consumer of a topic: zcbuf_reserve_why() tells them apart. -ETIMEDOUT: not
 * until the deadline. -EINVAL: length 0. -E2BIG: larger than the largest power
 * of two in an arena. -ESHUTDOWN: finalized. -EPERM: no producer port. -EPIPE:
 * no consumer, with ZCBUF_RESERVE_F_NEED_CONSUMER.
 */
ZCBUF_API int zcbuf_reserve(struct zcbuf_channel *channel,
			    struct zcbuf_reservation *entries,
			    unsigned int count, __u32 flags,
			    __u64 deadline_ns);

/*
 * zcbuf_reserve_why() - the same, and what was short
 * @why: written: ZCBUF_WHY_* if not all were made for want of something that may
 *	come back, else 0
 */
ZCBUF_API int zcbuf_reserve_why(struct zcbuf_channel *channel,
				struct zcbuf_reservation *entries,
				unsigned int count, __u32 flags,
				__u64 deadline_ns, __u32 *why);

/*
 * zcbuf_commit() - these reservations are written
 * @count: 1 to ZCBUF_MAX_BATCH
 *
 * Return: how many were committed, as zcbuf_reserve(). The errors, each of
 * which leaves its reservation as it was, are at struct zcbuf_commit_entry.
 */
ZCBUF_API int zcbuf_commit(struct zcbuf_channel *channel,
			   const struct zcbuf_commit_entry *entries,
			   unsigned int count);

/*
 * zcbuf_commit_tagged() - the same, of windows with a tag and an encoding for the
 * consumers; errors also: struct zcbuf_commit_tagged
 */
ZCBUF_API int zcbuf_commit_tagged(struct zcbuf_channel *channel,
				  const struct zcbuf_commit_tagged *entries,
				  unsigned int count);

/* zcbuf_abort() - these reservations fail; else as zcbuf_commit() */
ZCBUF_API int zcbuf_abort(struct zcbuf_channel *channel,
			  const struct zcbuf_abort_entry *entries,
			  unsigned int count);

/*
 * struct zcbuf_turnover - what zcbuf_commit_reserve() did
 * @committed: commits done
 * @commit_error: why not more, a negative errno, or 0
 * @reserved: reservations made; none unless all commits were done
 * @reserve_error: why not more, a negative errno, or 0
 * @why: of @reserve_error, as zcbuf_reserve_why()
 */
struct zcbuf_turnover {
	__u32 committed;
	int commit_error;
	__u32 reserved;
	int reserve_error;
	__u32 why;
};

/*
 * zcbuf_commit_reserve() - commit, then reserve, in one system call
 * @commits: with ZCBUF_COMMIT_F_TAGGED the first of struct zcbuf_commit_tagged
 * @flags: ZCBUF_RESERVE_F_*, ZCBUF_COMMIT_F_TAGGED
 * @deadline_ns: of the reserve part
 * @result: written, whatever is returned
 *
 * Return: 0 if anything was done, else the first error.
 */
ZCBUF_API int zcbuf_commit_reserve(struct zcbuf_channel *channel,
				   const struct zcbuf_commit_entry *commits,
				   unsigned int ncommits,
				   struct zcbuf_reservation *reserves,
				   unsigned int nreserves, __u32 flags,
				   __u64 deadline_ns,
				   struct zcbuf_turnover *result);

/* ---------------------------------------------------------------- writers */

/*
 * struct zcbuf_writer - one reservation being written
 * @channel: where; NULL: never reserved
 * @data: its first byte, in the pool: write in place
 * @length: bytes reserved
 * @used: the cursor: bytes put, placed or carved so far
 * @id: reservation id
 * @group: group id
 * @offset: stream offset
 * @pool_offset: of @data
 * @nrecords: records in it, told to the consumer at commit; 0 counts as 1.
 *	zcbuf_writer_carve() counts; others may set it.
 * @flags: ZCBUF_RESERVE_F_WINDOW if it is a window; read only
 * @is_open: 1 while it is undecided; read only
 * @error: see zcbuf_writer_turn(); read only
 * @user_tag: see zcbuf_writer_tag(); read only
 * @encoding: the same
 * @why: of a writer that is not open, as no reservation could be made: what was
 *	short, see zcbuf_reserve_why(); read only
 *
 * No memory is allocated and none needs to be freed: zcbuf_writer_drop() of a
 * writer that is not open does nothing. { 0 } is a writer that is not open.
 *
 * An exact writer is committed with all of its bytes or not at all, a window
 * (flag ZCBUF_RESERVE_F_WINDOW) with any part of it but none. Use it as
 *   single:  zcbuf_writer_submit(), or zcbuf_writer_submit_placed()
 *   chunked: zcbuf_writer_put(), zcbuf_writer_placed(), zcbuf_writer_commit()
 *   window:  zcbuf_writer_carve(), zcbuf_writer_commit()
 *
 * When a call has decided the reservation, or says -ESHUTDOWN (the channel was
 * finalized), -ESTALE (it was failed by somebody else), -EALREADY or -ENOENT
 * (decided by a raw call), the writer is open no more and its memory must not
 * be written to. Other errors leave it open. Calls on a writer that is not open
 * answer -EALREADY.
 */
struct zcbuf_writer {
	struct zcbuf_channel *channel;
	unsigned char *data;
	size_t length;
	size_t used;
	__u64 id;
	__u64 group;
	__u64 offset;
	__u64 pool_offset;
	__u32 nrecords;
	__u32 flags;
	int is_open;
	int error;
	__u64 user_tag;
	__u32 encoding;
	__u32 why;
};

/*
 * zcbuf_writer_reserve() - reserve @length bytes and write there
 * @flags: ZCBUF_RESERVE_F_*
 * @deadline_ns: how long to wait for memory and credit
 * @writer: written; a writer that is still open must be decided first
 *
 * Errors: zcbuf_reserve(), and then @writer is not open and its why field says
 * what was short. -EPERM also: the pool
 * is not mapped for writing. -ENOMEM: its arena is new here and could not be
 * mapped; the reservation was aborted.
 */
ZCBUF_API int zcbuf_writer_reserve(struct zcbuf_channel *channel,
				   size_t length, __u32 flags,
				   __u64 deadline_ns,
				   struct zcbuf_writer *writer);

/*
 * zcbuf_writer_init() - write a reservation that zcbuf_reserve() made
 * @flags: ZCBUF_RESERVE_F_WINDOW if it was reserved so, else 0
 * @writer: written
 *
 * Makes no system call but to map an arena that is new here. -ERANGE: the
 * reservation is outside the pool. -EPERM: the pool is not mapped for writing.
 * -ENOMEM: the arena could not be mapped.
 */
ZCBUF_API int zcbuf_writer_init(struct zcbuf_channel *channel,
				const struct zcbuf_reservation *reservation,
				__u32 flags, struct zcbuf_writer *writer);

/* zcbuf_writer_room() - bytes that are free behind the cursor; never fails */
static __inline__ size_t zcbuf_writer_room(const struct zcbuf_writer *writer)
{
	return writer->is_open ? writer->length - writer->used : 0;
}

/* zcbuf_writer_cursor() - where the next byte goes; never fails */
static __inline__ unsigned char *
zcbuf_writer_cursor(const struct zcbuf_writer *writer)
{
	return writer->data + writer->used;
}

/*
 * zcbuf_writer_put() - copy @n bytes to the cursor and move it
 *
 * @n may be 0. -EFBIG: it would overflow; nothing was copied, the cursor is
 * where it was and zcbuf_writer_room() says what is free.
 */
ZCBUF_API int zcbuf_writer_put(struct zcbuf_writer *writer, const void *data,
			       size_t n);

/* zcbuf_writer_placed() - @n bytes are at the cursor already; else as above */
ZCBUF_API int zcbuf_writer_placed(struct zcbuf_writer *writer, size_t n);

/*
 * zcbuf_writer_carve() - take @n bytes at the cursor for one record to be
 * written in place, and count it
 * @out: written: where they are
 *
 * Carved bytes must be written before the commit. -EFBIG: as above.
 */
ZCBUF_API int zcbuf_writer_carve(struct zcbuf_writer *writer, size_t n,
				 void **out);

/*
 * zcbuf_writer_tag() - what consumers of a window are told with it, as of what is
 * published: zcbuf_delivery.user_tag and encoding; 0 if nothing is said
 *
 * -EINVAL: it is no window, so its group may be of others as well.
 */
ZCBUF_API int zcbuf_writer_tag(struct zcbuf_writer *writer, __u64 user_tag,
			       __u32 encoding);

/*
 * zcbuf_writer_commit() - done: what is before the cursor is what there is
 *
 * -EMSGSIZE: the cursor is not at the end of an exact writer, or at the start
 * of a window; the reservation was aborted. Other errors: struct
 * zcbuf_commit_entry.
 */
ZCBUF_API int zcbuf_writer_commit(struct zcbuf_writer *writer);

/*
 * zcbuf_writer_submit() - copy @n bytes in and commit, at once
 *
 * -EMSGSIZE: @n is not the reserved length (of a window: 0, or more than it);
 * the reservation was aborted. -EINVAL: something was put before. Other errors:
 * struct zcbuf_commit_entry; the cursor is at the start again then.
 */
ZCBUF_API int zcbuf_writer_submit(struct zcbuf_writer *writer,
				  const void *data, size_t n);

/* zcbuf_writer_submit_placed() - the same with @n bytes that are at @data */
ZCBUF_API int zcbuf_writer_submit_placed(struct zcbuf_writer *writer,
					 size_t n);

/*
 * zcbuf_writer_drop() - give up: the reservation is aborted
 *
 * 0 if the writer is not open. -ESHUTDOWN, -ESTALE: it had failed before.
 */
ZCBUF_API int zcbuf_writer_drop(struct zcbuf_writer *writer);

/*
 * zcbuf_writer_turn() - commit and reserve the next, in one system call
 * @writer: committed as by zcbuf_writer_commit(), then the next one
 * @length: bytes of the next reservation
 * @flags: ZCBUF_RESERVE_F_* of it
 * @deadline_ns: how long to wait for it
 *
 * Return: 1: both were done, @writer is open on the new reservation. 0: the
 * commit was done, the reservation was not: @writer is not open, its error field
 * says why, as zcbuf_reserve() would, and its why field what was short. Negative: the commit was not done
 * and nothing was reserved; as zcbuf_writer_commit().
 */
ZCBUF_API int zcbuf_writer_turn(struct zcbuf_writer *writer, size_t length,
				__u32 flags, __u64 deadline_ns);

/* ---------------------------------------------------------------- readers */

/*
 * zcbuf_receive() - take complete groups
 * @entries: room for @count; written
 * @count: 1 to ZCBUF_MAX_BATCH
 * @deadline_ns: how long to wait for the first
 *
 * They stay the session's until it releases them. Return: how many were taken,
 * at least 1. -EAGAIN: nothing is ready. -ETIMEDOUT: not until the deadline.
 * -ENOSPC: of a topic, it holds as many as it may. -ESHUTDOWN: the end of the
 * stream. -EPERM: no consumer port.
 */
ZCBUF_API int zcbuf_receive(struct zcbuf_channel *channel,
			    struct zcbuf_delivery *entries,
			    unsigned int count, __u64 deadline_ns);

/*
 * zcbuf_release() - give deliveries back, of either queue
 * @handles: zcbuf_delivery.handle of each
 * @count: 1 to ZCBUF_MAX_BATCH
 *
 * Return: how many were released, as zcbuf_free(). -EBADSLT: released already.
 * -ENOENT: never issued.
 */
ZCBUF_API int zcbuf_release(struct zcbuf_channel *channel,
			    const __u64 *handles, unsigned int count);

/*
 * zcbuf_receive_any() - take complete groups of any channel
 * @pool: what all channels were opened on that are received from
 * @entries: room for @count; written
 * @count: 1 to ZCBUF_MAX_BATCH
 * @deadline_ns: how long to wait for the first
 *
 * Of each channel that has something in turn, however many there are that have
 * not: @channel of an entry says of which, as zcbuf_channel_handle() does. An entry
 * whose handle is 0 is the end of that channel's stream, once. Until it has been
 * called for the first time, poll() does not tell of ends. A consumer of a topic
 * that holds as many as it may is passed over.
 *
 * Return: how many entries, at least 1. -EAGAIN, -ETIMEDOUT as zcbuf_receive().
 * -ESHUTDOWN: all streams have ended, and that was said. -EPERM: no consumer port.
 */
ZCBUF_API int zcbuf_receive_any(struct zcbuf_pool *pool,
				struct zcbuf_delivery *entries,
				unsigned int count, __u64 deadline_ns);

/*
 * zcbuf_release_any() - give deliveries back, of any channels
 * @entries: as they were received; ends of streams have nothing to release
 * @count: 1 to ZCBUF_MAX_BATCH
 *
 * Return: as zcbuf_release(). -ENOENT also: an end.
 */
ZCBUF_API int zcbuf_release_any(struct zcbuf_pool *pool,
				const struct zcbuf_delivery *entries,
				unsigned int count);

/*
 * struct zcbuf_failed - a failed group
 * @delivery: the group as a whole; release its handle
 * @pieces: its committed reservations, ascending
 * @lost: its failed reservations, ascending
 * @npieces: entries of @pieces
 * @nlost: entries of @lost
 */
struct zcbuf_failed {
	struct zcbuf_delivery delivery;
	struct zcbuf_piece *pieces;
	struct zcbuf_lost *lost;
	__u32 npieces;
	__u32 nlost;
};

/*
 * zcbuf_receive_failed() - take one failed group
 * @failed: written; one allocation, for zcbuf_failed_free()
 * @deadline_ns: how long to wait for one
 *
 * -EAGAIN: none. -ETIMEDOUT: not until the deadline. -ESHUTDOWN: the end of the
 * stream. -EPERM: no RECV_FAILED port. -ENOMEM: this process is out of memory;
 * nothing was taken.
 */
ZCBUF_API int zcbuf_receive_failed(struct zcbuf_channel *channel,
				   struct zcbuf_failed **failed,
				   __u64 deadline_ns);

/*
 * zcbuf_failed_free() - free the description, which may be NULL; the group is
 * the session's until zcbuf_release(). Never fails.
 */
ZCBUF_API void zcbuf_failed_free(struct zcbuf_failed *failed);

/*
 * zcbuf_delivery_iovec() - where a group's bytes are, without copying them
 * @iov: written
 *
 * Return: iovecs written, 1 or 2. -ERANGE: it is not in this pool. -ENOMEM:
 * its arena is new here and could not be mapped; call again.
 */
ZCBUF_API int zcbuf_delivery_iovec(const struct zcbuf_pool *pool,
				   const struct zcbuf_delivery *delivery,
				   struct iovec iov[ZCBUF_MAX_EXTENTS]);

/*
 * zcbuf_pieces_iovec() - the same for @n pieces of a failed group
 * @iov: room for @n; written. Returns @n. Errors: as above.
 */
ZCBUF_API int zcbuf_pieces_iovec(const struct zcbuf_pool *pool,
				 const struct zcbuf_piece *pieces,
				 unsigned int n, struct iovec *iov);

/*
 * zcbuf_extent_pad() - make an extent writable with O_DIRECT: zero the rest of
 * its own last block of @align bytes
 * @extent: of a delivery that is not released yet
 * @align: a power of two up to 4096
 *
 * Return: the padded length, a multiple of @align. -EPERM: the pool is not
 * mapped for writing. -EINVAL: @align, or the extent does not start at a
 * multiple of it. -ERANGE: the extent is not in this pool. -ENOMEM: as above.
 */
ZCBUF_API __s64 zcbuf_extent_pad(const struct zcbuf_pool *pool,
				 const struct zcbuf_extent *extent,
				 size_t align);

/*
 * zcbuf_delivery_pad() - pad every extent of a delivery so
 *
 * Return: the sum of the padded lengths: what the group takes in a file when
 * its extents are written one after the other. Errors as above; extents before
 * the one that failed may have been padded.
 */
ZCBUF_API __s64 zcbuf_delivery_pad(const struct zcbuf_pool *pool,
				   const struct zcbuf_delivery *delivery,
				   size_t align);

#ifdef __cplusplus
}
#endif

#include <zcbuf/aligned.h>
#include <zcbuf/cache.h>
#include <zcbuf/diag.h>
#include <zcbuf/malloc.h>
#include <zcbuf/records.h>
#include <zcbuf/topic.h>
#include <zcbuf/tpool.h>
#include <zcbuf/uring.h>

#endif /* ZCBUF_ZCBUF_H */

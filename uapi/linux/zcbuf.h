/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * zcbuf: one pool of I/O-ready memory for a whole host.
 *
 * THE MANUAL
 * ==========
 *
 * Trust. A pool is one trust domain. Whoever is attached to it for writing can
 * change any byte of it, whoever is attached read-only can read any byte. The
 * kernel's own state and other pools are never affected. Who owns which buffer,
 * zeroing and page separation inside a pool make bugs visible and crashes
 * harmless; they are no security boundary.
 *
 * Objects. open("/dev/zcbuf") makes a session, attached to nothing. POOL_CREATE
 * makes a pool and attaches to it, POOL_ATTACH attaches to one by name or
 * through another session's file descriptor: one session, one pool, for life.
 * mmap() of the session at offset o maps the pool from byte o ("pool offset").
 * A pool consists of arenas of one size; if it grows, another comes behind them,
 * and nothing that is there moves. An arena but the first can be retired: then there
 * is a hole, and touching it is SIGBUS.
 * mmap() at offset ZCBUF_MMAP_CONTROL, far above, maps the pool's control page: see
 * struct zcbuf_control.
 * mmap() of a session that is attached to nothing, at offset 0, makes an
 * anonymous pool of that size which lives as long as the mapping (or the
 * session) does.
 *
 * A pool is memory for data: a futex shared between processes cannot live in it
 * (EFAULT), so no process-shared mutex or semaphore can. Wait by poll() or
 * eventfd.
 *
 * Lifetime. A session owns its buffers, its pending reservations and the
 * deliveries it has not released. All of it is given back the moment the last
 * reference to the open file is gone: close, exit, SIGKILL, exec, the last dup
 * closed. Mappings stay valid until munmap and own nothing. Memory that I/O of
 * the dead may still write or read is handed out to nobody before that is over:
 * see struct zcbuf_pin_token. A process that lives but hangs can be found, and
 * treated as dead, by a heartbeat: see struct zcbuf_heartbeat.
 *
 * Calls. Every argument starts with { __u32 size, flags }: size is
 * sizeof(the struct), as the caller was compiled. Fields named out_* are
 * written by the kernel, everything else is read. A call that fails leaves all
 * as it was, unless its text says otherwise. Times are CLOCK_MONOTONIC
 * nanoseconds, lengths and offsets are bytes. Calls may sleep for memory and
 * locks; only those with a deadline wait for other processes.
 *
 * Waiting. deadline_ns = 0 never waits (EAGAIN; ALLOC: ENOMEM),
 * ZCBUF_NO_DEADLINE waits without end, anything else is an absolute
 * CLOCK_MONOTONIC time (ETIMEDOUT when it has passed). A file opened O_NONBLOCK
 * never waits. EINTR: a signal came and nothing was done.
 *
 * Batches. Calls with entries and count (1 to out_max_batch of QUERY, 1024)
 * work through the entries in order and stop at the first that fails: out_done
 * is how many were done and out_error the positive errno of the next one, or 0.
 * The call returns 0 if at least one entry was done, else -1 with that errno.
 *
 * Batched calls are commands of io_uring as well: see struct zcbuf_uring_cmd.
 *
 * Result memory is checked to be writable before anything is done; if it is
 * not: EFAULT, and nothing happened. If another thread unmaps it during the
 * call, what the call created is taken back as if its owner had died (the ids
 * are spent) and the answer is EFAULT.
 *
 * Errors every call can give:
 *   E2BIG       size is larger than this kernel's struct and the tail is not 0
 *   EFAULT      argument or result memory is not accessible
 *   EINVAL      size is smaller than the first released struct, a count is 0
 *               or above the limit, a handle of another kind, a bad combination
 *   ENOTTY      no such call
 *   EOPNOTSUPP  unknown flag, or a reserved field that is not 0
 *   EPERM       the session is not attached, or its attachment lacks the right
 * and the others, each with one meaning:
 *   EAGAIN      would have to wait               EALREADY  done before; too late
 *   EBADSLT     freed or released twice          EBUSY     attached already; in
 *                                                          use
 *   EEXIST      exists with other options        EINTR     signal, nothing done
 *   EMFILE      per-pool limit of objects        EMSGSIZE  size differs from the
 *   ENOENT      never issued, or gone                      reservation; array
 *   ENOMEM      pool, limit, cgroup or machine             too small
 *               is out of memory                 ENOSPC    holds as many as it may
 *                                                EPIPE     no consumer
 *   ERANGE      outside its object               ESHUTDOWN finalized; the end
 *   ESTALE      freed and reissued; failed;      ETIMEDOUT deadline passed
 *               the session was evicted
 *   ECANCELED   (io_uring) never begun
 * open() says ENODEV or ENOENT without the module, EACCES to who may not.
 *
 * Version 0.x: this interface may change until 1.0. Ask QUERY for features and
 * limits; never guess from a version.
 */
#ifndef _UAPI_LINUX_ZCBUF_H
#define _UAPI_LINUX_ZCBUF_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define ZCBUF_DEVICE		"/dev/zcbuf"

#define ZCBUF_VERSION_MAJOR	0
#define ZCBUF_VERSION_MINOR	1
#define ZCBUF_VERSION_PATCH	0
#define ZCBUF_VERSION	((ZCBUF_VERSION_MAJOR << 16) |			\
			 (ZCBUF_VERSION_MINOR << 8) | ZCBUF_VERSION_PATCH)

#define ZCBUF_MAX_BATCH		1024	/* entries in one call */
#define ZCBUF_MAX_NAME		64	/* bytes of a pool's name */
#define ZCBUF_MAX_CLASSES	24	/* classes of one pool */
#define ZCBUF_MAX_FIXED	(1U << 20)	/* objects of one FIXED pool */
#define ZCBUF_MAX_CHUNKS	1024	/* chunk lengths of one commit */
#define ZCBUF_MAX_EXTENTS	2	/* extents of one group */
#define ZCBUF_MAX_LABEL	64	/* bytes of one part of a channel's name */
#define ZCBUF_MAX_LANES	8	/* lanes of one queue */
#define ZCBUF_NR_CALLS		32	/* room in zcbuf_query.out_sizes */

#define ZCBUF_NO_DEADLINE	(~(__u64)0)

/*
 * Call numbers carry no size (_IO), so a struct can grow without a new number.
 */
#define ZCBUF_IOC_TYPE			0xBC
#define ZCBUF_NR_QUERY			0
#define ZCBUF_NR_POOL_CREATE		1
#define ZCBUF_NR_POOL_ATTACH		2
#define ZCBUF_NR_POOL_INFO		3
#define ZCBUF_NR_ALLOC			4
#define ZCBUF_NR_FREE			5
#define ZCBUF_NR_CHANNEL_OPEN		6
#define ZCBUF_NR_CHANNEL_CLOSE		7
#define ZCBUF_NR_RESERVE		8
#define ZCBUF_NR_COMMIT			9
#define ZCBUF_NR_COMMIT_RESERVE		10
#define ZCBUF_NR_ABORT			11
#define ZCBUF_NR_FLUSH			12
#define ZCBUF_NR_FINALIZE		13
#define ZCBUF_NR_RECEIVE		14
#define ZCBUF_NR_RECEIVE_FAILED		15
#define ZCBUF_NR_RELEASE		16
#define ZCBUF_NR_EVENTFD		17
#define ZCBUF_NR_BUF_INFO		18
#define ZCBUF_NR_POOL_GROW		19
#define ZCBUF_NR_TRANSFER		20
#define ZCBUF_NR_PIN_TOKEN		21
#define ZCBUF_NR_SHARE			22
#define ZCBUF_NR_EXPORT			23
#define ZCBUF_NR_POOL_REMOVE		24
#define ZCBUF_NR_POOL_RETIRE		25
#define ZCBUF_NR_PUBLISH		26
#define ZCBUF_NR_QUEUE			27
#define ZCBUF_NR_WATCH			28
#define ZCBUF_NR_READY			29
#define ZCBUF_NR_HEARTBEAT		30

#define ZCBUF_IOC_QUERY		_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_QUERY)
#define ZCBUF_IOC_POOL_CREATE	_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_POOL_CREATE)
#define ZCBUF_IOC_POOL_ATTACH	_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_POOL_ATTACH)
#define ZCBUF_IOC_POOL_INFO	_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_POOL_INFO)
#define ZCBUF_IOC_ALLOC		_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_ALLOC)
#define ZCBUF_IOC_FREE		_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_FREE)
#define ZCBUF_IOC_CHANNEL_OPEN	_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_CHANNEL_OPEN)
#define ZCBUF_IOC_CHANNEL_CLOSE	_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_CHANNEL_CLOSE)
#define ZCBUF_IOC_RESERVE	_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_RESERVE)
#define ZCBUF_IOC_COMMIT	_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_COMMIT)
#define ZCBUF_IOC_COMMIT_RESERVE _IO(ZCBUF_IOC_TYPE, ZCBUF_NR_COMMIT_RESERVE)
#define ZCBUF_IOC_ABORT		_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_ABORT)
#define ZCBUF_IOC_FLUSH		_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_FLUSH)
#define ZCBUF_IOC_FINALIZE	_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_FINALIZE)
#define ZCBUF_IOC_RECEIVE	_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_RECEIVE)
#define ZCBUF_IOC_RECEIVE_FAILED _IO(ZCBUF_IOC_TYPE, ZCBUF_NR_RECEIVE_FAILED)
#define ZCBUF_IOC_RELEASE	_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_RELEASE)
#define ZCBUF_IOC_EVENTFD	_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_EVENTFD)
#define ZCBUF_IOC_BUF_INFO	_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_BUF_INFO)
#define ZCBUF_IOC_POOL_GROW	_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_POOL_GROW)
#define ZCBUF_IOC_TRANSFER	_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_TRANSFER)
#define ZCBUF_IOC_PIN_TOKEN	_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_PIN_TOKEN)
#define ZCBUF_IOC_SHARE		_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_SHARE)
#define ZCBUF_IOC_EXPORT	_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_EXPORT)
#define ZCBUF_IOC_POOL_REMOVE	_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_POOL_REMOVE)
#define ZCBUF_IOC_POOL_RETIRE	_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_POOL_RETIRE)
#define ZCBUF_IOC_PUBLISH	_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_PUBLISH)
#define ZCBUF_IOC_QUEUE		_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_QUEUE)
#define ZCBUF_IOC_WATCH		_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_WATCH)
#define ZCBUF_IOC_READY		_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_READY)
#define ZCBUF_IOC_HEARTBEAT	_IO(ZCBUF_IOC_TYPE, ZCBUF_NR_HEARTBEAT)

/*
 * Rights of an attachment: what the file was opened for, and what the pool's
 * mode (by name) or the donor's own rights (by descriptor) leave of it. Read
 * permission gives MAP_READ and CONSUME, write permission MAP_WRITE and
 * PRODUCE. They can only be narrowed.
 */
#define ZCBUF_RIGHT_MAP_READ	(1U << 0)
#define ZCBUF_RIGHT_MAP_WRITE	(1U << 1)	/* and ALLOC, FREE, BUF_INFO, ... */
#define ZCBUF_RIGHT_PRODUCE	(1U << 2)	/* RESERVE, COMMIT, ... */
#define ZCBUF_RIGHT_CONSUME	(1U << 3)	/* RECEIVE, RELEASE, ... */
#define ZCBUF_RIGHT_ADMIN	(1U << 4)	/* the pool's creator */
#define ZCBUF_RIGHTS_ALL	0x1fU

/*
 * Buffer handles: { class 6 bits | generation | index }, see
 * zcbuf_buf_offset() and zcbuf_buf_class(). Classes 0 to 31 are blocks of
 * pages of 4096 << class bytes, index in units of 4096; classes 32 and up are
 * class (class - 32) of the pool's table, index in units of 16 bytes.
 * No buffer handle is 0.
 */
#define ZCBUF_BUF_CLASS_SHIFT	58
#define ZCBUF_BUF_SLAB		32	/* first class of the pool's table */
#define ZCBUF_BUF_PAGE_BITS	28	/* index bits, classes below 32 */
#define ZCBUF_BUF_SLAB_BITS	36	/* index bits, classes from 32 on */

static __inline__ __u32 zcbuf_buf_class(__u64 handle)
{
	return (__u32)(handle >> ZCBUF_BUF_CLASS_SHIFT);
}

/* zcbuf_buf_offset() - the pool offset of a buffer, bytes */
static __inline__ __u64 zcbuf_buf_offset(__u64 handle)
{
	if (zcbuf_buf_class(handle) < ZCBUF_BUF_SLAB)
		return (handle & (((__u64)1 << ZCBUF_BUF_PAGE_BITS) - 1)) << 12;
	return (handle & (((__u64)1 << ZCBUF_BUF_SLAB_BITS) - 1)) << 4;
}

/*
 * zcbuf_buf_capacity() - bytes of a buffer; @class_size is the pool's table of
 * classes (zcbuf_class_info.length, in order), unused for blocks of pages.
 */
static __inline__ __u64 zcbuf_buf_capacity(__u64 handle,
					   const __u32 *class_size)
{
	__u32 cls = zcbuf_buf_class(handle);

	if (cls < ZCBUF_BUF_SLAB)
		return (__u64)4096 << cls;
	return class_size[cls - ZCBUF_BUF_SLAB];
}

/* ------------------------------------------------------------------ QUERY */

#define ZCBUF_FEATURE_POOL_PAGES	((__u64)1 << 0)
#define ZCBUF_FEATURE_POOL_TIERS	((__u64)1 << 1)
#define ZCBUF_FEATURE_FIXED_BUFFERS	((__u64)1 << 2) /* io_uring can register */
#define ZCBUF_FEATURE_STREAM		((__u64)1 << 3)
#define ZCBUF_FEATURE_WINDOW		((__u64)1 << 4)
#define ZCBUF_FEATURE_ORDERED		((__u64)1 << 5)
#define ZCBUF_FEATURE_POOL_FIXED	((__u64)1 << 6)
#define ZCBUF_FEATURE_GROW		((__u64)1 << 7)
#define ZCBUF_FEATURE_TRANSFER		((__u64)1 << 8)
#define ZCBUF_FEATURE_PIN_TOKEN		((__u64)1 << 9)
#define ZCBUF_FEATURE_URING_CMD		((__u64)1 << 10)
#define ZCBUF_FEATURE_SHARE		((__u64)1 << 11)
#define ZCBUF_FEATURE_EXPORT		((__u64)1 << 12)
#define ZCBUF_FEATURE_PERSISTENT	((__u64)1 << 13)
#define ZCBUF_FEATURE_RETIRE		((__u64)1 << 14)
#define ZCBUF_FEATURE_INTERLEAVE	((__u64)1 << 15)
#define ZCBUF_FEATURE_TOPIC		((__u64)1 << 16)
#define ZCBUF_FEATURE_QUEUE		((__u64)1 << 17)
#define ZCBUF_FEATURE_WATCH		((__u64)1 << 18)
#define ZCBUF_FEATURE_HEARTBEAT		((__u64)1 << 19)
#define ZCBUF_FEATURE_IMMUTABLE		((__u64)1 << 20) /* where memory can be so */
#define ZCBUF_FEATURE_READY		((__u64)1 << 21) /* RECEIVE of any channel */
#define ZCBUF_FEATURE_ALLOC_NODE	((__u64)1 << 22)
#define ZCBUF_FEATURE_WINDOW_TAG	((__u64)1 << 23)
#define ZCBUF_FEATURE_STREAM_QUEUE	((__u64)1 << 24) /* QUEUE of streams */
#define ZCBUF_FEATURE_CONTROL		((__u64)1 << 25) /* ZCBUF_MMAP_CONTROL */

/**
 * struct zcbuf_query - what this kernel offers and this session is
 * @size: sizeof(struct zcbuf_query)
 * @flags: 0
 * @out_features: ZCBUF_FEATURE_*
 * @out_version: ZCBUF_VERSION of the module
 * @out_page_size: bytes of a page
 * @out_huge_page_size: bytes of a page of a huge-page arena
 * @out_max_batch: entries per batched call
 * @out_arena_unit: arena sizes are multiples of this, bytes
 * @out_default_arena_size: bytes
 * @out_max_pool_size: bytes of all its arenas
 * @out_user_limit: bytes the user who opened the session may hold, in pools and
 *	in what the kernel needs to know about his channels, his consumers (queues of
 *	topics, and what QUEUE makes of any), fixed objects, slab objects that were
 *	given away, and buffers that are shared
 * @out_user_charged: bytes he holds
 * @out_total_limit: bytes all users together may hold
 * @out_total_charged: bytes all users hold
 * @out_max_sessions: per pool
 * @out_max_channels: per pool
 * @out_session: this session's id, as netlink and zcctl show it
 * @out_pool: handle of the attached pool, 0 if none
 * @out_rights: ZCBUF_RIGHT_* of the attachment
 * @out_max_arenas: per pool
 * @out_sizes: by call number, sizeof() of its argument in this kernel; 0: no
 *	such call
 * @out_max_arena_size: bytes
 *
 * Needs no attachment. Since 0.1.
 */
struct zcbuf_query {
	__u32 size;
	__u32 flags;
	__aligned_u64 out_features;
	__u32 out_version;
	__u32 out_page_size;
	__u32 out_huge_page_size;
	__u32 out_max_batch;
	__aligned_u64 out_arena_unit;
	__aligned_u64 out_default_arena_size;
	__aligned_u64 out_max_pool_size;
	__aligned_u64 out_user_limit;
	__aligned_u64 out_user_charged;
	__aligned_u64 out_total_limit;
	__aligned_u64 out_total_charged;
	__u32 out_max_sessions;
	__u32 out_max_channels;
	__aligned_u64 out_session;
	__aligned_u64 out_pool;
	__u32 out_rights;
	__u32 out_max_arenas;
	__u16 out_sizes[ZCBUF_NR_CALLS];
	__aligned_u64 out_max_arena_size;
};

/* ------------------------------------------------------------------ pools */

#define ZCBUF_POOL_PAGES	0	/* buddy blocks of pages */
#define ZCBUF_POOL_TIERS	1	/* and slab classes below them */
#define ZCBUF_POOL_FIXED	2	/* counted objects of fixed classes */

#define ZCBUF_POOL_F_NO_ZERO_ON_REUSE	(1U << 0) /* do not zero at hand-out */
#define ZCBUF_POOL_F_HUGE_STRICT	(1U << 1) /* ENOMEM without huge pages */
#define ZCBUF_POOL_F_SMALL_PAGES	(1U << 2) /* do not try huge pages */
#define ZCBUF_POOL_F_NODE		(1U << 3) /* node is set */
#define ZCBUF_POOL_F_SHARED_PAGES	(1U << 4) /* of several sessions' objects */
#define ZCBUF_POOL_F_AUTO_GROW		(1U << 5) /* by itself, to max_size */
#define ZCBUF_POOL_F_PERSISTENT		(1U << 6) /* until POOL_REMOVE */
#define ZCBUF_POOL_F_OWNER		(1U << 7) /* uid and gid are set */
#define ZCBUF_POOL_F_INTERLEAVE		(1U << 8) /* of all nodes, by turns */

/**
 * struct zcbuf_class - one class of a pool that is made
 * @length: bytes of an object, a multiple of 16 (if it is not one it is rounded
 *	up)
 * @count: FIXED: objects of it, not 0; TIERS: 0
 *
 * TIERS: @length is 16 to 1 MiB; a class packs whole objects into blocks of
 * pages, which are leased to one session each.
 *
 * FIXED: the objects of a class lie back to back from a page boundary on, the
 * classes one after the other in the order of the table: the memory of a pool is
 * its table, and an object is never given for a request another class is the
 * smallest for. A class whose @length is no multiple of a page needs
 * ZCBUF_POOL_F_SHARED_PAGES: its objects share pages, whoever has them.
 */
struct zcbuf_class {
	__u32 length;
	__u32 count;
};

/**
 * struct zcbuf_pool_create - make a pool and attach to it
 * @size: sizeof(struct zcbuf_pool_create)
 * @flags: ZCBUF_POOL_F_*
 * @kind: ZCBUF_POOL_*
 * @mode: permission bits (0666) for attaching by name; 0 means 0600
 * @node: NUMA node of the memory, with ZCBUF_POOL_F_NODE, else 0
 * @nclasses: entries of @classes, none in PAGES pools; 0: the default table.
 *	TIERS: 16 bytes to 256 KiB, powers of four. FIXED: 1024 of 4 KiB, 512 of
 *	8 KiB, 128 of 16 KiB, 64 of 32 KiB, 32 of 64 KiB: 14 MiB; of these the
 *	ones below a page need ZCBUF_POOL_F_SHARED_PAGES, too.
 * @arena_size: bytes, a multiple of out_arena_unit; 0 means the default. FIXED:
 *	0, its arena is as large as the table, rounded up to that unit
 * @classes: pointer to struct zcbuf_class[@nclasses], ascending by length
 * @name: pointer to @name_len bytes, printable ASCII without '/' and blanks;
 *	0 makes an anonymous pool
 * @name_len: 0 to ZCBUF_MAX_NAME
 * @__reserved: 0
 * @out_pool: the pool's handle
 * @out_size: bytes, for mmap()
 * @out_page_order: 0, or the order of the huge pages it is made of
 * @out_rights: ZCBUF_RIGHT_* of this session
 * @max_size: bytes the pool may have when it has grown, by whole arenas of
 *	@arena_size, to which it is rounded down; 0 means it does not grow.
 *	FIXED: 0. Arenas that are gone do not count.
 * @uid: with ZCBUF_POOL_F_OWNER, whose pool it is, instead of the caller's; else 0
 * @gid: with ZCBUF_POOL_F_OWNER, the group @mode is about; else 0
 *
 * All memory of the first arena is allocated now, zeroed and charged to the
 * caller's memory cgroup, to the user who opened the device and to the module's
 * limit; nothing is populated later. So are 24 bytes for each object of a FIXED
 * pool, which the kernel needs to know it by.
 *
 * A pool grows by POOL_GROW; with AUTO_GROW also when an ALLOC or RESERVE finds
 * no room, before it waits or fails: that is sleeping for memory, which no
 * deadline bounds and O_NONBLOCK does not end. What it grows by is charged as the
 * pool is, whoever needs it: to the same user, and the memory cgroup of its maker;
 * whether CAP_IPC_LOCK lifts the user's limit was decided when it was made. After
 * an arena could not be had, none is asked for by itself for a while, at least
 * 0.1 s and, if it fails again and again, up to 10 s; then who waits for room
 * looks again. An arena that was added by itself, and is empty, may be given back
 * when the machine is short of memory, as by POOL_RETIRE with NOW: if nobody holds a
 * page of it, and if without it the pool can still grow to max_size, for which there
 * must be numbers of arenas left.
 *
 * With INTERLEAVE its pages, or huge pages, are of all the nodes the caller may have
 * memory of, now, one after the other by number of the node, and so on in the arenas
 * that come later. Where a node has none left, one is of another. Without it, and
 * without NODE, each arena is as the memory policy of who makes it says. One that is
 * added by itself for an ALLOC with NODE is of that node alone, in any case.
 *
 * Names are unique per IPC namespace and user. The pool lives until its last
 * session, mapping, dma-buf and I/O are gone. A PERSISTENT one, which has a name, lives on
 * without them until POOL_REMOVE has been there, and the module cannot be removed
 * before. OWNER makes a pool for another user: the name is one of his, and so is
 * RIGHT_ADMIN; who pays does not change.
 *
 * EPERM: PERSISTENT or OWNER take CAP_SYS_ADMIN in the initial user namespace.
 * EBUSY: the session is attached already. EEXIST: the name is taken. ENOMEM:
 * out of memory, or a limit was hit (zcctl check says which). E2BIG: the arena
 * would be larger than out_max_arena_size, or the pool than out_max_pool_size or
 * out_max_arenas. EINVAL: name, mode, node (and INTERLEAVE), class table
 * (FIXED: more than ZCBUF_MAX_FIXED objects, or pages to share without the flag)
 * or arena size; a flag that is not for this kind; max_size below arena_size, or 0
 * with AUTO_GROW; PERSISTENT without a name; uid or gid this namespace does not
 * have. Since 0.1.
 */
struct zcbuf_pool_create {
	__u32 size;
	__u32 flags;
	__u32 kind;
	__u32 mode;
	__u32 node;
	__u32 nclasses;
	__aligned_u64 arena_size;
	__aligned_u64 classes;
	__aligned_u64 name;
	__u32 name_len;
	__u32 __reserved;
	__aligned_u64 out_pool;
	__aligned_u64 out_size;
	__u32 out_page_order;
	__u32 out_rights;
	__aligned_u64 max_size;
	__u32 uid;
	__u32 gid;
};

#define ZCBUF_ATTACH_F_FD	(1U << 0)	/* by fd, not by name */
#define ZCBUF_ATTACH_F_UID	(1U << 1)	/* another user's name */

/**
 * struct zcbuf_pool_attach - attach this session to a pool that exists
 * @size: sizeof(struct zcbuf_pool_attach)
 * @flags: ZCBUF_ATTACH_F_FD, ZCBUF_ATTACH_F_UID or 0
 * @fd: another session, which is attached; with ZCBUF_ATTACH_F_FD, else 0
 * @rights: ZCBUF_RIGHT_* wanted, 0 means all there are. A right that is not to
 *	be had: EPERM.
 * @name: pointer to the name, without ZCBUF_ATTACH_F_FD
 * @name_len: bytes of it
 * @uid: with ZCBUF_ATTACH_F_UID, the user whose pool it is; else 0. Names are
 *	the caller's own otherwise, so nobody can squat on them.
 * @out_pool: the pool's handle
 * @out_size: bytes to the end of its last arena, for mmap()
 * @out_kind: ZCBUF_POOL_*
 * @out_rights: ZCBUF_RIGHT_* of this session
 *
 * ENOENT: no such name, or @fd is no attached session. EPERM: the mode gives
 * this user nothing. EBUSY: attached already. EMFILE: sessions per pool. EBADF:
 * @fd is no descriptor. Since 0.1.
 */
struct zcbuf_pool_attach {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 rights;
	__aligned_u64 name;
	__u32 name_len;
	__u32 uid;
	__aligned_u64 out_pool;
	__aligned_u64 out_size;
	__u32 out_kind;
	__u32 out_rights;
};

#define ZCBUF_REMOVE_F_UID	(1U << 0)	/* another user's name */

/**
 * struct zcbuf_pool_remove - take a pool's name away, and what makes it persist
 * @size: sizeof(struct zcbuf_pool_remove)
 * @flags: ZCBUF_REMOVE_F_UID or 0
 * @pool: its handle, as netlink and zcctl show it; or 0
 * @name: pointer to its name, without @pool; or 0
 * @name_len: bytes of it
 * @uid: with ZCBUF_REMOVE_F_UID, whose name it is, as for POOL_ATTACH; else 0
 *
 * Without @pool and @name it is the one this session is attached to. The name can
 * be used again at once, and nobody finds the pool by it any more. Who is attached
 * notices nothing: as any pool, it goes when its last session, mapping and I/O are
 * gone, which for a PERSISTENT pool that nobody uses is now. Of a pool that is not
 * PERSISTENT only the name is taken away.
 *
 * Needs RIGHT_ADMIN: of the attachment; or, of another pool, as POOL_ATTACH by
 * name would give it. By handle a pool of another IPC namespace can be removed,
 * with CAP_SYS_ADMIN.
 *
 * ENOENT: no such pool, or it has no name (any more). EPERM: no RIGHT_ADMIN, or
 * the session is not attached and it is not said which pool. EINVAL: @pool and
 * @name, or the name. Since 0.1.
 */
struct zcbuf_pool_remove {
	__u32 size;
	__u32 flags;
	__aligned_u64 pool;
	__aligned_u64 name;
	__u32 name_len;
	__u32 uid;
};

/**
 * struct zcbuf_pool_grow - add an arena to the attached pool
 * @size: sizeof(struct zcbuf_pool_grow)
 * @flags: 0
 * @out_size: bytes to the end of the new arena, for mmap()
 * @out_arena: number of the new arena, from 0
 * @out_page_order: 0, or the order of the huge pages it is made of
 *
 * The arena is as large as the first, allocated, zeroed and charged as that was
 * (CAP_IPC_LOCK of the caller lifts the user's limit, too), and comes after the
 * others: buffers and mappings stay where they are. A mapping does not grow by
 * it: mmap() maps the new arena at its offset.
 *
 * E2BIG: the pool would be larger than its max_size, or has had out_max_arenas,
 * those that are gone included. ENOMEM: out of memory, or a limit was hit. EPERM:
 * no RIGHT_ADMIN. EFAULT, if it is not told before anything is done: the arena
 * stands. Since 0.1.
 */
struct zcbuf_pool_grow {
	__u32 size;
	__u32 flags;
	__aligned_u64 out_size;
	__u32 out_arena;
	__u32 out_page_order;
};

#define ZCBUF_ARENA_LIVE	0	/* memory of it is handed out */
#define ZCBUF_ARENA_RETIRING	1	/* no more is; what is out is as before */
#define ZCBUF_ARENA_PINNED	2	/* nothing is out; somebody holds pages */
#define ZCBUF_ARENA_GONE	3	/* it was given back */

#define ZCBUF_RETIRE_F_NOW	(1U << 0)	/* or not at all */
#define ZCBUF_RETIRE_F_CANCEL	(1U << 1)	/* hand it out again */

/**
 * struct zcbuf_pool_retire - give an arena of the attached pool back
 * @size: sizeof(struct zcbuf_pool_retire)
 * @flags: ZCBUF_RETIRE_F_NOW, ZCBUF_RETIRE_F_CANCEL or 0
 * @deadline_ns: how long to wait until it is gone; with a flag: 0
 * @arena: its number; not 0, the first one stays
 * @out_state: ZCBUF_ARENA_*, what has become of it
 *
 * Nothing more of the arena is handed out, and it is given back when the last of what
 * is out has come back: buffers, groups, an open group among them, and slabs; from
 * dma-bufs as well. Those who have something of it go on as if nothing had happened,
 * but that they cannot EXPORT it any more. Then the arena is
 * unmapped, wherever it is mapped, and touching it there is SIGBUS; a handle that
 * was of it is ENOENT. Its memory, and the charge for it, goes when nobody else holds
 * a page of it: I/O, or an io_uring that has it registered. Until then it is PINNED.
 * The call does not wait for all that, unless it is told how long: out_state says how
 * far it is, and so do POOL_INFO and netlink. When an arena has gone, who waits for
 * memory of the pool looks again: there is room below max_size for another one, which
 * comes behind all there have ever been.
 *
 * NOW: only if nothing of it is handed out and nobody holds a page of it at this
 * moment; else nothing changes. CANCEL: the arena is handed out again. Retiring what
 * is retired is the same call once more; it waits for the same, and answers
 * ZCBUF_ARENA_LIVE if somebody has cancelled it.
 *
 * EINVAL: no such arena, the first, two flags, or a flag and a deadline. EOPNOTSUPP
 * also: a FIXED pool, which has one arena. EBUSY: NOW, and it is in use. EALREADY:
 * CANCEL, and nothing was handed out any more. ETIMEDOUT, EINTR: it is not gone yet;
 * it goes on without the caller. EPERM: no RIGHT_ADMIN. EFAULT, if it is not told
 * before anything is done: the arena is retired all the same. Since 0.1.
 */
struct zcbuf_pool_retire {
	__u32 size;
	__u32 flags;
	__aligned_u64 deadline_ns;
	__u32 arena;
	__u32 out_state;
};

/**
 * struct zcbuf_class_info - state of one class
 * @length: bytes of an object
 * @used: objects handed out, to all sessions
 * @total: objects there are. TIERS: in the pages leased to the class now
 * @align: every object's pool offset is a multiple of this
 * @offset: FIXED: pool offset of the first object; TIERS: 0
 * @min_free: FIXED: the least objects that were ever free; TIERS: 0
 * @__reserved: 0
 */
struct zcbuf_class_info {
	__u32 length;
	__u32 used;
	__u32 total;
	__u32 align;
	__aligned_u64 offset;
	__u32 min_free;
	__u32 __reserved;
};

/**
 * struct zcbuf_pool_info - state of the attached pool
 * @size: sizeof(struct zcbuf_pool_info)
 * @flags: 0
 * @classes: pointer to @nclasses entries of @entry_size, written; or 0
 * @nclasses: in: room at @classes. out: classes of the pool (EMSGSIZE if there
 *	was room for some but not for all)
 * @entry_size: sizeof(struct zcbuf_class_info); unused without @classes
 * @out_kind: ZCBUF_POOL_*
 * @__reserved: 0
 * @out_pool: the pool's handle
 * @out_size: bytes in all arenas that are not gone
 * @out_used: bytes handed out: buffers, groups, and whole pages leased to slab
 *	classes
 * @out_min_free: the least that was ever free to be had, bytes; FIXED: of all
 *	objects
 * @out_largest_free: the largest block or object of a FIXED pool that is free,
 *	bytes
 * @out_arena_size: bytes of each
 * @out_arenas: the number of those that are not gone
 * @out_page_order: 0, or the order of the huge pages of the first
 * @out_sessions: attached
 * @out_channels: open
 * @out_bad_frees: frees and releases refused so far
 * @out_flags: ZCBUF_POOL_F_* it was created with
 * @out_rights: of this session
 * @out_max_size: bytes it may have when it has grown
 * @out_max_used: the most that was ever handed out, bytes
 * @out_end: bytes to the end of its last arena, for mmap()
 * @out_max_end: what that may become
 * @out_present: bit n: arena n is LIVE or RETIRING, and can be used
 * @out_retiring: bit n: arena n is RETIRING or PINNED
 *
 * EINVAL: entry_size is smaller than the first released struct, or larger than
 * 4096; what is larger than the kernel's is filled up with zeros. Since 0.1.
 */
struct zcbuf_pool_info {
	__u32 size;
	__u32 flags;
	__aligned_u64 classes;
	__u32 nclasses;
	__u32 entry_size;
	__u32 out_kind;
	__u32 __reserved;
	__aligned_u64 out_pool;
	__aligned_u64 out_size;
	__aligned_u64 out_used;
	__aligned_u64 out_min_free;
	__aligned_u64 out_largest_free;
	__aligned_u64 out_arena_size;
	__u32 out_arenas;
	__u32 out_page_order;
	__u32 out_sessions;
	__u32 out_channels;
	__aligned_u64 out_bad_frees;
	__u32 out_flags;
	__u32 out_rights;
	__aligned_u64 out_max_size;
	__aligned_u64 out_max_used;
	__aligned_u64 out_end;
	__aligned_u64 out_max_end;
	__aligned_u64 out_present;
	__aligned_u64 out_retiring;
};

/* ---------------------------------------------------------------- buffers */

#define ZCBUF_ALLOC_F_ZERO	(1U << 0)	/* contents are zero */
#define ZCBUF_ALLOC_F_NODE	(1U << 1)	/* node is set */

/**
 * struct zcbuf_alloc - buffers of one length
 * @size: sizeof(struct zcbuf_alloc)
 * @flags: ZCBUF_ALLOC_F_*
 * @length: bytes wanted of each. 0: the smallest block (PAGES) or object (FIXED);
 *	TIERS: EINVAL
 * @handles: pointer to __u64[@count], written
 * @count: buffers wanted
 * @align: bytes, a power of two up to 2 MiB; 0: a block of pages is aligned to
 *	its capacity, counted from the start of its arena, an object to what
 *	POOL_INFO says of its class
 * @deadline_ns: how long to wait for the first of them while the pool has no
 *	room: 0, ZCBUF_NO_DEADLINE or absolute. What was got is not held up.
 * @out_done: buffers got
 * @out_error: why not more
 * @node: NUMA node of each, with ZCBUF_ALLOC_F_NODE, else 0
 * @__reserved: 0
 *
 * A buffer that another session used last is zeroed, unless the pool has
 * NO_ZERO_ON_REUSE. Waiting is not in turn: who asks for less may be served
 * before who waits for more.
 *
 * With NODE all pages of a buffer, or huge pages, are of that node, in a pool of any
 * kind and wherever its other memory is. What is waited for then, or was not to be
 * had, is room of that node; a pool with AUTO_GROW grows by an arena of it. TIERS: an
 * object is of a slab that is of the node whole: one of the 32 of the session that had
 * an object come back last, or another one; where there is no room for that, the buffer
 * is a block of pages.
 *
 * E2BIG: larger than the largest power of two in an arena; FIXED: no class is
 * large enough, or its objects are not aligned so. ENOMEM: no block, or object of
 * the smallest class that will do, is free, and the call must not wait; or the
 * machine, or a memory cgroup, is out of memory. ETIMEDOUT: the
 * deadline has passed. EINVAL: align; a node that has no memory, that the caller's
 * cpuset does not allow, or that is not the one of a pool that was made with
 * ZCBUF_POOL_F_NODE. Since 0.1.
 */
struct zcbuf_alloc {
	__u32 size;
	__u32 flags;
	__aligned_u64 length;
	__aligned_u64 handles;
	__u32 count;
	__u32 align;
	__aligned_u64 deadline_ns;
	__u32 out_done;
	__u32 out_error;
	__u32 node;
	__u32 __reserved;
};

/**
 * struct zcbuf_buf_place - where one buffer is
 * @offset: pool offset
 * @capacity: bytes
 * @arena: number of the arena it lies in, from 0; io_uring has a fixed buffer
 *	for each
 * @node: NUMA node of its first page
 * @page_order: of the pages it is made of: 0, or that of the huge pages
 * @holders: how many have it, this session among them; 1 unless it was shared, or
 *	exported: each dma-buf counts
 */
struct zcbuf_buf_place {
	__aligned_u64 offset;
	__aligned_u64 capacity;
	__u32 arena;
	__u32 node;
	__u32 page_order;
	__u32 holders;
};

/**
 * struct zcbuf_buf_info - what buffers turned out to be
 * @size: sizeof(struct zcbuf_buf_info)
 * @flags: 0
 * @handles: pointer to __u64[@count], buffers of this session
 * @entries: pointer to @count entries of @entry_size, written
 * @count: entries
 * @entry_size: sizeof(struct zcbuf_buf_place)
 * @out_done: entries written
 * @out_error: why not more
 *
 * What a handle says by itself, zcbuf_buf_offset() and zcbuf_buf_capacity()
 * tell without a call. EINVAL: entry_size is smaller than the first released
 * struct, or larger than 4096; what is larger than the kernel's is filled up with
 * zeros. Otherwise the errors of FREE; they are not counted as bad frees. Since
 * 0.1.
 */
struct zcbuf_buf_info {
	__u32 size;
	__u32 flags;
	__aligned_u64 handles;
	__aligned_u64 entries;
	__u32 count;
	__u32 entry_size;
	__u32 out_done;
	__u32 out_error;
};

/**
 * struct zcbuf_transfer - the argument of TRANSFER and SHARE
 * @size: sizeof(struct zcbuf_transfer)
 * @flags: 0
 * @session: another session of the pool, its out_session of QUERY
 * @handles: pointer to __u64[@count], buffers of this session
 * @count: entries
 * @__reserved: 0
 * @out_done: buffers given or shared
 * @out_error: why not more
 *
 * The buffers stay where and what they are, with the same handles.
 *
 * TRANSFER: the other session has them instead of this one, which has nothing to
 * do with them any more.
 *
 * SHARE: the other session has them as well. All who have a buffer have it alike,
 * who allocated it among them: each may write to it, ask about it, pass it on,
 * share it with more, and frees his part of it, or his death does. It is free when
 * nobody has it any more, and zeroed for whoever gets it next. Each counts it among
 * his buffers, the pool counts it once.
 *
 * How the other session learns of the handles is up to the two. It is not asked:
 * whoever may write to a pool can fill any session of it with buffers that it does
 * not want, so sessions of a pool have to trust each other that far.
 *
 * A slab object stays in its slab: while sessions that were given some have them,
 * the slab's pages are not given back, be its own session gone or not. What the
 * kernel needs to know about an object of a slab that is given away, or a buffer
 * that is shared, is charged to the user whose the pool is.
 *
 * ENOENT: no such session is attached to this pool, or as FREE. EPERM:
 * that session could not free it, it has no RIGHT_MAP_WRITE; or the buffer is not
 * this session's. EALREADY: that session has it already. EINVAL: to oneself.
 * ENOMEM: no memory for what is to be known, or at a limit. Otherwise the errors of
 * FREE; they are not counted as bad frees. Since 0.1.
 */
struct zcbuf_transfer {
	__u32 size;
	__u32 flags;
	__aligned_u64 session;
	__aligned_u64 handles;
	__u32 count;
	__u32 __reserved;
	__u32 out_done;
	__u32 out_error;
};

#define ZCBUF_EXPORT_F_READ_ONLY	(1U << 0)

/**
 * struct zcbuf_export - make a dma-buf of a buffer, for devices and others
 * @size: sizeof(struct zcbuf_export)
 * @flags: ZCBUF_EXPORT_F_READ_ONLY: it is mapped for reading only, and no device
 *	writes to it
 * @handle: a buffer of this session
 * @offset: where the dma-buf begins in the buffer, bytes, whole pages
 * @length: bytes of it, whole pages; 0: all that follow
 * @out_fd: a descriptor of the dma-buf, close-on-exec
 * @__reserved: 0
 *
 * The dma-buf has the buffer as one more session would that it was shared with:
 * while a descriptor, a mapping or a device holds it, the memory is not handed out
 * again, whoever frees it or dies, and the pool stays. Who is given the descriptor
 * need not be attached to the pool, and sees no more of it than this.
 *
 * EINVAL: the buffer, or what is asked of it, is not whole pages (an object of a
 * class below a page never is). ERANGE: outside the buffer. EBUSY: its arena is
 * RETIRING, and would wait for one more. EMFILE: descriptors. ENOMEM: no memory, or
 * at a limit, as for SHARE. EOPNOTSUPP: this kernel has no dma-bufs, FEATURE_EXPORT
 * tells. Otherwise the errors of FREE; they are not counted as bad frees. Since 0.1.
 */
struct zcbuf_export {
	__u32 size;
	__u32 flags;
	__aligned_u64 handle;
	__aligned_u64 offset;
	__aligned_u64 length;
	__s32 out_fd;
	__u32 __reserved;
};

/**
 * struct zcbuf_pin_token - a file that stands for an io_uring with pool memory
 * @size: sizeof(struct zcbuf_pin_token)
 * @flags: 0
 * @out_fd: the token, a descriptor with O_CLOEXEC; the caller's
 * @arenas: so many arenas, from the first, the ring has or will have registered,
 *	each once and as one fixed buffer, or in pieces that meet at multiples of
 *	out_huge_page_size; 0: none, it uses memory by address, or has a clone of
 *	another ring's registration
 *
 * A ring lives on after its process: what it has in flight still writes, and its
 * end is not the end of the session. So that the kernel knows of the ring, put a
 * token into its table of fixed files, one for each ring and session, before memory
 * of the pool is registered there or used by it, and close the descriptor. The ring
 * gives its files back last. When the ring registers arenas the pool has grown by,
 * put another token in the place of the first. A token cannot be read, written or
 * waited for.
 *
 * Memory of a session that has died is quarantined, handed out to nobody, until
 * all its tokens are gone; then until nothing holds its pages but mappings, and pins
 * that the tokens of living sessions account for: one of each page, or huge page,
 * for each token with that arena. A session without tokens is looked at in the same
 * way. The same is true of reservations that were not decided and deliveries that
 * were not released. Nothing else waits: groups are delivered, producers and
 * consumers are gone, and so are a channel without any, and the name of a pool
 * without sessions and mappings. What is quarantined is in use for all counts, and
 * shown by itself; its end wakes who waits for room.
 *
 * What is in the way of that, for as long as it lasts: a ring that registers
 * memory no token accounts for, or another user of long-term pins (RDMA, VFIO,
 * AF_XDP); an older request of a ring that holds back what was unregistered since;
 * and any I/O by address of others in the same huge page, of which the kernel only
 * counts the whole: pools with SMALL_PAGES suit those better.
 *
 * A token that is held open elsewhere, by a process it was sent to, counts as a
 * ring. It keeps the pool. EINVAL: more arenas than there are. EPERM: arenas, and
 * the attachment lacks RIGHT_MAP_WRITE. EMFILE, ENFILE: no descriptor, no file.
 * ENOMEM. Since 0.1.
 */
struct zcbuf_pin_token {
	__u32 size;
	__u32 flags;
	__s32 out_fd;
	__u32 arenas;
};

/**
 * struct zcbuf_batch - the argument of FREE, COMMIT, ABORT and RELEASE
 * @size: sizeof(struct zcbuf_batch)
 * @flags: COMMIT: ZCBUF_COMMIT_F_TAGGED or 0; else 0
 * @channel: its handle; 0 for FREE, and for RELEASE of several channels
 * @entries: pointer to @count entries:
 *	FREE __u64 buffer handles, COMMIT struct zcbuf_commit_entry, or with TAGGED
 *	struct zcbuf_commit_tagged, ABORT struct zcbuf_abort_entry, RELEASE __u64
 *	delivery handles, of several channels struct zcbuf_release_entry
 * @count: entries
 * @__reserved: 0
 * @out_done: entries done
 * @out_error: why not more
 *
 * FREE: ENOENT never issued, EPERM another session's (given to it, or this one has
 * freed its part of what is shared), EBADSLT it is free, ESTALE it was freed and is
 * somebody's again. TIERS: the generation of a slab
 * object is its page's: a stale handle is told apart only once the page has been
 * given back. Since 0.1.
 */
struct zcbuf_batch {
	__u32 size;
	__u32 flags;
	__aligned_u64 channel;
	__aligned_u64 entries;
	__u32 count;
	__u32 __reserved;
	__u32 out_done;
	__u32 out_error;
};

/* --------------------------------------------------------------- channels */

#define ZCBUF_PORT_PRODUCE	(1U << 0)
#define ZCBUF_PORT_CONSUME	(1U << 1)
#define ZCBUF_PORT_RECV_FAILED	(1U << 2)

#define ZCBUF_CHANNEL_F_THRESHOLD	(1U << 0) /* threshold is set */
#define ZCBUF_CHANNEL_F_HOLD_FAILED	(1U << 1) /* failed groups at FINALIZE */
#define ZCBUF_CHANNEL_F_ORDERED		(1U << 2) /* deliver in offset order */
#define ZCBUF_CHANNEL_F_NO_AUTO_FINALIZE (1U << 3)
#define ZCBUF_CHANNEL_F_TOPIC		(1U << 4) /* all consumers get all */
#define ZCBUF_CHANNEL_F_IMMUTABLE	(1U << 5) /* nobody writes what is delivered */

/* How CHANNEL_OPEN treats a name; no property of the channel. */
#define ZCBUF_CHANNEL_F_EXISTING	(1U << 16) /* make none, wait for it */
#define ZCBUF_CHANNEL_F_NEW		(1U << 17) /* make it, take no other */

/* What happens when the queue of a consumer is full. */
#define ZCBUF_POLICY_DEFAULT		0	/* stream: PARK, topic: BLOCK */
#define ZCBUF_POLICY_PARK		1	/* groups wait in the channel */
#define ZCBUF_POLICY_BLOCK		2	/* producers wait */
#define ZCBUF_POLICY_DROP_NEWEST	3	/* it does not get the new one */
#define ZCBUF_POLICY_DROP_OLDEST	4	/* it loses the oldest for it */

/**
 * struct zcbuf_channel_name - how a channel is found in its pool
 * @domain_len: bytes of @domain, 0 to ZCBUF_MAX_LABEL
 * @service_len: bytes of @service, 1 to ZCBUF_MAX_LABEL
 * @instance_len: bytes of @instance, the same
 * @event_len: bytes of @event, the same
 * @__reserved: 0
 * @domain: who has another one never finds it
 * @service: what is offered
 * @instance: by which of those who offer it
 * @event: what of it
 *
 * Each is printable ASCII without '/' and blanks, compared byte by byte; what
 * follows its length is not looked at.
 */
struct zcbuf_channel_name {
	__u8 domain_len;
	__u8 service_len;
	__u8 instance_len;
	__u8 event_len;
	__u32 __reserved;
	char domain[ZCBUF_MAX_LABEL];
	char service[ZCBUF_MAX_LABEL];
	char instance[ZCBUF_MAX_LABEL];
	char event[ZCBUF_MAX_LABEL];
};

/**
 * struct zcbuf_channel_open - make a channel, or take ports of one
 * @size: sizeof(struct zcbuf_channel_open)
 * @flags: ZCBUF_CHANNEL_F_*; of a channel that exists: 0, or what it was made
 *	with
 * @channel: 0 makes a channel, unless @name says which; else the handle of one of
 *	this pool
 * @ports: ZCBUF_PORT_* this session wants, at least one; those it has already
 *	it keeps
 * @align: bytes, a power of two up to 4096; offsets advance by the reserved
 *	length rounded up to it. 0 means 64.
 * @threshold: with ZCBUF_CHANNEL_F_THRESHOLD: a group seals when the stream
 *	bytes in it reach this; 0 makes every reservation its own group. Default
 *	1 MiB.
 * @max_reservation: the usual upper bound of a reservation, bytes; 0 means the
 *	threshold, at least 4096. A group gets one block of @threshold +
 *	@max_reservation, rounded up to a power of two of pages; a larger
 *	reservation gets an extent of its own and seals its group.
 * @max_age_us: seal an open group this long after it was opened; 0 means never
 * @max_outstanding: reservations the channel may hold, from RESERVE until
 *	their group is released; 0 means 65536, which is the most. The one that
 *	takes the last seals the open group.
 * @depth: queue of this session's consumer port, groups; 0 means 1024, at most
 *	65536
 * @__reserved: 0
 * @out_channel: its handle
 * @out_block: bytes of a group's block; a FIXED pool: 0
 * @name: pointer to a struct zcbuf_channel_name, without @channel; or 0
 * @deadline_ns: how long to wait for a channel of that name; only with EXISTING
 * @history: groups a TOPIC keeps for those who come later, if credits allow; less
 *	than @max_outstanding, at most 65535
 * @policy: ZCBUF_POLICY_* of this session's consumer port
 * @max_held: groups that port may have received and not released, of a stream once
 *	it has a queue that is mapped; 0 means 64, at most 65536
 * @lanes: of a TOPIC's queue for that port, 1 to ZCBUF_MAX_LANES; 0 means 1
 * @replay: groups that port wants of the history; as many as are there, and as go
 *	into its queue. Of an IMMUTABLE TOPIC also those that wait to be delivered,
 *	which are the last
 * @__reserved2: 0
 *
 * By name, the channel is made if there is none. EXISTING: it is waited for, and
 * taken with the options it has, whatever this call says. NEW: there must be none.
 * A name is its channel's as long as that is there.
 *
 * Each complete group of a stream goes to exactly one consumer, in order of
 * completion; with all queues full or no consumer it is parked until there is
 * room. Deliveries and queue entries a consumer leaves behind: what it had
 * received is released, what it had not goes to the others. Of a queue that is mapped
 * see QUEUE. A group with a
 * failed reservation goes to the failure queue, which any session with
 * RECV_FAILED serves. When the last producer port is gone the channel is
 * finalized; with NO_AUTO_FINALIZE only its open group is sealed, and it stays
 * open for the next producer. It goes away with its last port.
 *
 * A TOPIC gives each complete group to every consumer that was there when it was
 * begun, and nothing is parked: BLOCK has whoever begins a group (the first
 * RESERVE of it, PUBLISH) wait until all consumers with that policy have room for
 * it, so it is certain to arrive; DROP_NEWEST and DROP_OLDEST have this consumer
 * alone lose one. What it has received and not released takes no room in its queue.
 * Memory of a group is given back when the last consumer has released it and the
 * history does not keep it, at once if there is none. When its credits are used up
 * (@max_outstanding), the oldest groups go that only the history, and queues of
 * consumers that drop, still have; what a consumer holds keeps its credits. A TOPIC is
 * NO_AUTO_FINALIZE.
 *
 * Lanes: a group of priority p goes to lane p of the queue, or its last one; what is
 * in a higher lane is received first. DROP_OLDEST loses one of the lowest lane that
 * has any, or, if all are higher than its own, the new one.
 *
 * IMMUTABLE: before a group is delivered, its memory is taken from everybody who may
 * write to the pool, until it has been released. Whoever touches it by a mapping of
 * a session that may write, even to read, gets SIGBUS (a system call: EFAULT); what is
 * mapped read-only is read as ever. So a consumer port is for sessions without
 * RIGHT_MAP_WRITE. Groups then have whole huge pages for their memory (blocks and
 * windows are multiples of out_huge_page_size), unless the pool is one of SMALL_PAGES.
 * A group is not delivered as long as anybody holds a page of it other than by a
 * mapping, since he could still write: I/O that is under way, a ring it is registered
 * with. It waits, with those that were complete later, for as long as that takes;
 * nothing else does, and zcctl shows how many do (ZCBUF_A_CHANNEL_FREEZING). Who only
 * reads cannot be told from who writes. So a group that a consumer releases while I/O
 * of his still has a page of it (vmsplice, O_DIRECT, MSG_ZEROCOPY) keeps its memory,
 * which nobody can write to, and its credits until that is over, or the channel is:
 * he harms nobody but by what he keeps. Whoever begins to read what he has not
 * received, or has released, holds up the group that comes to have that memory; and a
 * pool whose memory is registered with io_uring for good, by any session, is not for
 * IMMUTABLE channels: nothing is delivered. What goes to the failure queue can still be
 * written to.
 *
 * What the kernel needs to know about a channel and its reservations is charged
 * to the user who made it, like memory of a pool: ENOMEM, of RESERVE as well. The
 * queue of a TOPIC's consumer port (@depth, @max_held) is charged to the user who
 * opened the session that has it, as what QUEUE shows of it is; of a stream's port
 * QUEUE charges both.
 *
 * EINVAL also: a stream of a FIXED pool, which has no memory for groups (a TOPIC can
 * do without); ORDERED and TOPIC; what only a TOPIC has, of a stream; a policy that
 * is not for it; a name that is none; EXISTING and NEW, or one of them without a
 * name; a deadline without EXISTING. ENOENT: no such channel. ETIMEDOUT, EINTR: none
 * came. EEXIST: it exists with other options (TOPIC alone is none), or at all (NEW);
 * or this session's consumer port has another depth, policy, max_held or number of
 * lanes. E2BIG: the block would be larger than an arena. EMFILE:
 * channels of this pool, or 64 RECV_FAILED ports of this channel. EPERM: a port
 * needs RIGHT_PRODUCE or RIGHT_CONSUME, or a consumer port of an IMMUTABLE channel
 * none that may write. Since 0.1.
 */
struct zcbuf_channel_open {
	__u32 size;
	__u32 flags;
	__aligned_u64 channel;
	__u32 ports;
	__u32 align;
	__aligned_u64 threshold;
	__aligned_u64 max_reservation;
	__u32 max_age_us;
	__u32 max_outstanding;
	__u32 depth;
	__u32 __reserved;
	__aligned_u64 out_channel;
	__aligned_u64 out_block;
	__aligned_u64 name;
	__aligned_u64 deadline_ns;
	__u32 history;
	__u32 policy;
	__u32 max_held;
	__u32 lanes;
	__u32 replay;
	__u32 __reserved2;
};

/**
 * struct zcbuf_channel_close - give ports back
 * @size: sizeof(struct zcbuf_channel_close)
 * @flags: 0
 * @channel: its handle
 * @ports: ZCBUF_PORT_*; 0 means all this session has
 * @__reserved: 0
 *
 * As if the session had died, for these ports alone: pending reservations
 * fail, received deliveries are released. ENOENT: no such port. Since 0.1.
 */
struct zcbuf_channel_close {
	__u32 size;
	__u32 flags;
	__aligned_u64 channel;
	__u32 ports;
	__u32 __reserved;
};

/**
 * struct zcbuf_reservation - one entry of RESERVE
 * @length: bytes wanted
 * @out_id: reservation id, per channel from 0
 * @out_group: group id, per channel from 0
 * @out_offset: stream offset, bytes
 * @out_pool_offset: where the bytes are, pool offset
 */
struct zcbuf_reservation {
	__aligned_u64 length;
	__aligned_u64 out_id;
	__aligned_u64 out_group;
	__aligned_u64 out_offset;
	__aligned_u64 out_pool_offset;
};

/*
 * What was short when a producer would have to wait, or has waited in vain: out_why,
 * as it was when the kernel last looked. At least one of the first three is set.
 *
 * MEMORY: the pool has no such block now, and does not grow. It comes back by RELEASE
 * and FREE, of anybody. LIMIT: the channel holds @max_outstanding reservations. They
 * come back when its own groups are released. QUEUE: a consumer is slow. Of a TOPIC,
 * the queue of one that has the policy BLOCK is full, or will be by what is pending;
 * of a stream, with MEMORY or LIMIT, complete groups are parked since all queues are
 * full, a mapped one by what is held of it as well. NO_CONSUMER: of a stream, with
 * MEMORY or LIMIT, complete groups are parked since there is nobody to have them.
 * MEMORY or LIMIT alone: others have it, or it is pending, or received and not
 * released.
 *
 * It is told apart from what does not pass by itself: ENOMEM, of the kernel's records,
 * E2BIG, and EPIPE, for who asked for a consumer.
 */
#define ZCBUF_WHY_MEMORY		(1U << 0)
#define ZCBUF_WHY_LIMIT			(1U << 1)
#define ZCBUF_WHY_QUEUE			(1U << 2)
#define ZCBUF_WHY_NO_CONSUMER		(1U << 3)

#define ZCBUF_RESERVE_F_WINDOW		(1U << 0)
#define ZCBUF_RESERVE_F_NEED_CONSUMER	(1U << 1) /* EPIPE if there is none */

/**
 * struct zcbuf_reserve - space in the stream
 * @size: sizeof(struct zcbuf_reserve)
 * @flags: ZCBUF_RESERVE_F_*
 * @channel: its handle
 * @entries: pointer to struct zcbuf_reservation[@count]
 * @deadline_ns: how long to wait for memory and credit for the first entry;
 *	the others do not wait
 * @count: entries
 * @__reserved: 0
 * @out_done: entries done
 * @out_error: why not more
 * @out_why: ZCBUF_WHY_*, if that is EAGAIN or ETIMEDOUT; else 0
 * @__reserved2: 0
 *
 * A reservation joins the open group, which seals at once when it has reached
 * the threshold, and when a RESERVE begins to wait for memory. WINDOW: a group
 * of its own, sealed at birth, whose COMMIT may use less than was reserved; the
 * unused whole pages go back then. Offsets are given in order of arrival, so
 * the first other reservation after a window begins a new group.
 *
 * EINVAL: length 0. E2BIG: larger than the largest power of two in an arena.
 * EAGAIN: no memory of the pool or no credit now, or a BLOCK consumer has no room.
 * ENOMEM: no memory for the kernel's records. ESHUTDOWN: finalized. EPERM: no
 * producer port. EPIPE: NEED_CONSUMER, also if the last one goes while it waits.
 * Since 0.1.
 */
struct zcbuf_reserve {
	__u32 size;
	__u32 flags;
	__aligned_u64 channel;
	__aligned_u64 entries;
	__aligned_u64 deadline_ns;
	__u32 count;
	__u32 __reserved;
	__u32 out_done;
	__u32 out_error;
	__u32 out_why;
	__u32 __reserved2;
};

/**
 * struct zcbuf_publication - one entry of PUBLISH
 * @handle: a buffer of this session
 * @length: bytes of it that are published, from its first on; 0: its capacity
 * @user_tag: for the consumers
 * @encoding: how it is to be read, for the consumers; 0: as it is
 * @priority: TOPIC: which lane of their queues; 0 is the lowest
 * @out_seq: how many this port had published to the channel before
 * @out_delivered: consumers in whose queues it was put; of a stream, 0: it is parked;
 *	0 of an IMMUTABLE channel, which delivers later
 * @out_dropped: consumers that lost it, or another for it; the same
 */
struct zcbuf_publication {
	__aligned_u64 handle;
	__aligned_u64 length;
	__aligned_u64 user_tag;
	__u32 encoding;
	__u32 priority;
	__aligned_u64 out_seq;
	__u32 out_delivered;
	__u32 out_dropped;
};

#define ZCBUF_PUBLISH_F_NEED_CONSUMER	(1U << 1) /* EPIPE if there is none */

/**
 * struct zcbuf_publish - buffers go to the consumers
 * @size: sizeof(struct zcbuf_publish)
 * @flags: ZCBUF_PUBLISH_F_*
 * @channel: its handle
 * @entries: pointer to struct zcbuf_publication[@count]
 * @deadline_ns: how long to wait for room for the first entry; the others do not
 *	wait
 * @count: entries
 * @__reserved: 0
 * @out_done: buffers published
 * @out_error: why not more
 * @out_why: as of RESERVE; never MEMORY
 * @__reserved2: 0
 *
 * Each is a group of one reservation that is complete at once, whatever is open or
 * pending; its memory is the buffer. The session has nothing to do with it any more,
 * its death neither, and no I/O of it should still write there; others it was shared
 * with keep theirs. It is free when the last consumer has released it: at once,
 * out_delivered 0, if a TOPIC has none and keeps no history. Who gets the memory next
 * finds it zeroed, the publisher as well, unless no consumer may write to the pool (or
 * NO_ZERO_ON_REUSE).
 *
 * EAGAIN: a BLOCK consumer has no room now, or no credit. EALREADY: it is published.
 * ERANGE: @length is more than its capacity. To an IMMUTABLE channel, EINVAL: it is not
 * made of whole pages, or huge pages, of its arena; EBUSY: others hold it as well, or
 * a dma-buf does. EPIPE: NEED_CONSUMER. ENOMEM: no memory
 * for the kernel's records. ESHUTDOWN: finalized. EPERM also: no producer port, or no
 * RIGHT_MAP_WRITE. EFAULT, if it is not told before anything is done: what was
 * published stands. Otherwise the errors of FREE; they are not counted as bad frees.
 * Since 0.1.
 */
struct zcbuf_publish {
	__u32 size;
	__u32 flags;
	__aligned_u64 channel;
	__aligned_u64 entries;
	__aligned_u64 deadline_ns;
	__u32 count;
	__u32 __reserved;
	__u32 out_done;
	__u32 out_error;
	__u32 out_why;
	__u32 __reserved2;
};

/**
 * struct zcbuf_commit_entry - one entry of COMMIT
 * @group: group id
 * @id: reservation id
 * @offset: its stream offset
 * @length: bytes written: the reserved length; of a window, that or less, not
 *	0. Must be 0 with @nchunks.
 * @chunks: pointer to __u64[@nchunks], the lengths of the pieces written, in
 *	order; together @length. For the caller's own checking: pieces are not
 *	delivered apart.
 * @nchunks: 0 to ZCBUF_MAX_CHUNKS
 * @nrecords: records in it, for the consumer; 0 counts as 1
 *
 * Checked in this order, and a check that fails leaves the reservation as it
 * is: ESHUTDOWN the channel is finalized, ENOENT group, ENOENT reservation,
 * EPERM owner, EINVAL offset, EALREADY committed, ESTALE failed, ERANGE chunks
 * beyond the end, EMSGSIZE length. ESHUTDOWN and ESTALE also acknowledge that
 * a reservation somebody else failed is no longer written to: its memory can
 * then be freed.
 */
struct zcbuf_commit_entry {
	__aligned_u64 group;
	__aligned_u64 id;
	__aligned_u64 offset;
	__aligned_u64 length;
	__aligned_u64 chunks;
	__u32 nchunks;
	__u32 nrecords;
};

#define ZCBUF_COMMIT_F_TAGGED		(1U << 8) /* zcbuf_commit_tagged */

/**
 * struct zcbuf_commit_tagged - one entry of COMMIT with TAGGED
 * @entry: as without
 * @user_tag: of a window: for the consumers, as of PUBLISH; else 0
 * @encoding: the same
 * @__reserved: 0
 *
 * EINVAL also, as for @entry.offset: a tag or an encoding, and it is no window, so
 * its group may be of others as well. Since 0.1.
 */
struct zcbuf_commit_tagged {
	struct zcbuf_commit_entry entry;
	__aligned_u64 user_tag;
	__u32 encoding;
	__u32 __reserved;
};

/**
 * struct zcbuf_abort_entry - one entry of ABORT
 * @group: group id
 * @id: reservation id
 *
 * The reservation fails. Errors as for COMMIT: ESHUTDOWN, ENOENT, EPERM,
 * EALREADY, ESTALE.
 */
struct zcbuf_abort_entry {
	__aligned_u64 group;
	__aligned_u64 id;
};

/**
 * struct zcbuf_commit_reserve - turn over: COMMIT, then RESERVE
 * @size: sizeof(struct zcbuf_commit_reserve)
 * @flags: ZCBUF_RESERVE_F_*, ZCBUF_COMMIT_F_TAGGED
 * @channel: its handle
 * @commits: pointer to struct zcbuf_commit_entry[@ncommits], or with TAGGED struct
 *	zcbuf_commit_tagged[@ncommits]
 * @reserves: pointer to struct zcbuf_reservation[@nreserves]
 * @deadline_ns: of the RESERVE part
 * @ncommits: entries, at least 1
 * @nreserves: entries, at least 1
 * @out_committed: commits done
 * @out_commit_error: why not more
 * @out_reserved: reservations made; none unless all commits were done
 * @out_reserve_error: why not more
 * @out_why: as of RESERVE, of @out_reserve_error
 * @__reserved: 0
 *
 * Returns 0 if anything was done, else -1 with the first error. EPIPE is of the
 * RESERVE part. Since 0.1.
 */
struct zcbuf_commit_reserve {
	__u32 size;
	__u32 flags;
	__aligned_u64 channel;
	__aligned_u64 commits;
	__aligned_u64 reserves;
	__aligned_u64 deadline_ns;
	__u32 ncommits;
	__u32 nreserves;
	__u32 out_committed;
	__u32 out_commit_error;
	__u32 out_reserved;
	__u32 out_reserve_error;
	__u32 out_why;
	__u32 __reserved;
};

/**
 * struct zcbuf_flush - seal the open group now
 * @size: sizeof(struct zcbuf_flush)
 * @flags: 0
 * @channel: its handle
 * @out_sealed: 1 if there was one, else 0
 * @__reserved: 0
 *
 * EPERM: no producer port. ESHUTDOWN: finalized. Since 0.1.
 */
struct zcbuf_flush {
	__u32 size;
	__u32 flags;
	__aligned_u64 channel;
	__u32 out_sealed;
	__u32 __reserved;
};

/**
 * struct zcbuf_finalize - end the stream
 * @size: sizeof(struct zcbuf_finalize)
 * @flags: 0
 * @channel: its handle
 * @out_success: groups this call put on the success queue; of an IMMUTABLE channel
 *	maybe later
 * @out_failure: groups this call put on the failure queue, held ones included
 * @out_reservations: reservations this call failed
 *
 * Waits for nobody: seals the open group, fails what is pending, delivers all
 * there is. Again: 0, with zero counts. EPERM: no producer port. Since 0.1.
 */
struct zcbuf_finalize {
	__u32 size;
	__u32 flags;
	__aligned_u64 channel;
	__aligned_u64 out_success;
	__aligned_u64 out_failure;
	__aligned_u64 out_reservations;
};

/**
 * struct zcbuf_extent - a contiguous piece of a group
 * @pool_offset: where it is
 * @length: bytes
 */
struct zcbuf_extent {
	__aligned_u64 pool_offset;
	__aligned_u64 length;
};

/**
 * struct zcbuf_delivery - one entry of RECEIVE
 * @handle: for RELEASE; 0: nothing is delivered, the stream of @channel has ended
 * @group: group id
 * @offset: stream offset of its first byte
 * @length: bytes, from the first byte of its first reservation to the last byte
 *	of its last one
 * @seq: deliveries to this consumer port before this one. TOPIC: groups of
 *	@publisher before this one, since it opened its port, so that a gap is a loss
 * @time_ns: when the group was complete, CLOCK_MONOTONIC
 * @nrecords: records the producers counted
 * @nextents: 1 or 2
 * @extents: where the bytes are, in stream order; together @length
 * @publisher: session whose port made it, by PUBLISH or as a window; 0: of
 *	reservations of any, which have a sequence of their own
 * @user_tag: as published, or of a window as committed; else 0
 * @encoding: the same
 * @priority: as published, else 0
 * @lost: TOPIC: groups this port has lost so far, for want of room
 * @channel: the handle of its channel
 *
 * From the end of an extent to the end of its last page lies memory of the
 * group that nobody reads: a consumer attached for writing may zero it and
 * write whole pages to a file opened O_DIRECT.
 */
struct zcbuf_delivery {
	__aligned_u64 handle;
	__aligned_u64 group;
	__aligned_u64 offset;
	__aligned_u64 length;
	__aligned_u64 seq;
	__aligned_u64 time_ns;
	__u32 nrecords;
	__u32 nextents;
	struct zcbuf_extent extents[ZCBUF_MAX_EXTENTS];
	__aligned_u64 publisher;
	__aligned_u64 user_tag;
	__u32 encoding;
	__u32 priority;
	__aligned_u64 lost;
	__aligned_u64 channel;
};

/**
 * struct zcbuf_release_entry - one entry of RELEASE, of several channels
 * @channel: as delivered
 * @handle: as delivered
 */
struct zcbuf_release_entry {
	__aligned_u64 channel;
	__aligned_u64 handle;
};

/**
 * struct zcbuf_receive - take complete groups
 * @size: sizeof(struct zcbuf_receive)
 * @flags: 0
 * @channel: its handle; 0: any that the session has a consumer port of
 * @entries: pointer to @count entries, written
 * @deadline_ns: how long to wait for the first
 * @count: entries
 * @entry_size: sizeof(struct zcbuf_delivery)
 * @out_done: entries written
 * @out_error: why not more (EAGAIN, ESHUTDOWN, ENOSPC)
 *
 * The deliveries are the session's until it RELEASEs them. EAGAIN: nothing
 * ready. ESHUTDOWN: finalized, and all was taken. ENOSPC: it holds max_held of
 * them, and there are more (of a stream, with a queue that is mapped: or might be).
 * EPERM: no consumer port.
 *
 * Of any channel: of the ports that have something one delivery each, by turns, and
 * of each as if it alone were asked. Ports that have nothing cost nothing. The end of a
 * stream is an entry of its own, of which all but @channel is 0, once for each port;
 * ESHUTDOWN: that of all was told. A port that holds max_held is passed over until some
 * are RELEASEd (EAGAIN, not ENOSPC). Of several calls that wait, one is woken for each
 * port that has something. Failure queues are not received from.
 *
 * EINVAL: entry_size is smaller than the first released struct, or larger than
 * 4096; what is larger than the kernel's is filled up with zeros. Since 0.1.
 */
struct zcbuf_receive {
	__u32 size;
	__u32 flags;
	__aligned_u64 channel;
	__aligned_u64 entries;
	__aligned_u64 deadline_ns;
	__u32 count;
	__u32 entry_size;
	__u32 out_done;
	__u32 out_error;
};

/**
 * struct zcbuf_piece - a committed reservation of a failed group
 * @offset: stream offset
 * @length: bytes
 * @pool_offset: where they are
 */
struct zcbuf_piece {
	__aligned_u64 offset;
	__aligned_u64 length;
	__aligned_u64 pool_offset;
};

/**
 * struct zcbuf_lost - a failed reservation of a failed group
 * @id: reservation id
 * @offset: stream offset
 * @length: bytes that were reserved
 */
struct zcbuf_lost {
	__aligned_u64 id;
	__aligned_u64 offset;
	__aligned_u64 length;
};

/**
 * struct zcbuf_receive_failed - take one failed group
 * @size: sizeof(struct zcbuf_receive_failed)
 * @flags: 0
 * @channel: its handle
 * @pieces: pointer to struct zcbuf_piece[@npieces], written in ascending order
 * @lost: pointer to struct zcbuf_lost[@nlost], written in ascending order
 * @deadline_ns: how long to wait for one
 * @npieces: in: room at @pieces. out: how many the group has
 * @nlost: in: room at @lost. out: how many the group has
 * @out_delivery: the group as a whole; its length counts failed reservations
 *
 * EMSGSIZE: an array was too small; both numbers are written back and nothing
 * was taken. EAGAIN: no failed group. ESHUTDOWN: finalized, and all were taken.
 * EPERM: no RECV_FAILED port. RELEASE takes out_delivery.handle. Since 0.1.
 */
struct zcbuf_receive_failed {
	__u32 size;
	__u32 flags;
	__aligned_u64 channel;
	__aligned_u64 pieces;
	__aligned_u64 lost;
	__aligned_u64 deadline_ns;
	__u32 npieces;
	__u32 nlost;
	struct zcbuf_delivery out_delivery;
};

#define ZCBUF_EVENTFD_NONE	0	/* disarm */
#define ZCBUF_EVENTFD_EACH	1	/* count every delivery */
#define ZCBUF_EVENTFD_ADAPTIVE	2	/* only of who sleeps, see QUEUE */

#define ZCBUF_EVENTFD_F_FAILED	(1U << 0)	/* of the failure queue */

/**
 * struct zcbuf_eventfd - be told of deliveries by an eventfd
 * @size: sizeof(struct zcbuf_eventfd)
 * @flags: ZCBUF_EVENTFD_F_FAILED: the RECV_FAILED port, else the consumer port
 * @channel: its handle; 0: of the queues that READY tells of, with ADAPTIVE
 * @fd: an eventfd; with NONE 0
 * @mode: ZCBUF_EVENTFD_*
 *
 * EACH adds 1 for every group put on the port's queue from now on, for those
 * already there, and once for the end of the stream, when the last group was
 * received. The count is a hint: drain with RECEIVE until EAGAIN.
 *
 * ADAPTIVE, of a queue that is mapped: adds 1 when there is something, or the end of
 * the stream, and the consumer has set the word sleeping since the last time. Of
 * channel 0 that word is the one of struct zcbuf_ready_state. EPERM: no such port.
 * EBADF, EINVAL: @fd is no eventfd. EINVAL also: ADAPTIVE of a queue that is not mapped,
 * or of channel 0 without READY. Since 0.1.
 */
struct zcbuf_eventfd {
	__u32 size;
	__u32 flags;
	__aligned_u64 channel;
	__s32 fd;
	__u32 mode;
};

#define ZCBUF_QUEUE_F_SYNC	(1U << 0)	/* look at what was taken */

/**
 * struct zcbuf_queue - see the queue of this session's consumer port
 * @size: sizeof(struct zcbuf_queue)
 * @flags: ZCBUF_QUEUE_F_SYNC or 0
 * @channel: its handle
 * @out_fd: a descriptor of the queue, close-on-exec, the caller's; it can only be
 *	mapped. SYNC: -1
 * @__reserved: 0
 * @out_bytes: of what is mapped at offset 0, for reading: struct zcbuf_queue_head
 *	and what it points to
 * @out_state_bytes: of what is mapped at offset out_bytes, for reading and writing:
 *	struct zcbuf_queue_state
 *
 * Deliveries can be taken from the mapping without a call: see there. RECEIVE takes
 * from the same queue; RELEASE is as ever. Both mappings stay until munmap and hold
 * nothing; fork() does not pass them on. The first call for a port allocates the
 * memory, which the session's user is charged for; others give descriptors of the same.
 *
 * SYNC: the kernel notices what was taken, of each lane up to the first that was not,
 * and producers that wait for room go on; so do groups of a stream that are parked.
 *
 * Of a stream (STREAM_QUEUE of QUERY): groups are dealt by credit. From the first call
 * on, what is in the queue and what was taken and not released is never more than
 * max_held, nor what is in the queue more than depth: a slow consumer has no more than
 * that, the others and the channel have the rest. A group is in one queue at a time. It
 * belongs to whoever changes its word first: the consumer has taken it then, and nobody
 * else ever gets it; the kernel takes back all that a consumer had not taken when its
 * port goes, however that is, and deals it to the others, before what was complete
 * later. So it may take back what is in their queues, which are in order again then.
 * What was received before the first call keeps its handle and counts as held.
 * What nobody has told of is not known to have been taken: the end of a stream is told
 * when all of it was noticed, by RELEASE, RECEIVE or SYNC.
 *
 * EINVAL: the channel is a stream, without STREAM_QUEUE. EPERM: no consumer port.
 * EMFILE, ENFILE: no descriptor, no file. ENOMEM. Since 0.1.
 */
struct zcbuf_queue {
	__u32 size;
	__u32 flags;
	__aligned_u64 channel;
	__s32 out_fd;
	__u32 __reserved;
	__aligned_u64 out_bytes;
	__aligned_u64 out_state_bytes;
};

#define ZCBUF_QUEUE_MAGIC	0x7a627566
#define ZCBUF_QUEUE_VERSION	2

#define ZCBUF_QUEUE_WAIT_ROOM	1	/* producers wait for room in it */
#define ZCBUF_QUEUE_WAIT_TELL	2	/* of a stream: what was taken matters */

#define ZCBUF_QUEUE_CLOSED	1	/* the port is gone */
#define ZCBUF_QUEUE_FINALIZED	2	/* nothing more comes */

/**
 * struct zcbuf_queue_head - what the kernel says of a queue; read only
 * @magic: ZCBUF_QUEUE_MAGIC
 * @version: ZCBUF_QUEUE_VERSION; who does not know it uses RECEIVE
 * @entry_size: bytes from one entry to the next
 * @slots: entries there are
 * @lanes: lanes there are
 * @ring: entries of the ring of a lane, a power of two
 * @waiting: ZCBUF_QUEUE_WAIT_*: WAIT_ROOM: who has taken something calls SYNC.
 *	WAIT_TELL: groups are parked, or others wait for the end: who finds nothing
 *	more calls SYNC and looks again, before he sleeps as well; to do it each time
 *	something was taken is right, too. He looks after a full barrier that follows
 *	the compare-and-exchange
 * @ended: ZCBUF_QUEUE_*, or 0
 * @ring_offset: of __u64[@lanes][@ring], from here, bytes
 * @entries_offset: of the first struct zcbuf_delivery, from here, bytes
 * @lost: groups this port had lost when the last delivery came
 * @max_held: of this port
 * @__reserved: 0
 * @tail: by lane, how many deliveries were put into its ring so far
 * @begun: the same, with the one that is just being put there
 *
 * To take the next delivery: for each lane, from the highest to lane 0, load tail
 * (acquire). While the caller's own count of what he has seen of the ring is not as
 * large, load the handle at that count modulo @ring (acquire), and then begun. If that
 * is more than @ring ahead of his count, the handle may be a newer one's: his count is
 * begun - @ring then, and he loads tail again. Else he counts on. If the word of its
 * slot, zcbuf_slot_word(), is zcbuf_slot_ready() of the handle, and can be changed to
 * zcbuf_slot_taken() by one atomic compare-and-exchange (acquire), the delivery is the
 * caller's, and in the entry of that slot, zcbuf_slot(), until he RELEASEs the handle.
 * Else somebody else has taken it, or it was dropped, or taken back. Nobody may take
 * more than max_held before he releases some: there is no room for what comes then.
 */
struct zcbuf_queue_head {
	__u32 magic;
	__u32 version;
	__u32 entry_size;
	__u32 slots;
	__u32 lanes;
	__u32 ring;
	__u32 waiting;
	__u32 ended;
	__aligned_u64 ring_offset;
	__aligned_u64 entries_offset;
	__aligned_u64 lost;
	__u32 max_held;
	__u32 __reserved;
	__aligned_u64 tail[ZCBUF_MAX_LANES];
	__aligned_u64 begun[ZCBUF_MAX_LANES];
};

/**
 * struct zcbuf_queue_state - what both write; the words of the slots follow
 * @sleeping: set to 1 by who is going to wait for the eventfd, who then looks again
 *	(both in order: a full barrier between them) and waits if there is nothing; the
 *	kernel takes it back when it adds 1 to the eventfd
 * @armed: not 0: what READY is to tell when something comes, or the end; the kernel
 *	takes it back then
 * @__reserved: nobody's
 *
 * A word is the lower bits of how many deliveries there were before, and
 * ZCBUF_SLOT_*. Who writes anything else here loses deliveries of his own.
 */
struct zcbuf_queue_state {
	__u32 sleeping;
	__u32 armed;
	__u32 __reserved[14];
};

/**
 * struct zcbuf_ready - be told which of many mapped queues have something
 * @size: sizeof(struct zcbuf_ready)
 * @flags: 0
 * @out_fd: a descriptor, close-on-exec, the caller's; it can only be mapped
 * @__reserved: 0
 * @out_bytes: of what is mapped at offset 0, for reading: struct zcbuf_ready_head and
 *	the ring it points to
 * @out_state_bytes: of what is mapped at offset out_bytes, for reading and writing:
 *	struct zcbuf_ready_state
 *
 * All queues that this session has mapped tell in one ring, which can be read without
 * a call, and one eventfd (EVENTFD of channel 0, ADAPTIVE) wakes who sleeps. The
 * mappings are as those of QUEUE; so is who pays, at the first call.
 *
 * EMFILE, ENFILE: no descriptor, no file. ENOMEM. Since 0.1.
 */
struct zcbuf_ready {
	__u32 size;
	__u32 flags;
	__s32 out_fd;
	__u32 __reserved;
	__aligned_u64 out_bytes;
	__aligned_u64 out_state_bytes;
};

#define ZCBUF_READY_MAGIC	0x7a627264
#define ZCBUF_READY_VERSION	1

/**
 * struct zcbuf_ready_head - what the kernel says of a session's queues; read only
 * @magic: ZCBUF_READY_MAGIC
 * @version: ZCBUF_READY_VERSION; who does not know it uses RECEIVE of channel 0
 * @ring: entries of the ring, a power of two, as many as a session can have queues
 * @__reserved: 0
 * @ring_offset: of __u32[@ring], from here, bytes
 * @tail: how many words were put into it so far
 *
 * Who has found a queue empty, which has not ended, stores a word of his choice, not
 * 0, to armed of its struct zcbuf_queue_state and looks at it again (both in order: a
 * full barrier between them). The next that comes into it takes the word away and puts
 * it into the ring; so does its end. Who reads the ring loads tail (acquire) and, while
 * his own count is behind it, the word at that count modulo @ring: the queue that he
 * meant by it has something, and is not armed. A queue that was never armed tells
 * nothing. If he falls behind by more than @ring, as can be if he closes ports that
 * had told, and opens others, he looks at all.
 */
struct zcbuf_ready_head {
	__u32 magic;
	__u32 version;
	__u32 ring;
	__u32 __reserved;
	__aligned_u64 ring_offset;
	__aligned_u64 tail;
};

/**
 * struct zcbuf_ready_state - what both write
 * @sleeping: as of struct zcbuf_queue_state, of the eventfd of channel 0: who is going
 *	to wait sets it to 1 and then looks at the ring's tail again
 * @__reserved: nobody's
 */
struct zcbuf_ready_state {
	__u32 sleeping;
	__u32 __reserved[15];
};

#define ZCBUF_SLOT_READY	1U	/* to be taken */
#define ZCBUF_SLOT_TAKEN	2U
#define ZCBUF_SLOT_DROPPED	3U	/* by the kernel: taken back */
#define ZCBUF_SLOT_BITS	17	/* of a handle: its slot */

/* zcbuf_slot() - the slot of a delivery by its handle */
static __inline__ __u32 zcbuf_slot(__u64 handle)
{
	return handle & ((1U << ZCBUF_SLOT_BITS) - 1);
}

/* zcbuf_slot_word() - where the word of a delivery is */
static __inline__ __u32 *zcbuf_slot_word(struct zcbuf_queue_state *state,
					 __u64 handle)
{
	return (__u32 *)(state + 1) + zcbuf_slot(handle);
}

/* zcbuf_slot_ready() - the word of a delivery that can be taken */
static __inline__ __u32 zcbuf_slot_ready(__u64 handle)
{
	return (__u32)(handle >> ZCBUF_SLOT_BITS) << 2 | ZCBUF_SLOT_READY;
}

/* zcbuf_slot_taken() - the same, when it was taken */
static __inline__ __u32 zcbuf_slot_taken(__u64 handle)
{
	return (__u32)(handle >> ZCBUF_SLOT_BITS) << 2 | ZCBUF_SLOT_TAKEN;
}

#define ZCBUF_WATCH_FINALIZED	(1U << 0)	/* nothing more comes */

/**
 * struct zcbuf_watch_entry - a channel that has a name
 * @channel: its handle
 * @flags: ZCBUF_CHANNEL_F_* it was made with
 * @state: ZCBUF_WATCH_*
 * @producers: sessions that produce
 * @consumers: sessions that consume
 * @name: what follows the lengths is 0
 */
struct zcbuf_watch_entry {
	__aligned_u64 channel;
	__u32 flags;
	__u32 state;
	__u32 producers;
	__u32 consumers;
	struct zcbuf_channel_name name;
};

/**
 * struct zcbuf_watch - see which channels there are, when that changes
 * @size: sizeof(struct zcbuf_watch)
 * @flags: 0
 * @since: what the caller knows: an out_generation, or 0: nothing
 * @deadline_ns: how long to wait for a change
 * @entries: pointer to @count times @entry_size bytes, for all of them
 * @count: at most out_max_channels of QUERY; may be 0
 * @entry_size: sizeof(struct zcbuf_watch_entry)
 * @out_generation: what is known now: since, of the next call
 * @out_count: how many there are
 * @__reserved: 0
 *
 * Waits until the pool's channels that have a name are not any more as @since says:
 * one came, went or was finalized, or a port of one was opened or closed, by its
 * owner or because he died. What is sent changes nothing. Then lists all of them. Nobody
 * is remembered, so nothing is missed, whenever the next call comes: what changes
 * while they are listed is a reason not to wait then. What changed and was changed
 * back in between is not seen.
 *
 * EINVAL: more entries than that; an entry_size of less than the struct as it was first
 * released, or above 4096. EMSGSIZE: @out_count of them there are; what @entries has
 * is of no use, and nothing counts as told. EAGAIN, ETIMEDOUT, EINTR: no change.
 * Since 0.1.
 */
struct zcbuf_watch {
	__u32 size;
	__u32 flags;
	__aligned_u64 since;
	__aligned_u64 deadline_ns;
	__aligned_u64 entries;
	__u32 count;
	__u32 entry_size;
	__aligned_u64 out_generation;
	__u32 out_count;
	__u32 __reserved;
};

/*
 * poll() on a session: EPOLLIN something can be received (or, once it has asked for
 * that of any channel, the end of a stream is to be told), EPOLLOUT a RESERVE of
 * max_reservation would not say EAGAIN (or would have the pool grow, which may fail;
 * of a TOPIC: a PUBLISH would not), so for none of ZCBUF_WHY_*, EPOLLHUP every stream
 * it receives from has ended and is drained (and told), EPOLLERR it is attached to
 * nothing (attach before adding it to an epoll set), EPOLLHUP and EPOLLERR it was
 * evicted, EPOLLPRI something has changed since this session's last WATCH. Over
 * several channels: IN and OUT if it is so for any, HUP if for all. Of many ports only
 * those that have something are looked at, if it has asked for any, has no RECV_FAILED
 * port, and OUT is not wanted.
 *
 * To sleep by io_uring, ask for IORING_OP_POLL_ADD of the session, or of the eventfd of
 * a queue or of READY, with IORING_POLL_ADD_MULTI to be told each time:
 *
 *	io_uring_prep_poll_multishot(sqe, fd, POLLIN);
 *
 * A completion with POLLIN means that something has come since: read the eventfd, if
 * it is one, and take until there is nothing (EAGAIN), of an adaptive one set sleeping
 * again and look once more. Without IORING_CQE_F_MORE it was the last: ask again. Such
 * a poll keeps the session open, close() or not, until it or its ring ends.
 */

/* -------------------------------------------------------------- heartbeats */

#define ZCBUF_HEARTBEAT_NONE	0	/* not watched */
#define ZCBUF_HEARTBEAT_REPORT	1	/* one that stops is reported */
#define ZCBUF_HEARTBEAT_EVICT	2	/* and the session treated as dead */

/**
 * struct zcbuf_heartbeat - have the kernel see whether this session's process hangs
 * @size: sizeof(struct zcbuf_heartbeat)
 * @flags: 0
 * @period_ns: between two looks, 1 ms to 1 hour; NONE: 0
 * @misses: so many looks in a row without a change and it is hung, 1 to 1000; NONE: 0
 * @policy: ZCBUF_HEARTBEAT_*
 * @out_fd: a descriptor of the word, close-on-exec, the caller's; it can only be
 *	mapped. NONE: -1
 * @__reserved: 0
 * @out_bytes: of what is mapped at offset 0, for reading and writing: struct
 *	zcbuf_heartbeat_page. NONE: 0
 *
 * Who lives changes the word at least once in @period_ns, by a plain store; that is
 * all. The kernel looks a little later than asked rather than sooner; one that stops
 * is found after @misses to @misses + 1 periods. Time is CLOCK_MONOTONIC: suspend does
 * not count, and if the whole machine stood still that is one miss at most. A process
 * that is stopped (SIGSTOP, a debugger, a frozen cgroup) hangs as any other.
 *
 * A call that comes again replaces period, misses and policy, as if the word had just
 * changed, and gives another descriptor of the same page, which is the session's from
 * the first call on, and charged to its user. Mappings stay until munmap; fork() does
 * not pass them on.
 *
 * REPORT: it is counted, seen in inspection, an event and a tracepoint; when the word
 * changes again it is not hung any more.
 *
 * EVICT: as if the last descriptor of the session had been closed, at that moment, or
 * when the last of its calls that is running returns, and not before; those that wait
 * do at once. What it holds is given back, what it had pending fails, and I/O of it
 * that is running is regarded in the same way. Before that its mappings of the pool are
 * taken away, those that others got from it by fork() as well: touching them is SIGBUS,
 * and nothing it stores late is seen by anybody. But a process that still lives and has
 * registered arenas with io_uring can go on with I/O into all that its ring covers.
 * What the session had of that stays in quarantine as long as the pins show, see
 * struct zcbuf_pin_token.
 *
 * The descriptor stays: each call, and mmap(), answers ESTALE, poll() EPOLLHUP and
 * EPOLLERR; close() works. Its name is in the list of sessions until then, and the pool
 * as long as that and its mappings; it counts for out_max_sessions of QUERY. Other
 * sessions of the same process are others.
 *
 * EINVAL: out of bounds. EOPNOTSUPP: no such policy. EMFILE, ENFILE: no descriptor, no
 * file. ENOMEM. Since 0.1.
 */
struct zcbuf_heartbeat {
	__u32 size;
	__u32 flags;
	__aligned_u64 period_ns;
	__u32 misses;
	__u32 policy;
	__s32 out_fd;
	__u32 __reserved;
	__aligned_u64 out_bytes;
};

/**
 * struct zcbuf_heartbeat_page - what a session shows of its life
 * @beats: to be changed; what it is does not matter
 * @__reserved: nobody's
 */
struct zcbuf_heartbeat_page {
	__aligned_u64 beats;
	__aligned_u64 __reserved[7];
};

/* ----------------------------------------------------------- control page */

#define ZCBUF_MMAP_CONTROL	((__u64)1 << 43) /* an offset for mmap() */

/**
 * struct zcbuf_control - what the kernel tells all sessions of a pool
 * @pressure: another number whenever somebody has found no memory in the pool, also
 *	when he waits for it or gets it in the end; or has asked to have an arena
 *	retired
 * @__reserved: 0
 *
 * For who keeps free buffers of the pool for himself: when @pressure is not what it
 * was, he should FREE them. Nobody is woken; to look costs a load. Who has found
 * none may have been the reader's own session.
 *
 * mmap() of a session at ZCBUF_MMAP_CONTROL maps it: MAP_SHARED, one page, only for
 * reading, whatever the session's rights. It is one page for all, which is charged to
 * the pool's user when the first of them maps it. The mapping keeps only the page: when
 * the pool is gone, or the session evicted, it stays readable and says no more. No
 * child inherits it.
 *
 * mmap(): EINVAL: the session is attached to nothing, more than a page, or private.
 * EPERM: for writing or executing. ESTALE, ENOMEM also of a limit. Since 0.1.
 */
struct zcbuf_control {
	__aligned_u64 pressure;
	__aligned_u64 __reserved[7];
};

/* --------------------------------------------------------------- io_uring */

#define ZCBUF_URING_F_ALL_OR_ERROR	(1U << 0) /* a part is an error */

/**
 * struct zcbuf_uring_cmd - a call by IORING_OP_URING_CMD
 * @arg: pointer to the argument of the call, as for ioctl()
 * @flags: ZCBUF_URING_F_*
 * @__reserved: 0
 *
 * In the SQE, fd is the session (or its index, with IOSQE_FIXED_FILE), cmd_op
 * the call, ZCBUF_IOC_*, and cmd begins with this struct, in rings with and
 * without IORING_SETUP_SQE128. ALLOC, FREE, BUF_INFO, TRANSFER, SHARE, PUBLISH,
 * RESERVE, COMMIT, ABORT, RECEIVE and RELEASE are commands. They do what the ioctl does, with the
 * same errors, for the session: whose ring it is, and who submits, makes no
 * difference. The argument and all it points to must stay until the completion.
 *
 * The result is out_done, at least 1, or a negative errno. With ALL_OR_ERROR it
 * is -out_error if fewer than all entries were done: what was done stays done,
 * out_done of the argument tells, and what is linked to the command is cancelled.
 *
 * A command never waits: deadline_ns is 0, and the result EAGAIN (ALLOC: ENOMEM)
 * says that poll() should be asked first. It is done before the submission
 * returns, unless it needs a lock that is held, memory that takes long to zero,
 * or an arena more, has more than 64 entries (RESERVE: 1), or is TRANSFER, SHARE,
 * PUBLISH or RELEASE of several channels: a worker of io_uring does it then, meanwhile
 * other commands may overtake it. Link those that have to be in order.
 *
 * Linux before 6.14 reads the SQE of a command that waits for the one before it
 * (IOSQE_IO_LINK, IOSQE_IO_DRAIN) when its turn comes: do not let the ring come
 * round to it before that, or set IOSQE_ASYNC. ECANCELED, and nothing was done: it
 * was another's by then.
 *
 * EOPNOTSUPP: the call is no command; a deadline; an unknown flag, also in
 * uring_cmd_flags; a ring with IORING_SETUP_IOPOLL. Since 0.1.
 */
struct zcbuf_uring_cmd {
	__aligned_u64 arg;
	__u32 flags;
	__u32 __reserved;
};

/* ---------------------------------------------------------------- netlink */

/*
 * Generic netlink family "zcbuf", initial network namespace only. Four dumps;
 * each message is one object. The requester sees pools it could attach to, and
 * their sessions, channels and arenas; with CAP_SYS_ADMIN, all. uapi/zcbuf.yaml
 * is the specification.
 *
 * Events are messages to the multicast group "events", whatever pool they are of.
 * Joining it takes CAP_SYS_ADMIN: EPERM. Process ids are those of the initial pid
 * namespace. An event that finds no memory, or no room in the socket, is lost:
 * recv() says ENOBUFS once, and what there is now can be had by dumps.
 */
#define ZCBUF_GENL_NAME		"zcbuf"
#define ZCBUF_GENL_VERSION	1
#define ZCBUF_GENL_GROUP_EVENTS	"events"

enum zcbuf_genl_cmd {
	ZCBUF_CMD_UNSPEC,
	ZCBUF_CMD_POOL_GET,		/* dump; ZCBUF_A_POOL_* */
	ZCBUF_CMD_SESSION_GET,		/* dump; ZCBUF_A_SESSION_* */
	ZCBUF_CMD_CHANNEL_GET,		/* dump; ZCBUF_A_CHANNEL_* */
	ZCBUF_CMD_ARENA_GET,		/* dump; ZCBUF_A_ARENA_* */
	ZCBUF_CMD_EVENT,		/* to the group; ZCBUF_A_EVENT_* */
	__ZCBUF_CMD_MAX
};

#define ZCBUF_CMD_MAX	(__ZCBUF_CMD_MAX - 1)

enum zcbuf_genl_pool {
	ZCBUF_A_POOL_UNSPEC,
	ZCBUF_A_POOL_PAD,
	ZCBUF_A_POOL_HANDLE,		/* u64 */
	ZCBUF_A_POOL_NAME,		/* string, absent without, or if removed */
	ZCBUF_A_POOL_KIND,		/* u32, ZCBUF_POOL_* */
	ZCBUF_A_POOL_FLAGS,		/* u32, ZCBUF_POOL_F_* */
	ZCBUF_A_POOL_UID,		/* u32 */
	ZCBUF_A_POOL_GID,		/* u32 */
	ZCBUF_A_POOL_MODE,		/* u32 */
	ZCBUF_A_POOL_SIZE,		/* u64, bytes */
	ZCBUF_A_POOL_USED,		/* u64, bytes */
	ZCBUF_A_POOL_MIN_FREE,		/* u64, bytes */
	ZCBUF_A_POOL_LARGEST_FREE,	/* u64, bytes */
	ZCBUF_A_POOL_ARENA_SIZE,	/* u64, bytes */
	ZCBUF_A_POOL_ARENAS,		/* u32 */
	ZCBUF_A_POOL_PAGE_ORDER,	/* u32 */
	ZCBUF_A_POOL_SESSIONS,		/* u32 */
	ZCBUF_A_POOL_CHANNELS,		/* u32 */
	ZCBUF_A_POOL_MAPPINGS,		/* u32 */
	ZCBUF_A_POOL_BAD_FREES,		/* u64 */
	ZCBUF_A_POOL_ZOMBIE,		/* flag: only pinned pages are left */
	ZCBUF_A_POOL_ORDER_FREE,	/* binary, u32[]: free blocks of 4096 << i */
	ZCBUF_A_POOL_CLASS,		/* nest, repeated; ZCBUF_A_CLASS_* */
	ZCBUF_A_POOL_MAX_SIZE,		/* u64, bytes it may grow to */
	ZCBUF_A_POOL_MAX_USED,		/* u64, bytes, the most there ever were */
	ZCBUF_A_POOL_TOKENS,		/* u32, pin tokens */
	ZCBUF_A_POOL_QUARANTINE_SESSIONS, /* u32, dead, with something pinned */
	ZCBUF_A_POOL_QUARANTINE_BYTES,	/* u64, bytes of what they had */
	ZCBUF_A_POOL_QUARANTINE_AGE_NS,	/* u64, since the first of them died */
	ZCBUF_A_POOL_EXPORTED,		/* u64, bytes, in dma-bufs */
	__ZCBUF_A_POOL_MAX
};

#define ZCBUF_A_POOL_MAX	(__ZCBUF_A_POOL_MAX - 1)

enum zcbuf_genl_class {
	ZCBUF_A_CLASS_UNSPEC,
	ZCBUF_A_CLASS_LENGTH,		/* u32, bytes of an object */
	ZCBUF_A_CLASS_USED,		/* u32, objects handed out */
	ZCBUF_A_CLASS_TOTAL,		/* u32, objects; TIERS: in leased pages */
	ZCBUF_A_CLASS_MIN_FREE,		/* u32, FIXED: least that was ever free */
	ZCBUF_A_CLASS_WASTE,		/* u64, TIERS: leased bytes in no object */
	ZCBUF_A_CLASS_PAD,
	__ZCBUF_A_CLASS_MAX
};

#define ZCBUF_A_CLASS_MAX	(__ZCBUF_A_CLASS_MAX - 1)

enum zcbuf_genl_session {
	ZCBUF_A_SESSION_UNSPEC,
	ZCBUF_A_SESSION_PAD,
	ZCBUF_A_SESSION_ID,		/* u64 */
	ZCBUF_A_SESSION_POOL,		/* u64, pool handle */
	ZCBUF_A_SESSION_PID,		/* u32, opener, in the reader's ns, or 0 */
	ZCBUF_A_SESSION_COMM,		/* string, opener's name */
	ZCBUF_A_SESSION_UID,		/* u32 */
	ZCBUF_A_SESSION_RIGHTS,		/* u32, ZCBUF_RIGHT_* */
	ZCBUF_A_SESSION_AGE_NS,		/* u64 */
	ZCBUF_A_SESSION_BUFFERS,	/* u64, buffers it has, also shared */
	ZCBUF_A_SESSION_BYTES,		/* u64, bytes of them */
	ZCBUF_A_SESSION_PENDING,	/* u64, pending reservations */
	ZCBUF_A_SESSION_PENDING_BYTES,	/* u64 */
	ZCBUF_A_SESSION_HELD,		/* u64, deliveries not released */
	ZCBUF_A_SESSION_HELD_BYTES,	/* u64 */
	ZCBUF_A_SESSION_PORTS,		/* u32 */
	ZCBUF_A_SESSION_HEARTBEAT_AGE_NS, /* u64, since it was seen; or none */
	ZCBUF_A_SESSION_HEARTBEAT_STOPS, /* u64, how often it stopped; with it */
	ZCBUF_A_SESSION_HUNG,		/* flag: it has stopped */
	ZCBUF_A_SESSION_EVICTED,	/* flag: it is treated as dead */
	__ZCBUF_A_SESSION_MAX
};

#define ZCBUF_A_SESSION_MAX	(__ZCBUF_A_SESSION_MAX - 1)

enum zcbuf_genl_channel {
	ZCBUF_A_CHANNEL_UNSPEC,
	ZCBUF_A_CHANNEL_PAD,
	ZCBUF_A_CHANNEL_HANDLE,		/* u64 */
	ZCBUF_A_CHANNEL_POOL,		/* u64, pool handle */
	ZCBUF_A_CHANNEL_FLAGS,		/* u32, ZCBUF_CHANNEL_F_* */
	ZCBUF_A_CHANNEL_THRESHOLD,	/* u64, bytes */
	ZCBUF_A_CHANNEL_BLOCK,		/* u64, bytes of a group's block */
	ZCBUF_A_CHANNEL_PRODUCERS,	/* u32 */
	ZCBUF_A_CHANNEL_CONSUMERS,	/* u32 */
	ZCBUF_A_CHANNEL_FAILED_PORTS,	/* u32 */
	ZCBUF_A_CHANNEL_RESERVATIONS,	/* u64, made so far */
	ZCBUF_A_CHANNEL_GROUPS,		/* u64, opened so far */
	ZCBUF_A_CHANNEL_OFFSET,		/* u64, stream bytes so far */
	ZCBUF_A_CHANNEL_OUTSTANDING,	/* u32, credits taken */
	ZCBUF_A_CHANNEL_MAX_OUTSTANDING, /* u32 */
	ZCBUF_A_CHANNEL_PENDING,	/* u32, reservations undecided */
	ZCBUF_A_CHANNEL_QUEUED,		/* u32, groups on consumer queues */
	ZCBUF_A_CHANNEL_PARKED,		/* u32, complete, no queue has room */
	ZCBUF_A_CHANNEL_FAILED,		/* u32, on the failure queue or held */
	ZCBUF_A_CHANNEL_DELIVERED,	/* u32, received and not released */
	ZCBUF_A_CHANNEL_STRAGGLERS,	/* u32, failed, owner to acknowledge */
	ZCBUF_A_CHANNEL_BYTES,		/* u64, of group blocks */
	ZCBUF_A_CHANNEL_FINALIZED,	/* flag */
	ZCBUF_A_CHANNEL_DOMAIN,		/* string; with the next three, or none */
	ZCBUF_A_CHANNEL_SERVICE,	/* string */
	ZCBUF_A_CHANNEL_INSTANCE,	/* string */
	ZCBUF_A_CHANNEL_EVENT,		/* string */
	ZCBUF_A_CHANNEL_HISTORY,	/* u32, groups it keeps for who comes later */
	ZCBUF_A_CHANNEL_KEPT,		/* u32, groups kept so */
	ZCBUF_A_CHANNEL_LOST,		/* u64, deliveries dropped by consumers */
	ZCBUF_A_CHANNEL_FREEZING,	/* u32, complete, may still be written to */
	__ZCBUF_A_CHANNEL_MAX
};

#define ZCBUF_A_CHANNEL_MAX	(__ZCBUF_A_CHANNEL_MAX - 1)

/* Those of a pool come one after the other, from 0 on, without what is gone. */
enum zcbuf_genl_arena {
	ZCBUF_A_ARENA_UNSPEC,
	ZCBUF_A_ARENA_PAD,
	ZCBUF_A_ARENA_POOL,		/* u64, pool handle */
	ZCBUF_A_ARENA_INDEX,		/* u32, number in the pool, from 0 */
	ZCBUF_A_ARENA_OFFSET,		/* u64, pool offset */
	ZCBUF_A_ARENA_SIZE,		/* u64, bytes */
	ZCBUF_A_ARENA_USED,		/* u64, bytes handed out */
	ZCBUF_A_ARENA_LARGEST_FREE,	/* u64, bytes; FIXED: object */
	ZCBUF_A_ARENA_PAGE_ORDER,	/* u32, 0, or that of its huge pages */
	ZCBUF_A_ARENA_NODE,		/* u32, NUMA node of its first page */
	ZCBUF_A_ARENA_STATE,		/* u32, ZCBUF_ARENA_* */
	__ZCBUF_A_ARENA_MAX
};

#define ZCBUF_A_ARENA_MAX	(__ZCBUF_A_ARENA_MAX - 1)

/* Which of them there are depends on KIND. */
enum zcbuf_genl_event {
	ZCBUF_A_EVENT_UNSPEC,
	ZCBUF_A_EVENT_PAD,
	ZCBUF_A_EVENT_KIND,		/* u32, ZCBUF_EVENT_* */
	ZCBUF_A_EVENT_TIME_NS,		/* u64, CLOCK_MONOTONIC */
	ZCBUF_A_EVENT_LOST,		/* u64, events that found no memory */
	ZCBUF_A_EVENT_POOL,		/* u64, handle */
	ZCBUF_A_EVENT_NAME,		/* string, of the pool, if it has one */
	ZCBUF_A_EVENT_ARENA,		/* u32, number in the pool */
	ZCBUF_A_EVENT_CHANNEL,		/* u64, handle */
	ZCBUF_A_EVENT_FLAGS,		/* u32, ZCBUF_CHANNEL_F_* */
	ZCBUF_A_EVENT_DOMAIN,		/* string; with the next three, or none */
	ZCBUF_A_EVENT_SERVICE,		/* string */
	ZCBUF_A_EVENT_INSTANCE,		/* string */
	ZCBUF_A_EVENT_EVENT,		/* string */
	ZCBUF_A_EVENT_ROLE,		/* u32, ZCBUF_PORT_* of the ports */
	ZCBUF_A_EVENT_SESSION,		/* u64, id */
	ZCBUF_A_EVENT_PID,		/* u32, its opener, or 0 */
	ZCBUF_A_EVENT_COMM,		/* string, opener's name */
	ZCBUF_A_EVENT_BUFFERS,		/* u64, it had */
	ZCBUF_A_EVENT_BYTES,		/* u64, it had; of the pool or arena */
	ZCBUF_A_EVENT_FAILED,		/* u64, reservations that fail now */
	ZCBUF_A_EVENT_RELEASED,		/* u64, deliveries it had not released */
	ZCBUF_A_EVENT_AGE_NS,		/* u64, how long it was so */
	__ZCBUF_A_EVENT_MAX
};

#define ZCBUF_A_EVENT_MAX	(__ZCBUF_A_EVENT_MAX - 1)

/* What an event says has happened. */
#define ZCBUF_EVENT_POOL_CREATED	0
#define ZCBUF_EVENT_POOL_REMOVED	1	/* it persists no more */
#define ZCBUF_EVENT_POOL_GONE		2	/* its memory is the machine's */
#define ZCBUF_EVENT_ARENA_ADDED		3	/* behind the first */
#define ZCBUF_EVENT_ARENA_GONE		4	/* it was retired */
#define ZCBUF_EVENT_CHANNEL_APPEARED	5
#define ZCBUF_EVENT_CHANNEL_GONE	6
#define ZCBUF_EVENT_PORT_OPENED		7
#define ZCBUF_EVENT_PORT_CLOSED		8
#define ZCBUF_EVENT_SESSION_GONE	9	/* what it had is taken back */
#define ZCBUF_EVENT_QUARANTINED		10	/* but I/O may still use some */
#define ZCBUF_EVENT_QUARANTINE_OVER	11
#define ZCBUF_EVENT_SESSION_HUNG	12	/* its heartbeat has stopped */
#define ZCBUF_EVENT_SESSION_EVICTED	13	/* and so it will be gone */

#endif /* _UAPI_LINUX_ZCBUF_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * libzcbuf-user: pool memory as fixed buffers of io_uring, and calls as its
 * commands. A part of <zcbuf/zcbuf.h>, which includes it and says what holds for
 * all functions.
 */
#ifndef ZCBUF_URING_H
#define ZCBUF_URING_H

#include <zcbuf/zcbuf.h>

#ifdef __cplusplus
extern "C" {
#endif

struct io_uring;
struct io_uring_cqe;
struct io_uring_sqe;
struct zcbuf_bufring;	/* opaque: buffers a ring receives into */

/* ------------------------------------------------------------- registrars */

/*
 * struct zcbuf_registrar - who keeps a table of fixed buffers
 * @sz: sizeof(struct zcbuf_registrar)
 * @register_table: make a table of @nslots empty slots. -EBUSY: there is one.
 * @update_slot: let @slot be the @length bytes at @base, or empty if @base is
 *	NULL. -EINVAL: no such slot. -ENXIO: no table.
 * @unregister_table: drop the table with all that is in it
 * @clone_table: make a table of what is in that of the ctx @from. -EBUSY: there
 *	is one. -ENXIO: there, there is none. NULL: cannot be done.
 * @register_files: make a table of @nslots fixed files, empty. -EBUSY: there is
 *	one. NULL, and the two below: there are none, nor pin tokens.
 * @update_file: let @slot be the file of @fd, or empty if it is -1. Errors: as
 *	@update_slot. The descriptor is closed afterwards.
 * @unregister_files: drop that table
 *
 * Everything the library does to a ring's tables goes through these, so that they
 * can be counted, be done by somebody else who owns the ring, or fail in a
 * test. @ctx is what came with them, see struct zcbuf_uring_opts. They return 0
 * or a negative errno, having changed nothing, and call nothing of the library,
 * which may hold its lock.
 */
struct zcbuf_registrar {
	size_t sz;
	int (*register_table)(void *ctx, unsigned int nslots);
	int (*update_slot)(void *ctx, unsigned int slot, void *base,
			   size_t length);
	int (*unregister_table)(void *ctx);
	int (*clone_table)(void *ctx, void *from);
	int (*register_files)(void *ctx, unsigned int nslots);
	int (*update_file)(void *ctx, unsigned int slot, int fd);
	int (*unregister_files)(void *ctx);
};

/*
 * zcbuf_registrar_io_uring() - the one that is used where no other is named:
 * io_uring itself. Its @ctx is a struct io_uring. Never fails.
 */
ZCBUF_API const struct zcbuf_registrar *zcbuf_registrar_io_uring(void);

/* ---------------------------------------------------------- registrations */

/*
 * struct zcbuf_uring - a pool registered with a ring; zcbuf_uring_* only
 *
 * The helpers below work whatever became of the registration: without it they
 * prepare plain operations.
 */
struct zcbuf_uring {
	const struct zcbuf_registrar *registrar;
	void *ctx;
	const struct zcbuf_pool *pool;
	unsigned char *base;
	size_t size;
	size_t arena_size;
	size_t fixed_max;
	unsigned int first_slot;
	unsigned int nslots;
	int owns_table;
	int token;
	unsigned int token_slot;
	unsigned int token_arenas;
	__u64 filled;
};

#define ZCBUF_URING_SHARE_TABLE	(1U << 0) /* the ring has one, for all */
#define ZCBUF_URING_TOKEN_SLOT	(1U << 1) /* the ring has a table of files */
#define ZCBUF_URING_NO_TOKEN	(1U << 2) /* none is wanted */

/* zcbuf_uring_opts.fixed_max: whatever the kernel */
#define ZCBUF_URING_FIXED_ALWAYS	((size_t)-1)

/*
 * struct zcbuf_uring_opts - how to register
 * @sz: sizeof(struct zcbuf_uring_opts)
 * @registrar: who keeps the table; NULL: io_uring. It outlives the registration.
 * @ctx: for its functions; with io_uring the ring is it and this is not used
 * @flags: ZCBUF_URING_*
 * @first_slot: with SHARE_TABLE, the first of zcbuf_uring_slots() slots of that
 *	table that are free; those of arenas to come must stay so. Else 0.
 * @fixed_max: operations of more bytes than this are plain, although they could
 *	be fixed; 0: as is best on this kernel. That is no limit since Linux
 *	6.12, which keeps huge pages in one piece. Before, a fixed buffer is a
 *	list of its pages of 4 KiB, and by pointer is faster for long operations:
 *	the limit is 64 KiB.
 * @token_slot: with TOKEN_SLOT, where in that table the pin token goes. Else 0.
 * @__reserved: 0
 */
struct zcbuf_uring_opts {
	size_t sz;
	const struct zcbuf_registrar *registrar;
	void *ctx;
	__u32 flags;
	__u32 first_slot;
	size_t fixed_max;
	__u32 token_slot;
	__u32 __reserved;
};

/*
 * zcbuf_uring_slots() - fixed-buffer slots a pool takes: one for each arena it
 * can ever have, as those that are retired leave their places behind; which is split
 * where it is larger than 1 GiB, the most a slot can hold
 */
ZCBUF_API int zcbuf_uring_slots(const struct zcbuf_pool *pool);

/*
 * zcbuf_uring_register_opts() - make a pool's memory fixed buffers
 * @uring: written, also on failure: usable with plain operations
 * @ring: it and @pool outlive @uring's use; NULL with a registrar of one's own
 * @opts: NULL: a table of its own, by io_uring
 *
 * The table has zcbuf_uring_slots(); those of arenas to come stay empty, see
 * zcbuf_uring_update(). With SHARE_TABLE several pools, and the caller's own
 * buffers, live on one ring: the caller has made the table, with
 * io_uring_register_buffers_sparse() or so, and says who has which slots.
 *
 * A ring lives on after its process for as long as it has something in flight. By
 * a pin token, a file the ring keeps among its fixed files, the kernel's side
 * knows of the ring, and hands the memory of a process that died to nobody before
 * it is over: see struct zcbuf_pin_token. For it the ring gets a table of fixed
 * files, of one slot, which is @uring's until it is unregistered, so that
 * io_uring_register_files() answers -EBUSY meanwhile. A program that uses fixed
 * files registers its own table first, with a slot left for each pool, and names
 * that with TOKEN_SLOT. What is in the slot is replaced; the program leaves the
 * token alone until the pool is unregistered, and its table in place. With
 * NO_TOKEN there is none: whatever dies beside this ring in the pool is kept from
 * use for as long as the ring lives, if it has the memory registered.
 *
 * -EBUSY: the ring has a table, and SHARE_TABLE was not said, or one of files,
 * and TOKEN_SLOT was not. -ENXIO: it was, and there is none. -EINVAL: slots beyond
 * the table, or @opts. -ENOMEM: above RLIMIT_MEMLOCK. -EMFILE, -ENFILE: no
 * descriptor or file for the token. -EFAULT: the pool is attached read-only, such
 * memory cannot be registered. -EOPNOTSUPP, -EINVAL: this kernel cannot. Nothing
 * stays registered then.
 */
ZCBUF_API int zcbuf_uring_register_opts(struct zcbuf_uring *uring,
					struct io_uring *ring,
					const struct zcbuf_pool *pool,
					const struct zcbuf_uring_opts *opts);

/* zcbuf_uring_register() - the same, with tables of its own */
ZCBUF_API int zcbuf_uring_register(struct zcbuf_uring *uring,
				   struct io_uring *ring,
				   const struct zcbuf_pool *pool);

/*
 * zcbuf_uring_register_at() - the same, in tables the caller has made
 * @first_slot: the first slot in the table of buffers, and the one in that of
 *	files, which io_uring_register_files_sparse() makes
 */
ZCBUF_API int zcbuf_uring_register_at(struct zcbuf_uring *uring,
				      struct io_uring *ring,
				      const struct zcbuf_pool *pool,
				      unsigned int first_slot);

/*
 * zcbuf_uring_update() - register the arenas that came since, and let those go that
 * are to go
 *
 * What is registered keeps its slots; slots are in the order of the arenas.
 * Until then, operations on memory of a new arena are plain ones. The slots of an
 * arena that zcbuf_pool_retire() retires are emptied, and it is not gone before every
 * ring has done that: call this when others may have retired one as well.
 *
 * Return: slots filled, 0 if there is nothing new, or nothing registered at all.
 * Errors: as zcbuf_uring_register_opts(), and those of mapping; what was
 * registered before still is, and nothing more, unless it was another token that
 * could not be had: then the new arenas are registered, and the next call asks for
 * it again. -EBADF: in a fork child.
 */
ZCBUF_API int zcbuf_uring_update(struct zcbuf_uring *uring);

/*
 * zcbuf_uring_clone() - what one ring has registered, on another one as well
 * @clones: written, @n of them, each as by zcbuf_uring_register_opts()
 * @ring: the other one; of the same process and without a table
 * @from: @n registrations, all of one ring and registrar
 * @opts: NULL, or with the other ring's ctx, if the registrar is one's own, its
 *	fixed_max, and where the pin tokens of @n pools go: from token_slot on, or
 *	nowhere. The rest is 0.
 *
 * The table comes over as a whole, buffers that are not of @from as well, and at
 * once: no page is pinned, nothing charged again. From then on the two are apart:
 * each ring is updated and unregistered on its own, and memory is held until the
 * last one lets go. The tokens of clones account for no pins, those are of @from:
 * let that ring live as long, or who dies beside its clones is kept in quarantine.
 * Without TOKEN_SLOT the table of files made for the tokens
 * goes with the clone; that of several clones stays, empty.
 *
 * -EINVAL: @n is 0, something of @from is not registered or on another ring, or
 * the rings are not of one process and user. -EBUSY: @ring has a table. -ENXIO:
 * that of @from is gone. -EOPNOTSUPP: this kernel (before 6.12) or the registrar
 * cannot: register the pools with @ring. Nothing is registered then.
 */
ZCBUF_API int zcbuf_uring_clone(struct zcbuf_uring *clones,
				struct io_uring *ring,
				const struct zcbuf_uring *from, unsigned int n,
				const struct zcbuf_uring_opts *opts);

/*
 * zcbuf_uring_unregister() - take the pool off the ring again
 *
 * The table goes, if it is @uring's own, else the slots are empty afterwards:
 * what others have in it stays. So does the token, last. Operations in flight keep
 * their memory. Not registered: 0. Otherwise the first error there was, and @uring
 * is registered no more; what could not be emptied stays with the ring, and then
 * the token does. -EBADF: in a fork child; the parent's registration stays.
 */
ZCBUF_API int zcbuf_uring_unregister(struct zcbuf_uring *uring);

/*
 * struct zcbuf_slot - where bytes are in a ring's table
 * @index: the slot
 * @__reserved: 0
 * @offset: of the first byte, from the start of that slot's memory
 */
struct zcbuf_slot {
	__u32 index;
	__u32 __reserved;
	__u64 offset;
};

/*
 * zcbuf_uring_slot() - where @length bytes are registered, if they are
 * @ptr: anywhere; of a buffer its data, and @length its capacity
 * @slot: written if the answer is 1, or NULL
 *
 * It stays so until @uring is unregistered, for a buffer as for a delivery. For
 * who prepares operations himself: they take the index, and the pointer.
 *
 * Return: 1: all of it is in one slot. 0: unregistered: it is memory of another
 * kind or pool, of an arena that zcbuf_uring_update() has not seen yet, longer
 * than a slot, or nothing is registered at all. Never fails.
 */
ZCBUF_API int zcbuf_uring_slot(const struct zcbuf_uring *uring,
			       const void *ptr, size_t length,
			       struct zcbuf_slot *slot);

/* ------------------------------------------------------------- operations */

/*
 * zcbuf_uring_prep_read() - prepare a read of @len bytes at @file_offset
 * @sqe: from io_uring_get_sqe()
 * @fd: a file, a socket, a pipe; of what has no offset it is 0
 * @ptr: anywhere
 *
 * Return: 1: READ_FIXED, all of it lies in one registered slot, and is no longer
 * than zcbuf_uring_opts.fixed_max. 0: READ.
 */
ZCBUF_API int zcbuf_uring_prep_read(const struct zcbuf_uring *uring,
				    struct io_uring_sqe *sqe, int fd,
				    void *ptr, unsigned int len,
				    __u64 file_offset);

/* zcbuf_uring_prep_write() - the same for WRITE_FIXED and WRITE */
ZCBUF_API int zcbuf_uring_prep_write(const struct zcbuf_uring *uring,
				     struct io_uring_sqe *sqe, int fd,
				     const void *ptr, unsigned int len,
				     __u64 file_offset);

/*
 * zcbuf_uring_prep_send_zc() - prepare sending @len bytes that are not copied
 * @sockfd: a connected socket of a kind that can: TCP, UDP
 * @flags: of send(2)
 * @zc_flags: IORING_RECVSEND_* and IORING_SEND_ZC_*, without FIXED_BUF
 *
 * Its completions have the same user_data. The first one tells the result. If its
 * flags have IORING_CQE_F_MORE, as they have even where sending failed half way,
 * a second one comes when the network has done with the memory, which has
 * IORING_CQE_F_NOTIF: that may be when the other side has acknowledged it, long
 * after. Until then the bytes must not be changed, and the buffer not be freed
 * nor given away, the delivery not be released: the kernel keeps the pages, but
 * the pool would hand them out again, and the peer read what comes there next.
 * Without F_MORE the first completion is the last one.
 *
 * Return: 1: from a registered slot. 0: by pointer, which pins the pages each
 * time. A kernel or socket that cannot send so says that in the completion:
 * -EINVAL, -EOPNOTSUPP.
 */
ZCBUF_API int zcbuf_uring_prep_send_zc(const struct zcbuf_uring *uring,
				       struct io_uring_sqe *sqe, int sockfd,
				       const void *ptr, unsigned int len,
				       int flags, unsigned int zc_flags);

/* --------------------------------------------------------------- commands */

/*
 * Calls as commands of a ring: see struct zcbuf_uring_cmd. A zcbuf_uring_prep_*
 * below prepares one that does what the function does whose name it has, but never
 * waits:
 *
 * @sqe: from io_uring_get_sqe(); of any ring, no registration is needed. Flags of
 *	the SQE, as IOSQE_IO_LINK, are set afterwards.
 * @arg: memory for the argument, filled in. Fields that have no parameter here,
 *	as flags and align, may be set before it is submitted; out_done and
 *	out_error tell afterwards what was done.
 * @flags: ZCBUF_URING_F_*
 *
 * @arg and the arrays stay until the completion. The result there is how many were
 * done, at least 1, or a negative errno, with ZCBUF_URING_F_ALL_OR_ERROR that of
 * the first that was not done. -EOPNOTSUPP: this kernel has no such commands
 * (ZCBUF_FEATURE_URING_CMD). -EBADF: in a fork child. -ECANCELED: what it was linked
 * to failed, or @sqe was used again too early, see there. Never fail.
 */
ZCBUF_API void zcbuf_uring_prep_alloc(struct zcbuf_pool *pool,
				      struct io_uring_sqe *sqe,
				      struct zcbuf_alloc *arg, __u64 length,
				      __u64 *handles, unsigned int count,
				      __u32 flags);

ZCBUF_API void zcbuf_uring_prep_free(struct zcbuf_pool *pool,
				     struct io_uring_sqe *sqe,
				     struct zcbuf_batch *arg,
				     const __u64 *handles, unsigned int count,
				     __u32 flags);

ZCBUF_API void zcbuf_uring_prep_reserve(struct zcbuf_channel *channel,
					struct io_uring_sqe *sqe,
					struct zcbuf_reserve *arg,
					struct zcbuf_reservation *entries,
					unsigned int count, __u32 flags);

ZCBUF_API void zcbuf_uring_prep_commit(struct zcbuf_channel *channel,
				       struct io_uring_sqe *sqe,
				       struct zcbuf_batch *arg,
				       const struct zcbuf_commit_entry *entries,
				       unsigned int count, __u32 flags);

ZCBUF_API void zcbuf_uring_prep_receive(struct zcbuf_channel *channel,
					struct io_uring_sqe *sqe,
					struct zcbuf_receive *arg,
					struct zcbuf_delivery *entries,
					unsigned int count, __u32 flags);

ZCBUF_API void zcbuf_uring_prep_release(struct zcbuf_channel *channel,
					struct io_uring_sqe *sqe,
					struct zcbuf_batch *arg,
					const __u64 *handles,
					unsigned int count, __u32 flags);

/* -------------------------------------------------- receiving into buffers */

#define ZCBUF_BUFRING_F_PRIVATE	(1U << 0) /* its own memory is not the pool's */

/*
 * struct zcbuf_bufring_opts - what zcbuf_bufring_create() shall make
 * @sz: sizeof(struct zcbuf_bufring_opts)
 * @length: bytes of each buffer, as for zcbuf_alloc()
 * @entries: buffers, a power of two up to 32768
 * @group: the number operations know it by, up to 65535; the ring's, and free
 * @flags: ZCBUF_BUFRING_F_*
 * @__reserved: 0
 */
struct zcbuf_bufring_opts {
	size_t sz;
	size_t length;
	__u32 entries;
	__u32 group;
	__u32 flags;
	__u32 __reserved;
};

/*
 * zcbuf_bufring_create() - buffers of a pool, for a ring to receive into
 * @bufring: written
 * @ring: it and @pool outlive @bufring
 * @opts: not NULL
 *
 * A provided-buffer ring of io_uring, filled with buffers of the pool: a receive
 * takes one when there is something to put into it, so that thousands of
 * sockets that are quiet need none. What arrives is in a buffer like any other:
 * it can be written to a disk, be given to another session, be kept.
 *
 * The ring of their addresses is memory of the pool as well, and the kernel
 * stores where that says: who else is attached to the pool for writing could
 * make it store anywhere in this process. That is the trust all of a pool have
 * in each other, and more than mapping it takes: with ZCBUF_BUFRING_F_PRIVATE it
 * is memory of this process. In the pool it also is a pin that no token accounts
 * for: what others leave in the same huge page stays in quarantine until the ring
 * is gone.
 *
 * Used by one thread at a time. -EINVAL: @opts. -EOPNOTSUPP: a flag, or this
 * kernel cannot. -EEXIST: the group is taken. -ENOMEM: no buffers, or no block
 * for their addresses. -E2BIG: as zcbuf_alloc(). -EPERM: right MAP_WRITE.
 */
ZCBUF_API int zcbuf_bufring_create(struct zcbuf_bufring **bufring,
				   struct io_uring *ring,
				   struct zcbuf_pool *pool,
				   const struct zcbuf_bufring_opts *opts);

/*
 * zcbuf_bufring_select() - let an operation use them
 * @sqe: prepared, with NULL as its buffer and 0 or the most to take as its
 *	length: by io_uring_prep_recv(), its multishot kind, or
 *	io_uring_prep_read()
 *
 * Where there is no buffer left when it wants one, its result is -ENOBUFS. A receive
 * wants to see one at once, though nothing has come, unless it is told
 * IORING_RECVSEND_POLL_FIRST.
 */
ZCBUF_API void zcbuf_bufring_select(const struct zcbuf_bufring *bufring,
				    struct io_uring_sqe *sqe);

/*
 * zcbuf_bufring_take() - the buffer a completion is about
 * @buf: written: length is what was received. It is the caller's, to free,
 *	give, or put back with zcbuf_bufring_add()
 *
 * -ENOENT: the completion has no buffer, as when it failed or is about something
 * else. -ESTALE: it was taken before. -ERANGE: more was stored than the buffer
 * has: somebody has written over the ring's memory. @cqe is not seen by this.
 */
ZCBUF_API int zcbuf_bufring_take(struct zcbuf_bufring *bufring,
				 const struct io_uring_cqe *cqe,
				 struct zcbuf_buf *buf);

/*
 * zcbuf_bufring_add() - let it receive into a buffer, all of its capacity
 * @buf: of the same pool, what was taken or any other; zeroed
 *
 * -ENOSPC: it has its entries; take one first. -EINVAL: no buffer, or of another
 * pool.
 */
ZCBUF_API int zcbuf_bufring_add(struct zcbuf_bufring *bufring,
				struct zcbuf_buf *buf);

/* zcbuf_bufring_room() - how many buffers could be added; never fails */
ZCBUF_API unsigned int
zcbuf_bufring_room(const struct zcbuf_bufring *bufring);

/*
 * zcbuf_bufring_close() - take it off the ring and free what is in it
 * @bufring: NULL does nothing; freed whatever the result
 *
 * No receive that uses it may be in flight, and completions that have a buffer
 * be taken: what they name is freed with the rest. What was taken stays. The
 * result is that of unregistering; if that failed, the buffers are left to the
 * session. -EBADF: in a fork child; the parent's goes on.
 */
ZCBUF_API int zcbuf_bufring_close(struct zcbuf_bufring *bufring);

#ifdef __cplusplus
}
#endif

#endif /* ZCBUF_URING_H */

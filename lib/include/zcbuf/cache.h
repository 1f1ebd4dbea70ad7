/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * libzcbuf-user: objects, which threads get and give back without a system call.
 * A part of <zcbuf/zcbuf.h>, which includes it and says what holds for all
 * functions.
 *
 * An object is a buffer that the library keeps a record of. Each thread has a few
 * free ones of each class of the pool, in a magazine; when that is empty or full
 * they come from the pool's stock, which all threads of the process have in common,
 * or by many at a time from the kernel.
 *
 *	zcbuf_obj_alloc(pool, 1024, &obj);
 *	n = read(fd, obj->buf.data, obj->buf.length);
 *	zcbuf_obj_free(obj);
 *
 * What is kept. A magazine: at most ZCBUF_MAGAZINE_MAX objects, 256 KiB, and the
 * class's part of the pool divided by eight times its sessions; of 64 KiB and more
 * at most two objects, beyond 256 KiB none. The stock: four times that of each class.
 * A FIXED pool of less than 64 objects and one opened ZCBUF_POOL_OPEN_EXACT keep
 * nothing, nor does one with an arena that is being retired, or any while a call
 * waits that began before anything was kept. The kernel counts
 * what is kept as handed out to this session, and takes it back with all the rest
 * when it ends, be it by SIGKILL anywhere in these functions; zcbuf_cache_bytes()
 * says how much it is.
 *
 * It is in nobody's way within the process: an allocation or a reservation that finds
 * no memory in the pool gives back what all threads keep, before it says so or waits,
 * and while it waits looks every ten milliseconds what they have kept since. (From
 * other threads only where membarrier(2) is to be had; not calls by io_uring.) What a
 * thread keeps goes back when it ends.
 *
 * When another process finds no memory, or wants an arena retired, the kernel says so
 * in a word of the pool's control page. It is looked at where a magazine is empty or
 * full, and before each allocation and reservation of buffers: whichever thread comes
 * there gives back what all threads of its process keep. Alloc and free of what a
 * magazine has do not look. A process in which no thread does anything else, or anything
 * at all, keeps what it has, which is bounded; for its event loop there is
 * zcbuf_cache_look().
 *
 * What was in an object when it was freed may be in it when it is got again:
 * memory that stays in one session needs no zeroing, as with malloc(). What another
 * session had is zeroed by the kernel as ever. Who wants zeroed memory, an
 * alignment, a node, or to wait, takes zcbuf_buf_alloc_opts().
 *
 * Any thread frees what any other got, when the one is done with it. With
 * zcbuf_pool_close() all objects of the pool are gone, whoever has them or keeps
 * them; in a fork child there are none: alloc and free answer -EBADF. The first
 * ZCBUF_CACHE_THREADS - 1 threads have magazines; with more each call of the rest
 * makes a system call.
 */
#ifndef ZCBUF_CACHE_H
#define ZCBUF_CACHE_H

#include <zcbuf/zcbuf.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef ZCBUF_INLINE
#define ZCBUF_INLINE static __inline__
#endif

#define ZCBUF_CACHE_THREADS	128	/* numbers of threads, 0 among them */
#define ZCBUF_MAGAZINE_MAX	64	/* objects */
#define ZCBUF_CACHE_WAYS	128

#define ZCBUF_OBJ_OUT		0x6f626a21U	/* state: somebody has it */

/*
 * struct zcbuf_obj - an object
 * @buf: where it is: data, length as asked for, capacity, offset and pool. handle is
 *	0, so that it cannot be given away or freed behind the library's back: see
 *	zcbuf_obj_leave()
 * @handle, @way, @state: the library's own
 *
 * 64 bytes of the process, whose address stays, until the object is freed.
 */
struct zcbuf_obj {
	struct zcbuf_buf buf;
	__u64 handle;
	__u32 way;
	__u32 state;
};

/*
 * The following three are the library's own; they are here so that the compiler can
 * put alloc and free where they are called.
 *
 * struct zcbuf_magazine - free objects of one class that one thread keeps
 * @count: end of them in @obj; written by the thread
 * @head: begin of them; others who take some away move it
 * @limit: how far @count may come
 * @claimed: see magazine.c
 * @batch: how many to ask the kernel for next
 * @cls: of a handle
 */
struct zcbuf_magazine {
	long count;
	long head;
	long limit;
	long claimed;
	__u32 batch;
	__u32 cls;
	struct zcbuf_obj *obj[ZCBUF_MAGAZINE_MAX];
};

/*
 * struct zcbuf_cache - what one thread keeps of one pool
 * @way: to 63: for lengths of which the highest bit but one is so; from 64 on: by
 *	class
 */
struct zcbuf_cache {
	struct zcbuf_magazine *way[ZCBUF_CACHE_WAYS];
};

/* struct zcbuf_caches - each pool begins with it; by number of the thread */
struct zcbuf_caches {
	struct zcbuf_cache *of[ZCBUF_CACHE_THREADS];
};

/* The number of this thread; 0: it has none. Of the library, and read only. */
ZCBUF_API extern __thread __u32 zcbuf_thread
	__attribute__((tls_model("initial-exec")));

/*
 * A word that others write: one load, which the compiler may make an operand. It does
 * so with no atomic one; ThreadSanitizer has to be told.
 */
#if defined(__SANITIZE_THREAD__)
#define ZCBUF_PEEK(word)	__atomic_load_n(&(word), __ATOMIC_RELAXED)
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ZCBUF_PEEK(word)	__atomic_load_n(&(word), __ATOMIC_RELAXED)
#endif
#endif
#ifndef ZCBUF_PEEK
#define ZCBUF_PEEK(word)	(word)
#endif

/* When the magazine is empty, or full, or something is wrong. */
ZCBUF_API int zcbuf_obj_alloc_slow(struct zcbuf_pool *pool, size_t length,
				   struct zcbuf_obj **obj);
ZCBUF_API int zcbuf_obj_free_slow(struct zcbuf_obj *obj);

#define ZCBUF_MAGAZINE_OF(pool, n) \
	(((const struct zcbuf_caches *)(pool))->of[zcbuf_thread]->way[n])

/*
 * zcbuf_obj_alloc() - an object of @length bytes
 * @obj: written; NULL if there is none
 *
 * Errors: zcbuf_alloc(), without a deadline; -ESTALE only when nothing is kept, as it is
 * the kernel that says so. -ENOMEM also: the process has no
 * memory for the record, or none to map a new arena.
 */
ZCBUF_INLINE int zcbuf_obj_alloc(struct zcbuf_pool *pool, size_t length,
				 struct zcbuf_obj **obj)
{
	int bits = 63 ^ __builtin_clzll((length - 1) | 15);
	struct zcbuf_magazine *mag = ZCBUF_MAGAZINE_OF(pool, bits);
	long n = __atomic_load_n(&mag->count, __ATOMIC_RELAXED) - 1;
	struct zcbuf_obj *got;
	int err;

	/* First say that it is taken, then look whether others took it. */
	__atomic_store_n(&mag->count, n, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (__builtin_expect(n < ZCBUF_PEEK(mag->head), 0)) {
		struct zcbuf_obj *other;

		__atomic_store_n(&mag->count, n + 1, __ATOMIC_RELAXED);
		err = zcbuf_obj_alloc_slow(pool, length, &other);
		*obj = err ? NULL : other;
		return err;
	}
	got = mag->obj[n];
	got->state = ZCBUF_OBJ_OUT;
	got->buf.length = length;
	*obj = got;
	return 0;
}

/*
 * zcbuf_obj_free() - give an object back
 *
 * -EBADSLT: nobody has it: it was freed before, and was not got again since; nothing
 * was done. (A free of what somebody else has got meanwhile takes it away from him,
 * and of two threads that free it at the same instant both may be believed: an
 * object is used by one thread at a time.) -EBADF: this is a fork child.
 */
ZCBUF_INLINE int zcbuf_obj_free(struct zcbuf_obj *obj)
{
	struct zcbuf_magazine *mag = ZCBUF_MAGAZINE_OF(obj->buf.pool, obj->way);
	long n = __atomic_load_n(&mag->count, __ATOMIC_RELAXED);

	if (__builtin_expect(obj->state != ZCBUF_OBJ_OUT, 0) ||
	    __builtin_expect(n >= ZCBUF_PEEK(mag->limit), 0))
		return zcbuf_obj_free_slow(obj);
	obj->state = 0;
	mag->obj[n] = obj;
	__atomic_store_n(&mag->count, n + 1, __ATOMIC_RELEASE);
	return 0;
}

/*
 * zcbuf_obj_free_unchecked() - the same, where it is known that somebody has @obj
 *
 * If nobody has, two will: there is no -EBADSLT; nor is there from zcbuf_obj_free(), for
 * an object that was freed so before and is in a magazine still.
 */
ZCBUF_INLINE int zcbuf_obj_free_unchecked(struct zcbuf_obj *obj)
{
	struct zcbuf_magazine *mag = ZCBUF_MAGAZINE_OF(obj->buf.pool, obj->way);
	long n = __atomic_load_n(&mag->count, __ATOMIC_RELAXED);

	if (__builtin_expect(n >= ZCBUF_PEEK(mag->limit), 0))
		return zcbuf_obj_free_slow(obj);
	mag->obj[n] = obj;
	__atomic_store_n(&mag->count, n + 1, __ATOMIC_RELEASE);
	return 0;
}

/*
 * zcbuf_obj_leave() - make a buffer of an object
 * @buf: written; for zcbuf_buf_free(), zcbuf_buf_give(), zcbuf_publish(), ...
 *
 * What is given to others, shared or exported must be a buffer first. The object is
 * no more. -EBADSLT, -EBADF: as zcbuf_obj_free().
 */
ZCBUF_API int zcbuf_obj_leave(struct zcbuf_obj *obj, struct zcbuf_buf *buf);

/*
 * zcbuf_cache_flush() - give back to the kernel what all threads keep of a pool
 *
 * Return: how many objects that were. -EBADF: as above.
 */
ZCBUF_API int zcbuf_cache_flush(struct zcbuf_pool *pool);

/*
 * zcbuf_cache_look() - the same if others have found no memory since the last time
 *
 * If not, which is the rule, it is a few instructions and no system call.
 *
 * Return: how many objects that were, mostly 0. -EBADF: as above.
 */
ZCBUF_API int zcbuf_cache_look(struct zcbuf_pool *pool);

/*
 * zcbuf_cache_bytes() - how much memory of the pool is kept by this process: counted
 * as used by the kernel, and had by nobody. A hint while others alloc and free;
 * never fails.
 */
ZCBUF_API __u64 zcbuf_cache_bytes(const struct zcbuf_pool *pool);

#ifdef __cplusplus
}
#endif

#endif /* ZCBUF_CACHE_H */

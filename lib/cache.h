/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What a process keeps of a pool: magazines of its threads, a stock, records.
 *
 * Locks, outermost first: that of the threads (who has which number, which pools
 * there are; held across fork()), a depot's, that of the sessions. A depot's is held
 * across calls of the kernel that bring or take objects, so that who finds the pool
 * empty and gets the lock sees all that is kept of it.
 */
#ifndef ZCB_LIB_CACHE_H
#define ZCB_LIB_CACHE_H

#include <pthread.h>

#include "internal.h"
#include "magazine.h"

#define ZCB_CLASSES	63	/* that a handle can have: zcbuf_buf_class() */
#define ZCB_WAY_CLASS	64	/* ways from here on are classes */

#define ZCB_STOCK	4	/* times what a magazine may have */

struct zcb_shelf {
	struct zcbuf_obj *obj[ZCB_STOCK * ZCBUF_MAGAZINE_MAX];
};

/*
 * struct zcb_stock - free objects of one class, for all threads
 * @shelf: NULL: there were none yet
 * @n: on it
 */
struct zcb_stock {
	struct zcb_shelf *shelf;
	__u32 n;
};

/* struct zcb_local - one thread's, or that of a number that nobody has just now */
struct zcb_local {
	struct zcbuf_cache cache;
	struct zcb_local *next;
};

struct zcb_chunk;

/*
 * struct zcb_depot - what is behind the magazines of a pool
 * @lock: protects all below but the list
 * @pool: whose it is
 * @next, @prev: of all, under the lock of the threads
 * @locals: whose magazines there are
 * @chunks: memory of records; it stays until the pool is freed
 * @spare: records of no object
 * @limit: of a magazine, by class
 * @stock: by class
 * @kind: of the pool
 * @calls: of the kernel since the limits were looked at
 * @unmapped: why an object's arena could not be mapped, to be told without the lock
 * @blind: calls that wait and do not look what is kept; without the lock
 * @control: what the kernel tells, or NULL; read without the lock
 * @pressure: what it told when all was given back last; likewise
 */
struct zcb_depot {
	pthread_mutex_t lock;
	struct zcbuf_pool *pool;
	struct zcb_depot *next;
	struct zcb_depot *prev;
	struct zcb_local *locals;
	struct zcb_chunk *chunks;
	struct zcbuf_obj *spare;
	long limit[ZCB_CLASSES];
	struct zcb_stock stock[ZCB_CLASSES];
	__u32 kind;
	unsigned int calls;
	int unmapped;
	atomic_uint blind;
	const struct zcbuf_control *control;
	__u64 pressure;
};

/* ---------------------------------------------------------------- thread.c */

/* The number of this thread, given to it if need be; 0: it cannot have one. */
__u32 zcb_thread_number(void);

/* zcb_depot_forget - in a fork child: nobody's magazines are of use */
void zcb_depot_forget(struct zcb_depot *depot);

/* zcb_thread_list - from now on the ends of threads concern it */
void zcb_thread_list(struct zcb_depot *depot);
void zcb_thread_unlist(struct zcb_depot *depot);

/* ----------------------------------------------------------------- spare.c */

/*
 * zcb_records_take - up to @n records, without an object; locked
 *
 * Return: how many: 0: no memory
 */
unsigned int zcb_records_take(struct zcb_depot *depot, struct zcbuf_obj **objs,
			      unsigned int n);
void zcb_records_put(struct zcb_depot *depot, struct zcbuf_obj **objs,
		     unsigned int n);
void zcb_records_free(struct zcb_depot *depot);

/* ---------------------------------------------------------------- limits.c */

/* zcb_cache_class - which one has @length bytes; -1: it is not kept */
int zcb_cache_class(const struct zcbuf_pool *pool, size_t length);

/* zcb_cache_class_bytes - of an object of it */
__u64 zcb_cache_class_bytes(const struct zcbuf_pool *pool, __u32 cls);

/* zcb_limits_of - what the kernel says of the pool; locked */
void zcb_limits_of(struct zcb_depot *depot, const struct zcbuf_pool_info *info,
		   const struct zcbuf_class_info *classes);

/* zcb_limits_none - keep nothing; locked */
void zcb_limits_none(struct zcb_depot *depot);

/* zcb_limits_ask - ask the kernel now, zcb_limits_look - once in a while; locked */
void zcb_limits_ask(struct zcb_depot *depot);
void zcb_limits_look(struct zcb_depot *depot);

/* ----------------------------------------------------------------- depot.c */

/* Is it a magazine, and not where there is none? */
bool zcb_mag_is(const struct zcbuf_magazine *mag);

/* zcb_depot_local - the calling thread's; locked; NULL: it cannot have any */
struct zcb_local *zcb_depot_local(struct zcb_depot *depot, __u32 number);

/* zcb_depot_magazine - of a class; locked; NULL: none is to be kept */
struct zcbuf_magazine *zcb_depot_magazine(struct zcb_depot *depot,
					  struct zcb_local *local, __u32 cls);

/* zcb_depot_bytes - what is kept; locked */
__u64 zcb_depot_bytes(const struct zcb_depot *depot);

/* zcb_stock_take - up to @n objects of a class; locked. Return: how many. */
unsigned int zcb_stock_take(struct zcb_depot *depot, __u32 cls,
			    struct zcbuf_obj **objs, unsigned int n);

/* zcb_stock_put - those that find room; locked. Return: how many. */
unsigned int zcb_stock_put(struct zcb_depot *depot, __u32 cls,
			   struct zcbuf_obj **objs, unsigned int n);

/* -------------------------------------------------------------- pressure.c */

/* zcb_pressure_open - from now on it can be seen; locked; once */
void zcb_pressure_open(struct zcb_depot *depot);

/* zcb_pressure_close - before the session is */
void zcb_pressure_close(struct zcb_depot *depot);

/* zcb_pressure_seen - all is about to be given back, whyever; locked */
void zcb_pressure_seen(struct zcb_depot *depot);

/* zcb_pressure_look - give all back if others want it; locked. Return: do they? */
bool zcb_pressure_look(struct zcb_depot *depot);

/* ------------------------------------------------------------------ give.c */

/* zcb_give - objects to the kernel, their records to the spare ones; locked */
void zcb_give(struct zcb_depot *depot, struct zcbuf_obj **objs, unsigned int n);

/* zcb_give_all - what all threads keep; locked. Return: how many objects. */
unsigned int zcb_give_all(struct zcb_depot *depot);

/*
 * zcb_give_for - ALLOC, which does not wait, for as long as there is something to
 * give back and it finds no memory; locked
 */
int zcb_give_for(struct zcb_depot *depot, struct zcbuf_alloc *arg);

/* zcb_give_of - what the thread of a number keeps; the threads are locked */
void zcb_give_of(struct zcb_depot *depot, __u32 number);

#endif /* ZCB_LIB_CACHE_H */

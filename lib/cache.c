// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Objects: the long way, when a magazine is empty or full, or there is none.
 */
#include <errno.h>

#include "cache.h"

#define LOOK_NS		(10ULL * 1000 * 1000)

/* ------------------------------------------------------------------- alloc */

static int obj_make(struct zcb_depot *depot, struct zcbuf_obj *obj, __u64 handle)
{
	const struct zcbuf_pool *pool = depot->pool;
	struct zcbuf_buf *buf = &obj->buf;

	obj->handle = handle;
	obj->way = ZCB_WAY_CLASS + zcbuf_buf_class(handle);
	buf->offset = zcbuf_buf_offset(handle);
	buf->capacity = zcbuf_buf_capacity(handle, pool->class_size);
	return zcb_map_try(pool, buf->offset, buf->capacity, &buf->data,
			   &depot->unmapped);
}

/*
 * Up to @n objects of the kernel for @length bytes each; one if there is little.
 * Return: how many, at least 1.
 */
static int objs_get(struct zcb_depot *depot, __u64 length,
		    struct zcbuf_obj **objs, unsigned int n)
{
	__u64 handles[ZCBUF_MAGAZINE_MAX] = { 0 };
	struct zcbuf_alloc arg = {
		.size = sizeof(arg),
		.length = length,
		.handles = zcb_ptr(handles),
	};
	unsigned int made;
	int err;

	n = zcb_records_take(depot, objs, n);
	if (!n)
		return -ENOMEM;
	arg.count = n;
	err = zcb_call(depot->pool->session.fd, ZCBUF_NR_ALLOC, &arg);
	if (err == -ENOMEM) {
		arg.count = 1;
		err = zcb_give_for(depot, &arg);
	}
	if (err)
		arg.out_done = 0;
	for (made = 0; made < arg.out_done && !err; made++)
		err = obj_make(depot, objs[made], handles[made]);
	made -= err && made;
	if (made < arg.out_done)
		zcb_batch(depot->pool, ZCBUF_NR_FREE, 0, handles + made,
			  arg.out_done - made, 0);
	zcb_records_put(depot, objs + made, n - made);
	return made ? (int)made : err;
}

/* It is empty; what comes into it is one less than what there is. */
static struct zcbuf_obj *refill(struct zcbuf_magazine *mag,
				struct zcbuf_obj **objs, unsigned int n)
{
	while (n > 1)
		zcb_mag_put(mag, objs[--n]);
	return objs[0];
}

/* A thread that asks often is given more at a time. */
static unsigned int batch_next(struct zcbuf_magazine *mag)
{
	const __u32 most = mag->limit > 2 ? mag->limit / 2 : 1;
	const __u32 n = mag->batch < most ? mag->batch : most;

	mag->batch = n * 2;
	return n;
}

static int alloc_refill(struct zcb_depot *depot, struct zcbuf_magazine *mag,
			struct zcbuf_obj **out)
{
	struct zcbuf_obj *objs[ZCBUF_MAGAZINE_MAX];
	unsigned int most = mag->limit > 2 ? mag->limit / 2 : 1;
	int n;

	n = zcb_stock_take(depot, mag->cls, objs, most);
	if (!n)
		n = objs_get(depot, zcb_cache_class_bytes(depot->pool, mag->cls),
			     objs, batch_next(mag));
	if (n < 0)
		return n;
	*out = refill(mag, objs, n);
	return 0;
}

static int alloc_locked(struct zcb_depot *depot, __u32 number, size_t length,
			struct zcbuf_obj **out)
{
	const int cls = zcb_cache_class(depot->pool, length);
	struct zcb_local *local = NULL;
	struct zcbuf_magazine *mag = NULL;
	int n;

	zcb_limits_look(depot);
	zcb_pressure_look(depot);
	if (cls >= 0)
		local = zcb_depot_local(depot, number);
	if (local)
		mag = zcb_depot_magazine(depot, local, cls);
	if (!mag) {
		n = objs_get(depot, length, out, 1);
		return n < 0 ? n : 0;
	}
	*out = zcb_mag_take(mag);
	return *out ? 0 : alloc_refill(depot, mag, out);
}

int zcbuf_obj_alloc_slow(struct zcbuf_pool *pool, size_t length,
			 struct zcbuf_obj **out)
{
	struct zcb_depot *depot = pool->depot;
	struct zcbuf_obj *obj;
	__u32 number;
	int unmapped;
	int err;

	if (pool->session.fd < 0)
		return -EBADF;
	number = pool->is_exact ? 0 : zcb_thread_number();
	pthread_mutex_lock(&depot->lock);
	depot->unmapped = 0;
	err = alloc_locked(depot, number, length, &obj);
	unmapped = depot->unmapped;
	pthread_mutex_unlock(&depot->lock);
	zcb_map_tell(pool, unmapped);
	if (err)
		return err;
	obj->state = ZCBUF_OBJ_OUT;
	obj->buf.length = length;
	*out = obj;
	return 0;
}

/* -------------------------------------------------------------------- free */

/* Half of what is in it goes: those that were put first. */
static void make_room(struct zcb_depot *depot, struct zcbuf_magazine *mag)
{
	struct zcbuf_obj *objs[ZCBUF_MAGAZINE_MAX];
	unsigned int n, kept;

	n = zcb_mag_take_oldest(mag, objs,
				zcb_mag_count(mag) - mag->limit / 2);
	kept = zcb_stock_put(depot, mag->cls, objs, n);
	if (kept < n)
		zcb_give(depot, objs + kept, n - kept);
}

static void free_locked(struct zcb_depot *depot, __u32 number,
			struct zcbuf_obj *obj)
{
	struct zcb_local *local = zcb_depot_local(depot, number);
	struct zcbuf_magazine *mag = NULL;

	zcb_limits_look(depot);
	if (local)
		mag = zcb_depot_magazine(depot, local,
					 obj->way - ZCB_WAY_CLASS);
	if (zcb_pressure_look(depot) || !mag || mag->limit <= 0) {
		zcb_give(depot, &obj, 1);
		return;
	}
	zcb_mag_take_oldest(mag, NULL, 0);
	if (zcb_mag_count(mag) >= mag->limit)
		make_room(depot, mag);
	zcb_mag_put(mag, obj);
}

int zcbuf_obj_free_slow(struct zcbuf_obj *obj)
{
	struct zcbuf_pool *pool = obj->buf.pool;
	struct zcb_depot *depot = pool->depot;
	__u32 number;

	if (pool->session.fd < 0)
		return -EBADF;
	if (obj->state != ZCBUF_OBJ_OUT)
		return -EBADSLT;
	number = pool->is_exact ? 0 : zcb_thread_number();
	pthread_mutex_lock(&depot->lock);
	obj->state = 0;
	free_locked(depot, number, obj);
	pthread_mutex_unlock(&depot->lock);
	return 0;
}

/* ------------------------------------------------------------------ others */

int zcbuf_obj_leave(struct zcbuf_obj *obj, struct zcbuf_buf *buf)
{
	struct zcbuf_pool *pool = obj->buf.pool;

	if (pool->session.fd < 0)
		return -EBADF;
	if (obj->state != ZCBUF_OBJ_OUT)
		return -EBADSLT;
	*buf = obj->buf;
	buf->handle = obj->handle;
	pthread_mutex_lock(&pool->depot->lock);
	zcb_records_put(pool->depot, &obj, 1);
	pthread_mutex_unlock(&pool->depot->lock);
	return 0;
}

int zcbuf_cache_flush(struct zcbuf_pool *pool)
{
	int n;

	if (pool->session.fd < 0)
		return -EBADF;
	pthread_mutex_lock(&pool->depot->lock);
	n = zcb_give_all(pool->depot);
	pthread_mutex_unlock(&pool->depot->lock);
	return n;
}

__u64 zcbuf_cache_bytes(const struct zcbuf_pool *pool)
{
	__u64 sum = 0;

	if (pool->session.fd < 0)
		return 0;
	pthread_mutex_lock(&pool->depot->lock);
	sum = zcb_depot_bytes(pool->depot);
	pthread_mutex_unlock(&pool->depot->lock);
	return sum;
}

/*
 * It waits a little at a time: what other threads keep meanwhile wakes nobody.
 * @deadline_ns: of @arg; @why: likewise, or NULL: always memory
 */
static int wait_looking(struct zcbuf_pool *pool, unsigned int nr, void *arg,
			__u64 *deadline_ns, __u64 end_ns, const __u32 *why)
{
	__u64 until;
	int err;

	for (;;) {
		until = zcb_now_ns() + LOOK_NS;
		*deadline_ns = until < end_ns ? until : end_ns;
		err = zcb_call(pool->session.fd, nr, arg);
		if (err != -ETIMEDOUT || until >= end_ns)
			return err;
		if (!why || *why & ZCBUF_WHY_MEMORY)
			zcbuf_cache_flush(pool);
	}
}

/*
 * Who waits so would not learn of a magazine that is made meanwhile: none is. He is
 * counted before he looks whether there are any, and who makes the first looks at the
 * count when that is to be seen.
 */
bool zcb_cache_call(struct zcbuf_pool *pool, unsigned int nr, void *arg,
		    __u64 deadline_ns, int *err)
{
	bool keeps;

	if (deadline_ns)
		atomic_fetch_add(&pool->depot->blind, 1);
	keeps = zcb_depot_keeps(pool);
	if (!keeps)
		*err = zcb_call(pool->session.fd, nr, arg);
	if (deadline_ns)
		atomic_fetch_sub(&pool->depot->blind, 1);
	return !keeps;
}

int zcb_cache_alloc(struct zcbuf_pool *pool, struct zcbuf_alloc *arg)
{
	const __u64 end_ns = arg->deadline_ns;
	int err;

	if (zcb_cache_call(pool, ZCBUF_NR_ALLOC, arg, end_ns, &err))
		return err;
	zcbuf_cache_look(pool);
	arg->deadline_ns = 0;
	err = zcb_call(pool->session.fd, ZCBUF_NR_ALLOC, arg);
	if (err != -ENOMEM)
		return err;
	pthread_mutex_lock(&pool->depot->lock);
	err = zcb_give_for(pool->depot, arg);
	pthread_mutex_unlock(&pool->depot->lock);
	if (err != -ENOMEM || !end_ns)
		return err;
	return wait_looking(pool, ZCBUF_NR_ALLOC, arg, &arg->deadline_ns,
			    end_ns, NULL);
}

int zcb_cache_reserve(struct zcbuf_pool *pool, struct zcbuf_reserve *arg)
{
	const __u64 end_ns = arg->deadline_ns;
	int err;

	if (zcb_cache_call(pool, ZCBUF_NR_RESERVE, arg, end_ns, &err))
		return err;
	zcbuf_cache_look(pool);
	arg->deadline_ns = 0;
	err = zcb_call(pool->session.fd, ZCBUF_NR_RESERVE, arg);
	if (err == -EAGAIN && arg->out_why & ZCBUF_WHY_MEMORY &&
	    zcbuf_cache_flush(pool) > 0)
		err = zcb_call(pool->session.fd, ZCBUF_NR_RESERVE, arg);
	if (err != -EAGAIN || !end_ns)
		return err;
	return wait_looking(pool, ZCBUF_NR_RESERVE, arg, &arg->deadline_ns,
			    end_ns, &arg->out_why);
}

void zcb_cache_stop(const struct zcbuf_pool *pool)
{
	if (!zcb_depot_keeps(pool))
		return;
	pthread_mutex_lock(&pool->depot->lock);
	zcb_limits_none(pool->depot);
	zcb_give_all(pool->depot);
	pthread_mutex_unlock(&pool->depot->lock);
}

void zcb_cache_go(const struct zcbuf_pool *pool)
{
	if (!zcb_depot_keeps(pool))
		return;
	pthread_mutex_lock(&pool->depot->lock);
	zcb_limits_ask(pool->depot);
	pthread_mutex_unlock(&pool->depot->lock);
}

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Buffers: batches of handles, and one buffer that knows where it came from;
 * both go from session to session.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "internal.h"

/* Callers of 0.1 know this much of it. */
#define OPTS_MIN	offsetof(struct zcbuf_buf_opts, node)

static int read_opts(struct zcbuf_buf_opts *opts,
		     const struct zcbuf_buf_opts *user_opts)
{
	int err = zcb_opts_read(opts, sizeof(*opts), user_opts, OPTS_MIN);

	if (err)
		return err;
	return opts->reserved ? -EOPNOTSUPP : 0;
}

int zcbuf_alloc(struct zcbuf_pool *pool, __u64 length,
		const struct zcbuf_buf_opts *user_opts, __u64 *handles,
		unsigned int count)
{
	struct zcbuf_alloc arg = {
		.size = sizeof(arg),
		.length = length,
		.handles = zcb_ptr(handles),
		.count = count,
	};
	struct zcbuf_buf_opts opts;
	int err;

	err = read_opts(&opts, user_opts);
	if (err)
		return err;
	if (opts.flags & ZCBUF_BUF_F_FALLBACK)
		return -EINVAL;
	arg.flags = opts.flags;
	arg.align = opts.align;
	arg.deadline_ns = opts.deadline_ns;
	arg.node = opts.node;
	err = zcb_cache_alloc(pool, &arg);
	return err ? err : (int)arg.out_done;
}

int zcbuf_free(struct zcbuf_pool *pool, const __u64 *handles,
	       unsigned int count)
{
	return zcb_batch(pool, ZCBUF_NR_FREE, 0, handles, count, 0);
}

static int give(struct zcbuf_pool *pool, unsigned int nr, __u64 session,
		const __u64 *handles, unsigned int count)
{
	struct zcbuf_transfer arg = {
		.size = sizeof(arg),
		.session = session,
		.handles = zcb_ptr(handles),
		.count = count,
	};
	int err = zcb_call(pool->session.fd, nr, &arg);

	return err ? err : (int)arg.out_done;
}

int zcbuf_transfer(struct zcbuf_pool *pool, __u64 session,
		   const __u64 *handles, unsigned int count)
{
	return give(pool, ZCBUF_NR_TRANSFER, session, handles, count);
}

int zcbuf_share(struct zcbuf_pool *pool, __u64 session, const __u64 *handles,
		unsigned int count)
{
	return give(pool, ZCBUF_NR_SHARE, session, handles, count);
}

int zcbuf_buf_info(struct zcbuf_pool *pool, const __u64 *handles,
		   struct zcbuf_buf_place *places, unsigned int count)
{
	struct zcbuf_buf_info arg = {
		.size = sizeof(arg),
		.handles = zcb_ptr(handles),
		.entries = zcb_ptr(places),
		.count = count,
		.entry_size = sizeof(*places),
	};
	int err = zcb_call(pool->session.fd, ZCBUF_NR_BUF_INFO, &arg);

	return err ? err : (int)arg.out_done;
}

/* What the session got by the name of @handle; @buf is written if it is there. */
static int buf_place(struct zcbuf_pool *pool, __u64 handle, size_t length,
		     struct zcbuf_buf *buf)
{
	struct zcbuf_buf got = {
		.length = length,
		.capacity = zcbuf_buf_capacity(handle, pool->class_size),
		.offset = zcbuf_buf_offset(handle),
		.handle = handle,
		.pool = pool,
	};
	int err;

	err = zcb_map_range(pool, got.offset, got.capacity, &got.data);
	if (!err)
		*buf = got;
	return err;
}

static int alloc_in_pool(struct zcbuf_pool *pool, size_t length,
			 const struct zcbuf_buf_opts *opts,
			 struct zcbuf_buf *buf)
{
	__u64 handle = 0;
	int done;
	int err;

	done = zcbuf_alloc(pool, length, opts, &handle, 1);
	if (done < 0)
		return done;
	err = buf_place(pool, handle, length, buf);
	if (err)
		zcbuf_free(pool, &handle, 1);
	return err;
}

int zcb_bufs_alloc(struct zcbuf_pool *pool, size_t length,
		   const struct zcbuf_buf_opts *opts, struct zcbuf_buf *bufs,
		   unsigned int count)
{
	__u64 handles[ZCBUF_MAX_BATCH];
	int err = 0;
	int done;
	int i;

	if (count > ARRAY_SIZE(handles))
		return -EINVAL;
	memset(handles, 0, count * sizeof(handles[0]));
	done = zcbuf_alloc(pool, length, opts, handles, count);
	for (i = 0; i < done; i++) {
		err = buf_place(pool, handles[i], length, &bufs[i]);
		if (err)
			break;
	}
	if (!err)
		return done;
	zcbuf_free(pool, handles + i, done - i);
	return i ? i : err;
}

int zcbuf_buf_alloc_opts(struct zcbuf_pool *pool, size_t length,
			 const struct zcbuf_buf_opts *user_opts,
			 struct zcbuf_buf *buf)
{
	struct zcbuf_buf_opts opts;
	__u32 fallback;
	int err;

	err = read_opts(&opts, user_opts);
	if (err)
		return err;
	fallback = opts.flags & ZCBUF_BUF_F_FALLBACK;
	opts.flags &= ~fallback;
	opts.sz = sizeof(opts);
	err = alloc_in_pool(pool, length, &opts, buf);
	if (err == -E2BIG && fallback)
		return zcb_fallback_alloc(pool, length, &opts, buf);
	return err;
}

int zcbuf_buf_alloc(struct zcbuf_pool *pool, size_t length,
		    struct zcbuf_buf *buf)
{
	return zcbuf_buf_alloc_opts(pool, length, NULL, buf);
}

int zcbuf_buf_adopt(struct zcbuf_pool *pool, __u64 handle, size_t length,
		    struct zcbuf_buf *buf)
{
	struct zcbuf_buf got = {
		.length = length,
		.handle = handle,
		.pool = pool,
	};
	struct zcbuf_buf_place place;
	int done;
	int err;

	/* Whatever number came from the other side: the kernel knows whose. */
	done = zcbuf_buf_info(pool, &handle, &place, 1);
	if (done < 0)
		return done;
	if (length > place.capacity)
		return -ERANGE;
	got.capacity = place.capacity;
	got.offset = place.offset;
	err = zcb_map_range(pool, got.offset, got.capacity, &got.data);
	if (err)
		return err;
	*buf = got;
	return 0;
}

int zcbuf_buf_give(struct zcbuf_buf *buf, __u64 session)
{
	int done;

	if (!buf->handle)
		return -EINVAL;
	if (zcb_fallback_has(buf->handle))
		return -EOPNOTSUPP;
	done = zcbuf_transfer(buf->pool, session, &buf->handle, 1);
	if (done < 0)
		return done;
	memset(buf, 0, sizeof(*buf));
	return 0;
}

int zcbuf_buf_share(const struct zcbuf_buf *buf, __u64 session)
{
	int done;

	if (!buf->handle)
		return -EINVAL;
	if (zcb_fallback_has(buf->handle))
		return -EOPNOTSUPP;
	done = zcbuf_share(buf->pool, session, &buf->handle, 1);
	return done < 0 ? done : 0;
}

int zcbuf_buf_export(const struct zcbuf_buf *buf, __u64 offset, __u64 length,
		     __u32 flags)
{
	struct zcbuf_export arg = {
		.size = sizeof(arg),
		.flags = flags,
		.handle = buf->handle,
		.offset = offset,
		.length = length,
		.out_fd = -1,
	};
	int err;

	if (!buf->handle)
		return -EINVAL;
	if (zcb_fallback_has(buf->handle))
		return -EOPNOTSUPP;
	err = zcb_call(buf->pool->session.fd, ZCBUF_NR_EXPORT, &arg);
	return err ? err : arg.out_fd;
}

int zcbuf_buf_free(struct zcbuf_buf *buf)
{
	int done;

	if (!buf->handle)
		return 0;
	if (zcb_fallback_has(buf->handle))
		done = zcb_fallback_free(buf->pool, buf->handle);
	else
		done = zcbuf_free(buf->pool, &buf->handle, 1);
	if (done < 0)
		return done;
	memset(buf, 0, sizeof(*buf));
	return 0;
}

int zcbuf_buf_set_length(struct zcbuf_buf *buf, size_t length)
{
	if (length > buf->capacity)
		return -ERANGE;
	buf->length = length;
	return 0;
}

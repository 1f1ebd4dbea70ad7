// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Provided-buffer rings of io_uring whose buffers are a pool's, and as a rule
 * the ring of their addresses, too. What the kernel is told stands in memory
 * others may write to; what is believed stands here.
 */
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

#define MAX_ENTRIES	32768
#define MAX_GROUP	65535
#define MAX_LENGTH	0x7ffff000	/* of any operation */

/*
 * struct zcbuf_bufring
 * @shared: what the kernel reads: addresses, and how many were ever added
 * @memory: the block @shared is in; no buffer if it is private
 * @tail: how many were ever added
 * @nvacant: entries of @vacant
 * @vacant: ids no buffer has
 * @bufs: by id: what was added and not taken
 */
struct zcbuf_bufring {
	struct io_uring *ring;
	struct zcbuf_pool *pool;
	struct io_uring_buf_ring *shared;
	struct zcbuf_buf memory;
	unsigned int entries;
	unsigned int group;
	unsigned short tail;
	unsigned int nvacant;
	unsigned short *vacant;
	struct zcbuf_buf *bufs;
};

static void bufring_free(struct zcbuf_bufring *b)
{
	if (!b->memory.handle)
		free(b->shared);
	free(b->vacant);
	free(b->bufs);
	free(b);
}

static struct zcbuf_bufring *bufring_new(struct io_uring *ring,
					 struct zcbuf_pool *pool,
					 const struct zcbuf_bufring_opts *opts)
{
	struct zcbuf_bufring *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->ring = ring;
	b->pool = pool;
	b->entries = opts->entries;
	b->group = opts->group;
	b->vacant = calloc(b->entries, sizeof(*b->vacant));
	b->bufs = calloc(b->entries, sizeof(*b->bufs));
	if (!b->vacant || !b->bufs) {
		bufring_free(b);
		return NULL;
	}
	while (b->nvacant < b->entries) {
		b->vacant[b->nvacant] = b->entries - 1 - b->nvacant;
		b->nvacant++;
	}
	return b;
}

/* Whole pages, which begin with a tail of 0. */
static int get_memory(struct zcbuf_bufring *b, __u32 flags)
{
	const long page = sysconf(_SC_PAGESIZE);
	const size_t size = b->entries * sizeof(struct io_uring_buf);
	const struct zcbuf_buf_opts opts = {
		.sz = sizeof(opts),
		.align = page,
		.flags = ZCBUF_ALLOC_F_ZERO,
	};
	void *private;
	int err;

	if (flags & ZCBUF_BUFRING_F_PRIVATE) {
		if (posix_memalign(&private, page, size))
			return -ENOMEM;
		b->shared = memset(private, 0, size);
		return 0;
	}
	err = zcbuf_buf_alloc_opts(b->pool, size, &opts, &b->memory);
	if (!err)
		b->shared = b->memory.data;
	return err;
}

static int register_with_ring(struct zcbuf_bufring *b)
{
	struct io_uring_buf_reg reg = {
		.ring_addr = zcb_ptr(b->shared),
		.ring_entries = b->entries,
		.bgid = b->group,
	};

	return io_uring_register_buf_ring(b->ring, &reg, 0);
}

static int fill(struct zcbuf_bufring *b, size_t length)
{
	struct zcbuf_buf buf;
	int err;

	while (b->nvacant) {
		err = zcbuf_buf_alloc(b->pool, length, &buf);
		if (err)
			return err;
		zcbuf_bufring_add(b, &buf);
	}
	return 0;
}

/* The ring does not know them (any more). */
static void free_bufs(struct zcbuf_bufring *b)
{
	unsigned int i;

	for (i = 0; i < b->entries; i++)
		zcbuf_buf_free(&b->bufs[i]);
	if (b->memory.handle) {
		b->shared = NULL;
		zcbuf_buf_free(&b->memory);
	}
}

static int check_opts(const struct zcbuf_bufring_opts *opts)
{
	if ((opts->flags & ~ZCBUF_BUFRING_F_PRIVATE) || opts->__reserved)
		return -EOPNOTSUPP;
	if (!opts->entries || opts->entries > MAX_ENTRIES ||
	    (opts->entries & (opts->entries - 1)) || opts->group > MAX_GROUP)
		return -EINVAL;
	return 0;
}

int zcbuf_bufring_create(struct zcbuf_bufring **out, struct io_uring *ring,
			 struct zcbuf_pool *pool,
			 const struct zcbuf_bufring_opts *user_opts)
{
	struct zcbuf_bufring_opts opts;
	struct zcbuf_bufring *b;
	int err;

	err = zcb_opts_read(&opts, sizeof(opts), user_opts, sizeof(opts));
	if (!err)
		err = check_opts(&opts);
	if (err)
		return err;
	b = bufring_new(ring, pool, &opts);
	if (!b)
		return -ENOMEM;
	err = get_memory(b, opts.flags);
	if (!err)
		err = fill(b, opts.length);
	if (!err)
		err = register_with_ring(b);
	if (err) {
		free_bufs(b);
		bufring_free(b);
		return err;
	}
	*out = b;
	return 0;
}

void zcbuf_bufring_select(const struct zcbuf_bufring *bufring,
			  struct io_uring_sqe *sqe)
{
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = bufring->group;
}

int zcbuf_bufring_take(struct zcbuf_bufring *b, const struct io_uring_cqe *cqe,
		       struct zcbuf_buf *buf)
{
	unsigned int id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
	size_t length = cqe->res < 0 ? 0 : cqe->res;

	if (!(cqe->flags & IORING_CQE_F_BUFFER))
		return -ENOENT;
	if (id >= b->entries || !b->bufs[id].handle)
		return -ESTALE;
	if (length > b->bufs[id].capacity)
		return -ERANGE;
	*buf = b->bufs[id];
	buf->length = length;
	memset(&b->bufs[id], 0, sizeof(b->bufs[id]));
	b->vacant[b->nvacant++] = id;
	return 0;
}

int zcbuf_bufring_add(struct zcbuf_bufring *b, struct zcbuf_buf *buf)
{
	size_t length = buf->capacity < MAX_LENGTH ? buf->capacity : MAX_LENGTH;
	struct io_uring_buf *entry;
	unsigned int id;

	if (!buf->handle || buf->pool != b->pool)
		return -EINVAL;
	if (!b->nvacant)
		return -ENOSPC;
	id = b->vacant[--b->nvacant];
	b->bufs[id] = *buf;
	entry = &b->shared->bufs[b->tail & (b->entries - 1)];
	entry->addr = zcb_ptr(buf->data);
	entry->len = length;
	entry->bid = id;
	io_uring_smp_store_release(&b->shared->tail, ++b->tail);
	memset(buf, 0, sizeof(*buf));
	return 0;
}

unsigned int zcbuf_bufring_room(const struct zcbuf_bufring *bufring)
{
	return bufring->nvacant;
}

int zcbuf_bufring_close(struct zcbuf_bufring *b)
{
	int err = -EBADF;

	if (!b)
		return 0;
	/* In a fork child the ring is the parent's. */
	if (b->pool->session.fd >= 0)
		err = io_uring_unregister_buf_ring(b->ring, b->group);
	if (!err)
		free_bufs(b);
	else
		b->shared = NULL;	/* the kernel may still read it */
	bufring_free(b);
	return err;
}

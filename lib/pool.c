// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Pools: a session, what it is attached to, and the mapping.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define MAX_STRUCT	4096	/* a size beyond this is no size */

#define READ_ONLY_RIGHTS	(ZCBUF_RIGHT_MAP_READ | ZCBUF_RIGHT_CONSUME)

static void pool_free(struct zcbuf_pool *pool)
{
	zcb_cache_free(pool);
	free(pool->map);
	free(pool);
}

static struct zcbuf_pool *pool_new(void)
{
	struct zcbuf_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	pool->map = calloc(1, sizeof(*pool->map));
	if (!pool->map) {
		free(pool);
		return NULL;
	}
	zcb_cache_none(pool);
	atomic_init(&pool->map->size, 0);
	atomic_init(&pool->refs, 1);
	return pool;
}

void zcb_pool_get(struct zcbuf_pool *pool)
{
	atomic_fetch_add_explicit(&pool->refs, 1, memory_order_relaxed);
}

void zcb_pool_put(struct zcbuf_pool *pool)
{
	if (atomic_fetch_sub(&pool->refs, 1) == 1)
		pool_free(pool);
}

int zcb_pool_writable(const struct zcbuf_pool *pool)
{
	if (pool->session.fd < 0)
		return -EBADF;
	return (pool->rights & ZCBUF_RIGHT_MAP_WRITE) ? 0 : -EPERM;
}

static int pool_open(struct zcbuf_pool **out, int access, __u32 open_flags)
{
	struct zcbuf_pool *pool;
	int oflags = access;
	int err;

	if (open_flags & ~(ZCBUF_POOL_OPEN_NONBLOCK | ZCBUF_POOL_OPEN_EXACT))
		return -EOPNOTSUPP;
	if (open_flags & ZCBUF_POOL_OPEN_NONBLOCK)
		oflags |= O_NONBLOCK;

	pool = pool_new();
	if (!pool)
		return -ENOMEM;
	err = zcb_session_open(&pool->session, oflags);
	if (err) {
		pool_free(pool);
		return err;
	}
	pool->is_exact = open_flags & ZCBUF_POOL_OPEN_EXACT;
	*out = pool;
	return 0;
}

/* Who we are to the others of the pool. */
static int pool_learn_id(struct zcbuf_pool *pool)
{
	struct zcbuf_query query = { .size = sizeof(query) };
	int err;

	err = zcbuf_query(pool->session.fd, &query);
	if (!err)
		pool->id = query.out_session;
	return err;
}

/* What the kernel knows and does not change is asked once; memory is mapped. */
static int pool_learn(struct zcbuf_pool *pool)
{
	struct zcbuf_class_info classes[ZCBUF_MAX_CLASSES] = { 0 };
	struct zcbuf_pool_info info = {
		.size = sizeof(info),
		.classes = zcb_ptr(classes),
		.nclasses = ARRAY_SIZE(classes),
		.entry_size = sizeof(classes[0]),
	};
	unsigned int i;
	int err;

	err = pool_learn_id(pool);
	if (!err)
		err = zcb_call(pool->session.fd, ZCBUF_NR_POOL_INFO, &info);
	if (err)
		return err;

	pool->rights = info.out_rights;
	pool->arena_size = info.out_arena_size;
	for (i = 0; i < info.nclasses && i < ARRAY_SIZE(classes); i++)
		pool->class_size[i] = classes[i].length;
	err = zcb_map_open(pool, &info);
	return err ? err : zcb_cache_open(pool, &info, classes);
}

/* The session is attached, or @err says why not: finish, or undo it all. */
static int pool_finish(struct zcbuf_pool *pool, int err,
		       struct zcbuf_pool **out)
{
	if (!err)
		err = pool_learn(pool);
	if (err) {
		zcbuf_pool_close(pool);
		return err;
	}
	*out = pool;
	return 0;
}

int zcbuf_pool_create(struct zcbuf_pool **out,
		      const struct zcbuf_pool_opts *user_opts)
{
	struct zcbuf_pool_create arg = { .size = sizeof(arg) };
	struct zcbuf_pool_opts opts;
	struct zcbuf_pool *pool;
	int err;

	err = zcb_opts_read(&opts, sizeof(opts), user_opts, sizeof(opts));
	if (err)
		return err;
	arg.flags = opts.flags;
	arg.kind = opts.kind;
	arg.mode = opts.mode;
	arg.node = opts.node;
	arg.nclasses = opts.nclasses;
	arg.classes = zcb_ptr(opts.classes);
	arg.arena_size = opts.arena_size;
	arg.max_size = opts.max_size;
	arg.uid = opts.uid;
	arg.gid = opts.gid;
	arg.name = zcb_ptr(opts.name);
	if (opts.name)
		arg.name_len = strnlen(opts.name, ZCBUF_MAX_NAME + 1);

	err = pool_open(&pool, O_RDWR, opts.open_flags);
	if (err)
		return err;
	err = zcb_call(pool->session.fd, ZCBUF_NR_POOL_CREATE, &arg);
	return pool_finish(pool, err, out);
}

/* @arg: by name or by descriptor, filled in so far */
static int pool_attach(struct zcbuf_pool **out, struct zcbuf_pool_attach *arg,
		       const struct zcbuf_attach_opts *user_opts)
{
	struct zcbuf_attach_opts opts;
	struct zcbuf_pool *pool;
	int access = O_RDWR;
	int err;

	err = zcb_opts_read(&opts, sizeof(opts), user_opts, sizeof(opts));
	if (err)
		return err;
	if (opts.flags & ~ZCBUF_ATTACH_F_UID)
		return -EOPNOTSUPP;
	arg->flags |= opts.flags;
	arg->rights = opts.rights;
	arg->uid = opts.uid;
	if (opts.rights && !(opts.rights & ~READ_ONLY_RIGHTS))
		access = O_RDONLY;

	err = pool_open(&pool, access, opts.open_flags);
	if (err)
		return err;
	err = zcb_call(pool->session.fd, ZCBUF_NR_POOL_ATTACH, arg);
	return pool_finish(pool, err, out);
}

int zcbuf_pool_attach(struct zcbuf_pool **out, const char *name,
		      const struct zcbuf_attach_opts *opts)
{
	struct zcbuf_pool_attach arg = {
		.size = sizeof(arg),
		.name = zcb_ptr(name),
	};

	if (!name)
		return -EINVAL;
	arg.name_len = strnlen(name, ZCBUF_MAX_NAME + 1);
	return pool_attach(out, &arg, opts);
}

int zcbuf_pool_attach_fd(struct zcbuf_pool **out, int fd,
			 const struct zcbuf_attach_opts *opts)
{
	struct zcbuf_pool_attach arg = {
		.size = sizeof(arg),
		.flags = ZCBUF_ATTACH_F_FD,
		.fd = fd,
	};

	return pool_attach(out, &arg, opts);
}

int zcbuf_pool_close(struct zcbuf_pool *pool)
{
	if (!pool)
		return 0;
	zcb_cache_close(pool);
	zcb_map_close(pool);
	zcb_fallback_close(pool);
	zcb_session_close(&pool->session);
	zcb_pool_put(pool);
	return 0;
}

int zcbuf_pool_fd(const struct zcbuf_pool *pool)
{
	return pool->session.fd < 0 ? -EBADF : pool->session.fd;
}

__u64 zcbuf_pool_session(const struct zcbuf_pool *pool)
{
	return pool->session.fd < 0 ? 0 : pool->id;
}

void *zcbuf_pool_base(const struct zcbuf_pool *pool)
{
	return pool->session.fd < 0 ? NULL : pool->map->base;
}

size_t zcbuf_pool_size(const struct zcbuf_pool *pool)
{
	if (pool->session.fd < 0)
		return 0;
	return atomic_load_explicit(&pool->map->size, memory_order_acquire);
}

__u32 zcbuf_pool_rights(const struct zcbuf_pool *pool)
{
	return pool->session.fd < 0 ? 0 : pool->rights;
}

void *zcbuf_pool_range(const struct zcbuf_pool *pool, __u64 offset,
		       __u64 length)
{
	void *range;

	return zcb_map_range(pool, offset, length, &range) ? NULL : range;
}

void *zcbuf_pool_addr(const struct zcbuf_pool *pool, __u64 offset)
{
	return zcbuf_pool_range(pool, offset, 1);
}

__s64 zcbuf_pool_offset(const struct zcbuf_pool *pool, const void *ptr)
{
	uintptr_t base = (uintptr_t)zcbuf_pool_base(pool);
	uintptr_t offset = (uintptr_t)ptr - base;

	/* Below the base it wraps, and is far beyond the end. */
	if (offset >= zcbuf_pool_size(pool))
		return -ERANGE;
	return offset;
}

/* The arena stands even if it cannot be mapped now: its first use tries again. */
int zcbuf_pool_grow(struct zcbuf_pool *pool)
{
	struct zcbuf_pool_grow arg = { .size = sizeof(arg) };
	int err;

	err = zcb_call(pool->session.fd, ZCBUF_NR_POOL_GROW, &arg);
	if (err)
		return err;
	err = zcb_map_extend(pool, arg.out_size);
	if (err)
		zcb_log(pool, err, "the new arena is not mapped here yet");
	return arg.out_arena;
}

int zcbuf_pool_retire(const struct zcbuf_pool *pool, __u32 arena, __u32 flags,
		      __u64 deadline_ns)
{
	struct zcbuf_pool_retire arg = {
		.size = sizeof(arg),
		.flags = flags,
		.deadline_ns = deadline_ns,
		.arena = arena,
	};
	int err;

	zcb_cache_stop(pool);
	err = zcb_call(pool->session.fd, ZCBUF_NR_POOL_RETIRE, &arg);
	zcb_cache_go(pool);
	return err ? err : (int)arg.out_state;
}

int zcbuf_pool_remove(const struct zcbuf_pool *pool)
{
	struct zcbuf_pool_remove arg = { .size = sizeof(arg) };

	return zcb_call(pool->session.fd, ZCBUF_NR_POOL_REMOVE, &arg);
}

int zcbuf_pool_info(const struct zcbuf_pool *pool,
		    struct zcbuf_pool_info *info)
{
	__u32 size = info->size;
	struct zcbuf_pool_info arg;

	if (size < offsetof(struct zcbuf_pool_info, out_kind) ||
	    size > MAX_STRUCT)
		return -EINVAL;

	/* A tail this kernel does not know must be 0 on the way in. */
	memcpy(&arg, info, offsetof(struct zcbuf_pool_info, out_kind));
	memset(info, 0, size);
	info->size = size;
	info->classes = arg.classes;
	info->nclasses = arg.nclasses;
	info->entry_size = arg.entry_size;
	return zcb_call(pool->session.fd, ZCBUF_NR_POOL_INFO, info);
}

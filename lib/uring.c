// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * io_uring: every arena one fixed buffer, so that I/O on pool memory pins and
 * looks up no pages.
 */
#include <errno.h>
#include <string.h>

#include "internal.h"

#define MAX_ARENAS	64			/* of a pool */
#define MAX_SLOT	((__u64)1 << 30)	/* io_uring's, per buffer */
#define LISTED_MAX	((size_t)64 << 10)	/* where it lists pages */

static unsigned int slots_per_arena(__u64 arena_size)
{
	return (arena_size + MAX_SLOT - 1) / MAX_SLOT;
}

/*
 * The slot, from 0, that byte @offset of the pool is in, and in @room how many
 * bytes from there on are in it, too.
 */
static unsigned int slot_of(__u64 arena_size, __u64 offset, __u64 *room)
{
	__u64 arena = offset / arena_size;
	__u64 within = offset % arena_size;
	__u64 in_slot = MAX_SLOT - within % MAX_SLOT;
	__u64 in_arena = arena_size - within;

	*room = in_slot < in_arena ? in_slot : in_arena;
	return arena * slots_per_arena(arena_size) + within / MAX_SLOT;
}

int zcbuf_uring_slots(const struct zcbuf_pool *pool)
{
	if (pool->session.fd < 0)
		return 0;
	return pool->map->reserved / pool->arena_size *
	       slots_per_arena(pool->arena_size);
}

static int slot_set(const struct zcbuf_uring *uring, unsigned int slot,
		    void *base, size_t length)
{
	return uring->registrar->update_slot(uring->ctx, slot, base, length);
}

/* Empties what was filled; the first error of it, going on anyway. */
static int slots_clear(const struct zcbuf_uring *uring, unsigned int first,
		       unsigned int n)
{
	int result = 0;
	int err;

	while (n--) {
		err = slot_set(uring, first + n, NULL, 0);
		if (err && !result)
			result = err;
	}
	return result;
}

/* Those of one arena, as far as @filled of them; the first error of it. */
static int arena_clear(struct zcbuf_uring *uring, unsigned int arena,
		       unsigned int filled)
{
	unsigned int first = arena * slots_per_arena(uring->arena_size);

	return slots_clear(uring, uring->first_slot + first, filled);
}

static int arena_fill(struct zcbuf_uring *uring, unsigned int arena)
{
	unsigned int n, per_arena = slots_per_arena(uring->arena_size);
	size_t at = arena * uring->arena_size;
	__u64 room;
	int err;

	for (n = 0; n < per_arena; n++, at += room) {
		slot_of(uring->arena_size, at, &room);
		err = slot_set(uring, uring->first_slot + arena * per_arena + n,
			       uring->base + at, room);
		if (err) {
			arena_clear(uring, arena, n);
			return err;
		}
	}
	uring->filled |= (__u64)1 << arena;
	return per_arena;
}

static int arena_empty(struct zcbuf_uring *uring, unsigned int arena)
{
	uring->filled &= ~((__u64)1 << arena);
	return arena_clear(uring, arena, slots_per_arena(uring->arena_size));
}

/* As if nothing had come to what was @before. */
static void slots_undo(struct zcbuf_uring *uring, __u64 before)
{
	unsigned int i;

	for (i = 0; i < MAX_ARENAS; i++)
		if ((uring->filled & ~before) >> i & 1)
			arena_empty(uring, i);
}

/*
 * What is there to be used is registered, and what is to go, or is gone, is not:
 * the kernel cannot give back what a ring holds. How many slots were filled.
 */
static int slots_fill(struct zcbuf_uring *uring, __u64 wanted)
{
	size_t size = zcbuf_pool_size(uring->pool);
	unsigned int i, n = size / uring->arena_size;
	__u64 before = uring->filled;
	int filled = 0;
	int err = 0;

	for (i = 0; i < n && err >= 0; i++) {
		if (!(wanted >> i & 1) && (uring->filled >> i & 1))
			err = arena_empty(uring, i);
		else if ((wanted & ~uring->filled) >> i & 1)
			err = arena_fill(uring, i);
		filled += err > 0 ? err : 0;
	}
	if (err < 0) {
		slots_undo(uring, before);
		return err;
	}
	uring->size = size;
	uring->nslots = n * slots_per_arena(uring->arena_size);
	return filled;
}

/*
 * Others may have added arenas, or retire some. @wanted: those that are there, and
 * will be. Of a pool with one arena that cannot grow all is there.
 */
static int refresh(const struct zcbuf_pool *pool, __u64 *wanted)
{
	struct zcbuf_pool_info info;
	int err;

	*wanted = 1;
	if (pool->map->reserved == pool->arena_size)
		return 0;
	err = zcb_map_refresh(pool, &info);
	if (!err)
		*wanted = info.out_present & ~info.out_retiring;
	return err;
}

/* In the table that is there now. */
static int fill_table(struct zcbuf_uring *uring, unsigned int first_slot,
		      __u64 wanted)
{
	const struct zcbuf_pool *pool = uring->pool;
	int err;

	uring->base = pool->map->base;
	uring->arena_size = pool->arena_size;
	uring->first_slot = first_slot;
	err = slots_fill(uring, wanted);
	return err < 0 ? err : 0;
}

static int make_table(struct zcbuf_uring *uring, __u64 wanted)
{
	const struct zcbuf_registrar *registrar = uring->registrar;
	int err;

	err = registrar->register_table(uring->ctx,
					zcbuf_uring_slots(uring->pool));
	if (err)
		return err;
	err = fill_table(uring, 0, wanted);
	if (err)
		registrar->unregister_table(uring->ctx);
	else
		uring->owns_table = 1;
	return err;
}

#define KNOWN_FLAGS	(ZCBUF_URING_SHARE_TABLE | ZCBUF_URING_TOKEN_SLOT | \
			 ZCBUF_URING_NO_TOKEN)

/* What both ways to register have. */
static int check_opts(const struct zcbuf_uring_opts *opts)
{
	const __u32 both = ZCBUF_URING_TOKEN_SLOT | ZCBUF_URING_NO_TOKEN;

	if ((opts->flags & ~KNOWN_FLAGS) || opts->__reserved)
		return -EOPNOTSUPP;
	if (opts->first_slot && !(opts->flags & ZCBUF_URING_SHARE_TABLE))
		return -EINVAL;
	if (opts->token_slot && !(opts->flags & ZCBUF_URING_TOKEN_SLOT))
		return -EINVAL;
	return (opts->flags & both) == both ? -EINVAL : 0;
}

static int check_registrar(const struct zcbuf_registrar *registrar)
{
	struct zcbuf_registrar r;
	int err;

	err = zcb_opts_read(&r, sizeof(r), registrar, sizeof(r));
	if (err)
		return err;
	if (!r.register_table || !r.update_slot || !r.unregister_table)
		return -EINVAL;
	/* All or none of them. */
	if (!r.register_files != !r.update_file ||
	    !r.register_files != !r.unregister_files)
		return -EINVAL;
	return 0;
}

static int read_opts(struct zcbuf_uring_opts *opts,
		     const struct zcbuf_uring_opts *user_opts,
		     struct io_uring *ring)
{
	int err;

	err = zcb_opts_read(opts, sizeof(*opts), user_opts, sizeof(*opts));
	if (err)
		return err;
	err = check_opts(opts);
	if (err)
		return err;
	if (!opts->fixed_max)
		opts->fixed_max = zcb_kernel_before(6, 12) ?
				  LISTED_MAX : ZCBUF_URING_FIXED_ALWAYS;
	if (!opts->registrar) {
		opts->registrar = zcbuf_registrar_io_uring();
		opts->ctx = ring;
		return 0;
	}
	return check_registrar(opts->registrar);
}

int zcbuf_uring_register_opts(struct zcbuf_uring *uring, struct io_uring *ring,
			      const struct zcbuf_pool *pool,
			      const struct zcbuf_uring_opts *user_opts)
{
	struct zcbuf_uring_opts opts;
	__u64 wanted;
	int err;

	memset(uring, 0, sizeof(*uring));
	err = read_opts(&opts, user_opts, ring);
	if (err)
		return err;
	if (pool->session.fd < 0)
		return -EBADF;
	if (!zcbuf_uring_slots(pool))
		return -EPERM;
	uring->registrar = opts.registrar;
	uring->ctx = opts.ctx;
	uring->pool = pool;
	uring->fixed_max = opts.fixed_max;
	err = refresh(pool, &wanted);
	if (!err)
		err = zcb_tokens_add(uring, 1, &opts, zcbuf_pool_size(pool) /
				     pool->arena_size);
	if (err)
		return err;
	if (opts.flags & ZCBUF_URING_SHARE_TABLE)
		err = fill_table(uring, opts.first_slot, wanted);
	else
		err = make_table(uring, wanted);
	if (err)
		zcb_tokens_undo(uring, 1, &opts);
	return err;
}

int zcbuf_uring_register(struct zcbuf_uring *uring, struct io_uring *ring,
			 const struct zcbuf_pool *pool)
{
	return zcbuf_uring_register_opts(uring, ring, pool, NULL);
}

int zcbuf_uring_register_at(struct zcbuf_uring *uring, struct io_uring *ring,
			    const struct zcbuf_pool *pool,
			    unsigned int first_slot)
{
	const struct zcbuf_uring_opts opts = {
		.sz = sizeof(opts),
		.flags = ZCBUF_URING_SHARE_TABLE | ZCBUF_URING_TOKEN_SLOT,
		.first_slot = first_slot,
		.token_slot = first_slot,
	};

	return zcbuf_uring_register_opts(uring, ring, pool, &opts);
}

int zcbuf_uring_update(struct zcbuf_uring *uring)
{
	__u64 wanted;
	int err, n;

	if (!uring->nslots)
		return 0;
	err = refresh(uring->pool, &wanted);
	if (err)
		return err;
	n = slots_fill(uring, wanted);
	if (n < 0)
		return n;
	err = zcb_token_renew(uring);
	return err ? err : n;
}

/* Are all of them registered, and on one ring? */
static int check_clone(const struct zcbuf_uring *from, unsigned int n)
{
	unsigned int i;

	if (!n)
		return -EINVAL;
	for (i = 0; i < n; i++) {
		if (!from[i].nslots || from[i].ctx != from->ctx ||
		    from[i].registrar != from->registrar)
			return -EINVAL;
		if (from[i].pool->session.fd < 0)
			return -EBADF;
	}
	return from->registrar->clone_table ? 0 : -EOPNOTSUPP;
}

static int clone_all(struct zcbuf_uring *clones,
		     const struct zcbuf_uring *from, unsigned int n,
		     const struct zcbuf_uring_opts *opts)
{
	int err;

	err = zcb_tokens_add(clones, n, opts, 0);
	if (err)
		return err;
	err = from->registrar->clone_table(opts->ctx, from->ctx);
	if (err)
		zcb_tokens_undo(clones, n, opts);
	return err;
}

int zcbuf_uring_clone(struct zcbuf_uring *clones, struct io_uring *ring,
		      const struct zcbuf_uring *from, unsigned int n,
		      const struct zcbuf_uring_opts *user_opts)
{
	struct zcbuf_uring_opts opts;
	unsigned int i;
	int err;

	memset(clones, 0, n * sizeof(*clones));
	err = zcb_opts_read(&opts, sizeof(opts), user_opts, sizeof(opts));
	if (!err)
		err = check_opts(&opts);
	if (err)
		return err;
	if (opts.registrar || (opts.flags & ZCBUF_URING_SHARE_TABLE))
		return -EINVAL;
	err = check_clone(from, n);
	if (err)
		return err;
	if (from->registrar == zcbuf_registrar_io_uring())
		opts.ctx = ring;
	for (i = 0; i < n; i++) {
		clones[i] = from[i];
		clones[i].ctx = opts.ctx;
		if (opts.fixed_max)
			clones[i].fixed_max = opts.fixed_max;
	}
	err = clone_all(clones, from, n, &opts);
	if (err)
		memset(clones, 0, n * sizeof(*clones));
	return err;
}

int zcbuf_uring_unregister(struct zcbuf_uring *uring)
{
	int err = 0;

	if (!uring->nslots)
		return 0;
	/* In a fork child the ring is the parent's. */
	if (uring->pool->session.fd < 0)
		err = -EBADF;
	else if (uring->owns_table)
		err = uring->registrar->unregister_table(uring->ctx);
	else
		err = slots_clear(uring, uring->first_slot, uring->nslots);
	if (!err)
		err = zcb_token_drop(uring);
	memset(uring, 0, sizeof(*uring));
	return err;
}

int zcbuf_uring_slot(const struct zcbuf_uring *uring, const void *ptr,
		     size_t length, struct zcbuf_slot *slot)
{
	uintptr_t offset = (uintptr_t)ptr - (uintptr_t)uring->base;
	struct zcbuf_slot found = { .offset = 0 };
	__u64 room;

	/* Below the base it wraps and is far beyond the end. */
	if (!uring->nslots || offset >= uring->size)
		return 0;
	if (!(uring->filled >> offset / uring->arena_size & 1))
		return 0;
	found.index = uring->first_slot +
		      slot_of(uring->arena_size, offset, &room);
	found.offset = offset % uring->arena_size % MAX_SLOT;
	if (length > room)
		return 0;
	if (slot)
		*slot = found;
	return 1;
}

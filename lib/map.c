// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Where a pool is mapped. What a buffer's address is must not change, so a pool
 * that may grow keeps the addresses of all it can become, and an arena is
 * mapped there when it is first used: others may have added it. Where arenas are gone
 * the mapping has holes, which nobody has a buffer in.
 */
#include <errno.h>
#include <sys/mman.h>

#include "internal.h"

#define ALIGN	((size_t)2 << 20)	/* a huge page is mapped as one */

static int map_prot(__u32 rights)
{
	int prot = PROT_NONE;

	if (rights & ZCBUF_RIGHT_MAP_READ)
		prot |= PROT_READ;
	if (rights & ZCBUF_RIGHT_MAP_WRITE)
		prot |= PROT_WRITE;
	return prot;
}

/*
 * Bytes @from to @to of the pool, somewhere; no child shall have them. Fails as
 * mmap() does.
 */
static unsigned char *map_device(const struct zcbuf_pool *pool, size_t from,
				 size_t to)
{
	unsigned char *base;
	int err;

	base = mmap(NULL, to - from, map_prot(pool->rights), MAP_SHARED,
		    pool->session.fd, from);
	if (base == MAP_FAILED || !madvise(base, to - from, MADV_DONTFORK))
		return base;
	err = errno;
	munmap(base, to - from);
	errno = err;
	return MAP_FAILED;
}

static unsigned char *map_nothing(void *addr, size_t size, int flags)
{
	return mmap(addr, size, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);
}

/* Addresses for @size bytes, nothing behind them. */
static int map_reserve(struct zcb_map *map, size_t size)
{
	unsigned char *start;
	size_t head;

	if (size > SIZE_MAX - ALIGN)
		return -ENOMEM;
	start = map_nothing(NULL, size + ALIGN, 0);
	if (start == MAP_FAILED)
		return -errno;
	head = -(uintptr_t)start & (ALIGN - 1);
	if (head)
		munmap(start, head);
	munmap(start + head + size, ALIGN - head);
	map->base = start + head;
	map->reserved = size;
	return madvise(map->base, size, MADV_DONTFORK) ? -errno : 0;
}

/*
 * Map bytes @from to @to in their place. They come there when all that can
 * fail is done: mmap() of a device with MAP_FIXED that fails has unmapped what
 * was there, and others could move in.
 */
static int map_move_in(const struct zcbuf_pool *pool, size_t from, size_t to)
{
	unsigned char *place = pool->map->base + from;
	size_t length = to - from;
	unsigned char *piece;
	int err;

	piece = map_device(pool, from, to);
	if (piece == MAP_FAILED)
		return -errno;
	if (mremap(piece, length, length, MREMAP_MAYMOVE | MREMAP_FIXED,
		   place) != MAP_FAILED)
		return 0;
	err = -errno;
	munmap(piece, length);
	/*
	 * If that has left a hole: close it. Whether it has cannot be told from
	 * that somebody has moved in; both need the kernel to lack a few bytes.
	 */
	if (map_nothing(place, length, MAP_FIXED_NOREPLACE) == place)
		madvise(place, length, MADV_DONTFORK);
	return err;
}

/* The session lock is held: nobody else maps, and nobody forks half way. */
static int map_extend_locked(const struct zcbuf_pool *pool, __u64 size)
{
	struct zcb_map *map = pool->map;
	size_t mapped = atomic_load_explicit(&map->size, memory_order_relaxed);
	int err;

	if (size <= mapped)
		return 0;
	if (size > map->reserved)
		return -ERANGE;
	err = map_move_in(pool, mapped, size);
	if (err)
		return err;
	atomic_store_explicit(&map->size, size, memory_order_release);
	return 0;
}

int zcb_map_extend(const struct zcbuf_pool *pool, __u64 size)
{
	int err;

	if (!pool->map->base)
		return 0;
	zcb_session_lock();
	err = map_extend_locked(pool, size);
	zcb_session_unlock();
	return err;
}

int zcb_map_refresh(const struct zcbuf_pool *pool, struct zcbuf_pool_info *info)
{
	int err;

	*info = (struct zcbuf_pool_info){ .size = sizeof(*info) };
	err = zcb_call(pool->session.fd, ZCBUF_NR_POOL_INFO, info);
	return err ? err : zcb_map_extend(pool, info->out_end);
}

static bool map_has(const struct zcb_map *map, __u64 offset, __u64 length)
{
	/* Pairs with the release in map_extend_locked(). */
	size_t size = atomic_load_explicit(&map->size, memory_order_acquire);

	return offset <= size && length <= size - offset;
}

static bool map_may_have(const struct zcb_map *map, __u64 offset, __u64 length)
{
	return offset <= map->reserved && length <= map->reserved - offset;
}

/* Inline: zcb_map_range() is what each buffer's address costs. */
static inline __attribute__((always_inline)) int
map_try(const struct zcbuf_pool *pool, __u64 offset, __u64 length, void **out,
	int *why)
{
	const struct zcb_map *map = pool->map;
	struct zcbuf_pool_info info;

	if (pool->session.fd < 0)
		return -EBADF;
	if (!map->base || !map_may_have(map, offset, length))
		return -ERANGE;
	if (!map_has(map, offset, length)) {
		/* To the caller any reason is memory he cannot have now. */
		*why = zcb_map_refresh(pool, &info);
		if (*why)
			return -ENOMEM;
		if (!map_has(map, offset, length))
			return -ERANGE;
	}
	*out = map->base + offset;
	return 0;
}

int zcb_map_try(const struct zcbuf_pool *pool, __u64 offset, __u64 length,
		void **out, int *why)
{
	return map_try(pool, offset, length, out, why);
}

void zcb_map_tell(const struct zcbuf_pool *pool, int why)
{
	if (why)
		zcb_log(pool, why, "an arena that is new here could not be mapped");
}

int zcb_map_range(const struct zcbuf_pool *pool, __u64 offset, __u64 length,
		  void **out)
{
	int why = 0;
	int err = map_try(pool, offset, length, out, &why);

	if (why)
		zcb_map_tell(pool, why);
	return err;
}

/*
 * All that may ever be, as arenas that go leave their places behind; if there are
 * not so many addresses, as much as it may have at a time.
 */
static int map_open_growing(struct zcbuf_pool *pool, size_t end,
			    __u64 max_size, __u64 max_end)
{
	int err = -ENOMEM;

	if (max_end <= SIZE_MAX)
		err = map_reserve(pool->map, max_end);
	if (err == -ENOMEM && !pool->map->base)
		err = map_reserve(pool->map, end > max_size ? end : max_size);
	return err ? err : map_extend_locked(pool, end);
}

static int map_open_locked(struct zcbuf_pool *pool, size_t size,
			   size_t max_size, __u64 max_end)
{
	struct zcb_map *map = pool->map;
	unsigned char *base;

	if (max_end > size)
		return map_open_growing(pool, size, max_size, max_end);
	/* It will not grow: the kernel knows best where. */
	base = map_device(pool, 0, size);
	if (base == MAP_FAILED)
		return -errno;
	map->base = base;
	map->reserved = size;
	atomic_init(&map->size, size);
	return 0;
}

/* It grows by whole ones; a part of one would never be used. */
static __u64 whole_arenas(const struct zcbuf_pool *pool, __u64 size)
{
	return size - size % pool->arena_size;
}

int zcb_map_open(struct zcbuf_pool *pool, const struct zcbuf_pool_info *info)
{
	__u64 whole = whole_arenas(pool, info->out_max_size);
	__u64 max_end = whole_arenas(pool, info->out_max_end);
	int err;

	if (map_prot(pool->rights) == PROT_NONE)
		return 0;
	if (info->out_end > SIZE_MAX || whole > SIZE_MAX)
		return -ENOMEM;	/* a 32-bit program cannot map it */
	zcb_session_lock();
	err = map_open_locked(pool, info->out_end, whole, max_end);
	zcb_session_unlock();
	return err;
}

void zcb_map_close(struct zcbuf_pool *pool)
{
	/* A fork child has no mapping; something else may be there now. */
	if (pool->map->base && pool->session.fd >= 0)
		munmap(pool->map->base, pool->map->reserved);
}

void *zcb_map_part(int fd, __u64 bytes, int prot, __u64 offset)
{
	void *part = mmap(NULL, bytes, prot, MAP_SHARED, fd, offset);

	return part == MAP_FAILED ? NULL : part;
}

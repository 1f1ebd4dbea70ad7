// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Tier pools: making them, values, and waiting for an index that is put by a
 * thread of this process. What sessions share is in tshare.c.
 *
 * Nobody misses a put. Who waits adds himself to the waiters, then looks for an
 * index; who puts stores the index, then looks for waiters. All four are
 * sequentially consistent (the cells of the ring, and the count), so one of the two
 * sees what the other did: the index is got, or somebody is woken. The word that is
 * slept on is read before the ring, so that a wake in between is not slept over.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tpool.h"

#define MAX_ALIGN	4096U
#define SPINS		64	/* looks without a system call */
#define YIELDS		8	/* with one, but awake */
#define NSEC_PER_SEC	1000000000ULL
#define FOR_EVER	((__u64)INT_MAX * NSEC_PER_SEC)

/* ------------------------------------------------------------------ making */

struct zcbuf_tpool *zcb_tpool_new(struct zcbuf_pool *pool)
{
	struct zcbuf_tpool *tpool = calloc(1, sizeof(*tpool));

	if (!tpool)
		return NULL;
	tpool->pool = pool;
	zcb_pool_get(pool);
	return tpool;
}

static void free_blocks(struct zcbuf_tpool *tpool)
{
	while (tpool->nblocks)
		zcbuf_buf_free(&tpool->blocks[--tpool->nblocks]);
}

void zcb_tpool_drop(struct zcbuf_tpool *tpool)
{
	free_blocks(tpool);
	zcbuf_buf_free(&tpool->control);
	if (!tpool->shared)
		free(tpool->ring.mem);
	zcb_pool_put(tpool->pool);
	free(tpool);
}

static __u32 log2_up(__u32 n)
{
	__u32 shift = 0;

	while ((1U << shift) < n)
		shift++;
	return shift;
}

/* As many blocks of as many values as that makes. */
static int alloc_blocks(struct zcbuf_tpool *tpool, __u32 n)
{
	const struct zcbuf_buf_opts opts = {
		.sz = sizeof(opts),
		.align = tpool->size < MAX_ALIGN ? tpool->size : MAX_ALIGN,
	};
	int err;

	while (tpool->nblocks < n) {
		err = zcbuf_buf_alloc_opts(tpool->pool,
					   tpool->size << tpool->block_shift,
					   &opts,
					   &tpool->blocks[tpool->nblocks]);
		if (err) {
			free_blocks(tpool);
			return err;
		}
		tpool->nblocks++;
	}
	return 0;
}

/* In one block; where that is too large, or memory is in pieces, in more. */
static int alloc_values(struct zcbuf_tpool *tpool, __u32 shift)
{
	__u32 n;
	int err = -E2BIG;

	for (n = 0; n <= shift && 1U << n <= ZCB_TPOOL_BLOCKS; n++) {
		tpool->block_shift = shift - n;
		err = alloc_blocks(tpool, 1U << n);
		if (err != -E2BIG && err != -ENOMEM)
			return err;
	}
	return err;
}

static int alloc_ring(struct zcbuf_tpool *tpool, __u32 capacity)
{
	void *mem;
	int err = posix_memalign(&mem, ZCB_LINE, zcb_ring_bytes(capacity));

	if (err)
		return -err;
	tpool->ring.mem = mem;
	tpool->ring.me = 1;
	zcb_ring_init(&tpool->ring);
	return 0;
}

static int init_values(struct zcbuf_tpool *tpool,
		       const struct zcbuf_tpool_opts *opts)
{
	int err = 0;
	__u64 i;

	for (i = 0; opts->init && i <= tpool->ring.mask && !err; i++)
		err = opts->init(opts->ctx, i, zcbuf_tpool_value(tpool, i),
				 tpool->size);
	return err < 0 ? err : 0;
}

static int tpool_build(struct zcbuf_tpool *tpool,
		       const struct zcbuf_tpool_opts *opts)
{
	__u32 shift = log2_up(opts->capacity);
	int err;

	tpool->size = zcbuf_tier_size(opts->tier);
	tpool->ring.mask = (1U << shift) - 1;
	err = alloc_values(tpool, shift);
	if (!err)
		err = init_values(tpool, opts);
	if (err)
		return err;
	if (opts->flags & ZCBUF_TPOOL_SHARED)
		return zcb_tshare_create(tpool, 1U << shift);
	return alloc_ring(tpool, 1U << shift);
}

int zcbuf_tpool_create(struct zcbuf_pool *pool,
		       const struct zcbuf_tpool_opts *user_opts,
		       struct zcbuf_tpool **out)
{
	struct zcbuf_tpool_opts opts;
	struct zcbuf_tpool *tpool;
	int err;

	err = zcb_opts_read(&opts, sizeof(opts), user_opts, sizeof(opts));
	if (err)
		return err;
	if (opts.flags & ~ZCBUF_TPOOL_SHARED || opts.__reserved)
		return -EOPNOTSUPP;
	if (!zcbuf_tier_size(opts.tier) || !opts.capacity ||
	    opts.capacity > ZCBUF_TPOOL_MAX_CAPACITY)
		return -EINVAL;
	err = zcb_pool_writable(pool);
	if (err)
		return err;
	tpool = zcb_tpool_new(pool);
	if (!tpool)
		return -ENOMEM;
	err = tpool_build(tpool, &opts);
	if (err) {
		zcb_tpool_drop(tpool);
		return err;
	}
	*out = tpool;
	return 0;
}

int zcbuf_tpool_close(struct zcbuf_tpool *tpool)
{
	if (!tpool)
		return 0;
	if (tpool->shared && !zcb_tpool_usable(tpool))
		zcb_tshare_leave(tpool);
	zcb_tpool_drop(tpool);
	return 0;
}

/* ------------------------------------------------------------------ values */

__u32 zcbuf_tpool_capacity(const struct zcbuf_tpool *tpool)
{
	return tpool->ring.mask + 1;
}

size_t zcbuf_tpool_size(const struct zcbuf_tpool *tpool)
{
	return tpool->size;
}

__u32 zcbuf_tpool_count(const struct zcbuf_tpool *tpool)
{
	return zcb_tpool_usable(tpool) ? 0 : zcb_ring_count(&tpool->ring);
}

static void *value_of(const struct zcbuf_tpool *tpool, int index)
{
	const __u32 shift = tpool->block_shift;
	unsigned char *block = tpool->blocks[index >> shift].data;

	return block + (index & ((1U << shift) - 1)) * tpool->size;
}

void *zcbuf_tpool_value(const struct zcbuf_tpool *tpool, int index)
{
	if (zcb_tpool_usable(tpool) || !zcb_tpool_has(tpool, index))
		return NULL;
	return value_of(tpool, index);
}

int zcbuf_tpool_set(struct zcbuf_tpool *tpool, int index, const void *data,
		    size_t n)
{
	int err = zcb_tpool_usable(tpool);
	__u32 holder;

	if (err)
		return err;
	if (!zcb_tpool_has(tpool, index))
		return -EINVAL;
	holder = zcb_ring_holder(&tpool->ring, index);
	if (holder != tpool->ring.me)
		return holder ? -EPERM : -EBADSLT;
	if (n > tpool->size)
		return -ERANGE;
	if (n)
		memcpy(value_of(tpool, index), data, n);
	return 0;
}

int zcbuf_tpool_iovec(const struct zcbuf_tpool *tpool, const int *indices,
		      unsigned int n, struct iovec *iov)
{
	int err = zcb_tpool_usable(tpool);
	unsigned int i;

	if (err)
		return err;
	for (i = 0; i < n; i++) {
		if (!zcb_tpool_has(tpool, indices[i]))
			return -EINVAL;
		iov[i].iov_base = value_of(tpool, indices[i]);
		iov[i].iov_len = tpool->size;
	}
	return n;
}

/* ----------------------------------------------------------------- waiting */

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ __volatile__("yield");
#endif
}

/*
 * With a time-out even where there is no deadline: without one the kernel starts
 * the wait again after a signal whose handler was set with SA_RESTART.
 */
static int futex_wait(const __u32 *word, __u32 seen, __u64 deadline_ns)
{
	__u64 until = deadline_ns < FOR_EVER ? deadline_ns : FOR_EVER;
	struct timespec t = {
		.tv_sec = until / NSEC_PER_SEC,
		.tv_nsec = until % NSEC_PER_SEC,
	};

	if (!syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, seen, &t, NULL,
		     FUTEX_BITSET_MATCH_ANY) || errno == EAGAIN)
		return 0;
	return -errno;
}

static void wake_one(struct zcb_ring_mem *mem)
{
	__atomic_fetch_add(&mem->wakes, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &mem->wakes, FUTEX_WAKE_PRIVATE, 1);
}

static int sleep_for_index(const struct zcb_ring *ring, __u64 deadline_ns)
{
	struct zcb_ring_mem *mem = ring->mem;
	int err = 0;
	__u32 seen;
	int index;

	__atomic_fetch_add(&mem->waiters, 1, __ATOMIC_SEQ_CST);
	for (;;) {
		/* Pairs with the release in wake_one(). */
		seen = __atomic_load_n(&mem->wakes, __ATOMIC_ACQUIRE);
		index = zcb_ring_get(ring);
		if (index != -EAGAIN || err)
			break;
		err = futex_wait(&mem->wakes, seen, deadline_ns);
	}
	__atomic_fetch_sub(&mem->waiters, 1, __ATOMIC_RELAXED);
	return index == -EAGAIN ? err : index;
}

static int wait_for_index(const struct zcb_ring *ring, __u64 deadline_ns)
{
	int index;
	int i;

	for (i = 0; i < SPINS + YIELDS; i++) {
		if (i < SPINS)
			relax();
		else
			sched_yield();
		index = zcb_ring_get(ring);
		if (index != -EAGAIN)
			return index;
	}
	return sleep_for_index(ring, deadline_ns);
}

int zcbuf_tpool_get(struct zcbuf_tpool *tpool, __u64 deadline_ns)
{
	int index = zcb_tpool_usable(tpool);

	if (index)
		return index;
	index = zcb_ring_get(&tpool->ring);
	if (index != -EAGAIN)
		return index;
	if (tpool->shared)
		return zcb_tshare_wait(tpool, deadline_ns);
	return deadline_ns ? wait_for_index(&tpool->ring, deadline_ns) : index;
}

int zcbuf_tpool_put(struct zcbuf_tpool *tpool, int index)
{
	struct zcb_ring_mem *mem = tpool->ring.mem;
	int err = zcb_tpool_usable(tpool);

	if (err)
		return err;
	if (!zcb_tpool_has(tpool, index))
		return -EINVAL;
	err = zcb_ring_put(&tpool->ring, index);
	if (!err && __atomic_load_n(&mem->waiters, __ATOMIC_SEQ_CST))
		wake_one(mem);
	return err;
}

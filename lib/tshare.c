// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Tier pools that sessions share: who takes part, and what becomes of what the
 * dead had.
 *
 * The ring and the values are buffers of the pool, which all members share, so the
 * memory is there while one of them is. A member has a number, from 1, which stands
 * in the owner words of the ring; the table of members says which session that is.
 * Ids of sessions never come again, numbers do, when nothing is left of who had
 * them.
 *
 * Who is dead the kernel says, as it is there that sessions end: giving something
 * to a session that is gone is ENOENT. What is given is a handle that names no
 * buffer, so nothing is done but to look: EINVAL is the answer of all others. When
 * a session is gone its process can store nothing there any more: files are closed
 * after memory is let go of, and one that hangs and is evicted has its mappings taken
 * back before.
 *
 * A number is freed by its member when it leaves, with nothing in its hands, or by
 * who recovers, after a pass over all owner words that began when the session was
 * known to be gone: so no word can have the number any more. With one exception:
 * zcbuf_tpool_give() may write it just then, and looks afterwards whether the
 * member is still the one it meant. If it died in between, the word has a number
 * that nobody has, which counts as gone. Such a number is only looked at after the
 * word, so the word is not a new member's. (Both dead in between, and the number
 * taken again before anybody looks: that index comes back with its new owner.)
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tpool.h"

#define MAGIC		0x6c6f6f7072656974ULL	/* "tierpool" */
#define VERSION		1
#define PAGE		4096
#define NO_BUFFER	((__u64)63 << ZCBUF_BUF_CLASS_SHIFT)
#define LOOK_NS		10000000ULL	/* how often for the dead */
#define SLEEP_NS	500000ULL
#define MAX_SLEEP_NS	10000000ULL

/*
 * struct zcb_tpool_shared - what is in the control buffer
 * @magic: stored last
 * @version: of all this
 * @capacity: indices
 * @size: bytes of a value
 * @nblocks: of @blocks
 * @blocks: handles of the buffers where the values are
 * @members: by number, its session; 0: nobody
 */
struct zcb_tpool_shared {
	__u64 magic;
	__u32 version;
	__u32 capacity;
	__u32 size;
	__u32 nblocks;
	__u64 blocks[ZCB_TPOOL_BLOCKS];
	__u64 members[ZCB_RING_MEMBERS + 1];
	struct zcb_ring_mem ring;	/* the last */
};

static size_t shared_bytes(__u32 capacity)
{
	return offsetof(struct zcb_tpool_shared, ring) +
	       zcb_ring_bytes(capacity);
}

static __u64 member(const struct zcbuf_tpool *tpool, __u32 number)
{
	return __atomic_load_n(&tpool->shared->members[number],
			       __ATOMIC_SEQ_CST);
}

/* Its number is free for others, unless it is already. */
static void free_member(const struct zcbuf_tpool *tpool, __u32 number,
			__u64 session)
{
	__atomic_compare_exchange_n(&tpool->shared->members[number], &session,
				    0, false, __ATOMIC_SEQ_CST,
				    __ATOMIC_RELAXED);
}

/* The number of a session; 0: it takes no part. */
static __u32 number_of(const struct zcbuf_tpool *tpool, __u64 session)
{
	__u32 n;

	for (n = 1; n <= ZCB_RING_MEMBERS; n++)
		if (member(tpool, n) == session)
			return n;
	return 0;
}

/* ------------------------------------------------------------ taking part */

static int join(struct zcbuf_tpool *tpool)
{
	const __u64 self = tpool->pool->id;
	__u64 nobody;
	__u32 n;

	if (number_of(tpool, self))
		return -EALREADY;
	for (n = 1; n <= ZCB_RING_MEMBERS; n++) {
		nobody = 0;
		if (!__atomic_compare_exchange_n(&tpool->shared->members[n],
						 &nobody, self, false,
						 __ATOMIC_SEQ_CST,
						 __ATOMIC_RELAXED))
			continue;
		tpool->ring.me = n;
		return 0;
	}
	return -EMFILE;
}

int zcb_tshare_create(struct zcbuf_tpool *tpool, __u32 capacity)
{
	const struct zcbuf_buf_opts opts = {
		.sz = sizeof(opts), .align = PAGE,
	};
	struct zcb_tpool_shared *s;
	__u32 i;
	int err;

	err = zcbuf_buf_alloc_opts(tpool->pool, shared_bytes(capacity), &opts,
				   &tpool->control);
	if (err)
		return err;
	s = tpool->control.data;
	memset(s, 0, offsetof(struct zcb_tpool_shared, ring));
	s->version = VERSION;
	s->capacity = capacity;
	s->size = tpool->size;
	s->nblocks = tpool->nblocks;
	for (i = 0; i < tpool->nblocks; i++)
		s->blocks[i] = tpool->blocks[i].handle;
	tpool->shared = s;
	tpool->ring.mem = &s->ring;
	zcb_ring_init(&tpool->ring);
	__atomic_store_n(&s->magic, MAGIC, __ATOMIC_RELEASE);
	return join(tpool);
}

/* Nobody else looks at what is held by a session that lives. */
void zcb_tshare_leave(struct zcbuf_tpool *tpool)
{
	struct zcb_ring *ring = &tpool->ring;
	__u64 i;

	for (i = 0; i <= ring->mask; i++)
		if (zcb_ring_holder(ring, i) == ring->me)
			zcb_ring_put(ring, i);
	free_member(tpool, ring->me, tpool->pool->id);
}

static bool is_power(__u32 n)
{
	return n && !(n & (n - 1));
}

/* What others can write to is copied, then looked at. */
static int read_geometry(struct zcbuf_tpool *tpool, __u64 *blocks)
{
	const struct zcb_tpool_shared *s = tpool->shared;
	__u32 capacity, size, n;

	if (tpool->control.capacity < shared_bytes(1) ||
	    __atomic_load_n(&s->magic, __ATOMIC_ACQUIRE) != MAGIC ||
	    s->version != VERSION)
		return -EINVAL;
	capacity = __atomic_load_n(&s->capacity, __ATOMIC_RELAXED);
	size = __atomic_load_n(&s->size, __ATOMIC_RELAXED);
	n = __atomic_load_n(&s->nblocks, __ATOMIC_RELAXED);
	if (!is_power(capacity) || capacity > ZCB_RING_MAX || !is_power(size) ||
	    !is_power(n) || n > ZCB_TPOOL_BLOCKS || n > capacity ||
	    shared_bytes(capacity) > tpool->control.capacity)
		return -EINVAL;
	memcpy(blocks, s->blocks, n * sizeof(*blocks));
	tpool->size = size;
	tpool->nblocks = n;
	tpool->ring.mem = &tpool->shared->ring;
	tpool->ring.mask = capacity - 1;
	tpool->block_shift = __builtin_ctz(capacity / n);
	return 0;
}

static int find_blocks(struct zcbuf_tpool *tpool)
{
	__u64 blocks[ZCB_TPOOL_BLOCKS];
	__u32 i, n;
	int err;

	err = read_geometry(tpool, blocks);
	n = tpool->nblocks;
	tpool->nblocks = 0;
	for (i = 0; i < n && !err; i++)
		err = zcbuf_buf_adopt(tpool->pool, blocks[i],
				      tpool->size << tpool->block_shift,
				      &tpool->blocks[i]);
	if (!err)
		tpool->nblocks = n;
	return err;
}

/* Not the buffers: whose they are does not change if this fails. */
static void forget(struct zcbuf_tpool *tpool)
{
	tpool->nblocks = 0;
	tpool->control.handle = 0;
	zcb_tpool_drop(tpool);
}

int zcbuf_tpool_attach(struct zcbuf_pool *pool, __u64 handle,
		       struct zcbuf_tpool **out)
{
	struct zcbuf_tpool *tpool;
	int err = zcb_pool_writable(pool);

	if (err)
		return err;
	tpool = zcb_tpool_new(pool);
	if (!tpool)
		return -ENOMEM;
	err = zcbuf_buf_adopt(pool, handle, 0, &tpool->control);
	tpool->shared = tpool->control.data;
	if (!err)
		err = find_blocks(tpool);
	if (!err)
		err = join(tpool);
	if (err) {
		forget(tpool);
		return err;
	}
	*out = tpool;
	return 0;
}

__u64 zcbuf_tpool_handle(const struct zcbuf_tpool *tpool)
{
	return tpool->control.handle;
}

/* The control buffer is the last: who has it has all. */
int zcbuf_tpool_share(struct zcbuf_tpool *tpool, __u64 session)
{
	__u64 handles[ZCB_TPOOL_BLOCKS + 1];
	__u32 n = tpool->nblocks;
	__u32 i;
	int done;

	if (!tpool->shared)
		return -EINVAL;
	for (i = 0; i < n; i++)
		handles[i] = tpool->blocks[i].handle;
	handles[n++] = tpool->control.handle;
	for (i = 0; i < n; i += done) {
		done = zcbuf_share(tpool->pool, session, handles + i, n - i);
		/* It got as far as that before. */
		if (done == -EALREADY && i < n - 1)
			done = 1;
		if (done < 0)
			return done;
	}
	return 0;
}

int zcbuf_tpool_give(struct zcbuf_tpool *tpool, int index, __u64 session)
{
	struct zcb_ring *ring = &tpool->ring;
	int err = zcb_tpool_usable(tpool);
	__u32 to;

	if (err)
		return err;
	if (!tpool->shared || !zcb_tpool_has(tpool, index))
		return -EINVAL;
	to = session ? number_of(tpool, session) : 0;
	if (!to)
		return -ENOENT;
	err = zcb_ring_pass(ring, index, ring->me, to);
	if (err || member(tpool, to) == session)
		return err;
	/* It has left meanwhile: take it back, if nobody has. */
	return zcb_ring_pass(ring, index, to, ring->me) ? -EBADSLT : -ENOENT;
}

/* ---------------------------------------------------------------- the dead */

/*
 * struct census - who was gone before the words were looked at
 * @tpool: of it
 * @gone: by number, the session that had it and is gone; 0: none
 */
struct census {
	const struct zcbuf_tpool *tpool;
	__u64 gone[ZCB_RING_MEMBERS + 1];
};

static bool session_is_gone(struct zcbuf_pool *pool, __u64 session)
{
	const __u64 handle = NO_BUFFER;

	return session != pool->id &&
	       zcbuf_transfer(pool, session, &handle, 1) == -ENOENT;
}

static void take_census(const struct zcbuf_tpool *tpool, struct census *census)
{
	__u64 session;
	__u32 n;

	memset(census, 0, sizeof(*census));
	census->tpool = tpool;
	for (n = 1; n <= ZCB_RING_MEMBERS; n++) {
		session = member(tpool, n);
		if (session && session_is_gone(tpool->pool, session))
			census->gone[n] = session;
	}
}

/* A number that is somebody else's by now was not when the word was read. */
static bool is_gone(void *ctx, __u32 number)
{
	const struct census *census = ctx;
	__u64 session = member(census->tpool, number);

	return !session || session == census->gone[number];
}

static unsigned int recover(struct zcbuf_tpool *tpool)
{
	struct census census;
	unsigned int back;
	__u32 n;

	take_census(tpool, &census);
	back = zcb_ring_recover(&tpool->ring, is_gone, &census);
	for (n = 1; n <= ZCB_RING_MEMBERS; n++)
		if (census.gone[n])
			free_member(tpool, n, census.gone[n]);
	return back;
}

int zcbuf_tpool_recover(struct zcbuf_tpool *tpool)
{
	int err = zcb_tpool_usable(tpool);

	if (err)
		return err;
	return tpool->shared ? (int)recover(tpool) : -EINVAL;
}

/* One of the threads does it, and not all the time. */
static bool is_time_to_look(struct zcbuf_tpool *tpool)
{
	__u64 now = zcb_now_ns();
	__u64 then = __atomic_load_n(&tpool->looked_ns, __ATOMIC_RELAXED);

	return now - then >= LOOK_NS &&
	       __atomic_compare_exchange_n(&tpool->looked_ns, &then, now, false,
					   __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static int look(struct zcbuf_tpool *tpool)
{
	if (is_time_to_look(tpool))
		recover(tpool);
	return zcb_ring_get(&tpool->ring);
}

int zcb_tshare_wait(struct zcbuf_tpool *tpool, __u64 deadline_ns)
{
	__u64 ns = SLEEP_NS;
	int index = look(tpool);
	int err = deadline_ns ? 0 : -EAGAIN;

	while (index == -EAGAIN && !err) {
		err = zcb_sleep(ns, deadline_ns);
		if (ns < MAX_SLEEP_NS)
			ns += SLEEP_NS;
		index = look(tpool);
	}
	return index == -EAGAIN ? err : index;
}

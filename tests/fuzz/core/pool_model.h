/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A model of a pool: which pages are out (buddy_model.h has them, and says what
 * blocks are free then), who used each of them last, which are a slab's and
 * whose, and the buffers there are, each with what its owner has written all over
 * it. From that follows what the pool must answer, zero and count.
 */
#ifndef ZCBUF_POOL_MODEL_H
#define ZCBUF_POOL_MODEL_H

#include "pool_rig.h"
#include "../../kunit/buddy_model.h"

#define OWNERS		4
#define NOBODY		OWNERS
#define BUFS		256
#define RUNS		8
#define HISTORY		64U
#define SOMEBODY	(~0U)	/* a domain that is not any owner's */
#define BLOCK		(~0U)	/* instead of a class */
#define ANY_ERROR	1

/*
 * struct m_buf - a buffer
 * @owner: who has it; of several, whom the pool's records name
 * @has: all who have it, a bit for each
 * @class: of the pool's table, or BLOCK
 * @lent: of a slab: there is a record of whom it was lent to
 * @tag: what is in each unit of it, or 0: who knows
 */
struct m_buf {
	u64 handle;
	u64 offset;
	u64 capacity;
	u32 owner;
	u32 has;
	u32 class;
	bool lent;
	u8 tag;
};

/* What a channel has for a group: pages without a handle. */
struct m_run {
	u32 page;
	u32 npages;
};

/*
 * struct m_slab - by its first page
 * @lessee: an owner, or NOBODY: he is gone
 * @nout: objects; 0: there is no slab
 * @mixed: others have had objects of it
 * @closed: its arena was retired for a while, and it has missed the end of that
 */
struct m_slab {
	u32 class;
	u32 lessee;
	u32 nout;
	u32 gen;
	bool mixed;
	bool closed;
};

/*
 * struct state - the pool and its model
 * @hold, @domain, @tag: of each owner
 * @born: owners so far
 * @arena: of @narenas
 * @state, @out: of each: what has become of it, and how many of its pages are out
 * @named: by page: part of a buffer or a slab
 * @last: by page, in FIXED pools by object: domain of who used it last
 * @nout: pages that are out
 * @nid: of each: it is of one NUMA node, as somebody wished; or NUMA_NO_NODE
 * @paused: the pool does not grow by itself for a while
 * @node_paused: it does not for who wants memory of one of these nodes
 * @emptying: more is freed than allocated
 */
struct state {
	struct kunit *test;
	struct zcb_rand *in;
	struct zcb_pool *pool;
	struct zcb_holdings hold[OWNERS];
	u32 domain[OWNERS];
	u8 tag[OWNERS];
	u32 born;
	struct arena *arena[RIG_ARENAS];
	enum zcb_arena_state state[RIG_ARENAS];
	u32 out[RIG_ARENAS];
	int nid[RIG_ARENAS];
	u32 narenas;
	u32 max_arenas;
	u32 in_arena;
	bool paused;
	u32 node_paused;
	bool emptying;
	u8 *named;
	u32 *last;
	struct m_slab *slab;
	u32 nout;
	struct m_buf buf[BUFS];
	u32 nbufs;
	struct m_run run[RUNS];
	u64 history[HISTORY];
	u32 nhistory;
	u64 used;
	u64 max_used;
	u64 min_free;
	u64 bad_frees;
};

static u32 below(struct state *s, u32 n)
{
	return zcb_rand_below(s->in, n);
}

static bool has_flag(const struct state *s, u32 flag)
{
	return s->pool->cfg.flags & flag;
}

static bool is_kind(const struct state *s, u32 kind)
{
	return s->pool->cfg.kind == kind;
}

/* ---------------------------------------------------------------- contents */

static void write_all(struct m_buf *b, u8 tag)
{
	memset(rig.memory + b->offset / RIG_UNIT, tag, b->capacity / RIG_UNIT);
	b->tag = tag;
}

/* Nobody else has written there, and nobody has zeroed it. */
static void check_written(struct state *s, const struct m_buf *b)
{
	const u8 *at = rig.memory + b->offset / RIG_UNIT;

	if (!b->tag)
		return;
	KUNIT_ASSERT_EQ(s->test, at[0], b->tag);
	KUNIT_ASSERT_EQ(s->test, 0, memcmp(at, at + 1,
					   b->capacity / RIG_UNIT - 1));
}

/* What a new buffer may show: zeroes, or what its owner has left there. */
static void check_fresh(struct state *s, const struct m_buf *b, bool zero)
{
	const u8 *at = rig.memory + b->offset / RIG_UNIT;
	const u8 *end = at + b->capacity / RIG_UNIT;

	if (!zero && has_flag(s, ZCBUF_POOL_F_NO_ZERO_ON_REUSE))
		return;
	for (; at < end; at++)
		if (*at && (zero || *at != s->tag[b->owner]))
			break;
	KUNIT_ASSERT_PTR_EQ(s->test, at, end);
}

/* Just these were zeroed, of those that are wanted. */
static void check_zeroed(struct state *s, const struct rig_range *want,
			 const bool *wanted, u32 n)
{
	u32 i, k = 0;

	for (i = 0; i < n; i++) {
		if (!wanted[i])
			continue;
		KUNIT_ASSERT_LT(s->test, k, rig.nzeroed);
		KUNIT_ASSERT_EQ(s->test, rig.zeroed[k].offset, want[i].offset);
		KUNIT_ASSERT_EQ(s->test, rig.zeroed[k].length, want[i].length);
		k++;
	}
	KUNIT_ASSERT_EQ(s->test, rig.nzeroed, k);
}

/* [first, first + n) of @last is @domain's from now on: must it be zeroed? */
static bool claim(struct state *s, u32 first, u32 n, u32 domain, bool zero)
{
	bool used = false, foreign = false;
	u32 i;

	for (i = first; i < first + n; i++) {
		used |= s->last[i];
		foreign |= s->last[i] && s->last[i] != domain;
		s->last[i] = domain;
	}
	return (zero && used) ||
	       (foreign && !has_flag(s, ZCBUF_POOL_F_NO_ZERO_ON_REUSE));
}

/* ------------------------------------------------------------------- pages */

static struct arena *arena_of(struct state *s, u32 page)
{
	return s->arena[page / s->in_arena];
}

/* Where a block of @order that has @page starts: it is aligned in its arena. */
static u32 start_of(const struct state *s, u32 page, u32 order)
{
	u32 in_arena = page % s->in_arena;

	return page - in_arena % (1U << order);
}

static bool is_live(const struct state *s, u32 page)
{
	return s->state[page / s->in_arena] == ZCB_ARENA_LIVE;
}

/* Those that are not gone. */
static u32 present(const struct state *s)
{
	u32 i, n = 0;

	for (i = 0; i < s->narenas; i++)
		n += s->state[i] != ZCB_ARENA_GONE;
	return n;
}

/* Pages that nobody has or gets. */
static u64 idle_bytes(const struct state *s)
{
	u64 pages = 0;
	u32 i;

	for (i = 0; i < s->narenas; i++)
		if (s->state[i] == ZCB_ARENA_RETIRING ||
		    s->state[i] == ZCB_ARENA_PINNED)
			pages += s->in_arena - s->out[i];
	return pages * PAGE_SIZE;
}

/* After less has become free to be had. */
static void count_free(struct state *s)
{
	u64 size = present(s) * s->pool->cfg.arena_size;

	s->min_free = min(s->min_free, size - s->used - idle_bytes(s));
}

static void count_used(struct state *s, u64 bytes)
{
	s->used += bytes;
	s->max_used = max(s->max_used, s->used);
	count_free(s);
}

/* A block that the pool says was free. */
static void pages_out(struct state *s, u32 page, u32 order, bool named)
{
	KUNIT_ASSERT_LT(s->test, page, s->narenas * s->in_arena);
	KUNIT_ASSERT_TRUE(s->test, is_live(s, page));
	mark_out(s->test, arena_of(s, page), page % s->in_arena, order);
	memset(s->named + page, named, 1U << order);
	s->nout += 1U << order;
	s->out[page / s->in_arena] += 1U << order;
	count_used(s, PAGE_SIZE << order);
}

static void pages_back(struct state *s, u32 page, u32 npages)
{
	memset(arena_of(s, page)->out + page % s->in_arena, 0, npages);
	memset(s->named + page, 0, npages);
	s->nout -= npages;
	s->out[page / s->in_arena] -= npages;
	s->used -= npages * PAGE_SIZE;
}

/* Is all of it of that node? Any is, for who wants none. */
static bool is_on(const struct state *s, u32 page, u32 npages, int nid)
{
	int of = s->nid[page / s->in_arena];
	u32 i;

	if (nid == NUMA_NO_NODE || of != NUMA_NO_NODE)
		return nid == NUMA_NO_NODE || of == nid;
	for (i = page; i < page + npages; i++)
		if ((rig.piece ? i / rig.piece % RIG_NODES : 0) != nid)
			return false;
	return true;
}

/* In one arena; any place will do. */
static bool has_block_on(const struct state *s, u32 arena, u32 order, int nid)
{
	u32 i, first = arena * s->in_arena;

	for (i = 0; i + (1U << order) <= s->in_arena; i += 1U << order)
		if (none_out(s->arena[arena], i, 1U << order) &&
		    is_on(s, first + i, 1U << order, nid))
			return true;
	return false;
}

static bool has_block(struct state *s, u32 order, int nid)
{
	u32 i, page;

	for (i = 0; i < s->narenas; i++) {
		if (s->state[i] != ZCB_ARENA_LIVE)
			continue;
		if (nid != NUMA_NO_NODE) {
			if (has_block_on(s, i, order, nid))
				return true;
			continue;
		}
		learn(s->arena[i]);
		if (!expected_block(s->arena[i], order, &page))
			return true;
	}
	return false;
}

static bool may_grow(const struct state *s, int nid)
{
	return has_flag(s, ZCBUF_POOL_F_AUTO_GROW) && !s->paused &&
	       (nid == NUMA_NO_NODE || !(s->node_paused & BIT(nid))) &&
	       present(s) < s->max_arenas;
}

static void add_arena(struct state *s, int nid)
{
	s->nid[s->narenas] = nid;
	s->arena[s->narenas++] = make_arena(s->test, s->in_arena);
	KUNIT_ASSERT_EQ(s->test, s->pool->narenas, s->narenas);
}

/*
 * Somebody wanted a block, and has got one or not. No block is refused while one
 * is free, kept by whatever CPU, and no arena is added.
 */
static void check_room(struct state *s, u32 order, int nid, bool got)
{
	if (rig.grown || !got) {
		KUNIT_ASSERT_FALSE(s->test, has_block(s, order, nid));
		KUNIT_ASSERT_EQ(s->test, rig.grown, may_grow(s, nid));
	}
	if (!rig.grown)
		return;
	KUNIT_ASSERT_EQ(s->test, got, !rig.refused);
	if (got)
		add_arena(s, nid);
	if (nid == NUMA_NO_NODE)
		s->paused = !got;
	else if (!got)
		s->node_paused |= BIT(nid);
	/* It is only asked for once, and what follows shall know. */
	rig.grown = 0;
}

/* ----------------------------------------------------------------- buffers */

static struct m_buf *find_live(struct state *s, u64 handle)
{
	u32 i;

	for (i = 0; i < s->nbufs; i++)
		if (s->buf[i].handle == handle)
			return &s->buf[i];
	return NULL;
}

static bool is_known(const struct state *s, u64 handle)
{
	u32 i;

	for (i = 0; i < min(s->nhistory, HISTORY); i++)
		if (s->history[i] == handle)
			return true;
	return false;
}

static void check_apart(struct state *s, u64 offset, u64 length)
{
	const struct m_buf *b;

	for (b = s->buf; b < s->buf + s->nbufs; b++)
		KUNIT_ASSERT_TRUE(s->test, offset + length <= b->offset ||
				  b->offset + b->capacity <= offset);
}

static void add_buf(struct state *s, u64 handle, u32 owner, u32 class,
		    u64 capacity, bool zero)
{
	struct m_buf *b = &s->buf[s->nbufs];
	u64 offset = zcbuf_buf_offset(handle);

	KUNIT_ASSERT_NE(s->test, handle, 0ULL);
	check_apart(s, offset, capacity);
	*b = (struct m_buf){
		.handle = handle,
		.offset = offset,
		.capacity = capacity,
		.owner = owner,
		.has = BIT(owner),
		.class = class,
	};
	s->nbufs++;
	check_fresh(s, b, zero);
	if (below(s, 4))
		write_all(b, s->tag[owner]);
}

static struct m_slab *slab_of(struct state *s, u32 class, u64 offset)
{
	u32 order = s->pool->cfg.slabs.class[class].order;

	return &s->slab[start_of(s, offset >> PAGE_SHIFT, order)];
}

static u32 slab_gen(u64 handle)
{
	return handle >> ZCBUF_BUF_SLAB_BITS & ZCB_BUF_SLAB_GEN_MAX;
}

static void slab_goes(struct state *s, struct m_slab *m)
{
	u32 page = m - s->slab, i;
	u32 npages = 1U << s->pool->cfg.slabs.class[m->class].order;

	for (i = page; m->mixed && i < page + npages; i++)
		s->last[i] = SOMEBODY;
	pages_back(s, page, npages);
}

static void object_back(struct state *s, const struct m_buf *b)
{
	struct m_slab *m = slab_of(s, b->class, b->offset);

	if (!--m->nout)
		slab_goes(s, m);
}

/* Nobody has it any more. */
static void buf_gone(struct state *s, struct m_buf *b)
{
	check_written(s, b);
	if (b->class == BLOCK)
		pages_back(s, b->offset >> PAGE_SHIFT,
			   b->capacity >> PAGE_SHIFT);
	else if (is_kind(s, ZCBUF_POOL_FIXED))
		s->used -= b->capacity;
	else
		object_back(s, b);
	s->history[s->nhistory++ % HISTORY] = b->handle;
	*b = s->buf[--s->nbufs];
}

/* The pool's records name another one: of those who have it, the first. */
static void inherit(struct state *s, struct m_buf *b)
{
	b->owner = __ffs(b->has);
	if (b->lent && is_power_of_2(b->has) &&
	    slab_of(s, b->class, b->offset)->lessee == b->owner)
		b->lent = false;
}

/* Who had it with others, or alone, has given it back, or he is dead. */
static void part_gone(struct state *s, struct m_buf *b, u32 who)
{
	check_written(s, b);
	b->has &= ~BIT(who);
	if (!b->has)
		buf_gone(s, b);
	else if (b->owner == who)
		inherit(s, b);
}

/* ------------------------------------------------------------------ answers */

/* Of a slab object that is back. */
static int expected_object(struct state *s, u64 handle, u32 owner)
{
	u64 offset = zcbuf_buf_offset(handle);
	u32 class = zcbuf_buf_class(handle) - ZCBUF_BUF_SLAB;
	const struct m_slab *m = slab_of(s, class, offset);

	if (m->nout && m->class == class && m->gen == slab_gen(handle))
		return m->lessee == owner ? -EBADSLT : -EPERM;
	return s->named[offset >> PAGE_SHIFT] ? -ESTALE : -EBADSLT;
}

/* Of a handle that was freed. */
static int expected_of_old(struct state *s, u64 handle, u32 owner)
{
	u64 offset = zcbuf_buf_offset(handle);
	const struct m_buf *b;

	if (s->state[offset / s->pool->cfg.arena_size] >= ZCB_ARENA_PINNED)
		return -ENOENT;
	if (zcbuf_buf_class(handle) < ZCBUF_BUF_SLAB)
		return s->named[offset >> PAGE_SHIFT] ? -ESTALE : -EBADSLT;
	if (is_kind(s, ZCBUF_POOL_TIERS))
		return expected_object(s, handle, owner);
	for (b = s->buf; b < s->buf + s->nbufs; b++)
		if (b->offset == offset)
			return -ESTALE;
	return -EBADSLT;
}

/* What @owner is answered who says @handle; with 0, the buffer. */
static int expected(struct state *s, u64 handle, u32 owner, struct m_buf **b)
{
	*b = find_live(s, handle);
	if (*b)
		return (*b)->has & BIT(owner) ? 0 : -EPERM;
	return is_known(s, handle) ? expected_of_old(s, handle, owner) :
				     ANY_ERROR;
}

static void check_answer(struct state *s, int err, int want)
{
	if (want != ANY_ERROR)
		KUNIT_ASSERT_EQ(s->test, err, want);
	else
		KUNIT_ASSERT_TRUE(s->test, err == -EINVAL || err == -ENOENT ||
				  err == -EPERM || err == -EBADSLT ||
				  err == -ESTALE);
}

#endif /* ZCBUF_POOL_MODEL_H */

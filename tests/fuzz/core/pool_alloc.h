/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What an ALLOC must come to: which block or object, or none, what of it is
 * zeroed, and when the pool has grown for it.
 */
#ifndef ZCBUF_POOL_ALLOC_H
#define ZCBUF_POOL_ALLOC_H

#include "pool_model.h"

static u64 class_length(const struct state *s, u32 class)
{
	if (is_kind(s, ZCBUF_POOL_FIXED))
		return s->pool->cfg.fixed.class[class].length;
	return s->pool->cfg.slabs.class[class].length;
}

/* What every object's place is a multiple of. */
static u64 class_align(const struct state *s, u32 class)
{
	u64 length = class_length(s, class);

	if (is_kind(s, ZCBUF_POOL_FIXED))
		return s->pool->cfg.fixed.class[class].align;
	return length & -length;
}

static u32 nclasses(const struct state *s)
{
	return s->pool->cfg.slabs.n + s->pool->cfg.fixed.n;
}

/* As the manual says: the smallest that will do. */
static int class_for(const struct state *s, const struct zcb_memory_request *r)
{
	u32 i, n = nclasses(s);

	for (i = 0; i < n; i++)
		if (class_length(s, i) >= r->length &&
		    class_align(s, i) >= r->align)
			return i;
	return -1;
}

static void got_block(struct state *s, u32 owner, u32 order, int nid, bool zero,
		      u64 handle)
{
	struct rig_range r = { zcbuf_buf_offset(handle), PAGE_SIZE << order };
	u32 page = r.offset >> PAGE_SHIFT;
	bool must;

	KUNIT_ASSERT_EQ(s->test, zcbuf_buf_class(handle), order);
	KUNIT_ASSERT_TRUE(s->test, is_on(s, page, 1U << order, nid));
	KUNIT_ASSERT_EQ(s->test, page, start_of(s, page, order));
	KUNIT_ASSERT_FALSE(s->test, is_known(s, handle));
	pages_out(s, page, order, true);
	must = claim(s, page, 1U << order, s->domain[owner], zero);
	check_zeroed(s, &r, &must, 1);
	add_buf(s, handle, owner, BLOCK, r.length, zero);
}

static void alloc_block(struct state *s, u32 owner,
			const struct zcb_memory_request *r, int err, u64 handle)
{
	u64 bytes = max_t(u64, r->length, r->align);
	u32 order = 0;

	while (PAGE_SIZE << order < bytes && order < 63)
		order++;
	if (1ULL << order > s->in_arena) {
		KUNIT_ASSERT_EQ(s->test, err, -E2BIG);
		return;
	}
	check_room(s, order, zcb_memory_nid(r), !err);
	if (!err)
		got_block(s, owner, order, zcb_memory_nid(r), r->zero, handle);
	else
		KUNIT_ASSERT_EQ(s->test, err,
				r->deadline_ns ? -ETIMEDOUT : -ENOMEM);
}

static bool slab_has_room(const struct state *s, u32 class, u32 owner, int nid)
{
	u32 npages = 1U << s->pool->cfg.slabs.class[class].order;
	u32 nobjs = s->pool->cfg.slabs.class[class].nobjs;
	const struct m_slab *m = s->slab;

	for (; m < s->slab + s->narenas * s->in_arena; m++)
		if (m->nout && m->class == class && m->lessee == owner &&
		    m->nout < nobjs && !m->closed && is_live(s, m - s->slab) &&
		    is_on(s, m - s->slab, npages, nid))
			return true;
	return false;
}

/* Pages that no slab had: must they be zeroed? */
static bool new_slab(struct state *s, u32 class, u32 owner, u64 handle,
		     struct m_slab *m)
{
	u32 order = s->pool->cfg.slabs.class[class].order;
	u32 page = m - s->slab;

	*m = (struct m_slab){
		.class = class, .lessee = owner, .gen = slab_gen(handle),
	};
	pages_out(s, page, order, true);
	return claim(s, page, 1U << order, s->domain[owner], false);
}

static void got_object(struct state *s, u32 owner, u32 class,
		       const struct zcb_memory_request *r, u64 handle,
		       bool room)
{
	const struct zcb_slab_class *c = &s->pool->cfg.slabs.class[class];
	u64 offset = zcbuf_buf_offset(handle);
	struct m_slab *m = slab_of(s, class, offset);
	struct rig_range range[] = {
		{ (u64)(m - s->slab) << PAGE_SHIFT, PAGE_SIZE << c->order },
		{ offset, c->length },
	};
	bool must[2] = {};

	KUNIT_ASSERT_EQ(s->test, zcbuf_buf_class(handle),
			ZCBUF_BUF_SLAB + class);
	if (!room)
		must[0] = new_slab(s, class, owner, handle, m);
	KUNIT_ASSERT_EQ(s->test, m->class, class);
	KUNIT_ASSERT_EQ(s->test, m->lessee, owner);
	KUNIT_ASSERT_EQ(s->test, m->gen, slab_gen(handle));
	KUNIT_ASSERT_TRUE(s->test, !m->closed && is_live(s, m - s->slab));
	KUNIT_ASSERT_TRUE(s->test, is_on(s, m - s->slab, 1U << c->order,
					 zcb_memory_nid(r)));
	offset -= range[0].offset;
	KUNIT_ASSERT_EQ(s->test, offset % c->length, 0ULL);
	KUNIT_ASSERT_LE(s->test, offset + c->length, range[0].length);
	must[1] = r->zero || (m->mixed &&
			      !has_flag(s, ZCBUF_POOL_F_NO_ZERO_ON_REUSE));
	check_zeroed(s, range, must, 2);
	m->nout++;
	add_buf(s, handle, owner, class, c->length, r->zero);
}

static void alloc_object(struct state *s, u32 owner, u32 class,
			 const struct zcb_memory_request *r, int err,
			 u64 handle, bool starved)
{
	int nid = zcb_memory_nid(r);
	bool room = slab_has_room(s, class, owner, nid);
	bool block = !err && zcbuf_buf_class(handle) < ZCBUF_BUF_SLAB;

	if (!room && !starved)
		check_room(s, s->pool->cfg.slabs.class[class].order, nid,
			   !err && !block);
	/* Where no slab can be of the node, a block is. */
	if (r->on_node && !room && !starved && (err || block)) {
		alloc_block(s, owner, r, err, handle);
		return;
	}
	if (!err)
		got_object(s, owner, class, r, handle, room);
	else
		KUNIT_ASSERT_EQ(s->test, err, !starved && r->deadline_ns ?
				-ETIMEDOUT : -ENOMEM);
	if (err || starved)
		KUNIT_ASSERT_FALSE(s->test, room);
}

static bool is_out(const struct state *s, u64 offset)
{
	const struct m_buf *b;

	for (b = s->buf; b < s->buf + s->nbufs; b++)
		if (b->offset == offset)
			return true;
	return false;
}

static bool fixed_is_on(const struct state *s, u64 offset, u32 length, int nid)
{
	u32 first = offset >> PAGE_SHIFT;

	return is_on(s, first, ((offset + length - 1) >> PAGE_SHIFT) - first + 1,
		     nid);
}

static bool fixed_has_room(const struct state *s, u32 class, int nid)
{
	const struct zcb_fixed_class *c = &s->pool->cfg.fixed.class[class];
	u64 offset = c->base;
	u32 i;

	for (i = 0; i < c->count; i++, offset += c->length)
		if (!is_out(s, offset) &&
		    fixed_is_on(s, offset, c->length, nid))
			return true;
	return false;
}

static u32 class_used(const struct state *s, u32 class)
{
	const struct m_buf *b;
	u32 n = 0;

	for (b = s->buf; b < s->buf + s->nbufs; b++)
		n += b->class == class;
	return n;
}

static void got_fixed(struct state *s, u32 owner, u32 class, bool zero,
		      u64 handle)
{
	const struct zcb_fixed_class *c = &s->pool->cfg.fixed.class[class];
	struct rig_range r = { zcbuf_buf_offset(handle), c->length };
	u64 in_class = r.offset - c->base;
	bool must;

	KUNIT_ASSERT_EQ(s->test, zcbuf_buf_class(handle),
			ZCBUF_BUF_SLAB + class);
	KUNIT_ASSERT_EQ(s->test, in_class % c->length, 0ULL);
	KUNIT_ASSERT_LT(s->test, in_class / c->length, (u64)c->count);
	KUNIT_ASSERT_FALSE(s->test, is_known(s, handle));
	count_used(s, c->length);
	must = claim(s, c->first + in_class / c->length, 1, s->domain[owner],
		     zero);
	check_zeroed(s, &r, &must, 1);
	add_buf(s, handle, owner, class, c->length, zero);
}

static void alloc_fixed(struct state *s, u32 owner, u32 class,
			const struct zcb_memory_request *r, int err, u64 handle)
{
	int nid = zcb_memory_nid(r);

	KUNIT_ASSERT_EQ(s->test, err, fixed_has_room(s, class, nid) ? 0 :
			r->deadline_ns ? -ETIMEDOUT : -ENOMEM);
	if (err)
		return;
	KUNIT_ASSERT_TRUE(s->test, fixed_is_on(s, zcbuf_buf_offset(handle),
					       class_length(s, class), nid));
	got_fixed(s, owner, class, r->zero, handle);
}

static bool is_valid(const struct state *s, const struct zcb_memory_request *r)
{
	return (!r->align || is_power_of_2(r->align)) && r->align <= 2U << 20 &&
	       (r->length || !is_kind(s, ZCBUF_POOL_TIERS));
}

static void check_alloc(struct state *s, u32 owner,
			const struct zcb_memory_request *r, int err, u64 handle,
			bool starved)
{
	int class = class_for(s, r);

	if (!is_valid(s, r))
		KUNIT_ASSERT_EQ(s->test, err, -EINVAL);
	else if (class >= 0 && is_kind(s, ZCBUF_POOL_TIERS))
		alloc_object(s, owner, class, r, err, handle, starved);
	else if (class >= 0)
		alloc_fixed(s, owner, class, r, err, handle);
	else if (is_kind(s, ZCBUF_POOL_FIXED))
		KUNIT_ASSERT_EQ(s->test, err, -E2BIG);
	else
		alloc_block(s, owner, r, err, handle);
}

#endif /* ZCBUF_POOL_ALLOC_H */

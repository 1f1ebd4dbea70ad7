/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * TRANSFER and SHARE: who has a buffer then, what must be known for it, and that
 * nobody sees what another one wrote there.
 */
#ifndef ZCBUF_POOL_GIVE_H
#define ZCBUF_POOL_GIVE_H

#include "pool_model.h"

/* One there is, one there was, nearly one of these, or anything. */
static u64 choose_handle(struct state *s, u32 *owner)
{
	u64 handle = s->history[below(s, HISTORY)];
	const struct m_buf *b;
	u32 kind = below(s, 16);

	*owner = below(s, OWNERS);
	if (s->nbufs && kind < 13) {
		b = &s->buf[below(s, s->nbufs)];
		handle = b->handle;
		if (kind < 11 && !(b->has & BIT(*owner)))
			*owner = b->owner;
	}
	if (kind == 14)
		handle ^= BIT_ULL(below(s, 64));
	return kind == 15 ? input_any(s->in) : handle;
}

static bool is_object(const struct state *s, const struct m_buf *b)
{
	return b->class != BLOCK && is_kind(s, ZCBUF_POOL_TIERS);
}

static bool is_shared(const struct m_buf *b)
{
	return !is_power_of_2(b->has);
}

/* Where in @last it is. */
static u32 last_of(const struct state *s, const struct m_buf *b, u32 *n)
{
	const struct zcb_fixed *f = &s->pool->cfg.fixed;

	*n = 1;
	if (b->class == BLOCK) {
		*n = b->capacity >> PAGE_SHIFT;
		return b->offset >> PAGE_SHIFT;
	}
	return f->class[b->class].first +
	       (b->offset - f->class[b->class].base) / b->capacity;
}

/* Alone, and in his own slab, it is known by that. */
static void lend(struct state *s, struct m_buf *b, u32 to)
{
	struct m_slab *m = slab_of(s, b->class, b->offset);

	b->lent = m->lessee != to || is_shared(b);
	m->mixed |= b->lent;
}

/* What he writes there is his to the next, if nobody has shared it. */
static void given(struct state *s, struct m_buf *b, u32 from, u32 to)
{
	u32 first, n;

	check_written(s, b);
	b->has ^= BIT(from) | BIT(to);
	write_all(b, s->tag[to]);
	if (b->owner != from)
		return;
	b->owner = to;
	if (is_object(s, b)) {
		lend(s, b, to);
		return;
	}
	first = last_of(s, b, &n);
	if (s->last[first] != SOMEBODY)
		claim(s, first, n, s->domain[to], false);
}

static void shared(struct state *s, struct m_buf *b, u32 to)
{
	u32 first, n;

	check_written(s, b);
	b->has |= BIT(to);
	write_all(b, s->tag[to]);
	if (is_object(s, b)) {
		lend(s, b, b->owner);
		return;
	}
	first = last_of(s, b, &n);
	while (n--)
		s->last[first + n] = SOMEBODY;
}

/* Of who has it, before anything is needed for that. */
static int expected_pass(struct state *s, u64 handle, u32 from, u32 to,
			 struct m_buf **b)
{
	int want = expected(s, handle, from, b);

	return !want && (*b)->has & BIT(to) ? -EALREADY : want;
}

static void transfer(void *state)
{
	struct state *s = state;
	u32 from, to = below(s, OWNERS);
	u64 handle = choose_handle(s, &from);
	struct zcb_spares spares;
	struct m_buf *b;
	int err, want;

	if (from == to)
		return;
	want = expected_pass(s, handle, from, to, &b);
	obj_allocations_fail = !below(s, 16);
	zcb_give_prepare(s->pool, &handle, 1, false, &spares);
	obj_allocations_fail = 0;
	if (!want && list_empty(&spares.loans) && is_object(s, b) && !b->lent)
		want = -ENOMEM;
	err = zcb_memory_transfer(s->pool, &s->hold[from], &s->hold[to],
				  s->domain[to], handle, &spares);
	zcb_give_finish(&spares);
	check_answer(s, err, want);
	if (!err)
		given(s, b, from, to);
}

static void share(void *state)
{
	struct state *s = state;
	u32 from, to = below(s, OWNERS), fails;
	u64 handle = choose_handle(s, &from);
	struct zcb_spares spares;
	struct m_buf *b;
	int err, want;

	if (from == to)
		return;
	want = expected_pass(s, handle, from, to, &b);
	fails = below(s, 32);
	obj_allocations_fail = fails == 0;
	zcb_give_prepare(s->pool, &handle, 1, true, &spares);
	obj_allocations_fail = 0;
	if (fails == 1) {
		zcb_slabs_spare_free(&spares.loans);
		INIT_LIST_HEAD(&spares.loans);
	}
	if (!want && (list_empty(&spares.shares) ||
		      (list_empty(&spares.loans) && is_object(s, b) &&
		       !b->lent)))
		want = -ENOMEM;
	err = zcb_memory_share(s->pool, &s->hold[from], &s->hold[to], handle,
			       &spares);
	zcb_give_finish(&spares);
	check_answer(s, err, want);
	if (!err)
		shared(s, b, to);
}

#endif /* ZCBUF_POOL_GIVE_H */

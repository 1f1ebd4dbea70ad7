/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Arenas that are retired: when they go, and what becomes of what is in them. That
 * nothing of them is handed out, the rest of the model knows by their state.
 */
#ifndef ZCBUF_POOL_RETIRE_H
#define ZCBUF_POOL_RETIRE_H

#include "pool_model.h"

/* What is due for arenas of which nothing is out. */
static void arenas_settle(struct state *s)
{
	u32 i;

	obj_work_run(&s->pool->retire_work);
	for (i = 0; i < s->narenas; i++) {
		if (s->state[i] == ZCB_ARENA_RETIRING && !s->out[i])
			s->state[i] = ZCB_ARENA_PINNED;
		if (s->state[i] == ZCB_ARENA_PINNED && !rig.pages_held)
			s->state[i] = ZCB_ARENA_GONE;
	}
}

/* What is due is not forgotten. */
static void check_arenas(struct state *s)
{
	bool due = false;
	u32 i;

	for (i = 0; i < s->narenas; i++) {
		KUNIT_ASSERT_EQ(s->test, s->pool->arenas[i]->state,
				s->state[i]);
		due |= s->state[i] == ZCB_ARENA_PINNED ||
		       (s->state[i] == ZCB_ARENA_RETIRING && !s->out[i]);
	}
	KUNIT_ASSERT_TRUE(s->test, !due || s->pool->retire_work.queued);
	KUNIT_ASSERT_EQ(s->test, s->pool->idle, idle_bytes(s));
	KUNIT_ASSERT_EQ(s->test, s->pool->size,
			present(s) * s->pool->cfg.arena_size);
}

/* Is there such an arena that can be retired? */
static int expected_arena(const struct state *s, u32 index)
{
	if (is_kind(s, ZCBUF_POOL_FIXED))
		return -EOPNOTSUPP;
	return index && index < s->narenas ? 0 : -EINVAL;
}

static bool is_used(const struct state *s, u32 index)
{
	return s->state[index] == ZCB_ARENA_PINNED || s->out[index] ||
	       (rig.pages_held && s->state[index] < ZCB_ARENA_PINNED);
}

static void retire(void *state)
{
	struct state *s = state;
	u32 index = below(s, RIG_ARENAS + 2), kind = below(s, 8), got = 77;
	bool now = kind & 1, waits = kind == 2;
	int want = expected_arena(s, index), err;

	if (below(s, 8))
		return;
	rig.pages_held = kind == 6;
	if (!want && now && is_used(s, index))
		want = -EBUSY;
	err = zcb_pool_retire(s->pool, NULL, index, now, waits, &got);
	if (!want) {
		if (s->state[index] == ZCB_ARENA_LIVE)
			s->state[index] = ZCB_ARENA_RETIRING;
		count_free(s);
		arenas_settle(s);
		if (waits && s->state[index] != ZCB_ARENA_GONE)
			want = -ETIMEDOUT;
		KUNIT_ASSERT_EQ(s->test, got, s->state[index]);
	}
	KUNIT_ASSERT_EQ(s->test, err, want);
}

/* Those that were looked at meanwhile are not used any more, the others are. */
static void learn_closed(struct state *s, u32 index)
{
	struct m_slab *m = s->slab + index * s->in_arena;
	u32 i;

	for (i = 0; i < s->in_arena; i++)
		if (m[i].nout)
			m[i].closed = zcb_buf_at(&s->pool->bufs, index *
						 s->in_arena + i)->slab->closed;
}

static void retire_cancel(void *state)
{
	struct state *s = state;
	u32 index = below(s, RIG_ARENAS + 2), got = 77;
	int want = expected_arena(s, index), err;

	if (!want && s->state[index] >= ZCB_ARENA_PINNED)
		want = -EALREADY;
	err = zcb_pool_retire_cancel(s->pool, index, &got);
	KUNIT_ASSERT_EQ(s->test, err, want);
	if (err)
		return;
	if (s->state[index] == ZCB_ARENA_RETIRING)
		learn_closed(s, index);
	s->state[index] = ZCB_ARENA_LIVE;
	KUNIT_ASSERT_EQ(s->test, got, ZCB_ARENA_LIVE);
}

/* The time for it has come. */
static void retire_look(void *state)
{
	struct state *s = state;

	rig.pages_held = !below(s, 4);
	arenas_settle(s);
}

#endif /* ZCBUF_POOL_RETIRE_H */

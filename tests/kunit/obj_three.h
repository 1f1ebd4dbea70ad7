/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites of buffers that go from one session to another stand on: three
 * sessions of a pool of each kind, and whose a buffer is.
 */
#ifndef ZCB_KUNIT_OBJ_THREE_H
#define ZCB_KUNIT_OBJ_THREE_H

#include "obj_rig.h"

#define OBJECT	64U

/**
 * struct three - a pool and three sessions of it
 * @pool: the pool
 * @a: one
 * @b: another
 * @c: and one more
 */
struct three {
	struct zcb_pool *pool;
	struct zcb_session *a;
	struct zcb_session *b;
	struct zcb_session *c;
};

static inline struct three attach(struct kunit *test, struct zcb_pool *pool)
{
	return (struct three){
		.pool = pool,
		.a = obj_session(test, pool),
		.b = obj_session(test, pool),
		.c = obj_session(test, pool),
	};
}

static inline struct three of_pages(struct kunit *test)
{
	return attach(test, obj_pool(test));
}

static inline struct three of_tiers(struct kunit *test)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);
	const u32 lengths[] = { OBJECT, 1024 };

	cfg->kind = ZCBUF_POOL_TIERS;
	KUNIT_ASSERT_EQ(test, zcb_slab_table_init(&cfg->slabs, lengths, 2,
						  PAGE_SHIFT), 0);
	return attach(test, obj_make_pool(test, cfg));
}

static inline struct three of_fixed(struct kunit *test)
{
	static const struct zcb_fixed_spec spec[] = { { PAGE_SIZE, 4 } };
	struct zcb_pool_config *cfg = obj_pool_config(test);

	cfg->kind = ZCBUF_POOL_FIXED;
	KUNIT_ASSERT_EQ(test, zcb_fixed_layout(&cfg->fixed, spec, 1,
					       PAGE_SHIFT), 0);
	return attach(test, obj_make_pool(test, cfg));
}

/* TRANSFER, or, if who does it shall @keep it, SHARE */
static inline int pass(struct zcb_session *from, struct zcb_session *to,
		       u64 handle, bool keep)
{
	u32 done;

	return zcb_session_give(from, to->id, &handle, 1, keep, &done);
}

static inline int give(struct zcb_session *from, struct zcb_session *to,
		       u64 handle)
{
	return pass(from, to, handle, false);
}

static inline int share(struct zcb_session *from, struct zcb_session *to,
			u64 handle)
{
	return pass(from, to, handle, true);
}

static inline int try_free(struct zcb_session *s, u64 handle)
{
	return zcb_memory_free(s->pool, &s->hold, handle);
}

/* What inspection says that @s holds. */
static inline void expect_holds(struct kunit *test, struct zcb_session *s,
				u64 buffers, u64 bytes)
{
	struct zcb_session_stat st;
	u32 cursor = s->domain - 1;

	KUNIT_ASSERT_TRUE(test, zcb_pool_session_stat(s->pool, &cursor, &st));
	KUNIT_EXPECT_EQ(test, st.id, s->id);
	KUNIT_EXPECT_EQ(test, st.buffers, buffers);
	KUNIT_EXPECT_EQ(test, st.bytes, bytes);
}

/* How many have it, as who has it is told; 0: @s has it not. */
static inline u32 holders(struct zcb_session *s, u64 handle)
{
	struct zcb_memory_place place;

	return zcb_memory_find(s->pool, &s->hold, handle, &place) ? 0 :
	       place.holders;
}

/* To whom not, by whom not, and what not; and nothing comes of it. */
static inline void pass_refused(struct kunit *test, bool keep)
{
	struct three t = of_pages(test);
	struct zcb_session *other = obj_session(test, obj_pool(test));
	u64 handle = obj_alloc(test, t.a, 1), gone = t.c->id;
	u64 before = obj_total_charged();
	u32 done = 9;

	KUNIT_EXPECT_EQ(test, zcb_session_give(t.a, 0, &handle, 1, keep, &done),
			-ENOENT);
	KUNIT_EXPECT_EQ(test, done, 0);
	KUNIT_EXPECT_EQ(test, pass(t.a, other, handle, keep), -ENOENT);
	KUNIT_EXPECT_EQ(test, pass(t.a, t.a, handle, keep), -EINVAL);
	KUNIT_EXPECT_EQ(test, pass(t.b, t.c, handle, keep), -EPERM);
	KUNIT_EXPECT_EQ(test, pass(t.a, t.b, 0, keep), -ENOENT);
	obj_close(test, t.c);
	KUNIT_EXPECT_EQ(test, zcb_session_give(t.a, gone, &handle, 1, keep,
					       &done), -ENOENT);
	t.b->rights &= ~ZCBUF_RIGHT_MAP_WRITE;
	KUNIT_EXPECT_EQ(test, pass(t.a, t.b, handle, keep), -EPERM);
	t.b->rights |= ZCBUF_RIGHT_MAP_WRITE;
	t.b->leaving = true;
	KUNIT_EXPECT_EQ(test, pass(t.a, t.b, handle, keep), -ENOENT);
	t.b->leaving = false;
	expect_holds(test, t.a, 1, PAGE_SIZE);
	expect_holds(test, t.b, 0, 0);
	KUNIT_EXPECT_EQ(test, holders(t.a, handle), 1);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), before);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, t.pool)->bad_frees, 0);
	KUNIT_EXPECT_EQ(test, try_free(t.a, handle), 0);
}

/* Of three the second is none of his. */
static inline void pass_in_order(struct kunit *test, bool keep)
{
	u32 done, left = keep ? 2 : 1;
	struct three t = of_pages(test);
	u64 handles[3];

	handles[0] = obj_alloc(test, t.a, 1);
	handles[1] = obj_alloc(test, t.b, 1);
	handles[2] = obj_alloc(test, t.a, 1);
	KUNIT_EXPECT_EQ(test, zcb_session_give(t.a, t.c->id, handles, 3, keep,
					       &done), -EPERM);
	KUNIT_EXPECT_EQ(test, done, 1);
	expect_holds(test, t.a, left, left * PAGE_SIZE);
	expect_holds(test, t.c, 1, PAGE_SIZE);
}

#endif /* ZCB_KUNIT_OBJ_THREE_H */

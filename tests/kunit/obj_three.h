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

static inline int give(struct zcb_session *from, struct zcb_session *to,
		       u64 handle)
{
	u32 done;

	return zcb_session_give(from, to->id, &handle, 1, false, &done);
}

static inline int share(struct zcb_session *from, struct zcb_session *to,
			u64 handle)
{
	u32 done;

	return zcb_session_give(from, to->id, &handle, 1, true, &done);
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

#endif /* ZCB_KUNIT_OBJ_THREE_H */

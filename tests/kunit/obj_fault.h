/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites of failing allocations stand on: a call whose first allocation is
 * made to fail, then its second, and so on until it succeeds; then the same with the
 * one that follows, and with all that follow. Each time all is as it was before.
 *
 * Needs fault injection of slabs and pages, with its switches in debugfs.
 */
#ifndef ZCB_KUNIT_OBJ_FAULT_H
#define ZCB_KUNIT_OBJ_FAULT_H

#include <linux/debugfs.h>
#include <linux/fs.h>

#include "obj_rig.h"

#define ATTEMPTS	200	/* more than any call makes */
#define PATIENCE	3	/* how often to fail what does not matter */
#define NO_PAGES	~0U	/* no order is as large */

/* ----------------------------------------------------------------- switches */

/**
 * struct switches - who is spared, unless told otherwise
 * @slab: slab allocations that may wait
 * @page: page allocations that may wait
 * @order: pages of smaller orders
 * @loud: slab failures are logged with a stack
 * @saved_loud: value of @loud
 */
struct switches {
	bool *slab;
	bool *page;
	u32 *order;
	unsigned long *loud;
	unsigned long saved_loud;
};

/* What a file in debugfs shows; debugfs need not be mounted. */
static inline void *shown_by(const char *dir_name, const char *name)
{
	struct dentry *dir = debugfs_lookup(dir_name, NULL);
	struct dentry *file = dir ? debugfs_lookup(name, dir) : NULL;
	void *value = file ? d_inode(file)->i_private : NULL;

	dput(file);
	dput(dir);
	return value;
}

static inline void spare(void *data)
{
	struct switches *sw = data;

	*sw->slab = true;
	*sw->page = true;
	*sw->order = 1;
	*sw->loud = sw->saved_loud;
}

static inline int fault_init(struct kunit *test)
{
	struct switches *sw;
	int err = obj_init(test);

	if (err)
		return err;
	sw = kunit_kzalloc(test, sizeof(*sw), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sw);
	sw->slab = shown_by("failslab", "ignore-gfp-wait");
	sw->page = shown_by("fail_page_alloc", "ignore-gfp-wait");
	sw->order = shown_by("fail_page_alloc", "min-order");
	sw->loud = shown_by("failslab", "verbose");
	if (!sw->slab || !sw->page || !sw->order || !sw->loud)
		kunit_skip(test, "no fault injection");
	sw->saved_loud = *sw->loud;
	*sw->slab = false;
	*sw->page = false;
	*sw->order = NO_PAGES;
	*sw->loud = 0;
	return kunit_add_action_or_reset(test, spare, sw);
}

/* ------------------------------------------------------------------- states */

/**
 * struct state - what anybody could see
 * @charged: to all users
 * @refs: to the module
 * @pool: of the first pool
 * @session: of its first session
 * @channel: of its first channel
 */
struct state {
	u64 charged;
	int refs;
	struct zcb_pool_stat pool;
	struct zcb_session_stat session;
	struct zcb_channel_stat channel;
};

static inline void take_state(struct kunit *test, struct state *st)
{
	struct zcb_pool *pool;
	u32 cursor = 0;

	obj_settle(test);
	memset(st, 0, sizeof(*st));
	st->charged = obj_total_charged();
	st->refs = module_refcount(THIS_MODULE);
	pool = zcb_pool_next(&cursor);
	if (!pool)
		return;
	zcb_pool_stat(pool, &st->pool);
	st->pool.min_free = 0;	/* an attempt may have come further */
	cursor = 0;
	zcb_pool_session_stat(pool, &cursor, &st->session);
	st->session.age_ns = 0;
	cursor = 0;
	zcb_pool_channel_stat(pool, &cursor, &st->channel);
	zcb_pool_put(pool);
}

/* Two states, and what is between them. */
struct states {
	struct state before;
	struct state after;
};

static inline void expect_same(struct kunit *test, const struct states *st, u32 n)
{
	KUNIT_EXPECT_EQ_MSG(test, st->after.charged, st->before.charged,
			    "failure %u", n);
	KUNIT_EXPECT_EQ_MSG(test, st->after.refs, st->before.refs,
			    "failure %u", n);
	KUNIT_EXPECT_EQ_MSG(test, memcmp(&st->after, &st->before,
					 sizeof(st->after)), 0,
			    "failure %u", n);
}

/**
 * struct fault - a call that is made to fail
 * @call: does it
 * @undo: after it succeeded
 * @pool: for @call
 * @s: for @call
 * @port: for @call
 * @cfg: for @call
 * @object: what @call has made, for @undo
 * @handle: what @call has made, for @undo
 * @failures: how often it failed, in the last round
 * @fallbacks: how often it succeeded without the allocation that failed
 */
struct fault {
	int (*call)(struct fault *f);
	void (*undo)(struct fault *f);
	struct zcb_pool *pool;
	struct zcb_session *s;
	struct zcb_port *port;
	const void *cfg;
	void *object;
	u64 handle;
	u32 failures;
	u32 fallbacks;
};

enum outcome {
	SUCCEEDED,	/* it makes fewer allocations */
	FELL_BACK,	/* it succeeded without the one that failed */
	FAILED,
};

static inline enum outcome fail_nth(struct kunit *test, struct fault *f, u32 n,
				    u32 more)
{
	u32 left, failed;
	int err;

	obj_watch_insist(more);
	obj_watch_fail(n);
	err = f->call(f);
	left = obj_watch_left();
	obj_watch_fail(0);
	failed = obj_watch_relent();
	if (!err)
		f->undo(f);
	if (err)
		KUNIT_EXPECT_EQ_MSG(test, err, -ENOMEM, "failure %u", n);
	if (left && !failed) {
		KUNIT_EXPECT_EQ(test, err, 0);
		return SUCCEEDED;
	}
	return err ? FAILED : FELL_BACK;
}

/*
 * An allocator may have to grow first, and does without: that allocation is gone
 * the next time, and the number counts again.
 */
static inline void fail_from_each(struct kunit *test, struct fault *f, u32 more,
				  struct states *st)
{
	u32 n, tries = 0;

	for (n = 1; n < ATTEMPTS; n += !tries) {
		take_state(test, &st->before);
		switch (fail_nth(test, f, n, more)) {
		case SUCCEEDED:
			return;
		case FELL_BACK:
			f->fallbacks++;
			tries = (tries + 1) % PATIENCE;
			break;
		case FAILED:
			f->failures++;
			tries = 0;
			take_state(test, &st->after);
			expect_same(test, st, n);
		}
	}
	KUNIT_FAIL(test, "more than %u allocations", ATTEMPTS);
}

/* Each allocation of @f->call fails: alone, with the next, with all. */
static inline void fail_each(struct kunit *test, struct fault *f)
{
	struct states *st = kunit_kzalloc(test, sizeof(*st), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, st);
	fail_from_each(test, f, 0, st);
	KUNIT_EXPECT_GT(test, f->failures, 0);
	if (!IS_ENABLED(CONFIG_TRACEPOINTS))
		return;
	fail_from_each(test, f, 1, st);
	f->failures = 0;
	fail_from_each(test, f, ~0U, st);
}

/* For a call that leaves nothing behind. */
static inline void undo_nothing(struct fault *f)
{
}

#endif /* ZCB_KUNIT_OBJ_FAULT_H */

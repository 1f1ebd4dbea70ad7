// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Registrations with a registrar of this program: a table that fails where it
 * is told to, and says afterwards what is in it. Whatever fails, each slot holds
 * what it should.
 */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../internal.h"
#include "fake.h"
#include "test.h"

#define GIB		0x40000000ULL
#define SLOTS		48
#define SPLIT_ARENA	(2 * GIB + (2 << 20))	/* three slots */
#define ARENA		(4ULL << 20)
#define POOLS		3

/* A table, and how it fails: set a slot, set one to nothing, be made. */
struct table {
	bool exists;
	unsigned int nslots;
	struct iovec slot[SLOTS];
	int make_error;
	int set_error;
	unsigned int set_fails_at;	/* slot */
	int clear_error;
	unsigned int clear_fails_at;	/* slot */
	unsigned int dropped;
};

static int table_make(void *ctx, unsigned int nslots)
{
	struct table *t = ctx;

	if (t->make_error)
		return t->make_error;
	if (t->exists)
		return -EBUSY;
	ASSERT_EQ(nslots <= SLOTS, 1);
	memset(t->slot, 0, sizeof(t->slot));
	t->nslots = nslots;
	t->exists = true;
	return 0;
}

static int table_update(void *ctx, unsigned int slot, void *base, size_t length)
{
	struct table *t = ctx;

	if (!t->exists)
		return -ENXIO;
	if (slot >= t->nslots)
		return -EINVAL;
	if (base && t->set_error && slot == t->set_fails_at)
		return t->set_error;
	if (!base)	/* what is empty, or somebody else's, is left alone */
		EXPECT(t->slot[slot].iov_base);
	if (!base && t->clear_error && slot == t->clear_fails_at)
		return t->clear_error;
	if (!base && t->clear_error && slot + 1 == t->clear_fails_at)
		return -EIO;	/* the second one, from the end */
	t->slot[slot] = (struct iovec){ base, length };
	return 0;
}

static int table_drop(void *ctx)
{
	struct table *t = ctx;

	if (!t->exists)
		return -ENXIO;
	t->exists = false;
	t->dropped++;
	return 0;
}

static int table_clone(void *ctx, void *from)
{
	struct table *source = from;
	struct table *t = ctx;

	if (t->make_error)
		return t->make_error;
	if (!source->exists)
		return -ENXIO;
	if (t->exists)
		return -EBUSY;
	t->nslots = source->nslots;
	memcpy(t->slot, source->slot, sizeof(t->slot));
	t->exists = true;
	return 0;
}

static const struct zcbuf_registrar registrar = {
	.sz = sizeof(registrar),
	.register_table = table_make,
	.update_slot = table_update,
	.unregister_table = table_drop,
	.clone_table = table_clone,
};

/* One that is there already, of all slots there can be. */
static void table_init(struct table *t)
{
	memset(t, 0, sizeof(*t));
	t->nslots = SLOTS;
	t->exists = true;
}

/* A pool that is never touched: only its addresses are used. */
struct rig {
	struct zcb_map map;
	struct zcbuf_pool pool;
	struct zcbuf_uring uring;
};

static void rig_init(struct rig *r, unsigned int nr, __u64 arena_size,
		     unsigned int arenas, unsigned int max)
{
	memset(r, 0, sizeof(*r));
	r->map.base = (unsigned char *)(0x100000000000 * (nr + 1));
	r->map.reserved = arena_size * max;
	r->map.size = arena_size * arenas;
	r->pool.map = &r->map;
	r->pool.arena_size = arena_size;
	r->pool.rights = ZCBUF_RIGHTS_ALL;
	fake.pool_size = 0;	/* what POOL_INFO says brings nothing */
}

/* @first: the slot, of the table there is; -1: with a table of its own */
static int rig_register(struct rig *r, struct table *t, int first)
{
	const struct zcbuf_uring_opts opts = {
		.sz = sizeof(opts),
		.registrar = &registrar,
		.ctx = t,
		.flags = first < 0 ? 0 : ZCBUF_URING_SHARE_TABLE,
		.first_slot = first < 0 ? 0 : first,
	};

	return zcbuf_uring_register_opts(&r->uring, NULL, &r->pool, &opts);
}

static void slot_is(const struct table *t, unsigned int i,
		    const unsigned char *base, size_t length)
{
	EXPECT(t->slot[i].iov_base == base);
	EXPECT_EQ(t->slot[i].iov_len, length);
}

/* What arenas of @r that are SPLIT_ARENA have, from slot @first on. */
static void split_arenas_are(const struct rig *r, const struct table *t,
			     unsigned int first, unsigned int arenas)
{
	const unsigned char *base = r->map.base;
	unsigned int i;

	for (i = 0; i < arenas; i++) {
		slot_is(t, first++, base, GIB);
		slot_is(t, first++, base + GIB, GIB);
		slot_is(t, first++, base + 2 * GIB, 2 << 20);
		base += SPLIT_ARENA;
	}
}

static void empty(const struct table *t, unsigned int first, unsigned int end)
{
	while (first < end)
		slot_is(t, first++, NULL, 0);
}

static void own_table(void)
{
	struct table t = { .exists = false };
	struct rig r;

	rig_init(&r, 0, SPLIT_ARENA, 2, 4);
	ASSERT_EQ(rig_register(&r, &t, -1), 0);
	EXPECT_EQ(t.nslots, 12);
	split_arenas_are(&r, &t, 0, 2);
	empty(&t, 6, 12);
	EXPECT_EQ(rig_register(&r, &t, -1), -EBUSY);
	EXPECT_EQ(t.dropped, 0);
	ASSERT_EQ(table_drop(&t), 0);
	ASSERT_EQ(rig_register(&r, &t, -1), 0);
	EXPECT_EQ(zcbuf_uring_unregister(&r.uring), 0);
	EXPECT_EQ(t.dropped, 2);
	EXPECT(!t.exists);
}

static void options(void)
{
	struct zcbuf_registrar bad = registrar;
	struct zcbuf_uring_opts opts = { .sz = sizeof(opts) };
	struct {
		struct zcbuf_uring_opts opts;
		char more;
	} longer = { .opts = { .sz = sizeof(longer) } };
	struct table t;
	struct rig r;

	table_init(&t);
	rig_init(&r, 0, GIB, 1, 1);
	opts.registrar = &bad;
	opts.ctx = &t;
	opts.flags = ZCBUF_URING_SHARE_TABLE;
#define TRY() zcbuf_uring_register_opts(&r.uring, NULL, &r.pool, &opts)
	opts.sz--;
	EXPECT_EQ(TRY(), -EINVAL);
	opts.sz++;
	opts.flags = 1U << 31;
	EXPECT_EQ(TRY(), -EOPNOTSUPP);
	opts.flags = 0;
	opts.first_slot = 1;
	EXPECT_EQ(TRY(), -EINVAL);
	opts.flags = ZCBUF_URING_SHARE_TABLE;
	bad.sz--;
	EXPECT_EQ(TRY(), -EINVAL);
	bad = registrar;
	bad.register_table = NULL;
	EXPECT_EQ(TRY(), -EINVAL);
	bad = registrar;
	bad.update_slot = NULL;
	EXPECT_EQ(TRY(), -EINVAL);
	bad = registrar;
	bad.unregister_table = NULL;
	EXPECT_EQ(TRY(), -EINVAL);
	empty(&t, 0, SLOTS);
	bad = registrar;
	EXPECT_EQ(TRY(), 0);
	slot_is(&t, 1, r.map.base, GIB);
#undef TRY
	longer.more = 1;
	EXPECT_EQ(zcbuf_uring_register_opts(&r.uring, NULL, &r.pool,
					    &longer.opts), -E2BIG);
	EXPECT_EQ(zcbuf_uring_unregister(&r.uring), 0);
	slot_is(&t, 1, r.map.base, GIB);
}

static void the_default(void)
{
	const struct zcbuf_registrar *r = zcbuf_registrar_io_uring();

	EXPECT_EQ(r->sz, sizeof(*r));
	EXPECT(r->register_table && r->update_slot && r->unregister_table &&
	       r->clone_table);
}

/* In a table of its own and between what others have in one. */
static void fails_at_every_slot(void)
{
	const struct iovec others = { &fake, 1 };
	struct table t;
	struct rig r;
	int i;

	rig_init(&r, 0, SPLIT_ARENA, 2, 3);
	memset(&t, 0, sizeof(t));
	t.make_error = -ENOMEM;
	EXPECT_EQ(rig_register(&r, &t, -1), -ENOMEM);
	EXPECT_EQ(t.dropped, 0);
	t.make_error = 0;
	t.set_error = -EFAULT;
	for (i = 0; i < 6; i++) {
		t.set_fails_at = i;
		EXPECT_EQ(rig_register(&r, &t, -1), -EFAULT);
		EXPECT(!t.exists);
		EXPECT_EQ(zcbuf_uring_unregister(&r.uring), 0);
		EXPECT_EQ(t.dropped, i + 1);
	}
	table_init(&t);
	t.slot[3] = others;
	t.slot[13] = others;
	t.set_error = -ENOMEM;
	for (i = 4; i < 10; i++) {
		t.set_fails_at = i;
		EXPECT_EQ(rig_register(&r, &t, 4), -ENOMEM);
		EXPECT_EQ(zcbuf_uring_unregister(&r.uring), 0);
		empty(&t, 4, 13);
		slot_is(&t, 3, others.iov_base, 1);
		slot_is(&t, 13, others.iov_base, 1);
	}
	t.set_fails_at = 10;
	ASSERT_EQ(rig_register(&r, &t, 4), 0);
	split_arenas_are(&r, &t, 4, 2);
}

static void growth_fails_at_every_slot(void)
{
	struct table t;
	struct rig r;
	int i;

	rig_init(&r, 0, SPLIT_ARENA, 1, 4);
	table_init(&t);
	ASSERT_EQ(rig_register(&r, &t, 5), 0);
	r.map.size += 2 * SPLIT_ARENA;
	t.set_error = -ENOMEM;
	for (i = 8; i < 14; i++) {
		t.set_fails_at = i;
		EXPECT_EQ(zcbuf_uring_update(&r.uring), -ENOMEM);
		split_arenas_are(&r, &t, 5, 1);
		empty(&t, 8, SLOTS);
	}
	t.set_fails_at = 14;
	EXPECT_EQ(zcbuf_uring_update(&r.uring), 6);
	EXPECT_EQ(zcbuf_uring_update(&r.uring), 0);
	split_arenas_are(&r, &t, 5, 3);
	r.map.size += SPLIT_ARENA;
	EXPECT_EQ(zcbuf_uring_update(&r.uring), -ENOMEM);
	split_arenas_are(&r, &t, 5, 3);
	empty(&t, 14, SLOTS);
	EXPECT_EQ(zcbuf_uring_unregister(&r.uring), 0);
	empty(&t, 0, SLOTS);
}

/* What cannot be emptied is told, and nothing else stays because of it. */
static void emptying_fails_at_every_slot(void)
{
	struct table t;
	struct rig r;
	int i;

	rig_init(&r, 0, SPLIT_ARENA, 2, 2);
	for (i = 0; i < 6; i++) {
		table_init(&t);
		ASSERT_EQ(rig_register(&r, &t, 0), 0);
		t.clear_error = -EINTR;
		t.clear_fails_at = i;
		EXPECT_EQ(zcbuf_uring_unregister(&r.uring), -EINTR);
		EXPECT_EQ(zcbuf_uring_unregister(&r.uring), 0);
		empty(&t, 0, i ? i - 1 : 0);
		EXPECT(t.slot[i].iov_base && t.slot[i ? i - 1 : 0].iov_base);
		empty(&t, i + 1, SLOTS);
	}
	/* While a failure is undone: the failure is the answer. */
	table_init(&t);
	t.set_error = -ENOMEM;
	t.set_fails_at = 4;
	t.clear_error = -EINTR;
	t.clear_fails_at = 2;
	EXPECT_EQ(rig_register(&r, &t, 0), -ENOMEM);
	empty(&t, 0, 1);
	empty(&t, 3, SLOTS);
	ASSERT_EQ(table_drop(&t), 0);
	EXPECT_EQ(rig_register(&r, &t, 0), -ENXIO);
}

static void several_pools(void)
{
	struct rig r[POOLS];
	struct table t;
	unsigned int i;

	table_init(&t);
	for (i = 0; i < POOLS; i++) {
		rig_init(&r[i], i, SPLIT_ARENA, 1, 4);
		ASSERT_EQ(rig_register(&r[i], &t, 12 * i), 0);
	}
	r[1].map.size += SPLIT_ARENA;
	EXPECT_EQ(zcbuf_uring_update(&r[1].uring), 3);
	split_arenas_are(&r[0], &t, 0, 1);
	empty(&t, 3, 12);
	split_arenas_are(&r[1], &t, 12, 2);
	empty(&t, 18, 24);
	split_arenas_are(&r[2], &t, 24, 1);
	EXPECT_EQ(zcbuf_uring_unregister(&r[1].uring), 0);
	split_arenas_are(&r[0], &t, 0, 1);
	empty(&t, 3, 24);
	split_arenas_are(&r[2], &t, 24, 1);
	EXPECT_EQ(rig_register(&r[1], &t, 36), 0);
	split_arenas_are(&r[1], &t, 36, 2);
	EXPECT_EQ(t.dropped, 0);
}

static int clone_to(struct zcbuf_uring *clones, struct table *t,
		    const struct zcbuf_uring *from, unsigned int n,
		    size_t fixed_max)
{
	const struct zcbuf_uring_opts opts = {
		.sz = sizeof(opts), .ctx = t, .fixed_max = fixed_max,
	};

	return zcbuf_uring_clone(clones, NULL, from, n, &opts);
}

static void clone(void)
{
	struct table t = { .exists = false }, second = { .exists = false };
	struct zcbuf_uring c;
	struct rig r;

	rig_init(&r, 0, SPLIT_ARENA, 1, 4);
	ASSERT_EQ(rig_register(&r, &t, -1), 0);
	ASSERT_EQ(clone_to(&c, &second, &r.uring, 1, 0), 0);
	EXPECT_EQ(c.fixed_max, r.uring.fixed_max);
	split_arenas_are(&r, &second, 0, 1);
	r.map.size += SPLIT_ARENA;
	EXPECT_EQ(zcbuf_uring_update(&c), 3);
	split_arenas_are(&r, &second, 0, 2);
	empty(&t, 3, SLOTS);
	EXPECT_EQ(zcbuf_uring_slot(&c, r.map.base + SPLIT_ARENA, 1, NULL), 1);
	EXPECT_EQ(zcbuf_uring_unregister(&r.uring), 0);
	EXPECT(!t.exists && second.exists);
	EXPECT_EQ(zcbuf_uring_unregister(&c), 0);
	EXPECT(!second.exists);
}

/* All of a ring, next to what is not the library's. */
static void clone_of_several(void)
{
	const struct iovec others = { &fake, 1 };
	struct zcbuf_uring from[POOLS], c[POOLS];
	struct table t, second = { .exists = false };
	struct rig r[POOLS];
	unsigned int i;

	table_init(&t);
	t.slot[47] = others;
	for (i = 0; i < POOLS; i++) {
		rig_init(&r[i], i, SPLIT_ARENA, 1, 4);
		ASSERT_EQ(rig_register(&r[i], &t, 12 * i), 0);
		from[i] = r[i].uring;
	}
	ASSERT_EQ(clone_to(c, &second, from, POOLS, 4096), 0);
	EXPECT_EQ(zcbuf_uring_unregister(&c[1]), 0);
	split_arenas_are(&r[0], &second, 0, 1);
	empty(&second, 12, 24);
	split_arenas_are(&r[2], &second, 24, 1);
	slot_is(&second, 47, others.iov_base, 1);
	split_arenas_are(&r[1], &t, 12, 1);
	EXPECT_EQ(c[2].fixed_max, 4096);
	EXPECT_EQ(zcbuf_uring_slot(&c[0], r[0].map.base, 1, NULL), 1);
	EXPECT_EQ(zcbuf_uring_slot(&c[1], r[1].map.base, 1, NULL), 0);
	EXPECT_EQ(zcbuf_uring_slot(&c[2], r[2].map.base, 1, NULL), 1);
	EXPECT(second.exists && !second.dropped);
}

static void clones_that_cannot_be(void)
{
	struct zcbuf_uring_opts opts = { .sz = sizeof(opts) - 1 };
	struct table t, other, second = { .exists = false };
	struct zcbuf_registrar poor = registrar;
	struct zcbuf_uring from[2], c[2];
	struct rig r[2];
	int fd;

	rig_init(&r[0], 0, ARENA, 1, 1);
	rig_init(&r[1], 1, ARENA, 1, 1);
	table_init(&t);
	table_init(&other);
	ASSERT_EQ(rig_register(&r[0], &t, 0), 0);
	ASSERT_EQ(rig_register(&r[1], &other, 0), 0);
	from[0] = r[0].uring;
	from[1] = r[1].uring;
	EXPECT_EQ(clone_to(c, &second, from, 0, 0), -EINVAL);
	EXPECT_EQ(clone_to(c, &second, from, 2, 0), -EINVAL);
	memset(&from[1], 0, sizeof(from[1]));
	EXPECT_EQ(clone_to(c, &second, from, 2, 0), -EINVAL);
	EXPECT_EQ(clone_to(c, &second, &from[1], 1, 0), -EINVAL);
	from[1] = from[0];
	from[1].registrar = &poor;
	EXPECT_EQ(clone_to(c, &second, from, 2, 0), -EINVAL);
	poor.clone_table = NULL;
	EXPECT_EQ(clone_to(c, &second, &from[1], 1, 0), -EOPNOTSUPP);
	EXPECT_EQ(zcbuf_uring_clone(c, NULL, from, 1, &opts), -EINVAL);
	opts.sz++;
	opts.first_slot = 1;
	EXPECT_EQ(zcbuf_uring_clone(c, NULL, from, 1, &opts), -EINVAL);
	opts.first_slot = 0;
	opts.flags = ZCBUF_URING_SHARE_TABLE;
	EXPECT_EQ(zcbuf_uring_clone(c, NULL, from, 1, &opts), -EINVAL);
	opts.flags = 0;
	opts.registrar = &registrar;
	EXPECT_EQ(zcbuf_uring_clone(c, NULL, from, 1, &opts), -EINVAL);
	fd = r[0].pool.session.fd;
	r[0].pool.session.fd = -1;	/* as in a fork child */
	EXPECT_EQ(clone_to(c, &second, from, 1, 0), -EBADF);
	r[0].pool.session.fd = fd;
	EXPECT(!second.exists);

	second.make_error = -ENOMEM;
	memset(c, 0xff, sizeof(c));
	EXPECT_EQ(clone_to(c, &second, from, 1, 0), -ENOMEM);
	EXPECT_EQ(zcbuf_uring_slot(c, r[0].map.base, 1, NULL), 0);
	EXPECT_EQ(zcbuf_uring_unregister(c), 0);
	EXPECT_EQ(clone_to(c, &other, from, 1, 0), -EBUSY);
	ASSERT_EQ(table_drop(&t), 0);
	second.make_error = 0;
	EXPECT_EQ(clone_to(c, &second, from, 1, 0), -ENXIO);
}

/* ------------------------------------------------------------------ at random */

#define MAX_ARENAS	4

/* What should be there: so many slots of each pool, in a room of its own. */
struct model {
	struct rig r[POOLS];
	unsigned int has[POOLS];	/* slots; 0: not registered */
	struct table t;
};

static unsigned int room(unsigned int pool)
{
	return 1 + pool * (MAX_ARENAS + 1);
}

static void model_check(struct model *m)
{
	unsigned int i, j, first;

	slot_is(&m->t, 0, NULL, 0);
	for (i = 0; i < POOLS; i++) {
		first = room(i);
		for (j = 0; j < m->has[i]; j++)
			slot_is(&m->t, first + j, m->r[i].map.base + j * ARENA,
				ARENA);
		empty(&m->t, first + j, room(i + 1));
	}
}

/* One step; it fails if a slot it wants to fill does. */
static void model_step(struct model *m, unsigned int i)
{
	struct rig *r = &m->r[i];
	unsigned int arenas = r->map.size / ARENA;
	unsigned int bad = m->t.set_fails_at - room(i);
	bool fails = bad >= m->has[i] && bad < arenas;
	int result;

	switch (rand() % 4) {
	case 0:
		if (m->has[i])
			break;
		result = rig_register(r, &m->t, room(i));
		EXPECT_EQ(result, fails ? -ENOMEM : 0);
		m->has[i] = fails ? 0 : arenas;
		break;
	case 1:
		result = zcbuf_uring_update(&r->uring);
		if (!m->has[i])
			arenas = 0;
		else if (fails)
			arenas = m->has[i];
		EXPECT_EQ(result, m->has[i] && fails
					  ? -ENOMEM : (int)(arenas - m->has[i]));
		m->has[i] = arenas;
		break;
	case 2:
		if (arenas < MAX_ARENAS)
			r->map.size += ARENA;
		break;
	default:
		if (rand() % 4)
			break;
		EXPECT_EQ(zcbuf_uring_unregister(&r->uring), 0);
		m->has[i] = 0;
		r->map.size = ARENA;
	}
}

static void random_steps(void)
{
	struct model m = { .has = { 0 } };
	unsigned int i;

	srand(1);
	table_init(&m.t);
	m.t.set_error = -ENOMEM;
	for (i = 0; i < POOLS; i++)
		rig_init(&m.r[i], i, ARENA, 1, MAX_ARENAS);
	for (i = 0; i < 20000; i++) {
		m.t.set_fails_at = rand() % (2 * room(POOLS));
		model_step(&m, rand() % POOLS);
		model_check(&m);
	}
}

static const struct test_case cases[] = {
	CASE(own_table),
	CASE(options),
	CASE(the_default),
	CASE(fails_at_every_slot),
	CASE(growth_fails_at_every_slot),
	CASE(emptying_fails_at_every_slot),
	CASE(several_pools),
	CASE(clone),
	CASE(clone_of_several),
	CASE(clones_that_cannot_be),
	CASE(random_steps),
};

TEST_MAIN(cases)

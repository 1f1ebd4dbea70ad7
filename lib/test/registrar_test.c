// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Registrations with a registrar that fails: whatever does, each slot holds what
 * it should.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "table.h"
#include "test.h"

static void own_table(void)
{
	struct table t = { .exists = false };
	struct rig r;

	rig_init(&r, 0, SPLIT_ARENA, 2, 4);
	ASSERT_EQ(rig_register(&r, &t, -1), 0);
	EXPECT_EQ(t.nslots, 12);
	table_has_split(&r, &t, 0, 2);
	table_empty(&t, 6, 12);
	EXPECT_EQ(t.nfiles, 1);
	EXPECT_EQ(table_files(&t), 1);
	EXPECT_EQ(rig_register(&r, &t, -1), -EBUSY);
	EXPECT_EQ(t.dropped, 0);
	ASSERT_EQ(table_drop(&t), 0);
	EXPECT_EQ(rig_register(&r, &t, -1), -EBUSY);
	EXPECT_EQ(table_files(&t), 1);
	ASSERT_EQ(table_drop_files(&t), 0);
	ASSERT_EQ(rig_register(&r, &t, -1), 0);
	EXPECT_EQ(zcbuf_uring_unregister(&r.uring), 0);
	EXPECT_EQ(t.dropped, 2);
	EXPECT_EQ(t.files_dropped, 2);
	EXPECT(!t.exists && !t.has_files);
}

static void options(void)
{
	struct zcbuf_registrar bad = table_registrar;
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
	opts.flags = ZCBUF_URING_SHARE_TABLE | ZCBUF_URING_TOKEN_SLOT;
#define TRY() zcbuf_uring_register_opts(&r.uring, NULL, &r.pool, &opts)
	opts.sz--;
	EXPECT_EQ(TRY(), -EINVAL);
	opts.sz++;
	opts.flags = 1U << 31;
	EXPECT_EQ(TRY(), -EOPNOTSUPP);
	opts.flags = ZCBUF_URING_TOKEN_SLOT;
	opts.first_slot = 1;
	EXPECT_EQ(TRY(), -EINVAL);
	opts.flags = ZCBUF_URING_SHARE_TABLE;
	opts.token_slot = 1;
	EXPECT_EQ(TRY(), -EINVAL);
	opts.token_slot = 0;
	opts.flags = ZCBUF_URING_TOKEN_SLOT | ZCBUF_URING_NO_TOKEN |
		     ZCBUF_URING_SHARE_TABLE;
	EXPECT_EQ(TRY(), -EINVAL);
	opts.flags = ZCBUF_URING_SHARE_TABLE | ZCBUF_URING_TOKEN_SLOT;
	opts.__reserved = 1;
	EXPECT_EQ(TRY(), -EOPNOTSUPP);
	opts.__reserved = 0;
	bad.sz--;
	EXPECT_EQ(TRY(), -EINVAL);
	bad = table_registrar;
	bad.register_table = NULL;
	EXPECT_EQ(TRY(), -EINVAL);
	bad = table_registrar;
	bad.update_slot = NULL;
	EXPECT_EQ(TRY(), -EINVAL);
	bad = table_registrar;
	bad.unregister_table = NULL;
	EXPECT_EQ(TRY(), -EINVAL);
	bad = table_registrar;
	bad.update_file = NULL;
	EXPECT_EQ(TRY(), -EINVAL);
	bad = table_registrar;
	bad.unregister_files = NULL;
	EXPECT_EQ(TRY(), -EINVAL);
	bad.update_file = NULL;
	EXPECT_EQ(TRY(), -EINVAL);
	bad.register_files = NULL;
	t.no_tokens = true;
	EXPECT_EQ(TRY(), 0);
	EXPECT_EQ(fake.calls[ZCBUF_NR_PIN_TOKEN], 0);
	EXPECT_EQ(zcbuf_uring_unregister(&r.uring), 0);
	t.no_tokens = false;
	table_empty(&t, 0, SLOTS);
	bad = table_registrar;
	EXPECT_EQ(TRY(), 0);
	table_slot_is(&t, 1, r.map.base, GIB);
#undef TRY
	longer.more = 1;
	EXPECT_EQ(zcbuf_uring_register_opts(&r.uring, NULL, &r.pool,
					    &longer.opts), -E2BIG);
	EXPECT_EQ(zcbuf_uring_unregister(&r.uring), 0);
	table_slot_is(&t, 1, r.map.base, GIB);
}

static void the_default(void)
{
	const struct zcbuf_registrar *r = zcbuf_registrar_io_uring();

	EXPECT_EQ(r->sz, sizeof(*r));
	EXPECT(r->register_table && r->update_slot && r->unregister_table &&
	       r->clone_table && r->register_files && r->update_file &&
	       r->unregister_files);
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
		EXPECT(!t.exists && !t.has_files);
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
		EXPECT_EQ(table_files(&t), 0);
		table_empty(&t, 4, 13);
		table_slot_is(&t, 3, others.iov_base, 1);
		table_slot_is(&t, 13, others.iov_base, 1);
	}
	t.set_fails_at = 10;
	ASSERT_EQ(rig_register(&r, &t, 4), 0);
	table_has_split(&r, &t, 4, 2);
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
		table_has_split(&r, &t, 5, 1);
		table_empty(&t, 8, SLOTS);
	}
	t.set_fails_at = 14;
	EXPECT_EQ(zcbuf_uring_update(&r.uring), 6);
	EXPECT_EQ(zcbuf_uring_update(&r.uring), 0);
	table_has_split(&r, &t, 5, 3);
	r.map.size += SPLIT_ARENA;
	EXPECT_EQ(zcbuf_uring_update(&r.uring), -ENOMEM);
	table_has_split(&r, &t, 5, 3);
	table_empty(&t, 14, SLOTS);
	EXPECT_EQ(zcbuf_uring_unregister(&r.uring), 0);
	EXPECT_EQ(table_files(&t), 0);
	table_empty(&t, 0, SLOTS);
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
		EXPECT_EQ(table_files(&t), 1);	/* as long as memory does */
		table_empty(&t, 0, i ? i - 1 : 0);
		EXPECT(t.slot[i].iov_base && t.slot[i ? i - 1 : 0].iov_base);
		table_empty(&t, i + 1, SLOTS);
	}
	/* While a failure is undone: the failure is the answer. */
	table_init(&t);
	t.set_error = -ENOMEM;
	t.set_fails_at = 4;
	t.clear_error = -EINTR;
	t.clear_fails_at = 2;
	EXPECT_EQ(rig_register(&r, &t, 0), -ENOMEM);
	table_empty(&t, 0, 1);
	table_empty(&t, 3, SLOTS);
	t.exists = false;
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
	table_has_split(&r[0], &t, 0, 1);
	table_empty(&t, 3, 12);
	table_has_split(&r[1], &t, 12, 2);
	table_empty(&t, 18, 24);
	table_has_split(&r[2], &t, 24, 1);
	EXPECT_EQ(zcbuf_uring_unregister(&r[1].uring), 0);
	table_has_split(&r[0], &t, 0, 1);
	table_empty(&t, 3, 24);
	table_has_split(&r[2], &t, 24, 1);
	EXPECT_EQ(rig_register(&r[1], &t, 36), 0);
	table_has_split(&r[1], &t, 36, 2);
	EXPECT_EQ(t.dropped, 0);
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
	unsigned int tokens = 0, i, j, first;

	table_slot_is(&m->t, 0, NULL, 0);
	for (i = 0; i < POOLS; i++) {
		first = room(i);
		for (j = 0; j < m->has[i]; j++)
			table_slot_is(&m->t, first + j, m->r[i].map.base + j * ARENA,
				ARENA);
		table_empty(&m->t, first + j, room(i + 1));
		EXPECT_EQ(!!m->t.file[first], !!m->has[i]);
		tokens += !!m->has[i];
	}
	EXPECT_EQ(table_files(&m->t), tokens);
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
	CASE(random_steps),
};

TEST_MAIN(cases)

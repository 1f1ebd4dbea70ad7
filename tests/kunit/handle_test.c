// SPDX-License-Identifier: GPL-2.0-only
/* KUnit suite of kmod/core/handle.c. */
#include <kunit/test.h>

#include "../../kmod/core/handle.h"
#include "rand.h"

#define CAP	16

/* Objects are only addresses to the table. */
static int objects[64];

static struct zcb_handles *make_table(struct kunit *test, u8 class, u32 cap)
{
	struct zcb_handles *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct zcb_handle_slot *slots;

	KUNIT_ASSERT_NOT_NULL(test, t);
	slots = kunit_kmalloc(test, cap * sizeof(*slots), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, slots);
	zcb_handles_init(t, class, slots, cap);
	return t;
}

static u64 must_reserve(struct kunit *test, struct zcb_handles *t)
{
	u64 handle = 0;

	KUNIT_ASSERT_EQ(test, zcb_handle_reserve(t, &handle), 0);
	KUNIT_ASSERT_NE(test, handle, 0);
	return handle;
}

static u64 must_publish(struct kunit *test, struct zcb_handles *t, int *object)
{
	u64 handle = must_reserve(test, t);

	zcb_handle_publish(t, handle, object);
	return handle;
}

static int lookup(const struct zcb_handles *t, u64 handle)
{
	void *object;

	return zcb_handle_lookup(t, handle, &object);
}

static void expect_object(struct kunit *test, const struct zcb_handles *t,
			  u64 handle, int *want)
{
	void *object = NULL;

	KUNIT_ASSERT_EQ(test, zcb_handle_lookup(t, handle, &object), 0);
	KUNIT_ASSERT_PTR_EQ(test, object, (void *)want);
}

static u64 compose(u64 gen, u64 class, u64 index)
{
	return gen << 40 | class << 32 | index;
}

static void layout(struct kunit *test)
{
	struct zcb_handles *t = make_table(test, ZCB_HANDLE_CHANNEL, CAP);
	u64 handle;

	KUNIT_EXPECT_EQ(test, must_reserve(test, t), compose(1, 2, 0));
	handle = must_reserve(test, t);
	KUNIT_EXPECT_EQ(test, handle, compose(1, 2, 1));
	zcb_handle_remove(t, handle);
	KUNIT_EXPECT_EQ(test, must_reserve(test, t), compose(2, 2, 1));
}

static void found_once_published(struct kunit *test)
{
	struct zcb_handles *t = make_table(test, ZCB_HANDLE_POOL, CAP);
	u64 handle = must_reserve(test, t);

	KUNIT_EXPECT_EQ(test, t->live, 1);
	KUNIT_EXPECT_EQ(test, lookup(t, handle), -ENOENT);
	zcb_handle_publish(t, handle, &objects[0]);
	expect_object(test, t, handle, &objects[0]);
	KUNIT_EXPECT_EQ(test, t->live, 1);
}

static void reservation_given_up(struct kunit *test)
{
	struct zcb_handles *t = make_table(test, ZCB_HANDLE_POOL, 1);
	u64 first = must_reserve(test, t), second;

	zcb_handle_remove(t, first);
	KUNIT_EXPECT_EQ(test, t->live, 0);
	second = must_reserve(test, t);
	KUNIT_EXPECT_NE(test, first, second);
	KUNIT_EXPECT_EQ(test, lookup(t, first), -ESTALE);
}

static void never_issued(struct kunit *test)
{
	struct zcb_handles *t = make_table(test, ZCB_HANDLE_POOL, CAP);
	u64 handle = must_publish(test, t, &objects[0]);

	KUNIT_EXPECT_EQ(test, lookup(t, compose(1, 1, 1)), -ENOENT);
	KUNIT_EXPECT_EQ(test, lookup(t, compose(1, 1, CAP)), -ENOENT);
	KUNIT_EXPECT_EQ(test, lookup(t, compose(1, 1, ~0U)), -ENOENT);
	KUNIT_EXPECT_EQ(test, lookup(t, compose(2, 1, 0)), -ENOENT);
	KUNIT_EXPECT_EQ(test, lookup(t, compose(0, 1, 0)), -ENOENT);
	zcb_handle_remove(t, handle);
	KUNIT_EXPECT_EQ(test, lookup(t, compose(2, 1, 0)), -ENOENT);
	KUNIT_EXPECT_EQ(test, lookup(t, compose(0, 1, 0)), -ENOENT);
}

static void other_class(struct kunit *test)
{
	struct zcb_handles *t = make_table(test, ZCB_HANDLE_POOL, CAP);

	must_publish(test, t, &objects[0]);
	KUNIT_EXPECT_EQ(test, lookup(t, compose(1, 1, 0)), 0);
	KUNIT_EXPECT_EQ(test, lookup(t, compose(1, 2, 0)), -EINVAL);
	KUNIT_EXPECT_EQ(test, lookup(t, compose(1, 0, 0)), -EINVAL);
	KUNIT_EXPECT_EQ(test, lookup(t, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, lookup(t, ~0ULL), -EINVAL);
}

static void gone(struct kunit *test)
{
	struct zcb_handles *t = make_table(test, ZCB_HANDLE_CHANNEL, CAP);
	u64 handle = must_publish(test, t, &objects[0]);

	zcb_handle_remove(t, handle);
	KUNIT_EXPECT_EQ(test, lookup(t, handle), -ENOENT);
	KUNIT_EXPECT_EQ(test, t->live, 0);
}

static void delivery_released_twice(struct kunit *test)
{
	struct zcb_handles *t = make_table(test, ZCB_HANDLE_DELIVERY, CAP);
	u64 handle = must_publish(test, t, &objects[0]);

	zcb_handle_remove(t, handle);
	KUNIT_EXPECT_EQ(test, lookup(t, handle), -EBADSLT);
	must_publish(test, t, &objects[1]);
	KUNIT_EXPECT_EQ(test, lookup(t, handle), -ESTALE);
	KUNIT_EXPECT_EQ(test, lookup(t, compose(3, 3, 0)), -ENOENT);
}

static void stale(struct kunit *test)
{
	struct zcb_handles *t = make_table(test, ZCB_HANDLE_POOL, CAP);
	u64 old = must_publish(test, t, &objects[0]), new;

	zcb_handle_remove(t, old);
	new = must_publish(test, t, &objects[1]);
	KUNIT_EXPECT_EQ(test, (u32)new, (u32)old);
	KUNIT_EXPECT_EQ(test, lookup(t, old), -ESTALE);
	expect_object(test, t, new, &objects[1]);
}

static void limit(struct kunit *test)
{
	struct zcb_handles *t = make_table(test, ZCB_HANDLE_POOL, CAP);
	u64 handle = 0, last = 0;
	u32 i;

	for (i = 0; i < CAP; i++)
		last = must_publish(test, t, &objects[i]);
	KUNIT_EXPECT_EQ(test, zcb_handle_reserve(t, &handle), -EMFILE);
	KUNIT_EXPECT_EQ(test, t->live, CAP);
	zcb_handle_remove(t, last);
	must_publish(test, t, &objects[0]);
	KUNIT_EXPECT_EQ(test, zcb_handle_reserve(t, &handle), -EMFILE);
}

static void empty_table(struct kunit *test)
{
	struct zcb_handles t;
	u64 handle;
	u32 i = 0;

	zcb_handles_init(&t, ZCB_HANDLE_POOL, NULL, 0);
	KUNIT_EXPECT_EQ(test, zcb_handle_reserve(&t, &handle), -EMFILE);
	KUNIT_EXPECT_EQ(test, lookup(&t, compose(1, 1, 0)), -ENOENT);
	KUNIT_EXPECT_NULL(test, zcb_handle_next(&t, &i));
}

static struct zcb_handle_slot *more_slots(struct kunit *test, u32 cap)
{
	struct zcb_handle_slot *slots;

	slots = kunit_kmalloc(test, cap * sizeof(*slots), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, slots);
	return slots;
}

static void growth(struct kunit *test)
{
	struct zcb_handles *t = make_table(test, ZCB_HANDLE_POOL, 4);
	struct zcb_handle_slot *old = t->slots;
	u64 handle[12];
	u32 i;

	for (i = 0; i < 4; i++)
		handle[i] = must_publish(test, t, &objects[i]);
	zcb_handle_remove(t, handle[2]);
	KUNIT_EXPECT_PTR_EQ(test, zcb_handles_grow(t, more_slots(test, 12), 12),
			    old);
	memset(old, 0xff, 4 * sizeof(*old));
	KUNIT_EXPECT_EQ(test, lookup(t, handle[2]), -ENOENT);
	handle[2] = must_publish(test, t, &objects[2]);
	for (i = 4; i < 12; i++)
		handle[i] = must_publish(test, t, &objects[i]);
	for (i = 0; i < 12; i++)
		expect_object(test, t, handle[i], &objects[i]);
	KUNIT_EXPECT_EQ(test, zcb_handle_reserve(t, &handle[0]), -EMFILE);
	KUNIT_EXPECT_EQ(test, t->live, 12);
}

static void growth_from_nothing(struct kunit *test)
{
	struct zcb_handles t;
	u64 handle;

	zcb_handles_init(&t, ZCB_HANDLE_POOL, NULL, 0);
	KUNIT_EXPECT_NULL(test, zcb_handles_grow(&t, more_slots(test, 1), 1));
	handle = must_publish(test, &t, &objects[0]);
	expect_object(test, &t, handle, &objects[0]);
}

static void growth_to_no_more(struct kunit *test)
{
	struct zcb_handles *t = make_table(test, ZCB_HANDLE_POOL, 4);
	u64 handle = must_publish(test, t, &objects[0]);
	struct zcb_handle_slot *slots = more_slots(test, 4);

	KUNIT_EXPECT_PTR_EQ(test, zcb_handles_grow(t, slots, 4), slots);
	KUNIT_EXPECT_PTR_EQ(test, zcb_handles_grow(t, slots, 1), slots);
	KUNIT_EXPECT_EQ(test, t->cap, 4);
	expect_object(test, t, handle, &objects[0]);
}

/* The last generation is issued, and none after it. */
static void retire(struct kunit *test)
{
	struct zcb_handles *t = make_table(test, ZCB_HANDLE_DELIVERY, 2);
	u64 handle;

	zcb_handle_remove(t, must_reserve(test, t));
	t->slots[0].gen = ZCB_HANDLE_GEN_MAX - 1;
	zcb_handle_remove(t, must_publish(test, t, &objects[0]));
	handle = must_publish(test, t, &objects[0]);
	KUNIT_EXPECT_EQ(test, handle, compose(ZCB_HANDLE_GEN_MAX, 3, 0));
	expect_object(test, t, handle, &objects[0]);
	KUNIT_EXPECT_EQ(test, t->retired, 0);
	zcb_handle_remove(t, handle);
	KUNIT_EXPECT_EQ(test, t->retired, 1);
	KUNIT_EXPECT_EQ(test, lookup(t, handle), -EBADSLT);
	KUNIT_EXPECT_EQ(test, lookup(t, compose(1, 3, 0)), -EBADSLT);
	KUNIT_EXPECT_EQ(test, lookup(t, compose(0, 3, 0)), -ENOENT);
	KUNIT_EXPECT_EQ(test, (u32)must_reserve(test, t), 1);
	KUNIT_EXPECT_EQ(test, zcb_handle_reserve(t, &handle), -EMFILE);
}

static void walk(struct kunit *test)
{
	struct zcb_handles *t = make_table(test, ZCB_HANDLE_POOL, CAP);
	u64 handle[5];
	u32 i;

	for (i = 0; i < 5; i++)
		handle[i] = must_publish(test, t, &objects[i]);
	must_reserve(test, t);
	zcb_handle_remove(t, handle[0]);
	zcb_handle_remove(t, handle[3]);
	i = 0;
	KUNIT_EXPECT_PTR_EQ(test, zcb_handle_next(t, &i), (void *)&objects[1]);
	KUNIT_EXPECT_PTR_EQ(test, zcb_handle_next(t, &i), (void *)&objects[2]);
	zcb_handle_remove(t, handle[2]);
	KUNIT_EXPECT_PTR_EQ(test, zcb_handle_next(t, &i), (void *)&objects[4]);
	KUNIT_EXPECT_NULL(test, zcb_handle_next(t, &i));
	KUNIT_EXPECT_NULL(test, zcb_handle_next(t, &i));
}

/* What the model knows of a slot: the newest handle, and if it is out. */
struct model {
	u64 handle[64];
	bool live[64];
	u32 nlive;
};

static void random_get(struct kunit *test, struct zcb_handles *t,
		       struct model *m)
{
	u64 handle;
	u32 i;

	if (m->nlive == ARRAY_SIZE(m->live)) {
		KUNIT_ASSERT_EQ(test, zcb_handle_reserve(t, &handle), -EMFILE);
		return;
	}
	if (t->live == t->cap)
		zcb_handles_grow(t, more_slots(test, t->cap * 2), t->cap * 2);
	handle = must_reserve(test, t);
	i = (u32)handle;
	KUNIT_ASSERT_LT(test, i, ARRAY_SIZE(m->live));
	KUNIT_ASSERT_FALSE(test, m->live[i]);
	KUNIT_ASSERT_GT(test, handle, m->handle[i]);
	zcb_handle_publish(t, handle, &objects[i]);
	m->handle[i] = handle;
	m->live[i] = true;
	m->nlive++;
}

static void random_put(struct kunit *test, struct zcb_handles *t,
		       struct model *m, u32 i)
{
	u64 older = m->handle[i] - (1ULL << 40);

	if (!m->handle[i]) {
		KUNIT_ASSERT_EQ(test, lookup(t, compose(1, 3, i)), -ENOENT);
		return;
	}
	if (older >> 40)
		KUNIT_ASSERT_EQ(test, lookup(t, older),
				m->live[i] ? -ESTALE : -EBADSLT);
	if (!m->live[i]) {
		KUNIT_ASSERT_EQ(test, lookup(t, m->handle[i]), -EBADSLT);
		return;
	}
	expect_object(test, t, m->handle[i], &objects[i]);
	zcb_handle_remove(t, m->handle[i]);
	m->live[i] = false;
	m->nlive--;
}

static void random_stream(struct kunit *test)
{
	struct zcb_handles *t = make_table(test, ZCB_HANDLE_DELIVERY, 8);
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	struct zcb_rand r;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, m);
	zcb_rand_init(test, &r);
	for (i = 0; i < ZCB_RAND_OPS(200000); i++) {
		if (zcb_rand_chance(&r, i % 2000 < 1000 ? 60 : 40))
			random_get(test, t, m);
		else
			random_put(test, t, m, zcb_rand_below(&r, 64));
		KUNIT_ASSERT_EQ(test, t->live, m->nlive);
	}
	KUNIT_EXPECT_EQ(test, t->cap, 64);
}

static struct kunit_case handle_cases[] = {
	KUNIT_CASE(layout),
	KUNIT_CASE(found_once_published),
	KUNIT_CASE(reservation_given_up),
	KUNIT_CASE(never_issued),
	KUNIT_CASE(other_class),
	KUNIT_CASE(gone),
	KUNIT_CASE(delivery_released_twice),
	KUNIT_CASE(stale),
	KUNIT_CASE(limit),
	KUNIT_CASE(empty_table),
	KUNIT_CASE(growth),
	KUNIT_CASE(growth_from_nothing),
	KUNIT_CASE(growth_to_no_more),
	KUNIT_CASE(retire),
	KUNIT_CASE(walk),
	KUNIT_CASE(random_stream),
	{}
};

static struct kunit_suite handle_suite = {
	.name = "zcb_handle",
	.test_cases = handle_cases,
};

kunit_test_suite(handle_suite);

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bugs as cases of KUnit suites, for scripts/kunit to run one case of the
 * first or all of the second, and to fail.
 */
#include <kunit/test.h>
#include <linux/module.h>

#include "bugs.h"

#define PLANTED_RUN(name)					\
static void name(struct kunit *test)				\
{								\
	KUNIT_EXPECT_EQ(test, planted_plant(#name), 0);		\
}
PLANTED_BUGS(PLANTED_RUN)

static struct kunit_case cases[] = {
#define PLANTED_CASE(name) KUNIT_CASE(name),
	PLANTED_BUGS(PLANTED_CASE)
	{}
};

static void end(struct kunit_suite *suite)
{
	planted_end_hung_task();
}

static struct kunit_suite suite = {
	.name = "zcb_planted",
	.suite_exit = end,
	.test_cases = cases,
};

/*
 * One after the other in one kernel. KASAN reports one bug only, and turns
 * lockdep off.
 */
static struct kunit_case cases_together[] = {
	KUNIT_CASE(rcu_deref),
	KUNIT_CASE(lock_inversion),
	KUNIT_CASE(atomic_sleep),
	KUNIT_CASE(atomic_schedule),
	KUNIT_CASE(shift),
	KUNIT_CASE(bounds),
	KUNIT_CASE(refcount_underflow),
	KUNIT_CASE(list_del_twice),
	KUNIT_CASE(timer_free),
	KUNIT_CASE(call_rcu_twice),
	KUNIT_CASE(cache_leak),
	KUNIT_CASE(slab_uaf),
	{}
};

static struct kunit_suite suite_together = {
	.name = "zcb_planted_together",
	.test_cases = cases_together,
};
kunit_test_suites(&suite, &suite_together);

MODULE_AUTHOR("The zcbuf authors");
MODULE_DESCRIPTION("Bugs on demand as a KUnit suite");
MODULE_LICENSE("GPL");

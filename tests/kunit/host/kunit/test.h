/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of the kernel's <kunit/test.h> that the suites of core/ use, for
 * user space: the same names and meanings. One suite file makes one program,
 * which prints KTAP and exits with 0 if nothing failed.
 *
 * What is not here the suites may not use; both worlds compile them unchanged.
 */
#ifndef ZCB_HOST_KUNIT_TEST_H
#define ZCB_HOST_KUNIT_TEST_H

#include "../env.h"

/* ----------------------------------------------- what the real one brings */

typedef unsigned int gfp_t;

#define GFP_KERNEL	0U
#define __GFP_NOWARN	0U

#define IS_ERR_VALUE(x)	((unsigned long)(x) >= (unsigned long)-4095)

static inline bool IS_ERR(const void *ptr)
{
	return IS_ERR_VALUE(ptr);
}

#define MODULE_LICENSE(x)	_Static_assert(1, "")
#define MODULE_DESCRIPTION(x)	_Static_assert(1, "")

/* Without a rand.h seed of their own, suites take ZCB_SEED or a constant. */
u64 zcb_host_seed(void);
#define ZCB_RAND_SEED	zcb_host_seed()

/* ------------------------------------------------------- cases and suites */

#define KUNIT_PARAM_DESC_SIZE	128

enum kunit_status {
	KUNIT_SUCCESS,
	KUNIT_FAILURE,
	KUNIT_SKIPPED,
};

/**
 * struct kunit - a case that runs
 * @priv: the suite's own
 * @name: of the case
 * @param_value: of a parameterised case
 * @status: so far
 * @status_comment: why it was skipped
 */
struct kunit {
	void *priv;
	const char *name;
	const void *param_value;
	enum kunit_status status;
	char status_comment[256];
};

/**
 * struct kunit_case - one test
 * @run_case: the function
 * @name: its name; NULL ends the array
 * @generate_params: the parameter after @prev, the first after NULL, or NULL;
 *	describes it in @desc
 */
struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
	const void *(*generate_params)(const void *prev, char *desc);
};

struct kunit_suite {
	const char name[256];
	int (*suite_init)(struct kunit_suite *suite);
	void (*suite_exit)(struct kunit_suite *suite);
	int (*init)(struct kunit *test);
	void (*exit)(struct kunit *test);
	struct kunit_case *test_cases;
};

#define KUNIT_CASE(fn)			{ .run_case = fn, .name = #fn }
#define KUNIT_CASE_SLOW(fn)		KUNIT_CASE(fn)
#define KUNIT_CASE_PARAM(fn, gen) \
	{ .run_case = fn, .name = #fn, .generate_params = gen }

/* Defines name_gen_params(); get_desc(elem, desc) may be NULL. */
#define KUNIT_ARRAY_PARAM(name, array, get_desc)			\
static const void *name##_gen_params(const void *prev, char *desc)	\
{									\
	void (*__desc)(typeof((array)[0]) *, char *) = get_desc;	\
	typeof((array)[0]) *__next = prev;				\
									\
	__next = __next ? __next + 1 : (array);				\
	if (__next >= (array) + ARRAY_SIZE(array))			\
		return NULL;						\
	if (__desc)							\
		__desc(__next, desc);					\
	return __next;							\
}

extern struct kunit_suite *const kunit_host_suites[];

#define kunit_test_suites(...) \
	struct kunit_suite *const kunit_host_suites[] = { __VA_ARGS__, NULL }
#define kunit_test_suite(suite)	kunit_test_suites(&(suite))

/* ------------------------------------------------------ memory and output */

/* All of it is given back after the case. */
void *kunit_kmalloc_array(struct kunit *test, size_t n, size_t size, gfp_t gfp);
void *kunit_kcalloc(struct kunit *test, size_t n, size_t size, gfp_t gfp);
void kunit_kfree(struct kunit *test, const void *ptr);

static inline void *kunit_kmalloc(struct kunit *test, size_t size, gfp_t gfp)
{
	return kunit_kmalloc_array(test, 1, size, gfp);
}

static inline void *kunit_kzalloc(struct kunit *test, size_t size, gfp_t gfp)
{
	return kunit_kcalloc(test, 1, size, gfp);
}

void __printf(2, 3) kunit_host_note(struct kunit *test, const char *fmt, ...);

#define kunit_info(test, fmt, ...)	kunit_host_note(test, fmt, ##__VA_ARGS__)
#define kunit_warn(test, fmt, ...)	kunit_host_note(test, fmt, ##__VA_ARGS__)
#define kunit_err(test, fmt, ...)	kunit_host_note(test, fmt, ##__VA_ARGS__)

void __printf(2, 3) kunit_host_skip(struct kunit *test, const char *fmt, ...);

#define kunit_mark_skipped(test, fmt, ...) \
	kunit_host_skip(test, fmt, ##__VA_ARGS__)
#define kunit_skip(test, fmt, ...) do {					\
	kunit_host_skip(test, fmt, ##__VA_ARGS__);			\
	kunit_host_abort();						\
} while (0)

/* ------------------------------------------------------------ expectations */

void kunit_host_fail(struct kunit *test, const char *file, int line,
		     const char *what);
void __attribute__((__noreturn__)) kunit_host_abort(void);

#define KUNIT_SUCCEED(test)	((void)(test))

#define KUNIT_HOST_FAIL(test, what, values, note, then) do {		\
	kunit_host_fail(test, __FILE__, __LINE__, what);		\
	values;								\
	note;								\
	then;								\
} while (0)

#define KUNIT_HOST_COMPARE(test, left, op, right, note, then) do {	\
	const typeof(left) __left = (left);				\
	const typeof(right) __right = (right);				\
									\
	if (likely(__left op __right))					\
		break;							\
	KUNIT_HOST_FAIL(test, #left " " #op " " #right,			\
			kunit_host_note(test, "left %lld, right %lld",	\
					(long long)__left,		\
					(long long)__right),		\
			note, then);					\
} while (0)

#define KUNIT_HOST_POINTERS(test, left, op, right, note, then) do {	\
	const void *__left = (left);					\
	const void *__right = (right);					\
									\
	if (likely(__left op __right))					\
		break;							\
	KUNIT_HOST_FAIL(test, #left " " #op " " #right,			\
			kunit_host_note(test, "left %p, right %p",	\
					__left, __right),		\
			note, then);					\
} while (0)

#define KUNIT_HOST_BOOL(test, cond, what, note, then) do {		\
	if (likely(cond))						\
		break;							\
	KUNIT_HOST_FAIL(test, what, KUNIT_SUCCEED(test), note, then);	\
} while (0)

#define KUNIT_HOST_NONE		((void)0)
#define KUNIT_HOST_NOTE(test, fmt, ...) \
	kunit_host_note(test, fmt, ##__VA_ARGS__)

#define KUNIT_FAIL(test, fmt, ...) \
	KUNIT_HOST_FAIL(test, "failed", KUNIT_HOST_NONE, \
			KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			KUNIT_HOST_NONE)
#define KUNIT_FAIL_AND_ABORT(test, fmt, ...) \
	KUNIT_HOST_FAIL(test, "failed", KUNIT_HOST_NONE, \
			KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			kunit_host_abort())

#define KUNIT_EXPECT_EQ(test, l, r) \
	KUNIT_HOST_COMPARE(test, l, ==, r, KUNIT_HOST_NONE, \
			   KUNIT_HOST_NONE)
#define KUNIT_EXPECT_EQ_MSG(test, l, r, fmt, ...) \
	KUNIT_HOST_COMPARE(test, l, ==, r, \
			   KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			   KUNIT_HOST_NONE)
#define KUNIT_EXPECT_NE(test, l, r) \
	KUNIT_HOST_COMPARE(test, l, !=, r, KUNIT_HOST_NONE, \
			   KUNIT_HOST_NONE)
#define KUNIT_EXPECT_NE_MSG(test, l, r, fmt, ...) \
	KUNIT_HOST_COMPARE(test, l, !=, r, \
			   KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			   KUNIT_HOST_NONE)
#define KUNIT_EXPECT_LT(test, l, r) \
	KUNIT_HOST_COMPARE(test, l, <, r, KUNIT_HOST_NONE, \
			   KUNIT_HOST_NONE)
#define KUNIT_EXPECT_LT_MSG(test, l, r, fmt, ...) \
	KUNIT_HOST_COMPARE(test, l, <, r, \
			   KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			   KUNIT_HOST_NONE)
#define KUNIT_EXPECT_LE(test, l, r) \
	KUNIT_HOST_COMPARE(test, l, <=, r, KUNIT_HOST_NONE, \
			   KUNIT_HOST_NONE)
#define KUNIT_EXPECT_LE_MSG(test, l, r, fmt, ...) \
	KUNIT_HOST_COMPARE(test, l, <=, r, \
			   KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			   KUNIT_HOST_NONE)
#define KUNIT_EXPECT_GT(test, l, r) \
	KUNIT_HOST_COMPARE(test, l, >, r, KUNIT_HOST_NONE, \
			   KUNIT_HOST_NONE)
#define KUNIT_EXPECT_GT_MSG(test, l, r, fmt, ...) \
	KUNIT_HOST_COMPARE(test, l, >, r, \
			   KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			   KUNIT_HOST_NONE)
#define KUNIT_EXPECT_GE(test, l, r) \
	KUNIT_HOST_COMPARE(test, l, >=, r, KUNIT_HOST_NONE, \
			   KUNIT_HOST_NONE)
#define KUNIT_EXPECT_GE_MSG(test, l, r, fmt, ...) \
	KUNIT_HOST_COMPARE(test, l, >=, r, \
			   KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			   KUNIT_HOST_NONE)
#define KUNIT_EXPECT_PTR_EQ(test, l, r) \
	KUNIT_HOST_POINTERS(test, l, ==, r, KUNIT_HOST_NONE, \
			   KUNIT_HOST_NONE)
#define KUNIT_EXPECT_PTR_EQ_MSG(test, l, r, fmt, ...) \
	KUNIT_HOST_POINTERS(test, l, ==, r, \
			   KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			   KUNIT_HOST_NONE)
#define KUNIT_EXPECT_PTR_NE(test, l, r) \
	KUNIT_HOST_POINTERS(test, l, !=, r, KUNIT_HOST_NONE, \
			   KUNIT_HOST_NONE)
#define KUNIT_EXPECT_PTR_NE_MSG(test, l, r, fmt, ...) \
	KUNIT_HOST_POINTERS(test, l, !=, r, \
			   KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			   KUNIT_HOST_NONE)
#define KUNIT_EXPECT_TRUE(test, cond) \
	KUNIT_HOST_BOOL(test, cond, \
			#cond " is true", \
			KUNIT_HOST_NONE, KUNIT_HOST_NONE)
#define KUNIT_EXPECT_TRUE_MSG(test, cond, fmt, ...) \
	KUNIT_HOST_BOOL(test, cond, \
			#cond " is true", \
			KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			KUNIT_HOST_NONE)
#define KUNIT_EXPECT_FALSE(test, cond) \
	KUNIT_HOST_BOOL(test, !(cond), \
			#cond " is false", \
			KUNIT_HOST_NONE, KUNIT_HOST_NONE)
#define KUNIT_EXPECT_FALSE_MSG(test, cond, fmt, ...) \
	KUNIT_HOST_BOOL(test, !(cond), \
			#cond " is false", \
			KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			KUNIT_HOST_NONE)
#define KUNIT_EXPECT_NULL(test, ptr) \
	KUNIT_HOST_BOOL(test, !(ptr), \
			#ptr " is NULL", \
			KUNIT_HOST_NONE, KUNIT_HOST_NONE)
#define KUNIT_EXPECT_NULL_MSG(test, ptr, fmt, ...) \
	KUNIT_HOST_BOOL(test, !(ptr), \
			#ptr " is NULL", \
			KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			KUNIT_HOST_NONE)
#define KUNIT_EXPECT_NOT_NULL(test, ptr) \
	KUNIT_HOST_BOOL(test, (ptr) != NULL, \
			#ptr " is not NULL", \
			KUNIT_HOST_NONE, KUNIT_HOST_NONE)
#define KUNIT_EXPECT_NOT_NULL_MSG(test, ptr, fmt, ...) \
	KUNIT_HOST_BOOL(test, (ptr) != NULL, \
			#ptr " is not NULL", \
			KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			KUNIT_HOST_NONE)
#define KUNIT_EXPECT_NOT_ERR_OR_NULL(test, ptr) \
	KUNIT_HOST_BOOL(test, (ptr) && !IS_ERR(ptr), \
			#ptr " is a pointer", \
			KUNIT_HOST_NONE, KUNIT_HOST_NONE)
#define KUNIT_EXPECT_NOT_ERR_OR_NULL_MSG(test, ptr, fmt, ...) \
	KUNIT_HOST_BOOL(test, (ptr) && !IS_ERR(ptr), \
			#ptr " is a pointer", \
			KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			KUNIT_HOST_NONE)
#define KUNIT_EXPECT_STREQ(test, l, r) \
	KUNIT_HOST_BOOL(test, !strcmp(l, r), \
			#l " == " #r, \
			KUNIT_HOST_NONE, KUNIT_HOST_NONE)
#define KUNIT_EXPECT_STREQ_MSG(test, l, r, fmt, ...) \
	KUNIT_HOST_BOOL(test, !strcmp(l, r), \
			#l " == " #r, \
			KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			KUNIT_HOST_NONE)
#define KUNIT_EXPECT_MEMEQ(test, l, r, n) \
	KUNIT_HOST_BOOL(test, !memcmp(l, r, n), \
			#l " == " #r, \
			KUNIT_HOST_NONE, KUNIT_HOST_NONE)
#define KUNIT_EXPECT_MEMEQ_MSG(test, l, r, n, fmt, ...) \
	KUNIT_HOST_BOOL(test, !memcmp(l, r, n), \
			#l " == " #r, \
			KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			KUNIT_HOST_NONE)
#define KUNIT_EXPECT_MEMNEQ(test, l, r, n) \
	KUNIT_HOST_BOOL(test, memcmp(l, r, n), \
			#l " != " #r, \
			KUNIT_HOST_NONE, KUNIT_HOST_NONE)
#define KUNIT_EXPECT_MEMNEQ_MSG(test, l, r, n, fmt, ...) \
	KUNIT_HOST_BOOL(test, memcmp(l, r, n), \
			#l " != " #r, \
			KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			KUNIT_HOST_NONE)

#define KUNIT_ASSERT_EQ(test, l, r) \
	KUNIT_HOST_COMPARE(test, l, ==, r, KUNIT_HOST_NONE, \
			   kunit_host_abort())
#define KUNIT_ASSERT_EQ_MSG(test, l, r, fmt, ...) \
	KUNIT_HOST_COMPARE(test, l, ==, r, \
			   KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			   kunit_host_abort())
#define KUNIT_ASSERT_NE(test, l, r) \
	KUNIT_HOST_COMPARE(test, l, !=, r, KUNIT_HOST_NONE, \
			   kunit_host_abort())
#define KUNIT_ASSERT_NE_MSG(test, l, r, fmt, ...) \
	KUNIT_HOST_COMPARE(test, l, !=, r, \
			   KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			   kunit_host_abort())
#define KUNIT_ASSERT_LT(test, l, r) \
	KUNIT_HOST_COMPARE(test, l, <, r, KUNIT_HOST_NONE, \
			   kunit_host_abort())
#define KUNIT_ASSERT_LT_MSG(test, l, r, fmt, ...) \
	KUNIT_HOST_COMPARE(test, l, <, r, \
			   KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			   kunit_host_abort())
#define KUNIT_ASSERT_LE(test, l, r) \
	KUNIT_HOST_COMPARE(test, l, <=, r, KUNIT_HOST_NONE, \
			   kunit_host_abort())
#define KUNIT_ASSERT_LE_MSG(test, l, r, fmt, ...) \
	KUNIT_HOST_COMPARE(test, l, <=, r, \
			   KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			   kunit_host_abort())
#define KUNIT_ASSERT_GT(test, l, r) \
	KUNIT_HOST_COMPARE(test, l, >, r, KUNIT_HOST_NONE, \
			   kunit_host_abort())
#define KUNIT_ASSERT_GT_MSG(test, l, r, fmt, ...) \
	KUNIT_HOST_COMPARE(test, l, >, r, \
			   KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			   kunit_host_abort())
#define KUNIT_ASSERT_GE(test, l, r) \
	KUNIT_HOST_COMPARE(test, l, >=, r, KUNIT_HOST_NONE, \
			   kunit_host_abort())
#define KUNIT_ASSERT_GE_MSG(test, l, r, fmt, ...) \
	KUNIT_HOST_COMPARE(test, l, >=, r, \
			   KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			   kunit_host_abort())
#define KUNIT_ASSERT_PTR_EQ(test, l, r) \
	KUNIT_HOST_POINTERS(test, l, ==, r, KUNIT_HOST_NONE, \
			   kunit_host_abort())
#define KUNIT_ASSERT_PTR_EQ_MSG(test, l, r, fmt, ...) \
	KUNIT_HOST_POINTERS(test, l, ==, r, \
			   KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			   kunit_host_abort())
#define KUNIT_ASSERT_PTR_NE(test, l, r) \
	KUNIT_HOST_POINTERS(test, l, !=, r, KUNIT_HOST_NONE, \
			   kunit_host_abort())
#define KUNIT_ASSERT_PTR_NE_MSG(test, l, r, fmt, ...) \
	KUNIT_HOST_POINTERS(test, l, !=, r, \
			   KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			   kunit_host_abort())
#define KUNIT_ASSERT_TRUE(test, cond) \
	KUNIT_HOST_BOOL(test, cond, \
			#cond " is true", \
			KUNIT_HOST_NONE, kunit_host_abort())
#define KUNIT_ASSERT_TRUE_MSG(test, cond, fmt, ...) \
	KUNIT_HOST_BOOL(test, cond, \
			#cond " is true", \
			KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			kunit_host_abort())
#define KUNIT_ASSERT_FALSE(test, cond) \
	KUNIT_HOST_BOOL(test, !(cond), \
			#cond " is false", \
			KUNIT_HOST_NONE, kunit_host_abort())
#define KUNIT_ASSERT_FALSE_MSG(test, cond, fmt, ...) \
	KUNIT_HOST_BOOL(test, !(cond), \
			#cond " is false", \
			KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			kunit_host_abort())
#define KUNIT_ASSERT_NULL(test, ptr) \
	KUNIT_HOST_BOOL(test, !(ptr), \
			#ptr " is NULL", \
			KUNIT_HOST_NONE, kunit_host_abort())
#define KUNIT_ASSERT_NULL_MSG(test, ptr, fmt, ...) \
	KUNIT_HOST_BOOL(test, !(ptr), \
			#ptr " is NULL", \
			KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			kunit_host_abort())
#define KUNIT_ASSERT_NOT_NULL(test, ptr) \
	KUNIT_HOST_BOOL(test, (ptr) != NULL, \
			#ptr " is not NULL", \
			KUNIT_HOST_NONE, kunit_host_abort())
#define KUNIT_ASSERT_NOT_NULL_MSG(test, ptr, fmt, ...) \
	KUNIT_HOST_BOOL(test, (ptr) != NULL, \
			#ptr " is not NULL", \
			KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			kunit_host_abort())
#define KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ptr) \
	KUNIT_HOST_BOOL(test, (ptr) && !IS_ERR(ptr), \
			#ptr " is a pointer", \
			KUNIT_HOST_NONE, kunit_host_abort())
#define KUNIT_ASSERT_NOT_ERR_OR_NULL_MSG(test, ptr, fmt, ...) \
	KUNIT_HOST_BOOL(test, (ptr) && !IS_ERR(ptr), \
			#ptr " is a pointer", \
			KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			kunit_host_abort())
#define KUNIT_ASSERT_STREQ(test, l, r) \
	KUNIT_HOST_BOOL(test, !strcmp(l, r), \
			#l " == " #r, \
			KUNIT_HOST_NONE, kunit_host_abort())
#define KUNIT_ASSERT_STREQ_MSG(test, l, r, fmt, ...) \
	KUNIT_HOST_BOOL(test, !strcmp(l, r), \
			#l " == " #r, \
			KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			kunit_host_abort())
#define KUNIT_ASSERT_MEMEQ(test, l, r, n) \
	KUNIT_HOST_BOOL(test, !memcmp(l, r, n), \
			#l " == " #r, \
			KUNIT_HOST_NONE, kunit_host_abort())
#define KUNIT_ASSERT_MEMEQ_MSG(test, l, r, n, fmt, ...) \
	KUNIT_HOST_BOOL(test, !memcmp(l, r, n), \
			#l " == " #r, \
			KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			kunit_host_abort())
#define KUNIT_ASSERT_MEMNEQ(test, l, r, n) \
	KUNIT_HOST_BOOL(test, memcmp(l, r, n), \
			#l " != " #r, \
			KUNIT_HOST_NONE, kunit_host_abort())
#define KUNIT_ASSERT_MEMNEQ_MSG(test, l, r, n, fmt, ...) \
	KUNIT_HOST_BOOL(test, memcmp(l, r, n), \
			#l " != " #r, \
			KUNIT_HOST_NOTE(test, fmt, ##__VA_ARGS__), \
			kunit_host_abort())

#endif /* ZCB_HOST_KUNIT_TEST_H */

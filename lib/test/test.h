/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A test program: a table of cases, each run in a child of its own, KTAP out.
 * A case fails by an expectation, by a signal, by a sanitizer, or by not ending.
 */
#ifndef ZCBUF_LIB_TEST_H
#define ZCBUF_LIB_TEST_H

#include <stdbool.h>

struct test_case {
	const char *name;
	void (*run)(void);
};

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

#define CASE(fn)	{ #fn, fn }

/* Runs them all, or those named in @argv; returns what main() returns. */
int test_main(int argc, char **argv, const struct test_case *cases,
	      unsigned int ncases);

#define TEST_MAIN(cases)						\
	int main(int argc, char **argv)					\
	{								\
		return test_main(argc, argv, cases, ARRAY_SIZE(cases));	\
	}

/* Ends the case; the reason is printed. */
__attribute__((noreturn, format(printf, 1, 2)))
void test_skip(const char *format, ...);

__attribute__((format(printf, 4, 5)))
void test_check(bool ok, const char *file, int line, const char *format, ...);

/* EXPECT goes on when it fails, the case fails in the end. */
#define EXPECT(cond)							\
	test_check(!!(cond), __FILE__, __LINE__, "%s", #cond)

#define EXPECT_EQ(a, b) do {						\
	long long left_ = (long long)(a);				\
	long long right_ = (long long)(b);				\
	test_check(left_ == right_, __FILE__, __LINE__,			\
		   "%s is %lld, not %s, %lld", #a, left_, #b, right_);	\
} while (0)

/* ASSERT ends the case: what follows would make no sense. */
void test_fail_now(void) __attribute__((noreturn));

#define ASSERT_EQ(a, b) do {						\
	long long got_ = (long long)(a);				\
	long long want_ = (long long)(b);				\
	if (got_ != want_) {						\
		test_check(false, __FILE__, __LINE__,			\
			   "%s is %lld, not %s, %lld",			\
			   #a, got_, #b, want_);			\
		test_fail_now();					\
	}								\
} while (0)

#endif /* ZCBUF_LIB_TEST_H */

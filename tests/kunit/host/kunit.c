// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the KUnit suites of one file in user space and prints KTAP version 1.
 *
 * A child does the work, so that a suite that dies (a sanitizer, SIGSEGV, a
 * leak found at exit) still ends in a "not ok" line: the parent prints the
 * result of the suite once it knows how the child ended.
 *
 * Usage: program [CASE]: all cases, or only the one of that name.
 * ZCB_SEED=N in the environment: another seed for the random streams.
 */
#include <kunit/test.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Distinguishes the same suite compiled in several ways. */
#ifndef KUNIT_HOST_VARIANT
#define KUNIT_HOST_VARIANT	"host"
#endif

#define DEFAULT_SEED		20240611ULL
#define CHILD_FAILED		77	/* of the child: cases failed */
#define CHILD_SECONDS		120	/* a suite that hangs is killed */

/* One allocation of a case. */
struct host_mem {
	struct host_mem *next;
	max_align_t data[];	/* any type may be stored here */
};

/* A program runs one case at a time, in one thread. */
static struct {
	jmp_buf end_of_case;
	struct kunit *test;
	struct host_mem *mem;
	const char *indent;
	unsigned int ok, failed, skipped;
} host;

u64 zcb_host_seed(void)
{
	const char *seed = getenv("ZCB_SEED");

	return seed ? strtoull(seed, NULL, 0) : DEFAULT_SEED;
}

bool zcb_host_warn(const char *file, int line, const char *what)
{
	if (!host.test) {
		fprintf(stderr, "%s:%d: warning: %s\n", file, line, what);
		abort();
	}
	kunit_host_fail(host.test, file, line, what);
	kunit_host_note(host.test, "the kernel would have warned");
	return true;
}

void kunit_host_note(struct kunit *test, const char *fmt, ...)
{
	va_list args;

	printf("%s# %s: ", host.indent, test->name);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

void kunit_host_skip(struct kunit *test, const char *fmt, ...)
{
	va_list args;

	test->status = KUNIT_SKIPPED;
	va_start(args, fmt);
	vsnprintf(test->status_comment, sizeof(test->status_comment), fmt,
		  args);
	va_end(args);
}

void kunit_host_fail(struct kunit *test, const char *file, int line,
		     const char *what)
{
	test->status = KUNIT_FAILURE;
	kunit_host_note(test, "FAILED at %s:%d", file, line);
	kunit_host_note(test, "expected %s", what);
}

void kunit_host_abort(void)
{
	longjmp(host.end_of_case, 1);
}

void *kunit_kmalloc_array(struct kunit *test, size_t n, size_t size, gfp_t gfp)
{
	void *ptr = kunit_kcalloc(test, n, size, gfp);

	if (ptr)
		memset(ptr, 0xa5, n * size);
	return ptr;
}

void *kunit_kcalloc(struct kunit *test, size_t n, size_t size, gfp_t gfp)
{
	struct host_mem *m;

	m = calloc(1, size_add(sizeof(*m), size_mul(n, size)));
	if (!m)
		return NULL;
	m->next = host.mem;
	host.mem = m;
	return m->data;
}

void kunit_kfree(struct kunit *test, const void *ptr)
{
	struct host_mem **at, *m;

	if (!ptr)
		return;
	for (at = &host.mem; *at && (const void *)(*at)->data != ptr; at = &(*at)->next)
		;
	m = *at;
	if (!m) {
		kunit_host_fail(test, __FILE__, __LINE__, "memory of this case");
		return;
	}
	*at = m->next;
	free(m);
}

static void free_all(void)
{
	struct host_mem *m;

	while ((m = host.mem)) {
		host.mem = m->next;
		free(m);
	}
}

/* Returns false if @fn ended by an assertion or a skip. */
static bool guarded(void (*fn)(struct kunit *test), struct kunit *test)
{
	if (setjmp(host.end_of_case))
		return false;
	fn(test);
	return true;
}

static int (*suite_init_fn)(struct kunit *test);

static void call_init(struct kunit *test)
{
	int error = suite_init_fn(test);

	if (!error)
		return;
	kunit_host_fail(test, __FILE__, __LINE__, "init() returns 0");
	kunit_host_note(test, "it returned %d", error);
	kunit_host_abort();
}

/* init, the case, exit whatever happened, the memory: as in the kernel. */
static void run_once(struct kunit_suite *suite, struct kunit_case *c,
		     const void *param, struct kunit *test)
{
	bool ready = true;

	*test = (struct kunit){ .name = c->name, .param_value = param };
	host.test = test;
	if (suite->init) {
		suite_init_fn = suite->init;
		ready = guarded(call_init, test);
	}
	if (ready)
		guarded(c->run_case, test);
	if (suite->exit)
		guarded(suite->exit, test);
	free_all();
	host.test = NULL;
}

static void print_result(enum kunit_status status, unsigned int nr,
			 const char *name, const char *comment)
{
	printf("%s%sok %u %s%s%s\n", host.indent,
	       status == KUNIT_FAILURE ? "not " : "", nr, name,
	       status == KUNIT_SKIPPED ? " # SKIP " : "", comment);
}

static unsigned int count_params(struct kunit_case *c)
{
	char desc[KUNIT_PARAM_DESC_SIZE];
	const void *param = NULL;
	unsigned int n = 0;

	while ((param = c->generate_params(param, desc)))
		n++;
	return n;
}

/* Once for each parameter, as a test below the case. */
static void run_params(struct kunit_suite *suite, struct kunit_case *c,
		       struct kunit *result)
{
	const char *outer = host.indent;
	const void *param = NULL;
	unsigned int nr = 0;

	host.indent = "        ";
	printf("%sKTAP version 1\n%s# Subtest: %s\n%s1..%u\n", host.indent,
	       host.indent, c->name, host.indent, count_params(c));
	for (;;) {
		char desc[KUNIT_PARAM_DESC_SIZE] = "";
		struct kunit test;

		param = c->generate_params(param, desc);
		if (!param)
			break;
		if (!desc[0])
			snprintf(desc, sizeof(desc), "param-%u", nr);
		run_once(suite, c, param, &test);
		print_result(test.status, ++nr, desc, test.status_comment);
		if (test.status == KUNIT_FAILURE)
			result->status = KUNIT_FAILURE;
	}
	host.indent = outer;
}

static void run_case(struct kunit_suite *suite, struct kunit_case *c,
		     unsigned int nr)
{
	struct kunit test = {};

	if (c->generate_params)
		run_params(suite, c, &test);
	else
		run_once(suite, c, NULL, &test);
	print_result(test.status, nr, c->name, test.status_comment);
	if (test.status == KUNIT_FAILURE)
		host.failed++;
	else if (test.status == KUNIT_SKIPPED)
		host.skipped++;
	else
		host.ok++;
}

static bool wanted(const struct kunit_case *c, const char *only)
{
	return !only || !strcmp(c->name, only);
}

static int run_suite(struct kunit_suite *suite, const char *only)
{
	unsigned int n = 0, nr = 0;
	struct kunit_case *c;

	for (c = suite->test_cases; c->name; c++)
		n += wanted(c, only);
	host.indent = "    ";
	printf("%sKTAP version 1\n%s# Subtest: %s.%s\n%s1..%u\n", host.indent,
	       host.indent, suite->name, KUNIT_HOST_VARIANT, host.indent, n);
	if (suite->suite_init && suite->suite_init(suite)) {
		printf("# suite_init failed\n");
		return CHILD_FAILED;
	}
	for (c = suite->test_cases; c->name; c++)
		if (wanted(c, only))
			run_case(suite, c, ++nr);
	if (suite->suite_exit)
		suite->suite_exit(suite);
	printf("# %s.%s: pass:%u fail:%u skip:%u total:%u\n", suite->name,
	       KUNIT_HOST_VARIANT, host.ok, host.failed, host.skipped, n);
	return host.failed || !n ? CHILD_FAILED : 0;
}

/* Returns whether all is well. */
static bool run_in_child(struct kunit_suite *suite, unsigned int nr,
			 const char *only)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		perror("fork");
		return false;
	}
	if (!pid) {
		alarm(CHILD_SECONDS);
		exit(run_suite(suite, only));
	}
	if (waitpid(pid, &status, 0) != pid) {
		perror("waitpid");
		return false;
	}
	if (WIFSIGNALED(status))
		printf("# killed by signal %d\n", WTERMSIG(status));
	else if (WEXITSTATUS(status) && WEXITSTATUS(status) != CHILD_FAILED)
		printf("# died with exit status %d\n", WEXITSTATUS(status));
	printf("%sok %u %s.%s\n", status ? "not " : "", nr, suite->name,
	       KUNIT_HOST_VARIANT);
	return !status;
}

int main(int argc, char **argv)
{
	unsigned int n = 0, i;
	bool ok = true;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while (kunit_host_suites[n])
		n++;
	printf("KTAP version 1\n1..%u\n", n);
	for (i = 0; i < n; i++)
		if (!run_in_child(kunit_host_suites[i], i + 1,
				  argc > 1 ? argv[1] : NULL))
			ok = false;
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

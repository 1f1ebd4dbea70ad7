/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * ktap.h: a small test harness in the manner of kselftest, printing KTAP.
 *
 * A program is one file that includes this header once and lists tests:
 *
 *	TEST(free_twice)
 *	{
 *		int fd = zt_pool(ZCBUF_POOL_PAGES, 0, 0);
 *
 *		ASSERT_GE(fd, 0);
 *		EXPECT_EQ(zt_free(fd, &handle, 1), 1);
 *		EXPECT_ERR(zt_free(fd, &handle, 1), EBADSLT);
 *	}
 *
 *	KTAP_MAIN()
 *
 * Each test runs in a child of its own, which leads a process group, under a
 * time limit (KTAP_TIME_LIMIT seconds, or TEST_LIMIT(name, seconds)). A test
 * that crashes, hangs or exits is one failed test; whatever processes it left
 * are killed and the next one goes on. State is shared between tests by
 * nothing but the machine.
 *
 * EXPECT_x() notes a failure and goes on, ASSERT_x() ends the process that
 * calls it. Both may be used in helper functions and in processes and threads
 * the test starts: failures are counted in shared memory. Each prints file,
 * line, the two expressions and their values.
 *
 *	x_EQ x_NE x_LT x_LE x_GT x_GE (seen, wanted)	integers
 *	x_ERR(call, ECODE)				call answers -ECODE
 *	x_OK(call)					call answers 0
 *	x_TRUE(cond)  x_FALSE(cond)  x_STREQ(seen, wanted)
 *	x_FILLED(ptr, byte, n)				n bytes, all the same
 *	x_STATUS(pid, code)				child exits with code
 *	SKIP(reason, ...)				ends the test, skipped
 *	TEST_LOG(fmt, ...)				a line for people
 *	KTAP_MISSING("what", fmt, ...)			SKIP; but a failure if
 *			ZCB_REQUIRE in the environment has "what" in it
 *
 * TEST_WITH(function, name, arg): one more test, which calls
 * function(const void *) with arg: for variants of one scenario.
 *
 * KTAP_SIGNALS in the environment: somebody is going to send SIGURG, to whatever
 * process and thread, and all that it does is to interrupt (tests/stress/pelt).
 *
 * KTAP_SLOWER=N in the environment: every limit is N times as long, for a kernel
 * that looks at each access to memory; and what only tries its luck or is more of
 * the same, by KTAP_TRIES, is done N times less often, because there each takes
 * as much longer.
 *
 * The program: prog [-l] [-t seconds] [part of a test's name]...
 * Exit status: 0 all passed, 1 a failure, 2 usage, 4 everything was skipped.
 */
#ifndef ZCBUF_KTAP_H
#define ZCBUF_KTAP_H

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef KTAP_TIME_LIMIT
#define KTAP_TIME_LIMIT	60	/* seconds; an emulated machine is slow */
#endif

#define KTAP_PASS	0
#define KTAP_FAIL	1
#define KTAP_USAGE	2
#define KTAP_SKIP	4

struct ktap_test {
	const char *name;
	void (*run)(const void *arg);
	const void *arg;
	unsigned int limit;		/* seconds */
	struct ktap_test *next;
};

/* What a test's processes tell the parent. */
struct ktap_shared {
	unsigned int failures;		/* atomic */
	char skip[200];
};

static struct ktap_test *ktap_first;
static struct ktap_test **ktap_last = &ktap_first;
static struct ktap_shared *ktap_shared;
static unsigned int ktap_limit;		/* of all tests, from -t */

static __inline__ void ktap_register(struct ktap_test *t)
{
	*ktap_last = t;
	ktap_last = &t->next;
}

#define KTAP_CAT_(a, b)	a##b
#define KTAP_CAT(a, b)	KTAP_CAT_(a, b)

#define KTAP_REGISTER(id, title, fn, parm, seconds)			\
	static struct ktap_test ktap_entry_##id = {			\
		.name = title, .run = fn, .arg = parm, .limit = seconds,\
	};								\
	__attribute__((constructor)) static void ktap_ctor_##id(void)	\
	{								\
		ktap_register(&ktap_entry_##id);			\
	}

#define TEST_LIMIT(test, seconds)					\
	static void ktap_run_##test(const void *);			\
	KTAP_REGISTER(test, #test, ktap_run_##test, NULL, seconds)	\
	static void ktap_run_##test(__attribute__((unused)) const void *arg)

#define TEST(test)		TEST_LIMIT(test, KTAP_TIME_LIMIT)

#define TEST_WITH(fn, test, parm)					\
	KTAP_REGISTER(test, #test, fn, parm, KTAP_TIME_LIMIT)

/* ------------------------------------------------------------- what tests say */

/* One write for each line: lines of several processes do not mix. */
static __inline__ void __attribute__((format(printf, 1, 2)))
ktap_log(const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line + 2, sizeof(line) - 3, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if (n > (int)sizeof(line) - 4)
		n = sizeof(line) - 4;
	memcpy(line, "# ", 2);
	line[n + 2] = '\n';
	if (write(STDOUT_FILENO, line, n + 3) < 0)
		_exit(KTAP_FAIL);
}

#define TEST_LOG(...)	ktap_log(__VA_ARGS__)

static __inline__ void ktap_note_failure(void)
{
	__atomic_fetch_add(&ktap_shared->failures, 1, __ATOMIC_RELAXED);
}

static __inline__ void __attribute__((noreturn, format(printf, 1, 2)))
ktap_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(ktap_shared->skip, sizeof(ktap_shared->skip), fmt, ap);
	va_end(ap);
	_exit(KTAP_SKIP);
}

#define SKIP(...)	ktap_skip(__VA_ARGS__)

static __inline__ int ktap_required(const char *what)
{
	const char *required = getenv("ZCB_REQUIRE");

	return required && strstr(required, what);
}

#define KTAP_MISSING(what, ...)						\
	do {								\
		if (ktap_required(what)) {				\
			TEST_LOG(__VA_ARGS__);				\
			ASSERT_TRUE(!"ZCB_REQUIRE wants it");		\
		}							\
		SKIP(__VA_ARGS__);					\
	} while (0)

/* Is somebody sending signals? For tests that count on who sends them. */
static __inline__ int ktap_pelted(void)
{
	return !!getenv("KTAP_SIGNALS");
}

/* Until somebody kills this process. */
static __inline__ void __attribute__((noreturn)) ktap_stay(void)
{
	for (;;)
		pause();
}

/* -22 is "-22 (EINVAL)". */
static __inline__ const char *ktap_value(char *buf, size_t n, long long v)
{
	const char *name = v < 0 && v > -4096 ? strerrorname_np(-v) : NULL;

	if (name)
		snprintf(buf, n, "%lld (-%s)", v, name);
	else if (v > 9)
		snprintf(buf, n, "%lld (%#llx)", v, v);
	else
		snprintf(buf, n, "%lld", v);
	return buf;
}

static __inline__ int ktap_fail_values(const char *file, int line,
				       const char *a, const char *op,
				       const char *b, long long va,
				       long long vb)
{
	char sa[64], sb[64];

	ktap_note_failure();
	ktap_log("%s:%d: wanted %s %s %s: %s is %s, %s is %s", file, line, a,
		 op, b, a, ktap_value(sa, sizeof(sa), va), b,
		 ktap_value(sb, sizeof(sb), vb));
	return 0;
}

static __inline__ int ktap_check_string(const char *file, int line,
					const char *expr, const char *seen,
					const char *wanted)
{
	if (seen && wanted && !strcmp(seen, wanted))
		return 1;
	ktap_note_failure();
	ktap_log("%s:%d: %s is \"%s\", wanted \"%s\"", file, line, expr,
		 seen ? seen : "(null)", wanted ? wanted : "(null)");
	return 0;
}

static __inline__ int ktap_check_filled(const char *file, int line,
					const char *expr, const void *ptr,
					unsigned char byte, size_t n)
{
	const unsigned char *p = ptr;
	size_t i;

	for (i = 0; p && i < n && p[i] == byte; i++)
		;
	if (p && i == n)
		return 1;
	ktap_note_failure();
	if (p)
		ktap_log("%s:%d: %s: byte %zu of %zu is %#x, wanted %#x", file,
			 line, expr, i, n, p[i], byte);
	else
		ktap_log("%s:%d: %s is NULL", file, line, expr);
	return 0;
}

static __inline__ int ktap_check_status(const char *file, int line, pid_t pid,
					int wanted)
{
	int status = 0;

	if (waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	    WEXITSTATUS(status) == wanted)
		return 1;
	ktap_note_failure();
	ktap_log("%s:%d: process %d ended with wait status %#x, wanted exit %d",
		 file, line, pid, status, wanted);
	return 0;
}

#define KTAP_CHECK(a, op, b) __extension__ ({				\
	const long long ktap_va = (long long)(a);			\
	const long long ktap_vb = (long long)(b);			\
	(ktap_va op ktap_vb) ? 1 :					\
		ktap_fail_values(__FILE__, __LINE__, #a, #op, #b,	\
				 ktap_va, ktap_vb); })

/* Ends this process: the leading one of a test, or one that it started. */
#define KTAP_MUST(check) do { if (!(check)) _exit(KTAP_FAIL); } while (0)
#define KTAP_WANT(check) do { (void)(check); } while (0)

#define EXPECT_EQ(a, b)	KTAP_WANT(KTAP_CHECK(a, ==, b))
#define EXPECT_NE(a, b)	KTAP_WANT(KTAP_CHECK(a, !=, b))
#define EXPECT_LT(a, b)	KTAP_WANT(KTAP_CHECK(a, <, b))
#define EXPECT_LE(a, b)	KTAP_WANT(KTAP_CHECK(a, <=, b))
#define EXPECT_GT(a, b)	KTAP_WANT(KTAP_CHECK(a, >, b))
#define EXPECT_GE(a, b)	KTAP_WANT(KTAP_CHECK(a, >=, b))
#define EXPECT_ERR(a, e) KTAP_WANT(KTAP_CHECK(a, ==, -(e)))
#define EXPECT_OK(a)	KTAP_WANT(KTAP_CHECK(a, ==, 0))
#define EXPECT_TRUE(a)	KTAP_WANT(KTAP_CHECK(!!(a), ==, 1))
#define EXPECT_FALSE(a)	KTAP_WANT(KTAP_CHECK(!!(a), ==, 0))
#define EXPECT_STREQ(a, b) KTAP_WANT(					\
	ktap_check_string(__FILE__, __LINE__, #a, a, b))
#define EXPECT_FILLED(p, byte, n) KTAP_WANT(				\
	ktap_check_filled(__FILE__, __LINE__, #p, p, byte, n))
#define EXPECT_STATUS(pid, code) KTAP_WANT(				\
	ktap_check_status(__FILE__, __LINE__, pid, code))

#define ASSERT_EQ(a, b)	KTAP_MUST(KTAP_CHECK(a, ==, b))
#define ASSERT_NE(a, b)	KTAP_MUST(KTAP_CHECK(a, !=, b))
#define ASSERT_LT(a, b)	KTAP_MUST(KTAP_CHECK(a, <, b))
#define ASSERT_LE(a, b)	KTAP_MUST(KTAP_CHECK(a, <=, b))
#define ASSERT_GT(a, b)	KTAP_MUST(KTAP_CHECK(a, >, b))
#define ASSERT_GE(a, b)	KTAP_MUST(KTAP_CHECK(a, >=, b))
#define ASSERT_ERR(a, e) KTAP_MUST(KTAP_CHECK(a, ==, -(e)))
#define ASSERT_OK(a)	KTAP_MUST(KTAP_CHECK(a, ==, 0))
#define ASSERT_TRUE(a)	KTAP_MUST(KTAP_CHECK(!!(a), ==, 1))
#define ASSERT_FALSE(a)	KTAP_MUST(KTAP_CHECK(!!(a), ==, 0))
#define ASSERT_STREQ(a, b) KTAP_MUST(					\
	ktap_check_string(__FILE__, __LINE__, #a, a, b))
#define ASSERT_FILLED(p, byte, n) KTAP_MUST(				\
	ktap_check_filled(__FILE__, __LINE__, #p, p, byte, n))
#define ASSERT_STATUS(pid, code) KTAP_MUST(				\
	ktap_check_status(__FILE__, __LINE__, pid, code))

/* --------------------------------------------------------------- the runner */

static void ktap_child(const struct ktap_test *t)
{
	setpgid(0, 0);
	t->run(t->arg);
	fflush(NULL);
	_exit(KTAP_PASS);
}

/* Wait for the end of @pid: 0, or -ETIMEDOUT. */
static int ktap_wait(pid_t pid, unsigned int limit)
{
	struct pollfd p = {
		.fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN,
	};
	int n;

	if (p.fd < 0)
		return -errno;
	do {
		n = poll(&p, 1, limit * 1000);
	} while (n < 0 && errno == EINTR);
	close(p.fd);
	return n > 0 ? 0 : -ETIMEDOUT;
}

static unsigned int ktap_slower(void)
{
	const char *slower = getenv("KTAP_SLOWER");

	return slower && atoi(slower) > 0 ? atoi(slower) : 1;
}

#define KTAP_TRIES(n)	((int)(((n) - 1) / ktap_slower() + 1))

static unsigned int ktap_seconds(const struct ktap_test *t)
{
	return ktap_limit ? ktap_limit : t->limit * ktap_slower();
}

static int ktap_verdict(const struct ktap_test *t, int late, int status)
{
	if (late) {
		ktap_log("%s: still running after %u seconds: killed", t->name,
			 ktap_seconds(t));
		return KTAP_FAIL;
	}
	if (WIFSIGNALED(status)) {
		ktap_log("%s: killed by signal %d (%s)", t->name,
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
		return KTAP_FAIL;
	}
	if (ktap_shared->failures)
		return KTAP_FAIL;
	if (WEXITSTATUS(status) == KTAP_SKIP)
		return KTAP_SKIP;
	if (WEXITSTATUS(status)) {
		ktap_log("%s: exit status %d", t->name, WEXITSTATUS(status));
		return KTAP_FAIL;
	}
	return KTAP_PASS;
}

static int ktap_run_one(const struct ktap_test *t)
{
	int late, status = 0;
	pid_t pid;

	memset(ktap_shared, 0, sizeof(*ktap_shared));
	pid = fork();
	if (!pid)
		ktap_child(t);
	if (pid < 0) {
		ktap_log("%s: fork: %s", t->name, strerror(errno));
		return KTAP_FAIL;
	}
	setpgid(pid, pid);	/* whoever is first */
	late = ktap_wait(pid, ktap_seconds(t));
	kill(-pid, SIGKILL);
	waitpid(pid, &status, 0);
	return ktap_verdict(t, late, status);
}

static int ktap_selected(const struct ktap_test *t, char **names)
{
	if (!*names)
		return 1;
	for (; *names; names++)
		if (strstr(t->name, *names))
			return 1;
	return 0;
}

static void ktap_report(const struct ktap_test *t, unsigned int nr, int verdict)
{
	if (verdict == KTAP_SKIP)
		printf("ok %u %s # SKIP %s\n", nr, t->name, ktap_shared->skip);
	else
		printf("%s %u %s\n", verdict ? "not ok" : "ok", nr, t->name);
}

static int ktap_run_all(char **names)
{
	unsigned int nr = 0, pass = 0, fail = 0, skip = 0;
	const struct ktap_test *t;
	int verdict;

	for (t = ktap_first; t; t = t->next)
		nr += ktap_selected(t, names);
	printf("KTAP version 1\n1..%u\n", nr);
	nr = 0;
	for (t = ktap_first; t; t = t->next) {
		if (!ktap_selected(t, names))
			continue;
		verdict = ktap_run_one(t);
		ktap_report(t, ++nr, verdict);
		pass += verdict == KTAP_PASS;
		skip += verdict == KTAP_SKIP;
		fail += verdict == KTAP_FAIL;
	}
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:%u error:0\n",
	       pass, fail, skip);
	if (fail || !nr)
		return KTAP_FAIL;
	return pass ? KTAP_PASS : KTAP_SKIP;
}

static void ktap_do_nothing(int signo)
{
	(void)signo;
}

/* What a test executes has no handler, and so does not even notice. */
static void ktap_take_signals(void)
{
	struct sigaction sa = {
		.sa_handler = ktap_do_nothing, .sa_flags = SA_RESTART,
	};

	if (ktap_pelted())
		sigaction(SIGURG, &sa, NULL);
}

static int ktap_usage(const char *prog)
{
	fprintf(stderr, "usage: %s [-l] [-t seconds] [part of a name]...\n",
		prog);
	return KTAP_USAGE;
}

static int ktap_main(int argc, char **argv)
{
	const struct ktap_test *t;
	int list = 0;
	int opt;

	while ((opt = getopt(argc, argv, "lt:")) != -1) {
		if (opt == 't')
			ktap_limit = atoi(optarg);
		if (opt == 'l')
			list = 1;
		else if (opt != 't' || !ktap_limit)
			return ktap_usage(argv[0]);
	}
	for (t = ktap_first; list && t; t = t->next)
		printf("%s\n", t->name);
	if (list)
		return 0;
	ktap_take_signals();
	setvbuf(stdout, NULL, _IONBF, 0);	/* nothing left at a fork */
	ktap_shared = mmap(NULL, sizeof(*ktap_shared), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ktap_shared == MAP_FAILED) {
		printf("Bail out! mmap: %s\n", strerror(errno));
		return KTAP_FAIL;
	}
	return ktap_run_all(argv + optind);
}

#define KTAP_MAIN()							\
	int main(int argc, char **argv)					\
	{								\
		return ktap_main(argc, argv);				\
	}

#endif /* ZCBUF_KTAP_H */

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#define EXIT_SKIP	77
#define SECONDS		30	/* a case that takes longer hangs */

static bool failed;

void test_check(bool ok, const char *file, int line, const char *format, ...)
{
	const char *base = strrchr(file, '/');
	va_list args;

	if (ok)
		return;
	failed = true;
	printf("# %s:%d: ", base ? base + 1 : file, line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

void test_fail_now(void)
{
	exit(EXIT_FAILURE);
}

void test_skip(const char *format, ...)
{
	va_list args;

	printf("# SKIP: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	exit(failed ? EXIT_FAILURE : EXIT_SKIP);
}

static int run_case(const struct test_case *c)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		alarm(SECONDS);
		c->run();
		exit(failed ? EXIT_FAILURE : EXIT_SUCCESS);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return EXIT_FAILURE;
	/* Children it left behind. */
	kill(-pid, SIGKILL);
	if (WIFSIGNALED(status)) {
		printf("# killed: %s\n", strsignal(WTERMSIG(status)));
		return EXIT_FAILURE;
	}
	return WEXITSTATUS(status);
}

static bool wanted(int argc, char **argv, const char *name)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc < 2;
}

int test_main(int argc, char **argv, const struct test_case *cases,
	      unsigned int ncases)
{
	unsigned int total = 0;
	unsigned int bad = 0;
	unsigned int i;
	int status;

	for (i = 0; i < ncases; i++)
		total += wanted(argc, argv, cases[i].name);
	printf("KTAP version 1\n# %s\n1..%u\n", argv[0], total);
	total = 0;
	for (i = 0; i < ncases; i++) {
		if (!wanted(argc, argv, cases[i].name))
			continue;
		status = run_case(&cases[i]);
		bad += status && status != EXIT_SKIP;
		printf("%sok %u %s%s\n",
		       status && status != EXIT_SKIP ? "not " : "", ++total,
		       cases[i].name, status == EXIT_SKIP ? " # SKIP" : "");
	}
	return bad || !total ? EXIT_FAILURE : EXIT_SUCCESS;
}

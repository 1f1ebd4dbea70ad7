/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Counting instructions: a process is stopped at each. What they are depends on the
 * compiler, how many there are on nothing else: not on the machine, nor on its load.
 */
#ifndef ZCBUF_LIB_TEST_INSNS_H
#define ZCBUF_LIB_TEST_INSNS_H

#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define INSNS_ARE_OURS	0	/* most of them are the sanitizer's */
#else
#define INSNS_ARE_OURS	1
#endif

/* Up to the signal at the end. */
static inline unsigned long insns_follow(pid_t child)
{
	unsigned long n = 0;
	int status;

	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status) &&
	       WSTOPSIG(status) != SIGUSR1) {
		n++;
		ptrace(PTRACE_SINGLESTEP, child, NULL, NULL);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		test_skip("nobody may trace here");
	EXPECT(WIFSTOPPED(status));
	ptrace(PTRACE_KILL, child, NULL, NULL);
	waitpid(child, &status, 0);
	return n;
}

/*
 * insns_of() - instructions of @run with @n, with those of two signals
 * @make: what @run is given, made in the process that is counted
 */
static inline unsigned long insns_of(void *(*make)(void),
				     void (*run)(void *it, unsigned int n),
				     unsigned int n)
{
	pid_t child;
	void *it;

	if (!INSNS_ARE_OURS)
		test_skip("instructions of a sanitizer are not counted");
	fflush(stdout);
	child = fork();
	if (!child) {
		it = make();
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			_exit(77);
		raise(SIGSTOP);
		run(it, n);
		raise(SIGUSR1);
		_exit(0);
	}
	return insns_follow(child);
}

/* At most @limit for each of @n times. */
static inline void insns_within(void *(*make)(void),
				void (*run)(void *it, unsigned int n),
				unsigned int n, unsigned long limit,
				const char *what)
{
	unsigned long once = insns_of(make, run, n) - insns_of(make, run, 0);

	printf("# %s: %lu.%02lu instructions\n", what, once / n,
	       once * 100 / n % 100);
	test_check(once <= limit * n, __FILE__, __LINE__,
		   "%s: more than %lu instructions", what, limit);
}

#endif /* ZCBUF_LIB_TEST_INSNS_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Making the kernel fail: the n-th allocation or user copy of the calling
 * thread (Documentation/fault-injection), or every allocation it makes. Other
 * threads notice nothing.
 *
 * A kernel that cannot do it skips the test, see KTAP_MISSING().
 */
#ifndef ZCBUF_SELFTEST_FAULT_H
#define ZCBUF_SELFTEST_FAULT_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ktap.h"

#define FAULT_DEBUGFS	"/sys/kernel/debug/"

/* Of this thread. */
static int fault_nth_fd = -1;
static int fault_all_fd = -1;

static __inline__ int fault_write(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static __inline__ int fault_set(const char *what, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), FAULT_DEBUGFS "%s", what);
	return fault_write(path, value);
}

/*
 * All kinds of allocations, and not a word about them. What depends on chance
 * is for threads that ask for it: see fault_all().
 */
static __inline__ const char *fault_configure(void)
{
	static const char *const settings[][2] = {
		{ "failslab/ignore-gfp-wait", "N" },
		{ "failslab/cache-filter", "N" },
		{ "failslab/task-filter", "Y" },
		{ "failslab/times", "-1" },
		{ "failslab/verbose", "0" },
		{ "fail_page_alloc/ignore-gfp-wait", "N" },
		{ "fail_page_alloc/ignore-gfp-highmem", "N" },
		{ "fail_page_alloc/min-order", "0" },
		{ "fail_page_alloc/task-filter", "Y" },
		{ "fail_page_alloc/times", "-1" },
		{ "fail_page_alloc/verbose", "0" },
		{ "fail_usercopy/verbose", "0" },
	};
	size_t i;

	for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (fault_set(settings[i][0], settings[i][1]))
			return settings[i][0];
	return NULL;
}

/* What is missing, or NULL. */
static __inline__ const char *fault_open(void)
{
	const char *missing = fault_configure();

	if (missing)
		return missing;
	fault_nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fault_nth_fd < 0)
		return "/proc/thread-self/fail-nth";
	fault_all_fd = open("/proc/thread-self/make-it-fail",
			    O_WRONLY | O_CLOEXEC);
	return fault_all_fd < 0 ? "/proc/thread-self/make-it-fail" : NULL;
}

/*
 * Whoever was preempted finds the CPU's number in its area of rseq. After a
 * fork() that takes a page, and where there is none for the kernel, the process
 * is killed: SIGSEGV, now and then.
 */
static __inline__ void fault_without_rseq(void)
{
	char *area = (char *)__builtin_thread_pointer() + __rseq_offset;

	if (__rseq_size)
		ASSERT_EQ(syscall(SYS_rseq, area, sizeof(struct rseq),
				  RSEQ_FLAG_UNREGISTER, RSEQ_SIG), 0);
}

/*
 * Before anything else of this header, in the process that uses it. A signal's
 * frame is a user copy that would be counted, so the one that may come at any
 * time waits.
 */
static __inline__ void fault_need(void)
{
	const char *missing = fault_open();
	sigset_t urgent;

	if (missing)
		KTAP_MISSING("fault-injection",
			     "no fault injection in this kernel (%s)", missing);
	sigemptyset(&urgent);
	sigaddset(&urgent, SIGURG);
	sigprocmask(SIG_BLOCK, &urgent, NULL);
	fault_without_rseq();
}

/* The @n-th from here on fails. */
static __inline__ void fault_nth(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	ASSERT_EQ(pwrite(fault_nth_fd, text, len, 0), len);
}

/*
 * No failure is due any more. Did it come about? This system call copies as
 * well: if that fails, it was not due before. And if it leaves one, that hits
 * the write.
 */
static __inline__ bool fault_happened(void)
{
	char text[16] = "";
	ssize_t len = pread(fault_nth_fd, text, sizeof(text) - 1, 0);
	unsigned int left = strtoul(text, NULL, 10);

	if (len < 0)
		return false;
	if (left && pwrite(fault_nth_fd, "0", 1, 0) < 0)
		ASSERT_EQ(errno, EFAULT);
	return !left;
}

/* From here on every allocation fails, until fault_none(). */
static __inline__ void fault_all(void)
{
	ASSERT_OK(fault_set("failslab/probability", "100"));
	ASSERT_OK(fault_set("fail_page_alloc/probability", "100"));
	ASSERT_EQ(pwrite(fault_all_fd, "1", 1, 0), 1);
}

static __inline__ void fault_none(void)
{
	ASSERT_EQ(pwrite(fault_all_fd, "0", 1, 0), 1);
	ASSERT_OK(fault_set("failslab/probability", "0"));
	ASSERT_OK(fault_set("fail_page_alloc/probability", "0"));
}

#endif /* ZCBUF_SELFTEST_FAULT_H */

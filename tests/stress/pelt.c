// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * pelt [-s seed] PROGRAM [ARG]...: runs PROGRAM in a rain of signals, on all
 * its processes and threads, and ends as it does.
 *
 * Two kinds fall. SIGURG, which nobody notices who has no handler; selftests
 * have one that does nothing when KTAP_SIGNALS is in the environment. So
 * whatever sleeps is interrupted: it has to go on, or to say EINTR where the
 * manual allows it. And SIGSTOP with a SIGCONT soon after, which interrupts
 * without a handler and makes everybody late at some odd place.
 *
 * Whom to hit is asked of a control group of version 2 that PROGRAM is born
 * into: one read tells all threads of all descendants, orphans too. Where,
 * when and how hard is random; the seed is printed and can be given again,
 * though not the schedule it met.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CGROUPS		"/sys/fs/cgroup"
#define MAX_THREADS	512
#define PAUSE_US	1000	/* the longest between two signals */
#define FROZEN_US	1000	/* and the longest that anybody stands still */
#define STATUS_SETUP	125

/*
 * struct rain - one run
 * @group: directory of the control group
 * @threads: its cgroup.threads
 * @random: state of the generator, never 0
 * @tid: who is there; @n of them
 * @drops: SIGURGs sent
 * @stops: SIGSTOPs sent
 */
struct rain {
	char group[64];
	int threads;
	unsigned long random;
	pid_t tid[MAX_THREADS];
	int n;
	unsigned long drops;
	unsigned long stops;
};

static volatile sig_atomic_t told_to_end;

static void on_end(int signo)
{
	(void)signo;
	told_to_end = 1;
}

static void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "pelt: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	exit(STATUS_SETUP);
}

/* From 0 to @n - 1 (xorshift). */
static unsigned int pick(struct rain *r, unsigned int n)
{
	r->random ^= r->random << 13;
	r->random ^= r->random >> 7;
	r->random ^= r->random << 17;
	return (r->random >> 16) % n;
}

static void pause_for(struct rain *r, unsigned int most_us)
{
	struct timespec t = { .tv_nsec = pick(r, most_us + 1) * 1000L };

	nanosleep(&t, NULL);
}

/* ------------------------------------------------------- the control group */

static void group_path(const struct rain *r, const char *file, char *path,
		       size_t n)
{
	snprintf(path, n, "%s/%s", r->group, file);
}

static int group_open(const struct rain *r, const char *file, int flags)
{
	char path[128];

	group_path(r, file, path, sizeof(path));
	return open(path, flags | O_CLOEXEC);
}

static int group_write(const struct rain *r, const char *file, const char *text)
{
	int fd = group_open(r, file, O_WRONLY);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static void group_make(struct rain *r)
{
	snprintf(r->group, sizeof(r->group), CGROUPS "/pelt-%d", getpid());
	if (mkdir(r->group, 0755))
		die("%s: %s (root and cgroup2 are needed)", r->group,
		    strerror(errno));
	r->threads = group_open(r, "cgroup.threads", O_RDONLY);
	if (r->threads < 0)
		die("%s/cgroup.threads: %s", r->group, strerror(errno));
}

/* Who is left of PROGRAM is of no use to anybody. */
static void group_end(struct rain *r)
{
	close(r->threads);
	group_write(r, "cgroup.kill", "1");
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	if (rmdir(r->group))
		fprintf(stderr, "pelt: %s: %s\n", r->group, strerror(errno));
}

/* A list too long for us is cut: those at its end are hit when they are not. */
static void group_list(struct rain *r)
{
	char text[MAX_THREADS * 8 + 1], *p = text, *end;
	ssize_t n = pread(r->threads, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	for (r->n = 0; r->n < MAX_THREADS; p = end) {
		long tid = strtol(p, &end, 10);

		if (*end != '\n')
			break;
		r->tid[r->n++] = tid;
	}
}

/* ---------------------------------------------------------------- the rain */

static int hit(pid_t tid, int signo)
{
	return syscall(SYS_tkill, tid, signo);
}

static void drop(struct rain *r, pid_t tid)
{
	r->drops += !hit(tid, SIGURG);
}

static void freeze(struct rain *r, pid_t tid)
{
	r->stops += !hit(tid, SIGSTOP);
	pause_for(r, FROZEN_US);
	hit(tid, SIGCONT);
}

/* A few, here and there. */
static void shower(struct rain *r)
{
	unsigned int left = 1 + pick(r, 4);

	while (left--)
		drop(r, r->tid[pick(r, r->n)]);
}

static void gust(struct rain *r)
{
	int i;

	for (i = 0; i < r->n; i++)
		drop(r, r->tid[i]);
}

/* Everybody stops, and goes on one after the other. */
static void frost(struct rain *r)
{
	int i;

	for (i = 0; i < r->n; i++)
		r->stops += !hit(r->tid[i], SIGSTOP);
	pause_for(r, FROZEN_US);
	for (i = 0; i < r->n; i++) {
		hit(r->tid[i], SIGCONT);
		if (!pick(r, 4))
			pause_for(r, FROZEN_US / 4);
	}
}

static void rain(struct rain *r)
{
	group_list(r);
	if (!r->n)
		return;
	switch (pick(r, 16)) {
	case 0:
		frost(r);
		break;
	case 1 ... 3:
		freeze(r, r->tid[pick(r, r->n)]);
		break;
	case 4 ... 5:
		gust(r);
		break;
	default:
		shower(r);
	}
}

/* ----------------------------------------------------------------- PROGRAM */

static pid_t start(const struct rain *r, char **argv)
{
	pid_t parent = getpid(), pid = fork();
	int err;

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(STATUS_SETUP);
	err = group_write(r, "cgroup.procs", "0");
	if (err)
		die("%s/cgroup.procs: %s", r->group, strerror(-err));
	setenv("KTAP_SIGNALS", "1", 1);
	execvp(argv[0], argv);
	die("%s: %s", argv[0], strerror(errno));
}

/* Orphans are adopted here, so that nobody waits for them in vain. */
static int ended(pid_t pid, int *status)
{
	pid_t who;
	int st;

	while ((who = waitpid(-1, &st, WNOHANG)) > 0) {
		if (who != pid)
			continue;
		*status = st;
		return 1;
	}
	return 0;
}

/* Who rains must not wait in the queue of those who spin. */
static void come_first(void)
{
	struct sched_param p = { .sched_priority = 1 };

	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &p))
		die("sched_setscheduler: %s", strerror(errno));
}

static unsigned long seed_of_today(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (t.tv_sec * 1000000000UL + t.tv_nsec) ^ getpid();
}

static int usage(void)
{
	fprintf(stderr, "usage: pelt [-s seed] PROGRAM [ARG]...\n");
	return STATUS_SETUP;
}

int main(int argc, char **argv)
{
	unsigned long seed = seed_of_today();
	struct rain r = {};
	int opt, status = SIGTERM;	/* as a wait status: killed by it */
	pid_t pid;

	while ((opt = getopt(argc, argv, "+s:")) != -1) {
		if (opt != 's')
			return usage();
		seed = strtoul(optarg, NULL, 0);
	}
	if (optind == argc)
		return usage();
	r.random = seed ?: 1;
	printf("# pelt: seed %lu\n", seed);
	fflush(stdout);
	signal(SIGTERM, on_end);
	signal(SIGINT, on_end);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	group_make(&r);
	come_first();
	pid = start(&r, argv + optind);
	while (!told_to_end && !ended(pid, &status)) {
		rain(&r);
		pause_for(&r, PAUSE_US);
	}
	group_end(&r);
	printf("# pelt: %lu SIGURG, %lu SIGSTOP\n", r.drops, r.stops);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

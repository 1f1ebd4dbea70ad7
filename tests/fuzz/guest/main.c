// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * kfuzz: what it can do, and the process that watches over the one that works.
 */
#include <dirent.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"
#include "work.h"

#define REPORT_NS	10000000000ULL
#define DEATHS		20		/* of the worker, without a finding */

static struct kf_shared *sh;
static const char *outdir = ".", *splats = "/vm/splat";
static unsigned int seconds = 10;
static unsigned int patience = 90;	/* seconds; no program takes that long */
static bool parallel = true;

enum job { FUZZ, REPLAY, MERGE };

static void usage(void)
{
	fputs("usage: kfuzz fuzz [OPTION]... [FILE]...     make programs, guided by coverage\n"
	      "       kfuzz replay [OPTION]... FILE...     execute programs, tell each operation\n"
	      "       kfuzz merge [OPTION]... FILE...      choose the corpus that covers as much\n"
	      "       kfuzz show FILE...                   programs in words\n"
	      "       kfuzz derive -c LOG -n N [-m COUNT] [-o DIR] [FILE]...\n"
	      "                                            the programs N... of a run\n"
	      "FILEs have programs; those of a run are its first ones.\n"
	      "  -t SECONDS   how long to fuzz, or to replay in several threads\n"
	      "  -o DIR       where findings and new programs go\n"
	      "  -s SEED      of the run (default: from the clock)\n"
	      "  -p FILE      what a complaint of the kernel looks like (/vm/splat)\n"
	      "  -w SECONDS   a program that takes longer is stuck (90)\n"
	      "  -1           one thread only\n", stderr);
}

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "kfuzz: %s: %s\n", what, why);
	exit(2);
}

/* ------------------------------------------------------------------ files */

static void load(const char *path)
{
	struct kf_pool *pool = &sh->pool;
	int n = kf_read_progs(path, &pool->prog[pool->nprogs],
			      KF_CORPUS - pool->nprogs);

	if (n < 0)
		fail(path, strerror(-n));
	pool->nprogs += n;
	pool->nseeds = pool->nprogs;
}

static void save(const char *name, const struct kf_prog *p, unsigned int n)
{
	char path[400];
	int err;

	snprintf(path, sizeof(path), "%s/%s", outdir, name);
	err = kf_write_progs(path, p, n);
	if (err)
		fail(path, strerror(-err));
}

static void save_places(void)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/places", outdir);
	kf_cov_save(&sh->seen, path);
}

/* --------------------------------------------------------------- watching */

/* One file of /proc about a thread. */
static void show_file(pid_t pid, const char *thread, const char *name)
{
	char path[300], text[4096];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/%s", pid, thread, name);
	fd = open(path, O_RDONLY);
	if (fd >= 0)
		n = read(fd, text, sizeof(text) - 1);
	if (n > 0) {
		text[n] = '\0';
		printf("# thread %s, %s:\n%s\n", thread, name, text);
	}
	if (fd >= 0)
		close(fd);
}

/* What every thread of the worker is doing in the kernel. */
static void show_stacks(pid_t pid)
{
	struct dirent *e;
	char path[40];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		show_file(pid, e->d_name, "stack");
	}
	if (dir)
		closedir(dir);
}

static void found_stuck(pid_t pid)
{
	show_stacks(pid);
	snprintf(sh->finding, sizeof(sh->finding),
		 "the program does not come to an end");
	sh->found = true;
}

/* A worker that has not got on since the last report may be stuck. */
static void report(__u64 start, pid_t pid)
{
	static unsigned int last = ~0U;
	__u64 ms = (kf_now() - start) / 1000000 + 1;
	unsigned int found = 0;

	/* A merge ends with less than it began with. */
	if (sh->pool.nprogs > sh->pool.nseeds)
		found = sh->pool.nprogs - sh->pool.nseeds;
	printf("# %llu s: %u programs, %llu operations, %llu programs/s; "
	       "%u edges at %u places; %u programs kept, %u hints\n",
	       (unsigned long long)ms / 1000, sh->programs,
	       (unsigned long long)sh->operations,
	       (unsigned long long)sh->programs * 1000 / ms, sh->seen.nedges,
	       sh->seen.npcs, found, sh->pool.nhints);
	if (pid && sh->programs == last)
		show_stacks(pid);
	last = sh->programs;
	fflush(stdout);
}

static pid_t start_worker(enum job job)
{
	pid_t pid = fork();
	int err;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* The children of programs do not need it. */
	madvise(sh, sizeof(*sh), MADV_DONTFORK);
	err = kf_exec_init(parallel);
	if (err)
		fail("threads", strerror(-err));
	if (job == FUZZ)
		kf_work_fuzz(sh);
	else if (job == REPLAY)
		kf_work_replay(sh, seconds);
	else
		kf_work_merge(sh, 96 << 10);
	exit(0);
}

/* Returns true while the worker lives and gets on. */
static bool watch(pid_t pid, __u64 *next_report, __u64 start)
{
	__u64 now = kf_now();
	int status;

	if (waitpid(pid, &status, WNOHANG) == pid) {
		if (WIFSIGNALED(status) || WEXITSTATUS(status))
			printf("# worker: status %#x in program %u\n", status,
			       sh->iteration);
		return false;
	}
	if (sh->since && now > sh->since + patience * 1000000000ULL) {
		found_stuck(pid);
		kill(pid, SIGKILL);
		return false;
	}
	if (now > *next_report) {
		*next_report += REPORT_NS;
		report(start, pid);
	}
	return true;
}

/* A worker that dies is replaced, and the program it died of left out. */
static void run_workers(enum job job)
{
	__u64 start = kf_now(), next = start + REPORT_NS;
	__u64 end = start + seconds * 1000000000ULL;
	unsigned int deaths = 0;
	pid_t pid;

	while (!sh->done && !sh->found && deaths++ < DEATHS) {
		pid = start_worker(job);
		while (watch(pid, &next, start)) {
			if (job == FUZZ && kf_now() > end)
				__atomic_store_n(&sh->stop, true,
						 __ATOMIC_RELAXED);
			usleep(20000);
		}
		sh->iteration += !sh->done && !sh->found;
	}
	report(start, 0);
}

/* ------------------------------------------------------------------- jobs */

/* Returns the exit status. */
static int conclude(enum job job)
{
	const char *left;

	if (sh->found) {
		printf("# found: %s\n# by program %u:\n", sh->finding,
		       sh->iteration);
		kf_show(&sh->recent[sh->nrecent - 1]);
		save("crash", sh->recent, sh->nrecent);
		return 1;
	}
	if (!sh->done) {
		printf("# the worker died too often\n");
		return 1;
	}
	left = kf_check_gone();
	if (left)
		printf("# in the end: %s\n", left);
	if (job == FUZZ)
		save("corpus", &sh->pool.prog[sh->pool.nseeds],
		     sh->pool.nprogs - sh->pool.nseeds);
	else if (job == MERGE)
		save("corpus", sh->pool.prog, sh->pool.nprogs);
	save_places();
	if (job == FUZZ && !sh->seen.npcs) {
		printf("# nothing of the module was seen: no KCOV?\n");
		return 1;
	}
	return left != NULL;
}

static int run(enum job job)
{
	int err;

	/* Programs are other users as well. */
	chmod(ZCBUF_DEVICE, 0666);
	err = kf_oracle_init(splats);
	if (err)
		fail("cannot look at the kernel", strerror(-err));
	kf_log("seed %llx", (unsigned long long)sh->pool.seed);
	run_workers(job);
	return conclude(job);
}

static int derive(const char *log, unsigned int n, unsigned int count)
{
	struct kf_prog p[256];
	unsigned int i;
	char name[40];

	if (!log || kf_derive(&sh->pool, log, n))
		fail(log ? log : "derive", "no log");
	for (i = 0; i < count && i < 256; i++)
		kf_make(&sh->pool, n + i, &p[i]);
	snprintf(name, sizeof(name), "crash-%u", n);
	save(name, p, i);
	printf("%s/%s\n", outdir, name);
	return 0;
}

static int show_all(void)
{
	unsigned int i;

	for (i = 0; i < sh->pool.nprogs; i++) {
		printf("program %u\n", i);
		kf_show(&sh->pool.prog[i]);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *log = NULL, *word = argc > 1 ? argv[1] : "";
	unsigned int n = 0, count = 1;
	int opt;

	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sh == MAP_FAILED)
		fail("memory", strerror(errno));
	sh->pool.seed = time(NULL);
	while ((opt = getopt(argc - (argc > 1), argv + (argc > 1),
			     "t:o:s:p:c:n:m:w:1h")) > 0) {
		switch (opt) {
		case 't':	seconds = strtoul(optarg, NULL, 10); break;
		case 'o':	outdir = optarg; break;
		case 's':	sh->pool.seed = strtoull(optarg, NULL, 0); break;
		case 'p':	splats = optarg; break;
		case 'c':	log = optarg; break;
		case 'n':	n = strtoul(optarg, NULL, 10); break;
		case 'w':	patience = strtoul(optarg, NULL, 10); break;
		case 'm':	count = strtoul(optarg, NULL, 10); break;
		case '1':	parallel = false; break;
		case 'h':	usage(); return 0;
		default:	usage(); return 2;
		}
	}
	for (optind += argc > 1; optind < argc; optind++)
		load(argv[optind]);
	if (!strcmp(word, "fuzz"))
		return run(FUZZ);
	if (!strcmp(word, "replay"))
		return run(REPLAY);
	if (!strcmp(word, "merge"))
		return run(MERGE);
	if (!strcmp(word, "show"))
		return show_all();
	if (!strcmp(word, "derive"))
		return derive(log, n, count);
	usage();
	return 2;
}

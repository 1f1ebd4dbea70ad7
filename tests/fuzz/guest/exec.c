// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Executing programs. The setup runs in the main thread; then either everything
 * else does as well, in the order of the program, or each lane runs its part in
 * a thread of its own, while one more thread scribbles over everything that is
 * mapped and another one looks at everything that can be looked at.
 *
 * In the end, each pool that there is gets one more session, and all else goes.
 * What is in those pools then is lost.
 *
 * Threads are named after the number of the program: whatever the kernel says
 * of them has it.
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "oracle.h"
#include "run.h"

#define NOISES	2	/* threads that are no lanes */

static struct kf_state state;
static struct kf_lane main_lane;
static struct kf_lane lanes[KF_LANES];
static struct kf_cov covs[KF_LANES + 1];
static pid_t lane_tid[KF_LANES];
static const struct kf_prog *current;	/* what the lanes run */
static unsigned int current_nr;
static __u32 go, running, noises, quiet;
static int first_fd;
static long processors;
static bool threads;

__u64 kf_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* ------------------------------------------------------------ system calls */

/* kf_may_fail() - only where most of what can is the module's */
bool kf_may_fail(const struct kf_lane *l)
{
	unsigned int call = kf_call(l->op);

	return l->op->fail && l->fail_fd >= 0 &&
	       (call <= KF_MMAP || call == KF_POLL || call == KF_DUMP);
}

static void set_fail(struct kf_lane *l, unsigned int n)
{
	char text[8];
	int len = snprintf(text, sizeof(text), "%u", n);

	/* The copy of this very text is one that may fail. */
	if (pwrite(l->fail_fd, text, len, 0) < 0 &&
	    pwrite(l->fail_fd, text, len, 0) < 0)
		l->fail_fd = -1;
}

/* A signal that finds its frame cannot be written is a fatal one. */
static void block_nudges(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(how, &set, NULL);
}

/* kf_enter() - a system call begins that may fail on purpose */
void kf_enter(struct kf_lane *l)
{
	if (!kf_may_fail(l))
		return;
	block_nudges(SIG_BLOCK);
	set_fail(l, l->op->fail);
}

/* kf_leave() - it has returned */
void kf_leave(struct kf_lane *l, long ret)
{
	l->err = ret < 0 ? errno : 0;
	l->ret = ret;
	if (!kf_may_fail(l))
		return;
	set_fail(l, 0);
	block_nudges(SIG_UNBLOCK);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		perror(path);
	close(fd);
}

/*
 * Whatever may fail does so on demand only, and without a word. User mode Linux
 * does not survive a page fault that finds no memory: no single page fails there.
 */
static void init_faults(void)
{
	bool um = !access("/proc/exitcode", F_OK);
	static const char *const kinds[] = {
		"failslab", "fail_page_alloc", "fail_usercopy",
	};
	char path[80];
	unsigned int i;

	for (i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/verbose",
			 kinds[i]);
		write_file(path, "0");
	}
	write_file("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	write_file("/sys/kernel/debug/fail_page_alloc/min-order", um ? "1" : "0");
}

/* ------------------------------------------------------------------ lanes */

static void on_signal(int sig)
{
	(void)sig;
}

static void init_timer(struct kf_lane *l)
{
	struct sigevent e = { .sigev_notify = SIGEV_THREAD_ID,
			      .sigev_signo = SIGUSR1 };

	e._sigev_un._tid = syscall(SYS_gettid);
	if (timer_create(CLOCK_MONOTONIC, &e, &l->timer))
		perror("kfuzz: timer");
}

/* What a lane can only do for itself. */
static void init_lane(struct kf_lane *l, int nr)
{
	l->nr = nr;
	l->st = &state;
	l->cov = &covs[nr];
	kf_mem_init(&l->mem);
	l->fail_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	kf_cov_open(l->cov);
	kf_cov_start(l->cov, false);
	init_timer(l);
	kf_ring_init(l);
}

static void start_lane(struct kf_lane *l, unsigned int iteration)
{
	snprintf(l->name, sizeof(l->name), "kf.%u", iteration);
	prctl(PR_SET_NAME, l->name);
	l->wrong = NULL;
	l->nanswers = 0;
	kf_cov_reset(l->cov);
}

static void end_lane(struct kf_lane *l)
{
	if (!l->foreign)
		return;
	syscall(SYS_setresuid, -1, 0, -1);
	l->foreign = false;
}

static void note_answer(struct kf_lane *l)
{
	if (l->nanswers == KF_OPS)
		return;
	l->answer[l->nanswers].call = kf_call(l->op);
	l->answer[l->nanswers++].err = l->err;
}

static void do_op(struct kf_lane *l, const struct kf_op *op)
{
	char line[200];

	l->op = op;
	l->ret = 0;
	l->err = 0;
	kf_run_op(l);
	kf_cov_mark(l->cov);
	note_answer(l);
	if (!l->verbose)
		return;
	kf_show_op(op, line, sizeof(line));
	printf("# %s%s = %ld%s%s\n", l->child ? "  child: " : "", line, l->ret,
	       l->err ? " " : "", l->err ? strerrorname_np(l->err) : "");
	fflush(stdout);
}

/* --------------------------------------------------------------- children */

static void be_child(struct kf_lane *l, const struct kf_prog *p,
		     unsigned int first, unsigned int last, bool all)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	l->child = true;
	l->fail_fd = -1;
	l->cov = &(struct kf_cov){ .fd = -1 };
	l->ring = NULL;
	init_timer(l);
	if (kf_sel(l, 1) % 4 == 3)
		unshare(CLONE_NEWIPC);
	kf_run_range(l, p, first, last, all);
	_exit(0);
}

static void add_child(struct kf_state *st, pid_t pid)
{
	unsigned int i;

	for (i = 0; i < KF_CHILDREN; i++)
		if (!__sync_val_compare_and_swap(&st->child[i], 0, pid))
			return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, __WALL);
}

/* A child gets the next operations of its lane. Returns what is left then. */
static unsigned int run_fork(struct kf_lane *l, const struct kf_prog *p,
			     unsigned int at, unsigned int last, bool all)
{
	unsigned int end = at + 2 + kf_sel(l, 0) % 8;
	unsigned int how = kf_sel(l, 1) % 4;
	pid_t pid;

	if (end > last)
		end = last;
	pid = KF_SYS(l, l->child ? -1 : syscall(SYS_fork));
	if (!pid)
		be_child(l, p, at + 1, end, all);
	if (pid < 0)
		return at + 1;
	if (how == 2)
		kill(pid, SIGKILL);
	if (how == 1 || how == 2)
		add_child(l->st, pid);
	else
		while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
			;
	return end;
}

static void end_children(struct kf_state *st)
{
	unsigned int i;

	for (i = 0; i < KF_CHILDREN; i++) {
		if (!st->child[i])
			continue;
		kill(st->child[i], SIGKILL);
		while (waitpid(st->child[i], NULL, __WALL) < 0 &&
		       errno == EINTR)
			;
		st->child[i] = 0;
	}
}

/*
 * kf_run_range() - run operations [@first, @last) of a program
 * @all: those of all lanes
 */
void kf_run_range(struct kf_lane *l, const struct kf_prog *p,
		  unsigned int first, unsigned int last, bool all)
{
	const struct kf_op *op;

	while (first < last) {
		op = &p->op[first];
		if (!all && op->lane % KF_LANES != l->nr - 1) {
			first++;
		} else if (kf_call(op) == KF_FORK) {
			l->op = op;
			first = run_fork(l, p, first, last, all);
		} else {
			do_op(l, op);
			first++;
		}
	}
}

/* ---------------------------------------------------------------- threads */

static void futex_wait(__u32 *word, __u32 value, const struct timespec *t)
{
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, t, NULL, 0);
}

static void futex_wake(__u32 *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 64, NULL, NULL, 0);
}

static void wait_for_go(__u32 *seen)
{
	__u32 now;

	while ((now = __atomic_load_n(&go, __ATOMIC_ACQUIRE)) == *seen)
		futex_wait(&go, now, NULL);
	*seen = now;
}

static void leave(__u32 *count)
{
	if (!__atomic_sub_fetch(count, 1, __ATOMIC_ACQ_REL))
		futex_wake(count);
}

static void *lane_thread(void *arg)
{
	int nr = (long)arg;
	struct kf_lane *l = &lanes[nr - 1];
	__u32 seen = 0;

	lane_tid[nr - 1] = syscall(SYS_gettid);
	init_lane(l, nr);
	leave(&running);
	for (;;) {
		wait_for_go(&seen);
		start_lane(l, current_nr);
		kf_run_range(l, current, current->setup, current->nops, false);
		end_lane(l);
		leave(&running);
	}
	return NULL;
}

static void look_around(struct kf_lane *l, __u64 *random)
{
	static const struct kf_op look[] = {
		{ .call = KF_POLL }, { .call = ZCBUF_NR_POOL_INFO },
		{ .call = KF_FDINFO }, { .call = ZCBUF_NR_QUERY },
	};

	l->op = &look[kf_below(random, 4)];
	if (kf_one_in(random, 2))
		kf_run_op(l);
	else
		kf_dump(kf_below(random, 3), 0);
}

/* A processor that is shared is needed for other things as well. */
static void rest(void)
{
	if (processors > 1)
		sched_yield();
	else
		usleep(200);
}

static void *noise_thread(void *arg)
{
	static struct kf_cov none = { .fd = -1 };
	struct kf_lane l = { .st = &state, .cov = &none, .fail_fd = -1 };
	bool scribbles = !arg;
	__u64 random = (long)arg;
	__u32 seen = 0, n;

	kf_mem_init(&l.mem);
	for (;;) {
		wait_for_go(&seen);
		snprintf(l.name, sizeof(l.name), "kf.%u", current_nr);
		prctl(PR_SET_NAME, l.name);
		while (!__atomic_load_n(&quiet, __ATOMIC_RELAXED)) {
			for (n = 0; scribbles && n < 64; n++)
				kf_scribble(&state, &random);
			if (!scribbles)
				look_around(&l, &random);
			rest();
		}
		leave(&noises);
	}
	return NULL;
}

static int start_threads(void)
{
	pthread_t thread;
	long i;

	running = KF_LANES;
	for (i = 1; i <= KF_LANES; i++)
		if (pthread_create(&thread, NULL, lane_thread, (void *)i))
			return -EAGAIN;
	for (i = 0; i < NOISES; i++)
		if (pthread_create(&thread, NULL, noise_thread, (void *)i))
			return -EAGAIN;
	while (__atomic_load_n(&running, __ATOMIC_ACQUIRE))
		usleep(100);
	return 0;
}

/* A lane may wait for something that never comes: it is interrupted. */
static void nudge(void)
{
	unsigned int i;

	for (i = 0; i < KF_LANES; i++)
		syscall(SYS_tgkill, getpid(), lane_tid[i], SIGUSR1);
}

static void await(__u32 *count, void (*meanwhile)(void))
{
	struct timespec t = { .tv_nsec = 5000000 };
	__u32 left;

	while ((left = __atomic_load_n(count, __ATOMIC_ACQUIRE))) {
		futex_wait(count, left, &t);
		if (meanwhile)
			meanwhile();
	}
}

static void run_lanes(const struct kf_prog *p, unsigned int iteration)
{
	current = p;
	current_nr = iteration;
	running = KF_LANES;
	noises = NOISES;
	quiet = 0;
	__atomic_fetch_add(&go, 1, __ATOMIC_RELEASE);
	futex_wake(&go);
	await(&running, nudge);
	__atomic_store_n(&quiet, 1, __ATOMIC_RELAXED);
	await(&noises, NULL);
}

/* ---------------------------------------------------------------- the end */

static int join(int donor, __u64 *pool)
{
	struct zcbuf_pool_attach a = { .size = sizeof(a),
				       .flags = ZCBUF_ATTACH_F_FD,
				       .fd = donor };
	int fd = open(ZCBUF_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd >= 0 && ioctl(fd, ZCBUF_IOC_POOL_ATTACH, &a)) {
		close(fd);
		return -1;
	}
	*pool = a.out_pool;
	return fd;
}

static bool known(const __u64 *pools, unsigned int n, __u64 pool)
{
	while (n--)
		if (pools[n] == pool)
			return true;
	return false;
}

/* A session more for each pool, in ascending order. Returns how many. */
static unsigned int hold_pools(int *holder)
{
	__u64 pools[KF_SLOTS];
	unsigned int i, n = 0;
	int fd;

	for (i = 0; i < KF_SLOTS; i++) {
		if (!(state.attached >> i & 1) || state.slot[i] < 0)
			continue;
		fd = join(state.slot[i], &pools[n]);
		if (fd < 0)
			continue;
		if (known(pools, n, pools[n]))
			close(fd);
		else
			holder[n++] = fd;
	}
	return n;
}

static void close_all_but(const int *keep, unsigned int n)
{
	unsigned int i, from = first_fd;

	for (i = 0; i < n; i++) {
		if ((unsigned int)keep[i] > from)
			close_range(from, keep[i] - 1, 0);
		from = keep[i] + 1;
	}
	close_range(from, ~0U, 0);
}

static void unmap_all(void)
{
	munmap((void *)KF_WINDOW, KF_WINDOW_SIZE);
}

static void clear_state(void)
{
	unsigned int i;

	memset(&state, 0, offsetof(struct kf_state, map));
	state.buffers.n = 0;
	state.channels.n = 0;
	state.resvs.n = 0;
	state.deliveries.n = 0;
	state.hot = 0;
	for (i = 0; i < KF_SLOTS; i++)
		state.slot[i] = -1;
	state.eventfd = -1;
	state.token = -1;
	state.epoll = -1;
	state.socket[0] = -1;
	state.socket[1] = -1;
	state.pipe[0] = -1;
	state.pipe[1] = -1;
}

/*
 * Returns what is wrong, or NULL. The pools end in the background, while the
 * next program runs.
 */
static const char *clean_up(bool unmap_first)
{
	int holder[KF_SLOTS];
	const char *wrong = NULL;
	unsigned int n;

	n = hold_pools(holder);
	if (unmap_first)
		unmap_all();
	close_all_but(holder, n);
	if (!unmap_first)
		unmap_all();
	kf_cov_mark(main_lane.cov);
	if (n)
		wrong = kf_check_held(n);
	close_all_but(NULL, 0);
	return wrong;
}

static const char *lanes_wrong(void)
{
	unsigned int i;

	for (i = 0; i < KF_LANES; i++)
		if (lanes[i].wrong)
			return lanes[i].wrong;
	return NULL;
}

/*
 * kf_exec() - execute a program
 * Returns what is wrong with the kernel now, or NULL.
 */
const char *kf_exec(const struct kf_prog *p, unsigned int iteration,
		    bool verbose)
{
	bool parallel = threads && p->flags & KF_PROG_PARALLEL;
	const char *wrong = NULL, *first;

	clear_state();
	main_lane.verbose = verbose;
	start_lane(&main_lane, iteration);
	kf_run_range(&main_lane, p, 0, parallel ? p->setup : p->nops, true);
	end_lane(&main_lane);
	if (parallel) {
		run_lanes(p, iteration);
		wrong = lanes_wrong();
	}
	end_children(&state);
	if (!wrong)
		wrong = main_lane.wrong;
	first = clean_up(p->nops & 1);
	if (!wrong)
		wrong = first;
	/* What the kernel says is the best explanation. */
	first = kf_check_log();
	return first ? first : wrong;
}

/* kf_exec_merge() - what the program has covered; returns what was new */
unsigned int kf_exec_merge(const struct kf_prog *p, struct kf_seen *seen)
{
	bool parallel = threads && p->flags & KF_PROG_PARALLEL;
	unsigned int i, n, found;
	struct kf_lane *l;

	found = kf_cov_merge(main_lane.cov, seen, !parallel);
	for (i = 0; parallel && i < KF_LANES; i++)
		found += kf_cov_merge(lanes[i].cov, seen, false);
	if (main_lane.cov->fd >= 0)
		return found;
	for (i = 0; i <= (parallel ? KF_LANES : 0); i++) {
		l = i ? &lanes[i - 1] : &main_lane;
		for (n = 0; n < l->nanswers; n++)
			found += kf_cov_answer(seen, l->answer[n].call,
					       l->answer[n].err);
	}
	return found;
}

/* kf_exec_compare() - which comparisons does the program lead to? */
struct kf_cov *kf_exec_compare(const struct kf_prog *p, unsigned int iteration,
			       const char **wrong)
{
	struct kf_prog alone = *p;
	struct kf_cov *c = main_lane.cov;

	alone.flags = 0;
	c->nhints = 0;
	kf_cov_stop(c);
	if (kf_cov_start(c, true)) {
		*wrong = kf_exec(&alone, iteration, false);
		kf_cov_stop(c);
	}
	kf_cov_start(c, false);
	return c;
}

/*
 * kf_exec_init() - before the first program of this process
 * @parallel: have threads for the lanes
 */
int kf_exec_init(bool parallel)
{
	struct sigaction sa = { .sa_handler = on_signal };
	int err = 0;

	sigaction(SIGUSR1, &sa, NULL);
	kf_faults_init();
	init_faults();
	if (!kf_cov_init())
		return -ENOMEM;
	init_lane(&main_lane, 0);
	processors = sysconf(_SC_NPROCESSORS_ONLN);
	threads = parallel;
	if (parallel)
		err = start_threads();
	/* Nothing that lasts is opened from here on. */
	first_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(first_fd);
	return err;
}

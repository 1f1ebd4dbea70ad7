/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * The fail-nth harness. A row of a table is one call, in a scenario of its own.
 * It is made again and again, each time in a new scenario: first its first
 * allocation or user copy fails, then the second, and so on until nothing is
 * left to fail; once more, all its allocations fail. Each time the state of the
 * whole module is compared (snapshot.h):
 *
 *	an error	nothing has changed, and the same call works then; or, of
 *			EFAULT, what the manual says of result memory that is
 *			gone: what was made is taken back, the rest stands
 *	a part		exactly out_done entries were done, the others can be
 *	success		it is complete
 *
 * What the states have to be is seen in the same scenario without failures.
 * After each round everything is taken down, and nothing may be left: of the
 * pool, of what was charged, of references to the module.
 */
#ifndef ZCBUF_SELFTEST_FAILNTH_H
#define ZCBUF_SELFTEST_FAILNTH_H

#include "calls.h"
#include "fault.h"
#include "snapshot.h"

#define FN_UNITS	17	/* handles of a batch; 16 need no memory of their own */
#define FN_FDS		64
#define FN_TRIES	150	/* of a snapshot and some ms: what ends later is lost */
#define FN_NO_CALL	(~0U)
#define FN_ALL		(~0U)

/* So often nothing fails in a row: that was all. */
#define FN_CALM		3
/* Of so many failures that are alike one is tried, if the row does not say. */
#define FN_STRIDE	16

struct fn_run;

/*
 * struct fn_row - one call to fail; most of it is optional
 * @name: of the test
 * @nr: ZCBUF_NR_* or FN_NO_CALL
 * @cmd: ZCBUF_CMD_* or 0
 * @act: the call, 0 or -errno; default: @nr with the argument in the run
 * @least: failures there are at least; default: its user copies
 * @units: entries of a batch that differ from those of calls.h
 * @answer: to the call when nothing fails
 * @alike_from: failures from here
 * @alike_to: to here, at least, are of the same allocations in a loop
 * @stride: of so many of them one is tried; default: FN_STRIDE
 * @bare: the scenario has no rig
 * @alone: there is no other session
 * @ends: the pool ends with it, in the background
 * @stands: with EFAULT it may be done completely, as it makes nothing
 * @only_nth: it would be tried forever with all allocations failing
 * @arrange: on top of the rig and of what calls.h says
 * @part: does the first some units of it
 * @rest: does what is left after a part
 * @meanwhile: another thread does that while the call sleeps, or after it
 * @waited: does to the scenario what the mere waiting does
 * @then: after the call, whatever it answered, and before anything is compared
 * @undo: takes back what the call has made, as EFAULT does
 * @replenish: so that the same call can be made after that
 * @use: what the call gave is as it should be
 */
struct fn_row {
	const char *name;
	unsigned int nr;
	unsigned int cmd;
	int (*act)(struct fn_run *f);
	unsigned int least;
	unsigned int units;
	int answer;
	unsigned int alike_from;
	unsigned int alike_to;
	unsigned int stride;
	bool bare;
	bool alone;
	bool ends;
	bool stands;
	bool only_nth;
	void (*arrange)(struct fn_run *f);
	void (*part)(struct fn_run *f, unsigned int units);
	void (*rest)(struct fn_run *f);
	void (*meanwhile)(struct fn_run *f);
	void (*waited)(struct fn_run *f);
	void (*then)(struct fn_run *f, int answer);
	void (*undo)(struct fn_run *f);
	void (*replenish)(struct fn_run *f);
	void (*use)(struct fn_run *f);
};

#define FN_CALL(_name, _nr, ...)					\
	{ .name = #_name, .nr = ZCBUF_NR_##_nr, ##__VA_ARGS__ }
#define FN_OTHER(_name, ...)						\
	{ .name = #_name, .nr = FN_NO_CALL, ##__VA_ARGS__ }

/*
 * struct fn_run - one scenario
 * @row: what it is about
 * @call: its row in calls.h, or NULL
 * @rig: with everything
 * @watcher: one more session of its pool, with nothing
 * @fd: the call's
 * @t: the call's argument; as it was before the call
 * @first_t: as @t was before the call
 * @units: how much the call is to do
 * @done: how much it has done
 * @error: why not more
 * @fds: closed in the end
 * @nfds: how many
 * @map: unmapped in the end
 * @size: of it
 * @key: what the other thread lets go of
 * @other: a second channel
 * @v: reservations the scenario has made
 * @pid: a child
 * @tid: of the caller
 * @over: the call has returned; atomic
 */
struct fn_run {
	const struct fn_row *row;
	const struct call *call;
	struct rig rig;
	int watcher;
	int fd;
	struct attempt t;
	struct attempt first_t;
	unsigned int units;
	unsigned int done;
	unsigned int error;
	int fds[FN_FDS];
	unsigned int nfds;
	char *map;
	size_t size;
	__u64 key;
	__u64 other;
	struct zcbuf_reservation v[4];
	pid_t pid;
	pid_t tid;
	bool over;
};

/* What the states are when nothing fails. */
static struct fn_states {
	struct snapshot quiet;			/* before the test */
	struct snapshot base;			/* without the scenario */
	struct snapshot part[FN_UNITS + 1];	/* so many units done */
	struct snapshot waited;
	struct snapshot late;	/* complete, but it did not have to wait */
	struct snapshot undone;
	struct snapshot again;	/* complete, after it was undone */
} fn_states;

static struct fn_run fn_run;
static int fn_session;
static struct snapshot fn_seen;
static unsigned int fn_n;	/* the failure that is tried; 0: none; or FN_ALL */

static __inline__ const struct call *fn_call(unsigned int nr)
{
	size_t i;

	for (i = 0; i < NR_CALLS; i++)
		if (calls[i].nr == nr)
			return &calls[i];
	return NULL;
}

/* It will be closed in the end. */
static __inline__ int fn_keep(struct fn_run *f, int fd)
{
	ASSERT_GE(fd, 0);
	ASSERT_LT(f->nfds, FN_FDS);
	f->fds[f->nfds++] = fd;
	return fd;
}

/* ------------------------------------------------------------- comparisons */

/* Pools end in the background. Which of @wanted comes about, -1: none does. */
static __inline__ int fn_settle(struct snapshot *const *wanted, int n)
{
	int tries, i;

	for (tries = 0; tries < FN_TRIES; tries++) {
		snap_take(&fn_seen);
		for (i = 0; i < n; i++)
			if (snap_same(wanted[i], &fn_seen))
				return i;
		usleep(1000 * (tries < 20 ? tries : 20));
	}
	return -1;
}

static __inline__ void fn_wrong(const char *what)
{
	const struct fn_run *f = &fn_run;

	if (fn_n == FN_ALL)
		TEST_LOG("%s: all allocations fail: %s", f->row->name, what);
	else if (fn_n)
		TEST_LOG("%s: failure %u: %s", f->row->name, fn_n, what);
	else
		TEST_LOG("%s: no failure: %s", f->row->name, what);
	TEST_LOG("%u of %u done", f->done, f->units);
}

static __inline__ void fn_expect(struct snapshot *wanted, const char *what)
{
	if (!fn_settle(&wanted, 1))
		return;
	fn_wrong(what);
	snap_show(wanted, &fn_seen);
	ASSERT_TRUE(!"the expected state");
}

static __inline__ void fn_expect_done(void)
{
	ASSERT_EQ(fn_run.done, fn_run.units);
}

/* ---------------------------------------------------------------- scenario */

/* The least that was free is as low as it gets, so nothing can lower it. */
static __inline__ void fn_use_all(int fd)
{
	__u64 handles[64], length;
	int n = 0, got;

	for (length = ZT_ARENA; length >= ZT_PAGE; length /= 2) {
		got = zt_alloc(fd, length, 0, 0, handles + n, 64 - n);
		n += got > 0 ? got : 0;
	}
	ASSERT_GT(n, 0);
	ASSERT_LT(n, 64);
	ASSERT_EQ(zt_free(fd, handles, n), n);
}

static __inline__ void fn_begin_rig(struct fn_run *f)
{
	rig_open(&f->rig);
	f->watcher = zt_join(f->rig.fd, 0);
	ASSERT_GE(f->watcher, 0);
	if (f->call && f->call->arrange)
		f->call->arrange(&f->rig);
	fn_use_all(f->rig.fd);
	f->fd = f->rig.fd;
	if (!f->call)
		return;
	f->fd = call_fd(f->call, &f->rig);
	call_make(f->call, &f->rig, &f->t);
	f->units = f->call->done ? CALLS_ENTRIES : 1;
}

/* All of @f has been written to, so no page of it faults during the call. */
static __inline__ void fn_begin(struct fn_run *f, const struct fn_row *row)
{
	memset(f, 0, sizeof(*f));
	f->row = row;
	f->call = fn_call(row->nr);
	f->tid = gettid();
	f->units = 1;
	if (!row->bare)
		fn_begin_rig(f);
	if (row->units)
		f->units = row->units;
	ASSERT_LE(f->units, FN_UNITS);
	if (row->arrange)
		row->arrange(f);
	f->first_t = f->t;
}

/* The watcher is the last; all the others' things must have gone back. */
static __inline__ void fn_end_rig(struct fn_run *f)
{
	struct zcbuf_pool_info info;

	rig_close(&f->rig);
	ASSERT_OK(zt_pool_info(f->watcher, &info));
	ASSERT_EQ(info.out_sessions, 1);
	ASSERT_EQ(info.out_channels, 0);
	ASSERT_EQ(info.out_used, 0);
	ASSERT_EQ(info.out_largest_free, info.out_arena_size);
	close(f->watcher);
}

static __inline__ void fn_end(struct fn_run *f)
{
	if (f->map)
		munmap(f->map, f->size);
	while (f->nfds)
		close(f->fds[--f->nfds]);
	if (!f->row->bare)
		fn_end_rig(f);
	fn_expect(&fn_states.base, "something is left of the scenario");
}

/* ---------------------------------------------------------------- the call */

static __inline__ void *fn_meanwhile(void *arg)
{
	struct fn_run *f = arg;

	while (!__atomic_load_n(&f->over, __ATOMIC_ACQUIRE) &&
	       !zt_sleeps(f->tid, SYS_ioctl))
		hz_nap();
	f->row->meanwhile(f);
	return NULL;
}

/* out_error follows out_done wherever there is one. */
static __inline__ int fn_act_call(struct fn_run *f)
{
	int err = zt_call(f->fd, call_request(f->call), f->t.arg);

	if (f->call->done) {
		f->done = err ? 0 : call_get32(&f->t, f->call->done);
		f->error = call_get32(&f->t, f->call->done + sizeof(__u32));
	}
	return err;
}

static __inline__ int fn_act(struct fn_run *f)
{
	bool batch = f->call && f->call->done;
	int err = f->row->act ? f->row->act(f) : fn_act_call(f);

	if (!batch)
		f->done = err == f->row->answer ? f->units : 0;
	return err;
}

static __inline__ void fn_then(struct fn_run *f, int err)
{
	if (f->row->then)
		f->row->then(f, err);
}

/* Without failures, and nobody but the caller does anything. */
static __inline__ int fn_do(struct fn_run *f)
{
	int err = fn_act(f);

	fn_then(f, err);
	return err;
}

/* With a thread that does its part while the call sleeps, if there is one. */
static __inline__ int fn_do_with(struct fn_run *f, int (*act)(struct fn_run *))
{
	pthread_t thread;
	int err;

	__atomic_store_n(&f->over, false, __ATOMIC_RELEASE);
	if (f->row->meanwhile)
		ASSERT_EQ(pthread_create(&thread, NULL, fn_meanwhile, f), 0);
	err = act(f);
	__atomic_store_n(&f->over, true, __ATOMIC_RELEASE);
	if (f->row->meanwhile)
		ASSERT_EQ(pthread_join(thread, NULL), 0);
	fn_then(f, err);
	return err;
}

static bool fn_injected;

static __inline__ int fn_act_nth(struct fn_run *f)
{
	int err;

	fault_nth(fn_n);
	err = fn_act(f);
	fn_injected = fault_happened();
	return err;
}

static __inline__ int fn_act_all(struct fn_run *f)
{
	int err;

	fault_all();
	err = fn_act(f);
	fault_none();
	fn_injected = true;
	return err;
}

/* The first @n entries of a batch; all or nothing of anything else. */
static __inline__ void fn_part(struct fn_run *f, unsigned int n)
{
	f->units = n;
	if (f->row->part) {
		f->row->part(f, n);
		return;
	}
	if (!n)
		return;
	if (f->call && f->call->done)
		call_set32(&f->t, f->call->counts[0].at, n);
	ASSERT_EQ(fn_do_with(f, fn_act), f->row->answer);
	fn_expect_done();
}

/* The entries after those that were done. */
static __inline__ void fn_rest(struct fn_run *f)
{
	unsigned int done = f->done;
	size_t size = f->t.bytes[0] / f->units;

	if (f->row->rest) {
		f->row->rest(f);
		return;
	}
	call_set64(&f->t, f->call->arrays[0].at,
		   zt_ptr(f->t.array[0]) + done * size);
	call_set32(&f->t, f->call->counts[0].at, f->units - done);
	ASSERT_OK(fn_do(f));
	ASSERT_EQ(f->done, f->units - done);
	f->done = f->units;
}

static __inline__ void fn_replenish_for(struct fn_run *f)
{
	if (f->row->replenish)
		f->row->replenish(f);
}

/* The same call as before. */
static __inline__ void fn_again(struct fn_run *f)
{
	f->t = f->first_t;
	ASSERT_EQ(fn_do(f), f->row->answer);
	fn_expect_done();
}

/* -------------------------------------------------------------- references */

/* A pool that is still about to end must not be taken for what is left. */
static __inline__ void fn_await_base(void)
{
	struct snapshot *base = &fn_states.base;

	fn_settle(&base, 1);
}

static __inline__ void fn_learn_part(struct fn_run *f, const struct fn_row *row,
				     unsigned int n)
{
	fn_begin(f, row);
	if (!n && row->meanwhile)
		row->meanwhile(f);
	fn_part(f, n);
	if (n && row->ends)
		fn_await_base();
	snap_take(&fn_states.part[n]);
	if (n && row->use)
		row->use(f);
	fn_end(f);
}

static __inline__ void fn_learn_undone(struct fn_run *f,
				       const struct fn_row *row)
{
	fn_begin(f, row);
	fn_part(f, f->units);
	row->undo(f);
	snap_take(&fn_states.undone);
	fn_replenish_for(f);
	fn_again(f);
	snap_take(&fn_states.again);
	fn_end(f);
}

/* The call finds what it needs when it is made. */
static __inline__ void fn_learn_late(struct fn_run *f, const struct fn_row *row)
{
	fn_begin(f, row);
	row->meanwhile(f);
	ASSERT_EQ(fn_do(f), row->answer);
	snap_take(&fn_states.late);
	fn_end(f);
}

static __inline__ void fn_learn_waited(struct fn_run *f,
				       const struct fn_row *row)
{
	fn_begin(f, row);
	row->waited(f);
	row->meanwhile(f);
	snap_take(&fn_states.waited);
	fn_end(f);
}

/*
 * What earlier tests left may still be about to end. One session more keeps the
 * file system of all pools mounted, which would take most of the time otherwise.
 */
static __inline__ void fn_learn_base(const struct fn_row *row)
{
	zt_await_charged(0);
	snap_take(&fn_states.quiet);
	fn_session = -1;
	if (!row->alone)
		fn_session = zt_open(O_RDONLY);
	ASSERT_TRUE(row->alone || fn_session >= 0);
	snap_take(&fn_states.base);
}

static __inline__ void fn_learn(struct fn_run *f, const struct fn_row *row)
{
	unsigned int n, units;

	fn_n = 0;
	fn_learn_base(row);
	fn_begin(f, row);
	units = f->units;
	fn_end(f);
	for (n = 0; n <= units; n++)
		fn_learn_part(f, row, n);
	if (row->undo)
		fn_learn_undone(f, row);
	if (row->meanwhile)
		fn_learn_late(f, row);
	if (row->waited)
		fn_learn_waited(f, row);
}

/* ----------------------------------------------------------------- verdict */

/* What may have become of a call that failed. */
enum fn_fate { FN_NOTHING, FN_UNDONE, FN_STANDS, FN_WAITED, FN_FATES };

static __inline__ void fn_judge_again(struct fn_run *f, enum fn_fate fate)
{
	if (fate == FN_STANDS)
		return;
	if (fate == FN_UNDONE)
		fn_replenish_for(f);
	fn_again(f);
	if (fate == FN_UNDONE)
		fn_expect(&fn_states.again, "undone, and made again");
	else if (fate == FN_NOTHING && f->row->meanwhile)
		fn_expect(&fn_states.late, "failed, and made again");
	else if (fate == FN_NOTHING)
		fn_expect(&fn_states.part[f->units], "failed, and made again");
}

static __inline__ void fn_judge_error(struct fn_run *f, int err)
{
	enum fn_fate fate[FN_FATES] = { FN_NOTHING };
	struct snapshot *state[FN_FATES] = { &fn_states.part[0] };
	int n = 1, i;

	if (err == -EFAULT && f->row->undo) {
		fate[n] = FN_UNDONE;
		state[n++] = &fn_states.undone;
	}
	if (err == -EFAULT && f->row->stands) {
		fate[n] = FN_STANDS;
		state[n++] = &fn_states.part[f->units];
	}
	if (f->row->waited) {
		fate[n] = FN_WAITED;
		state[n++] = &fn_states.waited;
	}
	i = fn_settle(state, n);
	if (i < 0) {
		fn_wrong("a call that failed has changed something");
		TEST_LOG("it answered %s", strerrorname_np(-err));
		snap_show(state[n - 1], &fn_seen);
		ASSERT_GE(i, 0);
	}
	fn_judge_again(f, fate[i]);
}

static __inline__ void fn_judge_part(struct fn_run *f)
{
	ASSERT_GT(f->done, 0);
	ASSERT_LE(f->done, f->units);
	fn_expect(&fn_states.part[f->done], "done is not what out_done says");
	if (f->done == f->units)
		return;
	if (f->error != EFAULT)
		ASSERT_EQ(f->error, ENOMEM);
	fn_rest(f);
	fn_expect(&fn_states.part[f->units], "the rest was done");
}

/* The kernel around us has more words for it than the calls. */
static __inline__ bool fn_no_memory(const struct fn_row *row, int err)
{
	switch (-err) {
	case ENOMEM:
	case EFAULT:
		return true;
	case ENOBUFS:
	case EAGAIN:
	case ENFILE:
		return row->nr == FN_NO_CALL;
	default:
		return false;
	}
}

/* Nothing but what was injected may be the reason of an error. */
static __inline__ void fn_judge(struct fn_run *f, int err)
{
	if (!fn_injected) {
		ASSERT_EQ(err, f->row->answer);
		fn_expect_done();
		fn_expect(&fn_states.part[f->units], "nothing failed");
	} else if (err == f->row->answer) {
		fn_judge_part(f);
	} else {
		if (!fn_no_memory(f->row, err))
			ASSERT_ERR(err, ENOMEM);
		fn_judge_error(f, err);
	}
}

/* ------------------------------------------------------------------- sweep */

static __inline__ void fn_round(struct fn_run *f, const struct fn_row *row,
				int (*act)(struct fn_run *))
{
	int err;

	fn_begin(f, row);
	/* Scenarios are all alike: to look at one of them is enough. */
	if (fn_n == 1 && !row->meanwhile)
		fn_expect(&fn_states.part[0], "before the call");
	err = fn_do_with(f, act);
	if (getenv("FAILNTH_VERBOSE"))
		TEST_LOG("%s: %u %s: %d, %u of %u", row->name, fn_n,
			 fn_injected ? "failed" : "calm", err, f->done,
			 f->units);
	fn_judge(f, err);
	if (row->use && f->done == f->units)
		row->use(f);
	fn_end(f);
}

/* Every call reads its argument, and so on. */
static __inline__ unsigned int fn_least(const struct fn_row *row)
{
	const struct call *c = fn_call(row->nr);

	if (row->least || !c)
		return row->least;
	return 1 + c->writes + !!c->arrays[0].at + !!c->arrays[1].at;
}

/* Some in the midst of many that are alike are left out. */
static __inline__ unsigned int fn_next(const struct fn_row *row, unsigned int n)
{
	if (n <= row->alike_from || n >= row->alike_to)
		return n + 1;
	return n + (row->stride ? row->stride : FN_STRIDE);
}

/*
 * Without what a CPU keeps of blocks that were freed, which decides which one is
 * next: a call that failed halfway would leave other free blocks than one that was
 * never made.
 */
static __inline__ void fn_sweep(const void *arg)
{
	const struct fn_row *row = arg;
	unsigned int failures = 0, calm;
	long depth;

	fault_need();
	depth = zt_parameter("l0_depth", 0);
	ASSERT_GE(depth, 0);
	fn_learn(&fn_run, row);
	for (fn_n = 1, calm = 0; calm < FN_CALM; fn_n = fn_next(row, fn_n)) {
		fn_round(&fn_run, row, fn_act_nth);
		failures += fn_injected;
		calm = fn_injected ? 0 : calm + 1;
	}
	TEST_LOG("%s: %u failures injected", row->name, failures);
	EXPECT_GE(failures, fn_least(row));
	fn_n = FN_ALL;
	if (!row->only_nth)
		fn_round(&fn_run, row, fn_act_all);
	close(fn_session);
	ASSERT_EQ(zt_parameter("l0_depth", depth), 0);
	fn_expect(&fn_states.quiet, "something is left of the test");
}

/* ------------------------------------------------------------------- table */

#define FN_ROWS		96

static __inline__ void fn_register(const struct fn_row *rows, size_t n)
{
	static struct ktap_test tests[FN_ROWS];
	static size_t used;

	for (; n && used < FN_ROWS; n--, rows++, used++) {
		tests[used] = (struct ktap_test){
			.name = rows->name, .run = fn_sweep, .arg = rows,
			.limit = 2 * KTAP_TIME_LIMIT,
		};
		ktap_register(&tests[used]);
	}
	if (n)
		abort();
}

/* A table is a part of the program's tests. */
#define FN_TABLE(rows)							\
	__attribute__((constructor)) static void fn_register_##rows(void)\
	{								\
		fn_register(rows, sizeof(rows) / sizeof(rows[0]));	\
	}

#endif /* ZCBUF_SELFTEST_FAILNTH_H */

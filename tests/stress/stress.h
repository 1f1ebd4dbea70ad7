/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the stress programs share. A program is one of KTAP tests, called as
 *
 *	prog ROUNDS SEED [OPTION of ktap.h]... [part of a test's name]...
 *
 * Each test does ROUNDS rounds, however long that takes. In a round a crew of
 * processes works on what the test has made, some of them are killed at random
 * and replaced, and when all are gone the sums have to be right. SEED 0 takes
 * one of its own; it is printed. A seed gives the same choices again, not the
 * same schedule.
 */
#ifndef ZCBUF_STRESS_H
#define ZCBUF_STRESS_H

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <time.h>

#include "common.h"
#include "ktap.h"
#include "snapshot.h"

#define STRESS_LIMIT	1800	/* seconds; only a hang takes as long */
#define STRESS_CREW	12	/* processes at once */

static unsigned int stress_rounds;
static uint64_t stress_seed;

/* ---------------------------------------------------------------- chance */

static __thread uint64_t stress_state;

/* From here on the calling thread's choices are those of number @nr. */
static __inline__ void stress_choices(uint64_t nr)
{
	stress_state = (stress_seed + nr) * 0x9e3779b97f4a7c15ULL | 1;
}

/* From 0 to @n - 1 (xorshift). */
static __inline__ unsigned int stress_pick(unsigned int n)
{
	stress_state ^= stress_state << 13;
	stress_state ^= stress_state >> 7;
	stress_state ^= stress_state << 17;
	return (stress_state >> 20) % n;
}

/* One in @n times. */
static __inline__ bool stress_one_in(unsigned int n)
{
	return !stress_pick(n);
}

static __inline__ __u64 stress_soon(unsigned int most_us)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec +
	       stress_pick(most_us) * 1000ULL;
}

/* Not at all, for a moment, or until something happens. */
static __inline__ __u64 stress_deadline(void)
{
	switch (stress_pick(3)) {
	case 0:
		return 0;
	case 1:
		return stress_soon(3000);
	default:
		return ZCBUF_NO_DEADLINE;
	}
}

/* ------------------------------------------------------------------- crew */

/*
 * struct stress_crew - processes that work
 * @work: what they do, until they return; @nr is their place
 * @pid: by place, 0: nobody
 * @hired: ever; makes each one's choices another's
 */
struct stress_crew {
	void (*work[STRESS_CREW])(unsigned int nr);
	pid_t pid[STRESS_CREW];
	unsigned int hired;
};

static __inline__ void stress_noticed(int signo)
{
	(void)signo;
}

/* A signal without SA_RESTART: what sleeps in a call is told EINTR. */
static __inline__ void stress_take_signals(void)
{
	struct sigaction sa = { .sa_handler = stress_noticed };

	sigaction(SIGUSR1, &sa, NULL);
}

static __inline__ void stress_hire(struct stress_crew *c, unsigned int nr,
				   void (*work)(unsigned int nr))
{
	unsigned int who = ++c->hired;
	pid_t pid;

	stress_take_signals();	/* inherited: nobody is without for a moment */
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		stress_choices((uint64_t)who << 32);
		work(nr);
		_exit(KTAP_PASS);
	}
	c->work[nr] = work;
	c->pid[nr] = pid;
}

static __inline__ void stress_await(struct stress_crew *c, unsigned int nr)
{
	int status = 0;

	ASSERT_EQ(waitpid(c->pid[nr], &status, 0), c->pid[nr]);
	c->pid[nr] = 0;
	if (WIFSIGNALED(status))
		EXPECT_EQ(WTERMSIG(status), SIGKILL);
	else
		EXPECT_EQ(WEXITSTATUS(status), KTAP_PASS);
}

static __inline__ void stress_kill(struct stress_crew *c, unsigned int nr)
{
	if (!c->pid[nr])
		return;
	kill(c->pid[nr], SIGKILL);
	stress_await(c, nr);
}

/* One of the first @n, somewhere in the middle of what it does. */
static __inline__ unsigned int stress_victim(unsigned int n)
{
	usleep(stress_pick(4000));
	return stress_pick(n);
}

static __inline__ void stress_signal(struct stress_crew *c, unsigned int n)
{
	unsigned int nr = stress_victim(n);

	if (c->pid[nr])
		kill(c->pid[nr], SIGUSR1);
}

/* ------------------------------------------------------------ what is left */

/* Memory that all processes share. */
static __inline__ void *stress_shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(p, MAP_FAILED);
	return p;
}

/* The last reference to a pool or a file may be dropped by a worker. */
static __inline__ void stress_same(struct snapshot *wanted)
{
	static struct snapshot now;
	int tries;

	for (tries = 0; tries < 2000; tries++) {
		snap_take(&now);
		if (snap_same(wanted, &now))
			return;
		usleep(10000);
	}
	ktap_note_failure();
	TEST_LOG("in the end there is something else than before:");
	snap_show(wanted, &now);
}

/* The only session left: all memory is back, and each arena in one piece. */
static __inline__ void stress_all_back(int fd, __u64 bad_frees)
{
	struct zcbuf_pool_info info;

	ASSERT_OK(zt_pool_info(fd, &info));
	EXPECT_EQ(info.out_used, 0);
	EXPECT_EQ(info.out_largest_free, info.out_arena_size);
	EXPECT_EQ(info.out_sessions, 1);
	EXPECT_EQ(info.out_channels, 0);
	EXPECT_EQ(info.out_bad_frees, bad_frees);
}

/* A socket for dumps; each thread has its own. */
struct stress_dumps {
	int sk;
	int family;
};

static __inline__ void stress_dumps_open(struct stress_dumps *d)
{
	d->sk = nl_socket();
	ASSERT_GE(d->sk, 0);
	d->family = nl_family(d->sk);
	ASSERT_GT(d->family, 0);
}

/* Was the end of the dump in this piece of it? */
static __inline__ bool stress_dump_ends(const struct nlmsghdr *n, size_t len)
{
	for (; NLMSG_OK(n, len); n = NLMSG_NEXT(n, len)) {
		ASSERT_NE(n->nlmsg_type, NLMSG_ERROR);
		if (n->nlmsg_type == NLMSG_DONE)
			return true;
	}
	return false;
}

/* Look at all there is of one kind; what it was does not matter. */
static __inline__ void stress_dump(const struct stress_dumps *d, int cmd)
{
	struct request r = nl_request(d->family, cmd, NLM_F_DUMP);
	char buf[SNAP_PIECE] __attribute__((aligned(NLMSG_ALIGNTO)));
	ssize_t len;

	ASSERT_OK(nl_send(d->sk, &r));
	do {
		len = TEMP_FAILURE_RETRY(recv(d->sk, buf, sizeof(buf), 0));
		ASSERT_GT(len, 0);
	} while (!stress_dump_ends((void *)buf, len));
}

static __inline__ void stress_dump_any(const struct stress_dumps *d)
{
	static const int cmd[] = { ZCBUF_CMD_POOL_GET, ZCBUF_CMD_SESSION_GET,
				   ZCBUF_CMD_CHANNEL_GET, ZCBUF_CMD_ARENA_GET };

	stress_dump(d, cmd[stress_pick(4)]);
}

/* What netlink tells of the object whose handle is @handle, or NULL. */
static __inline__ const struct nlmsghdr *
stress_look(int cmd, int attr, __u64 handle)
{
	static struct snap_raw raw;
	const struct nlmsghdr *n = (const void *)raw.data;
	struct stress_dumps d;
	size_t len;

	stress_dumps_open(&d);
	ASSERT_OK(snap_dump(d.sk, d.family, cmd, &raw));
	close(d.sk);
	for (len = raw.len; NLMSG_OK(n, len); n = NLMSG_NEXT(n, len))
		if (nl_number(n, attr) == handle)
			return n;
	return NULL;
}

/* ------------------------------------------------------------------- main */

static __inline__ void stress_seed_of_today(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	stress_seed = (t.tv_sec * 1000000000ULL + t.tv_nsec) ^ getpid();
}

static __inline__ int stress_main(int argc, char **argv)
{
	if (argc < 3 || atoi(argv[1]) < 1) {
		fprintf(stderr, "usage: %s ROUNDS SEED [part of a name]...\n",
			argv[0]);
		return KTAP_USAGE;
	}
	stress_rounds = atoi(argv[1]);
	stress_seed = strtoull(argv[2], NULL, 0);
	if (!stress_seed)
		stress_seed_of_today();
	printf("# seed %llu\n", (unsigned long long)stress_seed);
	fflush(stdout);
	argv[2] = argv[0];
	return ktap_main(argc - 2, argv + 2);
}

#define STRESS_TEST(test)	TEST_LIMIT(test, STRESS_LIMIT)

#define STRESS_MAIN()							\
	int main(int argc, char **argv)					\
	{								\
		return stress_main(argc, argv);				\
	}

#endif /* ZCBUF_STRESS_H */

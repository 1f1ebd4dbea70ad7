// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Anything at any time: processes of two threads do whatever there is to do
 * with a few sessions, which both may close under each other's feet, of a few
 * pools with the same names for all, and with any channel somebody has opened.
 * No answer is wrong but one that the manual does not know. Processes are
 * killed, or fork; pools end while somebody looks at them, maps them or has
 * their pages in a pipe. When all are gone, there is nothing left.
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>

#include "stress.h"

#define CREW		5
#define DEATHS		16		/* in a round */
#define SEATS		6		/* sessions of a process */
#define POOLS		3		/* names */
#define CHANNELS	8		/* handles everybody knows */
#define BUFFERS		16		/* handles of a process */

/* What all processes see. */
struct town {
	unsigned int stop;
	__u64 channel[CHANNELS];
};

/*
 * struct house - a process
 * @seat: sessions, or -1
 * @buffer: handles of any of them
 * @ep: an epoll set they may be in
 * @efd: an eventfd that may be armed
 * @pipe: may have pages of a pool in it
 */
struct house {
	int seat[SEATS];
	__u64 buffer[BUFFERS];
	int ep;
	int efd;
	int pipe[2];
};

static struct town *town;
static struct house house;
static __thread struct stress_dumps dumps;

static bool stopped(void)
{
	return __atomic_load_n(&town->stop, __ATOMIC_ACQUIRE);
}

static int any_seat(void)
{
	return __atomic_load_n(&house.seat[stress_pick(SEATS)],
			       __ATOMIC_RELAXED);
}

static __u64 any_channel(void)
{
	return __atomic_load_n(&town->channel[stress_pick(CHANNELS)],
			       __ATOMIC_RELAXED);
}

/* A moment at most: nobody has promised to wake us. */
static __u64 deadline(void)
{
	return stress_one_in(2) ? 0 : stress_soon(2000);
}

/*
 * Every errno of the manual. EBADF and ENOTTY: the descriptor was closed, or is
 * something else by now. EFAULT is none of it: all memory here is good.
 */
static void answer(int err)
{
	static const int known[] = {
		EAGAIN, EALREADY, EBADF, EBADSLT, EBUSY, E2BIG, EEXIST, EINTR,
		EINVAL, EMFILE, EMSGSIZE, ENOENT, ENOMEM, ENOTTY, EPERM, EPIPE,
		ERANGE, ESHUTDOWN, ESTALE, ETIMEDOUT,
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (err >= 0 || -err == known[i])
			return;
	EXPECT_EQ(err, 0);
}

/* ----------------------------------------------------------------- sessions */

static void do_open(void)
{
	static const int how[] = { O_RDWR, O_RDWR, O_RDWR, O_RDONLY, O_WRONLY,
				   O_RDWR | O_NONBLOCK };
	int fd = zt_open(how[stress_pick(6)]);

	ASSERT_GE(fd, 0);
	fd = __atomic_exchange_n(&house.seat[stress_pick(SEATS)], fd,
				 __ATOMIC_ACQ_REL);
	if (fd >= 0)
		close(fd);
}

static void do_close(void)
{
	int fd = __atomic_exchange_n(&house.seat[stress_pick(SEATS)], -1,
				     __ATOMIC_ACQ_REL);

	if (fd >= 0)
		close(fd);
}

/* Two descriptors of one session. */
static void do_dup(void)
{
	int fd = fcntl(any_seat(), F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return;
	fd = __atomic_exchange_n(&house.seat[stress_pick(SEATS)], fd,
				 __ATOMIC_ACQ_REL);
	if (fd >= 0)
		close(fd);
}

static const char *pool_name(char name[16])
{
	snprintf(name, 16, "churn-%u", stress_pick(POOLS));
	return name;
}

static void do_create(void)
{
	char name[16];

	answer(stress_one_in(2) ?
	       zt_pool_create_named(any_seat(), pool_name(name), 0) :
	       zt_pool_create(any_seat(), ZCBUF_POOL_TIERS,
			      ZCBUF_POOL_F_SMALL_PAGES, ZT_ARENA));
}

static void do_attach(void)
{
	__u32 rights = stress_one_in(4) ? ZT_READ_ONLY : 0;
	char name[16];

	answer(stress_one_in(2) ?
	       zt_pool_attach(any_seat(), pool_name(name), rights) :
	       zt_pool_attach_fd(any_seat(), any_seat(), rights));
}

static void do_query(void)
{
	struct zcbuf_query q;

	answer(zt_query(any_seat(), &q));
}

static void do_info(void)
{
	struct zcbuf_class classes[ZCBUF_MAX_CLASSES];
	struct zcbuf_pool_info info = zt_arg(struct zcbuf_pool_info,
		.classes = zt_ptr(classes), .nclasses = ZCBUF_MAX_CLASSES);

	answer(zt_call(any_seat(), ZCBUF_IOC_POOL_INFO, &info));
}

/* A child with all the descriptors, for as long as it takes to exit. */
static void do_fork(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	if (pid > 0)
		TEMP_FAILURE_RETRY(waitpid(pid, NULL, 0));
}

/* ------------------------------------------------------------------ buffers */

static void do_alloc(void)
{
	__u64 h[4];
	int i, n = zt_alloc(any_seat(), stress_pick(20000), 0,
			    stress_pick(2) * ZCBUF_ALLOC_F_ZERO, h, 4);

	answer(n);
	for (i = 0; i < n; i++)
		__atomic_store_n(&house.buffer[stress_pick(BUFFERS)], h[i],
				 __ATOMIC_RELAXED);
}

static void do_free(void)
{
	__u64 h = __atomic_load_n(&house.buffer[stress_pick(BUFFERS)],
				  __ATOMIC_RELAXED);

	if (h)
		answer(zt_free1(any_seat(), h));
}

/* ----------------------------------------------------------------- channels */

static void do_channel_make(void)
{
	struct zcbuf_channel_open a = {
		.flags = stress_pick(16), .ports = 1 + stress_pick(7),
		.max_reservation = 4096, .max_age_us = stress_pick(2000),
		.max_outstanding = stress_pick(20),
	};

	a.threshold = a.flags & ZCBUF_CHANNEL_F_THRESHOLD ? stress_pick(9000) :
							    0;
	if (!zt_channel_open(any_seat(), &a))
		__atomic_store_n(&town->channel[stress_pick(CHANNELS)],
				 a.out_channel, __ATOMIC_RELAXED);
}

static void do_channel_join(void)
{
	__u64 channel = any_channel();

	if (channel)
		answer(zt_ports(any_seat(), channel, 1 + stress_pick(7)));
}

static void do_channel_close(void)
{
	answer(zt_channel_close(any_seat(), any_channel(), stress_pick(8)));
}

static void do_produce(void)
{
	__u32 flags = stress_one_in(4) ? stress_pick(4) : 0;
	int fd = any_seat(), n;
	struct zcbuf_reservation v[2] = {
		{ .length = 1 + stress_pick(5000) },
		{ .length = 1 + stress_pick(500) },
	};
	__u64 channel = any_channel();

	n = zt_reserve(fd, channel, v, 2, flags, deadline());
	answer(n);
	while (n-- > 0)
		answer(stress_one_in(4) ? zt_abort1(fd, channel, &v[n]) :
					  zt_commit1(fd, channel, &v[n]));
}

static void do_receive(void)
{
	__u64 channel = any_channel();
	struct zcbuf_delivery d[2];
	int fd = any_seat(), n;

	n = zt_receive(fd, channel, d, 2, deadline());
	answer(n);
	while (n-- > 0)
		answer(zt_release1(fd, channel, d[n].handle));
}

static void do_receive_failed(void)
{
	struct zcbuf_piece pieces[32];
	struct zcbuf_lost lost[32];
	struct zcbuf_receive_failed f = {
		.pieces = zt_ptr(pieces), .npieces = 32,
		.lost = zt_ptr(lost), .nlost = 32, .deadline_ns = deadline(),
	};
	__u64 channel = any_channel();
	int fd = any_seat(), err;

	err = zt_receive_failed(fd, channel, &f);
	answer(err);
	if (!err && stress_one_in(2))
		answer(zt_release1(fd, channel, f.out_delivery.handle));
}

static void do_flush(void)
{
	answer(zt_flush(any_seat(), any_channel()));
}

static void do_finalize(void)
{
	struct zcbuf_finalize f;

	answer(zt_finalize(any_seat(), any_channel(), &f));
}

static void do_eventfd(void)
{
	__u32 flags = stress_pick(2) * ZCBUF_EVENTFD_F_FAILED;

	if (stress_one_in(3))
		answer(zt_eventfd(any_seat(), any_channel(), 0,
				  ZCBUF_EVENTFD_NONE, flags));
	else
		answer(zt_eventfd(any_seat(), any_channel(), house.efd,
				  ZCBUF_EVENTFD_EACH, flags));
	zt_count(house.efd);
}

/* ------------------------------------------------------------- being told */

static void do_poll(void)
{
	zt_poll(any_seat(), stress_pick(3));
}

static void do_epoll(void)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
	int fd = any_seat();

	if (fd >= 0)
		epoll_ctl(house.ep, EPOLL_CTL_ADD, fd, &e);
	epoll_wait(house.ep, &e, 1, stress_pick(2));
}

static void do_dump(void)
{
	stress_dump_any(&dumps);
}

static void do_fdinfo(void)
{
	char path[64], text[512];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", any_seat());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while (read(fd, text, sizeof(text)) > 0)
		;
	close(fd);
}

/* ------------------------------------------------------------------ mappings */

/* Of the pool, or one more pool; its pages may outlive it in the pipe. */
static void do_map(void)
{
	int prot = stress_one_in(4) ? PROT_READ : PROT_READ | PROT_WRITE;
	char *p = zt_map(any_seat(), prot, ZT_ARENA);
	size_t at = stress_pick(ZT_ARENA / 2);
	struct iovec v;

	if (!p)
		return;
	if (prot & PROT_WRITE)
		p[at] = 1;
	v = (struct iovec){ p + at, 2 * ZT_PAGE };
	if (stress_one_in(4))
		vmsplice(house.pipe[1], &v, 1, SPLICE_F_NONBLOCK);
	munmap(p + ZT_ARENA / 2, ZT_ARENA / 2);
	munmap(p, ZT_ARENA / 2);
}

static void do_drain(void)
{
	char bytes[4 * ZT_PAGE];

	while (read(house.pipe[0], bytes, sizeof(bytes)) > 0)
		;
}

/* ---------------------------------------------------------------- processes */

static void (*const doings[])(void) = {
	do_open, do_open, do_close, do_dup, do_create, do_create, do_attach,
	do_attach, do_attach, do_query, do_info, do_alloc, do_alloc, do_free,
	do_free, do_channel_make, do_channel_make, do_channel_join,
	do_channel_join, do_channel_join, do_channel_close, do_produce,
	do_produce, do_produce, do_produce, do_receive, do_receive, do_receive,
	do_receive_failed, do_flush, do_finalize, do_eventfd, do_poll, do_epoll,
	do_dump, do_fdinfo, do_map, do_drain, do_fork,
};

#define DOINGS	(sizeof(doings) / sizeof(doings[0]))

static void *live(void *arg)
{
	stress_choices(((uint64_t)getpid() << 16) + (arg == &house));
	stress_dumps_open(&dumps);
	while (!stopped())
		doings[stress_pick(DOINGS)]();
	return NULL;
}

static void household(unsigned int nr)
{
	pthread_t thread;
	int i;

	(void)nr;
	for (i = 0; i < SEATS; i++)
		house.seat[i] = -1;
	house.ep = epoll_create1(EPOLL_CLOEXEC);
	house.efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_OK(pipe2(house.pipe, O_CLOEXEC | O_NONBLOCK));
	ASSERT_EQ(pthread_create(&thread, NULL, live, &house), 0);
	live(NULL);
	ASSERT_EQ(pthread_join(thread, NULL), 0);
}

static void live_and_die(void)
{
	struct stress_crew crew = {};
	unsigned int nr, deaths;

	memset(town, 0, sizeof(*town));
	for (nr = 0; nr < CREW; nr++)
		stress_hire(&crew, nr, household);
	for (deaths = 0; deaths < DEATHS; deaths++) {
		stress_signal(&crew, CREW);
		nr = stress_victim(CREW);
		stress_kill(&crew, nr);
		stress_hire(&crew, nr, household);
	}
	__atomic_store_n(&town->stop, 1, __ATOMIC_RELEASE);
	for (nr = 0; nr < CREW; nr++)
		stress_await(&crew, nr);
}

STRESS_TEST(nothing_is_left)
{
	static struct snapshot before;
	unsigned int round;

	town = stress_shared(sizeof(*town));
	stress_choices(0);
	snap_take(&before);
	for (round = 0; round < stress_rounds; round++) {
		live_and_die();
		stress_same(&before);
	}
}

STRESS_MAIN()

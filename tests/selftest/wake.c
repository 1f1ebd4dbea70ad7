// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Waiting: who sleeps in a call or in poll() is woken by what it waits for, by
 * the end of the stream, by a deadline and by a signal; who must not wait does
 * not. A thread is known to sleep in its system call before anything happens;
 * nothing is measured.
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <time.h>

#include "common.h"
#include "ktap.h"
#include "thread.h"

struct sleeper {
	int fd;
	__u64 ch;
	int want;		/* the answer: 0, a count or -errno */
	short events;		/* or what poll() shall say */
	__u64 deadline_ns;
};

static struct sleeper sleeper_open(__u32 max_outstanding)
{
	struct zcbuf_channel_open a = {
		.flags = ZCBUF_CHANNEL_F_THRESHOLD, .ports = ZT_ALL_PORTS,
		.align = 1, .threshold = 10,
		.max_outstanding = max_outstanding,
	};
	struct sleeper s = { .deadline_ns = ZCBUF_NO_DEADLINE };

	s.fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	ASSERT_GE(s.fd, 0);
	ASSERT_OK(zt_channel_open(s.fd, &a));
	s.ch = a.out_channel;
	return s;
}

static struct zcbuf_reservation reserve(struct sleeper *s)
{
	struct zcbuf_reservation r;

	ASSERT_OK(zt_reserve1(s->fd, s->ch, 10, &r));
	return r;
}

static void publish(struct sleeper *s)
{
	struct zcbuf_reservation r = reserve(s);

	ASSERT_OK(zt_commit1(s->fd, s->ch, &r));
}

static void finalize(struct sleeper *s)
{
	struct zcbuf_finalize f;

	EXPECT_OK(zt_finalize(s->fd, s->ch, &f));
}

static void *in_receive(void *arg)
{
	struct sleeper *s = arg;
	struct zcbuf_delivery d;

	EXPECT_EQ(zt_receive(s->fd, s->ch, &d, 1, s->deadline_ns), s->want);
	return NULL;
}

static void *in_receive_failed(void *arg)
{
	struct sleeper *s = arg;
	struct zcbuf_lost lost;
	struct zcbuf_receive_failed f = {
		.lost = zt_ptr(&lost), .nlost = 1,
		.deadline_ns = s->deadline_ns,
	};

	EXPECT_EQ(zt_receive_failed(s->fd, s->ch, &f), s->want);
	return NULL;
}

static void *in_reserve(void *arg)
{
	struct sleeper *s = arg;
	struct zcbuf_reservation r = { .length = 10 };

	EXPECT_EQ(zt_reserve(s->fd, s->ch, &r, 1, 0, s->deadline_ns), s->want);
	return NULL;
}

/* One more than there is room for is not waited for. */
static void *in_alloc(void *arg)
{
	struct sleeper *s = arg;
	__u64 handles[2];
	struct zcbuf_alloc a = zt_arg(struct zcbuf_alloc, .length = ZT_ARENA,
		.handles = zt_ptr(handles), .count = 2,
		.deadline_ns = s->deadline_ns);
	int err = zt_call(s->fd, ZCBUF_IOC_ALLOC, &a);

	EXPECT_EQ(err ? err : (int)a.out_done, s->want);
	if (err)
		return NULL;
	EXPECT_EQ(a.out_error, ENOMEM);
	EXPECT_OK(zt_free1(s->fd, handles[0]));
	return NULL;
}

static void *in_poll(void *arg)
{
	struct sleeper *s = arg;
	struct pollfd p = { .fd = s->fd, .events = s->events };

	EXPECT_EQ(TEMP_FAILURE_RETRY(poll(&p, 1, -1)), 1);
	EXPECT_EQ(p.revents & s->want, s->want);
	return NULL;
}

/* ---------------------------------------------------------------------- woken */

TEST(receive_is_woken_by_a_commit)
{
	struct sleeper s = sleeper_open(0);
	struct thread t = { .run = in_receive, .arg = &s };

	s.want = 1;
	thread_start(&t, SYS_ioctl);
	publish(&s);
	thread_join(&t);
}

TEST(receive_is_woken_by_finalize)
{
	struct sleeper s = sleeper_open(0);
	struct thread t = { .run = in_receive, .arg = &s };

	s.want = -ESHUTDOWN;
	thread_start(&t, SYS_ioctl);
	finalize(&s);
	thread_join(&t);
}

TEST(receive_is_woken_by_the_last_producer)
{
	struct sleeper s = sleeper_open(0);
	struct thread t = { .run = in_receive, .arg = &s };

	s.want = -ESHUTDOWN;
	thread_start(&t, SYS_ioctl);
	EXPECT_OK(zt_channel_close(s.fd, s.ch, ZCBUF_PORT_PRODUCE));
	thread_join(&t);
}

/* The port goes away under the sleeper. */
TEST(receive_is_woken_by_closing_its_port)
{
	struct sleeper s = sleeper_open(0);
	struct thread t = { .run = in_receive, .arg = &s };

	s.want = -EPERM;
	thread_start(&t, SYS_ioctl);
	EXPECT_OK(zt_channel_close(s.fd, s.ch, ZCBUF_PORT_CONSUME));
	thread_join(&t);
}

/* Two groups, two sleepers of two sessions: each gets one. */
TEST(receive_wakes_each_of_two)
{
	struct sleeper s[2];
	struct thread t[2] = {
		{ .run = in_receive, .arg = &s[0] },
		{ .run = in_receive, .arg = &s[1] },
	};

	s[0] = sleeper_open(0);
	s[0].want = 1;
	s[1] = s[0];
	s[1].fd = zt_join(s[0].fd, 0);
	ASSERT_OK(zt_ports(s[1].fd, s[0].ch, ZCBUF_PORT_CONSUME));
	thread_start(&t[0], SYS_ioctl);
	thread_start(&t[1], SYS_ioctl);
	publish(&s[0]);
	publish(&s[0]);
	thread_join(&t[0]);
	thread_join(&t[1]);
}

TEST(receive_failed_is_woken_by_an_abort)
{
	struct sleeper s = sleeper_open(0);
	struct thread t = { .run = in_receive_failed, .arg = &s };
	struct zcbuf_reservation r = reserve(&s);

	thread_start(&t, SYS_ioctl);
	EXPECT_OK(zt_abort1(s.fd, s.ch, &r));
	thread_join(&t);
}

TEST(receive_failed_is_woken_by_finalize)
{
	struct sleeper s = sleeper_open(0);
	struct thread t = { .run = in_receive_failed, .arg = &s };

	s.want = -ESHUTDOWN;
	thread_start(&t, SYS_ioctl);
	finalize(&s);
	thread_join(&t);
}

static void woken_by_a_release(void *(*call)(void *), __u32 max_outstanding)
{
	struct sleeper s = sleeper_open(max_outstanding);
	struct thread t = { .run = call, .arg = &s };
	struct zcbuf_delivery d;

	s.want = 1;
	publish(&s);
	ASSERT_EQ(zt_receive(s.fd, s.ch, &d, 1, 0), 1);
	thread_start(&t, SYS_ioctl);
	EXPECT_OK(zt_release1(s.fd, s.ch, d.handle));
	thread_join(&t);
}

/* By @length bytes of memory that a dying session held. */
static void woken_by_a_death(void *(*call)(void *), __u64 length)
{
	struct sleeper s = sleeper_open(0);
	struct thread t = { .run = call, .arg = &s };
	int other = zt_join(s.fd, 0);
	__u64 h;

	s.want = 1;
	ASSERT_GE(other, 0);
	ASSERT_OK(zt_alloc1(other, length, &h));
	thread_start(&t, SYS_ioctl);
	EXPECT_EQ(close(other), 0);
	thread_join(&t);
}

TEST(reserve_is_woken_by_a_credit)
{
	woken_by_a_release(in_reserve, 1);
}

TEST(reserve_is_woken_by_memory)
{
	struct sleeper s = sleeper_open(0);
	struct thread t = { .run = in_reserve, .arg = &s };
	__u64 h;

	s.want = 1;
	ASSERT_OK(zt_alloc1(s.fd, ZT_ARENA, &h));
	thread_start(&t, SYS_ioctl);
	EXPECT_OK(zt_free1(s.fd, h));
	thread_join(&t);
}

TEST(reserve_is_woken_by_a_death)
{
	woken_by_a_death(in_reserve, ZT_ARENA);
}

TEST(reserve_is_woken_by_finalize)
{
	struct sleeper s = sleeper_open(1);
	struct thread t = { .run = in_reserve, .arg = &s };

	s.want = -ESHUTDOWN;
	publish(&s);
	thread_start(&t, SYS_ioctl);
	finalize(&s);
	thread_join(&t);
}

TEST(alloc_is_woken_by_a_free)
{
	struct sleeper s = sleeper_open(0);
	struct thread t = { .run = in_alloc, .arg = &s };
	__u64 small[2];

	s.want = 1;
	ASSERT_EQ(zt_alloc(s.fd, 4096, 0, 0, small, 2), 2);
	thread_start(&t, SYS_ioctl);
	EXPECT_OK(zt_free1(s.fd, small[0]));	/* not enough yet */
	EXPECT_OK(zt_free1(s.fd, small[1]));
	thread_join(&t);
}

TEST(alloc_is_woken_by_a_release)
{
	woken_by_a_release(in_alloc, 0);
}

TEST(alloc_is_woken_by_a_death)
{
	woken_by_a_death(in_alloc, 4096);
}

TEST(poll_is_woken_by_a_commit)
{
	struct sleeper s = sleeper_open(0);
	struct thread t = { .run = in_poll, .arg = &s };

	s.events = POLLIN;
	s.want = POLLIN;
	thread_start(&t, SYS_poll);
	publish(&s);
	thread_join(&t);
}

TEST(poll_is_woken_by_the_end)
{
	struct sleeper s = sleeper_open(0);
	struct thread t = { .run = in_poll, .arg = &s };

	s.events = POLLIN;
	s.want = POLLHUP;
	thread_start(&t, SYS_poll);
	finalize(&s);
	thread_join(&t);
}

TEST(poll_is_woken_by_room)
{
	struct sleeper s = sleeper_open(1);
	struct thread t = { .run = in_poll, .arg = &s };
	struct zcbuf_delivery d;

	s.events = POLLOUT;
	s.want = POLLOUT;
	publish(&s);
	ASSERT_EQ(zt_receive(s.fd, s.ch, &d, 1, 0), 1);
	thread_start(&t, SYS_poll);
	EXPECT_OK(zt_release1(s.fd, s.ch, d.handle));
	thread_join(&t);
}

/* The end, too, is told by the one that takes the last group. */
TEST(poll_is_woken_by_anothers_last_receive)
{
	struct sleeper s = sleeper_open(0);
	struct thread t = { .run = in_poll, .arg = &s };
	int producer = zt_join(s.fd, 0), other = zt_join(s.fd, 0);
	struct sleeper p = { .fd = producer, .ch = s.ch };
	struct zcbuf_delivery d;

	ASSERT_OK(zt_ports(producer, s.ch, ZCBUF_PORT_PRODUCE));
	publish(&p);
	ASSERT_EQ(zt_receive(s.fd, s.ch, &d, 1, 0), 1);
	ASSERT_OK(zt_ports(other, s.ch, ZCBUF_PORT_CONSUME));
	publish(&p);			/* to the one that waits longest */
	publish(&p);
	ASSERT_EQ(zt_receive(s.fd, s.ch, &d, 1, 0), 1);
	finalize(&p);
	s.events = POLLIN;
	s.want = POLLHUP;
	thread_start(&t, SYS_poll);
	ASSERT_EQ(zt_receive(other, s.ch, &d, 1, 0), 1);
	thread_join(&t);
}

/* ------------------------------------------------------------------ not woken */

static __u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

TEST(deadlines)
{
	struct sleeper s = sleeper_open(1);
	struct zcbuf_reservation r;
	__u64 deadline;

	s.want = -ETIMEDOUT;
	s.deadline_ns = 1;		/* long ago */
	in_receive(&s);
	in_receive_failed(&s);
	deadline = now_ns() + 20000000;
	s.deadline_ns = deadline;
	in_receive(&s);
	EXPECT_GE(now_ns(), deadline);	/* not before it */
	r = reserve(&s);
	in_reserve(&s);
	deadline = now_ns() + 20000000;
	s.deadline_ns = deadline;
	in_reserve(&s);
	EXPECT_GE(now_ns(), deadline);
	s.want = -EAGAIN;
	s.deadline_ns = 0;
	in_reserve(&s);
	in_receive(&s);
	in_receive_failed(&s);
	EXPECT_OK(zt_commit1(s.fd, s.ch, &r));
	s.want = 1;			/* what is there needs no waiting */
	s.deadline_ns = 1;
	in_receive(&s);
}

TEST(deadlines_of_alloc)
{
	struct sleeper s = sleeper_open(0);
	__u64 deadline, h;

	s.want = 1;
	s.deadline_ns = 1;
	in_alloc(&s);
	ASSERT_OK(zt_alloc1(s.fd, 4096, &h));
	s.want = -ETIMEDOUT;
	in_alloc(&s);
	deadline = now_ns() + 20000000;
	s.deadline_ns = deadline;
	in_alloc(&s);
	EXPECT_GE(now_ns(), deadline);
	s.want = -ENOMEM;
	s.deadline_ns = 0;
	in_alloc(&s);
	s.deadline_ns = ZCBUF_NO_DEADLINE;
	ASSERT_EQ(fcntl(s.fd, F_SETFL, O_NONBLOCK), 0);
	in_alloc(&s);
	EXPECT_EQ(zt_used(s.fd), 4096);
}

TEST(a_non_blocking_file_never_waits)
{
	struct sleeper s = sleeper_open(1);

	ASSERT_EQ(fcntl(s.fd, F_SETFL, O_NONBLOCK), 0);
	s.want = -EAGAIN;
	in_receive(&s);
	in_receive_failed(&s);
	publish(&s);
	in_reserve(&s);
}

static volatile sig_atomic_t signalled;

static void on_signal(int signo)
{
	signalled = signo;
}

static void interrupted(void *(*call)(void *), struct sleeper *s)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct thread t = { .run = call, .arg = s };

	s->want = -EINTR;
	ASSERT_EQ(sigaction(SIGUSR1, &sa, NULL), 0);
	thread_start(&t, SYS_ioctl);
	ASSERT_EQ(pthread_kill(t.pthread, SIGUSR1), 0);
	thread_join(&t);
}

TEST(signals_interrupt_and_nothing_was_done)
{
	struct sleeper s = sleeper_open(1);
	struct zcbuf_reservation r;
	struct zcbuf_delivery d;

	interrupted(in_receive, &s);
	interrupted(in_receive_failed, &s);
	publish(&s);
	interrupted(in_reserve, &s);
	interrupted(in_alloc, &s);
	EXPECT_EQ(zt_used(s.fd), 4096);	/* of the group */
	ASSERT_EQ(zt_receive(s.fd, s.ch, &d, 1, 0), 1);
	EXPECT_EQ(d.seq, 0);
	EXPECT_OK(zt_release1(s.fd, s.ch, d.handle));
	r = reserve(&s);
	EXPECT_EQ(r.out_id, 1);
	EXPECT_EQ(r.out_offset, 10);
}

/* With SA_RESTART the wait goes on, whatever kind of deadline it has. */
TEST(signals_that_restart)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct sleeper s = sleeper_open(0);
	struct thread t = { .run = in_receive, .arg = &s };
	pid_t tid;

	s.want = 1;
	s.deadline_ns = now_ns() + 60 * 1000000000ULL;
	ASSERT_EQ(sigaction(SIGUSR1, &sa, NULL), 0);
	thread_start(&t, SYS_ioctl);
	tid = t.tid;
	ASSERT_EQ(pthread_kill(t.pthread, SIGUSR1), 0);
	while (!signalled)
		usleep(1000);
	ASSERT_OK(zt_await_sleep(tid, SYS_ioctl));
	publish(&s);
	thread_join(&t);
}

static long futex(void *word, int op)
{
	static const struct timespec never;

	return syscall(SYS_futex, word, op, 1, &never, NULL, 0) < 0 ? -errno : 0;
}

/* No futex that processes share lives in a pool; one that they do not does. */
TEST(futexes_of_a_pool)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	int *pool = zt_map(fd, PROT_READ | PROT_WRITE, ZT_ARENA);
	int *bare = zt_map(zt_open(O_RDWR), PROT_READ | PROT_WRITE, ZT_ARENA);

	ASSERT_TRUE(pool && bare);
	EXPECT_ERR(futex(pool, FUTEX_WAIT), EFAULT);
	EXPECT_ERR(futex(pool, FUTEX_WAKE), EFAULT);
	EXPECT_ERR(futex(bare, FUTEX_WAIT), EFAULT);
	EXPECT_ERR(futex(bare, FUTEX_WAKE), EFAULT);
	EXPECT_ERR(futex(pool, FUTEX_WAIT_PRIVATE), EAGAIN);	/* is 0, not 1 */
	EXPECT_OK(futex(pool, FUTEX_WAKE_PRIVATE));
}

KTAP_MAIN()

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Scenarios 16 to 21b through the library: the end of streams and of producers,
 * full queues, events and windows.
 */
#include <fcntl.h>

#include "scen.h"
#include "thread.h"

#define KIB	1024ULL

/* ------------------------------------------------------------- 16: stragglers */

/* One of two is committed, and finalize does not wait for the other. */
static struct zcbuf_writer straggle(struct scen *s, const void *arg)
{
	struct zcbuf_writer w;

	scen_open(s, arg, 200);
	scen_write(s, 30, 1);
	w = scen_reserve(s, 20);
	EXPECT_EQ(w.id, 1);
	memset(w.data, 0xee, 20);
	FINALIZE(s, 0, 1, 1);
	return w;
}

SCENARIO(16_finalize_fails_what_is_pending)
{
	struct zcbuf_writer w, next;
	struct scen s;

	w = straggle(&s, arg);
	F_NEXT(&s, 0, PIECES({ 0, 30, 1 }), LOST({ 1, 30, 20 }));
	EXPECT_GT(scen_used(&s), 0);
	EXPECT_ERR(zcbuf_writer_submit_placed(&w, 20), ESHUTDOWN);
	EXPECT_EQ(w.is_open, 0);
	EXPECT_EQ(scen_used(&s), 0);
	EXPECT_ERR(zcbuf_writer_reserve(s.ch, 10, 0, 0, &next), ESHUTDOWN);
	FINALIZE(&s, 0, 0, 0);
	BOTH_END(&s);
	scen_close(&s);
}

SCENARIO(16_acknowledged_before_it_is_released)
{
	struct zcbuf_writer w;
	struct scen s;

	w = straggle(&s, arg);
	EXPECT_ERR(zcbuf_writer_drop(&w), ESHUTDOWN);
	EXPECT_GT(scen_used(&s), 0);
	F_NEXT(&s, 0, PIECES({ 0, 30, 1 }), LOST({ 1, 30, 20 }));
	BOTH_END(&s);
	scen_close(&s);
}

SCENARIO(16_owner_leaves_instead)
{
	struct scen s;

	straggle(&s, arg);
	F_NEXT(&s, 0, PIECES({ 0, 30, 1 }), LOST({ 1, 30, 20 }));
	EXPECT_GT(scen_used(&s), 0);
	EXPECT_OK(zcbuf_channel_close(s.ch));
	s.ch = NULL;
	EXPECT_EQ(scen_used(&s), 0);
	BOTH_END(&s);
	scen_close(&s);
}

/* ------------------------------------------------------ 17: the last producer */

SCENARIO(17_the_last_producer_ends_the_stream)
{
	struct zcbuf_channel *other;
	struct scen s;

	scen_open(&s, arg, 1000);
	ASSERT_OK(zcbuf_pool_close(s.reader));	/* a writing second session */
	ASSERT_OK(zcbuf_pool_attach(&s.reader, s.name, NULL));
	ASSERT_ERR(zcbuf_channel_close(s.in), EBADF);
	ASSERT_OK(zcbuf_channel_attach(s.reader, zcbuf_channel_handle(s.ch),
				       ZT_ALL_PORTS, 0, &s.in));
	other = s.in;
	scen_write(&s, 30, 1);
	EXPECT_OK(zcbuf_channel_close(s.ch));
	s.ch = NULL;
	S_EMPTY(&s);
	EXPECT_OK(zcbuf_channel_leave(other, ZCBUF_PORT_PRODUCE));
	S_NEXT(&s, 0, { 30, 1 });
	BOTH_END(&s);
	scen_close(&s);
}

SCENARIO(17_a_session_closes_with_its_ports)
{
	struct scen s;

	scen_open(&s, arg, 1000);
	scen_write(&s, 30, 1);
	S_EMPTY(&s);
	EXPECT_OK(zcbuf_pool_close(s.pool));
	s.pool = NULL;
	EXPECT_ERR(zcbuf_channel_close(s.ch), EBADF);
	s.ch = NULL;
	S_NEXT(&s, 0, { 30, 1 });
	BOTH_END(&s);
	scen_close(&s);
}

SCENARIO(17_pending_ones_fail)
{
	struct scen s;

	scen_open(&s, arg, 1000);
	scen_write(&s, 30, 1);
	scen_reserve(&s, 40);
	EXPECT_OK(zcbuf_channel_close(s.ch));
	s.ch = NULL;
	S_END(&s);
	F_NEXT(&s, 0, PIECES({ 0, 30, 1 }), LOST({ 1, 30, 40 }));
	BOTH_END(&s);
	scen_close(&s);
}

SCENARIO(17_not_with_no_auto_finalize)
{
	struct zcbuf_channel_opts opts = {
		.align = 1, .threshold = 40,
		.flags = ZCBUF_CHANNEL_F_NO_AUTO_FINALIZE,
	};
	struct scen s;
	__u64 handle;

	scen_open_opts(&s, arg, opts, 0);
	handle = zcbuf_channel_handle(s.ch);
	scen_write(&s, 30, 1);
	EXPECT_OK(zcbuf_channel_close(s.ch));
	S_NEXT(&s, 0, { 30, 1 });	/* sealed, but not the end */
	S_EMPTY(&s);
	ASSERT_OK(zcbuf_channel_attach(s.pool, handle, ZCBUF_PORT_PRODUCE, 0,
				       &s.ch));
	scen_write(&s, 30, 2);
	S_EMPTY(&s);
	FINALIZE(&s, 1, 0, 0);
	S_NEXT(&s, 30, { 30, 2 });
	BOTH_END(&s);
	scen_close(&s);
}

/* ------------------------------------------------------------ 18: a sudden end */

static void __attribute__((noreturn))
producer_of_18(const struct scen *s, __u64 handle, struct zt_turns *t)
{
	static const size_t size[] = { 10, 20, 30 };
	struct zcbuf_channel *ch;
	struct zcbuf_writer w;
	struct zcbuf_pool *pool;
	size_t i;

	zt_turns_child(t);
	ASSERT_OK(zcbuf_pool_attach(&pool, s->name, NULL));
	ASSERT_OK(zcbuf_channel_attach(pool, handle, ZCBUF_PORT_PRODUCE, 0,
				       &ch));
	for (i = 0; i < 3; i++) {
		ASSERT_OK(zcbuf_writer_reserve(ch, size[i], 0, 0, &w));
		memset(w.data, 0x18, size[i] / 2);
	}
	ASSERT_OK(zt_tell_parent(t));
	ktap_stay();
}

/* A process with 10, 20, 30 bytes pending. */
static pid_t start_producer(struct scen *s)
{
	__u64 handle = zcbuf_channel_handle(s->ch);
	struct zt_turns t;
	pid_t pid;

	ASSERT_OK(zt_turns_init(&t));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid)
		producer_of_18(s, handle, &t);
	zt_turns_parent(&t);
	ASSERT_OK(zt_await_child(&t));
	return pid;
}

static void kill_producer(pid_t pid)
{
	int status;

	ASSERT_EQ(kill(pid, SIGKILL), 0);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	ASSERT_TRUE(WIFSIGNALED(status));
}

#define LOST_OF_18	LOST({ 0, 0, 10 }, { 1, 10, 20 }, { 2, 30, 30 })

/* When a process can be waited for, all it had has been taken from it. */
SCENARIO(18_killed_producer_among_others)
{
	struct scen s;
	pid_t pid;

	scen_open(&s, arg, 60);
	pid = start_producer(&s);
	F_EMPTY(&s);
	kill_producer(pid);
	S_EMPTY(&s);
	F_THEN_FINALIZE(&s, 0, NO_PIECES, LOST_OF_18);
	BOTH_END(&s);
	scen_close(&s);
}

SCENARIO(18_killed_last_producer)
{
	struct scen s;
	pid_t pid;

	scen_open(&s, arg, 60);
	pid = start_producer(&s);
	EXPECT_OK(zcbuf_channel_close(s.ch));
	s.ch = NULL;
	F_EMPTY(&s);
	kill_producer(pid);
	S_END(&s);
	F_NEXT(&s, 0, NO_PIECES, LOST_OF_18);
	BOTH_END(&s);
	scen_close(&s);
}

/* Others' reservations in the same group are pieces, and stay writable. */
SCENARIO(18_survivors_keep_what_they_wrote)
{
	struct zcbuf_writer w;
	struct scen s;
	pid_t pid;

	scen_open(&s, arg, 100);
	pid = start_producer(&s);
	w = scen_reserve(&s, 40);
	EXPECT_EQ(w.group, 0);
	kill_producer(pid);
	F_EMPTY(&s);
	scen_submit(&w, 9);
	S_EMPTY(&s);
	F_THEN_FINALIZE(&s, 0, PIECES({ 60, 40, 9 }), LOST_OF_18);
	BOTH_END(&s);
	scen_close(&s);
}

static void *wait_for_failed(void *arg)
{
	struct scen *s = arg;
	struct zcbuf_failed *f = NULL;

	EXPECT_OK(zcbuf_receive_failed(s->in, &f, ZCBUF_NO_DEADLINE));
	if (f)
		scen_check_failed(s, f, NO_PIECES, LOST_OF_18);
	if (f)
		EXPECT_EQ(zcbuf_release(s->in, &f->delivery.handle, 1), 1);
	zcbuf_failed_free(f);
	return NULL;
}

/*
 * Asleep in RECEIVE_FAILED when it happens. With HOLD_FAILED it is the end of
 * the last producer that delivers.
 */
SCENARIO(18_waiting_consumer_is_woken)
{
	struct scen s;
	struct thread t = { .run = wait_for_failed, .arg = &s };
	pid_t pid;

	scen_open(&s, arg, 60);
	pid = start_producer(&s);
	if (s.hold) {
		EXPECT_OK(zcbuf_channel_close(s.ch));
		s.ch = NULL;
	}
	thread_start(&t, SYS_ioctl);
	kill_producer(pid);
	thread_join(&t);
	scen_close(&s);
}

static void *wait_for_pollin(void *arg)
{
	struct pollfd p = { .fd = *(int *)arg, .events = POLLIN };

	EXPECT_EQ(TEMP_FAILURE_RETRY(poll(&p, 1, SCEN_LONG_MS)), 1);
	EXPECT_TRUE(p.revents & POLLIN);
	return NULL;
}

SCENARIO(18_poll_and_eventfd_are_woken)
{
	struct thread on_session = { .run = wait_for_pollin };
	struct thread on_eventfd = { .run = wait_for_pollin };
	int efd, session;
	struct scen s;
	pid_t pid;

	scen_open(&s, arg, 60);
	efd = zcbuf_channel_eventfd(s.in, ZCBUF_EVENTFD_F_FAILED);
	ASSERT_GE(efd, 0);
	session = zcbuf_pool_fd(s.reader);
	on_session.arg = &session;
	on_eventfd.arg = &efd;
	pid = start_producer(&s);
	EXPECT_OK(zcbuf_channel_close(s.ch));
	s.ch = NULL;
	EXPECT_EQ(zt_count(efd), 0);
	thread_start(&on_session, SYS_poll);
	thread_start(&on_eventfd, SYS_poll);
	kill_producer(pid);
	thread_join(&on_session);
	thread_join(&on_eventfd);
	EXPECT_EQ(zt_count(efd), 1);
	F_NEXT(&s, 0, NO_PIECES, LOST_OF_18);
	EXPECT_EQ(zt_count(efd), 1);	/* the end */
	F_END(&s);
	close(efd);
	scen_close(&s);
}

/* -------------------------------------------------------- 20: nobody takes it */

SCENARIO(20_a_full_queue_stalls_nobody)
{
	struct zcbuf_channel_opts opts = { .align = 1, .threshold = 10 };
	struct zcbuf_writer w;
	struct scen s;

	scen_open_opts(&s, arg, opts, 1);
	scen_write(&s, 10, 1);
	scen_write(&s, 10, 2);
	w = scen_reserve(&s, 10);
	EXPECT_EQ(w.group, 2);
	S_NEXT(&s, 0, { 10, 1 });
	S_NEXT(&s, 10, { 10, 2 });
	S_EMPTY(&s);
	scen_submit(&w, 3);
	S_NEXT(&s, 20, { 10, 3 });
	FINALIZE(&s, 0, 0, 0);
	BOTH_END(&s);
	scen_close(&s);
}

/* -------------------------------------------------------- 21: events and poll */

SCENARIO(21_eventfd_counts_each)
{
	struct scen s;
	int efd;

	scen_open(&s, arg, 100);
	efd = zcbuf_channel_eventfd(s.in, 0);
	ASSERT_GE(efd, 0);
	EXPECT_EQ(zt_count(efd), 0);
	scen_write(&s, 100, 1);
	scen_write(&s, 100, 2);
	EXPECT_EQ(zt_count(efd), 2);
	S_NEXT(&s, 0, { 100, 1 });
	S_NEXT(&s, 100, { 100, 2 });
	S_EMPTY(&s);
	EXPECT_EQ(zt_poll(efd, 0) & POLLIN, 0);
	FINALIZE(&s, 0, 0, 0);
	EXPECT_EQ(zt_count(efd), 1);	/* the end */
	close(efd);
	scen_close(&s);
}

/* Armed late, it counts what is there; disarmed it counts nothing. */
SCENARIO(21_eventfd_armed_late_and_taken_off)
{
	struct scen s;
	int efd;

	scen_open(&s, arg, 100);
	scen_write(&s, 100, 1);
	scen_write(&s, 100, 2);
	efd = zcbuf_channel_eventfd(s.in, 0);
	ASSERT_GE(efd, 0);
	EXPECT_EQ(zt_count(efd), 2);
	EXPECT_OK(zcbuf_channel_set_eventfd(s.in, -1, 0));
	scen_write(&s, 100, 3);
	EXPECT_EQ(zt_count(efd), 0);
	S_NEXT(&s, 0, { 100, 1 });
	S_NEXT(&s, 100, { 100, 2 });
	S_NEXT(&s, 200, { 100, 3 });
	FINALIZE(&s, 0, 0, 0);
	EXPECT_EQ(zt_count(efd), 0);
	close(efd);
	scen_close(&s);
}

static int reader_poll(const struct scen *s)
{
	return zt_poll(zcbuf_pool_fd(s->reader), 0);
}

SCENARIO(21_pollin_and_pollhup)
{
	struct zcbuf_writer w;
	struct scen s;
	int bare;

	bare = zt_open(O_RDWR);
	ASSERT_GE(bare, 0);
	EXPECT_EQ(zt_poll(bare, 0), POLLERR);
	close(bare);

	scen_open(&s, arg, 100);
	EXPECT_EQ(reader_poll(&s), 0);
	w = scen_reserve(&s, 100);
	EXPECT_EQ(reader_poll(&s), 0);
	scen_submit(&w, 1);
	EXPECT_EQ(reader_poll(&s), POLLIN);
	S_NEXT(&s, 0, { 100, 1 });
	EXPECT_EQ(reader_poll(&s), 0);
	w = scen_reserve(&s, 50);
	EXPECT_OK(zcbuf_writer_drop(&w));
	scen_write(&s, 50, 2);
	EXPECT_EQ(reader_poll(&s), s.hold ? 0 : POLLIN);
	FINALIZE(&s, 0, s.hold, 0);
	EXPECT_EQ(reader_poll(&s), POLLIN);
	S_END(&s);
	F_NEXT(&s, 1, PIECES({ 150, 50, 2 }), LOST({ 1, 100, 50 }));
	EXPECT_EQ(reader_poll(&s), POLLHUP);
	BOTH_END(&s);
	scen_close(&s);
}

/* No memory for a group, then no credit: RESERVE and POLLOUT agree. */
SCENARIO(21_pollout_is_room_for_a_reservation)
{
	struct zcbuf_channel_opts opts = {
		.align = 1, .threshold = 100, .max_outstanding = 2,
	};
	struct zcbuf_writer w[3];
	struct zcbuf_buf all;
	struct scen s;
	int fd;

	scen_open_opts(&s, arg, opts, 0);
	fd = zcbuf_pool_fd(s.pool);
	EXPECT_EQ(zt_poll(fd, 0), POLLOUT);
	ASSERT_OK(zcbuf_buf_alloc(s.pool, ZT_ARENA, &all));
	EXPECT_EQ(zt_poll(fd, 0), 0);
	EXPECT_ERR(zcbuf_writer_reserve(s.ch, 100, 0, 0, &w[0]), EAGAIN);
	EXPECT_OK(zcbuf_buf_free(&all));
	EXPECT_EQ(zt_poll(fd, 0), POLLOUT);

	w[0] = scen_reserve(&s, 100);
	EXPECT_EQ(zt_poll(fd, 0), POLLOUT);
	w[1] = scen_reserve(&s, 100);
	EXPECT_EQ(zt_poll(fd, 0), 0);
	EXPECT_ERR(zcbuf_writer_reserve(s.ch, 100, 0, 0, &w[2]), EAGAIN);
	scen_submit(&w[0], 1);
	EXPECT_EQ(zt_poll(fd, 0), 0);
	S_NEXT(&s, 0, { 100, 1 });
	EXPECT_EQ(zt_poll(fd, 0), POLLOUT);
	scen_submit(&w[1], 2);
	S_NEXT(&s, 100, { 100, 2 });
	FINALIZE(&s, 0, 0, 0);
	BOTH_END(&s);
	scen_close(&s);
}

/* ---------------------------------------------------------------- 21b: windows */

static struct zcbuf_writer window(struct scen *s, size_t n)
{
	struct zcbuf_writer w;

	ASSERT_OK(zcbuf_writer_reserve(s->ch, n, ZCBUF_RESERVE_F_WINDOW, 0,
				       &w));
	return w;
}

SCENARIO(21b_windows_give_back_what_they_do_not_use)
{
	struct zcbuf_writer w[2];
	struct scen s;
	void *at;
	int i;

	scen_open(&s, arg, 100);
	w[0] = window(&s, 64 * KIB);
	w[1] = window(&s, 64 * KIB);
	EXPECT_EQ(w[0].group, 0);
	EXPECT_EQ(w[1].group, 1);
	EXPECT_EQ(w[1].offset, 65536);
	EXPECT_EQ(scen_used(&s), 128 * KIB);
	for (i = 0; i < 10; i++) {
		ASSERT_OK(zcbuf_writer_carve(&w[0], 1024, &at));
		memset(at, i + 1, 1024);
	}
	EXPECT_OK(zcbuf_writer_commit(&w[0]));
	EXPECT_EQ(scen_used(&s), 64 * KIB + 3 * ZT_PAGE);
	memset(w[1].data, 0x42, w[1].length);
	EXPECT_OK(zcbuf_writer_submit_placed(&w[1], w[1].length));
	S_NEXT(&s, 0, { 1024, 1 }, { 1024, 2 }, { 1024, 3 }, { 1024, 4 },
	       { 1024, 5 }, { 1024, 6 }, { 1024, 7 }, { 1024, 8 }, { 1024, 9 },
	       { 1024, 10 });
	EXPECT_EQ(scen_used(&s), 64 * KIB);
	S_NEXT(&s, 65536, { 65536, 0x42 });
	FINALIZE(&s, 0, 0, 0);
	BOTH_END(&s);
	scen_close(&s);
}

/* An open group and windows: each its own, and none is empty. */
SCENARIO(21b_windows_beside_exact_ones)
{
	struct zcbuf_writer w, exact;
	struct scen s;

	scen_open(&s, arg, 1000);
	exact = scen_reserve(&s, 100);
	w = window(&s, 8192);
	EXPECT_EQ(w.group, 1);
	EXPECT_EQ(w.offset, 100);
	EXPECT_ERR(zcbuf_writer_commit(&w), EMSGSIZE);
	EXPECT_EQ(w.is_open, 0);
	if (!s.hold)
		F_NEXT(&s, 1, NO_PIECES, LOST({ 1, 100, 8192 }));
	w = window(&s, 8192);
	EXPECT_EQ(w.offset, 8292);
	scen_put(&w, 7, 5000);
	EXPECT_OK(zcbuf_writer_commit(&w));
	S_NEXT(&s, 8292, { 5000, 7 });
	scen_submit(&exact, 1);
	FINALIZE(&s, 1, s.hold, 0);
	S_NEXT(&s, 0, { 100, 1 });
	if (s.hold)
		F_NEXT(&s, 1, NO_PIECES, LOST({ 1, 100, 8192 }));
	BOTH_END(&s);
	scen_close(&s);
}

/* The consumer is told how many records were carved. */
SCENARIO(21b_turn_over)
{
	struct zcbuf_delivery d[2];
	struct zcbuf_writer w;
	struct scen s;
	void *at;

	scen_open(&s, arg, 100);
	w = window(&s, 4096);
	ASSERT_OK(zcbuf_writer_carve(&w, 100, &at));
	ASSERT_OK(zcbuf_writer_carve(&w, 200, &at));
	EXPECT_ERR(zcbuf_writer_carve(&w, 4000, &at), EFBIG);
	EXPECT_EQ(zcbuf_writer_turn(&w, 4096, ZCBUF_RESERVE_F_WINDOW, 0), 1);
	EXPECT_EQ(w.is_open, 1);
	EXPECT_EQ(w.offset, 4096);
	EXPECT_EQ(w.used, 0);
	ASSERT_OK(zcbuf_writer_carve(&w, 4000, &at));
	FINALIZE(&s, 0, 1, 1);
	EXPECT_ERR(zcbuf_writer_turn(&w, 4096, ZCBUF_RESERVE_F_WINDOW, 0),
		   ESHUTDOWN);
	EXPECT_EQ(w.is_open, 0);
	ASSERT_EQ(zcbuf_receive(s.in, d, 2, 0), 1);
	EXPECT_EQ(d[0].length, 300);
	EXPECT_EQ(d[0].nrecords, 2);
	EXPECT_EQ(zcbuf_release(s.in, &d[0].handle, 1), 1);
	F_NEXT(&s, 1, NO_PIECES, LOST({ 1, 4096, 4096 }));
	BOTH_END(&s);
	scen_close(&s);
}

KTAP_MAIN()

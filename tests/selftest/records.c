// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Records in windows, by the library, from process to process: who is killed loses
 * his open window and nothing else, wherever that happens; and what it costs to take
 * what is there.
 *
 * ZCB_OPERATIONS in the environment: at each instruction, not at some.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zcbuf/zcbuf.h>

#include "common.h"
#include "ktap.h"

#define POOL	"records"
#define WINDOW	4096
#define RECORD	504	/* with its frame an eighth of a window */
#define BATCH	32	/* of a reader */

static struct zcbuf_pool *pool;
static struct zcbuf_channel *channel;
static struct zcbuf_subscriber *subscriber;
static struct zcbuf_reader *reader;

static void open_stream(void)
{
	const struct zcbuf_pool_opts opts = {
		.sz = sizeof(opts), .name = POOL, .arena_size = ZT_ARENA,
	};
	const struct zcbuf_channel_opts ports = {
		.sz = sizeof(ports),
		.ports = ZCBUF_PORT_PRODUCE | ZCBUF_PORT_RECV_FAILED,
	};
	struct zcbuf_subscriber_opts sub = { .sz = sizeof(sub) };

	ASSERT_OK(zcbuf_pool_create(&pool, &opts));
	ASSERT_OK(zcbuf_channel_create(pool, &ports, &channel));
	sub.channel = zcbuf_channel_handle(channel);
	ASSERT_OK(zcbuf_subscriber_open(pool, NULL, &sub, &subscriber));
	ASSERT_OK(zcbuf_reader_open(subscriber, NULL, &reader));
}

static __u64 used(void)
{
	struct zcbuf_pool_info info = { .size = sizeof(info) };

	ASSERT_OK(zcbuf_pool_info(pool, &info));
	return info.out_used;
}

static void close_stream(void)
{
	EXPECT_OK(zcbuf_reader_close(reader));
	EXPECT_EQ(used(), 0);
	EXPECT_OK(zcbuf_subscriber_close(subscriber));
	EXPECT_OK(zcbuf_channel_close(channel));
	EXPECT_OK(zcbuf_pool_close(pool));
}

/* In a child: an appender of its own to the stream of its parent. */
static struct zcbuf_appender *join(void)
{
	const struct zcbuf_appender_opts opts = {
		.sz = sizeof(opts), .window = WINDOW,
		.flags = ZCBUF_APPENDER_F_FRAMED,
	};
	__u64 handle = zcbuf_channel_handle(channel);
	struct zcbuf_appender *appender;
	struct zcbuf_channel *mine;
	struct zcbuf_pool *p;

	ASSERT_OK(zcbuf_pool_attach(&p, POOL, NULL));
	ASSERT_OK(zcbuf_channel_attach(p, handle, ZCBUF_PORT_PRODUCE, 0,
				       &mine));
	ASSERT_OK(zcbuf_appender_open(mine, &opts, &appender));
	return appender;
}

static void append(struct zcbuf_appender *appender, __u32 number)
{
	__u32 *record;

	ASSERT_OK(zcbuf_appender_reserve(appender, RECORD, ZCBUF_NO_DEADLINE,
					 (void **)&record));
	record[0] = number;
	record[RECORD / sizeof(number) - 1] = ~number;
	ASSERT_OK(zcbuf_appender_commit(appender, RECORD));
}

/* The next one there is, or none: its number, else -errno. */
static long long next(__u64 deadline_ns)
{
	struct iovec record;
	const __u32 *words;
	int err = zcbuf_reader_next(reader, &record, deadline_ns);

	if (err != 1)
		return err;
	words = record.iov_base;
	EXPECT_EQ(record.iov_len, RECORD);
	EXPECT_EQ(words[0], ~words[RECORD / sizeof(*words) - 1]);
	return words[0];
}

/* Windows that have failed; the last of them is at *offset. */
static unsigned int take_lost(__u64 *offset)
{
	struct zcbuf_failed *failed;
	unsigned int n = 0;

	while (zcbuf_receive_failed(channel, &failed, 0) == 0) {
		EXPECT_EQ(failed->npieces, 0);
		EXPECT_EQ(failed->nlost, 1);
		EXPECT_EQ(failed->lost[0].length, WINDOW);
		*offset = failed->lost[0].offset;
		EXPECT_EQ(zcbuf_release(channel, &failed->delivery.handle, 1),
			  1);
		zcbuf_failed_free(failed);
		n++;
	}
	return n;
}

/* ------------------------------------------------------------ one by one */

TEST(records_of_another_process)
{
	__u64 offset;
	pid_t child;
	__u32 i;

	open_stream();
	child = fork();
	if (!child) {
		struct zcbuf_appender *appender = join();

		for (i = 0; i < 2000; i++)
			append(appender, i);
		EXPECT_OK(zcbuf_appender_close(appender));
		_exit(0);
	}
	/* Twice as much as there is room for at a time: it has to wait. */
	for (i = 0; i < 2000; i++)
		ASSERT_EQ(next(ZCBUF_NO_DEADLINE), i);
	EXPECT_STATUS(child, 0);
	EXPECT_EQ(next(0), -EAGAIN);
	EXPECT_EQ(take_lost(&offset), 0);
	close_stream();
}

/* There is no room: it says so, and what was written is delivered. */
TEST(back_pressure)
{
	const struct zcbuf_appender_opts opts = {
		.sz = sizeof(opts), .window = ZT_ARENA / 4,
	};
	struct zcbuf_appender *appender;
	struct zcbuf_sample samples[8];
	void *record;
	int i;

	open_stream();
	ASSERT_OK(zcbuf_appender_open(channel, &opts, &appender));
	for (i = 0; i < 4; i++) {
		ASSERT_OK(zcbuf_appender_reserve(appender, ZT_ARENA / 4, 0,
						 &record));
		ASSERT_OK(zcbuf_appender_commit(appender, ZT_ARENA / 4));
	}
	EXPECT_ERR(zcbuf_appender_reserve(appender, 1, 0, &record), EAGAIN);
	EXPECT_ERR(zcbuf_appender_reserve(appender, 1, zcbuf_deadline_ms(5),
					  &record), ETIMEDOUT);
	EXPECT_EQ(zcbuf_appender_flush(appender), 0);
	EXPECT_EQ(zcbuf_subscriber_take(subscriber, samples, 8, 0), 4);
	EXPECT_EQ(zcbuf_subscriber_release(subscriber, samples, 4), 4);
	EXPECT_OK(zcbuf_appender_reserve(appender, 1, 0, &record));
	EXPECT_OK(zcbuf_appender_commit(appender, 1));
	EXPECT_OK(zcbuf_appender_close(appender));
	EXPECT_EQ(zcbuf_subscriber_take(subscriber, samples, 8, 0), 1);
	EXPECT_EQ(samples[0].length, 1);
	EXPECT_EQ(used(), 4096);
	EXPECT_EQ(zcbuf_subscriber_release(subscriber, samples, 1), 1);
	close_stream();
}

/* ------------------------------------------------------------ the killed */

/* What is there of one writer: from 0 on, none is missing. */
static __u32 read_all_of_one(void)
{
	long long number;
	__u32 n = 0;

	while ((number = next(0)) >= 0)
		EXPECT_EQ(number, n++);
	EXPECT_EQ(number, -EAGAIN);
	return n;
}

/* The first window is full. What comes now is what it is killed in. */
static void traced(void)
{
	struct zcbuf_appender *appender = join();
	__u32 i;

	for (i = 0; i < WINDOW / (RECORD + 8); i++)
		append(appender, i);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(1);
	raise(SIGSTOP);
	append(appender, i);
	zcbuf_appender_flush(appender);
	raise(SIGUSR1);
	_exit(0);
}

/* Kill it after so many instructions; or at the end, the answer is how many. */
static unsigned int kill_after(unsigned int n)
{
	unsigned int i = 0;
	pid_t child;
	int status;

	child = fork();
	if (!child)
		traced();
	ASSERT_EQ(waitpid(child, &status, 0), child);
	while (WIFSTOPPED(status) && WSTOPSIG(status) != SIGUSR1 && i < n) {
		ASSERT_OK(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL));
		ASSERT_EQ(waitpid(child, &status, 0), child);
		i++;
	}
	EXPECT_TRUE(WIFSTOPPED(status));
	ASSERT_OK(kill(child, SIGKILL));
	ASSERT_EQ(waitpid(child, NULL, 0), child);
	return i;
}

/*
 * Of what was in two windows the first part is there, and the other is lost, as a
 * range that begins where that ends: never both, nor neither.
 */
static __u32 look_at_the_dead(void)
{
	const __u32 full = WINDOW / (RECORD + 8);
	static __u64 begin;
	__u64 offset = 0;
	__u32 there;
	unsigned int lost;

	there = read_all_of_one();
	lost = take_lost(&offset);
	switch (there) {
	case 0:
		EXPECT_EQ(lost, 1);
		EXPECT_EQ(offset, begin);
		begin += WINDOW;
		break;
	case WINDOW / (RECORD + 8):
		EXPECT_EQ(lost, 1);
		EXPECT_EQ(offset, begin + WINDOW);
		begin += 2 * WINDOW;
		break;
	default:
		EXPECT_EQ(there, full + 1);
		EXPECT_EQ(lost, 0);
		begin += 2 * WINDOW;
	}
	EXPECT_EQ(used(), 0);
	return there;
}

/* Turn-over and flush; killed before it, in it, and behind it. */
TEST(killed_at_each_instruction)
{
	unsigned int seen[3] = { 0 };
	unsigned int all, n, step;
	__u32 there;

	/* Each step is a switch to the other process and back. */
	zt_stay();
	open_stream();
	all = kill_after(~0U);
	EXPECT_EQ(look_at_the_dead(), WINDOW / (RECORD + 8) + 1);
	step = getenv("ZCB_OPERATIONS") ? 1 : all / (4 + KTAP_TRIES(12));
	/* The last of them is behind the flush. */
	for (n = (all - 1) % step; n < all; n += step) {
		ASSERT_EQ(kill_after(n), n);
		there = look_at_the_dead();
		seen[!!there + (there > WINDOW / (RECORD + 8))]++;
	}
	TEST_LOG("%u instructions: %u, %u and %u times it had come so far", all,
		 seen[0], seen[1], seen[2]);
	EXPECT_GT(seen[0], 0);
	EXPECT_GT(seen[1], 0);
	EXPECT_GT(seen[2], 0);
	close_stream();
}

#define WRITERS	4

/* Number and writer in one: each in the order of its own. */
static void append_for_ever(__u32 writer)
{
	struct zcbuf_appender *appender = join();
	__u32 i;

	for (i = 0;; i++)
		append(appender, i << 4 | writer);
}

/* While the others go on, and there is not room for all. */
TEST(killed_anywhere)
{
	__u32 there[WRITERS] = { 0 };
	pid_t child[WRITERS];
	unsigned int i, n, lost = 0;
	long long number;
	__u64 offset;

	open_stream();
	for (i = 0; i < WRITERS; i++) {
		child[i] = fork();
		if (!child[i])
			append_for_ever(i);
	}
	for (i = 0; i < WRITERS; i++) {
		for (n = 0; n < 700 + 131 * i; n++) {
			number = next(ZCBUF_NO_DEADLINE);
			ASSERT_GE(number, 0);
			EXPECT_EQ(number >> 4, there[number & 15]++);
		}
		ASSERT_OK(kill(child[i], SIGKILL));
		ASSERT_EQ(waitpid(child[i], NULL, 0), child[i]);
	}
	while ((number = next(0)) >= 0)
		EXPECT_EQ(number >> 4, there[number & 15]++);
	lost = take_lost(&offset);
	EXPECT_LE(lost, WRITERS);
	for (i = 0; i < WRITERS; i++)
		EXPECT_EQ(there[i] % (WINDOW / (RECORD + 8)), 0);
	close_stream();
}

/* ------------------------------------------------------------ what it costs */

static const struct zcbuf_name name = {
	.service = "s", .instance = "i", .event = "e",
};

static struct zcbuf_pool *another_session(void)
{
	struct zcbuf_pool *p;

	ASSERT_OK(zcbuf_pool_attach(&p, POOL, NULL));
	return p;
}

static struct zcbuf_reader *reader_of_topic(__u32 depth)
{
	const struct zcbuf_subscriber_opts opts = {
		.sz = sizeof(opts), .depth = depth,
	};
	struct zcbuf_subscriber *sub;
	struct zcbuf_reader *mine;

	ASSERT_OK(zcbuf_subscriber_open(another_session(), &name, &opts, &sub));
	ASSERT_OK(zcbuf_reader_open(sub, NULL, &mine));
	return mine;
}

static void publish(int n)
{
	struct zcbuf_publisher *pub;
	struct zcbuf_buf loan;

	ASSERT_OK(zcbuf_publisher_open(another_session(), &name, NULL, &pub));
	while (n--) {
		ASSERT_OK(zcbuf_publisher_loan(pub, 4096, 0, &loan));
		ASSERT_OK(zcbuf_publisher_publish(pub, &loan, 1000, NULL, 0,
						  ZCBUF_NO_DEADLINE));
	}
}

/* As many messages as are taken at once, in a queue that is mapped. */
static struct zcbuf_reader *filled_queue(void)
{
	struct zcbuf_reader *mine = reader_of_topic(0);

	publish(BATCH);
	return mine;
}

/* Who waits for room learns of it when something is taken, not when it is released. */
TEST(taking_makes_room)
{
	const struct zcbuf_delivery *const *got;
	struct zcbuf_reader *mine;
	pid_t child;

	open_stream();
	mine = reader_of_topic(1);
	child = fork();
	if (!child) {
		publish(2);
		_exit(0);
	}
	ASSERT_OK(zt_await_sleep(child, SYS_ioctl));
	EXPECT_EQ(zcbuf_reader_take(mine, &got, 0), 1);
	EXPECT_STATUS(child, 0);
	EXPECT_EQ(zcbuf_reader_take(mine, &got, 0), 1);
	EXPECT_OK(zcbuf_reader_release(mine));
	close_stream();
}

static void take_and_release(struct zcbuf_reader *mine, int n)
{
	const struct zcbuf_delivery *const *got;

	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(1);
	raise(SIGSTOP);
	if (n && (zcbuf_reader_take(mine, &got, 0) != n ||
		  zcbuf_reader_release(mine)))
		_exit(2);
	raise(SIGUSR1);
	_exit(0);
}

/* Of a process that takes @n, all or none, and gives them back; a call is one. */
static unsigned int instructions(int n)
{
	unsigned int all = 0;
	pid_t child;
	int status;

	child = fork();
	if (!child)
		take_and_release(filled_queue(), n);
	ASSERT_EQ(waitpid(child, &status, 0), child);
	for (; WIFSTOPPED(status) && WSTOPSIG(status) != SIGUSR1; all++) {
		ASSERT_OK(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL));
		ASSERT_EQ(waitpid(child, &status, 0), child);
	}
	EXPECT_TRUE(WIFSTOPPED(status));
	ASSERT_OK(kill(child, SIGKILL));
	ASSERT_EQ(waitpid(child, NULL, 0), child);
	return all;
}

TEST(sixty_instructions)
{
	unsigned int none, all;

	open_stream();
	none = instructions(0);
	all = instructions(BATCH) - none;
	TEST_LOG("%u.%02u for each of %u", all / BATCH,
		 all * 100 / BATCH % 100, BATCH);
	EXPECT_LE(all, 60 * BATCH);
	close_stream();
}

KTAP_MAIN()

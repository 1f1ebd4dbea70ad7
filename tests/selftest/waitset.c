// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Waitsets of the library: one wait for very many subscribers, with and without
 * sleeping; nothing is missed, nobody is told of who has nothing, and who does not
 * take is told again.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zcbuf/zcbuf.h>

#include "common.h"
#include "ktap.h"
#include "thread.h"

#define POOL	"waitset"
#define MANY	1025
#define SOME	16
#define EACH	200	/* messages of a topic, in the race */

static struct zcbuf_pool *from, *to;
static struct zcbuf_waitset *set;
static struct zcbuf_publisher *pub[MANY];
static struct zcbuf_subscriber *sub[MANY];
static struct zcbuf_waitset_entry told[MANY];
static unsigned int nsub;

static struct zcbuf_name name_of(unsigned int i, char *text)
{
	sprintf(text, "%u", i);
	return (struct zcbuf_name){
		.service = "waitset", .instance = text, .event = "e",
	};
}

static void open_one(unsigned int i, unsigned int max_held)
{
	const struct zcbuf_subscriber_opts opts = {
		.sz = sizeof(opts), .depth = 4, .max_held = max_held,
	};
	char text[16];
	struct zcbuf_name name = name_of(i, text);

	ASSERT_OK(zcbuf_publisher_open(from, &name, NULL, &pub[i]));
	ASSERT_OK(zcbuf_subscriber_open(to, &name, &opts, &sub[i]));
	ASSERT_OK(zcbuf_waitset_add(set, sub[i], &sub[i]));
}

static void open_all(unsigned int n, unsigned int max_held)
{
	const struct zcbuf_pool_opts opts = {
		.sz = sizeof(opts), .name = POOL, .arena_size = 4 * ZT_ARENA,
	};

	ASSERT_OK(zcbuf_pool_create(&from, &opts));
	ASSERT_OK(zcbuf_pool_attach(&to, POOL, NULL));
	ASSERT_OK(zcbuf_waitset_create(to, &set));
	for (nsub = 0; nsub < n; nsub++)
		open_one(nsub, max_held);
}

static void close_all(void)
{
	unsigned int i;

	zcbuf_waitset_close(set);
	for (i = 0; i < nsub; i++) {
		zcbuf_subscriber_close(sub[i]);
		zcbuf_publisher_close(pub[i]);
	}
	ASSERT_OK(zcbuf_pool_close(to));
	ASSERT_OK(zcbuf_pool_close(from));
}

static void send(unsigned int i)
{
	struct zcbuf_buf loan;

	ASSERT_OK(zcbuf_publisher_loan(pub[i], 8, 0, &loan));
	ASSERT_OK(zcbuf_publisher_publish(pub[i], &loan, 8, NULL, 0,
					  ZCBUF_NO_DEADLINE));
}

static int wait_now(unsigned int count)
{
	return zcbuf_waitset_wait(set, told, count, 0);
}

static unsigned int number(const struct zcbuf_waitset_entry *entry)
{
	struct zcbuf_subscriber **at = entry->context;

	EXPECT_EQ(*at, entry->subscriber);
	return at - sub;
}

/* All that a subscriber has. */
static unsigned int take_all(unsigned int i)
{
	struct zcbuf_sample sample;
	unsigned int n = 0;

	while (zcbuf_subscriber_take(sub[i], &sample, 1, 0) == 1) {
		ASSERT_EQ(zcbuf_subscriber_release(sub[i], &sample, 1), 1);
		n++;
	}
	return n;
}

/* Nothing of it is a system call, but where memory is given back. */
TEST_LIMIT(of_1025_subscribers, 60)
{
	const unsigned int many = KTAP_TRIES(MANY);
	struct zcbuf_stats before, after;
	unsigned int i;

	open_all(many, 2);
	EXPECT_EQ(wait_now(many), -EAGAIN);
	for (i = 0; i < many; i += 64)
		send(i);
	before.sz = after.sz = sizeof(before);
	ASSERT_OK(zcbuf_stats(&before));
	EXPECT_EQ(wait_now(many), 1 + many / 64);
	ASSERT_OK(zcbuf_stats(&after));
	EXPECT_EQ(memcmp(&before, &after, sizeof(before)), 0);
	for (i = 0; i < 1 + many / 64; i++) {
		EXPECT_EQ(number(&told[i]), 64 * i);
		EXPECT_EQ(take_all(64 * i), 1);
	}
	EXPECT_EQ(wait_now(many), -EAGAIN);
	close_all();
}

TEST(who_does_not_take_is_told_again)
{
	unsigned int i, k;

	open_all(4, 0);
	EXPECT_EQ(wait_now(1), -EAGAIN);
	for (i = 0; i < 3; i++)
		send(i);
	for (k = 0; k < 3; k++)
		for (i = 0; i < 3; i++) {
			ASSERT_EQ(wait_now(1), 1);
			EXPECT_EQ(number(told), i);
		}
	EXPECT_EQ(take_all(1), 1);
	ASSERT_EQ(wait_now(4), 2);
	EXPECT_EQ(number(&told[0]) + number(&told[1]), 2);
	close_all();
}

TEST(who_holds_as_many_as_it_may)
{
	struct zcbuf_sample sample;

	open_all(2, 1);
	send(0);
	send(0);
	ASSERT_EQ(zcbuf_subscriber_take(sub[0], &sample, 1, 0), 1);
	EXPECT_EQ(wait_now(2), -EAGAIN);
	ASSERT_EQ(zcbuf_subscriber_release(sub[0], &sample, 1), 1);
	EXPECT_EQ(wait_now(2), 1);
	EXPECT_EQ(take_all(0), 1);
	EXPECT_EQ(wait_now(2), -EAGAIN);
	close_all();
}

TEST(an_end_is_told)
{
	struct zcbuf_sample sample;

	open_all(2, 0);
	EXPECT_EQ(wait_now(2), -EAGAIN);
	send(1);
	ASSERT_OK(zcbuf_channel_finalize(zcbuf_publisher_channel(pub[1]), NULL));
	ASSERT_EQ(wait_now(2), 1);
	EXPECT_EQ(take_all(1), 1);
	ASSERT_EQ(wait_now(2), 1);
	EXPECT_EQ(zcbuf_subscriber_take(sub[1], &sample, 1, 0), -ESHUTDOWN);
	ASSERT_OK(zcbuf_waitset_remove(set, sub[1]));
	EXPECT_EQ(wait_now(2), -EAGAIN);
	close_all();
}

TEST(who_comes_and_goes)
{
	struct zcbuf_waitset *other;
	unsigned int i;

	open_all(3, 0);
	EXPECT_ERR(zcbuf_waitset_create(to, &other), EBUSY);
	EXPECT_ERR(zcbuf_waitset_add(set, sub[0], NULL), EBUSY);
	EXPECT_EQ(wait_now(0), -EINVAL);
	for (i = 0; i < 3; i++)
		send(i);
	ASSERT_OK(zcbuf_waitset_remove(set, sub[0]));
	EXPECT_ERR(zcbuf_waitset_remove(set, sub[0]), ENOENT);
	ASSERT_OK(zcbuf_subscriber_close(sub[1]));
	sub[1] = NULL;
	ASSERT_EQ(wait_now(4), 1);
	EXPECT_EQ(number(told), 2);
	ASSERT_OK(zcbuf_waitset_add(set, sub[0], &sub[0]));
	EXPECT_EQ(wait_now(4), 2);
	close_all();
}

TEST(another_set_when_that_is_closed)
{
	open_all(1, 0);
	EXPECT_EQ(wait_now(1), -EAGAIN);
	zcbuf_waitset_close(set);
	ASSERT_OK(zcbuf_waitset_create(to, &set));
	send(0);
	EXPECT_EQ(wait_now(1), -EAGAIN);
	ASSERT_OK(zcbuf_waitset_add(set, sub[0], &sub[0]));
	EXPECT_EQ(wait_now(1), 1);
	close_all();
}

/* --------------------------------------------------------------------- sleeping */

static void *in_wait(void *arg)
{
	EXPECT_EQ(zcbuf_waitset_wait(set, told, 1, ZCBUF_NO_DEADLINE), 1);
	EXPECT_EQ(number(told), *(unsigned int *)arg);
	return NULL;
}

TEST(woken_by_a_message)
{
	unsigned int want = 2;
	struct thread t = { .run = in_wait, .arg = &want };

	open_all(3, 0);
	thread_start(&t, SYS_ppoll);
	send(2);
	thread_join(&t);
	EXPECT_EQ(zcbuf_waitset_wait(set, told, 1, 1), 1);
	EXPECT_EQ(take_all(2), 1);
	EXPECT_EQ(zcbuf_waitset_wait(set, told, 1, 1), -ETIMEDOUT);
	close_all();
}

TEST(woken_by_a_release)
{
	unsigned int want = 0;
	struct thread t = { .run = in_wait, .arg = &want };
	struct zcbuf_sample sample;

	open_all(2, 1);
	send(0);
	send(0);
	ASSERT_EQ(zcbuf_subscriber_take(sub[0], &sample, 1, 0), 1);
	thread_start(&t, SYS_ppoll);
	ASSERT_EQ(zcbuf_subscriber_release(sub[0], &sample, 1), 1);
	thread_join(&t);
	close_all();
}

TEST(woken_by_who_is_added)
{
	unsigned int want = 1;
	struct thread t = { .run = in_wait, .arg = &want };

	open_all(2, 0);
	ASSERT_OK(zcbuf_waitset_remove(set, sub[1]));
	send(1);
	thread_start(&t, SYS_ppoll);
	ASSERT_OK(zcbuf_waitset_add(set, sub[1], &sub[1]));
	thread_join(&t);
	close_all();
}

/* -------------------------------------------------------------------- the race */

static void publish_all(void)
{
	unsigned int i, n;
	char text[16];

	ASSERT_OK(zcbuf_pool_attach(&from, POOL, NULL));
	for (i = 0; i < SOME; i++) {
		struct zcbuf_name name = name_of(i, text);

		ASSERT_OK(zcbuf_publisher_open(from, &name, NULL, &pub[i]));
	}
	for (n = 0; n < EACH; n++)
		for (i = 0; i < SOME; i++)
			send((i * 7 + n) % SOME);
	_exit(0);
}

/* Two processes publish, and whoever is told takes: all comes. */
TEST_LIMIT(nothing_is_missed, 60)
{
	unsigned int got[SOME] = {}, all = 0, i;
	pid_t pid[2];
	int n;

	open_all(SOME, 0);
	for (i = 0; i < 2; i++) {
		pid[i] = fork();
		ASSERT_GE(pid[i], 0);
		if (!pid[i])
			publish_all();
	}
	while (all < 2 * SOME * EACH) {
		n = zcbuf_waitset_wait(set, told, SOME, ZCBUF_NO_DEADLINE);
		ASSERT_GE(n, 1);
		while (n--) {
			unsigned int m = take_all(number(&told[n]));

			got[number(&told[n])] += m;
			all += m;
		}
	}
	for (i = 0; i < SOME; i++)
		EXPECT_EQ(got[i], 2 * EACH);
	for (i = 0; i < 2; i++)
		EXPECT_STATUS(pid[i], 0);
	EXPECT_EQ(wait_now(1), -EAGAIN);
	close_all();
}

KTAP_MAIN()

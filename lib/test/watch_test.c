// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Watches: what is told of which change, in which order, and what fails. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake.h"
#include "test.h"
#include "topics.h"
#include "wrap.h"

#define MANY	30

/* Allocations that go well before one that does not; -1: all do. */
static int calloc_fails = -1;
static int realloc_fails = -1;

static struct zcbuf_watcher *watcher;

void *__wrap_calloc(size_t n, size_t size)
{
	if (calloc_fails >= 0 && !calloc_fails--)
		return NULL;
	return __real_calloc(n, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	if (realloc_fails >= 0 && !realloc_fails--)
		return NULL;
	return __real_realloc(memory, size);
}

static void make(void)
{
	topic_pools();
	ASSERT_EQ(zcbuf_watch_create(pool, &watcher), 0);
}

static void unmake(void)
{
	zcbuf_watch_close(watcher);
	topic_unmake();
}

/* A publisher of @event, with the pool of another session. */
static struct zcbuf_publisher *publisher(unsigned int other, const char *event)
{
	const struct zcbuf_name name = {
		.service = "s", .instance = "i", .event = event,
	};
	struct zcbuf_publisher *p;

	ASSERT_EQ(zcbuf_publisher_open(others[other], &name, NULL, &p), 0);
	return p;
}

static struct zcbuf_subscriber *subscriber(unsigned int other,
					   const char *event)
{
	const struct zcbuf_name name = {
		.service = "s", .instance = "i", .event = event,
	};
	struct zcbuf_subscriber *s;

	ASSERT_EQ(zcbuf_subscriber_open(others[other], &name, NULL, &s), 0);
	return s;
}

static __u64 handle_of(const struct zcbuf_publisher *p)
{
	return zcbuf_channel_handle(zcbuf_publisher_channel(p));
}

/* The next change is @what of the channel called @event. */
static struct zcbuf_watch_entry next(__u32 what, const char *event)
{
	struct zcbuf_watch_change change;

	memset(&change, 0x5a, sizeof(change));
	ASSERT_EQ(zcbuf_watch_next(watcher, &change, 0), 0);
	EXPECT_EQ(change.what, what);
	EXPECT_EQ(change.reserved, 0);
	EXPECT_EQ(change.entry.name.event_len, strlen(event));
	EXPECT(!strncmp(change.entry.name.event, event,
			sizeof(change.entry.name.event)));
	return change.entry;
}

static void fails(__u64 deadline_ns, int err)
{
	struct zcbuf_watch_change change;
	struct zcbuf_watch_change was;

	memset(&change, 0x5a, sizeof(change));
	was = change;
	EXPECT_EQ(zcbuf_watch_next(watcher, &change, deadline_ns), err);
	EXPECT(!memcmp(&change, &was, sizeof(change)));
}

/* -------------------------------------------------------------------- told */

static void comes_and_goes(void)
{
	struct zcbuf_watch_entry entry;
	struct zcbuf_subscriber *s;
	struct zcbuf_publisher *p;
	__u64 handle;

	make();
	fails(0, -EAGAIN);
	p = publisher(0, "one");
	handle = handle_of(p);
	entry = next(ZCBUF_CHANNEL_APPEARED, "one");
	EXPECT_EQ(entry.channel, handle);
	EXPECT_EQ(entry.flags, ZCBUF_CHANNEL_F_TOPIC);
	EXPECT_EQ(entry.state, 0);
	EXPECT_EQ(entry.producers, 1);
	EXPECT_EQ(entry.consumers, 0);
	EXPECT_EQ(entry.name.service_len, 1);
	EXPECT_EQ(entry.name.service[0], 's');
	fails(0, -EAGAIN);
	s = subscriber(1, "one");
	entry = next(ZCBUF_CHANNEL_CHANGED, "one");
	EXPECT_EQ(entry.channel, handle);
	EXPECT_EQ(entry.consumers, 1);
	EXPECT_EQ(zcbuf_publisher_close(p), 0);
	entry = next(ZCBUF_CHANNEL_CHANGED, "one");
	EXPECT_EQ(entry.producers, 0);
	EXPECT_EQ(zcbuf_subscriber_close(s), 0);
	entry = next(ZCBUF_CHANNEL_GONE, "one");
	EXPECT_EQ(entry.channel, handle);
	EXPECT_EQ(entry.consumers, 1);
	fails(0, -EAGAIN);
	unmake();
}

static void the_end_of_one(void)
{
	struct zcbuf_publisher *p;

	make();
	p = publisher(0, "one");
	next(ZCBUF_CHANNEL_APPEARED, "one");
	EXPECT_EQ(zcbuf_channel_finalize(zcbuf_publisher_channel(p), NULL), 0);
	EXPECT_EQ(next(ZCBUF_CHANNEL_CHANGED, "one").state,
		  ZCBUF_WATCH_FINALIZED);
	EXPECT_EQ(zcbuf_publisher_close(p), 0);
	unmake();
}

/* Before there was a watcher, with a name and without. */
static void was_there(void)
{
	struct zcbuf_publisher *p[3];
	unsigned int i;

	topic_pools();
	p[0] = publisher(0, "one");
	p[1] = publisher(1, "two");
	ASSERT_EQ(zcbuf_publisher_open(others[0], NULL, NULL, &p[2]), 0);
	ASSERT_EQ(zcbuf_watch_create(pool, &watcher), 0);
	next(ZCBUF_CHANNEL_APPEARED, "one");
	next(ZCBUF_CHANNEL_APPEARED, "two");
	fails(0, -EAGAIN);
	for (i = 0; i < ARRAY_SIZE(p); i++)
		EXPECT_EQ(zcbuf_publisher_close(p[i]), 0);
	unmake();
}

/* Of one difference: first who is gone, whichever handle he had. */
static void gone_first(void)
{
	struct zcbuf_publisher *p[3];
	struct zcbuf_subscriber *s;
	struct zcbuf_watch_entry entry;
	__u64 handle;

	make();
	p[0] = publisher(0, "one");
	p[1] = publisher(0, "two");
	p[2] = publisher(0, "three");
	handle = handle_of(p[1]);
	next(ZCBUF_CHANNEL_APPEARED, "one");
	next(ZCBUF_CHANNEL_APPEARED, "two");
	next(ZCBUF_CHANNEL_APPEARED, "three");
	s = subscriber(1, "one");
	EXPECT_EQ(zcbuf_publisher_close(p[2]), 0);
	EXPECT_EQ(zcbuf_publisher_close(p[1]), 0);
	p[1] = publisher(0, "two");
	entry = next(ZCBUF_CHANNEL_GONE, "two");
	EXPECT_EQ(entry.channel, handle);
	next(ZCBUF_CHANNEL_GONE, "three");
	next(ZCBUF_CHANNEL_CHANGED, "one");
	entry = next(ZCBUF_CHANNEL_APPEARED, "two");
	EXPECT_EQ(entry.channel, handle_of(p[1]));
	EXPECT(entry.channel != handle);
	fails(0, -EAGAIN);
	EXPECT_EQ(zcbuf_subscriber_close(s), 0);
	EXPECT_EQ(zcbuf_publisher_close(p[0]), 0);
	EXPECT_EQ(zcbuf_publisher_close(p[1]), 0);
	unmake();
}

/* -------------------------------------------------------------- the kernel */

/* It is asked when all was told, and not before. */
static void asked_when_told(void)
{
	struct zcbuf_publisher *p[2];
	unsigned int calls;

	make();
	p[0] = publisher(0, "one");
	p[1] = publisher(0, "two");
	next(ZCBUF_CHANNEL_APPEARED, "one");
	calls = fake.calls[ZCBUF_NR_WATCH];
	fake.fail[ZCBUF_NR_WATCH] = EIO;
	next(ZCBUF_CHANNEL_APPEARED, "two");
	EXPECT_EQ(fake.calls[ZCBUF_NR_WATCH], calls);
	fails(77, -EIO);
	fails(77, -ETIMEDOUT);
	EXPECT_EQ(fake.watch.deadline_ns, 77);
	EXPECT_EQ(fake.watch.size, sizeof(fake.watch));
	fails(ZCBUF_NO_DEADLINE, -ETIMEDOUT);
	EXPECT_EQ(fake.watch.deadline_ns, ZCBUF_NO_DEADLINE);
	fails(0, -EAGAIN);
	EXPECT_EQ(fake.watch.deadline_ns, 0);
	EXPECT_EQ(fake.calls[ZCBUF_NR_WATCH], calls + 4);
	EXPECT_EQ(zcbuf_publisher_close(p[0]), 0);
	EXPECT_EQ(zcbuf_publisher_close(p[1]), 0);
	unmake();
}

static struct zcbuf_publisher *late;

static void publisher_comes(void)
{
	late = publisher(2, "late");
}

/* A change that shows nothing is waited on: another one comes meanwhile. */
static void nothing_to_tell(void)
{
	struct zcbuf_publisher *p[2];
	struct zcbuf_watch_change change;
	unsigned int calls;

	make();
	p[0] = publisher(0, "one");
	next(ZCBUF_CHANNEL_APPEARED, "one");
	p[1] = publisher(1, "two");
	EXPECT_EQ(zcbuf_publisher_close(p[1]), 0);
	/* Once for room, once to see that it is the same, and once for more. */
	calls = fake.calls[ZCBUF_NR_WATCH];
	fails(77, -ETIMEDOUT);
	EXPECT_EQ(fake.calls[ZCBUF_NR_WATCH], calls + 3);
	fake.on_watch = publisher_comes;
	ASSERT_EQ(zcbuf_watch_next(watcher, &change, 77), 0);
	EXPECT_EQ(change.what, ZCBUF_CHANNEL_APPEARED);
	EXPECT_EQ(change.entry.channel, handle_of(late));
	EXPECT_EQ(zcbuf_publisher_close(late), 0);
	EXPECT_EQ(zcbuf_publisher_close(p[0]), 0);
	unmake();
}

/* -------------------------------------------------------------------- many */

static struct zcbuf_publisher *many[MANY];

static const char *name_of(unsigned int i)
{
	static char name[16];

	snprintf(name, sizeof(name), "%u", i);
	return name;
}

/* Each that is @what is told once, and nothing else. */
static void told_of(__u32 what, unsigned int first, unsigned int step)
{
	struct zcbuf_watch_change change;
	unsigned int told = 0;
	unsigned int bits = 0;
	unsigned int i;

	for (i = first; i < MANY; i += step)
		bits |= 1U << i;
	while (!zcbuf_watch_next(watcher, &change, 0)) {
		EXPECT_EQ(change.what, what);
		i = strtoul(change.entry.name.event, NULL, 10);
		ASSERT_EQ(i < MANY, true);
		EXPECT_EQ(told >> i & 1, 0);
		told |= 1U << i;
	}
	EXPECT_EQ(told, bits);
}

/* They come one by one, and it is asked again only now and then. */
static void a_growing_list(void)
{
	unsigned int calls;
	unsigned int i;

	make();
	calls = fake.calls[ZCBUF_NR_WATCH];
	for (i = 0; i < MANY; i++) {
		many[i] = publisher(0, name_of(i));
		next(ZCBUF_CHANNEL_APPEARED, name_of(i));
	}
	EXPECT(fake.calls[ZCBUF_NR_WATCH] - calls < MANY * 3 / 2 + 1);
	fails(0, -EAGAIN);
	for (i = 0; i < MANY; i++)
		EXPECT_EQ(zcbuf_publisher_close(many[i]), 0);
	told_of(ZCBUF_CHANNEL_GONE, 0, 1);
	unmake();
}

/* The kernel's order is not that of the handles once places are used again. */
static void places_used_again(void)
{
	unsigned int i;

	make();
	for (i = 0; i < MANY; i++)
		many[i] = publisher(0, name_of(i));
	told_of(ZCBUF_CHANNEL_APPEARED, 0, 1);
	for (i = 0; i < MANY; i += 3)
		EXPECT_EQ(zcbuf_publisher_close(many[i]), 0);
	told_of(ZCBUF_CHANNEL_GONE, 0, 3);
	for (i = 0; i < MANY; i += 3)
		many[i] = publisher(0, name_of(i));
	told_of(ZCBUF_CHANNEL_APPEARED, 0, 3);
	for (i = 1; i < MANY; i += 3)
		EXPECT_EQ(zcbuf_publisher_close(many[i]), 0);
	told_of(ZCBUF_CHANNEL_GONE, 1, 3);
	for (i = 0; i < MANY; i++)
		if (i % 3 != 1)
			EXPECT_EQ(zcbuf_publisher_close(many[i]), 0);
	unmake();
}

/* -------------------------------------------------------------------- fails */

/* What could not be told is told the next time. */
static void nothing_is_missed(void)
{
	static const int errors[] = { EINTR, EFAULT, ESTALE };
	struct zcbuf_publisher *p;
	unsigned int i;

	make();
	p = publisher(0, "one");
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		fake.fail[ZCBUF_NR_WATCH] = errors[i];
		fails(ZCBUF_NO_DEADLINE, -errors[i]);
	}
	next(ZCBUF_CHANNEL_APPEARED, "one");
	EXPECT_EQ(zcbuf_publisher_close(p), 0);
	fake.fail[ZCBUF_NR_WATCH] = EINTR;
	fails(ZCBUF_NO_DEADLINE, -EINTR);
	next(ZCBUF_CHANNEL_GONE, "one");
	unmake();
}

/* Too small a list, no memory for another one, and all is as it was. */
static void no_memory(void)
{
	unsigned int i;

	topic_pools();
	calloc_fails = 0;
	EXPECT_EQ(zcbuf_watch_create(pool, &watcher), -ENOMEM);
	ASSERT_EQ(zcbuf_watch_create(pool, &watcher), 0);
	for (i = 0; i < 3; i++) {
		many[i] = publisher(0, name_of(i));
		realloc_fails = 0;
		fails(0, -ENOMEM);
		next(ZCBUF_CHANNEL_APPEARED, name_of(i));
	}
	for (i = 3; i < MANY; i++)
		many[i] = publisher(0, name_of(i));
	realloc_fails = 0;
	fails(0, -ENOMEM);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(zcbuf_publisher_close(many[i]), 0);
	for (i = 0; i < 3; i++)
		next(ZCBUF_CHANNEL_GONE, name_of(i));
	for (i = 3; i < MANY; i++)
		next(ZCBUF_CHANNEL_APPEARED, name_of(i));
	fails(0, -EAGAIN);
	for (i = 3; i < MANY; i++)
		EXPECT_EQ(zcbuf_publisher_close(many[i]), 0);
	unmake();
}

static void refused(void)
{
	topic_pools();
	fake.features = 0;
	EXPECT_EQ(zcbuf_watch_create(pool, &watcher), -EOPNOTSUPP);
	fake.fail[ZCBUF_NR_QUERY] = ESTALE;
	EXPECT_EQ(zcbuf_watch_create(pool, &watcher), -ESTALE);
	EXPECT_EQ(fake.calls[ZCBUF_NR_WATCH], 0);
	zcbuf_watch_close(NULL);
	topic_unmake();
}

/* ----------------------------------------------------------- without session */

/* Neither what was known before the fork nor anything else. 0: so it is. */
static int in_child(void)
{
	struct zcbuf_watch_change change;
	struct zcbuf_watcher *other;

	if (zcbuf_watch_next(watcher, &change, 0) != -EBADF ||
	    zcbuf_watch_create(pool, &other) != -EBADF)
		return 1;
	zcbuf_watch_close(watcher);
	return 0;
}

static void of_a_child(void)
{
	struct zcbuf_publisher *p[2];
	int status;
	pid_t child;

	make();
	p[0] = publisher(0, "one");
	p[1] = publisher(0, "two");
	next(ZCBUF_CHANNEL_APPEARED, "one");
	child = fork();
	if (!child)
		_exit(in_child());
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
	next(ZCBUF_CHANNEL_APPEARED, "two");
	EXPECT_EQ(zcbuf_publisher_close(p[0]), 0);
	EXPECT_EQ(zcbuf_publisher_close(p[1]), 0);
	unmake();
}

static void closed_pool(void)
{
	struct zcbuf_publisher *p[2];

	make();
	p[0] = publisher(0, "one");
	p[1] = publisher(0, "two");
	next(ZCBUF_CHANNEL_APPEARED, "one");
	EXPECT_EQ(zcbuf_pool_close(pool), 0);
	fails(ZCBUF_NO_DEADLINE, -EBADF);
	zcbuf_watch_close(watcher);
	EXPECT_EQ(zcbuf_publisher_close(p[0]), 0);
	EXPECT_EQ(zcbuf_publisher_close(p[1]), 0);
	pool = NULL;
	topic_unmake();
}

static const struct test_case cases[] = {
	CASE(comes_and_goes),
	CASE(the_end_of_one),
	CASE(was_there),
	CASE(gone_first),
	CASE(asked_when_told),
	CASE(nothing_to_tell),
	CASE(a_growing_list),
	CASE(places_used_again),
	CASE(nothing_is_missed),
	CASE(no_memory),
	CASE(refused),
	CASE(of_a_child),
	CASE(closed_pool),
};

TEST_MAIN(cases)

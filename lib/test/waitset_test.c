// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Waitsets where others are faster, and in a fork child: what is in a queue is found
 * out by a function that says what it is told to, or by the real one.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../queue.h"

#include "fake.h"
#include "test.h"
#include "topics.h"
#include "wrap.h"

#define PAGE		4096
#define RING		16

enum zcb_queue_has __real_zcb_queue_look(struct zcb_queue *queue);
enum zcb_queue_has __wrap_zcb_queue_look(struct zcb_queue *queue);

/* What each look finds; behind the last, the real one. */
static const enum zcb_queue_has *looks;
static unsigned int nlooks;

enum zcb_queue_has __wrap_zcb_queue_look(struct zcb_queue *queue)
{
	if (!nlooks)
		return __real_zcb_queue_look(queue);
	nlooks--;
	return *looks++;
}

/* ------------------------------------------------------------------ the kernel */

static int queue_fd, ready_fd;
static struct zcbuf_queue_head *head;
static struct zcbuf_queue_state *state;
static struct zcbuf_waitset *set;

/* A page for reading, and one that both write. */
static void *pages(int *fd)
{
	void *memory;

	*fd = memfd_create("shown", MFD_CLOEXEC);
	ASSERT_EQ(ftruncate(*fd, 2 * PAGE), 0);
	memory = __real_mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			     *fd, 0);
	ASSERT_EQ(memory == MAP_FAILED, false);
	return memory;
}

static void show_queue(void)
{
	head = pages(&queue_fd);
	*head = (struct zcbuf_queue_head){
		.magic = ZCBUF_QUEUE_MAGIC,
		.version = ZCBUF_QUEUE_VERSION,
		.entry_size = sizeof(struct zcbuf_delivery),
		.slots = 1,
		.lanes = 1,
		.ring = RING,
		.ring_offset = sizeof(*head),
		.entries_offset = sizeof(*head) + RING * sizeof(__u64),
		.max_held = 1,
	};
	state = (void *)((char *)head + PAGE);
}

static void show_ready(void)
{
	struct zcbuf_ready_head *ready = pages(&ready_fd);

	*ready = (struct zcbuf_ready_head){
		.magic = ZCBUF_READY_MAGIC,
		.version = ZCBUF_READY_VERSION,
		.ring = RING,
		.ring_offset = sizeof(*ready),
	};
}

static int shown_call(__u64 self, unsigned int nr, void *arg)
{
	struct zcbuf_queue *queue = arg;
	struct zcbuf_ready *ready = arg;

	(void)self;
	switch (nr) {
	case ZCBUF_NR_QUEUE:
		queue->out_fd = dup(queue_fd);
		queue->out_bytes = PAGE;
		queue->out_state_bytes = PAGE;
		return 0;
	case ZCBUF_NR_READY:
		ready->out_fd = dup(ready_fd);
		ready->out_bytes = PAGE;
		ready->out_state_bytes = PAGE;
		return 0;
	case ZCBUF_NR_EVENTFD:
		return 0;
	default:
		return FAKE_NO_CALL;
	}
}

static void make(void)
{
	show_queue();
	show_ready();
	fake.on_call = shown_call;
	topic_make(NULL);
	ASSERT_EQ(zcbuf_waitset_create(others[0], &set), 0);
	ASSERT_EQ(zcbuf_waitset_add(set, sub[0], NULL), 0);
}

static void unmake(void)
{
	zcbuf_waitset_close(set);
	topic_unmake();
}

static int wait_now(void)
{
	struct zcbuf_waitset_entry entry;

	return zcbuf_waitset_wait(set, &entry, 1, 0);
}

/* ------------------------------------------------------------------- the cases */

/* Who goes to sleep has armed what is empty. */
static void armed_when_empty(void)
{
	make();
	EXPECT_EQ(wait_now(), -EAGAIN);
	EXPECT_EQ(state->armed, 1);
	unmake();
	EXPECT_EQ(state->armed, 0);
}

/*
 * It comes just when the queue is armed, and so is not told; another thread takes it
 * before this one has looked again.
 */
static void somebody_else_takes_it(void)
{
	static const enum zcb_queue_has seen[] = {
		ZCB_QUEUE_EMPTY, ZCB_QUEUE_SOME, ZCB_QUEUE_EMPTY,
		ZCB_QUEUE_SOME, ZCB_QUEUE_EMPTY, ZCB_QUEUE_EMPTY,
	};

	make();
	looks = seen;
	nlooks = ARRAY_SIZE(seen);
	EXPECT_EQ(wait_now(), -EAGAIN);
	EXPECT_EQ(nlooks, 0);
	EXPECT_EQ(state->armed, 1);
	unmake();
}

static void still_there(void)
{
	static const enum zcb_queue_has seen[] = {
		ZCB_QUEUE_EMPTY, ZCB_QUEUE_SOME, ZCB_QUEUE_SOME,
	};

	make();
	looks = seen;
	nlooks = ARRAY_SIZE(seen);
	EXPECT_EQ(wait_now(), 1);
	EXPECT_EQ(nlooks, 0);
	EXPECT_EQ(state->armed, 0);
	unmake();
}

/* What is there is on its way round the ring: only the kernel knows what that is. */
static void goes_round(void)
{
	struct zcbuf_sample sample;

	make();
	EXPECT_EQ(zcbuf_subscriber_take(sub[0], &sample, 1, 0), -EAGAIN);
	EXPECT_EQ(fake.calls[ZCBUF_NR_RECEIVE], 0);
	head->tail[0] = 4;
	head->begun[0] = 4 + RING;
	EXPECT_EQ(zcbuf_subscriber_take(sub[0], &sample, 1, 0), -EAGAIN);
	EXPECT_EQ(fake.calls[ZCBUF_NR_RECEIVE], 1);
	head->tail[0] = 4 + RING;
	EXPECT_EQ(zcbuf_subscriber_take(sub[0], &sample, 1, 0), -EAGAIN);
	EXPECT_EQ(fake.calls[ZCBUF_NR_RECEIVE], 1);
	unmake();
}

static bool child(void)
{
	bool ok = zcbuf_waitset_add(set, sub[0], NULL) == -EBADF &&
		  zcbuf_waitset_remove(set, sub[0]) == -EBADF &&
		  wait_now() == -EBADF;

	zcbuf_waitset_close(set);
	return ok && zcbuf_subscriber_close(sub[0]) == -EBADF;
}

/* It has none of the mappings; here it has, so that it is seen if it writes there. */
static void forked(void)
{
	int status;
	pid_t pid;

	make();
	EXPECT_EQ(wait_now(), -EAGAIN);
	pid = fork();
	if (!pid)
		_exit(!child());
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(state->armed, 1);
	unmake();
}

static const struct test_case cases[] = {
	CASE(armed_when_empty),
	CASE(somebody_else_takes_it),
	CASE(still_there),
	CASE(goes_round),
	CASE(forked),
};

TEST_MAIN(cases)

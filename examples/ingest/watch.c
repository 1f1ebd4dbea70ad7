// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Listening to the others, and noticing when they are gone. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "message.h"
#include "report.h"
#include "run.h"

#define STALL_SECONDS	60

/* ------------------------------------------------------------------ events */

static int handle_message(struct run *run, const struct message *message)
{
	switch (message->kind) {
	case MESSAGE_HOLDING:
		run->held = message->length;
		run->child[message->from].is_done = true;
		return 0;
	case MESSAGE_DONE:
		run->child[message->from].is_done = true;
		return 0;
	default:
		return book_enter(&run->book, message);
	}
}

/* Messages are written whole, so what is read is whole messages, too. */
static int handle_messages(struct run *run)
{
	struct message message[64];
	int err = 0;
	ssize_t n;
	size_t i;

	n = read(run->messages[0], message, sizeof(message));
	if (n < 0) {
		complain("cannot read messages: %s", strerror(errno));
		return -EIO;
	}
	for (i = 0; i < n / sizeof(*message) && !err; i++)
		err = handle_message(run, &message[i]);
	return err;
}

/* The others can do without a producer, but not without the consumer. */
static int handle_end(struct run *run, struct child *child)
{
	if (child_reap(child))
		return 0;
	run->problems++;
	return child == &run->child[CONSUMER] ? -ECHILD : 0;
}

static uint64_t files_taken(const struct run *run)
{
	uint64_t next = run->ledger->next;

	return next < run->ledger->nrows ? next : run->ledger->nrows;
}

static void show_progress(const struct run *run)
{
	struct tally sum;
	char more[80];

	ledger_sum(run->ledger, &sum);
	snprintf(more, sizeof(more), ", %.1f of %.1f MiB; written %" PRIu64
		 " groups", (double)sum.bytes / MIB, (double)run->bytes / MIB,
		 run->book.groups);
	report_progress("read", files_taken(run), run->ledger->nrows, more);
}

/*
 * Waits for anything to happen, a second at most. Return: 1 if something did, 0
 * if not, or a negative errno if there is no going on.
 */
static int handle_events(struct run *run)
{
	struct pollfd pfd[MAX_PRODUCERS + 2];
	unsigned int i;
	int n, err = 0;

	for (i = 0; i <= CONSUMER; i++)
		pfd[i] = (struct pollfd){
			.fd = run->child[i].pidfd,
			.events = POLLIN,
		};
	pfd[i] = (struct pollfd){ .fd = run->messages[0], .events = POLLIN };
	n = poll(pfd, i + 1, 1000);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (pfd[i].revents)
		err = handle_messages(run);
	for (i = 0; i <= CONSUMER && !err; i++)
		if (pfd[i].revents)
			err = handle_end(run, &run->child[i]);
	show_progress(run);
	return err ? err : n > 0;
}

int wait_until(struct run *run, bool (*is_so)(struct run *run))
{
	uint64_t before = files_taken(run);
	int quiet = 0;
	int happened;

	while (!is_so(run)) {
		happened = handle_events(run);
		if (happened < 0)
			return happened;
		quiet = happened || files_taken(run) != before ? 0 : quiet + 1;
		before = files_taken(run);
		if (quiet == STALL_SECONDS) {
			complain("nothing has moved for %d seconds", quiet);
			return -ETIMEDOUT;
		}
	}
	return 0;
}

/* -------------------------------------------------------- what to wait for */

static bool is_gone(const struct child *child)
{
	return child->pidfd < 0;
}

/* Or will never hold anything. */
bool victim_holds(struct run *run)
{
	return run->child[VICTIM].is_done || is_gone(&run->child[VICTIM]);
}

bool victim_is_gone(struct run *run)
{
	return is_gone(&run->child[VICTIM]);
}

bool producers_are_done(struct run *run)
{
	struct child *child;

	for_each_child(run, child)
		if (child != &run->child[CONSUMER] && !is_gone(child) &&
		    !child->is_done)
			return false;
	return true;
}

bool half_is_done(struct run *run)
{
	return 2 * files_taken(run) >= run->ledger->nrows ||
	       producers_are_done(run);
}

bool pool_is_empty(struct run *run)
{
	struct zcbuf_pool_info info = { .size = sizeof(info) };

	return !zcbuf_pool_info(run->pool, &info) && !info.out_used;
}

bool consumer_is_done(struct run *run)
{
	return run->child[CONSUMER].is_done;
}

bool all_are_gone(struct run *run)
{
	struct child *child;

	for_each_child(run, child)
		if (!is_gone(child))
			return false;
	return true;
}

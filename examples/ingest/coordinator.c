// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The coordinator: the course of events. It has a producer port of its own, so
 * that producers may come and go, or be killed, without ending the stream.
 * Should it die itself, the stream ends with the last producer and everybody
 * goes home.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "manifest.h"
#include "report.h"
#include "run.h"
#include "verify.h"

/* --------------------------------------------------------------- processes */

/* The arguments are those of enum worker_arg. */
static int start(struct run *run, const char *role, unsigned int index,
		 const char *extra)
{
	const int fds[MAX_CHILD_FDS] = {
		run->ledger_fd, run->messages[1], run->hold[0]
	};
	char option[16], number[2 + MAX_CHILD_FDS][24];
	char *args[] = {
		"ingest", option, run->pool_name, number[0], number[1],
		number[2], number[3], number[4], (char *)extra, NULL
	};
	unsigned int i;
	int err;

	snprintf(option, sizeof(option), "--as-%s", role);
	snprintf(number[0], sizeof(number[0]), "%llu",
		 zcbuf_channel_handle(run->channel));
	snprintf(number[1], sizeof(number[1]), "%u", index);
	for (i = 0; i < MAX_CHILD_FDS; i++)
		snprintf(number[2 + i], sizeof(number[0]), "%d", fds[i]);
	run->child[index].role = role;
	err = child_start(&run->child[index], args, fds, MAX_CHILD_FDS);
	if (err)
		complain("cannot start a %s: %s", role, strerror(-err));
	return err;
}

static void kill_all(struct run *run)
{
	struct child *child;

	for_each_child(run, child) {
		if (child->pidfd < 0)
			continue;
		child->is_doomed = true;
		child_kill(child);
		child_reap(child);
	}
}

/* ------------------------------------------------------------- the victim */

/* The others start when it holds something: so there is something left for it. */
static int start_victim(struct run *run)
{
	int err;

	err = start(run, "producer", VICTIM, "victim");
	if (!err)
		err = wait_until(run, victim_holds);
	if (err)
		return err;
	if (!run->held) {
		complain("--kill: there is no file left for the victim to hold, give more");
		return -ENODATA;
	}
	printf("victim     producer %d, process %d, holds %" PRIu64
	       " reservations and waits\n", VICTIM,
	       (int)run->child[VICTIM].pid, run->held);
	return 0;
}

static int kill_victim(struct run *run)
{
	struct child *victim = &run->child[VICTIM];
	int err;

	err = wait_until(run, half_is_done);
	if (err)
		return err;
	victim->is_doomed = true;
	err = child_kill(victim);
	if (err)
		return call_failed("cannot kill the victim", err);
	err = wait_until(run, victim_is_gone);
	if (err)
		return err;
	printf("victim     killed by SIGKILL; the others go on\n");
	return 0;
}

/* The book has seen to it that these are what the failure queue has named. */
static void check_victim(struct run *run)
{
	const struct row *row = run->ledger->row;
	uint64_t i, lost = 0;

	for (i = 0; i < run->ledger->nrows; i++, row++)
		lost += row_state(row) == ROW_LOST && row->producer == VICTIM;
	if (lost == run->held)
		return;
	complain("the victim held %" PRIu64 " reservations, %" PRIu64
		 " of which are lost", run->held, lost);
	run->problems++;
}

/* -------------------------------------------------------------- the stream */

static int start_all(struct run *run)
{
	unsigned int i = 0;
	int err;

	err = start(run, "consumer", CONSUMER, run->options->out);
	if (!err && run->options->kill) {
		err = start_victim(run);
		i = VICTIM + 1;
	}
	for (; i < run->options->producers && !err; i++)
		err = start(run, "producer", i, "");
	return err;
}

/* Everybody is attached who is alive, and nobody else. */
static void check_sessions(struct run *run, const struct zcbuf_pool_info *info)
{
	const struct child *child;
	unsigned int alive = 1;

	for_each_child(run, child)
		alive += child->pidfd >= 0;
	printf("pool       %llu bytes in use, %u processes attached\n",
	       info->out_used, info->out_sessions);
	if (info->out_sessions == alive)
		return;
	complain("%u processes are alive", alive);
	run->problems++;
}

/*
 * All is read. When what is left in the open group is written, too, nothing of
 * the pool is in use any more: not what the dead have left behind, either.
 */
static int wait_for_empty_pool(struct run *run)
{
	struct zcbuf_pool_info info = { .size = sizeof(info) };
	int err;

	err = zcbuf_channel_flush(run->channel);
	if (err < 0)
		return call_failed("cannot flush", err);
	err = wait_until(run, pool_is_empty);
	if (err)
		return err;
	err = zcbuf_pool_info(run->pool, &info);
	if (err)
		return call_failed("cannot ask for the pool", err);
	check_sessions(run, &info);
	report_pool(run->pool_name);
	return 0;
}

/* Nothing is left for finalize to do but to say that this was all. */
static int end_stream(struct run *run)
{
	struct zcbuf_counts counts;
	int err;

	err = zcbuf_channel_finalize(run->channel, &counts);
	if (err)
		return call_failed("cannot finalize", err);
	if (counts.success || counts.failure || counts.reservations) {
		complain("finalize still found %llu groups, %llu failed ones, %llu reservations",
			 counts.success, counts.failure, counts.reservations);
		run->problems++;
	}
	return wait_until(run, consumer_is_done);
}

static int let_go(struct run *run)
{
	close(run->hold[1]);
	return wait_until(run, all_are_gone);
}

static int move(struct run *run)
{
	int err;

	err = start_all(run);
	if (!err && run->options->kill)
		err = kill_victim(run);
	if (!err)
		err = wait_until(run, producers_are_done);
	if (!err)
		err = wait_for_empty_pool(run);
	if (!err)
		err = end_stream(run);
	return err ? err : let_go(run);
}

/* -------------------------------------------------------------- the result */

static int check(struct run *run)
{
	int found;
	int err;

	run->problems += book_settle(&run->book, run->ledger);
	if (run->options->kill)
		check_victim(run);
	found = verify(run->ledger, &run->book, run->options->out);
	if (found < 0) {
		complain("cannot verify %s: %s", run->options->out,
			 strerror(-found));
		return found;
	}
	run->problems += found;
	err = manifest_write(run->manifest, run->ledger);
	if (err)
		complain("cannot write %s: %s", run->options->manifest,
			 strerror(-err));
	return err;
}

static int conclude(const struct run *run)
{
	uint64_t files, bytes;

	files = ledger_count_good(run->ledger, &bytes);
	report_work(&run->book, run->ledger);
	report_losses(&run->book, run->ledger);
	printf("verified   %" PRIu64 " files, by SHA-256; where they are: %s\n",
	       files, run->options->manifest);
	if (run->problems) {
		printf("ingest: FAILED problems=%u\n", run->problems);
		return INGEST_FAILED;
	}
	printf("ingest: OK files=%" PRIu64 " bytes=%" PRIu64 " groups=%" PRIu64
	       " failed=%zu\n", files, bytes, run->book.groups,
	       run->book.nlosses);
	return INGEST_OK;
}

int coordinator_main(const struct options *options)
{
	struct run run = { .options = options };
	int status = INGEST_FAILED;
	int err;

	err = setup(&run);
	if (!err)
		err = move(&run);
	if (err)
		kill_all(&run);
	if (!err)
		err = check(&run);
	if (!err)
		status = conclude(&run);
	else
		puts("ingest: FAILED, stopped");
	cleanup(&run);
	return status;
}

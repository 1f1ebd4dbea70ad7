// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "manifest.h"
#include "report.h"

#define LOSSES_SHOWN	10

static bool second_has_passed(void)
{
	static struct timespec last;
	struct timespec now;
	int64_t ms;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (now.tv_sec - last.tv_sec) * (int64_t)1000 +
	     (now.tv_nsec - last.tv_nsec) / 1000000;
	if (ms < 1000)
		return false;
	last = now;
	return true;
}

void report_progress(const char *verb, uint64_t done, uint64_t total,
		     const char *more)
{
	if (second_has_passed())
		printf("  %s %" PRIu64 " of %" PRIu64 " files%s\n", verb, done,
		       total, more);
}

void report_pool(const char *pool)
{
	char *const argv[] = { "zcctl", "pool", "show", (char *)pool, NULL };
	pid_t pid;
	int status;

	printf("$ zcctl pool show %s\n", pool);
	fflush(stdout);
	if (posix_spawnp(&pid, "zcctl", NULL, NULL, argv, environ)) {
		puts("(there is no zcctl in PATH)");
		return;
	}
	waitpid(pid, &status, 0);
}

void report_losses(const struct book *book, const struct ledger *ledger)
{
	char name[ESCAPED_MAX];
	const struct loss *loss;
	size_t i;

	if (!book->nlosses)
		return;
	printf("lost       %zu reservations, as the failure queue named them:\n",
	       book->nlosses);
	for (i = 0; i < book->nlosses && i < LOSSES_SHOWN; i++) {
		loss = &book->loss[i];
		printf("             id %" PRIu64 ", offset %" PRIu64 ", %" PRIu64
		       " bytes: %s\n", loss->id, loss->offset, loss->length,
		       loss->row ? escape_path(ledger_path(ledger, loss->row),
					       name) : "(nobody's)");
	}
	if (i < book->nlosses)
		printf("             and %zu more\n", book->nlosses - i);
}

static double per(uint64_t n, uint64_t records)
{
	return records ? (double)n / records : 0;
}

void report_work(const struct book *book, const struct ledger *ledger)
{
	struct tally sum;
	uint64_t calls;

	ledger_sum(ledger, &sum);
	calls = sum.zcbuf_calls + sum.other_calls;
	printf("records    %" PRIu64 " files committed, %" PRIu64 " bytes\n",
	       sum.files, sum.bytes);
	printf("groups     %" PRIu64 " written, %" PRIu64 " of them failed ones\n",
	       book->groups, book->failed_groups);
	printf("output     %" PRIu64 " bytes, padding included\n", book->end);
	printf("writes     %" PRIu64 " WRITE_FIXED, %" PRIu64 " plain\n",
	       sum.fixed, sum.plain);
	printf("calls      %.2f zcbuf system calls per record, %.2f with all others\n",
	       per(sum.zcbuf_calls, sum.files), per(calls, sum.files));
}

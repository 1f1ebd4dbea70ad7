/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* One run of the program, as the coordinator sees it. */
#ifndef INGEST_RUN_H
#define INGEST_RUN_H

#include <stdio.h>

#include <zcbuf/zcbuf.h>

#include "book.h"
#include "child.h"
#include "ledger.h"

#define CONSUMER	MAX_PRODUCERS	/* its index */
#define VICTIM		0		/* index of the producer to be killed */

/*
 * struct run
 * @options: what is wanted
 * @manifest: open for writing
 * @ledger_fd: the memfd @ledger is a mapping of
 * @pool_name: what the others attach to
 * @messages: pipe from all others
 * @hold: pipe to all others, closed to let them go
 * @child: by index; those that were never started have no pid
 * @book: what the consumer has said
 * @held: reservations the victim holds, once it has said so
 * @bytes: of all input files when they were listed
 * @problems: what was complained about and is no reason to stop
 */
struct run {
	const struct options *options;
	FILE *manifest;
	struct ledger *ledger;
	int ledger_fd;
	struct zcbuf_pool *pool;
	struct zcbuf_channel *channel;
	char pool_name[32];
	int messages[2];
	int hold[2];
	struct child child[MAX_PRODUCERS + 1];
	struct book book;
	uint64_t held;
	uint64_t bytes;
	unsigned int problems;
};

/* For @child and all its brothers. */
#define for_each_child(run, child)					\
	for ((child) = (run)->child;					\
	     (child) <= &(run)->child[CONSUMER]; (child)++)

/* ----------------------------------------------------------------- setup.c */

/* Files, ledger, pool, channel, pipes. Complains; 0 or a negative errno. */
int setup(struct run *run);
void cleanup(struct run *run);

/* ----------------------------------------------------------------- watch.c */

/*
 * Watches everybody until something is the case. Complains; 0, or a negative
 * errno if it will never be.
 */
int wait_until(struct run *run, bool (*is_so)(struct run *run));

bool victim_holds(struct run *run);
bool victim_is_gone(struct run *run);
bool half_is_done(struct run *run);
bool producers_are_done(struct run *run);
bool pool_is_empty(struct run *run);
bool consumer_is_done(struct run *run);
bool all_are_gone(struct run *run);

#endif /* INGEST_RUN_H */

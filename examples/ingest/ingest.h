/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * ingest: several processes read files, one writes them to a single file, and
 * nobody copies a byte.
 *
 *   coordinator  makes the pool and the channel, starts the others, watches
 *                them, and checks at the end what has landed (coordinator.c)
 *   producers    reserve the size of a file, read() it straight into the
 *                reserved memory, commit, next (producer.c)
 *   consumer     an eventfd tells it of a complete group, it has io_uring write
 *                the group where it lies, and releases it (consumer.c)
 *
 * They share three things: the pool, where the bytes are; the ledger, a memfd
 * that says what is to be done and who has done what (ledger.h); and a pipe of
 * messages to the coordinator (message.h).
 */
#ifndef INGEST_H
#define INGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_PRODUCERS	64
#define BLOCK		4096	/* what O_DIRECT wants everything to be aligned to */
#define MIB		((uint64_t)1 << 20)

/* What the user wants. */
struct options {
	unsigned int producers;
	uint64_t threshold;
	bool kill;
	const char *out;
	const char *manifest;
	char **paths;	/* ends with NULL */
};

/* Exit statuses of all processes. */
enum { INGEST_OK, INGEST_FAILED, INGEST_USAGE };

int coordinator_main(const struct options *options);
int producer_main(char **args);
int consumer_main(char **args);

/* To stderr, with the program's name before it and a newline after it. */
__attribute__((format(printf, 1, 2)))
void complain(const char *format, ...);

/* The same for a call of zcbuf; returns @err for the caller to return. */
int call_failed(const char *what, int err);

static inline uint64_t round_up(uint64_t n, uint64_t unit)
{
	return (n + unit - 1) / unit * unit;
}

#endif /* INGEST_H */

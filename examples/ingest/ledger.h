/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * The ledger: one row for each input file, in memory all processes share. It is
 * the queue of work, and the report on it: a producer takes the next row, and
 * notes every reservation there before it writes to it. What a process has
 * noted is there whatever becomes of it.
 */
#ifndef INGEST_LEDGER_H
#define INGEST_LEDGER_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/stat.h>

#include "ingest.h"

#define LEDGER_TRIES	3	/* a file that changes while it is read */

enum row_state {
	ROW_WAITING,	/* nobody has taken it */
	ROW_TAKEN,	/* somebody is about to read it */
	ROW_RESERVED,	/* there is a reservation for it */
	ROW_COMMITTED,	/* it was read, and the reservation committed */
	ROW_EMPTY,	/* no bytes, nothing to do */
	ROW_UNREAD,	/* given up: row.error */
	/* what the coordinator makes of it: */
	ROW_LOST,	/* its reservation failed with its producer */
	ROW_LANDED,	/* what is in the output is what is in the file */
	ROW_UNVERIFIED,	/* the file cannot be read any more, or has changed */
	ROW_DAMAGED,	/* what is in the output is something else */
};

/*
 * struct span - one reservation made for a file
 * @id, @offset, @length: of the reservation; the offset is the stream's
 * @place: offset in the output
 */
struct span {
	uint64_t id;
	uint64_t offset;
	uint64_t length;
	uint64_t place;
};

/*
 * struct row - one input file
 * @state: enum row_state; the rest is written before it
 * @producer: who has taken it
 * @tries: reservations made for it, all but the last of which were aborted
 * @error: a negative errno, of ROW_UNREAD
 * @path: offset of its name in the ledger
 * @size, @mtime: of the file as it was read
 * @span: of each try
 * @sha256: of what has landed
 */
struct row {
	_Atomic uint32_t state;
	uint32_t producer;
	uint32_t tries;
	int32_t error;
	uint64_t path;
	uint64_t size;
	struct timespec mtime;
	struct span span[LEDGER_TRIES];
	unsigned char sha256[32];
};

/* What one process has done so far; only that process writes it. */
struct tally {
	_Atomic uint64_t files;		/* committed */
	_Atomic uint64_t bytes;		/* committed; of the consumer: written */
	_Atomic uint64_t zcbuf_calls;	/* system calls on the device */
	_Atomic uint64_t other_calls;	/* the others it has counted */
	_Atomic uint64_t fixed;		/* writes from registered memory */
	_Atomic uint64_t plain;		/* writes from any memory */
};

/*
 * struct ledger
 * @size: bytes, names included
 * @nrows: input files
 * @next: the first row nobody has taken
 * @tally: of the producers, and at [MAX_PRODUCERS] of the consumer
 * @row: the files; the names are behind them
 */
struct ledger {
	uint64_t size;
	uint64_t nrows;
	_Atomic uint64_t next;
	struct tally tally[MAX_PRODUCERS + 1];
	struct row row[];
};

struct list;

/* Return: a descriptor of a ledger of these files, or a negative errno. */
int ledger_create(const struct list *list, struct ledger **ledger);
int ledger_map(int fd, struct ledger **ledger);

/* The next row, which is the caller's now; NULL: all are taken. */
struct row *ledger_take(struct ledger *ledger, unsigned int producer);

const char *ledger_path(const struct ledger *ledger, const struct row *row);

/* The files that are as they should be, and into @bytes how much is in them. */
uint64_t ledger_count_good(const struct ledger *ledger, uint64_t *bytes);

/* What all have done. The bytes are those committed. */
void ledger_sum(const struct ledger *ledger, struct tally *total);

static inline enum row_state row_state(const struct row *row)
{
	return atomic_load_explicit(&row->state, memory_order_acquire);
}

static inline void row_set_state(struct row *row, enum row_state state)
{
	atomic_store_explicit(&row->state, state, memory_order_release);
}

/* The reservation that counts, once there is one. */
static inline struct span *row_span(struct row *row)
{
	return &row->span[row->tries - 1];
}

/* Is the file still as it was read? */
static inline bool row_is_current(const struct row *row, const struct stat *st)
{
	return row->size == (uint64_t)st->st_size &&
	       row->mtime.tv_sec == st->st_mtim.tv_sec &&
	       row->mtime.tv_nsec == st->st_mtim.tv_nsec;
}

static inline void count(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

#endif /* INGEST_LEDGER_H */

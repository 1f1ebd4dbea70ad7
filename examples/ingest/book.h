/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * The coordinator's book: what the consumer said has landed where, and which
 * reservations the failure queue has named. At the end it is settled with the
 * ledger, that is, with what the producers said: the two must agree exactly.
 */
#ifndef INGEST_BOOK_H
#define INGEST_BOOK_H

#include "ledger.h"
#include "message.h"

/* An extent of a group that is in the output. */
struct landing {
	uint64_t offset;
	uint64_t length;
	uint64_t place;
};

/* A reservation the failure queue has named. */
struct loss {
	uint64_t id;
	uint64_t offset;
	uint64_t length;
	const struct row *row;	/* the file it was for, once that is known */
};

struct book {
	struct landing *landing;
	size_t nlandings;
	struct loss *loss;
	size_t nlosses;
	uint64_t groups;	/* failed ones included */
	uint64_t failed_groups;
	uint64_t end;		/* of the last group in the output */
};

/* Enters a message of the consumer. Return: 0 or a negative errno. */
int book_enter(struct book *book, const struct message *message);

/*
 * Gives every reservation in the ledger its place in the output, and every loss
 * its file. What does not fit together is complained about; returns how much.
 */
unsigned int book_settle(struct book *book, struct ledger *ledger);

void book_free(struct book *book);

#endif /* INGEST_BOOK_H */

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "book.h"
#include "manifest.h"

/* ---------------------------------------------------------------- entering */

/* Room for one more behind @n entries: it doubles at the powers of two. */
static int grow(void **array, size_t n, size_t size)
{
	void *more;

	if (n & (n - 1))
		return 0;
	more = realloc(*array, (n ? 2 * n : 1) * size);
	if (!more)
		return -ENOMEM;
	*array = more;
	return 0;
}

static int enter_landing(struct book *book, const struct message *message)
{
	uint64_t end = message->place + round_up(message->length, BLOCK);

	if (grow((void **)&book->landing, book->nlandings,
		 sizeof(*book->landing)))
		return -ENOMEM;
	book->landing[book->nlandings++] = (struct landing){
		.offset = message->offset,
		.length = message->length,
		.place = message->place,
	};
	if (end > book->end)
		book->end = end;
	return 0;
}

static int enter_loss(struct book *book, const struct message *message)
{
	if (grow((void **)&book->loss, book->nlosses, sizeof(*book->loss)))
		return -ENOMEM;
	book->loss[book->nlosses++] = (struct loss){
		.id = message->id,
		.offset = message->offset,
		.length = message->length,
	};
	return 0;
}

int book_enter(struct book *book, const struct message *message)
{
	switch (message->kind) {
	case MESSAGE_EXTENT:
		return enter_landing(book, message);
	case MESSAGE_LOST:
		return enter_loss(book, message);
	case MESSAGE_FAILED_GROUP:
		book->failed_groups++;
		book->groups++;
		return 0;
	case MESSAGE_GROUP:
		book->groups++;
		return 0;
	default:
		return -EINVAL;
	}
}

/* ---------------------------------------------------------------- settling */

static int by_offset(const void *a, const void *b)
{
	const struct landing *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int by_id(const void *a, const void *b)
{
	const struct loss *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* @key: an offset, and a length it must be inside with */
static int inside(const void *key, const void *entry)
{
	const struct landing *x = key, *y = entry;

	if (x->offset < y->offset)
		return -1;
	return x->offset + x->length > y->offset + y->length;
}

static bool find_place(const struct book *book, struct span *span)
{
	struct landing key = { .offset = span->offset, .length = span->length };
	const struct landing *landing;

	if (!book->nlandings)
		return false;
	landing = bsearch(&key, book->landing, book->nlandings, sizeof(key),
			  inside);
	if (landing)
		span->place = landing->place + (span->offset - landing->offset);
	return landing;
}

static struct loss *find_loss(const struct book *book, const struct span *span)
{
	struct loss key = { .id = span->id };

	if (!book->nlosses)
		return NULL;
	return bsearch(&key, book->loss, book->nlosses, sizeof(key), by_id);
}

/* Return: what is wrong, or NULL. */
static const char *settle_span(struct book *book, const struct row *row,
			       struct span *span, bool is_kept)
{
	struct loss *loss = find_loss(book, span);

	if (!find_place(book, span))
		return "its group was never written";
	if (is_kept)
		return loss ? "committed, but on the failure queue" : NULL;
	if (!loss)
		return "not committed, but not on the failure queue";
	if (loss->row)
		return "two files have this reservation";
	if (loss->offset != span->offset || loss->length != span->length)
		return "the failure queue says another place or length";
	loss->row = row;
	return NULL;
}

static unsigned int problem(const struct ledger *ledger, const struct row *row,
			    const char *what)
{
	char name[ESCAPED_MAX];

	complain("%s: %s", escape_path(ledger_path(ledger, row), name), what);
	return 1;
}

static unsigned int settle_row(struct book *book, struct ledger *ledger,
			       struct row *row)
{
	bool is_committed = row_state(row) == ROW_COMMITTED;
	unsigned int problems = 0;
	const char *what = NULL;
	uint32_t i;

	for (i = 0; i < row->tries; i++) {
		what = settle_span(book, row, &row->span[i],
				   is_committed && i == row->tries - 1);
		if (what)
			problems += problem(ledger, row, what);
	}
	if (is_committed && what) {
		row->error = -EIO;
		row_set_state(row, ROW_UNREAD);
	}
	if (row_state(row) == ROW_RESERVED)
		row_set_state(row, ROW_LOST);
	if (row_state(row) == ROW_TAKEN)
		problems += problem(ledger, row, "taken, but not read");
	return problems;
}

static unsigned int check_losses(const struct book *book)
{
	unsigned int problems = 0;
	size_t i;

	for (i = 0; i < book->nlosses; i++) {
		if (book->loss[i].row)
			continue;
		complain("reservation %" PRIu64 " is lost, and nobody has noted it",
			 book->loss[i].id);
		problems++;
	}
	return problems;
}

unsigned int book_settle(struct book *book, struct ledger *ledger)
{
	unsigned int problems = 0;
	uint64_t i, waiting = 0;

	if (book->nlandings)
		qsort(book->landing, book->nlandings, sizeof(*book->landing),
		      by_offset);
	if (book->nlosses)
		qsort(book->loss, book->nlosses, sizeof(*book->loss), by_id);
	for (i = 0; i < ledger->nrows; i++) {
		waiting += row_state(&ledger->row[i]) == ROW_WAITING;
		problems += row_state(&ledger->row[i]) == ROW_UNREAD;
		problems += settle_row(book, ledger, &ledger->row[i]);
	}
	if (waiting) {
		complain("%" PRIu64 " files were not taken by anybody", waiting);
		problems++;
	}
	return problems + check_losses(book);
}

void book_free(struct book *book)
{
	free(book->landing);
	free(book->loss);
	memset(book, 0, sizeof(*book));
}

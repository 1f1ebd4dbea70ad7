// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "manifest.h"
#include "sha256.h"

/* Return: bytes put in @out, which has room for four and a 0. */
static size_t escape_byte(unsigned char byte, char *out)
{
	if (byte == '\\')
		return sprintf(out, "\\\\");
	if (byte < 0x20 || byte == 0x7f)
		return sprintf(out, "\\x%02x", byte);
	out[0] = byte;
	return 1;
}

const char *escape_path(const char *path, char escaped[ESCAPED_MAX])
{
	size_t n = 0;

	while (*path && n + 4 < ESCAPED_MAX)
		n += escape_byte(*path++, escaped + n);
	escaped[n] = 0;
	return escaped;
}

/* Names may be longer than any buffer. */
static void print_path(FILE *file, const char *path)
{
	char out[5] = "";

	for (; *path; path++)
		fwrite(out, 1, escape_byte(*path, out), file);
	fputc('\n', file);
}

static void print_place(FILE *file, const char *state, const struct span *span)
{
	fprintf(file, "%s %" PRIu64 " %" PRIu64 " ", state, span->place,
		span->length);
}

static void print_lost(FILE *file, const struct span *span, const char *path)
{
	print_place(file, "lost", span);
	fprintf(file, "%" PRIu64 " ", span->id);
	print_path(file, path);
}

static void print_landed(FILE *file, const char *state, struct row *row,
			 const char *path)
{
	unsigned int i;

	print_place(file, state, row_span(row));
	for (i = 0; i < SHA256_SIZE; i++)
		fprintf(file, "%02x", row->sha256[i]);
	fputc(' ', file);
	print_path(file, path);
}

static void print_missing(FILE *file, const struct row *row, const char *path)
{
	fprintf(file, "missing - - %s ", row_state(row) == ROW_UNREAD ?
		strerrorname_np(-row->error) : "not-taken");
	print_path(file, path);
}

/* Is the last reservation in the output? Then it is the only one that is. */
static bool has_landed(const struct row *row)
{
	switch (row_state(row)) {
	case ROW_LANDED:
	case ROW_UNVERIFIED:
	case ROW_DAMAGED:
		return true;
	default:
		return false;
	}
}

static void print_row(FILE *file, struct row *row, const char *path)
{
	unsigned int lost = row->tries - has_landed(row);
	unsigned int i;

	for (i = 0; i < lost; i++)
		print_lost(file, &row->span[i], path);
	switch (row_state(row)) {
	case ROW_LANDED:
		print_landed(file, "file", row, path);
		break;
	case ROW_UNVERIFIED:
		print_landed(file, "unverified", row, path);
		break;
	case ROW_DAMAGED:
		print_landed(file, "damaged", row, path);
		break;
	case ROW_EMPTY:
		fputs("empty - 0 - ", file);
		print_path(file, path);
		break;
	case ROW_LOST:
		break;
	default:
		print_missing(file, row, path);
	}
}

int manifest_write(FILE *file, struct ledger *ledger)
{
	uint64_t i;

	fputs("# ingest manifest 1: STATE OFFSET LENGTH CHECK PATH\n", file);
	for (i = 0; i < ledger->nrows; i++)
		print_row(file, &ledger->row[i],
			  ledger_path(ledger, &ledger->row[i]));
	return fflush(file) || ferror(file) ? -errno : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * The manifest: where every input file is in the output. Text, lines starting
 * with # are comments, all others are
 *
 *	STATE OFFSET LENGTH CHECK PATH
 *
 * with one blank between the columns:
 *
 *	file	LENGTH bytes at OFFSET of the output; CHECK is their SHA-256
 *	empty	an empty file: it is not in the output
 *	lost	a reservation that failed; CHECK is its id. It is a hole: what is
 *		at OFFSET means nothing. If PATH has a line of another state,
 *		too, it was read again.
 *	missing	the file could not be read; CHECK says why
 *	unverified  as "file", but PATH has changed since, or is gone
 *	damaged	as "file", but that is not what is in PATH
 *
 * Columns that do not apply are "-". In PATH a backslash is \\, and bytes below
 * 0x20 and 0x7f are \xHH.
 */
#ifndef INGEST_MANIFEST_H
#define INGEST_MANIFEST_H

#include <limits.h>
#include <stdio.h>

#include "ledger.h"

#define ESCAPED_MAX	(4 * PATH_MAX + 1)

/* A path as it is in the manifest; what does not fit is cut off. */
const char *escape_path(const char *path, char escaped[ESCAPED_MAX]);

/* Return: 0 or a negative errno. */
int manifest_write(FILE *file, struct ledger *ledger);

#endif /* INGEST_MANIFEST_H */

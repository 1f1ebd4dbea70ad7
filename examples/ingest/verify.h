/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Is what is on the disk what is in the files? The only place where payload is
 * looked at by any of these programs.
 */
#ifndef INGEST_VERIFY_H
#define INGEST_VERIFY_H

#include "book.h"
#include "ledger.h"

/*
 * Reads the output back and compares the SHA-256 of every committed file with
 * what the file itself has; and all padding must be zero. Complains about
 * everything else; returns how much that was, or a negative errno.
 */
int verify(struct ledger *ledger, const struct book *book, const char *out);

#endif /* INGEST_VERIFY_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* What the coordinator prints. Nothing but output happens here. */
#ifndef INGEST_REPORT_H
#define INGEST_REPORT_H

#include "book.h"
#include "ledger.h"

/* "@verb DONE of TOTAL files@more", on a line of its own, once a second. */
void report_progress(const char *verb, uint64_t done, uint64_t total,
		     const char *more);

/* Runs "zcctl pool show @pool", if there is a zcctl. */
void report_pool(const char *pool);

void report_losses(const struct book *book, const struct ledger *ledger);
void report_work(const struct book *book, const struct ledger *ledger);

#endif /* INGEST_REPORT_H */

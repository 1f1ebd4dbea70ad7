/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* What producers and the consumer have in common. */
#ifndef INGEST_WORKER_H
#define INGEST_WORKER_H

#include <zcbuf/zcbuf.h>

#include "ledger.h"
#include "message.h"

/*
 * The coordinator starts them as
 *	ingest ROLE POOL CHANNEL INDEX LEDGER MESSAGES HOLD EXTRA
 * where the last three numbers are descriptors they inherit.
 */
enum worker_arg {
	ARG_POOL, ARG_CHANNEL, ARG_INDEX, ARG_LEDGER, ARG_MESSAGES, ARG_HOLD,
	ARG_EXTRA, NR_ARGS
};

/*
 * struct worker
 * @pool: this process's session
 * @channel: its ports
 * @ledger: shared by all
 * @tally: its own, in the ledger
 * @index: its number
 * @messages: pipe to the coordinator
 * @hold: pipe nobody writes to; it ends when the coordinator lets us go, or dies
 */
struct worker {
	struct zcbuf_pool *pool;
	struct zcbuf_channel *channel;
	struct ledger *ledger;
	struct tally *tally;
	unsigned int index;
	int messages;
	int hold;
};

/* @args: of the command line, NR_ARGS. Complains itself. */
int worker_attach(struct worker *worker, char **args, uint32_t ports);
void worker_detach(struct worker *worker);

int worker_send(struct worker *worker, const struct message *messages,
		unsigned int n);
int worker_say(struct worker *worker, enum message_kind kind, uint64_t length);

/* Sleep until the coordinator does not need us any more. */
void worker_wait(struct worker *worker);

#endif /* INGEST_WORKER_H */

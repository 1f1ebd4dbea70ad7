// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "worker.h"

#define MESSAGES_AT_ONCE	(PIPE_BUF / sizeof(struct message))

static unsigned long long number(const char *arg)
{
	return strtoull(arg, NULL, 10);
}

static int worker_attach_channel(struct worker *worker, const char *name,
				 uint64_t handle, uint32_t ports)
{
	int err;

	err = zcbuf_pool_attach(&worker->pool, name, NULL);
	if (err) {
		complain("cannot attach to pool %s: %s", name,
			 zcbuf_strerror(err));
		return err;
	}
	err = zcbuf_channel_attach(worker->pool, handle, ports, 0,
				   &worker->channel);
	if (err)
		complain("cannot attach to the channel: %s",
			 zcbuf_strerror(err));
	return err;
}

static const char *worker_name(uint32_t ports)
{
	return ports & ZCBUF_PORT_PRODUCE ? "ingest-producer" :
					    "ingest-consumer";
}

int worker_attach(struct worker *worker, char **args, uint32_t ports)
{
	int err;

	/* So that ps and zcctl say who is who. */
	prctl(PR_SET_NAME, worker_name(ports));
	memset(worker, 0, sizeof(*worker));
	worker->index = number(args[ARG_INDEX]);
	worker->messages = number(args[ARG_MESSAGES]);
	worker->hold = number(args[ARG_HOLD]);
	err = ledger_map(number(args[ARG_LEDGER]), &worker->ledger);
	if (err) {
		complain("cannot map the ledger: %s", strerror(-err));
		return err;
	}
	worker->tally = &worker->ledger->tally[worker->index];
	return worker_attach_channel(worker, args[ARG_POOL],
				     number(args[ARG_CHANNEL]), ports);
}

void worker_detach(struct worker *worker)
{
	zcbuf_channel_close(worker->channel);
	zcbuf_pool_close(worker->pool);
}

static void worker_count_calls(struct worker *worker)
{
	struct zcbuf_stats stats = { .sz = sizeof(stats) };

	if (!zcbuf_stats(&stats))
		worker->tally->zcbuf_calls = stats.ioctls;
}

int worker_send(struct worker *worker, const struct message *messages,
		unsigned int n)
{
	unsigned int some;

	worker_count_calls(worker);
	for (; n; n -= some, messages += some) {
		some = n < MESSAGES_AT_ONCE ? n : MESSAGES_AT_ONCE;
		count(&worker->tally->other_calls, 1);
		if (write(worker->messages, messages,
			  some * sizeof(*messages)) < 0)
			return -errno;
	}
	return 0;
}

int worker_say(struct worker *worker, enum message_kind kind, uint64_t length)
{
	struct message message = {
		.kind = kind,
		.from = worker->index,
		.length = length,
	};

	return worker_send(worker, &message, 1);
}

void worker_wait(struct worker *worker)
{
	char byte;

	while (read(worker->hold, &byte, 1) < 0 && errno == EINTR)
		;
}

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * A publisher: loans, writes, publishes, and tells how long the last took. A message
 * there is no room for in time is given up; the next one has its number.
 */
#include <errno.h>

#include "chat.h"

#define MAX_BATCH	16
#define LOAN_MS		100

/*
 * struct way - how one publishes
 * @name: for the table
 * @wait_ms: for room in queues; negative: without end
 * @batch: messages in one call
 * @pause: between two calls, microseconds
 * @longest: bytes of a message
 * @flags: ZCBUF_PUBLISH_F_*
 */
static const struct way {
	const char *name;
	int wait_ms;
	unsigned int batch;
	unsigned int pause;
	unsigned int longest;
	__u32 flags;
} ways[] = {
	{ "waits for ever", -1, 1, 0, 512 },
	{ "waits 5 ms", 5, 1, 0, 512 },
	{ "never waits", 0, 1, 200, 256 },
	{ "16 at once", 20, 16, 1000, 256 },
	{ "large ones", 20, 1, 1000, 16384 },
	{ "needs somebody", 20, 1, 300, 512, ZCBUF_PUBLISH_F_NEED_CONSUMER },
	{ "seldom", -1, 1, 10000, 1024 },
	{ "4 at once", 0, 4, 500, 64 },
};

#define WAYS	(sizeof(ways) / sizeof(ways[0]))

/*
 * struct publisher - the same, at work
 * @number: messages published so far
 */
struct publisher {
	const struct way *way;
	struct member *m;
	struct zcbuf_pool *pool;
	struct zcbuf_publisher *port;
	__u64 number;
	__u64 random;
};

const char *publisher_way(unsigned int nr)
{
	return ways[nr % WAYS].name;
}

static void write_message(const struct publisher *p, struct zcbuf_buf *loan,
			  __u64 number)
{
	struct message *m = loan->data;
	__u64 word, i;

	m->publisher = zcbuf_pool_session(p->pool);
	m->number = number;
	m->length = loan->length;
	word = first_word(m);
	for (i = 0; i < (loan->length - sizeof(*m)) / sizeof(word); i++) {
		word = next_word(word);
		m->text[i] = word;
	}
}

/* All of one length, whole words. */
static int loan_some(struct publisher *p, struct zcbuf_buf *loans)
{
	size_t length = sizeof(struct message) +
			next_random(&p->random) %
				(p->way->longest - sizeof(struct message));

	return zcbuf_publisher_loan_batch(p->port, length & ~(size_t)7,
					  zcbuf_deadline_ms(LOAN_MS), loans,
					  p->way->batch);
}

static bool is_refusal(int err)
{
	return err == -EAGAIN || err == -ETIMEDOUT || err == -EPIPE;
}

/* How many of them; the time it took counts, and so does what was in vain. */
static int publish_some(struct publisher *p, struct zcbuf_buf *loans, int n)
{
	struct zcbuf_publication entries[MAX_BATCH] = { 0 };
	__u64 start;
	int done, i;

	for (i = 0; i < n; i++) {
		write_message(p, &loans[i], p->number + i);
		entries[i].priority = next_random(&p->random) % PRIORITIES;
	}
	start = now_ns();
	done = zcbuf_publisher_publish_batch(p->port, loans, entries, n,
					     p->way->flags,
					     zcbuf_deadline_ms(p->way->wait_ms));
	if (is_refusal(done))
		return 0;
	must(done, "publish");
	table_count(p->m, now_ns() - start);
	for (i = 0; i < done; i++)
		p->m->wrong += entries[i].out_seq != p->number + i;
	return done;
}

static void speak(struct publisher *p)
{
	struct zcbuf_buf loans[MAX_BATCH];
	int n = loan_some(p, loans);
	int done, i;

	if (n == -ETIMEDOUT) {
		p->m->lost++;
		return;
	}
	must(n, "a loan");
	done = publish_some(p, loans, n);
	p->number += done;
	p->m->messages += done;
	p->m->lost += n - done;
	for (i = done; i < n; i++)
		must(zcbuf_publisher_return(p->port, &loans[i]), "return");
}

void publisher_run(struct chat *chat, struct member *m, __u64 random)
{
	const struct zcbuf_publisher_opts opts = {
		.sz = sizeof(opts), .history = HISTORY,
	};
	struct publisher p = {
		.way = &ways[m->nr % WAYS], .m = m, .random = random,
	};

	must(zcbuf_pool_attach(&p.pool, chat->pool, NULL), "attach");
	must(zcbuf_publisher_open(p.pool, &topic, &opts, &p.port), "publisher");
	while (atomic_load(&chat->over) == NOBODY) {
		speak(&p);
		pause_us(p.way->pause);
	}
	zcbuf_publisher_close(p.port);
	zcbuf_pool_close(p.pool);
}

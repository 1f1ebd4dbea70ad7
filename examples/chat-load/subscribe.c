// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * A subscriber: takes, checks each byte, releases. Of each publisher it knows what
 * came: nothing twice and nothing late in a lane, and what is missing between the
 * first and the last was lost for want of room, of which a subscriber that has
 * publishers wait has none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "chat.h"

#define MAX_BATCH	16
#define LOOK_UP_MS	50	/* whether it is over */

/*
 * struct way - how one subscribes
 * @name: for the table
 * @pause: after each batch, microseconds
 * The rest is of struct zcbuf_subscriber_opts.
 */
static const struct way {
	const char *name;
	__u32 policy;
	__u32 depth;
	__u32 lanes;
	__u32 replay;
	__u32 max_held;
	unsigned int pause;
} ways[] = {
	{ "block 256", ZCBUF_POLICY_BLOCK, 256, 1, 0, 64, 0 },
	{ "block 64, lanes", ZCBUF_POLICY_BLOCK, 64, 4, 16, 64, 0 },
	{ "block 16", ZCBUF_POLICY_BLOCK, 16, 1, HISTORY, 4, 0 },
	{ "newest 64", ZCBUF_POLICY_DROP_NEWEST, 64, 1, 0, 64, 500 },
	{ "newest 16, lanes", ZCBUF_POLICY_DROP_NEWEST, 16, 2, 8, 16, 2000 },
	{ "oldest 8", ZCBUF_POLICY_DROP_OLDEST, 8, 1, 0, 1, 0 },
	{ "oldest 128, lanes", ZCBUF_POLICY_DROP_OLDEST, 128, 4, 32, 64, 1000 },
	{ "oldest 1024, slow", ZCBUF_POLICY_DROP_OLDEST, 1024, 1, 0, 2, 20000 },
};

#define WAYS	(sizeof(ways) / sizeof(ways[0]))

/*
 * struct heard - what came of one publisher
 * @id: of its session
 * @first: the lowest number of all
 * @next: one more than the highest
 * @count: messages
 * @next_of: by lane, one more than the last
 */
struct heard {
	__u64 id;
	__u64 first;
	__u64 next;
	__u64 count;
	__u64 next_of[ZCBUF_MAX_LANES];
};

/*
 * struct subscriber - one at work
 * @lost: as last counted
 * @heard: @nheard of them, the latest last
 */
struct subscriber {
	const struct way *way;
	struct member *m;
	struct zcbuf_subscriber *port;
	__u64 lost;
	struct heard *heard;
	size_t nheard;
};

const char *subscriber_way(unsigned int nr)
{
	return ways[nr % WAYS].name;
}

static void wrong(struct subscriber *s, const struct zcbuf_delivery *d,
		  const char *what)
{
	s->m->wrong++;
	fprintf(stderr, "chat-load: subscriber %u (%s): number %llu of %llu: %s\n",
		s->m->nr, s->way->name, (unsigned long long)d->seq,
		(unsigned long long)d->publisher, what);
}

/* Most messages are of those that came last: the dead say nothing. */
static struct heard *heard_of(struct subscriber *s,
			      const struct zcbuf_delivery *d)
{
	size_t i = s->nheard;
	struct heard *more;

	while (i--)
		if (s->heard[i].id == d->publisher)
			return &s->heard[i];
	more = realloc(s->heard, (s->nheard + 1) * sizeof(*more));
	if (!more)
		die(-ENOMEM, "memory");
	s->heard = more;
	s->heard[s->nheard] = (struct heard){
		.id = d->publisher, .first = d->seq, .next = d->seq,
	};
	return &s->heard[s->nheard++];
}

static void check_order(struct subscriber *s, const struct zcbuf_delivery *d)
{
	struct heard *h = heard_of(s, d);
	__u32 lane = d->priority < s->way->lanes ? d->priority :
						   s->way->lanes - 1;

	if (d->seq < h->next_of[lane])
		wrong(s, d, "it came before, or too late");
	h->next_of[lane] = d->seq + 1;
	if (d->seq < h->first)
		h->first = d->seq;
	if (d->seq >= h->next)
		h->next = d->seq + 1;
	h->count++;
}

static bool is_whole(const struct zcbuf_sample *sample)
{
	const struct message *m = sample->data;
	__u64 word, i;

	if (!m || sample->length < sizeof(*m) || m->length != sample->length ||
	    m->publisher != sample->delivery.publisher ||
	    m->number != sample->delivery.seq)
		return false;
	word = first_word(m);
	for (i = 0; i < (m->length - sizeof(*m)) / sizeof(word); i++) {
		word = next_word(word);
		if (m->text[i] != word)
			return false;
	}
	return true;
}

/* Nothing is on its way: what is missing will not come. */
static void check_missing(struct subscriber *s)
{
	const struct zcbuf_delivery nobody = { 0 };
	__u64 missing = 0;
	size_t i;

	for (i = 0; i < s->nheard; i++)
		missing += s->heard[i].next - s->heard[i].first -
			   s->heard[i].count;
	if (missing > s->lost)
		wrong(s, &nobody, "some are missing that were not lost");
	if (s->lost && s->way->policy == ZCBUF_POLICY_BLOCK)
		wrong(s, &nobody, "some were lost, and publishers wait for it");
}

static void listen_to(struct subscriber *s, struct zcbuf_sample *samples, int n)
{
	__u64 now = now_ns(), lost;
	int i;

	for (i = 0; i < n; i++) {
		table_count(s->m, now - samples[i].delivery.time_ns);
		check_order(s, &samples[i].delivery);
		if (!is_whole(&samples[i]))
			wrong(s, &samples[i].delivery, "it is another one");
	}
	s->m->messages += n;
	lost = zcbuf_subscriber_lost(s->port);
	s->m->lost += lost - s->lost;
	s->lost = lost;
	if (must(zcbuf_subscriber_release(s->port, samples, n), "release") != n)
		s->m->wrong++;
}

/* Until there is nothing, when it is over: that is asked first. */
static void listen_until_over(struct chat *chat, struct subscriber *s)
{
	struct zcbuf_sample samples[MAX_BATCH];
	bool over;
	int n;

	for (;;) {
		over = atomic_load(&chat->over) == ALL;
		n = zcbuf_subscriber_take(s->port, samples, MAX_BATCH,
					  over ? 0 :
						 zcbuf_deadline_ms(LOOK_UP_MS));
		if (n == -EAGAIN && over)
			break;
		if (n == -ETIMEDOUT)
			continue;
		listen_to(s, samples, must(n, "take"));
		pause_us(over ? 0 : s->way->pause);
	}
	check_missing(s);
}

void subscriber_run(struct chat *chat, struct member *m, __u64 random)
{
	const struct way *way = &ways[m->nr % WAYS];
	const struct zcbuf_subscriber_opts opts = {
		.sz = sizeof(opts), .history = HISTORY, .depth = way->depth,
		.policy = way->policy, .max_held = way->max_held,
		.lanes = way->lanes, .replay = way->replay,
	};
	const struct zcbuf_attach_opts read_only = {
		.sz = sizeof(read_only),
		.rights = ZCBUF_RIGHT_MAP_READ | ZCBUF_RIGHT_CONSUME,
	};
	struct subscriber s = { .way = way, .m = m };
	struct zcbuf_pool *pool;

	must(zcbuf_pool_attach(&pool, chat->pool,
			       random % 2 ? &read_only : NULL),
	     "attach");
	must(zcbuf_subscriber_open(pool, &topic, &opts, &s.port), "subscriber");
	listen_until_over(chat, &s);
	zcbuf_subscriber_close(s.port);
	zcbuf_pool_close(pool);
	free(s.heard);
}

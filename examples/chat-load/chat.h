/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * chat-load: publishers and subscribers, each a process, on one topic, while they
 * are killed and replaced at random. Every policy and limit of subscribers is there,
 * and publishers that wait for ever, for a while, or not at all.
 *
 *	main.c		the command line, and the end: is everything back?
 *	crew.c		processes that are started, killed, and started again
 *	publish.c	what a publisher does
 *	subscribe.c	what a subscriber does, and what it expects
 *	table.c		rates, losses and latencies
 *
 * What they count is in memory they share, and so survives who counts it. The pool
 * is another matter: each process has its own session there, and what that had is
 * gone with it.
 */
#ifndef CHAT_H
#define CHAT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include <zcbuf/zcbuf.h>

#define MAX_OF_A_ROLE	64
#define HISTORY		32	/* messages the topic keeps for who comes later */
#define PRIORITIES	4
#define BUCKETS		496	/* of times, each an eighth of a power of two */

enum role { PUBLISHER, SUBSCRIBER };

/* Who is to come to an end: in this order. */
enum over { NOBODY, PUBLISHERS, ALL };

/*
 * struct member - one place in the crew
 * @role: what is done there
 * @nr: among those of its role, from 0
 * @pid: who has it; 0: nobody
 * @lives: how many have had it
 * @messages: published, or taken
 * @lost: messages that were not published for want of room, or that came to
 *	nothing in a queue that was full
 * @wrong: what must not be, whatever happens
 * @times: by bucket, how often PUBLISH took so long, or a message was so old
 */
struct member {
	enum role role;
	unsigned int nr;
	pid_t pid;
	unsigned int lives;
	atomic_ullong messages;
	atomic_ullong lost;
	atomic_ullong wrong;
	atomic_ullong times[BUCKETS];
};

/*
 * struct chat - what all processes know
 * @pool: its name
 * @seed: of all that is random
 * @kills: so far
 * @count: members
 * @over: enum over
 * @members: publishers first
 */
struct chat {
	char pool[ZCBUF_MAX_NAME];
	__u64 seed;
	unsigned int kills;
	unsigned int count;
	atomic_int over;
	struct member members[2 * MAX_OF_A_ROLE];
};

/*
 * struct message - what is published: each word of the text follows from the rest
 * @publisher: its session
 * @number: messages it had published before
 * @length: bytes of all of it
 */
struct message {
	__u64 publisher;
	__u64 number;
	__u64 length;
	__u64 text[];
};

static __inline__ __u64 next_random(__u64 *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return *state >> 33;
}

/* The text of a message: how it begins, and how it goes on. */
static __inline__ __u64 first_word(const struct message *m)
{
	return (m->publisher << 40) ^ (m->length << 52) ^ m->number;
}

static __inline__ __u64 next_word(__u64 word)
{
	return word * 6364136223846793005ULL + 1442695040888963407ULL;
}

extern const struct zcbuf_name topic;

/* main.c: for what cannot go wrong: an error ends the process. */
_Noreturn void die(int error, const char *what);
int must(int result, const char *what);
__u64 now_ns(void);
void pause_us(unsigned int us);

/* crew.c: each returns false if somebody ended who should not have. */
bool crew_start(struct chat *chat);
bool crew_kill_one(struct chat *chat, __u64 *random);
bool crew_look(struct chat *chat);
bool crew_await(struct chat *chat, enum role role, int seconds);

/* publish.c, subscribe.c: in a process of their own. */
const char *publisher_way(unsigned int nr);
const char *subscriber_way(unsigned int nr);
void publisher_run(struct chat *chat, struct member *m, __u64 random);
void subscriber_run(struct chat *chat, struct member *m, __u64 random);

/* table.c */
void table_count(struct member *m, __u64 ns);
void table_begin(const struct chat *chat, bool is_live);
void table_show(const struct chat *chat, bool is_live);
void table_end(const struct chat *chat);

#endif /* CHAT_H */

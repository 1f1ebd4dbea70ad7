// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* The command line of chat-load, and the course of events. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "chat.h"

#define ARENA		(8 << 20)
#define KILL_US		100000	/* on average between two deaths, microseconds */
#define PATIENCE	60	/* seconds, for what comes to an end */

static const char usage_text[] =
"usage: chat-load [OPTION]...\n"
"\n"
"Publishers and subscribers on one topic, each a process of its own, with all\n"
"policies that there are; ten of them a second are killed and replaced. Shown are,\n"
"of each, rates, losses and latencies. Each byte of each message is checked, and\n"
"that nothing comes twice, late, or not at all but for want of room.\n"
"\n"
"  -t SECONDS  how long (default 60)\n"
"  -s SEED     of what is random (default: another one each time)\n"
"  -p N        publishers (default 8, at most 64)\n"
"  -c N        subscribers (default 8, at most 64)\n"
"  -h          this text\n"
"\n"
"The last line is \"chat-load: OK ...\", and the exit status is 0, if all was as it\n"
"should be and no memory is left in use. Otherwise the exit status is 1, or 2 if the\n"
"command line was wrong.\n";

const struct zcbuf_name topic = {
	.service = "chat",
	.instance = "load",
	.event = "message",
};

struct options {
	__u64 seconds;
	__u64 seed;
	__u64 publishers;
	__u64 subscribers;
};

static volatile sig_atomic_t interrupted;

static void interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

void die(int error, const char *what)
{
	fprintf(stderr, "chat-load: %s: %s\n", what, zcbuf_strerror(error));
	exit(EXIT_FAILURE);
}

int must(int result, const char *what)
{
	if (result < 0)
		die(result, what);
	return result;
}

__u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

void pause_us(unsigned int us)
{
	const struct timespec t = {
		.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000,
	};

	if (us)
		nanosleep(&t, NULL);
}

static struct chat *chat_make(const struct options *options)
{
	struct chat *chat = mmap(NULL, sizeof(*chat), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned int i;

	must(chat == MAP_FAILED ? -errno : 0, "memory");
	snprintf(chat->pool, sizeof(chat->pool), "example-chat-load-%d",
		 (int)getpid());
	chat->seed = options->seed;
	chat->count = options->publishers + options->subscribers;
	for (i = 0; i < chat->count; i++) {
		chat->members[i].role = i < options->publishers ? PUBLISHER :
								  SUBSCRIBER;
		chat->members[i].nr = i < options->publishers ?
					      i : i - options->publishers;
	}
	return chat;
}

/* Deaths at random, a look at the table each second. */
static bool chat_run(struct chat *chat, __u64 seconds)
{
	bool is_live = isatty(STDOUT_FILENO);
	__u64 end, shown, random = chat->seed;
	bool good = crew_start(chat);

	table_begin(chat, is_live);
	shown = now_ns();
	end = shown + seconds * 1000000000;
	while (good && now_ns() < end && !interrupted) {
		pause_us(next_random(&random) % (2 * KILL_US));
		good = crew_look(chat) && crew_kill_one(chat, &random);
		if (now_ns() - shown < 1000000000)
			continue;
		shown += 1000000000;
		table_show(chat, is_live);
	}
	return good;
}

/* Publishers first: so subscribers can have all there is. */
static bool chat_end(struct chat *chat)
{
	bool good;

	atomic_store(&chat->over, PUBLISHERS);
	good = crew_await(chat, PUBLISHER, PATIENCE);
	atomic_store(&chat->over, ALL);
	return crew_await(chat, SUBSCRIBER, PATIENCE) && good;
}

/* What the dead had is back as soon as nothing can still write to it: bytes left. */
static __u64 left_in(const struct zcbuf_pool *pool)
{
	__u64 deadline = now_ns() + PATIENCE * 1000000000ULL;
	struct zcbuf_pool_info info = { .size = sizeof(info) };

	for (;;) {
		must(zcbuf_pool_info(pool, &info), "pool info");
		if (!info.out_used && !info.out_channels &&
		    info.out_sessions == 1)
			return 0;
		if (now_ns() > deadline)
			break;
		pause_us(5000);
	}
	fprintf(stderr, "chat-load: left: %llu bytes, %u channels, %u sessions\n",
		(unsigned long long)info.out_used, info.out_channels,
		info.out_sessions - 1);
	return info.out_used ? info.out_used : 1;
}

static bool report(const struct chat *chat, bool good, __u64 used)
{
	__u64 messages[2] = { 0 }, lost[2] = { 0 }, wrong = 0;
	const struct member *m;
	unsigned int i;

	for (i = 0; i < chat->count; i++) {
		m = &chat->members[i];
		messages[m->role] += m->messages;
		lost[m->role] += m->lost;
		wrong += m->wrong;
	}
	good = good && !wrong && !used && messages[SUBSCRIBER];
	table_end(chat);
	printf("chat-load: %s seed=%llu published=%llu refused=%llu taken=%llu "
	       "lost=%llu killed=%u wrong=%llu used=%llu\n",
	       good ? "OK" : "FAILED", (unsigned long long)chat->seed,
	       (unsigned long long)messages[PUBLISHER],
	       (unsigned long long)lost[PUBLISHER],
	       (unsigned long long)messages[SUBSCRIBER],
	       (unsigned long long)lost[SUBSCRIBER], chat->kills,
	       (unsigned long long)wrong, (unsigned long long)used);
	return good;
}

static int chat_load(const struct options *options)
{
	struct chat *chat = chat_make(options);
	const struct zcbuf_pool_opts opts = {
		.sz = sizeof(opts), .name = chat->pool,
		.kind = ZCBUF_POOL_TIERS, .arena_size = ARENA,
	};
	struct zcbuf_pool *pool;
	bool good;

	must(zcbuf_pool_create(&pool, &opts), "pool");
	good = chat_run(chat, options->seconds);
	good = chat_end(chat) && good;
	good = report(chat, good, left_in(pool));
	zcbuf_pool_close(pool);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static bool read_number(const char *text, __u64 least, __u64 most,
			__u64 *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return !errno && *text >= '0' && *text <= '9' && !*end &&
	       *number >= least && *number <= most;
}

static bool read_option(struct options *options, int option)
{
	switch (option) {
	case 't':
		return read_number(optarg, 1, 1000000, &options->seconds);
	case 's':
		return read_number(optarg, 0, ~0ULL, &options->seed);
	case 'p':
		return read_number(optarg, 1, MAX_OF_A_ROLE,
				   &options->publishers);
	case 'c':
		return read_number(optarg, 1, MAX_OF_A_ROLE,
				   &options->subscribers);
	default:
		return false;
	}
}

int main(int argc, char **argv)
{
	struct options options = {
		.seconds = 60, .seed = now_ns(), .publishers = 8,
		.subscribers = 8,
	};
	int option;

	while ((option = getopt(argc, argv, "t:s:p:c:h")) >= 0) {
		if (option == 'h') {
			fputs(usage_text, stdout);
			return EXIT_SUCCESS;
		}
		if (!read_option(&options, option))
			break;
	}
	if (option >= 0 || optind < argc) {
		fputs(usage_text, stderr);
		return 2;
	}
	signal(SIGINT, interrupt);
	return chat_load(&options);
}

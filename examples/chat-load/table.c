// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What is shown: a table that is written over again each second, or a line for each
 * if nobody looks; in the end the same of the whole time.
 */
#include <stdio.h>
#include <string.h>

#include "chat.h"

/*
 * struct sums - what was counted, since the beginning or since the last line
 */
struct sums {
	__u64 messages;
	__u64 lost;
	__u64 times[BUCKETS];
};

static struct {
	__u64 began_ns;
	__u64 shown_ns;
	struct sums shown[2 * MAX_OF_A_ROLE];
} table;

static unsigned int bucket_of(__u64 ns)
{
	unsigned int log;

	if (ns < 8)
		return ns;
	log = 63 - __builtin_clzll(ns);
	return (log - 2) * 8 + (ns >> (log - 3) & 7);
}

/* The longest time that counts there. */
static __u64 bucket_end(unsigned int bucket)
{
	if (bucket < 8)
		return bucket;
	return ((9ULL + bucket % 8) << (bucket / 8 - 1)) - 1;
}

void table_count(struct member *m, __u64 ns)
{
	m->times[bucket_of(ns)]++;
}

static struct sums sums_of(const struct member *m)
{
	struct sums s = {
		.messages = m->messages, .lost = m->lost,
	};
	unsigned int i;

	for (i = 0; i < BUCKETS; i++)
		s.times[i] = m->times[i];
	return s;
}

static void add(struct sums *to, const struct sums *from, int sign)
{
	unsigned int i;

	to->messages += sign * from->messages;
	to->lost += sign * from->lost;
	for (i = 0; i < BUCKETS; i++)
		to->times[i] += sign * from->times[i];
}

/* So long that no more than @thousandth of them took longer. */
static __u64 quantile(const struct sums *s, unsigned int thousandth)
{
	__u64 all = 0, left;
	unsigned int i;

	for (i = 0; i < BUCKETS; i++)
		all += s->times[i];
	if (!all)
		return 0;
	left = all * thousandth / 1000;
	for (i = BUCKETS; i-- && s->times[i] <= left;)
		left -= s->times[i];
	return bucket_end(i);
}

static const char *time_text(__u64 ns, char *text, size_t size)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	double n = ns;
	int unit = 0;

	for (; n >= 1000 && unit < 3; unit++)
		n /= 1000;
	snprintf(text, size, unit && n < 100 ? "%.1f %s" : "%.0f %s", n,
		 units[unit]);
	return text;
}

static void print_times(const struct sums *s)
{
	static const unsigned int longer[] = { 500, 10, 0 };
	unsigned int i;
	char text[16];

	for (i = 0; i < 3; i++)
		printf(" %8s", time_text(quantile(s, longer[i]), text,
					 sizeof(text)));
}

static void print_row(const struct member *m, const struct sums *s,
		      double seconds)
{
	printf("%s %2u %-17s %4u %9.0f %8.0f",
	       m->role == PUBLISHER ? "pub" : "sub", m->nr,
	       m->role == PUBLISHER ? publisher_way(m->nr) :
				      subscriber_way(m->nr),
	       m->lives, s->messages / seconds, s->lost / seconds);
	print_times(s);
	putchar('\n');
}

static void print_head(void)
{
	printf("%-24s %4s %9s %8s %8s %8s %8s\n", "", "life", "per s", "lost/s",
	       "p50", "p99", "max");
}

static void print_line(const struct chat *chat, const struct sums *roles,
		       double seconds)
{
	printf("%4.0f s: %u killed, %.0f published/s, %.0f taken/s",
	       (table.shown_ns - table.began_ns) / 1e9, chat->kills,
	       roles[PUBLISHER].messages / seconds,
	       roles[SUBSCRIBER].messages / seconds);
}

/* What the table would have told. */
static void print_more(const struct sums *roles, double seconds)
{
	printf(", %.0f refused/s, %.0f lost/s;",
	       roles[PUBLISHER].lost / seconds,
	       roles[SUBSCRIBER].lost / seconds);
	print_times(&roles[SUBSCRIBER]);
}

/* Of the time since it was shown last. */
static void show(const struct chat *chat, bool is_live, double seconds)
{
	struct sums roles[2] = { 0 }, now, part;
	const struct member *m;
	unsigned int i;

	if (is_live)
		print_head();
	for (i = 0; i < chat->count; i++) {
		m = &chat->members[i];
		now = sums_of(m);
		part = now;
		add(&part, &table.shown[i], -1);
		table.shown[i] = now;
		add(&roles[m->role], &part, 1);
		if (is_live)
			print_row(m, &part, seconds);
	}
	print_line(chat, roles, seconds);
	if (is_live)
		printf("\033[K");	/* what may have stood there */
	else
		print_more(roles, seconds);
	putchar('\n');
	fflush(stdout);
}

void table_begin(const struct chat *chat, bool is_live)
{
	table.began_ns = now_ns();
	table.shown_ns = table.began_ns;
	if (is_live)
		show(chat, true, 1);
}

void table_show(const struct chat *chat, bool is_live)
{
	__u64 now = now_ns();
	double seconds = (now - table.shown_ns) / 1e9;

	table.shown_ns = now;
	if (is_live)
		printf("\033[%uA", chat->count + 2);
	show(chat, is_live, seconds);
}

void table_end(const struct chat *chat)
{
	double seconds = (now_ns() - table.began_ns) / 1e9;
	struct sums sums;
	unsigned int i;

	puts("\nFrom beginning to end. Of publishers: lost is what they gave up, and"
	     "\ntimes are how long PUBLISH took, not how old a message was.");
	print_head();
	for (i = 0; i < chat->count; i++) {
		sums = sums_of(&chat->members[i]);
		print_row(&chat->members[i], &sums, seconds);
	}
}

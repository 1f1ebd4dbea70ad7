// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * radar subscribe [SAMPLES]: wait for so many samples of a radar (16), and say what
 * came and how old it was.
 * radar publish [SAMPLES [MS]]: be the radar, with a sample every MS milliseconds (50).
 *
 * Two programs that know nothing of each other but names: of the pool, and of the
 * topic. The subscriber comes first and makes both; the publisher waits for the topic.
 * A sample is written once, where the subscriber reads it. Each ends with status 1 if
 * anything was lost or in the wrong order, and whatever kills one of them, nothing is
 * left behind: try it.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <zcbuf/zcbuf.h>

#define SAMPLE	144
#define SECOND	1000	/* milliseconds */
#define POOL	"example-radar"

static const struct zcbuf_name point_cloud = {
	.service = "RadarService",
	.instance = "Front",
	.event = "PointCloud",
};

/* For what cannot go wrong on a healthy system; returns what is not an error. */
static int must(int result, const char *what)
{
	if (result >= 0)
		return result;
	fprintf(stderr, "radar: %s: %s\n", what, zcbuf_strerror(result));
	exit(EXIT_FAILURE);
}

/* Whoever comes first makes it; it is there as long as anybody has it. */
static struct zcbuf_pool *meet(void)
{
	const struct zcbuf_pool_opts opts = {
		.sz = sizeof(opts), .name = POOL, .kind = ZCBUF_POOL_TIERS,
		.arena_size = 2 << 20,
	};
	struct zcbuf_pool *pool;
	int err = zcbuf_pool_create(&pool, &opts);

	if (err == -EEXIST)
		err = zcbuf_pool_attach(&pool, POOL, NULL);
	must(err, "pool " POOL);
	return pool;
}

static double ms_since(__u64 ns)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6 - ns / 1e6;
}

/* Is it the one that follows? */
static bool in_order(const struct zcbuf_sample *sample, __u64 n)
{
	char expected[32];

	snprintf(expected, sizeof(expected), "seq=%llu", (unsigned long long)n);
	return sample->delivery.seq == n && sample->length == SAMPLE &&
	       !strcmp(sample->data, expected);
}

static int subscribe(__u64 samples)
{
	struct zcbuf_subscriber *subscriber;
	struct zcbuf_pool *pool = meet();
	struct zcbuf_sample sample;
	__u64 wrong = 0;
	__u64 n;

	must(zcbuf_subscriber_open(pool, &point_cloud, NULL, &subscriber),
	     "subscriber");
	for (n = 0; n < samples; n++) {
		must(zcbuf_subscriber_take(subscriber, &sample, 1,
					   zcbuf_deadline_ms(60 * SECOND)),
		     "take");
		wrong += !in_order(&sample, n);
		printf("%.*s from %llu, %.2f ms ago\n", (int)sample.length,
		       (const char *)sample.data,
		       (unsigned long long)sample.delivery.publisher,
		       ms_since(sample.delivery.time_ns));
		must(zcbuf_subscriber_release(subscriber, &sample, 1),
		     "release");
	}
	printf("radar: %llu samples, %llu lost, %llu wrong\n",
	       (unsigned long long)n,
	       (unsigned long long)zcbuf_subscriber_lost(subscriber),
	       (unsigned long long)wrong);
	zcbuf_subscriber_close(subscriber);
	zcbuf_pool_close(pool);
	return wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void publish_one(struct zcbuf_publisher *publisher, __u64 n)
{
	struct zcbuf_publication how = {};
	struct zcbuf_buf loan;

	must(zcbuf_publisher_loan(publisher, SAMPLE,
				  zcbuf_deadline_ms(SECOND), &loan),
	     "a loan");
	memset(loan.data, 0, SAMPLE);
	snprintf(loan.data, SAMPLE, "seq=%llu", (unsigned long long)n);
	must(zcbuf_publisher_publish(publisher, &loan, SAMPLE, &how, 0,
				     zcbuf_deadline_ms(10 * SECOND)),
	     "publish");
}

static int publish(__u64 samples, long ms)
{
	const struct zcbuf_publisher_opts opts = {
		.sz = sizeof(opts),
		.flags = ZCBUF_CHANNEL_F_EXISTING,
		.deadline_ns = zcbuf_deadline_ms(10 * SECOND),
	};
	const struct timespec period = {
		.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000,
	};
	struct zcbuf_publisher *publisher;
	struct zcbuf_pool *pool = meet();
	__u64 n;

	must(zcbuf_publisher_open(pool, &point_cloud, &opts, &publisher),
	     "publisher");
	for (n = 0; n < samples; n++) {
		if (n)
			nanosleep(&period, NULL);
		publish_one(publisher, n);
	}
	zcbuf_publisher_close(publisher);
	zcbuf_pool_close(pool);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	const char *role = argc > 1 ? argv[1] : "";
	__u64 samples = argc > 2 ? strtoull(argv[2], NULL, 0) : 16;

	if (!strcmp(role, "subscribe"))
		return subscribe(samples);
	if (!strcmp(role, "publish"))
		return publish(samples, argc > 3 ? atol(argv[3]) : 50);
	fputs("usage: radar subscribe [SAMPLES] | publish [SAMPLES [MS]]\n",
	      stderr);
	return 2;
}

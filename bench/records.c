// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * records: records of one producer, through to a consumer, who reads the first word
 * of each. One thread is both, so that nothing but the work is counted.
 *
 * All of them gather GROUP bytes, or FEW records that are made one by one, hand those
 * over at once, and write the same records: the producer has each in its own memory and copies it to where it goes.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <zcbuf/records.h>

#include "harness/bench.h"

#define GROUP	(64U << 10)
#define FEW	64U		/* records in a group that are made one by one */

static unsigned char source[1024];
static size_t record;

static void fill(unsigned char *to)
{
	memcpy(to, source, record);
}

/* The consumer's part, the same for all. */
static void read_records(const unsigned char *from, size_t length)
{
	size_t at;

	for (at = 0; at < length; at += record)
		BENCH_USE(*(const __u64 *)(from + at));
}

/* ------------------------------------------------------------------- zcbuf */

struct stream {
	struct zcbuf_pool *pool;
	struct zcbuf_channel *channel;
	struct zcbuf_writer writer;
	struct zcbuf_appender *appender;
	unsigned long count;
};

static void consume(struct stream *s)
{
	struct zcbuf_delivery d;
	unsigned int i;

	if (zcbuf_receive(s->channel, &d, 1, 0) != 1)
		bench_ok(-EAGAIN, "receive");
	for (i = 0; i < d.nextents; i++)
		read_records(zcbuf_pool_addr(s->pool,
					     d.extents[i].pool_offset),
			     d.extents[i].length);
	zcbuf_release(s->channel, &d.handle, 1);
}

/* A window that is full is a group, of which there is one when the next has begun. */
static void run_window(void *ctx, unsigned long n)
{
	struct stream *s = ctx;
	void *to;

	while (n--) {
		bench_ok(zcbuf_appender_reserve(s->appender, record, 0, &to),
			 "reserve");
		fill(to);
		zcbuf_appender_commit(s->appender, record);
		if (s->appender->nrecords == 1 && s->count)
			consume(s);
		s->count++;
	}
}

/* Each record is a reservation, and costs a call. */
static void run_exact(void *ctx, unsigned long n)
{
	struct stream *s = ctx;
	struct zcbuf_writer *w = &s->writer;

	while (n--) {
		fill(w->data);
		zcbuf_writer_placed(w, record);
		if (zcbuf_writer_turn(w, record, 0, 0) != 1)
			bench_ok(-EAGAIN, "turn");
		if (!w->offset || w->offset % (FEW * record))
			continue;
		consume(s);
	}
}

static void stream_open(struct stream *s, __u64 threshold)
{
	const struct zcbuf_channel_opts opts = {
		.sz = sizeof(opts),
		.threshold = threshold,
		.ports = ZCBUF_PORT_PRODUCE | ZCBUF_PORT_CONSUME,
	};

	memset(s, 0, sizeof(*s));
	bench_ok(zcbuf_pool_create(&s->pool, NULL), "pool");
	bench_ok(zcbuf_channel_create(s->pool, &opts, &s->channel), "channel");
}

static void stream_close(struct stream *s)
{
	zcbuf_appender_close(s->appender);
	zcbuf_writer_drop(&s->writer);
	zcbuf_channel_close(s->channel);
	zcbuf_pool_close(s->pool);
}

/* ------------------------------------------------------------ log and mutex */

/*
 * struct log - groups of one process behind a mutex
 * @lock: of all
 * @group: two, of which one is filled
 * @used: bytes of that
 * @which: it
 */
struct log {
	pthread_mutex_t lock;
	unsigned char *group[2];
	size_t used;
	unsigned int which;
};

static bool append(struct log *log)
{
	bool full;

	pthread_mutex_lock(&log->lock);
	fill(log->group[log->which] + log->used);
	log->used += record;
	full = log->used == GROUP;
	if (full) {
		log->used = 0;
		log->which ^= 1;
	}
	pthread_mutex_unlock(&log->lock);
	return full;
}

static void run_log(void *ctx, unsigned long n)
{
	struct log *log = ctx;

	while (n--)
		if (append(log))
			read_records(log->group[log->which ^ 1], GROUP);
}

/* ------------------------------------------------------------------------- */

static void measure(size_t length, struct log *log)
{
	struct bench_op op = {
		.area = "records", .variant = bench_size(length),
		.least = GROUP / length,
	};
	const struct zcbuf_appender_opts opts = {
		.sz = sizeof(opts), .window = GROUP,
	};
	struct stream s;

	record = length;
	op.who = "zcbuf";
	op.ctx = &s;
	stream_open(&s, ZCBUF_THRESHOLD_EACH);
	bench_ok(zcbuf_appender_open(s.channel, &opts, &s.appender),
		 "appender");
	op.op = "in a window";
	op.run = run_window;
	bench(&op);
	stream_close(&s);
	stream_open(&s, FEW * length);
	bench_ok(zcbuf_writer_reserve(s.channel, length, 0, 0, &s.writer),
		 "reserve");
	op.op = "one by one";
	op.run = run_exact;
	op.least = FEW;
	bench(&op);
	stream_close(&s);
	op.who = "mutex and memcpy";
	op.ctx = log;
	op.run = run_log;
	op.least = GROUP / length;
	log->used = 0;
	bench(&op);
	op.op = "in a window";
	bench(&op);
}

int main(void)
{
	struct log log = {
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.group = { malloc(GROUP), malloc(GROUP) },
	};

	if (!log.group[0] || !log.group[1])
		bench_ok(-ENOMEM, "memory");
	measure(64, &log);
	measure(1024, &log);
	free(log.group[0]);
	free(log.group[1]);
	return 0;
}

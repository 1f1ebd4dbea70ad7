// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * zcctl record: a subscriber that may only read, and writes all it gets to a file. It
 * loses the oldest message rather than to have a publisher wait.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <zcbuf/zcbuf.h>

#include "json.h"
#include "number.h"
#include "recording.h"
#include "show.h"
#include "topic.h"
#include "words.h"
#include "zcctl.h"

#define BATCH		64U

/**
 * struct recorder - a topic that is being recorded
 * @topic: which
 * @path: of the file
 * @count: end after so many messages, 0: no
 * @duration: and after so many thousandths of a second
 * @max_bytes: and before the file is larger
 * @depth: of the queue
 * @block: publishers wait
 * @force: over a file that is there
 * @wait: for the channel
 * @deadline_ns: of @duration
 * @sub: it
 * @seqs: of each publisher
 * @nseqs: entries there
 * @out: the file
 */
struct recorder {
	struct topic topic;
	const char *path;
	uint64_t count;
	uint64_t duration;
	uint64_t max_bytes;
	uint64_t depth;
	bool block;
	bool force;
	bool wait;
	uint64_t deadline_ns;
	struct zcbuf_subscriber *sub;
	struct zcbuf_seq *seqs;
	size_t nseqs;
	struct recording_out out;
};

static bool read_depth(const char *text, uint64_t *depth)
{
	return number_u64(text, depth) && *depth <= 65536;
}

static const struct word_option options[] = {
	{ "count", number_u64, offsetof(struct recorder, count) },
	{ "duration", number_thousandths, offsetof(struct recorder, duration) },
	{ "max-bytes", number_bytes, offsetof(struct recorder, max_bytes) },
	{ "depth", read_depth, offsetof(struct recorder, depth) },
	{ "block", NULL, offsetof(struct recorder, block) },
	{ "force", NULL, offsetof(struct recorder, force) },
	{ "wait", NULL, offsetof(struct recorder, wait) },
	{}
};

static uint64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* ------------------------------------------------------------------- messages */

/* As many publishers as come. */
static struct zcbuf_seq *seq_of(struct recorder *r, uint64_t publisher)
{
	struct zcbuf_seq *seq = zcbuf_seq_of(r->seqs, r->nseqs, publisher);
	size_t n = r->nseqs ? 2 * r->nseqs : 16;

	if (seq)
		return seq;
	r->seqs = xrealloc(r->seqs, n, sizeof(*r->seqs));
	memset(r->seqs + r->nseqs, 0, (n - r->nseqs) * sizeof(*r->seqs));
	r->nseqs = n;
	return zcbuf_seq_of(r->seqs, r->nseqs, publisher);
}

/* Its queue has one lane, so they come in their order. */
static struct recording_head head_of(struct recorder *r,
				     const struct zcbuf_delivery *d)
{
	int64_t gap = zcbuf_seq_gap(seq_of(r, d->publisher), d);

	return (struct recording_head){
		.encoding = d->encoding,
		.length = d->length,
		.user_tag = d->user_tag,
		.publisher = d->publisher,
		.seq = d->seq,
		.group = d->group,
		.offset = d->offset,
		.time_ns = d->time_ns,
		.gap = gap > 0 ? gap : 0,
		.lost = d->lost,
		.priority = d->priority,
		.nrecords = d->nrecords,
	};
}

/* With the end behind it. */
static bool has_room(const struct recorder *r, uint64_t length)
{
	uint64_t end = r->out.sum.end + recording_bytes(length) +
		       recording_bytes(0);

	return !r->max_bytes || end <= r->max_bytes;
}

/* 1: that was the last. */
static int record_one(struct recorder *r, const struct zcbuf_sample *s)
{
	struct iovec iov[ZCBUF_MAX_EXTENTS];
	struct recording_head h;
	int n, err;

	if (!has_room(r, s->length))
		return 1;
	n = zcbuf_delivery_iovec(r->topic.pool, &s->delivery, iov);
	if (n < 0)
		return n;
	h = head_of(r, &s->delivery);
	err = recording_put(&r->out, &h, iov, n);
	if (err)
		return err;
	return r->count && r->out.sum.messages == r->count;
}

/* What there is, up to the last: 1. -EAGAIN: nothing. */
static int record_some(struct recorder *r)
{
	struct zcbuf_sample samples[BATCH];
	int i, n = zcbuf_subscriber_take(r->sub, samples, BATCH, 0);
	int err = 0, released;

	if (n < 0)
		return n;
	for (i = 0; i < n && !err; i++)
		err = record_one(r, &samples[i]);
	released = zcbuf_subscriber_release(r->sub, samples, n);
	return released < 0 && err >= 0 ? released : err;
}

/* Until something comes, or the end of it. */
static void sleep_some(const struct recorder *r)
{
	struct pollfd fds[] = {
		{ .fd = zcbuf_subscriber_fd(r->sub), .events = POLLIN },
		{ .fd = r->topic.signals, .events = POLLIN },
	};
	uint64_t now = now_ns(CLOCK_MONOTONIC), left;
	struct timespec ts;

	if (r->deadline_ns && now >= r->deadline_ns)
		return;
	left = r->deadline_ns - now;
	ts = (struct timespec){ left / 1000000000, left % 1000000000 };
	ppoll(fds, 2, r->deadline_ns ? &ts : NULL, NULL);
}

static bool is_over(const struct recorder *r)
{
	return topic_stopped(&r->topic) ||
	       (r->deadline_ns && now_ns(CLOCK_MONOTONIC) >= r->deadline_ns);
}

/* What was there before it was told to end, but not what comes meanwhile. */
static int drain(struct recorder *r)
{
	uint64_t batches = (r->depth ? r->depth : 1024) / BATCH + 1;
	int err = 0;

	while (batches-- && !err)
		err = record_some(r);
	return err == -EAGAIN ? 0 : err;
}

/* 0 or -errno of the library; those of the file are in @out. */
static int follow(struct recorder *r)
{
	int err = 0;

	while (!err && !is_over(r)) {
		err = record_some(r);
		if (err != -EAGAIN)
			continue;
		err = recording_flush(&r->out);
		if (!err)
			sleep_some(r);
	}
	if (!err)
		err = drain(r);
	return err == 1 || err == -ESHUTDOWN || r->out.error ? 0 : err;
}

/* ------------------------------------------------------------ beginning, end */

static int subscribe(struct recorder *r)
{
	const struct zcbuf_name name = topic_name(&r->topic);
	struct zcbuf_subscriber_opts opts = {
		.sz = sizeof(opts),
		.flags = ZCBUF_CHANNEL_F_EXISTING,
		.depth = r->depth,
		.policy = r->block ? ZCBUF_POLICY_BLOCK :
				     ZCBUF_POLICY_DROP_OLDEST,
		.max_held = BATCH,
	};
	int err;

	do {
		opts.deadline_ns = r->wait ? topic_soon() : 0;
		err = zcbuf_subscriber_open(r->topic.pool, &name, &opts,
					    &r->sub);
	} while (err == -ETIMEDOUT && !topic_stopped(&r->topic));
	return err;
}

static int create(struct recorder *r)
{
	struct recording_header h = {
		.realtime_ns = now_ns(CLOCK_REALTIME),
		.monotonic_ns = now_ns(CLOCK_MONOTONIC),
	};
	int i;

	strncpy(h.pool, r->topic.t.pool->text, RECORDING_NAME);
	for (i = 0; i < 4; i++)
		strncpy(h.name[i], r->topic.label[i], RECORDING_NAME);
	if (r->duration)
		r->deadline_ns = h.monotonic_ns + r->duration * 1000000;
	return recording_create(&r->out, r->path, r->force, &h);
}

static int no_file(const struct recorder *r, int err)
{
	const char *why = strerror(-err);

	if (err == -EEXIST)
		why = "it is there; --force writes over it";
	else if (err == -EBUSY)
		why = "it is being recorded to";
	else if (err == -EINVAL)
		why = "it is not a file";
	return zcctl_fail(r->topic.z, EXIT_ERROR, "cannot write '%s': %s",
			  r->path, why);
}

static int not_all(const struct recorder *r, int err)
{
	return zcctl_fail(r->topic.z, EXIT_ERROR,
			  "cannot write '%s': %s; it ends after %llu messages",
			  r->path, strerror(-err),
			  (unsigned long long)r->out.sum.messages);
}

static void print_json(const struct recorder *r)
{
	struct json j = json_start(r->topic.z);

	json_object(&j, "recorded");
	json_text(&j, "file", r->path);
	json_text(&j, "pool", r->topic.t.pool->text);
	json_text(&j, "channel", r->topic.text);
	json_number(&j, "messages", r->out.safe.messages);
	json_number(&j, "bytes", r->out.safe.bytes);
	json_number(&j, "missing", r->out.safe.gaps);
	json_number(&j, "lost", r->out.safe.lost);
	json_object_end(&j);
	json_end(&j);
}

static int print(const struct recorder *r)
{
	const struct recording_sum *sum = &r->out.safe;
	char *bytes = show_bytes(r->topic.z, sum->bytes);

	if (r->topic.z->format != FORMAT_TABLE)
		print_json(r);
	else
		fprintf(r->topic.z->out,
			"%s: %llu messages of %s, %llu missing\n", r->path,
			(unsigned long long)sum->messages, bytes,
			(unsigned long long)sum->gaps);
	free(bytes);
	return EXIT_OK;
}

static int record(struct recorder *r)
{
	int err = subscribe(r), end;

	if (err)
		return topic_fail(&r->topic, err, "recorded");
	err = create(r);
	if (err)
		return no_file(r, err);
	err = follow(r);
	end = recording_close(&r->out, now_ns(CLOCK_MONOTONIC));
	if (end)
		return not_all(r, end);
	return err ? topic_fail(&r->topic, err, "recorded") : print(r);
}

static int run(struct zcctl *z, int argc, char **argv)
{
	struct recorder *r = xrealloc(NULL, 1, sizeof(*r));
	const char *word[3];
	int status;

	memset(r, 0, sizeof(*r));
	r->topic.z = z;
	status = words_read(z, options, r, argc, argv, word, 3, 3);
	if (!status) {
		r->path = word[0];
		status = topic_attach(&r->topic, word[1], word[2],
				      ZCBUF_RIGHT_MAP_READ |
				      ZCBUF_RIGHT_CONSUME);
		if (!status)
			status = record(r);
		if (r->sub)
			zcbuf_subscriber_close(r->sub);
		topic_free(&r->topic);
	}
	free(r->seqs);
	free(r);
	return status;
}

const struct verb verb_record = {
	.name = "record",
	.args = "FILE POOL NAME [OPTION]...",
	.summary = "write the messages of a topic to a file",
	.help =
"Subscribes to the topic NAME, [DOMAIN/]SERVICE/INSTANCE/EVENT, with no right but to\n"
"read, and writes each message with all that is said of it to FILE, which must not be\n"
"there, until it is told to end by SIGINT, SIGTERM, SIGHUP, or an option:\n"
"\n"
"  --count=N        after N messages\n"
"  --duration=S     after S seconds\n"
"  --max-bytes=N    before FILE is larger\n"
"  --wait           wait for the topic if it is not there\n"
"  --block          publishers wait for the recorder; else it loses the oldest\n"
"                   messages when it is too slow, and says how many are missing\n"
"  --depth=N        of its queue, messages\n"
"  --force          write over FILE\n",
	.run = run,
};

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* zcctl replay: the messages of a recording are published again. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <zcbuf/zcbuf.h>

#include "do_show.h"
#include "json.h"
#include "number.h"
#include "show.h"
#include "topic.h"
#include "words.h"
#include "zcctl.h"

#define NS		1000000000ULL
#define LONG_NS		(NS * 86400 * 36500)	/* nobody waits longer */

/**
 * struct replayer - a recording that is being replayed
 * @topic: where to
 * @path: of the file
 * @speed: in thousandths
 * @fast: do not wait in between
 * @loop: how often
 * @in: the file
 * @pub: it
 * @first_ns: when the first message was published, as recorded
 * @began_ns: and now
 * @messages: published
 * @bytes: of them
 * @delivered: to how many subscribers, added up
 * @dropped: the same, of what was lost
 * @damaged: places of the file that are not as they were written
 * @stopped: by a signal
 */
struct replayer {
	struct topic topic;
	const char *path;
	uint64_t speed;
	bool fast;
	uint64_t loop;
	struct recording_in in;
	struct zcbuf_publisher *pub;
	uint64_t first_ns;
	uint64_t began_ns;
	uint64_t messages;
	uint64_t bytes;
	uint64_t delivered;
	uint64_t dropped;
	uint64_t damaged;
	bool stopped;
};

static bool read_speed(const char *text, uint64_t *speed)
{
	return number_thousandths(text, speed) && *speed;
}

static bool read_loop(const char *text, uint64_t *loop)
{
	return number_u64(text, loop) && *loop;
}

static const struct word_option options[] = {
	{ "speed", read_speed, offsetof(struct replayer, speed) },
	{ "loop", read_loop, offsetof(struct replayer, loop) },
	{ "fast", NULL, offsetof(struct replayer, fast) },
	{}
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS + ts.tv_nsec;
}

/* When the message is due, from the first one on. Times may be any. */
static uint64_t due_ns(const struct replayer *r)
{
	uint64_t ns = r->in.head.time_ns;
	double due;

	if (r->fast || ns <= r->first_ns)
		return r->began_ns;
	due = (double)(ns - r->first_ns) * 1000 / r->speed;
	return r->began_ns + (due < LONG_NS ? (uint64_t)due : LONG_NS);
}

/* False: it is to stop. */
static bool await(struct replayer *r, uint64_t due)
{
	struct pollfd fd = { .fd = r->topic.signals, .events = POLLIN };
	uint64_t now = now_ns(), left = due > now ? due - now : 0;
	struct timespec ts = { left / NS, left % NS };

	if (left)
		ppoll(&fd, 1, &ts, NULL);
	r->stopped = topic_stopped(&r->topic);
	return !r->stopped;
}

/* Both wait, and look for signals now and then. */
static int loan(struct replayer *r, struct zcbuf_buf *buf)
{
	int err;

	do
		err = zcbuf_publisher_loan(r->pub, r->in.head.length,
					   topic_soon(), buf);
	while (err == -ETIMEDOUT && !(r->stopped = topic_stopped(&r->topic)));
	return err;
}

static int publish(struct replayer *r, struct zcbuf_buf *buf)
{
	const struct recording_head *h = &r->in.head;
	struct zcbuf_publication p = {
		.user_tag = h->user_tag,
		.encoding = h->encoding,
		.priority = h->priority,
	};
	int err;

	do
		err = zcbuf_publisher_publish(r->pub, buf, h->length, &p, 0,
					      topic_soon());
	while (err == -ETIMEDOUT && !(r->stopped = topic_stopped(&r->topic)));
	if (err)
		return err;
	r->messages++;
	r->bytes += h->length;
	r->delivered += p.out_delivered;
	r->dropped += p.out_dropped;
	return 0;
}

static int replay_message(struct replayer *r)
{
	struct zcbuf_buf buf = {};
	int err = loan(r, &buf);

	if (err)
		return err;
	err = recording_read(&r->in, 0, buf.data, r->in.head.length);
	if (!err)
		err = publish(r, &buf);
	if (err)
		zcbuf_publisher_return(r->pub, &buf);
	return err;
}

static int replay_next(struct replayer *r)
{
	if (!r->began_ns) {
		r->began_ns = now_ns();
		r->first_ns = r->in.head.time_ns;
	}
	if (!await(r, due_ns(r)))
		return 0;
	return replay_message(r);
}

static void replay_without(struct replayer *r, int what)
{
	r->damaged++;
	show_damage(r->topic.z, r->path, &r->in, what);
}

/* Once through the file. */
static int replay_once(struct replayer *r)
{
	int what = 0;

	recording_rewind(&r->in);
	r->began_ns = 0;
	while (!r->stopped && what >= 0) {
		what = recording_next(&r->in);
		if (what == RECORDING_EOF)
			break;
		if (what == RECORDING_MESSAGE)
			what = replay_next(r);
		else if (what > 0 && what != RECORDING_END)
			replay_without(r, what);
	}
	return what < 0 && !r->stopped ? what : 0;
}

static int replay_all(struct replayer *r)
{
	const struct zcbuf_name name = topic_name(&r->topic);
	uint64_t i;
	int err;

	err = zcbuf_publisher_open(r->topic.pool, &name, NULL, &r->pub);
	for (i = 0; !err && i < r->loop && !r->stopped; i++)
		err = replay_once(r);
	return err;
}

static void print_json(const struct replayer *r)
{
	struct json j = json_start(r->topic.z);

	json_object(&j, "replayed");
	json_text(&j, "file", r->path);
	json_text(&j, "pool", r->topic.t.pool->text);
	json_text(&j, "channel", r->topic.text);
	json_number(&j, "messages", r->messages);
	json_number(&j, "bytes", r->bytes);
	json_number(&j, "delivered", r->delivered);
	json_number(&j, "dropped", r->dropped);
	json_number(&j, "damaged", r->damaged);
	json_object_end(&j);
	json_end(&j);
}

static void print_text(const struct replayer *r)
{
	char *bytes = show_bytes(r->topic.z, r->bytes);

	fprintf(r->topic.z->out,
		"%s: %llu messages of %s, %llu delivered, %llu dropped\n",
		r->path, (unsigned long long)r->messages, bytes,
		(unsigned long long)r->delivered,
		(unsigned long long)r->dropped);
	free(bytes);
}

static int replay(struct replayer *r)
{
	int err = replay_all(r);

	if (err == -EIO)
		return zcctl_fail(r->topic.z, EXIT_ERROR, "cannot read '%s'",
				  r->path);
	if (err)
		return topic_fail(&r->topic, err, "replayed to");
	if (r->topic.z->format == FORMAT_TABLE)
		print_text(r);
	else
		print_json(r);
	return r->damaged ? EXIT_ERROR : EXIT_OK;
}

static char *recorded_name(const struct recording_header *h)
{
	return xasprintf("%s%s%s/%s/%s", h->name[0], *h->name[0] ? "/" : "",
			 h->name[1], h->name[2], h->name[3]);
}

static int replay_to(struct replayer *r, const char *pool, const char *name)
{
	char *recorded = recorded_name(&r->in.header);
	int status;

	status = topic_attach(&r->topic, pool, name ? name : recorded,
			      ZCBUF_RIGHT_MAP_READ | ZCBUF_RIGHT_MAP_WRITE |
			      ZCBUF_RIGHT_PRODUCE);
	if (!status)
		status = replay(r);
	if (r->pub)
		zcbuf_publisher_close(r->pub);
	topic_free(&r->topic);
	free(recorded);
	return status;
}

static int run(struct zcctl *z, int argc, char **argv)
{
	struct replayer r = { .topic.z = z, .speed = 1000, .loop = 1 };
	const char *word[3] = { NULL };
	int status, err;

	status = words_read(z, options, &r, argc, argv, word, 2, 3);
	if (status)
		return status;
	r.path = word[0];
	err = recording_open(&r.in, r.path);
	if (err)
		return show_no_recording(z, r.path, err);
	status = replay_to(&r, word[1], word[2]);
	recording_shut(&r.in);
	return status;
}

const struct verb verb_replay = {
	.name = "replay",
	.args = "FILE POOL [NAME] [OPTION]...",
	.summary = "publish the messages of a file again",
	.help =
"Publishes each message of FILE, which zcctl record wrote, to the topic it was of, or\n"
"to NAME, [DOMAIN/]SERVICE/INSTANCE/EVENT, with its tag, encoding and priority, and as\n"
"long after the first as it was then. It waits for memory, and for subscribers that\n"
"must not lose any. What is damaged is left out, and told.\n"
"\n"
"  --speed=X        X times as fast, 0.5 is half\n"
"  --fast           as fast as it goes\n"
"  --loop=N         N times\n",
	.run = run,
};

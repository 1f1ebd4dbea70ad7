// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * groups: what reservations, groups, sealing, failure and the end of a stream
 * are, in one process. It prints what happens, and ends with status 1 if
 * anything is not as it should be.
 *
 * The channel's threshold is 600 bytes. Every reservation joins the open group,
 * which seals as soon as 600 bytes or more are reserved in it. A sealed group
 * whose reservations are all decided is complete: it is delivered to a
 * consumer, or, if one of them has failed, to whoever serves the failure queue.
 * HOLD_FAILED keeps failed groups back until the stream ends.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zcbuf/zcbuf.h>

/* What this program prints; see say(). */
static const char expected[] =
"reserve 200: id 0, group 0, offset 0\n"
"reserve 300: id 1, group 0, offset 200\n"
"reserve 500: id 2, group 0, offset 500\n"
"success: group 0, offset 0, 1000 bytes: a*200 b*300 c*500\n"
"reserve 400: id 3, group 1, offset 1000\n"
"reserve 250: id 4, group 1, offset 1400\n"
"success: group 1, offset 1000, 650 bytes: d*400 e*100 f*150\n"
"reserve 100: id 5, group 2, offset 1650\n"
"drop id 5: it has failed\n"
"reserve 50: id 6, group 2, offset 1750\n"
"submit 60 bytes to id 6: EMSGSIZE, it has failed\n"
"reserve 30: id 7, group 2, offset 1800\n"
"success: nothing\n"
"failure: nothing\n"
"finalize: 0 groups delivered, 1 failed, 0 reservations undecided\n"
"failure: group 2, offset 1650, 180 bytes\n"
"  piece at 1800, 30 bytes: g*30\n"
"  lost: id 5 at 1650, 100 bytes\n"
"  lost: id 6 at 1750, 50 bytes\n"
"success: the end\n"
"failure: the end\n";

static char said[sizeof(expected) + 1024];

/* Prints, and remembers it for main() to compare. */
__attribute__((format(printf, 1, 2)))
static void say(const char *format, ...)
{
	size_t length = strlen(said);
	va_list args;

	va_start(args, format);
	vsnprintf(said + length, sizeof(said) - length, format, args);
	va_end(args);
	fputs(said + length, stdout);
}

/* For what cannot go wrong on a healthy system; returns what is not an error. */
static int must(int result, const char *what)
{
	if (result >= 0)
		return result;
	fprintf(stderr, "groups: %s: %s\n", what, zcbuf_strerror(result));
	exit(EXIT_FAILURE);
}

/* ------------------------------------------------------------ the producer */

static struct zcbuf_writer reserve(struct zcbuf_channel *channel, size_t length)
{
	struct zcbuf_writer w;

	must(zcbuf_writer_reserve(channel, length, 0, 0, &w), "reserve");
	say("reserve %zu: id %llu, group %llu, offset %llu\n", length, w.id,
	    w.group, w.offset);
	return w;
}

/* Single: all bytes are there, they are put and committed in one call. */
static void write_single(struct zcbuf_channel *channel, size_t length, int byte)
{
	struct zcbuf_writer w = reserve(channel, length);
	unsigned char bytes[1024];

	memset(bytes, byte, length);
	must(zcbuf_writer_submit(&w, bytes, length), "submit");
}

/*
 * Chunked: a piece now, a piece later. The second one is not even copied: the
 * memory behind the cursor is ours to write to.
 */
static void write_chunked(struct zcbuf_channel *channel, size_t first,
			  int first_byte, size_t second, int second_byte)
{
	struct zcbuf_writer w = reserve(channel, first + second);
	unsigned char bytes[1024];

	memset(bytes, first_byte, first);
	must(zcbuf_writer_put(&w, bytes, first), "put");
	memset(zcbuf_writer_cursor(&w), second_byte, second);
	must(zcbuf_writer_placed(&w, second), "placed");
	must(zcbuf_writer_commit(&w), "commit");
}

static void write_nothing(struct zcbuf_channel *channel, size_t length)
{
	struct zcbuf_writer w = reserve(channel, length);

	must(zcbuf_writer_drop(&w), "drop");
	say("drop id %llu: it has failed\n", w.id);
}

/* A reservation is filled exactly, or it fails. */
static void write_too_much(struct zcbuf_channel *channel, size_t length,
			   size_t too_many)
{
	struct zcbuf_writer w = reserve(channel, length);
	static const unsigned char bytes[1024];
	int err;

	err = zcbuf_writer_submit(&w, bytes, too_many);
	say("submit %zu bytes to id %llu: %s, it has failed\n", too_many, w.id,
	    err == -EMSGSIZE ? "EMSGSIZE" : zcbuf_strerror(err));
}

/* ----------------------------------------------------------- the consumers */

/* "a*200 b*300": the consumer sees the very memory the producer wrote to. */
static void say_bytes(const unsigned char *data, size_t length)
{
	size_t from, to;

	for (from = 0; from < length; from = to) {
		for (to = from; to < length && data[to] == data[from]; to++)
			;
		say(" %c*%zu", data[from], to - from);
	}
	say("\n");
}

/* A queue has nothing for us: just now, or for ever. */
static void say_empty(const char *queue, int err)
{
	if (err != -EAGAIN && err != -ESHUTDOWN)
		must(err, queue);
	say("%s: %s\n", queue, err == -EAGAIN ? "nothing" : "the end");
}

static void consume(struct zcbuf_channel *channel)
{
	struct zcbuf_pool *pool = zcbuf_channel_pool(channel);
	struct zcbuf_delivery group;
	int err;

	err = zcbuf_receive(channel, &group, 1, 0);
	if (err < 0) {
		say_empty("success", err);
		return;
	}
	say("success: group %llu, offset %llu, %llu bytes:", group.group,
	    group.offset, group.length);
	say_bytes(zcbuf_pool_addr(pool, group.extents[0].pool_offset),
		  group.extents[0].length);
	must(zcbuf_release(channel, &group.handle, 1), "release");
}

static void say_failed(const struct zcbuf_pool *pool,
		       const struct zcbuf_failed *failed)
{
	const struct zcbuf_delivery *group = &failed->delivery;
	__u32 i;

	say("failure: group %llu, offset %llu, %llu bytes\n", group->group,
	    group->offset, group->length);
	for (i = 0; i < failed->npieces; i++) {
		say("  piece at %llu, %llu bytes:", failed->pieces[i].offset,
		    failed->pieces[i].length);
		say_bytes(zcbuf_pool_addr(pool, failed->pieces[i].pool_offset),
			  failed->pieces[i].length);
	}
	for (i = 0; i < failed->nlost; i++)
		say("  lost: id %llu at %llu, %llu bytes\n",
		    failed->lost[i].id, failed->lost[i].offset,
		    failed->lost[i].length);
}

static void consume_failed(struct zcbuf_channel *channel)
{
	struct zcbuf_failed *failed;
	int err;

	err = zcbuf_receive_failed(channel, &failed, 0);
	if (err) {
		say_empty("failure", err);
		return;
	}
	say_failed(zcbuf_channel_pool(channel), failed);
	must(zcbuf_release(channel, &failed->delivery.handle, 1), "release");
	zcbuf_failed_free(failed);
}

static void finalize(struct zcbuf_channel *channel)
{
	struct zcbuf_counts counts;

	must(zcbuf_channel_finalize(channel, &counts), "finalize");
	say("finalize: %llu groups delivered, %llu failed, %llu reservations undecided\n",
	    counts.success, counts.failure, counts.reservations);
}

/* ------------------------------------------------------------------ both */

static void play(struct zcbuf_channel *in, struct zcbuf_channel *out)
{
	write_single(in, 200, 'a');
	write_single(in, 300, 'b');
	write_single(in, 500, 'c');
	consume(out);

	write_single(in, 400, 'd');
	write_chunked(in, 100, 'e', 150, 'f');
	consume(out);

	write_nothing(in, 100);
	write_too_much(in, 50, 60);
	write_single(in, 30, 'g');
	consume(out);
	consume_failed(out);

	finalize(in);
	consume_failed(out);
	consume(out);
	consume_failed(out);
}

/*
 * The producer makes the pool and the channel. The consumer is a session of its
 * own, which may only read; here it is in the same process, it could be in any.
 */
int main(void)
{
	struct zcbuf_channel_opts channel = {
		.sz = sizeof(channel),
		.threshold = 600,
		.align = 1,
		.ports = ZCBUF_PORT_PRODUCE,
		.flags = ZCBUF_CHANNEL_F_HOLD_FAILED,
	};
	struct zcbuf_attach_opts reading = {
		.sz = sizeof(reading),
		.rights = ZCBUF_RIGHT_MAP_READ | ZCBUF_RIGHT_CONSUME,
	};
	struct zcbuf_pool *producer, *consumer;
	struct zcbuf_channel *in, *out;

	must(zcbuf_pool_create(&producer, NULL), "make a pool");
	must(zcbuf_channel_create(producer, &channel, &in), "make a channel");
	must(zcbuf_pool_attach_fd(&consumer, zcbuf_pool_fd(producer), &reading),
	     "attach to the pool");
	must(zcbuf_channel_attach(consumer, zcbuf_channel_handle(in),
				  ZCBUF_PORT_CONSUME | ZCBUF_PORT_RECV_FAILED,
				  0, &out), "attach to the channel");
	play(in, out);

	zcbuf_channel_close(out);
	zcbuf_channel_close(in);
	zcbuf_pool_close(consumer);
	zcbuf_pool_close(producer);
	if (strcmp(said, expected)) {
		fprintf(stderr, "groups: that is wrong; expected was:\n%s",
			expected);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

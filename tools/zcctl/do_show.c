// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * zcctl show: what is in a recording. Files may be large, so each line is printed as
 * it is read.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "do_show.h"
#include "json.h"
#include "number.h"
#include "show.h"
#include "words.h"

#define NS		1000000000ULL
#define HEX_MOST	(1U << 20)

/**
 * struct viewer - a recording that is shown
 * @z: the call
 * @path: of the file
 * @hex: so many bytes of each message
 * @in: the file
 * @data: room for @hex bytes
 * @text: and for them in hex
 * @messages: seen so far
 * @bytes: of them
 * @gaps: messages that are missing
 * @damaged: places that are not as they were written
 */
struct viewer {
	struct zcctl *z;
	const char *path;
	uint64_t hex;
	struct recording_in in;
	unsigned char *data;
	char *text;
	uint64_t messages;
	uint64_t bytes;
	uint64_t gaps;
	uint64_t damaged;
};

static bool read_hex(const char *text, uint64_t *hex)
{
	return number_bytes(text, hex) && *hex <= HEX_MOST;
}

static const struct word_option options[] = {
	{ "hex", read_hex, offsetof(struct viewer, hex) },
	{}
};

int show_no_recording(struct zcctl *z, const char *path, int err)
{
	const char *why = strerror(-err);

	if (err == -EINVAL || err == -EILSEQ)
		why = "it is no recording";
	else if (err == -EBADMSG)
		why = "its header is damaged, or torn off";
	else if (err == -EPROTONOSUPPORT)
		why = "it is of another version of zcctl";
	return zcctl_fail(z, EXIT_ERROR, "cannot read '%s': %s", path, why);
}

void show_damage(struct zcctl *z, const char *path,
		 const struct recording_in *in, int what)
{
	fprintf(z->err, "zcctl: '%s': the %" PRIu64 " bytes at byte %" PRIu64 " are %s\n",
		path, in->bytes, in->at,
		what == RECORDING_TORN ? "part of a message that is torn off" :
					 "damaged");
}

/* Walks through the file; 0, or an error of reading, or of @see. */
static int each(struct viewer *v, int (*see)(struct viewer *v, struct json *j,
					     int what), struct json *j)
{
	int what, err = 0;

	recording_rewind(&v->in);
	do {
		what = recording_next(&v->in);
		if (what >= 0 && what != RECORDING_EOF)
			err = see(v, j, what);
	} while (what >= 0 && what != RECORDING_EOF && !err);
	return what < 0 ? what : err;
}

/* The first bytes of the message, as text in @v. */
static int get_hex(struct viewer *v)
{
	uint64_t n = v->in.head.length < v->hex ? v->in.head.length : v->hex, i;
	int err = recording_read(&v->in, 0, v->data, n);

	for (i = 0; i < n && !err; i++)
		sprintf(v->text + 2 * i, "%02x", v->data[i]);
	return err;
}

static void count(struct viewer *v)
{
	v->messages++;
	v->bytes += v->in.head.length;
	v->gaps += v->in.head.gap;
}

/* ------------------------------------------------------------------- columns */

/* The time of day of a message: the clocks differ by as much as in the beginning. */
static void print_time(const struct viewer *v, uint64_t ns)
{
	const struct recording_header *h = &v->in.header;
	uint64_t at = h->realtime_ns + (ns - h->monotonic_ns);
	time_t s = at / NS;
	struct tm tm;
	char text[32];

	if (!gmtime_r(&s, &tm) ||
	    !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm))
		strcpy(text, "?");
	fprintf(v->z->out, "%s.%09" PRIu64 "Z", text, (uint64_t)(at % NS));
}

static void print_label(const struct viewer *v)
{
	const struct recording_header *h = &v->in.header;
	char *all = xasprintf("%s%s%s/%s/%s of pool %s", h->name[0],
			      *h->name[0] ? "/" : "", h->name[1], h->name[2],
			      h->name[3], *h->pool ? h->pool : "-");
	char *text = show_text(all);

	fprintf(v->z->out, "%s, begun ", text);
	print_time(v, h->monotonic_ns);
	free(text);
	free(all);
}

static int print_message(struct viewer *v)
{
	const struct recording_head *h = &v->in.head;
	char *length = show_bytes(v->z, h->length);
	int err = get_hex(v);

	if (!err) {
		fprintf(v->z->out, "%8" PRIu64 "  ", v->messages);
		print_time(v, h->time_ns);
		fprintf(v->z->out,
			"%10" PRIu64 "%10" PRIu64 "%6" PRIu64 "%18" PRIx64 "%9" PRIx32 "%5" PRIu32 "%10s%s%s\n",
			h->publisher, h->seq, h->gap, h->user_tag, h->encoding,
			h->priority, length, v->hex ? "  " : "", v->text);
	}
	count(v);
	free(length);
	return err;
}

static int see_line(struct viewer *v, struct json *j, int what)
{
	if (what == RECORDING_MESSAGE)
		return print_message(v);
	if (what == RECORDING_END)
		return 0;
	v->damaged++;
	fflush(v->z->out);
	show_damage(v->z, v->path, &v->in, what);
	return 0;
}

static int print_lines(struct viewer *v)
{
	char *bytes;
	int err;

	print_label(v);
	fprintf(v->z->out, "\n%8s  %-30s%10s%10s%6s%18s%9s%5s%10s%s\n", "N",
		"PUBLISHED", "PUBLISHER", "SEQ", "GAP", "TAG", "ENCODING",
		"LANE", "LENGTH", v->hex ? "  DATA" : "");
	err = each(v, see_line, NULL);
	if (err)
		return err;
	bytes = show_bytes(v->z, v->bytes);
	fprintf(v->z->out, "%" PRIu64 " messages of %s, %" PRIu64 " missing%s\n",
		v->messages, bytes, v->gaps,
		v->in.ended ? "" : "; the recording was not ended");
	free(bytes);
	return 0;
}

/* ---------------------------------------------------------------------- JSON */

static int json_message(struct viewer *v, struct json *j)
{
	const struct recording_head *h = &v->in.head;
	int err = get_hex(v);

	json_object(j, NULL);
	json_number(j, "time_ns", h->time_ns);
	json_number(j, "publisher", h->publisher);
	json_number(j, "seq", h->seq);
	json_number(j, "gap", h->gap);
	json_number(j, "lost", h->lost);
	json_number(j, "group", h->group);
	json_number(j, "offset", h->offset);
	json_handle(j, "user_tag", h->user_tag);
	json_number(j, "encoding", h->encoding);
	json_number(j, "priority", h->priority);
	json_number(j, "records", h->nrecords);
	json_number(j, "length", h->length);
	if (v->hex)
		json_text(j, "data", v->text);
	json_object_end(j);
	count(v);
	return err;
}

static int see_message(struct viewer *v, struct json *j, int what)
{
	return what == RECORDING_MESSAGE ? json_message(v, j) : 0;
}

static int see_damage(struct viewer *v, struct json *j, int what)
{
	if (what != RECORDING_TORN && what != RECORDING_DAMAGED)
		return 0;
	v->damaged++;
	show_damage(v->z, v->path, &v->in, what);
	json_object(j, NULL);
	json_number(j, "at", v->in.at);
	json_number(j, "bytes", v->in.bytes);
	json_bool(j, "torn", what == RECORDING_TORN);
	json_object_end(j);
	return 0;
}

static void json_header(struct viewer *v, struct json *j)
{
	const struct recording_header *h = &v->in.header;

	json_text(j, "file", v->path);
	json_number(j, "version", RECORDING_VERSION);
	json_text(j, "pool", h->pool);
	json_text(j, "domain", h->name[0]);
	json_text(j, "service", h->name[1]);
	json_text(j, "instance", h->name[2]);
	json_text(j, "event", h->name[3]);
	json_number(j, "realtime_ns", h->realtime_ns);
	json_number(j, "monotonic_ns", h->monotonic_ns);
}

static int print_json(struct viewer *v)
{
	struct json j = json_start(v->z);
	int err;

	json_object(&j, "recording");
	json_header(v, &j);
	json_array(&j, "messages");
	err = each(v, see_message, &j);
	json_array_end(&j);
	json_array(&j, "damage");
	if (!err)
		err = each(v, see_damage, &j);
	json_array_end(&j);
	json_number(&j, "bytes", v->bytes);
	json_number(&j, "missing", v->gaps);
	json_bool(&j, "ended", v->in.ended);
	json_object_end(&j);
	json_end(&j);
	return err;
}

/* The lines or the object have begun: only stderr is left for an error. */
static int show(struct viewer *v)
{
	int err;

	v->data = xrealloc(NULL, v->hex, 1);
	v->text = xrealloc(NULL, 2 * v->hex + 1, 1);
	*v->text = 0;
	err = v->z->format == FORMAT_TABLE ? print_lines(v) : print_json(v);
	free(v->text);
	free(v->data);
	if (err)
		fprintf(v->z->err, "zcctl: cannot read '%s': %s\n", v->path,
			strerror(-err));
	if (!err && !v->in.ended)
		fprintf(v->z->err, "zcctl: '%s': the recording was not ended: more may be missing behind byte %" PRIu64 "\n",
			v->path, v->in.size);
	return err || v->damaged || !v->in.ended ? EXIT_ERROR : EXIT_OK;
}

static int run(struct zcctl *z, int argc, char **argv)
{
	struct viewer v = { .z = z };
	int status, err;

	status = words_read(z, options, &v, argc, argv, &v.path, 1, 1);
	if (status)
		return status;
	err = recording_open(&v.in, v.path);
	if (err)
		return show_no_recording(z, v.path, err);
	status = show(&v);
	recording_shut(&v.in);
	return status;
}

const struct verb verb_show = {
	.name = "show",
	.args = "FILE [--hex=N]",
	.summary = "what is in a file that zcctl record wrote",
	.help =
"Prints a line for each message of FILE: when it was published, by which session, which\n"
"of that it was, how many of that are missing right before it, its tag and encoding in\n"
"hex, its lane and length, and with --hex=N its first N bytes.\n"
"\n"
"What is damaged, or torn off at the end, is told, with its place, and makes the exit\n"
"status 1; so does a recording that was not ended, as one is that was killed.\n",
	.run = run,
};

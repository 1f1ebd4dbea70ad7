// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * zcctl channel watch: a line for each event, until a signal comes or there were as
 * many as were wanted.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <netlink/attr.h>
#include <netlink/genl/genl.h>

#include "number.h"
#include "show.h"
#include "source.h"
#include "watch.h"

#define E(attr)	ZCBUF_A_EVENT_##attr

enum say {
	SAY_NUMBER,
	SAY_HANDLE,
	SAY_TEXT,
	SAY_LABEL,		/* text, a part of a name for people */
	SAY_ROLE,
};

/* In the order it is told, if it is there. */
static const struct {
	int attr;
	enum say say;
	const char *key;
} fields[] = {
	{ E(TIME_NS),	SAY_NUMBER,	"time_ns" },
	{ E(POOL),	SAY_HANDLE,	"pool" },
	{ E(NAME),	SAY_TEXT,	"pool_name" },
	{ E(ARENA),	SAY_NUMBER,	"arena" },
	{ E(CHANNEL),	SAY_HANDLE,	"channel" },
	{ E(DOMAIN),	SAY_LABEL,	"domain" },
	{ E(SERVICE),	SAY_LABEL,	"service" },
	{ E(INSTANCE),	SAY_LABEL,	"instance" },
	{ E(EVENT),	SAY_LABEL,	"event" },
	{ E(ROLE),	SAY_ROLE,	"ports" },
	{ E(SESSION),	SAY_NUMBER,	"session" },
	{ E(PID),	SAY_NUMBER,	"pid" },
	{ E(COMM),	SAY_TEXT,	"comm" },
	{ E(BUFFERS),	SAY_NUMBER,	"buffers" },
	{ E(BYTES),	SAY_NUMBER,	"bytes" },
	{ E(FAILED),	SAY_NUMBER,	"failed" },
	{ E(RELEASED),	SAY_NUMBER,	"released" },
	{ E(AGE_NS),	SAY_NUMBER,	"age_ns" },
	{ E(LOST),	SAY_NUMBER,	"lost" },
};

#define NFIELDS	(sizeof(fields) / sizeof(fields[0]))

static const char *const kinds[] = {
	"pool_created", "pool_removed", "pool_gone", "arena_added",
	"arena_gone", "channel_appeared", "channel_gone", "port_opened",
	"port_closed", "session_gone", "quarantined", "quarantine_over",
	"session_hung", "session_evicted",
};

static const char *const roles[] = { "produce", "consume", "recv_failed" };

/**
 * struct watch - one call of the verb
 * @z: the tool
 * @left: events to come; 0: any number
 * @tb: attributes of the one that is told
 */
struct watch {
	struct zcctl *z;
	uint64_t left;
	struct nlattr *tb[ZCBUF_A_EVENT_MAX + 1];
};

/* 0 if it is not there, as the kernel leaves it out then. */
static uint64_t number(const struct watch *w, int attr)
{
	struct nlattr *nla = w->tb[attr];

	if (!nla || nla_len(nla) < 4)
		return 0;
	return nla_len(nla) < 8 ? nla_get_u32(nla) : nla_get_u64(nla);
}

/* NULL: there is none, or it is not ended. */
static const char *text(const struct watch *w, int attr)
{
	struct nlattr *nla = w->tb[attr];

	return nla && memchr(nla_data(nla), 0, nla_len(nla)) ? nla_data(nla) :
							       NULL;
}

/* Of a kernel that knows more: a number. */
static char *kind_of(const struct watch *w)
{
	uint64_t kind = number(w, E(KIND));

	return kind < sizeof(kinds) / sizeof(kinds[0]) ?
	       xstrdup(kinds[kind]) : xasprintf("event_%" PRIu64, kind);
}

/* ------------------------------------------------------------------- JSON */

static void json_roles(struct json *j, const char *key, uint64_t value)
{
	size_t i;

	json_array(j, key);
	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (value >> i & 1)
			json_text(j, NULL, roles[i]);
	json_array_end(j);
}

static void json_field(struct json *j, const struct watch *w, size_t i)
{
	const char *key = fields[i].key, *s;
	int attr = fields[i].attr;

	switch (fields[i].say) {
	case SAY_NUMBER:
		json_number(j, key, number(w, attr));
		break;
	case SAY_HANDLE:
		json_handle(j, key, number(w, attr));
		break;
	case SAY_TEXT:
	case SAY_LABEL:
		s = text(w, attr);
		json_text(j, key, s ? s : "");
		break;
	case SAY_ROLE:
		json_roles(j, key, number(w, attr));
		break;
	}
}

static void tell_json(const struct watch *w)
{
	struct json j = json_start(w->z);
	char *kind = kind_of(w);
	size_t i;

	json_text(&j, "what", kind);
	free(kind);
	for (i = 0; i < NFIELDS; i++)
		if (w->tb[fields[i].attr])
			json_field(&j, w, i);
	json_end(&j);
}

/* ------------------------------------------------------------------- lines */

/* "service/instance/event", behind the domain if there is one */
static void print_name(const struct watch *w)
{
	const char *label, *before = " name=";
	char *safe;
	int i;

	for (i = E(DOMAIN); i <= E(EVENT); i++) {
		label = text(w, i);
		if (!label || !*label)
			continue;
		safe = show_text(label);
		fprintf(w->z->out, "%s%s", before, safe);
		free(safe);
		before = "/";
	}
}

static void print_text(const struct watch *w, size_t i)
{
	const char *s = text(w, fields[i].attr);
	char *safe = show_text(s ? s : "");

	fprintf(w->z->out, " %s=%s", fields[i].key, safe);
	free(safe);
}

static void print_roles(const struct watch *w, uint64_t value)
{
	const char *before = " ports=";
	size_t i;

	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (value >> i & 1) {
			fprintf(w->z->out, "%s%s", before, roles[i]);
			before = ",";
		}
}

static void print_field(const struct watch *w, size_t i)
{
	uint64_t value = number(w, fields[i].attr);

	switch (fields[i].say) {
	case SAY_NUMBER:
		fprintf(w->z->out, " %s=%" PRIu64, fields[i].key, value);
		break;
	case SAY_HANDLE:
		fprintf(w->z->out, " %s=0x%" PRIx64, fields[i].key, value);
		break;
	case SAY_TEXT:
		print_text(w, i);
		break;
	case SAY_LABEL:
		if (fields[i].attr == E(SERVICE))
			print_name(w);
		break;
	case SAY_ROLE:
		print_roles(w, value);
		break;
	}
}

/* The time, and how many were lost before, are for programs. */
static void tell_line(const struct watch *w)
{
	char *kind = kind_of(w);
	size_t i;

	fprintf(w->z->out, "%-16s", kind);
	free(kind);
	for (i = 0; i < NFIELDS; i++)
		if (w->tb[fields[i].attr] && fields[i].attr != E(TIME_NS) &&
		    fields[i].attr != E(LOST))
			print_field(w, i);
	fputc('\n', w->z->out);
}

static void tell_loss(const struct watch *w)
{
	struct json j;

	if (w->z->format == FORMAT_TABLE) {
		fputs("events_lost\n", w->z->out);
		return;
	}
	j = json_start(w->z);
	json_text(&j, "what", "events_lost");
	json_end(&j);
}

/* What cannot be written ends it: nobody reads it any more. */
static bool on_event(void *arg, struct nlmsghdr *nlh)
{
	struct watch *w = arg;

	if (!nlh)
		tell_loss(w);
	else if (genlmsg_parse(nlh, 0, w->tb, ZCBUF_A_EVENT_MAX, NULL) < 0 ||
		 !w->tb[E(KIND)])
		return true;
	else if (w->z->format == FORMAT_TABLE)
		tell_line(w);
	else
		tell_json(w);
	if (fflush(w->z->out))
		return false;
	return !w->left || --w->left;
}

/* --count=N */
static bool read_count(const char *option, uint64_t *count)
{
	static const char name[] = "--count=";

	if (strncmp(option, name, sizeof(name) - 1))
		return false;
	return number_u64(option + sizeof(name) - 1, count) && *count;
}

int watch_events(struct zcctl *z, int argc, char **argv)
{
	struct watch w = { .z = z };

	if (argc > 1 || (argc && !read_count(argv[0], &w.left)))
		return EXIT_USAGE;
	return source_events(z, on_event, &w);
}

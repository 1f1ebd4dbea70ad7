// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <netlink/attr.h>
#include <netlink/genl/genl.h>

#include "record.h"
#include "zcctl.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static_assert(ZCBUF_A_POOL_MAX < RECORD_ATTRS, "RECORD_ATTRS");
static_assert(ZCBUF_A_SESSION_MAX < RECORD_ATTRS, "RECORD_ATTRS");
static_assert(ZCBUF_A_CHANNEL_MAX < RECORD_ATTRS, "RECORD_ATTRS");
static_assert(ZCBUF_A_ARENA_MAX < RECORD_ATTRS, "RECORD_ATTRS");

/* Names, by value or by bit, in the order of the uapi header. */
static const char *const kinds[] = { "pages", "tiers", "fixed", NULL };
static const char *const pool_flags[] = {
	"no_zero_on_reuse", "huge_strict", "small_pages", "node",
	"shared_pages", "auto_grow", "persistent", "owner", "interleave", NULL
};
static const char *const arena_states[] = {
	"live", "retiring", "pinned", "gone", NULL
};
static const char *const rights[] = {
	"map_read", "map_write", "produce", "consume", "admin", NULL
};
static const char *const channel_flags[] = {
	"threshold", "hold_failed", "ordered", "no_auto_finalize", "topic",
	"immutable", NULL
};
static const char *const channel_modes[] = { "stream", "topic", NULL };

#define P(attr)	ZCBUF_A_POOL_##attr
static const struct field pool_fields[] = {
	{ P(HANDLE),	   SHOW_HANDLE,	"handle",	"HANDLE" },
	{ P(NAME),	   SHOW_TEXT,	"name",		"NAME" },
	{ P(KIND),	   SHOW_CHOICE,	"kind",		"KIND", kinds },
	{ P(FLAGS),	   SHOW_FLAGS,	"flags",	NULL, pool_flags },
	{ P(UID),	   SHOW_COUNT,	"uid",		"UID" },
	{ P(GID),	   SHOW_COUNT,	"gid",		NULL },
	{ P(MODE),	   SHOW_MODE,	"mode",		"MODE" },
	{ P(SIZE),	   SHOW_BYTES,	"size",		"SIZE" },
	{ P(MAX_SIZE),	   SHOW_BYTES,	"max_size",	"LIMIT" },
	{ P(USED),	   SHOW_BYTES,	"used",		"USED" },
	{ P(MAX_USED),	   SHOW_BYTES,	"max_used",	"MAX-USED" },
	{ P(EXPORTED),	   SHOW_BYTES,	"exported",	NULL },
	{ P(MIN_FREE),	   SHOW_BYTES,	"min_free",	NULL },
	{ P(LARGEST_FREE), SHOW_BYTES,	"largest_free",	"LARGEST" },
	{ P(ARENA_SIZE),   SHOW_BYTES,	"arena_size",	NULL },
	{ P(ARENAS),	   SHOW_COUNT,	"arenas",	NULL },
	{ P(PAGE_ORDER),   SHOW_COUNT,	"page_order",	NULL },
	{ P(SESSIONS),	   SHOW_COUNT,	"sessions",	"SESSIONS" },
	{ P(CHANNELS),	   SHOW_COUNT,	"channels",	"CHANNELS" },
	{ P(MAPPINGS),	   SHOW_COUNT,	"mappings",	"MAPPINGS" },
	{ P(BAD_FREES),	   SHOW_COUNT,	"bad_frees",	NULL },
	{ P(TOKENS),	   SHOW_COUNT,	"tokens",	NULL },
	{ P(QUARANTINE_SESSIONS), SHOW_COUNT, "quarantine_sessions", NULL },
	{ P(QUARANTINE_BYTES), SHOW_BYTES, "quarantine_bytes", "QUARANTINE" },
	{ P(QUARANTINE_AGE_NS), SHOW_AGE, "quarantine_age_ns", NULL },
	{ P(ZOMBIE),	   SHOW_YES,	"zombie",	"ZOMBIE" },
};

#define S(attr)	ZCBUF_A_SESSION_##attr
static const struct field session_fields[] = {
	{ S(ID),	    SHOW_COUNT,	 "id",		  "ID" },
	{ S(POOL),	    SHOW_POOL,	 "pool",	  "POOL" },
	{ S(PID),	    SHOW_PID,	 "pid",		  "PID" },
	{ S(COMM),	    SHOW_TEXT,	 "comm",	  "COMMAND" },
	{ S(PID),	    SHOW_CGROUP, "cgroup",	  "CGROUP" },
	{ S(UID),	    SHOW_COUNT,	 "uid",		  "UID" },
	{ S(RIGHTS),	    SHOW_RIGHTS, "rights",	  "RIGHTS", rights },
	{ S(AGE_NS),	    SHOW_AGE,	 "age_ns",	  "AGE" },
	{ S(BUFFERS),	    SHOW_COUNT,	 "buffers",	  "BUFFERS" },
	{ S(BYTES),	    SHOW_BYTES,	 "bytes",	  "BYTES" },
	{ S(PENDING),	    SHOW_COUNT,	 "pending",	  "PENDING" },
	{ S(PENDING_BYTES), SHOW_BYTES,	 "pending_bytes", "PENDING-BYTES" },
	{ S(HELD),	    SHOW_COUNT,	 "held",	  "HELD" },
	{ S(HELD_BYTES),    SHOW_BYTES,	 "held_bytes",	  "HELD-BYTES" },
	{ S(PORTS),	    SHOW_COUNT,	 "ports",	  "PORTS" },
	{ S(HEARTBEAT_AGE_NS), SHOW_AGE, "heartbeat_age_ns", "HEARTBEAT" },
	{ S(HEARTBEAT_STOPS), SHOW_COUNT, "heartbeat_stops", NULL },
	{ S(HUNG),	    SHOW_YES,	 "hung",	  "HUNG" },
	{ S(EVICTED),	    SHOW_YES,	 "evicted",	  "EVICTED" },
};

#define C(attr)	ZCBUF_A_CHANNEL_##attr
static const struct field channel_fields[] = {
	{ C(HANDLE),	      SHOW_HANDLE, "handle",	      "HANDLE" },
	{ C(POOL),	      SHOW_POOL,   "pool",	      "POOL" },
	{ C(DOMAIN),	      SHOW_LABEL,  "domain",	      NULL },
	{ C(SERVICE),	      SHOW_LABEL,  "service",	      "NAME" },
	{ C(INSTANCE),	      SHOW_LABEL,  "instance",	      NULL },
	{ C(EVENT),	      SHOW_LABEL,  "event",	      NULL },
	{ C(FLAGS),	      SHOW_FLAGS,  "flags",	      NULL,
	  channel_flags },
	{ C(FLAGS),	      SHOW_TOPIC,  "mode",	      "MODE",
	  channel_modes },
	{ C(THRESHOLD),	      SHOW_BYTES,  "threshold",	      "THRESHOLD" },
	{ C(BLOCK),	      SHOW_BYTES,  "block",	      "BLOCK" },
	{ C(PRODUCERS),	      SHOW_COUNT,  "producers",	      "PROD" },
	{ C(CONSUMERS),	      SHOW_COUNT,  "consumers",	      "CONS" },
	{ C(FAILED_PORTS),    SHOW_COUNT,  "failed_ports",    NULL },
	{ C(RESERVATIONS),    SHOW_COUNT,  "reservations",    "RESERVED" },
	{ C(GROUPS),	      SHOW_COUNT,  "groups",	      "GROUPS" },
	{ C(OFFSET),	      SHOW_BYTES,  "offset",	      "OFFSET" },
	{ C(OUTSTANDING),     SHOW_COUNT,  "outstanding",     NULL },
	{ C(MAX_OUTSTANDING), SHOW_COUNT,  "max_outstanding", NULL },
	{ C(PENDING),	      SHOW_COUNT,  "pending",	      "PENDING" },
	{ C(QUEUED),	      SHOW_COUNT,  "queued",	      "QUEUED" },
	{ C(FREEZING),	      SHOW_COUNT,  "freezing",	      NULL },
	{ C(PARKED),	      SHOW_COUNT,  "parked",	      "PARKED" },
	{ C(FAILED),	      SHOW_COUNT,  "failed",	      "FAILED" },
	{ C(DELIVERED),	      SHOW_COUNT,  "delivered",	      "TAKEN" },
	{ C(HISTORY),	      SHOW_COUNT,  "history",	      NULL },
	{ C(KEPT),	      SHOW_COUNT,  "kept",	      "KEPT" },
	{ C(LOST),	      SHOW_COUNT,  "lost",	      "LOST" },
	{ C(STRAGGLERS),      SHOW_COUNT,  "stragglers",      "STRAGGLERS" },
	{ C(BYTES),	      SHOW_BYTES,  "bytes",	      "BYTES" },
	{ C(FINALIZED),	      SHOW_YES,	   "finalized",	      "ENDED" },
};

#define A(attr)	ZCBUF_A_ARENA_##attr
static const struct field arena_fields[] = {
	{ A(POOL),	   SHOW_POOL,	"pool",		NULL },
	{ A(INDEX),	   SHOW_COUNT,	"index",	"ARENA" },
	{ A(OFFSET),	   SHOW_BYTES,	"offset",	"OFFSET" },
	{ A(SIZE),	   SHOW_BYTES,	"size",		"SIZE" },
	{ A(USED),	   SHOW_BYTES,	"used",		"USED" },
	{ A(LARGEST_FREE), SHOW_BYTES,	"largest_free",	"LARGEST" },
	{ A(PAGE_ORDER),   SHOW_COUNT,	"page_order",	"PAGE-ORDER" },
	{ A(NODE),	   SHOW_COUNT,	"node",		"NODE" },
	{ A(STATE),	   SHOW_CHOICE,	"state",	"STATE", arena_states },
};

const struct spec pool_spec = {
	"pools", ZCBUF_CMD_POOL_GET, P(HANDLE),
	pool_fields, ARRAY_SIZE(pool_fields)
};
const struct spec session_spec = {
	"sessions", ZCBUF_CMD_SESSION_GET, S(POOL),
	session_fields, ARRAY_SIZE(session_fields)
};
const struct spec channel_spec = {
	"channels", ZCBUF_CMD_CHANNEL_GET, C(POOL),
	channel_fields, ARRAY_SIZE(channel_fields)
};
const struct spec arena_spec = {
	"arenas", ZCBUF_CMD_ARENA_GET, A(POOL),
	arena_fields, ARRAY_SIZE(arena_fields)
};

/* A number may be sent in 32 or 64 bits, whatever it was in our header. */
static int parse_number(struct nlattr *nla, uint64_t *value)
{
	switch (nla_len(nla)) {
	case 4:
		*value = nla_get_u32(nla);
		return 0;
	case 8:
		*value = nla_get_u64(nla);
		return 0;
	}
	return -EBADMSG;
}

static int parse_text(struct nlattr *nla, char **text)
{
	if (!memchr(nla_data(nla), 0, nla_len(nla)))
		return -EBADMSG;
	free(*text);
	*text = xstrdup(nla_data(nla));
	return 0;
}

static int parse_orders(struct nlattr *nla, struct record *r)
{
	size_t n = nla_len(nla) / sizeof(*r->order_free);

	if (nla_len(nla) % sizeof(*r->order_free))
		return -EBADMSG;
	r->order_free = xrealloc(r->order_free, n, sizeof(*r->order_free));
	memcpy(r->order_free, nla_data(nla), nla_len(nla));
	r->norders = n;
	return 0;
}

static int parse_class(struct nlattr *nest, struct record *r)
{
	struct pool_class c = {};
	struct nlattr *nla;
	uint64_t value;
	int rem;

	nla_for_each_nested(nla, nest, rem) {
		if (nla_type(nla) >= ZCBUF_A_CLASS_PAD)
			continue;
		if (parse_number(nla, &value))
			return -EBADMSG;
		if (nla_type(nla) == ZCBUF_A_CLASS_LENGTH)
			c.length = value;
		else if (nla_type(nla) == ZCBUF_A_CLASS_USED)
			c.used = value;
		else if (nla_type(nla) == ZCBUF_A_CLASS_TOTAL)
			c.total = value;
		else if (nla_type(nla) == ZCBUF_A_CLASS_MIN_FREE) {
			c.min_free = value;
			c.fixed = true;
		} else if (nla_type(nla) == ZCBUF_A_CLASS_WASTE) {
			c.waste = value;
			c.leased = true;
		}
	}
	r->class = xrealloc(r->class, r->nclasses + 1, sizeof(*r->class));
	r->class[r->nclasses++] = c;
	return 0;
}

static int parse_field(struct nlattr *nla, const struct field *f,
		       struct record *r)
{
	r->have |= 1U << f->attr;
	if (f->show == SHOW_TEXT)
		return parse_text(nla, &r->text);
	if (f->show == SHOW_LABEL)
		return parse_text(nla, &r->label[f->attr -
						 ZCBUF_A_CHANNEL_DOMAIN]);
	if (f->show == SHOW_YES) {
		r->num[f->attr] = 1;
		return 0;
	}
	return parse_number(nla, &r->num[f->attr]);
}

static int parse_attr(struct nlattr *nla, const struct spec *spec,
		      struct record *r)
{
	size_t i;

	for (i = 0; i < spec->nfields; i++)
		if (spec->field[i].attr == nla_type(nla))
			return parse_field(nla, &spec->field[i], r);
	if (spec != &pool_spec)
		return 0;
	if (nla_type(nla) == ZCBUF_A_POOL_ORDER_FREE)
		return parse_orders(nla, r);
	if (nla_type(nla) == ZCBUF_A_POOL_CLASS)
		return parse_class(nla, r);
	return 0;
}

static void record_free(struct record *r)
{
	size_t i;

	for (i = 0; i < RECORD_LABELS; i++)
		free(r->label[i]);
	free(r->cgroup);
	free(r->text);
	free(r->order_free);
	free(r->class);
	free(r->arena);
}

int records_parse(struct records *all, const struct spec *spec,
		  struct nlmsghdr *nlh)
{
	struct record r = {};
	struct nlattr *nla;
	int rem, err;

	if (!genlmsg_valid_hdr(nlh, 0))
		return -EBADMSG;
	nla_for_each_attr(nla, genlmsg_attrdata(genlmsg_hdr(nlh), 0),
			  genlmsg_attrlen(genlmsg_hdr(nlh), 0), rem) {
		err = parse_attr(nla, spec, &r);
		if (err) {
			record_free(&r);
			return err;
		}
	}
	all->v = xrealloc(all->v, all->n + 1, sizeof(r));
	all->v[all->n++] = r;
	return 0;
}

void record_add_arena(struct record *pool, const struct record *arena)
{
	pool->arena = xrealloc(pool->arena, pool->narenas + 1, sizeof(*arena));
	pool->arena[pool->narenas++] = *arena;
}

void records_drop(struct records *all, size_t i)
{
	record_free(&all->v[i]);
	all->n--;
	memmove(&all->v[i], &all->v[i + 1], (all->n - i) * sizeof(*all->v));
}

void records_free(struct records *all)
{
	while (all->n)
		record_free(&all->v[--all->n]);
	free(all->v);
	*all = (struct records){};
}

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * All that can be seen of the module from outside, as text: what netlink dumps
 * of pools, sessions, channels and arenas, what is charged, and who holds the
 * module. One line for each object, in an order that does not depend on when it
 * was made.
 *
 * Left out is what differs between two scenarios that are the same: numbers,
 * ages, and whether a pool happened to get huge pages, and of which node. Of a
 * name only what is before its first '-' counts. An attribute that is not known here is compared
 * all the same.
 */
#ifndef ZCBUF_SELFTEST_SNAPSHOT_H
#define ZCBUF_SELFTEST_SNAPSHOT_H

#include <ctype.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "genl.h"
#include "ktap.h"

#define SNAP_TEXT	(256 * 1024)
#define SNAP_RAW	(128 * 1024)
#define SNAP_LINES	2048
#define SNAP_POOLS	320
#define SNAP_PIECE	8192	/* larger than any message */

/* The messages of a dump, one after the other. */
struct snap_raw {
	size_t len;
	char data[SNAP_RAW] __attribute__((aligned(NLMSG_ALIGNTO)));
};

struct snapshot {
	unsigned int lines;
	size_t len;
	char text[SNAP_TEXT];
	char *line[SNAP_LINES];		/* sorted */
};

/* What a line calls the pool of a handle. */
struct snap_names {
	unsigned int n;
	struct {
		__u64 handle;
		char name[ZCBUF_MAX_NAME + 1];
	} pool[SNAP_POOLS];
};

/*
 * struct snap_kind - one kind of object
 * @what: it is
 * @cmd: that dumps it
 * @pool: attribute that is the handle of its pool
 * @hidden: bits of the attributes that are left out
 * @names: of the others
 */
struct snap_kind {
	const char *what;
	int cmd;
	int pool;
	__u64 hidden;
	const char *names[32];
};

#define SNAP_BIT(attr)	((__u64)1 << (attr))

static const struct snap_kind snap_kinds[] = {
	{
		.what = "pool", .cmd = ZCBUF_CMD_POOL_GET,
		.pool = ZCBUF_A_POOL_HANDLE,
		.hidden = SNAP_BIT(ZCBUF_A_POOL_PAD) |
			  SNAP_BIT(ZCBUF_A_POOL_HANDLE) |
			  SNAP_BIT(ZCBUF_A_POOL_NAME) |
			  SNAP_BIT(ZCBUF_A_POOL_PAGE_ORDER),
		.names = {
			[ZCBUF_A_POOL_KIND] = "kind",
			[ZCBUF_A_POOL_FLAGS] = "flags",
			[ZCBUF_A_POOL_UID] = "uid",
			[ZCBUF_A_POOL_GID] = "gid",
			[ZCBUF_A_POOL_MODE] = "mode",
			[ZCBUF_A_POOL_SIZE] = "size",
			[ZCBUF_A_POOL_USED] = "used",
			[ZCBUF_A_POOL_MIN_FREE] = "min_free",
			[ZCBUF_A_POOL_LARGEST_FREE] = "largest_free",
			[ZCBUF_A_POOL_ARENA_SIZE] = "arena_size",
			[ZCBUF_A_POOL_ARENAS] = "arenas",
			[ZCBUF_A_POOL_SESSIONS] = "sessions",
			[ZCBUF_A_POOL_CHANNELS] = "channels",
			[ZCBUF_A_POOL_MAPPINGS] = "mappings",
			[ZCBUF_A_POOL_BAD_FREES] = "bad_frees",
			[ZCBUF_A_POOL_ZOMBIE] = "zombie",
			[ZCBUF_A_POOL_ORDER_FREE] = "order_free",
			[ZCBUF_A_POOL_CLASS] = "class",
			[ZCBUF_A_POOL_MAX_SIZE] = "max_size",
			[ZCBUF_A_POOL_MAX_USED] = "max_used",
			[ZCBUF_A_POOL_TOKENS] = "tokens",
			[ZCBUF_A_POOL_QUARANTINE_SESSIONS] =
				"quarantine_sessions",
			[ZCBUF_A_POOL_QUARANTINE_BYTES] = "quarantine_bytes",
			[ZCBUF_A_POOL_EXPORTED] = "exported",
		},
	},
	{
		.what = "session", .cmd = ZCBUF_CMD_SESSION_GET,
		.pool = ZCBUF_A_SESSION_POOL,
		.hidden = SNAP_BIT(ZCBUF_A_SESSION_PAD) |
			  SNAP_BIT(ZCBUF_A_SESSION_ID) |
			  SNAP_BIT(ZCBUF_A_SESSION_POOL) |
			  SNAP_BIT(ZCBUF_A_SESSION_AGE_NS) |
			  SNAP_BIT(ZCBUF_A_SESSION_HEARTBEAT_AGE_NS),
		.names = {
			[ZCBUF_A_SESSION_PID] = "pid",
			[ZCBUF_A_SESSION_COMM] = "comm",
			[ZCBUF_A_SESSION_UID] = "uid",
			[ZCBUF_A_SESSION_RIGHTS] = "rights",
			[ZCBUF_A_SESSION_BUFFERS] = "buffers",
			[ZCBUF_A_SESSION_BYTES] = "bytes",
			[ZCBUF_A_SESSION_PENDING] = "pending",
			[ZCBUF_A_SESSION_PENDING_BYTES] = "pending_bytes",
			[ZCBUF_A_SESSION_HELD] = "held",
			[ZCBUF_A_SESSION_HELD_BYTES] = "held_bytes",
			[ZCBUF_A_SESSION_PORTS] = "ports",
			[ZCBUF_A_SESSION_HEARTBEAT_STOPS] = "stops",
			[ZCBUF_A_SESSION_HUNG] = "hung",
			[ZCBUF_A_SESSION_EVICTED] = "evicted",
		},
	},
	{
		.what = "channel", .cmd = ZCBUF_CMD_CHANNEL_GET,
		.pool = ZCBUF_A_CHANNEL_POOL,
		.hidden = SNAP_BIT(ZCBUF_A_CHANNEL_PAD) |
			  SNAP_BIT(ZCBUF_A_CHANNEL_HANDLE) |
			  SNAP_BIT(ZCBUF_A_CHANNEL_POOL),
		.names = {
			[ZCBUF_A_CHANNEL_FLAGS] = "flags",
			[ZCBUF_A_CHANNEL_THRESHOLD] = "threshold",
			[ZCBUF_A_CHANNEL_BLOCK] = "block",
			[ZCBUF_A_CHANNEL_PRODUCERS] = "producers",
			[ZCBUF_A_CHANNEL_CONSUMERS] = "consumers",
			[ZCBUF_A_CHANNEL_FAILED_PORTS] = "failed_ports",
			[ZCBUF_A_CHANNEL_RESERVATIONS] = "reservations",
			[ZCBUF_A_CHANNEL_GROUPS] = "groups",
			[ZCBUF_A_CHANNEL_OFFSET] = "offset",
			[ZCBUF_A_CHANNEL_OUTSTANDING] = "outstanding",
			[ZCBUF_A_CHANNEL_MAX_OUTSTANDING] = "max_outstanding",
			[ZCBUF_A_CHANNEL_PENDING] = "pending",
			[ZCBUF_A_CHANNEL_QUEUED] = "queued",
			[ZCBUF_A_CHANNEL_PARKED] = "parked",
			[ZCBUF_A_CHANNEL_FAILED] = "failed",
			[ZCBUF_A_CHANNEL_DELIVERED] = "delivered",
			[ZCBUF_A_CHANNEL_STRAGGLERS] = "stragglers",
			[ZCBUF_A_CHANNEL_BYTES] = "bytes",
			[ZCBUF_A_CHANNEL_FINALIZED] = "finalized",
			[ZCBUF_A_CHANNEL_DOMAIN] = "domain",
			[ZCBUF_A_CHANNEL_SERVICE] = "service",
			[ZCBUF_A_CHANNEL_INSTANCE] = "instance",
			[ZCBUF_A_CHANNEL_EVENT] = "event",
			[ZCBUF_A_CHANNEL_HISTORY] = "history",
			[ZCBUF_A_CHANNEL_KEPT] = "kept",
			[ZCBUF_A_CHANNEL_LOST] = "lost",
			[ZCBUF_A_CHANNEL_FREEZING] = "freezing",
		},
	},
	{
		.what = "arena", .cmd = ZCBUF_CMD_ARENA_GET,
		.pool = ZCBUF_A_ARENA_POOL,
		.hidden = SNAP_BIT(ZCBUF_A_ARENA_PAD) |
			  SNAP_BIT(ZCBUF_A_ARENA_POOL) |
			  SNAP_BIT(ZCBUF_A_ARENA_PAGE_ORDER) |
			  SNAP_BIT(ZCBUF_A_ARENA_NODE),
		.names = {
			[ZCBUF_A_ARENA_INDEX] = "index",
			[ZCBUF_A_ARENA_OFFSET] = "offset",
			[ZCBUF_A_ARENA_SIZE] = "size",
			[ZCBUF_A_ARENA_USED] = "used",
			[ZCBUF_A_ARENA_LARGEST_FREE] = "largest_free",
		},
	},
};

#define SNAP_KINDS	(sizeof(snap_kinds) / sizeof(snap_kinds[0]))

static __inline__ const struct snap_kind *snap_kind_of(int cmd)
{
	size_t i;

	for (i = 0; i < SNAP_KINDS; i++)
		if (snap_kinds[i].cmd == cmd)
			return &snap_kinds[i];
	return NULL;
}

/* -------------------------------------------------------------------- text */

static __inline__ void __attribute__((format(printf, 2, 3)))
snap_print(struct snapshot *s, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(s->text + s->len, SNAP_TEXT - s->len, fmt, ap);
	va_end(ap);
	ASSERT_LT(n, SNAP_TEXT - s->len);
	s->len += n;
}

static __inline__ void snap_line_begin(struct snapshot *s, const char *what)
{
	ASSERT_LT(s->lines, SNAP_LINES);
	s->line[s->lines++] = s->text + s->len;
	snap_print(s, "%s", what);
}

static __inline__ void snap_line_end(struct snapshot *s)
{
	ASSERT_LT(s->len + 1, SNAP_TEXT);
	s->text[s->len++] = '\0';
}

static __inline__ int snap_compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static __inline__ void snap_sort(struct snapshot *s)
{
	qsort(s->line, s->lines, sizeof(s->line[0]), snap_compare_lines);
}

static __inline__ void snap_clear(struct snapshot *s)
{
	s->lines = 0;
	s->len = 0;
}

static __inline__ bool snap_is_text(const unsigned char *data, int len)
{
	int i;

	for (i = 0; i < len - 1; i++)
		if (!isgraph(data[i]))
			return false;
	return len > 1 && !data[len - 1];
}

static __inline__ void snap_value(struct snapshot *s, const void *data, int len)
{
	const unsigned char *byte = data;
	__u64 wide;
	__u32 narrow;
	int i;

	if (snap_is_text(data, len)) {
		snap_print(s, "=%s", (const char *)data);
	} else if (len == sizeof(wide)) {
		memcpy(&wide, data, sizeof(wide));
		snap_print(s, "=%llu", (unsigned long long)wide);
	} else if (len == sizeof(narrow)) {
		memcpy(&narrow, data, sizeof(narrow));
		snap_print(s, "=%u", narrow);
	} else if (len) {
		snap_print(s, "=");
		for (i = 0; i < len; i++)
			snap_print(s, "%02x", byte[i]);
	}
}

static __inline__ void snap_attr(struct snapshot *s, const struct snap_kind *k,
				 const struct nlattr *a)
{
	int type = nl_attr_type(a);

	if (type < 64 && k->hidden & SNAP_BIT(type))
		return;
	if (type < 32 && k->names[type])
		snap_print(s, " %s", k->names[type]);
	else
		snap_print(s, " attribute%d", type);
	snap_value(s, nl_attr_data(a), a->nla_len - NLA_HDRLEN);
}

/* ------------------------------------------------------------------- names */

static __inline__ void snap_name_add(struct snap_names *names,
				     const struct nlmsghdr *n)
{
	const char *name;
	int len = 0;

	ASSERT_LT(names->n, SNAP_POOLS);
	names->pool[names->n].handle = nl_number(n, ZCBUF_A_POOL_HANDLE);
	name = nl_find(n, ZCBUF_A_POOL_NAME, &len);
	len = name ? (int)strcspn(name, "-") : 0;
	memcpy(names->pool[names->n].name, name ? name : "", len);
	names->pool[names->n++].name[len] = '\0';
}

static __inline__ const char *snap_name(const struct snap_names *names,
					__u64 handle)
{
	unsigned int i;

	for (i = 0; i < names->n; i++)
		if (names->pool[i].handle == handle)
			return names->pool[i].name;
	return "?";
}

/* ------------------------------------------------------------------- dumps */

/* Messages of @len bytes from @n; 1: the last of the dump was there. */
static __inline__ int snap_take_piece(struct snap_raw *raw, struct nlmsghdr *n,
				      size_t len)
{
	int err;

	for (; NLMSG_OK(n, len); n = NLMSG_NEXT(n, len)) {
		/* Both begin with what went wrong. */
		memcpy(&err, NLMSG_DATA(n), sizeof(err));
		if (n->nlmsg_type == NLMSG_ERROR)
			return err ? err : -EPROTO;
		if (n->nlmsg_type == NLMSG_DONE)
			return err < 0 ? err : 1;
		if (raw->len + NLMSG_ALIGN(n->nlmsg_len) > SNAP_RAW)
			return -E2BIG;
		memcpy(raw->data + raw->len, n, n->nlmsg_len);
		raw->len += NLMSG_ALIGN(n->nlmsg_len);
	}
	return 0;
}

/*
 * The answer to a dump, read in pieces of @piece; a NULL @raw only looks at the
 * first. 0 or -errno. Needs no memory but what is here, and asserts nothing.
 */
static __inline__ int snap_read(int sk, size_t piece, struct snap_raw *raw)
{
	static char buf[SNAP_PIECE] __attribute__((aligned(NLMSG_ALIGNTO)));
	ssize_t len;
	int err;

	if (raw)
		raw->len = 0;
	do {
		len = recv(sk, buf, piece, MSG_TRUNC);
		if (len < 0)
			return -errno;
		if ((size_t)len > piece)
			return -EMSGSIZE;
		err = raw ? snap_take_piece(raw, (void *)buf, len) : 1;
	} while (!err);
	return err < 0 ? err : 0;
}

static __inline__ int snap_dump(int sk, int family, int cmd,
				struct snap_raw *raw)
{
	struct request r = nl_request(family, cmd, NLM_F_DUMP);
	int err = nl_send(sk, &r);

	return err ? err : snap_read(sk, SNAP_PIECE, raw);
}

static __inline__ void snap_message(struct snapshot *s,
				    const struct snap_kind *k,
				    const struct snap_names *names,
				    const struct nlmsghdr *n)
{
	const char *pool = snap_name(names, nl_number(n, k->pool));
	const struct nlattr *a;

	snap_line_begin(s, k->what);
	snap_print(s, " of %s:", *pool ? pool : "nobody");
	for (a = nl_attrs(n); a; a = nl_attr_next(a, nl_end(n)))
		snap_attr(s, k, a);
	snap_line_end(s);
}

/* Pools give the others their names, so they come first. */
static __inline__ void snap_format(struct snapshot *s, struct snap_names *names,
				   const struct snap_kind *k,
				   const struct snap_raw *raw)
{
	const struct nlmsghdr *n = (const void *)raw->data;
	size_t len = raw->len;

	for (; NLMSG_OK(n, len); n = NLMSG_NEXT(n, len)) {
		if (k->cmd == ZCBUF_CMD_POOL_GET)
			snap_name_add(names, n);
		snap_message(s, k, names, n);
	}
}

/* ------------------------------------------------------------- all of them */

static __inline__ void snap_charges(struct snapshot *s)
{
	int fd = zt_open(O_RDONLY);
	struct zcbuf_query q;

	ASSERT_GE(fd, 0);
	ASSERT_OK(zt_query(fd, &q));
	close(fd);
	snap_line_begin(s, "charged");
	snap_print(s, " user=%llu total=%llu",
		   (unsigned long long)q.out_user_charged,
		   (unsigned long long)q.out_total_charged);
	snap_line_end(s);
}

static __inline__ void snap_module(struct snapshot *s)
{
	char text[32] = "";
	int fd = open("/sys/module/zcbuf/refcnt", O_RDONLY | O_CLOEXEC);

	ASSERT_GE(fd, 0);
	ASSERT_GT(read(fd, text, sizeof(text) - 1), 0);
	close(fd);
	snap_line_begin(s, "module");
	snap_print(s, " references=%d", atoi(text));
	snap_line_end(s);
}

static __inline__ void snap_take(struct snapshot *s)
{
	static struct snap_names names;
	static struct snap_raw raw;
	static int sk, family;
	size_t i;

	if (!family) {
		sk = nl_socket();
		ASSERT_GE(sk, 0);
		family = nl_family(sk);
		ASSERT_GT(family, 0);
	}
	names.n = 0;
	snap_clear(s);
	for (i = 0; i < SNAP_KINDS; i++) {
		ASSERT_OK(snap_dump(sk, family, snap_kinds[i].cmd, &raw));
		snap_format(s, &names, &snap_kinds[i], &raw);
	}
	snap_charges(s);
	snap_module(s);
	snap_sort(s);
}

static __inline__ bool snap_same(const struct snapshot *a,
				 const struct snapshot *b)
{
	unsigned int i;

	if (a->lines != b->lines)
		return false;
	for (i = 0; i < a->lines; i++)
		if (strcmp(a->line[i], b->line[i]))
			return false;
	return true;
}

/* ------------------------------------------------------------- differences */

/* The words of two lines that are not the same, if they match one by one. */
static __inline__ void snap_show_words(char *wanted, char *seen)
{
	char *rest[2], *word[2];

	word[0] = strtok_r(wanted, " ", &rest[0]);
	word[1] = strtok_r(seen, " ", &rest[1]);
	while (word[0] && word[1]) {
		if (strcmp(word[0], word[1]))
			TEST_LOG("  %s, wanted %s", word[1], word[0]);
		word[0] = strtok_r(NULL, " ", &rest[0]);
		word[1] = strtok_r(NULL, " ", &rest[1]);
	}
	if (word[0])
		TEST_LOG("  wanted %s as well", word[0]);
	if (word[1])
		TEST_LOG("  and %s", word[1]);
}

static __inline__ bool snap_same_object(const char *a, const char *b)
{
	size_t n = strcspn(a, ":=");

	return n == strcspn(b, ":=") && !strncmp(a, b, n);
}

/* What @seen has and @wanted has not, and the other way round; spoils both. */
static __inline__ void snap_show(struct snapshot *wanted, struct snapshot *seen)
{
	unsigned int w = 0, s = 0;
	int order;

	while (w < wanted->lines || s < seen->lines) {
		order = w == wanted->lines ? 1 : s == seen->lines ? -1 :
			strcmp(wanted->line[w], seen->line[s]);
		if (order && w < wanted->lines && s < seen->lines &&
		    snap_same_object(wanted->line[w], seen->line[s])) {
			TEST_LOG("%.*s", (int)strcspn(seen->line[s], ":"),
				 seen->line[s]);
			snap_show_words(wanted->line[w++], seen->line[s++]);
		} else if (order < 0) {
			TEST_LOG("missing: %.900s", wanted->line[w++]);
		} else if (order > 0) {
			TEST_LOG("unwanted: %.900s", seen->line[s++]);
		} else {
			w++;
			s++;
		}
	}
}

#endif /* ZCBUF_SELFTEST_SNAPSHOT_H */

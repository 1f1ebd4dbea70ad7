// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Lists of pools, sessions and channels: what is parsed, what is shown. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <netlink/attr.h>
#include <netlink/msg.h>

#include "harness.h"
#include "show.h"

static const struct zcctl table = {};
static const struct zcctl bytes = { .bytes = true };

static void pool_table(void)
{
	struct result r;

	fake_pool(0x1000000001, "demo");
	fake_pool(0x1000000002, NULL);
	r = run_verb(&verb_pool, table, "list");
	CHECK_EQ(r.status, EXIT_OK);
	CHECK_TEXT(r.out,
"HANDLE        NAME  KIND   UID  MODE   SIZE  LIMIT  USED  MAX-USED  LARGEST  SESSIONS  CHANNELS  MAPPINGS  QUARANTINE  ZOMBIE\n"
"0x1000000001  demo  tiers    -  0640  32MiB  64MiB  6KiB      8KiB        -         -         -         -        4KiB  -\n"
"0x1000000002  -     tiers    -  0640  32MiB  64MiB  6KiB      8KiB        -         -         -         -        4KiB  -\n");
	CHECK_TEXT(r.err, "");
	result_free(&r);
	r = run_verb(&verb_pool, bytes, "");
	CHECK_HAS(r.out, "  33554432  67108864  6144      8192  ");
	result_free(&r);
}

static void no_pools(void)
{
	struct result r = run_json(&verb_pool, table, "list");

	CHECK_EQ(r.status, EXIT_OK);
	CHECK_TEXT(r.out, "{\"pools\":[]}\n");
	result_free(&r);
	r = run_verb(&verb_pool, table, "list");
	CHECK_HAS(r.out, "HANDLE  NAME  ");
	result_free(&r);
}

static void pool_json(void)
{
	struct nl_msg *msg = fake_pool(UINT64_MAX, "demo");
	struct result r;

	nla_put_flag(msg, ZCBUF_A_POOL_ZOMBIE);
	nla_put_u64(msg, ZCBUF_A_POOL_BAD_FREES, UINT64_MAX);
	r = run_json(&verb_pool, table, "show");
	CHECK_EQ(r.status, EXIT_OK);
	CHECK_TEXT(r.out,
"{\"pools\":[{\"handle\":\"0xffffffffffffffff\",\"name\":\"demo\",\"kind\":\"tiers\","
"\"flags\":[\"small_pages\"],\"uid\":null,\"gid\":null,\"mode\":\"0640\","
"\"size\":33554432,\"max_size\":67108864,\"used\":6144,\"max_used\":8192,"
"\"exported\":4096,\"min_free\":null,\"largest_free\":null,"
"\"arena_size\":null,\"arenas\":null,\"page_order\":null,\"sessions\":null,"
"\"channels\":null,\"mappings\":null,\"bad_frees\":18446744073709551615,"
"\"tokens\":null,\"quarantine_sessions\":null,\"quarantine_bytes\":4096,"
"\"quarantine_age_ns\":null,\"zombie\":true,"
"\"free_blocks\":[{\"size\":4096,\"count\":3},{\"size\":8192,\"count\":0},"
"{\"size\":16384,\"count\":1}],"
"\"classes\":[{\"length\":16,\"used\":1,\"total\":256,\"min_free\":null,"
"\"waste\":4080},"
"{\"length\":1024,\"used\":3,\"total\":4,\"min_free\":0,"
"\"waste\":null}],"
"\"arena_list\":[]}]}\n");
	result_free(&r);
}

static void pool_arenas(void)
{
	struct nl_msg *arena;
	struct result r;

	fake_pool(1, "demo");
	fake_pool(2, NULL);
	fake_arena(1, 0);
	arena = fake_arena(1, 1);
	nla_put_u32(arena, ZCBUF_A_ARENA_NODE, 3);
	nla_put_u32(arena, ZCBUF_A_ARENA_STATE, ZCBUF_ARENA_RETIRING);
	fake_arena(2, 0);
	fake_arena(7, 0);
	r = run_json(&verb_pool, table, "show demo");
	CHECK_HAS(r.out,
"\"arena_list\":[{\"index\":0,\"offset\":0,\"size\":2097152,\"used\":0,"
"\"largest_free\":1048576,\"page_order\":9,\"node\":null,"
"\"state\":null},"
"{\"index\":1,\"offset\":2097152,\"size\":2097152,\"used\":8192,"
"\"largest_free\":1048576,\"page_order\":0,\"node\":3,"
"\"state\":\"retiring\"}]}]}\n");
	result_free(&r);
	r = run_verb(&verb_pool, table, "show");
	CHECK_HAS(r.out, "\n  max_size       64MiB\n");
	CHECK_HAS(r.out, "\n  max_used       8KiB\n");
	CHECK_HAS(r.out, "\n  exported       4KiB\n");
	CHECK_HAS(r.out, "\n"
"  ARENA  OFFSET  SIZE  USED  LARGEST  PAGE-ORDER  NODE  STATE\n"
"      0      0B  2MiB    0B     1MiB           9     -  -\n"
"      1    2MiB  2MiB  8KiB     1MiB           0     3  retiring\n\npool 0x2\n");
	CHECK_HAS(r.out, "  NODE  STATE\n      0      0B  2MiB    0B     1MiB           9     -  -\n");
	result_free(&r);
}

/* Only a table does without them. */
static void no_arenas(void)
{
	struct result r;

	fake_pool(1, "demo");
	fake_failure(&arena_spec);
	r = run_verb(&verb_pool, table, "list");
	CHECK_EQ(r.status, EXIT_OK);
	result_free(&r);
	r = run_verb(&verb_pool, table, "show");
	CHECK_EQ(r.status, EXIT_ERROR);
	CHECK_TEXT(r.out, "");
	result_free(&r);
	r = run_json(&verb_pool, table, "list");
	CHECK_TEXT(r.out, "{\"error\":\"no arenas today\"}\n");
	result_free(&r);
}

static void pool_details(void)
{
	struct result r;

	fake_pool(1, "demo");
	fake_pool(2, NULL);
	r = run_verb(&verb_pool, table, "show");
	CHECK_HAS(r.out, "pool demo\n  handle         0x1\n");
	CHECK_HAS(r.out, "\n\npool 0x2\n  handle         0x2\n");
	CHECK_HAS(r.out, "\n  flags          small_pages\n");
	CHECK_HAS(r.out, "\n  free_blocks    4KiB:3 16KiB:1\n"
			 "  CLASS  USED  TOTAL  MIN-FREE   WASTE\n"
			 "    16B     1    256         -  3.9KiB\n"
			 "   1KiB     3      4         0       -\n");
	result_free(&r);
}

static void pool_choice(void)
{
	struct result r;

	fake_pool(0x10, "demo");
	fake_pool(0x20, "demo");
	fake_pool(0x30, "0x10");
	r = run_json(&verb_pool, table, "list demo");
	CHECK_HAS(r.out, "\"0x10\",\"name\":\"demo\"");
	CHECK_HAS(r.out, "\"0x20\"");
	CHECK_LACKS(r.out, "\"0x30\"");
	result_free(&r);
	r = run_json(&verb_pool, table, "show 0x10");
	CHECK_HAS(r.out, "\"handle\":\"0x10\"");
	CHECK_HAS(r.out, "\"handle\":\"0x30\"");
	CHECK_LACKS(r.out, "\"handle\":\"0x20\"");
	result_free(&r);
	r = run_json(&verb_pool, table, "show 0x10x");
	CHECK_EQ(r.status, EXIT_ERROR);
	CHECK_TEXT(r.out, "{\"error\":\"there is no pool '0x10x' that you may see\"}\n");
	CHECK_TEXT(r.err, "zcctl: there is no pool '0x10x' that you may see\n");
	result_free(&r);
	r = run_verb(&verb_pool, table, "show 10");
	CHECK_EQ(r.status, EXIT_ERROR);
	CHECK_TEXT(r.out, "");
	result_free(&r);
}

static void nothing_known(void)
{
	struct result r;

	fake_object(&pool_spec);
	fake_object(&session_spec);
	fake_object(&channel_spec);
	fake_object(&arena_spec);
	r = run_json(&verb_pool, table, "list");
	CHECK_HAS(r.out, "{\"handle\":null,\"name\":null,\"kind\":null,");
	CHECK_HAS(r.out, "\"zombie\":false,\"free_blocks\":[],\"classes\":[],"
			 "\"arena_list\":[{\"index\":null,");
	result_free(&r);
	r = run_json(&verb_session, table, "list");
	CHECK_HAS(r.out, "[{\"id\":null,\"pool\":null,");
	result_free(&r);
	r = run_json(&verb_channel, table, "list");
	CHECK_HAS(r.out, "\"finalized\":false}]");
	result_free(&r);
	r = run_verb(&verb_pool, table, "show");
	CHECK_EQ(r.status, EXIT_OK);
	CHECK_HAS(r.out, "  size           -\n");
	result_free(&r);
}

static void from_the_future(void)
{
	struct nl_msg *msg = fake_pool(1, "demo");
	struct nlattr *nest;
	struct result r;

	nla_put_u32(msg, ZCBUF_A_POOL_MAX + 1, 7);
	nla_put_string(msg, 1000, "what?");
	nla_put(msg, ZCBUF_A_POOL_PAD, 0, NULL);
	nla_put_u64(msg, ZCBUF_A_POOL_SESSIONS, 1ULL << 33);
	nla_put_u32(msg, ZCBUF_A_POOL_MIN_FREE, 4096);
	nest = nla_nest_start(msg, ZCBUF_A_POOL_CLASS);
	nla_put_u32(msg, ZCBUF_A_CLASS_LENGTH, 64);
	nla_put_string(msg, ZCBUF_A_CLASS_MAX + 1, "?");
	nla_nest_end(msg, nest);
	msg = fake_session(1, 1, 1);
	nla_put_u32(msg, ZCBUF_A_SESSION_RIGHTS, 0x80000003);
	msg = fake_object(&pool_spec);
	nla_put_u32(msg, ZCBUF_A_POOL_KIND, 77);
	nla_put_u32(msg, ZCBUF_A_POOL_FLAGS,
		    0x10000 | ZCBUF_POOL_F_NODE | ZCBUF_POOL_F_AUTO_GROW |
		    ZCBUF_POOL_F_INTERLEAVE);
	r = run_json(&verb_pool, table, "list");
	CHECK_EQ(r.status, EXIT_OK);
	CHECK_HAS(r.out, "\"sessions\":8589934592,");
	CHECK_HAS(r.out, "\"min_free\":4096,");
	CHECK_HAS(r.out, "{\"length\":64,\"used\":0,\"total\":0,\"min_free\":null,\"waste\":null}],");
	CHECK_HAS(r.out, "\"kind\":\"unknown(77)\",\"flags\":[\"node\",\"auto_grow\",\"interleave\",\"0x10000\"]");
	CHECK_LACKS(r.out, "what?");
	result_free(&r);
	r = run_json(&verb_session, table, "list");
	CHECK_HAS(r.out, "\"rights\":[\"map_read\",\"map_write\",\"0x80000000\"]");
	result_free(&r);
	r = run_verb(&verb_session, table, "list");
	CHECK_HAS(r.out, " rw---+0x80000000 ");
	result_free(&r);
}

static void malformed(const struct spec *spec, int attr, const char *data,
		      int length, const struct verb *verb)
{
	struct result r;

	nla_put(fake_object(spec), attr, length, data);
	r = run_verb(verb, table, "list");
	CHECK_EQ(r.status, EXIT_ERROR);
	CHECK_TEXT(r.out, "");
	result_free(&r);
}

static void malformed_number(void)
{
	malformed(&pool_spec, ZCBUF_A_POOL_SIZE, "abc", 3, &verb_pool);
}

static void malformed_text(void)
{
	malformed(&session_spec, ZCBUF_A_SESSION_COMM, "abcd", 4, &verb_session);
}

static void malformed_empty_text(void)
{
	malformed(&pool_spec, ZCBUF_A_POOL_NAME, "", 0, &verb_pool);
}

static void malformed_arena(void)
{
	struct result r;

	fake_pool(1, "demo");
	nla_put(fake_object(&arena_spec), ZCBUF_A_ARENA_USED, 3, "abc");
	r = run_verb(&verb_pool, table, "show");
	CHECK_EQ(r.status, EXIT_ERROR);
	CHECK_TEXT(r.out, "");
	result_free(&r);
}

static void malformed_orders(void)
{
	malformed(&pool_spec, ZCBUF_A_POOL_ORDER_FREE, "abcde", 5, &verb_pool);
}

static void malformed_class(void)
{
	struct nl_msg *msg = fake_object(&pool_spec);
	struct nlattr *nest = nla_nest_start(msg, ZCBUF_A_POOL_CLASS);
	struct result r;

	nla_put_u8(msg, ZCBUF_A_CLASS_USED, 1);
	nla_nest_end(msg, nest);
	r = run_verb(&verb_pool, table, "list");
	CHECK_EQ(r.status, EXIT_ERROR);
	result_free(&r);
}

/* What goes in as a process's name, and how it must come out. */
static const struct {
	const char *comm;
	const char *json;
	const char *text;
} names[] = {
	{ "a\"b\\c", "a\\\"b\\\\c", "a\"b\\c" },
	{ "\n\t\x01\x1f\x7f", "\\u000a\\u0009\\u0001\\u001f\\u007f", "?????" },
	{ "\x1b[2J", "\\u001b[2J", "?[2J" },
	{ "b\xc3\xbcro", "b\xc3\xbcro", "b??ro" },
	{ "\xe2\x82\xac\xf0\x9f\x98\x80", "\xe2\x82\xac\xf0\x9f\x98\x80",
	  "???????" },
	{ "\xff.\x80", "\\ufffd.\\ufffd", "?.?" },
	{ "\xc0\xaf", "\\ufffd\\ufffd", "??" },
	{ "\xc3", "\\ufffd", "?" },
	{ "\xe2\x82", "\\ufffd\\ufffd", "??" },
	{ "\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd", "???" },
	{ "\xe0\x9f\xbf", "\\ufffd\\ufffd\\ufffd", "???" },
	{ "\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd", "????" },
	{ "\xf0\x9f\x98(", "\\ufffd\\ufffd\\ufffd(", "??\?(" },
	{ "", "", "" },
};

static void any_name(void)
{
	char *text, *json, *cell;
	struct result r;
	size_t i, n = sizeof(names) / sizeof(names[0]);

	for (i = 0; i < n; i++)
		nla_put_string(fake_object(&session_spec),
			       ZCBUF_A_SESSION_COMM, names[i].comm);
	r = run_json(&verb_session, table, "list");
	for (i = 0, text = r.out; i < n && text; i++) {
		json = xasprintf("\"comm\":\"%s\",", names[i].json);
		CHECK_HAS(text, json);
		free(json);
		text = strstr(text, "\"comm\"");
		text = text ? text + 1 : NULL;
	}
	result_free(&r);
	for (i = 0; i < n; i++) {
		cell = show_text(names[i].comm);
		CHECK_TEXT(cell, names[i].text);
		free(cell);
	}
}

static const struct {
	uint64_t bytes;
	const char *text;
} sizes[] = {
	{ 0, "0B" }, { 1, "1B" }, { 1023, "1023B" }, { 1024, "1KiB" },
	{ 1025, "1.0KiB" }, { 1536, "1.5KiB" }, { 4096, "4KiB" },
	{ 1048575, "1023.9KiB" }, { 1048576, "1MiB" },
	{ 14680064, "14MiB" }, { 1073741824, "1GiB" },
	{ 1099511627776, "1TiB" }, { 1ULL << 63, "8EiB" },
	{ UINT64_MAX, "15.9EiB" },
};

static void any_size(void)
{
	char *text;
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		text = show_bytes(&table, sizes[i].bytes);
		CHECK_TEXT(text, sizes[i].text);
		free(text);
	}
	text = show_bytes(&bytes, UINT64_MAX);
	CHECK_TEXT(text, "18446744073709551615");
	free(text);
}

static void age(uint64_t ns, const char *text)
{
	struct record s = { .have = ~0U };
	struct records none = {};
	char *got;

	s.num[ZCBUF_A_SESSION_AGE_NS] = ns;
	got = show_value(&table,
			 show_field(&session_spec, ZCBUF_A_SESSION_AGE_NS), &s,
			 &none);
	CHECK_TEXT(got, text);
	free(got);
}

static void any_age(void)
{
	uint64_t s = 1000000000;

	age(0, "0.0s");
	age(99999999, "0.0s");
	age(s + s / 2, "1.5s");
	age(60 * s - 1, "59.9s");
	age(60 * s, "1m00s");
	age(3599 * s, "59m59s");
	age(3600 * s, "1h00m");
	age(86399 * s, "23h59m");
	age(86400 * s, "1d00h");
	age(100 * 86400 * s, "100d00h");
}

/* One that beats, one that hangs, one that was evicted; where, if /proc knows it. */
static void heartbeats(void)
{
	struct nl_msg *msg;
	struct result r;

	fake_pool(1, "one");
	fake_session(11, 1, 101);
	msg = fake_session(12, 1, 102);
	nla_put_u64(msg, ZCBUF_A_SESSION_HEARTBEAT_AGE_NS, 1500000000);
	nla_put_u64(msg, ZCBUF_A_SESSION_HEARTBEAT_STOPS, 3);
	nla_put_flag(msg, ZCBUF_A_SESSION_HUNG);
	msg = fake_session(13, 1, 103);
	nla_put_flag(msg, ZCBUF_A_SESSION_EVICTED);
	write_file("proc/101/comm", "ingest\n");
	write_file("proc/101/cgroup", "1:cpu:/old\n0::/user/one\n");
	write_file("proc/102/comm", "another\n");
	write_file("proc/102/cgroup", "0::/user/two\n");
	write_file("proc/103/comm", "ingest\n");
	r = run_json(&verb_session, table, "list");
	CHECK_HAS(r.out, "\"comm\":\"ingest\",\"cgroup\":\"/user/one\",");
	CHECK_LACKS(r.out, "/user/two");
	CHECK_HAS(r.out, "\"heartbeat_age_ns\":null,\"heartbeat_stops\":null,\"hung\":false,\"evicted\":false}");
	CHECK_HAS(r.out, "\"heartbeat_age_ns\":1500000000,\"heartbeat_stops\":3,\"hung\":true,\"evicted\":false}");
	CHECK_HAS(r.out, "\"hung\":false,\"evicted\":true}");
	result_free(&r);
	r = run_verb(&verb_session, table, "list");
	CHECK_HAS(r.out, "  HEARTBEAT  HUNG  EVICTED\n");
	CHECK_HAS(r.out, " 1.5s  yes   -\n");
	CHECK_HAS(r.out, " -     yes\n");
	CHECK_HAS(r.out, "  ingest   /user/one ");
	result_free(&r);
}

static void sessions(void)
{
	struct result r;

	fake_pool(1, "one");
	fake_pool(2, NULL);
	fake_session(11, 1, 101);
	fake_session(12, 2, 0);
	fake_session(13, 3, 103);
	r = run_json(&verb_session, table, "list");
	CHECK_HAS(r.out, "{\"id\":11,\"pool\":\"0x1\",\"pool_name\":\"one\",\"pid\":101,\"comm\":\"ingest\",");
	CHECK_HAS(r.out, "{\"id\":12,\"pool\":\"0x2\",\"pool_name\":null,\"pid\":null,");
	CHECK_HAS(r.out, "{\"id\":13,\"pool\":\"0x3\",\"pool_name\":null,");
	result_free(&r);
	r = run_json(&verb_session, table, "list one");
	CHECK_HAS(r.out, "\"id\":11,");
	CHECK_LACKS(r.out, "\"id\":12,");
	CHECK_LACKS(r.out, "\"id\":13,");
	result_free(&r);
	r = run_verb(&verb_session, table, "list 0x2");
	CHECK_HAS(r.out, "\n12  0x2     -  ingest ");
	CHECK_LACKS(r.out, "\n11 ");
	result_free(&r);
	r = run_verb(&verb_session, table, "list two");
	CHECK_EQ(r.status, EXIT_ERROR);
	result_free(&r);
	r = run_verb(&verb_session, table, "list one two");
	CHECK_EQ(r.status, EXIT_USAGE);
	result_free(&r);
	r = run_verb(&verb_session, table, "show");
	CHECK_EQ(r.status, EXIT_USAGE);
	result_free(&r);
}

/* Every attribute has its own number, which must appear under its key. */
static void fill(const struct spec *spec)
{
	struct nl_msg *msg = fake_object(spec);
	const struct field *f;

	for (f = spec->field; f < spec->field + spec->nfields; f++)
		if (f->show == SHOW_TEXT || f->show == SHOW_LABEL)
			nla_put_string(msg, f->attr, "text");
		else if (f->show == SHOW_YES)
			nla_put_flag(msg, f->attr);
		else
			nla_put_u64(msg, f->attr, 1000 + f->attr);
}

/* The cell below the title, of a table of one row. */
static char *cell_below(const char *out, const char *title)
{
	const char *row = strchr(out, '\n') + 1;
	char *head = xstrdup(out), *cells = xstrdup(row), *found = NULL;
	char *h, *c, *save_h, *save_c;

	*strchr(head, '\n') = 0;
	c = strtok_r(cells, " \n", &save_c);
	for (h = strtok_r(head, " ", &save_h); h && c && !found;
	     h = strtok_r(NULL, " ", &save_h)) {
		if (!strcmp(h, title))
			found = xstrdup(c);
		c = strtok_r(NULL, " \n", &save_c);
	}
	free(head);
	free(cells);
	return found ? found : xstrdup("no such column");
}

static void agree(const struct spec *spec, const struct verb *verb)
{
	struct result t, j;
	const struct field *f;
	char *cell, *pair;

	fill(spec);
	t = run_verb(verb, bytes, "list");
	j = run_json(verb, bytes, "list");
	for (f = spec->field; f < spec->field + spec->nfields; f++) {
		if (f->show != SHOW_COUNT && f->show != SHOW_BYTES &&
		    f->show != SHOW_PID)
			continue;
		pair = xasprintf("\"%s\":%d", f->key, 1000 + f->attr);
		CHECK_HAS(j.out, pair);
		free(pair);
		if (!f->title)
			continue;
		pair = xasprintf("%d", 1000 + f->attr);
		cell = cell_below(t.out, f->title);
		CHECK_TEXT(cell, pair);
		free(cell);
		free(pair);
	}
	result_free(&t);
	result_free(&j);
}

static void pools_agree(void)
{
	agree(&pool_spec, &verb_pool);
}

static void sessions_agree(void)
{
	agree(&session_spec, &verb_session);
}

/* They are shown within their pool. */
static void arenas_agree(void)
{
	const struct field *f;
	struct result t, j;
	char *cell, *pair, *rows;

	fake_pool(1000 + ZCBUF_A_ARENA_POOL, "demo");
	fill(&arena_spec);
	t = run_verb(&verb_pool, bytes, "show");
	j = run_json(&verb_pool, bytes, "show");
	rows = strstr(t.out, "  ARENA ");
	CHECK(rows);
	for (f = arena_spec.field; f < arena_spec.field + arena_spec.nfields;
	     f++) {
		if (!f->title || f->show == SHOW_CHOICE)
			continue;
		pair = xasprintf("\"%s\":%d", f->key, 1000 + f->attr);
		cell = cell_below(rows ? rows : "\n", f->title);
		CHECK_HAS(j.out, pair);
		CHECK_TEXT(cell, strchr(pair, ':') + 1);
		free(cell);
		free(pair);
	}
	result_free(&t);
	result_free(&j);
}

static void channels_agree(void)
{
	agree(&channel_spec, &verb_channel);
}

static struct nl_msg *fake_channel(uint64_t handle, const char *domain)
{
	struct nl_msg *msg = fake_object(&channel_spec);

	nla_put_u64(msg, ZCBUF_A_CHANNEL_HANDLE, handle);
	nla_put_u64(msg, ZCBUF_A_CHANNEL_POOL, 1);
	nla_put_u32(msg, ZCBUF_A_CHANNEL_FLAGS, ZCBUF_CHANNEL_F_TOPIC);
	nla_put_string(msg, ZCBUF_A_CHANNEL_DOMAIN, domain);
	nla_put_string(msg, ZCBUF_A_CHANNEL_SERVICE, "Radar");
	nla_put_string(msg, ZCBUF_A_CHANNEL_INSTANCE, "Front");
	nla_put_string(msg, ZCBUF_A_CHANNEL_EVENT, "Cloud\x1b");
	nla_put_u32(msg, ZCBUF_A_CHANNEL_HISTORY, 8);
	nla_put_u32(msg, ZCBUF_A_CHANNEL_KEPT, 3);
	nla_put_u64(msg, ZCBUF_A_CHANNEL_LOST, 1ULL << 40);
	return msg;
}

static void topics(void)
{
	struct result r;
	char *cell;

	fake_pool(1, "one");
	fake_pool(2, "two");
	fake_channel(0x20, "");
	r = run_verb(&verb_channel, table, "");
	cell = cell_below(r.out, "NAME");
	CHECK_TEXT(cell, "Radar/Front/Cloud?");
	free(cell);
	cell = cell_below(r.out, "MODE");
	CHECK_TEXT(cell, "topic");
	free(cell);
	cell = cell_below(r.out, "LOST");
	CHECK_TEXT(cell, "1099511627776");
	free(cell);
	result_free(&r);
	fake_channel(0x21, "lab");
	nla_put_u64(fake_object(&channel_spec), ZCBUF_A_CHANNEL_POOL, 2);
	r = run_verb(&verb_channel, table, "list");
	CHECK_HAS(r.out, "0x20");
	CHECK_HAS(r.out, " lab/Radar/Front/Cloud?  topic ");
	result_free(&r);
	r = run_json(&verb_channel, table, "list one");
	CHECK_HAS(r.out, "\"domain\":\"\",\"service\":\"Radar\","
			 "\"instance\":\"Front\",\"event\":\"Cloud\\u001b\","
			 "\"flags\":[\"topic\"],\"mode\":\"topic\",");
	CHECK_HAS(r.out, "\"history\":8,\"kept\":3,\"lost\":1099511627776,");
	CHECK_HAS(r.out, "\"domain\":\"lab\"");
	CHECK_LACKS(r.out, "\"pool\":\"0x2\"");
	result_free(&r);
	r = run_verb(&verb_channel, table, "show one");
	CHECK_HAS(r.out, "channel 0x20\n  handle         0x20\n");
	CHECK_HAS(r.out, "\n\nchannel 0x21\n");
	CHECK_HAS(r.out, "\n  domain         lab\n  service        Radar\n");
	CHECK_HAS(r.out, "\n  history        8\n");
	result_free(&r);
	r = run_verb(&verb_channel, table, "show one two");
	CHECK_EQ(r.status, EXIT_USAGE);
	result_free(&r);
	r = run_verb(&verb_channel, table, "show three");
	CHECK_EQ(r.status, EXIT_ERROR);
	CHECK_TEXT(r.out, "");
	result_free(&r);
	r = run_json(&verb_channel, table, "show two");
	CHECK_HAS(r.out, "\"domain\":null,\"service\":null,");
	result_free(&r);
}

static void malformed_label(void)
{
	malformed(&channel_spec, ZCBUF_A_CHANNEL_EVENT, "abcd", 4,
		  &verb_channel);
}

/* An attribute of the header that is not shown is an attribute forgotten. */
static void nothing_forgotten(void)
{
	int attr;

	for (attr = ZCBUF_A_POOL_PAD + 1; attr <= ZCBUF_A_POOL_MAX; attr++)
		CHECK(attr == ZCBUF_A_POOL_ORDER_FREE ||
		      attr == ZCBUF_A_POOL_CLASS ||
		      show_field(&pool_spec, attr));
	for (attr = ZCBUF_A_SESSION_PAD + 1; attr <= ZCBUF_A_SESSION_MAX; attr++)
		CHECK(show_field(&session_spec, attr));
	for (attr = ZCBUF_A_CHANNEL_PAD + 1; attr <= ZCBUF_A_CHANNEL_MAX; attr++)
		CHECK(show_field(&channel_spec, attr));
	for (attr = ZCBUF_A_ARENA_PAD + 1; attr <= ZCBUF_A_ARENA_MAX; attr++)
		CHECK(show_field(&arena_spec, attr));
}

static void no_module(void)
{
	struct result r;

	fake_no_module();
	r = run_json(&verb_channel, table, "list");
	CHECK_EQ(r.status, EXIT_NO_MODULE);
	CHECK_TEXT(r.out, "{\"error\":\"not loaded\"}\n");
	result_free(&r);
}

const struct test_case list_cases[] = {
	{ "pool_table", pool_table },
	{ "no_pools", no_pools },
	{ "pool_json", pool_json },
	{ "pool_details", pool_details },
	{ "pool_arenas", pool_arenas },
	{ "no_arenas", no_arenas },
	{ "pool_choice", pool_choice },
	{ "nothing_known", nothing_known },
	{ "from_the_future", from_the_future },
	{ "malformed_number", malformed_number },
	{ "malformed_text", malformed_text },
	{ "malformed_empty_text", malformed_empty_text },
	{ "malformed_arena", malformed_arena },
	{ "malformed_orders", malformed_orders },
	{ "malformed_class", malformed_class },
	{ "malformed_label", malformed_label },
	{ "any_name", any_name },
	{ "any_size", any_size },
	{ "any_age", any_age },
	{ "sessions", sessions },
	{ "heartbeats", heartbeats },
	{ "pools_agree", pools_agree },
	{ "sessions_agree", sessions_agree },
	{ "channels_agree", channels_agree },
	{ "topics", topics },
	{ "arenas_agree", arenas_agree },
	{ "nothing_forgotten", nothing_forgotten },
	{ "no_module", no_module },
	{}
};

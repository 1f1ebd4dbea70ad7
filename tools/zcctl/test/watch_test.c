// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* zcctl channel watch: what is said of each event, and when it ends. */
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "harness.h"

static const struct zcctl lines = {};
static const struct zcctl json = { .format = FORMAT_JSON };

static struct nl_msg *fake_port(uint32_t kind, const char *domain)
{
	struct nl_msg *msg = fake_event(kind);

	nla_put_string(msg, ZCBUF_A_EVENT_NAME, "demo");
	nla_put_u64(msg, ZCBUF_A_EVENT_CHANNEL, 0x2000000001);
	nla_put_u32(msg, ZCBUF_A_EVENT_FLAGS, ZCBUF_CHANNEL_F_TOPIC);
	nla_put_string(msg, ZCBUF_A_EVENT_DOMAIN, domain);
	nla_put_string(msg, ZCBUF_A_EVENT_SERVICE, "Radar");
	nla_put_string(msg, ZCBUF_A_EVENT_INSTANCE, "Front");
	nla_put_string(msg, ZCBUF_A_EVENT_EVENT, "Points");
	nla_put_u32(msg, ZCBUF_A_EVENT_ROLE,
		    ZCBUF_PORT_PRODUCE | ZCBUF_PORT_RECV_FAILED);
	nla_put_u64(msg, ZCBUF_A_EVENT_SESSION, 7);
	nla_put_u32(msg, ZCBUF_A_EVENT_PID, 123);
	nla_put_string(msg, ZCBUF_A_EVENT_COMM, "ra\033dar");
	return msg;
}

static struct nl_msg *fake_death(void)
{
	struct nl_msg *msg = fake_event(ZCBUF_EVENT_SESSION_GONE);

	nla_put_u64(msg, ZCBUF_A_EVENT_SESSION, 7);
	nla_put_u32(msg, ZCBUF_A_EVENT_PID, 123);
	nla_put_u64(msg, ZCBUF_A_EVENT_BUFFERS, 3);
	nla_put_u64(msg, ZCBUF_A_EVENT_BYTES, 12288);
	nla_put_u64(msg, ZCBUF_A_EVENT_FAILED, 2);
	nla_put_u64(msg, ZCBUF_A_EVENT_RELEASED, 1);
	return msg;
}

static void as_lines(void)
{
	struct result r;

	fake_port(ZCBUF_EVENT_PORT_OPENED, "");
	fake_port(ZCBUF_EVENT_PORT_CLOSED, "d");
	fake_death();
	fake_loss();
	fake_event(77);
	r = run_verb(&verb_channel, lines, "watch");
	CHECK_EQ(r.status, EXIT_OK);
	CHECK_TEXT(r.out,
"port_opened      pool=0x1000000001 pool_name=demo channel=0x2000000001 name=Radar/Front/Points ports=produce,recv_failed session=7 pid=123 comm=ra?dar\n"
"port_closed      pool=0x1000000001 pool_name=demo channel=0x2000000001 name=d/Radar/Front/Points ports=produce,recv_failed session=7 pid=123 comm=ra?dar\n"
"session_gone     pool=0x1000000001 session=7 pid=123 buffers=3 bytes=12288 failed=2 released=1\n"
"events_lost\n"
"event_77         pool=0x1000000001\n");
	CHECK_TEXT(r.err, "");
	result_free(&r);
}

/* An object on a line of its own for each. */
static void as_json(void)
{
	struct result r;

	fake_port(ZCBUF_EVENT_CHANNEL_APPEARED, "d");
	fake_loss();
	fake_death();
	r = run_verb(&verb_channel, json, "watch");
	CHECK_EQ(r.status, EXIT_OK);
	CHECK_TEXT(r.out,
"{\"what\":\"channel_appeared\",\"time_ns\":1000,\"pool\":\"0x1000000001\",\"pool_name\":\"demo\",\"channel\":\"0x2000000001\",\"domain\":\"d\",\"service\":\"Radar\",\"instance\":\"Front\",\"event\":\"Points\",\"ports\":[\"produce\",\"recv_failed\"],\"session\":7,\"pid\":123,\"comm\":\"ra\\u001bdar\",\"lost\":0}\n"
"{\"what\":\"events_lost\"}\n"
"{\"what\":\"session_gone\",\"time_ns\":1002,\"pool\":\"0x1000000001\",\"session\":7,\"pid\":123,\"buffers\":3,\"bytes\":12288,\"failed\":2,\"released\":1,\"lost\":0}\n");
	result_free(&r);
}

static void so_many(void)
{
	struct result r;

	fake_death();
	fake_death();
	fake_death();
	r = run_verb(&verb_channel, lines, "watch --count=2");
	CHECK_EQ(r.status, EXIT_OK);
	CHECK_TEXT(r.out,
"session_gone     pool=0x1000000001 session=7 pid=123 buffers=3 bytes=12288 failed=2 released=1\n"
"session_gone     pool=0x1000000001 session=7 pid=123 buffers=3 bytes=12288 failed=2 released=1\n");
	result_free(&r);
}

/* Each that the kernel of this header has is called by its name. */
static void every_kind(void)
{
	struct result r;
	uint32_t kind;

	for (kind = 0; kind <= ZCBUF_EVENT_SESSION_EVICTED; kind++)
		fake_event(kind);
	r = run_verb(&verb_channel, lines, "watch");
	CHECK_LACKS(r.out, "event_");
	CHECK_HAS(r.out, "\nsession_hung     pool=");
	CHECK_HAS(r.out, "\nsession_evicted  pool=");
	result_free(&r);
}

/* Whatever it is that comes: it is shown as far as it can be. */
static void malformed(void)
{
	struct nl_msg *msg = fake_event(ZCBUF_EVENT_PORT_OPENED);
	struct result r;

	nla_put(msg, ZCBUF_A_EVENT_COMM, 3, "abc");
	nla_put(msg, ZCBUF_A_EVENT_PID, 2, "ab");
	nla_put_string(msg, ZCBUF_A_EVENT_MAX + 1, "new");
	r = run_verb(&verb_channel, lines, "watch");
	CHECK_TEXT(r.out, "port_opened      pool=0x1000000001 pid=0 comm=\n");
	result_free(&r);
}

static void no_module(void)
{
	struct result r;

	fake_no_module();
	r = run_verb(&verb_channel, json, "watch");
	CHECK_EQ(r.status, EXIT_NO_MODULE);
	CHECK_TEXT(r.out, "{\"error\":\"not loaded\"}\n");
	result_free(&r);
}

const struct test_case watch_cases[] = {
	{ "watch_lines", as_lines },
	{ "watch_json", as_json },
	{ "watch_so_many", so_many },
	{ "watch_every_kind", every_kind },
	{ "watch_malformed", malformed },
	{ "watch_no_module", no_module },
	{}
};

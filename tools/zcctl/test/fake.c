// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* A kernel in the form of netlink messages, instead of ../netlink.c. */
#include <stdlib.h>
#include <string.h>

#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include "harness.h"
#include "source.h"

static struct {
	const struct spec *spec;
	struct nl_msg *msg;
} objects[64];
static size_t nobjects;
static struct nl_msg *events[16];	/* NULL: some were lost */
static size_t nevents;
static bool no_module;
static const struct spec *failing;

static void forget(void)
{
	while (nobjects)
		nlmsg_free(objects[--nobjects].msg);
	while (nevents)
		nlmsg_free(events[--nevents]);
}

struct nl_msg *fake_object(const struct spec *spec)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (!nobjects)
		atexit(forget);
	genlmsg_put(msg, 0, 0, 0x20, 0, NLM_F_MULTI, spec->cmd,
		    ZCBUF_GENL_VERSION);
	objects[nobjects].spec = spec;
	objects[nobjects++].msg = msg;
	return msg;
}

static void put_class(struct nl_msg *msg, uint32_t length, uint32_t used,
		      uint32_t total, const uint32_t *min_free)
{
	struct nlattr *nest = nla_nest_start(msg, ZCBUF_A_POOL_CLASS);

	nla_put_u32(msg, ZCBUF_A_CLASS_LENGTH, length);
	nla_put_u32(msg, ZCBUF_A_CLASS_USED, used);
	nla_put_u32(msg, ZCBUF_A_CLASS_TOTAL, total);
	if (min_free)
		nla_put_u32(msg, ZCBUF_A_CLASS_MIN_FREE, *min_free);
	else
		nla_put_u64(msg, ZCBUF_A_CLASS_WASTE,
			    (uint64_t)(total - used) * length);
	nla_nest_end(msg, nest);
}

struct nl_msg *fake_pool(uint64_t handle, const char *name)
{
	static const uint32_t order_free[] = { 3, 0, 1 };
	const uint32_t none = 0;
	struct nl_msg *msg = fake_object(&pool_spec);

	nla_put_u64(msg, ZCBUF_A_POOL_HANDLE, handle);
	if (name)
		nla_put_string(msg, ZCBUF_A_POOL_NAME, name);
	nla_put_u32(msg, ZCBUF_A_POOL_KIND, ZCBUF_POOL_TIERS);
	nla_put_u32(msg, ZCBUF_A_POOL_FLAGS, ZCBUF_POOL_F_SMALL_PAGES);
	nla_put_u32(msg, ZCBUF_A_POOL_MODE, 0640);
	nla_put_u64(msg, ZCBUF_A_POOL_SIZE, 32 << 20);
	nla_put_u64(msg, ZCBUF_A_POOL_MAX_SIZE, 64 << 20);
	nla_put_u64(msg, ZCBUF_A_POOL_USED, 6144);
	nla_put_u64(msg, ZCBUF_A_POOL_MAX_USED, 8192);
	nla_put_u64(msg, ZCBUF_A_POOL_QUARANTINE_BYTES, 4096);
	nla_put_u64(msg, ZCBUF_A_POOL_EXPORTED, 4096);
	nla_put(msg, ZCBUF_A_POOL_ORDER_FREE, sizeof(order_free), order_free);
	put_class(msg, 16, 1, 256, NULL);
	put_class(msg, 1024, 3, 4, &none);
	return msg;
}

struct nl_msg *fake_session(uint64_t id, uint64_t pool, uint32_t pid)
{
	struct nl_msg *msg = fake_object(&session_spec);

	nla_put_u64(msg, ZCBUF_A_SESSION_ID, id);
	nla_put_u64(msg, ZCBUF_A_SESSION_POOL, pool);
	nla_put_u32(msg, ZCBUF_A_SESSION_PID, pid);
	nla_put_string(msg, ZCBUF_A_SESSION_COMM, "ingest");
	nla_put_u64(msg, ZCBUF_A_SESSION_BYTES, 8192);
	return msg;
}

struct nl_msg *fake_arena(uint64_t pool, uint32_t index)
{
	struct nl_msg *msg = fake_object(&arena_spec);

	nla_put_u64(msg, ZCBUF_A_ARENA_POOL, pool);
	nla_put_u32(msg, ZCBUF_A_ARENA_INDEX, index);
	nla_put_u64(msg, ZCBUF_A_ARENA_OFFSET, (uint64_t)index << 21);
	nla_put_u64(msg, ZCBUF_A_ARENA_SIZE, 2 << 20);
	nla_put_u64(msg, ZCBUF_A_ARENA_USED, 8192 * index);
	nla_put_u64(msg, ZCBUF_A_ARENA_LARGEST_FREE, 1 << 20);
	nla_put_u32(msg, ZCBUF_A_ARENA_PAGE_ORDER, index ? 0 : 9);
	return msg;
}

void fake_failure(const struct spec *spec)
{
	failing = spec;
}

void fake_no_module(void)
{
	no_module = true;
}

int source_dump(struct zcctl *z, const struct spec *spec, struct records *all)
{
	size_t i;

	if (no_module)
		return zcctl_fail(z, EXIT_NO_MODULE, "not loaded");
	if (failing == spec)
		return zcctl_fail(z, EXIT_ERROR, "no %s today", spec->plural);
	for (i = 0; i < nobjects; i++)
		if (objects[i].spec == spec &&
		    records_parse(all, spec, nlmsg_hdr(objects[i].msg)))
			return zcctl_fail(z, EXIT_ERROR, "bad message");
	return EXIT_OK;
}

struct nl_msg *fake_event(uint32_t kind)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (!nevents && !nobjects)
		atexit(forget);
	genlmsg_put(msg, 0, 0, 0x20, 0, 0, ZCBUF_CMD_EVENT,
		    ZCBUF_GENL_VERSION);
	nla_put_u32(msg, ZCBUF_A_EVENT_KIND, kind);
	nla_put_u64(msg, ZCBUF_A_EVENT_TIME_NS, 1000 + nevents);
	nla_put_u64(msg, ZCBUF_A_EVENT_LOST, 0);
	nla_put_u64(msg, ZCBUF_A_EVENT_POOL, 0x1000000001);
	events[nevents++] = msg;
	return msg;
}

void fake_loss(void)
{
	events[nevents++] = NULL;
}

int source_events(struct zcctl *z, source_heard heard, void *arg)
{
	size_t i;

	if (no_module)
		return zcctl_fail(z, EXIT_NO_MODULE, "not loaded");
	for (i = 0; i < nevents; i++)
		if (!heard(arg, events[i] ? nlmsg_hdr(events[i]) : NULL))
			break;
	return EXIT_OK;
}

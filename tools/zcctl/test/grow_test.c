// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Making a pool grow: which one, what it is asked, what is said of the answer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/zcbuf.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "fake_device.h"
#include "harness.h"

static const struct zcctl table = {};
static const struct zcctl bytes = { .bytes = true };

static void grows(void)
{
	struct result r;

	device_pool(0x10, "demo", 1234);
	r = run_verb(&verb_pool, table, "grow demo");
	CHECK_EQ(r.status, EXIT_OK);
	CHECK_TEXT(r.out, "pool demo: grown by 2MiB to 6MiB of at most 8MiB\n");
	CHECK_TEXT(r.err, "");
	CHECK_EQ(device.attach.size, sizeof(device.attach));
	CHECK_EQ(device.attach.flags, ZCBUF_ATTACH_F_UID);
	CHECK_EQ(device.attach.uid, 1234);
	CHECK_EQ(device.attach.rights, ZCBUF_RIGHT_ADMIN);
	CHECK_TEXT(device.name, "demo");
	CHECK_EQ(device.grown, 1);
	CHECK_EQ(device.closed, 1);
	result_free(&r);
	r = run_verb(&verb_pool, bytes, "grow 0x10");
	CHECK_TEXT(r.out, "pool demo: grown by 2097152 to 6291456 of at most 8388608\n");
	result_free(&r);
	r = run_json(&verb_pool, table, "grow demo");
	CHECK_TEXT(r.out, "{\"grown\":{\"handle\":\"0x10\",\"name\":\"demo\","
		   "\"size\":6291456,\"max_size\":8388608,\"arena\":2,"
		   "\"arena_size\":2097152,\"page_order\":9}}\n");
	result_free(&r);
}

static void grow_usage(void)
{
	struct result r = run_verb(&verb_pool, table, "grow");

	CHECK_EQ(r.status, EXIT_USAGE);
	result_free(&r);
	r = run_verb(&verb_pool, table, "grow a b");
	CHECK_EQ(r.status, EXIT_USAGE);
	result_free(&r);
	CHECK_EQ(device.opened, 0);
}

static void grow_no_pool(void)
{
	device_pool(0x10, "demo", 0);
	device_fails("grow nope", "there is no pool 'nope' that you may see");
	CHECK_EQ(device.opened, 0);
}

/* One's own is meant; of several that are not, none is. */
static void grow_choice(void)
{
	uint32_t me = geteuid();
	struct result r;

	device_pool(0x10, "demo", me + 1);
	device_pool(0x20, "demo", me + 2);
	device_pool(0x30, "demo", me);
	r = run_verb(&verb_pool, table, "grow demo");
	CHECK_EQ(r.status, EXIT_OK);
	CHECK_EQ(device.attach.uid, me);
	result_free(&r);
	device.handle = 0x20;
	r = run_verb(&verb_pool, table, "grow 0x20");
	CHECK_EQ(r.status, EXIT_OK);
	CHECK_EQ(device.attach.uid, me + 2);
	result_free(&r);
	/* A name that looks like a handle. */
	device_pool(0x40, "0x20", me);
	r = run_verb(&verb_pool, table, "grow 0x20");
	CHECK_EQ(r.status, EXIT_OK);
	CHECK_TEXT(device.name, "0x20");
	result_free(&r);
	device.handle = 0x20;
	r = run_verb(&verb_pool, table, "grow 0x020");
	CHECK_EQ(r.status, EXIT_OK);
	CHECK_TEXT(device.name, "demo");
	result_free(&r);
}

static void grow_several(void)
{
	uint32_t me = geteuid();
	char *error;

	device_pool(0x10, "demo", me + 1);
	device_pool(0x20, "demo", me + 2);
	error = xasprintf("there are 2 pools 'demo', give a handle: 0x10 (user %u), 0x20 (user %u)",
			  me + 1, me + 2);
	device_fails("grow demo", error);
	free(error);
	/* Two of one's own: in IPC namespaces of their own. */
	device_pool(0x30, "demo", me);
	device_pool(0x40, "demo", me);
	error = xasprintf("there are 4 pools 'demo', give a handle: 0x10 (user %u), 0x20 (user %u), 0x30 (user %u), 0x40 (user %u)",
			  me + 1, me + 2, me, me);
	device_fails("grow demo", error);
	free(error);
	CHECK_EQ(device.opened, 0);
}

static void grow_without_name(void)
{
	device_pool(0x10, NULL, 0);
	device_fails("grow 0x10", "pool '0x10' has no name: only a program that has it open can make it grow");
	CHECK_EQ(device.opened, 0);
}

static void grow_zombie(void)
{
	nla_put_flag(fake_pool(0x10, "demo"), ZCBUF_A_POOL_ZOMBIE);
	device_fails("grow demo", "pool 'demo' is destroyed, only pinned pages are left");
	CHECK_EQ(device.opened, 0);
}

static void grow_no_device(void)
{
	device_pool(0x10, "demo", 0);
	device.open_error = -EACCES;
	device_fails("grow demo", "cannot open /dev/zcbuf: Permission denied; see: zcctl check");
}

static void grow_no_attach(void)
{
	device_pool(0x10, "demo", 1234);
	device.attach_error = -EPERM;
	device_fails("grow demo", "pool 'demo' can only be grown by its user, 1234, or with CAP_SYS_ADMIN");
	device.attach_error = -ENOENT;
	device_fails("grow demo", "pool 'demo' (0x10) is gone, or its name is in another IPC namespace");
	device.attach_error = -EMFILE;
	device_fails("grow demo", "pool 'demo' has as many sessions as a pool may have");
	device.attach_error = -EINTR;
	device_fails("grow demo", "cannot attach to pool 'demo': Interrupted system call");
	device.attach_error = 0;
	device.info_error = -EINTR;
	device_fails("grow demo", "cannot attach to pool 'demo': Interrupted system call");
	CHECK_EQ(device.grown, 0);
}

/* The name leads to another pool, which must stay as it is. */
static void grow_other_pool(void)
{
	device_pool(0x10, "demo", 1234);
	device.handle = 0x20;
	device_fails("grow demo", "pool 'demo' (0x10) is gone, or its name is in another IPC namespace");
	CHECK_EQ(device.grown, 0);
}

static void grow_at_limit(void)
{
	device_pool(0x10, "demo", 1234);
	device.info.out_size = 8 << 20;
	device.grow_error = -E2BIG;
	device_fails("grow demo", "pool 'demo' cannot grow by 2MiB: 8MiB is all it may have (max_size, set when it was made)");
	device.grow_error = -ENOTTY;
	device_fails("grow demo", "pool 'demo' cannot grow by 2MiB: the module is older than zcctl");
	device.grow_error = -EINTR;
	device_fails("grow demo", "pool 'demo' cannot grow by 2MiB: Interrupted system call");
	/* With holes, there is no place for more. */
	device.grow_error = -E2BIG;
	device.info.out_size = 2 << 20;
	device_fails("grow demo", "pool 'demo' cannot grow by 2MiB: it has had as many arenas as a pool can, those that were retired included");
}

static void grow_total_limit(void)
{
	device_pool(0x10, "demo", geteuid());
	device_plenty(true);
	device.query.out_total_charged = (1 << 30) - (1 << 20);
	device_fails("grow demo", "pool 'demo' cannot grow by 2MiB: all users together already hold 1023MiB of 1GiB: raise /sys/module/zcbuf/parameters/total_limit_mb");
}

static void grow_user_limit(void)
{
	device_pool(0x10, "demo", geteuid());
	device_plenty(false);
	device.query.out_user_charged = 255 << 20;
	device_fails("grow demo", "pool 'demo' cannot grow by 2MiB: you already hold 255MiB of 256MiB: raise /sys/module/zcbuf/parameters/user_limit_mb");
	/* Nothing else is known to be short, and that limit just does not bind. */
	device.query.out_user_charged = 254 << 20;
	device_fails("grow demo", "pool 'demo' cannot grow by 2MiB: out of memory: the machine, or memory.max of the cgroup it was made in");
	device_plenty(true);
	device.query.out_user_charged = 255 << 20;
	device_fails("grow demo", "pool 'demo' cannot grow by 2MiB: out of memory: the machine, or memory.max of the cgroup it was made in");
}

/* What he holds is not to be known. */
static void grow_others_limit(void)
{
	uint32_t other = geteuid() + 1;
	char *error;

	device_pool(0x10, "demo", other);
	device_plenty(false);
	error = xasprintf("pool 'demo' cannot grow by 2MiB: user %u may be at the limit (user_limit_mb), or memory is short",
			  other);
	device_fails("grow demo", error);
	free(error);
}

static void grow_no_memory(void)
{
	device_pool(0x10, "demo", geteuid() + 1);
	device_plenty(true);
	device.info.out_flags = ZCBUF_POOL_F_HUGE_STRICT;
	device_fails("grow demo", "pool 'demo' cannot grow by 2MiB: there are not so many huge pages, and it takes no others (huge_strict)");
	write_file("proc/meminfo", "MemAvailable:     2048 kB\n");
	device_fails("grow demo", "pool 'demo' cannot grow by 2MiB: the machine has not so much memory available");
}

const struct test_case grow_cases[] = {
	{ "grows", grows },
	{ "grow_usage", grow_usage },
	{ "grow_no_pool", grow_no_pool },
	{ "grow_choice", grow_choice },
	{ "grow_several", grow_several },
	{ "grow_without_name", grow_without_name },
	{ "grow_zombie", grow_zombie },
	{ "grow_no_device", grow_no_device },
	{ "grow_no_attach", grow_no_attach },
	{ "grow_other_pool", grow_other_pool },
	{ "grow_at_limit", grow_at_limit },
	{ "grow_total_limit", grow_total_limit },
	{ "grow_user_limit", grow_user_limit },
	{ "grow_others_limit", grow_others_limit },
	{ "grow_no_memory", grow_no_memory },
	{}
};

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Making pools, removing them, retiring arenas: what is asked, what is said. */
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

static void usage(const char *words)
{
	struct result r = run_verb(&verb_pool, table, words);

	printf("# zcctl pool %s\n", words);
	CHECK_EQ(r.status, EXIT_USAGE);
	result_free(&r);
	CHECK_EQ(device.opened, 0);
}

static void says(const char *words, const char *out)
{
	struct result r = run_verb(&verb_pool, table, words);

	printf("# zcctl pool %s\n", words);
	CHECK_EQ(r.status, EXIT_OK);
	CHECK_TEXT(r.out, out);
	CHECK_TEXT(r.err, "");
	CHECK_EQ(device.closed, device.opened);
	result_free(&r);
}

static void says_json(const char *words, const char *out)
{
	struct result r = run_json(&verb_pool, table, words);

	CHECK_EQ(r.status, EXIT_OK);
	CHECK_TEXT(r.out, out);
	result_free(&r);
}

/* ------------------------------------------------------------------ create */

static void creates(void)
{
	says("create demo", "pool demo: made, 2MiB of small pages; it lives as long as zcctl does\n");
	CHECK_EQ(device.held, 1);
	CHECK_TEXT(device.name, "demo");
	CHECK_EQ(device.create.flags, 0);
	CHECK_EQ(device.create.arena_size, 0);
	CHECK_EQ(device.create.classes, 0);
	says("create demo --persistent", "pool demo: made, 2MiB of small pages\n");
	CHECK_EQ(device.held, 1);
	CHECK_EQ(device.create.flags, ZCBUF_POOL_F_PERSISTENT);
	says_json("create demo --persistent",
		  "{\"created\":{\"handle\":\"0x77\",\"name\":\"demo\","
		  "\"size\":2097152,\"page_order\":0,\"persistent\":true}}\n");
}

static void create_options(void)
{
	struct result r = run_verb(&verb_pool, table,
		"create demo --size=2M --max-size=1GiB --kind=fixed --class=4K:10 --class=64K:2 --huge=strict --node=1 --mode=0660 --owner=1000:2000 --auto-grow --shared-pages --no-zero-on-reuse");

	CHECK_EQ(r.status, EXIT_OK);
	CHECK_EQ(device.create.arena_size, 2 << 20);
	CHECK_EQ(device.create.max_size, 1 << 30);
	CHECK_EQ(device.create.kind, ZCBUF_POOL_FIXED);
	CHECK_EQ(device.create.nclasses, 2);
	CHECK_EQ(device.classes[0].length, 4096);
	CHECK_EQ(device.classes[0].count, 10);
	CHECK_EQ(device.classes[1].length, 65536);
	CHECK_EQ(device.classes[1].count, 2);
	CHECK_EQ(device.create.node, 1);
	CHECK_EQ(device.create.mode, 0660);
	CHECK_EQ(device.create.uid, 1000);
	CHECK_EQ(device.create.gid, 2000);
	CHECK_EQ(device.create.flags,
		 ZCBUF_POOL_F_HUGE_STRICT | ZCBUF_POOL_F_NODE |
		 ZCBUF_POOL_F_OWNER | ZCBUF_POOL_F_AUTO_GROW |
		 ZCBUF_POOL_F_SHARED_PAGES | ZCBUF_POOL_F_NO_ZERO_ON_REUSE);
	result_free(&r);
	r = run_verb(&verb_pool, table,
		     "create demo --kind=tiers --class=1500 --huge=never --interleave --owner=root");
	CHECK_EQ(r.status, EXIT_OK);
	CHECK_EQ(device.create.kind, ZCBUF_POOL_TIERS);
	CHECK_EQ(device.create.uid, 0);
	CHECK_EQ(device.create.flags,
		 ZCBUF_POOL_F_SMALL_PAGES | ZCBUF_POOL_F_OWNER |
		 ZCBUF_POOL_F_INTERLEAVE);
	result_free(&r);
}

static void create_usage(void)
{
	usage("create");
	usage("create --persistent");
	usage("create a b");
	usage("create a --frob");
	usage("create a --size");
	usage("create a --persistent=yes");
	device_fails("create a --size=many", "--size: cannot be 'many'");
	device_fails("create a --size=1KB", "--size: cannot be '1KB'");
	device_fails("create a --size=-1", "--size: cannot be '-1'");
	device_fails("create a --max-size=99999999999T", "--max-size: cannot be '99999999999T'");
	device_fails("create a --kind=odd", "--kind: cannot be 'odd'");
	device_fails("create a --class=8G", "--class: cannot be '8G'");
	device_fails("create a --class=16:", "--class: cannot be '16:'");
	device_fails("create a --huge=yes", "--huge: cannot be 'yes'");
	device_fails("create a --mode=0888", "--mode: cannot be '0888'");
	device_fails("create a --owner=no such user", "--owner: cannot be 'no'");
	device_fails("create a --owner=0:no-such-group", "--owner: cannot be '0:no-such-group'");
	device_fails("create a --node=4294967296", "--node: cannot be '4294967296'");
	CHECK_EQ(device.opened, 0);
}

static void create_refused(void)
{
	device.create_error = -EEXIST;
	device_fails("create demo", "cannot make pool 'demo': there is one of that name and user");
	device.create_error = -EPERM;
	device_fails("create demo --persistent", "cannot make pool 'demo': one that persists, or is another user's, takes CAP_SYS_ADMIN");
	device.create_error = -E2BIG;
	device_fails("create demo", "cannot make pool 'demo': it would be larger than a pool may be");
	device.create_error = -EINVAL;
	device_fails("create demo", "cannot make pool 'demo': its name, or an option, cannot be so; see: zcctl help pool");
	device.create_error = -EOPNOTSUPP;
	device_fails("create demo", "cannot make pool 'demo': the module is older than zcctl");
	device.create_error = -EINTR;
	device_fails("create demo", "cannot make pool 'demo': Interrupted system call");
	device.create_error = 0;
	device.open_error = -EACCES;
	device_fails("create demo", "cannot open /dev/zcbuf: Permission denied; see: zcctl check");
	CHECK_EQ(device.held, 0);
}

static void create_no_memory(void)
{
	device_plenty(false);
	device.create_error = -ENOMEM;
	device.query.out_user_charged = 255 << 20;
	device_fails("create demo --size=2M", "cannot make pool 'demo': you already hold 255MiB of 256MiB: raise /sys/module/zcbuf/parameters/user_limit_mb");
	device.query.out_user_charged = 254 << 20;
	device_fails("create demo --size=2M", "cannot make pool 'demo': out of memory: the machine, or memory.max of this cgroup");
	device.query.out_default_arena_size = 4 << 20;
	device_fails("create demo", "cannot make pool 'demo': you already hold 254MiB of 256MiB: raise /sys/module/zcbuf/parameters/user_limit_mb");
}

/* ------------------------------------------------------------------ remove */

static void removes(void)
{
	device_pool(0x10, "demo", 1234);
	says("remove demo", "pool demo: removed\n");
	CHECK_EQ(device.remove.pool, 0x10);
	CHECK_EQ(device.remove.flags, 0);
	CHECK_EQ(device.remove.name, 0);
	says_json("remove 0x10",
		  "{\"removed\":{\"handle\":\"0x10\",\"name\":\"demo\","
		  "\"sessions\":0,\"mappings\":0}}\n");
}

static void remove_used(void)
{
	struct nl_msg *pool = fake_pool(0x10, "demo");

	nla_put_u32(pool, ZCBUF_A_POOL_SESSIONS, 2);
	nla_put_u32(pool, ZCBUF_A_POOL_MAPPINGS, 3);
	says("remove demo", "pool demo: removed; its memory goes with the last of 2 sessions and 3 mappings\n");
}

static void remove_refused(void)
{
	usage("remove");
	usage("remove a b");
	usage("remove --now");
	device_pool(0x10, "demo", 1234);
	device_pool(0x20, NULL, 1234);
	device_fails("remove nope", "there is no pool 'nope' that you may see");
	device_fails("remove 0x20", "pool '0x20' has no name: it goes with its last session");
	CHECK_EQ(device.opened, 0);
	device.remove_error = -EPERM;
	device_fails("remove demo", "pool 'demo' can only be removed by its user, 1234, or with CAP_SYS_ADMIN");
	device.remove_error = -ENOENT;
	device_fails("remove demo", "pool 'demo' is gone");
	device.remove_error = -ENOTTY;
	device_fails("remove demo", "the module is older than zcctl");
	device.remove_error = -EINTR;
	device_fails("remove demo", "cannot remove pool 'demo': Interrupted system call");
	device.open_error = -EACCES;
	device_fails("remove demo", "cannot open /dev/zcbuf: Permission denied; see: zcctl check");
}

/* ------------------------------------------------------------------ retire */

static void retires(void)
{
	device_pool(0x10, "demo", 1234);
	device.state = ZCBUF_ARENA_GONE;
	says("retire demo 1", "pool demo: arena 1 is gone\n");
	CHECK_EQ(device.attach.uid, 1234);
	CHECK_EQ(device.attach.rights, ZCBUF_RIGHT_ADMIN);
	CHECK_EQ(device.retire.arena, 1);
	CHECK_EQ(device.retire.flags, 0);
	CHECK_EQ(device.retire.deadline_ns, 0);
	device.state = ZCBUF_ARENA_RETIRING;
	says("retire demo 3 --now", "pool demo: arena 3 is not handed out any more, and goes when what is out has come back\n");
	CHECK_EQ(device.retire.arena, 3);
	CHECK_EQ(device.retire.flags, ZCBUF_RETIRE_F_NOW);
	device.state = ZCBUF_ARENA_PINNED;
	says("retire 0x10 1 --wait", "pool demo: arena 1 is unmapped, and goes when I/O and rings let go of its pages\n");
	CHECK_EQ(device.retire.flags, 0);
	CHECK_EQ(device.retire.deadline_ns, ZCBUF_NO_DEADLINE);
	device.state = ZCBUF_ARENA_LIVE;
	says("retire demo 1 --cancel", "pool demo: arena 1 is handed out\n");
	CHECK_EQ(device.retire.flags, ZCBUF_RETIRE_F_CANCEL);
	device.state = 9;
	says("retire demo 1", "pool demo: arena 1 is in a state unknown to zcctl\n");
	device.state = ZCBUF_ARENA_PINNED;
	says_json("retire demo 1",
		  "{\"retired\":{\"handle\":\"0x10\",\"name\":\"demo\","
		  "\"arena\":1,\"state\":\"pinned\"}}\n");
}

static void retire_usage(void)
{
	usage("retire");
	usage("retire demo");
	usage("retire demo one");
	usage("retire demo -1");
	usage("retire demo 4294967296");
	usage("retire demo 1 2");
	usage("retire demo 1 --now --wait");
	usage("retire demo 1 --persistent");
	usage("retire --now 1");
}

static void retire_refused(void)
{
	device_pool(0x10, "demo", 1234);
	device_pool(0x20, NULL, 1234);
	device_fails("retire 0x20 1", "pool '0x20' has no name: only a program that has it open can retire its arenas");
	CHECK_EQ(device.opened, 0);
	device.handle = 0x10;
	device.retire_error = -EBUSY;
	device_fails("retire demo 1 --now", "arena 1 of pool 'demo': it is in use; without --now it goes when it is not any more");
	device.retire_error = -EALREADY;
	device_fails("retire demo 1 --cancel", "arena 1 of pool 'demo': it is too late, nothing of it was in use any more");
	device.retire_error = -EINVAL;
	device_fails("retire demo 7", "arena 7 of pool 'demo': there is none");
	device_fails("retire demo 0", "arena 0 of pool 'demo': the first one stays");
	device.retire_error = -EOPNOTSUPP;
	device_fails("retire demo 0", "arena 0 of pool 'demo': a pool of fixed classes has one arena, which stays");
	device.retire_error = -EIO;
	device_fails("retire demo 1", "arena 1 of pool 'demo': Input/output error");
	device.attach_error = -EPERM;
	device_fails("retire demo 1", "pool 'demo' can only be shrunk by its user, 1234, or with CAP_SYS_ADMIN");
	device.open_error = -EACCES;
	device_fails("retire demo 1", "cannot open /dev/zcbuf: Permission denied; see: zcctl check");
}

const struct test_case admin_cases[] = {
	{ "creates", creates },
	{ "create_options", create_options },
	{ "create_usage", create_usage },
	{ "create_refused", create_refused },
	{ "create_no_memory", create_no_memory },
	{ "removes", removes },
	{ "remove_used", remove_used },
	{ "remove_refused", remove_refused },
	{ "retires", retires },
	{ "retire_usage", retire_usage },
	{ "retire_refused", retire_refused },
	{}
};

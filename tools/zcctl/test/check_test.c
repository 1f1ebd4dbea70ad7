// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* zcctl check: every verdict, and where the facts come from. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "harness.h"

static const struct zcctl table = {};

/* A machine that will do, for a user who is not root. */
static struct facts good(void)
{
	struct facts f = {
		.release = "6.12.117-cloud", .major = 6, .minor = 12,
		.loaded = true, .installed = true, .modules = true,
		.node = true, .node_device = true, .node_mode = 0660,
		.node_gid = 990, .node_group = "zcbuf", .group_exists = true,
		.group_member = true, .group_active = true, .user = "ann",
		.memlock = FACTS_UNKNOWN, .huge_pages = true,
		.available = 4ULL << 30, .cgroup_room = FACTS_UNKNOWN,
		.ring_disabled = 0,
		.query = {
			.out_version = ZCBUF_VERSION,
			.out_default_arena_size = 32 << 20,
			.out_user_limit = 256 << 20,
			.out_total_limit = 1 << 30,
		},
	};

	return f;
}

/* The verdict of that name must be this one, with these words in its hint. */
static void expect(const struct facts *f, const char *name, enum verdict want,
		   const char *hint)
{
	struct finding r[CHECK_FINDINGS];
	size_t i, n = check_judge(&table, f, r);
	bool found = false;

	CHECK_EQ(n, CHECK_FINDINGS);
	for (i = 0; i < n; i++) {
		if (!strcmp(r[i].name, name)) {
			found = true;
			CHECK_EQ(r[i].verdict, want);
			CHECK_HAS(r[i].hint ? r[i].hint : "nothing", hint);
		}
		free(r[i].detail);
		free(r[i].hint);
	}
	CHECK(found);
}

static int verdict_of(const struct facts *f, enum zcctl_format format,
		      char **text)
{
	struct zcctl z = { .format = format };
	size_t size;
	int status;

	z.out = open_memstream(text, &size);
	status = check_report(&z, f);
	fclose(z.out);
	return status;
}

static void all_is_well(void)
{
	struct facts f = good();
	char *text;

	CHECK_EQ(verdict_of(&f, FORMAT_TABLE, &text), EXIT_OK);
	CHECK_HAS(text, "ok       device       /dev/zcbuf mode 0660, group zcbuf\n");
	CHECK_HAS(text, "ok       user limit   0B of 256MiB in use\n");
	CHECK_HAS(text, "zcbuf will do here\n");
	CHECK_LACKS(text, "->");
	free(text);
	CHECK_EQ(verdict_of(&f, FORMAT_JSON, &text), EXIT_OK);
	CHECK_HAS(text, "{\"checks\":[{\"name\":\"kernel\",\"verdict\":\"ok\",\"detail\":\"6.12.117-cloud\",\"hint\":null},");
	CHECK_HAS(text, "],\"ok\":true}\n");
	free(text);
}

static void notes_are_no_obstacle(void)
{
	struct facts f = good();
	char *text;

	f.huge_pages = false;
	expect(&f, "huge pages", VERDICT_NOTE, "small pages");
	CHECK_EQ(verdict_of(&f, FORMAT_TABLE, &text), EXIT_OK);
	CHECK_HAS(text, "note     huge pages   not in this kernel\n"
			"                      -> pools are made");
	free(text);
}

static void kernels(void)
{
	struct facts f = good();

	f.minor = 0;
	expect(&f, "kernel", VERDICT_NO, "6.1 or later");
	f.minor = 1;
	expect(&f, "kernel", VERDICT_NOTE, "before Linux 6.5");
	f.minor = 4;
	expect(&f, "kernel", VERDICT_NOTE, "before Linux 6.5");
	f.minor = 5;
	expect(&f, "kernel", VERDICT_OK, "nothing");
	f.major = 5;
	f.minor = 19;
	expect(&f, "kernel", VERDICT_NO, "6.1 or later");
	f.major = 7;
	f.minor = 0;
	expect(&f, "kernel", VERDICT_OK, "nothing");
}

static void no_module(void)
{
	struct facts f = good();
	char *text;

	f.loaded = false;
	f.node = false;
	f.family = EXIT_NO_MODULE;
	expect(&f, "module", VERDICT_NO, "modprobe zcbuf");
	expect(&f, "device", VERDICT_NO, "when the module is loaded");
	expect(&f, "access", VERDICT_UNKNOWN, "nothing");
	expect(&f, "version", VERDICT_UNKNOWN, "nothing");
	expect(&f, "user limit", VERDICT_UNKNOWN, "nothing");
	expect(&f, "total limit", VERDICT_UNKNOWN, "nothing");
	expect(&f, "netlink", VERDICT_UNKNOWN, "nothing");
	CHECK_EQ(verdict_of(&f, FORMAT_JSON, &text), EXIT_ERROR);
	CHECK_HAS(text, "],\"ok\":false}\n");
	free(text);
	f.installed = false;
	expect(&f, "module", VERDICT_NO, "make modules_install");
	f.secure_boot = true;
	f.sig_enforce = true;
	expect(&f, "module", VERDICT_NO, "module.sig_enforce refuses unsigned modules (Secure Boot is on)");
	strcpy(f.lockdown, "integrity");
	f.secure_boot = false;
	expect(&f, "module", VERDICT_NO, "kernel lockdown refuses unsigned modules:");
	f.modules_disabled = true;
	expect(&f, "module", VERDICT_NO, "modules_disabled");
	f.modules = false;
	expect(&f, "module", VERDICT_NO, "without loadable modules");
}

static void nodes(void)
{
	struct facts f = good();

	f.node_device = false;
	expect(&f, "device", VERDICT_NO, "rm /dev/zcbuf");
	expect(&f, "access", VERDICT_UNKNOWN, "nothing");
	f = good();
	f.node = false;
	expect(&f, "device", VERDICT_NO, "lacks the node");
	f = good();
	f.node_mode = 0600;
	expect(&f, "device", VERDICT_NOTE, "only root can use it: chgrp");
	f = good();
	strcpy(f.node_group, "root");
	f.group_exists = false;
	expect(&f, "device", VERDICT_NOTE, "groupadd --system zcbuf; chgrp");
}

static void access_denied(void)
{
	struct facts f = good();

	f.open_error = EACCES;
	f.group_active = false;
	f.group_member = false;
	expect(&f, "access", VERDICT_NO, "add this user to group zcbuf: usermod -aG zcbuf ann");
	expect(&f, "version", VERDICT_UNKNOWN, "nothing");
	f.group_member = true;
	expect(&f, "access", VERDICT_NO, "log in again");
	f.group_active = true;
	expect(&f, "access", VERDICT_NO, "chmod 0660");
	f.open_error = ENXIO;
	expect(&f, "access", VERDICT_NO, "stale");
	f.open_error = EMFILE;
	expect(&f, "access", VERDICT_NO, "nothing");
}

static void versions(void)
{
	struct facts f = good();

	f.query.out_version = ZCBUF_VERSION + 1;
	expect(&f, "version", VERDICT_OK, "nothing");
	f.query.out_version = ZCBUF_VERSION + 0x100;
	expect(&f, "version", VERDICT_NO, "one version");
	f.query_error = ENOTTY;
	expect(&f, "version", VERDICT_NO, "one version");
	expect(&f, "user limit", VERDICT_UNKNOWN, "nothing");
}

static void limits(void)
{
	struct facts f = good();

	f.query.out_user_charged = (256 - 32) << 20;
	expect(&f, "user limit", VERDICT_OK, "nothing");
	f.query.out_user_charged++;
	expect(&f, "user limit", VERDICT_NO, "no room for a pool of 32MiB: end who holds the memory (zcctl holders), or raise /sys/module/zcbuf/parameters/user_limit_mb");
	f.ipc_lock = true;
	expect(&f, "user limit", VERDICT_NOTE, "CAP_IPC_LOCK");
	f.query.out_total_charged = 2ULL << 30;
	expect(&f, "total limit", VERDICT_NO, "parameters/total_limit_mb");
	f.available = 31 << 20;
	expect(&f, "memory", VERDICT_NO, "free memory");
	f.cgroup_room = 30 << 20;
	expect(&f, "memory", VERDICT_NO, "memory.max");
	f.available = f.cgroup_room = 32 << 20;
	expect(&f, "memory", VERDICT_OK, "nothing");
}

static void memlock(void)
{
	struct facts f = good();

	f.memlock = 32 << 20;
	expect(&f, "memlock", VERDICT_OK, "nothing");
	f.memlock--;
	expect(&f, "memlock", VERDICT_NO, "register a pool of 32MiB");
	f.ipc_lock = true;
	expect(&f, "memlock", VERDICT_OK, "nothing");
}

static void rings(void)
{
	struct facts f = good();

	f.ring_error = ENOSYS;
	expect(&f, "io_uring", VERDICT_NO, "built without io_uring");
	f.ring_error = EPERM;
	expect(&f, "io_uring", VERDICT_NO, "seccomp");
	f.ring_error = ENOMEM;
	expect(&f, "io_uring", VERDICT_NO, "ulimit -l");
	f.ring_error = EPERM;
	f.ring_disabled = 1;
	expect(&f, "io_uring", VERDICT_NO, "kernel.io_uring_disabled is 1: sysctl kernel.io_uring_disabled=0, or join");
	f.ring_disabled = 2;
	expect(&f, "io_uring", VERDICT_NO, "kernel.io_uring_disabled is 2: sysctl kernel.io_uring_disabled=0");
}

static void netlink_elsewhere(void)
{
	struct facts f = good();

	f.family = EXIT_ERROR;
	expect(&f, "netlink", VERDICT_NOTE, "initial network namespace");
}

static void bare_machine(void)
{
	struct facts f = good();

	facts_read("/nonexistent", &f);
	CHECK(!f.loaded && !f.installed && !f.modules && !f.modules_disabled);
	CHECK(!f.sig_enforce && !f.secure_boot && !f.ipc_lock && !f.huge_pages);
	CHECK_TEXT(f.lockdown, "");
	CHECK_EQ(f.ring_disabled, (uint64_t)-1);
	CHECK_EQ(f.available, 0);
	CHECK_EQ(f.cgroup_room, FACTS_UNKNOWN);
}

static void make_machine(void)
{
	write_file("sys/module/zcbuf/refcnt", "0\n");
	write_file("lib/modules/6.12.117-cloud/modules.dep",
		   "kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko\n"
		   "updates/zcbuf.ko:\n");
	write_file("proc/modules", "");
	write_file("proc/sys/kernel/modules_disabled", "1\n");
	write_file("sys/module/module/parameters/sig_enforce", "Y\n");
	write_file("sys/kernel/security/lockdown",
		   "none [integrity] confidentiality\n");
	write_file("sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
		   "\x06\x06\x06\x06\x01");
	write_file("proc/self/status", "Name:\tx\nCapEff:\t0000000000004000\n");
	write_file("proc/self/cgroup", "0::/user/one\n");
	write_file("proc/sys/kernel/io_uring_disabled", "2\n");
	write_file("proc/meminfo", "MemTotal: 9 kB\nMemAvailable:   1024 kB\n");
	write_file("sys/kernel/mm/transparent_hugepage/enabled", "madvise\n");
	write_file("sys/fs/cgroup/user/memory.max", "5000\n");
	write_file("sys/fs/cgroup/user/memory.current", "2000\n");
	write_file("sys/fs/cgroup/user/one/memory.max", "max\n");
	write_file("sys/fs/cgroup/user/one/memory.current", "1000\n");
}

static void full_machine(void)
{
	struct facts f = good();

	f.loaded = f.installed = f.modules = false;
	make_machine();
	facts_read(test_dir, &f);
	CHECK(f.loaded && f.installed && f.modules && f.modules_disabled);
	CHECK(f.sig_enforce && f.secure_boot && f.ipc_lock && f.huge_pages);
	CHECK_TEXT(f.lockdown, "integrity");
	CHECK_EQ(f.ring_disabled, 2);
	CHECK_EQ(f.available, 1024 * 1024);
	CHECK_EQ(f.cgroup_room, 3000);
	write_file("sys/fs/cgroup/user/one/memory.max", "500\n");
	write_file("sys/kernel/security/lockdown", "[none] integrity\n");
	write_file("sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
		   "\x06\x06\x06\x06\x02");
	facts_read(test_dir, &f);
	CHECK_EQ(f.cgroup_room, 0);
	CHECK_TEXT(f.lockdown, "");
	CHECK(!f.secure_boot);
}

/* On whatever machine this is, the report must be whole. */
static void this_machine(void)
{
	struct zcctl z = { .root = "" };
	struct result r;

	fake_no_module();
	r = run_json(&verb_check, z, "");
	CHECK(r.status == EXIT_OK || r.status == EXIT_ERROR);
	CHECK_HAS(r.out, r.status ? "\"ok\":false}" : "\"ok\":true}");
	CHECK_TEXT(r.err, "");
	result_free(&r);
	r = run_verb(&verb_check, z, "now");
	CHECK_EQ(r.status, EXIT_USAGE);
	result_free(&r);
}

const struct test_case check_cases[] = {
	{ "all_is_well", all_is_well },
	{ "notes_are_no_obstacle", notes_are_no_obstacle },
	{ "kernels", kernels },
	{ "check_no_module", no_module },
	{ "nodes", nodes },
	{ "access_denied", access_denied },
	{ "versions", versions },
	{ "limits", limits },
	{ "memlock", memlock },
	{ "rings", rings },
	{ "netlink_elsewhere", netlink_elsewhere },
	{ "bare_machine", bare_machine },
	{ "full_machine", full_machine },
	{ "this_machine", this_machine },
	{}
};

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* zcctl holders, on a /proc made of files. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"

static const struct zcctl table = {};

static void make_process(int pid, const char *comm)
{
	char *path = xasprintf("proc/%d/comm", pid), *text;

	text = xasprintf("%s\n", comm);
	write_file(path, text);
	free(text);
	free(path);
	path = xasprintf("proc/%d/fd/none", pid);
	write_file(path, "");
	free(path);
}

static void make_fd(int pid, int fd, const char *target, const char *fdinfo)
{
	char *path = xasprintf("proc/%d/fdinfo/%d", pid, fd);

	write_file(path, fdinfo);
	free(path);
	path = xasprintf("%s/proc/%d/fd/%d", test_dir, pid, fd);
	CHECK(!symlink(target, path));
	free(path);
}

static void make_maps(int pid, const char *maps)
{
	char *path = xasprintf("proc/%d/maps", pid);

	write_file(path, maps);
	free(path);
}

#define FDINFO(id, pool)	\
	"pos:\t0\nflags:\t02100002\nmnt_id:\t26\nino:\t5\n"	\
	"zcbuf-session:\t" #id "\nzcbuf-pool:\t" #pool "\nzcbuf-rights:\t0x1f\n"

/*
 * 101 opened session 11 and has a dup, 102 is its child, 9 was sent one;
 * session 12 is nowhere; 103 has only mapped the pool; 104 has a ring. Session
 * 16 has the number of the first pool.
 */
static void make_host(void)
{
	fake_pool(0x10, "demo");
	fake_pool(0x100, "other");
	fake_session(11, 0x10, 101);
	fake_session(12, 0x10, 0);
	fake_session(16, 0x100, 105);
	make_process(101, "ingest");
	make_fd(101, 3, "/dev/zcbuf", FDINFO(11, 0x10));
	make_fd(101, 12, "/dev/zcbuf", FDINFO(11, 0x10));
	make_fd(101, 4, "/tmp/data", "pos:\t0\n");
	make_maps(101,
		  "55d0c0a00000-55d0c0a01000 r--p 00000000 fe:01 12 /usr/bin/ingest\n"
		  "7f0000000000-7f0002000000 rw-s 00000000 00:0f 5 /zcbuf:0x10 (deleted)\n"
		  "7f0010000000-7f0010001000 rw-s 00000000 00:0f 5 /zcbuf:0x10 (deleted)\n"
		  "7f0020000000-7f0020001000 rw-s 00000000 00:0f 5 /zcbuf:0x100\n");
	make_process(102, "ch\"ild");
	make_fd(102, 3, "/dev/zcbuf", FDINFO(11, 0x10));
	make_process(9, "helper");
	make_fd(9, 7, "/mnt/dev/zcbuf (deleted)", FDINFO(11, 0x10));
	make_fd(9, 8, "socket:[99]", FDINFO(12, 0x10));
	make_process(103, "reader");
	make_maps(103, "7f0000000000-7f0000100000 r--s 00000000 00:0f 5 /zcbuf:0x10\n");
	make_process(104, "ring");
	make_fd(104, 5, "anon_inode:[io_uring]",
		"SqMask:\t0x7\nUserFiles:\t2\n    0: /tmp/x\n    1: /dev/zcbuf\nUserBufs:\t0\n");
	make_fd(104, 6, "anon_inode:[io_uring]", "UserFiles:\t0\n");
	make_process(105, "other");
	make_fd(105, 3, "/dev/zcbuf", FDINFO(16, 0x100));
	write_file("proc/self/comm", "not a number\n");
}

static void holders_text(void)
{
	struct result r;

	make_host();
	r = run_verb(&verb_holders, table, "demo");
	CHECK_EQ(r.status, EXIT_OK);
	CHECK_TEXT(r.out,
"pool demo: 6KiB of 32MiB in use\n"
"  SESSION  PID  COMMAND  BUFFERS  PENDING  HELD  OPEN-IN\n"
"       11  101  ingest      8KiB        -     -  9 helper (fd 7), 101 ingest (fd 3), 101 ingest (fd 12), 102 ch\"ild (fd 3)\n"
"       12    -  ingest      8KiB        -     -  nobody seen\n"
"  mapped by: 101 ingest (32.0MiB), 103 reader (1MiB)\n"
"rings with /dev/zcbuf as a fixed file: 104 ring (fd 5)\n");
	result_free(&r);
}

static void holders_json(void)
{
	struct result r;

	make_host();
	r = run_json(&verb_holders, table, "");
	CHECK_EQ(r.status, EXIT_OK);
	CHECK_HAS(r.out, "{\"pools\":[{\"handle\":\"0x10\",\"name\":\"demo\",\"size\":33554432,\"used\":6144,\"sessions\":[{\"id\":11,");
	CHECK_HAS(r.out, "\"open_in\":[{\"pid\":9,\"comm\":\"helper\",\"fd\":7},{\"pid\":101,\"comm\":\"ingest\",\"fd\":3},{\"pid\":101,\"comm\":\"ingest\",\"fd\":12},{\"pid\":102,\"comm\":\"ch\\\"ild\",\"fd\":3}]},{\"id\":12,");
	CHECK_HAS(r.out, "\"open_in\":[]}],\"mapped_by\":[{\"pid\":101,\"comm\":\"ingest\",\"bytes\":33558528},{\"pid\":103,\"comm\":\"reader\",\"bytes\":1048576}]}");
	CHECK_HAS(r.out, "\"open_in\":[{\"pid\":105,\"comm\":\"other\",\"fd\":3}]}],\"mapped_by\":[{\"pid\":101,\"comm\":\"ingest\",\"bytes\":4096}]}]");
	CHECK_HAS(r.out, "\"rings\":[{\"pid\":104,\"comm\":\"ring\",\"fd\":5}],\"hidden_processes\":0}\n");
	result_free(&r);
}

/* Also when the tests run as root, who may look into everything. */
static void holders_hidden(void)
{
	struct result r;
	char *path;

	make_host();
	path = xasprintf("%s/proc/102/fd", test_dir);
	CHECK(!chmod(path, 0));
	if (!geteuid())
		CHECK(!seteuid(65534));
	r = run_verb(&verb_holders, table, "demo");
	CHECK_LACKS(r.out, "102 ch");
	CHECK_HAS(r.out, "processes that could not be looked into: 1 (root sees all)\n");
	result_free(&r);
	if (!getuid())
		CHECK(!seteuid(0));
	CHECK(!chmod(path, 0755));
	free(path);
}

static void holders_nothing(void)
{
	struct zcctl z = { .root = "/nonexistent" };
	struct result r = run_verb(&verb_holders, z, "");

	CHECK_EQ(r.status, EXIT_ERROR);
	CHECK_TEXT(r.err, "zcctl: cannot read /proc: No such file or directory\n");
	result_free(&r);
	r = run_verb(&verb_holders, z, "a b");
	CHECK_EQ(r.status, EXIT_USAGE);
	result_free(&r);
}

const struct test_case holders_cases[] = {
	{ "holders_text", holders_text },
	{ "holders_json", holders_json },
	{ "holders_hidden", holders_hidden },
	{ "holders_nothing", holders_nothing },
	{}
};

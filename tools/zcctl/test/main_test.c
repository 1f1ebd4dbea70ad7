// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* The tool as it is called: options, exit status, broken outputs. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

static void expect(const char *words, int status, const char *out,
		   const char *err)
{
	struct result r = run_tool(words);

	printf("# zcctl %s\n", words);
	CHECK_EQ(r.status, status);
	CHECK_HAS(r.out, out);
	CHECK_HAS(r.err, err);
	if (!*err)
		CHECK_TEXT(r.err, "");
	if (!*out)
		CHECK_TEXT(r.out, "");
	result_free(&r);
}

static void help(void)
{
	expect("help", EXIT_OK, "usage: zcctl [-j|-p] [-b] VERB", "");
	expect("--help", EXIT_OK, "  holders  [POOL] ", "");
	expect("help check", EXIT_OK, "usage: zcctl [-j|-p] [-b] check\n", "");
	expect("session --help", EXIT_OK, "] session list [POOL]\n\n", "");
	expect("pool list -h", EXIT_OK, "] pool list|show [POOL] | create|grow|remove POOL ... | retire POOL ARENA ...\n", "");
	expect("--version", EXIT_OK, "zcctl 0.1.0\n", "");
	expect("help nothing", EXIT_USAGE, "", "unknown verb 'nothing'");
}

static void wrong_usage(void)
{
	struct result r;

	expect("", EXIT_USAGE, "", "usage: zcctl [-j|-p] [-b] VERB");
	expect("frob", EXIT_USAGE, "", "zcctl: unknown verb 'frob'");
	expect("pool frob", EXIT_USAGE, "", "zcctl: usage: zcctl [-j|-p] [-b] pool list|show");
	expect("pool list a b", EXIT_USAGE, "", "zcctl: usage: ");
	expect("pool grow", EXIT_USAGE, "", "zcctl: usage: ");
	expect("pool grow a b", EXIT_USAGE, "", "zcctl: usage: ");
	expect("pool remove", EXIT_USAGE, "", "zcctl: usage: ");
	expect("channel watch demo", EXIT_USAGE, "", "zcctl: usage: zcctl [-j|-p] [-b] channel list|show [POOL] | watch\n");
	expect("channel watch --count 0", EXIT_USAGE, "", "zcctl: usage: ");
	expect("channel watch --count 2x", EXIT_USAGE, "", "zcctl: usage: ");
	expect("channel watch --now", EXIT_USAGE, "", "zcctl: usage: ");
	expect("pool list --now", EXIT_USAGE, "", "zcctl: usage: ");
	expect("pool grow --size 3", EXIT_USAGE, "", "zcctl: usage: ");
	expect("pool create demo --size", EXIT_USAGE, "", "zcctl: option '--size' needs a value\n");
	r = run_tool("--frob pool");
	CHECK_EQ(r.status, EXIT_USAGE);
	CHECK_TEXT(r.err, "zcctl: unknown option '--frob'; try: zcctl help\n");
	result_free(&r);
	expect("-j frob", EXIT_USAGE, "{\"error\":\"unknown verb 'frob'; try: zcctl help\"}\n", "zcctl: ");
}

static void options(void)
{
	fake_pool(1, "demo");
	expect("pool list", EXIT_OK, "  6KiB  ", "");
	expect("-b pool list", EXIT_OK, "  6144  ", "");
	expect("pool list -b demo", EXIT_OK, "  6144  ", "");
	expect("-j pool list", EXIT_OK, "{\"pools\":[{\"handle\":\"0x1\",", "");
	expect("pool show -p", EXIT_OK, "{\n  \"pools\": [\n    {\n      \"handle\": \"0x1\",\n", "");
	expect("pool --size 2x create demo", EXIT_ERROR, "", "zcctl: --size: cannot be '2x'\n");
	expect("pool create --size=2M --kind pages demo --persistent -j", EXIT_OK, "{\"created\":{\"handle\":\"0x77\",", "");
	expect("pool list nope", EXIT_ERROR, "", "zcctl: there is no pool 'nope'");
}

static void no_module(void)
{
	fake_no_module();
	expect("pool list", EXIT_NO_MODULE, "", "zcctl: not loaded\n");
	expect("pool grow demo", EXIT_NO_MODULE, "", "zcctl: not loaded\n");
	expect("-j holders", EXIT_NO_MODULE, "{\"error\":\"not loaded\"}\n", "zcctl: not loaded\n");
}

/* Runs the tool with @out as stdout; returns its wait status. */
static int run_into(int out, FILE *err)
{
	char *argv[] = { "zcctl", "pool", "show", NULL };
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		signal(SIGPIPE, SIG_DFL);
		dup2(out, 1);
		dup2(fileno(err), 2);
		_exit(zcctl_main(3, argv));
	}
	close(out);
	waitpid(pid, &status, 0);
	return status;
}

/* More than any buffer holds, so that writing fails in the middle as well. */
static void many_pools(void)
{
	int i;

	for (i = 0; i < 60; i++)
		fake_pool(i, "demo");
}

static void reader_leaves(void)
{
	FILE *err = tmpfile();
	int fds[2];

	many_pools();
	CHECK(!pipe(fds));
	close(fds[0]);
	CHECK_EQ(run_into(fds[1], err), 0);
	CHECK_EQ(lseek(fileno(err), 0, SEEK_END), 0);
	fclose(err);
}

static void disk_full(void)
{
	FILE *err = tmpfile();

	many_pools();
	CHECK_EQ(WEXITSTATUS(run_into(open("/dev/full", O_WRONLY), err)),
		 EXIT_ERROR);
	CHECK(lseek(fileno(err), 0, SEEK_END) > 0);
	fclose(err);
}

const struct test_case main_cases[] = {
	{ "help", help },
	{ "wrong_usage", wrong_usage },
	{ "options", options },
	{ "main_no_module", no_module },
	{ "reader_leaves", reader_leaves },
	{ "disk_full", disk_full },
	{}
};

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* zcctl show FILE; and what record and replay say without a kernel. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "tape.h"

static struct result show(const char *path, const char *more)
{
	char *words = xasprintf("show %s%s", path, more);
	struct result r = run_tool(words);

	free(words);
	return r;
}

static void show_lines(void)
{
	char *path = tape_make("tape");
	struct result r = show(path, "");

	CHECK_EQ(r.status, EXIT_OK);
	CHECK_TEXT(r.err, "");
	CHECK_HAS(r.out, "Radar/Front/Points of pool demo, begun 2023-11-14T22:13:20.123456789Z\n");
	CHECK_HAS(r.out, "\n       0  2023-11-14T22:13:20.123456789Z        40         0     0  ffffffffffffffff      100    0        1B\n");
	CHECK_HAS(r.out, "\n       2  2023-11-14T22:13:23.123456789Z        42        20     1  fffffffffffffffd      102    2        8B\n");
	CHECK_HAS(r.out, "\n5 messages of 225B, 1 missing\n");
	result_free(&r);
	r = show(path, " --hex=3");
	CHECK_HAS(r.out, "        1B  61\n");
	CHECK_HAS(r.out, "      200B  656667\n");
	result_free(&r);
	free(path);
}

static void show_json(void)
{
	char *path = tape_make("tape"), *words = xasprintf("%s --hex=2", path);
	struct result r = run_json(&verb_show, (struct zcctl){}, words);

	CHECK_EQ(r.status, EXIT_OK);
	CHECK_HAS(r.out, "\"pool\":\"demo\",\"domain\":\"\",\"service\":\"Radar\",\"instance\":\"Front\",\"event\":\"Points\"");
	CHECK_HAS(r.out, "\"messages\":[{\"time_ns\":5000000000,\"publisher\":40,\"seq\":0,\"gap\":0,\"lost\":0,\"group\":100,\"offset\":0,\"user_tag\":\"0xffffffffffffffff\",\"encoding\":256,\"priority\":0,\"records\":1,\"length\":1,\"data\":\"61\"}");
	CHECK_HAS(r.out, "\"damage\":[],\"bytes\":225,\"missing\":1,\"ended\":true}}\n");
	result_free(&r);
	free(words);
	free(path);
}

/* What is left is shown, and the rest told. */
static void show_damaged(void)
{
	char *path = tape_make("tape");
	struct result r;
	size_t n;
	unsigned char *b = tape_load(path, &n);

	b[RECORDING_HEADER + 104] ^= 1;
	tape_store(path, b, n - 113);
	r = show(path, "");
	CHECK_EQ(r.status, EXIT_ERROR);
	CHECK_HAS(r.err, "the 120 bytes at byte 368 are damaged\n");
	CHECK_HAS(r.err, "the 311 bytes at byte 856 are part of a message that is torn off\n");
	CHECK_HAS(r.err, "the recording was not ended: more may be missing behind byte 1167\n");
	CHECK_HAS(r.out, "\n3 messages of 24B, 1 missing; the recording was not ended\n");
	result_free(&r);
	r = show(path, " -j");
	CHECK_EQ(r.status, EXIT_ERROR);
	CHECK_HAS(r.out, "\"damage\":[{\"at\":368,\"bytes\":120,\"torn\":false},{\"at\":856,\"bytes\":311,\"torn\":true}]");
	CHECK_HAS(r.out, "\"ended\":false}}\n");
	result_free(&r);
	free(b);
	free(path);
}

static void show_nothing(void)
{
	struct result r;
	char *path;

	write_file("text", "some text");
	path = xasprintf("%s/text", test_dir);
	r = show(path, " -j");
	CHECK_EQ(r.status, EXIT_ERROR);
	CHECK_HAS(r.err, "/text': it is no recording\n");
	CHECK_HAS(r.out, "{\"error\":\"cannot read '");
	result_free(&r);
	r = show("/nowhere", "");
	CHECK_EQ(r.status, EXIT_ERROR);
	CHECK_TEXT(r.err, "zcctl: cannot read '/nowhere': No such file or directory\n");
	result_free(&r);
	free(path);
}

static void refused(const char *words, int status, const char *err)
{
	struct result r = run_tool(words);

	printf("# zcctl %s\n", words);
	CHECK_EQ(r.status, status);
	CHECK_TEXT(r.out, "");
	CHECK_HAS(r.err, err);
	result_free(&r);
}

/* Before a kernel is asked, and what no pool can be attached to for. */
static void show_usage(void)
{
	char *words, *path = tape_make("tape");

	fake_pool(1, "demo");
	refused("show", EXIT_USAGE, "usage: zcctl [-j|-p] [-b] show FILE");
	refused("show a b", EXIT_USAGE, "usage: ");
	refused("show a --hex=x", EXIT_ERROR, "--hex: cannot be 'x'");
	refused("show a --hex=2M", EXIT_ERROR, "--hex: cannot be '2M'");
	refused("show a --force", EXIT_USAGE, "usage: ");
	refused("record a demo", EXIT_USAGE, "usage: ");
	refused("record a demo S/I/E --count=1x", EXIT_ERROR, "--count: cannot be");
	refused("record a demo S/I/E --duration=1.2.3", EXIT_ERROR, "--duration: ");
	refused("record a demo S/I", EXIT_ERROR, "'S/I' is not [DOMAIN/]SERVICE/INSTANCE/EVENT");
	refused("record a demo A/B/C/D/E", EXIT_ERROR, "'A/B/C/D/E' is not ");
	refused("record a nope S/I/E", EXIT_ERROR, "there is no pool 'nope' that you may see");
	refused("replay a", EXIT_USAGE, "usage: ");
	refused("replay /nowhere demo", EXIT_ERROR, "cannot read '/nowhere': No such");
	words = xasprintf("replay %s demo --speed=0", path);
	refused(words, EXIT_ERROR, "--speed: cannot be '0'");
	free(words);
	words = xasprintf("replay %s nope --loop=2 --speed=0.001 --fast", path);
	refused(words, EXIT_ERROR, "there is no pool 'nope'");
	free(words);
	CHECK(access("a", F_OK));
	free(path);
}

const struct test_case show_cases[] = {
	{ "show_lines", show_lines },
	{ "show_json", show_json },
	{ "show_damaged", show_damaged },
	{ "show_nothing", show_nothing },
	{ "show_usage", show_usage },
	{}
};

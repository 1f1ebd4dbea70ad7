// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The examples do what their comments say. groups compares its transcript
 * itself; ingest on a few files of its own here, on many in the demo.
 *
 * ZCB_OPERATIONS in the environment: chat-load runs for a minute.
 */
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common.h"
#include "ktap.h"

#define FILES	40

/* Run @command; what it says, its exit status in @status. */
static char *run(const char *command, int *status)
{
	static char text[65536];
	FILE *pipe = popen(command, "r");
	size_t n;

	ASSERT_TRUE(pipe);
	n = fread(text, 1, sizeof(text) - 1, pipe);
	text[n] = '\0';
	*status = pclose(pipe);
	return text;
}

TEST(groups)
{
	int status;
	char *text = run("groups 2>&1", &status);

	EXPECT_EQ(status, 0);
	/* The user's groups are another program of that name. */
	EXPECT_TRUE(strstr(text, "failure: the end"));
	EXPECT_EQ(zt_await_charged(0), 0);
}

TEST(rpc)
{
	int status;
	char *text = run("rpc 100 2>&1", &status);

	EXPECT_EQ(status, 0);
	EXPECT_TRUE(strstr(text, "100 calls, "));
	EXPECT_TRUE(strstr(text, ", 0 wrong"));
	EXPECT_EQ(zt_await_charged(0), 0);
}

/* Scenario 37, by two programs. */
TEST(radar)
{
	int status;
	char *text = run("radar subscribe & radar publish 16 5 2>&1 && wait $!",
			 &status);

	EXPECT_EQ(status, 0);
	EXPECT_TRUE(strstr(text, "radar: 16 samples, 0 lost, 0 wrong"));
	EXPECT_EQ(zt_await_charged(0), 0);
}

/* The file has each record that is not lost, as long as they all are. */
TEST(log)
{
	struct stat file;
	int status;
	char *text = run("log log.out 4 3000 2>&1", &status);
	unsigned long long records, calls;
	double each = 1;
	char *sum;

	EXPECT_EQ(status, 0);
	TEST_LOG("%s", text);
	EXPECT_TRUE(strstr(text, "log: writer 0 was killed; bytes "));
	sum = strstr(text, "log: 10500 records, ");
	ASSERT_TRUE(sum);
	status = sscanf(sum, "log: %llu records, 1 ranges lost, 0 wrong; %llu calls, %lf for each",
			&records, &calls, &each);
	EXPECT_EQ(status, 3);
	EXPECT_TRUE(each < 0.02);
	ASSERT_OK(stat("log.out", &file));
	EXPECT_EQ(file.st_size % 1024, 0);
	/* At most one window of 254 is not there. */
	EXPECT_GT(file.st_size, (10500 - 255) * 1024);
	EXPECT_LE(file.st_size, 10500 * 1024);
	EXPECT_OK(unlink("log.out"));
	EXPECT_EQ(zt_await_charged(0), 0);
}

/* A file that ends within a block, through the page cache and past it; and nothing. */
TEST(cp)
{
	int status;
	char *text = run("set -e; seq 120000 >from; : >nothing; "
			 "zcbuf-cp from to; cmp from to; "
			 "zcbuf-cp -d from to; cmp from to; "
			 "zcbuf-cp nothing to; cmp nothing to; "
			 "rm from to nothing", &status);

	EXPECT_EQ(status, 0);
	/* Twelve pieces each, more than are under way at once. */
	EXPECT_TRUE(strstr(text, "to: 728895 bytes by 24 operations, "
				 "24 of them with fixed buffers\n"));
	EXPECT_TRUE(strstr(text, "to: 0 bytes by 0 operations, "));
	EXPECT_EQ(zt_await_charged(0), 0);
}

/* More connections than the server has buffers. */
TEST(echo)
{
	int status;
	char *text = run("zcbuf-echo serve 7007 70 & "
			 "zcbuf-echo ask 7007 70 2 2>&1 && wait $!", &status);

	EXPECT_EQ(status, 0);
	EXPECT_TRUE(strstr(text, "zcbuf-echo: 140 messages, 0 wrong"));
	EXPECT_EQ(zt_await_charged(0), 0);
}

TEST_LIMIT(chat_load, 100)
{
	char command[64], *text;
	int status;

	snprintf(command, sizeof(command), "chat-load -t %d -s 1 2>&1",
		 getenv("ZCB_OPERATIONS") ? 60 : 2);
	text = run(command, &status);
	EXPECT_EQ(status, 0);
	EXPECT_TRUE(strstr(text, "chat-load: OK seed=1 published="));
	if (status)
		puts(text);
	EXPECT_EQ(zt_await_charged(0), 0);
}

static void make_files(const char *directory)
{
	char path[PATH_MAX];
	FILE *f;
	int i, j;

	ASSERT_OK(mkdir(directory, 0755));
	for (i = 0; i < FILES; i++) {
		snprintf(path, sizeof(path), "%s/%d", directory, i);
		f = fopen(path, "we");
		ASSERT_TRUE(f);
		for (j = 0; j < i * 997; j++)
			fputc(i + j, f);
		ASSERT_OK(fclose(f));
	}
}

/* File 0 is empty: a line of the manifest, no reservation. */
TEST_LIMIT(ingest, 100)
{
	char directory[] = "ingest.XXXXXX", command[PATH_MAX], *text;
	int status;

	ASSERT_TRUE(mkdtemp(directory));
	ASSERT_OK(chdir(directory));
	make_files("in");
	snprintf(command, sizeof(command),
		 "ingest --producers 3 --threshold 65536 --out out in 2>&1");
	text = run(command, &status);
	EXPECT_EQ(status, 0);
	EXPECT_TRUE(strstr(text, "ingest: OK files=40 bytes=777660 "));
	EXPECT_EQ(zt_await_charged(0), 0);
}

KTAP_MAIN()

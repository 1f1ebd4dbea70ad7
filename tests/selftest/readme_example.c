// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The program of README.md, built as printed by readme-example.sh, does what
 * README.md says, for whom it says.
 */
#include <libgen.h>
#include <limits.h>

#include "common.h"
#include "ktap.h"

#define NOBODY	1001

static void run_example(uid_t uid, gid_t gid)
{
	char self[PATH_MAX] = "", program[PATH_MAX + 32], lib[PATH_MAX + 32];
	char *dir;

	ASSERT_GT(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
	dir = dirname(self);
	snprintf(program, sizeof(program), "%s/readme/hello", dir);
	snprintf(lib, sizeof(lib), "%s/../lib", dir);
	setenv("LD_LIBRARY_PATH", lib, 1);
	ASSERT_OK(zt_become(uid, gid));
	execl(program, "hello", NULL);
	TEST_LOG("%s: %s", program, strerror(errno));
	_exit(126);
}

/* As @uid, @gid: the wait status, and what it wrote to @fileno. */
static int example(uid_t uid, gid_t gid, int fileno, char *text, size_t size)
{
	int out[2], status = -1;
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	ASSERT_EQ(pipe(out), 0);
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		dup2(out[1], fileno);
		close(out[0]);
		close(out[1]);
		run_example(uid, gid);
	}
	close(out[1]);
	while (n + 1 < size && (got = read(out[0], text + n, size - n - 1)) > 0)
		n += got;
	text[n] = '\0';
	close(out[0]);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	return status;
}

TEST(user_of_the_group)
{
	char text[256];

	EXPECT_EQ(example(ZT_USER, ZT_GROUP, STDOUT_FILENO, text,
			  sizeof(text)), 0);
	EXPECT_STREQ(text, "hello\n");
	EXPECT_EQ(zt_await_charged(0), 0);
}

/* Who may not is told why. */
TEST(user_of_no_group)
{
	char text[256];
	int status = example(NOBODY, NOBODY, STDERR_FILENO, text, sizeof(text));

	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(WEXITSTATUS(status), 1);
	EXPECT_TRUE(strstr(text, "zcbuf: "));
	EXPECT_TRUE(strstr(text, "group zcbuf"));
}

KTAP_MAIN()

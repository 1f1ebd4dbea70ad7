// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * fio as it comes, with its memory taken from the device: what README.md shows.
 * It opens the node O_RDWR | O_CREAT and maps it shared, which makes a pool.
 */
#include <stdlib.h>

#include "common.h"
#include "ktap.h"

#define SIZE	"4194304"	/* of the file */

#define FIO								\
	"fio --name=zcbuf --size=" SIZE " --bs=64k --rw=randwrite "	\
	"--iodepth=8 --ioengine=io_uring --fixedbufs=1 "	\
	"--direct=1 --verify=crc32c --output-format=json "

#define OUR_MEMORY	"--iomem=mmapshared:/dev/zcbuf "

/* What fio says when it is run so; its exit status in @status. */
static char *fio(const char *command, int *status)
{
	static char text[1 << 20];
	FILE *pipe = popen(command, "r");
	size_t n;

	ASSERT_TRUE(pipe);
	n = fread(text, 1, sizeof(text) - 1, pipe);
	text[n] = '\0';
	*status = pclose(pipe);
	return text;
}

static void need_fio(void)
{
	if (system("fio --version >/dev/null 2>&1"))
		KTAP_MISSING("fio", "no fio here");
}

static unsigned int occurrences(const char *text, const char *what)
{
	unsigned int n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

/* All of it was written, and all of it read back and found right. */
static void job(const char *command, unsigned int jobs)
{
	int status;
	char *text = fio(command, &status);

	if (status)
		TEST_LOG("%.1000s", text);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(occurrences(text, "\"io_bytes\" : " SIZE), 2 * jobs);
	EXPECT_EQ(occurrences(text, "\"error\" : 0"), jobs);
	EXPECT_EQ(zt_await_charged(0), 0);
}

TEST(fixed_buffers_verified)
{
	need_fio();
	job(FIO OUR_MEMORY, 1);
}

/* Each has a pool of its own. They are processes: fio's threads free a name twice. */
TEST(several_jobs)
{
	need_fio();
	job(FIO OUR_MEMORY "--numjobs=2", 2);
}

/* That it is our memory shows when there is none. */
TEST(no_memory_for_it)
{
	long was;
	int status;

	need_fio();
	was = zt_parameter("total_limit_mb", 1);
	ASSERT_GE(was, 0);
	fio(FIO OUR_MEMORY "2>&1", &status);
	EXPECT_NE(status, 0);
	fio(FIO "2>&1", &status);
	EXPECT_EQ(status, 0);
	EXPECT_GE(zt_parameter("total_limit_mb", was), 0);
}

KTAP_MAIN()

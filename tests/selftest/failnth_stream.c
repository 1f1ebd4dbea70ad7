// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Calls on channels with every allocation and user copy of theirs failing in
 * turn. And is there a row for every call? The rows are in failnth_stream.h,
 * failnth_topic.h and failnth_pool.h, what is done with them in failnth.h.
 */
#include "failnth.h"
#include "failnth_pool.h"
#include "failnth_stream.h"
#include "failnth_topic.h"

FN_TABLE(fn_stream_rows)
FN_TABLE(fn_topic_rows)

#define ROWS(table)	(sizeof(table) / sizeof(table[0]))

static bool has_row(const struct fn_row *rows, size_t n, unsigned int nr)
{
	for (; n; n--, rows++)
		if (rows->nr == nr)
			return true;
	return false;
}

/* A call with no row here is a call nobody has made fail. */
TEST(every_call_has_a_row)
{
	int fd = zt_open(O_RDWR), missing = 0;
	unsigned int nr;

	ASSERT_GE(fd, 0);
	for (nr = 0; nr < 256; nr++) {
		if (zt_call(fd, _IO(ZCBUF_IOC_TYPE, nr), NULL) == -ENOTTY)
			continue;
		if (has_row(fn_pool_rows, ROWS(fn_pool_rows), nr) ||
		    has_row(fn_stream_rows, ROWS(fn_stream_rows), nr) ||
		    has_row(fn_topic_rows, ROWS(fn_topic_rows), nr))
			continue;
		TEST_LOG("the call with number %u has no row", nr);
		missing++;
	}
	EXPECT_EQ(missing, 0);
}

KTAP_MAIN()

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Calls on pools and buffers with every allocation and user copy of theirs
 * failing in turn. The rows are in failnth_pool.h, what is done with them in
 * failnth.h.
 */
#include "failnth.h"
#include "failnth_pool.h"

FN_TABLE(fn_pool_rows)

/* One more pool, at last. */
static void pool_in_spite(void)
{
	static struct snapshot before;
	struct snapshot *wanted = &before;
	unsigned int n, failures = 0;
	int fd = zt_open(O_RDWR), err;
	bool failed;

	ASSERT_GE(fd, 0);
	snap_take(&before);
	for (n = 1;; n++) {
		fault_nth(n);
		err = zt_pool_create(fd, ZCBUF_POOL_PAGES, 0, ZT_ARENA);
		failed = fault_happened();
		failures += failed;
		if (!err && !failed)
			break;
		if (!err) {
			close(fd);
			fd = zt_open(O_RDWR);
			ASSERT_GE(fd, 0);
		}
		ASSERT_EQ(fn_settle(&wanted, 1), 0);
	}
	TEST_LOG("one more pool: %u failures injected", failures);
	EXPECT_GE(failures, 10);
}

/*
 * The table doubles when it is full, once and for all; so whether that happens
 * here depends on how many pools there were before.
 */
TEST(pool_table_grows)
{
	unsigned int n;

	fault_need();
	for (n = 0; n < 130; n++)
		if (n == 64 || n == 128)
			pool_in_spite();
		else
			ASSERT_GE(zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA), 0);
}

KTAP_MAIN()

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* What many tests begin and end with. */
#include "fake.h"
#include "test.h"

struct zcbuf_channel *fake_channel(__u64 threshold)
{
	struct zcbuf_channel_opts opts = {
		.sz = sizeof(opts),
		.threshold = threshold,
		.ports = ZCBUF_PORT_PRODUCE | ZCBUF_PORT_CONSUME |
			 ZCBUF_PORT_RECV_FAILED,
		.align = 1,
	};
	struct zcbuf_channel *channel;
	struct zcbuf_pool *pool;

	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	ASSERT_EQ(zcbuf_channel_create(pool, &opts, &channel), 0);
	return channel;
}

void fake_channel_close(struct zcbuf_channel *channel)
{
	struct zcbuf_pool *pool = zcbuf_channel_pool(channel);

	EXPECT_EQ(zcbuf_channel_close(channel), 0);
	EXPECT_EQ(zcbuf_pool_close(pool), 0);
}

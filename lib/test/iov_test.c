// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Where bytes are, and what may be written behind them. */
#include <errno.h>
#include <string.h>

#include "fake.h"
#include "test.h"

static struct zcbuf_pool *new_pool(void)
{
	struct zcbuf_pool *pool;

	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	return pool;
}

static void delivery(void)
{
	struct zcbuf_delivery d = {
		.nextents = 2,
		.extents = { { 4096, 100 }, { 65536, FAKE_ARENA - 65536 } },
	};
	struct iovec iov[ZCBUF_MAX_EXTENTS];
	struct zcbuf_pool *pool = new_pool();
	unsigned char *base = zcbuf_pool_base(pool);

	EXPECT_EQ(zcbuf_delivery_iovec(pool, &d, iov), 2);
	EXPECT(iov[0].iov_base == base + 4096);
	EXPECT_EQ(iov[0].iov_len, 100);
	EXPECT(iov[1].iov_base == base + 65536);
	EXPECT_EQ(iov[1].iov_len, FAKE_ARENA - 65536);
	d.nextents = 1;
	iov[1].iov_len = 7;
	EXPECT_EQ(zcbuf_delivery_iovec(pool, &d, iov), 1);
	EXPECT_EQ(iov[1].iov_len, 7);
	d.nextents = 2;
	d.extents[1].length++;
	EXPECT_EQ(zcbuf_delivery_iovec(pool, &d, iov), -ERANGE);
	d.extents[1].length--;
	d.nextents = 3;
	EXPECT_EQ(zcbuf_delivery_iovec(pool, &d, iov), -ERANGE);
	EXPECT_EQ(zcbuf_delivery_pad(pool, &d, 4096), -ERANGE);
	zcbuf_pool_close(pool);
}

static void pieces(void)
{
	struct zcbuf_piece p[2] = { { 0, 30, 4096 }, { 80, 160, 8192 } };
	struct zcbuf_pool *pool = new_pool();
	struct iovec iov[2];

	EXPECT_EQ(zcbuf_pieces_iovec(pool, p, 2, iov), 2);
	EXPECT(iov[1].iov_base == zcbuf_pool_addr(pool, 8192));
	EXPECT_EQ(iov[1].iov_len, 160);
	EXPECT_EQ(zcbuf_pieces_iovec(pool, p, 0, iov), 0);
	p[1].pool_offset = ~0ULL;
	EXPECT_EQ(zcbuf_pieces_iovec(pool, p, 2, iov), -ERANGE);
	zcbuf_pool_close(pool);
}

static void bufs(void)
{
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_buf b[2];
	struct iovec iov[2];

	ASSERT_EQ(zcbuf_buf_alloc(pool, 100, &b[0]), 0);
	ASSERT_EQ(zcbuf_buf_alloc(pool, 5000, &b[1]), 0);
	EXPECT_EQ(zcbuf_bufs_iovec(b, 2, iov), 2);
	EXPECT(iov[0].iov_base == b[0].data);
	EXPECT_EQ(iov[0].iov_len, 100);
	EXPECT_EQ(iov[1].iov_len, 5000);
	EXPECT_EQ(zcbuf_bufs_iovec(b, 0, iov), 0);
	zcbuf_pool_close(pool);
}

static void pad_is(struct zcbuf_pool *pool, __u64 length, size_t align,
		   __s64 want)
{
	struct zcbuf_extent extent = { 8192, length };
	unsigned char *data = zcbuf_pool_addr(pool, 8192);
	__u64 i;

	memset(zcbuf_pool_base(pool), 0x77, 65536);
	EXPECT_EQ(zcbuf_extent_pad(pool, &extent, align), want);
	for (i = 0; i < 32768; i++)
		if (data[i] != (i < length || i >= (__u64)want ? 0x77 : 0))
			break;
	EXPECT_EQ(i, 32768);
	EXPECT_EQ(data[-1], 0x77);
}

static void pad(void)
{
	struct zcbuf_pool *pool = new_pool();

	pad_is(pool, 1, 4096, 4096);
	pad_is(pool, 4095, 4096, 4096);
	pad_is(pool, 4096, 4096, 4096);
	pad_is(pool, 4097, 4096, 8192);
	pad_is(pool, 10239, 4096, 12288);
	pad_is(pool, 100, 512, 512);
	pad_is(pool, 513, 512, 1024);
	pad_is(pool, 7, 1, 7);
	zcbuf_pool_close(pool);
}

static void pad_refused(void)
{
	struct zcbuf_extent extent = { 8192, 100 };
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_pool *reader;

	EXPECT_EQ(zcbuf_extent_pad(pool, &extent, 0), -EINVAL);
	EXPECT_EQ(zcbuf_extent_pad(pool, &extent, 3), -EINVAL);
	EXPECT_EQ(zcbuf_extent_pad(pool, &extent, 8192), -EINVAL);
	extent.pool_offset = 8192 + 64;
	EXPECT_EQ(zcbuf_extent_pad(pool, &extent, 4096), -EINVAL);
	extent.pool_offset = FAKE_ARENA;
	EXPECT_EQ(zcbuf_extent_pad(pool, &extent, 4096), -ERANGE);
	extent.pool_offset = 8192;
	extent.length = ~0ULL;
	EXPECT_EQ(zcbuf_extent_pad(pool, &extent, 4096), -ERANGE);
	extent.length = FAKE_ARENA - 8192 + 1;
	EXPECT_EQ(zcbuf_extent_pad(pool, &extent, 4096), -ERANGE);
	extent.length = FAKE_ARENA - 8192;
	EXPECT_EQ(zcbuf_extent_pad(pool, &extent, 4096), extent.length);

	fake.rights = ZCBUF_RIGHT_MAP_READ | ZCBUF_RIGHT_CONSUME;
	ASSERT_EQ(zcbuf_pool_attach(&reader, "x", NULL), 0);
	EXPECT_EQ(zcbuf_extent_pad(reader, &extent, 4096), -EPERM);
	zcbuf_pool_close(reader);
	zcbuf_pool_close(pool);
}

/* Where the pool ends within a block, the pad must end with it: refused. */
static void pad_at_end(void)
{
	struct zcbuf_extent extent = { FAKE_ARENA - 4096, 100 };
	struct zcbuf_pool *pool;

	fake.pool_size = FAKE_ARENA - 512;
	pool = new_pool();
	EXPECT_EQ(zcbuf_extent_pad(pool, &extent, 4096), -ERANGE);
	EXPECT_EQ(zcbuf_extent_pad(pool, &extent, 512), 512);
	zcbuf_pool_close(pool);
}

static void pad_two_extents(void)
{
	struct zcbuf_delivery d = {
		.nextents = 2,
		.extents = { { 0, 5000 }, { 16384, 10 } },
	};
	struct zcbuf_pool *pool = new_pool();
	unsigned char *base = zcbuf_pool_base(pool);

	memset(base, 0x77, 65536);
	EXPECT_EQ(zcbuf_delivery_pad(pool, &d, 4096), 8192 + 4096);
	EXPECT_EQ(base[4999], 0x77);
	EXPECT_EQ(base[5000], 0);
	EXPECT_EQ(base[8191], 0);
	EXPECT_EQ(base[8192], 0x77);
	EXPECT_EQ(base[16393], 0x77);
	EXPECT_EQ(base[16394], 0);
	EXPECT_EQ(base[20479], 0);
	EXPECT_EQ(base[20480], 0x77);
	d.extents[1].pool_offset++;
	EXPECT_EQ(zcbuf_delivery_pad(pool, &d, 4096), -EINVAL);
	zcbuf_pool_close(pool);
}

static const struct test_case cases[] = {
	CASE(delivery),
	CASE(pieces),
	CASE(bufs),
	CASE(pad),
	CASE(pad_refused),
	CASE(pad_at_end),
	CASE(pad_two_extents),
};

TEST_MAIN(cases)

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Buffers: what a handle says, and one owner each. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "fake.h"
#include "test.h"

static struct zcbuf_pool *new_pool(void)
{
	struct zcbuf_pool *pool;

	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	return pool;
}

/* Scenario 28 */
static void length_and_capacity(void)
{
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_buf empty;
	struct zcbuf_buf buf;

	ASSERT_EQ(zcbuf_buf_alloc(pool, 5000, &buf), 0);
	EXPECT_EQ(buf.length, 5000);
	EXPECT_EQ(buf.capacity, 8192);
	EXPECT(buf.pool == pool);
	EXPECT(buf.data == zcbuf_pool_addr(pool, buf.offset));
	EXPECT_EQ(buf.offset % 8192, 0);
	memset(buf.data, 0x5a, buf.capacity);
	EXPECT_EQ(zcbuf_buf_set_length(&buf, 8192), 0);
	EXPECT_EQ(zcbuf_buf_set_length(&buf, 8193), -ERANGE);
	EXPECT_EQ(buf.length, 8192);
	ASSERT_EQ(zcbuf_buf_alloc(pool, 0, &empty), 0);
	EXPECT_EQ(empty.length, 0);
	EXPECT_EQ(empty.capacity, 4096);
	EXPECT_EQ(zcbuf_buf_free(&empty), 0);
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	zcbuf_pool_close(pool);
}

static void options(void)
{
	struct zcbuf_buf_opts opts = {
		.sz = sizeof(opts),
		.align = 65536,
		.flags = ZCBUF_ALLOC_F_ZERO,
		.deadline_ns = 12345,
	};
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_buf buf;
	__u64 handle;

	ASSERT_EQ(zcbuf_buf_alloc_opts(pool, 10, &opts, &buf), 0);
	EXPECT_EQ(fake.alloc.align, 65536);
	EXPECT_EQ(fake.alloc.flags, ZCBUF_ALLOC_F_ZERO);
	EXPECT_EQ(fake.alloc.length, 10);
	EXPECT_EQ(fake.alloc.deadline_ns, 12345);
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	EXPECT_EQ(zcbuf_alloc(pool, 10, &opts, &handle, 1), 1);
	EXPECT_EQ(fake.alloc.align, 65536);
	EXPECT_EQ(fake.alloc.deadline_ns, 12345);
	opts.sz = 3;
	EXPECT_EQ(zcbuf_buf_alloc_opts(pool, 10, &opts, &buf), -EINVAL);
	EXPECT_EQ(fake.calls[ZCBUF_NR_ALLOC], 2);
	zcbuf_pool_close(pool);
}

/* Of who was compiled when there was less of it, what follows is not read. */
static void options_of_a_node(void)
{
	struct zcbuf_buf_opts opts = {
		.sz = sizeof(opts),
		.flags = ZCBUF_ALLOC_F_NODE,
		.node = 3,
	};
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_buf buf;
	__u64 handle;

	EXPECT_EQ(zcbuf_alloc(pool, 10, &opts, &handle, 1), 1);
	EXPECT_EQ(fake.alloc.flags, ZCBUF_ALLOC_F_NODE);
	EXPECT_EQ(fake.alloc.node, 3);
	EXPECT_EQ(fake.alloc.size, sizeof(fake.alloc));
	ASSERT_EQ(zcbuf_buf_alloc_opts(pool, 10, &opts, &buf), 0);
	EXPECT_EQ(fake.alloc.node, 3);
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	opts.reserved = 1;
	EXPECT_EQ(zcbuf_alloc(pool, 10, &opts, &handle, 1), -EOPNOTSUPP);
	EXPECT_EQ(zcbuf_buf_alloc_opts(pool, 10, &opts, &buf), -EOPNOTSUPP);
	opts.sz = offsetof(struct zcbuf_buf_opts, node);
	opts.flags = 0;
	EXPECT_EQ(zcbuf_alloc(pool, 10, &opts, &handle, 1), 1);
	EXPECT_EQ(fake.alloc.node, 0);
	opts.sz--;
	EXPECT_EQ(zcbuf_alloc(pool, 10, &opts, &handle, 1), -EINVAL);
	zcbuf_pool_close(pool);
}

/* An object of the second slab class at byte 4096 + 3 * 272. */
static void slab_handle(void)
{
	const __u64 handle = (33ULL << 58) | (9ULL << 36) |
			     ((4096 + 3 * 272) / 16);
	__u32 sizes[] = { 16, 272 };

	EXPECT_EQ(zcbuf_buf_class(handle), 33);
	EXPECT_EQ(zcbuf_buf_offset(handle), 4096 + 3 * 272);
	EXPECT_EQ(zcbuf_buf_capacity(handle, sizes), 272);
}

static void slab_buffer(void)
{
	struct zcbuf_pool *pool;
	struct zcbuf_buf buf;

	fake.nclasses = 2;
	fake.classes[0].length = 64;
	fake.classes[1].length = 1504;
	pool = new_pool();
	ASSERT_EQ(zcbuf_buf_alloc(pool, 65, &buf), 0);
	EXPECT_EQ(zcbuf_buf_class(buf.handle), ZCBUF_BUF_SLAB + 1);
	EXPECT_EQ(buf.length, 65);
	EXPECT_EQ(buf.capacity, 1504);
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	ASSERT_EQ(zcbuf_buf_alloc(pool, 1505, &buf), 0);
	EXPECT_EQ(buf.capacity, 4096);
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	zcbuf_pool_close(pool);
}

static void freeing(void)
{
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_buf none = { 0 };
	struct zcbuf_buf copy;
	struct zcbuf_buf buf;

	ASSERT_EQ(zcbuf_buf_alloc(pool, 1, &buf), 0);
	copy = buf;
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	EXPECT(!memcmp(&buf, &none, sizeof(buf)));
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	EXPECT_EQ(fake.calls[ZCBUF_NR_FREE], 1);
	EXPECT_EQ(zcbuf_buf_free(&copy), -EBADSLT);
	EXPECT(copy.data);	/* refused: still what it was */
	zcbuf_pool_close(pool);
}

static void batches(void)
{
	struct zcbuf_pool *pool = new_pool();
	__u64 handles[3];
	__u64 again;

	EXPECT_EQ(zcbuf_alloc(pool, 4096, NULL, handles, 3), 3);
	again = handles[1];
	EXPECT_EQ(zcbuf_free(pool, &again, 1), 1);
	/* Stops at the second: one was done, the rest says why. */
	EXPECT_EQ(zcbuf_free(pool, handles, 3), 1);
	EXPECT_EQ(zcbuf_free(pool, handles + 1, 2), -EBADSLT);
	EXPECT_EQ(zcbuf_free(pool, handles + 2, 1), 1);
	EXPECT_EQ(zcbuf_free(pool, handles, 0), -EINVAL);
	fake.fail[ZCBUF_NR_ALLOC] = ENOMEM;
	EXPECT_EQ(zcbuf_alloc(pool, 4096, NULL, handles, 3), -ENOMEM);
	zcbuf_pool_close(pool);
}

static void places(void)
{
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_buf_place p[2];
	__u64 handles[2];

	ASSERT_EQ(zcbuf_alloc(pool, 4096, NULL, handles, 2), 2);
	EXPECT_EQ(zcbuf_buf_info(pool, handles, p, 2), 2);
	EXPECT_EQ(p[1].offset, zcbuf_buf_offset(handles[1]));
	EXPECT_EQ(p[1].arena, 1);
	fake.fail[ZCBUF_NR_BUF_INFO] = ENOENT;
	EXPECT_EQ(zcbuf_buf_info(pool, handles, p, 2), -ENOENT);
	EXPECT_EQ(zcbuf_buf_info(pool, handles, p, 0), -EINVAL);
	zcbuf_pool_close(pool);
}

static void failing(void)
{
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_buf buf = { .length = 7 };

	fake.fail[ZCBUF_NR_ALLOC] = E2BIG;
	EXPECT_EQ(zcbuf_buf_alloc(pool, 1, &buf), -E2BIG);
	EXPECT_EQ(buf.length, 7);
	EXPECT(!buf.handle);
	zcbuf_pool_close(pool);
}

static const struct test_case cases[] = {
	CASE(length_and_capacity),
	CASE(options),
	CASE(options_of_a_node),
	CASE(slab_handle),
	CASE(slab_buffer),
	CASE(freeing),
	CASE(batches),
	CASE(places),
	CASE(failing),
};

TEST_MAIN(cases)

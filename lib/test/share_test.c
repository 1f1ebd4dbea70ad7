// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Buffers that several sessions have: who frees what, and when it is free. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fake.h"
#include "test.h"

#define NOBODY	(FAKE_SESSION + 60)

static struct zcbuf_pool *one;
static struct zcbuf_pool *two;

static void make(void)
{
	ASSERT_EQ(zcbuf_pool_create(&one, NULL), 0);
	ASSERT_EQ(zcbuf_pool_attach(&two, "x", NULL), 0);
}

static void unmake(void)
{
	zcbuf_pool_close(two);
	zcbuf_pool_close(one);
	EXPECT_EQ(fake.mapped, 0);
}

static void batch(void)
{
	__u64 handles[3];
	__u64 to;

	make();
	to = zcbuf_pool_session(two);
	ASSERT_EQ(zcbuf_alloc(one, 4096, NULL, handles, 3), 3);
	EXPECT_EQ(zcbuf_share(one, to, handles, 3), 3);
	EXPECT_EQ(fake.calls[ZCBUF_NR_SHARE], 1);
	EXPECT_EQ(fake.calls[ZCBUF_NR_TRANSFER], 0);
	EXPECT_EQ(fake.transfer.size, sizeof(fake.transfer));
	EXPECT_EQ(fake.transfer.flags, 0);
	EXPECT_EQ(fake.transfer.__reserved, 0);
	EXPECT_EQ(fake.transfer.session, to);
	EXPECT_EQ(fake.transfer.count, 3);
	EXPECT_EQ(zcbuf_share(one, to, handles, 1), -EALREADY);
	EXPECT_EQ(zcbuf_transfer(one, to, handles, 1), -EALREADY);
	EXPECT_EQ(zcbuf_free(one, handles, 3), 3);
	EXPECT(fake.live[0] && fake.live[1] && fake.live[2]);
	EXPECT_EQ(zcbuf_free(one, handles, 3), -EPERM);
	EXPECT_EQ(zcbuf_free(two, handles, 3), 3);
	EXPECT(!fake.live[0] && !fake.live[1] && !fake.live[2]);
	unmake();
}

static void batch_stops(void)
{
	__u64 handles[3];
	__u64 to;

	make();
	to = zcbuf_pool_session(two);
	ASSERT_EQ(zcbuf_alloc(one, 4096, NULL, handles, 3), 3);
	ASSERT_EQ(zcbuf_free(one, handles + 1, 1), 1);
	EXPECT_EQ(zcbuf_share(one, to, handles, 3), 1);
	EXPECT_EQ(zcbuf_share(one, to, handles + 1, 2), -EBADSLT);
	EXPECT_EQ(zcbuf_free(two, handles, 1), 1);
	unmake();
}

static void refused(void)
{
	const __u64 never = 77;
	__u64 handle;
	__u64 to;

	make();
	to = zcbuf_pool_session(two);
	ASSERT_EQ(zcbuf_alloc(one, 4096, NULL, &handle, 1), 1);
	EXPECT_EQ(zcbuf_share(one, NOBODY, &handle, 1), -ENOENT);
	EXPECT_EQ(zcbuf_share(one, zcbuf_pool_session(one), &handle, 1),
		  -EINVAL);
	EXPECT_EQ(zcbuf_share(one, to, &handle, 0), -EINVAL);
	EXPECT_EQ(zcbuf_share(one, to, &never, 1), -ENOENT);
	EXPECT_EQ(zcbuf_share(two, zcbuf_pool_session(one), &handle, 1),
		  -EPERM);
	fake.fail[ZCBUF_NR_SHARE] = ENOMEM;
	EXPECT_EQ(zcbuf_share(one, to, &handle, 1), -ENOMEM);
	EXPECT_EQ(zcbuf_free(two, &handle, 1), -EPERM);
	EXPECT_EQ(zcbuf_free(one, &handle, 1), 1);
	unmake();
}

/* The one who shares keeps his; the other one's is the same memory. */
static void share_and_adopt(void)
{
	struct zcbuf_buf_place place;
	struct zcbuf_buf mine;
	struct zcbuf_buf was;
	struct zcbuf_buf buf;

	make();
	ASSERT_EQ(zcbuf_buf_alloc(one, 5000, &buf), 0);
	was = buf;
	ASSERT_EQ(zcbuf_buf_adopt(two, buf.handle, 10, &mine), -EPERM);
	EXPECT_EQ(zcbuf_buf_share(&buf, zcbuf_pool_session(two)), 0);
	EXPECT(!memcmp(&buf, &was, sizeof(buf)));
	ASSERT_EQ(zcbuf_buf_adopt(two, buf.handle, buf.length, &mine), 0);
	EXPECT_EQ(zcbuf_buf_info(one, &buf.handle, &place, 1), 1);
	EXPECT_EQ(place.holders, 2);
	memcpy(buf.data, "here", 5);
	EXPECT(!strcmp(mine.data, "here"));
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	EXPECT(fake.live[0]);
	EXPECT(!strcmp(mine.data, "here"));
	EXPECT_EQ(zcbuf_buf_free(&was), -EPERM);
	EXPECT_EQ(zcbuf_buf_share(&mine, zcbuf_pool_session(one)), 0);
	EXPECT_EQ(zcbuf_buf_free(&was), 0);
	EXPECT_EQ(zcbuf_buf_free(&mine), 0);
	EXPECT(!fake.live[0]);
	unmake();
}

static void share_refused(void)
{
	struct zcbuf_buf none = { 0 };
	struct zcbuf_buf was;
	struct zcbuf_buf buf;

	make();
	EXPECT_EQ(zcbuf_buf_share(&none, zcbuf_pool_session(two)), -EINVAL);
	EXPECT_EQ(fake.calls[ZCBUF_NR_SHARE], 0);
	ASSERT_EQ(zcbuf_buf_alloc(one, 10, &buf), 0);
	was = buf;
	EXPECT_EQ(zcbuf_buf_share(&buf, NOBODY), -ENOENT);
	EXPECT_EQ(zcbuf_buf_share(&buf, zcbuf_pool_session(two)), 0);
	EXPECT_EQ(zcbuf_buf_share(&buf, zcbuf_pool_session(two)), -EALREADY);
	EXPECT_EQ(zcbuf_buf_give(&buf, zcbuf_pool_session(two)), -EALREADY);
	EXPECT(!memcmp(&buf, &was, sizeof(buf)));
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	EXPECT_EQ(zcbuf_buf_share(&was, zcbuf_pool_session(two)), -EPERM);
	unmake();
}

static void exported(void)
{
	struct zcbuf_buf none = { 0 };
	struct zcbuf_buf was;
	struct zcbuf_buf buf;
	int fd;

	make();
	ASSERT_EQ(zcbuf_buf_alloc(one, 5000, &buf), 0);
	was = buf;
	fd = zcbuf_buf_export(&buf, 4096, 8192, ZCBUF_EXPORT_F_READ_ONLY);
	EXPECT(fd > 0);
	EXPECT_EQ(close(fd), 0);
	EXPECT(!memcmp(&buf, &was, sizeof(buf)));
	EXPECT_EQ(fake.export.size, sizeof(fake.export));
	EXPECT_EQ(fake.export.flags, ZCBUF_EXPORT_F_READ_ONLY);
	EXPECT_EQ(fake.export.handle, buf.handle);
	EXPECT_EQ(fake.export.offset, 4096);
	EXPECT_EQ(fake.export.length, 8192);
	EXPECT_EQ(fake.export.__reserved, 0);
	EXPECT_EQ(zcbuf_buf_export(&none, 0, 0, 0), -EINVAL);
	EXPECT_EQ(fake.calls[ZCBUF_NR_EXPORT], 1);
	fake.fail[ZCBUF_NR_EXPORT] = ERANGE;
	EXPECT_EQ(zcbuf_buf_export(&buf, 0, 0, 0), -ERANGE);
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	unmake();
}

/* What is no memory of the pool is nobody else's. */
static void of_its_own(void)
{
	struct zcbuf_buf_opts opts = {
		.sz = sizeof(opts), .flags = ZCBUF_BUF_F_FALLBACK,
	};
	struct zcbuf_buf buf;

	make();
	fake.fail[ZCBUF_NR_ALLOC] = E2BIG;
	ASSERT_EQ(zcbuf_buf_alloc_opts(one, 9000, &opts, &buf), 0);
	EXPECT_EQ(zcbuf_buf_share(&buf, zcbuf_pool_session(two)), -EOPNOTSUPP);
	EXPECT_EQ(zcbuf_buf_export(&buf, 0, 0, 0), -EOPNOTSUPP);
	EXPECT_EQ(fake.calls[ZCBUF_NR_SHARE], 0);
	EXPECT_EQ(fake.calls[ZCBUF_NR_EXPORT], 0);
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	unmake();
}

static const struct test_case cases[] = {
	CASE(batch),
	CASE(batch_stops),
	CASE(refused),
	CASE(share_and_adopt),
	CASE(share_refused),
	CASE(exported),
	CASE(of_its_own),
};

TEST_MAIN(cases)

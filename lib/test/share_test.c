// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Buffers that several sessions have: who frees what, and when it is free. */
#include <unistd.h>

#include "pass.h"

static int share_buf(struct zcbuf_buf *buf, __u64 session)
{
	return zcbuf_buf_share(buf, session);
}

static const struct pass share = {
	.handles = zcbuf_share, .buf = share_buf, .nr = ZCBUF_NR_SHARE,
	.keeps = true,
};

static void batch(void)
{
	__u64 handles[3];
	__u64 to;

	make();
	to = zcbuf_pool_session(taker);
	pass_batch(&share, handles);
	EXPECT_EQ(zcbuf_share(giver, to, handles, 1), -EALREADY);
	EXPECT_EQ(zcbuf_transfer(giver, to, handles, 1), -EALREADY);
	EXPECT_EQ(zcbuf_free(giver, handles, 3), 3);
	EXPECT(fake.live[0] && fake.live[1] && fake.live[2]);
	EXPECT_EQ(zcbuf_free(giver, handles, 3), -EPERM);
	EXPECT_EQ(zcbuf_free(taker, handles, 3), 3);
	EXPECT(!fake.live[0] && !fake.live[1] && !fake.live[2]);
	unmake();
}

static void batch_stops(void)
{
	pass_batch_stops(&share);
}

static void refused(void)
{
	pass_refused(&share);
}

/* The one who shares keeps his; the other one's is the same memory. */
static void share_and_adopt(void)
{
	struct zcbuf_buf_place place;
	struct zcbuf_buf mine;
	struct zcbuf_buf was;
	struct zcbuf_buf buf;

	make();
	ASSERT_EQ(zcbuf_buf_alloc(giver, 5000, &buf), 0);
	was = buf;
	ASSERT_EQ(zcbuf_buf_adopt(taker, buf.handle, 10, &mine), -EPERM);
	EXPECT_EQ(zcbuf_buf_share(&buf, zcbuf_pool_session(taker)), 0);
	EXPECT(!memcmp(&buf, &was, sizeof(buf)));
	ASSERT_EQ(zcbuf_buf_adopt(taker, buf.handle, buf.length, &mine), 0);
	EXPECT_EQ(zcbuf_buf_info(giver, &buf.handle, &place, 1), 1);
	EXPECT_EQ(place.holders, 2);
	memcpy(buf.data, "here", 5);
	EXPECT(!strcmp(mine.data, "here"));
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	EXPECT(fake.live[0]);
	EXPECT(!strcmp(mine.data, "here"));
	EXPECT_EQ(zcbuf_buf_free(&was), -EPERM);
	EXPECT_EQ(zcbuf_buf_share(&mine, zcbuf_pool_session(giver)), 0);
	EXPECT_EQ(zcbuf_buf_free(&was), 0);
	EXPECT_EQ(zcbuf_buf_free(&mine), 0);
	EXPECT(!fake.live[0]);
	unmake();
}

static void share_refused(void)
{
	pass_buf_refused(&share);
}

static void has_it_already(void)
{
	struct zcbuf_buf was;
	struct zcbuf_buf buf;

	make();
	ASSERT_EQ(zcbuf_buf_alloc(giver, 10, &buf), 0);
	was = buf;
	EXPECT_EQ(zcbuf_buf_share(&buf, zcbuf_pool_session(taker)), 0);
	EXPECT_EQ(zcbuf_buf_share(&buf, zcbuf_pool_session(taker)), -EALREADY);
	EXPECT_EQ(zcbuf_buf_give(&buf, zcbuf_pool_session(taker)), -EALREADY);
	EXPECT(!memcmp(&buf, &was, sizeof(buf)));
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	EXPECT_EQ(zcbuf_buf_share(&was, zcbuf_pool_session(taker)), -EPERM);
	unmake();
}

static void exported(void)
{
	struct zcbuf_buf none = { 0 };
	struct zcbuf_buf was;
	struct zcbuf_buf buf;
	int fd;

	make();
	ASSERT_EQ(zcbuf_buf_alloc(giver, 5000, &buf), 0);
	was = buf;
	fd = zcbuf_buf_export(&buf, 4096, 8192, ZCBUF_EXPORT_F_READ_ONLY);
	EXPECT(fd > 0);
	EXPECT_EQ(close(fd), 0);
	EXPECT(!memcmp(&buf, &was, sizeof(buf)));
	EXPECT_EQ(fake.exported.size, sizeof(fake.exported));
	EXPECT_EQ(fake.exported.flags, ZCBUF_EXPORT_F_READ_ONLY);
	EXPECT_EQ(fake.exported.handle, buf.handle);
	EXPECT_EQ(fake.exported.offset, 4096);
	EXPECT_EQ(fake.exported.length, 8192);
	EXPECT_EQ(fake.exported.__reserved, 0);
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
	ASSERT_EQ(zcbuf_buf_alloc_opts(giver, 9000, &opts, &buf), 0);
	EXPECT_EQ(zcbuf_buf_share(&buf, zcbuf_pool_session(taker)), -EOPNOTSUPP);
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
	CASE(has_it_already),
	CASE(exported),
	CASE(of_its_own),
};

TEST_MAIN(cases)

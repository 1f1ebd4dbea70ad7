/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Buffers that go from one session to another: two sessions of a pool, and what
 * is the same of giving and of sharing.
 */
#ifndef ZCBUF_LIB_TEST_PASS_H
#define ZCBUF_LIB_TEST_PASS_H

#include <errno.h>
#include <string.h>

#include "fake.h"
#include "test.h"

#define NOBODY	(FAKE_SESSION + 60)

static struct zcbuf_pool *giver;
static struct zcbuf_pool *taker;

/*
 * struct pass - how
 * @handles: by handles
 * @buf: a buffer
 * @nr: the call it is
 * @keeps: who does it has them still
 */
struct pass {
	int (*handles)(struct zcbuf_pool *pool, __u64 session,
		       const __u64 *handles, unsigned int count);
	int (*buf)(struct zcbuf_buf *buf, __u64 session);
	unsigned int nr;
	bool keeps;
};

static inline void make(void)
{
	fake.max_size = 4 * FAKE_ARENA;
	ASSERT_EQ(zcbuf_pool_create(&giver, NULL), 0);
	ASSERT_EQ(zcbuf_pool_attach(&taker, "x", NULL), 0);
}

static inline void unmake(void)
{
	zcbuf_pool_close(taker);
	zcbuf_pool_close(giver);
	EXPECT_EQ(fake.mapped, 0);
}

static inline __u64 of(const struct zcbuf_pool *pool)
{
	return fake_bit(zcbuf_pool_session(pool));
}

/* The @i-th buffer is the taker's, and the giver's if he keeps what he passes. */
static inline bool is_passed(const struct pass *pass, unsigned int i)
{
	return fake.live[i] &&
	       fake.holders[i] == (of(taker) | (pass->keeps ? of(giver) : 0));
}

static inline bool is_of(const struct zcbuf_pool *pool, unsigned int i)
{
	return fake.live[i] && fake.holders[i] == of(pool);
}

/* One call, with all it needs. */
static inline void pass_batch(const struct pass *pass, __u64 *handles)
{
	const unsigned int other =
		ZCBUF_NR_TRANSFER + ZCBUF_NR_SHARE - pass->nr;
	__u64 to = zcbuf_pool_session(taker);

	ASSERT_EQ(zcbuf_alloc(giver, 4096, NULL, handles, 3), 3);
	EXPECT_EQ(pass->handles(giver, to, handles, 3), 3);
	EXPECT_EQ(fake.calls[pass->nr], 1);
	EXPECT_EQ(fake.calls[other], 0);
	EXPECT_EQ(fake.transfer.size, sizeof(fake.transfer));
	EXPECT_EQ(fake.transfer.flags, 0);
	EXPECT_EQ(fake.transfer.__reserved, 0);
	EXPECT_EQ(fake.transfer.session, to);
	EXPECT_EQ(fake.transfer.count, 3);
	EXPECT(is_passed(pass, 0) && is_passed(pass, 1) && is_passed(pass, 2));
}

/* Stops at the second: one was passed on, the rest says why. */
static inline void pass_batch_stops(const struct pass *pass)
{
	__u64 handles[3];
	__u64 to;

	make();
	to = zcbuf_pool_session(taker);
	ASSERT_EQ(zcbuf_alloc(giver, 4096, NULL, handles, 3), 3);
	ASSERT_EQ(zcbuf_free(giver, handles + 1, 1), 1);
	EXPECT_EQ(pass->handles(giver, to, handles, 3), 1);
	EXPECT_EQ(pass->handles(giver, to, handles + 1, 2), -EBADSLT);
	EXPECT(is_passed(pass, 0));
	EXPECT(is_of(giver, 2));
	EXPECT_EQ(pass->handles(giver, to, handles + 2, 1), 1);
	EXPECT(is_passed(pass, 2));
	EXPECT_EQ(zcbuf_free(taker, handles, 1), 1);
	unmake();
}

static inline void pass_refused(const struct pass *pass)
{
	const __u64 never = 77;
	__u64 handle;
	__u64 to;

	make();
	to = zcbuf_pool_session(taker);
	ASSERT_EQ(zcbuf_alloc(giver, 4096, NULL, &handle, 1), 1);
	EXPECT_EQ(pass->handles(giver, NOBODY, &handle, 1), -ENOENT);
	EXPECT_EQ(pass->handles(giver, 0, &handle, 1), -ENOENT);
	EXPECT_EQ(pass->handles(giver, zcbuf_pool_session(giver), &handle, 1),
		  -EINVAL);
	EXPECT_EQ(pass->handles(giver, to, &handle, 0), -EINVAL);
	EXPECT_EQ(pass->handles(giver, to, &never, 1), -ENOENT);
	EXPECT_EQ(pass->handles(taker, zcbuf_pool_session(giver), &handle, 1),
		  -EPERM);
	fake.fail[pass->nr] = ENOMEM;
	EXPECT_EQ(pass->handles(giver, to, &handle, 1), -ENOMEM);
	EXPECT(is_of(giver, 0));
	EXPECT_EQ(zcbuf_free(taker, &handle, 1), -EPERM);
	EXPECT_EQ(zcbuf_free(giver, &handle, 1), 1);
	unmake();
}

/* A buffer that cannot be passed on is as it was. */
static inline void pass_buf_refused(const struct pass *pass)
{
	struct zcbuf_buf none = { 0 };
	struct zcbuf_buf was;
	struct zcbuf_buf buf;

	make();
	EXPECT_EQ(pass->buf(&none, zcbuf_pool_session(taker)), -EINVAL);
	EXPECT_EQ(fake.calls[pass->nr], 0);
	ASSERT_EQ(zcbuf_buf_alloc(giver, 10, &buf), 0);
	was = buf;
	EXPECT_EQ(pass->buf(&buf, NOBODY), -ENOENT);
	EXPECT_EQ(pass->buf(&buf, zcbuf_pool_session(giver)), -EINVAL);
	fake.fail[pass->nr] = EPERM;
	EXPECT_EQ(pass->buf(&buf, zcbuf_pool_session(taker)), -EPERM);
	EXPECT(!memcmp(&buf, &was, sizeof(buf)));
	EXPECT(is_of(giver, 0));
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	unmake();
}

#endif /* ZCBUF_LIB_TEST_PASS_H */

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Buffers from one session to another: who is who, and whose they are when. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pass.h"

static const struct pass give = {
	.handles = zcbuf_transfer, .buf = zcbuf_buf_give,
	.nr = ZCBUF_NR_TRANSFER,
};

/* ----------------------------------------------------------------- sessions */

static void sessions(void)
{
	make();
	EXPECT_EQ(fake.calls[ZCBUF_NR_QUERY], 2);
	EXPECT_EQ(zcbuf_pool_session(giver), FAKE_SESSION + 1);
	EXPECT_EQ(zcbuf_pool_session(taker), FAKE_SESSION + 2);
	EXPECT_EQ(fake.calls[ZCBUF_NR_QUERY], 2);
	unmake();
}

/* A channel keeps the pool as a name: nobody should give it anything. */
static void closed(void)
{
	struct zcbuf_channel *channel = fake_channel(100);
	struct zcbuf_pool *pool = zcbuf_channel_pool(channel);

	EXPECT(zcbuf_pool_session(pool) != 0);
	zcbuf_pool_close(pool);
	EXPECT_EQ(zcbuf_pool_session(pool), 0);
	EXPECT_EQ(zcbuf_channel_close(channel), -EBADF);
}

static void open_undo(void)
{
	struct zcbuf_pool *pool = NULL;
	unsigned int fds = fake_open_fds();

	fake.fail[ZCBUF_NR_QUERY] = EINTR;
	EXPECT_EQ(zcbuf_pool_create(&pool, NULL), -EINTR);
	EXPECT_EQ(fake_open_fds(), fds);
	EXPECT_EQ(fake.mapped, 0);

	make();
	fds = fake_open_fds();
	fake.fail[ZCBUF_NR_QUERY] = ENOMEM;
	EXPECT_EQ(zcbuf_pool_attach(&pool, "x", NULL), -ENOMEM);
	fake.fail[ZCBUF_NR_QUERY] = EFAULT;
	EXPECT_EQ(zcbuf_pool_attach_fd(&pool, zcbuf_pool_fd(giver), NULL),
		  -EFAULT);
	EXPECT_EQ(fake_open_fds(), fds);
	EXPECT_EQ(fake.maps, 2);
	EXPECT(!pool);
	unmake();
}

static int child(struct zcbuf_buf *buf, __u64 to)
{
	struct zcbuf_buf was = *buf;
	int bad = 0;

	bad += zcbuf_pool_session(giver) != 0;
	bad += zcbuf_transfer(giver, to, &buf->handle, 1) != -EBADF;
	bad += zcbuf_buf_give(buf, to) != -EBADF;
	bad += zcbuf_buf_adopt(giver, buf->handle, 1, buf) != -EBADF;
	bad += !!memcmp(buf, &was, sizeof(was));
	return bad;
}

static void fork_child(void)
{
	struct zcbuf_buf buf;
	int status;

	make();
	ASSERT_EQ(zcbuf_buf_alloc(giver, 100, &buf), 0);
	fflush(stdout);
	if (!fork())
		_exit(child(&buf, zcbuf_pool_session(taker)));
	wait(&status);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(zcbuf_buf_give(&buf, zcbuf_pool_session(taker)), 0);
	unmake();
}

/* ------------------------------------------------------------------ handles */

static void batch(void)
{
	__u64 handles[3];

	make();
	pass_batch(&give, handles);
	EXPECT_EQ(zcbuf_free(giver, handles, 3), -EPERM);
	EXPECT_EQ(zcbuf_transfer(giver, zcbuf_pool_session(taker), handles, 3),
		  -EPERM);
	EXPECT_EQ(zcbuf_free(taker, handles, 3), 3);
	unmake();
}

static void batch_stops(void)
{
	pass_batch_stops(&give);
}

static void refused(void)
{
	pass_refused(&give);
}

/* ------------------------------------------------------------------ buffers */

static void give_and_adopt(void)
{
	struct zcbuf_buf none = { 0 };
	struct zcbuf_buf mine;
	struct zcbuf_buf was;
	struct zcbuf_buf buf;

	make();
	ASSERT_EQ(zcbuf_buf_alloc(giver, 8000, &buf), 0);
	ASSERT_EQ(zcbuf_buf_free(&buf), 0);
	ASSERT_EQ(zcbuf_buf_alloc(giver, 8000, &buf), 0);
	memcpy(buf.data, "here", 5);
	was = buf;
	EXPECT_EQ(zcbuf_buf_give(&buf, zcbuf_pool_session(taker)), 0);
	EXPECT(!memcmp(&buf, &none, sizeof(buf)));
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);

	ASSERT_EQ(zcbuf_buf_adopt(taker, was.handle, was.length, &mine), 0);
	EXPECT(!strcmp(mine.data, "here"));
	EXPECT(mine.data == zcbuf_pool_addr(taker, was.offset));
	EXPECT_EQ(mine.length, 8000);
	EXPECT_EQ(mine.capacity, 8192);
	EXPECT_EQ(mine.offset, was.offset);
	EXPECT_EQ(mine.handle, was.handle);
	EXPECT(mine.pool == taker);

	/* The giver's copy is as dead as if it had been freed. */
	EXPECT_EQ(zcbuf_buf_free(&was), -EPERM);
	EXPECT_EQ(zcbuf_buf_give(&was, zcbuf_pool_session(taker)), -EPERM);
	EXPECT_EQ(zcbuf_buf_free(&mine), 0);
	EXPECT(!fake.live[1]);
	unmake();
}

/* And back; the handle is the same all the way. */
static void return_it(void)
{
	struct zcbuf_buf buf;
	__u64 handle;

	make();
	ASSERT_EQ(zcbuf_buf_alloc(giver, 1, &buf), 0);
	handle = buf.handle;
	EXPECT_EQ(zcbuf_buf_give(&buf, zcbuf_pool_session(taker)), 0);
	ASSERT_EQ(zcbuf_buf_adopt(taker, handle, 1, &buf), 0);
	EXPECT_EQ(zcbuf_buf_give(&buf, zcbuf_pool_session(giver)), 0);
	EXPECT_EQ(zcbuf_buf_adopt(taker, handle, 1, &buf), -EPERM);
	ASSERT_EQ(zcbuf_buf_adopt(giver, handle, 1, &buf), 0);
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	unmake();
}

static void give_refused(void)
{
	pass_buf_refused(&give);
}

static void expect_adopt(__u64 handle, size_t length, int err)
{
	struct zcbuf_buf was;
	struct zcbuf_buf buf;

	memset(&buf, 0x5a, sizeof(buf));
	was = buf;
	EXPECT_EQ(zcbuf_buf_adopt(taker, handle, length, &buf), err);
	EXPECT(!memcmp(&buf, &was, sizeof(buf)));
}

static void adopt_refused(void)
{
	struct zcbuf_buf buf;
	__u64 handle;

	make();
	expect_adopt(0, 0, -ENOENT);
	expect_adopt(~0ULL, 0, -EINVAL);
	ASSERT_EQ(zcbuf_alloc(giver, 4096, NULL, &handle, 1), 1);
	expect_adopt(handle, 10, -EPERM);
	ASSERT_EQ(zcbuf_transfer(giver, zcbuf_pool_session(taker), &handle, 1),
		  1);
	fake.fail[ZCBUF_NR_BUF_INFO] = ESTALE;
	expect_adopt(handle, 10, -ESTALE);
	expect_adopt(handle, 4097, -ERANGE);
	expect_adopt(handle, ~(size_t)0, -ERANGE);
	EXPECT(is_of(taker, 0));
	ASSERT_EQ(zcbuf_buf_adopt(taker, handle, 4096, &buf), 0);
	EXPECT_EQ(zcbuf_buf_set_length(&buf, 4097), -ERANGE);
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	expect_adopt(handle, 10, -EBADSLT);
	unmake();
}

/* In an arena the taker has not mapped: refused, it is his all the same. */
static void adopt_new_arena(void)
{
	struct zcbuf_buf buf;
	__u64 handles[2];
	unsigned char *at;

	make();
	fake_grow();
	ASSERT_EQ(zcbuf_alloc(giver, FAKE_ARENA, NULL, handles, 2), 2);
	at = zcbuf_pool_addr(giver, FAKE_ARENA);
	ASSERT_EQ(zcbuf_transfer(giver, zcbuf_pool_session(taker), handles, 2),
		  2);
	EXPECT_EQ(fake.maps, 3);
	expect_adopt(handles[1], FAKE_ARENA + 1, -ERANGE);
	EXPECT_EQ(fake.maps, 3);
	fake.map_error = ENFILE;
	expect_adopt(handles[1], FAKE_ARENA, -ENOMEM);
	EXPECT(is_of(taker, 1));
	EXPECT_EQ(zcbuf_pool_size(taker), FAKE_ARENA);

	ASSERT_EQ(zcbuf_buf_adopt(taker, handles[1], FAKE_ARENA, &buf), 0);
	EXPECT_EQ(zcbuf_pool_size(taker), 2 * FAKE_ARENA);
	((unsigned char *)buf.data)[FAKE_ARENA - 1] = 7;
	EXPECT_EQ(at[FAKE_ARENA - 1], 7);
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	EXPECT_EQ(zcbuf_free(taker, handles, 1), 1);
	unmake();
}

static void slab_object(void)
{
	struct zcbuf_buf buf;
	__u64 handle;

	fake.nclasses = 2;
	fake.classes[0].length = 64;
	fake.classes[1].length = 1504;
	make();
	ASSERT_EQ(zcbuf_buf_alloc(giver, 65, &buf), 0);
	handle = buf.handle;
	EXPECT_EQ(zcbuf_buf_give(&buf, zcbuf_pool_session(taker)), 0);
	expect_adopt(handle, 1505, -ERANGE);
	ASSERT_EQ(zcbuf_buf_adopt(taker, handle, 1504, &buf), 0);
	EXPECT_EQ(buf.capacity, 1504);
	EXPECT(buf.data == zcbuf_pool_addr(taker, zcbuf_buf_offset(handle)));
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	unmake();
}

static const struct test_case cases[] = {
	CASE(sessions),
	CASE(closed),
	CASE(open_undo),
	CASE(fork_child),
	CASE(batch),
	CASE(batch_stops),
	CASE(refused),
	CASE(give_and_adopt),
	CASE(return_it),
	CASE(give_refused),
	CASE(adopt_refused),
	CASE(adopt_new_arena),
	CASE(slab_object),
};

TEST_MAIN(cases)

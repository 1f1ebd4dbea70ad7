// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Commands as they are prepared: each is given to the device as io_uring would,
 * and does what the function of the same name does.
 */
#include <errno.h>
#include <liburing.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake.h"
#include "test.h"

/* Whatever was in the SQE before is gone, and flags are where they should be. */
static int run(const struct io_uring_sqe *sqe, __u32 flags)
{
	struct zcbuf_uring_cmd cmd;

	memcpy(&cmd, sqe->cmd, sizeof(cmd));
	EXPECT_EQ(sqe->opcode, IORING_OP_URING_CMD);
	EXPECT_EQ(sqe->flags, 0);
	EXPECT_EQ(sqe->rw_flags, 0);
	EXPECT_EQ(sqe->addr, 0);
	EXPECT_EQ(sqe->len, 0);
	EXPECT_EQ(sqe->__pad1, 0);
	EXPECT_EQ(cmd.flags, flags);
	EXPECT_EQ(cmd.__reserved, 0);
	return ioctl(sqe->fd, sqe->cmd_op, (void *)(uintptr_t)cmd.arg) ?
		-errno : 0;
}

static struct io_uring_sqe dirty(void)
{
	struct io_uring_sqe sqe;

	memset(&sqe, 0xff, sizeof(sqe));
	return sqe;
}

static void buffers(void)
{
	struct io_uring_sqe sqe = dirty();
	struct zcbuf_pool *pool;
	struct zcbuf_alloc alloc;
	struct zcbuf_batch back;
	__u64 h[2];

	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	memset(&alloc, 0xff, sizeof(alloc));
	memset(&back, 0xff, sizeof(back));
	zcbuf_uring_prep_alloc(pool, &sqe, &alloc, 100, h, 2, 0);
	EXPECT_EQ(sqe.fd, zcbuf_pool_fd(pool));
	ASSERT_EQ(run(&sqe, 0), 0);
	EXPECT_EQ(alloc.out_done, 2);
	EXPECT_EQ(fake.alloc.length, 100);
	EXPECT_EQ(fake.alloc.flags, 0);
	EXPECT_EQ(fake.alloc.align, 0);
	EXPECT_EQ(fake.alloc.deadline_ns, 0);
	EXPECT_EQ(h[0], fake.handle[0]);
	EXPECT_EQ(h[1], fake.handle[1]);
	sqe = dirty();
	zcbuf_uring_prep_free(pool, &sqe, &back, h, 2,
			      ZCBUF_URING_F_ALL_OR_ERROR);
	ASSERT_EQ(run(&sqe, ZCBUF_URING_F_ALL_OR_ERROR), 0);
	EXPECT_EQ(back.out_done, 2);
	EXPECT(!fake.live[0] && !fake.live[1]);
	zcbuf_pool_close(pool);
}

static void streams(void)
{
	struct zcbuf_channel *channel = fake_channel(100);
	struct zcbuf_reservation r = { .length = 100 };
	struct zcbuf_commit_entry e = { .length = 100 };
	struct io_uring_sqe sqe = dirty();
	struct zcbuf_reserve reserve;
	struct zcbuf_batch batch;

	memset(&reserve, 0xff, sizeof(reserve));
	zcbuf_uring_prep_reserve(channel, &sqe, &reserve, &r, 1, 0);
	ASSERT_EQ(run(&sqe, 0), 0);
	EXPECT_EQ(reserve.out_done, 1);
	EXPECT_EQ(fake.nresv, 1);
	EXPECT_EQ(fake.reserve.channel, FAKE_CHANNEL);
	EXPECT_EQ(fake.reserve.flags, 0);
	EXPECT_EQ(fake.reserve.deadline_ns, 0);
	e.group = r.out_group;
	e.id = r.out_id;
	e.offset = r.out_offset;
	memset(&batch, 0xff, sizeof(batch));
	sqe = dirty();
	zcbuf_uring_prep_commit(channel, &sqe, &batch, &e, 1, 0);
	ASSERT_EQ(run(&sqe, 0), 0);
	EXPECT_EQ(batch.out_done, 1);
	EXPECT_EQ(fake.resv[0].state, FAKE_COMMITTED);
	fake_channel_close(channel);
}

static void deliveries(void)
{
	struct zcbuf_channel *channel = fake_channel(100);
	struct io_uring_sqe sqe = dirty();
	struct zcbuf_receive receive;
	struct zcbuf_batch batch;
	struct zcbuf_delivery d;

	fake.deliveries[0].handle = 0x1234;
	fake.ndeliveries = 1;
	memset(&receive, 0xff, sizeof(receive));
	zcbuf_uring_prep_receive(channel, &sqe, &receive, &d, 1, 0);
	ASSERT_EQ(run(&sqe, 0), 0);
	EXPECT_EQ(receive.out_done, 1);
	EXPECT_EQ(fake.receive.entry_size, sizeof(d));
	EXPECT_EQ(fake.receive.deadline_ns, 0);
	EXPECT_EQ(d.handle, 0x1234);
	memset(&batch, 0xff, sizeof(batch));
	sqe = dirty();
	zcbuf_uring_prep_release(channel, &sqe, &batch, &d.handle, 1, 0);
	ASSERT_EQ(run(&sqe, 0), 0);
	EXPECT_EQ(fake.released, 0x1234);
	fake_channel_close(channel);
}

/* What a child prepares cannot reach the session of its parent. */
static void fork_child(void)
{
	struct io_uring_sqe sqe = dirty();
	struct zcbuf_pool *pool;
	struct zcbuf_alloc alloc;
	int status;
	pid_t pid;
	__u64 h;

	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	pid = fork();
	if (!pid) {
		zcbuf_uring_prep_alloc(pool, &sqe, &alloc, 1, &h, 1, 0);
		_exit(sqe.fd == -1 ? 0 : 1);
	}
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	zcbuf_pool_close(pool);
}

static const struct test_case cases[] = {
	CASE(buffers),
	CASE(streams),
	CASE(deliveries),
	CASE(fork_child),
};

TEST_MAIN(cases)

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * With a ring of this kernel, if it has any: bytes through fixed buffers of a
 * pool's mapping.
 */
#include <errno.h>
#include <liburing.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake.h"
#include "test.h"

static int run(struct io_uring *ring)
{
	struct io_uring_cqe *cqe;
	int result;

	ASSERT_EQ(io_uring_submit(ring), 1);
	ASSERT_EQ(io_uring_wait_cqe(ring, &cqe), 0);
	result = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	return result;
}

static void round_trip(struct io_uring *ring, const struct zcbuf_uring *u,
		       struct zcbuf_pool *pool, int fixed)
{
	char *from = zcbuf_pool_addr(pool, 4096);
	char *to = zcbuf_pool_addr(pool, 65536);
	int fd = memfd_create("file", MFD_CLOEXEC);

	memset(from, 0x21, 4096);
	memset(to, 0, 4096);
	EXPECT_EQ(zcbuf_uring_prep_write(u, io_uring_get_sqe(ring), fd, from,
					 4096, 4096), fixed);
	EXPECT_EQ(run(ring), 4096);
	EXPECT_EQ(zcbuf_uring_prep_read(u, io_uring_get_sqe(ring), fd, to,
					4096, 4096), fixed);
	EXPECT_EQ(run(ring), 4096);
	EXPECT(!memcmp(from, to, 4096));
	close(fd);
}

static void fixed_buffers(void)
{
	struct zcbuf_uring other;
	struct io_uring ring;
	struct zcbuf_pool *pool;
	struct zcbuf_uring u;
	int err;

	err = io_uring_queue_init(4, &ring, 0);
	if (err)
		test_skip("no io_uring here: %s", strerror(-err));
	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	EXPECT(zcbuf_uring_register_at(&u, &ring, pool, 0) < 0);
	round_trip(&ring, &u, pool, 0);
	ASSERT_EQ(zcbuf_uring_register(&u, &ring, pool), 0);
	EXPECT_EQ(zcbuf_uring_register(&other, &ring, pool), -EBUSY);
	round_trip(&ring, &u, pool, 1);
	round_trip(&ring, &other, pool, 0);
	EXPECT_EQ(zcbuf_uring_unregister(&u), 0);
	round_trip(&ring, &u, pool, 0);

	/* Next to the caller's own buffers. */
	ASSERT_EQ(io_uring_register_buffers_sparse(&ring, 3), 0);
	EXPECT_EQ(zcbuf_uring_register_at(&u, &ring, pool, 2), -ENXIO);
	ASSERT_EQ(io_uring_register_files_sparse(&ring, 3), 0);
	ASSERT_EQ(zcbuf_uring_register_at(&u, &ring, pool, 2), 0);
	round_trip(&ring, &u, pool, 1);
	EXPECT_EQ(zcbuf_uring_unregister(&u), 0);
	EXPECT_EQ(zcbuf_uring_register_at(&u, &ring, pool, 3), -EINVAL);
	io_uring_queue_exit(&ring);
	zcbuf_pool_close(pool);
}

/* The kernel takes what came into its place, too. */
static void growth(void)
{
	struct io_uring ring;
	struct zcbuf_pool *pool;
	struct zcbuf_uring u;
	char *from;
	int fd;
	int err;

	err = io_uring_queue_init(4, &ring, 0);
	if (err)
		test_skip("no io_uring here: %s", strerror(-err));
	fake.pool_size = FAKE_ARENA;
	fake.max_size = 2 * FAKE_ARENA;
	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	ASSERT_EQ(zcbuf_uring_register(&u, &ring, pool), 0);
	EXPECT_EQ(zcbuf_pool_grow(pool), 1);
	EXPECT_EQ(zcbuf_uring_update(&u), 1);
	round_trip(&ring, &u, pool, 1);
	from = zcbuf_pool_addr(pool, FAKE_ARENA);
	fd = memfd_create("file", MFD_CLOEXEC);
	EXPECT_EQ(zcbuf_uring_prep_write(&u, io_uring_get_sqe(&ring), fd, from,
					 4096, 0), 1);
	EXPECT_EQ(run(&ring), 4096);
	close(fd);
	EXPECT_EQ(zcbuf_uring_unregister(&u), 0);
	io_uring_queue_exit(&ring);
	zcbuf_pool_close(pool);
}

static void clones(void)
{
	struct zcbuf_uring u, c, other;
	struct io_uring ring, second;
	struct zcbuf_pool *pool;
	int err;

	err = io_uring_queue_init(4, &ring, 0);
	if (err)
		test_skip("no io_uring here: %s", strerror(-err));
	ASSERT_EQ(io_uring_queue_init(4, &second, 0), 0);
	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	ASSERT_EQ(zcbuf_uring_register(&u, &ring, pool), 0);
	err = zcbuf_uring_clone(&c, &second, &u, 1, NULL);
	if (err == -EOPNOTSUPP)
		test_skip("this kernel clones no buffers");
	ASSERT_EQ(err, 0);
	EXPECT_EQ(zcbuf_uring_clone(&other, &second, &u, 1, NULL), -EBUSY);
	EXPECT_EQ(zcbuf_uring_unregister(&u), 0);
	round_trip(&ring, &u, pool, 0);
	round_trip(&second, &c, pool, 1);
	EXPECT_EQ(zcbuf_uring_unregister(&c), 0);
	round_trip(&second, &c, pool, 0);
	EXPECT_EQ(io_uring_unregister_buffers(&second), -ENXIO);
	io_uring_queue_exit(&second);
	io_uring_queue_exit(&ring);
	zcbuf_pool_close(pool);
}

static const struct test_case cases[] = {
	CASE(fixed_buffers),
	CASE(growth),
	CASE(clones),
};

TEST_MAIN(cases)

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Scenario 29 and what belongs to it: pool memory as io_uring fixed buffers, on
 * files opened O_DIRECT, and what is left to a process that may not register.
 * Files are made in the current directory, which must be on a file system that
 * can do O_DIRECT.
 */
#include <fcntl.h>
#include <sys/resource.h>

#include <zcbuf/zcbuf.h>

#include "common.h"
#include "ktap.h"
#include "ring.h"

#define BLOCK	4096U

struct io {
	struct io_uring ring;
	struct zcbuf_uring u;
	struct zcbuf_pool *pool;
	char path[64];
	int fd;
};

static void io_open_file(struct io *io)
{
	snprintf(io->path, sizeof(io->path), "uring-%d", getpid());
	io->fd = open(io->path, O_RDWR | O_CREAT | O_TRUNC | O_DIRECT |
		      O_CLOEXEC, 0600);
	ASSERT_GE(io->fd, 0);
	EXPECT_EQ(unlink(io->path), 0);
}

static void io_open_kind(struct io *io, __u32 kind)
{
	struct zcbuf_pool_opts o = {
		.sz = sizeof(o), .kind = kind,
		.arena_size = kind == ZCBUF_POOL_FIXED ? 0 : ZT_ARENA,
	};

	memset(io, 0, sizeof(*io));
	ASSERT_OK(zcbuf_pool_create(&io->pool, &o));
	ASSERT_OK(io_uring_queue_init(8, &io->ring, 0));
	io_open_file(io);
}

static void io_open(struct io *io)
{
	io_open_kind(io, ZCBUF_POOL_PAGES);
}

static void io_close(struct io *io)
{
	EXPECT_OK(zcbuf_uring_unregister(&io->u));
	io_uring_queue_exit(&io->ring);
	close(io->fd);
	EXPECT_OK(zcbuf_pool_close(io->pool));
}

/* Of buffers and files, for several pools. */
static void make_tables(struct io *io, unsigned int slots)
{
	ASSERT_OK(io_uring_register_buffers_sparse(&io->ring, slots));
	ASSERT_OK(io_uring_register_files_sparse(&io->ring, slots));
}

/* Submit what was prepared: the result of it. */
static int io_run(struct io *io)
{
	struct io_uring_cqe *cqe;
	int res;

	ASSERT_EQ(io_uring_submit(&io->ring), 1);
	ASSERT_OK(ring_wait(&io->ring, &cqe));
	res = cqe->res;
	io_uring_cqe_seen(&io->ring, cqe);
	return res;
}

/* Write @n bytes at @p; was it a fixed buffer? */
static int io_write(struct io *io, const struct zcbuf_uring *u, const void *p,
		    unsigned int n, __u64 offset)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&io->ring);
	int fixed;

	ASSERT_TRUE(sqe);
	fixed = zcbuf_uring_prep_write(u, sqe, io->fd, p, n, offset);
	EXPECT_EQ(sqe->opcode, fixed ? IORING_OP_WRITE_FIXED : IORING_OP_WRITE);
	EXPECT_EQ(io_run(io), n);
	return fixed;
}

static int io_read(struct io *io, const struct zcbuf_uring *u, void *p,
		   unsigned int n, __u64 offset)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&io->ring);
	int fixed;

	ASSERT_TRUE(sqe);
	fixed = zcbuf_uring_prep_read(u, sqe, io->fd, p, n, offset);
	EXPECT_EQ(sqe->opcode, fixed ? IORING_OP_READ_FIXED : IORING_OP_READ);
	EXPECT_EQ(io_run(io), n);
	return fixed;
}

static void fill(unsigned char *p, size_t n, unsigned int seed)
{
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = (seed = seed * 1103515245 + 12345) >> 16;
}

/* A pattern to the file and back into other memory of the pool. */
static void round_trip(struct io *io, struct zcbuf_pool *pool,
		       const struct zcbuf_uring *u, int want_fixed)
{
	struct zcbuf_buf out, in;

	ASSERT_OK(zcbuf_buf_alloc(pool, BLOCK, &out));
	ASSERT_OK(zcbuf_buf_alloc(pool, BLOCK, &in));
	fill(out.data, BLOCK, 29);
	memset(in.data, 0, BLOCK);
	EXPECT_EQ(io_write(io, u, out.data, BLOCK, BLOCK), want_fixed);
	EXPECT_EQ(io_read(io, u, in.data, BLOCK, BLOCK), want_fixed);
	EXPECT_EQ(memcmp(in.data, out.data, BLOCK), 0);
	EXPECT_OK(zcbuf_buf_free(&in));
	EXPECT_OK(zcbuf_buf_free(&out));
}

/* All of the arena is one fixed buffer, whatever it is handed out as. */
static void fixed_round_trip(const void *kind)
{
	struct io io;

	io_open_kind(&io, *(const __u32 *)kind);
	EXPECT_EQ(zcbuf_uring_slots(io.pool), 1);
	ASSERT_OK(zcbuf_uring_register(&io.u, &io.ring, io.pool));
	round_trip(&io, io.pool, &io.u, 1);
	io_close(&io);
}

static const __u32 kind_pages = ZCBUF_POOL_PAGES;
static const __u32 kind_tiers = ZCBUF_POOL_TIERS;
static const __u32 kind_fixed = ZCBUF_POOL_FIXED;

TEST_WITH(fixed_round_trip, scenario_29_fixed_round_trip, &kind_pages)
TEST_WITH(fixed_round_trip, scenario_29_slab_round_trip, &kind_tiers)
TEST_WITH(fixed_round_trip, scenario_29_class_round_trip, &kind_fixed)

TEST(scenario_29_past_the_region)
{
	unsigned char *base, elsewhere[16] = { 0 };
	struct io_uring_sqe *sqe;
	struct io io;

	io_open(&io);
	ASSERT_OK(zcbuf_uring_register(&io.u, &io.ring, io.pool));
	base = zcbuf_pool_base(io.pool);
	sqe = io_uring_get_sqe(&io.ring);
	io_uring_prep_write_fixed(sqe, io.fd, base + ZT_ARENA - BLOCK, BLOCK,
				  0, 0);
	EXPECT_EQ(io_run(&io), BLOCK);
	sqe = io_uring_get_sqe(&io.ring);
	io_uring_prep_write_fixed(sqe, io.fd, base + ZT_ARENA - BLOCK,
				  2 * BLOCK, 0, 0);
	EXPECT_ERR(io_run(&io), EFAULT);
	sqe = io_uring_get_sqe(&io.ring);
	io_uring_prep_write_fixed(sqe, io.fd, base + ZT_ARENA, BLOCK, 0, 0);
	EXPECT_ERR(io_run(&io), EFAULT);
	sqe = io_uring_get_sqe(&io.ring);
	EXPECT_EQ(zcbuf_uring_prep_write(&io.u, sqe, io.fd, elsewhere,
					 sizeof(elsewhere), 0), 0);
	EXPECT_EQ(zcbuf_uring_prep_write(&io.u, sqe, io.fd,
					 base + ZT_ARENA - BLOCK, 2 * BLOCK, 0),
		  0);
	io_uring_prep_nop(sqe);
	EXPECT_EQ(io_run(&io), 0);
	io_close(&io);
}

/* No locked memory, no capability: refused, and plain operations work. */
static void without_memlock(void)
{
	static const struct rlimit none = { 0, 0 };
	struct io io;
	int err;

	ASSERT_EQ(setrlimit(RLIMIT_MEMLOCK, &none), 0);
	ASSERT_OK(zt_become(ZT_USER, ZT_GROUP));
	io_open(&io);
	err = zcbuf_uring_register(&io.u, &io.ring, io.pool);
	EXPECT_ERR(err, ENOMEM);
	EXPECT_TRUE(strstr(zcbuf_strerror(err), "limit"));
	round_trip(&io, io.pool, &io.u, 0);
	io_close(&io);
}

TEST(scenario_29_memlock_0)
{
	pid_t pid = fork();

	ASSERT_GE(pid, 0);
	if (!pid) {
		without_memlock();
		_exit(KTAP_PASS);
	}
	EXPECT_STATUS(pid, KTAP_PASS);
}

/* A buffer says where it is: an operation made of that reads its bytes. */
TEST(slots_of_buffers)
{
	struct zcbuf_slot slot;
	struct zcbuf_buf first, buf;
	struct io_uring_sqe *sqe;
	struct io io;

	io_open(&io);
	ASSERT_OK(zcbuf_buf_alloc(io.pool, BLOCK, &first));
	ASSERT_OK(zcbuf_buf_alloc(io.pool, 5 * BLOCK, &buf));
	EXPECT_EQ(zcbuf_uring_slot(&io.u, buf.data, buf.capacity, &slot), 0);
	make_tables(&io, 4);
	ASSERT_OK(zcbuf_uring_register_at(&io.u, &io.ring, io.pool, 2));
	ASSERT_EQ(zcbuf_uring_slot(&io.u, buf.data, buf.capacity, &slot), 1);
	EXPECT_EQ(slot.index, 2);
	EXPECT_EQ(slot.offset, buf.offset % ZT_ARENA);
	EXPECT_EQ(zcbuf_uring_slot(&io.u, &buf, sizeof(buf), NULL), 0);
	memset(buf.data, 0x26, BLOCK);
	sqe = io_uring_get_sqe(&io.ring);
	io_uring_prep_write_fixed(sqe, io.fd, buf.data, BLOCK, 0, slot.index);
	EXPECT_EQ(io_run(&io), BLOCK);
	EXPECT_EQ(pread(io.fd, first.data, BLOCK, 0), BLOCK);
	EXPECT_FILLED(first.data, 0x26, BLOCK);
	io_close(&io);
}

/* What no class of a FIXED pool can hold: memory of one's own, and plain I/O. */
TEST(fallback_is_not_registered)
{
	const struct zcbuf_pool_opts o = {
		.sz = sizeof(o), .kind = ZCBUF_POOL_FIXED,
	};
	const struct zcbuf_buf_opts fall_back = {
		.sz = sizeof(fall_back), .flags = ZCBUF_BUF_F_FALLBACK,
	};
	const struct zcbuf_buf_opts wrong = {
		.sz = sizeof(wrong), .flags = ZCBUF_BUF_F_FALLBACK, .align = 3,
	};
	struct zcbuf_buf_place place;
	struct zcbuf_buf buf[33], big, copy;
	struct zcbuf_pool *pool;
	struct zcbuf_uring u;
	struct io io;
	__u64 used;
	int i;

	io_open(&io);
	ASSERT_OK(zcbuf_pool_create(&pool, &o));
	ASSERT_OK(zcbuf_uring_register(&u, &io.ring, pool));
	EXPECT_ERR(zcbuf_buf_alloc(pool, 65537, &big), E2BIG);
	EXPECT_ERR(zcbuf_buf_alloc_opts(pool, 65537, &wrong, &big), EINVAL);
	ASSERT_OK(zcbuf_buf_alloc_opts(pool, 65537, &fall_back, &big));
	EXPECT_EQ(big.offset, ZCBUF_NO_OFFSET);
	EXPECT_EQ(big.capacity, 65536 + BLOCK);
	EXPECT_EQ(zcbuf_uring_slot(&u, big.data, big.capacity, NULL), 0);
	fill(big.data, big.capacity, 6);
	EXPECT_EQ(io_write(&io, &u, big.data, big.capacity, 0), 0);
	memset(big.data, 0, big.capacity);
	EXPECT_EQ(io_read(&io, &u, big.data, big.capacity, 0), 0);

	/* To the kernel it is no buffer. */
	EXPECT_ERR(zcbuf_free(pool, &big.handle, 1), EINVAL);
	EXPECT_ERR(zcbuf_buf_info(pool, &big.handle, &place, 1), EINVAL);
	EXPECT_ERR(zcbuf_buf_adopt(pool, big.handle, 1, &copy), EINVAL);
	EXPECT_ERR(zcbuf_buf_give(&big, zcbuf_pool_session(io.pool)),
		   EOPNOTSUPP);
	used = zt_used(zcbuf_pool_fd(pool));
	EXPECT_EQ(used, 0);

	/* A class that is used up is not what it is for. */
	for (i = 0; i < 32; i++)
		ASSERT_OK(zcbuf_buf_alloc_opts(pool, 65536, &fall_back,
					       &buf[i]));
	EXPECT_ERR(zcbuf_buf_alloc_opts(pool, 65536, &fall_back, &buf[32]),
		   ENOMEM);
	EXPECT_EQ(io_write(&io, &u, buf[31].data, BLOCK, 0), 1);
	copy = big;
	EXPECT_OK(zcbuf_buf_free(&big));
	EXPECT_ERR(zcbuf_buf_free(&copy), EBADSLT);
	EXPECT_OK(zcbuf_uring_unregister(&u));
	EXPECT_OK(zcbuf_pool_close(pool));
	io_close(&io);
}

TEST(plain_after_unregister)
{
	struct io io;

	io_open(&io);
	ASSERT_OK(zcbuf_uring_register(&io.u, &io.ring, io.pool));
	EXPECT_OK(zcbuf_uring_unregister(&io.u));
	round_trip(&io, io.pool, &io.u, 0);
	EXPECT_OK(zcbuf_uring_unregister(&io.u));
	ASSERT_OK(zcbuf_uring_register(&io.u, &io.ring, io.pool));
	round_trip(&io, io.pool, &io.u, 1);
	io_close(&io);
}

/* O_DIRECT needs neither ring nor registration. */
TEST(direct_io_by_pointer)
{
	struct zcbuf_buf out, in;
	struct io io;

	io_open(&io);
	ASSERT_OK(zcbuf_buf_alloc(io.pool, 65536, &out));
	ASSERT_OK(zcbuf_buf_alloc(io.pool, 65536, &in));
	fill(out.data, 65536, 7);
	EXPECT_EQ(pwrite(io.fd, out.data, 65536, 0), 65536);
	EXPECT_EQ(pread(io.fd, in.data, 65536, 0), 65536);
	EXPECT_EQ(memcmp(in.data, out.data, 65536), 0);
	io_close(&io);
}

TEST(several_pools_on_one_ring)
{
	struct zcbuf_pool_opts o = { .sz = sizeof(o), .arena_size = ZT_ARENA };
	struct zcbuf_uring second = { .ctx = NULL }, third;
	struct zcbuf_pool *pool;
	struct io io;

	io_open(&io);
	ASSERT_OK(zcbuf_pool_create(&pool, &o));
	EXPECT_ERR(zcbuf_uring_register_at(&io.u, &io.ring, io.pool, 0), ENXIO);
	make_tables(&io, 4);
	EXPECT_ERR(zcbuf_uring_register(&io.u, &io.ring, io.pool), EBUSY);
	ASSERT_OK(zcbuf_uring_register_at(&io.u, &io.ring, io.pool, 1));
	ASSERT_OK(zcbuf_uring_register_at(&second, &io.ring, pool, 3));
	EXPECT_ERR(zcbuf_uring_register_at(&third, &io.ring, pool, 4), EINVAL);
	round_trip(&io, io.pool, &io.u, 1);
	round_trip(&io, pool, &second, 1);
	round_trip(&io, pool, &io.u, 0);	/* not registered there */
	EXPECT_OK(zcbuf_uring_unregister(&io.u));
	round_trip(&io, io.pool, &io.u, 0);
	round_trip(&io, pool, &second, 1);
	EXPECT_OK(zcbuf_uring_unregister(&second));
	EXPECT_OK(zcbuf_pool_close(pool));
	io_close(&io);
}

/* Arenas of one of two pools come and go; the other has its slot between. */
TEST(growth_beside_another_pool)
{
	struct zcbuf_pool_opts o = {
		.sz = sizeof(o), .arena_size = ZT_ARENA,
		.max_size = 3 * ZT_ARENA,
	};
	struct zcbuf_uring grown;
	struct zcbuf_pool *pool;
	struct zcbuf_buf fill_up;
	struct io io;

	io_open(&io);
	ASSERT_OK(zcbuf_pool_create(&pool, &o));
	EXPECT_EQ(zcbuf_uring_slots(pool), 64);
	make_tables(&io, 65);
	ASSERT_OK(zcbuf_uring_register_at(&grown, &io.ring, pool, 0));
	ASSERT_OK(zcbuf_uring_register_at(&io.u, &io.ring, io.pool, 64));
	ASSERT_OK(zcbuf_buf_alloc(pool, ZT_ARENA, &fill_up));
	ASSERT_EQ(zcbuf_pool_grow(pool), 1);
	round_trip(&io, pool, &grown, 0);
	EXPECT_EQ(zcbuf_uring_update(&grown), 1);
	round_trip(&io, pool, &grown, 1);
	round_trip(&io, io.pool, &io.u, 1);
	EXPECT_OK(zcbuf_uring_unregister(&grown));
	round_trip(&io, pool, &grown, 0);
	round_trip(&io, io.pool, &io.u, 1);
	ASSERT_EQ(zcbuf_pool_grow(pool), 2);
	ASSERT_OK(zcbuf_uring_register_at(&grown, &io.ring, pool, 1));
	round_trip(&io, pool, &grown, 1);
	EXPECT_ERR(zcbuf_pool_grow(pool), E2BIG);
	EXPECT_OK(zcbuf_uring_unregister(&grown));
	EXPECT_OK(zcbuf_pool_close(pool));
	io_close(&io);
}

/* It goes when the ring lets it go; then there is a hole, and the next is behind. */
TEST(retired_arena)
{
	struct zcbuf_pool_opts o = {
		.sz = sizeof(o), .arena_size = ZT_ARENA,
		.max_size = 3 * ZT_ARENA,
	};
	struct zcbuf_slot slot;
	struct zcbuf_pool *pool;
	char *third;
	struct zcbuf_uring u;
	struct io io;

	io_open(&io);
	ASSERT_OK(zcbuf_pool_create(&pool, &o));
	ASSERT_EQ(zcbuf_pool_grow(pool), 1);
	ASSERT_OK(zcbuf_uring_register(&u, &io.ring, pool));
	EXPECT_EQ(zcbuf_pool_retire(pool, 1, 0, 0), ZCBUF_ARENA_PINNED);
	EXPECT_EQ(zcbuf_uring_update(&u), 0);
	EXPECT_EQ(zcbuf_pool_retire(pool, 1, 0, ZCBUF_NO_DEADLINE),
		  ZCBUF_ARENA_GONE);
	EXPECT_EQ(zcbuf_uring_update(&u), 0);
	round_trip(&io, pool, &u, 1);
	ASSERT_EQ(zcbuf_pool_grow(pool), 2);
	third = zcbuf_pool_addr(pool, 2 * ZT_ARENA);
	ASSERT_TRUE(third);
	EXPECT_EQ(zcbuf_uring_slot(&u, third, 1, &slot), 0);
	EXPECT_EQ(zcbuf_uring_update(&u), 1);
	EXPECT_EQ(zcbuf_uring_slot(&u, third, 1, &slot), 1);
	EXPECT_EQ(slot.index, 2);
	EXPECT_EQ(zcbuf_uring_slot(&u, third - ZT_ARENA, 1, &slot), 0);
	/* A hole is no reason not to register. */
	EXPECT_OK(zcbuf_uring_unregister(&u));
	ASSERT_OK(zcbuf_uring_register(&u, &io.ring, pool));
	EXPECT_EQ(zcbuf_uring_slot(&u, third, 1, &slot), 1);
	round_trip(&io, pool, &u, 1);
	EXPECT_OK(zcbuf_uring_unregister(&u));
	EXPECT_OK(zcbuf_pool_close(pool));
	io_close(&io);
}

/* Two pools on a second ring, at once; then each ring goes its own way. */
TEST(clone_of_two_pools)
{
	struct zcbuf_pool_opts o = {
		.sz = sizeof(o), .arena_size = ZT_ARENA,
		.max_size = 2 * ZT_ARENA,
	};
	struct zcbuf_uring u[2], c[2];
	struct zcbuf_pool *pool;
	struct io io, second;

	io_open(&io);
	io_open(&second);
	ASSERT_OK(zcbuf_pool_create(&pool, &o));
	make_tables(&io, 4);
	ASSERT_OK(zcbuf_uring_register_at(&u[0], &io.ring, io.pool, 0));
	ASSERT_OK(zcbuf_uring_register_at(&u[1], &io.ring, pool, 2));
	ASSERT_OK(zcbuf_uring_clone(c, &second.ring, u, 2, NULL));
	EXPECT_ERR(zcbuf_uring_clone(c, &second.ring, u, 2, NULL), EBUSY);
	ASSERT_EQ(io_uring_unregister_buffers(&second.ring), 0);
	ASSERT_EQ(io_uring_unregister_files(&second.ring), 0);
	ASSERT_OK(zcbuf_uring_clone(c, &second.ring, u, 2, NULL));
	round_trip(&second, io.pool, &c[0], 1);
	round_trip(&second, pool, &c[1], 1);
	ASSERT_EQ(zcbuf_pool_grow(pool), 1);
	EXPECT_EQ(zcbuf_uring_update(&c[1]), 1);
	EXPECT_EQ(zcbuf_uring_slot(&c[1], zcbuf_pool_addr(pool, ZT_ARENA), 1,
				   NULL), 1);
	EXPECT_EQ(zcbuf_uring_slot(&u[1], zcbuf_pool_addr(pool, ZT_ARENA), 1,
				   NULL), 0);
	EXPECT_OK(zcbuf_uring_unregister(&u[0]));
	EXPECT_OK(zcbuf_uring_unregister(&u[1]));
	EXPECT_OK(zcbuf_uring_unregister(&c[0]));
	round_trip(&second, io.pool, &c[0], 0);
	round_trip(&second, pool, &c[1], 1);
	EXPECT_OK(zcbuf_uring_unregister(&c[1]));
	EXPECT_ERR(zcbuf_uring_clone(c, &io.ring, c, 1, NULL), EINVAL);
	EXPECT_OK(zcbuf_pool_close(pool));
	io_close(&second);
	io_close(&io);
}

/* Who may lock no more than an arena has it on two rings. */
static void with_one_arena(void)
{
	static const struct rlimit one = { ZT_ARENA, ZT_ARENA };
	struct zcbuf_uring clone;
	struct io_uring second;
	struct io io;

	ASSERT_EQ(setrlimit(RLIMIT_MEMLOCK, &one), 0);
	ASSERT_OK(zt_become(ZT_USER, ZT_GROUP));
	io_open(&io);
	ASSERT_OK(io_uring_queue_init(4, &second, 0));
	ASSERT_OK(zcbuf_uring_register(&io.u, &io.ring, io.pool));
	EXPECT_ERR(zcbuf_uring_register(&clone, &second, io.pool), ENOMEM);
	ASSERT_OK(zcbuf_uring_clone(&clone, &second, &io.u, 1, NULL));
	EXPECT_EQ(zcbuf_uring_slot(&clone, zcbuf_pool_base(io.pool), ZT_ARENA,
				   NULL), 1);
	EXPECT_OK(zcbuf_uring_unregister(&clone));
	io_uring_queue_exit(&second);
	io_close(&io);
}

TEST(clones_are_not_charged_again)
{
	pid_t pid = fork();

	ASSERT_GE(pid, 0);
	if (!pid) {
		with_one_arena();
		_exit(KTAP_PASS);
	}
	EXPECT_STATUS(pid, KTAP_PASS);
}

/* On this kernel a fixed buffer is best for any length, unless one says other. */
TEST(fixed_up_to_a_length)
{
	struct zcbuf_uring_opts o = { .sz = sizeof(o), .fixed_max = BLOCK };
	struct zcbuf_buf buf;
	struct io io;

	io_open(&io);
	ASSERT_OK(zcbuf_buf_alloc(io.pool, 1 << 20, &buf));
	ASSERT_OK(zcbuf_uring_register(&io.u, &io.ring, io.pool));
	EXPECT_EQ(io_write(&io, &io.u, buf.data, 1 << 20, 0), 1);
	EXPECT_OK(zcbuf_uring_unregister(&io.u));
	ASSERT_OK(zcbuf_uring_register_opts(&io.u, &io.ring, io.pool, &o));
	EXPECT_EQ(io_read(&io, &io.u, buf.data, BLOCK, 0), 1);
	EXPECT_EQ(io_read(&io, &io.u, buf.data, 2 * BLOCK, 0), 0);
	io_close(&io);
}

TEST(read_only_pools_stay_plain)
{
	struct zcbuf_attach_opts o = {
		.sz = sizeof(o), .rights = ZT_READ_ONLY,
	};
	struct zcbuf_uring u;
	struct zcbuf_pool *ro;
	struct zcbuf_buf out;
	unsigned char *seen;
	struct io io;

	io_open(&io);
	ASSERT_OK(zcbuf_pool_attach_fd(&ro, zcbuf_pool_fd(io.pool), &o));
	EXPECT_ERR(zcbuf_uring_register(&u, &io.ring, ro), EFAULT);
	ASSERT_OK(zcbuf_buf_alloc(io.pool, BLOCK, &out));
	fill(out.data, BLOCK, 3);
	seen = zcbuf_pool_addr(ro, out.offset);
	EXPECT_EQ(io_write(&io, &u, seen, BLOCK, 0), 0);
	EXPECT_EQ(pread(io.fd, (char *)out.data + 0, BLOCK, 0), BLOCK);
	EXPECT_EQ(pread(io.fd, seen, BLOCK, 0), -1);	/* not writable */
	EXPECT_OK(zcbuf_pool_close(ro));
	io_close(&io);
}

/* --------------------------------------------------------- groups to a disk */

/* Each extent on its own page of the file, rounded up with zeros. */
static __u64 write_group(struct io *io, const struct zcbuf_delivery *d,
			 __u64 at)
{
	__s64 n;
	__u32 i;

	for (i = 0; i < d->nextents; i++) {
		n = zcbuf_extent_pad(io->pool, &d->extents[i], BLOCK);
		ASSERT_GT(n, 0);
		EXPECT_EQ(io_write(io, &io->u,
				   zcbuf_pool_addr(io->pool,
						   d->extents[i].pool_offset),
				   n, at), 1);
		at += n;
	}
	return at;
}

static void check_file(struct io *io, __u64 at, unsigned char byte, size_t n)
{
	struct zcbuf_buf in;

	ASSERT_OK(zcbuf_buf_alloc(io->pool, 65536, &in));
	memset(in.data, 0xff, 65536);
	EXPECT_EQ(io_read(io, &io->u, in.data, (n + BLOCK - 1) & -BLOCK, at),
		  1);
	EXPECT_FILLED(in.data, byte, n);
	EXPECT_FILLED((char *)in.data + n, 0, -n & (BLOCK - 1));
	EXPECT_OK(zcbuf_buf_free(&in));
}

/* Scenario 10's group: two extents, in one file, nothing copied. */
TEST(a_group_goes_to_disk)
{
	struct zcbuf_channel_opts o = {
		.sz = sizeof(o), .threshold = 600, .align = 1,
		.ports = ZCBUF_PORT_PRODUCE | ZCBUF_PORT_CONSUME,
	};
	struct zcbuf_channel *ch;
	struct zcbuf_delivery d;
	struct zcbuf_writer w;
	struct io io;

	io_open(&io);
	ASSERT_OK(zcbuf_uring_register(&io.u, &io.ring, io.pool));
	ASSERT_OK(zcbuf_channel_create(io.pool, &o, &ch));
	ASSERT_OK(zcbuf_writer_reserve(ch, 599, 0, 0, &w));
	memset(w.data, 1, 599);
	ASSERT_OK(zcbuf_writer_submit_placed(&w, 599));
	ASSERT_OK(zcbuf_writer_reserve(ch, 10000, 0, 0, &w));
	memset(w.data, 2, 10000);
	ASSERT_OK(zcbuf_writer_submit_placed(&w, 10000));
	ASSERT_EQ(zcbuf_receive(ch, &d, 1, 0), 1);
	ASSERT_EQ(d.nextents, 2);
	EXPECT_EQ(zcbuf_delivery_pad(io.pool, &d, BLOCK), 4 * BLOCK);
	EXPECT_EQ(write_group(&io, &d, 0), 4 * BLOCK);
	EXPECT_EQ(zcbuf_release(ch, &d.handle, 1), 1);
	check_file(&io, 0, 1, 599);
	check_file(&io, BLOCK, 2, 10000);
	EXPECT_OK(zcbuf_channel_close(ch));
	io_close(&io);
}

/* ------------------------------------------------------- pins outlive the pool */

/*
 * The ring holds the pages: they are charged and hold their bytes after pool,
 * session and mapping are gone, until the ring is gone, too.
 */
TEST(pins_outlive_the_pool)
{
	__u64 charged = zt_await_charged(0);
	unsigned char page[BLOCK] __attribute__((aligned(4096)));
	struct io_uring_sqe *sqe;
	unsigned char *base;
	struct io io;

	io_open(&io);
	ASSERT_OK(zcbuf_uring_register(&io.u, &io.ring, io.pool));
	base = zcbuf_pool_base(io.pool);
	memset(base, 0x29, BLOCK);
	EXPECT_OK(zcbuf_pool_close(io.pool));
	EXPECT_EQ(zt_charged(), charged + ZT_ARENA);
	sqe = io_uring_get_sqe(&io.ring);
	io_uring_prep_write_fixed(sqe, io.fd, base, BLOCK, 0, 0);
	EXPECT_EQ(io_run(&io), BLOCK);
	EXPECT_EQ(pread(io.fd, page, BLOCK, 0), BLOCK);
	EXPECT_FILLED(page, 0x29, BLOCK);
	EXPECT_EQ(zt_charged(), charged + ZT_ARENA);
	io_uring_queue_exit(&io.ring);
	EXPECT_EQ(zt_await_charged(charged), charged);
	close(io.fd);
}

/* A process with a registered ring is killed: nothing of it stays. */
TEST(a_killed_process_with_a_ring)
{
	__u64 charged = zt_await_charged(0);
	struct zt_turns t;
	struct io io;
	pid_t pid;
	int status;

	ASSERT_OK(zt_turns_init(&t));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		zt_turns_child(&t);
		io_open(&io);
		ASSERT_OK(zcbuf_uring_register(&io.u, &io.ring, io.pool));
		ASSERT_OK(zt_tell_parent(&t));
		ktap_stay();
	}
	zt_turns_parent(&t);
	ASSERT_OK(zt_await_child(&t));
	EXPECT_EQ(zt_charged(), charged + ZT_ARENA);
	ASSERT_EQ(kill(pid, SIGKILL), 0);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(zt_await_charged(charged), charged);
}

KTAP_MAIN()

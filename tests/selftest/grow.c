// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Pools that grow, scenario 31: by a call and by themselves, what stays where it
 * was, and what says no. Its first half is in pools.c. Files are made in the
 * current directory, which must be on a file system that can do O_DIRECT.
 */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <zcbuf/zcbuf.h>

#include "common.h"
#include "info.h"
#include "ktap.h"
#include "ring.h"
#include "thread.h"

#define AUTO	ZCBUF_POOL_F_AUTO_GROW

/* Errors are answers. */
static int pool_of(__u32 kind, __u32 flags, __u64 arena_size, __u64 max_size)
{
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.kind = kind, .flags = flags, .arena_size = arena_size,
		.max_size = max_size);

	return zt_pool_as(&a);
}

static int growing(__u32 flags, unsigned int arenas)
{
	int fd = zt_pool_growing(flags, arenas);

	ASSERT_GE(fd, 0);
	return fd;
}

static char *map_arena(int fd, unsigned int arena)
{
	char *p = mmap(NULL, ZT_ARENA, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		       arena * ZT_ARENA);

	ASSERT_NE(p, MAP_FAILED);
	return p;
}

/* -------------------------------------------------------------- scenario 31 */

struct io {
	struct io_uring ring;
	struct zcbuf_uring u;
	struct zcbuf_pool *pool;
	int fd;
};

static void io_open(struct io *io, __u64 arena_size, __u64 max_size)
{
	struct zcbuf_pool_opts o = {
		.sz = sizeof(o), .arena_size = arena_size,
		.max_size = max_size, .flags = AUTO,
	};
	char path[64];

	memset(io, 0, sizeof(*io));
	ASSERT_OK(zcbuf_pool_create(&io->pool, &o));
	ASSERT_OK(io_uring_queue_init(8, &io->ring, 0));
	snprintf(path, sizeof(path), "grow-%d", getpid());
	io->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_DIRECT | O_CLOEXEC,
		      0600);
	ASSERT_GE(io->fd, 0);
	EXPECT_EQ(unlink(path), 0);
}

static void io_close(struct io *io)
{
	EXPECT_OK(zcbuf_uring_unregister(&io->u));
	io_uring_queue_exit(&io->ring);
	close(io->fd);
	EXPECT_OK(zcbuf_pool_close(io->pool));
}

/* Writes 4096 bytes of @buf at @offset: whether fixed; all must get there. */
static int io_write(struct io *io, const struct zcbuf_buf *buf, __u64 offset)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&io->ring);
	struct io_uring_cqe *cqe;
	int fixed;

	ASSERT_NE(sqe, NULL);
	fixed = zcbuf_uring_prep_write(&io->u, sqe, io->fd, buf->data, 4096,
				       offset);
	ASSERT_EQ(io_uring_submit(&io->ring), 1);
	ASSERT_OK(ring_wait(&io->ring, &cqe));
	EXPECT_EQ(cqe->res, 4096);
	io_uring_cqe_seen(&io->ring, cqe);
	return fixed ? sqe->buf_index + 1 : 0;
}

/*
 * Full, it gets one more arena. The old buffer stays where and what it is, with
 * the slot it has; the new one is used from the next slot.
 */
static void scenario_31(__u64 arena)
{
	struct zcbuf_buf old, new;
	char back[4096] __attribute__((aligned(4096)));
	struct io io;

	io_open(&io, arena, 3 * arena);
	ASSERT_OK(zcbuf_uring_register(&io.u, &io.ring, io.pool));
	ASSERT_OK(zcbuf_buf_alloc(io.pool, arena, &old));
	memset(old.data, 0x31, 4096);
	EXPECT_EQ(io_write(&io, &old, 0), 1);

	ASSERT_OK(zcbuf_buf_alloc(io.pool, 4096, &new));
	EXPECT_EQ(new.offset, arena);
	EXPECT_EQ(zt_info(zcbuf_pool_fd(io.pool)).out_arenas, 2);
	EXPECT_EQ(zcbuf_pool_addr(io.pool, 0), old.data);
	EXPECT_EQ(((char *)old.data)[4095], 0x31);
	EXPECT_EQ((char *)new.data - (char *)old.data, (long)arena);
	memset(new.data, 0x32, 4096);
	EXPECT_EQ(io_write(&io, &new, 4096), 0);
	EXPECT_EQ(zcbuf_uring_update(&io.u), 1);
	EXPECT_EQ(io_write(&io, &new, 8192), 2);
	EXPECT_EQ(io_write(&io, &old, 4096), 1);
	ASSERT_EQ(pread(io.fd, back, 4096, 8192), 4096);
	EXPECT_EQ(memcmp(back, new.data, 4096), 0);
	EXPECT_EQ(zcbuf_uring_update(&io.u), 0);
	EXPECT_OK(zcbuf_buf_free(&old));
	EXPECT_OK(zcbuf_buf_free(&new));
	io_close(&io);
}

TEST(scenario_31_growth)
{
	scenario_31(32 * ZT_MIB);
}

TEST(scenario_31_growth_of_an_odd_arena)
{
	struct zcbuf_buf a, b;
	struct io io;

	/* The largest block of 6 MiB is 4. */
	io_open(&io, 3 * ZT_ARENA, 9 * ZT_ARENA);
	ASSERT_OK(zcbuf_uring_register(&io.u, &io.ring, io.pool));
	ASSERT_OK(zcbuf_buf_alloc(io.pool, 2 * ZT_ARENA, &a));
	ASSERT_OK(zcbuf_buf_alloc(io.pool, 2 * ZT_ARENA, &b));
	EXPECT_EQ(b.offset, 3 * ZT_ARENA);
	EXPECT_EQ(zcbuf_uring_update(&io.u), 1);
	EXPECT_EQ(io_write(&io, &b, 0), 2);
	io_close(&io);
}

/* -------------------------------------------------------------- by the call */

TEST(grow_by_the_call)
{
	struct zcbuf_pool_grow a;
	int fd = growing(0, 3);
	__u64 h, h2;
	char *p, *q;

	p = map_arena(fd, 0);
	ASSERT_OK(zt_alloc1(fd, ZT_ARENA, &h));
	memset(p, 0x5a, ZT_ARENA);
	EXPECT_ERR(zt_alloc1(fd, 1, &h2), ENOMEM);
	ASSERT_OK(zt_pool_grow(fd, &a));
	EXPECT_EQ(a.out_size, 2 * ZT_ARENA);
	EXPECT_EQ(a.out_arena, 1);
	EXPECT_EQ(a.out_page_order, zt_info(fd).out_page_order);
	ASSERT_OK(zt_alloc1(fd, 1, &h2));
	EXPECT_EQ(zcbuf_buf_offset(h2), ZT_ARENA);
	q = map_arena(fd, 1);
	EXPECT_EQ(q[0], 0);
	EXPECT_EQ(q[ZT_ARENA - 1], 0);
	q[0] = 1;
	EXPECT_EQ(p[0], 0x5a);
	EXPECT_EQ(p[ZT_ARENA - 1], 0x5a);
	EXPECT_EQ(zt_free1(fd, h), 0);
	EXPECT_EQ(zt_free1(fd, h2), 0);
	EXPECT_EQ(zt_used(fd), 0);
}

TEST(grow_to_the_limit)
{
	/* Half an arena more is none. */
	int fd = pool_of(ZCBUF_POOL_PAGES, 0, ZT_ARENA, 2 * ZT_ARENA + ZT_PAGE);

	ASSERT_GE(fd, 0);
	EXPECT_EQ(zt_info(fd).out_max_size, 2 * ZT_ARENA);
	EXPECT_OK(zt_pool_grow(fd, NULL));
	EXPECT_ERR(zt_pool_grow(fd, NULL), E2BIG);
	EXPECT_EQ(zt_info(fd).out_size, 2 * ZT_ARENA);
	fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	EXPECT_EQ(zt_info(fd).out_max_size, ZT_ARENA);
	EXPECT_ERR(zt_pool_grow(fd, NULL), E2BIG);
	EXPECT_EQ(zt_info(fd).out_arenas, 1);
}

TEST(sizes_that_cannot_be)
{
	struct zcbuf_query q;

	ASSERT_OK(zt_query(zt_open(O_RDONLY), &q));
	EXPECT_ERR(pool_of(ZCBUF_POOL_PAGES, 0, 2 * ZT_ARENA, ZT_ARENA), EINVAL);
	EXPECT_ERR(pool_of(ZCBUF_POOL_PAGES, 0, 0, ZT_ARENA), EINVAL);
	EXPECT_ERR(pool_of(ZCBUF_POOL_PAGES, AUTO, ZT_ARENA, 0), EINVAL);
	EXPECT_ERR(pool_of(ZCBUF_POOL_FIXED, 0, 0, ZT_ARENA), EINVAL);
	EXPECT_ERR(pool_of(ZCBUF_POOL_FIXED, AUTO, 0, 0), EINVAL);
	EXPECT_ERR(pool_of(ZCBUF_POOL_PAGES, 0, ZT_ARENA,
			   (q.out_max_arenas + 1) * ZT_ARENA), E2BIG);
	EXPECT_ERR(pool_of(ZCBUF_POOL_PAGES, 0, q.out_max_arena_size,
			   q.out_max_pool_size + q.out_arena_unit), E2BIG);
	EXPECT_ERR(pool_of(ZCBUF_POOL_PAGES, 0, ZT_ARENA, ~0ULL), E2BIG);
	EXPECT_OK(close(pool_of(ZCBUF_POOL_PAGES, 0, ZT_ARENA,
				q.out_max_arenas * ZT_ARENA)));
}

TEST(who_may_grow_a_pool)
{
	int fd = growing(0, 2);
	int all = ZCBUF_RIGHTS_ALL & ~ZCBUF_RIGHT_ADMIN;

	EXPECT_ERR(zt_pool_grow(zt_open(O_RDWR), NULL), EPERM);
	EXPECT_ERR(zt_pool_grow(zt_join(fd, all), NULL), EPERM);
	EXPECT_OK(zt_pool_grow(zt_join(fd, ZCBUF_RIGHT_ADMIN), NULL));
	EXPECT_EQ(zt_info(fd).out_arenas, 2);
}

/* A mapping ends where the pool did, and a new one may begin there. */
TEST(mappings_of_a_pool_that_grows)
{
	int fd = growing(0, 2);
	char *all;

	EXPECT_EQ(mmap(NULL, ZT_ARENA, PROT_READ, MAP_SHARED, fd, ZT_ARENA),
		  MAP_FAILED);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(zt_map(fd, PROT_READ, 2 * ZT_ARENA), NULL);
	ASSERT_OK(zt_pool_grow(fd, NULL));
	all = zt_map(fd, PROT_READ | PROT_WRITE, 2 * ZT_ARENA);
	ASSERT_NE(all, NULL);
	all[ZT_ARENA] = 1;
	EXPECT_EQ(map_arena(fd, 1)[0], 1);
	EXPECT_EQ(zt_map(fd, PROT_READ, 3 * ZT_ARENA), NULL);
}

/* -------------------------------------------------------------- by itself */

TEST(not_by_itself_unless_told)
{
	int fd = growing(0, 2);
	__u64 h;

	ASSERT_OK(zt_alloc1(fd, ZT_ARENA, &h));
	EXPECT_ERR(zt_alloc1(fd, 1, &h), ENOMEM);
	EXPECT_EQ(zt_info(fd).out_arenas, 1);
}

/* It makes room for a batch, and what one arena has no room for. */
TEST(by_itself_for_a_batch)
{
	int fd = growing(AUTO, 3);
	__u64 h[512 * 3 + 1];
	int i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(zt_alloc(fd, ZT_PAGE, 0, 0, h + i * 512, 512), 512);
	EXPECT_EQ(zt_info(fd).out_arenas, 3);
	EXPECT_EQ(zt_used(fd), 3 * ZT_ARENA);
	EXPECT_ERR(zt_alloc1(fd, ZT_PAGE, &h[1536]), ENOMEM);
	EXPECT_ERR(zt_alloc1(fd, ZT_ARENA + 1, &h[1536]), E2BIG);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(zt_free(fd, h + i * 512, 512), 512);
	for (i = 0; i < 3; i++)
		ASSERT_OK(zt_alloc1(fd, ZT_ARENA, &h[i]));
	EXPECT_EQ(zt_info(fd).out_max_used, 3 * ZT_ARENA);
	EXPECT_EQ(zt_info(fd).out_min_free, 0);
}

TEST(by_itself_for_slabs)
{
	int fd = pool_of(ZCBUF_POOL_TIERS, AUTO, ZT_ARENA, 2 * ZT_ARENA);
	__u64 h, all;

	ASSERT_GE(fd, 0);
	ASSERT_OK(zt_alloc1(fd, ZT_ARENA, &all));
	ASSERT_OK(zt_alloc1(fd, 64, &h));
	EXPECT_EQ(zcbuf_buf_offset(h), ZT_ARENA);
	EXPECT_OK(zt_free1(fd, h));
	EXPECT_OK(zt_free1(fd, all));
	EXPECT_ERR(zt_free1(fd, h), EBADSLT);
}

/* A RESERVE that would say EAGAIN; poll() knows before. */
TEST(by_itself_for_groups)
{
	struct zcbuf_reservation r, more;
	struct zcbuf_delivery d;
	int fd = growing(AUTO, 2);
	__u64 ch, h;

	ASSERT_OK(zt_stream(fd, 64, 0, &ch));
	ASSERT_OK(zt_alloc1(fd, ZT_ARENA, &h));
	EXPECT_TRUE(zt_poll(fd, 0) & POLLOUT);
	ASSERT_OK(zt_reserve1(fd, ch, 64, &r));
	EXPECT_EQ(r.out_pool_offset, ZT_ARENA);
	ASSERT_OK(zt_alloc1(fd, ZT_ARENA / 2, &h));
	EXPECT_ERR(zt_reserve1(fd, ch, ZT_ARENA, &more), EAGAIN);
	map_arena(fd, 1)[0] = 7;
	EXPECT_OK(zt_commit1(fd, ch, &r));
	ASSERT_EQ(zt_receive(fd, ch, &d, 1, 0), 1);
	EXPECT_EQ(d.extents[0].pool_offset, ZT_ARENA);
	EXPECT_OK(zt_release1(fd, ch, d.handle));
}

/* Whoever is attached may make it grow: who made it has said how far. */
TEST(by_itself_for_another_process)
{
	int fd = growing(AUTO, 2), other = zt_join(fd, ZCBUF_RIGHT_MAP_WRITE |
						   ZCBUF_RIGHT_MAP_READ);
	__u64 h;
	char *p;

	ASSERT_GE(other, 0);
	ASSERT_OK(zt_alloc1(fd, ZT_ARENA, &h));
	ASSERT_OK(zt_alloc1(other, ZT_PAGE, &h));
	p = map_arena(other, 1);
	p[0] = 9;
	EXPECT_EQ(map_arena(fd, 1)[0], 9);
	close(other);
	EXPECT_EQ(zt_used(fd), ZT_ARENA);
	EXPECT_EQ(p[0], 9);
}

struct waiter {
	int fd;
	int err;
	__u64 handle;
};

static void *alloc_waits(void *arg)
{
	struct waiter *w = arg;
	struct zcbuf_alloc a = zt_arg(struct zcbuf_alloc, .length = ZT_PAGE,
		.handles = zt_ptr(&w->handle), .count = 1,
		.deadline_ns = ZCBUF_NO_DEADLINE);

	w->err = zt_call(w->fd, ZCBUF_IOC_ALLOC, &a);
	return NULL;
}

/* Who waits for room is served by an arena that comes meanwhile. */
TEST(waiting_for_room)
{
	struct waiter w = { .fd = growing(0, 2), .err = 1 };
	struct thread t = { .run = alloc_waits, .arg = &w };
	__u64 all;

	ASSERT_OK(zt_alloc1(w.fd, ZT_ARENA, &all));
	thread_start(&t, SYS_ioctl);
	ASSERT_OK(zt_pool_grow(w.fd, NULL));
	thread_join(&t);
	EXPECT_OK(w.err);
	EXPECT_EQ(zcbuf_buf_offset(w.handle), ZT_ARENA);
}

/* ------------------------------------------------------------ the library */

/* A buffer that another process was given beyond what this one has mapped. */
TEST(library_maps_what_others_have_grown)
{
	struct zcbuf_pool_opts o = {
		.sz = sizeof(o), .arena_size = ZT_ARENA,
		.max_size = 3 * ZT_ARENA, .flags = AUTO,
	};
	struct zcbuf_pool *a, *b;
	struct zcbuf_buf buf;
	__u64 h;
	char *p;

	ASSERT_OK(zcbuf_pool_create(&a, &o));
	ASSERT_OK(zcbuf_pool_attach_fd(&b, zcbuf_pool_fd(a), NULL));
	EXPECT_EQ(zcbuf_pool_size(b), ZT_ARENA);
	ASSERT_EQ(zcbuf_alloc(a, ZT_ARENA, NULL, &h, 1), 1);
	ASSERT_OK(zcbuf_buf_alloc(a, ZT_PAGE, &buf));
	memset(buf.data, 0x77, ZT_PAGE);
	p = zcbuf_pool_addr(b, buf.offset);
	ASSERT_NE(p, NULL);
	EXPECT_EQ(p[ZT_PAGE - 1], 0x77);
	EXPECT_EQ(zcbuf_pool_size(b), 2 * ZT_ARENA);
	EXPECT_EQ(zcbuf_pool_addr(b, 2 * ZT_ARENA), NULL);
	EXPECT_EQ(zcbuf_pool_grow(a), 2);
	EXPECT_NE(zcbuf_pool_addr(b, 2 * ZT_ARENA), NULL);
	EXPECT_EQ(zcbuf_pool_grow(a), -E2BIG);
	EXPECT_OK(zcbuf_pool_close(b));
	EXPECT_OK(zcbuf_pool_close(a));
}

/* --------------------------------------------------------------- accounting */

TEST(what_it_grows_by_is_charged)
{
	__u64 before = zt_await_charged(0);
	int fd = growing(AUTO, 2);
	__u64 h;

	EXPECT_EQ(zt_charged(), before + ZT_ARENA);
	ASSERT_OK(zt_alloc1(fd, ZT_ARENA, &h));
	ASSERT_OK(zt_alloc1(fd, ZT_ARENA, &h));
	EXPECT_EQ(zt_charged(), before + 2 * ZT_ARENA);
	close(fd);
	EXPECT_EQ(zt_await_charged(before), before);
}

KTAP_MAIN()

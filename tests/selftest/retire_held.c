// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Arenas that are retired while others have something of them: a dma-buf, whoever
 * holds that, a share, or what they were given. Whoever has it goes on using it, and
 * the arena goes when the last of them has let go. So it is never PINNED meanwhile:
 * who holds pages of a dma-buf has the buffer.
 */
#include "import.h"
#include "pair.h"
#include "pass.h"
#include "retire.h"
#include "ring.h"

#define BOTH	(PROT_READ | PROT_WRITE)

/* A test with a block, and with an object of a slab. */
#define EACH_OF(id)							\
	static void each_##id(const void *arg);				\
	TEST_WITH(each_##id, id##_pages, &kind_pages)			\
	TEST_WITH(each_##id, id##_slab, &kind_tiers)				\
	static void each_##id(const void *arg)

/* It is RETIRING, and what is asked of it meanwhile changes nothing. */
static void expect_retiring(int fd)
{
	EXPECT_EQ(retire(fd, 1, 0), ZCBUF_ARENA_RETIRING);
	EXPECT_ERR(retire(fd, 1, NOW), EBUSY);
	EXPECT_EQ(zt_info(fd).out_present, 3);
	EXPECT_EQ(zt_info(fd).out_retiring, 2);
}

/* ------------------------------------------------------------------- dma-bufs */

/*
 * struct shown - a buffer in arena 1, as the pool shows it and as a dma-buf does
 * @before: what was charged without its pool
 * @first: all of arena 0
 */
struct shown {
	__u64 before;
	int fd;
	__u64 first;
	__u64 handle;
	int dmabuf;
	char *pool;
	char *map;
	int dev;
	struct io_uring ring;
};

static char *map_dmabuf(int dmabuf)
{
	char *map = mmap(NULL, ZT_ARENA / 2, BOTH, MAP_SHARED, dmabuf, 0);

	ASSERT_NE(map, MAP_FAILED);
	return map;
}

static struct shown show(void)
{
	struct shown s = { .before = zt_await_charged(0), .dev = -1 };

	s.fd = arenas_of(ZCBUF_POOL_PAGES, 0, 2);
	s.pool = map_all(s.fd, 2) + ZT_ARENA;
	s.handle = half_of_arena_1(s.fd, &s.first);
	s.dmabuf = zt_export(s.fd, s.handle, 0, 0, 0);
	ASSERT_GE(s.dmabuf, 0);
	s.map = map_dmabuf(s.dmabuf);
	return s;
}

/* Nobody's but the holder's: it stays, can be written to, and then it goes. */
static void kept_until(struct shown *s, void (*drop)(struct shown *s))
{
	__u64 handle;

	expect_retiring(s->fd);
	EXPECT_OK(zt_free1(s->fd, s->handle));
	expect_retiring(s->fd);
	EXPECT_ERR(zt_alloc1(s->fd, ZT_PAGE, &handle), ENOMEM);
	EXPECT_EQ(retire(s->fd, 1, CANCEL), ZCBUF_ARENA_LIVE);
	EXPECT_ERR(retire(s->fd, 1, NOW), EBUSY);
	EXPECT_EQ(zt_info(s->fd).out_retiring, 0);
	expect_retiring(s->fd);
	s->pool[0] = 0x41;
	drop(s);
	await_gone(s->fd, 1);
	EXPECT_FALSE(is_there(s->pool - ZT_ARENA, 1));
	EXPECT_EQ(zt_charged(), s->before + ZT_ARENA);
	EXPECT_ERR(zt_free1(s->fd, s->handle), ENOENT);
	EXPECT_OK(zt_free1(s->fd, s->first));
}

static void drop_descriptor(struct shown *s)
{
	char *map = map_dmabuf(s->dmabuf);

	EXPECT_EQ(map[0], 0x41);
	map[1] = 0x42;
	EXPECT_EQ(s->pool[1], 0x42);
	munmap(map, ZT_ARENA / 2);
	close(s->dmabuf);
}

TEST(a_descriptor_keeps_it)
{
	struct shown s = show();

	munmap(s.map, ZT_ARENA / 2);
	kept_until(&s, drop_descriptor);
}

static void drop_mapping(struct shown *s)
{
	EXPECT_EQ(s->map[0], 0x41);
	memset(s->map, 0x42, ZT_ARENA / 2);
	EXPECT_FILLED(s->pool, 0x42, ZT_ARENA / 2);
	munmap(s->map, ZT_ARENA / 2);
}

TEST(a_mapping_keeps_it)
{
	struct shown s = show();

	close(s.dmabuf);
	kept_until(&s, drop_mapping);
}

static void drop_device(struct shown *s)
{
	char byte = 0x42;

	EXPECT_EQ(pwrite(s->dev, &byte, 1, IMPORTER_DEVICE + 1), 1);
	EXPECT_EQ(s->pool[1], 0x42);
	EXPECT_EQ(pread(s->dev, &byte, 1, IMPORTER_DEVICE), 1);
	EXPECT_EQ(byte, 0x41);
	EXPECT_OK(ioctl(s->dev, IMPORTER_IOC_DETACH));
}

TEST(a_device_keeps_it)
{
	struct shown s = show();
	struct importer_attach a;

	s.dev = import_dir(s.dmabuf, 0, &a);
	ASSERT_GE(s.dev, 0);
	munmap(s.map, ZT_ARENA / 2);
	close(s.dmabuf);
	kept_until(&s, drop_device);
	close(s.dev);
}

static void drop_ring(struct shown *s)
{
	io_uring_queue_exit(&s->ring);
}

/* What pins pages of a dma-buf that is gone: the buffer is quarantined. */
TEST(a_ring_keeps_it)
{
	struct shown s = show();
	struct iovec iov = { s.map, ZT_ARENA / 2 };

	ASSERT_OK(io_uring_queue_init(4, &s.ring, 0));
	ASSERT_OK(io_uring_register_buffers(&s.ring, &iov, 1));
	munmap(s.map, ZT_ARENA / 2);
	close(s.dmabuf);
	kept_until(&s, drop_ring);
}

/* Of a pool that nobody else has any more. */
TEST(the_pool_ends_before_the_dmabuf)
{
	struct shown s = show();

	expect_retiring(s.fd);
	munmap(s.pool - ZT_ARENA, 2 * ZT_ARENA);
	close(s.fd);
	close(s.dmabuf);
	memset(s.map, 0x43, ZT_ARENA / 2);
	EXPECT_EQ(zt_charged(), s.before + 2 * ZT_ARENA);
	munmap(s.map, ZT_ARENA / 2);
	EXPECT_EQ(zt_await_charged(s.before), s.before);
}

/* It would wait for one more; who has the buffer can still share it. */
TEST(no_more_dmabufs)
{
	struct shown s = show();
	int other = zt_join(s.fd, 0), fd;

	ASSERT_GE(other, 0);
	EXPECT_EQ(retire(s.fd, 1, 0), ZCBUF_ARENA_RETIRING);
	EXPECT_ERR(zt_export(s.fd, s.handle, 0, 0, 0), EBUSY);
	EXPECT_ERR(zt_export(s.fd, s.handle, 1, 0, 0), EINVAL);
	EXPECT_ERR(zt_export(other, s.handle, 0, 0, 0), EPERM);
	EXPECT_EQ(holders_of(s.fd, s.handle), 2);
	EXPECT_OK(share1(s.fd, other, s.handle));
	EXPECT_ERR(zt_export(other, s.handle, 0, 0, 0), EBUSY);
	EXPECT_EQ(holders_of(s.fd, s.handle), 3);
	fd = zt_export(s.fd, s.first, 0, 0, 0);
	EXPECT_GE(fd, 0);
	close(fd);
	EXPECT_EQ(retire(s.fd, 1, CANCEL), ZCBUF_ARENA_LIVE);
	fd = zt_export(s.fd, s.handle, 0, 0, 0);
	EXPECT_GE(fd, 0);
	EXPECT_EQ(holders_of(s.fd, s.handle), 4);
	close(fd);
}

/* ------------------------------------------------------- shared and given away */

/*
 * struct kept - a buffer in arena 1, and sessions for it
 * @first: all of arena 0
 */
struct kept {
	struct pair p;
	int c;
	__u64 first;
	__u64 handle;
};

static struct kept keep_of(const void *kind)
{
	const __u32 k = *(const __u32 *)kind;
	struct kept s = { .p.length = k == ZCBUF_POOL_TIERS ? 64 : ZT_PAGE };

	s.p.a = arenas_of(k, 0, 2);
	s.p.b = zt_join(s.p.a, 0);
	s.c = zt_join(s.p.a, 0);
	ASSERT_OK(zt_alloc1(s.p.a, ZT_ARENA, &s.first));
	ASSERT_OK(zt_alloc1(s.p.a, s.p.length, &s.handle));
	ASSERT_GE(zcbuf_buf_offset(s.handle), ZT_ARENA);
	return s;
}

/* Passed on as ever, before and after; it goes with the last part of it. */
EACH_OF(shared)
{
	struct kept s = keep_of(arg);
	char *map = map_all(s.c, 2) + zcbuf_buf_offset(s.handle);

	ASSERT_OK(share1(s.p.a, s.p.b, s.handle));
	expect_retiring(s.p.a);
	EXPECT_OK(share1(s.p.b, s.c, s.handle));
	EXPECT_EQ(holders_of(s.p.a, s.handle), 3);
	EXPECT_OK(zt_free1(s.p.a, s.handle));
	memset(map, 0x2b, s.p.length);
	expect_retiring(s.p.a);
	EXPECT_OK(zt_free1(s.p.b, s.handle));
	expect_retiring(s.p.a);
	EXPECT_FILLED(map, 0x2b, s.p.length);
	EXPECT_OK(zt_free1(s.c, s.handle));
	await_gone(s.p.a, 1);
	EXPECT_ERR(zt_free1(s.c, s.handle), ENOENT);
	EXPECT_EQ(zt_used(s.p.a), ZT_ARENA);
}

/* Of a slab, what the dead had of it is not what keeps it. */
EACH_OF(shared_with_the_dead)
{
	struct kept s = keep_of(arg);
	__u64 other;

	ASSERT_OK(zt_free1(s.p.a, s.first));
	ASSERT_OK(zt_alloc1(s.p.b, ZT_ARENA, &s.first));
	ASSERT_OK(zt_alloc1(s.p.a, s.p.length, &other));
	ASSERT_OK(share1(s.p.a, s.p.b, s.handle));
	ASSERT_OK(share1(s.p.a, s.c, s.handle));
	expect_retiring(s.p.b);
	close(s.p.a);
	expect_retiring(s.p.b);
	close(s.c);
	expect_retiring(s.p.b);
	EXPECT_EQ(holders_of(s.p.b, s.handle), 1);
	EXPECT_OK(zt_free1(s.p.b, s.handle));
	await_gone(s.p.b, 1);
}

EACH_OF(given_away)
{
	struct kept s = keep_of(arg);

	ASSERT_OK(give1(s.p.a, s.p.b, s.handle));
	expect_retiring(s.p.a);
	EXPECT_OK(give1(s.p.b, s.c, s.handle));
	EXPECT_OK(give1(s.c, s.p.a, s.handle));
	EXPECT_OK(give1(s.p.a, s.p.b, s.handle));
	EXPECT_ERR(zt_free1(s.p.a, s.handle), EPERM);
	expect_retiring(s.p.a);
	EXPECT_OK(zt_free1(s.p.b, s.handle));
	await_gone(s.p.a, 1);
	EXPECT_EQ(zt_used(s.p.a), ZT_ARENA);
}

/* In a process that is killed. */
EACH_OF(given_to_the_dead)
{
	struct kept s = keep_of(arg);
	struct zt_turns t;
	__u64 id;
	pid_t child = start_other(&s.p, &t, &id, stay);

	ASSERT_EQ(zt_transfer(s.p.a, id, &s.handle, 1), 1);
	expect_retiring(s.p.a);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	await_gone(s.p.a, 1);
	EXPECT_EQ(zt_used(s.p.a), ZT_ARENA);
}

/* ---------------------------------------------------------------------- races */

#define RACES	200

/* Made in time, or refused; whoever made it may close it at once. */
static void *export_often(void *arg)
{
	struct kept *s = arg;
	int i, fd;

	for (i = 0; i < KTAP_TRIES(RACES); i++) {
		fd = zt_export(s->p.a, s->handle, 0, 0, 0);
		if (fd < 0)
			EXPECT_EQ(fd, -EBUSY);
		else
			close(fd);
		if (!zt_share(s->p.a, zt_session(s->p.b), &s->handle, 1))
			zt_free1(s->p.b, s->handle);
	}
	return NULL;
}

static void *retire_often(void *arg)
{
	struct kept *s = arg;
	int i;

	for (i = 0; i < KTAP_TRIES(RACES); i++) {
		EXPECT_EQ(retire(s->p.a, 1, 0), ZCBUF_ARENA_RETIRING);
		hz_dawdle(12);
		EXPECT_EQ(retire(s->p.a, 1, CANCEL), ZCBUF_ARENA_LIVE);
		hz_dawdle(12);
		EXPECT_ERR(retire(s->p.a, 1, NOW), EBUSY);
	}
	return NULL;
}

TEST(exported_while_it_is_retired)
{
	struct kept s = keep_of(&kind_pages);

	hz_race(export_often, &s, retire_often, &s);
	EXPECT_TRUE(HZ_UNTIL(holders_of(s.p.a, s.handle) <= 2));
	zt_free1(s.p.b, s.handle);
	EXPECT_EQ(holders_of(s.p.a, s.handle), 1);
	expect_retiring(s.p.a);
	EXPECT_OK(zt_free1(s.p.a, s.handle));
	await_gone(s.p.a, 1);
}

KTAP_MAIN()

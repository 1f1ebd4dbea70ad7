// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * io_uring: which slot, what is undone. The registering functions of liburing are
 * wrapped: there is no ring, but a table that fails when it is told to.
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../internal.h"
#include "fake.h"
#include "test.h"
#include "wrap.h"

#define GIB	0x40000000ULL

/* What the table holds. */
static struct {
	int sparse_error;
	int update_error;
	unsigned int update_fails_at;	/* slot */
	bool update_short;
	unsigned int nslots;
	struct iovec slot[16];
	unsigned int unregistered;
	int clone_error;
	unsigned int nfiles;
	int files_error;
	bool file_update_short;
	bool has_file[16];
} table;

/* Of the kernel that is played; NULL: uname() fails. */
static const char *release = "6.12.117+deb12-cloud-amd64";

int __wrap_uname(struct utsname *name)
{
	memset(name, 0, sizeof(*name));
	if (!release) {
		errno = EFAULT;
		return -1;
	}
	strcpy(name->release, release);
	return 0;
}

int __wrap_io_uring_register_files_sparse(struct io_uring *ring,
					  unsigned int nr)
{
	EXPECT(ring);
	if (table.files_error)
		return table.files_error;
	table.nfiles = nr;
	return 0;
}

int __wrap_io_uring_register_files_update(struct io_uring *ring,
					  unsigned int off, const int *files,
					  unsigned int nr_files)
{
	EXPECT(ring);
	EXPECT_EQ(nr_files, 1);
	if (!table.nfiles)
		return -ENXIO;
	if (off >= table.nfiles)
		return -EINVAL;
	if (table.file_update_short)
		return 0;
	table.has_file[off] = *files >= 0;
	return 1;
}

int __wrap_io_uring_unregister_files(struct io_uring *ring)
{
	EXPECT(ring);
	table.nfiles = 0;
	memset(table.has_file, 0, sizeof(table.has_file));
	return 0;
}

int __wrap_io_uring_register(unsigned int fd, unsigned int opcode,
			     const void *arg, unsigned int nr_args)
{
	EXPECT_EQ(fd, -1U);
	EXPECT_EQ(opcode, 30);
	EXPECT_EQ(nr_args, 1);
	EXPECT(arg);
	return table.clone_error;
}

int __wrap_io_uring_register_buffers_sparse(struct io_uring *ring,
					    unsigned int nr)
{
	EXPECT(ring);
	if (table.sparse_error)
		return table.sparse_error;
	table.nslots = nr;
	return 0;
}

int __wrap_io_uring_register_buffers_update_tag(struct io_uring *ring,
						unsigned int off,
						const struct iovec *iov,
						const __u64 *tags,
						unsigned int nr)
{
	EXPECT(ring && !tags);
	if (off + nr > table.nslots)
		return -EINVAL;
	if (iov->iov_base && table.update_error &&
	    off == table.update_fails_at)
		return table.update_error;
	if (table.update_short)
		return 0;
	table.slot[off] = *iov;
	return nr;
}

int __wrap_io_uring_unregister_buffers(struct io_uring *ring)
{
	EXPECT(ring);
	table.unregistered++;
	table.nslots = 0;
	return 0;
}

/* Never touched: only its addresses are used. */
static struct zcbuf_pool large_pool(__u64 arena_size, unsigned int arenas)
{
	static struct zcb_map map;
	struct zcbuf_pool pool = {
		.map = &map,
		.arena_size = arena_size,
		.rights = ZCBUF_RIGHTS_ALL,
	};

	map.base = (unsigned char *)0x100000000000;
	map.reserved = arena_size * arenas;
	map.size = map.reserved;
	fake.arena_size = arena_size;
	fake.pool_size = map.reserved;
	return pool;
}

static void slots(void)
{
	struct zcbuf_pool pool = large_pool(32 << 20, 1);

	EXPECT_EQ(zcbuf_uring_slots(&pool), 1);
	pool = large_pool(32 << 20, 3);
	EXPECT_EQ(zcbuf_uring_slots(&pool), 3);
	pool = large_pool(GIB, 1);
	EXPECT_EQ(zcbuf_uring_slots(&pool), 1);
	pool = large_pool(GIB + (2 << 20), 1);
	EXPECT_EQ(zcbuf_uring_slots(&pool), 2);
	pool = large_pool(2 * GIB + (2 << 20), 2);
	EXPECT_EQ(zcbuf_uring_slots(&pool), 6);
	pool.map->size = 2 * GIB + (2 << 20);
	EXPECT_EQ(zcbuf_uring_slots(&pool), 6);
	pool.map->reserved = 0;
	EXPECT_EQ(zcbuf_uring_slots(&pool), 0);
}

static void slot_is(unsigned int i, const unsigned char *base, size_t length)
{
	EXPECT(table.slot[i].iov_base == base);
	EXPECT_EQ(table.slot[i].iov_len, length);
}

static void fixed_is(const struct zcbuf_uring *u, unsigned char *ptr,
		     unsigned int len, int slot)
{
	struct io_uring_sqe sqe = { 0 };

	EXPECT_EQ(zcbuf_uring_prep_write(u, &sqe, 5, ptr, len, 4096), slot >= 0);
	EXPECT_EQ(sqe.opcode, slot < 0 ? IORING_OP_WRITE
				       : IORING_OP_WRITE_FIXED);
	if (slot >= 0)
		EXPECT_EQ(sqe.buf_index, slot);
	EXPECT_EQ(sqe.addr, (uintptr_t)ptr);
	EXPECT_EQ(sqe.len, len);
	EXPECT_EQ(sqe.off, 4096);
	EXPECT_EQ(sqe.fd, 5);
	memset(&sqe, 0, sizeof(sqe));
	EXPECT_EQ(zcbuf_uring_prep_read(u, &sqe, 6, ptr, len, 8), slot >= 0);
	EXPECT_EQ(sqe.opcode, slot < 0 ? IORING_OP_READ
				       : IORING_OP_READ_FIXED);
	if (slot >= 0)
		EXPECT_EQ(sqe.buf_index, slot);
	EXPECT_EQ(sqe.addr, (uintptr_t)ptr);
	EXPECT_EQ(sqe.off, 8);
}

static void split(void)
{
	struct zcbuf_pool pool = large_pool(2 * GIB + 4096, 2);
	const __u64 arena = 2 * GIB + 4096;
	unsigned char *base = pool.map->base;
	struct zcbuf_uring u;
	struct io_uring ring;

	ASSERT_EQ(zcbuf_uring_register(&u, &ring, &pool), 0);
	EXPECT_EQ(table.nslots, 6);
	EXPECT_EQ(table.nfiles, 1);
	EXPECT(table.has_file[0]);
	slot_is(0, base, GIB);
	slot_is(1, base + GIB, GIB);
	slot_is(2, base + 2 * GIB, 4096);
	slot_is(3, base + arena, GIB);
	slot_is(5, base + arena + 2 * GIB, 4096);
	fixed_is(&u, base, 4096, 0);
	fixed_is(&u, base + GIB - 1, 1, 0);
	fixed_is(&u, base + GIB - 1, 2, -1);
	fixed_is(&u, base + GIB, GIB, 1);
	fixed_is(&u, base + GIB, GIB + 1, -1);
	fixed_is(&u, base + 2 * GIB, 4096, 2);
	fixed_is(&u, base + 2 * GIB, 4097, -1);
	fixed_is(&u, base + arena, 1, 3);
	fixed_is(&u, base + 2 * arena - 1, 1, 5);
	fixed_is(&u, base + 2 * arena - 1, 2, -1);
	fixed_is(&u, base + 2 * arena, 1, -1);
	fixed_is(&u, base - 1, 1, -1);
	fixed_is(&u, base - 1, 2, -1);
	fixed_is(&u, NULL, 0, -1);
	EXPECT_EQ(zcbuf_uring_unregister(&u), 0);
	EXPECT_EQ(table.unregistered, 1);
	EXPECT_EQ(table.nfiles, 0);
	fixed_is(&u, base, 4096, -1);
	EXPECT_EQ(zcbuf_uring_unregister(&u), 0);
	EXPECT_EQ(table.unregistered, 1);
}

static void slot_of(void)
{
	struct zcbuf_pool pool = large_pool(2 * GIB + 4096, 2);
	const __u64 arena = 2 * GIB + 4096;
	unsigned char *base = pool.map->base;
	struct zcbuf_slot slot = { .index = 77 };
	struct zcbuf_uring u;
	struct io_uring ring;

	table.nslots = 16;
	table.nfiles = 16;
	ASSERT_EQ(zcbuf_uring_register_at(&u, &ring, &pool, 9), 0);
	EXPECT_EQ(zcbuf_uring_slot(&u, base - 1, 1, &slot), 0);
	EXPECT_EQ(zcbuf_uring_slot(&u, base + 2 * arena, 1, &slot), 0);
	EXPECT_EQ(zcbuf_uring_slot(&u, base + GIB - 1, 2, &slot), 0);
	EXPECT_EQ(zcbuf_uring_slot(&u, base, 2 * GIB, &slot), 0);
	EXPECT_EQ(zcbuf_uring_slot(&u, &pool, 1, &slot), 0);
	EXPECT_EQ(slot.index, 77);
	EXPECT_EQ(zcbuf_uring_slot(&u, base, GIB, &slot), 1);
	EXPECT_EQ(slot.index, 9);
	EXPECT_EQ(slot.offset, 0);
	EXPECT_EQ(zcbuf_uring_slot(&u, base + arena + GIB + 4097, 8, &slot), 1);
	EXPECT_EQ(slot.index, 13);
	EXPECT_EQ(slot.offset, 4097);
	EXPECT_EQ(slot.__reserved, 0);
	EXPECT_EQ(zcbuf_uring_slot(&u, base + 2 * arena - 1, 1, &slot), 1);
	EXPECT_EQ(slot.index, 14);
	EXPECT_EQ(slot.offset, 4095);
	EXPECT_EQ(zcbuf_uring_slot(&u, base, 1, NULL), 1);
	EXPECT_EQ(zcbuf_uring_unregister(&u), 0);
	EXPECT_EQ(zcbuf_uring_slot(&u, base, 1, &slot), 0);
}

/* How long an operation may be to be fixed, with these options. */
static void fixed_up_to(size_t option, unsigned int most)
{
	struct zcbuf_pool pool = large_pool(GIB, 1);
	const struct zcbuf_uring_opts opts = {
		.sz = sizeof(opts), .fixed_max = option,
	};
	unsigned char *base = pool.map->base;
	struct zcbuf_uring u;
	struct io_uring ring;

	ASSERT_EQ(zcbuf_uring_register_opts(&u, &ring, &pool, &opts), 0);
	fixed_is(&u, base, most, 0);
	fixed_is(&u, base, most + 1, -1);
	EXPECT_EQ(zcbuf_uring_slot(&u, base, most + 1, NULL), most < GIB);
	EXPECT_EQ(zcbuf_uring_unregister(&u), 0);
}

static void fixed_or_plain(void)
{
	static const char *const lists[] = {
		"6.11.11", "6.1.0-56-cloud-amd64", "6.1", "5.19.17", "4.99-rc1",
	};
	static const char *const merges[] = {
		"6.12.117+deb12-cloud-amd64", "6.12-rc1", "6.18.4", "7.0",
		"7.2.12", "10.1", "a new way to count", "",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lists); i++) {
		release = lists[i];
		fixed_up_to(0, 65536);
	}
	for (i = 0; i < ARRAY_SIZE(merges); i++) {
		release = merges[i];
		fixed_up_to(0, GIB);
	}
	release = NULL;
	fixed_up_to(0, GIB);
	fixed_up_to(4096, 4096);
	release = lists[0];
	fixed_up_to(1, 1);
	fixed_up_to(1 << 20, 1 << 20);
	fixed_up_to(ZCBUF_URING_FIXED_ALWAYS, GIB);
}

static void clone_refused(void)
{
	struct zcbuf_pool pool = large_pool(GIB, 1);
	struct io_uring ring, other = { .ring_fd = -1 };
	struct zcbuf_uring u, clone;

	ASSERT_EQ(zcbuf_uring_register(&u, &ring, &pool), 0);
	table.clone_error = -EINVAL;
	release = "6.11.11";
	EXPECT_EQ(zcbuf_uring_clone(&clone, &other, &u, 1, NULL), -EOPNOTSUPP);
	release = "6.12.0";
	EXPECT_EQ(zcbuf_uring_clone(&clone, &other, &u, 1, NULL), -EINVAL);
	table.clone_error = -EBUSY;
	release = "6.11.11";
	EXPECT_EQ(zcbuf_uring_clone(&clone, &other, &u, 1, NULL), -EBUSY);
	fixed_is(&clone, pool.map->base, 1, -1);
	EXPECT_EQ(zcbuf_uring_unregister(&clone), 0);
	EXPECT_EQ(table.unregistered, 0);
	EXPECT_EQ(zcbuf_uring_unregister(&u), 0);
	EXPECT_EQ(table.unregistered, 1);
}

static void send_zc(void)
{
	struct zcbuf_pool pool = large_pool(GIB, 2);
	unsigned char *base = pool.map->base;
	struct io_uring_sqe sqe = { 0 };
	struct zcbuf_uring u;
	struct io_uring ring;

	ASSERT_EQ(zcbuf_uring_register(&u, &ring, &pool), 0);
	EXPECT_EQ(zcbuf_uring_prep_send_zc(&u, &sqe, 7, base + GIB + 8, 100,
					   0x4000, 0x10), 1);
	EXPECT_EQ(sqe.opcode, IORING_OP_SEND_ZC);
	EXPECT_EQ(sqe.fd, 7);
	EXPECT_EQ(sqe.addr, (uintptr_t)base + GIB + 8);
	EXPECT_EQ(sqe.len, 100);
	EXPECT_EQ(sqe.msg_flags, 0x4000);
	EXPECT_EQ(sqe.ioprio, 0x10 | IORING_RECVSEND_FIXED_BUF);
	EXPECT_EQ(sqe.buf_index, 1);
	EXPECT_EQ(zcbuf_uring_prep_send_zc(&u, &sqe, 8, &sqe, 10, 0, 0x10), 0);
	EXPECT_EQ(sqe.opcode, IORING_OP_SEND_ZC);
	EXPECT_EQ(sqe.fd, 8);
	EXPECT_EQ(sqe.addr, (uintptr_t)&sqe);
	EXPECT_EQ(sqe.len, 10);
	EXPECT_EQ(sqe.msg_flags, 0);
	EXPECT_EQ(sqe.ioprio, 0x10);
	EXPECT_EQ(zcbuf_uring_unregister(&u), 0);
}

static void refused(void)
{
	struct zcbuf_pool pool = large_pool(GIB, 4);
	struct zcbuf_uring u;
	struct io_uring ring;

	memset(&u, 0xff, sizeof(u));
	table.sparse_error = -EBUSY;
	EXPECT_EQ(zcbuf_uring_register(&u, &ring, &pool), -EBUSY);
	fixed_is(&u, pool.map->base, 4096, -1);
	EXPECT_EQ(zcbuf_uring_unregister(&u), 0);
	EXPECT_EQ(table.unregistered, 0);

	/* Half way: the table goes as a whole. */
	table.sparse_error = 0;
	table.update_error = -ENOMEM;
	table.update_fails_at = 2;
	memset(&u, 0xff, sizeof(u));
	EXPECT_EQ(zcbuf_uring_register(&u, &ring, &pool), -ENOMEM);
	EXPECT_EQ(table.unregistered, 1);
	fixed_is(&u, pool.map->base, 4096, -1);
	EXPECT_EQ(zcbuf_uring_unregister(&u), 0);

	table.update_error = 0;
	table.files_error = -EBUSY;
	EXPECT_EQ(zcbuf_uring_register(&u, &ring, &pool), -EBUSY);
	table.files_error = 0;
	table.file_update_short = true;
	EXPECT_EQ(zcbuf_uring_register(&u, &ring, &pool), -EINVAL);
	EXPECT_EQ(table.nfiles, 0);
	table.file_update_short = false;

	/* Nothing done is not done. */
	table.update_error = 0;
	table.update_short = true;
	EXPECT_EQ(zcbuf_uring_register(&u, &ring, &pool), -EINVAL);
	fixed_is(&u, pool.map->base, 4096, -1);

	pool.session.fd = -1;
	EXPECT_EQ(zcbuf_uring_register(&u, &ring, &pool), -EBADF);
	EXPECT_EQ(zcbuf_uring_register_at(&u, &ring, &pool, 0), -EBADF);
	pool.session.fd = 0;
	pool.map->reserved = 0;
	pool.map->size = 0;
	pool.map->base = NULL;
	EXPECT_EQ(zcbuf_uring_register(&u, &ring, &pool), -EPERM);
	EXPECT_EQ(zcbuf_uring_register_at(&u, &ring, &pool, 0), -EPERM);
}

static void shared_table(void)
{
	struct zcbuf_pool pool = large_pool(GIB, 3);
	struct iovec others = { &pool, 1 };
	struct zcbuf_uring u;
	struct io_uring ring;

	table.nslots = 8;
	table.nfiles = 8;
	table.slot[3] = others;
	table.slot[7] = others;
	ASSERT_EQ(zcbuf_uring_register_at(&u, &ring, &pool, 4), 0);
	slot_is(3, others.iov_base, 1);
	EXPECT(table.has_file[4]);
	slot_is(4, pool.map->base, GIB);
	slot_is(6, pool.map->base + 2 * GIB, GIB);
	fixed_is(&u, pool.map->base, 1, 4);
	fixed_is(&u, pool.map->base + GIB, 1, 5);
	EXPECT_EQ(zcbuf_uring_unregister(&u), 0);
	slot_is(4, NULL, 0);
	slot_is(6, NULL, 0);
	slot_is(3, others.iov_base, 1);
	slot_is(7, others.iov_base, 1);
	EXPECT_EQ(table.unregistered, 0);
	EXPECT_EQ(table.nfiles, 8);
	EXPECT(!table.has_file[4]);

	/* Half way: only what was filled is emptied. */
	table.update_error = -EFAULT;
	table.update_fails_at = 6;
	EXPECT_EQ(zcbuf_uring_register_at(&u, &ring, &pool, 4), -EFAULT);
	slot_is(4, NULL, 0);
	slot_is(5, NULL, 0);
	slot_is(7, others.iov_base, 1);
	EXPECT_EQ(table.unregistered, 0);
	fixed_is(&u, pool.map->base, 1, -1);
	table.update_error = 0;
	EXPECT_EQ(zcbuf_uring_register_at(&u, &ring, &pool, 6), -EINVAL);
	slot_is(6, NULL, 0);
}

/* A pool that grows, one arena of how many there may be. */
static struct zcbuf_pool *growing_pool(__u64 arena_size, unsigned int arenas)
{
	struct zcbuf_pool *pool;

	fake.arena_size = arena_size;
	fake.pool_size = arena_size;
	fake.max_size = arena_size * arenas;
	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	return pool;
}

static void update(void)
{
	struct zcbuf_pool *pool = growing_pool(FAKE_ARENA, 4);
	unsigned char *base = zcbuf_pool_base(pool);
	struct zcbuf_uring u;
	struct io_uring ring;

	EXPECT_EQ(zcbuf_uring_slots(pool), 4);
	ASSERT_EQ(zcbuf_uring_register(&u, &ring, pool), 0);
	EXPECT_EQ(table.nslots, 4);
	slot_is(0, base, FAKE_ARENA);
	slot_is(1, NULL, 0);
	EXPECT_EQ(zcbuf_uring_update(&u), 0);
	slot_is(1, NULL, 0);

	/* Mapped is not registered: plain until it is. */
	EXPECT_EQ(zcbuf_pool_grow(pool), 1);
	fixed_is(&u, base + FAKE_ARENA, 1, -1);
	fixed_is(&u, base + FAKE_ARENA - 1, 1, 0);
	EXPECT_EQ(zcbuf_uring_update(&u), 1);
	slot_is(1, base + FAKE_ARENA, FAKE_ARENA);
	fixed_is(&u, base, 1, 0);
	fixed_is(&u, base + FAKE_ARENA, 1, 1);
	fixed_is(&u, base + FAKE_ARENA - 1, 2, -1);
	EXPECT_EQ(zcbuf_uring_update(&u), 0);

	/* Those of others, which this process has not used yet. */
	fake_grow();
	fake_grow();
	EXPECT_EQ(zcbuf_uring_update(&u), 2);
	slot_is(2, base + 2 * FAKE_ARENA, FAKE_ARENA);
	slot_is(3, base + 3 * FAKE_ARENA, FAKE_ARENA);
	fixed_is(&u, base + 4 * FAKE_ARENA - 1, 1, 3);
	fixed_is(&u, base + 4 * FAKE_ARENA, 1, -1);
	EXPECT_EQ(fake.calls[ZCBUF_NR_POOL_INFO], 6);
	/* Asked, as one may be gone. */
	EXPECT_EQ(zcbuf_uring_update(&u), 0);
	EXPECT_EQ(fake.calls[ZCBUF_NR_POOL_INFO], 7);
	EXPECT_EQ(zcbuf_uring_unregister(&u), 0);
	EXPECT_EQ(zcbuf_uring_update(&u), 0);
	fixed_is(&u, base, 1, -1);
	zcbuf_pool_close(pool);
}

/* What came between mapping and registering is registered as well. */
static void register_is_up_to_date(void)
{
	struct zcbuf_pool *pool = growing_pool(FAKE_ARENA, 3);
	struct zcbuf_uring u;
	struct io_uring ring;

	fake_grow();
	fake.fail[ZCBUF_NR_POOL_INFO] = EINTR;
	EXPECT_EQ(zcbuf_uring_register(&u, &ring, pool), -EINTR);
	EXPECT_EQ(table.unregistered, 0);
	ASSERT_EQ(zcbuf_uring_register(&u, &ring, pool), 0);
	fixed_is(&u, zcbuf_pool_addr(pool, FAKE_ARENA), 1, 1);
	EXPECT_EQ(zcbuf_uring_unregister(&u), 0);
	zcbuf_pool_close(pool);
}

static void update_refused(void)
{
	struct zcbuf_pool *pool = growing_pool(FAKE_ARENA, 4);
	unsigned char *base = zcbuf_pool_base(pool);
	struct iovec others = { base, 1 };
	struct zcbuf_uring u;
	struct io_uring ring;

	table.nslots = 10;
	table.nfiles = 10;
	table.slot[1] = others;
	table.slot[6] = others;
	ASSERT_EQ(zcbuf_uring_register_at(&u, &ring, pool, 2), 0);
	fake_grow();
	fake_grow();
	fake.fail[ZCBUF_NR_POOL_INFO] = EINTR;
	EXPECT_EQ(zcbuf_uring_update(&u), -EINTR);
	fake.map_error = ENFILE;
	EXPECT_EQ(zcbuf_uring_update(&u), -ENFILE);
	slot_is(3, NULL, 0);

	/* Half way: what was there stays, what came goes. */
	table.update_error = -ENOMEM;
	table.update_fails_at = 4;
	EXPECT_EQ(zcbuf_uring_update(&u), -ENOMEM);
	slot_is(1, base, 1);
	slot_is(2, base, FAKE_ARENA);
	slot_is(3, NULL, 0);
	fixed_is(&u, base, 1, 2);
	fixed_is(&u, base + FAKE_ARENA, 1, -1);
	table.update_error = 0;
	EXPECT_EQ(zcbuf_uring_update(&u), 2);
	slot_is(3, base + FAKE_ARENA, FAKE_ARENA);
	fixed_is(&u, base + 2 * FAKE_ARENA, 1, 4);
	slot_is(6, base, 1);
	EXPECT_EQ(zcbuf_uring_unregister(&u), 0);
	slot_is(1, base, 1);
	slot_is(2, NULL, 0);
	slot_is(4, NULL, 0);
	slot_is(6, base, 1);
	zcbuf_pool_close(pool);
}

static void update_after_nothing(void)
{
	struct zcbuf_pool *pool = growing_pool(FAKE_ARENA, 2);
	struct zcbuf_uring u;
	struct io_uring ring;
	int fd;

	table.sparse_error = -EBUSY;
	EXPECT_EQ(zcbuf_uring_register(&u, &ring, pool), -EBUSY);
	EXPECT_EQ(zcbuf_pool_grow(pool), 1);
	EXPECT_EQ(zcbuf_uring_update(&u), 0);
	table.sparse_error = 0;
	ASSERT_EQ(zcbuf_uring_register(&u, &ring, pool), 0);
	fd = pool->session.fd;
	pool->session.fd = -1;	/* as in a fork child */
	EXPECT_EQ(zcbuf_uring_update(&u), -EBADF);
	EXPECT_EQ(zcbuf_uring_slots(pool), 0);
	pool->session.fd = fd;
	EXPECT_EQ(zcbuf_uring_unregister(&u), 0);
	zcbuf_pool_close(pool);
}

/* An arena of several slots: all of them, or none. */
static void update_split(void)
{
	const __u64 arena = 2 * GIB + (2 << 20);
	struct zcbuf_pool *pool = growing_pool(arena, 3);
	unsigned char *base = zcbuf_pool_base(pool);
	struct zcbuf_uring u;
	struct io_uring ring;

	EXPECT_EQ(zcbuf_uring_slots(pool), 9);
	ASSERT_EQ(zcbuf_uring_register(&u, &ring, pool), 0);
	EXPECT_EQ(table.nslots, 9);
	slot_is(2, base + 2 * GIB, 2 << 20);
	slot_is(3, NULL, 0);
	EXPECT_EQ(zcbuf_pool_grow(pool), 1);
	table.update_error = -ENOMEM;
	table.update_fails_at = 5;
	EXPECT_EQ(zcbuf_uring_update(&u), -ENOMEM);
	slot_is(3, NULL, 0);
	slot_is(4, NULL, 0);
	table.update_error = 0;
	EXPECT_EQ(zcbuf_uring_update(&u), 3);
	slot_is(3, base + arena, GIB);
	slot_is(4, base + arena + GIB, GIB);
	slot_is(5, base + arena + 2 * GIB, 2 << 20);
	fixed_is(&u, base + arena + GIB, 1, 4);
	fixed_is(&u, base + 2 * arena - 1, 1, 5);
	fixed_is(&u, base + 2 * arena, 1, -1);
	EXPECT_EQ(zcbuf_uring_unregister(&u), 0);
	zcbuf_pool_close(pool);
}

static const struct test_case cases[] = {
	CASE(slots),
	CASE(split),
	CASE(slot_of),
	CASE(fixed_or_plain),
	CASE(clone_refused),
	CASE(send_zc),
	CASE(refused),
	CASE(shared_table),
	CASE(update),
	CASE(register_is_up_to_date),
	CASE(update_refused),
	CASE(update_after_nothing),
	CASE(update_split),
};

TEST_MAIN(cases)

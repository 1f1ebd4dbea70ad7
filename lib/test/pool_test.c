// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Pools: what reaches the kernel, what is mapped, what is undone, fork(). */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake.h"
#include "test.h"

static const char name65[] =
	"12345678901234567890123456789012345678901234567890123456789012345";

static void create(void)
{
	struct zcbuf_class class = { .length = 1500 };
	struct zcbuf_pool_opts opts = {
		.sz = sizeof(opts),
		.name = "demo",
		.classes = &class,
		.arena_size = 64 << 20,
		.nclasses = 1,
		.kind = ZCBUF_POOL_TIERS,
		.flags = ZCBUF_POOL_F_NODE | ZCBUF_POOL_F_SMALL_PAGES,
		.mode = 0640,
		.node = 3,
		.open_flags = ZCBUF_POOL_OPEN_NONBLOCK,
		.uid = 1000,
		.gid = 2000,
	};
	struct zcbuf_pool *pool;

	ASSERT_EQ(zcbuf_pool_create(&pool, &opts), 0);
	EXPECT_EQ(fake.open_flags, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	EXPECT_EQ(fake.create.size, sizeof(fake.create));
	EXPECT(!strcmp(fake.name, "demo"));
	EXPECT_EQ(fake.create.name_len, 4);
	EXPECT_EQ(fake.create.classes, (uintptr_t)&class);
	EXPECT_EQ(fake.create.nclasses, 1);
	EXPECT_EQ(fake.create.arena_size, 64 << 20);
	EXPECT_EQ(fake.create.kind, ZCBUF_POOL_TIERS);
	EXPECT_EQ(fake.create.flags, opts.flags);
	EXPECT_EQ(fake.create.mode, 0640);
	EXPECT_EQ(fake.create.node, 3);
	EXPECT_EQ(fake.create.uid, 1000);
	EXPECT_EQ(fake.create.gid, 2000);
	EXPECT_EQ(fake.map_prot, PROT_READ | PROT_WRITE);
	EXPECT_EQ(zcbuf_pool_rights(pool), ZCBUF_RIGHTS_ALL);
	EXPECT_EQ(zcbuf_pool_size(pool), FAKE_ARENA);
	EXPECT_EQ(zcbuf_pool_close(pool), 0);
	EXPECT_EQ(zcbuf_pool_close(NULL), 0);
}

static void defaults(void)
{
	struct zcbuf_pool_create none = { .size = sizeof(none) };
	struct zcbuf_pool *pool;

	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	EXPECT(!memcmp(&fake.create, &none, sizeof(none)));
	zcbuf_pool_close(pool);
}

/* The kernel must see that it is too long, not a name cut off. */
static void long_name(void)
{
	struct zcbuf_pool_opts opts = { .sz = sizeof(opts), .name = name65 };
	struct zcbuf_pool *pool;

	EXPECT_EQ(zcbuf_pool_create(&pool, &opts), -EINVAL);
	EXPECT_EQ(fake.create.name_len, 65);
}

static void removed(void)
{
	struct zcbuf_pool_remove own = { .size = sizeof(own) };
	struct zcbuf_pool *pool;

	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	EXPECT_EQ(zcbuf_pool_remove(pool), 0);
	EXPECT(!memcmp(&fake.remove, &own, sizeof(own)));
	EXPECT_EQ(zcbuf_pool_remove(pool), -ENOENT);
	zcbuf_pool_close(pool);
}

static void attach(void)
{
	struct zcbuf_attach_opts opts = {
		.sz = sizeof(opts),
		.flags = ZCBUF_ATTACH_F_UID,
		.uid = 1000,
	};
	struct zcbuf_pool *donor;
	struct zcbuf_pool *pool;
	struct zcbuf_pool *third;

	EXPECT_EQ(zcbuf_pool_attach(&pool, "demo", NULL), -ENOENT);
	ASSERT_EQ(zcbuf_pool_create(&donor, NULL), 0);
	ASSERT_EQ(zcbuf_pool_attach(&pool, "demo", &opts), 0);
	EXPECT_EQ(fake.attach.flags, ZCBUF_ATTACH_F_UID);
	EXPECT_EQ(fake.attach.uid, 1000);
	EXPECT_EQ(fake.attach.rights, 0);
	EXPECT_EQ(fake.attach.name_len, 4);
	EXPECT_EQ(fake.open_flags & O_ACCMODE, O_RDWR);
	ASSERT_EQ(zcbuf_pool_attach_fd(&third, zcbuf_pool_fd(donor), NULL), 0);
	EXPECT_EQ(fake.attach.flags, ZCBUF_ATTACH_F_FD);
	EXPECT_EQ(fake.attach.fd, zcbuf_pool_fd(donor));
	EXPECT_EQ(fake.attach.name, 0);

	/* Three mappings, one memory. */
	*(int *)zcbuf_pool_addr(donor, 4096) = 77;
	EXPECT_EQ(*(int *)zcbuf_pool_addr(pool, 4096), 77);
	EXPECT_EQ(*(int *)zcbuf_pool_addr(third, 4096), 77);
	zcbuf_pool_close(third);
	zcbuf_pool_close(donor);
	EXPECT_EQ(*(int *)zcbuf_pool_addr(pool, 4096), 77);
	zcbuf_pool_close(pool);
}

static void read_only(void)
{
	const __u32 rights = ZCBUF_RIGHT_MAP_READ | ZCBUF_RIGHT_CONSUME;
	struct zcbuf_attach_opts opts = { .sz = sizeof(opts), .rights = rights };
	struct zcbuf_pool *donor;
	struct zcbuf_pool *pool;

	ASSERT_EQ(zcbuf_pool_create(&donor, NULL), 0);
	fake.rights = rights;
	ASSERT_EQ(zcbuf_pool_attach(&pool, "demo", &opts), 0);
	EXPECT_EQ(fake.open_flags & O_ACCMODE, O_RDONLY);
	EXPECT_EQ(fake.attach.rights, rights);
	EXPECT_EQ(fake.map_prot, PROT_READ);
	zcbuf_pool_close(pool);

	/* Writing without mapping is still writing. */
	opts.rights |= ZCBUF_RIGHT_PRODUCE;
	ASSERT_EQ(zcbuf_pool_attach(&pool, "demo", &opts), 0);
	EXPECT_EQ(fake.open_flags & O_ACCMODE, O_RDWR);
	zcbuf_pool_close(pool);

	fake.rights = ZCBUF_RIGHT_MAP_WRITE;
	ASSERT_EQ(zcbuf_pool_attach(&pool, "demo", NULL), 0);
	EXPECT_EQ(fake.map_prot, PROT_WRITE);
	zcbuf_pool_close(pool);

	/* No right to memory: no mapping, and no way to an address. */
	fake.rights = ZCBUF_RIGHT_ADMIN;
	fake.map_prot = -1;
	ASSERT_EQ(zcbuf_pool_attach(&pool, "demo", NULL), 0);
	EXPECT_EQ(fake.map_prot, -1);
	EXPECT(!zcbuf_pool_base(pool));
	EXPECT(!zcbuf_pool_range(pool, 0, 0));
	EXPECT_EQ(zcbuf_pool_size(pool), 0);
	zcbuf_pool_close(pool);
	zcbuf_pool_close(donor);
}

/* Whatever fails on the way: the error comes out and no descriptor stays. */
static void undo(void)
{
	unsigned int fds = fake_open_fds();
	struct zcbuf_pool *pool = NULL;

	fake.open_error = ENOENT;
	EXPECT_EQ(zcbuf_pool_create(&pool, NULL), -ENODEV);
	fake.fail[ZCBUF_NR_POOL_CREATE] = ENOMEM;
	EXPECT_EQ(zcbuf_pool_create(&pool, NULL), -ENOMEM);
	fake.fail[ZCBUF_NR_POOL_INFO] = EINTR;
	EXPECT_EQ(zcbuf_pool_create(&pool, NULL), -EINTR);
	EXPECT_EQ(fake_open_fds(), fds);
	fake.fail[ZCBUF_NR_POOL_ATTACH] = EPERM;
	EXPECT_EQ(zcbuf_pool_attach(&pool, "x", NULL), -EPERM);
	fake.map_error = EAGAIN;
	EXPECT_EQ(zcbuf_pool_attach(&pool, "x", NULL), -EAGAIN);
	fake.madvise_error = ENOMEM;
	EXPECT_EQ(zcbuf_pool_attach(&pool, "x", NULL), -ENOMEM);
	EXPECT_EQ(fake_open_fds(), fds);
	EXPECT(!pool);
}

static bool is_mapped(const void *ptr)
{
	unsigned char vec;

	return !mincore((void *)ptr, 4096, &vec);
}

static void unmapped(void)
{
	struct zcbuf_pool *pool;
	void *base;

	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	base = zcbuf_pool_base(pool);
	EXPECT(is_mapped(base));
	zcbuf_pool_close(pool);
	EXPECT(!is_mapped(base));
}

static void addresses(void)
{
	struct zcbuf_pool *pool;
	unsigned char *base;

	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	base = zcbuf_pool_base(pool);
	EXPECT(zcbuf_pool_addr(pool, 0) == base);
	EXPECT(zcbuf_pool_addr(pool, FAKE_ARENA - 1) == base + FAKE_ARENA - 1);
	EXPECT(!zcbuf_pool_addr(pool, FAKE_ARENA));
	EXPECT(!zcbuf_pool_addr(pool, ~0ULL));
	EXPECT(zcbuf_pool_range(pool, 0, FAKE_ARENA) == base);
	EXPECT(!zcbuf_pool_range(pool, 1, FAKE_ARENA));
	EXPECT(!zcbuf_pool_range(pool, 8, ~0ULL - 4));
	EXPECT(zcbuf_pool_range(pool, FAKE_ARENA, 0) == base + FAKE_ARENA);
	EXPECT_EQ(zcbuf_pool_offset(pool, base), 0);
	EXPECT_EQ(zcbuf_pool_offset(pool, base + FAKE_ARENA - 1),
		  FAKE_ARENA - 1);
	EXPECT_EQ(zcbuf_pool_offset(pool, base + FAKE_ARENA), -ERANGE);
	EXPECT_EQ(zcbuf_pool_offset(pool, (void *)((uintptr_t)base - 1)),
		  -ERANGE);
	EXPECT_EQ(zcbuf_pool_offset(pool, NULL), -ERANGE);
	zcbuf_pool_close(pool);
}

static void info(void)
{
	struct zcbuf_class_info classes[2];
	struct zcbuf_pool_info i;
	struct zcbuf_pool *pool;

	fake.nclasses = 2;
	fake.classes[0].length = 64;
	fake.classes[1].length = 256;
	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	memset(&i, 0xff, sizeof(i));
	i.size = sizeof(i);
	i.classes = (uintptr_t)classes;
	i.nclasses = 1;
	i.entry_size = sizeof(classes[0]);
	EXPECT_EQ(zcbuf_pool_info(pool, &i), -EMSGSIZE);
	EXPECT_EQ(i.nclasses, 2);
	EXPECT_EQ(i.entry_size, sizeof(classes[0]));
	EXPECT_EQ(zcbuf_pool_info(pool, &i), 0);
	EXPECT_EQ(classes[1].length, 256);
	EXPECT_EQ(i.out_size, FAKE_ARENA);
	EXPECT_EQ(i.flags, 0);
	i.size = 16;
	EXPECT_EQ(zcbuf_pool_info(pool, &i), -EINVAL);
	i.size = 1 << 20;
	EXPECT_EQ(zcbuf_pool_info(pool, &i), -EINVAL);
	zcbuf_pool_close(pool);
}

/* A channel outlives its pool as a name that answers, not as a wild pointer. */
static void close_order(void)
{
	struct zcbuf_channel *channel = fake_channel(100);
	struct zcbuf_pool *pool = zcbuf_channel_pool(channel);
	struct zcbuf_writer writer;
	__u64 handle = 1;

	ASSERT_EQ(zcbuf_writer_reserve(channel, 10, 0, 0, &writer), 0);
	EXPECT_EQ(zcbuf_pool_close(pool), 0);
	EXPECT_EQ(zcbuf_writer_put(&writer, "x", 1), -EBADF);
	EXPECT_EQ(zcbuf_writer_drop(&writer), -EBADF);
	EXPECT_EQ(zcbuf_channel_flush(channel), -EBADF);
	EXPECT_EQ(zcbuf_release(channel, &handle, 1), -EBADF);
	EXPECT(zcbuf_channel_pool(channel) == pool);
	EXPECT_EQ(zcbuf_channel_close(channel), -EBADF);
}

/* Runs in the child; returns how many things were not as they should be. */
static int child(struct zcbuf_channel *channel, struct zcbuf_writer *writer,
		 struct zcbuf_buf *buf, const void *base, int fd)
{
	struct zcbuf_pool *pool = zcbuf_channel_pool(channel);
	struct zcbuf_delivery delivery = { .nextents = 1 };
	struct iovec iov[ZCBUF_MAX_EXTENTS];
	struct zcbuf_pool *own;
	int bad = 0;

	bad += fcntl(fd, F_GETFD) != -1;
	bad += is_mapped(base);
	bad += zcbuf_pool_fd(pool) != -EBADF;
	bad += !!zcbuf_pool_addr(pool, 0);
	bad += !!zcbuf_pool_base(pool);
	bad += zcbuf_pool_size(pool) != 0;
	bad += zcbuf_pool_rights(pool) != 0;
	bad += zcbuf_pool_offset(pool, base) != -ERANGE;
	bad += zcbuf_writer_put(writer, "x", 1) != -EBADF;
	bad += zcbuf_writer_commit(writer) != -EBADF;
	bad += zcbuf_buf_free(buf) != -EBADF;
	bad += zcbuf_channel_finalize(channel, NULL) != -EBADF;
	bad += zcbuf_delivery_iovec(pool, &delivery, iov) != -EBADF;
	bad += zcbuf_delivery_pad(pool, &delivery, 4096) != -EBADF;

	/* What is there now is not the pool's to unmap. */
	bad += mmap((void *)base, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS |
		    MAP_FIXED_NOREPLACE, -1, 0) != base;
	bad += zcbuf_channel_close(channel) != -EBADF;
	bad += zcbuf_pool_close(pool) != 0;
	bad += !is_mapped(base);

	/* It may start anew; the number of the old session is free again. */
	bad += zcbuf_pool_create(&own, NULL) != 0;
	bad += zcbuf_pool_fd(own) != fd;
	bad += fcntl(fd, F_GETFD) == -1;
	bad += zcbuf_pool_close(own) != 0;
	return bad;
}

static void fork_child(void)
{
	struct zcbuf_channel *channel = fake_channel(100);
	struct zcbuf_pool *pool = zcbuf_channel_pool(channel);
	void *base = zcbuf_pool_base(pool);
	int fd = zcbuf_pool_fd(pool);
	struct zcbuf_writer writer;
	struct zcbuf_buf buf;
	int status;

	ASSERT_EQ(zcbuf_buf_alloc(pool, 100, &buf), 0);
	ASSERT_EQ(zcbuf_writer_reserve(channel, 1, 0, 0, &writer), 0);
	fflush(stdout);
	if (!fork())
		_exit(child(channel, &writer, &buf, base, fd));
	wait(&status);
	EXPECT_EQ(status, 0);

	/* The parent noticed nothing. */
	EXPECT(is_mapped(base));
	EXPECT_EQ(zcbuf_writer_put(&writer, "x", 1), 0);
	EXPECT_EQ(zcbuf_writer_commit(&writer), 0);
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	fake_channel_close(channel);
}

/* Closing in any order keeps the list of sessions in one piece. */
static void fork_many(void)
{
	struct zcbuf_pool *pool[4];
	int fd[4];
	int status;
	int i;

	for (i = 0; i < 4; i++) {
		ASSERT_EQ(zcbuf_pool_create(&pool[i], NULL), 0);
		fd[i] = zcbuf_pool_fd(pool[i]);
	}
	zcbuf_pool_close(pool[1]);
	zcbuf_pool_close(pool[3]);
	fflush(stdout);
	if (!fork())
		_exit(fcntl(fd[0], F_GETFD) != -1 ||
		      fcntl(fd[2], F_GETFD) != -1);
	wait(&status);
	EXPECT_EQ(status, 0);
	zcbuf_pool_close(pool[0]);
	EXPECT(fcntl(fd[2], F_GETFD) != -1);
	zcbuf_pool_close(pool[2]);
}

static const struct test_case cases[] = {
	CASE(create),
	CASE(defaults),
	CASE(long_name),
	CASE(removed),
	CASE(attach),
	CASE(read_only),
	CASE(undo),
	CASE(unmapped),
	CASE(addresses),
	CASE(info),
	CASE(close_order),
	CASE(fork_child),
	CASE(fork_many),
};

TEST_MAIN(cases)

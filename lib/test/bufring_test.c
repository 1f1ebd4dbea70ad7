// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Buffers a ring receives into, with a ring played by this program: it reads
 * what the library has written for the kernel, and makes completions.
 */
#include <errno.h>
#include <liburing.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../internal.h"
#include "fake.h"
#include "test.h"
#include "wrap.h"

#define ENTRIES	8
#define GROUP	1234

/* What the kernel knows, and how many of the buffers it has used. */
static struct {
	struct io_uring_buf_reg reg;
	struct io_uring *ring;
	int register_error;
	int unregister_error;
	unsigned int registered;
	unsigned int unregistered;
	unsigned short head;
} kernel;

/* What fails, once, after so many that do not; -1: nothing. */
static int calloc_fails = -1;
static int memalign_fails = -1;

void *__wrap_calloc(size_t n, size_t size)
{
	if (calloc_fails >= 0 && !calloc_fails--)
		return NULL;
	return __real_calloc(n, size);
}

int __wrap_posix_memalign(void **memory, size_t alignment, size_t size)
{
	if (memalign_fails >= 0 && !memalign_fails--)
		return ENOMEM;
	return __real_posix_memalign(memory, alignment, size);
}

int __wrap_io_uring_register_buf_ring(struct io_uring *ring,
				      struct io_uring_buf_reg *reg,
				      unsigned int flags)
{
	EXPECT_EQ(flags, 0);
	if (kernel.register_error)
		return kernel.register_error;
	kernel.reg = *reg;
	kernel.ring = ring;
	kernel.registered++;
	return 0;
}

int __wrap_io_uring_unregister_buf_ring(struct io_uring *ring, int group)
{
	if (kernel.unregister_error)
		return kernel.unregister_error;
	EXPECT(ring == kernel.ring);
	EXPECT_EQ(group, kernel.reg.bgid);
	kernel.unregistered++;
	return 0;
}

static struct io_uring_buf_ring *shared(void)
{
	return (struct io_uring_buf_ring *)(uintptr_t)kernel.reg.ring_addr;
}

static struct io_uring_buf *entry(unsigned int i)
{
	return &shared()->bufs[i & (kernel.reg.ring_entries - 1)];
}

static struct io_uring_cqe completion(unsigned int id, int res)
{
	return (struct io_uring_cqe){
		.res = res,
		.flags = id << IORING_CQE_BUFFER_SHIFT | IORING_CQE_F_BUFFER,
	};
}

/* Receive @n bytes that are @byte into the next one. */
static struct io_uring_cqe receive(int byte, unsigned int n)
{
	struct io_uring_buf *e = entry(kernel.head);

	ASSERT_EQ((unsigned short)(shared()->tail - kernel.head) > 0, 1);
	kernel.head++;
	memset((void *)(uintptr_t)e->addr, byte, n);
	return completion(e->bid, n);
}

static unsigned int live(void)
{
	unsigned int n = 0;
	unsigned int i;

	for (i = 0; i < fake.nhandles; i++)
		n += fake.live[i];
	return n;
}

static struct zcbuf_bufring *bufring(struct zcbuf_pool **pool, __u32 flags)
{
	const struct zcbuf_bufring_opts opts = {
		.sz = sizeof(opts),
		.length = 5000,
		.entries = ENTRIES,
		.group = GROUP,
		.flags = flags,
	};
	static struct io_uring ring;
	struct zcbuf_bufring *b;

	fake.pool_size = 16 * FAKE_ARENA;
	ASSERT_EQ(zcbuf_pool_create(pool, NULL), 0);
	ASSERT_EQ(zcbuf_bufring_create(&b, &ring, *pool, &opts), 0);
	return b;
}

static void is_full(struct zcbuf_pool *pool)
{
	bool seen[ENTRIES] = { false };
	struct io_uring_buf *e;
	unsigned int i;

	EXPECT_EQ(shared()->tail, ENTRIES);
	for (i = 0; i < ENTRIES; i++) {
		e = entry(i);
		EXPECT_EQ(e->len, 8192);
		ASSERT_EQ(e->bid < ENTRIES, 1);
		EXPECT(!seen[e->bid]);
		seen[e->bid] = true;
		EXPECT(zcbuf_pool_offset(pool, (void *)(uintptr_t)e->addr) >= 0);
	}
}

static void in_the_pool(void)
{
	struct io_uring_sqe sqe = { .flags = IOSQE_IO_LINK };
	struct zcbuf_pool *pool;
	struct zcbuf_bufring *b = bufring(&pool, 0);

	EXPECT_EQ(kernel.reg.bgid, GROUP);
	EXPECT_EQ(kernel.reg.ring_entries, ENTRIES);
	EXPECT_EQ(kernel.reg.ring_addr % 4096, 0);
	EXPECT(zcbuf_pool_offset(pool, shared()) >= 0);
	EXPECT_EQ(fake.nhandles, ENTRIES + 1);
	is_full(pool);
	EXPECT_EQ(zcbuf_bufring_room(b), 0);
	zcbuf_bufring_select(b, &sqe);
	EXPECT_EQ(sqe.flags, IOSQE_IO_LINK | IOSQE_BUFFER_SELECT);
	EXPECT_EQ(sqe.buf_group, GROUP);
	EXPECT_EQ(zcbuf_bufring_close(b), 0);
	EXPECT_EQ(kernel.unregistered, 1);
	EXPECT_EQ(live(), 0);
	EXPECT_EQ(zcbuf_bufring_close(NULL), 0);
	zcbuf_pool_close(pool);
}

static void private_memory(void)
{
	struct zcbuf_pool *pool;
	struct zcbuf_bufring *b = bufring(&pool, ZCBUF_BUFRING_F_PRIVATE);

	EXPECT_EQ(kernel.reg.ring_addr % 4096, 0);
	EXPECT_EQ(zcbuf_pool_offset(pool, shared()), -ERANGE);
	EXPECT_EQ(fake.nhandles, ENTRIES);
	is_full(pool);
	EXPECT_EQ(zcbuf_bufring_close(b), 0);
	EXPECT_EQ(live(), 0);
	zcbuf_pool_close(pool);
}

static void take_and_add(void)
{
	struct zcbuf_pool *pool;
	struct zcbuf_bufring *b = bufring(&pool, 0);
	struct zcbuf_buf first, second, own;
	struct io_uring_cqe cqe = receive('a', 100);

	ASSERT_EQ(zcbuf_bufring_take(b, &cqe, &first), 0);
	EXPECT_EQ(first.length, 100);
	EXPECT_EQ(first.capacity, 8192);
	EXPECT(first.pool == pool);
	EXPECT_EQ(((char *)first.data)[99], 'a');
	EXPECT_EQ(zcbuf_bufring_room(b), 1);
	cqe = receive('b', 0);
	ASSERT_EQ(zcbuf_bufring_take(b, &cqe, &second), 0);
	EXPECT_EQ(second.length, 0);
	EXPECT(second.data != first.data);

	/* Another one than came out, which stays the caller's. */
	ASSERT_EQ(zcbuf_buf_alloc(pool, 4096, &own), 0);
	EXPECT_EQ(zcbuf_bufring_add(b, &own), 0);
	EXPECT_EQ(own.handle, 0);
	EXPECT_EQ(zcbuf_bufring_add(b, &second), 0);
	EXPECT_EQ(zcbuf_bufring_room(b), 0);
	EXPECT_EQ(shared()->tail, ENTRIES + 2);
	EXPECT_EQ(entry(ENTRIES)->len, 4096);
	EXPECT_EQ(zcbuf_bufring_add(b, &first), -ENOSPC);
	EXPECT_EQ(zcbuf_bufring_close(b), 0);
	EXPECT_EQ(live(), 1);
	EXPECT_EQ(((char *)first.data)[99], 'a');
	EXPECT_EQ(zcbuf_buf_free(&first), 0);
	zcbuf_pool_close(pool);
}

/* Often enough for every counter to wrap; in no order. */
static void round_and_round(void)
{
	struct zcbuf_buf held[ENTRIES] = { { .handle = 0 } };
	struct zcbuf_pool *pool;
	struct zcbuf_bufring *b = bufring(&pool, 0);
	unsigned int taken = 0, nheld = 0, i;
	struct io_uring_cqe cqe;

	srand(1);
	while (taken < 70000) {
		if (nheld < ENTRIES && rand() % 2) {
			cqe = receive(taken & 0xff, 16);
			ASSERT_EQ(zcbuf_bufring_take(b, &cqe, &held[nheld]), 0);
			EXPECT_EQ(*(unsigned char *)held[nheld].data,
				  taken & 0xff);
			taken++;
			nheld++;
		} else if (nheld) {
			i = rand() % nheld;
			ASSERT_EQ(zcbuf_bufring_add(b, &held[i]), 0);
			held[i] = held[--nheld];
		}
		ASSERT_EQ(zcbuf_bufring_room(b), nheld);
	}
	EXPECT_EQ(zcbuf_bufring_close(b), 0);
	EXPECT_EQ(live(), nheld);
	zcbuf_pool_close(pool);
}

static void completions_that_cannot_be(void)
{
	struct zcbuf_pool *pool;
	struct zcbuf_bufring *b = bufring(&pool, 0);
	struct zcbuf_buf buf = { .handle = 7 };
	struct io_uring_cqe cqe;

	cqe = completion(0, 10);
	cqe.flags &= ~IORING_CQE_F_BUFFER;
	EXPECT_EQ(zcbuf_bufring_take(b, &cqe, &buf), -ENOENT);
	cqe = completion(ENTRIES, 10);
	EXPECT_EQ(zcbuf_bufring_take(b, &cqe, &buf), -ESTALE);
	cqe = completion(65535, 10);
	EXPECT_EQ(zcbuf_bufring_take(b, &cqe, &buf), -ESTALE);
	cqe = completion(3, 8193);
	EXPECT_EQ(zcbuf_bufring_take(b, &cqe, &buf), -ERANGE);
	EXPECT_EQ(buf.handle, 7);
	EXPECT_EQ(zcbuf_bufring_room(b), 0);
	cqe = completion(3, 8192);
	EXPECT_EQ(zcbuf_bufring_take(b, &cqe, &buf), 0);
	EXPECT_EQ(buf.length, 8192);
	EXPECT_EQ(zcbuf_bufring_take(b, &cqe, &buf), -ESTALE);
	EXPECT_EQ(zcbuf_bufring_room(b), 1);
	cqe = completion(4, -ECONNRESET);
	EXPECT_EQ(zcbuf_bufring_take(b, &cqe, &buf), 0);
	EXPECT_EQ(buf.length, 0);
	EXPECT_EQ(zcbuf_bufring_close(b), 0);
	EXPECT_EQ(live(), 2);
	zcbuf_pool_close(pool);
}

static void buffers_that_cannot_be(void)
{
	struct zcbuf_pool *pool, *other;
	struct zcbuf_bufring *b = bufring(&pool, 0);
	struct zcbuf_buf buf = { .handle = 0 };
	struct io_uring_cqe cqe = receive(0, 1);
	struct zcbuf_buf taken;

	ASSERT_EQ(zcbuf_bufring_take(b, &cqe, &taken), 0);
	EXPECT_EQ(zcbuf_bufring_add(b, &buf), -EINVAL);
	ASSERT_EQ(zcbuf_pool_attach(&other, "p", NULL), 0);
	ASSERT_EQ(zcbuf_buf_alloc(other, 100, &buf), 0);
	EXPECT_EQ(zcbuf_bufring_add(b, &buf), -EINVAL);
	EXPECT(buf.handle);
	EXPECT_EQ(zcbuf_bufring_room(b), 1);
	EXPECT_EQ(shared()->tail, ENTRIES);
	EXPECT_EQ(zcbuf_bufring_close(b), 0);
	zcbuf_pool_close(other);
	zcbuf_pool_close(pool);
}

static void options(void)
{
	struct zcbuf_bufring_opts opts = {
		.sz = sizeof(opts), .length = 100, .entries = 4,
	};
	struct zcbuf_pool *pool;
	struct zcbuf_bufring *b;
	struct io_uring ring;

	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
#define TRY(field, value, want) do {					\
	__typeof__(opts.field) was_ = opts.field;			\
									\
	opts.field = value;						\
	EXPECT_EQ(zcbuf_bufring_create(&b, &ring, pool, &opts), want);	\
	opts.field = was_;						\
} while (0)
	EXPECT_EQ(zcbuf_bufring_create(&b, &ring, pool, NULL), -EINVAL);
	TRY(sz, sizeof(opts) - 1, -EINVAL);
	TRY(entries, 0, -EINVAL);
	TRY(entries, 6, -EINVAL);
	TRY(entries, 65536, -EINVAL);
	TRY(group, 65536, -EINVAL);
	TRY(flags, 2, -EOPNOTSUPP);
	TRY(__reserved, 1, -EOPNOTSUPP);
	EXPECT_EQ(fake.calls[ZCBUF_NR_ALLOC], 0);
	TRY(group, 65535, 0);
	EXPECT_EQ(zcbuf_bufring_close(b), 0);
	EXPECT_EQ(live(), 0);
	zcbuf_pool_close(pool);
}

/* Wherever it fails, nothing stays. */
static void failures(void)
{
	struct zcbuf_bufring_opts opts = {
		.sz = sizeof(opts), .length = 100, .entries = 4,
	};
	struct zcbuf_pool *pool;
	struct zcbuf_bufring *b;
	struct io_uring ring;
	unsigned int i;

	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	for (i = 0; i < 5; i++) {
		fake.fail_pass[ZCBUF_NR_ALLOC] = i;
		fake.fail[ZCBUF_NR_ALLOC] = ENOMEM;
		EXPECT_EQ(zcbuf_bufring_create(&b, &ring, pool, &opts),
			  -ENOMEM);
		EXPECT_EQ(live(), 0);
	}
	for (i = 0; i < 3; i++) {
		calloc_fails = i;
		EXPECT_EQ(zcbuf_bufring_create(&b, &ring, pool, &opts),
			  -ENOMEM);
		EXPECT_EQ(calloc_fails, -1);
		EXPECT_EQ(live(), 0);
	}
	opts.flags = ZCBUF_BUFRING_F_PRIVATE;
	memalign_fails = 0;
	EXPECT_EQ(zcbuf_bufring_create(&b, &ring, pool, &opts), -ENOMEM);
	EXPECT_EQ(live(), 0);
	opts.flags = 0;
	kernel.register_error = -EEXIST;
	EXPECT_EQ(zcbuf_bufring_create(&b, &ring, pool, &opts), -EEXIST);
	EXPECT_EQ(live(), 0);
	opts.flags = ZCBUF_BUFRING_F_PRIVATE;
	EXPECT_EQ(zcbuf_bufring_create(&b, &ring, pool, &opts), -EEXIST);
	EXPECT_EQ(live(), 0);
	EXPECT_EQ(kernel.registered, 0);

	/* What the kernel may still use is not freed under its hands. */
	kernel.register_error = 0;
	opts.flags = 0;
	ASSERT_EQ(zcbuf_bufring_create(&b, &ring, pool, &opts), 0);
	kernel.unregister_error = -ENOENT;
	EXPECT_EQ(zcbuf_bufring_close(b), -ENOENT);
	EXPECT_EQ(live(), 5);
	zcbuf_pool_close(pool);
}

static void fork_child(void)
{
	struct zcbuf_pool *pool;
	struct zcbuf_bufring *b = bufring(&pool, 0);
	int status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		EXPECT_EQ(zcbuf_bufring_close(b), -EBADF);
		_exit(kernel.unregistered);
	}
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(zcbuf_bufring_close(b), 0);
	EXPECT_EQ(live(), 0);
	zcbuf_pool_close(pool);
}

static const struct test_case cases[] = {
	CASE(in_the_pool),
	CASE(private_memory),
	CASE(take_and_add),
	CASE(round_and_round),
	CASE(completions_that_cannot_be),
	CASE(buffers_that_cannot_be),
	CASE(options),
	CASE(failures),
	CASE(fork_child),
};

TEST_MAIN(cases)

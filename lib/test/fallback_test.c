// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Buffers of the process's own memory, where the pool says it is too much. */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/mempolicy.h>

#include "../internal.h"
#include "fake.h"
#include "test.h"
#include "wrap.h"

#define PAGE	4096UL

static bool malloc_fails;

void *__wrap_malloc(size_t size)
{
	return malloc_fails ? NULL : __real_malloc(size);
}

/* The last mbind(): what it was told, and what it answers. */
static struct {
	char *start;
	unsigned long size;
	unsigned long mask[1024 / (8 * sizeof(unsigned long))];
	unsigned int calls;
	int error;
} bound;

long __wrap_syscall(long nr, ...)
{
	va_list args;

	ASSERT_EQ(nr, SYS_mbind);
	va_start(args, nr);
	bound.start = va_arg(args, char *);
	bound.size = va_arg(args, unsigned long);
	EXPECT_EQ(va_arg(args, int), MPOL_BIND);
	memcpy(bound.mask, va_arg(args, unsigned long *), sizeof(bound.mask));
	EXPECT_EQ(va_arg(args, unsigned long), 1025);
	EXPECT_EQ(va_arg(args, int), 0);
	va_end(args);
	bound.calls++;
	errno = bound.error;
	return errno ? -1 : 0;
}

static struct zcbuf_pool *new_pool(void)
{
	struct zcbuf_pool *pool;

	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	return pool;
}

/* With the flag, from a pool that says @error. */
static int fall_back(struct zcbuf_pool *pool, size_t length, __u32 align,
		     int error, struct zcbuf_buf *buf)
{
	const struct zcbuf_buf_opts opts = {
		.sz = sizeof(opts),
		.align = align,
		.flags = ZCBUF_ALLOC_F_ZERO | ZCBUF_BUF_F_FALLBACK,
	};

	fake.fail[ZCBUF_NR_ALLOC] = error;
	return zcbuf_buf_alloc_opts(pool, length, &opts, buf);
}

static void is_zero(const struct zcbuf_buf *buf)
{
	const unsigned char *p = buf->data;
	size_t i;

	for (i = 0; i < buf->capacity; i++)
		ASSERT_EQ(p[i], 0);
}

static void too_large(void)
{
	struct zcbuf_pool *pool = new_pool();
	long long mapped = fake.mapped;
	struct zcbuf_buf none = { 0 };
	struct zcbuf_buf buf, copy;

	ASSERT_EQ(fall_back(pool, 65537, 0, E2BIG, &buf), 0);
	EXPECT_EQ(buf.length, 65537);
	EXPECT_EQ(buf.capacity, 17 * PAGE);
	EXPECT_EQ(buf.offset, ZCBUF_NO_OFFSET);
	EXPECT(buf.pool == pool);
	EXPECT(buf.handle);
	EXPECT_EQ((uintptr_t)buf.data % PAGE, 0);
	EXPECT_EQ(zcbuf_pool_offset(pool, buf.data), -ERANGE);
	EXPECT(!zcbuf_pool_addr(pool, buf.offset));
	EXPECT_EQ(fake.mapped, mapped + 17 * PAGE);
	is_zero(&buf);
	memset(buf.data, 0x5a, buf.capacity);
	EXPECT_EQ(zcbuf_buf_set_length(&buf, 17 * PAGE), 0);
	EXPECT_EQ(zcbuf_buf_set_length(&buf, 17 * PAGE + 1), -ERANGE);
	copy = buf;
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	EXPECT(!memcmp(&buf, &none, sizeof(buf)));
	EXPECT_EQ(fake.mapped, mapped);
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	EXPECT_EQ(zcbuf_buf_free(&copy), -EBADSLT);
	EXPECT_EQ(fake.mapped, mapped);
	EXPECT_EQ(fake.calls[ZCBUF_NR_FREE], 0);
	zcbuf_pool_close(pool);
}

/* Only then, and only if it is wanted; the kernel does not know the flag. */
static void when(void)
{
	struct {
		struct zcbuf_buf_opts opts;
		__u64 more;
	} longer = {
		.opts = {
			.sz = sizeof(longer),
			.flags = ZCBUF_BUF_F_FALLBACK,
		},
	};
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_buf buf = { .length = 7 };
	__u64 handle;

	ASSERT_EQ(fall_back(pool, 100, 0, 0, &buf), 0);
	EXPECT_EQ(fake.alloc.flags, ZCBUF_ALLOC_F_ZERO);
	EXPECT(buf.data == zcbuf_pool_addr(pool, buf.offset));
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	EXPECT_EQ(fake.calls[ZCBUF_NR_FREE], 1);
	buf.length = 7;
	EXPECT_EQ(fall_back(pool, 100, 0, ENOMEM, &buf), -ENOMEM);
	EXPECT_EQ(fall_back(pool, 100, 0, EINVAL, &buf), -EINVAL);
	fake.fail[ZCBUF_NR_ALLOC] = E2BIG;
	EXPECT_EQ(zcbuf_buf_alloc(pool, 100, &buf), -E2BIG);
	longer.more = 1;	/* what this library does not know */
	EXPECT_EQ(zcbuf_buf_alloc_opts(pool, 100, &longer.opts, &buf), -E2BIG);
	longer.more = 0;
	EXPECT_EQ(zcbuf_alloc(pool, 100, &longer.opts, &handle, 1), -EINVAL);
	EXPECT_EQ(buf.length, 7);
	ASSERT_EQ(zcbuf_buf_alloc_opts(pool, 100, &longer.opts, &buf), 0);
	EXPECT(buf.offset != ZCBUF_NO_OFFSET);
	zcbuf_pool_close(pool);
}

static void aligned(void)
{
	struct zcbuf_pool *pool = new_pool();
	long long mapped = fake.mapped;
	struct zcbuf_buf buf[24];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(buf); i++) {
		ASSERT_EQ(fall_back(pool, 1, 1U << i % 22, E2BIG, &buf[i]), 0);
		EXPECT_EQ((uintptr_t)buf[i].data % (1U << i % 22), 0);
		EXPECT_EQ((uintptr_t)buf[i].data % PAGE, 0);
		EXPECT_EQ(buf[i].capacity, PAGE);
		memset(buf[i].data, i, PAGE);
	}
	EXPECT_EQ(fake.mapped, mapped + (long)(ARRAY_SIZE(buf) * PAGE));
	/* From the middle, the end and the start of all there are. */
	EXPECT_EQ(zcbuf_buf_free(&buf[11]), 0);
	EXPECT_EQ(zcbuf_buf_free(&buf[0]), 0);
	EXPECT_EQ(zcbuf_buf_free(&buf[23]), 0);
	for (i = 1; i < 23; i++) {
		if (i != 11)
			EXPECT_EQ(*(unsigned char *)buf[i].data, i);
		EXPECT_EQ(zcbuf_buf_free(&buf[i]), 0);
	}
	EXPECT_EQ(fake.mapped, mapped);
	zcbuf_pool_close(pool);
}

static int fall_back_on(struct zcbuf_pool *pool, size_t length, __u32 node,
			struct zcbuf_buf *buf)
{
	const struct zcbuf_buf_opts opts = {
		.sz = sizeof(opts),
		.align = 4 * PAGE,
		.flags = ZCBUF_ALLOC_F_NODE | ZCBUF_BUF_F_FALLBACK,
		.node = node,
	};

	fake.fail[ZCBUF_NR_ALLOC] = E2BIG;
	return zcbuf_buf_alloc_opts(pool, length, &opts, buf);
}

static void of_a_node(void)
{
	const unsigned int bits = 8 * sizeof(unsigned long);
	struct zcbuf_pool *pool = new_pool();
	long long mapped = fake.mapped;
	struct zcbuf_buf buf;
	unsigned int node, i;

	for (node = 0; node < 1024; node += 341) {
		ASSERT_EQ(fall_back_on(pool, PAGE + 1, node, &buf), 0);
		EXPECT(bound.start == buf.data);
		EXPECT_EQ(bound.size, 2 * PAGE);
		for (i = 0; i < 1024; i++)
			ASSERT_EQ(bound.mask[i / bits] >> i % bits & 1,
				  i == node);
		EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	}
	EXPECT_EQ(bound.calls, 4);
	EXPECT_EQ(fall_back_on(pool, 1, 1024, &buf), -EINVAL);
	EXPECT_EQ(fall_back_on(pool, 1, ~0U, &buf), -EINVAL);
	EXPECT_EQ(bound.calls, 4);
	bound.error = EPERM;
	EXPECT_EQ(fall_back_on(pool, 1, 1, &buf), -EPERM);
	ASSERT_EQ(fall_back(pool, 1, 0, E2BIG, &buf), 0);
	EXPECT_EQ(bound.calls, 5);
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	EXPECT_EQ(fake.mapped, mapped);
	zcbuf_pool_close(pool);
}

static void nobody_else_has_it(void)
{
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_pool *other;
	struct zcbuf_buf buf, got;

	ASSERT_EQ(zcbuf_pool_attach(&other, "p", NULL), 0);
	ASSERT_EQ(fall_back(pool, 100, 0, E2BIG, &buf), 0);
	EXPECT_EQ(zcbuf_buf_give(&buf, zcbuf_pool_session(other)), -EOPNOTSUPP);
	EXPECT_EQ(fake.calls[ZCBUF_NR_TRANSFER], 0);
	memset(buf.data, 1, buf.capacity);
	got = buf;
	got.pool = other;
	EXPECT_EQ(zcbuf_buf_free(&got), -EBADSLT);
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	zcbuf_pool_close(other);
	zcbuf_pool_close(pool);
}

static void closing(void)
{
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_buf buf[3];
	unsigned int i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(fall_back(pool, PAGE << i, 0, E2BIG, &buf[i]), 0);
	EXPECT_EQ(zcbuf_buf_free(&buf[1]), 0);
	zcbuf_pool_close(pool);
	EXPECT_EQ(fake.mapped, 0);
}

static void failing(void)
{
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_buf buf = { .length = 7 };
	long long mapped = fake.mapped;

	malloc_fails = true;
	EXPECT_EQ(fall_back(pool, 1, 0, E2BIG, &buf), -ENOMEM);
	malloc_fails = false;
	fake.map_error = ENOMEM;
	EXPECT_EQ(fall_back(pool, 1, 0, E2BIG, &buf), -ENOMEM);
	fake.madvise_error = ENOMEM;
	EXPECT_EQ(fall_back(pool, 1, 0, E2BIG, &buf), -ENOMEM);
	EXPECT_EQ(fall_back(pool, SIZE_MAX, 0, E2BIG, &buf), -ENOMEM);
	EXPECT_EQ(fall_back(pool, SIZE_MAX - PAGE, 0, E2BIG, &buf), -ENOMEM);
	EXPECT_EQ(fall_back(pool, SIZE_MAX - 2 * PAGE, 1 << 21, E2BIG, &buf),
		  -ENOMEM);
	EXPECT_EQ(buf.length, 7);
	EXPECT_EQ(fake.mapped, mapped);
	zcbuf_pool_close(pool);
	EXPECT_EQ(fake.mapped, 0);
}

static void fork_child(void)
{
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_buf buf;
	int status;
	pid_t pid;

	ASSERT_EQ(fall_back(pool, PAGE, 0, E2BIG, &buf), 0);
	pid = fork();
	if (!pid) {
		struct zcbuf_buf copy = buf;

		ASSERT_EQ(zcbuf_buf_free(&copy), -EBADF);
		ASSERT_EQ(fall_back(pool, PAGE, 0, E2BIG, &copy), -EBADF);
		/* Nothing is there; what comes there is not the pool's. */
		ASSERT_EQ(mmap(buf.data, PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS |
			       MAP_FIXED_NOREPLACE, -1, 0) == buf.data, 1);
		zcbuf_pool_close(pool);
		*(volatile char *)buf.data = 1;
		_exit(0);
	}
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	*(volatile char *)buf.data = 1;
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	zcbuf_pool_close(pool);
}

static const struct test_case cases[] = {
	CASE(too_large),
	CASE(when),
	CASE(aligned),
	CASE(of_a_node),
	CASE(nobody_else_has_it),
	CASE(closing),
	CASE(failing),
	CASE(fork_child),
};

TEST_MAIN(cases)

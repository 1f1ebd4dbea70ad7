// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Memory of a pool by hooks: what zlib makes of it, and what a library may do wrong. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "fake.h"
#include "test.h"
#include "wrap.h"

static struct zcbuf_pool *pool;
static struct zcbuf_malloc *heap;

static int calloc_fails = -1;

void *__wrap_calloc(size_t n, size_t size)
{
	if (calloc_fails >= 0 && !calloc_fails--)
		return NULL;
	return __real_calloc(n, size);
}

static unsigned int logged;
static int logged_error;

static void log_line(void *ctx, const struct zcbuf_pool *p, int err,
		     const char *text)
{
	EXPECT(!ctx && p == pool && text);
	logged++;
	logged_error = err;
}

static void make(const struct zcbuf_malloc_opts *opts)
{
	const struct zcbuf_log log = { sizeof(log), log_line, NULL };

	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	ASSERT_EQ(zcbuf_pool_log(pool, &log), 0);
	ASSERT_EQ(zcbuf_malloc_create(pool, opts, &heap), 0);
}

static void unmake(void)
{
	EXPECT_EQ(fake_bufs(), 0);
	EXPECT_EQ(zcbuf_malloc_close(heap), 0);
	EXPECT_EQ(zcbuf_pool_close(pool), 0);
	EXPECT_EQ(fake.mapped, 0);
}

static bool is_of_pool(const void *piece)
{
	return zcbuf_pool_offset(pool, piece) >= 0;
}

/* ------------------------------------------------------------------- zlib */

static unsigned char text[100000];
static unsigned char back[sizeof(text)];

static void fill_text(void)
{
	size_t i;

	for (i = 0; i < sizeof(text); i++)
		text[i] = (unsigned char)(i * i >> 7);
}

/* All that deflate has is in the pool, and its output goes to who wants it. */
static struct zcbuf_buf deflate_text(void)
{
	z_stream z = {
		.zalloc = zcbuf_malloc_zalloc,
		.zfree = zcbuf_malloc_zfree,
		.opaque = heap,
		.next_in = text,
		.avail_in = sizeof(text),
	};
	struct zcbuf_buf buf;
	void *out;

	ASSERT_EQ(deflateInit(&z, Z_BEST_SPEED), Z_OK);
	EXPECT(fake_bufs() >= 4);
	EXPECT(is_of_pool(z.state));
	out = zcbuf_malloc_alloc(heap, 2 * sizeof(text));
	z.next_out = out;
	z.avail_out = 2 * sizeof(text);
	ASSERT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
	ASSERT_EQ(!!zcbuf_malloc_realloc(heap, out, z.total_out), true);
	EXPECT_EQ(deflateEnd(&z), Z_OK);
	EXPECT_EQ(fake_bufs(), 1);
	ASSERT_EQ(zcbuf_malloc_take(heap, out, &buf), 0);
	EXPECT(buf.data == out);
	EXPECT_EQ(buf.length, z.total_out);
	return buf;
}

static void zlib(void)
{
	z_stream z = {
		.zalloc = zcbuf_malloc_zalloc,
		.zfree = zcbuf_malloc_zfree,
	};
	struct zcbuf_buf buf;

	fill_text();
	make(NULL);
	buf = deflate_text();
	z.opaque = heap;
	ASSERT_EQ(inflateInit(&z), Z_OK);
	z.next_in = buf.data;
	z.avail_in = buf.length;
	z.next_out = back;
	z.avail_out = sizeof(back);
	ASSERT_EQ(inflate(&z, Z_FINISH), Z_STREAM_END);
	EXPECT(!memcmp(text, back, sizeof(text)));
	EXPECT_EQ(inflateEnd(&z), Z_OK);
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	EXPECT_EQ(logged, 0);
	unmake();
}

/* Whichever of its allocations fails, it says so and leaves nothing. */
static void zlib_without_room(void)
{
	z_stream z = {
		.zalloc = zcbuf_malloc_zalloc,
		.zfree = zcbuf_malloc_zfree,
	};
	unsigned int i;

	make(NULL);
	z.opaque = heap;
	for (i = 0; i < 4; i++) {
		fake.fail_pass[ZCBUF_NR_ALLOC] = i;
		fake.fail[ZCBUF_NR_ALLOC] = ENOMEM;
		EXPECT_EQ(deflateInit(&z, Z_BEST_SPEED), Z_MEM_ERROR);
		EXPECT_EQ(fake_bufs(), 0);
		EXPECT_EQ(logged, i + 1);
		EXPECT_EQ(logged_error, -ENOMEM);
	}
	unmake();
}

/* ----------------------------------------------------------------- pieces */

static void sizes(void)
{
	unsigned char *a, *b;

	make(NULL);
	a = zcbuf_malloc_alloc(heap, 0);
	b = zcbuf_malloc_alloc(heap, 5000);
	ASSERT_EQ(a && b, true);
	EXPECT_EQ(zcbuf_malloc_size(heap, a), 4096);
	EXPECT_EQ(zcbuf_malloc_size(heap, b), 8192);
	EXPECT_EQ(zcbuf_malloc_size(heap, b + 1), 0);
	EXPECT_EQ(zcbuf_malloc_size(heap, NULL), 0);
	EXPECT_EQ((uintptr_t)a % 4096, 0);
	EXPECT_EQ(fake_bufs(), 2);
	zcbuf_malloc_free(heap, NULL);
	zcbuf_malloc_free(heap, a);
	zcbuf_malloc_free(heap, b);
	EXPECT(!zcbuf_malloc_alloc(heap, FAKE_ARENA + 1));
	EXPECT_EQ(logged_error, -E2BIG);
	unmake();
}

static void zeroed(void)
{
	void *piece;

	make(NULL);
	piece = zcbuf_malloc_calloc(heap, 3, 1000);
	EXPECT_EQ(fake.alloc.flags, ZCBUF_ALLOC_F_ZERO);
	EXPECT_EQ(fake.alloc.length, 3000);
	zcbuf_malloc_free(heap, piece);
	EXPECT(!zcbuf_malloc_calloc(heap, SIZE_MAX / 2, 3));
	EXPECT_EQ(fake.calls[ZCBUF_NR_ALLOC], 1);
	piece = zcbuf_malloc_alloc(heap, 3000);
	EXPECT_EQ(fake.alloc.flags, 0);
	zcbuf_malloc_free(heap, piece);
	unmake();
}

static void moved(void)
{
	unsigned char *piece, *other;

	make(NULL);
	piece = zcbuf_malloc_realloc(heap, NULL, 100);
	memset(piece, 7, 4096);
	EXPECT(zcbuf_malloc_realloc(heap, piece, 4096) == piece);
	EXPECT(zcbuf_malloc_realloc(heap, piece, 1) == piece);
	EXPECT_EQ(fake.calls[ZCBUF_NR_ALLOC], 1);
	other = zcbuf_malloc_realloc(heap, piece, 4097);
	EXPECT(other != piece && other[0] == 7 && other[4095] == 7);
	EXPECT_EQ(fake_bufs(), 1);
	fake.fail[ZCBUF_NR_ALLOC] = ENOMEM;
	EXPECT(!zcbuf_malloc_realloc(heap, other, 10000));
	EXPECT_EQ(other[4095], 7);
	zcbuf_malloc_free(heap, other);
	unmake();
}

/* Small ones of the process, and what there is no room for, if that is wanted. */
static void of_the_process(void)
{
	const struct zcbuf_malloc_opts opts = {
		.sz = sizeof(opts), .min = 1000,
		.flags = ZCBUF_MALLOC_F_FALLBACK,
	};
	unsigned char *small, *large, *none;
	struct zcbuf_buf buf;

	make(&opts);
	small = zcbuf_malloc_calloc(heap, 1, 999);
	large = zcbuf_malloc_alloc(heap, 1000);
	none = zcbuf_malloc_alloc(heap, FAKE_ARENA + 1);
	ASSERT_EQ(small && large && none, true);
	EXPECT(!is_of_pool(small) && is_of_pool(large) && !is_of_pool(none));
	EXPECT(zcbuf_malloc_size(heap, small) >= 999 && !small[998]);
	EXPECT_EQ(zcbuf_malloc_buf(heap, small, &buf), -ENOENT);
	memset(small, 3, 999);
	small = zcbuf_malloc_realloc(heap, small, 500);
	EXPECT(!is_of_pool(small) && small[499] == 3);
	small = zcbuf_malloc_realloc(heap, small, 1000);
	EXPECT(is_of_pool(small) && small[499] == 3);
	zcbuf_malloc_free(heap, small);
	zcbuf_malloc_free(heap, large);
	zcbuf_malloc_free(heap, none);
	EXPECT_EQ(logged, 0);
	unmake();
}

static void as_buffers(void)
{
	struct zcbuf_buf seen, taken;
	void *piece;

	make(NULL);
	piece = zcbuf_malloc_alloc(heap, 100);
	ASSERT_EQ(zcbuf_malloc_buf(heap, piece, &seen), 0);
	EXPECT(seen.data == piece && seen.pool == pool);
	EXPECT_EQ(seen.length, 100);
	EXPECT_EQ(seen.capacity, 4096);
	EXPECT_EQ(seen.offset, zcbuf_pool_offset(pool, piece));
	ASSERT_EQ(zcbuf_malloc_take(heap, piece, &taken), 0);
	EXPECT_EQ(taken.handle, seen.handle);
	EXPECT_EQ(zcbuf_malloc_take(heap, piece, &taken), -ENOENT);
	EXPECT_EQ(zcbuf_malloc_buf(heap, piece, &seen), -ENOENT);
	EXPECT_EQ(fake_bufs(), 1);
	EXPECT_EQ(zcbuf_buf_free(&taken), 0);
	unmake();
}

/* ------------------------------------------------------------------ misuse */

static void freed_twice(void)
{
	unsigned char *piece;

	make(NULL);
	piece = zcbuf_malloc_alloc(heap, 100);
	zcbuf_malloc_free(heap, piece + 16);
	EXPECT_EQ(logged, 1);
	EXPECT_EQ(fake_bufs(), 1);
	zcbuf_malloc_free(heap, piece);
	EXPECT_EQ(logged, 1);
	zcbuf_malloc_free(heap, piece);
	EXPECT_EQ(logged, 2);
	EXPECT_EQ(logged_error, -EBADSLT);
	EXPECT_EQ(fake.calls[ZCBUF_NR_FREE], 1);
	unmake();
}

/* What is left is told, and is the session's; the pool may go first. */
static void left_behind(void)
{
	void *piece[3];
	unsigned int i;

	make(NULL);
	for (i = 0; i < 3; i++)
		piece[i] = zcbuf_malloc_alloc(heap, 100);
	zcbuf_malloc_free(heap, piece[1]);
	EXPECT_EQ(fake_bufs(), 2);
	EXPECT_EQ(zcbuf_pool_close(pool), 0);
	zcbuf_malloc_free(heap, piece[0]);
	EXPECT_EQ(logged_error, -EBADF);
	EXPECT(!zcbuf_malloc_alloc(heap, 1));
	zcbuf_malloc_free(heap, piece[0]);
	EXPECT_EQ(logged_error, -EBADSLT);
	EXPECT_EQ(zcbuf_malloc_close(heap), 1);
	EXPECT_EQ(zcbuf_malloc_close(NULL), 0);
}

/* The table grows, and is found through in whatever order it is emptied. */
static void many(void)
{
	unsigned char *piece[300];
	unsigned int i, at, n = ARRAY_SIZE(piece);
	unsigned int seed = 1;

	make(NULL);
	for (i = 0; i < n; i++) {
		piece[i] = zcbuf_malloc_alloc(heap, 1);
		ASSERT_EQ(!!piece[i], true);
	}
	while (n) {
		seed = seed * 1103515245 + 12345;
		at = (seed >> 16) % n;
		zcbuf_malloc_free(heap, piece[at]);
		piece[at] = piece[--n];
		for (i = 0; i < n; i++)
			if (zcbuf_malloc_size(heap, piece[i]) != 4096)
				break;
		ASSERT_EQ(i, n);
	}
	EXPECT_EQ(logged, 0);
	unmake();
}

/* None of the process for what it has to know: nothing is left of the piece. */
static void no_table(void)
{
	void *piece[33];
	unsigned int i;

	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	for (i = 0; i < 2; i++) {
		calloc_fails = i;
		EXPECT_EQ(zcbuf_malloc_create(pool, NULL, &heap), -ENOMEM);
	}
	zcbuf_pool_close(pool);
	make(NULL);
	for (i = 0; i < 32; i++)
		piece[i] = zcbuf_malloc_alloc(heap, 1);
	calloc_fails = 0;
	EXPECT(!zcbuf_malloc_alloc(heap, 1));
	EXPECT_EQ(logged_error, -ENOMEM);
	EXPECT_EQ(fake_bufs(), 32);
	piece[32] = zcbuf_malloc_alloc(heap, 1);
	for (i = 0; i < 33; i++)
		zcbuf_malloc_free(heap, piece[i]);
	unmake();
}

static void refused(void)
{
	struct zcbuf_malloc_opts opts = { .sz = sizeof(opts), .flags = 2 };

	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	EXPECT_EQ(zcbuf_malloc_create(pool, &opts, &heap), -EOPNOTSUPP);
	opts.flags = 0;
	opts.reserved = 1;
	EXPECT_EQ(zcbuf_malloc_create(pool, &opts, &heap), -EOPNOTSUPP);
	zcbuf_pool_close(pool);
	fake.rights = ZCBUF_RIGHT_MAP_READ | ZCBUF_RIGHT_CONSUME;
	ASSERT_EQ(zcbuf_pool_attach(&pool, "x", NULL), 0);
	EXPECT_EQ(zcbuf_malloc_create(pool, NULL, &heap), -EPERM);
	zcbuf_pool_close(pool);
}

/* As nghttp2 has them, the heap behind. */
static void heap_behind(void)
{
	static const struct {
		void *(*malloc)(size_t size, void *user_data);
		void (*free)(void *ptr, void *user_data);
		void *(*calloc)(size_t n, size_t size, void *user_data);
		void *(*realloc)(void *ptr, size_t size, void *user_data);
	} mem = {
		zcbuf_malloc_hook, zcbuf_free_hook, zcbuf_calloc_hook,
		zcbuf_realloc_hook,
	};
	void *a, *b;

	make(NULL);
	a = mem.malloc(100, heap);
	b = mem.calloc(10, 100, heap);
	EXPECT_EQ(fake.alloc.length, 1000);
	EXPECT(is_of_pool(a) && is_of_pool(b));
	a = mem.realloc(a, 9000, heap);
	EXPECT_EQ(zcbuf_malloc_size(heap, a), 16384);
	mem.free(a, heap);
	mem.free(b, heap);
	unmake();
}

#define EACH	(300 << 10)

/* Where the pool was mapped, something of the process may be when it is closed. */
static unsigned char *piece_at(const void *base)
{
	unsigned char *piece = zcbuf_malloc_alloc(heap, EACH);

	if ((uintptr_t)piece - (uintptr_t)base < FAKE_ARENA)
		return piece;
	zcbuf_malloc_free(heap, piece);
	test_skip("memory comes from elsewhere");
}

static void after_the_pool(void)
{
	const struct zcbuf_malloc_opts opts = {
		.sz = sizeof(opts), .flags = ZCBUF_MALLOC_F_FALLBACK,
	};
	unsigned char *piece, *left;
	struct zcbuf_buf buf;
	void *base;

	make(&opts);
	base = zcbuf_pool_base(pool);
	EXPECT_EQ(zcbuf_pool_close(pool), 0);
	piece = piece_at(base);
	left = piece_at(base);
	memset(piece, 0x5a, EACH);
	EXPECT(zcbuf_malloc_size(heap, piece) >= EACH);
	EXPECT_EQ(zcbuf_malloc_buf(heap, piece, &buf), -ENOENT);
	EXPECT_EQ(zcbuf_malloc_take(heap, piece, &buf), -ENOENT);
	EXPECT(zcbuf_malloc_realloc(heap, piece, 100) == piece);
	piece = zcbuf_malloc_realloc(heap, piece, 2 * EACH);
	EXPECT_EQ(piece[0], 0x5a);
	EXPECT_EQ(piece[EACH - 1], 0x5a);
	zcbuf_malloc_free(heap, piece);
	EXPECT_EQ(logged, 0);
	EXPECT_EQ(zcbuf_malloc_close(heap), 0);
	free(left);
}

static const struct test_case cases[] = {
	CASE(zlib),
	CASE(zlib_without_room),
	CASE(sizes),
	CASE(zeroed),
	CASE(moved),
	CASE(of_the_process),
	CASE(as_buffers),
	CASE(freed_twice),
	CASE(left_behind),
	CASE(many),
	CASE(no_table),
	CASE(refused),
	CASE(heap_behind),
	CASE(after_the_pool),
};

TEST_MAIN(cases)

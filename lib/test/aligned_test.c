// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Aligned buffers, of the process and of a pool, and views of memory. */
#include <errno.h>
#include <stdlib.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "fake.h"
#include "test.h"
#include "wrap.h"

#define PAGE	4096

static int no_memory;

int __wrap_posix_memalign(void **out, size_t align, size_t size)
{
	int err = fake_take(&no_memory);

	return err ? err : __real_posix_memalign(out, align, size);
}

static struct zcbuf_pool *new_pool(void)
{
	struct zcbuf_pool *pool;

	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	return pool;
}

/* A case about memory of either kind: without a device, and with one. */
#define BOTH(id)							\
	static void id(struct zcbuf_pool *pool);			\
	static void id##_own(void)					\
	{								\
		id(NULL);						\
		EXPECT_EQ(fake.nsessions, 0);				\
	}								\
	static void id##_pool(void)					\
	{								\
		struct zcbuf_pool *pool = new_pool();			\
									\
		id(pool);						\
		EXPECT_EQ(fake_bufs(), 0);				\
		zcbuf_pool_close(pool);					\
	}								\
	static void id(struct zcbuf_pool *pool)

#define EXPECT_ABUF(abuf, length, capacity) do {			\
	EXPECT_EQ((abuf)->len, length);					\
	EXPECT_EQ((abuf)->cap, capacity);				\
	EXPECT_EQ((uintptr_t)(abuf)->ptr % PAGE, 0);			\
} while (0)

static void with_cap(struct zcbuf_pool *pool, size_t want, size_t cap)
{
	struct zcbuf_abuf a;

	ASSERT_EQ(zcbuf_abuf_with_cap(&a, pool, want), 0);
	EXPECT_ABUF(&a, 0, cap);
	EXPECT(a.pool == pool && !!a.handle == !!pool);
	memset(a.ptr, 0x77, a.cap);
	EXPECT_EQ(zcbuf_abuf_free(&a), 0);
	EXPECT(!a.ptr && !a.cap && !a.handle);
	EXPECT_EQ(zcbuf_abuf_free(&a), 0);
}

static bool is_zero(const struct zcbuf_abuf *abuf)
{
	size_t i;

	for (i = 0; i < abuf->cap; i++)
		if (abuf->ptr[i])
			return false;
	return true;
}

static void zeroed(struct zcbuf_pool *pool, size_t len, size_t cap)
{
	struct zcbuf_abuf a;

	fake.alloc.flags = 0;
	ASSERT_EQ(zcbuf_abuf_zeroed(&a, pool, len), 0);
	EXPECT_ABUF(&a, len, cap);
	if (pool)	/* which the kernel does then */
		EXPECT_EQ(fake.alloc.flags, ZCBUF_ALLOC_F_ZERO);
	else
		EXPECT(is_zero(&a));
	EXPECT_EQ(zcbuf_abuf_free(&a), 0);
}

BOTH(scenario_32_capacity)
{
	struct zcbuf_abuf a;

	with_cap(pool, 0, 4096);
	with_cap(pool, 1024, 4096);
	with_cap(pool, 16384, 16384);
	with_cap(pool, 16385, 20480);
	zeroed(pool, 1, 4096);
	zeroed(pool, 32768, 32768);
	ASSERT_EQ(zcbuf_abuf_page(&a, pool), 0);
	EXPECT_ABUF(&a, 0, 4096);
	EXPECT_EQ(zcbuf_abuf_free(&a), 0);
}

BOTH(scenario_33_append)
{
	static const char filler[PAGE];
	struct zcbuf_abuf a;

	ASSERT_EQ(zcbuf_abuf_with_cap(&a, pool, PAGE), 0);
	EXPECT_EQ(zcbuf_abuf_append(&a, "hello", 5), 0);
	EXPECT_EQ(zcbuf_abuf_append(&a, " world", 6), 0);
	EXPECT_EQ(a.len, 11);
	EXPECT(!memcmp(a.ptr, "hello world", 11));
	EXPECT_EQ(zcbuf_abuf_append(&a, filler, PAGE - 10), -ENOSPC);
	EXPECT_EQ(a.len, 11);
	EXPECT_EQ(zcbuf_abuf_append(&a, filler, PAGE - 11), 0);
	EXPECT_EQ(a.len, PAGE);
	EXPECT_EQ(zcbuf_abuf_append(&a, "!", 1), -ENOSPC);
	EXPECT_EQ(zcbuf_abuf_append(&a, filler, SIZE_MAX), -ENOSPC);
	EXPECT_EQ(a.len, PAGE);
	EXPECT_EQ(zcbuf_abuf_append(&a, "", 0), 0);
	EXPECT_EQ(zcbuf_abuf_append(&a, NULL, 0), 0);
	EXPECT_EQ(a.len, PAGE);
	EXPECT(!memcmp(a.ptr, "hello world", 11));
	EXPECT_EQ(zcbuf_abuf_free(&a), 0);
}

BOTH(scenario_34_length_and_clone)
{
	struct zcbuf_abuf a;
	struct zcbuf_abuf b;

	ASSERT_EQ(zcbuf_abuf_zeroed(&a, pool, 100), 0);
	zcbuf_abuf_truncate(&a, 50);
	EXPECT_EQ(a.len, 50);
	zcbuf_abuf_truncate(&a, 200);
	EXPECT_EQ(a.len, 50);
	zcbuf_abuf_clear(&a);
	EXPECT_EQ(a.len, 0);
	EXPECT_EQ(zcbuf_abuf_set_len(&a, PAGE + 1), -ERANGE);
	EXPECT_EQ(a.len, 0);
	EXPECT_EQ(zcbuf_abuf_set_len(&a, PAGE), 0);
	EXPECT_EQ(a.len, PAGE);
	zcbuf_abuf_clear(&a);

	ASSERT_EQ(zcbuf_abuf_append(&a, "clone me", 8), 0);
	ASSERT_EQ(zcbuf_abuf_try_clone(&a, &b), 0);
	EXPECT_ABUF(&b, 8, 4096);
	EXPECT(b.ptr != a.ptr && b.pool == a.pool);
	EXPECT(!memcmp(b.ptr, "clone me", 8));
	EXPECT_EQ(zcbuf_abuf_free(&a), 0);
	EXPECT_EQ(zcbuf_abuf_try_clone(&a, &b), -EINVAL);
	EXPECT(!memcmp(b.ptr, "clone me", 8));
	EXPECT_EQ(zcbuf_abuf_free(&b), 0);
}

/* ASan counts how often it is freed. */
static void scenario_35_views_and_owners(void)
{
	struct zcbuf_abuf a;
	struct zcbuf_abuf b;
	struct zcbuf_raw one;
	struct zcbuf_raw two;

	ASSERT_EQ(zcbuf_abuf_zeroed(&a, NULL, 100), 0);
	one = zcbuf_abuf_raw(&a);
	two = one;
	one.ptr[7] = 'x';
	EXPECT_EQ(two.ptr[7], 'x');
	EXPECT_EQ(a.ptr[7], 'x');
	EXPECT_EQ(zcbuf_raw_set_init(&one, 4096), 0);
	EXPECT_EQ(zcbuf_raw_set_init(&one, 4097), -ERANGE);
	EXPECT_EQ(one.len, 4096);
	EXPECT_EQ(two.len, 100);

	ASSERT_EQ(zcbuf_abuf_leak(&a, &two), 0);
	EXPECT(two.ptr == one.ptr && two.len == 100 && two.cap == 4096);
	EXPECT(!a.ptr && !a.cap);
	EXPECT_EQ(zcbuf_abuf_leak(&a, &one), -EINVAL);
	EXPECT_EQ(zcbuf_abuf_free(&a), 0);	/* has nothing */
	ASSERT_EQ(zcbuf_abuf_adopt(two, &b), 0);
	EXPECT_ABUF(&b, 100, 4096);
	EXPECT(b.ptr == two.ptr && b.ptr[7] == 'x');
	EXPECT_EQ(zcbuf_abuf_free(&b), 0);
	EXPECT_EQ(zcbuf_abuf_free(&b), 0);
}

static void adopt_refused(void)
{
	_Alignas(PAGE) static unsigned char page[PAGE];
	struct zcbuf_raw raw = { page, 1, PAGE };
	struct zcbuf_abuf a = { 0 };

	raw.ptr++;
	EXPECT_EQ(zcbuf_abuf_adopt(raw, &a), -EINVAL);
	raw.ptr = NULL;
	EXPECT_EQ(zcbuf_abuf_adopt(raw, &a), -EINVAL);
	raw.ptr = page;
	raw.cap = PAGE - 1;
	EXPECT_EQ(zcbuf_abuf_adopt(raw, &a), -EINVAL);
	raw.cap = 0;
	EXPECT_EQ(zcbuf_abuf_adopt(raw, &a), -EINVAL);
	raw.cap = PAGE;
	raw.len = PAGE + 1;
	EXPECT_EQ(zcbuf_abuf_adopt(raw, &a), -ERANGE);
	EXPECT(!a.ptr);
}

static void to_a_buffer_and_back(void)
{
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_abuf a;
	struct zcbuf_raw raw;
	struct zcbuf_buf buf;

	ASSERT_EQ(zcbuf_abuf_with_cap(&a, pool, 5000), 0);
	EXPECT_EQ(fake.alloc.align, PAGE);
	EXPECT_EQ(fake.alloc.length, 8192);
	ASSERT_EQ(zcbuf_abuf_append(&a, "abc", 3), 0);
	EXPECT_EQ(zcbuf_abuf_leak(&a, &raw), -EOPNOTSUPP);
	raw = zcbuf_abuf_raw(&a);
	ASSERT_EQ(zcbuf_abuf_into_buf(&a, &buf), 0);
	EXPECT(!a.ptr && !a.handle);
	EXPECT(buf.data == raw.ptr && buf.pool == pool);
	EXPECT_EQ(buf.length, 3);
	EXPECT_EQ(buf.capacity, 8192);
	EXPECT_EQ(buf.offset, zcbuf_pool_offset(pool, raw.ptr));
	EXPECT_EQ(zcbuf_abuf_into_buf(&a, &buf), -EINVAL);

	ASSERT_EQ(zcbuf_abuf_from_buf(&buf, &a), 0);
	EXPECT_ABUF(&a, 3, 8192);
	EXPECT_EQ(buf.handle, 0);
	EXPECT_EQ(zcbuf_abuf_from_buf(&buf, &a), -EINVAL);
	EXPECT_EQ(zcbuf_abuf_free(&a), 0);
	EXPECT_EQ(fake_bufs(), 0);
	zcbuf_pool_close(pool);
}

/* A buffer of a slab may be less than a page, or begin anywhere. */
static void from_a_small_buffer(void)
{
	struct zcbuf_pool *pool;
	struct zcbuf_abuf a;
	struct zcbuf_buf buf;

	fake.nclasses = 2;
	fake.classes[0].length = 1024;
	fake.classes[1].length = 9008;
	pool = new_pool();
	ASSERT_EQ(zcbuf_buf_alloc(pool, 1000, &buf), 0);
	EXPECT_EQ(zcbuf_abuf_from_buf(&buf, &a), -EINVAL);
	EXPECT(buf.handle);
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	ASSERT_EQ(zcbuf_buf_alloc(pool, 9000, &buf), 0);
	buf.data = (char *)buf.data + 16;
	EXPECT_EQ(zcbuf_abuf_from_buf(&buf, &a), -EINVAL);
	buf.data = (char *)buf.data - 16;
	ASSERT_EQ(zcbuf_abuf_from_buf(&buf, &a), 0);
	EXPECT_ABUF(&a, 8192, 8192);	/* what is behind is no page */
	ASSERT_EQ(zcbuf_abuf_into_buf(&a, &buf), 0);
	EXPECT_EQ(buf.capacity, 9008);
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	zcbuf_pool_close(pool);
}

BOTH(alignments)
{
	struct zcbuf_abuf a;
	size_t align;

	for (align = PAGE; align <= 1 << 20; align <<= 1) {
		ASSERT_EQ(zcbuf_abuf_aligned(&a, pool, 1, align), 0);
		EXPECT_EQ(a.cap, PAGE);
		if (pool)
			EXPECT_EQ(fake.alloc.align, align);
		else
			EXPECT_EQ((uintptr_t)a.ptr % align, 0);
		EXPECT_EQ(zcbuf_abuf_free(&a), 0);
	}
	EXPECT_EQ(zcbuf_abuf_aligned(&a, pool, 1, 0), -EINVAL);
	EXPECT_EQ(zcbuf_abuf_aligned(&a, pool, 1, 2048), -EINVAL);
	EXPECT_EQ(zcbuf_abuf_aligned(&a, pool, 1, 12288), -EINVAL);
}

BOTH(pages)
{
	struct zcbuf_raw frames[3];
	struct zcbuf_abuf a;
	int i;

	ASSERT_EQ(zcbuf_abuf_pages(&a, pool, 3), 0);
	EXPECT_ABUF(&a, 0, 3 * PAGE);
	ASSERT_EQ(zcbuf_raw_frames(zcbuf_abuf_raw(&a), PAGE, frames, 3), 3);
	for (i = 0; i < 3; i++)
		EXPECT(frames[i].ptr == a.ptr + i * PAGE);
	EXPECT_EQ(zcbuf_abuf_free(&a), 0);
	EXPECT_EQ(zcbuf_abuf_pages(&a, pool, 0), -EINVAL);
	EXPECT_EQ(zcbuf_abuf_pages(&a, pool, SIZE_MAX / 2), -E2BIG);
	EXPECT_EQ(zcbuf_abuf_with_cap(&a, pool, SIZE_MAX), -E2BIG);
}

static void out_of_memory(void)
{
	struct zcbuf_abuf a = { 0 };
	struct zcbuf_abuf b = { 0 };

	no_memory = ENOMEM;
	EXPECT_EQ(zcbuf_abuf_with_cap(&a, NULL, 1), -ENOMEM);
	no_memory = ENOMEM;
	EXPECT_EQ(zcbuf_abuf_zeroed(&a, NULL, 1), -ENOMEM);
	EXPECT(!a.ptr);
	ASSERT_EQ(zcbuf_abuf_zeroed(&a, NULL, 1), 0);
	no_memory = ENOMEM;
	EXPECT_EQ(zcbuf_abuf_try_clone(&a, &b), -ENOMEM);
	EXPECT(!b.ptr);
	EXPECT_EQ(zcbuf_abuf_free(&a), 0);
}

static void out_of_pool(void)
{
	struct zcbuf_pool *pool = new_pool();
	struct zcbuf_abuf a = { 0 };

	fake.fail[ZCBUF_NR_ALLOC] = ENOMEM;
	EXPECT_EQ(zcbuf_abuf_with_cap(&a, pool, 1), -ENOMEM);
	EXPECT(!a.ptr && !a.handle);
	EXPECT_EQ(zcbuf_abuf_aligned(&a, pool, 1, (size_t)1 << 33), -EINVAL);
	ASSERT_EQ(zcbuf_abuf_page(&a, pool), 0);
	fake.fail[ZCBUF_NR_FREE] = EBADSLT;
	EXPECT_EQ(zcbuf_abuf_free(&a), -EBADSLT);
	EXPECT(a.handle);
	EXPECT_EQ(zcbuf_abuf_free(&a), 0);
	zcbuf_pool_close(pool);
}

/* ------------------------------------------------------------------- views */

_Alignas(PAGE) static unsigned char memory[32768];

static const struct zcbuf_raw all = { memory, 0, sizeof(memory) };

static void frames_of(size_t n, int count)
{
	struct zcbuf_raw frames[8];
	int i;

	EXPECT_EQ(zcbuf_raw_frames(all, n, frames, 8), count);
	EXPECT_EQ(zcbuf_raw_frames(all, n, NULL, 0), count);
	for (i = 0; i < count; i++) {
		EXPECT(frames[i].ptr == memory + i * n);
		EXPECT_EQ(frames[i].len, 0);
		EXPECT_EQ(frames[i].cap, n);
	}
}

static void scenario_36_frames(void)
{
	struct zcbuf_raw frames[8] = { { 0 } };
	struct zcbuf_raw odd = all;

	frames_of(4096, 8);
	frames_of(8192, 4);
	frames_of(12288, 2);
	frames_of(65536, 0);
	EXPECT_EQ(zcbuf_raw_frames(all, 0, frames, 8), -EINVAL);
	EXPECT_EQ(zcbuf_raw_frames(all, 4097, frames, 8), -EINVAL);
	odd.ptr++;
	odd.cap--;
	EXPECT_EQ(zcbuf_raw_frames(odd, 4096, frames, 8), -EINVAL);
	memset(frames, 0, sizeof(frames));
	EXPECT_EQ(zcbuf_raw_frames(all, 4096, frames, 7), -EMSGSIZE);
	EXPECT(!frames[0].ptr);
}

static void from_memory(void)
{
	struct zcbuf_raw raw = { 0 };
	void *odd = memory + 1;

	EXPECT_EQ(zcbuf_raw_from(memory, 10, 4096, ZCBUF_RAW_STRICT, &raw), 0);
	EXPECT(raw.ptr == memory && raw.len == 10 && raw.cap == 4096);
	EXPECT_EQ(zcbuf_raw_from(odd, 0, 4096, ZCBUF_RAW_STRICT, &raw),
		  -EINVAL);
	EXPECT_EQ(zcbuf_raw_from(memory, 0, 4095, ZCBUF_RAW_STRICT, &raw),
		  -EINVAL);
	EXPECT_EQ(zcbuf_raw_from(memory, 4097, 4096, 0, &raw), -ERANGE);
	EXPECT_EQ(zcbuf_raw_from(memory, 0, SIZE_MAX, 0, &raw), -ERANGE);
	EXPECT_EQ(zcbuf_raw_from(memory, 0, 1, 2, &raw), -EOPNOTSUPP);
	EXPECT(raw.ptr == memory && raw.len == 10 && raw.cap == 4096);
	EXPECT_EQ(zcbuf_raw_from(odd, 3, 77, 0, &raw), 0);
	EXPECT(raw.ptr == odd && raw.len == 3 && raw.cap == 77);
	EXPECT_EQ(zcbuf_raw_from(NULL, 0, 0, 0, &raw), 0);
}

static void slices(void)
{
	struct zcbuf_raw s = { 0 };

	EXPECT_EQ(zcbuf_raw_slice_read(all, 4096, 8192, &s), 0);
	EXPECT(s.ptr == memory + 4096 && s.len == 0 && s.cap == 8192);
	EXPECT_EQ(zcbuf_raw_slice_write(all, 28672, 4096, &s), 0);
	EXPECT(s.ptr == memory + 28672 && s.len == 4096 && s.cap == 4096);
	EXPECT_EQ(zcbuf_raw_slice_read(all, 28672, 8192, &s), -ERANGE);
	EXPECT_EQ(zcbuf_raw_slice_read(all, 36864, 4096, &s), -ERANGE);
	EXPECT_EQ(zcbuf_raw_slice_read(all, 4096, -4096UL, &s), -ERANGE);
	EXPECT_EQ(zcbuf_raw_slice_write(all, -4096UL, 8192, &s), -ERANGE);
	EXPECT_EQ(zcbuf_raw_slice_read(all, 0, 0, &s), -EINVAL);
	EXPECT_EQ(zcbuf_raw_slice_read(all, 512, 4096, &s), -EINVAL);
	EXPECT_EQ(zcbuf_raw_slice_write(all, 0, 512, &s), -EINVAL);
	EXPECT(s.ptr == memory + 28672 && s.len == 4096);
	s.ptr++;
	EXPECT_EQ(zcbuf_raw_slice_write(s, 0, 4096, &s), -EINVAL);
}

static void unaligned_slices(void)
{
	struct zcbuf_raw raw = { memory, 100, sizeof(memory) };
	struct zcbuf_raw s;

	EXPECT_EQ(zcbuf_raw_slice_unchecked(raw, 10, 20, &s), 0);
	EXPECT(s.ptr == memory + 10 && s.len == 20 && s.cap == 20);
	EXPECT_EQ(zcbuf_raw_slice_unchecked(raw, 90, 20, &s), 0);
	EXPECT_EQ(s.len, 10);
	EXPECT_EQ(zcbuf_raw_slice_unchecked(raw, 100, 20, &s), 0);
	EXPECT_EQ(s.len, 0);
	EXPECT_EQ(zcbuf_raw_slice_unchecked(raw, sizeof(memory), 0, &s), 0);
	EXPECT_EQ(s.cap, 0);
	EXPECT_EQ(zcbuf_raw_slice_unchecked(raw, sizeof(memory), 1, &s),
		  -ERANGE);
	EXPECT_EQ(zcbuf_raw_slice_unchecked(raw, 1, SIZE_MAX, &s), -ERANGE);
	EXPECT_EQ(zcbuf_raw_slice_unchecked(raw, SIZE_MAX, 1, &s), -ERANGE);
}

static void iovecs(void)
{
	struct zcbuf_raw raws[2] = { { memory, 10, 100 }, { memory + 5, 0, 7 } };
	struct iovec iov[2];

	EXPECT_EQ(zcbuf_raws_iovec(raws, 2, iov), 2);
	EXPECT(iov[0].iov_base == memory && iov[1].iov_base == memory + 5);
	EXPECT_EQ(iov[0].iov_len, 10);
	EXPECT_EQ(iov[1].iov_len, 0);
	EXPECT_EQ(zcbuf_raws_iovec_room(raws, 2, iov), 2);
	EXPECT(iov[1].iov_base == memory + 5);
	EXPECT_EQ(iov[0].iov_len, 100);
	EXPECT_EQ(iov[1].iov_len, 7);
	EXPECT_EQ(zcbuf_raws_iovec(NULL, 0, NULL), 0);
	EXPECT_EQ(zcbuf_raws_iovec_room(NULL, 0, NULL), 0);
}

static const struct test_case cases[] = {
	CASE(scenario_32_capacity_own),
	CASE(scenario_32_capacity_pool),
	CASE(scenario_33_append_own),
	CASE(scenario_33_append_pool),
	CASE(scenario_34_length_and_clone_own),
	CASE(scenario_34_length_and_clone_pool),
	CASE(scenario_35_views_and_owners),
	CASE(scenario_36_frames),
	CASE(adopt_refused),
	CASE(to_a_buffer_and_back),
	CASE(from_a_small_buffer),
	CASE(alignments_own),
	CASE(alignments_pool),
	CASE(pages_own),
	CASE(pages_pool),
	CASE(out_of_memory),
	CASE(out_of_pool),
	CASE(from_memory),
	CASE(slices),
	CASE(unaligned_slices),
	CASE(iovecs),
};

TEST_MAIN(cases)

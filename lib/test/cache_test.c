// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Objects of one thread: classes, how much is kept, wrong calls, failures. */
#include "../cache.h"

#include "cached.h"

static void what_it_is(void)
{
	struct zcbuf_obj *obj;

	make();
	ASSERT_EQ(zcbuf_obj_alloc(pool, 5000, &obj), 0);
	EXPECT_EQ(obj->buf.length, 5000);
	EXPECT_EQ(obj->buf.capacity, 8192);
	EXPECT(obj->buf.pool == pool);
	EXPECT(obj->buf.data == zcbuf_pool_addr(pool, obj->buf.offset));
	EXPECT_EQ(obj->buf.handle, 0);
	memset(obj->buf.data, 0x5a, obj->buf.capacity);
	EXPECT_EQ(zcbuf_obj_free(obj), 0);
	EXPECT_EQ(sizeof(*obj), 64);
	EXPECT_EQ((uintptr_t)obj % 64, 0);
	done();
}

static void no_call_when_hot(void)
{
	unsigned int before;
	int i;

	make();
	get(1, 4096);
	put(1);
	before = calls();
	for (i = 0; i < 10000; i++) {
		get(1, 4096);
		put(1);
	}
	EXPECT_EQ(calls(), before);
	done();
}

/* What other languages call. */
int alloc_call(struct zcbuf_pool *p, size_t length, struct zcbuf_obj **obj)
	__asm__("zcbuf_obj_alloc");
int free_call(struct zcbuf_obj *obj) __asm__("zcbuf_obj_free");

static void as_a_function(void)
{
	struct zcbuf_obj *obj;

	make();
	ASSERT_EQ(alloc_call(pool, 4096, &obj), 0);
	EXPECT_EQ(free_call(obj), 0);
	EXPECT_EQ(free_call(obj), -EBADSLT);
	ASSERT_EQ(alloc_call(pool, 4000, &obj), 0);
	EXPECT_EQ(zcbuf_obj_free_unchecked(obj), 0);
	EXPECT_EQ(calls(), 1);
	done();
}

/* What was freed last is the first to be had. */
static void last_in_first_out(void)
{
	struct zcbuf_obj *a, *b, *c;

	make();
	ASSERT_EQ(zcbuf_obj_alloc(pool, 1, &a), 0);
	ASSERT_EQ(zcbuf_obj_alloc(pool, 4096, &b), 0);
	EXPECT_EQ(zcbuf_obj_free(a), 0);
	EXPECT_EQ(zcbuf_obj_free(b), 0);
	ASSERT_EQ(zcbuf_obj_alloc(pool, 100, &c), 0);
	EXPECT(c == b);
	EXPECT_EQ(c->buf.length, 100);
	EXPECT_EQ(zcbuf_obj_free(c), 0);
	done();
}

/* ------------------------------------------------------------------ classes */

/* The class the kernel would choose, whatever was freed before. */
static void right_class(size_t length)
{
	struct zcbuf_obj *obj;
	struct zcbuf_buf buf;
	__u64 capacity;

	ASSERT_EQ(zcbuf_buf_alloc(pool, length, &buf), 0);
	capacity = buf.capacity;
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	ASSERT_EQ(zcbuf_obj_alloc(pool, length, &obj), 0);
	test_check(obj->buf.capacity == capacity, __FILE__, __LINE__,
		   "%zu got %zu, not %llu", length, obj->buf.capacity,
		   (unsigned long long)capacity);
	EXPECT_EQ(obj->buf.length, length);
	EXPECT_EQ(zcbuf_obj_free(obj), 0);
}

static void classes_of(__u32 kind, const __u32 *lengths, unsigned int n)
{
	size_t bits, i;

	fake.nclasses = n;
	for (i = 0; i < n; i++) {
		fake.classes[i].length = lengths[i];
		fake.classes[i].total = 100;
	}
	make_opts(kind, 0);
	for (bits = 1; bits <= (kind == ZCBUF_POOL_FIXED ? 13 : 19); bits++)
		for (i = 0; i < 3; i++)
			right_class((1UL << bits) + i - 1);
	for (i = 0; i < n; i++) {
		right_class(lengths[i]);
		right_class(lengths[i] - 1);
		if (i + 1 < n)
			right_class(lengths[i] + 1);
	}
	done();
}

static void classes_of_pages(void)
{
	classes_of(ZCBUF_POOL_PAGES, NULL, 0);
}

static void classes_of_tiers(void)
{
	static const __u32 tiers[] = {
		16, 64, 256, 1024, 4096, 16384, 65536, 262144,
	};

	classes_of(ZCBUF_POOL_TIERS, tiers, ARRAY_SIZE(tiers));
}

static void classes_of_frames(void)
{
	static const __u32 frames[] = { 8, 48, 1504, 9008 };

	classes_of(ZCBUF_POOL_TIERS, frames, ARRAY_SIZE(frames));
}

static void classes_of_fixed(void)
{
	static const __u32 fixed[] = { 128, 1024, 4096, 8256 };

	classes_of(ZCBUF_POOL_FIXED, fixed, ARRAY_SIZE(fixed));
}

/* A class that does not end at a power of two has a magazine as well. */
static void frames_are_kept(void)
{
	unsigned int before;

	fake.nclasses = 1;
	fake.classes[0].length = 1504;
	make_opts(ZCBUF_POOL_TIERS, 0);
	get(1, 1500);
	put(1);
	before = calls();
	get(1, 1100);
	put(1);
	get(1, 600);
	put(1);
	EXPECT_EQ(calls(), before);
	done();
}

static void too_large(void)
{
	make();
	EXPECT_EQ(zcbuf_obj_alloc(pool, FAKE_ARENA + 1, objs), -E2BIG);
	EXPECT_EQ(zcbuf_obj_alloc(pool, SIZE_MAX, objs), -E2BIG);
	ASSERT_EQ(zcbuf_obj_alloc(pool, FAKE_ARENA, objs), 0);
	EXPECT_EQ(zcbuf_obj_free(objs[0]), 0);
	EXPECT_EQ(fake_pages_out(), 0);
	/* The kernel says what that is. */
	ASSERT_EQ(zcbuf_obj_alloc(pool, 0, objs), 0);
	EXPECT_EQ(fake.alloc.length, 0);
	EXPECT_EQ(objs[0]->buf.capacity, 4096);
	EXPECT_EQ(zcbuf_obj_free(objs[0]), 0);
	done();
}

/* ------------------------------------------------------------------- limits */

/* Of @n that were freed, what is kept in one magazine and the stock. */
static void keeps(size_t length, unsigned int n, unsigned int limit)
{
	unsigned int out;

	get(n, length);
	put(n);
	out = fake_pages_out();
	test_check(out <= 5 * limit, __FILE__, __LINE__,
		   "%u of %zu bytes are kept, not %u", out, length, 5 * limit);
	EXPECT(limit ? out > 0 : !out);
	if (n > 5 * limit)
		EXPECT(out >= 4 * limit);
	EXPECT_EQ(zcbuf_cache_bytes(pool), fake_pages_bytes());
	zcbuf_cache_flush(pool);
}

static void limits(void)
{
	make();
	keeps(4096, 512, 64);
	keeps(8192, 256, 32);
	keeps(32768, 64, 8);
	keeps(65536, 32, 2);
	keeps(131072, 16, 2);
	keeps(262144, 8, 1);
	keeps(524288, 4, 0);
	done();
}

/* Of a large pool it is not the part, but the bytes. */
static void limits_by_bytes(void)
{
	fake.pool_size = 16 * FAKE_ARENA;
	make();
	keeps(4096, 512, 64);
	keeps(8192, 256, 32);
	keeps(16384, 128, 16);
	keeps(262144, 8, 1);
	done();
}

static void limits_by_sessions(void)
{
	fake.info.out_sessions = 4;
	fake.on_call = fake_pages_call;
	ASSERT_EQ(zcbuf_pool_create(&pool, NULL), 0);
	keeps(4096, 512, 16);
	keeps(65536, 32, 1);
	keeps(131072, 16, 0);
	done();
}

/* It is asked once in a while how many there are. */
static void sessions_come(void)
{
	int i;

	make();
	keeps(4096, 512, 64);
	fake.info.out_sessions = 16;
	for (i = 0; i < 20; i++) {
		get(64, 4096);
		put(64);
		zcbuf_cache_flush(pool);
	}
	keeps(4096, 512, 4);
	done();
}

static void fixed_limits(void)
{
	fake.nclasses = 2;
	fake.classes[0].length = 128;
	fake.classes[0].total = 63;
	fake.classes[1].length = 4096;
	fake.classes[1].total = 17;
	make_opts(ZCBUF_POOL_FIXED, 0);
	keeps(100, 63, 7);
	keeps(4096, 17, 2);
	done();
}

static void fixed_and_small(void)
{
	fake.nclasses = 2;
	fake.classes[0].length = 128;
	fake.classes[0].total = 40;
	fake.classes[1].length = 4096;
	fake.classes[1].total = 23;
	make_opts(ZCBUF_POOL_FIXED, 0);
	keeps(100, 40, 0);
	keeps(4096, 23, 0);
	done();
}

static void exact(void)
{
	make_opts(ZCBUF_POOL_PAGES, ZCBUF_POOL_OPEN_EXACT);
	get(3, 4096);
	EXPECT_EQ(fake_pages_out(), 3);
	EXPECT_EQ(zcbuf_obj_free(objs[1]), 0);
	EXPECT_EQ(fake_pages_out(), 2);
	EXPECT_EQ(zcbuf_obj_free(objs[1]), -EBADSLT);
	EXPECT_EQ(zcbuf_obj_free(objs[0]), 0);
	EXPECT_EQ(zcbuf_obj_free(objs[2]), 0);
	EXPECT_EQ(calls(), 6);
	done();
}

/* Who asks for one gets one, who asks often gets more at a time. */
static void by_and_by(void)
{
	static const unsigned int out[] = { 1, 3, 3, 7, 7, 7, 7, 15 };
	unsigned int i;

	make();
	for (i = 0; i < ARRAY_SIZE(out); i++) {
		ASSERT_EQ(zcbuf_obj_alloc(pool, 4096, &objs[i]), 0);
		EXPECT_EQ(fake_pages_out(), out[i]);
	}
	put(i);
	zcbuf_cache_flush(pool);
	get(1, 4096);
	EXPECT_EQ(fake_pages_out(), 1);
	put(1);
	done();
}

/* ------------------------------------------------------------- wrong calls */

static void freed_twice(void)
{
	make();
	get(2, 4096);
	EXPECT_EQ(zcbuf_obj_free(objs[0]), 0);
	EXPECT_EQ(zcbuf_obj_free(objs[0]), -EBADSLT);
	zcbuf_cache_flush(pool);
	EXPECT_EQ(zcbuf_obj_free(objs[0]), -EBADSLT);
	EXPECT_EQ(zcbuf_obj_free(objs[1]), 0);
	get(2, 4096);
	EXPECT(objs[0] != objs[1]);
	put(2);
	done();
}

static void leaves(void)
{
	struct zcbuf_buf buf;

	make();
	get(2, 4096);
	ASSERT_EQ(zcbuf_obj_leave(objs[0], &buf), 0);
	EXPECT(buf.handle);
	EXPECT(buf.data == zcbuf_pool_addr(pool, zcbuf_buf_offset(buf.handle)));
	EXPECT_EQ(buf.length, 4096);
	EXPECT_EQ(zcbuf_obj_free(objs[0]), -EBADSLT);
	EXPECT_EQ(zcbuf_obj_leave(objs[0], &buf), -EBADSLT);
	EXPECT_EQ(zcbuf_obj_free(objs[1]), 0);
	EXPECT_EQ(zcbuf_obj_leave(objs[1], &buf), -EBADSLT);
	EXPECT_EQ(zcbuf_buf_free(&buf), 0);
	done();
}

/* What is nobody's business but the owner's does not take an object. */
static void no_buffer_yet(void)
{
	make();
	get(1, 4096);
	EXPECT_EQ(zcbuf_buf_share(&objs[0]->buf, FAKE_SESSION + 9), -EINVAL);
	EXPECT_EQ(zcbuf_buf_export(&objs[0]->buf, 0, 0, 0), -EINVAL);
	put(1);
	done();
}

/* ----------------------------------------------------------------- failures */

static void memory_short(void)
{
	unsigned int n = 0;
	int pass = 0;
	int err;

	make();
	do {
		memory_pass = pass++;
		err = zcbuf_obj_alloc(pool, 4096, &objs[n]);
		if (!err)
			n++;
		else
			EXPECT_EQ(err, -ENOMEM);
	} while (memory_pass < 0);
	/* Without what keeps it, it goes on; without a record it does not. */
	EXPECT_EQ(n, 3);
	memory_pass = -1;
	put(n);
	get(1, 8192);
	memory_pass = 0;
	for (n = 1; !err; n++)
		err = zcbuf_obj_alloc(pool, 8192, &objs[n]);
	EXPECT_EQ(err, -ENOMEM);
	EXPECT_EQ(memory_pass, -1);
	EXPECT(n > 60);
	/* Nor is there a stock without memory: it goes back to the kernel. */
	memory_pass = 0;
	put(n - 1);
	memory_pass = -1;
	done();
}

static void pool_memory_short(void)
{
	struct zcbuf_pool *none;
	int pass = 0;

	memory_pass = 0;
	while (zcbuf_pool_create(&none, NULL)) {
		EXPECT_EQ(fake.mapped, 0);
		memory_pass = ++pass;
	}
	EXPECT_EQ(pass, 3);
	memory_pass = -1;
	zcbuf_pool_close(none);
}

static int told;

static void tell(void *ctx, const struct zcbuf_pool *of, int err,
		 const char *text)
{
	(void)ctx;
	EXPECT_EQ(err, -ENOMEM);
	EXPECT(strstr(text, "could not be mapped"));
	EXPECT_EQ(pthread_mutex_trylock(&of->depot->lock), 0);
	pthread_mutex_unlock(&of->depot->lock);
	told++;
}

/* Its arena is new here, and cannot be mapped; who is told of it may lock what he likes. */
static void not_mapped(void)
{
	const struct zcbuf_log log = { .sz = sizeof(log), .message = tell };

	fake.max_size = 2 * FAKE_ARENA;
	make();
	get(1, 4096);
	put(1);
	zcbuf_cache_flush(pool);
	ASSERT_EQ(zcbuf_pool_log(pool, &log), 0);
	atomic_store(&pool->map->size, 0);
	fake.map_error = ENOMEM;
	EXPECT_EQ(zcbuf_obj_alloc(pool, 4096, objs), -ENOMEM);
	EXPECT_EQ(fake_pages_out(), 0);
	EXPECT_EQ(told, 1);
	EXPECT_EQ(zcbuf_obj_alloc(pool, 4096, objs), 0);
	EXPECT_EQ(told, 1);
	put(1);
	done();
}

static void evicted(void)
{
	make();
	get(100, 4096);
	fake.fail[ZCBUF_NR_FREE] = ESTALE;
	put(100);
	zcbuf_cache_flush(pool);
	fake.fail[ZCBUF_NR_ALLOC] = ESTALE;
	EXPECT_EQ(zcbuf_obj_alloc(pool, 8192, objs), -ESTALE);
	zcbuf_pool_close(pool);
}

static const struct test_case cases[] = {
	CASE(what_it_is),
	CASE(no_call_when_hot),
	CASE(as_a_function),
	CASE(last_in_first_out),
	CASE(classes_of_pages),
	CASE(classes_of_tiers),
	CASE(classes_of_frames),
	CASE(classes_of_fixed),
	CASE(frames_are_kept),
	CASE(too_large),
	CASE(limits),
	CASE(limits_by_bytes),
	CASE(limits_by_sessions),
	CASE(sessions_come),
	CASE(fixed_limits),
	CASE(fixed_and_small),
	CASE(exact),
	CASE(by_and_by),
	CASE(freed_twice),
	CASE(leaves),
	CASE(no_buffer_yet),
	CASE(memory_short),
	CASE(pool_memory_short),
	CASE(not_mapped),
	CASE(evicted),
};

TEST_MAIN(cases)

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The interface is what programs were compiled with: the layout recorded in
 * uapi_layout.h, and a kernel that has the same idea of every argument.
 */
#include <fcntl.h>

#include "common.h"
#include "ktap.h"

struct field {
	const char *of, *name;
	size_t offset, size, want_offset, want_size;
};

struct number {
	const char *name;
	__u64 value, want;
};

#define LAYOUT_SIZE(s, n)
#define LAYOUT_FIELD(s, f, at, n)					\
	{ #s, #f, offsetof(struct s, f), sizeof(((struct s *)0)->f), at, n },
#define LAYOUT_NUMBER(name, n)
static const struct field fields[] = {
#include "uapi_layout.h"
};
#undef LAYOUT_SIZE
#undef LAYOUT_FIELD
#undef LAYOUT_NUMBER

#define LAYOUT_SIZE(s, n)	{ #s, sizeof(struct s), n },
#define LAYOUT_FIELD(s, f, at, n)
#define LAYOUT_NUMBER(name, n)
static const struct number sizes[] = {
#include "uapi_layout.h"
};
#undef LAYOUT_SIZE
#undef LAYOUT_NUMBER

#define LAYOUT_SIZE(s, n)
#define LAYOUT_NUMBER(name, n)	{ #name, name, n },
static const struct number numbers[] = {
#include "uapi_layout.h"
};

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static void check_numbers(const struct number *n, size_t count)
{
	size_t i;

	ASSERT_GT(count, 0);
	for (i = 0; i < count; i++)
		if (n[i].value != n[i].want)
			TEST_LOG("%s is %llu, was released as %llu", n[i].name,
				 n[i].value, n[i].want);
	for (i = 0; i < count; i++)
		EXPECT_EQ(n[i].value, n[i].want);
}

TEST(fields_are_where_they_were)
{
	size_t i;

	ASSERT_GT(COUNT(fields), 150);
	for (i = 0; i < COUNT(fields); i++) {
		if (fields[i].offset != fields[i].want_offset ||
		    fields[i].size != fields[i].want_size)
			TEST_LOG("%s.%s", fields[i].of, fields[i].name);
		EXPECT_EQ(fields[i].offset, fields[i].want_offset);
		EXPECT_EQ(fields[i].size, fields[i].want_size);
	}
}

TEST(structs_are_as_large_as_they_were)
{
	check_numbers(sizes, COUNT(sizes));
}

TEST(numbers_are_what_they_were)
{
	check_numbers(numbers, COUNT(numbers));
}

/* No byte of any struct is outside of its fields. */
TEST(structs_have_no_holes)
{
	size_t i, j, sum;

	for (i = 0; i < COUNT(sizes); i++) {
		for (sum = 0, j = 0; j < COUNT(fields); j++) {
			if (strcmp(fields[j].of, sizes[i].name))
				continue;
			EXPECT_EQ(fields[j].offset, sum);
			sum += fields[j].size;
		}
		EXPECT_EQ(sum, sizes[i].value);
	}
}

/* The size of each argument, as this kernel sees it. */
TEST(kernel_agrees_on_sizes)
{
	static const __u16 want[ZCBUF_NR_CALLS] = {
		[ZCBUF_NR_QUERY] = sizeof(struct zcbuf_query),
		[ZCBUF_NR_POOL_CREATE] = sizeof(struct zcbuf_pool_create),
		[ZCBUF_NR_POOL_ATTACH] = sizeof(struct zcbuf_pool_attach),
		[ZCBUF_NR_POOL_INFO] = sizeof(struct zcbuf_pool_info),
		[ZCBUF_NR_ALLOC] = sizeof(struct zcbuf_alloc),
		[ZCBUF_NR_FREE] = sizeof(struct zcbuf_batch),
		[ZCBUF_NR_CHANNEL_OPEN] = sizeof(struct zcbuf_channel_open),
		[ZCBUF_NR_CHANNEL_CLOSE] = sizeof(struct zcbuf_channel_close),
		[ZCBUF_NR_RESERVE] = sizeof(struct zcbuf_reserve),
		[ZCBUF_NR_COMMIT] = sizeof(struct zcbuf_batch),
		[ZCBUF_NR_COMMIT_RESERVE] = sizeof(struct zcbuf_commit_reserve),
		[ZCBUF_NR_ABORT] = sizeof(struct zcbuf_batch),
		[ZCBUF_NR_FLUSH] = sizeof(struct zcbuf_flush),
		[ZCBUF_NR_FINALIZE] = sizeof(struct zcbuf_finalize),
		[ZCBUF_NR_RECEIVE] = sizeof(struct zcbuf_receive),
		[ZCBUF_NR_RECEIVE_FAILED] = sizeof(struct zcbuf_receive_failed),
		[ZCBUF_NR_RELEASE] = sizeof(struct zcbuf_batch),
		[ZCBUF_NR_EVENTFD] = sizeof(struct zcbuf_eventfd),
		[ZCBUF_NR_BUF_INFO] = sizeof(struct zcbuf_buf_info),
		[ZCBUF_NR_POOL_GROW] = sizeof(struct zcbuf_pool_grow),
		[ZCBUF_NR_TRANSFER] = sizeof(struct zcbuf_transfer),
		[ZCBUF_NR_PIN_TOKEN] = sizeof(struct zcbuf_pin_token),
		[ZCBUF_NR_SHARE] = sizeof(struct zcbuf_transfer),
		[ZCBUF_NR_EXPORT] = sizeof(struct zcbuf_export),
		[ZCBUF_NR_POOL_REMOVE] = sizeof(struct zcbuf_pool_remove),
		[ZCBUF_NR_POOL_RETIRE] = sizeof(struct zcbuf_pool_retire),
		[ZCBUF_NR_PUBLISH] = sizeof(struct zcbuf_publish),
		[ZCBUF_NR_QUEUE] = sizeof(struct zcbuf_queue),
		[ZCBUF_NR_WATCH] = sizeof(struct zcbuf_watch),
		[ZCBUF_NR_READY] = sizeof(struct zcbuf_ready),
		[ZCBUF_NR_HEARTBEAT] = sizeof(struct zcbuf_heartbeat),
	};
	int fd = zt_open(O_RDONLY), nr;
	struct zcbuf_query q;

	ASSERT_OK(zt_query(fd, &q));
	for (nr = 0; nr < ZCBUF_NR_CALLS; nr++) {
		if (q.out_sizes[nr] != want[nr])
			TEST_LOG("call %d", nr);
		EXPECT_EQ(q.out_sizes[nr], want[nr]);
	}
	EXPECT_ERR(zt_call(fd, _IO(ZCBUF_IOC_TYPE, ZCBUF_NR_HEARTBEAT + 1), &q),
		   ENOTTY);
}

TEST(kernel_says_what_it_is)
{
	struct zcbuf_query q;
	int fd = zt_open(O_RDONLY);

	ASSERT_OK(zt_query(fd, &q));
	EXPECT_EQ(q.size, sizeof(q));
	EXPECT_EQ(q.out_version, ZCBUF_VERSION);
	EXPECT_EQ(q.out_page_size, sysconf(_SC_PAGESIZE));
	EXPECT_EQ(q.out_huge_page_size, 2 << 20);
	EXPECT_EQ(q.out_max_batch, ZCBUF_MAX_BATCH);
	EXPECT_EQ(q.out_features, ZCBUF_FEATURE_POOL_PAGES |
		  ZCBUF_FEATURE_POOL_TIERS | ZCBUF_FEATURE_FIXED_BUFFERS |
		  ZCBUF_FEATURE_STREAM | ZCBUF_FEATURE_WINDOW |
		  ZCBUF_FEATURE_ORDERED | ZCBUF_FEATURE_POOL_FIXED |
		  ZCBUF_FEATURE_GROW | ZCBUF_FEATURE_TRANSFER |
		  ZCBUF_FEATURE_PIN_TOKEN | ZCBUF_FEATURE_URING_CMD |
		  ZCBUF_FEATURE_SHARE | ZCBUF_FEATURE_EXPORT |
		  ZCBUF_FEATURE_PERSISTENT | ZCBUF_FEATURE_RETIRE |
		  ZCBUF_FEATURE_INTERLEAVE | ZCBUF_FEATURE_TOPIC |
		  ZCBUF_FEATURE_QUEUE | ZCBUF_FEATURE_IMMUTABLE |
		  ZCBUF_FEATURE_READY | ZCBUF_FEATURE_WINDOW_TAG |
		  ZCBUF_FEATURE_WATCH | ZCBUF_FEATURE_HEARTBEAT |
		  ZCBUF_FEATURE_ALLOC_NODE | ZCBUF_FEATURE_STREAM_QUEUE |
		  ZCBUF_FEATURE_CONTROL);
	EXPECT_GE(q.out_max_sessions, 1024);
	EXPECT_GE(q.out_max_channels, 1024);
	EXPECT_NE(q.out_session, 0);
	EXPECT_EQ(q.out_pool, 0);
	EXPECT_EQ(q.out_rights, 0);
}

/* The numbers of README.md. */
TEST(limits_are_those_of_the_manual)
{
	struct zcbuf_query q;
	int fd = zt_open(O_RDONLY);

	ASSERT_OK(zt_query(fd, &q));
	EXPECT_EQ(q.out_max_batch, 1024);
	EXPECT_EQ(q.out_arena_unit, 2 * ZT_MIB);
	EXPECT_EQ(q.out_default_arena_size, 32 * ZT_MIB);
	EXPECT_EQ(q.out_max_arena_size, 32 * 1024 * ZT_MIB);
	EXPECT_EQ(q.out_max_arenas, 64);
	EXPECT_EQ(q.out_max_pool_size, 1024 * 1024 * ZT_MIB);
	EXPECT_EQ(q.out_max_sessions, 4096);
	EXPECT_EQ(q.out_max_channels, 4096);
	EXPECT_EQ(ZCBUF_MAX_CLASSES, 24);
}

/* Class and offset of a handle, as the header computes them. */
TEST(handles_say_where_and_how_large)
{
	static const __u32 table[] = { 16, 1504 };
	__u64 gen = 5ULL << ZCBUF_BUF_PAGE_BITS;
	__u64 block = 3ULL << ZCBUF_BUF_CLASS_SHIFT | gen | 24;
	__u64 object = 33ULL << ZCBUF_BUF_CLASS_SHIFT |
		       7ULL << ZCBUF_BUF_SLAB_BITS | 94;

	EXPECT_EQ(zcbuf_buf_class(block), 3);
	EXPECT_EQ(zcbuf_buf_offset(block), 24 * 4096);
	EXPECT_EQ(zcbuf_buf_capacity(block, NULL), 32768);
	EXPECT_EQ(zcbuf_buf_class(object), 33);
	EXPECT_EQ(zcbuf_buf_offset(object), 1504);
	EXPECT_EQ(zcbuf_buf_capacity(object, table), 1504);
}

KTAP_MAIN()

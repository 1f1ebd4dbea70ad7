// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Buffers of one NUMA node, on pools of each kind. A machine of one node shows only
 * that it is that one; of two: numa=fake=2.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <zcbuf/zcbuf.h>

#include "common.h"
#include "hostile.h"
#include "ktap.h"
#include "nodes.h"
#include "thread.h"

#define MAX_BUFS	1024
#define HUGE_TURNS	(ZCBUF_POOL_F_HUGE_STRICT | ZCBUF_POOL_F_INTERLEAVE)
#define SMALL_TURNS	(ZCBUF_POOL_F_SMALL_PAGES | ZCBUF_POOL_F_INTERLEAVE)
#define POOL_SIZE	(4 * ZT_ARENA)

/* The nodes there are, and two that may be the same. */
static __u32 all[NODES_MAX], here, there;

static void learn_nodes(void)
{
	int n = nodes_allowed(all);

	here = all[0];
	there = all[n - 1];
}

static bool one_node(void)
{
	learn_nodes();
	return here == there;
}

static int alloc_until(int fd, __u64 length, __u32 node, __u64 deadline_ns,
		       __u64 *handles, __u32 count)
{
	struct zcbuf_alloc a = zt_arg(struct zcbuf_alloc, .length = length,
		.flags = ZCBUF_ALLOC_F_NODE, .node = node,
		.handles = zt_ptr(handles), .count = count,
		.deadline_ns = deadline_ns);
	int err = zt_call(fd, ZCBUF_IOC_ALLOC, &a);

	return err ? err : (int)a.out_done;
}

static int alloc_on(int fd, __u64 length, __u32 node, __u64 *handles,
		    __u32 count)
{
	return alloc_until(fd, length, node, 0, handles, count);
}

/* BUF_INFO says so, and the core of each page of its mapping. */
static void expect_on(int fd, const __u64 *handles, int n, __u32 node)
{
	struct zcbuf_pool_info info;
	struct zcbuf_buf_place p;
	const char *map;
	__u64 at;
	int i;

	ASSERT_OK(zt_pool_info(fd, &info));
	map = zt_map(fd, PROT_READ, info.out_end);
	for (i = 0; i < n; i++) {
		ASSERT_EQ(zt_buf_info(fd, &handles[i], &p, 1), 1);
		EXPECT_EQ(p.node, node);
		for (at = p.offset & -ZT_PAGE; at < p.offset + p.capacity;
		     at += ZT_PAGE)
			ASSERT_EQ(nodes_of(map + at), node);
	}
	ASSERT_OK(munmap((void *)map, info.out_end));
}

/* All there is of @node, by @length; how many. */
static int use_up(int fd, __u64 length, __u32 node, __u64 *handles)
{
	int n = 0, got;

	while ((got = alloc_on(fd, length, node, handles + n,
			       MAX_BUFS - n)) > 0)
		n += got;
	EXPECT_EQ(got, -ENOMEM);
	return n;
}

static int pool_of(__u32 kind, __u32 flags)
{
	static struct zcbuf_class classes[] = {
		{ .length = ZT_PAGE, .count = POOL_SIZE / 2 / ZT_PAGE },
		{ .length = 65536, .count = POOL_SIZE / 2 / 65536 },
	};
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.kind = kind, .flags = flags);

	if (kind == ZCBUF_POOL_FIXED) {
		a.classes = zt_ptr(classes);
		a.nclasses = 2;
	} else {
		a.arena_size = POOL_SIZE;
	}
	return zt_pool_as(&a);
}

/* Some of each node of a pool that has all of them by turns. */
static void by_turns(__u32 kind, __u32 flags, const __u64 *length, int nlengths)
{
	int fd = pool_of(kind, flags);
	__u64 h[3];
	int i, k;

	ASSERT_GE(fd, 0);
	learn_nodes();
	for (k = 0; k < nlengths; k++) {
		for (i = 0; i < 4; i++) {
			__u32 node = i % 2 ? there : here;

			ASSERT_EQ(alloc_on(fd, length[k], node, h, 3), 3);
			expect_on(fd, h, 3, node);
			EXPECT_EQ(zt_free(fd, h, 3), 3);
		}
	}
	EXPECT_EQ(zt_alloc(fd, length[0], 0, 0, h, 3), 3);
}

TEST(huge_pages_of_each_kind)
{
	static const __u64 blocks[] = { ZT_PAGE, 65536, 262144 };
	static const __u64 objects[] = { 16, 1024, 16384, 65536, 300000 };
	static const __u64 fixed[] = { ZT_PAGE, 65536 };

	by_turns(ZCBUF_POOL_PAGES, HUGE_TURNS, blocks, 3);
	by_turns(ZCBUF_POOL_TIERS, HUGE_TURNS, objects, 5);
	by_turns(ZCBUF_POOL_FIXED, HUGE_TURNS, fixed, 2);
}

/* Below a page there is no slab of one node, but a page is one. */
TEST(small_pages_of_each_kind)
{
	static const __u64 lengths[] = { ZT_PAGE, 64, 1024 };

	by_turns(ZCBUF_POOL_PAGES, SMALL_TURNS, lengths, 3);
	by_turns(ZCBUF_POOL_TIERS, SMALL_TURNS, lengths, 3);
	by_turns(ZCBUF_POOL_FIXED, SMALL_TURNS, lengths, 1);
}

/* The other half is somebody else's to have. */
static void half(__u32 kind, __u64 length)
{
	int fd = pool_of(kind, HUGE_TURNS);
	__u64 h[MAX_BUFS], other;
	int n = use_up(fd, length, there, h);

	EXPECT_GE(n, 1);
	expect_on(fd, h, n, there);
	EXPECT_ERR(alloc_until(fd, length, there, 1, &other, 1), ETIMEDOUT);
	EXPECT_EQ(alloc_on(fd, length, here, &other, 1), 1);
	expect_on(fd, &other, 1, here);
	EXPECT_OK(zt_free1(fd, other));
	EXPECT_OK(zt_free1(fd, h[n / 2]));
	EXPECT_EQ(alloc_on(fd, length, there, &other, 1), 1);
	EXPECT_EQ(zcbuf_buf_offset(other), zcbuf_buf_offset(h[n / 2]));
}

TEST(another_node_is_no_room)
{
	if (one_node())
		return;
	half(ZCBUF_POOL_PAGES, 65536);
	half(ZCBUF_POOL_TIERS, 65536);
	half(ZCBUF_POOL_FIXED, 65536);
}

/* Two small pages side by side are of two nodes. */
TEST(no_block_lies_on_two_nodes)
{
	int fd = pool_of(ZCBUF_POOL_PAGES, SMALL_TURNS);
	__u64 h;

	if (one_node())
		return;
	EXPECT_ERR(alloc_on(fd, 2 * ZT_PAGE, there, &h, 1), ENOMEM);
	EXPECT_EQ(zt_alloc(fd, POOL_SIZE, 0, 0, &h, 1), 1);
}

TEST(a_pool_of_another_node)
{
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.arena_size = ZT_ARENA, .flags = ZCBUF_POOL_F_NODE);
	__u64 h;
	int fd;

	if (one_node())
		return;
	a.node = there;
	fd = zt_pool_as(&a);
	ASSERT_GE(fd, 0);
	EXPECT_ERR(alloc_until(fd, 1, here, ZCBUF_NO_DEADLINE, &h, 1), EINVAL);
	ASSERT_EQ(alloc_on(fd, 1, there, &h, 1), 1);
	EXPECT_OK(zt_free1(fd, h));
}

#define CGROUPS		"/sys/fs/cgroup/"
#define CGROUP		CGROUPS "zcbuf-selftest-node/"

static bool write_line(const char *path, const char *line)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, line, strlen(line)) > 0;

	close(fd);
	return ok;
}

/* It would be tried, and fail, and be tried by nobody for a while. */
static void without_a_node(void)
{
	int fd = pool_of(ZCBUF_POOL_PAGES, HUGE_TURNS);
	__u64 h;

	ASSERT_TRUE(write_line(CGROUP "cgroup.procs", "0"));
	EXPECT_ERR(alloc_on(fd, 1, there, &h, 1), EINVAL);
	EXPECT_EQ(alloc_on(fd, 1, here, &h, 1), 1);
}

TEST(a_node_the_cpuset_lacks)
{
	char node[16];
	pid_t child;

	if (one_node())
		return;
	write_line(CGROUPS "cgroup.subtree_control", "+cpuset");
	mkdir(CGROUP, 0755);
	snprintf(node, sizeof(node), "%u", here);
	if (!write_line(CGROUP "cpuset.mems", node))
		SKIP("no cpusets here");
	child = fork();
	if (!child) {
		without_a_node();
		_exit(0);
	}
	EXPECT_STATUS(child, 0);
	EXPECT_TRUE(HZ_UNTIL(!rmdir(CGROUP)));
}

/* By an arena of that node, whatever the others are of; and no further. */
static void grows(__u32 flags)
{
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.arena_size = ZT_ARENA, .max_size = 3 * ZT_ARENA,
		.flags = flags | ZCBUF_POOL_F_AUTO_GROW);
	int fd = zt_pool_as(&a);
	__u64 h[3];

	ASSERT_GE(fd, 0);
	ASSERT_EQ(zt_alloc(fd, ZT_ARENA, 0, 0, h, 1), 1);
	ASSERT_EQ(alloc_on(fd, ZT_ARENA, there, h + 1, 1), 1);
	EXPECT_EQ(zcbuf_buf_offset(h[1]), ZT_ARENA);
	expect_on(fd, h + 1, 1, there);
	ASSERT_EQ(alloc_on(fd, ZT_ARENA, here, h + 2, 1), 1);
	EXPECT_EQ(zcbuf_buf_offset(h[2]), 2 * ZT_ARENA);
	expect_on(fd, h + 2, 1, here);
	EXPECT_ERR(alloc_on(fd, 1, there, h, 1), ENOMEM);
}

TEST(grows_on_the_node)
{
	learn_nodes();
	grows(0);
	grows(ZCBUF_POOL_F_INTERLEAVE);
	grows(SMALL_TURNS);
}

static void *in_alloc(void *arg)
{
	const int *fd = arg;
	__u64 h;

	EXPECT_EQ(alloc_until(*fd, 65536, there, ZCBUF_NO_DEADLINE, &h, 1), 1);
	expect_on(*fd, &h, 1, there);
	return NULL;
}

/* What comes back of another node wakes him for nothing. */
TEST(who_waits_for_a_node)
{
	int fd = pool_of(ZCBUF_POOL_PAGES, HUGE_TURNS);
	struct thread t = { .run = in_alloc, .arg = &fd };
	__u64 h[MAX_BUFS], other;

	if (one_node())
		return;
	ASSERT_EQ(alloc_on(fd, 65536, here, &other, 1), 1);
	ASSERT_GE(use_up(fd, 65536, there, h), 1);
	thread_start(&t, SYS_ioctl);
	ASSERT_OK(zt_free1(fd, other));
	ASSERT_OK(zt_await_sleep(t.tid, SYS_ioctl));
	ASSERT_OK(zt_free1(fd, h[0]));
	thread_join(&t);
}

TEST(library)
{
	struct zcbuf_pool_opts o = {
		.sz = sizeof(o), .arena_size = ZT_ARENA, .max_size = 2 * ZT_ARENA,
		.flags = ZCBUF_POOL_F_AUTO_GROW,
	};
	struct zcbuf_buf_opts opts = {
		.sz = sizeof(opts), .flags = ZCBUF_ALLOC_F_NODE,
	};
	struct zcbuf_pool *pool;
	struct zcbuf_buf buf;

	learn_nodes();
	opts.node = there;
	ASSERT_OK(zcbuf_pool_create(&pool, &o));
	ASSERT_OK(zcbuf_buf_alloc_opts(pool, 5000, &opts, &buf));
	*(char *)buf.data = 1;
	EXPECT_EQ(nodes_of(buf.data), there);
	EXPECT_OK(zcbuf_buf_free(&buf));
	opts.node = 1U << 20;
	EXPECT_ERR(zcbuf_buf_alloc_opts(pool, 5000, &opts, &buf), EINVAL);
	EXPECT_OK(zcbuf_pool_close(pool));
}

/* What the pool is too small for is of that node as well. */
TEST(of_the_process)
{
	struct zcbuf_pool_opts o = { .sz = sizeof(o), .arena_size = ZT_ARENA };
	struct zcbuf_buf_opts opts = {
		.sz = sizeof(opts),
		.flags = ZCBUF_ALLOC_F_NODE | ZCBUF_BUF_F_FALLBACK,
	};
	struct zcbuf_pool *pool;
	struct zcbuf_buf buf;
	__u64 at;

	learn_nodes();
	opts.node = there;
	ASSERT_OK(zcbuf_pool_create(&pool, &o));
	ASSERT_OK(zcbuf_buf_alloc_opts(pool, ZT_ARENA + 1, &opts, &buf));
	ASSERT_EQ(buf.offset, ZCBUF_NO_OFFSET);
	for (at = 0; at < buf.capacity; at += ZT_PAGE) {
		((char *)buf.data)[at] = 1;
		ASSERT_EQ(nodes_of((char *)buf.data + at), there);
	}
	EXPECT_OK(zcbuf_buf_free(&buf));
	EXPECT_OK(zcbuf_pool_close(pool));
}

KTAP_MAIN()

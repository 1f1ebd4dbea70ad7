// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What only the calls on pools and buffers can get wrong: names, class tables,
 * sizes, nodes, donors, limits, handles.
 */
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "hostile.h"

#define MIB		ZT_MIB
#define LONG_NAME	"0123456789abcdef0123456789abcdef"		\
			"0123456789abcdef0123456789abcdef"

/* ----------------------------------------------------------------- create */

/* Refused, and the session can still make a pool afterwards. */
static void create_refused(int fd, struct zcbuf_pool_create a, int error)
{
	a.size = sizeof(a);
	EXPECT_ERR(zt_call(fd, ZCBUF_IOC_POOL_CREATE, &a), error);
}

static int fresh(void)
{
	int fd = zt_open(O_RDWR);

	ASSERT_GE(fd, 0);
	return fd;
}

static void name_refused(int fd, const char *name, __u32 len)
{
	create_refused(fd, (struct zcbuf_pool_create){
		.arena_size = ZT_ARENA, .name = zt_ptr(name), .name_len = len,
	}, EINVAL);
}

TEST(create_names)
{
	static const char bad[] = "/ \t\n\x7f\x80\xff\x01\x1b";
	char name[] = "a.b";
	int fd = fresh();
	size_t i;

	name_refused(fd, LONG_NAME "x", 65);
	name_refused(fd, "ab", 3);		/* a 0 in it */
	name_refused(fd, "", 1);
	for (i = 0; i < sizeof(bad) - 1; i++) {
		name[1] = bad[i];
		name_refused(fd, name, 3);
	}
	EXPECT_OK(zt_pool_create_named(fd, LONG_NAME, 0));
	EXPECT_OK(zt_pool_attach(fresh(), LONG_NAME, 0));
}

TEST(create_name_taken)
{
	int fd = fresh(), again = fresh();

	ASSERT_OK(zt_pool_create_named(fd, "taken", 0));
	EXPECT_ERR(zt_pool_create_named(again, "taken", 0), EEXIST);
	EXPECT_OK(zt_pool_create_named(again, "taken2", 0));
	close(fd);
	fd = fresh();
	EXPECT_TRUE(HZ_UNTIL(!zt_pool_create_named(fd, "taken", 0)));
}

TEST(create_options)
{
	const __u32 strict_small = ZCBUF_POOL_F_HUGE_STRICT |
				   ZCBUF_POOL_F_SMALL_PAGES;
	const struct zcbuf_pool_create ok = { .arena_size = ZT_ARENA };
	struct zcbuf_pool_create a;
	int fd = fresh();
	__u32 i;

	a = ok;
	for (a.kind = ZCBUF_POOL_FIXED + 1; a.kind; a.kind <<= 1)
		create_refused(fd, a, EOPNOTSUPP);
	a = ok;
	a.flags = ZCBUF_POOL_F_SHARED_PAGES;
	create_refused(fd, a, EINVAL);	/* of a kind that shares none */
	a.kind = ZCBUF_POOL_FIXED;
	create_refused(fd, a, EINVAL);	/* with an arena size */
	for (i = 0; i < 32; i++) {
		a = ok;
		a.mode = 1U << i;
		if (a.mode & ~0666U)
			create_refused(fd, a, EINVAL);
	}
	a = ok;
	a.flags = strict_small;
	create_refused(fd, a, EINVAL);
	EXPECT_OK(zt_pool_create(fd, ZCBUF_POOL_PAGES, 0, ZT_ARENA));
}

#define NR_NODES	(sizeof(nodes) / sizeof(*nodes))

static const __u32 nodes[] = { 1, 63, 64, 1023, 1024, 1U << 20, 1U << 31, ~0U };

/* This machine has at least node 0. */
static bool node_exists(__u32 node)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%u", node);
	return !access(path, F_OK);
}

TEST(create_nodes)
{
	struct zcbuf_pool_create a = {
		.arena_size = ZT_ARENA, .flags = ZCBUF_POOL_F_NODE,
	};
	int fd = fresh();
	size_t i;

	for (i = 0; i < NR_NODES; i++) {
		if (node_exists(nodes[i]))
			continue;
		a.node = nodes[i];
		create_refused(fd, a, EINVAL);
	}
	a.flags = 0;
	a.node = 1;
	create_refused(fd, a, EINVAL);
	a.flags = ZCBUF_POOL_F_INTERLEAVE;
	create_refused(fd, a, EINVAL);
	a.node = 0;
	a.flags |= ZCBUF_POOL_F_NODE;
	create_refused(fd, a, EINVAL);
	a = zt_arg(struct zcbuf_pool_create, .arena_size = ZT_ARENA,
		   .flags = ZCBUF_POOL_F_NODE);
	EXPECT_OK(zt_call(fd, ZCBUF_IOC_POOL_CREATE, &a));
}

static void sizes_refused(int fd, __u64 size, int error)
{
	create_refused(fd, (struct zcbuf_pool_create){ .arena_size = size },
		       error);
}

/* The machine has not that much: it must say so at once, and calmly. */
TEST(create_sizes)
{
	struct zcbuf_query q;
	int fd = fresh();

	ASSERT_EQ(zt_await_charged(0), 0);
	ASSERT_OK(zt_query(fd, &q));
	sizes_refused(fd, 1, EINVAL);
	sizes_refused(fd, 4096, EINVAL);
	sizes_refused(fd, q.out_arena_unit - 1, EINVAL);
	sizes_refused(fd, q.out_arena_unit + 1, EINVAL);
	sizes_refused(fd, ~0ULL, EINVAL);
	sizes_refused(fd, q.out_max_arena_size + q.out_arena_unit, E2BIG);
	sizes_refused(fd, 1ULL << 40, E2BIG);
	sizes_refused(fd, 1ULL << 63, E2BIG);
	sizes_refused(fd, ~0ULL & ~(q.out_arena_unit - 1), E2BIG);
	sizes_refused(fd, q.out_max_arena_size, ENOMEM);
	sizes_refused(fd, q.out_total_limit + q.out_arena_unit -
		      q.out_total_limit % q.out_arena_unit, ENOMEM);
	EXPECT_OK(zt_query(fd, &q));
	EXPECT_EQ(q.out_user_charged, 0);
	EXPECT_EQ(q.out_total_charged, 0);
	EXPECT_OK(zt_pool_create(fd, ZCBUF_POOL_PAGES, 0, ZT_ARENA));
	EXPECT_OK(zt_query(fd, &q));
	EXPECT_EQ(q.out_user_charged, ZT_ARENA);
	EXPECT_EQ(q.out_total_charged, ZT_ARENA);
}

/* @n lengths. */
static void classes_refused(int fd, const __u32 *length, __u32 n)
{
	struct zcbuf_class c[ZCBUF_MAX_CLASSES] = {};
	__u32 i;

	for (i = 0; i < n; i++)
		c[i].length = length[i];
	create_refused(fd, (struct zcbuf_pool_create){
		.kind = ZCBUF_POOL_TIERS, .arena_size = ZT_ARENA,
		.nclasses = n, .classes = zt_ptr(c),
	}, EINVAL);
}

TEST(create_classes)
{
	static const __u32 bad[][2] = {
		{ 0, 64 }, { 64, 0 }, { 15, 64 }, { 64, 64 }, { 128, 64 },
		{ 64, (1 << 20) + 1 }, { 64, ~0U }, { 64, 1U << 31 },
		{ 17, 31 },		/* both are rounded up to 32 */
	};
	struct zcbuf_class counted = { .length = 64, .count = 1 };
	struct zcbuf_class plain = { .length = 64 };
	int fd = fresh();
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		classes_refused(fd, bad[i], 2);
	create_refused(fd, (struct zcbuf_pool_create){
		.kind = ZCBUF_POOL_TIERS, .arena_size = ZT_ARENA,
		.nclasses = 1, .classes = zt_ptr(&counted) }, EINVAL);
	create_refused(fd, (struct zcbuf_pool_create){
		.kind = ZCBUF_POOL_PAGES, .arena_size = ZT_ARENA,
		.nclasses = 1, .classes = zt_ptr(&plain) }, EINVAL);
	EXPECT_OK(zt_pool_create(fd, ZCBUF_POOL_TIERS, 0, ZT_ARENA));
}

/* ----------------------------------------------------------------- attach */

static void attach_refused(int fd, struct zcbuf_pool_attach a, int error)
{
	a.size = sizeof(a);
	EXPECT_ERR(zt_call(fd, ZCBUF_IOC_POOL_ATTACH, &a), error);
}

TEST(attach_names)
{
	const char *name = "attach";
	int pool = fresh(), fd = fresh();
	int i;

	ASSERT_OK(zt_pool_create_named(pool, name, 0));
	EXPECT_ERR(zt_pool_attach(fd, "attac", 0), ENOENT);
	EXPECT_ERR(zt_pool_attach(fd, "attach2", 0), ENOENT);
	EXPECT_ERR(zt_pool_attach(fd, "ATTACH", 0), ENOENT);
	EXPECT_ERR(zt_pool_attach(fd, "", 0), EINVAL);
	EXPECT_ERR(zt_pool_attach(fd, "at/ch", 0), EINVAL);
	EXPECT_ERR(zt_pool_attach_uid(fd, name, 0, ~0U), ENOENT);
	EXPECT_ERR(zt_pool_attach_uid(fd, name, 0, 1), ENOENT);
	for (i = 5; i < 32; i++)
		EXPECT_ERR(zt_pool_attach(fd, name, 1U << i), EOPNOTSUPP);
	attach_refused(fd, (struct zcbuf_pool_attach){
		.name = zt_ptr(name), .name_len = 6, .uid = 1 }, EINVAL);
	attach_refused(fd, (struct zcbuf_pool_attach){
		.name = zt_ptr(name), .name_len = 6, .fd = 1 }, EINVAL);
	EXPECT_OK(zt_pool_attach_uid(fd, name, 0, getuid()));
	EXPECT_ERR(zt_pool_attach(fd, name, 0), EBUSY);
	EXPECT_ERR(zt_pool_attach(fd, "nobody", 0), EBUSY);
}

/* A pool without a name is found by no name. */
TEST(attach_anonymous)
{
	int pool = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);

	ASSERT_GE(pool, 0);
	EXPECT_ERR(zt_pool_attach(fresh(), "", 0), EINVAL);
	EXPECT_ERR(zt_pool_attach(fresh(), "0", 0), ENOENT);
}

TEST(attach_descriptors)
{
	const char *name = "x";
	int pool = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA), fd = fresh();
	int path = open(ZCBUF_DEVICE, O_PATH), null = open("/dev/null", O_RDWR);
	int p[2];

	ASSERT_GE(pool, 0);
	ASSERT_GE(path, 0);
	ASSERT_OK(pipe(p));
	EXPECT_ERR(zt_pool_attach_fd(fd, -1, 0), EBADF);
	EXPECT_ERR(zt_pool_attach_fd(fd, 999, 0), EBADF);
	EXPECT_ERR(zt_pool_attach_fd(fd, 0x7fffffff, 0), EBADF);
	EXPECT_ERR(zt_pool_attach_fd(fd, path, 0), EBADF);
	EXPECT_ERR(zt_pool_attach_fd(fd, null, 0), ENOENT);
	EXPECT_ERR(zt_pool_attach_fd(fd, p[0], 0), ENOENT);
	EXPECT_ERR(zt_pool_attach_fd(fd, fd, 0), ENOENT);
	EXPECT_ERR(zt_pool_attach_fd(fd, fresh(), 0), ENOENT);
	attach_refused(fd, (struct zcbuf_pool_attach){
		.flags = ZCBUF_ATTACH_F_FD, .fd = pool, .name = zt_ptr(name) },
		EINVAL);
	attach_refused(fd, (struct zcbuf_pool_attach){
		.flags = ZCBUF_ATTACH_F_FD, .fd = pool, .name_len = 1 }, EINVAL);
	attach_refused(fd, (struct zcbuf_pool_attach){
		.flags = ZCBUF_ATTACH_F_FD, .fd = pool, .uid = 1 }, EINVAL);
	attach_refused(fd, (struct zcbuf_pool_attach){
		.flags = ZCBUF_ATTACH_F_FD | ZCBUF_ATTACH_F_UID, .fd = pool },
		EINVAL);
	EXPECT_OK(zt_pool_attach_fd(fd, pool, 0));
	EXPECT_ERR(zt_pool_attach_fd(fd, fd, 0), EBUSY);
}

static __u32 rights_of(int fd)
{
	struct zcbuf_query q;

	ASSERT_OK(zt_query(fd, &q));
	return q.out_rights;
}

/* What a session got from @donor, opened with @oflags. */
static int narrowed(int donor, int oflags, __u32 rights)
{
	int fd = zt_open(oflags);

	ASSERT_GE(fd, 0);
	ASSERT_OK(zt_pool_attach_fd(fd, donor, rights));
	return fd;
}

TEST(rights_only_narrow)
{
	const __u32 write_only = ZCBUF_RIGHT_MAP_WRITE | ZCBUF_RIGHT_PRODUCE;
	int pool = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	int rd = narrowed(pool, O_RDONLY, 0);
	int wr = narrowed(pool, O_WRONLY, 0);
	int one = narrowed(pool, O_RDWR, ZCBUF_RIGHT_CONSUME);
	int i;

	EXPECT_EQ(rights_of(pool), ZCBUF_RIGHTS_ALL);
	EXPECT_EQ(rights_of(rd), ZT_READ_ONLY);
	EXPECT_EQ(rights_of(wr), write_only);
	EXPECT_EQ(rights_of(one), ZCBUF_RIGHT_CONSUME);
	EXPECT_EQ(rights_of(narrowed(rd, O_RDWR, 0)), ZT_READ_ONLY);
	EXPECT_EQ(rights_of(narrowed(wr, O_RDWR, 0)), write_only);
	EXPECT_ERR(zt_pool_attach_fd(fresh(), rd, ZCBUF_RIGHTS_ALL), EPERM);
	for (i = 0; i < 5; i++) {
		__u32 right = 1U << i;

		if (right != ZCBUF_RIGHT_CONSUME)
			EXPECT_ERR(zt_pool_attach_fd(fresh(), one, right),
				   EPERM);
		if (!(right & ZT_READ_ONLY))
			EXPECT_ERR(zt_pool_attach_fd(zt_open(O_RDONLY), pool,
						     right), EPERM);
	}
	/* Nothing is left. */
	EXPECT_ERR(zt_pool_attach_fd(zt_open(O_WRONLY), rd, 0), EPERM);
}

/* Names are of the caller's ipc namespace; descriptors are of none. */
TEST(names_of_namespaces)
{
	int fd = fresh(), other = fresh(), inside = fresh();
	pid_t child;

	ASSERT_OK(zt_pool_create_named(fd, "where", 0666));
	child = fork();
	if (!child) {
		ASSERT_OK(unshare(CLONE_NEWIPC));
		EXPECT_ERR(zt_pool_attach(other, "where", 0), ENOENT);
		EXPECT_ERR(zt_pool_attach_uid(other, "where", 0, 0), ENOENT);
		EXPECT_OK(zt_pool_create_named(inside, "where", 0));
		EXPECT_OK(zt_pool_attach_fd(other, fd, 0));
		_exit(0);
	}
	EXPECT_STATUS(child, 0);
}

/* ----------------------------------------------------------------- limits */

static bool write_line(const char *path, const char *line)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, line, strlen(line)) > 0;

	close(fd);
	return ok;
}

#define CGROUPS		"/sys/fs/cgroup/"
#define CGROUP		CGROUPS "zcbuf-selftest/"

static int elsewhere = -1;	/* a pool made outside */

/* @inside in a process of a memory cgroup of 16 MiB, which nobody kills. */
static void in_a_cgroup(void (*inside)(int fd))
{
	pid_t child;

	write_line(CGROUPS "cgroup.subtree_control", "+memory");
	mkdir(CGROUP, 0755);
	if (!write_line(CGROUP "memory.max", "16777216"))
		SKIP("no memory cgroup here");
	child = fork();
	if (!child) {
		ASSERT_TRUE(write_line(CGROUP "cgroup.procs", "0"));
		inside(fresh());
		_exit(0);
	}
	EXPECT_STATUS(child, 0);
	EXPECT_TRUE(HZ_UNTIL(!rmdir(CGROUP)));
	close(elsewhere);
	EXPECT_EQ(zt_await_charged(0), 0);
}

static void larger_than_the_cgroup(int fd)
{
	EXPECT_ERR(zt_pool_create(fd, ZCBUF_POOL_PAGES, 0, 32 * MIB), ENOMEM);
	EXPECT_ERR(zt_pool_create(fd, ZCBUF_POOL_PAGES,
				  ZCBUF_POOL_F_SMALL_PAGES, 32 * MIB), ENOMEM);
	EXPECT_ERR(zt_pool_create(fd, ZCBUF_POOL_PAGES,
				  ZCBUF_POOL_F_HUGE_STRICT, 32 * MIB), ENOMEM);
	EXPECT_OK(zt_pool_create(fd, ZCBUF_POOL_PAGES, 0, 4 * MIB));
}

/* A pool larger than the memory cgroup: an error, and nobody is killed. */
TEST(limit_of_a_cgroup)
{
	in_a_cgroup(larger_than_the_cgroup);
}

/* A pool of elsewhere is paid for elsewhere, whoever needs its memory. */
static void needs_a_pool_of_elsewhere(int fd)
{
	__u64 h;
	int i;

	(void)fd;
	for (i = 0; i < 6; i++)
		EXPECT_OK(zt_alloc1(elsewhere, 4 * MIB, &h));
}

static void grows_to_the_cgroup(int fd)
{
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.flags = ZCBUF_POOL_F_AUTO_GROW, .arena_size = 4 * MIB,
		.max_size = 64 * MIB);
	struct zcbuf_pool_info info;
	int n = 0, err;
	__u64 h;

	ASSERT_OK(zt_call(fd, ZCBUF_IOC_POOL_CREATE, &a));
	while (!(err = zt_alloc1(fd, 4 * MIB, &h)))
		n++;
	EXPECT_ERR(err, ENOMEM);
	EXPECT_GE(n, 2);
	EXPECT_LT(n, 5);
	EXPECT_ERR(zt_pool_grow(fd, NULL), ENOMEM);
	ASSERT_OK(zt_pool_info(fd, &info));
	EXPECT_EQ(info.out_arenas, n);
	EXPECT_OK(zt_free1(fd, h));
	EXPECT_OK(zt_alloc1(fd, 4 * MIB, &h));
}

/* The same of one that grows: it has what it had. */
TEST(growth_in_a_cgroup)
{
	in_a_cgroup(grows_to_the_cgroup);
}

TEST(growth_for_a_cgroup)
{
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.flags = ZCBUF_POOL_F_AUTO_GROW, .arena_size = 4 * MIB,
		.max_size = 24 * MIB);

	elsewhere = zt_pool_as(&a);
	ASSERT_GE(elsewhere, 0);
	in_a_cgroup(needs_a_pool_of_elsewhere);
}

static void may_open(rlim_t n)
{
	struct rlimit r = { n, n };

	ASSERT_OK(setrlimit(RLIMIT_NOFILE, &r));
}

TEST(limit_of_sessions)
{
	struct zcbuf_pool_info info;
	struct zcbuf_query q;
	int pool = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	int last = -1, over;
	__u32 i;

	ASSERT_OK(zt_query(pool, &q));
	may_open(q.out_max_sessions + 64);
	for (i = 1; i < q.out_max_sessions; i++) {
		last = zt_join(pool, 0);
		ASSERT_GE(last, 0);
	}
	over = fresh();
	EXPECT_ERR(zt_pool_attach_fd(over, pool, 0), EMFILE);
	ASSERT_OK(zt_pool_info(pool, &info));
	EXPECT_EQ(info.out_sessions, q.out_max_sessions);
	close(last);
	EXPECT_OK(zt_pool_attach_fd(over, pool, 0));
}

TEST(limit_of_channels)
{
	struct zcbuf_channel_open a = {
		.ports = ZCBUF_PORT_PRODUCE, .max_outstanding = 8,
		.flags = ZCBUF_CHANNEL_F_THRESHOLD,
	};
	struct zcbuf_pool_info info;
	struct zcbuf_query q;
	int pool = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	__u32 i;

	ASSERT_OK(zt_query(pool, &q));
	for (i = 0; i < q.out_max_channels; i++)
		ASSERT_OK(zt_channel_open(pool, &a));
	EXPECT_ERR(zt_channel_open(pool, &a), EMFILE);
	ASSERT_OK(zt_pool_info(pool, &info));
	EXPECT_EQ(info.out_channels, q.out_max_channels);
	EXPECT_OK(zt_channel_close(pool, a.out_channel, 0));
	EXPECT_OK(zt_channel_open(pool, &a));
}

/* ---------------------------------------------------------------- buffers */

TEST(alloc_arguments)
{
	struct zcbuf_pool_info before, after;
	int pages = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	int tiers = zt_pool(ZCBUF_POOL_TIERS, 0, ZT_ARENA);
	__u64 h = 0;
	int i;

	hz_state(pages, &before);
	for (i = 1; i < 32; i++) {
		EXPECT_ERR(zt_alloc(pages, 1, (1U << i) + 1, 0, &h, 1), EINVAL);
		if (1ULL << i > 2 * MIB)
			EXPECT_ERR(zt_alloc(pages, 1, 1U << i, 0, &h, 1),
				   EINVAL);
	}
	EXPECT_ERR(zt_alloc(pages, ZT_ARENA + 1, 0, 0, &h, 1), E2BIG);
	for (i = 22; i < 64; i++)
		EXPECT_ERR(zt_alloc(pages, 1ULL << i, 0, 0, &h, 1), E2BIG);
	EXPECT_ERR(zt_alloc(pages, ~0ULL, 0, 0, &h, 1), E2BIG);
	EXPECT_ERR(zt_alloc(tiers, ~0ULL, 0, 0, &h, 1), E2BIG);
	EXPECT_ERR(zt_alloc(tiers, 0, 0, 0, &h, 1), EINVAL);
	EXPECT_EQ(h, 0);
	hz_state(pages, &after);
	EXPECT_EQ(memcmp(&before, &after, sizeof(after)), 0);
	EXPECT_OK(zt_alloc1(pages, 0, &h));
	EXPECT_EQ(zt_alloc(pages, 1, 1 * MIB, 0, &h, 1), 1);
	EXPECT_EQ(zcbuf_buf_offset(h) % MIB, 0);
}

TEST(alloc_nodes)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	struct zcbuf_alloc a = zt_arg(struct zcbuf_alloc, .length = 1,
		.count = 1, .deadline_ns = ZCBUF_NO_DEADLINE);
	struct zcbuf_pool_info before, after;
	__u64 h = 0;
	size_t i;

	a.handles = zt_ptr(&h);
	hz_state(fd, &before);
	for (i = 0; i < NR_NODES; i++) {
		a.node = nodes[i];
		a.flags = ZCBUF_ALLOC_F_ZERO;
		EXPECT_ERR(zt_call(fd, ZCBUF_IOC_ALLOC, &a), EINVAL);
		a.flags = ZCBUF_ALLOC_F_NODE;
		if (!node_exists(nodes[i]))
			EXPECT_ERR(zt_call(fd, ZCBUF_IOC_ALLOC, &a), EINVAL);
	}
	hz_state(fd, &after);
	EXPECT_EQ(memcmp(&before, &after, sizeof(after)), 0);
	EXPECT_EQ(h, 0);
}

/* Two fit, the third does not: two are given, and none is lost. */
TEST(alloc_partial)
{
	__u64 h[4] = {};
	struct zcbuf_alloc a = zt_arg(struct zcbuf_alloc, .length = MIB,
		.handles = zt_ptr(h), .count = 4, .out_done = 77,
		.out_error = 77);
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);

	EXPECT_OK(zt_call(fd, ZCBUF_IOC_ALLOC, &a));
	EXPECT_EQ(a.out_done, 2);
	EXPECT_EQ(a.out_error, ENOMEM);
	EXPECT_EQ(h[2], 0);
	EXPECT_EQ(zt_used(fd), 2 * MIB);
	EXPECT_ERR(zt_call(fd, ZCBUF_IOC_ALLOC, &a), ENOMEM);
	EXPECT_EQ(zt_free(fd, h, 2), 2);
	EXPECT_EQ(zt_used(fd), 0);
}

/* It works up to the entry that is wrong, and leaves the rest. */
TEST(free_partial)
{
	__u64 h[3], batch[3];
	struct zcbuf_batch a = zt_arg(struct zcbuf_batch, .count = 3,
		.entries = zt_ptr(batch));
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);

	ASSERT_EQ(zt_alloc(fd, 4096, 0, 0, h, 3), 3);
	batch[0] = h[0];
	batch[1] = h[0];
	batch[2] = h[2];
	EXPECT_OK(zt_call(fd, ZCBUF_IOC_FREE, &a));
	EXPECT_EQ(a.out_done, 1);
	EXPECT_EQ(a.out_error, EBADSLT);
	EXPECT_EQ(zt_used(fd), 2 * 4096);
	EXPECT_ERR(zt_call(fd, ZCBUF_IOC_FREE, &a), EBADSLT);
	EXPECT_EQ(zt_free(fd, &h[1], 2), 2);
	EXPECT_EQ(zt_bad_frees(fd), 2);
}

static bool free_error(int err)
{
	return err == -EINVAL || err == -ENOENT || err == -EBADSLT ||
	       err == -ESTALE || err == -EPERM;
}

/* Whatever a handle says, it frees what was issued, or nothing. */
static void free_anything(int fd, const __u64 *mine, int n)
{
	static const int bits[] = { 0, 12, 28, 36, 40, 57 };
	__u64 used = zt_used(fd), bad = zt_bad_frees(fd), tried = 0;
	__u64 class, h;
	size_t i;
	int k;

	for (class = 0; class < 64; class++)
		for (i = 0; i < sizeof(bits) / sizeof(*bits); i++)
			for (k = -1; k < 3; k++, tried++) {
				h = class << ZCBUF_BUF_CLASS_SHIFT |
				    (((1ULL << bits[i]) + k) &
				     ((1ULL << ZCBUF_BUF_CLASS_SHIFT) - 1));
				if (h == mine[0] || h == mine[1])
					continue;
				EXPECT_TRUE(free_error(zt_free1(fd, h)));
			}
	for (k = 0; k < n; k++)
		for (i = 0; i < 64; i++, tried++)
			EXPECT_TRUE(free_error(zt_free1(fd, mine[k] ^
							1ULL << i)));
	EXPECT_EQ(zt_used(fd), used);
	EXPECT_GE(zt_bad_frees(fd), bad + tried - 2);
	for (k = 0; k < n; k++)
		EXPECT_OK(zt_free1(fd, mine[k]));
}

TEST(free_forged)
{
	int pages = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	int tiers = zt_pool(ZCBUF_POOL_TIERS, 0, ZT_ARENA);
	__u64 h[2];

	ASSERT_OK(zt_alloc1(pages, 8192, &h[0]));
	ASSERT_OK(zt_alloc1(pages, 4096, &h[1]));
	free_anything(pages, h, 2);
	EXPECT_EQ(zt_used(pages), 0);
	ASSERT_OK(zt_alloc1(tiers, 64, &h[0]));
	ASSERT_OK(zt_alloc1(tiers, 1 * MIB, &h[1]));
	free_anything(tiers, h, 2);
	EXPECT_EQ(zt_used(tiers), 0);
}

TEST(free_of_others)
{
	int fd = zt_pool(ZCBUF_POOL_TIERS, 0, ZT_ARENA);
	int other = zt_join(fd, 0);
	__u64 block, object;

	ASSERT_OK(zt_alloc1(fd, 1 * MIB, &block));
	ASSERT_OK(zt_alloc1(fd, 64, &object));
	EXPECT_ERR(zt_free1(other, block), EPERM);
	EXPECT_ERR(zt_free1(other, object), EPERM);
	EXPECT_EQ(zt_bad_frees(fd), 2);
	EXPECT_OK(zt_free1(fd, block));
	EXPECT_OK(zt_free1(fd, object));
	EXPECT_ERR(zt_free1(other, block), EBADSLT);
	EXPECT_EQ(zt_used(fd), 0);
}

/* Freed, and somebody's again: neither the old owner nor the new one frees it
 * by the old name.
 */
TEST(free_stale)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	int other = zt_join(fd, 0);
	__u64 h, again;

	ASSERT_OK(zt_alloc1(fd, ZT_ARENA, &h));
	ASSERT_OK(zt_free1(fd, h));
	ASSERT_OK(zt_alloc1(other, ZT_ARENA, &again));
	EXPECT_NE(h, again);
	EXPECT_EQ(zcbuf_buf_offset(h), zcbuf_buf_offset(again));
	EXPECT_ERR(zt_free1(fd, h), ESTALE);
	EXPECT_ERR(zt_free1(other, h), ESTALE);
	EXPECT_EQ(zt_used(fd), ZT_ARENA);
	EXPECT_OK(zt_free1(other, again));
}

/* A channel's pages and another pool's buffers are nobody's buffers here. */
TEST(free_what_is_no_buffer)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	int other = zt_pool(ZCBUF_POOL_PAGES, 0, 2 * ZT_ARENA);
	struct zcbuf_reservation r;
	__u64 channel, h, page;

	ASSERT_OK(zt_stream(fd, 0, 0, &channel));
	ASSERT_OK(zt_reserve1(fd, channel, 4096, &r));
	for (h = 0; h < 4; h++) {
		page = h << ZCBUF_BUF_PAGE_BITS | r.out_pool_offset >> 12;
		EXPECT_TRUE(free_error(zt_free1(fd, page)));
	}
	ASSERT_OK(zt_alloc1(other, ZT_ARENA, &h));
	EXPECT_OK(zt_free1(other, h));
	ASSERT_OK(zt_alloc1(other, 2 * ZT_ARENA, &h));
	EXPECT_ERR(zt_free1(fd, h), EINVAL);
	EXPECT_OK(zt_commit1(fd, channel, &r));
}

TEST(info_classes)
{
	struct zcbuf_class_info c[16] = {};
	struct zcbuf_pool_info a = zt_arg(struct zcbuf_pool_info,
		.classes = zt_ptr(c), .nclasses = 1,
		.entry_size = sizeof(*c));
	int fd = zt_pool(ZCBUF_POOL_TIERS, 0, ZT_ARENA);
	__u32 n;

	EXPECT_ERR(zt_call(fd, ZCBUF_IOC_POOL_INFO, &a), EMSGSIZE);
	n = a.nclasses;
	EXPECT_EQ(n, 8);
	EXPECT_FILLED(c, 0, sizeof(c));
	a.nclasses = n - 1;
	EXPECT_ERR(zt_call(fd, ZCBUF_IOC_POOL_INFO, &a), EMSGSIZE);
	EXPECT_OK(zt_call(fd, ZCBUF_IOC_POOL_INFO, &a));
	EXPECT_EQ(c[n - 1].length, 256 * 1024);
	EXPECT_FILLED(&c[n], 0, sizeof(c) - n * sizeof(*c));
	a.nclasses = ~0U;
	EXPECT_OK(zt_call(fd, ZCBUF_IOC_POOL_INFO, &a));
	EXPECT_EQ(a.nclasses, n);
	EXPECT_FILLED(&c[n], 0, sizeof(c) - n * sizeof(*c));
}

/* Of programs that know less or more of an entry. */
TEST(info_entry_sizes)
{
	unsigned char room[8 * 4096 + 1];
	struct zcbuf_pool_info a = zt_arg(struct zcbuf_pool_info,
		.classes = zt_ptr(room), .nclasses = 8);
	const size_t known = sizeof(struct zcbuf_class_info);
	int fd = zt_pool(ZCBUF_POOL_TIERS, 0, ZT_ARENA), i;

	memset(room, 0x5a, sizeof(room));
	EXPECT_ERR(zt_call(fd, ZCBUF_IOC_POOL_INFO, &a), EINVAL);
	a.entry_size = known - 1;
	EXPECT_ERR(zt_call(fd, ZCBUF_IOC_POOL_INFO, &a), EINVAL);
	a.entry_size = 4097;
	EXPECT_ERR(zt_call(fd, ZCBUF_IOC_POOL_INFO, &a), EINVAL);
	EXPECT_FILLED(room, 0x5a, sizeof(room));
	a.entry_size = 4096;
	EXPECT_OK(zt_call(fd, ZCBUF_IOC_POOL_INFO, &a));
	for (i = 0; i < 8; i++)
		EXPECT_FILLED(room + 4096 * i + known, 0, 4096 - known);
	EXPECT_EQ(room[8 * 4096], 0x5a);
	a.classes = 0;
	a.entry_size = 0;
	EXPECT_OK(zt_call(fd, ZCBUF_IOC_POOL_INFO, &a));
}

KTAP_MAIN()

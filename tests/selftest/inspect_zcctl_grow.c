// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * zcctl on pools that grow: their arenas, and zcctl pool grow, for who may and
 * for who may not.
 */
#include <fcntl.h>
#include <sched.h>

#include "zcctl.h"

/* A pool of one arena that may have @narenas. */
static int growing_pool(const char *name, unsigned int mode,
			unsigned int narenas)
{
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.mode = mode, .arena_size = ZT_ARENA,
		.max_size = narenas * ZT_ARENA, .name = zt_ptr(name),
		.name_len = name ? strlen(name) : 0);
	int fd = zt_pool_as(&a);

	ASSERT_GE(fd, 0);
	return fd;
}

/* In JSON and in columns; the second arena has what the first has no room for. */
TEST(arenas)
{
	int fd = growing_pool("zcctl-arenas", 0, 3);
	struct zcbuf_pool_info info;
	char *flat, *out;
	__u64 h[2];

	ASSERT_OK(zt_pool_grow(fd, NULL));
	ASSERT_OK(zt_alloc1(fd, ZT_ARENA, &h[0]));
	ASSERT_OK(zt_alloc1(fd, 8192, &h[1]));
	ASSERT_OK(zt_pool_info(fd, &info));
	flat = expect_json("zcctl -j pool show zcctl-arenas", 0);
	EXPECT_STREQ(get(flat, "pools", 0, "size"), dec(2 * ZT_ARENA));
	EXPECT_STREQ(get(flat, "pools", 0, "max_size"), dec(3 * ZT_ARENA));
	EXPECT_STREQ(get(flat, "pools", 0, "max_used"), dec(ZT_ARENA + 8192));
	EXPECT_STREQ(get(flat, "pools", 0, "arenas"), "2");
	EXPECT_STREQ(get(flat, "pools.0.arena_list", 0, "index"), "0");
	EXPECT_STREQ(get(flat, "pools.0.arena_list", 0, "used"), dec(ZT_ARENA));
	EXPECT_STREQ(get(flat, "pools.0.arena_list", 0, "page_order"),
		     dec(info.out_page_order));
	EXPECT_STREQ(get(flat, "pools.0.arena_list", 1, "index"), "1");
	EXPECT_STREQ(get(flat, "pools.0.arena_list", 1, "offset"), dec(ZT_ARENA));
	EXPECT_STREQ(get(flat, "pools.0.arena_list", 1, "size"), dec(ZT_ARENA));
	EXPECT_STREQ(get(flat, "pools.0.arena_list", 1, "used"), "8192");
	EXPECT_STREQ(get(flat, "pools.0.arena_list", 1, "largest_free"),
		     dec(info.out_largest_free));
	EXPECT_STREQ(get(flat, "pools.0.arena_list", 2, "index"), "");
	free(flat);
	out = expect("zcctl pool show zcctl-arenas", 0, "");
	EXPECT_TRUE(strstr(out, "\n      0      0B  2MiB  2MiB       0B  "));
	EXPECT_TRUE(strstr(out, "\n      1    2MiB  2MiB  8KiB     1MiB  "));
	free(out);
}

/* ---------------------------------------------------------------------- grow */

static __u64 size_of(int fd)
{
	struct zcbuf_pool_info info;

	ASSERT_OK(zt_pool_info(fd, &info));
	return info.out_size;
}

TEST(pool_grow)
{
	int fd = growing_pool("zcctl-grow", 0, 4);
	char *out, *flat, line[64], value[64];

	out = expect("zcctl pool grow zcctl-grow", 0, "");
	EXPECT_STREQ(out, "pool zcctl-grow: grown by 2MiB to 4MiB of at most 8MiB\n");
	EXPECT_EQ(size_of(fd), 2 * ZT_ARENA);
	free(out);
	snprintf(line, sizeof(line), "zcctl -b pool grow 0x%llx",
		 (unsigned long long)query(fd).out_pool);
	out = expect(line, 0, "");
	EXPECT_STREQ(out, "pool zcctl-grow: grown by 2097152 to 6291456 of at most 8388608\n");
	free(out);
	flat = expect_json("zcctl -j pool grow zcctl-grow", 0);
	EXPECT_STREQ(json_get(flat, "grown.handle", value, sizeof(value)),
		     hex(query(fd).out_pool));
	EXPECT_STREQ(json_get(flat, "grown.size", value, sizeof(value)),
		     dec(4 * ZT_ARENA));
	EXPECT_STREQ(json_get(flat, "grown.max_size", value, sizeof(value)),
		     dec(4 * ZT_ARENA));
	EXPECT_STREQ(json_get(flat, "grown.arena", value, sizeof(value)), "3");
	EXPECT_STREQ(json_get(flat, "grown.arena_size", value, sizeof(value)),
		     dec(ZT_ARENA));
	free(flat);
	EXPECT_EQ(size_of(fd), 4 * ZT_ARENA);
	out = expect("zcctl pool grow zcctl-grow", 1,
		     "pool 'zcctl-grow' cannot grow by 2MiB: 8MiB is all it may have");
	EXPECT_STREQ(out, "");
	free(out);
	EXPECT_EQ(size_of(fd), 4 * ZT_ARENA);
}

TEST(pool_grow_of_others)
{
	int roots = growing_pool("zcctl-roots", 0666, 3), users;
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.arena_size = ZT_ARENA, .max_size = 2 * ZT_ARENA,
		.name = zt_ptr("zcctl-users"), .name_len = 11);
	pid_t pid;

	users = zt_open(O_RDWR);
	pid = fork();
	if (!pid) {
		ASSERT_OK(zt_become(ZT_USER, ZT_GROUP));
		ASSERT_OK(zt_call(users, ZCBUF_IOC_POOL_CREATE, &a));
		free(expect("zcctl pool grow zcctl-roots", 1,
			    "can only be grown by its user, 0, or with CAP_SYS_ADMIN"));
		_exit(0);
	}
	EXPECT_STATUS(pid, 0);
	EXPECT_EQ(size_of(roots), ZT_ARENA);
	free(expect("zcctl pool grow zcctl-users", 0, ""));
	EXPECT_EQ(size_of(users), 2 * ZT_ARENA);
	/* Its name is not to be found from elsewhere, and another's is not it. */
	ASSERT_OK(unshare(CLONE_NEWIPC));
	free(expect("zcctl pool grow zcctl-roots", 1, "another IPC namespace"));
	growing_pool("zcctl-roots", 0, 3);
	free(expect("zcctl pool grow zcctl-roots", 1, "there are 2 pools"));
	EXPECT_EQ(size_of(roots), ZT_ARENA);
}

TEST(pool_grow_without_name)
{
	int fd = growing_pool(NULL, 0, 3);
	char line[64];

	snprintf(line, sizeof(line), "zcctl pool grow 0x%llx",
		 (unsigned long long)query(fd).out_pool);
	free(expect(line, 1, "has no name"));
	free(expect("zcctl pool grow no-such-pool", 1, "no pool 'no-such-pool'"));
	free(expect("zcctl pool grow", 2, "usage: zcctl"));
	EXPECT_EQ(size_of(fd), ZT_ARENA);
}

/* As check does, it names the limit, and what raises it. */
TEST(pool_grow_beyond_a_limit)
{
	struct zcbuf_query q;
	int fd, other, left;

	ASSERT_OK(zt_become(ZT_USER, ZT_GROUP));
	fd = growing_pool("zcctl-poor", 0, 3);
	other = zt_open(O_RDWR);
	ASSERT_OK(zt_query(other, &q));
	left = (q.out_user_limit - q.out_user_charged) >> 21;
	ASSERT_GT(left, 1);
	ASSERT_OK(zt_pool_create(other, ZCBUF_POOL_PAGES, 0, left * ZT_ARENA));
	free(expect("zcctl pool grow zcctl-poor", 1, "parameters/user_limit_mb"));
	EXPECT_EQ(size_of(fd), ZT_ARENA);
	close(other);
	free(expect("zcctl pool grow zcctl-poor", 0, ""));
}

KTAP_MAIN()

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * zcctl on pools as a whole: made by hand, retired in parts, removed, for who may and
 * for who may not.
 */
#include <fcntl.h>
#include <signal.h>

#include "zcctl.h"

#define CREATE	"zcctl -j pool create "

static const char *value(const char *flat, const char *path)
{
	static char value[128];

	return json_get(flat, path, value, sizeof(value));
}

static int attach(const char *name)
{
	int fd = zt_open(O_RDWR);

	ASSERT_GE(fd, 0);
	ASSERT_OK(zt_pool_attach(fd, name, 0));
	return fd;
}

TEST(made_used_and_removed)
{
	__u64 before = zt_await_charged(0);
	struct zcbuf_pool_info info;
	char *flat;
	int fd;

	flat = expect_json(CREATE "admin --size 2M --max-size 4M --kind tiers --class 128 --class 3K --huge never --interleave --mode 0640 --persistent", 0);
	EXPECT_STREQ(value(flat, "created.name"), "\"admin\"");
	free(flat);
	flat = expect_json("zcctl -j pool list admin", 0);
	EXPECT_STREQ(get(flat, "pools", 0, "kind"), "\"tiers\"");
	EXPECT_STREQ(get(flat, "pools", 0, "mode"), "\"0640\"");
	EXPECT_STREQ(get(flat, "pools", 0, "size"), dec(2 << 20));
	EXPECT_STREQ(get(flat, "pools", 0, "max_size"), dec(4 << 20));
	EXPECT_STREQ(get(flat, "pools", 0, "sessions"), "0");
	EXPECT_STREQ(value(flat, "pools.0.flags.0"), "\"small_pages\"");
	EXPECT_STREQ(value(flat, "pools.0.flags.1"), "\"persistent\"");
	EXPECT_STREQ(value(flat, "pools.0.flags.2"), "\"interleave\"");
	EXPECT_STREQ(get(flat, "pools.0.classes", 1, "length"), "3072");
	free(flat);

	fd = attach("admin");
	free(expect("zcctl pool grow admin", 0, ""));
	free(expect("zcctl pool retire admin 1 --now", 0, ""));
	ASSERT_OK(zt_pool_info(fd, &info));
	EXPECT_EQ(info.out_present, 1);
	EXPECT_EQ(info.out_size, 2 << 20);
	free(expect("zcctl pool remove admin", 0, ""));
	free(expect("zcctl pool remove admin", 1, "there is no pool 'admin'"));
	EXPECT_EQ(zt_charged(), before + (2 << 20));
	close(fd);
	EXPECT_EQ(zt_await_charged(before), before);
}

TEST(arenas_that_go)
{
	int fd = zt_open(O_RDWR);
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.arena_size = ZT_ARENA, .max_size = 3 * ZT_ARENA,
		.name = zt_ptr("going"), .name_len = 5);
	__u64 h[2];
	char *flat, *out;

	ASSERT_OK(zt_call(fd, ZCBUF_IOC_POOL_CREATE, &a));
	ASSERT_OK(zt_pool_grow(fd, NULL));
	ASSERT_EQ(zt_alloc(fd, ZT_ARENA, 0, 0, h, 2), 2);
	free(expect("zcctl pool retire going 1 --now", 1, "it is in use"));
	free(expect("zcctl pool retire going 0", 1, "the first one stays"));
	free(expect("zcctl pool retire going 7", 1, "there is none"));
	flat = expect_json("zcctl -j pool retire going 1", 0);
	EXPECT_STREQ(value(flat, "retired.state"), "\"retiring\"");
	free(flat);
	out = expect("zcctl pool show going", 0, "");
	EXPECT_TRUE(strstr(out, "  retiring\n"));
	free(out);
	free(expect("zcctl pool retire going 1 --cancel", 0, ""));
	free(expect("zcctl pool retire going 1", 0, ""));
	EXPECT_OK(zt_free1(fd, h[1]));
	out = expect("zcctl pool retire going 1 --wait", 0, "");
	EXPECT_STREQ(out, "pool going: arena 1 is gone\n");
	free(out);
	free(expect("zcctl pool retire going 1 --cancel", 1, "too late"));
	free(expect("zcctl pool grow going", 0, ""));
	flat = expect_json("zcctl -j pool show going", 0);
	EXPECT_STREQ(get(flat, "pools", 0, "size"), dec(2 * ZT_ARENA));
	EXPECT_STREQ(get(flat, "pools.0.arena_list", 1, "index"), "2");
	EXPECT_STREQ(get(flat, "pools.0.arena_list", 1, "state"), "\"live\"");
	free(flat);
}

/* Without --persistent it lives as long as zcctl. */
TEST(held_by_zcctl)
{
	__u64 before = zt_await_charged(0);
	int fd, out[2];
	char line[80];
	pid_t pid;

	ASSERT_OK(pipe(out));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		dup2(out[1], 1);
		execlp("zcctl", "zcctl", "pool", "create", "held", "--size=2M",
		       NULL);
		_exit(127);
	}
	close(out[1]);
	ASSERT_GT(read(out[0], line, sizeof(line)), 0);
	fd = attach("held");
	close(fd);
	EXPECT_OK(kill(pid, SIGTERM));
	ASSERT_EQ(waitpid(pid, NULL, 0), pid);
	EXPECT_EQ(zt_await_charged(before), before);
	free(expect("zcctl pool remove held", 1, "there is no pool 'held'"));
}

static void as_user(void (*body)(void))
{
	pid_t pid = fork();

	ASSERT_GE(pid, 0);
	if (!pid) {
		ASSERT_OK(zt_become(ZT_USER, ZT_GROUP));
		body();
		_exit(KTAP_PASS);
	}
	ASSERT_STATUS(pid, KTAP_PASS);
}

static void user_tries(void)
{
	free(expect("zcctl pool create mine --size 2M --persistent", 1,
		    "takes CAP_SYS_ADMIN"));
	free(expect("zcctl pool remove roots", 1,
		    "can only be removed by its user, 0"));
	free(expect("zcctl pool retire roots 1", 1,
		    "can only be shrunk by its user, 0"));
	free(expect("zcctl pool grow given", 0, ""));
	free(expect("zcctl pool retire given 1", 0, ""));
	free(expect("zcctl pool remove given", 0, ""));
}

TEST(who_may)
{
	__u64 before = zt_await_charged(0);

	free(expect(CREATE "roots --size 2M --mode 0666 --persistent", 0, ""));
	free(expect(CREATE "given --size 2M --max-size 4M --owner 1000 --persistent",
		    0, ""));
	as_user(user_tries);
	free(expect("zcctl pool remove roots", 0, ""));
	EXPECT_EQ(zt_await_charged(before), before);
}

KTAP_MAIN()

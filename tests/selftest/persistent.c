// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Pools that outlive who uses them, pools made for others, and how the one and
 * the other are removed.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>

#include <zcbuf/zcbuf.h>

#include "common.h"
#include "dump.h"
#include "ktap.h"

#define PERSISTENT	ZCBUF_POOL_F_PERSISTENT
#define OWNER		ZCBUF_POOL_F_OWNER
#define OTHER_USER	1001
#define RACERS		4

static int fresh(void)
{
	int fd = zt_open(O_RDWR);

	ASSERT_GE(fd, 0);
	return fd;
}

static int create(int fd, const char *name, __u32 flags, uid_t uid, gid_t gid)
{
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.flags = flags, .arena_size = ZT_ARENA, .name = zt_ptr(name),
		.name_len = name ? strlen(name) : 0, .uid = uid, .gid = gid,
		.mode = 0660);

	return zt_call(fd, ZCBUF_IOC_POOL_CREATE, &a);
}

/* A session with a pool that persists. */
static int lasting(const char *name)
{
	int fd = fresh();

	ASSERT_OK(create(fd, name, PERSISTENT, 0, 0));
	return fd;
}

static int remove_own(int fd)
{
	struct zcbuf_pool_remove a = zt_arg(struct zcbuf_pool_remove);

	return zt_call(fd, ZCBUF_IOC_POOL_REMOVE, &a);
}

static int remove_named(int fd, const char *name)
{
	struct zcbuf_pool_remove a = zt_arg(struct zcbuf_pool_remove,
		.name = zt_ptr(name), .name_len = strlen(name));

	return zt_call(fd, ZCBUF_IOC_POOL_REMOVE, &a);
}

static int remove_of(int fd, const char *name, uid_t uid)
{
	struct zcbuf_pool_remove a = zt_arg(struct zcbuf_pool_remove,
		.flags = ZCBUF_REMOVE_F_UID, .uid = uid, .name = zt_ptr(name),
		.name_len = strlen(name));

	return zt_call(fd, ZCBUF_IOC_POOL_REMOVE, &a);
}

static int remove_handle(int fd, __u64 handle)
{
	struct zcbuf_pool_remove a = zt_arg(struct zcbuf_pool_remove,
		.pool = handle);

	return zt_call(fd, ZCBUF_IOC_POOL_REMOVE, &a);
}

/* How many pools a dump shows by this handle. */
static int seen(__u64 handle)
{
	return times_seen(ZCBUF_CMD_POOL_GET, ZCBUF_A_POOL_HANDLE, handle);
}

/* ------------------------------------------------------------------- lifetime */

TEST(it_outlives_its_sessions)
{
	__u64 pool, handle, before = zt_await_charged(0);
	int fd = lasting("outlives");
	struct zcbuf_pool_info info;
	char *map;

	pool = pool_of(fd);
	map = zt_map(fd, PROT_READ | PROT_WRITE, ZT_ARENA);
	ASSERT_TRUE(map);
	strcpy(map + ZT_PAGE, "still there");
	munmap(map, ZT_ARENA);
	ASSERT_OK(zt_alloc1(fd, ZT_PAGE, &handle));
	close(fd);

	EXPECT_EQ(zt_await_charged(before + ZT_ARENA), before + ZT_ARENA);
	EXPECT_EQ(seen(pool), 1);
	fd = fresh();
	ASSERT_OK(zt_pool_attach(fd, "outlives", 0));
	EXPECT_EQ(pool_of(fd), pool);
	ASSERT_OK(zt_pool_info(fd, &info));
	EXPECT_EQ(info.out_flags, PERSISTENT);
	EXPECT_EQ(info.out_sessions, 1);
	EXPECT_EQ(info.out_used, 0);	/* the session's it was has gone */
	map = zt_map(fd, PROT_READ, ZT_ARENA);
	ASSERT_TRUE(map);
	EXPECT_STREQ(map + ZT_PAGE, "still there");
	munmap(map, ZT_ARENA);

	EXPECT_OK(remove_own(fd));
	close(fd);
	EXPECT_EQ(zt_await_charged(before), before);
	EXPECT_EQ(seen(pool), 0);
}

TEST(removed_when_nobody_uses_it)
{
	__u64 pool, before = zt_await_charged(0);
	int fd = lasting("unused");

	pool = pool_of(fd);
	close(fd);
	fd = fresh();
	EXPECT_ERR(create(fd, "unused", 0, 0, 0), EEXIST);
	EXPECT_OK(remove_named(fd, "unused"));
	EXPECT_ERR(remove_named(fd, "unused"), ENOENT);
	EXPECT_ERR(remove_handle(fd, pool), ENOENT);
	EXPECT_EQ(zt_await_charged(before), before);
	EXPECT_OK(create(fd, "unused", 0, 0, 0));
}

/* The name is gone at once, the memory with its last user. */
TEST(removed_while_it_is_used)
{
	__u64 pool, handle, before = zt_await_charged(0);
	int fd = lasting("used"), other, again;
	char *map;

	pool = pool_of(fd);
	map = zt_map(fd, PROT_READ | PROT_WRITE, ZT_ARENA);
	ASSERT_TRUE(map);
	EXPECT_OK(remove_own(fd));
	EXPECT_ERR(remove_own(fd), ENOENT);
	EXPECT_ERR(zt_pool_attach(fresh(), "used", 0), ENOENT);
	again = lasting("used");
	EXPECT_NE(pool_of(again), pool);
	EXPECT_OK(remove_own(again));
	close(again);

	other = zt_join(fd, 0);
	ASSERT_GE(other, 0);
	EXPECT_OK(zt_alloc1(other, ZT_PAGE, &handle));
	close(fd);
	close(other);
	EXPECT_EQ(zt_await_charged(before + ZT_ARENA), before + ZT_ARENA);
	EXPECT_EQ(seen(pool), 1);	/* the mapping has it */
	map[0] = 1;
	munmap(map, ZT_ARENA);
	EXPECT_EQ(zt_await_charged(before), before);
	EXPECT_EQ(seen(pool), 0);
}

TEST(a_pool_that_does_not_persist_loses_its_name)
{
	int fd = fresh(), other = fresh();
	struct zcbuf_pool_info info;

	ASSERT_OK(zt_pool_create_named(fd, "plain", 0));
	EXPECT_OK(remove_named(other, "plain"));
	EXPECT_ERR(zt_pool_attach(other, "plain", 0), ENOENT);
	EXPECT_OK(zt_pool_info(fd, &info));
	EXPECT_EQ(info.out_sessions, 1);
	EXPECT_OK(create(other, "plain", 0, 0, 0));
	EXPECT_ERR(remove_own(zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA)), ENOENT);
}

/* What netlink tells of a pool without a name it does not have. */
TEST(a_removed_pool_is_shown_without_its_name)
{
	const struct nlmsghdr *n;
	int fd = lasting("shown"), len, named = 0, unnamed = 0;
	struct dump d;
	__u64 pool = pool_of(fd);

	EXPECT_OK(remove_own(fd));
	dump_begin(&d, ZCBUF_CMD_POOL_GET);
	while ((n = dump_next(&d, sizeof(d.buf)))) {
		if (nl_number(n, ZCBUF_A_POOL_HANDLE) != pool)
			continue;
		if (nl_find(n, ZCBUF_A_POOL_NAME, &len))
			named++;
		else
			unnamed++;
	}
	close(d.sk);
	EXPECT_EQ(named, 0);
	EXPECT_EQ(unnamed, 1);
}

/* ------------------------------------------------------------------ arguments */

TEST(arguments_that_make_no_sense)
{
	static const char name[] = "senseless";
	int fd = fresh(), owner;
	struct zcbuf_pool_remove a;
	__u64 pool;

	EXPECT_ERR(create(fd, NULL, PERSISTENT, 0, 0), EINVAL);
	EXPECT_ERR(create(fd, name, 0, ZT_USER, 0), EINVAL);
	EXPECT_ERR(create(fd, name, 0, 0, ZT_USER), EINVAL);
	EXPECT_ERR(create(fd, name, OWNER, -1, 0), EINVAL);
	EXPECT_ERR(create(fd, name, OWNER, 0, -1), EINVAL);
	EXPECT_ERR(remove_own(fd), EPERM);	/* attached to nothing */

	owner = lasting(name);
	pool = pool_of(owner);
	a = zt_arg(struct zcbuf_pool_remove, .pool = pool, .name = zt_ptr(name),
		   .name_len = strlen(name));
	EXPECT_ERR(zt_call(fd, ZCBUF_IOC_POOL_REMOVE, &a), EINVAL);
	a = zt_arg(struct zcbuf_pool_remove, .pool = pool,
		   .flags = ZCBUF_REMOVE_F_UID);
	EXPECT_ERR(zt_call(fd, ZCBUF_IOC_POOL_REMOVE, &a), EINVAL);
	a = zt_arg(struct zcbuf_pool_remove, .pool = pool, .uid = 1);
	EXPECT_ERR(zt_call(fd, ZCBUF_IOC_POOL_REMOVE, &a), EINVAL);
	EXPECT_ERR(remove_of(fd, name, -1), ENOENT);
	EXPECT_ERR(remove_of(fd, name, ZT_USER), ENOENT);
	EXPECT_ERR(remove_named(fd, "sense/less"), EINVAL);
	EXPECT_ERR(remove_handle(fd, pool + (1ULL << 40)), ENOENT);
	EXPECT_ERR(remove_handle(fd, pool + 1000), ENOENT);
	EXPECT_ERR(remove_handle(fd, 1), ENOENT);
	EXPECT_ERR(remove_handle(fd, ~0ULL), ENOENT);
	EXPECT_OK(remove_of(fd, name, 0));
}

/* -------------------------------------------------------------------- who may */

/* @body as user @uid of group @gid, in a session opened before. */
static void as(uid_t uid, gid_t gid, void (*body)(int fd))
{
	pid_t pid = fork();
	int fd;

	ASSERT_GE(pid, 0);
	if (!pid) {
		fd = fresh();
		ASSERT_OK(zt_become(uid, gid));
		body(fd);
		_exit(KTAP_PASS);
	}
	ASSERT_STATUS(pid, KTAP_PASS);
}

static void user_makes(int fd)
{
	ASSERT_ERR(create(fd, "users", PERSISTENT, 0, 0), EPERM);
	ASSERT_ERR(create(fd, "users", OWNER, ZT_USER, ZT_USER), EPERM);
	ASSERT_OK(create(fd, "users", 0, 0, 0));
	ASSERT_OK(remove_own(fd));
}

static __u64 the_pool;
static int reader;

static void stranger_removes(int fd)
{
	ASSERT_ERR(remove_named(fd, "given"), ENOENT);
	ASSERT_ERR(remove_of(fd, "given", ZT_USER), EPERM);
	ASSERT_ERR(remove_handle(fd, the_pool), EPERM);
}

/* Who may read and write it may not remove it. */
static void member_removes(int fd)
{
	ASSERT_OK(zt_pool_attach_uid(fd, "given", 0, ZT_USER));
	ASSERT_ERR(remove_own(fd), EPERM);
	ASSERT_ERR(remove_of(fd, "given", ZT_USER), EPERM);
	ASSERT_ERR(remove_handle(fd, the_pool), EPERM);
}

/* The right is the session's that says so, if it does not say which pool. */
static void owner_removes(int fd)
{
	ASSERT_OK(zt_pool_attach(reader, "given", ZT_READ_ONLY));
	ASSERT_ERR(remove_own(reader), EPERM);
	ASSERT_OK(zt_pool_attach(fd, "given", 0));
	ASSERT_ERR(zt_pool_grow(fd, NULL), E2BIG);
	ASSERT_OK(remove_named(fd, "given"));
}

TEST(who_may)
{
	__u64 before = zt_await_charged(0);
	int fd = fresh(), ro;

	as(ZT_USER, ZT_USER, user_makes);
	ASSERT_OK(create(fd, "given", PERSISTENT | OWNER, ZT_USER, ZT_USER));
	the_pool = pool_of(fd);
	EXPECT_ERR(zt_pool_attach(fresh(), "given", 0), ENOENT);
	close(fd);

	as(OTHER_USER, OTHER_USER, stranger_removes);
	as(OTHER_USER, ZT_USER, member_removes);
	ro = zt_open(O_RDONLY);
	EXPECT_ERR(remove_of(ro, "given", ZT_USER), EPERM);
	close(ro);
	reader = fresh();
	as(ZT_USER, 3000, owner_removes);
	close(reader);
	EXPECT_EQ(zt_await_charged(before), before);
}

TEST(the_privileged_may)
{
	__u64 before = zt_await_charged(0), pool;
	int fd = fresh();

	ASSERT_OK(create(fd, "theirs", PERSISTENT | OWNER, ZT_USER, ZT_USER));
	close(fd);
	fd = fresh();
	EXPECT_ERR(remove_named(fd, "theirs"), ENOENT);
	EXPECT_OK(remove_of(fd, "theirs", ZT_USER));
	EXPECT_EQ(zt_await_charged(before), before);

	ASSERT_OK(create(fd, "theirs", PERSISTENT | OWNER, ZT_USER, ZT_USER));
	pool = pool_of(fd);
	EXPECT_OK(remove_handle(fresh(), pool));
	EXPECT_ERR(remove_own(fd), ENOENT);
}

/* A name is of its IPC namespace; a handle is of all, for who is privileged. */
TEST(of_another_namespace)
{
	int fd = fresh(), inside = fresh();
	__u64 pool;
	pid_t pid;

	ASSERT_OK(create(fd, "here", PERSISTENT | OWNER, ZT_USER, ZT_USER));
	pool = pool_of(fd);
	pid = fork();
	if (!pid) {
		ASSERT_OK(unshare(CLONE_NEWIPC));
		/* The very same user, who may at home. */
		ASSERT_OK(zt_become(ZT_USER, ZT_USER));
		ASSERT_ERR(remove_named(inside, "here"), ENOENT);
		ASSERT_ERR(remove_handle(inside, pool), EPERM);
		_exit(KTAP_PASS);
	}
	ASSERT_STATUS(pid, KTAP_PASS);
	pid = fork();
	if (!pid) {
		ASSERT_OK(unshare(CLONE_NEWIPC));
		ASSERT_OK(remove_handle(inside, pool));
		_exit(KTAP_PASS);
	}
	ASSERT_STATUS(pid, KTAP_PASS);
	EXPECT_ERR(remove_own(fd), ENOENT);
}

/* ------------------------------------------------------------------------ races */

static pthread_barrier_t start;

static void *removes(void *arg)
{
	int fd = *(int *)arg, wins = 0, err;

	pthread_barrier_wait(&start);
	err = remove_named(fd, "race");
	wins += !err;
	if (err)
		EXPECT_ERR(err, ENOENT);
	return (void *)(long)wins;
}

/* One of all who remove it does, whether it is in use or not. */
TEST(one_removes_it)
{
	int i, try, wins, tries = KTAP_TRIES(200), fd, session[RACERS];
	__u64 before = zt_await_charged(0);
	pthread_t thread[RACERS];
	void *won;

	for (i = 0; i < RACERS; i++)
		session[i] = fresh();
	ASSERT_EQ(pthread_barrier_init(&start, NULL, RACERS + 1), 0);
	for (try = 0; try < tries; try++) {
		fd = lasting("race");
		for (i = 0; i < RACERS; i++)
			ASSERT_EQ(pthread_create(&thread[i], NULL, removes,
						 &session[i]), 0);
		if (try & 1)
			close(fd);
		pthread_barrier_wait(&start);
		if (!(try & 1))
			close(fd);
		for (wins = i = 0; i < RACERS; i++) {
			ASSERT_EQ(pthread_join(thread[i], &won), 0);
			wins += (long)won;
		}
		ASSERT_EQ(wins, 1);
	}
	EXPECT_EQ(zt_await_charged(before), before);
}

/* -------------------------------------------------------------------- library */

TEST(library)
{
	struct zcbuf_pool_opts o = {
		.sz = sizeof(o), .name = "library", .arena_size = ZT_ARENA,
		.flags = PERSISTENT | OWNER, .uid = ZT_USER, .gid = ZT_USER,
	};
	struct zcbuf_attach_opts of = {
		.sz = sizeof(of), .flags = ZCBUF_ATTACH_F_UID, .uid = ZT_USER,
	};
	__u64 before = zt_await_charged(0);
	struct zcbuf_pool *pool;

	ASSERT_OK(zcbuf_pool_create(&pool, &o));
	EXPECT_OK(zcbuf_pool_close(pool));
	ASSERT_OK(zcbuf_pool_attach(&pool, "library", &of));
	EXPECT_OK(zcbuf_pool_remove(pool));
	EXPECT_ERR(zcbuf_pool_remove(pool), ENOENT);
	EXPECT_OK(zcbuf_pool_close(pool));
	EXPECT_EQ(zt_await_charged(before), before);
}

KTAP_MAIN()

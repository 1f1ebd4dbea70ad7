// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The netlink family as it is, without zcctl or a library: what it refuses, who
 * sees what, and dumps that are interrupted by life.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "dump.h"

/* The errno of a request that is answered by nothing else. */
static int nl_error(int sk, const struct request *r)
{
	char buf[NL_ANSWER] __attribute__((aligned(NLMSG_ALIGNTO)));

	return nl_ask(sk, r, (void *)buf, sizeof(buf));
}

static int seen_pool(__u64 handle)
{
	return times_seen(ZCBUF_CMD_POOL_GET, ZCBUF_A_POOL_HANDLE, handle);
}

/* ------------------------------------------------------------------ refusals */

TEST(only_dumps)
{
	int sk = nl_socket(), family = nl_family(sk);
	struct request r = nl_request(family, ZCBUF_CMD_POOL_GET, 0);

	ASSERT_GT(family, 0);
	EXPECT_ERR(nl_error(sk, &r), EOPNOTSUPP);
	r = nl_request(family, ZCBUF_CMD_MAX + 1, NLM_F_DUMP);
	EXPECT_ERR(nl_error(sk, &r), EOPNOTSUPP);
	r = nl_request(family, ZCBUF_CMD_EVENT, NLM_F_DUMP);
	EXPECT_ERR(nl_error(sk, &r), EOPNOTSUPP);
	r = nl_request(family, ZCBUF_CMD_UNSPEC, NLM_F_DUMP);
	EXPECT_ERR(nl_error(sk, &r), EOPNOTSUPP);
}

/* A filter of the future must not be taken for no filter. */
TEST(no_attributes)
{
	int sk = nl_socket(), family = nl_family(sk), cmd;
	__u64 handle = 1;
	struct request r;

	ASSERT_GT(family, 0);
	for (cmd = ZCBUF_CMD_POOL_GET; cmd < ZCBUF_CMD_EVENT; cmd++) {
		r = nl_request(family, cmd, NLM_F_DUMP);
		nl_add(&r, ZCBUF_A_POOL_HANDLE, &handle, sizeof(handle));
		EXPECT_ERR(nl_error(sk, &r), EINVAL);
		r = nl_request(family, cmd, NLM_F_DUMP);
		nl_add(&r, 99, &handle, sizeof(handle));
		EXPECT_ERR(nl_error(sk, &r), EINVAL);
		r = nl_request(family, cmd, NLM_F_DUMP);
		r.g.reserved = 1;
		EXPECT_ERR(nl_error(sk, &r), EINVAL);
	}
}

TEST(not_in_other_network_namespaces)
{
	ASSERT_OK(unshare(CLONE_NEWNET));
	EXPECT_ERR(nl_family(nl_socket()), ENOENT);
}

/* --------------------------------------------------------- what messages say */

TEST(pool_has_all_attributes)
{
	static const int wide[] = {
		ZCBUF_A_POOL_HANDLE, ZCBUF_A_POOL_SIZE, ZCBUF_A_POOL_USED,
		ZCBUF_A_POOL_MIN_FREE, ZCBUF_A_POOL_LARGEST_FREE,
		ZCBUF_A_POOL_ARENA_SIZE, ZCBUF_A_POOL_BAD_FREES,
		ZCBUF_A_POOL_MAX_SIZE, ZCBUF_A_POOL_MAX_USED,
		ZCBUF_A_POOL_QUARANTINE_BYTES, ZCBUF_A_POOL_QUARANTINE_AGE_NS,
		ZCBUF_A_POOL_EXPORTED,
	};
	static const int narrow[] = {
		ZCBUF_A_POOL_KIND, ZCBUF_A_POOL_FLAGS, ZCBUF_A_POOL_UID,
		ZCBUF_A_POOL_GID, ZCBUF_A_POOL_MODE, ZCBUF_A_POOL_ARENAS,
		ZCBUF_A_POOL_PAGE_ORDER, ZCBUF_A_POOL_SESSIONS,
		ZCBUF_A_POOL_CHANNELS, ZCBUF_A_POOL_MAPPINGS,
		ZCBUF_A_POOL_TOKENS, ZCBUF_A_POOL_QUARANTINE_SESSIONS,
	};
	int fd = zt_pool(ZCBUF_POOL_TIERS, 0, ZT_ARENA), len = 0;
	const struct nlmsghdr *n;
	struct dump d;
	size_t i;

	ASSERT_GE(fd, 0);
	dump_begin(&d, ZCBUF_CMD_POOL_GET);
	while ((n = dump_next(&d, sizeof(d.buf))))
		if (nl_number(n, ZCBUF_A_POOL_HANDLE) == pool_of(fd))
			break;
	ASSERT_TRUE(n);
	for (i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
		is_number(n, wide[i], 8);
	for (i = 0; i < sizeof(narrow) / sizeof(narrow[0]); i++)
		is_number(n, narrow[i], 4);
	EXPECT_EQ(nl_number(n, ZCBUF_A_POOL_KIND), ZCBUF_POOL_TIERS);
	EXPECT_EQ(nl_number(n, ZCBUF_A_POOL_SIZE), ZT_ARENA);
	EXPECT_EQ(nl_number(n, ZCBUF_A_POOL_SESSIONS), 1);
	EXPECT_FALSE(nl_find(n, ZCBUF_A_POOL_NAME, &len));
	EXPECT_FALSE(nl_find(n, ZCBUF_A_POOL_ZOMBIE, &len));
	EXPECT_TRUE(nl_find(n, ZCBUF_A_POOL_CLASS, &len));
	EXPECT_TRUE(nl_find(n, ZCBUF_A_POOL_ORDER_FREE, &len));
	EXPECT_EQ(len, 10 * sizeof(__u32));	/* 4 KiB to 2 MiB */
	EXPECT_EQ(nl_number(n, ZCBUF_A_POOL_MAX_SIZE), ZT_ARENA);
	EXPECT_EQ(nl_number(n, ZCBUF_A_POOL_MAX_USED), 0);
	EXPECT_EQ(nl_number(n, ZCBUF_A_POOL_EXPORTED), 0);
	dump_end(&d);
}

/* In a pid namespace of its own: it is 1 there, and its parent is not there. */
TEST(pids_are_the_readers)
{
	int theirs = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	const struct nlmsghdr *n;
	struct dump d;
	pid_t pid;
	int ours;

	ASSERT_GE(theirs, 0);
	ASSERT_OK(unshare(CLONE_NEWPID));
	pid = fork();
	if (pid) {
		EXPECT_STATUS(pid, 0);
		return;
	}
	ours = zt_join(theirs, 0);
	ASSERT_GE(ours, 0);
	dump_begin(&d, ZCBUF_CMD_SESSION_GET);
	while ((n = dump_next(&d, sizeof(d.buf)))) {
		if (nl_number(n, ZCBUF_A_SESSION_ID) == zt_session(ours))
			EXPECT_EQ(nl_number(n, ZCBUF_A_SESSION_PID), 1);
		if (nl_number(n, ZCBUF_A_SESSION_ID) == zt_session(theirs))
			EXPECT_EQ(nl_number(n, ZCBUF_A_SESSION_PID), 0);
	}
	_exit(0);
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* In a user namespace where user 1000 is root and nobody else is anybody. */
TEST(uids_are_the_readers)
{
	int roots = zt_open(O_RDWR), users = zt_open(O_RDWR);
	const struct nlmsghdr *n;
	struct dump d;

	ASSERT_OK(zt_pool_create_named(roots, "uids-root", 0644));
	ASSERT_OK(zt_become(ZT_USER, ZT_GROUP));
	ASSERT_OK(zt_pool_create_named(users, "uids-user", 0600));
	/* Or /proc/self would belong to root, as the user has changed. */
	ASSERT_OK(prctl(PR_SET_DUMPABLE, 1));
	ASSERT_OK(unshare(CLONE_NEWUSER));
	write_text("/proc/self/uid_map", "0 1000 1");
	dump_begin(&d, ZCBUF_CMD_POOL_GET);
	while ((n = dump_next(&d, sizeof(d.buf)))) {
		if (nl_number(n, ZCBUF_A_POOL_HANDLE) == pool_of(users))
			EXPECT_EQ(nl_number(n, ZCBUF_A_POOL_UID), 0);
		if (nl_number(n, ZCBUF_A_POOL_HANDLE) == pool_of(roots))
			EXPECT_EQ(nl_number(n, ZCBUF_A_POOL_UID), 65534);
	}
}

/* --------------------------------------------------------------- who sees it */

/* Of root's, in order: nobody else's, the group's to read, everybody's. */
static void make_pools(__u64 *handle)
{
	static const unsigned int mode[] = { 0600, 0640, 0622 };
	char name[] = "who-0";
	int fd, i;

	for (i = 0; i < 3; i++, name[4]++) {
		fd = zt_open(O_RDWR);
		ASSERT_OK(zt_pool_create_named(fd, name, mode[i]));
		handle[i] = pool_of(fd);
	}
}

TEST(root_sees_all)
{
	__u64 handle[3], users;
	int fd, sk = nl_socket();
	pid_t pid;

	make_pools(handle);
	fd = zt_open(O_RDWR);
	pid = fork();
	if (!pid) {
		ASSERT_OK(zt_become(ZT_USER, ZT_GROUP));
		ASSERT_OK(zt_pool_create_named(fd, "who-user", 0600));
		_exit(0);
	}
	EXPECT_STATUS(pid, 0);
	users = pool_of(fd);
	EXPECT_EQ(seen_pool(handle[0]), 1);
	EXPECT_EQ(seen_pool(users), 1);
	/* Root's socket, but what asks now is not root. */
	ASSERT_OK(zt_become(ZT_USER + 1, ZT_USER + 1));
	EXPECT_EQ(times_seen_on(sk, ZCBUF_CMD_POOL_GET, ZCBUF_A_POOL_HANDLE,
				users), 0);
}

TEST(users_see_what_they_could_attach_to)
{
	__u64 handle[3];

	make_pools(handle);
	ASSERT_OK(zt_become(ZT_USER, ZT_USER));
	EXPECT_EQ(seen_pool(handle[0]), 0);
	EXPECT_EQ(seen_pool(handle[1]), 0);
	EXPECT_EQ(seen_pool(handle[2]), 1);
}

TEST(groups_count)
{
	__u64 handle[3];

	ASSERT_OK(setresgid(-1, ZT_GROUP, -1));
	make_pools(handle);
	ASSERT_OK(zt_become(ZT_USER, ZT_GROUP));
	EXPECT_EQ(seen_pool(handle[0]), 0);
	EXPECT_EQ(seen_pool(handle[1]), 1);
}

TEST(sessions_and_channels_are_seen_with_their_pool)
{
	int fd = zt_open(O_RDWR), open = zt_open(O_RDWR);
	__u64 hidden, shown, ids[2];

	ASSERT_OK(zt_pool_create_named(fd, "with-hidden", 0600));
	ASSERT_OK(zt_pool_create_named(open, "with-shown", 0644));
	ASSERT_OK(zt_stream(fd, 0, 0, &hidden));
	ASSERT_OK(zt_stream(open, 0, 0, &shown));
	ids[0] = zt_session(fd);
	ids[1] = zt_session(open);
	ASSERT_OK(zt_become(ZT_USER, ZT_USER));
	EXPECT_EQ(times_seen(ZCBUF_CMD_SESSION_GET, ZCBUF_A_SESSION_ID, ids[0]), 0);
	EXPECT_EQ(times_seen(ZCBUF_CMD_SESSION_GET, ZCBUF_A_SESSION_ID, ids[1]), 1);
	ASSERT_EQ(times_seen(ZCBUF_CMD_CHANNEL_GET, ZCBUF_A_CHANNEL_POOL,
			     pool_of(fd)), 0);
	ASSERT_EQ(times_seen(ZCBUF_CMD_CHANNEL_GET, ZCBUF_A_CHANNEL_POOL,
			     pool_of(open)), 1);
}

/*
 * A privileged program that is tricked into writing a request to a socket must
 * not get its opener more than the opener may have.
 */
TEST(the_opener_counts)
{
	__u64 handle[3];
	struct zt_turns turns;
	int pidfd, sk, number_there;
	pid_t pid;

	make_pools(handle);
	ASSERT_OK(zt_turns_init(&turns));
	sk = nl_socket();		/* its number is free in the child, too */
	number_there = sk;
	close(sk);
	pid = fork();
	if (!pid) {
		zt_turns_child(&turns);
		ASSERT_OK(zt_become(ZT_USER, ZT_USER));
		sk = dup2(nl_socket(), number_there);
		zt_tell_parent(&turns);
		zt_await_parent(&turns);
		_exit(0);
	}
	zt_turns_parent(&turns);
	ASSERT_OK(zt_await_child(&turns));
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	sk = syscall(SYS_pidfd_getfd, pidfd, number_there, 0);
	ASSERT_GE(sk, 0);
	EXPECT_EQ(times_seen_on(sk, ZCBUF_CMD_POOL_GET, ZCBUF_A_POOL_HANDLE,
				handle[0]), 0);
	EXPECT_EQ(times_seen_on(sk, ZCBUF_CMD_POOL_GET, ZCBUF_A_POOL_HANDLE,
				handle[2]), 1);
	EXPECT_EQ(seen_pool(handle[0]), 1);
	zt_tell_child(&turns);
	EXPECT_STATUS(pid, 0);
}

/* --------------------------------------------------------------- interrupted */

#define MANY	100

/* @fd[0] makes a pool, the others join it. */
static void make_sessions(int *fd)
{
	int i;

	fd[0] = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	for (i = 1; i < MANY; i++)
		fd[i] = zt_join(fd[0], 0);
	ASSERT_GE(fd[MANY - 1], 0);
}

static void ids_of(const int *fd, __u64 *id)
{
	int i;

	for (i = 0; i < MANY; i++)
		id[i] = zt_session(fd[i]);
}

static void count(const struct nlmsghdr *n, const __u64 *id, int *seen)
{
	__u64 this = nl_number(n, ZCBUF_A_SESSION_ID);
	int i;

	for (i = 0; i < MANY; i++)
		seen[i] += id[i] == this;
}

static int all_once(const int *seen, int from)
{
	int i;

	for (i = from; i < MANY; i++)
		if (seen[i] != 1) {
			TEST_LOG("session %d was seen %d times", i, seen[i]);
			return 0;
		}
	return 1;
}

TEST(in_pieces)
{
	int fd[MANY], seen[MANY] = {};
	const struct nlmsghdr *n;
	__u64 id[MANY];
	struct dump d;

	make_sessions(fd);
	ids_of(fd, id);
	dump_begin(&d, ZCBUF_CMD_SESSION_GET);
	while ((n = dump_next(&d, PIECE)))
		count(n, id, seen);
	EXPECT_TRUE(all_once(seen, 0));
}

/* Sessions that stay are seen, whoever leaves before them. */
TEST(sessions_leave_meanwhile)
{
	int fd[MANY], seen[MANY] = {}, i;
	const struct nlmsghdr *n;
	__u64 id[MANY];
	struct dump d;

	make_sessions(fd);
	ids_of(fd, id);
	dump_begin(&d, ZCBUF_CMD_SESSION_GET);
	while (!seen[5]) {
		n = dump_next(&d, PIECE);
		ASSERT_TRUE(n);
		count(n, id, seen);
	}
	ASSERT_FALSE(seen[MANY / 2]);
	for (i = 0; i < 5; i++)
		close(fd[i]);
	while ((n = dump_next(&d, PIECE)))
		count(n, id, seen);
	EXPECT_TRUE(all_once(seen, 5));
}

/* The pool that is being dumped goes; the next one must not start in the middle. */
TEST(pool_leaves_meanwhile)
{
	int fd[2][MANY], seen[2][MANY] = {}, first, i;
	const struct nlmsghdr *n;
	__u64 id[2][MANY], gone;
	struct dump d;

	for (i = 0; i < 2; i++) {
		make_sessions(fd[i]);
		ids_of(fd[i], id[i]);
	}
	dump_begin(&d, ZCBUF_CMD_SESSION_GET);
	while (!seen[0][5] && !seen[1][5]) {
		n = dump_next(&d, PIECE);
		ASSERT_TRUE(n);
		count(n, id[0], seen[0]);
		count(n, id[1], seen[1]);
	}
	first = !seen[0][5];
	ASSERT_FALSE(seen[first][MANY / 2]);
	gone = pool_of(fd[first][0]);
	for (i = 0; i < MANY; i++)
		close(fd[first][i]);
	/* A dump that is not read to its end holds no pool. */
	EXPECT_EQ(seen_pool(gone), 0);
	while ((n = dump_next(&d, PIECE)))
		count(n, id[!first], seen[!first]);
	EXPECT_TRUE(all_once(seen[!first], 0));
}

/* A pool comes to stand before the one that is being dumped. */
TEST(pool_comes_meanwhile)
{
	int hole = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	int fd[MANY], seen[MANY] = {}, i;
	const struct nlmsghdr *n;
	__u64 id[MANY];
	struct dump d;

	make_sessions(fd);
	ids_of(fd, id);
	close(hole);
	dump_begin(&d, ZCBUF_CMD_SESSION_GET);
	while (!seen[5]) {
		n = dump_next(&d, PIECE);
		ASSERT_TRUE(n);
		count(n, id, seen);
	}
	ASSERT_FALSE(seen[MANY / 2]);
	for (i = 0; i < 8; i++)
		ASSERT_GE(zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA), 0);
	while ((n = dump_next(&d, PIECE)))
		count(n, id, seen);
	EXPECT_TRUE(all_once(seen, 0));
}

/* Until it is killed: sessions and pools come and go. */
static void churn(int donor)
{
	int fd[8] = { -1, -1, -1, -1, -1, -1, -1, -1 };
	unsigned int i;

	for (i = 0;; i++) {
		if (fd[i % 8] >= 0)
			close(fd[i % 8]);
		fd[i % 8] = i % 5 ? zt_join(donor, 0) :
			    zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	}
}

TEST(busy_system)
{
	int fd[MANY], seen[MANY], round;
	const struct nlmsghdr *n;
	__u64 id[MANY];
	struct dump d;
	pid_t pid;

	make_sessions(fd);
	ids_of(fd, id);
	pid = fork();
	if (!pid)
		churn(fd[0]);
	for (round = 0; round < 20; round++) {
		memset(seen, 0, sizeof(seen));
		dump_begin(&d, ZCBUF_CMD_SESSION_GET);
		while ((n = dump_next(&d, PIECE)))
			count(n, id, seen);
		close(d.sk);
		ASSERT_TRUE(all_once(seen, 0));
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

KTAP_MAIN()

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Events by netlink, without a library: who may listen, what each of them says, what
 * is told of a process that is killed, and what becomes of those that are not read.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/uio.h>

#include "dump.h"
#include "listen.h"
#include "topic.h"

static int pool(void)
{
	return tp_pool(&tp_pages);
}

static void is_text(const struct nlmsghdr *n, int attr, const char *wanted)
{
	int len = 0;
	const char *text = nl_find(n, attr, &len);

	ASSERT_TRUE(text);
	ASSERT_GT(len, 0);
	ASSERT_EQ(text[len - 1], 0);
	EXPECT_STREQ(text, wanted);
}

static void is_missing(const struct nlmsghdr *n, int attr)
{
	int len;

	EXPECT_TRUE(!nl_find(n, attr, &len));
}

static void is_of(const struct nlmsghdr *n, pid_t pid, __u64 session)
{
	is_number(n, ZCBUF_A_EVENT_PID, 4);
	EXPECT_EQ(nl_number(n, ZCBUF_A_EVENT_PID), pid);
	EXPECT_EQ(nl_number(n, ZCBUF_A_EVENT_SESSION), session);
	is_text(n, ZCBUF_A_EVENT_COMM, program_invocation_short_name);
}

/* ---------------------------------------------------------------- who may */

TEST(users_may_not_listen)
{
	int sk = nl_socket();

	ASSERT_OK(zt_become(ZT_USER, ZT_GROUP));
	EXPECT_ERR(listen_join(sk), EPERM);
	sk = nl_socket();
	EXPECT_ERR(listen_join(sk), EPERM);
	/* But they may ask. */
	EXPECT_EQ(times_seen(ZCBUF_CMD_POOL_GET, ZCBUF_A_POOL_HANDLE, 1), 0);
}

/* Being root somewhere is not enough. */
TEST(nor_their_own_root)
{
	int sk;

	ASSERT_OK(zt_become(ZT_USER, ZT_GROUP));
	ASSERT_OK(unshare(CLONE_NEWUSER));
	sk = nl_socket();
	EXPECT_ERR(listen_join(sk), EPERM);
	ASSERT_OK(unshare(CLONE_NEWNET));
	EXPECT_ERR(listen_join(nl_socket()), ENOENT);
}

/* -------------------------------------------------------- what they say */

TEST(pools_and_arenas)
{
	struct zcbuf_pool_grow grow;
	int fd = zt_pool_growing(0, 2);
	const struct nlmsghdr *n;
	struct listener l;
	__u64 before;

	listen_begin(&l, pool_of(fd));
	before = hz_now();
	ASSERT_OK(zt_pool_grow(fd, &grow));
	n = hear(&l, ZCBUF_EVENT_ARENA_ADDED);
	EXPECT_EQ(nl_number(n, ZCBUF_A_EVENT_ARENA), 1);
	EXPECT_EQ(nl_number(n, ZCBUF_A_EVENT_BYTES), ZT_ARENA);
	is_number(n, ZCBUF_A_EVENT_TIME_NS, 8);
	EXPECT_GE(nl_number(n, ZCBUF_A_EVENT_TIME_NS), before);
	EXPECT_LE(nl_number(n, ZCBUF_A_EVENT_TIME_NS), hz_now());
	is_number(n, ZCBUF_A_EVENT_LOST, 8);
	is_missing(n, ZCBUF_A_EVENT_NAME);
	is_missing(n, ZCBUF_A_EVENT_SESSION);
	is_missing(n, ZCBUF_A_EVENT_CHANNEL);
	close(fd);
	n = hear(&l, ZCBUF_EVENT_SESSION_GONE);
	EXPECT_EQ(nl_number(n, ZCBUF_A_EVENT_BUFFERS), 0);
	n = hear(&l, ZCBUF_EVENT_POOL_GONE);
	EXPECT_EQ(nl_number(n, ZCBUF_A_EVENT_BYTES), 2 * ZT_ARENA);
	is_missing(n, ZCBUF_A_EVENT_ARENA);
	hear_nothing(&l);
}

/* Its handle is known when it is there. */
TEST(a_pool_that_is_made)
{
	int fd = zt_open(O_RDWR);
	const struct nlmsghdr *n;
	struct listener l;

	listen_begin(&l, 0);
	ASSERT_OK(zt_pool_create_named(fd, "made", 0600));
	l.pool = pool_of(fd);
	n = hear(&l, ZCBUF_EVENT_POOL_CREATED);
	is_text(n, ZCBUF_A_EVENT_NAME, "made");
	is_number(n, ZCBUF_A_EVENT_BYTES, 8);
	hear_nothing(&l);
}

/* Names as long as they may be. */
TEST(channels_and_ports)
{
	char label[4][ZCBUF_MAX_LABEL + 1] = {};
	struct zcbuf_channel_name name = {
		.domain_len = ZCBUF_MAX_LABEL, .service_len = ZCBUF_MAX_LABEL,
		.instance_len = ZCBUF_MAX_LABEL, .event_len = ZCBUF_MAX_LABEL,
	};
	struct zcbuf_channel_open a = {
		.flags = ZCBUF_CHANNEL_F_TOPIC, .name = zt_ptr(&name),
		.ports = ZCBUF_PORT_PRODUCE | ZCBUF_PORT_CONSUME,
	};
	char *at[] = { name.domain, name.service, name.instance, name.event };
	int fd = pool(), other = tp_join(fd), i;
	const struct nlmsghdr *n;
	struct listener l;

	for (i = 0; i < 4; i++) {
		memset(label[i], 'a' + i, ZCBUF_MAX_LABEL);
		memcpy(at[i], label[i], ZCBUF_MAX_LABEL);
	}
	listen_begin(&l, pool_of(fd));
	ASSERT_OK(zt_channel_open(fd, &a));
	n = hear(&l, ZCBUF_EVENT_CHANNEL_APPEARED);
	EXPECT_EQ(nl_number(n, ZCBUF_A_EVENT_CHANNEL), a.out_channel);
	EXPECT_EQ(nl_number(n, ZCBUF_A_EVENT_FLAGS),
		  ZCBUF_CHANNEL_F_TOPIC | ZCBUF_CHANNEL_F_NO_AUTO_FINALIZE);
	for (i = 0; i < 4; i++)
		is_text(n, ZCBUF_A_EVENT_DOMAIN + i, label[i]);
	is_of(n, getpid(), zt_session(fd));
	is_missing(n, ZCBUF_A_EVENT_ROLE);
	n = hear(&l, ZCBUF_EVENT_PORT_OPENED);
	EXPECT_EQ(nl_number(n, ZCBUF_A_EVENT_ROLE), a.ports);
	EXPECT_EQ(nl_number(n, ZCBUF_A_EVENT_CHANNEL), a.out_channel);
	is_text(n, ZCBUF_A_EVENT_EVENT, label[3]);
	ASSERT_OK(zt_ports(other, a.out_channel, ZCBUF_PORT_CONSUME));
	n = hear(&l, ZCBUF_EVENT_PORT_OPENED);
	EXPECT_EQ(nl_number(n, ZCBUF_A_EVENT_ROLE), ZCBUF_PORT_CONSUME);
	is_of(n, getpid(), zt_session(other));
	/* Messages are nobody's business. */
	tp_put(fd, a.out_channel, ZT_PAGE, 3, 0, 2, 0);
	EXPECT_EQ(tp_take(other, a.out_channel), 3);
	hear_nothing(&l);
	ASSERT_OK(zt_channel_close(fd, a.out_channel, 0));
	hear(&l, ZCBUF_EVENT_PORT_CLOSED);
	close(other);
	n = hear(&l, ZCBUF_EVENT_PORT_CLOSED);
	EXPECT_EQ(nl_number(n, ZCBUF_A_EVENT_ROLE), ZCBUF_PORT_CONSUME);
	n = hear(&l, ZCBUF_EVENT_CHANNEL_GONE);
	is_text(n, ZCBUF_A_EVENT_SERVICE, label[1]);
	EXPECT_EQ(nl_number(n, ZCBUF_A_EVENT_CHANNEL), a.out_channel);
	hear(&l, ZCBUF_EVENT_SESSION_GONE);
	hear_nothing(&l);
}

TEST(without_a_name)
{
	int fd = pool();
	const struct nlmsghdr *n;
	struct listener l;
	__u64 ch;

	listen_begin(&l, pool_of(fd));
	ASSERT_OK(zt_stream(fd, 0, 0, &ch));
	n = hear(&l, ZCBUF_EVENT_CHANNEL_APPEARED);
	EXPECT_EQ(nl_number(n, ZCBUF_A_EVENT_CHANNEL), ch);
	is_missing(n, ZCBUF_A_EVENT_SERVICE);
	hear(&l, ZCBUF_EVENT_PORT_OPENED);
	hear_nothing(&l);
}

/* --------------------------------------------------------------- the dead */

/* Three buffers, two reservations and a delivery; then it waits to be killed. */
static void __attribute__((noreturn)) victim(int donor, __u64 ch,
					     struct zt_turns *turns)
{
	struct zcbuf_reservation r;
	struct zcbuf_delivery d;
	int fd, i;
	__u64 b;

	zt_turns_child(turns);
	fd = tp_join(donor);
	close(donor);
	ASSERT_OK(zt_ports(fd, ch, ZCBUF_PORT_PRODUCE | ZCBUF_PORT_CONSUME));
	for (i = 0; i < 3; i++)
		ASSERT_OK(zt_alloc1(fd, ZT_PAGE << i, &b));
	ASSERT_OK(zt_reserve1(fd, ch, 100, &r));
	ASSERT_OK(zt_commit1(fd, ch, &r));
	ASSERT_EQ(zt_receive(fd, ch, &d, 1, 0), 1);
	ASSERT_OK(zt_reserve1(fd, ch, 100, &r));
	ASSERT_OK(zt_reserve1(fd, ch, 200, &r));
	zt_tell_parent(turns);
	for (;;)
		pause();
}

static pid_t start_victim(int fd, __u64 ch, struct zt_turns *turns)
{
	pid_t pid;

	ASSERT_OK(zt_turns_init(turns));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid)
		victim(fd, ch, turns);
	zt_turns_parent(turns);
	ASSERT_OK(zt_await_child(turns));
	return pid;
}

static void kill_and_hear(int fd, __u64 ch)
{
	struct zt_turns turns;
	const struct nlmsghdr *n;
	struct listener l;
	__u64 session;
	pid_t pid;

	listen_begin(&l, pool_of(fd));
	pid = start_victim(fd, ch, &turns);
	n = hear(&l, ZCBUF_EVENT_PORT_OPENED);
	session = nl_number(n, ZCBUF_A_EVENT_SESSION);
	is_of(n, pid, session);
	ASSERT_OK(kill(pid, SIGKILL));
	n = hear(&l, ZCBUF_EVENT_PORT_CLOSED);
	is_of(n, pid, session);
	EXPECT_EQ(nl_number(n, ZCBUF_A_EVENT_ROLE),
		  ZCBUF_PORT_PRODUCE | ZCBUF_PORT_CONSUME);
	n = hear(&l, ZCBUF_EVENT_SESSION_GONE);
	is_of(n, pid, session);
	EXPECT_EQ(nl_number(n, ZCBUF_A_EVENT_BUFFERS), 3);
	EXPECT_EQ(nl_number(n, ZCBUF_A_EVENT_BYTES), 7 * ZT_PAGE);
	EXPECT_EQ(nl_number(n, ZCBUF_A_EVENT_FAILED), 2);
	EXPECT_EQ(nl_number(n, ZCBUF_A_EVENT_RELEASED), 1);
	ASSERT_EQ(waitpid(pid, NULL, 0), pid);
	hear_nothing(&l);
}

TEST(killed)
{
	int fd = pool();
	__u64 ch;

	ASSERT_OK(zt_stream(fd, 0, 0, &ch));
	ASSERT_OK(zt_channel_close(fd, ch, ZCBUF_PORT_CONSUME));
	kill_and_hear(fd, ch);
}

/* Whatever it was called where it lived. */
TEST(killed_in_a_pid_namespace)
{
	int fd = pool();
	__u64 ch;

	ASSERT_OK(zt_stream(fd, 0, 0, &ch));
	ASSERT_OK(zt_channel_close(fd, ch, ZCBUF_PORT_CONSUME));
	ASSERT_OK(unshare(CLONE_NEWPID));
	kill_and_hear(fd, ch);
}

/* A pipe has a page of the dead. */
TEST(quarantine)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, ZCBUF_POOL_F_SMALL_PAGES, ZT_ARENA);
	int dying = zt_join(fd, 0), pipes[2];
	struct iovec iov = { .iov_len = 1 };
	const struct nlmsghdr *n;
	struct listener l;
	__u64 b, session;
	char *p;

	ASSERT_GE(dying, 0);
	ASSERT_OK(zt_alloc1(dying, 2 * ZT_PAGE, &b));
	p = zt_map(fd, PROT_READ | PROT_WRITE, ZT_ARENA);
	ASSERT_TRUE(p);
	iov.iov_base = p + zcbuf_buf_offset(b);
	ASSERT_OK(pipe2(pipes, O_CLOEXEC));
	ASSERT_EQ(vmsplice(pipes[1], &iov, 1, 0), 1);
	session = zt_session(dying);
	listen_begin(&l, pool_of(fd));
	close(dying);
	n = hear(&l, ZCBUF_EVENT_SESSION_GONE);
	EXPECT_EQ(nl_number(n, ZCBUF_A_EVENT_BUFFERS), 1);
	n = hear(&l, ZCBUF_EVENT_QUARANTINED);
	is_of(n, getpid(), session);
	EXPECT_EQ(nl_number(n, ZCBUF_A_EVENT_BYTES), 2 * ZT_PAGE);
	hear_nothing(&l);
	close(pipes[0]);
	close(pipes[1]);
	n = hear(&l, ZCBUF_EVENT_QUARANTINE_OVER);
	is_of(n, getpid(), session);
	is_number(n, ZCBUF_A_EVENT_AGE_NS, 8);
	is_missing(n, ZCBUF_A_EVENT_BYTES);
	hear_nothing(&l);
}

/* ---------------------------------------------------------------- the slow */

/* Who does not read is told that he has missed something, and goes on. */
TEST(not_read)
{
	int fd = pool(), room = 1, i;
	struct listener l;
	__u64 ch;

	listen_begin(&l, pool_of(fd));
	ASSERT_OK(setsockopt(l.sk, SOL_SOCKET, SO_RCVBUF, &room,
			     sizeof(room)));
	ASSERT_OK(zt_stream(fd, 0, 0, &ch));
	for (i = 0; i < 50; i++) {
		ASSERT_OK(zt_channel_close(fd, ch, ZCBUF_PORT_CONSUME));
		ASSERT_OK(zt_ports(fd, ch, ZCBUF_PORT_CONSUME));
	}
	for (i = 0; listen_next(&l, MSG_DONTWAIT); i++)
		;
	EXPECT_EQ(l.overruns, 1);
	EXPECT_LT(i, 50);
	ASSERT_OK(zt_channel_close(fd, ch, ZCBUF_PORT_CONSUME));
	hear(&l, ZCBUF_EVENT_PORT_CLOSED);
	EXPECT_EQ(l.overruns, 1);
}

/* Each has what there is. */
TEST(many_listeners)
{
	static struct listener l[8];
	int fd = pool();
	__u64 ch;
	int i;

	for (i = 0; i < 8; i++)
		listen_begin(&l[i], pool_of(fd));
	close(l[3].sk);
	ASSERT_OK(zt_stream(fd, 0, 0, &ch));
	for (i = 0; i < 8; i++) {
		if (i == 3)
			continue;
		hear(&l[i], ZCBUF_EVENT_CHANNEL_APPEARED);
		hear(&l[i], ZCBUF_EVENT_PORT_OPENED);
		hear_nothing(&l[i]);
	}
}

KTAP_MAIN()

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Pools that several sessions share: names, rights, who may attach, how long
 * memory lives, the anonymous pool that is just mapped, limits.
 */
#include <fcntl.h>

#include <zcbuf/zcbuf.h>

#include "common.h"
#include "ktap.h"

#define OTHER_USER	1001

static int open_device(void)
{
	int fd = zt_open(O_RDWR);

	ASSERT_GE(fd, 0);
	return fd;
}

/* Create in a session of its own: the session, or -errno. */
static int named(const char *name, __u32 mode)
{
	int fd = open_device();
	int err = zt_pool_create_named(fd, name, mode);

	if (!err)
		return fd;
	close(fd);
	return err;
}

static int attach(const char *name, __u32 rights)
{
	int fd = open_device();
	int err = zt_pool_attach(fd, name, rights);

	if (!err)
		return fd;
	close(fd);
	return err;
}

static __u32 rights_of(int fd)
{
	struct zcbuf_query q;

	ASSERT_OK(zt_query(fd, &q));
	return q.out_rights;
}

/* ---------------------------------------------------------------------- names */

TEST(names_are_unique)
{
	int fd = named("names-unique", 0), again, other;
	struct zcbuf_query a, b;

	ASSERT_GE(fd, 0);
	EXPECT_ERR(named("names-unique", 0), EEXIST);
	EXPECT_ERR(attach("names-uniqu", 0), ENOENT);
	EXPECT_ERR(attach("names-unique2", 0), ENOENT);
	other = attach("names-unique", 0);
	ASSERT_GE(other, 0);
	ASSERT_OK(zt_query(fd, &a));
	ASSERT_OK(zt_query(other, &b));
	EXPECT_EQ(a.out_pool, b.out_pool);
	EXPECT_NE(a.out_session, b.out_session);

	close(fd);
	EXPECT_ERR(named("names-unique", 0), EEXIST);	/* one is left */
	close(other);
	EXPECT_ERR(attach("names-unique", 0), ENOENT);
	again = named("names-unique", 0);
	EXPECT_GE(again, 0);
}

TEST(names_that_are_none)
{
	static const char *const bad[] = {
		"a/b", "a b", "a\tb", "a\nb", "\x7f", "\xc3\xa4", " ",
	};
	char name[ZCBUF_MAX_NAME + 2];
	size_t i;
	int fd;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_ERR(named(bad[i], 0), EINVAL);
		EXPECT_ERR(attach(bad[i], 0), EINVAL);
	}
	EXPECT_ERR(attach("", 0), EINVAL);
	memset(name, 'n', sizeof(name));
	name[ZCBUF_MAX_NAME + 1] = '\0';
	EXPECT_ERR(named(name, 0), EINVAL);
	EXPECT_ERR(attach(name, 0), EINVAL);
	name[ZCBUF_MAX_NAME] = '\0';
	fd = named(name, 0);
	EXPECT_GE(fd, 0);
	EXPECT_GE(attach(name, 0), 0);
	EXPECT_GE(named("!\"#$%&'()*+,-.:;<=>?@[\\]^_`{|}~", 0), 0);
}

/* A NUL inside is no printable character either. */
TEST(names_with_a_nul)
{
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.arena_size = ZT_ARENA, .name = zt_ptr("a\0b"), .name_len = 3);
	int fd = open_device();

	EXPECT_ERR(zt_call(fd, ZCBUF_IOC_POOL_CREATE, &a), EINVAL);
	a.name_len = 1;
	EXPECT_OK(zt_call(fd, ZCBUF_IOC_POOL_CREATE, &a));
}

TEST(anonymous_pools_have_no_name)
{
	int a = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	int b = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	struct zcbuf_query qa, qb;

	ASSERT_OK(zt_query(a, &qa));
	ASSERT_OK(zt_query(b, &qb));
	EXPECT_NE(qa.out_pool, qb.out_pool);
}

/* ---------------------------------------------------------- rights by descriptor */

TEST(attach_by_descriptor)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA), ro, null, unattached;
	__u32 all = ZCBUF_RIGHTS_ALL;

	ASSERT_GE(fd, 0);
	EXPECT_EQ(rights_of(fd), all);
	EXPECT_EQ(rights_of(zt_join(fd, 0)), all);
	ro = zt_join(fd, ZT_READ_ONLY);
	ASSERT_GE(ro, 0);
	EXPECT_EQ(rights_of(ro), ZT_READ_ONLY);
	EXPECT_EQ(rights_of(zt_join(ro, 0)), ZT_READ_ONLY);
	EXPECT_ERR(zt_join(ro, ZCBUF_RIGHT_MAP_WRITE), EPERM);
	EXPECT_ERR(zt_join(ro, all), EPERM);
	EXPECT_ERR(zt_join(fd, 1U << 7), EOPNOTSUPP);

	unattached = open_device();
	EXPECT_ERR(zt_join(unattached, 0), ENOENT);
	null = open("/dev/null", O_RDWR);
	EXPECT_ERR(zt_join(null, 0), ENOENT);
	EXPECT_ERR(zt_join(999, 0), EBADF);
	EXPECT_ERR(zt_pool_attach_fd(ro, fd, 0), EBUSY);
	EXPECT_ERR(zt_pool_create(fd, 0, 0, ZT_ARENA), EBUSY);
	EXPECT_EQ(rights_of(unattached), 0);
	EXPECT_OK(zt_pool_attach_fd(unattached, fd, 0));	/* still usable */
}

/* A file opened for reading only: what it can be attached with. */
TEST(attach_with_a_read_only_file)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA), ro = zt_open(O_RDONLY);
	int wo = zt_open(O_WRONLY);

	ASSERT_OK(zt_pool_attach_fd(ro, fd, 0));
	EXPECT_EQ(rights_of(ro), ZT_READ_ONLY);
	ASSERT_OK(zt_pool_attach_fd(wo, fd, 0));
	EXPECT_EQ(rights_of(wo), ZCBUF_RIGHT_MAP_WRITE | ZCBUF_RIGHT_PRODUCE);
	ro = zt_open(O_RDONLY);
	EXPECT_ERR(zt_pool_attach_fd(ro, fd, ZCBUF_RIGHT_PRODUCE), EPERM);
}

TEST(what_read_only_sessions_may_not)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA), ro;
	struct zcbuf_reservation r;
	struct zcbuf_finalize f;
	__u64 h, ch;
	char *p;

	ro = zt_join(fd, ZT_READ_ONLY);
	ASSERT_GE(ro, 0);
	ASSERT_OK(zt_stream(fd, 100, 0, &ch));
	EXPECT_ERR(zt_alloc1(ro, 4096, &h), EPERM);
	EXPECT_ERR(zt_stream(ro, 100, 0, &h), EPERM);
	EXPECT_ERR(zt_ports(ro, ch, ZCBUF_PORT_PRODUCE), EPERM);
	EXPECT_OK(zt_ports(ro, ch, ZCBUF_PORT_CONSUME));
	EXPECT_ERR(zt_reserve1(ro, ch, 10, &r), EPERM);
	EXPECT_ERR(zt_flush(ro, ch), EPERM);
	EXPECT_ERR(zt_finalize(ro, ch, &f), EPERM);
	EXPECT_TRUE(!zt_map(ro, PROT_READ | PROT_WRITE, ZT_ARENA));
	p = zt_map(ro, PROT_READ, ZT_ARENA);
	ASSERT_TRUE(p);
	EXPECT_EQ(mprotect(p, ZT_PAGE, PROT_READ | PROT_WRITE), -1);
}

TEST(the_librarys_read_only_pool)
{
	struct zcbuf_attach_opts o = {
		.sz = sizeof(o), .rights = ZT_READ_ONLY,
	};
	struct zcbuf_pool *pool, *ro;
	struct zcbuf_buf buf, other;

	ASSERT_OK(zcbuf_pool_create(&pool, NULL));
	ASSERT_OK(zcbuf_pool_attach_fd(&ro, zcbuf_pool_fd(pool), &o));
	EXPECT_EQ(zcbuf_pool_rights(ro), ZT_READ_ONLY);
	EXPECT_NE(zcbuf_pool_base(ro), zcbuf_pool_base(pool));
	ASSERT_OK(zcbuf_buf_alloc(pool, 4096, &buf));
	memset(buf.data, 0x61, 4096);
	EXPECT_FILLED(zcbuf_pool_addr(ro, buf.offset), 0x61, 4096);
	EXPECT_ERR(zcbuf_buf_alloc(ro, 4096, &other), EPERM);
	EXPECT_OK(zcbuf_pool_close(ro));
	EXPECT_OK(zcbuf_pool_close(pool));
}

/* --------------------------------------------------------------- rights by name */

/* Where a process leaves its answer; the test's processes share it. */
static int *answer;

static void answer_init(void)
{
	answer = mmap(NULL, sizeof(*answer), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE((long)answer, (long)MAP_FAILED);
}

/*
 * As user @uid in group @gid, with a device opened before: the rights that an
 * attach to @owner's pool gives, or -errno.
 */
static int attach_as(uid_t uid, gid_t gid, const char *name, __u32 rights,
		     uid_t owner)
{
	pid_t pid = fork();
	int fd, err;

	ASSERT_GE(pid, 0);
	if (!pid) {
		fd = open_device();
		ASSERT_OK(zt_become(uid, gid));
		err = owner == uid ? zt_pool_attach(fd, name, rights) :
				     zt_pool_attach_uid(fd, name, rights, owner);
		*answer = err ? err : (int)rights_of(fd);
		_exit(KTAP_PASS);
	}
	ASSERT_STATUS(pid, KTAP_PASS);
	return *answer;
}

/* A process of @uid, @gid with a pool, until it is told. */
static pid_t owner_of(const char *name, __u32 mode, uid_t uid, gid_t gid,
		      struct zt_turns *t)
{
	pid_t pid;
	int fd;

	ASSERT_OK(zt_turns_init(t));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		zt_turns_child(t);
		fd = open_device();
		ASSERT_OK(zt_become(uid, gid));
		ASSERT_OK(zt_pool_create_named(fd, name, mode));
		ASSERT_OK(zt_tell_parent(t));
		ASSERT_OK(zt_await_parent(t));
		_exit(KTAP_PASS);
	}
	zt_turns_parent(t);
	ASSERT_OK(zt_await_child(t));
	return pid;
}

static void owner_ends(pid_t pid, struct zt_turns *t)
{
	ASSERT_OK(zt_tell_child(t));
	ASSERT_STATUS(pid, KTAP_PASS);
}

#define RW_RIGHTS	(ZT_READ_ONLY | ZCBUF_RIGHT_MAP_WRITE |		\
			 ZCBUF_RIGHT_PRODUCE)

/* The owner, its group, and others: as for files. */
TEST(modes_of_named_pools)
{
	static const struct {
		__u32 mode;
		int owner, group, other;
	} row[] = {
		{ 0, ZCBUF_RIGHTS_ALL, -EPERM, -EPERM },
		{ 0600, ZCBUF_RIGHTS_ALL, -EPERM, -EPERM },
		{ 0640, ZCBUF_RIGHTS_ALL, ZT_READ_ONLY, -EPERM },
		{ 0666, ZCBUF_RIGHTS_ALL, RW_RIGHTS, RW_RIGHTS },
		{ 0604, ZCBUF_RIGHTS_ALL, -EPERM, ZT_READ_ONLY },
		{ 0620, ZCBUF_RIGHTS_ALL, RW_RIGHTS & ~ZT_READ_ONLY, -EPERM },
	};
	struct zt_turns t;
	pid_t pid;
	size_t i;

	answer_init();
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		pid = owner_of("modes", row[i].mode, ZT_USER, 2000, &t);
		EXPECT_EQ(attach_as(ZT_USER, 3000, "modes", 0, ZT_USER),
			  row[i].owner);
		EXPECT_EQ(attach_as(OTHER_USER, 2000, "modes", 0, ZT_USER),
			  row[i].group);
		EXPECT_EQ(attach_as(OTHER_USER, 3000, "modes", 0, ZT_USER),
			  row[i].other);
		owner_ends(pid, &t);
	}
	EXPECT_ERR(named("modes", 0700), EINVAL);
	EXPECT_ERR(named("modes", 01600), EINVAL);
}

TEST(rights_that_are_not_to_be_had)
{
	struct zt_turns t;
	pid_t pid;

	answer_init();
	pid = owner_of("rights", 0644, ZT_USER, ZT_USER, &t);
	EXPECT_EQ(attach_as(OTHER_USER, 3000, "rights", ZT_READ_ONLY, ZT_USER),
		  ZT_READ_ONLY);
	EXPECT_EQ(attach_as(OTHER_USER, 3000, "rights", ZCBUF_RIGHT_MAP_READ,
			    ZT_USER), ZCBUF_RIGHT_MAP_READ);
	EXPECT_ERR(attach_as(OTHER_USER, 3000, "rights", ZCBUF_RIGHT_PRODUCE,
			     ZT_USER), EPERM);
	EXPECT_ERR(attach_as(OTHER_USER, 3000, "rights", ZCBUF_RIGHT_ADMIN,
			     ZT_USER), EPERM);
	EXPECT_EQ(attach_as(0, 0, "rights", 0, ZT_USER), ZCBUF_RIGHTS_ALL);
	owner_ends(pid, &t);
}

/* Every user has names of its own: nobody can squat on another's. */
TEST(names_are_a_users_own)
{
	struct zt_turns t;
	int fd = named("own-name", 0);
	pid_t pid;

	answer_init();
	ASSERT_GE(fd, 0);
	EXPECT_ERR(attach_as(ZT_USER, ZT_USER, "own-name", 0, ZT_USER), ENOENT);
	EXPECT_ERR(attach_as(ZT_USER, ZT_USER, "own-name", 0, 0), EPERM);
	pid = owner_of("own-name", 0, ZT_USER, ZT_USER, &t);
	EXPECT_EQ(attach_as(ZT_USER, ZT_USER, "own-name", 0, ZT_USER),
		  ZCBUF_RIGHTS_ALL);
	owner_ends(pid, &t);
	EXPECT_ERR(attach_as(ZT_USER, ZT_USER, "own-name", 0, ZT_USER), ENOENT);
}

/* --------------------------------------------------------- how long memory lives */

TEST(a_pool_outlives_its_creator)
{
	__u64 charged = zt_await_charged(0), h, h2;
	struct zcbuf_pool_info info;
	unsigned char *p;
	int a, b;

	a = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	ASSERT_GE(a, 0);
	EXPECT_EQ(zt_charged(), charged + ZT_ARENA);
	b = zt_join(a, 0);
	ASSERT_GE(b, 0);
	p = zt_map(b, PROT_READ | PROT_WRITE, ZT_ARENA);
	ASSERT_TRUE(p);
	ASSERT_OK(zt_alloc1(a, 1 << 20, &h));
	ASSERT_OK(zt_alloc1(b, 4096, &h2));
	memset(p + zcbuf_buf_offset(h2), 0x42, 4096);
	close(a);
	ASSERT_OK(zt_pool_info(b, &info));
	EXPECT_EQ(info.out_used, 4096);	/* the creator's went with it */
	EXPECT_EQ(info.out_sessions, 1);
	EXPECT_FILLED(p + zcbuf_buf_offset(h2), 0x42, 4096);
	EXPECT_OK(zt_free1(b, h2));
	EXPECT_OK(zt_alloc1(b, ZT_ARENA, &h));
	p[zcbuf_buf_offset(h2)] = 0x43;

	close(b);
	EXPECT_EQ(p[zcbuf_buf_offset(h2)], 0x43);	/* still mapped */
	p[0] = 1;
	EXPECT_EQ(zt_charged(), charged + ZT_ARENA);
	EXPECT_EQ(munmap(p, ZT_ARENA), 0);
	EXPECT_EQ(zt_await_charged(charged), charged);
}

TEST(a_mapping_in_part_keeps_all)
{
	__u64 charged = zt_await_charged(0);
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	char *p;

	p = mmap(NULL, ZT_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		 5 * ZT_PAGE);
	ASSERT_NE((long)p, (long)MAP_FAILED);
	close(fd);
	p[ZT_PAGE - 1] = 1;
	EXPECT_EQ(zt_charged(), charged + ZT_ARENA);
	EXPECT_EQ(munmap(p, ZT_PAGE), 0);
	EXPECT_EQ(zt_await_charged(charged), charged);
}

TEST(a_dead_users_pool_is_gone)
{
	__u64 charged = zt_await_charged(0);
	struct zt_turns t;
	pid_t pid;
	int status;

	pid = owner_of("dead", 0, 0, 0, &t);
	EXPECT_EQ(zt_charged(), charged + ZT_ARENA);
	ASSERT_EQ(kill(pid, SIGKILL), 0);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_ERR(attach("dead", 0), ENOENT);
	EXPECT_EQ(zt_await_charged(charged), charged);
}

/* -------------------------------------------------------------- just mapping it */

TEST(just_map_it)
{
	__u64 charged = zt_await_charged(0);
	int fd = open_device();
	struct zcbuf_pool_info info;
	unsigned char *p;

	p = mmap(NULL, 5000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE((long)p, (long)MAP_FAILED);
	ASSERT_OK(zt_pool_info(fd, &info));
	EXPECT_EQ(info.out_size, ZT_ARENA);
	EXPECT_EQ(info.out_rights, ZCBUF_RIGHTS_ALL);
	EXPECT_ERR(zt_pool_create(fd, 0, 0, ZT_ARENA), EBUSY);
	EXPECT_FILLED(p, 0, 8192);
	memset(p, 0x11, 8192);
	EXPECT_EQ(close(fd), 0);
	EXPECT_FILLED(p, 0x11, 8192);
	EXPECT_EQ(zt_charged(), charged + ZT_ARENA);
	EXPECT_EQ(munmap(p, 8192), 0);
	EXPECT_EQ(zt_await_charged(charged), charged);
}

TEST(just_map_it_and_fork)
{
	__u64 charged = zt_await_charged(0);
	int fd = open_device(), status;
	unsigned char *p;
	pid_t pid;

	p = mmap(NULL, ZT_ARENA, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE((long)p, (long)MAP_FAILED);
	close(fd);
	memset(p, 0x22, ZT_ARENA);
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		EXPECT_FILLED(p, 0x22, ZT_ARENA);
		memset(p, 0x33, ZT_ARENA);
		_exit(KTAP_PASS);
	}
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	EXPECT_FILLED(p, 0x33, ZT_ARENA);
	EXPECT_EQ(munmap(p, ZT_ARENA), 0);
	EXPECT_EQ(zt_await_charged(charged), charged);
}

TEST(just_map_it_but_not_so)
{
	__u64 charged = zt_await_charged(0);
	int fd = open_device();

	EXPECT_EQ((long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0),
		  (long)MAP_FAILED);
	EXPECT_EQ((long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 4096),
		  (long)MAP_FAILED);
	EXPECT_EQ((long)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd,
			     0), (long)MAP_FAILED);
	EXPECT_EQ(rights_of(fd), 0);
	EXPECT_EQ(zt_await_charged(charged), charged);
	EXPECT_OK(zt_pool_create(fd, 0, 0, ZT_ARENA));
}

/* --------------------------------------------------------------------- limits */

/* What it was. */
static long parameter(const char *name, long value)
{
	long before = zt_parameter(name, value);

	ASSERT_GE(before, 0);
	return before;
}

/* What the library says of it before, 0 or an error, */
static int will_do(__u64 size)
{
	struct zcbuf_preflight_opts opts = {
		.sz = sizeof(opts),
		.pool_size = size,
		.features = ZCBUF_FEATURE_POOL_PAGES,
		.flags = ZCBUF_PREFLIGHT_URING,
	};
	struct zcbuf_preflight found = { .sz = sizeof(found) };
	unsigned int i;
	int err = zcbuf_preflight(&opts, &found);

	for (i = 0; i < found.nfindings; i++)
		if (found.findings[i].verdict != ZCBUF_VERDICT_OK)
			TEST_LOG("%s: %s; %s", found.findings[i].name,
				 found.findings[i].detail,
				 found.findings[i].remedy);
	return err;
}

/* and afterwards: ZCBUF_LIMIT_*, how much of it is in use. */
static __u32 limit_hit(__u64 size, __u64 *in_use)
{
	struct zcbuf_why why = { .sz = sizeof(why) };

	ASSERT_OK(zcbuf_explain(NULL, -ENOMEM, size, &why));
	TEST_LOG("%s", why.text);
	*in_use = why.in_use;
	return why.limit;
}

/* An unprivileged user, at a limit of 4 MiB. */
static void at_the_users_limit(void)
{
	struct zcbuf_query q;
	int a, b, c, tries, err;
	__u64 in_use;

	ASSERT_OK(zt_become(ZT_USER, ZT_GROUP));
	a = open_device();
	b = open_device();
	c = open_device();
	ASSERT_OK(zt_query(a, &q));
	EXPECT_OK(will_do(4 * ZT_MIB));
	EXPECT_ERR(will_do(6 * ZT_MIB), ENOMEM);
	EXPECT_EQ(q.out_user_limit, 4 * ZT_MIB);
	EXPECT_EQ(q.out_user_charged, 0);
	EXPECT_ERR(zt_pool_create(a, 0, 0, 6 * ZT_MIB), ENOMEM);
	EXPECT_OK(zt_pool_create(a, 0, 0, ZT_ARENA));
	EXPECT_OK(zt_pool_create(b, 0, 0, ZT_ARENA));
	ASSERT_OK(zt_query(c, &q));
	EXPECT_EQ(q.out_user_charged, 4 * ZT_MIB);
	EXPECT_ERR(zt_pool_create(c, 0, 0, ZT_ARENA), ENOMEM);
	EXPECT_EQ(limit_hit(ZT_ARENA, &in_use), ZCBUF_LIMIT_USER);
	EXPECT_EQ(in_use, 4 * ZT_MIB);
	EXPECT_ERR(will_do(ZT_ARENA), ENOMEM);
	EXPECT_EQ((long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, c, 0),
		  (long)MAP_FAILED);
	close(b);
	for (tries = 0; tries < 2000; tries++) {
		err = zt_pool_create(c, 0, 0, ZT_ARENA);
		if (!err)
			break;
		EXPECT_ERR(err, ENOMEM);
		usleep(10000);
	}
	EXPECT_OK(err);
}

TEST(limit_of_a_user)
{
	__u64 charged = zt_await_charged(0);
	long before = parameter("user_limit_mb", 4);
	int root = zt_pool(ZCBUF_POOL_PAGES, 0, 6 * ZT_MIB);
	pid_t pid = fork();

	EXPECT_EQ(charged, 0);
	ASSERT_GE(pid, 0);
	if (!pid) {
		at_the_users_limit();
		_exit(KTAP_PASS);
	}
	EXPECT_STATUS(pid, KTAP_PASS);
	parameter("user_limit_mb", before);
	EXPECT_EQ(before, 256);
	EXPECT_GE(root, 0);	/* CAP_IPC_LOCK lifts it */
}

/* Whoever opened the device is charged, not whom it was handed to. */
TEST(limit_of_who_opened)
{
	__u64 charged = zt_await_charged(0);
	struct zcbuf_query mine, theirs;
	int fd = open_device();
	pid_t pid = fork();

	EXPECT_EQ(charged, 0);
	ASSERT_GE(pid, 0);
	if (!pid) {
		ASSERT_OK(zt_become(ZT_USER, ZT_GROUP));
		ASSERT_OK(zt_pool_create(fd, 0, 0, ZT_ARENA));
		ASSERT_OK(zt_query(fd, &mine));
		ASSERT_OK(zt_query(open_device(), &theirs));
		EXPECT_EQ(mine.out_user_charged, ZT_ARENA);
		EXPECT_EQ(theirs.out_user_charged, 0);
		_exit(KTAP_PASS);
	}
	EXPECT_STATUS(pid, KTAP_PASS);
	ASSERT_OK(zt_query(fd, &mine));
	EXPECT_EQ(mine.out_user_charged, ZT_ARENA);
}

TEST(limit_of_all_together)
{
	__u64 charged = zt_await_charged(0);
	long before = parameter("total_limit_mb",
				(charged + 4 * ZT_MIB) / ZT_MIB);
	int large = zt_pool(ZCBUF_POOL_PAGES, 0, 6 * ZT_MIB);
	int fits = zt_pool(ZCBUF_POOL_PAGES, 0, 4 * ZT_MIB);
	int more = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	__u64 in_use;
	__u32 limit = limit_hit(ZT_ARENA, &in_use);

	parameter("total_limit_mb", before);
	EXPECT_EQ(limit, ZCBUF_LIMIT_TOTAL);
	EXPECT_EQ(in_use, charged + 4 * ZT_MIB);
	EXPECT_ERR(large, ENOMEM);
	EXPECT_GE(fits, 0);
	EXPECT_ERR(more, ENOMEM);
	EXPECT_EQ(zt_charged(), charged + 4 * ZT_MIB);
}

/* No limit says so, but the machine has not as much: refused, no trace. */
TEST(more_than_the_machine_has)
{
	long before = parameter("total_limit_mb", 1L << 20);
	__u64 charged = zt_await_charged(0);
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, 1ULL << 35);

	parameter("total_limit_mb", before);
	EXPECT_ERR(fd, ENOMEM);
	EXPECT_EQ(zt_charged(), charged);
}

KTAP_MAIN()

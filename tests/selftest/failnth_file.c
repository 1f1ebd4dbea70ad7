// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The device as a file, with every allocation and user copy failing in turn:
 * open, close, mmap and what may be done with a mapping, poll, and the end of a
 * process. What ends must end whatever fails.
 */
#include <sys/epoll.h>
#include <sys/select.h>

#include "failnth.h"

/* -------------------------------------------------------------- open, close */

static int fn_open(struct fn_run *f, int oflags)
{
	int fd = zt_open(oflags);

	if (fd < 0)
		return fd;
	f->fd = fn_keep(f, fd);
	return 0;
}

static int fn_act_open(struct fn_run *f)
{
	return fn_open(f, O_RDWR);
}

static int fn_act_open_read_only(struct fn_run *f)
{
	return fn_open(f, O_RDONLY);
}

static void fn_use_open(struct fn_run *f)
{
	struct zcbuf_query q;

	ASSERT_OK(zt_query(f->fd, &q));
	EXPECT_EQ(q.out_pool, 0);
}

/* The file is closed whatever close() answers. */
static int fn_act_close(struct fn_run *f)
{
	close(f->fd);
	return 0;
}

static void fn_then_closed(struct fn_run *f, int answer)
{
	(void)answer;
	if (f->fd == f->rig.fd)
		f->rig.fd = -1;
	if (f->fd == f->rig.fresh)
		f->rig.fresh = -1;
	if (f->row->bare)
		f->nfds = 0;
}

static void fn_arrange_fresh(struct fn_run *f)
{
	f->fd = f->rig.fresh;
}

/* With its pool. */
static void fn_arrange_last(struct fn_run *f)
{
	__u64 channel;

	f->fd = fn_keep(f, zt_pool(ZCBUF_POOL_TIERS, 0, ZT_ARENA));
	ASSERT_OK(zt_stream(f->fd, RIG_GROUP, 0, &channel));
	hz_put(f->fd, channel, RIG_GROUP);
	ASSERT_OK(zt_alloc1(f->fd, 64, &f->key));
}

/* --------------------------------------------------------------------- mmap */

static int fn_map(struct fn_run *f, int prot, int flags)
{
	f->size = ZT_ARENA;
	f->map = mmap(NULL, f->size, prot, MAP_SHARED | flags, f->fd, 0);
	if (f->map != MAP_FAILED)
		return 0;
	f->map = NULL;
	return -errno;
}

static int fn_act_map(struct fn_run *f)
{
	return fn_map(f, PROT_READ | PROT_WRITE, 0);
}

static int fn_act_map_read_only(struct fn_run *f)
{
	return fn_map(f, PROT_READ, 0);
}

static int fn_act_map_populated(struct fn_run *f)
{
	return fn_map(f, PROT_READ | PROT_WRITE, MAP_POPULATE);
}

/* The page itself is there: the first mapping made it. */
static void fn_arrange_control(struct fn_run *f)
{
	void *page = mmap(NULL, ZT_PAGE, PROT_READ, MAP_SHARED, f->fd,
			  ZCBUF_MMAP_CONTROL);

	ASSERT_NE(page, MAP_FAILED);
	munmap(page, ZT_PAGE);
}

static int fn_act_map_control(struct fn_run *f)
{
	f->size = ZT_PAGE;
	f->map = mmap(NULL, f->size, PROT_READ, MAP_SHARED, f->fd,
		      ZCBUF_MMAP_CONTROL);
	if (f->map != MAP_FAILED)
		return 0;
	f->map = NULL;
	return -errno;
}

static void fn_arrange_reader(struct fn_run *f)
{
	f->fd = fn_keep(f, zt_open(O_RDONLY));
	ASSERT_OK(zt_pool_attach_fd(f->fd, f->rig.fd, 0));
}

static void fn_arrange_map(struct fn_run *f)
{
	ASSERT_OK(fn_act_map(f));
}

/* Of small pages, so that each has an entry of a page table. */
static void fn_arrange_small(struct fn_run *f)
{
	f->fd = fn_keep(f, zt_pool(ZCBUF_POOL_PAGES, ZCBUF_POOL_F_SMALL_PAGES,
				   ZT_ARENA));
	fn_arrange_map(f);
}

/* A pool that lives as long as the mapping. */
static void fn_arrange_anonymous(struct fn_run *f)
{
	f->fd = zt_open(O_RDWR);
	ASSERT_GE(f->fd, 0);
	fn_arrange_map(f);
	close(f->fd);
	f->map[0] = 7;
}

static void fn_use_map(struct fn_run *f)
{
	char *end = f->map + f->size - 1;

	*end = 5;
	EXPECT_EQ(*end, 5);
	*end = 0;
}

static void fn_use_map_read_only(struct fn_run *f)
{
	f->rig.map[f->size - 1] = 5;
	EXPECT_EQ(f->map[f->size - 1], 5);
}

static void fn_use_control(struct fn_run *f)
{
	const struct zcbuf_control *page = (const void *)f->map;

	EXPECT_EQ(page->__reserved[0], 0);
}

/* A page fault that finds no memory is tried again. */
static int fn_act_write(struct fn_run *f)
{
	*(volatile char *)f->map = 3;
	return 0;
}

static int fn_act_read(struct fn_run *f)
{
	return *(volatile char *)(f->map + f->size / 2);
}

/* But not in the kernel. */
static int fn_act_query(struct fn_run *f)
{
	return zt_call(f->fd, ZCBUF_IOC_QUERY, f->map);
}

static void fn_arrange_query(struct fn_run *f)
{
	struct zcbuf_query q = zt_arg(struct zcbuf_query);

	memcpy(f->rig.map, &q, sizeof(q));
	fn_arrange_map(f);
}

static int fn_act_unmap(struct fn_run *f)
{
	if (munmap(f->map, f->size))
		return -errno;
	f->map = NULL;
	return 0;
}

/* What is left is two mappings. */
static int fn_act_unmap_part(struct fn_run *f)
{
	return munmap(f->map + f->size / 2, ZT_PAGE) ? -errno : 0;
}

static int fn_act_protect(struct fn_run *f)
{
	return mprotect(f->map + f->size / 2, ZT_PAGE, PROT_READ) ? -errno : 0;
}

/* The place is there, and nothing in it. */
static void fn_arrange_move(struct fn_run *f)
{
	f->other = zt_ptr(mmap(NULL, ZT_ARENA, PROT_NONE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	fn_arrange_map(f);
	f->map[0] = 7;
}

static int fn_act_move(struct fn_run *f)
{
	char *to = mremap(f->map, f->size, f->size,
			  MREMAP_MAYMOVE | MREMAP_FIXED,
			  (void *)(unsigned long)f->other);

	if (to == MAP_FAILED)
		return -errno;
	f->map = to;
	return 0;
}

static void fn_use_moved(struct fn_run *f)
{
	EXPECT_EQ(zt_ptr(f->map), f->other);
	EXPECT_EQ(f->map[0], 7);
}

/* --------------------------------------------------------------------- poll */

static int fn_act_poll(struct fn_run *f)
{
	struct pollfd p = { .fd = f->fd, .events = POLLIN };
	int n = poll(&p, 1, 0);

	return n == 1 ? 0 : n ? -errno : -ETIMEDOUT;
}

static int fn_act_select(struct fn_run *f)
{
	struct timeval now = {};
	fd_set in;
	int n;

	FD_ZERO(&in);
	FD_SET(f->fd, &in);
	n = select(f->fd + 1, &in, NULL, NULL, &now);
	return n == 1 ? 0 : n ? -errno : -ETIMEDOUT;
}

static void fn_arrange_epoll(struct fn_run *f)
{
	f->key = fn_keep(f, epoll_create1(EPOLL_CLOEXEC));
}

static int fn_act_epoll_add(struct fn_run *f)
{
	struct epoll_event e = { .events = EPOLLIN };

	return epoll_ctl(f->key, EPOLL_CTL_ADD, f->fd, &e) ? -errno : 0;
}

static void fn_use_epoll(struct fn_run *f)
{
	struct epoll_event e;

	EXPECT_EQ(epoll_wait(f->key, &e, 1, 0), 1);
}

static void fn_arrange_epoll_added(struct fn_run *f)
{
	fn_arrange_epoll(f);
	ASSERT_OK(fn_act_epoll_add(f));
}

static int fn_act_epoll_wait(struct fn_run *f)
{
	struct epoll_event e;
	int n = epoll_wait(f->key, &e, 1, 0);

	return n == 1 ? 0 : n ? -errno : -ETIMEDOUT;
}

/* ---------------------------------------------------------------- processes */

/* What a bare mmap() made is inherited, what a pool is made of otherwise not. */
static int fn_act_fork(struct fn_run *f)
{
	f->pid = fork();
	if (f->pid)
		return f->pid < 0 ? -errno : 0;
	EXPECT_EQ(f->map[0], 7);
	f->map[1]++;
	_exit(0);
}

static void fn_then_joined(struct fn_run *f, int answer)
{
	if (answer)
		return;
	EXPECT_STATUS(f->pid, 0);
	EXPECT_EQ(f->map[1], 1);
}

/* /proc/PID/fdinfo of a session. */
static int fn_act_fdinfo(struct fn_run *f)
{
	char path[64], text[512];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", f->fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return n;
	text[n] = '\0';
	return strstr(text, "zcbuf-session:") ? 0 : -ENODATA;
}

/* -------------------------------------------------------------------- table */

static const struct fn_row fn_file_rows[] = {
	FN_OTHER(open_first, .bare = true, .alone = true, .least = 6,
		 .act = fn_act_open, .use = fn_use_open),
	FN_OTHER(open, .least = 3, .act = fn_act_open, .use = fn_use_open),
	FN_OTHER(open_read_only, .least = 3, .act = fn_act_open_read_only,
		 .use = fn_use_open),

	FN_OTHER(close, .act = fn_act_close, .then = fn_then_closed),
	FN_OTHER(close_unattached, .arrange = fn_arrange_fresh,
		 .act = fn_act_close, .then = fn_then_closed),
	FN_OTHER(close_last, .bare = true, .ends = true, .arrange = fn_arrange_last,
		 .act = fn_act_close, .then = fn_then_closed),

	FN_OTHER(mmap, .least = 3, .act = fn_act_map, .use = fn_use_map),
	FN_OTHER(mmap_read_only, .least = 3, .arrange = fn_arrange_reader,
		 .act = fn_act_map_read_only, .use = fn_use_map_read_only),
	FN_OTHER(mmap_populate, .least = 4, .act = fn_act_map_populated,
		 .use = fn_use_map),
	FN_OTHER(mmap_control, .least = 3, .arrange = fn_arrange_control,
		 .act = fn_act_map_control, .use = fn_use_control),
	FN_OTHER(mmap_anonymous, .least = 10, .arrange = fn_arrange_fresh,
		 .act = fn_act_map, .use = fn_use_map),
	FN_OTHER(mmap_anonymous_populate, .least = 10,
		 .arrange = fn_arrange_fresh, .act = fn_act_map_populated,
		 .use = fn_use_map),

	FN_OTHER(fault_write, .least = 1, .only_nth = true,
		 .arrange = fn_arrange_map, .act = fn_act_write),
	FN_OTHER(fault_read, .least = 1, .only_nth = true,
		 .arrange = fn_arrange_map, .act = fn_act_read),
	FN_OTHER(fault_small_page, .least = 1, .only_nth = true,
		 .arrange = fn_arrange_small, .act = fn_act_write),
	FN_OTHER(fault_in_kernel, .least = 3, .only_nth = true,
		 .arrange = fn_arrange_query, .act = fn_act_query),

	FN_OTHER(munmap, .arrange = fn_arrange_map, .act = fn_act_unmap),
	FN_OTHER(munmap_part, .least = 1, .arrange = fn_arrange_map,
		 .act = fn_act_unmap_part),
	FN_OTHER(munmap_last, .bare = true, .ends = true,
		 .arrange = fn_arrange_anonymous, .act = fn_act_unmap),
	FN_OTHER(mprotect, .least = 1, .arrange = fn_arrange_map,
		 .act = fn_act_protect),
	FN_OTHER(mremap, .least = 1, .arrange = fn_arrange_move,
		 .act = fn_act_move, .use = fn_use_moved),

	FN_OTHER(poll, .least = 1, .act = fn_act_poll),
	FN_OTHER(select, .least = 1, .act = fn_act_select),
	FN_OTHER(epoll_add, .least = 3, .arrange = fn_arrange_epoll,
		 .act = fn_act_epoll_add, .use = fn_use_epoll),
	FN_OTHER(epoll_wait, .arrange = fn_arrange_epoll_added,
		 .act = fn_act_epoll_wait),

	FN_OTHER(fork, .least = 30, .alike_from = 16, .alike_to = 112,
		 .stride = 8, .arrange = fn_arrange_anonymous,
		 .act = fn_act_fork, .then = fn_then_joined),
	FN_OTHER(fdinfo, .least = 3, .act = fn_act_fdinfo),
};

FN_TABLE(fn_file_rows)

/* -------------------------------------------------------------------- death */

#define DEATHS	12	/* more failures than an exit has */

/* Ends with something of everything. @n: the failure, 0: none, DEATHS: all. */
static void die(const struct rig *r, unsigned int n, bool killed)
{
	struct zcbuf_reservation v = { .length = 100 };
	__u64 handle;
	int fd;

	ASSERT_FALSE(fault_open());
	fd = zt_join(r->fd, 0);
	ASSERT_GE(fd, 0);
	ASSERT_NE(zt_map(fd, PROT_READ | PROT_WRITE, r->size), NULL);
	ASSERT_OK(zt_alloc1(fd, 64, &handle));
	ASSERT_OK(zt_ports(fd, r->channel, ZT_ALL_PORTS));
	ASSERT_EQ(zt_reserve(fd, r->channel, &v, 1, ZCBUF_RESERVE_F_WINDOW, 0),
		  1);
	ASSERT_OK(zt_reserve1(fd, r->channel, 100, &v));
	if (n == DEATHS)
		fault_all();
	else if (n)
		fault_nth(n);
	if (killed)
		kill(getpid(), SIGKILL);
	_exit(0);
}

static void death(const struct rig *r, unsigned int n, bool killed)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid)
		die(r, n, killed);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	ASSERT_EQ(WIFSIGNALED(status), killed);
	ASSERT_EQ(WIFEXITED(status) && !WEXITSTATUS(status), !killed);
}

/* A process dies, and whatever fails then, others find what they should. */
static void deaths(bool killed)
{
	static struct snapshot wanted;
	struct snapshot *state = &wanted;
	unsigned int n;
	struct rig r;

	fault_need();
	for (n = 0; n <= DEATHS; n++) {
		rig_open(&r);
		death(&r, n, killed);
		if (!n)
			snap_take(&wanted);
		else
			ASSERT_EQ(fn_settle(&state, 1), 0);
		rig_close(&r);
		zt_await_charged(0);
	}
	fault_none();
}

TEST(exit)
{
	deaths(false);
}

TEST(killed)
{
	deaths(true);
}

KTAP_MAIN()

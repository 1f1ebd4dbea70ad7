// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Commands among other requests of a ring: chains that hold and chains that
 * break, rings of others, rings that end while commands are under way. Files are
 * made in the current directory.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>

#include <zcbuf/zcbuf.h>

#include "command.h"
#include "ktap.h"

#define BLOCK	4096U
#define ALL	ZCBUF_URING_F_ALL_OR_ERROR
#define ROUNDS	200

/*
 * struct chain - a ring, and a pool that is registered with it
 * @file: of one block
 * @r: a reservation of two blocks
 * @e: its commit
 * @commit: the argument
 */
struct chain {
	struct io_uring ring;
	unsigned int sqe_flags;
	int fd;
	int file;
	__u64 channel;
	char *map;
	struct zcbuf_reservation r;
	struct zcbuf_commit_entry e;
	struct zcbuf_batch commit;
};

static int one_block(void)
{
	char block[BLOCK];
	int fd = open(".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);

	ASSERT_GE(fd, 0);
	memset(block, 0x3c, sizeof(block));
	ASSERT_EQ(write(fd, block, sizeof(block)), (ssize_t)sizeof(block));
	return fd;
}

static void chain_open(struct chain *c, unsigned int setup,
		       unsigned int sqe_flags)
{
	struct iovec iov = { .iov_len = ZT_ARENA };

	memset(c, 0, sizeof(*c));
	cmd_ring_init(&c->ring, setup);
	c->sqe_flags = sqe_flags;
	c->fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	ASSERT_GE(c->fd, 0);
	ASSERT_OK(zt_stream(c->fd, 0, 0, &c->channel));
	c->map = zt_map(c->fd, PROT_READ | PROT_WRITE, ZT_ARENA);
	ASSERT_NE(c->map, NULL);
	iov.iov_base = c->map;
	ASSERT_OK(io_uring_register_buffers(&c->ring, &iov, 1));
	c->file = one_block();
}

static void chain_close(struct chain *c)
{
	io_uring_queue_exit(&c->ring);
	munmap(c->map, ZT_ARENA);
	close(c->file);
	close(c->fd);
}

/* READ_FIXED of @length bytes into a reservation, and then its COMMIT. */
static void chain_read_commit(struct chain *c, __u64 length)
{
	struct io_uring_sqe *sqe;

	ASSERT_OK(zt_reserve1(c->fd, c->channel, length, &c->r));
	c->e = (struct zcbuf_commit_entry){
		.group = c->r.out_group, .id = c->r.out_id,
		.offset = c->r.out_offset, .length = length,
	};
	c->commit = zt_arg(struct zcbuf_batch, .channel = c->channel,
			   .entries = zt_ptr(&c->e), .count = 1);
	sqe = io_uring_get_sqe(&c->ring);
	io_uring_prep_read_fixed(sqe, c->file, c->map + c->r.out_pool_offset,
				 length, 0, 0);
	sqe->flags |= IOSQE_IO_LINK | c->sqe_flags;
	sqe = cmd_prep(&c->ring, c->fd, ZCBUF_IOC_COMMIT, &c->commit, ALL);
	sqe->flags |= c->sqe_flags;
	cmd_submit(&c->ring, 2);
}

/* All of it arrives, or the chain breaks and nothing has been decided. */
static void read_and_commit(unsigned int setup, unsigned int sqe_flags)
{
	struct zcbuf_delivery d;
	struct chain c;

	chain_open(&c, setup, sqe_flags);
	chain_read_commit(&c, BLOCK);
	EXPECT_EQ(cmd_result(&c.ring), BLOCK);
	EXPECT_EQ(cmd_result(&c.ring), 1);
	ASSERT_EQ(zt_receive(c.fd, c.channel, &d, 1, 0), 1);
	EXPECT_EQ(d.length, BLOCK);
	EXPECT_FILLED(c.map + d.extents[0].pool_offset, 0x3c, BLOCK);
	EXPECT_OK(zt_release1(c.fd, c.channel, d.handle));

	chain_read_commit(&c, 2 * BLOCK);
	EXPECT_EQ(cmd_result(&c.ring), BLOCK);
	EXPECT_ERR(cmd_result(&c.ring), ECANCELED);
	EXPECT_EQ(c.commit.out_done, 0);
	EXPECT_ERR(zt_receive(c.fd, c.channel, &d, 1, 0), EAGAIN);
	EXPECT_OK(zt_abort1(c.fd, c.channel, &c.r));
	chain_close(&c);
}

TEST(read_then_commit)
{
	read_and_commit(0, 0);
}

TEST(read_then_commit_by_workers)
{
	read_and_commit(0, IOSQE_ASYNC);
}

TEST(read_then_commit_by_the_kernels_thread)
{
	read_and_commit(IORING_SETUP_SQPOLL, 0);
}

/* Frees two buffers and one that is none, then a NOP: what became of that. */
static int free_then_nop(int fd, __u32 flags, unsigned int sqe_flags, int *res)
{
	__u64 h[3] = { 0, 0, 0 };
	struct zcbuf_batch a = zt_arg(struct zcbuf_batch, .entries = zt_ptr(h),
				      .count = 3);
	struct io_uring ring;
	int nop;

	ASSERT_EQ(zt_alloc(fd, 0, 0, 0, h, 2), 2);
	h[2] = h[0];	/* freed by then */
	cmd_ring_init(&ring, 0);
	cmd_prep(&ring, fd, ZCBUF_IOC_FREE, &a, flags)->flags |=
		IOSQE_IO_LINK | sqe_flags;
	io_uring_prep_nop(io_uring_get_sqe(&ring));
	cmd_submit(&ring, 2);
	*res = cmd_result(&ring);
	nop = cmd_result(&ring);
	EXPECT_EQ(a.out_done, 2);
	EXPECT_EQ(a.out_error, EBADSLT);
	EXPECT_EQ(zt_used(fd), 0);
	io_uring_queue_exit(&ring);
	return nop;
}

TEST(a_part_breaks_the_chain_if_so_wanted)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA), res;

	ASSERT_GE(fd, 0);
	EXPECT_OK(free_then_nop(fd, 0, 0, &res));
	EXPECT_EQ(res, 2);
	EXPECT_OK(free_then_nop(fd, 0, IOSQE_ASYNC, &res));
	EXPECT_EQ(res, 2);
	EXPECT_ERR(free_then_nop(fd, ALL, 0, &res), ECANCELED);
	EXPECT_ERR(res, EBADSLT);
	EXPECT_ERR(free_then_nop(fd, ALL, IOSQE_ASYNC, &res), ECANCELED);
	EXPECT_ERR(res, EBADSLT);
	close(fd);
}

/* EAGAIN is completed in a way of its own, and must break it, too. */
TEST(nothing_ready_breaks_the_chain)
{
	struct zcbuf_delivery d;
	struct zcbuf_receive a = zt_arg(struct zcbuf_receive,
		.entries = zt_ptr(&d), .count = 1, .entry_size = sizeof(d));
	struct chain c;
	int i;

	chain_open(&c, 0, 0);
	a.channel = c.channel;
	for (i = 0; i < 2; i++) {
		cmd_prep(&c.ring, c.fd, ZCBUF_IOC_RECEIVE, &a, 0)->flags |=
			IOSQE_IO_LINK | (i ? IOSQE_ASYNC : 0);
		io_uring_prep_nop(io_uring_get_sqe(&c.ring));
		cmd_submit(&c.ring, 2);
		EXPECT_ERR(cmd_result(&c.ring), EAGAIN);
		EXPECT_ERR(cmd_result(&c.ring), ECANCELED);
	}
	chain_close(&c);
}

/* Enough for many chains at once, whoever does them. */
TEST(many_chains_at_once)
{
	static struct zcbuf_alloc alloc[16];
	static struct zcbuf_batch back[16];
	static __u64 h[16][8];
	struct chain c;
	int i, k;

	chain_open(&c, 0, 0);
	for (k = 0; k < 8; k++) {
		for (i = 0; i < 16; i++) {
			alloc[i] = zt_arg(struct zcbuf_alloc, .length = BLOCK,
				.handles = zt_ptr(h[i]), .count = 8);
			back[i] = zt_arg(struct zcbuf_batch,
				.entries = zt_ptr(h[i]), .count = 8);
			cmd_prep(&c.ring, c.fd, ZCBUF_IOC_ALLOC, &alloc[i],
				 ALL)->flags |= IOSQE_IO_LINK |
					   (i & 1 ? IOSQE_ASYNC : 0);
			cmd_prep(&c.ring, c.fd, ZCBUF_IOC_FREE, &back[i],
				 ALL)->flags |= i & 2 ? IOSQE_ASYNC : 0;
		}
		cmd_submit(&c.ring, 32);
		for (i = 0; i < 32; i++)
			EXPECT_EQ(cmd_result(&c.ring), 8);
	}
	EXPECT_EQ(zt_used(c.fd), 0);
	EXPECT_EQ(zt_bad_frees(c.fd), 0);
	chain_close(&c);
}

/* What the ring's memory says once a command is submitted is nothing to it. */
TEST(submitted_is_submitted)
{
	struct zcbuf_reservation r[2] = { { .length = 8 }, { .length = 8 } };
	struct zcbuf_reserve a = zt_arg(struct zcbuf_reserve,
		.entries = zt_ptr(r), .count = 2);
	struct io_uring_sqe *sqe;
	struct chain c;
	int i;

	chain_open(&c, 0, 0);
	a.channel = c.channel;
	for (i = 0; i < KTAP_TRIES(100); i++) {
		sqe = cmd_prep(&c.ring, c.fd, ZCBUF_IOC_RESERVE, &a, 0);
		sqe->flags |= i & 1 ? IOSQE_ASYNC : 0;
		cmd_submit(&c.ring, 1);
		memset(sqe, 0xff, sizeof(*sqe));
		EXPECT_EQ(cmd_result(&c.ring), 2);
	}
	chain_close(&c);
}

/*
 * Not so for one that waits for another, with some kernels: it may be refused, but
 * is never mistaken for what is in its place by then.
 */
TEST(what_is_linked_is_no_other)
{
	struct zcbuf_delivery d[2] = {};
	struct zcbuf_receive a[2];
	struct io_uring_sqe *sqe;
	struct chain c;
	int i, res;

	chain_open(&c, 0, 0);
	for (i = 0; i < 2; i++)
		a[i] = zt_arg(struct zcbuf_receive, .channel = c.channel,
			.entries = zt_ptr(&d[i]), .count = 1,
			.entry_size = sizeof(*d));
	sqe = io_uring_get_sqe(&c.ring);
	io_uring_prep_poll_add(sqe, c.fd, POLLIN);
	sqe->flags |= IOSQE_IO_LINK;
	sqe = cmd_prep(&c.ring, c.fd, ZCBUF_IOC_RECEIVE, &a[0], 0);
	sqe->user_data = 1;
	cmd_submit(&c.ring, 2);
	((struct zcbuf_uring_cmd *)sqe->cmd)->arg = zt_ptr(&a[1]);
	sqe->user_data = 2;
	hz_put(c.fd, c.channel, 8);
	EXPECT_TRUE(cmd_result(&c.ring) & POLLIN);
	res = cmd_result(&c.ring);
	if (res != 1)
		EXPECT_ERR(res, ECANCELED);
	EXPECT_EQ(a[0].out_done, res == 1);
	EXPECT_EQ(a[1].out_done, 0);
	chain_close(&c);
}

/* ---------------------------------------------------------------- the library */

static int ring_run(struct io_uring *ring)
{
	cmd_submit(ring, 1);
	return cmd_result(ring);
}

/* One record all the way, and a buffer, with nothing but commands. */
TEST(library_commands)
{
	struct zcbuf_channel_opts o = {
		.sz = sizeof(o), .threshold = ZCBUF_THRESHOLD_EACH,
		.ports = ZCBUF_PORT_PRODUCE | ZCBUF_PORT_CONSUME,
	};
	struct zcbuf_reservation r = { .length = 5 };
	struct zcbuf_commit_entry e = { .length = 5 };
	struct zcbuf_reserve reserve;
	struct zcbuf_receive receive;
	struct zcbuf_channel *ch;
	struct zcbuf_delivery d;
	struct zcbuf_alloc alloc;
	struct zcbuf_batch batch;
	struct zcbuf_pool *pool;
	struct io_uring ring;
	__u64 h;

	cmd_ring_init(&ring, 0);
	ASSERT_OK(zcbuf_pool_create(&pool, NULL));
	ASSERT_OK(zcbuf_channel_create(pool, &o, &ch));
	zcbuf_uring_prep_reserve(ch, io_uring_get_sqe(&ring), &reserve, &r, 1,
				 ALL);
	ASSERT_EQ(ring_run(&ring), 1);
	memcpy(zcbuf_pool_addr(pool, r.out_pool_offset), "hello", 5);
	e.group = r.out_group;
	e.id = r.out_id;
	e.offset = r.out_offset;
	zcbuf_uring_prep_commit(ch, io_uring_get_sqe(&ring), &batch, &e, 1, ALL);
	ASSERT_EQ(ring_run(&ring), 1);
	zcbuf_uring_prep_receive(ch, io_uring_get_sqe(&ring), &receive, &d, 1,
				 ALL);
	ASSERT_EQ(ring_run(&ring), 1);
	EXPECT_EQ(memcmp(zcbuf_pool_addr(pool, d.extents[0].pool_offset),
			 "hello", 5), 0);
	zcbuf_uring_prep_release(ch, io_uring_get_sqe(&ring), &batch, &d.handle,
				 1, ALL);
	EXPECT_EQ(ring_run(&ring), 1);
	zcbuf_uring_prep_alloc(pool, io_uring_get_sqe(&ring), &alloc, 0, &h, 1,
			       ALL);
	alloc.flags = ZCBUF_ALLOC_F_ZERO;
	ASSERT_EQ(ring_run(&ring), 1);
	zcbuf_uring_prep_free(pool, io_uring_get_sqe(&ring), &batch, &h, 1, ALL);
	EXPECT_EQ(ring_run(&ring), 1);
	EXPECT_EQ(zt_used(zcbuf_pool_fd(pool)), 0);
	zcbuf_channel_close(ch);
	zcbuf_pool_close(pool);
	io_uring_queue_exit(&ring);
}

/* ------------------------------------------------------------- locks are held */

/* Reserves and commits for as long as the other one does. */
static void *keep_busy(void *arg)
{
	struct chain *c = arg;
	struct zcbuf_reservation r;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		EXPECT_OK(zt_reserve1(c->fd, c->channel, 8, &r));
		EXPECT_OK(zt_commit1(c->fd, c->channel, &r));
	}
	return NULL;
}

static void *commit_and_receive(void *arg)
{
	struct zcbuf_commit_entry e;
	struct zcbuf_batch a = zt_arg(struct zcbuf_batch,
		.entries = zt_ptr(&e), .count = 1);
	struct zcbuf_reservation r;
	struct chain *c = arg;
	int i;

	a.channel = c->channel;
	for (i = 0; i < ROUNDS; i++) {
		EXPECT_OK(zt_reserve1(c->fd, c->channel, 8, &r));
		e = (struct zcbuf_commit_entry){
			.group = r.out_group, .id = r.out_id,
			.offset = r.out_offset, .length = 8,
		};
		EXPECT_EQ(cmd_run(&c->ring, c->fd, ZCBUF_IOC_COMMIT, &a, ALL,
				  c->sqe_flags), 1);
	}
	return NULL;
}

/* Whether the lock is free or not, each commit is done once. */
static void contended(unsigned int setup, unsigned int sqe_flags)
{
	struct zcbuf_delivery d[16];
	struct chain c;
	int got, n = 0, i;
	__u64 h;

	chain_open(&c, setup, sqe_flags);
	hz_race(keep_busy, &c, commit_and_receive, &c);
	while ((got = zt_receive(c.fd, c.channel, d, 16, 0)) > 0) {
		for (i = 0; i < got; i++) {
			h = d[i].handle;
			EXPECT_OK(zt_release1(c.fd, c.channel, h));
		}
		n += got;
	}
	EXPECT_EQ(n, 2 * ROUNDS);
	EXPECT_EQ(zt_used(c.fd), 0);
	chain_close(&c);
}

TEST(two_at_the_same_channel)
{
	contended(0, 0);
	contended(IORING_SETUP_SQPOLL, 0);
}

/* ------------------------------------------------------------ whose call it is */

/* The ring is a child's, who dies; the buffers are the session's. */
TEST(a_ring_of_somebody_else)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	__u64 *h = mmap(NULL, ZT_PAGE, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct zcbuf_alloc a = zt_arg(struct zcbuf_alloc, .count = 2);
	struct io_uring ring;
	pid_t pid;

	ASSERT_GE(fd, 0);
	ASSERT_NE(h, MAP_FAILED);
	a.handles = zt_ptr(h);
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		ASSERT_OK(zt_become(ZT_USER, ZT_USER));
		cmd_ring_init(&ring, 0);
		EXPECT_EQ(cmd_run(&ring, fd, ZCBUF_IOC_ALLOC, &a, ALL, 0), 2);
		_exit(KTAP_PASS);
	}
	EXPECT_STATUS(pid, KTAP_PASS);
	EXPECT_EQ(zt_used(fd), 2 * ZT_PAGE);
	EXPECT_EQ(zt_free(fd, h, 2), 2);
	close(fd);
}

/* A ring can keep a session, as any table of files can. */
TEST(a_session_the_ring_has)
{
	__u64 charged = zt_await_charged(0), h;
	struct zcbuf_alloc a = zt_arg(struct zcbuf_alloc, .handles = zt_ptr(&h),
				      .count = 1);
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	struct io_uring ring;

	ASSERT_GE(fd, 0);
	cmd_ring_init(&ring, 0);
	ASSERT_OK(io_uring_register_files(&ring, &fd, 1));
	close(fd);
	EXPECT_ERR(cmd_run(&ring, fd, ZCBUF_IOC_ALLOC, &a, 0, 0), EBADF);
	EXPECT_EQ(cmd_run(&ring, 0, ZCBUF_IOC_ALLOC, &a, 0, IOSQE_FIXED_FILE),
		  1);
	EXPECT_EQ(cmd_run(&ring, 0, ZCBUF_IOC_ALLOC, &a, 0,
			  IOSQE_FIXED_FILE | IOSQE_ASYNC), 1);
	EXPECT_EQ(zt_charged(), charged + ZT_ARENA);
	io_uring_queue_exit(&ring);
	EXPECT_EQ(zt_await_charged(charged), charged);
}

/* ------------------------------------------------------------------ rings end */

/* Memory that makes who touches it stand still: that nobody ever fills. */
static char *stalling_page(int *uffd)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };
	char *p;

	*uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (*uffd < 0)
		SKIP("userfaultfd: %s", strerror(errno));
	ASSERT_OK(ioctl(*uffd, UFFDIO_API, &api));
	p = mmap(NULL, ZT_PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(p, MAP_FAILED);
	reg.range.start = zt_ptr(p);
	reg.range.len = ZT_PAGE;
	ASSERT_OK(ioctl(*uffd, UFFDIO_REGISTER, &reg));
	return p;
}

struct stalled {
	struct io_uring ring;
	unsigned int sqe_flags;
	int uffd;
	int fd;
	char *page;
	struct zcbuf_batch a;
};

static void *submit_stalled(void *arg)
{
	struct stalled *s = arg;

	cmd_prep(&s->ring, s->fd, ZCBUF_IOC_FREE, &s->a, 0)->flags |=
		s->sqe_flags;
	io_uring_submit(&s->ring);
	return NULL;
}

/* A command stands still in it; tell who is to end this process. */
static void stall_in_a_command(struct zt_turns *t, unsigned int setup,
			       unsigned int sqe_flags)
{
	static struct stalled s;
	struct pollfd p = { .events = POLLIN };
	pthread_t thread;
	__u64 h;

	s.sqe_flags = sqe_flags;
	cmd_ring_init(&s.ring, setup);
	s.fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	ASSERT_GE(s.fd, 0);
	ASSERT_OK(zt_alloc1(s.fd, 0, &h));
	s.page = stalling_page(&s.uffd);
	s.a = zt_arg(struct zcbuf_batch, .entries = zt_ptr(s.page), .count = 1);
	ASSERT_EQ(pthread_create(&thread, NULL, submit_stalled, &s), 0);
	p.fd = s.uffd;
	ASSERT_EQ(TEMP_FAILURE_RETRY(poll(&p, 1, -1)), 1);
	ASSERT_OK(zt_tell_parent(t));
	ktap_stay();
}

static void killed_in_a_command(unsigned int setup, unsigned int sqe_flags)
{
	__u64 charged = zt_await_charged(0);
	struct zt_turns t;
	int status;
	pid_t pid;

	ASSERT_OK(zt_turns_init(&t));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		zt_turns_child(&t);
		stall_in_a_command(&t, setup, sqe_flags);
	}
	zt_turns_parent(&t);
	ASSERT_OK(zt_await_child(&t));
	EXPECT_EQ(zt_charged(), charged + ZT_ARENA);
	ASSERT_EQ(kill(pid, SIGKILL), 0);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(zt_await_charged(charged), charged);
}

TEST(killed_in_a_submission)
{
	killed_in_a_command(0, 0);
}

TEST(killed_while_a_worker_is_at_it)
{
	killed_in_a_command(0, IOSQE_ASYNC);
}

TEST(killed_while_the_kernels_thread_is_at_it)
{
	killed_in_a_command(IORING_SETUP_SQPOLL, 0);
}

/* Until it is killed. */
static void submit_for_ever(struct zt_turns *t)
{
	static struct zcbuf_reservation r[32][4];
	static struct zcbuf_reserve a[32];
	struct chain c;
	int i, k;

	chain_open(&c, 0, 0);
	for (k = 0;; k++) {
		for (i = 0; i < 32; i++) {
			r[i][0].length = 64;
			a[i] = zt_arg(struct zcbuf_reserve,
				.channel = c.channel,
				.entries = zt_ptr(r[i]), .count = 1);
			cmd_prep(&c.ring, c.fd, ZCBUF_IOC_RESERVE, &a[i], 0);
		}
		cmd_submit(&c.ring, 32);
		if (!k)
			ASSERT_OK(zt_tell_parent(t));
		for (i = 0; i < 32; i++)
			cmd_result(&c.ring);
	}
}

TEST(killed_with_many_under_way)
{
	__u64 charged = zt_await_charged(0);
	struct zt_turns t;
	int status, i;
	pid_t pid;

	for (i = 0; i < KTAP_TRIES(5); i++) {
		ASSERT_OK(zt_turns_init(&t));
		pid = fork();
		ASSERT_GE(pid, 0);
		if (!pid) {
			zt_turns_child(&t);
			submit_for_ever(&t);
		}
		zt_turns_parent(&t);
		ASSERT_OK(zt_await_child(&t));
		hz_dawdle(16);
		ASSERT_EQ(kill(pid, SIGKILL), 0);
		ASSERT_EQ(waitpid(pid, &status, 0), pid);
		EXPECT_EQ(zt_await_charged(charged), charged);
	}
}

/* Whoever closes the ring waits for what a worker does. */
TEST(rings_are_closed_with_some_under_way)
{
	static struct zcbuf_alloc a[32];
	static __u64 h[32][65];
	struct zcbuf_pool_create pool = zt_arg(struct zcbuf_pool_create,
		.arena_size = 8 * ZT_ARENA);
	__u64 charged = zt_await_charged(0);
	struct io_uring ring;
	int fd, i;

	fd = zt_pool_as(&pool);
	ASSERT_GE(fd, 0);
	cmd_ring_init(&ring, 0);
	for (i = 0; i < 32; i++) {
		a[i] = zt_arg(struct zcbuf_alloc, .handles = zt_ptr(h[i]),
			      .count = 65);
		cmd_prep(&ring, fd, ZCBUF_IOC_ALLOC, &a[i], 0);
	}
	cmd_submit(&ring, 32);
	close(fd);
	io_uring_queue_exit(&ring);
	EXPECT_EQ(zt_await_charged(charged), charged);
}

KTAP_MAIN()

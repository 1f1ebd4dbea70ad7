// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Arenas that are given back: when they go, what is left where they were, who keeps
 * them, and what all others notice. Files are made in the current directory, which
 * must be on a file system that can do O_DIRECT.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zcbuf/zcbuf.h>

#include "common.h"
#include "dump.h"
#include "hostile.h"
#include "ktap.h"
#include "retire.h"
#include "ring.h"
#include "thread.h"

#define RACES	60	/* arenas that come and go */

/* -------------------------------------------------------------------- it goes */

TEST(an_idle_one_goes_at_once)
{
	__u64 before = zt_await_charged(0);
	int fd = arenas_of(ZCBUF_POOL_PAGES, 0, 3);
	char *map = map_all(fd, 3), *again;
	struct zcbuf_pool_info info;

	memset(map, 0x5a, 3 * ZT_ARENA);
	EXPECT_EQ(retire(fd, 1, 0), ZCBUF_ARENA_GONE);
	EXPECT_EQ(zt_charged(), before + 2 * ZT_ARENA);
	info = zt_info(fd);
	EXPECT_EQ(info.out_size, 2 * ZT_ARENA);
	EXPECT_EQ(info.out_end, 3 * ZT_ARENA);
	EXPECT_EQ(info.out_max_end, 64 * ZT_ARENA);
	EXPECT_EQ(info.out_arenas, 2);
	EXPECT_EQ(info.out_present, 5);
	EXPECT_EQ(info.out_retiring, 0);

	EXPECT_TRUE(is_there(map, 0));
	EXPECT_FALSE(is_there(map, 1));
	EXPECT_TRUE(is_there(map, 2));
	EXPECT_FILLED(map, 0x5a, ZT_ARENA);
	EXPECT_FILLED(map + 2 * ZT_ARENA, 0x5a, ZT_ARENA);
	again = map_all(fd, 3);
	EXPECT_FALSE(is_there(again, 1));
	EXPECT_FILLED(again + 2 * ZT_ARENA, 0x5a, ZT_ARENA);
	EXPECT_EQ(retire(fd, 1, 0), ZCBUF_ARENA_GONE);
	EXPECT_EQ(retire(fd, 1, NOW), ZCBUF_ARENA_GONE);
	EXPECT_ERR(retire(fd, 1, CANCEL), EALREADY);
}

/* Whoever touches it dies of it, in whichever process. */
TEST(touching_it_is_sigbus)
{
	int fd = arenas_of(ZCBUF_POOL_PAGES, 0, 2), status;
	struct zt_turns t;
	char *map;
	pid_t pid;

	ASSERT_OK(zt_turns_init(&t));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		zt_turns_child(&t);
		map = map_all(fd, 2);
		map[ZT_ARENA] = map[2 * ZT_ARENA - 1] = 1;
		ASSERT_OK(zt_tell_parent(&t));
		ASSERT_OK(zt_await_parent(&t));
		map[0] = 1;
		map[ZT_ARENA] = 2;
		_exit(KTAP_FAIL);
	}
	zt_turns_parent(&t);
	ASSERT_OK(zt_await_child(&t));
	EXPECT_EQ(retire(fd, 1, 0), ZCBUF_ARENA_GONE);
	ASSERT_OK(zt_tell_child(&t));
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(WTERMSIG(status), SIGBUS);
}

TEST(used_until_it_is_freed)
{
	__u64 before = zt_await_charged(0), first, last, handle;
	int fd = arenas_of(ZCBUF_POOL_PAGES, 0, 2);
	char *map = map_all(fd, 2);

	last = half_of_arena_1(fd, &first);
	memset(map + ZT_ARENA, 0x33, ZT_ARENA / 2);
	EXPECT_EQ(retire(fd, 1, 0), ZCBUF_ARENA_RETIRING);
	EXPECT_EQ(zt_info(fd).out_retiring, 2);
	EXPECT_EQ(zt_info(fd).out_present, 3);
	EXPECT_EQ(zt_info(fd).out_largest_free, 0);
	EXPECT_ERR(zt_alloc1(fd, ZT_PAGE, &handle), ENOMEM);
	EXPECT_EQ(zt_poll(fd, 0) & POLLOUT, 0);
	EXPECT_FILLED(map + ZT_ARENA, 0x33, ZT_ARENA / 2);
	map[ZT_ARENA] = 0x34;
	EXPECT_OK(zt_free1(fd, first));
	EXPECT_OK(zt_alloc1(fd, ZT_PAGE, &handle));
	EXPECT_LT(zcbuf_buf_offset(handle), ZT_ARENA);

	EXPECT_OK(zt_free1(fd, last));
	await_gone(fd, 1);
	EXPECT_FALSE(is_there(map, 1));
	EXPECT_EQ(zt_charged(), before + ZT_ARENA);
	EXPECT_ERR(zt_free1(fd, last), ENOENT);
}

TEST(an_object_keeps_it)
{
	int fd = arenas_of(ZCBUF_POOL_TIERS, 0, 2);
	__u64 first, object[2], other;

	ASSERT_OK(zt_alloc1(fd, ZT_ARENA, &first));
	ASSERT_OK(zt_alloc1(fd, 64, &object[0]));
	ASSERT_OK(zt_alloc1(fd, 64, &object[1]));
	ASSERT_GE(zcbuf_buf_offset(object[0]), ZT_ARENA);
	EXPECT_EQ(retire(fd, 1, 0), ZCBUF_ARENA_RETIRING);
	EXPECT_ERR(zt_alloc1(fd, 64, &other), ENOMEM);
	EXPECT_OK(zt_free1(fd, first));
	EXPECT_OK(zt_alloc1(fd, 64, &other));
	EXPECT_LT(zcbuf_buf_offset(other), ZT_ARENA);
	EXPECT_OK(zt_free1(fd, object[0]));
	EXPECT_EQ(retire(fd, 1, 0), ZCBUF_ARENA_RETIRING);
	EXPECT_OK(zt_free1(fd, object[1]));
	await_gone(fd, 1);
	EXPECT_ERR(zt_free1(fd, object[1]), ENOENT);
	EXPECT_OK(zt_free1(fd, other));
}

/* Not only buffers: a group does, while it is open and until it is released. */
TEST(a_group_keeps_it)
{
	int fd = arenas_of(ZCBUF_POOL_PAGES, 0, 2);
	struct zcbuf_reservation r;
	struct zcbuf_delivery d;
	__u64 first, channel;

	ASSERT_OK(zt_alloc1(fd, ZT_ARENA, &first));
	ASSERT_OK(zt_stream(fd, ZT_PAGE, 0, &channel));
	ASSERT_OK(zt_reserve1(fd, channel, 100, &r));
	ASSERT_GE(r.out_pool_offset, ZT_ARENA);
	EXPECT_EQ(retire(fd, 1, 0), ZCBUF_ARENA_RETIRING);
	EXPECT_OK(zt_commit1(fd, channel, &r));
	EXPECT_EQ(zt_flush(fd, channel), 1);
	ASSERT_EQ(zt_receive(fd, channel, &d, 1, 0), 1);
	EXPECT_EQ(retire(fd, 1, 0), ZCBUF_ARENA_RETIRING);
	EXPECT_ERR(zt_reserve1(fd, channel, 100, &r), EAGAIN);
	EXPECT_OK(zt_release1(fd, channel, d.handle));
	await_gone(fd, 1);
}

TEST(the_dead_give_it_back)
{
	int fd = arenas_of(ZCBUF_POOL_PAGES, 0, 2), other = zt_join(fd, 0);
	__u64 first;

	ASSERT_GE(other, 0);
	half_of_arena_1(other, &first);
	EXPECT_EQ(retire(fd, 1, 0), ZCBUF_ARENA_RETIRING);
	close(other);
	await_gone(fd, 1);
	EXPECT_EQ(zt_info(fd).out_used, 0);
}

/* -------------------------------------------------------------- now, and not */

TEST(now_or_not_at_all)
{
	int fd = arenas_of(ZCBUF_POOL_PAGES, 0, 2);
	struct zcbuf_pool_info info;
	__u64 first, last, handle;

	last = half_of_arena_1(fd, &first);
	info = zt_info(fd);
	EXPECT_ERR(retire(fd, 1, NOW), EBUSY);
	EXPECT_EQ(zt_info(fd).out_retiring, 0);
	EXPECT_EQ(zt_info(fd).out_largest_free, info.out_largest_free);
	EXPECT_OK(zt_alloc1(fd, ZT_PAGE, &handle));
	EXPECT_OK(zt_free1(fd, handle));
	EXPECT_OK(zt_free1(fd, last));
	EXPECT_EQ(retire(fd, 1, NOW), ZCBUF_ARENA_GONE);
}

TEST(cancelled)
{
	int fd = arenas_of(ZCBUF_POOL_PAGES, 0, 2);
	__u64 first, last, handle;

	last = half_of_arena_1(fd, &first);
	EXPECT_EQ(retire(fd, 1, CANCEL), ZCBUF_ARENA_LIVE);
	EXPECT_EQ(retire(fd, 1, 0), ZCBUF_ARENA_RETIRING);
	EXPECT_ERR(zt_alloc1(fd, ZT_PAGE, &handle), ENOMEM);
	EXPECT_EQ(retire(fd, 1, CANCEL), ZCBUF_ARENA_LIVE);
	EXPECT_OK(zt_alloc1(fd, ZT_PAGE, &handle));
	EXPECT_OK(zt_free1(fd, handle));
	EXPECT_OK(zt_free1(fd, last));
	EXPECT_EQ(zt_info(fd).out_present, 3);
	EXPECT_EQ(zt_info(fd).out_retiring, 0);
	EXPECT_EQ(retire(fd, 1, NOW), ZCBUF_ARENA_GONE);
}

TEST(what_cannot_be_retired)
{
	int fd = arenas_of(ZCBUF_POOL_PAGES, 0, 2);
	int fixed = zt_pool(ZCBUF_POOL_FIXED, ZCBUF_POOL_F_SHARED_PAGES, 0);

	EXPECT_ERR(retire(fd, 0, 0), EINVAL);
	EXPECT_ERR(retire(fd, 2, 0), EINVAL);
	EXPECT_ERR(retire(fd, 64, 0), EINVAL);
	EXPECT_ERR(retire(fd, -1, CANCEL), EINVAL);
	EXPECT_ERR(retire(fd, 1, NOW | CANCEL), EINVAL);
	EXPECT_ERR(retire_until(fd, 1, NOW, 1), EINVAL);
	EXPECT_ERR(retire_until(fd, 1, CANCEL, ZCBUF_NO_DEADLINE), EINVAL);
	ASSERT_GE(fixed, 0);
	EXPECT_ERR(retire(fixed, 0, 0), EOPNOTSUPP);
	EXPECT_EQ(zt_info(fd).out_present, 3);
}

/* -------------------------------------------------------------------- waiting */

struct waiter {
	int fd;
	__u64 deadline_ns;
	int answer;
};

static void *waits(void *arg)
{
	struct waiter *w = arg;

	w->answer = retire_until(w->fd, 1, 0, w->deadline_ns);
	return NULL;
}

TEST(waits_until_it_is_gone)
{
	int fd = arenas_of(ZCBUF_POOL_PAGES, 0, 2);
	struct waiter w = { .fd = fd, .deadline_ns = ZCBUF_NO_DEADLINE };
	struct thread t = { .run = waits, .arg = &w };
	__u64 first, last;

	last = half_of_arena_1(fd, &first);
	thread_start(&t, SYS_ioctl);
	EXPECT_OK(zt_free1(fd, first));
	EXPECT_OK(zt_free1(fd, last));
	thread_join(&t);
	EXPECT_EQ(w.answer, ZCBUF_ARENA_GONE);
}

TEST(waits_no_longer_than_told)
{
	int fd = arenas_of(ZCBUF_POOL_PAGES, 0, 2);
	__u64 first, last;

	last = half_of_arena_1(fd, &first);
	EXPECT_ERR(retire_until(fd, 1, 0, 1), ETIMEDOUT);
	EXPECT_EQ(zt_info(fd).out_retiring, 2);
	ASSERT_OK(fcntl(fd, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(retire_until(fd, 1, 0, ZCBUF_NO_DEADLINE),
		  ZCBUF_ARENA_RETIRING);
	ASSERT_OK(fcntl(fd, F_SETFL, 0));
	EXPECT_OK(zt_free1(fd, last));
	await_gone(fd, 1);
}

TEST(who_waits_sees_it_cancelled)
{
	int fd = arenas_of(ZCBUF_POOL_PAGES, 0, 2);
	struct waiter w = { .fd = fd, .deadline_ns = ZCBUF_NO_DEADLINE };
	struct thread t = { .run = waits, .arg = &w };
	__u64 first;

	half_of_arena_1(fd, &first);
	thread_start(&t, SYS_ioctl);
	EXPECT_EQ(retire(fd, 1, CANCEL), ZCBUF_ARENA_LIVE);
	thread_join(&t);
	EXPECT_EQ(w.answer, ZCBUF_ARENA_LIVE);
}

/* --------------------------------------------------------------- growing again */

TEST(the_next_comes_behind_the_hole)
{
	__u64 before = zt_await_charged(0), whole[2];
	int fd = arenas_of(ZCBUF_POOL_PAGES, 0, 2);
	struct zcbuf_pool_grow a;
	char *map;

	EXPECT_ERR(zt_pool_grow(fd, NULL), E2BIG);
	EXPECT_EQ(retire(fd, 1, NOW), ZCBUF_ARENA_GONE);
	ASSERT_OK(zt_pool_grow(fd, &a));
	EXPECT_EQ(a.out_arena, 2);
	EXPECT_EQ(a.out_size, 3 * ZT_ARENA);
	EXPECT_ERR(zt_pool_grow(fd, NULL), E2BIG);
	EXPECT_EQ(zt_charged(), before + 2 * ZT_ARENA);
	EXPECT_EQ(zt_alloc(fd, ZT_ARENA, 0, 0, whole, 2), 2);
	EXPECT_EQ(zcbuf_buf_offset(whole[1]), 2 * ZT_ARENA);
	map = map_all(fd, 3);
	memset(map + 2 * ZT_ARENA, 1, ZT_ARENA);
	EXPECT_FALSE(is_there(map, 1));
}

/* Each has its place for ever: there are so many, and then no more. */
TEST(so_many_arenas_and_then_no_more)
{
	struct zcbuf_pool_create c = zt_arg(struct zcbuf_pool_create,
		.arena_size = ZT_ARENA, .max_size = 2 * ZT_ARENA);
	int fd = zt_pool_as(&c);
	__u32 i;

	ASSERT_GE(fd, 0);
	for (i = 1; i < 64; i++) {
		ASSERT_OK(zt_pool_grow(fd, NULL));
		ASSERT_EQ(retire(fd, i, NOW), ZCBUF_ARENA_GONE);
	}
	EXPECT_ERR(zt_pool_grow(fd, NULL), E2BIG);
	EXPECT_EQ(zt_info(fd).out_end, zt_info(fd).out_max_end);
	EXPECT_EQ(zt_info(fd).out_size, ZT_ARENA);
}

static void *allocates(void *arg)
{
	struct waiter *w = arg;
	__u64 handle;
	struct zcbuf_alloc a = zt_arg(struct zcbuf_alloc, .length = ZT_ARENA,
		.handles = zt_ptr(&handle), .count = 1,
		.deadline_ns = w->deadline_ns);

	w->answer = zt_call(w->fd, ZCBUF_IOC_ALLOC, &a);
	if (!w->answer)
		w->answer = zcbuf_buf_offset(handle) / ZT_ARENA;
	return NULL;
}

/* Memory that goes makes room for more, in a pool that takes it by itself. */
TEST(who_waits_for_memory_gets_another_arena)
{
	int fd = arenas_of(ZCBUF_POOL_PAGES, ZCBUF_POOL_F_AUTO_GROW, 2);
	struct waiter w = { .fd = fd, .deadline_ns = ZCBUF_NO_DEADLINE };
	struct thread t = { .run = allocates, .arg = &w };
	__u64 first, last;

	last = half_of_arena_1(fd, &first);
	EXPECT_EQ(retire(fd, 1, 0), ZCBUF_ARENA_RETIRING);
	thread_start(&t, SYS_ioctl);
	EXPECT_OK(zt_free1(fd, last));
	thread_join(&t);
	EXPECT_EQ(w.answer, 2);
	EXPECT_EQ(zt_info(fd).out_present, 5);
}

/* --------------------------------------------------------------- who holds pages */

/* Registered with io_uring it is pinned: what goes on there does no harm. */
TEST(a_ring_pins_it)
{
	__u64 before = zt_await_charged(0);
	int fd = arenas_of(ZCBUF_POOL_PAGES, 0, 2), file;
	char back[ZT_PAGE] __attribute__((aligned(4096)));
	char *map = map_all(fd, 2);
	struct iovec iov = { map + ZT_ARENA, ZT_ARENA };
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	char path[64];

	snprintf(path, sizeof(path), "retire-%d", getpid());
	file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_DIRECT | O_CLOEXEC,
		    0600);
	ASSERT_GE(file, 0);
	EXPECT_OK(unlink(path));
	ASSERT_OK(io_uring_queue_init(8, &ring, 0));
	memset(map + ZT_ARENA, 0x29, ZT_PAGE);
	ASSERT_OK(io_uring_register_buffers(&ring, &iov, 1));

	EXPECT_ERR(retire(fd, 1, NOW), EBUSY);
	EXPECT_EQ(zt_info(fd).out_retiring, 0);
	EXPECT_EQ(retire(fd, 1, 0), ZCBUF_ARENA_PINNED);
	EXPECT_EQ(zt_info(fd).out_present, 1);
	EXPECT_EQ(zt_info(fd).out_retiring, 2);
	EXPECT_EQ(zt_info(fd).out_size, 2 * ZT_ARENA);
	EXPECT_ERR(retire(fd, 1, CANCEL), EALREADY);
	EXPECT_ERR(retire(fd, 1, NOW), EBUSY);
	EXPECT_FALSE(is_there(map, 1));
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_write_fixed(sqe, file, map + ZT_ARENA, ZT_PAGE, 0, 0);
	ASSERT_EQ(io_uring_submit(&ring), 1);
	ASSERT_OK(ring_wait(&ring, &cqe));
	EXPECT_EQ(cqe->res, (int)ZT_PAGE);
	ASSERT_EQ(pread(file, back, ZT_PAGE, 0), (ssize_t)ZT_PAGE);
	EXPECT_FILLED(back, 0x29, ZT_PAGE);
	EXPECT_EQ(zt_charged(), before + 2 * ZT_ARENA);

	ASSERT_OK(io_uring_unregister_buffers(&ring));
	await_gone(fd, 1);
	EXPECT_EQ(zt_charged(), before + ZT_ARENA);
	EXPECT_ERR(io_uring_register_buffers(&ring, &iov, 1), EFAULT);
	io_uring_queue_exit(&ring);
	close(file);
}

/* The pool goes, and what is pinned of it is its zombie. */
TEST(the_pool_ends_before_it)
{
	__u64 before = zt_await_charged(0);
	int fd = arenas_of(ZCBUF_POOL_PAGES, 0, 3);
	char *map = map_all(fd, 3);
	struct iovec iov = { map + ZT_ARENA, ZT_ARENA };
	struct io_uring ring;

	ASSERT_OK(io_uring_queue_init(8, &ring, 0));
	ASSERT_OK(io_uring_register_buffers(&ring, &iov, 1));
	EXPECT_EQ(retire(fd, 1, 0), ZCBUF_ARENA_PINNED);
	EXPECT_EQ(retire(fd, 2, 0), ZCBUF_ARENA_GONE);
	munmap(map, 3 * ZT_ARENA);
	close(fd);
	EXPECT_EQ(zt_charged(), before + 2 * ZT_ARENA);
	io_uring_queue_exit(&ring);
	EXPECT_EQ(zt_await_charged(before), before);
}

/* -------------------------------------------------------------------- what is told */

/* State of arena @index in a dump, -1 without it. */
static int dumped_state(__u64 pool, __u32 index)
{
	const struct nlmsghdr *n;
	struct dump d;
	int state = -1;

	dump_begin(&d, ZCBUF_CMD_ARENA_GET);
	while ((n = dump_next(&d, sizeof(d.buf))))
		if (nl_number(n, ZCBUF_A_ARENA_POOL) == pool &&
		    nl_number(n, ZCBUF_A_ARENA_INDEX) == index)
			state = nl_number(n, ZCBUF_A_ARENA_STATE);
	close(d.sk);
	return state;
}

TEST(netlink_tells)
{
	int fd = arenas_of(ZCBUF_POOL_PAGES, 0, 3);
	__u64 pool = pool_of(fd), first, last;

	last = half_of_arena_1(fd, &first);
	EXPECT_EQ(dumped_state(pool, 1), ZCBUF_ARENA_LIVE);
	EXPECT_EQ(retire(fd, 1, 0), ZCBUF_ARENA_RETIRING);
	EXPECT_EQ(dumped_state(pool, 1), ZCBUF_ARENA_RETIRING);
	EXPECT_OK(zt_free1(fd, last));
	await_gone(fd, 1);
	EXPECT_EQ(dumped_state(pool, 1), -1);
	EXPECT_EQ(dumped_state(pool, 2), ZCBUF_ARENA_LIVE);
	EXPECT_EQ(dumped_state(pool, 0), ZCBUF_ARENA_LIVE);
	EXPECT_EQ(times_seen(ZCBUF_CMD_POOL_GET, ZCBUF_A_POOL_HANDLE, pool), 1);
}

/* ---------------------------------------------------------------------- races */

/*
 * struct race - a pool whose second arena comes and goes
 * @map: room for all arenas there can ever be
 * @arena: the last that came and is mapped; atomic
 * @stop: go home; atomic
 */
struct race {
	int fd;
	char *map;
	unsigned int arena;
	bool stop;
};

static bool race_goes_on(const struct race *r)
{
	return !__atomic_load_n(&r->stop, __ATOMIC_ACQUIRE);
}

static char *race_arena(const struct race *r)
{
	return r->map + __atomic_load_n(&r->arena, __ATOMIC_ACQUIRE) * ZT_ARENA;
}

/* Touches all of it, be it there or not. */
static void *race_touch(void *arg)
{
	struct race *r = arg;

	while (race_goes_on(r))
		madvise(race_arena(r), ZT_ARENA, MADV_POPULATE_WRITE);
	return NULL;
}

/* Pins it, and lets go. */
static void *race_register(void *arg)
{
	struct race *r = arg;
	struct io_uring ring;
	struct iovec iov = { .iov_len = ZT_ARENA };
	int err;

	ASSERT_OK(io_uring_queue_init(4, &ring, 0));
	while (race_goes_on(r)) {
		iov.iov_base = race_arena(r);
		err = io_uring_register_buffers(&ring, &iov, 1);
		if (err)
			EXPECT_ERR(err, EFAULT);
		else
			EXPECT_OK(io_uring_unregister_buffers(&ring));
	}
	io_uring_queue_exit(&ring);
	return NULL;
}

/* What was allocated is there, and is nobody else's, until it is freed. */
static void *race_use(void *arg)
{
	struct race *r = arg;
	__u64 handle, at;

	while (race_goes_on(r)) {
		if (zt_alloc1(r->fd, ZT_PAGE << hz_random(6), &handle))
			continue;
		at = zcbuf_buf_offset(handle);
		if (at / ZT_ARENA <= __atomic_load_n(&r->arena,
						     __ATOMIC_ACQUIRE)) {
			memset(r->map + at, 0x77, ZT_PAGE);
			sched_yield();
			EXPECT_FILLED(r->map + at, 0x77, ZT_PAGE);
		}
		EXPECT_OK(zt_free1(r->fd, handle));
	}
	return NULL;
}

static void race_map(struct race *r, unsigned int arena)
{
	ASSERT_NE(mmap(r->map + arena * ZT_ARENA, ZT_ARENA,
		       PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, r->fd,
		       arena * ZT_ARENA), MAP_FAILED);
	__atomic_store_n(&r->arena, arena, __ATOMIC_RELEASE);
}

static void races(__u32 flags)
{
	void *(*const jobs[])(void *) = { race_touch, race_register, race_use };
	int i, tries = KTAP_TRIES(RACES);
	__u64 before = zt_await_charged(0);
	struct race r = { .fd = arenas_of(ZCBUF_POOL_PAGES, flags, 2) };
	pthread_t thread[3];

	r.map = mmap(NULL, 64 * ZT_ARENA, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(r.map, MAP_FAILED);
	race_map(&r, 0);
	race_map(&r, 1);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(pthread_create(&thread[i], NULL, jobs[i], &r), 0);
	for (i = 1; i < tries; i++) {
		hz_dawdle(20);
		ASSERT_EQ(retire_until(r.fd, i, 0, ZCBUF_NO_DEADLINE),
			  ZCBUF_ARENA_GONE);
		ASSERT_OK(zt_pool_grow(r.fd, NULL));
		race_map(&r, i + 1);
	}
	__atomic_store_n(&r.stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(pthread_join(thread[i], NULL), 0);
	EXPECT_EQ(zt_info(r.fd).out_used, 0);
	EXPECT_EQ(zt_charged(), before + 2 * ZT_ARENA);
	ASSERT_OK(munmap(r.map, 64 * ZT_ARENA));
	close(r.fd);
	EXPECT_EQ(zt_await_charged(before), before);
}

TEST(races_over_huge_pages)
{
	races(0);
}

TEST(races_over_small_pages)
{
	races(ZCBUF_POOL_F_SMALL_PAGES);
}

/* -------------------------------------------------------------------- library */

TEST(library)
{
	struct zcbuf_pool_opts o = {
		.sz = sizeof(o), .arena_size = ZT_ARENA,
		.max_size = 2 * ZT_ARENA,
	};
	struct zcbuf_buf first, last, next;
	struct zcbuf_pool *pool, *late;

	ASSERT_OK(zcbuf_pool_create(&pool, &o));
	ASSERT_EQ(zcbuf_pool_grow(pool), 1);
	ASSERT_OK(zcbuf_buf_alloc(pool, ZT_ARENA, &first));
	ASSERT_OK(zcbuf_buf_alloc(pool, ZT_ARENA, &last));
	memset(last.data, 0x11, ZT_ARENA);
	EXPECT_EQ(zcbuf_pool_retire(pool, 1, 0, 0), ZCBUF_ARENA_RETIRING);
	EXPECT_ERR(zcbuf_pool_retire(pool, 1, NOW, 0), EBUSY);
	EXPECT_FILLED(last.data, 0x11, ZT_ARENA);
	EXPECT_OK(zcbuf_buf_free(&last));
	EXPECT_EQ(zcbuf_pool_retire(pool, 1, 0, ZCBUF_NO_DEADLINE),
		  ZCBUF_ARENA_GONE);
	ASSERT_EQ(zcbuf_pool_grow(pool), 2);
	ASSERT_OK(zcbuf_buf_alloc(pool, ZT_ARENA, &next));
	EXPECT_EQ(next.offset, 2 * ZT_ARENA);
	memset(next.data, 0x22, ZT_ARENA);
	EXPECT_EQ((char *)next.data - (char *)first.data, 2 * (long)ZT_ARENA);

	/* Who comes later maps the hole as well. */
	ASSERT_OK(zcbuf_pool_attach_fd(&late, zcbuf_pool_fd(pool), NULL));
	EXPECT_EQ(zcbuf_pool_size(late), 3 * ZT_ARENA);
	EXPECT_FILLED(zcbuf_pool_addr(late, next.offset), 0x22, ZT_ARENA);
	EXPECT_OK(zcbuf_pool_close(late));
	EXPECT_OK(zcbuf_buf_free(&next));
	EXPECT_OK(zcbuf_buf_free(&first));
	EXPECT_OK(zcbuf_pool_close(pool));
}

KTAP_MAIN()

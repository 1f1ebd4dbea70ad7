// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * I/O that outlives its process. A process is killed while a disk that takes its
 * time still writes into memory it had, or reads from it, and another session of
 * the pool has the same arena registered: nobody gets that memory before the I/O
 * is over, and soon after that somebody does.
 */
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <zcbuf/uring.h>

#include "common.h"
#include "dump.h"
#include "hostile.h"
#include "ktap.h"
#include "ring.h"

#define SLOW_DISK	99	/* namespace, see tests/vm/run */
#define LENGTH		(64 * 1024U)
#define OPS		4
#define PATIENCE_NS	(1000 * 1000 * 1000ULL)	/* once the I/O is over */

/**
 * struct plan - who dies how
 * @pool: as it is made
 * @get: child: get memory of the pool and say where it is
 * @give: parent, before: what @get needs
 * @end: parent, after: the channel gives its own back
 * @topic: the channel is one
 * @ring: flags of the child's ring
 * @no_token: the child has none
 * @drop_files: it gives its fixed files back, the token among them
 * @plain: it reads by address, without a fixed buffer
 * @out: the disk reads from the memory
 */
struct plan {
	struct zcbuf_pool_create pool;
	__u64 (*get)(int fd, __u64 channel);
	void (*give)(int fd, __u64 channel);
	void (*end)(int fd, __u64 channel);
	unsigned int ring;
	bool topic;
	bool no_token;
	bool drop_files;
	bool plain;
	bool out;
};

static char disk_node[64];
static char disk_inflight[320];

static int number_in(const char *path)
{
	FILE *f = fopen(path, "r");
	int n = -1;

	if (!f)
		return -1;
	if (fscanf(f, "%d", &n) != 1)
		n = -1;
	fclose(f);
	return n;
}

/* Its name is not its number. */
static bool find_disk(void)
{
	char path[320];
	bool found = false;
	glob_t g;
	size_t i;

	if (glob("/sys/block/nvme*", 0, NULL, &g))
		return false;
	for (i = 0; i < g.gl_pathc && !found; i++) {
		snprintf(path, sizeof(path), "%s/nsid", g.gl_pathv[i]);
		found = number_in(path) == SLOW_DISK;
		if (!found)
			continue;
		snprintf(disk_node, sizeof(disk_node), "/dev/%s",
			 strrchr(g.gl_pathv[i], '/') + 1);
		snprintf(disk_inflight, sizeof(disk_inflight), "%s/inflight",
			 g.gl_pathv[i]);
	}
	globfree(&g);
	return found;
}

/* Requests the disk has not answered. */
static unsigned int inflight(void)
{
	unsigned int reads = 0, writes = 0;
	FILE *f = fopen(disk_inflight, "r");

	ASSERT_TRUE(f);
	ASSERT_EQ(fscanf(f, "%u %u", &reads, &writes), 2);
	fclose(f);
	return reads + writes;
}

static __u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static int token(int fd, __u32 arenas)
{
	struct zcbuf_pin_token arg = zt_arg(struct zcbuf_pin_token,
					    .arenas = arenas);

	ASSERT_OK(zt_call(fd, ZCBUF_IOC_PIN_TOKEN, &arg));
	return arg.out_fd;
}

/* As a library does it: the token first, then the arena as one fixed buffer. */
static void ring_open(struct io_uring *ring, unsigned int flags, int fd,
		      bool with_token, void *base)
{
	struct iovec iov = { base, ZT_ARENA };
	int file;

	ASSERT_OK(io_uring_queue_init(OPS, ring, flags));
	if (with_token) {
		file = token(fd, 1);
		ASSERT_OK(io_uring_register_files(ring, &file, 1));
		close(file);
	}
	ASSERT_OK(io_uring_register_buffers(ring, &iov, 1));
}

static __u64 get_block(int fd, __u64 channel)
{
	__u64 handle;

	(void)channel;
	ASSERT_OK(zt_alloc1(fd, LENGTH, &handle));
	return zcbuf_buf_offset(handle);
}

static __u64 get_reservation(int fd, __u64 channel)
{
	struct zcbuf_reservation r = { .length = LENGTH };

	ASSERT_EQ(zt_ports(fd, channel, ZCBUF_PORT_PRODUCE), 0);
	ASSERT_EQ(zt_reserve(fd, channel, &r, 1, ZCBUF_RESERVE_F_WINDOW, 0), 1);
	return r.out_pool_offset;
}

static __u64 get_delivery(int fd, __u64 channel)
{
	struct zcbuf_delivery d;

	ASSERT_EQ(zt_ports(fd, channel, ZCBUF_PORT_CONSUME), 0);
	ASSERT_EQ(zt_receive(fd, channel, &d, 1, ZCBUF_NO_DEADLINE), 1);
	return d.extents[0].pool_offset;
}

static void give_group(int fd, __u64 channel)
{
	struct zcbuf_reservation r = { .length = LENGTH };

	ASSERT_EQ(zt_reserve(fd, channel, &r, 1, ZCBUF_RESERVE_F_WINDOW, 0), 1);
	ASSERT_OK(zt_commit1(fd, channel, &r));
}

static __u64 get_message(int fd, __u64 channel)
{
	struct zcbuf_channel_open a = { .channel = channel, .replay = 1,
					.ports = ZCBUF_PORT_CONSUME };
	struct zcbuf_delivery d;

	ASSERT_OK(zt_channel_open(fd, &a));
	ASSERT_EQ(zt_receive(fd, channel, &d, 1, 0), 1);
	return d.extents[0].pool_offset;
}

/* Into the history of the channel. */
static void give_message(int fd, __u64 channel)
{
	struct zcbuf_publication p = {};

	ASSERT_OK(zt_alloc1(fd, LENGTH, &p.handle));
	ASSERT_EQ(zt_publish(fd, channel, &p, 1, 0, 0), 1);
}

/* Which has it no longer: then the dead alone is in the way. */
static void end_topic(int fd, __u64 channel)
{
	ASSERT_OK(zt_channel_close(fd, channel, 0));
}

/* What the dead had reserved has failed by now, and is nobody's any more. */
static void end_failed(int fd, __u64 channel)
{
	struct zcbuf_receive_failed f = zt_arg(struct zcbuf_receive_failed);
	struct zcbuf_piece piece;
	struct zcbuf_lost lost;

	f.deadline_ns = ZCBUF_NO_DEADLINE;
	f.npieces = 1;
	f.nlost = 1;
	f.pieces = zt_ptr(&piece);
	f.lost = zt_ptr(&lost);
	ASSERT_OK(zt_receive_failed(fd, channel, &f));
	EXPECT_EQ(f.nlost, 1);
	ASSERT_OK(zt_release1(fd, channel, f.out_delivery.handle));
}

/* @uring: the library prepares the read, and by what it has registered. */
static void child_prep(struct io_uring_sqe *sqe, const struct plan *p,
		       const struct zcbuf_uring *uring, int disk, char *at,
		       __u64 offset)
{
	unsigned int n = LENGTH / OPS;

	ASSERT_TRUE(sqe);
	if (uring)
		ASSERT_EQ(zcbuf_uring_prep_read(uring, sqe, disk, at, n,
						offset), 1);
	else if (p->plain)
		io_uring_prep_read(sqe, disk, at, n, offset);
	else if (p->out)
		io_uring_prep_write_fixed(sqe, disk, at, n, offset, 0);
	else
		io_uring_prep_read_fixed(sqe, disk, at, n, offset, 0);
}

static void child_submit(struct io_uring *ring, const struct plan *p,
			 const struct zcbuf_uring *uring, char *at)
{
	int i, disk = open(disk_node, O_RDWR | O_DIRECT | O_CLOEXEC);
	unsigned int n = LENGTH / OPS;

	ASSERT_GE(disk, 0);
	/* With gaps: one request each. */
	for (i = 0; i < OPS; i++, at += n)
		child_prep(io_uring_get_sqe(ring), p, uring, disk, at,
			   2 * i * n);
	ASSERT_GT(io_uring_submit(ring), 0);
	while (!inflight())
		usleep(100);	/* SQPOLL, io-wq */
}

static void child_run(struct zt_turns *t, const struct plan *p, int donor,
		      __u64 channel)
{
	int fd = zt_join(donor, 0);
	struct io_uring ring;
	char *base;

	ASSERT_GE(fd, 0);
	close(donor);
	base = zt_map(fd, PROT_READ | PROT_WRITE, ZT_ARENA);
	ASSERT_NE(base, NULL);
	ring_open(&ring, p->ring, fd, !p->no_token, base);
	if (p->drop_files)
		ASSERT_OK(io_uring_unregister_files(&ring));
	child_submit(&ring, p, NULL, base + p->get(fd, channel));
	ASSERT_OK(zt_tell_parent(t));
	ktap_stay();
}

/* All that is left, but the memory of the other one. */
static void take_the_rest(int fd)
{
	__u64 handle;

	while (!zt_alloc1(fd, LENGTH, &handle))
		;
}

/* The memory of the dead, and with it the answer whether the I/O was over. */
static void await_memory(int fd)
{
	__u64 over = 0, handle;
	bool waited = false;

	while (zt_alloc1(fd, LENGTH, &handle)) {
		waited |= inflight() > 0;
		if (!inflight() && !over)
			over = now_ns();
		if (over)
			ASSERT_LE(now_ns(), over + PATIENCE_NS);
		usleep(500);
	}
	EXPECT_EQ(inflight(), 0);
	EXPECT_TRUE(waited);
}

static const struct nlmsghdr *pool_message(struct dump *d, int fd)
{
	const struct nlmsghdr *n;
	__u64 pool = pool_of(fd);

	dump_begin(d, ZCBUF_CMD_POOL_GET);
	while ((n = dump_next(d, sizeof(d->buf))))
		if (nl_number(n, ZCBUF_A_POOL_HANDLE) == pool)
			return n;
	return NULL;
}

static __u64 pool_number(int fd, int attribute)
{
	const struct nlmsghdr *n;
	struct dump d;
	__u64 number;

	n = pool_message(&d, fd);
	ASSERT_TRUE(n);
	number = nl_number(n, attribute);
	while (dump_next(&d, sizeof(d.buf)))
		;
	dump_end(&d);
	return number;
}

/* The end of it is asynchronous. */
static void await_drained(int fd)
{
	while (pool_number(fd, ZCBUF_A_POOL_QUARANTINE_SESSIONS))
		usleep(500);
	EXPECT_EQ(zt_used(fd), 0);
}

static int pool_open(const struct plan *p)
{
	struct zcbuf_class class = { .length = LENGTH, .count = 32 };
	struct zcbuf_pool_create arg = p->pool;

	arg.size = sizeof(arg);
	arg.mode = 0600;
	if (arg.kind == ZCBUF_POOL_FIXED) {
		arg.classes = zt_ptr(&class);
		arg.nclasses = 1;
	} else {
		arg.arena_size = ZT_ARENA;
	}
	return zt_pool_as(&arg);
}

/* The parent serves all but the consumer port. */
static __u64 channel_open(const struct plan *p, int fd)
{
	struct zcbuf_channel_open a = {
		.flags = ZCBUF_CHANNEL_F_TOPIC, .history = 1,
		.ports = ZCBUF_PORT_PRODUCE,
	};

	if (p->topic) {
		ASSERT_OK(zt_channel_open(fd, &a));
		return a.out_channel;
	}
	ASSERT_OK(zt_stream(fd, LENGTH, ZCBUF_CHANNEL_F_NO_AUTO_FINALIZE,
			    &a.out_channel));
	if (p->give)
		ASSERT_OK(zt_channel_close(fd, a.out_channel,
					   ZCBUF_PORT_CONSUME));
	return a.out_channel;
}

static void dies_with_io(const void *arg)
{
	const struct plan *p = arg;
	int fd = pool_open(p);
	struct zt_turns t;
	struct io_uring ring;
	__u64 channel = 0;
	pid_t child;
	char *base;

	if (!find_disk())
		SKIP("no slow disk");
	ASSERT_GE(fd, 0);
	ASSERT_OK(zt_turns_init(&t));
	base = zt_map(fd, PROT_READ | PROT_WRITE, ZT_ARENA);
	ASSERT_NE(base, NULL);
	if (p->end || p->give)
		channel = channel_open(p, fd);
	if (p->give)
		p->give(fd, channel);
	child = fork();
	if (!child) {
		zt_turns_child(&t);
		child_run(&t, p, fd, channel);
	}
	zt_turns_parent(&t);
	ASSERT_OK(zt_await_child(&t));
	ring_open(&ring, 0, fd, true, base);
	take_the_rest(fd);

	ASSERT_GT(inflight(), 0);
	ASSERT_OK(kill(child, SIGKILL));
	if (p->end)
		p->end(fd, channel);
	await_memory(fd);
	ASSERT_EQ(waitpid(child, NULL, 0), child);
	/* Its memory is back, and then it goes. */
	EXPECT_TRUE(HZ_UNTIL(!pool_number(fd,
					  ZCBUF_A_POOL_QUARANTINE_SESSIONS)));
	EXPECT_EQ(pool_number(fd, ZCBUF_A_POOL_TOKENS), 1);
	io_uring_queue_exit(&ring);
}

#define PLAN(_name, ...)						\
	static const struct plan plan_##_name = { __VA_ARGS__ };	\
	TEST_WITH(dies_with_io, _name, &plan_##_name)

PLAN(read_fixed, .get = get_block)
PLAN(read_fixed_small_pages, .get = get_block,
	.pool.flags = ZCBUF_POOL_F_SMALL_PAGES)
PLAN(read_fixed_sqpoll, .get = get_block, .ring = IORING_SETUP_SQPOLL)
PLAN(write_fixed, .get = get_block, .out = true)
PLAN(read_by_address, .get = get_block, .plain = true)
PLAN(read_by_address_without_token, .get = get_block, .plain = true,
	.no_token = true)
PLAN(without_token, .get = get_block, .no_token = true)
PLAN(without_token_small_pages, .get = get_block, .no_token = true,
	.pool.flags = ZCBUF_POOL_F_SMALL_PAGES)
PLAN(token_given_up, .get = get_block, .drop_files = true)
PLAN(slab_object, .get = get_block, .pool.kind = ZCBUF_POOL_TIERS)
PLAN(fixed_object, .get = get_block, .pool.kind = ZCBUF_POOL_FIXED)
PLAN(reservation, .get = get_reservation, .end = end_failed)
PLAN(reservation_without_token, .get = get_reservation, .end = end_failed,
	.no_token = true)
PLAN(delivery, .get = get_delivery, .give = give_group, .out = true)
PLAN(message, .topic = true, .get = get_message, .give = give_message,
	.end = end_topic)
PLAN(message_of_a_slab, .topic = true, .get = get_message,
	.give = give_message, .end = end_topic, .out = true,
	.pool.kind = ZCBUF_POOL_TIERS)
PLAN(message_of_a_fixed_pool, .topic = true, .get = get_message,
	.give = give_message, .end = end_topic,
	.pool.kind = ZCBUF_POOL_FIXED)

/* ------------------------------------------------------------------ library */

static void library_child(struct zt_turns *t, int donor)
{
	struct zcbuf_uring uring;
	struct zcbuf_pool *pool;
	struct io_uring ring;
	struct zcbuf_buf buf;

	ASSERT_OK(zcbuf_pool_attach_fd(&pool, donor, NULL));
	close(donor);
	ASSERT_OK(io_uring_queue_init(OPS, &ring, 0));
	ASSERT_OK(zcbuf_uring_register(&uring, &ring, pool));
	ASSERT_OK(zcbuf_buf_alloc(pool, LENGTH, &buf));
	child_submit(&ring, NULL, &uring, buf.data);
	ASSERT_OK(zt_tell_parent(t));
	ktap_stay();
}

/*
 * Whose rings are the library's has no tokens to think of: neither has who dies,
 * nor who lives on with all of the arena registered.
 */
TEST(library)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	struct zcbuf_uring uring;
	struct zcbuf_pool *pool;
	struct io_uring ring;
	struct zt_turns t;
	pid_t child;

	if (!find_disk())
		SKIP("no slow disk");
	ASSERT_GE(fd, 0);
	ASSERT_OK(zt_turns_init(&t));
	child = fork();
	if (!child) {
		zt_turns_child(&t);
		library_child(&t, fd);
	}
	zt_turns_parent(&t);
	ASSERT_OK(zt_await_child(&t));
	ASSERT_OK(zcbuf_pool_attach_fd(&pool, fd, NULL));
	ASSERT_OK(io_uring_queue_init(OPS, &ring, 0));
	ASSERT_OK(zcbuf_uring_register(&uring, &ring, pool));
	take_the_rest(fd);

	ASSERT_GT(inflight(), 0);
	ASSERT_OK(kill(child, SIGKILL));
	await_memory(fd);
	ASSERT_EQ(waitpid(child, NULL, 0), child);
	EXPECT_EQ(pool_number(fd, ZCBUF_A_POOL_QUARANTINE_SESSIONS), 0);
	EXPECT_EQ(pool_number(fd, ZCBUF_A_POOL_TOKENS), 1);
	EXPECT_OK(zcbuf_uring_unregister(&uring));
	io_uring_queue_exit(&ring);
	EXPECT_OK(zcbuf_pool_close(pool));
}

/* -------------------------------------------------------------- tokens alone */

/* A ring that nobody told of pins all: what dies beside it waits for it. */
TEST(unaccounted_registration)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	int other = zt_join(fd, 0);
	struct io_uring ring;
	__u64 handle;
	char *base;

	ASSERT_GE(other, 0);
	base = zt_map(fd, PROT_READ | PROT_WRITE, ZT_ARENA);
	ASSERT_NE(base, NULL);
	ring_open(&ring, 0, fd, false, base);
	ASSERT_OK(zt_alloc1(other, LENGTH, &handle));
	close(other);
	EXPECT_EQ(zt_used(fd), LENGTH);
	EXPECT_EQ(pool_number(fd, ZCBUF_A_POOL_SESSIONS), 1);
	EXPECT_EQ(pool_number(fd, ZCBUF_A_POOL_QUARANTINE_SESSIONS), 1);
	EXPECT_EQ(pool_number(fd, ZCBUF_A_POOL_QUARANTINE_BYTES), LENGTH);
	EXPECT_GT(pool_number(fd, ZCBUF_A_POOL_QUARANTINE_AGE_NS), 0);
	ASSERT_OK(io_uring_unregister_buffers(&ring));
	await_drained(fd);
	EXPECT_EQ(pool_number(fd, ZCBUF_A_POOL_QUARANTINE_BYTES), 0);
	EXPECT_EQ(pool_number(fd, ZCBUF_A_POOL_QUARANTINE_AGE_NS), 0);
}

/* A token that is held open counts as a ring, whoever holds it. */
TEST(token_held_open)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	int other = zt_join(fd, 0);
	int file = token(other, 0);
	__u64 handle;
	char byte;

	ASSERT_OK(zt_alloc1(other, LENGTH, &handle));
	EXPECT_EQ(fcntl(file, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(read(file, &byte, 1), -1);
	EXPECT_EQ(pool_number(fd, ZCBUF_A_POOL_TOKENS), 1);
	close(other);
	EXPECT_EQ(zt_used(fd), LENGTH);
	EXPECT_EQ(pool_number(fd, ZCBUF_A_POOL_QUARANTINE_SESSIONS), 1);
	close(file);
	await_drained(fd);
	EXPECT_EQ(pool_number(fd, ZCBUF_A_POOL_TOKENS), 0);
}

/* It ends before its session: then there was nothing to wait for. */
TEST(token_closed_first)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	int other = zt_join(fd, 0);
	__u64 handle;

	ASSERT_OK(zt_alloc1(other, LENGTH, &handle));
	close(token(other, 0));
	close(other);
	EXPECT_EQ(zt_used(fd), 0);
}

/* The pool goes with the last token, if there is nobody else. */
TEST(token_keeps_the_pool)
{
	__u64 charged = zt_await_charged(0);
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	int file = token(fd, 0);

	ASSERT_EQ(charged, 0);
	close(fd);
	EXPECT_GE(zt_charged(), ZT_ARENA);
	close(file);
	EXPECT_EQ(zt_await_charged(0), 0);
}

/* Who waits for room is woken when quarantine ends. */
TEST(end_of_quarantine_wakes)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	int other = zt_join(fd, 0);
	struct zcbuf_alloc a = zt_arg(struct zcbuf_alloc);
	int file = token(other, 0);
	__u64 handle;
	pid_t child;

	ASSERT_OK(zt_alloc1(other, ZT_ARENA, &handle));
	close(other);
	child = fork();
	if (!child) {
		close(file);
		a.length = ZT_ARENA;
		a.handles = zt_ptr(&handle);
		a.count = 1;
		a.deadline_ns = ZCBUF_NO_DEADLINE;
		ASSERT_OK(zt_call(fd, ZCBUF_IOC_ALLOC, &a));
		_exit(0);
	}
	ASSERT_OK(zt_await_sleep(child, SYS_ioctl));
	close(file);
	EXPECT_STATUS(child, 0);
}

/* It stands for registrations, which need to write. */
TEST(token_of_a_reader)
{
	struct zcbuf_pin_token t = zt_arg(struct zcbuf_pin_token);
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	int reader = zt_join(fd, ZT_READ_ONLY);

	ASSERT_OK(zt_call(reader, ZCBUF_IOC_PIN_TOKEN, &t));
	t.arenas = 1;
	EXPECT_ERR(zt_call(reader, ZCBUF_IOC_PIN_TOKEN, &t), EPERM);
	ASSERT_OK(zt_call(fd, ZCBUF_IOC_PIN_TOKEN, &t));
	t.arenas = 2;
	EXPECT_ERR(zt_call(fd, ZCBUF_IOC_PIN_TOKEN, &t), EINVAL);
}

/* Its name is free while its memory is in quarantine. */
TEST(name_of_the_dead)
{
	struct zcbuf_pin_token t = zt_arg(struct zcbuf_pin_token);
	int fd = zt_open(O_RDWR), again = zt_open(O_RDWR);
	char name[32];

	snprintf(name, sizeof(name), "dead-%d", getpid());
	ASSERT_OK(zt_pool_create_named(fd, name, 0600));
	ASSERT_OK(zt_call(fd, ZCBUF_IOC_PIN_TOKEN, &t));
	EXPECT_ERR(zt_pool_create_named(again, name, 0600), EEXIST);
	close(fd);
	EXPECT_ERR(zt_pool_attach(again, name, 0), ENOENT);
	ASSERT_OK(zt_pool_create_named(again, name, 0600));
	close(t.out_fd);
}

/* A channel that only the dead have is none. */
TEST(channel_of_the_dead)
{
	struct zcbuf_reservation r;
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	int other = zt_join(fd, 0), file = token(other, 0);
	struct zcbuf_pool_info info;
	__u64 channel;

	ASSERT_OK(zt_stream(other, 100, 0, &channel));
	ASSERT_OK(zt_reserve1(other, channel, 100, &r));
	ASSERT_OK(zt_commit1(other, channel, &r));
	ASSERT_OK(zt_reserve1(other, channel, 100, &r));
	close(other);
	ASSERT_OK(zt_pool_info(fd, &info));
	EXPECT_EQ(info.out_channels, 0);
	EXPECT_LT(zt_ports(fd, channel, ZCBUF_PORT_PRODUCE), 0);
	/* What was delivered to nobody is free, what was not decided is not. */
	EXPECT_EQ(zt_used(fd), pool_number(fd, ZCBUF_A_POOL_QUARANTINE_BYTES));
	EXPECT_EQ(zt_used(fd), ZT_PAGE);
	close(file);
	await_drained(fd);
}

TEST(unattached_has_no_token)
{
	struct zcbuf_pin_token t = zt_arg(struct zcbuf_pin_token);

	EXPECT_ERR(zt_call(zt_open(O_RDWR), ZCBUF_IOC_PIN_TOKEN, &t), EPERM);
}

KTAP_MAIN()

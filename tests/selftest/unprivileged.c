// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The main job as an ordinary user in the device's group, without a capability:
 * producers and a consumer in processes of their own, a killed producer, a
 * group that goes to a file as a fixed buffer. And users who may not.
 */
#include <fcntl.h>

#include <zcbuf/zcbuf.h>

#include "common.h"
#include "ktap.h"
#include "ring.h"

#define POOL	"unprivileged"
#define RECORD	1000U
#define RECORDS	100U	/* of each producer: together a whole number of groups */
#define GROUP	8192U	/* 8 records, aligned */
#define NOBODY	1001

/* For good, in this process and those it starts. */
static void drop_privileges(void)
{
	ASSERT_OK(zt_become(ZT_USER, ZT_GROUP));
	ASSERT_EQ(geteuid(), ZT_USER);
}

static struct zcbuf_channel *create(struct zcbuf_pool **pool, __u32 ports)
{
	struct zcbuf_pool_opts po = {
		.sz = sizeof(po), .arena_size = ZT_ARENA, .name = POOL,
	};
	struct zcbuf_channel_opts co = {
		.sz = sizeof(co), .threshold = GROUP, .ports = ports,
	};
	struct zcbuf_channel *ch;

	ASSERT_OK(zcbuf_pool_create(pool, &po));
	ASSERT_OK(zcbuf_channel_create(*pool, &co, &ch));
	return ch;
}

static struct zcbuf_channel *attach(struct zcbuf_pool **pool, __u64 handle)
{
	struct zcbuf_channel *ch;

	ASSERT_OK(zcbuf_pool_attach(pool, POOL, NULL));
	ASSERT_OK(zcbuf_channel_attach(*pool, handle, ZCBUF_PORT_PRODUCE, 0,
				       &ch));
	return ch;
}

static void __attribute__((noreturn)) producer(__u64 handle, int id)
{
	struct zcbuf_pool *pool;
	struct zcbuf_channel *ch = attach(&pool, handle);
	struct zcbuf_writer w;
	unsigned int i;

	for (i = 0; i < RECORDS; i++) {
		ASSERT_OK(zcbuf_writer_reserve(ch, RECORD, 0,
					       ZCBUF_NO_DEADLINE, &w));
		memset(w.data, id, RECORD);
		ASSERT_OK(zcbuf_writer_submit_placed(&w, RECORD));
	}
	ASSERT_OK(zcbuf_channel_close(ch));
	ASSERT_OK(zcbuf_pool_close(pool));
	_exit(KTAP_PASS);
}

static pid_t start(__u64 handle, int id)
{
	pid_t pid = fork();

	ASSERT_GE(pid, 0);
	if (!pid)
		producer(handle, id);
	return pid;
}

/* Every record is whole; records of producer @id are counted in @seen. */
static void count_records(struct zcbuf_pool *pool,
			  const struct zcbuf_delivery *d, unsigned int *seen)
{
	struct iovec iov[ZCBUF_MAX_EXTENTS];
	int i, n = zcbuf_delivery_iovec(pool, d, iov);
	unsigned char *p, *end;

	for (i = 0; i < n; i++) {
		p = iov[i].iov_base;
		end = p + iov[i].iov_len;
		for (; p < end; p += (RECORD + 63) & ~63U) {
			ASSERT_TRUE(*p == 1 || *p == 2);
			EXPECT_FILLED(p, *p, RECORD);
			seen[*p]++;
		}
	}
}

TEST(two_producers_and_a_consumer)
{
	unsigned int seen[3] = { 0 }, records = 0;
	struct zcbuf_delivery d[8];
	struct zcbuf_channel *ch;
	struct zcbuf_pool *pool;
	pid_t pid[2];
	int i, n;

	drop_privileges();
	ch = create(&pool, ZCBUF_PORT_CONSUME | ZCBUF_PORT_PRODUCE);
	pid[0] = start(zcbuf_channel_handle(ch), 1);
	pid[1] = start(zcbuf_channel_handle(ch), 2);
	while (records < 2 * RECORDS) {
		n = zcbuf_receive(ch, d, 8, ZCBUF_NO_DEADLINE);
		ASSERT_GT(n, 0);
		for (i = 0; i < n; i++) {
			count_records(pool, &d[i], seen);
			records += d[i].nrecords;
			EXPECT_EQ(zcbuf_release(ch, &d[i].handle, 1), 1);
		}
	}
	EXPECT_EQ(seen[1], RECORDS);
	EXPECT_EQ(seen[2], RECORDS);
	EXPECT_STATUS(pid[0], KTAP_PASS);
	EXPECT_STATUS(pid[1], KTAP_PASS);
	EXPECT_EQ(zt_used(zcbuf_pool_fd(pool)), 0);
	EXPECT_OK(zcbuf_pool_close(pool));
	EXPECT_ERR(zcbuf_channel_close(ch), EBADF);
}

static void __attribute__((noreturn))
dies_while_writing(__u64 handle, struct zt_turns *t)
{
	struct zcbuf_pool *pool;
	struct zcbuf_channel *ch = attach(&pool, handle);
	struct zcbuf_writer w;

	zt_turns_child(t);
	ASSERT_OK(zcbuf_writer_reserve(ch, RECORD, 0, 0, &w));
	ASSERT_OK(zt_tell_parent(t));
	ktap_stay();
}

TEST(a_killed_producer)
{
	struct zcbuf_channel *ch;
	struct zcbuf_failed *f;
	struct zcbuf_pool *pool;
	struct zt_turns t;
	int status;
	pid_t pid;

	drop_privileges();
	ch = create(&pool, ZT_ALL_PORTS);
	ASSERT_OK(zt_turns_init(&t));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid)
		dies_while_writing(zcbuf_channel_handle(ch), &t);
	zt_turns_parent(&t);
	ASSERT_OK(zt_await_child(&t));
	ASSERT_EQ(kill(pid, SIGKILL), 0);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(zcbuf_channel_flush(ch), 1);
	ASSERT_OK(zcbuf_receive_failed(ch, &f, ZCBUF_NO_DEADLINE));
	EXPECT_EQ(f->nlost, 1);
	EXPECT_EQ(f->lost[0].length, RECORD);
	EXPECT_EQ(zcbuf_release(ch, &f->delivery.handle, 1), 1);
	zcbuf_failed_free(f);
	EXPECT_EQ(zt_used(zcbuf_pool_fd(pool)), 0);
	EXPECT_OK(zcbuf_channel_close(ch));
	EXPECT_OK(zcbuf_pool_close(pool));
}

/* 2 MiB are within anybody's RLIMIT_MEMLOCK. */
TEST(a_group_as_a_fixed_buffer)
{
	struct io_uring_cqe *cqe;
	struct zcbuf_delivery d;
	struct zcbuf_channel *ch;
	struct zcbuf_uring u;
	struct io_uring ring;
	struct zcbuf_pool *pool;
	struct zcbuf_writer w;
	char path[64], back[RECORD];
	__s64 padded;
	void *data;
	int fd;

	drop_privileges();
	ch = create(&pool, ZCBUF_PORT_PRODUCE | ZCBUF_PORT_CONSUME);
	ASSERT_OK(io_uring_queue_init(4, &ring, 0));
	ASSERT_OK(zcbuf_uring_register(&u, &ring, pool));
	snprintf(path, sizeof(path), "unprivileged-%d", getpid());
	fd = open(path, O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(unlink(path), 0);

	ASSERT_OK(zcbuf_writer_reserve(ch, RECORD, 0, 0, &w));
	memset(w.data, 0x55, RECORD);
	ASSERT_OK(zcbuf_writer_submit_placed(&w, RECORD));
	EXPECT_EQ(zcbuf_channel_flush(ch), 1);
	ASSERT_EQ(zcbuf_receive(ch, &d, 1, 0), 1);
	padded = zcbuf_extent_pad(pool, &d.extents[0], 4096);
	EXPECT_EQ(padded, 4096);
	data = zcbuf_pool_addr(pool, d.extents[0].pool_offset);
	EXPECT_EQ(zcbuf_uring_prep_write(&u, io_uring_get_sqe(&ring), fd, data,
					 padded, 0), 1);
	ASSERT_EQ(io_uring_submit(&ring), 1);
	ASSERT_OK(ring_wait(&ring, &cqe));
	EXPECT_EQ(cqe->res, padded);
	EXPECT_EQ(fcntl(fd, F_SETFL, 0), 0);	/* without O_DIRECT */
	EXPECT_EQ(pread(fd, back, RECORD, 0), RECORD);
	EXPECT_FILLED(back, 0x55, RECORD);
	EXPECT_EQ(zcbuf_release(ch, &d.handle, 1), 1);
	EXPECT_OK(zcbuf_uring_unregister(&u));
	io_uring_queue_exit(&ring);
	EXPECT_OK(zcbuf_pool_close(pool));
}

TEST(just_mapping_it)
{
	char *p;
	int fd;

	drop_privileges();
	fd = zcbuf_open(O_RDWR);
	ASSERT_GE(fd, 0);
	p = mmap(NULL, ZT_ARENA, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE((long)p, (long)MAP_FAILED);
	close(fd);
	memset(p, 1, ZT_ARENA);
	EXPECT_FILLED(p, 1, ZT_ARENA);
}

TEST(who_is_not_in_the_group)
{
	struct zcbuf_pool *pool;

	ASSERT_OK(zt_become(NOBODY, NOBODY));
	EXPECT_ERR(zcbuf_open(O_RDWR), EACCES);
	EXPECT_ERR(zcbuf_open(O_RDONLY), EACCES);
	EXPECT_ERR(zcbuf_pool_create(&pool, NULL), EACCES);
	EXPECT_ERR(zcbuf_pool_attach(&pool, POOL, NULL), EACCES);
	EXPECT_TRUE(strstr(zcbuf_strerror(-EACCES), "group zcbuf"));
}

KTAP_MAIN()

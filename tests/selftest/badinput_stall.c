// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Memory that makes the kernel wait (userfaultfd): a call that reads or writes
 * it stands still for as long as somebody likes. Nobody else may have to wait
 * for that, no lock may be held; and who stands still can be killed.
 */
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>

#include "hostile.h"

#define PATIENCE	20000	/* ms, for what comes at once */

/*
 * struct stall - memory, and one thread whose call stands still on it
 * @uffd: who touches @page, while it is missing, waits for us
 * @fd: its session: all ports
 * @other: somebody else of the same pool: all ports
 */
struct stall {
	int uffd;
	char *page;
	int fd;
	int other;
	__u64 channel;
	struct hz_caller c;
};

static void stall_register(struct stall *s)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };

	s->uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (s->uffd < 0)
		SKIP("userfaultfd: %s", strerror(errno));
	ASSERT_OK(ioctl(s->uffd, UFFDIO_API, &api));
	s->page = mmap(NULL, ZT_PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(s->page, MAP_FAILED);
	reg.range.start = zt_ptr(s->page);
	reg.range.len = ZT_PAGE;
	ASSERT_OK(ioctl(s->uffd, UFFDIO_REGISTER, &reg));
}

static void stall_open(struct stall *s)
{
	memset(s, 0, sizeof(*s));
	stall_register(s);
	s->fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	ASSERT_GE(s->fd, 0);
	s->other = zt_join(s->fd, 0);
	ASSERT_GE(s->other, 0);
	ASSERT_OK(zt_stream(s->fd, 4096, 0, &s->channel));
	ASSERT_OK(zt_ports(s->other, s->channel, ZT_ALL_PORTS));
}

/* Start the call; it has to touch the page at once. */
static void stall_call(struct stall *s, unsigned long request, void *arg)
{
	s->c.fd = s->fd;
	s->c.request = request;
	s->c.arg = arg;
	s->c.thread = (struct thread){ .run = hz_caller_run, .arg = &s->c };
	ASSERT_EQ(pthread_create(&s->c.thread.pthread, NULL, hz_caller_run,
				 &s->c), 0);
}

/* Wait until somebody stands still on the page. */
static void stall_await(struct stall *s)
{
	struct pollfd p = { .fd = s->uffd, .events = POLLIN };
	struct uffd_msg msg;

	ASSERT_EQ(TEMP_FAILURE_RETRY(poll(&p, 1, PATIENCE)), 1);
	ASSERT_EQ(read(s->uffd, &msg, sizeof(msg)), (ssize_t)sizeof(msg));
	ASSERT_EQ(msg.event, UFFD_EVENT_PAGEFAULT);
}

/* Let it go on: the page is there, with @n bytes in it. */
static void stall_end(struct stall *s, const void *bytes, size_t n)
{
	static char page[ZT_PAGE] __attribute__((aligned(ZT_PAGE)));
	struct uffdio_copy copy = {
		.dst = zt_ptr(s->page), .src = zt_ptr(page), .len = ZT_PAGE,
	};

	memset(page, 0, sizeof(page));
	memcpy(page, bytes, n);
	ASSERT_OK(ioctl(s->uffd, UFFDIO_COPY, &copy));
}

/* Everything there is, by the other session. None of it may take forever. */
static void others_go_on(struct stall *s)
{
	struct zcbuf_receive_failed f = {};
	struct zcbuf_pool_info info;
	struct zcbuf_reservation r;
	__u64 channel, h;
	int fd;

	EXPECT_OK(zt_pool_info(s->other, &info));
	EXPECT_OK(zt_alloc1(s->other, 4096, &h));
	EXPECT_OK(zt_free1(s->other, h));
	EXPECT_OK(zt_reserve1(s->other, s->channel, 8, &r));
	EXPECT_OK(zt_commit1(s->other, s->channel, &r));
	EXPECT_ERR(zt_receive_failed(s->other, s->channel, &f), EAGAIN);
	EXPECT_OK(zt_stream(s->other, 0, 0, &channel));
	EXPECT_OK(zt_channel_close(s->other, channel, 0));
	fd = zt_join(s->fd, 0);
	EXPECT_GE(fd, 0);
	EXPECT_OK(zt_ports(fd, s->channel, ZT_ALL_PORTS));
	close(fd);
	zt_poll(s->fd, 0);
	zt_poll(s->other, 0);
}

static void stall_close(struct stall *s)
{
	close(s->fd);
	EXPECT_OK(zt_channel_close(s->other, s->channel, 0));
	EXPECT_EQ(zt_used(s->other), 0);
}

/* ------------------------------------------------------ before it has begun */

/* The argument itself is late. */
TEST(argument)
{
	struct zcbuf_pool_info a = zt_arg(struct zcbuf_pool_info);
	struct stall s;

	stall_open(&s);
	stall_call(&s, ZCBUF_IOC_POOL_INFO, s.page);
	stall_await(&s);
	others_go_on(&s);
	stall_end(&s, &a, sizeof(a));
	EXPECT_OK(hz_caller_join(&s.c));
	stall_close(&s);
}

/* A name is, while a session is being attached. */
TEST(name_of_a_pool)
{
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.arena_size = ZT_ARENA, .name_len = 4);
	struct stall s;
	int fd;

	stall_open(&s);
	fd = s.fd;
	s.fd = zt_open(O_RDWR);
	a.name = zt_ptr(s.page);
	stall_call(&s, ZCBUF_IOC_POOL_CREATE, &a);
	stall_await(&s);
	EXPECT_OK(zt_pool_create_named(zt_open(O_RDWR), "elsewhere", 0));
	s.fd = fd;
	others_go_on(&s);
	stall_end(&s, "late", 4);
	EXPECT_OK(hz_caller_join(&s.c));
	EXPECT_OK(zt_pool_attach(zt_open(O_RDWR), "late", 0));
	stall_close(&s);
}

/* Chunk lengths are read in the middle of a batch. */
TEST(chunks_of_a_commit)
{
	struct zcbuf_reservation r[2] = { { .length = 8 }, { .length = 8 } };
	struct zcbuf_commit_entry e[2] = {};
	struct zcbuf_batch a = zt_arg(struct zcbuf_batch, .count = 2,
		.entries = zt_ptr(e));
	__u64 chunk = 8;
	struct stall s;
	int i;

	stall_open(&s);
	ASSERT_EQ(zt_reserve(s.fd, s.channel, r, 2, 0, 0), 2);
	for (i = 0; i < 2; i++) {
		e[i].group = r[i].out_group;
		e[i].id = r[i].out_id;
		e[i].offset = r[i].out_offset;
		e[i].length = i ? 0 : 8;
	}
	e[1].chunks = zt_ptr(s.page);
	e[1].nchunks = 1;
	a.channel = s.channel;
	stall_call(&s, ZCBUF_IOC_COMMIT, &a);
	stall_await(&s);
	others_go_on(&s);
	EXPECT_ERR(zt_commit1(s.fd, s.channel, &r[0]), EALREADY);
	stall_end(&s, &chunk, sizeof(chunk));
	EXPECT_OK(hz_caller_join(&s.c));
	EXPECT_EQ(a.out_done, 2);
	EXPECT_ERR(zt_commit1(s.fd, s.channel, &r[1]), EALREADY);
	stall_close(&s);
}

/* Closed meanwhile: the port is gone when the call gets there. */
TEST(port_goes_meanwhile)
{
	struct zcbuf_reservation v = { .length = 100 };
	struct zcbuf_reserve a = zt_arg(struct zcbuf_reserve, .count = 1);
	struct stall s;

	stall_open(&s);
	a.channel = s.channel;
	a.entries = zt_ptr(s.page);
	stall_call(&s, ZCBUF_IOC_RESERVE, &a);
	stall_await(&s);
	EXPECT_OK(zt_channel_close(s.fd, s.channel, 0));
	stall_end(&s, &v, sizeof(v));
	EXPECT_ERR(hz_caller_join(&s.c), EPERM);
	stall_close(&s);
}

/* ------------------------------------------------------- when it has its result */

/* Its page has been there, and is taken away while the call sleeps. */
static void stall_result(struct stall *s, unsigned long request, void *arg,
			 const void *bytes, size_t n)
{
	stall_end(s, bytes, n);
	s->c.fd = s->fd;
	s->c.request = request;
	s->c.arg = arg;
	hz_caller_block(&s->c);
	ASSERT_OK(madvise(s->page, ZT_PAGE, MADV_DONTNEED));
}

TEST(result_of_receive)
{
	struct zcbuf_receive a = zt_arg(struct zcbuf_receive, .count = 1,
		.deadline_ns = ZCBUF_NO_DEADLINE,
		.entry_size = sizeof(struct zcbuf_delivery));
	struct zcbuf_delivery d;
	struct stall s;

	stall_open(&s);
	ASSERT_OK(zt_channel_close(s.other, s.channel, ZCBUF_PORT_CONSUME));
	a.channel = s.channel;
	a.entries = zt_ptr(s.page);
	stall_result(&s, ZCBUF_IOC_RECEIVE, &a, "", 1);
	hz_put(s.other, s.channel, 4096);
	stall_await(&s);
	others_go_on(&s);
	stall_end(&s, "", 1);
	EXPECT_OK(hz_caller_join(&s.c));
	memcpy(&d, s.page, sizeof(d));
	EXPECT_EQ(d.length, 4096);
	EXPECT_OK(zt_release1(s.fd, s.channel, d.handle));
	stall_close(&s);
}

TEST(result_of_receive_failed)
{
	struct zcbuf_receive_failed a = zt_arg(struct zcbuf_receive_failed,
		.nlost = 1, .deadline_ns = ZCBUF_NO_DEADLINE);
	struct zcbuf_reservation r;
	struct zcbuf_lost lost;
	struct stall s;

	stall_open(&s);
	a.channel = s.channel;
	a.lost = zt_ptr(s.page);
	stall_result(&s, ZCBUF_IOC_RECEIVE_FAILED, &a, "", 1);
	ASSERT_OK(zt_reserve1(s.other, s.channel, 4096, &r));
	ASSERT_OK(zt_abort1(s.other, s.channel, &r));
	stall_await(&s);
	others_go_on(&s);
	stall_end(&s, "", 1);
	EXPECT_OK(hz_caller_join(&s.c));
	memcpy(&lost, s.page, sizeof(lost));
	EXPECT_EQ(lost.length, 4096);
	stall_close(&s);
}

/* Finalized meanwhile: the caller learns of a reservation that has failed. */
TEST(result_of_reserve)
{
	struct zcbuf_reservation v = { .length = 100 };
	struct zcbuf_reserve a = zt_arg(struct zcbuf_reserve, .count = 1,
		.deadline_ns = ZCBUF_NO_DEADLINE);
	struct zcbuf_finalize f;
	struct stall s;
	__u64 all;

	stall_open(&s);
	ASSERT_OK(zt_alloc1(s.other, ZT_ARENA, &all));
	a.channel = s.channel;
	a.entries = zt_ptr(s.page);
	stall_result(&s, ZCBUF_IOC_RESERVE, &a, &v, sizeof(v));
	ASSERT_OK(zt_free1(s.other, all));
	stall_await(&s);
	others_go_on(&s);
	EXPECT_OK(zt_finalize(s.other, s.channel, &f));
	EXPECT_EQ(f.out_reservations, 1);
	stall_end(&s, "", 1);
	EXPECT_OK(hz_caller_join(&s.c));
	memcpy(&v, s.page, sizeof(v));
	EXPECT_ERR(zt_commit1(s.fd, s.channel, &v), ESHUTDOWN);
	stall_close(&s);
}

/* --------------------------------------------------------------------- death */

/* Who stands still in the kernel is killed all the same, and holds nothing. */
TEST(killed_while_it_stands_still)
{
	struct zt_turns t;
	struct stall s;
	int pool = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	pid_t child;

	ASSERT_OK(zt_turns_init(&t));
	child = fork();
	if (!child) {
		struct zcbuf_alloc a = zt_arg(struct zcbuf_alloc, .count = 8,
			.length = 4096);
		__u64 h;

		memset(&s, 0, sizeof(s));
		stall_register(&s);
		s.fd = zt_join(pool, 0);
		ASSERT_OK(zt_alloc1(s.fd, 4096, &h));
		a.handles = zt_ptr(s.page);
		stall_call(&s, ZCBUF_IOC_ALLOC, &a);
		stall_await(&s);
		ASSERT_OK(zt_tell_parent(&t));
		ktap_stay();
	}
	zt_turns_parent(&t);
	ASSERT_OK(zt_await_child(&t));
	EXPECT_EQ(zt_used(pool), 4096);
	kill(child, SIGKILL);
	ASSERT_EQ(waitpid(child, NULL, 0), child);
	EXPECT_EQ(zt_used(pool), 0);
}

KTAP_MAIN()

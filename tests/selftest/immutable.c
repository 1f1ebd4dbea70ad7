// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * IMMUTABLE channels: no way to change a byte of what was delivered, who has to wait
 * for whom, and what becomes of the memory.
 */
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <zcbuf/zcbuf.h>

#include "immutable.h"
#include "ring.h"

/* --------------------------------------------------------- after delivery */

/* The consumer's bytes are those that were committed, whatever the writer does. */
EACH_PAGE(a_late_store_faults)
{
	struct im m = im_open(arg);
	struct zcbuf_reservation v = im_send(&m, 'a');
	struct zcbuf_delivery d = im_receive(&m);
	volatile char *p = m.wmap + v.out_pool_offset;

	EXPECT_EQ(d.extents[0].pool_offset, v.out_pool_offset);
	EXPECT_TRUE(im_reads(&m, &d, 'a'));
	EXPECT_TRUE(im_store_faults(p, 'b'));
	EXPECT_TRUE(im_load_faults(p));
	EXPECT_TRUE(im_store_faults(p + ZT_PAGE - 1, 'b'));
	EXPECT_TRUE(im_reads(&m, &d, 'a'));
	im_close(&m);
}

/* What the channel without it is like: the same store is seen. */
EACH_PAGE(without_it_a_late_store_is_seen)
{
	struct im m = im_pool(arg);
	struct zcbuf_reservation v;
	struct zcbuf_delivery d;

	im_channel(&m, 0);
	v = im_send(&m, 'a');
	d = im_receive(&m);
	EXPECT_FALSE(im_store_faults(m.wmap + v.out_pool_offset, 'b'));
	EXPECT_EQ(m.rmap[v.out_pool_offset], 'b');
	im_release(&m, &d);
	im_close(&m);
}

/* Memory beside it is as it was. */
EACH_PAGE(neighbours_are_not_touched)
{
	struct im m = im_open(arg);
	struct zcbuf_reservation before = im_write(&m, 'x');
	struct zcbuf_reservation v = im_send(&m, 'a');
	struct zcbuf_reservation after = im_write(&m, 'y');
	struct zcbuf_delivery d = im_receive(&m);

	EXPECT_TRUE(im_store_faults(m.wmap + v.out_pool_offset, 'b'));
	EXPECT_FALSE(im_store_faults(m.wmap + before.out_pool_offset, 'x'));
	EXPECT_FALSE(im_store_faults(m.wmap + after.out_pool_offset, 'y'));
	im_release(&m, &d);
	ASSERT_OK(zt_abort1(m.w, m.channel, &after));
	ASSERT_OK(zt_commit1(m.w, m.channel, &before));
	d = im_receive(&m);
	EXPECT_TRUE(im_reads(&m, &d, 'x'));
	im_close(&m);
}

/* Released, the memory is the pool's, and can be written to by who gets it. */
EACH_PAGE(released_it_is_memory_again)
{
	struct im m = im_open(arg);
	struct zcbuf_delivery d;
	__u64 handle;
	int i;

	for (i = 0; i < 8; i++) {
		im_send(&m, 'a' + i);
		d = im_receive(&m);
		EXPECT_TRUE(im_reads(&m, &d, 'a' + i));
		EXPECT_TRUE(im_store_faults(m.wmap +
					    d.extents[0].pool_offset, 'z'));
		im_release(&m, &d);
	}
	EXPECT_EQ(zt_used(m.w), 0);
	ASSERT_OK(zt_alloc1(m.w, IM_ARENA, &handle));
	for (i = 0; i < (int)(IM_ARENA / ZT_PAGE); i++) {
		EXPECT_EQ(m.rmap[i * ZT_PAGE], 0);
		ASSERT_FALSE(im_store_faults(m.wmap + i * ZT_PAGE, i));
	}
	ASSERT_OK(zt_free1(m.w, handle));
	im_close(&m);
}

/* A view of who may write is as good as a right to, now or later. */
EACH_PAGE(a_view_that_could_be_made_writable)
{
	struct im m = im_open(arg);
	char *view = zt_map(m.w, PROT_READ, IM_ARENA);
	struct zcbuf_reservation v;
	struct zcbuf_delivery d;
	volatile char *p;

	ASSERT_NE(view, NULL);
	v = im_send(&m, 'a');
	p = view + v.out_pool_offset;
	d = im_receive(&m);
	EXPECT_TRUE(im_load_faults(p));
	ASSERT_OK(mprotect(view, IM_ARENA, PROT_READ | PROT_WRITE));
	EXPECT_TRUE(im_store_faults(p, 'b'));
	EXPECT_TRUE(im_reads(&m, &d, 'a'));
	munmap(view, IM_ARENA);
	im_close(&m);
}

/* The reader's own cannot be made writable, and nobody writes through it. */
static void through_the_readers_mapping(const struct im *m, __u64 offset)
{
	char *p = (char *)m->rmap + offset;
	struct iovec local = { .iov_base = "b", .iov_len = 1 };
	struct iovec remote = { .iov_base = p, .iov_len = 1 };
	int mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);

	EXPECT_EQ(mprotect(p, ZT_PAGE, PROT_READ | PROT_WRITE), -1);
	EXPECT_EQ(pwrite(mem, "b", 1, (off_t)p), -1);
	EXPECT_EQ(process_vm_writev(getpid(), &local, 1, &remote, 1, 0), -1);
	close(mem);
}

static void by_system_calls(const struct im *m, __u64 offset)
{
	char *p = (char *)m->wmap + offset;
	struct iovec local = { .iov_base = "b", .iov_len = 1 };
	struct iovec remote = { .iov_base = p, .iov_len = 1 };
	int mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	int pipes[2];

	ASSERT_GE(mem, 0);
	ASSERT_OK(pipe2(pipes, O_CLOEXEC));
	EXPECT_EQ(pwrite(mem, "b", 1, (off_t)p), -1);
	EXPECT_EQ(process_vm_writev(getpid(), &local, 1, &remote, 1, 0), -1);
	EXPECT_EQ(errno, EFAULT);
	EXPECT_EQ(write(pipes[1], p, 1), -1);
	EXPECT_EQ(errno, EFAULT);
	ASSERT_EQ(write(pipes[1], "b", 1), 1);
	EXPECT_EQ(read(pipes[0], p, 1), -1);
	EXPECT_EQ(errno, EFAULT);
	EXPECT_EQ(vmsplice(pipes[1], &remote, 1, 0), -1);
	close(pipes[0]);
	close(pipes[1]);
	close(mem);
}

EACH_PAGE(system_calls_cannot_either)
{
	struct im m = im_open(arg);
	struct zcbuf_reservation v = im_send(&m, 'a');
	struct zcbuf_delivery d = im_receive(&m);

	by_system_calls(&m, v.out_pool_offset);
	through_the_readers_mapping(&m, v.out_pool_offset);
	EXPECT_TRUE(im_reads(&m, &d, 'a'));
	im_close(&m);
}

/* A child of the writer, which has the descriptor, is one who may write. */
TEST(nor_can_who_inherits_it)
{
	struct im m = im_open(&im_huge);
	struct zcbuf_reservation v = im_send(&m, 'a');
	struct zcbuf_delivery d = im_receive(&m);
	pid_t pid = fork();

	ASSERT_GE(pid, 0);
	if (!pid) {
		volatile char *map = zt_map(m.w, PROT_READ | PROT_WRITE,
					    IM_ARENA);

		_exit(im_store_faults(map + v.out_pool_offset, 'b') ?
		      KTAP_PASS : KTAP_FAIL);
	}
	EXPECT_STATUS(pid, KTAP_PASS);
	EXPECT_TRUE(im_reads(&m, &d, 'a'));
	im_close(&m);
}

/* --------------------------------------------------------------- registered */

static int register_all(struct io_uring *ring, const struct im *m)
{
	struct iovec iov = { .iov_base = (void *)m->wmap, .iov_len = IM_ARENA };

	return io_uring_register_buffers(ring, &iov, 1);
}

static int read_fixed(struct io_uring *ring, int file, volatile char *to)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	struct io_uring_cqe *cqe;
	int res;

	io_uring_prep_read_fixed(sqe, file, (void *)to, 1, 0, 0);
	ASSERT_EQ(io_uring_submit(ring), 1);
	ASSERT_OK(ring_wait(ring, &cqe));
	res = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	return res;
}

/*
 * A ring that has the memory could write to it: nothing is delivered before it has
 * let go, and what it writes until then is what is delivered. Then it gets nothing of
 * it any more.
 */
EACH_PAGE(registered_memory_waits)
{
	struct im m = im_open(arg);
	int file = open("/dev/zero", O_RDWR | O_CLOEXEC);
	struct zcbuf_reservation v;
	struct zcbuf_delivery d;
	struct io_uring ring;
	volatile char *p;

	ASSERT_GE(file, 0);
	ASSERT_OK(io_uring_queue_init(4, &ring, 0));
	ASSERT_OK(register_all(&ring, &m));
	v = im_send(&m, 'a');
	p = m.wmap + v.out_pool_offset;
	while (!im_store_faults(p, 'a'))
		hz_nap();
	EXPECT_EQ(im_waiting(&m), 1);
	EXPECT_EQ(read_fixed(&ring, file, p), 1);
	EXPECT_EQ(im_waiting(&m), 1);
	EXPECT_ERR(zt_receive(m.r, m.channel, &d, 1, 0), EAGAIN);
	ASSERT_OK(io_uring_unregister_buffers(&ring));
	d = im_receive(&m);
	EXPECT_EQ(m.rmap[v.out_pool_offset], 0);
	EXPECT_EQ(m.rmap[v.out_pool_offset + 1], 'a');
	EXPECT_EQ(im_waiting(&m), 0);
	EXPECT_ERR(register_all(&ring, &m), EFAULT);
	EXPECT_ERR(read_fixed(&ring, file, p), EFAULT);
	im_release(&m, &d);
	EXPECT_OK(register_all(&ring, &m));
	io_uring_queue_exit(&ring);
	close(file);
	im_close(&m);
}

/* --------------------------------------------------------------- who waits */

/* What was complete later is delivered later; producers go on, and all is seen. */
EACH_PAGE(a_held_page_holds_up_those_behind)
{
	struct im m = im_open(arg);
	struct zcbuf_reservation v = im_write(&m, 'a');
	struct im_grip g = im_grip(m.wmap + v.out_pool_offset);
	struct zcbuf_delivery d;

	ASSERT_OK(zt_commit1(m.w, m.channel, &v));
	im_send(&m, 'b');
	while (!im_store_faults(m.wmap + v.out_pool_offset, 'a'))
		hz_nap();
	EXPECT_EQ(im_waiting(&m), 2);
	EXPECT_ERR(zt_receive(m.r, m.channel, &d, 1, 0), EAGAIN);
	im_let_go(&g);
	d = im_receive(&m);
	EXPECT_TRUE(im_reads(&m, &d, 'a'));
	EXPECT_EQ(d.seq, 0);
	d = im_receive(&m);
	EXPECT_TRUE(im_reads(&m, &d, 'b'));
	EXPECT_EQ(d.seq, 1);
	im_close(&m);
}

/* Its group is delivered all the same, when nobody has a page of it any more. */
EACH_PAGE(the_writer_dies_meanwhile)
{
	struct im m = im_open(arg);
	struct zt_turns t;
	struct im_grip g;
	struct zcbuf_delivery d;
	int status;
	pid_t pid;

	ASSERT_OK(pipe2(g.pipe, O_CLOEXEC));
	ASSERT_OK(zt_turns_init(&t));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		struct im mine = { .w = zt_join(m.w, 0), .channel = m.channel };
		struct zcbuf_reservation v;
		struct iovec iov = { .iov_len = 1 };

		zt_turns_child(&t);
		ASSERT_OK(zt_ports(mine.w, m.channel, ZCBUF_PORT_PRODUCE));
		mine.wmap = zt_map(mine.w, PROT_READ | PROT_WRITE, IM_ARENA);
		ASSERT_NE(mine.wmap, NULL);
		v = im_write(&mine, 'a');
		iov.iov_base = (void *)(mine.wmap + v.out_pool_offset);
		ASSERT_EQ(vmsplice(g.pipe[1], &iov, 1, 0), 1);
		ASSERT_OK(zt_commit1(mine.w, m.channel, &v));
		ASSERT_OK(zt_tell_parent(&t));
		ktap_stay();
	}
	zt_turns_parent(&t);
	ASSERT_OK(zt_await_child(&t));
	ASSERT_OK(kill(pid, SIGKILL));
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(im_waiting(&m), 1);
	EXPECT_ERR(zt_receive(m.r, m.channel, &d, 1, 0), EAGAIN);
	im_let_go(&g);
	d = im_receive(&m);
	EXPECT_TRUE(im_reads(&m, &d, 'a'));
	im_release(&m, &d);
	EXPECT_EQ(zt_used(m.w), 0);
	im_close(&m);
}

/* FINALIZE counts it and does not wait; the end comes after it. */
EACH_PAGE(finalized_meanwhile)
{
	struct im m = im_open(arg);
	struct zcbuf_reservation v = im_write(&m, 'a');
	struct im_grip g = im_grip(m.wmap + v.out_pool_offset);
	struct zcbuf_finalize f;
	struct zcbuf_delivery d;

	ASSERT_OK(zt_commit1(m.w, m.channel, &v));
	ASSERT_OK(zt_finalize(m.w, m.channel, &f));
	EXPECT_EQ(im_waiting(&m), 1);
	EXPECT_ERR(zt_receive(m.r, m.channel, &d, 1, 0), EAGAIN);
	EXPECT_EQ(zt_poll(m.r, 0) & POLLHUP, 0);
	im_let_go(&g);
	d = im_receive(&m);
	EXPECT_TRUE(im_reads(&m, &d, 'a'));
	EXPECT_ERR(zt_receive(m.r, m.channel, &d, 1, ZCBUF_NO_DEADLINE),
		   ESHUTDOWN);
	EXPECT_NE(zt_poll(m.r, 0) & POLLHUP, 0);
	im_close(&m);
}

/* Of a group that a finalize completes, too. */
TEST(finalize_completes_and_delivers)
{
	struct zcbuf_channel_open a = {
		.flags = ZCBUF_CHANNEL_F_IMMUTABLE, .ports = ZCBUF_PORT_PRODUCE,
	};
	struct im m = im_pool(&im_small);
	struct zcbuf_finalize f;
	struct zcbuf_delivery d;

	ASSERT_OK(zt_channel_open(m.w, &a));
	m.channel = a.out_channel;
	ASSERT_OK(zt_ports(m.r, m.channel, ZCBUF_PORT_CONSUME));
	im_send(&m, 'a');
	im_send(&m, 'a');
	ASSERT_OK(zt_finalize(m.w, m.channel, &f));
	EXPECT_EQ(f.out_success, 1);
	d = im_receive(&m);
	EXPECT_EQ(d.extents[0].length, 2 * ZT_PAGE);
	EXPECT_TRUE(im_reads(&m, &d, 'a'));
	EXPECT_TRUE(im_store_faults(m.wmap + d.extents[0].pool_offset, 'b'));
	EXPECT_ERR(zt_receive(m.r, m.channel, &d, 1, 0), ESHUTDOWN);
	im_close(&m);
}

/* Nobody is left to be told: the memory goes back, and can be written to. */
EACH_PAGE(the_channel_ends_meanwhile)
{
	struct im m = im_open(arg);
	struct zcbuf_reservation v = im_write(&m, 'a');
	struct im_grip g = im_grip(m.wmap + v.out_pool_offset);
	volatile char *p = m.wmap + v.out_pool_offset;

	ASSERT_OK(zt_commit1(m.w, m.channel, &v));
	while (!im_store_faults(p, 'a'))
		hz_nap();
	ASSERT_OK(zt_channel_close(m.w, m.channel, 0));
	ASSERT_OK(zt_channel_close(m.r, m.channel, 0));
	EXPECT_EQ(zt_used(m.w), 0);
	EXPECT_FALSE(im_store_faults(p, 'b'));
	im_let_go(&g);
	im_close(&m);
}

/* -------------------------------------------------------- readers that linger */

/* As soon as nothing is handed out any more, and it can be written to. */
static void expect_free_at_last(struct im *m, volatile char *p)
{
	while (zt_used(m->w))
		hz_nap();
	EXPECT_FALSE(im_store_faults(p, 'z'));
}

/* I/O that reads keeps the memory it reads, and neither what comes next nor its own. */
EACH_PAGE(a_reader_keeps_what_it_released)
{
	struct im m = im_open(arg);
	struct zcbuf_reservation v;
	struct zcbuf_delivery d;
	struct im_grip g;
	char byte = 0;
	int i;

	zt_stay();
	v = im_send(&m, 'a');
	d = im_receive(&m);
	g = im_grip((volatile char *)m.rmap + v.out_pool_offset);
	im_release(&m, &d);
	EXPECT_EQ(zt_used(m.w), m.unit);
	EXPECT_ERR(zt_release1(m.r, m.channel, d.handle), EBADSLT);
	EXPECT_TRUE(im_store_faults(m.wmap + v.out_pool_offset, 'z'));
	for (i = 0; i < 8; i++) {
		im_send(&m, 'b' + i);
		d = im_receive(&m);
		EXPECT_NE(d.extents[0].pool_offset, v.out_pool_offset);
		EXPECT_TRUE(im_reads(&m, &d, 'b' + i));
		im_release(&m, &d);
	}
	EXPECT_EQ(im_waiting(&m), 0);
	EXPECT_EQ(zt_used(m.w), m.unit);
	/* What it sends is what it had received. */
	EXPECT_EQ(read(g.pipe[0], &byte, 1), 1);
	EXPECT_EQ(byte, 'a');
	im_let_go(&g);
	expect_free_at_last(&m, m.wmap + v.out_pool_offset);
	im_close(&m);
}

/* A reader that has released, and lives no longer than its I/O. */
static void read_and_stay(const struct im *m, struct zt_turns *t, int out)
{
	struct im mine = { .r = zt_join(m->w, ZT_READ_ONLY),
			   .channel = m->channel };
	struct zcbuf_delivery d;
	struct iovec iov = { .iov_len = 1 };

	ASSERT_OK(zt_ports(mine.r, m->channel, ZCBUF_PORT_CONSUME));
	mine.rmap = zt_map(mine.r, PROT_READ, IM_ARENA);
	ASSERT_NE(mine.rmap, NULL);
	ASSERT_OK(zt_tell_parent(t));
	d = im_receive(&mine);
	iov.iov_base = (void *)(mine.rmap + d.extents[0].pool_offset);
	ASSERT_EQ(vmsplice(out, &iov, 1, 0), 1);
	im_release(&mine, &d);
	ASSERT_OK(zt_tell_parent(t));
	ktap_stay();
}

EACH_PAGE(and_is_killed)
{
	struct im m = im_pool(arg);
	struct zcbuf_reservation v;
	struct zcbuf_delivery d;
	struct zt_turns t;
	struct im_grip g;
	int status;
	pid_t pid;

	im_channel(&m, ZCBUF_CHANNEL_F_IMMUTABLE | ZCBUF_CHANNEL_F_TOPIC);
	ASSERT_OK(pipe2(g.pipe, O_CLOEXEC));
	ASSERT_OK(zt_turns_init(&t));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		zt_turns_child(&t);
		read_and_stay(&m, &t, g.pipe[1]);
	}
	zt_turns_parent(&t);
	ASSERT_OK(zt_await_child(&t));
	v = im_send(&m, 'a');
	d = im_receive(&m);
	im_release(&m, &d);
	ASSERT_OK(zt_await_child(&t));
	ASSERT_OK(kill(pid, SIGKILL));
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(zt_used(m.w), m.unit);
	EXPECT_TRUE(im_store_faults(m.wmap + v.out_pool_offset, 'z'));
	im_send(&m, 'b');
	d = im_receive(&m);
	EXPECT_TRUE(im_reads(&m, &d, 'b'));
	im_release(&m, &d);
	im_let_go(&g);
	expect_free_at_last(&m, m.wmap + v.out_pool_offset);
	im_close(&m);
}

/* With the channel nobody asks any more who reads. */
EACH_PAGE(and_the_channel_ends)
{
	struct im m = im_open(arg);
	struct zcbuf_reservation v = im_send(&m, 'a');
	struct zcbuf_delivery d = im_receive(&m);
	struct im_grip g = im_grip((volatile char *)m.rmap + v.out_pool_offset);

	im_release(&m, &d);
	EXPECT_EQ(zt_used(m.w), m.unit);
	ASSERT_OK(zt_channel_close(m.w, m.channel, 0));
	ASSERT_OK(zt_channel_close(m.r, m.channel, 0));
	EXPECT_EQ(zt_used(m.w), 0);
	EXPECT_FALSE(im_store_faults(m.wmap + v.out_pool_offset, 'b'));
	im_let_go(&g);
	im_close(&m);
}

/* ------------------------------------------------------- topics, buffers */

static struct zcbuf_delivery receive_by(int fd, __u64 channel)
{
	struct zcbuf_delivery d = {};

	ASSERT_EQ(zt_receive(fd, channel, &d, 1, ZCBUF_NO_DEADLINE), 1);
	return d;
}

/* Until the last of its readers, and the history, has let go of it. */
EACH_PAGE(a_buffer_for_two)
{
	struct im m = im_pool(arg);
	__u64 ch = TOPIC(m.w, NULL, .flags = ZCBUF_CHANNEL_F_IMMUTABLE,
			 .history = 1);
	int other = zt_join(m.w, ZT_READ_ONLY);
	__u64 handle = tp_loan(m.w, m.unit), next = tp_loan(m.w, m.unit);
	volatile char *p = m.wmap + zcbuf_buf_offset(handle);
	struct zcbuf_delivery d[2];

	ASSERT_OK(CONSUME(m.r, ch));
	ASSERT_OK(CONSUME(other, ch));
	memset((char *)p, 'a', m.unit);
	ASSERT_OK(tp_publish1(m.w, ch, handle));
	d[0] = receive_by(m.r, ch);
	d[1] = receive_by(other, ch);
	EXPECT_TRUE(im_reads(&m, &d[0], 'a'));
	EXPECT_TRUE(im_store_faults(p, 'b'));
	ASSERT_OK(zt_release1(m.r, ch, d[0].handle));
	EXPECT_TRUE(im_store_faults(p, 'b'));
	ASSERT_OK(zt_release1(other, ch, d[1].handle));
	EXPECT_TRUE(im_store_faults(p, 'b'));
	EXPECT_TRUE(im_reads(&m, &d[0], 'a'));
	ASSERT_OK(tp_publish1(m.w, ch, next));
	d[0] = receive_by(m.r, ch);
	EXPECT_FALSE(im_store_faults(p, 'b'));
	close(other);
	im_close(&m);
}

/* Who takes from the mapping is not told of an end before the last has come. */
TEST(the_end_of_a_topic)
{
	struct im m = im_pool(&im_small);
	__u64 ch = TOPIC(m.w, NULL, .flags = ZCBUF_CHANNEL_F_IMMUTABLE);
	__u64 handle = tp_loan(m.w, ZT_PAGE);
	struct zcbuf_queue q = zt_arg(struct zcbuf_queue, .channel = ch);
	struct zcbuf_queue_head *head;
	struct zcbuf_finalize f;
	struct im_grip g;

	m.channel = ch;
	ASSERT_OK(CONSUME(m.r, ch));
	ASSERT_OK(zt_call(m.r, ZCBUF_IOC_QUEUE, &q));
	head = mmap(NULL, q.out_bytes, PROT_READ, MAP_SHARED, q.out_fd, 0);
	ASSERT_NE(head, MAP_FAILED);
	m.wmap[zcbuf_buf_offset(handle)] = 'a';
	g = im_grip(m.wmap + zcbuf_buf_offset(handle));
	ASSERT_OK(tp_publish1(m.w, ch, handle));
	ASSERT_OK(zt_finalize(m.w, ch, &f));
	EXPECT_EQ(im_waiting(&m), 1);
	EXPECT_EQ(head->ended, 0);
	im_let_go(&g);
	EXPECT_EQ(m.rmap[receive_by(m.r, ch).extents[0].pool_offset], 'a');
	EXPECT_EQ(head->ended, ZCBUF_QUEUE_FINALIZED);
	munmap(head, q.out_bytes);
	close(q.out_fd);
	im_close(&m);
}

static int publish(const struct im *m, __u64 handle)
{
	return tp_publish1(m->w, m->channel, handle);
}

/* What others could still write to, or cannot be closed by itself. */
EACH_PAGE(buffers_that_cannot_be)
{
	struct im m = im_open(arg);
	__u64 whole = tp_loan(m.w, m.unit), shared = tp_loan(m.w, m.unit);
	int other = zt_join(m.w, 0), dmabuf = zt_export(m.w, whole, 0, 0, 0);

	if (m.unit > ZT_PAGE)
		EXPECT_ERR(publish(&m, tp_loan(m.w, m.unit / 2)), EINVAL);
	ASSERT_EQ(zt_share(m.w, zt_session(other), &shared, 1), 1);
	EXPECT_ERR(publish(&m, shared), EBUSY);
	ASSERT_OK(zt_free1(other, shared));
	EXPECT_OK(publish(&m, shared));
	if (dmabuf >= 0) {
		EXPECT_ERR(publish(&m, whole), EBUSY);
		close(dmabuf);
		while (zt_info(m.w).out_used && publish(&m, whole) == -EBUSY)
			hz_nap();
		EXPECT_ERR(publish(&m, whole), EALREADY);
		EXPECT_ERR(zt_export(m.w, whole, 0, 0, 0), EPERM);
	}
	close(other);
	im_close(&m);
}

/* ------------------------------------------------------------------ who may */

/* A reader who may write would read nothing. */
TEST(readers_may_not_write)
{
	struct im m = im_open(&im_small);
	struct zcbuf_query q;

	ASSERT_OK(zt_query(m.w, &q));
	EXPECT_NE(q.out_features & ZCBUF_FEATURE_IMMUTABLE, 0);
	EXPECT_ERR(zt_ports(m.w, m.channel, ZCBUF_PORT_CONSUME), EPERM);
	EXPECT_ERR(zt_ports(m.w, m.channel, ZT_ALL_PORTS), EPERM);
	EXPECT_OK(zt_ports(m.w, m.channel, ZCBUF_PORT_RECV_FAILED));
	im_close(&m);
}

/* An arena with something of it that is read is in use. */
TEST(in_an_arena_that_retires)
{
	struct zcbuf_pool_retire now = zt_arg(struct zcbuf_pool_retire,
		.flags = ZCBUF_RETIRE_F_NOW, .arena = 1);
	struct zcbuf_pool_retire later = zt_arg(struct zcbuf_pool_retire,
		.arena = 1);
	struct im m = { .w = zt_pool_growing(0, 2) };
	struct zcbuf_delivery d;
	__u64 handle;

	m.r = zt_join(m.w, ZT_READ_ONLY);
	m.unit = IM_HUGE;
	im_channel(&m, ZCBUF_CHANNEL_F_IMMUTABLE);
	ASSERT_OK(zt_pool_grow(m.w, NULL));
	tp_loan(m.w, ZT_ARENA);
	handle = tp_loan(m.w, ZT_ARENA);
	m.wmap = zt_map(m.w, PROT_READ | PROT_WRITE, 2 * ZT_ARENA);
	ASSERT_NE(m.wmap, NULL);
	ASSERT_OK(tp_publish1(m.w, m.channel, handle));
	d = im_receive(&m);
	EXPECT_ERR(zt_call(m.w, ZCBUF_IOC_POOL_RETIRE, &now), EBUSY);
	ASSERT_OK(zt_call(m.w, ZCBUF_IOC_POOL_RETIRE, &later));
	EXPECT_EQ(later.out_state, ZCBUF_ARENA_RETIRING);
	EXPECT_TRUE(im_store_faults(m.wmap + d.extents[0].pool_offset, 'b'));
	im_release(&m, &d);
	later.deadline_ns = ZCBUF_NO_DEADLINE;
	ASSERT_OK(zt_call(m.w, ZCBUF_IOC_POOL_RETIRE, &later));
	EXPECT_EQ(later.out_state, ZCBUF_ARENA_GONE);
	munmap((void *)m.wmap, 2 * ZT_ARENA);
	close(m.w);
	close(m.r);
}

/* ---------------------------------------------------------- by the library */

static struct zcbuf_pool *reader(const char *name, __u32 rights)
{
	const struct zcbuf_attach_opts opts = {
		.sz = sizeof(opts), .rights = rights,
	};
	struct zcbuf_pool *pool;

	ASSERT_OK(zcbuf_pool_attach(&pool, name, &opts));
	return pool;
}

TEST(a_publisher_cannot_write_to_what_it_published)
{
	const struct zcbuf_pool_opts small = {
		.sz = sizeof(small), .name = "frozen", .arena_size = ZT_ARENA,
		.flags = ZCBUF_POOL_F_SMALL_PAGES,
	};
	const struct zcbuf_publisher_opts frozen = {
		.sz = sizeof(frozen), .flags = ZCBUF_CHANNEL_F_IMMUTABLE,
	};
	const struct zcbuf_name name = {
		.service = "s", .instance = "i", .event = "e",
	};
	struct zcbuf_subscriber *sub;
	struct zcbuf_sample sample;
	struct zcbuf_publisher *p;
	struct zcbuf_pool *pool;
	struct zcbuf_buf buf;

	ASSERT_OK(zcbuf_pool_create(&pool, &small));
	ASSERT_OK(zcbuf_publisher_open(pool, &name, &frozen, &p));
	EXPECT_ERR(zcbuf_subscriber_open(reader("frozen", 0), &name, NULL, &sub),
		   EPERM);
	ASSERT_OK(zcbuf_subscriber_open(reader("frozen", ZCBUF_RIGHT_MAP_READ |
					       ZCBUF_RIGHT_CONSUME),
					&name, NULL, &sub));
	ASSERT_OK(zcbuf_publisher_loan(p, ZT_PAGE, 0, &buf));
	memset(buf.data, 'a', ZT_PAGE);
	ASSERT_OK(zcbuf_publisher_publish(p, &buf, ZT_PAGE, NULL, 0,
					  ZCBUF_NO_DEADLINE));
	ASSERT_EQ(zcbuf_subscriber_take(sub, &sample, 1, ZCBUF_NO_DEADLINE), 1);
	EXPECT_TRUE(im_store_faults(zcbuf_pool_addr(pool,
						    sample.delivery.extents[0].pool_offset), 'b'));
	EXPECT_FILLED(sample.data, 'a', ZT_PAGE);
	EXPECT_EQ(zcbuf_subscriber_release(sub, &sample, 1), 1);
	ASSERT_OK(zcbuf_publisher_loan(p, ZT_PAGE, 0, &buf));
	EXPECT_FALSE(im_store_faults(buf.data, 'b'));
}

KTAP_MAIN()

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * dma-bufs of buffers: the same bytes for the pool, for who maps the dma-buf, for
 * a device and for io_uring; and memory that is nobody else's before the last of
 * them has let go. The device is tests/importer, which lies beside this program.
 */
#include <fcntl.h>
#include <liburing.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "dump.h"
#include "import.h"
#include "pair.h"
#include "ring.h"

#define BOTH		(PROT_READ | PROT_WRITE)
#define HUGE_PAGE	(2 * ZT_MIB)
#define PAGES		((int)(ZT_ARENA / ZT_PAGE))

/* ----------------------------------------------------------------- the device */

/* A device that has the dma-buf attached and mapped. */
static int import(int dmabuf)
{
	struct importer_attach a;
	int fd = import_dir(dmabuf, 0, &a);

	ASSERT_GE(fd, 0);
	EXPECT_EQ(a.out_bytes, lseek(dmabuf, 0, SEEK_END));
	EXPECT_GE(a.out_pieces, 1);
	return fd;
}

/* ----------------------------------------------------------------------- rigs */

static void *map_dmabuf(int dmabuf, size_t length)
{
	return mmap(NULL, length, BOTH, MAP_SHARED, dmabuf, 0);
}

/*
 * struct shown - a buffer, as the pool shows it and as a dma-buf does
 */
struct shown {
	int fd;
	__u64 handle;
	__u64 length;
	int dmabuf;
	char *pool;
	char *map;
};

static struct shown show(const void *kind)
{
	struct pair p = pair_of(kind);
	struct shown s = { .fd = p.a, .length = 2 * ZT_PAGE };

	/* A block of TIERS pools is larger than all their objects. */
	if (*(const __u32 *)kind == ZCBUF_POOL_TIERS)
		s.length = 512 * 1024;
	ASSERT_OK(zt_alloc1(s.fd, s.length, &s.handle));
	s.dmabuf = zt_export(s.fd, s.handle, 0, 0, 0);
	ASSERT_GE(s.dmabuf, 0);
	s.pool = mmap(NULL, s.length, BOTH, MAP_SHARED, s.fd,
		      zcbuf_buf_offset(s.handle));
	ASSERT_NE(s.pool, MAP_FAILED);
	s.map = map_dmabuf(s.dmabuf, s.length);
	ASSERT_NE(s.map, MAP_FAILED);
	close(p.b);
	return s;
}

static __u64 exported(int fd)
{
	__u64 pool = pool_of(fd), bytes = ~0ULL;
	const struct nlmsghdr *n;
	struct dump d;

	dump_begin(&d, ZCBUF_CMD_POOL_GET);
	while ((n = dump_next(&d, sizeof(d.buf))))
		if (nl_number(n, ZCBUF_A_POOL_HANDLE) == pool)
			bytes = nl_number(n, ZCBUF_A_POOL_EXPORTED);
	close(d.sk);
	return bytes;
}

/* ------------------------------------------------------------ the same memory */

EACH_KIND(all_see_the_same_bytes)
{
	struct shown s = show(arg);
	char bytes[64];
	int dev;

	EXPECT_EQ(lseek(s.dmabuf, 0, SEEK_END), s.length);
	EXPECT_EQ(fcntl(s.dmabuf, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(holders_of(s.fd, s.handle), 2);
	EXPECT_EQ(exported(s.fd), s.length);
	memset(s.pool, 0x31, s.length);
	EXPECT_FILLED(s.map, 0x31, s.length);
	s.map[s.length - 1] = 0x32;
	EXPECT_EQ(s.pool[s.length - 1], 0x32);

	dev = import(s.dmabuf);
	memset(bytes, 0x33, sizeof(bytes));
	EXPECT_EQ(pwrite(dev, bytes, 64, ZT_PAGE - 32), 64);
	EXPECT_FILLED(s.pool + ZT_PAGE - 32, 0x33, 64);
	memset(s.map, 0x34, ZT_PAGE);
	EXPECT_EQ(pread(dev, bytes, 64, 100), 64);
	EXPECT_FILLED(bytes, 0x34, 64);
	memset(bytes, 0x35, sizeof(bytes));
	EXPECT_EQ(pwrite(dev, bytes, 64, IMPORTER_DEVICE + 4000), 64);
	EXPECT_FILLED(s.map + 4000, 0x35, 64);
	EXPECT_EQ(s.map[3999], 0x34);
	s.pool[s.length - 1] = 0x36;
	EXPECT_EQ(pread(dev, bytes, 64, IMPORTER_DEVICE + s.length - 1), 1);
	EXPECT_EQ(bytes[0], 0x36);
	EXPECT_EQ(pread(dev, bytes, 64, IMPORTER_DEVICE + s.length), 0);
	EXPECT_EQ(pread(dev, bytes, 64, s.length), 0);
	close(dev);
}

/* Page @i of a block says so, by the mapping at @p of what begins at page @first. */
static void expect_pages(const char *p, int first, int n)
{
	int i, got;

	for (i = 0; i < n; i++) {
		memcpy(&got, p + i * ZT_PAGE, sizeof(got));
		if (got != first + i) {
			TEST_LOG("page %d of the mapping", i);
			EXPECT_EQ(got, first + i);
			return;
		}
	}
}

/* @size bytes of address space that begin at a huge page, after it @more. */
static char *huge_place(size_t size, size_t more)
{
	char *p = mmap(NULL, size + HUGE_PAGE, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(p, MAP_FAILED);
	return p + (-(unsigned long)p & (HUGE_PAGE - 1)) + more;
}

static void map_at(char *at, int dmabuf, int page, int pages)
{
	ASSERT_EQ(mmap(at, pages * ZT_PAGE, BOTH, MAP_SHARED | MAP_FIXED, dmabuf,
		       page * ZT_PAGE), at);
}

/*
 * What is beside the part is not to be seen, however it is mapped, also where the
 * mapping begins at a huge page and the part does not.
 */
TEST(parts_of_huge_pages)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, 8 * ZT_MIB), part, all, i;
	const int pages = 8 * ZT_MIB / ZT_PAGE;
	char *pool, *p = huge_place(8 * ZT_MIB, 0);
	__u64 h;

	ASSERT_GE(fd, 0);
	pool = zt_map(fd, BOTH, 8 * ZT_MIB);
	ASSERT_OK(zt_alloc1(fd, 8 * ZT_MIB, &h));
	for (i = 0; i < pages; i++)
		memcpy(pool + i * ZT_PAGE, &i, sizeof(i));
	part = zt_export(fd, h, 3 * ZT_PAGE, 6 * ZT_MIB, 0);
	ASSERT_GE(part, 0);
	map_at(p, part, 0, 6 * ZT_MIB / ZT_PAGE);
	expect_pages(p, 3, 6 * ZT_MIB / ZT_PAGE);
	map_at(p + 5 * ZT_PAGE, part, 509, 600);
	expect_pages(p, 3, 5);
	expect_pages(p + 5 * ZT_PAGE, 512, 600);
	EXPECT_EQ((long)mmap(NULL, ZT_PAGE, BOTH, MAP_SHARED, part,
			     6 * ZT_MIB), (long)MAP_FAILED);
	EXPECT_EQ((long)mmap(NULL, 6 * ZT_MIB + ZT_PAGE, BOTH, MAP_SHARED, part,
			     0), (long)MAP_FAILED);
	all = zt_export(fd, h, 0, 0, 0);
	ASSERT_GE(all, 0);
	map_at(p, all, 0, pages);
	expect_pages(p, 0, pages);
	munmap(p + 700 * ZT_PAGE, 10 * ZT_PAGE);
	map_at(p + 702 * ZT_PAGE, all, 1, 3);
	expect_pages(p + 702 * ZT_PAGE, 1, 3);
	expect_pages(p + 710 * ZT_PAGE, 710, pages - 710);
}

/* What a mapping shows is the pool's, so it must not grow over the part's end. */
TEST(mappings_do_not_grow)
{
	struct shown s = show(&kind_pages);
	int part = zt_export(s.fd, s.handle, 0, ZT_PAGE, 0);
	char *p = map_dmabuf(part, ZT_PAGE);

	ASSERT_NE(p, MAP_FAILED);
	EXPECT_EQ((long)mremap(p, ZT_PAGE, 2 * ZT_PAGE, MREMAP_MAYMOVE),
		  (long)MAP_FAILED);
	EXPECT_EQ(errno, EFAULT);
}

TEST(mapped_by_huge_pages)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, 8 * ZT_MIB), dmabuf;
	char *p = huge_place(8 * ZT_MIB, 0);
	struct zcbuf_pool_info info;
	__u64 h;

	ASSERT_OK(zt_pool_info(fd, &info));
	if (!info.out_page_order)
		KTAP_MISSING("huge-pages", "no memory for huge pages");
	ASSERT_OK(zt_alloc1(fd, 8 * ZT_MIB, &h));
	dmabuf = zt_export(fd, h, 0, 0, 0);
	ASSERT_GE(dmabuf, 0);
	map_at(p, dmabuf, 0, 8 * ZT_MIB / ZT_PAGE);
	memset(p, 1, 8 * ZT_MIB);
	EXPECT_EQ(zt_pmd_mapped_kib(), 8 * 1024);
}

/* A plain write, and by a fixed buffer, from what the dma-buf maps. */
TEST(io_uring_takes_it)
{
	struct shown s = show(&kind_pages);
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	char back[ZT_PAGE];
	struct iovec iov = { .iov_base = s.map, .iov_len = s.length };
	int file = open("dmabuf.tmp", O_RDWR | O_CREAT | O_TRUNC | O_DIRECT |
			O_CLOEXEC, 0600);

	ASSERT_GE(file, 0);
	unlink("dmabuf.tmp");
	ASSERT_OK(io_uring_queue_init(4, &ring, 0));
	ASSERT_OK(io_uring_register_buffers(&ring, &iov, 1));
	memset(s.pool, 0x41, s.length);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_write_fixed(sqe, file, s.map + ZT_PAGE, ZT_PAGE, 0, 0);
	ASSERT_EQ(io_uring_submit(&ring), 1);
	ASSERT_OK(ring_wait(&ring, &cqe));
	EXPECT_EQ(cqe->res, ZT_PAGE);
	io_uring_cqe_seen(&ring, cqe);
	EXPECT_EQ(pwrite(file, s.map, ZT_PAGE, ZT_PAGE), ZT_PAGE);
	fcntl(file, F_SETFL, 0);
	EXPECT_EQ(pread(file, back, ZT_PAGE, 0), ZT_PAGE);
	EXPECT_FILLED(back, 0x41, ZT_PAGE);
	EXPECT_EQ(pread(file, back, ZT_PAGE, ZT_PAGE), ZT_PAGE);
	EXPECT_FILLED(back, 0x41, ZT_PAGE);
	io_uring_queue_exit(&ring);
}

/* ------------------------------------------------------------------- lifetime */

/* All of the pool that can be had. */
static int take_all(int fd, __u64 *handles)
{
	int n = 0, got;

	while ((got = zt_alloc(fd, ZT_PAGE, 0, 0, handles + n, PAGES - n)) > 0)
		n += got;
	return n;
}

/* Of @n pages none is a part of the buffer. */
static void expect_apart(const struct shown *s, const __u64 *handles, int n)
{
	__u64 first = zcbuf_buf_offset(s->handle);
	int i;

	EXPECT_EQ(n, PAGES - (int)(s->length / ZT_PAGE));
	for (i = 0; i < n; i++)
		EXPECT_FALSE(zcbuf_buf_offset(handles[i]) - first < s->length);
}

/* The buffer is freed; what is left of the dma-buf is what @drop lets go. */
static void out_until(struct shown *s, void (*drop)(struct shown *s, int dev),
		      int dev)
{
	static __u64 h[2 * PAGES];
	int n;

	EXPECT_OK(zt_free1(s->fd, s->handle));
	EXPECT_ERR(zt_free1(s->fd, s->handle), EPERM);
	n = take_all(s->fd, h);
	expect_apart(s, h, n);
	drop(s, dev);
	EXPECT_TRUE(HZ_UNTIL(!exported(s->fd)));
	EXPECT_EQ(n + take_all(s->fd, h + n), PAGES);
	/* It is zeroed for whoever gets it. */
	EXPECT_FILLED(s->pool, 0, s->length);
}

static void drop_descriptor(struct shown *s, int dev)
{
	(void)dev;
	close(s->dmabuf);
}

static void drop_mapping(struct shown *s, int dev)
{
	(void)dev;
	memset(s->map, 0x52, s->length);
	munmap(s->map, s->length);
}

static void drop_device(struct shown *s, int dev)
{
	char bytes[16];

	(void)s;
	memset(bytes, 0x53, sizeof(bytes));
	EXPECT_EQ(pwrite(dev, bytes, 16, IMPORTER_DEVICE), 16);
	EXPECT_OK(ioctl(dev, IMPORTER_IOC_DETACH));
}

TEST(out_while_there_is_a_descriptor)
{
	struct shown s = show(&kind_pages);

	memset(s.map, 0x51, s.length);
	munmap(s.map, s.length);
	out_until(&s, drop_descriptor, -1);
}

TEST(out_while_there_is_a_mapping)
{
	struct shown s = show(&kind_pages);

	close(s.dmabuf);
	out_until(&s, drop_mapping, -1);
}

TEST(out_while_there_is_a_device)
{
	struct shown s = show(&kind_pages);
	int dev = import(s.dmabuf);

	munmap(s.map, s.length);
	close(s.dmabuf);
	out_until(&s, drop_device, dev);
}

/* A ring has pinned what was mapped: nobody has the dma-buf any more, but it. */
TEST(out_while_a_ring_has_it)
{
	static __u64 h[2 * PAGES];
	struct shown s = show(&kind_pages);
	struct iovec iov = { .iov_base = s.map, .iov_len = s.length };
	struct io_uring ring;
	int n;

	ASSERT_OK(io_uring_queue_init(4, &ring, 0));
	ASSERT_OK(io_uring_register_buffers(&ring, &iov, 1));
	EXPECT_OK(zt_free1(s.fd, s.handle));
	munmap(s.map, s.length);
	close(s.dmabuf);
	EXPECT_TRUE(HZ_UNTIL(!exported(s.fd)));
	n = take_all(s.fd, h);
	expect_apart(&s, h, n);
	io_uring_queue_exit(&ring);
	EXPECT_TRUE(HZ_UNTIL((n += take_all(s.fd, h + n)) == PAGES));
}

/* Each of several counts for itself. */
TEST(out_while_there_is_another_dmabuf)
{
	struct shown s = show(&kind_pages);
	int other = zt_export(s.fd, s.handle, ZT_PAGE, ZT_PAGE, 0);

	ASSERT_GE(other, 0);
	EXPECT_EQ(holders_of(s.fd, s.handle), 3);
	EXPECT_EQ(exported(s.fd), s.length + ZT_PAGE);
	munmap(s.map, s.length);
	close(s.dmabuf);
	EXPECT_TRUE(HZ_UNTIL(exported(s.fd) == ZT_PAGE));
	s.dmabuf = other;
	out_until(&s, drop_descriptor, -1);
}

/* Export what it has got, and wait for its end. */
static void export_it(int fd, struct zt_turns *t)
{
	__u64 h = read_number(t->to_child[0]);
	int dmabuf = zt_export(fd, h, 0, 0, 0);
	struct importer_attach a;
	int dev = import_dir(dmabuf, 0, &a);

	/* What the parent keeps open is the device. */
	send_number(t->to_parent[1], dev);
	ktap_stay();
}

static __u32 sessions_of(int fd)
{
	struct zcbuf_pool_info info;

	return zt_pool_info(fd, &info) ? 0 : info.out_sessions;
}

/* Who had the buffer and who made the dma-buf are killed; a copy of it is left. */
TEST(out_when_all_are_killed)
{
	static __u64 h[2 * PAGES];
	struct shown s = { .fd = zt_pool(0, 0, ZT_ARENA), .length = ZT_PAGE };
	struct pair p = { .a = s.fd, .b = zt_join(s.fd, 0) };
	struct zt_turns t;
	char path[64];
	pid_t child;
	__u64 id;
	int n;

	importer_insert();
	child = start_other(&p, &t, &id, export_it);
	ASSERT_OK(zt_alloc1(s.fd, s.length, &s.handle));
	ASSERT_EQ(zt_transfer(s.fd, id, &s.handle, 1), 1);
	send_number(t.to_child[1], s.handle);
	/* Its descriptor, as a file of its own. */
	snprintf(path, sizeof(path), "%llu",
		 (unsigned long long)read_number(t.to_parent[0]));
	s.dmabuf = syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, child, 0),
			   atoi(path), 0);
	ASSERT_GE(s.dmabuf, 0);
	close(p.b);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	EXPECT_TRUE(HZ_UNTIL(sessions_of(s.fd) == 1));
	EXPECT_EQ(exported(s.fd), ZT_PAGE);
	n = take_all(s.fd, h);
	expect_apart(&s, h, n);
	close(s.dmabuf);
	EXPECT_TRUE(HZ_UNTIL(!exported(s.fd)));
	EXPECT_EQ(n + take_all(s.fd, h + n), PAGES);
}

/* Without a session, it is all there is of the pool. */
TEST(outlives_the_pools_sessions)
{
	__u64 charged = zt_await_charged(0);
	struct shown s = show(&kind_pages);

	EXPECT_EQ(charged, 0);
	memset(s.pool, 0x61, s.length);
	munmap(s.pool, s.length);
	close(s.fd);
	EXPECT_FILLED(s.map, 0x61, s.length);
	close(s.dmabuf);
	s.map[5] = 0x62;
	EXPECT_EQ(s.map[5], 0x62);
	EXPECT_GE(zt_charged(), ZT_ARENA);
	munmap(s.map, s.length);
	EXPECT_EQ(zt_await_charged(0), 0);
}

/* ------------------------------------------------------------------ refusals */

TEST(read_only)
{
	struct shown s = show(&kind_pages);
	int ro = zt_export(s.fd, s.handle, 0, 0, ZCBUF_EXPORT_F_READ_ONLY), dev;
	struct importer_attach a;
	char byte = 0;
	char *p;

	ASSERT_GE(ro, 0);
	s.pool[0] = 0x71;
	p = mmap(NULL, s.length, PROT_READ, MAP_SHARED, ro, 0);
	ASSERT_NE(p, MAP_FAILED);
	EXPECT_EQ(p[0], 0x71);
	EXPECT_EQ(mprotect(p, s.length, BOTH), -1);
	EXPECT_EQ((long)map_dmabuf(ro, s.length), (long)MAP_FAILED);
	EXPECT_EQ((long)mmap(NULL, s.length, PROT_READ | PROT_EXEC, MAP_SHARED,
			     s.dmabuf, 0), (long)MAP_FAILED);
	EXPECT_EQ(mprotect(s.map, s.length, PROT_READ | PROT_EXEC), -1);
	EXPECT_EQ((long)mmap(NULL, s.length, PROT_READ, MAP_PRIVATE, s.dmabuf,
			     0), (long)MAP_FAILED);
	EXPECT_ERR(import_dir(ro, 0, &a), EACCES);
	EXPECT_ERR(import_dir(ro, 2, &a), EACCES);
	dev = import_dir(ro, 1, &a);
	ASSERT_GE(dev, 0);
	EXPECT_EQ(pread(dev, &byte, 1, IMPORTER_DEVICE), 1);
	EXPECT_EQ(byte, 0x71);
	EXPECT_EQ(pwrite(dev, "w", 1, 0), -1);
	EXPECT_EQ(s.pool[0], 0x71);
	close(dev);
}

TEST(what_cannot_be_exported)
{
	static const struct zcbuf_class class = { .length = 512, .count = 8 };
	struct zcbuf_pool_create c = zt_arg(struct zcbuf_pool_create,
		.kind = ZCBUF_POOL_FIXED, .nclasses = 1,
		.flags = ZCBUF_POOL_F_SHARED_PAGES,
		.classes = zt_ptr(&class));
	struct pair p = pair_of(&kind_pages), tiers = pair_of(&kind_tiers);
	int fixed = zt_pool_as(&c);
	__u64 h, object;

	ASSERT_OK(zt_alloc1(p.a, 2 * ZT_PAGE, &h));
	EXPECT_ERR(zt_export(p.b, h, 0, 0, 0), EPERM);
	EXPECT_ERR(zt_export(zt_join(p.a, ZT_READ_ONLY), h, 0, 0, 0), EPERM);
	EXPECT_ERR(zt_export(p.a, h, 0, 0, 2), EOPNOTSUPP);
	EXPECT_ERR(zt_export(p.a, h, 512, 0, 0), EINVAL);
	EXPECT_ERR(zt_export(p.a, h, 0, 512, 0), EINVAL);
	EXPECT_ERR(zt_export(p.a, h, 2 * ZT_PAGE, 0, 0), ERANGE);
	EXPECT_ERR(zt_export(p.a, h, ZT_PAGE, 2 * ZT_PAGE, 0), ERANGE);
	EXPECT_ERR(zt_export(p.a, h, ZT_PAGE, -ZT_PAGE, 0), ERANGE);
	EXPECT_ERR(zt_export(p.a, h, -ZT_PAGE, 2 * ZT_PAGE, 0), ERANGE);
	EXPECT_EQ(holders_of(p.a, h), 1);
	ASSERT_OK(zt_free1(p.a, h));
	EXPECT_ERR(zt_export(p.a, h, 0, 0, 0), EBADSLT);
	ASSERT_OK(zt_alloc1(tiers.a, 64, &object));
	EXPECT_ERR(zt_export(tiers.a, object, 0, 0, 0), EINVAL);
	ASSERT_OK(zt_alloc1(fixed, 512, &object));
	EXPECT_ERR(zt_export(fixed, object, 0, 0, 0), EINVAL);
}

/* As many as the process may have, and nothing is left of one too many. */
TEST(no_descriptor_to_be_had)
{
	struct pair p = pair_of(&kind_pages);
	struct rlimit all, few;
	__u64 h;

	ASSERT_OK(zt_alloc1(p.a, ZT_PAGE, &h));
	ASSERT_OK(getrlimit(RLIMIT_NOFILE, &all));
	few = all;
	few.rlim_cur = dup(p.a);
	close(few.rlim_cur);
	ASSERT_OK(setrlimit(RLIMIT_NOFILE, &few));
	EXPECT_ERR(zt_export(p.a, h, 0, 0, 0), EMFILE);
	ASSERT_OK(setrlimit(RLIMIT_NOFILE, &all));
	EXPECT_EQ(holders_of(p.a, h), 1);
	EXPECT_EQ(exported(p.a), 0);
}

TEST(the_device_goes)
{
	if (access(IMPORTER_NODE, F_OK))
		KTAP_MISSING("importer", "there is none");
	EXPECT_TRUE(HZ_UNTIL(!syscall(SYS_delete_module, "zcbuf_importer",
				      O_NONBLOCK)));
}

KTAP_MAIN()

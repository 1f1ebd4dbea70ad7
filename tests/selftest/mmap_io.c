// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * I/O straight from and to a mapping: other processes' reads, direct I/O,
 * pipes, io_uring's fixed buffers, whatever file system the device node is on.
 */
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

#include "hostile.h"
#include "json.h"
#include "ring.h"

#define BOTH	(PROT_READ | PROT_WRITE)
#define SIZE	(2 * ZT_ARENA)		/* two huge pages: there is a seam */
#define SEAM	ZT_ARENA

static char *pool_map(int fd)
{
	char *p;

	ASSERT_GE(fd, 0);
	p = zt_map(fd, BOTH, SIZE);
	ASSERT_NE(p, NULL);
	return p;
}

static char *pool_new(__u32 flags, int *fd)
{
	*fd = zt_pool(ZCBUF_POOL_PAGES, flags, SIZE);
	return pool_map(*fd);
}

/* Every byte says where it is. */
static void fill(char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i += sizeof(i))
		memcpy(p + i, &i, sizeof(i));
}

/* An empty file to be read and written directly; it has no name any more. */
static int direct_file(void)
{
	const char *name = "zcbuf-direct.tmp";
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_DIRECT | O_CLOEXEC,
		      0600);

	if (fd < 0)
		SKIP("no direct I/O here: %s", strerror(errno));
	unlink(name);
	return fd;
}

/* ---------------------------------------------------------- other processes */

TEST(read_by_another_process)
{
	char *p, *back = malloc(SIZE);
	struct iovec local = { back, SIZE }, remote = { NULL, SIZE };
	struct zt_turns t;
	pid_t child;
	int fd;

	ASSERT_OK(zt_turns_init(&t));
	p = pool_new(0, &fd);
	fill(p, SIZE);
	remote.iov_base = p;
	child = fork();
	if (!child) {
		/* Not inherited: at the same address, by its own mmap(). */
		ASSERT_EQ(mmap(p, SIZE, PROT_READ, MAP_SHARED | MAP_FIXED, fd,
			       0), p);
		ASSERT_OK(zt_tell_parent(&t));
		ktap_stay();
	}
	zt_turns_parent(&t);
	ASSERT_OK(zt_await_child(&t));
	munmap(p, SIZE);
	ASSERT_EQ(process_vm_readv(child, &local, 1, &remote, 1, 0), SIZE);
	p = pool_map(fd);
	EXPECT_EQ(memcmp(p, back, SIZE), 0);
	EXPECT_EQ(process_vm_writev(child, &local, 1, &remote, 1, 0), -1);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* --------------------------------------------------------------- direct I/O */

static void direct_io(__u32 flags)
{
	const size_t from = SEAM - 3 * ZT_PAGE, n = 8 * ZT_PAGE;
	int fd, file = direct_file();
	char *p = pool_new(flags, &fd);

	fill(p, SIZE);
	ASSERT_EQ(pwrite(file, p + from, n, 0), (ssize_t)n);
	ASSERT_EQ(pread(file, p, n, 0), (ssize_t)n);
	EXPECT_EQ(memcmp(p, p + from, n), 0);
	EXPECT_EQ(pwrite(file, p + 1, n, 0), -1);
	EXPECT_EQ(errno, EINVAL);

	/* All of it, and back over a hole that was not faulted in. */
	fill(p, SIZE);
	ASSERT_EQ(pwrite(file, p, SIZE, 0), SIZE);
	memset(p, 0, SIZE);
	ASSERT_OK(madvise(p, SIZE, MADV_DONTNEED));
	ASSERT_EQ(pread(file, p, SIZE, 0), SIZE);
	EXPECT_EQ(((size_t *)p)[SIZE / 8 - 1], SIZE - 8);
	EXPECT_EQ(((size_t *)p)[SEAM / 8], SEAM);
}

TEST(direct_io_of_huge_pages)
{
	direct_io(0);
}

TEST(direct_io_of_small_pages)
{
	direct_io(ZCBUF_POOL_F_SMALL_PAGES);
}

/* A disk is no way round: what may not be written is not read into. */
TEST(direct_io_of_a_read_only_session)
{
	int fd, ro, file = direct_file();
	char *p = pool_new(0, &fd), *q;

	memset(p, 1, SIZE);
	ASSERT_EQ(pwrite(file, p, SIZE, 0), SIZE);
	memset(p, 2, SIZE);
	ro = zt_join(fd, ZT_READ_ONLY);
	q = zt_map(ro, PROT_READ, SIZE);
	ASSERT_NE(q, NULL);
	EXPECT_EQ(pread(file, q, SIZE, 0), -1);
	EXPECT_EQ(errno, EFAULT);
	EXPECT_FILLED(p, 2, SIZE);
	ASSERT_EQ(pwrite(file, q, SIZE, 0), SIZE);
	memset(p, 0, SIZE);
	ASSERT_EQ(pread(file, p, SIZE, 0), SIZE);
	EXPECT_FILLED(p, 2, SIZE);
}

/* Everything is closed while a disk still writes: that is its own. */
TEST(direct_io_and_munmap)
{
	int i, fd, file = direct_file();

	for (i = 0; i < 10; i++) {
		pid_t child = fork();

		if (!child) {
			char *p = pool_new(0, &fd);

			memset(p, i, SIZE);
			for (;;)
				if (pwrite(file, p, SIZE, 0) != SIZE)
					_exit(1);
		}
		usleep(20000 + hz_random(10000));
		kill(child, SIGKILL);
		ASSERT_EQ(waitpid(child, NULL, 0), child);
	}
	EXPECT_EQ(zt_await_charged(0), 0);
}

/* ------------------------------------------------------------------ io_uring */

static int ring_write(struct io_uring *ring, int file, char *p, size_t n)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	struct io_uring_cqe *cqe;
	int res;

	io_uring_prep_write_fixed(sqe, file, p, n, 0, 0);
	ASSERT_EQ(io_uring_submit(ring), 1);
	ASSERT_OK(ring_wait(ring, &cqe));
	res = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	return res;
}

/* A pool as one fixed buffer; its bytes on a disk, and back. */
static void fixed_buffer(char *p, int file)
{
	struct iovec iov = { p, SIZE };
	struct io_uring ring;
	int err = io_uring_queue_init(4, &ring, 0);

	if (err)
		SKIP("no io_uring: %s", strerror(-err));
	fill(p, SIZE);
	ASSERT_OK(io_uring_register_buffers(&ring, &iov, 1));
	EXPECT_EQ(ring_write(&ring, file, p, SIZE), (ssize_t)SIZE);
	EXPECT_ERR(ring_write(&ring, file, p + SEAM, SIZE), EFAULT);
	io_uring_queue_exit(&ring);
	memset(p, 0, SIZE);
	ASSERT_EQ(pread(file, p, SIZE, 0), SIZE);
	EXPECT_EQ(((size_t *)p)[SIZE / 8 - 1], SIZE - 8);
}

/* The same device by a node on another file system. */
TEST(node_elsewhere)
{
	const char *name = "zcbuf-node.tmp";
	int fd, file = direct_file(), other;
	struct stat st;
	char *p;

	ASSERT_OK(stat(ZCBUF_DEVICE, &st));
	unlink(name);
	ASSERT_OK(mknod(name, S_IFCHR | 0600, st.st_rdev));
	fd = open(name, O_RDWR | O_CLOEXEC);
	if (fd < 0 && errno == EACCES)
		SKIP("no devices on this file system");
	ASSERT_GE(fd, 0);
	other = open(name, O_RDWR | O_CLOEXEC);
	unlink(name);
	ASSERT_OK(zt_pool_create(fd, ZCBUF_POOL_PAGES, 0, SIZE));
	ASSERT_OK(zt_pool_attach_fd(other, fd, 0));
	p = pool_map(fd);
	fixed_buffer(p, file);
	EXPECT_EQ(memcmp(p, pool_map(other), SIZE), 0);
	EXPECT_EQ(memcmp(p, pool_map(zt_join(fd, 0)), SIZE), 0);
}

static void make_root(const char *root)
{
	char name[64];
	struct stat st;

	ASSERT_OK(stat(ZCBUF_DEVICE, &st));
	snprintf(name, sizeof(name), "%s/dev", root);
	ASSERT_OK(mkdir(root, 0755));
	ASSERT_OK(mkdir(name, 0755));
	snprintf(name, sizeof(name), "%s" ZCBUF_DEVICE, root);
	ASSERT_OK(mknod(name, S_IFCHR | 0600, st.st_rdev));
}

/*
 * As in a container: its root is a directory of a disk, with a node in it, and
 * the other /dev is out of sight. Such a file system writes pages back, which the
 * kernel does not let be pinned for long: the pool's must not count as its.
 */
TEST(node_in_a_root_of_its_own)
{
	const char *root = "zcbuf-root.tmp";
	int fd, file = direct_file(), here = open(".", O_PATH | O_CLOEXEC);
	struct statfs fs;

	ASSERT_OK(statfs(".", &fs));
	if (fs.f_type != EXT4_SUPER_MAGIC)
		SKIP("this is not ext4");
	make_root(root);
	ASSERT_OK(chroot(root));
	fd = zt_open(O_RDWR);
	EXPECT_OK(unlink(ZCBUF_DEVICE));
	EXPECT_OK(rmdir("/dev"));
	ASSERT_OK(fchdir(here));
	ASSERT_OK(chroot("."));
	EXPECT_OK(rmdir(root));
	if (fd == -EACCES)
		SKIP("no devices on this file system");
	ASSERT_OK(zt_pool_create(fd, ZCBUF_POOL_PAGES, 0, SIZE));
	fixed_buffer(pool_map(fd), file);
}

TEST(node_where_it_is)
{
	int fd, file = direct_file();

	fixed_buffer(pool_new(0, &fd), file);
}

/* What cannot be written cannot be registered. */
TEST(registration_of_a_read_only_session)
{
	struct iovec iov = { NULL, SIZE };
	struct io_uring ring;
	int fd, ro;

	munmap(pool_new(0, &fd), SIZE);
	ro = zt_join(fd, ZT_READ_ONLY);
	iov.iov_base = zt_map(ro, PROT_READ, SIZE);
	ASSERT_NE(iov.iov_base, NULL);
	if (io_uring_queue_init(4, &ring, 0))
		SKIP("no io_uring");
	EXPECT_ERR(io_uring_register_buffers(&ring, &iov, 1), EFAULT);
	io_uring_queue_exit(&ring);
}

/* ------------------------------------------------------------------- counted */

/* "mappings" of the only pool there is, as zcctl tells; -1: there is none. */
static int mappings(void)
{
	FILE *f = popen("zcctl -j pool list", "r");
	char text[8192] = "", *flat, *line;
	int n = -1;

	ASSERT_NE(f, NULL);
	ASSERT_GT(fread(text, 1, sizeof(text) - 1, f), 0);
	pclose(f);
	flat = json_flatten(text);
	ASSERT_NE(flat, NULL);
	line = strstr(flat, ".mappings=");
	if (line)
		n = atoi(line + strlen(".mappings="));
	free(flat);
	return n;
}

TEST(mappings_are_counted)
{
	char *a, *b;
	int fd;

	if (system("zcctl -j pool list >/dev/null"))
		SKIP("no zcctl here");
	ASSERT_EQ(zt_await_charged(0), 0);
	fd = zt_pool(ZCBUF_POOL_PAGES, 0, SIZE);
	EXPECT_EQ(mappings(), 0);
	a = pool_map(fd);
	EXPECT_EQ(mappings(), 1);
	b = pool_map(fd);
	EXPECT_EQ(mappings(), 2);
	munmap(a + ZT_PAGE, ZT_PAGE);		/* one in two pieces */
	EXPECT_EQ(mappings(), 2);
	munmap(a, ZT_PAGE);
	EXPECT_EQ(mappings(), 2);
	munmap(a + 2 * ZT_PAGE, SIZE - 2 * ZT_PAGE);
	EXPECT_TRUE(HZ_UNTIL(mappings() == 1));
	close(fd);
	EXPECT_EQ(mappings(), 1);
	munmap(b, SIZE);
	EXPECT_TRUE(HZ_UNTIL(mappings() == -1));
}

KTAP_MAIN()

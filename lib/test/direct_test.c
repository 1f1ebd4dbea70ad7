// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Direct I/O: what is refused before any system call, and how far the others came.
 * The system calls are a file's in memory, which does as it is told.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake.h"
#include "test.h"

#define PAGE	4096
#define SIZE	(8 * PAGE)

ssize_t __wrap_pread(int fd, void *data, size_t n, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *data, size_t n, off_t offset);
int __wrap_statx(int fd, const char *path, int flags, unsigned int mask,
		 struct statx *st);

static struct {
	unsigned char data[SIZE];
	size_t end;
	size_t most;		/* bytes moved by one call */
	int error;		/* errno of the call after the next @pass */
	unsigned int pass;
	unsigned int calls;
	int fd;
	struct statx st;
	int stat_error;
} disk = { .end = SIZE, .most = SIZE };

_Alignas(PAGE) static unsigned char memory[SIZE];

static const struct zcbuf_direct file = { 7, 512, 512 };

static ssize_t move(int fd, size_t n, off_t offset)
{
	disk.calls++;
	disk.fd = fd;
	errno = fake_take_after(&disk.pass, &disk.error);
	if (errno)
		return -1;
	if (n > disk.most)
		n = disk.most;
	if ((size_t)offset >= disk.end)
		return 0;
	return n < disk.end - offset ? n : disk.end - offset;
}

ssize_t __wrap_pread(int fd, void *data, size_t n, off_t offset)
{
	ssize_t done = move(fd, n, offset);

	if (done > 0)
		memcpy(data, disk.data + offset, done);
	return done;
}

ssize_t __wrap_pwrite(int fd, const void *data, size_t n, off_t offset)
{
	ssize_t done = move(fd, n, offset);

	if (done > 0)
		memcpy(disk.data + offset, data, done);
	return done;
}

int __wrap_statx(int fd, const char *path, int flags, unsigned int mask,
		 struct statx *st)
{
	EXPECT(!*path && flags == AT_EMPTY_PATH && mask & STATX_DIOALIGN);
	disk.fd = fd;
	errno = fake_take(&disk.stat_error);
	if (errno)
		return -1;
	*st = disk.st;
	return 0;
}

static void fill(void)
{
	size_t i;

	for (i = 0; i < SIZE; i++)
		disk.data[i] = i * 7 + i / PAGE;
}

#define EXPECT_MOVED(moved, want, got) do {				\
	EXPECT_EQ((moved)->expected, want);				\
	EXPECT_EQ((moved)->actual, got);				\
} while (0)

static void reading(void)
{
	struct zcbuf_raw raw = { memory, 5, 4 * PAGE };
	struct zcbuf_moved moved;

	fill();
	EXPECT_EQ(zcbuf_direct_read(&file, &raw, PAGE, &moved), 0);
	EXPECT_MOVED(&moved, 4 * PAGE, 4 * PAGE);
	EXPECT_EQ(raw.len, 4 * PAGE);
	EXPECT_EQ(disk.calls, 1);
	EXPECT_EQ(disk.fd, 7);
	EXPECT(!memcmp(memory, disk.data + PAGE, 4 * PAGE));

	disk.most = 1024;	/* goes on until it has all */
	disk.calls = 0;
	memset(memory, 0, sizeof(memory));
	EXPECT_EQ(zcbuf_direct_read(&file, &raw, 512, NULL), 0);
	EXPECT_EQ(disk.calls, 16);
	EXPECT(!memcmp(memory, disk.data + 512, 4 * PAGE));
}

static void reading_the_end(void)
{
	struct zcbuf_raw raw = { memory, 0, 4 * PAGE };
	struct zcbuf_moved moved;

	fill();
	disk.end = 2 * PAGE + 100;
	EXPECT_EQ(zcbuf_direct_read(&file, &raw, PAGE, &moved), -ENODATA);
	EXPECT_MOVED(&moved, 4 * PAGE, PAGE + 100);
	EXPECT_EQ(raw.len, PAGE + 100);
	EXPECT_EQ(disk.calls, 1);	/* the rest would not be aligned */
	disk.end = 2 * PAGE;
	EXPECT_EQ(zcbuf_direct_read(&file, &raw, PAGE, &moved), -ENODATA);
	EXPECT_MOVED(&moved, 4 * PAGE, PAGE);
	EXPECT_EQ(disk.calls, 3);
	EXPECT_EQ(zcbuf_direct_read(&file, &raw, SIZE, &moved), -ENODATA);
	EXPECT_MOVED(&moved, 4 * PAGE, 0);
	EXPECT_EQ(raw.len, 0);
}

static void failing(void)
{
	struct zcbuf_raw raw = { memory, 4 * PAGE, 4 * PAGE };
	struct zcbuf_moved moved;

	fill();
	disk.most = PAGE;
	disk.pass = 2;
	disk.error = EIO;
	EXPECT_EQ(zcbuf_direct_read(&file, &raw, 0, &moved), -EIO);
	EXPECT_MOVED(&moved, 4 * PAGE, 2 * PAGE);
	EXPECT_EQ(raw.len, 2 * PAGE);
	disk.error = EINTR;
	EXPECT_EQ(zcbuf_direct_read(&file, &raw, 0, &moved), -EINTR);
	EXPECT_MOVED(&moved, 4 * PAGE, 0);
	EXPECT_EQ(raw.len, 0);
	raw.len = 3 * PAGE;
	disk.pass = 1;
	disk.error = ENOSPC;
	EXPECT_EQ(zcbuf_direct_write(&file, raw, 0, &moved), -ENOSPC);
	EXPECT_MOVED(&moved, 3 * PAGE, PAGE);
}

static void writing(void)
{
	struct zcbuf_raw raw = { memory, 2 * PAGE, 4 * PAGE };
	struct zcbuf_moved moved;

	memset(memory, 0x55, sizeof(memory));
	disk.most = 512;
	EXPECT_EQ(zcbuf_direct_write(&file, raw, PAGE, &moved), 0);
	EXPECT_MOVED(&moved, 2 * PAGE, 2 * PAGE);
	EXPECT_EQ(disk.calls, 16);
	EXPECT_EQ(disk.data[PAGE - 1], 0);
	EXPECT(!memcmp(disk.data + PAGE, memory, 2 * PAGE));
	EXPECT_EQ(disk.data[3 * PAGE], 0);

	disk.most = SIZE;
	disk.end = PAGE + 700;
	EXPECT_EQ(zcbuf_direct_write(&file, raw, PAGE, &moved), -EIO);
	EXPECT_MOVED(&moved, 2 * PAGE, 700);
	disk.end = 0;
	EXPECT_EQ(zcbuf_direct_write(&file, raw, PAGE, NULL), -EIO);
}

static void refused(void *ptr, size_t n, __u64 offset, int err)
{
	struct zcbuf_raw raw = { ptr, 1, n };
	struct zcbuf_moved moved;

	EXPECT_EQ(zcbuf_direct_check(&file, ptr, n, offset), err);
	EXPECT_EQ(zcbuf_direct_read(&file, &raw, offset, &moved), err);
	EXPECT_EQ(raw.len, 1);
	EXPECT_MOVED(&moved, n, 0);
	raw.len = n;
	EXPECT_EQ(zcbuf_direct_write(&file, raw, offset, &moved), err);
	EXPECT_MOVED(&moved, n, 0);
	EXPECT_EQ(disk.calls, 0);
}

static void refused_before_any_call(void)
{
	refused(memory + 1, 512, 0, -EINVAL);
	refused(memory + 256, 512, 0, -EINVAL);
	refused(memory, 511, 0, -EINVAL);
	refused(memory, 513, 0, -EINVAL);
	refused(memory, 0, 0, -EINVAL);
	refused(memory, 512, 1, -EINVAL);
	refused(memory, 512, 4096 + 256, -EINVAL);
	refused(memory, 512, INT64_MAX - 511, -ERANGE);
	refused(memory, 512, -512ULL, -ERANGE);
	EXPECT_EQ(zcbuf_direct_check(&file, memory + 512, 512, 1536), 0);
	EXPECT_EQ(zcbuf_direct_check(&file, memory, 512, INT64_MAX - 1023), 0);
}

static void asked(__u32 mem_align, __u32 offset_align)
{
	disk.st.stx_mask = STATX_DIOALIGN;
	disk.st.stx_dio_mem_align = mem_align;
	disk.st.stx_dio_offset_align = offset_align;
}

static void needs(void)
{
	struct zcbuf_direct d = { -1, 1, 1 };

	/* A file system, or a kernel, that does not tell. */
	EXPECT_EQ(zcbuf_direct_init(3, &d), 0);
	EXPECT(d.fd == 3 && d.mem_align == PAGE && d.offset_align == PAGE);
	asked(4, 512);
	EXPECT_EQ(zcbuf_direct_init(5, &d), 0);
	EXPECT(d.fd == 5 && d.mem_align == 4 && d.offset_align == 512);
	EXPECT_EQ(disk.fd, 5);
	asked(3, 512);		/* no such thing */
	EXPECT_EQ(zcbuf_direct_init(3, &d), 0);
	EXPECT(d.mem_align == PAGE && d.offset_align == PAGE);
	asked(0, 0);
	EXPECT_EQ(zcbuf_direct_init(6, &d), -EOPNOTSUPP);
	EXPECT_EQ(d.fd, 3);
	disk.stat_error = EBADF;
	EXPECT_EQ(zcbuf_direct_init(6, &d), -EBADF);
}

static void opening(void)
{
	const char *self = "/proc/self/exe";
	unsigned int fds = fake_open_fds();
	struct zcbuf_direct d = { -1, 0, 0 };

	EXPECT_EQ(zcbuf_direct_open("/no/such/file", O_RDONLY, 0, &d), -ENOENT);
	asked(0, 0);
	EXPECT_EQ(zcbuf_direct_open(self, O_RDONLY, 0, &d), -EOPNOTSUPP);
	EXPECT_EQ(fake_open_fds(), fds);
	asked(8, 1024);
	EXPECT_EQ(zcbuf_direct_open(self, O_RDONLY, 0, &d), 0);
	EXPECT_EQ(d.offset_align, 1024);
	EXPECT(fcntl(d.fd, F_GETFL) & O_DIRECT);
	EXPECT_EQ(fcntl(d.fd, F_GETFD), FD_CLOEXEC);
	close(d.fd);
}

static const struct test_case cases[] = {
	CASE(reading),
	CASE(reading_the_end),
	CASE(failing),
	CASE(writing),
	CASE(refused_before_any_call),
	CASE(needs),
	CASE(opening),
};

TEST_MAIN(cases)

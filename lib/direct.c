// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Files opened O_DIRECT: what they ask for, and reading and writing all of a view.
 * What is not aligned is refused here: file systems differ in whether they say so,
 * or go through the page cache without a word.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

#define MAX_OFFSET	INT64_MAX

static bool is_power(__u32 n)
{
	return n && !(n & (n - 1));
}

int zcbuf_direct_init(int fd, struct zcbuf_direct *file)
{
	struct zcbuf_direct got = { fd, ZCBUF_DIRECT_ALIGN, ZCBUF_DIRECT_ALIGN };
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &st))
		return -errno;
	if (st.stx_mask & STATX_DIOALIGN) {
		/* The kernel's way to say that it cannot be done. */
		if (!st.stx_dio_mem_align || !st.stx_dio_offset_align)
			return -EOPNOTSUPP;
		if (is_power(st.stx_dio_mem_align) &&
		    is_power(st.stx_dio_offset_align)) {
			got.mem_align = st.stx_dio_mem_align;
			got.offset_align = st.stx_dio_offset_align;
		}
	}
	*file = got;
	return 0;
}

int zcbuf_direct_open(const char *path, int oflags, unsigned int mode,
		      struct zcbuf_direct *file)
{
	int fd = open(path, oflags | O_DIRECT | O_CLOEXEC, mode);
	int err;

	if (fd < 0)
		return -errno;
	err = zcbuf_direct_init(fd, file);
	if (err)
		close(fd);
	return err;
}

int zcbuf_direct_check(const struct zcbuf_direct *file, const void *ptr,
		       size_t n, __u64 offset)
{
	if (!n || ((uintptr_t)ptr & (file->mem_align - 1)) ||
	    ((n | offset) & (file->offset_align - 1)))
		return -EINVAL;
	return offset <= MAX_OFFSET && n <= MAX_OFFSET - offset ? 0 : -ERANGE;
}

static ssize_t move_some(const struct zcbuf_direct *file, bool is_write,
			 unsigned char *ptr, size_t n, __u64 offset)
{
	ssize_t done = is_write ? pwrite(file->fd, ptr, n, offset) :
				  pread(file->fd, ptr, n, offset);

	return done < 0 ? -errno : done;
}

/* What ends within a block ends for good: the next one would not be aligned. */
static int move_all(const struct zcbuf_direct *file, bool is_write,
		    unsigned char *ptr, __u64 offset, struct zcbuf_moved *moved)
{
	size_t n = moved->expected;
	ssize_t done;

	while (moved->actual < n) {
		done = move_some(file, is_write, ptr + moved->actual,
				 n - moved->actual, offset + moved->actual);
		if (done < 0)
			return done;
		moved->actual += done;
		if (!done || (moved->actual & (file->offset_align - 1)))
			break;
	}
	if (moved->actual == n)
		return 0;
	return is_write ? -EIO : -ENODATA;
}

int zcbuf_direct_read(const struct zcbuf_direct *file, struct zcbuf_raw *raw,
		      __u64 offset, struct zcbuf_moved *moved)
{
	struct zcbuf_moved m = { .expected = raw->cap };
	int err = zcbuf_direct_check(file, raw->ptr, m.expected, offset);

	if (!err) {
		err = move_all(file, false, raw->ptr, offset, &m);
		raw->len = m.actual;
	}
	if (moved)
		*moved = m;
	return err;
}

int zcbuf_direct_write(const struct zcbuf_direct *file, struct zcbuf_raw raw,
		       __u64 offset, struct zcbuf_moved *moved)
{
	struct zcbuf_moved m = { .expected = raw.len };
	int err = zcbuf_direct_check(file, raw.ptr, m.expected, offset);

	if (!err)
		err = move_all(file, true, raw.ptr, offset, &m);
	if (moved)
		*moved = m;
	return err;
}

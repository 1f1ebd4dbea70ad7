/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * libzcbuf-user: memory as files opened O_DIRECT want it: aligned buffers, views
 * of memory, and reading and writing that says how much was moved. A part of
 * <zcbuf/zcbuf.h>, which includes it and says what holds for all functions.
 *
 * An abuf owns its memory, of the process or of a pool; a raw is a view of memory
 * that somebody else owns, made to be copied and cut. All of this but buffers of a
 * pool works where there is no zcbuf device.
 *
 *	zcbuf_abuf_zeroed(&buf, NULL, 1 << 20);
 *	snprintf((char *)buf.ptr + 8192, 4096, "header");
 *	zcbuf_raw_slice_write(zcbuf_abuf_raw(&buf), 8192, 4096, &part);
 *	zcbuf_direct_open("log", O_WRONLY | O_CREAT, 0644, &file);
 *	zcbuf_direct_write(&file, part, 0, &moved);
 *
 * An abuf is used by one thread at a time, copies of a raw by any, who see to it
 * themselves that they do not write where others read.
 */
#ifndef ZCBUF_ALIGNED_H
#define ZCBUF_ALIGNED_H

#include <zcbuf/zcbuf.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What slices and frames are multiples of: any file's O_DIRECT is content */
#define ZCBUF_DIRECT_ALIGN	4096U

/* ------------------------------------------------------------------ views */

/*
 * struct zcbuf_raw - a view of memory, by value
 * @ptr: the first byte
 * @len: bytes that are valid from there
 * @cap: bytes there are
 *
 * Copies share the bytes, each has a len of its own. It owns nothing: whoever owns
 * the memory keeps it for as long as there are views of it.
 */
struct zcbuf_raw {
	unsigned char *ptr;
	size_t len;
	size_t cap;
};

/* zcbuf_raw_from() flags: the memory must be fit for O_DIRECT */
#define ZCBUF_RAW_STRICT	(1U << 0)

/*
 * zcbuf_raw_from() - a view of any memory
 * @ptr: its first byte
 * @len: bytes of it that are valid
 * @cap: bytes of it
 * @flags: ZCBUF_RAW_STRICT or 0
 * @out: written
 *
 * -ERANGE: @len is beyond @cap, or the memory beyond the end of addresses. With
 * STRICT -EINVAL: @ptr or @cap is no multiple of ZCBUF_DIRECT_ALIGN.
 */
ZCBUF_API int zcbuf_raw_from(void *ptr, size_t len, size_t cap, __u32 flags,
			     struct zcbuf_raw *out);

/*
 * zcbuf_raw_slice_read() - a part to read into: nothing of it is valid yet
 * @offset: where it begins in @raw
 * @n: bytes of it
 * @out: written: len 0, cap @n
 *
 * -EINVAL: @n is 0, or the address, @offset or @n is no multiple of
 * ZCBUF_DIRECT_ALIGN. -ERANGE: not within the capacity.
 */
ZCBUF_API int zcbuf_raw_slice_read(struct zcbuf_raw raw, size_t offset,
				   size_t n, struct zcbuf_raw *out);

/* zcbuf_raw_slice_write() - a part to write from: len = cap = @n; else as above */
ZCBUF_API int zcbuf_raw_slice_write(struct zcbuf_raw raw, size_t offset,
				    size_t n, struct zcbuf_raw *out);

/*
 * zcbuf_raw_slice_unchecked() - any part, its alignment not looked at
 * @offset: where it begins in @raw
 * @n: bytes of it, 0 among them
 * @out: written: cap @n, len what is valid of it
 *
 * For headers and the like. -ERANGE: not within the capacity.
 */
ZCBUF_API int zcbuf_raw_slice_unchecked(struct zcbuf_raw raw, size_t offset,
					size_t n, struct zcbuf_raw *out);

/*
 * zcbuf_raw_frames() - cut a view into frames of @n bytes
 * @out: written: one behind the other, len 0, cap @n; NULL to ask how many
 * @max: room in @out
 *
 * What is left at the end is in no frame. Return: how many frames there are.
 * -EINVAL: @n is 0, or it or the address is no multiple of ZCBUF_DIRECT_ALIGN.
 * -EMSGSIZE: more than @max; nothing is written. -E2BIG: more than an int counts.
 */
ZCBUF_API int zcbuf_raw_frames(struct zcbuf_raw raw, size_t n,
			       struct zcbuf_raw *out, unsigned int max);

/*
 * zcbuf_raw_set_init() - @n bytes are valid, as a completion has told
 *
 * -ERANGE: beyond the capacity.
 */
ZCBUF_API int zcbuf_raw_set_init(struct zcbuf_raw *raw, size_t n);

/*
 * zcbuf_raws_iovec() - one iovec for the valid bytes of each of @n views, to write
 * from. Returns @n. Never fails.
 */
ZCBUF_API int zcbuf_raws_iovec(const struct zcbuf_raw *raws, unsigned int n,
			       struct iovec *iov);

/* zcbuf_raws_iovec_room() - for all of each view, to read into; else as above */
ZCBUF_API int zcbuf_raws_iovec_room(const struct zcbuf_raw *raws,
				    unsigned int n, struct iovec *iov);

/* -------------------------------------------------------- aligned buffers */

/*
 * struct zcbuf_abuf - a buffer that begins at a page and ends at one
 * @ptr: its first byte; NULL: no buffer
 * @len: bytes in use
 * @cap: bytes there are, whole pages
 * @handle: of a buffer of @pool, the kernel's name of it; else 0
 * @pool: where it came from; NULL: the process's own memory
 *
 * { 0 } is no buffer. Functions that make one have it own what it has; a struct
 * that owns a buffer must not be copied or made anew.
 */
struct zcbuf_abuf {
	unsigned char *ptr;
	size_t len;
	size_t cap;
	__u64 handle;
	struct zcbuf_pool *pool;
};

/*
 * zcbuf_abuf_with_cap() - room for @cap bytes, nothing in it
 * @abuf: written
 * @pool: a pool to have it from, so that it can be a fixed buffer, be given away or
 *	published; NULL: memory of the process, which needs no device
 * @cap: bytes, rounded up to whole pages, at least one
 *
 * -ENOMEM: there is no such memory, or the pool is full. -E2BIG: no pool, or no
 * process, can have that much. Otherwise, from a pool, the errors of
 * zcbuf_buf_alloc_opts().
 */
ZCBUF_API int zcbuf_abuf_with_cap(struct zcbuf_abuf *abuf,
				  struct zcbuf_pool *pool, size_t cap);

/* zcbuf_abuf_zeroed() - @len bytes, all of them 0; else as above */
ZCBUF_API int zcbuf_abuf_zeroed(struct zcbuf_abuf *abuf,
				struct zcbuf_pool *pool, size_t len);

/* zcbuf_abuf_page() - room of one page; else as above */
ZCBUF_API int zcbuf_abuf_page(struct zcbuf_abuf *abuf, struct zcbuf_pool *pool);

/*
 * zcbuf_abuf_aligned() - room at a multiple of @align
 * @align: a power of two, a page or more; from a pool up to 2 MiB
 *
 * -EINVAL: @align. Else as zcbuf_abuf_with_cap().
 */
ZCBUF_API int zcbuf_abuf_aligned(struct zcbuf_abuf *abuf,
				 struct zcbuf_pool *pool, size_t cap,
				 size_t align);

/*
 * zcbuf_abuf_pages() - @n pages one behind the other; zcbuf_raw_frames() makes
 * blocks of them. -EINVAL: @n is 0. Else as zcbuf_abuf_with_cap().
 */
ZCBUF_API int zcbuf_abuf_pages(struct zcbuf_abuf *abuf,
			       struct zcbuf_pool *pool, size_t n);

/*
 * zcbuf_abuf_append() - copy @n bytes behind those in use
 * @data: not in @abuf; @n may be 0
 *
 * -ENOSPC: there is no room for all of them; nothing was copied.
 */
ZCBUF_API int zcbuf_abuf_append(struct zcbuf_abuf *abuf, const void *data,
				size_t n);

/* zcbuf_abuf_truncate() - use @len bytes, if more are in use; never fails */
static __inline__ void zcbuf_abuf_truncate(struct zcbuf_abuf *abuf, size_t len)
{
	if (len < abuf->len)
		abuf->len = len;
}

/* zcbuf_abuf_clear() - use none; the bytes stay what they are; never fails */
static __inline__ void zcbuf_abuf_clear(struct zcbuf_abuf *abuf)
{
	abuf->len = 0;
}

/* zcbuf_abuf_set_len() - use @len bytes. -ERANGE: beyond the capacity. */
ZCBUF_API int zcbuf_abuf_set_len(struct zcbuf_abuf *abuf, size_t len);

/*
 * zcbuf_abuf_try_clone() - another one like it
 * @abuf: a buffer
 * @out: written: the same bytes, len and cap, of the same kind of memory
 *
 * Errors: zcbuf_abuf_with_cap(). -EINVAL also: no buffer.
 */
ZCBUF_API int zcbuf_abuf_try_clone(const struct zcbuf_abuf *abuf,
				   struct zcbuf_abuf *out);

/*
 * zcbuf_abuf_raw() - a view of all of it, dead when the buffer is freed; never
 * fails
 */
static __inline__ struct zcbuf_raw zcbuf_abuf_raw(const struct zcbuf_abuf *abuf)
{
	struct zcbuf_raw raw;

	raw.ptr = abuf->ptr;
	raw.len = abuf->len;
	raw.cap = abuf->cap;
	return raw;
}

/*
 * zcbuf_abuf_leak() - own it no more
 * @abuf: of the process's own memory; zeroed
 * @out: written: what it was, for zcbuf_abuf_adopt(), or for free(3) of its ptr
 *
 * -EINVAL: no buffer. -EOPNOTSUPP: of a pool, where zcbuf_abuf_into_buf() does it.
 */
ZCBUF_API int zcbuf_abuf_leak(struct zcbuf_abuf *abuf, struct zcbuf_raw *out);

/*
 * zcbuf_abuf_adopt() - own it again
 * @raw: from zcbuf_abuf_leak(), with any len: of all its copies, one, once; or
 *	memory of aligned_alloc(3)
 * @abuf: written
 *
 * -EINVAL: not whole pages. -ERANGE: len is beyond cap.
 */
ZCBUF_API int zcbuf_abuf_adopt(struct zcbuf_raw raw, struct zcbuf_abuf *abuf);

/*
 * zcbuf_abuf_into_buf() - own it no more, as a buffer of its pool
 * @abuf: zeroed
 * @out: written: for zcbuf_buf_free(), zcbuf_buf_give(), zcbuf_publish(), ...
 *
 * -EINVAL: no buffer, or not of a pool.
 */
ZCBUF_API int zcbuf_abuf_into_buf(struct zcbuf_abuf *abuf,
				  struct zcbuf_buf *out);

/*
 * zcbuf_abuf_from_buf() - own a buffer of a pool
 * @buf: zeroed
 * @abuf: written: its cap is the whole pages of it
 *
 * -EINVAL: no buffer, less than a page, or not at the beginning of one.
 */
ZCBUF_API int zcbuf_abuf_from_buf(struct zcbuf_buf *buf,
				  struct zcbuf_abuf *abuf);

/*
 * zcbuf_abuf_free() - give the memory back
 * @abuf: zeroed when it is done; if it is zero, nothing is done
 *
 * Errors: of a pool, as zcbuf_buf_free().
 */
ZCBUF_API int zcbuf_abuf_free(struct zcbuf_abuf *abuf);

/* ------------------------------------------------------------- direct I/O */

/*
 * struct zcbuf_direct - a file that is read and written past the page cache
 * @fd: the caller's to close
 * @mem_align: what addresses have to be multiples of
 * @offset_align: what offsets and lengths have to be multiples of
 */
struct zcbuf_direct {
	int fd;
	__u32 mem_align;
	__u32 offset_align;
};

/*
 * struct zcbuf_moved - how far a read or a write has come
 * @expected: bytes that were asked for
 * @actual: bytes that were moved
 */
struct zcbuf_moved {
	size_t expected;
	size_t actual;
};

/*
 * zcbuf_direct_init() - learn what a file asks for
 * @fd: opened O_DIRECT
 * @file: written
 *
 * The kernel tells since 6.1, of the file systems that say; of others
 * ZCBUF_DIRECT_ALIGN is assumed. -EOPNOTSUPP: this file cannot do it. -EBADF, or
 * what else statx(2) says.
 */
ZCBUF_API int zcbuf_direct_init(int fd, struct zcbuf_direct *file);

/*
 * zcbuf_direct_open() - open a file O_DIRECT, and learn what it asks for
 * @path: as for open(2)
 * @oflags: O_RDONLY, O_WRONLY or O_RDWR, O_CREAT, ...; O_DIRECT and O_CLOEXEC are
 *	implied
 * @mode: with O_CREAT
 * @file: written
 *
 * -EINVAL: a file system without O_DIRECT. Otherwise what open(2) says, and
 * zcbuf_direct_init().
 */
ZCBUF_API int zcbuf_direct_open(const char *path, int oflags, unsigned int mode,
				struct zcbuf_direct *file);

/*
 * zcbuf_direct_check() - may this be read or written? Makes no system call.
 * @ptr: where in memory
 * @n: bytes
 * @offset: where in the file, bytes
 *
 * -EINVAL: @n is 0, or one of them is not aligned as the file wants it. -ERANGE:
 * beyond the end of what a file can be.
 */
ZCBUF_API int zcbuf_direct_check(const struct zcbuf_direct *file,
				 const void *ptr, size_t n, __u64 offset);

/*
 * zcbuf_direct_read() - fill a view from a file
 * @raw: its cap is what is asked for; its len becomes what was read
 * @offset: where in the file, bytes
 * @moved: written, or NULL
 *
 * Goes on after short reads. Return: 0: all of it was read. -ENODATA: the file
 * ended before. -EINVAL, -ERANGE: zcbuf_direct_check(), before any system call.
 * -EINTR, -EIO, or what else pread(2) says. Whatever it is, @moved tells how much
 * was read by then.
 */
ZCBUF_API int zcbuf_direct_read(const struct zcbuf_direct *file,
				struct zcbuf_raw *raw, __u64 offset,
				struct zcbuf_moved *moved);

/*
 * zcbuf_direct_write() - write the valid bytes of a view to a file
 * @raw: its len is what is asked for
 * @offset: where in the file, bytes
 * @moved: written, or NULL
 *
 * Goes on after short writes. Return: 0: all of it was written. -EIO: less, and
 * it cannot go on from there. Otherwise as zcbuf_direct_read(), and what pwrite(2)
 * says: -ENOSPC, -EFBIG, ...
 */
ZCBUF_API int zcbuf_direct_write(const struct zcbuf_direct *file,
				 struct zcbuf_raw raw, __u64 offset,
				 struct zcbuf_moved *moved);

#ifdef __cplusplus
}
#endif

#endif /* ZCBUF_ALIGNED_H */

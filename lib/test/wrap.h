/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What ld --wrap puts in between: calls of x() reach __wrap_x(), which can call
 * the real one.
 */
#ifndef ZCBUF_LIB_TEST_WRAP_H
#define ZCBUF_LIB_TEST_WRAP_H

#include <stddef.h>
#include <sys/types.h>

#include <linux/types.h>

struct io_uring;
struct io_uring_buf_reg;
struct iovec;
struct timespec;
struct utsname;

int __real_open(const char *path, int flags, ...);
int __real_ioctl(int fd, unsigned long request, ...);
void *__real_mmap(void *addr, size_t length, int prot, int flags, int fd,
		  off_t offset);
int __real_munmap(void *addr, size_t length);
void *__real_mremap(void *addr, size_t old_length, size_t length, int flags,
		    ...);
int __real_madvise(void *addr, size_t length, int advice);
int __wrap_open(const char *path, int flags, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);
void *__wrap_mmap(void *addr, size_t length, int prot, int flags, int fd,
		  off_t offset);
int __wrap_munmap(void *addr, size_t length);
void *__wrap_mremap(void *addr, size_t old_length, size_t length, int flags,
		    ...);
int __wrap_madvise(void *addr, size_t length, int advice);
long __wrap_syscall(long nr, ...);

int __wrap_io_uring_register_buffers_sparse(struct io_uring *ring,
					    unsigned int nr);
int __wrap_io_uring_register_buffers_update_tag(struct io_uring *ring,
						unsigned int off,
						const struct iovec *iov,
						const __u64 *tags,
						unsigned int nr);
int __wrap_io_uring_unregister_buffers(struct io_uring *ring);
int __wrap_io_uring_register(unsigned int fd, unsigned int opcode,
			     const void *arg, unsigned int nr_args);
int __wrap_io_uring_register_files_sparse(struct io_uring *ring,
					  unsigned int nr);
int __wrap_io_uring_register_files_update(struct io_uring *ring,
					  unsigned int off, const int *files,
					  unsigned int nr_files);
int __wrap_io_uring_unregister_files(struct io_uring *ring);
int __wrap_io_uring_register_buf_ring(struct io_uring *ring,
				      struct io_uring_buf_reg *reg,
				      unsigned int flags);
int __wrap_io_uring_unregister_buf_ring(struct io_uring *ring, int group);
int __wrap_uname(struct utsname *name);

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *memory, size_t size);
int __real_posix_memalign(void **memory, size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *memory, size_t size);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size);

long __real_syscall(long nr, ...);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_nanosleep(clockid_t clock, int flags,
			   const struct timespec *t, struct timespec *left);

#endif /* ZCBUF_LIB_TEST_WRAP_H */

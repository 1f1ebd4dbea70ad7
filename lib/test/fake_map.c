// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* What the fake device maps, and where that fails. */
#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake.h"
#include "wrap.h"

/* The control page: of each session one, of which the last is written. */
static void *map_control(size_t length, int prot, int flags)
{
	void *page;

	if (fake.no_control || prot != PROT_READ || flags != MAP_SHARED ||
	    length != (size_t)sysconf(_SC_PAGESIZE)) {
		errno = EINVAL;
		return MAP_FAILED;
	}
	page = __real_mmap(NULL, length, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return page;
	fake.mapped += length;
	fake.control = page;
	fake.control->pressure = fake.pressure;
	return page;
}

/* Only what is there can be mapped; a memfd alone would not mind. */
static int map_check(size_t length, off_t offset)
{
	if ((__u64)offset + length > fake.pool_size)
		return EINVAL;
	fake.maps++;
	return 0;
}

void *__wrap_mmap(void *addr, size_t length, int prot, int flags, int fd,
		  off_t offset)
{
	void *base;

	if (fd >= 0 && (__u64)offset == ZCBUF_MMAP_CONTROL)
		return map_control(length, prot, flags);
	if (fd >= 0)
		fake.map_prot = prot;
	errno = fake_take_after(&fake.map_pass, &fake.map_error);
	if (!errno && fd >= 0)
		errno = map_check(length, offset);
	if (errno)
		return MAP_FAILED;
	base = __real_mmap(addr, length, prot, flags, fd, offset);
	if (base != MAP_FAILED && !(flags & MAP_FIXED))
		fake.mapped += length;
	if (fd >= 0)
		fake.map_at = base;
	if (fd >= 0 && fake.on_map)
		fake.on_map();
	return base;
}

int __wrap_munmap(void *addr, size_t length)
{
	fake.mapped -= length;
	return __real_munmap(addr, length);
}

/* Only ever to a place that is the caller's already. */
void *__wrap_mremap(void *addr, size_t old_length, size_t length, int flags,
		    ...)
{
	va_list args;
	void *to;

	va_start(args, flags);
	to = va_arg(args, void *);
	va_end(args);
	errno = fake_take(&fake.mremap_error);
	if (errno) {
		if (fake.mremap_hole)
			__wrap_munmap(to, length);
		return MAP_FAILED;
	}
	fake.mapped -= length;
	to = __real_mremap(addr, old_length, length, flags, to);
	if (fake.on_map)
		fake.on_map();
	return to;
}

int __wrap_madvise(void *addr, size_t length, int advice)
{
	errno = fake_take_after(&fake.madvise_pass, &fake.madvise_error);
	if (errno)
		return -1;
	return __real_madvise(addr, length, advice);
}

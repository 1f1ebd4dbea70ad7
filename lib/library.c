// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The library itself: its version and its clock; and the kernel's version.
 */
#include <stdio.h>
#include <sys/utsname.h>
#include <time.h>

#include "internal.h"

#define NSEC_PER_SEC	1000000000ULL
#define NSEC_PER_MSEC	1000000ULL

__u32 zcbuf_version(void)
{
	return ZCBUF_VERSION;
}

__u64 zcbuf_deadline_ms(int ms)
{
	struct timespec now;

	if (ms < 0)
		return ZCBUF_NO_DEADLINE;
	if (!ms)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (__u64)now.tv_sec * NSEC_PER_SEC + (__u64)now.tv_nsec +
	       (__u64)ms * NSEC_PER_MSEC;
}

bool zcb_kernel_before(unsigned int major, unsigned int minor)
{
	unsigned int has_major;
	unsigned int has_minor;
	struct utsname name;

	if (uname(&name) ||
	    sscanf(name.release, "%u.%u", &has_major, &has_minor) != 2)
		return false;
	return has_major < major || (has_major == major && has_minor < minor);
}

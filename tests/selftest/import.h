/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * The device that takes dma-bufs: tests/importer, which lies beside the programs.
 */
#ifndef ZCBUF_SELFTEST_IMPORT_H
#define ZCBUF_SELFTEST_IMPORT_H

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../importer/importer.h"
#include "ktap.h"

/* The module for this very kernel; without it, there is no device to test with. */
static __inline__ void importer_insert(void)
{
	char self[PATH_MAX], path[PATH_MAX + 128];
	struct utsname u;
	ssize_t n;
	int fd;

	if (!access(IMPORTER_NODE, F_OK))
		return;
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	ASSERT_GT(n, 0);
	self[n] = '\0';
	ASSERT_OK(uname(&u));
	snprintf(path, sizeof(path), "%s/importer-%s.ko", dirname(self),
		 u.release);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		KTAP_MISSING("importer", "no %s", path);
	ASSERT_OK(syscall(SYS_finit_module, fd, "", 0));
	close(fd);
	ASSERT_OK(access(IMPORTER_NODE, F_OK));
}

/* A device that has the dma-buf attached and mapped: open, or -errno. */
static __inline__ int import_dir(int dmabuf, __u32 dir, struct importer_attach *a)
{
	int fd;

	importer_insert();
	fd = open(IMPORTER_NODE, O_RDWR | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	*a = (struct importer_attach){ .fd = dmabuf, .dir = dir };
	if (!ioctl(fd, IMPORTER_IOC_ATTACH, a))
		return fd;
	close(fd);
	return -errno;
}

#endif /* ZCBUF_SELFTEST_IMPORT_H */

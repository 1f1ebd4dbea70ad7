// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Calls on the device. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/zcbuf.h>

#include "device.h"

int device_open(struct zcctl *z)
{
	char *path = xasprintf("%s%s", z->root, ZCBUF_DEVICE);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	int err = fd < 0 ? -errno : 0;

	free(path);
	return err ? err : fd;
}

int device_call(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

/* SIGINT and SIGTERM end it as they end any program. */
void device_hold(int fd)
{
	(void)fd;
	for (;;)
		pause();
}

void device_close(int fd)
{
	close(fd);
}

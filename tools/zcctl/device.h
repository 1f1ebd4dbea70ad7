/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* The device: the kernel's (device.c), or a test's. Errors are -errno. */
#ifndef ZCCTL_DEVICE_H
#define ZCCTL_DEVICE_H

#include "zcctl.h"

/* A new session, attached to nothing, for device_close(). */
int device_open(struct zcctl *z);
int device_call(int fd, unsigned long request, void *arg);
/* Until somebody ends zcctl. */
void device_hold(int fd);
void device_close(int fd);

#endif /* ZCCTL_DEVICE_H */

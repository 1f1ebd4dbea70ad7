// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The functions that are inline in C, for who has no C compiler at hand: other
 * languages bind to what the library exports. In this file alone the headers define
 * them as functions like any other; nobody else sees them twice, as "static" is all
 * that an inline function has of its own.
 */
#include <errno.h>
#include <stddef.h>
#include <sys/uio.h>

#include <linux/ioctl.h>
#include <linux/types.h>

#pragma GCC diagnostic ignored "-Wmissing-prototypes"

#define static __attribute__((visibility("default")))
#define __inline__

#include <zcbuf/zcbuf.h>

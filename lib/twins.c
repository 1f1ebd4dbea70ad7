// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What is inline in C, once more as functions: for languages that can only call, and
 * by them alone; the library's own calls are inline.
 */
#define ZCBUF_INLINE	ZCBUF_API

/* Each has its only declaration here. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

#include <zcbuf/zcbuf.h>

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world as core/ sees it: types, lists, bit operations. This is the only
 * header of core/ that includes linux headers; the host build puts one with
 * the same name and guard in front of it. Core takes no locks, never sleeps
 * and never allocates: the caller locks and brings memory.
 */
#ifndef ZCB_CORE_ENV_H
#define ZCB_CORE_ENV_H

#include <linux/bitops.h>
#include <linux/bitmap.h>
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/zcbuf.h>

#ifndef CONFIG_64BIT
#error "zcbuf needs a 64-bit kernel; its users may be 32-bit"
#endif

#endif /* ZCB_CORE_ENV_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What tests say to /dev/zcbuf_importer. An open file has one dma-buf or none:
 * attached to a device, mapped for it and for the kernel. Bytes of the dma-buf are
 * read and written at their offset as the kernel sees them, and at IMPORTER_DEVICE
 * plus their offset where the device would.
 */
#ifndef ZCBUF_TESTS_IMPORTER_H
#define ZCBUF_TESTS_IMPORTER_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define IMPORTER_NODE	"/dev/zcbuf_importer"
#define IMPORTER_DEVICE	(1ULL << 40)

/* @dir: 0 both ways, 1 the device reads, 2 the device writes. */
struct importer_attach {
	__s32 fd;
	__u32 dir;
	__u64 out_bytes;	/* of the dma-buf */
	__u32 out_pieces;	/* the device sees */
	__u32 __reserved;
};

#define IMPORTER_IOC_ATTACH	_IOWR('I', 0, struct importer_attach)
#define IMPORTER_IOC_DETACH	_IO('I', 1)

#endif /* ZCBUF_TESTS_IMPORTER_H */

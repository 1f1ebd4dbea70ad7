/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* A device that answers as a case wants it to, and remembers what it was asked. */
#ifndef ZCCTL_FAKE_DEVICE_H
#define ZCCTL_FAKE_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/zcbuf.h>

struct fake_device {
	int open_error;
	int attach_error;
	int info_error;
	int grow_error;
	int retire_error;
	int remove_error;
	int create_error;
	uint32_t state;		/* of an arena that is retired */
	uint64_t handle;	/* of the pool with that name */
	struct zcbuf_query query;
	struct zcbuf_pool_info info;
	struct zcbuf_pool_attach attach;	/* as it was called */
	struct zcbuf_pool_retire retire;
	struct zcbuf_pool_remove remove;
	struct zcbuf_pool_create create;
	struct zcbuf_class classes[ZCBUF_MAX_CLASSES];
	char name[ZCBUF_MAX_NAME + 1];
	int opened, closed, grown, held;
};

extern struct fake_device device;

/* A pool of @uid that has 4 MiB of 8 MiB, in arenas of 2 MiB. */
void device_pool(uint64_t handle, const char *name, uint32_t uid);

/* Nothing is short, but for what a case then makes so. */
void device_plenty(bool ipc_lock);

/* zcctl pool @words says @error, and has closed what it opened. */
void device_fails(const char *words, const char *error);

#endif /* ZCCTL_FAKE_DEVICE_H */

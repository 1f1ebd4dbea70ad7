/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* The one pool that is meant, for verbs that change something. */
#ifndef ZCCTL_WHICH_H
#define ZCCTL_WHICH_H

#include "record.h"
#include "zcctl.h"

/**
 * struct target - one pool
 * @z: the call
 * @pools: what else had that name
 * @pool: what netlink says of it
 * @name: it, for people
 * @uid: its user
 */
struct target {
	struct zcctl *z;
	struct records pools;
	const struct record *pool;
	char *name;
	uint32_t uid;
};

/*
 * target_find() - the pool of that name or handle, which is not a zombie; of several
 * one's own. Returns an enum zcctl_exit, and what it took target_free() frees.
 */
int target_find(struct target *t, const char *which);
void target_free(struct target *t);

/* target_attach() - @fd to it, as who may change it; 0 or -errno */
int target_attach(const struct target *t, int fd);

/* target_no_attach() - says why not, @verb as in "grown"; returns EXIT_ERROR */
int target_no_attach(const struct target *t, int err, const char *verb);

/* target_no_device() - the same of opening the device */
int target_no_device(struct zcctl *z, int err);

#endif /* ZCCTL_WHICH_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Why the kernel has said that there is no memory. */
#ifndef ZCCTL_SHORTAGE_H
#define ZCCTL_SHORTAGE_H

#include <stdint.h>

#include "zcctl.h"

/**
 * struct shortage - memory that could not be had
 * @bytes: how much
 * @uid: who would have paid
 * @flags: ZCBUF_POOL_F_* of the pool it was for
 * @cgroup: whose memory.max it may be that was hit, for people
 */
struct shortage {
	uint64_t bytes;
	uint32_t uid;
	uint32_t flags;
	const char *cgroup;
};

/* shortage_explain() - which limit is in the way, as far as it can be known */
char *shortage_explain(struct zcctl *z, int fd, const struct shortage *s);

#endif /* ZCCTL_SHORTAGE_H */

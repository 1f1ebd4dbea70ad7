/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Limits that are not the device's: of this process, its cgroups, the machine.
 */
#ifndef ZCBUF_LIB_FACTS_H
#define ZCBUF_LIB_FACTS_H

#include "internal.h"

#define ZCB_NO_LIMIT	(~(__u64)0)

/*
 * struct zcb_facts - bytes; ZCB_NO_LIMIT where there is none, or none is known
 * @release: of the kernel
 * @memlock: RLIMIT_MEMLOCK
 * @ipc_lock: CAP_IPC_LOCK, which lifts that and the user's limit of the module
 * @available: memory the machine could give
 * @cgroup_used: of the cgroup that leaves the least
 * @cgroup_max: its limit
 */
struct zcb_facts {
	char release[65];
	__u64 memlock;
	bool ipc_lock;
	__u64 available;
	__u64 cgroup_used;
	__u64 cgroup_max;
};

void zcb_facts_read(struct zcb_facts *facts);

static inline __u64 zcb_room(__u64 used, __u64 limit)
{
	return used < limit ? limit - used : 0;
}

/* A size for people, with its unit. */
struct zcb_shown {
	char text[32];
};

const char *zcb_show_bytes(struct zcb_shown *shown, __u64 n);

/* ------------------------------------------------------------------ text.c */

/*
 * zcb_text_of - the beginning of a file, as a string
 *
 * Return: bytes of it; 0, and "", if there is none.
 */
size_t zcb_text_of(const char *path, char *text, size_t size);

#endif /* ZCBUF_LIB_FACTS_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What zcctl check looks at. Gathering (facts.c) and judging (check.c) are
 * apart, so that every verdict can be tested on any machine.
 */
#ifndef ZCCTL_FACTS_H
#define ZCCTL_FACTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/zcbuf.h>

#include "zcctl.h"

#define FACTS_UNKNOWN	(~0ULL)

/**
 * struct facts - one machine, as one process sees it
 * @release: of the kernel
 * @major: of @release
 * @minor: of @release
 * @loaded: the module is there
 * @installed: modprobe would find it
 * @modules: the kernel can load modules
 * @modules_disabled: kernel.modules_disabled
 * @sig_enforce: unsigned modules are refused
 * @lockdown: mode of kernel lockdown, "" if there is none
 * @secure_boot: the firmware checks what it boots
 * @node: /dev/zcbuf is there
 * @node_device: and is a character device
 * @node_mode: its permission bits
 * @node_uid: its owner
 * @node_gid: its group
 * @node_group: name of @node_gid, or its number
 * @group_exists: there is a group zcbuf
 * @group_member: /etc/group has the user in @node_group
 * @group_active: this process has @node_gid
 * @user: the user's name, or its number
 * @open_error: errno of opening @node for reading and writing, or 0
 * @query_error: errno of QUERY, or 0
 * @query: its answer
 * @family: exit status of asking through netlink
 * @ipc_lock: CAP_IPC_LOCK, which lifts the user's limits
 * @memlock: RLIMIT_MEMLOCK, bytes; FACTS_UNKNOWN: no limit
 * @ring_error: errno of making an io_uring, or 0
 * @ring_disabled: kernel.io_uring_disabled, or -1
 * @huge_pages: the kernel has transparent huge pages
 * @available: bytes of memory the machine could give
 * @cgroup_room: bytes of memory this cgroup may still take, or FACTS_UNKNOWN
 */
struct facts {
	char release[65];
	unsigned int major, minor;
	bool loaded, installed, modules, modules_disabled, sig_enforce;
	char lockdown[32];
	bool secure_boot;
	bool node, node_device;
	mode_t node_mode;
	uid_t node_uid;
	gid_t node_gid;
	char node_group[64];
	bool group_exists, group_member, group_active;
	char user[64];
	int open_error, query_error;
	struct zcbuf_query query;
	int family;
	bool ipc_lock;
	uint64_t memlock;
	int ring_error, ring_disabled;
	bool huge_pages;
	uint64_t available, cgroup_room;
};

void facts_gather(struct zcctl *z, struct facts *f);
/* The part of it that comes from files below @root: for facts_gather(). */
void facts_read(const char *root, struct facts *f);

#endif /* ZCCTL_FACTS_H */

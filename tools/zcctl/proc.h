/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Who has what open and mapped, as far as /proc tells. */
#ifndef ZCCTL_PROC_H
#define ZCCTL_PROC_H

#include <stddef.h>
#include <stdint.h>

#define PROC_COMM	16

enum proc_kind {
	PROC_SESSION,		/* a descriptor of session @id */
	PROC_MAPPING,		/* @bytes mapped of the pool with handle @id */
	PROC_RING,		/* a ring with /dev/zcbuf among its fixed files */
};

/**
 * struct proc_use - one thing found
 * @kind: what
 * @id: of what
 * @pid: the process
 * @comm: its name
 * @fd: the descriptor; not of a mapping
 * @bytes: mapped
 */
struct proc_use {
	enum proc_kind kind;
	uint64_t id;
	int pid;
	char comm[PROC_COMM];
	int fd;
	uint64_t bytes;
};

/**
 * struct proc_scan - all of it, ascending by process
 * @use: found
 * @n: entries of @use
 * @hidden: processes the caller may not look into
 */
struct proc_scan {
	struct proc_use *use;
	size_t n;
	size_t hidden;
};

/*
 * The cgroup of process @pid below @root, for free(); NULL if there is no such
 * process, or no cgroup v2. The name @comm must be its own still.
 */
char *proc_cgroup(const char *root, int pid, const char *comm);
/* Returns 0, or -errno if there is no /proc below @root. */
int proc_scan(const char *root, struct proc_scan *scan);
void proc_free(struct proc_scan *scan);

#endif /* ZCCTL_PROC_H */

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The scan is not atomic: processes come, go and close files meanwhile, so
 * whatever is gone at a second look is passed over in silence.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/zcbuf.h>

#include "proc.h"
#include "zcctl.h"

/* struct process - where the scan is */
struct process {
	struct proc_scan *scan;
	char *dir;		/* ROOT/proc/PID */
	int pid;
	char comm[PROC_COMM];
};

static struct proc_use *add(struct process *p, enum proc_kind kind,
			    uint64_t id, int fd)
{
	struct proc_scan *s = p->scan;
	struct proc_use *u;

	s->use = xrealloc(s->use, s->n + 1, sizeof(*s->use));
	u = &s->use[s->n++];
	*u = (struct proc_use){
		.kind = kind, .id = id, .pid = p->pid, .fd = fd
	};
	memcpy(u->comm, p->comm, sizeof(u->comm));
	return u;
}

static FILE *open_file(const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "re");

	free(path);
	return f;
}

static void read_comm(struct process *p)
{
	FILE *f = open_file(p->dir, "comm");

	p->comm[0] = 0;
	if (!f)
		return;
	if (fgets(p->comm, sizeof(p->comm), f))
		p->comm[strcspn(p->comm, "\n")] = 0;
	fclose(f);
}

static void read_fdinfo(struct process *p, const char *fd, bool ring)
{
	char *name = xasprintf("fdinfo/%s", fd), *line = NULL;
	FILE *f = open_file(p->dir, name);
	size_t size = 0;
	uint64_t id;

	free(name);
	if (!f)
		return;
	while (getline(&line, &size, f) > 0) {
		if (!ring && sscanf(line, "zcbuf-session: %" SCNu64, &id) == 1)
			add(p, PROC_SESSION, id, atoi(fd));
		if (ring && strstr(line, ": " ZCBUF_DEVICE)) {
			add(p, PROC_RING, 0, atoi(fd));
			break;
		}
	}
	free(line);
	fclose(f);
}

/*
 * What a descriptor is open on says whether its fdinfo can be of interest:
 * most are sockets, pipes and the like, and some take locks to print theirs.
 * A device node may have any path, but it has one.
 */
static void look_at_fd(struct process *p, const char *fd)
{
	char *path = xasprintf("%s/fd/%s", p->dir, fd), target[32];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	free(path);
	if (n <= 0)
		return;
	target[n] = 0;
	if (target[0] == '/')
		read_fdinfo(p, fd, false);
	else if (!strcmp(target, "anon_inode:[io_uring]"))
		read_fdinfo(p, fd, true);
}

static int by_number(const struct dirent **a, const struct dirent **b)
{
	return atoi((*a)->d_name) - atoi((*b)->d_name);
}

static int is_number(const struct dirent *d)
{
	return d->d_name[0] >= '0' && d->d_name[0] <= '9';
}

/* Returns -errno if the process may not be looked into. */
static int look_at_fds(struct process *p)
{
	char *path = xasprintf("%s/fd", p->dir);
	int i, n, err;
	struct dirent **list;

	n = scandir(path, &list, is_number, by_number);
	err = -errno;
	free(path);
	if (n < 0)
		return err;
	for (i = 0; i < n; i++) {
		look_at_fd(p, list[i]->d_name);
		free(list[i]);
	}
	free(list);
	return 0;
}

/* The pool of a line of maps: its last column is "/zcbuf:0xHANDLE (deleted)" */
static bool parse_map(const char *line, uint64_t *handle, uint64_t *bytes)
{
	static const char mark[] = "/zcbuf:0x";
	const char *name = strstr(line, mark);
	uint64_t start, end;

	if (!name || sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) != 2)
		return false;
	*bytes = end - start;
	return sscanf(name + sizeof(mark) - 1, "%" SCNx64, handle) == 1;
}

/* Several mappings of one pool add up. */
static void add_map(struct process *p, uint64_t handle, uint64_t bytes)
{
	struct proc_scan *s = p->scan;
	size_t i;

	for (i = s->n; i-- && s->use[i].pid == p->pid;)
		if (s->use[i].kind == PROC_MAPPING && s->use[i].id == handle) {
			s->use[i].bytes += bytes;
			return;
		}
	add(p, PROC_MAPPING, handle, -1)->bytes = bytes;
}

static void look_at_maps(struct process *p)
{
	FILE *f = open_file(p->dir, "maps");
	uint64_t handle, bytes;
	char *line = NULL;
	size_t size = 0;

	if (!f)
		return;
	while (getline(&line, &size, f) > 0)
		if (parse_map(line, &handle, &bytes))
			add_map(p, handle, bytes);
	free(line);
	fclose(f);
}

static void look_at_process(struct proc_scan *scan, const char *proc,
			    const char *pid)
{
	struct process p = { .scan = scan, .pid = atoi(pid) };

	p.dir = xasprintf("%s/%s", proc, pid);
	read_comm(&p);
	if (look_at_fds(&p) == -EACCES)
		scan->hidden++;
	else
		look_at_maps(&p);
	free(p.dir);
}

/* The line "0::PATH". */
static char *read_cgroup(const char *dir)
{
	FILE *f = open_file(dir, "cgroup");
	char *line = NULL, *cgroup = NULL;
	size_t size = 0;

	if (!f)
		return NULL;
	while (!cgroup && getline(&line, &size, f) > 0)
		if (!strncmp(line, "0::", 3)) {
			line[strcspn(line, "\n")] = 0;
			cgroup = xstrdup(line + 3);
		}
	free(line);
	fclose(f);
	return cgroup;
}

char *proc_cgroup(const char *root, int pid, const char *comm)
{
	struct process p = { .pid = pid };
	char *cgroup = NULL;

	p.dir = xasprintf("%s/proc/%d", root, pid);
	read_comm(&p);
	if (!strcmp(p.comm, comm))
		cgroup = read_cgroup(p.dir);
	free(p.dir);
	return cgroup;
}

int proc_scan(const char *root, struct proc_scan *scan)
{
	char *proc = xasprintf("%s/proc", root);
	struct dirent **list;
	int i, n, err = 0;

	*scan = (struct proc_scan){};
	n = scandir(proc, &list, is_number, by_number);
	if (n < 0)
		err = -errno;
	for (i = 0; i < n; i++) {
		look_at_process(scan, proc, list[i]->d_name);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	free(proc);
	return err;
}

void proc_free(struct proc_scan *scan)
{
	free(scan->use);
	*scan = (struct proc_scan){};
}

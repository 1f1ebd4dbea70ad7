// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What the selftests share.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common.h"

int zt_call(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

int zt_open(int oflags)
{
	int fd = open(ZCBUF_DEVICE, oflags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int zt_query(int fd, struct zcbuf_query *q)
{
	*q = zt_arg(struct zcbuf_query);
	return zt_call(fd, ZCBUF_IOC_QUERY, q);
}

/* ------------------------------------------------------------------ pools */

int zt_pool_create(int fd, __u32 kind, __u32 flags, __u64 arena_size)
{
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.flags = flags, .kind = kind, .arena_size = arena_size);

	return zt_call(fd, ZCBUF_IOC_POOL_CREATE, &a);
}

int zt_pool_create_named(int fd, const char *name, __u32 mode)
{
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.mode = mode, .arena_size = ZT_ARENA, .name = zt_ptr(name),
		.name_len = name ? strlen(name) : 0);

	return zt_call(fd, ZCBUF_IOC_POOL_CREATE, &a);
}

int zt_pool_attach(int fd, const char *name, __u32 rights)
{
	struct zcbuf_pool_attach a = zt_arg(struct zcbuf_pool_attach,
		.rights = rights, .name = zt_ptr(name),
		.name_len = name ? strlen(name) : 0);

	return zt_call(fd, ZCBUF_IOC_POOL_ATTACH, &a);
}

int zt_pool_attach_uid(int fd, const char *name, __u32 rights, uid_t uid)
{
	struct zcbuf_pool_attach a = zt_arg(struct zcbuf_pool_attach,
		.flags = ZCBUF_ATTACH_F_UID, .rights = rights,
		.name = zt_ptr(name), .name_len = strlen(name), .uid = uid);

	return zt_call(fd, ZCBUF_IOC_POOL_ATTACH, &a);
}

int zt_pool_attach_fd(int fd, int donor, __u32 rights)
{
	struct zcbuf_pool_attach a = zt_arg(struct zcbuf_pool_attach,
		.flags = ZCBUF_ATTACH_F_FD, .fd = donor, .rights = rights);

	return zt_call(fd, ZCBUF_IOC_POOL_ATTACH, &a);
}

int zt_pool_info(int fd, struct zcbuf_pool_info *info)
{
	*info = zt_arg(struct zcbuf_pool_info);
	return zt_call(fd, ZCBUF_IOC_POOL_INFO, info);
}

/* @err is the session's if it is an error. */
static int session_or_error(int fd, int err)
{
	if (!err)
		return fd;
	close(fd);
	return err;
}

int zt_pool_as(struct zcbuf_pool_create *arg)
{
	int fd = zt_open(O_RDWR);

	if (fd < 0)
		return fd;
	return session_or_error(fd, zt_call(fd, ZCBUF_IOC_POOL_CREATE, arg));
}

int zt_pool(__u32 kind, __u32 flags, __u64 arena_size)
{
	int fd = zt_open(O_RDWR);

	if (fd < 0)
		return fd;
	return session_or_error(fd, zt_pool_create(fd, kind, flags,
						   arena_size));
}

int zt_join(int donor, __u32 rights)
{
	int fd = zt_open(O_RDWR);

	if (fd < 0)
		return fd;
	return session_or_error(fd, zt_pool_attach_fd(fd, donor, rights));
}

int zt_pool_growing(__u32 flags, unsigned int arenas)
{
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.flags = flags, .arena_size = ZT_ARENA,
		.max_size = arenas * ZT_ARENA);

	return zt_pool_as(&a);
}

int zt_pool_grow(int fd, struct zcbuf_pool_grow *arg)
{
	struct zcbuf_pool_grow a;

	if (!arg)
		arg = &a;
	*arg = zt_arg(struct zcbuf_pool_grow);
	return zt_call(fd, ZCBUF_IOC_POOL_GROW, arg);
}

__u64 zt_session(int fd)
{
	struct zcbuf_query q;

	return zt_query(fd, &q) ? 0 : q.out_session;
}

__u64 zt_used(int fd)
{
	struct zcbuf_pool_info info;

	return zt_pool_info(fd, &info) ? ~0ULL : info.out_used;
}

__u64 zt_bad_frees(int fd)
{
	struct zcbuf_pool_info info;

	return zt_pool_info(fd, &info) ? ~0ULL : info.out_bad_frees;
}

int zt_alloc(int fd, __u64 length, __u32 align, __u32 flags, __u64 *handles,
	     __u32 count)
{
	struct zcbuf_alloc a = zt_arg(struct zcbuf_alloc, .flags = flags,
		.length = length, .handles = zt_ptr(handles), .count = count,
		.align = align);
	int err = zt_call(fd, ZCBUF_IOC_ALLOC, &a);

	return err ? err : (int)a.out_done;
}

static int batch(int fd, unsigned long request, __u64 channel,
		 const void *entries, __u32 count)
{
	struct zcbuf_batch a = zt_arg(struct zcbuf_batch, .channel = channel,
		.entries = zt_ptr(entries), .count = count);
	int err = zt_call(fd, request, &a);

	return err ? err : (int)a.out_done;
}

int zt_free(int fd, const __u64 *handles, __u32 count)
{
	return batch(fd, ZCBUF_IOC_FREE, 0, handles, count);
}

/* A batch of one, done or not. */
static int one(int done)
{
	return done < 0 ? done : 0;
}

int zt_alloc1(int fd, __u64 length, __u64 *handle)
{
	return one(zt_alloc(fd, length, 0, 0, handle, 1));
}

int zt_free1(int fd, __u64 handle)
{
	return one(zt_free(fd, &handle, 1));
}

/* --------------------------------------------------------------- channels */

int zt_buf_info(int fd, const __u64 *handles, struct zcbuf_buf_place *places,
		__u32 count)
{
	struct zcbuf_buf_info a = zt_arg(struct zcbuf_buf_info,
		.handles = zt_ptr(handles), .entries = zt_ptr(places),
		.count = count, .entry_size = sizeof(*places));
	int err = zt_call(fd, ZCBUF_IOC_BUF_INFO, &a);

	return err ? err : (int)a.out_done;
}

static int give(int fd, unsigned long request, __u64 session,
		const __u64 *handles, __u32 count)
{
	struct zcbuf_transfer a = zt_arg(struct zcbuf_transfer,
		.session = session, .handles = zt_ptr(handles),
		.count = count);
	int err = zt_call(fd, request, &a);

	return err ? err : (int)a.out_done;
}

int zt_transfer(int fd, __u64 session, const __u64 *handles, __u32 count)
{
	return give(fd, ZCBUF_IOC_TRANSFER, session, handles, count);
}

int zt_share(int fd, __u64 session, const __u64 *handles, __u32 count)
{
	return give(fd, ZCBUF_IOC_SHARE, session, handles, count);
}

int zt_export(int fd, __u64 handle, __u64 offset, __u64 length, __u32 flags)
{
	struct zcbuf_export a = zt_arg(struct zcbuf_export,
		.flags = flags, .handle = handle, .offset = offset,
		.length = length, .out_fd = -1);
	int err = zt_call(fd, ZCBUF_IOC_EXPORT, &a);

	return err ? err : a.out_fd;
}

int zt_channel_open(int fd, struct zcbuf_channel_open *arg)
{
	arg->size = sizeof(*arg);
	return zt_call(fd, ZCBUF_IOC_CHANNEL_OPEN, arg);
}

int zt_channel_close(int fd, __u64 channel, __u32 ports)
{
	struct zcbuf_channel_close a = zt_arg(struct zcbuf_channel_close,
		.channel = channel, .ports = ports);

	return zt_call(fd, ZCBUF_IOC_CHANNEL_CLOSE, &a);
}

int zt_stream(int fd, __u64 threshold, __u32 flags, __u64 *channel)
{
	struct zcbuf_channel_open a = {
		.flags = flags | ZCBUF_CHANNEL_F_THRESHOLD,
		.ports = ZT_ALL_PORTS, .align = 1, .threshold = threshold,
	};
	int err = zt_channel_open(fd, &a);

	*channel = a.out_channel;
	return err;
}

int zt_ports(int fd, __u64 channel, __u32 ports)
{
	struct zcbuf_channel_open a = { .channel = channel, .ports = ports };

	return zt_channel_open(fd, &a);
}

int zt_reserve(int fd, __u64 channel, struct zcbuf_reservation *r, __u32 count,
	       __u32 flags, __u64 deadline_ns)
{
	struct zcbuf_reserve a = zt_arg(struct zcbuf_reserve, .flags = flags,
		.channel = channel, .entries = zt_ptr(r),
		.deadline_ns = deadline_ns, .count = count);
	int err = zt_call(fd, ZCBUF_IOC_RESERVE, &a);

	return err ? err : (int)a.out_done;
}

int zt_publish(int fd, __u64 channel, struct zcbuf_publication *p, __u32 count,
	       __u32 flags, __u64 deadline_ns)
{
	struct zcbuf_publish a = zt_arg(struct zcbuf_publish, .flags = flags,
		.channel = channel, .entries = zt_ptr(p),
		.deadline_ns = deadline_ns, .count = count);
	int err = zt_call(fd, ZCBUF_IOC_PUBLISH, &a);

	return err ? err : (int)a.out_done;
}

int zt_commit(int fd, __u64 channel, const struct zcbuf_commit_entry *e,
	      __u32 count)
{
	return batch(fd, ZCBUF_IOC_COMMIT, channel, e, count);
}

int zt_abort(int fd, __u64 channel, const struct zcbuf_abort_entry *e,
	     __u32 count)
{
	return batch(fd, ZCBUF_IOC_ABORT, channel, e, count);
}

int zt_commit_reserve(int fd, struct zcbuf_commit_reserve *arg)
{
	arg->size = sizeof(*arg);
	return zt_call(fd, ZCBUF_IOC_COMMIT_RESERVE, arg);
}

int zt_flush(int fd, __u64 channel)
{
	struct zcbuf_flush a = zt_arg(struct zcbuf_flush, .channel = channel);
	int err = zt_call(fd, ZCBUF_IOC_FLUSH, &a);

	return err ? err : (int)a.out_sealed;
}

int zt_finalize(int fd, __u64 channel, struct zcbuf_finalize *arg)
{
	*arg = zt_arg(struct zcbuf_finalize, .channel = channel);
	return zt_call(fd, ZCBUF_IOC_FINALIZE, arg);
}

int zt_reserve1(int fd, __u64 channel, __u64 length,
		struct zcbuf_reservation *r)
{
	*r = (struct zcbuf_reservation){ .length = length };
	return one(zt_reserve(fd, channel, r, 1, 0, 0));
}

int zt_commit1(int fd, __u64 channel, const struct zcbuf_reservation *r)
{
	struct zcbuf_commit_entry e = {
		.group = r->out_group, .id = r->out_id,
		.offset = r->out_offset, .length = r->length,
	};

	return one(zt_commit(fd, channel, &e, 1));
}

int zt_abort1(int fd, __u64 channel, const struct zcbuf_reservation *r)
{
	struct zcbuf_abort_entry e = { .group = r->out_group, .id = r->out_id };

	return one(zt_abort(fd, channel, &e, 1));
}

int zt_receive(int fd, __u64 channel, struct zcbuf_delivery *d, __u32 count,
	       __u64 deadline_ns)
{
	struct zcbuf_receive a = zt_arg(struct zcbuf_receive,
		.channel = channel, .entries = zt_ptr(d),
		.deadline_ns = deadline_ns, .count = count,
		.entry_size = sizeof(*d));
	int err = zt_call(fd, ZCBUF_IOC_RECEIVE, &a);

	return err ? err : (int)a.out_done;
}

int zt_receive_failed(int fd, __u64 channel, struct zcbuf_receive_failed *arg)
{
	arg->size = sizeof(*arg);
	arg->channel = channel;
	return zt_call(fd, ZCBUF_IOC_RECEIVE_FAILED, arg);
}

int zt_release(int fd, __u64 channel, const __u64 *handles, __u32 count)
{
	return batch(fd, ZCBUF_IOC_RELEASE, channel, handles, count);
}

int zt_release1(int fd, __u64 channel, __u64 handle)
{
	return one(zt_release(fd, channel, &handle, 1));
}

int zt_eventfd(int fd, __u64 channel, int efd, __u32 mode, __u32 flags)
{
	struct zcbuf_eventfd a = zt_arg(struct zcbuf_eventfd, .flags = flags,
		.channel = channel, .fd = efd, .mode = mode);

	return zt_call(fd, ZCBUF_IOC_EVENTFD, &a);
}

/* -------------------------------------------------------- files, processes */

void *zt_map(int fd, int prot, size_t size)
{
	void *p = mmap(NULL, size, prot, MAP_SHARED, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

long zt_pmd_mapped_kib(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "re");
	char line[256];
	long kib = -1;

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "FilePmdMapped: %ld", &kib) == 1)
			break;
	fclose(f);
	return kib;
}

int zt_poll(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

	return TEMP_FAILURE_RETRY(poll(&p, 1, ms)) > 0 ? p.revents : 0;
}

__u64 zt_count(int efd)
{
	__u64 n = 0;

	if (!(zt_poll(efd, 0) & POLLIN))
		return 0;
	return read(efd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

/* "NUMBER ARGS..." of a system call that sleeps, "running", or of none "-1". */
static long sleeps_in(pid_t tid)
{
	char path[64], line[32] = "";
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/syscall", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, line, sizeof(line) - 1);
	close(fd);
	return n > 0 && line[0] != 'r' ? strtol(line, NULL, 10) : -EAGAIN;
}

/* User mode Linux does not tell which call a task sleeps in. */
static bool calls_are_told(void)
{
	return !access("/proc/self/syscall", F_OK);
}

/* How often @tid, which sleeps, has begun to; -EAGAIN: it does not, -ESRCH. */
static long sleeps_of(pid_t tid)
{
	static const char state[] = "State:\tS", count[] = "voluntary_ctxt_switches:";
	bool asleep = false;
	long n = -EAGAIN;
	char line[128];
	FILE *f;

	snprintf(line, sizeof(line), "/proc/%d/status", tid);
	f = fopen(line, "re");
	if (!f)
		return -ESRCH;
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, state, sizeof(state) - 1))
			asleep = true;
		if (asleep && !strncmp(line, count, sizeof(count) - 1))
			n = strtol(line + sizeof(count) - 1, NULL, 10);
	}
	fclose(f);
	return n;
}

/*
 * There is one CPU then. Who did not run while this task gave it up for so long
 * sleeps until somebody wakes it, and only this task would.
 */
static int await_rest(pid_t tid)
{
	long before;

	do {
		before = sleeps_of(tid);
		if (before == -ESRCH)
			return -ESRCH;
		usleep(20000);
	} while (before < 0 || sleeps_of(tid) != before);
	return 0;
}

bool zt_sleeps(pid_t tid, long nr)
{
	return calls_are_told() ? sleeps_in(tid) == nr : sleeps_of(tid) >= 0;
}

int zt_await_sleep(pid_t tid, long nr)
{
	long now;

	if (!calls_are_told())
		return await_rest(tid);
	while ((now = sleeps_in(tid)) != nr) {
		if (now == -ENOENT || now == -ESRCH)
			return -ESRCH;
		usleep(1000);
	}
	return 0;
}

/* Who opens is who is asked about. */
static __u64 charged_to_opener(void)
{
	int fd = zt_open(O_RDONLY);
	struct zcbuf_query q;
	int err = zt_query(fd, &q);

	close(fd);
	return err ? ~0ULL : q.out_user_charged;
}

/* By system calls of its own, this thread alone becomes root's other half. */
static __u64 charged_to_user(void)
{
	gid_t gid = getegid();
	__u64 charged = ~0ULL;

	if (!syscall(SYS_setresgid, -1, ZT_GROUP, -1) &&
	    !syscall(SYS_setresuid, -1, ZT_USER, -1))
		charged = charged_to_opener();
	if (syscall(SYS_setresuid, -1, 0, -1) ||
	    syscall(SYS_setresgid, -1, gid, -1))
		abort();
	return charged;
}

__u64 zt_charged(void)
{
	__u64 charged = charged_to_opener();

	return geteuid() ? charged : charged + charged_to_user();
}

__u64 zt_await_charged(__u64 want)
{
	__u64 now = zt_charged();
	int tries;

	for (tries = 0; now != want && tries < 2000; tries++) {
		usleep(10000);
		now = zt_charged();
	}
	return now;
}

long zt_parameter(const char *name, long value)
{
	char path[128], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/sys/module/zcbuf/parameters/%s", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (read(fd, text, sizeof(text) - 1) <= 0 ||
	    dprintf(fd, "%ld\n", value) <= 0) {
		close(fd);
		return -EIO;
	}
	close(fd);
	return strtol(text, NULL, 10);
}

void zt_stay(void)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	if (sched_setaffinity(0, sizeof(here), &here))
		abort();
}

int zt_become(uid_t uid, gid_t gid)
{
	if (setgroups(0, NULL) || setresgid(gid, gid, gid) ||
	    setresuid(uid, uid, uid))
		return -errno;
	return 0;
}

gid_t zt_device_group(void)
{
	struct stat st;

	return stat(ZCBUF_DEVICE, &st) ? (gid_t)-1 : st.st_gid;
}

int zt_turns_init(struct zt_turns *t)
{
	if (pipe2(t->to_child, O_CLOEXEC) || pipe2(t->to_parent, O_CLOEXEC))
		return -errno;
	return 0;
}

void zt_turns_child(struct zt_turns *t)
{
	close(t->to_child[1]);
	close(t->to_parent[0]);
}

void zt_turns_parent(struct zt_turns *t)
{
	close(t->to_child[0]);
	close(t->to_parent[1]);
}

static int tell(int fd)
{
	return write(fd, "", 1) == 1 ? 0 : -errno;
}

static int await(int fd)
{
	char c;
	ssize_t n = read(fd, &c, 1);

	return n == 1 ? 0 : n ? -errno : -EPIPE;
}

int zt_tell_child(struct zt_turns *t)
{
	return tell(t->to_child[1]);
}

int zt_tell_parent(struct zt_turns *t)
{
	return tell(t->to_parent[1]);
}

int zt_await_child(struct zt_turns *t)
{
	return await(t->to_parent[0]);
}

int zt_await_parent(struct zt_turns *t)
{
	return await(t->to_child[0]);
}

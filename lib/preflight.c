// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Will zcbuf do here, and if not, why not. zcctl check says more, to people; this is
 * for programs, which have their own way to say it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "facts.h"

#define MAX_STRUCT	16384	/* a size beyond this was never set */
#define LAST_CALL	ZCBUF_NR_HEARTBEAT	/* this library makes */

/*
 * struct scene - what is known
 * @opts: what the program wants
 * @facts: limits that are not the device's
 * @open_error: why it cannot be opened, negative, or 0
 * @query_error: why it does not answer, likewise
 * @query: what it answers
 * @found: so far
 */
struct scene {
	struct zcbuf_preflight_opts opts;
	struct zcb_facts facts;
	int open_error;
	int query_error;
	struct zcbuf_query query;
	struct zcbuf_preflight *found;
};

static struct zcbuf_finding *find(struct scene *s, const char *name)
{
	struct zcbuf_finding *f = &s->found->findings[s->found->nfindings++];

	*f = (struct zcbuf_finding){ .name = name };
	return f;
}

__attribute__((format(printf, 2, 3)))
static void detail(struct zcbuf_finding *f, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(f->detail, sizeof(f->detail), format, args);
	va_end(args);
}

/* @error: negative, of what is an obstacle */
static void judge(struct zcbuf_finding *f, __u32 verdict, int error,
		  const char *remedy)
{
	f->verdict = verdict;
	f->error = verdict == ZCBUF_VERDICT_NO ? error : 0;
	snprintf(f->remedy, sizeof(f->remedy), "%s", remedy);
}

static bool answered(const struct scene *s)
{
	return !s->open_error && !s->query_error;
}

/* What only the module knows; true if it says nothing. */
static bool unknown(const struct scene *s, struct zcbuf_finding *f)
{
	if (answered(s))
		return false;
	detail(f, "cannot be told before the above is put right");
	f->verdict = ZCBUF_VERDICT_UNKNOWN;
	return true;
}

/* ------------------------------------------------------------- the device */

static void look_at_kernel(struct scene *s)
{
	struct zcbuf_finding *f = find(s, "kernel");

	detail(f, "Linux %s", s->facts.release);
	if (zcb_kernel_before(6, 1))
		judge(f, ZCBUF_VERDICT_NO, -ENODEV,
		      "the module needs Linux 6.1 or later");
	else if (zcb_kernel_before(6, 5))
		judge(f, ZCBUF_VERDICT_NOTE, 0,
		      "before Linux 6.5 io_uring cannot register pools");
}

static void look_at_device(struct scene *s)
{
	struct zcbuf_finding *f = find(s, "device");
	struct stat st;

	if (stat(ZCBUF_DEVICE, &st)) {
		detail(f, ZCBUF_DEVICE " does not exist");
		judge(f, ZCBUF_VERDICT_NO, -ENODEV,
		      "modprobe zcbuf; in a container, give it the node");
	} else if (!S_ISCHR(st.st_mode)) {
		detail(f, ZCBUF_DEVICE " is no device");
		judge(f, ZCBUF_VERDICT_NO, -ENODEV,
		      "rm " ZCBUF_DEVICE ", then rmmod zcbuf; modprobe zcbuf");
	} else {
		detail(f, ZCBUF_DEVICE " has mode %04o and group %u",
		       st.st_mode & 07777, st.st_gid);
	}
}

static void look_at_access(struct scene *s)
{
	struct zcbuf_finding *f = find(s, "access");

	if (!s->open_error) {
		detail(f, "user %u may open " ZCBUF_DEVICE, geteuid());
		return;
	}
	detail(f, "user %u cannot open it: errno %d", geteuid(),
	       -s->open_error);
	if (s->open_error == -EACCES || s->open_error == -EPERM)
		judge(f, ZCBUF_VERDICT_NO, s->open_error,
		      "usermod -aG zcbuf USER, then log in again; in a container, allow the device");
	else
		judge(f, ZCBUF_VERDICT_NO, s->open_error,
		      zcbuf_strerror(s->open_error));
}

/* Until 1.0 a new minor version may have another interface. */
static void look_at_version(struct scene *s)
{
	static const char remedy[] =
		"install the module and the library of one version";
	struct zcbuf_finding *f = find(s, "version");
	__u32 v = s->query.out_version;

	if (s->query_error && !s->open_error) {
		detail(f, "the module does not answer QUERY: errno %d",
		       -s->query_error);
		judge(f, ZCBUF_VERDICT_NO, s->query_error, remedy);
		return;
	}
	if (unknown(s, f))
		return;
	detail(f, "module %u.%u.%u, library %u.%u.%u", v >> 16, v >> 8 & 0xff,
	       v & 0xff, ZCBUF_VERSION_MAJOR, ZCBUF_VERSION_MINOR,
	       ZCBUF_VERSION_PATCH);
	if (v >> 8 != ZCBUF_VERSION >> 8)
		judge(f, ZCBUF_VERDICT_NO, -ENOTTY, remedy);
}

/* ENOTTY of one that is not needed is nothing to stop for. */
static void look_at_calls(struct scene *s)
{
	struct zcbuf_finding *f = find(s, "calls");
	unsigned int i, missing = 0;

	if (unknown(s, f))
		return;
	for (i = 0; i <= LAST_CALL; i++)
		missing += !s->query.out_sizes[i];
	detail(f, "the module lacks %u of %u calls this library makes",
	       missing, LAST_CALL + 1);
	if (missing)
		judge(f, ZCBUF_VERDICT_NOTE, 0, "install a newer module");
}

static void look_at_features(struct scene *s)
{
	struct zcbuf_finding *f = find(s, "features");
	__u64 missing = s->opts.features & ~s->query.out_features;

	if (unknown(s, f))
		return;
	if (!missing) {
		detail(f, "all that is asked for");
		return;
	}
	detail(f, "not here: %#llx of ZCBUF_FEATURE_*",
	       (unsigned long long)missing);
	judge(f, ZCBUF_VERDICT_NO, -EOPNOTSUPP,
	      "a newer module, or a kernel that has what it takes");
}

/* ------------------------------------------------------------------ memory */

/* Without the module the default that is documented will do as a measure. */
static __u64 pool_size(const struct scene *s)
{
	if (s->opts.pool_size)
		return s->opts.pool_size;
	return answered(s) ? s->query.out_default_arena_size : 32ULL << 20;
}

static void show_use(struct zcbuf_finding *f, __u64 used, __u64 most)
{
	struct zcb_shown have, all;

	detail(f, "%s of %s in use", zcb_show_bytes(&have, used),
	       zcb_show_bytes(&all, most));
}

static void look_at_user_limit(struct scene *s)
{
	struct zcbuf_finding *f = find(s, "user limit");
	const struct zcbuf_query *q = &s->query;

	if (unknown(s, f))
		return;
	show_use(f, q->out_user_charged, q->out_user_limit);
	if (zcb_room(q->out_user_charged, q->out_user_limit) >= pool_size(s))
		return;
	if (s->facts.ipc_lock)
		judge(f, ZCBUF_VERDICT_NOTE, 0,
		      "CAP_IPC_LOCK lifts it, so it does not bind this process");
	else
		judge(f, ZCBUF_VERDICT_NO, -ENOMEM,
		      "raise /sys/module/zcbuf/parameters/user_limit_mb, or end who holds it (zcctl holders)");
}

static void look_at_total_limit(struct scene *s)
{
	struct zcbuf_finding *f = find(s, "total limit");
	const struct zcbuf_query *q = &s->query;

	if (unknown(s, f))
		return;
	show_use(f, q->out_total_charged, q->out_total_limit);
	if (zcb_room(q->out_total_charged, q->out_total_limit) < pool_size(s))
		judge(f, ZCBUF_VERDICT_NO, -ENOMEM,
		      "raise /sys/module/zcbuf/parameters/total_limit_mb, or end who holds it (zcctl holders)");
}

static void look_at_memory(struct scene *s)
{
	struct zcbuf_finding *f = find(s, "memory");
	__u64 cgroup = zcb_room(s->facts.cgroup_used, s->facts.cgroup_max);
	bool is_cgroup = cgroup < s->facts.available;
	__u64 room = is_cgroup ? cgroup : s->facts.available;
	struct zcb_shown shown;

	detail(f, "%s available%s", zcb_show_bytes(&shown, room),
	       is_cgroup ? " to this cgroup" : "");
	if (room < pool_size(s))
		judge(f, ZCBUF_VERDICT_NO, -ENOMEM,
		      is_cgroup ? "raise memory.max of the cgroup (systemd: MemoryMax=)" :
				  "free memory, or make smaller pools");
}

/* ---------------------------------------------------------------- io_uring */

static __u32 if_needed(const struct scene *s)
{
	return s->opts.flags & ZCBUF_PREFLIGHT_URING ? ZCBUF_VERDICT_NO :
						       ZCBUF_VERDICT_NOTE;
}

/*
 * Who may have a ring is told that his parameters are nowhere, anybody else that he
 * may not, or that there are none: sysctls, groups, seccomp all have a say.
 */
static void look_at_uring(struct scene *s)
{
	struct zcbuf_finding *f = find(s, "io_uring");
	int error = syscall(SYS_io_uring_setup, 0, NULL) < 0 ? errno : EFAULT;

	if (error == EFAULT || error == EINVAL) {
		detail(f, "available");
		return;
	}
	detail(f, "not available: errno %d", error);
	judge(f, if_needed(s), -error,
	      error == ENOSYS ? "a kernel with io_uring, or a seccomp filter that lets it through" :
				"sysctl kernel.io_uring_disabled=0, or a seccomp filter that lets it through");
}

/* io_uring charges what is registered to the user, besides what pools cost. */
static void look_at_memlock(struct scene *s)
{
	struct zcbuf_finding *f = find(s, "memlock");
	struct zcb_shown shown;

	if (s->facts.ipc_lock || s->facts.memlock == ZCB_NO_LIMIT) {
		detail(f, "no limit%s", s->facts.ipc_lock ?
			       " for this process (CAP_IPC_LOCK)" : "");
		return;
	}
	detail(f, "RLIMIT_MEMLOCK is %s",
	       zcb_show_bytes(&shown, s->facts.memlock));
	if (s->facts.memlock < pool_size(s))
		judge(f, if_needed(s), -ENOMEM,
		      "io_uring cannot register such a pool: ulimit -l, LimitMEMLOCK= (systemd), or memlock in limits.conf");
}

/* -------------------------------------------------------------------- all */

static void ask(struct scene *s)
{
	int fd = zcbuf_open(O_RDWR);

	s->open_error = fd < 0 ? fd : 0;
	if (fd < 0)
		return;
	s->query.size = sizeof(s->query);
	s->query_error = zcbuf_query(fd, &s->query);
	close(fd);
}

static int first_error(const struct zcbuf_preflight *p)
{
	unsigned int i;

	for (i = 0; i < p->nfindings; i++)
		if (p->findings[i].verdict == ZCBUF_VERDICT_NO)
			return p->findings[i].error;
	return 0;
}

int zcbuf_preflight(const struct zcbuf_preflight_opts *opts,
		    struct zcbuf_preflight *result)
{
	static void (*const looks[])(struct scene *) = {
		look_at_kernel, look_at_device, look_at_access, look_at_version,
		look_at_calls, look_at_features, look_at_user_limit,
		look_at_total_limit, look_at_memory, look_at_uring,
		look_at_memlock,
	};
	struct scene s = { .found = result };
	size_t sz = result->sz;
	unsigned int i;
	int err;

	if (sz < sizeof(*result) || sz > MAX_STRUCT)
		return -EINVAL;
	err = zcb_opts_read(&s.opts, sizeof(s.opts), opts, sizeof(s.opts));
	if (err)
		return err;
	if (s.opts.reserved || (s.opts.flags & ~ZCBUF_PREFLIGHT_URING))
		return -EOPNOTSUPP;
	memset(result, 0, sz);
	result->sz = sz;
	zcb_facts_read(&s.facts);
	ask(&s);
	for (i = 0; i < ARRAY_SIZE(looks); i++)
		looks[i](&s);
	return first_error(result);
}

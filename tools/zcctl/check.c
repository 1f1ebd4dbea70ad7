// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* zcctl check: will zcbuf work here, for this user, and if not, why not. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "show.h"

static const char *const verdict_name[] = {
	[VERDICT_OK] = "ok",
	[VERDICT_NOTE] = "note",
	[VERDICT_UNKNOWN] = "unknown",
	[VERDICT_NO] = "no",
};

static struct finding finding(const char *name, enum verdict verdict,
			      char *detail, char *hint)
{
	return (struct finding){ name, verdict, detail, hint };
}

/* What cannot be known before something else is put right. */
static struct finding unknown(const char *name)
{
	return finding(name, VERDICT_UNKNOWN,
		       xstrdup("cannot be told before the above is put right"),
		       NULL);
}

static struct finding judge_kernel(const struct facts *f)
{
	char *detail = xstrdup(f->release);

	if (f->major < 6 || (f->major == 6 && f->minor < 1))
		return finding("kernel", VERDICT_NO, detail,
			       xstrdup("zcbuf needs Linux 6.1 or later"));
	if (f->major == 6 && f->minor < 5)
		return finding("kernel", VERDICT_NOTE, detail,
			       xstrdup("before Linux 6.5 io_uring cannot register pools"));
	return finding("kernel", VERDICT_OK, detail, NULL);
}

/* Why an unsigned module would be refused, or NULL. */
static char *signature_wanted(const struct facts *f)
{
	const char *why = f->lockdown[0] ? "kernel lockdown" :
			  f->sig_enforce ? "module.sig_enforce" : NULL;

	if (!why)
		return NULL;
	return xasprintf("modprobe zcbuf; %s refuses unsigned modules%s: sign zcbuf.ko with a key the kernel trusts (mokutil --import), or disable Secure Boot",
			 why, f->secure_boot ? " (Secure Boot is on)" : "");
}

static char *how_to_load(const struct facts *f)
{
	char *hint;

	if (!f->modules)
		return xstrdup("this kernel is built without loadable modules");
	if (f->modules_disabled)
		return xstrdup("kernel.modules_disabled is 1: loading is off until the next boot");
	hint = signature_wanted(f);
	if (hint)
		return hint;
	if (!f->installed)
		return xasprintf("zcbuf.ko is not installed for %s: make modules_install, then modprobe zcbuf",
				 f->release);
	return xstrdup("modprobe zcbuf");
}

static struct finding judge_module(const struct facts *f)
{
	if (f->loaded)
		return finding("module", VERDICT_OK, xstrdup("loaded"), NULL);
	return finding("module", VERDICT_NO, xstrdup("not loaded"),
		       how_to_load(f));
}

static struct finding judge_device(const struct facts *f)
{
	char *detail, *hint;

	if (!f->node)
		return finding("device", VERDICT_NO,
			       xstrdup(ZCBUF_DEVICE " does not exist"),
			       xstrdup(f->loaded ?
			"the module is loaded, but this mount namespace or container lacks the node" :
			"it appears when the module is loaded"));
	if (!f->node_device)
		return finding("device", VERDICT_NO,
			       xstrdup(ZCBUF_DEVICE " is not a device"),
			       xstrdup("rm " ZCBUF_DEVICE ", then rmmod zcbuf; modprobe zcbuf"));
	detail = xasprintf(ZCBUF_DEVICE " mode %04o, group %s", f->node_mode,
			   f->node_group);
	if (!strcmp(f->node_group, "zcbuf") && (f->node_mode & 060) == 060)
		return finding("device", VERDICT_OK, detail, NULL);
	hint = xasprintf("only root can use it: %schgrp zcbuf " ZCBUF_DEVICE "; chmod 0660 " ZCBUF_DEVICE,
			 f->group_exists ? "" : "groupadd --system zcbuf; ");
	return finding("device", VERDICT_NOTE, detail, hint);
}

static char *how_to_open(const struct facts *f)
{
	if (f->open_error == ENXIO || f->open_error == ENODEV)
		return xstrdup("the node is stale, nothing answers it: rm " ZCBUF_DEVICE "; modprobe zcbuf");
	if (f->open_error != EACCES && f->open_error != EPERM)
		return NULL;
	if (f->group_active || f->node_gid == 0)
		return xstrdup("the node's mode does not let its group in: chgrp zcbuf " ZCBUF_DEVICE "; chmod 0660 " ZCBUF_DEVICE);
	if (f->group_member)
		return xasprintf("%s is in group %s, but not yet in this session: log in again",
				 f->user, f->node_group);
	return xasprintf("add this user to group %s: usermod -aG %s %s, then log in again",
			 f->node_group, f->node_group, f->user);
}

static struct finding judge_access(const struct facts *f)
{
	if (!f->node || !f->node_device)
		return unknown("access");
	if (f->open_error)
		return finding("access", VERDICT_NO,
			       xasprintf("%s cannot open " ZCBUF_DEVICE ": %s",
					 f->user, strerror(f->open_error)),
			       how_to_open(f));
	return finding("access", VERDICT_OK,
		       xasprintf("%s may open " ZCBUF_DEVICE, f->user), NULL);
}

static bool answered(const struct facts *f)
{
	return f->node && f->node_device && !f->open_error && !f->query_error;
}

/* Until 1.0 a new minor version may have another interface. */
static struct finding judge_version(const struct facts *f)
{
	uint32_t v = f->query.out_version;
	char *detail;

	if (!answered(f) && !f->query_error)
		return unknown("version");
	if (f->query_error)
		return finding("version", VERDICT_NO,
			       xasprintf("the module does not answer QUERY: %s",
					 strerror(f->query_error)),
			       xstrdup("install the module and the tools of one version"));
	detail = xasprintf("module %u.%u.%u, zcctl %u.%u.%u", v >> 16,
			   v >> 8 & 0xff, v & 0xff, ZCBUF_VERSION_MAJOR,
			   ZCBUF_VERSION_MINOR, ZCBUF_VERSION_PATCH);
	if (v >> 8 != ZCBUF_VERSION >> 8)
		return finding("version", VERDICT_NO, detail,
			       xstrdup("install the module and the tools of one version"));
	return finding("version", VERDICT_OK, detail, NULL);
}

/* Is there room for one more arena of the default size under a limit? */
static struct finding judge_limit(const struct zcctl *z, const struct facts *f,
				  const char *name, uint64_t limit,
				  uint64_t charged, const char *parameter)
{
	uint64_t room = charged < limit ? limit - charged : 0;
	uint64_t want = f->query.out_default_arena_size;
	char *have = show_bytes(z, charged), *most = show_bytes(z, limit);
	char *arena = show_bytes(z, want);
	struct finding r;

	r = finding(name, VERDICT_OK, xasprintf("%s of %s in use", have, most),
		    NULL);
	if (room < want) {
		r.verdict = VERDICT_NO;
		r.hint = xasprintf("no room for a pool of %s: end who holds the memory (zcctl holders), or raise /sys/module/zcbuf/parameters/%s",
				   arena, parameter);
	}
	free(arena);
	free(most);
	free(have);
	return r;
}

static struct finding judge_user_limit(const struct zcctl *z,
				       const struct facts *f)
{
	struct finding r;

	if (!answered(f))
		return unknown("user limit");
	r = judge_limit(z, f, "user limit", f->query.out_user_limit,
			f->query.out_user_charged, "user_limit_mb");
	if (r.verdict != VERDICT_NO || !f->ipc_lock)
		return r;
	r.verdict = VERDICT_NOTE;
	free(r.hint);
	r.hint = xstrdup("CAP_IPC_LOCK lifts this limit, so it does not bind this process");
	return r;
}

static struct finding judge_total_limit(const struct zcctl *z,
					const struct facts *f)
{
	if (!answered(f))
		return unknown("total limit");
	return judge_limit(z, f, "total limit", f->query.out_total_limit,
			   f->query.out_total_charged, "total_limit_mb");
}

/* Without the module the default that the header knows will do as a measure. */
static uint64_t arena_size(const struct facts *f)
{
	return answered(f) ? f->query.out_default_arena_size : 32ULL << 20;
}

static struct finding judge_memory(const struct zcctl *z,
				   const struct facts *f)
{
	bool cgroup = f->cgroup_room < f->available;
	uint64_t room = cgroup ? f->cgroup_room : f->available;
	char *size = show_bytes(z, room), *arena = show_bytes(z, arena_size(f));
	struct finding r;

	r = finding("memory", VERDICT_OK,
		    xasprintf("%s available%s", size,
			      cgroup ? " to this cgroup" : ""), NULL);
	if (room < arena_size(f)) {
		r.verdict = VERDICT_NO;
		r.hint = xasprintf("no room for a pool of %s: %s", arena,
				   cgroup ? "raise memory.max of the cgroup (systemd: MemoryMax=)" :
				   "free memory, or make smaller pools");
	}
	free(arena);
	free(size);
	return r;
}

static struct finding judge_netlink(const struct facts *f)
{
	if (!f->loaded)
		return unknown("netlink");
	if (!f->family)
		return finding("netlink", VERDICT_OK,
			       xstrdup("the module answers"), NULL);
	return finding("netlink", VERDICT_NOTE,
		       xstrdup("zcctl cannot ask the module from here"),
		       xstrdup("inspection is for the initial network namespace; pools work without it"));
}

static struct finding judge_ring(const struct facts *f)
{
	char *detail;

	if (!f->ring_error)
		return finding("io_uring", VERDICT_OK, xstrdup("available"),
			       NULL);
	detail = xasprintf("not available: %s", strerror(f->ring_error));
	if (f->ring_error == ENOSYS)
		return finding("io_uring", VERDICT_NO, detail,
			       xstrdup("this kernel is built without io_uring, or a seccomp filter hides it"));
	if (f->ring_disabled > 0)
		return finding("io_uring", VERDICT_NO, detail,
			       xasprintf("kernel.io_uring_disabled is %d: sysctl kernel.io_uring_disabled=0%s",
					 f->ring_disabled,
					 f->ring_disabled == 1 ?
					 ", or join the group of kernel.io_uring_group" : ""));
	if (f->ring_error == ENOMEM)
		return finding("io_uring", VERDICT_NO, detail,
			       xstrdup("raise RLIMIT_MEMLOCK (ulimit -l), which rings are charged to"));
	return finding("io_uring", VERDICT_NO, detail,
		       xstrdup("a seccomp filter or security module forbids it; containers often do"));
}

/* io_uring charges what is registered to the user, besides what pools cost. */
static struct finding judge_memlock(const struct zcctl *z,
				    const struct facts *f)
{
	char *size, *arena;
	struct finding r;

	if (f->ipc_lock)
		return finding("memlock", VERDICT_OK,
			       xstrdup("no limit for this process (CAP_IPC_LOCK)"),
			       NULL);
	if (f->memlock == FACTS_UNKNOWN)
		return finding("memlock", VERDICT_OK, xstrdup("no limit"),
			       NULL);
	size = show_bytes(z, f->memlock);
	arena = show_bytes(z, arena_size(f));
	r = finding("memlock", VERDICT_OK,
		    xasprintf("RLIMIT_MEMLOCK is %s", size), NULL);
	if (f->memlock < arena_size(f)) {
		r.verdict = VERDICT_NO;
		r.hint = xasprintf("io_uring cannot register a pool of %s, only plain reads and writes will work: ulimit -l, LimitMEMLOCK= (systemd), or memlock in /etc/security/limits.conf",
				   arena);
	}
	free(arena);
	free(size);
	return r;
}

static struct finding judge_huge(const struct facts *f)
{
	if (f->huge_pages)
		return finding("huge pages", VERDICT_OK, xstrdup("available"),
			       NULL);
	return finding("huge pages", VERDICT_NOTE,
		       xstrdup("not in this kernel"),
		       xstrdup("pools are made of small pages: registering them takes longer"));
}

size_t check_judge(const struct zcctl *z, const struct facts *f,
		   struct finding *r)
{
	struct finding *start = r;

	*r++ = judge_kernel(f);
	*r++ = judge_module(f);
	*r++ = judge_device(f);
	*r++ = judge_access(f);
	*r++ = judge_version(f);
	*r++ = judge_user_limit(z, f);
	*r++ = judge_total_limit(z, f);
	*r++ = judge_memory(z, f);
	*r++ = judge_netlink(f);
	*r++ = judge_ring(f);
	*r++ = judge_memlock(z, f);
	*r++ = judge_huge(f);
	return r - start;
}

static bool all_well(const struct finding *r, size_t n)
{
	while (n--)
		if (r[n].verdict > VERDICT_NOTE)
			return false;
	return true;
}

static void print_json(struct zcctl *z, const struct finding *r, size_t n)
{
	struct json j = json_start(z);
	size_t i;

	json_array(&j, "checks");
	for (i = 0; i < n; i++) {
		json_object(&j, NULL);
		json_text(&j, "name", r[i].name);
		json_text(&j, "verdict", verdict_name[r[i].verdict]);
		json_text(&j, "detail", r[i].detail);
		if (r[i].hint)
			json_text(&j, "hint", r[i].hint);
		else
			json_null(&j, "hint");
		json_object_end(&j);
	}
	json_array_end(&j);
	json_bool(&j, "ok", all_well(r, n));
	json_end(&j);
}

static void print_text(struct zcctl *z, const struct finding *r, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		fprintf(z->out, "%-7s  %-11s  %s\n", verdict_name[r[i].verdict],
			r[i].name, r[i].detail);
		if (r[i].hint)
			fprintf(z->out, "%-7s  %-11s  -> %s\n", "", "",
				r[i].hint);
	}
	fputs(all_well(r, n) ? "zcbuf will do here\n" :
	      "zcbuf will not do here as it is\n", z->out);
}

int check_report(struct zcctl *z, const struct facts *f)
{
	struct finding r[CHECK_FINDINGS];
	size_t i, n = check_judge(z, f, r);
	bool ok = all_well(r, n);

	if (z->format == FORMAT_TABLE)
		print_text(z, r, n);
	else
		print_json(z, r, n);
	for (i = 0; i < n; i++) {
		free(r[i].detail);
		free(r[i].hint);
	}
	return ok ? EXIT_OK : EXIT_ERROR;
}

static int run(struct zcctl *z, int argc, char **argv)
{
	struct facts f;

	if (argc)
		return EXIT_USAGE;
	facts_gather(z, &f);
	return check_report(z, &f);
}

const struct verb verb_check = {
	.name = "check",
	.args = "",
	.summary = "will zcbuf work here, and what to change if not",
	.help =
"Looks at the kernel, the module, the device node, limits and io_uring, as the\n"
"user who asks. \"note\" is worth knowing and no obstacle; \"no\" and \"unknown\"\n"
"are, and make the exit status 1. \"->\" says what to do.\n",
	.run = run,
};

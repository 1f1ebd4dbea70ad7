// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/io_uring.h>

#include "facts.h"
#include "source.h"

#define GROUP	"zcbuf"
#define SECURE_BOOT	\
	"/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

/* ------------------------------------------------------------------ files */

static FILE *open_file(const char *root, const char *path)
{
	char *full = xasprintf("%s%s", root, path);
	FILE *f = fopen(full, "re");

	free(full);
	return f;
}

static bool exists(const char *root, const char *path)
{
	char *full = xasprintf("%s%s", root, path);
	bool yes = !access(full, F_OK);

	free(full);
	return yes;
}

/* The first line of a file, "" if there is none. */
static void read_line(const char *root, const char *path, char *line,
		      size_t size)
{
	FILE *f = open_file(root, path);

	line[0] = 0;
	if (!f)
		return;
	if (fgets(line, (int)size, f))
		line[strcspn(line, "\n")] = 0;
	else
		line[0] = 0;
	fclose(f);
}

static uint64_t read_number(const char *root, const char *path,
			    uint64_t otherwise)
{
	char line[32], *end;
	uint64_t n;

	read_line(root, path, line, sizeof(line));
	n = strtoull(line, &end, 10);
	return end == line || *end ? otherwise : n;
}

/* The number behind @key in a file of lines "key: number". */
static uint64_t read_key(const char *root, const char *path, const char *key,
			 int base, uint64_t otherwise)
{
	FILE *f = open_file(root, path);
	char line[256];

	if (!f)
		return otherwise;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key))) {
			otherwise = strtoull(line + strlen(key), NULL, base);
			break;
		}
	fclose(f);
	return otherwise;
}

static bool file_mentions(const char *root, const char *path, const char *what)
{
	FILE *f = open_file(root, path);
	char line[4096];
	bool found = false;

	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = strstr(line, what);
	fclose(f);
	return found;
}

/* ----------------------------------------------------------------- module */

/* "none [integrity] confidentiality" */
static void read_lockdown(const char *root, struct facts *f)
{
	char line[128], *mode;

	f->lockdown[0] = 0;
	read_line(root, "/sys/kernel/security/lockdown", line, sizeof(line));
	mode = strchr(line, '[');
	if (!mode)
		return;
	mode[strcspn(mode, "]")] = 0;
	if (strcmp(mode + 1, "none"))
		snprintf(f->lockdown, sizeof(f->lockdown), "%s", mode + 1);
}

/* Four bytes of attributes, then the value. */
static bool read_secure_boot(const char *root)
{
	FILE *f = open_file(root, SECURE_BOOT);
	unsigned char v[5];
	bool on;

	if (!f)
		return false;
	on = fread(v, 1, sizeof(v), f) == sizeof(v) && v[4] == 1;
	fclose(f);
	return on;
}

static void read_module(const char *root, struct facts *f)
{
	char line[8];
	char *dep = xasprintf("/lib/modules/%s/modules.dep", f->release);

	f->loaded = exists(root, "/sys/module/zcbuf");
	f->installed = file_mentions(root, dep, "/zcbuf.ko");
	free(dep);
	f->modules = exists(root, "/proc/modules");
	f->modules_disabled =
		read_number(root, "/proc/sys/kernel/modules_disabled", 0) == 1;
	read_line(root, "/sys/module/module/parameters/sig_enforce", line,
		  sizeof(line));
	f->sig_enforce = line[0] == 'Y';
	read_lockdown(root, f);
	f->secure_boot = read_secure_boot(root);
}

/* ----------------------------------------------------------------- memory */

/* Room below one cgroup's limit. */
static uint64_t cgroup_room(const char *root, const char *cgroup)
{
	char *path = xasprintf("/sys/fs/cgroup%s/memory.max", cgroup);
	uint64_t max = read_number(root, path, FACTS_UNKNOWN), now;

	free(path);
	if (max == FACTS_UNKNOWN)
		return FACTS_UNKNOWN;
	path = xasprintf("/sys/fs/cgroup%s/memory.current", cgroup);
	now = read_number(root, path, 0);
	free(path);
	return now < max ? max - now : 0;
}

/* Every cgroup above has its say. */
static uint64_t read_cgroup(const char *root)
{
	uint64_t room = FACTS_UNKNOWN, here;
	char line[4096], *cgroup = line + strlen("0::"), *slash;

	read_line(root, "/proc/self/cgroup", line, sizeof(line));
	if (strncmp(line, "0::/", 4))
		return FACTS_UNKNOWN;
	do {
		here = cgroup_room(root, cgroup);
		if (here < room)
			room = here;
		slash = strrchr(cgroup, '/');
		if (slash)
			*slash = 0;
	} while (slash && *cgroup);
	return room;
}

void facts_read(const char *root, struct facts *f)
{
	uint64_t caps = read_key(root, "/proc/self/status", "CapEff:", 16, 0);

	read_module(root, f);
	f->ipc_lock = caps >> CAP_IPC_LOCK & 1;
	f->ring_disabled = (int)read_number(root,
		"/proc/sys/kernel/io_uring_disabled", FACTS_UNKNOWN);
	f->huge_pages = exists(root, "/sys/kernel/mm/transparent_hugepage");
	f->available = read_key(root, "/proc/meminfo", "MemAvailable:", 10, 0)
		<< 10;
	f->cgroup_room = read_cgroup(root);
}

/* ----------------------------------------------------------------- device */

static bool is_member(const struct group *g, const char *user)
{
	char **m;

	for (m = g->gr_mem; *m; m++)
		if (!strcmp(*m, user))
			return true;
	return false;
}

static bool has_group(gid_t gid)
{
	gid_t list[1024];
	int n = getgroups(1024, list);

	if (getegid() == gid)
		return true;
	while (n-- > 0)
		if (list[n] == gid)
			return true;
	return false;
}

static void gather_user(struct facts *f)
{
	struct passwd *pw = getpwuid(geteuid());
	struct group *g;

	if (pw)
		snprintf(f->user, sizeof(f->user), "%s", pw->pw_name);
	else
		snprintf(f->user, sizeof(f->user), "%u", geteuid());
	f->group_exists = getgrnam(GROUP);
	g = getgrgid(f->node_gid);
	if (g)
		snprintf(f->node_group, sizeof(f->node_group), "%s",
			 g->gr_name);
	else
		snprintf(f->node_group, sizeof(f->node_group), "%u",
			 f->node_gid);
	f->group_member = g && is_member(g, f->user);
	f->group_active = has_group(f->node_gid);
}

static void gather_query(struct facts *f, const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	f->open_error = fd < 0 ? errno : 0;
	if (fd < 0)
		return;
	f->query.size = sizeof(f->query);
	f->query_error = ioctl(fd, ZCBUF_IOC_QUERY, &f->query) ? errno : 0;
	close(fd);
}

static void gather_device(struct zcctl *z, struct facts *f)
{
	char *path = xasprintf("%s%s", z->root, ZCBUF_DEVICE);
	struct stat st;

	f->open_error = ENOENT;
	if (!stat(path, &st)) {
		f->node = true;
		f->node_device = S_ISCHR(st.st_mode);
		f->node_mode = st.st_mode & 07777;
		f->node_uid = st.st_uid;
		f->node_gid = st.st_gid;
		gather_user(f);
		gather_query(f, path);
	}
	free(path);
}

/* Asking is the only way to know: sysctls, groups, seccomp all have a say. */
static int try_ring(void)
{
	struct io_uring_params params = {};
	long fd = syscall(__NR_io_uring_setup, 1, &params);

	if (fd < 0)
		return errno;
	close((int)fd);
	return 0;
}

static int try_family(struct zcctl *z)
{
	struct zcctl quiet = *z;
	struct records pools = {};
	FILE *null = fopen("/dev/null", "we");
	int status;

	if (!null)
		return EXIT_ERROR;
	quiet.format = FORMAT_TABLE;
	quiet.err = null;
	status = source_dump(&quiet, &pool_spec, &pools);
	records_free(&pools);
	fclose(null);
	return status;
}

void facts_gather(struct zcctl *z, struct facts *f)
{
	struct utsname u;
	struct rlimit rl;

	*f = (struct facts){ .memlock = FACTS_UNKNOWN };
	if (!uname(&u))
		snprintf(f->release, sizeof(f->release), "%s", u.release);
	if (sscanf(f->release, "%u.%u", &f->major, &f->minor) != 2)
		f->major = 0;
	facts_read(z->root, f);
	gather_device(z, f);
	f->family = try_family(z);
	f->ring_error = try_ring();
	if (!getrlimit(RLIMIT_MEMLOCK, &rl) && rl.rlim_cur != RLIM_INFINITY)
		f->memlock = rl.rlim_cur;
}

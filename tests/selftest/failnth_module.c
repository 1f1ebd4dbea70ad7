// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The module is inserted with every allocation of its init failing in turn: a
 * module whose init failed has left nothing, and can be inserted. Allocations
 * of the loader around it are left alone: there are hundreds. So are those of
 * the files in sysfs that each slab cache gets, two thirds of the others: a cache
 * that cannot be made is one whichever of its allocations fails.
 *
 * Needs the module's file; ZCBUF_KO in the environment says where it is. The
 * module is taken out for this, so nothing else can use it meanwhile.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "fault.h"
#include "genl.h"
#include "hostile.h"

#define MODULE		"zcbuf"
#define CALM		3	/* so often nothing fails in a row: that was all */

static const char *module_path(void)
{
	const char *path = getenv("ZCBUF_KO");

	return path ? path : "/vm/zcbuf.ko";
}

static int module_insert(int fd)
{
	return syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
}

static int module_remove(void)
{
	return syscall(SYS_delete_module, MODULE, O_NONBLOCK) ? -errno : 0;
}

/* ---------------------------------------------------------- what there is */

/* A line of @path that begins with @word. */
static bool line_begins(const char *path, const char *word)
{
	FILE *f = fopen(path, "re");
	bool found = false;
	char line[512];

	while (f && !found && fgets(line, sizeof(line), f))
		found = !strncmp(line, word, strlen(word));
	if (f)
		fclose(f);
	return found;
}

static bool family_exists(void)
{
	int sk = nl_socket(), family = nl_family(sk);

	close(sk);
	return family > 0;
}

/* A kernel thread of a workqueue of ours. */
static bool worker_exists(void)
{
	DIR *proc = opendir("/proc");
	bool found = false;
	struct dirent *d;
	char path[300];

	while (proc && !found && (d = readdir(proc))) {
		snprintf(path, sizeof(path), "/proc/%s/comm", d->d_name);
		found = line_begins(path, "kworker/R-" MODULE);
	}
	if (proc)
		closedir(proc);
	return found;
}

/* What is left of the module, or NULL. */
static const char *remains(void)
{
	if (line_begins("/proc/modules", MODULE " "))
		return "the module";
	if (!access(ZCBUF_DEVICE, F_OK))
		return ZCBUF_DEVICE;
	if (!access("/sys/class/misc/" MODULE, F_OK))
		return "the device";
	if (line_begins("/proc/misc", MODULE))
		return "the device";
	if (family_exists())
		return "the netlink family";
	if (worker_exists())
		return "a worker";
	if (line_begins("/proc/slabinfo", MODULE "_"))
		return "a slab cache";
	return NULL;
}

static void expect_nothing(const char *when, unsigned int n)
{
	const char *what;

	if (HZ_UNTIL(!remains()))
		return;
	what = remains();
	TEST_LOG("%s, failure %u: %s is left", when, n, what);
	ASSERT_FALSE(what);
}

/* ------------------------------------------------------------ the filter */

/* Where a function of the kernel begins, and where the next one does. */
static bool find_symbol(const char *name, unsigned long long *start,
			unsigned long long *end)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	unsigned long long address;
	char line[512], symbol[256];

	*start = 0;
	*end = 0;
	while (f && !*end && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx %*c %255s", &address, symbol) != 2)
			continue;
		if (!strcmp(symbol, name))
			*start = address;
		else if (*start && address > *start)
			*end = address;
	}
	if (f)
		fclose(f);
	return *end;
}

/* @how: "require" or "reject" callers from @start to @end. */
static int filter_set(const char *how, unsigned long long start,
		      unsigned long long end)
{
	static const char *const kinds[] = {
		"failslab", "fail_page_alloc", "fail_usercopy",
	};
	char what[64], text[32];
	size_t i;
	int err = 0;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		snprintf(what, sizeof(what), "%s/%s-start", kinds[i], how);
		snprintf(text, sizeof(text), "%#llx", start);
		err |= fault_set(what, text);
		snprintf(what, sizeof(what), "%s/%s-end", kinds[i], how);
		snprintf(text, sizeof(text), "%#llx", end);
		err |= fault_set(what, text);
	}
	return err;
}

static void filter_function(const char *how, const char *name)
{
	unsigned long long start, end;

	if (!find_symbol(name, &start, &end))
		KTAP_MISSING("fault-injection", "no kernel symbol %s", name);
	if (filter_set(how, start, end))
		KTAP_MISSING("fault-injection",
			     "faults cannot be limited to callers");
}

/* Only what a module's init calls. */
static void filter_init(void)
{
	filter_function("require", "do_one_initcall");
	filter_function("reject", "sysfs_slab_add");
}

static void filter_none(void)
{
	ASSERT_OK(filter_set("require", 0, ~0UL));
	ASSERT_OK(filter_set("reject", 0, 0));
}

/* ------------------------------------------------------------------- test */

/* Whether a failure came about; @n 0: all allocations fail. */
static bool insert_failing(int fd, unsigned int n)
{
	bool failed = true;
	int err;

	if (n)
		fault_nth(n);
	else
		fault_all();
	err = module_insert(fd);
	if (n)
		failed = fault_happened();
	else
		fault_none();
	if (err) {
		ASSERT_TRUE(failed);
		ASSERT_ERR(err, ENOMEM);
	} else {
		ASSERT_TRUE(family_exists());
		ASSERT_OK(module_remove());
	}
	expect_nothing(err ? "its init has failed" : "it was removed", n);
	return failed;
}

static void insert_and_remove(int fd)
{
	unsigned int n, failures = 0, calm;
	bool failed;

	ASSERT_OK(module_remove());
	expect_nothing("it was removed", 0);
	filter_init();
	for (n = 1, calm = 0; calm < CALM; n++) {
		failed = insert_failing(fd, n);
		failures += failed;
		calm = failed ? 0 : calm + 1;
	}
	insert_failing(fd, 0);
	filter_none();
	TEST_LOG("insmod: %u failures injected", failures);
	EXPECT_GE(failures, 10);
}

/* As it was before, for whoever comes next. */
static void put_back(int fd, const struct stat *device)
{
	filter_none();
	fault_none();
	if (!line_begins("/proc/modules", MODULE " "))
		ASSERT_OK(module_insert(fd));
	ASSERT_TRUE(family_exists());
	ASSERT_TRUE(HZ_UNTIL(!access(ZCBUF_DEVICE, F_OK)));
	ASSERT_OK(chown(ZCBUF_DEVICE, device->st_uid, device->st_gid));
	ASSERT_OK(chmod(ZCBUF_DEVICE, device->st_mode & 07777));
}

/*
 * Puts the module back when the test has ended in whatever way: it is no member
 * of the test's process group, and reads from a pipe the test has open.
 */
static pid_t start_keeper(int fd, const struct stat *device, int *alive)
{
	int ends[2];
	pid_t pid;
	char c;

	ASSERT_OK(pipe2(ends, O_CLOEXEC));
	pid = fork();
	ASSERT_GE(pid, 0);
	*alive = ends[1];
	if (pid)
		return pid;
	setsid();
	close(ends[1]);
	while (read(ends[0], &c, 1) > 0)
		;
	ASSERT_FALSE(fault_open());
	put_back(fd, device);
	_exit(KTAP_PASS);
}

TEST_LIMIT(insmod, 5 * KTAP_TIME_LIMIT)
{
	int fd = open(module_path(), O_RDONLY | O_CLOEXEC);
	struct stat device;
	pid_t keeper;
	int alive;

	fault_need();
	if (fd < 0)
		KTAP_MISSING("fault-injection", "no file %s", module_path());
	ASSERT_OK(stat(ZCBUF_DEVICE, &device));
	zt_await_charged(0);
	keeper = start_keeper(fd, &device, &alive);
	insert_and_remove(fd);
	close(alive);
	EXPECT_STATUS(keeper, KTAP_PASS);
}

KTAP_MAIN()

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* What is missing on a machine, one thing at a time. */
#include <limits.h>

#include "machine.h"

static struct zcbuf_preflight found;

static int look(const struct zcbuf_preflight_opts *opts)
{
	unsigned int fds = fake_open_fds();
	int err;

	memset(&found, 0xff, sizeof(found));
	found.sz = sizeof(found);
	err = zcbuf_preflight(opts, &found);
	EXPECT_EQ(fake_open_fds(), fds);
	EXPECT_EQ(found.nfindings, 11);
	EXPECT_EQ(found.sz, sizeof(found));
	return err;
}

static const struct zcbuf_finding *about(const char *name)
{
	unsigned int i = 0;

	while (i < found.nfindings && strcmp(found.findings[i].name, name))
		i++;
	ASSERT_EQ(i < found.nfindings, true);
	return &found.findings[i];
}

static void says(const char *name, __u32 verdict, int error,
		 const char *details, const char *remedy)
{
	const struct zcbuf_finding *f = about(name);

	test_check(f->verdict == verdict && f->error == error, __FILE__,
		   __LINE__, "%s: verdict %u, error %d", name, f->verdict,
		   f->error);
	test_check(strstr(f->detail, details), __FILE__, __LINE__,
		   "%s: \"%s\" has no \"%s\"", name, f->detail, details);
	test_check(strstr(f->remedy, remedy) && !*remedy == !*f->remedy,
		   __FILE__, __LINE__, "%s: \"%s\" is not \"%s\"", name,
		   f->remedy, remedy);
}

/* Those that are not fine, and all of them are fit to be shown. */
static unsigned int findings_of(__u32 verdict)
{
	unsigned int i, n = 0;

	for (i = 0; i < found.nfindings; i++) {
		const struct zcbuf_finding *f = &found.findings[i];

		n += f->verdict == verdict;
		EXPECT(f->detail[0] && memchr(f->detail, 0, sizeof(f->detail)));
		EXPECT(strlen(f->detail) < sizeof(f->detail) - 1);
		EXPECT(strlen(f->remedy) < sizeof(f->remedy) - 1);
		EXPECT(!f->error == (f->verdict != ZCBUF_VERDICT_NO));
	}
	return n;
}

static void all_is_well(void)
{
	machine_make();
	EXPECT_EQ(look(NULL), 0);
	EXPECT_EQ(findings_of(ZCBUF_VERDICT_OK), 11);
	says("kernel", ZCBUF_VERDICT_OK, 0, "6.12.1-test", "");
	says("device", ZCBUF_VERDICT_OK, 0, "mode 0660", "");
	says("version", ZCBUF_VERDICT_OK, 0, "module 0.1.0, library 0.1.0", "");
	says("user limit", ZCBUF_VERDICT_OK, 0, "0 bytes of 256 MiB", "");
	says("memlock", ZCBUF_VERDICT_OK, 0, "no limit", "");
}

static void kernels(void)
{
	machine_make();
	machine.release = "6.1.0-9-amd64";
	EXPECT_EQ(look(NULL), 0);
	says("kernel", ZCBUF_VERDICT_NOTE, 0, "6.1.0", "6.5");
	machine.release = "5.15.0";
	EXPECT_EQ(look(NULL), -ENODEV);
	says("kernel", ZCBUF_VERDICT_NO, -ENODEV, "5.15", "6.1");
}

static void no_module(void)
{
	machine_make();
	machine.stat_error = ENOENT;
	fake.open_error = ENOENT;
	EXPECT_EQ(look(NULL), -ENODEV);
	says("device", ZCBUF_VERDICT_NO, -ENODEV, "does not exist",
	     "modprobe zcbuf");
	says("access", ZCBUF_VERDICT_NO, -ENODEV, "cannot", "modprobe zcbuf");
	says("version", ZCBUF_VERDICT_UNKNOWN, 0, "above", "");
	says("calls", ZCBUF_VERDICT_UNKNOWN, 0, "above", "");
	says("features", ZCBUF_VERDICT_UNKNOWN, 0, "above", "");
	says("user limit", ZCBUF_VERDICT_UNKNOWN, 0, "above", "");
	says("total limit", ZCBUF_VERDICT_UNKNOWN, 0, "above", "");
	EXPECT_EQ(findings_of(ZCBUF_VERDICT_NO), 2);
}

static void nodes(void)
{
	machine_make();
	machine.mode = S_IFREG | 0644;
	EXPECT_EQ(look(NULL), -ENODEV);
	says("device", ZCBUF_VERDICT_NO, -ENODEV, "no device", "rm /dev/zcbuf");
	machine.mode = S_IFCHR | 0600;
	fake.open_error = EACCES;
	EXPECT_EQ(look(NULL), -EACCES);
	says("device", ZCBUF_VERDICT_OK, 0, "mode 0600", "");
	says("access", ZCBUF_VERDICT_NO, -EACCES, "cannot open", "usermod");
}

static void versions(void)
{
	machine_make();
	fake.query.out_version = ZCBUF_VERSION ^ 1;
	EXPECT_EQ(look(NULL), 0);
	fake.query.out_version = 2 << 16 | 3 << 8 | 4;
	EXPECT_EQ(look(NULL), -ENOTTY);
	says("version", ZCBUF_VERDICT_NO, -ENOTTY, "module 2.3.4",
	     "one version");
	fake.fail[ZCBUF_NR_QUERY] = E2BIG;
	EXPECT_EQ(look(NULL), -E2BIG);
	says("version", ZCBUF_VERDICT_NO, -E2BIG, "QUERY", "one version");
	says("features", ZCBUF_VERDICT_UNKNOWN, 0, "above", "");
}

static void calls_and_features(void)
{
	struct zcbuf_preflight_opts opts = {
		.sz = sizeof(opts),
		.features = ZCBUF_FEATURE_TOPIC | ZCBUF_FEATURE_GROW,
	};

	machine_make();
	fake.query.out_sizes[ZCBUF_NR_HEARTBEAT] = 0;
	fake.features &= ~ZCBUF_FEATURE_TOPIC;
	EXPECT_EQ(look(NULL), 0);
	says("calls", ZCBUF_VERDICT_NOTE, 0, "lacks 1 of", "newer module");
	EXPECT_EQ(look(&opts), -EOPNOTSUPP);
	says("features", ZCBUF_VERDICT_NO, -EOPNOTSUPP, "0x10000", "newer");
	opts.features = ZCBUF_FEATURE_GROW;
	EXPECT_EQ(look(&opts), 0);
}

static void limits(void)
{
	struct zcbuf_preflight_opts opts = { .sz = sizeof(opts) };

	machine_make();
	fake.query.out_user_charged = 224 * MIB + 1;
	EXPECT_EQ(look(NULL), -ENOMEM);
	says("user limit", ZCBUF_VERDICT_NO, -ENOMEM, "of 256 MiB",
	     "user_limit_mb");
	opts.pool_size = 2 * MIB;
	EXPECT_EQ(look(&opts), 0);
	machine_file("/proc/self/status", "CapEff:\t4000\n");
	EXPECT_EQ(look(NULL), 0);
	says("user limit", ZCBUF_VERDICT_NOTE, 0, "in use", "CAP_IPC_LOCK");
	fake.query.out_total_charged = 511 * MIB;
	EXPECT_EQ(look(NULL), -ENOMEM);
	says("total limit", ZCBUF_VERDICT_NO, -ENOMEM, "511 MiB of 512 MiB",
	     "total_limit_mb");
}

static void memory(void)
{
	machine_make();
	machine_file("/proc/meminfo", "MemAvailable:  32767 kB\n");
	EXPECT_EQ(look(NULL), -ENOMEM);
	says("memory", ZCBUF_VERDICT_NO, -ENOMEM, "available", "free memory");
	machine_file("/proc/self/cgroup", "0::/a\n");
	machine_file("/sys/fs/cgroup/a/memory.max", "1048576\n");
	EXPECT_EQ(look(NULL), -ENOMEM);
	says("memory", ZCBUF_VERDICT_NO, -ENOMEM, "1 MiB available to this",
	     "memory.max");
	machine_file("/sys/fs/cgroup/a/memory.max", "max\n");
	machine_file("/proc/meminfo", "MemAvailable:  32768 kB\n");
	EXPECT_EQ(look(NULL), 0);
}

/* An obstacle to who says that he wants it. */
static void rings(void)
{
	struct zcbuf_preflight_opts opts = {
		.sz = sizeof(opts), .flags = ZCBUF_PREFLIGHT_URING,
	};

	machine_make();
	machine.memlock = 32 * MIB;
	EXPECT_EQ(look(&opts), 0);
	machine.memlock = 32 * MIB - 1;
	EXPECT_EQ(look(NULL), 0);
	says("memlock", ZCBUF_VERDICT_NOTE, 0, "RLIMIT_MEMLOCK", "ulimit -l");
	EXPECT_EQ(look(&opts), -ENOMEM);
	says("memlock", ZCBUF_VERDICT_NO, -ENOMEM, "RLIMIT_MEMLOCK",
	     "ulimit -l");
	machine_file("/proc/self/status", "CapEff:\t4000\n");
	EXPECT_EQ(look(&opts), 0);
	machine.uring_error = EPERM;
	EXPECT_EQ(look(NULL), 0);
	says("io_uring", ZCBUF_VERDICT_NOTE, 0, "errno 1", "io_uring_disabled");
	EXPECT_EQ(look(&opts), -EPERM);
	machine.uring_error = ENOSYS;
	EXPECT_EQ(look(&opts), -ENOSYS);
	says("io_uring", ZCBUF_VERDICT_NO, -ENOSYS, "not available", "seccomp");
}

static void sizes(void)
{
	struct {
		struct zcbuf_preflight_opts opts;
		__u64 newer;
	} o = { { .sz = sizeof(o.opts) - 1 }, 0 };
	struct {
		struct zcbuf_preflight found;
		__u64 newer;
		__u64 guard;
	} f;

	machine_make();
	memset(&f, 0xff, sizeof(f));
	f.found.sz = sizeof(f.found) - 1;
	EXPECT_EQ(zcbuf_preflight(NULL, &f.found), -EINVAL);
	f.found.sz = SIZE_MAX;
	EXPECT_EQ(zcbuf_preflight(NULL, &f.found), -EINVAL);
	f.found.sz = offsetof(typeof(f), guard);
	EXPECT_EQ(zcbuf_preflight(&o.opts, &f.found), -EINVAL);
	o.opts.sz = sizeof(o);
	o.newer = 1;
	EXPECT_EQ(zcbuf_preflight(&o.opts, &f.found), -E2BIG);
	o.newer = 0;
	o.opts.reserved = 1;
	EXPECT_EQ(zcbuf_preflight(&o.opts, &f.found), -EOPNOTSUPP);
	o.opts.reserved = 0;
	o.opts.flags = 1U << 31;
	EXPECT_EQ(zcbuf_preflight(&o.opts, &f.found), -EOPNOTSUPP);
	o.opts.flags = 0;
	EXPECT_EQ(f.found.nfindings, UINT_MAX);
	EXPECT_EQ(fake.open_flags, 0);
	EXPECT_EQ(zcbuf_preflight(&o.opts, &f.found), 0);
	EXPECT_EQ(f.newer, 0);
	EXPECT_EQ(f.guard, -1);
}

static const struct test_case cases[] = {
	CASE(all_is_well),
	CASE(kernels),
	CASE(no_module),
	CASE(nodes),
	CASE(versions),
	CASE(calls_and_features),
	CASE(limits),
	CASE(memory),
	CASE(rings),
	CASE(sizes),
};

TEST_MAIN(cases)

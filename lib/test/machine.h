/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A machine for what looks around: its files, limits and kernel. For the one file of
 * a program that includes it, and with ld --wrap.
 */
#ifndef ZCBUF_LIB_TEST_MACHINE_H
#define ZCBUF_LIB_TEST_MACHINE_H

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "../facts.h"
#include "fake.h"
#include "test.h"

#define MIB	((__u64)1 << 20)

struct machine_file {
	const char *path;
	const char *text;
};

static struct machine {
	const char *release;
	__u64 memlock;		/* ZCB_NO_LIMIT: none */
	int dup_error;
	int stat_error;
	mode_t mode;		/* of the device */
	int uring_error;
	struct machine_file files[8];
} machine = {
	.release = "6.12.1-test",
	.memlock = ZCB_NO_LIMIT,
	.mode = S_IFCHR | 0660,
	.uring_error = EFAULT,
};

/* Nothing is in use, and there is enough of all. */
static inline void machine_make(void)
{
	unsigned int i;

	fake.features = ~(__u64)0;
	fake.query = (struct zcbuf_query){
		.out_default_arena_size = 32 * MIB,
		.out_max_pool_size = 1024 * MIB,
		.out_user_limit = 256 * MIB,
		.out_total_limit = 512 * MIB,
		.out_max_sessions = 4096,
		.out_max_channels = 4096,
	};
	for (i = 0; i <= ZCBUF_NR_HEARTBEAT; i++)
		fake.query.out_sizes[i] = 16;
}

static inline void machine_file(const char *path, const char *text)
{
	unsigned int i = 0;

	while (machine.files[i].path && strcmp(machine.files[i].path, path))
		i++;
	ASSERT_EQ(i < ARRAY_SIZE(machine.files), true);
	machine.files[i] = (struct machine_file){ path, text };
}

size_t __wrap_zcb_text_of(const char *path, char *text, size_t size);
int __wrap_getrlimit(int resource, struct rlimit *limit);
int __real_getrlimit(int resource, struct rlimit *limit);
int __wrap_uname(struct utsname *name);
int __wrap_dup(int fd);
int __real_dup(int fd);
int __wrap_stat(const char *path, struct stat *st);
long __wrap_syscall(long nr, ...);

size_t __wrap_zcb_text_of(const char *path, char *text, size_t size)
{
	unsigned int i;

	*text = '\0';
	for (i = 0; i < ARRAY_SIZE(machine.files); i++)
		if (machine.files[i].path && !strcmp(machine.files[i].path, path))
			snprintf(text, size, "%s", machine.files[i].text);
	return strlen(text);
}

int __wrap_getrlimit(int resource, struct rlimit *limit)
{
	if (resource != RLIMIT_MEMLOCK)
		return __real_getrlimit(resource, limit);
	limit->rlim_cur = machine.memlock == ZCB_NO_LIMIT ? RLIM_INFINITY :
							    machine.memlock;
	limit->rlim_max = limit->rlim_cur;
	return 0;
}

int __wrap_uname(struct utsname *name)
{
	memset(name, 0, sizeof(*name));
	strcpy(name->release, machine.release);
	return 0;
}

int __wrap_dup(int fd)
{
	errno = machine.dup_error;
	return errno ? -1 : __real_dup(fd);
}

int __wrap_stat(const char *path, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_mode = machine.mode;
	errno = machine.stat_error;
	EXPECT(!strcmp(path, ZCBUF_DEVICE));
	return errno ? -1 : 0;
}

long __wrap_syscall(long nr, ...)
{
	EXPECT_EQ(nr, SYS_io_uring_setup);
	errno = machine.uring_error;
	return -1;
}

#endif /* ZCBUF_LIB_TEST_MACHINE_H */

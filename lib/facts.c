// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What this process, its cgroups and the machine may have and have: where limits
 * come from that no call of the device tells of.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <linux/capability.h>

#include "facts.h"

#define CGROUPS	"/sys/fs/cgroup"
#define TEXT	4096	/* what is looked for is in the beginning */

static __u64 number_of(const char *path, __u64 otherwise)
{
	char text[32], *end;
	__u64 n;

	if (!zcb_text_of(path, text, sizeof(text)))
		return otherwise;
	n = strtoull(text, &end, 10);
	return end == text ? otherwise : n;
}

/* The number behind @key in a file of lines "key: number". */
static __u64 number_behind(const char *path, const char *key, int base,
			   __u64 otherwise)
{
	char text[TEXT];
	const char *at;

	if (!zcb_text_of(path, text, sizeof(text)))
		return otherwise;
	at = strstr(text, key);
	return at ? strtoull(at + strlen(key), NULL, base) : otherwise;
}

/* One cgroup's, if it leaves less than what is known so far. */
static void cgroup_read(const char *cgroup, struct zcb_facts *f)
{
	char path[TEXT];
	__u64 max, now;

	if ((size_t)snprintf(path, sizeof(path), CGROUPS "%s/memory.max",
			     cgroup) >= sizeof(path))
		return;
	max = number_of(path, ZCB_NO_LIMIT);
	if (max == ZCB_NO_LIMIT)
		return;
	snprintf(path, sizeof(path), CGROUPS "%s/memory.current", cgroup);
	now = number_of(path, 0);
	if (zcb_room(now, max) >= zcb_room(f->cgroup_used, f->cgroup_max))
		return;
	f->cgroup_max = max;
	f->cgroup_used = now;
}

/* Every cgroup above has its say. */
static void cgroups_read(struct zcb_facts *f)
{
	char text[TEXT], *cgroup, *slash;

	if (!zcb_text_of("/proc/self/cgroup", text, sizeof(text)))
		return;
	/* Of version 2, which is the last line if there are others. */
	cgroup = strstr(text, "0::/");
	if (!cgroup)
		return;
	cgroup += strlen("0::");
	cgroup[strcspn(cgroup, "\n")] = '\0';
	/* And "/", which in a container has a limit. */
	do {
		cgroup_read(cgroup, f);
		slash = strrchr(cgroup, '/');
		if (slash)
			*slash = '\0';
	} while (slash);
}

void zcb_facts_read(struct zcb_facts *f)
{
	struct rlimit limit;
	struct utsname name;
	__u64 caps;

	memset(f, 0, sizeof(*f));
	f->memlock = ZCB_NO_LIMIT;
	f->cgroup_max = ZCB_NO_LIMIT;
	if (!uname(&name))
		snprintf(f->release, sizeof(f->release), "%s", name.release);
	if (!getrlimit(RLIMIT_MEMLOCK, &limit) &&
	    limit.rlim_cur != RLIM_INFINITY)
		f->memlock = limit.rlim_cur;
	caps = number_behind("/proc/self/status", "CapEff:", 16, 0);
	f->ipc_lock = caps >> CAP_IPC_LOCK & 1;
	f->available = number_behind("/proc/meminfo", "MemAvailable:", 10,
				     ZCB_NO_LIMIT >> 10) << 10;
	cgroups_read(f);
}

const char *zcb_show_bytes(struct zcb_shown *shown, __u64 n)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB" };
	unsigned int i = 0;

	while (i < ARRAY_SIZE(units) - 1 &&
	       (n >= 10240 || (n >= 1024 && !(n % 1024)))) {
		n >>= 10;
		i++;
	}
	snprintf(shown->text, sizeof(shown->text), "%llu %s",
		 (unsigned long long)n, units[i]);
	return shown->text;
}

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Which pool is meant: netlink knows names and handles, the device knows names. So
 * what is attached to by name must be the pool that was meant: the name may be used
 * again in this IPC namespace.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/zcbuf.h>

#include "device.h"
#include "show.h"
#include "source.h"
#include "which.h"

static uint32_t uid_of(const struct record *pool)
{
	return pool->num[ZCBUF_A_POOL_UID];
}

static bool is_own(const struct record *pool, const char *which)
{
	return pool->text && !strcmp(pool->text, which) &&
	       uid_of(pool) == geteuid();
}

/* "0x1 (user 0), 0x2 (user 1000)" */
static char *show_choices(const struct records *pools)
{
	char *all = xstrdup(""), *longer;
	size_t i;

	for (i = 0; i < pools->n; i++) {
		longer = xasprintf("%s%s0x%" PRIx64 " (user %" PRIu32 ")", all,
				   *all ? ", " : "",
				   pools->v[i].num[ZCBUF_A_POOL_HANDLE],
				   uid_of(&pools->v[i]));
		free(all);
		all = longer;
	}
	return all;
}

static int ambiguous(struct zcctl *z, const struct records *pools,
		     const char *which)
{
	char *choices = show_choices(pools);
	int status;

	status = zcctl_fail(z, EXIT_ERROR,
			    "there are %zu pools '%s', give a handle: %s",
			    pools->n, which, choices);
	free(choices);
	return status;
}

/* As for any program: a name is the caller's own pool, if there is one. */
static int choose(struct zcctl *z, const struct records *pools,
		  const char *which, const struct record **pool)
{
	size_t i, own = 0;

	*pool = &pools->v[0];
	if (pools->n == 1)
		return EXIT_OK;
	for (i = 0; i < pools->n; i++)
		if (is_own(&pools->v[i], which)) {
			*pool = &pools->v[i];
			own++;
		}
	return own == 1 ? EXIT_OK : ambiguous(z, pools, which);
}

int target_find(struct target *t, const char *which)
{
	int status = source_pools(t->z, which, &t->pools);

	if (!status)
		status = choose(t->z, &t->pools, which, &t->pool);
	if (status)
		return status;
	t->name = show_pool(&t->pools, t->pool->num[ZCBUF_A_POOL_HANDLE]);
	t->uid = uid_of(t->pool);
	if (record_has(t->pool, ZCBUF_A_POOL_ZOMBIE))
		return zcctl_fail(t->z, EXIT_ERROR,
				  "pool '%s' is destroyed, only pinned pages are left",
				  t->name);
	return EXIT_OK;
}

void target_free(struct target *t)
{
	free(t->name);
	records_free(&t->pools);
}

int target_attach(const struct target *t, int fd)
{
	struct zcbuf_pool_attach a = {
		.size = sizeof(a),
		.flags = ZCBUF_ATTACH_F_UID,
		.rights = ZCBUF_RIGHT_ADMIN,
		.name = (uintptr_t)t->pool->text,
		.name_len = strlen(t->pool->text),
		.uid = t->uid,
	};
	int err = device_call(fd, ZCBUF_IOC_POOL_ATTACH, &a);

	if (!err && a.out_pool != t->pool->num[ZCBUF_A_POOL_HANDLE])
		err = -ENOENT;
	return err;
}

int target_no_attach(const struct target *t, int err, const char *verb)
{
	uint64_t handle = t->pool->num[ZCBUF_A_POOL_HANDLE];

	switch (err) {
	case -EPERM:
		return zcctl_fail(t->z, EXIT_ERROR,
				  "pool '%s' can only be %s by its user, %" PRIu32 ", or with CAP_SYS_ADMIN",
				  t->name, verb, t->uid);
	case -ENOENT:
		return zcctl_fail(t->z, EXIT_ERROR,
				  "pool '%s' (0x%" PRIx64 ") is gone, or its name is in another IPC namespace",
				  t->name, handle);
	case -EMFILE:
		return zcctl_fail(t->z, EXIT_ERROR,
				  "pool '%s' has as many sessions as a pool may have",
				  t->name);
	}
	return zcctl_fail(t->z, EXIT_ERROR, "cannot attach to pool '%s': %s",
			  t->name, strerror(-err));
}

int target_no_device(struct zcctl *z, int err)
{
	return zcctl_fail(z, EXIT_ERROR,
			  "cannot open " ZCBUF_DEVICE ": %s; see: zcctl check",
			  strerror(-err));
}

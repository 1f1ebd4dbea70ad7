// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * zcctl pool remove: by handle, as names are found in their IPC namespace only, and
 * that may be gone.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <linux/zcbuf.h>

#include "device.h"
#include "json.h"
#include "remove.h"
#include "which.h"

static int no_removal(const struct target *t, int err)
{
	switch (err) {
	case -EPERM:
		return zcctl_fail(t->z, EXIT_ERROR,
				  "pool '%s' can only be removed by its user, %" PRIu32 ", or with CAP_SYS_ADMIN",
				  t->name, t->uid);
	case -ENOENT:
		return zcctl_fail(t->z, EXIT_ERROR, "pool '%s' is gone",
				  t->name);
	case -ENOTTY:
		return zcctl_fail(t->z, EXIT_ERROR,
				  "the module is older than zcctl");
	}
	return zcctl_fail(t->z, EXIT_ERROR, "cannot remove pool '%s': %s",
			  t->name, strerror(-err));
}

static uint64_t number(const struct target *t, int attr)
{
	return t->pool->num[attr];
}

static void print_json(const struct target *t)
{
	struct json j = json_start(t->z);

	json_object(&j, "removed");
	json_handle(&j, "handle", number(t, ZCBUF_A_POOL_HANDLE));
	json_text(&j, "name", t->pool->text);
	json_number(&j, "sessions", number(t, ZCBUF_A_POOL_SESSIONS));
	json_number(&j, "mappings", number(t, ZCBUF_A_POOL_MAPPINGS));
	json_object_end(&j);
	json_end(&j);
}

/* Who used it before; it goes with them. */
static void print_text(const struct target *t)
{
	uint64_t sessions = number(t, ZCBUF_A_POOL_SESSIONS);
	uint64_t mappings = number(t, ZCBUF_A_POOL_MAPPINGS);

	fprintf(t->z->out, "pool %s: removed", t->name);
	if (sessions || mappings)
		fprintf(t->z->out, "; its memory goes with the last of %" PRIu64 " sessions and %" PRIu64 " mappings",
			sessions, mappings);
	fputc('\n', t->z->out);
}

static int remove_target(const struct target *t)
{
	struct zcbuf_pool_remove a = {
		.size = sizeof(a),
		.pool = number(t, ZCBUF_A_POOL_HANDLE),
	};
	int fd, err;

	if (!t->pool->text)
		return zcctl_fail(t->z, EXIT_ERROR,
				  "pool '%s' has no name: it goes with its last session",
				  t->name);
	fd = device_open(t->z);
	if (fd < 0)
		return target_no_device(t->z, fd);
	err = device_call(fd, ZCBUF_IOC_POOL_REMOVE, &a);
	device_close(fd);
	if (err)
		return no_removal(t, err);
	if (t->z->format == FORMAT_TABLE)
		print_text(t);
	else
		print_json(t);
	return EXIT_OK;
}

int remove_pool(struct zcctl *z, const char *which)
{
	struct target t = { .z = z };
	int status = target_find(&t, which);

	if (!status)
		status = remove_target(&t);
	target_free(&t);
	return status;
}

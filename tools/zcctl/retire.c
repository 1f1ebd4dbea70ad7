// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* zcctl pool retire: has an arena of a pool given back, and says how far that is. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <linux/zcbuf.h>

#include "device.h"
#include "json.h"
#include "retire.h"
#include "which.h"

/**
 * struct retirement - one arena that is to go
 * @t: of which pool
 * @z: the call
 * @arg: the call of the device
 */
struct retirement {
	struct target t;
	struct zcctl *z;
	struct zcbuf_pool_retire arg;
};

static bool read_number(const char *text, uint32_t *number)
{
	char *end;
	unsigned long n;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	n = strtoul(text, &end, 10);
	*number = n;
	return !*end && !errno && n == *number;
}

static bool read_option(struct zcbuf_pool_retire *arg, const char *option)
{
	if (!strcmp(option, "--now"))
		arg->flags |= ZCBUF_RETIRE_F_NOW;
	else if (!strcmp(option, "--cancel"))
		arg->flags |= ZCBUF_RETIRE_F_CANCEL;
	else if (!strcmp(option, "--wait"))
		arg->deadline_ns = ZCBUF_NO_DEADLINE;
	else
		return false;
	return true;
}

/* Of the options one at most makes sense. */
static bool read_arguments(struct retirement *r, int argc, char **argv)
{
	if (argc < 2 || argc > 3 || !strncmp(argv[0], "--", 2))
		return false;
	if (argc == 3 && !read_option(&r->arg, argv[2]))
		return false;
	return read_number(argv[1], &r->arg.arena);
}

static int no_retirement(const struct retirement *r, int err)
{
	static const struct {
		int err;
		const char *why;
	} reason[] = {
		{ -EBUSY, "it is in use; without --now it goes when it is not any more" },
		{ -EALREADY, "it is too late, nothing of it was in use any more" },
		{ -EOPNOTSUPP, "a pool of fixed classes has one arena, which stays" },
		{ -EINTR, "interrupted; it goes on" },
		{ -ENOTTY, "the module is older than zcctl" },
	};
	const char *why = strerror(-err);
	size_t i;

	if (err == -EINVAL)
		why = r->arg.arena ? "there is none" :
				     "the first one stays";
	for (i = 0; i < sizeof(reason) / sizeof(reason[0]); i++)
		if (reason[i].err == err)
			why = reason[i].why;
	return zcctl_fail(r->z, EXIT_ERROR, "arena %" PRIu32 " of pool '%s': %s",
			  r->arg.arena, r->t.name, why);
}

static const char *state_name(uint32_t state)
{
	static const char *const name[] = {
		"live", "retiring", "pinned", "gone"
	};

	return state < sizeof(name) / sizeof(name[0]) ? name[state] : "unknown";
}

static void print_json(const struct retirement *r)
{
	struct json j = json_start(r->z);

	json_object(&j, "retired");
	json_handle(&j, "handle", r->t.pool->num[ZCBUF_A_POOL_HANDLE]);
	json_text(&j, "name", r->t.pool->text);
	json_number(&j, "arena", r->arg.arena);
	json_text(&j, "state", state_name(r->arg.out_state));
	json_object_end(&j);
	json_end(&j);
}

static void print_text(const struct retirement *r)
{
	static const char *const what[] = {
		"is handed out",
		"is not handed out any more, and goes when what is out has come back",
		"is unmapped, and goes when I/O and rings let go of its pages",
		"is gone",
	};
	uint32_t state = r->arg.out_state;

	fprintf(r->z->out, "pool %s: arena %" PRIu32 " %s\n", r->t.name,
		r->arg.arena, state < sizeof(what) / sizeof(what[0]) ?
			      what[state] : "is in a state unknown to zcctl");
}

static int retire(struct retirement *r, int fd)
{
	int err = target_attach(&r->t, fd);

	if (err)
		return target_no_attach(&r->t, err, "shrunk");
	err = device_call(fd, ZCBUF_IOC_POOL_RETIRE, &r->arg);
	if (err)
		return no_retirement(r, err);
	if (r->z->format == FORMAT_TABLE)
		print_text(r);
	else
		print_json(r);
	return EXIT_OK;
}

static int retire_of_target(struct retirement *r)
{
	int fd, status;

	if (!r->t.pool->text)
		return zcctl_fail(r->z, EXIT_ERROR,
				  "pool '%s' has no name: only a program that has it open can retire its arenas",
				  r->t.name);
	fd = device_open(r->z);
	if (fd < 0)
		return target_no_device(r->z, fd);
	status = retire(r, fd);
	device_close(fd);
	return status;
}

int retire_arena(struct zcctl *z, int argc, char **argv)
{
	struct retirement r = {
		.z = z, .t.z = z, .arg.size = sizeof(r.arg),
	};
	int status;

	if (!read_arguments(&r, argc, argv))
		return EXIT_USAGE;
	status = target_find(&r.t, argv[0]);
	if (!status)
		status = retire_of_target(&r);
	target_free(&r.t);
	return status;
}

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * zcctl pool create. What makes no sense the kernel refuses; here only what cannot be
 * told to it is.
 */
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/zcbuf.h>

#include "create.h"
#include "device.h"
#include "json.h"
#include "number.h"
#include "shortage.h"
#include "show.h"
#include "which.h"

/**
 * struct creation - a pool that is to be made
 * @z: the call
 * @name: its name
 * @arg: the call of the device
 * @classes: those that were given
 * @fd: a session
 */
struct creation {
	struct zcctl *z;
	const char *name;
	struct zcbuf_pool_create arg;
	struct zcbuf_class classes[ZCBUF_MAX_CLASSES];
	int fd;
};

/* ------------------------------------------------------------- what is wanted */

/* The place of @text in @names, which end with NULL. */
static bool one_of(const char *const *names, const char *text, uint32_t *place)
{
	for (*place = 0; names[*place]; ++*place)
		if (!strcmp(names[*place], text))
			return true;
	return false;
}

static bool read_size(struct creation *c, const char *value)
{
	uint64_t bytes;

	if (!number_bytes(value, &bytes))
		return false;
	c->arg.arena_size = bytes;
	return true;
}

static bool read_max_size(struct creation *c, const char *value)
{
	uint64_t bytes;

	if (!number_bytes(value, &bytes))
		return false;
	c->arg.max_size = bytes;
	return true;
}

static bool read_kind(struct creation *c, const char *value)
{
	static const char *const kinds[] = { "pages", "tiers", "fixed", NULL };

	return one_of(kinds, value, &c->arg.kind);
}

/* LENGTH, or LENGTH:COUNT */
static bool read_class(struct creation *c, const char *value)
{
	struct zcbuf_class *class = &c->classes[c->arg.nclasses];
	const char *end;
	uint64_t length;

	if (c->arg.nclasses == ZCBUF_MAX_CLASSES)
		return false;
	end = number_bytes_at(value, &length);
	if (!end || length > UINT32_MAX)
		return false;
	class->length = length;
	c->arg.nclasses++;
	return !*end || (*end == ':' && number_u32(end + 1, 10, &class->count));
}

static bool read_huge(struct creation *c, const char *value)
{
	static const char *const huge[] = { "try", "strict", "never", NULL };
	static const uint32_t flags[] = {
		0, ZCBUF_POOL_F_HUGE_STRICT, ZCBUF_POOL_F_SMALL_PAGES,
	};
	uint32_t i;

	if (!one_of(huge, value, &i))
		return false;
	c->arg.flags |= flags[i];
	return true;
}

static bool read_node(struct creation *c, const char *value)
{
	c->arg.flags |= ZCBUF_POOL_F_NODE;
	return number_u32(value, 10, &c->arg.node);
}

static bool read_mode(struct creation *c, const char *value)
{
	return number_u32(value, 8, &c->arg.mode);
}

static bool read_user(const char *text, uint32_t *uid, uint32_t *gid)
{
	const struct passwd *pw = getpwnam(text);

	if (pw) {
		*uid = pw->pw_uid;
		*gid = pw->pw_gid;
		return true;
	}
	*gid = 0;
	return number_u32(text, 10, uid);
}

static bool read_group(const char *text, uint32_t *gid)
{
	const struct group *gr = getgrnam(text);

	if (gr)
		*gid = gr->gr_gid;
	return gr || number_u32(text, 10, gid);
}

/* USER[:GROUP], names or numbers; without a group the user's own. */
static bool read_owner(struct creation *c, const char *value)
{
	char *user = xstrdup(value);
	char *group = strchr(user, ':');
	bool ok;

	if (group)
		*group++ = 0;
	ok = read_user(user, &c->arg.uid, &c->arg.gid) &&
	     (!group || read_group(group, &c->arg.gid));
	free(user);
	c->arg.flags |= ZCBUF_POOL_F_OWNER;
	return ok;
}

/**
 * struct create_option - an option
 * @name: without its dashes
 * @flag: ZCBUF_POOL_F_* that it stands for, or 0
 * @read: takes its value, if it has one; false if that makes no sense
 */
struct create_option {
	const char *name;
	uint32_t flag;
	bool (*read)(struct creation *c, const char *value);
};

static const struct create_option options[] = {
	{ "size", 0, read_size },
	{ "max-size", 0, read_max_size },
	{ "kind", 0, read_kind },
	{ "class", 0, read_class },
	{ "huge", 0, read_huge },
	{ "node", 0, read_node },
	{ "mode", 0, read_mode },
	{ "owner", 0, read_owner },
	{ "interleave", ZCBUF_POOL_F_INTERLEAVE, NULL },
	{ "persistent", ZCBUF_POOL_F_PERSISTENT, NULL },
	{ "auto-grow", ZCBUF_POOL_F_AUTO_GROW, NULL },
	{ "shared-pages", ZCBUF_POOL_F_SHARED_PAGES, NULL },
	{ "no-zero-on-reuse", ZCBUF_POOL_F_NO_ZERO_ON_REUSE, NULL },
};

static const struct create_option *find_option(const char *name, size_t length)
{
	size_t i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (strlen(options[i].name) == length &&
		    !strncmp(options[i].name, name, length))
			return &options[i];
	return NULL;
}

/* "--name" or "--name=value", as main.c writes them. */
static int read_option(struct creation *c, const char *text)
{
	size_t length = strcspn(text + 2, "=");
	const struct create_option *o = find_option(text + 2, length);
	const char *value = text[2 + length] ? text + 2 + length + 1 : NULL;

	if (!o || !value != !o->read)
		return EXIT_USAGE;
	c->arg.flags |= o->flag;
	if (value && !o->read(c, value))
		return zcctl_fail(c->z, EXIT_ERROR, "--%s: cannot be '%s'",
				  o->name, value);
	return EXIT_OK;
}

static int read_arguments(struct creation *c, int argc, char **argv)
{
	int i, status = EXIT_OK;

	if (argc < 1 || !strncmp(argv[0], "--", 2))
		return EXIT_USAGE;
	c->name = argv[0];
	for (i = 1; i < argc && !status; i++)
		status = strncmp(argv[i], "--", 2) ? EXIT_USAGE :
						     read_option(c, argv[i]);
	return status;
}

/* -------------------------------------------------------------- what it says */

static uint64_t wanted_bytes(const struct creation *c)
{
	struct zcbuf_query q = { .size = sizeof(q) };

	if (c->arg.arena_size)
		return c->arg.arena_size;
	return device_call(c->fd, ZCBUF_IOC_QUERY, &q) ?
	       0 : q.out_default_arena_size;
}

static char *why_not(const struct creation *c, int err)
{
	const struct shortage s = {
		.bytes = wanted_bytes(c),
		.uid = geteuid(),
		.flags = c->arg.flags,
		.cgroup = "this cgroup",
	};

	switch (err) {
	case -EEXIST:
		return xstrdup("there is one of that name and user");
	case -ENOMEM:
		return shortage_explain(c->z, c->fd, &s);
	case -EPERM:
		return xstrdup("one that persists, or is another user's, takes CAP_SYS_ADMIN");
	case -E2BIG:
		return xstrdup("it would be larger than a pool may be");
	case -EINVAL:
		return xstrdup("its name, or an option, cannot be so; see: zcctl help pool");
	case -EOPNOTSUPP:
		return xstrdup("the module is older than zcctl");
	}
	return xstrdup(strerror(-err));
}

static int no_pool(const struct creation *c, int err)
{
	char *why = why_not(c, err);
	int status;

	status = zcctl_fail(c->z, EXIT_ERROR, "cannot make pool '%s': %s",
			    c->name, why);
	free(why);
	return status;
}

static void print_json(const struct creation *c)
{
	struct json j = json_start(c->z);

	json_object(&j, "created");
	json_handle(&j, "handle", c->arg.out_pool);
	json_text(&j, "name", c->name);
	json_number(&j, "size", c->arg.out_size);
	json_number(&j, "page_order", c->arg.out_page_order);
	json_bool(&j, "persistent", c->arg.flags & ZCBUF_POOL_F_PERSISTENT);
	json_object_end(&j);
	json_end(&j);
}

static void print_text(const struct creation *c)
{
	bool stays = c->arg.flags & ZCBUF_POOL_F_PERSISTENT;
	char *size = show_bytes(c->z, c->arg.out_size);

	fprintf(c->z->out, "pool %s: made, %s of %s pages%s\n", c->name, size,
		c->arg.out_page_order ? "huge" : "small",
		stays ? "" : "; it lives as long as zcctl does");
	free(size);
}

/* -------------------------------------------------------------- what it does */

static int create(struct creation *c)
{
	int err;

	c->arg.size = sizeof(c->arg);
	c->arg.classes = c->arg.nclasses ? (uintptr_t)c->classes : 0;
	c->arg.name = (uintptr_t)c->name;
	c->arg.name_len = strnlen(c->name, ZCBUF_MAX_NAME + 1);
	err = device_call(c->fd, ZCBUF_IOC_POOL_CREATE, &c->arg);
	if (err)
		return no_pool(c, err);
	if (c->z->format == FORMAT_TABLE)
		print_text(c);
	else
		print_json(c);
	if (!(c->arg.flags & ZCBUF_POOL_F_PERSISTENT)) {
		fflush(c->z->out);
		device_hold(c->fd);
	}
	return EXIT_OK;
}

int create_pool(struct zcctl *z, int argc, char **argv)
{
	struct creation c = { .z = z };
	int status = read_arguments(&c, argc, argv);

	if (status)
		return status;
	c.fd = device_open(z);
	if (c.fd < 0)
		return target_no_device(z, c.fd);
	status = create(&c);
	device_close(c.fd);
	return status;
}

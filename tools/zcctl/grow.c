// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * zcctl pool grow: netlink says which pool is meant, the device makes it grow.
 * Pools are attached to by name and user, so what has no name is out of reach.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/zcbuf.h>

#include "device.h"
#include "grow.h"
#include "shortage.h"
#include "show.h"
#include "which.h"

/**
 * struct growth - one pool that is to grow
 * @t: which
 * @z: the call
 * @fd: a session
 * @info: its state before it grows
 */
struct growth {
	struct target t;
	struct zcctl *z;
	int fd;
	struct zcbuf_pool_info info;
};

static char *what_is_short(const struct growth *g)
{
	const struct shortage s = {
		.bytes = g->info.out_arena_size,
		.uid = g->t.uid,
		.flags = g->info.out_flags,
		.cgroup = "the cgroup it was made in",
	};

	return shortage_explain(g->z, g->fd, &s);
}

static uint64_t size_then(const struct growth *g)
{
	return g->info.out_size + g->info.out_arena_size;
}

static char *why_not(const struct growth *g, int err)
{
	char *most, *s;

	switch (err) {
	case -E2BIG:
		if (size_then(g) <= g->info.out_max_size)
			return xstrdup("it has had as many arenas as a pool can, those that were retired included");
		most = show_bytes(g->z, g->info.out_max_size);
		s = xasprintf("%s is all it may have (max_size, set when it was made)",
			      most);
		free(most);
		return s;
	case -ENOMEM:
		return what_is_short(g);
	case -ENOTTY:
		return xstrdup("the module is older than zcctl");
	}
	return xstrdup(strerror(-err));
}

static int no_growth(const struct growth *g, int err)
{
	char *arena = show_bytes(g->z, g->info.out_arena_size);
	char *why = why_not(g, err);
	int status;

	status = zcctl_fail(g->z, EXIT_ERROR,
			    "pool '%s' cannot grow by %s: %s", g->t.name, arena,
			    why);
	free(why);
	free(arena);
	return status;
}

static void print_json(const struct growth *g, const struct zcbuf_pool_grow *a)
{
	struct json j = json_start(g->z);

	json_object(&j, "grown");
	json_handle(&j, "handle", g->info.out_pool);
	json_text(&j, "name", g->t.pool->text);
	json_number(&j, "size", size_then(g));
	json_number(&j, "max_size", g->info.out_max_size);
	json_number(&j, "arena", a->out_arena);
	json_number(&j, "arena_size", g->info.out_arena_size);
	json_number(&j, "page_order", a->out_page_order);
	json_object_end(&j);
	json_end(&j);
}

static void print_text(const struct growth *g)
{
	char *arena = show_bytes(g->z, g->info.out_arena_size);
	char *size = show_bytes(g->z, size_then(g));
	char *most = show_bytes(g->z, g->info.out_max_size);

	fprintf(g->z->out, "pool %s: grown by %s to %s of at most %s\n",
		g->t.name, arena, size, most);
	free(most);
	free(size);
	free(arena);
}

static int grow(struct growth *g)
{
	struct zcbuf_pool_grow a = { .size = sizeof(a) };
	int err = target_attach(&g->t, g->fd);

	if (!err) {
		g->info.size = sizeof(g->info);
		err = device_call(g->fd, ZCBUF_IOC_POOL_INFO, &g->info);
	}
	if (err)
		return target_no_attach(&g->t, err, "grown");
	err = device_call(g->fd, ZCBUF_IOC_POOL_GROW, &a);
	if (err)
		return no_growth(g, err);
	if (g->z->format == FORMAT_TABLE)
		print_text(g);
	else
		print_json(g, &a);
	return EXIT_OK;
}

static int grow_target(struct growth *g)
{
	int status;

	if (!g->t.pool->text)
		return zcctl_fail(g->z, EXIT_ERROR,
				  "pool '%s' has no name: only a program that has it open can make it grow",
				  g->t.name);
	g->fd = device_open(g->z);
	if (g->fd < 0)
		return target_no_device(g->z, g->fd);
	status = grow(g);
	device_close(g->fd);
	return status;
}

int grow_pool(struct zcctl *z, const char *which)
{
	struct growth g = { .z = z, .t.z = z };
	int status = target_find(&g.t, which);

	if (!status)
		status = grow_target(&g);
	target_free(&g.t);
	return status;
}

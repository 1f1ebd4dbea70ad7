// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * zcctl pool grow: netlink says which pool is meant, the device makes it grow.
 * Pools are attached to by name and user, so what has no name is out of reach,
 * and what comes of it must be the pool that was meant: the name may be used
 * again in this IPC namespace.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/zcbuf.h>

#include "device.h"
#include "facts.h"
#include "grow.h"
#include "show.h"
#include "source.h"

/**
 * struct growth - one pool that is to grow
 * @z: the call
 * @pool: what netlink says of it
 * @name: it, for people
 * @uid: its user
 * @fd: a session
 * @info: its state before it grows
 */
struct growth {
	struct zcctl *z;
	const struct record *pool;
	char *name;
	uint32_t uid;
	int fd;
	struct zcbuf_pool_info info;
};

/* -------------------------------------------------------------- which pool */

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

/* -------------------------------------------------------------- what it says */

static int no_attach(const struct growth *g, int err)
{
	uint64_t handle = g->pool->num[ZCBUF_A_POOL_HANDLE];

	switch (err) {
	case -EPERM:
		return zcctl_fail(g->z, EXIT_ERROR,
				  "pool '%s' can only be grown by its user, %" PRIu32 ", or with CAP_SYS_ADMIN",
				  g->name, g->uid);
	case -ENOENT:
		return zcctl_fail(g->z, EXIT_ERROR,
				  "pool '%s' (0x%" PRIx64 ") is gone, or its name is in another IPC namespace",
				  g->name, handle);
	case -EMFILE:
		return zcctl_fail(g->z, EXIT_ERROR,
				  "pool '%s' has as many sessions as a pool may have",
				  g->name);
	}
	return zcctl_fail(g->z, EXIT_ERROR, "cannot attach to pool '%s': %s",
			  g->name, strerror(-err));
}

static bool fits(uint64_t charged, uint64_t bytes, uint64_t limit)
{
	return bytes <= limit && charged <= limit - bytes;
}

static char *show_limit(const struct growth *g, const char *who,
			uint64_t charged, uint64_t limit, const char *parameter)
{
	char *have = show_bytes(g->z, charged);
	char *most = show_bytes(g->z, limit);
	char *s = xasprintf("%s %s of %s: raise /sys/module/zcbuf/parameters/%s",
			    who, have, most, parameter);

	free(most);
	free(have);
	return s;
}

/* What is known of another user's charges is their sum with all others. */
static char *which_limit(const struct growth *g, const struct facts *f)
{
	uint64_t bytes = g->info.out_arena_size;
	const struct zcbuf_query *q = &f->query;

	if (!fits(q->out_total_charged, bytes, q->out_total_limit))
		return show_limit(g, "all users together already hold",
				  q->out_total_charged, q->out_total_limit,
				  "total_limit_mb");
	if (f->ipc_lock)
		return NULL;
	if (g->uid != geteuid())
		return xasprintf("user %" PRIu32 " may be at the limit (user_limit_mb), or memory is short",
				 g->uid);
	if (!fits(q->out_user_charged, bytes, q->out_user_limit))
		return show_limit(g, "you already hold", q->out_user_charged,
				  q->out_user_limit, "user_limit_mb");
	return NULL;
}

/* In the order in which the kernel asks. */
static char *what_is_short(const struct growth *g)
{
	uint64_t bytes = g->info.out_arena_size;
	struct facts f = {};
	char *limit;

	facts_read(g->z->root, &f);
	f.query.size = sizeof(f.query);
	if (device_call(g->fd, ZCBUF_IOC_QUERY, &f.query))
		return xstrdup("out of memory");
	limit = which_limit(g, &f);
	if (limit)
		return limit;
	if (f.available <= bytes)
		return xstrdup("the machine has not so much memory available");
	if (g->info.out_flags & ZCBUF_POOL_F_HUGE_STRICT)
		return xstrdup("there are not so many huge pages, and it takes no others (huge_strict)");
	return xstrdup("out of memory: the machine, or memory.max of the cgroup it was made in");
}

static char *why_not(const struct growth *g, int err)
{
	char *most, *s;

	switch (err) {
	case -E2BIG:
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
			    "pool '%s' cannot grow by %s: %s", g->name, arena,
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
	json_text(&j, "name", g->pool->text);
	json_number(&j, "size", a->out_size);
	json_number(&j, "max_size", g->info.out_max_size);
	json_number(&j, "arena", a->out_arena);
	json_number(&j, "arena_size", g->info.out_arena_size);
	json_number(&j, "page_order", a->out_page_order);
	json_object_end(&j);
	json_end(&j);
}

static void print_text(const struct growth *g, const struct zcbuf_pool_grow *a)
{
	char *arena = show_bytes(g->z, g->info.out_arena_size);
	char *size = show_bytes(g->z, a->out_size);
	char *most = show_bytes(g->z, g->info.out_max_size);

	fprintf(g->z->out, "pool %s: grown by %s to %s of at most %s\n",
		g->name, arena, size, most);
	free(most);
	free(size);
	free(arena);
}

/* -------------------------------------------------------------- what it does */

static int attach(const struct growth *g)
{
	struct zcbuf_pool_attach a = {
		.size = sizeof(a),
		.flags = ZCBUF_ATTACH_F_UID,
		.rights = ZCBUF_RIGHT_ADMIN,
		.name = (uintptr_t)g->pool->text,
		.name_len = strlen(g->pool->text),
		.uid = g->uid,
	};
	int err = device_call(g->fd, ZCBUF_IOC_POOL_ATTACH, &a);

	if (!err && a.out_pool != g->pool->num[ZCBUF_A_POOL_HANDLE])
		err = -ENOENT;
	return err;
}

static int grow(struct growth *g)
{
	struct zcbuf_pool_grow a = { .size = sizeof(a) };
	int err = attach(g);

	if (!err) {
		g->info.size = sizeof(g->info);
		err = device_call(g->fd, ZCBUF_IOC_POOL_INFO, &g->info);
	}
	if (err)
		return no_attach(g, err);
	err = device_call(g->fd, ZCBUF_IOC_POOL_GROW, &a);
	if (err)
		return no_growth(g, err);
	if (g->z->format == FORMAT_TABLE)
		print_text(g, &a);
	else
		print_json(g, &a);
	return EXIT_OK;
}

static int grow_record(struct growth *g)
{
	int status;

	if (record_has(g->pool, ZCBUF_A_POOL_ZOMBIE))
		return zcctl_fail(g->z, EXIT_ERROR,
				  "pool '%s' is destroyed, only pinned pages are left",
				  g->name);
	if (!g->pool->text)
		return zcctl_fail(g->z, EXIT_ERROR,
				  "pool '%s' has no name: only a program that has it open can make it grow",
				  g->name);
	g->fd = device_open(g->z);
	if (g->fd < 0)
		return zcctl_fail(g->z, EXIT_ERROR,
				  "cannot open " ZCBUF_DEVICE ": %s; see: zcctl check",
				  strerror(-g->fd));
	status = grow(g);
	device_close(g->fd);
	return status;
}

int grow_pool(struct zcctl *z, const char *which)
{
	struct growth g = { .z = z };
	struct records pools = {};
	int status;

	status = source_pools(z, which, &pools);
	if (!status)
		status = choose(z, &pools, which, &g.pool);
	if (!status) {
		g.name = show_pool(&pools, g.pool->num[ZCBUF_A_POOL_HANDLE]);
		g.uid = uid_of(g.pool);
		status = grow_record(&g);
		free(g.name);
	}
	records_free(&pools);
	return status;
}

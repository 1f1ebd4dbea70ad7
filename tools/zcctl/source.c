// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <stdlib.h>
#include <string.h>

#include "proc.h"
#include "show.h"
#include "source.h"

/* A name may look like a handle: both count. */
static bool is_pool(const struct record *r, const char *which)
{
	unsigned long long handle;
	char *end;

	if (r->text && !strcmp(r->text, which))
		return true;
	if (strncmp(which, "0x", 2))
		return false;
	handle = strtoull(which, &end, 16);
	return !*end && record_has(r, ZCBUF_A_POOL_HANDLE) &&
	       r->num[ZCBUF_A_POOL_HANDLE] == handle;
}

/* The pool that @r belongs to, or NULL. */
static struct record *owner(const struct record *r, const struct spec *spec,
			    const struct records *pools)
{
	size_t i;

	for (i = 0; i < pools->n; i++)
		if (pools->v[i].num[ZCBUF_A_POOL_HANDLE] == r->num[spec->pool])
			return &pools->v[i];
	return NULL;
}

void source_keep(struct records *all, const struct spec *spec,
		 const struct records *pools)
{
	size_t i = 0;

	while (i < all->n)
		if (owner(&all->v[i], spec, pools))
			i++;
		else
			records_drop(all, i);
}

int source_pools(struct zcctl *z, const char *which, struct records *pools)
{
	int status = source_dump(z, &pool_spec, pools);
	size_t i = 0;

	if (status || !which)
		return status;
	while (i < pools->n)
		if (is_pool(&pools->v[i], which))
			i++;
		else
			records_drop(pools, i);
	if (pools->n)
		return EXIT_OK;
	return zcctl_fail(z, EXIT_ERROR, "there is no pool '%s' that you may see",
			  which);
}

int source_arenas(struct zcctl *z, struct records *pools)
{
	struct records arenas = {};
	int status = source_dump(z, &arena_spec, &arenas);
	struct record *pool;
	size_t i;

	for (i = 0; i < arenas.n && !status; i++) {
		pool = owner(&arenas.v[i], &arena_spec, pools);
		if (pool)
			record_add_arena(pool, &arenas.v[i]);
	}
	records_free(&arenas);
	return status;
}

/* A number may be another process's by now; its name tells most of them. */
void source_cgroups(const struct zcctl *z, struct records *sessions)
{
	struct record *s;
	size_t i;

	for (i = 0; i < sessions->n; i++) {
		s = &sessions->v[i];
		if (s->num[ZCBUF_A_SESSION_PID] && s->text)
			s->cgroup = proc_cgroup(z->root,
						(int)s->num[ZCBUF_A_SESSION_PID],
						s->text);
	}
}

int source_of_pool(struct zcctl *z, const struct spec *spec, const char *which,
		   struct records *all, struct records *pools)
{
	int status = source_dump(z, spec, all);

	if (!status)
		status = source_pools(z, which, pools);
	if (!status && which)
		source_keep(all, spec, pools);
	if (!status && spec == &session_spec)
		source_cgroups(z, all);
	return status;
}

int source_list(struct zcctl *z, const struct spec *spec, int argc, char **argv)
{
	struct records pools = {}, all = {};
	int status;

	if (argc > 2 || (argc && strcmp(argv[0], "list")))
		return EXIT_USAGE;
	status = source_of_pool(z, spec, argc > 1 ? argv[1] : NULL, &all,
				&pools);
	if (!status)
		show_list(z, spec, &all, &pools);
	records_free(&all);
	records_free(&pools);
	return status;
}

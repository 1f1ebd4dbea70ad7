// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * zcctl holders: what each session owns, and what keeps it alive. The kernel
 * knows the former, /proc the latter.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "proc.h"
#include "show.h"
#include "source.h"
#include "table.h"

/* struct view - everything that is shown together */
struct view {
	struct records pools;
	struct records sessions;
	struct proc_scan scan;
};

static uint64_t id_of(const struct record *session)
{
	return session->num[ZCBUF_A_SESSION_ID];
}

static bool in_pool(const struct record *session, const struct record *pool)
{
	return session->num[ZCBUF_A_SESSION_POOL] ==
	       pool->num[ZCBUF_A_POOL_HANDLE];
}

/*
 * The next thing of this kind and id after @u, NULL to begin with; NULL if
 * there is none.
 */
static const struct proc_use *next_use(const struct proc_scan *scan,
				       const struct proc_use *u,
				       enum proc_kind kind, uint64_t id)
{
	for (u = u ? u + 1 : scan->use; u < scan->use + scan->n; u++)
		if (u->kind == kind && u->id == id)
			return u;
	return NULL;
}

/* ------------------------------------------------------------------- JSON */

static void json_process(struct json *j, const struct proc_use *u)
{
	json_object(j, NULL);
	json_number(j, "pid", u->pid);
	json_text(j, "comm", u->comm);
	if (u->kind == PROC_MAPPING)
		json_number(j, "bytes", u->bytes);
	else
		json_number(j, "fd", u->fd);
	json_object_end(j);
}

static void json_uses(struct json *j, const char *key, const struct view *v,
		      enum proc_kind kind, uint64_t id)
{
	const struct proc_use *u = NULL;

	json_array(j, key);
	while ((u = next_use(&v->scan, u, kind, id)))
		json_process(j, u);
	json_array_end(j);
}

static void json_session(struct json *j, const struct view *v,
			 const struct record *s)
{
	json_object(j, NULL);
	show_json(j, &session_spec, s, &v->pools);
	json_uses(j, "open_in", v, PROC_SESSION, id_of(s));
	json_object_end(j);
}

static void json_pool_view(struct json *j, const struct view *v,
			   const struct record *pool)
{
	size_t i;

	json_object(j, NULL);
	json_handle(j, "handle", pool->num[ZCBUF_A_POOL_HANDLE]);
	if (pool->text)
		json_text(j, "name", pool->text);
	else
		json_null(j, "name");
	json_number(j, "size", pool->num[ZCBUF_A_POOL_SIZE]);
	json_number(j, "used", pool->num[ZCBUF_A_POOL_USED]);
	json_array(j, "sessions");
	for (i = 0; i < v->sessions.n; i++)
		if (in_pool(&v->sessions.v[i], pool))
			json_session(j, v, &v->sessions.v[i]);
	json_array_end(j);
	json_uses(j, "mapped_by", v, PROC_MAPPING,
		  pool->num[ZCBUF_A_POOL_HANDLE]);
	json_object_end(j);
}

static void print_json(struct zcctl *z, const struct view *v)
{
	struct json j = json_start(z);
	size_t i;

	json_array(&j, "pools");
	for (i = 0; i < v->pools.n; i++)
		json_pool_view(&j, v, &v->pools.v[i]);
	json_array_end(&j);
	json_uses(&j, "rings", v, PROC_RING, 0);
	json_number(&j, "hidden_processes", v->scan.hidden);
	json_end(&j);
}

/* ------------------------------------------------------------------- text */

static char *show_session(const struct zcctl *z, const struct view *v,
			  const struct record *s, int attr)
{
	return show_value(z, show_field(&session_spec, attr), s, &v->pools);
}

/* "101 ingest (fd 3)" or "101 ingest (32MiB)" */
static char *show_use(const struct zcctl *z, const struct proc_use *u)
{
	char *comm = show_text(u->comm), *size, *s;

	if (u->kind == PROC_MAPPING) {
		size = show_bytes(z, u->bytes);
		s = xasprintf("%d %s (%s)", u->pid, comm, size);
		free(size);
	} else {
		s = xasprintf("%d %s (fd %d)", u->pid, comm, u->fd);
	}
	free(comm);
	return s;
}

static char *show_uses(const struct zcctl *z, const struct view *v,
		       enum proc_kind kind, uint64_t id, const char *none)
{
	const struct proc_use *u = NULL;
	char *all = xstrdup(""), *one, *longer;

	while ((u = next_use(&v->scan, u, kind, id))) {
		one = show_use(z, u);
		longer = xasprintf("%s%s%s", all, *all ? ", " : "", one);
		free(one);
		free(all);
		all = longer;
	}
	if (*all)
		return all;
	free(all);
	return xstrdup(none);
}

static void session_row(struct table *t, const struct zcctl *z,
			const struct view *v, const struct record *s)
{
	static const int attrs[] = {
		ZCBUF_A_SESSION_ID, ZCBUF_A_SESSION_PID, ZCBUF_A_SESSION_COMM,
		ZCBUF_A_SESSION_BYTES, ZCBUF_A_SESSION_PENDING_BYTES,
		ZCBUF_A_SESSION_HELD_BYTES,
	};
	size_t i;

	for (i = 0; i < sizeof(attrs) / sizeof(attrs[0]); i++)
		table_cell(t, show_session(z, v, s, attrs[i]));
	table_cell(t, show_uses(z, v, PROC_SESSION, id_of(s), "nobody seen"));
}

static void print_sessions(struct zcctl *z, const struct view *v,
			   const struct record *pool)
{
	struct table t = {};
	size_t i;

	table_column(&t, "SESSION", true);
	table_column(&t, "PID", true);
	table_column(&t, "COMMAND", false);
	table_column(&t, "BUFFERS", true);
	table_column(&t, "PENDING", true);
	table_column(&t, "HELD", true);
	table_column(&t, "OPEN-IN", false);
	for (i = 0; i < v->sessions.n; i++)
		if (in_pool(&v->sessions.v[i], pool))
			session_row(&t, z, v, &v->sessions.v[i]);
	table_print(&t, z->out, "  ");
}

static void print_pool(struct zcctl *z, const struct view *v,
		       const struct record *pool)
{
	uint64_t handle = pool->num[ZCBUF_A_POOL_HANDLE];
	char *name = show_pool(&v->pools, handle);
	char *size = show_bytes(z, pool->num[ZCBUF_A_POOL_SIZE]);
	char *used = show_bytes(z, pool->num[ZCBUF_A_POOL_USED]);
	char *maps = show_uses(z, v, PROC_MAPPING, handle, "nobody seen");

	fprintf(z->out, "pool %s: %s of %s in use%s\n", name, used, size,
		record_has(pool, ZCBUF_A_POOL_ZOMBIE) ?
		", only pinned pages are left" : "");
	print_sessions(z, v, pool);
	fprintf(z->out, "  mapped by: %s\n", maps);
	free(maps);
	free(used);
	free(size);
	free(name);
}

static void print_text(struct zcctl *z, const struct view *v)
{
	char *rings = show_uses(z, v, PROC_RING, 0, "");
	size_t i;

	for (i = 0; i < v->pools.n; i++)
		print_pool(z, v, &v->pools.v[i]);
	if (*rings)
		fprintf(z->out, "rings with " ZCBUF_DEVICE " as a fixed file: %s\n",
			rings);
	if (v->scan.hidden)
		fprintf(z->out, "processes that could not be looked into: %zu (root sees all)\n",
			v->scan.hidden);
	free(rings);
}

static int collect(struct zcctl *z, const char *which, struct view *v)
{
	int status = source_pools(z, which, &v->pools);
	int err;

	if (!status)
		status = source_dump(z, &session_spec, &v->sessions);
	if (status)
		return status;
	source_cgroups(z, &v->sessions);
	err = proc_scan(z->root, &v->scan);
	if (err)
		return zcctl_fail(z, EXIT_ERROR, "cannot read /proc: %s",
				  strerror(-err));
	return EXIT_OK;
}

static int run(struct zcctl *z, int argc, char **argv)
{
	struct view v = {};
	int status;

	if (argc > 1)
		return EXIT_USAGE;
	status = collect(z, argc ? argv[0] : NULL, &v);
	if (!status && z->format == FORMAT_TABLE)
		print_text(z, &v);
	else if (!status)
		print_json(z, &v);
	proc_free(&v.scan);
	records_free(&v.sessions);
	records_free(&v.pools);
	return status;
}

const struct verb verb_holders = {
	.name = "holders",
	.args = "[POOL]",
	.summary = "who holds what, and what keeps each session alive",
	.help =
"A session lives, and owns what it owns, until the last descriptor of it is\n"
"closed. OPEN-IN names every process that has one: the opener, its children,\n"
"whoever was sent one. \"nobody seen\": it is on its way through a socket, a\n"
"fixed file of a ring, or in a process you may not look into. A mapping keeps\n"
"the memory of a pool, but no session.\n",
	.run = run,
};

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* zcctl pool */
#include <string.h>

#include "grow.h"
#include "show.h"
#include "source.h"

/* JSON has all there is, in lists as well. */
static int look(struct zcctl *z, bool detail, const char *which)
{
	struct records pools = {};
	int status = source_pools(z, which, &pools);

	if (!status && (detail || z->format != FORMAT_TABLE))
		status = source_arenas(z, &pools);
	if (!status && detail && z->format == FORMAT_TABLE)
		show_pools(z, &pools);
	else if (!status)
		show_list(z, &pool_spec, &pools, &pools);
	records_free(&pools);
	return status;
}

static int run(struct zcctl *z, int argc, char **argv)
{
	const char *what = argc ? argv[0] : "list";
	const char *which = argc > 1 ? argv[1] : NULL;

	if (argc > 2)
		return EXIT_USAGE;
	if (!strcmp(what, "grow"))
		return which ? grow_pool(z, which) : EXIT_USAGE;
	if (!strcmp(what, "list") || !strcmp(what, "show"))
		return look(z, !strcmp(what, "show"), which);
	return EXIT_USAGE;
}

const struct verb verb_pool = {
	.name = "pool",
	.args = "list|show [POOL] | grow POOL",
	.summary = "pools: size, use, free blocks, arenas",
	.help =
"list prints a line for each pool, show all that is known: free blocks by\n"
"size, the classes, and the arenas. With -j both print all there is. A pool is\n"
"named by its name or by its handle.\n"
"\n"
"grow adds an arena to a pool that is below its limit. That is for the user who\n"
"made the pool, and for who has CAP_SYS_ADMIN; a pool without a name can only be\n"
"grown by programs that have it open. Of several pools of that name it means\n"
"one's own. The arena is charged to the pool's user, and to zcctl's cgroup.\n",
	.run = run,
};

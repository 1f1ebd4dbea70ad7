// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* zcctl pool */
#include <string.h>

#include "create.h"
#include "grow.h"
#include "remove.h"
#include "retire.h"
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

	if (!strcmp(what, "create"))
		return create_pool(z, argc - 1, argv + 1);
	if (!strcmp(what, "retire"))
		return retire_arena(z, argc - 1, argv + 1);
	if (argc > 2 || (which && !strncmp(which, "--", 2)))
		return EXIT_USAGE;
	if (!strcmp(what, "grow"))
		return which ? grow_pool(z, which) : EXIT_USAGE;
	if (!strcmp(what, "remove"))
		return which ? remove_pool(z, which) : EXIT_USAGE;
	if (!strcmp(what, "list") || !strcmp(what, "show"))
		return look(z, !strcmp(what, "show"), which);
	return EXIT_USAGE;
}

const struct verb verb_pool = {
	.name = "pool",
	.args = "list|show [POOL] | create|grow|remove POOL ... | retire POOL ARENA ...",
	.summary = "pools: size, use, free blocks, arenas",
	.help =
"list prints a line for each pool, show all that is known: free blocks by\n"
"size, the classes, and the arenas. With -j both print all there is. A pool is\n"
"named by its name or by its handle.\n"
"\n"
"grow adds an arena to a pool that is below its limit. That is for the user who\n"
"made the pool, and for who has CAP_SYS_ADMIN; a pool without a name can only be\n"
"grown by programs that have it open. Of several pools of that name it means\n"
"one's own. The arena is charged to the pool's user, and to the cgroup the pool\n"
"was made in.\n"
"\n"
"create makes a pool. With --persistent, which takes CAP_SYS_ADMIN, it stays until\n"
"it is removed; else it lives as long as zcctl, which waits to be ended.\n"
"  --size BYTES        of its first arena, and of each other\n"
"  --max-size BYTES    to which it may grow; --auto-grow: of itself\n"
"  --kind KIND         pages, tiers or fixed\n"
"  --class LENGTH[:COUNT]  a class of it; again for each\n"
"  --huge HOW          huge pages: try, strict or never\n"
"  --node NODE         NUMA node of its memory; --interleave: of all, by turns\n"
"  --mode MODE         who may attach by its name, as of a file\n"
"  --owner USER[:GROUP]  whose it is; takes CAP_SYS_ADMIN\n"
"  --shared-pages, --no-zero-on-reuse\n"
"BYTES may end with K, M, G or T.\n"
"\n"
"remove takes a pool's name away, and lets go of one that is persistent: it goes\n"
"with its last user.\n"
"\n"
"retire has an arena but the first given back, once what was handed out of it has\n"
"come back; --wait waits for that, --now does it now or not at all, --cancel hands\n"
"it out again.\n",
	.run = run,
};

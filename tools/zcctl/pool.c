// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* zcctl pool */
#include <string.h>

#include "show.h"
#include "source.h"

static int run(struct zcctl *z, int argc, char **argv)
{
	bool detail = argc && !strcmp(argv[0], "show");
	struct records pools = {};
	int status;

	if (argc && !detail && strcmp(argv[0], "list"))
		return EXIT_USAGE;
	if (argc > 2)
		return EXIT_USAGE;
	status = source_pools(z, argc > 1 ? argv[1] : NULL, &pools);
	if (!status && detail && z->format == FORMAT_TABLE)
		show_pools(z, &pools);
	else if (!status)
		show_list(z, &pool_spec, &pools, &pools);
	records_free(&pools);
	return status;
}

const struct verb verb_pool = {
	.name = "pool",
	.args = "list|show [NAME|HANDLE]",
	.summary = "pools: size, use, free blocks, who they belong to",
	.help =
"list prints a line for each pool, show all that is known: free blocks by\n"
"size, and the classes. A pool is named by its name or by its handle.\n"
"With -j both print all there is.\n",
	.run = run,
};

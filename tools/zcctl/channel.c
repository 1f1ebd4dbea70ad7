// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* zcctl channel */
#include <string.h>

#include "show.h"
#include "source.h"
#include "watch.h"

/* JSON has all there is, in lists as well. */
static int look(struct zcctl *z, const char *which)
{
	struct records pools = {}, channels = {};
	int status = source_of_pool(z, &channel_spec, which, &channels, &pools);

	if (!status && z->format == FORMAT_TABLE)
		show_channels(z, &channels, &pools);
	else if (!status)
		show_list(z, &channel_spec, &channels, &pools);
	records_free(&channels);
	records_free(&pools);
	return status;
}

static int run(struct zcctl *z, int argc, char **argv)
{
	if (argc && !strcmp(argv[0], "watch"))
		return watch_events(z, argc - 1, argv + 1);
	if (!argc || strcmp(argv[0], "show"))
		return source_list(z, &channel_spec, argc, argv);
	return argc > 2 ? EXIT_USAGE : look(z, argc > 1 ? argv[1] : NULL);
}

const struct verb verb_channel = {
	.name = "channel",
	.args = "list|show [POOL] | watch",
	.summary = "channels: names, ports, groups, and where they are",
	.help =
"list prints a line for each channel, show all that is known.\n"
"\n"
"NAME is service/instance/event, behind the domain if there is one. PROD and CONS\n"
"are ports. RESERVED, GROUPS and OFFSET count since the channel was made. PENDING\n"
"reservations are to be committed; complete groups are QUEUED for a consumer,\n"
"PARKED until a queue has room, on the FAILED queue, or TAKEN and to be released;\n"
"a topic has them once for each consumer, and KEPT for those who come later. LOST\n"
"counts what consumers of a topic did not get. STRAGGLERS are failed reservations\n"
"that their owner may still write to. BYTES is the memory all of this takes.\n"
"\n"
"watch prints a line for each thing that happens in any pool, until it is\n"
"interrupted; with --count N, N of them. It takes CAP_SYS_ADMIN.\n",
	.run = run,
};

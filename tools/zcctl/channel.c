// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* zcctl channel */
#include "source.h"

static int run(struct zcctl *z, int argc, char **argv)
{
	return source_list(z, &channel_spec, argc, argv);
}

const struct verb verb_channel = {
	.name = "channel",
	.args = "list [POOL]",
	.summary = "channels: ports, groups, and where they are",
	.help =
"PROD and CONS are ports. RESERVED, GROUPS and OFFSET count since the channel\n"
"was made. PENDING reservations are to be committed; complete groups are\n"
"QUEUED for a consumer, PARKED until a queue has room, on the FAILED queue, or\n"
"TAKEN and to be released. STRAGGLERS are failed reservations that their owner\n"
"may still write to. BYTES is the memory all of this takes.\n",
	.run = run,
};

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* zcctl session */
#include "source.h"

static int run(struct zcctl *z, int argc, char **argv)
{
	return source_list(z, &session_spec, argc, argv);
}

const struct verb verb_session = {
	.name = "session",
	.args = "list [POOL]",
	.summary = "sessions: who is attached, and what each owns",
	.help =
"A session is one open file of /dev/zcbuf; PID and COMMAND are of the process\n"
"that opened it. RIGHTS: r map for reading, w map for writing, p produce,\n"
"c consume, a admin. BUFFERS are allocated, PENDING reservations are to be\n"
"committed, HELD deliveries are to be released; each with its bytes.\n",
	.run = run,
};

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* The device of the library's tests, with room for what is measured. */
#include "../../lib/test/fake.h"

#define ROOM	(256UL << 20)

static void __attribute__((__constructor__)) make_room(void)
{
	fake.arena_size = ROOM;
	fake.pool_size = ROOM;
}

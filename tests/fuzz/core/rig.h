/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * The rig of tests/kunit/stream_rig.h, made once for all inputs: its memory is
 * large, and empty again after each of them.
 */
#ifndef ZCBUF_FUZZ_RIG_H
#define ZCBUF_FUZZ_RIG_H

#include "fuzz.h"
#include "../../kunit/stream_rig.h"

static struct rig fuzz_rig;

static inline struct rig *fuzz_rig_init(struct kunit *test)
{
	static struct zcb_resv resvs[RIG_STRUCTS];
	static struct zcb_group groups[RIG_STRUCTS];
	static u8 memory[RIG_MEMORY];

	fuzz_rig = (struct rig){
		.test = test,
		.memory = memory,
		.resvs = resvs,
		.groups = groups,
	};
	return &fuzz_rig;
}

#endif /* ZCBUF_FUZZ_RIG_H */

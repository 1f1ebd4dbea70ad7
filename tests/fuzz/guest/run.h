/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Inside kfuzz: running programs, for those who have some.
 */
#ifndef KFUZZ_RUN_H
#define KFUZZ_RUN_H

#include "oracle.h"

int kf_exec_init(bool parallel);
const char *kf_exec(const struct kf_prog *p, unsigned int iteration,
		    bool verbose);
unsigned int kf_exec_merge(const struct kf_prog *p, struct kf_seen *seen);
struct kf_cov *kf_exec_compare(const struct kf_prog *p, unsigned int iteration,
			       const char **wrong);

#endif /* KFUZZ_RUN_H */

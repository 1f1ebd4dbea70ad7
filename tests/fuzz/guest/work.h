/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Inside kfuzz: what the process that works and the one that watches share.
 */
#ifndef KFUZZ_WORK_H
#define KFUZZ_WORK_H

#include "oracle.h"

#define KF_RECENT	8	/* programs between looks at what is left behind */

/**
 * struct kf_shared - all that outlives a worker
 * @pool: what programs are made from
 * @seen: what they have covered
 * @iteration: number of the program that is being executed, or is next
 * @programs: executed
 * @operations: in those
 * @since: when the one at hand began, ns
 * @stop: the worker shall end
 * @done: it has nothing more to do
 * @found: a program did something wrong
 * @finding: what is wrong
 * @nrecent: programs since all was well and nothing left behind
 * @recent: these, the last one included
 */
struct kf_shared {
	struct kf_pool pool;
	struct kf_seen seen;
	unsigned int iteration;
	unsigned int programs;
	__u64 operations;
	__u64 since;
	bool stop;
	bool done;
	bool found;
	char finding[300];
	unsigned int nrecent;
	struct kf_prog recent[KF_RECENT];
};

void kf_work_fuzz(struct kf_shared *sh);
void kf_work_replay(struct kf_shared *sh, unsigned int seconds);
void kf_work_merge(struct kf_shared *sh, size_t limit);

#endif /* KFUZZ_WORK_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Inside kfuzz: coverage, and what tells good from bad.
 */
#ifndef KFUZZ_ORACLE_H
#define KFUZZ_ORACLE_H

#include "exec.h"

/* --------------------------------------------------------------- coverage */

#define KF_EDGES	(1U << 17)	/* buckets they are hashed to */
#define KF_PCS		(1U << 14)
#define KF_COV_ENTRIES	(128UL << 10)	/* of one thread and program */
#define KF_COV_HINTS	32

/**
 * struct kf_cov - what one thread executes in the module
 * @fd: kcov, or -1
 * @area: its records; the first is their number
 * @marks: how many there were after each operation
 * @compares: it is comparisons that are recorded
 * @hints: what they say
 */
struct kf_cov {
	int fd;
	unsigned long *area;
	unsigned int nmarks;
	unsigned long mark[KF_OPS + 8];
	bool compares;
	unsigned int nhints;
	struct kf_hint hint[KF_COV_HINTS];
};

/**
 * struct kf_seen - all that was covered so far
 * @edge: by hash, one bit for each order of magnitude of times
 * @pc: a hash table
 * @nedges: edges
 * @npcs: places
 */
struct kf_seen {
	__u8 edge[KF_EDGES];
	unsigned long pc[KF_PCS];
	unsigned int nedges;
	unsigned int npcs;
};

bool kf_cov_init(void);
void kf_cov_open(struct kf_cov *c);
bool kf_cov_start(struct kf_cov *c, bool compares);
void kf_cov_stop(struct kf_cov *c);
void kf_cov_reset(struct kf_cov *c);
void kf_cov_mark(struct kf_cov *c);
unsigned int kf_cov_merge(const struct kf_cov *c, struct kf_seen *seen,
			  bool counted);
unsigned int kf_cov_answer(struct kf_seen *seen, unsigned int call, int err);
void kf_cov_compared(struct kf_cov *c, unsigned int call, const void *arg,
		     size_t bytes);
int kf_cov_save(const struct kf_seen *seen, const char *path);

/* ---------------------------------------------------------------- oracles */

int kf_oracle_init(const char *splats);
const char *kf_check_log(void);
const char *kf_check_held(unsigned int holders);
const char *kf_check_gone(void);
void kf_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void kf_dump(unsigned int cmd, unsigned int how);
void kf_run_dump(struct kf_lane *l);

#endif /* KFUZZ_ORACLE_H */

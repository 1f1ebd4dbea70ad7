/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef ZCCTL_CHECK_H
#define ZCCTL_CHECK_H

#include <stddef.h>

#include "facts.h"
#include "zcctl.h"

#define CHECK_FINDINGS	12

enum verdict {
	VERDICT_OK,
	VERDICT_NOTE,		/* worth knowing, no obstacle */
	VERDICT_UNKNOWN,
	VERDICT_NO,
};

/**
 * struct finding - one line of the report
 * @name: what was looked at
 * @verdict: will it do
 * @detail: what was found; from malloc()
 * @hint: what to do, or NULL; from malloc()
 */
struct finding {
	const char *name;
	enum verdict verdict;
	char *detail;
	char *hint;
};

/* Fills CHECK_FINDINGS entries and returns how many those are. */
size_t check_judge(const struct zcctl *z, const struct facts *f,
		   struct finding *r);
/* Judges and prints; returns an enum zcctl_exit. */
int check_report(struct zcctl *z, const struct facts *f);

#endif /* ZCCTL_CHECK_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef ZCCTL_REMOVE_H
#define ZCCTL_REMOVE_H

#include "zcctl.h"

/*
 * remove_pool() - takes the name of the pool of that name or handle away, and lets
 * go of it; returns an enum zcctl_exit
 */
int remove_pool(struct zcctl *z, const char *which);

#endif /* ZCCTL_REMOVE_H */

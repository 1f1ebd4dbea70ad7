/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef ZCCTL_GROW_H
#define ZCCTL_GROW_H

#include "zcctl.h"

/*
 * grow_pool() - adds an arena to the pool of that name or handle, and says what
 * came of it; returns an enum zcctl_exit
 */
int grow_pool(struct zcctl *z, const char *which);

#endif /* ZCCTL_GROW_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef ZCCTL_RETIRE_H
#define ZCCTL_RETIRE_H

#include "zcctl.h"

/*
 * retire_arena() - POOL ARENA [OPTION], as the arguments of the verb: has an arena of
 * a pool given back; returns an enum zcctl_exit
 */
int retire_arena(struct zcctl *z, int argc, char **argv);

#endif /* ZCCTL_RETIRE_H */

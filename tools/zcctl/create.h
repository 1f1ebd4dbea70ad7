/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef ZCCTL_CREATE_H
#define ZCCTL_CREATE_H

#include "zcctl.h"

/*
 * create_pool() - NAME [OPTION]..., as the arguments of the verb: makes a pool, and
 * holds it unless it persists; returns an enum zcctl_exit
 */
int create_pool(struct zcctl *z, int argc, char **argv);

#endif /* ZCCTL_CREATE_H */

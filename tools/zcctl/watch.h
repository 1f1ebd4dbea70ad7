/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* What happens, as it happens. */
#ifndef ZCCTL_WATCH_H
#define ZCCTL_WATCH_H

#include "zcctl.h"

/* zcctl channel watch [--count N]; @argv starts behind that */
int watch_events(struct zcctl *z, int argc, char **argv);

#endif /* ZCCTL_WATCH_H */

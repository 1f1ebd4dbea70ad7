/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* What is said of recordings that are read, by show and replay. */
#ifndef ZCCTL_DO_SHOW_H
#define ZCCTL_DO_SHOW_H

#include "recording.h"
#include "zcctl.h"

/* It could not be opened: says why, and returns EXIT_ERROR. */
int show_no_recording(struct zcctl *z, const char *path, int err);
/* What recording_next() found that is neither a message nor the end. */
void show_damage(struct zcctl *z, const char *path,
		 const struct recording_in *in, int what);

#endif /* ZCCTL_DO_SHOW_H */

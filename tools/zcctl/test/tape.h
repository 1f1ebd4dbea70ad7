/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Recordings that tests make, and change. */
#ifndef ZCCTL_TEST_TAPE_H
#define ZCCTL_TEST_TAPE_H

#include "recording.h"

#define TAPE_LENGTHS	{ 1, 7, 8, 9, 200 }
#define TAPE_MESSAGES	5

/* Of messages of these lengths, below test_dir; whoever calls frees its path. */
char *tape_make(const char *name);
/* All of a file, for free(). */
unsigned char *tape_load(const char *path, size_t *n);
void tape_store(const char *path, const unsigned char *bytes, size_t n);
/* What message @i has in its place @at. */
unsigned char tape_byte(unsigned int i, size_t at);
struct recording_head tape_head(unsigned int i);

#endif /* ZCCTL_TEST_TAPE_H */

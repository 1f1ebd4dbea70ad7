/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Numbers as people write them. False, or NULL, if it is none. */
#ifndef ZCCTL_NUMBER_H
#define ZCCTL_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* "4096", "64K", "2MiB": powers of 1024. What follows it, or NULL. */
const char *number_bytes_at(const char *text, uint64_t *bytes);
/* The same, of the whole text. */
bool number_bytes(const char *text, uint64_t *bytes);
bool number_u64(const char *text, uint64_t *number);
bool number_u32(const char *text, int base, uint32_t *number);
/* "2", "0.25": in thousandths, what is beyond them is cut off. */
bool number_thousandths(const char *text, uint64_t *thousandths);

#endif /* ZCCTL_NUMBER_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* SHA-256 (FIPS 180-4), plain C. */
#ifndef INGEST_SHA256_H
#define INGEST_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE	32
#define SHA256_BLOCK	64

struct sha256 {
	uint32_t state[8];
	uint64_t length;
	unsigned char block[SHA256_BLOCK];
};

void sha256_init(struct sha256 *sha);
void sha256_update(struct sha256 *sha, const void *data, size_t length);
void sha256_final(struct sha256 *sha, unsigned char digest[SHA256_SIZE]);

#endif /* INGEST_SHA256_H */

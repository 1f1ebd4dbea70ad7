// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <string.h>

#include "sha256.h"

static const uint32_t round_constant[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5,
	0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
	0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
	0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5,
	0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t ror(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

static inline uint32_t load_be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static inline void store_be32(unsigned char *p, uint32_t x)
{
	p[0] = x >> 24;
	p[1] = x >> 16;
	p[2] = x >> 8;
	p[3] = x;
}

static void schedule(uint32_t w[64], const unsigned char *block)
{
	uint32_t s0, s1;
	int i;

	for (i = 0; i < 16; i++)
		w[i] = load_be32(block + 4 * i);
	for (; i < 64; i++) {
		s0 = ror(w[i - 15], 7) ^ ror(w[i - 15], 18) ^ w[i - 15] >> 3;
		s1 = ror(w[i - 2], 17) ^ ror(w[i - 2], 19) ^ w[i - 2] >> 10;
		w[i] = w[i - 16] + s0 + w[i - 7] + s1;
	}
}

/* s is a to h of the standard. */
static inline void one_round(uint32_t s[8], uint32_t k)
{
	uint32_t t1, t2;

	t1 = s[7] + (ror(s[4], 6) ^ ror(s[4], 11) ^ ror(s[4], 25)) +
	     ((s[4] & s[5]) ^ (~s[4] & s[6])) + k;
	t2 = (ror(s[0], 2) ^ ror(s[0], 13) ^ ror(s[0], 22)) +
	     ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
	s[7] = s[6];
	s[6] = s[5];
	s[5] = s[4];
	s[4] = s[3] + t1;
	s[3] = s[2];
	s[2] = s[1];
	s[1] = s[0];
	s[0] = t1 + t2;
}

static void compress(struct sha256 *sha, const unsigned char *block)
{
	uint32_t s[8];
	uint32_t w[64];
	int i;

	memcpy(s, sha->state, sizeof(s));
	schedule(w, block);
	for (i = 0; i < 64; i++)
		one_round(s, w[i] + round_constant[i]);
	for (i = 0; i < 8; i++)
		sha->state[i] += s[i];
}

void sha256_init(struct sha256 *sha)
{
	static const uint32_t initial[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};

	memcpy(sha->state, initial, sizeof(initial));
	sha->length = 0;
}

void sha256_update(struct sha256 *sha, const void *data, size_t length)
{
	size_t used = sha->length % SHA256_BLOCK;
	const unsigned char *p = data;
	size_t n;

	sha->length += length;
	while (length) {
		if (!used && length >= SHA256_BLOCK) {
			n = SHA256_BLOCK;
			compress(sha, p);
		} else {
			n = SHA256_BLOCK - used < length ? SHA256_BLOCK - used :
							   length;
			memcpy(sha->block + used, p, n);
			used = (used + n) % SHA256_BLOCK;
			if (!used)
				compress(sha, sha->block);
		}
		p += n;
		length -= n;
	}
}

void sha256_final(struct sha256 *sha, unsigned char digest[SHA256_SIZE])
{
	static const unsigned char padding[SHA256_BLOCK] = { 0x80 };
	uint64_t bits = sha->length * 8;
	size_t used = sha->length % SHA256_BLOCK;
	unsigned char length[8];
	int i;

	store_be32(length, bits >> 32);
	store_be32(length + 4, bits);
	sha256_update(sha, padding, used < 56 ? 56 - used : 120 - used);
	sha256_update(sha, length, sizeof(length));
	for (i = 0; i < 8; i++)
		store_be32(digest + 4 * i, sha->state[i]);
}

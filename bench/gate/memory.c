// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The C library's come in many versions, of which it takes the one for the
 * processor: these are the same everywhere, a word at a time.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint64_t __attribute__((__may_alias__, __aligned__(1))) word;

void *memset(void *to, int value, size_t n)
{
	const uint64_t all = (unsigned char)value * 0x0101010101010101ULL;
	unsigned char *p = to;

	for (; n >= sizeof(word); n -= sizeof(word), p += sizeof(word))
		*(word *)p = all;
	while (n--)
		*p++ = value;
	return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
	const unsigned char *q = from;
	unsigned char *p = to;

	for (; n >= sizeof(word); n -= sizeof(word)) {
		*(word *)p = *(const word *)q;
		p += sizeof(word);
		q += sizeof(word);
	}
	while (n--)
		*p++ = *q++;
	return to;
}

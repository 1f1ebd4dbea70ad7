// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* The layout of recordings: docs/recording.md has the numbers. */
#include <errno.h>
#include <string.h>

#include "recording.h"

/* No string: there is no NUL in the file. */
static const char magic[8] = { 'Z', 'C', 'B', 'U', 'F', 'R', 'E', 'C' };

#define HEAD_MAGIC	0x4345525aU	/* "ZREC" */
#define POLYNOMIAL	0x82f63b78U	/* of CRC32C, reflected */

/* ------------------------------------------------------------------- numbers */

static void put(unsigned char *p, uint64_t value, unsigned int n)
{
	while (n--) {
		*p++ = value;
		value >>= 8;
	}
}

static uint64_t get(const unsigned char *p, unsigned int n)
{
	uint64_t value = 0;

	while (n--)
		value = value << 8 | p[n];
	return value;
}

static void put32(unsigned char *p, uint32_t value)
{
	put(p, value, 4);
}

static void put64(unsigned char *p, uint64_t value)
{
	put(p, value, 8);
}

static uint32_t get32(const unsigned char *p)
{
	return get(p, 4);
}

static uint64_t get64(const unsigned char *p)
{
	return get(p, 8);
}

static void crc_table(uint32_t table[256])
{
	uint32_t i, bit, crc;

	for (i = 0; i < 256; i++) {
		crc = i;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
		table[i] = crc;
	}
}

uint32_t recording_crc(uint32_t crc, const void *data, size_t n)
{
	static uint32_t table[256];
	const unsigned char *p = data;

	if (!table[1])
		crc_table(table);
	crc = ~crc;
	while (n--)
		crc = crc >> 8 ^ table[(crc ^ *p++) & 0xff];
	return ~crc;
}

/* -------------------------------------------------------------------- header */

enum {
	HEADER_VERSION = 8, HEADER_BYTES = 12, HEADER_CRC = 16,
	HEADER_RESERVED = 20, HEADER_REALTIME = 24, HEADER_MONOTONIC = 32,
	HEADER_LENGTHS = 40, HEADER_NAMES = 48,
};

/* The four parts of the channel's name, and the pool's. */
static char *header_name(struct recording_header *h, unsigned int i)
{
	return i < 4 ? h->name[i] : h->pool;
}

/* With what stands there now in place of itself. */
static uint32_t header_crc(const unsigned char *bytes)
{
	static const unsigned char none[4];
	uint32_t crc = recording_crc(0, bytes, HEADER_CRC);

	crc = recording_crc(crc, none, 4);
	return recording_crc(crc, bytes + HEADER_CRC + 4,
			     RECORDING_HEADER - HEADER_CRC - 4);
}

void recording_pack_header(const struct recording_header *header,
			   unsigned char bytes[RECORDING_HEADER])
{
	struct recording_header h = *header;
	size_t n;
	int i;

	memset(bytes, 0, RECORDING_HEADER);
	memcpy(bytes, magic, sizeof(magic));
	put32(bytes + HEADER_VERSION, RECORDING_VERSION);
	put32(bytes + HEADER_BYTES, RECORDING_HEADER);
	put64(bytes + HEADER_REALTIME, h.realtime_ns);
	put64(bytes + HEADER_MONOTONIC, h.monotonic_ns);
	for (i = 0; i < 5; i++) {
		n = strnlen(header_name(&h, i), RECORDING_NAME);
		bytes[HEADER_LENGTHS + i] = n;
		memcpy(bytes + HEADER_NAMES + i * RECORDING_NAME,
		       header_name(&h, i), n);
	}
	put32(bytes + HEADER_CRC, header_crc(bytes));
}

static bool unpack_name(char *name, unsigned int n, const unsigned char *bytes)
{
	if (n > RECORDING_NAME || memchr(bytes, 0, n))
		return false;
	memcpy(name, bytes, n);
	return true;
}

int recording_unpack_header(struct recording_header *h,
			    const unsigned char bytes[RECORDING_HEADER])
{
	int i;

	memset(h, 0, sizeof(*h));
	if (memcmp(bytes, magic, sizeof(magic)))
		return -EILSEQ;
	if (get32(bytes + HEADER_VERSION) != RECORDING_VERSION)
		return -EPROTONOSUPPORT;
	if (get32(bytes + HEADER_CRC) != header_crc(bytes) ||
	    get32(bytes + HEADER_BYTES) != RECORDING_HEADER ||
	    get32(bytes + HEADER_RESERVED))
		return -EBADMSG;
	h->realtime_ns = get64(bytes + HEADER_REALTIME);
	h->monotonic_ns = get64(bytes + HEADER_MONOTONIC);
	for (i = 0; i < 5; i++)
		if (!unpack_name(header_name(h, i), bytes[HEADER_LENGTHS + i],
				 bytes + HEADER_NAMES + i * RECORDING_NAME))
			return -EBADMSG;
	return 0;
}

/* ---------------------------------------------------------------- head, tail */

enum {
	HEAD_CRC = 4, HEAD_KIND = 8, HEAD_ENCODING = 12, HEAD_LENGTH = 16,
	HEAD_USER_TAG = 24, HEAD_PUBLISHER = 32, HEAD_SEQ = 40, HEAD_GROUP = 48,
	HEAD_OFFSET = 56, HEAD_TIME = 64, HEAD_GAP = 72, HEAD_LOST = 80,
	HEAD_PRIORITY = 88, HEAD_NRECORDS = 92, HEAD_AT = 96,
};

static uint32_t head_crc(const unsigned char *bytes)
{
	return recording_crc(0, bytes + HEAD_KIND, RECORDING_HEAD - HEAD_KIND);
}

void recording_pack_head(const struct recording_head *h,
			 unsigned char bytes[RECORDING_HEAD])
{
	put32(bytes, HEAD_MAGIC);
	put32(bytes + HEAD_KIND, h->kind);
	put32(bytes + HEAD_ENCODING, h->encoding);
	put64(bytes + HEAD_LENGTH, h->length);
	put64(bytes + HEAD_USER_TAG, h->user_tag);
	put64(bytes + HEAD_PUBLISHER, h->publisher);
	put64(bytes + HEAD_SEQ, h->seq);
	put64(bytes + HEAD_GROUP, h->group);
	put64(bytes + HEAD_OFFSET, h->offset);
	put64(bytes + HEAD_TIME, h->time_ns);
	put64(bytes + HEAD_GAP, h->gap);
	put64(bytes + HEAD_LOST, h->lost);
	put32(bytes + HEAD_PRIORITY, h->priority);
	put32(bytes + HEAD_NRECORDS, h->nrecords);
	put64(bytes + HEAD_AT, h->at);
	put32(bytes + HEAD_CRC, head_crc(bytes));
}

/* A message has bytes, the end has none. */
static bool is_sensible(const struct recording_head *h)
{
	if (h->kind == RECORDING_KIND_MESSAGE)
		return h->length;
	return h->kind == RECORDING_KIND_END && !h->length;
}

bool recording_unpack_head(struct recording_head *h, uint64_t at,
			   const unsigned char bytes[RECORDING_HEAD])
{
	if (get32(bytes) != HEAD_MAGIC || get64(bytes + HEAD_AT) != at ||
	    get32(bytes + HEAD_CRC) != head_crc(bytes))
		return false;
	*h = (struct recording_head){
		.kind = get32(bytes + HEAD_KIND),
		.encoding = get32(bytes + HEAD_ENCODING),
		.length = get64(bytes + HEAD_LENGTH),
		.user_tag = get64(bytes + HEAD_USER_TAG),
		.publisher = get64(bytes + HEAD_PUBLISHER),
		.seq = get64(bytes + HEAD_SEQ),
		.group = get64(bytes + HEAD_GROUP),
		.offset = get64(bytes + HEAD_OFFSET),
		.time_ns = get64(bytes + HEAD_TIME),
		.gap = get64(bytes + HEAD_GAP),
		.lost = get64(bytes + HEAD_LOST),
		.priority = get32(bytes + HEAD_PRIORITY),
		.nrecords = get32(bytes + HEAD_NRECORDS),
		.at = at,
	};
	return is_sensible(h);
}

void recording_pack_tail(uint32_t crc, unsigned char bytes[RECORDING_TAIL])
{
	put32(bytes, crc);
	put32(bytes + 4, ~crc);
}

bool recording_check_tail(uint32_t crc,
			  const unsigned char bytes[RECORDING_TAIL])
{
	return get32(bytes) == crc && get32(bytes + 4) == (uint32_t)~crc;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Files of zcctl record, as docs/recording.md describes them: how they are laid out
 * (recording.c), written (recording_write.c) and read (recording_read.c). Who reads
 * believes nothing of what is in there, and needs no more memory for a large file.
 */
#ifndef ZCCTL_RECORDING_H
#define ZCCTL_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define RECORDING_VERSION	1
#define RECORDING_HEADER	368	/* bytes of the header */
#define RECORDING_HEAD		104	/* of what stands before a message */
#define RECORDING_TAIL		8	/* and behind it */
#define RECORDING_NAME		64	/* most bytes of a part of a name */
#define RECORDING_CHUNK		(64U << 10)

enum recording_kind {
	RECORDING_KIND_MESSAGE = 1,
	RECORDING_KIND_END = 2,
};

/**
 * struct recording_header - what a recording is of
 * @realtime_ns: CLOCK_REALTIME when it began
 * @monotonic_ns: CLOCK_MONOTONIC then
 * @pool: name of the pool, may be empty
 * @name: domain, service, instance, event
 */
struct recording_header {
	uint64_t realtime_ns;
	uint64_t monotonic_ns;
	char pool[RECORDING_NAME + 1];
	char name[4][RECORDING_NAME + 1];
};

/**
 * struct recording_head - a message, or the end
 * @kind: enum recording_kind
 * @encoding: as delivered, and so on
 * @length: bytes of the message; the end: 0
 * @user_tag: .
 * @publisher: .
 * @seq: the end: messages in the file
 * @group: .
 * @offset: in the stream; the end: bytes of all messages
 * @time_ns: CLOCK_MONOTONIC; the end: when it was ended
 * @gap: messages of its publisher that are missing right before; the end: of all
 * @lost: messages the recorder had lost so far
 * @priority: .
 * @nrecords: .
 * @at: where the head is in the file
 */
struct recording_head {
	uint32_t kind;
	uint32_t encoding;
	uint64_t length;
	uint64_t user_tag;
	uint64_t publisher;
	uint64_t seq;
	uint64_t group;
	uint64_t offset;
	uint64_t time_ns;
	uint64_t gap;
	uint64_t lost;
	uint32_t priority;
	uint32_t nrecords;
	uint64_t at;
};

/* ------------------------------------------------------------ recording.c */

/* CRC32C of what was before and @n bytes more; it begins with 0. */
uint32_t recording_crc(uint32_t crc, const void *data, size_t n);

void recording_pack_header(const struct recording_header *h,
			   unsigned char bytes[RECORDING_HEADER]);
/* 0; -EBADMSG: damaged; -EPROTONOSUPPORT: a later version; -EILSEQ: none at all */
int recording_unpack_header(struct recording_header *h,
			    const unsigned char bytes[RECORDING_HEADER]);
void recording_pack_head(const struct recording_head *h,
			 unsigned char bytes[RECORDING_HEAD]);
/* False: it is no head that was written @at. */
bool recording_unpack_head(struct recording_head *h, uint64_t at,
			   const unsigned char bytes[RECORDING_HEAD]);
void recording_pack_tail(uint32_t crc, unsigned char bytes[RECORDING_TAIL]);
bool recording_check_tail(uint32_t crc,
			  const unsigned char bytes[RECORDING_TAIL]);

/* Zero bytes between a message and its tail. */
static inline unsigned int recording_pad(uint64_t length)
{
	return -length & 7;
}

/* Bytes of a head, its message and the tail; @length is of a file's. */
static inline uint64_t recording_bytes(uint64_t length)
{
	return RECORDING_HEAD + length + recording_pad(length) + RECORDING_TAIL;
}

/* ------------------------------------------------------ recording_write.c */

/**
 * struct recording_sum - what is in a recording
 * @end: where the next head goes
 * @messages: how many
 * @bytes: of them
 * @gaps: messages that are missing
 * @lost: what the last head says
 */
struct recording_sum {
	uint64_t end;
	uint64_t messages;
	uint64_t bytes;
	uint64_t gaps;
	uint64_t lost;
};

/**
 * struct recording_out - a recording that is written
 * @fd: of the file
 * @error: why no more could be written, -errno
 * @sum: of what was put so far
 * @safe: of that, what was in whole records when the buffer was written last
 * @done: bytes of @buffer that were written, after an error
 * @split: the buffer begins within a record
 * @used: bytes of @buffer
 * @buffer: what was not written yet
 */
struct recording_out {
	int fd;
	int error;
	struct recording_sum sum;
	struct recording_sum safe;
	size_t done;
	bool split;
	size_t used;
	unsigned char buffer[4 * RECORDING_CHUNK];
};

/*
 * All return 0 or -errno. recording_create() fails if the file is there and not
 * @force, and does not touch it then.
 */
int recording_create(struct recording_out *o, const char *path, bool force,
		     const struct recording_header *h);
/* @h without kind and at */
int recording_put(struct recording_out *o, const struct recording_head *h,
		  const struct iovec *iov, int niov);
/* recording_flush() - write what is in the buffer */
int recording_flush(struct recording_out *o);
/*
 * recording_close() - the end, and all of it on the disk. After an error what is not
 * whole is cut off first, and @sum is of what is left. Returns that error, or its
 * own; the file is closed in any case.
 */
int recording_close(struct recording_out *o, uint64_t now_ns);

/* ------------------------------------------------------- recording_read.c */

enum recording_what {
	RECORDING_MESSAGE,	/* @head, and its bytes are as they were */
	RECORDING_END,		/* @head: it was ended */
	RECORDING_EOF,		/* nothing more */
	RECORDING_TORN,		/* @bytes up to the end of the file are part of more */
	RECORDING_DAMAGED,	/* @bytes are not what was written */
};

/**
 * struct recording_in - a recording that is read
 * @fd: of the file
 * @size: of the file
 * @next: where to go on
 * @at: where it is what was found
 * @bytes: of that
 * @head: of a message, or the end
 * @ended: the end was found
 * @header: of the file
 */
struct recording_in {
	int fd;
	uint64_t size;
	uint64_t next;
	uint64_t at;
	uint64_t bytes;
	struct recording_head head;
	bool ended;
	struct recording_header header;
};

/* -errno, and those of recording_unpack_header(); -EINVAL: it is not a file */
int recording_open(struct recording_in *in, const char *path);
void recording_rewind(struct recording_in *in);
/* An enum recording_what, or -errno. */
int recording_next(struct recording_in *in);
/* Bytes of the message that was found: 0 or -errno. */
int recording_read(const struct recording_in *in, uint64_t offset, void *data,
		   size_t n);
void recording_shut(struct recording_in *in);

#endif /* ZCCTL_RECORDING_H */

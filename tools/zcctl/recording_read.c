// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Recordings are read, whatever has become of them. A head is only believed with its
 * checksum, and where it was written; if it is not, the next one is looked for.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recording.h"

/* All of it: the file may be cut off meanwhile. */
static int read_at(int fd, uint64_t at, void *data, size_t n)
{
	size_t done = 0;
	ssize_t got;

	while (done < n) {
		got = pread(fd, (char *)data + done, n - done, at + done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -EIO;
		done += got;
	}
	return 0;
}

/* What is cut off within its header may still say what it was. */
static int read_header(struct recording_in *in)
{
	unsigned char bytes[RECORDING_HEADER] = { 0 };
	bool whole = in->size >= sizeof(bytes);
	int err = read_at(in->fd, 0, bytes, whole ? sizeof(bytes) : in->size);

	if (err)
		return err;
	err = recording_unpack_header(&in->header, bytes);
	return whole || err == -EILSEQ ? err : -EBADMSG;
}

static int file_size(struct recording_in *in)
{
	struct stat st;

	if (fstat(in->fd, &st))
		return -errno;
	in->size = st.st_size;
	return S_ISREG(st.st_mode) ? 0 : -EINVAL;
}

int recording_open(struct recording_in *in, const char *path)
{
	int err;

	memset(in, 0, sizeof(*in));
	in->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (in->fd < 0)
		return -errno;
	err = file_size(in);
	if (!err)
		err = read_header(in);
	if (err)
		recording_shut(in);
	else
		recording_rewind(in);
	return err;
}

void recording_rewind(struct recording_in *in)
{
	in->next = RECORDING_HEADER;
	in->ended = false;
}

void recording_shut(struct recording_in *in)
{
	close(in->fd);
}

int recording_read(const struct recording_in *in, uint64_t offset, void *data,
		   size_t n)
{
	if (offset > in->head.length || n > in->head.length - offset)
		return -ERANGE;
	return read_at(in->fd, in->head.at + RECORDING_HEAD + offset, data, n);
}

static int found(struct recording_in *in, enum recording_what what,
		 uint64_t bytes)
{
	in->at = in->next;
	in->bytes = bytes;
	in->next += bytes;
	return what;
}

/*
 * Is there a head in a piece of the file? What is left of it for the next piece is
 * less than a head.
 */
static bool find_head(const unsigned char *bytes, size_t n, uint64_t at,
		      size_t *skipped)
{
	struct recording_head h;

	for (*skipped = 0; n - *skipped >= RECORDING_HEAD; *skipped += 8)
		if (recording_unpack_head(&h, at + *skipped, bytes + *skipped))
			return true;
	return false;
}

/* Heads are at multiples of 8. */
static int look_for_head(struct recording_in *in)
{
	unsigned char bytes[RECORDING_CHUNK];
	uint64_t at = (in->next | 7) + 1;
	bool is_there = false;
	size_t n, skipped;
	int err;

	while (!is_there && at < in->size && in->size - at >= RECORDING_HEAD) {
		n = in->size - at < sizeof(bytes) ? in->size - at : sizeof(bytes);
		err = read_at(in->fd, at, bytes, n);
		if (err)
			return err;
		is_there = find_head(bytes, n, at, &skipped);
		at += skipped;
	}
	if (!is_there)
		at = in->size;
	return found(in, RECORDING_DAMAGED, at - in->next);
}

/* 1: what follows the head is as it was written. */
static int check_message(const struct recording_in *in)
{
	uint64_t length = in->head.length + recording_pad(in->head.length);
	uint64_t at = in->next + RECORDING_HEAD, end = at + length;
	unsigned char bytes[RECORDING_CHUNK];
	uint32_t crc = 0;
	size_t n;
	int err;

	for (; at < end; at += n) {
		n = end - at < sizeof(bytes) ? end - at : sizeof(bytes);
		err = read_at(in->fd, at, bytes, n);
		if (err)
			return err;
		crc = recording_crc(crc, bytes, n);
	}
	err = read_at(in->fd, end, bytes, RECORDING_TAIL);
	return err ? err : recording_check_tail(crc, bytes);
}

/* Behind a head: is the file long enough, and the rest right? */
static int take_record(struct recording_in *in)
{
	uint64_t left = in->size - in->next;
	int whole;

	if (in->head.length > left || recording_bytes(in->head.length) > left)
		return found(in, RECORDING_TORN, left);
	whole = check_message(in);
	if (whole < 0)
		return whole;
	if (!whole)
		return found(in, RECORDING_DAMAGED,
			     recording_bytes(in->head.length));
	if (in->head.kind == RECORDING_KIND_MESSAGE)
		return found(in, RECORDING_MESSAGE,
			     recording_bytes(in->head.length));
	in->ended = true;
	return found(in, RECORDING_END, recording_bytes(0));
}

int recording_next(struct recording_in *in)
{
	unsigned char bytes[RECORDING_HEAD];
	uint64_t left;
	int err;

	left = in->size - in->next;
	if (!left)
		return RECORDING_EOF;
	if (in->ended)
		return found(in, RECORDING_DAMAGED, left);
	if (left < RECORDING_HEAD)
		return found(in, RECORDING_TORN, left);
	err = read_at(in->fd, in->next, bytes, sizeof(bytes));
	if (err)
		return err;
	if (!recording_unpack_head(&in->head, in->next, bytes))
		return look_for_head(in);
	return take_record(in);
}

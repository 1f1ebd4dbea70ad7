// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Recordings are written. Bytes of a message are copied before their checksum is
 * made: whoever may write to the pool could change them in between.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recording.h"

static int write_buffer(struct recording_out *o)
{
	ssize_t n;

	for (o->done = 0; o->done < o->used; o->done += n) {
		n = write(o->fd, o->buffer + o->done, o->used - o->done);
		if (n < 0 && errno != EINTR)
			return -errno;
		n = n < 0 ? 0 : n;
	}
	o->used = 0;
	return 0;
}

static void sum_add(struct recording_sum *s, const struct recording_head *h)
{
	s->end += recording_bytes(h->length);
	s->messages++;
	s->bytes += h->length;
	s->gaps += h->gap;
	s->lost = h->lost;
}

int recording_flush(struct recording_out *o)
{
	if (!o->error)
		o->error = write_buffer(o);
	if (o->error)
		return o->error;
	o->safe = o->sum;
	o->split = false;
	return 0;
}

/* Makes room by writing, also in the middle of a record. */
static void add(struct recording_out *o, const void *data, size_t n)
{
	if (o->used + n > sizeof(o->buffer)) {
		o->error = write_buffer(o);
		o->split = true;
	}
	if (o->error)
		return;
	memcpy(o->buffer + o->used, data, n);
	o->used += n;
}

/* Its checksum is of what is in the buffer. */
static void add_data(struct recording_out *o, const void *data, size_t n,
		     uint32_t *crc)
{
	add(o, data, n);
	if (!o->error)
		*crc = recording_crc(*crc, o->buffer + o->used - n, n);
}

static void add_message(struct recording_out *o, const struct iovec *iov,
			int niov, uint32_t *crc)
{
	size_t at, n;
	int i;

	for (i = 0; i < niov; i++)
		for (at = 0; at < iov[i].iov_len && !o->error; at += n) {
			n = iov[i].iov_len - at;
			if (n > RECORDING_CHUNK)
				n = RECORDING_CHUNK;
			add_data(o, (const char *)iov[i].iov_base + at, n, crc);
		}
}

static void add_record(struct recording_out *o, const struct recording_head *h,
		       const struct iovec *iov, int niov)
{
	static const unsigned char zero[8];
	unsigned char head[RECORDING_HEAD], tail[RECORDING_TAIL];
	uint32_t crc = 0;

	recording_pack_head(h, head);
	add(o, head, sizeof(head));
	add_message(o, iov, niov, &crc);
	if (!o->error)
		add_data(o, zero, recording_pad(h->length), &crc);
	recording_pack_tail(crc, tail);
	if (!o->error)
		add(o, tail, sizeof(tail));
}

int recording_put(struct recording_out *o, const struct recording_head *head,
		  const struct iovec *iov, int niov)
{
	uint64_t bytes = recording_bytes(head->length);
	struct recording_head h = *head;

	/* So that the buffer begins with a head again, and what is written is whole. */
	if (o->used + bytes > sizeof(o->buffer) && recording_flush(o))
		return o->error;
	h.kind = RECORDING_KIND_MESSAGE;
	h.at = o->sum.end;
	add_record(o, &h, iov, niov);
	if (o->error)
		return o->error;
	sum_add(&o->sum, &h);
	return 0;
}

static int open_file(const char *path, bool force)
{
	int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
	struct stat st;
	int fd, err;

	/* Of what is there already: a pipe nobody reads is not waited for. */
	fd = open(path, flags | (force ? O_NONBLOCK : O_EXCL), 0600);
	if (fd < 0)
		return -errno;
	err = fstat(fd, &st) ? -errno : S_ISREG(st.st_mode) ? 0 : -EINVAL;
	/* What another recorder is writing to is not cut off under its hands. */
	if (!err && flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		err = -EBUSY;
	if (!err && ftruncate(fd, 0))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

int recording_create(struct recording_out *o, const char *path, bool force,
		     const struct recording_header *h)
{
	o->fd = open_file(path, force);
	if (o->fd < 0)
		return o->fd;
	o->error = 0;
	o->split = false;
	o->sum = (struct recording_sum){ .end = RECORDING_HEADER };
	o->safe = (struct recording_sum){};
	o->used = RECORDING_HEADER;
	recording_pack_header(h, o->buffer);
	if (!recording_flush(o))
		return 0;
	close(o->fd);
	if (!force)
		unlink(path);
	return o->error;
}

/* Some records at the beginning of the buffer may have been written. */
static void find_safe(struct recording_out *o)
{
	struct recording_head h;
	size_t at = 0;

	while (!o->split && o->done - at >= RECORDING_HEAD &&
	       recording_unpack_head(&h, o->safe.end, o->buffer + at) &&
	       recording_bytes(h.length) <= o->done - at) {
		sum_add(&o->safe, &h);
		at += recording_bytes(h.length);
	}
}

/* What was not written whole goes; there may be room for the end then. */
static bool cut_off(struct recording_out *o)
{
	find_safe(o);
	o->done = 0;
	o->used = 0;
	o->sum = o->safe;
	return !ftruncate(o->fd, o->safe.end);
}

static void add_end(struct recording_out *o, uint64_t now_ns)
{
	const struct recording_head h = {
		.kind = RECORDING_KIND_END,
		.seq = o->sum.messages,
		.offset = o->sum.bytes,
		.time_ns = now_ns,
		.gap = o->sum.gaps,
		.lost = o->sum.lost,
		.at = o->sum.end,
	};

	add_record(o, &h, NULL, 0);
	if (!o->error)
		recording_flush(o);
}

int recording_close(struct recording_out *o, uint64_t now_ns)
{
	int err = recording_flush(o);

	if (err && cut_off(o))
		o->error = 0;
	if (!o->error)
		add_end(o, now_ns);
	if (o->error)
		cut_off(o);
	err = err ? err : o->error;
	if (fsync(o->fd) && !err)
		err = -errno;
	if (close(o->fd) && !err)
		err = -errno;
	return err;
}

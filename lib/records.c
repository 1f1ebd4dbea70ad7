// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Records, as they are read. What stands in a frame was written by somebody else, who
 * may be writing still: each word is loaded once, and compared with what there is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define DEFAULT_BATCH	32

/* ----------------------------------------------------------------- records */

int zcbuf_records_begin(struct zcbuf_records *records,
			const struct zcbuf_pool *pool,
			const struct zcbuf_delivery *delivery)
{
	int n;

	memset(records, 0, sizeof(*records));
	n = zcbuf_delivery_iovec(pool, delivery, records->more);
	if (n < 0)
		return n;
	records->nmore = n;
	return 0;
}

/* A record is in one extent: they are read one after the other. */
static bool next_extent(struct zcbuf_records *records)
{
	if (!records->nmore)
		return false;
	records->at = records->more[0].iov_base;
	records->left = records->more[0].iov_len;
	records->nmore--;
	memmove(records->more, records->more + 1,
		records->nmore * sizeof(records->more[0]));
	return true;
}

/* Nor is anything that comes after it. */
static int bad_record(struct zcbuf_records *records)
{
	records->is_bad = 1;
	return -ERANGE;
}

/* Behind a record, or at the end of the extent if that is nearer. */
static void records_skip(struct zcbuf_records *records, size_t n)
{
	n = (n + sizeof(struct zcbuf_frame) - 1) &
	    ~(sizeof(struct zcbuf_frame) - 1);
	if (n > records->left)
		n = records->left;
	records->at += n;
	records->left -= n;
}

int zcbuf_records_next(struct zcbuf_records *records, struct iovec *record)
{
	const struct zcbuf_frame *frame;
	size_t length, pad;

	if (records->is_bad)
		return -ERANGE;
	while (!records->left)
		if (!next_extent(records))
			return 0;
	frame = (const void *)records->at;
	if (records->left < sizeof(*frame) ||
	    ((uintptr_t)frame & (_Alignof(struct zcbuf_frame) - 1)))
		return bad_record(records);

	length = __atomic_load_n(&frame->length, __ATOMIC_RELAXED);
	pad = __atomic_load_n(&frame->pad, __ATOMIC_RELAXED);
	records->at += sizeof(*frame);
	records->left -= sizeof(*frame);
	if (pad > records->left || length > records->left - pad)
		return bad_record(records);

	record->iov_base = (void *)(records->at + pad);
	record->iov_len = length;
	records_skip(records, pad + length);
	return 1;
}

/* ----------------------------------------------------------------- readers */

/*
 * struct zcbuf_reader
 * @subscriber: what it takes from
 * @records: of the sample before @next
 * @batch: entries of @samples
 * @taken: how many of them are taken
 * @next: the next of them to be looked at
 */
struct zcbuf_reader {
	struct zcbuf_subscriber *subscriber;
	struct zcbuf_records records;
	__u32 batch;
	__u32 taken;
	__u32 next;
	struct zcbuf_sample samples[];
};

int zcbuf_reader_open(struct zcbuf_subscriber *subscriber,
		      const struct zcbuf_reader_opts *user_opts,
		      struct zcbuf_reader **out)
{
	struct zcbuf_reader_opts opts;
	struct zcbuf_reader *reader;
	size_t size;
	int err;

	err = zcb_opts_read(&opts, sizeof(opts), user_opts, sizeof(opts));
	if (err)
		return err;
	if (opts.flags)
		return -EOPNOTSUPP;
	if (!opts.batch)
		opts.batch = DEFAULT_BATCH;
	if (opts.batch > ZCBUF_MAX_BATCH)
		return -EINVAL;
	size = sizeof(*reader) + opts.batch * sizeof(reader->samples[0]);
	reader = calloc(1, size);
	if (!reader)
		return -ENOMEM;
	reader->subscriber = subscriber;
	reader->batch = opts.batch;
	*out = reader;
	return 0;
}

/* All of them, whatever is wrong with one: 0, or the first error. */
static int reader_release(struct zcbuf_reader *reader)
{
	struct zcbuf_sample *samples = reader->samples;
	__u32 left = reader->taken;
	int result = 0;
	int done;

	reader->taken = 0;
	reader->next = 0;
	while (left) {
		done = zcbuf_subscriber_release(reader->subscriber, samples,
						left);
		if (done < 0 && !result)
			result = done;
		if (done < 0)
			done = 1;
		samples += done;
		left -= done;
	}
	return result;
}

int zcbuf_reader_close(struct zcbuf_reader *reader)
{
	int err;

	if (!reader)
		return 0;
	err = reader_release(reader);
	free(reader);
	return err;
}

static int reader_take(struct zcbuf_reader *reader, __u64 deadline_ns)
{
	int done;

	done = reader_release(reader);
	if (done)
		return done;
	done = zcbuf_subscriber_take(reader->subscriber, reader->samples,
				     reader->batch, deadline_ns);
	if (done < 0)
		return done;
	reader->taken = done;
	return 0;
}

/* The records of the next delivery, which may be none. */
static int reader_advance(struct zcbuf_reader *reader, __u64 deadline_ns)
{
	const struct zcbuf_pool *pool;
	int err;

	if (reader->next == reader->taken) {
		err = reader_take(reader, deadline_ns);
		if (err)
			return err;
	}
	pool = zcbuf_channel_pool(zcbuf_subscriber_channel(reader->subscriber));
	return zcbuf_records_begin(&reader->records, pool,
				   &reader->samples[reader->next++].delivery);
}

int zcbuf_reader_next(struct zcbuf_reader *reader, struct iovec *record,
		      __u64 deadline_ns)
{
	int err;

	for (;;) {
		err = zcbuf_records_next(&reader->records, record);
		if (err > 0)
			return err;
		memset(&reader->records, 0, sizeof(reader->records));
		if (err)
			return err;
		err = reader_advance(reader, deadline_ns);
		if (err)
			return err;
	}
}

const struct zcbuf_sample *
zcbuf_reader_sample(const struct zcbuf_reader *reader)
{
	return reader->next ? &reader->samples[reader->next - 1] : NULL;
}

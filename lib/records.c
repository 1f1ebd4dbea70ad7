// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Records, as they are read. What stands in a frame was written by somebody else, who
 * may be writing still: each word is loaded once, and compared with what there is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "queue.h"

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
 * @records: of the delivery before @next
 * @entries: where those are that are taken: in the queue, if that is mapped, else in
 *	@samples
 * @handles: of the same; a fork child has no queue, and can close the reader
 * @batch: entries of each
 * @taken: how many are taken
 * @next: the next of them to be looked at
 */
struct zcbuf_reader {
	struct zcbuf_subscriber *subscriber;
	struct zcbuf_records records;
	const struct zcbuf_delivery **entries;
	__u64 *handles;
	__u32 batch;
	__u32 taken;
	__u32 next;
	struct zcbuf_sample samples[];
};

static struct zcbuf_reader *reader_alloc(__u32 batch)
{
	struct zcbuf_reader *reader;
	size_t each = sizeof(reader->samples[0]) + sizeof(reader->handles[0]) +
		      sizeof(void *);

	reader = calloc(1, sizeof(*reader) + batch * each);
	if (!reader)
		return NULL;
	reader->handles = (void *)&reader->samples[batch];
	reader->entries = (void *)&reader->handles[batch];
	reader->batch = batch;
	return reader;
}

int zcbuf_reader_open(struct zcbuf_subscriber *subscriber,
		      const struct zcbuf_reader_opts *user_opts,
		      struct zcbuf_reader **out)
{
	struct zcbuf_reader_opts opts;
	struct zcbuf_reader *reader;
	int err;

	err = zcb_opts_read(&opts, sizeof(opts), user_opts, sizeof(opts));
	if (err)
		return err;
	if (opts.flags)
		return -EOPNOTSUPP;
	if (opts.batch > ZCBUF_MAX_BATCH)
		return -EINVAL;
	reader = reader_alloc(opts.batch ? opts.batch : DEFAULT_BATCH);
	if (!reader)
		return -ENOMEM;
	reader->subscriber = subscriber;
	*out = reader;
	return 0;
}

/* All of them, whatever is wrong with one: 0, or the first error. */
int zcbuf_reader_release(struct zcbuf_reader *reader)
{
	__u32 n = 0;
	int result = 0;
	int done;

	while (n < reader->taken) {
		done = zcb_subscriber_release(reader->subscriber,
					      &reader->handles[n],
					      reader->taken - n);
		if (done < 0 && !result)
			result = done;
		n += done < 0 ? 1 : done;
	}
	reader->taken = 0;
	reader->next = 0;
	memset(&reader->records, 0, sizeof(reader->records));
	return result;
}

int zcbuf_reader_close(struct zcbuf_reader *reader)
{
	int err;

	if (!reader)
		return 0;
	err = zcbuf_reader_release(reader);
	free(reader);
	return err;
}

/* Out of a queue that is not mapped, or after waiting. */
static int reader_copy(struct zcbuf_reader *reader, __u64 deadline_ns)
{
	int done;
	int i;

	done = zcbuf_subscriber_take(reader->subscriber, reader->samples,
				     reader->batch, deadline_ns);
	for (i = 0; i < done; i++)
		reader->entries[i] = &reader->samples[i].delivery;
	return done;
}

int zcbuf_reader_take(struct zcbuf_reader *reader,
		      const struct zcbuf_delivery *const **deliveries,
		      __u64 deadline_ns)
{
	int done;
	int i;

	done = zcbuf_reader_release(reader);
	if (done)
		return done;
	done = zcb_subscriber_entries(reader->subscriber, reader->entries,
				      reader->batch);
	if (!done)
		done = reader_copy(reader, deadline_ns);
	if (done < 0)
		return done;
	for (i = 0; i < done; i++)
		reader->handles[i] = reader->entries[i]->handle;
	reader->taken = done;
	*deliveries = reader->entries;
	return done;
}

static struct zcbuf_pool *reader_pool(const struct zcbuf_reader *reader)
{
	return zcbuf_channel_pool(zcbuf_subscriber_channel(reader->subscriber));
}

/* The records of the next delivery, which may be none. */
static int reader_advance(struct zcbuf_reader *reader, __u64 deadline_ns)
{
	const struct zcbuf_delivery *const *deliveries;
	int done;

	if (reader->next == reader->taken) {
		done = zcbuf_reader_take(reader, &deliveries, deadline_ns);
		if (done < 0)
			return done;
	}
	return zcbuf_records_begin(&reader->records, reader_pool(reader),
				   reader->entries[reader->next++]);
}

int zcbuf_reader_next(struct zcbuf_reader *reader, struct iovec *record,
		      __u64 deadline_ns)
{
	int err;

	/* Of a pool that is closed, or in a fork child, nothing is mapped. */
	err = zcbuf_pool_fd(reader_pool(reader));
	if (err < 0)
		return err;
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

const struct zcbuf_delivery *
zcbuf_reader_delivery(const struct zcbuf_reader *reader)
{
	return reader->next ? reader->entries[reader->next - 1] : NULL;
}

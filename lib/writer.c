// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Writers: one reservation, a cursor, and a decision that is made once.
 */
#include <errno.h>
#include <string.h>

#include "internal.h"

static int writer_check(const struct zcbuf_writer *writer)
{
	if (!writer->is_open)
		return -EALREADY;
	return zcb_pool_writable(writer->channel->pool);
}

/*
 * The kernel answered a decision with @err. These say that there is nothing to
 * decide any more, and ESHUTDOWN and ESTALE that we know (see COMMIT); after
 * any other the reservation is still pending.
 */
static int writer_settle(struct zcbuf_writer *writer, int err)
{
	switch (err) {
	case 0:
	case -EALREADY:
	case -ENOENT:
	case -ESHUTDOWN:
	case -ESTALE:
		writer->is_open = 0;
	}
	return err;
}

static int writer_abort(struct zcbuf_writer *writer)
{
	struct zcbuf_abort_entry entry = {
		.group = writer->group,
		.id = writer->id,
	};
	int done;

	done = zcbuf_abort(writer->channel, &entry, 1);
	return writer_settle(writer, done < 0 ? done : 0);
}

/* The kernel would leave it pending: a writer decides, and says why. */
static int writer_wrong_size(struct zcbuf_writer *writer)
{
	int err;

	err = writer_abort(writer);
	return err ? err : -EMSGSIZE;
}

static bool writer_fits(const struct zcbuf_writer *writer, size_t n)
{
	if (writer->flags & ZCBUF_RESERVE_F_WINDOW)
		return n && n <= writer->length;
	return n == writer->length;
}

/* Its @entry alone is enough for a writer that has no tag. */
static void writer_entry(const struct zcbuf_writer *writer, size_t n,
			 struct zcbuf_commit_tagged *tagged)
{
	*tagged = (struct zcbuf_commit_tagged){
		.entry = {
			.group = writer->group,
			.id = writer->id,
			.offset = writer->offset,
			.length = n,
			.nrecords = writer->nrecords,
		},
		.user_tag = writer->user_tag,
		.encoding = writer->encoding,
	};
}

static bool writer_tagged(const struct zcbuf_writer *writer)
{
	return writer->user_tag || writer->encoding;
}

static int writer_finish(struct zcbuf_writer *writer, size_t n)
{
	struct zcbuf_commit_tagged tagged;
	int done;

	if (!writer_fits(writer, n))
		return writer_wrong_size(writer);
	writer_entry(writer, n, &tagged);
	done = writer_tagged(writer) ?
	       zcbuf_commit_tagged(writer->channel, &tagged, 1) :
	       zcbuf_commit(writer->channel, &tagged.entry, 1);
	return writer_settle(writer, done < 0 ? done : 0);
}

int zcbuf_writer_init(struct zcbuf_channel *channel,
		      const struct zcbuf_reservation *reservation, __u32 flags,
		      struct zcbuf_writer *writer)
{
	void *data;
	int err;

	memset(writer, 0, sizeof(*writer));
	err = zcb_pool_writable(channel->pool);
	if (err)
		return err;
	err = zcb_map_range(channel->pool, reservation->out_pool_offset,
			    reservation->length, &data);
	if (err)
		return err;

	writer->channel = channel;
	writer->data = data;
	writer->length = reservation->length;
	writer->id = reservation->out_id;
	writer->group = reservation->out_group;
	writer->offset = reservation->out_offset;
	writer->pool_offset = reservation->out_pool_offset;
	writer->flags = flags & ZCBUF_RESERVE_F_WINDOW;
	writer->is_open = 1;
	return 0;
}

/* Just reserved: nobody else knows of it, so if it cannot be used it fails. */
static int writer_start(struct zcbuf_channel *channel,
			const struct zcbuf_reservation *reservation,
			__u32 flags, struct zcbuf_writer *writer)
{
	struct zcbuf_abort_entry entry = {
		.group = reservation->out_group,
		.id = reservation->out_id,
	};
	int err;

	err = zcbuf_writer_init(channel, reservation, flags, writer);
	if (err)
		zcbuf_abort(channel, &entry, 1);
	return err;
}

int zcbuf_writer_reserve(struct zcbuf_channel *channel, size_t length,
			 __u32 flags, __u64 deadline_ns,
			 struct zcbuf_writer *writer)
{
	struct zcbuf_reservation reservation = { .length = length };
	int done;
	int err;

	memset(writer, 0, sizeof(*writer));
	err = zcb_pool_writable(channel->pool);
	if (err)
		return err;
	done = zcbuf_reserve_why(channel, &reservation, 1, flags, deadline_ns,
				 &writer->why);
	if (done < 0)
		return done;
	return writer_start(channel, &reservation, flags, writer);
}

/* Room for @n bytes, and the writer may use it? */
static int writer_room(const struct zcbuf_writer *writer, size_t n)
{
	int err;

	err = writer_check(writer);
	if (err)
		return err;
	return n > writer->length - writer->used ? -EFBIG : 0;
}

int zcbuf_writer_put(struct zcbuf_writer *writer, const void *data, size_t n)
{
	int err;

	err = writer_room(writer, n);
	if (err || !n)
		return err;
	memcpy(writer->data + writer->used, data, n);
	writer->used += n;
	return 0;
}

int zcbuf_writer_placed(struct zcbuf_writer *writer, size_t n)
{
	int err;

	err = writer_room(writer, n);
	if (!err)
		writer->used += n;
	return err;
}

int zcbuf_writer_carve(struct zcbuf_writer *writer, size_t n, void **out)
{
	int err;

	err = writer_room(writer, n);
	if (err)
		return err;
	*out = writer->data + writer->used;
	writer->used += n;
	writer->nrecords++;
	return 0;
}

int zcbuf_writer_tag(struct zcbuf_writer *writer, __u64 user_tag,
		     __u32 encoding)
{
	int err;

	err = writer_check(writer);
	if (err)
		return err;
	if (!(writer->flags & ZCBUF_RESERVE_F_WINDOW))
		return -EINVAL;
	writer->user_tag = user_tag;
	writer->encoding = encoding;
	return 0;
}

int zcbuf_writer_commit(struct zcbuf_writer *writer)
{
	int err;

	err = writer_check(writer);
	return err ? err : writer_finish(writer, writer->used);
}

int zcbuf_writer_submit_placed(struct zcbuf_writer *writer, size_t n)
{
	int err;

	err = writer_check(writer);
	if (err)
		return err;
	if (writer->used)
		return -EINVAL;
	return writer_finish(writer, n);
}

int zcbuf_writer_submit(struct zcbuf_writer *writer, const void *data,
			size_t n)
{
	int err;

	err = writer_check(writer);
	if (err)
		return err;
	if (writer->used)
		return -EINVAL;
	if (writer_fits(writer, n))
		memcpy(writer->data, data, n);
	return writer_finish(writer, n);
}

int zcbuf_writer_drop(struct zcbuf_writer *writer)
{
	return writer->is_open ? writer_abort(writer) : 0;
}

/* The commit was done; @done reservations were made, or why not. */
static int writer_next(struct zcbuf_writer *writer,
		       const struct zcbuf_reservation *reservation,
		       __u32 flags, const struct zcbuf_turnover *result)
{
	if (!result->reserved) {
		writer->error = result->reserve_error;
		writer->why = result->why;
		return 0;
	}
	writer->error = writer_start(writer->channel, reservation, flags,
				     writer);
	return writer->error ? 0 : 1;
}

int zcbuf_writer_turn(struct zcbuf_writer *writer, size_t length, __u32 flags,
		      __u64 deadline_ns)
{
	struct zcbuf_reservation reservation = { .length = length };
	__u32 tag = writer_tagged(writer) ? ZCBUF_COMMIT_F_TAGGED : 0;
	struct zcbuf_commit_tagged tagged;
	struct zcbuf_turnover result;
	int err;

	err = writer_check(writer);
	if (err)
		return err;
	if (!writer_fits(writer, writer->used))
		return writer_wrong_size(writer);

	writer_entry(writer, writer->used, &tagged);
	err = zcbuf_commit_reserve(writer->channel, &tagged.entry, 1,
				   &reservation, 1, flags | tag, deadline_ns,
				   &result);
	if (!result.committed)
		return writer_settle(writer, err);
	writer->is_open = 0;
	return writer_next(writer, &reservation, flags, &result);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * libzcbuf-user: many small records, with a system call for each thousand. A part
 * of <zcbuf/zcbuf.h>, which includes it and says what holds for all functions.
 *
 * An appender writes records into a window of a channel, a group of its own (see
 * ZCBUF_RESERVE_F_WINDOW), one behind the other. A record costs some instructions and
 * no system call; when one finds no room the window is turned over: what is in it is
 * delivered and the next one reserved, in one call. Appenders of one channel, in as
 * many threads and processes, have nothing in common, so none waits for another.
 *
 *	const struct zcbuf_appender_opts opts = {
 *		.sz = sizeof(opts), .flags = ZCBUF_APPENDER_F_FRAMED,
 *	};
 *
 *	zcbuf_appender_open(channel, &opts, &appender);
 *	zcbuf_appender_reserve(appender, 1024, deadline, &record);
 *	length = snprintf(record, 1024, "event %u", n);
 *	zcbuf_appender_commit(appender, length);
 *
 *	zcbuf_reader_open(subscriber, NULL, &reader);
 *	while (zcbuf_reader_next(reader, &record, ZCBUF_NO_DEADLINE) == 1)
 *		write(fd, record.iov_base, record.iov_len);
 *
 * When are records delivered: when the window is full, by zcbuf_appender_flush() and
 * zcbuf_appender_close(), and when the first of them has waited for opts.linger_ns.
 * Nobody but the caller's own thread sees to that, at each reserve and at each
 * zcbuf_appender_poll().
 *
 * Who is killed loses the records of his open window, and nothing else: the failure
 * queue has that range of the stream, see zcbuf_receive_failed(). What had been
 * delivered stays.
 *
 * An appender and a reader are used by one thread at a time, and closed before the
 * channel or subscriber they were opened on. A fork child has none of the parent's:
 * -EBADF.
 *
 * Functions that are inline here are in the library as well, under the same names,
 * for other languages.
 */
#ifndef ZCBUF_RECORDS_H
#define ZCBUF_RECORDS_H

#include <zcbuf/zcbuf.h>

#include <zcbuf/topic.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef ZCBUF_INLINE
#define ZCBUF_INLINE static __inline__
#endif

/* ------------------------------------------------------------------ frames */

/*
 * struct zcbuf_frame - what stands before a framed record
 * @length: bytes of the record
 * @pad: bytes between this and the record
 *
 * In the byte order of the machine. The first is at the start of a window, each
 * other one at the next multiple of 8 behind the record before. So a window says by
 * itself where its records are, whatever alignment the writer had.
 */
struct zcbuf_frame {
	__u32 length;
	__u32 pad;
};

/* --------------------------------------------------------------- appenders */

#define ZCBUF_APPENDER_F_FRAMED		(1U << 0) /* a zcbuf_frame before each */
#define ZCBUF_APPENDER_F_NEED_CONSUMER	(1U << 1) /* EPIPE if there is none */

#define ZCBUF_APPENDER_WINDOW	(256U << 10)	/* bytes, the default */
#define ZCBUF_APPENDER_MAX	(1U << 30)	/* bytes of a window or record */

/*
 * struct zcbuf_appender_opts - how to append
 * @sz: sizeof(struct zcbuf_appender_opts)
 * @window: bytes of a window, rounded up to whole pages of 4096; 0: the default. An
 *	appender that is written to has as much of the pool, or up to twice that
 * @linger_ns: how long records may wait for more to come; 0: until the window is full
 * @user_tag: what consumers are told with each window, see zcbuf_delivery.user_tag
 * @encoding: the same, see zcbuf_delivery.encoding
 * @flags: ZCBUF_APPENDER_F_*
 * @align: where records begin: a power of two up to 4096; 0: framed 8 (and not
 *	less), else 1, which is one directly behind the other. Bytes in between are
 *	not written
 * @reserved: 0
 */
struct zcbuf_appender_opts {
	size_t sz;
	size_t window;
	__u64 linger_ns;
	__u64 user_tag;
	__u32 encoding;
	__u32 flags;
	__u32 align;
	__u32 reserved;
};

/*
 * struct zcbuf_appender - a window being written; the library has more behind it
 * @data: its first byte, at a multiple of 4096
 * @used: bytes of it that are behind us
 * @limit: bytes of it that can be had without asking
 * @mask: alignment of records, less 1
 * @record: where the one is that is reserved
 * @reserved: bytes of it, plus 1; 0: none is
 * @head: bytes before each record, 0 or sizeof(struct zcbuf_frame)
 * @nrecords: committed in it
 *
 * For the functions below; nobody else writes there.
 */
struct zcbuf_appender {
	unsigned char *data;
	size_t used;
	size_t limit;
	size_t mask;
	size_t record;
	size_t reserved;
	__u32 head;
	__u32 nrecords;
};

/*
 * zcbuf_appender_open() - begin to append to a channel
 * @channel: with a producer port
 * @opts: NULL: records without frames, windows of the default size
 * @appender: written; for zcbuf_appender_close()
 *
 * Makes no system call on the device: the first record reserves the first window.
 * -EINVAL: sz, align. -E2BIG: a window of more than ZCBUF_APPENDER_MAX.
 * -EOPNOTSUPP: an unknown flag. -EPERM: the pool is not mapped for writing. -EBADF:
 * it is closed, or in a fork child. -ENOMEM.
 */
ZCBUF_API int zcbuf_appender_open(struct zcbuf_channel *channel,
				  const struct zcbuf_appender_opts *opts,
				  struct zcbuf_appender **appender);

/*
 * zcbuf_appender_close() - deliver what is committed, and free it
 * @appender: NULL does nothing; freed whatever the result
 *
 * A record that is reserved is forgotten, and so is a window in which nothing was
 * committed: it is aborted, and the failure queue has it. Errors:
 * zcbuf_appender_flush(), and what was committed since the last delivery is lost.
 */
ZCBUF_API int zcbuf_appender_close(struct zcbuf_appender *appender);

/*
 * zcbuf_appender_renew() - what zcbuf_appender_reserve() calls if there is no room, or
 * the appender lingers; the same otherwise
 */
ZCBUF_API int zcbuf_appender_renew(struct zcbuf_appender *appender,
				   size_t length, __u64 deadline_ns,
				   void **record);

/* zcbuf_appender_refuse() - what zcbuf_appender_commit() answers if it may not be */
ZCBUF_API int zcbuf_appender_refuse(const struct zcbuf_appender *appender);

/*
 * zcbuf_appender_reserve() - room for a record
 * @length: the most bytes it may have; 0 is possible
 * @deadline_ns: how long to wait for the next window, if this one is full
 * @record: written: where to write it
 *
 * One at a time: a record that was reserved before and not committed is forgotten.
 * One that is larger than a window gets a window of its own.
 *
 * Return: 0, and the record is the caller's until zcbuf_appender_commit(),
 * _cancel(), or another reserve. When it has to turn over, errors are of two kinds.
 * -EAGAIN: no memory or credit for the next window, see zcbuf_appender_why();
 * -ETIMEDOUT: not until the deadline; -EINTR: a signal; -EPIPE: no consumer, if one is needed; -ENOMEM: it could
 * not be mapped; -E2BIG: no such window fits the pool, or more than
 * ZCBUF_APPENDER_MAX: the records before are delivered (or still in their window),
 * and it can be called again. -ESHUTDOWN: the channel was finalized; -ESTALE: the
 * window was failed by somebody else, or the session evicted: the records of this
 * window are lost. -EBADF: the pool is closed, or in a fork child.
 */
ZCBUF_INLINE int zcbuf_appender_reserve(struct zcbuf_appender *appender,
					size_t length, __u64 deadline_ns,
					void **record)
{
	size_t at = appender->used + appender->head;

	at += (0 - at) & appender->mask;
	if (at >= appender->limit || length > appender->limit - at)
		return zcbuf_appender_renew(appender, length, deadline_ns,
					    record);
	appender->record = at;
	appender->reserved = length + 1;
	*record = appender->data + at;
	return 0;
}

/*
 * zcbuf_appender_commit() - the record is written
 * @length: bytes of it, as many as were reserved or fewer
 *
 * A record of 0 bytes without a frame is none. Return: 0. -EALREADY: none is
 * reserved. -EMSGSIZE: @length is more than was; it is reserved as before. -EBADF: in
 * a fork child.
 */
ZCBUF_INLINE int zcbuf_appender_commit(struct zcbuf_appender *appender,
				       size_t length)
{
	size_t end = appender->record + length;
	struct zcbuf_frame *frame;

	if (length >= appender->reserved)
		return zcbuf_appender_refuse(appender);
	appender->reserved = 0;
	if (appender->head) {
		frame = (struct zcbuf_frame *)(void *)(appender->data +
						       appender->used);
		frame->length = (__u32)length;
		frame->pad = (__u32)(appender->record - appender->used -
				     sizeof(*frame));
		end = (end + sizeof(*frame) - 1) & ~(sizeof(*frame) - 1);
	} else if (!length) {
		return 0;
	}
	appender->used = end;
	appender->nrecords++;
	return 0;
}

/* zcbuf_appender_cancel() - the record that is reserved is none; never fails */
ZCBUF_INLINE void zcbuf_appender_cancel(struct zcbuf_appender *appender)
{
	appender->reserved = 0;
}

/*
 * zcbuf_appender_why() - what was short, of the -EAGAIN or -ETIMEDOUT before:
 * ZCBUF_WHY_*, as zcbuf_reserve_why(); 0 if nothing was. Never fails.
 */
ZCBUF_API __u32 zcbuf_appender_why(const struct zcbuf_appender *appender);

/*
 * zcbuf_appender_put() - a record of the @length bytes at @data, which are copied
 *
 * Return: 0. Errors: zcbuf_appender_reserve().
 */
ZCBUF_API int zcbuf_appender_put(struct zcbuf_appender *appender,
				 const void *data, size_t length,
				 __u64 deadline_ns);

/*
 * zcbuf_appender_flush() - deliver what is committed, now
 *
 * The next record reserves another window. Return: 1 if there was something, else 0.
 * -EBUSY: a record is reserved: commit or cancel it before. -ESHUTDOWN, -ESTALE: what
 * there was is lost, see zcbuf_appender_reserve(). -EBADF: the pool is closed, or in a
 * fork child.
 */
ZCBUF_API int zcbuf_appender_flush(struct zcbuf_appender *appender);

/*
 * zcbuf_appender_poll() - deliver what has waited for long enough
 * @due_ns: written, if not NULL: when to call it again, as a deadline; with
 *	ZCBUF_NO_DEADLINE nothing waits
 *
 * For event loops and between bursts of records: an appender that lingers looks at
 * the clock only here and at each reserve. Return: 1 if something was delivered,
 * else 0. Errors: zcbuf_appender_flush().
 */
ZCBUF_API int zcbuf_appender_poll(struct zcbuf_appender *appender,
				  __u64 *due_ns);

/*
 * zcbuf_appender_drop() - give up what was committed since the last delivery
 *
 * The window is aborted, and the failure queue has it; the next record reserves
 * another one. Return: 0, also if there is none. -ESHUTDOWN, -ESTALE: it had failed
 * before. -EBADF: the pool is closed, or in a fork child.
 */
ZCBUF_API int zcbuf_appender_drop(struct zcbuf_appender *appender);

/*
 * zcbuf_appender_tag() - another tag and encoding, of the window that is being
 * written and all that follow; flush before for those that follow alone. Return: 0.
 * -EBADF: in a fork child.
 */
ZCBUF_API int zcbuf_appender_tag(struct zcbuf_appender *appender,
				 __u64 user_tag, __u32 encoding);

/* ----------------------------------------------------------------- records */

/*
 * struct zcbuf_records - the framed records of a delivery, in order
 * @at: where the next frame is
 * @left: bytes from there to the end of its extent
 * @more: the extents behind that
 * @nmore: how many
 * @is_bad: they are no records
 */
struct zcbuf_records {
	const unsigned char *at;
	size_t left;
	struct iovec more[ZCBUF_MAX_EXTENTS];
	__u32 nmore;
	__u32 is_bad;
};

/*
 * zcbuf_records_begin() - the records of a delivery
 * @records: written
 * @pool: that it was received from
 * @delivery: not released while its records are read
 *
 * Return: 0. -ERANGE, -ENOMEM, -EBADF: zcbuf_delivery_iovec().
 */
ZCBUF_API int zcbuf_records_begin(struct zcbuf_records *records,
				  const struct zcbuf_pool *pool,
				  const struct zcbuf_delivery *delivery);

/*
 * zcbuf_records_next() - the next of them
 * @record: written: where its bytes are, in the pool
 *
 * Whoever may write to the pool can write anything there at any time. What stands in
 * a frame is read once and believed if the record lies within the extent: no other
 * memory is ever told. What the record says is up to the caller to check.
 *
 * Return: 1: a record. 0: there is no other. -ERANGE: what comes is no record, nor is
 * anything after it.
 */
ZCBUF_API int zcbuf_records_next(struct zcbuf_records *records,
				 struct iovec *record);

/* ----------------------------------------------------------------- readers */

struct zcbuf_reader;	/* opaque: a subscriber's deliveries, as records */

/*
 * struct zcbuf_reader_opts - how to read
 * @sz: sizeof(struct zcbuf_reader_opts)
 * @batch: deliveries that are taken at once, and released at once, 1 to
 *	ZCBUF_MAX_BATCH; 0: 32. They are out of the writers' reach meanwhile
 * @flags: 0
 */
struct zcbuf_reader_opts {
	size_t sz;
	__u32 batch;
	__u32 flags;
};

/*
 * zcbuf_reader_open() - read the framed records of what a subscriber takes
 * @subscriber: of a topic, or by handle of a stream; taken from by nobody else
 *	meanwhile
 * @opts: NULL: the defaults
 * @reader: written; for zcbuf_reader_close()
 *
 * Return: 0. -EINVAL: sz, batch. -EOPNOTSUPP: a flag. -ENOMEM.
 */
ZCBUF_API int zcbuf_reader_open(struct zcbuf_subscriber *subscriber,
				const struct zcbuf_reader_opts *opts,
				struct zcbuf_reader **reader);

/*
 * zcbuf_reader_close() - release what was taken, and free it
 * @reader: NULL does nothing; freed whatever the result
 *
 * Records that were not read are lost. Errors: zcbuf_subscriber_release().
 */
ZCBUF_API int zcbuf_reader_close(struct zcbuf_reader *reader);

/*
 * zcbuf_reader_take() - deliveries, as they are, up to a batch of them
 * @deliveries: written: where they are, as many as are returned
 * @deadline_ns: how long to wait for the first
 *
 * What was taken before is released first. If the queue is mapped and not empty this
 * makes no system call, and nothing is copied: they are where the kernel put them,
 * until they are released. zcbuf_records_begin() or zcbuf_delivery_iovec() go on from
 * there.
 *
 * Return: how many, at least 1. Errors: zcbuf_subscriber_release(),
 * zcbuf_subscriber_take().
 */
ZCBUF_API int zcbuf_reader_take(struct zcbuf_reader *reader,
				const struct zcbuf_delivery *const **deliveries,
				__u64 deadline_ns);

/*
 * zcbuf_reader_release() - done with all that was taken, in one call
 *
 * Return: 0, also if there is none. Errors: zcbuf_subscriber_release(); those that
 * could be released are.
 */
ZCBUF_API int zcbuf_reader_release(struct zcbuf_reader *reader);

/*
 * zcbuf_reader_next() - the next record of all that is delivered
 * @record: written: where its bytes are, in the pool, until the next call
 * @deadline_ns: how long to wait for one
 *
 * Makes no system call if there is another record of what was taken. Otherwise that
 * is released, also if there is nothing new, and more is taken.
 *
 * Return: 1: a record. -ERANGE: the rest of this delivery is no records, or it is
 * not in this pool; the next call goes on with the next one. -EBADF: the pool is
 * closed, or in a fork child. Otherwise the errors of
 * zcbuf_subscriber_release() and zcbuf_subscriber_take(), -ESHUTDOWN: the end, among
 * them.
 */
ZCBUF_API int zcbuf_reader_next(struct zcbuf_reader *reader,
				struct iovec *record, __u64 deadline_ns);

/*
 * zcbuf_reader_delivery() - what the last record is of: whose it is, its tag and its
 * offset in the stream; NULL: there was none. Until the next zcbuf_reader_next().
 */
ZCBUF_API const struct zcbuf_delivery *
zcbuf_reader_delivery(const struct zcbuf_reader *reader);

#ifdef __cplusplus
}
#endif

#endif /* ZCBUF_RECORDS_H */

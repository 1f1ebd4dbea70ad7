/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * libzcbuf-user: publishers and subscribers, by name, without a daemon. A part
 * of <zcbuf/zcbuf.h>, which includes it and says what holds for all functions.
 *
 * A topic is a channel that gives each message to every subscriber there is. A
 * publisher takes (loans) a buffer of the pool, writes the message there and
 * publishes it; a subscriber takes the message, reads the very same bytes and
 * releases it, and when the last of them has, the buffer is free. Nobody copies.
 *
 *	struct zcbuf_name name = { .service = "RadarService",
 *				   .instance = "Front", .event = "PointCloud" };
 *
 *	zcbuf_publisher_open(pool, &name, NULL, &publisher);
 *	zcbuf_publisher_loan(publisher, 144, 0, &loan);
 *	length = snprintf(loan.data, loan.capacity, "seq=%u", n);
 *	zcbuf_publisher_publish(publisher, &loan, length, NULL, 0, deadline);
 *
 *	zcbuf_subscriber_open(pool, &name, NULL, &subscriber);
 *	zcbuf_subscriber_take(subscriber, &sample, 1, ZCBUF_NO_DEADLINE);
 *	printf("%.*s\n", (int)sample.length, (const char *)sample.data);
 *	zcbuf_subscriber_release(subscriber, &sample, 1);
 *
 * Who comes first makes the topic, and it is there as long as anybody has it
 * open. The options of a topic that is there (history) are the same for all who
 * name them, or left at 0; a subscriber's own (depth, policy, ...) concern nobody
 * else. What dies is gone at once: its loans and what it had taken come back, what
 * it had published stays readable, the others go on.
 *
 * Publishers and subscribers may be used by any number of threads at once, as
 * channels may; a loan and a sample by one at a time. Ports belong to the session:
 * two publishers of one topic on one pool object are the same publisher (they count
 * one sequence), two subscribers share one queue, and the first that is closed
 * closes the other. Subscribers that shall each get everything attach to the pool
 * each for themselves.
 */
#ifndef ZCBUF_TOPIC_H
#define ZCBUF_TOPIC_H

#include <zcbuf/zcbuf.h>

#ifdef __cplusplus
extern "C" {
#endif

struct zcbuf_publisher;		/* opaque: the producer port of a topic */
struct zcbuf_subscriber;	/* opaque: the consumer port of a topic */

/* ------------------------------------------------------------- transforms */

/*
 * struct zcbuf_transform - how messages are encoded on the way: compressed,
 * encrypted, whatever takes bytes to bytes
 * @sz: sizeof(struct zcbuf_transform)
 * @bound: the most bytes that @length bytes can become; NULL: @length
 * @encode: write what the @length bytes at @src become to @dst, where there is
 *	room for @capacity, at least the bound. Publishers need it.
 * @decode: the way back, into room of @capacity. Subscribers need it. -EMSGSIZE:
 *	that is too little.
 * @ctx: handed to all three
 * @encoding: what it is called in a message, not 0; publisher and subscribers
 *	agree on it, the kernel carries it
 *
 * Both return bytes written, or a negative errno, which is the result of the call
 * they were made for. They are called without a lock, by whatever thread makes
 * that call, and not after the publisher or subscriber was closed. The memory a
 * message is decoded from is shared: who may write to the pool can change it
 * meanwhile, so a decoder must keep its bounds whatever it reads.
 */
struct zcbuf_transform {
	size_t sz;
	size_t (*bound)(void *ctx, size_t length);
	__s64 (*encode)(void *ctx, void *dst, size_t capacity, const void *src,
			size_t length);
	__s64 (*decode)(void *ctx, void *dst, size_t capacity, const void *src,
			size_t length);
	void *ctx;
	__u32 encoding;
	__u32 reserved;
};

/* -------------------------------------------------------------- publishers */

/*
 * struct zcbuf_publisher_opts - how to publish
 * @sz: sizeof(struct zcbuf_publisher_opts)
 * @channel: without a name: the topic, from zcbuf_channel_handle(); 0: a new one
 *	that has no name
 * @transform: what zcbuf_publisher_send() does to messages; copied. NULL: nothing
 * @deadline_ns: with ZCBUF_CHANNEL_F_EXISTING: how long to wait for the topic
 * @flags: ZCBUF_CHANNEL_F_EXISTING: somebody else makes it; ZCBUF_CHANNEL_F_NEW:
 *	nobody else has; or 0. And ZCBUF_CHANNEL_F_IMMUTABLE: a message that was
 *	published cannot be written to any more, by anybody, before it is released
 * @history: messages the topic keeps for those who subscribe later; 0: none, or as
 *	it is
 */
struct zcbuf_publisher_opts {
	size_t sz;
	__u64 channel;
	const struct zcbuf_transform *transform;
	__u64 deadline_ns;
	__u32 flags;
	__u32 history;
};

/*
 * zcbuf_publisher_open() - begin to publish to a topic
 * @name: of the topic; NULL: by handle, or it has none
 * @opts: NULL: the name is made if it is not there
 * @publisher: written; for zcbuf_publisher_close()
 *
 * IMMUTABLE: who touches a message later, to read it as well, gets SIGBUS. Its
 * subscribers have the pool without a right to write (-EPERM); loans are whole huge
 * pages, or pages in a pool of small ones (-EINVAL of what is none, when it is
 * published), that nobody else holds (-EBUSY). Memory that is registered with a ring is
 * not delivered: neither this pool nor another one of the same memory should be.
 *
 * -EEXIST: the topic has another history, or is a stream; or it is there at all
 * (NEW). -ENOENT: it is not there (EXISTING without deadline, or the handle).
 * -ETIMEDOUT, -EINTR: it did not come. -EINVAL: a part of the name is empty (the
 * domain may be), longer than ZCBUF_MAX_LABEL or has blanks or '/'; @name and a
 * handle; a transform without encode or encoding. -EPERM: no right PRODUCE.
 * -EMFILE: channels of this pool. -ENOMEM.
 */
ZCBUF_API int zcbuf_publisher_open(struct zcbuf_pool *pool,
				   const struct zcbuf_name *name,
				   const struct zcbuf_publisher_opts *opts,
				   struct zcbuf_publisher **publisher);

/*
 * zcbuf_publisher_close() - stop publishing, and free it
 * @publisher: NULL does nothing; freed whatever the result
 *
 * What was published stays with the subscribers. Loans are buffers of the session
 * and stay so: return them, or zcbuf_pool_close() does. -EBADF: the pool was closed
 * before, or in a fork child.
 */
ZCBUF_API int zcbuf_publisher_close(struct zcbuf_publisher *publisher);

/*
 * zcbuf_publisher_channel() - the channel below, for what has no name of its own
 * here: its handle, reservations, flush, finalize. The publisher's to close. Never
 * fails.
 */
ZCBUF_API struct zcbuf_channel *
zcbuf_publisher_channel(const struct zcbuf_publisher *publisher);

/*
 * zcbuf_publisher_loan() - a buffer to write a message in
 * @length: bytes, at least; loan->capacity is what there are
 * @deadline_ns: how long to wait while the pool has no room
 * @loan: written; to be published or returned
 *
 * A loan is a buffer of the pool like any other, and any other can be published
 * like a loan: one that was allocated with options, or adopted, or that a read was
 * made into. Errors: zcbuf_buf_alloc().
 */
ZCBUF_API int zcbuf_publisher_loan(struct zcbuf_publisher *publisher,
				   size_t length, __u64 deadline_ns,
				   struct zcbuf_buf *loan);

/*
 * zcbuf_publisher_loan_batch() - several of them, in one system call
 * @loans: room for @count; written
 * @count: 1 to ZCBUF_MAX_BATCH
 *
 * Return: how many were got, at least 1. Errors: zcbuf_publisher_loan().
 */
ZCBUF_API int zcbuf_publisher_loan_batch(struct zcbuf_publisher *publisher,
					 size_t length, __u64 deadline_ns,
					 struct zcbuf_buf *loans,
					 unsigned int count);

/*
 * zcbuf_publisher_return() - the loan is not published; its buffer is free
 * @loan: zeroed when it is done; if it is zero, or was published, nothing is done
 *
 * Errors: zcbuf_buf_free(), and then it is as it was.
 */
ZCBUF_API int zcbuf_publisher_return(struct zcbuf_publisher *publisher,
				     struct zcbuf_buf *loan);

/*
 * zcbuf_publisher_publish() - the message is written: every subscriber gets it
 * @loan: consumed and zeroed when it is done; the caller's as before if it fails
 * @length: bytes of the message, from the first of the buffer on
 * @entry: user_tag, encoding and priority are read, all else is written: out_seq
 *	(how many this publisher had published before), out_delivered (subscribers
 *	that get it) and out_dropped (subscribers that lose it, or an older one for
 *	it). NULL: 0, and nobody wants to know
 * @flags: ZCBUF_PUBLISH_F_NEED_CONSUMER or 0
 * @deadline_ns: how long to wait for room in the queues of subscribers whose
 *	policy is BLOCK
 *
 * The memory is read by others from then on: nobody writes to it any more. With no
 * subscriber it is done, out_delivered is 0, and the buffer is free again. The
 * transform is not applied: that is zcbuf_publisher_send().
 *
 * -EAGAIN: a BLOCK subscriber has no room now, or subscribers hold as much as the
 * topic may be asked for: zcbuf_publish_why(). -ETIMEDOUT, -EINTR: not until the
 * deadline, a signal. -EPIPE: no subscriber, and NEED_CONSUMER. -EALREADY: it was
 * published; or there is no buffer, as it was published or returned. -EINVAL:
 * @length 0. -ERANGE: @length is beyond the capacity. -EPERM: the buffer is another
 * session's, or no right MAP_WRITE. -EBADSLT, -ESTALE: it was freed. -EOPNOTSUPP:
 * it is not in the pool, see zcbuf_buf_alloc_opts(). -ESHUTDOWN: the topic was
 * finalized. -ENOMEM: no memory for the kernel's records.
 */
ZCBUF_API int zcbuf_publisher_publish(struct zcbuf_publisher *publisher,
				      struct zcbuf_buf *loan, size_t length,
				      struct zcbuf_publication *entry,
				      __u32 flags, __u64 deadline_ns);

/*
 * zcbuf_publisher_publish_batch() - several of them, in one system call
 * @loans: each with its length set, zcbuf_buf_set_length(); those that were
 *	published are zeroed
 * @entries: one for each, as above; handle and length are written, too
 * @count: 1 to ZCBUF_MAX_BATCH
 * @deadline_ns: of the first; the others do not wait
 *
 * Return: how many were published, in order, at least 1; if fewer than @count, the
 * call for the rest says why. Errors: zcbuf_publisher_publish().
 */
ZCBUF_API int zcbuf_publisher_publish_batch(struct zcbuf_publisher *publisher,
					    struct zcbuf_buf *loans,
					    struct zcbuf_publication *entries,
					    unsigned int count, __u32 flags,
					    __u64 deadline_ns);

/*
 * zcbuf_publisher_send() - loan, encode (or copy) and publish, at once
 * @data: the message, in memory of the caller's
 * @length: bytes of it, not 0
 * @entry: as above; with a transform its encoding is written, too
 * @deadline_ns: how long to wait, for memory and for room
 *
 * With a transform the loan is as large as its bound, and what it encodes to is
 * published. Whatever fails, no loan is left. Errors: zcbuf_publisher_loan(),
 * zcbuf_publisher_publish(), and those of the transform. -EINVAL also: it encodes
 * to nothing. -ERANGE also: it says that it has written more than there is room for.
 */
ZCBUF_API int zcbuf_publisher_send(struct zcbuf_publisher *publisher,
				   const void *data, size_t length,
				   struct zcbuf_publication *entry, __u32 flags,
				   __u64 deadline_ns);

/*
 * zcbuf_publish() - the same, raw: buffers, by their handles, to any channel that
 * this session has a producer port of, streams among them
 * @entries: handle, length (0: the capacity), user_tag, encoding and priority are
 *	read, the rest is written
 * @count: 1 to ZCBUF_MAX_BATCH
 * @flags: ZCBUF_PUBLISH_F_*
 * @deadline_ns: how long to wait for room for the first
 *
 * Return: how many were published, in order, at least 1; if fewer than @count, the
 * call for the rest says why. Errors: struct zcbuf_publish.
 */
ZCBUF_API int zcbuf_publish(struct zcbuf_channel *channel,
			    struct zcbuf_publication *entries,
			    unsigned int count, __u32 flags,
			    __u64 deadline_ns);

/*
 * zcbuf_publish_why() - the same, and what was short
 * @why: written: as of zcbuf_reserve_why(): a BLOCK consumer's queue, or the
 *	reservations that the channel may hold
 */
ZCBUF_API int zcbuf_publish_why(struct zcbuf_channel *channel,
				struct zcbuf_publication *entries,
				unsigned int count, __u32 flags,
				__u64 deadline_ns, __u32 *why);

/* ------------------------------------------------------------- subscribers */

/*
 * struct zcbuf_subscriber_opts - how to subscribe
 * @sz: sizeof(struct zcbuf_subscriber_opts)
 * @channel: without a name: the topic, or a stream, from zcbuf_channel_handle(); 0: a
 *	new topic that has no name
 * @transforms: those zcbuf_subscriber_decode() knows, by their encodings; copied
 * @deadline_ns: with ZCBUF_CHANNEL_F_EXISTING: how long to wait for the topic
 * @ntransforms: entries of @transforms
 * @flags: ZCBUF_CHANNEL_F_EXISTING, ZCBUF_CHANNEL_F_NEW or 0, as for publishers
 * @history: as for publishers
 * @depth: messages the queue has room for; 0: 1024
 * @policy: what happens when it is full: ZCBUF_POLICY_BLOCK (and _DEFAULT)
 *	publishers wait, ZCBUF_POLICY_DROP_NEWEST the new one is not got,
 *	ZCBUF_POLICY_DROP_OLDEST the oldest is lost for it
 * @max_held: messages that may be taken and not released; 0: 64. Of a stream also with
 *	those in the queue, so that a slow subscriber keeps none from the others
 * @lanes: of the queue, 1 to ZCBUF_MAX_LANES: messages of a higher priority are
 *	taken first; 0: 1
 * @replay: messages of the history that it shall begin with, as many as there are;
 *	0: none
 */
struct zcbuf_subscriber_opts {
	size_t sz;
	__u64 channel;
	const struct zcbuf_transform *const *transforms;
	__u64 deadline_ns;
	__u32 ntransforms;
	__u32 flags;
	__u32 history;
	__u32 depth;
	__u32 policy;
	__u32 max_held;
	__u32 lanes;
	__u32 replay;
};

/*
 * zcbuf_subscriber_open() - begin to get what is published to a topic
 * @name: of the topic; NULL: by handle, or it has none
 * @opts: NULL: the name is made if it is not there
 * @subscriber: written; for zcbuf_subscriber_close()
 *
 * The rights MAP_READ and CONSUME are enough: messages of a pool that is attached
 * with no more are in memory this process cannot write to.
 *
 * Subscribers of a stream share what comes: each group is one's, and what one that is
 * closed, or dies, has not taken is another's. It has neither lanes, history nor
 * a policy but ZCBUF_POLICY_PARK.
 *
 * Errors: zcbuf_publisher_open(), with right CONSUME. -EEXIST also: the session
 * has subscribed already, with other options. -EINVAL also: a policy that is none,
 * lanes; a transform without decode or encoding; one encoding twice.
 */
ZCBUF_API int zcbuf_subscriber_open(struct zcbuf_pool *pool,
				    const struct zcbuf_name *name,
				    const struct zcbuf_subscriber_opts *opts,
				    struct zcbuf_subscriber **subscriber);

/*
 * zcbuf_subscriber_close() - get no more, and free it
 * @subscriber: NULL does nothing; freed whatever the result
 *
 * What it had taken is released. -EBADF: the pool was closed before, or in a fork
 * child.
 */
ZCBUF_API int zcbuf_subscriber_close(struct zcbuf_subscriber *subscriber);

/*
 * zcbuf_subscriber_channel() - the channel below, for what has no name of its own
 * here: its handle, an eventfd of the caller's. The subscriber's to close. Never
 * fails.
 */
ZCBUF_API struct zcbuf_channel *
zcbuf_subscriber_channel(const struct zcbuf_subscriber *subscriber);

/*
 * struct zcbuf_sample - a message that was taken
 * @delivery: what the kernel says of it: seq (of this publisher, from 0; a gap is
 *	a loss), publisher (the zcbuf_pool_session() of it), time_ns, user_tag,
 *	encoding, priority, lost (messages this subscriber has lost so far, for want
 *	of room), handle, extents
 * @data: its first byte, in the pool, read only. NULL: it is in two pieces, which
 *	only a group of several reservations can be, or the arena is new here and
 *	could not be mapped now: zcbuf_delivery_iovec() tells where it is, or tries
 *	again.
 * @length: bytes
 */
struct zcbuf_sample {
	struct zcbuf_delivery delivery;
	const void *data;
	size_t length;
};

/*
 * zcbuf_subscriber_take() - take messages; without a system call if there are some
 * @samples: room for @count; written; each to be released
 * @count: 1 to ZCBUF_MAX_BATCH
 * @deadline_ns: how long to wait for the first; 0: not at all
 *
 * Return: how many were taken, at least 1. -EAGAIN: there is none. -ETIMEDOUT,
 * -EINTR: none until the deadline, a signal. -ENOSPC: it holds max_held of them,
 * and there are more: release some. -ESHUTDOWN: the topic was finalized, and all
 * was taken. -EPERM: it was closed with another one of the session.
 */
ZCBUF_API int zcbuf_subscriber_take(struct zcbuf_subscriber *subscriber,
				    struct zcbuf_sample *samples,
				    unsigned int count, __u64 deadline_ns);

/*
 * zcbuf_subscriber_release() - done with them
 * @samples: those that were released have no data any more
 * @count: 1 to ZCBUF_MAX_BATCH
 *
 * Return: how many were released, in order, at least 1; if fewer than @count, the
 * call for the rest says why. -EBADSLT: released already. -ENOENT: never taken.
 */
ZCBUF_API int zcbuf_subscriber_release(struct zcbuf_subscriber *subscriber,
				       struct zcbuf_sample *samples,
				       unsigned int count);

/*
 * zcbuf_subscriber_decode() - the message as it was before it was sent
 * @sample: taken and not released; stays as it is, whatever the result
 * @dst: room for @capacity bytes, written: the caller's, not where the message is
 *
 * A message that is not encoded (encoding 0) is copied, also one in two pieces.
 * Return: bytes written. -EPROTONOSUPPORT: an encoding this subscriber has no
 * transform for; sample->data has it as it is. -EMSGSIZE: it needs more room than
 * @capacity. Others: of the transform. -ERANGE also: the transform says that it has
 * written more than there is room for. -ENOMEM: its arena is new here and could not
 * be mapped. -EINVAL: it was released, or never taken.
 */
ZCBUF_API __s64 zcbuf_subscriber_decode(const struct zcbuf_subscriber *subscriber,
					const struct zcbuf_sample *sample,
					void *dst, size_t capacity);

/*
 * zcbuf_subscriber_lost() - messages it has lost so far for want of room, as the
 * last one taken tells. Makes no system call; never fails.
 */
ZCBUF_API __u64 zcbuf_subscriber_lost(const struct zcbuf_subscriber *subscriber);

/*
 * zcbuf_subscriber_eventfd() - an eventfd that counts every message that comes
 *
 * For event loops; those that are there already count. Read it, then take until
 * -EAGAIN. Return: a descriptor (close-on-exec, non-blocking), the caller's to
 * close; the next call of this one replaces it.
 */
ZCBUF_API int zcbuf_subscriber_eventfd(struct zcbuf_subscriber *subscriber);

/*
 * zcbuf_subscriber_fd() - the session, for poll(): POLLIN when there is a message
 * of this or any other subscriber of it, see zcbuf_pool_fd(). The pool's to close.
 * -EBADF in a fork child.
 */
ZCBUF_API int zcbuf_subscriber_fd(const struct zcbuf_subscriber *subscriber);

/* ---------------------------------------------------------------- waitsets */

struct zcbuf_waitset;		/* opaque: what waits for many subscribers */

/*
 * struct zcbuf_waitset_entry - a subscriber that has something
 * @subscriber: it
 * @context: as it was added
 */
struct zcbuf_waitset_entry {
	struct zcbuf_subscriber *subscriber;
	void *context;
};

/*
 * zcbuf_waitset_create() - wait for many subscribers of a pool
 *
 * What wait costs depends on how many have something, not on how many there are, and
 * without having to wait it costs no system call. Return: 0. -EBUSY: the pool has one
 * already. -EOPNOTSUPP: not with this kernel. -ENOMEM, -EMFILE, -EBADF.
 */
ZCBUF_API int zcbuf_waitset_create(struct zcbuf_pool *pool,
				   struct zcbuf_waitset **set);

/*
 * zcbuf_waitset_close() - subscribers stay, and nobody may be waiting
 * @set: NULL does nothing
 */
ZCBUF_API void zcbuf_waitset_close(struct zcbuf_waitset *set);

/*
 * zcbuf_waitset_add() - wait for this one as well
 * @context: for the caller's own use
 *
 * A subscriber that is closed is removed by that; no other thread may be waiting
 * then. Return: 0. -EBUSY: it is in a set. -EINVAL: of another pool. -EOPNOTSUPP:
 * not of a topic, or its queue could not be mapped. -ENOMEM. -EBADF: in a fork child.
 */
ZCBUF_API int zcbuf_waitset_add(struct zcbuf_waitset *set,
				struct zcbuf_subscriber *subscriber,
				void *context);

/*
 * zcbuf_waitset_remove() - not for this one
 *
 * Return: 0. -ENOENT: it is not there. -EBADF: in a fork child.
 */
ZCBUF_API int zcbuf_waitset_remove(struct zcbuf_waitset *set,
				   struct zcbuf_subscriber *subscriber);

/*
 * zcbuf_waitset_wait() - which subscribers have something to take
 * @entries: room for @count; written
 * @deadline_ns: how long to wait for the first
 *
 * Something is a message or the end, which zcbuf_subscriber_take() then says. Who is
 * told and does not take is told again, after the others; who holds as many as it may
 * is not, until it releases some. One thread waits at a time, others may take, add and
 * remove meanwhile. Return: how many, at least 1. -EAGAIN: none. -ETIMEDOUT, -EINTR:
 * none until the deadline, a signal. -EBADF: the pool is closed, or in a fork child.
 */
ZCBUF_API int zcbuf_waitset_wait(struct zcbuf_waitset *set,
				 struct zcbuf_waitset_entry *entries,
				 unsigned int count, __u64 deadline_ns);

/* --------------------------------------------------- requests and replies */

struct zcbuf_client;	/* opaque: asks, and has a topic of its own for replies */
struct zcbuf_server;	/* opaque: is asked, and replies */

/*
 * A request is a message to the topic of a server; its user_tag says where the
 * client waits for the reply, whose user_tag is the seq of the request. Both are
 * read where they were written. If several servers have the same name each gets
 * every request, and the first reply counts. Clients and servers are used by one
 * thread at a time.
 */

/*
 * zcbuf_client_open() - be able to ask
 * @name: of the server
 * @opts: of the publisher of requests, or NULL: with ZCBUF_CHANNEL_F_EXISTING and a
 *	deadline it waits for the server
 * @client: written; for zcbuf_client_close()
 *
 * Takes the rights PRODUCE, CONSUME, MAP_READ and MAP_WRITE. Errors:
 * zcbuf_publisher_open(), zcbuf_subscriber_open(). -EINVAL also: no name.
 */
ZCBUF_API int zcbuf_client_open(struct zcbuf_pool *pool,
				const struct zcbuf_name *name,
				const struct zcbuf_publisher_opts *opts,
				struct zcbuf_client **client);

/* zcbuf_client_close() - as zcbuf_publisher_close(); replies it had are released */
ZCBUF_API int zcbuf_client_close(struct zcbuf_client *client);

/*
 * zcbuf_client_call() - ask, and wait for the reply
 * @request: a buffer of the pool; consumed and zeroed when it was sent
 * @length: bytes of it
 * @reply: written; for zcbuf_client_release()
 * @deadline_ns: for all of it
 *
 * If it fails and @request is zero, it was sent, and may have been served; a reply
 * that comes later is dropped. A server that dies with the request is not noticed
 * before the deadline. -EPIPE: there is no server. -ETIMEDOUT: no reply until the
 * deadline. -EINTR: a signal came. Otherwise zcbuf_publisher_publish().
 */
ZCBUF_API int zcbuf_client_call(struct zcbuf_client *client,
				struct zcbuf_buf *request, size_t length,
				struct zcbuf_sample *reply, __u64 deadline_ns);

/*
 * zcbuf_client_send() - the first half of a call
 * @number: written: of the request, for zcbuf_client_wait()
 *
 * Errors: zcbuf_client_call(), and then nothing was sent.
 */
ZCBUF_API int zcbuf_client_send(struct zcbuf_client *client,
				struct zcbuf_buf *request, size_t length,
				__u64 *number, __u64 deadline_ns);

/*
 * zcbuf_client_wait() - the second half; also again, after -EINTR or -ETIMEDOUT
 * @number: of the request that was sent last; replies to others are dropped
 *
 * Errors: zcbuf_subscriber_take().
 */
ZCBUF_API int zcbuf_client_wait(struct zcbuf_client *client, __u64 number,
				struct zcbuf_sample *reply, __u64 deadline_ns);

/* zcbuf_client_release() - done with a reply; 0, or as zcbuf_release() */
ZCBUF_API int zcbuf_client_release(struct zcbuf_client *client,
				   struct zcbuf_sample *reply);

/*
 * zcbuf_server_open() - be asked
 * @name: under which clients find it
 * @opts: of the subscriber of requests, or NULL
 * @server: written; for zcbuf_server_close()
 *
 * Rights and errors: as zcbuf_client_open().
 */
ZCBUF_API int zcbuf_server_open(struct zcbuf_pool *pool,
				const struct zcbuf_name *name,
				const struct zcbuf_subscriber_opts *opts,
				struct zcbuf_server **server);

/* zcbuf_server_close() - as zcbuf_subscriber_close() */
ZCBUF_API int zcbuf_server_close(struct zcbuf_server *server);

/*
 * zcbuf_server_subscriber() - the subscriber below: for an eventfd, or to take many
 * requests at once. The server's to close. Never fails.
 */
ZCBUF_API struct zcbuf_subscriber *
zcbuf_server_subscriber(const struct zcbuf_server *server);

/*
 * zcbuf_server_take() - take a request
 * @request: written; for zcbuf_server_reply() or zcbuf_server_release()
 *
 * Return: 0. Errors: zcbuf_subscriber_take().
 */
ZCBUF_API int zcbuf_server_take(struct zcbuf_server *server,
				struct zcbuf_sample *request,
				__u64 deadline_ns);

/*
 * zcbuf_server_reply() - answer a request, and release it
 * @request: taken and not released; the caller's as before if this fails
 * @reply: a buffer of the pool; consumed and zeroed when it is done
 * @length: bytes of it
 *
 * Never waits: a client that does not take its replies loses the oldest. -EPIPE: the
 * client is gone, or it asked for no reply; @request is to be released and @reply to
 * be used otherwise. Otherwise zcbuf_publisher_publish().
 */
ZCBUF_API int zcbuf_server_reply(struct zcbuf_server *server,
				 struct zcbuf_sample *request,
				 struct zcbuf_buf *reply, size_t length);

/* zcbuf_server_release() - done with a request that is not answered; 0, or as above */
ZCBUF_API int zcbuf_server_release(struct zcbuf_server *server,
				   struct zcbuf_sample *request);

/* ---------------------------------------------------------------- watches */

struct zcbuf_watcher;		/* opaque: which channels somebody was told of */

#define ZCBUF_CHANNEL_APPEARED	1
#define ZCBUF_CHANNEL_GONE	2	/* whoever had it closed it, or died */
#define ZCBUF_CHANNEL_CHANGED	3	/* its producers, consumers or state */

/*
 * struct zcbuf_watch_change - what is not as it was
 * @what: ZCBUF_CHANNEL_*
 * @reserved: 0
 * @entry: the channel: name (no 0 is behind its parts, but their lengths are told),
 *	handle, flags, state, producers, consumers. GONE: as it was last told
 */
struct zcbuf_watch_change {
	__u32 what;
	__u32 reserved;
	struct zcbuf_watch_entry entry;
};

/*
 * zcbuf_watch_create() - see which channels with a name the pool has, as it changes
 * @watcher: written; for zcbuf_watch_close()
 *
 * Takes no right but to be attached. Used by one thread at a time. Return: 0.
 * -EOPNOTSUPP: not with this kernel. -ENOMEM, -EBADF.
 */
ZCBUF_API int zcbuf_watch_create(struct zcbuf_pool *pool,
				 struct zcbuf_watcher **watcher);

/* zcbuf_watch_close() - NULL does nothing; never fails */
ZCBUF_API void zcbuf_watch_close(struct zcbuf_watcher *watcher);

/*
 * zcbuf_watch_next() - the next change
 * @change: written
 * @deadline_ns: how long to wait for one, if all was told; 0: not at all
 *
 * Begins with all that are there, APPEARED. Of what changed since it looked last,
 * what is gone comes first: a name that was given up and taken again is GONE, and
 * APPEARED with another handle. Go by the handles: a list that is made while channels
 * come and go may have one name twice. What changed and was changed back is not told.
 *
 * For event loops: after -EAGAIN zcbuf_pool_fd() polls POLLPRI when there is more, for
 * one watcher of a pool object. -EAGAIN, -ETIMEDOUT, -EINTR: no change now, until the
 * deadline, until a signal. -EBADF: the pool is closed, or in a fork child. -ESTALE:
 * the session was evicted. -ENOMEM. Whatever fails, nothing is missed by it.
 */
ZCBUF_API int zcbuf_watch_next(struct zcbuf_watcher *watcher,
			       struct zcbuf_watch_change *change,
			       __u64 deadline_ns);

/* ------------------------------------------------------------------- gaps */

/*
 * struct zcbuf_seq - how far one publisher's messages have come
 * @publisher: zcbuf_delivery.publisher
 * @next: the number its next one should have
 * @is_used: 1 once there was one; { 0 } is nobody's
 */
struct zcbuf_seq {
	__u64 publisher;
	__u64 next;
	__u32 is_used;
	__u32 reserved;
};

/*
 * zcbuf_seq_of() - the one of a publisher, in a table of the caller's
 * @table: @n entries, all 0 in the beginning
 *
 * Takes a free one if it has none. NULL: there is none free. Never fails otherwise.
 */
static __inline__ struct zcbuf_seq *
zcbuf_seq_of(struct zcbuf_seq *table, size_t n, __u64 publisher)
{
	size_t i;

	for (i = 0; i < n && table[i].is_used; i++)
		if (table[i].publisher == publisher)
			return &table[i];
	if (i == n)
		return NULL;
	table[i].publisher = publisher;
	return &table[i];
}

/*
 * zcbuf_seq_gap() - how many messages of its publisher are missing right before
 * this one
 * @seq: of that publisher
 *
 * 0 for the first there is. -1 for one that comes after later ones, out of a lane
 * of lower priority: it was taken for missing and is not. So the sum of what this
 * returns is how many are missing by now. Never fails.
 */
static __inline__ __s64 zcbuf_seq_gap(struct zcbuf_seq *seq,
				      const struct zcbuf_delivery *delivery)
{
	__u64 next = seq->is_used ? seq->next : delivery->seq;

	if (delivery->seq < next)
		return -1;
	seq->publisher = delivery->publisher;
	seq->next = delivery->seq + 1;
	seq->is_used = 1;
	return (__s64)(delivery->seq - next);
}

#ifdef __cplusplus
}
#endif

#endif /* ZCBUF_TOPIC_H */

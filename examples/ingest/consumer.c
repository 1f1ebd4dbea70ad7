// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The consumer: takes complete groups and has io_uring write them to the
 * output, from where the producers have put the bytes. A group goes back to the
 * pool when it is written. The file is opened O_DIRECT: every group starts at
 * a multiple of BLOCK and ends at one, the bytes in between being the rest of
 * its own last page, zeroed.
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "worker.h"

#define GROUPS		8		/* being written at the same time */
#define MAX_WRITE	((uint64_t)1 << 30)

struct flight;

/*
 * struct piece - an extent that is being written
 * @flight: its group
 * @data: where it is
 * @place: where it goes, offset in the output
 * @length: bytes, with padding
 * @done: bytes of them that are written
 */
struct piece {
	struct flight *flight;
	unsigned char *data;
	uint64_t place;
	uint64_t length;
	uint64_t done;
};

/*
 * struct flight - a group on its way to the disk
 * @delivery: the group; handle 0: this one is free
 * @failed: what is lost of it, if it is a failed group
 * @piece: its extents
 * @writing: pieces not yet written
 */
struct flight {
	struct zcbuf_delivery delivery;
	struct zcbuf_failed *failed;
	struct piece piece[ZCBUF_MAX_EXTENTS];
	unsigned int writing;
};

/*
 * struct queue - one of the two queues groups come from
 * @event: eventfd that counts its groups
 * @is_ready: there may be something in it
 * @has_ended: and there never will be again
 */
struct queue {
	int event;
	bool is_ready;
	bool has_ended;
};

/*
 * struct consumer
 * @worker: pool, channel, ledger
 * @ring: writes
 * @uring: the pool, registered with it
 * @whole, @failed: the queues
 * @out: the output
 * @end: where the next group goes
 * @busy: entries of @flight in use
 * @prepared: writes to be submitted
 * @flight: the groups that are being written
 */
struct consumer {
	struct worker worker;
	struct io_uring ring;
	struct zcbuf_uring uring;
	struct queue whole;
	struct queue failed;
	int out;
	uint64_t end;
	unsigned int busy;
	unsigned int prepared;
	struct flight flight[GROUPS];
};

/* ----------------------------------------------------------------- writing */

/* The part of a piece that is not written yet. */
static void prepare_write(struct consumer *c, struct piece *piece)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&c->ring);
	uint64_t left = piece->length - piece->done;
	struct tally *tally = c->worker.tally;

	if (left > MAX_WRITE)
		left = MAX_WRITE;
	if (zcbuf_uring_prep_write(&c->uring, sqe, c->out,
				   piece->data + piece->done, left,
				   piece->place + piece->done))
		count(&tally->fixed, 1);
	else
		count(&tally->plain, 1);
	io_uring_sqe_set_data(sqe, piece);
	c->prepared++;
}

static int start_piece(struct consumer *c, struct flight *flight,
		       unsigned int i)
{
	const struct zcbuf_extent *extent = &flight->delivery.extents[i];
	struct zcbuf_pool *pool = c->worker.pool;
	int64_t length;

	length = zcbuf_extent_pad(pool, extent, BLOCK);
	if (length < 0)
		return call_failed("cannot pad a group", length);
	flight->piece[i] = (struct piece){
		.flight = flight,
		.data = zcbuf_pool_addr(pool, extent->pool_offset),
		.place = c->end,
		.length = length,
	};
	c->end += length;
	flight->writing++;
	prepare_write(c, &flight->piece[i]);
	return 0;
}

/* There is one: nobody takes more groups than that. */
static struct flight *free_flight(struct consumer *c)
{
	struct flight *flight = c->flight;

	while (flight->delivery.handle)
		flight++;
	return flight;
}

static int start_group(struct consumer *c,
		       const struct zcbuf_delivery *delivery,
		       struct zcbuf_failed *failed)
{
	struct flight *flight = free_flight(c);
	unsigned int i;
	int err = 0;

	*flight = (struct flight){ .delivery = *delivery, .failed = failed };
	c->busy++;
	for (i = 0; i < delivery->nextents && !err; i++)
		err = start_piece(c, flight, i);
	return err;
}

static int submit(struct consumer *c)
{
	int n;

	while (c->prepared) {
		count(&c->worker.tally->other_calls, 1);
		n = io_uring_submit(&c->ring);
		if (n < 0 && n != -EINTR && n != -EAGAIN) {
			complain("cannot submit: %s", strerror(-n));
			return n;
		}
		if (n > 0)
			c->prepared -= n;
	}
	return 0;
}

/* ------------------------------------------------------------------ taking */

/* What a receive said that did not receive anything. */
static int queue_settle(struct queue *queue, int err)
{
	if (err != -EAGAIN && err != -ESHUTDOWN)
		return call_failed("cannot receive", err);
	queue->is_ready = false;
	queue->has_ended = err == -ESHUTDOWN;
	return 0;
}

static int take_groups(struct consumer *c)
{
	struct zcbuf_delivery delivery[GROUPS];
	int err = 0;
	int n, i;

	while (!err && c->whole.is_ready && c->busy < GROUPS) {
		n = zcbuf_receive(c->worker.channel, delivery, GROUPS - c->busy,
				  0);
		if (n < 0)
			return queue_settle(&c->whole, n);
		for (i = 0; i < n && !err; i++)
			err = start_group(c, &delivery[i], NULL);
	}
	return err;
}

/* All of a failed group is written, so its pieces keep their distances. */
static int take_failed(struct consumer *c)
{
	struct zcbuf_failed *failed;
	int err = 0;

	while (!err && c->failed.is_ready && c->busy < GROUPS) {
		err = zcbuf_receive_failed(c->worker.channel, &failed, 0);
		if (err)
			return queue_settle(&c->failed, err);
		err = start_group(c, &failed->delivery, failed);
	}
	return err;
}

/* ---------------------------------------------------------------- released */

static int tell_lost(struct consumer *c, const struct zcbuf_failed *failed)
{
	struct message message = {
		.kind = MESSAGE_LOST,
		.from = c->worker.index,
	};
	int err = 0;
	uint32_t i;

	for (i = 0; i < failed->nlost && !err; i++) {
		message.id = failed->lost[i].id;
		message.offset = failed->lost[i].offset;
		message.length = failed->lost[i].length;
		err = worker_send(&c->worker, &message, 1);
	}
	return err;
}

/* Where the group is in the output, and that it is there. */
static int tell_group(struct consumer *c, const struct flight *flight)
{
	const struct zcbuf_delivery *delivery = &flight->delivery;
	struct message message[ZCBUF_MAX_EXTENTS + 1];
	uint64_t offset = delivery->offset;
	unsigned int n;

	for (n = 0; n < delivery->nextents; n++) {
		message[n] = (struct message){
			.kind = MESSAGE_EXTENT,
			.from = c->worker.index,
			.id = delivery->group,
			.offset = offset,
			.length = delivery->extents[n].length,
			.place = flight->piece[n].place,
		};
		offset += delivery->extents[n].length;
	}
	message[n++] = (struct message){
		.kind = flight->failed ? MESSAGE_FAILED_GROUP : MESSAGE_GROUP,
		.from = c->worker.index,
		.id = delivery->group,
	};
	return worker_send(&c->worker, message, n);
}

static int finish_group(struct consumer *c, struct flight *flight)
{
	int err = 0;

	if (flight->failed)
		err = tell_lost(c, flight->failed);
	if (!err)
		err = tell_group(c, flight);
	zcbuf_failed_free(flight->failed);
	flight->delivery.handle = 0;
	c->busy--;
	return err;
}

/* Give back what is written, in one call, and only then say so. */
static int release(struct consumer *c, struct flight **written, unsigned int n)
{
	uint64_t bytes = 0;
	__u64 handles[GROUPS];
	unsigned int i;
	int err;

	for (i = 0; i < n; i++)
		handles[i] = written[i]->delivery.handle;
	err = zcbuf_release(c->worker.channel, handles, n);
	if (err != (int)n)
		return call_failed("cannot release", err < 0 ? err : -EIO);
	for (i = 0, err = 0; i < n && !err; i++) {
		bytes += written[i]->delivery.length;
		err = finish_group(c, written[i]);
	}
	count(&c->worker.tally->bytes, bytes);
	return err;
}

/* ----------------------------------------------------------------- reaping */

/*
 * A write may have been short, or there was more than one write can do: the
 * rest of the piece is written next, from a multiple of BLOCK on.
 *
 * Return: 1 if the piece is all written, 0 if not yet.
 */
static int piece_advance(struct consumer *c, struct piece *piece, int result)
{
	if (result < 0 && result != -EINTR && result != -EAGAIN)
		return result;
	if (result >= 0 && result < BLOCK)
		return -EIO;
	if (result > 0)
		piece->done += result / BLOCK * BLOCK;
	if (piece->done == piece->length)
		return 1;
	prepare_write(c, piece);
	return 0;
}

/* Look at all writes that have ended, release the groups that are written. */
static int reap(struct consumer *c)
{
	struct flight *written[GROUPS];
	struct io_uring_cqe *cqe;
	struct piece *piece;
	unsigned int n = 0;
	int done;

	while (!io_uring_peek_cqe(&c->ring, &cqe)) {
		piece = io_uring_cqe_get_data(cqe);
		done = piece_advance(c, piece, cqe->res);
		io_uring_cqe_seen(&c->ring, cqe);
		if (done < 0) {
			complain("cannot write the output: %s",
				 strerror(-done));
			return done;
		}
		if (done && !--piece->flight->writing)
			written[n++] = piece->flight;
	}
	return n ? release(c, written, n) : 0;
}

/* ----------------------------------------------------------------- waiting */

static bool can_take(const struct consumer *c)
{
	return c->busy < GROUPS && (c->whole.is_ready || c->failed.is_ready);
}

static bool has_finished(const struct consumer *c)
{
	return c->whole.has_ended && c->failed.has_ended && !c->busy;
}

static void queue_wake(struct consumer *c, struct queue *queue,
		       const struct pollfd *pfd)
{
	uint64_t groups;

	if (!(pfd->revents & POLLIN))
		return;
	count(&c->worker.tally->other_calls, 1);
	if (read(queue->event, &groups, sizeof(groups)) == sizeof(groups))
		queue->is_ready = true;
}

/* Sleep until there is a group to take, if we can take one, or one written. */
static int wait_for_events(struct consumer *c)
{
	bool room = c->busy < GROUPS;
	struct pollfd pfd[] = {
		{ .fd = room ? c->whole.event : -1, .events = POLLIN },
		{ .fd = room ? c->failed.event : -1, .events = POLLIN },
		{ .fd = c->ring.ring_fd, .events = POLLIN },
	};

	count(&c->worker.tally->other_calls, 1);
	if (poll(pfd, 3, -1) < 0)
		return errno == EINTR ? 0 : -errno;
	queue_wake(c, &c->whole, &pfd[0]);
	queue_wake(c, &c->failed, &pfd[1]);
	return 0;
}

static int consume(struct consumer *c)
{
	int err = 0;

	while (!err && !has_finished(c)) {
		err = take_groups(c);
		if (!err)
			err = take_failed(c);
		if (!err)
			err = submit(c);
		if (!err)
			err = reap(c);
		if (!err && !c->prepared && !can_take(c) && !has_finished(c))
			err = wait_for_events(c);
	}
	return err;
}

/* ------------------------------------------------------------- begin, end */

static int arm(struct consumer *c)
{
	struct zcbuf_channel *channel = c->worker.channel;

	c->whole.event = zcbuf_channel_eventfd(channel, 0);
	if (c->whole.event < 0)
		return call_failed("no eventfd", c->whole.event);
	c->failed.event = zcbuf_channel_eventfd(channel,
						ZCBUF_EVENTFD_F_FAILED);
	if (c->failed.event < 0)
		return call_failed("no eventfd", c->failed.event);
	return 0;
}

/* A pool that cannot be registered can be written from all the same. */
static int ring_open(struct consumer *c)
{
	int err;

	err = io_uring_queue_init(GROUPS * ZCBUF_MAX_EXTENTS, &c->ring, 0);
	if (err) {
		complain("cannot make an io_uring: %s", strerror(-err));
		return err;
	}
	err = zcbuf_uring_register(&c->uring, &c->ring, c->worker.pool);
	if (err)
		call_failed("cannot register the pool with io_uring, so the writes will be plain ones",
			    err);
	return 0;
}

static int open_all(struct consumer *c, const char *out)
{
	int err;

	c->out = open(out, O_WRONLY | O_DIRECT | O_CLOEXEC);
	if (c->out < 0) {
		complain("cannot open %s: %s", out, strerror(errno));
		return -EIO;
	}
	err = ring_open(c);
	return err ? err : arm(c);
}

static int close_all(struct consumer *c)
{
	int err = 0;

	if (fdatasync(c->out)) {
		err = -errno;
		complain("cannot write the output: %s", strerror(-err));
	}
	zcbuf_uring_unregister(&c->uring);
	io_uring_queue_exit(&c->ring);
	close(c->whole.event);
	close(c->failed.event);
	close(c->out);
	return err;
}

int consumer_main(char **args)
{
	struct consumer c = { 0 };
	int err;

	if (worker_attach(&c.worker, args,
			  ZCBUF_PORT_CONSUME | ZCBUF_PORT_RECV_FAILED))
		return INGEST_FAILED;
	err = open_all(&c, args[ARG_EXTRA]);
	if (!err)
		err = consume(&c);
	if (!err)
		err = close_all(&c);
	if (!err)
		err = worker_say(&c.worker, MESSAGE_DONE, 0);
	if (!err)
		worker_wait(&c.worker);
	worker_detach(&c.worker);
	return err ? INGEST_FAILED : INGEST_OK;
}

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * A producer: takes the next file from the ledger, reserves room for all of it,
 * reads it there. Committing a file and reserving room for the next one is a
 * single system call, so a file costs one zcbuf call.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "manifest.h"
#include "worker.h"

/* What the producer that will be killed does: so many files, then it holds. */
#define VICTIM_FILES	5
#define VICTIM_HOLDS	3

#define ROOM_TIMEOUT_MS	2000
#define ROOM_TIMEOUTS	15	/* without progress by anybody */

/*
 * struct source - a file to be read
 * @row: its row in the ledger
 * @fd: open for reading; -1: it is not
 */
struct source {
	struct row *row;
	int fd;
};

/*
 * struct producer
 * @worker: pool, channel, ledger
 * @writer: the reservation of the file that is being read, or was read last
 *	and is to be committed together with the next reservation
 * @row: the row of that file
 */
struct producer {
	struct worker worker;
	struct zcbuf_writer writer;
	struct row *row;
};

static void give_up(struct producer *p, struct row *row, int err)
{
	char name[ESCAPED_MAX];

	escape_path(ledger_path(p->worker.ledger, row), name);
	if (err == -EAGAIN)
		complain("%s: given up, it changed %d times while it was read",
			 name, LEDGER_TRIES);
	else if (err == -E2BIG)
		complain("%s: is larger than an arena of the pool", name);
	else
		complain("%s: %s", name, strerror(-err));
	row->error = err;
	row_set_state(row, ROW_UNREAD);
}

/* ------------------------------------------------------------------ files */

static void source_close(struct producer *p, struct source *source)
{
	count(&p->worker.tally->other_calls, 1);
	close(source->fd);
	source->fd = -1;
}

static int source_stat(struct source *source)
{
	struct row *row = source->row;
	struct stat st;

	if (fstat(source->fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	row->size = st.st_size;
	row->mtime = st.st_mtim;
	return 0;
}

/*
 * Open it, or open it again; how large is it now? Not to be kept waiting, if
 * somebody has put a FIFO in its place.
 */
static int source_open(struct producer *p, struct source *source)
{
	int err;

	count(&p->worker.tally->other_calls, 2);
	source->fd = open(ledger_path(p->worker.ledger, source->row),
			  O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (source->fd < 0)
		return -errno;
	err = source_stat(source);
	if (err)
		source_close(p, source);
	return err;
}

/* Nothing to be read, nothing to be reserved: a row in the ledger will do. */
static bool source_is_empty(struct producer *p, struct source *source)
{
	if (source->row->size)
		return false;
	source_close(p, source);
	row_set_state(source->row, ROW_EMPTY);
	return true;
}

/* -EAGAIN: it is not the file any more that room was reserved for. */
static int source_check(struct producer *p, const struct source *source)
{
	struct stat st;

	count(&p->worker.tally->other_calls, 1);
	if (fstat(source->fd, &st))
		return -errno;
	return row_is_current(source->row, &st) ? 0 : -EAGAIN;
}

/* The next file that has something to read. False: there is none. */
static bool source_next(struct producer *p, struct source *source)
{
	int err;

	for (;;) {
		source->row = ledger_take(p->worker.ledger, p->worker.index);
		if (!source->row)
			return false;
		err = source_open(p, source);
		if (err)
			give_up(p, source->row, err);
		else if (!source_is_empty(p, source))
			return true;
	}
}

/* ----------------------------------------------------------- reservations */

static void note_committed(struct producer *p)
{
	count(&p->worker.tally->files, 1);
	count(&p->worker.tally->bytes, p->row->size);
	row_set_state(p->row, ROW_COMMITTED);
}

/* From here on, whoever reads the ledger knows what we hold. */
static void note_reserved(struct producer *p, struct row *row)
{
	const struct zcbuf_writer *w = &p->writer;

	row->span[row->tries] = (struct span){
		.id = w->id,
		.offset = w->offset,
		.length = w->length,
	};
	row->tries++;
	p->row = row;
	row_set_state(row, ROW_RESERVED);
}

static uint64_t progress(const struct producer *p)
{
	struct tally total;

	ledger_sum(p->worker.ledger, &total);
	return total.files + total.fixed + total.plain;
}

/*
 * Reserve when nothing is waiting to be committed. There may be no room until
 * the consumer has written something; that is its business, unless nothing at
 * all moves any more.
 */
static int reserve(struct producer *p, uint64_t length)
{
	uint64_t before = progress(p);
	int patience = ROOM_TIMEOUTS;
	int err;

	do {
		err = zcbuf_writer_reserve(p->worker.channel, length, 0,
					   zcbuf_deadline_ms(ROOM_TIMEOUT_MS),
					   &p->writer);
		if (err != -ETIMEDOUT && err != -EINTR)
			return err;
		if (progress(p) != before)
			patience = ROOM_TIMEOUTS;
		before = progress(p);
	} while (patience--);
	return err;
}

/* Commit the file read last, if there is one, and reserve for the next. */
static int turn_over(struct producer *p, uint64_t length)
{
	int done;

	if (!p->writer.is_open)
		return reserve(p, length);
	done = zcbuf_writer_turn(&p->writer, length, 0,
				 zcbuf_deadline_ms(ROOM_TIMEOUT_MS));
	if (done < 0)
		return done;
	note_committed(p);
	if (done)
		return 0;
	if (p->writer.error != -ETIMEDOUT && p->writer.error != -EINTR)
		return p->writer.error;
	return reserve(p, length);
}

static int commit(struct producer *p)
{
	int err;

	if (!p->writer.is_open)
		return 0;
	err = zcbuf_writer_commit(&p->writer);
	if (!err)
		note_committed(p);
	return err;
}

/* ---------------------------------------------------------------- the work */

/* The kernel puts the bytes of the file where they will be written from. */
static int fill(struct producer *p, const struct source *source)
{
	struct zcbuf_writer *w = &p->writer;
	ssize_t n;

	while (zcbuf_writer_room(w)) {
		count(&p->worker.tally->other_calls, 1);
		n = read(source->fd, zcbuf_writer_cursor(w),
			 zcbuf_writer_room(w));
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -EAGAIN;
		if (n > 0)
			zcbuf_writer_placed(w, n);
	}
	return source_check(p, source);
}

/* The file into the reservation just made; what is not right is aborted. */
static int read_file(struct producer *p, struct source *source)
{
	int err;

	note_reserved(p, source->row);
	err = fill(p, source);
	source_close(p, source);
	if (err)
		zcbuf_writer_drop(&p->writer);
	return err;
}

/* No room for a file, because it has grown, is no reason to stop. */
static int no_room(struct producer *p, struct source *source, int err)
{
	source_close(p, source);
	give_up(p, source->row, err);
	return err == -E2BIG ? 0 : err;
}

/*
 * One file. If it changed meanwhile its reservation has the wrong size, or a
 * mixture of old and new in it, and it gets another one.
 *
 * Return: 0, also if this file was given up; else producing cannot go on.
 */
static int ingest(struct producer *p, struct source *source)
{
	struct row *row = source->row;
	int err;

	for (;;) {
		err = turn_over(p, row->size);
		if (err)
			return no_room(p, source, err);
		err = read_file(p, source);
		if (!err)
			return 0;
		if (err == -EAGAIN && row->tries < LEDGER_TRIES)
			err = source_open(p, source);
		if (err)
			break;
		if (source_is_empty(p, source))
			return 0;
	}
	give_up(p, row, err);
	return 0;
}

static int produce(struct producer *p, uint64_t limit)
{
	struct source source;
	int err = 0;

	while (!err && limit-- && source_next(p, &source))
		err = ingest(p, &source);
	return err ? err : commit(p);
}

/* The part of the victim: reserve, tell, and never write, nor drop. */
static int hold(struct producer *p)
{
	struct source source;
	unsigned int held;
	int err;

	for (held = 0; held < VICTIM_HOLDS && source_next(p, &source); held++) {
		err = reserve(p, source.row->size);
		source_close(p, &source);
		if (err)
			return err;
		note_reserved(p, source.row);
		p->writer = (struct zcbuf_writer){ 0 };
	}
	err = worker_say(&p->worker, MESSAGE_HOLDING, held);
	worker_wait(&p->worker);
	return err;
}

static int work(struct producer *p, bool is_victim)
{
	int err;

	err = produce(p, is_victim ? VICTIM_FILES : UINT64_MAX);
	if (!err && is_victim)
		err = hold(p);
	return err;
}

int producer_main(char **args)
{
	struct producer p = { 0 };
	int err;

	err = worker_attach(&p.worker, args, ZCBUF_PORT_PRODUCE);
	if (err)
		return INGEST_FAILED;
	err = work(&p, !strcmp(args[ARG_EXTRA], "victim"));
	if (!err)
		err = worker_say(&p.worker, MESSAGE_DONE, 0);
	if (err)
		complain("producer %u: %s", p.worker.index,
			 zcbuf_strerror(err));
	else
		worker_wait(&p.worker);
	worker_detach(&p.worker);
	return err ? INGEST_FAILED : INGEST_OK;
}

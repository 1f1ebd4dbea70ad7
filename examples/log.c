// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * log FILE [WRITERS [RECORDS]]: so many processes (4) write so many records of 1 KiB
 * (10000) each, and this one puts them into a file. The first of them kills itself in
 * the middle, by SIGKILL, in the middle of a record.
 *
 * A record costs a writer no system call: it is written where the reader will find
 * it, in a window, and some 250 of them are handed over at once. The reader writes a
 * window to the file as it is there, without copying it. What is lost with the killed
 * one is what was in his window, and the failure queue knows which bytes of the
 * stream that is.
 *
 * It ends with status 1 if a record is missing or in the wrong place that should not
 * be, or if there were more than 0.02 calls on the device for each.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zcbuf/zcbuf.h>

#define MAX_WRITERS	64
#define RECORD		1024
#define BATCH		32
#define PER_WINDOW	256	/* at most, with a frame before each */
#define MAX_CALLS	0.02	/* for each record */

/*
 * struct writer - what all processes know of one, also when it is dead
 * @session: its zcbuf_pool_session()
 * @committed: records it has written
 * @calls: on the device, up to now
 */
struct writer {
	__u64 session;
	__u64 committed;
	__u64 calls;
};

/*
 * struct log - the reader's
 * @next: by writer, the number of the record that should come next
 * @lost: ranges of the stream
 * @wrong: records and ranges that should not be
 */
struct log {
	char name[32];
	struct zcbuf_pool *pool;
	struct zcbuf_channel *channel;
	struct zcbuf_subscriber *subscriber;
	struct writer *writers;
	unsigned int nwriters;
	__u64 records;
	__u64 next[MAX_WRITERS];
	__u64 lost;
	__u64 wrong;
	int file;
};

/* For what cannot go wrong on a healthy system; returns what is not an error. */
static int must(int result, const char *what)
{
	if (result >= 0)
		return result;
	fprintf(stderr, "log: %s: %s\n", what, zcbuf_strerror(result));
	exit(EXIT_FAILURE);
}

static __u64 calls_so_far(void)
{
	struct zcbuf_stats stats = { .sz = sizeof(stats) };

	must(zcbuf_stats(&stats), "stats");
	return stats.ioctls;
}

/* ----------------------------------------------------------------- a writer */

static void write_record(char *record, unsigned int writer, __u64 number)
{
	int n = snprintf(record, RECORD, "writer %u record %llu ", writer,
			 (unsigned long long)number);

	memset(record + n, '.', RECORD - n);
	record[RECORD - 1] = '\n';
}

/* The first one does not come to an end. */
static void write_all(const struct log *log, struct zcbuf_appender *appender,
		      unsigned int number)
{
	struct writer *self = &log->writers[number];
	void *record;
	__u64 n;

	for (n = 0; n < log->records; n++) {
		must(zcbuf_appender_reserve(appender, RECORD, ZCBUF_NO_DEADLINE,
					    &record), "reserve");
		write_record(record, number, n);
		if (!number && n == log->records / 2) {
			self->calls = calls_so_far();
			raise(SIGKILL);
		}
		must(zcbuf_appender_commit(appender, RECORD), "commit");
		self->committed++;
	}
}

/* A process of its own; fork() has taken from it all that was its parent's. */
static void be_writer(const struct log *log, unsigned int number, __u64 handle,
		      int is_there)
{
	const struct zcbuf_appender_opts opts = {
		.sz = sizeof(opts), .flags = ZCBUF_APPENDER_F_FRAMED,
	};
	struct zcbuf_appender *appender;
	struct zcbuf_channel *channel;
	struct zcbuf_pool *pool;

	must(zcbuf_pool_attach(&pool, log->name, NULL), "attach");
	must(zcbuf_channel_attach(pool, handle, ZCBUF_PORT_PRODUCE, 0,
				  &channel), "channel");
	must(zcbuf_appender_open(channel, &opts, &appender), "appender");
	log->writers[number].session = zcbuf_pool_session(pool);
	close(is_there);
	write_all(log, appender, number);
	must(zcbuf_appender_close(appender), "the last window");
	log->writers[number].calls = calls_so_far();
	_exit(EXIT_SUCCESS);
}

/* --------------------------------------------------------------- the reader */

static void open_log(struct log *log, const char *path)
{
	const struct zcbuf_pool_opts pool = {
		.sz = sizeof(pool), .name = log->name, .arena_size = 32 << 20,
	};
	const struct zcbuf_channel_opts channel = {
		.sz = sizeof(channel),
		.ports = ZCBUF_PORT_PRODUCE | ZCBUF_PORT_RECV_FAILED,
	};
	struct zcbuf_subscriber_opts subscriber = { .sz = sizeof(subscriber) };

	log->file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	log->writers = mmap(NULL, sizeof(*log->writers) * MAX_WRITERS,
			    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			    -1, 0);
	if (log->file < 0 || log->writers == MAP_FAILED) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	snprintf(log->name, sizeof(log->name), "example-log-%d", getpid());
	must(zcbuf_pool_create(&log->pool, &pool), "pool");
	must(zcbuf_channel_create(log->pool, &channel, &log->channel),
	     "channel");
	subscriber.channel = zcbuf_channel_handle(log->channel);
	must(zcbuf_subscriber_open(log->pool, NULL, &subscriber,
				   &log->subscriber), "subscriber");
}

/*
 * The stream ends with its last producer: this process is one as long as not all of
 * the others are there, which is when each has closed his end of the pipe.
 */
static void start_writers(struct log *log)
{
	__u64 handle = zcbuf_channel_handle(log->channel);
	unsigned int i;
	int ends[2];
	char none;

	if (pipe(ends)) {
		perror("log: pipe");
		exit(EXIT_FAILURE);
	}
	for (i = 0; i < log->nwriters; i++) {
		switch (fork()) {
		case 0:
			be_writer(log, i, handle, ends[1]);
			break;
		case -1:
			perror("log: fork");
			exit(EXIT_FAILURE);
		}
	}
	close(ends[1]);
	while (read(ends[0], &none, 1) < 0 && errno == EINTR)
		;
	close(ends[0]);
	must(zcbuf_channel_leave(log->channel, ZCBUF_PORT_PRODUCE), "leave");
}

/* Each writer's are in the order in which it wrote them. */
static bool is_next(struct log *log, const struct iovec *record)
{
	unsigned long long number;
	unsigned int writer;
	char text[64];

	if (record->iov_len != RECORD)
		return false;
	memcpy(text, record->iov_base, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	if (sscanf(text, "writer %u record %llu ", &writer, &number) != 2 ||
	    writer >= log->nwriters)
		return false;
	return log->next[writer]++ == number;
}

static void write_window(struct log *log, const struct zcbuf_sample *window)
{
	struct iovec iov[PER_WINDOW];
	struct zcbuf_records records;
	int n = 0;

	must(zcbuf_records_begin(&records, log->pool, &window->delivery),
	     "a window");
	while (n < PER_WINDOW &&
	       must(zcbuf_records_next(&records, &iov[n]), "a record")) {
		log->wrong += !is_next(log, &iov[n]);
		n++;
	}
	log->wrong += (__u32)n != window->delivery.nrecords;
	if (writev(log->file, iov, n) != (ssize_t)n * RECORD) {
		perror("log: write");
		exit(EXIT_FAILURE);
	}
}

static void read_all(struct log *log)
{
	struct zcbuf_sample windows[BATCH];
	int n, i;

	for (;;) {
		n = zcbuf_subscriber_take(log->subscriber, windows, BATCH,
					  ZCBUF_NO_DEADLINE);
		if (n == -ESHUTDOWN)
			return;
		must(n, "take");
		for (i = 0; i < n; i++)
			write_window(log, &windows[i]);
		must(zcbuf_subscriber_release(log->subscriber, windows, n),
		     "release");
	}
}

static void say_lost(struct log *log, const struct zcbuf_failed *failed)
{
	unsigned int i = 0;
	__u64 records;
	__u32 n;

	while (i < log->nwriters &&
	       log->writers[i].session != failed->delivery.publisher)
		i++;
	if (i == log->nwriters) {
		log->wrong++;
		return;
	}
	for (n = 0; n < failed->nlost; n++)
		printf("log: writer %u was killed; bytes %llu to %llu of the stream are lost, with its records from %llu to %llu\n",
		       i, (unsigned long long)failed->lost[n].offset,
		       (unsigned long long)failed->lost[n].offset +
		       failed->lost[n].length - 1,
		       (unsigned long long)log->next[i],
		       (unsigned long long)log->writers[i].committed - 1);
	log->lost += failed->nlost;
	/* All of them were in one window. */
	records = log->writers[i].committed - log->next[i];
	log->wrong += i != 0 || failed->nlost != 1 ||
		      records * RECORD > failed->lost[0].length;
	log->next[i] = log->writers[i].committed;
}

static void read_lost(struct log *log)
{
	struct zcbuf_failed *failed;
	int err;

	for (;;) {
		err = zcbuf_receive_failed(log->channel, &failed, 0);
		if (err == -ESHUTDOWN)
			return;
		must(err, "what is lost");
		say_lost(log, failed);
		must(zcbuf_release(log->channel, &failed->delivery.handle, 1),
		     "release");
		zcbuf_failed_free(failed);
	}
}

/* Is all there that was written? And what did it cost? */
static int sum_up(struct log *log)
{
	__u64 calls = calls_so_far();
	__u64 records = 0;
	double each;
	unsigned int i;

	for (i = 0; i < log->nwriters; i++) {
		log->wrong += log->next[i] != log->writers[i].committed;
		records += log->writers[i].committed;
		calls += log->writers[i].calls;
	}
	log->wrong += log->lost != 1;
	each = (double)calls / records;
	printf("log: %llu records, %llu ranges lost, %llu wrong; %llu calls, %.4f for each\n",
	       (unsigned long long)records, (unsigned long long)log->lost,
	       (unsigned long long)log->wrong, (unsigned long long)calls, each);
	return log->wrong || each >= MAX_CALLS ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct log log = {
		.nwriters = argc > 2 ? atoi(argv[2]) : 4,
		.records = argc > 3 ? strtoull(argv[3], NULL, 0) : 10000,
	};
	int result;

	if (argc < 2 || !log.nwriters || log.nwriters > MAX_WRITERS ||
	    !log.records) {
		fputs("usage: log FILE [WRITERS [RECORDS]]\n", stderr);
		return 2;
	}
	open_log(&log, argv[1]);
	start_writers(&log);
	read_all(&log);
	read_lost(&log);
	while (wait(NULL) > 0)
		;
	result = sum_up(&log);
	zcbuf_subscriber_close(log.subscriber);
	zcbuf_channel_close(log.channel);
	zcbuf_pool_close(log.pool);
	return result;
}

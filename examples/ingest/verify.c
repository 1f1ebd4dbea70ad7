// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "manifest.h"
#include "report.h"
#include "sha256.h"
#include "verify.h"

#define MAX_THREADS	8
#define READ_SIZE	((size_t)256 << 10)

/*
 * struct check - what the threads share
 * @next: the first row nobody has taken
 * @done: rows checked
 * @problems: found so far
 * @ledger: the rows to check
 * @output: all of the output, mapped
 */
struct check {
	_Atomic uint64_t next;
	_Atomic uint64_t done;
	_Atomic uint64_t problems;
	struct ledger *ledger;
	const unsigned char *output;
};

static int hash_fd(int fd, unsigned char *buffer, unsigned char *digest)
{
	struct sha256 sha;
	ssize_t n;

	sha256_init(&sha);
	while ((n = read(fd, buffer, READ_SIZE)) != 0) {
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			sha256_update(&sha, buffer, n);
	}
	sha256_final(&sha, digest);
	return 0;
}

/* -ESTALE: the file has changed since it was read. */
static int hash_input(const struct check *check, const struct row *row,
		      unsigned char *buffer, unsigned char *digest)
{
	struct stat st;
	int err;
	int fd;

	fd = open(ledger_path(check->ledger, row),
		  O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	err = hash_fd(fd, buffer, digest);
	if (!err && fstat(fd, &st))
		err = -errno;
	if (!err && !row_is_current(row, &st))
		err = -ESTALE;
	close(fd);
	return err;
}

static void hash_output(const struct check *check, struct row *row)
{
	const struct span *span = row_span(row);
	struct sha256 sha;

	sha256_init(&sha);
	sha256_update(&sha, check->output + span->place, span->length);
	sha256_final(&sha, row->sha256);
}

static void problem(struct check *check, struct row *row,
		    enum row_state state, const char *what)
{
	char name[ESCAPED_MAX];

	complain("%s: %s", escape_path(ledger_path(check->ledger, row), name),
		 what);
	row_set_state(row, state);
	check->problems++;
}

static void check_row(struct check *check, struct row *row,
		      unsigned char *buffer)
{
	unsigned char expected[SHA256_SIZE];
	int err;

	hash_output(check, row);
	err = hash_input(check, row, buffer, expected);
	if (err)
		problem(check, row, ROW_UNVERIFIED, err == -ESTALE ?
			"changed after it was read, cannot be compared" :
			strerror(-err));
	else if (memcmp(row->sha256, expected, SHA256_SIZE))
		problem(check, row, ROW_DAMAGED,
			"is something else in the output");
	else
		row_set_state(row, ROW_LANDED);
}

static void *check_rows(void *arg)
{
	struct check *check = arg;
	unsigned char *buffer = malloc(READ_SIZE);
	struct row *row;
	uint64_t i;

	while (buffer && (i = check->next++) < check->ledger->nrows) {
		row = &check->ledger->row[i];
		if (row_state(row) == ROW_COMMITTED)
			check_row(check, row, buffer);
		count(&check->done, 1);
	}
	free(buffer);
	return NULL;
}

/* Waits for a thread, and shows meanwhile how far all of them are. */
static void join(const struct check *check, pthread_t thread)
{
	struct timespec soon;

	do {
		report_progress("verified", check->done,
				check->ledger->nrows, "");
		clock_gettime(CLOCK_REALTIME, &soon);
		soon.tv_sec++;
	} while (pthread_timedjoin_np(thread, NULL, &soon) == ETIMEDOUT);
}

/* As many threads as there are processors; with none we do it ourselves. */
static void check_all(struct check *check)
{
	unsigned long want = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t thread[MAX_THREADS];
	unsigned int n = 0;

	while (n < want && n < MAX_THREADS &&
	       !pthread_create(&thread[n], NULL, check_rows, check))
		n++;
	if (!n)
		check_rows(check);
	while (n)
		join(check, thread[--n]);
}

/* What was never a file's must not have become somebody's. */
static void check_padding(struct check *check, const struct book *book)
{
	const struct landing *landing;
	uint64_t i, j, end;

	for (i = 0; i < book->nlandings; i++) {
		landing = &book->landing[i];
		end = landing->place + round_up(landing->length, BLOCK);
		j = landing->place + landing->length;
		while (j < end && !check->output[j])
			j++;
		if (j == end)
			continue;
		complain("the padding at %" PRIu64 " of the output is not zero",
			 j);
		check->problems++;
	}
}

static int check_output(struct ledger *ledger, const struct book *book,
			const unsigned char *output)
{
	struct check check = { .ledger = ledger, .output = output };
	uint64_t i;

	check_all(&check);
	check_padding(&check, book);
	for (i = 0; i < ledger->nrows; i++)
		if (row_state(&ledger->row[i]) == ROW_COMMITTED)
			return -ENOMEM;
	return check.problems;
}

static int check_size(int fd, const char *out, uint64_t size)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if ((uint64_t)st.st_size == size)
		return 0;
	complain("%s: the groups end at %" PRIu64 ", the file at %" PRIu64, out,
		 size, (uint64_t)st.st_size);
	return -ENODATA;
}

/*
 * It was written with O_DIRECT, so none of it is in the page cache, unless
 * somebody else has read it: what is mapped here comes from the disk.
 */
static int map_output(const char *out, uint64_t size, void **output)
{
	int fd = open(out, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	err = check_size(fd, out, size);
	if (!err && size) {
		*output = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
		if (*output == MAP_FAILED)
			err = -errno;
	}
	close(fd);
	return err;
}

int verify(struct ledger *ledger, const struct book *book, const char *out)
{
	void *output = NULL;
	int result;

	result = map_output(out, book->end, &output);
	if (result)
		return result;
	result = check_output(ledger, book, output);
	if (output)
		munmap(output, book->end);
	return result;
}

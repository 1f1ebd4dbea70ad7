// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Before anything moves: what is to be read, and the pool it goes through. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "list.h"
#include "manifest.h"
#include "run.h"

#define DEFAULT_ARENA	(64 * MIB)

/* ------------------------------------------------------------------- input */

static int cannot_open(const char *path, int err)
{
	if (err == -EINVAL)
		complain("cannot open %s: this file system cannot do O_DIRECT, see --out",
			 path);
	else
		complain("cannot open %s: %s", path, strerror(-err));
	return err;
}

/* Creates a file if need be, but leaves alone what is in it. */
static int open_own(const char *path, int flags, struct stat *st)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666);

	if (fd < 0)
		return cannot_open(path, -errno);
	if (!fstat(fd, st) && S_ISREG(st->st_mode))
		return fd;
	complain("%s is not a regular file", path);
	close(fd);
	return -EISNAM;
}

static int open_manifest(struct run *run, struct stat *st)
{
	int fd = open_own(run->options->manifest, 0, st);

	if (fd < 0)
		return fd;
	run->manifest = fdopen(fd, "w");
	return run->manifest ? 0 : -errno;
}

static int empty_own(const struct run *run, int out)
{
	if (!ftruncate(out, 0) && !ftruncate(fileno(run->manifest), 0))
		return 0;
	complain("cannot empty %s and %s: %s", run->options->out,
		 run->options->manifest, strerror(errno));
	return -EIO;
}

/* Neither output nor manifest of an earlier run is input of this one. */
static int find_files(struct run *run, struct list *list)
{
	struct stat own[2];
	int err, out;

	out = open_own(run->options->out, O_DIRECT, &own[0]);
	if (out < 0)
		return out;
	err = open_manifest(run, &own[1]);
	if (!err && own[0].st_ino == own[1].st_ino &&
	    own[0].st_dev == own[1].st_dev) {
		complain("output and manifest are the same file");
		err = -EINVAL;
	}
	if (!err)
		err = list_files(list, run->options->paths, own, 2);
	if (!err)
		err = empty_own(run, out);
	close(out);
	return err;
}

static int make_ledger(struct run *run, const struct list *list)
{
	run->ledger_fd = ledger_create(list, &run->ledger);
	if (run->ledger_fd < 0) {
		complain("cannot make the ledger: %s",
			 strerror(-run->ledger_fd));
		return run->ledger_fd;
	}
	run->problems += list->errors;
	run->bytes = list->bytes;
	printf("input      %" PRIu64 " files of %" PRIu64 " bytes",
	       list->nfiles, list->bytes);
	if (list->skipped)
		printf(", %" PRIu64 " that are no regular files left out",
		       list->skipped);
	putchar('\n');
	return 0;
}

/* -------------------------------------------------------------------- pool */

static uint64_t power_of_two(uint64_t n)
{
	uint64_t power = BLOCK;

	while (power < n && power << 1)
		power <<= 1;
	return power;
}

/*
 * The memory of a group is one block of the arena, with room for the threshold
 * and a reservation as large as that. A larger file gets a block of its own.
 */
static uint64_t arena_size(const struct options *options, uint64_t largest)
{
	uint64_t size = DEFAULT_ARENA;

	if (size < power_of_two(options->threshold) << 1)
		size = power_of_two(options->threshold) << 1;
	if (size < power_of_two(largest))
		size = power_of_two(largest);
	return size;
}

static void cannot_make_pool(const struct list *list, uint64_t size, int err)
{
	char name[ESCAPED_MAX];

	complain("cannot make a pool of %" PRIu64 " MiB: %s", size / MIB,
		 zcbuf_strerror(err));
	if (size > DEFAULT_ARENA && size == power_of_two(list->largest))
		complain("so much is needed for %s: a file is read into the pool as a whole",
			 escape_path(list->names + list->largest_name, name));
}

static int make_pool(struct run *run, const struct list *list)
{
	struct zcbuf_pool_opts opts = {
		.sz = sizeof(opts),
		.name = run->pool_name,
		.arena_size = arena_size(run->options, list->largest),
	};
	int err;

	snprintf(run->pool_name, sizeof(run->pool_name), "ingest-%d",
		 (int)getpid());
	err = zcbuf_pool_create(&run->pool, &opts);
	if (err) {
		cannot_make_pool(list, opts.arena_size, err);
		return err;
	}
	printf("pool       %s, %llu MiB, for groups of %" PRIu64 " bytes and more\n",
	       run->pool_name, opts.arena_size / MIB, run->options->threshold);
	return 0;
}

static int make_channel(struct run *run)
{
	struct zcbuf_channel_opts opts = {
		.sz = sizeof(opts),
		.threshold = run->options->threshold,
		.ports = ZCBUF_PORT_PRODUCE,
	};
	int err;

	err = zcbuf_channel_create(run->pool, &opts, &run->channel);
	return err ? call_failed("cannot make a channel", err) : 0;
}

/* ------------------------------------------------------------- begin, end */

static int make_pipes(struct run *run)
{
	if (!pipe2(run->messages, O_CLOEXEC) && !pipe2(run->hold, O_CLOEXEC))
		return 0;
	complain("cannot make a pipe: %s", strerror(errno));
	return -errno;
}

int setup(struct run *run)
{
	struct list list = { 0 };
	struct child *child;
	int err;

	for_each_child(run, child)
		child->pidfd = -1;
	err = find_files(run, &list);
	if (!err)
		err = make_ledger(run, &list);
	if (!err)
		err = make_pool(run, &list);
	if (!err)
		err = make_channel(run);
	if (!err)
		err = make_pipes(run);
	list_free(&list);
	return err;
}

void cleanup(struct run *run)
{
	zcbuf_channel_close(run->channel);
	zcbuf_pool_close(run->pool);
	book_free(&run->book);
	if (run->manifest)
		fclose(run->manifest);
}

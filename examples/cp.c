// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * zcbuf-cp [-d] SOURCE TARGET: copy a file through fixed buffers, eight pieces at a
 * time, and say how many operations that took. With -d both files are opened
 * O_DIRECT: then no byte is touched by a CPU on its way.
 *
 * The buffers are a pool's, which is registered with the ring as a whole; where that
 * is refused, by RLIMIT_MEMLOCK for example, the same operations are plain ones.
 * Pieces are read and written in whatever order the disks have done with them. What
 * ends within a block, as the last piece may, is written as a whole block, and the
 * file cut to its length afterwards.
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zcbuf/zcbuf.h>

#define PIECES	8
#define PIECE	(64U << 10)
#define BLOCK	4096U	/* O_DIRECT is content with that anywhere */

/*
 * struct piece - a part of the file on its way
 * @at: where it begins
 * @length: bytes of the file
 * @done: how much of it was read; then written
 */
struct piece {
	struct zcbuf_buf buf;
	__u64 at;
	size_t length;
	size_t done;
	bool is_read;
};

struct copy {
	struct io_uring ring;
	struct zcbuf_uring uring;
	struct zcbuf_pool *pool;
	struct piece pieces[PIECES];
	int source;
	int target;
	size_t block;
	__u64 size;
	__u64 next;
	unsigned int under_way;
	unsigned long operations;
	unsigned long fixed;
};

/* Returns what is not an error. */
static int must(int result, const char *what)
{
	if (result >= 0)
		return result;
	fprintf(stderr, "zcbuf-cp: %s: %s\n", what, zcbuf_strerror(result));
	exit(EXIT_FAILURE);
}

/* The same of what has an errno. */
static int must_be(int result, const char *what)
{
	if (result >= 0)
		return result;
	perror(what);
	exit(EXIT_FAILURE);
}

/* Whole blocks, in a buffer that is some. */
static size_t asked_for(const struct copy *copy, const struct piece *piece)
{
	return (piece->length + copy->block - 1) & -copy->block;
}

/* What is left to be read, or to be written. */
static void go_on(struct copy *copy, struct piece *piece)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&copy->ring);
	unsigned char *data = (unsigned char *)piece->buf.data + piece->done;
	unsigned int n = asked_for(copy, piece) - piece->done;
	__u64 at = piece->at + piece->done;

	copy->operations++;
	copy->fixed += piece->is_read ?
		       zcbuf_uring_prep_write(&copy->uring, sqe, copy->target,
					      data, n, at) :
		       zcbuf_uring_prep_read(&copy->uring, sqe, copy->source,
					     data, n, at);
	io_uring_sqe_set_data(sqe, piece);
}

/* The next part of the file, if there is one. */
static void begin(struct copy *copy, struct piece *piece)
{
	__u64 left = copy->size - copy->next;

	if (!left)
		return;
	piece->at = copy->next;
	piece->length = left < PIECE ? left : PIECE;
	piece->done = 0;
	piece->is_read = false;
	copy->next += piece->length;
	copy->under_way++;
	go_on(copy, piece);
}

static void was_read(struct copy *copy, struct piece *piece)
{
	memset((unsigned char *)piece->buf.data + piece->length, 0,
	       asked_for(copy, piece) - piece->length);
	piece->is_read = true;
	piece->done = 0;
	go_on(copy, piece);
}

static void was_written(struct copy *copy, struct piece *piece)
{
	copy->under_way--;
	begin(copy, piece);
}

/* The source says less at its end, and then all is there. */
static void on_completion(struct copy *copy, struct piece *piece, int result)
{
	const char *what = piece->is_read ? "write" : "read";

	must(result ? result : -EIO, what);
	piece->done += result;
	if (!piece->is_read && piece->done >= piece->length)
		was_read(copy, piece);
	else if (piece->is_read && piece->done >= asked_for(copy, piece))
		was_written(copy, piece);
	else
		go_on(copy, piece);
}

static void copy_all(struct copy *copy)
{
	struct io_uring_cqe *cqe;
	unsigned int i;

	for (i = 0; i < PIECES; i++)
		begin(copy, &copy->pieces[i]);
	while (copy->under_way) {
		must(io_uring_submit(&copy->ring), "submit");
		must(ZCBUF_RETRY(io_uring_wait_cqe(&copy->ring, &cqe)), "wait");
		on_completion(copy, io_uring_cqe_get_data(cqe), cqe->res);
		io_uring_cqe_seen(&copy->ring, cqe);
	}
}

static void open_files(struct copy *copy, const char *source,
		       const char *target, int direct)
{
	struct stat st;

	copy->source = must_be(open(source, O_RDONLY | O_CLOEXEC | direct),
			       source);
	must_be(fstat(copy->source, &st), source);
	if (!S_ISREG(st.st_mode)) {
		fprintf(stderr, "zcbuf-cp: %s is no regular file\n", source);
		exit(EXIT_FAILURE);
	}
	copy->target = must_be(open(target, O_WRONLY | O_CREAT | O_TRUNC |
				    O_CLOEXEC | direct, st.st_mode & 0777),
			       target);
	copy->size = st.st_size;
	copy->block = direct ? BLOCK : 1;
}

static void close_files(struct copy *copy, const char *target)
{
	must_be(ftruncate(copy->target, copy->size), target);
	must_be(close(copy->target), target);
	close(copy->source);
}

/* One huge page: what is under way at a time is less. */
static void open_ring(struct copy *copy)
{
	const struct zcbuf_pool_opts opts = {
		.sz = sizeof(opts), .arena_size = 2 << 20,
	};
	unsigned int i;
	int err;

	must(zcbuf_pool_create(&copy->pool, &opts), "pool");
	must(io_uring_queue_init(PIECES, &copy->ring, 0), "ring");
	err = zcbuf_uring_register(&copy->uring, &copy->ring, copy->pool);
	if (err)
		fprintf(stderr, "zcbuf-cp: goes on without fixed buffers: %s\n",
			zcbuf_strerror(err));
	for (i = 0; i < PIECES; i++)
		must(zcbuf_buf_alloc(copy->pool, PIECE, &copy->pieces[i].buf),
		     "a buffer");
}

static void close_ring(struct copy *copy)
{
	zcbuf_uring_unregister(&copy->uring);
	io_uring_queue_exit(&copy->ring);
	zcbuf_pool_close(copy->pool);
}

int main(int argc, char **argv)
{
	bool direct = argc == 4 && !strcmp(argv[1], "-d");
	static struct copy copy;
	const char *target;

	if (argc != 3 + direct) {
		fputs("usage: zcbuf-cp [-d] SOURCE TARGET\n", stderr);
		return 2;
	}
	target = argv[argc - 1];
	open_files(&copy, argv[argc - 2], target, direct ? O_DIRECT : 0);
	open_ring(&copy);
	copy_all(&copy);
	close_ring(&copy);
	close_files(&copy, target);
	printf("%s: %llu bytes by %lu operations, %lu of them with fixed buffers\n",
	       target, (unsigned long long)copy.size, copy.operations,
	       copy.fixed);
	return EXIT_SUCCESS;
}

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * register [BYTES]: how long io_uring takes to register memory as a fixed buffer,
 * and to let go of it: an arena beside what malloc() gives.
 *
 * Each kind is touched, then all of them are registered in turn, round after
 * round, so that none has a quieter time than another. TSV: what of it is mapped
 * by huge pages; the shortest and the median of the rounds; and how many times
 * faster than malloc's it is registered, by the shortest. Exits 1 if an arena of
 * huge pages takes more than a tenth of what malloc's takes.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <liburing.h>
#include <zcbuf/zcbuf.h>

#define ROUNDS		15
#define MAX_SLOT	((size_t)1 << 30)

struct kind {
	const char *name;
	unsigned char *(*get)(size_t size);
	unsigned char *memory;
	unsigned long long on[ROUNDS];	/* ns */
	unsigned long long off[ROUNDS];
};

static void die(const char *what, int err)
{
	fprintf(stderr, "register: %s: %s\n", what, strerror(-err));
	exit(2);
}

static unsigned char *get_malloc(size_t size)
{
	return malloc(size);
}

static unsigned char *get_small_malloc(size_t size)
{
	unsigned char *p = malloc(size);

	/* All of its pages, and not those of a neighbour. */
	if (p)
		madvise((void *)(((size_t)p + 4095) & -4096UL),
			(size - 4096) & -4096UL, MADV_NOHUGEPAGE);
	return p;
}

static unsigned char *get_pool(size_t size, __u32 flags)
{
	const struct zcbuf_pool_opts o = {
		.sz = sizeof(o), .arena_size = size, .flags = flags,
	};
	struct zcbuf_pool *pool;
	int err = zcbuf_pool_create(&pool, &o);

	if (err)
		die("pool", err);
	return zcbuf_pool_base(pool);
}

static unsigned char *get_arena(size_t size)
{
	return get_pool(size, ZCBUF_POOL_F_HUGE_STRICT);
}

static unsigned char *get_small_arena(size_t size)
{
	return get_pool(size, ZCBUF_POOL_F_SMALL_PAGES);
}

enum { MALLOC, SMALL_MALLOC, SMALL_ARENA, ARENA, KINDS };

static struct kind kinds[KINDS] = {
	[MALLOC] = { .name = "malloc", .get = get_malloc },
	[SMALL_MALLOC] = { .name = "malloc, small pages",
			   .get = get_small_malloc },
	[SMALL_ARENA] = { .name = "arena, small pages",
			  .get = get_small_arena },
	[ARENA] = { .name = "arena", .get = get_arena },
};

/* KiB of the mapping at @p that are mapped by huge pages, as smaps has it. */
static unsigned long huge_kib(const void *p)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	unsigned long start, end, kib, sum = 0;
	char line[512], name[64];
	bool here = false;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = start <= (unsigned long)p &&
			       (unsigned long)p < end;
		else if (here &&
			 sscanf(line, "%63[^:]: %lu", name, &kib) == 2 &&
			 (!strcmp(name, "AnonHugePages") ||
			  !strcmp(name, "FilePmdMapped")))
			sum += kib;
	}
	if (f)
		fclose(f);
	return sum;
}

static unsigned long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void measure(struct kind *k, struct io_uring *ring, size_t size,
		    int round)
{
	const struct iovec iov = { k->memory, size };
	unsigned long long start = now(), middle;
	int err = io_uring_register_buffers(ring, &iov, 1);

	if (err)
		die(k->name, err);
	middle = now();
	err = io_uring_unregister_buffers(ring);
	if (err)
		die(k->name, err);
	k->on[round] = middle - start;
	k->off[round] = now() - middle;
}

static int compare(const void *a, const void *b)
{
	const unsigned long long *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void report(const struct kind *k, size_t size)
{
	printf("%s\t%zu\t%lu\t%llu\t%llu\t%llu\t%llu\t%.1f\n", k->name, size,
	       huge_kib(k->memory + size / 2), k->on[0], k->on[ROUNDS / 2],
	       k->off[0], k->off[ROUNDS / 2],
	       (double)kinds[MALLOC].on[0] / k->on[0]);
}

static void get_all(size_t size)
{
	unsigned int i;

	for (i = 0; i < KINDS; i++) {
		kinds[i].memory = kinds[i].get(size);
		if (!kinds[i].memory)
			die(kinds[i].name, -ENOMEM);
		memset(kinds[i].memory, 1, size);
	}
}

static void report_all(size_t size)
{
	unsigned int i;

	printf("memory\tbytes\thuge_kib\tregister_min_ns\tregister_median_ns\t"
	       "unregister_min_ns\tunregister_median_ns\ttimes_faster\n");
	/* malloc's is the first one, to which the others are compared. */
	for (i = 0; i < KINDS; i++) {
		qsort(kinds[i].on, ROUNDS, sizeof(kinds[i].on[0]), compare);
		qsort(kinds[i].off, ROUNDS, sizeof(kinds[i].off[0]), compare);
		report(&kinds[i], size);
	}
}

int main(int argc, char **argv)
{
	size_t size = argc > 1 ? strtoull(argv[1], NULL, 0) : 256 << 20;
	struct io_uring ring;
	unsigned int i;
	int round;
	int err;

	if (size < 2 << 20 || size > MAX_SLOT)
		die("size", -EINVAL);
	err = io_uring_queue_init(4, &ring, 0);
	if (err)
		die("ring", err);
	get_all(size);
	for (round = 0; round < ROUNDS; round++)
		for (i = 0; i < KINDS; i++)
			measure(&kinds[i], &ring, size, round);
	report_all(size);
	return kinds[ARENA].on[0] * 10 > kinds[MALLOC].on[0];
}

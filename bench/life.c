// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * life [MIB]: what comes and goes seldom, and must not hold up others: a pool of
 * that size (256), and a session that dies with 100000 buffers in its hands.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <zcbuf/zcbuf.h>

#include "harness/bench.h"

#define HELD	100000U
#define PAGE	4096U

static size_t bytes;

/* -------------------------------------------------------------------- pools */

static void run_pool(void *ctx, unsigned long n)
{
	const struct zcbuf_pool_opts opts = {
		.sz = sizeof(opts), .arena_size = bytes,
	};
	struct zcbuf_pool *pool;

	(void)ctx;
	while (n--) {
		bench_ok(zcbuf_pool_create(&pool, &opts), "pool");
		zcbuf_pool_close(pool);
	}
}

static void *map(size_t size, int flags)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (p == MAP_FAILED)
		bench_sys(-1, "mmap");
	return p;
}

static void run_mmap(void *ctx, unsigned long n)
{
	(void)ctx;
	while (n--)
		munmap(map(bytes, MAP_POPULATE), bytes);
}

static void measure_pools(void)
{
	struct bench_op op = {
		.area = "life", .op = "create and close a pool",
		.variant = bench_size(bytes), .who = "zcbuf",
		.run = run_pool, .times = 1,
	};

	bench(&op);
	op.who = "mmap, populated, and munmap";
	op.run = run_mmap;
	bench(&op);
}

/* -------------------------------------------------------------------- death */

/*
 * struct dying - a session that holds much
 * @pool: which is there before and after
 * @session: it
 * @length: of its buffers
 */
struct dying {
	struct zcbuf_pool *pool;
	struct zcbuf_pool *session;
	size_t length;
};

static void hold(void *ctx)
{
	struct dying *d = ctx;
	__u64 handles[ZCBUF_MAX_BATCH];
	unsigned int have = 0, want;
	int got;

	bench_ok(zcbuf_pool_attach_fd(&d->session, zcbuf_pool_fd(d->pool),
				      NULL), "attach");
	while (have < HELD) {
		want = HELD - have < ZCBUF_MAX_BATCH ? HELD - have :
						       ZCBUF_MAX_BATCH;
		got = zcbuf_alloc(d->session, d->length, NULL, handles, want);
		bench_ok(got, "alloc");
		have += got;
	}
}

static void run_death(void *ctx, unsigned long n)
{
	struct dying *d = ctx;

	if (n)
		zcbuf_pool_close(d->session);
}

/* Memory of a process that dies: as many pages, each touched. */
static void touch(void *ctx)
{
	char **memory = ctx;
	size_t i;

	*memory = map((size_t)HELD * PAGE, 0);
	madvise(*memory, (size_t)HELD * PAGE, MADV_NOHUGEPAGE);
	for (i = 0; i < HELD; i++)
		(*memory)[i * PAGE] = 1;
}

static void run_munmap(void *ctx, unsigned long n)
{
	char **memory = ctx;

	if (n)
		munmap(*memory, (size_t)HELD * PAGE);
}

static void measure_deaths(void)
{
	const struct zcbuf_pool_opts opts = {
		.sz = sizeof(opts), .kind = ZCBUF_POOL_TIERS,
		.arena_size = 512 << 20,
		.flags = ZCBUF_POOL_F_NO_ZERO_ON_REUSE,
	};
	struct bench_op op = {
		.area = "life", .op = "death of who holds 100000, each",
		.who = "zcbuf", .run = run_death, .prepare = hold,
		.times = 1, .parts = HELD,
	};
	struct dying d = { .length = 64 };
	char *memory;

	bench_ok(zcbuf_pool_create(&d.pool, &opts), "pool");
	op.ctx = &d;
	op.variant = "64";
	bench(&op);
	d.length = PAGE;
	op.variant = "4 KiB";
	bench(&op);
	zcbuf_pool_close(d.pool);
	op.ctx = &memory;
	op.who = "munmap of as many pages";
	op.prepare = touch;
	op.run = run_munmap;
	bench(&op);
}

int main(int argc, char **argv)
{
	bytes = (argc > 1 ? strtoull(argv[1], NULL, 0) : 256) << 20;
	measure_pools();
	measure_deaths();
	return 0;
}

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * calls: buffers that are got and given back by calls of the kernel, one or many in
 * a call, beside the least that a call can cost, and beside other ways to have
 * memory from the kernel.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <zcbuf/zcbuf.h>

#include "harness/bench.h"

#define BATCH	64

/*
 * struct buffers - what is allocated
 * @pool: where
 * @other: a session of the same pool, with another owner's memory
 * @length: of each
 * @count: in a call
 */
struct buffers {
	struct zcbuf_pool *pool;
	struct zcbuf_pool *other;
	__u64 length;
	unsigned int count;
};

static void alloc_free(struct zcbuf_pool *pool, const struct buffers *b)
{
	__u64 handles[BATCH];

	if (zcbuf_alloc(pool, b->length, NULL, handles, b->count) !=
		    (int)b->count ||
	    zcbuf_free(pool, handles, b->count) != (int)b->count)
		bench_ok(-ENOMEM, "ALLOC and FREE");
}

static void run_calls(void *ctx, unsigned long n)
{
	const struct buffers *b = ctx;

	while (n--)
		alloc_free(b->pool, b);
}

/* By turns: what comes was somebody else's each time, and has to be zeroed. */
static void run_domains(void *ctx, unsigned long n)
{
	const struct buffers *b = ctx;

	while (n--)
		alloc_free(n % 2 ? b->pool : b->other, b);
}

static void run_getppid(void *ctx, unsigned long n)
{
	(void)ctx;
	while (n--)
		syscall(SYS_getppid);
}

/* A call of the device that there is not. */
static void run_refused(void *ctx, unsigned long n)
{
	const int *fd = ctx;

	while (n--)
		ioctl(*fd, _IO(ZCBUF_IOC_TYPE, ZCBUF_NR_CALLS - 1), NULL);
}

static void run_eventfd(void *ctx, unsigned long n)
{
	const int *fd = ctx;
	uint64_t one = 1;

	while (n--)
		if (write(*fd, &one, sizeof(one)) < 0 ||
		    read(*fd, &one, sizeof(one)) < 0)
			bench_sys(-1, "eventfd");
}

/* A page, or more, of this process's own, as it comes: zeroed when it is touched. */
static void run_mmap(void *ctx, unsigned long n)
{
	const struct buffers *b = ctx;
	char *p;
	__u64 i;

	while (n--) {
		p = mmap(NULL, b->length, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			bench_sys(-1, "mmap");
		for (i = 0; i < b->length; i += 4096)
			p[i] = 1;
		munmap(p, b->length);
	}
}

static void measure_bare(int fd)
{
	int event = bench_sys(eventfd(0, EFD_NONBLOCK), "eventfd");
	struct bench_op op = {
		.area = "calls", .op = "bare", .variant = "-",
		.who = "getppid", .run = run_getppid,
	};

	bench(&op);
	op.who = "refused ioctl of zcbuf";
	op.run = run_refused;
	op.ctx = &fd;
	bench(&op);
	op.who = "eventfd, write and read";
	op.run = run_eventfd;
	op.ctx = &event;
	bench(&op);
	close(event);
}

static void measure_size(struct buffers *b)
{
	struct bench_op op = {
		.area = "calls", .variant = bench_size(b->length),
		.who = "zcbuf", .ctx = b,
	};

	b->count = 1;
	op.op = "ALLOC and FREE";
	op.run = run_calls;
	bench(&op);
	op.op = "ALLOC and FREE of 64, each";
	op.parts = b->count = BATCH;
	bench(&op);
	op.parts = b->count = 1;
	op.run = run_mmap;
	op.who = "mmap, touch, munmap";
	bench(&op);
	op.op = "ALLOC and FREE";
	bench(&op);
}

/* Of blocks, as a session keeps its slabs. */
static void measure_domains(struct buffers *b)
{
	struct bench_op op = {
		.area = "calls", .op = "the same, by two sessions in turn",
		.variant = bench_size(b->length), .who = "zcbuf",
		.run = run_domains, .ctx = b,
	};

	bench(&op);
	op.who = "mmap, touch, munmap";
	op.run = run_mmap;
	bench(&op);
}

/* Those of @kind, one of whose own sizes each of them is. */
static void measure_kind(__u32 kind, const size_t *sizes)
{
	const struct zcbuf_pool_opts opts = {
		.sz = sizeof(opts), .kind = kind,
	};
	struct buffers b = {};

	bench_ok(zcbuf_pool_create(&b.pool, &opts), "pool");
	bench_ok(zcbuf_pool_attach_fd(&b.other, zcbuf_pool_fd(b.pool), NULL),
		 "attach");
	if (kind == ZCBUF_POOL_PAGES)
		measure_bare(zcbuf_pool_fd(b.pool));
	for (; *sizes; sizes++) {
		b.length = *sizes;
		measure_size(&b);
		if (kind == ZCBUF_POOL_PAGES)
			measure_domains(&b);
	}
	zcbuf_pool_close(b.other);
	zcbuf_pool_close(b.pool);
}

int main(void)
{
	static const size_t blocks[] = { 4096, 65536, 0 };
	static const size_t objects[] = { 64, 1024, 0 };

	measure_kind(ZCBUF_POOL_PAGES, blocks);
	measure_kind(ZCBUF_POOL_TIERS, objects);
	return 0;
}

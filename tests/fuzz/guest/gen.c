// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Making programs. A program depends on nothing but the seed of the run, its
 * number and what is in the pool by then, so that it need not be written down
 * before it runs: see derive.c.
 */
#include <string.h>

#include "kfuzz.h"

/* Sessions, and rarely a slot as it is, empty or not, or no session at all. */
static __u8 make_fd(__u64 *r)
{
	if (kf_one_in(r, 16))
		return kf_random(r);
	return kf_below(r, kf_one_in(r, 4) ? 8 : 3);
}

static __u8 make_sel(__u64 *r, unsigned int range)
{
	if (range < 2 || kf_below(r, 5) < 3)
		return 0;
	if (kf_one_in(r, 64))
		return kf_random(r);
	return kf_below(r, range);
}

/* Where arguments lie: mostly where they should, often in a pool. */
static __u8 make_place(__u64 *r)
{
	static const __u8 places[] = {
		0xb0, 0x0b, 0xbb, 0xb0, 0x0b, 0xbb, 0x90, 0x09, 0x99, 0xc0, 0x0c,
	};

	if (kf_below(r, 4))
		return 0;
	if (kf_one_in(r, 4))
		return kf_random(r);
	return places[kf_below(r, sizeof(places))];
}

static __u64 make_value(__u64 *r)
{
	static const __u64 values[] = {
		0, 1, 2, 7, 8, 15, 16, 63, 64, 255, 1023, 1024, 1025, 4095,
		4096, 4097, 65535, 65536, 65537, 1 << 20, 2 << 20,
		(2 << 20) + 1, 0x7fffffff, 0x80000000, 0xffffffff,
		0x100000000, 1ULL << 40, 1ULL << 56, 1ULL << 58,
		0x7fffffffffffffff, 0x8000000000000000, ~0ULL,
	};

	switch (kf_below(r, 4)) {
	case 0:
		return kf_random(r) >> kf_below(r, 64);
	case 1:
		return 1ULL << kf_below(r, 64);
	default:
		return values[kf_below(r, sizeof(values) / sizeof(values[0]))];
	}
}

static __u8 make_fail(__u64 *r)
{
	if (!kf_one_in(r, 12))
		return 0;
	return 1 + kf_below(r, kf_one_in(r, 4) ? 40 : 9);
}

static void set_patch(struct kf_op *op, unsigned int patch)
{
	op->patch = (op->patch & KF_COMMAND_BITS) | patch;
}

static void make_patch(__u64 *r, struct kf_op *op)
{
	unsigned int size = kf_below(r, 3) ? 3 : kf_below(r, 4);

	set_patch(op, (kf_below(r, 3) ? 1 : 1 + kf_below(r, 3)) | size << 2);
	op->at = kf_below(r, 16) << size;
	op->value = make_value(r);
}

/* By ioctl(), or as a command. */
static void make_way(__u64 *r, struct kf_op *op)
{
	op->patch &= ~KF_COMMAND_BITS;
	if (!kf_one_in(r, kf_is_command(kf_nr(op)) ? 4 : 64))
		return;
	op->patch |= KF_COMMAND;
	if (kf_one_in(r, 3))
		op->patch |= KF_COMMAND_ALL;
	if (kf_one_in(r, 3))
		op->patch |= KF_COMMAND_ASYNC;
	if (kf_one_in(r, 40))
		op->patch |= KF_COMMAND_BAD;
}

static unsigned int pick_call(__u64 *r)
{
	static unsigned int total;
	unsigned int i, n;

	if (!total)
		for (i = 0; i < KF_NCALLS; i++)
			total += kf_grammar[i].weight;
	n = kf_below(r, total);
	for (i = 0; n >= kf_grammar[i].weight; i++)
		n -= kf_grammar[i].weight;
	return i;
}

static void make_choices(__u64 *r, struct kf_op *op)
{
	unsigned int i;

	for (i = 0; i < KF_SEL; i++)
		op->sel[i] = make_sel(r, kf_grammar[kf_call(op)].range[i]);
	if (kf_one_in(r, 40))
		op->sel[KF_SEL_HEAD] = kf_below(r, 8);
}

static void make_op(__u64 *r, struct kf_op *op)
{
	memset(op, 0, sizeof(*op));
	op->call = pick_call(r);
	op->lane = kf_below(r, KF_LANES);
	op->fd = make_fd(r);
	op->place = make_place(r);
	op->fail = make_fail(r);
	if (kf_one_in(r, 24))
		make_patch(r, op);
	make_way(r, op);
	make_choices(r, op);
}

/* ---------------------------------------------------------------- changes */

static struct kf_op *insert_op(struct kf_prog *p, unsigned int at)
{
	if (p->nops == KF_OPS)
		return &p->op[at % KF_OPS];
	memmove(&p->op[at + 1], &p->op[at],
		(p->nops - at) * sizeof(p->op[0]));
	p->nops++;
	if (at < p->setup)
		p->setup++;
	return &p->op[at];
}

static void remove_ops(struct kf_prog *p, unsigned int at, unsigned int n)
{
	memmove(&p->op[at], &p->op[at + n],
		(p->nops - at - n) * sizeof(p->op[0]));
	p->nops -= n;
	if (at < p->setup)
		p->setup -= at + n < p->setup ? n : p->setup - at;
}

static void add_op(__u64 *r, struct kf_prog *p, unsigned int call,
		   unsigned int fd)
{
	struct kf_op *op = insert_op(p, p->nops);

	memset(op, 0, sizeof(*op));
	op->call = call;
	op->fd = fd;
	make_choices(r, op);
}

/* One session with a pool, and most of what makes that useful. */
static void make_setup(__u64 *r, struct kf_prog *p)
{
	add_op(r, p, KF_OPEN, 0);
	if (kf_one_in(r, 24)) {
		add_op(r, p, KF_MMAP, 0);
	} else {
		add_op(r, p, ZCBUF_NR_POOL_CREATE, 0);
		if (kf_below(r, 3))
			add_op(r, p, KF_MMAP, 0);
	}
	if (kf_below(r, 3)) {
		add_op(r, p, KF_OPEN, 1);
		add_op(r, p, ZCBUF_NR_POOL_ATTACH, 1);
	}
	if (kf_below(r, 3))
		add_op(r, p, ZCBUF_NR_CHANNEL_OPEN, 0);
	if (kf_one_in(r, 3)) {
		add_op(r, p, ZCBUF_NR_CHANNEL_OPEN, 1);
		p->op[p->nops - 1].sel[0] = 1;
		p->op[p->nops - 1].sel[2] = 0;
	}
	p->setup = p->nops;
}

#define STEPS	6

/* An operation of a story, and a choice of it that is not the usual. */
struct step {
	__u8 call;
	__u8 sel;
	__u8 value;
};

#define DO(c)		{ .call = (c) }
#define WITH(c, s, v)	{ .call = (c), .sel = (s), .value = (v) }

/* What belongs together, for one session. Elsewhere, chance decides. */
static const struct step stories[][STEPS] = {
	{ DO(ZCBUF_NR_RESERVE), DO(ZCBUF_NR_COMMIT), DO(ZCBUF_NR_FLUSH),
	  DO(ZCBUF_NR_RECEIVE), DO(ZCBUF_NR_RELEASE) },
	{ WITH(ZCBUF_NR_RESERVE, 1, 2), DO(ZCBUF_NR_COMMIT_RESERVE),
	  WITH(ZCBUF_NR_COMMIT, 1, 4), WITH(ZCBUF_NR_RECEIVE, 1, 2),
	  WITH(ZCBUF_NR_RELEASE, 1, 4) },
	{ WITH(ZCBUF_NR_RESERVE, 1, 1), DO(ZCBUF_NR_ABORT), DO(ZCBUF_NR_COMMIT),
	  DO(ZCBUF_NR_FLUSH), DO(ZCBUF_NR_RECEIVE_FAILED),
	  DO(ZCBUF_NR_RELEASE) },
	{ WITH(ZCBUF_NR_RESERVE, 1, 1), DO(ZCBUF_NR_COMMIT),
	  DO(ZCBUF_NR_FINALIZE), DO(ZCBUF_NR_RECEIVE),
	  DO(ZCBUF_NR_RECEIVE_FAILED), DO(ZCBUF_NR_COMMIT) },
	{ WITH(ZCBUF_NR_RESERVE, 4, ZCBUF_RESERVE_F_WINDOW),
	  WITH(ZCBUF_NR_COMMIT, 2, 3), DO(ZCBUF_NR_RECEIVE),
	  DO(ZCBUF_NR_CHANNEL_CLOSE) },
	{ WITH(ZCBUF_NR_CHANNEL_OPEN, 3, 1), DO(ZCBUF_NR_RESERVE),
	  WITH(ZCBUF_NR_RESERVE, 2, 6), WITH(ZCBUF_NR_COMMIT, 1, 1),
	  DO(ZCBUF_NR_RECEIVE), DO(ZCBUF_NR_RELEASE) },
	{ DO(ZCBUF_NR_EVENTFD), DO(ZCBUF_NR_RESERVE), DO(ZCBUF_NR_COMMIT),
	  DO(KF_READ_EVENTFD), WITH(ZCBUF_NR_EVENTFD, 1, 1), DO(KF_POLL) },
	{ DO(ZCBUF_NR_ALLOC), WITH(ZCBUF_NR_ALLOC, 1, 2), DO(ZCBUF_NR_FREE),
	  WITH(ZCBUF_NR_FREE, 1, 3), WITH(ZCBUF_NR_FREE, 2, 6) },
	{ DO(KF_OPEN), DO(ZCBUF_NR_POOL_ATTACH), WITH(ZCBUF_NR_CHANNEL_OPEN, 0, 1),
	  DO(KF_MMAP), DO(ZCBUF_NR_CHANNEL_CLOSE), DO(KF_CLOSE) },
	{ DO(KF_MMAP), DO(KF_TOUCH), DO(KF_MREMAP), DO(KF_MADVISE),
	  WITH(KF_TOUCH, 1, 2), DO(KF_MUNMAP) },
	{ DO(KF_DUP), DO(KF_SEND), DO(KF_CLOSE), DO(KF_RECV) },
};

/* One of them from operation @at on, nearly always with the same session. */
static void make_story(__u64 *r, struct kf_prog *p, unsigned int at)
{
	const struct step *story = stories[kf_below(r, sizeof(stories) /
						    sizeof(stories[0]))];
	unsigned int i, lane = kf_below(r, KF_LANES);
	struct kf_op *op;
	__u8 fd = make_fd(r);

	for (i = 0; i < STEPS && (!i || story[i].call) && p->nops < KF_OPS;
	     i++) {
		op = insert_op(p, at + i);
		memset(op, 0, sizeof(*op));
		op->call = story[i].call;
		op->lane = kf_one_in(r, 8) ? kf_below(r, KF_LANES) : lane;
		op->fd = kf_one_in(r, 8) ? make_fd(r) : fd;
		op->place = make_place(r);
		op->fail = make_fail(r);
		make_way(r, op);
		if (kf_one_in(r, 4))
			make_choices(r, op);
		op->sel[story[i].sel] = story[i].value;
	}
}

static void make_new(__u64 *r, struct kf_prog *p)
{
	unsigned int n;

	memset(p, 0, sizeof(*p));
	make_setup(r, p);
	for (n = 3 + kf_below(r, 16); n; n--)
		if (kf_one_in(r, 4))
			make_story(r, p, p->nops);
		else
			make_op(r, insert_op(p, p->nops));
}

static void change_copy(__u64 *r, struct kf_prog *p)
{
	unsigned int from = kf_below(r, p->nops);
	unsigned int n = 1 + kf_below(r, 4);
	unsigned int at = kf_below(r, p->nops + 1);
	struct kf_op copy[4];
	unsigned int i;

	if (n > p->nops - from)
		n = p->nops - from;
	memcpy(copy, &p->op[from], n * sizeof(copy[0]));
	for (i = 0; i < n && p->nops < KF_OPS; i++)
		*insert_op(p, at + i) = copy[i];
}

static void change_order(__u64 *r, struct kf_prog *p)
{
	struct kf_op *a = &p->op[kf_below(r, p->nops)];
	struct kf_op *b = &p->op[kf_below(r, p->nops)];
	struct kf_op tmp = *a;

	*a = *b;
	*b = tmp;
}

/* The beginning of this one and the end of another. */
static void change_splice(__u64 *r, struct kf_prog *p,
			  const struct kf_prog *other)
{
	unsigned int keep = kf_below(r, p->nops) + 1;
	unsigned int from = kf_below(r, other->nops + 1);

	p->nops = keep;
	if (p->setup > keep)
		p->setup = keep;
	for (; from < other->nops && p->nops < KF_OPS; from++)
		*insert_op(p, p->nops) = other->op[from];
}

static void change_op(__u64 *r, struct kf_op *op)
{
	unsigned int i = kf_below(r, KF_SEL);

	switch (kf_below(r, 13)) {
	case 0:
		op->fd = make_fd(r);
		break;
	case 1:
		op->place = kf_one_in(r, 3) ? 0 : make_place(r);
		break;
	case 2:
		op->fail = kf_one_in(r, 3) ? 0 : 1 + kf_below(r, 14);
		break;
	case 3:
		make_patch(r, op);
		break;
	case 4:
		set_patch(op, 0);
		break;
	case 5:
		op->lane = kf_below(r, KF_LANES);
		break;
	case 6:
		make_choices(r, op);
		break;
	case 7:
		make_way(r, op);
		break;
	default:
		for (; !kf_grammar[kf_call(op)].range[i] && i; i--)
			;
		op->sel[i] = kf_one_in(r, 32) ? kf_random(r) :
			     kf_below(r, kf_grammar[kf_call(op)].range[i] + 1);
	}
}

static void change_hint(__u64 *r, const struct kf_pool *pool,
			struct kf_prog *p)
{
	const struct kf_hint *h = &pool->hint[kf_below(r, pool->nhints)];
	unsigned int i, start = kf_below(r, p->nops);
	struct kf_op *op;

	for (i = 0; i < p->nops; i++) {
		op = &p->op[(start + i) % p->nops];
		if (kf_call(op) != h->call)
			continue;
		set_patch(op, h->patch);
		op->at = h->at;
		op->value = h->value;
		return;
	}
}

/* The newest third is where there is most to find. */
static unsigned int pick_any(__u64 *r, const struct kf_pool *pool)
{
	unsigned int n = pool->nprogs, recent = n / 3;

	if (recent && kf_one_in(r, 2))
		return n - 1 - kf_below(r, recent);
	return kf_below(r, n);
}

/* Of two, mostly the one that takes less time. */
static const struct kf_prog *pick_prog(__u64 *r, const struct kf_pool *pool)
{
	unsigned int a = pick_any(r, pool), b = pick_any(r, pool);

	if (kf_below(r, 4) && pool->cost[b] < pool->cost[a])
		a = b;
	return &pool->prog[a];
}

static void change(__u64 *r, const struct kf_pool *pool, struct kf_prog *p)
{
	unsigned int at = kf_below(r, p->nops);

	switch (kf_below(r, 16)) {
	case 0 ... 3:
		make_op(r, insert_op(p, kf_below(r, p->nops + 1)));
		break;
	case 4:
	case 5:
		if (p->nops > 2)
			remove_ops(p, at, 1);
		break;
	case 6:
		change_copy(r, p);
		break;
	case 7:
		change_order(r, p);
		break;
	case 11:
		make_story(r, p, at);
		break;
	case 8:
	case 9:
		change_splice(r, p, pick_prog(r, pool));
		break;
	case 10:
		if (pool->nhints) {
			change_hint(r, pool, p);
			break;
		}
		/* fall through */
	default:
		change_op(r, &p->op[at]);
	}
}

/*
 * kf_make() - the program of an iteration
 * The first iterations are the seeds as they are.
 */
void kf_make(const struct kf_pool *pool, unsigned int iteration,
	     struct kf_prog *p)
{
	__u64 at = pool->seed + iteration, r = kf_random(&at);
	unsigned int n;

	if (iteration < pool->nseeds) {
		*p = pool->prog[iteration];
		return;
	}
	if (!pool->nprogs || kf_one_in(&r, 12)) {
		make_new(&r, p);
	} else {
		*p = *pick_prog(&r, pool);
		for (n = 1 + kf_below(&r, 5); n && p->nops; n--)
			change(&r, pool, p);
	}
	p->flags = kf_one_in(&r, 4) ? KF_PROG_PARALLEL : 0;
}

bool kf_pool_add(struct kf_pool *pool, const struct kf_prog *p, __u32 cost)
{
	if (pool->nprogs == KF_CORPUS || !p->nops)
		return false;
	pool->cost[pool->nprogs] = cost;
	pool->prog[pool->nprogs++] = *p;
	return true;
}

bool kf_pool_hint(struct kf_pool *pool, const struct kf_hint *h)
{
	unsigned int i;

	if (pool->nhints == KF_HINTS)
		return false;
	for (i = 0; i < pool->nhints; i++)
		if (!memcmp(&pool->hint[i], h, sizeof(*h)))
			return false;
	pool->hint[pool->nhints++] = *h;
	return true;
}

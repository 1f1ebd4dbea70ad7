// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The loops: fuzzing, executing what is given, and choosing a corpus.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "work.h"

#define PROGRESS	64	/* programs */

/* Returns true if all is well. */
static bool judge(struct kf_shared *sh, const char *wrong)
{
	if (!wrong)
		return true;
	snprintf(sh->finding, sizeof(sh->finding), "%s", wrong);
	__atomic_store_n(&sh->found, true, __ATOMIC_RELEASE);
	return false;
}

static void begin(struct kf_shared *sh, const struct kf_prog *p)
{
	sh->recent[sh->nrecent++] = *p;
	sh->programs++;
	sh->operations += p->nops;
	__atomic_store_n(&sh->since, kf_now(), __ATOMIC_RELAXED);
}

/* Waits until the pools of the last programs are gone, now and then. */
static bool look_behind(struct kf_shared *sh, bool now)
{
	if (!now && sh->nrecent < KF_RECENT)
		return true;
	if (!judge(sh, kf_check_gone()))
		return false;
	sh->nrecent = 0;
	return true;
}

static bool execute(struct kf_shared *sh, const struct kf_prog *p,
		    bool verbose)
{
	begin(sh, p);
	return judge(sh, kf_exec(p, sh->iteration, verbose)) &&
	       look_behind(sh, verbose);
}

/* ---------------------------------------------------------------- fuzzing */

/* What the program's arguments were compared with is worth a try. */
static bool look_for_hints(struct kf_shared *sh, const struct kf_prog *p)
{
	const char *wrong = NULL;
	const struct kf_hint *h;
	struct kf_cov *c;
	unsigned int i;

	begin(sh, p);
	c = kf_exec_compare(p, sh->iteration, &wrong);
	for (i = 0; i < c->nhints; i++) {
		h = &c->hint[i];
		if (kf_pool_hint(&sh->pool, h))
			kf_log("hint %u %u %u %llx", h->call, h->patch, h->at,
			       (unsigned long long)h->value);
	}
	return judge(sh, wrong) && look_behind(sh, false);
}

/* Returns true if the program is kept from now on. */
static bool keep(struct kf_shared *sh, const struct kf_prog *p, __u32 cost)
{
	if (sh->iteration < sh->pool.nseeds)
		sh->pool.cost[sh->iteration] = cost;
	else if (!kf_pool_add(&sh->pool, p, cost))
		return false;
	kf_log("keep %u %u", sh->iteration, cost);
	return true;
}

static bool fuzz_one(struct kf_shared *sh)
{
	unsigned int found;
	struct kf_prog p;
	__u32 cost;

	kf_make(&sh->pool, sh->iteration, &p);
	if (!execute(sh, &p, false))
		return false;
	cost = (kf_now() - sh->since) / 1000;
	found = kf_exec_merge(&p, &sh->seen);
	if (!found && sh->iteration >= sh->pool.nseeds)
		return true;
	return !keep(sh, &p, cost) || !found || look_for_hints(sh, &p);
}

/* kf_work_fuzz() - make programs and execute them until told to stop */
void kf_work_fuzz(struct kf_shared *sh)
{
	sh->nrecent = 0;
	while (!__atomic_load_n(&sh->stop, __ATOMIC_RELAXED)) {
		if (!(sh->iteration % PROGRESS))
			kf_log("at %u", sh->iteration);
		if (!fuzz_one(sh))
			break;
		__atomic_fetch_add(&sh->iteration, 1, __ATOMIC_RELAXED);
	}
	sh->done = true;
}

/* ----------------------------------------------------------------- replay */

/*
 * kf_work_replay() - execute the seeds as they are, once in one thread, where
 * each operation is told, and then in several for @seconds
 */
void kf_work_replay(struct kf_shared *sh, unsigned int seconds)
{
	__u64 end = kf_now() + seconds * 1000000000ULL;
	struct kf_prog p;
	bool alone = true;
	unsigned int i;

	do {
		for (i = 0; i < sh->pool.nseeds; i++) {
			p = sh->pool.prog[i];
			p.flags = alone ? 0 : KF_PROG_PARALLEL;
			sh->iteration = i;
			if (!execute(sh, &p, alone)) {
				sh->done = true;
				return;
			}
			kf_exec_merge(&p, &sh->seen);
		}
		alone = false;
	} while (kf_now() < end && sh->pool.nseeds);
	sh->done = true;
}

/* ------------------------------------------------------------------ merge */

static int by_size(const void *a, const void *b)
{
	const struct kf_prog *p = a, *q = b;

	return (int)p->nops - (int)q->nops;
}

static bool covers(struct kf_shared *sh, const struct kf_prog *p,
		   const struct kf_seen *base, struct kf_seen *with,
		   unsigned int wanted)
{
	*with = *base;
	return execute(sh, p, false) && kf_exec_merge(p, with) >= wanted;
}

/* Leave out what adds nothing. */
static void trim(struct kf_shared *sh, struct kf_prog *p,
		 const struct kf_seen *base, unsigned int wanted)
{
	static struct kf_seen with;
	struct kf_prog less;
	unsigned int i;

	for (i = p->nops; i-- && p->nops > 1;) {
		less = *p;
		memmove(&less.op[i], &less.op[i + 1],
			(less.nops - i - 1) * sizeof(less.op[0]));
		less.nops--;
		less.setup -= i < less.setup;
		if (covers(sh, &less, base, &with, wanted))
			*p = less;
		if (sh->found)
			return;
	}
}

/*
 * kf_work_merge() - of all seeds, the smallest that cover what they do, trimmed
 * They become the first of the pool.
 */
void kf_work_merge(struct kf_shared *sh, size_t limit)
{
	static struct kf_seen base, with;
	struct kf_pool *pool = &sh->pool;
	unsigned int i, found, n = 0;
	struct kf_prog p;
	size_t bytes = 0;

	qsort(pool->prog, pool->nseeds, sizeof(pool->prog[0]), by_size);
	for (i = 0; i < pool->nseeds && !sh->found; i++) {
		p = pool->prog[i];
		p.flags = 0;
		base = sh->seen;
		with = base;
		if (!execute(sh, &p, false))
			break;
		found = kf_exec_merge(&p, &with);
		if (!found)
			continue;
		trim(sh, &p, &base, found);
		if (bytes + kf_prog_bytes(&p) > limit)
			continue;
		if (!covers(sh, &p, &base, &with, 1))
			continue;
		sh->seen = with;
		bytes += kf_prog_bytes(&p);
		pool->prog[n++] = p;
	}
	pool->nprogs = n;
	sh->done = true;
}

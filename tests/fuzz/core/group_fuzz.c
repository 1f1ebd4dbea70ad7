// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * kmod/core/group.c, one group after another. The model is an array of
 * reservations and where each extent begins in the group; everything else is
 * counted again each time.
 */
#include "fuzz.h"
#include "../../../kmod/core/group.h"

#define RESVS	48

struct m_resv {
	u64 at;			/* bytes from the start of the group */
	u64 length;
	u64 used;
	u64 pool_offset;
	u32 nrecords;
	u8 state;
	bool straggler;
};

struct m_extent {
	u64 from;		/* bytes from the start of the group */
	u64 pool_offset;
	u32 pages;
};

struct state {
	struct kunit *test;
	struct zcb_rand *in;
	struct zcb_group g;
	struct zcb_resv real[RESVS];
	struct m_resv resvs[RESVS];
	struct m_extent extents[ZCB_GROUP_EXTENTS];
	u32 nresvs, nextents;
	u64 id, offset, opened;
	u64 total;		/* where the next reservation begins */
	u64 length;		/* where the last one ends */
	u64 end;		/* and the last extent, which may be empty */
	u32 align, page_shift;
	bool trimmed;		/* the last extent takes no more */
};

static u64 rounded(u64 n, u64 unit)
{
	return n % unit ? n - n % unit + unit : n;
}

static struct m_extent *last_extent(struct state *s)
{
	return &s->extents[s->nextents - 1];
}

/* ------------------------------------------------------------------ groups */

static void begin(void *state)
{
	struct state *s = state;
	u32 shift;

	s->page_shift = zcb_rand_below(s->in, 2) ? 6 : 12;
	shift = zcb_rand_below(s->in, s->page_shift + 1);
	s->align = 1U << shift;
	s->id = input_any(s->in);
	s->offset = input_any(s->in) >> 1 >> shift << shift;
	s->opened = input_any(s->in);
	memset(&s->g, 0xa5, sizeof(s->g));
	memset(s->real, 0xa5, sizeof(s->real));
	zcb_group_init(&s->g, s->id, s->offset, s->opened);
	KUNIT_ASSERT_FALSE(s->test, s->g.window);
	s->g.window = zcb_rand_below(s->in, 4) == 0;
	s->nresvs = 0;
	s->nextents = 0;
	s->total = 0;
	s->length = 0;
	s->end = 0;
	s->trimmed = false;
}

static void add_extent(void *state)
{
	struct state *s = state;
	u64 pool_offset = input_bytes(s->in, 3) << s->page_shift;
	u32 pages = 1 + zcb_rand_below(s->in, 32);

	if (s->nextents == (s->g.window ? 1 : ZCB_GROUP_EXTENTS))
		return;
	zcb_group_add_extent(&s->g, pool_offset, pages);
	s->extents[s->nextents++] = (struct m_extent){
		.from = s->total, .pool_offset = pool_offset, .pages = pages,
	};
	s->end = s->total;
	s->trimmed = false;
}

static void trim(void *state)
{
	struct state *s = state;
	u64 kept, at = 0, want_at = 0;
	struct m_extent *e;
	u32 unused;

	if (!s->nextents)
		return;
	e = last_extent(s);
	kept = rounded(s->end - e->from, 1ULL << s->page_shift);
	unused = e->pages - (kept >> s->page_shift);
	if (unused)
		want_at = e->pool_offset + kept;
	KUNIT_ASSERT_EQ(s->test, zcb_group_trim(&s->g, s->page_shift,
					       s->page_shift, &at),
			unused);
	KUNIT_ASSERT_EQ(s->test, at, want_at);
	e->pages -= unused;
	s->trimmed = true;
}

/* ------------------------------------------------------------ reservations */

static bool fits(struct state *s, u64 length)
{
	const struct m_extent *e = last_extent(s);
	u64 end = s->total - e->from + rounded(length, s->align);
	bool room = end <= (u64)e->pages << s->page_shift;

	KUNIT_ASSERT_EQ(s->test, zcb_group_fits(&s->g, length, s->align,
						s->page_shift), room);
	return room;
}

static void add(void *state)
{
	struct state *s = state;
	u64 length = 1 + zcb_rand_below(s->in, 1U << (s->page_shift + 1));
	struct m_resv *r = &s->resvs[s->nresvs];
	const struct m_extent *e;

	if (!s->nextents || s->nresvs == RESVS || !fits(s, length) ||
	    s->trimmed || (s->g.window && s->nresvs))
		return;
	e = last_extent(s);
	*r = (struct m_resv){
		.at = s->total, .length = length, .state = ZCB_RESV_PENDING,
		.pool_offset = e->pool_offset + s->total - e->from,
	};
	zcb_group_add(&s->g, &s->real[s->nresvs++], length, s->align);
	s->length = s->total + length;
	s->end = s->length;
	s->total += rounded(length, s->align);
}

static void ask(void *state)
{
	struct state *s = state;
	u64 length = input_any(s->in) >> 2;

	if (s->nextents)
		fits(s, length);
}

static bool choose(struct state *s, u8 wanted, u32 *i)
{
	*i = zcb_rand_below(s->in, s->nresvs);
	return *i < s->nresvs && s->resvs[*i].state == wanted;
}

static void commit(void *state)
{
	struct state *s = state;
	struct m_resv *r;
	u32 i;

	if (!choose(s, ZCB_RESV_PENDING, &i))
		return;
	r = &s->resvs[i];
	r->state = ZCB_RESV_COMMITTED;
	r->nrecords = input_any(s->in);
	r->used = r->length;
	if (s->g.window) {
		r->used = 1 + zcb_rand_below(s->in, r->length);
		s->length = r->used;
		s->end = r->used;
	}
	zcb_group_commit(&s->g, &s->real[i], r->used, r->nrecords);
}

static void fail(void *state)
{
	struct state *s = state;
	u32 i;

	if (!choose(s, ZCB_RESV_PENDING, &i))
		return;
	s->resvs[i].state = ZCB_RESV_FAILED;
	s->resvs[i].straggler = zcb_rand_below(s->in, 2);
	zcb_group_fail(&s->g, &s->real[i], s->resvs[i].straggler);
}

static void ack(void *state)
{
	struct state *s = state;
	u32 i;

	if (!choose(s, ZCB_RESV_FAILED, &i) || !s->resvs[i].straggler)
		return;
	s->resvs[i].straggler = false;
	zcb_group_ack(&s->g, &s->real[i]);
}

/* ------------------------------------------------------------------ checks */

static void check_resv(struct state *s, u32 i, const struct list_head *node)
{
	const struct zcb_resv *real = &s->real[i];
	const struct m_resv *r = &s->resvs[i];
	struct kunit *test = s->test;

	KUNIT_ASSERT_PTR_EQ(test, node, &real->in_group);
	KUNIT_ASSERT_PTR_EQ(test, real->group, &s->g);
	KUNIT_ASSERT_TRUE(test, list_empty(&real->in_owner));
	KUNIT_ASSERT_EQ(test, real->offset, s->offset + r->at);
	KUNIT_ASSERT_EQ(test, real->length, r->length);
	KUNIT_ASSERT_EQ(test, real->used, r->used);
	KUNIT_ASSERT_EQ(test, real->pool_offset, r->pool_offset);
	KUNIT_ASSERT_EQ(test, real->nrecords, r->nrecords);
	KUNIT_ASSERT_EQ(test, (int)real->state, (int)r->state);
	KUNIT_ASSERT_EQ(test, (int)real->straggler, (int)r->straggler);
}

static void check_counts(struct state *s)
{
	u32 i, n[3] = {}, nstragglers = 0;
	struct kunit *test = s->test;
	u64 nrecords = 0;

	for (i = 0; i < s->nresvs; i++) {
		n[s->resvs[i].state]++;
		nstragglers += s->resvs[i].straggler;
		nrecords += s->resvs[i].nrecords;
	}
	KUNIT_ASSERT_EQ(test, s->g.nresv, s->nresvs);
	KUNIT_ASSERT_EQ(test, s->g.npending, n[ZCB_RESV_PENDING]);
	KUNIT_ASSERT_EQ(test, s->g.nfailed, n[ZCB_RESV_FAILED]);
	KUNIT_ASSERT_EQ(test, s->g.nstragglers, nstragglers);
	KUNIT_ASSERT_EQ(test, s->g.nrecords, min_t(u64, nrecords, U32_MAX));
}

static void check_extents(struct state *s)
{
	struct kunit *test = s->test;
	u64 pages = 0, end;
	u32 i;

	KUNIT_ASSERT_EQ(test, s->g.nextents, s->nextents);
	for (i = 0; i < s->nextents; i++) {
		const struct zcb_group_extent *real = &s->g.extents[i];
		const struct m_extent *e = &s->extents[i];

		end = i + 1 < s->nextents ? s->extents[i + 1].from : s->end;
		KUNIT_ASSERT_EQ(test, real->bytes, end - e->from);
		KUNIT_ASSERT_EQ(test, real->pool_offset, e->pool_offset);
		KUNIT_ASSERT_EQ(test, real->pages, e->pages);
		pages += e->pages;
	}
	KUNIT_ASSERT_EQ(test, zcb_group_bytes(&s->g, s->page_shift),
			pages << s->page_shift);
}

static void check(void *state)
{
	struct state *s = state;
	const struct list_head *node = &s->g.resvs;
	struct kunit *test = s->test;
	u32 i;

	KUNIT_ASSERT_EQ(test, s->g.id, s->id);
	KUNIT_ASSERT_EQ(test, s->g.offset, s->offset);
	KUNIT_ASSERT_EQ(test, s->g.opened_ns, s->opened);
	KUNIT_ASSERT_EQ(test, s->g.total, s->total);
	KUNIT_ASSERT_EQ(test, s->g.length, s->length);
	KUNIT_ASSERT_FALSE(test, zcb_group_sealed(&s->g));
	KUNIT_ASSERT_TRUE(test, list_empty(&s->g.in_stream));
	KUNIT_ASSERT_TRUE(test, list_empty(&s->g.queue));
	for (i = 0; i < s->nresvs; i++) {
		node = node->next;
		check_resv(s, i, node);
	}
	KUNIT_ASSERT_PTR_EQ(test, node->next, &s->g.resvs);
	check_counts(s);
	check_extents(s);
}

static const struct fuzz_op ops[] = {
	{ "add", add },
	{ "add", add },
	{ "add", add },
	{ "ask", ask },
	{ "commit", commit },
	{ "commit", commit },
	{ "fail", fail },
	{ "ack", ack },
	{ "add_extent", add_extent },
	{ "trim", trim },
	{ "begin", begin },
};

static const struct fuzz_target target = { ops, ARRAY_SIZE(ops), check };

void fuzz_one(struct kunit *test, struct zcb_rand *in)
{
	struct state s = { .test = test, .in = in };

	begin(&s);
	fuzz_ops(&target, in, &s);
}

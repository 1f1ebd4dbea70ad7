/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the stream suites stand on: a stream with memory that is watched. Every
 * page handed to the stream is noted and must come back exactly once, and so
 * must every struct; what came back is overwritten at once. The pages are real:
 * writers fill them with a pattern of the stream offset, readers look for it.
 */
#ifndef ZCB_KUNIT_STREAM_RIG_H
#define ZCB_KUNIT_STREAM_RIG_H

#include <kunit/test.h>
#include "../../kmod/core/topic.h"

#define RIG_MEMORY	(1024U * 1024)	/* bytes of the pool */
#define RIG_PAGES_MAX	(RIG_MEMORY >> 6)
#define RIG_STRUCTS	1024		/* of either kind */
#define RIG_BUCKETS	16		/* few, so that buckets have chains */
#define RIG_POISON	0x6b

/**
 * struct rig_port - a consumer port that counts what it is told
 * @c: the port
 * @ready: groups announced to it
 * @ends: ends of the stream announced to it
 * @awaited: times it was told that a producer waits
 * @words: of a queue that is shown: by slot, the name of a delivery that can be taken
 * @grabs: it takes this many just before they would be dropped
 * @drops: when so many more have been dropped, it takes the first there is
 */
struct rig_port {
	struct zcb_consumer c;
	u32 ready;
	u32 ends;
	u32 awaited;
	u64 *words;
	u32 grabs;
	u32 drops;
};

/**
 * struct rig - a stream and its surroundings
 * @test: the running case
 * @s: the stream
 * @hash: its buckets
 * @cfg: what it is opened with
 * @p: a producer
 * @c: a success port, on the stream
 * @f: a failure port, on the stream
 * @memory: the pool
 * @npages: pages in it
 * @cursor: where the search for free pages goes on
 * @pages: which pages the stream has
 * @resvs: reservations to hand out
 * @resv_used: which of them the stream has
 * @groups: groups to hand out
 * @group_used: which of them the stream has
 * @given_back: pages that came back through give_pages
 * @rooms: how often it was told that a group may begin
 * @freezes: groups it was told to freeze, or that linger
 * @noisy: somebody has a page of each group with a lower id
 * @now: the time; goes on with every look at it
 */
struct rig {
	struct kunit *test;
	struct zcb_stream s;
	struct zcb_resv *hash[RIG_BUCKETS];
	struct zcb_stream_config cfg;
	struct zcb_producer p;
	struct rig_port c;
	struct rig_port f;
	u8 *memory;
	u32 npages;
	u32 cursor;
	DECLARE_BITMAP(pages, RIG_PAGES_MAX);
	struct zcb_resv *resvs;
	DECLARE_BITMAP(resv_used, RIG_STRUCTS);
	struct zcb_group *groups;
	DECLARE_BITMAP(group_used, RIG_STRUCTS);
	u64 given_back;
	u32 rooms;
	u32 freezes;
	u64 noisy;
	u64 now;
};

static inline u64 rig_now(struct rig *rig)
{
	return ++rig->now;
}

static inline u32 rig_pages_held(const struct rig *rig)
{
	return bitmap_weight(rig->pages, rig->npages);
}

/* ------------------------------------------------- what the stream gives */

static inline struct rig *rig_of(struct zcb_stream *s)
{
	return container_of(s, struct rig, s);
}

static inline void rig_take_pages(struct rig *rig, u64 pool_offset, u32 pages)
{
	u64 page = pool_offset >> rig->cfg.page_shift;
	u32 i;

	KUNIT_ASSERT_EQ(rig->test, page << rig->cfg.page_shift, pool_offset);
	KUNIT_ASSERT_LE(rig->test, page + pages, (u64)rig->npages);
	for (i = 0; i < pages; i++)
		KUNIT_ASSERT_TRUE(rig->test,
				  __test_and_clear_bit(page + i, rig->pages));
	memset(rig->memory + pool_offset, RIG_POISON,
	       (size_t)pages << rig->cfg.page_shift);
}

static inline void rig_give_pages(struct zcb_stream *s, u64 pool_offset,
				  u32 pages)
{
	struct rig *rig = rig_of(s);

	KUNIT_ASSERT_GT(rig->test, pages, 0U);
	rig->given_back += pages;
	rig_take_pages(rig, pool_offset, pages);
}

static inline void rig_take_resv(struct rig *rig, struct zcb_resv *r)
{
	KUNIT_ASSERT_TRUE(rig->test, list_empty(&r->in_owner));
	KUNIT_ASSERT_TRUE(rig->test,
			  __test_and_clear_bit(r - rig->resvs,
					       rig->resv_used));
	memset(r, RIG_POISON, sizeof(*r));
}

static inline void rig_free_group(struct zcb_stream *s, struct zcb_group *g)
{
	struct rig *rig = rig_of(s);
	struct zcb_resv *r, *tmp;
	u32 i, nresv = 0;

	KUNIT_ASSERT_TRUE(rig->test, list_empty(&g->in_stream));
	KUNIT_ASSERT_TRUE(rig->test, list_empty(&g->queue));
	for (i = 0; i < g->nextents; i++)
		rig_take_pages(rig, g->extents[i].pool_offset,
			       g->handle ? g->capacity >> rig->cfg.page_shift :
					   g->extents[i].pages);
	list_for_each_entry_safe(r, tmp, &g->resvs, in_group) {
		rig_take_resv(rig, r);
		nresv++;
	}
	KUNIT_ASSERT_EQ(rig->test, nresv, g->nresv);
	KUNIT_ASSERT_TRUE(rig->test,
			  __test_and_clear_bit(g - rig->groups,
					       rig->group_used));
	memset(g, RIG_POISON, sizeof(*g));
}

static inline void rig_ready(struct zcb_stream *s, struct zcb_consumer *c,
			     u32 n)
{
	struct rig_port *port = container_of(c, struct rig_port, c);

	KUNIT_ASSERT_FALSE(rig_of(s)->test, list_empty(&c->node));
	port->ready += n;
	port->ends += !n;
}

static inline void rig_room(struct zcb_stream *s)
{
	rig_of(s)->rooms++;
}

static inline void rig_freeze(struct zcb_stream *s)
{
	rig_of(s)->freezes++;
}

static inline bool rig_quiet(struct zcb_stream *s, struct zcb_group *g)
{
	KUNIT_ASSERT_TRUE(rig_of(s)->test, g->frozen);
	return g->id >= rig_of(s)->noisy;
}

static inline u64 *rig_word(struct zcb_consumer *c,
			    const struct zcb_topic_slot *slot)
{
	struct rig_port *port = container_of(c, struct rig_port, c);

	return &port->words[slot - c->topic->slots];
}

static inline void rig_show(struct zcb_consumer *c,
			    const struct zcb_topic_slot *slot, u32 lane)
{
	*rig_word(c, slot) = zcb_topic_id(c->topic, slot);
}

static inline void rig_take_first(struct zcb_consumer *c)
{
	struct zcb_topic_slot *slot;

	list_for_each_entry(slot, &c->topic->lanes[0], node)
		if (*rig_word(c, slot)) {
			*rig_word(c, slot) = 0;
			return;
		}
}

static inline bool rig_claim(struct zcb_consumer *c,
			     const struct zcb_topic_slot *slot, u32 as)
{
	struct rig_port *port = container_of(c, struct rig_port, c);
	u64 *word = rig_word(c, slot);

	if (as == ZCBUF_SLOT_DROPPED && *word && port->grabs) {
		port->grabs--;
		*word = 0;
	}
	if (*word != zcb_topic_id(c->topic, slot))
		return false;
	if (as != ZCBUF_SLOT_READY)
		*word = 0;
	if (as == ZCBUF_SLOT_DROPPED && port->drops && !--port->drops)
		rig_take_first(c);
	return true;
}

static inline void rig_await(struct zcb_consumer *c)
{
	container_of(c, struct rig_port, c)->awaited++;
}

static const struct zcb_stream_ops rig_ops = {
	.give_pages = rig_give_pages,
	.free_group = rig_free_group,
	.ready = rig_ready,
	.show = rig_show,
	.claim = rig_claim,
	.await = rig_await,
	.room = rig_room,
	.freeze = rig_freeze,
	.quiet = rig_quiet,
};

/* ------------------------------------------------- what the stream gets */

/* rig_find_pages() - the first of @pages free neighbours, or npages */
static inline u32 rig_find_pages(const struct rig *rig, u32 pages)
{
	u32 from = rig->cursor;
	u32 first, end, wraps = 0;

	for (;;) {
		first = find_next_zero_bit(rig->pages, rig->npages, from);
		end = find_next_bit(rig->pages, rig->npages, first);
		if (end - first >= pages)
			return first;
		from = end;
		if (end == rig->npages) {
			if (wraps++)
				return rig->npages;
			from = 0;
		}
	}
}

/* rig_get_pages() - @pages free neighbours, which are the stream's now */
static inline u64 rig_get_pages(struct rig *rig, u32 pages)
{
	u32 first = rig_find_pages(rig, pages);

	KUNIT_ASSERT_LT(rig->test, first, rig->npages);
	bitmap_set(rig->pages, first, pages);
	rig->cursor = first + pages;
	return (u64)first << rig->cfg.page_shift;
}

static inline u32 rig_get_bit(struct rig *rig, unsigned long *map)
{
	u32 bit = find_first_zero_bit(map, RIG_STRUCTS);

	KUNIT_ASSERT_LT(rig->test, bit, (u32)RIG_STRUCTS);
	__set_bit(bit, map);
	return bit;
}

/* rig_supply() - what @plan asks for, and @extra pages with an extent */
static inline void rig_supply(struct rig *rig,
			      const struct zcb_group_plan *plan, u32 extra,
			      struct zcb_stream_supply *supply)
{
	u8 shift = rig->cfg.page_shift;
	u64 bytes = round_up(plan->extent_bytes, 1ULL << shift);

	memset(supply, 0, sizeof(*supply));
	supply->resv = &rig->resvs[rig_get_bit(rig, rig->resv_used)];
	if (plan->group)
		supply->group = &rig->groups[rig_get_bit(rig,
							 rig->group_used)];
	if (!bytes)
		return;
	supply->pages = (bytes >> shift) + extra;
	supply->pool_offset = rig_get_pages(rig, supply->pages);
}

/* rig_try_reserve() - plan, bring, reserve */
static inline int rig_try_reserve(struct rig *rig, struct zcb_producer *p,
				  u64 length, bool window, u32 extra,
				  struct zcb_resv **resv)
{
	struct zcb_stream_supply supply;
	struct zcb_group_plan plan;
	int err;

	err = zcb_stream_plan(&rig->s, length, window, &plan);
	if (err)
		return err;
	rig_supply(rig, &plan, extra, &supply);
	*resv = zcb_stream_reserve(&rig->s, p, length, window, &supply,
				   rig_now(rig));
	KUNIT_ASSERT_PTR_EQ(rig->test, *resv, supply.resv);
	return 0;
}

static inline struct zcb_resv *rig_reserve(struct rig *rig, u64 length)
{
	struct zcb_resv *r = NULL;

	KUNIT_ASSERT_EQ(rig->test, 0,
			rig_try_reserve(rig, &rig->p, length, false, 0, &r));
	return r;
}

static inline struct zcb_resv *rig_window(struct rig *rig, u64 length)
{
	struct zcb_resv *r = NULL;

	KUNIT_ASSERT_EQ(rig->test, 0,
			rig_try_reserve(rig, &rig->p, length, true, 0, &r));
	return r;
}

/* ----------------------------------------------------------- the contents */

static inline u8 rig_byte(u64 offset)
{
	return (u8)(offset * 29 + (offset >> 8) * 7 + 1);
}

/* rig_write() - what the owner of a reservation does, @length bytes of it */
static inline void rig_write(struct rig *rig, const struct zcb_resv *r,
			     u64 length)
{
	u64 i;

	for (i = 0; i < length; i++)
		rig->memory[r->pool_offset + i] = rig_byte(r->offset + i);
}

/*
 * rig_publish() - a buffer of @pages, written before
 * @group: set; whoever calls has a reference
 */
static inline int rig_publish(struct rig *rig, struct zcb_producer *p,
			      const struct zcb_topic_publication *pub,
			      u32 pages, struct zcb_group **group)
{
	struct zcb_stream_supply supply = {};
	struct zcb_resv text = { .offset = rig->s.offset };
	int err = zcb_topic_plan(&rig->s, pub->length);

	if (err)
		return err;
	supply.resv = &rig->resvs[rig_get_bit(rig, rig->resv_used)];
	supply.group = &rig->groups[rig_get_bit(rig, rig->group_used)];
	supply.pool_offset = rig_get_pages(rig, pages);
	supply.handle = supply.pool_offset + 1;
	supply.capacity = (u64)pages << rig->cfg.page_shift;
	text.pool_offset = supply.pool_offset;
	rig_write(rig, &text, pub->length);
	*group = zcb_topic_publish(&rig->s, p, pub, &supply, rig_now(rig));
	KUNIT_ASSERT_PTR_EQ(rig->test, *group, supply.group);
	return 0;
}

/* The byte of a group at a stream offset, found as a consumer finds it. */
static inline u8 rig_read(const struct rig *rig, const struct zcb_group *g,
			  u64 offset)
{
	u64 at = offset - g->offset;
	u32 i = 0;

	if (at >= g->extents[0].bytes) {
		at -= g->extents[0].bytes;
		i = 1;
	}
	return rig->memory[g->extents[i].pool_offset + at];
}

/* rig_check_resv() - are the bytes of a committed reservation there? */
static inline void rig_check_resv(struct rig *rig, const struct zcb_resv *r)
{
	u64 i, wrong = 0;

	for (i = 0; i < r->used; i++)
		wrong += rig_read(rig, r->group, r->offset + i) !=
			 rig_byte(r->offset + i);
	KUNIT_EXPECT_EQ_MSG(rig->test, wrong, 0ULL, "reservation %llu",
			    (unsigned long long)r->id);
}

/* rig_check_group() - is a group what its delivery says it is? */
static inline void rig_check_group(struct rig *rig, const struct zcb_group *g)
{
	const struct zcb_resv *r;
	u64 sum = 0, nrecords = 0;
	u32 i;

	for (i = 0; i < g->nextents; i++)
		sum += g->extents[i].bytes;
	KUNIT_EXPECT_EQ(rig->test, sum, g->length);
	list_for_each_entry(r, &g->resvs, in_group) {
		if (r->state != ZCB_RESV_COMMITTED)
			continue;
		rig_check_resv(rig, r);
		nrecords += r->nrecords;
	}
	KUNIT_EXPECT_EQ(rig->test, min_t(u64, nrecords, U32_MAX), g->nrecords);
}

/* --------------------------------------------------------------- commits */

static inline int rig_commit_bytes(struct rig *rig, struct zcb_resv *r,
				   u64 length, bool chunked)
{
	const struct zcb_stream_commit c = {
		.group = r->group->id,
		.id = r->id,
		.offset = r->offset,
		.length = length,
		.chunked = chunked,
	};

	return zcb_stream_commit(&rig->s, &rig->p, &c, rig_now(rig));
}

/* rig_commit() - write all of a reservation and commit it */
static inline void rig_commit(struct rig *rig, struct zcb_resv *r)
{
	rig_write(rig, r, r->length);
	KUNIT_EXPECT_EQ(rig->test, 0,
			rig_commit_bytes(rig, r, r->length, false));
}

static inline void rig_abort(struct rig *rig, struct zcb_resv *r)
{
	KUNIT_EXPECT_EQ(rig->test, 0,
			zcb_stream_abort(&rig->s, &rig->p, r->group->id, r->id,
					 rig_now(rig)));
}

/* ------------------------------------------------- receive and finalize */

static inline struct zcb_group *rig_receive(struct rig *rig,
					    struct rig_port *port)
{
	struct zcb_group *g = NULL;

	KUNIT_ASSERT_EQ(rig->test, 0,
			zcb_stream_receive(&rig->s, &port->c, &g));
	return g;
}

static inline void rig_release(struct rig *rig, struct rig_port *port,
			       const struct zcb_group *g)
{
	KUNIT_EXPECT_EQ(rig->test, 0,
			zcb_stream_release(&rig->s, &port->c, g->id));
}

/* rig_finalize() - and expect these counts */
static inline void rig_finalize(struct rig *rig, u64 success, u64 failure,
				u64 reservations)
{
	struct zcb_stream_counts counts;

	zcb_stream_finalize(&rig->s, rig_now(rig), &counts);
	KUNIT_EXPECT_EQ(rig->test, counts.success, success);
	KUNIT_EXPECT_EQ(rig->test, counts.failure, failure);
	KUNIT_EXPECT_EQ(rig->test, counts.reservations, reservations);
}

/* ---------------------------------------------------------- the life of it */

/* rig_open_bare() - begin the stream of @rig->cfg, with a producer only */
static inline void rig_open_bare(struct rig *rig)
{
	rig->npages = RIG_MEMORY >> rig->cfg.page_shift;
	memset(rig->hash, 0, sizeof(rig->hash));
	zcb_stream_init(&rig->s, &rig->cfg, &rig_ops, rig->hash, RIG_BUCKETS);
	zcb_producer_init(&rig->p);
}

/* rig_open() - and with its ports */
static inline void rig_open(struct rig *rig)
{
	rig_open_bare(rig);
	memset(&rig->c, 0, sizeof(rig->c));
	memset(&rig->f, 0, sizeof(rig->f));
	zcb_consumer_init(&rig->c.c, 1024, false);
	zcb_consumer_init(&rig->f.c, 1024, true);
	zcb_stream_add_consumer(&rig->s, &rig->c.c);
	zcb_stream_add_consumer(&rig->s, &rig->f.c);
}

/* rig_check_empty() - the stream has given back all it ever got */
static inline void rig_check_empty(struct rig *rig)
{
	struct kunit *test = rig->test;
	u32 i;

	KUNIT_EXPECT_EQ(test, rig->s.bytes, 0ULL);
	KUNIT_EXPECT_EQ(test, rig->s.credit.taken, 0U);
	KUNIT_EXPECT_EQ(test, rig->s.npending, 0U);
	KUNIT_EXPECT_EQ(test, rig->s.nstragglers, 0U);
	KUNIT_EXPECT_EQ(test, rig->s.nheld, 0U);
	KUNIT_EXPECT_EQ(test, rig->s.nqueued, 0U);
	KUNIT_EXPECT_EQ(test, rig->s.nfreezing, 0U);
	KUNIT_EXPECT_EQ(test, rig->s.nparked, 0U);
	KUNIT_EXPECT_EQ(test, rig->s.nfailed, 0U);
	KUNIT_EXPECT_TRUE(test, list_empty(&rig->s.groups));
	KUNIT_EXPECT_TRUE(test, list_empty(&rig->s.lingering));
	KUNIT_EXPECT_EQ(test, rig_pages_held(rig), 0U);
	KUNIT_EXPECT_TRUE(test, bitmap_empty(rig->resv_used, RIG_STRUCTS));
	KUNIT_EXPECT_TRUE(test, bitmap_empty(rig->group_used, RIG_STRUCTS));
	for (i = 0; i < RIG_BUCKETS; i++)
		KUNIT_EXPECT_NULL(test, rig->hash[i]);
}

/* rig_close() - as when the channel goes away: all ports first */
static inline void rig_close(struct rig *rig)
{
	zcb_stream_drop_producer(&rig->s, &rig->p, rig_now(rig));
	zcb_stream_drop_consumer(&rig->s, &rig->c.c);
	zcb_stream_drop_consumer(&rig->s, &rig->f.c);
	zcb_stream_fini(&rig->s);
	rig_check_empty(rig);
}

/* Suite init: nothing is open yet. */
static inline int rig_init(struct kunit *test)
{
	struct rig *rig = kunit_kzalloc(test, sizeof(*rig), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, rig);
	rig->test = test;
	rig->memory = kunit_kzalloc(test, RIG_MEMORY, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rig->memory);
	rig->resvs = kunit_kcalloc(test, RIG_STRUCTS, sizeof(*rig->resvs),
				   GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rig->resvs);
	rig->groups = kunit_kcalloc(test, RIG_STRUCTS, sizeof(*rig->groups),
				    GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rig->groups);
	rig->cfg = (struct zcb_stream_config){
		.threshold = 100,
		.max_reservation = 4096,
		.max_extent = RIG_MEMORY,
		.align = 1,
		.max_outstanding = 1024,
		.page_shift = 12,
	};
	test->priv = rig;
	return 0;
}

#endif /* ZCB_KUNIT_STREAM_RIG_H */

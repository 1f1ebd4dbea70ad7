// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * kmod/core/buf.c. The model is what each page is part of, how many handles of
 * either kind it has seen end, and who used it last; blocks are placed by
 * looking for pages of one arena that are free. What a handle must be answered follows from
 * the header's words about its bits.
 */
#include "fuzz.h"
#include "../../../kmod/core/buf.h"
#include "../../../kmod/core/slab.h"

#define PAGES_MAX	96
#define OWNERS		3
#define HISTORY		64
#define NOBODY		0xff

/* Slab classes: only number and order matter here. */
static const u32 class_order[] = { 0, 1, 3, 0, 2 };

#define CLASSES		ARRAY_SIZE(class_order)

struct m_page {
	u8 part_of;		/* index of the block's first page, or NOBODY */
	u8 owner;		/* of a first page */
	u8 order;
	bool slab;
	u8 class;
	u32 gen;
	u32 slab_gen;
	u32 domain;
	bool gone;
};

struct m_owner {
	struct zcb_buf_list blocks;
	struct zcb_buf_list leases;
};

struct state {
	struct kunit *test;
	struct zcb_rand *in;
	struct zcb_buf_table t;
	struct m_page pages[PAGES_MAX];
	struct m_owner owners[OWNERS];
	struct zcb_slab slabs[PAGES_MAX];	/* by first page */
	u64 history[HISTORY];
	u32 nhistory;
};

static bool is_first(const struct state *s, u32 page)
{
	return s->pages[page].part_of == page;
}

static void remember(struct state *s, u64 handle)
{
	KUNIT_ASSERT_NE(s->test, handle, 0ULL);
	s->history[s->nhistory++ % HISTORY] = handle;
}

/* Where a block of @order that has @page starts: it is aligned in its arena. */
static u32 start_of(const struct state *s, u32 page, u32 order)
{
	u32 arena = page / s->t.in_arena * s->t.in_arena;

	return arena + (page - arena) / (1U << order) * (1U << order);
}

/* ----------------------------------------------------- hand out, take back */

/* A free block, the first at or after a random page; npages if there is none. */
static u32 find_block(struct state *s, u32 order)
{
	u32 page = zcb_rand_below(s->in, s->t.npages);
	u32 i;

	for (; page + (1U << order) <= s->t.npages; page++) {
		if (start_of(s, page, order) != page ||
		    page % s->t.in_arena + (1U << order) > s->t.in_arena)
			continue;
		for (i = 0; i < 1U << order; i++)
			if (s->pages[page + i].part_of != NOBODY ||
			    s->pages[page + i].gone)
				break;
		if (i == 1U << order)
			return page;
	}
	return s->t.npages;
}

static struct m_page *occupy(struct state *s, u32 page, u32 order, u32 owner)
{
	u32 i;

	for (i = 0; i < 1U << order; i++)
		s->pages[page + i].part_of = page;
	s->pages[page].owner = owner;
	s->pages[page].order = order;
	return &s->pages[page];
}

static void hand_out(void *state)
{
	struct state *s = state;
	u32 owner = zcb_rand_below(s->in, OWNERS);
	u32 order = zcb_rand_below(s->in, 6);
	u32 page = find_block(s, order);
	struct kunit *test = s->test;
	struct m_page *p;
	u64 handle;

	if (page == s->t.npages)
		return;
	p = occupy(s, page, order, owner);
	p->slab = false;
	handle = zcb_buf_hand_out(&s->t, &s->owners[owner].blocks,
				  &s->owners[owner], page, order);
	KUNIT_ASSERT_EQ(test, zcbuf_buf_offset(handle),
			(u64)page << s->t.page_shift);
	KUNIT_ASSERT_EQ(test, zcbuf_buf_capacity(handle, NULL),
			1ULL << (s->t.page_shift + order));
	remember(s, handle);
}

static void lease(void *state)
{
	struct state *s = state;
	u32 owner = zcb_rand_below(s->in, OWNERS);
	u32 class = zcb_rand_below(s->in, CLASSES);
	u32 page = find_block(s, class_order[class]);
	struct m_page *p;

	if (page == s->t.npages)
		return;
	p = occupy(s, page, class_order[class], owner);
	p->slab = true;
	p->class = class;
	s->slabs[page].page = page;
	s->slabs[page].class = class;
	zcb_buf_lease(&s->t, &s->owners[owner].leases, &s->owners[owner], page,
		      class_order[class], &s->slabs[page]);
}

static u32 next_gen(u32 gen, u32 max)
{
	return gen == max ? 1 : gen + 1;
}

static void vacate(struct state *s, u32 page)
{
	struct m_page *p = &s->pages[page];
	struct m_owner *o = &s->owners[p->owner];
	u32 i;

	if (p->slab) {
		zcb_buf_unlease(&s->t, &o->leases, page);
		p->slab_gen = next_gen(p->slab_gen, ZCB_BUF_SLAB_GEN_MAX);
	} else {
		zcb_buf_take_back(&s->t, &o->blocks, page);
		p->gen = next_gen(p->gen, ZCB_BUF_GEN_MAX);
	}
	for (i = 0; i < 1U << p->order; i++)
		s->pages[page + i].part_of = NOBODY;
}

static void take_back(void *state)
{
	struct state *s = state;
	u32 page = zcb_rand_below(s->in, s->t.npages);

	if (s->pages[page].part_of != NOBODY)
		vacate(s, s->pages[page].part_of);
}

/* All an owner has, found as the pool finds it: by the head of the lists. */
static void owner_dies(void *state)
{
	struct state *s = state;
	struct m_owner *o = &s->owners[zcb_rand_below(s->in, OWNERS)];

	while (o->blocks.first != ZCB_BUF_NONE)
		vacate(s, o->blocks.first);
	while (o->leases.first != ZCB_BUF_NONE)
		vacate(s, o->leases.first);
}

/* To another owner, or again to the same one. */
static void move(void *state)
{
	struct state *s = state;
	u32 page = s->pages[zcb_rand_below(s->in, s->t.npages)].part_of;
	u32 to = zcb_rand_below(s->in, OWNERS);
	struct m_owner *from, *o = &s->owners[to];
	struct m_page *p;

	if (page == NOBODY)
		return;
	p = &s->pages[page];
	from = &s->owners[p->owner];
	zcb_buf_detach(&s->t, p->slab ? &from->leases : &from->blocks, page);
	zcb_buf_attach(&s->t, p->slab ? &o->leases : &o->blocks, o, page);
	p->owner = to;
}

static void slab_handle(void *state)
{
	struct state *s = state;
	u32 page = s->pages[zcb_rand_below(s->in, s->t.npages)].part_of;
	struct m_page *p;
	u64 offset, handle;

	if (page == NOBODY || !s->pages[page].slab)
		return;
	p = &s->pages[page];
	offset = input_any(s->in) % (1ULL << (s->t.page_shift + p->order));
	offset &= ~15ULL;
	handle = zcb_buf_slab_handle(&s->t, page, p->class, offset);
	KUNIT_ASSERT_EQ(s->test, zcbuf_buf_class(handle),
			ZCBUF_BUF_SLAB + p->class);
	KUNIT_ASSERT_EQ(s->test, zcbuf_buf_offset(handle),
			((u64)page << s->t.page_shift) + offset);
	remember(s, handle);
}

/* ------------------------------------------------------------------ find */

static u64 compose(u64 class, u64 gen, u32 bits, u64 index)
{
	return class << 58 | gen << bits | index;
}

/* Handles of any page and class, of generations near the ones there are. */
static u64 forge(struct state *s)
{
	u32 page = zcb_rand_below(s->in, s->t.npages + 2);
	u32 class = zcb_rand_below(s->in, 8);
	u32 older = zcb_rand_below(s->in, 4);
	u32 shift = s->t.page_shift - 12;
	const struct m_page *p = &s->pages[page % s->t.npages];

	if (zcb_rand_below(s->in, 2))
		return compose(class + shift, (p->gen + 1 - older) & 0x3fffffff,
			       ZCBUF_BUF_PAGE_BITS, (u64)page << shift);
	return compose(ZCBUF_BUF_SLAB + class,
		       (p->slab_gen + 1 - older) & 0x3fffff,
		       ZCBUF_BUF_SLAB_BITS, (u64)page << (s->t.page_shift - 4));
}

static u64 choose_handle(struct state *s)
{
	u32 kind = zcb_rand_below(s->in, 8);
	u64 handle = s->history[zcb_rand_below(s->in, HISTORY)];

	if (kind < 4)
		return handle;
	if (kind == 4)
		return handle ^ BIT_ULL(zcb_rand_below(s->in, 64));
	if (kind == 5)
		return input_any(s->in);
	return forge(s);
}

/* What names nothing: never issued, or issued and over. */
static int expected_refusal(const struct state *s, u32 page, u32 gen, u32 now)
{
	if (!gen || gen >= now)
		return -ENOENT;
	return s->pages[page].part_of == NOBODY ? -EBADSLT : -ESTALE;
}

static int expected_block(const struct state *s, u64 handle, u32 owner,
			  u32 *page)
{
	u32 gen = handle >> ZCBUF_BUF_PAGE_BITS & 0x3fffffff;
	u64 offset = zcbuf_buf_offset(handle);
	u64 bytes = 4096ULL << zcbuf_buf_class(handle);
	const struct m_page *p;

	if (bytes < 1ULL << s->t.page_shift ||
	    offset % (1ULL << s->t.page_shift) ||
	    offset + bytes > (u64)s->t.npages << s->t.page_shift)
		return -EINVAL;
	*page = offset >> s->t.page_shift;
	p = &s->pages[*page];
	if (p->gone)
		return -ENOENT;
	if (!is_first(s, *page) || p->slab || p->gen != gen ||
	    bytes != 1ULL << (s->t.page_shift + p->order))
		return expected_refusal(s, *page, gen, p->gen);
	return p->owner == owner ? 0 : -EPERM;
}

static void find_block_of(struct state *s, u64 handle, u32 owner)
{
	u32 page = ~0U, want = ~0U;
	int err = expected_block(s, handle, owner, &want);

	KUNIT_ASSERT_EQ(s->test, zcb_buf_find(&s->t, handle, &s->owners[owner],
					      &page), err);
	if (!err)
		KUNIT_ASSERT_EQ(s->test, page, want);
}

static int expected_slab(const struct state *s, u64 handle, u32 order,
			 u32 owner, u32 *first)
{
	u32 gen = handle >> ZCBUF_BUF_SLAB_BITS & 0x3fffff;
	u32 class = zcbuf_buf_class(handle) - ZCBUF_BUF_SLAB;
	u64 page = zcbuf_buf_offset(handle) >> s->t.page_shift;
	const struct m_page *p;

	if (page >= s->t.npages)
		return -EINVAL;
	*first = start_of(s, page, order);
	p = &s->pages[*first];
	if (p->gone)
		return -ENOENT;
	if (!is_first(s, *first) || !p->slab || p->slab_gen != gen ||
	    p->class != class)
		return expected_refusal(s, page, gen, p->slab_gen);
	return p->owner == owner ? 0 : -EPERM;
}

static void find_slab_of(struct state *s, u64 handle, u32 owner)
{
	u32 class = zcbuf_buf_class(handle) - ZCBUF_BUF_SLAB;
	u32 order = class < CLASSES ? class_order[class] : 0;
	struct zcb_slab *slab = NULL;
	u64 offset = ~0ULL;
	u32 first = 0;
	int err = expected_slab(s, handle, order, owner, &first);

	KUNIT_ASSERT_EQ(s->test,
			zcb_buf_find_slab(&s->t, handle, order,
					  &s->owners[owner], &slab, &offset),
			err);
	if (err)
		return;
	KUNIT_ASSERT_PTR_EQ(s->test, slab, &s->slabs[first]);
	KUNIT_ASSERT_EQ(s->test, offset + ((u64)first << s->t.page_shift),
			zcbuf_buf_offset(handle));
}

static void find(void *state)
{
	struct state *s = state;
	u64 handle = choose_handle(s);
	u32 owner = zcb_rand_below(s->in, OWNERS);
	struct zcb_slab *slab;
	u64 offset;
	u32 page;

	if (zcbuf_buf_class(handle) < ZCBUF_BUF_SLAB) {
		find_block_of(s, handle, owner);
		KUNIT_ASSERT_EQ(s->test, -EINVAL,
				zcb_buf_find_slab(&s->t, handle, 0, NULL, &slab,
						  &offset));
	} else {
		find_slab_of(s, handle, owner);
		KUNIT_ASSERT_EQ(s->test, -EINVAL,
				zcb_buf_find(&s->t, handle, NULL, &page));
	}
}

/* As if handles of a free page had come and gone until few are left. */
static void age(void *state)
{
	struct state *s = state;
	u32 page = zcb_rand_below(s->in, s->t.npages);
	u32 left = zcb_rand_below(s->in, 3);
	struct m_page *p = &s->pages[page];

	if (p->part_of != NOBODY || p->gone)
		return;
	p->gen = ZCB_BUF_GEN_MAX - left;
	p->slab_gen = ZCB_BUF_SLAB_GEN_MAX - left;
	zcb_buf_at(&s->t, page)->gen = p->gen;
	zcb_buf_at(&s->t, page)->slab_gen = p->slab_gen;
}

/* --------------------------------------------------------------- domains */

static u32 choose_range(struct state *s, u32 *page)
{
	u32 in_arena = s->t.in_arena;

	*page = zcb_rand_below(s->in, s->t.npages);
	return 1 + zcb_rand_below(s->in, in_arena - *page % in_arena);
}

static void tag(void *state)
{
	struct state *s = state;
	u32 page, n = choose_range(s, &page);
	u32 domain = 1 + zcb_rand_below(s->in, 3);
	bool foreign = false;
	u32 i;

	if (s->pages[page].gone)
		return;
	for (i = page; i < page + n; i++) {
		if (s->pages[i].domain && s->pages[i].domain != domain)
			foreign = true;
		s->pages[i].domain = domain;
	}
	KUNIT_ASSERT_EQ(s->test, zcb_buf_is_foreign(&s->t, page, n, domain),
			foreign);
	KUNIT_ASSERT_EQ(s->test, zcb_buf_tag(&s->t, page, n, domain), foreign);
}

static void was_used(void *state)
{
	struct state *s = state;
	u32 page, n = choose_range(s, &page);
	bool used = false;
	u32 i;

	if (s->pages[page].gone)
		return;
	for (i = page; i < page + n; i++)
		used |= s->pages[i].domain;
	KUNIT_ASSERT_EQ(s->test, zcb_buf_was_used(&s->t, page, n), used);
}

/* ---------------------------------------------------------------- growth */

static struct zcb_buf_page *make_pages(struct kunit *test, u32 n)
{
	struct zcb_buf_page *pages = kunit_kmalloc_array(test, n,
							 sizeof(*pages),
							 GFP_KERNEL);

	zcb_buf_pages_init(pages, n);
	return pages;
}

/* One more arena; what is there stays as it is, which check() sees. */
static void grow(void *state)
{
	struct state *s = state;
	u32 in_arena = s->t.in_arena;

	if (s->t.npages + in_arena > PAGES_MAX ||
	    s->t.npages / in_arena == ZCB_BUF_ARENAS)
		return;
	zcb_buf_table_grow(&s->t, make_pages(s->test, in_arena));
}

/* An arena of which nothing is handed out goes; its pages keep their numbers. */
static void drop(void *state)
{
	struct state *s = state;
	u32 in_arena = s->t.in_arena;
	u32 arena = zcb_rand_below(s->in, s->t.npages / in_arena);
	u32 i, first = arena * in_arena;

	if (s->pages[first].gone)
		return;
	for (i = 0; i < in_arena; i++)
		if (s->pages[first + i].part_of != NOBODY)
			return;
	for (i = 0; i < in_arena; i++)
		s->pages[first + i].gone = true;
	kunit_kfree(s->test, zcb_buf_table_drop(&s->t, arena));
}

/* ---------------------------------------------------------------- checks */

/* Returns how many blocks are on the list; each must belong there. */
static u32 check_list(struct state *s, const struct zcb_buf_list *l, u32 owner,
		      bool slab)
{
	u32 at, last = ZCB_BUF_NONE, n = 0;
	struct kunit *test = s->test;
	u64 pages = 0;

	for (at = l->first; at != ZCB_BUF_NONE; at = zcb_buf_at(&s->t, at)->next) {
		KUNIT_ASSERT_LT(test, at, s->t.npages);
		KUNIT_ASSERT_TRUE(test, is_first(s, at));
		KUNIT_ASSERT_EQ(test, s->pages[at].owner, owner);
		KUNIT_ASSERT_EQ(test, s->pages[at].slab, slab);
		KUNIT_ASSERT_EQ(test, zcb_buf_at(&s->t, at)->prev, last);
		KUNIT_ASSERT_LE(test, ++n, s->t.npages);
		pages += 1U << s->pages[at].order;
		last = at;
	}
	KUNIT_ASSERT_EQ(test, l->count, n);
	KUNIT_ASSERT_EQ(test, l->pages, pages);
	return n;
}

static void check_page(struct state *s, u32 page)
{
	const struct zcb_buf_page *real = zcb_buf_at(&s->t, page);
	const struct m_page *p = &s->pages[page];
	int state = ZCB_BUF_IDLE;

	if (is_first(s, page))
		state = p->slab ? ZCB_BUF_SLAB : ZCB_BUF_BLOCK;
	KUNIT_ASSERT_EQ(s->test, (int)real->state, state);
	KUNIT_ASSERT_EQ(s->test, real->gen, p->gen);
	KUNIT_ASSERT_EQ(s->test, real->slab_gen, p->slab_gen);
	KUNIT_ASSERT_EQ(s->test, real->domain, p->domain);
	KUNIT_ASSERT_PTR_EQ(s->test, real->owner, state == ZCB_BUF_IDLE ?
			    NULL : &s->owners[p->owner]);
	KUNIT_ASSERT_PTR_EQ(s->test, real->slab, state == ZCB_BUF_SLAB ?
			    &s->slabs[page] : NULL);
}

static void check(void *state)
{
	struct state *s = state;
	u32 i, n = 0;

	for (i = 0; i < s->t.npages; i++) {
		if (s->pages[i].gone)
			continue;
		check_page(s, i);
		n += is_first(s, i);
	}
	for (i = 0; i < OWNERS; i++) {
		n -= check_list(s, &s->owners[i].blocks, i, false);
		n -= check_list(s, &s->owners[i].leases, i, true);
	}
	KUNIT_ASSERT_EQ(s->test, n, 0);
}

static const struct fuzz_op ops[] = {
	{ "hand_out", hand_out },
	{ "hand_out", hand_out },
	{ "lease", lease },
	{ "slab_handle", slab_handle },
	{ "slab_handle", slab_handle },
	{ "take_back", take_back },
	{ "take_back", take_back },
	{ "owner_dies", owner_dies },
	{ "find", find },
	{ "find", find },
	{ "find", find },
	{ "age", age },
	{ "tag", tag },
	{ "was_used", was_used },
	{ "grow", grow },
	{ "move", move },
	{ "drop", drop },
};

static const struct fuzz_target target = { ops, ARRAY_SIZE(ops), check };

void fuzz_one(struct kunit *test, struct zcb_rand *in)
{
	struct state s = { .test = test, .in = in };
	u32 in_arena = 1 + zcb_rand_below(in, PAGES_MAX);
	u32 page_shift = 12 + 2 * zcb_rand_below(in, 3);
	u32 i;

	for (i = 0; i < PAGES_MAX; i++)
		s.pages[i] = (struct m_page){
			.part_of = NOBODY, .gen = 1, .slab_gen = 1,
		};
	memset(s.owners, 0xa5, sizeof(s.owners));
	for (i = 0; i < OWNERS; i++) {
		zcb_buf_list_init(&s.owners[i].blocks);
		zcb_buf_list_init(&s.owners[i].leases);
	}
	zcb_buf_table_init(&s.t, make_pages(test, in_arena), in_arena,
			   page_shift);
	fuzz_ops(&target, in, &s);
}

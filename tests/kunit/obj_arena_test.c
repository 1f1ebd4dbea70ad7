// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arenas: where their pages are, that they are zero and charged, and that who
 * still holds one of them is seen.
 */
#include <linux/sched/signal.h>

#include "obj_rig.h"

#define HUGE_ORDER	(ilog2(ZCB_ARENA_UNIT) - PAGE_SHIFT)
#define OWNER		KUIDT_INIT(4001)

static const struct zcb_payer owner = { .uid = OWNER };
static const nodemask_t anywhere;

static void destroy(void *arena)
{
	zcb_arena_destroy(arena);
}

static struct zcb_arena *make_at(struct kunit *test, u64 size, u32 index,
				 const nodemask_t *nodes,
				 enum zcb_arena_huge huge)
{
	struct zcb_arena *a = zcb_arena_create(size, index, nodes, huge,
					       &owner);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, a);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, destroy, a));
	return a;
}

static struct zcb_arena *make(struct kunit *test, u64 size,
			      enum zcb_arena_huge huge)
{
	return make_at(test, size, 0, &anywhere, huge);
}

static struct zcb_arena *make_small(struct kunit *test, u64 size)
{
	return make(test, size, ZCB_ARENA_HUGE_NEVER);
}

static struct zcb_arena *make_huge(struct kunit *test, u64 size)
{
	return make(test, size, ZCB_ARENA_HUGE_MUST);
}

static void *at(const struct zcb_arena *a, u64 offset)
{
	return page_address(zcb_arena_page(a, offset >> PAGE_SHIFT)) +
	       offset_in_page(offset);
}

static void fill(const struct zcb_arena *a, u8 byte)
{
	u32 i;

	for (i = 0; i < a->npages; i++)
		memset(at(a, (u64)i << PAGE_SHIFT), byte, PAGE_SIZE);
}

static bool is_zero(const struct zcb_arena *a)
{
	u32 i;

	for (i = 0; i < a->npages; i++)
		if (memchr_inv(at(a, (u64)i << PAGE_SHIFT), 0, PAGE_SIZE))
			return false;
	return true;
}

static void check_size(struct kunit *test, const struct zcb_arena *a, u64 size)
{
	KUNIT_EXPECT_EQ(test, a->size, size);
	KUNIT_EXPECT_EQ(test, a->npages, size >> PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, a->nfolios, a->npages >> a->order);
	KUNIT_EXPECT_TRUE(test, a->ops->caps & ZCB_ARENA_CAP_FIXED);
}

/*
 * Every page is in the folio it should be in, which knows where it lies: the
 * core compares that with i_size.
 */
static void check_pages(struct kunit *test, const struct zcb_arena *a)
{
	u32 in_folio = 1U << a->order;
	u32 i;

	for (i = 0; i < a->npages; i++) {
		struct folio *folio = a->folios[i / in_folio];
		struct page *page = zcb_arena_page(a, i);

		KUNIT_ASSERT_PTR_EQ(test, page_folio(page), folio);
		KUNIT_ASSERT_PTR_EQ(test, page, folio_page(folio, i % in_folio));
		KUNIT_ASSERT_EQ(test, folio_order(folio), a->order);
		KUNIT_ASSERT_EQ(test, folio->index, i / in_folio * in_folio);
		KUNIT_ASSERT_EQ(test, folio_ref_count(folio), 1);
	}
}

static void small_pages(struct kunit *test)
{
	struct zcb_arena *a = make_small(test, 2 * OBJ_ARENA);

	KUNIT_EXPECT_EQ(test, a->order, 0);
	check_size(test, a, 2 * OBJ_ARENA);
	check_pages(test, a);
}

static void huge_pages(struct kunit *test)
{
	struct zcb_arena *a = make_huge(test, 2 * OBJ_ARENA);

	KUNIT_EXPECT_EQ(test, a->order, HUGE_ORDER);
	check_size(test, a, 2 * OBJ_ARENA);
	check_pages(test, a);
}

static void huge_pages_if_there_are(struct kunit *test)
{
	struct zcb_arena *a = make(test, OBJ_ARENA, ZCB_ARENA_HUGE_TRY);

	KUNIT_EXPECT_EQ(test, a->order, HUGE_ORDER);
	check_size(test, a, OBJ_ARENA);
	check_pages(test, a);
}

static void on_a_node(struct kunit *test)
{
	struct zcb_arena *a;
	nodemask_t nodes;
	int node;
	u32 i;

	for_each_online_node(node) {
		nodes = nodemask_of_node(node);
		a = make_at(test, OBJ_ARENA, 0, &nodes, ZCB_ARENA_HUGE_NEVER);
		KUNIT_EXPECT_EQ(test, a->nid, node);
		for (i = 0; i < a->npages; i++)
			KUNIT_ASSERT_EQ(test, page_to_nid(zcb_arena_page(a, i)),
					node);
	}
}

/* How many nodes come before @node. */
static u32 num_before(int node)
{
	u32 n = 0;
	int i;

	for_each_node_state(i, N_MEMORY)
		n += i < node;
	return n;
}

/* A machine of one node shows only that every turn is that one's. */
static void by_turns_of_the_nodes(struct kunit *test)
{
	u32 i, n = num_node_state(N_MEMORY);
	struct zcb_arena *a;
	int node;

	a = make_at(test, OBJ_ARENA, OBJ_ARENA >> PAGE_SHIFT,
		    &node_states[N_MEMORY], ZCB_ARENA_HUGE_NEVER);
	for (i = 0; i < a->npages; i++) {
		node = page_to_nid(zcb_arena_page(a, i));
		KUNIT_ASSERT_EQ(test, num_before(node), (a->index + i) % n);
	}
}

static void all_of_it_is_free(struct kunit *test)
{
	struct zcb_arena *a = make_small(test, 3 * OBJ_ARENA);

	KUNIT_EXPECT_EQ(test, a->buddy.npages, a->npages);
	KUNIT_EXPECT_EQ(test, a->buddy.free_pages, a->npages);
	KUNIT_EXPECT_EQ(test, zcb_buddy_largest(&a->buddy), HUGE_ORDER + 1);
}

/* What other arenas left in these pages is not seen. */
static void zero(struct kunit *test, enum zcb_arena_huge huge)
{
	struct zcb_arena *a;
	u32 i;

	for (i = 0; i < 2; i++) {
		a = make(test, OBJ_ARENA, huge);
		KUNIT_ASSERT_TRUE(test, is_zero(a));
		fill(a, 0xa5);
		kunit_release_action(test, destroy, a);
	}
}

static void small_pages_are_zero(struct kunit *test)
{
	zero(test, ZCB_ARENA_HUGE_NEVER);
}

static void huge_pages_are_zero(struct kunit *test)
{
	zero(test, ZCB_ARENA_HUGE_MUST);
}

static void charged_while_it_is_there(struct kunit *test)
{
	struct zcb_arena *a = make_small(test, OBJ_ARENA);
	struct zcb_arena *b = make_huge(test, 2 * OBJ_ARENA);

	KUNIT_EXPECT_EQ(test, obj_charged(OWNER), 3 * OBJ_ARENA);
	kunit_release_action(test, destroy, a);
	KUNIT_EXPECT_EQ(test, obj_charged(OWNER), 2 * OBJ_ARENA);
	kunit_release_action(test, destroy, b);
	KUNIT_EXPECT_EQ(test, obj_charged(OWNER), 0);
}

static void a_limit_is_told_apart(struct kunit *test)
{
	struct zcb_arena *a;
	struct obj_user u;

	obj_limits(test, 3, 64);
	obj_become(test, &u, 4001);
	a = make_small(test, OBJ_ARENA);
	KUNIT_EXPECT_PTR_EQ(test, zcb_arena_create(OBJ_ARENA, 0, &anywhere,
						   ZCB_ARENA_HUGE_TRY, &owner),
			    ERR_PTR(-EDQUOT));
	KUNIT_EXPECT_EQ(test, obj_charged(OWNER), OBJ_ARENA);
	kunit_release_action(test, destroy, a);
	make_small(test, OBJ_ARENA);
	obj_return(&u);
}

static void more_than_the_machine_has(struct kunit *test)
{
	obj_limits(test, 1U << 20, 1U << 20);
	KUNIT_EXPECT_PTR_EQ(test, zcb_arena_create(ZCB_ARENA_MAX * 16, 0,
						   &anywhere,
						   ZCB_ARENA_HUGE_TRY, &owner),
			    ERR_PTR(-ENOMEM));
	KUNIT_EXPECT_EQ(test, obj_charged(OWNER), 0);
}

/* Or a process that is killed would go on for gigabytes. */
static void a_fatal_signal_ends_it(struct kunit *test)
{
	enum zcb_arena_huge huge[] = {
		ZCB_ARENA_HUGE_TRY, ZCB_ARENA_HUGE_MUST, ZCB_ARENA_HUGE_NEVER,
	};
	struct zcb_arena *a;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(huge); i++) {
		sigaddset(&current->pending.signal, SIGKILL);
		set_thread_flag(TIF_SIGPENDING);
		a = zcb_arena_create(OBJ_ARENA, 0, &anywhere, huge[i],
				     &owner);
		flush_signals(current);
		KUNIT_EXPECT_PTR_EQ(test, a, ERR_PTR(-ENOMEM));
		KUNIT_EXPECT_EQ(test, obj_charged(OWNER), 0);
	}
}

static void busy_while_a_page_is_held(struct kunit *test)
{
	struct zcb_arena *a = make_small(test, OBJ_ARENA);
	u32 i;

	for (i = 0; i < a->npages; i += a->npages - 1) {
		struct page *page = zcb_arena_page(a, i);

		KUNIT_EXPECT_FALSE(test, zcb_arena_busy(a));
		get_page(page);
		KUNIT_EXPECT_TRUE(test, zcb_arena_busy(a));
		put_page(page);
		KUNIT_EXPECT_FALSE(test, zcb_arena_busy(a));
	}
}

static void busy_while_part_of_a_huge_page_is_held(struct kunit *test)
{
	struct zcb_arena *a = make_huge(test, OBJ_ARENA);
	struct page *page = zcb_arena_page(a, 77);

	get_page(page);
	KUNIT_EXPECT_TRUE(test, zcb_arena_busy(a));
	put_page(page);
	KUNIT_EXPECT_FALSE(test, zcb_arena_busy(a));
}

/* Nothing else loses a byte. */
static void check_zeroing(struct kunit *test, struct zcb_arena *a, u64 offset,
			  u64 length)
{
	u64 i, wrong = 0;

	fill(a, 0x5a);
	zcb_arena_zero(a, offset, length);
	for (i = 0; i < 8 * PAGE_SIZE; i++) {
		bool in = i >= offset && i < offset + length;

		wrong += *(u8 *)at(a, i) != (in ? 0 : 0x5a);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static void zeroes_what_it_is_told(struct kunit *test)
{
	struct zcb_arena *a = make_small(test, 8 * PAGE_SIZE);

	check_zeroing(test, a, 0, 0);
	check_zeroing(test, a, 0, 1);
	check_zeroing(test, a, PAGE_SIZE, PAGE_SIZE);
	check_zeroing(test, a, PAGE_SIZE - 1, 2);
	check_zeroing(test, a, 100, PAGE_SIZE + 1);
	check_zeroing(test, a, PAGE_SIZE + 100, 3 * PAGE_SIZE);
	check_zeroing(test, a, 0, 8 * PAGE_SIZE);
}

/* Each CPU may keep the pages of one arena of either kind for itself. */
static void pages_go_back_to_the_machine(struct kunit *test)
{
	struct sysinfo before, after;
	u32 i;

	si_meminfo(&before);
	for (i = 0; i < 10; i++) {
		kunit_release_action(test, destroy,
				     make_small(test, OBJ_ARENA));
		kunit_release_action(test, destroy,
				     make_huge(test, OBJ_ARENA));
	}
	si_meminfo(&after);
	KUNIT_EXPECT_GT(test, after.freeram + 6 * OBJ_PAGES, before.freeram);
}

static struct kunit_case arena_cases[] = {
	KUNIT_CASE(small_pages),
	KUNIT_CASE(huge_pages),
	KUNIT_CASE(huge_pages_if_there_are),
	KUNIT_CASE(on_a_node),
	KUNIT_CASE(by_turns_of_the_nodes),
	KUNIT_CASE(all_of_it_is_free),
	KUNIT_CASE(small_pages_are_zero),
	KUNIT_CASE(huge_pages_are_zero),
	KUNIT_CASE(charged_while_it_is_there),
	KUNIT_CASE(a_limit_is_told_apart),
	KUNIT_CASE(more_than_the_machine_has),
	KUNIT_CASE(a_fatal_signal_ends_it),
	KUNIT_CASE(busy_while_a_page_is_held),
	KUNIT_CASE(busy_while_part_of_a_huge_page_is_held),
	KUNIT_CASE(zeroes_what_it_is_told),
	KUNIT_CASE(pages_go_back_to_the_machine),
	{}
};

static struct kunit_suite arena_suite = {
	.name = "zcb_arena",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = arena_cases,
};

kunit_test_suite(arena_suite);

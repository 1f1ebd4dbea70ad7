/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kmod/core/env.h for user space. Forced in front of every file of the host
 * build (gcc -include); it has the guard of the original, so that the
 * #include "env.h" of core/ finds nothing left to do.
 *
 * Only what core/ and its suites may use: a name that is missing here is a
 * question whether core should need it. Bit operations are not atomic, as core
 * never relies on that.
 */
#ifndef ZCB_CORE_ENV_H
#define ZCB_CORE_ENV_H

#include <linux/errno.h>
#include <linux/types.h>
#include <linux/zcbuf.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* ------------------------------------------------------------------ types */

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s8 s8;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;

#define U8_MAX		((u8)~0U)
#define U16_MAX		((u16)~0U)
#define U32_MAX		((u32)~0U)
#define U64_MAX		((u64)~0ULL)
#define S32_MAX		((s32)(U32_MAX >> 1))
#define S64_MAX		((s64)(U64_MAX >> 1))
#ifndef SIZE_MAX
#define SIZE_MAX	(~(size_t)0)
#endif

/* --------------------------------------------------------------- compiler */

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

#undef __always_inline
#define __always_inline	inline __attribute__((__always_inline__))
#define __must_check	__attribute__((__warn_unused_result__))
#define __maybe_unused	__attribute__((__unused__))
#define __printf(a, b)	__attribute__((__format__(printf, a, b)))
#define noinline	__attribute__((__noinline__))
#define fallthrough	__attribute__((__fallthrough__))

#define READ_ONCE(x)		(*(const volatile typeof(x) *)&(x))
#define array_index_nospec(index, size)	((void)(size), (index))
#define WRITE_ONCE(x, val)	(*(volatile typeof(x) *)&(x) = (val))

#define static_assert(expr, ...) \
	_Static_assert(expr, "" #expr)
#define BUILD_BUG_ON(cond) \
	_Static_assert(!(cond), "BUILD_BUG_ON: " #cond)

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

/* A warning fails the case that runs; see host/kunit.c. */
bool zcb_host_warn(const char *file, int line, const char *what);

#define WARN_ON(cond) ({						\
	bool __warn = !!(cond);						\
									\
	if (unlikely(__warn))						\
		zcb_host_warn(__FILE__, __LINE__, #cond);		\
	__warn;								\
})
#define WARN_ON_ONCE(cond)	WARN_ON(cond)

/* ---------------------------------------------------------------- min, max */

#define __zcb_pick(type, a, op, b) ({					\
	type __a = (a);							\
	type __b = (b);							\
									\
	__a op __b ? __a : __b;						\
})
#define min_t(type, a, b)	__zcb_pick(type, a, <, b)
#define max_t(type, a, b)	__zcb_pick(type, a, >, b)
/* Both signed or both unsigned, as the kernel wants it, or one a constant. */
#define __zcb_signed(x)		((typeof(x))-1 < (typeof(x))1)
#define __zcb_same(a, b)						\
	_Static_assert(__builtin_constant_p(a) ||			\
		       __builtin_constant_p(b) ||			\
		       __zcb_signed(a) == __zcb_signed(b),		\
		       "min/max of different signedness")
#define __zcb_pick_same(a, op, b) ({					\
	__zcb_same(a, b);						\
	__zcb_pick(typeof((a) + (b)), a, op, b);			\
})
#define min(a, b)		__zcb_pick_same(a, <, b)
#define max(a, b)		__zcb_pick_same(a, >, b)
#define min3(a, b, c)		min(min(a, b), c)
#define max3(a, b, c)		max(max(a, b), c)
#define clamp(val, lo, hi)	min(max(val, lo), hi)
#define clamp_t(type, val, lo, hi) \
	min_t(type, max_t(type, val, lo), hi)

#define swap(a, b) do {							\
	typeof(a) __swap = (a);						\
									\
	(a) = (b);							\
	(b) = __swap;							\
} while (0)

/* ------------------------------------------------------------- arithmetic */

#define BITS_PER_BYTE		8
#define BITS_PER_LONG		((int)(8 * sizeof(long)))
#define BITS_PER_LONG_LONG	64
#define BITS_PER_TYPE(type)	(sizeof(type) * BITS_PER_BYTE)

#define BIT(nr)			(1UL << (nr))
#define BIT_ULL(nr)		(1ULL << (nr))
#define GENMASK(h, l) \
	((~0UL << (l)) & (~0UL >> (BITS_PER_LONG - 1 - (h))))
#define GENMASK_ULL(h, l) \
	((~0ULL << (l)) & (~0ULL >> (BITS_PER_LONG_LONG - 1 - (h))))

/* to: a power of two */
#define __round_mask(x, to)	((typeof(x))((to) - 1))
#define round_up(x, to)		((((x) - 1) | __round_mask(x, to)) + 1)
#define round_down(x, to)	((x) & ~__round_mask(x, to))
#define ALIGN(x, to)		(((x) + __round_mask(x, to)) & \
				 ~__round_mask(x, to))
#define ALIGN_DOWN(x, to)	round_down(x, to)
#define IS_ALIGNED(x, to)	(((x) & __round_mask(x, to)) == 0)
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))

static inline u64 div_u64_rem(u64 n, u32 d, u32 *rem)
{
	*rem = n % d;
	return n / d;
}

static inline u64 div_u64(u64 n, u32 d)
{
	return n / d;
}

static inline u64 div64_u64(u64 n, u64 d)
{
	return n / d;
}

static inline u64 mul_u32_u32(u32 a, u32 b)
{
	return (u64)a * b;
}

#define check_add_overflow(a, b, d)	__builtin_add_overflow(a, b, d)
#define check_sub_overflow(a, b, d)	__builtin_sub_overflow(a, b, d)
#define check_mul_overflow(a, b, d)	__builtin_mul_overflow(a, b, d)

static inline size_t size_add(size_t a, size_t b)
{
	size_t sum;

	return check_add_overflow(a, b, &sum) ? SIZE_MAX : sum;
}

static inline size_t size_mul(size_t a, size_t b)
{
	size_t product;

	return check_mul_overflow(a, b, &product) ? SIZE_MAX : product;
}

#define array_size(n, size)	size_mul(n, size)
#define flex_array_size(p, member, n) \
	size_mul(n, sizeof(*(p)->member))
#define struct_size(p, member, n) \
	size_add(sizeof(*(p)), flex_array_size(p, member, n))
#define struct_size_t(type, member, n) \
	struct_size((type *)NULL, member, n)

/* ------------------------------------------------------------------- bits */

static inline int fls(unsigned int x)
{
	return x ? 32 - __builtin_clz(x) : 0;
}

static inline int fls64(u64 x)
{
	return x ? 64 - __builtin_clzll(x) : 0;
}

#undef ffs
#define ffs(x)		__builtin_ffs(x)
#define __ffs(x)	((unsigned long)__builtin_ctzl(x))
#define __ffs64(x)	((unsigned long)__builtin_ctzll(x))
#define __fls(x)	((unsigned long)(BITS_PER_LONG - 1 - __builtin_clzl(x)))
#define ffz(x)		__ffs(~(x))

#define hweight32(x)	((unsigned int)__builtin_popcount(x))
#define hweight64(x)	((unsigned long)__builtin_popcountll(x))
#define hweight_long(x)	((unsigned long)__builtin_popcountl(x))

/* ilog2() - floor of the logarithm; -1 of 0 */
#define ilog2(n)	(fls64(n) - 1)

#define is_power_of_2(n) ({						\
	typeof(n) __n = (n);						\
									\
	__n && !(__n & (__n - 1));					\
})
#define roundup_pow_of_two(n)	(1UL << fls64((u64)(n) - 1))
#define rounddown_pow_of_two(n)	(1UL << ilog2(n))
#define order_base_2(n)		((n) > 1 ? ilog2((n) - 1) + 1 : 0)

/* ---------------------------------------------------------------- bitmaps */

#define BITS_TO_LONGS(nr)	DIV_ROUND_UP(nr, BITS_PER_LONG)
#define BIT_MASK(nr)		(1UL << ((nr) % BITS_PER_LONG))
#define BIT_WORD(nr)		((nr) / BITS_PER_LONG)
#define DECLARE_BITMAP(name, bits) \
	unsigned long name[BITS_TO_LONGS(bits)]

static inline void __set_bit(unsigned long nr, unsigned long *map)
{
	map[BIT_WORD(nr)] |= BIT_MASK(nr);
}

static inline void __clear_bit(unsigned long nr, unsigned long *map)
{
	map[BIT_WORD(nr)] &= ~BIT_MASK(nr);
}

static inline bool test_bit(unsigned long nr, const unsigned long *map)
{
	return map[BIT_WORD(nr)] & BIT_MASK(nr);
}

static inline bool __test_and_set_bit(unsigned long nr, unsigned long *map)
{
	bool was = test_bit(nr, map);

	__set_bit(nr, map);
	return was;
}

static inline bool __test_and_clear_bit(unsigned long nr, unsigned long *map)
{
	bool was = test_bit(nr, map);

	__clear_bit(nr, map);
	return was;
}

static inline void __assign_bit(unsigned long nr, unsigned long *map, bool on)
{
	if (on)
		__set_bit(nr, map);
	else
		__clear_bit(nr, map);
}

#define set_bit(nr, map)		__set_bit(nr, map)
#define clear_bit(nr, map)		__clear_bit(nr, map)
#define test_and_set_bit(nr, map)	__test_and_set_bit(nr, map)
#define test_and_clear_bit(nr, map)	__test_and_clear_bit(nr, map)

/* The first bit at or after @from that is 1 in the map XOR @flip, or @size. */
static inline unsigned long __zcb_find_bit(const unsigned long *map,
					   unsigned long size,
					   unsigned long from,
					   unsigned long flip)
{
	unsigned long word;

	while (from < size) {
		word = (map[BIT_WORD(from)] ^ flip) &
		       (~0UL << (from % BITS_PER_LONG));
		if (word) {
			from = round_down(from, BITS_PER_LONG) + __ffs(word);
			return from < size ? from : size;
		}
		from = round_down(from, BITS_PER_LONG) + BITS_PER_LONG;
	}
	return size;
}

#define find_next_bit(map, size, from)	__zcb_find_bit(map, size, from, 0)
#define find_first_bit(map, size)	__zcb_find_bit(map, size, 0, 0)
#define find_next_zero_bit(map, size, from) \
	__zcb_find_bit(map, size, from, ~0UL)
#define find_first_zero_bit(map, size)	__zcb_find_bit(map, size, 0, ~0UL)

#define for_each_set_bit(bit, map, size)				\
	for ((bit) = find_first_bit(map, size); (bit) < (size);		\
	     (bit) = find_next_bit(map, size, (bit) + 1))
#define for_each_clear_bit(bit, map, size)				\
	for ((bit) = find_first_zero_bit(map, size); (bit) < (size);	\
	     (bit) = find_next_zero_bit(map, size, (bit) + 1))

static inline void bitmap_zero(unsigned long *map, unsigned int nbits)
{
	memset(map, 0, BITS_TO_LONGS(nbits) * sizeof(long));
}

static inline void bitmap_set(unsigned long *map, unsigned int start,
			      unsigned int nbits)
{
	while (nbits--)
		__set_bit(start++, map);
}

static inline void bitmap_clear(unsigned long *map, unsigned int start,
				unsigned int nbits)
{
	while (nbits--)
		__clear_bit(start++, map);
}

static inline unsigned int bitmap_weight(const unsigned long *map,
					 unsigned int nbits)
{
	unsigned long bit;
	unsigned int n = 0;

	for_each_set_bit(bit, map, nbits)
		n++;
	return n;
}

#define bitmap_empty(map, nbits) \
	(find_first_bit(map, nbits) == (nbits))
#define bitmap_full(map, nbits) \
	(find_first_zero_bit(map, nbits) == (nbits))

/* ------------------------------------------------------------------ lists */

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(name)	{ &(name), &(name) }
#define LIST_HEAD(name)		struct list_head name = LIST_HEAD_INIT(name)

/* What the links of a deleted entry point to: any use of them crashes. */
#define LIST_POISON1		((void *)0x100)
#define LIST_POISON2		((void *)0x122)

static inline void INIT_LIST_HEAD(struct list_head *head)
{
	head->next = head;
	head->prev = head;
}

static inline void __zcb_list_link(struct list_head *prev,
				   struct list_head *entry,
				   struct list_head *next)
{
	prev->next = entry;
	entry->prev = prev;
	entry->next = next;
	next->prev = entry;
}

static inline void __zcb_list_unlink(struct list_head *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
}

static inline void list_add(struct list_head *entry, struct list_head *head)
{
	__zcb_list_link(head, entry, head->next);
}

static inline void list_add_tail(struct list_head *entry,
				 struct list_head *head)
{
	__zcb_list_link(head->prev, entry, head);
}

static inline void list_del(struct list_head *entry)
{
	__zcb_list_unlink(entry);
	entry->next = LIST_POISON1;
	entry->prev = LIST_POISON2;
}

static inline void list_del_init(struct list_head *entry)
{
	__zcb_list_unlink(entry);
	INIT_LIST_HEAD(entry);
}

static inline void list_move(struct list_head *entry, struct list_head *head)
{
	__zcb_list_unlink(entry);
	list_add(entry, head);
}

static inline void list_move_tail(struct list_head *entry,
				  struct list_head *head)
{
	__zcb_list_unlink(entry);
	list_add_tail(entry, head);
}

static inline bool list_empty(const struct list_head *head)
{
	return head->next == head;
}

static inline bool list_is_singular(const struct list_head *head)
{
	return !list_empty(head) && head->next == head->prev;
}

static inline bool list_is_first(const struct list_head *entry,
				 const struct list_head *head)
{
	return entry->prev == head;
}

static inline bool list_is_last(const struct list_head *entry,
				const struct list_head *head)
{
	return entry->next == head;
}

static inline bool list_is_head(const struct list_head *entry,
				const struct list_head *head)
{
	return entry == head;
}

/* Move all of @list behind @where; @list is left uninitialised. */
static inline void __zcb_list_splice(struct list_head *list,
				     struct list_head *where)
{
	struct list_head *first = list->next, *last = list->prev;

	if (list_empty(list))
		return;
	last->next = where->next;
	where->next->prev = last;
	where->next = first;
	first->prev = where;
}

static inline void list_splice_init(struct list_head *list,
				    struct list_head *head)
{
	__zcb_list_splice(list, head);
	INIT_LIST_HEAD(list);
}

static inline void list_splice_tail_init(struct list_head *list,
					 struct list_head *head)
{
	__zcb_list_splice(list, head->prev);
	INIT_LIST_HEAD(list);
}

static inline size_t list_count_nodes(struct list_head *head)
{
	struct list_head *pos;
	size_t n = 0;

	for (pos = head->next; pos != head; pos = pos->next)
		n++;
	return n;
}

#define list_entry(ptr, type, member)	container_of(ptr, type, member)
#define list_first_entry(head, type, member) \
	list_entry((head)->next, type, member)
#define list_last_entry(head, type, member) \
	list_entry((head)->prev, type, member)
#define list_first_entry_or_null(head, type, member) \
	(list_empty(head) ? NULL : list_first_entry(head, type, member))
#define list_next_entry(pos, member) \
	list_entry((pos)->member.next, typeof(*(pos)), member)
#define list_prev_entry(pos, member) \
	list_entry((pos)->member.prev, typeof(*(pos)), member)
#define list_entry_is_head(pos, head, member) \
	(&(pos)->member == (head))

#define list_for_each(pos, head) \
	for ((pos) = (head)->next; (pos) != (head); (pos) = (pos)->next)
#define list_for_each_safe(pos, n, head)				\
	for ((pos) = (head)->next, (n) = (pos)->next; (pos) != (head);	\
	     (pos) = (n), (n) = (pos)->next)
#define list_for_each_entry(pos, head, member)				\
	for ((pos) = list_first_entry(head, typeof(*(pos)), member);	\
	     !list_entry_is_head(pos, head, member);			\
	     (pos) = list_next_entry(pos, member))
#define list_for_each_entry_from(pos, head, member)			\
	for (; !list_entry_is_head(pos, head, member);			\
	     (pos) = list_next_entry(pos, member))
#define list_for_each_entry_continue(pos, head, member)			\
	for ((pos) = list_next_entry(pos, member);			\
	     !list_entry_is_head(pos, head, member);			\
	     (pos) = list_next_entry(pos, member))
#define list_for_each_entry_reverse(pos, head, member)			\
	for ((pos) = list_last_entry(head, typeof(*(pos)), member);	\
	     !list_entry_is_head(pos, head, member);			\
	     (pos) = list_prev_entry(pos, member))
#define list_for_each_entry_safe(pos, n, head, member)			\
	for ((pos) = list_first_entry(head, typeof(*(pos)), member),	\
	     (n) = list_next_entry(pos, member);			\
	     !list_entry_is_head(pos, head, member);			\
	     (pos) = (n), (n) = list_next_entry(n, member))

/* ----------------------------------------------------------- hashed lists */

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

#define INIT_HLIST_HEAD(head)	((head)->first = NULL)

static inline void INIT_HLIST_NODE(struct hlist_node *node)
{
	node->next = NULL;
	node->pprev = NULL;
}

static inline bool hlist_empty(const struct hlist_head *head)
{
	return !head->first;
}

static inline bool hlist_unhashed(const struct hlist_node *node)
{
	return !node->pprev;
}

static inline void hlist_add_head(struct hlist_node *node,
				  struct hlist_head *head)
{
	node->next = head->first;
	if (head->first)
		head->first->pprev = &node->next;
	head->first = node;
	node->pprev = &head->first;
}

static inline void hlist_del_init(struct hlist_node *node)
{
	if (hlist_unhashed(node))
		return;
	*node->pprev = node->next;
	if (node->next)
		node->next->pprev = node->pprev;
	INIT_HLIST_NODE(node);
}

static inline void hlist_del(struct hlist_node *node)
{
	hlist_del_init(node);
	node->next = LIST_POISON1;
	node->pprev = LIST_POISON2;
}

#define hlist_entry_safe(ptr, type, member) ({				\
	struct hlist_node *__node = (ptr);				\
									\
	__node ? container_of(__node, type, member) : NULL;		\
})
#define hlist_for_each_entry(pos, head, member)				\
	for ((pos) = hlist_entry_safe((head)->first, typeof(*(pos)),	\
				      member);				\
	     (pos);							\
	     (pos) = hlist_entry_safe((pos)->member.next,		\
				      typeof(*(pos)), member))

#endif /* ZCB_CORE_ENV_H */

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Random operations on one pool by eight threads: two processes, with two
 * sessions each, with two threads each. They allocate as it pleases them, give
 * what they have to other sessions, free it in any order, and try to free what
 * they freed before or others have. Each buffer says whose it is in its first
 * bytes, at the beginning of each page and in its last bytes, and nobody else
 * may write there; who gets it next must not see it. When all is given back
 * every arena is one free block again.
 *
 * ZCB_OPERATIONS in the environment: how many in all tests together; ZCB_SEED:
 * the first choices again, not the same schedule.
 */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "common.h"
#include "ktap.h"

#define OPERATIONS	24000
#define SESSIONS	4
#define PROCESSES	2
#define THREADS		2		/* of a session */
#define ARENAS		16		/* of ZT_ARENA, which a pool has at most */
#define HAND		24		/* buffers of a thread */
#define BATCH		8
#define LETTERS		6		/* handles a session was given */
#define UNSENT		1ULL		/* instead of one: it is going to be */
#define SHOWN		4		/* handles of a session that all see */
#define MARK		16		/* bytes; the smallest object */

#define AUTO		ZCBUF_POOL_F_AUTO_GROW
#define SHARED		ZCBUF_POOL_F_SHARED_PAGES
#define DIRTY		ZCBUF_POOL_F_NO_ZERO_ON_REUSE

/*
 * struct kind - a pool to try
 * @arenas: it may have, of ZT_ARENA; FIXED: as large as the table
 * @l0: blocks a CPU keeps
 * @nclasses: of @classes; 0: the default table
 */
struct kind {
	__u32 kind;
	__u32 flags;
	__u32 arenas;
	long l0;
	__u32 nclasses;
	struct zcbuf_class classes[6];
};

/*
 * struct board - what all processes see
 * @mail: by session, what it was given and has not taken yet, or 0
 * @shown: by session, what it has or had, and never gives away
 * @refused: frees that were
 */
struct board {
	__u64 mail[SESSIONS][LETTERS];
	__u64 shown[SESSIONS][SHOWN];
	__u64 refused;
};

/* What is in a buffer, here and there. */
struct mark {
	__u64 owner;		/* session id and thread */
	__u64 handle;
};

/* An arena is mapped when somebody first needs it; twice does not matter. */
struct session {
	int fd;
	__u64 id;
	char *map;
	bool mapped[ARENAS];
};

struct buffer {
	__u64 handle;
	bool shown;
};

struct worker {
	pthread_t thread;
	unsigned int nr;
	unsigned int at;		/* its session */
	unsigned int n;
	struct buffer hand[HAND];
	__u64 freed;			/* lately, or 0 */
};

static const struct kind *kind;
static struct board *board;
static struct session sessions[SESSIONS];
static __u32 lengths[ZCBUF_MAX_CLASSES];
static __u32 nlengths;
static __u64 arena_size;

/* ------------------------------------------------------------------ chance */

static __u64 seed;
static __thread __u64 chance;

static void choices_of(__u64 nr)
{
	chance = (seed + nr) * 0x9e3779b97f4a7c15ULL | 1;
}

/* From 0 to @n - 1 (xorshift). */
static unsigned int pick(unsigned int n)
{
	chance ^= chance << 13;
	chance ^= chance >> 7;
	chance ^= chance << 17;
	return (chance >> 20) % n;
}

static bool one_in(unsigned int n)
{
	return !pick(n);
}

static __u64 number_of(const char *name, __u64 otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

static void choose_seed(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	seed = number_of("ZCB_SEED", (__u64)t.tv_sec * 1000000000 + t.tv_nsec);
	TEST_LOG("ZCB_SEED=%llu", (unsigned long long)seed);
}

/* ------------------------------------------------------------------- marks */

static struct session *session_of(const struct worker *w)
{
	return &sessions[w->at];
}

static void map_arena(struct session *s, __u64 arena)
{
	__u64 at = arena * arena_size;

	if (__atomic_load_n(&s->mapped[arena], __ATOMIC_ACQUIRE))
		return;
	ASSERT_NE(mmap(s->map + at, arena_size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_FIXED, s->fd, at), MAP_FAILED);
	__atomic_store_n(&s->mapped[arena], true, __ATOMIC_RELEASE);
}

static char *address_of(struct session *s, __u64 handle)
{
	__u64 offset = zcbuf_buf_offset(handle);

	ASSERT_LT(offset / arena_size, ARENAS);
	map_arena(s, offset / arena_size);
	return s->map + offset;
}

static __u64 capacity_of(__u64 handle)
{
	return zcbuf_buf_capacity(handle, lengths);
}

/* The place of the mark after that at @at: the last is at the end. */
static __u64 next_mark(__u64 at, __u64 capacity)
{
	__u64 last = capacity - MARK;

	if (at == last)
		return capacity;
	return at + ZT_PAGE < last ? at + ZT_PAGE : last;
}

static void write_marks(const struct worker *w, __u64 handle)
{
	char *start = address_of(session_of(w), handle);
	__u64 at, capacity = capacity_of(handle);
	struct mark m = {
		.owner = session_of(w)->id << 8 | w->nr, .handle = handle,
	};

	for (at = 0; at < capacity; at = next_mark(at, capacity))
		memcpy(start + at, &m, MARK);
}

static void check_marks(const struct worker *w, __u64 handle)
{
	const char *start = address_of(session_of(w), handle);
	__u64 at, capacity = capacity_of(handle);
	struct mark m;

	for (at = 0; at < capacity; at = next_mark(at, capacity)) {
		memcpy(&m, start + at, MARK);
		EXPECT_EQ(m.owner, session_of(w)->id << 8 | w->nr);
		EXPECT_EQ(m.handle, handle);
	}
}

/* Zero, or what this very session has left there. */
static void check_fresh(const struct worker *w, __u64 handle, bool zero)
{
	const char *start = address_of(session_of(w), handle);
	__u64 at, capacity = capacity_of(handle);
	struct mark m;

	for (at = 0; at < capacity; at = next_mark(at, capacity)) {
		memcpy(&m, start + at, MARK);
		if (!m.owner && !m.handle)
			continue;
		EXPECT_FALSE(zero);
		if (!(kind->flags & DIRTY))
			EXPECT_EQ(m.owner >> 8, session_of(w)->id);
	}
}

/* -------------------------------------------------------------- operations */

static __u64 length_of_chance(void)
{
	switch (pick(8)) {
	case 0:
		return pick(300);
	case 1:
		return pick(8) * ZT_PAGE;
	case 2:
		return pick(70000);
	case 3:
		return one_in(8) ? ZT_ARENA >> pick(4) : ZT_ARENA + pick(2);
	default:
		return nlengths ? lengths[pick(nlengths)] - pick(2) :
				  1 + pick(9000);
	}
}

/* Where a buffer lies, and how large it is. */
static void check_place(const struct worker *w, const struct zcbuf_alloc *a,
			__u64 handle)
{
	__u64 align = a->align;

	if (zcbuf_buf_class(handle) < ZCBUF_BUF_SLAB && !align)
		align = capacity_of(handle);
	EXPECT_GE(capacity_of(handle), a->length);
	if (align)
		EXPECT_EQ(zcbuf_buf_offset(handle) % arena_size % align, 0);
	check_fresh(w, handle, a->flags);
}

static bool is_refusal(int err, const struct zcbuf_alloc *a)
{
	switch (err) {
	case -ENOMEM:
		return !a->deadline_ns;
	case -ETIMEDOUT:
		return a->deadline_ns;
	case -EINVAL:
		return !a->length;
	case -E2BIG:
		return a->length > ZT_ARENA || kind->kind == ZCBUF_POOL_FIXED;
	default:
		return false;
	}
}

static void allocate(struct worker *w)
{
	__u64 handles[BATCH];
	struct zcbuf_alloc a = zt_arg(struct zcbuf_alloc,
		.length = length_of_chance(), .handles = zt_ptr(handles),
		.count = 1 + pick(BATCH), .flags = pick(4) / 3);
	__u32 i;
	int err;

	if (a.count > HAND - w->n)
		a.count = HAND - w->n;
	if (one_in(6))
		a.align = 1U << pick(one_in(8) ? 22 : 15);
	a.deadline_ns = one_in(8);
	err = zt_call(session_of(w)->fd, ZCBUF_IOC_ALLOC, &a);
	if (err) {
		EXPECT_TRUE(is_refusal(err, &a));
		return;
	}
	for (i = 0; i < a.out_done; i++) {
		check_place(w, &a, handles[i]);
		write_marks(w, handles[i]);
		w->hand[w->n++] = (struct buffer){ .handle = handles[i] };
	}
}

/* Any one of the hand becomes its last one. */
static __u64 choose(struct worker *w)
{
	struct buffer *b = &w->hand[pick(w->n)], last = w->hand[w->n - 1];

	w->hand[w->n - 1] = *b;
	*b = last;
	return w->hand[w->n - 1].handle;
}

static void give_back(struct worker *w, unsigned int n)
{
	__u64 handles[HAND] = {};
	unsigned int i;

	for (i = 0; i < n; i++) {
		handles[i] = choose(w);
		check_marks(w, handles[i]);
		w->n--;
	}
	EXPECT_EQ(zt_free(session_of(w)->fd, handles, n), n);
	w->freed = handles[0];
}

/* The same handle may be of a new object only in a slab. */
static bool is_unique(__u64 handle)
{
	return zcbuf_buf_class(handle) < ZCBUF_BUF_SLAB ||
	       kind->kind == ZCBUF_POOL_FIXED;
}

static void free_again(struct worker *w)
{
	int err;

	if (!w->freed || !is_unique(w->freed))
		return;
	err = zt_free1(session_of(w)->fd, w->freed);
	EXPECT_TRUE(err == -EBADSLT || err == -ESTALE);
	__atomic_fetch_add(&board->refused, 1, __ATOMIC_RELAXED);
}

static void show(struct worker *w)
{
	__u64 handle = choose(w);

	if (!is_unique(handle))
		return;
	w->hand[w->n - 1].shown = true;
	__atomic_store_n(&board->shown[w->at][pick(SHOWN)], handle,
			 __ATOMIC_RELAXED);
}

static void steal(struct worker *w)
{
	unsigned int from = (w->at + 1 + pick(SESSIONS - 1)) % SESSIONS;
	__u64 handle = __atomic_load_n(&board->shown[from][pick(SHOWN)],
				       __ATOMIC_RELAXED);
	int err;

	if (!handle)
		return;
	err = zt_free1(session_of(w)->fd, handle);
	EXPECT_TRUE(err == -EPERM || err == -EBADSLT || err == -ESTALE);
	__atomic_fetch_add(&board->refused, 1, __ATOMIC_RELAXED);
}

/* To another session, if there is room in its mail: it is told afterwards. */
static void send_one(struct worker *w)
{
	unsigned int to = (w->at + 1 + pick(SESSIONS - 1)) % SESSIONS;
	__u64 *letter = &board->mail[to][pick(LETTERS)];
	__u64 handle = choose(w), none = 0;

	if (w->hand[w->n - 1].shown ||
	    !__atomic_compare_exchange_n(letter, &none, UNSENT, false,
					 __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return;
	check_marks(w, handle);
	ASSERT_EQ(zt_transfer(session_of(w)->fd, sessions[to].id, &handle, 1),
		  1);
	w->n--;
	__atomic_store_n(letter, handle, __ATOMIC_RELEASE);
}

/* What else the giver has left there is ours now: not to be mistaken. */
static void fetch_one(struct worker *w)
{
	__u64 *letter = &board->mail[w->at][pick(LETTERS)];
	__u64 handle = __atomic_load_n(letter, __ATOMIC_RELAXED);
	struct mark m;
	char *start;

	if (handle <= UNSENT ||
	    !__atomic_compare_exchange_n(letter, &handle, 0, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	start = address_of(session_of(w), handle);
	memcpy(&m, start, MARK);
	EXPECT_EQ(m.handle, handle);
	EXPECT_NE(m.owner >> 8, session_of(w)->id);
	memset(start, 0, capacity_of(handle));
	write_marks(w, handle);
	w->hand[w->n++] = (struct buffer){ .handle = handle };
}

static void ask(struct worker *w)
{
	struct zcbuf_buf_place p;
	__u64 handle = choose(w);

	ASSERT_EQ(zt_buf_info(session_of(w)->fd, &handle, &p, 1), 1);
	EXPECT_EQ(p.offset, zcbuf_buf_offset(handle));
	EXPECT_EQ(p.capacity, capacity_of(handle));
	EXPECT_EQ(p.arena, p.offset / arena_size);
}

static void look(struct worker *w)
{
	struct zcbuf_pool_info info;

	ASSERT_OK(zt_pool_info(session_of(w)->fd, &info));
	EXPECT_LE(info.out_used, info.out_size);
	EXPECT_LE(info.out_largest_free, info.out_size - info.out_used);
}

static void grow(struct worker *w)
{
	int err = zt_pool_grow(session_of(w)->fd, NULL);

	if (err)
		EXPECT_ERR(err, E2BIG);
}

/* With something in the hand, and room for more. */
static void (*const any[])(struct worker *) = {
	allocate, allocate, allocate, allocate, allocate, free_again, show,
	steal, send_one, send_one, fetch_one, fetch_one, ask, look,
};

static void work_some(struct worker *w)
{
	unsigned int what = pick(sizeof(any) / sizeof(any[0]) + 5);

	if (one_in(500))
		grow(w);
	if (!w->n)
		allocate(w);
	else if (w->n < HAND && what < sizeof(any) / sizeof(any[0]))
		any[what](w);
	else
		give_back(w, 1 + pick(w->n));
}

/* --------------------------------------------------------------- the crew */

static unsigned long operations;	/* of a thread */

static void *work(void *arg)
{
	struct worker *w = arg;
	unsigned long i;

	choices_of(1 + w->nr);
	for (i = 0; i < operations; i++)
		work_some(w);
	while (w->n)
		give_back(w, 1 + pick(w->n));
	return NULL;
}

static void process(unsigned int nr)
{
	static struct worker workers[SESSIONS * THREADS];
	unsigned int i, n = SESSIONS * THREADS / PROCESSES;

	for (i = nr * n; i < (nr + 1) * n; i++) {
		workers[i].nr = i;
		workers[i].at = i / THREADS;
		ASSERT_EQ(pthread_create(&workers[i].thread, NULL, work,
					 &workers[i]), 0);
	}
	for (i = nr * n; i < (nr + 1) * n; i++)
		ASSERT_EQ(pthread_join(workers[i].thread, NULL), 0);
	_exit(KTAP_PASS);
}

static void work_all(void)
{
	pid_t pid[PROCESSES];
	unsigned int i;

	for (i = 0; i < PROCESSES; i++) {
		pid[i] = fork();
		ASSERT_GE(pid[i], 0);
		if (!pid[i])
			process(i);
	}
	for (i = 0; i < PROCESSES; i++)
		ASSERT_STATUS(pid[i], KTAP_PASS);
}

static __u32 learn_lengths(int fd)
{
	struct zcbuf_class_info c[ZCBUF_MAX_CLASSES];
	struct zcbuf_pool_info info = zt_arg(struct zcbuf_pool_info,
		.classes = zt_ptr(c), .nclasses = ZCBUF_MAX_CLASSES,
		.entry_size = sizeof(c[0]));
	__u32 i;

	ASSERT_OK(zt_call(fd, ZCBUF_IOC_POOL_INFO, &info));
	for (i = 0; i < info.nclasses; i++)
		lengths[i] = c[i].length;
	arena_size = info.out_arena_size;
	return info.nclasses;
}

/* Of the pool that all sessions are attached to. */
static void open_sessions(void)
{
	bool fixed = kind->kind == ZCBUF_POOL_FIXED;
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.kind = kind->kind, .flags = kind->flags,
		.arena_size = fixed ? 0 : ZT_ARENA,
		.max_size = fixed ? 0 : kind->arenas * ZT_ARENA,
		.classes = kind->nclasses ? zt_ptr(kind->classes) : 0,
		.nclasses = kind->nclasses);
	struct session *s;

	for (s = sessions; s < sessions + SESSIONS; s++) {
		s->fd = s == sessions ? zt_pool_as(&a) :
					zt_join(sessions[0].fd, 0);
		ASSERT_GE(s->fd, 0);
		s->id = zt_session(s->fd);
		s->map = mmap(NULL, ARENAS * ZT_ARENA, PROT_NONE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ASSERT_NE(s->map, MAP_FAILED);
	}
	nlengths = learn_lengths(sessions[0].fd);
}

/* Nobody was there to take it any more. */
static void empty_mail(void)
{
	unsigned int i, k;

	for (i = 0; i < SESSIONS; i++)
		for (k = 0; k < LETTERS; k++)
			if (board->mail[i][k])
				EXPECT_OK(zt_free1(sessions[i].fd,
						   board->mail[i][k]));
}

/* Nothing is out, nobody keeps anything, and each arena is one block. */
static void all_is_back(void)
{
	struct zcbuf_class_info c[ZCBUF_MAX_CLASSES];
	struct zcbuf_pool_info info = zt_arg(struct zcbuf_pool_info,
		.classes = zt_ptr(c), .nclasses = ZCBUF_MAX_CLASSES,
		.entry_size = sizeof(c[0]));
	__u64 whole[ARENAS];
	__u32 i;

	ASSERT_OK(zt_call(sessions[0].fd, ZCBUF_IOC_POOL_INFO, &info));
	EXPECT_EQ(info.out_used, 0);
	EXPECT_EQ(info.out_bad_frees, board->refused);
	for (i = 0; i < info.nclasses; i++)
		EXPECT_EQ(c[i].used, 0);
	if (kind->kind == ZCBUF_POOL_FIXED)
		return;
	EXPECT_EQ(info.out_largest_free, ZT_ARENA);
	EXPECT_EQ(zt_alloc(sessions[0].fd, ZT_ARENA, 0, 0, whole,
			   info.out_arenas), info.out_arenas);
	TEST_LOG("%u arenas, at most %llu KiB out, %llu frees refused",
		 info.out_arenas, (unsigned long long)info.out_max_used >> 10,
		 (unsigned long long)board->refused);
}

static unsigned int nkinds(void);

static void random_operations(const void *arg)
{
	long l0;

	kind = arg;
	choose_seed();
	operations = number_of("ZCB_OPERATIONS", KTAP_TRIES(OPERATIONS)) /
		     (nkinds() * SESSIONS * THREADS);
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(board, MAP_FAILED);
	l0 = zt_parameter("l0_depth", kind->l0);
	ASSERT_GE(l0, 0);
	open_sessions();
	work_all();
	empty_mail();
	all_is_back();
	EXPECT_EQ(zt_parameter("l0_depth", l0), kind->l0);
}

static const struct kind kinds[] = {
	{ ZCBUF_POOL_PAGES, AUTO, 4, 64, 0, {} },
	{ ZCBUF_POOL_PAGES, DIRTY | ZCBUF_POOL_F_SMALL_PAGES, 8, 0, 0, {} },
	{ ZCBUF_POOL_TIERS, AUTO, 4, 64, 0, {} },
	{ ZCBUF_POOL_TIERS, DIRTY, 3, 8, 5,
	  { { 48, 0 }, { 256, 0 }, { 1500, 0 }, { 3072, 0 }, { 9000, 0 } } },
	{ ZCBUF_POOL_FIXED, 0, 1, 64, 0, {} },
	{ ZCBUF_POOL_FIXED, SHARED, 1, 64, 4,
	  { { 128, 40 }, { 1024, 40 }, { 1500, 40 }, { 4096, 40 } } },
};

static unsigned int nkinds(void)
{
	return sizeof(kinds) / sizeof(kinds[0]);
}

TEST_WITH(random_operations, pages, &kinds[0])
TEST_WITH(random_operations, pages_without_caches, &kinds[1])
TEST_WITH(random_operations, tiers, &kinds[2])
TEST_WITH(random_operations, tiers_no_zero, &kinds[3])
TEST_WITH(random_operations, fixed, &kinds[4])
TEST_WITH(random_operations, fixed_shared_pages, &kinds[5])

KTAP_MAIN()

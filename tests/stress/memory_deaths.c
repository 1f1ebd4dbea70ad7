// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Buffers of one pool: processes, two threads each, that allocate and free
 * blocks and slab objects, free what the other thread allocated, give to each
 * other what they have, and share it, until they are killed; thieves who try to
 * free what is theirs; somebody who looks on. Each buffer says whose it is, in its
 * first and in its last bytes; nobody else may ever write there, nobody at all
 * once it is shared, and who gets it next must not see it. The pool begins with
 * half of the memory and grows while they are at it; and who looks on has arenas
 * retired, so that it grows again, behind them.
 */
#include "stress.h"

#define ARENAS		2
#define SIZE		(ARENAS * ZT_ARENA)
#define PLACES		64		/* where arenas may come to be */
#define WORKERS		4
#define THIEVES		2
#define CREW		(WORKERS + THIEVES + 1)	/* and who looks on */
#define DEATHS		20		/* in a round */
#define HAND		24		/* buffers of a thread */
#define SHELF		16		/* buffers a process's threads exchange */
#define STALLS		64		/* handles that all processes see */
#define LETTERS		8		/* handles a process was given */
#define SHARES		8		/* shared buffers of a thread */
#define MARK		16		/* bytes; the smallest object */

static const struct zcbuf_class classes[] = {
	{ .length = 16 }, { .length = 48 }, { .length = 256 },
	{ .length = 1024 }, { .length = 3072 },
};

#define CLASSES		(sizeof(classes) / sizeof(classes[0]))

static const __u32 sizes[CLASSES] = { 16, 48, 256, 1024, 3072 };

/*
 * struct fair - what all processes see
 * @stop: go home
 * @stall: somebody's handles, or 0
 * @tried: frees that must be refused, and will be or have been
 * @refused: those that have been
 * @id: sessions of the workers
 * @mail: by worker, what it was given and has not seen yet, or 0
 * @news: the same of what was shared with it
 */
struct fair {
	unsigned int stop;
	__u64 stall[STALLS];
	__u64 tried;
	__u64 refused;
	__u64 id[WORKERS];
	__u64 mail[WORKERS][LETTERS];
	__u64 news[WORKERS][LETTERS];
};

/* What is in the first and in the last bytes of a buffer. */
struct mark {
	__u64 owner;		/* session id */
	__u64 handle;
};

/*
 * A process: one session, and what its threads leave for each other. An arena is
 * mapped when somebody first needs it; twice does not matter.
 */
struct house {
	unsigned int nr;
	int fd;
	char *map;
	bool mapped[PLACES];
	__u64 id;
	__u64 shelf[SHELF];
};

/*
 * One of its threads; the hand is what it has of the house's, the shares what
 * others may have as well.
 */
struct worker {
	struct house *h;
	unsigned int nr;
	unsigned int n;
	__u64 hand[HAND];
	unsigned int nshares;
	__u64 share[SHARES];
};

static struct fair *fair;
static int pool;
static bool zeroing;		/* of the pool: at hand-over */

static bool stopped(void)
{
	return __atomic_load_n(&fair->stop, __ATOMIC_ACQUIRE);
}

static void map_arena(struct house *h, unsigned int arena)
{
	__u64 at = arena * ZT_ARENA;

	if (__atomic_load_n(&h->mapped[arena], __ATOMIC_ACQUIRE))
		return;
	ASSERT_NE(mmap(h->map + at, ZT_ARENA, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_FIXED, h->fd, at), MAP_FAILED);
	__atomic_store_n(&h->mapped[arena], true, __ATOMIC_RELEASE);
}

static char *first_of(struct house *h, __u64 handle)
{
	map_arena(h, zcbuf_buf_offset(handle) / ZT_ARENA);
	return h->map + zcbuf_buf_offset(handle);
}

static char *last_of(struct house *h, __u64 handle)
{
	return first_of(h, handle) + zcbuf_buf_capacity(handle, sizes) - MARK;
}

static void write_mark(struct house *h, __u64 handle)
{
	struct mark m = { .owner = h->id, .handle = handle };

	memcpy(first_of(h, handle), &m, MARK);
	memcpy(last_of(h, handle), &m, MARK);
}

static void check_mark(const struct house *h, __u64 handle, const char *at)
{
	struct mark m;

	memcpy(&m, at, MARK);
	EXPECT_EQ(m.owner, h->id);
	EXPECT_EQ(m.handle, handle);
}

/* Zero, or what this very session has left there. */
static void check_fresh(const struct house *h, const char *at, bool zero)
{
	struct mark m;

	memcpy(&m, at, MARK);
	if (!m.owner && !m.handle)
		return;
	EXPECT_FALSE(zero);
	if (zeroing)
		EXPECT_EQ(m.owner, h->id);
}

/* ------------------------------------------------------------------ workers */

static __u64 length_of_chance(void)
{
	if (stress_one_in(3))
		return 3073 + stress_pick(60000);
	return 1 + stress_pick(3072);
}

static void allocate(struct worker *t)
{
	unsigned int n = 1 + stress_pick(HAND - t->n);
	__u32 flags = stress_one_in(4) ? ZCBUF_ALLOC_F_ZERO : 0;
	__u64 *h = &t->hand[t->n];
	int i, got;

	got = zt_alloc(t->h->fd, length_of_chance(),
		       stress_one_in(8) ? 1U << stress_pick(16) : 0, flags, h,
		       n);
	if (got < 0) {
		EXPECT_ERR(got, ENOMEM);
		return;
	}
	for (i = 0; i < got; i++) {
		check_fresh(t->h, first_of(t->h, h[i]), flags);
		check_fresh(t->h, last_of(t->h, h[i]), flags);
		write_mark(t->h, h[i]);
	}
	t->n += got;
}

/* The @n last ones of the hand, by one call. */
static void give_back(struct worker *t, unsigned int n)
{
	unsigned int i;

	for (i = t->n - n; i < t->n; i++) {
		check_mark(t->h, t->hand[i], first_of(t->h, t->hand[i]));
		check_mark(t->h, t->hand[i], last_of(t->h, t->hand[i]));
	}
	t->n -= n;
	EXPECT_EQ(zt_free(t->h->fd, &t->hand[t->n], n), n);
}

/* One of ours for what the other thread has put there, if it has. */
static void exchange(struct worker *t)
{
	__u64 *place = &t->h->shelf[stress_pick(SHELF)];
	__u64 got = __atomic_exchange_n(place, t->hand[t->n - 1],
					__ATOMIC_ACQ_REL);

	if (got)
		t->hand[t->n - 1] = got;
	else
		t->n--;
}

/* Everybody may see the handle; that is no permission. */
static void show(const struct worker *t)
{
	__atomic_store_n(&fair->stall[stress_pick(STALLS)], t->hand[t->n - 1],
			 __ATOMIC_RELAXED);
}

/*
 * A block of ours for another process, if he has room for letters. Objects of slabs
 * can have the same handle again: a letter might come late.
 */
static void send_one(struct worker *t)
{
	unsigned int to = stress_pick(WORKERS);
	__u64 *letter = &fair->mail[to][stress_pick(LETTERS)];
	__u64 handle = t->hand[t->n - 1], id;
	int err;

	if (__atomic_load_n(letter, __ATOMIC_RELAXED) ||
	    zcbuf_buf_class(handle) >= ZCBUF_BUF_SLAB)
		return;
	id = __atomic_load_n(&fair->id[to], __ATOMIC_RELAXED);
	err = zt_transfer(t->h->fd, id, &handle, 1);
	if (err != 1) {
		EXPECT_ERR(err, id == t->h->id ? EINVAL : ENOENT);
		return;
	}
	t->n--;
	__atomic_store_n(letter, handle, __ATOMIC_RELEASE);
}

/* A letter may be for who was here before us. */
static bool is_ours(const struct house *h, __u64 handle)
{
	struct zcbuf_buf_place p;

	return zt_buf_info(h->fd, &handle, &p, 1) == 1;
}

static void fetch_one(struct worker *t)
{
	__u64 *letter = &fair->mail[t->h->nr][stress_pick(LETTERS)];
	__u64 handle = __atomic_exchange_n(letter, 0, __ATOMIC_ACQUIRE);
	struct mark m;

	if (!handle || !is_ours(t->h, handle))
		return;
	memcpy(&m, first_of(t->h, handle), MARK);
	EXPECT_EQ(m.handle, handle);
	EXPECT_EQ(memcmp(&m, last_of(t->h, handle), MARK), 0);
	/* What else the giver has left there is ours now: not to be mistaken. */
	memset(first_of(t->h, handle), 0, zcbuf_buf_capacity(handle, sizes));
	write_mark(t->h, handle);
	t->hand[t->n++] = handle;
}

/* ------------------------------------------------------------------- shares */

/*
 * A letter about a share tells the session it is for as well, where the pool is too
 * small for the handle to need the bits: who comes after it may have the same
 * buffer by another letter.
 */
static __u64 letter_to(__u64 id, __u64 handle)
{
	_Static_assert(SIZE / ZT_PAGE <= 1U << 12, "bits of the page");
	return handle ^ (id & 0xffff) << 12;
}

/* As send_one(), with who else may have it: 1: he has it now. */
static int share_with(struct worker *t, __u64 handle, bool keep)
{
	unsigned int to = stress_pick(WORKERS);
	__u64 *letter = &fair->news[to][stress_pick(LETTERS)];
	__u64 id = __atomic_load_n(&fair->id[to], __ATOMIC_RELAXED);
	int err;

	if (__atomic_load_n(letter, __ATOMIC_RELAXED))
		return 0;
	err = keep ? zt_share(t->h->fd, id, &handle, 1) :
		     zt_transfer(t->h->fd, id, &handle, 1);
	if (err == 1)
		__atomic_store_n(letter, letter_to(id, handle),
				 __ATOMIC_RELEASE);
	else if (id == t->h->id)
		EXPECT_ERR(err, EINVAL);
	else if (err != -EALREADY)
		EXPECT_ERR(err, ENOENT);
	return err;
}

/* Nobody writes to a block of ours any more, we neither. */
static void share_one(struct worker *t)
{
	__u64 handle = t->hand[t->n - 1];

	if (zcbuf_buf_class(handle) >= ZCBUF_BUF_SLAB ||
	    t->nshares == SHARES || share_with(t, handle, true) != 1)
		return;
	t->n--;
	t->share[t->nshares++] = handle;
}

static void fetch_share(struct worker *t)
{
	__u64 *letter = &fair->news[t->h->nr][stress_pick(LETTERS)];
	__u64 got = __atomic_exchange_n(letter, 0, __ATOMIC_ACQUIRE);
	__u64 handle = letter_to(t->h->id, got);

	if (got && is_ours(t->h, handle))
		t->share[t->nshares++] = handle;
}

/* What it says is what it said when it was shared, be the writer dead or not. */
static void end_share(struct worker *t)
{
	__u64 handle = t->share[t->nshares - 1];
	struct mark m;

	memcpy(&m, first_of(t->h, handle), MARK);
	EXPECT_EQ(m.handle, handle);
	EXPECT_EQ(memcmp(&m, last_of(t->h, handle), MARK), 0);
	if (stress_one_in(2)) {
		share_with(t, handle, true);
		return;
	}
	if (!stress_one_in(2) || share_with(t, handle, false) != 1)
		EXPECT_OK(zt_free1(t->h->fd, handle));
	t->nshares--;
}

static void share_some(struct worker *t, unsigned int what)
{
	if (!what && t->n)
		share_one(t);
	else if (what == 1 && t->nshares < SHARES)
		fetch_share(t);
	else if (t->nshares)
		end_share(t);
}

static void work_some(struct worker *t)
{
	unsigned int what = stress_pick(20);

	if (what >= 16)
		share_some(t, what - 16);
	else if (!t->n || (what < 6 && t->n < HAND))
		allocate(t);
	else if (what < 8)
		exchange(t);
	else if (what == 8)
		show(t);
	else if (what == 9)
		send_one(t);
	else if (what < 12 && t->n < HAND)
		fetch_one(t);
	else
		give_back(t, 1 + stress_pick(t->n));
}

static void *work(void *arg)
{
	struct worker *t = arg;

	stress_choices(((uint64_t)getpid() << 16) + t->nr);
	while (!stopped())
		work_some(t);
	if (t->n && stress_one_in(2))
		give_back(t, t->n);
	return NULL;
}

static void house_open(struct house *h, unsigned int nr)
{
	memset(h, 0, sizeof(*h));
	h->fd = zt_join(pool, 0);
	ASSERT_GE(h->fd, 0);
	h->map = mmap(NULL, PLACES * ZT_ARENA, PROT_NONE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(h->map, MAP_FAILED);
	h->id = zt_session(h->fd);
	ASSERT_NE(h->id, 0);
	h->nr = nr;
	__atomic_store_n(&fair->id[nr], h->id, __ATOMIC_RELAXED);
}

static void worker(unsigned int nr)
{
	struct worker one = { .nr = 2 * nr }, two = { .nr = 2 * nr + 1 };
	struct house h;
	pthread_t thread;

	house_open(&h, nr);
	one.h = &h;
	two.h = &h;
	ASSERT_EQ(pthread_create(&thread, NULL, work, &two), 0);
	work(&one);
	ASSERT_EQ(pthread_join(thread, NULL), 0);
}

/* Has nothing of its own: whatever it frees, it must not. */
static void thief(unsigned int nr)
{
	int fd = zt_join(pool, 0);
	__u64 handle;

	(void)nr;
	ASSERT_GE(fd, 0);
	while (!stopped()) {
		handle = __atomic_load_n(&fair->stall[stress_pick(STALLS)],
					 __ATOMIC_RELAXED);
		if (!handle)
			continue;
		__atomic_fetch_add(&fair->tried, 1, __ATOMIC_RELAXED);
		EXPECT_LT(zt_free1(fd, handle), 0);
		__atomic_fetch_add(&fair->refused, 1, __ATOMIC_RELAXED);
	}
}

/* It goes when it is not used any more, or at once, or not: nobody should notice. */
static void retire_any(void)
{
	struct zcbuf_pool_retire a = zt_arg(struct zcbuf_pool_retire);
	struct zcbuf_pool_info info;
	int err;

	ASSERT_OK(zt_pool_info(pool, &info));
	a.arena = stress_pick(info.out_end / ZT_ARENA);
	a.flags = stress_pick(3);	/* 0, NOW, CANCEL */
	err = zt_call(pool, ZCBUF_IOC_POOL_RETIRE, &a);
	if (!a.arena)
		EXPECT_ERR(err, EINVAL);
	else if (err && a.flags == ZCBUF_RETIRE_F_NOW)
		EXPECT_ERR(err, EBUSY);
	else if (err && a.flags == ZCBUF_RETIRE_F_CANCEL)
		EXPECT_ERR(err, EALREADY);
	else
		EXPECT_OK(err);
}

static void observer(unsigned int nr)
{
	struct zcbuf_pool_info info;
	struct stress_dumps d;

	(void)nr;
	stress_choices((uint64_t)getpid() << 16);
	stress_dumps_open(&d);
	while (!stopped()) {
		if (stress_one_in(16))
			retire_any();
		ASSERT_OK(zt_pool_info(pool, &info));
		EXPECT_LE(info.out_used, info.out_size);
		EXPECT_LE(info.out_largest_free, info.out_size - info.out_used);
		EXPECT_LE(info.out_min_free, info.out_size - info.out_used);
		stress_dump_any(&d);
	}
}

/* ------------------------------------------------------------------- rounds */

static void pool_of_chance(void)
{
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.kind = ZCBUF_POOL_TIERS, .flags = ZCBUF_POOL_F_AUTO_GROW,
		.arena_size = ZT_ARENA, .max_size = SIZE,
		.classes = zt_ptr(classes), .nclasses = CLASSES);

	zeroing = stress_one_in(2);
	if (!zeroing)
		a.flags |= ZCBUF_POOL_F_NO_ZERO_ON_REUSE;
	if (stress_one_in(2))
		a.flags |= ZCBUF_POOL_F_SMALL_PAGES;
	pool = zt_open(O_RDWR);
	ASSERT_GE(pool, 0);
	ASSERT_OK(zt_call(pool, ZCBUF_IOC_POOL_CREATE, &a));
	memset(fair, 0, sizeof(*fair));
}

static void (*job_of(unsigned int nr))(unsigned int nr)
{
	if (nr < WORKERS)
		return worker;
	return nr < CREW - 1 ? thief : observer;
}

static void work_and_die(void)
{
	struct stress_crew crew = {};
	unsigned int nr, deaths;

	for (nr = 0; nr < CREW; nr++)
		stress_hire(&crew, nr, job_of(nr));
	for (deaths = 0; deaths < DEATHS; deaths++) {
		nr = stress_victim(CREW);
		stress_kill(&crew, nr);
		stress_hire(&crew, nr, job_of(nr));
	}
	__atomic_store_n(&fair->stop, stress_one_in(2), __ATOMIC_RELEASE);
	for (nr = 0; nr < CREW; nr++)
		if (fair->stop)
			stress_await(&crew, nr);
		else
			stress_kill(&crew, nr);
}

static void add_up(void)
{
	struct zcbuf_pool_info info;

	ASSERT_OK(zt_pool_info(pool, &info));
	EXPECT_GE(info.out_bad_frees, fair->refused);
	EXPECT_LE(info.out_bad_frees, fair->tried);
	stress_all_back(pool, info.out_bad_frees);
	TEST_LOG("at most %llu of %llu bytes were out, %llu thefts were refused",
		 (unsigned long long)(info.out_size - info.out_min_free),
		 (unsigned long long)info.out_size,
		 (unsigned long long)fair->refused);
}

STRESS_TEST(every_buffer_has_one_owner)
{
	static struct snapshot before;
	unsigned int round;

	fair = stress_shared(sizeof(*fair));
	stress_choices(0);
	snap_take(&before);
	for (round = 0; round < stress_rounds; round++) {
		pool_of_chance();
		work_and_die();
		add_up();
		close(pool);
		stress_same(&before);
	}
}

STRESS_MAIN()

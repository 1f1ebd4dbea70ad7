// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Result memory that is taken away while the call is running: EFAULT, and what
 * the call had got is taken back. A call that waits has checked its memory
 * before, so there it is certain; elsewhere another thread tries its luck.
 */
#include <sys/syscall.h>

#include "rig.h"

#define MIB		ZT_MIB
#define ROUNDS		KTAP_TRIES(300)

static void *page_new(void)
{
	void *p = mmap(NULL, ZT_PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(p, MAP_FAILED);
	return p;
}

static int pool_open(void)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);

	ASSERT_GE(fd, 0);
	return fd;
}

/* --------------------------------------------------- calls that are waiting */

/* RECEIVE sleeps; its array is gone when a group comes: the group is as if
 * its consumer had died.
 */
static void receive_unmapped(bool argument)
{
	struct zcbuf_receive *a = page_new();
	char *entries = page_new();
	struct hz_caller c = { .request = ZCBUF_IOC_RECEIVE, .arg = a };
	struct zcbuf_delivery d;
	__u64 channel;
	int fd = pool_open();

	ASSERT_OK(zt_stream(fd, 4096, 0, &channel));
	*a = zt_arg(struct zcbuf_receive, .channel = channel, .count = 1,
		.entries = zt_ptr(entries), .deadline_ns = ZCBUF_NO_DEADLINE,
		.entry_size = sizeof(d));
	c.fd = fd;
	hz_caller_block(&c);
	ASSERT_OK(munmap(argument ? (void *)a : entries, ZT_PAGE));
	hz_put(fd, channel, 4096);
	EXPECT_ERR(hz_caller_join(&c), EFAULT);
	EXPECT_EQ(zt_used(fd), 0);
	hz_put(fd, channel, 4096);
	ASSERT_EQ(zt_receive(fd, channel, &d, 1, 0), 1);
	EXPECT_EQ(d.group, 1);
	EXPECT_OK(zt_release1(fd, channel, d.handle));
	EXPECT_EQ(zt_used(fd), 0);
}

TEST(receive_entries)
{
	receive_unmapped(false);
}

TEST(receive_argument)
{
	receive_unmapped(true);
}

/* The same with a failed group: 0 the pieces go, 1 the lost, 2 the argument. */
static void receive_failed_unmapped(int which)
{
	struct zcbuf_receive_failed *a = page_new();
	void *memory[3] = { page_new(), page_new(), a };
	struct hz_caller c = { .request = ZCBUF_IOC_RECEIVE_FAILED, .arg = a };
	struct zcbuf_reservation r[2];
	__u64 channel;
	int fd = pool_open();

	ASSERT_OK(zt_stream(fd, 4096, 0, &channel));
	ASSERT_OK(zt_reserve1(fd, channel, 2048, &r[0]));
	ASSERT_OK(zt_reserve1(fd, channel, 2048, &r[1]));
	ASSERT_OK(zt_commit1(fd, channel, &r[0]));
	*a = zt_arg(struct zcbuf_receive_failed, .channel = channel,
		.pieces = zt_ptr(memory[0]), .npieces = 9,
		.lost = zt_ptr(memory[1]), .nlost = 9,
		.deadline_ns = ZCBUF_NO_DEADLINE);
	c.fd = fd;
	hz_caller_block(&c);
	ASSERT_OK(munmap(memory[which], ZT_PAGE));
	ASSERT_OK(zt_abort1(fd, channel, &r[1]));
	EXPECT_ERR(hz_caller_join(&c), EFAULT);
	EXPECT_EQ(zt_used(fd), 0);
}

TEST(receive_failed_pieces)
{
	receive_failed_unmapped(0);
}

TEST(receive_failed_lost)
{
	receive_failed_unmapped(1);
}

TEST(receive_failed_argument)
{
	receive_failed_unmapped(2);
}

/* RESERVE waits for memory and gets it: the reservation fails at once. */
static void reserve_unmapped(bool argument)
{
	struct zcbuf_reserve *a = page_new();
	struct zcbuf_reservation *v = page_new();
	struct hz_caller c = { .request = ZCBUF_IOC_RESERVE, .arg = a };
	struct zcbuf_receive_failed f = {};
	struct zcbuf_piece piece;
	struct zcbuf_lost lost;
	__u64 channel, all;
	int fd = pool_open();

	ASSERT_OK(zt_stream(fd, 0, 0, &channel));
	ASSERT_OK(zt_alloc1(fd, ZT_ARENA, &all));
	v->length = 5000;
	*a = zt_arg(struct zcbuf_reserve, .channel = channel, .count = 1,
		.entries = zt_ptr(v), .deadline_ns = ZCBUF_NO_DEADLINE);
	c.fd = fd;
	hz_caller_block(&c);
	ASSERT_OK(munmap(argument ? (void *)a : (void *)v, ZT_PAGE));
	ASSERT_OK(zt_free1(fd, all));
	EXPECT_ERR(hz_caller_join(&c), EFAULT);

	f.pieces = zt_ptr(&piece);
	f.lost = zt_ptr(&lost);
	f.npieces = 1;
	f.nlost = 1;
	ASSERT_OK(zt_receive_failed(fd, channel, &f));
	EXPECT_EQ(f.npieces, 0);
	EXPECT_EQ(lost.id, 0);
	EXPECT_EQ(lost.length, 5000);
	EXPECT_OK(zt_release1(fd, channel, f.out_delivery.handle));
	EXPECT_EQ(zt_used(fd), 0);
}

TEST(reserve_entries)
{
	reserve_unmapped(false);
}

TEST(reserve_argument)
{
	reserve_unmapped(true);
}

/* What was committed stays committed; what was reserved afterwards does not. */
TEST(turnover_reservations)
{
	struct zcbuf_reservation *v = page_new(), r;
	struct zcbuf_commit_entry e;
	struct zcbuf_commit_reserve a;
	struct hz_caller c = { .request = ZCBUF_IOC_COMMIT_RESERVE, .arg = &a };
	struct zcbuf_delivery d;
	__u64 channel, rest;
	int fd = pool_open();

	ASSERT_OK(zt_stream(fd, 0, 0, &channel));
	ASSERT_OK(zt_reserve1(fd, channel, 4096, &r));
	ASSERT_OK(zt_alloc1(fd, 1 * MIB, &rest));
	v->length = 2 * MIB - 4096 - 4096;
	e = (struct zcbuf_commit_entry){ .group = r.out_group, .id = r.out_id,
		.offset = r.out_offset, .length = r.length };
	a = zt_arg(struct zcbuf_commit_reserve, .channel = channel,
		.commits = zt_ptr(&e), .ncommits = 1, .reserves = zt_ptr(v),
		.nreserves = 1, .deadline_ns = ZCBUF_NO_DEADLINE);
	c.fd = fd;
	hz_caller_block(&c);
	ASSERT_EQ(zt_receive(fd, channel, &d, 1, 0), 1);
	EXPECT_EQ(d.length, 4096);
	ASSERT_OK(munmap(v, ZT_PAGE));
	ASSERT_OK(zt_free1(fd, rest));
	ASSERT_OK(zt_release1(fd, channel, d.handle));
	EXPECT_ERR(hz_caller_join(&c), EFAULT);
	EXPECT_OK(zt_channel_close(fd, channel, 0));
	EXPECT_EQ(zt_used(fd), 0);
}

/* ----------------------------------------------------- calls that do not wait */

/*
 * struct flipper - a thread that makes a page read-only while a call is running
 * @page: which
 * @delay: about how long after the call has begun; it is found by trying: sooner
 *	after a call that worked, later after one that did not, so that it comes
 *	to be when the call writes its results
 * @round: what is going on, changed by either side in turn; odd: flip
 */
struct flipper {
	char *page;
	unsigned int delay;
	unsigned int round;
	bool stop;
	pthread_t thread;
};

static void flipper_wait(struct flipper *f, unsigned int odd)
{
	while ((__atomic_load_n(&f->round, __ATOMIC_ACQUIRE) & 1) != odd &&
	       !__atomic_load_n(&f->stop, __ATOMIC_RELAXED))
		sched_yield();
}

static void flipper_next(struct flipper *f)
{
	__atomic_fetch_add(&f->round, 1, __ATOMIC_RELEASE);
}

static void *flipper_run(void *p)
{
	struct flipper *f = p;
	unsigned int n;

	for (;;) {
		flipper_wait(f, 1);
		if (f->stop)
			return NULL;
		for (n = f->delay / 2 + hz_random(f->delay); n; n--)
			__asm__ __volatile__("" ::: "memory");
		mprotect(f->page, ZT_PAGE, PROT_READ);
		flipper_next(f);
	}
}

static void flipper_start(struct flipper *f, void *page)
{
	*f = (struct flipper){ .page = page, .delay = 10000 };
	ASSERT_EQ(pthread_create(&f->thread, NULL, flipper_run, f), 0);
}

static void flipper_stop(struct flipper *f)
{
	__atomic_store_n(&f->stop, true, __ATOMIC_RELAXED);
	ASSERT_EQ(pthread_join(f->thread, NULL), 0);
}

/* The call, and the page becomes read-only some time; it is writable again. */
static int flipper_call(struct flipper *f, int fd, unsigned long request,
			void *arg)
{
	int err;

	flipper_next(f);
	err = zt_call(fd, request, arg);
	flipper_wait(f, 0);
	ASSERT_OK(mprotect(f->page, ZT_PAGE, PROT_READ | PROT_WRITE));
	if (err == -EFAULT)
		f->delay += f->delay / 8 + 8;
	else
		f->delay -= f->delay / 8;
	f->delay = f->delay < 16 ? 16 : f->delay;
	return err;
}

#define PLENTY	256

/* Whoever was told EFAULT has nothing, whoever was told 0 has it all. */
TEST(alloc_handles)
{
	__u64 *handles = page_new();
	struct zcbuf_alloc a = zt_arg(struct zcbuf_alloc, .length = 64,
		.handles = zt_ptr(handles), .count = PLENTY);
	int fd = zt_pool(ZCBUF_POOL_TIERS, 0, ZT_ARENA);
	int i, err, got = 0;
	struct flipper f;

	ASSERT_GE(fd, 0);
	flipper_start(&f, handles);
	for (i = 0; i < ROUNDS; i++) {
		err = flipper_call(&f, fd, ZCBUF_IOC_ALLOC, &a);
		EXPECT_TRUE(!err || err == -EFAULT);
		if (err)
			continue;
		EXPECT_EQ(a.out_done, PLENTY);
		EXPECT_EQ(zt_free(fd, handles, PLENTY), PLENTY);
		got++;
	}
	flipper_stop(&f);
	TEST_LOG("%d calls of %d worked", got, ROUNDS);
	EXPECT_EQ(zt_used(fd), 0);
	EXPECT_EQ(zt_bad_frees(fd), 0);
}

/* Failed groups of one reservation each; how many. */
static int take_failed(int fd, __u64 channel)
{
	struct zcbuf_lost lost;
	struct zcbuf_receive_failed a = { .lost = zt_ptr(&lost), .nlost = 1 };
	int n;

	for (n = 0; !zt_receive_failed(fd, channel, &a); n++) {
		EXPECT_EQ(a.npieces, 0);
		EXPECT_OK(zt_release1(fd, channel, a.out_delivery.handle));
		a.nlost = 1;
	}
	return n;
}

static void drain(int fd, __u64 channel)
{
	struct zcbuf_delivery d;

	while (zt_receive(fd, channel, &d, 1, 0) == 1)
		EXPECT_OK(zt_release1(fd, channel, d.handle));
}

TEST(reserve_at_once)
{
	struct zcbuf_reservation *v = page_new();
	struct zcbuf_reserve a = zt_arg(struct zcbuf_reserve, .count = 64,
		.entries = zt_ptr(v));
	int i, k, n, err, got = 0, late = 0, fd = pool_open();
	struct flipper f;

	ASSERT_OK(zt_stream(fd, 0, 0, &a.channel));
	for (k = 0; k < 64; k++)
		v[k].length = 100;
	flipper_start(&f, v);
	for (i = 0; i < ROUNDS; i++) {
		err = flipper_call(&f, fd, ZCBUF_IOC_RESERVE, &a);
		EXPECT_TRUE(!err || err == -EFAULT);
		if (err) {
			n = take_failed(fd, a.channel);
			EXPECT_TRUE(n == 0 || n == 64);
			late += n == 64;
			continue;
		}
		EXPECT_EQ(a.out_done, 64);
		got++;
		for (k = 0; k < 64; k++)
			EXPECT_OK(zt_commit1(fd, a.channel, &v[k]));
		drain(fd, a.channel);
	}
	flipper_stop(&f);
	TEST_LOG("%d calls of %d worked, %d were undone", got, ROUNDS, late);
	EXPECT_EQ(zt_used(fd), 0);
}

TEST(receive_at_once)
{
	struct zcbuf_delivery *d = page_new();
	struct zcbuf_receive a = zt_arg(struct zcbuf_receive, .count = 32,
		.entries = zt_ptr(d), .entry_size = sizeof(*d));
	int i, k, err, got = 0, fd = pool_open();
	struct flipper f;

	ASSERT_OK(zt_stream(fd, 0, 0, &a.channel));
	flipper_start(&f, d);
	for (i = 0; i < ROUNDS; i++) {
		for (k = 0; k < 32; k++)
			hz_put(fd, a.channel, 100);
		err = flipper_call(&f, fd, ZCBUF_IOC_RECEIVE, &a);
		EXPECT_TRUE(!err || err == -EFAULT);
		for (k = 0; !err && k < 32; k++)
			EXPECT_OK(zt_release1(fd, a.channel, d[k].handle));
		got += !err;
		if (err)
			drain(fd, a.channel);
	}
	flipper_stop(&f);
	TEST_LOG("%d calls of %d worked", got, ROUNDS);
	EXPECT_EQ(zt_used(fd), 0);
	EXPECT_EQ(zt_bad_frees(fd), 0);
}

/*
 * The argument itself: POOL_CREATE and CHANNEL_OPEN answer only there. Whoever
 * was told EFAULT has no pool and no port.
 */
TEST(create_argument)
{
	struct zcbuf_pool_create *a = page_new();
	int i, err, got = 0;
	struct zcbuf_query q;
	struct flipper f;

	*a = zt_arg(struct zcbuf_pool_create, .arena_size = ZT_ARENA);
	flipper_start(&f, a);
	for (i = 0; i < ROUNDS / 3; i++) {
		int fd = zt_open(O_RDWR);

		ASSERT_GE(fd, 0);
		err = flipper_call(&f, fd, ZCBUF_IOC_POOL_CREATE, a);
		EXPECT_TRUE(!err || err == -EFAULT);
		got += !err;
		ASSERT_OK(zt_query(fd, &q));
		EXPECT_EQ(!!q.out_pool, !err);
		if (err)
			EXPECT_OK(zt_pool_create(fd, 0, 0, ZT_ARENA));
		close(fd);
	}
	flipper_stop(&f);
	TEST_LOG("%d calls of %d worked", got, i);
	EXPECT_EQ(zt_await_charged(0), 0);
}

TEST(open_argument)
{
	struct zcbuf_channel_open *a = page_new();
	int i, err, got = 0, fd = pool_open();
	struct zcbuf_pool_info info;
	struct flipper f;

	*a = zt_arg(struct zcbuf_channel_open, .ports = ZT_ALL_PORTS,
		.flags = ZCBUF_CHANNEL_F_THRESHOLD, .threshold = 4096);
	flipper_start(&f, a);
	for (i = 0; i < ROUNDS; i++) {
		err = flipper_call(&f, fd, ZCBUF_IOC_CHANNEL_OPEN, a);
		EXPECT_TRUE(!err || err == -EFAULT);
		ASSERT_OK(zt_pool_info(fd, &info));
		ASSERT_EQ(info.out_channels, !err);
		if (!err)
			EXPECT_OK(zt_channel_close(fd, a->out_channel, 0));
		got += !err;
	}
	flipper_stop(&f);
	TEST_LOG("%d calls of %d worked", got, ROUNDS);
}

KTAP_MAIN()

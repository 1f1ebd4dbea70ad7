// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Buffers that several sessions have, on pools of each kind: the first half of
 * scenario 30, and that they are free when the last of them has freed it or was
 * killed, in whatever order, and not before.
 */
#include "pass.h"

#define HOLDERS	3

/* Which of three is the @n-th, in the @order-th of six orders. */
static int nth_of(int order, int n)
{
	static const char orders[6][HOLDERS] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
		{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
	};

	return orders[order][n];
}

/* ------------------------------------------------------------- who has what */

/*
 * The creator's session goes, another one has the buffer: data is still there,
 * memory comes back after the last reference.
 */
EACH_KIND(scenario_30_the_creator_goes)
{
	struct pair p = pair_of(arg);
	__u64 h;
	char *map;

	map = zt_map(p.b, PROT_READ | PROT_WRITE, ZT_ARENA);
	ASSERT_NE(map, NULL);
	ASSERT_OK(zt_alloc1(p.a, p.length, &h));
	memset(map + zcbuf_buf_offset(h), 0x2b, p.length);
	ASSERT_OK(share1(p.a, p.b, h));
	close(p.a);
	EXPECT_EQ(holders_of(p.b, h), 1);
	EXPECT_FILLED(map + zcbuf_buf_offset(h), 0x2b, p.length);
	memset(map + zcbuf_buf_offset(h), 0x2c, p.length);
	EXPECT_FILLED(map + zcbuf_buf_offset(h), 0x2c, p.length);
	EXPECT_GE(zt_used(p.b), p.length);
	EXPECT_OK(zt_free1(p.b, h));
	EXPECT_EQ(zt_used(p.b), 0);
}

/* Each of them alike: whoever allocated it is one of them. */
EACH_KIND(all_have_it_alike)
{
	struct pair p = pair_of(arg);
	int fd[HOLDERS] = { p.a, p.b, zt_join(p.a, 0) }, i;
	__u64 h, used;

	ASSERT_OK(zt_alloc1(p.a, p.length, &h));
	used = zt_used(p.a);
	EXPECT_EQ(holders_of(p.a, h), 1);
	ASSERT_OK(share1(p.a, p.b, h));
	EXPECT_ERR(holders_of(fd[2], h), EPERM);
	ASSERT_OK(share1(p.b, fd[2], h));
	for (i = 0; i < HOLDERS; i++)
		EXPECT_EQ(holders_of(fd[i], h), HOLDERS);
	EXPECT_EQ(zt_used(p.a), used);
	EXPECT_OK(zt_free1(p.a, h));
	EXPECT_ERR(share1(p.a, p.b, h), EPERM);
	EXPECT_OK(share1(fd[2], p.a, h));
	for (i = 0; i < HOLDERS; i++)
		EXPECT_OK(zt_free1(fd[i], h));
	EXPECT_EQ(zt_used(p.a), 0);
}

/* A free too many is refused, whether others still have it or nobody. */
EACH_KIND(freed_in_any_order)
{
	struct pair p = pair_of(arg);
	int fd[HOLDERS] = { p.a, p.b, zt_join(p.a, 0) }, order, n, who;
	__u64 h, keep, used, bad;

	/* Else the slab goes, and its handles with it. */
	ASSERT_OK(zt_alloc1(p.a, p.length, &keep));
	used = zt_used(p.a);
	for (order = 0; order < 6; order++) {
		ASSERT_OK(zt_alloc1(p.a, p.length, &h));
		ASSERT_OK(share1(p.a, p.b, h));
		ASSERT_OK(share1(p.b, fd[2], h));
		bad = zt_bad_frees(p.a);
		for (n = 0; n < HOLDERS; n++) {
			who = fd[nth_of(order, n)];
			EXPECT_EQ(holders_of(who, h), HOLDERS - n);
			EXPECT_OK(zt_free1(who, h));
			if (n < HOLDERS - 1)
				EXPECT_ERR(zt_free1(who, h), EPERM);
		}
		EXPECT_ERR(zt_free1(p.a, h), EBADSLT);
		EXPECT_EQ(zt_bad_frees(p.a), bad + HOLDERS);
		EXPECT_EQ(zt_used(p.a), used);
	}
	EXPECT_OK(zt_free1(p.a, keep));
	EXPECT_EQ(zt_used(p.a), 0);
}

EACH_KIND(nobody_has_it_twice)
{
	struct pair p = pair_of(arg);
	int c = zt_join(p.a, 0);
	__u64 h;

	ASSERT_OK(zt_alloc1(p.a, p.length, &h));
	ASSERT_OK(share1(p.a, p.b, h));
	EXPECT_ERR(share1(p.a, p.b, h), EALREADY);
	EXPECT_ERR(share1(p.b, p.a, h), EALREADY);
	EXPECT_ERR(give1(p.a, p.b, h), EALREADY);
	EXPECT_ERR(give1(p.b, p.a, h), EALREADY);
	EXPECT_OK(give1(p.a, c, h));
	EXPECT_ERR(give1(p.b, c, h), EALREADY);
	EXPECT_OK(give1(p.b, p.a, h));
	EXPECT_ERR(zt_free1(p.b, h), EPERM);
	EXPECT_EQ(holders_of(p.a, h), 2);
	EXPECT_OK(zt_free1(p.a, h));
	EXPECT_OK(zt_free1(c, h));
	EXPECT_EQ(zt_used(p.a), 0);
}

TEST(whom_not_to_share_with)
{
	pass_refused(zt_share);
}

EACH_KIND(as_many_as_there_are)
{
	pass_in_order(zt_share, arg, true);
}

/* Who frees it first may have it again: without what others wrote since. */
EACH_KIND(zeroed_for_whoever_is_next)
{
	struct pair p = pair_of(arg);
	__u64 keep, old, h;
	char *map;

	zt_stay();
	map = zt_map(p.a, PROT_READ | PROT_WRITE, ZT_ARENA);
	ASSERT_NE(map, NULL);
	ASSERT_OK(zt_alloc1(p.a, p.length, &keep));
	ASSERT_OK(zt_alloc1(p.a, p.length, &old));
	ASSERT_OK(share1(p.a, p.b, old));
	ASSERT_OK(zt_free1(p.a, old));
	memset(map + zcbuf_buf_offset(old), 0x2d, p.length);
	ASSERT_OK(zt_free1(p.b, old));
	ASSERT_OK(zt_alloc1(p.a, p.length, &h));
	EXPECT_EQ(zcbuf_buf_offset(h), zcbuf_buf_offset(old));
	EXPECT_FILLED(map + zcbuf_buf_offset(h), 0, p.length);
}

/* ------------------------------------------------------------------- deaths */

static void free_it(int fd, struct zt_turns *t)
{
	__u64 h = read_number(t->to_child[0]);

	EXPECT_EQ(holders_of(fd, h), 2);
	EXPECT_OK(zt_free1(fd, h));
	EXPECT_ERR(zt_free1(fd, h), EPERM);
}

EACH_KIND(another_process_frees_its_own)
{
	struct pair p = pair_of(arg);
	struct zt_turns t;
	__u64 id, h;
	pid_t child = start_other(&p, &t, &id, free_it);

	ASSERT_OK(zt_alloc1(p.a, p.length, &h));
	EXPECT_EQ(zt_share(p.a, id, &h, 1), 1);
	send_number(t.to_child[1], h);
	EXPECT_STATUS(child, 0);
	EXPECT_EQ(holders_of(p.a, h), 1);
	EXPECT_OK(zt_free1(p.a, h));
	EXPECT_EQ(zt_used(p.a), 0);
}

static __u32 sessions_of(int fd)
{
	struct zcbuf_pool_info info;

	return zt_pool_info(fd, &info) ? 0 : info.out_sessions;
}

/* A session that is not counted any more has given back everything. */
static void kill_one(const struct pair *p, pid_t child)
{
	__u32 before = sessions_of(p->a);

	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	EXPECT_TRUE(HZ_UNTIL(sessions_of(p->a) == before - 1));
}

EACH_KIND(killed_in_any_order)
{
	struct pair p = pair_of(arg);
	struct zt_turns t[HOLDERS];
	pid_t child[HOLDERS];
	__u64 id, h, used;
	int order, n;

	for (order = 0; order < 6; order++) {
		ASSERT_OK(zt_alloc1(p.a, p.length, &h));
		used = zt_used(p.a);
		for (n = 0; n < HOLDERS; n++) {
			child[n] = start_other(&p, &t[n], &id, stay);
			ASSERT_EQ(zt_share(p.a, id, &h, 1), 1);
		}
		/* One of them is its owner now. */
		ASSERT_OK(zt_free1(p.a, h));
		for (n = 0; n < HOLDERS; n++) {
			EXPECT_EQ(zt_used(p.a), used);
			EXPECT_ERR(zt_free1(p.a, h), EPERM);
			kill_one(&p, child[nth_of(order, n)]);
		}
		EXPECT_EQ(zt_used(p.a), 0);
	}
}

/* Who allocated it is killed first, or who it was shared with, or both are. */
EACH_KIND(either_is_killed)
{
	struct pair p = pair_of(arg);
	struct zt_turns t[2];
	pid_t child[2];
	__u64 id[2], h;
	int first;

	for (first = 0; first < 2; first++) {
		child[0] = start_other(&p, &t[0], &id[0], stay);
		child[1] = start_other(&p, &t[1], &id[1], stay);
		ASSERT_OK(zt_alloc1(p.a, p.length, &h));
		ASSERT_EQ(zt_share(p.a, id[1], &h, 1), 1);
		ASSERT_EQ(zt_transfer(p.a, id[0], &h, 1), 1);
		kill_one(&p, child[first]);
		EXPECT_GE(zt_used(p.a), p.length);
		EXPECT_ERR(zt_free1(p.a, h), EPERM);
		kill_one(&p, child[!first]);
		EXPECT_EQ(zt_used(p.a), 0);
	}
}

/* --------------------------------------------------------------- many at once */

#define BALLS	64
#define MOVES	(KTAP_TRIES(10) * BALLS)

/*
 * struct game - two sessions that share and free the same buffers
 * @fd: the sessions
 * @id: of them
 * @balls: the buffers
 */
struct game {
	int fd[2];
	__u64 id[2];
	__u64 balls[BALLS];
};

/* Whatever the other one does meanwhile, there are few answers. */
static void *play(struct game *g, int me)
{
	const __u64 *ball;
	int i, err;

	for (i = 0; i < MOVES; i++) {
		ball = &g->balls[hz_random(BALLS)];
		err = zt_share(g->fd[me], g->id[!me], ball, 1);
		if (err != 1)
			EXPECT_TRUE(err == -EALREADY || err == -EPERM);
		ball = &g->balls[hz_random(BALLS)];
		err = zt_transfer(g->fd[me], g->id[!me], ball, 1);
		if (err != 1)
			EXPECT_TRUE(err == -EALREADY || err == -EPERM);
		/* Not the last one: then the handle would name nothing. */
		ball = &g->balls[hz_random(BALLS)];
		err = holders_of(g->fd[me], *ball);
		EXPECT_TRUE(err == 1 || err == 2 || err == -EPERM);
	}
	return NULL;
}

static void *play_one(void *game)
{
	return play(game, 0);
}

static void *play_two(void *game)
{
	return play(game, 1);
}

/* Each buffer is one's or both's in the end, and nothing else is out. */
EACH_KIND(two_share_at_once)
{
	struct pair p = pair_of(arg);
	struct game g = { .fd = { p.a, p.b } };
	int i, freed;

	g.id[0] = zt_session(p.a);
	g.id[1] = zt_session(p.b);
	ASSERT_EQ(zt_alloc(p.a, p.length, 0, 0, g.balls, BALLS), BALLS);
	hz_race(play_one, &g, play_two, &g);
	for (i = 0; i < BALLS; i++) {
		freed = !zt_free1(p.a, g.balls[i]) + !zt_free1(p.b, g.balls[i]);
		EXPECT_TRUE(freed == 1 || freed == 2);
	}
	EXPECT_EQ(zt_used(p.a), 0);
}

static void *free_all(void *game)
{
	struct game *g = game;
	int i;

	for (i = 0; i < BALLS; i++)
		EXPECT_OK(zt_free1(g->fd[0], g->balls[i]));
	return NULL;
}

static void *share_all(void *game)
{
	struct game *g = game;
	int i, err;

	for (i = 0; i < BALLS; i++) {
		err = zt_share(g->fd[0], g->id[1], &g->balls[i], 1);
		if (err != 1)
			EXPECT_TRUE(err == -EPERM || err == -EBADSLT);
	}
	return NULL;
}

/* Shared in time, or too late: then it is free. */
EACH_KIND(shared_while_it_is_freed)
{
	struct pair p = pair_of(arg);
	struct game g = { .fd = { p.a, p.b } };
	__u64 keep;
	int i;

	g.id[1] = zt_session(p.b);
	ASSERT_EQ(zt_alloc(p.a, p.length, 0, 0, g.balls, BALLS), BALLS);
	ASSERT_OK(zt_alloc1(p.a, p.length, &keep));
	hz_race(free_all, &g, share_all, &g);
	for (i = 0; i < BALLS; i++)
		zt_free1(p.b, g.balls[i]);
	EXPECT_OK(zt_free1(p.a, keep));
	EXPECT_EQ(zt_used(p.a), 0);
}

/* What it had of them comes back, and each is the other one's alone. */
TEST(shared_with_the_dying)
{
	static struct pass_end e = { .call = zt_share };
	__u64 h[1024];
	int i;

	pass_end_init(&e, 16 * ZT_MIB);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(zt_alloc(e.dying, ZT_PAGE, 0, 0, h, 1024), 1024);
		ASSERT_EQ(zt_share(e.dying, zt_session(e.fd), h, 1024), 1024);
		ASSERT_EQ(zt_free(e.fd, h, 1024), 1024);
	}
	pass_to_the_dying(&e);
	EXPECT_TRUE(HZ_UNTIL(sessions_of(e.fd) == 1));
	for (i = 0; i < PASS_GIFTS; i++) {
		EXPECT_EQ(holders_of(e.fd, e.gifts[i]), 1);
		EXPECT_OK(zt_free1(e.fd, e.gifts[i]));
	}
	EXPECT_EQ(zt_used(e.fd), 0);
}

/* ------------------------------------------------------------------- limits */

/* As many as are within the limit, and again when they were given back. */
static int share_to_the_limit(int a, int b, const __u64 *handles, int n)
{
	__u64 id = zt_session(b);
	int done = 0, err;

	do {
		err = zt_share(a, id, handles + done,
			       n - done < 1024 ? n - done : 1024);
		if (err > 0)
			done += err;
	} while (err > 0 && done < n);
	EXPECT_ERR(err, ENOMEM);
	return done;
}

static void free_shared(int fd, const __u64 *handles, int n)
{
	int done;

	for (; n > 0; handles += done, n -= done) {
		done = zt_free(fd, handles, n < 1024 ? n : 1024);
		ASSERT_GT(done, 0);
	}
}

#define OBJECTS	16384

/* A limit of 3 MiB leaves one for what the kernel has to know. */
static void at_the_users_limit(void)
{
	static __u64 h[OBJECTS];
	struct pair p;
	int i, n, again;

	ASSERT_OK(zt_become(ZT_USER, ZT_GROUP));
	p = pair_of(&kind_tiers);
	for (i = 0; i < OBJECTS; i += 1024)
		ASSERT_EQ(zt_alloc(p.a, 16, 0, 0, h + i, 1024), 1024);
	n = share_to_the_limit(p.a, p.b, h, OBJECTS);
	EXPECT_GT(n, 1024);
	EXPECT_EQ(holders_of(p.a, h[n]), 1);
	free_shared(p.b, h, n);
	again = share_to_the_limit(p.a, p.b, h, OBJECTS);
	EXPECT_GE(again, n);
	close(p.a);
	EXPECT_GT(zt_used(p.b), 0);
	free_shared(p.b, h, again);
	EXPECT_EQ(zt_used(p.b), 0);
	EXPECT_EQ(zt_charged(), ZT_ARENA);
}

/* Nobody can fill the kernel with them. */
TEST(shares_count_within_the_limit)
{
	long before = zt_parameter("user_limit_mb", 3);
	pid_t child;

	ASSERT_GE(before, 0);
	child = fork();
	if (!child) {
		at_the_users_limit();
		_exit(KTAP_PASS);
	}
	EXPECT_STATUS(child, KTAP_PASS);
	ASSERT_EQ(zt_parameter("user_limit_mb", before), 3);
}

KTAP_MAIN()

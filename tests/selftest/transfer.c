// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Buffers that one session gives to another: the second half of scenario 30, and
 * whose they are whoever dies first, on pools of each kind.
 */
#include "pass.h"

static void free_what_comes(int fd, struct zt_turns *t)
{
	__u64 h = read_number(t->to_child[0]);

	EXPECT_OK(zt_free1(fd, h));
	EXPECT_ERR(zt_free1(fd, h), EBADSLT);
}

/* Allocate in process A, hand to process B, free in B: counts restored. */
EACH_KIND(scenario_30_freed_elsewhere)
{
	struct pair p = pair_of(arg);
	struct zt_turns t;
	__u64 id, h;
	pid_t child = start_other(&p, &t, &id, free_what_comes);

	ASSERT_OK(zt_alloc1(p.a, p.length, &h));
	EXPECT_EQ(zt_transfer(p.a, id, &h, 1), 1);
	EXPECT_ERR(zt_free1(p.a, h), EPERM);
	send_number(t.to_child[1], h);
	EXPECT_STATUS(child, 0);
	EXPECT_EQ(zt_used(p.a), 0);
}

/* The bytes are the same ones, and whoever has it may read where it is. */
EACH_KIND(it_stays_where_it_is)
{
	struct pair p = pair_of(arg);
	struct zcbuf_buf_place place;
	__u64 h;
	char *map;

	map = zt_map(p.a, PROT_READ | PROT_WRITE, ZT_ARENA);
	ASSERT_NE(map, NULL);
	ASSERT_OK(zt_alloc1(p.a, p.length, &h));
	memset(map + zcbuf_buf_offset(h), 0x2b, p.length);
	ASSERT_OK(give1(p.a, p.b, h));
	EXPECT_FILLED(map + zcbuf_buf_offset(h), 0x2b, p.length);
	EXPECT_ERR(zt_buf_info(p.a, &h, &place, 1), EPERM);
	EXPECT_EQ(zt_buf_info(p.b, &h, &place, 1), 1);
	EXPECT_EQ(place.offset, zcbuf_buf_offset(h));
	ASSERT_OK(give1(p.b, p.a, h));
	EXPECT_OK(zt_free1(p.a, h));
	EXPECT_EQ(zt_used(p.a), 0);
}

EACH_KIND(the_giver_dies)
{
	struct pair p = pair_of(arg);
	__u64 h[3];

	ASSERT_EQ(zt_alloc(p.a, p.length, 0, 0, h, 3), 3);
	ASSERT_OK(give1(p.a, p.b, h[1]));
	close(p.a);
	EXPECT_GE(zt_used(p.b), p.length);
	EXPECT_LE(zt_used(p.b), ZT_PAGE);
	EXPECT_LT(zt_free1(p.b, h[0]), 0);
	EXPECT_LT(zt_free1(p.b, h[2]), 0);
	EXPECT_OK(zt_free1(p.b, h[1]));
	EXPECT_EQ(zt_used(p.b), 0);
}

/* However it dies. */
EACH_KIND(who_got_it_is_killed)
{
	struct pair p = pair_of(arg);
	struct zt_turns t;
	__u64 h[4], id;
	pid_t child = start_other(&p, &t, &id, stay);

	ASSERT_EQ(zt_alloc(p.a, p.length, 0, 0, h, 4), 4);
	ASSERT_EQ(zt_transfer(p.a, id, h, 3), 3);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	EXPECT_TRUE(HZ_UNTIL(zt_transfer(p.a, id, h + 3, 1) == -ENOENT));
	EXPECT_OK(zt_free1(p.a, h[3]));
	EXPECT_EQ(zt_used(p.a), 0);
}

TEST(whom_not_to_give_to)
{
	pass_refused(zt_transfer);
}

EACH_KIND(as_many_as_there_are)
{
	pass_in_order(zt_transfer, arg, false);
}

/* --------------------------------------------------------------- many at once */

#define BALLS	64
#define THROWS	(KTAP_TRIES(20) * BALLS)

/*
 * struct game - sessions that throw each other's buffers
 * @fd: the sessions
 * @id: of them
 * @balls: the buffers; each is somebody's
 * @thrown: how often one was
 */
struct game {
	int fd[2];
	__u64 id[2];
	__u64 balls[BALLS];
	unsigned int thrown;
};

static void *throw_all(void *arg)
{
	struct game *g = arg;
	int i, side, err;

	for (i = 0; i < THROWS; i++) {
		side = i / BALLS & 1;
		err = zt_transfer(g->fd[side], g->id[!side], &g->balls[i % BALLS], 1);
		if (err == 1)
			__atomic_fetch_add(&g->thrown, 1, __ATOMIC_RELAXED);
		else
			EXPECT_EQ(err, -EPERM);
	}
	return NULL;
}

EACH_KIND(two_throw_at_once)
{
	struct pair p = pair_of(arg);
	struct game g = { .fd = { p.a, p.b } };
	int i, freed = 0;

	g.id[0] = zt_session(p.a);
	g.id[1] = zt_session(p.b);
	ASSERT_EQ(zt_alloc(p.a, p.length, 0, 0, g.balls, BALLS), BALLS);
	hz_race(throw_all, &g, throw_all, &g);
	EXPECT_GE(g.thrown, BALLS);
	for (i = 0; i < BALLS; i++)
		freed += !zt_free1(p.a, g.balls[i]) + !zt_free1(p.b, g.balls[i]);
	EXPECT_EQ(freed, BALLS);
	EXPECT_EQ(zt_used(p.a), 0);
}

/* What it is given comes back, or it is not given. */
TEST(given_to_the_dying)
{
	static struct pass_end e = { .call = zt_transfer };
	__u64 h[1024];
	int i;

	pass_end_init(&e, 32 * ZT_MIB);
	for (i = 0; i < 7; i++)
		ASSERT_EQ(zt_alloc(e.dying, ZT_PAGE, 0, 0, h, 1024), 1024);
	pass_to_the_dying(&e);
	for (i = 0; i < PASS_GIFTS; i++)
		zt_free1(e.fd, e.gifts[i]);
	EXPECT_EQ(zt_used(e.fd), 0);
}

KTAP_MAIN()

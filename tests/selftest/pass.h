/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * TRANSFER and SHARE: what is the same of both, whichever it is that passes a
 * buffer on.
 */
#ifndef ZCBUF_SELFTEST_PASS_H
#define ZCBUF_SELFTEST_PASS_H

#include "pair.h"

/* zt_transfer() or zt_share() */
typedef int (*pass_call)(int fd, __u64 session, const __u64 *handles,
			 __u32 count);

static __inline__ int pass1(pass_call call, int from, int to, __u64 handle)
{
	int done = call(from, zt_session(to), &handle, 1);

	return done == 1 ? 0 : done;
}

static __inline__ int give1(int from, int to, __u64 handle)
{
	return pass1(zt_transfer, from, to, handle);
}

static __inline__ int share1(int from, int to, __u64 handle)
{
	return pass1(zt_share, from, to, handle);
}

/* Whom not to, by whom not, and what not. */
static __inline__ void pass_refused(pass_call call)
{
	struct pair p = pair_of(&kind_pages), other = pair_of(&kind_pages);
	int reader = zt_join(p.a, ZT_READ_ONLY);
	__u64 h, bad = zt_bad_frees(p.a);

	ASSERT_OK(zt_alloc1(p.a, 1, &h));
	EXPECT_ERR(call(p.a, 0, &h, 1), ENOENT);
	EXPECT_ERR(call(p.a, ~0ULL, &h, 1), ENOENT);
	EXPECT_ERR(pass1(call, p.a, other.a, h), ENOENT);
	EXPECT_ERR(pass1(call, p.a, zt_open(O_RDWR), h), ENOENT);
	EXPECT_ERR(pass1(call, p.a, p.a, h), EINVAL);
	EXPECT_ERR(pass1(call, p.a, reader, h), EPERM);
	EXPECT_ERR(pass1(call, reader, p.a, h), EPERM);
	EXPECT_ERR(pass1(call, p.b, p.a, h), EPERM);
	EXPECT_ERR(call(p.a, zt_session(p.b), &h, 0), EINVAL);
	EXPECT_ERR(call(p.a, zt_session(p.b), NULL, 1), EFAULT);
	EXPECT_EQ(holders_of(p.a, h), 1);
	EXPECT_EQ(zt_bad_frees(p.a), bad);
	EXPECT_OK(zt_free1(p.a, h));
	EXPECT_ERR(pass1(call, p.a, p.b, h), EBADSLT);
	EXPECT_EQ(zt_bad_frees(p.a), bad);
}

/*
 * In order, up to the first that is none of ours. @kept: of what was passed on,
 * the first one can free his part as well.
 */
static __inline__ void pass_in_order(pass_call call, const void *kind,
				     bool kept)
{
	struct pair p = pair_of(kind);
	__u64 h[4];

	ASSERT_EQ(zt_alloc(p.a, p.length, 0, 0, h, 4), 4);
	EXPECT_OK(zt_free1(p.a, h[2]));
	EXPECT_EQ(call(p.a, zt_session(p.b), h, 4), 2);
	EXPECT_ERR(call(p.a, zt_session(p.b), h + 2, 2), EBADSLT);
	EXPECT_EQ(zt_free(p.b, h, 2), 2);
	if (kept)
		EXPECT_EQ(zt_free(p.a, h, 2), 2);
	EXPECT_OK(zt_free1(p.a, h[3]));
	EXPECT_EQ(zt_used(p.a), 0);
}

/* ------------------------------------------------------ to those who are dying */

#define PASS_GIFTS	1024

/*
 * struct pass_end - a session that has much to give back, and one that passes it
 * more
 * @call: how
 * @dying: it
 * @id: of it
 * @fd: the other one
 * @gifts: what that has
 */
struct pass_end {
	pass_call call;
	int dying;
	__u64 id;
	int fd;
	__u64 gifts[PASS_GIFTS];
};

/* Of a pool of @arena_size bytes, with all the gifts. */
static __inline__ void pass_end_init(struct pass_end *e, __u64 arena_size)
{
	e->fd = zt_pool(ZCBUF_POOL_PAGES, 0, arena_size);
	ASSERT_GE(e->fd, 0);
	e->dying = zt_join(e->fd, 0);
	ASSERT_GE(e->dying, 0);
	e->id = zt_session(e->dying);
	ASSERT_EQ(zt_alloc(e->fd, ZT_PAGE, 0, 0, e->gifts, PASS_GIFTS),
		  PASS_GIFTS);
}

static __inline__ void *pass_end_die(void *arg)
{
	struct pass_end *e = arg;

	close(e->dying);
	return NULL;
}

static __inline__ void *pass_end_more(void *arg)
{
	struct pass_end *e = arg;
	int i, err;

	for (i = 0; i < PASS_GIFTS; i++) {
		err = e->call(e->fd, e->id, &e->gifts[i], 1);
		if (err != 1)
			EXPECT_EQ(err, -ENOENT);
	}
	return NULL;
}

static __inline__ void pass_to_the_dying(struct pass_end *e)
{
	hz_race(pass_end_die, e, pass_end_more, e);
}

#endif /* ZCBUF_SELFTEST_PASS_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the tests of buffers that go from one session to another share: sessions
 * of a pool of each kind, here and in another process.
 */
#ifndef ZCBUF_SELFTEST_PAIR_H
#define ZCBUF_SELFTEST_PAIR_H

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zcbuf/zcbuf.h>

#include "common.h"
#include "hostile.h"
#include "ktap.h"

static const __u32 kind_pages = ZCBUF_POOL_PAGES;
static const __u32 kind_tiers = ZCBUF_POOL_TIERS;
static const __u32 kind_fixed = ZCBUF_POOL_FIXED;

/* A test of pools of each kind. */
#define EACH_KIND(id)							\
	static void kinds_##id(const void *arg);			\
	TEST_WITH(kinds_##id, id##_pages, &kind_pages)			\
	TEST_WITH(kinds_##id, id##_slab, &kind_tiers)			\
	TEST_WITH(kinds_##id, id##_fixed, &kind_fixed)			\
	static void kinds_##id(const void *arg)

/*
 * struct pair - two sessions of one pool
 * @length: bytes that are a class of their own in it
 */
struct pair {
	int a;
	int b;
	__u64 length;
};

static __inline__ struct pair pair_of(const void *kind)
{
	__u32 k = *(const __u32 *)kind;
	struct pair p = { .length = k == ZCBUF_POOL_TIERS ? 64 : 4096 };

	p.a = zt_pool(k, 0, k == ZCBUF_POOL_FIXED ? 0 : ZT_ARENA);
	ASSERT_GE(p.a, 0);
	p.b = zt_join(p.a, 0);
	ASSERT_GE(p.b, 0);
	return p;
}

static __inline__ void send_number(int fd, __u64 number)
{
	ASSERT_EQ(write(fd, &number, sizeof(number)), (ssize_t)sizeof(number));
}

static __inline__ __u64 read_number(int fd)
{
	__u64 number = 0;

	ASSERT_EQ(read(fd, &number, sizeof(number)), (ssize_t)sizeof(number));
	return number;
}

/* A process with a session of the pool, whose id is set, and what it does then. */
static __inline__ pid_t start_other(const struct pair *p, struct zt_turns *t,
				    __u64 *id,
				    void (*then)(int fd, struct zt_turns *t))
{
	pid_t child;

	ASSERT_OK(zt_turns_init(t));
	child = fork();
	if (!child) {
		int fd;

		zt_turns_child(t);
		fd = zt_join(p->a, 0);
		close(p->a);
		close(p->b);
		send_number(t->to_parent[1], zt_session(fd));
		then(fd, t);
		_exit(0);
	}
	ASSERT_GT(child, 0);
	zt_turns_parent(t);
	*id = read_number(t->to_parent[0]);
	ASSERT_NE(*id, 0);
	return child;
}

/* Do nothing until it is killed. */
static __inline__ void stay(int fd, struct zt_turns *t)
{
	(void)fd;
	(void)t;
	ktap_stay();
}

/* Does @fd, by itself, have the buffer? How many have it, or -errno. */
static __inline__ int holders_of(int fd, __u64 handle)
{
	struct zcbuf_buf_place place;
	int n = zt_buf_info(fd, &handle, &place, 1);

	return n == 1 ? (int)place.holders : n;
}

#endif /* ZCBUF_SELFTEST_PAIR_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the tests of IMMUTABLE channels share: a pool with one who writes and one who
 * reads, and touches that may fault.
 */
#ifndef ZCBUF_SELFTEST_IMMUTABLE_H
#define ZCBUF_SELFTEST_IMMUTABLE_H

#include <setjmp.h>
#include <signal.h>

#include "dump.h"
#include "topic.h"

#define IM_ARENA	(8 * ZT_MIB)
#define IM_HUGE		(2 * ZT_MIB)

static const __u32 im_huge;
static const __u32 im_small = ZCBUF_POOL_F_SMALL_PAGES;

/* A test with huge pages, if there are any, and with small ones. */
#define EACH_PAGE(id)							\
	static void pages_##id(const void *arg);			\
	TEST_WITH(pages_##id, id##_huge, &im_huge)			\
	TEST_WITH(pages_##id, id##_small, &im_small)			\
	static void pages_##id(const void *arg)

/*
 * struct im - see above
 * @w: a session that may write
 * @r: one that may not
 * @channel: of @w, which produces; @r consumes
 * @wmap: all of the pool, as @w sees it
 * @rmap: as @r does
 * @unit: bytes that can be made immutable for themselves
 */
struct im {
	int w;
	int r;
	__u64 channel;
	volatile char *wmap;
	const volatile char *rmap;
	__u64 unit;
};

static __inline__ struct im im_pool(const void *flags)
{
	struct im m = { .unit = IM_HUGE };

	if (*(const __u32 *)flags & ZCBUF_POOL_F_SMALL_PAGES)
		m.unit = ZT_PAGE;
	m.w = zt_pool(ZCBUF_POOL_PAGES, *(const __u32 *)flags, IM_ARENA);
	ASSERT_GE(m.w, 0);
	m.r = zt_join(m.w, ZT_READ_ONLY);
	ASSERT_GE(m.r, 0);
	m.wmap = zt_map(m.w, PROT_READ | PROT_WRITE, IM_ARENA);
	ASSERT_NE(m.wmap, NULL);
	m.rmap = zt_map(m.r, PROT_READ, IM_ARENA);
	ASSERT_NE(m.rmap, NULL);
	return m;
}

/* Groups of one reservation each; @flags: more than IMMUTABLE, or without it. */
static __inline__ void im_channel(struct im *m, __u32 flags)
{
	struct zcbuf_channel_open a = {
		.flags = flags | ZCBUF_CHANNEL_F_THRESHOLD, .align = 1,
		.max_reservation = ZT_PAGE, .ports = ZCBUF_PORT_PRODUCE,
	};

	ASSERT_OK(zt_channel_open(m->w, &a));
	m->channel = a.out_channel;
	if (flags & ZCBUF_CHANNEL_F_IMMUTABLE)
		EXPECT_EQ(a.out_block, m->unit);
	ASSERT_OK(zt_ports(m->r, m->channel, ZCBUF_PORT_CONSUME));
}

static __inline__ struct im im_open(const void *pages)
{
	struct im m = im_pool(pages);

	im_channel(&m, ZCBUF_CHANNEL_F_IMMUTABLE);
	return m;
}

static __inline__ void im_close(struct im *m)
{
	munmap((void *)m->wmap, IM_ARENA);
	munmap((void *)m->rmap, IM_ARENA);
	close(m->w);
	close(m->r);
}

/* A reservation full of @byte, and not committed. */
static __inline__ struct zcbuf_reservation im_write(struct im *m, int byte)
{
	struct zcbuf_reservation v;

	ASSERT_OK(zt_reserve1(m->w, m->channel, ZT_PAGE, &v));
	memset((char *)m->wmap + v.out_pool_offset, byte, ZT_PAGE);
	return v;
}

static __inline__ struct zcbuf_reservation im_send(struct im *m, int byte)
{
	struct zcbuf_reservation v = im_write(m, byte);

	ASSERT_OK(zt_commit1(m->w, m->channel, &v));
	return v;
}

/* As soon as there is something. */
static __inline__ struct zcbuf_delivery im_receive(const struct im *m)
{
	struct zcbuf_delivery d = {};

	ASSERT_EQ(zt_receive(m->r, m->channel, &d, 1, ZCBUF_NO_DEADLINE), 1);
	return d;
}

static __inline__ void im_release(const struct im *m,
				  const struct zcbuf_delivery *d)
{
	ASSERT_OK(zt_release1(m->r, m->channel, d->handle));
}

static __inline__ bool im_reads(const struct im *m,
				const struct zcbuf_delivery *d, int byte)
{
	const volatile char *p = m->rmap + d->extents[0].pool_offset;
	__u64 i;

	for (i = 0; i < d->extents[0].length; i++)
		if (p[i] != (char)byte)
			return false;
	return true;
}

/* How many groups wait until nobody can write to them. */
static __inline__ __u64 im_waiting(const struct im *m)
{
	__u64 waiting = ~0ULL, pool = pool_of(m->w);
	const struct nlmsghdr *n;
	struct dump d;

	dump_begin(&d, ZCBUF_CMD_CHANNEL_GET);
	while ((n = dump_next(&d, sizeof(d.buf))))
		if (nl_number(n, ZCBUF_A_CHANNEL_POOL) == pool &&
		    nl_number(n, ZCBUF_A_CHANNEL_HANDLE) == m->channel)
			waiting = nl_number(n, ZCBUF_A_CHANNEL_FREEZING);
	dump_end(&d);
	return waiting;
}

/* ----------------------------------------------------------------- touches */

static __thread sigjmp_buf im_back;

static __inline__ void im_caught(int sig)
{
	(void)sig;
	siglongjmp(im_back, 1);
}

static __inline__ void im_catch(void)
{
	struct sigaction sa = { .sa_handler = im_caught,
				.sa_flags = SA_NODEFER };

	ASSERT_OK(sigaction(SIGBUS, &sa, NULL));
}

static __inline__ bool im_load_faults(const volatile char *p)
{
	im_catch();
	if (sigsetjmp(im_back, 0))
		return true;
	(void)*p;
	return false;
}

static __inline__ bool im_store_faults(volatile char *p, int byte)
{
	im_catch();
	if (sigsetjmp(im_back, 0))
		return true;
	*p = byte;
	return false;
}

/* --------------------------------------------------------- who holds a page */

/* A pipe that has the page at @p: nobody's mapping, and as good as a pin. */
struct im_grip {
	int pipe[2];
};

static __inline__ struct im_grip im_grip(volatile char *p)
{
	struct iovec iov = { .iov_base = (void *)p, .iov_len = 1 };
	struct im_grip g;

	ASSERT_OK(pipe2(g.pipe, O_CLOEXEC));
	ASSERT_EQ(vmsplice(g.pipe[1], &iov, 1, 0), 1);
	return g;
}

static __inline__ void im_let_go(struct im_grip *g)
{
	close(g->pipe[0]);
	close(g->pipe[1]);
}

#endif /* ZCBUF_SELFTEST_IMMUTABLE_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A dump of the netlink family, message by message, in pieces as small as a test
 * likes.
 */
#ifndef ZCBUF_SELFTEST_DUMP_H
#define ZCBUF_SELFTEST_DUMP_H

#include <unistd.h>

#include "genl.h"
#include "ktap.h"

/* The kernel answers in pieces as large as the largest read there ever was. */
#define PIECE		4096

/* A socket in the middle of a dump. */
struct dump {
	int sk;
	char buf[32768];
	ssize_t len;			/* of the piece in @buf */
	const struct nlmsghdr *at;	/* in it; NULL: read on */
	int done;
};

static __inline__ void dump_begin_on(struct dump *d, int sk, int cmd)
{
	struct request r;
	int family;

	d->sk = sk;
	d->at = NULL;
	d->done = 0;
	ASSERT_GE(d->sk, 0);
	family = nl_family(d->sk);
	ASSERT_GT(family, 0);
	r = nl_request(family, cmd, NLM_F_DUMP);
	ASSERT_OK(nl_send(d->sk, &r));
}

static __inline__ void dump_begin(struct dump *d, int cmd)
{
	dump_begin_on(d, nl_socket(), cmd);
}

/* The next object, reading on in pieces of @piece; NULL at the end. */
static __inline__ const struct nlmsghdr *dump_next(struct dump *d, size_t piece)
{
	const struct nlmsghdr *n = d->at;

	while (!n || !NLMSG_OK(n, d->len)) {
		if (d->done)
			return NULL;
		d->len = recv(d->sk, d->buf, piece, MSG_TRUNC);
		ASSERT_GT(d->len, 0);
		ASSERT_LE(d->len, piece);
		n = (void *)d->buf;
	}
	d->at = NLMSG_NEXT(n, d->len);
	EXPECT_FALSE(n->nlmsg_flags & NLM_F_DUMP_INTR);
	ASSERT_NE(n->nlmsg_type, NLMSG_ERROR);
	if (n->nlmsg_type == NLMSG_DONE) {
		d->done = 1;
		return NULL;
	}
	EXPECT_TRUE(n->nlmsg_flags & NLM_F_MULTI);
	return n;
}

static __inline__ void dump_end(struct dump *d)
{
	while (dump_next(d, sizeof(d->buf)))
		;
	close(d->sk);
}

/* How often a dump on @sk shows the number @value as @attr. */
static __inline__ int times_seen_on(int sk, int cmd, int attr, __u64 value)
{
	const struct nlmsghdr *n;
	struct dump d;
	int seen = 0;

	dump_begin_on(&d, sk, cmd);
	while ((n = dump_next(&d, sizeof(d.buf))))
		seen += nl_number(n, attr) == value;
	return seen;
}

static __inline__ int times_seen(int cmd, int attr, __u64 value)
{
	int sk = nl_socket(), seen = times_seen_on(sk, cmd, attr, value);

	close(sk);
	return seen;
}

static __inline__ __u64 pool_of(int fd)
{
	struct zcbuf_query q;

	ASSERT_OK(zt_query(fd, &q));
	return q.out_pool;
}

static __inline__ void is_number(const struct nlmsghdr *n, int attr, int size)
{
	int len = -1;

	if (!nl_find(n, attr, &len))
		TEST_LOG("attribute %d is missing", attr);
	EXPECT_EQ(len, size);
}

#endif /* ZCBUF_SELFTEST_DUMP_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A listener to the events of the netlink family, who hears those of one pool.
 */
#ifndef ZCBUF_SELFTEST_LISTEN_H
#define ZCBUF_SELFTEST_LISTEN_H

#include <unistd.h>

#include "genl.h"
#include "ktap.h"

#define LISTEN_ROOM	4096	/* more than any event */

struct listener {
	int sk;
	__u64 pool;
	__u64 lost;			/* as the last event said */
	int overruns;			/* how often recv() said ENOBUFS */
	char buf[LISTEN_ROOM] __attribute__((aligned(NLMSG_ALIGNTO)));
};

/* In a nest of nests: the number of the one that has this name, or -ENOENT. */
static __inline__ int listen_number_of(const void *nest, int len,
				       const char *name)
{
	const char *end = (const char *)nest + len, *group_end;
	const struct nlattr *group, *a;
	int is, number = 0;

	for (group = nl_attr(nest, end); group;
	     group = nl_attr_next(group, end)) {
		group_end = (const char *)group + group->nla_len;
		is = 0;
		for (a = nl_attr(nl_attr_data(group), group_end); a;
		     a = nl_attr_next(a, group_end))
			if (nl_attr_type(a) == CTRL_ATTR_MCAST_GRP_NAME)
				is = !strcmp(nl_attr_data(a), name);
			else
				memcpy(&number, nl_attr_data(a),
				       sizeof(number));
		if (is)
			return number;
	}
	return -ENOENT;
}

/* The number of the group "events" in this network namespace, or -errno. */
static __inline__ int listen_group(int sk)
{
	char buf[NL_ANSWER] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *n = (void *)buf;
	const void *groups;
	int len = 0, err = nl_ask_family(sk, n, sizeof(buf));

	if (err)
		return err;
	groups = nl_find(n, CTRL_ATTR_MCAST_GROUPS, &len);
	return groups ? listen_number_of(groups, len,
					 ZCBUF_GENL_GROUP_EVENTS) : -EPROTO;
}

/* 0 or -errno */
static __inline__ int listen_join(int sk)
{
	int group = listen_group(sk);

	if (group < 0)
		return group;
	return setsockopt(sk, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
			  sizeof(group)) ? -errno : 0;
}

static __inline__ void listen_begin(struct listener *l, __u64 pool)
{
	l->sk = nl_socket();
	l->pool = pool;
	l->lost = 0;
	l->overruns = 0;
	ASSERT_GE(l->sk, 0);
	ASSERT_OK(listen_join(l->sk));
}

/*
 * The next event of the pool; NULL: there is none now (with MSG_DONTWAIT).
 * Pools of earlier tests may be about to end.
 */
static __inline__ const struct nlmsghdr *listen_next(struct listener *l,
						     int flags)
{
	const struct nlmsghdr *n = (void *)l->buf;
	const struct genlmsghdr *g = NLMSG_DATA(n);
	ssize_t len;

	for (;;) {
		len = recv(l->sk, l->buf, sizeof(l->buf), flags | MSG_TRUNC);
		if (len < 0 && errno == ENOBUFS) {
			l->overruns++;
			continue;
		}
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			break;
		ASSERT_LE(len, sizeof(l->buf));
		ASSERT_TRUE(NLMSG_OK(n, len));
		ASSERT_EQ(g->cmd, ZCBUF_CMD_EVENT);
		l->lost = nl_number(n, ZCBUF_A_EVENT_LOST);
		if (nl_number(n, ZCBUF_A_EVENT_POOL) == l->pool)
			return n;
	}
	ASSERT_EQ(errno, EAGAIN);
	return NULL;
}

/* The next event of the pool, which is @kind. */
static __inline__ const struct nlmsghdr *hear(struct listener *l, __u32 kind)
{
	const struct nlmsghdr *n = listen_next(l, 0);

	ASSERT_EQ(nl_number(n, ZCBUF_A_EVENT_KIND), kind);
	return n;
}

static __inline__ void hear_nothing(struct listener *l)
{
	const struct nlmsghdr *n = listen_next(l, MSG_DONTWAIT);

	EXPECT_TRUE(!n);
	if (n)
		TEST_LOG("heard an event of kind %llu",
			 nl_number(n, ZCBUF_A_EVENT_KIND));
}

#endif /* ZCBUF_SELFTEST_LISTEN_H */

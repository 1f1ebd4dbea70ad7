/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Generic netlink by hand: a request, and the attributes of an answer.
 */
#ifndef ZCBUF_SELFTEST_GENL_H
#define ZCBUF_SELFTEST_GENL_H

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>

#include "common.h"

/* Enough for any answer that is not a dump. */
#define NL_ANSWER	4096

struct request {
	struct nlmsghdr n;
	struct genlmsghdr g;
	char attrs[64];
};

static __inline__ int nl_socket(void)
{
	int sk = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);

	return sk < 0 ? -errno : sk;
}

static __inline__ void *nl_add(struct request *r, int type, const void *data,
			       size_t len)
{
	struct nlattr *a = (void *)((char *)r + NLMSG_ALIGN(r->n.nlmsg_len));

	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	memcpy((char *)a + NLA_HDRLEN, data, len);
	r->n.nlmsg_len = NLMSG_ALIGN(r->n.nlmsg_len) + NLA_ALIGN(a->nla_len);
	return a;
}

static __inline__ struct request nl_request(int family, int cmd, int flags)
{
	return (struct request){
		.n = {
			.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN),
			.nlmsg_type = family,
			.nlmsg_flags = NLM_F_REQUEST | flags,
		},
		.g = { .cmd = cmd, .version = ZCBUF_GENL_VERSION },
	};
}

static __inline__ int nl_send(int sk, const struct request *r)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	if (sendto(sk, r, r->n.nlmsg_len, 0, (void *)&kernel,
		   sizeof(kernel)) < 0)
		return -errno;
	return 0;
}

/* ------------------------------------------------------------- attributes */

/* From @a on, and before @end: the next attribute that is whole, or NULL. */
static __inline__ const struct nlattr *nl_attr(const void *a, const void *end)
{
	const struct nlattr *attr = a;

	if ((const char *)end - (const char *)a < NLA_HDRLEN ||
	    attr->nla_len < NLA_HDRLEN)
		return NULL;
	return (const char *)a + attr->nla_len <= (const char *)end ? attr :
								      NULL;
}

static __inline__ const struct nlattr *nl_attr_next(const struct nlattr *a,
						    const void *end)
{
	return nl_attr((const char *)a + NLA_ALIGN(a->nla_len), end);
}

static __inline__ const void *nl_attr_data(const struct nlattr *a)
{
	return (const char *)a + NLA_HDRLEN;
}

static __inline__ int nl_attr_type(const struct nlattr *a)
{
	return a->nla_type & NLA_TYPE_MASK;
}

/* The attributes of a message: from here to nl_end(). */
static __inline__ const struct nlattr *nl_attrs(const struct nlmsghdr *n)
{
	return nl_attr((const char *)n + NLMSG_LENGTH(GENL_HDRLEN),
		       (const char *)n + n->nlmsg_len);
}

static __inline__ const void *nl_end(const struct nlmsghdr *n)
{
	return (const char *)n + n->nlmsg_len;
}

static __inline__ const void *nl_find(const struct nlmsghdr *n, int type,
				      int *len)
{
	const struct nlattr *a;

	for (a = nl_attrs(n); a; a = nl_attr_next(a, nl_end(n))) {
		if (nl_attr_type(a) != type)
			continue;
		*len = a->nla_len - NLA_HDRLEN;
		return nl_attr_data(a);
	}
	return NULL;
}

/* A number of 32 or 64 bits; ~0 if it is not there. */
static __inline__ __u64 nl_number(const struct nlmsghdr *n, int type)
{
	__u64 wide = ~0ULL;
	__u32 narrow;
	const void *data;
	int len = 0;

	data = nl_find(n, type, &len);
	if (data && len == sizeof(wide)) {
		memcpy(&wide, data, sizeof(wide));
	} else if (data && len == sizeof(narrow)) {
		memcpy(&narrow, data, sizeof(narrow));
		wide = narrow;
	}
	return wide;
}

/* ---------------------------------------------------------------- answers */

/* The one message a request is answered by; 0, or its error. */
static __inline__ int nl_ask(int sk, const struct request *r,
			     struct nlmsghdr *n, size_t room)
{
	const struct nlmsgerr *e = NLMSG_DATA(n);
	int err = nl_send(sk, r);
	ssize_t len;

	if (err)
		return err;
	len = recv(sk, n, room, 0);
	if (len < 0)
		return -errno;
	if (!NLMSG_OK(n, len))
		return -EPROTO;
	return n->nlmsg_type == NLMSG_ERROR ? e->error : 0;
}

/* What there is to know of our family. */
static __inline__ int nl_ask_family(int sk, struct nlmsghdr *n, size_t room)
{
	struct request r = nl_request(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);

	nl_add(&r, CTRL_ATTR_FAMILY_NAME, ZCBUF_GENL_NAME,
	       sizeof(ZCBUF_GENL_NAME));
	return nl_ask(sk, &r, n, room);
}

/* Its number in this network namespace, or -errno. */
static __inline__ int nl_family(int sk)
{
	char buf[NL_ANSWER] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *n = (void *)buf;
	int err, len = 0;
	const void *id;
	__u16 number;

	err = nl_ask_family(sk, n, sizeof(buf));
	if (err)
		return err;
	id = nl_find(n, CTRL_ATTR_FAMILY_ID, &len);
	if (!id || len != sizeof(number))
		return -EPROTO;
	memcpy(&number, id, sizeof(number));
	return number;
}

#endif /* ZCBUF_SELFTEST_GENL_H */

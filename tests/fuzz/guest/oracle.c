// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What tells good from bad: the kernel's log, and what is left when a program
 * has ended. Nothing is, once what ends in the background has ended; time is no
 * criterion, only a reason to stop waiting.
 */
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "oracle.h"

#define PATIENCE_NS	20000000000ULL

static int kmsg = -1, kmsg_out = -1, refcount = -1, session = -1, nl = -1;
static __u16 family;
static long base_refs;
static regex_t splats;
static char finding[300];

/* ---------------------------------------------------------- the kernel's log */

/* kf_log() - a line on the kernel's console, where it survives */
void kf_log(const char *fmt, ...)
{
	char line[300] = "<4>kfuzz: ";
	size_t n = strlen(line);
	va_list args;

	va_start(args, fmt);
	vsnprintf(line + n, sizeof(line) - n, fmt, args);
	va_end(args);
	if (kmsg_out >= 0 && write(kmsg_out, line, strlen(line)) < 0)
		perror("kfuzz: /dev/kmsg");
}

/* The patterns of a file, one a line, as one expression. */
static int read_splats(const char *path)
{
	char line[200], all[4000] = "";
	FILE *f = fopen(path, "r");
	size_t n;

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		n = strlen(all);
		snprintf(all + n, sizeof(all) - n, "%s(%s)", n ? "|" : "", line);
	}
	fclose(f);
	return regcomp(&splats, all, REG_EXTENDED | REG_NOSUB) ? -EINVAL : 0;
}

static int open_log(const char *patterns)
{
	int fd = open("/proc/sys/kernel/printk_devkmsg", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (write(fd, "on\n", 3) < 0)
			perror("kfuzz: printk_devkmsg");
		close(fd);
	}
	kmsg_out = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kmsg < 0)
		return -errno;
	lseek(kmsg, 0, SEEK_END);
	return read_splats(patterns);
}

/* kf_check_log() - the first line of a complaint of the kernel, or NULL */
const char *kf_check_log(void)
{
	char record[2048], *text;
	ssize_t n;

	for (;;) {
		n = read(kmsg, record, sizeof(record) - 1);
		if (n < 0 && errno == EPIPE)
			continue;	/* some were overwritten */
		if (n <= 0)
			return NULL;
		record[n] = '\0';
		text = strchr(record, ';');
		if (!text || regexec(&splats, text, 0, NULL, 0))
			continue;
		text[strcspn(text, "\n")] = '\0';
		snprintf(finding, sizeof(finding), "kernel: %.250s", text + 1);
		return finding;
	}
}

/* ---------------------------------------------------------------- netlink */

struct request {
	struct nlmsghdr nl;
	struct genlmsghdr genl;
	struct nlattr attr;
	char name[8];
};

/* All that is answered is there when the request has been sent. */
static int nl_open(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
		      NETLINK_GENERIC);
}

static ssize_t nl_ask(int fd, __u16 type, __u8 cmd, __u16 flags, bool named)
{
	struct request r = {
		.nl.nlmsg_len = named ? sizeof(r) : NLMSG_HDRLEN + GENL_HDRLEN,
		.nl.nlmsg_type = type,
		.nl.nlmsg_flags = NLM_F_REQUEST | flags,
		.genl.cmd = cmd,
		.genl.version = 1,
		.attr.nla_len = NLA_HDRLEN + sizeof(ZCBUF_GENL_NAME),
		.attr.nla_type = CTRL_ATTR_FAMILY_NAME,
		.name = ZCBUF_GENL_NAME,
	};

	return send(fd, &r, r.nl.nlmsg_len, 0);
}

/* An attribute of @len bytes of attributes at @p, or NULL. */
static const void *find_attr(const void *p, int len, int type)
{
	const struct nlattr *a = p;

	while (len >= (int)sizeof(*a) && a->nla_len >= sizeof(*a) &&
	       a->nla_len <= len) {
		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return (const char *)a + NLA_HDRLEN;
		len -= NLA_ALIGN(a->nla_len);
		a = (const void *)((const char *)a + NLA_ALIGN(a->nla_len));
	}
	return NULL;
}

static __u64 attr_number(const void *p, int len, int type, size_t size)
{
	const void *at = find_attr(p, len, type);
	__u64 value = 0;

	if (at)
		memcpy(&value, at, size);
	return value;
}

static int find_family(void)
{
	char buf[4096];
	struct nlmsghdr *h = (struct nlmsghdr *)buf;
	ssize_t n;

	nl = nl_open();
	if (nl < 0 || nl_ask(nl, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0, true) < 0)
		return -errno;
	n = recv(nl, buf, sizeof(buf), 0);
	if (n < (ssize_t)sizeof(*h) || h->nlmsg_type != GENL_ID_CTRL)
		return -ENOENT;
	family = attr_number(buf + NLMSG_HDRLEN + GENL_HDRLEN,
			     h->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN,
			     CTRL_ATTR_FAMILY_ID, 2);
	return family ? 0 : -ENOENT;
}

/* What a pool has, all pools together. */
struct left {
	unsigned int pools;
	unsigned int sessions;
	unsigned int channels;
	unsigned int mappings;
	unsigned int zombies;
	__u64 used;
	__u64 objects;
};

static __u64 count_objects(const char *p, int len)
{
	const struct nlattr *a = (const struct nlattr *)p;
	__u64 n = 0;

	for (; len >= (int)sizeof(*a) && a->nla_len >= sizeof(*a);
	     len -= NLA_ALIGN(a->nla_len), p += NLA_ALIGN(a->nla_len)) {
		a = (const struct nlattr *)p;
		if ((a->nla_type & NLA_TYPE_MASK) == ZCBUF_A_POOL_CLASS)
			n += attr_number(p + NLA_HDRLEN, a->nla_len - NLA_HDRLEN,
					 ZCBUF_A_CLASS_USED, 4);
	}
	return n;
}

/* A pool that would stay for ever; it is counted until it has gone. */
static void remove_pool(const char *p, int len)
{
	struct zcbuf_pool_remove a = {
		.size = sizeof(a),
		.pool = attr_number(p, len, ZCBUF_A_POOL_HANDLE, 8),
	};

	if (attr_number(p, len, ZCBUF_A_POOL_FLAGS, 4) &
	    ZCBUF_POOL_F_PERSISTENT)
		ioctl(session, ZCBUF_IOC_POOL_REMOVE, &a);
}

static void add_pool(struct left *left, const struct nlmsghdr *h)
{
	const char *p = (const char *)h + NLMSG_HDRLEN + GENL_HDRLEN;
	int len = h->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN;

	remove_pool(p, len);
	left->pools++;
	left->sessions += attr_number(p, len, ZCBUF_A_POOL_SESSIONS, 4);
	left->channels += attr_number(p, len, ZCBUF_A_POOL_CHANNELS, 4);
	left->mappings += attr_number(p, len, ZCBUF_A_POOL_MAPPINGS, 4);
	left->used += attr_number(p, len, ZCBUF_A_POOL_USED, 8);
	left->zombies += !!find_attr(p, len, ZCBUF_A_POOL_ZOMBIE);
	left->objects += count_objects(p, len);
}

/* Returns false after the last message. */
static bool add_pools(struct left *left, char *buf, ssize_t n)
{
	struct nlmsghdr *h = (struct nlmsghdr *)buf;

	for (; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
		if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
			return false;
		if (h->nlmsg_type == family)
			add_pool(left, h);
	}
	return true;
}

static bool look(struct left *left)
{
	static char buf[32768];
	ssize_t n;

	memset(left, 0, sizeof(*left));
	if (nl_ask(nl, family, ZCBUF_CMD_POOL_GET, NLM_F_DUMP, false) < 0)
		return false;
	do {
		n = recv(nl, buf, sizeof(buf), 0);
		if (n <= 0)
			return false;
	} while (add_pools(left, buf, n));
	return true;
}

/*
 * kf_dump() - a dump of pools, sessions, channels or arenas, or none
 * @how: 1: with an attribute, which none has; 2: do not read to the end
 */
void kf_dump(unsigned int cmd, unsigned int how)
{
	char buf[4096];
	int fd = nl_open();
	ssize_t n = 1;

	if (fd < 0)
		return;
	nl_ask(fd, family, ZCBUF_CMD_POOL_GET + cmd % 5, NLM_F_DUMP, how == 1);
	while (n > 0) {
		n = recv(fd, buf, how == 3 ? 64 : sizeof(buf), 0);
		if (how == 2 || n < (ssize_t)sizeof(struct nlmsghdr) ||
		    ((struct nlmsghdr *)buf)->nlmsg_type != family)
			break;
	}
	close(fd);
}

void kf_run_dump(struct kf_lane *l)
{
	kf_enter(l);
	kf_dump(kf_sel(l, 0), kf_sel(l, 1));
	kf_leave(l, 0);
}

/* ------------------------------------------------------------- what is left */

static long references(void)
{
	char text[32] = "";

	if (pread(refcount, text, sizeof(text) - 1, 0) <= 0)
		return -1;
	return strtol(text, NULL, 10);
}

static __u64 charged(void)
{
	struct zcbuf_query q = { .size = sizeof(q) };

	if (ioctl(session, ZCBUF_IOC_QUERY, &q))
		return ~0ULL;
	return q.out_total_charged;
}

static const char *describe(const char *what, const struct left *left)
{
	snprintf(finding, sizeof(finding),
		 "%s: %u pools (%u zombies) with %u sessions, %u channels, "
		 "%u mappings, %llu bytes, %llu objects; %llu bytes charged, "
		 "module used %+ld", what, left->pools, left->zombies,
		 left->sessions, left->channels, left->mappings,
		 (unsigned long long)left->used,
		 (unsigned long long)left->objects,
		 (unsigned long long)charged(), references() - base_refs);
	return finding;
}

static void wait_a_little(unsigned int *tries)
{
	unsigned int n = (*tries)++;

	if (n < 4)
		usleep(0);
	else
		usleep(n < 20 ? 500 : 20000);
}

/*
 * kf_check_held() - the pools that are held have @holders sessions in all, and
 * nothing else; NULL if so
 */
const char *kf_check_held(unsigned int holders)
{
	__u64 end = kf_now() + PATIENCE_NS;
	unsigned int tries = 0;
	struct left left;

	do {
		if (!look(&left))
			return "the dump of pools failed";
		if (left.sessions <= holders && !left.channels &&
		    !left.mappings && !left.used && !left.objects)
			return NULL;
		wait_a_little(&tries);
	} while (kf_now() < end);
	return describe("a pool is not empty without users", &left);
}

/* kf_check_gone() - there is no pool and nobody uses the module; NULL if so */
const char *kf_check_gone(void)
{
	__u64 end = kf_now() + PATIENCE_NS;
	unsigned int tries = 0;
	struct left left;

	do {
		if (!look(&left))
			return "the dump of pools failed";
		if (!left.pools && !charged() && references() == base_refs)
			return NULL;
		wait_a_little(&tries);
	} while (kf_now() < end);
	return describe("left behind", &left);
}

/* kf_oracle_init() - before the first program; 0 or a negative errno */
int kf_oracle_init(const char *patterns)
{
	int err = open_log(patterns);

	if (err)
		return err;
	refcount = open("/sys/module/zcbuf/refcnt", O_RDONLY | O_CLOEXEC);
	session = open(ZCBUF_DEVICE, O_RDWR | O_CLOEXEC);
	if (refcount < 0 || session < 0)
		return -errno;
	err = find_family();
	base_refs = references();
	return err;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the tests of TOPIC channels share: pools of each kind, names, consumers
 * in sessions of their own, and messages, which are buffers with a number for
 * their user_tag.
 */
#ifndef ZCBUF_SELFTEST_TOPIC_H
#define ZCBUF_SELFTEST_TOPIC_H

#include "hostile.h"
#include "info.h"

#define TP_OBJECTS	64	/* of each class of a FIXED pool */

/*
 * struct tp_kind - a pool to try
 * @kind: ZCBUF_POOL_*
 * @flags: ZCBUF_POOL_F_*
 * @length: bytes that are a class of their own in it
 */
struct tp_kind {
	__u32 kind;
	__u32 flags;
	__u32 length;
};

static const struct tp_kind tp_pages = { ZCBUF_POOL_PAGES, 0, 4096 };
static const struct tp_kind tp_slab = { ZCBUF_POOL_TIERS, 0, 64 };
static const struct tp_kind tp_fixed = { ZCBUF_POOL_FIXED, 0, 8192 };
static const struct tp_kind tp_shared = { ZCBUF_POOL_FIXED,
					  ZCBUF_POOL_F_SHARED_PAGES, 128 };

/* A test of pools of each kind. */
#define EACH_POOL(id)							\
	static void pools_##id(const struct tp_kind *kind);		\
	static void pools_any_##id(const void *arg)			\
	{								\
		pools_##id(arg);					\
	}								\
	TEST_WITH(pools_any_##id, id##_pages, &tp_pages)		\
	TEST_WITH(pools_any_##id, id##_slab, &tp_slab)			\
	TEST_WITH(pools_any_##id, id##_fixed, &tp_fixed)		\
	TEST_WITH(pools_any_##id, id##_shared, &tp_shared)		\
	static void pools_##id(const struct tp_kind *kind)

/* ------------------------------------------------------------------- pools */

static __inline__ int tp_pool(const struct tp_kind *kind)
{
	const struct zcbuf_class table[] = {
		{ kind->length, TP_OBJECTS }, { 4 * 4096, TP_OBJECTS },
	};
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.kind = kind->kind, .flags = kind->flags,
		.arena_size = ZT_ARENA);
	int fd;

	if (kind->kind == ZCBUF_POOL_FIXED) {
		a.arena_size = 0;
		a.classes = zt_ptr(table);
		a.nclasses = 2;
	}
	fd = zt_pool_as(&a);
	ASSERT_GE(fd, 0);
	return fd;
}

static __inline__ int tp_join(int fd)
{
	int other = zt_join(fd, 0);

	ASSERT_GE(other, 0);
	return other;
}

/* Nothing is handed out, of no class, and it is in one piece. */
static __inline__ void tp_expect_free(int fd)
{
	struct zcbuf_class_info c[ZCBUF_MAX_CLASSES];
	struct zcbuf_pool_info info = zt_arg(struct zcbuf_pool_info,
		.classes = zt_ptr(c), .nclasses = ZCBUF_MAX_CLASSES,
		.entry_size = sizeof(*c));
	__u32 i;

	ASSERT_OK(zt_call(fd, ZCBUF_IOC_POOL_INFO, &info));
	EXPECT_EQ(info.out_used, 0);
	for (i = 0; i < info.nclasses; i++)
		EXPECT_EQ(c[i].used, 0);
	if (info.out_kind != ZCBUF_POOL_FIXED)
		EXPECT_EQ(info.out_largest_free, info.out_size);
	EXPECT_EQ(info.out_bad_frees, 0);
}

static __inline__ __u32 tp_channels(int fd)
{
	return zt_info(fd).out_channels;
}

/* ------------------------------------------------------------------- names */

static __inline__ __u8 tp_label(char *label, const char *from, size_t n)
{
	memcpy(label, from, n < ZCBUF_MAX_LABEL ? n : ZCBUF_MAX_LABEL);
	return n;
}

/* @path: "service/instance/event" */
static __inline__ struct zcbuf_channel_name tp_name(const char *domain,
						    const char *path)
{
	const char *instance = strchr(path, '/') + 1;
	const char *event = strchr(instance, '/') + 1;
	struct zcbuf_channel_name n = {};

	n.domain_len = tp_label(n.domain, domain, strlen(domain));
	n.service_len = tp_label(n.service, path, instance - path - 1);
	n.instance_len = tp_label(n.instance, instance, event - instance - 1);
	n.event_len = tp_label(n.event, event, strlen(event));
	return n;
}

/* @arg as it is, but for the name: 0 or -errno. */
static __inline__ int tp_open_in(int fd, const char *domain, const char *path,
				 struct zcbuf_channel_open *arg)
{
	struct zcbuf_channel_name n = tp_name(domain, path);
	int err;

	arg->name = zt_ptr(&n);
	err = zt_channel_open(fd, arg);
	arg->name = 0;
	return err;
}

static __inline__ int tp_open(int fd, const char *path,
			      struct zcbuf_channel_open *arg)
{
	return tp_open_in(fd, "", path, arg);
}

/* ---------------------------------------------------------- channels, ports */

/* Of a name, NULL: without one. */
static __inline__ __u64 tp_topic(int fd, const char *path,
				 struct zcbuf_channel_open a)
{
	a.flags |= ZCBUF_CHANNEL_F_TOPIC;
	if (!a.ports)
		a.ports = ZCBUF_PORT_PRODUCE;
	if (path)
		ASSERT_OK(tp_open(fd, path, &a));
	else
		ASSERT_OK(zt_channel_open(fd, &a));
	return a.out_channel;
}

#define TOPIC(fd, path, ...)						\
	tp_topic(fd, path, (struct zcbuf_channel_open){ __VA_ARGS__ })

static __inline__ int tp_ports(int fd, __u64 channel,
			       struct zcbuf_channel_open a)
{
	a.channel = channel;
	if (!a.ports)
		a.ports = ZCBUF_PORT_CONSUME;
	return zt_channel_open(fd, &a);
}

/* 0 or -errno. */
#define CONSUME(fd, channel, ...)					\
	tp_ports(fd, channel, (struct zcbuf_channel_open){ __VA_ARGS__ })

static __inline__ int tp_consumer(int pool, __u64 channel,
				  struct zcbuf_channel_open a)
{
	int fd = tp_join(pool);

	ASSERT_OK(tp_ports(fd, channel, a));
	return fd;
}

/* A session of its own. */
#define CONSUMER(pool, channel, ...)					\
	tp_consumer(pool, channel, (struct zcbuf_channel_open){ __VA_ARGS__ })

/* ---------------------------------------------------------------- messages */

static __inline__ __u64 tp_loan(int fd, __u64 length)
{
	__u64 handle;

	ASSERT_OK(zt_alloc1(fd, length, &handle));
	return handle;
}

/* One buffer by one call: 0 or -errno. */
static __inline__ int tp_publish_as(int fd, __u64 channel,
				    struct zcbuf_publication *p, __u32 flags,
				    __u64 deadline_ns)
{
	int done = zt_publish(fd, channel, p, 1, flags, deadline_ns);

	return done < 0 ? done : 0;
}

static __inline__ int tp_publish1(int fd, __u64 channel, __u64 handle)
{
	struct zcbuf_publication p = { .handle = handle };

	return tp_publish_as(fd, channel, &p, 0, 0);
}

/* A new buffer that is @tag; without room it is freed again. 0 or -errno. */
static __inline__ int tp_try(int fd, __u64 channel, __u64 length, __u64 tag,
			     struct zcbuf_publication *p)
{
	int err;

	*p = (struct zcbuf_publication){
		.handle = tp_loan(fd, length), .length = length,
		.user_tag = tag, .priority = p->priority,
		.out_seq = ~0ULL, .out_delivered = ~0U, .out_dropped = ~0U,
	};
	err = tp_publish_as(fd, channel, p, 0, 0);
	if (err)
		EXPECT_OK(zt_free1(fd, p->handle));
	return err;
}

static __inline__ int tp_send(int fd, __u64 channel, __u64 length, __u64 tag)
{
	struct zcbuf_publication p = {};

	return tp_try(fd, channel, length, tag, &p);
}

/* With the priority, and what is to become of it. */
static __inline__ void tp_put(int fd, __u64 channel, __u64 length, __u64 tag,
			      __u32 priority, __u32 delivered, __u32 dropped)
{
	struct zcbuf_publication p = { .priority = priority };

	ASSERT_OK(tp_try(fd, channel, length, tag, &p));
	EXPECT_EQ(p.out_delivered, delivered);
	EXPECT_EQ(p.out_dropped, dropped);
}

static __inline__ struct zcbuf_delivery tp_receive(int fd, __u64 channel)
{
	struct zcbuf_delivery d = {};

	ASSERT_EQ(zt_receive(fd, channel, &d, 1, 0), 1);
	return d;
}

/* The tag of the next one, which is released; or -errno. */
static __inline__ __s64 tp_take(int fd, __u64 channel)
{
	struct zcbuf_delivery d;
	int n = zt_receive(fd, channel, &d, 1, 0);

	if (n < 0)
		return n;
	EXPECT_OK(zt_release1(fd, channel, d.handle));
	return d.user_tag;
}

/* How many are there, all with the tags from @first on. */
static __inline__ int tp_take_all(int fd, __u64 channel, __u64 first)
{
	__s64 tag;
	int n = 0;

	while ((tag = tp_take(fd, channel)) >= 0)
		EXPECT_EQ(tag, first + n++);
	EXPECT_ERR(tag, EAGAIN);
	return n;
}

#endif /* ZCBUF_SELFTEST_TOPIC_H */

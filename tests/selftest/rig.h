/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A pool that has something of everything, in two sessions, so that any call
 * can succeed at once.
 */
#ifndef ZCBUF_SELFTEST_RIG_H
#define ZCBUF_SELFTEST_RIG_H

#include <sys/eventfd.h>

#include "hostile.h"

#define RIG_GROUP	4096	/* threshold of the channel, bytes */
#define RIG_CLASSES	2
#define RIG_ARENAS	64	/* the pool may have; it does not grow of itself */

/*
 * struct rig - see above
 * @name: of the pool
 * @fd: a session with all rights, all ports of @channel, and
 * @topic: a topic it consumes of, which has nothing for it
 * @buffers: a block of pages and a slab object
 * @held: deliveries it has received; two more wait for it
 * @pending: reservations of an open group
 *	and a failed group of two pieces and two lost reservations to receive
 * @other: a session of the same pool, by the id @other_id, with
 * @other_buffer: a buffer
 * @other_held: a delivery it has received; another one waits for it
 * @other_pending: a reservation of the open group
 * @fresh: a session attached to nothing
 * @efd: an eventfd
 * @map: all of the pool, as @fd sees it
 * @size: of it
 */
struct rig {
	char name[ZCBUF_MAX_NAME];
	int fd;
	int other;
	int fresh;
	int efd;
	__u64 channel;
	__u64 topic;
	__u64 buffers[2];
	__u64 held[2];
	struct zcbuf_reservation pending[4];
	__u64 other_id;
	__u64 other_buffer;
	__u64 other_held;
	struct zcbuf_reservation other_pending;
	char *map;
	size_t size;
};

static __inline__ void rig_pool(struct rig *r)
{
	struct zcbuf_class classes[RIG_CLASSES] = {
		{ .length = 64 }, { .length = 1024 },
	};
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.kind = ZCBUF_POOL_TIERS, .arena_size = ZT_ARENA,
		.max_size = RIG_ARENAS * ZT_ARENA,
		.classes = zt_ptr(classes), .nclasses = RIG_CLASSES);

	hz_name(r->name, sizeof(r->name), "rig");
	a.name = zt_ptr(r->name);
	a.name_len = strlen(r->name);
	r->fd = zt_open(O_RDWR);
	ASSERT_GE(r->fd, 0);
	ASSERT_OK(zt_call(r->fd, ZCBUF_IOC_POOL_CREATE, &a));
	r->size = a.out_size;
	r->map = zt_map(r->fd, PROT_READ | PROT_WRITE, r->size);
	ASSERT_NE(r->map, NULL);
	r->other = zt_join(r->fd, 0);
	ASSERT_GE(r->other, 0);
	r->other_id = zt_session(r->other);
	ASSERT_NE(r->other_id, 0);
	r->fresh = zt_open(O_RDWR);
	ASSERT_GE(r->fresh, 0);
	r->efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_GE(r->efd, 0);
}

static __inline__ void rig_buffers(struct rig *r)
{
	ASSERT_OK(zt_alloc1(r->fd, 8192, &r->buffers[0]));
	ASSERT_OK(zt_alloc1(r->fd, 64, &r->buffers[1]));
	ASSERT_OK(zt_alloc1(r->other, 4096, &r->other_buffer));
}

/* The other session's queue is full after one, so what follows is ours. */
static __inline__ void rig_deliveries(struct rig *r)
{
	struct zcbuf_delivery d[2];

	hz_put(r->fd, r->channel, RIG_GROUP);
	ASSERT_EQ(zt_receive(r->other, r->channel, d, 1, 0), 1);
	r->other_held = d[0].handle;
	hz_put(r->fd, r->channel, RIG_GROUP);
	ASSERT_OK(zt_ports(r->fd, r->channel, ZCBUF_PORT_CONSUME));
	hz_put(r->fd, r->channel, RIG_GROUP);
	hz_put(r->fd, r->channel, RIG_GROUP);
	ASSERT_EQ(zt_receive(r->fd, r->channel, d, 2, 0), 2);
	r->held[0] = d[0].handle;
	r->held[1] = d[1].handle;
	hz_put(r->fd, r->channel, RIG_GROUP);
	hz_put(r->fd, r->channel, RIG_GROUP);
}

static __inline__ void rig_failed(struct rig *r)
{
	struct zcbuf_reservation v[4];
	int i;

	for (i = 0; i < 4; i++)
		ASSERT_OK(zt_reserve1(r->fd, r->channel, RIG_GROUP / 4, &v[i]));
	ASSERT_OK(zt_abort1(r->fd, r->channel, &v[0]));
	ASSERT_OK(zt_commit1(r->fd, r->channel, &v[1]));
	ASSERT_OK(zt_abort1(r->fd, r->channel, &v[2]));
	ASSERT_OK(zt_commit1(r->fd, r->channel, &v[3]));
}

static __inline__ void rig_channel(struct rig *r)
{
	struct zcbuf_channel_open a = {
		.flags = ZCBUF_CHANNEL_F_THRESHOLD, .threshold = RIG_GROUP,
		.align = 1, .ports = ZCBUF_PORT_PRODUCE | ZCBUF_PORT_RECV_FAILED,
	};
	int i;

	ASSERT_OK(zt_channel_open(r->fd, &a));
	r->channel = a.out_channel;
	ASSERT_OK(hz_ports_depth(r->other, r->channel,
				 ZCBUF_PORT_PRODUCE | ZCBUF_PORT_CONSUME, 1));
	rig_deliveries(r);
	rig_failed(r);
	for (i = 0; i < 4; i++)
		ASSERT_OK(zt_reserve1(r->fd, r->channel, 512, &r->pending[i]));
	ASSERT_OK(zt_reserve1(r->other, r->channel, 512, &r->other_pending));
}

static __inline__ void rig_topic(struct rig *r)
{
	struct zcbuf_channel_open a = {
		.flags = ZCBUF_CHANNEL_F_TOPIC, .depth = 2, .max_held = 1,
		.ports = ZCBUF_PORT_CONSUME,
	};

	ASSERT_OK(zt_channel_open(r->fd, &a));
	r->topic = a.out_channel;
}

static __inline__ void rig_open(struct rig *r)
{
	memset(r, 0, sizeof(*r));
	rig_pool(r);
	rig_buffers(r);
	rig_channel(r);
	rig_topic(r);
}

static __inline__ void rig_close(struct rig *r)
{
	munmap(r->map, r->size);
	close(r->fd);
	close(r->other);
	close(r->fresh);
	close(r->efd);
}

#endif /* ZCBUF_SELFTEST_RIG_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A mapped queue, as the tests of QUEUE take from it: the consumer that the manual
 * describes, by the letter.
 */
#ifndef ZCBUF_SELFTEST_VIEW_H
#define ZCBUF_SELFTEST_VIEW_H

#include <sched.h>
#include <sys/mman.h>

#include "topic.h"

#define LANES_MAX	ZCBUF_MAX_LANES

/*
 * struct view - see above
 * @seen: by lane, what was looked at of its ring
 * @is_slow_until: if not NULL: lets the ring come round first, until that is true
 */
struct view {
	struct zcbuf_queue_head *head;
	struct zcbuf_queue_state *state;
	const __u64 *rings;
	const char *entries;
	size_t bytes;
	size_t state_bytes;
	__u64 seen[LANES_MAX];
	const bool *is_slow_until;
};

static __inline__ int view_fd(int fd, __u64 channel, struct zcbuf_queue *a)
{
	*a = zt_arg(struct zcbuf_queue, .channel = channel);
	return zt_call(fd, ZCBUF_IOC_QUEUE, a);
}

static __inline__ struct view view_map(int qfd, const struct zcbuf_queue *a)
{
	struct view v = { .bytes = a->out_bytes,
			  .state_bytes = a->out_state_bytes };

	v.head = mmap(NULL, v.bytes, PROT_READ, MAP_SHARED, qfd, 0);
	ASSERT_TRUE(v.head != MAP_FAILED);
	v.state = mmap(NULL, v.state_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		       qfd, v.bytes);
	ASSERT_TRUE(v.state != MAP_FAILED);
	v.rings = (const void *)((char *)v.head + v.head->ring_offset);
	v.entries = (char *)v.head + v.head->entries_offset;
	return v;
}

static __inline__ struct view view_open(int fd, __u64 channel)
{
	struct zcbuf_queue a;
	struct view v;

	ASSERT_OK(view_fd(fd, channel, &a));
	v = view_map(a.out_fd, &a);
	close(a.out_fd);
	EXPECT_EQ(v.head->magic, ZCBUF_QUEUE_MAGIC);
	EXPECT_EQ(v.head->version, ZCBUF_QUEUE_VERSION);
	return v;
}

static __inline__ void view_close(struct view *v)
{
	munmap(v->head, v->bytes);
	munmap(v->state, v->state_bytes);
}

static __inline__ bool view_claim(struct view *v, __u64 handle)
{
	__u32 ready = zcbuf_slot_ready(handle);

	return __atomic_compare_exchange_n(zcbuf_slot_word(v->state, handle),
					   &ready, zcbuf_slot_taken(handle),
					   false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

/* Until the ring has come round over what he is about to look at. */
static __inline__ void view_dawdle(const struct view *v, __u32 lane)
{
	const __u64 *tail = &v->head->tail[lane];
	const bool *until = v->is_slow_until;

	while (until && !__atomic_load_n(until, __ATOMIC_ACQUIRE) &&
	       __atomic_load_n(tail, __ATOMIC_ACQUIRE) - v->seen[lane] <=
		       v->head->ring)
		sched_yield();
}

/* The next handle of a lane, 0: there is none. */
static __inline__ __u64 view_next(struct view *v, __u32 lane)
{
	const __u64 *ring = v->rings + (size_t)lane * v->head->ring;
	__u64 begun, handle, *seen = &v->seen[lane];

	while (__atomic_load_n(&v->head->tail[lane], __ATOMIC_ACQUIRE) !=
	       *seen) {
		view_dawdle(v, lane);
		handle = __atomic_load_n(&ring[*seen & (v->head->ring - 1)],
					 __ATOMIC_ACQUIRE);
		begun = __atomic_load_n(&v->head->begun[lane],
					__ATOMIC_RELAXED);
		if (begun - *seen <= v->head->ring) {
			++*seen;
			return handle;
		}
		*seen = begun - v->head->ring;
	}
	return 0;
}

static __inline__ const struct zcbuf_delivery *view_take_lane(struct view *v, __u32 lane)
{
	__u64 handle;

	while ((handle = view_next(v, lane)))
		if (view_claim(v, handle))
			return (const void *)(v->entries +
					      (size_t)zcbuf_slot(handle) *
					      v->head->entry_size);
	return NULL;
}

static __inline__ const struct zcbuf_delivery *view_take(struct view *v)
{
	const struct zcbuf_delivery *d = NULL;
	__u32 lane = v->head->lanes;

	while (lane-- && !d)
		d = view_take_lane(v, lane);
	return d;
}

static __inline__ int view_sync(int fd, __u64 channel)
{
	struct zcbuf_queue a = zt_arg(struct zcbuf_queue,
		.flags = ZCBUF_QUEUE_F_SYNC, .channel = channel);

	return zt_call(fd, ZCBUF_IOC_QUEUE, &a);
}

/* The tag of the next one, or -1. */
static __inline__ __s64 view_tag(struct view *v, int fd, __u64 channel)
{
	const struct zcbuf_delivery *d = view_take(v);
	__s64 tag;

	if (!d)
		return -1;
	tag = d->user_tag;
	EXPECT_OK(zt_release1(fd, channel, d->handle));
	return tag;
}

#endif /* ZCBUF_SELFTEST_VIEW_H */

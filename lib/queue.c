// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * A consumer's queue, as the kernel shows it: messages are taken by a compare-and-
 * exchange, without a system call. What the queue is and how it is read the uapi
 * header says, at struct zcbuf_queue_head. RECEIVE takes from the same queue, so what
 * cannot be done here (waiting, the last word on an end or a limit) is left to it.
 *
 * The other side writes at any time: each load that decides is atomic.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "queue.h"

static bool queue_map(struct zcb_queue *queue, const struct zcbuf_queue *arg)
{
	queue->bytes = arg->out_bytes;
	queue->state_bytes = arg->out_state_bytes;
	queue->head = zcb_map_part(arg->out_fd, queue->bytes, PROT_READ, 0);
	if (!queue->head)
		return false;
	queue->state = zcb_map_part(arg->out_fd, queue->state_bytes,
				    PROT_READ | PROT_WRITE, queue->bytes);
	return queue->state && queue->head->magic == ZCBUF_QUEUE_MAGIC &&
	       queue->head->version == ZCBUF_QUEUE_VERSION;
}

/* Nothing of it is needed: RECEIVE does as well. No child gets the descriptor. */
void zcb_queue_open(struct zcb_queue *queue, const struct zcbuf_channel *channel)
{
	struct zcbuf_queue arg = {
		.size = sizeof(arg), .channel = channel->handle,
	};
	int err;

	memset(queue, 0, sizeof(*queue));
	pthread_mutex_init(&queue->lock, NULL);
	queue->pid = getpid();
	queue->channel = channel;
	zcb_session_lock();
	err = zcb_call(channel->pool->session.fd, ZCBUF_NR_QUEUE, &arg);
	if (!err) {
		queue->shown = queue_map(queue, &arg);
		close(arg.out_fd);
	}
	zcb_session_unlock();
	if (!queue->shown)
		zcb_log(channel->pool, err, "a queue is not mapped: each receive is a system call");
}

void zcb_queue_close(struct zcb_queue *queue)
{
	/* A fork child has no mapping; something else may be there now. */
	if (queue->pid != getpid())
		return;
	if (queue->state)
		munmap(queue->state, queue->state_bytes);
	if (queue->head)
		munmap(queue->head, queue->bytes);
	pthread_mutex_destroy(&queue->lock);
}

static bool claim(struct zcb_queue *queue, __u64 handle)
{
	__u32 ready = zcbuf_slot_ready(handle);

	return __atomic_compare_exchange_n(zcbuf_slot_word(queue->state, handle),
					   &ready, zcbuf_slot_taken(handle),
					   false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

/*
 * The next handle of a lane, or 0. If the ring has come round over it meanwhile it is
 * a newer one, which is not next.
 */
static __u64 peek_handle(struct zcb_queue *queue, __u32 lane)
{
	const struct zcbuf_queue_head *head = queue->head;
	const __u64 *ring = (const __u64 *)((const char *)head +
					    head->ring_offset) +
			    (size_t)lane * head->ring;
	__u64 *seen = &queue->seen[lane];
	__u64 handle, begun;

	while (__atomic_load_n(&head->tail[lane], __ATOMIC_ACQUIRE) != *seen) {
		handle = __atomic_load_n(&ring[*seen & (head->ring - 1)],
					 __ATOMIC_ACQUIRE);
		begun = __atomic_load_n(&head->begun[lane], __ATOMIC_RELAXED);
		if (begun - *seen <= head->ring)
			return handle;
		*seen = begun - head->ring;
	}
	return 0;
}

static __u64 next_handle(struct zcb_queue *queue, __u32 lane)
{
	__u64 handle = peek_handle(queue, lane);

	queue->seen[lane] += !!handle;
	return handle;
}

/* The next one of a lane, which is the caller's then, or NULL. */
static const struct zcbuf_delivery *next_of(struct zcb_queue *queue, __u32 lane)
{
	const struct zcbuf_queue_head *head = queue->head;
	__u64 handle;

	while ((handle = next_handle(queue, lane)))
		if (claim(queue, handle))
			return (const void *)((const char *)head +
					      head->entries_offset +
					      (size_t)zcbuf_slot(handle) *
					      head->entry_size);
	return NULL;
}

static const struct zcbuf_delivery *next(struct zcb_queue *queue)
{
	const struct zcbuf_delivery *entry = NULL;
	__u32 lane = queue->head->lanes;

	while (lane-- && !entry)
		entry = next_of(queue, lane);
	return entry;
}

/* What it is worth to the caller: the kernel may know more of it, or less. */
static void copy_entry(const struct zcb_queue *queue,
		       struct zcbuf_delivery *to,
		       const struct zcbuf_delivery *from)
{
	size_t known = queue->head->entry_size;

	if (known > sizeof(*to))
		known = sizeof(*to);
	memset(to, 0, sizeof(*to));
	memcpy(to, from, known);
}

/* How many; -EAGAIN: nothing is there, 0: the kernel knows why not. */
static int take_locked(struct zcb_queue *queue, struct zcbuf_sample *samples,
		       unsigned int count)
{
	unsigned int held = atomic_load(&queue->held);
	/* Before the tails: what came before the end is seen. */
	bool ended = __atomic_load_n(&queue->head->ended, __ATOMIC_ACQUIRE);
	const struct zcbuf_delivery *entry;
	unsigned int n;

	for (n = 0; n < count && held + n < queue->head->max_held; n++) {
		entry = next(queue);
		if (!entry)
			return n ? (int)n : ended ? 0 : -EAGAIN;
		copy_entry(queue, &samples[n].delivery, entry);
	}
	return n;
}

static int take(struct zcb_queue *queue, struct zcbuf_sample *samples,
		unsigned int count)
{
	int n;

	pthread_mutex_lock(&queue->lock);
	n = take_locked(queue, samples, count);
	/* Before who takes next looks how many are held. */
	if (n > 0)
		atomic_fetch_add(&queue->held, n);
	pthread_mutex_unlock(&queue->lock);
	return n;
}

/* Who waits for @what cannot know what was taken here; true: he was told. */
static bool tell(const struct zcb_queue *queue, __u32 what)
{
	const struct zcbuf_channel *channel = queue->channel;
	struct zcbuf_queue arg = {
		.size = sizeof(arg), .flags = ZCBUF_QUEUE_F_SYNC,
		.channel = channel->handle,
	};

	/* Pairs with the kernel's, between this word and those of the slots. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&queue->head->waiting, __ATOMIC_RELAXED) ==
		       what &&
	       !zcb_call(channel->pool->session.fd, ZCBUF_NR_QUEUE, &arg);
}

static bool is_usable(const struct zcb_queue *queue, unsigned int count)
{
	return queue->shown && queue->channel->pool->session.fd >= 0 && count &&
	       count <= ZCBUF_MAX_BATCH;
}

/* Groups of a stream may be parked for want of what was taken here. */
static int take_and_tell(struct zcb_queue *queue, struct zcbuf_sample *samples,
			 unsigned int count)
{
	int n = take(queue, samples, count);

	if (n > 0)
		tell(queue, ZCBUF_QUEUE_WAIT_ROOM);
	else if (n == -EAGAIN && tell(queue, ZCBUF_QUEUE_WAIT_TELL))
		n = take(queue, samples, count);
	return n;
}

int zcb_queue_take(struct zcb_queue *queue, struct zcbuf_channel *channel,
		   struct zcbuf_sample *samples, unsigned int count,
		   __u64 deadline_ns)
{
	int n = 0;

	if (is_usable(queue, count))
		n = take_and_tell(queue, samples, count);
	if (n > 0)
		return n;
	if (n < 0 && !deadline_ns)
		return n;
	n = zcb_receive(channel, samples, sizeof(*samples), count, deadline_ns);
	if (n > 0)
		atomic_fetch_add(&queue->held, n);
	return n;
}

void zcb_queue_released(struct zcb_queue *queue, unsigned int n)
{
	unsigned int held = atomic_fetch_sub(&queue->held, n);
	struct zcbuf_waitset *set = atomic_load(&queue->set);

	if (set && held >= queue->head->max_held)
		zcb_waitset_wake(set);
}

/* What was dropped, or taken by another thread, is passed by. */
static bool lane_has(struct zcb_queue *queue, __u32 lane)
{
	__u64 handle;

	while ((handle = peek_handle(queue, lane))) {
		if (__atomic_load_n(zcbuf_slot_word(queue->state, handle),
				    __ATOMIC_ACQUIRE) ==
		    zcbuf_slot_ready(handle))
			return true;
		queue->seen[lane]++;
	}
	return false;
}

static enum zcb_queue_has look_locked(struct zcb_queue *queue)
{
	/* Before the tails, as in take_locked(). */
	bool ended = __atomic_load_n(&queue->head->ended, __ATOMIC_ACQUIRE);
	__u32 lane = queue->head->lanes;

	if (atomic_load(&queue->held) >= queue->head->max_held)
		return ZCB_QUEUE_HOLDS;
	while (lane--)
		if (lane_has(queue, lane))
			return ZCB_QUEUE_SOME;
	return ended ? ZCB_QUEUE_SOME : ZCB_QUEUE_EMPTY;
}

static enum zcb_queue_has look(struct zcb_queue *queue)
{
	enum zcb_queue_has has;

	pthread_mutex_lock(&queue->lock);
	has = look_locked(queue);
	pthread_mutex_unlock(&queue->lock);
	return has;
}

enum zcb_queue_has zcb_queue_look(struct zcb_queue *queue)
{
	enum zcb_queue_has has = look(queue);

	if (has == ZCB_QUEUE_EMPTY && tell(queue, ZCBUF_QUEUE_WAIT_TELL))
		has = look(queue);
	return has;
}

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
 * struct zcb_place - where a lane is looked at
 * @ring: its handles
 * @begun: of the lane
 * @tail: the same
 * @size: of the ring, a power of two
 * @at: what was looked at, and a ring's size more: as far as @begun may be
 * @end: likewise, how many there were when that was asked last
 */
struct zcb_place {
	const __u64 *ring;
	const __u64 *begun;
	const __u64 *tail;
	__u64 size;
	__u64 at;
	__u64 end;
};

static inline void place_ask(struct zcb_place *place)
{
	place->end = __atomic_load_n(place->tail, __ATOMIC_ACQUIRE) +
		     place->size;
}

static inline void place_init(struct zcb_place *place,
			      const struct zcb_queue *queue, __u32 lane)
{
	const struct zcbuf_queue_head *head = queue->head;

	place->size = head->ring;
	place->ring = (const __u64 *)((const char *)head + head->ring_offset) +
		      (size_t)lane * head->ring;
	place->begun = &head->begun[lane];
	place->tail = &head->tail[lane];
	place->at = queue->seen[lane] + place->size;
	place_ask(place);
}

/*
 * Is there another handle of the lane? If the ring has come round over it meanwhile
 * it is a newer one, which is not next.
 */
static inline bool place_peek(struct zcb_place *place, __u64 *handle)
{
	__u64 begun;

	while (place->at != place->end) {
		*handle = __atomic_load_n(&place->ring[place->at &
						       (place->size - 1)],
					  __ATOMIC_ACQUIRE);
		begun = __atomic_load_n(place->begun, __ATOMIC_RELAXED);
		if (begun <= place->at)
			return true;
		place->at = begun;
		place_ask(place);
	}
	return false;
}

static inline void place_leave(const struct zcb_place *place,
			       struct zcb_queue *queue, __u32 lane)
{
	queue->seen[lane] = place->at - place->size;
}

/* The next ones of a lane, which are the caller's then. */
static unsigned int next_of(struct zcb_queue *queue, __u32 lane,
			    const struct zcbuf_delivery **entries,
			    unsigned int count)
{
	const struct zcbuf_queue_head *head = queue->head;
	const char *slots = (const char *)head + head->entries_offset;
	const size_t size = head->entry_size;
	struct zcb_place place;
	unsigned int n = 0;
	__u64 handle;

	place_init(&place, queue, lane);
	while (n < count && place_peek(&place, &handle)) {
		place.at++;
		if (claim(queue, handle))
			entries[n++] = (const void *)(slots + size *
						      zcbuf_slot(handle));
	}
	place_leave(&place, queue, lane);
	return n;
}

/* The highest lane is looked at before each, if there are several. */
static unsigned int next(struct zcb_queue *queue,
			 const struct zcbuf_delivery **entries,
			 unsigned int count)
{
	__u32 lane = queue->head->lanes;
	unsigned int n = 0;

	if (lane == 1)
		return next_of(queue, 0, entries, count);
	while (n < count && lane--) {
		if (!next_of(queue, lane, &entries[n], 1))
			continue;
		n++;
		lane = queue->head->lanes;
	}
	return n;
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

/*
 * Nothing was found: is something being put there? While what a lane has goes round its
 * ring that is all there is.
 */
static bool is_coming(const struct zcb_queue *queue)
{
	__u32 lane = queue->head->lanes;

	while (lane--)
		if (__atomic_load_n(&queue->head->begun[lane],
				    __ATOMIC_RELAXED) != queue->seen[lane])
			return true;
	return false;
}

/* How many; -EAGAIN: nothing is there, 0: the kernel knows why not. */
static int take_locked(struct zcb_queue *queue,
		       const struct zcbuf_delivery **entries,
		       unsigned int count)
{
	unsigned int held = atomic_load(&queue->held);
	/* Before the tails: what came before the end is seen. */
	bool ended = __atomic_load_n(&queue->head->ended, __ATOMIC_ACQUIRE);
	unsigned int room = queue->head->max_held;
	unsigned int n;

	room = held < room ? room - held : 0;
	n = next(queue, entries, count < room ? count : room);
	if (n || !room)
		return n;
	return ended || is_coming(queue) ? 0 : -EAGAIN;
}

static int take(struct zcb_queue *queue, const struct zcbuf_delivery **entries,
		unsigned int count)
{
	int n;

	pthread_mutex_lock(&queue->lock);
	n = take_locked(queue, entries, count);
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
static int take_and_tell(struct zcb_queue *queue,
			 const struct zcbuf_delivery **entries,
			 unsigned int count)
{
	int n = take(queue, entries, count);

	if (n > 0)
		tell(queue, ZCBUF_QUEUE_WAIT_ROOM);
	else if (n == -EAGAIN && tell(queue, ZCBUF_QUEUE_WAIT_TELL))
		n = take(queue, entries, count);
	return n;
}

int zcb_queue_take(struct zcb_queue *queue, struct zcbuf_channel *channel,
		   struct zcbuf_sample *samples, unsigned int count,
		   __u64 deadline_ns)
{
	const struct zcbuf_delivery *entries[ZCBUF_MAX_BATCH];
	int n = 0;
	int i;

	if (is_usable(queue, count))
		n = take_and_tell(queue, entries, count);
	for (i = 0; i < n; i++)
		copy_entry(queue, &samples[i].delivery, entries[i]);
	if (n > 0)
		return n;
	if (n < 0 && !deadline_ns)
		return n;
	n = zcb_receive(channel, samples, sizeof(*samples), count, deadline_ns);
	if (n > 0)
		atomic_fetch_add(&queue->held, n);
	return n;
}

/* In a lane each knows more than the one before. */
static __u64 most_lost(const struct zcb_queue *queue,
		       const struct zcbuf_delivery *const *entries, int n)
{
	int i = queue->head->lanes == 1 ? n - 1 : 0;
	__u64 lost = 0;

	for (; i < n; i++)
		if (lost < entries[i]->lost)
			lost = entries[i]->lost;
	return lost;
}

unsigned int zcb_queue_entries(struct zcb_queue *queue,
			       const struct zcbuf_delivery **entries,
			       unsigned int count, __u64 *lost)
{
	int n;

	if (!is_usable(queue, count) ||
	    queue->head->entry_size < sizeof(**entries))
		return 0;
	n = take_and_tell(queue, entries, count);
	if (n <= 0)
		return 0;
	*lost = most_lost(queue, entries, n);
	return n;
}

void zcb_queue_released(struct zcb_queue *queue, unsigned int n)
{
	unsigned int held = atomic_fetch_sub(&queue->held, n);
	struct zcbuf_waitset *set;

	if (!atomic_load(&queue->set) || held < queue->head->max_held)
		return;
	/* It is not closed as long as it is the queue's. */
	pthread_mutex_lock(&queue->lock);
	set = atomic_load(&queue->set);
	if (set)
		zcb_waitset_wake(set);
	pthread_mutex_unlock(&queue->lock);
}

void zcb_queue_leave_set(struct zcb_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	atomic_store(&queue->set, NULL);
	pthread_mutex_unlock(&queue->lock);
}

/* What was dropped, or taken by another thread, is passed by. */
static bool lane_has(struct zcb_queue *queue, __u32 lane)
{
	struct zcb_place place;
	bool has = false;
	__u64 handle;

	place_init(&place, queue, lane);
	while (!has && place_peek(&place, &handle)) {
		has = __atomic_load_n(zcbuf_slot_word(queue->state, handle),
				      __ATOMIC_ACQUIRE) ==
		      zcbuf_slot_ready(handle);
		place.at += !has;
	}
	place_leave(&place, queue, lane);
	return has;
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

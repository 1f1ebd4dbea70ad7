// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Waiting for many subscribers: the kernel tells in a ring which of their queues have
 * something, as the uapi header says at struct zcbuf_ready_head. A subscriber is in a
 * list here, or its queue is armed with its number: whoever is looked at and has
 * nothing leaves the list, whoever the ring tells of comes back.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "queue.h"

/*
 * struct member - a place for a subscriber
 * @subscriber: whose it is, NULL: nobody's
 * @queue: of it
 * @context: the caller's
 * @listed: it is in the list
 */
struct member {
	struct zcbuf_subscriber *subscriber;
	struct zcb_queue *queue;
	void *context;
	bool listed;
};

/*
 * struct zcbuf_waitset
 * @pool: holds a reference
 * @pid: who has the ring mapped
 * @lock: of all that follows
 * @efd: wakes who waits
 * @head: of the ring
 * @state: both write
 * @bytes: of @head and the ring
 * @state_bytes: of @state
 * @seen: what was read of the ring
 * @members: @room of them; who has number n is told as n + 1
 * @list: numbers, as many as there is room for, a ring
 * @first: of the list
 * @listed: how many
 */
struct zcbuf_waitset {
	struct zcbuf_pool *pool;
	pid_t pid;
	pthread_mutex_t lock;
	int efd;
	struct zcbuf_ready_head *head;
	struct zcbuf_ready_state *state;
	size_t bytes;
	size_t state_bytes;
	__u64 seen;
	struct member *members;
	unsigned int *list;
	unsigned int room;
	unsigned int first;
	unsigned int listed;
};

/* ---------------------------------------------------------------- the list */

static void list_add(struct zcbuf_waitset *set, unsigned int n)
{
	if (n >= set->room || !set->members[n].subscriber ||
	    set->members[n].listed)
		return;
	set->members[n].listed = true;
	set->list[(set->first + set->listed++) % set->room] = n;
}

static unsigned int list_take(struct zcbuf_waitset *set)
{
	unsigned int n = set->list[set->first];

	set->first = (set->first + 1) % set->room;
	set->listed--;
	set->members[n].listed = false;
	return n;
}

static bool told(const struct zcbuf_waitset *set)
{
	return set->seen != __atomic_load_n(&set->head->tail, __ATOMIC_ACQUIRE);
}

/* Who has fallen behind looks at all. */
static void read_ring(struct zcbuf_waitset *set)
{
	const __u32 *words = (const __u32 *)((const char *)set->head +
					     set->head->ring_offset);
	__u64 tail = __atomic_load_n(&set->head->tail, __ATOMIC_ACQUIRE);
	unsigned int n;

	if (tail - set->seen > set->head->ring) {
		for (n = 0; n < set->room; n++)
			list_add(set, n);
		set->seen = tail;
	}
	while (set->seen != tail) {
		n = __atomic_load_n(&words[set->seen++ & (set->head->ring - 1)],
				    __ATOMIC_RELAXED);
		list_add(set, n - 1);
	}
}

/* Nothing is there: armed, unless something has come. */
static bool arm(struct member *member, unsigned int n)
{
	__u32 *armed = &member->queue->state->armed;

	__atomic_store_n(armed, n + 1, __ATOMIC_SEQ_CST);
	/* Pairs with the kernel's, between the tails and this word. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return zcb_queue_look(member->queue) == ZCB_QUEUE_EMPTY;
}

static void disarm(struct member *member)
{
	__atomic_store_n(&member->queue->state->armed, 0, __ATOMIC_SEQ_CST);
}

/*
 * Has it something? If not, it is not in the list any more, and armed: what had come
 * when it was armed may be another thread's by now.
 */
static bool look_at(struct zcbuf_waitset *set, unsigned int n)
{
	struct member *member = &set->members[n];
	enum zcb_queue_has has;

	if (!member->subscriber)
		return false;
	while ((has = zcb_queue_look(member->queue)) == ZCB_QUEUE_EMPTY) {
		if (arm(member, n))
			return false;
		disarm(member);
	}
	list_add(set, n);
	return has == ZCB_QUEUE_SOME;
}

/* Those that have something go to the end of the list: it is the others' turn. */
static unsigned int collect(struct zcbuf_waitset *set,
			    struct zcbuf_waitset_entry *entries,
			    unsigned int count)
{
	unsigned int left, n, done = 0;

	read_ring(set);
	for (left = set->listed; left && done < count; left--) {
		n = list_take(set);
		if (!look_at(set, n))
			continue;
		entries[done].subscriber = set->members[n].subscriber;
		entries[done].context = set->members[n].context;
		done++;
	}
	return done;
}

/* ------------------------------------------------------------------ waiting */

static int poll_until(int fd, __u64 deadline_ns)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct timespec left, *timeout = NULL;
	struct timespec now;
	__u64 now_ns;
	int n;

	if (deadline_ns != ZCBUF_NO_DEADLINE) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		now_ns = now.tv_sec * 1000000000ULL + now.tv_nsec;
		if (now_ns >= deadline_ns)
			return -ETIMEDOUT;
		left.tv_sec = (deadline_ns - now_ns) / 1000000000;
		left.tv_nsec = (deadline_ns - now_ns) % 1000000000;
		timeout = &left;
	}
	n = ppoll(&p, 1, timeout, NULL);
	return n < 0 ? -errno : n ? 0 : -ETIMEDOUT;
}

static void say_sleeping(struct zcbuf_waitset *set, __u32 sleeping)
{
	__atomic_store_n(&set->state->sleeping, sleeping, __ATOMIC_SEQ_CST);
	/* Pairs with the kernel's, between the tail and this word. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* The lock is let go meanwhile. */
static int sleep_locked(struct zcbuf_waitset *set, __u64 deadline_ns)
{
	eventfd_t count;
	int err = 0;

	if (!deadline_ns)
		return -EAGAIN;
	say_sleeping(set, 1);
	if (!told(set)) {
		pthread_mutex_unlock(&set->lock);
		err = poll_until(set->efd, deadline_ns);
		pthread_mutex_lock(&set->lock);
	}
	say_sleeping(set, 0);
	if (!err)
		eventfd_read(set->efd, &count);
	return err;
}

int zcbuf_waitset_wait(struct zcbuf_waitset *set,
		       struct zcbuf_waitset_entry *entries, unsigned int count,
		       __u64 deadline_ns)
{
	int n, err = 0;

	if (!count)
		return -EINVAL;
	if (set->pid != getpid() || set->pool->session.fd < 0)
		return -EBADF;
	pthread_mutex_lock(&set->lock);
	do {
		n = collect(set, entries, count);
		if (!n)
			err = sleep_locked(set, deadline_ns);
	} while (!n && !err);
	pthread_mutex_unlock(&set->lock);
	return n ? n : err;
}

void zcb_waitset_wake(struct zcbuf_waitset *set)
{
	eventfd_write(set->efd, 1);
}

/* ------------------------------------------------------------------ members */

/* What is in the list keeps its number. */
static int more_room(struct zcbuf_waitset *set)
{
	unsigned int room = set->room ? 2 * set->room : 16;
	struct member *members;
	unsigned int *list;
	unsigned int i, n;

	list = calloc(room, sizeof(*list));
	if (!list)
		return -ENOMEM;
	members = reallocarray(set->members, room, sizeof(*members));
	if (!members) {
		free(list);
		return -ENOMEM;
	}
	memset(members + set->room, 0,
	       (room - set->room) * sizeof(*members));
	for (i = 0; i < set->listed; i++) {
		n = set->first + i;
		list[i] = set->list[n < set->room ? n : n - set->room];
	}
	free(set->list);
	set->members = members;
	set->list = list;
	set->room = room;
	set->first = 0;
	return 0;
}

static int add_locked(struct zcbuf_waitset *set,
		      struct zcbuf_subscriber *subscriber,
		      struct zcb_queue *queue, void *context)
{
	unsigned int n = 0;
	int err;

	while (n < set->room &&
	       (set->members[n].subscriber || set->members[n].listed))
		n++;
	err = n == set->room ? more_room(set) : 0;
	if (err)
		return err;
	set->members[n].subscriber = subscriber;
	set->members[n].queue = queue;
	set->members[n].context = context;
	atomic_store(&queue->set, set);
	list_add(set, n);
	return 0;
}

int zcbuf_waitset_add(struct zcbuf_waitset *set,
		      struct zcbuf_subscriber *subscriber, void *context)
{
	struct zcb_queue *queue = zcb_subscriber_queue(subscriber);
	int err;

	if (set->pid != getpid())
		return -EBADF;
	if (zcbuf_channel_pool(zcbuf_subscriber_channel(subscriber)) !=
	    set->pool)
		return -EINVAL;
	if (!queue->shown)
		return -EOPNOTSUPP;
	pthread_mutex_lock(&set->lock);
	err = atomic_load(&queue->set) ? -EBUSY :
	      add_locked(set, subscriber, queue, context);
	pthread_mutex_unlock(&set->lock);
	if (!err)
		zcb_waitset_wake(set);
	return err;
}

/* Where it is in the list it is passed over. */
static void forget(struct member *member)
{
	if (!member->subscriber)
		return;
	disarm(member);
	zcb_queue_leave_set(member->queue);
	member->subscriber = NULL;
}

int zcbuf_waitset_remove(struct zcbuf_waitset *set,
			 struct zcbuf_subscriber *subscriber)
{
	int err = -ENOENT;
	unsigned int n;

	if (set->pid != getpid())
		return -EBADF;
	pthread_mutex_lock(&set->lock);
	for (n = 0; n < set->room && err; n++)
		if (set->members[n].subscriber == subscriber) {
			forget(&set->members[n]);
			err = 0;
		}
	pthread_mutex_unlock(&set->lock);
	return err;
}

/* -------------------------------------------------------------- open, close */

static int map_ring(struct zcbuf_waitset *set, const struct zcbuf_ready *arg)
{
	set->bytes = arg->out_bytes;
	set->state_bytes = arg->out_state_bytes;
	set->head = zcb_map_part(arg->out_fd, set->bytes, PROT_READ, 0);
	set->state = zcb_map_part(arg->out_fd, set->state_bytes,
				  PROT_READ | PROT_WRITE, set->bytes);
	if (!set->head || !set->state)
		return -ENOMEM;
	if (set->head->magic != ZCBUF_READY_MAGIC ||
	    set->head->version != ZCBUF_READY_VERSION)
		return -EOPNOTSUPP;
	set->seen = set->head->tail;
	return 0;
}

/* No child gets the descriptor. */
static int open_ring(struct zcbuf_waitset *set)
{
	struct zcbuf_ready arg = { .size = sizeof(arg) };
	struct zcbuf_eventfd efd = {
		.size = sizeof(efd), .fd = set->efd,
		.mode = ZCBUF_EVENTFD_ADAPTIVE,
	};
	int fd = set->pool->session.fd;
	int err;

	zcb_session_lock();
	err = zcb_call(fd, ZCBUF_NR_READY, &arg);
	if (!err) {
		err = map_ring(set, &arg);
		close(arg.out_fd);
	}
	zcb_session_unlock();
	if (err == -ENOTTY)
		return -EOPNOTSUPP;
	return err ? err : zcb_call(fd, ZCBUF_NR_EVENTFD, &efd);
}

static void set_free(struct zcbuf_waitset *set)
{
	if (set->pid == getpid()) {
		if (set->state)
			munmap(set->state, set->state_bytes);
		if (set->head)
			munmap(set->head, set->bytes);
	}
	if (set->efd >= 0)
		close(set->efd);
	pthread_mutex_destroy(&set->lock);
	atomic_store(&set->pool->waits, false);
	zcb_pool_put(set->pool);
	free(set->members);
	free(set->list);
	free(set);
}

int zcbuf_waitset_create(struct zcbuf_pool *pool, struct zcbuf_waitset **out)
{
	struct zcbuf_waitset *set;
	int err;

	if (atomic_exchange(&pool->waits, true))
		return -EBUSY;
	set = calloc(1, sizeof(*set));
	if (!set) {
		atomic_store(&pool->waits, false);
		return -ENOMEM;
	}
	zcb_pool_get(pool);
	set->pool = pool;
	set->pid = getpid();
	pthread_mutex_init(&set->lock, NULL);
	set->efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = set->efd < 0 ? -errno : open_ring(set);
	if (err) {
		set_free(set);
		return err;
	}
	*out = set;
	return 0;
}

void zcbuf_waitset_close(struct zcbuf_waitset *set)
{
	unsigned int n;

	if (!set)
		return;
	for (n = 0; n < set->room && set->pid == getpid(); n++)
		forget(&set->members[n]);
	set_free(set);
}

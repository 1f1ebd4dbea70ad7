/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What a subscriber takes from.
 */
#ifndef ZCB_LIB_QUEUE_H
#define ZCB_LIB_QUEUE_H

#include <pthread.h>

#include "internal.h"

/*
 * struct zcb_queue - a consumer's queue, as the kernel shows it
 * @lock: who takes, or wakes @set
 * @pid: who has it mapped
 * @channel: whose it is
 * @set: what waits for it, or NULL; its lock
 * @shown: it is mapped; else RECEIVE does
 * @head: for reading
 * @state: both write
 * @bytes: of @head and what belongs to it
 * @state_bytes: of @state and the words behind it
 * @seen: by lane, what was looked at of its ring
 * @held: messages taken and not released
 */
struct zcb_queue {
	pthread_mutex_t lock;
	pid_t pid;
	const struct zcbuf_channel *channel;
	struct zcbuf_waitset *_Atomic set;
	bool shown;
	struct zcbuf_queue_head *head;
	struct zcbuf_queue_state *state;
	size_t bytes;
	size_t state_bytes;
	__u64 seen[ZCBUF_MAX_LANES];
	atomic_uint held;
};

void zcb_queue_open(struct zcb_queue *queue,
		    const struct zcbuf_channel *channel);
void zcb_queue_close(struct zcb_queue *queue);

/* zcb_queue_take - as zcb_receive(), without a system call if there is something */
int zcb_queue_take(struct zcb_queue *queue, struct zcbuf_channel *channel,
		   struct zcbuf_sample *samples, unsigned int count,
		   __u64 deadline_ns);

/*
 * zcb_queue_entries - the same without a copy: where they are, until they are released
 * @lost: written, if there are any: the most that any of them tells
 *
 * Never waits. Return: how many; 0: there is none, or it is not to be had so, and
 * zcb_queue_take() knows.
 */
unsigned int zcb_queue_entries(struct zcb_queue *queue,
			       const struct zcbuf_delivery **entries,
			       unsigned int count, __u64 *lost);
void zcb_queue_released(struct zcb_queue *queue, unsigned int n);

/* zcb_queue_leave_set - what waited for it does not, and is not woken for it */
void zcb_queue_leave_set(struct zcb_queue *queue);

enum zcb_queue_has {
	ZCB_QUEUE_EMPTY,
	ZCB_QUEUE_SOME,		/* or its end */
	ZCB_QUEUE_HOLDS,	/* as many as it may: it has to release */
};

/* zcb_queue_look - of a queue that is mapped: is there something to take */
enum zcb_queue_has zcb_queue_look(struct zcb_queue *queue);

/* ------------------------------------------------------------ subscriber.c */

struct zcb_queue *zcb_subscriber_queue(struct zcbuf_subscriber *subscriber);

/* zcb_subscriber_entries - as zcb_queue_entries() */
unsigned int zcb_subscriber_entries(struct zcbuf_subscriber *subscriber,
				    const struct zcbuf_delivery **entries,
				    unsigned int count);

/* zcb_subscriber_release - as zcbuf_release() */
int zcb_subscriber_release(struct zcbuf_subscriber *subscriber,
			   const __u64 *handles, unsigned int count);

/* --------------------------------------------------------------- waitset.c */

/* Who waits looks again. */
void zcb_waitset_wake(struct zcbuf_waitset *set);

#endif /* ZCB_LIB_QUEUE_H */

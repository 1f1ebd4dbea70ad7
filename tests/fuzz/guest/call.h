/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Inside kfuzz: one call of the device in the making. calls_*.c fill in the
 * argument and the arrays on the lane's stage, call.c puts them where the
 * program wants them, does the call, and brings the answer back.
 */
#ifndef KFUZZ_CALL_H
#define KFUZZ_CALL_H

#include "exec.h"

#define KF_HANDLE_BAD	((__u64)0x0123456789abcdefULL)

/**
 * struct kf_array - what a pointer of an argument points to
 * @at: where the pointer is, 0: there is no such array
 * @in: bytes that are given
 * @room: bytes that may be written
 */
struct kf_array {
	size_t at;
	size_t in;
	size_t room;
};

/**
 * struct kf_argument - one call
 * @l: who does it
 * @arg: its argument
 * @size: bytes of that
 * @array: its arrays
 * @deadline: where its deadline is, 0: it has none
 */
struct kf_argument {
	struct kf_lane *l;
	void *arg;
	__u32 size;
	struct kf_array array[2];
	size_t deadline;
};

/* How many; the first entry of each table is the usual one. */
extern const __u32 kf_counts[10];
#define KF_COUNT(sel)	KF_CHOICE(kf_counts, sel)

void *kf_begin(struct kf_argument *c, struct kf_lane *l, __u32 size);
void *kf_array(struct kf_argument *c, int i, size_t at, size_t in, size_t room);
bool kf_finish(struct kf_argument *c);
void *kf_result(struct kf_argument *c, int i, size_t bytes);
__u64 kf_deadline(unsigned int sel);

#define KF_BEGIN(c, l, type)	((struct type *)kf_begin(c, l,		\
						sizeof(struct type)))
#define KF_ARRAY(c, i, type, field, in, room)				\
	kf_array(c, i, offsetof(struct type, field), in, room)

/* @count handles, those of @item as far as there are, then bad ones. */
void kf_put_handles(__u64 *handles, struct kf_item **item, unsigned int n,
		    __u32 count, bool twice);

/* A call that takes a batch of handles. */
struct zcbuf_batch *kf_begin_batch(struct kf_argument *c, struct kf_lane *l,
				   struct kf_list *list, unsigned int last,
				   struct kf_item **item, unsigned int *n);

/* Items. */
void kf_remember(struct kf_list *list, const struct kf_item *item);
unsigned int kf_known(const struct kf_list *list);
struct kf_item *kf_nth(struct kf_list *list, unsigned int i);
unsigned int kf_pick(struct kf_lane *l, struct kf_list *list, bool all,
		     struct kf_item **found, unsigned int count);
__u64 kf_pick_channel(const struct kf_lane *l, unsigned int sel);
__u64 kf_channel_of(const struct kf_lane *l, struct kf_item **item,
		    unsigned int n);
void kf_give_back(struct kf_item **item, unsigned int n, __u32 done);

/* calls_pool.c */
void kf_run_query(struct kf_lane *l);
void kf_run_pool_create(struct kf_lane *l);
void kf_run_pool_attach(struct kf_lane *l);
void kf_run_pool_info(struct kf_lane *l);
void kf_run_alloc(struct kf_lane *l);
void kf_run_free(struct kf_lane *l);
void kf_run_buf_info(struct kf_lane *l);
void kf_run_pool_grow(struct kf_lane *l);
void kf_run_transfer(struct kf_lane *l);
void kf_run_pin_token(struct kf_lane *l);
void kf_run_share(struct kf_lane *l);
void kf_run_export(struct kf_lane *l);
void kf_run_pool_remove(struct kf_lane *l);
void kf_run_pool_retire(struct kf_lane *l);
void kf_run_heartbeat(struct kf_lane *l);

/* calls_channel.c */
void kf_run_channel_open(struct kf_lane *l);
void kf_run_channel_close(struct kf_lane *l);
void kf_run_reserve(struct kf_lane *l);
void kf_run_publish(struct kf_lane *l);
void kf_run_commit(struct kf_lane *l);
void kf_run_commit_reserve(struct kf_lane *l);
void kf_run_abort(struct kf_lane *l);
void kf_run_flush(struct kf_lane *l);
void kf_run_finalize(struct kf_lane *l);

/* calls_queue.c */
void kf_run_receive(struct kf_lane *l);
void kf_run_receive_failed(struct kf_lane *l);
void kf_run_release(struct kf_lane *l);
void kf_run_eventfd(struct kf_lane *l);
void kf_run_queue(struct kf_lane *l);
void kf_run_watch(struct kf_lane *l);
void kf_run_ready(struct kf_lane *l);

#endif /* KFUZZ_CALL_H */

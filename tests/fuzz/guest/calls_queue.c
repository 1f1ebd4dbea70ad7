// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Calls on channels, the consumer's side.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "call.h"

static void remember_delivery(struct kf_lane *l, __u64 channel,
			      const struct zcbuf_delivery *d)
{
	struct kf_item item = { .live = true, .channel = channel,
				.slot = kf_slot(l, l->op->fd),
				.handle = d->handle, .group = d->group };

	/* The end of a stream has none. */
	if (d->handle)
		kf_remember(&l->st->deliveries, &item);
}

void kf_run_receive(struct kf_lane *l)
{
	static const __u32 sizes[] = {
		sizeof(struct zcbuf_delivery), sizeof(struct zcbuf_delivery),
		sizeof(struct zcbuf_delivery) + 8, 4096, 8, 4097, 0, 137,
	};
	struct zcbuf_receive *a;
	struct kf_argument c;
	struct zcbuf_delivery *d;
	char *entries;
	__u32 i;

	a = KF_BEGIN(&c, l, zcbuf_receive);
	if (kf_sel(l, 0) != 5)
		a->channel = kf_pick_channel(l, kf_sel(l, 0));
	a->count = KF_COUNT(kf_sel(l, 1));
	a->entry_size = KF_CHOICE(sizes, kf_sel(l, 2));
	a->deadline_ns = kf_deadline(kf_sel(l, 3));
	c.deadline = offsetof(struct zcbuf_receive, deadline_ns);
	KF_ARRAY(&c, 0, zcbuf_receive, entries, 0,
		 (size_t)a->count * a->entry_size);
	if (!kf_finish(&c) || (__u64)a->out_done * a->entry_size > KF_STAGE)
		return;
	entries = kf_result(&c, 0, a->out_done * a->entry_size);
	for (i = 0; i < a->out_done; i++) {
		d = (struct zcbuf_delivery *)(entries + i * a->entry_size);
		if (a->channel || a->entry_size >= sizeof(*d))
			remember_delivery(l, a->channel ? a->channel :
					  d->channel, d);
	}
}

void kf_run_receive_failed(struct kf_lane *l)
{
	static const __u32 rooms[] = { 64, 0, 1, 2, 1024, 65536, 65537, ~0U };
	struct zcbuf_receive_failed *a;
	struct kf_argument c;

	a = KF_BEGIN(&c, l, zcbuf_receive_failed);
	a->channel = kf_pick_channel(l, kf_sel(l, 0));
	a->npieces = KF_CHOICE(rooms, kf_sel(l, 1));
	a->nlost = KF_CHOICE(rooms, kf_sel(l, 2));
	a->deadline_ns = kf_deadline(kf_sel(l, 3));
	c.deadline = offsetof(struct zcbuf_receive_failed, deadline_ns);
	KF_ARRAY(&c, 0, zcbuf_receive_failed, pieces, 0,
		 a->npieces * sizeof(struct zcbuf_piece));
	KF_ARRAY(&c, 1, zcbuf_receive_failed, lost, 0,
		 a->nlost * sizeof(struct zcbuf_lost));
	if (kf_finish(&c))
		remember_delivery(l, a->channel, &a->out_delivery);
}

/* Each of its own channel, whosever it is. */
static void release_apart(struct kf_lane *l)
{
	struct zcbuf_release_entry *e;
	struct kf_item *item[KF_ITEMS];
	struct zcbuf_batch *a;
	struct kf_argument c;
	unsigned int i, n;

	a = KF_BEGIN(&c, l, zcbuf_batch);
	n = kf_pick(l, &l->st->deliveries, kf_sel(l, 2) & 1, item, KF_ITEMS);
	a->count = n ? n : 1;
	e = KF_ARRAY(&c, 0, zcbuf_batch, entries, a->count * sizeof(*e), 0);
	for (i = 0; i < n; i++) {
		e[i].channel = item[i]->channel;
		e[i].handle = item[i]->handle;
	}
	if (kf_finish(&c))
		kf_give_back(item, n, a->out_done);
}

void kf_run_release(struct kf_lane *l)
{
	struct kf_item *item[KF_ITEMS];
	struct zcbuf_batch *a;
	struct kf_argument c;
	unsigned int n;

	if (kf_sel(l, 3) == 3) {
		release_apart(l);
		return;
	}
	a = kf_begin_batch(&c, l, &l->st->deliveries, 3, item, &n);
	a->channel = kf_sel(l, 3) ? kf_pick_channel(l, kf_sel(l, 3)) :
				    kf_channel_of(l, item, n);
	if (kf_finish(&c))
		kf_give_back(item, n, a->out_done);
}

void kf_run_eventfd(struct kf_lane *l)
{
	unsigned int how = kf_sel(l, 1) % 6;
	struct zcbuf_eventfd *a;
	struct kf_argument c;

	a = KF_BEGIN(&c, l, zcbuf_eventfd);
	if (kf_sel(l, 0) != 5)
		a->channel = kf_pick_channel(l, kf_sel(l, 0));
	a->flags = kf_sel(l, 2) & 1;
	a->mode = how == 1 || how == 2 ? ZCBUF_EVENTFD_NONE :
		  how == 5 ? ZCBUF_EVENTFD_ADAPTIVE : ZCBUF_EVENTFD_EACH;
	if (!how || how == 2 || (how == 5 && !a->channel))
		a->fd = kf_need_eventfd(l->st);
	else if (how > 2)
		a->fd = how == 3 ? kf_session(l, 0) : -1;
	kf_finish(&c);
}

/* What a consumer may write there is anything. */
static void scribble_on_state(__u32 *word, size_t bytes, unsigned int seed)
{
	size_t i;

	for (i = 0; i < bytes / sizeof(*word); i++)
		if ((i * 7 + seed) % 3 == 0)
			__atomic_store_n(&word[i], word[i] ^ (i + seed),
					 __ATOMIC_RELAXED);
}

/*
 * What was mapped by @fd: looked at, written to, or neither; then only what the kernel
 * holds is left.
 */
static void use_shown(int fd, __u64 bytes, __u64 state_bytes, unsigned int how)
{
	void *p = mmap(NULL, state_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		       fd, how & 4 ? 0 : bytes);

	if (p != MAP_FAILED) {
		if (how & 3)
			scribble_on_state(p, state_bytes, how);
		munmap(p, state_bytes);
	}
	close(fd);
}

void kf_run_queue(struct kf_lane *l)
{
	struct zcbuf_queue *a;
	struct kf_argument c;

	a = KF_BEGIN(&c, l, zcbuf_queue);
	a->channel = kf_pick_channel(l, kf_sel(l, 0));
	a->flags |= kf_sel(l, 2) & ZCBUF_QUEUE_F_SYNC;
	if (kf_finish(&c) && !(a->flags & ZCBUF_QUEUE_F_SYNC))
		use_shown(a->out_fd, a->out_bytes, a->out_state_bytes,
			  kf_sel(l, 1) % 8);
}

void kf_run_ready(struct kf_lane *l)
{
	struct zcbuf_ready *a;
	struct kf_argument c;

	a = KF_BEGIN(&c, l, zcbuf_ready);
	if (kf_finish(&c))
		use_shown(a->out_fd, a->out_bytes, a->out_state_bytes,
			  kf_sel(l, 0) % 8);
}

/* What somebody else has been told is as good as any other number. */
void kf_run_watch(struct kf_lane *l)
{
	static const __u32 counts[] = { 8, 0, 1, 2, 4096, 4097 };
	static const __u32 sizes[] = {
		sizeof(struct zcbuf_watch_entry),
		sizeof(struct zcbuf_watch_entry),
		sizeof(struct zcbuf_watch_entry) + 8, 4096, 8, 4097, 0, 289,
	};
	static __u64 told;
	struct zcbuf_watch *a;
	struct kf_argument c;

	a = KF_BEGIN(&c, l, zcbuf_watch);
	a->count = KF_CHOICE(counts, kf_sel(l, 0));
	a->entry_size = KF_CHOICE(sizes, kf_sel(l, 1));
	a->since = kf_sel(l, 2) & 1 ?
		   __atomic_load_n(&told, __ATOMIC_RELAXED) : kf_sel(l, 2);
	a->deadline_ns = kf_deadline(kf_sel(l, 3));
	c.deadline = offsetof(struct zcbuf_watch, deadline_ns);
	KF_ARRAY(&c, 0, zcbuf_watch, entries, 0,
		 (size_t)a->count * a->entry_size);
	if (kf_finish(&c))
		__atomic_store_n(&told, a->out_generation, __ATOMIC_RELAXED);
}

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Calls on channels, the producer's side.
 */
#include <string.h>

#include "call.h"

#define FEW	16	/* entries that are made as they should not be */

static const __u64 lengths[] = {
	100, 1, 64, 4096, 5000, 65536, 20000, 0, 1 << 20, 2 << 20, ~0ULL,
	(2 << 20) + 1, 3 << 20, 16,
};

static void make_channel(const struct kf_lane *l, struct zcbuf_channel_open *a)
{
	static const __u64 thresholds[] = {
		0, 4096, 1, 64, 100, 65536, 1 << 20, 1ULL << 41, 2 << 20, 1000,
	};
	static const __u64 most[] = {
		0, 4096, 100, 65536, 1 << 20, 2 << 20, 1ULL << 41, 1
	};
	static const __u32 aligns[] = { 0, 1, 64, 4096, 8, 3, 8192, 16 };
	static const __u32 ages[] = { 0, 100, 1000, 1, 20000, ~0U };
	static const __u32 credits[] = { 0, 1, 2, 3, 8, 64, 65536, 65537 };
	static const __u32 depths[] = { 0, 1, 2, 16, 65536, 65537, 3, 1024 };

	a->flags = (kf_sel(l, 2) & 63) ^ ZCBUF_CHANNEL_F_THRESHOLD;
	if (a->flags & ZCBUF_CHANNEL_F_THRESHOLD)
		a->threshold = KF_CHOICE(thresholds, kf_sel(l, 3));
	a->max_reservation = KF_CHOICE(most, kf_sel(l, 4));
	a->align = KF_CHOICE(aligns, kf_sel(l, 5) & 7);
	a->max_age_us = KF_CHOICE(ages, kf_sel(l, 6) & 7);
	a->max_outstanding = KF_CHOICE(credits, kf_sel(l, 7) >> 3 & 7);
	a->depth = KF_CHOICE(depths, kf_sel(l, 7) & 7);
}

/* What a consumer of a topic can have, and the topic itself. */
static void make_topic(const struct kf_lane *l, struct zcbuf_channel_open *a)
{
	static const struct {
		__u32 history, max_held, lanes, replay;
	} some[8] = {
		{ 0, 0, 0, 0 }, { 0, 1, 8, 0 }, { 2, 0, 0, 2 }, { 1, 2, 2, 8 },
		{ 65535, 65536, 1, 65535 }, { 0, 65537, 9, 0 },
		{ 3, 0, 3, 0 }, { 0, 0, 0, 4 },
	};
	unsigned int n = kf_sel(l, 5) >> 3 & 7;

	a->policy = kf_sel(l, 1) / 10;
	a->history = some[n].history;
	a->max_held = some[n].max_held;
	a->lanes = some[n].lanes;
	a->replay = some[n].replay;
}

/* One of a few, so that some ask for the same; or none, or what is none. */
static void make_name(struct kf_argument *c, struct zcbuf_channel_open *a)
{
	static const __u32 how[8] = {
		0, 0, 0, 0, ZCBUF_CHANNEL_F_EXISTING, ZCBUF_CHANNEL_F_EXISTING,
		ZCBUF_CHANNEL_F_NEW, 0,
	};
	static const __u8 deadlines[4] = { 0, 14, 12, 13 };
	unsigned int n = kf_sel(c->l, 6) >> 3 & 7;
	struct zcbuf_channel_name *name;

	if (!n)
		return;
	name = KF_ARRAY(c, 0, zcbuf_channel_open, name, sizeof(*name), 0);
	name->domain_len = n == 3;
	name->service_len = n == 7 ? ZCBUF_MAX_LABEL + 1 : 1;
	name->instance_len = 1;
	name->event_len = n == 2 ? ZCBUF_MAX_LABEL : 1;
	memset(name->domain, 'a' + n % 2, sizeof(*name) -
	       offsetof(struct zcbuf_channel_name, domain));
	a->flags |= how[n];
	if (a->flags & ZCBUF_CHANNEL_F_EXISTING)
		a->deadline_ns = kf_deadline(deadlines[kf_sel(c->l, 7) >> 6]);
	c->deadline = offsetof(struct zcbuf_channel_open, deadline_ns);
}

void kf_run_channel_open(struct kf_lane *l)
{
	static const __u32 ports[] = { 7, 1, 2, 4, 3, 6, 5, 0, 8, 7 };
	struct kf_item item = { .live = true,
				.slot = kf_slot(l, l->op->fd) };
	struct zcbuf_channel_open *a;
	struct kf_argument c;

	a = KF_BEGIN(&c, l, zcbuf_channel_open);
	a->ports = KF_CHOICE(ports, kf_sel(l, 1));
	if (kf_sel(l, 0))
		a->channel = kf_pick_channel(l, kf_sel(l, 0));
	/* Of one that exists, no options will do. */
	if (!kf_sel(l, 0) || kf_sel(l, 2))
		make_channel(l, a);
	make_topic(l, a);
	make_name(&c, a);
	if (!kf_finish(&c))
		return;
	item.handle = a->out_channel;
	kf_remember(&l->st->channels, &item);
}

void kf_run_channel_close(struct kf_lane *l)
{
	static const __u32 ports[] = { 0, 1, 2, 4, 7, 3, 6, 8 };
	struct zcbuf_channel_close *a;
	struct kf_argument c;

	a = KF_BEGIN(&c, l, zcbuf_channel_close);
	a->channel = kf_pick_channel(l, kf_sel(l, 0));
	a->ports = KF_CHOICE(ports, kf_sel(l, 1));
	kf_finish(&c);
}

static void make_lengths(struct zcbuf_reservation *r, __u32 count,
			 unsigned int sel, unsigned int vary)
{
	__u64 length = KF_CHOICE(lengths, sel);
	__u32 i;

	for (i = 0; i < count && i < KF_STAGE / sizeof(*r); i++)
		r[i].length = vary % 4 == 1 ? length + i * 8 :
			      vary % 4 == 2 && i & 1 ? 8 :
			      vary % 4 == 3 && i & 1 ? length * 200 : length;
}

static void remember_resvs(struct kf_argument *c, int i, __u32 done,
			   __u64 channel)
{
	struct kf_item item = { .live = true, .channel = channel,
				.slot = kf_slot(c->l, c->l->op->fd) };
	const struct zcbuf_reservation *r = kf_result(c, i, done * sizeof(*r));

	for (; done && (__u64)done * sizeof(*r) <= KF_STAGE; done--, r++) {
		item.handle = r->out_id;
		item.group = r->out_group;
		item.offset = r->out_offset;
		item.length = r->length;
		kf_remember(&c->l->st->resvs, &item);
	}
}

void kf_run_reserve(struct kf_lane *l)
{
	struct zcbuf_reserve *a;
	struct kf_argument c;
	__u32 count;

	a = KF_BEGIN(&c, l, zcbuf_reserve);
	a->channel = kf_pick_channel(l, kf_sel(l, 0));
	a->count = count = KF_COUNT(kf_sel(l, 1));
	a->flags = kf_sel(l, 4) & 3;
	a->deadline_ns = kf_deadline(kf_sel(l, 5));
	c.deadline = offsetof(struct zcbuf_reserve, deadline_ns);
	make_lengths(KF_ARRAY(&c, 0, zcbuf_reserve, entries,
			      count * sizeof(struct zcbuf_reservation), 0),
		     count, kf_sel(l, 2), kf_sel(l, 3));
	if (kf_finish(&c))
		remember_resvs(&c, 0, a->out_done, a->channel);
}

void kf_run_publish(struct kf_lane *l)
{
	unsigned int i, n, how = kf_sel(l, 2) % 8;
	struct kf_item *item[KF_ITEMS];
	struct zcbuf_publication *p;
	struct zcbuf_publish *a;
	struct kf_argument c;

	a = KF_BEGIN(&c, l, zcbuf_publish);
	a->channel = kf_pick_channel(l, kf_sel(l, 6));
	a->flags = kf_sel(l, 4) & ZCBUF_PUBLISH_F_NEED_CONSUMER;
	a->count = KF_COUNT(kf_sel(l, 1));
	a->deadline_ns = kf_deadline(kf_sel(l, 5));
	c.deadline = offsetof(struct zcbuf_publish, deadline_ns);
	n = kf_pick(l, &l->st->buffers, how > 5, item, a->count);
	if (n && n < a->count && a->count < ZCBUF_MAX_BATCH)
		a->count = n;
	p = KF_ARRAY(&c, 0, zcbuf_publish, entries, a->count * sizeof(*p), 0);
	for (i = 0; i < a->count && i < KF_STAGE / sizeof(*p); i++)
		p[i] = (struct zcbuf_publication){
			.handle = i < n ? item[how == 5 ? 0 : i]->handle :
					  KF_HANDLE_BAD,
			.length = kf_sel(l, 3) ?
				  KF_CHOICE(lengths, kf_sel(l, 3)) : 0,
			.priority = kf_sel(l, 4) >> 2,
		};
	if (kf_finish(&c))
		kf_give_back(item, n, a->out_done);
}

/* The lengths of two chunks, behind the argument: those of @item, or not. */
static void make_chunks(struct kf_lane *l, struct zcbuf_commit_entry *e,
			const struct kf_item *item, unsigned int how)
{
	__u64 *chunks = (__u64 *)(l->mem.home[KF_ARG] + 4096 - 64);

	chunks[0] = item->length - (how == 7);
	chunks[1] = how == 9 ? ~0ULL : how == 8;
	e->chunks = (unsigned long)chunks;
	e->nchunks = how == 6 ? 1 : 2;
	e->length = 0;
}

static void make_commit(struct kf_lane *l, struct zcbuf_commit_entry *e,
			const struct kf_item *item, unsigned int how)
{
	*e = (struct zcbuf_commit_entry){
		.group = item->group, .id = item->handle,
		.offset = item->offset, .length = item->length,
		.nrecords = kf_sel(l, 3),
	};
	switch (how) {
	case 3:
		e->length = item->length / 2;
		break;
	case 4:
		e->offset++;
		break;
	case 5:
		e->length++;
		break;
	case 6 ... 9:
		make_chunks(l, e, item, how);
		break;
	case 10:
		e->chunks = (unsigned long)l->mem.home[KF_ARRAY1];
		e->nchunks = ZCBUF_MAX_CHUNKS + (kf_sel(l, 3) > 0);
		e->length = 0;
		break;
	case 11:
		e->chunks = 8;
		e->nchunks = 40;
		e->length = 0;
		break;
	}
}

static size_t commit_size(__u32 flags)
{
	return flags & ZCBUF_COMMIT_F_TAGGED ?
	       sizeof(struct zcbuf_commit_tagged) :
	       sizeof(struct zcbuf_commit_entry);
}

static void make_tag(struct kf_lane *l, void *entry)
{
	struct zcbuf_commit_tagged *t = entry;

	t->user_tag = kf_sel(l, 3) & 1 ? ~0ULL : 0;
	t->encoding = kf_sel(l, 3) & 2;
	t->__reserved = kf_sel(l, 2) == 12;
}

/* @item is what is to be committed; the rest of @count repeats the last. */
static void make_commits(struct kf_lane *l, void *entries, __u32 flags,
			 struct kf_item **item, unsigned int n, __u32 count,
			 unsigned int how)
{
	static const struct kf_item none = { .group = 1 };
	size_t size = commit_size(flags);
	__u32 i;

	for (i = 0; i < count && i < KF_STAGE / size; i++, entries += size) {
		make_commit(l, entries,
			    i < n ? item[i] : n ? item[n - 1] : &none,
			    i < FEW ? how : 0);
		if (flags & ZCBUF_COMMIT_F_TAGGED)
			make_tag(l, entries);
	}
}

static unsigned int pick_resvs(struct kf_lane *l, bool all,
			       struct kf_item **item, __u32 *count)
{
	unsigned int n = kf_pick(l, &l->st->resvs, all, item, *count);

	if (n && n < *count && *count < ZCBUF_MAX_BATCH)
		*count = n;
	return n;
}

void kf_run_commit(struct kf_lane *l)
{
	unsigned int n, how = kf_sel(l, 2) % 13;
	struct kf_item *item[KF_ITEMS];
	struct zcbuf_batch *a;
	struct kf_argument c;
	__u32 count;

	a = KF_BEGIN(&c, l, zcbuf_batch);
	count = KF_COUNT(kf_sel(l, 1));
	n = pick_resvs(l, how == 12, item, &count);
	a->count = count;
	a->channel = kf_channel_of(l, item, n);
	a->flags = kf_sel(l, 4) == 1 ? ZCBUF_COMMIT_F_TAGGED : 0;
	make_commits(l, KF_ARRAY(&c, 0, zcbuf_batch, entries,
				 count * commit_size(a->flags), 0),
		     a->flags, item, n, count, how);
	if (kf_finish(&c))
		kf_give_back(item, n, a->out_done);
}

void kf_run_commit_reserve(struct kf_lane *l)
{
	unsigned int n, how = kf_sel(l, 2) % 13;
	struct kf_item *item[KF_ITEMS];
	struct zcbuf_commit_reserve *a;
	struct kf_argument c;
	__u32 count;

	a = KF_BEGIN(&c, l, zcbuf_commit_reserve);
	count = KF_COUNT(kf_sel(l, 1));
	n = pick_resvs(l, how == 12, item, &count);
	a->ncommits = count;
	a->nreserves = KF_COUNT(kf_sel(l, 3));
	a->channel = kf_channel_of(l, item, n);
	a->flags = kf_sel(l, 5) & 3;
	if (kf_sel(l, 5) & 4)
		a->flags |= ZCBUF_COMMIT_F_TAGGED;
	a->deadline_ns = kf_deadline(kf_sel(l, 7));
	c.deadline = offsetof(struct zcbuf_commit_reserve, deadline_ns);
	make_commits(l, KF_ARRAY(&c, 0, zcbuf_commit_reserve, commits,
				 count * commit_size(a->flags), 0),
		     a->flags, item, n, count, how);
	make_lengths(KF_ARRAY(&c, 1, zcbuf_commit_reserve, reserves,
			      a->nreserves * sizeof(struct zcbuf_reservation),
			      0),
		     a->nreserves, kf_sel(l, 4), kf_sel(l, 6));
	if (!kf_finish(&c))
		return;
	kf_give_back(item, n, a->out_committed);
	remember_resvs(&c, 1, a->out_reserved, a->channel);
}

void kf_run_abort(struct kf_lane *l)
{
	struct kf_item *item[KF_ITEMS];
	struct zcbuf_abort_entry *e;
	struct zcbuf_batch *a;
	struct kf_argument c;
	__u32 count, i;
	unsigned int n;

	a = KF_BEGIN(&c, l, zcbuf_batch);
	count = KF_COUNT(kf_sel(l, 1));
	n = pick_resvs(l, kf_sel(l, 2) % 4 == 3, item, &count);
	a->count = count;
	a->channel = kf_channel_of(l, item, n);
	e = KF_ARRAY(&c, 0, zcbuf_batch, entries, count * sizeof(*e), 0);
	for (i = 0; i < n && i < count; i++) {
		e[i].group = item[i]->group;
		e[i].id = item[i]->handle;
	}
	if (kf_finish(&c))
		kf_give_back(item, n, a->out_done);
}

void kf_run_flush(struct kf_lane *l)
{
	struct zcbuf_flush *a;
	struct kf_argument c;

	a = KF_BEGIN(&c, l, zcbuf_flush);
	a->channel = kf_pick_channel(l, kf_sel(l, 0));
	kf_finish(&c);
}

void kf_run_finalize(struct kf_lane *l)
{
	struct zcbuf_finalize *a;
	struct kf_argument c;

	a = KF_BEGIN(&c, l, zcbuf_finalize);
	a->channel = kf_pick_channel(l, kf_sel(l, 0));
	kf_finish(&c);
}

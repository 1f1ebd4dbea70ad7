// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Watching which channels with a name there are. The kernel lists all of them when
 * something has changed; what did is the difference from the list before, and is told
 * piece by piece. Only once all of it is told is the kernel asked again.
 */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

/*
 * struct list - channels, in the order of their handles
 * @entries: room for @room, of which @count are used
 */
struct list {
	struct zcbuf_watch_entry *entries;
	__u32 room;
	__u32 count;
};

/*
 * struct zcbuf_watcher
 * @pool: holds a reference
 * @generation: what @now is of, 0: nothing
 * @max: the most that can be asked for
 * @before: the list before @now; once its difference is told, where the next comes to
 * @now: the list that was asked for last
 * @gone: entries of @before that were looked at, all of them before any of @now
 * @there: entries of @now that were looked at
 */
struct zcbuf_watcher {
	struct zcbuf_pool *pool;
	__u64 generation;
	__u32 max;
	struct list before;
	struct list now;
	__u32 gone;
	__u32 there;
};

/* ------------------------------------------------------------------- lists */

static int by_channel(const void *a, const void *b)
{
	const struct zcbuf_watch_entry *x = a;
	const struct zcbuf_watch_entry *y = b;

	return (x->channel > y->channel) - (x->channel < y->channel);
}

static void list_sort(struct list *list)
{
	if (list->count)
		qsort(list->entries, list->count, sizeof(*list->entries),
		      by_channel);
}

/* The same channel, or NULL. */
static const struct zcbuf_watch_entry *
list_find(const struct list *list, const struct zcbuf_watch_entry *entry)
{
	if (!list->count)
		return NULL;
	return bsearch(entry, list->entries, list->count,
		       sizeof(*list->entries), by_channel);
}

/* For @count and some more, so that it is not asked twice for each that comes. */
static int list_grow(struct list *list, __u32 count, __u32 max)
{
	__u32 room = count + count / 2 < max ? count + count / 2 : max;
	void *entries = realloc(list->entries, room * sizeof(*list->entries));

	if (!entries)
		return -ENOMEM;
	list->entries = entries;
	list->room = room;
	return 0;
}

/* ------------------------------------------------------------------ asking */

/* Whatever fails, the kernel tells the same again: nothing is known of it yet. */
static int ask(const struct zcbuf_watcher *watcher, struct list *list,
	       struct zcbuf_watch *arg, __u64 deadline_ns)
{
	int err;

	for (;;) {
		*arg = (struct zcbuf_watch){
			.size = sizeof(*arg),
			.since = watcher->generation,
			.deadline_ns = deadline_ns,
			.entries = zcb_ptr(list->entries),
			.count = list->room,
			.entry_size = sizeof(*list->entries),
		};
		err = zcb_call(watcher->pool->session.fd, ZCBUF_NR_WATCH, arg);
		if (err != -EMSGSIZE)
			return err;
		err = list_grow(list, arg->out_count, watcher->max);
		if (err)
			return err;
	}
}

/* Nothing of the difference is left. */
static int look(struct zcbuf_watcher *watcher, __u64 deadline_ns)
{
	struct list list = watcher->before;
	struct zcbuf_watch arg;
	int err;

	err = ask(watcher, &list, &arg, deadline_ns);
	if (err) {
		/* It may have moved, and has nothing to be told. */
		list.count = 0;
		watcher->before = list;
		watcher->gone = 0;
		return err;
	}
	list.count = arg.out_count;
	list_sort(&list);
	watcher->before = watcher->now;
	watcher->now = list;
	watcher->generation = arg.out_generation;
	watcher->gone = 0;
	watcher->there = 0;
	return 0;
}

/* ----------------------------------------------------------------- telling */

static bool tell(struct zcbuf_watch_change *change, __u32 what,
		 const struct zcbuf_watch_entry *entry)
{
	*change = (struct zcbuf_watch_change){ .what = what, .entry = *entry };
	return true;
}

static bool tell_gone(struct zcbuf_watcher *watcher,
		      struct zcbuf_watch_change *change)
{
	const struct zcbuf_watch_entry *entry;

	while (watcher->gone < watcher->before.count) {
		entry = &watcher->before.entries[watcher->gone++];
		if (!list_find(&watcher->now, entry))
			return tell(change, ZCBUF_CHANNEL_GONE, entry);
	}
	return false;
}

static bool is_same(const struct zcbuf_watch_entry *a,
		    const struct zcbuf_watch_entry *b)
{
	return a->state == b->state && a->producers == b->producers &&
	       a->consumers == b->consumers;
}

static bool tell_there(struct zcbuf_watcher *watcher,
		       struct zcbuf_watch_change *change)
{
	const struct zcbuf_watch_entry *entry;
	const struct zcbuf_watch_entry *was;

	while (watcher->there < watcher->now.count) {
		entry = &watcher->now.entries[watcher->there++];
		was = list_find(&watcher->before, entry);
		if (!was)
			return tell(change, ZCBUF_CHANNEL_APPEARED, entry);
		if (!is_same(was, entry))
			return tell(change, ZCBUF_CHANNEL_CHANGED, entry);
	}
	return false;
}

int zcbuf_watch_next(struct zcbuf_watcher *watcher,
		     struct zcbuf_watch_change *change, __u64 deadline_ns)
{
	int err;

	/* A child is not told what its parent has not heard yet. */
	if (watcher->pool->session.fd < 0)
		return -EBADF;
	while (!tell_gone(watcher, change) && !tell_there(watcher, change)) {
		err = look(watcher, deadline_ns);
		if (err)
			return err;
	}
	return 0;
}

/* -------------------------------------------------------- opening, closing */

int zcbuf_watch_create(struct zcbuf_pool *pool, struct zcbuf_watcher **out)
{
	struct zcbuf_query query = { .size = sizeof(query) };
	struct zcbuf_watcher *watcher;
	int err;

	err = zcbuf_query(pool->session.fd, &query);
	if (err)
		return err;
	if (!(query.out_features & ZCBUF_FEATURE_WATCH))
		return -EOPNOTSUPP;
	watcher = calloc(1, sizeof(*watcher));
	if (!watcher)
		return -ENOMEM;
	zcb_pool_get(pool);
	watcher->pool = pool;
	watcher->max = query.out_max_channels;
	*out = watcher;
	return 0;
}

void zcbuf_watch_close(struct zcbuf_watcher *watcher)
{
	if (!watcher)
		return;
	zcb_pool_put(watcher->pool);
	free(watcher->before.entries);
	free(watcher->now.entries);
	free(watcher);
}

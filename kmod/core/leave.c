// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of producers, and of a stream. That of consumers is delivery.c.
 *
 * Nothing here sleeps or allocates; the caller holds the channel's lock.
 */
#include "delivery.h"
#include "topic.h"

/* The reservations of @list have no owner any more. */
static void resv_disown_all(struct list_head *list)
{
	struct zcb_resv *r, *tmp;

	list_for_each_entry_safe(r, tmp, list, in_owner) {
		list_del_init(&r->in_owner);
		r->owner = NULL;
	}
}

/**
 * zcb_stream_retire_producer() - an owner is gone, and may be storing
 * @s: the stream
 * @p: its port, for zcb_stream_drop_producer()
 * @now_ns: the time
 *
 * Context: The caller holds the channel's lock. Walks what @p has.
 */
void zcb_stream_retire_producer(struct zcb_stream *s, struct zcb_producer *p,
				u64 now_ns)
{
	struct zcb_resv *r, *tmp;

	list_for_each_entry_safe(r, tmp, &p->pending, in_owner)
		zcb_stream_fail(s, r, true, now_ns);
}

/**
 * zcb_stream_drop_producer() - an owner is gone
 * @s: the stream
 * @p: its port
 * @now_ns: the time
 *
 * What it had pending fails, and it stores nowhere any more.
 *
 * Context: The caller holds the channel's lock. Walks what @p has.
 */
void zcb_stream_drop_producer(struct zcb_stream *s, struct zcb_producer *p,
			      u64 now_ns)
{
	struct zcb_resv *r, *tmp;

	list_for_each_entry_safe(r, tmp, &p->pending, in_owner)
		zcb_stream_fail(s, r, false, now_ns);
	list_for_each_entry_safe(r, tmp, &p->stragglers, in_owner)
		zcb_stream_ack(s, r);
	resv_disown_all(&p->decided);
}

/* Nobody looks at what lingers any more. */
static void stream_end_lingering(struct zcb_stream *s)
{
	struct zcb_group *g, *tmp;

	s->ended = true;
	list_for_each_entry_safe(g, tmp, &s->lingering, queue)
		zcb_delivery_quiet(s, g);
}

/**
 * zcb_stream_end() - free every group that no retired port keeps
 * @s: the stream, with no other port left
 *
 * Context: The caller holds the channel's lock. Walks all groups.
 */
void zcb_stream_end(struct zcb_stream *s)
{
	struct zcb_group *g, *tmp;

	s->open = NULL;
	s->turn = NULL;
	stream_end_lingering(s);
	zcb_topic_forget(s, 0);
	list_for_each_entry_safe(g, tmp, &s->groups, in_stream) {
		if (g->state == ZCB_GROUP_HELD || g->state == ZCB_GROUP_OUT)
			continue;
		list_del_init(&g->queue);
		zcb_stream_bury(s, g);
	}
	s->nfreezing = 0;
	s->nparked = 0;
	s->nfailed = 0;
}

/**
 * zcb_stream_fini() - free every group that is left
 * @s: the stream, with no port left
 *
 * Context: The caller holds the channel's lock. Walks all groups.
 */
void zcb_stream_fini(struct zcb_stream *s)
{
	struct zcb_group *g, *tmp;

	s->open = NULL;
	s->turn = NULL;
	stream_end_lingering(s);
	list_for_each_entry_safe(g, tmp, &s->groups, in_stream) {
		list_del_init(&g->in_stream);
		list_del_init(&g->queue);
		zcb_stream_free(s, g);
	}
	s->nfreezing = 0;
	s->nparked = 0;
	s->nfailed = 0;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What topic.c and delivery.c need of slots.c, and nobody else.
 */
#ifndef ZCB_CORE_SLOTS_H
#define ZCB_CORE_SLOTS_H

#include "topic.h"

/**
 * zcb_slots_room() - is there room in a queue?
 * @c: the port
 *
 * It may hold more than it should, if it takes by itself: slots are all there is. Of a
 * stream these are what it may hold, so nothing is dealt to it that it could not take.
 *
 * Return: true if so.
 */
static inline bool zcb_slots_room(const struct zcb_consumer *c)
{
	u32 queued = c->queued + c->topic->promised;

	return queued < c->depth && queued + c->nheld < c->topic->nslots;
}

void zcb_slots_put(struct zcb_stream *s, struct zcb_consumer *c,
		   struct zcb_group *g, u32 lane);
void zcb_slots_drop(struct zcb_stream *s, struct zcb_consumer *c,
		    struct zcb_topic_slot *slot);
bool zcb_slots_claim(struct zcb_stream *s, struct zcb_consumer *c,
		     struct zcb_topic_slot *slot, u32 as);

/* Of a stream: a group goes into the queue of a port; which has younger ones? */
void zcb_slots_deal(struct zcb_stream *s, struct zcb_consumer *c,
		    struct zcb_group *g);
bool zcb_slots_younger(const struct zcb_consumer *c, u64 rank);
/* And what its consumer has not taken comes back, in order: into @c->queue. */
void zcb_slots_take_back(struct zcb_stream *s, struct zcb_consumer *c);

#endif /* ZCB_CORE_SLOTS_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of a stream need of each other and nobody else: stream.c
 * makes groups complete, delivery.c brings them to the ports and back.
 */
#ifndef ZCB_CORE_DELIVERY_H
#define ZCB_CORE_DELIVERY_H

#include "stream.h"

/* delivery.c */
void zcb_delivery_success(struct zcb_stream *s, struct zcb_group *g);
void zcb_delivery_failure(struct zcb_stream *s, struct zcb_group *g);
void zcb_delivery_end(struct zcb_stream *s);
void zcb_delivery_dead(struct zcb_stream *s, struct zcb_group *g);

/* stream.c */
struct zcb_group *zcb_stream_find_group(const struct zcb_stream *s, u64 id);
void zcb_stream_bury(struct zcb_stream *s, struct zcb_group *g);
void zcb_stream_free(struct zcb_stream *s, struct zcb_group *g);
void zcb_stream_fail(struct zcb_stream *s, struct zcb_resv *r, bool straggler,
		     u64 now_ns);

#endif /* ZCB_CORE_DELIVERY_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the other processes tell the coordinator. They all write to one pipe,
 * whole messages and never more than PIPE_BUF at once: so none is torn.
 */
#ifndef INGEST_MESSAGE_H
#define INGEST_MESSAGE_H

#include <stdint.h>

enum message_kind {
	MESSAGE_EXTENT,		/* written: offset, length, place */
	MESSAGE_LOST,		/* a failed reservation: id, offset, length */
	MESSAGE_GROUP,		/* all of group id is written and released */
	MESSAGE_FAILED_GROUP,	/* the same for one with failed reservations */
	MESSAGE_HOLDING,	/* I hold length reservations, and wait */
	MESSAGE_DONE,		/* I have nothing left to do */
};

/*
 * struct message
 * @kind: enum message_kind
 * @from: index of the sender
 * @id: of a reservation or group
 * @offset: stream offset
 * @length: bytes, or a count
 * @place: offset in the output
 */
struct message {
	uint32_t kind;
	uint32_t from;
	uint64_t id;
	uint64_t offset;
	uint64_t length;
	uint64_t place;
};

#endif /* INGEST_MESSAGE_H */

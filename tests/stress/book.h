/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Who delivers what: records say in their first bytes which reservation they
 * are, and in memory that all processes share is noted what became of each, by
 * those who wrote it and by those who received it.
 *
 * A process can be killed between a call and its note. Then a producer's note
 * is missing, and the record may be here or there; and of what a consumer had
 * just received nobody else will ever hear, so that many groups may be missing.
 */
#ifndef ZCBUF_STRESS_BOOK_H
#define ZCBUF_STRESS_BOOK_H

#include "stress.h"

#define BOOK_RECORDS	65536
#define BOOK_FULL	60000			/* producers are to end */
#define BOOK_READERS	(2 * STRESS_CREW)	/* threads */
#define BOOK_MAGIC	0x7a63627265636f72ULL
#define BOOK_MIN	64			/* bytes of a record */

/* What its producer knows of a reservation. */
enum book_fate {
	BOOK_UNKNOWN,
	BOOK_COMMITTED,
	BOOK_FAILED,
};

/* How it came out: each once is 1, so anything else is a bug. */
#define BOOK_DELIVERED	0x01
#define BOOK_PIECE	0x08
#define BOOK_LOST	0x40

/*
 * struct book - one round
 * @stop: producers are to come to an end
 * @group_of: of a reservation, plus 1; 0 if its producer was not that far
 * @fate: enum book_fate
 * @seen: sum of BOOK_DELIVERED and so on
 * @group: how often a group was received
 * @reading: groups a thread may have received and not noted
 * @missing: the sum of that of the killed
 * @received: groups, for people
 */
struct book {
	unsigned int stop;
	unsigned int align;
	__u32 group_of[BOOK_RECORDS];
	__u8 fate[BOOK_RECORDS];
	__u8 seen[BOOK_RECORDS];
	__u8 group[BOOK_RECORDS];
	unsigned int reading[BOOK_READERS];
	unsigned int missing;
	unsigned int received;
};

struct record {
	__u64 magic;
	__u64 id;
	__u64 group;
	__u64 offset;
	__u64 length;
};

static struct book *book;

static __inline__ bool book_stopped(void)
{
	return __atomic_load_n(&book->stop, __ATOMIC_ACQUIRE);
}

static __inline__ void book_add(__u8 *count, __u8 n)
{
	__atomic_fetch_add(count, n, __ATOMIC_RELAXED);
}

/* ---------------------------------------------------------------- producer */

static __inline__ unsigned char book_filling(__u64 id)
{
	return 1 + id % 251;
}

/* @length of the reservation are used. */
static __inline__ void book_write(char *map, const struct zcbuf_reservation *v,
				  __u64 length)
{
	struct record r = {
		.magic = BOOK_MAGIC, .id = v->out_id, .group = v->out_group,
		.offset = v->out_offset, .length = length,
	};
	char *p = map + v->out_pool_offset;

	if (v->out_id < BOOK_RECORDS)
		book->group_of[v->out_id] = v->out_group + 1;
	memcpy(p, &r, sizeof(r));
	memset(p + sizeof(r), book_filling(v->out_id), length - sizeof(r));
}

static __inline__ void book_fate(__u64 id, enum book_fate fate)
{
	if (id < BOOK_RECORDS)
		book->fate[id] = fate;
}

/* ---------------------------------------------------------------- consumer */

/* The record at @p, of a stream that is at @offset: its length, or 0. */
static __inline__ __u64 book_read(const char *p, __u64 room, __u64 group,
				  __u64 offset, __u8 how)
{
	struct record r;

	ASSERT_GE(room, sizeof(r));
	memcpy(&r, p, sizeof(r));
	ASSERT_EQ(r.magic, BOOK_MAGIC);
	ASSERT_EQ(r.group, group);
	ASSERT_EQ(r.offset, offset);
	ASSERT_GE(r.length, sizeof(r));
	ASSERT_LE(r.length, room);
	EXPECT_FILLED(p + sizeof(r), book_filling(r.id), r.length - sizeof(r));
	ASSERT_LT(r.id, BOOK_RECORDS);
	book_add(&book->seen[r.id], how);
	return r.length;
}

/* What is between two records is nobody's. */
static __inline__ __u64 book_next(__u64 offset, __u64 length)
{
	return (offset + length + book->align - 1) & -(__u64)book->align;
}

static __inline__ void book_received(__u64 group)
{
	ASSERT_LT(group, BOOK_RECORDS);
	book_add(&book->group[group], 1);
	__atomic_fetch_add(&book->received, 1, __ATOMIC_RELAXED);
}

static __inline__ void book_group(const char *map,
				  const struct zcbuf_delivery *d)
{
	__u64 offset = d->offset, end;
	__u32 i, records = 0;

	for (i = 0; i < d->nextents; i++) {
		const struct zcbuf_extent *e = &d->extents[i];
		const char *p = map + e->pool_offset - offset;

		for (end = offset + e->length; offset < end; records++)
			offset = book_next(offset,
					   book_read(p + offset, end - offset,
						     d->group, offset,
						     BOOK_DELIVERED));
		offset = end;
	}
	EXPECT_EQ(offset, d->offset + d->length);
	EXPECT_EQ(records, d->nrecords);
	book_received(d->group);
}

static __inline__ void book_failed_group(const char *map,
					 const struct zcbuf_receive_failed *f)
{
	const struct zcbuf_piece *piece = (const void *)f->pieces;
	const struct zcbuf_lost *lost = (const void *)f->lost;
	__u32 i;

	for (i = 0; i < f->npieces; i++)
		EXPECT_EQ(book_read(map + piece[i].pool_offset, piece[i].length,
				    f->out_delivery.group, piece[i].offset,
				    BOOK_PIECE), piece[i].length);
	for (i = 0; i < f->nlost; i++) {
		ASSERT_LT(lost[i].id, BOOK_RECORDS);
		book_add(&book->seen[lost[i].id], BOOK_LOST);
	}
	EXPECT_GT(f->nlost, 0);
	book_received(f->out_delivery.group);
}

/* ----------------------------------------------------------------- the sums */

/* The groups that nobody has; more than once is worse. */
static __inline__ unsigned int book_missing_groups(__u64 groups)
{
	unsigned int missing = 0;
	__u64 g;

	for (g = 0; g < groups; g++) {
		EXPECT_LE(book->group[g], 1);
		missing += !book->group[g];
	}
	return missing;
}

static __inline__ bool book_right(__u64 id, bool missing)
{
	__u8 seen = book->seen[id];

	if (!seen)
		return missing && (!book->group_of[id] ||
				   !book->group[book->group_of[id] - 1]);
	switch (book->fate[id]) {
	case BOOK_COMMITTED:
		return seen == BOOK_DELIVERED || seen == BOOK_PIECE;
	case BOOK_FAILED:
		return seen == BOOK_LOST;
	default:
		return seen == BOOK_DELIVERED || seen == BOOK_PIECE ||
		       seen == BOOK_LOST;
	}
}

/* All of @records reservations in @groups groups are somewhere, once. */
static __inline__ void book_check(__u64 records, __u64 groups)
{
	unsigned int missing;
	__u64 id;

	ASSERT_LE(records, BOOK_RECORDS);
	ASSERT_LE(groups, BOOK_RECORDS);
	missing = book_missing_groups(groups);
	EXPECT_LE(missing, book->missing);
	for (id = 0; id < records; id++) {
		if (book_right(id, missing))
			continue;
		ktap_note_failure();
		TEST_LOG("reservation %llu of %llu: fate %d, seen %#x, group %d",
			 (unsigned long long)id, (unsigned long long)records,
			 book->fate[id], book->seen[id],
			 (int)book->group_of[id] - 1);
	}
	for (id = records; id < BOOK_RECORDS; id++)
		EXPECT_EQ(book->seen[id], 0);
}

#endif /* ZCBUF_STRESS_BOOK_H */

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Scenarios 1 to 15 through the library: how reservations make groups, what
 * writers do, what is delivered when.
 */
#include "scen.h"

SCENARIO(1_one_reservation_one_group)
{
	struct zcbuf_writer w;
	struct scen s;

	scen_open(&s, arg, 100);
	w = scen_reserve(&s, 100);
	EXPECT_EQ(w.id, 0);
	EXPECT_EQ(w.group, 0);
	EXPECT_EQ(w.offset, 0);
	S_EMPTY(&s);
	scen_submit(&w, 0x01);
	EXPECT_EQ(w.is_open, 0);
	S_NEXT(&s, 0, { 100, 0x01 });
	FINALIZE(&s, 0, 0, 0);
	BOTH_END(&s);
	scen_close(&s);
}

SCENARIO(2_chunks_are_one_delivery)
{
	struct zcbuf_writer w;
	struct scen s;

	scen_open(&s, arg, 150);
	w = scen_reserve(&s, 150);
	scen_put(&w, 0x02, 50);
	EXPECT_EQ(zcbuf_writer_room(&w), 100);
	scen_put(&w, 0x03, 100);
	S_EMPTY(&s);
	EXPECT_OK(zcbuf_writer_commit(&w));
	S_NEXT(&s, 0, { 50, 0x02 }, { 100, 0x03 });
	FINALIZE(&s, 0, 0, 0);
	BOTH_END(&s);
	scen_close(&s);
}

/* The writer of each kind that is not decided when its owner drops it. */
static void undecided(const void *arg, size_t n, size_t put)
{
	struct zcbuf_writer w;
	struct scen s;

	scen_open(&s, arg, 100);
	w = scen_reserve(&s, n);
	if (put)
		scen_put(&w, 0x04, put);
	EXPECT_OK(zcbuf_writer_drop(&w));
	EXPECT_EQ(w.is_open, 0);
	EXPECT_OK(zcbuf_writer_drop(&w));
	F_EMPTY(&s);
	FINALIZE(&s, 0, 1, 0);
	S_END(&s);
	F_NEXT(&s, 0, NO_PIECES, LOST({ 0, 0, n }));
	F_END(&s);
	scen_close(&s);
}

SCENARIO(3_undecided_writer_of_50)
{
	undecided(arg, 50, 0);
}

SCENARIO(3_undecided_single_of_60)
{
	undecided(arg, 60, 0);
}

SCENARIO(3_undecided_chunked_of_70)
{
	undecided(arg, 70, 30);
}

SCENARIO(4_single_of_wrong_size_fails)
{
	struct zcbuf_writer w;
	struct scen s;

	scen_open(&s, arg, 100);
	w = scen_reserve(&s, 50);
	EXPECT_ERR(zcbuf_writer_submit(&w, scen_bytes(4, 40), 40), EMSGSIZE);
	EXPECT_EQ(w.is_open, 0);
	F_EMPTY(&s);
	w = scen_reserve(&s, 50);
	EXPECT_ERR(zcbuf_writer_submit(&w, scen_bytes(4, 60), 60), EMSGSIZE);
	EXPECT_EQ(w.is_open, 0);
	S_EMPTY(&s);
	F_THEN_FINALIZE(&s, 0, NO_PIECES, LOST({ 0, 0, 50 }, { 1, 50, 50 }));
	BOTH_END(&s);
	scen_close(&s);
}

SCENARIO(5_chunked_too_short_fails)
{
	struct zcbuf_writer w;
	struct scen s;

	scen_open(&s, arg, 100);
	w = scen_reserve(&s, 50);
	scen_put(&w, 5, 20);
	EXPECT_ERR(zcbuf_writer_commit(&w), EMSGSIZE);
	w = scen_reserve(&s, 5);
	EXPECT_ERR(zcbuf_writer_commit(&w), EMSGSIZE);
	EXPECT_EQ(w.is_open, 0);
	F_EMPTY(&s);
	FINALIZE(&s, 0, 1, 0);
	F_NEXT(&s, 0, NO_PIECES, LOST({ 0, 0, 50 }, { 1, 50, 5 }));
	BOTH_END(&s);
	scen_close(&s);
}

SCENARIO(6_too_large_a_chunk_is_refused)
{
	struct zcbuf_writer w;
	struct scen s;

	scen_open(&s, arg, 50);
	w = scen_reserve(&s, 50);
	scen_put(&w, 6, 30);
	EXPECT_ERR(zcbuf_writer_put(&w, scen_bytes(7, 25), 25), EFBIG);
	EXPECT_EQ(zcbuf_writer_room(&w), 20);
	scen_put(&w, 6, 0);
	scen_put(&w, 8, 20);
	scen_put(&w, 6, 0);
	EXPECT_ERR(zcbuf_writer_put(&w, "x", 1), EFBIG);
	EXPECT_ERR(zcbuf_writer_placed(&w, 1), EFBIG);
	EXPECT_EQ(zcbuf_writer_room(&w), 0);
	EXPECT_OK(zcbuf_writer_commit(&w));
	S_NEXT(&s, 0, { 30, 6 }, { 20, 8 });
	FINALIZE(&s, 0, 0, 0);
	BOTH_END(&s);
	scen_close(&s);
}

SCENARIO(7_nothing_cannot_be_reserved)
{
	struct zcbuf_writer w;
	struct scen s;

	scen_open(&s, arg, 100);
	EXPECT_ERR(zcbuf_writer_reserve(s.ch, 0, 0, 0, &w), EINVAL);
	EXPECT_EQ(w.is_open, 0);
	w = scen_reserve(&s, 10);
	EXPECT_EQ(w.id, 0);
	EXPECT_EQ(w.offset, 0);
	EXPECT_EQ(w.group, 0);
	scen_submit(&w, 7);
	FINALIZE(&s, 1, 0, 0);
	S_NEXT(&s, 0, { 10, 7 });
	BOTH_END(&s);
	scen_close(&s);
}

SCENARIO(8_ids_and_offsets)
{
	struct zcbuf_writer w[3];
	struct scen s;

	scen_open(&s, arg, 1000);
	w[0] = scen_reserve(&s, 50);
	w[1] = scen_reserve(&s, 40);
	w[2] = scen_reserve(&s, 30);
	EXPECT_EQ(w[0].id, 0);
	EXPECT_EQ(w[1].id, 1);
	EXPECT_EQ(w[2].id, 2);
	EXPECT_EQ(w[0].offset, 0);
	EXPECT_EQ(w[1].offset, 50);
	EXPECT_EQ(w[2].offset, 90);
	EXPECT_EQ(w[0].group | w[1].group | w[2].group, 0);
	EXPECT_EQ(w[1].data - w[0].data, 50);
	EXPECT_EQ(w[2].data - w[0].data, 90);
	scen_submit(&w[2], 3);
	scen_submit(&w[0], 1);
	scen_submit(&w[1], 2);
	FINALIZE(&s, 1, 0, 0);
	S_NEXT(&s, 0, { 50, 1 }, { 40, 2 }, { 30, 3 });
	BOTH_END(&s);
	scen_close(&s);
}

SCENARIO(9_a_group_seals_when_it_is_reserved_full)
{
	struct zcbuf_writer w[3];
	struct scen s;

	scen_open(&s, arg, 80);
	w[0] = scen_reserve(&s, 50);
	w[1] = scen_reserve(&s, 40);
	w[2] = scen_reserve(&s, 1);
	EXPECT_EQ(w[0].group, 0);
	EXPECT_EQ(w[1].group, 0);
	EXPECT_EQ(w[1].offset, 50);
	EXPECT_EQ(w[2].group, 1);
	EXPECT_EQ(w[2].offset, 90);
	S_EMPTY(&s);
	scen_submit(&w[0], 1);
	scen_submit(&w[1], 2);
	scen_submit(&w[2], 3);
	S_NEXT(&s, 0, { 50, 1 }, { 40, 2 });
	S_EMPTY(&s);
	FINALIZE(&s, 1, 0, 0);
	S_NEXT(&s, 90, { 1, 3 });
	BOTH_END(&s);
	scen_close(&s);
}

SCENARIO(9_a_large_one_is_sealed_at_birth)
{
	struct zcbuf_writer w[2];
	struct scen s;

	scen_open(&s, arg, 50);
	w[0] = scen_reserve(&s, 60);
	w[1] = scen_reserve(&s, 30);
	EXPECT_EQ(w[0].group, 0);
	EXPECT_EQ(w[1].group, 1);
	EXPECT_EQ(w[1].offset, 60);
	scen_submit(&w[0], 1);
	S_NEXT(&s, 0, { 60, 1 });
	scen_submit(&w[1], 2);
	S_EMPTY(&s);
	FINALIZE(&s, 1, 0, 0);
	S_NEXT(&s, 60, { 30, 2 });
	BOTH_END(&s);
	scen_close(&s);
}

SCENARIO(10_a_reservation_is_never_split)
{
	struct zcbuf_writer w[3];
	struct scen s;

	scen_open(&s, arg, 600);
	w[0] = scen_reserve(&s, 599);
	w[1] = scen_reserve(&s, 10000);
	w[2] = scen_reserve(&s, 1);
	EXPECT_EQ(w[0].group, 0);
	EXPECT_EQ(w[1].group, 0);
	EXPECT_EQ(w[2].group, 1);
	EXPECT_EQ(w[2].offset, 10599);
	scen_submit(&w[1], 2);
	S_EMPTY(&s);
	scen_submit(&w[0], 1);
	S_NEXT(&s, 0, { 599, 1 }, { 10000, 2 });
	S_EMPTY(&s);
	EXPECT_OK(zcbuf_writer_drop(&w[2]));
	FINALIZE(&s, 0, 1, 0);
	F_NEXT(&s, 1, NO_PIECES, LOST({ 2, 10599, 1 }));
	BOTH_END(&s);
	scen_close(&s);
}

SCENARIO(11_threshold_0_is_a_group_each)
{
	struct zcbuf_writer w;
	struct scen s;
	int i;

	scen_open(&s, arg, 0);
	for (i = 0; i < 3; i++) {
		w = scen_reserve(&s, 5);
		EXPECT_EQ(w.group, i);
		scen_submit(&w, i + 1);
	}
	S_NEXT(&s, 0, { 5, 1 });
	S_NEXT(&s, 5, { 5, 2 });
	S_NEXT(&s, 10, { 5, 3 });
	S_EMPTY(&s);
	FINALIZE(&s, 0, 0, 0);
	BOTH_END(&s);
	scen_close(&s);
}

SCENARIO(12_the_whole_story)
{
	struct zcbuf_writer w, lost;
	struct scen s;

	scen_open(&s, arg, 600);
	scen_write(&s, 200, 1);
	scen_write(&s, 300, 2);
	S_EMPTY(&s);
	scen_write(&s, 500, 3);
	S_NEXT(&s, 0, { 200, 1 }, { 300, 2 }, { 500, 3 });

	scen_write(&s, 400, 4);
	w = scen_reserve(&s, 250);
	scen_put(&w, 5, 100);
	scen_put(&w, 6, 150);
	S_EMPTY(&s);
	EXPECT_OK(zcbuf_writer_commit(&w));
	S_NEXT(&s, 1000, { 400, 4 }, { 100, 5 }, { 150, 6 });

	lost = scen_reserve(&s, 100);
	w = scen_reserve(&s, 50);
	EXPECT_ERR(zcbuf_writer_submit(&w, scen_bytes(7, 60), 60), EMSGSIZE);
	EXPECT_OK(zcbuf_writer_drop(&lost));
	scen_write(&s, 30, 8);
	S_EMPTY(&s);
	F_EMPTY(&s);
	FINALIZE(&s, 0, 1, 0);
	F_NEXT(&s, 2, PIECES({ 1800, 30, 8 }),
	       LOST({ 5, 1650, 100 }, { 6, 1750, 50 }));
	BOTH_END(&s);
	scen_close(&s);
}

SCENARIO(13_order_of_completion)
{
	struct zcbuf_writer w[3];
	struct scen s;
	int i;

	scen_open(&s, arg, 100);
	for (i = 0; i < 3; i++)
		w[i] = scen_reserve(&s, 100);
	for (i = 2; i >= 0; i--)
		scen_submit(&w[i], i + 1);
	S_NEXT(&s, 200, { 100, 3 });
	S_NEXT(&s, 100, { 100, 2 });
	S_NEXT(&s, 0, { 100, 1 });
	S_EMPTY(&s);
	FINALIZE(&s, 0, 0, 0);
	BOTH_END(&s);
	scen_close(&s);
}

SCENARIO(14_pieces_around_a_lost_one)
{
	struct zcbuf_writer w;
	struct scen s;

	scen_open(&s, arg, 200);
	w = scen_reserve(&s, 50);
	scen_put(&w, 1, 20);
	scen_put(&w, 1, 30);
	EXPECT_OK(zcbuf_writer_commit(&w));
	w = scen_reserve(&s, 30);
	EXPECT_OK(zcbuf_writer_drop(&w));
	F_EMPTY(&s);
	scen_write(&s, 160, 3);
	S_EMPTY(&s);
	F_THEN_FINALIZE(&s, 0, PIECES({ 0, 50, 1 }, { 80, 160, 3 }),
			LOST({ 1, 50, 30 }));
	BOTH_END(&s);
	scen_close(&s);
}

/* Neighbours are not merged: one piece for each reservation. */
SCENARIO(14_pieces_are_reservations)
{
	struct zcbuf_writer w;
	struct scen s;

	scen_open(&s, arg, 100);
	scen_write(&s, 20, 1);
	scen_write(&s, 30, 2);
	w = scen_reserve(&s, 50);
	EXPECT_OK(zcbuf_writer_drop(&w));
	F_THEN_FINALIZE(&s, 0, PIECES({ 0, 20, 1 }, { 20, 30, 2 }),
			LOST({ 2, 50, 50 }));
	BOTH_END(&s);
	scen_close(&s);
}

SCENARIO(15_finalize_delivers_the_tail)
{
	struct scen s;

	scen_open(&s, arg, 1000);
	scen_write(&s, 30, 1);
	S_EMPTY(&s);
	FINALIZE(&s, 1, 0, 0);
	S_NEXT(&s, 0, { 30, 1 });
	BOTH_END(&s);
	scen_close(&s);
}

SCENARIO(15_finalize_of_nothing)
{
	struct scen s;

	scen_open(&s, arg, 1000);
	S_EMPTY(&s);
	F_EMPTY(&s);
	FINALIZE(&s, 0, 0, 0);
	BOTH_END(&s);
	scen_close(&s);
}

KTAP_MAIN()

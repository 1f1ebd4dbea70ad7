/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the scenarios of reservations and groups share: a stream with align 1,
 * written through one session and read through another, which has read-only
 * rights and a mapping of its own, so that bytes are seen where a consumer sees
 * them. Each scenario runs twice, with HOLD_FAILED ("hold") and without
 * ("prompt").
 */
#ifndef ZCBUF_SELFTEST_SCEN_H
#define ZCBUF_SELFTEST_SCEN_H

#include <stdint.h>

#include <zcbuf/zcbuf.h>

#include "common.h"
#include "ktap.h"

#define SCEN_LONG_MS	30000	/* only a hang takes as long */

static const int scen_hold = 1;
static const int scen_prompt;

#define SCENARIO(id)							\
	static void scenario_##id(const void *arg);			\
	TEST_WITH(scenario_##id, scenario_##id##_hold, &scen_hold)	\
	TEST_WITH(scenario_##id, scenario_##id##_prompt, &scen_prompt)	\
	static void scenario_##id(const void *arg)

struct scen {
	struct zcbuf_pool *pool;	/* the producer's session */
	struct zcbuf_channel *ch;
	struct zcbuf_pool *reader;	/* the consumer's */
	struct zcbuf_channel *in;
	char name[32];			/* of the pool, for other processes */
	int hold;
};

/* @n bytes of value @byte. */
struct scen_run {
	size_t n;
	unsigned char byte;
};

struct scen_piece {
	__u64 offset;
	size_t n;
	unsigned char byte;
};

/* ------------------------------------------------------------ set up, tear */

static __inline__ void scen_open_opts(struct scen *s, const void *variant,
				      struct zcbuf_channel_opts opts,
				      __u32 depth)
{
	struct zcbuf_pool_opts po = {
		.sz = sizeof(po), .arena_size = ZT_ARENA,
	};
	struct zcbuf_attach_opts ao = {
		.sz = sizeof(ao), .rights = ZT_READ_ONLY,
	};

	memset(s, 0, sizeof(*s));
	s->hold = *(const int *)variant;
	snprintf(s->name, sizeof(s->name), "scenario-%d", getpid());
	po.name = s->name;
	ASSERT_OK(zcbuf_pool_create(&s->pool, &po));
	opts.sz = sizeof(opts);
	opts.ports = ZCBUF_PORT_PRODUCE;
	opts.flags |= ZCBUF_CHANNEL_F_THRESHOLD |
		      (s->hold ? ZCBUF_CHANNEL_F_HOLD_FAILED : 0);
	ASSERT_OK(zcbuf_channel_create(s->pool, &opts, &s->ch));
	ASSERT_OK(zcbuf_pool_attach_fd(&s->reader, zcbuf_pool_fd(s->pool),
				       &ao));
	ASSERT_OK(zcbuf_channel_attach(s->reader, zcbuf_channel_handle(s->ch),
				       ZCBUF_PORT_CONSUME |
				       ZCBUF_PORT_RECV_FAILED, depth, &s->in));
}

static __inline__ void scen_open(struct scen *s, const void *variant,
				 __u64 threshold)
{
	struct zcbuf_channel_opts opts = { .align = 1, .threshold = threshold };

	scen_open_opts(s, variant, opts, 0);
}

static __inline__ __u64 scen_used(const struct scen *s)
{
	return zt_used(zcbuf_pool_fd(s->reader));
}

/* All was received and released: nothing may be left. */
static __inline__ void scen_close(struct scen *s)
{
	struct zcbuf_pool_info info = { .size = sizeof(info) };

	ASSERT_OK(zcbuf_pool_info(s->reader, &info));
	EXPECT_EQ(info.out_used, 0);
	EXPECT_EQ(info.out_bad_frees, 0);
	EXPECT_EQ(info.out_largest_free, info.out_size);
	EXPECT_OK(zcbuf_channel_close(s->in));
	EXPECT_OK(zcbuf_channel_close(s->ch));
	EXPECT_OK(zcbuf_pool_close(s->reader));
	EXPECT_OK(zcbuf_pool_close(s->pool));
}

/* ---------------------------------------------------------------- producer */

static __inline__ const void *scen_bytes(unsigned char byte, size_t n)
{
	static unsigned char bytes[1 << 16];

	ASSERT_LE(n, sizeof(bytes));
	return memset(bytes, byte, n);
}

static __inline__ struct zcbuf_writer scen_reserve(struct scen *s, size_t n)
{
	struct zcbuf_writer w;

	ASSERT_OK(zcbuf_writer_reserve(s->ch, n, 0, 0, &w));
	ASSERT_EQ(w.length, n);
	return w;
}

/* In place, and as bytes to be copied: both ways lead there. */
static __inline__ void scen_submit(struct zcbuf_writer *w, unsigned char byte)
{
	memset(w->data, byte, w->length);
	EXPECT_OK(zcbuf_writer_submit_placed(w, w->length));
}

static __inline__ void scen_put(struct zcbuf_writer *w, unsigned char byte,
				size_t n)
{
	EXPECT_OK(zcbuf_writer_put(w, scen_bytes(byte, n), n));
}

static __inline__ void scen_write(struct scen *s, size_t n, unsigned char byte)
{
	struct zcbuf_writer w = scen_reserve(s, n);

	EXPECT_OK(zcbuf_writer_submit(&w, scen_bytes(byte, n), n));
}

/* ---------------------------------------------------------------- consumer */

/* A check in a helper tells the line of the test that asked for it. */
#define SCEN_AT(call) do {						\
	unsigned int scen_before = ktap_shared->failures;		\
	call;								\
	if (ktap_shared->failures != scen_before)			\
		TEST_LOG("  (for line %d of the test)", __LINE__);	\
} while (0)

static __inline__ void scen_check_bytes(struct scen *s,
					const struct zcbuf_delivery *d,
					const struct scen_run *run)
{
	struct iovec iov[ZCBUF_MAX_EXTENTS];
	size_t n, left = run->n, total = 0;
	unsigned char *p;
	int i, niov;

	niov = zcbuf_delivery_iovec(s->reader, d, iov);
	ASSERT_EQ(niov, d->nextents);
	for (i = 0; i < niov; i++) {
		p = iov[i].iov_base;
		total += iov[i].iov_len;
		while (iov[i].iov_len && run->n) {
			n = left < iov[i].iov_len ? left : iov[i].iov_len;
			EXPECT_FILLED(p, run->byte, n);
			p += n;
			iov[i].iov_len -= n;
			left -= n;
			if (!left)
				left = (++run)->n;
		}
	}
	EXPECT_EQ(total, d->length);
}

/* Receive and release the next group: @offset, and @run up to one of 0 bytes */
static __inline__ void scen_take(struct scen *s, __u64 offset,
				 const struct scen_run *run)
{
	const struct scen_run *r;
	struct zcbuf_delivery d;
	size_t length = 0;

	for (r = run; r->n; r++)
		length += r->n;
	ASSERT_EQ(zcbuf_receive(s->in, &d, 1, 0), 1);
	EXPECT_EQ(d.offset, offset);
	EXPECT_EQ(d.length, length);
	if (d.length == length)
		scen_check_bytes(s, &d, run);
	EXPECT_EQ(zcbuf_release(s->in, &d.handle, 1), 1);
}

#define S_NEXT(s, offset, ...)						\
	SCEN_AT(scen_take(s, offset,					\
		(const struct scen_run[]){ __VA_ARGS__, { 0, 0 } }))

static __inline__ int scen_no_group(struct scen *s)
{
	struct zcbuf_delivery d;

	return zcbuf_receive(s->in, &d, 1, 0);
}

#define S_EMPTY(s)	EXPECT_ERR(scen_no_group(s), EAGAIN)
#define S_END(s)	EXPECT_ERR(scen_no_group(s), ESHUTDOWN)

static __inline__ void scen_check_failed(struct scen *s,
					 const struct zcbuf_failed *f,
					 const struct scen_piece *piece,
					 const struct zcbuf_lost *lost)
{
	struct iovec iov;
	__u32 i;

	for (i = 0; i < f->npieces && piece[i].n; i++) {
		EXPECT_EQ(f->pieces[i].offset, piece[i].offset);
		EXPECT_EQ(f->pieces[i].length, piece[i].n);
		ASSERT_EQ(zcbuf_pieces_iovec(s->reader, &f->pieces[i], 1, &iov),
			  1);
		EXPECT_FILLED(iov.iov_base, piece[i].byte, iov.iov_len);
	}
	EXPECT_EQ(f->npieces, i);
	EXPECT_EQ(piece[i].n, 0);
	for (i = 0; i < f->nlost && lost[i].length; i++) {
		EXPECT_EQ(f->lost[i].id, lost[i].id);
		EXPECT_EQ(f->lost[i].offset, lost[i].offset);
		EXPECT_EQ(f->lost[i].length, lost[i].length);
	}
	EXPECT_EQ(f->nlost, i);
	EXPECT_EQ(lost[i].length, 0);
}

/* Receive and release the next failed group; arrays end with length 0. */
static __inline__ void scen_take_failed(struct scen *s, __u64 group,
					const struct scen_piece *piece,
					const struct zcbuf_lost *lost)
{
	struct zcbuf_failed *f;

	ASSERT_OK(zcbuf_receive_failed(s->in, &f, 0));
	EXPECT_EQ(f->delivery.group, group);
	scen_check_failed(s, f, piece, lost);
	EXPECT_EQ(zcbuf_release(s->in, &f->delivery.handle, 1), 1);
	zcbuf_failed_free(f);
}

#define PIECES(...)	(const struct scen_piece[]){ __VA_ARGS__, { 0, 0, 0 } }
#define NO_PIECES	(const struct scen_piece[]){ { 0, 0, 0 } }
#define LOST(...)	(const struct zcbuf_lost[]){ __VA_ARGS__, { 0, 0, 0 } }

#define F_NEXT(s, group, pieces, ...)					\
	SCEN_AT(scen_take_failed(s, group, pieces, __VA_ARGS__))

static __inline__ int scen_no_failed(struct scen *s)
{
	struct zcbuf_failed *f = NULL;
	int err = zcbuf_receive_failed(s->in, &f, 0);

	zcbuf_failed_free(f);
	return err;
}

#define F_EMPTY(s)	EXPECT_ERR(scen_no_failed(s), EAGAIN)
#define F_END(s)	EXPECT_ERR(scen_no_failed(s), ESHUTDOWN)

static __inline__ void scen_finalize(struct scen *s, __u64 success,
				     __u64 failure, __u64 reservations)
{
	struct zcbuf_counts c = { 99, 99, 99 };

	ASSERT_OK(zcbuf_channel_finalize(s->ch, &c));
	EXPECT_EQ(c.success, success);
	EXPECT_EQ(c.failure, failure);
	EXPECT_EQ(c.reservations, reservations);
}

/* {groups delivered, groups failed, reservations failed} by this very call. */
#define FINALIZE(s, success, failure, reservations)			\
	SCEN_AT(scen_finalize(s, success, failure, reservations))

/*
 * A complete failed group: with HOLD_FAILED it comes with the finalize that
 * counts it, without it has come before and is counted no more.
 */
#define F_THEN_FINALIZE(s, group, pieces, ...) do {			\
	if ((s)->hold) {						\
		F_EMPTY(s);						\
		FINALIZE(s, 0, 1, 0);					\
		F_NEXT(s, group, pieces, __VA_ARGS__);			\
	} else {							\
		F_NEXT(s, group, pieces, __VA_ARGS__);			\
		F_EMPTY(s);						\
		FINALIZE(s, 0, 0, 0);					\
	}								\
} while (0)

#define BOTH_END(s) do { S_END(s); F_END(s); } while (0)

#endif /* ZCBUF_SELFTEST_SCEN_H */

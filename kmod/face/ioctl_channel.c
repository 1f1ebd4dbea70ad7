// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls on channels, the producer's side.
 */
#include <linux/log2.h>
#include <linux/uaccess.h>

#include "ioctl.h"

#define ZCB_CHANNEL_ALIGN	64
#define ZCB_CHANNEL_ALIGN_MAX	4096
#define ZCB_CHANNEL_THRESHOLD	((u64)1 << 20)
#define ZCB_CHANNEL_RESV_MIN	4096U
#define ZCB_CHANNEL_OUTSTANDING	65536U
#define ZCB_CHANNEL_BYTES_MAX	((u64)1 << 40)	/* sums of two do not overflow */
#define ZCB_CHANNEL_PORTS	(ZCBUF_PORT_PRODUCE | ZCBUF_PORT_CONSUME | \
				 ZCBUF_PORT_RECV_FAILED)
#define ZCB_CHUNKS_AT_ONCE	32

/* Ways to open, not properties. */
#define ZCB_CHANNEL_HOW		(ZCBUF_CHANNEL_F_EXISTING | ZCBUF_CHANNEL_F_NEW)

static int channel_check_rights(const struct zcb_call *c, u32 ports)
{
	u32 rights = 0;

	if (ports & ZCBUF_PORT_PRODUCE)
		rights |= ZCBUF_RIGHT_PRODUCE;
	if (ports & ~ZCBUF_PORT_PRODUCE)
		rights |= ZCBUF_RIGHT_CONSUME;
	return (c->s->rights & rights) == rights ? 0 : -EPERM;
}

/* Which channel: one way of saying so. */
static int channel_check_which(const struct zcbuf_channel_open *a)
{
	u32 how = a->flags & ZCB_CHANNEL_HOW;

	if (how == ZCB_CHANNEL_HOW || (how && !a->name) ||
	    (a->name && a->channel))
		return -EINVAL;
	if (a->deadline_ns && !(how & ZCBUF_CHANNEL_F_EXISTING))
		return -EINVAL;
	return 0;
}

/* What is wrong with it as a topic, or as a stream? */
static int channel_check_mode(const struct zcb_call *c)
{
	const struct zcbuf_channel_open *a = c->arg;
	bool topic = a->flags & ZCBUF_CHANNEL_F_TOPIC;

	if (a->history && (!topic || a->history >= ZCB_CHANNEL_OUTSTANDING ||
			   (a->max_outstanding &&
			    a->history >= a->max_outstanding)))
		return -EINVAL;
	if (topic && a->flags & ZCBUF_CHANNEL_F_ORDERED)
		return -EINVAL;
	/* A FIXED pool has topics only, however one comes to them. */
	if (!topic && !a->channel && !(a->flags & ZCBUF_CHANNEL_F_EXISTING) &&
	    c->pool->cfg.kind == ZCBUF_POOL_FIXED)
		return -EINVAL;
	return 0;
}

static int channel_check_port(const struct zcbuf_channel_open *a)
{
	if (!a->ports || a->depth > ZCB_QUEUE_DEPTH_MAX ||
	    a->max_held > ZCB_QUEUE_HELD_MAX || a->lanes > ZCBUF_MAX_LANES ||
	    a->policy > ZCBUF_POLICY_DROP_OLDEST)
		return -EINVAL;
	if (a->ports & ZCBUF_PORT_CONSUME)
		return 0;
	return a->policy || a->max_held || a->lanes || a->replay ? -EINVAL : 0;
}

static int channel_check_sizes(const struct zcbuf_channel_open *a)
{
	if (a->align && (!is_power_of_2(a->align) ||
			 a->align > ZCB_CHANNEL_ALIGN_MAX))
		return -EINVAL;
	if (a->threshold && !(a->flags & ZCBUF_CHANNEL_F_THRESHOLD))
		return -EINVAL;
	if (a->max_outstanding > ZCB_CHANNEL_OUTSTANDING)
		return -EINVAL;
	if (a->threshold > ZCB_CHANNEL_BYTES_MAX ||
	    a->max_reservation > ZCB_CHANNEL_BYTES_MAX)
		return -E2BIG;
	return 0;
}

static int channel_check_open(const struct zcb_call *c)
{
	const struct zcbuf_channel_open *a = c->arg;

	if (a->__reserved || a->__reserved2 || a->ports & ~ZCB_CHANNEL_PORTS)
		return -EOPNOTSUPP;
	return channel_check_port(a) ?: channel_check_which(a) ?:
	       channel_check_mode(c) ?: channel_check_sizes(a) ?:
	       channel_check_rights(c, a->ports);
}

/* Defaults filled in. */
static void channel_read_config(const struct zcb_call *c,
				struct zcb_channel_config *cfg)
{
	const struct zcbuf_channel_open *a = c->arg;
	struct zcb_stream_config *s = &cfg->stream;

	cfg->flags = a->flags & ~(ZCBUF_CHANNEL_F_THRESHOLD | ZCB_CHANNEL_HOW);
	s->topic = a->flags & ZCBUF_CHANNEL_F_TOPIC;
	if (s->topic)
		cfg->flags |= ZCBUF_CHANNEL_F_NO_AUTO_FINALIZE;
	cfg->max_age_us = a->max_age_us;
	s->threshold = a->flags & ZCBUF_CHANNEL_F_THRESHOLD ?
		       a->threshold : ZCB_CHANNEL_THRESHOLD;
	s->max_reservation = a->max_reservation ?:
			     max_t(u64, s->threshold, ZCB_CHANNEL_RESV_MIN);
	if (c->pool->cfg.kind != ZCBUF_POOL_FIXED)
		s->max_extent = zcb_pool_largest(c->pool);
	s->align = a->align ?: ZCB_CHANNEL_ALIGN;
	s->max_outstanding = a->max_outstanding ?: ZCB_CHANNEL_OUTSTANDING;
	s->history = a->history;
	s->page_shift = PAGE_SHIFT;
	s->immutable = a->flags & ZCBUF_CHANNEL_F_IMMUTABLE;
	/* Whole huge pages, where there may be any. */
	if (s->immutable && !(c->pool->cfg.flags & ZCBUF_POOL_F_SMALL_PAGES))
		s->grain_shift = ilog2(ZCB_ARENA_UNIT);
	s->hold_failed = a->flags & ZCBUF_CHANNEL_F_HOLD_FAILED;
	s->ordered = a->flags & ZCBUF_CHANNEL_F_ORDERED;
}

static bool channel_wants_defaults(const struct zcbuf_channel_open *a)
{
	return !(a->flags & ~(ZCB_CHANNEL_HOW | ZCBUF_CHANNEL_F_TOPIC)) &&
	       !a->align && !a->threshold && !a->max_reservation &&
	       !a->max_age_us && !a->max_outstanding && !a->history;
}

static bool label_is_valid(const char *label, u32 len, u32 least)
{
	u32 i;

	if (len < least || len > ZCBUF_MAX_LABEL)
		return false;
	for (i = 0; i < len; i++)
		if (label[i] <= ' ' || label[i] > '~' || label[i] == '/')
			return false;
	return true;
}

static void label_clear(char *label, u32 len)
{
	memset(label + len, 0, ZCBUF_MAX_LABEL - len);
}

static int channel_read_name(u64 uptr, struct zcbuf_channel_name *n)
{
	if (copy_from_user(n, u64_to_user_ptr(uptr), sizeof(*n)))
		return -EFAULT;
	if (n->__reserved)
		return -EOPNOTSUPP;
	if (!label_is_valid(n->domain, n->domain_len, 0) ||
	    !label_is_valid(n->service, n->service_len, 1) ||
	    !label_is_valid(n->instance, n->instance_len, 1) ||
	    !label_is_valid(n->event, n->event_len, 1))
		return -EINVAL;
	label_clear(n->domain, n->domain_len);
	label_clear(n->service, n->service_len);
	label_clear(n->instance, n->instance_len);
	label_clear(n->event, n->event_len);
	return 0;
}

static u64 channel_block(const struct zcb_stream_config *cfg)
{
	return cfg->max_extent ? zcb_stream_block(cfg) : 0;
}

static void channel_wish(const struct zcb_call *c, struct zcb_channel_wish *w)
{
	const struct zcbuf_channel_open *a = c->arg;

	w->handle = a->channel;
	w->existing = a->flags & ZCBUF_CHANNEL_F_EXISTING;
	w->fresh = a->flags & ZCBUF_CHANNEL_F_NEW;
	w->deadline_ns = zcb_call_deadline(c, a->deadline_ns);
	w->any = channel_wants_defaults(a);
	w->port = (struct zcb_port_config) {
		.kinds = a->ports,
		.depth = a->depth,
		.policy = a->policy,
		.max_held = a->max_held,
		.lanes = a->lanes,
		.replay = a->replay,
	};
}

/**
 * zcb_ioctl_channel_open - CHANNEL_OPEN
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_channel_open(struct zcb_call *c)
{
	struct zcb_port *port __free(zcb_port_put) = NULL;
	struct zcbuf_channel_open *a = c->arg;
	struct zcb_channel_config cfg = {};
	struct zcb_channel_wish w = { .cfg = &cfg };
	struct zcbuf_channel_name name;
	u32 added = 0;
	int err;

	err = channel_check_open(c);
	if (!err && a->name)
		err = channel_read_name(a->name, &name);
	if (err)
		return err;
	channel_read_config(c, &cfg);
	channel_wish(c, &w);
	if (a->name)
		w.name = &name;
	if (!a->channel && !w.existing &&
	    channel_block(&cfg.stream) > cfg.stream.max_extent)
		return -E2BIG;
	err = zcb_channel_open(c->s, &w, &port, &added);
	if (err)
		return err;
	a->out_channel = port->channel->handle;
	a->out_block = channel_block(&port->channel->cfg.stream);
	err = zcb_call_answer(c);
	if (err && added)
		zcb_channel_close(c->s, a->out_channel, added);
	return err;
}

/**
 * zcb_ioctl_channel_close - CHANNEL_CLOSE
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_channel_close(struct zcb_call *c)
{
	const struct zcbuf_channel_close *a = c->arg;

	if (a->__reserved || a->ports & ~ZCB_CHANNEL_PORTS)
		return -EOPNOTSUPP;
	return zcb_channel_close(c->s, a->channel, a->ports);
}

/* Waits, if at all, for the first only: what was got is not held up. */
static int reserve_some(struct zcb_port *port, struct zcbuf_reservation *r,
			u32 count, u32 flags, u64 deadline_ns, u32 *done,
			u32 *why)
{
	int err = 0;

	for (*done = 0; *done < count; ++*done) {
		err = zcb_channel_reserve(port, &r[*done], flags,
					  *done ? 0 : deadline_ns, why);
		if (err)
			break;
		cond_resched();
	}
	return err;
}

/*
 * One, at once or not at all; what was reserved cannot be taken back unseen, so
 * several are for who may sleep.
 */
static int reserve_nowait(struct zcb_port *port, struct zcbuf_reservation *r,
			  u32 count, u32 flags, u32 *done, u32 *why)
{
	int err;

	*done = 0;
	if (count > 1)
		return -ZCB_ESLEEP;
	err = zcb_channel_reserve_nowait(port, r, flags, why);
	*done = !err;
	return err;
}

/* Their owner never learned of them: as if it had died. */
static void reserve_undo(struct zcb_port *port,
			 const struct zcbuf_reservation *r, u32 done)
{
	while (done--)
		zcb_channel_abort(port, r[done].out_group, r[done].out_id);
}

static int reserve_answer(struct zcb_call *c, u64 uptr,
			  const struct zcbuf_reservation *r, u32 done)
{
	if (copy_to_user(u64_to_user_ptr(uptr), r, done * sizeof(*r)))
		return -EFAULT;
	return zcb_call_answer(c);
}

/**
 * zcb_ioctl_reserve - RESERVE
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_reserve(struct zcb_call *c)
{
	struct zcb_port *port __free(zcb_port_put) = NULL;
	struct zcbuf_reserve *a = c->arg;
	struct zcbuf_reservation *r;
	u32 done;
	int err;

	if (a->__reserved || a->__reserved2)
		return -EOPNOTSUPP;
	r = zcb_call_answered(c, a->entries, a->count, sizeof(*r));
	if (IS_ERR(r))
		return PTR_ERR(r);
	port = zcb_call_port(c, a->channel);
	if (IS_ERR(port))
		return PTR_ERR(port);
	err = c->nowait ? reserve_nowait(port, r, a->count, a->flags, &done,
					 &a->out_why) :
			  reserve_some(port, r, a->count, a->flags,
				       zcb_call_deadline(c, a->deadline_ns),
				       &done, &a->out_why);
	err = zcb_batch_result(done, err, &a->out_done, &a->out_error);
	if (!done || !reserve_answer(c, a->entries, r, done))
		return err;
	reserve_undo(port, r, done);
	return -EFAULT;
}

/* Sum up the lengths of pieces; a sum beyond u64 is an overrun. */
static int commit_read_chunks(const struct zcbuf_commit_entry *e,
			      struct zcb_stream_commit *sc)
{
	const u64 __user *p = u64_to_user_ptr(e->chunks);
	u64 chunk[ZCB_CHUNKS_AT_ONCE];
	u32 left = e->nchunks;
	u32 i, n;

	for (; left; left -= n, p += n) {
		n = min(left, ZCB_CHUNKS_AT_ONCE);
		if (copy_from_user(chunk, p, n * sizeof(*chunk)))
			return -EFAULT;
		for (i = 0; i < n; i++)
			sc->overrun |= check_add_overflow(sc->length, chunk[i],
							  &sc->length);
	}
	return 0;
}

/* What COMMIT and COMMIT_RESERVE have been told. */
struct commits {
	const void *entries;
	size_t size;		/* of one */
	u32 count;
};

static int commits_get(struct zcb_call *c, u64 uptr, u32 count, u32 flags,
		       struct commits *cs)
{
	cs->size = flags & ZCBUF_COMMIT_F_TAGGED ?
		   sizeof(struct zcbuf_commit_tagged) :
		   sizeof(struct zcbuf_commit_entry);
	cs->count = count;
	cs->entries = zcb_call_array(c, uptr, count, cs->size);
	return PTR_ERR_OR_ZERO(cs->entries);
}

static int commit_read_tag(const struct zcbuf_commit_tagged *t,
			   struct zcb_stream_commit *sc)
{
	sc->user_tag = t->user_tag;
	sc->encoding = t->encoding;
	return t->__reserved ? -EOPNOTSUPP : 0;
}

static int commit_read(const struct commits *cs, u32 i,
		       struct zcb_stream_commit *sc)
{
	const struct zcbuf_commit_entry *e = cs->entries + i * cs->size;
	int err = 0;

	*sc = (struct zcb_stream_commit) {
		.group = e->group,
		.id = e->id,
		.offset = e->offset,
		.length = e->length,
		.chunked = e->nchunks,
		.nrecords = e->nrecords,
	};
	/* The entry comes first in it. */
	if (cs->size == sizeof(struct zcbuf_commit_tagged))
		err = commit_read_tag((const void *)e, sc);
	if (err || !e->nchunks)
		return err;
	if (e->nchunks > ZCBUF_MAX_CHUNKS || e->length)
		return -EINVAL;
	return commit_read_chunks(e, sc);
}

static int commit_some(struct zcb_port *port, const struct commits *cs,
		       u32 *done)
{
	struct zcb_stream_commit sc;
	int err = 0;

	for (*done = 0; *done < cs->count && !err; *done += !err) {
		err = commit_read(cs, *done, &sc);
		if (!err)
			err = zcb_channel_commit(port, &sc);
		cond_resched();
	}
	return err;
}

/*
 * Here the lock is held for all of them, so what user memory says of any is read
 * before: of what can be read the rest is done.
 */
static int commit_nowait(struct zcb_call *c, struct zcb_port *port,
			 const struct commits *cs, u32 *done)
{
	struct zcb_stream_commit *sc;
	int err, unread = 0;
	u32 n;

	*done = 0;
	sc = zcb_call_memory(c, cs->count, sizeof(*sc));
	if (!sc)
		return -ENOMEM;
	for (n = 0; n < cs->count && !unread; n += !unread)
		unread = commit_read(cs, n, &sc[n]);
	err = zcb_channel_commit_all(port, sc, n, true, done);
	return err ?: unread;
}

/**
 * zcb_ioctl_commit - COMMIT
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_commit(struct zcb_call *c)
{
	struct zcb_port *port __free(zcb_port_put) = NULL;
	struct zcbuf_batch *a = c->arg;
	struct commits cs;
	u32 done;
	int err;

	if (a->__reserved)
		return -EOPNOTSUPP;
	err = commits_get(c, a->entries, a->count, a->flags, &cs);
	if (err)
		return err;
	port = zcb_call_port(c, a->channel);
	if (IS_ERR(port))
		return PTR_ERR(port);
	err = c->nowait ? commit_nowait(c, port, &cs, &done) :
			  commit_some(port, &cs, &done);
	return zcb_batch_result(done, err, &a->out_done, &a->out_error);
}

/**
 * zcb_ioctl_commit_reserve - COMMIT_RESERVE
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_commit_reserve(struct zcb_call *c)
{
	struct zcb_port *port __free(zcb_port_put) = NULL;
	struct zcbuf_commit_reserve *a = c->arg;
	u32 committed, reserved = 0;
	struct zcbuf_reservation *r;
	struct commits cs;
	int err;

	if (a->__reserved)
		return -EOPNOTSUPP;
	err = commits_get(c, a->commits, a->ncommits, a->flags, &cs);
	if (err)
		return err;
	r = zcb_call_answered(c, a->reserves, a->nreserves, sizeof(*r));
	if (IS_ERR(r))
		return PTR_ERR(r);
	port = zcb_port_find(c->s, a->channel);
	if (IS_ERR(port))
		return PTR_ERR(port);

	err = commit_some(port, &cs, &committed);
	zcb_batch_result(committed, err, &a->out_committed,
			 &a->out_commit_error);
	zcb_batch_result(0, 0, &a->out_reserved, &a->out_reserve_error);
	a->out_why = 0;
	if (!err) {
		err = reserve_some(port, r, a->nreserves,
				   a->flags & ~ZCBUF_COMMIT_F_TAGGED,
				   zcb_call_deadline(c, a->deadline_ns),
				   &reserved, &a->out_why);
		zcb_batch_result(reserved, err, &a->out_reserved,
				 &a->out_reserve_error);
	}
	if (!committed)
		return err;
	if (!reserve_answer(c, a->reserves, r, reserved))
		return 0;
	reserve_undo(port, r, reserved);
	return -EFAULT;
}

/**
 * zcb_ioctl_abort - ABORT
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_abort(struct zcb_call *c)
{
	struct zcb_port *port __free(zcb_port_put) = NULL;
	struct zcbuf_batch *a = c->arg;
	struct zcbuf_abort_entry *e;
	u32 done;
	int err;

	if (a->__reserved)
		return -EOPNOTSUPP;
	e = zcb_call_array(c, a->entries, a->count, sizeof(*e));
	if (IS_ERR(e))
		return PTR_ERR(e);
	port = zcb_call_port(c, a->channel);
	if (IS_ERR(port))
		return PTR_ERR(port);
	err = zcb_channel_abort_all(port, e, a->count, c->nowait, &done);
	return zcb_batch_result(done, err, &a->out_done, &a->out_error);
}

/**
 * zcb_ioctl_flush - FLUSH
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_flush(struct zcb_call *c)
{
	struct zcb_port *port __free(zcb_port_put) = NULL;
	struct zcbuf_flush *a = c->arg;
	bool sealed = false;
	int err;

	if (a->__reserved)
		return -EOPNOTSUPP;
	port = zcb_port_find(c->s, a->channel);
	if (IS_ERR(port))
		return PTR_ERR(port);
	err = zcb_channel_flush(port, &sealed);
	a->out_sealed = sealed;
	return err;
}

/**
 * zcb_ioctl_finalize - FINALIZE
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_finalize(struct zcb_call *c)
{
	struct zcb_port *port __free(zcb_port_put) = NULL;
	struct zcbuf_finalize *a = c->arg;
	struct zcb_stream_counts n = {};
	int err;

	port = zcb_port_find(c->s, a->channel);
	if (IS_ERR(port))
		return PTR_ERR(port);
	err = zcb_channel_finalize(port, &n);
	a->out_success = n.success;
	a->out_failure = n.failure;
	a->out_reservations = n.reservations;
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens between the groups of one channel: ids and offsets, which group
 * takes a reservation, when it is sealed and complete, and when its memory goes
 * back. Who gets a complete group is delivery.c.
 *
 * A group goes through here once: reserve opens and seals it, the last of its
 * reservations to be decided completes it, and delivery begins. No function
 * calls itself, directly or not, and each costs a few list operations; only
 * finalize and the end of a port walk what they take apart. Nothing here sleeps or
 * allocates; the caller holds the channel's lock.
 */
#include "delivery.h"
#include "topic.h"

/* ------------------------------------------------------------- lookup */

static struct zcb_resv **resv_bucket(const struct zcb_stream *s, u64 id)
{
	return &s->hash[id & s->hash_mask];
}

static struct zcb_resv **group_bucket(const struct zcb_stream *s, u64 id)
{
	return &s->hash[s->hash_mask + 1 + (id & s->hash_mask)];
}

static void stream_hash_resv(struct zcb_stream *s, struct zcb_resv *r)
{
	struct zcb_resv **bucket = resv_bucket(s, r->id);

	r->hash = *bucket;
	*bucket = r;
}

static void stream_unhash_resv(struct zcb_stream *s, struct zcb_resv *r)
{
	struct zcb_resv **link = resv_bucket(s, r->id);

	while (*link != r)
		link = &(*link)->hash;
	*link = r->hash;
}

/* @r is the first reservation of its group: it stands for the group. */
static void stream_hash_group(struct zcb_stream *s, struct zcb_resv *r)
{
	struct zcb_resv **bucket = group_bucket(s, r->group->id);

	r->group->hash = *bucket;
	*bucket = r;
}

static void stream_unhash_group(struct zcb_stream *s, struct zcb_group *g)
{
	struct zcb_resv **link = group_bucket(s, g->id);

	while ((*link)->group != g)
		link = &(*link)->group->hash;
	*link = g->hash;
}

/**
 * zcb_stream_find_group() - a group by its id
 * @s: the stream
 * @id: of the group
 *
 * Context: The caller holds the channel's lock.
 * Return: the group, dead ones that stragglers keep included, or NULL.
 */
struct zcb_group *zcb_stream_find_group(const struct zcb_stream *s, u64 id)
{
	struct zcb_resv *r = *group_bucket(s, id);

	while (r && r->group->id != id)
		r = r->group->hash;
	return r ? r->group : NULL;
}

/* Of a dead group only stragglers are there, for their owners. */
static struct zcb_resv *stream_find_resv(const struct zcb_stream *s,
					 const struct zcb_producer *p,
					 u64 group, u64 id)
{
	struct zcb_resv *r = *resv_bucket(s, id);

	while (r && r->id != id)
		r = r->hash;
	if (!r || r->group->id != group)
		return NULL;
	if (r->group->state == ZCB_GROUP_DEAD &&
	    (!r->straggler || r->owner != p))
		return NULL;
	return r;
}

/* --------------------------------------------------- the end of a group */

static void stream_give_unused(struct zcb_stream *s, struct zcb_group *g)
{
	u64 pool_offset;
	u32 pages = zcb_group_trim(g, s->cfg.page_shift,
				   zcb_stream_grain(&s->cfg), &pool_offset);

	if (!pages)
		return;
	s->bytes -= (u64)pages << s->cfg.page_shift;
	s->ops->give_pages(s, pool_offset, pages);
}

/**
 * zcb_stream_free() - a group is over
 * @s: the stream
 * @g: the group, on no list; no straggler keeps it
 *
 * Context: The caller holds the channel's lock.
 */
void zcb_stream_free(struct zcb_stream *s, struct zcb_group *g)
{
	struct zcb_resv *r;

	stream_unhash_group(s, g);
	list_for_each_entry(r, &g->resvs, in_group) {
		stream_unhash_resv(s, r);
		list_del_init(&r->in_owner);
	}
	zcb_credit_give(&s->credit, g->nresv);
	s->bytes -= zcb_group_bytes(g, s->cfg.page_shift);
	s->ops->free_group(s, g);
}

/**
 * zcb_stream_bury() - nobody reads a group any more
 * @s: the stream
 * @g: the group, in nobody's hands and on no queue
 *
 * It is freed, or as soon as its stragglers are done.
 *
 * Context: The caller holds the channel's lock.
 */
void zcb_stream_bury(struct zcb_stream *s, struct zcb_group *g)
{
	list_del_init(&g->in_stream);
	g->state = ZCB_GROUP_DEAD;
	if (!g->nstragglers)
		zcb_stream_free(s, g);
}

/**
 * zcb_stream_ack() - nobody stores into a straggler any more
 * @s: the stream
 * @r: the straggler
 *
 * Context: The caller holds the channel's lock.
 */
void zcb_stream_ack(struct zcb_stream *s, struct zcb_resv *r)
{
	struct zcb_group *g = r->group;

	list_move_tail(&r->in_owner, &r->owner->decided);
	zcb_group_ack(g, r);
	s->nstragglers--;
	if (g->state == ZCB_GROUP_DEAD && !g->nstragglers)
		zcb_stream_free(s, g);
}

/* ------------------------------------------------------- sealed, complete */

static struct zcb_group *stream_next_group(const struct zcb_stream *s,
					   struct zcb_group *g)
{
	if (list_is_last(&g->in_stream, &s->groups))
		return NULL;
	return list_next_entry(g, in_stream);
}

/*
 * ORDERED: the groups up to the first that is not complete can go. A failed
 * one has gone already; it holds back nobody.
 */
static void stream_take_turns(struct zcb_stream *s)
{
	struct zcb_group *g;

	while (s->turn && s->turn->state > ZCB_GROUP_SEALED) {
		g = s->turn;
		s->turn = stream_next_group(s, g);
		if (g->state == ZCB_GROUP_WAITING)
			zcb_delivery_success(s, g);
	}
}

/* A window's owner has just committed it: those of a producer count by themselves. */
static void stream_number(struct zcb_stream *s, struct zcb_group *g)
{
	const struct zcb_resv *r = list_first_entry(&g->resvs, struct zcb_resv,
						    in_group);

	if (!g->nfailed)
		g->seq = g->window ? r->owner->next_seq++ : s->next_seq++;
}

/* The group is sealed and nothing in it is pending. */
static void stream_complete(struct zcb_stream *s, struct zcb_group *g,
			    u64 now_ns)
{
	g->time_ns = now_ns;
	stream_number(s, g);
	if (g->nfailed) {
		zcb_topic_break(s, g);
		s->nfailed++;
		g->state = ZCB_GROUP_WITHHELD;
		if (!s->cfg.hold_failed)
			zcb_delivery_failure(s, g);
	} else if (s->cfg.ordered) {
		g->state = ZCB_GROUP_WAITING;
	} else {
		zcb_delivery_success(s, g);
	}
	stream_take_turns(s);
}

static void stream_seal(struct zcb_stream *s, struct zcb_group *g, u64 now_ns)
{
	g->state = ZCB_GROUP_SEALED;
	if (s->open == g)
		s->open = NULL;
	stream_give_unused(s, g);
	if (!g->npending)
		stream_complete(s, g, now_ns);
}

/* A reservation is not pending any more; @list of its owner takes it. */
static void stream_decide(struct zcb_stream *s, struct zcb_resv *r,
			  struct list_head *list)
{
	list_move_tail(&r->in_owner, list);
	r->owner->npending--;
	r->owner->pending_bytes -= r->length;
	s->npending--;
}

static void stream_decided(struct zcb_stream *s, struct zcb_group *g,
			   u64 now_ns)
{
	if (zcb_group_sealed(g) && !g->npending)
		stream_complete(s, g, now_ns);
}

/**
 * zcb_stream_fail() - a pending reservation is lost
 * @s: the stream
 * @r: the reservation
 * @straggler: not by its owner, who lives and may be storing
 * @now_ns: the time
 *
 * Context: The caller holds the channel's lock.
 */
void zcb_stream_fail(struct zcb_stream *s, struct zcb_resv *r, bool straggler,
		     u64 now_ns)
{
	struct zcb_producer *p = r->owner;

	stream_decide(s, r, straggler ? &p->stragglers : &p->decided);
	s->nstragglers += straggler;
	zcb_group_fail(r->group, r, straggler);
	stream_decided(s, r->group, now_ns);
}

/* --------------------------------------------------------------- set-up */

/**
 * zcb_stream_block() - how large the block of a group is
 * @cfg: as the stream is to be opened
 *
 * With it, a reservation of max_reservation always fits a group that is below
 * its threshold.
 *
 * Context: Any.
 * Return: bytes, a power of two of pages; more than max_extent if no block can
 * be large enough.
 */
u64 zcb_stream_block(const struct zcb_stream_config *cfg)
{
	u64 bytes;

	if (cfg->threshold > cfg->max_extent ||
	    cfg->max_reservation > cfg->max_extent)
		return U64_MAX;
	bytes = cfg->threshold + round_up(cfg->max_reservation, cfg->align);
	if (bytes > cfg->max_extent)
		return U64_MAX;
	bytes = max(bytes, 1ULL << zcb_stream_grain(cfg));
	return 1ULL << fls64(bytes - 1);
}

/**
 * zcb_stream_init() - begin a stream
 * @s: its memory, whatever is in there
 * @cfg: copied
 * @ops: kept
 * @hash: @nbuckets NULL pointers, kept
 * @nbuckets: a power of two, at least 2
 *
 * Context: Before anybody else knows the stream.
 */
void zcb_stream_init(struct zcb_stream *s, const struct zcb_stream_config *cfg,
		     const struct zcb_stream_ops *ops, struct zcb_resv **hash,
		     u32 nbuckets)
{
	memset(s, 0, sizeof(*s));
	s->cfg = *cfg;
	s->ops = ops;
	s->hash = hash;
	s->hash_mask = nbuckets / 2 - 1;
	zcb_credit_init(&s->credit, cfg->max_outstanding);
	INIT_LIST_HEAD(&s->groups);
	INIT_LIST_HEAD(&s->freezing);
	INIT_LIST_HEAD(&s->lingering);
	INIT_LIST_HEAD(&s->parked);
	INIT_LIST_HEAD(&s->history);
	INIT_LIST_HEAD(&s->failed);
	INIT_LIST_HEAD(&s->consumers);
	INIT_LIST_HEAD(&s->failure_ports);
}

/**
 * zcb_producer_init() - make a producer port that has nothing
 * @p: its memory, whatever is in there
 *
 * Context: Before anybody else knows the port.
 */
void zcb_producer_init(struct zcb_producer *p)
{
	memset(p, 0, sizeof(*p));
	INIT_LIST_HEAD(&p->pending);
	INIT_LIST_HEAD(&p->stragglers);
	INIT_LIST_HEAD(&p->decided);
}

/* -------------------------------------------------------------- reserve */

/*
 * Offsets are given in arrival order, so once a window has taken the offset
 * behind the open group, nothing can join that group any more.
 */
static bool stream_joins_open(const struct zcb_stream *s, bool window)
{
	const struct zcb_group *g = s->open;

	return !window && g && g->offset + g->total == s->offset;
}

/* Bytes of a new extent for @length, whole grains; 0: the open group has room */
static u64 stream_extent_bytes(const struct zcb_stream *s, u64 length,
			       bool window)
{
	const struct zcb_stream_config *cfg = &s->cfg;
	u64 own = round_up(length, 1ULL << zcb_stream_grain(cfg));

	if (window)
		return own;
	if (!stream_joins_open(s, window)) {
		if (round_up(length, cfg->align) >= cfg->threshold)
			return own;
		return zcb_stream_block(cfg);
	}
	if (zcb_group_fits(s->open, length, cfg->align, cfg->page_shift))
		return 0;
	return own;
}

/**
 * zcb_stream_check() - may the stream have more?
 * @s: the stream
 * @length: bytes
 * @most: no more than that
 *
 * Context: The caller holds the channel's lock.
 * Return: 0; -EINVAL: no length, -ESHUTDOWN: finalized, -E2BIG: larger than @most,
 * or than what is left of the stream, -EAGAIN: no credit.
 */
int zcb_stream_check(const struct zcb_stream *s, u64 length, u64 most)
{
	if (!length)
		return -EINVAL;
	if (s->finalized)
		return -ESHUTDOWN;
	if (length > most ||
	    s->offset > U64_MAX - round_up(length, s->cfg.align))
		return -E2BIG;
	return zcb_credit_left(&s->credit) ? 0 : -EAGAIN;
}

/**
 * zcb_stream_plan() - what would a reservation need?
 * @s: the stream
 * @length: bytes
 * @window: a group of its own, of which less may be used
 * @plan: set on success: what zcb_stream_reserve() must be brought
 *
 * The plan is good until the lock is let go.
 *
 * Context: The caller holds the channel's lock.
 * Return: 0; -EINVAL: no length, -ESHUTDOWN: finalized, -E2BIG: larger than any
 * extent or than what is left of the stream, -EAGAIN: no credit, or no room at a
 * consumer of a topic that must get it.
 */
int zcb_stream_plan(struct zcb_stream *s, u64 length, bool window,
		    struct zcb_group_plan *plan)
{
	int err = zcb_stream_check(s, length, s->cfg.max_extent);

	if (err)
		return err;
	plan->group = !stream_joins_open(s, window);
	if (plan->group && !zcb_topic_room(s))
		return -EAGAIN;
	plan->extent_bytes = stream_extent_bytes(s, length, window);
	return 0;
}

/* A new group at the end of the stream. An open one gets nothing more then. */
static void stream_begin_group(struct zcb_stream *s, struct zcb_group *g,
			       bool window, u64 now_ns)
{
	if (s->open && !window)
		stream_seal(s, s->open, now_ns);
	zcb_group_init(g, s->next_group++, s->offset, now_ns);
	g->window = window;
	list_add_tail(&g->in_stream, &s->groups);
	zcb_topic_promise(s);
	if (!window)
		s->open = g;
	if (s->cfg.ordered && !s->turn)
		s->turn = g;
}

static void stream_add_extent(struct zcb_stream *s, struct zcb_group *g,
			      const struct zcb_stream_supply *supply)
{
	if (g->nextents)
		stream_give_unused(s, g);
	zcb_group_add_extent(g, supply->pool_offset, supply->pages);
	g->handle = supply->handle;
	g->capacity = supply->capacity;
	s->bytes += ((u64)supply->pages << s->cfg.page_shift) +
		    supply->capacity;
}

static void stream_add_resv(struct zcb_stream *s, struct zcb_producer *p,
			    struct zcb_group *g, struct zcb_resv *r, u64 length)
{
	zcb_credit_take(&s->credit, 1);
	zcb_group_add(g, r, length, s->cfg.align);
	r->id = s->next_resv++;
	r->owner = p;
	list_add_tail(&r->in_owner, &p->pending);
	p->npending++;
	p->pending_bytes += length;
	s->npending++;
	s->offset = g->offset + g->total;
	stream_hash_resv(s, r);
	if (g->nresv == 1)
		stream_hash_group(s, r);
	if (g->window)
		g->publisher = p->id;
}

/**
 * zcb_stream_reserve() - put a reservation into the stream
 * @s: the stream
 * @p: whose it is
 * @length: as planned
 * @window: as planned
 * @supply: what the plan asked for, and no more; pages beyond extent_bytes are
 *	given back when the group seals
 * @now_ns: the time
 *
 * Cannot fail: the plan has made sure of everything. A group that this fills
 * up is sealed, and so is the open one when it takes the last credit.
 *
 * Context: The caller holds the channel's lock, since zcb_stream_plan().
 * Return: the reservation, @supply->resv.
 */
struct zcb_resv *zcb_stream_reserve(struct zcb_stream *s,
				    struct zcb_producer *p, u64 length,
				    bool window,
				    const struct zcb_stream_supply *supply,
				    u64 now_ns)
{
	struct zcb_group *g = supply->group;

	if (g)
		stream_begin_group(s, g, window, now_ns);
	else
		g = s->open;
	if (supply->pages || supply->handle)
		stream_add_extent(s, g, supply);
	stream_add_resv(s, p, g, supply->resv, length);
	/* What needed a second extent is larger than the block, so it seals. */
	if (window || g->total >= s->cfg.threshold)
		stream_seal(s, g, now_ns);
	/*
	 * No reservation can fill the open group any more, or it has the last place
	 * of a queue, which no window or buffer gets before: let it come back.
	 */
	if (s->open && (!zcb_credit_left(&s->credit) ||
			(supply->group && !zcb_topic_room(s))))
		stream_seal(s, s->open, now_ns);
	return supply->resv;
}

/* -------------------------------------------------------- commit, abort */

static int resv_check_owner(const struct zcb_stream *s,
			    const struct zcb_producer *p,
			    const struct zcb_resv *r)
{
	if (s->finalized)
		return -ESHUTDOWN;
	if (!r)
		return -ENOENT;
	return r->owner == p ? 0 : -EPERM;
}

static int resv_check_pending(const struct zcb_resv *r)
{
	switch (r->state) {
	case ZCB_RESV_COMMITTED:
		return -EALREADY;
	case ZCB_RESV_FAILED:
		return -ESTALE;
	default:
		return 0;
	}
}

static int resv_check_length(const struct zcb_resv *r,
			     const struct zcb_stream_commit *c)
{
	if (c->overrun || (c->chunked && c->length > r->length))
		return -ERANGE;
	if (c->length == r->length)
		return 0;
	if (!r->group->window || !c->length || c->length > r->length)
		return -EMSGSIZE;
	return 0;
}

static int resv_check_commit(const struct zcb_stream *s,
			     const struct zcb_producer *p,
			     const struct zcb_resv *r,
			     const struct zcb_stream_commit *c)
{
	int err = resv_check_owner(s, p, r);

	if (err)
		return err;
	if (c->offset != r->offset ||
	    (!r->group->window && (c->user_tag || c->encoding)))
		return -EINVAL;
	err = resv_check_pending(r);
	return err ?: resv_check_length(r, c);
}

/* An owner who is told -ESHUTDOWN or -ESTALE has stopped storing into @r. */
static int resv_refuse(struct zcb_stream *s, const struct zcb_producer *p,
		       struct zcb_resv *r, int err)
{
	if ((err == -ESHUTDOWN || err == -ESTALE) && r && r->straggler &&
	    r->owner == p)
		zcb_stream_ack(s, r);
	return err;
}

/**
 * zcb_stream_commit() - a reservation is written
 * @s: the stream
 * @p: who says so
 * @c: what it says
 * @now_ns: the time
 *
 * The answers -ESHUTDOWN and -ESTALE also acknowledge a straggler of @p.
 *
 * Context: The caller holds the channel's lock.
 * Return: 0, or the first of -ESHUTDOWN: finalized, -ENOENT: no such group or
 * reservation, -EPERM: another producer's, -EINVAL: other offset, or a tag of no
 * window, -EALREADY: committed, -ESTALE: failed, -ERANGE: chunks beyond its end,
 * -EMSGSIZE: other length. If it is an error, the reservation stays as it was.
 */
int zcb_stream_commit(struct zcb_stream *s, struct zcb_producer *p,
		      const struct zcb_stream_commit *c, u64 now_ns)
{
	struct zcb_resv *r = stream_find_resv(s, p, c->group, c->id);
	int err = resv_check_commit(s, p, r, c);

	if (err)
		return resv_refuse(s, p, r, err);
	stream_decide(s, r, &p->decided);
	zcb_group_commit(r->group, r, c->length, c->nrecords ?: 1);
	r->group->user_tag = c->user_tag;
	r->group->encoding = c->encoding;
	if (r->group->window)
		stream_give_unused(s, r->group);
	stream_decided(s, r->group, now_ns);
	return 0;
}

/**
 * zcb_stream_abort() - a reservation will not be written
 * @s: the stream
 * @p: who says so
 * @group: id of its group
 * @id: its own
 * @now_ns: the time
 *
 * The answers -ESHUTDOWN and -ESTALE also acknowledge a straggler of @p.
 *
 * Context: The caller holds the channel's lock.
 * Return: 0, or the first of -ESHUTDOWN: finalized, -ENOENT: no such group or
 * reservation, -EPERM: another producer's, -EALREADY: committed, -ESTALE:
 * failed.
 */
int zcb_stream_abort(struct zcb_stream *s, struct zcb_producer *p, u64 group,
		     u64 id, u64 now_ns)
{
	struct zcb_resv *r = stream_find_resv(s, p, group, id);
	int err = resv_check_owner(s, p, r);

	if (!err)
		err = resv_check_pending(r);
	if (err)
		return resv_refuse(s, p, r, err);
	zcb_stream_fail(s, r, false, now_ns);
	return 0;
}

/* ------------------------------------------------------ flush, finalize */

/**
 * zcb_stream_flush() - seal the open group, full or not
 * @s: the stream
 * @now_ns: the time
 *
 * Context: The caller holds the channel's lock.
 * Return: false if no group was open.
 */
bool zcb_stream_flush(struct zcb_stream *s, u64 now_ns)
{
	if (!s->open)
		return false;
	stream_seal(s, s->open, now_ns);
	return true;
}

static void stream_finish_group(struct zcb_stream *s, struct zcb_group *g,
				u64 now_ns, struct zcb_stream_counts *counts)
{
	struct zcb_resv *r;

	if (g->state == ZCB_GROUP_FAILED || g->state == ZCB_GROUP_HELD ||
	    g->state == ZCB_GROUP_OUT)
		return;
	counts->reservations += g->npending;
	if (g->state == ZCB_GROUP_OPEN)
		stream_seal(s, g, now_ns);
	if (g->npending)
		list_for_each_entry(r, &g->resvs, in_group)
			if (r->state == ZCB_RESV_PENDING)
				zcb_stream_fail(s, r, true, now_ns);
	if (g->state == ZCB_GROUP_WITHHELD)
		zcb_delivery_failure(s, g);
	counts->failure += g->state == ZCB_GROUP_FAILED;
}

/* Of a topic, one that comes may have others go: not that, nor the next. */
static void stream_finish_groups(struct zcb_stream *s, u64 now_ns,
				 struct zcb_stream_counts *counts)
{
	struct zcb_group *g, *next;

	if (list_empty(&s->groups))
		return;
	g = list_first_entry(&s->groups, struct zcb_group, in_stream);
	zcb_topic_get(g);
	for (; g; g = next) {
		next = stream_next_group(s, g);
		if (next)
			zcb_topic_get(next);
		stream_finish_group(s, g, now_ns, counts);
		zcb_topic_put(s, g);
	}
}

/**
 * zcb_stream_finalize() - end the stream
 * @s: the stream
 * @now_ns: the time
 * @counts: set to what this call did; a second call does nothing
 *
 * Seals the open group, fails whatever is pending and delivers all there is,
 * ascending. The owners of what failed may still be storing: they have
 * stragglers now.
 *
 * Context: The caller holds the channel's lock. Walks all groups.
 */
void zcb_stream_finalize(struct zcb_stream *s, u64 now_ns,
			 struct zcb_stream_counts *counts)
{
	u64 rank = s->next_rank;

	memset(counts, 0, sizeof(*counts));
	if (s->finalized)
		return;
	s->finalized = true;
	stream_finish_groups(s, now_ns, counts);
	counts->success = s->next_rank - rank;
	zcb_delivery_end(s);
}

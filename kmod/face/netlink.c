// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generic netlink family "zcbuf": dumps of pools, sessions, channels and arenas,
 * one object a message, as uapi/zcbuf.yaml specifies. It only looks. Events are
 * netlink_event.c.
 *
 * Who sees what. Anybody in the initial network namespace may ask; the answer
 * has the pools that the asker could attach to by name, and what belongs to
 * them. The asker is who opened the socket, as with any other file: the process
 * that sent the request may have been tricked into it (a setuid program whose
 * stderr is the socket), and the one in whose context a dump goes on is merely
 * the next to call recv(). Overriding a pool's mode takes CAP_SYS_ADMIN of both
 * the opener and the process at hand. That is sk_capable(); netlink_capable()
 * lets a sender that names its destination off the first half, but our answers
 * go to the opener's socket whoever asks. User ids are those of the opener's
 * user namespace.
 *
 * Going on. A dump is as many calls of ->dumpit as it takes buffers, with a
 * cursor in between and nothing else: no reference and no lock, so that a
 * reader who never comes back holds nothing but his socket (and, as everywhere
 * in netlink, the module). A cursor is a position in a table where objects do
 * not move. So whatever lives through the whole dump is in it exactly once,
 * what comes or goes meanwhile may or may not be. That is all that a dump
 * of a living system can promise, there is nothing to start over for, and
 * NLM_F_DUMP_INTR is never set.
 *
 * Locks. The requests need no order among themselves (parallel_ops), which
 * keeps the pools' locks out from under genl_mutex, and a slow dump of ours
 * from delaying every other family. The core calls the dumps of one socket one
 * after the other. All of this may sleep.
 *
 * There is no MODULE_ALIAS_GENL_FAMILY: asking must not load the module.
 */
#include <linux/build_bug.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <net/sock.h>

#include "../obj/pool.h"
#include "../obj/stat.h"
#include "face.h"
#include "netlink.h"

/* zcb_put_u64() pads by the same attribute in every space. */
static_assert((int)ZCBUF_A_POOL_PAD == ZCBUF_A_SESSION_PAD);
static_assert((int)ZCBUF_A_POOL_PAD == ZCBUF_A_CHANNEL_PAD);
static_assert((int)ZCBUF_A_POOL_PAD == ZCBUF_A_ARENA_PAD);

/**
 * struct zcb_cursor - how far a dump has got; lives in cb->ctx
 * @pool: position before the pool that is being dumped
 * @here: position of that pool
 * @item: position of the last session, channel or arena of it that was sent
 *
 * Starts as zeros, which netlink sees to.
 */
struct zcb_cursor {
	u32 pool;
	u32 here;
	u32 item;
};

/*
 * Adds messages about @pool, from *@item on. -EMSGSIZE: they did not all fit,
 * and *@item is the last one that did.
 */
typedef int (*zcb_emit_fn)(struct sk_buff *skb, struct netlink_callback *cb,
			   struct zcb_pool *pool, u32 *item);

static const struct cred *zcb_asker(const struct netlink_callback *cb)
{
	return NETLINK_CB(cb->skb).sk->sk_socket->file->f_cred;
}

/* The capability comes last: a security module may log that it was lacking. */
static bool zcb_may_see(const struct netlink_callback *cb,
			const struct zcb_pool *pool)
{
	const struct cred *cred = zcb_asker(cb);

	return zcb_pool_permits(pool, cred, false) ||
	       (sk_capable(NETLINK_CB(cb->skb).sk, CAP_SYS_ADMIN) &&
		zcb_pool_permits(pool, cred, true));
}

static void *zcb_msg_start(struct sk_buff *skb, struct netlink_callback *cb,
			   u8 cmd)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			   &zcb_genl_family, NLM_F_MULTI, cmd);
}

/* A message is in the buffer as a whole or not at all. */
static int zcb_msg_end(struct sk_buff *skb, void *msg, int err)
{
	if (err)
		genlmsg_cancel(skb, msg);
	else
		genlmsg_end(skb, msg);
	return err;
}

static int zcb_put_uid(struct sk_buff *skb, struct netlink_callback *cb,
		       int attr, kuid_t uid)
{
	return nla_put_u32(skb, attr,
			   from_kuid_munged(zcb_asker(cb)->user_ns, uid));
}

static int zcb_put_gid(struct sk_buff *skb, struct netlink_callback *cb,
		       int attr, kgid_t gid)
{
	return nla_put_u32(skb, attr,
			   from_kgid_munged(zcb_asker(cb)->user_ns, gid));
}

/* ------------------------------------------------------------------ pools */

static int zcb_put_class(struct sk_buff *skb, const struct zcb_class_stat *st,
			 bool fixed)
{
	struct nlattr *nest = nla_nest_start(skb, ZCBUF_A_POOL_CLASS);

	if (!nest ||
	    nla_put_u32(skb, ZCBUF_A_CLASS_LENGTH, st->length) ||
	    nla_put_u32(skb, ZCBUF_A_CLASS_USED, st->used) ||
	    nla_put_u32(skb, ZCBUF_A_CLASS_TOTAL, st->total) ||
	    (fixed ?
	     nla_put_u32(skb, ZCBUF_A_CLASS_MIN_FREE, st->min_free) :
	     nla_put_u64_64bit(skb, ZCBUF_A_CLASS_WASTE, st->waste,
			       ZCBUF_A_CLASS_PAD)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int zcb_put_free(struct sk_buff *skb, const struct zcb_pool_stat *st)
{
	u32 i;

	if (nla_put(skb, ZCBUF_A_POOL_ORDER_FREE,
		    st->norders * sizeof(st->order_free[0]), st->order_free))
		return -EMSGSIZE;
	for (i = 0; i < st->nclasses; i++)
		if (zcb_put_class(skb, &st->classes[i],
				  st->kind == ZCBUF_POOL_FIXED))
			return -EMSGSIZE;
	return 0;
}

static int zcb_put_quarantine(struct sk_buff *skb,
			      const struct zcb_pool_stat *st)
{
	const struct zcb_quarantine_stat *q = &st->quarantine;

	if (nla_put_u32(skb, ZCBUF_A_POOL_TOKENS, st->tokens) ||
	    nla_put_u32(skb, ZCBUF_A_POOL_QUARANTINE_SESSIONS, q->sessions) ||
	    zcb_put_u64(skb, ZCBUF_A_POOL_QUARANTINE_BYTES, q->bytes) ||
	    zcb_put_u64(skb, ZCBUF_A_POOL_QUARANTINE_AGE_NS, q->age_ns))
		return -EMSGSIZE;
	return 0;
}

static int zcb_put_counts(struct sk_buff *skb, const struct zcb_pool_stat *st)
{
	if (zcb_put_u64(skb, ZCBUF_A_POOL_SIZE, st->size) ||
	    zcb_put_u64(skb, ZCBUF_A_POOL_USED, st->used) ||
	    zcb_put_u64(skb, ZCBUF_A_POOL_MIN_FREE, st->min_free) ||
	    zcb_put_u64(skb, ZCBUF_A_POOL_LARGEST_FREE, st->largest_free) ||
	    zcb_put_u64(skb, ZCBUF_A_POOL_ARENA_SIZE, st->arena_size) ||
	    nla_put_u32(skb, ZCBUF_A_POOL_ARENAS, st->arenas) ||
	    nla_put_u32(skb, ZCBUF_A_POOL_PAGE_ORDER, st->page_order) ||
	    nla_put_u32(skb, ZCBUF_A_POOL_SESSIONS, st->sessions) ||
	    nla_put_u32(skb, ZCBUF_A_POOL_CHANNELS, st->channels) ||
	    nla_put_u32(skb, ZCBUF_A_POOL_MAPPINGS, st->mappings) ||
	    zcb_put_u64(skb, ZCBUF_A_POOL_BAD_FREES, st->bad_frees) ||
	    zcb_put_u64(skb, ZCBUF_A_POOL_MAX_SIZE, st->max_size) ||
	    zcb_put_u64(skb, ZCBUF_A_POOL_MAX_USED, st->max_used) ||
	    zcb_put_quarantine(skb, st) ||
	    zcb_put_u64(skb, ZCBUF_A_POOL_EXPORTED, st->exported) ||
	    (st->zombie && nla_put_flag(skb, ZCBUF_A_POOL_ZOMBIE)))
		return -EMSGSIZE;
	return 0;
}

static int zcb_put_pool(struct sk_buff *skb, struct netlink_callback *cb,
			const struct zcb_pool_stat *st)
{
	if (zcb_put_u64(skb, ZCBUF_A_POOL_HANDLE, st->handle) ||
	    (st->name[0] &&
	     nla_put_string(skb, ZCBUF_A_POOL_NAME, st->name)) ||
	    nla_put_u32(skb, ZCBUF_A_POOL_KIND, st->kind) ||
	    nla_put_u32(skb, ZCBUF_A_POOL_FLAGS, st->flags) ||
	    zcb_put_uid(skb, cb, ZCBUF_A_POOL_UID, st->uid) ||
	    zcb_put_gid(skb, cb, ZCBUF_A_POOL_GID, st->gid) ||
	    nla_put_u32(skb, ZCBUF_A_POOL_MODE, st->mode) ||
	    zcb_put_counts(skb, st) ||
	    zcb_put_free(skb, st))
		return -EMSGSIZE;
	return 0;
}

/* A pool is one message, so there is nothing within it to go on from. */
static int zcb_emit_pool(struct sk_buff *skb, struct netlink_callback *cb,
			 struct zcb_pool *pool, u32 *item)
{
	struct zcb_pool_stat *st __free(kfree) =
		kmalloc(sizeof(*st), GFP_KERNEL);
	void *msg;

	if (!st)
		return -ENOMEM;
	msg = zcb_msg_start(skb, cb, ZCBUF_CMD_POOL_GET);
	if (!msg)
		return -EMSGSIZE;
	zcb_pool_stat(pool, st);
	return zcb_msg_end(skb, msg, zcb_put_pool(skb, cb, st));
}

/* --------------------------------------------------------------- sessions */

static int zcb_put_heart(struct sk_buff *skb, const struct zcb_session_stat *st)
{
	const struct zcb_heart_stat *h = &st->heart;

	if (h->beats &&
	    (zcb_put_u64(skb, ZCBUF_A_SESSION_HEARTBEAT_AGE_NS, h->age_ns) ||
	     zcb_put_u64(skb, ZCBUF_A_SESSION_HEARTBEAT_STOPS, h->stops)))
		return -EMSGSIZE;
	if ((h->hung && nla_put_flag(skb, ZCBUF_A_SESSION_HUNG)) ||
	    (st->evicted && nla_put_flag(skb, ZCBUF_A_SESSION_EVICTED)))
		return -EMSGSIZE;
	return 0;
}

static int zcb_put_session(struct sk_buff *skb, struct netlink_callback *cb,
			   const struct zcb_session_stat *st)
{
	if (zcb_put_u64(skb, ZCBUF_A_SESSION_ID, st->id) ||
	    zcb_put_u64(skb, ZCBUF_A_SESSION_POOL, st->pool) ||
	    nla_put_u32(skb, ZCBUF_A_SESSION_PID, st->pid) ||
	    nla_put_string(skb, ZCBUF_A_SESSION_COMM, st->comm) ||
	    zcb_put_uid(skb, cb, ZCBUF_A_SESSION_UID, st->uid) ||
	    nla_put_u32(skb, ZCBUF_A_SESSION_RIGHTS, st->rights) ||
	    zcb_put_u64(skb, ZCBUF_A_SESSION_AGE_NS, st->age_ns) ||
	    zcb_put_u64(skb, ZCBUF_A_SESSION_BUFFERS, st->buffers) ||
	    zcb_put_u64(skb, ZCBUF_A_SESSION_BYTES, st->bytes) ||
	    zcb_put_u64(skb, ZCBUF_A_SESSION_PENDING, st->pending) ||
	    zcb_put_u64(skb, ZCBUF_A_SESSION_PENDING_BYTES,
			st->pending_bytes) ||
	    zcb_put_u64(skb, ZCBUF_A_SESSION_HELD, st->held) ||
	    zcb_put_u64(skb, ZCBUF_A_SESSION_HELD_BYTES, st->held_bytes) ||
	    nla_put_u32(skb, ZCBUF_A_SESSION_PORTS, st->ports) ||
	    zcb_put_heart(skb, st))
		return -EMSGSIZE;
	return 0;
}

static int zcb_emit_sessions(struct sk_buff *skb, struct netlink_callback *cb,
			     struct zcb_pool *pool, u32 *item)
{
	struct zcb_session_stat st = {};
	u32 next = *item;
	void *msg;
	int err;

	while (zcb_pool_session_stat(pool, &next, &st)) {
		msg = zcb_msg_start(skb, cb, ZCBUF_CMD_SESSION_GET);
		if (!msg)
			return -EMSGSIZE;
		err = zcb_msg_end(skb, msg, zcb_put_session(skb, cb, &st));
		if (err)
			return err;
		*item = next;
	}
	return 0;
}

/* --------------------------------------------------------------- channels */

/* zcb_put_label() - a part of a name; one of full length has no 0 at its end */
int zcb_put_label(struct sk_buff *skb, int type, const char *label)
{
	char s[ZCBUF_MAX_LABEL + 1] = {};

	memcpy(s, label, ZCBUF_MAX_LABEL);
	return nla_put_string(skb, type, s);
}

static int zcb_put_groups(struct sk_buff *skb,
			  const struct zcb_channel_stat *st)
{
	if (nla_put_u32(skb, ZCBUF_A_CHANNEL_OUTSTANDING, st->outstanding) ||
	    nla_put_u32(skb, ZCBUF_A_CHANNEL_MAX_OUTSTANDING,
			st->max_outstanding) ||
	    nla_put_u32(skb, ZCBUF_A_CHANNEL_PENDING, st->pending) ||
	    nla_put_u32(skb, ZCBUF_A_CHANNEL_QUEUED, st->queued) ||
	    nla_put_u32(skb, ZCBUF_A_CHANNEL_PARKED, st->parked) ||
	    nla_put_u32(skb, ZCBUF_A_CHANNEL_FAILED, st->failed) ||
	    nla_put_u32(skb, ZCBUF_A_CHANNEL_DELIVERED, st->delivered) ||
	    nla_put_u32(skb, ZCBUF_A_CHANNEL_STRAGGLERS, st->stragglers) ||
	    zcb_put_u64(skb, ZCBUF_A_CHANNEL_BYTES, st->bytes) ||
	    (st->finalized && nla_put_flag(skb, ZCBUF_A_CHANNEL_FINALIZED)))
		return -EMSGSIZE;
	return 0;
}

static int zcb_put_topic(struct sk_buff *skb, const struct zcb_channel_stat *st)
{
	const struct zcbuf_channel_name *n = &st->name;

	if (nla_put_u32(skb, ZCBUF_A_CHANNEL_HISTORY, st->history) ||
	    nla_put_u32(skb, ZCBUF_A_CHANNEL_KEPT, st->kept) ||
	    zcb_put_u64(skb, ZCBUF_A_CHANNEL_LOST, st->lost) ||
	    nla_put_u32(skb, ZCBUF_A_CHANNEL_FREEZING, st->freezing))
		return -EMSGSIZE;
	if (!st->named)
		return 0;
	if (zcb_put_label(skb, ZCBUF_A_CHANNEL_DOMAIN, n->domain) ||
	    zcb_put_label(skb, ZCBUF_A_CHANNEL_SERVICE, n->service) ||
	    zcb_put_label(skb, ZCBUF_A_CHANNEL_INSTANCE, n->instance) ||
	    zcb_put_label(skb, ZCBUF_A_CHANNEL_EVENT, n->event))
		return -EMSGSIZE;
	return 0;
}

static int zcb_put_channel(struct sk_buff *skb,
			   const struct zcb_channel_stat *st)
{
	if (zcb_put_u64(skb, ZCBUF_A_CHANNEL_HANDLE, st->handle) ||
	    zcb_put_u64(skb, ZCBUF_A_CHANNEL_POOL, st->pool) ||
	    nla_put_u32(skb, ZCBUF_A_CHANNEL_FLAGS, st->flags) ||
	    zcb_put_u64(skb, ZCBUF_A_CHANNEL_THRESHOLD, st->threshold) ||
	    zcb_put_u64(skb, ZCBUF_A_CHANNEL_BLOCK, st->block) ||
	    nla_put_u32(skb, ZCBUF_A_CHANNEL_PRODUCERS, st->producers) ||
	    nla_put_u32(skb, ZCBUF_A_CHANNEL_CONSUMERS, st->consumers) ||
	    nla_put_u32(skb, ZCBUF_A_CHANNEL_FAILED_PORTS, st->failed_ports) ||
	    zcb_put_u64(skb, ZCBUF_A_CHANNEL_RESERVATIONS, st->reservations) ||
	    zcb_put_u64(skb, ZCBUF_A_CHANNEL_GROUPS, st->groups) ||
	    zcb_put_u64(skb, ZCBUF_A_CHANNEL_OFFSET, st->offset) ||
	    zcb_put_groups(skb, st) || zcb_put_topic(skb, st))
		return -EMSGSIZE;
	return 0;
}

static int zcb_emit_channels(struct sk_buff *skb, struct netlink_callback *cb,
			     struct zcb_pool *pool, u32 *item)
{
	struct zcb_channel_stat st = {};
	u32 next = *item;
	void *msg;
	int err;

	while (zcb_pool_channel_stat(pool, &next, &st)) {
		msg = zcb_msg_start(skb, cb, ZCBUF_CMD_CHANNEL_GET);
		if (!msg)
			return -EMSGSIZE;
		err = zcb_msg_end(skb, msg, zcb_put_channel(skb, &st));
		if (err)
			return err;
		*item = next;
	}
	return 0;
}

/* ----------------------------------------------------------------- arenas */

static int zcb_put_arena(struct sk_buff *skb, const struct zcb_arena_stat *st)
{
	if (zcb_put_u64(skb, ZCBUF_A_ARENA_POOL, st->pool) ||
	    nla_put_u32(skb, ZCBUF_A_ARENA_INDEX, st->index) ||
	    zcb_put_u64(skb, ZCBUF_A_ARENA_OFFSET, st->offset) ||
	    zcb_put_u64(skb, ZCBUF_A_ARENA_SIZE, st->size) ||
	    zcb_put_u64(skb, ZCBUF_A_ARENA_USED, st->used) ||
	    zcb_put_u64(skb, ZCBUF_A_ARENA_LARGEST_FREE, st->largest_free) ||
	    nla_put_u32(skb, ZCBUF_A_ARENA_PAGE_ORDER, st->page_order) ||
	    nla_put_u32(skb, ZCBUF_A_ARENA_NODE, st->node) ||
	    nla_put_u32(skb, ZCBUF_A_ARENA_STATE, st->state))
		return -EMSGSIZE;
	return 0;
}

static int zcb_emit_arenas(struct sk_buff *skb, struct netlink_callback *cb,
			   struct zcb_pool *pool, u32 *item)
{
	struct zcb_arena_stat st = {};
	u32 next = *item;
	void *msg;
	int err;

	while (zcb_pool_arena_stat(pool, &next, &st)) {
		msg = zcb_msg_start(skb, cb, ZCBUF_CMD_ARENA_GET);
		if (!msg)
			return -EMSGSIZE;
		err = zcb_msg_end(skb, msg, zcb_put_arena(skb, &st));
		if (err)
			return err;
		*item = next;
	}
	return 0;
}

/* ------------------------------------------------------------------ dumps */

/*
 * The cursor is put right before the pool that is returned, lest one that comes
 * meanwhile gets in between. A pool that was cut short may be gone by the next
 * call, and its successor in the table must be dumped from its beginning; @here
 * tells them apart. (A new pool in the very same place came during the dump; it
 * may go on from anywhere.)
 */
static struct zcb_pool *zcb_cursor_next(struct zcb_cursor *at)
{
	u32 pos = at->pool;
	struct zcb_pool *pool = zcb_pool_next(&pos);

	if (!pool)
		return NULL;
	at->pool = pos - 1;
	if (pos != at->here) {
		at->here = pos;
		at->item = 0;
	}
	return pool;
}

/*
 * Returns what netlink wants of a dump: the bytes added so far as long as there
 * may be more, 0 at the end. An object too large for an empty buffer is an
 * error, or it would be tried forever.
 */
static int zcb_dump(struct sk_buff *skb, struct netlink_callback *cb,
		    zcb_emit_fn emit)
{
	struct zcb_cursor *at = (struct zcb_cursor *)cb->ctx;
	struct zcb_pool *pool;
	int err = 0;

	BUILD_BUG_ON(sizeof(*at) > sizeof(cb->ctx));

	while (!err) {
		pool = zcb_cursor_next(at);
		if (!pool)
			break;
		if (zcb_may_see(cb, pool))
			err = emit(skb, cb, pool, &at->item);
		zcb_pool_put(pool);
		if (!err)
			at->pool = at->here;
		cond_resched();
	}
	return skb->len ? skb->len : err;
}

static int zcb_dump_pools(struct sk_buff *skb, struct netlink_callback *cb)
{
	return zcb_dump(skb, cb, zcb_emit_pool);
}

static int zcb_dump_sessions(struct sk_buff *skb, struct netlink_callback *cb)
{
	return zcb_dump(skb, cb, zcb_emit_sessions);
}

static int zcb_dump_channels(struct sk_buff *skb, struct netlink_callback *cb)
{
	return zcb_dump(skb, cb, zcb_emit_channels);
}

static int zcb_dump_arenas(struct sk_buff *skb, struct netlink_callback *cb)
{
	return zcb_dump(skb, cb, zcb_emit_arenas);
}

static const struct genl_small_ops zcb_genl_ops[] = {
	{ .cmd = ZCBUF_CMD_POOL_GET,	.dumpit = zcb_dump_pools },
	{ .cmd = ZCBUF_CMD_SESSION_GET,	.dumpit = zcb_dump_sessions },
	{ .cmd = ZCBUF_CMD_CHANNEL_GET,	.dumpit = zcb_dump_channels },
	{ .cmd = ZCBUF_CMD_ARENA_GET,	.dumpit = zcb_dump_arenas },
};

/* Events tell of all pools, as dumps do who has this capability. */
static const struct genl_multicast_group zcb_genl_groups[] = {
	{
		.name = ZCBUF_GENL_GROUP_EVENTS,
		.flags = GENL_MCAST_CAP_SYS_ADMIN,
	},
};

/*
 * No request takes an attribute. With neither a policy nor a resv_start_op the
 * core refuses every attribute, and header bits that are not 0, for all
 * commands: so a filter can be added later and an asker will know who has it.
 */
struct genl_family zcb_genl_family __ro_after_init = {
	.name		= ZCBUF_GENL_NAME,
	.version	= ZCBUF_GENL_VERSION,
	.module		= THIS_MODULE,
	.netnsok	= false,
	.parallel_ops	= true,
	.small_ops	= zcb_genl_ops,
	.n_small_ops	= ARRAY_SIZE(zcb_genl_ops),
	.mcgrps		= zcb_genl_groups,
	.n_mcgrps	= ARRAY_SIZE(zcb_genl_groups),
};

int __init zcb_netlink_init(void)
{
	int err = genl_register_family(&zcb_genl_family);

	if (!err)
		zcb_netlink_event_begin();
	return err;
}

/* Waits for dumps that are running; a socket in mid-dump holds the module. */
void zcb_netlink_exit(void)
{
	zcb_netlink_event_end();
	genl_unregister_family(&zcb_genl_family);
}

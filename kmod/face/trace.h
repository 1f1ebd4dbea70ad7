/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints, for perf and bpftrace. Handles and ids are those of the uapi,
 * errors are negative errnos, bytes are bytes. Lengths, not contents.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM zcbuf

#if !defined(ZCB_FACE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define ZCB_FACE_TRACE_H

#include <linux/tracepoint.h>

DECLARE_EVENT_CLASS(zcbuf_pool_size,
	TP_PROTO(u64 pool, u64 size, u32 order),
	TP_ARGS(pool, size, order),
	TP_STRUCT__entry(
		__field(u64, pool)
		__field(u64, size)
		__field(u32, order)
	),
	TP_fast_assign(
		__entry->pool = pool;
		__entry->size = size;
		__entry->order = order;
	),
	TP_printk("pool=0x%llx size=%llu order=%u", __entry->pool,
		  __entry->size, __entry->order)
);

DEFINE_EVENT(zcbuf_pool_size, zcbuf_pool_create,
	TP_PROTO(u64 pool, u64 size, u32 order), TP_ARGS(pool, size, order));

/* @size with the new arena, @order of its pages. */
DEFINE_EVENT(zcbuf_pool_size, zcbuf_pool_grow,
	TP_PROTO(u64 pool, u64 size, u32 order), TP_ARGS(pool, size, order));

/* @state: ZCBUF_ARENA_* from now on. */
TRACE_EVENT(zcbuf_pool_retire,
	TP_PROTO(u64 pool, u32 arena, u32 state),
	TP_ARGS(pool, arena, state),
	TP_STRUCT__entry(
		__field(u64, pool)
		__field(u32, arena)
		__field(u32, state)
	),
	TP_fast_assign(
		__entry->pool = pool;
		__entry->arena = arena;
		__entry->state = state;
	),
	TP_printk("pool=0x%llx arena=%u state=%u", __entry->pool,
		  __entry->arena, __entry->state)
);

TRACE_EVENT(zcbuf_pool_free,
	TP_PROTO(u64 pool, u64 size),
	TP_ARGS(pool, size),
	TP_STRUCT__entry(
		__field(u64, pool)
		__field(u64, size)
	),
	TP_fast_assign(
		__entry->pool = pool;
		__entry->size = size;
	),
	TP_printk("pool=0x%llx size=%llu", __entry->pool, __entry->size)
);

TRACE_EVENT(zcbuf_alloc,
	TP_PROTO(u64 pool, u64 session, u64 length, u32 done, int err),
	TP_ARGS(pool, session, length, done, err),
	TP_STRUCT__entry(
		__field(u64, pool)
		__field(u64, session)
		__field(u64, length)
		__field(u32, done)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->pool = pool;
		__entry->session = session;
		__entry->length = length;
		__entry->done = done;
		__entry->err = err;
	),
	TP_printk("pool=0x%llx session=%llu length=%llu done=%u err=%d",
		  __entry->pool, __entry->session, __entry->length,
		  __entry->done, __entry->err)
);

TRACE_EVENT(zcbuf_free,
	TP_PROTO(u64 pool, u64 session, u32 done, int err),
	TP_ARGS(pool, session, done, err),
	TP_STRUCT__entry(
		__field(u64, pool)
		__field(u64, session)
		__field(u32, done)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->pool = pool;
		__entry->session = session;
		__entry->done = done;
		__entry->err = err;
	),
	TP_printk("pool=0x%llx session=%llu done=%u err=%d", __entry->pool,
		  __entry->session, __entry->done, __entry->err)
);

DECLARE_EVENT_CLASS(zcbuf_give,
	TP_PROTO(u64 pool, u64 session, u64 to, u32 done, int err),
	TP_ARGS(pool, session, to, done, err),
	TP_STRUCT__entry(
		__field(u64, pool)
		__field(u64, session)
		__field(u64, to)
		__field(u32, done)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->pool = pool;
		__entry->session = session;
		__entry->to = to;
		__entry->done = done;
		__entry->err = err;
	),
	TP_printk("pool=0x%llx session=%llu to=%llu done=%u err=%d",
		  __entry->pool, __entry->session, __entry->to, __entry->done,
		  __entry->err)
);

DEFINE_EVENT(zcbuf_give, zcbuf_transfer,
	TP_PROTO(u64 pool, u64 session, u64 to, u32 done, int err),
	TP_ARGS(pool, session, to, done, err)
);

DEFINE_EVENT(zcbuf_give, zcbuf_share,
	TP_PROTO(u64 pool, u64 session, u64 to, u32 done, int err),
	TP_ARGS(pool, session, to, done, err)
);

TRACE_EVENT(zcbuf_bad_free,
	TP_PROTO(u64 pool, u64 handle, int err),
	TP_ARGS(pool, handle, err),
	TP_STRUCT__entry(
		__field(u64, pool)
		__field(u64, handle)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->pool = pool;
		__entry->handle = handle;
		__entry->err = err;
	),
	TP_printk("pool=0x%llx handle=0x%llx err=%d", __entry->pool,
		  __entry->handle, __entry->err)
);

TRACE_EVENT(zcbuf_reclaim,
	TP_PROTO(u64 pool, u64 session, u64 blocks, u64 objects, u64 shares),
	TP_ARGS(pool, session, blocks, objects, shares),
	TP_STRUCT__entry(
		__field(u64, pool)
		__field(u64, session)
		__field(u64, blocks)
		__field(u64, objects)
		__field(u64, shares)
	),
	TP_fast_assign(
		__entry->pool = pool;
		__entry->session = session;
		__entry->blocks = blocks;
		__entry->objects = objects;
		__entry->shares = shares;
	),
	TP_printk("pool=0x%llx session=%llu blocks=%llu objects=%llu shares=%llu",
		  __entry->pool, __entry->session, __entry->blocks,
		  __entry->objects, __entry->shares)
);

/* @bytes stay behind, or 0: after @age_ns nothing does. */
TRACE_EVENT(zcbuf_quarantine,
	TP_PROTO(u64 pool, u64 session, u64 bytes, u64 age_ns),
	TP_ARGS(pool, session, bytes, age_ns),
	TP_STRUCT__entry(
		__field(u64, pool)
		__field(u64, session)
		__field(u64, bytes)
		__field(u64, age_ns)
	),
	TP_fast_assign(
		__entry->pool = pool;
		__entry->session = session;
		__entry->bytes = bytes;
		__entry->age_ns = age_ns;
	),
	TP_printk("pool=0x%llx session=%llu bytes=%llu age_ns=%llu",
		  __entry->pool, __entry->session, __entry->bytes,
		  __entry->age_ns)
);

/* It has stopped for @age_ns. @policy: ZCBUF_HEARTBEAT_*. */
TRACE_EVENT(zcbuf_heartbeat,
	TP_PROTO(u64 pool, u64 session, u64 age_ns, u32 policy),
	TP_ARGS(pool, session, age_ns, policy),
	TP_STRUCT__entry(
		__field(u64, pool)
		__field(u64, session)
		__field(u64, age_ns)
		__field(u32, policy)
	),
	TP_fast_assign(
		__entry->pool = pool;
		__entry->session = session;
		__entry->age_ns = age_ns;
		__entry->policy = policy;
	),
	TP_printk("pool=0x%llx session=%llu age_ns=%llu policy=%u",
		  __entry->pool, __entry->session, __entry->age_ns,
		  __entry->policy)
);

/* @all: nothing of it stays behind in quarantine. */
TRACE_EVENT(zcbuf_evict,
	TP_PROTO(u64 pool, u64 session, bool all),
	TP_ARGS(pool, session, all),
	TP_STRUCT__entry(
		__field(u64, pool)
		__field(u64, session)
		__field(bool, all)
	),
	TP_fast_assign(
		__entry->pool = pool;
		__entry->session = session;
		__entry->all = all;
	),
	TP_printk("pool=0x%llx session=%llu all=%d", __entry->pool,
		  __entry->session, __entry->all)
);

TRACE_EVENT(zcbuf_reserve,
	TP_PROTO(u64 channel, u64 id, u64 group, u64 offset, u64 length),
	TP_ARGS(channel, id, group, offset, length),
	TP_STRUCT__entry(
		__field(u64, channel)
		__field(u64, id)
		__field(u64, group)
		__field(u64, offset)
		__field(u64, length)
	),
	TP_fast_assign(
		__entry->channel = channel;
		__entry->id = id;
		__entry->group = group;
		__entry->offset = offset;
		__entry->length = length;
	),
	TP_printk("channel=0x%llx id=%llu group=%llu offset=%llu length=%llu",
		  __entry->channel, __entry->id, __entry->group,
		  __entry->offset, __entry->length)
);

TRACE_EVENT(zcbuf_commit,
	TP_PROTO(u64 channel, u64 id, u64 length, int err),
	TP_ARGS(channel, id, length, err),
	TP_STRUCT__entry(
		__field(u64, channel)
		__field(u64, id)
		__field(u64, length)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->channel = channel;
		__entry->id = id;
		__entry->length = length;
		__entry->err = err;
	),
	TP_printk("channel=0x%llx id=%llu length=%llu err=%d",
		  __entry->channel, __entry->id, __entry->length, __entry->err)
);

DECLARE_EVENT_CLASS(zcbuf_answer,
	TP_PROTO(u64 channel, u64 id, int err),
	TP_ARGS(channel, id, err),
	TP_STRUCT__entry(
		__field(u64, channel)
		__field(u64, id)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->channel = channel;
		__entry->id = id;
		__entry->err = err;
	),
	TP_printk("channel=0x%llx id=0x%llx err=%d", __entry->channel,
		  __entry->id, __entry->err)
);

DEFINE_EVENT(zcbuf_answer, zcbuf_abort,
	TP_PROTO(u64 channel, u64 id, int err),
	TP_ARGS(channel, id, err)
);

DEFINE_EVENT(zcbuf_answer, zcbuf_release,
	TP_PROTO(u64 channel, u64 id, int err),
	TP_ARGS(channel, id, err)
);

TRACE_EVENT(zcbuf_finalize,
	TP_PROTO(u64 channel, u64 success, u64 failure, u64 reservations),
	TP_ARGS(channel, success, failure, reservations),
	TP_STRUCT__entry(
		__field(u64, channel)
		__field(u64, success)
		__field(u64, failure)
		__field(u64, reservations)
	),
	TP_fast_assign(
		__entry->channel = channel;
		__entry->success = success;
		__entry->failure = failure;
		__entry->reservations = reservations;
	),
	TP_printk("channel=0x%llx success=%llu failure=%llu reservations=%llu",
		  __entry->channel, __entry->success, __entry->failure,
		  __entry->reservations)
);

TRACE_EVENT(zcbuf_ready,
	TP_PROTO(u64 channel, u64 session, bool failure, u32 n),
	TP_ARGS(channel, session, failure, n),
	TP_STRUCT__entry(
		__field(u64, channel)
		__field(u64, session)
		__field(bool, failure)
		__field(u32, n)
	),
	TP_fast_assign(
		__entry->channel = channel;
		__entry->session = session;
		__entry->failure = failure;
		__entry->n = n;
	),
	TP_printk("channel=0x%llx session=%llu queue=%s n=%u",
		  __entry->channel, __entry->session,
		  __entry->failure ? "failure" : "success", __entry->n)
);

TRACE_EVENT(zcbuf_deliver,
	TP_PROTO(u64 channel, u64 group, u64 offset, u64 length),
	TP_ARGS(channel, group, offset, length),
	TP_STRUCT__entry(
		__field(u64, channel)
		__field(u64, group)
		__field(u64, offset)
		__field(u64, length)
	),
	TP_fast_assign(
		__entry->channel = channel;
		__entry->group = group;
		__entry->offset = offset;
		__entry->length = length;
	),
	TP_printk("channel=0x%llx group=%llu offset=%llu length=%llu",
		  __entry->channel, __entry->group, __entry->offset,
		  __entry->length)
);

TRACE_EVENT(zcbuf_publish,
	TP_PROTO(u64 channel, u64 group, u64 buffer, u64 length, u32 delivered,
		 u32 dropped),
	TP_ARGS(channel, group, buffer, length, delivered, dropped),
	TP_STRUCT__entry(
		__field(u64, channel)
		__field(u64, group)
		__field(u64, buffer)
		__field(u64, length)
		__field(u32, delivered)
		__field(u32, dropped)
	),
	TP_fast_assign(
		__entry->channel = channel;
		__entry->group = group;
		__entry->buffer = buffer;
		__entry->length = length;
		__entry->delivered = delivered;
		__entry->dropped = dropped;
	),
	TP_printk("channel=0x%llx group=%llu buffer=0x%llx length=%llu delivered=%u dropped=%u",
		  __entry->channel, __entry->group, __entry->buffer,
		  __entry->length, __entry->delivered, __entry->dropped)
);

TRACE_EVENT(zcbuf_group_free,
	TP_PROTO(u64 channel, u64 group),
	TP_ARGS(channel, group),
	TP_STRUCT__entry(
		__field(u64, channel)
		__field(u64, group)
	),
	TP_fast_assign(
		__entry->channel = channel;
		__entry->group = group;
	),
	TP_printk("channel=0x%llx group=%llu", __entry->channel,
		  __entry->group)
);

#endif /* ZCB_FACE_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>

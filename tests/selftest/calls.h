/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A table of every call: how to make an argument for it that works on a rig,
 * and where in that argument its flags, pointers, counts and handles are.
 */
#ifndef ZCBUF_SELFTEST_CALLS_H
#define ZCBUF_SELFTEST_CALLS_H

#include "rig.h"

#define CALLS_ENTRIES	2	/* of every batch */
#define CALLS_ARRAYS	2
#define CALLS_POOL_FLAGS (ZCBUF_POOL_F_NO_ZERO_ON_REUSE |		\
			  ZCBUF_POOL_F_HUGE_STRICT |			\
			  ZCBUF_POOL_F_SMALL_PAGES | ZCBUF_POOL_F_NODE |	\
			  ZCBUF_POOL_F_SHARED_PAGES | ZCBUF_POOL_F_AUTO_GROW |	\
			  ZCBUF_POOL_F_PERSISTENT | ZCBUF_POOL_F_OWNER |	\
			  ZCBUF_POOL_F_INTERLEAVE)
#define CALLS_CHANNEL_FLAGS (ZCBUF_CHANNEL_F_THRESHOLD |		\
			     ZCBUF_CHANNEL_F_HOLD_FAILED |		\
			     ZCBUF_CHANNEL_F_ORDERED |			\
			     ZCBUF_CHANNEL_F_NO_AUTO_FINALIZE |		\
			     ZCBUF_CHANNEL_F_TOPIC |			\
			     ZCBUF_CHANNEL_F_IMMUTABLE |		\
			     ZCBUF_CHANNEL_F_EXISTING |			\
			     ZCBUF_CHANNEL_F_NEW)
#define CALLS_RESERVE_FLAGS (ZCBUF_RESERVE_F_WINDOW |			\
			     ZCBUF_RESERVE_F_NEED_CONSUMER)

/*
 * struct attempt - one argument and its arrays
 * @arg: the argument, with room for a tail
 * @array: what its pointers point to
 * @bytes: how much of that belongs to the call
 */
struct attempt {
	char arg[2 * ZT_PAGE] __attribute__((aligned(16)));
	char array[CALLS_ARRAYS][1024] __attribute__((aligned(16)));
	size_t bytes[CALLS_ARRAYS];
};

/*
 * struct array_field - a pointer of an argument
 * @at: where it is, 0: no such array
 * @written: the kernel writes there
 * @optional: 0 is fine
 */
struct array_field {
	__u16 at;
	bool written;
	bool optional;
};

/*
 * struct count_field - entries of an array
 * @at: where it is, 0: no such count
 * @max: the most there may be; more is EINVAL
 * @none: 0 is fine
 */
struct count_field {
	__u16 at;
	__u32 max;
	bool none;
};

/*
 * struct call - one call
 * @nr: ZCBUF_NR_*
 * @size: of its argument
 * @first: of what was released first, 0: @size
 * @flags: those that are known
 * @right: what it needs, 0: a session that is attached
 * @fresh: needs a session that is not attached to succeed
 * @anyhow: needs no attachment
 * @writes: its argument has out_ fields
 * @reserved: where its reserved field is, 0: it has none
 * @channel: where its channel is, 0: it has none
 * @done: where out_done is, 0: it is no batch
 * @arrange: what the rig lacks
 * @make: a @size sized argument that works
 */
struct call {
	const char *name;
	unsigned int nr;
	__u16 size;
	__u16 first;
	__u32 flags;
	__u32 right;
	bool fresh;
	bool anyhow;
	bool writes;
	__u16 reserved;
	__u16 channel;
	__u16 done;
	struct array_field arrays[CALLS_ARRAYS];
	struct count_field counts[CALLS_ARRAYS];
	void (*arrange)(const struct rig *r);
	void (*make)(const struct rig *r, struct attempt *t);
};

/* The argument, with its size filled in. */
static __inline__ void *call_arg(struct attempt *t, __u32 size)
{
	memcpy(t->arg, &size, sizeof(size));
	return t->arg;
}

/* Array @i has @n bytes that are in use. */
static __inline__ __u64 call_array(struct attempt *t, int i, size_t n)
{
	t->bytes[i] = n;
	return zt_ptr(t->array[i]);
}

static __inline__ void make_query(const struct rig *r, struct attempt *t)
{
	(void)r;
	call_arg(t, sizeof(struct zcbuf_query));
}

static __inline__ void make_pool_create(const struct rig *r, struct attempt *t)
{
	struct zcbuf_class *classes = (struct zcbuf_class *)t->array[0];
	struct zcbuf_pool_create *a = call_arg(t, sizeof(*a));

	(void)r;
	classes[0].length = 128;
	classes[1].length = 512;
	a->kind = ZCBUF_POOL_TIERS;
	a->arena_size = ZT_ARENA;
	a->nclasses = CALLS_ENTRIES;
	a->classes = call_array(t, 0, CALLS_ENTRIES * sizeof(*classes));
	hz_name(t->array[1], ZCBUF_MAX_NAME, "made");
	a->name_len = strlen(t->array[1]);
	a->name = call_array(t, 1, a->name_len);
}

static __inline__ void make_pool_attach(const struct rig *r, struct attempt *t)
{
	struct zcbuf_pool_attach *a = call_arg(t, sizeof(*a));

	strcpy(t->array[0], r->name);
	a->name_len = strlen(r->name);
	a->name = call_array(t, 0, a->name_len);
}

static __inline__ void make_pool_info(const struct rig *r, struct attempt *t)
{
	struct zcbuf_pool_info *a = call_arg(t, sizeof(*a));

	(void)r;
	a->nclasses = RIG_CLASSES;
	a->entry_size = sizeof(struct zcbuf_class_info);
	a->classes = call_array(t, 0, RIG_CLASSES * a->entry_size);
}

static __inline__ void make_alloc(const struct rig *r, struct attempt *t)
{
	struct zcbuf_alloc *a = call_arg(t, sizeof(*a));

	(void)r;
	a->length = 1024;
	a->count = CALLS_ENTRIES;
	a->handles = call_array(t, 0, CALLS_ENTRIES * sizeof(__u64));
}

/* FREE, RELEASE: handles. */
static __inline__ void make_handles(struct attempt *t, __u64 channel,
				    const __u64 *handles)
{
	struct zcbuf_batch *a = call_arg(t, sizeof(*a));

	memcpy(t->array[0], handles, CALLS_ENTRIES * sizeof(*handles));
	a->channel = channel;
	a->count = CALLS_ENTRIES;
	a->entries = call_array(t, 0, CALLS_ENTRIES * sizeof(*handles));
}

static __inline__ void make_free(const struct rig *r, struct attempt *t)
{
	make_handles(t, 0, r->buffers);
}

static __inline__ void make_buf_info(const struct rig *r, struct attempt *t)
{
	struct zcbuf_buf_info *a = call_arg(t, sizeof(*a));

	memcpy(t->array[0], r->buffers, CALLS_ENTRIES * sizeof(*r->buffers));
	a->count = CALLS_ENTRIES;
	a->entry_size = sizeof(struct zcbuf_buf_place);
	a->handles = call_array(t, 0, CALLS_ENTRIES * sizeof(*r->buffers));
	a->entries = call_array(t, 1, CALLS_ENTRIES * a->entry_size);
}

/* One of its own in each pool, so any name will do. */
static __inline__ void make_channel_open(const struct rig *r, struct attempt *t)
{
	struct zcbuf_channel_name *n = (struct zcbuf_channel_name *)t->array[0];
	struct zcbuf_channel_open *a = call_arg(t, sizeof(*a));

	(void)r;
	*n = (struct zcbuf_channel_name){
		.domain_len = 1, .service_len = 5, .instance_len = 3,
		.event_len = 4, .domain = "d", .service = "calls",
		.instance = "one", .event = "open",
	};
	a->name = call_array(t, 0, sizeof(*n));
	a->flags = ZCBUF_CHANNEL_F_THRESHOLD;
	a->threshold = RIG_GROUP;
	a->ports = ZT_ALL_PORTS;
}

static __inline__ void make_channel_close(const struct rig *r,
					  struct attempt *t)
{
	struct zcbuf_channel_close *a = call_arg(t, sizeof(*a));

	a->channel = r->channel;
}

static __inline__ void make_reservations(struct attempt *t, int i)
{
	struct zcbuf_reservation *v = (struct zcbuf_reservation *)t->array[i];

	v[0].length = 100;
	v[1].length = 200;
}

static __inline__ void make_reserve(const struct rig *r, struct attempt *t)
{
	struct zcbuf_reserve *a = call_arg(t, sizeof(*a));

	make_reservations(t, 0);
	a->channel = r->channel;
	a->count = CALLS_ENTRIES;
	a->entries = call_array(t, 0, CALLS_ENTRIES *
				sizeof(struct zcbuf_reservation));
}

static __inline__ void make_publish(const struct rig *r, struct attempt *t)
{
	struct zcbuf_publication *p = (struct zcbuf_publication *)t->array[0];
	struct zcbuf_publish *a = call_arg(t, sizeof(*a));
	int i;

	for (i = 0; i < CALLS_ENTRIES; i++) {
		p[i].handle = r->buffers[i];
		p[i].length = 48;
		p[i].user_tag = i;
	}
	a->channel = r->channel;
	a->count = CALLS_ENTRIES;
	a->entries = call_array(t, 0, CALLS_ENTRIES * sizeof(*p));
}

static __inline__ size_t make_commits(const struct rig *r, struct attempt *t)
{
	struct zcbuf_commit_entry *e = (struct zcbuf_commit_entry *)t->array[0];
	int i;

	for (i = 0; i < CALLS_ENTRIES; i++) {
		e[i].group = r->pending[i].out_group;
		e[i].id = r->pending[i].out_id;
		e[i].offset = r->pending[i].out_offset;
		e[i].length = r->pending[i].length;
	}
	return CALLS_ENTRIES * sizeof(*e);
}

static __inline__ void make_commit(const struct rig *r, struct attempt *t)
{
	struct zcbuf_batch *a = call_arg(t, sizeof(*a));

	a->channel = r->channel;
	a->count = CALLS_ENTRIES;
	a->entries = call_array(t, 0, make_commits(r, t));
}

static __inline__ void make_commit_reserve(const struct rig *r,
					   struct attempt *t)
{
	struct zcbuf_commit_reserve *a = call_arg(t, sizeof(*a));

	make_reservations(t, 1);
	a->channel = r->channel;
	a->ncommits = CALLS_ENTRIES;
	a->nreserves = CALLS_ENTRIES;
	a->commits = call_array(t, 0, make_commits(r, t));
	a->reserves = call_array(t, 1, CALLS_ENTRIES *
				 sizeof(struct zcbuf_reservation));
}

static __inline__ void make_abort(const struct rig *r, struct attempt *t)
{
	struct zcbuf_abort_entry *e = (struct zcbuf_abort_entry *)t->array[0];
	int i;
	struct zcbuf_batch *a = call_arg(t, sizeof(*a));

	for (i = 0; i < CALLS_ENTRIES; i++) {
		e[i].group = r->pending[i].out_group;
		e[i].id = r->pending[i].out_id;
	}
	a->channel = r->channel;
	a->count = CALLS_ENTRIES;
	a->entries = call_array(t, 0, CALLS_ENTRIES * sizeof(*e));
}

static __inline__ void make_flush(const struct rig *r, struct attempt *t)
{
	struct zcbuf_flush *a = call_arg(t, sizeof(*a));

	a->channel = r->channel;
}

static __inline__ void make_finalize(const struct rig *r, struct attempt *t)
{
	struct zcbuf_finalize *a = call_arg(t, sizeof(*a));

	a->channel = r->channel;
}

static __inline__ void make_receive(const struct rig *r, struct attempt *t)
{
	struct zcbuf_receive *a = call_arg(t, sizeof(*a));

	a->channel = r->channel;
	a->count = CALLS_ENTRIES;
	a->entry_size = sizeof(struct zcbuf_delivery);
	a->entries = call_array(t, 0, CALLS_ENTRIES *
				sizeof(struct zcbuf_delivery));
}

static __inline__ void make_receive_failed(const struct rig *r,
					   struct attempt *t)
{
	struct zcbuf_receive_failed *a = call_arg(t, sizeof(*a));

	a->channel = r->channel;
	a->npieces = 2;
	a->nlost = 2;
	a->pieces = call_array(t, 0, 2 * sizeof(struct zcbuf_piece));
	a->lost = call_array(t, 1, 2 * sizeof(struct zcbuf_lost));
}

static __inline__ void make_release(const struct rig *r, struct attempt *t)
{
	make_handles(t, r->channel, r->held);
}

static __inline__ void make_eventfd(const struct rig *r, struct attempt *t)
{
	struct zcbuf_eventfd *a = call_arg(t, sizeof(*a));

	a->channel = r->channel;
	a->fd = r->efd;
	a->mode = ZCBUF_EVENTFD_EACH;
}

static __inline__ void make_queue(const struct rig *r, struct attempt *t)
{
	struct zcbuf_queue *a = call_arg(t, sizeof(*a));

	a->channel = r->topic;
}

static __inline__ void make_ready(const struct rig *r, struct attempt *t)
{
	(void)r;
	call_arg(t, sizeof(struct zcbuf_ready));
}

static __inline__ void make_heartbeat(const struct rig *r, struct attempt *t)
{
	struct zcbuf_heartbeat *a = call_arg(t, sizeof(*a));

	(void)r;
	a->period_ns = 3600000000000;
	a->misses = 1;
	a->policy = ZCBUF_HEARTBEAT_REPORT;
}

static __inline__ void make_pool_grow(const struct rig *r, struct attempt *t)
{
	(void)r;
	call_arg(t, sizeof(struct zcbuf_pool_grow));
}

static __inline__ void make_transfer(const struct rig *r, struct attempt *t)
{
	struct zcbuf_transfer *a = call_arg(t, sizeof(*a));

	memcpy(t->array[0], r->buffers, CALLS_ENTRIES * sizeof(*r->buffers));
	a->session = r->other_id;
	a->count = CALLS_ENTRIES;
	a->handles = call_array(t, 0, CALLS_ENTRIES * sizeof(*r->buffers));
}

static __inline__ void make_pin_token(const struct rig *r, struct attempt *t)
{
	struct zcbuf_pin_token *a = call_arg(t, sizeof(*a));

	(void)r;
	a->arenas = 1;
}

/* The second page of a block of two. */
static __inline__ void make_export(const struct rig *r, struct attempt *t)
{
	struct zcbuf_export *a = call_arg(t, sizeof(*a));

	a->handle = r->buffers[0];
	a->offset = ZT_PAGE;
	a->length = ZT_PAGE;
	a->out_fd = -1;
}

static __inline__ void make_watch(const struct rig *r, struct attempt *t)
{
	struct zcbuf_watch *a = call_arg(t, sizeof(*a));

	(void)r;
	a->count = 2;
	a->entry_size = sizeof(struct zcbuf_watch_entry);
	a->entries = call_array(t, 0, a->count * a->entry_size);
}

/* By name, as who is not attached does. */
static __inline__ void make_pool_remove(const struct rig *r, struct attempt *t)
{
	struct zcbuf_pool_remove *a = call_arg(t, sizeof(*a));

	strcpy(t->array[0], r->name);
	a->name_len = strlen(r->name);
	a->name = call_array(t, 0, a->name_len);
}

/* Another arena, as the first one stays. */
static __inline__ void arrange_pool_retire(const struct rig *r)
{
	ASSERT_OK(zt_pool_grow(r->fd, NULL));
}

static __inline__ void make_pool_retire(const struct rig *r, struct attempt *t)
{
	struct zcbuf_pool_retire *a = call_arg(t, sizeof(*a));

	(void)r;
	a->arena = 1;
}

#define CALL_ROW(_nr, _type, ...)					\
	{ .name = #_nr, .nr = ZCBUF_NR_##_nr,				\
	  .size = sizeof(struct _type), __VA_ARGS__ }
#define CALL_AT(_type, _field)	offsetof(struct _type, _field)
#define CALL_IN(_type, _field)	{ .at = CALL_AT(_type, _field) }
#define CALL_OUT(_type, _field)	{ .at = CALL_AT(_type, _field), .written = true }
#define CALL_COUNT(_type, _field)					\
	{ .at = CALL_AT(_type, _field), .max = ZCBUF_MAX_BATCH }

/* FREE, COMMIT, ABORT, RELEASE. */
#define CALL_BATCH							\
	.writes = true, .reserved = CALL_AT(zcbuf_batch, __reserved),	\
	.done = CALL_AT(zcbuf_batch, out_done),				\
	.arrays = { CALL_IN(zcbuf_batch, entries) },			\
	.counts = { CALL_COUNT(zcbuf_batch, count) }

static const struct call calls[] = {
	CALL_ROW(QUERY, zcbuf_query, .anyhow = true, .writes = true,
		 .make = make_query),
	CALL_ROW(POOL_CREATE, zcbuf_pool_create, .flags = CALLS_POOL_FLAGS,
		 .fresh = true, .anyhow = true, .writes = true,
		 .reserved = CALL_AT(zcbuf_pool_create, __reserved),
		 .arrays = { CALL_IN(zcbuf_pool_create, classes),
			     CALL_IN(zcbuf_pool_create, name) },
		 .counts = { { .at = CALL_AT(zcbuf_pool_create, nclasses),
			       .max = ZCBUF_MAX_CLASSES, .none = true },
			     { .at = CALL_AT(zcbuf_pool_create, name_len),
			       .max = ZCBUF_MAX_NAME, .none = true } },
		 .make = make_pool_create),
	CALL_ROW(POOL_ATTACH, zcbuf_pool_attach,
		 .flags = ZCBUF_ATTACH_F_FD | ZCBUF_ATTACH_F_UID,
		 .fresh = true, .anyhow = true, .writes = true,
		 .arrays = { CALL_IN(zcbuf_pool_attach, name) },
		 .counts = { { .at = CALL_AT(zcbuf_pool_attach, name_len),
			       .max = ZCBUF_MAX_NAME } },
		 .make = make_pool_attach),
	CALL_ROW(POOL_INFO, zcbuf_pool_info, .writes = true,
		 .reserved = CALL_AT(zcbuf_pool_info, __reserved),
		 .arrays = { { .at = CALL_AT(zcbuf_pool_info, classes),
			       .written = true, .optional = true } },
		 .make = make_pool_info),
	CALL_ROW(ALLOC, zcbuf_alloc, .first = CALL_AT(zcbuf_alloc, node),
		 .flags = ZCBUF_ALLOC_F_ZERO | ZCBUF_ALLOC_F_NODE,
		 .right = ZCBUF_RIGHT_MAP_WRITE, .writes = true,
		 .reserved = CALL_AT(zcbuf_alloc, __reserved),
		 .done = CALL_AT(zcbuf_alloc, out_done),
		 .arrays = { CALL_OUT(zcbuf_alloc, handles) },
		 .counts = { CALL_COUNT(zcbuf_alloc, count) },
		 .make = make_alloc),
	CALL_ROW(FREE, zcbuf_batch, .right = ZCBUF_RIGHT_MAP_WRITE, CALL_BATCH,
		 .make = make_free),
	CALL_ROW(CHANNEL_OPEN, zcbuf_channel_open, .flags = CALLS_CHANNEL_FLAGS,
		 .writes = true,
		 .reserved = CALL_AT(zcbuf_channel_open, __reserved),
		 .arrays = { { .at = CALL_AT(zcbuf_channel_open, name),
			       .optional = true } },
		 .make = make_channel_open),
	CALL_ROW(CHANNEL_CLOSE, zcbuf_channel_close,
		 .reserved = CALL_AT(zcbuf_channel_close, __reserved),
		 .channel = CALL_AT(zcbuf_channel_close, channel),
		 .make = make_channel_close),
	CALL_ROW(RESERVE, zcbuf_reserve, .first = CALL_AT(zcbuf_reserve, out_why),
		 .flags = CALLS_RESERVE_FLAGS, .right = ZCBUF_RIGHT_PRODUCE,
		 .writes = true, .reserved = CALL_AT(zcbuf_reserve, __reserved),
		 .channel = CALL_AT(zcbuf_reserve, channel),
		 .done = CALL_AT(zcbuf_reserve, out_done),
		 .arrays = { CALL_OUT(zcbuf_reserve, entries) },
		 .counts = { CALL_COUNT(zcbuf_reserve, count) },
		 .make = make_reserve),
	CALL_ROW(COMMIT, zcbuf_batch, .flags = ZCBUF_COMMIT_F_TAGGED,
		 .right = ZCBUF_RIGHT_PRODUCE, CALL_BATCH,
		 .channel = CALL_AT(zcbuf_batch, channel), .make = make_commit),
	CALL_ROW(COMMIT_RESERVE, zcbuf_commit_reserve,
		 .first = CALL_AT(zcbuf_commit_reserve, out_why),
		 .flags = CALLS_RESERVE_FLAGS | ZCBUF_COMMIT_F_TAGGED,
		 .right = ZCBUF_RIGHT_PRODUCE, .writes = true,
		 .reserved = CALL_AT(zcbuf_commit_reserve, __reserved),
		 .channel = CALL_AT(zcbuf_commit_reserve, channel),
		 .done = CALL_AT(zcbuf_commit_reserve, out_committed),
		 .arrays = { CALL_IN(zcbuf_commit_reserve, commits),
			     CALL_OUT(zcbuf_commit_reserve, reserves) },
		 .counts = { CALL_COUNT(zcbuf_commit_reserve, ncommits),
			     CALL_COUNT(zcbuf_commit_reserve, nreserves) },
		 .make = make_commit_reserve),
	CALL_ROW(ABORT, zcbuf_batch, .right = ZCBUF_RIGHT_PRODUCE, CALL_BATCH,
		 .channel = CALL_AT(zcbuf_batch, channel), .make = make_abort),
	CALL_ROW(FLUSH, zcbuf_flush, .right = ZCBUF_RIGHT_PRODUCE,
		 .writes = true, .reserved = CALL_AT(zcbuf_flush, __reserved),
		 .channel = CALL_AT(zcbuf_flush, channel), .make = make_flush),
	CALL_ROW(FINALIZE, zcbuf_finalize, .right = ZCBUF_RIGHT_PRODUCE,
		 .writes = true, .channel = CALL_AT(zcbuf_finalize, channel),
		 .make = make_finalize),
	CALL_ROW(RECEIVE, zcbuf_receive, .right = ZCBUF_RIGHT_CONSUME,
		 .writes = true, .channel = CALL_AT(zcbuf_receive, channel),
		 .done = CALL_AT(zcbuf_receive, out_done),
		 .arrays = { CALL_OUT(zcbuf_receive, entries) },
		 .counts = { CALL_COUNT(zcbuf_receive, count) },
		 .make = make_receive),
	CALL_ROW(RECEIVE_FAILED, zcbuf_receive_failed,
		 .right = ZCBUF_RIGHT_CONSUME, .writes = true,
		 .channel = CALL_AT(zcbuf_receive_failed, channel),
		 .arrays = { CALL_OUT(zcbuf_receive_failed, pieces),
			     CALL_OUT(zcbuf_receive_failed, lost) },
		 .make = make_receive_failed),
	CALL_ROW(RELEASE, zcbuf_batch, .right = ZCBUF_RIGHT_CONSUME, CALL_BATCH,
		 .channel = CALL_AT(zcbuf_batch, channel),
		 .make = make_release),
	CALL_ROW(EVENTFD, zcbuf_eventfd, .flags = ZCBUF_EVENTFD_F_FAILED,
		 .right = ZCBUF_RIGHT_CONSUME,
		 .channel = CALL_AT(zcbuf_eventfd, channel),
		 .make = make_eventfd),
	CALL_ROW(BUF_INFO, zcbuf_buf_info, .right = ZCBUF_RIGHT_MAP_WRITE,
		 .writes = true, .done = CALL_AT(zcbuf_buf_info, out_done),
		 .arrays = { CALL_IN(zcbuf_buf_info, handles),
			     CALL_OUT(zcbuf_buf_info, entries) },
		 .counts = { CALL_COUNT(zcbuf_buf_info, count) },
		 .make = make_buf_info),
	CALL_ROW(POOL_GROW, zcbuf_pool_grow, .right = ZCBUF_RIGHT_ADMIN,
		 .writes = true, .make = make_pool_grow),
	CALL_ROW(TRANSFER, zcbuf_transfer, .right = ZCBUF_RIGHT_MAP_WRITE,
		 .writes = true, .reserved = CALL_AT(zcbuf_transfer, __reserved),
		 .done = CALL_AT(zcbuf_transfer, out_done),
		 .arrays = { CALL_IN(zcbuf_transfer, handles) },
		 .counts = { CALL_COUNT(zcbuf_transfer, count) },
		 .make = make_transfer),
	CALL_ROW(PIN_TOKEN, zcbuf_pin_token, .writes = true,
		 .make = make_pin_token),
	CALL_ROW(SHARE, zcbuf_transfer, .right = ZCBUF_RIGHT_MAP_WRITE,
		 .writes = true, .reserved = CALL_AT(zcbuf_transfer, __reserved),
		 .done = CALL_AT(zcbuf_transfer, out_done),
		 .arrays = { CALL_IN(zcbuf_transfer, handles) },
		 .counts = { CALL_COUNT(zcbuf_transfer, count) },
		 .make = make_transfer),
	CALL_ROW(EXPORT, zcbuf_export, .flags = ZCBUF_EXPORT_F_READ_ONLY,
		 .right = ZCBUF_RIGHT_MAP_WRITE, .writes = true,
		 .reserved = CALL_AT(zcbuf_export, __reserved),
		 .make = make_export),
	CALL_ROW(POOL_REMOVE, zcbuf_pool_remove, .flags = ZCBUF_REMOVE_F_UID,
		 .anyhow = true,
		 .arrays = { CALL_IN(zcbuf_pool_remove, name) },
		 .counts = { { .at = CALL_AT(zcbuf_pool_remove, name_len),
			       .max = ZCBUF_MAX_NAME } },
		 .make = make_pool_remove),
	CALL_ROW(POOL_RETIRE, zcbuf_pool_retire,
		 .flags = ZCBUF_RETIRE_F_NOW | ZCBUF_RETIRE_F_CANCEL,
		 .right = ZCBUF_RIGHT_ADMIN, .writes = true,
		 .arrange = arrange_pool_retire, .make = make_pool_retire),
	CALL_ROW(PUBLISH, zcbuf_publish, .first = CALL_AT(zcbuf_publish, out_why),
		 .flags = ZCBUF_PUBLISH_F_NEED_CONSUMER,
		 .right = ZCBUF_RIGHT_PRODUCE, .writes = true,
		 .reserved = CALL_AT(zcbuf_publish, __reserved),
		 .channel = CALL_AT(zcbuf_publish, channel),
		 .done = CALL_AT(zcbuf_publish, out_done),
		 .arrays = { CALL_OUT(zcbuf_publish, entries) },
		 .counts = { CALL_COUNT(zcbuf_publish, count) },
		 .make = make_publish),
	CALL_ROW(QUEUE, zcbuf_queue, .flags = ZCBUF_QUEUE_F_SYNC,
		 .right = ZCBUF_RIGHT_CONSUME, .writes = true,
		 .reserved = CALL_AT(zcbuf_queue, __reserved),
		 .channel = CALL_AT(zcbuf_queue, channel), .make = make_queue),
	CALL_ROW(WATCH, zcbuf_watch, .writes = true,
		 .reserved = CALL_AT(zcbuf_watch, __reserved),
		 .arrays = { CALL_OUT(zcbuf_watch, entries) },
		 .counts = { { .at = CALL_AT(zcbuf_watch, count), .max = 4096,
			       .none = true } },
		 .make = make_watch),
	CALL_ROW(READY, zcbuf_ready, .right = ZCBUF_RIGHT_CONSUME,
		 .writes = true, .reserved = CALL_AT(zcbuf_ready, __reserved),
		 .make = make_ready),
	CALL_ROW(HEARTBEAT, zcbuf_heartbeat, .writes = true,
		 .reserved = CALL_AT(zcbuf_heartbeat, __reserved),
		 .make = make_heartbeat),
};

#define NR_CALLS	(sizeof(calls) / sizeof(calls[0]))

/* ----------------------------------------------------------------- a call */

static __inline__ int call_fd(const struct call *c, const struct rig *r)
{
	return c->fresh ? r->fresh : r->fd;
}

static __inline__ unsigned long call_request(const struct call *c)
{
	return _IO(ZCBUF_IOC_TYPE, c->nr);
}

static __inline__ void call_make(const struct call *c, const struct rig *r,
				 struct attempt *t)
{
	memset(t, 0, sizeof(*t));
	c->make(r, t);
}

static __inline__ void call_set32(struct attempt *t, size_t at, __u32 value)
{
	memcpy(t->arg + at, &value, sizeof(value));
}

static __inline__ void call_set64(struct attempt *t, size_t at, __u64 value)
{
	memcpy(t->arg + at, &value, sizeof(value));
}

static __inline__ __u32 call_get32(const struct attempt *t, size_t at)
{
	__u32 value;

	memcpy(&value, t->arg + at, sizeof(value));
	return value;
}

#endif /* ZCBUF_SELFTEST_CALLS_H */

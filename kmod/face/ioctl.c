// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctl face: a table, and one dispatcher that does for every call what
 * every call needs: size and tail, flags, rights, writable result memory, and
 * copying the answer back.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/nospec.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <asm/futex.h>

#include "../obj/account.h"
#include "../obj/arena.h"
#include "../obj/evict.h"
#include "face.h"
#include "ioctl.h"

#define ZCB_CALL_SIZE_MAX	PAGE_SIZE	/* of an argument, tail included */

/* What a call needs besides an attached session. */
#define ZCB_NEEDS_NOTHING	(~0U)		/* not even that */
#define ZCB_NEEDS_ATTACHED	0

/**
 * struct zcb_ioctl_row - one call
 * @size: of its argument
 * @min_size: of its argument when it was first released
 * @flags: bits of its flags field that have a meaning
 * @right: ZCBUF_RIGHT_* or ZCB_NEEDS_*
 * @writes: the argument has out_ fields
 * @handler: does it; the argument has been copied and is copied back
 */
struct zcb_ioctl_row {
	u16 size;
	u16 min_size;
	u32 flags;
	u32 right;
	bool writes;
	int (*handler)(struct zcb_call *c);
};

/* Every argument begins with these. */
struct zcb_ioctl_head {
	u32 size;
	u32 flags;
};

union zcb_ioctl_arg {
	struct zcb_ioctl_head head;
	struct zcbuf_query query;
	struct zcbuf_pool_create pool_create;
	struct zcbuf_pool_attach pool_attach;
	struct zcbuf_pool_info pool_info;
	struct zcbuf_alloc alloc;
	struct zcbuf_batch batch;
	struct zcbuf_channel_open channel_open;
	struct zcbuf_channel_close channel_close;
	struct zcbuf_reserve reserve;
	struct zcbuf_commit_reserve commit_reserve;
	struct zcbuf_flush flush;
	struct zcbuf_finalize finalize;
	struct zcbuf_receive receive;
	struct zcbuf_receive_failed receive_failed;
	struct zcbuf_eventfd eventfd;
	struct zcbuf_buf_info buf_info;
	struct zcbuf_pool_grow pool_grow;
	struct zcbuf_transfer transfer;
	struct zcbuf_pin_token pin_token;
	struct zcbuf_export export;
	struct zcbuf_pool_remove pool_remove;
	struct zcbuf_pool_retire pool_retire;
	struct zcbuf_publish publish;
	struct zcbuf_queue queue;
	struct zcbuf_watch watch;
	struct zcbuf_ready ready;
	struct zcbuf_heartbeat heartbeat;
};

static int zcb_ioctl_query(struct zcb_call *c);

#define ZCB_ROW(_nr, _struct, _last, _flags, _right, _writes, _handler)	\
	[_nr] = {							\
		.size = sizeof(struct _struct),				\
		.min_size = offsetofend(struct _struct, _last),		\
		.flags = _flags,					\
		.right = _right,					\
		.writes = _writes,					\
		.handler = _handler,					\
	}

#define ZCB_POOL_FLAGS	(ZCBUF_POOL_F_NO_ZERO_ON_REUSE |		\
			 ZCBUF_POOL_F_HUGE_STRICT |			\
			 ZCBUF_POOL_F_SMALL_PAGES | ZCBUF_POOL_F_NODE |		\
			 ZCBUF_POOL_F_SHARED_PAGES | ZCBUF_POOL_F_AUTO_GROW |	\
			 ZCBUF_POOL_F_PERSISTENT | ZCBUF_POOL_F_OWNER |		\
			 ZCBUF_POOL_F_INTERLEAVE)
#define ZCB_CHANNEL_FLAGS (ZCBUF_CHANNEL_F_THRESHOLD |			\
			   ZCBUF_CHANNEL_F_HOLD_FAILED |		\
			   ZCBUF_CHANNEL_F_ORDERED |			\
			   ZCBUF_CHANNEL_F_NO_AUTO_FINALIZE |		\
			   ZCBUF_CHANNEL_F_TOPIC |			\
			   ZCBUF_CHANNEL_F_IMMUTABLE |			\
			   ZCBUF_CHANNEL_F_EXISTING | ZCBUF_CHANNEL_F_NEW)
#define ZCB_RESERVE_FLAGS (ZCBUF_RESERVE_F_WINDOW |			\
			   ZCBUF_RESERVE_F_NEED_CONSUMER)

static const struct zcb_ioctl_row ioctl_rows[ZCBUF_NR_CALLS] = {
	ZCB_ROW(ZCBUF_NR_QUERY, zcbuf_query, out_max_arena_size, 0,
		ZCB_NEEDS_NOTHING, true, zcb_ioctl_query),
	ZCB_ROW(ZCBUF_NR_POOL_CREATE, zcbuf_pool_create, gid,
		ZCB_POOL_FLAGS, ZCB_NEEDS_NOTHING, true, zcb_ioctl_pool_create),
	ZCB_ROW(ZCBUF_NR_POOL_ATTACH, zcbuf_pool_attach, out_rights,
		ZCBUF_ATTACH_F_FD | ZCBUF_ATTACH_F_UID, ZCB_NEEDS_NOTHING, true,
		zcb_ioctl_pool_attach),
	ZCB_ROW(ZCBUF_NR_POOL_INFO, zcbuf_pool_info, out_retiring, 0,
		ZCB_NEEDS_ATTACHED, true, zcb_ioctl_pool_info),
	ZCB_ROW(ZCBUF_NR_ALLOC, zcbuf_alloc, out_error,
		ZCBUF_ALLOC_F_ZERO | ZCBUF_ALLOC_F_NODE,
		ZCBUF_RIGHT_MAP_WRITE, true, zcb_ioctl_alloc),
	ZCB_ROW(ZCBUF_NR_FREE, zcbuf_batch, out_error, 0, ZCBUF_RIGHT_MAP_WRITE,
		true, zcb_ioctl_free),
	ZCB_ROW(ZCBUF_NR_CHANNEL_OPEN, zcbuf_channel_open, __reserved2,
		ZCB_CHANNEL_FLAGS, ZCB_NEEDS_ATTACHED, true,
		zcb_ioctl_channel_open),
	ZCB_ROW(ZCBUF_NR_CHANNEL_CLOSE, zcbuf_channel_close, __reserved, 0,
		ZCB_NEEDS_ATTACHED, false, zcb_ioctl_channel_close),
	ZCB_ROW(ZCBUF_NR_RESERVE, zcbuf_reserve, out_error, ZCB_RESERVE_FLAGS,
		ZCBUF_RIGHT_PRODUCE, true, zcb_ioctl_reserve),
	ZCB_ROW(ZCBUF_NR_COMMIT, zcbuf_batch, out_error, ZCBUF_COMMIT_F_TAGGED,
		ZCBUF_RIGHT_PRODUCE, true, zcb_ioctl_commit),
	ZCB_ROW(ZCBUF_NR_COMMIT_RESERVE, zcbuf_commit_reserve,
		out_reserve_error, ZCB_RESERVE_FLAGS | ZCBUF_COMMIT_F_TAGGED,
		ZCBUF_RIGHT_PRODUCE, true, zcb_ioctl_commit_reserve),
	ZCB_ROW(ZCBUF_NR_ABORT, zcbuf_batch, out_error, 0, ZCBUF_RIGHT_PRODUCE,
		true, zcb_ioctl_abort),
	ZCB_ROW(ZCBUF_NR_FLUSH, zcbuf_flush, __reserved, 0, ZCBUF_RIGHT_PRODUCE,
		true, zcb_ioctl_flush),
	ZCB_ROW(ZCBUF_NR_FINALIZE, zcbuf_finalize, out_reservations, 0,
		ZCBUF_RIGHT_PRODUCE, true, zcb_ioctl_finalize),
	ZCB_ROW(ZCBUF_NR_RECEIVE, zcbuf_receive, out_error, 0,
		ZCBUF_RIGHT_CONSUME, true, zcb_ioctl_receive),
	ZCB_ROW(ZCBUF_NR_RECEIVE_FAILED, zcbuf_receive_failed, out_delivery, 0,
		ZCBUF_RIGHT_CONSUME, true, zcb_ioctl_receive_failed),
	ZCB_ROW(ZCBUF_NR_RELEASE, zcbuf_batch, out_error, 0,
		ZCBUF_RIGHT_CONSUME, true, zcb_ioctl_release),
	ZCB_ROW(ZCBUF_NR_EVENTFD, zcbuf_eventfd, mode, ZCBUF_EVENTFD_F_FAILED,
		ZCBUF_RIGHT_CONSUME, false, zcb_ioctl_eventfd),
	ZCB_ROW(ZCBUF_NR_BUF_INFO, zcbuf_buf_info, out_error, 0,
		ZCBUF_RIGHT_MAP_WRITE, true, zcb_ioctl_buf_info),
	ZCB_ROW(ZCBUF_NR_POOL_GROW, zcbuf_pool_grow, out_page_order, 0,
		ZCBUF_RIGHT_ADMIN, true, zcb_ioctl_pool_grow),
	ZCB_ROW(ZCBUF_NR_TRANSFER, zcbuf_transfer, out_error, 0,
		ZCBUF_RIGHT_MAP_WRITE, true, zcb_ioctl_transfer),
	ZCB_ROW(ZCBUF_NR_PIN_TOKEN, zcbuf_pin_token, arenas, 0,
		ZCB_NEEDS_ATTACHED, true, zcb_ioctl_pin_token),
	ZCB_ROW(ZCBUF_NR_SHARE, zcbuf_transfer, out_error, 0,
		ZCBUF_RIGHT_MAP_WRITE, true, zcb_ioctl_share),
	ZCB_ROW(ZCBUF_NR_EXPORT, zcbuf_export, __reserved,
		ZCBUF_EXPORT_F_READ_ONLY, ZCBUF_RIGHT_MAP_WRITE, true,
		zcb_ioctl_export),
	ZCB_ROW(ZCBUF_NR_POOL_REMOVE, zcbuf_pool_remove, uid,
		ZCBUF_REMOVE_F_UID, ZCB_NEEDS_NOTHING, false,
		zcb_ioctl_pool_remove),
	ZCB_ROW(ZCBUF_NR_POOL_RETIRE, zcbuf_pool_retire, out_state,
		ZCBUF_RETIRE_F_NOW | ZCBUF_RETIRE_F_CANCEL, ZCBUF_RIGHT_ADMIN,
		true, zcb_ioctl_pool_retire),
	ZCB_ROW(ZCBUF_NR_PUBLISH, zcbuf_publish, out_error,
		ZCBUF_PUBLISH_F_NEED_CONSUMER,
		ZCBUF_RIGHT_PRODUCE | ZCBUF_RIGHT_MAP_WRITE, true,
		zcb_ioctl_publish),
	ZCB_ROW(ZCBUF_NR_QUEUE, zcbuf_queue, out_state_bytes,
		ZCBUF_QUEUE_F_SYNC, ZCBUF_RIGHT_CONSUME, true, zcb_ioctl_queue),
	ZCB_ROW(ZCBUF_NR_WATCH, zcbuf_watch, __reserved, 0, ZCB_NEEDS_ATTACHED,
		true, zcb_ioctl_watch),
	ZCB_ROW(ZCBUF_NR_READY, zcbuf_ready, out_state_bytes, 0,
		ZCBUF_RIGHT_CONSUME, true, zcb_ioctl_ready),
	ZCB_ROW(ZCBUF_NR_HEARTBEAT, zcbuf_heartbeat, out_bytes, 0,
		ZCB_NEEDS_ATTACHED, true, zcb_ioctl_heartbeat),
};

#define ZCB_COMMAND_NOWAIT_MAX	64U	/* entries of a command that is not to sleep */

/**
 * struct zcb_command_row - a call that may be a command; offsets in its argument
 * @count: how many entries
 * @done: how many were done, followed by why not more
 * @deadline: how long to wait, 0: it does not
 * @nowait: its handler knows how not to sleep
 */
struct zcb_command_row {
	u16 count;
	u16 done;
	u16 deadline;
	bool nowait;
};

#define ZCB_COMMAND(_struct, _deadline, _nowait)			\
	{								\
		.count = offsetof(struct _struct, count),		\
		.done = offsetof(struct _struct, out_done),		\
		.deadline = _deadline,					\
		.nowait = _nowait,					\
	}
#define ZCB_WAITS(_struct)	offsetof(struct _struct, deadline_ns)

/* COMMIT_RESERVE is two of them, which can be linked. */
static const struct zcb_command_row command_rows[ZCBUF_NR_CALLS] = {
	[ZCBUF_NR_ALLOC] = ZCB_COMMAND(zcbuf_alloc, ZCB_WAITS(zcbuf_alloc),
				       true),
	[ZCBUF_NR_FREE] = ZCB_COMMAND(zcbuf_batch, 0, true),
	[ZCBUF_NR_BUF_INFO] = ZCB_COMMAND(zcbuf_buf_info, 0, true),
	[ZCBUF_NR_TRANSFER] = ZCB_COMMAND(zcbuf_transfer, 0, false),
	[ZCBUF_NR_SHARE] = ZCB_COMMAND(zcbuf_transfer, 0, false),
	[ZCBUF_NR_RESERVE] = ZCB_COMMAND(zcbuf_reserve,
					 ZCB_WAITS(zcbuf_reserve), true),
	[ZCBUF_NR_COMMIT] = ZCB_COMMAND(zcbuf_batch, 0, true),
	[ZCBUF_NR_ABORT] = ZCB_COMMAND(zcbuf_batch, 0, true),
	[ZCBUF_NR_RECEIVE] = ZCB_COMMAND(zcbuf_receive,
					 ZCB_WAITS(zcbuf_receive), true),
	[ZCBUF_NR_RELEASE] = ZCB_COMMAND(zcbuf_batch, 0, true),
	[ZCBUF_NR_PUBLISH] = ZCB_COMMAND(zcbuf_publish,
					 ZCB_WAITS(zcbuf_publish), false),
};

static void query_memory(struct zcbuf_query *q, kuid_t uid)
{
	struct zcb_account_stat st;

	zcb_account_stat(uid, &st);
	q->out_user_limit = st.user_limit;
	q->out_user_charged = st.user_charged;
	q->out_total_limit = st.total_limit;
	q->out_total_charged = st.total_charged;
	q->out_page_size = PAGE_SIZE;
	q->out_huge_page_size = ZCB_ARENA_UNIT;
	q->out_arena_unit = ZCB_ARENA_UNIT;
	q->out_default_arena_size = ZCB_ARENA_DEFAULT;
	q->out_max_pool_size = ZCB_POOL_MAX;
	q->out_max_arena_size = ZCB_ARENA_MAX;
	q->out_max_arenas = ZCB_POOL_ARENAS;
}

static int zcb_ioctl_query(struct zcb_call *c)
{
	struct zcbuf_query *q = c->arg;
	u32 i;

	q->out_features = ZCBUF_FEATURE_POOL_PAGES | ZCBUF_FEATURE_POOL_TIERS |
			  ZCBUF_FEATURE_STREAM | ZCBUF_FEATURE_WINDOW |
			  ZCBUF_FEATURE_ORDERED | ZCBUF_FEATURE_POOL_FIXED |
			  ZCBUF_FEATURE_GROW | ZCBUF_FEATURE_TRANSFER |
			  ZCBUF_FEATURE_PIN_TOKEN | ZCBUF_FEATURE_SHARE |
			  ZCBUF_FEATURE_PERSISTENT | ZCBUF_FEATURE_RETIRE |
			  ZCBUF_FEATURE_INTERLEAVE | ZCBUF_FEATURE_TOPIC |
			  ZCBUF_FEATURE_QUEUE | ZCBUF_FEATURE_READY |
			  ZCBUF_FEATURE_WINDOW_TAG | ZCBUF_FEATURE_WATCH |
			  ZCBUF_FEATURE_STREAM_QUEUE | ZCBUF_FEATURE_CONTROL |
			  ZCBUF_FEATURE_HEARTBEAT | ZCBUF_FEATURE_ALLOC_NODE;
	if (IS_ENABLED(CONFIG_DMA_SHARED_BUFFER))
		q->out_features |= ZCBUF_FEATURE_EXPORT;
	if (zcb_arena_folio_ops.caps & ZCB_ARENA_CAP_FIXED)
		q->out_features |= ZCBUF_FEATURE_FIXED_BUFFERS;
	if (zcb_arena_folio_ops.caps & ZCB_ARENA_CAP_FREEZE)
		q->out_features |= ZCBUF_FEATURE_IMMUTABLE;
	if (IS_ENABLED(CONFIG_IO_URING))
		q->out_features |= ZCBUF_FEATURE_URING_CMD;
	q->out_version = ZCBUF_VERSION;
	q->out_max_batch = ZCBUF_MAX_BATCH;
	q->out_max_sessions = ZCB_POOL_MAX_SESSIONS;
	q->out_max_channels = ZCB_POOL_MAX_CHANNELS;
	query_memory(q, c->s->uid);
	q->out_session = c->s->id;
	q->out_pool = c->pool ? c->pool->handle : 0;
	q->out_rights = c->pool ? c->s->rights : 0;
	for (i = 0; i < ZCBUF_NR_CALLS; i++)
		q->out_sizes[i] = ioctl_rows[i].size;
	return 0;
}

/*
 * Nearly always it is, and then nobody needs to be asked: 0 is added to a word of
 * each page. What is behind the first or the last byte in that word is no other
 * page's, and nobody can see that something was added.
 */
static bool probe_quickly(u64 uptr, u64 bytes)
{
	u64 at = round_down(uptr, sizeof(u32));
	int old, err = 0;

	pagefault_disable();
	for (; !err && at < uptr + bytes; at = round_down(at, PAGE_SIZE) + PAGE_SIZE)
		err = arch_futex_atomic_op_inuser(FUTEX_OP_ADD, 0, &old,
						  u64_to_user_ptr(at));
	pagefault_enable();
	return !err;
}

/**
 * zcb_user_probe - is result memory writable
 * @uptr: user address
 * @bytes: how much
 *
 * Nothing in it changes.
 *
 * Context: may sleep; may take mmap_lock.
 * Return: 0 or -EFAULT.
 */
int zcb_user_probe(u64 uptr, u64 bytes)
{
	char __user *p = u64_to_user_ptr(uptr);

	if (!access_ok(p, bytes))
		return -EFAULT;
	if (probe_quickly(uptr, bytes))
		return 0;
	return fault_in_safe_writeable(p, bytes) ? -EFAULT : 0;
}

/**
 * zcb_user_probe_entries - is there room for a batch's results
 * @uptr: user address of the first entry
 * @count: entries
 * @entry_size: bytes of one, as the caller knows it
 * @least: bytes of one, as it was first released
 *
 * Context: as zcb_user_probe().
 * Return: 0, -EINVAL or -EFAULT.
 */
int zcb_user_probe_entries(u64 uptr, u32 count, u32 entry_size, size_t least)
{
	if (!count || count > ZCBUF_MAX_BATCH)
		return -EINVAL;
	if (entry_size < least || entry_size > ZCB_ENTRY_MAX)
		return -EINVAL;
	return zcb_user_probe(uptr, (u64)count * entry_size);
}

/**
 * zcb_user_entries - write entries as large as the caller knows them
 * @uptr: user address of the first
 * @entry_size: bytes of one there; what is more than @size is filled with zeros
 * @entries: them
 * @size: bytes of one here
 * @count: how many
 *
 * Context: may sleep.
 * Return: 0 or -EFAULT.
 */
int zcb_user_entries(u64 uptr, u32 entry_size, const void *entries, size_t size,
		     u32 count)
{
	size_t known = min_t(size_t, entry_size, size);
	u32 i;

	for (i = 0; i < count; i++, uptr += entry_size) {
		u8 __user *p = u64_to_user_ptr(uptr);

		if (copy_to_user(p, entries + i * size, known) ||
		    clear_user(p + known, entry_size - known))
			return -EFAULT;
	}
	return 0;
}

/**
 * zcb_call_memory - memory for an array of entries
 * @c: the call
 * @count: entries, at least one and at most ZCBUF_MAX_BATCH
 * @size: of an entry, a multiple of 8
 *
 * Most calls are about one entry, which has room in the call itself. What has none is
 * let go of when the handler is done.
 *
 * Context: may sleep.
 * Return: the array, or NULL: there is no memory for it.
 */
void *zcb_call_memory(struct zcb_call *c, u32 count, size_t size)
{
	size_t bytes = count * size;
	void *p;

	if (bytes <= sizeof(c->few) - c->used) {
		p = (void *)c->few + c->used;
		c->used += bytes;
		return p;
	}
	if (WARN_ON_ONCE(c->nmany == ZCB_CALL_ARRAYS))
		return NULL;
	p = kvmalloc(bytes, GFP_KERNEL);
	if (p)
		c->many[c->nmany++] = p;
	return p;
}

static void call_memory_free(struct zcb_call *c)
{
	while (c->nmany)
		kvfree(c->many[--c->nmany]);
}

/**
 * zcb_call_array - copy an array of entries in
 * @c: the call
 * @uptr: user address
 * @count: entries
 * @size: of an entry, a multiple of 8
 *
 * Context: may sleep.
 * Return: the copy, as of zcb_call_memory(), or -EINVAL, -ENOMEM, -EFAULT as error
 * pointer.
 */
void *zcb_call_array(struct zcb_call *c, u64 uptr, u32 count, size_t size)
{
	void *entries;

	if (!count || count > ZCBUF_MAX_BATCH)
		return ERR_PTR(-EINVAL);
	entries = zcb_call_memory(c, count, size);
	if (!entries)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(entries, u64_to_user_ptr(uptr), count * size))
		return ERR_PTR(-EFAULT);
	return entries;
}

/**
 * zcb_call_answered - copy an array of entries in that results are written to
 * @c: the call
 * @uptr: user address
 * @count: entries
 * @size: of an entry, a multiple of 8
 *
 * Context: may sleep; may take mmap_lock.
 * Return: as zcb_call_array(); -EFAULT also if they are not writable.
 */
void *zcb_call_answered(struct zcb_call *c, u64 uptr, u32 count, size_t size)
{
	void *entries = zcb_call_array(c, uptr, count, size);

	if (IS_ERR(entries) || !zcb_user_probe(uptr, count * size))
		return entries;
	return ERR_PTR(-EFAULT);
}

/**
 * zcb_batch_result - the batch rule
 * @done: entries done
 * @err: why not more, or 0
 * @out_done: of the argument
 * @out_error: of the argument
 *
 * Return: what the call returns.
 */
int zcb_batch_result(u32 done, int err, u32 *out_done, u32 *out_error)
{
	*out_done = done;
	*out_error = err == -ERESTARTSYS ? EINTR : -err;
	return done ? 0 : err;
}

/**
 * zcb_call_deadline - how long a call may wait
 * @c: the call
 * @deadline_ns: what it asked for
 *
 * Return: @deadline_ns, or 0 if the file is O_NONBLOCK.
 */
u64 zcb_call_deadline(const struct zcb_call *c, u64 deadline_ns)
{
	return c->nonblock ? 0 : deadline_ns;
}

/**
 * zcb_call_port - the caller's port of a channel
 * @c: the call
 * @channel: handle of the channel
 *
 * Context: may sleep if the call may.
 * Return: as zcb_port_find(), or -ZCB_ESLEEP.
 */
struct zcb_port *zcb_call_port(const struct zcb_call *c, u64 channel)
{
	return c->nowait ? zcb_port_find_nowait(c->s, channel) :
			   zcb_port_find(c->s, channel);
}

/**
 * zcb_call_answer - copy the argument back
 * @c: the call
 *
 * A handler that has to undo what it did if this fails calls it itself.
 *
 * Context: may sleep.
 * Return: 0 or -EFAULT.
 */
int zcb_call_answer(struct zcb_call *c)
{
	c->answered = true;
	return copy_to_user(c->uarg, c->arg, c->copy) ? -EFAULT : 0;
}

/**
 * zcb_call_install - answer with a descriptor
 * @c: the call
 * @fd: the descriptor, of get_unused_fd_flags()
 * @out_fd: of the argument
 * @file: what it is to be, with a reference; or an error pointer
 *
 * The last a handler does: what is installed belongs to the caller, and nobody
 * sees it before the answer is there. If it is not to be, nothing is left of it.
 *
 * Context: may sleep.
 * Return: 0, the error of @file, or -EFAULT.
 */
int zcb_call_install(struct zcb_call *c, int fd, s32 *out_fd, struct file *file)
{
	int err = PTR_ERR_OR_ZERO(file);

	if (!err) {
		*out_fd = fd;
		err = zcb_call_answer(c);
		if (err)
			fput(file);
	}
	if (err)
		put_unused_fd(fd);
	else
		fd_install(fd, file);
	return err;
}

static int call_check(const struct zcb_call *c, const struct zcb_ioctl_row *row)
{
	const struct zcb_ioctl_head *head = c->arg;

	if (head->flags & ~row->flags)
		return -EOPNOTSUPP;
	if (row->right == ZCB_NEEDS_NOTHING)
		return 0;
	if (!c->pool || (c->s->rights & row->right) != row->right)
		return -EPERM;
	return 0;
}

static int call_read(struct zcb_call *c, const struct zcb_ioctl_row *row)
{
	u32 size;

	if (get_user(size, (u32 __user *)c->uarg))
		return -EFAULT;
	if (size > ZCB_CALL_SIZE_MAX)
		return -E2BIG;
	if (size < row->min_size)
		return -EINVAL;
	c->copy = min_t(u32, size, row->size);
	return copy_struct_from_user(c->arg, row->size, c->uarg, size);
}

/*
 * EFAULT: nothing can be said. A restart must find the argument as it was, and so
 * must who does it elsewhere.
 */
static int call_finish(struct zcb_call *c, const struct zcb_ioctl_row *row,
		       int err)
{
	if (!row->writes || c->answered)
		return err;
	if (err == -EFAULT || err == -ERESTARTSYS || err == -ZCB_ESLEEP)
		return err;
	return zcb_call_answer(c) ?: err;
}

/* Of a command. Of too much at a time somebody who may sleep takes care. */
static int command_check(const struct zcb_call *c,
			 const struct zcb_command_row *row)
{
	if (row->deadline && *(u64 *)(c->arg + row->deadline))
		return -EOPNOTSUPP;
	if (c->nowait && *(u32 *)(c->arg + row->count) > ZCB_COMMAND_NOWAIT_MAX)
		return -ZCB_ESLEEP;
	return 0;
}

/* @command: of a command, else NULL */
static int call_run(struct zcb_call *c, const struct zcb_ioctl_row *row,
		    const struct zcb_command_row *command)
{
	int err;

	err = call_read(c, row);
	if (err)
		return err;
	err = call_check(c, row);
	if (!err && command)
		err = command_check(c, command);
	if (err)
		return err;
	if (row->writes &&
	    zcb_user_probe((unsigned long)c->uarg, c->copy))
		return -EFAULT;
	err = row->handler(c);
	call_memory_free(c);
	return call_finish(c, row, err);
}

/* The number of a call there is, safe as an index. */
static int call_number(u32 cmd)
{
	u32 nr = _IOC_NR(cmd);

	if (nr >= ZCBUF_NR_CALLS || cmd != _IO(ZCBUF_IOC_TYPE, nr))
		return -ENOTTY;
	nr = array_index_nospec(nr, ZCBUF_NR_CALLS);
	return ioctl_rows[nr].handler ? nr : -ENOTTY;
}

/**
 * zcb_ioctl - a call
 * @file: a session
 * @cmd: ZCBUF_IOC_*
 * @arg: user address of its argument
 *
 * Context: may sleep.
 * Return: 0 or a negative errno of the manual.
 */
long zcb_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct zcb_session *s = file->private_data;
	union zcb_ioctl_arg karg;
	struct zcb_call c = {
		.s = s,
		.pool = zcb_session_pool(s),
		.arg = &karg,
		.uarg = (void __user *)arg,
		.nonblock = file->f_flags & O_NONBLOCK,
	};
	int nr = call_number(cmd);
	int err;

	if (nr < 0)
		return nr;
	if (!zcb_call_enter(s))
		return -ESTALE;
	err = call_run(&c, &ioctl_rows[nr], NULL);
	zcb_call_exit(s);
	return err;
}

/* It has answered: how many it did, or why not all. */
static int command_result(const struct zcb_call *c,
			  const struct zcb_command_row *row, bool all)
{
	const u32 *done = c->arg + row->done;
	const u32 *count = c->arg + row->count;

	return all && *done < *count ? -(int)done[1] : *done;
}

/**
 * zcb_command - a call whose answer is a number
 * @file: a session, which alone says who calls
 * @cmd: ZCBUF_IOC_*
 * @arg: its argument
 * @all: a part of a batch is an error
 * @nowait: do not sleep for locks or to zero much
 *
 * Context: may sleep for user memory and the kernel's own; if not @nowait, for
 * anything. Does not wait for others.
 * Return: entries done, at least 1; a negative errno of the manual; -ZCB_ESLEEP:
 * nothing was done, call it where it may sleep.
 */
int zcb_command(struct file *file, u32 cmd, void __user *arg, bool all,
		bool nowait)
{
	struct zcb_session *s = file->private_data;
	union zcb_ioctl_arg karg;
	struct zcb_call c = {
		.s = s,
		.pool = zcb_session_pool(s),
		.arg = &karg,
		.uarg = arg,
		.nowait = nowait,
	};
	int nr = call_number(cmd);
	int err;

	if (nr < 0)
		return nr;
	if (!command_rows[nr].count)
		return -EOPNOTSUPP;
	if (nowait && !command_rows[nr].nowait)
		return -ZCB_ESLEEP;
	if (!zcb_call_enter(s))
		return -ESTALE;
	err = call_run(&c, &ioctl_rows[nr], &command_rows[nr]);
	zcb_call_exit(s);
	return err ?: command_result(&c, &command_rows[nr], all);
}

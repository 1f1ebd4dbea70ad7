// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Appenders: records carved out of windows, which are turned over here. What costs
 * nothing is inline in the header; all that needs the kernel or a clock comes here.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "internal.h"

#define PAGE		4096
#define MAX_ALIGN	4096
#define KNOWN_FLAGS	(ZCBUF_APPENDER_F_FRAMED | ZCBUF_APPENDER_F_NEED_CONSUMER)

/*
 * struct appender - in pages of its own, which are zero in a fork child: there is no
 * room in its window then, so each call comes here and finds no channel. And no two
 * appenders share a cache line.
 * @head: what the header knows, first
 * @channel: where; NULL: in a fork child
 * @window: the one that is written to, if it is open; its cursor and records are
 *	those of @head, and brought here when it is decided
 * @spare: a window that was reserved for a record nobody committed, and that was too
 *	small for the next one. It would have to fail to be given back, so it is kept
 * @bytes: of a window
 * @linger_ns: how long records may wait; 0: for ever
 * @due_ns: the first record of @window has waited for so long then
 * @flags: ZCBUF_RESERVE_F_* of each window
 */
struct appender {
	struct zcbuf_appender head;
	struct zcbuf_channel *channel;
	struct zcbuf_writer window;
	struct zcbuf_writer spare;
	size_t bytes;
	__u64 linger_ns;
	__u64 due_ns;
	__u64 user_tag;
	__u32 encoding;
	__u32 flags;
};

static struct appender *of(struct zcbuf_appender *head)
{
	return (struct appender *)head;
}

static size_t whole_pages(size_t n)
{
	return (n + PAGE - 1) & ~(size_t)(PAGE - 1);
}

/* ----------------------------------------------------------- open and close */

static int opts_check(const struct zcbuf_appender_opts *opts)
{
	if ((opts->flags & ~KNOWN_FLAGS) || opts->reserved)
		return -EOPNOTSUPP;
	if (opts->align > MAX_ALIGN || (opts->align & (opts->align - 1)))
		return -EINVAL;
	return opts->window > ZCBUF_APPENDER_MAX ? -E2BIG : 0;
}

static struct appender *appender_alloc(void)
{
	const size_t size = whole_pages(sizeof(struct appender));
	void *memory;

	memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;
	if (!madvise(memory, size, MADV_WIPEONFORK))
		return memory;
	munmap(memory, size);
	return NULL;
}

static void appender_free(struct appender *a)
{
	munmap(a, whole_pages(sizeof(*a)));
}

static void appender_init(struct appender *a, struct zcbuf_channel *channel,
			  const struct zcbuf_appender_opts *opts)
{
	/* Frames are multiples of their own size, whatever is asked for. */
	if (opts->flags & ZCBUF_APPENDER_F_FRAMED)
		a->head.head = sizeof(struct zcbuf_frame);
	a->head.mask = opts->align ? opts->align - 1 : 0;
	a->channel = channel;
	a->bytes = whole_pages(opts->window ? opts->window
					    : ZCBUF_APPENDER_WINDOW);
	a->linger_ns = opts->linger_ns;
	a->user_tag = opts->user_tag;
	a->encoding = opts->encoding;
	a->flags = ZCBUF_RESERVE_F_WINDOW;
	if (opts->flags & ZCBUF_APPENDER_F_NEED_CONSUMER)
		a->flags |= ZCBUF_RESERVE_F_NEED_CONSUMER;
}

int zcbuf_appender_open(struct zcbuf_channel *channel,
			const struct zcbuf_appender_opts *user_opts,
			struct zcbuf_appender **out)
{
	struct zcbuf_appender_opts opts;
	struct appender *a;
	int err;

	err = zcb_opts_read(&opts, sizeof(opts), user_opts, sizeof(opts));
	if (!err)
		err = opts_check(&opts);
	if (!err)
		err = zcb_pool_writable(channel->pool);
	if (err)
		return err;
	a = appender_alloc();
	if (!a)
		return -ENOMEM;
	appender_init(a, channel, &opts);
	*out = &a->head;
	return 0;
}

/* ------------------------------------------------------------------ windows */

/* What is in the window is all that the kernel is told of. */
static void window_bring(struct appender *a)
{
	a->window.used = a->head.used;
	a->window.nrecords = a->head.nrecords;
	a->window.user_tag = a->user_tag;
	a->window.encoding = a->encoding;
}

/* Another window, or none: nothing is in it. Who lingers is to ask each time. */
static void window_show(struct appender *a)
{
	a->head.data = a->window.data;
	a->head.used = 0;
	a->head.nrecords = 0;
	a->head.limit = 0;
	if (a->window.is_open && !a->linger_ns)
		a->head.limit = a->window.length;
}

static bool spare_fits(const struct appender *a, size_t bytes)
{
	return a->spare.is_open && bytes <= a->spare.length;
}

static int window_take(struct appender *a, size_t bytes, __u64 deadline_ns)
{
	if (!spare_fits(a, bytes))
		return zcbuf_writer_reserve(a->channel, bytes, a->flags,
					    deadline_ns, &a->window);
	a->window = a->spare;
	a->spare.is_open = 0;
	return 0;
}

/*
 * Nothing is in it, and it is too small. One that was for a larger record than usual
 * is not worth to be kept. Beside one that is of the usual size there is no other: it
 * would have been taken instead.
 */
static int window_put_aside(struct appender *a)
{
	if (a->window.length > a->bytes)
		return zcbuf_writer_drop(&a->window);
	a->spare = a->window;
	a->window.is_open = 0;
	return 0;
}

/* Deliver, and have another one, in one call if need be. */
static int window_turn(struct appender *a, size_t bytes, __u64 deadline_ns)
{
	int err;

	window_bring(a);
	if (spare_fits(a, bytes)) {
		err = zcbuf_writer_commit(&a->window);
		return err ? err : window_take(a, bytes, deadline_ns);
	}
	err = zcbuf_writer_turn(&a->window, bytes, a->flags, deadline_ns);
	if (err < 0)
		return err;
	return err ? 0 : a->window.error;
}

/* What is committed stays in a window that is still open, and is lost or delivered. */
static int window_renew(struct appender *a, size_t bytes, __u64 deadline_ns)
{
	bool was_open = a->window.is_open;
	__u64 id = a->window.id;
	int err = 0;

	if (a->head.nrecords) {
		err = window_turn(a, bytes, deadline_ns);
	} else {
		if (was_open)
			err = window_put_aside(a);
		if (!err)
			err = window_take(a, bytes, deadline_ns);
	}
	if (!was_open || !a->window.is_open || a->window.id != id)
		window_show(a);
	return err;
}

/* ------------------------------------------------------------------ records */

/* Where the next record is, in what there is by now. */
static size_t next_record(const struct appender *a)
{
	size_t at = a->head.used + a->head.head;

	return at + (-at & a->head.mask);
}

static bool has_room(const struct appender *a, size_t length)
{
	size_t at = next_record(a);

	return a->window.is_open && at < a->window.length &&
	       length <= a->window.length - at;
}

/* Of a window for at least one record of this length. */
static size_t window_bytes(const struct appender *a, size_t length)
{
	size_t first = a->head.head + (-(size_t)a->head.head & a->head.mask);
	size_t bytes = whole_pages(first + length + !length);

	return bytes > a->bytes ? bytes : a->bytes;
}

static bool is_due(const struct appender *a)
{
	return a->linger_ns && a->head.nrecords && zcb_now_ns() >= a->due_ns;
}

/* It waits from now on; if that is after the end of time, for ever. */
static void start_waiting(struct appender *a)
{
	__u64 now = zcb_now_ns();

	a->due_ns = now + a->linger_ns;
	if (a->due_ns < now)
		a->due_ns = ZCBUF_NO_DEADLINE;
}

int zcbuf_appender_renew(struct zcbuf_appender *head, size_t length,
			 __u64 deadline_ns, void **record)
{
	struct appender *a = of(head);
	int err;

	if (!a->channel)
		return -EBADF;
	head->reserved = 0;
	if (length > ZCBUF_APPENDER_MAX)
		return -E2BIG;
	if (!has_room(a, length) || is_due(a)) {
		err = window_renew(a, window_bytes(a, length), deadline_ns);
		if (err)
			return err;
	}
	if (a->linger_ns && !head->nrecords)
		start_waiting(a);
	head->record = next_record(a);
	head->reserved = length + 1;
	*record = head->data + head->record;
	return 0;
}

int zcbuf_appender_refuse(const struct zcbuf_appender *head)
{
	const struct appender *a = (const struct appender *)head;

	if (!a->channel)
		return -EBADF;
	return head->reserved ? -EMSGSIZE : -EALREADY;
}

__u32 zcbuf_appender_why(const struct zcbuf_appender *head)
{
	const struct appender *a = (const struct appender *)head;

	return a->window.is_open ? 0 : a->window.why;
}

int zcbuf_appender_put(struct zcbuf_appender *head, const void *data,
		       size_t length, __u64 deadline_ns)
{
	void *record;
	int err;

	err = zcbuf_appender_reserve(head, length, deadline_ns, &record);
	if (err)
		return err;
	if (length)
		memcpy(record, data, length);
	return zcbuf_appender_commit(head, length);
}

/* ------------------------------------------------------------ deliver, or not */

static int appender_deliver(struct appender *a)
{
	int err;

	if (!a->head.nrecords)
		return 0;
	window_bring(a);
	err = zcbuf_writer_commit(&a->window);
	if (!a->window.is_open)
		window_show(a);
	return err ? err : 1;
}

int zcbuf_appender_flush(struct zcbuf_appender *head)
{
	struct appender *a = of(head);

	if (!a->channel)
		return -EBADF;
	return head->reserved ? -EBUSY : appender_deliver(a);
}

int zcbuf_appender_poll(struct zcbuf_appender *head, __u64 *due_ns)
{
	struct appender *a = of(head);
	int err = 0;

	if (!a->channel)
		return -EBADF;
	if (is_due(a))
		err = zcbuf_appender_flush(head);
	if (due_ns)
		*due_ns = a->linger_ns && head->nrecords ? a->due_ns
							 : ZCBUF_NO_DEADLINE;
	return err;
}

int zcbuf_appender_drop(struct zcbuf_appender *head)
{
	struct appender *a = of(head);
	int err;

	if (!a->channel)
		return -EBADF;
	head->reserved = 0;
	if (!head->nrecords)
		return 0;
	err = zcbuf_writer_drop(&a->window);
	if (!a->window.is_open)
		window_show(a);
	return err;
}

int zcbuf_appender_tag(struct zcbuf_appender *head, __u64 user_tag,
		       __u32 encoding)
{
	struct appender *a = of(head);

	if (!a->channel)
		return -EBADF;
	a->user_tag = user_tag;
	a->encoding = encoding;
	return 0;
}

int zcbuf_appender_close(struct zcbuf_appender *head)
{
	struct appender *a = of(head);
	int err = 0;
	int late;

	if (!a)
		return 0;
	if (a->channel) {
		err = appender_deliver(a);
		late = zcbuf_writer_drop(&a->window);
		err = err < 0 ? err : late;
		late = zcbuf_writer_drop(&a->spare);
		err = err < 0 ? err : late;
	}
	appender_free(a);
	return err;
}

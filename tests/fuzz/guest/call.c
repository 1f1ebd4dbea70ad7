// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What all calls of the device have in common, and what is remembered of their
 * answers.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "call.h"
#include "oracle.h"

#define TAIL		16	/* bytes, of an argument that is too long */
#define LONG_WAIT_NS	4000000	/* who waits longer is interrupted */

const __u32 kf_counts[10] = { 1, 2, 3, 8, 32, 0, 1025, 1024, 200, 5 };

/* ------------------------------------------------------------------ items */

void kf_remember(struct kf_list *list, const struct kf_item *item)
{
	unsigned int n = __atomic_fetch_add(&list->n, 1, __ATOMIC_RELAXED);

	list->item[n % KF_ITEMS] = *item;
}

unsigned int kf_known(const struct kf_list *list)
{
	unsigned int n = __atomic_load_n(&list->n, __ATOMIC_RELAXED);

	return n < KF_ITEMS ? n : KF_ITEMS;
}

/* kf_nth() - the @i-th newest */
struct kf_item *kf_nth(struct kf_list *list, unsigned int i)
{
	return &list->item[(list->n - 1 - i) % KF_ITEMS];
}

/* What the session has, the oldest first. */
static unsigned int pick_own(struct kf_list *list, unsigned int slot,
			     unsigned int skip, struct kf_item **found,
			     unsigned int count)
{
	unsigned int i, n = 0;
	struct kf_item *item;

	for (i = kf_known(list); i-- && n < count;) {
		item = kf_nth(list, i);
		if (!item->live || item->slot != slot)
			continue;
		if (skip)
			skip--;
		else
			found[n++] = item;
	}
	return n;
}

/*
 * kf_pick() - up to @count items, without the first ones as the operation's
 * first choice says
 * @all: of whomever, and long gone ones as well, the newest first
 */
unsigned int kf_pick(struct kf_lane *l, struct kf_list *list, bool all,
		     struct kf_item **found, unsigned int count)
{
	unsigned int i, skip = kf_sel(l, 0), n = kf_known(list);

	if (count > KF_ITEMS)
		count = KF_ITEMS;
	if (!all)
		return pick_own(list, kf_slot(l, l->op->fd), skip, found, count);
	for (i = 0; i < count && skip + i < n; i++)
		found[i] = kf_nth(list, skip + i);
	return i;
}

/* kf_pick_channel() - one the session has a port of, or any, or none at all */
__u64 kf_pick_channel(const struct kf_lane *l, unsigned int sel)
{
	struct kf_list *list = &l->st->channels;
	unsigned int slot = kf_slot(l, l->op->fd);
	unsigned int i, n = kf_known(list);

	if (!n || sel >= 250)
		return sel == 250 ? 0 : KF_HANDLE_BAD;
	if (sel)
		return kf_nth(list, (sel - 1) % n)->handle;
	for (i = 0; i < n; i++)
		if (kf_nth(list, i)->slot == slot)
			return kf_nth(list, i)->handle;
	return kf_nth(list, 0)->handle;
}

/* kf_channel_of() - the channel of items, or any */
__u64 kf_channel_of(const struct kf_lane *l, struct kf_item **item,
		    unsigned int n)
{
	return n ? item[0]->channel : kf_pick_channel(l, 0);
}

/* kf_give_back() - the kernel has taken the first @done of them back */
void kf_give_back(struct kf_item **item, unsigned int n, __u32 done)
{
	__u32 i;

	for (i = 0; i < n && i < done; i++)
		item[i]->live = false;
}

/* ------------------------------------------------------------- deadlines */

__u64 kf_deadline(unsigned int sel)
{
	switch (sel) {
	case 11:
		return 1;
	case 12:
		return kf_now() + 200000;
	case 13:
		return kf_now() + 2000000;
	case 14:
		return ZCBUF_NO_DEADLINE;
	case 15:
		return ZCBUF_NO_DEADLINE - 1;
	default:
		return 0;
	}
}

static void guard_wait(struct kf_lane *l, __u64 until)
{
	struct itimerspec t = { .it_value.tv_nsec = 1500000,
				.it_interval.tv_nsec = 5000000 };

	if (until > kf_now() + LONG_WAIT_NS && !kf_may_fail(l))
		timer_settime(l->timer, 0, &t, NULL);
}

static void end_wait(struct kf_lane *l)
{
	struct itimerspec t = { .it_value.tv_nsec = 0 };

	timer_settime(l->timer, 0, &t, NULL);
}

/* --------------------------------------------------------------- the call */

/* kf_begin() - returns the argument, @size bytes, cleared */
void *kf_begin(struct kf_argument *c, struct kf_lane *l, __u32 size)
{
	memset(c, 0, sizeof(*c));
	c->l = l;
	c->size = size;
	c->arg = l->mem.stage[KF_ARG];
	return memset(c->arg, 0, size + TAIL);
}

/* kf_array() - the array @i, to which the field @at points; returns it */
void *kf_array(struct kf_argument *c, int i, size_t at, size_t in, size_t room)
{
	void *stage = c->l->mem.stage[KF_ARRAY0 + i];

	c->array[i].at = at;
	c->array[i].in = in;
	c->array[i].room = room;
	return memset(stage, 0, in < KF_STAGE ? in : KF_STAGE);
}

/* kf_put_handles() - see call.h; @twice: the last is the first once more */
void kf_put_handles(__u64 *handles, struct kf_item **item, unsigned int n,
		    __u32 count, bool twice)
{
	__u32 i;

	for (i = 0; i < count; i++)
		handles[i] = i < n ? item[i]->handle : KF_HANDLE_BAD;
	if (twice && count)
		handles[count - 1] = handles[0];
}

/*
 * kf_begin_batch() - a call with the handles of some items of @list
 * @last: of what the program can choose, the last that gives it its own ones
 *	only, one of them twice; beyond are those of whomever
 * @item: is set to what was picked
 * @n: likewise, how many of them
 */
struct zcbuf_batch *kf_begin_batch(struct kf_argument *c, struct kf_lane *l,
				   struct kf_list *list, unsigned int last,
				   struct kf_item **item, unsigned int *n)
{
	static const __u32 many[] = { 1, 2, 4, 16, 64, 1024, 0, 1025 };
	__u32 count = KF_CHOICE(many, kf_sel(l, 1));
	unsigned int how = kf_sel(l, 2) % (last + 3);
	struct zcbuf_batch *a = KF_BEGIN(c, l, zcbuf_batch);

	*n = kf_pick(l, list, how > last, item, count);
	if (*n && *n < count && count < ZCBUF_MAX_BATCH)
		count = *n;
	a->count = count;
	kf_put_handles(KF_ARRAY(c, 0, zcbuf_batch, entries,
				count * sizeof(__u64), 0),
		       item, *n, count, how == last);
	return a;
}

static __u64 array_addr(const struct kf_argument *c, int i)
{
	__u64 addr;

	memcpy(&addr, (char *)c->arg + c->array[i].at, sizeof(addr));
	return addr;
}

/* A value that a program puts into a pointer may be anything but our own. */
static void tame_pointers(struct kf_argument *c, const void *before)
{
	int i;

	for (i = 0; i < 2; i++)
		if (c->array[i].at && !kf_harmless(array_addr(c, i)))
			memcpy((char *)c->arg + c->array[i].at,
			       (const char *)before + c->array[i].at,
			       sizeof(__u64));
}

static void apply_patch(struct kf_argument *c)
{
	char before[512];
	const struct kf_op *op = c->l->op;
	unsigned int what = op->patch & 3, bytes = 1U << (op->patch >> 2 & 3);
	size_t limit = c->size;

	if (!what)
		return;
	if (what > 1)
		limit = c->array[what - 2].in;
	if (limit > KF_STAGE)
		limit = KF_STAGE;
	if (op->at + bytes > limit)
		return;
	memcpy(before, c->arg, c->size);
	memcpy(c->l->mem.stage[what - 1] + op->at, &op->value, bytes);
	tame_pointers(c, before);
}

/* What the size and the flags are like. Returns how long the argument is. */
static size_t apply_head(struct kf_argument *c)
{
	__u32 *head = c->arg;

	head[0] = c->size;
	switch (kf_sel(c->l, KF_SEL_HEAD) % 8) {
	case 2:
		memset((char *)c->arg + c->size, 1, TAIL);
		/* fall through */
	case 1:
		head[0] = c->size + TAIL;
		return c->size + TAIL;
	case 3:
		head[0] = c->size - 8;
		break;
	case 4:
		head[0] = 0;
		break;
	case 5:
		head[0] = 4097;
		break;
	case 6:
		head[1] |= 1U << 31;
		break;
	}
	return c->size;
}

static void place_arrays(struct kf_argument *c)
{
	unsigned int how = c->l->op->place >> 4;
	const struct kf_array *a;
	size_t bytes;
	__u64 addr;
	int i;

	for (i = 0; i < 2; i++) {
		a = &c->array[i];
		if (!a->at)
			continue;
		bytes = a->room > a->in ? a->room : a->in;
		addr = kf_place(c->l, KF_ARRAY0 + i, how, bytes);
		/* A page fault shall not be what fails. */
		if (c->l->op->fail)
			kf_populate(addr, bytes);
		memcpy((char *)c->arg + a->at, &addr, sizeof(addr));
	}
}

static void fill_arrays(struct kf_argument *c)
{
	size_t in;
	int i;

	for (i = 0; i < 2; i++) {
		in = c->array[i].in < KF_STAGE ? c->array[i].in : KF_STAGE;
		if (c->array[i].at && in)
			kf_copy((void *)array_addr(c, i),
				c->l->mem.stage[KF_ARRAY0 + i], in);
	}
}

/* kf_result() - bring @bytes of the array @i to the stage; returns them */
void *kf_result(struct kf_argument *c, int i, size_t bytes)
{
	void *stage = c->l->mem.stage[KF_ARRAY0 + i];

	if (bytes <= KF_STAGE)
		kf_copy(stage, (void *)array_addr(c, i), bytes);
	return stage;
}

/* Answers the caller must know: those of the manual. */
static bool is_expected(int err)
{
	static const int errors[] = {
		0, E2BIG, EFAULT, EINVAL, ENOTTY, EOPNOTSUPP, EPERM, EAGAIN,
		EALREADY, EBADSLT, EBUSY, EEXIST, EINTR, EMFILE, EMSGSIZE,
		ENOENT, ENOMEM, EPIPE, ERANGE, ESHUTDOWN, ESTALE, ETIMEDOUT,
		EBADF,
	};
	unsigned int i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (err == errors[i])
			return true;
	return false;
}

/* A call that may fail cannot be interrupted: it must not wait for long. */
static __u64 tame_deadline(struct kf_argument *c)
{
	__u64 until = 0, soon = kf_now() + LONG_WAIT_NS;
	char *at = (char *)c->arg + c->deadline;

	if (!c->deadline)
		return 0;
	memcpy(&until, at, sizeof(until));
	if (until > soon && kf_may_fail(c->l)) {
		until = soon;
		memcpy(at, &until, sizeof(until));
	}
	return until;
}

/* What may fail does so where it is called: not with a worker, or the ring itself. */
static int by_ioctl_or_ring(struct kf_lane *l, unsigned int nr,
			    unsigned long addr)
{
	int fd = kf_session(l, l->op->fd);

	if (l->op->patch & KF_COMMAND && !kf_may_fail(l))
		return kf_command(l, fd, nr, addr);
	return ioctl(fd, _IO(ZCBUF_IOC_TYPE, nr), addr);
}

static void do_call(struct kf_argument *c, unsigned long addr, __u64 until)
{
	unsigned int nr = kf_nr(c->l->op);
	struct kf_lane *l = c->l;

	if (until)
		guard_wait(l, until);
	if (l->cov->compares)
		kf_cov_reset(l->cov);
	KF_SYS(l, by_ioctl_or_ring(l, nr, addr));
	if (l->cov->compares)
		kf_cov_compared(l->cov, nr, c->arg, c->size);
	if (until)
		end_wait(l);
	if (nr >= ZCBUF_NR_CALLS)
		l->wrong = "a call that kf_nr() has no number for";
	else if (!is_expected(l->err))
		l->wrong = "an answer the manual does not have";
}

/*
 * kf_finish() - the call, all of it being on the stage
 * Returns true if it has succeeded and its argument is back on the stage.
 */
bool kf_finish(struct kf_argument *c)
{
	struct kf_lane *l = c->l;
	size_t bytes = apply_head(c);
	unsigned long addr;
	__u64 until;

	addr = kf_place(l, KF_ARG, kf_may_fail(l) ? 0 : l->op->place & 15,
			bytes);
	place_arrays(c);
	apply_patch(c);
	fill_arrays(c);
	until = tame_deadline(c);
	kf_copy((void *)addr, c->arg, bytes);
	do_call(c, addr, until);
	return !l->ret && kf_copy(c->arg, (void *)addr, c->size);
}

/* kf_run_call() - the call @nr of the device */
void kf_run_call(struct kf_lane *l, unsigned int nr)
{
	static void (*const run[])(struct kf_lane *) = {
		[ZCBUF_NR_QUERY] = kf_run_query,
		[ZCBUF_NR_POOL_CREATE] = kf_run_pool_create,
		[ZCBUF_NR_POOL_ATTACH] = kf_run_pool_attach,
		[ZCBUF_NR_POOL_INFO] = kf_run_pool_info,
		[ZCBUF_NR_ALLOC] = kf_run_alloc,
		[ZCBUF_NR_FREE] = kf_run_free,
		[ZCBUF_NR_CHANNEL_OPEN] = kf_run_channel_open,
		[ZCBUF_NR_CHANNEL_CLOSE] = kf_run_channel_close,
		[ZCBUF_NR_RESERVE] = kf_run_reserve,
		[ZCBUF_NR_COMMIT] = kf_run_commit,
		[ZCBUF_NR_COMMIT_RESERVE] = kf_run_commit_reserve,
		[ZCBUF_NR_ABORT] = kf_run_abort,
		[ZCBUF_NR_FLUSH] = kf_run_flush,
		[ZCBUF_NR_FINALIZE] = kf_run_finalize,
		[ZCBUF_NR_RECEIVE] = kf_run_receive,
		[ZCBUF_NR_RECEIVE_FAILED] = kf_run_receive_failed,
		[ZCBUF_NR_RELEASE] = kf_run_release,
		[ZCBUF_NR_EVENTFD] = kf_run_eventfd,
	};

	run[nr](l);
}

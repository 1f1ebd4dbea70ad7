// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls on channels, the consumer's side.
 */
#include <linux/eventfd.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/uaccess.h>

#include "../obj/ready.h"
#include "../obj/ring.h"
#include "ioctl.h"

/* Callers of 0.1 know this much of a delivery. */
#define ZCB_DELIVERY_MIN	offsetofend(struct zcbuf_delivery, extents)

static int receive_some(const struct zcb_call *c, struct zcb_port *port,
			struct zcbuf_delivery *d, u32 *done)
{
	const struct zcbuf_receive *a = c->arg;

	if (c->nowait)
		return zcb_channel_receive_nowait(port, d, a->count, done);
	return zcb_channel_receive(port, d, a->count,
				   zcb_call_deadline(c, a->deadline_ns), done);
}

static int receive_any(const struct zcb_call *c, struct zcbuf_delivery *d,
		       u32 *done)
{
	const struct zcbuf_receive *a = c->arg;

	if (c->nowait)
		return zcb_ready_receive_nowait(c->s, d, a->count, done);
	return zcb_ready_receive(c->s, d, a->count,
				 zcb_call_deadline(c, a->deadline_ns), done);
}

static int receive_of(const struct zcb_call *c, struct zcbuf_delivery *d,
		      u32 *done)
{
	const struct zcbuf_receive *a = c->arg;
	struct zcb_port *port __free(zcb_port_put) = NULL;

	if (!a->channel)
		return receive_any(c, d, done);
	port = zcb_call_port(c, a->channel);
	return IS_ERR(port) ? PTR_ERR(port) : receive_some(c, port, d, done);
}

/* The caller never learned of them: as if it had died; but ends are to be told. */
static void receive_undo(const struct zcb_call *c,
			 const struct zcbuf_delivery *d, u32 done)
{
	struct zcb_port *port;

	for (; done; done--, d++) {
		port = zcb_port_find(c->s, d->channel);
		if (IS_ERR(port))
			continue;
		if (d->handle)
			zcb_channel_release(port, d->handle);
		else
			zcb_ready_untell(port);
		zcb_port_put(port);
	}
}

/**
 * zcb_ioctl_receive - RECEIVE
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_receive(struct zcb_call *c)
{
	struct zcbuf_receive *a = c->arg;
	struct zcbuf_delivery *d;
	u32 done = 0;
	int err;

	err = zcb_user_probe_entries(a->entries, a->count, a->entry_size,
				     ZCB_DELIVERY_MIN);
	if (err)
		return err;
	d = zcb_call_memory(c, a->count, sizeof(*d));
	if (!d)
		return -ENOMEM;
	err = receive_of(c, d, &done);
	err = zcb_batch_result(done, err, &a->out_done, &a->out_error);
	if (!done || (!zcb_user_entries(a->entries, a->entry_size, d,
					sizeof(*d), done) &&
		      !zcb_call_answer(c)))
		return err;
	receive_undo(c, d, done);
	return -EFAULT;
}

static int failed_write(struct zcb_call *c, const struct zcb_failed_group *f)
{
	struct zcbuf_receive_failed *a = c->arg;

	a->npieces = f->npieces;
	a->nlost = f->nlost;
	a->out_delivery = f->delivery;
	if (copy_to_user(u64_to_user_ptr(a->pieces), f->pieces,
			 f->npieces * sizeof(*f->pieces)))
		return -EFAULT;
	if (copy_to_user(u64_to_user_ptr(a->lost), f->lost,
			 f->nlost * sizeof(*f->lost)))
		return -EFAULT;
	return zcb_call_answer(c);
}

/* No group has more entries than there are credits. */
static int failed_probe(const struct zcbuf_receive_failed *a)
{
	u64 pieces = min(a->npieces, 65536U);
	u64 lost = min(a->nlost, 65536U);
	int err;

	err = zcb_user_probe(a->pieces, pieces * sizeof(struct zcbuf_piece));
	return err ?: zcb_user_probe(a->lost, lost * sizeof(struct zcbuf_lost));
}

/**
 * zcb_ioctl_receive_failed - RECEIVE_FAILED
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_receive_failed(struct zcb_call *c)
{
	struct zcb_port *port __free(zcb_port_put) = NULL;
	struct zcbuf_receive_failed *a = c->arg;
	struct zcb_failed_group f;
	int err;

	if (failed_probe(a))
		return -EFAULT;
	port = zcb_port_find(c->s, a->channel);
	if (IS_ERR(port))
		return PTR_ERR(port);
	err = zcb_channel_receive_failed(port, &f, a->npieces, a->nlost,
					 zcb_call_deadline(c, a->deadline_ns));
	if (err) {
		if (err == -EMSGSIZE) {
			a->npieces = f.npieces;
			a->nlost = f.nlost;
		}
		return err;
	}
	err = failed_write(c, &f);
	if (err)
		zcb_channel_release(port, f.delivery.handle);
	zcb_failed_group_free(&f);
	return err;
}

/* One after the other: who must not sleep could not undo the first. */
static int release_apart(const struct zcb_call *c,
			 const struct zcbuf_release_entry *e, u32 count,
			 u32 *done)
{
	struct zcb_port *port;
	int err = 0;

	*done = 0;
	if (c->nowait)
		return -ZCB_ESLEEP;
	for (; *done < count && !err; *done += !err, e++) {
		port = zcb_port_find(c->s, e->channel);
		if (IS_ERR(port))
			return PTR_ERR(port);
		err = zcb_channel_release(port, e->handle);
		zcb_port_put(port);
		cond_resched();
	}
	return err;
}

static int release_of(const struct zcb_call *c, const void *entries, u32 *done)
{
	struct zcb_port *port __free(zcb_port_put) = NULL;
	const struct zcbuf_batch *a = c->arg;

	if (!a->channel)
		return release_apart(c, entries, a->count, done);
	port = zcb_call_port(c, a->channel);
	if (IS_ERR(port))
		return PTR_ERR(port);
	return zcb_channel_release_all(port, entries, a->count, c->nowait,
				       done);
}

/**
 * zcb_ioctl_release - RELEASE
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_release(struct zcb_call *c)
{
	struct zcbuf_batch *a = c->arg;
	void *entries;
	u32 done = 0;
	int err;

	if (a->__reserved)
		return -EOPNOTSUPP;
	entries = zcb_call_array(c, a->entries, a->count,
				 a->channel ? sizeof(u64) :
				 sizeof(struct zcbuf_release_entry));
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	err = release_of(c, entries, &done);
	return zcb_batch_result(done, err, &a->out_done, &a->out_error);
}

static int eventfd_arm(const struct zcb_call *c, struct eventfd_ctx *ctx)
{
	struct zcb_port *port __free(zcb_port_put) = NULL;
	const struct zcbuf_eventfd *a = c->arg;
	bool adaptive = a->mode == ZCBUF_EVENTFD_ADAPTIVE;
	bool failed = a->flags & ZCBUF_EVENTFD_F_FAILED;

	if (!a->channel)
		return failed || (ctx && !adaptive) ? -EINVAL :
		       zcb_ring_eventfd(&c->s->ready, ctx);
	port = zcb_port_find(c->s, a->channel);
	if (IS_ERR(port))
		return PTR_ERR(port);
	return zcb_port_eventfd(port, failed, adaptive, ctx);
}

/**
 * zcb_ioctl_eventfd - EVENTFD
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_eventfd(struct zcb_call *c)
{
	const struct zcbuf_eventfd *a = c->arg;
	struct eventfd_ctx *ctx = NULL;
	int err;

	if (a->mode > ZCBUF_EVENTFD_ADAPTIVE)
		return -EOPNOTSUPP;
	if (a->mode == ZCBUF_EVENTFD_NONE && a->fd)
		return -EINVAL;
	if (a->mode != ZCBUF_EVENTFD_NONE)
		ctx = eventfd_ctx_fdget(a->fd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	err = eventfd_arm(c, ctx);
	if (err && ctx)
		eventfd_ctx_put(ctx);
	return err;
}

/**
 * zcb_ioctl_queue - QUEUE
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_queue(struct zcb_call *c)
{
	struct zcb_port *port __free(zcb_port_put) = NULL;
	struct zcbuf_queue *a = c->arg;
	int fd;

	if (a->__reserved)
		return -EOPNOTSUPP;
	port = zcb_port_find(c->s, a->channel);
	if (IS_ERR(port))
		return PTR_ERR(port);
	a->out_fd = -1;
	if (a->flags & ZCBUF_QUEUE_F_SYNC)
		return zcb_port_sync(port);
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	return zcb_call_install(c, fd, &a->out_fd,
				zcb_port_view(port, &a->out_bytes,
					      &a->out_state_bytes));
}

/**
 * zcb_ioctl_ready - READY
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_ready(struct zcb_call *c)
{
	struct zcbuf_ready *a = c->arg;
	int fd;

	if (a->__reserved)
		return -EOPNOTSUPP;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	return zcb_call_install(c, fd, &a->out_fd,
				zcb_ring_file(c->s, &a->out_bytes,
					      &a->out_state_bytes));
}

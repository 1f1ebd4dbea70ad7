// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queues of consumers that see them: their memory, and the first look.
 */
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "account.h"
#include "channel.h"
#include "view.h"

/**
 * zcb_queue_make - what a topic's consumer needs, or one of a stream that is shown
 * @port: the port, whose consumer does not use it yet
 * @nslots: all it may ever need
 *
 * The session's user pays. They stay as long as it holds something: with a port of the
 * dead, to its end.
 *
 * Context: may sleep. The pool's lock.
 * Return: 0 or -ENOMEM.
 */
int zcb_queue_make(struct zcb_port *port, u32 nslots)
{
	struct zcb_payer payer = zcb_account_payer(port->session->uid);
	u64 bytes = struct_size(port->queue, slots, nslots);
	int err;

	err = zcb_account_charge(bytes, &payer, &port->queue_user);
	if (err)
		return err;
	port->queue_bytes = bytes;
	port->queue = kvzalloc(bytes, GFP_KERNEL_ACCOUNT);
	if (!port->queue)
		return -ENOMEM;
	port->queue->nslots = nslots;
	return 0;
}

/**
 * zcb_queue_free - it is none any more, and holds nothing
 * @port: the port; may have no queue
 *
 * Context: may sleep.
 */
void zcb_queue_free(struct zcb_port *port)
{
	zcb_view_put(port->view);
	port->view = NULL;
	kvfree(port->queue);
	port->queue = NULL;
	if (port->queue_user)
		zcb_account_uncharge(port->queue_user, port->queue_bytes);
	port->queue_user = NULL;
}

/* Of a stream, what it may hold is all that it is offered. */
static int port_make_queue(struct zcb_port *port)
{
	return port->queue ? 0 : zcb_queue_make(port, port->max_held);
}

static struct zcb_view *port_make_view(const struct zcb_port *port)
{
	const struct zcb_payer payer = zcb_account_payer(port->session->uid);
	const struct zcb_channel *ch = port->channel;
	u32 depth = port->consumer.depth;
	u32 lanes = 1;

	if (ch->cfg.stream.topic)
		lanes = port->queue->nlanes;
	else
		depth = min(depth, port->max_held);
	return zcb_view_make(&payer, port->queue->nslots, depth,
			     port->max_held, lanes);
}

static void port_show_locked(struct zcb_port *port)
{
	struct zcb_stream *s = &port->channel->stream;

	lockdep_assert_held(&port->channel->lock);
	if (s->cfg.topic)
		zcb_topic_show(s, &port->consumer);
	else
		zcb_stream_show(s, &port->consumer, port->queue,
				port->max_held);
}

/* The first time. If it fails, the port is as it was. */
static struct file *port_view_first(struct zcb_port *port)
{
	struct zcb_view *fresh __free(zcb_view_put) = NULL;
	struct file *file;

	lockdep_assert_held(&port->channel->pool->lock);
	if (port_make_queue(port))
		return ERR_PTR(-ENOMEM);
	fresh = port_make_view(port);
	if (!fresh)
		return ERR_PTR(-ENOMEM);
	/* The last that can fail. */
	file = zcb_shown_file(&fresh->shown, "[zcbuf-queue]");
	if (IS_ERR(file))
		return file;
	guard(mutex)(&port->channel->lock);
	port->view = no_free_ptr(fresh);
	port_show_locked(port);
	return file;
}

/**
 * zcb_port_view - let a consumer see its queue
 * @port: of the caller
 * @bytes: set: of the part for reading
 * @state_bytes: set: of the part for writing
 *
 * Context: may sleep. The pool's lock keeps the port what it is meanwhile.
 * Return: a file to map it by; -EPERM, -ENOMEM, -ENFILE as error pointer.
 */
struct file *zcb_port_view(struct zcb_port *port, u64 *bytes, u64 *state_bytes)
{
	struct zcb_channel *ch = port->channel;
	struct file *file;

	guard(mutex)(&ch->pool->lock);
	if (!(port->kinds & ZCBUF_PORT_CONSUME))
		return ERR_PTR(-EPERM);
	if (port->view)
		file = zcb_shown_file(&port->view->shown,
				      "[zcbuf-queue]");
	else
		file = port_view_first(port);
	if (IS_ERR(file)) {
		/* Of a stream, there is none that is not shown. */
		if (!ch->cfg.stream.topic && !port->view)
			zcb_queue_free(port);
		return file;
	}
	*bytes = port->view->shown.bytes;
	*state_bytes = port->view->shown.state_bytes;
	return file;
}

/**
 * zcb_port_sync - notice what a consumer has taken by itself
 * @port: of the caller
 *
 * Context: may sleep for the lock.
 * Return: 0, -EPERM.
 */
int zcb_port_sync(struct zcb_port *port)
{
	struct zcb_channel *ch = port->channel;

	guard(mutex)(&ch->lock);
	if (!(port->kinds & ZCBUF_PORT_CONSUME))
		return -EPERM;
	if (port->view)
		WRITE_ONCE(port->view->head->waiting, 0);
	if (port->consumer.topic)
		zcb_topic_sync(&ch->stream, &port->consumer);
	zcb_stream_look(&ch->stream, &port->consumer);
	zcb_queue_feed_locked(ch);
	return 0;
}

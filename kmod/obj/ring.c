// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which of the queues that a session has mapped have something. A queue that its
 * consumer has emptied he arms, with a word of his choice, in the page of it that both
 * write. What comes then takes the word away and puts it into a ring that the session
 * maps for reading: once, so a ring for as many queues as there can be never overruns
 * who reads it. Nothing is read back but the words, of which the kernel knows no
 * meaning: who writes others is told others.
 */
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "ring.h"
#include "session.h"
#include "shown.h"
#include "view.h"

/**
 * struct zcb_ring - one session's
 * @shown: of @head, then the ring; @state behind them
 * @tail: how many words were put there: the consumer's is never read back
 * @head: for the consumer
 * @words: for the consumer
 * @state: both write
 * @eventfd: for one who sleeps, or NULL
 *
 * The lock of the session's struct zcb_ready.
 */
struct zcb_ring {
	struct zcb_shown shown;
	u64 tail;
	struct zcbuf_ready_head *head;
	u32 *words;
	struct zcbuf_ready_state *state;
	struct eventfd_ctx *eventfd;
};

static_assert(!offsetof(struct zcb_ring, shown));

static void ring_lay_out(struct zcb_ring *ring, u64 words)
{
	void *mem = ring->shown.mem;

	ring->head = mem;
	ring->words = mem + words;
	ring->state = mem + ring->shown.bytes;
	*ring->head = (struct zcbuf_ready_head) {
		.magic = ZCBUF_READY_MAGIC,
		.version = ZCBUF_READY_VERSION,
		.ring = ZCB_POOL_MAX_CHANNELS,
		.ring_offset = words,
	};
}

static struct zcb_ring *ring_make(const struct zcb_payer *payer)
{
	u64 words = ALIGN(sizeof(struct zcbuf_ready_head), SMP_CACHE_BYTES);
	struct zcb_ring *ring = kzalloc(sizeof(*ring), GFP_KERNEL_ACCOUNT);
	u64 bytes = words + ZCB_POOL_MAX_CHANNELS * sizeof(*ring->words);

	static_assert(!(ZCB_POOL_MAX_CHANNELS & (ZCB_POOL_MAX_CHANNELS - 1)));
	if (!ring)
		return NULL;
	if (zcb_shown_make(&ring->shown, payer, PAGE_ALIGN(bytes),
			   PAGE_ALIGN(sizeof(*ring->state)))) {
		kfree(ring);
		return NULL;
	}
	ring_lay_out(ring, words);
	return ring;
}

static void ring_put(struct zcb_ring *ring)
{
	if (ring)
		zcb_shown_put(&ring->shown);
}

DEFINE_FREE(ring_put, struct zcb_ring *, ring_put(_T))

/**
 * zcb_ring_file - what a session's ring is mapped by
 * @s: the session, attached
 * @bytes: set: of the part for reading
 * @state_bytes: set: of the part for writing
 *
 * Context: may sleep. The pool's lock makes it one ring.
 * Return: a file; -ENOMEM, -ENFILE as error pointer.
 */
struct file *zcb_ring_file(struct zcb_session *s, u64 *bytes, u64 *state_bytes)
{
	const struct zcb_payer payer = zcb_account_payer(s->uid);
	struct zcb_ring *fresh __free(ring_put) = NULL;
	struct zcb_ready *r = &s->ready;
	struct zcb_ring *ring;
	struct file *file;

	guard(mutex)(&s->pool->lock);
	if (!r->ring)
		fresh = ring_make(&payer);
	ring = r->ring ?: fresh;
	if (!ring)
		return ERR_PTR(-ENOMEM);
	*bytes = ring->shown.bytes;
	*state_bytes = ring->shown.state_bytes;
	/* The last that can fail: then it is as it was. */
	file = zcb_shown_file(&ring->shown, "[zcbuf-queue]");
	if (IS_ERR(file) || r->ring)
		return file;
	spin_lock(&r->lock);
	r->ring = no_free_ptr(fresh);
	spin_unlock(&r->lock);
	return file;
}

/**
 * zcb_ring_eventfd - arm or disarm the eventfd of a ring
 * @r: of the caller's session
 * @ctx: counts what comes while somebody sleeps, or NULL; the ring's on success
 *
 * Context: any but interrupt.
 * Return: 0; -EINVAL: there is no ring.
 */
int zcb_ring_eventfd(struct zcb_ready *r, struct eventfd_ctx *ctx)
{
	bool there;

	spin_lock(&r->lock);
	there = r->ring;
	if (there)
		swap(r->ring->eventfd, ctx);
	spin_unlock(&r->lock);
	if (!there)
		return -EINVAL;
	if (ctx)
		eventfd_ctx_put(ctx);
	return 0;
}

/**
 * zcb_ring_tell - something has come into a queue that is shown, or its end
 * @r: of its session
 * @v: the view
 *
 * The barrier of xchg() pairs with the consumer's, between the word and his last look
 * at the queue. The word of who has no ring means nothing.
 *
 * Context: the channel's lock is held.
 */
void zcb_ring_tell(struct zcb_ready *r, struct zcb_view *v)
{
	u32 word = xchg(&v->state->armed, 0);
	struct zcb_ring *ring;

	if (!word)
		return;
	spin_lock(&r->lock);
	ring = r->ring;
	if (ring) {
		WRITE_ONCE(ring->words[ring->tail++ & (ZCB_POOL_MAX_CHANNELS - 1)],
			   word);
		/* Pairs with the consumer's load: the word is there. */
		smp_store_release(&ring->head->tail, ring->tail);
		/* Its barrier pairs with his, before his last look at the tail. */
		if (xchg(&ring->state->sleeping, 0) && ring->eventfd)
			eventfd_signal(ring->eventfd);
	}
	spin_unlock(&r->lock);
}

/**
 * zcb_ring_end - the session is gone, and has no ports
 * @r: its
 *
 * Context: may sleep.
 */
void zcb_ring_end(struct zcb_ready *r)
{
	struct zcb_ring *ring = r->ring;

	if (!ring)
		return;
	zcb_ring_eventfd(r, NULL);
	r->ring = NULL;
	ring_put(ring);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sessions: one open file of the device, attached to at most one pool, for
 * life. All that was handed to it hangs from here and goes back when the file
 * is released.
 */
#ifndef ZCB_OBJ_SESSION_H
#define ZCB_OBJ_SESSION_H

#include <linux/percpu-refcount.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "memory.h"
#include "pool.h"
#include "quarantine.h"

struct zcb_heart;
struct zcb_port;
struct zcb_ring;

/**
 * struct zcb_ready - which consumer ports of a session have something, see ready.c
 * @lock: guards all but @used and @wq, and the ports' fields for it
 * @ports: struct zcb_port by its in_ready; whose turn it is first
 * @consumers: consumer ports there are
 * @told: those of them whose end was told
 * @others: ports of failure queues
 * @used: somebody has asked for any
 * @ring: tells of queues that are mapped, or NULL
 * @wq: who waits for any, one is woken for each port
 */
struct zcb_ready {
	spinlock_t lock;	/* all but used and wq */
	struct list_head ports;
	u32 consumers;
	u32 told;
	u32 others;
	bool used;
	struct zcb_ring *ring;
	wait_queue_head_t wq;
};

/**
 * struct zcb_session - one open file
 * @refs: the file, or what is left in quarantine; what is being evicted; map files
 * @calls: that are running; killed when it is evicted
 * @id: for people
 * @file_rights: ZCBUF_RIGHT_* the open mode gives
 * @claimed: attached, or about to be; changed by cmpxchg
 * @pool: what it is attached to, with a reference, or NULL; set once, read with
 *	acquire, which pairs with the release in zcb_session_join()
 * @rights: ZCBUF_RIGHT_*; valid with @pool, as is all that follows
 * @domain: whose memory it was
 * @in_pool: in the pool's list; the pool's lock
 * @leaving: what it holds is being taken back; the pool's lock
 * @evicted: it is treated as dead, though it has a file; set once
 * @revoked: its mappings are; set once, after that
 * @maps: map files
 * @heart: shows whether it lives, or NULL; set once, with release
 * @hold: the pool's mem_lock
 * @tokens: pin tokens
 * @pins: them; the pool's mem_lock
 * @remains: when it has ended, and something pins what it had
 * @ports: struct zcb_port by channel index; changed under the pool's lock
 * @ready: ports that have something
 * @watched: the generation of the pool's names that WATCH has told last, or 0
 * @wq: woken for everything this session may wait for, but memory
 * @event_seq: counts those events, so that a waiter misses none
 * @pid: the opener
 * @comm: its name then
 * @uid: its user
 * @opened_ns: CLOCK_MONOTONIC
 */
struct zcb_session {
	refcount_t refs;
	struct percpu_ref calls;
	u64 id;
	u32 file_rights;
	atomic_t claimed;
	struct zcb_pool *pool;
	u32 rights;
	u32 domain;
	struct list_head in_pool;
	bool leaving;
	bool evicted;
	bool revoked;
	atomic_t maps;
	struct zcb_heart *heart;
	struct zcb_holdings hold;
	atomic_t tokens;
	struct list_head pins;
	struct zcb_remains remains;
	struct xarray ports;
	struct zcb_ready ready;
	u64 watched;
	wait_queue_head_t wq;
	atomic_t event_seq;
	struct pid *pid;
	char comm[TASK_COMM_LEN];
	kuid_t uid;
	u64 opened_ns;
};

struct zcb_session *zcb_session_open(u32 file_rights);
void zcb_session_close(struct zcb_session *s);
struct zcb_session *zcb_session_get(struct zcb_session *s);
void zcb_session_put(struct zcb_session *s);
bool zcb_session_leave(struct zcb_session *s);

int zcb_session_claim(struct zcb_session *s);
void zcb_session_unclaim(struct zcb_session *s);
int zcb_session_join(struct zcb_session *s, struct zcb_pool *pool, u32 rights);

int zcb_session_give(struct zcb_session *s, u64 id, const u64 *handles,
		     u32 count, bool share, u32 *done);

void zcb_session_event(struct zcb_session *s, __poll_t events);
int zcb_wait(const struct zcb_session *s, wait_queue_head_t *wq,
	     const atomic_t *seq, int seen, u64 deadline_ns);

/* zcb_session_evicted() - is it treated as dead; @s may be NULL */
static inline bool zcb_session_evicted(const struct zcb_session *s)
{
	return s && READ_ONCE(s->evicted);
}

/* The pool, or NULL; then nothing but @id and @file_rights is valid. */
static inline struct zcb_pool *zcb_session_pool(const struct zcb_session *s)
{
	/* Pairs with the release in zcb_session_join(). */
	return smp_load_acquire(&s->pool);
}

#endif /* ZCB_OBJ_SESSION_H */

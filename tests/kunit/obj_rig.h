/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites of kmod/obj/ stand on: small pools, sessions and ports that
 * go away with the case, and a last look at it: whatever a case does, in the end
 * nobody is charged, no pool is left and nothing holds the module.
 *
 * Kernel only. A case is a task with all capabilities, of user 0.
 */
#ifndef ZCB_KUNIT_OBJ_RIG_H
#define ZCB_KUNIT_OBJ_RIG_H

#include <kunit/resource.h>
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/cred.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/poll.h>
#include <linux/string.h>

#include "../../kmod/obj/account.h"
#include "../../kmod/obj/channel.h"
#include "../../kmod/obj/pool.h"
#include "../../kmod/obj/session.h"
#include "obj_watch.h"

#define OBJ_ARENA	ZCB_ARENA_UNIT	/* bytes of most pools */
#define OBJ_PAGES	((u32)(OBJ_ARENA >> PAGE_SHIFT))
#define OBJ_PORTS	(ZCBUF_PORT_PRODUCE | ZCBUF_PORT_CONSUME | \
			 ZCBUF_PORT_RECV_FAILED)
#define OBJ_PATIENCE	(10 * HZ)	/* with what is stuck */

/**
 * struct eventfd_ctx - what this module has for eventfds
 * @count: signals
 * @puts: references dropped
 */
struct eventfd_ctx {
	u32 count;
	u32 puts;
};

/**
 * struct obj_rig - a case
 * @refs: references to the module when it began
 * @objects: objects the module had then
 * @began: when that was, for obj_watch_tell()
 * @user_limit_mb: module parameter
 * @total_limit_mb: module parameter
 * @saved: values of them when it began
 * @cfg: of the pool to be made next
 * @st: what the pool was last asked for
 * @eventfds: of the case; ports may have them until it has ended
 * @neventfds: how many are in use
 */
struct obj_rig {
	int refs;
	u32 objects;
	u64 began;
	unsigned long *user_limit_mb;
	unsigned long *total_limit_mb;
	unsigned long saved[2];
	struct zcb_pool_config cfg;
	struct zcb_pool_stat st;
	struct eventfd_ctx eventfds[4];
	u32 neventfds;
};

/* --------------------------------------------------------- limits and users */

/* obj_param() - the value of a module parameter, as sysfs finds it */
static inline unsigned long *obj_param(struct kunit *test, const char *name)
{
	u32 i;

	for (i = 0; i < THIS_MODULE->num_kp; i++)
		if (!strcmp(THIS_MODULE->kp[i].name, name))
			return THIS_MODULE->kp[i].arg;
	KUNIT_FAIL_AND_ABORT(test, "no parameter %s", name);
	return NULL;
}

/* obj_limits() - limits of this case, MiB */
static inline void obj_limits(struct kunit *test, u32 user_mb, u32 total_mb)
{
	struct obj_rig *rig = test->priv;

	*rig->user_limit_mb = user_mb;
	*rig->total_limit_mb = total_mb;
}

static inline u64 obj_charged(kuid_t uid)
{
	struct zcb_account_stat st;

	zcb_account_stat(uid, &st);
	return st.user_charged;
}

static inline u64 obj_total_charged(void)
{
	struct zcb_account_stat st;

	zcb_account_stat(GLOBAL_ROOT_UID, &st);
	return st.total_charged;
}

/**
 * struct obj_user - somebody the task is for a while
 * @cred: without capabilities
 * @old: who it was before
 */
struct obj_user {
	struct cred *cred;
	const struct cred *old;
};

/* obj_become() - until obj_return(), this task is user @uid */
static inline void obj_become(struct kunit *test, struct obj_user *u, u32 uid)
{
	u->cred = prepare_creds();
	KUNIT_ASSERT_NOT_NULL(test, u->cred);
	u->cred->euid = KUIDT_INIT(uid);
	u->cred->egid = KGIDT_INIT(uid);
	cap_clear(u->cred->cap_effective);
	u->old = override_creds(u->cred);
}

static inline void obj_return(struct obj_user *u)
{
	revert_creds(u->old);
	put_cred(u->cred);
}

/* -------------------------------------------------------------------- pools */

/* obj_pool_config() - the case's own, set to what most pools are made with */
static inline struct zcb_pool_config *obj_pool_config(struct kunit *test)
{
	struct obj_rig *rig = test->priv;

	memset(&rig->cfg, 0, sizeof(rig->cfg));
	rig->cfg.kind = ZCBUF_POOL_PAGES;
	rig->cfg.mode = 0600;
	rig->cfg.arena_size = OBJ_ARENA;
	return &rig->cfg;
}

static inline void obj_put_pool(void *pool)
{
	zcb_pool_put(pool);
}

/* obj_make_pool() - a pool; the case holds a reference to it */
static inline struct zcb_pool *obj_make_pool(struct kunit *test,
					     const struct zcb_pool_config *cfg)
{
	struct zcb_pool *pool = zcb_pool_create(cfg, current_euid());

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pool);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, obj_put_pool, pool));
	return pool;
}

static inline struct zcb_pool *obj_pool(struct kunit *test)
{
	return obj_make_pool(test, obj_pool_config(test));
}

/* obj_drop_pool() - put the reference the case has */
static inline void obj_drop_pool(struct kunit *test, struct zcb_pool *pool)
{
	kunit_release_action(test, obj_put_pool, pool);
}

/*
 * obj_settle() - wait until pools that end have ended. Only who is refused for
 * a limit waits for them.
 */
static inline void obj_settle(struct kunit *test)
{
	struct obj_rig *rig = test->priv;
	u64 size = rig->cfg.arena_size;

	rig->cfg.arena_size = 1ULL << 62;
	KUNIT_EXPECT_PTR_EQ(test, zcb_pool_create(&rig->cfg, GLOBAL_ROOT_UID),
			    ERR_PTR(-ENOMEM));
	rig->cfg.arena_size = size;
}

/* obj_pool_stat() - what inspection sees, until it is asked again */
static inline const struct zcb_pool_stat *obj_pool_stat(struct kunit *test,
							struct zcb_pool *pool)
{
	struct obj_rig *rig = test->priv;

	zcb_pool_stat(pool, &rig->st);
	return &rig->st;
}

static inline u64 obj_used(struct kunit *test, struct zcb_pool *pool)
{
	return obj_pool_stat(test, pool)->used;
}

static inline void *obj_at(struct zcb_pool *pool, u64 pool_offset)
{
	struct page *page = zcb_pool_page(pool, pool_offset >> PAGE_SHIFT);

	return page_address(page) + offset_in_page(pool_offset);
}

/* obj_fill() - store into a pool, as through a mapping */
static inline void obj_fill(struct zcb_pool *pool, u64 pool_offset, u64 length,
			    u8 byte)
{
	while (length) {
		u64 n = min_t(u64, length,
			      PAGE_SIZE - offset_in_page(pool_offset));

		memset(obj_at(pool, pool_offset), byte, n);
		pool_offset += n;
		length -= n;
	}
}

/* obj_is() - is every byte of it @byte */
static inline bool obj_is(struct zcb_pool *pool, u64 pool_offset, u64 length,
			  u8 byte)
{
	while (length) {
		u64 n = min_t(u64, length,
			      PAGE_SIZE - offset_in_page(pool_offset));

		if (memchr_inv(obj_at(pool, pool_offset), byte, n))
			return false;
		pool_offset += n;
		length -= n;
	}
	return true;
}

/* ----------------------------------------------------------------- sessions */

static inline void obj_close_session(void *session)
{
	zcb_session_close(session);
}

/* obj_open_session() - a session that is attached to nothing */
static inline struct zcb_session *obj_open_session(struct kunit *test)
{
	struct zcb_session *s = zcb_session_open(ZCBUF_RIGHTS_ALL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, obj_close_session, s));
	return s;
}

/* obj_session() - a session attached to @pool, with a reference of its own */
static inline struct zcb_session *obj_session(struct kunit *test,
					      struct zcb_pool *pool)
{
	struct zcb_session *s = obj_open_session(test);

	KUNIT_ASSERT_EQ(test, zcb_session_claim(s), 0);
	KUNIT_ASSERT_EQ(test, zcb_session_join(s, zcb_pool_get(pool),
					       ZCBUF_RIGHTS_ALL), 0);
	return s;
}

/* obj_close() - the last reference to the session's file is gone */
static inline void obj_close(struct kunit *test, struct zcb_session *s)
{
	kunit_release_action(test, obj_close_session, s);
}

static inline u64 obj_alloc(struct kunit *test, struct zcb_session *s,
			    u64 length)
{
	const struct zcb_memory_request r = { .length = length };
	u64 handle = 0;

	KUNIT_ASSERT_EQ(test, zcb_memory_alloc(s->pool, &s->hold, s->domain,
					       &r, &handle), 0);
	return handle;
}

/* ----------------------------------------------------------------- channels */

/* obj_config() - groups of one reservation, one page each */
static inline struct zcb_channel_config obj_config(const struct zcb_pool *pool)
{
	return (struct zcb_channel_config){
		.stream = {
			.threshold = 0,
			.max_reservation = PAGE_SIZE,
			.max_extent = zcb_pool_largest(pool),
			.align = 1,
			.max_outstanding = 1024,
			.page_shift = PAGE_SHIFT,
		},
	};
}

static inline void obj_put_port(void *port)
{
	zcb_port_put(port);
}

/* The reference that a running call would have is the case's. */
static inline struct zcb_port *obj_keep_port(struct kunit *test,
					     struct zcb_port *port)
{
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, obj_put_port, port));
	return port;
}

static inline void obj_drop_port(struct kunit *test, struct zcb_port *port)
{
	kunit_release_action(test, obj_put_port, port);
}

/* obj_open() - CHANNEL_OPEN; without @cfg of one that is there, however it is */
static inline int obj_open(struct zcb_session *s, u64 handle,
			   const struct zcb_channel_config *cfg, u32 kinds,
			   u32 depth, struct zcb_port **port, u32 *added)
{
	struct zcb_channel_wish w = {
		.handle = handle,
		.cfg = cfg,
		.port = { .kinds = kinds, .depth = depth },
	};

	return zcb_channel_open(s, &w, port, added);
}

/* obj_channel() - make a channel */
static inline struct zcb_port *obj_channel(struct kunit *test,
					   struct zcb_session *s,
					   const struct zcb_channel_config *cfg,
					   u32 kinds)
{
	struct zcb_port *port;
	u32 added = 0;

	KUNIT_ASSERT_EQ(test, obj_open(s, 0, cfg, kinds, 0, &port, &added), 0);
	KUNIT_ASSERT_EQ(test, added, kinds);
	return obj_keep_port(test, port);
}

/* obj_attach() - take ports of a channel that is there */
static inline struct zcb_port *obj_attach(struct kunit *test,
					  struct zcb_session *s, u64 handle,
					  u32 kinds)
{
	struct zcb_port *port;
	u32 added;

	KUNIT_ASSERT_EQ(test, obj_open(s, handle, NULL, kinds, 0, &port,
				       &added), 0);
	return obj_keep_port(test, port);
}

/* obj_channel_reserve(), _nowait() - whatever is short */
static inline int obj_channel_reserve(struct zcb_port *port,
				      struct zcbuf_reservation *r, u32 flags,
				      u64 deadline_ns)
{
	u32 why;

	return zcb_channel_reserve(port, r, flags, deadline_ns, &why);
}

static inline int obj_channel_reserve_nowait(struct zcb_port *port,
					     struct zcbuf_reservation *r,
					     u32 flags)
{
	u32 why;

	return zcb_channel_reserve_nowait(port, r, flags, &why);
}

static inline int obj_try_reserve(struct zcb_port *port, u64 length,
				  struct zcbuf_reservation *r)
{
	memset(r, 0, sizeof(*r));
	r->length = length;
	return obj_channel_reserve(port, r, 0, 0);
}

static inline struct zcbuf_reservation obj_reserve(struct kunit *test,
						   struct zcb_port *port,
						   u64 length)
{
	struct zcbuf_reservation r;

	KUNIT_ASSERT_EQ(test, obj_try_reserve(port, length, &r), 0);
	return r;
}

static inline int obj_commit(struct zcb_port *port,
			     const struct zcbuf_reservation *r)
{
	const struct zcb_stream_commit c = {
		.group = r->out_group,
		.id = r->out_id,
		.offset = r->out_offset,
		.length = r->length,
	};

	return zcb_channel_commit(port, &c);
}

/* obj_send() - reserve and commit */
static inline struct zcbuf_reservation obj_send(struct kunit *test,
						struct zcb_port *port,
						u64 length)
{
	struct zcbuf_reservation r = obj_reserve(test, port, length);

	KUNIT_ASSERT_EQ(test, obj_commit(port, &r), 0);
	return r;
}

/* obj_fail() - a group that fails: reserve and abort */
static inline struct zcbuf_reservation obj_fail(struct kunit *test,
						struct zcb_port *port,
						u64 length)
{
	struct zcbuf_reservation r = obj_reserve(test, port, length);

	KUNIT_ASSERT_EQ(test, zcb_channel_abort(port, r.out_group, r.out_id),
			0);
	return r;
}

static inline int obj_try_receive(struct zcb_port *port,
				  struct zcbuf_delivery *d)
{
	u32 done;

	return zcb_channel_receive(port, d, 1, 0, &done);
}

static inline struct zcbuf_delivery obj_receive(struct kunit *test,
						struct zcb_port *port)
{
	struct zcbuf_delivery d = {};

	KUNIT_ASSERT_EQ(test, obj_try_receive(port, &d), 0);
	return d;
}

/* obj_receive_failed() - the delivery of a failed group, without its parts */
static inline struct zcbuf_delivery obj_receive_failed(struct kunit *test,
						       struct zcb_port *port)
{
	struct zcb_failed_group f;

	KUNIT_ASSERT_EQ(test, zcb_channel_receive_failed(port, &f, 1024, 1024,
							 0), 0);
	zcb_failed_group_free(&f);
	return f.delivery;
}

static inline struct zcb_channel_stat obj_channel_stat(struct kunit *test,
						       struct zcb_pool *pool)
{
	struct zcb_channel_stat st;
	u32 cursor = 0;

	KUNIT_ASSERT_TRUE(test, zcb_pool_channel_stat(pool, &cursor, &st));
	return st;
}

static inline struct eventfd_ctx *obj_eventfd(struct kunit *test)
{
	struct obj_rig *rig = test->priv;

	KUNIT_ASSERT_LT(test, rig->neventfds, ARRAY_SIZE(rig->eventfds));
	return &rig->eventfds[rig->neventfds++];
}

/* ------------------------------------------------------------ another task */

/**
 * struct obj_task - a call made by another task
 * @call: what it does
 * @arg: for @call
 * @r: for @call
 * @err: what @call returned
 * @done: it has
 * @task: the task
 */
struct obj_task {
	int (*call)(struct obj_task *t);
	void *arg;
	struct zcbuf_reservation r;
	int err;
	struct completion done;
	struct task_struct *task;
};

static inline int obj_task_run(void *data)
{
	struct obj_task *t = data;

	t->err = t->call(t);
	complete(&t->done);
	return 0;
}

/* obj_start() - until it waits in @wq, or has done without */
static inline void obj_start(struct kunit *test, struct obj_task *t,
			     wait_queue_head_t *wq)
{
	init_completion(&t->done);
	t->task = kthread_run(obj_task_run, t, "zcb_obj");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->task);
	get_task_struct(t->task);
	while (!wq_has_sleeper(wq) && !completion_done(&t->done))
		schedule_timeout_uninterruptible(1);
}

/*
 * obj_join() - what did it return; the task is gone then. One that nobody has
 * woken is interrupted in the end.
 */
static inline int obj_join(struct obj_task *t)
{
	wait_for_completion_timeout(&t->done, OBJ_PATIENCE);
	kthread_stop_put(t->task);
	return t->err;
}

/**
 * struct obj_sleeper - somebody in a wait queue, as epoll is
 * @entry: in the queue
 * @told: EPOLL* it was woken for
 */
struct obj_sleeper {
	struct wait_queue_entry entry;
	__poll_t told;
};

static inline int obj_sleeper_wake(struct wait_queue_entry *entry,
				   unsigned int mode, int sync, void *key)
{
	container_of(entry, struct obj_sleeper, entry)->told |=
		key_to_poll(key);
	return 0;
}

/* obj_sleep() - until obj_wake_up() */
static inline void obj_sleep(struct obj_sleeper *s, wait_queue_head_t *wq)
{
	s->told = 0;
	init_waitqueue_func_entry(&s->entry, obj_sleeper_wake);
	add_wait_queue(wq, &s->entry);
}

static inline __poll_t obj_wake_up(struct obj_sleeper *s, wait_queue_head_t *wq)
{
	remove_wait_queue(wq, &s->entry);
	return s->told;
}

/* obj_wait_refs() - for what lets go of the module in the background */
static inline void obj_wait_refs(struct kunit *test, int refs)
{
	u32 i;

	for (i = 0; i < OBJ_PATIENCE; i++) {
		if (module_refcount(THIS_MODULE) == refs)
			return;
		schedule_timeout_uninterruptible(1);
	}
	KUNIT_FAIL(test, "references to the module: %d, not %d",
		   module_refcount(THIS_MODULE), refs);
}

/* ---------------------------------------------------------- the life of it */

static inline void obj_check_end(void *ctx)
{
	struct kunit *test = ctx;
	struct obj_rig *rig = test->priv;
	u32 cursor = 0;

	*rig->user_limit_mb = rig->saved[0];
	*rig->total_limit_mb = rig->saved[1];
	obj_settle(test);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), 0);
	KUNIT_EXPECT_NULL(test, zcb_pool_next(&cursor));
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), rig->refs);
	KUNIT_EXPECT_EQ(test, obj_watch_count(), rig->objects);
	if (obj_watch_count() > rig->objects)
		obj_watch_tell(test, rig->began);
}

/* Case init. Actions run last first, so the look at the end is the last. */
static inline int obj_init(struct kunit *test)
{
	struct obj_rig *rig = kunit_kzalloc(test, sizeof(*rig), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, rig);
	test->priv = rig;
	rig->user_limit_mb = obj_param(test, "user_limit_mb");
	rig->total_limit_mb = obj_param(test, "total_limit_mb");
	rig->saved[0] = *rig->user_limit_mb;
	rig->saved[1] = *rig->total_limit_mb;
	obj_settle(test);
	rig->refs = module_refcount(THIS_MODULE);
	rig->objects = obj_watch_count();
	rig->began = obj_watch_now();
	return kunit_add_action_or_reset(test, obj_check_end, test);
}

/*
 * Suite init and exit. A kernel thread unmounts in the background; so that no
 * case does, the file system is pinned. The first pool makes the table of all
 * pools, which stays.
 */
static inline int obj_suite_init(struct kunit_suite *suite)
{
	static const struct zcb_pool_config cfg = {
		.arena_size = PAGE_SIZE, .flags = ZCBUF_POOL_F_SMALL_PAGES,
	};
	struct zcb_pool *pool = zcb_pool_create(&cfg, GLOBAL_ROOT_UID);

	if (IS_ERR(pool))
		return PTR_ERR(pool);
	zcb_pool_put(pool);
	return zcb_mapfs_pin();
}

static inline void obj_suite_exit(struct kunit_suite *suite)
{
	zcb_mapfs_unpin();
}

#endif /* ZCB_KUNIT_OBJ_RIG_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls on pools and buffers.
 */
#include <linux/capability.h>
#include <linux/cpuset.h>
#include <linux/cred.h>
#include <linux/ctype.h>
#include <linux/file.h>
#include <linux/nodemask.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../obj/memory.h"
#include "../obj/pin.h"
#include "face.h"
#include "ioctl.h"
#include "trace.h"

#define ZCB_POOL_MODE_MASK	0666U
/* Callers of 0.1 know this much of it. */
#define ZCB_CLASS_INFO_MIN	offsetofend(struct zcbuf_class_info, __reserved)
#define ZCB_BUF_PLACE_MIN	offsetofend(struct zcbuf_buf_place, holders)

/* Names go into tables, JSON and paths of people who do not expect surprises. */
static int pool_read_name(u64 uptr, u32 len, char *name)
{
	u32 i;

	if (len > ZCBUF_MAX_NAME)
		return -EINVAL;
	if (copy_from_user(name, u64_to_user_ptr(uptr), len))
		return -EFAULT;
	name[len] = '\0';
	for (i = 0; i < len; i++)
		if (!isascii(name[i]) || !isgraph(name[i]) || name[i] == '/')
			return -EINVAL;
	return 0;
}

static int pool_read_tiers(const struct zcbuf_class *classes, u32 n,
			   struct zcb_slab_table *t)
{
	u32 length[ZCBUF_MAX_CLASSES];
	u32 i;

	if (!n)
		return zcb_slab_table_init(t, zcb_slab_tiers, ZCB_SLAB_TIERS,
					   PAGE_SHIFT);
	for (i = 0; i < n; i++) {
		if (classes[i].count)
			return -EINVAL;	/* counted tables are FIXED pools */
		length[i] = classes[i].length;
	}
	return zcb_slab_table_init(t, length, n, PAGE_SHIFT);
}

/* The arena has room for just the table. */
static int pool_read_fixed(const struct zcbuf_class *classes, u32 n,
			   struct zcb_pool_config *cfg)
{
	struct zcb_fixed_spec spec[ZCBUF_MAX_CLASSES];
	struct zcb_fixed *f = &cfg->fixed;
	u32 i;
	int err;

	for (i = 0; i < n; i++)
		spec[i] = (struct zcb_fixed_spec) {
			.length = classes[i].length,
			.count = classes[i].count,
		};
	err = zcb_fixed_layout(f, n ? spec : zcb_fixed_defaults,
			       n ?: ZCB_FIXED_DEFAULTS, PAGE_SHIFT);
	if (err)
		return err;
	if (zcb_fixed_shares_pages(f, PAGE_SHIFT) &&
	    !(cfg->flags & ZCBUF_POOL_F_SHARED_PAGES))
		return -EINVAL;
	cfg->arena_size = round_up(f->size, ZCB_ARENA_UNIT);
	return cfg->arena_size > ZCB_ARENA_MAX ? -E2BIG : 0;
}

static int pool_read_classes(struct zcb_call *c, struct zcb_pool_config *cfg)
{
	const struct zcbuf_pool_create *a = c->arg;
	struct zcbuf_class *classes = NULL;

	if (a->nclasses > ZCBUF_MAX_CLASSES)
		return -EINVAL;
	if (a->nclasses) {
		classes = zcb_call_array(c, a->classes, a->nclasses,
					 sizeof(*classes));
		if (IS_ERR(classes))
			return PTR_ERR(classes);
	}
	if (a->kind == ZCBUF_POOL_FIXED)
		return pool_read_fixed(classes, a->nclasses, cfg);
	return pool_read_tiers(classes, a->nclasses, &cfg->slabs);
}

static int pool_read_nodes(const struct zcbuf_pool_create *a, nodemask_t *nodes)
{
	const u32 both = ZCBUF_POOL_F_NODE | ZCBUF_POOL_F_INTERLEAVE;

	if ((a->flags & both) == both)
		return -EINVAL;
	if (a->node && !(a->flags & ZCBUF_POOL_F_NODE))
		return -EINVAL;
	if (!(a->flags & both))
		return 0;
	nodes_and(*nodes, cpuset_current_mems_allowed, node_states[N_MEMORY]);
	if (a->flags & ZCBUF_POOL_F_INTERLEAVE)
		return 0;
	if (a->node >= MAX_NUMNODES || !node_isset(a->node, *nodes))
		return -EINVAL;
	*nodes = nodemask_of_node(a->node);
	return 0;
}

static int pool_read_owner(const struct zcbuf_pool_create *a,
			   struct zcb_pool_config *cfg)
{
	cfg->owned = a->flags & ZCBUF_POOL_F_OWNER;
	if (!cfg->owned)
		return a->uid || a->gid ? -EINVAL : 0;
	cfg->uid = make_kuid(current_user_ns(), a->uid);
	cfg->gid = make_kgid(current_user_ns(), a->gid);
	return uid_valid(cfg->uid) && gid_valid(cfg->gid) ? 0 : -EINVAL;
}

/* Last: a security module may log that the capability was lacking. */
static int pool_check_privilege(const struct zcb_pool_config *cfg)
{
	const u32 privileged = ZCBUF_POOL_F_PERSISTENT | ZCBUF_POOL_F_OWNER;

	if (cfg->flags & ZCBUF_POOL_F_PERSISTENT && !*cfg->name)
		return -EINVAL;
	return cfg->flags & privileged && !capable(CAP_SYS_ADMIN) ? -EPERM : 0;
}

static int pool_check_create(const struct zcbuf_pool_create *a)
{
	const u32 pages = ZCBUF_POOL_F_HUGE_STRICT | ZCBUF_POOL_F_SMALL_PAGES;

	if (a->__reserved || a->kind > ZCBUF_POOL_FIXED)
		return -EOPNOTSUPP;
	if (a->mode & ~ZCB_POOL_MODE_MASK || (a->flags & pages) == pages)
		return -EINVAL;
	if (a->arena_size & (ZCB_ARENA_UNIT - 1))
		return -EINVAL;
	if (a->arena_size > ZCB_ARENA_MAX)
		return -E2BIG;
	if (a->kind == ZCBUF_POOL_PAGES && a->nclasses)
		return -EINVAL;
	if (a->kind == ZCBUF_POOL_FIXED)
		return a->arena_size || a->max_size ||
		       a->flags & ZCBUF_POOL_F_AUTO_GROW ? -EINVAL : 0;
	return a->flags & ZCBUF_POOL_F_SHARED_PAGES ? -EINVAL : 0;
}

/* How large it is, and how large it may be; FIXED: its table tells. */
static int pool_read_sizes(const struct zcbuf_pool_create *a,
			   struct zcb_pool_config *cfg)
{
	cfg->arena_size = a->arena_size ?: ZCB_ARENA_DEFAULT;
	/* Whole arenas. */
	cfg->max_size = a->max_size - a->max_size % cfg->arena_size;
	if (!a->max_size)
		return a->flags & ZCBUF_POOL_F_AUTO_GROW ? -EINVAL : 0;
	if (cfg->max_size < cfg->arena_size)
		return -EINVAL;
	if (a->max_size > ZCB_POOL_MAX ||
	    cfg->max_size / cfg->arena_size > ZCB_POOL_ARENAS)
		return -E2BIG;
	return 0;
}

static int pool_read_config(struct zcb_call *c, struct zcb_pool_config *cfg)
{
	const struct zcbuf_pool_create *a = c->arg;
	int err;

	err = pool_check_create(a);
	if (err)
		return err;
	cfg->kind = a->kind;
	cfg->flags = a->flags;
	cfg->mode = a->mode ?: 0600;
	err = pool_read_sizes(a, cfg);
	if (err)
		return err;
	err = pool_read_nodes(a, &cfg->nodes);
	if (err)
		return err;
	err = pool_read_name(a->name, a->name_len, cfg->name);
	if (err)
		return err;
	err = pool_read_owner(a, cfg);
	if (err)
		return err;
	if (a->kind != ZCBUF_POOL_PAGES)
		err = pool_read_classes(c, cfg);
	return err ?: pool_check_privilege(cfg);
}

/* The answer is given before the session joins: that is not to be undone. */
static int pool_create_and_join(struct zcb_call *c,
				const struct zcb_pool_config *cfg)
{
	struct zcb_pool *pool __free(zcb_pool_put) =
		zcb_pool_create(cfg, c->s->uid);
	struct zcbuf_pool_create *a = c->arg;
	int err;

	if (IS_ERR(pool))
		return PTR_ERR(pool);
	a->out_pool = pool->handle;
	a->out_size = zcb_pool_end(pool);
	a->out_page_order = pool->arenas[0]->order;
	a->out_rights = c->s->file_rights;
	err = zcb_call_answer(c);
	if (!err)
		err = zcb_session_join(c->s, pool, c->s->file_rights);
	if (err)
		return err;
	if (cfg->flags & ZCBUF_POOL_F_PERSISTENT)
		zcb_pool_persist(pool);
	retain_and_null_ptr(pool);	/* the session's now */
	return 0;
}

/**
 * zcb_ioctl_pool_create - POOL_CREATE
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_pool_create(struct zcb_call *c)
{
	struct zcb_pool_config *cfg __free(kfree) =
		kzalloc(sizeof(*cfg), GFP_KERNEL);
	int err;

	if (!cfg)
		return -ENOMEM;
	err = pool_read_config(c, cfg);
	if (err)
		return err;
	err = zcb_session_claim(c->s);
	if (err)
		return err;
	err = pool_create_and_join(c, cfg);
	if (err)
		zcb_session_unclaim(c->s);
	return err;
}

/* The pool, and which rights there are to it. */
static struct zcb_pool *pool_from_fd(int fd, u32 *rights)
{
	struct file *file __free(fput) = fget(fd);
	struct zcb_session *donor;
	struct zcb_pool *pool;

	if (!file)
		return ERR_PTR(-EBADF);
	donor = zcb_session_of(file);
	pool = donor ? zcb_session_pool(donor) : NULL;
	if (!pool)
		return ERR_PTR(-ENOENT);
	if (zcb_session_evicted(donor))
		return ERR_PTR(-ESTALE);
	*rights = donor->rights;
	return zcb_pool_get(pool);
}

/**
 * zcb_user_pool - the pool of a name
 * @uptr: user address of the name
 * @len: bytes of it
 * @of_uid: it is @uid's, not the caller's own
 * @uid: see @of_uid
 *
 * Context: may sleep.
 * Return: the pool with a reference, or -EINVAL, -EFAULT, -ENOENT as error
 * pointer.
 */
struct zcb_pool *zcb_user_pool(u64 uptr, u32 len, bool of_uid, u32 uid)
{
	char name[ZCBUF_MAX_NAME + 1];
	kuid_t kuid = current_euid();
	struct zcb_pool *pool;
	int err;

	err = pool_read_name(uptr, len, name);
	if (err)
		return ERR_PTR(err);
	if (of_uid)
		kuid = make_kuid(current_user_ns(), uid);
	pool = *name && uid_valid(kuid) ? zcb_pool_find(name, kuid) : NULL;
	return pool ?: ERR_PTR(*name ? -ENOENT : -EINVAL);
}

/**
 * zcb_user_rights - to a pool, by who the caller is
 * @pool: the pool
 * @wanted: what he asks his privileges for, if he has it not without them
 *
 * Context: any.
 * Return: ZCBUF_RIGHT_*.
 */
u32 zcb_user_rights(const struct zcb_pool *pool, u32 wanted)
{
	u32 rights = zcb_pool_permits(pool, current_cred(), false);

	if (wanted & ~rights && capable(CAP_SYS_ADMIN))
		rights = ZCBUF_RIGHTS_ALL;
	return rights;
}

static struct zcb_pool *pool_from_name(const struct zcbuf_pool_attach *a,
				       u32 *rights)
{
	struct zcb_pool *pool = zcb_user_pool(a->name, a->name_len,
					      a->flags & ZCBUF_ATTACH_F_UID,
					      a->uid);

	if (!IS_ERR(pool))
		*rights = zcb_user_rights(pool, a->rights ?: ZCBUF_RIGHTS_ALL);
	return pool;
}

static int pool_check_attach(const struct zcbuf_pool_attach *a)
{
	bool by_fd = a->flags & ZCBUF_ATTACH_F_FD;

	if (a->rights & ~ZCBUF_RIGHTS_ALL)
		return -EOPNOTSUPP;
	if (by_fd ? a->name || a->name_len || a->flags & ZCBUF_ATTACH_F_UID :
		    a->fd)
		return -EINVAL;
	return a->uid && !(a->flags & ZCBUF_ATTACH_F_UID) ? -EINVAL : 0;
}

static int pool_join(struct zcb_call *c)
{
	struct zcb_pool *pool __free(zcb_pool_put) = NULL;
	struct zcbuf_pool_attach *a = c->arg;
	u32 rights;
	int err;

	pool = a->flags & ZCBUF_ATTACH_F_FD ? pool_from_fd(a->fd, &rights) :
					      pool_from_name(a, &rights);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	rights &= c->s->file_rights;
	if (!rights || a->rights & ~rights)
		return -EPERM;
	rights = a->rights ?: rights;
	a->out_pool = pool->handle;
	a->out_size = zcb_pool_end(pool);
	a->out_kind = pool->cfg.kind;
	a->out_rights = rights;
	err = zcb_call_answer(c);
	if (!err)
		err = zcb_session_join(c->s, pool, rights);
	if (!err)
		retain_and_null_ptr(pool);
	return err;
}

/**
 * zcb_ioctl_pool_attach - POOL_ATTACH
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_pool_attach(struct zcb_call *c)
{
	int err;

	err = pool_check_attach(c->arg);
	if (err)
		return err;
	err = zcb_session_claim(c->s);
	if (err)
		return err;
	err = pool_join(c);
	if (err)
		zcb_session_unclaim(c->s);
	return err;
}

static int pool_write_classes(struct zcbuf_pool_info *a,
			      const struct zcb_pool_stat *st)
{
	struct zcbuf_class_info info[ZCBUF_MAX_CLASSES];
	u32 room = a->classes ? a->nclasses : 0;
	u32 i;

	a->nclasses = st->nclasses;
	if (!room)
		return 0;
	if (room < st->nclasses)
		return -EMSGSIZE;
	for (i = 0; i < st->nclasses; i++)
		info[i] = (struct zcbuf_class_info) {
			.length = st->classes[i].length,
			.used = st->classes[i].used,
			.total = st->classes[i].total,
			.align = st->classes[i].align,
			.offset = st->classes[i].offset,
			.min_free = st->classes[i].min_free,
		};
	return zcb_user_entries(a->classes, a->entry_size, info, sizeof(*info),
				st->nclasses);
}

static int pool_check_info(const struct zcbuf_pool_info *a)
{
	if (a->__reserved)
		return -EOPNOTSUPP;
	if (!a->classes || !a->nclasses)
		return 0;
	return a->entry_size < ZCB_CLASS_INFO_MIN ||
	       a->entry_size > ZCB_ENTRY_MAX ? -EINVAL : 0;
}

/**
 * zcb_ioctl_pool_info - POOL_INFO
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_pool_info(struct zcb_call *c)
{
	struct zcb_pool_stat *st __free(kfree) =
		kmalloc(sizeof(*st), GFP_KERNEL);
	struct zcbuf_pool_info *a = c->arg;
	int err;

	if (!st)
		return -ENOMEM;
	err = pool_check_info(a);
	if (err)
		return err;
	zcb_pool_stat(c->pool, st);
	a->out_kind = st->kind;
	a->out_pool = st->handle;
	a->out_size = st->size;
	a->out_used = st->used;
	a->out_min_free = st->min_free;
	a->out_largest_free = st->largest_free;
	a->out_arena_size = st->arena_size;
	a->out_arenas = st->arenas;
	a->out_page_order = st->page_order;
	a->out_sessions = st->sessions;
	a->out_channels = st->channels;
	a->out_bad_frees = st->bad_frees;
	a->out_flags = st->flags;
	a->out_rights = c->s->rights;
	a->out_max_size = st->max_size;
	a->out_max_used = st->max_used;
	a->out_end = st->end;
	a->out_max_end = st->max_end;
	a->out_present = st->present;
	a->out_retiring = st->retiring;
	return pool_write_classes(a, st);
}

/* Waits, if at all, for the first only: what was got is not held up. */
static int alloc_some(struct zcb_call *c, u64 *handles, u32 *done)
{
	const struct zcbuf_alloc *a = c->arg;
	struct zcb_memory_request r = {
		.length = a->length,
		.align = a->align,
		.zero = a->flags & ZCBUF_ALLOC_F_ZERO,
		.on_node = a->flags & ZCBUF_ALLOC_F_NODE,
		.node = a->node,
		.nowait = c->nowait,
		.deadline_ns = zcb_call_deadline(c, a->deadline_ns),
		.session = c->s,
	};
	int err = 0;

	for (*done = 0; *done < a->count; ++*done) {
		if (fatal_signal_pending(current))
			err = -EINTR;
		else
			err = zcb_memory_alloc(c->pool, &c->s->hold,
					       c->s->domain, &r,
					       &handles[*done]);
		if (err)
			break;
		r.deadline_ns = 0;
		cond_resched();
	}
	return err;
}

static int alloc_check(const struct zcbuf_alloc *a)
{
	if (a->__reserved)
		return -EOPNOTSUPP;
	if (!a->count || a->count > ZCBUF_MAX_BATCH)
		return -EINVAL;
	if (!(a->flags & ZCBUF_ALLOC_F_NODE))
		return a->node ? -EINVAL : 0;
	return a->node < MAX_NUMNODES && node_state(a->node, N_MEMORY) &&
	       node_isset(a->node, cpuset_current_mems_allowed) ? 0 : -EINVAL;
}

static void alloc_undo(struct zcb_call *c, const u64 *handles, u32 done)
{
	while (done--)
		zcb_memory_free(c->pool, &c->s->hold, handles[done]);
}

static int alloc_answer(struct zcb_call *c, const u64 *handles, u32 done)
{
	const struct zcbuf_alloc *a = c->arg;

	if (copy_to_user(u64_to_user_ptr(a->handles), handles,
			 done * sizeof(*handles)))
		return -EFAULT;
	return zcb_call_answer(c);
}

/**
 * zcb_ioctl_alloc - ALLOC
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_alloc(struct zcb_call *c)
{
	struct zcbuf_alloc *a = c->arg;
	u64 *handles;
	u32 done;
	int err;

	err = alloc_check(a);
	if (err)
		return err;
	if (zcb_user_probe(a->handles, a->count * sizeof(*handles)))
		return -EFAULT;
	handles = zcb_call_memory(c, a->count, sizeof(*handles));
	if (!handles)
		return -ENOMEM;

	err = alloc_some(c, handles, &done);
	if (err == -ZCB_ESLEEP) {
		alloc_undo(c, handles, done);
		return err;
	}
	trace_zcbuf_alloc(c->pool->handle, c->s->id, a->length, done, err);
	err = zcb_batch_result(done, err, &a->out_done, &a->out_error);
	if (!done || !alloc_answer(c, handles, done))
		return err;
	alloc_undo(c, handles, done);
	return -EFAULT;
}

/**
 * zcb_ioctl_free - FREE
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_free(struct zcb_call *c)
{
	struct zcbuf_batch *a = c->arg;
	u64 *handles;
	int err = 0;
	u32 done;

	if (a->__reserved || a->channel)
		return -EOPNOTSUPP;
	handles = zcb_call_array(c, a->entries, a->count, sizeof(*handles));
	if (IS_ERR(handles))
		return PTR_ERR(handles);
	for (done = 0; done < a->count && !err; done += !err) {
		err = zcb_memory_free(c->pool, &c->s->hold, handles[done]);
		cond_resched();
	}
	trace_zcbuf_free(c->pool->handle, c->s->id, done, err);
	return zcb_batch_result(done, err, &a->out_done, &a->out_error);
}

static int buf_info_some(struct zcb_call *c, const u64 *handles,
			 struct zcbuf_buf_place *places, u32 count, u32 *done)
{
	struct zcb_memory_place p;
	int err;

	for (*done = 0; *done < count; ++*done) {
		err = zcb_memory_find(c->pool, &c->s->hold, handles[*done], &p);
		if (err)
			return err;
		places[*done] = (struct zcbuf_buf_place) {
			.offset = p.offset,
			.capacity = p.capacity,
			.arena = p.arena,
			.node = p.node,
			.page_order = p.page_order,
			.holders = p.holders,
		};
		cond_resched();
	}
	return 0;
}

/**
 * zcb_ioctl_buf_info - BUF_INFO
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_buf_info(struct zcb_call *c)
{
	struct zcbuf_buf_info *a = c->arg;
	struct zcbuf_buf_place *places;
	u64 *handles;
	u32 done;
	int err;

	err = zcb_user_probe_entries(a->entries, a->count, a->entry_size,
				     ZCB_BUF_PLACE_MIN);
	if (err)
		return err;
	handles = zcb_call_array(c, a->handles, a->count, sizeof(*handles));
	if (IS_ERR(handles))
		return PTR_ERR(handles);
	places = zcb_call_memory(c, a->count, sizeof(*places));
	if (!places)
		return -ENOMEM;
	err = buf_info_some(c, handles, places, a->count, &done);
	if (zcb_user_entries(a->entries, a->entry_size, places, sizeof(*places),
			     done))
		return -EFAULT;
	return zcb_batch_result(done, err, &a->out_done, &a->out_error);
}

static int pool_give(struct zcb_call *c, bool share)
{
	struct zcbuf_transfer *a = c->arg;
	u64 *handles;
	u32 done;
	int err;

	if (a->__reserved)
		return -EOPNOTSUPP;
	handles = zcb_call_array(c, a->handles, a->count, sizeof(*handles));
	if (IS_ERR(handles))
		return PTR_ERR(handles);
	err = zcb_session_give(c->s, a->session, handles, a->count, share,
			       &done);
	if (share)
		trace_zcbuf_share(c->pool->handle, c->s->id, a->session, done,
				  err);
	else
		trace_zcbuf_transfer(c->pool->handle, c->s->id, a->session,
				     done, err);
	return zcb_batch_result(done, err, &a->out_done, &a->out_error);
}

/**
 * zcb_ioctl_transfer - TRANSFER
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_transfer(struct zcb_call *c)
{
	return pool_give(c, false);
}

/**
 * zcb_ioctl_share - SHARE
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_share(struct zcb_call *c)
{
	return pool_give(c, true);
}

/**
 * zcb_ioctl_pin_token - PIN_TOKEN
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_pin_token(struct zcb_call *c)
{
	struct zcbuf_pin_token *a = c->arg;
	int fd;

	if (a->arenas && !(c->s->rights & ZCBUF_RIGHT_MAP_WRITE))
		return -EPERM;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	return zcb_call_install(c, fd, &a->out_fd,
				zcb_pin_token(c->s, a->arenas));
}

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * The kernel as the files of kmod/obj/ see it that hand out memory, for user
 * space. Forced in front of each of them, and of the target that links them;
 * what they include of linux/ are empty files then.
 *
 * One thread runs all of it: a lock only knows whether it is held, and nothing
 * sleeps. What the files ask of the rest of obj/ is in pool_rig.h.
 */
#ifndef ZCBUF_OBJ_ENV_H
#define ZCBUF_OBJ_ENV_H

#include <sys/types.h>

#include <kunit/test.h>

/* Tracepoints: the header is not read. */
#define ZCB_FACE_TRACE_H
#define trace_zcbuf_bad_free(pool, handle, err)	((void)(err))
#define trace_zcbuf_pool_grow(pool, size, order)	((void)(order))
#define trace_zcbuf_pool_retire(pool, arena, state)	((void)(state))

/* ----------------------------------------------------------------- numbers */

#ifndef EDQUOT
#define EDQUOT		122
#endif

#define PAGE_SHIFT	12
#define PAGE_SIZE	(1UL << PAGE_SHIFT)
#define PAGE_ALIGN(n)	ALIGN(n, PAGE_SIZE)

typedef unsigned int uint;
typedef unsigned int __poll_t;

/* ------------------------------------------------------------------- locks */

typedef struct {
	bool held;
} spinlock_t;

struct mutex {
	bool held;
};

static inline void obj_lock(bool *held)
{
	WARN_ON(*held);
	*held = true;
}

static inline void obj_unlock(bool *held)
{
	WARN_ON(!*held);
	*held = false;
}

#define spin_lock_init(l)	((l)->held = false)
#define spin_lock(l)		obj_lock(&(l)->held)
#define spin_unlock(l)		obj_unlock(&(l)->held)
#define mutex_init(l)		((l)->held = false)
#define mutex_lock(l)		obj_lock(&(l)->held)
#define mutex_lock_killable(l)	(obj_lock(&(l)->held), 0)
#define mutex_unlock(l)		obj_unlock(&(l)->held)
#define lockdep_assert_held(l)	WARN_ON(!(l)->held)
#define synchronize_rcu()	((void)0)
#define __must_hold(l)

static inline struct mutex *obj_guard_begin(struct mutex *m)
{
	mutex_lock(m);
	return m;
}

static inline void obj_guard_end(struct mutex **m)
{
	mutex_unlock(*m);
}

/* Only mutexes are guarded, one in a block. */
#define guard(kind)		obj_guard_##kind
#define obj_guard_mutex(m)						\
	struct mutex *obj_guarded __maybe_unused			\
		__attribute__((__cleanup__(obj_guard_end))) = obj_guard_begin(m)

typedef struct {
	int counter;
} atomic_t;

#define atomic_read(a)		((a)->counter)
#define atomic_inc(a)		((void)(a)->counter++)
#define atomic_inc_return(a)	(++(a)->counter)
#define smp_load_acquire(p)	(*(p))		/* no other thread */
#define smp_store_release(p, v)	(*(p) = (v))	/* no other thread */

/* ------------------------------------------------ types of members, unused */

struct llist_head {
	int none;
};

struct kref {
	int refs;
};

typedef struct {
	int none;
} wait_queue_head_t;

typedef struct {
	s64 counter;
} atomic64_t;

typedef struct {
	u32 val;
} kuid_t;

typedef struct {
	u32 val;
} kgid_t;

typedef struct {
	unsigned long bits;
} nodemask_t;

#define NUMA_NO_NODE		(-1)
#define MAX_NUMNODES		4
#define node_isset(node, mask)	((mask).bits >> (node) & 1)
#define node_set(node, mask)	((mask).bits |= 1UL << (node))
#define nodes_clear(mask)	((mask).bits = 0)

#define DECLARE_BITMAP(name, bits)	unsigned long name[BITS_TO_LONGS(bits)]

typedef struct {
	int refs;
} refcount_t;

struct percpu_ref {
	int refs;
};

struct xarray {
	void *none;
};

struct address_space;

struct inode {
	struct address_space *i_mapping;
};

struct cred;
struct file;
struct folio;
struct page;
struct pid;

#define TASK_COMM_LEN	16
#define DECLARE_HASHTABLE(name, bits)	void *name[1U << (bits)]
#define DEFINE_FREE(name, type, end)

/* ------------------------------------------------------------------- trees */

/* In order, but in a row: there are few. */
struct rb_node {
	struct rb_node *next;
	struct rb_node **at;
};

struct rb_root {
	struct rb_node *first;
};

#define RB_ROOT			(struct rb_root) { NULL }
#define RB_EMPTY_ROOT(root)	(!(root)->first)
#define rb_entry(ptr, type, member)	container_of(ptr, type, member)

static inline void rb_add(struct rb_node *node, struct rb_root *root,
			  bool (*less)(struct rb_node *,
				       const struct rb_node *))
{
	struct rb_node **at = &root->first;

	while (*at && !less(node, *at))
		at = &(*at)->next;
	node->next = *at;
	node->at = at;
	if (*at)
		(*at)->at = &node->next;
	*at = node;
}

static inline void rb_erase(struct rb_node *node, struct rb_root *root)
{
	*node->at = node->next;
	if (node->next)
		node->next->at = node->at;
}

static inline struct rb_node *
rb_find_first(const void *key, const struct rb_root *root,
	      int (*cmp)(const void *key, const struct rb_node *))
{
	struct rb_node *node = root->first;

	while (node && cmp(key, node))
		node = node->next;
	return node;
}

#define rb_find(key, root, cmp)	rb_find_first(key, root, cmp)

static inline struct rb_node *
rb_next_match(const void *key, struct rb_node *node,
	      int (*cmp)(const void *key, const struct rb_node *))
{
	node = node->next;
	return node && !cmp(key, node) ? node : NULL;
}

/* --------------------------------------------------------- error pointers */

#define ERR_PTR(err)		((void *)(long)(err))
#define PTR_ERR(ptr)		((long)(ptr))
#define IS_ERR_OR_NULL(ptr)	(!(ptr) || IS_ERR(ptr))

/* ------------------------------------------------------------------ memory */

#define GFP_KERNEL_ACCOUNT	GFP_KERNEL
#define __GFP_RETRY_MAYFAIL	0U

/* Every allocation of obj/: so many are there, and the next ones that fail. */
extern u32 obj_allocations;
extern u32 obj_allocations_fail;

void *obj_alloc(size_t bytes, int fill);
void obj_free(const void *ptr);

#define kmalloc(bytes, gfp)	obj_alloc(bytes, 0xa5)
#define kzalloc(bytes, gfp)	obj_alloc(bytes, 0)
#define kvcalloc(n, size, gfp)	obj_alloc(size_mul(n, size), 0)
#define kfree(ptr)		obj_free(ptr)

/* The rig's. */
void *kvzalloc(size_t bytes, u32 gfp);
void unmap_mapping_range(struct address_space *mapping, loff_t offset,
			 loff_t length, int even_cows);
void kvfree(const void *ptr);	/* it allocates what is as large */

struct mem_cgroup;

static inline struct mem_cgroup *set_active_memcg(struct mem_cgroup *memcg)
{
	return NULL;
}

/* ------------------------------------------------------------ CPUs and time */

extern u32 obj_cpu;

#define OBJ_CPUS		3U
#define nr_cpu_ids		OBJ_CPUS
#define raw_smp_processor_id()	obj_cpu
#define cond_resched()		((void)0)
#define fatal_signal_pending(task)	false

/* A parameter can be set from outside. */
#define module_param(name, type, mode)	type *const obj_param_##name = &name
#define MODULE_PARM_DESC(name, text)	_Static_assert(1, "")

typedef s64 ktime_t;

#define ktime_get()		((ktime_t)0)
#define ktime_ms_delta(a, b)	((a) - (b))
#define msecs_to_jiffies(ms)	((unsigned long)(ms))

/* Work waits until obj_work_run(). */
struct work_struct {
	void (*func)(struct work_struct *work);
};

struct delayed_work {
	struct work_struct work;
	bool queued;
};

#define to_delayed_work(w)	container_of(w, struct delayed_work, work)
#define INIT_DELAYED_WORK(w, f)	((w)->work.func = (f), (w)->queued = false)
#define mod_delayed_work(wq, w, delay)	((void)(delay), (w)->queued = true)
#define cancel_delayed_work_sync(w)	((w)->queued = false)

static inline void obj_work_run(struct delayed_work *w)
{
	if (!w->queued)
		return;
	w->queued = false;
	w->work.func(&w->work);
}

#define flush_delayed_work(w)	obj_work_run(w)

#endif /* ZCBUF_OBJ_ENV_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything that code of this module gets from the slab allocator, or by
 * kvmalloc(), is noted until it is freed, by whomever: so a case can tell
 * whether all of its own went back. The allocator's tracepoints say what
 * happens; in a kernel without them only kvmalloc() is noted, which Kbuild leads
 * to here.
 *
 * Ports are not noted: RCU frees them later, without a word.
 *
 * Fault injection lets one allocation fail, after which many callers try another
 * way. Whoever insists lets that fail, too.
 */
#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/tracepoint.h>
#include <trace/events/kmem.h>

#include "../../kmod/obj/channel.h"
#include "obj_watch.h"

#define WATCH_BITS	10
#define WATCH_OBJECTS	8192	/* more than any case has */

/**
 * struct watched - an object
 * @node: in the table, or in the list of free ones
 * @ptr: where it is, or NULL
 * @caller: who has it
 * @when: objects before it
 */
struct watched {
	struct hlist_node node;
	const void *ptr;
	unsigned long caller;
	u64 when;
};

/* Taken inside of the allocator, whatever locks its caller has. */
static DEFINE_RAW_SPINLOCK(watch_lock);
static DEFINE_HASHTABLE(watch_table, WATCH_BITS);	/* watch_lock */
static HLIST_HEAD(watch_free);				/* watch_lock */
static u32 watch_count;					/* watch_lock */
static u64 watch_time;					/* watch_lock */
static struct watched watch_objects[WATCH_OBJECTS];
static struct task_struct *watch_insists;
static u32 watch_failures;	/* of the task that insists */
static u32 watch_more;		/* failures it wants after the first */

static struct watched *watch_find_locked(const void *ptr)
{
	struct watched *w;

	lockdep_assert_held(&watch_lock);
	hash_for_each_possible(watch_table, w, node, (unsigned long)ptr)
		if (w->ptr == ptr)
			return w;
	return NULL;
}

/* kvmalloc() may be noted twice: the last one knows the caller. */
static void watch_note(unsigned long caller, const void *ptr)
{
	struct watched *w;

	if (!ptr || !within_module(caller, THIS_MODULE))
		return;
	guard(raw_spinlock_irqsave)(&watch_lock);
	w = watch_find_locked(ptr);
	if (w) {
		w->caller = caller;
		return;
	}
	if (WARN_ON_ONCE(hlist_empty(&watch_free)))
		return;
	w = hlist_entry(watch_free.first, struct watched, node);
	hlist_del(&w->node);
	w->ptr = ptr;
	w->caller = caller;
	w->when = watch_time++;
	hash_add(watch_table, &w->node, (unsigned long)ptr);
	watch_count++;
}

static void watch_forget(const void *ptr)
{
	struct watched *w;

	guard(raw_spinlock_irqsave)(&watch_lock);
	w = ptr ? watch_find_locked(ptr) : NULL;
	if (!w)
		return;
	hash_del(&w->node);
	w->ptr = NULL;
	hlist_add_head(&w->node, &watch_free);
	watch_count--;
}

#ifdef CONFIG_FAULT_INJECTION
/* obj_watch_fail() - the @n-th allocation of this task from now on; 0: none */
void obj_watch_fail(u32 n)
{
	current->fail_nth = n;
}

/* obj_watch_left() - 0: it has failed */
u32 obj_watch_left(void)
{
	return current->fail_nth;
}
#else
void obj_watch_fail(u32 n)
{
}

u32 obj_watch_left(void)
{
	return 1;
}
#endif

static void watch_failure(const void *ptr)
{
	if (ptr || !in_task() || current != READ_ONCE(watch_insists))
		return;
	if (watch_failures++ < watch_more)
		obj_watch_fail(1);
}

static void probe_kmalloc(void *data, unsigned long caller, const void *ptr,
			  size_t size, size_t got, gfp_t gfp, int node)
{
	watch_failure(ptr);
	if (size != sizeof(struct zcb_port))
		watch_note(caller, ptr);
}

static void probe_cache_alloc(void *data, unsigned long caller, const void *ptr,
			      struct kmem_cache *cache, gfp_t gfp, int node)
{
	watch_failure(ptr);
	watch_note(caller, ptr);
}

static void probe_kfree(void *data, unsigned long caller, const void *ptr)
{
	watch_forget(ptr);
}

static void probe_cache_free(void *data, unsigned long caller, const void *ptr,
			     const struct kmem_cache *cache)
{
	watch_forget(ptr);
}

/* obj_kvmalloc_node() - what this module has for __kvmalloc_node_noprof() */
void *obj_kvmalloc_node(DECL_BUCKET_PARAMS(size, b), gfp_t flags, int node)
{
	void *ptr = __kvmalloc_node_noprof(PASS_BUCKET_PARAMS(size, b), flags,
					   node);

	watch_note(_RET_IP_, ptr);
	return ptr;
}

/* obj_kvfree() - what this module has for kvfree() */
void obj_kvfree(const void *ptr)
{
	watch_forget(ptr);
	kvfree(ptr);
}

/* obj_watch_init() - before the first object */
int obj_watch_init(void)
{
	int err;
	u32 i;

	for (i = 0; i < WATCH_OBJECTS; i++)
		hlist_add_head(&watch_objects[i].node, &watch_free);
	if (!IS_ENABLED(CONFIG_TRACEPOINTS))
		return 0;
	err = register_trace_kmalloc(probe_kmalloc, NULL);
	if (err)
		return err;
	err = register_trace_kfree(probe_kfree, NULL);
	if (err)
		goto out_kmalloc;
	err = register_trace_kmem_cache_alloc(probe_cache_alloc, NULL);
	if (err)
		goto out_kfree;
	err = register_trace_kmem_cache_free(probe_cache_free, NULL);
	if (err)
		goto out_cache_alloc;
	return 0;

out_cache_alloc:
	unregister_trace_kmem_cache_alloc(probe_cache_alloc, NULL);
out_kfree:
	unregister_trace_kfree(probe_kfree, NULL);
out_kmalloc:
	unregister_trace_kmalloc(probe_kmalloc, NULL);
	tracepoint_synchronize_unregister();
	return err;
}

/* obj_watch_exit() - after the last object */
void obj_watch_exit(void)
{
	if (!IS_ENABLED(CONFIG_TRACEPOINTS))
		return;
	unregister_trace_kmem_cache_free(probe_cache_free, NULL);
	unregister_trace_kmem_cache_alloc(probe_cache_alloc, NULL);
	unregister_trace_kfree(probe_kfree, NULL);
	unregister_trace_kmalloc(probe_kmalloc, NULL);
	tracepoint_synchronize_unregister();
}

/*
 * obj_watch_insist() - from now on, an allocation of this task that fails makes
 * the @more that follow fail as well
 */
void obj_watch_insist(u32 more)
{
	watch_failures = 0;
	watch_more = more;
	WRITE_ONCE(watch_insists, current);
}

/* obj_watch_relent() - until now; returns how many have failed */
u32 obj_watch_relent(void)
{
	WRITE_ONCE(watch_insists, NULL);
	return watch_failures;
}

/* obj_watch_count() - objects there are now */
u32 obj_watch_count(void)
{
	guard(raw_spinlock_irqsave)(&watch_lock);
	return watch_count;
}

/* obj_watch_now() - for obj_watch_tell() */
u64 obj_watch_now(void)
{
	guard(raw_spinlock_irqsave)(&watch_lock);
	return watch_time;
}

/* obj_watch_tell() - who has got what is left of what came since then */
void obj_watch_tell(struct kunit *test, u64 since)
{
	u32 i;

	for (i = 0; i < WATCH_OBJECTS; i++)
		if (watch_objects[i].ptr && watch_objects[i].when >= since)
			kunit_info(test, "not freed: %pS",
				   (void *)watch_objects[i].caller);
}

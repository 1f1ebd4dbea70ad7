// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control page of a pool. There is one for all sessions, so that to tell them costs
 * who finds no memory one increment, however many they are; and none until the first
 * of them maps it. The kernel writes it, and reads nothing of it but what it wrote.
 */
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "control.h"
#include "pool.h"
#include "shown.h"

/* zcb_control_pressure() */
static_assert(sizeof(atomic64_t) ==
	      sizeof_field(struct zcbuf_control, pressure));

/* The pool's, or NULL; once it is there it stays. */
static struct zcb_shown *control_of(const struct zcb_pool *pool)
{
	/* Pairs with the release in control_begin(). */
	return smp_load_acquire(&pool->control);
}

static struct zcb_shown *control_make(const struct zcb_pool *pool)
{
	struct zcb_shown *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);

	if (s && zcb_shown_make(s, &pool->payer, PAGE_SIZE, 0)) {
		kfree(s);
		return NULL;
	}
	return s;
}

static struct file *control_file(struct zcb_shown *s)
{
	return zcb_shown_file(s, "[zcbuf-control]");
}

/* Whoever is first: what others have made meanwhile is dropped. */
static struct file *control_begin(struct zcb_pool *pool)
{
	struct zcb_shown *s = control_make(pool);
	struct file *file;

	if (!s)
		return ERR_PTR(-ENOMEM);
	file = control_file(s);
	/* Pairs with control_of(). */
	if (!IS_ERR(file) && !cmpxchg_release(&pool->control, NULL, s))
		return file;
	zcb_shown_put(s);
	if (IS_ERR(file))
		return file;
	fput(file);
	return control_file(control_of(pool));
}

/**
 * zcb_control_file - what the control page is mapped by
 * @pool: the pool
 *
 * Context: may sleep.
 * Return: the file, with a reference to the page, or an error pointer.
 */
struct file *zcb_control_file(struct zcb_pool *pool)
{
	struct zcb_shown *s = control_of(pool);

	return s ? control_file(s) : control_begin(pool);
}

/**
 * zcb_control_map - map the control page
 * @pool: the pool
 * @vma: what to map, under mmap_lock; its offset is ZCBUF_MMAP_CONTROL
 *
 * The mapping keeps the page and nothing else.
 *
 * Context: may sleep.
 * Return: 0, -EINVAL private or more than the page, -EPERM not for reading alone,
 * -ENOMEM also of a limit.
 */
int zcb_control_map(struct zcb_pool *pool, struct vm_area_struct *vma)
{
	struct file *file = zcb_control_file(pool);

	return IS_ERR(file) ? PTR_ERR(file) :
			      zcb_shown_map(file, vma, ZCBUF_MMAP_CONTROL);
}

/**
 * zcb_control_pressure - somebody has found no memory
 * @pool: the pool
 *
 * Context: any.
 */
void zcb_control_pressure(struct zcb_pool *pool)
{
	struct zcb_shown *s = control_of(pool);
	struct zcbuf_control *page;

	if (!s)
		return;
	page = s->mem;
	atomic64_inc((atomic64_t *)&page->pressure);
}

/* zcb_control_end() - of a pool that nobody has any more; may sleep */
void zcb_control_end(struct zcb_pool *pool)
{
	zcb_shown_put(pool->control);
	pool->control = NULL;
}

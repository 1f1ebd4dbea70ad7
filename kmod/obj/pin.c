// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pin tokens. A token is a file without operations that a ring keeps among its
 * fixed files: the end of a ring is asynchronous, it ends its I/O, then drops
 * its buffers, then its files. So when a token goes, it is time to look at the
 * pages, and no proof of anything: whatever else may pin them shows there.
 */
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "pin.h"
#include "quarantine.h"
#include "session.h"

/**
 * struct pin_token - one
 * @s: whose; it stays while it has tokens
 * @in_session: on its list
 * @arenas: how many the token accounts for; none once the session is gone. The
 *	pool's mem_lock, as the list.
 */
struct pin_token {
	struct zcb_session *s;
	struct list_head in_session;
	u32 arenas;
};

/* Read without the lock by who looks at the pages of a dead session. */
static void pin_account_locked(struct zcb_pool *pool, u32 arenas, int more)
{
	struct zcb_arena *a;

	lockdep_assert_held(&pool->mem_lock);
	while (arenas--) {
		a = pool->arenas[arenas];
		WRITE_ONCE(a->accounted, a->accounted + more);
	}
}

static int pin_release(struct inode *inode, struct file *file)
{
	struct pin_token *t = file->private_data;
	struct zcb_session *s = t->s;
	struct zcb_pool *pool = s->pool;

	spin_lock(&pool->mem_lock);
	pin_account_locked(pool, t->arenas, -1);
	list_del(&t->in_session);
	spin_unlock(&pool->mem_lock);
	kfree(t);
	atomic_dec(&pool->tokens);
	/* Fully ordered. A dead session may be freed from here on. */
	if (atomic_dec_and_test(&s->tokens))
		zcb_quarantine_look(pool);
	zcb_pool_put(pool);
	return 0;
}

/* As of a session: who keeps a dead one's memory is found by it. */
static void pin_fdinfo(struct seq_file *m, struct file *file)
{
	const struct pin_token *t = file->private_data;

	seq_printf(m, "zcbuf-session:\t%llu\n", t->s->id);
	seq_printf(m, "zcbuf-pool:\t0x%llx\n", t->s->pool->handle);
	seq_puts(m, "zcbuf-token:\t1\n");
}

static const struct file_operations pin_fops = {
	.owner		= THIS_MODULE,
	.release	= pin_release,
	.show_fdinfo	= pin_fdinfo,
	.llseek		= noop_llseek,
};

/**
 * zcb_pin_token - a file that stands for a ring
 * @s: whose, attached; a call of it is running
 * @arenas: so many, from the first, are registered there
 *
 * Context: may sleep.
 * Return: the file, which holds the pool, or -EINVAL no so many arenas, -ENFILE,
 * -ENOMEM as error pointer.
 */
struct file *zcb_pin_token(struct zcb_session *s, u32 arenas)
{
	struct zcb_pool *pool = s->pool;
	struct pin_token *t;
	struct file *file;

	if (arenas > zcb_pool_arenas(pool))
		return ERR_PTR(-EINVAL);
	t = kmalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);
	if (!t)
		return ERR_PTR(-ENOMEM);
	t->s = s;
	t->arenas = arenas;
	file = anon_inode_getfile("[zcbuf-pin]", &pin_fops, t, O_RDONLY);
	if (IS_ERR(file)) {
		kfree(t);
		return file;
	}
	zcb_pool_get(pool);
	atomic_inc(&s->tokens);
	atomic_inc(&pool->tokens);
	spin_lock(&pool->mem_lock);
	pin_account_locked(pool, arenas, 1);
	list_add(&t->in_session, &s->pins);
	spin_unlock(&pool->mem_lock);
	return file;
}

/**
 * zcb_pins_leave - the tokens of a session that is gone account for nothing
 * @s: the session
 *
 * Its rings may have let go of the pages, and their pins would excuse another's.
 *
 * Context: any but interrupt.
 */
void zcb_pins_leave(struct zcb_session *s)
{
	struct zcb_pool *pool = s->pool;
	struct pin_token *t;

	spin_lock(&pool->mem_lock);
	list_for_each_entry(t, &s->pins, in_session) {
		pin_account_locked(pool, t->arenas, -1);
		t->arenas = 0;
	}
	spin_unlock(&pool->mem_lock);
}

/**
 * zcb_pin_settled - does nothing pin pages that a dead session had
 * @pool: the pool
 * @offset: where they are, pool offset
 * @length: bytes, in one arena; not 0
 *
 * But for mappings and what the tokens of the living account for. Once true of pages
 * that nobody can find to pin again, that stays so.
 *
 * Context: may sleep.
 * Return: true if so.
 */
bool zcb_pin_settled(const struct zcb_pool *pool, u64 offset, u64 length)
{
	u64 in_arena = pool->arenas[0]->size;
	const struct zcb_arena *a = pool->arenas[offset / in_arena];

	offset %= in_arena;
	return a->ops->settled(a, offset >> PAGE_SHIFT,
			       (offset + length - 1) >> PAGE_SHIFT);
}

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

#include "pin.h"
#include "quarantine.h"
#include "session.h"

#define ZCB_PIN_LOOKS	3	/* others may just be coming or going */

static int pin_release(struct inode *inode, struct file *file)
{
	struct zcb_session *s = file->private_data;
	struct zcb_pool *pool = s->pool;

	/* First: who sees the session without tokens counts them no more. */
	atomic_dec(&pool->tokens);
	/* Fully ordered. A dead session may be freed from here on. */
	if (atomic_dec_and_test(&s->tokens))
		zcb_quarantine_look(pool);
	zcb_pool_put(pool);
	return 0;
}

static const struct file_operations pin_fops = {
	.owner		= THIS_MODULE,
	.release	= pin_release,
	.llseek		= noop_llseek,
};

/**
 * zcb_pin_token - a file that stands for a ring
 * @s: whose, attached; a call of it is running
 *
 * Context: may sleep.
 * Return: the file, which holds the pool, or -ENFILE, -ENOMEM as error pointer.
 */
struct file *zcb_pin_token(struct zcb_session *s)
{
	struct file *file = anon_inode_getfile("[zcbuf-pin]", &pin_fops, s,
					       O_RDONLY);

	if (IS_ERR(file))
		return file;
	zcb_pool_get(s->pool);
	atomic_inc(&s->tokens);
	atomic_inc(&s->pool->tokens);
	return file;
}

/**
 * zcb_pin_settled - does nothing pin pages that a dead session had
 * @pool: the pool
 * @offset: where they are, pool offset
 * @length: bytes, in one arena; not 0
 *
 * Nothing but what the tokens account for, which are those of others. Once true
 * of pages that nobody can find to pin again, that stays so.
 *
 * Context: may sleep.
 * Return: true if so.
 */
bool zcb_pin_settled(const struct zcb_pool *pool, u64 offset, u64 length)
{
	u64 in_arena = pool->arenas[0]->size;
	const struct zcb_arena *a = pool->arenas[offset / in_arena];
	u32 first = (offset % in_arena) >> PAGE_SHIFT;
	u32 last = (offset % in_arena + length - 1) >> PAGE_SHIFT;
	u32 tokens = atomic_read(&pool->tokens);
	u32 i;

	for (i = 0; i < ZCB_PIN_LOOKS; i++)
		if (a->ops->settled(a, first, last, tokens))
			return true;
	return false;
}

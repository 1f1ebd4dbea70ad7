// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file system nobody sees: every pool has one inode of it, every mapping
 * one file on that inode. So all mappings of a pool share an address_space,
 * whatever file system the device node is on; i_size lets the core map huge
 * pages with PMDs; and a mapping keeps the pool's pages but no session: of that,
 * only what says that its mappings have been revoked.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>

#include "pool.h"
#include "session.h"

#define ZCB_MAPFS_MAGIC	0x7a636266	/* "zcbf" */

static struct vfsmount *mapfs_mnt;
static int mapfs_count;

static int mapfs_init_context(struct fs_context *fc)
{
	return init_pseudo(fc, ZCB_MAPFS_MAGIC) ? 0 : -ENOMEM;
}

static struct file_system_type mapfs_type = {
	.name			= "zcbuf",
	.owner			= THIS_MODULE,
	.init_fs_context	= mapfs_init_context,
	.kill_sb		= kill_anon_super,
};

/**
 * zcb_mapfs_pin - keep the file system mounted
 *
 * Every session does: then a bare mmap(), which makes a pool under mmap_lock,
 * never has to mount it.
 *
 * Context: may sleep.
 * Return: 0 or a negative errno.
 */
int zcb_mapfs_pin(void)
{
	return simple_pin_fs(&mapfs_type, &mapfs_mnt, &mapfs_count);
}

/**
 * zcb_mapfs_unpin - undo zcb_mapfs_pin()
 *
 * Context: may sleep.
 */
void zcb_mapfs_unpin(void)
{
	simple_release_fs(&mapfs_mnt, &mapfs_count);
}

/**
 * zcb_mapfs_inode - the inode of a new pool
 * @pool: the pool
 * @size: the most the pool can have, bytes
 *
 * Context: may sleep.
 * Return: the inode, for zcb_mapfs_put(), or an error pointer.
 */
struct inode *zcb_mapfs_inode(struct zcb_pool *pool, u64 size)
{
	struct inode *inode;
	int err;

	err = zcb_mapfs_pin();
	if (err)
		return ERR_PTR(err);
	inode = alloc_anon_inode(mapfs_mnt->mnt_sb);
	if (IS_ERR(inode)) {
		zcb_mapfs_unpin();
		return inode;
	}
	inode->i_private = pool;
	i_size_write(inode, size);
	return inode;
}

/**
 * zcb_mapfs_put - end a pool's inode
 * @inode: from zcb_mapfs_inode(), without files
 *
 * Context: may sleep.
 */
void zcb_mapfs_put(struct inode *inode)
{
	iput(inode);
	zcb_mapfs_unpin();
}

static int mapfs_release(struct inode *inode, struct file *file)
{
	struct zcb_session *s = file->private_data;
	struct zcb_pool *pool = inode->i_private;

	atomic_dec(&pool->mappings);
	if (s) {
		atomic_dec(&s->maps);
		zcb_session_put(s);
	}
	zcb_pool_put(pool);
	return 0;
}

/*
 * mremap() asks the mapped file where to go: keep it aligned for PMDs. There is
 * nothing to write back, and msync() should say so as for other shared memory.
 */
static const struct file_operations mapfs_fops = {
	.owner			= THIS_MODULE,
	.release		= mapfs_release,
	.get_unmapped_area	= thp_get_unmapped_area,
	.fsync			= noop_fsync,
};

/**
 * zcb_mapfs_file - a file for one mapping
 * @pool: what it maps; the file holds a reference
 * @s: whose mapping it is, the same; or NULL
 * @flags: O_RDWR or O_RDONLY
 *
 * The reference to the module that fput() drops is taken here: nothing else
 * does for a file that was never opened.
 *
 * Context: may sleep; called under mmap_lock.
 * Return: the file, or an error pointer.
 */
struct file *zcb_mapfs_file(struct zcb_pool *pool, struct zcb_session *s,
			    unsigned int flags)
{
	struct file *file;
	char name[32];

	snprintf(name, sizeof(name), "zcbuf:0x%llx", pool->handle);
	ihold(pool->inode);
	__module_get(THIS_MODULE);
	file = alloc_file_pseudo(pool->inode, mapfs_mnt, name, flags,
				 &mapfs_fops);
	if (IS_ERR(file)) {
		module_put(THIS_MODULE);
		iput(pool->inode);
		return file;
	}
	zcb_pool_get(pool);
	file->private_data = s ? zcb_session_get(s) : NULL;
	if (s)
		atomic_inc(&s->maps);
	atomic_inc(&pool->mappings);
	return file;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * mmap: the offset is the pool offset. Each mapping gets a file of its own on
 * the pool's inode, which keeps the pages and no session, only what is left of it.
 * Far above all pool offsets is the control page, which is obj/control.c's.
 *
 * ->mmap and ->fault run under mmap_lock. ->fault takes no other lock but the page's,
 * and reads only what stays while the mapping's file holds the pool, or under RCU.
 * Where an arena was that has been retired, to who has been evicted, and where nobody
 * may write to who may, or may come to (see obj/freeze.c), it says SIGBUS.
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/numa.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "../obj/control.h"
#include "../obj/evict.h"
#include "../obj/pool.h"
#include "face.h"

/*
 * The page is locked from the look at it and at the session until it is mapped: who
 * freezes it, or revokes the session's mappings, waits for that, see evict.c.
 */
static vm_fault_t zcb_fault(struct vm_fault *vmf)
{
	const struct file *file = vmf->vma->vm_file;
	struct zcb_pool *pool = file_inode(file)->i_private;
	struct page *page;

	page = zcb_pool_page_lock(pool, vmf->pgoff,
				  vmf->vma->vm_flags & VM_MAYWRITE);
	if (!page)
		return VM_FAULT_SIGBUS;
	if (zcb_evict_revoked(file->private_data)) {
		unlock_page(page);
		put_page(page);
		return VM_FAULT_SIGBUS;
	}
	vmf->page = page;
	return VM_FAULT_LOCKED;
}

static const struct vm_operations_struct zcb_vm_ops = {
	.fault = zcb_fault,
};

/* do_mmap() has cleared VM_SHARED of a shared mapping of an O_RDONLY file. */
static int mmap_check(const struct vm_area_struct *vma, u32 rights)
{
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EPERM;
	if (!(rights & ZCBUF_RIGHT_MAP_READ))
		return -EPERM;
	if (vma->vm_flags & VM_WRITE && !(rights & ZCBUF_RIGHT_MAP_WRITE))
		return -EPERM;
	return 0;
}

static int mmap_map(struct vm_area_struct *vma, struct zcb_session *s,
		    struct zcb_pool *pool, u32 rights)
{
	u64 pages = zcb_pool_end(pool) >> PAGE_SHIFT;
	bool writable = rights & ZCBUF_RIGHT_MAP_WRITE;
	struct file *file;

	if (vma->vm_pgoff > pages || vma_pages(vma) > pages - vma->vm_pgoff)
		return -EINVAL;
	file = zcb_mapfs_file(pool, s, writable ? O_RDWR : O_RDONLY);
	if (IS_ERR(file))
		return PTR_ERR(file);

	vma_set_file(vma, file);
	fput(file);	/* the vma has its own reference */
	vma->vm_ops = &zcb_vm_ops;
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP |
		     (pool->cfg.inherited ? 0 : VM_DONTCOPY));
	vm_flags_clear(vma, VM_MAYEXEC | (writable ? 0 : VM_MAYWRITE));
	return 0;
}

/* The caller's reference to the pool is the session's on success. */
static int mmap_attach(struct zcb_session *s, struct vm_area_struct *vma,
		       struct zcb_pool *pool)
{
	int err;

	err = mmap_map(vma, s, pool, s->file_rights);
	if (!err)
		err = zcb_session_join(s, pool, s->file_rights);
	if (err)
		zcb_pool_put(pool);
	return err;
}

/* A bare mmap() of a fresh session makes the pool. */
static int mmap_anonymous(struct zcb_session *s, struct vm_area_struct *vma)
{
	struct zcb_pool_config *cfg __free(kfree) = NULL;
	u64 size = (u64)vma_pages(vma) << PAGE_SHIFT;
	struct zcb_pool *pool;
	int err;

	if (vma->vm_pgoff || size > ZCB_ARENA_MAX)
		return -EINVAL;
	cfg = kzalloc(sizeof(*cfg), GFP_KERNEL);
	if (!cfg)
		return -ENOMEM;
	cfg->kind = ZCBUF_POOL_PAGES;
	cfg->mode = 0600;
	cfg->inherited = true;
	cfg->arena_size = round_up(size, ZCB_ARENA_UNIT);
	err = zcb_session_claim(s);
	if (err)
		return err;
	pool = zcb_pool_create(cfg, s->uid);
	err = IS_ERR(pool) ? PTR_ERR(pool) : mmap_attach(s, vma, pool);
	if (err)
		zcb_session_unclaim(s);
	return err;
}

/**
 * zcb_mmap - map a pool, or make an anonymous one
 * @file: a session
 * @vma: what to map, under mmap_lock
 *
 * Context: may sleep.
 * Return: 0, -EINVAL private or beyond the end, -EPERM, -EBUSY a race with
 * attach, -ESTALE evicted, -ENOMEM.
 */
int zcb_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct zcb_session *s = file->private_data;
	struct zcb_pool *pool = zcb_session_pool(s);
	int err;

	if (zcb_session_evicted(s))
		return -ESTALE;
	if (pool && vma->vm_pgoff == ZCBUF_MMAP_CONTROL >> PAGE_SHIFT)
		return zcb_control_map(pool, vma);
	err = mmap_check(vma, pool ? s->rights : s->file_rights);
	if (err)
		return err;
	return pool ? mmap_map(vma, s, pool, s->rights) :
		      mmap_anonymous(s, vma);
}

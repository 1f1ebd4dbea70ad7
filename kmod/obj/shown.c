// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages by which the kernel and a process talk without calls: some that it maps only
 * for reading, and behind these some that both write. They are charged to its user
 * and memory cgroup. They are mapped through a file of their own, which keeps them and
 * nothing else. No child inherits them: what it stored would speak for its parent.
 */
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "account.h"
#include "shown.h"

static void shown_free(struct kref *ref)
{
	struct zcb_shown *s = container_of(ref, struct zcb_shown, ref);

	vfree(s->mem);
	zcb_account_uncharge(s->user, s->bytes + s->state_bytes);
	kfree(s);	/* and what it is the first of */
}

/**
 * zcb_shown_put - drop a reference
 * @s: the pages, or NULL
 *
 * Context: may sleep.
 */
void zcb_shown_put(struct zcb_shown *s)
{
	if (s)
		kref_put(&s->ref, shown_free);
}

static vm_fault_t shown_fault(struct vm_fault *vmf)
{
	struct zcb_shown *s = vmf->vma->vm_file->private_data;
	u64 offset = (u64)vmf->pgoff << PAGE_SHIFT;

	if (offset >= s->bytes + s->state_bytes)
		return VM_FAULT_SIGBUS;
	vmf->page = vmalloc_to_page(s->mem + offset);
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct shown_vm_ops = {
	.fault = shown_fault,
};

/*
 * One of the two parts, or some of it. do_mmap() has cleared VM_SHARED of a shared
 * mapping of an O_RDONLY file, which another may have been.
 */
static int shown_mmap(struct file *file, struct vm_area_struct *vma)
{
	const struct zcb_shown *s = file->private_data;
	u64 first = s->bytes >> PAGE_SHIFT;
	u64 pages = first + (s->state_bytes >> PAGE_SHIFT);
	bool state = vma->vm_pgoff >= first;

	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (vma->vm_pgoff > pages || vma_pages(vma) > pages - vma->vm_pgoff)
		return -EINVAL;
	if (!state && vma_pages(vma) > first - vma->vm_pgoff)
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC || (!state && vma->vm_flags & VM_WRITE))
		return -EPERM;
	vma->vm_ops = &shown_vm_ops;
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY);
	vm_flags_clear(vma, VM_MAYEXEC | (state ? 0 : VM_MAYWRITE));
	return 0;
}

static int shown_release(struct inode *inode, struct file *file)
{
	zcb_shown_put(file->private_data);
	return 0;
}

static const struct file_operations shown_fops = {
	.owner		= THIS_MODULE,
	.mmap		= shown_mmap,
	.release	= shown_release,
	.llseek		= noop_llseek,
};

/**
 * zcb_shown_file - what they are mapped by
 * @s: the pages
 * @name: what it is called where mappings are listed
 *
 * Context: may sleep.
 * Return: the file, with a reference to them, or an error pointer.
 */
struct file *zcb_shown_file(struct zcb_shown *s, const char *name)
{
	struct file *file;

	file = anon_inode_getfile(name, &shown_fops, s, O_RDWR);
	if (!IS_ERR(file))
		kref_get(&s->ref);
	return file;
}

/**
 * zcb_shown_map - map them where another file was to be mapped
 * @file: of zcb_shown_file(); the caller's reference is gone
 * @vma: what to map, under mmap_lock
 * @at: the offset in the other file where they begin
 *
 * Context: may sleep.
 * Return: 0, -EINVAL private, or not within one part; -EPERM.
 */
int zcb_shown_map(struct file *file, struct vm_area_struct *vma, u64 at)
{
	vma_set_file(vma, file);
	fput(file);	/* the vma has its own reference */
	vma->vm_pgoff -= at >> PAGE_SHIFT;
	return shown_mmap(file, vma);
}

/**
 * zcb_shown_make - pages, zeroed
 * @s: zeroed; has them then, and one reference
 * @payer: who pays
 * @bytes: for reading, whole pages
 * @state_bytes: for both, whole pages
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM: @s is the caller's still.
 */
int zcb_shown_make(struct zcb_shown *s, const struct zcb_payer *payer,
		   u64 bytes, u64 state_bytes)
{
	u64 all = bytes + state_bytes;
	int err = zcb_account_charge(all, payer, &s->user);

	if (err)
		return err;
	s->mem = __vmalloc(all, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!s->mem) {
		zcb_account_uncharge(s->user, all);
		return -ENOMEM;
	}
	kref_init(&s->ref);
	s->bytes = bytes;
	s->state_bytes = state_bytes;
	return 0;
}

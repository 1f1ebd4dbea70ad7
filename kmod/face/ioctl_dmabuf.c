// SPDX-License-Identifier: GPL-2.0-only
/*
 * dma-bufs: what is exported is held as long as a file, a mapping or a device holds
 * the dma-buf, and nobody need know the pool for it. Its mappings hang from the
 * dma-buf's own file, so that they count as well.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../obj/export.h"
#include "ioctl.h"

#if IS_ENABLED(CONFIG_DMA_SHARED_BUFFER)

MODULE_IMPORT_NS(DMA_BUF);

/**
 * struct dmabuf - what is behind a dma-buf
 * @export: the memory
 * @read_only: nobody gets it for writing
 * @lock: guards @attachments; inside the dma-buf's reservation lock
 * @attachments: of devices
 */
struct dmabuf {
	struct zcb_export *export;
	bool read_only;
	struct mutex lock;	/* devices that use it */
	struct list_head attachments;
};

/**
 * struct dmabuf_attachment - a device that uses it
 * @node: in the list
 * @dev: it
 * @sgt: the memory, as the device may have it in pieces
 * @mapped: @sgt has addresses for the device; @dir and this: the dmabuf's lock
 * @dir: which way data goes
 */
struct dmabuf_attachment {
	struct list_head node;
	struct device *dev;
	struct sg_table sgt;
	bool mapped;
	enum dma_data_direction dir;
};

/* ------------------------------------------------------------------ devices */

static int dmabuf_table(const struct zcb_export *e, struct device *dev,
			struct sg_table *sgt)
{
	struct page **pages = zcb_export_pages(e);
	int err;

	if (!pages)
		return -ENOMEM;
	err = sg_alloc_table_from_pages_segment(sgt, pages,
						e->length >> PAGE_SHIFT, 0,
						e->length,
						dma_get_max_seg_size(dev),
						GFP_KERNEL_ACCOUNT);
	kvfree(pages);
	return err;
}

static int dmabuf_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *at)
{
	struct dmabuf *d = dmabuf->priv;
	struct dmabuf_attachment *a = kzalloc(sizeof(*a), GFP_KERNEL_ACCOUNT);
	int err;

	if (!a)
		return -ENOMEM;
	err = dmabuf_table(d->export, at->dev, &a->sgt);
	if (err) {
		kfree(a);
		return err;
	}
	a->dev = at->dev;
	at->priv = a;
	mutex_lock(&d->lock);
	list_add(&a->node, &d->attachments);
	mutex_unlock(&d->lock);
	return 0;
}

static void dmabuf_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *at)
{
	struct dmabuf_attachment *a = at->priv;
	struct dmabuf *d = dmabuf->priv;

	mutex_lock(&d->lock);
	list_del(&a->node);
	mutex_unlock(&d->lock);
	sg_free_table(&a->sgt);
	kfree(a);
}

static struct sg_table *dmabuf_map(struct dma_buf_attachment *at,
				   enum dma_data_direction dir)
{
	struct dmabuf_attachment *a = at->priv;
	struct dmabuf *d = at->dmabuf->priv;
	int err;

	if (d->read_only && dir != DMA_TO_DEVICE)
		return ERR_PTR(-EACCES);
	err = dma_map_sgtable(a->dev, &a->sgt, dir, 0);
	if (err)
		return ERR_PTR(err);
	mutex_lock(&d->lock);
	a->mapped = true;
	a->dir = dir;
	mutex_unlock(&d->lock);
	return &a->sgt;
}

static void dmabuf_unmap(struct dma_buf_attachment *at, struct sg_table *sgt,
			 enum dma_data_direction dir)
{
	struct dmabuf_attachment *a = at->priv;
	struct dmabuf *d = at->dmabuf->priv;

	mutex_lock(&d->lock);
	a->mapped = false;
	mutex_unlock(&d->lock);
	dma_unmap_sgtable(a->dev, sgt, dir, 0);
}

static int dmabuf_begin(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct dmabuf *d = dmabuf->priv;
	struct dmabuf_attachment *a;

	guard(mutex)(&d->lock);
	list_for_each_entry(a, &d->attachments, node)
		if (a->mapped)
			dma_sync_sgtable_for_cpu(a->dev, &a->sgt, a->dir);
	return 0;
}

static int dmabuf_end(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct dmabuf *d = dmabuf->priv;
	struct dmabuf_attachment *a;

	guard(mutex)(&d->lock);
	list_for_each_entry(a, &d->attachments, node)
		if (a->mapped)
			dma_sync_sgtable_for_device(a->dev, &a->sgt, a->dir);
	return 0;
}

/* ---------------------------------------------------------------- mappings */

/* The kernel's own. One for reading only is what its page tables say as well. */
static int dmabuf_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct dmabuf *d = dmabuf->priv;
	struct page **pages = zcb_export_pages(d->export);
	void *addr;

	if (!pages)
		return -ENOMEM;
	addr = vmap(pages, d->export->length >> PAGE_SHIFT, VM_MAP,
		    d->read_only ? PAGE_KERNEL_RO : PAGE_KERNEL);
	kvfree(pages);
	if (!addr)
		return -ENOMEM;
	iosys_map_set_vaddr(map, addr);
	return 0;
}

static void dmabuf_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	vunmap(map->vaddr);
}

/* The offset is the pool's: see dmabuf_mmap(). */
static vm_fault_t dmabuf_fault(struct vm_fault *vmf)
{
	struct dmabuf *d = vmf->vma->vm_private_data;
	struct page *page = zcb_pool_page(d->export->pool, vmf->pgoff);

	if (!page)
		return VM_FAULT_SIGBUS;
	get_page(page);
	vmf->page = page;
	return 0;
}

static const struct vm_operations_struct dmabuf_vm_ops = {
	.fault = dmabuf_fault,
};

/*
 * The core has seen that it is within the dma-buf, and do_mmap() that a file that
 * was exported read-only is not mapped for writing, now or later. What it maps is
 * counted from the pool's start, as the core takes a huge page to begin where that
 * is a multiple of its size: so no PMD shows what lies beside the part that was
 * exported.
 */
static int dmabuf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct dmabuf *d = dmabuf->priv;

	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EPERM;
	vma->vm_pgoff += d->export->offset >> PAGE_SHIFT;
	vma->vm_private_data = d;
	vma->vm_ops = &dmabuf_vm_ops;
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	vm_flags_clear(vma, VM_MAYEXEC);
	return 0;
}

/* -------------------------------------------------------------- begin and end */

static void dmabuf_free(struct dmabuf *d)
{
	zcb_export_end(d->export);
	mutex_destroy(&d->lock);
	kfree(d);
}

static void dmabuf_release(struct dma_buf *dmabuf)
{
	dmabuf_free(dmabuf->priv);
}

static const struct dma_buf_ops dmabuf_ops = {
	.attach			= dmabuf_attach,
	.detach			= dmabuf_detach,
	.map_dma_buf		= dmabuf_map,
	.unmap_dma_buf		= dmabuf_unmap,
	.begin_cpu_access	= dmabuf_begin,
	.end_cpu_access		= dmabuf_end,
	.mmap			= dmabuf_mmap,
	.vmap			= dmabuf_vmap,
	.vunmap			= dmabuf_vunmap,
	.release		= dmabuf_release,
};

static struct dmabuf *dmabuf_new(struct zcb_call *c)
{
	struct dmabuf *d = kzalloc(sizeof(*d), GFP_KERNEL_ACCOUNT);
	const struct zcbuf_export *a = c->arg;
	struct zcb_export *e;

	if (!d)
		return ERR_PTR(-ENOMEM);
	e = zcb_export_create(c->s, a->handle, a->offset, a->length);
	if (IS_ERR(e)) {
		kfree(d);
		return ERR_CAST(e);
	}
	d->export = e;
	d->read_only = a->flags & ZCBUF_EXPORT_F_READ_ONLY;
	mutex_init(&d->lock);
	INIT_LIST_HEAD(&d->attachments);
	return d;
}

static struct file *dmabuf_export(struct zcb_call *c)
{
	struct dmabuf *d = dmabuf_new(c);
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	if (IS_ERR(d))
		return ERR_CAST(d);
	info.ops = &dmabuf_ops;
	info.size = d->export->length;
	info.flags = d->read_only ? O_RDONLY : O_RDWR;
	info.priv = d;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf)) {
		dmabuf_free(d);
		return ERR_CAST(dmabuf);
	}
	return dmabuf->file;
}

/**
 * zcb_ioctl_export - EXPORT
 * @c: the call
 *
 * Return: 0 or the errors of the manual.
 */
int zcb_ioctl_export(struct zcb_call *c)
{
	struct zcbuf_export *a = c->arg;
	int fd;

	if (a->__reserved)
		return -EOPNOTSUPP;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	return zcb_call_install(c, fd, &a->out_fd, dmabuf_export(c));
}

#else

int zcb_ioctl_export(struct zcb_call *c)
{
	return -EOPNOTSUPP;
}

#endif

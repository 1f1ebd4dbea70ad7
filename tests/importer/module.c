// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that uses other people's dma-bufs, for tests: nothing moves in it, but it
 * says what a device would find at the addresses it was given. In kernels without
 * an IOMMU in its way, which those of the tests are.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/iosys-map.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "importer.h"

MODULE_IMPORT_NS(DMA_BUF);

/**
 * struct import - an open file
 * @lock: one call at a time
 * @dmabuf: what it has, or NULL
 * @at: the device's part of it
 * @sgt: where it is for the device
 * @map: where it is for the kernel
 * @dir: as it was mapped
 */
struct import {
	struct mutex lock;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *at;
	struct sg_table *sgt;
	struct iosys_map map;
	enum dma_data_direction dir;
};

static struct platform_device *importer;

static void import_detach(struct import *im)
{
	if (!im->dmabuf)
		return;
	dma_buf_vunmap_unlocked(im->dmabuf, &im->map);
	dma_buf_unmap_attachment_unlocked(im->at, im->sgt, im->dir);
	dma_buf_detach(im->dmabuf, im->at);
	dma_buf_put(im->dmabuf);
	im->dmabuf = NULL;
}

static int import_map(struct import *im, struct dma_buf *dmabuf)
{
	int err;

	im->at = dma_buf_attach(dmabuf, &importer->dev);
	if (IS_ERR(im->at))
		return PTR_ERR(im->at);
	im->sgt = dma_buf_map_attachment_unlocked(im->at, im->dir);
	err = PTR_ERR_OR_ZERO(im->sgt);
	if (err)
		goto detach;
	err = dma_buf_vmap_unlocked(dmabuf, &im->map);
	if (err)
		goto unmap;
	im->dmabuf = dmabuf;
	return 0;
unmap:
	dma_buf_unmap_attachment_unlocked(im->at, im->sgt, im->dir);
detach:
	dma_buf_detach(dmabuf, im->at);
	return err;
}

static long import_attach(struct import *im, struct importer_attach *a)
{
	struct dma_buf *dmabuf;
	int err;

	if (im->dmabuf)
		return -EBUSY;
	dmabuf = dma_buf_get(a->fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	im->dir = a->dir;
	err = import_map(im, dmabuf);
	if (err) {
		dma_buf_put(dmabuf);
		return err;
	}
	a->out_bytes = dmabuf->size;
	a->out_pieces = im->sgt->nents;
	return 0;
}

static long import_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct import *im = file->private_data;
	void __user *user = (void __user *)arg;
	struct importer_attach a;
	long err;

	guard(mutex)(&im->lock);
	if (cmd == IMPORTER_IOC_DETACH) {
		import_detach(im);
		return 0;
	}
	if (cmd != IMPORTER_IOC_ATTACH)
		return -ENOTTY;
	if (copy_from_user(&a, user, sizeof(a)))
		return -EFAULT;
	if (a.dir > DMA_FROM_DEVICE)
		return -EINVAL;
	err = import_attach(im, &a);
	if (!err && copy_to_user(user, &a, sizeof(a)))
		err = -EFAULT;
	return err;
}

/* What is at @pos, up to the end of its piece; NULL: nothing. */
static void *import_at(struct import *im, u64 pos, size_t *n)
{
	struct scatterlist *sg;
	u32 i;

	if (!im->dmabuf || (pos & (IMPORTER_DEVICE - 1)) >= im->dmabuf->size)
		return NULL;
	if (pos < IMPORTER_DEVICE) {
		*n = min_t(u64, *n, im->dmabuf->size - pos);
		return im->map.vaddr + pos;
	}
	pos -= IMPORTER_DEVICE;
	for_each_sgtable_dma_sg(im->sgt, sg, i) {
		if (pos < sg_dma_len(sg)) {
			*n = min_t(u64, *n, sg_dma_len(sg) - pos);
			return phys_to_virt(sg_dma_address(sg)) + pos;
		}
		pos -= sg_dma_len(sg);
	}
	return NULL;
}

static ssize_t import_read(struct file *file, char __user *user, size_t n,
			   loff_t *pos)
{
	struct import *im = file->private_data;
	void *at;
	int err;

	guard(mutex)(&im->lock);
	at = import_at(im, *pos, &n);
	if (!at)
		return 0;
	err = dma_buf_begin_cpu_access(im->dmabuf, DMA_FROM_DEVICE);
	if (!err && copy_to_user(user, at, n))
		err = -EFAULT;
	return dma_buf_end_cpu_access(im->dmabuf, DMA_FROM_DEVICE) ?: err ?: n;
}

static ssize_t import_write(struct file *file, const char __user *user,
			    size_t n, loff_t *pos)
{
	struct import *im = file->private_data;
	void *at;
	int err;

	guard(mutex)(&im->lock);
	at = import_at(im, *pos, &n);
	if (!at)
		return -ENOSPC;
	err = dma_buf_begin_cpu_access(im->dmabuf, DMA_TO_DEVICE);
	/* Nothing is zeroed if it fails: @at may be for reading only. */
	if (!err && __copy_from_user_inatomic(at, user, n))
		err = -EFAULT;
	return dma_buf_end_cpu_access(im->dmabuf, DMA_TO_DEVICE) ?: err ?: n;
}

static int import_open(struct inode *inode, struct file *file)
{
	struct import *im = kzalloc(sizeof(*im), GFP_KERNEL);

	if (!im)
		return -ENOMEM;
	mutex_init(&im->lock);
	file->private_data = im;
	return 0;
}

static int import_release(struct inode *inode, struct file *file)
{
	struct import *im = file->private_data;

	import_detach(im);
	kfree(im);
	return 0;
}

static const struct file_operations importer_fops = {
	.owner		= THIS_MODULE,
	.open		= import_open,
	.release	= import_release,
	.read		= import_read,
	.write		= import_write,
	.unlocked_ioctl	= import_ioctl,
};

static struct miscdevice importer_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "zcbuf_importer",
	.fops	= &importer_fops,
};

static int __init importer_init(void)
{
	int err;

	importer = platform_device_register_simple("zcbuf_importer", -1, NULL, 0);
	if (IS_ERR(importer))
		return PTR_ERR(importer);
	err = dma_coerce_mask_and_coherent(&importer->dev, DMA_BIT_MASK(64));
	if (!err)
		err = misc_register(&importer_misc);
	if (err)
		platform_device_unregister(importer);
	return err;
}
module_init(importer_init);

static void __exit importer_exit(void)
{
	misc_deregister(&importer_misc);
	platform_device_unregister(importer);
}
module_exit(importer_exit);

MODULE_AUTHOR("The zcbuf authors");
MODULE_DESCRIPTION("A user of dma-bufs, to test those who export them");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcbuf: one pool of I/O-ready memory for a whole host. Init, exit and the
 * device; everything else is in a room of its own: face/ translates, obj/ owns
 * locks, references and pages, core/ knows how.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/zcbuf.h>

#include "face/face.h"
#include "obj/channel.h"
#include "obj/heart.h"
#include "obj/pool.h"
#include "obj/session.h"
#include "obj/shrink.h"

#define CREATE_TRACE_POINTS
#include "face/trace.h"

static u32 device_rights(fmode_t mode)
{
	u32 rights = 0;

	if (mode & FMODE_READ)
		rights |= ZCBUF_RIGHT_MAP_READ | ZCBUF_RIGHT_CONSUME;
	if (mode & FMODE_WRITE)
		rights |= ZCBUF_RIGHT_MAP_WRITE | ZCBUF_RIGHT_PRODUCE;
	if (mode & FMODE_READ && mode & FMODE_WRITE)
		rights |= ZCBUF_RIGHT_ADMIN;
	return rights;
}

static int device_open(struct inode *inode, struct file *file)
{
	struct zcb_session *s = zcb_session_open(device_rights(file->f_mode));

	if (!s)
		return -ENOMEM;
	file->private_data = s;
	return nonseekable_open(inode, file);
}

static int device_release(struct inode *inode, struct file *file)
{
	zcb_session_close(file->private_data);
	return 0;
}

/* How zcctl finds out who prolongs a session. */
static void device_fdinfo(struct seq_file *m, struct file *file)
{
	struct zcb_session *s = file->private_data;
	struct zcb_pool *pool = zcb_session_pool(s);

	seq_printf(m, "zcbuf-session:\t%llu\n", s->id);
	seq_printf(m, "zcbuf-pool:\t0x%llx\n", pool ? pool->handle : 0);
	seq_printf(m, "zcbuf-rights:\t0x%x\n", pool ? s->rights : 0);
}

static const struct file_operations device_fops = {
	.owner			= THIS_MODULE,
	.open			= device_open,
	.release		= device_release,
	.unlocked_ioctl		= zcb_ioctl,
	.compat_ioctl		= compat_ptr_ioctl,
	.uring_cmd		= zcb_uring_cmd,
	.mmap			= zcb_mmap,
	.get_unmapped_area	= thp_get_unmapped_area,
	.poll			= zcb_poll,
	.show_fdinfo		= device_fdinfo,
};

struct zcb_session *zcb_session_of(struct file *file)
{
	return file->f_op == &device_fops ? file->private_data : NULL;
}

static struct miscdevice device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "zcbuf",
	.mode	= 0660,
	.fops	= &device_fops,
};

static int __init zcb_init(void)
{
	int err;

	err = zcb_pools_init();
	if (err)
		return err;
	err = zcb_channels_init();
	if (err)
		goto out_pools;
	err = zcb_shrink_init();
	if (err)
		goto out_channels;
	err = zcb_netlink_init();
	if (err)
		goto out_shrink;
	err = misc_register(&device);
	if (err)
		goto out_netlink;
	return 0;

out_netlink:
	zcb_netlink_exit();
out_shrink:
	zcb_shrink_exit();
out_channels:
	zcb_channels_exit();
out_pools:
	zcb_pools_exit();
	return err;
}

static void __exit zcb_exit(void)
{
	misc_deregister(&device);
	zcb_netlink_exit();
	zcb_shrink_exit();
	zcb_hearts_exit();
	zcb_pools_exit();
	zcb_channels_exit();
}

module_init(zcb_init);
module_exit(zcb_exit);

MODULE_AUTHOR("The zcbuf authors");
MODULE_DESCRIPTION("One pool of I/O-ready memory for a whole host");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");

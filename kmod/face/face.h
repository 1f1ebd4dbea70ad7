/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The doors: what main.c puts into tables. A face translates between the
 * kernel's calls and obj/ and knows nothing of the other faces.
 */
#ifndef ZCB_FACE_H
#define ZCB_FACE_H

#include <linux/fs.h>
#include <linux/poll.h>

struct io_uring_cmd;
struct zcb_session;

/* main.c: the session behind a file, or NULL if it is no session. */
struct zcb_session *zcb_session_of(struct file *file);

/* ioctl.c */
long zcb_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
int zcb_command(struct file *file, u32 cmd, void __user *arg, bool all,
		bool nowait);

/* uring_cmd.c */
int zcb_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags);

/* mmap.c */
int zcb_mmap(struct file *file, struct vm_area_struct *vma);

/* event.c */
__poll_t zcb_poll(struct file *file, struct poll_table_struct *wait);

/* netlink.c */
int zcb_netlink_init(void);
void zcb_netlink_exit(void);

#endif /* ZCB_FACE_H */

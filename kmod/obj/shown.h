/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is shown to a process: pages that it maps, some for reading only.
 */
#ifndef ZCB_OBJ_SHOWN_H
#define ZCB_OBJ_SHOWN_H

#include <linux/kref.h>
#include <linux/types.h>

struct file;
struct vm_area_struct;
struct zcb_payer;
struct zcb_user;

/**
 * struct zcb_shown - the pages; first in the struct of who knows what is in them
 * @ref: who writes them, and each file
 * @mem: them: what is for reading, and behind it what both write
 * @bytes: of what is for reading, whole pages
 * @state_bytes: of what both write, whole pages
 * @user: who is charged
 */
struct zcb_shown {
	struct kref ref;
	void *mem;
	u64 bytes;
	u64 state_bytes;
	struct zcb_user *user;
};

int zcb_shown_make(struct zcb_shown *s, const struct zcb_payer *payer,
		   u64 bytes, u64 state_bytes);
void zcb_shown_put(struct zcb_shown *s);
struct file *zcb_shown_file(struct zcb_shown *s, const char *name);
int zcb_shown_map(struct file *file, struct vm_area_struct *vma, u64 at);

#endif /* ZCB_OBJ_SHOWN_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control page of a pool: what the kernel tells all who are attached to it.
 */
#ifndef ZCB_OBJ_CONTROL_H
#define ZCB_OBJ_CONTROL_H

struct file;
struct vm_area_struct;
struct zcb_pool;

struct file *zcb_control_file(struct zcb_pool *pool);
int zcb_control_map(struct zcb_pool *pool, struct vm_area_struct *vma);
void zcb_control_pressure(struct zcb_pool *pool);
void zcb_control_end(struct zcb_pool *pool);

#endif /* ZCB_OBJ_CONTROL_H */

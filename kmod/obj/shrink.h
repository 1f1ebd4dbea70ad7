/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What pools can do without when the machine is short of memory.
 */
#ifndef ZCB_OBJ_SHRINK_H
#define ZCB_OBJ_SHRINK_H

int zcb_shrink_init(void);
void zcb_shrink_exit(void);

/* In pages; what the shrinker asks for. */
unsigned long zcb_shrink_count(void);
unsigned long zcb_shrink_scan(unsigned long pages);

#endif /* ZCB_OBJ_SHRINK_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writing a bug's name to /sys/module/zcbuf_planted/parameters/bug makes the
 * writing process do it.
 */
#include <linux/module.h>

#include "bugs.h"

static int set_bug(const char *val, const struct kernel_param *kp)
{
	return planted_plant(val);
}

static const struct kernel_param_ops bug_ops = { .set = set_bug };

module_param_cb(bug, &bug_ops, NULL, 0200);
MODULE_PARM_DESC(bug, "the bug to plant now");

static int __init planted_init(void)
{
	return 0;
}
module_init(planted_init);

static void __exit planted_exit(void)
{
	planted_end_hung_task();
}
module_exit(planted_exit);

MODULE_AUTHOR("The zcbuf authors");
MODULE_DESCRIPTION("Bugs on demand, to test what finds bugs");
MODULE_LICENSE("GPL");

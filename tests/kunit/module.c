// SPDX-License-Identifier: GPL-2.0-only
/* The suites run when this is inserted; nothing is left for it to do itself. */
#include <linux/module.h>

MODULE_AUTHOR("The zcbuf authors");
MODULE_DESCRIPTION("KUnit suites of zcbuf");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The suites run when this is inserted; all it does itself is to begin and end
 * what obj/ stands on, and to be the eventfds of its suites.
 */
#include <linux/eventfd.h>
#include <linux/module.h>

#include "../../kmod/obj/channel.h"
#include "../../kmod/obj/heart.h"
#include "../../kmod/obj/pool.h"
#include "obj_rig.h"
#include "obj_watch.h"

#define CREATE_TRACE_POINTS
#include "../../kmod/face/trace.h"

void eventfd_signal_mask(struct eventfd_ctx *ctx, __poll_t mask)
{
	ctx->count++;
}

void eventfd_ctx_put(struct eventfd_ctx *ctx)
{
	ctx->puts++;
}

static int __init suites_init(void)
{
	int err;

	err = obj_watch_init();
	if (err)
		return err;
	err = zcb_pools_init();
	if (err)
		goto out_watch;
	err = zcb_channels_init();
	if (err)
		goto out_pools;
	return 0;

out_pools:
	zcb_pools_exit();
out_watch:
	obj_watch_exit();
	return err;
}

static void __exit suites_exit(void)
{
	zcb_hearts_exit();
	zcb_pools_exit();
	zcb_channels_exit();
	obj_watch_exit();
}

module_init(suites_init);
module_exit(suites_exit);

MODULE_AUTHOR("The zcbuf authors");
MODULE_DESCRIPTION("KUnit suites of zcbuf");
MODULE_LICENSE("GPL");

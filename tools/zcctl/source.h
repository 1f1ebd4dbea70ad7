/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Where records come from: the kernel (netlink.c), or a test. */
#ifndef ZCCTL_SOURCE_H
#define ZCCTL_SOURCE_H

#include <stdbool.h>

#include <linux/netlink.h>

#include "record.h"
#include "zcctl.h"

/* source_dump() - all objects of a kind; returns an enum zcctl_exit */
int source_dump(struct zcctl *z, const struct spec *spec, struct records *all);

/*
 * source_pools() - pools, and with @which those of that name or handle. Names
 * belong to users, so there may be several. None with @which is an error.
 */
int source_pools(struct zcctl *z, const char *which, struct records *pools);

/* source_arenas() - adds to each pool its arenas, ascending */
int source_arenas(struct zcctl *z, struct records *pools);

/* source_keep() - drops what does not belong to one of @pools */
void source_keep(struct records *all, const struct spec *spec,
		 const struct records *pools);

/* All objects of the pools that are meant, or of all; and those pools. */
int source_of_pool(struct zcctl *z, const struct spec *spec, const char *which,
		   struct records *all, struct records *pools);
/* source_cgroups() - where the processes are that opened @sessions */
void source_cgroups(const struct zcctl *z, struct records *sessions);
/* source_list() - the verb "list [POOL]" of sessions and channels */
int source_list(struct zcctl *z, const struct spec *spec, int argc,
		char **argv);

/* An event; NULL: some were lost. Whether to go on. */
typedef bool (*source_heard)(void *arg, struct nlmsghdr *nlh);

/*
 * source_events() - calls @heard for each event, until that says no or SIGINT or
 * SIGTERM comes, which is no error; returns an enum zcctl_exit
 */
int source_events(struct zcctl *z, source_heard heard, void *arg);

#endif /* ZCCTL_SOURCE_H */

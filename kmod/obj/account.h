/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who holds how much: bytes by user and in all, of pinned pages and of what the
 * kernel needs to know about channels and fixed objects, against the module's
 * limits. The memory cgroup is charged by the allocators besides.
 */
#ifndef ZCB_OBJ_ACCOUNT_H
#define ZCB_OBJ_ACCOUNT_H

#include <linux/list.h>
#include <linux/types.h>
#include <linux/uidgid.h>

/**
 * struct zcb_user - what one user holds
 * @node: in the list of users that hold something
 * @uid: the user
 * @bytes: charged and not uncharged
 */
struct zcb_user {
	struct list_head node;
	kuid_t uid;
	u64 bytes;
};

/**
 * struct zcb_payer - on whose account something is
 * @uid: whom to charge; who opened the device, since that is what its mode
 *	decides
 * @over: his limit does not hold: who made the thing had CAP_IPC_LOCK
 *
 * Kept by what goes on charging after it was made: the calls may be another
 * user's then, whose privilege is not for him.
 */
struct zcb_payer {
	kuid_t uid;
	bool over;
};

struct zcb_account_stat {
	u64 user_limit;
	u64 user_charged;
	u64 total_limit;
	u64 total_charged;
};

struct zcb_payer zcb_account_payer(kuid_t uid);
int zcb_account_charge(u64 bytes, const struct zcb_payer *payer,
		       struct zcb_user **user);
void zcb_account_uncharge(struct zcb_user *user, u64 bytes);
void zcb_account_stat(kuid_t uid, struct zcb_account_stat *st);

#endif /* ZCB_OBJ_ACCOUNT_H */

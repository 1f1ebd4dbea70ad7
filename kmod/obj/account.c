// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accounting. The charge of an arena is made when it is created and ends when
 * its last page is really free, zombies included; that of records ends with what
 * they are about.
 *
 * One spin lock guards the list of users and the sums; nothing nests in it.
 */
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "account.h"

static unsigned long user_limit_mb = 256;
module_param(user_limit_mb, ulong, 0644);
MODULE_PARM_DESC(user_limit_mb,
		 "MiB one user may hold in pools without CAP_IPC_LOCK (256)");

static unsigned long total_limit_mb;
module_param(total_limit_mb, ulong, 0644);
MODULE_PARM_DESC(total_limit_mb,
		 "MiB all pools together may hold (0: a quarter of RAM)");

static DEFINE_SPINLOCK(account_lock);
static LIST_HEAD(account_users);	/* account_lock */
static u64 account_total;		/* account_lock */

static u64 account_user_limit(void)
{
	return (u64)READ_ONCE(user_limit_mb) << 20;
}

static u64 account_total_limit(void)
{
	u64 mb = READ_ONCE(total_limit_mb);

	return mb ? mb << 20 : ((u64)totalram_pages() << PAGE_SHIFT) / 4;
}

static struct zcb_user *account_find_locked(kuid_t uid)
{
	struct zcb_user *u;

	lockdep_assert_held(&account_lock);
	list_for_each_entry(u, &account_users, node)
		if (uid_eq(u->uid, uid))
			return u;
	return NULL;
}

static bool account_fits(u64 charged, u64 bytes, u64 limit)
{
	return bytes <= limit && charged <= limit - bytes;
}

static int account_charge_locked(struct zcb_user *u, u64 bytes, bool over)
{
	lockdep_assert_held(&account_lock);
	if (!account_fits(account_total, bytes, account_total_limit()))
		return -ENOMEM;
	if (!over && !account_fits(u->bytes, bytes, account_user_limit()))
		return -ENOMEM;
	account_total += bytes;
	u->bytes += bytes;
	return 0;
}

/* @fresh joins the list if the user is not on it yet. */
static struct zcb_user *account_try(struct zcb_user *fresh, u64 bytes,
				    bool over)
{
	struct zcb_user *u;
	int err;

	spin_lock(&account_lock);
	u = account_find_locked(fresh->uid);
	err = account_charge_locked(u ?: fresh, bytes, over);
	if (!err && !u) {
		list_add(&fresh->node, &account_users);
		u = fresh;
	}
	spin_unlock(&account_lock);
	return err ? NULL : u;
}

/**
 * zcb_account_payer - who pays for what the calling task makes
 * @uid: whom to charge
 *
 * CAP_IPC_LOCK in the initial user namespace lifts the user's limit, not the
 * module's. That it is asked for is nothing to log: most do without.
 *
 * Context: any.
 * Return: the payer.
 */
struct zcb_payer zcb_account_payer(kuid_t uid)
{
	return (struct zcb_payer) {
		.uid = uid,
		.over = ns_capable_noaudit(&init_user_ns, CAP_IPC_LOCK),
	};
}

/**
 * zcb_account_charge - charge memory to a user
 * @bytes: how much
 * @payer: whom
 * @user: set, for zcb_account_uncharge()
 *
 * Context: may sleep.
 * Return: 0, or -ENOMEM if a limit or the machine's memory says no.
 */
int zcb_account_charge(u64 bytes, const struct zcb_payer *payer,
		       struct zcb_user **user)
{
	struct zcb_user *fresh, *u;

	fresh = kzalloc(sizeof(*fresh), GFP_KERNEL);
	if (!fresh)
		return -ENOMEM;
	fresh->uid = payer->uid;
	u = account_try(fresh, bytes, payer->over);
	if (u != fresh)
		kfree(fresh);
	if (!u)
		return -ENOMEM;
	*user = u;
	return 0;
}

/**
 * zcb_account_uncharge - end a charge
 * @user: as zcb_account_charge() set it
 * @bytes: as charged
 *
 * Context: any but hard interrupt.
 */
void zcb_account_uncharge(struct zcb_user *user, u64 bytes)
{
	spin_lock(&account_lock);
	account_total -= bytes;
	user->bytes -= bytes;
	if (user->bytes)
		user = NULL;
	else
		list_del(&user->node);
	spin_unlock(&account_lock);
	kfree(user);
}

/**
 * zcb_account_stat - limits and charges
 * @uid: of whom
 * @st: filled
 *
 * Context: any but hard interrupt.
 */
void zcb_account_stat(kuid_t uid, struct zcb_account_stat *st)
{
	struct zcb_user *u;

	st->user_limit = account_user_limit();
	st->total_limit = account_total_limit();
	spin_lock(&account_lock);
	u = account_find_locked(uid);
	st->user_charged = u ? u->bytes : 0;
	st->total_charged = account_total;
	spin_unlock(&account_lock);
}

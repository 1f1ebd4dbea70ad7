// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is charged how much: sums by user and in all, the limits of both, and
 * that a charge which is refused leaves nothing behind.
 */
#include "obj_rig.h"

#define MIB	((u64)1 << 20)
#define ALICE	KUIDT_INIT(4001)
#define BOB	KUIDT_INIT(4002)

static struct zcb_user *charge(struct kunit *test, u64 bytes, kuid_t uid)
{
	const struct zcb_payer payer = zcb_account_payer(uid);
	struct zcb_user *user = NULL;

	KUNIT_ASSERT_EQ(test, zcb_account_charge(bytes, &payer, &user), 0);
	KUNIT_ASSERT_NOT_NULL(test, user);
	return user;
}

/* A refusal leaves both sums and the caller's pointer as they were. */
static void expect_refused(struct kunit *test, u64 bytes, kuid_t uid)
{
	const struct zcb_payer payer = zcb_account_payer(uid);
	struct zcb_account_stat before, after;
	struct zcb_user *user = NULL;

	zcb_account_stat(uid, &before);
	KUNIT_EXPECT_EQ(test, zcb_account_charge(bytes, &payer, &user), -ENOMEM);
	zcb_account_stat(uid, &after);
	KUNIT_EXPECT_NULL(test, user);
	KUNIT_EXPECT_EQ(test, after.user_charged, before.user_charged);
	KUNIT_EXPECT_EQ(test, after.total_charged, before.total_charged);
}

static void nobody_is_charged_at_first(struct kunit *test)
{
	struct zcb_account_stat st;

	zcb_account_stat(ALICE, &st);
	KUNIT_EXPECT_EQ(test, st.user_charged, 0);
	KUNIT_EXPECT_EQ(test, st.total_charged, 0);
}

static void limits_are_the_parameters(struct kunit *test)
{
	struct zcb_account_stat st;

	obj_limits(test, 3, 5);
	zcb_account_stat(ALICE, &st);
	KUNIT_EXPECT_EQ(test, st.user_limit, 3 * MIB);
	KUNIT_EXPECT_EQ(test, st.total_limit, 5 * MIB);
}

static void no_total_limit_is_a_quarter_of_the_machine(struct kunit *test)
{
	struct zcb_account_stat st;

	obj_limits(test, 1, 0);
	zcb_account_stat(ALICE, &st);
	KUNIT_EXPECT_EQ(test, st.total_limit,
			((u64)totalram_pages() << PAGE_SHIFT) / 4);
}

static void limits_are_bytes_in_64_bits(struct kunit *test)
{
	struct zcb_account_stat st;

	obj_limits(test, 5000, 6000);
	zcb_account_stat(ALICE, &st);
	KUNIT_EXPECT_EQ(test, st.user_limit, 5000 * MIB);
	KUNIT_EXPECT_EQ(test, st.total_limit, 6000 * MIB);
}

static void charges_add_up_by_user(struct kunit *test)
{
	struct zcb_user *alice = charge(test, 1000, ALICE);
	struct zcb_user *bob = charge(test, 30, BOB);

	KUNIT_EXPECT_PTR_NE(test, alice, bob);
	KUNIT_EXPECT_PTR_EQ(test, charge(test, 200, ALICE), alice);
	KUNIT_EXPECT_PTR_EQ(test, charge(test, 4, BOB), bob);
	KUNIT_EXPECT_EQ(test, obj_charged(ALICE), 1200);
	KUNIT_EXPECT_EQ(test, obj_charged(BOB), 34);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), 1234);

	zcb_account_uncharge(alice, 1000);
	KUNIT_EXPECT_EQ(test, obj_charged(ALICE), 200);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), 234);
	zcb_account_uncharge(bob, 34);
	KUNIT_EXPECT_EQ(test, obj_charged(BOB), 0);
	zcb_account_uncharge(alice, 200);
}

static void a_user_who_holds_nothing_is_forgotten(struct kunit *test)
{
	u32 i;

	/* KASAN sees one that is freed on the list, or left on it. */
	for (i = 0; i < 3; i++) {
		zcb_account_uncharge(charge(test, 1, ALICE), 1);
		KUNIT_EXPECT_EQ(test, obj_charged(ALICE), 0);
		KUNIT_EXPECT_EQ(test, obj_total_charged(), 0);
	}
}

static void the_users_limit_can_be_reached(struct kunit *test)
{
	struct obj_user u;
	struct zcb_user *alice;

	obj_limits(test, 1, 8);
	obj_become(test, &u, 4001);
	expect_refused(test, MIB + 1, ALICE);
	alice = charge(test, MIB - 1, ALICE);
	expect_refused(test, 2, ALICE);
	charge(test, 1, ALICE);
	expect_refused(test, 1, ALICE);
	obj_return(&u);
	zcb_account_uncharge(alice, MIB);
}

static void users_have_a_limit_each(struct kunit *test)
{
	struct zcb_user *alice, *bob;
	struct obj_user u;

	obj_limits(test, 1, 8);
	obj_become(test, &u, 4001);
	alice = charge(test, MIB, ALICE);
	bob = charge(test, MIB, BOB);
	obj_return(&u);
	zcb_account_uncharge(alice, MIB);
	zcb_account_uncharge(bob, MIB);
}

static void privilege_lifts_the_users_limit_only(struct kunit *test)
{
	struct zcb_user *alice;

	obj_limits(test, 1, 2);
	alice = charge(test, MIB + 1, ALICE);
	expect_refused(test, MIB, ALICE);
	expect_refused(test, MIB, BOB);
	charge(test, MIB - 1, ALICE);
	expect_refused(test, 1, BOB);
	zcb_account_uncharge(alice, 2 * MIB);
}

static void the_total_limit_holds_below_the_users(struct kunit *test)
{
	struct zcb_user *bob;
	struct obj_user u;

	obj_limits(test, 4, 1);
	obj_become(test, &u, 4001);
	bob = charge(test, MIB - 10, BOB);
	expect_refused(test, 11, ALICE);
	zcb_account_uncharge(charge(test, 10, ALICE), 10);
	obj_return(&u);
	zcb_account_uncharge(bob, MIB - 10);
}

static void sums_do_not_wrap(struct kunit *test)
{
	struct zcb_user *alice = charge(test, 4096, ALICE);

	expect_refused(test, ~0ULL, ALICE);
	expect_refused(test, ~0ULL - 4095, ALICE);
	expect_refused(test, ~0ULL, BOB);
	zcb_account_uncharge(alice, 4096);
}

static void a_limit_can_fall_below_what_is_held(struct kunit *test)
{
	struct zcb_user *alice;
	struct obj_user u;

	obj_limits(test, 4, 8);
	obj_become(test, &u, 4001);
	alice = charge(test, 3 * MIB, ALICE);
	obj_limits(test, 1, 2);
	expect_refused(test, 1, ALICE);
	expect_refused(test, 1, BOB);
	zcb_account_uncharge(alice, 2 * MIB + 1);
	charge(test, 1, ALICE);
	obj_return(&u);
	zcb_account_uncharge(alice, MIB);
}

static struct kunit_case account_cases[] = {
	KUNIT_CASE(nobody_is_charged_at_first),
	KUNIT_CASE(limits_are_the_parameters),
	KUNIT_CASE(no_total_limit_is_a_quarter_of_the_machine),
	KUNIT_CASE(limits_are_bytes_in_64_bits),
	KUNIT_CASE(charges_add_up_by_user),
	KUNIT_CASE(a_user_who_holds_nothing_is_forgotten),
	KUNIT_CASE(the_users_limit_can_be_reached),
	KUNIT_CASE(users_have_a_limit_each),
	KUNIT_CASE(privilege_lifts_the_users_limit_only),
	KUNIT_CASE(the_total_limit_holds_below_the_users),
	KUNIT_CASE(sums_do_not_wrap),
	KUNIT_CASE(a_limit_can_fall_below_what_is_held),
	{}
};

static struct kunit_suite account_suite = {
	.name = "zcb_account",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = account_cases,
};

kunit_test_suite(account_suite);

// SPDX-License-Identifier: GPL-2.0-only
/* Bugs about values, counts, lists, and the life of objects. */
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timer.h>

#include "bugs.h"

static volatile int sink;

void plant_shift(void)
{
	int one = planted_number(1);

	sink = one << planted_number(40);
}

/* What lies behind the array is there to be read. */
void plant_bounds(void)
{
	static volatile struct {
		int array[4];
		int rest[4];
	} s;

	sink = s.array[planted_number(6)];
}

void plant_bool_value(void)
{
	static u8 two = 2;
	const volatile bool *b = planted_veil(&two);

	sink = *b;
}

/* Out of the field, not of the object. */
void plant_field_overrun(void)
{
	static const char text[16] = "planted overrun";
	static struct {
		char field[8];
		char rest[8];
	} s;

	memcpy(s.field, text, planted_number(sizeof(text)));
}

void plant_refcount_underflow(void)
{
	static refcount_t count = REFCOUNT_INIT(1);

	if (refcount_dec_and_test(&count))
		sink = refcount_dec_and_test(&count);
}

void plant_list_del_twice(void)
{
	static LIST_HEAD(head);
	static struct list_head entry;

	list_add(&entry, &head);
	list_del(&entry);
	list_del(&entry);
}

static void never(struct timer_list *timer)
{
}

void plant_timer_free(void)
{
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, never, 0);
	mod_timer(timer, jiffies + 3600 * HZ);
	kfree(timer);
}

static void dropped(struct rcu_head *rcu)
{
}

void plant_call_rcu_twice(void)
{
	static struct rcu_head rcu;

	call_rcu(&rcu, dropped);
	call_rcu(&rcu, dropped);
	rcu_barrier();
}

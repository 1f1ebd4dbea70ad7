/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One bug of each kind that the kernels of the tests are there to find. Each is
 * a function plant_<name>(void), which may sleep and, unless it is in the
 * nature of the bug, leaves the kernel able to go on. What finds it on which
 * kernel is in the table of the script "run".
 */
#ifndef _PLANTED_BUGS_H
#define _PLANTED_BUGS_H

#include <linux/compiler.h>

#define PLANTED_BUGS(X)			\
	X(none)				\
	/* memory.c */			\
	X(slab_uaf)			\
	X(slab_oob)			\
	X(slab_leak)			\
	X(cache_leak)			\
	X(double_free)			\
	X(vmalloc_oob)			\
	X(stack_oob)			\
	X(global_oob)			\
	X(page_uaf)			\
	X(page_leak)			\
	X(folio_leak)			\
	X(bad_page)			\
	X(pool_ref)			\
	X(usercopy)			\
	/* object.c */			\
	X(shift)			\
	X(bounds)			\
	X(bool_value)			\
	X(field_overrun)		\
	X(refcount_underflow)		\
	X(list_del_twice)		\
	X(timer_free)			\
	X(call_rcu_twice)		\
	/* context.c */			\
	X(atomic_sleep)			\
	X(atomic_schedule)		\
	X(preemptible_cpu)		\
	X(rcu_deref)			\
	X(rcu_sleep)			\
	X(lock_inversion)		\
	X(uninit_lock)			\
	X(race)				\
	X(hung_task)

/* -EINVAL: there is no such bug. */
int planted_plant(const char *name);

/* All of them, and what ends the one that hangs until then; it may sleep. */
#define PLANTED_DECLARE(name) plant_##name(void),
void PLANTED_BUGS(PLANTED_DECLARE) planted_end_hung_task(void);

/*
 * The compiler knows what a bug is and may leave it out, or warn: it must not
 * see where a value comes from.
 */
static inline void *planted_veil(void *p)
{
	OPTIMIZER_HIDE_VAR(p);
	return p;
}

static inline unsigned int planted_number(unsigned int n)
{
	OPTIMIZER_HIDE_VAR(n);
	return n;
}

#endif /* _PLANTED_BUGS_H */

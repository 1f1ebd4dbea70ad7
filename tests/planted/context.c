// SPDX-License-Identifier: GPL-2.0-only
/* Bugs about locks, and about what may be done where. */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "bugs.h"

static DEFINE_SPINLOCK(lock_a);
static DEFINE_SPINLOCK(lock_b);

/* It might sleep, but does not: it is about the attempt. */
void plant_atomic_sleep(void)
{
	void *p;

	spin_lock(&lock_a);
	p = kmalloc(32, GFP_KERNEL);
	spin_unlock(&lock_a);
	kfree(p);
}

/* The scheduler enables preemption for us after it has complained. */
void plant_atomic_schedule(void)
{
	preempt_disable();
	schedule_timeout_uninterruptible(1);
	if (preempt_count())
		preempt_enable();
}

void plant_preemptible_cpu(void)
{
	planted_number(smp_processor_id());
}

void plant_rcu_deref(void)
{
	static int value;
	static int __rcu *pointer = (int __rcu *)&value;

	READ_ONCE(*rcu_dereference(pointer));
}

void plant_rcu_sleep(void)
{
	rcu_read_lock();
	schedule_timeout_uninterruptible(1);
	rcu_read_unlock();
}

void plant_lock_inversion(void)
{
	spin_lock(&lock_a);
	spin_lock(&lock_b);
	spin_unlock(&lock_b);
	spin_unlock(&lock_a);

	spin_lock(&lock_b);
	spin_lock(&lock_a);
	spin_unlock(&lock_a);
	spin_unlock(&lock_b);
}

void plant_uninit_lock(void)
{
	spinlock_t *lock = kzalloc(sizeof(*lock), GFP_KERNEL);

	if (!lock)
		return;
	spin_lock(lock);
	spin_unlock(lock);
	kfree(lock);
}

static unsigned long contended;

/* KCSAN watches one access of some thousand, for some ten microseconds. */
static void contend(struct work_struct *work)
{
	unsigned long i;

	for (i = 0; i < 2000000; i++) {
		contended++;
		barrier();
	}
}

static DECLARE_WORK(work_a, contend);
static DECLARE_WORK(work_b, contend);

void plant_race(void)
{
	queue_work_on(cpumask_first(cpu_online_mask), system_wq, &work_a);
	queue_work_on(cpumask_last(cpu_online_mask), system_wq, &work_b);
	flush_work(&work_a);
	flush_work(&work_b);
}

static DECLARE_COMPLETION(released);
static struct task_struct *hung;

static int hang(void *unused)
{
	wait_for_completion(&released);
	return 0;
}

/* Nobody wakes it until the module goes. */
void plant_hung_task(void)
{
	struct task_struct *task;

	if (hung)
		return;
	task = kthread_run(hang, NULL, "planted_hung");
	if (!IS_ERR(task))
		hung = get_task_struct(task);
}

void planted_end_hung_task(void)
{
	if (!hung)
		return;
	complete(&released);
	kthread_stop_put(hung);
}

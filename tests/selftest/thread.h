/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A thread that a test starts to sleep in a call, and what it waits for.
 */
#ifndef ZCBUF_SELFTEST_THREAD_H
#define ZCBUF_SELFTEST_THREAD_H

#include <pthread.h>

#include "common.h"
#include "ktap.h"

struct thread {
	void *(*run)(void *arg);
	void *arg;
	pthread_t pthread;
	pid_t tid;		/* atomic */
};

static __inline__ void *thread_main(void *arg)
{
	struct thread *t = arg;

	__atomic_store_n(&t->tid, gettid(), __ATOMIC_RELEASE);
	return t->run(t->arg);
}

/* Start it, and wait until it sleeps in system call @nr. */
static __inline__ void thread_start(struct thread *t, long nr)
{
	pid_t tid;

	ASSERT_EQ(pthread_create(&t->pthread, NULL, thread_main, t), 0);
	while (!(tid = __atomic_load_n(&t->tid, __ATOMIC_ACQUIRE)))
		usleep(1000);
	ASSERT_OK(zt_await_sleep(tid, nr));
}

static __inline__ void thread_join(struct thread *t)
{
	ASSERT_EQ(pthread_join(t->pthread, NULL), 0);
}

#endif /* ZCBUF_SELFTEST_THREAD_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Threads that do what they are told, one after the other: what each keeps for
 * itself is tried without a race.
 */
#ifndef ZCBUF_LIB_TEST_WORKER_H
#define ZCBUF_LIB_TEST_WORKER_H

#include <pthread.h>
#include <semaphore.h>

#include "test.h"

struct worker {
	pthread_t thread;
	sem_t go;
	sem_t done;
	void (*fn)(void *arg);
	void *arg;
};

static inline void *worker_run(void *arg)
{
	struct worker *w = arg;

	for (;;) {
		while (sem_wait(&w->go))
			;
		if (!w->fn)
			return NULL;
		w->fn(w->arg);
		sem_post(&w->done);
	}
}

static inline void worker_start(struct worker *w)
{
	sem_init(&w->go, 0, 0);
	sem_init(&w->done, 0, 0);
	ASSERT_EQ(pthread_create(&w->thread, NULL, worker_run, w), 0);
}

static inline void worker_do(struct worker *w, void (*fn)(void *arg), void *arg)
{
	w->fn = fn;
	w->arg = arg;
	sem_post(&w->go);
	while (sem_wait(&w->done))
		;
}

static inline void worker_end(struct worker *w)
{
	w->fn = NULL;
	sem_post(&w->go);
	pthread_join(w->thread, NULL);
}

#endif /* ZCBUF_LIB_TEST_WORKER_H */

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Numbers of threads, by which pools know their magazines. A number goes to the
 * next thread when one ends, and so do its magazines, which are empty by then.
 */
#include "cache.h"

__thread __u32 zcbuf_thread;

/* Protects all below; before any other, and held across fork(). */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool taken[ZCBUF_CACHE_THREADS] = { true };	/* 0 is no number */
static struct zcb_depot *depots;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool key_is_there;

void zcb_threads_lock(void)
{
	pthread_mutex_lock(&lock);
}

void zcb_threads_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

/* If a later destructor of the thread has it take a number again, this follows. */
static void thread_ends(void *arg)
{
	const __u32 number = zcbuf_thread;
	struct zcb_depot *depot;

	(void)arg;
	if (!number)
		return;
	zcb_threads_lock();
	zcbuf_thread = 0;
	for (depot = depots; depot; depot = depot->next)
		zcb_give_of(depot, number);
	taken[number] = false;
	zcb_threads_unlock();
}

static void make_key(void)
{
	key_is_there = !pthread_key_create(&key, thread_ends);
}

static __u32 free_number(void)
{
	__u32 i = 0;

	while (i < ZCBUF_CACHE_THREADS && taken[i])
		i++;
	return i < ZCBUF_CACHE_THREADS ? i : 0;
}

__u32 zcb_thread_number(void)
{
	__u32 number;

	if (zcbuf_thread)
		return zcbuf_thread;
	pthread_once(&once, make_key);
	if (!key_is_there)
		return 0;
	zcb_threads_lock();
	number = free_number();
	if (number && !pthread_setspecific(key, &taken[number])) {
		taken[number] = true;
		zcbuf_thread = number;
	}
	zcb_threads_unlock();
	return zcbuf_thread;
}

void zcb_thread_list(struct zcb_depot *depot)
{
	zcb_threads_lock();
	depot->prev = NULL;
	depot->next = depots;
	if (depots)
		depots->prev = depot;
	depots = depot;
	zcb_threads_unlock();
}

void zcb_thread_unlist(struct zcb_depot *depot)
{
	zcb_threads_lock();
	if (depot->prev)
		depot->prev->next = depot->next;
	else
		depots = depot->next;
	if (depot->next)
		depot->next->prev = depot->prev;
	zcb_threads_unlock();
}

void zcb_threads_in_child(void)
{
	struct zcb_depot *depot;
	__u32 i;

	for (depot = depots; depot; depot = depot->next)
		zcb_depot_forget(depot);
	for (i = 1; i < ZCBUF_CACHE_THREADS; i++)
		taken[i] = false;
	zcbuf_thread = 0;
	zcb_threads_unlock();
}

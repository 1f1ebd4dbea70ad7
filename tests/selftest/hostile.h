/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the hostile tests share: memory that refuses, calls that block in a
 * thread or a process of their own, and what others can see of a pool.
 */
#ifndef ZCBUF_SELFTEST_HOSTILE_H
#define ZCBUF_SELFTEST_HOSTILE_H

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common.h"
#include "ktap.h"
#include "thread.h"

#define HZ_KERNEL	0xffff888000001000ULL	/* the kernel's, not ours */
#define HZ_TRIES	5000			/* of 1 ms: far beyond any wait */

/* ----------------------------------------------------------------- memory */

/*
 * struct hz_mem - one page of each kind, with nothing after @rw
 * @rw: readable and writable; @rw + ZT_PAGE is not mapped
 * @ro: may only be read
 * @none: nobody may touch it
 * @gone: not mapped
 */
struct hz_mem {
	char *rw;
	char *ro;
	char *none;
	char *gone;
};

static __inline__ void hz_mem_init(struct hz_mem *m)
{
	char *p = mmap(NULL, 4 * ZT_PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(p, MAP_FAILED);
	m->none = p;
	m->ro = p + ZT_PAGE;
	m->rw = p + 2 * ZT_PAGE;
	m->gone = p + 3 * ZT_PAGE;
	ASSERT_OK(mprotect(m->none, ZT_PAGE, PROT_NONE));
	ASSERT_OK(mprotect(m->ro, ZT_PAGE, PROT_READ));
	ASSERT_OK(munmap(m->gone, ZT_PAGE));
}

/* @n bytes from @from, readable only, until the next call. */
static __inline__ void *hz_mem_ro(struct hz_mem *m, const void *from, size_t n)
{
	ASSERT_LE(n, ZT_PAGE);
	ASSERT_OK(mprotect(m->ro, ZT_PAGE, PROT_READ | PROT_WRITE));
	memcpy(m->ro, from, n);
	ASSERT_OK(mprotect(m->ro, ZT_PAGE, PROT_READ));
	return m->ro;
}

/* The first @first of some bytes; what follows them is not mapped. */
static __inline__ void *hz_mem_straddle(struct hz_mem *m, const void *from,
					size_t first)
{
	ASSERT_LE(first, ZT_PAGE);
	return memcpy(m->gone - first, from, first);
}

/* ---------------------------------------------------------- time, waiting */

static __inline__ __u64 hz_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (__u64)t.tv_sec * 1000000000 + t.tv_nsec;
}

static __inline__ void hz_nap(void)
{
	usleep(1000);
}

/* Wait, for a bounded time, until @cond is true; what it is in the end. */
#define HZ_UNTIL(cond) __extension__ ({					\
	int hz_tries = HZ_TRIES;					\
	bool hz_cond;							\
	while (!(hz_cond = (cond)) && hz_tries--)			\
		hz_nap();						\
	hz_cond; })

/*
 * struct hz_caller - one call in a thread of its own
 * @fd: of the session
 * @request: ZCBUF_IOC_*
 * @arg: its argument
 * @answer: 0 or -errno, once it is joined
 */
struct hz_caller {
	int fd;
	unsigned long request;
	void *arg;
	int answer;
	struct thread thread;
};

static __inline__ void *hz_caller_run(void *p)
{
	struct hz_caller *c = p;

	c->answer = zt_call(c->fd, c->request, c->arg);
	return NULL;
}

/* Start it, and wait until it sleeps. */
static __inline__ void hz_caller_block(struct hz_caller *c)
{
	c->thread = (struct thread){ .run = hz_caller_run, .arg = c };
	thread_start(&c->thread, SYS_ioctl);
}

/* A call that never comes back is killed with its test. */
static __inline__ int hz_caller_join(struct hz_caller *c)
{
	thread_join(&c->thread);
	return c->answer;
}

/* One of two that start at the same time; no wake-up could make them. */
struct hz_racer {
	void *(*run)(void *arg);
	void *arg;
	unsigned int *ready;
	pthread_t thread;
};

static __inline__ void *hz_racer_run(void *p)
{
	struct hz_racer *r = p;
	unsigned int spins = 0;

	__atomic_fetch_add(r->ready, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(r->ready, __ATOMIC_ACQUIRE) < 2)
		if (++spins > 100000)	/* there may be one CPU only */
			sched_yield();
	return r->run(r->arg);
}

static __inline__ void hz_race(void *(*one)(void *), void *arg_one,
			       void *(*two)(void *), void *arg_two)
{
	unsigned int ready = 0, i;
	struct hz_racer r[2] = {
		{ .run = one, .arg = arg_one, .ready = &ready },
		{ .run = two, .arg = arg_two, .ready = &ready },
	};

	for (i = 0; i < 2; i++)
		ASSERT_EQ(pthread_create(&r[i].thread, NULL, hz_racer_run,
					 &r[i]), 0);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(pthread_join(r[i].thread, NULL), 0);
}

/* A number from 0 to @n - 1, another one each time. */
static __inline__ unsigned int hz_random(unsigned int n)
{
	static __thread unsigned int state;

	if (!state)
		state = hz_now() ^ (unsigned long)&state;
	state = state * 1664525 + 1013904223;
	return (state >> 8) % n;
}

/* Spin for a moment that is never the same: from nothing to 2^@bits loops. */
static __inline__ void hz_dawdle(unsigned int bits)
{
	unsigned int n = hz_random(1U << hz_random(bits + 1));

	while (n--)
		__asm__ __volatile__("" ::: "memory");
}

/* ---------------------------------------------------- what others can see */

/* Wait until nothing of the pool is handed out: 0, or what still is. */
static __inline__ __u64 hz_used_in_the_end(int fd)
{
	HZ_UNTIL(!zt_used(fd));
	return zt_used(fd);
}

/* POOL_INFO without what every refused free counts. */
static __inline__ void hz_state(int fd, struct zcbuf_pool_info *info)
{
	ASSERT_OK(zt_pool_info(fd, info));
	info->out_bad_frees = 0;
}

/* A name nobody else has. */
static __inline__ const char *hz_name(char *buf, size_t n, const char *what)
{
	static unsigned int nr;

	snprintf(buf, n, "%s-%d-%u", what, getpid(), nr++);
	return buf;
}

/* Reserve and commit @length bytes: a whole group, or a part of one. */
static __inline__ void hz_put(int fd, __u64 channel, __u64 length)
{
	struct zcbuf_reservation r;

	ASSERT_OK(zt_reserve1(fd, channel, length, &r));
	ASSERT_OK(zt_commit1(fd, channel, &r));
}

/* Ports of a channel that exists, with a queue of @depth. */
static __inline__ int hz_ports_depth(int fd, __u64 channel, __u32 ports,
				     __u32 depth)
{
	struct zcbuf_channel_open a = {
		.channel = channel, .ports = ports, .depth = depth,
	};

	return zt_channel_open(fd, &a);
}

#endif /* ZCBUF_SELFTEST_HOSTILE_H */

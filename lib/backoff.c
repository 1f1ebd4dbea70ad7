// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Back-off: sleeps that become longer and more, a little different for each, so
 * that those who wait for the same thing do not come back together.
 */
#include <errno.h>
#include <time.h>

#include "internal.h"

#define BASE_NS		500000ULL	/* 500 us */
#define MAX_NS		100000000ULL	/* 100 ms */
#define NSEC_PER_SEC	1000000000ULL

__u64 zcb_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (__u64)now.tv_sec * NSEC_PER_SEC + (__u64)now.tv_nsec;
}

/* splitmix64: any seed will do. */
static __u64 next_random(__u64 *seed)
{
	__u64 z = *seed += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

void zcbuf_backoff_init(struct zcbuf_backoff *backoff, __s64 base_ns,
			__s64 max_ns)
{
	*backoff = (struct zcbuf_backoff){
		.base_ns = base_ns > 0 ? (__u64)base_ns : BASE_NS,
		.max_ns = max_ns > 0 ? (__u64)max_ns : MAX_NS,
		.seed = zcb_now_ns() ^ zcb_ptr(backoff),
	};
}

/* How long each sleep of block @n is before jitter. */
static __u64 length_of(const struct zcbuf_backoff *backoff, __u64 n)
{
	if (n > backoff->max_ns / backoff->base_ns)
		return backoff->max_ns;
	return n * backoff->base_ns;
}

/* Between 7/8 and 9/8 of it. */
static __u64 jitter(struct zcbuf_backoff *backoff, __u64 length)
{
	__u64 eighth = length / 8;

	return length - eighth + next_random(&backoff->seed) % (2 * eighth + 1);
}

int zcb_sleep(__u64 ns, __u64 deadline_ns)
{
	__u64 now = zcb_now_ns();
	__u64 until = ns < INT64_MAX - now ? now + ns : INT64_MAX;
	struct timespec t;
	int err;

	if (!deadline_ns)
		return -EAGAIN;
	if (deadline_ns <= now)
		return -ETIMEDOUT;
	if (until > deadline_ns)
		until = deadline_ns;
	t.tv_sec = until / NSEC_PER_SEC;
	t.tv_nsec = until % NSEC_PER_SEC;
	err = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
	if (err)
		return -err;
	return until == deadline_ns ? -ETIMEDOUT : 0;
}

int zcbuf_backoff_block(struct zcbuf_backoff *backoff, __u64 deadline_ns)
{
	__u64 n = backoff->count + 1;
	__u64 length = length_of(backoff, n);
	__u64 i;
	int err;

	for (i = 0; i < n; i++) {
		err = zcb_sleep(jitter(backoff, length), deadline_ns);
		if (err)
			return err;
	}
	backoff->count = n;
	return 0;
}

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Writers that never stop, by stores and by system calls, while group after group of
 * an IMMUTABLE channel is delivered: none of them may change a byte after that.
 */
#include "immutable.h"

#define SEALS		150	/* in a check; ZCB_OPERATIONS: SEALS_MANY */
#define SEALS_MANY	2000
#define LOOKS		4	/* at what was delivered */

/*
 * struct race - what the writers write to
 * @m: the channel
 * @at: pool offset of the page
 * @mem: /proc/self/mem
 * @stop: that was it
 * @stores: how many were made
 */
struct race {
	struct im m;
	__u64 at;
	int mem;
	bool stop;
	__u64 stores;
};

static volatile char *target(const struct race *r)
{
	return r->m.wmap + __atomic_load_n(&r->at, __ATOMIC_RELAXED) +
	       hz_random(ZT_PAGE);
}

static bool stopped(const struct race *r)
{
	return __atomic_load_n(&r->stop, __ATOMIC_RELAXED);
}

/* What faults is tried again. */
static void *by_stores(void *arg)
{
	struct race *r = arg;

	sigsetjmp(im_back, 0);
	while (!stopped(r)) {
		*target(r) = hz_random(256);
		__atomic_fetch_add(&r->stores, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void *by_calls(void *arg)
{
	struct race *r = arg;
	char byte;

	while (!stopped(r)) {
		byte = hz_random(256);
		if (pwrite(r->mem, &byte, 1, (off_t)target(r)) == 1)
			__atomic_fetch_add(&r->stores, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Bytes that changed after the group was received. */
static unsigned int late_bytes(const struct im *m,
			       const struct zcbuf_delivery *d)
{
	const volatile char *p = m->rmap + d->extents[0].pool_offset;
	unsigned int i, n = 0, late = 0;
	char was[ZT_PAGE];

	for (i = 0; i < ZT_PAGE; i++)
		was[i] = p[i];
	for (n = 0; n < LOOKS; n++) {
		hz_dawdle(12);
		for (i = 0; i < ZT_PAGE; i++) {
			late += p[i] != was[i];
			was[i] = p[i];
		}
	}
	return late;
}

static unsigned int seal_one(struct race *r)
{
	struct zcbuf_reservation v;
	struct zcbuf_delivery d;
	unsigned int late;

	ASSERT_OK(zt_reserve1(r->m.w, r->m.channel, ZT_PAGE, &v));
	__atomic_store_n(&r->at, v.out_pool_offset, __ATOMIC_RELAXED);
	hz_dawdle(14);
	ASSERT_OK(zt_commit1(r->m.w, r->m.channel, &v));
	d = im_receive(&r->m);
	EXPECT_EQ(d.extents[0].pool_offset, v.out_pool_offset);
	late = late_bytes(&r->m, &d);
	im_release(&r->m, &d);
	return late;
}

EACH_PAGE(writers_against_seals)
{
	unsigned int i, n = getenv("ZCB_OPERATIONS") ? SEALS_MANY : SEALS;
	struct race r = { .m = im_open(arg) };
	unsigned int late = 0;
	pthread_t writer[2];

	r.mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	ASSERT_GE(r.mem, 0);
	im_catch();
	ASSERT_OK(pthread_create(&writer[0], NULL, by_stores, &r));
	ASSERT_OK(pthread_create(&writer[1], NULL, by_calls, &r));
	for (i = 0; i < n; i++)
		late += seal_one(&r);
	__atomic_store_n(&r.stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < 2; i++)
		ASSERT_OK(pthread_join(writer[i], NULL));
	EXPECT_EQ(late, 0);
	EXPECT_GT(r.stores, 0);
	TEST_LOG("%u groups, %llu stores", n, (unsigned long long)r.stores);
	close(r.mem);
	im_close(&r.m);
}

KTAP_MAIN()

// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * A process of 32 bits on a kernel of 64: the Makefile builds this one for such,
 * without a library. Whatever the kernel is told and tells lies in memory as it
 * does for others, and pointers are numbers of 64 bits of which half are in use.
 */
#include <fcntl.h>
#include <poll.h>

#include "calls.h"

/* Else the compiler could not, and this is a program like any other. */
static void must_be_32_bit(void)
{
	if (sizeof(void *) != 4)
		KTAP_MISSING("32-bit", "the compiler makes no 32-bit programs");
}

TEST(sizes_are_the_kernels)
{
	struct zcbuf_query q;
	unsigned int i;

	must_be_32_bit();
	ASSERT_OK(zt_query(zt_open(O_RDWR), &q));
	for (i = 0; i < NR_CALLS; i++) {
		if (q.out_sizes[calls[i].nr] != calls[i].size)
			TEST_LOG("of %s", calls[i].name);
		EXPECT_EQ(q.out_sizes[calls[i].nr], calls[i].size);
	}
}

/* All that a batch was asked for. */
static void expect_done(const struct call *c, const struct attempt *t)
{
	if (c->done)
		EXPECT_EQ(call_get32(t, c->done), CALLS_ENTRIES);
}

static void call_once(const struct call *c)
{
	struct attempt t;
	struct rig r;
	int err;

	rig_open(&r);
	if (c->arrange)
		c->arrange(&r);
	call_make(c, &r, &t);
	err = zt_call(call_fd(c, &r), call_request(c), t.arg);
	if (err)
		TEST_LOG("%s", c->name);
	EXPECT_OK(err);
	expect_done(c, &t);
	rig_close(&r);
}

TEST(every_call)
{
	unsigned int i;

	must_be_32_bit();
	for (i = 0; i < NR_CALLS; i++)
		call_once(&calls[i]);
}

/* What a process of 32 bits cannot have is not what is left of it. */
static void call_beyond(const struct call *c, const struct rig *r, int i)
{
	size_t at = c->arrays[i].at;
	struct attempt t;
	__u64 addr;
	int err;

	call_make(c, r, &t);
	memcpy(&addr, t.arg + at, sizeof(addr));
	if (!addr)
		return;
	call_set64(&t, at, addr | 1ULL << 40);
	err = zt_call(call_fd(c, r), call_request(c), t.arg);
	if (err != -EFAULT)
		TEST_LOG("%s, array %d", c->name, i);
	EXPECT_ERR(err, EFAULT);
}

TEST(pointers_are_read_in_full)
{
	unsigned int i, n = 0;
	struct rig r;
	int k;

	must_be_32_bit();
	rig_open(&r);
	for (i = 0; i < NR_CALLS; i++) {
		for (k = 0; k < CALLS_ARRAYS; k++) {
			if (!calls[i].arrays[k].at)
				continue;
			call_beyond(&calls[i], &r, k);
			n++;
		}
	}
	EXPECT_GT(n, 10);
	rig_close(&r);
}

/* A record on its way: written through one mapping, read through another. */
TEST(a_record_goes_round)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	struct zcbuf_reservation v;
	struct zcbuf_delivery d;
	char *to, *from;
	__u64 ch;
	int peer;

	must_be_32_bit();
	ASSERT_GE(fd, 0);
	peer = zt_join(fd, ZT_READ_ONLY);
	to = zt_map(fd, PROT_READ | PROT_WRITE, ZT_ARENA);
	from = zt_map(peer, PROT_READ, ZT_ARENA);
	ASSERT_TRUE(to && from);
	ASSERT_OK(zt_stream(fd, 0, 0, &ch));
	ASSERT_OK(zt_ports(peer, ch, ZCBUF_PORT_CONSUME));
	ASSERT_OK(zt_channel_close(fd, ch, ZCBUF_PORT_CONSUME));
	ASSERT_OK(zt_reserve1(fd, ch, 1000, &v));
	memset(to + v.out_pool_offset, 0x42, 1000);
	EXPECT_EQ(zt_poll(peer, 0) & POLLIN, 0);
	ASSERT_OK(zt_commit1(fd, ch, &v));
	EXPECT_EQ(zt_poll(peer, 0) & POLLIN, POLLIN);
	ASSERT_EQ(zt_receive(peer, ch, &d, 1, ZCBUF_NO_DEADLINE), 1);
	EXPECT_EQ(d.length, 1000);
	EXPECT_EQ(d.nextents, 1);
	EXPECT_FILLED(from + d.extents[0].pool_offset, 0x42, 1000);
	EXPECT_OK(zt_release1(peer, ch, d.handle));
	EXPECT_EQ(zt_used(fd), 0);
}

/* mmap() alone, and of the last page, where there are offsets to go wrong. */
TEST(mappings)
{
	int fd = zt_open(O_RDWR);
	char *all, *last;

	must_be_32_bit();
	ASSERT_GE(fd, 0);
	all = zt_map(fd, PROT_READ | PROT_WRITE, 2 * ZT_ARENA);
	ASSERT_TRUE(all);
	memset(all, 0x43, 2 * ZT_ARENA);
	last = mmap(NULL, ZT_PAGE, PROT_READ, MAP_SHARED, fd,
		    2 * ZT_ARENA - ZT_PAGE);
	ASSERT_NE(last, MAP_FAILED);
	EXPECT_FILLED(last, 0x43, ZT_PAGE);
	all[2 * ZT_ARENA - 1] = 0x44;
	EXPECT_EQ(last[ZT_PAGE - 1], 0x44);
	EXPECT_EQ((long)mmap(NULL, ZT_PAGE, PROT_READ, MAP_SHARED, fd,
			     2 * ZT_ARENA), (long)MAP_FAILED);
}

KTAP_MAIN()

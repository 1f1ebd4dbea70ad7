// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What every call has to refuse, tried on every call: a table of all calls
 * (calls.h) against sizes, flags, reserved fields, pointers, counts, rights and
 * handles that are wrong. A refusal changes nothing, and afterwards the right
 * argument still works. What only one call could get wrong is in badinput_*.c.
 */
#include "command.h"

/* By commands of it, and not by ioctl, if it is there. */
static struct io_uring *trial_ring;

static int trial_call(int fd, const struct call *c, void *arg)
{
	int res;

	if (!trial_ring)
		return zt_call(fd, call_request(c), arg);
	res = cmd_run(trial_ring, fd, call_request(c), arg, 0, 0);
	return res > 0 ? 0 : res;
}

/*
 * struct trial - one call at work
 * @r: where; rebuilt whenever the call succeeds
 * @t: an argument that works
 * @before: what must not change
 */
struct trial {
	const struct call *c;
	struct rig r;
	struct attempt t;
	struct zcbuf_pool_info before;
	struct hz_mem mem;
};

static void trial_reset(struct trial *x)
{
	if (x->c->arrange)
		x->c->arrange(&x->r);
	hz_state(x->r.fd, &x->before);
	call_make(x->c, &x->r, &x->t);
}

static void trial_open(struct trial *x, const void *arg)
{
	x->c = arg;
	hz_mem_init(&x->mem);
	rig_open(&x->r);
	trial_reset(x);
}

static void trial_fail(const struct trial *x, const char *what, int seen,
		       int wanted)
{
	char a[64], b[64];

	ktap_note_failure();
	TEST_LOG("%s, %s: answers %s, wanted %s", x->c->name, what,
		 ktap_value(a, sizeof(a), seen),
		 ktap_value(b, sizeof(b), wanted));
}

/* By session @fd: it is -@error, and nothing has changed. */
static void refused_by(struct trial *x, const char *what, int fd, void *arg,
		       int error)
{
	struct zcbuf_pool_info now;
	int seen = trial_call(fd, x->c, arg);

	if (seen != -error)
		trial_fail(x, what, seen, -error);
	hz_state(x->r.fd, &now);
	if (memcmp(&now, &x->before, sizeof(now))) {
		ktap_note_failure();
		TEST_LOG("%s, %s: used %llu -> %llu, largest %llu -> %llu, "
			 "sessions %u -> %u, channels %u -> %u", x->c->name,
			 what, x->before.out_used, now.out_used,
			 x->before.out_largest_free, now.out_largest_free,
			 x->before.out_sessions, now.out_sessions,
			 x->before.out_channels, now.out_channels);
		x->before = now;
	}
}

static void refused_at(struct trial *x, const char *what, void *arg, int error)
{
	refused_by(x, what, call_fd(x->c, &x->r), arg, error);
}

/* The argument as it is now, which is made anew then. */
static void refused(struct trial *x, const char *what, int error)
{
	refused_at(x, what, x->t.arg, error);
	call_make(x->c, &x->r, &x->t);
}

static void done_at(struct trial *x, const char *what, void *arg)
{
	int seen = trial_call(call_fd(x->c, &x->r), x->c, arg);

	if (seen)
		trial_fail(x, what, seen, 0);
	rig_close(&x->r);
	rig_open(&x->r);
	trial_reset(x);
}

static void done(struct trial *x, const char *what)
{
	done_at(x, what, x->t.arg);
}

static void trial_close(struct trial *x)
{
	done(x, "after all that");
	rig_close(&x->r);
}

/* ------------------------------------------------------------------- size */

static void set_size(struct trial *x, __u32 size)
{
	call_set32(&x->t, 0, size);
}

static void sizes(const void *arg)
{
	struct trial x;
	__u32 size, first;

	trial_open(&x, arg);
	first = x.c->first ? x.c->first : x.c->size;
	for (size = 0; size < first; size += size < 9 ? 1 : 7) {
		set_size(&x, size);
		refused(&x, "a short size", EINVAL);
	}
	set_size(&x, first - 1);
	refused(&x, "size - 1", EINVAL);
	set_size(&x, ZT_PAGE + 1);
	refused(&x, "a page and a byte", E2BIG);
	set_size(&x, ~0U);
	refused(&x, "size -1", E2BIG);
	set_size(&x, 0x80000000);
	refused(&x, "size 2^31", E2BIG);
	trial_close(&x);
}

static void tails(const void *arg)
{
	struct trial x;

	trial_open(&x, arg);
	set_size(&x, x.c->size + 1);
	x.t.arg[x.c->size] = 1;
	refused(&x, "a tail that says something", E2BIG);
	set_size(&x, ZT_PAGE);
	x.t.arg[ZT_PAGE - 1] = -1;
	refused(&x, "garbage at the end of a page", E2BIG);

	x.t.arg[x.c->size] = 1;
	done(&x, "garbage behind the argument");
	set_size(&x, x.c->size + 1);
	done(&x, "a tail of one 0");
	set_size(&x, ZT_PAGE);
	done(&x, "a page");
	trial_close(&x);
}

/* Programs that know less of it go on as before: what follows is not theirs. */
static void first_sizes(const void *arg)
{
	struct trial x;
	__u32 size;

	trial_open(&x, arg);
	ASSERT_NE(x.c->first, 0);
	for (size = x.c->first; size < x.c->size; size++) {
		set_size(&x, size);
		memset(x.t.arg + size, 0xff, sizeof(x.t.arg) - size);
		done(&x, "as it was first");
	}
	trial_close(&x);
}

/* ------------------------------------------------- flags, reserved fields */

static void flags(const void *arg)
{
	struct trial x;
	int bit;

	trial_open(&x, arg);
	for (bit = 0; bit < 32; bit++) {
		if (x.c->flags & 1U << bit)
			continue;
		call_set32(&x.t, 4, call_get32(&x.t, 4) | 1U << bit);
		refused(&x, "an unknown flag", EOPNOTSUPP);
	}
	for (bit = 0; x.c->reserved && bit < 32; bit++) {
		call_set32(&x.t, x.c->reserved, 1U << bit);
		refused(&x, "a reserved field", EOPNOTSUPP);
	}
	trial_close(&x);
}

/* --------------------------------------------------------------- pointers */

static void argument(const void *arg)
{
	struct trial x;
	void *p;

	trial_open(&x, arg);
	refused_at(&x, "NULL", NULL, EFAULT);
	refused_at(&x, "a page that is not mapped", x.mem.gone, EFAULT);
	refused_at(&x, "a page nobody may read", x.mem.none, EFAULT);
	refused_at(&x, "the kernel's memory", (void *)HZ_KERNEL, EFAULT);
	refused_at(&x, "the end of memory", (void *)-8UL, EFAULT);
	refused_at(&x, "its size alone",
		   hz_mem_straddle(&x.mem, x.t.arg, sizeof(__u32)), EFAULT);
	refused_at(&x, "all but its last byte",
		   hz_mem_straddle(&x.mem, x.t.arg, x.c->size - 1), EFAULT);
	set_size(&x, x.c->size + 8);
	refused_at(&x, "all but its tail",
		   hz_mem_straddle(&x.mem, x.t.arg, x.c->size), EFAULT);
	call_make(x.c, &x.r, &x.t);

	p = hz_mem_ro(&x.mem, x.t.arg, x.c->size);
	if (x.c->writes)
		refused_at(&x, "read-only", p, EFAULT);
	else
		done_at(&x, "read-only", p);
	done_at(&x, "up to the end of a page",
		hz_mem_straddle(&x.mem, x.t.arg, x.c->size));
	p = x.mem.rw + 1;
	done_at(&x, "an odd address", memcpy(p, x.t.arg, x.c->size));
	trial_close(&x);
}

static void set_array(struct trial *x, int i, __u64 address)
{
	call_set64(&x->t, x->c->arrays[i].at, address);
}

static void bad_array(struct trial *x, int i)
{
	static const __u64 nowhere[] = { HZ_KERNEL, ~0ULL, ~0ULL - 7, 1ULL << 63 };
	const struct array_field *f = &x->c->arrays[i];
	size_t n = x->t.bytes[i];
	unsigned int k;

	if (!f->optional) {
		set_array(x, i, 0);
		refused(x, "an array at NULL", EFAULT);
	}
	set_array(x, i, zt_ptr(x->mem.gone));
	refused(x, "an array that is not mapped", EFAULT);
	set_array(x, i, zt_ptr(x->mem.none));
	refused(x, "an array nobody may read", EFAULT);
	for (k = 0; k < sizeof(nowhere) / sizeof(*nowhere); k++) {
		set_array(x, i, nowhere[k]);
		refused(x, "an array nowhere in user memory", EFAULT);
	}
	set_array(x, i, zt_ptr(hz_mem_straddle(&x->mem, x->t.array[i], n / 2)));
	refused(x, "half an array", EFAULT);
	set_array(x, i, zt_ptr(hz_mem_straddle(&x->mem, x->t.array[i], n - 1)));
	refused(x, "an array but for its last byte", EFAULT);

	set_array(x, i, zt_ptr(hz_mem_ro(&x->mem, x->t.array[i], n)));
	if (f->written)
		refused(x, "a read-only array", EFAULT);
	else
		done(x, "a read-only array");
	set_array(x, i, zt_ptr(hz_mem_straddle(&x->mem, x->t.array[i], n)));
	done(x, "an array up to the end of a page");
}

static void arrays(const void *arg)
{
	struct trial x;
	int i;

	trial_open(&x, arg);
	for (i = 0; i < CALLS_ARRAYS; i++)
		if (x.c->arrays[i].at)
			bad_array(&x, i);
	trial_close(&x);
}

/* The same in pages that have yet to be faulted in, by the call itself. */
static void untouched_memory(struct trial *x)
{
	int i;

	for (i = 0; i < CALLS_ARRAYS; i++) {
		if (!x->c->arrays[i].at)
			continue;
		memcpy(x->r.map + 8 * ZT_PAGE, x->t.array[i], x->t.bytes[i]);
		ASSERT_OK(madvise(x->r.map, x->r.size, MADV_DONTNEED));
		set_array(x, i, zt_ptr(x->r.map + 8 * ZT_PAGE));
		done(x, "an array in a page that is not faulted in");
	}
	memcpy(x->r.map, x->t.arg, x->c->size);
	ASSERT_OK(madvise(x->r.map, x->r.size, MADV_DONTNEED));
	done_at(x, "an argument in a page that is not faulted in", x->r.map);
}

/* Memory of the pool is memory like any other, if it may be written. */
static void pool_memory(const void *arg)
{
	struct trial x;
	char *ro;
	int i;

	trial_open(&x, arg);
	done_at(&x, "argument in the pool",
		memcpy(x.r.map, x.t.arg, x.c->size));
	done_at(&x, "argument at the end of the pool",
		memcpy(x.r.map + x.r.size - x.c->size, x.t.arg, x.c->size));
	for (i = 0; i < CALLS_ARRAYS; i++) {
		if (!x.c->arrays[i].at)
			continue;
		set_array(&x, i, zt_ptr(memcpy(x.r.map, x.t.array[i],
					       x.t.bytes[i])));
		done_at(&x, "argument and array in the pool",
			memcpy(x.r.map + 2048, x.t.arg, x.c->size));
	}
	ro = mmap(NULL, x.r.size, PROT_READ, MAP_SHARED, x.r.fd, 0);
	ASSERT_NE(ro, MAP_FAILED);
	memcpy(x.r.map, x.t.arg, x.c->size);
	if (x.c->writes)
		refused_at(&x, "argument in a read-only view", ro, EFAULT);
	else
		done_at(&x, "argument in a read-only view", ro);
	ASSERT_OK(munmap(ro, x.r.size));
	untouched_memory(&x);
	trial_close(&x);
}

/* ----------------------------------------------------------------- counts */

static void bad_count(struct trial *x, int i)
{
	const struct count_field *f = &x->c->counts[i];

	if (!f->none) {
		call_set32(&x->t, f->at, 0);
		refused(x, "count 0", EINVAL);
	}
	call_set32(&x->t, f->at, f->max + 1);
	refused(x, "a count above the limit", EINVAL);
	call_set32(&x->t, f->at, ~0U);
	refused(x, "count 2^32 - 1", EINVAL);
	call_set32(&x->t, f->at, 1U << 29);	/* times 8 it is 0 */
	refused(x, "count 2^29", EINVAL);
	call_set32(&x->t, f->at, 1U << 31);
	refused(x, "count 2^31", EINVAL);
}

/* Array @i with room for as many as may be. */
static void full_array(struct trial *x, int i)
{
	size_t n = x->t.bytes[i] / CALLS_ENTRIES * ZCBUF_MAX_BATCH;
	char *array = mmap(NULL, n + ZT_PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(array, MAP_FAILED);
	memcpy(array, x->t.array[i], x->t.bytes[i]);
	set_array(x, i, zt_ptr(array));
}

/*
 * As many as may be; of those that are read, two make sense. An array without a
 * count of its own has that of the other.
 */
static void full_batch(struct trial *x, int i)
{
	int k;

	for (k = 0; k < CALLS_ARRAYS; k++)
		if (x->c->arrays[k].at && (k == i || !x->c->counts[k].at))
			full_array(x, k);
	call_set32(&x->t, x->c->counts[i].at, ZCBUF_MAX_BATCH);
	EXPECT_OK(trial_call(call_fd(x->c, &x->r), x->c, x->t.arg));
	if (call_get32(&x->t, x->c->done) < CALLS_ENTRIES)
		trial_fail(x, "entries done of 1024",
			   call_get32(&x->t, x->c->done), CALLS_ENTRIES);
	rig_close(&x->r);
	rig_open(&x->r);
	trial_reset(x);
}

static void counts(const void *arg)
{
	struct trial x;
	int i;

	trial_open(&x, arg);
	for (i = 0; i < CALLS_ARRAYS; i++) {
		if (!x.c->counts[i].at)
			continue;
		bad_count(&x, i);
		if (x.c->done)
			full_batch(&x, i);
	}
	trial_close(&x);
}

/* ---------------------------------------------------- rights, attachments */

static bool sessions_are(struct trial *x, __u32 sessions)
{
	hz_state(x->r.fd, &x->before);
	return x->before.out_sessions == sessions;
}

/* A ring may let go of a session only after it has answered for it. */
static void leave(struct trial *x, int fd)
{
	__u32 sessions = x->before.out_sessions - 1;

	close(fd);
	ASSERT_TRUE(HZ_UNTIL(sessions_are(x, sessions)));
}

/* A read-only session may look and receive, and nothing else. */
static void read_only(struct trial *x)
{
	const __u32 writes = ZCBUF_RIGHT_MAP_WRITE | ZCBUF_RIGHT_PRODUCE;
	int fd = zt_open(O_RDONLY);

	ASSERT_GE(fd, 0);
	ASSERT_OK(zt_pool_attach_fd(fd, x->r.fd, 0));
	hz_state(x->r.fd, &x->before);
	if (x->c->right & writes || x->c->nr == ZCBUF_NR_CHANNEL_OPEN)
		refused_by(x, "an O_RDONLY session", fd, x->t.arg, EPERM);
	leave(x, fd);
}

static void rights(const void *arg)
{
	struct trial x;
	int fd;

	trial_open(&x, arg);
	if (!x.c->anyhow)
		refused_by(&x, "a session that is not attached", x.r.fresh,
			   x.t.arg, EPERM);
	if (x.c->right) {
		fd = zt_join(x.r.fd, ZCBUF_RIGHTS_ALL & ~x.c->right);
		ASSERT_GE(fd, 0);
		hz_state(x.r.fd, &x.before);
		refused_by(&x, "a session without the right", fd, x.t.arg,
			   EPERM);
		leave(&x, fd);
	}
	if (x.c->fresh)
		refused_by(&x, "a session that is attached", x.r.fd, x.t.arg,
			   EBUSY);
	read_only(&x);
	trial_close(&x);
}

/* --------------------------------------------------------------- channels */

/* A handle that was a channel's: index of @gone, issued again or not. */
static void gone_channels(struct trial *x)
{
	__u64 gone, again;

	ASSERT_OK(zt_stream(x->r.fd, 0, 0, &gone));
	ASSERT_OK(zt_channel_close(x->r.fd, gone, 0));
	hz_state(x->r.fd, &x->before);
	call_set64(&x->t, x->c->channel, gone);
	refused(x, "a channel that is gone", ENOENT);

	ASSERT_OK(zt_stream(x->r.fd, 0, 0, &again));
	ASSERT_NE(gone, again);
	hz_state(x->r.fd, &x->before);
	call_set64(&x->t, x->c->channel, gone);
	refused(x, "a channel whose number is another's", ESTALE);
	ASSERT_OK(zt_channel_close(x->r.fd, again, 0));
	hz_state(x->r.fd, &x->before);
}

static void channels(const void *arg)
{
	struct trial x;
	int fd;

	trial_open(&x, arg);
	gone_channels(&x);
	call_set64(&x.t, x.c->channel, x.r.channel + 4000);
	refused(&x, "a channel never made", ENOENT);
	call_set64(&x.t, x.c->channel, x.r.channel + (1ULL << 40));
	refused(&x, "a generation never made", ENOENT);
	/* Any, which RELEASE is told of each entry. */
	call_set64(&x.t, x.c->channel, 0);
	if (x.c->nr != ZCBUF_NR_RECEIVE)
		refused(&x, "channel 0", EINVAL);
	call_set64(&x.t, x.c->channel, ~0ULL);
	refused(&x, "channel -1", EINVAL);
	call_set64(&x.t, x.c->channel, x.r.buffers[0]);
	refused(&x, "a buffer for a channel", EINVAL);

	fd = zt_join(x.r.fd, 0);
	ASSERT_GE(fd, 0);
	hz_state(x.r.fd, &x.before);
	refused_by(&x, "a session without a port", fd, x.t.arg,
		   x.c->nr == ZCBUF_NR_CHANNEL_CLOSE ? ENOENT : EPERM);
	leave(&x, fd);
	trial_close(&x);
}

/* ---------------------------------------------------------- the whole set */

#define EACH_CALL(F)							\
	F(0, QUERY) F(1, POOL_CREATE) F(2, POOL_ATTACH) F(3, POOL_INFO)	\
	F(4, ALLOC) F(5, FREE) F(6, CHANNEL_OPEN) F(7, CHANNEL_CLOSE)	\
	F(8, RESERVE) F(9, COMMIT) F(10, COMMIT_RESERVE) F(11, ABORT)	\
	F(12, FLUSH) F(13, FINALIZE) F(14, RECEIVE)			\
	F(15, RECEIVE_FAILED) F(16, RELEASE) F(17, EVENTFD)		\
	F(18, BUF_INFO) F(19, POOL_GROW) F(20, TRANSFER)		\
	F(21, PIN_TOKEN) F(22, SHARE) F(23, EXPORT)			\
	F(24, POOL_REMOVE) F(25, POOL_RETIRE) F(26, PUBLISH)		\
	F(27, QUEUE) F(28, WATCH) F(29, READY) F(30, HEARTBEAT)
#define EACH_WITH_ARRAYS(F)						\
	F(1, POOL_CREATE) F(2, POOL_ATTACH) F(3, POOL_INFO) F(4, ALLOC)	\
	F(5, FREE) F(6, CHANNEL_OPEN) F(8, RESERVE) F(9, COMMIT)	\
	F(10, COMMIT_RESERVE) F(11, ABORT) F(14, RECEIVE)		\
	F(15, RECEIVE_FAILED) F(16, RELEASE) F(18, BUF_INFO)		\
	F(20, TRANSFER) F(22, SHARE) F(24, POOL_REMOVE) F(26, PUBLISH)	\
	F(28, WATCH)
#define EACH_WITH_CHANNEL(F)						\
	F(7, CHANNEL_CLOSE) F(8, RESERVE) F(9, COMMIT)			\
	F(10, COMMIT_RESERVE) F(11, ABORT) F(12, FLUSH)	F(13, FINALIZE)	\
	F(14, RECEIVE) F(15, RECEIVE_FAILED) F(16, RELEASE)		\
	F(17, EVENTFD) F(26, PUBLISH) F(27, QUEUE)
#define EACH_WITH_RIGHTS(F)						\
	F(1, POOL_CREATE) F(2, POOL_ATTACH) F(3, POOL_INFO)		\
	F(4, ALLOC) F(5, FREE) F(6, CHANNEL_OPEN) EACH_WITH_CHANNEL(F)	\
	F(18, BUF_INFO) F(19, POOL_GROW) F(20, TRANSFER)		\
	F(21, PIN_TOKEN) F(22, SHARE) F(23, EXPORT)			\
	F(24, POOL_REMOVE) F(25, POOL_RETIRE) F(28, WATCH) F(29, READY)	\
	F(30, HEARTBEAT)

#define TEST_CALL(row, call)						\
	TEST_WITH(sizes, sizes_##call, &calls[row])			\
	TEST_WITH(tails, tails_##call, &calls[row])			\
	TEST_WITH(flags, flags_##call, &calls[row])			\
	TEST_WITH(argument, argument_##call, &calls[row])		\
	TEST_WITH(pool_memory, in_pool_##call, &calls[row])
#define TEST_ARRAYS(row, call)						\
	TEST_WITH(arrays, arrays_##call, &calls[row])			\
	TEST_WITH(counts, counts_##call, &calls[row])
#define TEST_RIGHTS(row, call)						\
	TEST_WITH(rights, rights_##call, &calls[row])
#define TEST_CHANNEL(row, call)						\
	TEST_WITH(channels, channels_##call, &calls[row])

EACH_CALL(TEST_CALL)
EACH_WITH_ARRAYS(TEST_ARRAYS)
EACH_WITH_RIGHTS(TEST_RIGHTS)
EACH_WITH_CHANNEL(TEST_CHANNEL)

/* The same of a call that comes from a ring. */
static void as_command(const void *arg)
{
	const struct call *c = arg;
	struct io_uring ring;

	cmd_ring_init(&ring, 0);
	trial_ring = &ring;
	sizes(c);
	tails(c);
	flags(c);
	argument(c);
	pool_memory(c);
	arrays(c);
	counts(c);
	rights(c);
	if (c->channel)
		channels(c);
	io_uring_queue_exit(&ring);
}

#define EACH_COMMAND(F)							\
	F(4, ALLOC) F(5, FREE) F(8, RESERVE) F(9, COMMIT) F(11, ABORT)	\
	F(14, RECEIVE) F(16, RELEASE) F(18, BUF_INFO) F(20, TRANSFER)	\
	F(22, SHARE) F(26, PUBLISH)
#define TEST_COMMAND(row, call)						\
	TEST_WITH(as_command, command_##call, &calls[row])

EACH_COMMAND(TEST_COMMAND)

/* What the module has the table has, and what the table has was tested. */
TEST(table_is_complete)
{
#define CALL_BIT(row, call) | 1U << ZCBUF_NR_##call
	const __u32 with_arrays = 0 EACH_WITH_ARRAYS(CALL_BIT);
	const __u32 with_rights = 0 EACH_WITH_RIGHTS(CALL_BIT);
	const __u32 with_channel = 0 EACH_WITH_CHANNEL(CALL_BIT);
	const __u32 all = 0 EACH_CALL(CALL_BIT);
	struct zcbuf_query q;
	unsigned int nr, row;

	ASSERT_OK(zt_query(zt_open(O_RDWR), &q));
	for (nr = 0; nr < ZCBUF_NR_CALLS; nr++)
		EXPECT_EQ(!!q.out_sizes[nr], all >> nr & 1);
	for (row = 0; row < NR_CALLS; row++) {
		nr = calls[row].nr;
		EXPECT_TRUE(!row || nr > calls[row - 1].nr);
		EXPECT_EQ(q.out_sizes[nr], calls[row].size);
		EXPECT_EQ(!!calls[row].arrays[0].at, with_arrays >> nr & 1);
		EXPECT_EQ(!!calls[row].channel, with_channel >> nr & 1);
		EXPECT_EQ(nr != ZCBUF_NR_QUERY, with_rights >> nr & 1);
	}
}

TEST_WITH(first_sizes, first_sizes_alloc, &calls[ZCBUF_NR_ALLOC])
TEST_WITH(first_sizes, first_sizes_reserve, &calls[ZCBUF_NR_RESERVE])
TEST_WITH(first_sizes, first_sizes_commit_reserve,
	  &calls[ZCBUF_NR_COMMIT_RESERVE])
TEST_WITH(first_sizes, first_sizes_publish, &calls[ZCBUF_NR_PUBLISH])

TEST(no_such_call)
{
	struct zcbuf_query q = zt_arg(struct zcbuf_query);
	struct rig r;
	int nr;

	rig_open(&r);
	for (nr = 0; nr < 256; nr++) {
		if (nr > ZCBUF_NR_HEARTBEAT)
			EXPECT_ERR(zt_call(r.fd, _IO(ZCBUF_IOC_TYPE, nr), &q),
				   ENOTTY);
		EXPECT_ERR(zt_call(r.fd, _IO(ZCBUF_IOC_TYPE + 1, nr), &q),
			   ENOTTY);
	}
	EXPECT_ERR(zt_call(r.fd, _IOWR(ZCBUF_IOC_TYPE, ZCBUF_NR_QUERY,
				       struct zcbuf_query), &q), ENOTTY);
	EXPECT_ERR(zt_call(r.fd, _IOR(ZCBUF_IOC_TYPE, ZCBUF_NR_QUERY, int), &q),
		   ENOTTY);
	EXPECT_ERR(zt_call(r.fd, 0, &q), ENOTTY);
	EXPECT_ERR(zt_call(r.fd, 0xffffffff, &q), ENOTTY);
	EXPECT_OK(zt_call(r.fd, ZCBUF_IOC_QUERY, &q));
	rig_close(&r);
}

/* The descriptor of a device is no socket, no regular file and no pipe. */
TEST(no_other_system_call)
{
	struct rig r;
	char byte = 0;

	rig_open(&r);
	EXPECT_EQ(read(r.fd, &byte, 1), -1);
	EXPECT_EQ(write(r.fd, &byte, 1), -1);
	EXPECT_EQ(lseek(r.fd, 0, SEEK_SET), -1);
	EXPECT_EQ(ftruncate(r.fd, 0), -1);
	EXPECT_EQ(fallocate(r.fd, 0, 0, 4096), -1);
	EXPECT_EQ(fsync(r.fd), -1);
	rig_close(&r);
}

KTAP_MAIN()

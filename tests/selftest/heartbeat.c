// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Heartbeats: a process that lives but hangs is seen, and if it has asked for that,
 * treated as dead. Nobody waits for a time here: who hangs is waited for by poll(), by
 * an allocation that needs his memory, or by a dump that shows him.
 */
#include <signal.h>
#include <sched.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "calls.h"
#include "dump.h"
#include "thread.h"

#define PERIOD	1000000		/* the shortest */
#define HOUR	3600000000000

static int heartbeat(int fd, __u64 period_ns, __u32 misses, __u32 policy,
		     int *word)
{
	struct zcbuf_heartbeat a = zt_arg(struct zcbuf_heartbeat,
		.period_ns = period_ns, .misses = misses, .policy = policy);
	int err = zt_call(fd, ZCBUF_IOC_HEARTBEAT, &a);

	if (!err)
		EXPECT_EQ(a.out_bytes, policy ? ZT_PAGE : 0);
	*word = err ? -1 : a.out_fd;
	return err;
}

static struct zcbuf_heartbeat_page *map_word(int word)
{
	void *p = mmap(NULL, ZT_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, word,
		       0);

	ASSERT_NE(p, MAP_FAILED);
	return p;
}

/* From now on it hangs, as far as the kernel can see. */
static void hang(int fd, __u32 policy)
{
	int word;

	ASSERT_OK(heartbeat(fd, PERIOD, 1, policy, &word));
	close(word);
}

/* All of the pool, as soon as nobody else has any of it. */
static __u64 take_all(int fd)
{
	__u64 handle = 0;
	struct zcbuf_alloc a = zt_arg(struct zcbuf_alloc,
		.length = ZT_ARENA, .count = 1, .handles = zt_ptr(&handle),
		.deadline_ns = ZCBUF_NO_DEADLINE);

	ASSERT_OK(zt_call(fd, ZCBUF_IOC_ALLOC, &a));
	return handle;
}

static void await_evicted(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

	do
		ASSERT_EQ(poll(&p, 1, -1), 1);
	while (!(p.revents & POLLHUP));
	EXPECT_EQ(p.revents, POLLHUP | POLLERR);
}

/* Is there such a flag in what a dump shows of the session? */
static bool shown(__u64 session, int flag)
{
	const struct nlmsghdr *n;
	struct dump d;
	bool is = false;
	int len;

	dump_begin(&d, ZCBUF_CMD_SESSION_GET);
	while ((n = dump_next(&d, sizeof(d.buf))))
		if (nl_number(n, ZCBUF_A_SESSION_ID) == session)
			is = nl_find(n, flag, &len);
	dump_end(&d);
	return is;
}

static void await_shown(__u64 session, int flag, bool is)
{
	while (shown(session, flag) != is)
		sched_yield();
}

/* ------------------------------------------------------------------ the word */

TEST(a_page_that_can_only_be_mapped)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA), word, again;
	struct zcbuf_heartbeat_page *p, *q;
	const int rw = PROT_READ | PROT_WRITE;
	char byte;

	ASSERT_OK(heartbeat(fd, HOUR, 1, ZCBUF_HEARTBEAT_REPORT, &word));
	EXPECT_EQ(fcntl(word, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(read(word, &byte, 1), -1);
	EXPECT_EQ(write(word, &byte, 1), -1);
	EXPECT_EQ(mmap(NULL, ZT_PAGE, rw, MAP_PRIVATE, word, 0), MAP_FAILED);
	EXPECT_EQ(mmap(NULL, 2 * ZT_PAGE, rw, MAP_SHARED, word, 0), MAP_FAILED);
	EXPECT_EQ(mmap(NULL, ZT_PAGE, rw, MAP_SHARED, word, ZT_PAGE),
		  MAP_FAILED);
	EXPECT_EQ(mmap(NULL, ZT_PAGE, rw | PROT_EXEC, MAP_SHARED, word, 0),
		  MAP_FAILED);
	p = map_word(word);
	EXPECT_EQ(p->beats, 0);
	p->beats = 77;
	EXPECT_EQ(mprotect(p, ZT_PAGE, rw | PROT_EXEC), -1);
	ASSERT_OK(heartbeat(fd, HOUR, 1, ZCBUF_HEARTBEAT_EVICT, &again));
	q = map_word(again);
	EXPECT_EQ(q->beats, 77);
	close(word);
	close(again);
	close(fd);
	p->beats = 78;
	EXPECT_EQ(q->beats, 78);
	munmap(p, ZT_PAGE);
	munmap(q, ZT_PAGE);
}

struct beginner {
	int fd;
	pthread_barrier_t *start;
	struct zcbuf_heartbeat_page *page;
};

static void *begin_one(void *arg)
{
	struct beginner *b = arg;
	int word;

	pthread_barrier_wait(b->start);
	ASSERT_OK(heartbeat(b->fd, HOUR, 1, ZCBUF_HEARTBEAT_REPORT, &word));
	b->page = map_word(word);
	close(word);
	return NULL;
}

/* Whoever was first: what is stored in one is there in the other. */
static void begin_two(int fd, pthread_barrier_t *start)
{
	struct beginner one = { fd, start, NULL }, two = one;
	pthread_t thread;

	ASSERT_EQ(pthread_create(&thread, NULL, begin_one, &one), 0);
	begin_one(&two);
	ASSERT_EQ(pthread_join(thread, NULL), 0);
	one.page->beats = 77;
	EXPECT_EQ(two.page->beats, 77);
	munmap(one.page, ZT_PAGE);
	munmap(two.page, ZT_PAGE);
}

TEST(two_that_begin_at_once_have_one_page)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA), s, i;
	pthread_barrier_t start;

	ASSERT_EQ(pthread_barrier_init(&start, NULL, 2), 0);
	for (i = 0; i < 50; i++) {
		s = zt_join(fd, 0);
		begin_two(s, &start);
		close(s);
	}
	pthread_barrier_destroy(&start);
	close(fd);
}

TEST(a_child_has_none)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA), word, status;
	struct zcbuf_heartbeat_page *p;
	pid_t child;

	ASSERT_OK(heartbeat(fd, HOUR, 1, ZCBUF_HEARTBEAT_REPORT, &word));
	p = map_word(word);
	child = fork();
	if (!child) {
		p->beats = 1;
		_exit(0);
	}
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	EXPECT_EQ(p->beats, 0);
	munmap(p, ZT_PAGE);
	close(word);
	close(fd);
}

TEST(bounds)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA), word;
	const __u32 report = ZCBUF_HEARTBEAT_REPORT;

	EXPECT_ERR(heartbeat(fd, PERIOD - 1, 1, report, &word), EINVAL);
	EXPECT_ERR(heartbeat(fd, HOUR + 1, 1, report, &word), EINVAL);
	EXPECT_ERR(heartbeat(fd, 0, 1, report, &word), EINVAL);
	EXPECT_ERR(heartbeat(fd, HOUR, 0, report, &word), EINVAL);
	EXPECT_ERR(heartbeat(fd, HOUR, 1001, report, &word), EINVAL);
	EXPECT_ERR(heartbeat(fd, HOUR, 1, 3, &word), EOPNOTSUPP);
	EXPECT_ERR(heartbeat(fd, HOUR, 0, ZCBUF_HEARTBEAT_NONE, &word), EINVAL);
	EXPECT_ERR(heartbeat(fd, 0, 1, ZCBUF_HEARTBEAT_NONE, &word), EINVAL);
	EXPECT_OK(heartbeat(fd, 0, 0, ZCBUF_HEARTBEAT_NONE, &word));
	EXPECT_EQ(word, -1);
	EXPECT_FALSE(shown(zt_session(fd), ZCBUF_A_SESSION_HEARTBEAT_AGE_NS));
	EXPECT_OK(heartbeat(fd, HOUR, 1000, report, &word));
	close(word);
	EXPECT_OK(heartbeat(fd, PERIOD, 1000, report, &word));
	close(word);
	EXPECT_TRUE(shown(zt_session(fd), ZCBUF_A_SESSION_HEARTBEAT_AGE_NS));
	EXPECT_OK(heartbeat(fd, 0, 0, ZCBUF_HEARTBEAT_NONE, &word));
	EXPECT_FALSE(shown(zt_session(fd), ZCBUF_A_SESSION_HEARTBEAT_AGE_NS));
	close(fd);
}

/* ------------------------------------------------------------------- REPORT */

TEST(who_hangs_is_shown_until_he_goes_on)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA), word;
	struct zcbuf_heartbeat_page *p;
	__u64 id = zt_session(fd), handle;

	ASSERT_OK(zt_alloc1(fd, ZT_PAGE, &handle));
	ASSERT_OK(heartbeat(fd, PERIOD, 2, ZCBUF_HEARTBEAT_REPORT, &word));
	p = map_word(word);
	await_shown(id, ZCBUF_A_SESSION_HUNG, true);
	EXPECT_FALSE(shown(id, ZCBUF_A_SESSION_EVICTED));
	EXPECT_OK(zt_free1(fd, handle));
	while (shown(id, ZCBUF_A_SESSION_HUNG))
		p->beats++;
	munmap(p, ZT_PAGE);
	close(word);
	close(fd);
}

/* -------------------------------------------------------------------- EVICT */

TEST(it_is_as_if_it_had_died)
{
	int fd = zt_pool(ZCBUF_POOL_TIERS, 0, ZT_ARENA), hung = zt_join(fd, 0);
	struct zcbuf_reservation r;
	struct zcbuf_delivery d;
	__u64 channel, handle[10];
	struct zcbuf_pool_info info;

	ASSERT_OK(zt_stream(fd, 0, 0, &channel));
	ASSERT_OK(zt_ports(hung, channel, ZT_ALL_PORTS));
	ASSERT_EQ(zt_alloc(hung, 64, 0, 0, handle, 10), 10);
	ASSERT_EQ(zt_alloc(hung, 3 * ZT_PAGE, 0, 0, handle, 10), 10);
	hz_put(fd, channel, 10);
	hz_put(fd, channel, 10);
	while (zt_receive(hung, channel, &d, 1, 0) == 1)
		;
	while (zt_receive(fd, channel, &d, 1, 0) == 1)
		ASSERT_OK(zt_release1(fd, channel, d.handle));
	ASSERT_OK(zt_reserve1(hung, channel, 30, &r));
	hang(hung, ZCBUF_HEARTBEAT_EVICT);
	await_evicted(hung);
	while (zt_used(fd) > ZT_PAGE)	/* of the group that failed */
		sched_yield();
	ASSERT_OK(zt_pool_info(fd, &info));
	EXPECT_EQ(info.out_sessions, 1);
	EXPECT_OK(zt_channel_close(fd, channel, 0));
	EXPECT_EQ(zt_used(fd), 0);
	EXPECT_OK(close(hung));
	close(fd);
}

static void every_call(const void *arg)
{
	const struct call *c = arg;
	struct attempt t;
	struct rig r;

	rig_open(&r);
	call_make(c, &r, &t);
	hang(r.fd, ZCBUF_HEARTBEAT_EVICT);
	await_evicted(r.fd);
	EXPECT_ERR(zt_call(r.fd, call_request(c), t.arg), ESTALE);
	rig_close(&r);
}

TEST(each_call_is_told)
{
	unsigned int i;

	for (i = 0; i < NR_CALLS; i++)
		every_call(&calls[i]);
}

TEST(nobody_gets_in_by_it)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA), hung = zt_join(fd, 0);
	int fresh = zt_open(O_RDWR);
	__u64 id = zt_session(hung), handle;

	ASSERT_OK(zt_alloc1(fd, ZT_PAGE, &handle));
	hang(hung, ZCBUF_HEARTBEAT_EVICT);
	await_evicted(hung);
	EXPECT_TRUE(shown(id, ZCBUF_A_SESSION_EVICTED));
	EXPECT_ERR(zt_pool_attach_fd(fresh, hung, 0), ESTALE);
	EXPECT_EQ(zt_map(hung, PROT_READ, ZT_PAGE), NULL);
	EXPECT_EQ(errno, ESTALE);
	ASSERT_OK(zt_free1(fd, handle));
	take_all(fd);
	close(hung);
	EXPECT_FALSE(shown(id, ZCBUF_A_SESSION_EVICTED));
	close(fresh);
	close(fd);
}

static void *wait_for_memory(void *arg)
{
	__u64 handle;
	struct zcbuf_alloc a = zt_arg(struct zcbuf_alloc,
		.length = ZT_PAGE, .count = 1, .handles = zt_ptr(&handle),
		.deadline_ns = ZCBUF_NO_DEADLINE);

	EXPECT_ERR(zt_call(*(int *)arg, ZCBUF_IOC_ALLOC, &a), ESTALE);
	return NULL;
}

static void *wait_for_names(void *arg)
{
	struct zcbuf_watch a = zt_arg(struct zcbuf_watch,
		.entry_size = sizeof(struct zcbuf_watch_entry),
		.deadline_ns = ZCBUF_NO_DEADLINE);

	/* The first call answers: with what there is now. */
	EXPECT_OK(zt_call(*(int *)arg, ZCBUF_IOC_WATCH, &a));
	a.since = a.out_generation;
	a.out_generation = 0;
	EXPECT_ERR(zt_call(*(int *)arg, ZCBUF_IOC_WATCH, &a), ESTALE);
	return NULL;
}

static void *wait_for_any(void *arg)
{
	struct zcbuf_delivery d;

	EXPECT_ERR(zt_receive(*(int *)arg, 0, &d, 1, ZCBUF_NO_DEADLINE),
		   ESTALE);
	return NULL;
}

TEST(who_waits_is_told)
{
	void *(*const waits[])(void *) = {
		wait_for_memory, wait_for_names, wait_for_any,
	};
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	__u64 handle, channel;
	size_t i;

	ASSERT_OK(zt_stream(fd, ZT_PAGE, 0, &channel));
	while (!zt_alloc1(fd, ZT_PAGE, &handle))
		;
	for (i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		int hung = zt_join(fd, 0);
		struct thread t = { .run = waits[i], .arg = &hung };

		ASSERT_OK(zt_ports(hung, channel, ZCBUF_PORT_CONSUME));
		thread_start(&t, SYS_ioctl);
		hang(hung, ZCBUF_HEARTBEAT_EVICT);
		thread_join(&t);
		close(hung);
	}
	close(fd);
}

/* ------------------------------------------------------------ late stores */

static sigjmp_buf late;

static void on_sigbus(int sig)
{
	(void)sig;
	siglongjmp(late, 1);
}

/* Can it be touched? */
static bool touch(volatile char *p, bool store)
{
	bool can = false;

	signal(SIGBUS, on_sigbus);
	if (!sigsetjmp(late, 1)) {
		if (store)
			*p = 0x66;
		else
			(void)*p;
		can = true;
	}
	signal(SIGBUS, SIG_DFL);
	return can;
}

/* It comes back to life, stores where it did before, and goes on. */
static void stop_and_go(int donor, struct zt_turns *t)
{
	int fd = zt_join(donor, 0);
	__u64 handle;
	char *map;

	close(donor);
	map = zt_map(fd, PROT_READ | PROT_WRITE, ZT_ARENA);
	ASSERT_NE(map, NULL);
	ASSERT_OK(zt_alloc1(fd, ZT_ARENA / 2, &handle));
	memset(map, 0x55, ZT_ARENA);
	hang(fd, ZCBUF_HEARTBEAT_EVICT);
	ASSERT_OK(zt_tell_parent(t));
	raise(SIGSTOP);
	EXPECT_FALSE(touch(map + zcbuf_buf_offset(handle), true));
	EXPECT_FALSE(touch(map, true));
	EXPECT_FALSE(touch(map + ZT_ARENA - 1, true));
	EXPECT_FALSE(touch(map, false));
	EXPECT_EQ(getcwd(map, ZT_PAGE), NULL);
	EXPECT_EQ(errno, EFAULT);
	EXPECT_ERR(zt_free1(fd, handle), ESTALE);
	EXPECT_OK(munmap(map, ZT_ARENA));
	EXPECT_OK(close(fd));
}

/* Who takes all the memory of a child that is hung, and fills it. */
struct heir {
	int fd;
	char *map;
	struct zt_turns turns;
	pid_t child;
};

/* Until the child, in @hang_there, has said that it is hung. */
static void heir_begin(struct heir *h, __u32 flags,
		       void (*hang_there)(int fd, struct zt_turns *t))
{
	h->fd = zt_pool(ZCBUF_POOL_PAGES, flags, ZT_ARENA);
	h->map = zt_map(h->fd, PROT_READ | PROT_WRITE, ZT_ARENA);
	ASSERT_NE(h->map, NULL);
	ASSERT_OK(zt_turns_init(&h->turns));
	h->child = fork();
	if (!h->child) {
		zt_turns_child(&h->turns);
		hang_there(h->fd, &h->turns);
		_exit(0);
	}
	zt_turns_parent(&h->turns);
	ASSERT_OK(zt_await_child(&h->turns));
}

static __u64 heir_fill(struct heir *h)
{
	__u64 handle = take_all(h->fd);

	memset(h->map, 0x77, ZT_ARENA);
	return handle;
}

/* The child goes on, and ends. */
static void heir_end(struct heir *h)
{
	EXPECT_STATUS(h->child, 0);
	EXPECT_FILLED(h->map, 0x77, ZT_ARENA);
	munmap(h->map, ZT_ARENA);
	close(h->fd);
}

static void a_process_is_stopped(const void *arg)
{
	struct heir h;
	int status;

	heir_begin(&h, *(const __u32 *)arg, stop_and_go);
	ASSERT_EQ(waitpid(h.child, &status, WUNTRACED), h.child);
	ASSERT_TRUE(WIFSTOPPED(status));
	EXPECT_EQ(zcbuf_buf_offset(heir_fill(&h)), 0);
	ASSERT_OK(kill(h.child, SIGCONT));
	heir_end(&h);
}

static const __u32 any;
static const __u32 small = ZCBUF_POOL_F_SMALL_PAGES;

TEST_WITH(a_process_is_stopped, stopped_huge_pages, &any)
TEST_WITH(a_process_is_stopped, stopped_small_pages, &small)

/* Not stopped: it stores as fast as it can, and faults as often. */
static void store_without_end(int donor, struct zt_turns *t)
{
	int fd = zt_join(donor, 0);
	volatile char *map = zt_map(fd, PROT_READ | PROT_WRITE, ZT_ARENA);
	__u64 handle;
	size_t at;

	close(donor);
	ASSERT_OK(zt_alloc1(fd, ZT_ARENA, &handle));
	hang(fd, ZCBUF_HEARTBEAT_EVICT);
	ASSERT_OK(zt_tell_parent(t));
	signal(SIGBUS, on_sigbus);
	if (!sigsetjmp(late, 1))
		for (;;) {
			for (at = 0; at < ZT_ARENA; at += ZT_PAGE)
				map[at] = 0x66;
			madvise((void *)map, ZT_ARENA, MADV_DONTNEED);
		}
	EXPECT_ERR(zt_free1(fd, handle), ESTALE);
}

TEST(one_that_never_stops_storing)
{
	struct heir h;

	heir_begin(&h, ZCBUF_POOL_F_SMALL_PAGES, store_without_end);
	heir_fill(&h);
	heir_end(&h);
}

/* A bare pool's mapping is a child's as well. */
TEST(what_a_child_has_of_it_is_revoked_too)
{
	int hung = zt_open(O_RDWR), fd;
	char *map = zt_map(hung, PROT_READ | PROT_WRITE, ZT_ARENA);
	struct zt_turns t;
	__u64 handle;
	pid_t child;

	ASSERT_NE(map, NULL);
	map[0] = 1;
	fd = zt_join(hung, 0);
	ASSERT_GE(fd, 0);
	ASSERT_OK(zt_turns_init(&t));
	child = fork();
	if (!child) {
		zt_turns_child(&t);
		map[0] = 2;
		ASSERT_OK(zt_await_parent(&t));
		_exit(touch(map, true));
	}
	zt_turns_parent(&t);
	ASSERT_OK(zt_alloc1(hung, ZT_PAGE, &handle));
	hang(hung, ZCBUF_HEARTBEAT_EVICT);
	take_all(fd);
	EXPECT_FALSE(touch(map, false));
	ASSERT_OK(zt_tell_child(&t));
	EXPECT_STATUS(child, 0);
	munmap(map, ZT_ARENA);
	close(hung);
	close(fd);
}

/* Two of one process: what the other has mapped stays. */
TEST(another_session_of_the_process_goes_on)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA), hung = zt_join(fd, 0);
	char *ours = zt_map(fd, PROT_READ | PROT_WRITE, ZT_ARENA);
	char *its = zt_map(hung, PROT_READ | PROT_WRITE, ZT_ARENA);
	__u64 handle;

	ASSERT_TRUE(ours && its);
	its[0] = ours[1] = 7;
	ASSERT_OK(zt_alloc1(hung, ZT_PAGE, &handle));
	hang(hung, ZCBUF_HEARTBEAT_EVICT);
	take_all(fd);
	EXPECT_FALSE(touch(its, false));
	EXPECT_TRUE(touch(ours, true));
	munmap(ours, ZT_ARENA);
	munmap(its, ZT_ARENA);
	close(hung);
	close(fd);
}

KTAP_MAIN()

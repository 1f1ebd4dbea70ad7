// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Tracepoints: whatever there is fires, and says which object it is about.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>

#include "common.h"
#include "ktap.h"

#define TRACING	"/sys/kernel/tracing/"
#define EVENTS	TRACING "events/zcbuf/"

static char trace[1 << 20];

/* Also what is empty makes a difference: O_TRUNC clears. */
static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	ASSERT_GE(fd, 0);
	if (*text)
		ASSERT_EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void read_trace(void)
{
	int fd = open(TRACING "trace", O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t got;

	ASSERT_GE(fd, 0);
	while ((got = read(fd, trace + n, sizeof(trace) - 1 - n)) > 0)
		n += got;
	trace[n] = '\0';
	close(fd);
}

/*
 * From now on, by process @pid alone, or by all there are (0). Not by
 * set_event_pid, which patches the scheduler while all CPUs run it: an emulator
 * with several threads is not always up to that.
 */
static void trace_begin(pid_t pid)
{
	char text[32] = "0";

	if (access(EVENTS, F_OK))
		SKIP("this kernel traces no events");
	if (pid)
		snprintf(text, sizeof(text), "common_pid == %d", pid);
	write_file(EVENTS "filter", text);
	write_file(TRACING "trace", "");
	write_file(EVENTS "enable", "1");
}

static void trace_end(void)
{
	write_file(EVENTS "enable", "0");
	read_trace();
	write_file(EVENTS "filter", "0");
	write_file(TRACING "trace", "");
}

/* Is there such a line, from the event's name on? */
static bool __attribute__((format(printf, 1, 2))) traced(const char *fmt, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (strstr(trace, line))
		return true;
	TEST_LOG("no such event: %s", line);
	return false;
}

/*
 * struct story - one of everything
 * @q: of a session, which is gone in the end
 * @other: id of another one of that pool
 */
struct story {
	struct zcbuf_query q;
	__u64 other;
	__u64 buffer;
	__u64 channel;
	__u64 delivery;
	__u64 published;
};

static void tell(struct story *s)
{
	struct zcbuf_pool_create c = zt_arg(struct zcbuf_pool_create,
		.arena_size = ZT_ARENA, .max_size = 2 * ZT_ARENA);
	int keep = zt_pool_as(&c);
	int fd = zt_join(keep, 0);
	struct zcbuf_reservation r;
	struct zcbuf_pool_retire gone = zt_arg(struct zcbuf_pool_retire,
		.arena = 1);
	struct zcbuf_publication p = {};
	struct zcbuf_finalize f;
	struct zcbuf_delivery d;
	__u64 left, given;

	ASSERT_GE(fd, 0);
	ASSERT_OK(zt_query(fd, &s->q));
	s->other = zt_session(keep);
	ASSERT_OK(zt_pool_grow(fd, NULL));
	ASSERT_OK(zt_call(fd, ZCBUF_IOC_POOL_RETIRE, &gone));
	ASSERT_OK(zt_alloc1(fd, 5000, &s->buffer));
	ASSERT_OK(zt_free1(fd, s->buffer));
	ASSERT_ERR(zt_free1(fd, s->buffer), EBADSLT);
	ASSERT_OK(zt_alloc1(fd, 4096, &left));
	ASSERT_OK(zt_alloc1(fd, 4096, &given));
	ASSERT_EQ(zt_transfer(fd, s->other, &given, 1), 1);
	ASSERT_ERR(zt_share(fd, s->other, &given, 1), EPERM);
	ASSERT_EQ(zt_share(keep, s->q.out_session, &given, 1), 1);
	ASSERT_OK(zt_stream(fd, 0, 0, &s->channel));
	ASSERT_OK(zt_reserve1(fd, s->channel, 100, &r));
	ASSERT_OK(zt_commit1(fd, s->channel, &r));
	ASSERT_EQ(zt_receive(fd, s->channel, &d, 1, 0), 1);
	s->delivery = d.handle;
	ASSERT_OK(zt_release1(fd, s->channel, d.handle));
	ASSERT_OK(zt_reserve1(fd, s->channel, 70, &r));
	ASSERT_OK(zt_abort1(fd, s->channel, &r));
	ASSERT_OK(zt_alloc1(fd, 4096, &s->published));
	p.handle = s->published;
	p.length = 50;
	ASSERT_EQ(zt_publish(fd, s->channel, &p, 1, 0, 0), 1);
	ASSERT_EQ(zt_receive(fd, s->channel, &d, 1, 0), 1);
	ASSERT_OK(zt_release1(fd, s->channel, d.handle));
	ASSERT_OK(zt_finalize(fd, s->channel, &f));
	close(fd);
	close(keep);
}

TEST(events_say_what_happened)
{
	struct story s;

	trace_begin(getpid());
	tell(&s);
	trace_end();
#define POOL	"pool=0x%llx ", s.q.out_pool
#define HAS(n)	"pool=0x%llx size=%llu ", s.q.out_pool, (n) * ZT_ARENA
#define POOL_AND(rest)	"pool=0x%llx " rest, s.q.out_pool
#define IN(fmt)	"pool=0x%llx session=%llu " fmt, s.q.out_pool, s.q.out_session
#define OF(fmt)	"channel=0x%llx " fmt, s.channel
	EXPECT_TRUE(traced("zcbuf_pool_create: " HAS(1)));
	EXPECT_TRUE(traced("zcbuf_pool_grow: " HAS(2)));
	EXPECT_TRUE(traced("zcbuf_pool_retire: " POOL_AND("arena=1 state=1")));
	EXPECT_TRUE(traced("zcbuf_alloc: " IN("length=5000 done=1 err=0")));
	EXPECT_TRUE(traced("zcbuf_free: " IN("done=1 err=0")));
	EXPECT_TRUE(traced("zcbuf_free: " IN("done=0 err=%d"), -EBADSLT));
	EXPECT_TRUE(traced("zcbuf_bad_free: pool=0x%llx handle=0x%llx err=%d",
			   s.q.out_pool, s.buffer, -EBADSLT));
	EXPECT_TRUE(traced("zcbuf_transfer: " IN("to=%llu done=1 err=0"),
			   s.other));
	EXPECT_TRUE(traced("zcbuf_share: " IN("to=%llu done=0 err=%d"),
			   s.other, -EPERM));
	EXPECT_TRUE(traced("zcbuf_share: pool=0x%llx session=%llu to=%llu done=1 err=0",
			   s.q.out_pool, s.other, s.q.out_session));
	EXPECT_TRUE(traced("zcbuf_reserve: "
			   OF("id=0 group=0 offset=0 length=100")));
	EXPECT_TRUE(traced("zcbuf_commit: " OF("id=0 length=100 err=0")));
	EXPECT_TRUE(traced("zcbuf_ready: "
			   OF("session=%llu queue=success n=1"),
			   s.q.out_session));
	EXPECT_TRUE(traced("zcbuf_deliver: "
			   OF("group=0 offset=0 length=100")));
	EXPECT_TRUE(traced("zcbuf_release: " OF("id=0x%llx err=0"),
			   s.delivery));
	EXPECT_TRUE(traced("zcbuf_group_free: " OF("group=0")));
	EXPECT_TRUE(traced("zcbuf_abort: " OF("id=0x1 err=0")));
	EXPECT_TRUE(traced("zcbuf_publish: "
			   OF("group=2 buffer=0x%llx length=50 delivered=1 dropped=0"),
			   s.published));
	EXPECT_TRUE(traced("zcbuf_finalize: "
			   OF("success=0 failure=0 reservations=0")));
	EXPECT_TRUE(traced("zcbuf_reclaim: " IN("blocks=1 objects=0 shares=1")));
}

/* Dies before its token does; all is over when this returns. */
static void tell_of_quarantine(struct zcbuf_query *q)
{
	struct zcbuf_pin_token a = zt_arg(struct zcbuf_pin_token);
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	__u64 handle;

	ASSERT_OK(zt_query(fd, q));
	ASSERT_OK(zt_alloc1(fd, 8192, &handle));
	ASSERT_OK(zt_call(fd, ZCBUF_IOC_PIN_TOKEN, &a));
	close(fd);
	close(a.out_fd);
	/* The end of the pool waits for it. */
	EXPECT_EQ(zt_await_charged(0), 0);
}

TEST(quarantine)
{
	struct zcbuf_query q;

	trace_begin(0);
	tell_of_quarantine(&q);
	trace_end();
	EXPECT_TRUE(traced("zcbuf_quarantine: pool=0x%llx session=%llu "
			   "bytes=8192 age_ns=0", q.out_pool, q.out_session));
	EXPECT_TRUE(traced("zcbuf_quarantine: pool=0x%llx session=%llu "
			   "bytes=0 age_ns=", q.out_pool, q.out_session));
}

/* It hangs, is found, and all is over when this returns. */
static void tell_of_a_heartbeat(struct zcbuf_query *q)
{
	struct zcbuf_heartbeat a = zt_arg(struct zcbuf_heartbeat,
		.period_ns = 1000000, .misses = 1,
		.policy = ZCBUF_HEARTBEAT_EVICT);
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);

	ASSERT_OK(zt_query(fd, q));
	ASSERT_OK(zt_call(fd, ZCBUF_IOC_HEARTBEAT, &a));
	close(a.out_fd);
	while (!(zt_poll(fd, 1000) & POLLHUP))
		;
	close(fd);
}

TEST(heartbeat)
{
	struct zcbuf_query q;

	trace_begin(0);
	tell_of_a_heartbeat(&q);
	trace_end();
	EXPECT_TRUE(traced("zcbuf_heartbeat: pool=0x%llx session=%llu age_ns=",
			   q.out_pool, q.out_session));
	EXPECT_TRUE(traced("zcbuf_evict: pool=0x%llx session=%llu all=1",
			   q.out_pool, q.out_session));
}

/* Objects of fixed classes are objects as well. */
TEST(reclaim_of_a_fixed_pool)
{
	int fd = zt_pool(ZCBUF_POOL_FIXED, 0, 0);
	__u64 h[3];

	ASSERT_EQ(zt_alloc(fd, 1, 0, 0, h, 3), 3);
	trace_begin(0);
	close(fd);
	trace_end();
	EXPECT_TRUE(traced("blocks=0 objects=3 shares=0"));
}

/* The end of a pool is nobody's call. */
TEST(every_event_fires)
{
	char name[300];
	struct zcbuf_query q;
	struct dirent *e;
	struct story s;
	DIR *dir;

	ASSERT_EQ(zt_await_charged(0), 0);
	trace_begin(0);
	tell(&s);
	tell_of_quarantine(&q);
	tell_of_a_heartbeat(&q);
	ASSERT_EQ(zt_await_charged(0), 0);
	trace_end();
	dir = opendir(EVENTS);
	ASSERT_TRUE(dir);
	while ((e = readdir(dir))) {
		snprintf(name, sizeof(name), "%s: ", e->d_name);
		if (!strncmp(name, "zcbuf_", 6))
			EXPECT_TRUE(traced("%s", name));
	}
	closedir(dir);
	EXPECT_TRUE(traced("zcbuf_pool_free: " POOL));
}

KTAP_MAIN()

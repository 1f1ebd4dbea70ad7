// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * zcctl on the real module: every verb, as root and as others, in JSON and in
 * columns, against what this process knows about its own pools.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "zcctl.h"

/* A pool of that name with one of everything in use. */
struct scene {
	int fd;
	struct zcbuf_query q;
	__u64 channel;
	struct zcbuf_delivery held;
};

static void make_scene(struct scene *s, const char *name, unsigned int mode)
{
	struct zcbuf_reservation r;
	__u64 buffers[3];

	s->fd = zt_open(O_RDWR);
	ASSERT_GE(s->fd, 0);
	ASSERT_OK(zt_pool_create_named(s->fd, name, mode));
	s->q = query(s->fd);
	ASSERT_EQ(zt_alloc(s->fd, 8192, 0, 0, buffers, 3), 3);
	ASSERT_OK(zt_stream(s->fd, 0, 0, &s->channel));
	ASSERT_OK(zt_reserve1(s->fd, s->channel, 5000, &r));
	ASSERT_OK(zt_commit1(s->fd, s->channel, &r));
	ASSERT_EQ(zt_receive(s->fd, s->channel, &s->held, 1, 0), 1);
	ASSERT_OK(zt_reserve1(s->fd, s->channel, 100, &r));
}

/* -------------------------------------------------------------------- events */

/* A program that writes to @out; the reading end is returned. */
static pid_t start_watch(int *out, const char *option)
{
	int pipes[2];
	pid_t pid;

	ASSERT_OK(pipe2(pipes, O_CLOEXEC));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		dup2(pipes[1], 1);
		execlp("zcctl", "zcctl", "-j", "channel", "watch", option,
		       NULL);
		_exit(127);
	}
	close(pipes[1]);
	*out = pipes[0];
	return pid;
}

/* Something happens, again and again, until the first of it was written. */
static void happen_until_heard(int fd, int out)
{
	struct pollfd p = { .fd = out, .events = POLLIN };
	__u64 ch;

	do {
		ASSERT_OK(zt_stream(fd, 0, 0, &ch));
		ASSERT_OK(zt_channel_close(fd, ch, 0));
	} while (!TEMP_FAILURE_RETRY(poll(&p, 1, 1)));
}

TEST(watch_so_many)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA), out;
	pid_t pid = start_watch(&out, "--count=3");
	char text[8192], *line;
	ssize_t n, len = 0;

	ASSERT_GE(fd, 0);
	happen_until_heard(fd, out);
	while ((n = read(out, text + len, sizeof(text) - 1 - len)) > 0)
		len += n;
	text[len] = 0;
	EXPECT_STATUS(pid, 0);
	for (n = 0, line = text; (line = strchr(line, '\n')); n++, line++)
		;
	EXPECT_EQ(n, 3);
	EXPECT_EQ(strncmp(text, "{\"what\":\"", 9), 0);
}

TEST(watch_interrupted)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA), out;
	pid_t pid = start_watch(&out, NULL);

	ASSERT_GE(fd, 0);
	happen_until_heard(fd, out);
	ASSERT_OK(kill(pid, SIGINT));
	EXPECT_STATUS(pid, 0);
}

TEST(watch_takes_a_capability)
{
	ASSERT_OK(zt_become(ZT_USER, ZT_GROUP));
	free(expect("zcctl channel watch", 1,
		    "only who has CAP_SYS_ADMIN may see what happens"));
}

/* --------------------------------------------------------------------- lists */

TEST(pools)
{
	struct zcbuf_pool_info info = {};
	struct scene s;
	char *flat;
	int i;

	make_scene(&s, "zcctl-pools", 0640);
	ASSERT_OK(zt_pool_info(s.fd, &info));
	flat = expect_json("zcctl -j pool list", 0);
	i = element(flat, "pools", "handle", hex(s.q.out_pool));
	ASSERT_GE(i, 0);
	EXPECT_STREQ(get(flat, "pools", i, "name"), "\"zcctl-pools\"");
	EXPECT_STREQ(get(flat, "pools", i, "kind"), "\"pages\"");
	EXPECT_STREQ(get(flat, "pools", i, "mode"), "\"0640\"");
	EXPECT_STREQ(get(flat, "pools", i, "uid"), dec(geteuid()));
	EXPECT_STREQ(get(flat, "pools", i, "size"), dec(info.out_size));
	EXPECT_STREQ(get(flat, "pools", i, "used"), dec(info.out_used));
	EXPECT_STREQ(get(flat, "pools", i, "min_free"), dec(info.out_min_free));
	EXPECT_STREQ(get(flat, "pools", i, "max_size"), dec(info.out_max_size));
	EXPECT_STREQ(get(flat, "pools", i, "max_used"), dec(info.out_max_used));
	EXPECT_STREQ(get(flat, "pools", i, "largest_free"),
		     dec(info.out_largest_free));
	EXPECT_STREQ(get(flat, "pools", i, "sessions"), "1");
	EXPECT_STREQ(get(flat, "pools", i, "channels"), "1");
	EXPECT_STREQ(get(flat, "pools", i, "zombie"), "false");
	EXPECT_STREQ(get(flat, "pools", i, "classes"), "[]");
	EXPECT_GE(info.out_used, 3 * 8192 + 2 * 4096);
	free(flat);
}

/* What is free by size adds up to what is free. */
TEST(free_blocks)
{
	struct zcbuf_pool_info info = {};
	unsigned long long sum = 0;
	struct scene s;
	char *flat, path[64], value[32];
	__u64 size;
	int i;

	make_scene(&s, "zcctl-blocks", 0);
	ASSERT_OK(zt_pool_info(s.fd, &info));
	flat = expect_json("zcctl -j pool show zcctl-blocks", 0);
	for (i = 0, size = 4096;; i++, size *= 2) {
		snprintf(path, sizeof(path), "pools.0.free_blocks.%d.size", i);
		if (!*json_get(flat, path, value, sizeof(value)))
			break;
		EXPECT_STREQ(value, dec(size));
		snprintf(path, sizeof(path), "pools.0.free_blocks.%d.count", i);
		json_get(flat, path, value, sizeof(value));
		sum += size * strtoull(value, NULL, 10);
	}
	EXPECT_GT(i, 5);
	EXPECT_EQ(sum, info.out_size - info.out_used);
	free(flat);
}

TEST(classes)
{
	int fd = zt_pool(ZCBUF_POOL_TIERS, 0, ZT_ARENA);
	__u64 handles[5];
	char line[64], *flat;

	ASSERT_EQ(zt_alloc(fd, 1000, 0, 0, handles, 5), 5);
	snprintf(line, sizeof(line), "zcctl -j pool show 0x%llx",
		 (unsigned long long)query(fd).out_pool);
	flat = expect_json(line, 0);
	EXPECT_STREQ(get(flat, "pools.0.classes", 0, "length"), "16");
	EXPECT_STREQ(get(flat, "pools.0.classes", 3, "length"), "1024");
	EXPECT_STREQ(get(flat, "pools.0.classes", 3, "used"), "5");
	EXPECT_STREQ(get(flat, "pools.0.classes", 3, "waste"), "3072");
	EXPECT_STREQ(get(flat, "pools.0.classes", 4, "waste"), "0");
	EXPECT_STREQ(get(flat, "pools.0.classes", 7, "length"), "262144");
	EXPECT_STREQ(get(flat, "pools.0.classes", 8, "length"), "");
	free(flat);
}

struct busy {
	int fd;
	atomic_bool stop;
};

static void *allocate(void *arg)
{
	struct busy *b = arg;
	__u64 h[8];

	while (!b->stop) {
		ASSERT_EQ(zt_alloc(b->fd, 8192, 0, 0, h, 8), 8);
		ASSERT_EQ(zt_free(b->fd, h, 8), 8);
	}
	return NULL;
}

/* The columns of the first class say the same. */
static void class_of_ten(const char *pool)
{
	char line[64], *out, *flat;

	snprintf(line, sizeof(line), "zcctl -j pool show %s", pool);
	flat = expect_json(line, 0);
	EXPECT_STREQ(get(flat, "pools", 0, "kind"), "\"fixed\"");
	EXPECT_STREQ(get(flat, "pools.0.classes", 0, "total"), "10");
	EXPECT_STREQ(get(flat, "pools.0.classes", 0, "used"), "1");
	EXPECT_STREQ(get(flat, "pools.0.classes", 0, "min_free"), "7");
	EXPECT_STREQ(get(flat, "pools.0.classes", 0, "waste"), "null");
	EXPECT_STREQ(get(flat, "pools.0.classes", 1, "total"), "32");
	free(flat);
	snprintf(line, sizeof(line), "zcctl pool show %s", pool);
	out = expect(line, 0, "");
	EXPECT_TRUE(strstr(out, "\n   4KiB     1     10         7      -\n"));
	free(out);
}

TEST(scenario_46_classes_of_a_fixed_pool)
{
	static const struct zcbuf_class table[] = { { 4096, 10 }, { 8192, 32 } };
	struct zcbuf_pool_create a = zt_arg(struct zcbuf_pool_create,
		.kind = ZCBUF_POOL_FIXED, .nclasses = 2,
		.classes = zt_ptr(table));
	struct busy b = { .fd = zt_open(O_RDWR) };
	pthread_t t[4];
	char pool[32];
	__u64 h[3];
	int i;

	ASSERT_OK(zt_call(b.fd, ZCBUF_IOC_POOL_CREATE, &a));
	snprintf(pool, sizeof(pool), "0x%llx", (unsigned long long)a.out_pool);
	ASSERT_EQ(zt_alloc(b.fd, 1, 0, 0, h, 3), 3);
	ASSERT_EQ(zt_free(b.fd, h, 2), 2);
	class_of_ten(pool);
	for (i = 0; i < 4; i++)
		ASSERT_OK(pthread_create(&t[i], NULL, allocate, &b));
	for (i = 0; i < KTAP_TRIES(5); i++)
		class_of_ten(pool);
	b.stop = true;
	for (i = 0; i < 4; i++)
		ASSERT_OK(pthread_join(t[i], NULL));
}

/* What zcctl says of the pool with this handle, or "" if it is gone. */
static const char *zombie(__u64 handle)
{
	char *flat = expect_json("zcctl -j pool list", 0);
	int i = element(flat, "pools", "handle", hex(handle));
	const char *value = i < 0 ? "" : get(flat, "pools", i, "zombie");

	free(flat);
	return value;
}

/* A page in a pipe keeps what is left of a pool, and that can be seen. */
TEST(zombies)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA), pipes[2];
	char *p = zt_map(fd, PROT_READ | PROT_WRITE, ZT_ARENA), byte;
	__u64 handle = query(fd).out_pool;
	struct iovec iov = { p, 1 };

	ASSERT_TRUE(p);
	ASSERT_OK(pipe(pipes));
	p[0] = 'z';
	ASSERT_EQ(vmsplice(pipes[1], &iov, 1, 0), 1);
	munmap(p, ZT_ARENA);
	EXPECT_STREQ(zombie(handle), "false");
	close(fd);
	while (strcmp(zombie(handle), "true"))
		usleep(10000);
	ASSERT_EQ(read(pipes[0], &byte, 1), 1);
	EXPECT_EQ(byte, 'z');
	while (*zombie(handle))
		usleep(10000);
}

TEST(sessions)
{
	struct scene s;
	char *flat;
	int i;

	ASSERT_OK(prctl(PR_SET_NAME, "q\"\\\n\xff"));
	make_scene(&s, "zcctl-sessions", 0);
	flat = expect_json("zcctl -j session list zcctl-sessions", 0);
	i = element(flat, "sessions", "id", dec(s.q.out_session));
	ASSERT_EQ(i, 0);
	EXPECT_STREQ(get(flat, "sessions", 0, "pool"), hex(s.q.out_pool));
	EXPECT_STREQ(get(flat, "sessions", 0, "pool_name"), "\"zcctl-sessions\"");
	EXPECT_STREQ(get(flat, "sessions", 0, "pid"), dec(getpid()));
	EXPECT_STREQ(get(flat, "sessions", 0, "comm"), "\"q\\\"\\\\\\u000a\\ufffd\"");
	EXPECT_STREQ(get(flat, "sessions", 0, "buffers"), "3");
	EXPECT_STREQ(get(flat, "sessions", 0, "bytes"), dec(3 * 8192));
	EXPECT_STREQ(get(flat, "sessions", 0, "pending"), "1");
	EXPECT_STREQ(get(flat, "sessions", 0, "held"), "1");
	EXPECT_STREQ(get(flat, "sessions", 0, "rights.4"), "\"admin\"");
	EXPECT_STREQ(get(flat, "sessions", 1, "id"), "");
	free(flat);
}

TEST(channels)
{
	struct scene s;
	char *flat;

	make_scene(&s, "zcctl-channels", 0);
	flat = expect_json("zcctl -j channel list zcctl-channels", 0);
	EXPECT_STREQ(get(flat, "channels", 0, "handle"), hex(s.channel));
	EXPECT_STREQ(get(flat, "channels", 0, "pool"), hex(s.q.out_pool));
	EXPECT_STREQ(get(flat, "channels", 0, "producers"), "1");
	EXPECT_STREQ(get(flat, "channels", 0, "consumers"), "1");
	EXPECT_STREQ(get(flat, "channels", 0, "reservations"), "2");
	EXPECT_STREQ(get(flat, "channels", 0, "offset"), "5100");
	EXPECT_STREQ(get(flat, "channels", 0, "pending"), "1");
	EXPECT_STREQ(get(flat, "channels", 0, "delivered"), "1");
	EXPECT_STREQ(get(flat, "channels", 0, "finalized"), "false");
	EXPECT_STREQ(get(flat, "channels", 0, "mode"), "\"stream\"");
	EXPECT_STREQ(get(flat, "channels", 0, "service"), "null");
	EXPECT_STREQ(get(flat, "channels", 1, "handle"), "");
	free(flat);
}

/* The cell of the first row below @title. */
static const char *cell(char *out, const char *title)
{
	char *row = strchr(out, '\n'), *head, *h, *c, *save_h, *save_c;

	ASSERT_TRUE(row);
	head = strndup(out, row - out);
	c = strtok_r(strdup(row + 1), " \n", &save_c);
	for (h = strtok_r(head, " ", &save_h); h && c;
	     h = strtok_r(NULL, " ", &save_h)) {
		if (!strcmp(h, title))
			return c;
		c = strtok_r(NULL, " \n", &save_c);
	}
	return "no such column";
}

#define LABEL	"a-label-of-64-bytes-.......................................-end."

/* One that has kept two and lost two, with labels as long as they may be. */
static void make_topic(const char *pool)
{
	struct zcbuf_channel_name n = {
		.domain_len = 3, .service_len = ZCBUF_MAX_LABEL,
		.instance_len = 5, .event_len = 1, .domain = "lab",
		.instance = "Front", .event = "x",
	};
	struct zcbuf_channel_open a = {
		.flags = ZCBUF_CHANNEL_F_TOPIC, .name = zt_ptr(&n),
		.ports = ZCBUF_PORT_PRODUCE | ZCBUF_PORT_CONSUME, .history = 2,
		.policy = ZCBUF_POLICY_DROP_NEWEST, .depth = 1,
	};
	struct zcbuf_publication p = {};
	int fd = zt_open(O_RDWR), i;

	memcpy(n.service, LABEL, ZCBUF_MAX_LABEL);
	ASSERT_OK(zt_pool_create_named(fd, pool, 0));
	ASSERT_OK(zt_channel_open(fd, &a));
	for (i = 0; i < 3; i++) {
		ASSERT_OK(zt_alloc1(fd, 4096, &p.handle));
		ASSERT_EQ(zt_publish(fd, a.out_channel, &p, 1, 0, 0), 1);
	}
}

TEST(topics)
{
	char *flat, *out;

	make_topic("zcctl-topics");
	flat = expect_json("zcctl -j channel show zcctl-topics", 0);
	EXPECT_STREQ(get(flat, "channels", 0, "domain"), "\"lab\"");
	EXPECT_STREQ(get(flat, "channels", 0, "service"), "\"" LABEL "\"");
	EXPECT_STREQ(get(flat, "channels", 0, "instance"), "\"Front\"");
	EXPECT_STREQ(get(flat, "channels", 0, "event"), "\"x\"");
	EXPECT_STREQ(get(flat, "channels", 0, "mode"), "\"topic\"");
	EXPECT_STREQ(get(flat, "channels", 0, "history"), "2");
	EXPECT_STREQ(get(flat, "channels", 0, "kept"), "2");
	EXPECT_STREQ(get(flat, "channels", 0, "lost"), "2");
	EXPECT_STREQ(get(flat, "channels", 0, "queued"), "1");
	EXPECT_STREQ(get(flat, "channels", 0, "bytes"), dec(3 * 4096));
	out = expect("zcctl -b channel list zcctl-topics", 0, "");
	EXPECT_STREQ(cell(out, "NAME"), "lab/" LABEL "/Front/x");
	EXPECT_STREQ(cell(out, "MODE"), "topic");
	EXPECT_STREQ(cell(out, "KEPT"), "2");
	EXPECT_STREQ(cell(out, "LOST"), "2");
	out = expect("zcctl channel show zcctl-topics", 0, "");
	EXPECT_TRUE(strstr(out, "\n  history        2\n"));
}

TEST(columns_agree_with_json)
{
	struct scene s;
	char *out, *flat;

	make_scene(&s, "zcctl-columns", 0);
	out = expect("zcctl -b pool list zcctl-columns", 0, "");
	flat = expect_json("zcctl -j pool list zcctl-columns", 0);
	EXPECT_STREQ(cell(out, "NAME"), "zcctl-columns");
	EXPECT_STREQ(cell(out, "SIZE"), get(flat, "pools", 0, "size"));
	EXPECT_STREQ(cell(out, "USED"), get(flat, "pools", 0, "used"));
	EXPECT_STREQ(cell(out, "LIMIT"), get(flat, "pools", 0, "max_size"));
	EXPECT_STREQ(cell(out, "MAX-USED"), get(flat, "pools", 0, "max_used"));
	EXPECT_STREQ(cell(out, "SESSIONS"), "1");
	out = expect("zcctl -b session list zcctl-columns", 0, "");
	flat = expect_json("zcctl -j session list zcctl-columns", 0);
	EXPECT_STREQ(cell(out, "ID"), get(flat, "sessions", 0, "id"));
	EXPECT_STREQ(cell(out, "PID"), dec(getpid()));
	EXPECT_STREQ(cell(out, "RIGHTS"), "rwpca");
	EXPECT_STREQ(cell(out, "HELD-BYTES"),
		     get(flat, "sessions", 0, "held_bytes"));
	EXPECT_STREQ(cell(out, "HEARTBEAT"), "-");
	EXPECT_STREQ(get(flat, "sessions", 0, "heartbeat_age_ns"), "null");
	EXPECT_STREQ(get(flat, "sessions", 0, "evicted"), "false");
	out = expect("zcctl -b channel list zcctl-columns", 0, "");
	flat = expect_json("zcctl -j channel list zcctl-columns", 0);
	EXPECT_STREQ(cell(out, "OFFSET"), "5100");
	EXPECT_STREQ(cell(out, "BYTES"), get(flat, "channels", 0, "bytes"));
}

TEST(pretty_is_the_same)
{
	static const char *const verbs[] = {
		"pool list", "pool show", "channel list", "channel show"
	};
	char line[64], *compact, *pretty;
	struct scene s;
	size_t i;

	make_scene(&s, "zcctl-pretty", 0);
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		snprintf(line, sizeof(line), "zcctl -j %s zcctl-pretty",
			 verbs[i]);
		compact = expect_json(line, 0);
		memcpy(line, "zcctl -p", 8);
		pretty = expect_json(line, 0);
		EXPECT_STREQ(pretty, compact);
		free(compact);
		free(pretty);
	}
}

/* ------------------------------------------------------------------- holders */

static int holds(const char *flat, const char *array, pid_t pid)
{
	return element(flat, array, "pid", dec(pid)) >= 0;
}

TEST(holders)
{
	struct zt_turns turns;
	struct scene s;
	char *flat;
	pid_t pid;
	void *map;

	make_scene(&s, "zcctl-holders", 0);
	map = zt_map(s.fd, PROT_READ | PROT_WRITE, ZT_ARENA);
	ASSERT_TRUE(map);
	ASSERT_OK(zt_turns_init(&turns));
	pid = fork();
	if (!pid) {
		zt_turns_child(&turns);
		zt_tell_parent(&turns);
		zt_await_parent(&turns);
		_exit(0);
	}
	zt_turns_parent(&turns);
	ASSERT_OK(zt_await_child(&turns));
	flat = expect_json("zcctl -j holders zcctl-holders", 0);
	EXPECT_STREQ(get(flat, "pools", 0, "handle"), hex(s.q.out_pool));
	EXPECT_STREQ(get(flat, "pools.0.sessions", 0, "bytes"), dec(3 * 8192));
	EXPECT_TRUE(holds(flat, "pools.0.sessions.0.open_in", getpid()));
	EXPECT_TRUE(holds(flat, "pools.0.sessions.0.open_in", pid));
	EXPECT_TRUE(holds(flat, "pools.0.mapped_by", getpid()));
	EXPECT_FALSE(holds(flat, "pools.0.mapped_by", pid));
	EXPECT_STREQ(get(flat, "pools.0.mapped_by", 0, "bytes"), dec(ZT_ARENA));
	free(flat);
	close(s.fd);
	flat = expect_json("zcctl -j holders zcctl-holders", 0);
	EXPECT_FALSE(holds(flat, "pools.0.sessions.0.open_in", getpid()));
	EXPECT_TRUE(holds(flat, "pools.0.sessions.0.open_in", pid));
	free(flat);
	zt_tell_child(&turns);
	EXPECT_STATUS(pid, 0);
	flat = expect_json("zcctl -j holders zcctl-holders", 0);
	EXPECT_STREQ(get(flat, "pools", 0, "sessions"), "[]");
	EXPECT_TRUE(holds(flat, "pools.0.mapped_by", getpid()));
	free(flat);
	munmap(map, ZT_ARENA);
	free(expect("zcctl holders zcctl-holders", 1, "no pool 'zcctl-holders'"));
}

TEST(holders_in_words)
{
	struct scene s;
	char *out, part[64];

	make_scene(&s, "zcctl-words", 0);
	out = expect("zcctl holders zcctl-words", 0, "");
	snprintf(part, sizeof(part), "%d inspect_zcctl (fd %d)", getpid(), s.fd);
	EXPECT_TRUE(strstr(out, "pool zcctl-words: "));
	EXPECT_TRUE(strstr(out, part));
	EXPECT_TRUE(strstr(out, "mapped by: nobody seen\n"));
	free(out);
}

/* ------------------------------------------------------------- other readers */

TEST(users_see_what_they_could_attach_to)
{
	struct scene hidden, shown;
	char *flat;

	make_scene(&hidden, "zcctl-hidden", 0600);
	make_scene(&shown, "zcctl-shown", 0644);
	ASSERT_OK(zt_become(ZT_USER, ZT_USER));
	flat = expect_json("zcctl -j pool list", 0);
	EXPECT_LT(element(flat, "pools", "name", "\"zcctl-hidden\""), 0);
	EXPECT_GE(element(flat, "pools", "name", "\"zcctl-shown\""), 0);
	free(flat);
	flat = expect_json("zcctl -j session list", 0);
	EXPECT_LT(element(flat, "sessions", "pool_name", "\"zcctl-hidden\""), 0);
	EXPECT_GE(element(flat, "sessions", "pool_name", "\"zcctl-shown\""), 0);
	free(flat);
	flat = expect_json("zcctl -j pool show zcctl-hidden", 1);
	EXPECT_TRUE(json_find(flat, "error"));
	free(flat);
	/* Root's processes are not to be looked into. */
	flat = expect_json("zcctl -j holders zcctl-shown", 0);
	EXPECT_STREQ(get(flat, "pools.0.sessions", 0, "open_in"), "[]");
	EXPECT_TRUE(json_find(flat, "hidden_processes"));
	EXPECT_FALSE(strstr(flat, "hidden_processes=0\n"));
	free(flat);
}

TEST(other_network_namespace)
{
	ASSERT_OK(unshare(CLONE_NEWNET));
	free(expect("zcctl pool list", 1, "initial network namespace"));
}

/* --------------------------------------------------------------------- check */

static const char *verdict(const char *flat, const char *name, const char *key)
{
	char quoted[32];
	int i;

	snprintf(quoted, sizeof(quoted), "\"%s\"", name);
	i = element(flat, "checks", "name", quoted);
	ASSERT_GE(i, 0);
	return get(flat, "checks", i, key);
}

/* What depends on the machine is not asked for, only that it adds up. */
TEST(check)
{
	static const char *const ours[] = {
		"kernel", "module", "access", "version", "netlink"
	};
	char *out, *error, *flat, value[8];
	int status;
	size_t i;

	out = run(&status, &error, "zcctl -j check");
	flat = json_flatten(out);
	ASSERT_TRUE(flat);
	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		EXPECT_STREQ(verdict(flat, ours[i], "verdict"), "\"ok\"");
	EXPECT_STREQ(json_get(flat, "ok", value, sizeof(value)),
		     status ? "false" : "true");
	EXPECT_EQ(!status, !strstr(flat, "verdict=\"no\""));
	EXPECT_STREQ(error, "");
}

TEST(check_without_permission)
{
	char *flat;

	ASSERT_OK(zt_become(ZT_USER + 1, ZT_USER + 1));
	flat = expect_json("zcctl -j check", 1);
	EXPECT_STREQ(verdict(flat, "module", "verdict"), "\"ok\"");
	EXPECT_STREQ(verdict(flat, "access", "verdict"), "\"no\"");
	EXPECT_TRUE(strstr(verdict(flat, "access", "hint"), "add this user to group"));
	EXPECT_STREQ(verdict(flat, "version", "verdict"), "\"unknown\"");
}

/* A limit that is used up is named, and so is what would raise it. */
TEST(check_limit)
{
	struct zcbuf_query q;
	int fd, left;
	char *flat;

	ASSERT_OK(zt_become(ZT_USER, ZT_GROUP));
	fd = zt_open(O_RDWR);
	ASSERT_OK(zt_query(fd, &q));
	left = (q.out_user_limit - q.out_user_charged) >> 21;
	ASSERT_GT(left, 1);
	ASSERT_OK(zt_pool_create(fd, ZCBUF_POOL_PAGES, 0,
				 (left - 1) * ZT_ARENA));
	flat = expect_json("zcctl -j check", 1);
	EXPECT_STREQ(verdict(flat, "user limit", "verdict"), "\"no\"");
	EXPECT_TRUE(strstr(verdict(flat, "user limit", "hint"), "user_limit_mb"));
}

/* --------------------------------------------------------------------- usage */

TEST(usage)
{
	char *flat;

	free(expect("zcctl", 2, "usage: zcctl"));
	free(expect("zcctl frob", 2, "unknown verb"));
	free(expect("zcctl pool list no-such-pool", 1, "no pool 'no-such-pool'"));
	flat = expect_json("zcctl -j session list no-such-pool", 1);
	EXPECT_TRUE(json_find(flat, "error"));
	free(expect("zcctl help", 0, ""));
	free(expect("zcctl holders --help", 0, ""));
}

KTAP_MAIN()

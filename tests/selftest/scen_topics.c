// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Channels between processes: scenarios 37 to 40 and 42 to 45. 41 is in fixed.c,
 * 46 in inspect_zcctl.c.
 */
#include <sys/prctl.h>

#include "topic.h"
#include "zcctl.h"

#define CLOUD	"RadarService/Front/PointCloud"
#define SAMPLES	16
#define SAMPLE	144		/* bytes */

/* A session of the pool of that name, which it makes if it is the first. */
static int session_of(const char *pool, bool first)
{
	int fd = zt_open(O_RDWR);

	ASSERT_GE(fd, 0);
	if (first)
		ASSERT_OK(zt_pool_create_named(fd, pool, 0600));
	else
		ASSERT_OK(zt_pool_attach(fd, pool, 0));
	return fd;
}

static void send(int fd, __u64 ch, __u64 tag)
{
	ASSERT_OK(tp_send(fd, ch, ZT_PAGE, tag));
}

/* ---------------------------------------------------- 37: sixteen samples */

static void sample_text(char *text, unsigned int nr)
{
	memset(text, 0, SAMPLE);
	snprintf(text, SAMPLE, "seq=%u", nr);
}

/* It sleeps for each, sees its bytes in a mapping it may only read, and no more. */
static void subscribe_to_samples(const char *pool, struct zt_turns *t)
{
	int fd = zt_open(O_RDONLY);
	struct zcbuf_delivery d;
	char text[SAMPLE];
	unsigned int i;
	char *map;
	__u64 ch;

	ASSERT_GE(fd, 0);
	ASSERT_OK(zt_pool_attach(fd, pool, 0));
	map = zt_map(fd, PROT_READ, ZT_ARENA);
	ASSERT_NE(map, NULL);
	ch = TOPIC(fd, CLOUD, .ports = ZCBUF_PORT_CONSUME);
	ASSERT_OK(zt_tell_parent(t));
	for (i = 0; i < SAMPLES; i++) {
		ASSERT_EQ(zt_receive(fd, ch, &d, 1, ZCBUF_NO_DEADLINE), 1);
		EXPECT_EQ(d.seq, i);
		EXPECT_EQ(d.length, SAMPLE);
		EXPECT_EQ(d.nextents, 1);
		sample_text(text, i);
		EXPECT_EQ(memcmp(map + d.extents[0].pool_offset, text, SAMPLE),
			  0);
		EXPECT_OK(zt_release1(fd, ch, d.handle));
	}
	ASSERT_OK(zt_await_parent(t));
	EXPECT_ERR(zt_receive(fd, ch, &d, 1, 0), EAGAIN);
	EXPECT_EQ(d.lost, 0);
	EXPECT_EQ(zt_used(fd), 0);
}

static void publish_sample(int fd, __u64 ch, char *map, unsigned int nr)
{
	struct zcbuf_publication p = { .length = SAMPLE };

	p.handle = tp_loan(fd, SAMPLE);
	sample_text(map + zcbuf_buf_offset(p.handle), nr);
	ASSERT_OK(tp_publish_as(fd, ch, &p, 0, 0));
	EXPECT_EQ(p.out_seq, nr);
	EXPECT_EQ(p.out_delivered, 1);
	EXPECT_EQ(p.out_dropped, 0);
}

TEST(scenario_37_a_subscriber_first)
{
	char pool[ZCBUF_MAX_NAME];
	unsigned int i;
	struct zt_turns t;
	pid_t child;
	char *map;
	__u64 ch;
	int fd;

	fd = session_of(hz_name(pool, sizeof(pool), "radar"), true);
	map = zt_map(fd, PROT_READ | PROT_WRITE, ZT_ARENA);
	ASSERT_NE(map, NULL);
	ASSERT_OK(zt_turns_init(&t));
	child = fork();
	if (!child) {
		zt_turns_child(&t);
		close(fd);
		subscribe_to_samples(pool, &t);
		_exit(0);
	}
	zt_turns_parent(&t);
	ASSERT_OK(zt_await_child(&t));
	ch = TOPIC(fd, CLOUD);
	for (i = 0; i < SAMPLES; i++) {
		ASSERT_OK(zt_await_sleep(child, SYS_ioctl));
		publish_sample(fd, ch, map, i);
	}
	ASSERT_OK(zt_tell_child(&t));
	EXPECT_STATUS(child, 0);
	EXPECT_EQ(zt_used(fd), 0);
}

/* ----------------------------------------------------- 38: who hears whom */

TEST(scenario_38_other_triples)
{
	static const char *const others[] = {
		"RadarService/Rear/PointCloud", "RadarService/Front/Objects",
		"RadarServic/Front/PointCloud", "RadarService/Front/PointClouds",
		"radarService/Front/PointCloud",
	};
	int fd = tp_pool(&tp_pages), sub = tp_join(fd), other;
	__u64 ch = TOPIC(sub, CLOUD, .ports = ZCBUF_PORT_CONSUME), far;
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(*others); i++) {
		other = tp_join(fd);
		far = TOPIC(other, others[i]);
		EXPECT_NE(far, ch);
		tp_put(other, far, ZT_PAGE, i, 0, 0, 0);
	}
	EXPECT_ERR(tp_take(sub, ch), EAGAIN);
	EXPECT_EQ(TOPIC(fd, CLOUD), ch);
	send(fd, ch, 77);
	EXPECT_EQ(tp_take(sub, ch), 77);
	tp_expect_free(fd);
}

TEST(scenario_38_other_domains)
{
	static const char *const domains[] = { "", "a", "b", "A" };
	int fd = tp_pool(&tp_pages), i, k;
	struct zcbuf_channel_open a;
	__u64 ch[4];

	for (i = 0; i < 4; i++) {
		a = (struct zcbuf_channel_open){
			.ports = ZCBUF_PORT_PRODUCE | ZCBUF_PORT_CONSUME,
			.flags = ZCBUF_CHANNEL_F_TOPIC,
		};
		ASSERT_OK(tp_open_in(fd, domains[i], CLOUD, &a));
		ch[i] = a.out_channel;
		for (k = 0; k < i; k++)
			EXPECT_NE(ch[i], ch[k]);
	}
	EXPECT_EQ(tp_channels(fd), 4);
	for (i = 0; i < 4; i++)
		send(fd, ch[i], i);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(tp_take_all(fd, ch[i], i), 1);
	tp_expect_free(fd);
}

/* Each label as long as it may be, and one byte more. */
TEST(scenario_38_lengths_of_labels)
{
	struct zcbuf_channel_open a = { .ports = ZT_ALL_PORTS,
					.flags = ZCBUF_CHANNEL_F_TOPIC };
	struct zcbuf_channel_name full, n;
	int fd = tp_pool(&tp_pages), i;

	memset(&full, 'x', sizeof(full));
	full.__reserved = 0;
	for (i = 0; i < 4; i++) {
		n = full;
		memset(&n, ZCBUF_MAX_LABEL, 4);
		((__u8 *)&n)[i] = ZCBUF_MAX_LABEL + 1;
		a.name = zt_ptr(&n);
		EXPECT_ERR(zt_channel_open(fd, &a), EINVAL);
		((__u8 *)&n)[i] = ZCBUF_MAX_LABEL;
		EXPECT_OK(zt_channel_open(fd, &a));
		((__u8 *)&n)[i] = 0;
		EXPECT_ERR(zt_channel_open(fd, &a), i ? EINVAL : 0);
		((__u8 *)&n)[i] = 1;
		EXPECT_OK(zt_channel_open(fd, &a));
	}
	EXPECT_EQ(tp_channels(fd), 6);
}

/* -------------------------------------------- 39 and 40: none, and three */

EACH_POOL(scenario_39_nobody_listens)
{
	int fd = tp_pool(kind);
	__u64 ch = TOPIC(fd, CLOUD), keep = tp_loan(fd, kind->length);
	__u64 used = zt_used(fd);
	struct zcbuf_publication p = {};
	unsigned int i;

	for (i = 0; i < 3; i++) {
		ASSERT_OK(tp_try(fd, ch, kind->length, i, &p));
		EXPECT_EQ(p.out_seq, i);
		EXPECT_EQ(p.out_delivered, 0);
		EXPECT_EQ(p.out_dropped, 0);
		EXPECT_EQ(zt_used(fd), used);
		EXPECT_LT(zt_free1(fd, p.handle), 0);
	}
	EXPECT_OK(zt_free1(fd, keep));
	EXPECT_EQ(zt_used(fd), 0);
}

static void twice_is_none(int fd, __u64 length)
{
	__u64 h[2];

	ASSERT_EQ(zt_alloc(fd, length, 0, 0, h, 2), 2);
	EXPECT_NE(zcbuf_buf_offset(h[0]), zcbuf_buf_offset(h[1]));
	EXPECT_EQ(zt_free(fd, h, 2), 2);
}

/* Free with the third release: not before, and once. */
EACH_POOL(scenario_40_three_consumers)
{
	int fd = tp_pool(kind), sub[3], late, i;
	__u64 ch = TOPIC(fd, CLOUD), used;
	struct zcbuf_delivery d[3];

	for (i = 0; i < 3; i++)
		sub[i] = CONSUMER(fd, ch, .depth = 4);
	tp_put(fd, ch, kind->length, 40, 0, 3, 0);
	used = zt_used(fd);
	EXPECT_GT(used, 0);
	late = CONSUMER(fd, ch, .depth = 4);
	for (i = 0; i < 3; i++) {
		d[i] = tp_receive(sub[i], ch);
		EXPECT_EQ(d[i].user_tag, 40);
		EXPECT_EQ(d[i].publisher, zt_session(fd));
		EXPECT_EQ(d[i].extents[0].pool_offset,
			  d[0].extents[0].pool_offset);
	}
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(zt_used(fd), used);
		EXPECT_OK(zt_release1(sub[i], ch, d[i].handle));
	}
	EXPECT_EQ(zt_used(fd), 0);
	for (i = 0; i < 3; i++)
		EXPECT_ERR(zt_release1(sub[i], ch, d[i].handle), EBADSLT);
	EXPECT_EQ(zt_bad_frees(fd), 3);
	twice_is_none(fd, kind->length);
	EXPECT_ERR(tp_take(late, ch), EAGAIN);
	tp_put(fd, ch, kind->length, 41, 0, 4, 0);
	EXPECT_EQ(tp_take(late, ch), 41);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(tp_take(sub[i], ch), 41);
	EXPECT_EQ(zt_used(fd), 0);
}

/* ------------------------------------------------------ 42: a full queue */

#define DEPTH	8

/* Ten without a take: what is there then, and what @sub has lost. */
static void ten_into_eight(int fd, __u64 ch, __u32 policy, __u64 first)
{
	int sub = CONSUMER(fd, ch, .depth = DEPTH, .policy = policy);
	struct zcbuf_delivery d;
	unsigned int i;

	for (i = 0; i < 10; i++)
		tp_put(fd, ch, ZT_PAGE, i, 0,
		       i < DEPTH || policy == ZCBUF_POLICY_DROP_OLDEST,
		       i >= DEPTH);
	EXPECT_EQ(zt_used(fd), DEPTH * ZT_PAGE);
	for (i = 0; i < DEPTH; i++) {
		d = tp_receive(sub, ch);
		EXPECT_EQ(d.user_tag, first + i);
		EXPECT_EQ(d.seq, first + i);
		EXPECT_OK(zt_release1(sub, ch, d.handle));
	}
	EXPECT_ERR(tp_take(sub, ch), EAGAIN);
	EXPECT_EQ(zt_used(fd), 0);
	send(fd, ch, 10);
	d = tp_receive(sub, ch);
	EXPECT_EQ(d.seq, 10);
	EXPECT_EQ(d.lost, 2);
	EXPECT_OK(zt_release1(sub, ch, d.handle));
	tp_expect_free(fd);
}

TEST(scenario_42_drop_oldest)
{
	int fd = tp_pool(&tp_pages);

	ten_into_eight(fd, TOPIC(fd, CLOUD), ZCBUF_POLICY_DROP_OLDEST, 2);
}

TEST(scenario_42_drop_newest)
{
	int fd = tp_pool(&tp_pages);

	ten_into_eight(fd, TOPIC(fd, CLOUD), ZCBUF_POLICY_DROP_NEWEST, 0);
}

/* Eight are there, the ninth is in hand. */
struct full {
	int fd;
	int sub;
	__u64 ch;
	struct zcbuf_publication ninth;
	struct zcbuf_publish arg;
	struct hz_caller caller;
};

static void fill_queue(struct full *f, __u32 policy)
{
	unsigned int i;

	memset(f, 0, sizeof(*f));
	f->fd = tp_pool(&tp_pages);
	f->ch = TOPIC(f->fd, CLOUD);
	f->sub = CONSUMER(f->fd, f->ch, .depth = DEPTH, .policy = policy);
	for (i = 0; i < DEPTH; i++)
		tp_put(f->fd, f->ch, ZT_PAGE, i, 0, 1, 0);
	f->ninth.handle = tp_loan(f->fd, ZT_PAGE);
	f->ninth.user_tag = DEPTH;
	f->arg = zt_arg(struct zcbuf_publish, .channel = f->ch,
		.entries = zt_ptr(&f->ninth), .count = 1,
		.deadline_ns = ZCBUF_NO_DEADLINE);
	f->caller = (struct hz_caller){ .fd = f->fd, .arg = &f->arg,
					.request = ZCBUF_IOC_PUBLISH };
}

/* It is still in hand, and goes when there is room. */
static void then_it_goes(struct full *f)
{
	EXPECT_EQ(tp_take(f->sub, f->ch), 0);
	EXPECT_OK(tp_publish_as(f->fd, f->ch, &f->ninth, 0, 0));
	EXPECT_EQ(f->ninth.out_seq, DEPTH);
	EXPECT_EQ(f->ninth.out_delivered, 1);
	EXPECT_EQ(tp_take_all(f->sub, f->ch, 1), DEPTH);
	tp_expect_free(f->fd);
}

TEST(scenario_42_block_waits_for_one_take)
{
	struct zcbuf_delivery d;
	struct full f;

	fill_queue(&f, ZCBUF_POLICY_BLOCK);
	hz_caller_block(&f.caller);
	d = tp_receive(f.sub, f.ch);
	EXPECT_OK(hz_caller_join(&f.caller));
	EXPECT_EQ(f.arg.out_done, 1);
	EXPECT_EQ(f.ninth.out_seq, DEPTH);
	EXPECT_EQ(f.ninth.out_delivered, 1);
	EXPECT_EQ(f.ninth.out_dropped, 0);
	EXPECT_EQ(zt_used(f.fd), (DEPTH + 1) * ZT_PAGE);
	EXPECT_OK(zt_release1(f.sub, f.ch, d.handle));
	EXPECT_EQ(tp_take_all(f.sub, f.ch, 1), DEPTH);
	tp_expect_free(f.fd);
}

TEST(scenario_42_block_is_the_default)
{
	struct full f;

	fill_queue(&f, ZCBUF_POLICY_DEFAULT);
	EXPECT_ERR(tp_publish_as(f.fd, f.ch, &f.ninth, 0, 0), EAGAIN);
	then_it_goes(&f);
}

TEST(scenario_42_block_with_a_deadline)
{
	struct full f;

	fill_queue(&f, ZCBUF_POLICY_BLOCK);
	f.arg.deadline_ns = hz_now() + 20000000;
	EXPECT_ERR(zt_call(f.fd, ZCBUF_IOC_PUBLISH, &f.arg), ETIMEDOUT);
	f.arg.deadline_ns = 1;
	EXPECT_ERR(zt_call(f.fd, ZCBUF_IOC_PUBLISH, &f.arg), ETIMEDOUT);
	then_it_goes(&f);
}

TEST(scenario_42_block_and_nonblocking)
{
	struct full f;

	fill_queue(&f, ZCBUF_POLICY_BLOCK);
	ASSERT_OK(fcntl(f.fd, F_SETFL, O_NONBLOCK));
	EXPECT_ERR(zt_call(f.fd, ZCBUF_IOC_PUBLISH, &f.arg), EAGAIN);
	then_it_goes(&f);
}

/* ----------------------------------------------------- 43, 44: sequences */

TEST(scenario_43_sequences)
{
	int fd = tp_pool(&tp_pages), i, k;
	__u64 ch = TOPIC(fd, CLOUD);
	int sub[2] = { CONSUMER(fd, ch, .depth = 8),
		       CONSUMER(fd, ch, .depth = 3,
				.policy = ZCBUF_POLICY_DROP_NEWEST) };
	static const __u64 after[2][4] = { { 3, 4, 5, 6 }, { 3, 4, 5, 7 } };
	struct zcbuf_delivery d;

	for (i = 0; i < 3; i++)
		tp_put(fd, ch, ZT_PAGE, i, 0, 2, 0);
	for (k = 0; k < 2; k++)
		for (i = 0; i < 3; i++) {
			d = tp_receive(sub[k], ch);
			EXPECT_EQ(d.seq, i);
			EXPECT_EQ(d.publisher, zt_session(fd));
			EXPECT_OK(zt_release1(sub[k], ch, d.handle));
		}
	for (i = 3; i < 7; i++)
		tp_put(fd, ch, ZT_PAGE, i, 0, i < 6 ? 2 : 1, i == 6);
	for (k = 0; k < 2; k++)
		for (i = 0; i < 4; i++) {
			if (k && i == 3)
				tp_put(fd, ch, ZT_PAGE, 7, 0, 2, 0);
			d = tp_receive(sub[k], ch);
			EXPECT_EQ(d.seq, after[k][i]);
			EXPECT_OK(zt_release1(sub[k], ch, d.handle));
		}
	EXPECT_EQ(d.lost, 1);
	EXPECT_EQ(tp_take(sub[0], ch), 7);
	tp_expect_free(fd);
}

/* Each publisher counts for itself. */
TEST(scenario_43_two_publishers)
{
	int fd = tp_pool(&tp_pages), other = tp_join(fd), i;
	__u64 ch = TOPIC(fd, CLOUD), seen[2] = { 0 };
	int sub = CONSUMER(fd, ch);
	struct zcbuf_delivery d;

	EXPECT_EQ(TOPIC(other, CLOUD), ch);
	for (i = 0; i < 6; i++)
		send(i % 3 ? fd : other, ch, i);
	for (i = 0; i < 6; i++) {
		d = tp_receive(sub, ch);
		EXPECT_EQ(d.user_tag, i);
		EXPECT_EQ(d.publisher, zt_session(i % 3 ? fd : other));
		EXPECT_EQ(d.seq, seen[!(i % 3)]++);
		EXPECT_OK(zt_release1(sub, ch, d.handle));
	}
	tp_expect_free(fd);
}

TEST(scenario_44_subscribed_twice)
{
	int fd = tp_pool(&tp_pages), sub = tp_join(fd);
	__u64 ch = TOPIC(fd, CLOUD);
	struct zcbuf_channel_open a = {
		.flags = ZCBUF_CHANNEL_F_TOPIC, .ports = ZCBUF_PORT_CONSUME,
		.depth = 5, .lanes = 2, .max_held = 3,
		.policy = ZCBUF_POLICY_DROP_OLDEST,
	};
	struct zcbuf_channel_open b = a;

	ASSERT_OK(tp_open(sub, CLOUD, &a));
	EXPECT_EQ(a.out_channel, ch);
	send(fd, ch, 0);
	ASSERT_OK(tp_open(sub, CLOUD, &a));
	EXPECT_EQ(a.out_channel, ch);
	tp_put(fd, ch, ZT_PAGE, 1, 0, 1, 0);
#define OTHERWISE(field, value) do {					\
	b = a;								\
	b.field = value;						\
	EXPECT_ERR(tp_open(sub, CLOUD, &b), EEXIST);			\
} while (0)
	OTHERWISE(depth, 6);
	OTHERWISE(lanes, 3);
	OTHERWISE(max_held, 4);
	OTHERWISE(policy, ZCBUF_POLICY_DROP_NEWEST);
	EXPECT_EQ(tp_take_all(sub, ch, 0), 2);
	EXPECT_OK(zt_channel_close(sub, ch, ZCBUF_PORT_CONSUME));
	EXPECT_ERR(zt_channel_close(sub, ch, ZCBUF_PORT_CONSUME), ENOENT);
	tp_expect_free(fd);
}

/* ---------------------------------------------------------- 45: who is there */

#define CLIENTS	10

static pid_t start_client(const char *pool, int nr)
{
	struct zt_turns t;
	pid_t child;

	ASSERT_OK(zt_turns_init(&t));
	child = fork();
	if (!child) {
		char comm[16];
		int fd;

		snprintf(comm, sizeof(comm), "client-%d", nr);
		ASSERT_OK(prctl(PR_SET_NAME, comm));
		fd = session_of(pool, false);
		TOPIC(fd, CLOUD, .ports = ZCBUF_PORT_CONSUME);
		ASSERT_OK(zt_tell_parent(&t));
		ktap_stay();
	}
	ASSERT_GT(child, 0);
	zt_turns_parent(&t);
	ASSERT_OK(zt_await_child(&t));
	return child;
}

/* All there are by pid and name, but number @gone; and we. */
static void expect_clients(const char *pool, const pid_t *client, int gone)
{
	char line[128], comm[32], *flat;
	int i, at;

	snprintf(line, sizeof(line), "zcctl -j session list %s", pool);
	flat = expect_json(line, 0);
	for (i = 0; i < CLIENTS; i++) {
		at = element(flat, "sessions", "pid", dec(client[i]));
		EXPECT_EQ(at < 0, i == gone);
		snprintf(comm, sizeof(comm), "\"client-%d\"", i);
		if (at >= 0)
			EXPECT_STREQ(get(flat, "sessions", at, "comm"), comm);
	}
	i = CLIENTS + (gone < 0);
	EXPECT_TRUE(*get(flat, "sessions", i - 1, "pid"));
	EXPECT_STREQ(get(flat, "sessions", i, "pid"), "");
	free(flat);
}

TEST(scenario_45_ten_clients)
{
	char pool[ZCBUF_MAX_NAME];
	pid_t client[CLIENTS];
	int fd, i;
	__u64 ch;

	fd = session_of(hz_name(pool, sizeof(pool), "clients"), true);
	ch = TOPIC(fd, CLOUD);
	for (i = 0; i < CLIENTS; i++)
		client[i] = start_client(pool, i);
	expect_clients(pool, client, -1);
	tp_put(fd, ch, ZT_PAGE, 0, 0, CLIENTS, 0);
	kill(client[3], SIGKILL);
	ASSERT_EQ(waitpid(client[3], NULL, 0), client[3]);
	expect_clients(pool, client, 3);
	tp_put(fd, ch, ZT_PAGE, 1, 0, CLIENTS - 1, 0);
	client[3] = start_client(pool, 3);
	expect_clients(pool, client, -1);
	tp_put(fd, ch, ZT_PAGE, 2, 0, CLIENTS, 0);
	EXPECT_EQ(zt_used(fd), 3 * ZT_PAGE);
	for (i = 0; i < CLIENTS; i++) {
		kill(client[i], SIGKILL);
		ASSERT_EQ(waitpid(client[i], NULL, 0), client[i]);
	}
	tp_expect_free(fd);
}

KTAP_MAIN()

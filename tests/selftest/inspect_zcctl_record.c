// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * zcctl record, show and replay, on topics that this process publishes to: what was
 * sent is in the file, and comes out of it again.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <zcbuf/zcbuf.h>

#include "zcctl.h"

#define POOL		"zcctl-record"
#define NAME		"Radar/Front/Points"
#define AGAIN		"Test/Radar/Front/Points"
#define KINDS		7	/* of messages */
#define LARGE		300000U

static const struct zcbuf_name name = {
	.service = "Radar", .instance = "Front", .event = "Points",
};
static const struct zcbuf_name again = {
	.domain = "Test", .service = "Radar", .instance = "Front",
	.event = "Points",
};

static struct zcbuf_pool *new_pool(unsigned int mode)
{
	const struct zcbuf_pool_opts opts = {
		.sz = sizeof(opts), .name = POOL, .arena_size = 4 * ZT_ARENA,
		.mode = mode,
	};
	struct zcbuf_pool *pool;

	ASSERT_OK(zcbuf_pool_create(&pool, &opts));
	return pool;
}

static struct zcbuf_publisher *open_topic(struct zcbuf_pool *pool,
					  const struct zcbuf_name *of)
{
	struct zcbuf_publisher *p;

	ASSERT_OK(zcbuf_publisher_open(pool, of, NULL, &p));
	return p;
}

/* In a directory of its own: the guest's is on a disk, and small. */
static void begin(void)
{
	char dir[] = "/tmp/zcctl-record.XXXXXX";

	ASSERT_TRUE(mkdtemp(dir));
	ASSERT_OK(chmod(dir, 0755));
	ASSERT_OK(chdir(dir));
}

/* What it says is in a file. */
static pid_t start(const char *line)
{
	char *words = strdup(line), *argv[16];
	pid_t pid = fork();
	int n = 0, fd;

	if (pid) {
		free(words);
		return pid;
	}
	fd = open("said", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(fd, 1);
	dup2(fd, 2);
	for (argv[n] = strtok(words, " "); argv[n]; argv[n] = strtok(NULL, " "))
		n++;
	execvp(argv[0], argv);
	_exit(127);
}

static int ended(pid_t pid)
{
	int status;

	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void expect_said(const char *part)
{
	char *said = read_all(fopen("said", "r"));

	if (!strstr(said, part))
		TEST_LOG("said: %s", said);
	EXPECT_TRUE(strstr(said, part));
	free(said);
}

/* What is waited for will not come when it has ended. */
static void is_running(pid_t pid)
{
	ASSERT_EQ(waitpid(pid, NULL, WNOHANG), 0);
	usleep(1000);
}

/* A window is only to be had with a consumer there; it is not published. */
static void await_subscriber(struct zcbuf_publisher *p, pid_t pid)
{
	struct zcbuf_channel *ch = zcbuf_publisher_channel(p);
	const __u32 flags = ZCBUF_RESERVE_F_WINDOW |
			    ZCBUF_RESERVE_F_NEED_CONSUMER;
	struct zcbuf_reservation r = { .length = 1 };
	struct zcbuf_abort_entry a;
	int n;

	while ((n = zcbuf_reserve(ch, &r, 1, flags, 0)) == -EPIPE)
		is_running(pid);
	ASSERT_EQ(n, 1);
	a = (struct zcbuf_abort_entry){ r.out_group, r.out_id };
	ASSERT_EQ(zcbuf_abort(ch, &a, 1), 1);
}

static void await_size(const char *path, off_t size, pid_t pid)
{
	struct stat st;

	while (stat(path, &st) || st.st_size < size)
		is_running(pid);
}

/* ----------------------------------------------------------- kinds of messages */

static void fill(unsigned char *data, size_t length, unsigned int kind)
{
	size_t i;

	for (i = 0; i < length; i++)
		data[i] = i * 3 + (i >> 8) + kind;
}

static void publish(struct zcbuf_publisher *p, unsigned int kind, size_t length,
		    struct zcbuf_publication e)
{
	struct zcbuf_buf loan;

	ASSERT_OK(zcbuf_publisher_loan(p, length, 0, &loan));
	fill(loan.data, length, kind);
	ASSERT_OK(zcbuf_publisher_publish(p, &loan, length, &e, 0,
					  ZCBUF_NO_DEADLINE));
}

static void window(struct zcbuf_publisher *p, unsigned int kind, size_t length)
{
	struct zcbuf_writer w;

	ASSERT_OK(zcbuf_writer_reserve(zcbuf_publisher_channel(p), 2 * length,
				       ZCBUF_RESERVE_F_WINDOW, 0, &w));
	fill(w.data, length, kind);
	ASSERT_OK(zcbuf_writer_tag(&w, 0x8877665544332211, 9));
	ASSERT_OK(zcbuf_writer_submit_placed(&w, length));
}

/* A group of two, the second of which does not fit beside the first. */
static void group(struct zcbuf_publisher *p, unsigned int kind)
{
	struct zcbuf_channel *ch = zcbuf_publisher_channel(p);
	static const size_t lengths[] = { 100, 1100000 };
	struct zcbuf_writer w;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		ASSERT_OK(zcbuf_writer_reserve(ch, lengths[i], 0, 0, &w));
		fill(w.data, lengths[i], kind + i);
		ASSERT_OK(zcbuf_writer_submit_placed(&w, lengths[i]));
	}
	zcbuf_channel_flush(ch);
}

static void publish_all(struct zcbuf_publisher *p, struct zcbuf_publisher *q)
{
	publish(p, 0, 1, (struct zcbuf_publication){ 0 });
	publish(q, 1, 4096, (struct zcbuf_publication){ .user_tag = ~0ULL });
	publish(p, 2, 13, (struct zcbuf_publication){ .encoding = ~0U });
	publish(p, 3, LARGE, (struct zcbuf_publication){ .priority = 5 });
	window(q, 4, 5000);
	group(p, 5);
	publish(q, 6, 8, (struct zcbuf_publication){ .user_tag = 1,
						     .encoding = 2,
						     .priority = 3 });
}

/* ------------------------------------------------------------ what is recorded */

/* The output of zcctl show, as lines of path=value; free() it. */
static char *shown(const char *path, int status)
{
	char line[128];

	snprintf(line, sizeof(line), "zcctl -j show %s --hex=32", path);
	return expect_json(line, status);
}

static void expect_message(const char *flat, int i, const char *tag,
			   const char *encoding, const char *priority,
			   const char *length, const char *seq)
{
	static const char all[] = "recording.messages";

	EXPECT_STREQ(get(flat, all, i, "user_tag"), tag);
	EXPECT_STREQ(get(flat, all, i, "encoding"), encoding);
	EXPECT_STREQ(get(flat, all, i, "priority"), priority);
	EXPECT_STREQ(get(flat, all, i, "length"), length);
	EXPECT_STREQ(get(flat, all, i, "gap"), "0");
	if (seq)
		EXPECT_STREQ(get(flat, all, i, "seq"), seq);
}

/* Of what publish_all() sent; @seqs: the numbers are as there. */
static void expect_all(const char *flat, bool seqs)
{
	char value[128];

	expect_message(flat, 0, "\"0x0\"", "0", "0", "1", seqs ? "0" : NULL);
	expect_message(flat, 1, "\"0xffffffffffffffff\"", "0", "0", "4096",
		       seqs ? "0" : NULL);
	expect_message(flat, 2, "\"0x0\"", "4294967295", "0", "13",
		       seqs ? "1" : NULL);
	expect_message(flat, 3, "\"0x0\"", "0", "5", dec(LARGE),
		       seqs ? "2" : NULL);
	expect_message(flat, 4, "\"0x8877665544332211\"", "9", "0", "5000",
		       seqs ? "1" : NULL);
	expect_message(flat, 5, "\"0x0\"", "0", "0", dec(128 + 1100000),
		       seqs ? "0" : NULL);
	expect_message(flat, 6, "\"0x1\"", "2", "3", "8", seqs ? "2" : NULL);
	EXPECT_STREQ(get(flat, "recording.messages", 6, "data"),
		     "\"06090c0f1215181b\"");
	EXPECT_STREQ(get(flat, "recording.messages", KINDS, "seq"), "");
	EXPECT_STREQ(json_get(flat, "recording.ended", value, sizeof(value)),
		     "true");
	EXPECT_STREQ(json_get(flat, "recording.missing", value, sizeof(value)),
		     "0");
}

/* The bytes of all messages of a recording, one behind the other; free() them. */
static unsigned char *payload(const char *path, size_t *total)
{
	size_t room = 8 << 20, n, at = 368, length;
	unsigned char *file = malloc(room), *all = malloc(room);
	FILE *f = fopen(path, "rb");

	ASSERT_TRUE(f && file && all);
	n = fread(file, 1, room, f);
	ASSERT_TRUE(n < room);
	fclose(f);
	for (*total = 0; at + 112 < n; at += 112 + (length + 7) / 8 * 8) {
		length = *(__u64 *)(file + at + 16);
		ASSERT_TRUE(length <= n - at);
		memcpy(all + *total, file + at + 104, length);
		*total += length;
	}
	free(file);
	return all;
}

static void expect_same_bytes(const char *one, const char *other)
{
	size_t n[2];
	unsigned char *a = payload(one, &n[0]), *b = payload(other, &n[1]);

	EXPECT_EQ(n[0], n[1]);
	EXPECT_EQ(n[0], 1 + 4096 + 13 + LARGE + 5000 + 128 + 1100000 + 8);
	EXPECT_TRUE(n[0] == n[1] && !memcmp(a, b, n[0]));
	free(a);
	free(b);
}

/* Recorded, shown, replayed to another topic and recorded there: the same. */
TEST(there_and_back)
{
	struct zcbuf_publisher *p, *q, *r;
	struct zcbuf_pool *pool, *other;
	char *flat;
	pid_t pid;

	begin();
	pool = new_pool(0);
	ASSERT_OK(zcbuf_pool_attach(&other, POOL, NULL));
	p = open_topic(pool, &name);
	q = open_topic(other, &name);
	r = open_topic(pool, &again);
	pid = start("zcctl -j record a.rec " POOL " " NAME " --block --count=7");
	await_subscriber(p, pid);
	publish_all(p, q);
	EXPECT_EQ(ended(pid), 0);
	expect_said("\"messages\":7,\"bytes\":1409246,\"missing\":0,\"lost\":0}}\n");
	flat = shown("a.rec", 0);
	expect_all(flat, true);
	free(flat);

	pid = start("zcctl record b.rec " POOL " " AGAIN " --block --count=7");
	await_subscriber(r, pid);
	flat = expect_json("zcctl -j replay a.rec " POOL " " AGAIN " --fast", 0);
	EXPECT_TRUE(strstr(flat, "replayed.messages=7\n"));
	EXPECT_TRUE(strstr(flat, "replayed.delivered=7\n"));
	EXPECT_TRUE(strstr(flat, "replayed.dropped=0\n"));
	free(flat);
	EXPECT_EQ(ended(pid), 0);
	flat = shown("b.rec", 0);
	expect_all(flat, false);
	free(flat);
	expect_same_bytes("a.rec", "b.rec");
}

/* To the topic it was of, again and again; nobody is there. */
TEST(replay_more_than_once)
{
	struct zcbuf_publisher *p;
	pid_t pid;
	char *out;

	begin();
	p = open_topic(new_pool(0), &name);
	pid = start("zcctl record a.rec " POOL " " NAME " --block --count=2");
	await_subscriber(p, pid);
	publish(p, 0, 100, (struct zcbuf_publication){ 0 });
	publish(p, 1, 100, (struct zcbuf_publication){ 0 });
	EXPECT_EQ(ended(pid), 0);
	out = expect("zcctl replay a.rec " POOL " --loop=3 --speed=1000", 0, "");
	EXPECT_STREQ(out, "a.rec: 6 messages of 600B, 0 delivered, 0 dropped\n");
	free(out);
}

/* ------------------------------------------------------------- how it may end */

TEST(ended_by_a_signal)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct zcbuf_publisher *p;
	unsigned int i;
	char *flat;
	pid_t pid;

	begin();
	p = open_topic(new_pool(0), &name);
	for (i = 0; i < 3; i++) {
		unlink("a.rec");
		pid = start("zcctl -j record a.rec " POOL " " NAME);
		await_subscriber(p, pid);
		await_size("a.rec", 368, pid);
		publish(p, 0, 5, (struct zcbuf_publication){ .user_tag = i });
		EXPECT_OK(kill(pid, signals[i]));
		EXPECT_EQ(ended(pid), 0);
		flat = shown("a.rec", 0);
		EXPECT_STREQ(get(flat, "recording.messages", 0, "length"), "5");
		EXPECT_STREQ(get(flat, "recording.messages", 1, "length"), "");
		free(flat);
	}
}

/* What it had written is there; that it was not ended, and what was torn, is told. */
TEST(killed)
{
	struct zcbuf_publisher *p;
	char *flat, *out;
	pid_t pid;
	int i;

	begin();
	p = open_topic(new_pool(0), &name);
	pid = start("zcctl record a.rec " POOL " " NAME " --block");
	await_subscriber(p, pid);
	for (i = 0; i < 3; i++)
		publish(p, i, 8, (struct zcbuf_publication){ 0 });
	await_size("a.rec", 368 + 3 * 120, pid);
	EXPECT_OK(kill(pid, SIGKILL));
	EXPECT_EQ(ended(pid), -SIGKILL);
	out = expect("zcctl show a.rec", 1, "not ended: more may be missing behind byte 728");
	EXPECT_TRUE(strstr(out, "\n3 messages of 24B, 0 missing"));
	free(out);
	ASSERT_OK(truncate("a.rec", 700));
	out = expect("zcctl show a.rec", 1, "the 92 bytes at byte 608 are part of a message that is torn off");
	free(out);
	flat = expect_json("zcctl -j replay a.rec " POOL " --fast", 1);
	EXPECT_TRUE(strstr(flat, "replayed.messages=2\n"));
	EXPECT_TRUE(strstr(flat, "replayed.damaged=1\n"));
	free(flat);
}

TEST(limits)
{
	struct zcbuf_publisher *p;
	struct stat st;
	pid_t pid;
	char *out;
	int i;

	begin();
	p = open_topic(new_pool(0), &name);
	out = expect("zcctl record a.rec " POOL " " NAME " --duration=0.01", 0, "");
	EXPECT_STREQ(out, "a.rec: 0 messages of 0B, 0 missing\n");
	free(out);
	pid = start("zcctl record b.rec " POOL " " NAME " --max-bytes=1000");
	await_subscriber(p, pid);
	for (i = 0; i < 8; i++)
		publish(p, 0, 16, (struct zcbuf_publication){ 0 });
	EXPECT_EQ(ended(pid), 0);
	ASSERT_OK(stat("b.rec", &st));
	EXPECT_EQ(st.st_size, 368 + 4 * 128 + 112);
	free(expect("zcctl show b.rec", 0, ""));
}

/* A slow one loses the oldest, and the file says how many. */
TEST(what_is_missing)
{
	struct zcbuf_publisher *p;
	pid_t pid;
	char *flat;
	int i, status;

	begin();
	p = open_topic(new_pool(0), &name);
	pid = start("zcctl -j record a.rec " POOL " " NAME " --depth=4 --count=5");
	await_subscriber(p, pid);
	publish(p, 0, 8, (struct zcbuf_publication){ 0 });
	await_size("a.rec", 368 + 120, pid);
	EXPECT_OK(kill(pid, SIGSTOP));
	ASSERT_EQ(waitpid(pid, &status, WUNTRACED), pid);
	for (i = 1; i <= 20; i++)
		publish(p, 0, 8, (struct zcbuf_publication){ .user_tag = i });
	EXPECT_OK(kill(pid, SIGCONT));
	EXPECT_EQ(ended(pid), 0);
	flat = shown("a.rec", 0);
	EXPECT_STREQ(get(flat, "recording.messages", 0, "gap"), "0");
	EXPECT_STREQ(get(flat, "recording.messages", 1, "gap"), "16");
	EXPECT_STREQ(get(flat, "recording.messages", 1, "lost"), "13");
	EXPECT_STREQ(get(flat, "recording.messages", 4, "lost"), "16");
	EXPECT_STREQ(get(flat, "recording.messages", 1, "user_tag"), "\"0x11\"");
	EXPECT_STREQ(get(flat, "recording.messages", 2, "gap"), "0");
	EXPECT_TRUE(strstr(flat, "recording.missing=16\n"));
	free(flat);
}

/* A file system of 64 KiB: what is there is whole. */
TEST(disk_is_full)
{
	struct zcbuf_publisher *p;
	char *flat;
	pid_t pid;
	int i;

	begin();
	ASSERT_OK(mkdir("small", 0755));
	ASSERT_OK(mount("none", "small", "tmpfs", 0, "size=64k"));
	p = open_topic(new_pool(0), &name);
	pid = start("zcctl -j record small/a.rec " POOL " " NAME " --block");
	await_subscriber(p, pid);
	for (i = 0; i < 10; i++)
		publish(p, i, 8000, (struct zcbuf_publication){ 0 });
	EXPECT_EQ(ended(pid), 1);
	expect_said("No space left on device; it ends after 8 messages\n");
	flat = shown("small/a.rec", 0);
	EXPECT_STREQ(get(flat, "recording.messages", 0, "length"), "8000");
	EXPECT_STREQ(get(flat, "recording.messages", 7, "length"), "8000");
	EXPECT_STREQ(get(flat, "recording.messages", 8, "length"), "");
	free(flat);
	EXPECT_OK(umount("small"));
}

/* ---------------------------------------------------------------- who may not */

static void refused(const char *line, const char *why)
{
	free(expect(line, 1, why));
}

TEST(what_cannot_be_recorded)
{
	const struct zcbuf_channel_opts opts = {
		.sz = sizeof(opts), .name = &again,
		.ports = ZCBUF_PORT_PRODUCE,
	};
	struct zcbuf_pool *pool;
	struct zcbuf_channel *ch;

	begin();
	pool = new_pool(0);
	refused("zcctl record a.rec " POOL " " NAME, "there is no such channel");
	EXPECT_ERR(access("a.rec", F_OK) ? -errno : 0, ENOENT);
	ASSERT_OK(zcbuf_channel_create(pool, &opts, &ch));
	refused("zcctl record a.rec " POOL " " AGAIN, "it is a stream");
	refused("zcctl record a.rec " POOL " a//b",
		"is not [DOMAIN/]SERVICE/INSTANCE/EVENT");
	open_topic(pool, &name);
	free(expect("zcctl record a.rec " POOL " " NAME " --duration=0.01", 0, ""));
	refused("zcctl record a.rec " POOL " " NAME, "it is there; --force writes over it");
	refused("zcctl record . " POOL " " NAME " --force", "Is a directory");
}

static void as_user(void (*body)(void))
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		ASSERT_OK(zt_become(ZT_USER, ZT_GROUP));
		body();
		exit(0);
	}
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
}

static void user_is_shut_out(void)
{
	refused("zcctl record /dev/null " POOL " " NAME,
		"there is no pool '" POOL "' that you may see");
}

static void user_may_read(void)
{
	free(expect("zcctl record user/u.rec " POOL " " NAME " --duration=0.01", 0, ""));
	refused("zcctl replay user/u.rec " POOL,
		"pool '" POOL "' may not be written to by this user");
}

/* The pool's mode decides, and to record takes no more than to read. */
TEST(users)
{
	struct zcbuf_pool *pool;

	begin();
	ASSERT_OK(mkdir("user", 0777));
	ASSERT_OK(chmod("user", 0777));
	pool = new_pool(0600);
	as_user(user_is_shut_out);
	ASSERT_OK(zcbuf_pool_close(pool));
	pool = new_pool(0604);
	open_topic(pool, &name);
	as_user(user_may_read);
}

KTAP_MAIN()
